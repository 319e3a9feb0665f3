// SPDX-License-Identifier: GPL-2.0-only
/*
 * Give cipher work to idle CPUs, in batches, if one CPU has too much of it.
 *
 *	icrypt_spread()		a CPU adds a bio to its lane, if a helper serves it
 *	spread_work()		a helper, a worker that takes bios off a lane
 *
 * Each mapped device has a lane for each CPU and direction. A bio is added only
 * while a helper serves the lane, so no bio ever waits for a worker that has not
 * started. A CPU without a helper calls one and meanwhile works on its own: if the
 * helper finds no idle CPU, only the call was wasted. A helper that is awake takes
 * one bio after the other, stays a moment when the lane is empty, and calls the
 * next helper when bios queue up behind it.
 *
 * The scheduler finds the idle CPU. If a helper does not have its CPU for itself,
 * there was no idle CPU: the helper leaves, and no CPU calls again for some jiffies.
 * context.c decides when to spread at all.
 */

#include <linux/bitops.h>
#include <linux/cpumask.h>
#include <linux/jiffies.h>
#include <linux/rcupdate.h>
#include <linux/sched/stat.h>
#include <linux/slab.h>

#include "icrypt.h"

/* The most helpers of a device, all lanes together. */
#define SPREAD_HELPERS_MAX	((unsigned int)BITS_PER_LONG)

/* Another helper is called when so many bios wait for each helper. */
#define SPREAD_CALL		2

/*
 * The most bios that may wait for each helper. Devices complete reads in bursts.
 * Between two bursts the CPU submits, and helpers work off the rest of the burst. A
 * submitter of writes should itself encrypt, or soon it has nothing left to submit.
 */
#define SPREAD_DEPTH_READ	8
#define SPREAD_DEPTH_WRITE	4

/*
 * How long a helper stays at a lane that has run empty, ns. This is longer than waking
 * up a helper takes, because the submitter pays for the wake-up and bios come in bursts.
 */
#define SPREAD_LINGER		(50 * NSEC_PER_USEC)

/* How long no CPU calls a helper after a call that found no idle CPU, jiffies. */
#define SPREAD_PAUSE_MIN	1
#define SPREAD_PAUSE_MAX	(1UL + HZ / 50)

/* A helper that has processed so many bios was worth its call. */
#define SPREAD_WORTH		16

struct icrypt_helper {
	struct work_struct	work;
	struct icrypt_lane	*lane;
};

/* Read by all CPUs for each bio of a backlog, written when helpers are called. */
static struct {
	unsigned long	until;	/* no CPU calls until then, as none was idle, jiffies */
	unsigned long	trial;	/* no other CPU calls until then, as one just did, jiffies */
	unsigned int	jiffies; /* length of the next pause */
	unsigned int	most;	/* helpers to call at once */
} ____cacheline_aligned_in_smp pause = {
	.jiffies = SPREAD_PAUSE_MIN,
	.most = SPREAD_HELPERS_MAX,
};

/* Not time_before(): for that, a time long ago would be in the future again. */
static bool spread_is_ahead(unsigned long until)
{
	return until - jiffies - 1 < SPREAD_PAUSE_MAX;
}

static void spread_pause(void)
{
	unsigned int n = READ_ONCE(pause.jiffies);

	WRITE_ONCE(pause.until, jiffies + n);
	WRITE_ONCE(pause.jiffies, min_t(unsigned long, 2 * n, SPREAD_PAUSE_MAX));
}

/**
 * icrypt_spread_is_paused() - was no CPU idle lately?
 *
 * Context: any.
 * Return: whether a lane that has no helper need not ask for one.
 */
bool icrypt_spread_is_paused(void)
{
	return spread_is_ahead(READ_ONCE(pause.until));
}

/**
 * icrypt_helpers_most() - how many helpers is it worth to call at once?
 *
 * Context: any.
 * Return: the number, or 0 if no CPU was idle lately.
 */
unsigned int icrypt_helpers_most(void)
{
	return icrypt_spread_is_paused() ? 0 : min(READ_ONCE(pause.most), num_online_cpus() - 1);
}

/**
 * icrypt_learn_idle() - what became of helpers that were called at once
 * @started: how many started in time
 * @idle:    how many of them found an idle CPU
 *
 * Context: process.
 */
void icrypt_learn_idle(unsigned int started, unsigned int idle)
{
	unsigned int most = READ_ONCE(pause.most), new = most;

	if (started && !idle)
		spread_pause();
	if (idle < started)
		new = idle + 1;
	else if (idle >= most)
		new = min(2 * most, SPREAD_HELPERS_MAX);
	if (new != most)
		WRITE_ONCE(pause.most, new);
}

/* Does the lane need another helper, and may it have one? Called with its lock held. */
static bool spread_wants_helper(struct icrypt_lane *lane)
{
	return lane->len >= SPREAD_CALL * lane->helpers && !READ_ONCE(lane->called) &&
	       !lane->closing && lane->helpers < num_online_cpus() - 1 &&
	       !icrypt_spread_is_paused() && !spread_is_ahead(READ_ONCE(pause.trial));
}

/* Called by the CPU that set lane->called, without the lock. */
static void spread_call(struct icrypt_lane *lane)
{
	struct icrypt_config *cc = lane->cc;
	unsigned int i;

	for (i = 0; i < cc->helper_count; i++) {
		struct icrypt_helper *h = &cc->helpers[i];

		if (test_bit(i, &cc->helpers_used) || test_and_set_bit(i, &cc->helpers_used))
			continue;
		h->lane = lane;
		/* Other CPUs need not try at the same time. */
		WRITE_ONCE(pause.trial, jiffies + READ_ONCE(pause.jiffies));
		queue_work(cc->spread_wq, &h->work);
		return;
	}
	/* All helpers serve other lanes. */
	WRITE_ONCE(lane->called, false);
}

/**
 * icrypt_spread() - have a bio's cipher run on another CPU, if one is idle
 * @lane: the lane of this CPU
 * @io:   a complete read, or a write in map for which nothing is allocated yet
 *
 * Context: any.
 * Return: true if a helper gets @io, which may be gone by then; false if the caller
 * has to process it.
 */
bool icrypt_spread(struct icrypt_lane *lane, struct icrypt_io *io)
{
	unsigned int depth = lane->write ? SPREAD_DEPTH_WRITE : SPREAD_DEPTH_READ;
	unsigned long flags;
	bool call, taken;

	/* If no CPU is idle, this costs a look at the time, and no lock. */
	if (!READ_ONCE(lane->helpers) &&
	    (READ_ONCE(lane->called) || icrypt_spread_is_paused()))
		return false;

	/*
	 * A helper may end the bio before this function returns, and then the device may be
	 * removed. dm waits for a grace period between the last bio and the destructor.
	 */
	rcu_read_lock();
	raw_spin_lock_irqsave(&lane->lock, flags);
	call = spread_wants_helper(lane);
	if (call)
		lane->called = true;
	taken = !lane->closing && lane->len < depth * lane->helpers;
	if (taken) {
		list_add_tail(&io->lane_node, &lane->ios);
		WRITE_ONCE(lane->len, lane->len + 1);
	}
	raw_spin_unlock_irqrestore(&lane->lock, flags);
	if (call)
		spread_call(lane);
	rcu_read_unlock();
	return taken;
}

/**
 * icrypt_spread_again() - spread a read that icrypt_spread() refused, if a helper came
 * @io: the read
 *
 * Context: softirq, or a task with bottom halves off.
 * Return: as icrypt_spread().
 */
bool icrypt_spread_again(struct icrypt_io *io)
{
	struct icrypt_lane *lane = &this_cpu_ptr(io->cc->lanes)->lane[READ];

	return READ_ONCE(lane->helpers) && icrypt_spread(lane, io);
}

/* Wait a moment for the next bio of an empty lane, while nobody else wants the CPU. */
static void spread_linger(struct icrypt_lane *lane, u64 ns)
{
	u64 until = ktime_get_mono_fast_ns() + ns;

	while (!READ_ONCE(lane->len) && single_task_running() && !need_resched() &&
	       ktime_get_mono_fast_ns() < until)
		cpu_relax();
}

static struct icrypt_io *spread_take(struct icrypt_lane *lane)
{
	struct icrypt_io *io = list_first_entry_or_null(&lane->ios, struct icrypt_io, lane_node);

	if (io) {
		list_del(&io->lane_node);
		WRITE_ONCE(lane->len, lane->len - 1);
	}
	return io;
}

/*
 * Process bios until the lane is empty, or until another task wants this CPU and another
 * helper serves the lane. Returns the number of bios.
 */
static unsigned int spread_serve(struct icrypt_lane *lane)
{
	unsigned int done = 0;
	struct icrypt_io *io;
	bool alone = true, lingered = false, call;

	raw_spin_lock_irq(&lane->lock);
	lane->called = false;
	WRITE_ONCE(lane->helpers, lane->helpers + 1);
	for (;;) {
		lane->closing = !alone && lane->helpers == 1;
		io = alone || lane->helpers == 1 ? spread_take(lane) : NULL;
		if (!io && (!alone || lingered))
			break;
		call = io && spread_wants_helper(lane);
		if (call)
			lane->called = true;
		raw_spin_unlock_irq(&lane->lock);

		if (call)
			spread_call(lane);
		if (io) {
			lane->help(io);
			done++;
		} else {
			/* The CPU that called processes a bio itself before it adds one. */
			spread_linger(lane, done ? SPREAD_LINGER :
				      max(SPREAD_LINGER, 2UL * READ_ONCE(lane->limit)));
		}
		lingered = !io;
		cond_resched_tasks_rcu_qs();
		alone = single_task_running();
		raw_spin_lock_irq(&lane->lock);
	}
	lane->closing = false;
	WRITE_ONCE(lane->helpers, lane->helpers - 1);
	raw_spin_unlock_irq(&lane->lock);
	return done;
}

static void spread_work(struct work_struct *work)
{
	struct icrypt_helper *h = container_of(work, struct icrypt_helper, work);
	struct icrypt_lane *lane = h->lane;
	struct icrypt_config *cc = lane->cc;

	if (!single_task_running()) {
		spread_pause();
		WRITE_ONCE(lane->called, false);
	} else {
		WRITE_ONCE(pause.trial, jiffies);
		if (spread_serve(lane) >= SPREAD_WORTH &&
		    READ_ONCE(pause.jiffies) != SPREAD_PAUSE_MIN)
			WRITE_ONCE(pause.jiffies, SPREAD_PAUSE_MIN);
	}
	/* From now on the helper may be called again, which queues it once more. */
	clear_bit_unlock(h - cc->helpers, &cc->helpers_used);
}

/**
 * icrypt_spread_init() - allocate a device's lanes and helpers
 * @cc:         the mapped device
 * @help_read:  what a helper does with a read
 * @help_write: what it does with a write
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM; icrypt_spread_exit() cleans up after either.
 */
int icrypt_spread_init(struct icrypt_config *cc, icrypt_help_fn *help_read,
		       icrypt_help_fn *help_write)
{
	unsigned int i;
	int cpu;

	cc->lanes = alloc_percpu(struct icrypt_lanes);
	if (!cc->lanes)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		for (i = READ; i <= WRITE; i++) {
			struct icrypt_lane *lane = &per_cpu_ptr(cc->lanes, cpu)->lane[i];

			lane->cc = cc;
			lane->write = i == WRITE;
			lane->help = lane->write ? help_write : help_read;
			raw_spin_lock_init(&lane->lock);
			INIT_LIST_HEAD(&lane->ios);
		}
	}

	cc->helper_count = min_t(unsigned int, num_possible_cpus() - 1, SPREAD_HELPERS_MAX);
	if (!cc->helper_count)
		return 0;
	cc->helpers = kcalloc(cc->helper_count, sizeof(*cc->helpers), GFP_KERNEL);
	if (!cc->helpers)
		return -ENOMEM;
	for (i = 0; i < cc->helper_count; i++)
		INIT_WORK(&cc->helpers[i].work, spread_work);
	return 0;
}

/**
 * icrypt_spread_exit() - free a device's lanes and helpers, after its workqueues
 * @cc: the mapped device, zeroed or as far as icrypt_spread_init() came
 *
 * Context: process.
 */
void icrypt_spread_exit(struct icrypt_config *cc)
{
	kfree(cc->helpers);
	free_percpu(cc->lanes);
}
