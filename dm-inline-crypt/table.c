// SPDX-License-Identifier: GPL-2.0-only
/*
 * Parse and print a table line. The format is dm-crypt's, as described in
 * Documentation/admin-guide/device-mapper/dm-crypt.rst of the kernel, plus three
 * options of our own.
 */

#include <linux/ctype.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/string.h>

#include "iv.h"
#include "table.h"

#define ICRYPT_SECTOR_SIZE	512
#define ICRYPT_SECTOR_SIZE_MAX	4096
#define ICRYPT_ARGS_MIN		5

/* No key in a kernel keyring can be larger. */
#define ICRYPT_KEY_SIZE_MAX	32768

/* The most options that dm-crypt has too; dm-crypt has the same limit. */
#define ICRYPT_OPTS_MAX		9

/*
 * So many hex digits in a row are taken for a key. The name of no algorithm of the kernel
 * has as many: the longest run is seven, in "rfc7539esp". The shortest key has more.
 */
#define ICRYPT_HEX_RUN_MAX	8

/* The words of a table line, counted from 1. */
#define ICRYPT_WORD_CIPHER	1
#define ICRYPT_WORD_KEY		2
#define ICRYPT_WORD_IV_OFFSET	3
#define ICRYPT_WORD_DEVICE	4
#define ICRYPT_WORD_START	5
#define ICRYPT_WORD_OPTS	6

static const char * const option_names[ICRYPT_OPT_COUNT] = {
	[ICRYPT_OPT_ALLOW_DISCARDS]		= "allow_discards",
	[ICRYPT_OPT_SAME_CPU_CRYPT]		= "same_cpu_crypt",
	[ICRYPT_OPT_HIGH_PRIORITY]		= "high_priority",
	[ICRYPT_OPT_SUBMIT_FROM_CRYPT_CPUS]	= "submit_from_crypt_cpus",
	[ICRYPT_OPT_NO_READ_WORKQUEUE]		= "no_read_workqueue",
	[ICRYPT_OPT_NO_WRITE_WORKQUEUE]		= "no_write_workqueue",
	[ICRYPT_OPT_IV_LARGE_SECTORS]		= "iv_large_sectors",
};

static const char * const want_names[ICRYPT_WANT_COUNT] = {
	[ICRYPT_WANT_AUTO]	= "auto",
	[ICRYPT_WANT_CALLER]	= "caller",
	[ICRYPT_WANT_ENDIO]	= "endio",
	[ICRYPT_WANT_WORKQUEUE]	= "workqueue",
};

static const char * const engine_names[ICRYPT_ENGINE_COUNT] = {
	[ICRYPT_ENGINE_AUTO]	= "auto",
	[ICRYPT_ENGINE_UNITS]	= "units",
	[ICRYPT_ENGINE_API]	= "api",
};

/*
 * Parts of which the names of crypto API algorithms are made, see icrypt_alg_print().
 * Printing words of this list reveals no secret.
 */
static const char * const alg_names[] = {
	/* ciphers */
	"aes", "anubis", "arc4", "aria", "blowfish", "camellia", "cast5", "cast6", "chacha20",
	"cipher_null", "des", "des3_ede", "khazad", "seed", "serpent", "sm4", "tea", "twofish",
	"xchacha12", "xchacha20", "xeta", "xtea",
	/* modes and templates */
	"adiantum", "aegis128", "authenc", "authencesn", "cbc", "ccm", "ctr", "cts", "ecb", "essiv",
	"gcm", "hctr2", "hmac", "lrw", "ofb", "cfb", "pcbc", "rfc3686", "rfc4106", "rfc4309",
	"rfc4543", "rfc7539", "xctr", "xts",
	/* hashes */
	"blake2b", "blake2s", "cmac", "crc32c", "ghash", "md5", "nhpoly1305", "poly1305", "polyval",
	"rmd160", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3", "sm3", "streebog256",
	"streebog512", "wp256", "wp384", "wp512", "xcbc", "224", "256", "384", "512",
	/* drivers */
	"aesni", "asm", "avx", "avx2", "avx512", "ce", "cryptd", "generic", "neon", "neonbs",
	"simd", "ssse3", "sse2", "vaes", "3way",
};

/*
 * The message says what is wrong with @t->word, but contains no text of the line: if the
 * words are in the wrong order, any of them may be the key.
 */
static int refuse(struct icrypt_table *t, const char *error)
{
	t->error = error;
	return -EINVAL;
}

/* The largest number of hex digits in a row. */
static unsigned int hex_run(const char *word)
{
	unsigned int run = 0, most = 0;

	for (; *word; word++) {
		run = isxdigit(*word) ? run + 1 : 0;
		if (run > most)
			most = run;
	}
	return most;
}

/* kstrtouint() and kstrtou64() accept a sign, but dm-crypt does not. */
static int to_uint(const char *word, unsigned int *value)
{
	return *word == '+' ? -EINVAL : kstrtouint(word, 10, value);
}

static int to_u64(const char *word, u64 *value)
{
	return *word == '+' ? -EINVAL : kstrtou64(word, 10, value);
}

/* Cuts @s at the first @sep and returns what follows it, or NULL. */
static char *cut(char *s, char sep)
{
	char *p = s ? strchr(s, sep) : NULL;

	if (p)
		*p++ = '\0';
	return p;
}

static int set_iv_mode(struct icrypt_table *t, const char *mode)
{
	const struct icrypt_iv_ops *ops;

	if (!mode)
		return 0;
	ops = icrypt_iv_find(mode);
	if (!ops)
		return refuse(t, "Invalid IV mode, use plain64 for a new device");
	if (t->aead && ops->no_aead)
		return refuse(t, "AEAD not possible with this IV mode, use plain64 or random");
	strscpy(t->iv_mode, mode, sizeof(t->iv_mode));
	return 0;
}

static int set_alg(struct icrypt_table *t, const char *mode, const char *api,
		   const char *iv_mode, const char *digest)
{
	const struct icrypt_iv_ops *ops = iv_mode ? icrypt_iv_find(iv_mode) : NULL;
	bool essiv = ops && ops->in_api;
	int len;

	if (essiv && (!digest || !*digest))
		return refuse(t, "Digest algorithm missing for ESSIV mode, write essiv:sha256");

	len = snprintf(t->alg, sizeof(t->alg), "%s%s%s%s%s%s%s",
		       essiv ? "essiv(" : "", mode ? mode : "", mode ? "(" : "",
		       api, mode ? ")" : "", essiv ? "," : "", essiv ? digest : "");
	if (essiv && len >= 0 && len < (int)sizeof(t->alg) - 1) {
		t->alg[len++] = ')';
		t->alg[len] = '\0';
	} else if (essiv) {
		len = sizeof(t->alg);
	}
	if (len < 0 || len >= (int)sizeof(t->alg))
		return refuse(t, "Cipher specification too long");
	return 0;
}

/* The MAC in authenc(<mac>,<cipher>). Its digest is the tag, and it has its own key. */
static int set_mac(struct icrypt_table *t, const char *spec)
{
	const char *begin = spec + strlen("authenc("), *end;

	if (!t->aead || strncmp(spec, "authenc(", strlen("authenc(")))
		return 0;
	end = strchr(begin, ',');
	if (!end || end == begin || end - begin >= (int)sizeof(t->mac))
		return refuse(t, "Bad MAC in the cipher, write authenc(hmac(sha256),xts(aes))");
	memcpy(t->mac, begin, end - begin);
	t->mac[end - begin] = '\0';
	return 0;
}

/* capi:<crypto API name>-<iv mode>[:<iv options>] */
static int parse_cipher_capi(struct icrypt_table *t, char *spec)
{
	const struct icrypt_iv_ops *ops;
	char *iv_opts, *iv_mode;
	int r;

	/* The digest of an ESSIV may contain a '-', so it goes first. */
	iv_opts = strrchr(spec, ':');
	if (iv_opts)
		*iv_opts++ = '\0';
	iv_mode = strrchr(spec, '-');
	if (iv_mode)
		*iv_mode++ = '\0';
	if (!*spec)
		return refuse(t, "Cipher missing after capi:, write capi:xts(aes)-plain64");

	ops = iv_mode ? icrypt_iv_find(iv_mode) : NULL;
	t->key_count = ops && ops->keys ? ops->keys : 1;
	r = set_mac(t, spec);
	if (!r)
		r = set_alg(t, NULL, spec, iv_mode, iv_opts);
	return r ? r : set_iv_mode(t, iv_mode);
}

/* <cipher>[:<key count>]-<mode>-<iv mode>[:<iv options>] */
static int parse_cipher_classic(struct icrypt_table *t, char *spec)
{
	const char *mode = cut(spec, '-');
	char *iv_mode = cut((char *)mode, '-');
	char *iv_opts = cut(iv_mode, ':');
	char *count = cut(spec, ':');
	int r;

	if (strchr(t->cipher, '('))
		return refuse(t, "Bad cipher specification, crypto API names start with capi:");
	if (t->aead)
		return refuse(t, "AEAD needs a crypto API name, write capi:gcm(aes)-random");
	if (!*spec)
		return refuse(t, "Cipher missing, write aes-xts-plain64");

	t->key_count = 1;
	if (count && (to_uint(count, &t->key_count) || !t->key_count ||
		      !is_power_of_2(t->key_count)))
		return refuse(t, "Bad cipher key count, must be a power of two");

	/* The oldest format of dm-crypt had a cipher only. */
	if (!mode || (!strcmp(mode, "plain") && !iv_mode)) {
		mode = "cbc";
		iv_mode = "plain";
	}
	if (strcmp(mode, "ecb") && !iv_mode)
		return refuse(t, "IV mechanism required, write aes-xts-plain64");

	r = set_alg(t, mode, spec, iv_mode, iv_opts);
	return r ? r : set_iv_mode(t, iv_mode);
}

static int parse_cipher(struct icrypt_table *t, const char *word)
{
	char spec[ICRYPT_ALG_NAME_MAX];

	t->cipher = word;
	if (strscpy(spec, word, sizeof(spec)) < 0)
		return refuse(t, "Cipher specification too long");
	if (!strncmp(spec, "capi:", 5))
		return parse_cipher_capi(t, spec + 5);
	return parse_cipher_classic(t, spec);
}

/**
 * icrypt_key_parse() - take a key word apart
 * @t:    receives key, key_size, key_odd and key_in_keyring; error when refused
 * @word: hex digits, "-" for no key, or ":<bytes>:<type>:<description>"
 *
 * Does not decode the hex digits, so @word must be kept until they are decoded. If their
 * number is odd, the last one is ignored, as by dm-crypt.
 *
 * Context: any.
 * Return: 0 or -EINVAL.
 */
int icrypt_key_parse(struct icrypt_table *t, const char *word)
{
	const char *colon;
	char size[12];
	size_t len;

	t->key_in_keyring = word[0] == ':';
	t->key = word;
	t->key_odd = false;
	if (!t->key_in_keyring) {
		len = strlen(word);
		if (!strcmp(word, "-")) {
			t->key_size = 0;
			return 0;
		}
		if (len < 2)
			return refuse(t, "Cannot parse key, too short");
		t->key_odd = len & 1;
		t->key_size = len / 2;
		return 0;
	}

	colon = strchr(word + 1, ':');
	len = colon ? colon - word - 1 : 0;
	if (!len || len >= sizeof(size))
		return refuse(t, "Cannot parse key size, write :<bytes>:<type>:<description>");
	memcpy(size, word + 1, len);
	size[len] = '\0';
	if (to_uint(size, &t->key_size) || !t->key_size)
		return refuse(t, "Cannot parse key size, write :<bytes>:<type>:<description>");
	if (t->key_size > ICRYPT_KEY_SIZE_MAX)
		return refuse(t, "Key too large for any cipher");
	/* dm has no way to print a space inside a word. */
	if (strpbrk(colon + 1, " \t\n\v\f\r"))
		return refuse(t, "Whitespace not allowed in a key description");
	t->key = colon + 1;
	return 0;
}

static int parse_want(struct icrypt_table *t, const char *word, enum icrypt_want *want)
{
	const char *name = strchr(word, ':') + 1;
	int i;

	for (i = 0; i < ICRYPT_WANT_COUNT; i++) {
		if (i == ICRYPT_WANT_ENDIO && want == &t->write_context)
			continue;
		if (!strcasecmp(name, want_names[i])) {
			*want = i;
			return 0;
		}
	}
	return refuse(t, want == &t->write_context ?
		      "Invalid write_context, use auto, caller or workqueue" :
		      "Invalid read_context, use auto, caller, endio or workqueue");
}

static int parse_engine(struct icrypt_table *t, const char *word)
{
	const char *name = strchr(word, ':') + 1;
	int i;

	for (i = 0; i < ICRYPT_ENGINE_COUNT; i++) {
		if (!strcasecmp(name, engine_names[i])) {
			t->cipher_engine = i;
			return 0;
		}
	}
	return refuse(t, "Invalid cipher_engine, use auto, units or api");
}

/* integrity:<bytes>:<aead|none> */
static int parse_integrity(struct icrypt_table *t, const char *word)
{
	const char *bytes = strchr(word, ':') + 1, *auth = strchr(bytes, ':');
	size_t len = auth ? auth - bytes : 0;
	char size[8];

	if (!len || len >= sizeof(size))
		return refuse(t, "Invalid integrity, write integrity:<bytes>:<aead|none>");
	memcpy(size, bytes, len);
	size[len] = '\0';
	if (to_uint(size, &t->tag_size) || !t->tag_size ||
	    t->tag_size > ICRYPT_TAG_SIZE_MAX)
		return refuse(t, "Invalid integrity, use 1 to 480 bytes");
	/* If this is given twice, dm-crypt uses and prints the last, but "aead" persists. */
	if (!strcasecmp(auth + 1, "aead"))
		t->aead = true;
	else if (strcasecmp(auth + 1, "none"))
		return refuse(t, "Unknown integrity profile, use aead or none");
	strscpy(t->auth, auth + 1, sizeof(t->auth));
	return 0;
}

/* @own: counts the options that dm-crypt does not have */
static int parse_option(struct icrypt_table *t, const char *word, unsigned int *own)
{
	int i;

	for (i = 0; i < ICRYPT_OPT_COUNT; i++) {
		if (!strcasecmp(word, option_names[i])) {
			t->options |= 1UL << i;
			return 0;
		}
	}
	if (!strncasecmp(word, "read_context:", 13)) {
		++*own;
		return parse_want(t, word, &t->read_context);
	}
	if (!strncasecmp(word, "write_context:", 14)) {
		++*own;
		return parse_want(t, word, &t->write_context);
	}
	if (!strncasecmp(word, "cipher_engine:", 14)) {
		++*own;
		return parse_engine(t, word);
	}
	if (!strncasecmp(word, "sector_size:", 12)) {
		if (to_uint(word + 12, &t->sector_size) ||
		    t->sector_size < ICRYPT_SECTOR_SIZE ||
		    t->sector_size > ICRYPT_SECTOR_SIZE_MAX ||
		    !is_power_of_2(t->sector_size))
			return refuse(t, "Invalid sector_size, use 512, 1024, 2048 or 4096");
		return 0;
	}
	if (!strncasecmp(word, "integrity:", 10))
		return parse_integrity(t, word);
	if (!strncasecmp(word, "integrity_key_size:", 19)) {
		if (to_uint(word + 19, &t->key_mac) || !t->key_mac)
			return refuse(t, "Invalid integrity_key_size, use the MAC's key size");
		t->key_mac_set = true;
		return 0;
	}
	return refuse(t, "Invalid feature argument, no option has this name");
}

static int parse_options(struct icrypt_table *t, unsigned int argc, char **argv)
{
	unsigned int count, i, own = 0;
	int r;

	if (!argc)
		return 0;
	if (to_uint(argv[0], &count) || count > argc - 1)
		return refuse(t,
			      "Invalid number of feature args, must be the number of words after it");
	/* dm-crypt ignores words after the options, too. */
	t->ignored = argc - 1 - count;
	for (i = 1; i <= count; i++) {
		t->word = ICRYPT_WORD_OPTS + i;
		r = parse_option(t, argv[i], &own);
		if (r)
			return r;
	}
	t->word = ICRYPT_WORD_OPTS;
	if (count - own > ICRYPT_OPTS_MAX)
		return refuse(t, "Invalid number of feature args, dm-crypt takes 9 of its own");
	return 0;
}

/**
 * icrypt_table_parse() - parse the words of a table line
 * @t:    the result; error says what is wrong when the line is refused
 * @argc: number of words
 * @argv: <cipher> <key> <iv_offset> <device> <start> [<#opts> <opts>...]
 *
 * The words are not changed, and must outlive @t.
 *
 * Context: any, does not sleep.
 * Return: 0 or -EINVAL.
 */
int icrypt_table_parse(struct icrypt_table *t, unsigned int argc, char **argv)
{
	int r;

	memset(t, 0, sizeof(*t));
	t->sector_size = ICRYPT_SECTOR_SIZE;

	if (argc < ICRYPT_ARGS_MIN)
		return refuse(t,
			      "Too few arguments, need <cipher> <key> <iv_offset> <device> <start>");

	/*
	 * If the crypto API does not have a cipher, it asks modprobe for it, by name. All users
	 * can see that name in the list of processes, and it may get into logs.
	 */
	t->word = ICRYPT_WORD_CIPHER;
	if (hex_run(argv[0]) >= ICRYPT_HEX_RUN_MAX)
		return refuse(t,
			      "Cipher has 8 hex digits in a row, is it the key? That comes second");
	/* dm looks a bare word up in the working directory, and its file system sees it. */
	t->word = ICRYPT_WORD_DEVICE;
	if (!strpbrk(argv[3], "/=") && hex_run(argv[3]) >= ICRYPT_HEX_RUN_MAX)
		return refuse(t,
			      "Device has 8 hex digits in a row, is it the key? That comes second");

	t->word = ICRYPT_WORD_KEY;
	r = icrypt_key_parse(t, argv[1]);
	if (r)
		return r;
	t->word = ICRYPT_WORD_OPTS;
	r = parse_options(t, argc - ICRYPT_ARGS_MIN, argv + ICRYPT_ARGS_MIN);
	if (r)
		return r;
	t->word = ICRYPT_WORD_CIPHER;
	r = parse_cipher(t, argv[0]);
	if (r)
		return r;
	t->word = ICRYPT_WORD_IV_OFFSET;
	if (to_u64(argv[2], &t->iv_offset) ||
	    (t->iv_offset & (t->sector_size / ICRYPT_SECTOR_SIZE - 1)))
		return refuse(t, "Invalid iv_offset sector, must be a multiple of sector_size");
	t->device = argv[3];
	t->word = ICRYPT_WORD_START;
	if (to_u64(argv[4], &t->start))
		return refuse(t, "Invalid device sector");
	t->word = 0;
	return 0;
}

/* The entry of alg_names that equals the first @len characters of @name, or "?". */
static const char *known_name(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(alg_names); i++)
		if (strlen(alg_names[i]) == len && !memcmp(alg_names[i], name, len))
			return alg_names[i];
	return "?";
}

/**
 * icrypt_alg_print() - print a name of the crypto API, for a message
 * @alg:  the name, such as "xts(aes)"
 * @buf:  receives the text
 * @size: size of @buf, bytes, not 0
 *
 * A name that the crypto API does not have may be anything, even the key. So only the parts
 * that are in a list of known names are printed: "xts(?)" for "xts(secret)".
 *
 * Context: any, does not sleep.
 */
void icrypt_alg_print(const char *alg, char *buf, unsigned int size)
{
	unsigned int n = 0;

	*buf = '\0';
	while (*alg) {
		size_t len = strcspn(alg, "(),-");

		if (len)
			n += scnprintf(buf + n, size - n, "%s", known_name(alg, len));
		alg += len;
		if (*alg)
			n += scnprintf(buf + n, size - n, "%c", *alg++);
	}
}

/**
 * icrypt_table_print() - print a table line or the IMA measurement of it
 * @t:    what to print
 * @what: ICRYPT_PRINT_TABLE, or another value for only the attributes that IMA measures
 * @key:  the key to print as hex, or NULL to print zeros of the same length
 * @buf:  receives the text
 * @size: size of @buf, bytes
 *
 * Prints the same words in the same order as dm-crypt. Options of our own come last, and
 * only if they differ from the default.
 *
 * Context: any, does not sleep.
 * Return: bytes written, without the final NUL. Cut at @size like scnprintf().
 */
unsigned int icrypt_table_print(const struct icrypt_table *t, enum icrypt_print what,
				const u8 *key, char *buf, unsigned int size)
{
	bool large = t->sector_size != ICRYPT_SECTOR_SIZE;
	unsigned int i, n = 0, count = 0;

#define emit(...) (n += scnprintf(buf + n, size - n, __VA_ARGS__))

	if (what != ICRYPT_PRINT_TABLE) {
		for (i = 0; i < ICRYPT_OPT_COUNT; i++) {
			if (i == ICRYPT_OPT_HIGH_PRIORITY && what == ICRYPT_PRINT_IMA_1_24)
				continue;
			emit(",%s=%c", option_names[i], icrypt_option_set(t, i) ? 'y' : 'n');
		}
		if (t->tag_size)
			emit(",integrity_tag_size=%u,cipher_auth=%s", t->tag_size, t->auth);
		if (large)
			emit(",sector_size=%u", t->sector_size);
		emit(",cipher_string=%s,key_size=%u,key_parts=%u,key_extra_size=%u,key_mac_size=%u",
		     t->cipher, t->key_size, t->key_parts, t->key_extra, t->key_mac);
		return n;
	}

	emit("%s ", t->cipher);
	if (!t->key_size) {
		emit("-");
	} else if (t->key_in_keyring) {
		emit(":%u:%s", t->key_size, t->key);
	} else {
		for (i = 0; i < t->key_size; i++)
			emit("%02x", key ? key[i] : 0);
	}
	emit(" %llu %s %llu", (unsigned long long)t->iv_offset, t->device,
	     (unsigned long long)t->start);

	for (i = 0; i < ICRYPT_OPT_COUNT; i++)
		count += icrypt_option_set(t, i);
	count += !!t->tag_size + large + t->key_mac_set;
	count += !!t->read_context + !!t->write_context + !!t->cipher_engine;
	if (!count)
		return n;

	emit(" %u", count);
	for (i = 0; i < ICRYPT_OPT_COUNT; i++) {
		if (i == ICRYPT_OPT_IV_LARGE_SECTORS && t->tag_size)
			emit(" integrity:%u:%s", t->tag_size, t->auth);
		if (i == ICRYPT_OPT_IV_LARGE_SECTORS && large)
			emit(" sector_size:%u", t->sector_size);
		if (icrypt_option_set(t, i))
			emit(" %s", option_names[i]);
	}
	if (t->key_mac_set)
		emit(" integrity_key_size:%u", t->key_mac);
	if (t->read_context)
		emit(" read_context:%s", want_names[t->read_context]);
	if (t->write_context)
		emit(" write_context:%s", want_names[t->write_context]);
	if (t->cipher_engine)
		emit(" cipher_engine:%s", engine_names[t->cipher_engine]);
#undef emit
	return n;
}
