// SPDX-License-Identifier: GPL-2.0-only
/*
 * A caller that decrypts several reads: those that it has sent from a plug, or the
 * pieces of a large one. It takes them in the order in which the device completes them.
 * A caller that falls behind the device calls workers that help.
 *
 *	icrypt_plug_add()	a read joins the plug of its submitter
 *	drain_unplug()		the submitter finishes its plug, or goes to sleep
 *	icrypt_drain()		wait for reads and decrypt them, until none is left
 *	drain_help()		a worker that helps
 */

#include <linux/sched/signal.h>
#include <linux/sched/stat.h>
#include <linux/slab.h>

#include "icrypt.h"

/* The most workers that help one caller; memory would limit a larger number. */
#define DRAIN_HELPERS	15

/* How long a helper waits for the device, ns. */
#define DRAIN_LINGER	(50 * NSEC_PER_USEC)

/* If the device completes the first of many reads within this time, ns, it is fast. */
#define DRAIN_SOON	(100 * NSEC_PER_USEC)

struct drain_helper {
	struct work_struct	work;
	struct drain		*drain;
};

/* The reads that a caller waits for, and its helpers. */
struct drain {
	spinlock_t		lock;	/* ios, against the helpers */
	struct list_head	ios;
	atomic_t		started;	/* helpers */
	atomic_t		idle;	/* helpers that started on an idle CPU */
	unsigned int		called;
	struct drain_helper	helpers[DRAIN_HELPERS];
};

/*
 * Takes the first complete read off the list; reads complete in any order. A helper gets
 * only a read with which workers may help, because the reads may be of several devices.
 * If @behind is not NULL, it receives the number of other reads if the device is faster
 * than the cipher, and else 0. The device is faster if another read is complete as well,
 * or if @soon says that this will be so.
 */
static struct icrypt_io *drain_pop(struct drain *d, bool helper, bool soon, unsigned int *behind)
{
	struct icrypt_io *io, *found = NULL;
	unsigned int others = 0;

	spin_lock(&d->lock);
	list_for_each_entry(io, &d->ios, read.node) {
		if ((helper || found) && !icrypt_may_help(io))
			continue;
		if (!icrypt_read_is_callers(io)) {
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
		list_del(&found->read.node);
	spin_unlock(&d->lock);
	if (behind)
		*behind = soon ? others : 0;
	return found;
}

static void drain_help(struct work_struct *work)
{
	struct drain_helper *h = container_of(work, struct drain_helper, work);
	struct drain *d = h->drain;
	struct icrypt_io *io;
	u64 until = 0;

	/* Another task needs this CPU, and the caller can do without this helper. */
	atomic_inc(&d->started);
	if (!single_task_running())
		return;
	atomic_inc(&d->idle);
	for (;;) {
		io = drain_pop(d, true, false, NULL);
		if (io) {
			icrypt_read_helped(io);
			until = 0;
			continue;
		}
		/* Wait a moment for reads at the device, while no other task wants the CPU. */
		if (!until)
			until = ktime_get_mono_fast_ns() + DRAIN_LINGER;
		if (list_empty_careful(&d->ios) || ktime_get_mono_fast_ns() >= until ||
		    !single_task_running() || need_resched())
			break;
		cpu_relax();
	}
}

static void drain_call_helpers(struct drain *d, struct icrypt_config *cc, unsigned int n)
{
	while (n--) {
		struct drain_helper *h = &d->helpers[d->called++];

		h->drain = d;
		INIT_WORK_ONSTACK(&h->work, drain_help);
		queue_work(cc->wq, &h->work);
	}
}

/*
 * Helpers that have not started are cancelled, and those that run finish their last read.
 * After the last helper is gone, the device may be gone as well.
 */
static void drain_dismiss_helpers(struct drain *d)
{
	unsigned int i;

	for (i = 0; i < d->called; i++) {
		cancel_work_sync(&d->helpers[i].work);
		destroy_work_on_stack(&d->helpers[i].work);
	}
	icrypt_learn_idle(atomic_read(&d->started), atomic_read(&d->idle));
}

/*
 * The requests in the submitter's plug are flushed only after the callbacks. Send them
 * now, because otherwise we would wait for requests that were never sent. Modules can
 * do this only with blk_finish_plug(). The plug itself stays in use.
 */
static void drain_flush_plug(void)
{
	struct blk_plug *plug = current->plug;

	if (plug) {
		blk_finish_plug(plug);
		current->plug = plug;
	}
}

/**
 * icrypt_drain() - wait for reads and decrypt them as they complete, until none is left
 * @ios: the reads, sent, of the plan WAIT or PLUG; the list is not valid any more on return
 *
 * A caller that falls behind the device calls several helpers at once. They take reads
 * from the same list. A helper that finds no idle CPU costs no more than the call, and the
 * next time fewer are called.
 *
 * Context: process, sleeps.
 */
noinline_for_stack void icrypt_drain(struct list_head *ios)
{
	struct drain d = { .called = 0 };
	unsigned int most = 0, behind;
	struct icrypt_io *io;
	u64 soon = 0;

	spin_lock_init(&d.lock);
	INIT_LIST_HEAD(&d.ios);
	list_splice(ios, &d.ios);
	if (!list_is_singular(&d.ios)) {
		most = min_t(unsigned int, DRAIN_HELPERS, icrypt_helpers_most());
		soon = ktime_get_mono_fast_ns() + DRAIN_SOON;
	}

	while (!list_empty(&d.ios)) {
		behind = 0;
		io = drain_pop(&d, false, soon && ktime_get_mono_fast_ns() < soon,
			       d.called < most ? &behind : NULL);
		if (!io) {
			might_sleep();
			set_current_state(TASK_UNINTERRUPTIBLE);
			io = drain_pop(&d, false, soon && ktime_get_mono_fast_ns() < soon,
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
			drain_call_helpers(&d, io->cc, min(behind, most - d.called));
		icrypt_read_decrypt(io, ICRYPT_CALLER, ICRYPT_MAY_SLEEP);
	}
	if (d.called)
		drain_dismiss_helpers(&d);
}

/*
 * The reads that their caller decrypts when it finishes its plug. There is one callback
 * in a plug for all our devices. With one callback per device, each would wait for its
 * own reads while nobody decrypts those of the others.
 */
struct drain_plug {
	struct blk_plug_cb	cb;
	struct list_head	ios;
};

static void drain_unplug(struct blk_plug_cb *cb, bool from_schedule)
{
	struct drain_plug *p = container_of(cb, struct drain_plug, cb);
	struct icrypt_io *io, *next;

	if (icrypt_drain_may_sleep(from_schedule)) {
		drain_flush_plug();
		icrypt_drain(&p->ios);
	} else {
		list_for_each_entry_safe(io, next, &p->ios, read.node)
			icrypt_read_give_back(io);
	}
	kfree(p);
}

/**
 * icrypt_plug_add() - let the submitter of a read decrypt it at the end of its plug
 * @io: the read, of the plan PLUG, not sent yet
 *
 * Context: process, in map; does not sleep.
 * Return: false if there is no memory for the callback.
 */
bool icrypt_plug_add(struct icrypt_io *io)
{
	struct drain_plug *p;
	struct blk_plug_cb *cb = blk_check_plugged(drain_unplug, NULL, sizeof(*p));

	if (!cb)
		return false;

	p = container_of(cb, struct drain_plug, cb);
	if (!p->ios.next)
		INIT_LIST_HEAD(&p->ios);
	/*
	 * Callbacks run one after the other. Our reads may wait for bios that
	 * other callbacks hold back (raid1, raid10, raid5, btrfs), so those
	 * callbacks go first. If one of them sleeps, our callback is off the plug,
	 * so schedule() cannot make it give the reads back, and they end later.
	 */
	list_move_tail(&cb->list, &current->plug->cb_list);
	list_add_tail(&io->read.node, &p->ios);
	return true;
}
