// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit: the IV generators, against vectors worked out by hand from the description of
 * the formats. Those that need the key are tested with known answers by selftest.c.
 */

#include <kunit/test.h>
#include <linux/hex.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "../icrypt.h"

#define Z4	"00000000"
#define Z8	"0000000000000000"
#define IV_MAX	32
#define GUARD	0xa5

struct iv_vector {
	const char	*mode;
	unsigned int	size;
	unsigned int	blocksize;
	u64		sector;
	const char	*want;
};

static const struct iv_vector iv_vectors[] = {
	{ "plain", 16, 16, 0x12345678, "78563412" Z4 Z8 },
	/* 32 bits are its format. */
	{ "plain", 16, 16, 0x1ffffffff, "ffffffff" Z4 Z8 },
	{ "plain64", 16, 16, 0x0102030405060708, "0807060504030201" Z8 },
	{ "plain64", 16, 16, U64_MAX, "ffffffffffffffff" Z8 },
	{ "plain64", 8, 8, 0x100000000, Z4 "01000000" },
	/* A sector number has to fit even where the cipher reads less. */
	{ "plain64", 4, 4, 0x0102030405060708, "0807060504030201" },
	{ "plain64", 32, 16, 1, "01000000" Z4 Z8 Z8 Z8 },
	{ "plain64be", 16, 16, 0x0102030405060708, Z8 "0102030405060708" },
	{ "plain64be", 8, 8, 0x100000000, "00000001" Z4 },
	/* The crypto API makes the IV of this. */
	{ "essiv", 16, 16, 0x0102030405060708, "0807060504030201" Z8 },
	/* 32 blocks of 16 bytes make 512, counted from 1; the count wraps. */
	{ "benbi", 16, 16, 0, Z8 Z4 "00000001" },
	{ "benbi", 16, 16, 1, Z8 Z4 "00000021" },
	{ "benbi", 16, 16, U64_MAX, Z8 "ffffffffffffffe1" },
	{ "benbi", 8, 8, 1, Z4 "00000041" },
	{ "benbi", 16, 1, 1, Z8 Z4 "00000201" },
	{ "null", 16, 16, U64_MAX, Z8 Z8 },
};

static void describe_iv(const struct iv_vector *v, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s, %u bytes, blocks of %u, sector 0x%llx", v->mode,
		 v->size, v->blocksize, v->sector);
}

KUNIT_ARRAY_PARAM(iv, iv_vectors, describe_iv);

/* What lies before and behind an IV stays as it was. */
static void iv_is_right(struct kunit *test)
{
	const struct iv_vector *v = test->param_value;
	unsigned int size = strlen(v->want) / 2;
	u8 out[IV_MAX + 2], want[IV_MAX];
	const char *error = NULL;
	struct icrypt_iv iv;

	KUNIT_ASSERT_EQ(test, 0, icrypt_iv_init(&iv, v->mode, v->size, v->blocksize, &error));
	KUNIT_ASSERT_EQ(test, iv.size, size);
	KUNIT_ASSERT_NOT_NULL(test, iv.generate);
	KUNIT_ASSERT_EQ(test, 0, hex2bin(want, v->want, size));

	memset(out, GUARD, sizeof(out));
	iv.generate(&iv, out + 1, v->sector);
	KUNIT_EXPECT_MEMEQ(test, out + 1, want, size);
	KUNIT_EXPECT_EQ(test, out[0], GUARD);
	KUNIT_EXPECT_EQ(test, out[size + 1], GUARD);
}

static void iv_refused(struct kunit *test)
{
	static const struct {
		const char	*mode;
		unsigned int	blocksize;
	} refused[] = {
		{ "benbi", 0 }, { "benbi", 3 }, { "benbi", 1024 }, { "plain6", 16 },
		{ "PLAIN64", 16 }, { "", 16 },
	};
	struct icrypt_iv iv;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		const char *error = NULL;

		KUNIT_EXPECT_EQ_MSG(test, -EINVAL,
				    icrypt_iv_init(&iv, refused[i].mode, 16, refused[i].blocksize,
						   &error), "%s", refused[i].mode);
		KUNIT_EXPECT_NOT_NULL(test, error);
	}
}

static void iv_not_wanted(struct kunit *test)
{
	const char *error = NULL;
	struct icrypt_iv iv;

	KUNIT_EXPECT_EQ(test, 0, icrypt_iv_init(&iv, "", 0, 16, &error));
	KUNIT_EXPECT_NULL(test, iv.generate);
	KUNIT_EXPECT_EQ(test, iv.size, 0U);
	KUNIT_EXPECT_NULL(test, error);
}

/* All modes, through the real path. Kconfig selects what most of them need. */
static void iv_known_answers(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, 0, icrypt_selftest());
}

static struct kunit_case iv_cases[] = {
	KUNIT_CASE_PARAM(iv_is_right, iv_gen_params),
	KUNIT_CASE(iv_refused),
	KUNIT_CASE(iv_not_wanted),
	KUNIT_CASE(iv_known_answers),
	{}
};

static struct kunit_suite iv_suite = {
	.name = "inline-crypt-iv",
	.test_cases = iv_cases,
};

kunit_test_suite(iv_suite);
