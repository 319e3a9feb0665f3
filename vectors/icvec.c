// SPDX-License-Identifier: GPL-2.0-only
/*
 * icvec - what an encryption target with dm-crypt's on-disk format must write
 *
 * Given a cipher specification in dm-crypt's notation, a key, an IV offset and
 * a sector layout, this turns plaintext into the bytes that belong on the disk,
 * and back.  The block ciphers, the digests and AES-XTS come from OpenSSL's
 * libcrypto; the IV rules are written here from their description.  No kernel
 * code takes part, so agreement with the kernel means something.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))

#define SECTOR_SHIFT		9
#define MIN_SECTOR_SIZE		512U
#define MAX_SECTOR_SIZE		4096U
#define MAX_BLOCK		16U
#define MAX_KEY			64U
#define MAX_RAW			(1U << 20)
#define MAX_SPEC		128U

enum {
	EXIT_OK = 0,
	EXIT_FAILED = 1,	/* libcrypto or I/O failed */
	EXIT_USAGE = 2,		/* the caller has to change something */
};

enum mode { MODE_ECB, MODE_CBC, MODE_CTR, MODE_XTS };

enum ivgen {
	IV_NONE,
	IV_PLAIN,
	IV_PLAIN64,
	IV_PLAIN64BE,
	IV_BENBI,
	IV_NULL,
};

/* One block cipher; names[] are libcrypto's, by key size. */
struct cipher {
	const char *name;
	unsigned int block;
	struct {
		unsigned int key_size;
		const char *evp;
	} sizes[3];
};

static const struct cipher ciphers[] = {
	{ "aes", 16, { { 16, "AES-128" }, { 24, "AES-192" }, { 32, "AES-256" } } },
	{ "camellia", 16, { { 16, "CAMELLIA-128" }, { 24, "CAMELLIA-192" },
			    { 32, "CAMELLIA-256" } } },
	{ "aria", 16, { { 16, "ARIA-128" }, { 24, "ARIA-192" }, { 32, "ARIA-256" } } },
	{ "sm4", 16, { { 16, "SM4" } } },
	{ "des3_ede", 8, { { 24, "DES-EDE3" } } },
};

/* Digests by the kernel's name; which of them fit a cipher is checked later. */
static const struct {
	const char *name;
	const char *evp;
} hashes[] = {
	{ "md5", "MD5" },
	{ "sha1", "SHA1" },
	{ "sha224", "SHA2-224" },
	{ "sha256", "SHA2-256" },
	{ "sha384", "SHA2-384" },
	{ "sha512", "SHA2-512" },
	{ "sha3-256", "SHA3-256" },
	{ "sm3", "SM3" },
};

static const struct {
	const char *name;
	enum mode mode;
} modes[] = {
	{ "ecb", MODE_ECB },
	{ "cbc", MODE_CBC },
	{ "ctr", MODE_CTR },
	{ "xts", MODE_XTS },
};

static const struct {
	const char *name;
	enum ivgen gen;
} ivgens[] = {
	{ "plain", IV_PLAIN },
	{ "plain64", IV_PLAIN64 },
	{ "plain64be", IV_PLAIN64BE },
	{ "benbi", IV_BENBI },
	{ "null", IV_NULL },
};

struct spec {
	const struct cipher *cipher;
	enum mode mode;
	enum ivgen gen;
	const char *hash;	/* libcrypto's digest name, NULL: no ESSIV */
	const char *hash_name;	/* as the caller knows it */
};

/* A keyed transform for one direction. */
struct engine {
	EVP_CIPHER_CTX *data;
	EVP_CIPHER_CTX *tweak;	/* XTS built from ECB: encrypts the IV */
	EVP_CIPHER_CTX *essiv;
	unsigned int block;
	enum mode mode;
};

struct layout {
	uint64_t iv_offset;
	uint64_t start_sector;
	unsigned int sector_size;
	bool iv_large_sectors;
};

struct options {
	const char *cipher;
	const char *mode;
	const char *essiv;
	const char *in;
	const char *seed;
	uint64_t bytes;
	uint64_t count;
	struct layout layout;
	uint8_t key[MAX_KEY];
	size_t key_len;
	bool have_key;
	uint8_t iv[MAX_BLOCK];
	size_t iv_len;
	bool have_iv;
	bool have_bytes;
	bool decrypt;
	bool xts_from_ecb;
};

__attribute__((format(printf, 1, 2)))
static int usage_error(const char *fmt, ...)
{
	va_list ap;

	fputs("icvec: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return EXIT_USAGE;
}

static int crypto_error(const char *what)
{
	char buf[256];
	unsigned long err = ERR_get_error();

	if (err) {
		ERR_error_string_n(err, buf, sizeof(buf));
		fprintf(stderr, "icvec: libcrypto: %s: %s; see that the OpenSSL 3 default provider is enabled\n",
			what, buf);
	} else {
		fprintf(stderr, "icvec: libcrypto: %s failed; see that the OpenSSL 3 default provider is enabled\n",
			what);
	}
	return EXIT_FAILED;
}

static int io_error(const char *what)
{
	fprintf(stderr, "icvec: %s: %s; check the redirection and the free space\n",
		what, strerror(errno));
	return EXIT_FAILED;
}

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

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Returns the number of bytes, or -1 if it is not hex or does not fit. */
static long parse_hex(const char *s, uint8_t *out, size_t max)
{
	size_t len = strlen(s), i;
	int hi, lo;

	if (len % 2 || len / 2 > max)
		return -1;
	for (i = 0; i < len / 2; i++) {
		hi = hex_digit(s[2 * i]);
		lo = hex_digit(s[2 * i + 1]);
		if (hi < 0 || lo < 0)
			return -1;
		out[i] = (uint8_t)(hi << 4 | lo);
	}
	return (long)(len / 2);
}

static void print_hex(const uint8_t *p, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		printf("%02x", p[i]);
}

static bool parse_u64(const char *s, uint64_t *out)
{
	uint64_t v = 0;

	if (!*s)
		return false;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return false;
		if (__builtin_mul_overflow(v, (uint64_t)10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*s - '0'), &v))
			return false;
	}
	*out = v;
	return true;
}

/* Names to table entries, each with its own message. */

static int find_cipher(const char *name, const struct cipher **out)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ciphers); i++) {
		if (!strcmp(name, ciphers[i].name)) {
			*out = &ciphers[i];
			return EXIT_OK;
		}
	}
	return usage_error("cipher '%s' is not in libcrypto; use aes, camellia, aria, sm4 or des3_ede, or compare with dm-crypt itself",
			   name);
}

static int find_mode(const char *name, enum mode *out)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		if (!strcmp(name, modes[i].name)) {
			*out = modes[i].mode;
			return EXIT_OK;
		}
	}
	return usage_error("mode '%s' is not covered; use xts, cbc, ecb or ctr, or compare with dm-crypt itself",
			   name);
}

static int find_hash(const char *name, struct spec *spec)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(hashes); i++) {
		if (!strcmp(name, hashes[i].name)) {
			spec->hash = hashes[i].evp;
			spec->hash_name = hashes[i].name;
			return EXIT_OK;
		}
	}
	return usage_error("ESSIV digest '%s' is not covered; use sha256, sha3-256, sm3 or md5", name);
}

/* "mode(cipher)" or "essiv(mode(cipher),digest)"; s is cut up in place. */
static int parse_api_name(char *s, struct spec *spec)
{
	static const char wrap[] = "essiv(";
	size_t len = strlen(s);
	char *hash, *open;
	int ret;

	if (!strncmp(s, wrap, sizeof(wrap) - 1)) {
		if (spec->hash)
			return usage_error("ESSIV is asked for twice; drop either essiv(...) or the -essiv:DIGEST ending");
		hash = strrchr(s, ',');
		if (!hash || s[len - 1] != ')')
			return usage_error("cannot read '%s'; write essiv(cbc(aes),sha256)", s);
		s[len - 1] = '\0';
		*hash++ = '\0';
		ret = find_hash(hash, spec);
		if (ret)
			return ret;
		s += sizeof(wrap) - 1;
		len = strlen(s);
	}

	open = strchr(s, '(');
	if (!open || !len || s[len - 1] != ')')
		return usage_error("cannot read '%s'; write MODE(CIPHER), as in capi:xts(aes)-plain64",
				   s);
	s[len - 1] = '\0';
	*open++ = '\0';
	ret = find_mode(s, &spec->mode);
	return ret ? ret : find_cipher(open, &spec->cipher);
}

static int parse_iv(const char *iv, const char *opts, struct spec *spec)
{
	size_t i;

	/* ECB takes no IV: dm-crypt warns and goes on without the generator. */
	if (spec->mode == MODE_ECB && !spec->hash && (!iv || strcmp(iv, "essiv"))) {
		spec->gen = IV_NONE;
		return EXIT_OK;
	}
	if (!iv)
		return usage_error("the cipher specification names no IV; add one, as in aes-cbc-plain64");
	if (!strcmp(iv, "essiv")) {
		if (spec->hash)
			return usage_error("ESSIV is asked for twice; drop either essiv(...) or the -essiv:DIGEST ending");
		if (!opts)
			return usage_error("essiv needs a digest; write essiv:sha256");
		spec->gen = IV_PLAIN64;
		return find_hash(opts, spec);
	}
	if (opts)
		return usage_error("IV '%s' takes no option; drop ':%s'", iv, opts);
	for (i = 0; i < ARRAY_SIZE(ivgens); i++) {
		if (!strcmp(iv, ivgens[i].name)) {
			spec->gen = ivgens[i].gen;
			return EXIT_OK;
		}
	}
	return usage_error("IV '%s' is not covered; use plain, plain64, plain64be, essiv:DIGEST, benbi or null",
			   iv);
}

static int check_spec(const struct spec *spec)
{
	if (spec->mode == MODE_XTS && spec->cipher->block != 16)
		return usage_error("xts needs a cipher with 16-byte blocks; use cbc or ecb with %s",
				   spec->cipher->name);
	if (spec->hash && spec->mode == MODE_ECB)
		return usage_error("essiv needs a mode with an IV; use cbc instead of ecb");
	return EXIT_OK;
}

/*
 * The two notations of dm-crypt:
 *   CIPHER[-MODE[-IV[:OPTION]]]	"aes" and "aes-plain" mean aes-cbc-plain
 *   capi:NAME[-IV[:OPTION]]		NAME as the kernel's crypto API has it
 */
static int parse_spec(const char *text, struct spec *spec)
{
	static const char capi[] = "capi:";
	char buf[MAX_SPEC], *s = buf, *iv = NULL, *opts = NULL, *mode;
	int ret;

	memset(spec, 0, sizeof(*spec));
	if (strlen(text) >= sizeof(buf))
		return usage_error("the cipher specification is longer than %u characters; shorten it",
				   MAX_SPEC - 1);
	strcpy(buf, text);

	if (!strncmp(s, capi, sizeof(capi) - 1)) {
		s += sizeof(capi) - 1;
		opts = strrchr(s, ':');
		if (opts)
			*opts++ = '\0';
		iv = strrchr(s, '-');
		/* A dash inside the parentheses belongs to a name (sha3-256). */
		if (iv && strchr(iv, ')'))
			iv = NULL;
		if (iv)
			*iv++ = '\0';
		ret = parse_api_name(s, spec);
	} else {
		if (strchr(s, '('))
			return usage_error("'%s' is in the crypto API's form; put capi: before it", s);
		mode = strchr(s, '-');
		if (mode)
			*mode++ = '\0';
		if (strchr(s, ':'))
			return usage_error("multi-key specifications (CIPHER:COUNT) are not covered; use one key, or compare with dm-crypt itself");
		iv = mode ? strchr(mode, '-') : NULL;
		if (iv)
			*iv++ = '\0';
		opts = iv ? strchr(iv, ':') : NULL;
		if (opts)
			*opts++ = '\0';
		if (!mode || (!strcmp(mode, "plain") && !iv)) {
			mode = "cbc";
			iv = "plain";
		}
		ret = find_cipher(s, &spec->cipher);
		if (!ret)
			ret = find_mode(mode, &spec->mode);
	}
	if (!ret)
		ret = parse_iv(iv, opts, spec);
	return ret ? ret : check_spec(spec);
}

static const char *evp_base(const struct cipher *cipher, size_t key_len)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cipher->sizes); i++) {
		if (cipher->sizes[i].evp && cipher->sizes[i].key_size == key_len)
			return cipher->sizes[i].evp;
	}
	return NULL;
}

static int bad_key_size(const struct spec *spec, size_t key_len)
{
	unsigned int factor = spec->mode == MODE_XTS ? 4 : 2, i;
	char sizes[64] = "";
	size_t used = 0;

	for (i = 0; i < ARRAY_SIZE(spec->cipher->sizes); i++) {
		if (!spec->cipher->sizes[i].evp)
			break;
		used += (size_t)snprintf(sizes + used, sizeof(sizes) - used, "%s%u", i ? " or " : "",
					 spec->cipher->sizes[i].key_size * factor);
	}
	return usage_error("a key of %zu bytes does not fit %s in this mode; give %s hex digits with --key",
			   key_len, spec->cipher->name, sizes);
}

static int new_ctx(EVP_CIPHER_CTX **out, const char *base, const char *mode, const uint8_t *key,
		   bool encrypt)
{
	EVP_CIPHER_CTX *ctx;
	EVP_CIPHER *evp;
	char name[32];
	int ok;

	snprintf(name, sizeof(name), "%s-%s", base, mode);
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

/* ESSIV: the IV is encrypted by the same cipher, keyed with HASH(whole key). */
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

static int engine_init(struct engine *e, const struct spec *spec, const uint8_t *key,
		       size_t key_len, bool encrypt, bool xts_from_ecb)
{
	bool xts = spec->mode == MODE_XTS;
	size_t half = xts ? key_len / 2 : key_len;
	const char *base = evp_base(spec->cipher, half);
	const char *name = "XTS";
	int ret = EXIT_OK;

	memset(e, 0, sizeof(*e));
	e->mode = spec->mode;
	e->block = spec->cipher->block;
	if (!base || (xts && key_len % 2))
		return bad_key_size(spec, key_len);

	if (spec->mode == MODE_ECB || (xts && !use_native_xts(spec, key, half, xts_from_ecb)))
		name = "ECB";
	else if (spec->mode == MODE_CBC)
		name = "CBC";
	else if (spec->mode == MODE_CTR)
		name = "CTR";

	/* CTR runs the same way in both directions; libcrypto knows that. */
	if (xts && !strcmp(name, "ECB"))
		ret = new_ctx(&e->tweak, base, "ECB", key + half, true);
	if (!ret)
		ret = new_ctx(&e->data, base, name, key, encrypt);
	if (!ret && spec->hash)
		ret = essiv_init(e, spec, key, key_len);
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

/* iv is what the generator made; with ESSIV it is encrypted in place first. */
static int engine_run(struct engine *e, uint8_t *iv, const uint8_t *in, uint8_t *out, size_t len)
{
	int ret;

	if (e->essiv) {
		ret = run_ctx(e->essiv, NULL, iv, iv, e->block);
		if (ret)
			return ret;
	}
	if (e->tweak)
		return xts_by_ecb(e, iv, in, out, len);
	return run_ctx(e->data, e->mode == MODE_ECB ? NULL : iv, in, out, len);
}

/*
 * The IV of the sector whose first 512-byte sector has this number, counted
 * from the target's start.  Sums and shifts are modulo 2^64, as sector_t is.
 */
static void make_iv(const struct spec *spec, const struct layout *l, uint64_t sector, uint8_t *iv)
{
	unsigned int size = spec->cipher->block, unit, shift = 0;
	uint64_t n = sector + l->iv_offset;

	/* iv_offset is in 512-byte sectors too: it is added before dividing. */
	if (l->iv_large_sectors)
		n /= l->sector_size >> SECTOR_SHIFT;

	memset(iv, 0, MAX_BLOCK);
	switch (spec->gen) {
	case IV_NONE:
	case IV_NULL:
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
		 * the sector size.  A counter mode's block is one byte.
		 */
		for (unit = spec->mode == MODE_CTR ? 1 : size; unit < 512; unit *= 2)
			shift++;
		store_be64(iv + size - 8, (n << shift) + 1);
		break;
	}
}

static int check_layout(const struct layout *l)
{
	unsigned int mask;

	if (l->sector_size < MIN_SECTOR_SIZE || l->sector_size > MAX_SECTOR_SIZE ||
	    (l->sector_size & (l->sector_size - 1)))
		return usage_error("sector size %u is not possible; use 512, 1024, 2048 or 4096",
				   l->sector_size);
	mask = (l->sector_size >> SECTOR_SHIFT) - 1;
	if (l->iv_offset & mask)
		return usage_error("iv_offset %" PRIu64 " is inside a %u-byte sector, which dm-crypt refuses; use a multiple of %u",
				   l->iv_offset, l->sector_size, mask + 1);
	if (l->start_sector & mask)
		return usage_error("start sector %" PRIu64 " is inside a %u-byte sector; use a multiple of %u",
				   l->start_sector, l->sector_size, mask + 1);
	return EXIT_OK;
}

static int need_spec_and_key(const struct options *o, struct spec *spec)
{
	int ret;

	if (!o->cipher)
		return usage_error("no cipher; add --cipher, as in --cipher aes-xts-plain64");
	if (!o->have_key)
		return usage_error("no key; add --key HEX");
	ret = parse_spec(o->cipher, spec);
	return ret ? ret : check_layout(&o->layout);
}

static int convert(const struct options *o, bool encrypt)
{
	uint8_t buf[MAX_SECTOR_SIZE], iv[MAX_BLOCK];
	unsigned int size = o->layout.sector_size;
	uint64_t sector = o->layout.start_sector;
	struct engine e;
	struct spec spec;
	uint64_t done = 0;
	size_t got;
	int ret;

	ret = need_spec_and_key(o, &spec);
	if (ret)
		return ret;
	ret = engine_init(&e, &spec, o->key, o->key_len, encrypt, o->xts_from_ecb);
	if (ret)
		return ret;

	while ((got = fread(buf, 1, size, stdin)) == size) {
		make_iv(&spec, &o->layout, sector, iv);
		ret = engine_run(&e, iv, buf, buf, size);
		if (ret)
			goto out;
		if (fwrite(buf, 1, size, stdout) != size) {
			ret = io_error("writing to standard output");
			goto out;
		}
		sector += size >> SECTOR_SHIFT;
		done += size;
	}
	if (ferror(stdin))
		ret = io_error("reading standard input");
	else if (got)
		ret = usage_error("the input ends %zu bytes into a sector; give a multiple of %u bytes",
				  got, size);
	else if (!done)
		ret = usage_error("the input is empty; redirect the data to standard input");
out:
	OPENSSL_cleanse(buf, sizeof(buf));
	engine_free(&e);
	return ret;
}

static int cmd_encrypt(const struct options *o)
{
	return convert(o, true);
}

static int cmd_decrypt(const struct options *o)
{
	return convert(o, false);
}

/* The IV of each sector as the cipher mode gets it, one line a sector. */
static int cmd_iv(const struct options *o)
{
	uint64_t sector = o->layout.start_sector, i;
	uint8_t iv[MAX_BLOCK];
	struct engine e;
	struct spec spec;
	int ret;

	ret = need_spec_and_key(o, &spec);
	if (ret)
		return ret;
	ret = engine_init(&e, &spec, o->key, o->key_len, true, o->xts_from_ecb);
	if (ret)
		return ret;
	for (i = 0; i < o->count && !ret; i++) {
		make_iv(&spec, &o->layout, sector, iv);
		if (e.essiv)
			ret = run_ctx(e.essiv, NULL, iv, iv, e.block);
		if (ret)
			break;
		printf("%" PRIu64 "\t", sector);
		if (spec.gen == IV_NONE)
			putchar('-');
		else
			print_hex(iv, e.block);
		putchar('\n');
		sector += o->layout.sector_size >> SECTOR_SHIFT;
	}
	engine_free(&e);
	return ret;
}

static int raw_check_length(const struct engine *e, const struct options *o, size_t len)
{
	if (!len)
		return usage_error("--in holds no data; give at least one byte");
	if (e->mode == MODE_CTR)
		return EXIT_OK;
	if (e->mode == MODE_XTS && !e->tweak) {
		if (len >= 16)
			return EXIT_OK;
		return usage_error("xts needs at least 16 bytes; lengthen --in");
	}
	if (len % e->block)
		return usage_error("%zu bytes are no multiple of the %u-byte block; lengthen --in%s",
				   len, e->block,
				   e->tweak && !o->xts_from_ecb ? " (only AES has ciphertext stealing here)" : "");
	return EXIT_OK;
}

static int cmd_raw(const struct options *o)
{
	struct spec spec = { 0 };
	uint8_t iv[MAX_BLOCK] = { 0 };
	uint8_t *buf = NULL;
	struct engine e;
	size_t max;
	long len;
	int ret;

	if (!o->cipher || !o->mode || !o->have_key || !o->in)
		return usage_error("raw needs --mode, --cipher, --key and --in; add the missing ones");
	ret = find_cipher(o->cipher, &spec.cipher);
	if (!ret)
		ret = find_mode(o->mode, &spec.mode);
	if (!ret && o->essiv)
		ret = find_hash(o->essiv, &spec);
	if (!ret)
		ret = check_spec(&spec);
	if (ret)
		return ret;
	if (spec.mode == MODE_ECB ? o->have_iv : o->iv_len != spec.cipher->block)
		return usage_error("%s takes an IV of %u bytes; correct --iv", o->mode,
				   spec.mode == MODE_ECB ? 0 : spec.cipher->block);
	memcpy(iv, o->iv, o->iv_len);

	max = strlen(o->in) / 2;
	if (max > MAX_RAW)
		return usage_error("--in is longer than %u bytes; use the encrypt subcommand", MAX_RAW);
	ret = engine_init(&e, &spec, o->key, o->key_len, !o->decrypt, o->xts_from_ecb);
	if (ret)
		return ret;
	buf = malloc(max + 1);
	if (!buf) {
		ret = io_error("memory");
		goto out;
	}
	len = parse_hex(o->in, buf, max);
	if (len < 0)
		ret = usage_error("--in is not hex; give an even number of digits 0-9a-f");
	else
		ret = raw_check_length(&e, o, (size_t)len);
	if (!ret)
		ret = engine_run(&e, iv, buf, buf, (size_t)len);
	if (!ret) {
		print_hex(buf, (size_t)len);
		putchar('\n');
	}
	OPENSSL_cleanse(buf, max + 1);
	free(buf);
out:
	engine_free(&e);
	return ret;
}

/*
 * Test data: 8-byte words, each a bit mix of the seed's FNV-1a hash and the
 * word's index.  No two words of a file repeat, so no two sectors do.
 */
static int cmd_pattern(const struct options *o)
{
	uint64_t seed = 0xcbf29ce484222325ULL, i, w;
	const char *p;
	uint8_t word[8];
	size_t n;

	if (!o->seed || !o->have_bytes)
		return usage_error("pattern needs --seed NAME and --bytes N; add the missing one");
	for (p = o->seed; *p; p++)
		seed = (seed ^ (uint8_t)*p) * 0x100000001b3ULL;
	for (i = 0; i < o->bytes; i += n) {
		/* Each step is a bijection on 64-bit words. */
		w = seed + (i / 8 + 1) * 0x9e3779b97f4a7c15ULL;
		w = (w ^ w >> 31) * 0xd6e8feb86659fd93ULL;
		w = (w ^ w >> 29) * 0xd6e8feb86659fd93ULL;
		w ^= w >> 32;
		store_le(word, w, 8);
		n = o->bytes - i < 8 ? (size_t)(o->bytes - i) : 8;
		if (fwrite(word, 1, n, stdout) != n)
			return io_error("writing to standard output");
	}
	return EXIT_OK;
}

enum {
	OPT_CIPHER = 256,
	OPT_MODE,
	OPT_KEY,
	OPT_IV,
	OPT_IN,
	OPT_ESSIV,
	OPT_DECRYPT,
	OPT_XTS_FROM_ECB,
	OPT_IV_OFFSET,
	OPT_START_SECTOR,
	OPT_SECTOR_SIZE,
	OPT_IV_LARGE_SECTORS,
	OPT_COUNT,
	OPT_SEED,
	OPT_BYTES,
};

static const struct option long_options[] = {
	{ "cipher", required_argument, NULL, OPT_CIPHER },
	{ "mode", required_argument, NULL, OPT_MODE },
	{ "key", required_argument, NULL, OPT_KEY },
	{ "iv", required_argument, NULL, OPT_IV },
	{ "in", required_argument, NULL, OPT_IN },
	{ "essiv", required_argument, NULL, OPT_ESSIV },
	{ "decrypt", no_argument, NULL, OPT_DECRYPT },
	{ "xts-from-ecb", no_argument, NULL, OPT_XTS_FROM_ECB },
	{ "iv-offset", required_argument, NULL, OPT_IV_OFFSET },
	{ "start-sector", required_argument, NULL, OPT_START_SECTOR },
	{ "sector-size", required_argument, NULL, OPT_SECTOR_SIZE },
	{ "iv-large-sectors", no_argument, NULL, OPT_IV_LARGE_SECTORS },
	{ "count", required_argument, NULL, OPT_COUNT },
	{ "seed", required_argument, NULL, OPT_SEED },
	{ "bytes", required_argument, NULL, OPT_BYTES },
	{ NULL, 0, NULL, 0 },
};

#define BIT(opt)	(1U << ((opt) - OPT_CIPHER))
#define SECTOR_OPTS	(BIT(OPT_CIPHER) | BIT(OPT_KEY) | BIT(OPT_IV_OFFSET) | \
			 BIT(OPT_START_SECTOR) | BIT(OPT_SECTOR_SIZE) | \
			 BIT(OPT_IV_LARGE_SECTORS) | BIT(OPT_XTS_FROM_ECB))

static const struct command {
	const char *name;
	int (*run)(const struct options *o);
	unsigned int opts;
} commands[] = {
	{ "encrypt", cmd_encrypt, SECTOR_OPTS },
	{ "decrypt", cmd_decrypt, SECTOR_OPTS },
	{ "iv", cmd_iv, SECTOR_OPTS | BIT(OPT_COUNT) },
	{ "raw", cmd_raw, BIT(OPT_CIPHER) | BIT(OPT_MODE) | BIT(OPT_KEY) | BIT(OPT_IV) |
			  BIT(OPT_IN) | BIT(OPT_ESSIV) | BIT(OPT_DECRYPT) | BIT(OPT_XTS_FROM_ECB) },
	{ "pattern", cmd_pattern, BIT(OPT_SEED) | BIT(OPT_BYTES) },
};

static void print_help(FILE *f)
{
	fputs("usage: icvec encrypt|decrypt --cipher SPEC --key HEX [LAYOUT] < in > out\n"
	      "       icvec iv --cipher SPEC --key HEX [LAYOUT] [--count N]\n"
	      "       icvec raw --mode xts|cbc|ecb|ctr --cipher NAME --key HEX [--iv HEX] --in HEX\n"
	      "                 [--essiv DIGEST] [--decrypt] [--xts-from-ecb]\n"
	      "       icvec pattern --seed NAME --bytes N > out\n"
	      "LAYOUT: [--iv-offset N] [--start-sector N] [--sector-size 512|1024|2048|4096]\n"
	      "        [--iv-large-sectors] [--xts-from-ecb]\n"
	      "N of the first two is in 512-byte sectors. SPEC is dm-crypt's cipher specification,\n"
	      "as aes-xts-plain64, aes-cbc-essiv:sha256 or capi:xts(aes)-plain64.\n", f);
}

static int number(const char *name, const char *text, uint64_t *out)
{
	if (parse_u64(text, out))
		return EXIT_OK;
	return usage_error("--%s '%s' is no number from 0 to 2^64-1; give decimal digits only",
			   name, text);
}

static int set_hex(const char *name, char *text, uint8_t *out, size_t max, size_t *len)
{
	long n = parse_hex(text, out, max);

	if (n < 0)
		return usage_error("--%s is not hex of at most %zu bytes; give an even number of digits 0-9a-f",
				   name, max);
	*len = (size_t)n;
	return EXIT_OK;
}

static int set_option(struct options *o, int opt, char *arg)
{
	uint64_t v;
	int ret = EXIT_OK;

	switch (opt) {
	case OPT_CIPHER:
		o->cipher = arg;
		break;
	case OPT_MODE:
		o->mode = arg;
		break;
	case OPT_KEY:
		o->have_key = true;
		ret = set_hex("key", arg, o->key, sizeof(o->key), &o->key_len);
		/* Also keeps the key out of a later look at the process. */
		OPENSSL_cleanse(arg, strlen(arg));
		break;
	case OPT_IV:
		o->have_iv = true;
		ret = set_hex("iv", arg, o->iv, sizeof(o->iv), &o->iv_len);
		break;
	case OPT_IN:
		o->in = arg;
		break;
	case OPT_ESSIV:
		o->essiv = arg;
		break;
	case OPT_DECRYPT:
		o->decrypt = true;
		break;
	case OPT_XTS_FROM_ECB:
		o->xts_from_ecb = true;
		break;
	case OPT_IV_OFFSET:
		ret = number("iv-offset", arg, &o->layout.iv_offset);
		break;
	case OPT_START_SECTOR:
		ret = number("start-sector", arg, &o->layout.start_sector);
		break;
	case OPT_SECTOR_SIZE:
		ret = number("sector-size", arg, &v);
		if (!ret)
			o->layout.sector_size = v > MAX_SECTOR_SIZE ? 0 : (unsigned int)v;
		if (!ret && !o->layout.sector_size)
			ret = usage_error("sector size %s is not possible; use 512, 1024, 2048 or 4096",
					  arg);
		break;
	case OPT_IV_LARGE_SECTORS:
		o->layout.iv_large_sectors = true;
		break;
	case OPT_COUNT:
		ret = number("count", arg, &o->count);
		break;
	case OPT_SEED:
		o->seed = arg;
		break;
	case OPT_BYTES:
		o->have_bytes = true;
		ret = number("bytes", arg, &o->bytes);
		break;
	}
	return ret;
}

static int run_command(const struct command *cmd, struct options *o, int argc, char **argv)
{
	int opt, index = 0, ret;

	opterr = 0;
	optind = 1;
	while ((opt = getopt_long(argc, argv, "+:", long_options, &index)) != -1) {
		if (opt == ':')
			return usage_error("%s needs a value; add it after the option", argv[optind - 1]);
		if (opt < OPT_CIPHER)
			return usage_error("option %s is not known; run 'icvec --help'", argv[optind - 1]);
		if (!(cmd->opts & BIT(opt)))
			return usage_error("--%s does not apply to %s; drop it", long_options[index].name,
					   cmd->name);
		ret = set_option(o, opt, optarg);
		if (ret)
			return ret;
	}
	if (optind < argc)
		return usage_error("'%s' is not expected here; drop it, options start with --",
				   argv[optind]);
	return cmd->run(o);
}

int main(int argc, char **argv)
{
	struct options o = {
		.count = 1,
		.layout = { .sector_size = MIN_SECTOR_SIZE },
	};
	size_t i;
	int ret;

	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		print_help(stdout);
		return fflush(stdout) ? EXIT_FAILED : EXIT_OK;
	}
	if (argc < 2) {
		print_help(stderr);
		return usage_error("no subcommand; name one of those above");
	}
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		if (!strcmp(argv[1], commands[i].name))
			break;
	}
	if (i == ARRAY_SIZE(commands))
		return usage_error("subcommand '%s' is not known; use encrypt, decrypt, iv, raw or pattern",
				   argv[1]);

	ret = run_command(&commands[i], &o, argc - 1, argv + 1);
	OPENSSL_cleanse(&o, sizeof(o));
	if (!ret && fflush(stdout))
		ret = io_error("writing to standard output");
	return ret;
}
