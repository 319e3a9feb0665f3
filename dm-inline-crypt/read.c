// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a read: the bio that dm hands to map goes to the device itself,
 * with our completion in place of dm's, and is decrypted where it lies. Not
 * cloning it saves the allocation and lets dm poll it.
 *
 *	icrypt_read_map()	plan, redirect, submit; wait if that is the plan
 *	read_endio()		the device is done: hand to the caller or go on
 *	read_decrypt()		the cipher, then dm's completion
 *
 * A large read is cut into pieces, which are clones that go the same way. Map cuts
 * it if its caller waits; the caller can then decrypt the first pieces while the
 * device works on the others. A worker that gets a large read cuts it to share it
 * with other workers.
 *
 * docs/contexts.md has the argument that waiting cannot deadlock.
 */

#include <linux/rcupdate_wait.h>
#include <linux/sched/signal.h>
#include <linux/sched/stat.h>
#include <linux/slab.h>

#include "icrypt.h"
#include "trace.h"

/* A CPU's reads that completed in hardirq context. */
struct read_bh {
	struct llist_head	ios;
	icrypt_bh_t		bh;
};

static DEFINE_PER_CPU(struct read_bh, read_bhs);

/*
 * The reads that come back to their caller when it finishes its plug. There is
 * one callback for all our devices in a plug: with one per device, each would
 * wait while nobody decrypts the reads of the others.
 */
struct read_plug {
	struct blk_plug_cb	cb;
	struct list_head	ios;
};

/*
 * dm's completion is called directly: for a bio that was sent, bio_endio() has done
 * its part (integrity, rq_qos, cgroup) and must not do it twice. For a bio that was
 * sent in pieces there is nothing to do.
 */
static void read_finish(struct icrypt_io *io, blk_status_t status)
{
	struct bio *bio = io->bio;

	if (unlikely(io->tags))
		icrypt_tags_free(io);
	bio->bi_end_io = io->end_io;
	bio->bi_status = status;
	bio->bi_end_io(bio);
}

static void read_piece_end(struct bio *bio)
{
	struct icrypt_io *io = bio->bi_private, *whole = io->whole;

	/* Any of several errors will do. */
	if (unlikely(bio->bi_status))
		WRITE_ONCE(whole->desc.status, bio->bi_status);
	bio_put(bio);
	if (atomic_dec_and_test(&whole->pieces))
		read_finish(whole, whole->desc.status);
}

static struct icrypt_io *read_piece_io(struct icrypt_config *cc, struct bio *piece)
{
	return (void *)piece - icrypt_per_io_size(&cc->cipher);
}

/*
 * Clones of @size bytes each that share the vector of the whole, or none if
 * there is no memory for all. @iter describes its data: a bio that came back from
 * the device has used up its own iterator.
 */
static bool read_cut(struct icrypt_io *whole, struct bvec_iter iter, unsigned int size,
		     struct list_head *ios)
{
	const gfp_t gfp = GFP_NOWAIT | __GFP_NOMEMALLOC | __GFP_NORETRY | __GFP_NOWARN;
	struct icrypt_config *cc = whole->cc;
	struct icrypt_io *io, *next;
	unsigned int done, n = 0;
	struct bio *bio;
	/* After the read the payload is used up, and must not be cloned. */
	blk_opf_t payload = whole->bio->bi_opf & REQ_INTEGRITY;

	whole->bio->bi_opf &= ~REQ_INTEGRITY;
	for (done = 0; done < whole->bytes; done += size) {
		bio = bio_alloc_clone(cc->dev->bdev, whole->bio, gfp, &cc->read_bs);
		if (!bio)
			goto nomem;
		bio->bi_iter = iter;
		bio_trim(bio, done >> SECTOR_SHIFT,
			 min(size, whole->bytes - done) >> SECTOR_SHIFT);
		bio->bi_end_io = read_piece_end;
		/* Otherwise a plug would merge them into one request again. */
		bio->bi_opf |= REQ_NOMERGE;
		io = read_piece_io(cc, bio);
		icrypt_io_init(io, cc, bio, whole->sector + (done >> SECTOR_SHIFT));
		io->whole = whole;
		io->iter = bio->bi_iter;
		if (unlikely(whole->tags))
			io->tags = whole->tags + done / cc->cipher.sector_size *
						 cc->cipher.tuple_size;
		io->map_ns = whole->map_ns;
		list_add_tail(&io->plug_node, ios);
		n++;
	}
	whole->bio->bi_opf |= payload;
	atomic_set(&whole->pieces, n);
	whole->desc.status = BLK_STS_OK;
	return true;
nomem:
	whole->bio->bi_opf |= payload;
	list_for_each_entry_safe(io, next, ios, plug_node)
		bio_put(io->bio);
	return false;
}

static void read_decrypt(struct icrypt_io *io, enum icrypt_context context, unsigned int may);
static void read_queue(struct icrypt_io *io, enum icrypt_reason reason);
static inline void read_done(struct icrypt_io *io);

/* The cipher cannot go on in a context that must not sleep. */
static void read_queue_to_sleep(struct icrypt_io *io)
{
	read_queue(io, io->cc->cipher.iv_waits ? ICRYPT_REASON_ASYNC : ICRYPT_REASON_NOMEM);
}

/* The descriptor's done(): an asynchronous driver answered. */
static void read_cipher_done(void *cookie, enum icrypt_progress progress)
{
	struct icrypt_io *io = cookie;

	/* If the next IV must be waited for, read_queue_to_sleep() counts this. */
	if (progress != ICRYPT_NOMEM || !io->cc->cipher.iv_waits)
		icrypt_stats_fallback(io, ICRYPT_REASON_ASYNC);
	if (progress == ICRYPT_NOMEM)
		read_queue_to_sleep(io);
	else
		read_done(io);
}

/* Aim the descriptor at the data, and put our completion before @end_io. */
static inline void read_start(struct icrypt_io *io, bio_end_io_t *end_io)
{
	struct bio *bio = io->bio;

	io->desc.done = read_cipher_done;
	icrypt_cipher_start(&io->cc->cipher, &io->desc, bio, bio, io->sector, io->tags);
	io->end_io = end_io;
	bio->bi_private = io;
}

/*
 * Cut a large read that came whole from the device, and have other workers take
 * their share. The first piece stays here.
 */
static struct icrypt_io *read_share(struct icrypt_io *whole, unsigned int size)
{
	struct icrypt_io *io, *next, *first;
	LIST_HEAD(ios);

	if (!read_cut(whole, whole->desc.in_iter, size, &ios))
		return whole;

	first = list_first_entry(&ios, struct icrypt_io, plug_node);
	list_for_each_entry_safe(io, next, &ios, plug_node) {
		read_start(io, read_piece_end);
		if (io != first)
			read_queue(io, ICRYPT_REASON_SPREAD);
	}
	return first;
}

static void read_work(struct work_struct *work)
{
	struct icrypt_io *io = container_of(work, struct icrypt_io, work);
	unsigned int piece = icrypt_worker_piece(io);

	if (piece)
		io = read_share(io, piece);
	read_decrypt(io, ICRYPT_WQ, ICRYPT_MAY_SLEEP);
}

static void read_queue(struct icrypt_io *io, enum icrypt_reason reason)
{
	icrypt_stats_fallback(io, reason);
	INIT_WORK(&io->work, read_work);
	queue_work(io->cc->wq, &io->work);
}

/*
 * Decrypt a read that the device is done with, and end it. In process or
 * softirq context with interrupts on; @may is what that allows. @io is gone on
 * return.
 */
static void read_decrypt(struct icrypt_io *io, enum icrypt_context context, unsigned int may)
{
	blk_status_t status = io->bio->bi_status;
	enum icrypt_progress progress;
	unsigned int bytes = io->desc.in_iter.bi_size;
	u64 start;

	/* Data that the device could not read is not decrypted. */
	if (unlikely(status)) {
		read_finish(io, status);
		return;
	}

	if (context > io->context)
		io->context = context;
	if (trace_decrypt_enabled())
		icrypt_stats_begin(io);
	start = icrypt_clock_start(io);
	progress = icrypt_cipher_run(&io->cc->cipher, &io->desc, icrypt_io_request(io), may);
	switch (progress) {
	case ICRYPT_QUEUED:
		return;
	case ICRYPT_NOMEM:
		read_queue_to_sleep(io);
		return;
	case ICRYPT_DONE:
		break;
	}
	if (start)
		icrypt_clock_stop(io, start, bytes - io->desc.in_iter.bi_size);
	read_done(io);
}

/**
 * icrypt_read_helped() - a helper has taken a read
 * @io: the read
 *
 * Context: a worker; may sleep.
 */
void icrypt_read_helped(struct icrypt_io *io)
{
	read_decrypt(io, ICRYPT_WQ, ICRYPT_MAY_SLEEP);
}

static void read_again_work(struct work_struct *work)
{
	struct icrypt_io *io = container_of(work, struct icrypt_io, work);

	icrypt_read_again(io);
	icrypt_stats_done(io);
	read_finish(io, io->desc.status);
}

/* It does not match its tag: read it once more, in a worker, which may wait. */
static noinline void read_again(struct icrypt_io *io)
{
	icrypt_stats_fallback(io, ICRYPT_REASON_CONTEXT);
	INIT_WORK(&io->work, read_again_work);
	queue_work(io->cc->wq, &io->work);
}

/* The cipher has finished with all of it. */
static inline void read_done(struct icrypt_io *io)
{
	if (unlikely(io->desc.status == BLK_STS_PROTECTION)) {
		read_again(io);
		return;
	}
	icrypt_stats_done(io);
	read_finish(io, io->desc.status);
}

/* With bottom halves off: as long as there is budget. */
static void read_decrypt_bh(struct icrypt_io *io, enum icrypt_context context)
{
	if (unlikely(icrypt_bh_over_budget(io)))
		read_queue(io, ICRYPT_REASON_BUDGET);
	else
		read_decrypt(io, context, 0);
}

static ICRYPT_BH_FN(read_bh_run, arg)
{
	struct read_bh *b = container_of(arg, struct read_bh, bh);
	struct llist_node *list = llist_reverse_order(llist_del_all(&b->ios));
	struct icrypt_io *io, *next;

	llist_for_each_entry_safe(io, next, list, bh_node) {
		/* The helper that the first one called may have started by now. */
		if (!io->backlog || !icrypt_spread_again(io))
			read_decrypt_bh(io, ICRYPT_BH);
	}
}

static void read_bh_queue(struct icrypt_io *io)
{
	struct read_bh *b;
	unsigned long flags;

	/* Already off in hardirqs, but not in a completion with irqs off only. */
	local_irq_save(flags);
	b = this_cpu_ptr(&read_bhs);
	if (llist_add(&io->bh_node, &b->ios))
		icrypt_bh_schedule(&b->bh);
	local_irq_restore(flags);
}

static bool read_is_handed_over(struct icrypt_io *io)
{
	return atomic_cmpxchg(&io->owner, ICRYPT_OWNER_DEVICE, ICRYPT_OWNER_CALLER) ==
	       ICRYPT_OWNER_DEVICE;
}

/*
 * If the caller still owns the read, tell it that it is its turn. From then on
 * the caller may end the read, return to user space and exit, hence the RCU
 * section around the wake-up.
 */
static bool read_hand_to_caller(struct icrypt_io *io)
{
	struct task_struct *task = io->submitter;
	bool handed;

	/* Completed inside submit: the task is not sleeping, nor about to. */
	if (task == current && in_task() && task_is_running(task))
		return read_is_handed_over(io);

	rcu_read_lock();
	handed = read_is_handed_over(io);
	if (handed)
		wake_up_process(task);
	rcu_read_unlock();
	return handed;
}

/* No caller owns the read: decrypt it here, or pass it on. */
static noinline void read_complete_unowned(struct icrypt_io *io)
{
	enum icrypt_reason reason;
	struct icrypt_lane *lane;

	if (unlikely(io->bio->bi_status)) {
		read_finish(io, io->bio->bi_status);
		return;
	}
	lane = icrypt_read_backlog(io);
	if (lane) {
		io->backlog = true;
		if (icrypt_spread(lane, io))
			return;
	}
	switch (icrypt_completion_context(io, &reason)) {
	case ICRYPT_WQ:
		read_queue(io, reason);
		break;
	case ICRYPT_BH:
		read_bh_queue(io);
		break;
	case ICRYPT_ENDIO:
		if (in_task() && !softirq_count())
			read_decrypt(io, ICRYPT_ENDIO, icrypt_may_resched());
		else
			read_decrypt_bh(io, ICRYPT_ENDIO);
		break;
	default:
		read_decrypt(io, ICRYPT_CALLER, icrypt_may_resched());
		break;
	}
}

static void read_endio(struct bio *bio)
{
	struct icrypt_io *io = bio->bi_private;

	if (unlikely(io->timed_ns))
		icrypt_seek_clock_stop(io);

	if (io->plan == ICRYPT_PLAN_ENDIO || !read_hand_to_caller(io))
		read_complete_unowned(io);
}

/* The caller will not come back for this read. */
static void read_give_back(struct icrypt_io *io)
{
	if (atomic_cmpxchg(&io->owner, ICRYPT_OWNER_DEVICE, ICRYPT_OWNER_ENDIO) !=
	    ICRYPT_OWNER_DEVICE)
		read_queue(io, ICRYPT_REASON_SLEPT);
}

static bool read_is_callers(struct icrypt_io *io)
{
	return atomic_read_acquire(&io->owner) == ICRYPT_OWNER_CALLER;
}

/* The most workers that help one caller; more would wait for the memory. */
#define READ_HELPERS	15

/* How long one of them waits for the device, ns. */
#define READ_LINGER	(50 * NSEC_PER_USEC)

/* A device that is done with the first of many so soon, in ns, is with the others as well. */
#define READ_SOON	(100 * NSEC_PER_USEC)

struct read_helper {
	struct work_struct	work;
	struct read_drain	*drain;
};

/* Reads that their caller waits for. */
struct read_drain {
	spinlock_t		lock;	/* ios, against the helpers */
	struct list_head	ios;
	atomic_t		started;	/* helpers */
	atomic_t		idle;	/* those of them that have a CPU for themselves */
	unsigned int		called;
	struct read_helper	helpers[READ_HELPERS];
};

/*
 * The first complete read, off the list; they complete in any order. For a
 * helper one that may be helped with: they may be of several devices. @behind,
 * if it matters, gets how many reads there are besides, if one of them is complete
 * as well, or will be @soon: then the device is faster than the cipher.
 */
static struct icrypt_io *read_drain_pop(struct read_drain *d, bool helper, bool soon,
					unsigned int *behind)
{
	struct icrypt_io *io, *found = NULL;
	unsigned int others = 0;

	spin_lock(&d->lock);
	list_for_each_entry(io, &d->ios, plug_node) {
		if ((helper || found) && !icrypt_may_help(io))
			continue;
		if (!read_is_callers(io)) {
			others++;
			continue;
		}
		if (found) {
			soon = true;
			others++;
			continue;
		}
		found = io;
		if (!behind)
			break;
	}
	if (found)
		list_del(&found->plug_node);
	spin_unlock(&d->lock);
	if (behind)
		*behind = soon ? others : 0;
	return found;
}

static void read_help(struct work_struct *work)
{
	struct read_helper *h = container_of(work, struct read_helper, work);
	struct read_drain *d = h->drain;
	struct icrypt_io *io;
	u64 until = 0;

	/* Whoever has this CPU needs it, and the caller does not need us. */
	atomic_inc(&d->started);
	if (!single_task_running())
		return;
	atomic_inc(&d->idle);
	for (;;) {
		io = read_drain_pop(d, true, false, NULL);
		if (io) {
			icrypt_stats_fallback(io, ICRYPT_REASON_SPREAD);
			read_decrypt(io, ICRYPT_WQ, ICRYPT_MAY_SLEEP);
			until = 0;
			continue;
		}
		/* A moment for what is at the device, while nobody else wants the CPU. */
		if (!until)
			until = ktime_get_mono_fast_ns() + READ_LINGER;
		if (list_empty_careful(&d->ios) || ktime_get_mono_fast_ns() >= until ||
		    !single_task_running() || need_resched())
			break;
		cpu_relax();
	}
}

static void read_call_helpers(struct read_drain *d, struct icrypt_config *cc, unsigned int n)
{
	while (n--) {
		struct read_helper *h = &d->helpers[d->called++];

		h->drain = d;
		INIT_WORK_ONSTACK(&h->work, read_help);
		queue_work(cc->wq, &h->work);
	}
}

/*
 * A helper that did not start never will, one that did is at its last read. With
 * the last of them gone, the device may be as well.
 */
static void read_dismiss_helpers(struct read_drain *d)
{
	unsigned int i;

	for (i = 0; i < d->called; i++) {
		cancel_work_sync(&d->helpers[i].work);
		destroy_work_on_stack(&d->helpers[i].work);
	}
	icrypt_learn_idle(atomic_read(&d->started), atomic_read(&d->idle));
}

/*
 * Requests that the submitter plugged are flushed only after the callbacks. Send
 * them now, or we would wait for requests that were never sent. Modules can do this
 * only with blk_finish_plug(); the plug itself stays in use.
 */
static void read_flush_plug(void)
{
	struct blk_plug *plug = current->plug;

	if (plug) {
		blk_finish_plug(plug);
		current->plug = plug;
	}
}

/*
 * Decrypt the reads of a list as they complete, until none is left. A caller
 * that falls behind the device calls for help, for all reads that are complete at
 * once. Helpers take from the same list: one that finds no idle CPU costs no more
 * than the call, and the next time there are fewer.
 */
static noinline_for_stack void read_drain(struct list_head *ios)
{
	struct read_drain d = { .called = 0 };
	unsigned int most = 0, behind;
	struct icrypt_io *io;
	u64 soon = 0;

	spin_lock_init(&d.lock);
	INIT_LIST_HEAD(&d.ios);
	list_splice(ios, &d.ios);
	if (!list_is_singular(&d.ios)) {
		most = min_t(unsigned int, READ_HELPERS, icrypt_helpers_most());
		soon = ktime_get_mono_fast_ns() + READ_SOON;
	}

	while (!list_empty(&d.ios)) {
		behind = 0;
		io = read_drain_pop(&d, false, soon && ktime_get_mono_fast_ns() < soon,
				    d.called < most ? &behind : NULL);
		if (!io) {
			might_sleep();
			set_current_state(TASK_UNINTERRUPTIBLE);
			io = read_drain_pop(&d, false, soon && ktime_get_mono_fast_ns() < soon,
					    d.called < most ? &behind : NULL);
			/* If a helper took the last read, nothing wakes this task. */
			if (!io && !list_empty(&d.ios)) {
				icrypt_wait_begin(NULL);
				icrypt_io_schedule();
				icrypt_wait_end();
			}
			__set_current_state(TASK_RUNNING);
		}
		if (!io)
			continue;
		if (behind && icrypt_may_call_helper(io))
			read_call_helpers(&d, io->cc, min(behind, most - d.called));
		read_decrypt(io, ICRYPT_CALLER, ICRYPT_MAY_SLEEP);
	}
	if (d.called)
		read_dismiss_helpers(&d);
}

static void read_unplug(struct blk_plug_cb *cb, bool from_schedule)
{
	struct read_plug *p = container_of(cb, struct read_plug, cb);
	struct icrypt_io *io, *next;

	if (icrypt_drain_may_sleep(from_schedule)) {
		read_flush_plug();
		read_drain(&p->ios);
	} else {
		list_for_each_entry_safe(io, next, &p->ios, plug_node)
			read_give_back(io);
	}
	kfree(p);
}

/* Returns false if there is no memory for the callback; then the plan is ENDIO. */
static bool read_plug_add(struct icrypt_io *io)
{
	struct blk_plug_cb *cb = blk_check_plugged(read_unplug, NULL, sizeof(struct read_plug));
	struct read_plug *p;

	if (!cb)
		return false;

	p = container_of(cb, struct read_plug, cb);
	if (!p->ios.next)
		INIT_LIST_HEAD(&p->ios);
	/*
	 * Callbacks run one after the other. Our reads may wait for bios that
	 * other callbacks hold back (raid1, raid10, raid5, btrfs), so those
	 * callbacks go first. If one of them sleeps, schedule() finds no callback
	 * of ours that would give the reads back, and they wait a little longer.
	 */
	list_move_tail(&cb->list, &current->plug->cb_list);
	list_add_tail(&io->plug_node, &p->ios);
	return true;
}

/*
 * Send reads for real, for their caller is going to wait for them. Inside map,
 * submit_bio_noacct() only appends to current->bio_list, so the list is set
 * aside, and with it the plug that 6.12 starts for each bio, or the request
 * would stay there. The scheduler must not look for the time in that meanwhile.
 * Never a plug of the submitter: its requests hold tags and queue references,
 * and if the submission sleeps for one of these, schedule() must be able to
 * flush it, as it can one that we start.
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
		list_for_each_entry(io, ios, plug_node)
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
	/* Lets a worker run that completes the read soon, like loop's. */
	might_sleep();
	if (read_is_callers(io))
		return;
	icrypt_wait_begin(io->bio);
	for (;;) {
		set_current_state(TASK_UNINTERRUPTIBLE);
		if (read_is_callers(io))
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

/* Aim a read at the device below, with our completion instead of its own. */
static void read_redirect(struct icrypt_io *io, enum icrypt_plan plan)
{
	struct bio *bio = io->bio;

	io->submitter = current;
	io->plan = plan;
	atomic_set(&io->owner, ICRYPT_OWNER_DEVICE);
	if (plan == ICRYPT_PLAN_PLUG && !read_plug_add(io))
		io->plan = ICRYPT_PLAN_ENDIO;

	read_start(io, bio->bi_end_io);
	bio->bi_end_io = read_endio;
	/* dm may have marked the rest of a split bio for its own use. */
	bio->bi_opf &= ~REQ_DRV;
	read_retarget(io);
	trace_submit(io);
}

/*
 * How many bytes of polled I/O fit the device below as they are: polled I/O that must
 * not wait stays so wherever it is submitted again, and the device refuses what it
 * would have to split. The rule for segments is the block layer's, before it merges any.
 */
static noinline_for_stack unsigned int read_max_bytes(const struct icrypt_io *io)
{
	const struct queue_limits *lim = &bdev_get_queue(io->cc->dev->bdev)->limits;
	unsigned int block = icrypt_block_size(io->cc), most = icrypt_unsplit_max(io);
	unsigned int bytes = 0, end = 0, segments = lim->max_segments;
	struct bvec_iter iter;
	struct bio_vec bv;

	bio_for_each_bvec(bv, io->bio, iter) {
		unsigned int done = 0;

		if (bytes >= most || (bytes && ((end | bv.bv_offset) & lim->virt_boundary_mask)))
			break;
		while (done < bv.bv_len && segments) {
			phys_addr_t at = page_to_phys(bv.bv_page) + bv.bv_offset + done;
			u64 len = lim->seg_boundary_mask - (at & lim->seg_boundary_mask);

			done += min3(len, (u64)lim->max_segment_size - 1,
				     (u64)bv.bv_len - done - 1) + 1;
			segments--;
		}
		bytes += done;
		if (done < bv.bv_len)
			break;
		end = bv.bv_offset + bv.bv_len;
	}
	return max(round_down(min(bytes, most), block), block);
}

static bool read_alloc_tags(struct icrypt_io *io, bool nowait)
{
	/* A second read goes into pages of ours, and must fit into one bio. */
	if (io->bytes > ICRYPT_PAGES_MAX) {
		if (!icrypt_rest_may_wait(io->cc, io->bio))
			return false;
		dm_accept_partial_bio(io->bio, ICRYPT_PAGES_MAX >> SECTOR_SHIFT);
		io->bytes = ICRYPT_PAGES_MAX;
		io->rest = true;
	}
	return icrypt_tags_alloc(io, nowait);
}

/* Attaches the integrity metadata to a read that was not sent yet. */
static bool read_attach_tags(struct icrypt_io *io)
{
	io->iter = io->bio->bi_iter;
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

	if (!read_cut(whole, bio->bi_iter, size, &ios))
		return false;
	if (unlikely(whole->tags)) {
		list_for_each_entry(io, &ios, plug_node)
			if (!read_attach_tags(io))
				goto nomem;
	}

	whole->end_io = bio->bi_end_io;
	if (plan == ICRYPT_PLAN_WAIT) {
		list_for_each_entry(io, &ios, plug_node)
			read_redirect(io, plan);
		read_submit_now(bio, &ios);
		read_drain(&ios);
		return true;
	}
	/* The completion of the last piece may free the whole. */
	list_for_each_entry_safe(io, next, &ios, plug_node) {
		list_del(&io->plug_node);
		read_redirect(io, plan);
		dm_submit_bio_remap(bio, io->bio);
	}
	return true;
nomem:
	list_for_each_entry_safe(io, next, &ios, plug_node)
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
		most = read_max_bytes(io);
		if (most < io->bytes) {
			dm_accept_partial_bio(io->bio, most >> SECTOR_SHIFT);
			io->bytes = most;
			io->rest = true;
		}
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
	if (unlikely(io->tags) && !read_attach_tags(io))
		return icrypt_end_unsent(io, io->bio->bi_opf & REQ_NOWAIT);

	read_redirect(io, plan);
	if (plan == ICRYPT_PLAN_WAIT) {
		read_submit_now(io->bio, NULL);
		if (!read_is_callers(io))
			read_wait(io);
		read_decrypt(io, ICRYPT_CALLER, ICRYPT_MAY_SLEEP);
	} else {
		dm_submit_bio_remap(io->bio, NULL);
	}
	return DM_MAPIO_SUBMITTED;
}

/**
 * icrypt_read_init() - allocate the pool of a mapped device
 * @cc: the mapped device, its cipher set up
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno; icrypt_read_exit() cleans up after either.
 */
int icrypt_read_init(struct icrypt_config *cc)
{
	/* Pieces need no reserve, but bioset_init() requires a pool. */
	return bioset_init(&cc->read_bs, 1, icrypt_per_io_size(&cc->cipher), 0);
}

/**
 * icrypt_read_exit() - free the pool
 * @cc: the mapped device, zeroed or as far as icrypt_read_init() came
 *
 * Context: process, may sleep.
 */
void icrypt_read_exit(struct icrypt_config *cc)
{
	bioset_exit(&cc->read_bs);
}

/**
 * icrypt_read_module_init() - module init
 *
 * Context: process.
 */
void icrypt_read_module_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct read_bh *b = per_cpu_ptr(&read_bhs, cpu);

		init_llist_head(&b->ios);
		icrypt_bh_init(&b->bh, read_bh_run);
	}
}

/**
 * icrypt_read_module_exit() - module exit, when no device is left
 *
 * The last read has ended, but the bottom half or the unplug callback that ended it
 * may still be executing code of this module.
 *
 * Context: process, sleeps.
 */
void icrypt_read_module_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		icrypt_bh_kill(&per_cpu_ptr(&read_bhs, cpu)->bh);
	synchronize_rcu_tasks();
}
