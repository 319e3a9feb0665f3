// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a write. It is encrypted into pages of our own, because the data belongs to
 * the submitter and must not be changed. Then it is sent to the device.
 *
 *	icrypt_write_map()	clone with pages, encrypt, submit; or queue for a worker
 *	write_endio()		free the pages, end the bio that dm gave us
 *
 * Pages come from pages.c, which always has enough for one write. A write that finds no
 * pages waits for them in a queue of its own, and its submitter continues.
 *
 * In some cases the submitter itself waits in map. This cannot deadlock: map runs for one
 * bio at a time, and the bios that it submits are sent before the next bio is mapped
 * (submit_bio_noacct() sorts lower devices first). So the submitter holds back no pages
 * for which it waits. Writes that wait for the worker of the cipher hold back none either:
 * they have their pages, and another workqueue. docs/contexts.md, section 6, has the whole
 * argument.
 */

#include <linux/completion.h>
#include <linux/sched.h>

#include "icrypt.h"
#include "stats.h"
#include "trace.h"

/*
 * Returns the bio for the ciphertext. Returns NULL if memory is short and @nowait is set,
 * or if there is no memory for the integrity payload.
 */
static struct bio *write_alloc_clone(struct icrypt_io *io, bool nowait)
{
	struct icrypt_config *cc = io->cc;
	struct bio *bio = io->bio;
	/* dm polls its own clone; REQ_DRV is a mark that dm makes for itself. */
	blk_opf_t opf = bio->bi_opf & ~(REQ_POLLED | REQ_DRV | REQ_INTEGRITY);
	struct bio *clone;

	if (io->write.ordered)
		opf &= ~REQ_NOWAIT;
	clone = icrypt_pages_alloc(cc, io->bytes, opf, nowait);
	if (unlikely(!clone))
		return NULL;
	clone->bi_ioprio = bio->bi_ioprio;
	clone->bi_iter.bi_sector = cc->start + io->sector;
	icrypt_bio_copy_hints(clone, bio);
	if (unlikely(io->tags) && !icrypt_tags_attach(io, clone)) {
		icrypt_pages_free(cc, clone);
		return NULL;
	}
	return clone;
}

static void write_finish(struct icrypt_io *io, blk_status_t status)
{
	struct bio *bio = io->bio;

	icrypt_tags_free(io);
	icrypt_stats_latency(io);
	bio->bi_status = status;
	bio_endio(bio);
}

static void write_endio(struct bio *clone)
{
	struct icrypt_io *io = clone->bi_private;
	blk_status_t status = clone->bi_status;

	icrypt_pages_recycle(io->cc, clone);
	write_finish(io, status);
}

/* The cipher has finished or failed. Process context, may sleep. */
static void write_submit(struct icrypt_io *io)
{
	struct bio *clone = io->write.clone;

	icrypt_stats_done(io);
	if (unlikely(io->desc.status)) {
		icrypt_pages_free(io->cc, clone);
		write_finish(io, io->desc.status);
		return;
	}
	clone->bi_private = io;
	clone->bi_end_io = write_endio;
	trace_submit(io);
	dm_submit_bio_remap(io->bio, clone);
}

static enum icrypt_progress write_encrypt(struct icrypt_io *io, unsigned int may)
{
	unsigned int bytes = io->desc.in_iter.bi_size;
	enum icrypt_progress progress;
	u64 start;

	if (trace_encrypt_enabled())
		icrypt_stats_begin(io);
	start = icrypt_run_begin(io);
	progress = icrypt_cipher_run(&io->cc->cipher, &io->desc, icrypt_io_request(io), may);
	if (start && progress == ICRYPT_DONE)
		icrypt_run_end(io, start, bytes - io->desc.in_iter.bi_size);
	return progress;
}

static void write_work(struct work_struct *work)
{
	struct icrypt_io *io = container_of(work, struct icrypt_io, work);
	struct icrypt_config *cc = io->cc;

	if (!io->desc.in_iter.bi_size || io->desc.status ||
	    write_encrypt(io, ICRYPT_MAY_SLEEP) != ICRYPT_QUEUED)
		write_submit(io);
	/* The bio may be gone, but the device is not: its dtr waits for its workers. */
	atomic_dec(&cc->writes_queued);
}

static void write_queue_work(struct icrypt_io *io)
{
	INIT_WORK(&io->work, write_work);
	atomic_inc(&io->cc->writes_queued);
	queue_work(io->cc->write_wq, &io->work);
}

static void write_queue(struct icrypt_io *io, struct icrypt_decision d)
{
	icrypt_fall_back(io, d);
	/*
	 * BLK_STS_AGAIN means "try again" only to a submitter that is still in
	 * its submission; after that io_uring reports it as an error.
	 */
	io->write.clone->bi_opf &= ~REQ_NOWAIT;
	write_queue_work(io);
}

/*
 * The descriptor's done(): an asynchronous driver answered, in a context that must
 * not submit. A worker submits the write, or the writer if it waits to keep the order.
 */
static void write_cipher_done(void *cookie, enum icrypt_progress progress)
{
	struct icrypt_io *io = cookie;
	struct icrypt_decision d = icrypt_decide_after(io, ICRYPT_DRIVER_ANSWERED);

	if (io->write.done) {
		icrypt_fall_back(io, d);
		complete(io->write.done);
		return;
	}
	write_queue(io, d);
}

/* The write has its pages: prepare the cipher. */
static __always_inline void write_start(struct icrypt_io *io)
{
	struct icrypt_cipher *c = &io->cc->cipher;
	struct bio *in = io->bio, *clone = io->write.clone;

	io->desc.done = write_cipher_done;
	if (unlikely(c->aead)) {
		/* The submitter may change its data, but not while the tag is computed. */
		bio_copy_data(clone, in);
		in = clone;
	}
	icrypt_cipher_start(c, &io->desc, in, clone, io->sector, io->tags);
}

/* The memory of a write that waits for pages, in pages: its bio and its tags. */
static int write_waiting_pages(const struct icrypt_io *io)
{
	const struct icrypt_cipher *c = &io->cc->cipher;

	return 1 + (io->bytes / c->sector_size * c->tuple_size >> PAGE_SHIFT);
}

/*
 * Waits for pages, for one write after the other. Another worker encrypts and sends the
 * write, because its submission may have to wait on behalf of its cgroup.
 */
static void write_pages_work(struct work_struct *work)
{
	struct icrypt_io *io = container_of(work, struct icrypt_io, work);
	struct icrypt_config *cc = io->cc;
	int pages = write_waiting_pages(io);

	io->write.clone = write_alloc_clone(io, false);
	if (likely(io->write.clone)) {
		/* If it came from a helper, its submitter has returned, see write_queue(). */
		io->write.clone->bi_opf &= ~REQ_NOWAIT;
		write_start(io);
		write_queue_work(io);
	} else {
		write_finish(io, BLK_STS_RESOURCE);
	}
	/* As in write_work(). */
	atomic_sub(pages, &cc->writes_waiting);
}

/*
 * There are no pages. The write waits for them, and its submitter continues.
 */
static void write_wait_for_pages(struct icrypt_io *io)
{
	icrypt_fall_back(io, icrypt_decide_after(io, ICRYPT_NO_PAGES));
	INIT_WORK(&io->work, write_pages_work);
	atomic_add(write_waiting_pages(io), &io->cc->writes_waiting);
	queue_work(io->cc->pages_wq, &io->work);
}

/*
 * May another write wait for pages in the queue, instead of its submitter? The queued
 * writes may take about as much memory as the writes in flight.
 */
static bool write_queue_has_room(struct icrypt_config *cc)
{
	return atomic_read(&cc->writes_waiting) < icrypt_pages_limit();
}

/**
 * icrypt_write_helped() - a helper has taken a write
 * @io: the write, without pages; it has no tags
 *
 * If there are no pages, the write joins the queue of those that wait for pages.
 *
 * Context: a worker; may sleep.
 */
void icrypt_write_helped(struct icrypt_io *io)
{
	struct icrypt_decision d = icrypt_decide_after(io, ICRYPT_HELPED);
	struct icrypt_config *cc = io->cc;

	icrypt_fall_back(io, d);
	if (likely(!atomic_read(&cc->writes_waiting)))
		io->write.clone = write_alloc_clone(io, true);
	if (unlikely(!io->write.clone)) {
		write_wait_for_pages(io);
		return;
	}
	/* Its submitter may have left the submission, see write_queue(). */
	io->write.clone->bi_opf &= ~REQ_NOWAIT;
	write_start(io);
	if (write_encrypt(io, d.may) != ICRYPT_QUEUED)
		write_submit(io);
}

/* Writes to zones are encrypted and submitted before the next write is mapped. */
static int write_ordered(struct icrypt_io *io)
{
	DECLARE_COMPLETION_ONSTACK(done);

	io->write.done = &done;
	while (io->desc.in_iter.bi_size && !io->desc.status) {
		if (write_encrypt(io, ICRYPT_MAY_SLEEP) != ICRYPT_QUEUED)
			break;
		wait_for_completion_io(&done);
		reinit_completion(&done);
	}
	/* dm has to end it: if map ended it, dm would end it a second time. */
	if (unlikely(io->desc.status)) {
		icrypt_pages_free(io->cc, io->write.clone);
		icrypt_tags_free(io);
		return DM_MAPIO_KILL;
	}
	write_submit(io);
	return DM_MAPIO_SUBMITTED;
}

/* As icrypt_end_unsent(), for a write that may have tags. */
static int write_end_unsent(struct icrypt_io *io, bool nowait)
{
	icrypt_tags_free(io);
	return icrypt_end_unsent(io, nowait);
}

/**
 * icrypt_write_map() - dm's map for a write
 * @io: the write, aligned to the sector size
 *
 * A REQ_NOWAIT write that cannot be encrypted and sent without waiting ends
 * with BLK_STS_AGAIN before anything of it reached the device.
 *
 * Context: process. Sleeps unless the bio has REQ_NOWAIT and the device no zones.
 * Return: DM_MAPIO_SUBMITTED, or DM_MAPIO_KILL for a write to a zone whose cipher failed,
 * or that is too large to be sent unsplit.
 */
int icrypt_write_map(struct icrypt_io *io)
{
	struct icrypt_config *cc = io->cc;
	struct bio *bio = io->bio;
	unsigned int part = icrypt_write_piece(io), most = ICRYPT_PAGES_MAX;
	struct icrypt_decision d;
	struct icrypt_lane *lane;

	io->write.ordered = icrypt_is_ordered(cc, bio);
	/*
	 * Keeping the order takes precedence over REQ_NOWAIT, as in the zone write
	 * plugging of the block layer. And dm requires that map ends no write to a zone.
	 */
	io->write.nowait = (bio->bi_opf & REQ_NOWAIT) && !io->write.ordered;
	if (icrypt_is_unsplit(bio))
		most = icrypt_unsplit_write_max(io);
	if (unlikely(io->bytes > most)) {
		if (!icrypt_may_split_write(bio))
			return DM_MAPIO_KILL;
		if (!icrypt_rest_may_wait(io))
			return icrypt_end_unsent(io, io->write.nowait);
		if (!part || part > most)
			part = most;
	}
	if (part)
		icrypt_accept_part(io, part);

	/* The number of writes that wait for pages is limited, so none is handed over. */
	lane = part || atomic_read(&cc->writes_waiting) ? NULL : icrypt_write_backlog(io);
	if (lane && icrypt_spread(lane, io))
		return DM_MAPIO_SUBMITTED;

	if (unlikely(cc->cipher.tuple_size) && !icrypt_tags_alloc(io, io->write.nowait))
		return icrypt_end_unsent(io, io->write.nowait);
	/*
	 * A later write does not get pages while others wait for them. Polled I/O that
	 * must not wait is an exception: it cannot queue, and its submitter would try
	 * again for as long as other writes wait.
	 */
	if (likely(!atomic_read(&cc->writes_waiting)) || icrypt_is_unsplit(bio))
		io->write.clone = write_alloc_clone(io, true);
	if (unlikely(!io->write.clone)) {
		if (io->write.nowait)
			return write_end_unsent(io, true);
		if (icrypt_may_queue_write(io) && write_queue_has_room(cc)) {
			write_wait_for_pages(io);
			return DM_MAPIO_SUBMITTED;
		}
		io->write.clone = write_alloc_clone(io, false);
		if (!io->write.clone)
			return write_end_unsent(io, false);
	}
	write_start(io);

	d = icrypt_decide_write(io, part);
	if (unlikely(d.where == ICRYPT_WQ)) {
		write_queue(io, d);
		return DM_MAPIO_SUBMITTED;
	}
	if (unlikely(io->write.ordered))
		return write_ordered(io);

	switch (write_encrypt(io, d.may)) {
	case ICRYPT_QUEUED:
		break;
	case ICRYPT_NOMEM:
		/* Only with REQ_NOWAIT. Nothing was sent, the submitter may try again. */
		icrypt_pages_free(cc, io->write.clone);
		return write_end_unsent(io, io->write.nowait);
	case ICRYPT_DONE:
		write_submit(io);
		break;
	}
	return DM_MAPIO_SUBMITTED;
}
