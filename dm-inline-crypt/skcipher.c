// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cipher engine as skciphers of the crypto API, so that the kernel's own tests run
 * on it: its vectors, and random requests that it compares with its generic code.
 *
 * Only with the module parameter engine_ciphers. Nobody else has a use for them, and
 * what is registered can be reached by every user through AF_ALG.
 *
 * They are made for tests, not for speed. A request is copied to one piece of memory.
 * The first part of it is one data unit with the request's IV. What follows goes in
 * many small units whose IVs are continued here, so that units side by side are tested,
 * too. The rest is padded to a unit. Where the FPU cannot be had, and for AES-192-XTS,
 * a fallback does the whole request.
 */

#include <crypto/aes.h>
#include <crypto/hash.h>
#include <crypto/internal/skcipher.h>
#include <crypto/scatterwalk.h>
#include <crypto/sha2.h>
#include <linux/atomic.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "icrypt.h"
#include "units.h"

/* In an FPU section: bytes of one unit, and small units. */
#define ICRYPT_SKCIPHER_BYTES	4096U
#define ICRYPT_SKCIPHER_UNITS	(ICRYPT_SKCIPHER_BYTES / ICRYPT_UNITS_GRANULE)

static bool engine_ciphers;
module_param(engine_ciphers, bool, 0444);
MODULE_PARM_DESC(engine_ciphers, "Register the cipher engine with the crypto API, for its tests (default: no)");

/**
 * struct icrypt_skcipher - one of them
 * @alg:      what is registered
 * @variant:  of the engine
 * @mode:     of operation
 * @essiv:    IVs are encrypted with SHA-256 of the key
 * @engine:   requests that the engine did
 * @fallback: the others
 * @added:    it is registered
 */
struct icrypt_skcipher {
	struct skcipher_alg		alg;
	enum icrypt_units_variant	variant;
	enum icrypt_units_mode		mode;
	bool				essiv;
	atomic_t			engine;
	atomic_t			fallback;
	bool				added;
};

/**
 * struct icrypt_skcipher_keys - round keys
 * @first: as a mapped device has them
 * @next:  the same for IVs that are not to be encrypted any more
 * @tweak: XTS: encrypts an IV
 */
struct icrypt_skcipher_keys {
	struct icrypt_units_key	first;
	struct icrypt_units_key	next;
	struct icrypt_units_key	tweak;
};

/**
 * struct icrypt_skcipher_ctx - a transform
 * @keys:     round keys
 * @fallback: the transform that does what the engine cannot
 * @digest:   SHA-256, or NULL
 * @engine:   the engine takes this key
 */
struct icrypt_skcipher_ctx {
	struct icrypt_skcipher_keys	*keys;
	struct crypto_sync_skcipher	*fallback;
	struct crypto_shash		*digest;
	bool				engine;
};

/**
 * struct icrypt_skcipher_work - of a request
 * @scratch: for the assembler
 * @pad:     a unit that is not full
 * @du:      units
 * @variant: of the engine
 * @keys:    round keys
 * @first:   IV of the request
 * @iv:      of what comes next
 * @unit_iv: of the first of some units
 * @tweaks:  of the last two blocks, with ciphertext stealing
 * @cbc:     else XTS
 * @encrypt: else decrypt
 * @data:    of the request
 */
struct icrypt_skcipher_work {
	struct icrypt_units_scratch		scratch;
	u8					pad[ICRYPT_UNITS_GRANULE];
	struct icrypt_du			du[ICRYPT_SKCIPHER_UNITS];
	enum icrypt_units_variant		variant;
	const struct icrypt_skcipher_keys	*keys;
	u8					first[AES_BLOCK_SIZE];
	u8					iv[AES_BLOCK_SIZE];
	u8					unit_iv[AES_BLOCK_SIZE];
	u8					tweaks[2][AES_BLOCK_SIZE];
	bool					cbc;
	bool					encrypt;
	u8					*data;
};

static struct icrypt_skcipher *to_icrypt(struct crypto_skcipher *tfm)
{
	return container_of(crypto_skcipher_alg(tfm), struct icrypt_skcipher, alg);
}

static int run_units(struct icrypt_skcipher_work *w, const struct icrypt_units_key *key,
		     unsigned int n, unsigned int size, bool encrypt)
{
	if (!icrypt_fpu_begin(false))
		return -EAGAIN;
	icrypt_units_crypt(w->variant, key, w->du, n, size, encrypt, &w->scratch);
	icrypt_fpu_end(false);
	return 0;
}

/* At most a unit, padded */
static int crypt_padded(struct icrypt_skcipher_work *w, const struct icrypt_units_key *key,
			const u8 *iv, u8 *data, unsigned int bytes)
{
	int err;

	memset(w->pad, 0, sizeof(w->pad));
	memcpy(w->pad, data, bytes);
	w->du[0].src = w->pad;
	w->du[0].dst = w->pad;
	memcpy(w->du[0].iv, iv, sizeof(w->du[0].iv));
	err = run_units(w, key, 1, sizeof(w->pad), w->encrypt);
	memcpy(data, w->pad, bytes);
	return err;
}

/* The encrypted IV of XTS: the first block of CBC with an IV of zeros */
static int first_tweak(struct icrypt_skcipher_work *w)
{
	memset(w->pad, 0, sizeof(w->pad));
	memcpy(w->pad, w->first, sizeof(w->first));
	w->du[0].src = w->pad;
	w->du[0].dst = w->pad;
	memset(w->du[0].iv, 0, sizeof(w->du[0].iv));
	if (run_units(w, &w->keys->tweak, 1, sizeof(w->pad), true))
		return -EAGAIN;
	memcpy(w->iv, w->pad, sizeof(w->iv));
	return 0;
}

/* @tweak times x for each block, modulo x^128 + x^7 + x^2 + x + 1 */
static void next_tweak(u8 *tweak, unsigned int blocks)
{
	u64 low = get_unaligned_le64(tweak);
	u64 high = get_unaligned_le64(tweak + 8);

	while (blocks--) {
		u64 carry = -(high >> 63) & 0x87;

		high = high << 1 | low >> 63;
		low = low << 1 ^ carry;
	}
	put_unaligned_le64(low, tweak);
	put_unaligned_le64(high, tweak + 8);
}

/* Before a unit is run: the IV of the one behind it, where this is known already */
static void next_iv(struct icrypt_skcipher_work *w, const u8 *data, unsigned int size)
{
	if (!w->cbc)
		next_tweak(w->iv, size / AES_BLOCK_SIZE);
	else if (!w->encrypt)
		memcpy(w->iv, data + size - AES_BLOCK_SIZE, AES_BLOCK_SIZE);
}

/* How many units of which size come next, of @left bytes? None is for less than a unit. */
static unsigned int next_units(struct icrypt_skcipher_work *w, unsigned int at, unsigned int left,
			       unsigned int *size)
{
	unsigned int n = left / ICRYPT_UNITS_GRANULE;

	n = min(n, ICRYPT_SKCIPHER_UNITS);
	*size = ICRYPT_UNITS_GRANULE;
	/* CBC is encrypted in one unit; and of all modes the first one is large. */
	if (n && (!at || (w->cbc && w->encrypt))) {
		*size *= at ? n : DIV_ROUND_UP(n, 2);
		n = 1;
	}
	return n;
}

/* Whole blocks */
static int crypt_blocks(struct icrypt_skcipher_work *w, unsigned int bytes)
{
	const struct icrypt_units_key *key = &w->keys->first;
	unsigned int at, n, i, size;
	int err;

	for (at = 0; at < bytes; at += n ? n * size : size) {
		u8 *data = w->data + at;

		n = next_units(w, at, bytes - at, &size);
		memcpy(w->unit_iv, at ? w->iv : w->first, sizeof(w->unit_iv));
		if (!n) {
			size = bytes - at;
			next_iv(w, data, size);
			err = crypt_padded(w, key, w->unit_iv, data, size);
		}
		for (i = 0; i < n; i++) {
			w->du[i].src = data + i * size;
			w->du[i].dst = data + i * size;
			memcpy(w->du[i].iv, i ? w->iv : w->unit_iv, sizeof(w->du[i].iv));
			next_iv(w, data + i * size, size);
		}
		if (n)
			err = run_units(w, key, n, size, w->encrypt);
		if (err)
			return err;
		if (w->cbc && w->encrypt)
			memcpy(w->iv, data + size - AES_BLOCK_SIZE, AES_BLOCK_SIZE);
		key = &w->keys->next;
	}
	return 0;
}

/* XTS: the last whole block and @tail bytes behind it, by ciphertext stealing */
static int steal(struct icrypt_skcipher_work *w, u8 *block, unsigned int tail)
{
	unsigned int i;
	int err;

	/* Decryption begins with what was encrypted last. */
	memcpy(w->tweaks[!w->encrypt], w->iv, AES_BLOCK_SIZE);
	next_tweak(w->iv, 1);
	memcpy(w->tweaks[w->encrypt], w->iv, AES_BLOCK_SIZE);
	err = crypt_padded(w, &w->keys->next, w->tweaks[0], block, AES_BLOCK_SIZE);
	if (err)
		return err;
	for (i = 0; i < tail; i++)
		swap(block[i], block[AES_BLOCK_SIZE + i]);
	return crypt_padded(w, &w->keys->next, w->tweaks[1], block, AES_BLOCK_SIZE);
}

static int crypt_data(struct icrypt_skcipher_work *w, unsigned int bytes)
{
	unsigned int tail = bytes % AES_BLOCK_SIZE;
	int err;

	bytes -= tail;
	if (tail)
		bytes -= AES_BLOCK_SIZE;
	if (!w->cbc) {
		err = first_tweak(w);
		if (err)
			return err;
	}
	err = crypt_blocks(w, bytes);
	if (!err && tail)
		err = steal(w, w->data + bytes, tail);
	return err;
}

/* -EAGAIN without the FPU or memory; nothing has been written then. */
static int crypt_by_engine(struct skcipher_request *req, bool encrypt)
{
	struct crypto_skcipher *tfm = crypto_skcipher_reqtfm(req);
	struct icrypt_skcipher_ctx *ctx = crypto_skcipher_ctx(tfm);
	gfp_t gfp = req->base.flags & CRYPTO_TFM_REQ_MAY_SLEEP ? GFP_KERNEL : GFP_ATOMIC;
	/* Where in a line the data begin, so that all alignments are tested. */
	unsigned int shift = req->src->offset % 64;
	struct icrypt_skcipher_work *w;
	void *memory;
	int err;

	/* kmalloc() does not align as much as the assembler wants. */
	memory = kzalloc(63 + sizeof(*w) + 64 + shift + req->cryptlen, gfp | __GFP_NOWARN);
	if (!memory)
		return -EAGAIN;
	w = PTR_ALIGN(memory, 64);
	w->data = PTR_ALIGN((u8 *)(w + 1), 64) + shift;
	w->variant = to_icrypt(tfm)->variant;
	w->cbc = to_icrypt(tfm)->mode == ICRYPT_UNITS_CBC;
	w->keys = ctx->keys;
	w->encrypt = encrypt;
	memcpy(w->first, req->iv, sizeof(w->first));
	scatterwalk_map_and_copy(w->data, req->src, 0, req->cryptlen, 0);
	err = crypt_data(w, req->cryptlen);
	if (!err) {
		scatterwalk_map_and_copy(w->data, req->dst, 0, req->cryptlen, 1);
		if (w->cbc)
			memcpy(req->iv, w->iv, sizeof(w->iv));
	}
	kfree_sensitive(memory);
	return err;
}

static int crypt_by_fallback(const struct icrypt_skcipher_ctx *ctx, struct skcipher_request *req,
			     bool encrypt)
{
	SYNC_SKCIPHER_REQUEST_ON_STACK(sub, ctx->fallback);
	int err;

	skcipher_request_set_sync_tfm(sub, ctx->fallback);
	skcipher_request_set_callback(sub, req->base.flags, NULL, NULL);
	skcipher_request_set_crypt(sub, req->src, req->dst, req->cryptlen, req->iv);
	err = encrypt ? crypto_skcipher_encrypt(sub) : crypto_skcipher_decrypt(sub);
	skcipher_request_zero(sub);
	return err;
}

static int icrypt_skcipher_crypt(struct skcipher_request *req, bool encrypt)
{
	struct crypto_skcipher *tfm = crypto_skcipher_reqtfm(req);
	struct icrypt_skcipher_ctx *ctx = crypto_skcipher_ctx(tfm);
	struct icrypt_skcipher *own = to_icrypt(tfm);
	int err = -EAGAIN;

	if (own->mode == ICRYPT_UNITS_XTS ? req->cryptlen < AES_BLOCK_SIZE :
					    req->cryptlen % AES_BLOCK_SIZE)
		return -EINVAL;
	if (!req->cryptlen)
		return 0;
	if (ctx->engine)
		err = crypt_by_engine(req, encrypt);
	if (err != -EAGAIN) {
		atomic_inc(&own->engine);
		return err;
	}
	atomic_inc(&own->fallback);
	return crypt_by_fallback(ctx, req, encrypt);
}

static int icrypt_skcipher_encrypt(struct skcipher_request *req)
{
	return icrypt_skcipher_crypt(req, true);
}

static int icrypt_skcipher_decrypt(struct skcipher_request *req)
{
	return icrypt_skcipher_crypt(req, false);
}

static int icrypt_skcipher_setkey(struct crypto_skcipher *tfm, const u8 *raw, unsigned int size)
{
	struct icrypt_skcipher_ctx *ctx = crypto_skcipher_ctx(tfm);
	struct icrypt_skcipher_keys *keys = ctx->keys;
	struct icrypt_skcipher *own = to_icrypt(tfm);
	u32 flags = crypto_skcipher_get_flags(tfm) & CRYPTO_TFM_REQ_MASK;
	u8 salt[SHA256_DIGEST_SIZE];
	int err;

	/* Nothing of an old key is left, whoever gets the new one. */
	ctx->engine = false;
	memzero_explicit(keys, sizeof(*keys));
	crypto_sync_skcipher_clear_flags(ctx->fallback, CRYPTO_TFM_REQ_MASK);
	crypto_sync_skcipher_set_flags(ctx->fallback, flags);
	/* It knows which keys are weak, or not allowed. */
	err = crypto_sync_skcipher_setkey(ctx->fallback, raw, size);
	if (!err && ctx->digest)
		err = crypto_shash_tfm_digest(ctx->digest, raw, size, salt);
	if (err)
		return err;
	/* What is left to the fallback: the engine has no AES-192-XTS. */
	if (own->mode == ICRYPT_UNITS_XTS && size != 32 && size != 64)
		return 0;
	err = icrypt_units_setkey(&keys->first, own->mode, raw, size,
				  ctx->digest ? salt : NULL, ctx->digest ? sizeof(salt) : 0);
	keys->next = keys->first;
	keys->next.iv_rounds = 0;
	if (!err && own->mode == ICRYPT_UNITS_XTS)
		err = icrypt_units_setkey(&keys->tweak, ICRYPT_UNITS_CBC, raw + size / 2, size / 2,
					  NULL, 0);
	memzero_explicit(salt, sizeof(salt));
	ctx->engine = !err;
	return err;
}

static void icrypt_skcipher_exit(struct crypto_skcipher *tfm)
{
	struct icrypt_skcipher_ctx *ctx = crypto_skcipher_ctx(tfm);

	kfree_sensitive(ctx->keys);
	if (ctx->digest)
		crypto_free_shash(ctx->digest);
	crypto_free_sync_skcipher(ctx->fallback);
}

static int icrypt_skcipher_init(struct crypto_skcipher *tfm)
{
	struct icrypt_skcipher_ctx *ctx = crypto_skcipher_ctx(tfm);
	struct icrypt_skcipher *own = to_icrypt(tfm);
	int err;

	ctx->fallback = crypto_alloc_sync_skcipher(own->alg.base.cra_name, 0,
						   CRYPTO_ALG_NEED_FALLBACK);
	if (IS_ERR(ctx->fallback))
		return PTR_ERR(ctx->fallback);
	if (own->essiv) {
		ctx->digest = crypto_alloc_shash("sha256", 0, 0);
		if (IS_ERR(ctx->digest)) {
			err = PTR_ERR(ctx->digest);
			ctx->digest = NULL;
			goto fail;
		}
	}
	/* Of this size kmalloc() aligns it to lines of the cache. */
	ctx->keys = kzalloc(roundup_pow_of_two(sizeof(*ctx->keys)), GFP_KERNEL);
	if (ctx->keys)
		return 0;
	err = -ENOMEM;
fail:
	icrypt_skcipher_exit(tfm);
	return err;
}

static const struct {
	const char		*name;
	const char		*driver;
	enum icrypt_units_mode	mode;
	bool			essiv;
} icrypt_skcipher_kinds[] = {
	{ "xts(aes)", "xts-aes-icrypt", ICRYPT_UNITS_XTS },
	{ "cbc(aes)", "cbc-aes-icrypt", ICRYPT_UNITS_CBC },
	{ "essiv(cbc(aes),sha256)", "essiv-cbc-aes-sha256-icrypt", ICRYPT_UNITS_CBC, true },
};

#define ICRYPT_SKCIPHERS	ARRAY_SIZE(icrypt_skcipher_kinds)

static struct icrypt_skcipher icrypt_skciphers[ICRYPT_UNITS_VARIANTS][ICRYPT_SKCIPHERS];

static void fill_in(struct icrypt_skcipher *s, enum icrypt_units_variant v, unsigned int kind)
{
	struct skcipher_alg *alg = &s->alg;

	s->variant = v;
	s->mode = icrypt_skcipher_kinds[kind].mode;
	s->essiv = icrypt_skcipher_kinds[kind].essiv;
	strscpy(alg->base.cra_name, icrypt_skcipher_kinds[kind].name, CRYPTO_MAX_ALG_NAME);
	snprintf(alg->base.cra_driver_name, CRYPTO_MAX_ALG_NAME, "%s-%s",
		 icrypt_skcipher_kinds[kind].driver, icrypt_units_name(v));
	/* Below all others: only a user who asks for it by its driver's name gets it. */
	alg->base.cra_priority = 1;
	alg->base.cra_flags = CRYPTO_ALG_NEED_FALLBACK | CRYPTO_ALG_ALLOCATES_MEMORY;
	alg->base.cra_blocksize = AES_BLOCK_SIZE;
	alg->base.cra_ctxsize = sizeof(struct icrypt_skcipher_ctx);
	alg->base.cra_module = THIS_MODULE;
	alg->min_keysize = AES_MIN_KEY_SIZE;
	alg->max_keysize = AES_MAX_KEY_SIZE;
	if (s->mode == ICRYPT_UNITS_XTS) {
		alg->min_keysize *= 2;
		alg->max_keysize *= 2;
	}
	alg->ivsize = AES_BLOCK_SIZE;
	alg->init = icrypt_skcipher_init;
	alg->exit = icrypt_skcipher_exit;
	alg->setkey = icrypt_skcipher_setkey;
	alg->encrypt = icrypt_skcipher_encrypt;
	alg->decrypt = icrypt_skcipher_decrypt;
}

/**
 * icrypt_skcipher_register() - register a variant's functions, if that is wanted
 * @v: a variant that the CPU supports
 *
 * The kernel tests them meanwhile, if it tests ciphers at all.
 *
 * Context: process, may sleep; loads crypto modules.
 * Return: whether the variant is to be used: the kernel found nothing wrong.
 */
bool icrypt_skcipher_register(enum icrypt_units_variant v)
{
	struct crypto_skcipher *tfm;
	bool right = true;
	unsigned int i;
	int err;

	for (i = 0; engine_ciphers && i < ICRYPT_SKCIPHERS; i++) {
		struct icrypt_skcipher *s = &icrypt_skciphers[v][i];
		const char *driver = s->alg.base.cra_driver_name;

		fill_in(s, v, i);
		/*
		 * Instances of templates are made when nothing else has the name. This makes
		 * one that ours does not keep from being made.
		 */
		if (!crypto_has_skcipher(s->alg.base.cra_name, 0,
					 CRYPTO_ALG_NEED_FALLBACK | CRYPTO_ALG_ASYNC)) {
			DMWARN("%s is not registered: nothing else has %s", driver,
			       s->alg.base.cra_name);
			continue;
		}
		err = crypto_register_skcipher(&s->alg);
		s->added = !err;
		if (err) {
			DMWARN("cannot register %s with the crypto API (%d)", driver, err);
			continue;
		}
		/* One whose test failed stays in the list, but cannot be allocated. */
		tfm = crypto_alloc_skcipher(driver, 0, 0);
		if (IS_ERR(tfm)) {
			err = PTR_ERR(tfm);
			if (err == -ELIBBAD)
				DMERR("%s failed the kernel's tests, %s is not used",
				      driver, icrypt_units_name(v));
			else
				DMERR("no result of the kernel's tests of %s (%d), %s is not used",
				      driver, err, icrypt_units_name(v));
			right = false;
			continue;
		}
		crypto_free_skcipher(tfm);
		DMINFO("%s is registered; of the tests' requests %d were the engine's, %d not",
		       driver, atomic_read(&s->engine), atomic_read(&s->fallback));
	}
	return right;
}

/**
 * icrypt_skcipher_unregister() - take back all that is registered
 *
 * A transform of them keeps the module, but not one whose init fails. So a user of one must
 * not exist while the module is loaded; that is one reason why the default is off.
 *
 * Context: process, may sleep.
 */
void icrypt_skcipher_unregister(void)
{
	unsigned int v, i;

	for (v = 0; v < ICRYPT_UNITS_VARIANTS; v++) {
		for (i = 0; i < ICRYPT_SKCIPHERS; i++) {
			if (icrypt_skciphers[v][i].added)
				crypto_unregister_skcipher(&icrypt_skciphers[v][i].alg);
			icrypt_skciphers[v][i].added = false;
		}
	}
}
