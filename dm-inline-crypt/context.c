// SPDX-License-Identifier: GPL-2.0-only
/*
 * The only place that decides where the cipher runs.
 *
 *	synchronous read		the task that waits for it
 *	asynchronous read		the end_io chain:
 *	  completed inside submit	  in the submitting task
 *	  polled			  in the polling task
 *	  completed in hardirq		  continued in a bottom half on that CPU
 *	write				the submitting task
 *	any I/O, under contention	a worker, which also helps with large I/O
 *	backlog of one CPU		helpers on idle CPUs, see spread.c
 *
 * A bio does not say whether its submitter waits for it. When in doubt, a read is
 * treated as asynchronous. Taking a synchronous read for an asynchronous one costs a
 * wake-up; the opposite would run a queue of reads one by one. So a read is synchronous
 * if its vector is on the submitter's stack, or if all of these are true:
 *
 *	- the task is in read() or a variant of it,
 *	- the read is neither readahead nor metadata (file systems also read metadata
 *	  ahead, without marking it),
 *	- the task has not waited for another read in the same call, and has not
 *	  recently waited in vain (caller_goes_on()).
 *
 * Map never waits while other bios of the task still have to be sent: siblings of a bio
 * that a driver above us has split, or the rest of a bio of which map takes a part.
 */

#include <linux/cache.h>
#include <linux/compat.h>
#include <linux/cpumask.h>
#include <linux/math64.h>
#include <linux/moduleparam.h>
#include <linux/part_stat.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched/task_stack.h>

#ifdef CONFIG_HAVE_ARCH_TRACEHOOK
#include <asm/syscall.h>
#include <asm/unistd.h>
#endif

#include "icrypt.h"

/*
 * The longest time that a bottom half spends in the cipher. It adds to the latency
 * of all tasks on this CPU: a task that is woken has to wait for it, whatever its
 * priority. It always suffices for a few small reads. Otherwise no read with a slow
 * cipher could be decrypted where it completes.
 */
static unsigned int bh_budget_us __read_mostly = 50;
module_param(bh_budget_us, uint, 0644);
MODULE_PARM_DESC(bh_budget_us, "Longest cipher work in a bottom half, microseconds (default: 50)");

#define ICRYPT_BH_MIN_KIB	16

/*
 * The least cipher work for which waking a worker on another CPU pays, ns, and the
 * least data. The latter is for slow CPUs, on which a wake-up is slow as well.
 */
#define ICRYPT_SPREAD_NS	(100 * NSEC_PER_USEC)
#define ICRYPT_SPREAD_MIN	(32 * 1024U)

/* Approximate maximum number of pieces of one bio. */
#define ICRYPT_PIECES_MAX	32

/* Below this much cipher work a switch to the caller costs more than it saves, ns. */
#define ICRYPT_SMALL_NS		(60 * NSEC_PER_USEC)

/* Bottom halves with a smaller gap than this, ns, count as one stretch of work. */
#define ICRYPT_STRETCH_GAP	(5 * NSEC_PER_USEC)

/* Limit in budgets if no task waits for the CPU, for the sake of timers and network. */
#define ICRYPT_STRETCH_MAX	8

/* The first runs of the cipher in a task are timed, and then one of every so many. */
#define ICRYPT_SAMPLES_FIRST	16
#define ICRYPT_SAMPLE		16

/* Bounds of the learned cost, ns per KiB. */
#define ICRYPT_COST_MIN		16U
#define ICRYPT_COST_MAX		1000000U

/*
 * Does a device that reports that it rotates really seek? Virtual disks, RAID controllers,
 * loop and network devices report this as well, and believing them would give up most of
 * the help of other CPUs with large I/O. So some reads are timed: small reads that are far
 * from the read before.
 *
 * The fastest disks ever sold rotate 250 times per second. Half a rotation takes 2 ms,
 * after the seek. So at most one such read in four is faster than 2 ms, and fewer on
 * slower disks. A fast read adds 1, a slow read subtracts ICRYPT_SEEK_SLOW. So neither a
 * disk nor a mixture of fast and slow devices reaches ICRYPT_SEEK_FREE.
 */
#define ICRYPT_SEEK_NS		(2 * NSEC_PER_MSEC)
#define ICRYPT_SEEK_FAR		(64 * 1024 * 1024 >> SECTOR_SHIFT)
#define ICRYPT_SEEK_SIZE	(32 * 1024U)
#define ICRYPT_SEEK_FREE	16U
#define ICRYPT_SEEK_FREE_MAX	32U
#define ICRYPT_SEEK_SLOW	8U

/*
 * A CPU has a backlog if, on average, it is given new cipher work before it could have
 * done six times as much. The factor is that large because the other costs of an I/O may
 * be a multiple of its cipher, and a part of them moves to the helper as well. After a
 * longer break, it takes about eight bios until the average shows a backlog.
 */
#define ICRYPT_BACKLOG_GAP	6
#define ICRYPT_BACKLOG_BREAK	4
#define ICRYPT_BACKLOG_AVERAGE	4

/* The current stretch of cipher work in this CPU's bottom halves, ns. */
struct stretch {
	u64	end;
	u64	used;
};

static DEFINE_PER_CPU(struct stretch, stretches);

/* Tasks that wait for a read in order to decrypt it. */
static atomic_t waiting __cacheline_aligned_in_smp;

/* Bios that must not or will not be waited for. */
#define ICRYPT_NEVER_WAIT	(REQ_NOWAIT | REQ_RAHEAD | REQ_POLLED)

/*
 * Does the system call in progress wait for the reads that it starts? read() and
 * its kind do. getdents() may not: file systems read directories and the blocks of
 * their trees ahead, and btrfs does not say so.
 *
 * The registers of kthreads, of workers and of a task before its first exec are not those
 * of a system call, and another ABI has other numbers. One case is not recognised: task
 * work of io_uring that runs at the end of a read(). If it starts a linked read, that read
 * is waited for, which costs the ring some time.
 */
static bool syscall_waits(bool write)
{
#ifdef CONFIG_HAVE_ARCH_TRACEHOOK
	if ((current->flags & ICRYPT_PF_WORKER) || !current->mm || in_compat_syscall())
		return false;

	switch (syscall_get_nr(current, task_pt_regs(current))) {
	case __NR_read:
	case __NR_pread64:
	case __NR_readv:
	case __NR_preadv:
	case __NR_preadv2:
		return !write;
	case __NR_write:
	case __NR_pwrite64:
	case __NR_writev:
	case __NR_pwritev:
	case __NR_pwritev2:
		return write;
	}
#endif
	return false;
}

/*
 * Waiting in map nests one submission inside another, once for each stacked device
 * that does so. Half of the stack is reserved for the layers below.
 */
static bool stack_is_low(void)
{
#ifndef CONFIG_STACK_GROWSUP
	unsigned long here = (unsigned long)__builtin_frame_address(0);

	return here - (unsigned long)end_of_stack(current) < THREAD_SIZE / 2;
#else
	return true;
#endif
}

/*
 * The plug that the submitter of the I/O holds. 6.12 starts a plug of its own for each
 * bio that it takes off current->bio_list, and finishes it right after map. Both kinds
 * of plugs may be on our stack, but only that of 6.12 lies below the list. If a compiler
 * inlines __submit_bio(), this test may be wrong. Then the callback finds bio_list set,
 * and gives the read back.
 */
static struct blk_plug *submitter_plug(void)
{
	struct blk_plug *plug = current->plug;

	if (plug && current->bio_list && object_is_on_stack(plug) &&
	    (unsigned long)plug < (unsigned long)current->bio_list)
		return NULL;
	return plug;
}

/*
 * Is this one of several bios that the task submits at once? In the two system calls below,
 * the number of requests tells. A plug does not tell there, because a write to a block
 * device always has one. In other system calls, the task has more if it holds a plug.
 */
static bool submitter_has_more(void)
{
#ifdef CONFIG_HAVE_ARCH_TRACEHOOK
	unsigned long args[6];

	if (!(current->flags & ICRYPT_PF_WORKER) && current->mm && !in_compat_syscall()) {
		switch (syscall_get_nr(current, task_pt_regs(current))) {
		case __NR_io_submit:
		case __NR_io_uring_enter:
			syscall_get_arguments(current, task_pt_regs(current), args);
			return args[1] > 1;
		}
	}
#endif
	return submitter_plug();
}

/*
 * Other tasks may wait for the same page cache page or buffer. They must not have to
 * wait for a task that runs at low priority.
 */
static bool caller_is_slow(void)
{
	return task_nice(current) > 0 || current->policy == SCHED_IDLE ||
	       current->policy == SCHED_BATCH;
}

#ifdef CONFIG_TASK_XACCT
/*
 * What we know about a task in read(), by its pid. If two tasks share an entry, we know
 * less about both.
 *
 * @call:   the last call in which the task waited for a read, or was excused from waiting
 * @waited: the task waited in that call, and has sent no other read since
 * @let_go: number of future calls in which the task does not wait
 * @doubt:  the initial value of @let_go after the last wait in vain; halved by each wait
 *	    that was not in vain
 */
struct reader {
	u64	call;
	pid_t	pid;
	bool	waited;
	u8	let_go;
	u8	doubt;
} ____cacheline_aligned_in_smp;

#define ICRYPT_READERS	128
#define ICRYPT_DOUBT	4
#define ICRYPT_DOUBT_MAX	250

static struct reader readers[ICRYPT_READERS];

/*
 * Some file systems send reads from read() that the call does not wait for, or several
 * reads before it waits (prefetch; network file systems with a cache on a disk). If we
 * wait for one read, and the same call then sends another, the wait was in vain, or at
 * least not needed: the page cache, and any code that sends all of its reads at once,
 * would not have sent another read after the wait. Such a task does not wait in its
 * next calls, and in more of them each time. The number of read() calls that a task has
 * finished tells one call from another.
 */
static bool caller_goes_on(void)
{
	struct reader *r = &readers[current->pid % ICRYPT_READERS];
	u64 call = current->ioac.syscr;
	u8 doubt, let_go;

	if (READ_ONCE(r->pid) != current->pid)
		return false;
	if (READ_ONCE(r->call) == call) {
		if (READ_ONCE(r->waited)) {
			doubt = min(2 * READ_ONCE(r->doubt) + ICRYPT_DOUBT, ICRYPT_DOUBT_MAX);
			WRITE_ONCE(r->waited, false);
			WRITE_ONCE(r->doubt, doubt);
			WRITE_ONCE(r->let_go, doubt);
		}
		return true;
	}
	let_go = READ_ONCE(r->let_go);
	if (!let_go)
		return false;
	WRITE_ONCE(r->let_go, let_go - 1);
	WRITE_ONCE(r->call, call);
	return true;
}

static void caller_waited(void)
{
	struct reader *r = &readers[current->pid % ICRYPT_READERS];
	u64 call = current->ioac.syscr;

	if (READ_ONCE(r->pid) != current->pid) {
		WRITE_ONCE(r->pid, current->pid);
		WRITE_ONCE(r->let_go, 0);
		WRITE_ONCE(r->doubt, 0);
	} else if (READ_ONCE(r->waited) && READ_ONCE(r->call) != call) {
		WRITE_ONCE(r->doubt, READ_ONCE(r->doubt) / 2);
	}
	WRITE_ONCE(r->call, call);
	WRITE_ONCE(r->waited, true);
}
#else
static bool caller_goes_on(void)
{
	return false;
}

static void caller_waited(void)
{
}
#endif

/* Will this task soon wait for the read, whose vector is not on its stack? */
static noinline_for_stack bool caller_waits(void)
{
	return syscall_waits(false) && !caller_is_slow() && !caller_goes_on();
}

/*
 * Do other bios wait until map returns? The list has the pieces, or the rest, of a bio
 * that a driver above us has split. It has no bios of ours yet.
 */
static bool has_siblings(struct icrypt_io *io)
{
	struct bio_list *list = current->bio_list;

	return io->rest || (list && (!bio_list_empty(&list[0]) || !bio_list_empty(&list[1])));
}

/* The expected cipher time of @bytes, ns. */
static u64 cost_of(struct icrypt_config *cc, unsigned int bytes, bool write)
{
	return (u64)(bytes >> 9) * READ_ONCE(cc->ns_per_kib[write]) >> 1;
}

static u64 cost(struct icrypt_io *io)
{
	return cost_of(io->cc, io->bytes, io->desc.write);
}

static u64 bh_budget(struct icrypt_config *cc)
{
	return max((u64)READ_ONCE(bh_budget_us) * NSEC_PER_USEC,
		   (u64)READ_ONCE(cc->ns_per_kib[READ]) * ICRYPT_BH_MIN_KIB);
}

/* Is there another CPU that may take some of the cipher? */
static bool may_spread(struct icrypt_config *cc, enum icrypt_option never)
{
	return num_online_cpus() > 1 && !icrypt_option_set(&cc->table, never) &&
	       !icrypt_option_set(&cc->table, ICRYPT_OPT_SAME_CPU_CRYPT);
}

/* Is this so much cipher work that it would delay the queue of this CPU too long? */
static bool should_spread(struct icrypt_io *io, enum icrypt_option never)
{
	return io->bytes >= ICRYPT_SPREAD_MIN && cost(io) >= ICRYPT_SPREAD_NS &&
	       may_spread(io->cc, never);
}

/*
 * The size of the pieces of a bio, bytes: few pieces, and each of them worth waking a
 * worker; or 0 not to split the bio.
 */
static unsigned int piece_size(struct icrypt_io *io)
{
	unsigned int size = ICRYPT_PIECE_MIN;

	while (size <= io->bytes / 2 &&
	       (size < io->bytes / ICRYPT_PIECES_MAX ||
		cost_of(io->cc, size, io->desc.write) < ICRYPT_SPREAD_NS))
		size *= 2;
	return size <= io->bytes / 2 ? size : 0;
}

/*
 * A real-time task must not depend on a worker being scheduled: other real-time tasks
 * may keep the worker off its CPU for any time.
 */
static bool may_rely_on_workers(void)
{
	return current->prio >= MAX_RT_PRIO;
}

/* Is this run of the cipher a sample for the estimate? */
static bool is_sample(struct icrypt_io *io)
{
	u32 n = this_cpu_inc_return(io->cc->stats->runs);

	return n <= ICRYPT_SAMPLES_FIRST || !(n % ICRYPT_SAMPLE);
}

/* Every run of the cipher with bottom halves off takes of the budget. */
static bool is_charged(void)
{
	/* A forced-threaded completion is a task, too; there every bio counts. */
	return !in_task() || softirq_count();
}

/**
 * icrypt_run_begin() - the cipher begins with a bio
 * @io: the bio
 *
 * In a bottom half every run is accounted for. In a task a sample is, to know what the
 * cipher costs.
 *
 * Context: any.
 * Return: for icrypt_run_end(), or 0 if there is no need to call that.
 */
u64 icrypt_run_begin(struct icrypt_io *io)
{
	if (!is_charged() && !is_sample(io))
		return 0;
	return ktime_get_mono_fast_ns();
}

/* This read takes its part of the budget of this CPU's bottom halves. */
static void charge_budget(struct icrypt_io *io, u64 now)
{
	struct stretch *s = this_cpu_ptr(&stretches);

	/* Not the measured time: a hypervisor may have taken the CPU away. */
	s->used += cost(io);
	s->end = now;
}

/*
 * The cipher took @ns for @bytes. A long sample may have been preempted, a short one was
 * not. So the estimate falls fast and rises slowly.
 */
static void learn_cost(struct icrypt_io *io, u64 ns, unsigned int bytes)
{
	unsigned int *estimate = &io->cc->ns_per_kib[io->desc.write];
	unsigned int old = READ_ONCE(*estimate), sample, new;

	sample = min_t(u64, div_u64(ns << 1, bytes >> 9), ICRYPT_COST_MAX);
	if (sample < old)
		new = old - DIV_ROUND_UP(old - sample, 4);
	else
		new = old + DIV_ROUND_UP(min(sample, 16 * old) - old, 32);
	new = clamp(new, ICRYPT_COST_MIN, ICRYPT_COST_MAX);
	if (new != old)
		WRITE_ONCE(*estimate, new);
}

/**
 * icrypt_run_end() - account for a run of the cipher
 * @io:    the bio
 * @start: from icrypt_run_begin(), not 0
 * @bytes: that the cipher went through since then
 *
 * Charges the budget of bottom halves in one of these, and learns from a sample what the
 * cipher costs.
 *
 * Context: any.
 */
void icrypt_run_end(struct icrypt_io *io, u64 start, unsigned int bytes)
{
	u64 now = ktime_get_mono_fast_ns();

	if (is_charged()) {
		charge_budget(io, now);
		/* All CPUs read the estimate, so they should rarely write it. */
		if (!is_sample(io))
			return;
	}
	/* A failed run is no sample, nor is a clock that stood still or went back. */
	if (!io->desc.status && bytes >= SECTOR_SIZE && now > start)
		learn_cost(io, now - start, bytes);
}

static bool has_io_in_flight(struct block_device *bdev)
{
	int cpu, n = 0;

	for_each_possible_cpu(cpu)
		n += part_stat_local_read_cpu(bdev, in_flight[READ], cpu) +
		     part_stat_local_read_cpu(bdev, in_flight[WRITE], cpu);
	return n > 0;
}

/**
 * icrypt_seek_clock_start() - a read is about to be sent to a device that may seek
 * @io: the read
 *
 * Some reads are timed. A read that follows the last one is not, because a disk may have
 * it in its cache. A read that may have to queue is not, because that takes time on any
 * device. The counters of the other CPUs are read only now and then.
 *
 * Context: process, in map; does not sleep.
 */
void icrypt_seek_clock_start(struct icrypt_io *io)
{
	struct block_device *bdev = io->bio->bi_bdev;
	struct icrypt_config *cc = io->cc;
	sector_t last = this_cpu_read(cc->stats->read_end);
	sector_t far = min_t(sector_t, ICRYPT_SEEK_FAR, bdev_nr_sectors(bdev) / 8);
	unsigned long now = jiffies;

	this_cpu_write(cc->stats->read_end, io->sector + (io->bytes >> SECTOR_SHIFT));
	if ((last > io->sector ? last - io->sector : io->sector - last) < far ||
	    io->bytes > ICRYPT_SEEK_SIZE || (io->bio->bi_opf & (REQ_RAHEAD | REQ_POLLED)))
		return;
	if (now - READ_ONCE(cc->seek_timed) < max(HZ / 100, 1) || has_io_in_flight(bdev))
		return;
	WRITE_ONCE(cc->seek_timed, now);
	io->read.timed_ns = ktime_get_mono_fast_ns();
}

/**
 * icrypt_seek_clock_stop() - a read that is timed is back
 * @io: the read
 *
 * Context: any.
 */
void icrypt_seek_clock_stop(struct icrypt_io *io)
{
	unsigned int *seek_free = &io->cc->seek_free;
	unsigned int old = READ_ONCE(*seek_free), new;

	if (io->bio->bi_status)
		return;
	if (ktime_get_mono_fast_ns() - io->read.timed_ns < ICRYPT_SEEK_NS)
		new = min(old + 1, ICRYPT_SEEK_FREE_MAX);
	else
		new = old - min(old, ICRYPT_SEEK_SLOW);
	if (new != old)
		WRITE_ONCE(*seek_free, new);
}

/*
 * Is the device below a disk that needs its I/O in order? Until enough reads were timed,
 * its own report is believed. Taking a seeking device for one that does not seek costs
 * one rotation whenever a write is out of order. The opposite error costs the help of
 * other CPUs, for about as long as mounting a file system takes.
 */
static bool wants_order(struct icrypt_config *cc)
{
	return cc->rotational && READ_ONCE(cc->seek_free) < ICRYPT_SEEK_FREE;
}

/*
 * Is this read too much for a bottom half? It is if it takes too long by itself. After
 * other bios it is too much if the budget is used up and a task waits for the CPU. If no
 * task waits, bottom halves may use several budgets.
 */
static bool bh_over_budget(struct icrypt_io *io)
{
	u64 budget = bh_budget(io->cc), ns = cost(io);
	struct stretch *s = this_cpu_ptr(&stretches);

	if (io->cc->table.read_context == ICRYPT_WANT_ENDIO)
		return false;
	if (ns > budget)
		return true;
	if (ktime_get_mono_fast_ns() - s->end > ICRYPT_STRETCH_GAP)
		s->used = 0;
	return s->used + ns > budget &&
	       (icrypt_need_resched() || s->used > ICRYPT_STRETCH_MAX * budget);
}

/*
 * May the cipher call cond_resched() here? A completion in a task may run with locks held
 * that this module does not know.
 */
static unsigned int may_resched(void)
{
	return preemptible() && !rcu_preempt_depth() ? ICRYPT_MAY_RESCHED : 0;
}

static struct icrypt_decision run_in(enum icrypt_context where, unsigned int may)
{
	return (struct icrypt_decision){ .where = where, .why = ICRYPT_REASON_NONE, .may = may };
}

static struct icrypt_decision run_in_worker(enum icrypt_reason why)
{
	return (struct icrypt_decision){ .where = ICRYPT_WQ, .why = why, .may = ICRYPT_MAY_SLEEP };
}

/* With bottom halves off: as long as there is budget. */
static struct icrypt_decision run_in_bh(struct icrypt_io *io, enum icrypt_context where)
{
	if (unlikely(bh_over_budget(io)))
		return run_in_worker(ICRYPT_REASON_BUDGET);
	return run_in(where, 0);
}

/**
 * icrypt_wait_begin() - a task starts to wait for its read
 * @bio: the read, or NULL for those of a plug and for pieces
 *
 * A read with its vector on the stack is not recorded for caller_goes_on(): it was waited
 * for whatever the system call is.
 *
 * Context: process.
 */
void icrypt_wait_begin(const struct bio *bio)
{
	atomic_inc(&waiting);
	if (!bio || !object_is_on_stack(bio->bi_io_vec))
		caller_waited();
}

/**
 * icrypt_wait_end() - a task has finished waiting for its read
 *
 * Context: process.
 */
void icrypt_wait_end(void)
{
	atomic_dec(&waiting);
}

/* The plan of a read that its submitter does not wait for: it may be one of many. */
static enum icrypt_plan plan_stream(struct icrypt_io *io)
{
	struct icrypt_lanes __percpu *lanes = io->cc->lanes;
	struct icrypt_lane *lane = &raw_cpu_ptr(lanes)->lane[READ];

	if (icrypt_spread_is_paused() && !READ_ONCE(lane->helpers))
		return ICRYPT_PLAN_ENDIO;
	if (io->cc->table.read_context == ICRYPT_WANT_AUTO && !(io->bio->bi_opf & REQ_POLLED) &&
	    may_rely_on_workers() && may_spread(io->cc, ICRYPT_OPT_NO_READ_WORKQUEUE)) {
		io->read.lane = lane;
		io->read.seq = this_cpu_inc_return(lanes->lane[READ].submitted);
		io->read.more = submitter_has_more();
	}
	return ICRYPT_PLAN_ENDIO;
}

/**
 * icrypt_plan_read() - decide at submission where a read is to be decrypted
 * @io: the read
 *
 * Context: process, in map; does not sleep.
 * Return: the plan. ICRYPT_PLAN_PLUG only if the submitter holds a plug.
 */
enum icrypt_plan icrypt_plan_read(struct icrypt_io *io)
{
	enum icrypt_want want = io->cc->table.read_context;
	struct bio *bio = io->bio;
	bool on_stack;

	if (want == ICRYPT_WANT_ENDIO || want == ICRYPT_WANT_WORKQUEUE)
		return ICRYPT_PLAN_ENDIO;
	if ((bio->bi_opf & ICRYPT_NEVER_WAIT) || (current->flags & ICRYPT_PF_WORKER))
		return plan_stream(io);

	/* If the vector is on its stack, the submitter cannot return before the end. */
	on_stack = object_is_on_stack(bio->bi_io_vec);
	if (want != ICRYPT_WANT_CALLER && !on_stack &&
	    ((bio->bi_opf & REQ_META) || !caller_waits()))
		return plan_stream(io);

	/*
	 * With more readers than CPUs, another task is running when the device is
	 * done. Decrypting there is sooner than after a switch to this task.
	 */
	if (want != ICRYPT_WANT_CALLER && atomic_read(&waiting) >= num_online_cpus() &&
	    cost(io) <= ICRYPT_SMALL_NS)
		return ICRYPT_PLAN_ENDIO;

	if (submitter_plug()) {
		/*
		 * A task that waits for this very bio, or for metadata, does so
		 * before it finishes the plug. And if the kernel cannot tell
		 * whether the plug's callback may sleep, the callback never does.
		 */
		if (on_stack || (bio->bi_opf & REQ_META) || !IS_ENABLED(CONFIG_PREEMPT_COUNT))
			return ICRYPT_PLAN_ENDIO;
		return ICRYPT_PLAN_PLUG;
	}
	return has_siblings(io) || stack_is_low() ? ICRYPT_PLAN_ENDIO : ICRYPT_PLAN_WAIT;
}

/**
 * icrypt_plan_without_plug() - the plan of a read whose plan was ICRYPT_PLAN_PLUG
 * @io: the read, for which there is no memory for a callback
 *
 * Context: process, in map; does not sleep.
 * Return: the plan.
 */
enum icrypt_plan icrypt_plan_without_plug(struct icrypt_io *io)
{
	return ICRYPT_PLAN_ENDIO;
}

/**
 * icrypt_caller_piece() - decide whether a read that its caller decrypts is sent in pieces
 * @io: the read
 *
 * With pieces, the caller can decrypt the first ones while the device reads the others.
 * Called only if icrypt_is_large().
 *
 * Context: process, in map; does not sleep.
 * Return: bytes of a piece, or 0 to send it whole.
 */
unsigned int icrypt_caller_piece(struct icrypt_io *io)
{
	/* Pieces gain nothing on a disk that has to seek. */
	if (io->cc->table.read_context != ICRYPT_WANT_AUTO || wants_order(io->cc))
		return 0;
	return piece_size(io);
}

/**
 * icrypt_worker_piece() - decide whether a worker shares a read with others
 * @io: the read
 *
 * Context: process.
 * Return: bytes of a piece, or 0 to do it all.
 */
unsigned int icrypt_worker_piece(struct icrypt_io *io)
{
	if (likely(!icrypt_is_large(io)))
		return 0;
	/* A piece is not cut again, nor is a read that the cipher has begun. */
	if (io->read.whole || io->desc.in_iter.bi_size != io->bytes || io->bio->bi_status ||
	    io->cc->table.read_context != ICRYPT_WANT_AUTO ||
	    !may_spread(io->cc, ICRYPT_OPT_NO_READ_WORKQUEUE))
		return 0;
	return piece_size(io);
}

/*
 * The size of a part of a write that ends with a stripe of the device below and has at
 * least @size bytes, or 0 if there is no such end. To write a part of a stripe, the device
 * may have to read first. Some drivers report an optimal_io_size that is no stripe, such
 * as 33553920.
 */
static unsigned int up_to_stripe(struct icrypt_io *io, unsigned int size)
{
	struct block_device *bdev = io->cc->dev->bdev;
	unsigned int stripe = bdev_io_opt(bdev), block = icrypt_block_size(io->cc);
	unsigned int over, part;
	u64 start;

	if (!stripe || stripe > min(io->bytes, ICRYPT_PAGES_MAX) || stripe % block ||
	    stripe % bdev_physical_block_size(bdev))
		return 0;
	start = (u64)(get_start_sect(bdev) + io->cc->start + io->sector) << SECTOR_SHIFT;
	div_u64_rem(start, stripe, &over);
	part = min(roundup(size + over, stripe), rounddown(ICRYPT_PAGES_MAX + over, stripe)) - over;
	return part < io->bytes && !(over % block) ? part : 0;
}

/**
 * icrypt_write_piece() - decide whether map takes a part of a write only
 * @io: the write
 *
 * A write that must not wait is not split, because its rest might have to wait.
 *
 * Context: process, in map; does not sleep.
 * Return: bytes of the part, or 0 to take it as it is.
 */
unsigned int icrypt_write_piece(struct icrypt_io *io)
{
	struct icrypt_config *cc = io->cc;
	unsigned int size, part;

	if (likely(!icrypt_is_large(io)))
		return 0;
	if (cc->zoned || wants_order(cc) || cc->table.write_context != ICRYPT_WANT_AUTO ||
	    (io->bio->bi_opf & (REQ_NOWAIT | ICRYPT_REQ_ATOMIC)) ||
	    !may_spread(cc, ICRYPT_OPT_NO_WRITE_WORKQUEUE))
		return 0;
	size = piece_size(io);
	part = size ? up_to_stripe(io, size) : 0;
	/* If no stripe fits, cut anywhere, unless partial stripes are expensive. */
	return part || icrypt_partial_stripes_expensive(cc->dev->bdev) ? part : size;
}

/**
 * icrypt_may_help() - may a worker that was called decrypt a caller's read?
 * @io: the read
 *
 * Context: any.
 * Return: whether it may.
 */
bool icrypt_may_help(struct icrypt_io *io)
{
	return io->cc->table.read_context == ICRYPT_WANT_AUTO &&
	       may_spread(io->cc, ICRYPT_OPT_NO_READ_WORKQUEUE);
}

/**
 * icrypt_may_call_helper() - may a worker be called to help a caller with its reads?
 * @io: one of them
 *
 * Context: process.
 * Return: whether it may.
 */
bool icrypt_may_call_helper(struct icrypt_io *io)
{
	return io->cc->table.read_context == ICRYPT_WANT_AUTO && may_rely_on_workers() &&
	       should_spread(io, ICRYPT_OPT_NO_READ_WORKQUEUE);
}

/**
 * icrypt_drain_may_sleep() - may an unplug callback wait for its reads?
 * @from_schedule: as given to the callback
 *
 * It may not if current->bio_list may have bios for which it would wait. It may not under
 * bio_poll() either, which flushes the plug inside an RCU read section.
 *
 * Context: the callback's.
 * Return: whether it may.
 */
bool icrypt_drain_may_sleep(bool from_schedule)
{
	return !from_schedule && !current->bio_list && preemptible() && !rcu_preempt_depth();
}

/**
 * icrypt_decide_read() - decide where a read that completes is decrypted
 * @io: the read, not owned by its caller
 *
 * Context: any, the completion's.
 * Return: where, and for a worker why. ICRYPT_BH is for a bottom half that is still to be
 * scheduled, which asks icrypt_decide_bh().
 */
struct icrypt_decision icrypt_decide_read(struct icrypt_io *io)
{
	if (unlikely(io->cc->table.read_context == ICRYPT_WANT_WORKQUEUE))
		return run_in_worker(ICRYPT_REASON_OPTION);
	/* skcipher does not support hardirq context, and does not always detect it. */
	if (in_hardirq() || irqs_disabled()) {
		if (cost(io) <= bh_budget(io->cc) ||
		    io->cc->table.read_context == ICRYPT_WANT_ENDIO)
			return run_in(ICRYPT_BH, 0);
		return run_in_worker(ICRYPT_REASON_BUDGET);
	}
	if (!in_task())
		return run_in_bh(io, ICRYPT_ENDIO);
	if (io->bio->bi_opf & REQ_POLLED)
		return run_in(ICRYPT_CALLER, may_resched());
	if (io->cc->table.read_context == ICRYPT_WANT_AUTO &&
	    should_spread(io, ICRYPT_OPT_NO_READ_WORKQUEUE))
		return run_in_worker(ICRYPT_REASON_SPREAD);
	if (current == io->read.submitter)
		return run_in(ICRYPT_CALLER, may_resched());
	return softirq_count() ? run_in_bh(io, ICRYPT_ENDIO) : run_in(ICRYPT_ENDIO, may_resched());
}

/**
 * icrypt_decide_bh() - decide whether our bottom half decrypts a read
 * @io: the read, for which icrypt_decide_read() said ICRYPT_BH
 *
 * Context: our bottom half.
 * Return: ICRYPT_BH or a worker.
 */
struct icrypt_decision icrypt_decide_bh(struct icrypt_io *io)
{
	return run_in_bh(io, ICRYPT_BH);
}

/**
 * icrypt_decide_after() - decide why a worker goes on with a bio, after its place was decided
 * @io:    the bio
 * @event: what happened to it
 *
 * Context: any.
 * Return: a worker, or the cipher driver's queue, which counts as one.
 */
struct icrypt_decision icrypt_decide_after(struct icrypt_io *io, enum icrypt_event event)
{
	switch (event) {
	case ICRYPT_DRIVER_ANSWERED:
		return run_in_worker(ICRYPT_REASON_ASYNC);
	case ICRYPT_CIPHER_STOPPED:
		/* What it could not sleep for: an IV that a driver makes, or memory. */
		return run_in_worker(io->cc->cipher.iv_waits ? ICRYPT_REASON_ASYNC :
							       ICRYPT_REASON_NOMEM);
	case ICRYPT_NO_PAGES:
		return run_in_worker(ICRYPT_REASON_NOMEM);
	case ICRYPT_GIVEN_BACK:
		return run_in_worker(ICRYPT_REASON_SLEPT);
	case ICRYPT_HELPED:
		return run_in_worker(ICRYPT_REASON_SPREAD);
	case ICRYPT_TAG_MISMATCH:
		break;
	}
	return run_in_worker(ICRYPT_REASON_CONTEXT);
}

/**
 * icrypt_fall_back() - a worker goes on with a bio
 * @io: the bio
 * @d:  the decision
 *
 * Notes where the cipher runs from now on, and counts the reason.
 *
 * Context: any.
 */
void icrypt_fall_back(struct icrypt_io *io, struct icrypt_decision d)
{
	io->context = d.where;
	icrypt_stats_fallback(io, d.why);
}

/**
 * icrypt_is_ordered() - must this write keep its place in the order of writes?
 * @cc:  the mapped device
 * @bio: a write in map
 *
 * Writes to zones must. From 6.12 on, a table that maps only conventional zones of a
 * zoned device is not a zoned device itself.
 *
 * Context: any.
 * Return: whether it must.
 */
bool icrypt_is_ordered(const struct icrypt_config *cc, const struct bio *bio)
{
	return unlikely(cc->zoned) && bdev_is_zoned(bio->bi_bdev);
}

/**
 * icrypt_may_queue_write() - may a worker encrypt a write, if its submitter would have to wait?
 * @io: the write, which finds no memory at once and may wait for it
 *
 * Context: process, in map; does not sleep.
 * Return: whether it may.
 */
bool icrypt_may_queue_write(struct icrypt_io *io)
{
	return !io->write.ordered && io->cc->table.write_context != ICRYPT_WANT_CALLER;
}

/**
 * icrypt_decide_write() - decide where a write is encrypted
 * @io:   the write
 * @more: map takes a part, and is called at once with the rest
 *
 * Writes to a zoned device are sent in the order in which they arrived.
 *
 * Context: process, in map.
 * Return: ICRYPT_CALLER, or a worker and why.
 */
struct icrypt_decision icrypt_decide_write(struct icrypt_io *io, bool more)
{
	struct icrypt_decision caller = run_in(ICRYPT_CALLER, io->write.nowait ?
					       ICRYPT_MAY_RESCHED : ICRYPT_MAY_SLEEP);
	enum icrypt_want want = io->cc->table.write_context;
	int cpus = num_online_cpus();
	bool waits;

	if (io->write.ordered || want == ICRYPT_WANT_CALLER)
		return caller;
	if (unlikely(want == ICRYPT_WANT_WORKQUEUE))
		return run_in_worker(ICRYPT_REASON_OPTION);
	/* Rotational disks want their writes in order. */
	if (!should_spread(io, ICRYPT_OPT_NO_WRITE_WORKQUEUE) || wants_order(io->cc))
		return caller;

	/*
	 * A submitter that waits anyway encrypts the write itself, but may share a
	 * large write with workers. Other submitters help when enough is queued.
	 */
	waits = (current->flags & PF_IO_WORKER) || object_is_on_stack(io->bio->bi_io_vec) ||
		syscall_waits(true);
	if (waits && (!more || !may_rely_on_workers()))
		return caller;
	if (atomic_read(&io->cc->writes_queued) >= (waits ? cpus - 1 : 2 * cpus))
		return caller;

	return run_in_worker(ICRYPT_REASON_SPREAD);
}

/* This CPU is given cipher work of @ns. Does it get such work too often? */
static bool backlog_grows(struct icrypt_lane *lane, u64 ns)
{
	u64 now = ktime_get_mono_fast_ns();
	u32 limit = ICRYPT_BACKLOG_GAP * ns, average = READ_ONCE(lane->average), gap;

	gap = min_t(u64, now - READ_ONCE(lane->last), ICRYPT_BACKLOG_BREAK * limit);
	average += gap / ICRYPT_BACKLOG_AVERAGE - average / ICRYPT_BACKLOG_AVERAGE;
	WRITE_ONCE(lane->last, now);
	WRITE_ONCE(lane->average, average);
	WRITE_ONCE(lane->limit, limit);
	return average < limit;
}

/**
 * icrypt_read_backlog() - should other CPUs decrypt a read that completes here?
 * @io: the read, not owned by its caller
 *
 * They should if more such reads are on their way, and cipher work takes much of the time
 * of this CPU.
 *
 * Context: any, the completion's.
 * Return: the lane for icrypt_spread(), or NULL.
 */
struct icrypt_lane *icrypt_read_backlog(struct icrypt_io *io)
{
	struct icrypt_lane *lane;
	u64 ns;

	if (!io->read.lane)
		return NULL;
	lane = &raw_cpu_ptr(io->cc->lanes)->lane[READ];
	if (!io->read.more && READ_ONCE(io->read.lane->submitted) == io->read.seq &&
	    !READ_ONCE(lane->len))
		return NULL;
	ns = cost(io);
	if (io->bytes >= ICRYPT_SPREAD_MIN && ns >= ICRYPT_SPREAD_NS)
		return NULL;
	return backlog_grows(lane, ns) ? lane : NULL;
}

/**
 * icrypt_write_backlog() - should other CPUs encrypt a write?
 * @io: the write, with nothing allocated
 *
 * They should if its submitter has more to submit, and cipher work takes much of the time
 * of this CPU.
 *
 * Context: process, in map; does not sleep.
 * Return: the lane for icrypt_spread(), or NULL.
 */
struct icrypt_lane *icrypt_write_backlog(struct icrypt_io *io)
{
	struct icrypt_config *cc = io->cc;
	struct icrypt_lane *lane = &raw_cpu_ptr(cc->lanes)->lane[WRITE];
	u64 ns;

	if (icrypt_spread_is_paused() && !READ_ONCE(lane->helpers))
		return NULL;
	if (cc->table.write_context != ICRYPT_WANT_AUTO || wants_order(cc) || cc->zoned ||
	    cc->cipher.tuple_size || (io->bio->bi_opf & REQ_POLLED) ||
	    (current->flags & (PF_IO_WORKER | PF_MEMALLOC)) || !may_rely_on_workers() ||
	    !may_spread(cc, ICRYPT_OPT_NO_WRITE_WORKQUEUE))
		return NULL;
	if (object_is_on_stack(io->bio->bi_io_vec) || syscall_waits(true))
		return NULL;
	if (!READ_ONCE(lane->helpers) && !submitter_has_more())
		return NULL;
	ns = cost(io);
	if (io->bytes >= ICRYPT_SPREAD_MIN && ns >= ICRYPT_SPREAD_NS)
		return NULL;
	return backlog_grows(lane, ns) ? lane : NULL;
}
