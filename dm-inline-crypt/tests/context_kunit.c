// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit: where the cipher runs. Each row of a table is a situation: what the table line
 * wants, what the bio is, and what its submitter does.
 *
 * KUnit runs a test in a kernel thread, for which context.c does not wait. So for the
 * time of a decision the thread passes for a task in a system call.
 */

#include <asm/syscall.h>
#include <asm/unistd.h>
#include <kunit/test.h>
#include <linux/blkdev.h>
#include <linux/completion.h>
#include <linux/sched.h>
#include <linux/sched/task_stack.h>
#include <linux/timer.h>

#include "../icrypt.h"

#define SMALL		4096U
#define LARGE		(1024 * 1024U)

/* What the cipher costs, ns per KiB: a MiB takes 8 ms, or 1 us */
#define SLOW		8000
#define FAST		1

/* The numbers of system calls begin with 0, which is to say any other here. */
#define CALL(name)	(__NR_##name + 1)
#define OTHER_CALL	0
#define NO_CALL		(-1)

/**
 * struct situation - what a decision depends on
 * @what:     its name
 * @want:     read_context or write_context
 * @options:  of the table line
 * @opf:      the bio's flags
 * @bytes:    its size, 0: SMALL
 * @ns:       the cipher's cost, 0: SLOW
 * @thread:   its submitter is a kernel thread
 * @call:     or is in this system call: CALL(), OTHER_CALL or NO_CALL
 * @nice:     its nice value
 * @on_stack: the bio's vector is on its stack
 * @plug:     it holds a plug
 * @siblings: other bios of it wait to be sent
 * @rest:     map is called again with the rest of the bio
 * @disk:     the device below is a disk that seeks
 * @busy:     as many tasks wait for their reads as there are CPUs, or for a write,
 *	      as many writes are queued as there may be
 * @expect:   enum icrypt_plan or enum icrypt_context
 */
struct situation {
	const char		*what;
	enum icrypt_want	want;
	unsigned long		options;
	blk_opf_t		opf;
	unsigned int		bytes;
	unsigned int		ns;
	bool			thread;
	int			call;
	int			nice;
	bool			on_stack;
	bool			plug;
	bool			siblings;
	bool			rest;
	bool			disk;
	bool			busy;
	int			expect;
};

static void describe(const struct situation *s, char *desc)
{
	strscpy(desc, s->what, KUNIT_PARAM_DESC_SIZE);
}

/**
 * struct context_test - a mapped device and a bio, as far as decisions look at them
 * @cc:   the mapped device
 * @io:   the bio's
 * @bio:  the bio
 * @vec:  its vector, in memory
 * @list: of bios that wait to be sent
 * @plug: the submitter's
 * @sibling: a bio on @list
 */
struct context_test {
	struct icrypt_config	cc;
	struct icrypt_io	io;
	struct bio		bio;
	struct bio_vec		vec;
	struct bio_list		list[2];
	struct blk_plug		plug;
	struct bio		sibling;
};

static int context_test_init(struct kunit *test)
{
	struct context_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	test->priv = t;
	t->cc.lanes = alloc_percpu(struct icrypt_lanes);
	KUNIT_ASSERT_NOT_NULL(test, t->cc.lanes);
	return 0;
}

static void context_test_exit(struct kunit *test)
{
	struct context_test *t = test->priv;

	if (t)
		free_percpu(t->cc.lanes);
}

static void arrange(struct context_test *t, const struct situation *s, struct bio_vec *stack_vec,
		    enum req_op op)
{
	unsigned int ns = s->ns ?: SLOW;

	t->cc.table.options = s->options;
	t->cc.table.read_context = s->want;
	t->cc.table.write_context = s->want;
	t->cc.ns_per_kib[READ] = ns;
	t->cc.ns_per_kib[WRITE] = ns;
	t->cc.rotational = s->disk;
	t->vec.bv_len = s->bytes ?: SMALL;
	bio_init(&t->bio, NULL, s->on_stack ? stack_vec : &t->vec, 1, op | s->opf);
	t->bio.bi_vcnt = 1;
	t->bio.bi_iter.bi_size = t->vec.bv_len;
	icrypt_io_init(&t->io, &t->cc, &t->bio, 0);
	t->io.rest = s->rest;
	if (op == REQ_OP_WRITE) {
		t->io.write.ordered = false;
		t->io.write.nowait = false;
	}
	bio_list_init(&t->list[0]);
	bio_list_init(&t->list[1]);
	bio_init(&t->sibling, NULL, NULL, 0, op);
	bio_list_add(&t->list[0], &t->sibling);
}

/* A read's plan, or where a write is encrypted if @reason is given. */
static int decide(struct context_test *t, bool more, enum icrypt_reason *reason)
{
	struct icrypt_decision d;

	if (!reason)
		return icrypt_plan_read(&t->io);
	d = icrypt_decide_write(&t->io, more);
	*reason = d.why;
	return d.where;
}

/* The same as its submitter gets it. Nothing but the decision sees that it pretends. */
static int decide_as_submitter(struct context_test *t, const struct situation *s, bool more,
			       enum icrypt_reason *reason)
{
	struct pt_regs *regs = task_pt_regs(current), saved = *regs;
	unsigned int flags = current->flags;
	struct mm_struct *mm = current->mm;
	unsigned long irq;
	int got;

	local_irq_save(irq);
	if (!s->thread) {
		current->flags &= ~PF_KTHREAD;
		current->mm = &init_mm;
		syscall_set_nr(current, regs,
			       s->call == OTHER_CALL ? __NR_getdents64 :
			       s->call == NO_CALL ? -1 : s->call - 1);
	}
	if (s->siblings)
		current->bio_list = t->list;
	if (s->plug)
		blk_start_plug(&t->plug);
	got = decide(t, more, reason);
	if (s->plug)
		blk_finish_plug(&t->plug);
	current->bio_list = NULL;
	current->mm = mm;
	current->flags = flags;
	*regs = saved;
	local_irq_restore(irq);
	return got;
}

static const struct situation reads[] = {
	/* The task that waits decrypts. */
	{ "read(), from the page cache", .call = CALL(read), .expect = ICRYPT_PLAN_WAIT },
	{ "pread()", .call = CALL(pread64), .expect = ICRYPT_PLAN_WAIT },
	{ "preadv2()", .call = CALL(preadv2), .expect = ICRYPT_PLAN_WAIT },
	{ "a vector on the stack, in any call", .on_stack = true, .expect = ICRYPT_PLAN_WAIT },
	{ "metadata on the stack", .on_stack = true, .opf = REQ_META, .expect = ICRYPT_PLAN_WAIT },
	{ "read() under a plug", .call = CALL(read), .plug = true, .expect = ICRYPT_PLAN_PLUG },
	{ "read(), large", .call = CALL(read), .bytes = LARGE, .expect = ICRYPT_PLAN_WAIT },
	/* Nobody waits, or nobody knows. */
	{ "io_uring or the like", .call = CALL(io_uring_enter), .expect = ICRYPT_PLAN_ENDIO },
	{ "write() reads what it writes a part of", .call = CALL(write),
	  .expect = ICRYPT_PLAN_ENDIO },
	{ "another call", .call = OTHER_CALL, .expect = ICRYPT_PLAN_ENDIO },
	{ "no call", .call = NO_CALL, .expect = ICRYPT_PLAN_ENDIO },
	{ "readahead in read()", .call = CALL(read), .opf = REQ_RAHEAD,
	  .expect = ICRYPT_PLAN_ENDIO },
	{ "metadata in read()", .call = CALL(read), .opf = REQ_META, .expect = ICRYPT_PLAN_ENDIO },
	{ "RWF_NOWAIT", .call = CALL(preadv2), .opf = REQ_NOWAIT, .expect = ICRYPT_PLAN_ENDIO },
	{ "polled, on the stack", .on_stack = true, .opf = REQ_POLLED,
	  .expect = ICRYPT_PLAN_ENDIO },
	{ "a kernel thread", .thread = true, .expect = ICRYPT_PLAN_ENDIO },
	{ "a kernel thread that waits", .thread = true, .on_stack = true,
	  .expect = ICRYPT_PLAN_ENDIO },
	/* It waits, but should not decrypt. */
	{ "nice 5", .call = CALL(read), .nice = 5, .expect = ICRYPT_PLAN_ENDIO },
	{ "nice 5, on the stack", .on_stack = true, .nice = 5, .expect = ICRYPT_PLAN_WAIT },
	{ "nice -5", .call = CALL(read), .nice = -5, .expect = ICRYPT_PLAN_WAIT },
	{ "on the stack under a plug", .on_stack = true, .plug = true,
	  .expect = ICRYPT_PLAN_ENDIO },
	{ "siblings wait to be sent", .on_stack = true, .siblings = true,
	  .expect = ICRYPT_PLAN_ENDIO },
	{ "the rest is mapped next", .on_stack = true, .rest = true, .expect = ICRYPT_PLAN_ENDIO },
	{ "small, and all CPUs busy", .on_stack = true, .busy = true, .expect = ICRYPT_PLAN_ENDIO },
	{ "large, and all CPUs busy", .on_stack = true, .busy = true, .bytes = LARGE,
	  .expect = ICRYPT_PLAN_WAIT },
	/* The table line has the last word, but for what must not wait. */
	{ "caller, in any call", .want = ICRYPT_WANT_CALLER, .expect = ICRYPT_PLAN_WAIT },
	{ "caller, nice 5", .want = ICRYPT_WANT_CALLER, .nice = 5, .expect = ICRYPT_PLAN_WAIT },
	{ "caller, all CPUs busy", .want = ICRYPT_WANT_CALLER, .busy = true,
	  .expect = ICRYPT_PLAN_WAIT },
	{ "caller, readahead", .want = ICRYPT_WANT_CALLER, .opf = REQ_RAHEAD,
	  .expect = ICRYPT_PLAN_ENDIO },
	{ "caller, a kernel thread", .want = ICRYPT_WANT_CALLER, .thread = true,
	  .expect = ICRYPT_PLAN_ENDIO },
	{ "endio, read()", .want = ICRYPT_WANT_ENDIO, .call = CALL(read),
	  .expect = ICRYPT_PLAN_ENDIO },
	{ "workqueue, read()", .want = ICRYPT_WANT_WORKQUEUE, .call = CALL(read),
	  .expect = ICRYPT_PLAN_ENDIO },
};

KUNIT_ARRAY_PARAM(read, reads, describe);

static void context_plans_read(struct kunit *test)
{
	const struct situation *s = test->param_value;
	struct context_test *t = test->priv;
	int i, got, nice = task_nice(current);
	struct bio_vec vec = {}, busy_vec = {};
	struct bio busy;

	arrange(t, s, &vec, REQ_OP_READ);
	/* With a vector on the stack, it is not remembered that this task waited. */
	bio_init(&busy, NULL, &busy_vec, 1, REQ_OP_READ);
	for (i = 0; s->busy && i < num_online_cpus(); i++)
		icrypt_wait_begin(&busy);
	set_user_nice(current, s->nice);
	got = decide_as_submitter(t, s, false, NULL);
	set_user_nice(current, nice);
	for (i = 0; s->busy && i < num_online_cpus(); i++)
		icrypt_wait_end();
	/* Without the count, an unplug callback cannot know whether it may sleep. */
	if (s->expect == ICRYPT_PLAN_PLUG && !IS_ENABLED(CONFIG_PREEMPT_COUNT))
		KUNIT_EXPECT_EQ(test, got, ICRYPT_PLAN_ENDIO);
	else
		KUNIT_EXPECT_EQ(test, got, s->expect);
}

/* A task that sends a second read in the same call did not have to be waited for. */
static void context_lets_task_go_on(struct kunit *test)
{
	const struct situation s = { .call = CALL(read) };
	struct context_test *t = test->priv;
	unsigned int calls;

	if (!IS_ENABLED(CONFIG_TASK_XACCT))
		kunit_skip(test, "without CONFIG_TASK_XACCT, nothing tells calls apart");
	arrange(t, &s, NULL, REQ_OP_READ);
	KUNIT_ASSERT_EQ(test, decide_as_submitter(t, &s, false, NULL), ICRYPT_PLAN_WAIT);
	icrypt_wait_begin(&t->bio);
	icrypt_wait_end();
	KUNIT_EXPECT_EQ(test, decide_as_submitter(t, &s, false, NULL), ICRYPT_PLAN_ENDIO);
#ifdef CONFIG_TASK_XACCT
	/* Nor is it in some calls to come, and then it is again. */
	for (calls = 0; calls < 100; calls++) {
		current->ioac.syscr++;
		if (decide_as_submitter(t, &s, false, NULL) == ICRYPT_PLAN_WAIT)
			break;
	}
	KUNIT_EXPECT_GT(test, calls, 0U);
	KUNIT_EXPECT_LT(test, calls, 10U);
#endif
}

/* A read that nobody waits for may be helped with, if there are other CPUs. */
static void context_lane_of_read(struct kunit *test)
{
	const struct situation s = { .call = CALL(read), .opf = REQ_RAHEAD };
	struct situation never = s;
	struct context_test *t = test->priv;

	arrange(t, &s, NULL, REQ_OP_READ);
	decide_as_submitter(t, &s, false, NULL);
	if (num_online_cpus() > 1)
		KUNIT_EXPECT_NOT_NULL(test, t->io.read.lane);
	else
		KUNIT_EXPECT_NULL(test, t->io.read.lane);

	never.options = BIT(ICRYPT_OPT_SAME_CPU_CRYPT);
	arrange(t, &never, NULL, REQ_OP_READ);
	decide_as_submitter(t, &never, false, NULL);
	KUNIT_EXPECT_NULL(test, t->io.read.lane);

	never.options = 0;
	never.want = ICRYPT_WANT_ENDIO;
	arrange(t, &never, NULL, REQ_OP_READ);
	decide_as_submitter(t, &never, false, NULL);
	KUNIT_EXPECT_NULL(test, t->io.read.lane);
}

/* What is done by a worker with one CPU as well, or never, comes first. */
static const struct situation writes[] = {
	{ "small", .expect = ICRYPT_CALLER },
	{ "workqueue", .want = ICRYPT_WANT_WORKQUEUE, .expect = ICRYPT_WQ },
	{ "large, and cheap", .bytes = LARGE, .ns = FAST, .expect = ICRYPT_CALLER },
	{ "large, and caller", .bytes = LARGE, .want = ICRYPT_WANT_CALLER,
	  .expect = ICRYPT_CALLER },
	{ "large, no_write_workqueue", .bytes = LARGE,
	  .options = BIT(ICRYPT_OPT_NO_WRITE_WORKQUEUE), .expect = ICRYPT_CALLER },
	{ "large, same_cpu_crypt", .bytes = LARGE, .options = BIT(ICRYPT_OPT_SAME_CPU_CRYPT),
	  .expect = ICRYPT_CALLER },
	{ "large, for a disk", .bytes = LARGE, .disk = true, .expect = ICRYPT_CALLER },
	{ "large, in write()", .bytes = LARGE, .call = CALL(write), .expect = ICRYPT_CALLER },
	{ "large, on the stack", .bytes = LARGE, .on_stack = true, .expect = ICRYPT_CALLER },
	{ "large, much is queued", .bytes = LARGE, .busy = true, .expect = ICRYPT_CALLER },
};

KUNIT_ARRAY_PARAM(write, writes, describe);

static const struct situation spread_writes[] = {
	{ "large, in another call", .bytes = LARGE, .expect = ICRYPT_WQ },
	{ "large, in read()", .bytes = LARGE, .call = CALL(read), .expect = ICRYPT_WQ },
	{ "large, by a kernel thread", .bytes = LARGE, .thread = true, .expect = ICRYPT_WQ },
	{ "large, no_read_workqueue", .bytes = LARGE,
	  .options = BIT(ICRYPT_OPT_NO_READ_WORKQUEUE), .expect = ICRYPT_WQ },
};

KUNIT_ARRAY_PARAM(spread_write, spread_writes, describe);

static void context_of_write(struct kunit *test)
{
	const struct situation *s = test->param_value;
	enum icrypt_reason reason = ICRYPT_REASONS;
	struct context_test *t = test->priv;
	struct bio_vec vec = {};

	arrange(t, s, &vec, REQ_OP_WRITE);
	atomic_set(&t->cc.writes_queued, s->busy ? 2 * num_online_cpus() : 0);
	KUNIT_EXPECT_EQ(test, decide_as_submitter(t, s, false, &reason), s->expect);
	if (s->expect != ICRYPT_WQ)
		KUNIT_EXPECT_EQ(test, reason, ICRYPT_REASON_NONE);
	else
		KUNIT_EXPECT_EQ(test, reason, s->want == ICRYPT_WANT_WORKQUEUE ?
				ICRYPT_REASON_OPTION : ICRYPT_REASON_SPREAD);
}

static void context_of_spread_write(struct kunit *test)
{
	if (num_online_cpus() == 1)
		kunit_skip(test, "one CPU");
	context_of_write(test);
}

/* Who waits for a write that it does not send at once shares it. */
static void context_of_write_with_rest(struct kunit *test)
{
	const struct situation s = { .bytes = LARGE, .call = CALL(write) };
	enum icrypt_reason reason = ICRYPT_REASONS;
	struct context_test *t = test->priv;

	if (num_online_cpus() == 1)
		kunit_skip(test, "one CPU");
	arrange(t, &s, NULL, REQ_OP_WRITE);
	KUNIT_EXPECT_EQ(test, decide_as_submitter(t, &s, true, &reason), ICRYPT_WQ);
	atomic_set(&t->cc.writes_queued, num_online_cpus() - 1);
	KUNIT_EXPECT_EQ(test, decide_as_submitter(t, &s, true, &reason), ICRYPT_CALLER);
}

static enum icrypt_context completed(struct kunit *test, const struct situation *s,
				     struct task_struct *submitter, enum icrypt_reason *reason)
{
	struct context_test *t = test->priv;
	struct icrypt_decision d;

	arrange(t, s, NULL, REQ_OP_READ);
	t->io.read.submitter = submitter;
	d = icrypt_decide_read(&t->io);
	*reason = d.why;
	return d.where;
}

static void context_of_completion_in_task(struct kunit *test)
{
	const struct situation small = {}, polled = { .opf = REQ_POLLED };
	const struct situation large = { .bytes = LARGE };
	const struct situation alone = { .bytes = LARGE,
					 .options = BIT(ICRYPT_OPT_NO_READ_WORKQUEUE) };
	const struct situation worker = { .want = ICRYPT_WANT_WORKQUEUE };
	enum icrypt_reason reason = ICRYPT_REASONS;

	KUNIT_EXPECT_EQ(test, completed(test, &small, current, &reason), ICRYPT_CALLER);
	KUNIT_EXPECT_EQ(test, completed(test, &small, NULL, &reason), ICRYPT_ENDIO);
	KUNIT_EXPECT_EQ(test, completed(test, &polled, NULL, &reason), ICRYPT_CALLER);
	KUNIT_EXPECT_EQ(test, completed(test, &alone, NULL, &reason), ICRYPT_ENDIO);
	KUNIT_EXPECT_EQ(test, reason, ICRYPT_REASON_NONE);
	if (num_online_cpus() > 1) {
		KUNIT_EXPECT_EQ(test, completed(test, &large, NULL, &reason), ICRYPT_WQ);
		KUNIT_EXPECT_EQ(test, reason, ICRYPT_REASON_SPREAD);
	}
	KUNIT_EXPECT_EQ(test, completed(test, &worker, current, &reason), ICRYPT_WQ);
	KUNIT_EXPECT_EQ(test, reason, ICRYPT_REASON_OPTION);
}

/* The cipher does not work with interrupts off. */
static void context_of_completion_with_interrupts_off(struct kunit *test)
{
	const struct situation small = {}, large = { .bytes = LARGE };
	const struct situation endio = { .bytes = LARGE, .want = ICRYPT_WANT_ENDIO };
	enum icrypt_reason reason = ICRYPT_REASONS;
	enum icrypt_context got[3];
	unsigned long irq;

	local_irq_save(irq);
	got[0] = completed(test, &small, current, &reason);
	got[1] = completed(test, &endio, current, &reason);
	got[2] = completed(test, &large, current, &reason);
	local_irq_restore(irq);
	KUNIT_EXPECT_EQ(test, got[0], ICRYPT_BH);
	KUNIT_EXPECT_EQ(test, got[1], ICRYPT_BH);
	KUNIT_EXPECT_EQ(test, got[2], ICRYPT_WQ);
	KUNIT_EXPECT_EQ(test, reason, ICRYPT_REASON_BUDGET);
}

/**
 * struct softirq_test - a decision in a bottom half
 * @timer: whose function runs there
 * @test:  the test
 * @got:   what was decided
 * @done:  it was
 */
struct softirq_test {
	struct timer_list	timer;
	struct kunit		*test;
	enum icrypt_context	got;
	struct completion	done;
};

static void complete_in_softirq(struct timer_list *timer)
{
	struct softirq_test *st = container_of(timer, struct softirq_test, timer);
	const struct situation small = {};
	enum icrypt_reason reason;

	st->got = completed(st->test, &small, NULL, &reason);
	complete_all(&st->done);
}

static void context_of_completion_in_softirq(struct kunit *test)
{
	struct softirq_test *st = kunit_kzalloc(test, sizeof(*st), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, st);
	st->test = test;
	init_completion(&st->done);
	timer_setup(&st->timer, complete_in_softirq, 0);
	mod_timer(&st->timer, jiffies + 1);
	wait_for_completion(&st->done);
	timer_shutdown_sync(&st->timer);
	KUNIT_EXPECT_EQ(test, st->got, ICRYPT_ENDIO);
}

static struct kunit_case context_cases[] = {
	KUNIT_CASE_PARAM(context_plans_read, read_gen_params),
	KUNIT_CASE(context_lets_task_go_on),
	KUNIT_CASE(context_lane_of_read),
	KUNIT_CASE_PARAM(context_of_write, write_gen_params),
	KUNIT_CASE_PARAM(context_of_spread_write, spread_write_gen_params),
	KUNIT_CASE(context_of_write_with_rest),
	KUNIT_CASE(context_of_completion_in_task),
	KUNIT_CASE(context_of_completion_with_interrupts_off),
	KUNIT_CASE(context_of_completion_in_softirq),
	{}
};

static struct kunit_suite context_suite = {
	.name = "inline-crypt-context",
	.init = context_test_init,
	.exit = context_test_exit,
	.test_cases = context_cases,
};

kunit_test_suite(context_suite);
