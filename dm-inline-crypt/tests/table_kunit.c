// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit: the parser and the printer of table lines. The long list of lines, and the
 * fuzzer, are for user space (tests/unit/ of the project), where sanitizers watch.
 */

#include <kunit/test.h>
#include <linux/hex.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "../table.h"

/* 16 and 32 bytes, obvious patterns */
#define K16	"00112233445566778899aabbccddeeff"
#define K32	K16 "ffeeddccbbaa99887766554433221100"
#define AUTO	ICRYPT_WANT_AUTO

struct good_line {
	const char		*line;
	const char		*printed;	/* NULL: as @line */
	const char		*alg;
	const char		*iv_mode;
	unsigned int		key_size;
	unsigned int		sector_size;	/* 0: 512 */
	unsigned long		options;
	enum icrypt_want	read, write;
};

static const struct good_line good_lines[] = {
	{ "aes-xts-plain64 " K32 " 0 8:0 0", NULL, "xts(aes)", "plain64", 32 },
	{ "aes-xts-plain64 " K32 " 8 /dev/null 18446744073709551615", NULL, "xts(aes)",
	  "plain64", 32 },
	{ "aes " K16 " 0 8:0 0", NULL, "cbc(aes)", "plain", 16 },
	{ "aes-ecb " K16 " 0 8:0 0", NULL, "ecb(aes)", "", 16 },
	{ "aes-cbc-essiv:sha256 " K32 " 0 8:0 0", NULL, "essiv(cbc(aes),sha256)", "essiv", 32 },
	{ "capi:xts(aes)-plain64 " K32 " 0 8:0 0", NULL, "xts(aes)", "plain64", 32 },
	{ "cipher_null-ecb - 0 8:0 0", NULL, "ecb(cipher_null)", "", 0 },
	{ "aes-xts-plain64 :32:logon:disk:key 0 8:0 0", NULL, "xts(aes)", "plain64", 32 },
	{ "aes-xts-plain64 " K32 " 0 8:0 0 0", "aes-xts-plain64 " K32 " 0 8:0 0",
	  "xts(aes)", "plain64", 32 },
	{ "aes-xts-plain64 " K32 " 0 8:0 0 3 SECTOR_SIZE:4096 allow_discards iv_large_sectors",
	  "aes-xts-plain64 " K32 " 0 8:0 0 3 allow_discards sector_size:4096 iv_large_sectors",
	  "xts(aes)", "plain64", 32, 4096,
	  BIT(ICRYPT_OPT_ALLOW_DISCARDS) | BIT(ICRYPT_OPT_IV_LARGE_SECTORS) },
	{ "aes-xts-plain64 " K32 " 0 8:0 0 2 write_context:caller read_context:endio",
	  "aes-xts-plain64 " K32 " 0 8:0 0 2 read_context:endio write_context:caller",
	  "xts(aes)", "plain64", 32, 0, 0, ICRYPT_WANT_ENDIO, ICRYPT_WANT_CALLER },
	{ "aes-xts-plain64 " K32 " 0 8:0 0 1 read_context:auto", "aes-xts-plain64 " K32 " 0 8:0 0",
	  "xts(aes)", "plain64", 32, 0, 0, AUTO, AUTO },
};

static void describe_good(const struct good_line *line, char *desc)
{
	strscpy(desc, line->line, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(good, good_lines, describe_good);

static void free_words(void *argv)
{
	argv_free(argv);
}

/* Words of @line, as dm has them; gone with the test. */
static char **words_of(struct kunit *test, const char *line, int *argc)
{
	char **argv = argv_split(GFP_KERNEL, line, argc);

	KUNIT_ASSERT_NOT_NULL(test, argv);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, free_words, argv));
	return argv;
}

/* It means what it should, and comes out as dm-crypt would print it. */
static void table_takes(struct kunit *test)
{
	const struct good_line *g = test->param_value;
	char *printed = kunit_kzalloc(test, SZ_1K, GFP_KERNEL);
	struct icrypt_table *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	char **argv;
	u8 key[32];
	int argc;

	KUNIT_ASSERT_NOT_NULL(test, printed);
	KUNIT_ASSERT_NOT_NULL(test, t);
	argv = words_of(test, g->line, &argc);
	KUNIT_ASSERT_EQ_MSG(test, 0, icrypt_table_parse(t, argc, argv), "%s", t->error);
	KUNIT_EXPECT_STREQ(test, t->alg, g->alg);
	KUNIT_EXPECT_STREQ(test, t->iv_mode, g->iv_mode);
	KUNIT_EXPECT_EQ(test, t->key_size, g->key_size);
	KUNIT_EXPECT_EQ(test, t->sector_size, g->sector_size ?: 512);
	KUNIT_EXPECT_EQ(test, t->options, g->options);
	KUNIT_EXPECT_EQ(test, t->read_context, g->read);
	KUNIT_EXPECT_EQ(test, t->write_context, g->write);

	if (!t->key_in_keyring && t->key_size)
		KUNIT_ASSERT_EQ(test, 0, hex2bin(key, t->key, t->key_size));
	icrypt_table_print(t, ICRYPT_PRINT_TABLE, key, printed, SZ_1K);
	KUNIT_EXPECT_STREQ(test, printed, g->printed ?: g->line);

	/* Without the key, it has as many zeros. */
	icrypt_table_print(t, ICRYPT_PRINT_TABLE, NULL, printed, SZ_1K);
	KUNIT_EXPECT_EQ(test, strlen(printed), strlen(g->printed ?: g->line));
	KUNIT_EXPECT_NULL(test, strstr(printed, K16));
}

struct bad_line {
	const char	*line;
	unsigned int	word;	/* that is to blame */
};

static const struct bad_line bad_lines[] = {
	{ "", 0 },
	{ "aes-xts-plain64 " K32 " 0 8:0", 0 },
	{ "aes-xts " K32 " 0 8:0 0", 1 },
	{ "aes-xts-plain63 " K32 " 0 8:0 0", 1 },
	{ "aes:3-cbc-plain64 " K32 " 0 8:0 0", 1 },
	{ "aes-cbc-essiv " K32 " 0 8:0 0", 1 },
	{ "xts(aes)-plain64 " K32 " 0 8:0 0", 1 },
	{ "capi: " K32 " 0 8:0 0", 1 },
	/* The key in the place of the cipher, which modprobe would be told, or of the device */
	{ K32 " aes-xts-plain64 0 8:0 0", 1 },
	{ "aes-xts-plain64 8:0 0 " K32 " 0", 4 },
	{ "aes-xts-plain64 a 0 8:0 0", 2 },
	{ "aes-xts-plain64 ::logon:disk 0 8:0 0", 2 },
	{ "aes-xts-plain64 :+32:logon:disk 0 8:0 0", 2 },
	{ "aes-xts-plain64 :32769:logon:disk 0 8:0 0", 2 },
	{ "aes-xts-plain64 " K32 " x 8:0 0", 3 },
	{ "aes-xts-plain64 " K32 " -1 8:0 0", 3 },
	{ "aes-xts-plain64 " K32 " 4 8:0 0 1 sector_size:4096", 3 },
	{ "aes-xts-plain64 " K32 " 0 8:0 18446744073709551616", 5 },
	{ "aes-xts-plain64 " K32 " 0 8:0 0 1", 6 },
	{ "aes-xts-plain64 " K32 " 0 8:0 0 1 allow_discard", 7 },
	{ "aes-xts-plain64 " K32 " 0 8:0 0 2 allow_discards sector_size:513", 8 },
	{ "aes-xts-plain64 " K32 " 0 8:0 0 1 sector_size:8192", 7 },
	{ "aes-xts-plain64 " K32 " 0 8:0 0 1 write_context:endio", 7 },
	{ "aes-xts-plain64 " K32 " 0 8:0 0 1 read_context:", 7 },
	{ "aes-xts-plain64 " K32 " 0 8:0 0 1 integrity:481:none", 7 },
};

static void describe_bad(const struct bad_line *line, char *desc)
{
	strscpy(desc, line->line, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(bad, bad_lines, describe_bad);

/* It names the word, and what to do, and no text of the line. */
static void table_refuses(struct kunit *test)
{
	const struct bad_line *b = test->param_value;
	struct icrypt_table *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	char **argv;
	int argc;

	KUNIT_ASSERT_NOT_NULL(test, t);
	argv = words_of(test, b->line, &argc);
	KUNIT_ASSERT_EQ(test, -EINVAL, icrypt_table_parse(t, argc, argv));
	KUNIT_EXPECT_EQ(test, t->word, b->word);
	KUNIT_ASSERT_NOT_NULL(test, t->error);
	KUNIT_EXPECT_NULL(test, strstr(t->error, "0011"));
}

/* A name that may be anything is printed by what is known of it. */
static void table_prints_no_key_as_cipher(struct kunit *test)
{
	char name[64];

	icrypt_alg_print("xts(aes)", name, sizeof(name));
	KUNIT_EXPECT_STREQ(test, name, "xts(aes)");
	icrypt_alg_print("xts(" K16 ")", name, sizeof(name));
	KUNIT_EXPECT_STREQ(test, name, "xts(?)");
	icrypt_alg_print("authenc(hmac(sha256),xts(aes))", name, 8);
	KUNIT_EXPECT_STREQ(test, name, "authenc");
}

static struct kunit_case table_cases[] = {
	KUNIT_CASE_PARAM(table_takes, good_gen_params),
	KUNIT_CASE_PARAM(table_refuses, bad_gen_params),
	KUNIT_CASE(table_prints_no_key_as_cipher),
	{}
};

static struct kunit_suite table_suite = {
	.name = "inline-crypt-table",
	.test_cases = table_cases,
};

kunit_test_suite(table_suite);
