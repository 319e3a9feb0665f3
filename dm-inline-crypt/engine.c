// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cipher engine and the mapped device: which specifications it takes, whether it
 * is faster than the crypto API's cipher, and how the data units of a bio get to it.
 *
 * The engine takes units that lie in one piece each, up to ICRYPT_ENGINE_BYTES per FPU
 * section. The crypto API does the rest, even in the middle of a bio: units in several
 * pieces, and all units while the FPU is in use.
 */

#include <crypto/hash.h>
#include <linux/completion.h>
#include <linux/fips.h>
#include <linux/log2.h>
#include <linux/slab.h>

#include "icrypt.h"
#include "units.h"

/*
 * The most bytes per FPU section, during which no other task runs. Sections of the
 * crypto API are about as long.
 */
#define ICRYPT_ENGINE_BYTES	4096U

/* CBC, encryption: four units of 4096 bytes side by side take as long as one alone. */
#define ICRYPT_ENGINE_CBC_BYTES	(4 * ICRYPT_ENGINE_BYTES)

/* Pages that are timed, for each direction and implementation. */
#define ICRYPT_ENGINE_ROUNDS	6

/**
 * struct icrypt_engine_work - memory of a CPU, for the owner of its FPU section
 * @du:      units
 * @scratch: for the assembler
 */
struct icrypt_engine_work {
	struct icrypt_du		du[ICRYPT_UNITS_BATCH];
	struct icrypt_units_scratch	scratch;
};

static struct icrypt_engine_work __percpu *engine_work;

/* The fastest variant that passed its tests. */
static enum icrypt_units_variant engine_variant;

static bool variant_is_right(enum icrypt_units_variant v, struct icrypt_units_test *t)
{
	unsigned int i;
	int err;

	for (i = 0; i < icrypt_units_answer_count; i++) {
		err = icrypt_units_test(v, icrypt_units_answers + i, t);
		if (!err)
			continue;
		DMERR("cipher engine %s: known-answer test %u failed (%d), it is not used",
		      icrypt_units_name(v), i, err);
		WARN_ON_ONCE(err == -EBADMSG);
		return false;
	}
	return true;
}

/**
 * icrypt_engine_module_init() - find the variants that this CPU has, and test them all
 *
 * If there is none, the crypto API does everything.
 *
 * Context: process, may sleep.
 */
void icrypt_engine_module_init(void)
{
	enum icrypt_units_variant v = ICRYPT_UNITS_VARIANTS;
	struct icrypt_units_test *t;

	/* FIPS certificates cover the code of the crypto API, not ours. */
	if (fips_enabled)
		return;
	t = kzalloc_obj(*t);
	engine_work = alloc_percpu(struct icrypt_engine_work);
	while (t && engine_work && --v > ICRYPT_UNITS_NONE) {
		if (icrypt_units_supported(v) && variant_is_right(v, t) &&
		    icrypt_skcipher_register(v) && !engine_variant)
			engine_variant = v;
	}
	kfree_sensitive(t);
}

/**
 * icrypt_engine_module_exit() - free what icrypt_engine_module_init() allocated
 *
 * Context: process.
 */
void icrypt_engine_module_exit(void)
{
	icrypt_skcipher_unregister();
	free_percpu(engine_work);
}

/* "sha256" in "essiv(cbc(aes),sha256)", as a transform. */
static int alloc_digest(struct icrypt_engine *e, const char *digest)
{
	char name[ICRYPT_ALG_NAME_MAX];
	struct crypto_shash *hash;
	size_t len = strlen(digest);

	if (len < 2 || len > sizeof(name) || digest[len - 1] != ')')
		return -EINVAL;
	memcpy(name, digest, len - 1);
	name[len - 1] = '\0';
	hash = crypto_alloc_shash(name, 0, 0);
	if (IS_ERR(hash))
		return PTR_ERR(hash);
	e->digest = hash;
	return 0;
}

/* Names of drivers are refused: only these names leave the choice to the kernel. */
static int find_mode(struct icrypt_engine *e, const char *alg)
{
	static const char essiv[] = "essiv(cbc(aes),";

	e->mode = ICRYPT_UNITS_CBC;
	if (!strcmp(alg, "cbc(aes)"))
		return 0;
	if (strstarts(alg, essiv))
		return alloc_digest(e, alg + strlen(essiv));
	e->mode = ICRYPT_UNITS_XTS;
	return strcmp(alg, "xts(aes)") ? -EINVAL : 0;
}

/**
 * icrypt_engine_init() - prepare the engine for a mapped device
 * @c: the cipher, whose transforms and IV generator are there
 * @t: its table line
 *
 * If the engine does not support the specification, or if there is no memory, the
 * device has no engine. This is no error, because the crypto API can do everything.
 *
 * Context: process, may sleep.
 */
void icrypt_engine_init(struct icrypt_cipher *c, const struct icrypt_table *t)
{
	struct icrypt_engine *e = &c->engine;

	if (!engine_variant || t->cipher_engine == ICRYPT_ENGINE_API || c->aead ||
	    c->count != 1 || c->special || !c->iv.generate || c->iv.size != 16)
		return;
	if (find_mode(e, t->alg))
		return;
	/* Two keys of 192 bits: the crypto API accepts them, but IEEE 1619 does not. */
	if (e->mode == ICRYPT_UNITS_XTS && t->key_size != 32 && t->key_size != 64)
		return;
	/* kmalloc() aligns a power of two to its size, so to cache lines. */
	e->key = kzalloc(roundup_pow_of_two(sizeof(*e->key)), GFP_KERNEL | __GFP_NOWARN);
}

/**
 * icrypt_engine_exit() - wipe the keys and free all
 * @c: the cipher
 *
 * Context: process, may sleep.
 */
void icrypt_engine_exit(struct icrypt_cipher *c)
{
	struct icrypt_engine *e = &c->engine;

	kfree_sensitive(e->key);
	if (e->digest)
		crypto_free_shash(e->digest);
	memset(e, 0, sizeof(*e));
}

/**
 * icrypt_engine_setkey() - give the engine its keys
 * @c:    the cipher
 * @key:  the key
 * @size: size of @key, bytes
 *
 * Context: process, may sleep; no I/O in flight.
 * Return: 0, or a negative errno: then the engine has no key.
 */
int icrypt_engine_setkey(struct icrypt_cipher *c, const u8 *key, unsigned int size)
{
	struct icrypt_engine *e = &c->engine;
	u8 salt[HASH_MAX_DIGESTSIZE];
	unsigned int salt_size = 0;
	int err = 0;

	if (!e->key)
		return 0;
	/* ESSIV: the key that encrypts sector numbers is a digest of the data's key. */
	if (e->digest) {
		salt_size = crypto_shash_digestsize(e->digest);
		err = crypto_shash_tfm_digest(e->digest, key, size, salt);
	}
	if (!err)
		err = icrypt_units_setkey(e->key, e->mode, key, size,
					  salt_size ? salt : NULL, salt_size);
	else
		icrypt_units_wipe(e->key);
	memzero_explicit(salt, sizeof(salt));
	return err;
}

/*
 * Fill in units that lie in one piece each, and advance the descriptor's iterators past
 * them. A unit may cross pages of a folio, because the addresses are those of the direct
 * map, in which these pages are neighbours as well. Returns the number of units.
 */
static unsigned int collect(struct icrypt_cipher *c, struct iodesc *d, struct icrypt_du *du)
{
	bool serial = c->engine.mode == ICRYPT_UNITS_CBC && d->write;
	unsigned int bytes_max = serial ? ICRYPT_ENGINE_CBC_BYTES : ICRYPT_ENGINE_BYTES;
	unsigned int size = c->sector_size, n = 0, max = min(bytes_max / size, ICRYPT_UNITS_BATCH);

	do {
		struct bio_vec in = mp_bvec_iter_bvec(d->in->bi_io_vec, d->in_iter);
		struct bio_vec out = in;
		unsigned int bytes = 0;
		const u8 *src;
		u8 *dst;

		if (d->out != d->in)
			out = mp_bvec_iter_bvec(d->out->bi_io_vec, d->out_iter);
		src = page_address(in.bv_page) + in.bv_offset;
		dst = page_address(out.bv_page) + out.bv_offset;
		while (n < max && bytes + size <= in.bv_len && bytes + size <= out.bv_len) {
			du[n].src = src + bytes;
			du[n].dst = dst + bytes;
			c->iv.generate(&c->iv, du[n].iv, d->sector >> c->iv_shift);
			d->sector += size >> SECTOR_SHIFT;
			d->tags += c->tuple_size;
			bytes += size;
			n++;
		}
		if (!bytes)
			break;
		bio_advance_iter(d->in, &d->in_iter, bytes);
		if (d->out != d->in)
			bio_advance_iter(d->out, &d->out_iter, bytes);
	} while (n < max && d->in_iter.bi_size);
	return n;
}

/**
 * icrypt_engine_run() - process as much of a descriptor as the engine can at once
 * @c:   the cipher, with an engine that is on
 * @d:   the descriptor, not at its end
 * @may: as icrypt_cipher_run()'s
 *
 * Context: as icrypt_cipher_run(). Does not sleep, but may reschedule.
 * Return: whether the descriptor is done. If not, the crypto API has to do the next unit.
 */
bool icrypt_engine_run(struct icrypt_cipher *c, struct iodesc *d, unsigned int may)
{
	struct icrypt_engine *e = &c->engine;
	struct icrypt_engine_work *work;
	unsigned int n;

	do {
		if (!icrypt_fpu_begin(may))
			return false;
		work = this_cpu_ptr(engine_work);
		n = collect(c, d, work->du);
		if (n)
			icrypt_units_crypt(engine_variant, e->key, work->du, n, c->sector_size,
					   d->write, &work->scratch);
		icrypt_fpu_end(may);
		if (!n)
			return false;
		if (may && d->in_iter.bi_size)
			cond_resched();
	} while (d->in_iter.bi_size);
	return true;
}

static void page_done(void *cookie, enum icrypt_progress progress)
{
	complete(cookie);
}

/*
 * The time to encrypt and decrypt a page, with the engine on or off, ns; the best of some
 * rounds. 0 if the driver answers later: then it was chosen by the user, or is hardware,
 * and must be kept. Its flag CRYPTO_ALG_ASYNC is no proof: in 6.1 all simd drivers have
 * it, because they answer later where the FPU is in use.
 */
static u64 time_page(struct icrypt_cipher *c, struct page *page, void *req, bool on)
{
	DECLARE_COMPLETION_ONSTACK(done);
	u64 best[2] = { U64_MAX, U64_MAX };
	struct iodesc d = { .done = page_done, .cookie = &done };
	enum icrypt_progress progress = ICRYPT_DONE;
	struct bio_vec vec;
	struct bio bio;
	unsigned int i;
	u64 begin;

	bio_init(&bio, NULL, &vec, 1, REQ_OP_READ);
	__bio_add_page(&bio, page, PAGE_SIZE, 0);
	c->engine.on = on;
	for (i = 0; i < 2 * ICRYPT_ENGINE_ROUNDS; i++) {
		icrypt_cipher_start(c, &d, &bio, &bio, 0, NULL);
		d.write = !(i & 1);
		begin = ktime_get_ns();
		progress = icrypt_cipher_run(c, &d, req, ICRYPT_MAY_SLEEP);
		if (progress == ICRYPT_QUEUED)
			wait_for_completion(&done);
		if (progress != ICRYPT_DONE || d.status)
			break;
		best[i & 1] = min(best[i & 1], ktime_get_ns() - begin);
	}
	bio_uninit(&bio);
	if (progress == ICRYPT_QUEUED)
		return 0;
	return i == 2 * ICRYPT_ENGINE_ROUNDS ? best[READ] + best[WRITE] : U64_MAX;
}

/**
 * icrypt_engine_choose() - the engine or the crypto API?
 * @c:    the cipher, with its key
 * @t:    its table line
 * @name: of the mapped device, for the log
 *
 * Both are timed. The engine saves a call, a request and an FPU section per unit, but
 * the code of the API may be faster on this CPU.
 *
 * Context: process, may sleep; no I/O yet.
 */
void icrypt_engine_choose(struct icrypt_cipher *c, const struct icrypt_table *t, const char *name)
{
	struct icrypt_engine *e = &c->engine;
	const char *driver = c->aead ? crypto_aead_driver_name(c->aead) :
				       crypto_skcipher_driver_name(c->tfms[0]);
	u64 units = 0, api = 0;
	struct page *page;
	void *req;

	if (!e->key) {
		DMINFO("%s: %s by the crypto API's %s", name, t->cipher, driver);
		return;
	}
	if (t->cipher_engine == ICRYPT_ENGINE_UNITS) {
		e->on = true;
		DMINFO("%s: %s by %s, as asked for", name, t->cipher, icrypt_engine_name(c));
		return;
	}
	page = alloc_page(GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN);
	req = kzalloc(c->req_size, GFP_KERNEL | __GFP_NOWARN);
	if (page && req) {
		units = time_page(c, page, req, true);
		api = time_page(c, page, req, false);
		e->on = units < api;
	}
	kfree_sensitive(req);
	if (page)
		__free_page(page);
	DMINFO("%s: %s by %s%s; a page there and back took %s %llu ns, %s %llu ns", name, t->cipher,
	       e->on ? "" : "the crypto API's ", e->on ? icrypt_engine_name(c) : driver,
	       icrypt_units_name(engine_variant), units, driver, api);
}

/**
 * icrypt_engine_name() - the name of the cipher's implementation in "dmsetup status"
 * @c: the cipher
 *
 * Context: any.
 * Return: the name of the variant in use, or "api".
 */
const char *icrypt_engine_name(const struct icrypt_cipher *c)
{
	return c->engine.on ? icrypt_units_name(engine_variant) : "api";
}
