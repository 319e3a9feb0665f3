// SPDX-License-Identifier: GPL-2.0-only
/*
 * icvec - what an encryption target with dm-crypt's on-disk format must write
 *
 * Given a cipher specification in dm-crypt's notation, a key, an IV offset and
 * a sector layout, this turns plaintext into the bytes that belong on the disk,
 * and into the tags and IVs that belong beside them, and back.  The ciphers and
 * digests come from OpenSSL's libcrypto; the IV rules are written here from
 * their description.  No kernel code takes part, so agreement with the kernel
 * means something.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "icvec.h"

#define MAX_RAW			(1U << 20)
#define MAX_AAD			256U

struct options {
	const char *cipher;
	const char *mode;
	const char *essiv;
	const char *in;
	const char *seed;
	const char *tags;
	const char *ivs;
	uint64_t bytes;
	uint64_t count;
	struct layout layout;
	struct metadata meta;
	uint8_t key[MAX_KEY];
	size_t key_len;
	bool have_key;
	uint8_t iv[MAX_BLOCK];
	size_t iv_len;
	bool have_iv;
	uint8_t aad[MAX_AAD];
	size_t aad_len;
	unsigned int tag_size;
	bool have_bytes;
	bool decrypt;
	bool xts_from_ecb;
};

int usage_error(const char *fmt, ...)
{
	va_list ap;

	fputs("icvec: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return EXIT_USAGE;
}

int crypto_error(const char *what)
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
	fprintf(stderr, "icvec: %s: %s; check the file, the redirection and the free space\n",
		what, strerror(errno));
	return EXIT_FAILED;
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

static int open_volume(const struct options *o, struct volume *v, bool encrypt)
{
	struct spec spec;
	int ret;

	if (!o->cipher)
		return usage_error("no cipher; add --cipher, as in --cipher aes-xts-plain64");
	if (!o->have_key)
		return usage_error("no key; add --key HEX");
	ret = parse_spec(o->cipher, &spec);
	return ret ? ret : volume_open(v, &spec, &o->layout, &o->meta, o->key, o->key_len, encrypt,
				       o->xts_from_ecb);
}

/* The files beside the data: the metadata, and the IVs to be stored in it */
static int open_side(const char *option, const char *name, bool wanted, const char *mode, FILE **f)
{
	if (wanted && !name)
		return usage_error("the metadata of the sectors has no file; add --%s FILE", option);
	if (!wanted && name)
		return usage_error("there is nothing to put into --%s; drop it", option);
	if (!name)
		return EXIT_OK;
	*f = fopen(name, mode);
	return *f ? EXIT_OK : io_error(name);
}

static int read_side(const char *option, FILE *f, uint8_t *to, unsigned int size)
{
	if (!size || fread(to, 1, size, f) == size)
		return EXIT_OK;
	if (ferror(f))
		return io_error(option);
	return usage_error("the file of --%s ends before the data does; give %u bytes a sector",
			   option, size);
}

/* The files of the metadata are at the place of the sector that comes next. */
static int convert_sector(struct volume *v, uint64_t sector, uint8_t *buf, FILE *tags, FILE *ivs)
{
	unsigned int meta_size = v->tag_size + v->stored_iv;
	uint8_t meta[MAX_META];
	int ret;

	if (v->encrypt)
		ret = read_side("ivs", ivs, meta + v->tag_size, v->stored_iv);
	else
		ret = read_side("tags", tags, meta, meta_size);
	if (!ret)
		ret = volume_sector(v, sector, buf, meta);
	if (ret == EXIT_TAG)
		fprintf(stderr, "icvec: the tag of sector %" PRIu64 " does not match; data, tag, key or position are not those of the encryption\n",
			sector);
	else if (!ret && v->encrypt && tags && fwrite(meta, 1, meta_size, tags) != meta_size)
		ret = io_error("writing the tags");
	else if (!ret && fwrite(buf, 1, v->layout.sector_size, stdout) != v->layout.sector_size)
		ret = io_error("writing to standard output");
	return ret;
}

static int convert(const struct options *o, bool encrypt)
{
	unsigned int size = o->layout.sector_size;
	uint64_t sector = o->layout.start_sector;
	FILE *tags = NULL, *ivs = NULL;
	uint8_t buf[MAX_SECTOR_SIZE];
	struct volume v;
	uint64_t done = 0;
	size_t got = 0;
	int ret;

	ret = open_volume(o, &v, encrypt);
	if (ret)
		return ret;
	ret = open_side("tags", o->tags, v.tag_size + v.stored_iv, encrypt ? "wb" : "rb", &tags);
	if (!ret)
		ret = open_side("ivs", o->ivs, encrypt && v.stored_iv, "rb", &ivs);

	while (!ret && (got = fread(buf, 1, size, stdin)) == size) {
		ret = convert_sector(&v, sector, buf, tags, ivs);
		sector += size >> SECTOR_SHIFT;
		done += size;
	}
	if (ret)
		; /* said already */
	else if (ferror(stdin))
		ret = io_error("reading standard input");
	else if (got)
		ret = usage_error("the input ends %zu bytes into a sector; give a multiple of %u bytes",
				  got, size);
	else if (!done)
		ret = usage_error("the input is empty; redirect the data to standard input");
	if (tags && fclose(tags) && !ret)
		ret = io_error(o->tags);
	if (ivs)
		fclose(ivs);
	OPENSSL_cleanse(buf, sizeof(buf));
	volume_close(&v);
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
	struct volume v;
	int ret;

	ret = open_volume(o, &v, true);
	if (ret)
		return ret;
	if (v.spec.gen == IV_LMK || v.spec.gen == IV_RANDOM)
		ret = usage_error("the IV is not the position's alone; use encrypt and look at the data, with random at --tags");
	for (i = 0; i < o->count && !ret; i++) {
		ret = volume_iv(&v, sector, NULL, iv);
		if (ret)
			break;
		printf("%" PRIu64 "\t", sector);
		if (v.spec.gen == IV_NONE)
			putchar('-');
		else
			print_hex(iv, spec_iv_size(&v.spec));
		putchar('\n');
		sector += o->layout.sector_size >> SECTOR_SHIFT;
	}
	volume_close(&v);
	return ret;
}

static int raw_check_length(const struct volume *v, const struct options *o, size_t len)
{
	const struct engine *e = &v->keys[0];

	if (!len)
		return usage_error("--in holds no data; give at least one byte");
	if (e->mode == MODE_CTR || e->mode == MODE_GCM || e->mode == MODE_CHACHAPOLY)
		return EXIT_OK;
	if (e->mode == MODE_XTS && !e->tweak) {
		if (len >= 16)
			return EXIT_OK;
		return usage_error("xts needs at least 16 bytes; lengthen --in");
	}
	if (len % v->spec.cipher->block)
		return usage_error("%zu bytes are no multiple of the %u-byte block; lengthen --in%s",
				   len, v->spec.cipher->block,
				   e->tweak && !o->xts_from_ecb ? " (only AES has ciphertext stealing here)" : "");
	return EXIT_OK;
}

/* --mode and --cipher apart, or the crypto API's name in --cipher */
static int raw_spec(const struct options *o, struct spec *spec)
{
	char name[128];
	int ret;

	memset(spec, 0, sizeof(*spec));
	spec->keys = 1;
	if (o->mode) {
		ret = find_cipher(o->cipher, &spec->cipher);
		if (!ret)
			ret = find_mode(o->mode, &spec->mode);
	} else {
		if (strlen(o->cipher) >= sizeof(name))
			return usage_error("--cipher is longer than %zu characters; shorten it",
					   sizeof(name) - 1);
		strcpy(name, o->cipher);
		ret = parse_api_name(name, spec);
	}
	if (!ret && o->essiv)
		ret = find_hash(o->essiv, &spec->hash, &spec->hash_name);
	return ret ? ret : check_spec(spec);
}

/* What --in is the hex of, run through the cipher; the tag is at its end. */
static int raw_run(const struct options *o, struct volume *v, uint8_t *buf, size_t max)
{
	uint8_t iv[MAX_BLOCK] = { 0 };
	long len = parse_hex(o->in, buf, max);
	int ret;

	if (len < 0)
		return usage_error("--in is not hex; give an even number of digits 0-9a-f");
	if (o->decrypt)
		len -= v->tag_size;
	if (len < 0)
		return usage_error("--in is shorter than the tag; lengthen it");
	ret = raw_check_length(v, o, (size_t)len);
	if (ret)
		return ret;
	memcpy(iv, o->iv, o->iv_len);
	ret = volume_raw(v, iv, o->aad, o->aad_len, buf, (size_t)len, buf + len);
	if (ret == EXIT_TAG)
		fputs("icvec: the tag does not match; data, tag, key, IV or --aad are not those of the encryption\n",
		      stderr);
	if (ret)
		return ret;
	print_hex(buf, (size_t)len + (o->decrypt ? 0 : v->tag_size));
	putchar('\n');
	return EXIT_OK;
}

static int cmd_raw(const struct options *o)
{
	struct metadata meta = { 0 };
	struct spec spec;
	struct volume v;
	uint8_t *buf;
	size_t max;
	int ret;

	if (!o->cipher || !o->have_key || !o->in)
		return usage_error("raw needs --cipher, --key and --in, and --mode if the cipher's name is no crypto API name; add the missing ones");
	ret = raw_spec(o, &spec);
	if (ret)
		return ret;
	if (o->iv_len != spec_iv_size(&spec) || (o->have_iv && !o->iv_len))
		return usage_error("%s takes an IV of %u bytes; correct --iv", o->mode ? o->mode : o->cipher,
				   spec_iv_size(&spec));
	if (spec_is_aead(&spec)) {
		meta.aead = true;
		meta.size = o->tag_size ? o->tag_size : 16;
		meta.mac_key = o->meta.mac_key;
	} else if (o->tag_size || o->aad_len) {
		return usage_error("%s has no tag and no additional data; drop --tag-size and --aad",
				   o->cipher);
	}

	max = strlen(o->in) / 2;
	if (max > MAX_RAW)
		return usage_error("--in is longer than %u bytes; use the encrypt subcommand", MAX_RAW);
	ret = volume_open(&v, &spec, &o->layout, &meta, o->key, o->key_len, !o->decrypt,
			  o->xts_from_ecb);
	if (ret)
		return ret;
	buf = calloc(1, max + MAX_TAG);
	if (buf) {
		ret = raw_run(o, &v, buf, max);
		OPENSSL_cleanse(buf, max + MAX_TAG);
		free(buf);
	} else {
		ret = io_error("memory");
	}
	volume_close(&v);
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
	size_t n, k;

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
		for (k = 0; k < sizeof(word); k++)
			word[k] = (uint8_t)(w >> (8 * k));
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
	OPT_INTEGRITY,
	OPT_INTEGRITY_KEY_SIZE,
	OPT_TAGS,
	OPT_IVS,
	OPT_AAD,
	OPT_TAG_SIZE,
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
	{ "integrity", required_argument, NULL, OPT_INTEGRITY },
	{ "integrity-key-size", required_argument, NULL, OPT_INTEGRITY_KEY_SIZE },
	{ "tags", required_argument, NULL, OPT_TAGS },
	{ "ivs", required_argument, NULL, OPT_IVS },
	{ "aad", required_argument, NULL, OPT_AAD },
	{ "tag-size", required_argument, NULL, OPT_TAG_SIZE },
	{ NULL, 0, NULL, 0 },
};

#define BIT(opt)	(1U << ((opt) - OPT_CIPHER))
#define SECTOR_OPTS	(BIT(OPT_CIPHER) | BIT(OPT_KEY) | BIT(OPT_IV_OFFSET) | \
			 BIT(OPT_START_SECTOR) | BIT(OPT_SECTOR_SIZE) | \
			 BIT(OPT_IV_LARGE_SECTORS) | BIT(OPT_XTS_FROM_ECB) | \
			 BIT(OPT_INTEGRITY) | BIT(OPT_INTEGRITY_KEY_SIZE))

static const struct command {
	const char *name;
	int (*run)(const struct options *o);
	unsigned int opts;
} commands[] = {
	{ "encrypt", cmd_encrypt, SECTOR_OPTS | BIT(OPT_TAGS) | BIT(OPT_IVS) },
	{ "decrypt", cmd_decrypt, SECTOR_OPTS | BIT(OPT_TAGS) },
	{ "iv", cmd_iv, SECTOR_OPTS | BIT(OPT_COUNT) },
	{ "raw", cmd_raw, BIT(OPT_CIPHER) | BIT(OPT_MODE) | BIT(OPT_KEY) | BIT(OPT_IV) |
			  BIT(OPT_IN) | BIT(OPT_ESSIV) | BIT(OPT_DECRYPT) | BIT(OPT_XTS_FROM_ECB) |
			  BIT(OPT_AAD) | BIT(OPT_TAG_SIZE) | BIT(OPT_INTEGRITY_KEY_SIZE) },
	{ "pattern", cmd_pattern, BIT(OPT_SEED) | BIT(OPT_BYTES) },
};

static void print_help(FILE *f)
{
	fputs("usage: icvec encrypt --cipher SPEC --key HEX [LAYOUT] [META --tags OUT [--ivs FILE]] < in > out\n"
	      "       icvec decrypt --cipher SPEC --key HEX [LAYOUT] [META --tags FILE] < in > out\n"
	      "       icvec iv --cipher SPEC --key HEX [LAYOUT] [META] [--count N]\n"
	      "       icvec raw --mode xts|cbc|ecb|ctr --cipher NAME --key HEX [--iv HEX] --in HEX\n"
	      "                 [--essiv DIGEST] [--decrypt] [--xts-from-ecb]\n"
	      "       icvec raw --cipher 'gcm(aes)' --key HEX --iv HEX [--aad HEX] [--tag-size N] --in HEX\n"
	      "                 [--decrypt] [--integrity-key-size N]\n"
	      "       icvec pattern --seed NAME --bytes N > out\n"
	      "LAYOUT: [--iv-offset N] [--start-sector N] [--sector-size 512|1024|2048|4096]\n"
	      "        [--iv-large-sectors] [--xts-from-ecb]\n"
	      "META:   --integrity N:aead|N:none [--integrity-key-size N]\n"
	      "N of the first two is in 512-byte sectors. SPEC is dm-crypt's cipher specification,\n"
	      "as aes-xts-plain64, aes:64-cbc-lmk or capi:authenc(hmac(sha256),xts(aes))-random.\n", f);
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

/* dm-crypt's option integrity:N:aead or integrity:N:none, without its name */
static int set_integrity(const char *arg, struct metadata *meta)
{
	const char *kind = strchr(arg, ':');
	char digits[8] = "";
	uint64_t n;

	if (kind && (size_t)(kind - arg) < sizeof(digits))
		memcpy(digits, arg, (size_t)(kind - arg));
	if (!parse_u64(digits, &n) || !n || n > MAX_META ||
	    (strcmp(kind, ":aead") && strcmp(kind, ":none")))
		return usage_error("--integrity '%s' is not possible; write N:aead or N:none, N from 1 to %u",
				   arg, MAX_META);
	meta->size = (unsigned int)n;
	meta->aead = !strcmp(kind, ":aead");
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
	case OPT_INTEGRITY:
		ret = set_integrity(arg, &o->meta);
		break;
	case OPT_INTEGRITY_KEY_SIZE:
		ret = number("integrity-key-size", arg, &v);
		if (!ret && (!v || v > MAX_MAC_KEY))
			ret = usage_error("--integrity-key-size %s is not possible; give 1 to %u",
					  arg, MAX_MAC_KEY);
		if (!ret)
			o->meta.mac_key = (unsigned int)v;
		break;
	case OPT_TAGS:
		o->tags = arg;
		break;
	case OPT_IVS:
		o->ivs = arg;
		break;
	case OPT_AAD:
		ret = set_hex("aad", arg, o->aad, sizeof(o->aad), &o->aad_len);
		break;
	case OPT_TAG_SIZE:
		ret = number("tag-size", arg, &v);
		if (!ret && (!v || v > MAX_TAG))
			ret = usage_error("--tag-size %s is not possible; give 1 to %u", arg, MAX_TAG);
		if (!ret)
			o->tag_size = (unsigned int)v;
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
