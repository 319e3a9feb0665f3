// SPDX-License-Identifier: GPL-2.0-only
/*
 * A reader that looks synchronous and is not: each read() of /proc/icrypt-test-reader
 * sends "count" reads of 4096 bytes to "device", and only then waits for all of them. With
 * "plug", each of these is sent in a plug of its own. It gets one byte.
 */

#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/completion.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/version.h>

#define READ_SIZE	4096
#define COUNT_MAX	64

static char *device;
module_param(device, charp, 0444);
MODULE_PARM_DESC(device, "Path of a block device");

static unsigned int count = 1;
module_param(count, uint, 0644);
MODULE_PARM_DESC(count, "Reads sent by one read()");

static bool plug;
module_param(plug, bool, 0644);
MODULE_PARM_DESC(plug, "Hold a plug around each");

static struct block_device *bdev;
static struct page *pages[COUNT_MAX];

struct batch {
	atomic_t		left;
	atomic_t		errors;
	struct completion	done;
};

static void batch_put(struct batch *b)
{
	if (atomic_dec_and_test(&b->left))
		complete(&b->done);
}

static void read_end(struct bio *bio)
{
	struct batch *b = bio->bi_private;

	if (bio->bi_status)
		atomic_inc(&b->errors);
	bio_put(bio);
	batch_put(b);
}

static void send(struct batch *b, unsigned int i)
{
	struct bio *bio = bio_alloc(bdev, 1, REQ_OP_READ, GFP_KERNEL);
	struct blk_plug own;

	bio->bi_iter.bi_sector = i * (READ_SIZE >> SECTOR_SHIFT);
	bio->bi_private = b;
	bio->bi_end_io = read_end;
	__bio_add_page(bio, pages[i], READ_SIZE, 0);
	atomic_inc(&b->left);
	if (plug)
		blk_start_plug(&own);
	submit_bio(bio);
	if (plug)
		blk_finish_plug(&own);
}

static ssize_t reader_read(struct file *file, char __user *buf, size_t size, loff_t *pos)
{
	struct batch b = {
		.left = ATOMIC_INIT(1),
		.errors = ATOMIC_INIT(0),
		.done = COMPLETION_INITIALIZER_ONSTACK(b.done),
	};
	unsigned int i;

	for (i = 0; i < min_t(unsigned int, count, COUNT_MAX); i++)
		send(&b, i);
	batch_put(&b);
	wait_for_completion_io(&b.done);
	if (atomic_read(&b.errors))
		return -EIO;
	if (!size || put_user(0, buf))
		return size ? -EFAULT : 0;
	return 1;
}

static const struct proc_ops reader_ops = { .proc_read = reader_read };

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
static struct file *bdev_file;

static int device_get(void)
{
	bdev_file = bdev_file_open_by_path(device ?: "", BLK_OPEN_READ, NULL, NULL);
	if (IS_ERR(bdev_file))
		return PTR_ERR(bdev_file);
	bdev = file_bdev(bdev_file);
	return 0;
}

static void device_release(void)
{
	bdev_fput(bdev_file);
}
#else
static int device_get(void)
{
	bdev = blkdev_get_by_path(device ?: "", FMODE_READ, NULL);
	return PTR_ERR_OR_ZERO(bdev);
}

static void device_release(void)
{
	blkdev_put(bdev, FMODE_READ);
}
#endif

static void pages_free(void)
{
	unsigned int i;

	for (i = 0; i < COUNT_MAX; i++)
		if (pages[i])
			__free_page(pages[i]);
}

static int __init icrypt_test_reader_init(void)
{
	unsigned int i;
	int err;

	for (i = 0; i < COUNT_MAX; i++) {
		pages[i] = alloc_page(GFP_KERNEL);
		if (!pages[i]) {
			pages_free();
			return -ENOMEM;
		}
	}
	err = device_get();
	if (!err && !proc_create("icrypt-test-reader", 0400, NULL, &reader_ops)) {
		device_release();
		err = -ENOMEM;
	}
	if (err)
		pages_free();
	return err;
}

static void __exit icrypt_test_reader_exit(void)
{
	remove_proc_entry("icrypt-test-reader", NULL);
	device_release();
	pages_free();
}

module_init(icrypt_test_reader_init);
module_exit(icrypt_test_reader_exit);

MODULE_DESCRIPTION("A reader that does not wait at once, for the tests of dm-inline-crypt");
MODULE_LICENSE("GPL");
