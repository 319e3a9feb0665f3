// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the cipher alone costs: the least that an encrypted device can add to
 * the one below it.
 *
 * Loading the module encrypts or decrypts I/Os of the given size as a target
 * does, one request of the crypto API a sector on whole pages, and leaves the
 * time of one in ns_per_io. A read is decrypted in place, a write is encrypted
 * into other pages. Getting these pages is no part of it.
 */

#include <crypto/skcipher.h>
#include <linux/ktime.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

static char *alg = "xts(aes)";
module_param(alg, charp, 0444);
MODULE_PARM_DESC(alg, "Cipher, by the crypto API's name");

static unsigned int key_size = 64;
module_param(key_size, uint, 0444);
MODULE_PARM_DESC(key_size, "Of the key, bytes");

static unsigned int sector_size = 512;
module_param(sector_size, uint, 0444);
MODULE_PARM_DESC(sector_size, "Of a data unit, bytes");

static unsigned int bytes = 4096;
module_param(bytes, uint, 0444);
MODULE_PARM_DESC(bytes, "Of an I/O");

static bool write;
module_param(write, bool, 0444);
MODULE_PARM_DESC(write, "Encrypt, from one buffer to another");

static unsigned int iterations = 1000;
module_param(iterations, uint, 0444);
MODULE_PARM_DESC(iterations, "How many I/Os to time");

static unsigned long ns_per_io;
module_param(ns_per_io, ulong, 0444);
MODULE_PARM_DESC(ns_per_io, "The result");

static char *driver;
module_param(driver, charp, 0444);
MODULE_PARM_DESC(driver, "The driver that was timed");

/* The first I/Os find cold caches. */
#define WARM_UP		3
#define MAX_BYTES	(64 << 20)
#define MAX_KEY		128

struct limit {
	struct crypto_skcipher	*tfm;
	struct skcipher_request	*req;
	struct crypto_wait	wait;
	struct scatterlist	in, out;
	unsigned int		pages;
	struct page		**src, **dst;
	u8			iv[64] __aligned(16);
};

static struct limit limit;

static int one_io(struct limit *l, u64 sector)
{
	struct scatterlist *out = write ? &l->out : &l->in;
	unsigned int done;
	int err;

	skcipher_request_set_callback(l->req, CRYPTO_TFM_REQ_MAY_BACKLOG, crypto_req_done,
				      &l->wait);
	skcipher_request_set_crypt(l->req, &l->in, out, sector_size, l->iv);
	for (done = 0; done < bytes; done += sector_size) {
		unsigned int offset = offset_in_page(done);

		sg_set_page(&l->in, l->src[done >> PAGE_SHIFT], sector_size, offset);
		if (write)
			sg_set_page(&l->out, l->dst[done >> PAGE_SHIFT], sector_size, offset);
		memset(l->iv, 0, sizeof(l->iv));
		*(__le64 *)l->iv = cpu_to_le64(sector++);
		err = crypto_wait_req(write ? crypto_skcipher_encrypt(l->req) :
					      crypto_skcipher_decrypt(l->req), &l->wait);
		if (err)
			return err;
	}
	return 0;
}

static int measure(struct limit *l)
{
	u64 start = 0, sector = 0;
	unsigned int i;
	int err;

	crypto_init_wait(&l->wait);
	sg_init_table(&l->in, 1);
	sg_init_table(&l->out, 1);
	for (i = 0; i < WARM_UP + iterations; i++) {
		if (i == WARM_UP)
			start = ktime_get_ns();
		err = one_io(l, sector);
		if (err)
			return err;
		sector += bytes / sector_size;
		cond_resched();
	}
	ns_per_io = div_u64(ktime_get_ns() - start, iterations);
	return 0;
}

static struct page **alloc_pages_of_io(unsigned int pages)
{
	struct page **p = kvcalloc(pages, sizeof(*p), GFP_KERNEL);
	unsigned int i;

	for (i = 0; p && i < pages; i++) {
		p[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		/* Given back by free_pages_of_io(), which stops at the first gap. */
		if (!p[i])
			break;
	}
	return p;
}

static void free_pages_of_io(struct page **p, unsigned int pages)
{
	unsigned int i;

	for (i = 0; p && i < pages && p[i]; i++)
		__free_page(p[i]);
	kvfree(p);
}

static int set_up(struct limit *l)
{
	u8 key[MAX_KEY];
	unsigned int i;

	/* The choice of driver is dm-crypt's. */
	l->tfm = crypto_alloc_skcipher(alg, 0, CRYPTO_ALG_ALLOCATES_MEMORY);
	if (IS_ERR(l->tfm)) {
		int err = PTR_ERR(l->tfm);

		l->tfm = NULL;
		return err;
	}
	if (crypto_skcipher_ivsize(l->tfm) > sizeof(l->iv))
		return -EINVAL;
	for (i = 0; i < key_size; i++)
		key[i] = i;
	l->req = skcipher_request_alloc(l->tfm, GFP_KERNEL);
	l->src = alloc_pages_of_io(l->pages);
	l->dst = alloc_pages_of_io(l->pages);
	if (!l->req || !l->src || !l->dst ||
	    !l->src[l->pages - 1] || !l->dst[l->pages - 1])
		return -ENOMEM;
	return crypto_skcipher_setkey(l->tfm, key, key_size);
}

static int __init icrypt_limit_init(void)
{
	struct limit *l = &limit;
	int err;

	if (!is_power_of_2(sector_size) || sector_size < 512 || sector_size > PAGE_SIZE ||
	    !bytes || bytes % sector_size || bytes > MAX_BYTES || key_size > MAX_KEY ||
	    !iterations)
		return -EINVAL;
	l->pages = DIV_ROUND_UP(bytes, PAGE_SIZE);

	err = set_up(l);
	if (!err)
		err = measure(l);
	if (!err) {
		driver = kstrdup(crypto_skcipher_driver_name(l->tfm), GFP_KERNEL);
		if (!driver)
			err = -ENOMEM;
	}
	free_pages_of_io(l->dst, l->pages);
	free_pages_of_io(l->src, l->pages);
	skcipher_request_free(l->req);
	crypto_free_skcipher(l->tfm);
	return err;
}

static void __exit icrypt_limit_exit(void)
{
	kfree(driver);
}

module_init(icrypt_limit_init);
module_exit(icrypt_limit_exit);

MODULE_DESCRIPTION("Times the crypto API for the benchmark of dm-inline-crypt");
MODULE_LICENSE("GPL");
