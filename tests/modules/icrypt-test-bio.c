// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bios that user space has no way to ask for. Loading the module fails if one does.
 *
 * Zone appends: "count" blocks of 4096 bytes to the zone at sector 0 of "device", the
 * first of A's, the next of B's. Where they went is in "sectors".
 *
 * With "pieces", a read from sector 0 instead, into pieces of these lengths and of any
 * alignment: it has to be what an ordinary read of 4096 bytes gives.
 */

#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/module.h>
#include <linux/version.h>

#define BLOCK_SIZE_APPENDED	4096
#define COUNT_MAX		16
#define READ_SIZE		4096

static char *device;
module_param(device, charp, 0444);
MODULE_PARM_DESC(device, "Path of a block device; a zoned one to append");

static unsigned int count = 2;
module_param(count, uint, 0444);
MODULE_PARM_DESC(count, "Blocks to append (2, at most 16)");

static unsigned int sectors[COUNT_MAX];
static unsigned int done;
module_param_array(sectors, uint, &done, 0444);
MODULE_PARM_DESC(sectors, "Where they went, 512-byte sectors");

static unsigned int pieces[COUNT_MAX];
static unsigned int n_pieces;
module_param_array(pieces, uint, &n_pieces, 0444);
MODULE_PARM_DESC(pieces, "Lengths in bytes, 4096 in all");

/* Into the vector from @first on. */
static int read_into(struct block_device *bdev, struct bio_vec *first, unsigned int n)
{
	struct bio bio;
	int err;

	bio_init(&bio, bdev, first, n, REQ_OP_READ | REQ_SYNC);
	bio.bi_vcnt = n;
	bio.bi_iter.bi_size = READ_SIZE;
	err = submit_bio_wait(&bio);
	bio_uninit(&bio);
	return err;
}

/* A page for each piece, and behind them one for the ordinary read. */
static int read_pieces(struct block_device *bdev)
{
	unsigned int i, at, order = get_order((n_pieces + 1) * PAGE_SIZE);
	struct bio_vec vec[COUNT_MAX + 1];
	u8 *memory, *ordinary;
	int err = 0;

	memory = (u8 *)__get_free_pages(GFP_KERNEL | __GFP_ZERO | __GFP_COMP, order);
	if (!memory)
		return -ENOMEM;
	ordinary = memory + n_pieces * PAGE_SIZE;
	for (i = 0, at = 0; i <= n_pieces; i++) {
		vec[i].bv_page = virt_to_page(memory + i * PAGE_SIZE);
		vec[i].bv_offset = i < n_pieces ? 4 + 8 * i : 0;
		vec[i].bv_len = i < n_pieces ? pieces[i] : READ_SIZE;
		if (vec[i].bv_len > PAGE_SIZE - vec[i].bv_offset)
			err = -EINVAL;
		at += vec[i].bv_len;
	}
	if (at != 2 * READ_SIZE)
		err = -EINVAL;
	err = err ?: read_into(bdev, vec + n_pieces, 1);
	err = err ?: read_into(bdev, vec, n_pieces);
	for (i = 0, at = 0; i < n_pieces && !err; at += pieces[i++])
		if (memcmp(memory + i * PAGE_SIZE + vec[i].bv_offset, ordinary + at, pieces[i]))
			err = -EILSEQ;
	free_pages((unsigned long)memory, order);
	return err;
}

static int append(struct block_device *bdev, struct page *page)
{
	struct bio_vec vec;
	struct bio bio;
	int err;

	bio_init(&bio, bdev, &vec, 1, REQ_OP_ZONE_APPEND | REQ_SYNC | REQ_IDLE);
	__bio_add_page(&bio, page, BLOCK_SIZE_APPENDED, 0);
	err = submit_bio_wait(&bio);
	if (!err)
		sectors[done++] = bio.bi_iter.bi_sector;
	bio_uninit(&bio);
	return err;
}

static int append_all(struct block_device *bdev)
{
	struct page *page = alloc_page(GFP_KERNEL);
	unsigned int i;
	int err = page ? 0 : -ENOMEM;

	done = 0;
	for (i = 0; i < min_t(unsigned int, count, COUNT_MAX) && !err; i++) {
		memset(page_address(page), 'A' + i, BLOCK_SIZE_APPENDED);
		err = append(bdev, page);
	}
	if (page)
		__free_page(page);
	return err;
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
static int __init icrypt_test_bio_init(void)
{
	struct file *file = bdev_file_open_by_path(device ?: "", BLK_OPEN_READ | BLK_OPEN_WRITE,
						   NULL, NULL);
	int err;

	if (IS_ERR(file))
		return PTR_ERR(file);
	err = n_pieces ? read_pieces(file_bdev(file)) : append_all(file_bdev(file));
	bdev_fput(file);
	return err;
}
#else
static int __init icrypt_test_bio_init(void)
{
	struct block_device *bdev = blkdev_get_by_path(device ?: "", FMODE_READ | FMODE_WRITE,
						       NULL);
	int err;

	if (IS_ERR(bdev))
		return PTR_ERR(bdev);
	err = n_pieces ? read_pieces(bdev) : append_all(bdev);
	blkdev_put(bdev, FMODE_READ | FMODE_WRITE);
	return err;
}
#endif

static void __exit icrypt_test_bio_exit(void)
{
}

module_init(icrypt_test_bio_init);
module_exit(icrypt_test_bio_exit);

MODULE_DESCRIPTION("Unusual bios for the tests of dm-inline-crypt");
MODULE_LICENSE("GPL");
