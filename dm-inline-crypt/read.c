// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a read: the bio that dm hands to map goes to the device itself,
 * with our completion in place of dm's, and is decrypted where it lies. Not
 * cloning it saves the allocation and lets dm poll it.
 *
 *	icrypt_read_map()	plan, redirect, submit; wait if that is the plan
 *	read_endio()		the device is done: hand to the caller or go on
 *	read_decrypt()	the cipher, then dm's completion
 *
 * docs/contexts.md has the argument why waiting cannot deadlock.
 */

#include <linux/rcupdate_wait.h>
#include <linux/sched/signal.h>
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
 * one callback for all our devices in a plug: with one a device, each would
 * wait while the reads of the others have nobody to decrypt them.
 */
struct read_plug {
	struct blk_plug_cb	cb;
	struct list_head	ios;
};

/*
 * dm's completion is called directly: bio_endio() has done its part for this
 * bio already (integrity, rq_qos, cgroup), and must not do it twice.
 */
static void read_finish(struct icrypt_io *io, blk_status_t status)
{
	struct bio *bio = io->bio;

	bio->bi_end_io = io->end_io;
	bio->bi_status = status;
	bio->bi_end_io(bio);
}

static void read_decrypt(struct icrypt_io *io, enum icrypt_context context, unsigned int may);

static void read_work(struct work_struct *work)
{
	read_decrypt(container_of(work, struct icrypt_io, work), ICRYPT_WQ, ICRYPT_MAY_SLEEP);
}

static void read_queue(struct icrypt_io *io, enum icrypt_reason reason)
{
	icrypt_stats_fallback(io, reason);
	INIT_WORK(&io->work, read_work);
	queue_work(io->cc->wq, &io->work);
}

/* The descriptor's done(): an asynchronous driver answered. */
static void read_cipher_done(void *cookie, enum icrypt_progress progress)
{
	struct icrypt_io *io = cookie;

	icrypt_stats_fallback(io, ICRYPT_REASON_ASYNC);
	if (progress == ICRYPT_NOMEM) {
		read_queue(io, ICRYPT_REASON_NOMEM);
		return;
	}
	icrypt_stats_done(io);
	read_finish(io, io->desc.status);
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

	/* What the device could not read stays as it is. */
	if (unlikely(status)) {
		read_finish(io, status);
		return;
	}

	if (context > io->context)
		io->context = context;
	icrypt_stats_begin(io);
	start = icrypt_clock_start(io);
	progress = icrypt_cipher_run(&io->cc->cipher, &io->desc, icrypt_io_request(io), may);
	switch (progress) {
	case ICRYPT_QUEUED:
		return;
	case ICRYPT_NOMEM:
		read_queue(io, ICRYPT_REASON_NOMEM);
		return;
	case ICRYPT_DONE:
		break;
	}
	icrypt_clock_stop(io, start, bytes - io->desc.in_iter.bi_size);
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

	llist_for_each_entry_safe(io, next, list, bh_node)
		read_decrypt_bh(io, ICRYPT_BH);
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

/*
 * If the caller still owns the read, tell it that it is its turn. From then on
 * the caller may end the read, return to user space and exit, hence the RCU
 * section around the wake-up.
 */
static bool read_hand_to_caller(struct icrypt_io *io)
{
	struct task_struct *task = io->submitter;
	bool handed;

	rcu_read_lock();
	handed = atomic_cmpxchg(&io->owner, ICRYPT_OWNER_DEVICE, ICRYPT_OWNER_CALLER) ==
		 ICRYPT_OWNER_DEVICE;
	/* Also if it is current: then we may have interrupted it going to sleep. */
	if (handed)
		wake_up_process(task);
	rcu_read_unlock();
	return handed;
}

static void read_endio(struct bio *bio)
{
	struct icrypt_io *io = bio->bi_private;
	enum icrypt_reason reason;

	if (io->plan != ICRYPT_PLAN_ENDIO && read_hand_to_caller(io))
		return;

	if (unlikely(bio->bi_status)) {
		read_finish(io, bio->bi_status);
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

/* The first complete read of the plug, off its list; they complete in any order. */
static struct icrypt_io *read_plug_pop(struct read_plug *p)
{
	struct icrypt_io *io;

	list_for_each_entry(io, &p->ios, plug_node) {
		if (read_is_callers(io)) {
			list_del(&io->plug_node);
			return io;
		}
	}
	return NULL;
}

/*
 * Requests that the submitter plugged are flushed after the callbacks: send
 * them, or we would wait for what was never sent. blk_finish_plug() is the way
 * to do so that modules have; the plug itself goes on.
 */
static void read_flush_plug(void)
{
	struct blk_plug *plug = current->plug;

	if (plug) {
		blk_finish_plug(plug);
		current->plug = plug;
	}
}

static void read_drain(struct read_plug *p)
{
	struct icrypt_io *io;

	read_flush_plug();
	while (!list_empty(&p->ios)) {
		io = read_plug_pop(p);
		if (!io) {
			might_sleep();
			set_current_state(TASK_UNINTERRUPTIBLE);
			io = read_plug_pop(p);
			if (!io) {
				icrypt_wait_begin();
				icrypt_io_schedule();
				icrypt_wait_end();
			}
			__set_current_state(TASK_RUNNING);
		}
		if (io)
			read_decrypt(io, ICRYPT_CALLER, ICRYPT_MAY_SLEEP);
	}
}

static void read_unplug(struct blk_plug_cb *cb, bool from_schedule)
{
	struct read_plug *p = container_of(cb, struct read_plug, cb);
	struct icrypt_io *io, *next;

	if (icrypt_drain_may_sleep(from_schedule))
		read_drain(p);
	else
		list_for_each_entry_safe(io, next, &p->ios, plug_node)
			read_give_back(io);
	kfree(p);
}

/* False if there is no memory for the callback; then the read is asynchronous. */
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
	 * Callbacks run one after the other. What others hold back in theirs
	 * (raid1, raid10, raid5, btrfs) may be what our reads wait for: theirs
	 * go first. If one of them sleeps, schedule() finds no callback of ours
	 * to give the reads back with, and they wait for us a little longer.
	 */
	list_move_tail(&cb->list, &current->plug->cb_list);
	list_add_tail(&io->plug_node, &p->ios);
	return true;
}

/*
 * Send a read for real and wait for it. Inside map, submit_bio_noacct() only
 * appends to current->bio_list, so the list is set aside, and with it the plug
 * that 6.12 starts for each bio, or the request would stay there. Never a plug
 * of the submitter: its requests hold tags and queue references, and if the
 * submission sleeps for one of these, schedule() must be able to flush it.
 */
static void read_submit_and_wait(struct icrypt_io *io)
{
	struct bio_list *list = current->bio_list;
	struct blk_plug *plug = current->plug;

	current->bio_list = NULL;
	current->plug = NULL;
	dm_submit_bio_remap(io->bio, NULL);
	current->bio_list = list;
	current->plug = plug;

	/* Lets a worker run that completes the read at once, as loop's does. */
	might_sleep();
	icrypt_wait_begin();
	for (;;) {
		set_current_state(TASK_UNINTERRUPTIBLE);
		if (read_is_callers(io))
			break;
		icrypt_io_schedule();
	}
	__set_current_state(TASK_RUNNING);
	icrypt_wait_end();
	read_decrypt(io, ICRYPT_CALLER, ICRYPT_MAY_SLEEP);
}

/**
 * icrypt_read_map() - dm's map for a read
 * @cc:  the mapped device
 * @bio: the read, aligned to the sector size
 *
 * Takes no memory but for a plug callback, whose absence only changes the plan.
 *
 * Context: process. Sleeps only if nothing in the bio or task forbids it.
 * Return: DM_MAPIO_SUBMITTED.
 */
int icrypt_read_map(struct icrypt_config *cc, struct bio *bio)
{
	struct icrypt_io *io = icrypt_io_of(cc, bio);

	io->submitter = current;
	io->plan = icrypt_plan_read(io);
	io->desc.write = false;
	io->desc.done = read_cipher_done;
	atomic_set(&io->owner, ICRYPT_OWNER_DEVICE);
	if (io->plan == ICRYPT_PLAN_PLUG && !read_plug_add(io))
		io->plan = ICRYPT_PLAN_ENDIO;

	icrypt_cipher_start(&cc->cipher, &io->desc, bio, bio, io->sector + cc->table.iv_offset);

	io->end_io = bio->bi_end_io;
	bio->bi_end_io = read_endio;
	/* The rest of a split bio may carry a mark that dm makes for itself. */
	bio->bi_opf &= ~REQ_DRV;
	bio->bi_private = io;
	bio_set_dev(bio, cc->dev->bdev);
	bio->bi_iter.bi_sector = cc->start + io->sector;
	trace_submit(io);

	if (io->plan == ICRYPT_PLAN_WAIT)
		read_submit_and_wait(io);
	else
		dm_submit_bio_remap(bio, NULL);
	return DM_MAPIO_SUBMITTED;
}

/**
 * icrypt_read_init() - module init
 *
 * Context: process.
 */
void icrypt_read_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct read_bh *b = per_cpu_ptr(&read_bhs, cpu);

		init_llist_head(&b->ios);
		icrypt_bh_init(&b->bh, read_bh_run);
	}
}

/**
 * icrypt_read_exit() - module exit, when no device is left
 *
 * The last read is over, but the bottom half or the unplug callback that ended
 * it may have some instructions of ours left to run.
 *
 * Context: process, sleeps.
 */
void icrypt_read_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		icrypt_bh_kill(&per_cpu_ptr(&read_bhs, cpu)->bh);
	synchronize_rcu_tasks();
}
