// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a read. The bio that dm passes to map is sent to the device, with our
 * completion in place of dm's, and its data is decrypted in place. It is not cloned,
 * which saves the allocation and lets dm poll it.
 *
 *	icrypt_read_map()	plan, redirect, submit; wait if that is the plan
 *	read_end.c		after the device: decrypt, then call dm's completion
 *
 * A large read is cut into pieces, which are clones that go the same way. Map cuts
 * it if its caller waits; the caller can then decrypt the first pieces while the
 * device works on the others (drain.c).
 *
 * docs/contexts.md has the argument that waiting cannot deadlock.
 */

#include <linux/sched/signal.h>

#include "icrypt.h"
#include "trace.h"

/*
 * Send reads at once, because their caller is going to wait for them. Inside map,
 * submit_bio_noacct() only appends to current->bio_list, so the list is set aside. The
 * plug that 6.12 starts for each bio is set aside as well, because the request could stay
 * in it. The scheduler must not access the time in that plug meanwhile. A plug of the
 * submitter is never set aside: its requests hold tags and queue references, and if the
 * submission sleeps for one of these, schedule() must be able to flush the plug. It can
 * flush the plug that this function starts.
 */
static void read_submit_now(struct bio *bio, struct list_head *ios)
{
	struct bio_list *list = current->bio_list;
	struct blk_plug *plug = current->plug, own;
	struct icrypt_io *io;

	icrypt_plug_forget_time();
	current->bio_list = NULL;
	current->plug = NULL;
	if (ios) {
		/*
		 * Without a plug, an inline-crypt device below would wait in
		 * its map for one piece after the other.
		 */
		blk_start_plug(&own);
		list_for_each_entry(io, ios, read.node)
			dm_submit_bio_remap(bio, io->bio);
		blk_finish_plug(&own);
	} else {
		dm_submit_bio_remap(bio, NULL);
	}
	current->bio_list = list;
	current->plug = plug;
}

/* The common case of one read, which needs no list. */
static void read_wait(struct icrypt_io *io)
{
	/* Lets a worker run that may complete the read soon, such as that of loop. */
	might_sleep();
	if (icrypt_read_is_callers(io))
		return;
	icrypt_wait_begin(io->bio);
	for (;;) {
		set_current_state(TASK_UNINTERRUPTIBLE);
		if (icrypt_read_is_callers(io))
			break;
		icrypt_io_schedule();
	}
	__set_current_state(TASK_RUNNING);
	icrypt_wait_end();
}

static void read_retarget(struct icrypt_io *io)
{
	bio_set_dev(io->bio, io->cc->dev->bdev);
	io->bio->bi_iter.bi_sector = io->cc->start + io->sector;
}

/* Redirect a read to the device below, with our completion instead of its own. */
static void read_redirect(struct icrypt_io *io, enum icrypt_plan plan)
{
	struct bio *bio = io->bio;

	if (plan == ICRYPT_PLAN_PLUG && !icrypt_plug_add(io))
		plan = icrypt_plan_without_plug(io);
	io->read.plan = plan;

	icrypt_read_start(io);
	/* dm may have marked the rest of a split bio for its own use. */
	bio->bi_opf &= ~REQ_DRV;
	read_retarget(io);
	trace_submit(io);
}

static bool read_alloc_tags(struct icrypt_io *io, bool nowait)
{
	/* A second read goes into pages of ours, and must fit into one bio. */
	if (io->bytes > ICRYPT_PAGES_MAX) {
		if (!icrypt_rest_may_wait(io))
			return false;
		icrypt_accept_part(io, ICRYPT_PAGES_MAX);
	}
	return icrypt_tags_alloc(io, nowait);
}

/* Attaches the integrity metadata to a read that was not sent yet. */
static bool read_attach_tags(struct icrypt_io *io)
{
	io->read.iter = io->bio->bi_iter;
	read_retarget(io);
	return icrypt_tags_attach(io, io->bio);
}

/* Sends all pieces before it waits for the first. Returns false if there is no memory. */
static noinline_for_stack bool read_map_pieces(struct icrypt_io *whole, unsigned int size,
					       enum icrypt_plan plan)
{
	struct bio *bio = whole->bio;
	struct icrypt_io *io, *next;
	LIST_HEAD(ios);

	if (!icrypt_read_cut(whole, bio->bi_iter, size, &ios))
		return false;
	if (unlikely(whole->tags)) {
		list_for_each_entry(io, &ios, read.node)
			if (!read_attach_tags(io))
				goto nomem;
	}

	whole->read.end_io = bio->bi_end_io;
	if (plan == ICRYPT_PLAN_WAIT) {
		list_for_each_entry(io, &ios, read.node)
			read_redirect(io, plan);
		read_submit_now(bio, &ios);
		icrypt_drain(&ios);
		return true;
	}
	/* The completion of the last piece may free the whole. */
	list_for_each_entry_safe(io, next, &ios, read.node) {
		list_del(&io->read.node);
		read_redirect(io, plan);
		dm_submit_bio_remap(bio, io->bio);
	}
	return true;
nomem:
	list_for_each_entry_safe(io, next, &ios, read.node)
		bio_put(io->bio);
	return false;
}

/**
 * icrypt_read_map() - dm's map for a read
 * @io: the read, aligned to the sector size
 *
 * Memory for a plug callback or for pieces is optional: without it the read is
 * decrypted in its completion or sent whole. Memory for integrity metadata is not.
 *
 * Context: process. Sleeps only if nothing in the bio or task forbids it.
 * Return: DM_MAPIO_SUBMITTED.
 */
int icrypt_read_map(struct icrypt_io *io)
{
	enum icrypt_plan plan;
	unsigned int piece, most;

	if (unlikely(io->cc->rotational))
		icrypt_seek_clock_start(io);
	if (icrypt_is_unsplit(io->bio)) {
		most = icrypt_unsplit_read_max(io);
		if (most < io->bytes)
			icrypt_accept_part(io, most);
	}
	if (unlikely(io->cc->cipher.tuple_size) &&
	    !read_alloc_tags(io, io->bio->bi_opf & REQ_NOWAIT))
		return icrypt_end_unsent(io, io->bio->bi_opf & REQ_NOWAIT);
	plan = icrypt_plan_read(io);
	if (plan != ICRYPT_PLAN_ENDIO && unlikely(icrypt_is_large(io))) {
		piece = icrypt_caller_piece(io);
		if (piece && read_map_pieces(io, piece, plan))
			return DM_MAPIO_SUBMITTED;
	}
	if (unlikely(io->tags) && !read_attach_tags(io)) {
		icrypt_tags_free(io);
		return icrypt_end_unsent(io, io->bio->bi_opf & REQ_NOWAIT);
	}

	read_redirect(io, plan);
	if (plan == ICRYPT_PLAN_WAIT) {
		read_submit_now(io->bio, NULL);
		if (!icrypt_read_is_callers(io))
			read_wait(io);
		icrypt_read_decrypt(io, ICRYPT_CALLER, ICRYPT_MAY_SLEEP);
	} else {
		dm_submit_bio_remap(io->bio, NULL);
	}
	return DM_MAPIO_SUBMITTED;
}
