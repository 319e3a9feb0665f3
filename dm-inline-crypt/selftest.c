// SPDX-License-Identifier: GPL-2.0-only
/*
 * The self-test at load: known answers of the module's own path, from the words of a
 * table line through the IV generators and the crypto API to a bio of several pages.
 *
 * The module compiles on kernels on which it has not been tested, and its crypto code
 * depends on interfaces that change. Wrong data on a disk is worse than no target. So if
 * an answer is wrong, the module does not load, and dm-crypt can take its place.
 *
 * The answers are OpenSSL's, see tests/26-selftest.t.
 */

#include <linux/bvec.h>
#include <linux/completion.h>
#include <linux/highmem.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "icrypt.h"

/* Size of the data, bytes: 512-byte units on both sides of number 2^32, or two of 4096. */
#define SELFTEST_BYTES		8192U
#define SELFTEST_IV_OFFSET	"4294967288"

/* The pieces of the bio, bytes: a data unit of 4096 bytes crosses a page. */
static const unsigned int selftest_pieces[] = { 3584, 4096, 512 };

#define SELFTEST_PAGES		ARRAY_SIZE(selftest_pieces)
#define SELFTEST_KEY_MAX	64U

/**
 * struct selftest - a known answer
 * @cipher:      the cipher, as in a table line
 * @key_size:    size of the key, bytes
 * @sector_size: data unit, bytes; IVs count these
 * @sum:         FNV-1a, 64 bits, of the ciphertext
 */
struct selftest {
	const char	*cipher;
	unsigned int	key_size;
	unsigned int	sector_size;
	u64		sum;
};

static const struct selftest selftests[] = {
	{ "aes-xts-plain64", 64, 512, 0x6f694ce29b743ef6ULL },
	{ "aes-xts-plain64", 64, 4096, 0x7ae765f753d61a4eULL },
	{ "aes-xts-plain", 32, 512, 0xbfcba5da83a959c9ULL },
	{ "aes-cbc-essiv:sha256", 32, 512, 0x2fa208adcfd2a715ULL },
	{ "aes-cbc-plain64", 32, 4096, 0xe1602baef92c8e28ULL },
	{ "aes-cbc-plain64be", 32, 512, 0x52a15f1bf92c6c9dULL },
	{ "aes-cbc-benbi", 32, 512, 0xccb0d9f7633e0f59ULL },
	{ "aes-cbc-null", 32, 512, 0x5cc86f409bffb939ULL },
	{ "aes:2-cbc-lmk", 32, 512, 0x963b88e2d75781ceULL },
	{ "aes-cbc-tcw", 64, 512, 0x2f91131393d08f78ULL },
	{ "aes-cbc-eboiv", 32, 512, 0xae99d48562c4cc69ULL },
	{ "aes-cbc-elephant", 64, 512, 0x56499edeb2254468ULL },
};

/**
 * struct selftest_run - memory for a test
 * @table:  the table line
 * @cipher: the cipher
 * @key:    the key, an obvious pattern
 * @hex:    the same, as a word of the table line
 * @pages:  the data, in pieces
 * @vecs:   these pieces
 * @bio:    the bio of these
 * @done:   completed when an asynchronous driver has answered
 */
struct selftest_run {
	struct icrypt_table	table;
	struct icrypt_cipher	cipher;
	u8			key[SELFTEST_KEY_MAX];
	char			hex[2 * SELFTEST_KEY_MAX + 1];
	struct page		*pages[SELFTEST_PAGES];
	struct bio_vec		vecs[SELFTEST_PAGES];
	struct bio		bio;
	struct completion	done;
};

static u8 selftest_byte(unsigned int at)
{
	return at * 31 + (at >> 8) * 17;
}

/* The address of byte @at of the data. The pages are not in high memory. */
static u8 *selftest_at(struct selftest_run *run, unsigned int at)
{
	unsigned int i = 0;

	while (at >= selftest_pieces[i])
		at -= selftest_pieces[i++];
	return (u8 *)page_address(run->pages[i]) + run->vecs[i].bv_offset + at;
}

static u64 selftest_sum(struct selftest_run *run)
{
	u64 sum = 0xcbf29ce484222325ULL;
	unsigned int at;

	for (at = 0; at < SELFTEST_BYTES; at++)
		sum = (sum ^ *selftest_at(run, at)) * 0x100000001b3ULL;
	return sum;
}

static int selftest_alloc(struct selftest_run *run)
{
	unsigned int i;

	for (i = 0; i < SELFTEST_PAGES; i++) {
		run->pages[i] = alloc_page(GFP_KERNEL);
		if (!run->pages[i])
			return -ENOMEM;
		/* The first piece ends with its page: not a whole page, but sector-aligned. */
		bvec_set_page(&run->vecs[i], run->pages[i], selftest_pieces[i],
			      i ? 0 : PAGE_SIZE - selftest_pieces[i]);
	}
	for (i = 0; i < SELFTEST_KEY_MAX; i++)
		run->key[i] = i + 1;
	init_completion(&run->done);
	return 0;
}

static void selftest_free(struct selftest_run *run)
{
	unsigned int i;

	for (i = 0; i < SELFTEST_PAGES; i++)
		if (run->pages[i])
			__free_page(run->pages[i]);
	kfree(run);
}

/* The descriptor's done(). */
static void selftest_done(void *cookie, enum icrypt_progress progress)
{
	struct selftest_run *run = cookie;

	complete(&run->done);
}

/* All of the data, in place. Returns 0 or the status of the cipher as an errno. */
static int selftest_crypt(struct selftest_run *run, void *req, bool write)
{
	struct iodesc d = { .write = write, .done = selftest_done, .cookie = run };

	bio_init(&run->bio, NULL, run->vecs, SELFTEST_PAGES, REQ_OP_READ);
	run->bio.bi_vcnt = SELFTEST_PAGES;
	run->bio.bi_iter.bi_size = SELFTEST_BYTES;
	icrypt_cipher_start(&run->cipher, &d, &run->bio, &run->bio, 0, NULL);
	while (d.in_iter.bi_size && !d.status) {
		reinit_completion(&run->done);
		if (icrypt_cipher_run(&run->cipher, &d, req, ICRYPT_MAY_SLEEP) == ICRYPT_QUEUED)
			wait_for_completion(&run->done);
	}
	bio_uninit(&run->bio);
	return blk_status_to_errno(d.status);
}

/* Encrypt, compare, decrypt, compare. */
static int selftest_compare_by(struct selftest_run *run, const struct selftest *test)
{
	void *req = kzalloc(run->cipher.req_size, GFP_KERNEL);
	unsigned int at;
	int err;

	if (!req)
		return -ENOMEM;
	for (at = 0; at < SELFTEST_BYTES; at++)
		*selftest_at(run, at) = selftest_byte(at);
	err = selftest_crypt(run, req, true);
	if (!err && selftest_sum(run) != test->sum)
		err = -EBADMSG;
	if (!err)
		err = selftest_crypt(run, req, false);
	for (at = 0; at < SELFTEST_BYTES && !err; at++)
		if (*selftest_at(run, at) != selftest_byte(at))
			err = -EBADMSG;
	kfree(req);
	return err;
}

/* Tests the crypto API, and also the engine if it supports the specification. */
static int selftest_compare(struct selftest_run *run, const struct selftest *test)
{
	struct icrypt_cipher *c = &run->cipher;
	int err;

	c->engine.on = false;
	err = selftest_compare_by(run, test);
	if (err || !c->engine.key)
		return err;
	c->engine.on = true;
	return selftest_compare_by(run, test);
}

/* The words of the table line, for argv_free(). Its key is no secret. */
static char **selftest_words(struct selftest_run *run, const struct selftest *test, int *argc)
{
	char **argv, *line;

	*bin2hex(run->hex, run->key, test->key_size) = '\0';
	line = kasprintf(GFP_KERNEL, "%s %s " SELFTEST_IV_OFFSET " none 0 2 sector_size:%u %s",
			 test->cipher, run->hex, test->sector_size,
			 test->sector_size == SECTOR_SIZE ? "no_read_workqueue" :
							    "iv_large_sectors");
	if (!line)
		return NULL;
	argv = argv_split(GFP_KERNEL, line, argc);
	kfree(line);
	return argv;
}

/* 1: passed; 0: the kernel has no such cipher, or refuses it; or a negative errno. */
static int selftest_one(struct selftest_run *run, const struct selftest *test)
{
	const char *error = NULL;
	int argc, err;
	char **argv = selftest_words(run, test, &argc);

	if (!argv)
		return -ENOMEM;
	memset(&run->table, 0, sizeof(run->table));
	memset(&run->cipher, 0, sizeof(run->cipher));
	err = icrypt_table_parse(&run->table, argc, argv);
	if (err)
		goto free;
	err = icrypt_cipher_init(&run->cipher, &run->table, &error);
	if (!err)
		err = icrypt_cipher_setkey(&run->cipher, run->key, test->key_size);
	/* A cipher that the kernel lacks, or that FIPS forbids, is not a wrong answer. */
	if (err && err != -ENOMEM)
		err = 0;
	else if (!err)
		err = selftest_compare(run, test) ?: 1;
	icrypt_cipher_exit(&run->cipher);
free:
	argv_free(argv);
	return err;
}

/**
 * icrypt_selftest() - do table, IVs, cipher and bios of several pages yield the right data?
 *
 * Ciphers that this kernel does not have are not tested.
 *
 * Context: process, may sleep; loads crypto modules.
 * Return: 0; -EBADMSG for wrong data; or another negative errno.
 */
int icrypt_selftest(void)
{
	struct selftest_run *run = kzalloc_obj(*run);
	unsigned int i, passed = 0;
	int err;

	if (!run)
		return -ENOMEM;
	err = selftest_alloc(run);
	for (i = 0; i < ARRAY_SIZE(selftests) && err >= 0; i++) {
		err = selftest_one(run, selftests + i);
		passed += err > 0;
	}
	selftest_free(run);
	if (err == -ENOMEM)
		return err;
	if (err < 0) {
		DMERR("self-test: %s with sectors of %u bytes gives wrong data on this kernel (%d)",
		      selftests[i - 1].cipher, selftests[i - 1].sector_size, err);
		DMERR("self-test: no target; use dm-crypt, and report the kernel's version");
		return err;
	}
	DMINFO("self-test: %u of %zu answers right, %zu not available; kernel series %s",
	       passed, ARRAY_SIZE(selftests), ARRAY_SIZE(selftests) - passed,
	       ICRYPT_KERNEL_IS_TESTED ? "tested" : "not tested, reports are welcome");
	return 0;
}
