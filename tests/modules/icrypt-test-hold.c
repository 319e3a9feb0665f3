// SPDX-License-Identifier: GPL-2.0-only
/*
 * The target "test-hold": a device below that keeps the pages of what was written to
 * it, as a network device does that may have to send them again.
 *
 *	<start> <length> test-hold
 *
 * Writes wait for the message "end", which ends all that came. From then on each ends
 * at once, up to the message "hold". What they wrote is nowhere but in their pages,
 * which are not given back before the device goes. The message "changed" says how many
 * of the pages have other data than when they came. Reads give what is in their memory.
 */

#include <linux/bio.h>
#include <linux/crc32.h>
#include <linux/device-mapper.h>
#include <linux/highmem.h>
#include <linux/module.h>
#include <linux/spinlock.h>
#include <linux/vmalloc.h>

#define PAGES_MAX	65536

struct held {
	struct page	*page;
	unsigned int	offset, len;
	u32		crc;
};

struct hold {
	spinlock_t	lock;	/* all */
	struct bio_list	bios;
	bool		ended;
	unsigned int	count;
	struct held	held[PAGES_MAX];
};

static u32 crc_of(const struct held *p)
{
	u8 *data = kmap_local_page(p->page);
	u32 crc = crc32_le(0, data + p->offset, p->len);

	kunmap_local(data);
	return crc;
}

static int hold_ctr(struct dm_target *ti, unsigned int argc, char **argv)
{
	struct hold *h = vzalloc(sizeof(*h));

	if (!h)
		return -ENOMEM;
	spin_lock_init(&h->lock);
	bio_list_init(&h->bios);
	ti->private = h;
	return 0;
}

static void hold_dtr(struct dm_target *ti)
{
	struct hold *h = ti->private;

	while (h->count)
		put_page(h->held[--h->count].page);
	vfree(h);
}

static int hold_map(struct dm_target *ti, struct bio *bio)
{
	struct hold *h = ti->private;
	struct bvec_iter iter;
	struct bio_vec bv;
	bool ended;

	if (!op_is_write(bio_op(bio)) || !bio->bi_iter.bi_size) {
		bio_endio(bio);
		return DM_MAPIO_SUBMITTED;
	}
	spin_lock(&h->lock);
	bio_for_each_segment(bv, bio, iter) {
		struct held *p = &h->held[h->count];

		if (h->count == PAGES_MAX)
			break;
		h->count++;
		p->page = bv.bv_page;
		p->offset = bv.bv_offset;
		p->len = bv.bv_len;
		p->crc = crc_of(p);
		get_page(p->page);
	}
	ended = h->ended;
	if (!ended)
		bio_list_add(&h->bios, bio);
	spin_unlock(&h->lock);
	if (ended)
		bio_endio(bio);
	return DM_MAPIO_SUBMITTED;
}

static int hold_message(struct dm_target *ti, unsigned int argc, char **argv, char *result,
			unsigned int maxlen)
{
	struct hold *h = ti->private;
	unsigned int i, sz = 0, changed = 0;
	struct bio *bio, *next;

	if (!strcmp(argv[0], "end")) {
		spin_lock(&h->lock);
		h->ended = true;
		bio = bio_list_get(&h->bios);
		spin_unlock(&h->lock);
		for (; bio; bio = next) {
			next = bio->bi_next;
			bio->bi_next = NULL;
			bio_endio(bio);
		}
		return 0;
	}
	if (!strcmp(argv[0], "hold")) {
		WRITE_ONCE(h->ended, false);
		return 0;
	}
	for (i = 0; i < h->count; i++)
		changed += crc_of(&h->held[i]) != h->held[i].crc;
	DMEMIT("%u of %u", changed, h->count);
	return 1;
}

static struct target_type hold_target = {
	.name	 = "test-hold",
	.version = {1, 0, 0},
	.module	 = THIS_MODULE,
	.ctr	 = hold_ctr,
	.dtr	 = hold_dtr,
	.map	 = hold_map,
	.message = hold_message,
};

static int __init icrypt_test_hold_init(void)
{
	return dm_register_target(&hold_target);
}

static void __exit icrypt_test_hold_exit(void)
{
	dm_unregister_target(&hold_target);
}

module_init(icrypt_test_hold_init);
module_exit(icrypt_test_hold_exit);

MODULE_DESCRIPTION("A device that keeps pages, for the tests of dm-inline-crypt");
MODULE_LICENSE("GPL");
