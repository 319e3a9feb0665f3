// SPDX-License-Identifier: GPL-2.0-only
/*
 * IVs that need more than the sector number: a part of the key, the data, or the
 * cipher. They belong to formats of other systems, some of which also change the
 * data before or after the cipher.
 *
 *	lmk		Loop-AES: MD5 of the sector's data, sector number and seed
 *	tcw		TrueCrypt before 4.1: seed and number, and whitened ciphertext
 *	eboiv		BitLocker: the byte offset, encrypted
 *	elephant	like eboiv, and BitLocker's diffuser is applied to the plaintext
 *
 * The formats are described in dm-crypt's documentation ("ivmode") and in the
 * papers that it refers to: the Loop-AES README; "TrueCrypt on-disk format" in
 * cryptsetup's wiki; Ferguson, "AES-CBC + Elephant diffuser" (2006).
 *
 * Everything here is synchronous and allocates nothing, so it runs in every context of
 * the cipher. The exception is eboiv if the cipher has no synchronous driver: this
 * needs a task that can wait. A data unit in one piece is processed in place; any
 * other is copied to memory of the request and back.
 */

#include <crypto/algapi.h>
#include <crypto/skcipher.h>
#include <linux/bitops.h>
#include <linux/crc32.h>
#include <linux/fips.h>
#include <linux/highmem.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "icrypt.h"

/**
 * struct icrypt_iv_data_ops - a mode whose IVs need more than the sector number
 * @init:   check that the cipher suits the mode, correct the table's key_parts and
 *	    key_extra, allocate. Process context, may sleep. 0 or a negative errno.
 * @setkey: take the mode's part of the key; process context, may sleep. 0 or a negative
 *	    errno.
 * @begin:  make the IV of a data unit, and prepare the data. 0, 1 if the cipher has to
 *	    work in the unit's dst, or a negative errno with the unit unchanged.
 * @end:    after the cipher, or NULL if there is nothing to do. 0 or a negative errno.
 * @undo:   after @begin, when the cipher failed and may get the unit again; or NULL
 *
 * The operations on a data unit run in any context but hardirq. They do not sleep, except
 * that @begin may sleep if the unit's may_sleep is set.
 */
struct icrypt_iv_data_ops {
	int (*init)(struct icrypt_cipher *c, struct icrypt_table *t, const char **error);
	int (*setkey)(struct icrypt_cipher *c, const u8 *key, unsigned int size);
	int (*begin)(const struct icrypt_cipher *c, const struct icrypt_unit *u);
	int (*end)(const struct icrypt_cipher *c, const struct icrypt_unit *u);
	void (*undo)(const struct icrypt_cipher *c, const struct icrypt_unit *u);
};

/* Hashed before the data: key bytes of the size of an MD5 digest, then zeros. */
#define LMK_SEED	64
#define LMK_SEED_KEY	16
/* A hashed message this long would end in this number of bits. */
#define LMK_BITS	4024

#define TCW_WHITENING	16

/* AES has no larger key. */
#define ELEPHANT_KEY_MAX	32
#define ELEPHANT_SECTOR_KEY	32

/**
 * struct icrypt_iv_data - a generator and its secrets
 * @size:     size of the IV, bytes
 * @unit:     size of a data unit, bytes
 * @seeded:   lmk: it is version 3, and has a @seed
 * @seed:     lmk: hashed first; tcw: seed of the IV
 * @whitening: tcw: key of the whitening of the ciphertext
 * @hash:     lmk: MD5
 * @volume:   eboiv, elephant: a synchronous transform with the cipher and key of the
 *	      data, or NULL to wait for the driver of the data
 * @elephant: elephant: AES with the second half of the key
 */
struct icrypt_iv_data {
	unsigned int		size;
	unsigned int		unit;
	bool			seeded;
	u8			seed[LMK_SEED];
	u8			whitening[TCW_WHITENING];
	icrypt_md5_t		hash;
	struct crypto_sync_skcipher	*volume;
	struct crypto_sync_skcipher	*elephant;
};

/* Size of the memory for a data unit and the sector key behind it, bytes. */
static unsigned int unit_scratch(const struct icrypt_cipher *c)
{
	return c->sector_size + ELEPHANT_SECTOR_KEY;
}

/* Maps data that is in one piece, and so within one page; otherwise returns NULL. */
static u8 *unit_map(struct scatterlist *sg, unsigned int bytes)
{
	if (unlikely(sg->length < bytes || !IS_ALIGNED(sg->offset, sizeof(u64))))
		return NULL;
	return kmap_local_page(sg_page(sg)) + sg->offset;
}

static void unit_unmap(struct scatterlist *sg, u8 *data)
{
	flush_dcache_page(sg_page(sg));
	kunmap_local(data);
}

static void unit_copy(struct scatterlist *sg, u8 *to, unsigned int bytes)
{
	u8 *data = unit_map(sg, bytes);

	if (data) {
		memcpy(to, data, bytes);
		kunmap_local(data);
	} else {
		sg_copy_to_buffer(sg, sg_nents(sg), to, bytes);
	}
}

/*
 * Returns memory with the data of @from, for work whose result goes to @to; both may be
 * the same. This is the memory of @to if that is in one piece, otherwise the memory of the
 * request. unit_put() completes the work. It wipes the memory of the request, because that
 * is later freed without wiping.
 */
static u8 *unit_get(const struct icrypt_unit *u, struct scatterlist *from,
		    struct scatterlist *to, unsigned int bytes)
{
	u8 *data = unit_map(to, bytes);

	if (unlikely(!data))
		unit_copy(from, u->buf, bytes);
	else if (from != to)
		unit_copy(from, data, bytes);
	return data ?: u->buf;
}

static void unit_put(const struct icrypt_iv_data *iv, const struct icrypt_unit *u,
		     struct scatterlist *to, u8 *data, unsigned int bytes)
{
	if (likely(data != u->buf)) {
		unit_unmap(to, data);
		return;
	}
	sg_copy_from_buffer(to, sg_nents(to), data, bytes);
	memzero_explicit(data, iv->unit);
}

/* The state of MD5 before its padding, over all blocks of the sector but the first. */
static int lmk_hash(const struct icrypt_iv_data *iv, const struct icrypt_unit *u, const u8 *data,
		    u8 *out)
{
	__le32 end[4] = {
		cpu_to_le32((u32)u->sector),
		cpu_to_le32(((u32)(u->sector >> 32) & 0xffffff) | 0x80000000),
		cpu_to_le32(LMK_BITS),
		0
	};
	struct icrypt_md5_part parts[] = {
		{ iv->seed, iv->seeded ? LMK_SEED : 0 },
		{ data + 16, SECTOR_SIZE - 16 },
		{ end, sizeof(end) },
	};

	return icrypt_md5_state(iv->hash, parts, ARRAY_SIZE(parts), out);
}

static int lmk_begin(const struct icrypt_cipher *c, const struct icrypt_unit *u)
{
	const struct icrypt_iv_data *iv = c->iv_data;
	u8 state[ICRYPT_MD5_STATE];
	u8 *data;
	int err;

	if (!u->write) {
		memset(u->iv, 0, iv->size);
		return 0;
	}
	/* The cipher must get the data from which the IV is made, even if the owner changes it. */
	data = unit_get(u, u->src, u->dst, SECTOR_SIZE);
	err = lmk_hash(iv, u, data, state);
	unit_put(iv, u, u->dst, data, SECTOR_SIZE);
	if (err)
		return err;
	memcpy(u->iv, state, iv->size);
	return 1;
}

/* The data is known only after decryption; the IV affects only the first block. */
static int lmk_end(const struct icrypt_cipher *c, const struct icrypt_unit *u)
{
	const struct icrypt_iv_data *iv = c->iv_data;
	u8 state[ICRYPT_MD5_STATE];
	u8 *data;
	int err;

	if (u->write)
		return 0;
	data = unit_get(u, u->dst, u->dst, SECTOR_SIZE);
	err = lmk_hash(iv, u, data, state);
	if (!err)
		crypto_xor(data, state, iv->size);
	unit_put(iv, u, u->dst, data, iv->size);
	return err;
}

/* This function is its own inverse. */
static void tcw_whiten(const struct icrypt_iv_data *iv, const struct icrypt_unit *u,
		       struct scatterlist *sg)
{
	u8 w[TCW_WHITENING], *data;
	unsigned int i;
	u64 mask;

	for (i = 0; i < TCW_WHITENING; i += sizeof(u64))
		put_unaligned_le64(get_unaligned_le64(iv->whitening + i) ^ u->sector, w + i);
	for (i = 0; i < TCW_WHITENING; i += sizeof(u32))
		put_unaligned_le32(crc32_le(0, w + i, sizeof(u32)), w + i);
	mask = get_unaligned_le32(w) ^ get_unaligned_le32(w + 12);
	mask |= (u64)(get_unaligned_le32(w + 4) ^ get_unaligned_le32(w + 8)) << 32;

	data = unit_get(u, sg, sg, SECTOR_SIZE);
	for (i = 0; i < SECTOR_SIZE; i += sizeof(u64))
		*(__le64 *)(data + i) ^= cpu_to_le64(mask);
	unit_put(iv, u, sg, data, SECTOR_SIZE);
	memzero_explicit(w, sizeof(w));
	memzero_explicit(&mask, sizeof(mask));
}

static int tcw_begin(const struct icrypt_cipher *c, const struct icrypt_unit *u)
{
	const struct icrypt_iv_data *iv = c->iv_data;
	__le64 sector = cpu_to_le64(u->sector);
	unsigned int i;

	if (!u->write)
		tcw_whiten(iv, u, u->src);
	for (i = 0; i < iv->size; i++)
		u->iv[i] = iv->seed[i] ^ ((u8 *)&sector)[i % sizeof(sector)];
	return 0;
}

static int tcw_end(const struct icrypt_cipher *c, const struct icrypt_unit *u)
{
	if (u->write)
		tcw_whiten(c->iv_data, u, u->dst);
	return 0;
}

static void tcw_undo(const struct icrypt_cipher *c, const struct icrypt_unit *u)
{
	if (!u->write)
		tcw_whiten(c->iv_data, u, u->src);
}

/* In place. The memory must not be on the stack, because the crypto API needs pages. */
static int encrypt_blocks(struct crypto_sync_skcipher *tfm, u8 *data, unsigned int bytes, u8 *iv)
{
	SYNC_SKCIPHER_REQUEST_ON_STACK(req, tfm);
	struct scatterlist sg;
	int err;

	sg_init_one(&sg, data, bytes);
	skcipher_request_set_sync_tfm(req, tfm);
	skcipher_request_set_callback(req, 0, NULL, NULL);
	skcipher_request_set_crypt(req, &sg, &sg, bytes, iv);
	err = crypto_skcipher_encrypt(req);
	skcipher_request_zero(req);
	return err;
}

/* Uses the driver of the data. The request for it follows the other memory. */
static int encrypt_block_later(const struct icrypt_cipher *c, const struct icrypt_unit *u,
			       unsigned int bytes, u8 *iv)
{
	struct skcipher_request *req = PTR_ALIGN((void *)(u->buf + unit_scratch(c)),
						 CRYPTO_MINALIGN);
	DECLARE_CRYPTO_WAIT(wait);
	struct scatterlist sg;
	int err;

	sg_init_one(&sg, u->iv, bytes);
	skcipher_request_set_tfm(req, c->tfms[0]);
	skcipher_request_set_callback(req, CRYPTO_TFM_REQ_MAY_BACKLOG | CRYPTO_TFM_REQ_MAY_SLEEP,
				      crypto_req_done, &wait);
	skcipher_request_set_crypt(req, &sg, &sg, bytes, iv);
	err = crypto_wait_req(crypto_skcipher_encrypt(req), &wait);
	skcipher_request_zero(req);
	return err;
}

static int eboiv_begin(const struct icrypt_cipher *c, const struct icrypt_unit *u)
{
	const struct icrypt_iv_data *iv = c->iv_data;
	u8 *offset = u->buf;

	memset(offset, 0, iv->size);
	put_unaligned_le64(u->sector * iv->unit, offset);
	memset(u->iv, 0, iv->size);
	return iv->volume ? encrypt_blocks(iv->volume, u->iv, iv->size, offset) :
			    encrypt_block_later(c, u, iv->size, offset);
}

/*
 * The diffusers mix each word of the sector with two neighbours, wrapping around at its
 * end. Encryption goes backwards, and subtracts where decryption adds. They are inlined
 * with their constants, because otherwise they would take longer than the cipher.
 */
struct diffuser {
	unsigned int	cycles;
	int		near;		/* distance of the neighbours, words */
	int		far;
	u8		rotate[4];	/* of the far one, by the word's number */
};

static const struct diffuser diffuser_a = { 5, -2, -5, { 9, 0, 13, 0 } };
static const struct diffuser diffuser_b = { 3, 2, 5, { 0, 10, 0, 25 } };

/* The number of words is a power of two, and @last is that number minus one. */
static __always_inline u32 diffuser_word(const struct diffuser *f, const u32 *d,
					 unsigned long last, unsigned long i, unsigned int rotate)
{
	return d[(i + f->near) & last] ^ rol32(d[(i + f->far) & last], f->rotate[rotate]);
}

static __always_inline void diffuser_decrypt(const struct diffuser *f, u32 *d, unsigned int n)
{
	unsigned long i, last = n - 1;
	unsigned int cycle;

	for (cycle = 0; cycle < f->cycles; cycle++) {
		for (i = 0; i < n; i += 4) {
			d[i] += diffuser_word(f, d, last, i, 0);
			d[i + 1] += diffuser_word(f, d, last, i + 1, 1);
			d[i + 2] += diffuser_word(f, d, last, i + 2, 2);
			d[i + 3] += diffuser_word(f, d, last, i + 3, 3);
		}
	}
}

static __always_inline void diffuser_encrypt(const struct diffuser *f, u32 *d, unsigned int n)
{
	unsigned long i, last = n - 1;
	unsigned int cycle;

	for (cycle = 0; cycle < f->cycles; cycle++) {
		for (i = n; i; i -= 4) {
			d[i - 1] -= diffuser_word(f, d, last, i - 1, 3);
			d[i - 2] -= diffuser_word(f, d, last, i - 2, 2);
			d[i - 3] -= diffuser_word(f, d, last, i - 3, 1);
			d[i - 4] -= diffuser_word(f, d, last, i - 4, 0);
		}
	}
}

static int elephant_sector_key(const struct icrypt_iv_data *iv, const struct icrypt_unit *u,
			       u8 *key)
{
	memset(key, 0, ELEPHANT_SECTOR_KEY);
	put_unaligned_le64(u->sector * iv->unit, key);
	memcpy(key + 16, key, 16);
	key[31] = 0x80;
	return encrypt_blocks(iv->elephant, key, ELEPHANT_SECTOR_KEY, NULL);
}

/*
 * Encryption: diffuses from @u->src to @u->dst, and the cipher then works in @u->dst.
 * Decryption: works in @u->dst, after the cipher. The sector key is behind the data in
 * memory. Making it can fail, so it is made before the cipher runs: a unit that is half
 * decrypted could not be processed again.
 */
static void elephant_diffuse(const struct icrypt_iv_data *iv, const struct icrypt_unit *u)
{
	u8 *data = unit_get(u, u->write ? u->src : u->dst, u->dst, iv->unit);
	u8 *key = u->buf + iv->unit;
	unsigned int i, n = iv->unit / sizeof(u32);
	u32 *d = (u32 *)data;

	if (!u->write) {
		le32_to_cpu_array(d, n);
		diffuser_decrypt(&diffuser_b, d, n);
		diffuser_decrypt(&diffuser_a, d, n);
		cpu_to_le32_array(d, n);
	}
	for (i = 0; i < iv->unit; i += ELEPHANT_SECTOR_KEY)
		crypto_xor(data + i, key, ELEPHANT_SECTOR_KEY);
	if (u->write) {
		le32_to_cpu_array(d, n);
		diffuser_encrypt(&diffuser_a, d, n);
		diffuser_encrypt(&diffuser_b, d, n);
		cpu_to_le32_array(d, n);
	}
	unit_put(iv, u, u->dst, data, iv->unit);
	memzero_explicit(key, ELEPHANT_SECTOR_KEY);
}

static void elephant_undo(const struct icrypt_cipher *c, const struct icrypt_unit *u)
{
	memzero_explicit(u->buf + c->iv_data->unit, ELEPHANT_SECTOR_KEY);
}

static int elephant_begin(const struct icrypt_cipher *c, const struct icrypt_unit *u)
{
	const struct icrypt_iv_data *iv = c->iv_data;
	int err;

	err = elephant_sector_key(iv, u, u->buf + iv->unit);
	if (!err && u->write)
		elephant_diffuse(iv, u);
	if (!err)
		err = eboiv_begin(c, u);
	if (err)
		elephant_undo(c, u);
	return err ?: u->write;
}

static int elephant_end(const struct icrypt_cipher *c, const struct icrypt_unit *u)
{
	if (!u->write)
		elephant_diffuse(c->iv_data, u);
	return 0;
}

/**
 * icrypt_iv_data_begin() - make the IV of a data unit, and prepare its data
 * @c: the cipher
 * @u: the data unit
 *
 * Context: any but hardirq, sleeps only as @u->may_sleep says.
 * Return: 0, 1 if the cipher has to work in @u->dst, ICRYPT_MUST_SLEEP with nothing
 * done, or a negative errno.
 */
int icrypt_iv_data_begin(const struct icrypt_cipher *c, const struct icrypt_unit *u)
{
	if (c->iv_waits && !u->may_sleep)
		return ICRYPT_MUST_SLEEP;
	return c->iv.ops->data->begin(c, u);
}

/**
 * icrypt_iv_data_end() - the second part of the mode, after the cipher
 * @c: the cipher
 * @u: the data unit
 *
 * Context: any but hardirq, does not sleep.
 * Return: 0 or a negative errno.
 */
int icrypt_iv_data_end(const struct icrypt_cipher *c, const struct icrypt_unit *u)
{
	const struct icrypt_iv_data_ops *ops = c->iv.ops->data;

	return ops->end ? ops->end(c, u) : 0;
}

/**
 * icrypt_iv_data_undo() - restore a data unit whose cipher failed and may run again
 * @c: the cipher
 * @u: the data unit, as icrypt_iv_data_begin() left it
 *
 * Context: any but hardirq, does not sleep.
 */
void icrypt_iv_data_undo(const struct icrypt_cipher *c, const struct icrypt_unit *u)
{
	const struct icrypt_iv_data_ops *ops = c->iv.ops->data;

	if (ops->undo)
		ops->undo(c, u);
}

/**
 * icrypt_iv_data_scratch() - the size of the memory that a data unit needs
 * @c: the cipher
 *
 * Context: any.
 * Return: bytes for struct icrypt_unit's buf.
 */
unsigned int icrypt_iv_data_scratch(const struct icrypt_cipher *c)
{
	if (!c->iv_data)
		return 0;
	if (!c->iv_waits)
		return unit_scratch(c);
	return unit_scratch(c) + CRYPTO_MINALIGN + sizeof(struct skcipher_request) +
	       crypto_skcipher_reqsize(c->tfms[0]);
}

/**
 * icrypt_iv_data_setkey() - take the generator's part of the key
 * @c:      the cipher
 * @key:    the whole key
 * @size:   size of @key, bytes
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno.
 */
int icrypt_iv_data_setkey(struct icrypt_cipher *c, const u8 *key, unsigned int size)
{
	return c->iv.ops->data->setkey(c, key, size);
}

/* The generator's part of the key, which follows the keys of the cipher. */
static const u8 *extra_key(const struct icrypt_cipher *c, const u8 *key, unsigned int size)
{
	return key + size - c->key_extra;
}

static int lmk_setkey(struct icrypt_cipher *c, const u8 *key, unsigned int size)
{
	struct icrypt_iv_data *iv = c->iv_data;

	if (iv->seeded)
		memcpy(iv->seed, extra_key(c, key, size), LMK_SEED_KEY);
	return 0;
}

static int lmk_init(struct icrypt_cipher *c, struct icrypt_table *t, const char **error)
{
	struct icrypt_iv_data *iv = c->iv_data;
	int err;

	if (c->sector_size != SECTOR_SIZE) {
		*error = "Unsupported sector size for LMK, must be 512";
		return -EINVAL;
	}
	/* It uses MD5. */
	if (fips_enabled) {
		*error = "LMK support is disabled due to FIPS";
		return -EINVAL;
	}
	if (iv->size > ICRYPT_MD5_STATE) {
		*error = "IV of the cipher is too large for LMK";
		return -EINVAL;
	}
	/* Version 3 has one more key: the seed. */
	if (t->key_size % t->key_parts) {
		t->key_parts++;
		t->key_extra = t->key_size / t->key_parts;
		iv->seeded = true;
		if (t->key_size % t->key_parts || t->key_extra < LMK_SEED_KEY) {
			*error = "Wrong key size for LMK, need keys of equal size";
			return -EINVAL;
		}
	}
	err = icrypt_md5_init(&iv->hash);
	if (err)
		*error = "Error initializing LMK hash";
	return err;
}

const struct icrypt_iv_data_ops icrypt_lmk_ops = {
	.init	= lmk_init,
	.setkey	= lmk_setkey,
	.begin	= lmk_begin,
	.end	= lmk_end,
};

static int tcw_setkey(struct icrypt_cipher *c, const u8 *key, unsigned int size)
{
	const u8 *extra = extra_key(c, key, size);
	struct icrypt_iv_data *iv = c->iv_data;

	memcpy(iv->seed, extra, iv->size);
	memcpy(iv->whitening, extra + iv->size, TCW_WHITENING);
	return 0;
}

static int tcw_init(struct icrypt_cipher *c, struct icrypt_table *t, const char **error)
{
	struct icrypt_iv_data *iv = c->iv_data;

	if (c->sector_size != SECTOR_SIZE) {
		*error = "Unsupported sector size for TCW, must be 512";
		return -EINVAL;
	}
	if (iv->size > sizeof(iv->seed)) {
		*error = "IV of the cipher is too large for TCW";
		return -EINVAL;
	}
	t->key_parts += 2;
	t->key_extra = iv->size + TCW_WHITENING;
	if (t->key_size <= t->key_extra) {
		*error = "Wrong key size for TCW, need a seed and the whitening after the key";
		return -EINVAL;
	}
	return 0;
}

const struct icrypt_iv_data_ops icrypt_tcw_ops = {
	.init	= tcw_init,
	.setkey	= tcw_setkey,
	.begin	= tcw_begin,
	.end	= tcw_end,
	.undo	= tcw_undo,
};

static int eboiv_setkey(struct icrypt_cipher *c, const u8 *key, unsigned int size)
{
	struct icrypt_iv_data *iv = c->iv_data;

	return iv->volume ? crypto_sync_skcipher_setkey(iv->volume, key,
							(size - c->key_extra) / c->count) : 0;
}

static int eboiv_init(struct icrypt_cipher *c, struct icrypt_table *t, const char **error)
{
	struct icrypt_iv_data *iv = c->iv_data;

	if (crypto_skcipher_blocksize(c->tfms[0]) != iv->size) {
		*error = "Block size of EBOIV cipher does not match IV size of block cipher";
		return -EINVAL;
	}
	/* Most contexts that need the IV cannot wait for an asynchronous driver. */
	iv->volume = crypto_alloc_sync_skcipher(t->alg, 0, CRYPTO_ALG_ALLOCATES_MEMORY);
	if (IS_ERR(iv->volume)) {
		int err = PTR_ERR(iv->volume);

		iv->volume = NULL;
		/* No synchronous driver, or none whose request fits on a stack. */
		if (err != -ENOENT && err != -EINVAL) {
			*error = "Cannot allocate the cipher that makes the IV";
			return err;
		}
		c->iv_waits = true;
	}
	return 0;
}

const struct icrypt_iv_data_ops icrypt_eboiv_ops = {
	.init	= eboiv_init,
	.setkey	= eboiv_setkey,
	.begin	= eboiv_begin,
};

/* Both keys are set even if one fails; otherwise an old key could survive a wipe. */
static int elephant_setkey(struct icrypt_cipher *c, const u8 *key, unsigned int size)
{
	int err = crypto_sync_skcipher_setkey(c->iv_data->elephant, extra_key(c, key, size),
					      c->key_extra);

	return eboiv_setkey(c, key, size) ?: err;
}

static int elephant_init(struct icrypt_cipher *c, struct icrypt_table *t, const char **error)
{
	struct icrypt_iv_data *iv = c->iv_data;

	t->key_parts = 2;
	t->key_extra = t->key_size / 2;
	if (!t->key_extra || t->key_extra > ELEPHANT_KEY_MAX) {
		*error = "Wrong key size for Elephant, need two AES keys";
		return -EINVAL;
	}
	iv->elephant = crypto_alloc_sync_skcipher("ecb(aes)", 0, CRYPTO_ALG_ALLOCATES_MEMORY);
	if (IS_ERR(iv->elephant)) {
		*error = "Elephant needs a synchronous driver of ecb(aes)";
		return PTR_ERR(iv->elephant);
	}
	return eboiv_init(c, t, error);
}

const struct icrypt_iv_data_ops icrypt_elephant_ops = {
	.init	= elephant_init,
	.setkey	= elephant_setkey,
	.begin	= elephant_begin,
	.end	= elephant_end,
	.undo	= elephant_undo,
};

/**
 * icrypt_iv_data_init() - set up the generator of a table line, if it is one of these
 * @c:     the cipher, its transforms allocated and the size of the IV known
 * @t:     the table line; key_parts and key_extra are corrected
 * @error: set when refused
 *
 * Context: process, may sleep; loads crypto modules.
 * Return: 0 or a negative errno; icrypt_iv_data_exit() cleans up after either.
 */
int icrypt_iv_data_init(struct icrypt_cipher *c, struct icrypt_table *t, const char **error)
{
	/* A cipher without an IV has none of these modes. */
	if (!c->iv.ops || !c->iv.ops->data)
		return 0;
	c->iv_data = kzalloc_obj(*c->iv_data);
	if (!c->iv_data) {
		*error = "Cannot allocate IV generator";
		return -ENOMEM;
	}
	c->iv_data->size = c->iv.size;
	c->iv_data->unit = c->sector_size;
	return c->iv.ops->data->init(c, t, error);
}

/**
 * icrypt_iv_data_exit() - free the generator and wipe its secrets
 * @c: the cipher, zeroed or as far as icrypt_iv_data_init() came
 *
 * Context: process, may sleep.
 */
void icrypt_iv_data_exit(struct icrypt_cipher *c)
{
	struct icrypt_iv_data *iv = c->iv_data;

	if (!iv)
		return;
	icrypt_md5_exit(iv->hash);
	if (iv->volume)
		crypto_free_sync_skcipher(iv->volume);
	if (!IS_ERR_OR_NULL(iv->elephant))
		crypto_free_sync_skcipher(iv->elephant);
	kfree_sensitive(iv);
	c->iv_data = NULL;
}
