// SPDX-License-Identifier: GPL-2.0-only
/*
 * Integrity metadata is stored by the device below with each data unit: an
 * authentication tag, a random IV, or both. It is sent as the integrity payload of the
 * bio for the device below. Its memory belongs to us. io->tags points to it, and the
 * cipher reads and writes it there.
 *
 * The device below is dm-integrity without an internal hash or, on newer kernels, a
 * disk with metadata that has no other use (NVMe).
 */

#include <linux/completion.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "icrypt.h"

/* Minimum size of an entry of the pool, bytes, and number of entries. */
#define ICRYPT_TAGS_POOLED	512U
#define ICRYPT_TAGS_ENTRIES	64

static unsigned int tags_size(const struct icrypt_config *cc, unsigned int bytes)
{
	return bytes / cc->cipher.sector_size * cc->cipher.tuple_size;
}

/* Size of the data units whose metadata fits into a pool entry, at least one; bytes. */
static unsigned int tags_pooled_bytes(const struct icrypt_config *cc)
{
	return max(ICRYPT_TAGS_POOLED / cc->cipher.tuple_size, 1U) * cc->cipher.sector_size;
}

/**
 * icrypt_tags_alloc() - get memory for the integrity metadata of a bio
 * @io:     in map, with nothing of it sent yet
 * @nowait: do not sleep for it
 *
 * When memory is short, map takes only the part of the bio for which there is
 * memory, at least one entry of the pool. A bio that must not wait or must not be
 * split gets memory for all of its metadata, or fails.
 *
 * Context: process. Sleeps unless @nowait.
 * Return: whether there is some; io->bytes may have become less.
 */
bool icrypt_tags_alloc(struct icrypt_io *io, bool nowait)
{
	struct icrypt_config *cc = io->cc;
	bool whole = io->desc.write && !icrypt_may_split_write(io->bio);
	gfp_t gfp = (nowait ? GFP_NOWAIT : GFP_NOIO) | __GFP_NOWARN;
	unsigned int bytes;

	if (!whole)
		gfp |= __GFP_NORETRY | __GFP_NOMEMALLOC;
	io->tags_pooled = false;
	io->tags = kmalloc(tags_size(cc, io->bytes), gfp);
	if (likely(io->tags))
		return true;
	if (nowait || whole)
		return false;

	for (bytes = io->bytes; !io->tags && bytes > tags_pooled_bytes(cc); ) {
		bytes = max(round_down(bytes / 2, cc->cipher.sector_size), tags_pooled_bytes(cc));
		if (bytes > tags_pooled_bytes(cc))
			io->tags = kmalloc(tags_size(cc, bytes), gfp);
	}
	if (bytes < io->bytes)
		icrypt_accept_part(io, bytes);
	if (!io->tags) {
		io->tags = mempool_alloc(&cc->tag_pool, GFP_NOIO);
		io->tags_pooled = true;
	}
	return true;
}

/**
 * icrypt_tags_free() - free what icrypt_tags_alloc() got
 * @io: done; may have none, or be a piece of a read whose tags belong to the whole
 *
 * Context: any.
 */
void icrypt_tags_free(struct icrypt_io *io)
{
	if (likely(!io->tags) || icrypt_is_piece(io))
		return;
	if (io->tags_pooled)
		mempool_free(io->tags, &io->cc->tag_pool);
	else
		kfree(io->tags);
	io->tags = NULL;
}

/**
 * icrypt_tags_attach() - send integrity metadata along with a bio
 * @io:  has the metadata
 * @bio: the bio for the device below; its device, sector and size are set
 *
 * The payload is freed with the bio, but the metadata is not.
 *
 * Context: process. Sleeps unless the bio has REQ_NOWAIT.
 * Return: false if there was no memory.
 */
bool icrypt_tags_attach(struct icrypt_io *io, struct bio *bio)
{
	unsigned int size = tags_size(io->cc, bio->bi_iter.bi_size);
	struct bio_integrity_payload *bip;

	bip = bio_integrity_alloc(bio, bio->bi_opf & REQ_NOWAIT ? GFP_NOWAIT : GFP_NOIO, 1);
	if (IS_ERR(bip))
		return false;
	icrypt_bip_set_size(bip, size);
	bip->bip_iter.bi_sector = bio->bi_iter.bi_sector;
	return bio_integrity_add_page(bio, virt_to_page(io->tags), size,
				      offset_in_page(io->tags)) == size;
}

/* Report it in the kernel log, rate-limited, and as an audit record, like dm-crypt. */
static void integrity_failed(struct icrypt_io *io, struct bio *copy)
{
	/* Audit allocates with GFP_KERNEL, but writeback may depend on this device. */
	unsigned int noio = memalloc_noio_save();

	DMERR_LIMIT("%pg: INTEGRITY AEAD ERROR, sector %llu", io->cc->dev->bdev,
		    (unsigned long long)io->desc.bad);
	icrypt_audit_bio(io->cc->name, "integrity-aead", copy, io->desc.bad, 0);
	memalloc_noio_restore(noio);
}

/**
 * struct second_read - data that is read again
 * @io:   the read, whose data did not match its tag
 * @copy: a bio with pages of our own
 * @done: the device, or the cipher driver, has answered
 */
struct second_read {
	struct icrypt_io	*io;
	struct bio		*copy;
	struct completion	done;
};

static void second_read_endio(struct bio *copy)
{
	struct second_read *s = copy->bi_private;

	complete(&s->done);
}

/* The descriptor's done(): an asynchronous driver answered. */
static void second_read_cipher_done(void *cookie, enum icrypt_progress progress)
{
	struct second_read *s = cookie;

	icrypt_fall_back(s->io, icrypt_decide_after(s->io, ICRYPT_DRIVER_ANSWERED));
	complete(&s->done);
}

static blk_status_t second_read_send(struct second_read *s)
{
	struct icrypt_io *io = s->io;
	struct bio *dm_bio = io->read.whole ? io->read.whole->bio : io->bio, *copy = s->copy;
	struct bvec_iter iter;

	copy->bi_ioprio = io->bio->bi_ioprio;
	copy->bi_iter.bi_sector = io->cc->start + io->sector;
	if (!icrypt_tags_attach(io, copy))
		return BLK_STS_RESOURCE;

	copy->bi_private = s;
	copy->bi_end_io = second_read_endio;
	iter = copy->bi_iter;
	dm_submit_bio_remap(dm_bio, copy);
	wait_for_completion_io(&s->done);
	copy->bi_iter = iter;
	return copy->bi_status;
}

static void second_read_decrypt(struct second_read *s)
{
	struct icrypt_io *io = s->io;
	struct icrypt_cipher *c = &io->cc->cipher;

	io->desc.done = second_read_cipher_done;
	io->desc.cookie = s;
	icrypt_cipher_start(c, &io->desc, s->copy, s->copy, io->sector, io->tags);
	while (io->desc.in_iter.bi_size && !io->desc.status) {
		reinit_completion(&s->done);
		if (icrypt_cipher_run(c, &io->desc, icrypt_io_request(io), ICRYPT_MAY_SLEEP) !=
		    ICRYPT_QUEUED)
			break;
		wait_for_completion_io(&s->done);
	}
}

/**
 * icrypt_read_again() - read data that did not match its tag once more
 * @io: the read
 *
 * The data is read into pages of our own. The first time it was in memory of the submitter,
 * which may have written to it while the cipher was running. If the data does not match its
 * tag the second time, this is an error.
 *
 * Context: a worker; sleeps, for memory and for the device.
 * Return: nothing; the outcome is @io->desc.status.
 */
void icrypt_read_again(struct icrypt_io *io)
{
	struct second_read s = { .io = io };
	struct bio *bio = io->bio;

	init_completion(&s.done);
	s.copy = icrypt_pages_alloc(io->cc, io->bytes, REQ_OP_READ | (bio->bi_opf & REQ_SYNC),
				    false);
	io->desc.status = second_read_send(&s);
	if (!io->desc.status)
		second_read_decrypt(&s);

	if (!io->desc.status) {
		/* The vector of the copy starts at the start of the read. */
		s.copy->bi_iter = (struct bvec_iter) {
			.bi_sector = io->read.iter.bi_sector,
			.bi_size = io->read.iter.bi_size,
		};
		bio->bi_iter = io->read.iter;
		bio_copy_data(bio, s.copy);
	} else if (io->desc.status == BLK_STS_PROTECTION) {
		integrity_failed(io, s.copy);
	}
	icrypt_pages_free(io->cc, s.copy);
}

#ifdef CONFIG_BLK_DEV_INTEGRITY
static int integrity_find_room(struct icrypt_config *cc, const char **error)
{
	struct blk_integrity *bi = blk_get_integrity(cc->dev->bdev->bd_disk);
	unsigned int used = cc->cipher.tag_size + (cc->cipher.iv_stored ? cc->cipher.iv.size : 0);

	if (!bi || !icrypt_profile_fits(bi, cc->table.tag_size) ||
	    icrypt_profile_size(bi) < used) {
		*error = "Device below has no room for these tags";
		return -EINVAL;
	}
	if (1U << bi->interval_exp != cc->cipher.sector_size) {
		*error = "Device below has tags for a different sector_size";
		return -EINVAL;
	}
	cc->cipher.tuple_size = icrypt_profile_size(bi);
	return 0;
}
#else
static int integrity_find_room(struct icrypt_config *cc, const char **error)
{
	*error = "Integrity not supported, kernel has no CONFIG_BLK_DEV_INTEGRITY";
	return -EINVAL;
}
#endif

/**
 * icrypt_integrity_init() - find room for integrity metadata, if the cipher has some
 * @cc:    the mapped device, its cipher set up and the device below known
 * @error: set when refused
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno; icrypt_integrity_exit() cleans up after either.
 */
int icrypt_integrity_init(struct icrypt_config *cc, const char **error)
{
	int err;

	if (!cc->cipher.aead && !cc->cipher.iv_stored)
		return 0;
	err = integrity_find_room(cc, error);
	if (err)
		return err;
	err = mempool_init_kmalloc_pool(&cc->tag_pool, ICRYPT_TAGS_ENTRIES,
					tags_size(cc, tags_pooled_bytes(cc)));
	if (err)
		*error = "Cannot allocate integrity tags mempool";
	return err;
}

/**
 * icrypt_integrity_exit() - free the pool
 * @cc: the mapped device, zeroed or as far as icrypt_integrity_init() came
 *
 * Context: process, may sleep.
 */
void icrypt_integrity_exit(struct icrypt_config *cc)
{
	mempool_exit(&cc->tag_pool);
}
