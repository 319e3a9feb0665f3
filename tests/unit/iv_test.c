// SPDX-License-Identifier: GPL-2.0-only
/*
 * IV generators against vectors worked out by hand from their description.
 *
 *   iv_test                                          the tests
 *   iv_test iv IVSIZE BLOCKSIZE COUNT TABLE-LINE     the IVs of COUNT data
 *		units from the table's start, as "vectors/icvec iv" prints them
 */

#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/string.h>

#include "iv.h"
#include "table.h"
#include "tap.h"
#include "words.h"

#define IV_MAX	64

static void to_hex(const u8 *in, unsigned int len, char *out)
{
	for (unsigned int i = 0; i < len; i++)
		sprintf(out + 2 * i, "%02x", in[i]);
}

/* What comes before and behind an IV has to stay as it was. */
static void generate(const struct icrypt_iv *iv, u64 sector, char *hex)
{
	u8 *out = malloc(iv->size);

	memset(out, 0xa5, iv->size);
	iv->generate(iv, out, sector);
	to_hex(out, iv->size, hex);
	free(out);
}

#define Z4 "00000000"
#define Z8 Z4 Z4
#define Z16 Z8 Z8
#define Z24 Z16 Z8

static const struct vector {
	const char *mode;
	unsigned int ivsize, blocksize;
	u64 sector;
	const char *want;
} vectors[] = {
	{ "plain", 16, 16, 0, Z16 },
	{ "plain", 16, 16, 1, "01000000" Z4 Z8 },
	{ "plain", 16, 16, 0x12345678, "78563412" Z4 Z8 },
	{ "plain", 16, 16, 0xffffffff, "ffffffff" Z4 Z8 },
	/* 32 bits are its format */
	{ "plain", 16, 16, 0x100000000, Z16 },
	{ "plain", 16, 16, 0x100000001, "01000000" Z4 Z8 },
	{ "plain", 16, 16, ~0ULL, "ffffffff" Z4 Z8 },
	{ "plain", 8, 8, 0x0102030405060708, "08070605" Z4 },
	{ "plain", 32, 16, 0xffffffff, "ffffffff" Z4 Z24 },

	{ "plain64", 16, 16, 0, Z16 },
	{ "plain64", 16, 16, 0xffffffff, "ffffffff" Z4 Z8 },
	{ "plain64", 16, 16, 0x100000000, Z4 "01000000" Z8 },
	{ "plain64", 16, 16, 0x0102030405060708, "0807060504030201" Z8 },
	{ "plain64", 16, 16, ~0ULL, "ffffffffffffffff" Z8 },
	{ "plain64", 8, 8, ~0ULL, "ffffffffffffffff" },
	{ "plain64", 32, 16, 0x0102030405060708, "0807060504030201" Z24 },

	/* encrypted by the crypto API, from the plain64 IV */
	{ "essiv", 16, 16, 0x0102030405060708, "0807060504030201" Z8 },
	{ "essiv", 8, 8, 1, "0100000000000000" },

	{ "plain64be", 16, 16, 0, Z16 },
	{ "plain64be", 16, 16, 0x0102030405060708, Z8 "0102030405060708" },
	{ "plain64be", 16, 16, ~0ULL, Z8 "ffffffffffffffff" },
	{ "plain64be", 8, 8, 0x100000000, "0000000100000000" },
	{ "plain64be", 32, 16, 1, Z24 "0000000000000001" },

	/* 32 blocks of 16 bytes make 512, counted from 1 */
	{ "benbi", 16, 16, 0, Z8 "0000000000000001" },
	{ "benbi", 16, 16, 1, Z8 "0000000000000021" },
	{ "benbi", 16, 16, 0x100000000, Z8 "0000002000000001" },
	/* the count wraps: 2^64 - 1 times 32 is -32 */
	{ "benbi", 16, 16, ~0ULL, Z8 "ffffffffffffffe1" },
	{ "benbi", 16, 16, 1ULL << 59, Z8 "0000000000000001" },
	{ "benbi", 32, 16, 2, Z24 "0000000000000041" },
	/* 64 blocks of 8 bytes */
	{ "benbi", 8, 8, 1, "0000000000000041" },
	{ "benbi", 8, 8, 0x0102030405060708, "4080c1014181c201" },
	/* stream modes have blocks of 1 byte */
	{ "benbi", 16, 1, 1, Z8 "0000000000000201" },
	{ "benbi", 16, 512, 3, Z8 "0000000000000004" },

	{ "null", 16, 16, 0, Z16 },
	{ "null", 16, 16, ~0ULL, Z16 },
	{ "null", 8, 8, 77, Z8 },
	{ "null", 32, 16, 77, Z16 Z16 },

	/* a sector number has to fit even where the cipher reads less */
	{ "plain64", 4, 4, 0x0102030405060708, "0807060504030201" },
	{ "plain64be", 4, 4, 0x0102030405060708, "0102030405060708" },
	{ "plain", 1, 1, 0xffffffff, "ffffffff" Z4 },
};

static void test_vectors(void)
{
	char got[2 * IV_MAX + 1];
	const char *error = NULL;
	struct icrypt_iv iv;

	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		const struct vector *v = &vectors[i];
		int err = icrypt_iv_init(&iv, v->mode, v->ivsize, v->blocksize, &error);

		got[0] = '\0';
		if (!err && iv.generate)
			generate(&iv, v->sector, got);
		if (!ok(!err && !error && !strcmp(got, v->want),
			"%s, IV of %u bytes, blocks of %u, sector 0x%llx", v->mode, v->ivsize,
			v->blocksize, (unsigned long long)v->sector))
			diag("result %d, want %s, got %s", err, v->want, got);
	}
}

static void test_none(void)
{
	static const struct {
		const char *mode, *what;
	} none[] = {
		{ "", "no generator, no IV" },
		{ "plain64", "a cipher without IV ignores the generator" },
		{ "nonsense", "whatever it is" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		const char *error = NULL;
		struct icrypt_iv iv;
		int err;

		memset(&iv, 0xff, sizeof(iv));
		err = icrypt_iv_init(&iv, none[i].mode, 0, 16, &error);
		ok(!err && !error && !iv.generate && !iv.size, "%s",
		   none[i].what);
	}
}

static void test_refused(void)
{
	static const char benbi[] = "Cipher block size does not suit benbi, use plain64";
	static const char unknown[] = "Invalid IV mode";
	static const char missing[] = "IV mode missing for a cipher that takes an IV, use plain64";
	static const struct {
		const char *mode;
		unsigned int blocksize;
		const char *want;
	} refused[] = {
		{ "benbi", 0, benbi },
		{ "benbi", 3, benbi },
		{ "benbi", 24, benbi },
		{ "benbi", 1024, benbi },
		{ "benbi", 0x80000000, benbi },
		{ "lmk2", 16, unknown },
		{ "Random", 16, unknown },
		{ "PLAIN64", 16, unknown },
		{ "plain64 ", 16, unknown },
		{ "plain6", 16, unknown },
		{ "", 16, missing },
	};

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		const char *error = NULL;
		struct icrypt_iv iv;
		int err = icrypt_iv_init(&iv, refused[i].mode, 16, refused[i].blocksize, &error);

		if (!ok(err == -EINVAL && error && !strcmp(error, refused[i].want),
			"refused: \"%s\" with blocks of %u", refused[i].mode, refused[i].blocksize))
			diag("result %d, %s", err, error ? error : "no message");
	}
	/* The other generators do not look at it. */
	for (size_t i = 0; i < 3; i++) {
		static const unsigned int sizes[] = { 0, 3, 1024 };
		const char *error = NULL;
		struct icrypt_iv iv;

		ok(!icrypt_iv_init(&iv, "plain64", 16, sizes[i], &error) && !error,
		   "plain64 with blocks of %u", sizes[i]);
	}
}

/* As cipher.c counts: 512-byte sectors, divided only with iv_large_sectors. */
static int print_ivs(unsigned int ivsize, unsigned int blocksize, unsigned int count,
		     const char *line)
{
	char hex[2 * IV_MAX + 1];
	struct icrypt_table t;
	const char *error = "";
	struct icrypt_iv iv;
	unsigned int step, shift = 0;
	struct words w;

	words_split(&w, line);
	if (icrypt_table_parse(&t, w.argc, w.argv)) {
		fprintf(stderr, "iv_test: refused: %s\n", t.error);
		return 1;
	}
	if (icrypt_iv_init(&iv, t.iv_mode, ivsize, blocksize, &error)) {
		fprintf(stderr, "iv_test: refused: %s\n", error);
		return 1;
	}
	step = t.sector_size / 512;
	if (icrypt_option_set(&t, ICRYPT_OPT_IV_LARGE_SECTORS))
		shift = ilog2(step);
	for (unsigned int i = 0; i < count; i++) {
		generate(&iv, (t.iv_offset + (u64)i * step) >> shift, hex);
		printf("%s\n", hex);
	}
	words_free(&w);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 6 && !strcmp(argv[1], "iv"))
		return print_ivs(atoi(argv[2]), atoi(argv[3]), atoi(argv[4]), argv[5]);

	test_vectors();
	test_none();
	test_refused();
	return done();
}
