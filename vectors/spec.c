// SPDX-License-Identifier: GPL-2.0-only
/*
 * spec.c - dm-crypt's cipher specification: what it names, and whether it fits
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "icvec.h"

#define MAX_SPEC		128U

static const struct cipher ciphers[] = {
	{ "aes", 16, { { 16, "AES-128" }, { 24, "AES-192" }, { 32, "AES-256" } } },
	{ "camellia", 16, { { 16, "CAMELLIA-128" }, { 24, "CAMELLIA-192" },
			    { 32, "CAMELLIA-256" } } },
	{ "aria", 16, { { 16, "ARIA-128" }, { 24, "ARIA-192" }, { 32, "ARIA-256" } } },
	{ "sm4", 16, { { 16, "SM4" } } },
	{ "des3_ede", 8, { { 24, "DES-EDE3" } } },
};

/* Both names in one, since neither goes without the other here. */
static const struct cipher chachapoly = {
	"chacha20,poly1305", 1, { { 32, "ChaCha20-Poly1305" } }
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
	{ "gcm", MODE_GCM },
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
	{ "lmk", IV_LMK },
	{ "tcw", IV_TCW },
	{ "eboiv", IV_EBOIV },
	{ "elephant", IV_ELEPHANT },
	{ "random", IV_RANDOM },
};

int find_cipher(const char *name, const struct cipher **out)
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

int find_mode(const char *name, enum mode *out)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		if (!strcmp(name, modes[i].name)) {
			*out = modes[i].mode;
			return EXIT_OK;
		}
	}
	return usage_error("mode '%s' is not covered; use xts, cbc, ecb, ctr or gcm, or compare with dm-crypt itself",
			   name);
}

int find_hash(const char *name, const char **evp, const char **own)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(hashes); i++) {
		if (!strcmp(name, hashes[i].name)) {
			*evp = hashes[i].evp;
			*own = hashes[i].name;
			return EXIT_OK;
		}
	}
	return usage_error("digest '%s' is not covered; use sha256, sha1, sha512, sha3-256, sm3 or md5",
			   name);
}

bool spec_is_aead(const struct spec *spec)
{
	return spec->mac || spec->mode == MODE_GCM || spec->mode == MODE_CHACHAPOLY;
}

unsigned int spec_iv_size(const struct spec *spec)
{
	switch (spec->mode) {
	case MODE_ECB:
		return 0;
	case MODE_GCM:
	case MODE_CHACHAPOLY:
		return 12;
	default:
		return spec->cipher->block;
	}
}

/* Is s "NAME(...)"?  Then cut off both ends and return what is inside. */
static char *inside(char *s, const char *name)
{
	size_t len = strlen(s), n = strlen(name);

	if (strncmp(s, name, n) || s[n] != '(' || s[len - 1] != ')')
		return NULL;
	s[len - 1] = '\0';
	return s + n + 1;
}

/* "hmac(DIGEST),MODE(CIPHER)" */
static int parse_authenc(char *s, struct spec *spec)
{
	char *rest = strchr(s, ','), *hash;
	int ret;

	if (rest)
		*rest++ = '\0';
	hash = rest ? inside(s, "hmac") : NULL;
	if (!hash)
		return usage_error("cannot read the inside of authenc(...); write authenc(hmac(sha256),xts(aes))");
	ret = find_hash(hash, &spec->mac, &spec->mac_name);
	return ret ? ret : parse_api_name(rest, spec);
}

/*
 * MODE(CIPHER), essiv(MODE(CIPHER),DIGEST), authenc(hmac(DIGEST),MODE(CIPHER))
 * or rfc7539(chacha20,poly1305); s is cut up in place.
 */
int parse_api_name(char *s, struct spec *spec)
{
	char *hash, *in;
	int ret;

	in = inside(s, "essiv");
	if (in) {
		if (spec->hash)
			return usage_error("ESSIV is asked for twice; drop either essiv(...) or the -essiv:DIGEST ending");
		hash = strrchr(in, ',');
		if (!hash)
			return usage_error("cannot read 'essiv(%s'; write essiv(cbc(aes),sha256)",
					   in);
		*hash++ = '\0';
		ret = find_hash(hash, &spec->hash, &spec->hash_name);
		if (!ret)
			ret = parse_api_name(in, spec);
		/* It looks for the MAC's name at the start, and finds none. */
		if (!ret && spec->mac)
			ret = usage_error("dm-crypt takes no essiv(authenc(...)); end the specification with -essiv:DIGEST instead");
		return ret;
	}

	in = inside(s, "authenc");
	if (in && !spec->mac)
		return parse_authenc(in, spec);

	in = inside(s, "rfc7539");
	if (in) {
		if (strcmp(in, chachapoly.name))
			return usage_error("cannot read the inside of rfc7539(...); write rfc7539(chacha20,poly1305)");
		spec->mode = MODE_CHACHAPOLY;
		spec->cipher = &chachapoly;
		return EXIT_OK;
	}

	in = strchr(s, '(');
	if (!in || s[strlen(s) - 1] != ')')
		return usage_error("cannot read '%s'; write MODE(CIPHER), as in capi:xts(aes)-plain64",
				   s);
	*in++ = '\0';
	in[strlen(in) - 1] = '\0';
	ret = find_mode(s, &spec->mode);
	return ret ? ret : find_cipher(in, &spec->cipher);
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
		return find_hash(opts, &spec->hash, &spec->hash_name);
	}
	if (opts)
		return usage_error("IV '%s' takes no option; drop ':%s'", iv, opts);
	for (i = 0; i < ARRAY_SIZE(ivgens); i++) {
		if (!strcmp(iv, ivgens[i].name)) {
			spec->gen = ivgens[i].gen;
			return EXIT_OK;
		}
	}
	return usage_error("IV '%s' is not covered; use plain, plain64, plain64be, essiv:DIGEST, benbi, null, lmk, tcw, eboiv, elephant or random",
			   iv);
}

int check_spec(const struct spec *spec)
{
	bool foreign = spec->gen == IV_LMK || spec->gen == IV_TCW ||
		       spec->gen == IV_EBOIV || spec->gen == IV_ELEPHANT;

	if ((spec->mode == MODE_XTS || spec->mode == MODE_GCM) && spec->cipher->block != 16)
		return usage_error("xts and gcm need a cipher with 16-byte blocks; use cbc or ecb with %s",
				   spec->cipher->name);
	if (spec->hash && spec->mode == MODE_ECB)
		return usage_error("essiv needs a mode with an IV; use cbc instead of ecb");
	if (spec->hash && (spec->mode == MODE_GCM || spec->mode == MODE_CHACHAPOLY))
		return usage_error("essiv takes no gcm or rfc7539; use plain64 or random");
	if (spec->mac && (spec->mode == MODE_GCM || spec->mode == MODE_CHACHAPOLY))
		return usage_error("authenc takes no AEAD; use xts, cbc, ctr or ecb in it");
	if (spec->mac && spec->mode == MODE_ECB)
		return usage_error("authenc over ecb is not covered; use xts or cbc");
	if (foreign && (spec->hash || spec_is_aead(spec)))
		return usage_error("lmk, tcw, eboiv and elephant are covered over plain ciphers only; use plain64 or random");
	/* Its way back is that of CBC: one block differs by the IV. */
	if (spec->gen == IV_LMK && spec->mode != MODE_CBC)
		return usage_error("lmk is covered with cbc only; write aes:64-cbc-lmk");
	if ((spec->gen == IV_EBOIV || spec->gen == IV_ELEPHANT) && spec->mode == MODE_CTR)
		return usage_error("eboiv and elephant need IVs of one block, and ctr's block is a byte; use cbc");
	return EXIT_OK;
}

/* "CIPHER:COUNT": cut off the count */
static int parse_key_count(char *s, struct spec *spec)
{
	char *count = strchr(s, ':'), *end;
	unsigned long n;

	if (!count)
		return EXIT_OK;
	*count++ = '\0';
	n = strtoul(count, &end, 10);
	if (*count < '0' || *count > '9' || *end || !n || n > MAX_KEYS || (n & (n - 1)))
		return usage_error("'%s' is no number of keys; use a power of two up to %u",
				   count, MAX_KEYS);
	spec->keys = (unsigned int)n;
	return EXIT_OK;
}

/*
 * The two notations of dm-crypt:
 *   CIPHER[:COUNT][-MODE[-IV[:OPTION]]]	"aes" and "aes-plain" mean aes-cbc-plain
 *   capi:NAME[-IV[:OPTION]]			NAME as the kernel's crypto API has it
 */
int parse_spec(const char *text, struct spec *spec)
{
	static const char capi[] = "capi:";
	char buf[MAX_SPEC], *s = buf, *iv = NULL, *opts = NULL, *mode;
	int ret;

	memset(spec, 0, sizeof(*spec));
	spec->keys = 1;
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
		/* This notation cannot name a number, and Loop-AES has 64. */
		if (iv && !strcmp(iv, "lmk"))
			spec->keys = 64;
		ret = *s ? parse_api_name(s, spec) : usage_error("nothing follows capi:; write MODE(CIPHER), as in capi:xts(aes)-plain64");
	} else {
		if (strchr(s, '('))
			return usage_error("'%s' is in the crypto API's form; put capi: before it", s);
		mode = strchr(s, '-');
		if (mode)
			*mode++ = '\0';
		ret = parse_key_count(s, spec);
		if (ret)
			return ret;
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
		if (!ret && spec->mode == MODE_GCM)
			ret = usage_error("dm-crypt takes gcm in the crypto API's form only; write capi:gcm(aes)-random");
	}
	if (!ret)
		ret = parse_iv(iv, opts, spec);
	return ret ? ret : check_spec(spec);
}
