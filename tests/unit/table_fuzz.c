// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mutated table lines. The parser has to answer 0 or -EINVAL, with a message
 * if and only if it refuses, without the key in it; what it accepts has to
 * come back from print and parse as it was. The words of some lines change places, so that
 * the key is where something else should be. ASan and UBSan look on.
 *
 *   table_fuzz [LINES [SECONDS [SEED]]]
 */

#include <linux/kernel.h>
#include <linux/string.h>
#include <time.h>

#include "leak.h"
#include "table.h"
#include "tap.h"
#include "words.h"

/* A secret that no other word of a line looks like. */
#define SECRET	"dead10ccdead10ccdead10ccdead10cc"

static const char * const seeds[] = {
	"aes-xts-plain64 " SECRET " 0 8:0 0",
	"aes " SECRET " 0 /dev/sda 2048",
	"aes-ecb " SECRET " 1 8:0 1",
	"aes:64-cbc-lmk " SECRET " 0 8:0 0",
	"aes:2-cbc-plain64be " SECRET " 18446744073709551615 8:0 18446744073709551615",
	"aes-cbc-essiv:sha256 " SECRET " 0 8:0 0 1 allow_discards",
	"aes-lrw-benbi " SECRET " 0 8:0 0 1 sector_size:4096",
	"capi:xts(aes)-plain64 " SECRET " 8 8:0 0 2 sector_size:4096 iv_large_sectors",
	"capi:essiv(cbc(aes),sha256)-plain64 " SECRET " 0 8:0 0",
	"capi:cbc(aes)-essiv:sha3-256 " SECRET " 0 8:0 0",
	"capi:ecb(cipher_null) - 0 8:0 0",
	"aes-xts-plain64 :64:logon:" SECRET " 0 8:0 0",
	"aes-xts-plain64 :32:user:" SECRET " 0 8:0 0 1 high_priority",
	"aes-xts-plain64 " SECRET " 0 8:0 0 2 read_context:endio write_context:workqueue",
	"aes-cbc-essiv:sha256 " SECRET " 0 8:0 0 1 cipher_engine:api",
	"aes-xts-plain64 " SECRET " 0 8:0 0 6 allow_discards same_cpu_crypt high_priority "
		"submit_from_crypt_cpus no_read_workqueue no_write_workqueue",
	"aes-xts-random " SECRET " 0 8:0 0 1 integrity:16:none",
	"capi:gcm(aes)-random " SECRET " 0 8:0 0 2 integrity:28:aead sector_size:4096",
	"capi:authenc(hmac(sha256),xts(aes))-plain64 " SECRET " 0 8:0 0 2 integrity:32:aead "
		"integrity_key_size:32",
};

static const char * const snippets[] = {
	"-", ":", "(", ")", "-plain64", "-plain", "-essiv:", "capi:", ":64", ":3", "ecb", "cbc",
	"0", "1", "7", "8", "16", "-1", "+1", "512", "4096", "8192", "4294967296",
	"18446744073709551615", "18446744073709551616", "0x10", "\t", "\n", "\x7f", "\xff", "%s", "%n",
	" ", " 1", " 2 ", " allow_discards", " sector_size:1024", " sector_size:",
	" read_context:auto", " write_context:endio", " cipher_engine:units", " iv_large_sectors",
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
};

#define LINE_MAX_LEN	2000

/* xorshift64* */
static u64 state;

static unsigned int below(unsigned int n)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (state * 0x2545f4914f6cdd1dULL >> 33) % n;
}

/* Replace @cut characters of @line at @at by @with. */
static void splice(char *line, size_t at, size_t cut, const char *with)
{
	size_t len = strlen(line), add = strlen(with);

	if (at > len)
		at = len;
	if (cut > len - at)
		cut = len - at;
	if (len - cut + add > LINE_MAX_LEN)
		return;
	memmove(line + at + add, line + at + cut, len - at - cut + 1);
	memcpy(line + at, with, add);
}

/* Two words of @line change places. */
static void swap_words(char *line)
{
	unsigned int a, b, i;
	struct words w;
	char *word;

	words_split(&w, line);
	if (w.argc) {
		a = below(w.argc);
		b = below(w.argc);
		word = w.argv[a], w.argv[a] = w.argv[b], w.argv[b] = word;
		for (i = 0, *line = '\0'; i < w.argc; i++) {
			strcat(line, i ? " " : "");
			strcat(line, w.argv[i]);
		}
	}
	words_free(&w);
}

/* Somewhere in @line outside the secret, which shall be known when it leaks. */
static size_t spot(const char *line)
{
	const char *secret = strstr(line, SECRET);
	size_t at = below(strlen(line) + 1);

	if (secret && at > (size_t)(secret - line) &&
	    at < (size_t)(secret - line) + strlen(SECRET))
		at = secret - line;
	return at;
}

static void mutate(char *line)
{
	const char *secret = strstr(line, SECRET);
	char c[2] = { 0, 0 };
	size_t at = spot(line), cut = 1 + below(4);

	/* Whole or not at all. */
	if (secret && line + at <= secret && line + at + cut > secret)
		cut = 0;

	switch (below(6)) {
	case 0:		/* remove */
		splice(line, at, cut, "");
		break;
	case 1:		/* a character of any kind */
		c[0] = 1 + below(255);
		splice(line, at, cut ? below(2) : 0, c);
		break;
	case 2:
	case 3:		/* something that means something */
		splice(line, at, cut ? below(2) : 0, snippets[below(ARRAY_SIZE(snippets))]);
		break;
	case 4:		/* a digit for a digit */
		if (cut && line[at] >= '0' && line[at] <= '9')
			line[at] = '0' + below(10);
		break;
	case 5:		/* cut off */
		if (!below(8))
			line[at] = '\0';
		break;
	}
}

static bool come_back(const struct icrypt_table *t, const struct words *w, const char **why)
{
	/* Not reached on the stack of the kernel. */
	static char first[LINE_MAX_LEN * 4], second[LINE_MAX_LEN * 4];
	struct icrypt_table again;
	bool good = false;
	struct words w2;
	unsigned int n;

	n = icrypt_table_print(t, ICRYPT_PRINT_TABLE, NULL, first, sizeof(first));
	*why = "print and its count differ";
	if (n != strlen(first))
		return false;
	/* dm would escape it; splitting at spaces here does not. */
	words_split(&w2, first);
	*why = "what was printed is refused";
	if (icrypt_table_parse(&again, w2.argc, w2.argv))
		goto out;
	*why = "what was printed means something else";
	if (strcmp(t->alg, again.alg) || strcmp(t->iv_mode, again.iv_mode) ||
	    t->key_count != again.key_count || t->key_size != again.key_size ||
	    t->key_in_keyring != again.key_in_keyring || t->iv_offset != again.iv_offset ||
	    strcmp(t->device, again.device) || t->start != again.start ||
	    t->options != again.options || t->sector_size != again.sector_size ||
	    t->read_context != again.read_context || t->write_context != again.write_context ||
	    t->cipher_engine != again.cipher_engine)
		goto out;
	icrypt_table_print(&again, ICRYPT_PRINT_TABLE, NULL, second, sizeof(second));
	*why = "printed again it is different";
	good = !strcmp(first, second);
out:
	words_free(&w2);
	return good;
}

static bool sound(const struct icrypt_table *t, int err, const struct words *w, const char **why)
{
	*why = "neither 0 nor -EINVAL";
	if (err && err != -EINVAL)
		return false;
	*why = "words were changed";
	if (!words_unchanged(w))
		return false;
	*why = "a message without refusal, or none with it";
	if (!t->error != !err)
		return false;
	if (err) {
		*why = "the message has the key";
		return !leaks_said(t, err, SECRET);
	}
	*why = "accepted out of range";
	if (t->sector_size < 512 || t->sector_size > 4096 ||
	    (t->sector_size & (t->sector_size - 1)) || !t->key_count ||
	    (t->key_count & (t->key_count - 1)) || strlen(t->alg) >= sizeof(t->alg) ||
	    strlen(t->iv_mode) >= sizeof(t->iv_mode) || !*t->alg ||
	    t->read_context >= ICRYPT_WANT_COUNT || t->write_context >= ICRYPT_WANT_COUNT ||
	    t->cipher_engine >= ICRYPT_ENGINE_COUNT ||
	    t->write_context == ICRYPT_WANT_ENDIO || t->key_size > 32768 ||
	    t->options >> ICRYPT_OPT_COUNT)
		return false;
	*why = "a message or a question has the key";
	if (leaks_said(t, err, SECRET) || leaks_asked(t, err, SECRET))
		return false;
	return come_back(t, w, why);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	unsigned int lines = argc > 1 ? atoi(argv[1]) : 200000, i;
	double end = now() + (argc > 2 ? atof(argv[2]) : 3);
	unsigned int accepted = 0, unsound = 0;
	char line[LINE_MAX_LEN + 1];

	state = argc > 3 ? strtoull(argv[3], NULL, 10) : 20071123;
	for (i = 0; i < lines; i++) {
		const char *why;
		struct icrypt_table t;
		struct words w;
		int err;

		if (!(i % 256) && now() > end)
			break;
		strcpy(line, seeds[below(ARRAY_SIZE(seeds))]);
		for (unsigned int n = below(6); n; n--)
			mutate(line);
		if (!below(4))
			swap_words(line);
		words_split(&w, line);
		memset(&t, 0xff, sizeof(t));
		err = icrypt_table_parse(&t, w.argc, w.argv);
		accepted += !err;
		if (!sound(&t, err, &w, &why) && unsound++ < 5)
			diag("%s, line %u: %s", why, i, line);
		words_free(&w);
	}
	/* How many were possible in the time is no part of the name. */
	diag("%u lines, %u of them accepted", i, accepted);
	ok(!unsound, "mutated lines: parsed soundly");
	ok(accepted > i / 20, "mutated lines: some are accepted");
	ok(accepted < i - i / 20, "mutated lines: some are refused");
	return done();
}
