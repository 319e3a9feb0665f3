// SPDX-License-Identifier: GPL-2.0-only
/*
 * volume.c - keys, IVs, sectors and their tags
 *
 * The block ciphers, AES-XTS, GCM, ChaCha20-Poly1305, the digests and HMAC are
 * libcrypto's. What stands here is what Loop-AES, TrueCrypt, BitLocker and
 * dm-crypt make of them, written from its description.
 */
/* MD5's state before its padding, which lmk asks for, has no other interface. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/md5.h>

#include "icvec.h"

/* Byte order, spelled out: the host's does not matter. */

static void store_le(uint8_t *p, uint64_t v, unsigned int bytes)
{
	unsigned int i;

	for (i = 0; i < bytes; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

static void store_be64(uint8_t *p, uint64_t v)
{
	unsigned int i;

	for (i = 0; i < 8; i++)
		p[i] = (uint8_t)(v >> (56 - 8 * i));
}

static uint32_t load_le32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void xor_into(uint8_t *to, const uint8_t *from, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		to[i] ^= from[i];
}

/*
 * One key of one cipher.
 */

static const char *evp_base(const struct cipher *cipher, size_t key_len)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cipher->sizes); i++) {
		if (cipher->sizes[i].evp && cipher->sizes[i].key_size == key_len)
			return cipher->sizes[i].evp;
	}
	return NULL;
}

static int new_ctx(EVP_CIPHER_CTX **out, const char *base, const char *mode, const uint8_t *key,
		   bool encrypt)
{
	EVP_CIPHER_CTX *ctx;
	EVP_CIPHER *evp;
	char name[32];
	int ok;

	snprintf(name, sizeof(name), "%s%s%s", base, *mode ? "-" : "", mode);
	evp = EVP_CIPHER_fetch(NULL, name, NULL);
	if (!evp)
		return crypto_error(name);
	ctx = EVP_CIPHER_CTX_new();
	ok = ctx && EVP_CipherInit_ex2(ctx, evp, key, NULL, encrypt, NULL) &&
	     EVP_CIPHER_CTX_set_padding(ctx, 0);
	EVP_CIPHER_free(evp);
	if (!ok) {
		EVP_CIPHER_CTX_free(ctx);
		return crypto_error(name);
	}
	*out = ctx;
	return EXIT_OK;
}

static void engine_free(struct engine *e)
{
	/* EVP_CIPHER_CTX_free() cleanses the key schedules. */
	EVP_CIPHER_CTX_free(e->data);
	EVP_CIPHER_CTX_free(e->tweak);
	EVP_CIPHER_CTX_free(e->essiv);
	memset(e, 0, sizeof(*e));
}

/*
 * ESSIV: the IV is encrypted by the same cipher, keyed with HASH(whole key),
 * the MAC's part of an authenc key included.
 */
static int essiv_init(struct engine *e, const struct spec *spec, const uint8_t *key, size_t key_len)
{
	uint8_t salt[EVP_MAX_MD_SIZE];
	const char *base;
	size_t salt_len;
	int ret;

	if (!EVP_Q_digest(NULL, spec->hash, NULL, key, key_len, salt, &salt_len))
		return crypto_error(spec->hash);
	base = evp_base(spec->cipher, salt_len);
	if (base)
		ret = new_ctx(&e->essiv, base, "ECB", salt, true);
	else
		ret = usage_error("%s gives %zu bytes, no key size of %s; use a digest of the cipher's key size, as sha256 for aes",
				  spec->hash_name, salt_len, spec->cipher->name);
	OPENSSL_cleanse(salt, sizeof(salt));
	return ret;
}

/*
 * libcrypto 3.0 has XTS for AES-128 and AES-256 only, and refuses to encrypt
 * with two equal halves.  Everything else is built from ECB.
 */
static bool use_native_xts(const struct spec *spec, const uint8_t *key, size_t half,
			   bool xts_from_ecb)
{
	return !xts_from_ecb && !strcmp(spec->cipher->name, "aes") && half != 24 &&
	       CRYPTO_memcmp(key, key + half, half);
}

/* mac_len bytes of the MAC's key follow the cipher's key. */
static int engine_init(struct engine *e, const struct spec *spec, const uint8_t *key,
		       size_t key_len, size_t mac_len, bool encrypt, bool xts_from_ecb)
{
	bool xts = spec->mode == MODE_XTS;
	size_t half = xts ? key_len / 2 : key_len;
	const char *base = evp_base(spec->cipher, half);
	static const char *const names[] = {
		[MODE_ECB] = "ECB", [MODE_CBC] = "CBC", [MODE_CTR] = "CTR",
		[MODE_XTS] = "XTS", [MODE_GCM] = "GCM", [MODE_CHACHAPOLY] = "",
	};
	const char *name = names[spec->mode];
	int ret = EXIT_OK;

	memset(e, 0, sizeof(*e));
	e->mode = spec->mode;
	e->iv_size = spec_iv_size(spec);
	if (xts && !use_native_xts(spec, key, half, xts_from_ecb)) {
		name = "ECB";
		ret = new_ctx(&e->tweak, base, name, key + half, true);
	}
	/* CTR runs the same way in both directions; libcrypto knows that. */
	if (!ret)
		ret = new_ctx(&e->data, base, name, key, encrypt);
	if (!ret && spec->hash)
		ret = essiv_init(e, spec, key, key_len + mac_len);
	if (ret)
		engine_free(e);
	return ret;
}

static int run_ctx(EVP_CIPHER_CTX *ctx, const uint8_t *iv, const uint8_t *in, uint8_t *out,
		   size_t len)
{
	int outl = 0;

	if (iv && !EVP_CipherInit_ex2(ctx, NULL, NULL, iv, -1, NULL))
		return crypto_error("setting the IV");
	if (!EVP_CipherUpdate(ctx, out, &outl, in, (int)len) || (size_t)outl != len)
		return crypto_error("encryption or decryption");
	return EXIT_OK;
}

/* Multiply by x in GF(2^128), IEEE Std 1619's byte order. */
static void xts_next_tweak(uint8_t t[16])
{
	unsigned int carry = 0, next, i;

	for (i = 0; i < 16; i++) {
		next = t[i] >> 7;
		t[i] = (uint8_t)(t[i] << 1 | carry);
		carry = next;
	}
	if (carry)
		t[0] ^= 0x87;
}

static void xts_mask(const uint8_t first[16], const uint8_t *in, uint8_t *out, size_t len)
{
	uint8_t t[16];
	size_t i;

	memcpy(t, first, sizeof(t));
	for (i = 0; i < len; i++) {
		if (i && !(i % 16))
			xts_next_tweak(t);
		out[i] = in[i] ^ t[i % 16];
	}
}

static int xts_by_ecb(struct engine *e, const uint8_t *iv, const uint8_t *in, uint8_t *out,
		      size_t len)
{
	uint8_t first[16];
	int ret;

	ret = run_ctx(e->tweak, NULL, iv, first, sizeof(first));
	if (ret)
		return ret;
	xts_mask(first, in, out, len);
	ret = run_ctx(e->data, NULL, out, out, len);
	if (!ret)
		xts_mask(first, out, out, len);
	return ret;
}

/* What the generator made becomes what the mode gets. */
static int engine_essiv(struct engine *e, uint8_t *iv)
{
	return e->essiv ? run_ctx(e->essiv, NULL, iv, iv, e->iv_size) : EXIT_OK;
}

static int engine_run(struct engine *e, const uint8_t *iv, const uint8_t *in, uint8_t *out,
		      size_t len)
{
	if (e->tweak)
		return xts_by_ecb(e, iv, in, out, len);
	return run_ctx(e->data, e->mode == MODE_ECB ? NULL : iv, in, out, len);
}

/*
 * Authenticated modes.  iv is what the mode gets, so behind ESSIV; so is the one
 * in the additional data, where the kernel's essiv template puts it.
 */

/* authenc: encrypt, then HMAC over additional data and ciphertext. */
static int authenc(struct volume *v, const uint8_t *iv, const uint8_t *aad, size_t aad_len,
		   uint8_t *data, size_t len, uint8_t *tag)
{
	struct engine *e = &v->keys[0];
	OSSL_PARAM params[2] = {
		OSSL_PARAM_construct_utf8_string("digest", (char *)v->spec.mac, 0),
		OSSL_PARAM_construct_end(),
	};
	uint8_t mac[EVP_MAX_MD_SIZE];
	EVP_MAC_CTX *ctx = NULL;
	EVP_MAC *hmac;
	size_t mac_len;
	int ret = EXIT_OK, ok;

	if (v->encrypt)
		ret = engine_run(e, iv, data, data, len);
	if (ret)
		return ret;

	hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	if (hmac)
		ctx = EVP_MAC_CTX_new(hmac);
	ok = ctx && EVP_MAC_init(ctx, v->mac_key, v->mac_key_size, params) &&
	     EVP_MAC_update(ctx, aad, aad_len) && EVP_MAC_update(ctx, data, len) &&
	     EVP_MAC_final(ctx, mac, &mac_len, sizeof(mac));
	EVP_MAC_CTX_free(ctx);
	EVP_MAC_free(hmac);
	if (!ok)
		return crypto_error("HMAC");

	if (v->encrypt)
		memcpy(tag, mac, v->tag_size);
	else if (CRYPTO_memcmp(tag, mac, v->tag_size))
		return EXIT_TAG;
	else
		ret = engine_run(e, iv, data, data, len);
	return ret;
}

/* GCM and ChaCha20-Poly1305 */
static int aead(struct volume *v, const uint8_t *iv, const uint8_t *aad, size_t aad_len,
		uint8_t *data, size_t len, uint8_t *tag)
{
	EVP_CIPHER_CTX *ctx = v->keys[0].data;
	uint8_t none[16];
	int outl;

	if (!EVP_CipherInit_ex2(ctx, NULL, NULL, iv, -1, NULL) ||
	    (aad_len && !EVP_CipherUpdate(ctx, NULL, &outl, aad, (int)aad_len)) ||
	    (!v->encrypt &&
	     !EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, (int)v->tag_size, tag)) ||
	    !EVP_CipherUpdate(ctx, data, &outl, data, (int)len) || (size_t)outl != len)
		return crypto_error("authenticated encryption or decryption");
	if (!EVP_CipherFinal_ex(ctx, none, &outl))
		return v->encrypt ? crypto_error("authenticated encryption") : EXIT_TAG;
	if (v->encrypt &&
	    !EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, (int)v->tag_size, tag))
		return crypto_error("reading the tag");
	return EXIT_OK;
}

static int run_aead(struct volume *v, const uint8_t *iv, const uint8_t *aad, size_t aad_len,
		    uint8_t *data, size_t len, uint8_t *tag)
{
	if (v->spec.mac)
		return authenc(v, iv, aad, aad_len, data, len, tag);
	return aead(v, iv, aad, aad_len, data, len, tag);
}

/*
 * IVs, and what some of them do to the data.
 */

/*
 * The number that IVs are made of: of the sector's first 512-byte sector, counted
 * from the target's start.  Sums and products are modulo 2^64, as sector_t is.
 */
static uint64_t iv_sector(const struct volume *v, uint64_t sector)
{
	uint64_t n = sector + v->layout.iv_offset;

	/* iv_offset is in 512-byte sectors too: it is added before dividing. */
	if (v->layout.iv_large_sectors)
		n /= v->layout.sector_size >> SECTOR_SHIFT;
	return n;
}

/* Multi-key: 512-byte sectors take them in turn, whatever the sector size. */
static struct engine *engine_of(struct volume *v, uint64_t sector)
{
	return &v->keys[(sector + v->layout.iv_offset) & (v->spec.keys - 1)];
}

/*
 * Loop-AES: MD5 over the seed (version 3), the data but for its first 16 bytes,
 * and 16 bytes with the sector's number in 56 bits, a bit above these, and 4024;
 * these are whole blocks, and what is wanted is the state then, without the
 * padding that a digest ends with.
 */
static int lmk_iv(const struct volume *v, uint64_t n, const uint8_t *data, uint8_t *iv)
{
	uint8_t number[16] = { 0 };
	MD5_CTX md5;

	store_le(number, (n & 0x00ffffffffffffffULL) | 0x8000000000000000ULL, 8);
	store_le(number + 8, 4024, 4);
	if (!MD5_Init(&md5) ||
	    (v->lmk_seeded && !MD5_Update(&md5, v->lmk_seed, sizeof(v->lmk_seed))) ||
	    !MD5_Update(&md5, data + 16, MIN_SECTOR_SIZE - 16) ||
	    !MD5_Update(&md5, number, sizeof(number)))
		return crypto_error("MD5");
	store_le(iv, md5.A, 4);
	store_le(iv + 4, md5.B, 4);
	store_le(iv + 8, md5.C, 4);
	store_le(iv + 12, md5.D, 4);
	OPENSSL_cleanse(&md5, sizeof(md5));
	return EXIT_OK;
}

/* CRC-32 of Ethernet, but starting from 0 and not inverted at the end */
static uint32_t crc32_bare(const uint8_t *p, size_t len)
{
	uint32_t crc = 0;
	unsigned int bit;

	while (len--) {
		crc ^= *p++;
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return crc;
}

static void tcw_iv(const struct volume *v, uint64_t n, uint8_t *iv)
{
	uint8_t number[16];

	store_le(number, n, 8);
	store_le(number + 8, n, 8);
	memcpy(iv, v->tcw_seed, v->keys[0].iv_size);
	xor_into(iv, number, v->keys[0].iv_size);
}

/*
 * TrueCrypt: 16 bytes of key, with the sector's number mixed into both halves,
 * become four checksums; the first with the last and the middle two give the 8
 * bytes that the encrypted sector is masked with.
 */
static void tcw_whiten(const struct volume *v, uint64_t n, uint8_t *data)
{
	uint8_t w[16], number[8];
	unsigned int i;

	memcpy(w, v->tcw_whitening, sizeof(w));
	store_le(number, n, 8);
	xor_into(w, number, 8);
	xor_into(w + 8, number, 8);
	for (i = 0; i < 4; i++)
		store_le(w + 4 * i, crc32_bare(w + 4 * i, 4), 4);
	xor_into(w, w + 12, 4);
	xor_into(w + 4, w + 8, 4);
	for (i = 0; i < MIN_SECTOR_SIZE; i += 8)
		xor_into(data + i, w, 8);
	OPENSSL_cleanse(w, sizeof(w));
}

/*
 * BitLocker: a block of zeros, encrypted like data with the sector's byte offset
 * for an IV; in CBC that is the offset, encrypted.  The offset is the IV number
 * times the sector size, so it is in bytes for 512-byte sectors and with
 * iv_large_sectors, and eight times too far for 4096-byte sectors without.
 */
static int eboiv_iv(struct volume *v, uint64_t n, uint8_t *iv)
{
	static const uint8_t zeros[MAX_BLOCK];
	uint8_t offset[MAX_BLOCK] = { 0 };

	store_le(offset, n * v->layout.sector_size, 8);
	return engine_run(&v->iv_key, offset, zeros, iv, v->iv_key.iv_size);
}

static uint32_t rotate_left(uint32_t x, unsigned int by)
{
	return by ? x << by | x >> (32 - by) : x;
}

/*
 * Both diffusers add to each word of a sector a mix of two others: for A these
 * are 2 and 5 words before, for B as far behind, around the sector's end.  To
 * undo it, walk backwards and subtract.
 */
static void diffuse(uint32_t *d, unsigned int words, bool b, bool undo)
{
	static const unsigned int turns[2][4] = { { 9, 0, 13, 0 }, { 0, 10, 0, 25 } };
	unsigned int rounds = b ? 3 : 5, near = b ? 2 : words - 2, far = b ? 5 : words - 5;
	unsigned int k, i;
	uint32_t mix;

	for (k = 0; k < rounds * words; k++) {
		i = undo ? words - 1 - k % words : k % words;
		mix = d[(i + near) % words] ^ rotate_left(d[(i + far) % words], turns[b][i % 4]);
		d[i] += undo ? -mix : mix;
	}
}

/*
 * BitLocker's Elephant works on the data before CBC encrypts it: mask it with a
 * sector key of 32 bytes, then undo diffuser A, then B.
 */
static int elephant(struct volume *v, uint64_t n, uint8_t *data)
{
	unsigned int size = v->layout.sector_size, words = size / 4, i;
	uint8_t number[16] = { 0 }, key[32];
	uint32_t d[MAX_SECTOR_SIZE / 4];
	int ret;

	store_le(number, n * size, 8);
	ret = run_ctx(v->elephant, NULL, number, key, 16);
	number[15] = 0x80;
	if (!ret)
		ret = run_ctx(v->elephant, NULL, number, key + 16, 16);
	if (ret)
		return ret;

	for (i = 0; v->encrypt && i < size; i += sizeof(key))
		xor_into(data + i, key, sizeof(key));
	for (i = 0; i < words; i++)
		d[i] = load_le32(data + 4 * i);
	diffuse(d, words, !v->encrypt, v->encrypt);
	diffuse(d, words, v->encrypt, v->encrypt);
	for (i = 0; i < words; i++)
		store_le(data + 4 * i, d[i], 4);
	for (i = 0; !v->encrypt && i < size; i += sizeof(key))
		xor_into(data + i, key, sizeof(key));
	OPENSSL_cleanse(key, sizeof(key));
	OPENSSL_cleanse(d, sizeof(d));
	return EXIT_OK;
}

/* What the generator makes; data is the sector's plaintext, only lmk looks at it. */
static int make_iv(struct volume *v, uint64_t sector, const uint8_t *data, uint8_t *iv)
{
	unsigned int size = v->keys[0].iv_size, unit, shift = 0;
	uint64_t n = iv_sector(v, sector);

	memset(iv, 0, MAX_BLOCK);
	switch (v->spec.gen) {
	case IV_NONE:
	case IV_NULL:
	case IV_RANDOM:
		break;
	case IV_PLAIN:
		store_le(iv, n & UINT32_MAX, 4);
		break;
	case IV_PLAIN64:
		store_le(iv, n, 8);
		break;
	case IV_PLAIN64BE:
		store_be64(iv + size - 8, n);
		break;
	case IV_BENBI:
		/*
		 * Counts narrow blocks, from 1, in 512-byte sectors whatever
		 * the sector size.  The block of what is made of a stream
		 * cipher is one byte.
		 */
		unit = v->spec.cipher->block;
		if (v->spec.mode == MODE_CTR || v->spec.mode == MODE_GCM)
			unit = 1;
		for (; unit < 512; unit *= 2)
			shift++;
		store_be64(iv + size - 8, (n << shift) + 1);
		break;
	case IV_LMK:
		return lmk_iv(v, n, data, iv);
	case IV_TCW:
		tcw_iv(v, n, iv);
		break;
	case IV_EBOIV:
	case IV_ELEPHANT:
		return eboiv_iv(v, n, iv);
	}
	return EXIT_OK;
}

int volume_iv(struct volume *v, uint64_t sector, const uint8_t *data, uint8_t *iv)
{
	int ret = make_iv(v, sector, data, iv);

	return ret ? ret : engine_essiv(engine_of(v, sector), iv);
}

/*
 * One sector, in place.  meta is its tag, then its IV if that is stored: to
 * encrypt, the caller has put the IV there.
 */
int volume_sector(struct volume *v, uint64_t sector, uint8_t *data, uint8_t *meta)
{
	struct engine *e = engine_of(v, sector);
	uint64_t n = iv_sector(v, sector);
	uint8_t iv[MAX_BLOCK] = { 0 }, aad[8 + MAX_BLOCK];
	int ret = EXIT_OK;

	/* To decrypt, lmk needs the plaintext first: done without, corrected below. */
	if (v->stored_iv)
		memcpy(iv, meta + v->tag_size, v->stored_iv);
	else if (v->spec.gen != IV_LMK || v->encrypt)
		ret = make_iv(v, sector, data, iv);
	if (!ret && v->spec.gen == IV_ELEPHANT && v->encrypt)
		ret = elephant(v, n, data);
	else if (v->spec.gen == IV_TCW && !v->encrypt)
		tcw_whiten(v, n, data);
	if (!ret)
		ret = engine_essiv(e, iv);
	if (ret)
		return ret;

	if (v->tag_size) {
		/* Not the IV's number: neither iv_offset nor large sectors count. */
		store_le(aad, sector, 8);
		memcpy(aad + 8, iv, e->iv_size);
		ret = run_aead(v, iv, aad, 8 + e->iv_size, data, v->layout.sector_size, meta);
	} else {
		ret = engine_run(e, iv, data, data, v->layout.sector_size);
	}
	if (ret)
		return ret;

	if (v->spec.gen == IV_LMK && !v->encrypt) {
		ret = lmk_iv(v, n, data, iv);
		xor_into(data, iv, e->iv_size);
	} else if (v->spec.gen == IV_TCW && v->encrypt) {
		tcw_whiten(v, n, data);
	} else if (v->spec.gen == IV_ELEPHANT && !v->encrypt) {
		ret = elephant(v, n, data);
	}
	return ret;
}

/* The first key's cipher alone, for published vectors. */
int volume_raw(struct volume *v, uint8_t *iv, const uint8_t *aad, size_t aad_len, uint8_t *data,
	       size_t len, uint8_t *tag)
{
	int ret = engine_essiv(&v->keys[0], iv);

	if (ret)
		return ret;
	if (v->tag_size)
		return run_aead(v, iv, aad, aad_len, data, len, tag);
	return engine_run(&v->keys[0], iv, data, data, len);
}

/*
 * Setting up a volume: where the parts of the key are.
 */

static int check_layout(const struct volume *v)
{
	const struct layout *l = &v->layout;
	unsigned int mask;

	if (l->sector_size < MIN_SECTOR_SIZE || l->sector_size > MAX_SECTOR_SIZE ||
	    (l->sector_size & (l->sector_size - 1)))
		return usage_error("sector size %u is not possible; use 512, 1024, 2048 or 4096",
				   l->sector_size);
	mask = (l->sector_size >> SECTOR_SHIFT) - 1;
	if (mask && (v->spec.gen == IV_LMK || v->spec.gen == IV_TCW))
		return usage_error("lmk and tcw know 512-byte sectors only; drop --sector-size");
	if (l->iv_offset & mask)
		return usage_error("iv_offset %" PRIu64 " is inside a %u-byte sector, which dm-crypt refuses; use a multiple of %u",
				   l->iv_offset, l->sector_size, mask + 1);
	if (l->start_sector & mask)
		return usage_error("start sector %" PRIu64 " is inside a %u-byte sector; use a multiple of %u",
				   l->start_sector, l->sector_size, mask + 1);
	return EXIT_OK;
}

static int mac_size(const struct spec *spec, unsigned int *size)
{
	EVP_MD *md;

	*size = 0;
	if (!spec->mac)
		return EXIT_OK;
	md = EVP_MD_fetch(NULL, spec->mac, NULL);
	if (!md)
		return crypto_error(spec->mac);
	*size = (unsigned int)EVP_MD_get_size(md);
	EVP_MD_free(md);
	return EXIT_OK;
}

static int set_metadata(struct volume *v, const struct metadata *meta, unsigned int digest)
{
	unsigned int tag = meta->size, max = v->spec.mac ? digest : 16;

	v->stored_iv = v->spec.gen == IV_RANDOM ? spec_iv_size(&v->spec) : 0;
	if (!spec_is_aead(&v->spec)) {
		if (meta->aead)
			return usage_error("%s without authenc, gcm or rfc7539 makes no tags; use --integrity N:none with random, or drop it",
					   v->spec.cipher->name);
		if (meta->size != v->stored_iv)
			return usage_error("there are %u bytes of metadata to a sector; correct --integrity",
					   v->stored_iv);
		return EXIT_OK;
	}
	if (!meta->aead || tag <= v->stored_iv)
		return usage_error("the tag and, with random, %u bytes of IV need a place; add --integrity N:aead",
				   spec_iv_size(&v->spec));
	tag -= v->stored_iv;
	if (tag > max || (v->spec.mode == MODE_CHACHAPOLY && tag != 16) ||
	    (v->spec.mode == MODE_GCM && tag != 4 && tag != 8 && tag < 12))
		return usage_error("a tag of %u bytes is not possible; correct --integrity: the tag is 1 to %u bytes (gcm: 4, 8, 12 to 16; rfc7539: 16)",
				   tag, max);
	v->tag_size = tag;
	return EXIT_OK;
}

/* The whole key's size if each cipher key had that many bytes */
static size_t whole_key(const struct volume *v, size_t subkey, bool lmk_seed)
{
	if (v->spec.gen == IV_ELEPHANT)
		return 2 * v->spec.keys * subkey;
	return (v->spec.keys + lmk_seed) * subkey + v->mac_key_size +
	       (v->spec.gen == IV_TCW ? spec_iv_size(&v->spec) + sizeof(v->tcw_whitening) : 0);
}

static int bad_key_size(const struct volume *v, size_t key_len)
{
	const struct cipher *cipher = v->spec.cipher;
	unsigned int factor = v->spec.mode == MODE_XTS ? 2 : 1, i;
	char sizes[128] = "";
	size_t used = 0;

	for (i = 0; i < ARRAY_SIZE(cipher->sizes); i++) {
		if (!cipher->sizes[i].evp)
			break;
		used += (size_t)snprintf(sizes + used, sizeof(sizes) - used, "%s%zu", i ? " or " : "",
					 2 * whole_key(v, cipher->sizes[i].key_size * factor, false));
	}
	return usage_error("a key of %zu bytes does not fit %s in this mode; give %s hex digits with --key",
			   key_len, cipher->name, sizes);
}

int volume_open(struct volume *v, const struct spec *spec, const struct layout *layout,
		const struct metadata *meta, const uint8_t *key, size_t key_len, bool encrypt,
		bool xts_from_ecb)
{
	size_t extra = 0, subkey;
	const uint8_t *tail;
	unsigned int digest, i;
	const char *base;
	int ret;

	memset(v, 0, sizeof(*v));
	v->spec = *spec;
	v->layout = *layout;
	v->encrypt = encrypt;
	ret = check_layout(v);
	if (!ret)
		ret = mac_size(spec, &digest);
	if (!ret)
		ret = set_metadata(v, meta, digest);
	if (ret)
		return ret;
	if (meta->mac_key && !spec->mac)
		return usage_error("there is no MAC to have a key; drop --integrity-key-size");
	v->mac_key_size = meta->mac_key ? meta->mac_key : digest;

	/*
	 * Behind the cipher's keys: Elephant's, of the same size; Loop-AES's
	 * seed, one key more, if they are no multiple of the number of keys;
	 * TrueCrypt's IV and whitening; the MAC's.
	 */
	if (spec->gen == IV_ELEPHANT)
		extra = key_len / 2;
	else if (spec->gen == IV_LMK && key_len % spec->keys)
		extra = key_len / (spec->keys + 1);
	else if (spec->gen == IV_TCW)
		extra = spec_iv_size(spec) + sizeof(v->tcw_whitening);
	else if (spec->mac)
		extra = v->mac_key_size;
	subkey = key_len > extra ? (key_len - extra) / spec->keys : 0;
	base = evp_base(spec->cipher, spec->mode == MODE_XTS ? subkey / 2 : subkey);
	if (!base || subkey * spec->keys + extra != key_len || (spec->mode == MODE_XTS && subkey % 2))
		return bad_key_size(v, key_len);
	tail = key + key_len - extra;

	switch (spec->gen) {
	case IV_LMK:
		v->lmk_seeded = extra;
		/* 16 bytes of the seed count, zeros fill up. */
		if (extra)
			memcpy(v->lmk_seed, tail, 16);
		break;
	case IV_TCW:
		memcpy(v->tcw_seed, tail, spec_iv_size(spec));
		memcpy(v->tcw_whitening, tail + spec_iv_size(spec), sizeof(v->tcw_whitening));
		break;
	case IV_ELEPHANT:
		base = extra == 16 ? "AES-128" : extra == 24 ? "AES-192" : "AES-256";
		if (extra > 32)
			return usage_error("elephant's key is AES's, so half of the whole must be 16, 24 or 32 bytes; shorten --key");
		ret = new_ctx(&v->elephant, base, "ECB", tail, true);
		break;
	default:
		if (spec->mac)
			memcpy(v->mac_key, tail, extra);
	}

	if (!ret && (spec->gen == IV_EBOIV || spec->gen == IV_ELEPHANT))
		ret = engine_init(&v->iv_key, spec, key, subkey, 0, true, xts_from_ecb);
	for (i = 0; !ret && i < spec->keys; i++)
		ret = engine_init(&v->keys[i], spec, key + i * subkey, subkey,
				  spec->mac ? extra : 0, encrypt, xts_from_ecb);
	if (ret)
		volume_close(v);
	return ret;
}

void volume_close(struct volume *v)
{
	unsigned int i;

	for (i = 0; i < MAX_KEYS; i++)
		engine_free(&v->keys[i]);
	engine_free(&v->iv_key);
	EVP_CIPHER_CTX_free(v->elephant);
	OPENSSL_cleanse(v, sizeof(*v));
}
