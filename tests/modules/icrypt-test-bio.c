// SPDX-License-Identifier: GPL-2.0-only
/*
 * Zone appends, which user space has no way to ask for: loading the module appends
 * "count" blocks of 4096 bytes to the zone at sector 0 of "device", the first of
 * A's, the next of B's. Where they went is in "sectors"; loading fails if one does.
 */

#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/module.h>
#include <linux/version.h>

#define BLOCK_SIZE_APPENDED	4096
#define COUNT_MAX		16

static char *device;
module_param(device, charp, 0444);
MODULE_PARM_DESC(device, "Path of a zoned device");

static unsigned int count = 2;
module_param(count, uint, 0444);
MODULE_PARM_DESC(count, "Blocks to append (2, at most 16)");

static unsigned int sectors[COUNT_MAX];
static unsigned int done;
module_param_array(sectors, uint, &done, 0444);
MODULE_PARM_DESC(sectors, "Where they went, 512-byte sectors");

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
static int __init icrypt_test_append_init(void)
{
	struct file *file = bdev_file_open_by_path(device ?: "", BLK_OPEN_READ | BLK_OPEN_WRITE,
						   NULL, NULL);
	int err;

	if (IS_ERR(file))
		return PTR_ERR(file);
	err = append_all(file_bdev(file));
	bdev_fput(file);
	return err;
}
#else
static int __init icrypt_test_append_init(void)
{
	struct block_device *bdev = blkdev_get_by_path(device ?: "", FMODE_READ | FMODE_WRITE,
						       NULL);
	int err;

	if (IS_ERR(bdev))
		return PTR_ERR(bdev);
	err = append_all(bdev);
	blkdev_put(bdev, FMODE_READ | FMODE_WRITE);
	return err;
}
#endif

static void __exit icrypt_test_append_exit(void)
{
}

module_init(icrypt_test_append_init);
module_exit(icrypt_test_append_exit);

MODULE_DESCRIPTION("Zone appends for the tests of dm-inline-crypt");
MODULE_LICENSE("GPL");
