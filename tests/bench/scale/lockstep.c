// SPDX-License-Identifier: GPL-2.0-only
/*
 * lockstep - a QEMU TCG plugin that is the virtual clock of all vCPUs
 *
 * Every vCPU has a virtual time of its own: what its instructions cost, added up,
 * in 1/16 ns. Time is cut into windows, of a quantum at the most, that end at the
 * next timer. A vCPU that has reached the end of the window waits for the others
 * that run; the last one runs the timers that are due and opens the next window.
 * So no two vCPUs that run are ever further apart than the quantum, however the
 * host schedules their threads. Idle ones hold nobody up: when all are idle, time
 * jumps to the next timer. A vCPU that is woken goes on at the time of whoever
 * woke it, or of the timer, before the host gets round to run its thread.
 *
 * The plugin interface has no hooks for that: its time control sets the clock that
 * all vCPUs share, from within one of them, and neither the time stamp counter nor
 * the waking of a vCPU go past a plugin. But Debian's QEMU exports its functions by
 * name, and the few in question are replaced in memory, see hook_all(). It is made
 * for 10.0.2, single-threaded virtual devices, no disks.
 *
 * Arguments, all optional:
 *	quantum=NS	(default 2000)
 *	insn=N		cost of an instruction, 1/16 ns (default 16)
 *	rep=N		cost of a byte that a string instruction writes, 1/16 ns
 *			(default 2); 0: each of its iterations is an instruction
 *	pause=NS	cost of a pause (default 40)
 *	solo=NS		a window's length while only one vCPU runs (default 100000); ends
 *			early when that one wakes another or sets a timer
 *	wake=NS		from waking an idle vCPU to its first instruction (default 0)
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "plugin.h"

int qemu_plugin_version = PLUGIN_VERSION;

/* QEMU's own, of the names that it exports. */
extern __thread void *current_cpu;
extern void bql_lock_impl(const char *file, int line);
extern void bql_unlock(void);
extern bool bql_locked(void);
extern void cpu_exit(void *cpu);
extern bool cpu_thread_is_idle(void *cpu);
extern bool qemu_clock_run_timers(int type);
extern int64_t qemu_clock_deadline_ns_all(int type, int attributes);
extern int64_t timerlist_deadline_ns(void *list);
extern void qemu_notify_event(void);
extern void (*qemu_cond_wait_func)(void *cond, void *mutex, const char *file, int line);
extern bool (*qemu_cond_timedwait_func)(void *cond, void *mutex, int ms, const char *file, int line);

#define CLOCKS		4
#define CLOCK_VIRTUAL	1

#define TICKS		16			/* per ns */
#define LIMIT		(1ULL << 60)		/* of struct vcpu's count: the window's end */
#define MAX_VCPUS	64
/* What waits leaves the wait now and then, for QEMU may want it to stop. */
#define PATIENCE_NS	3000000

enum state { ABSENT, IDLE, RUN };

/* Inline operations add to @count, which says how far from @end the vCPU is. */
struct vcpu {
	uint64_t	count;
	int64_t		end;
};

static struct qemu_plugin_scoreboard *scores;
static plugin_u64 count_entry;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t opened;		/* a window */

/* Under lock, but for now, which anybody may read. */
static enum state state[MAX_VCPUS];
static bool arrived[MAX_VCPUS];
static unsigned int running, waiting;
static bool advancing;
static int64_t now, end = 1;
static uint64_t windows, timeouts, jumps, kicks;

static int64_t quantum = 2000, solo = 100000, pause_ns = 40, wake_ns;
static unsigned int insn_cost = TICKS, rep_cost = 2;

static void *cpus[MAX_VCPUS];

static __thread bool in_timers;
static __thread bool is_idle;
static __thread int self = -1;

static struct vcpu *vcpu_of(unsigned int cpu)
{
	return qemu_plugin_scoreboard_find(scores, cpu);
}

static int64_t time_of(struct vcpu *v)
{
	return v->end + (int64_t)(v->count - LIMIT) / TICKS;
}

/* The vCPU's thread, or any while it is idle. */
static void set_time(struct vcpu *v, int64_t t)
{
	v->end = end;
	v->count = LIMIT - (uint64_t)((end - t) * TICKS);
}

static void start(unsigned int cpu, int64_t t)
{
	struct vcpu *v = vcpu_of(cpu);
	int64_t before = time_of(v);

	set_time(v, t > before ? t : before);
	state[cpu] = RUN;
	running++;
}

static int64_t clock_now(void)
{
	int64_t t = __atomic_load_n(&now, __ATOMIC_RELAXED), own;

	if (in_timers || self < 0 || state[self] != RUN)
		return t;
	own = time_of(vcpu_of(self));
	return own > t ? own : t;
}

/* The only vCPU that runs is no longer alone, or has a timer: with the lock. */
static void shorten(int64_t t)
{
	if (self >= 0 && !in_timers && state[self] == RUN && running == 1 && end > t + quantum) {
		end = t + quantum;
		set_time(vcpu_of(self), t);
	}
}

static void woken(unsigned int cpu)
{
	int64_t t;

	if (__atomic_load_n(&state[cpu], __ATOMIC_RELAXED) != IDLE)
		return;
	t = clock_now();
	pthread_mutex_lock(&lock);
	if (state[cpu] == IDLE) {
		shorten(t);
		kicks++;
		start(cpu, t + wake_ns);
	}
	pthread_mutex_unlock(&lock);
}

/* Run what is due; how long until the next timer, or -1? */
static int64_t run_timers(bool *has_work)
{
	bool locked = bql_locked();
	int64_t left;

	if (!locked)
		bql_lock_impl(__FILE__, __LINE__);
	in_timers = true;
	qemu_clock_run_timers(CLOCK_VIRTUAL);
	left = qemu_clock_deadline_ns_all(CLOCK_VIRTUAL, -1);
	in_timers = false;
	*has_work = !cpu_thread_is_idle(current_cpu);
	if (!locked)
		bql_unlock();
	return left;
}

/*
 * Every vCPU that runs has arrived: go on to the next window. Called by a vCPU's
 * thread, entered and left with the lock, which is not held meanwhile.
 */
static void advance(void)
{
	int64_t left, most, t = end;
	bool has_work;

	advancing = true;
	for (;;) {
		pthread_mutex_unlock(&lock);
		__atomic_store_n(&now, t, __ATOMIC_RELAXED);
		left = run_timers(&has_work);
		pthread_mutex_lock(&lock);
		/* An interrupt for the very vCPU comes without a kick. */
		if (has_work && state[self] == IDLE)
			start(self, now + wake_ns);
		if (running || left < 0)
			break;
		jumps++;
		t = now + (left ? left : 1000);
	}
	most = running == 1 && solo > quantum ? solo : quantum;
	end = now + (left > 0 && left < most ? left : most);
	windows++;
	memset(arrived, 0, sizeof(arrived));
	waiting = 0;
	advancing = false;
	pthread_cond_broadcast(&opened);
}

static void vcpu_at_end(unsigned int cpu, void *data)
{
	struct vcpu *v = vcpu_of(cpu);
	struct timespec until;
	int64_t mine;

	pthread_mutex_lock(&lock);
	if (state[cpu] != RUN)
		start(cpu, now);
	for (;;) {
		mine = end;
		set_time(v, time_of(v));
		if (v->count < LIMIT)
			break;
		if (!arrived[cpu]) {
			arrived[cpu] = true;
			waiting++;
		}
		if (waiting == running && !advancing) {
			advance();
			continue;
		}
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += PATIENCE_NS;
		if (until.tv_nsec >= 1000000000) {
			until.tv_nsec -= 1000000000;
			until.tv_sec++;
		}
		while (mine == end)
			if (pthread_cond_timedwait(&opened, &lock, &until) == ETIMEDOUT)
				break;
		if (mine == end) {
			timeouts++;
			break;
		}
	}
	pthread_mutex_unlock(&lock);
}

static void vcpu_init(plugin_id_t id, unsigned int cpu)
{
	pthread_mutex_lock(&lock);
	self = cpu;
	cpus[cpu] = current_cpu;
	vcpu_of(cpu)->end = 0;
	vcpu_of(cpu)->count = LIMIT;
	start(cpu, now);
	pthread_mutex_unlock(&lock);
}

static void vcpu_idle(plugin_id_t id, unsigned int cpu)
{
	is_idle = true;
}

/* An idle vCPU, with the big lock, before it waits to be woken. */
static void before_idle_wait(void)
{
	pthread_mutex_lock(&lock);
	if (state[self] == RUN) {
		/* Or it would be woken in a window that is over. */
		set_time(vcpu_of(self), time_of(vcpu_of(self)));
		state[self] = IDLE;
		running--;
		if (arrived[self]) {
			arrived[self] = false;
			waiting--;
		}
	}
	if (waiting == running && !advancing)
		advance();
	pthread_mutex_unlock(&lock);
}

static void vcpu_resume(plugin_id_t id, unsigned int cpu)
{
	is_idle = false;
	pthread_mutex_lock(&lock);
	if (state[cpu] == IDLE)
		start(cpu, now);
	pthread_mutex_unlock(&lock);
}

/* --- what takes the place of QEMU's ----------------------------------------- */

static void (*cond_wait)(void *cond, void *mutex, const char *file, int line);

/*
 * A vCPU waits on its condition as long as it is idle. What it did before may have
 * ended that, and it may have been woken for nothing.
 */
static void hooked_cond_wait(void *cond, void *mutex, const char *file, int line)
{
	if (!is_idle || self < 0) {
		cond_wait(cond, mutex, file, line);
		return;
	}
	before_idle_wait();
	if (cpu_thread_is_idle(current_cpu))
		qemu_cond_timedwait_func(cond, mutex, 100, file, line);
}

static void hooked_kick(void *cpu)
{
	unsigned int i;

	for (i = 0; i < MAX_VCPUS && cpus[i]; i++)
		if (cpus[i] == cpu)
			woken(i);
	cpu_exit(cpu);
}

/* The main loop has no business with the virtual clock's timers. */
static int64_t hooked_deadline(void **lists)
{
	int64_t least = -1, t;
	int i;

	for (i = 0; i < CLOCKS; i++) {
		t = i == CLOCK_VIRTUAL ? -1 : timerlist_deadline_ns(lists[i]);
		if ((uint64_t)t < (uint64_t)least)
			least = t;
	}
	return least;
}

static void hooked_timer_notify(void *opaque, int type)
{
	if (type != CLOCK_VIRTUAL) {
		qemu_notify_event();
		return;
	}
	/* The first of the timers is a new one. */
	pthread_mutex_lock(&lock);
	shorten(clock_now());
	pthread_mutex_unlock(&lock);
}

static bool hook(const char *name, void *to)
{
	static const uint8_t jump[] = { 0xff, 0x25, 0, 0, 0, 0 };	/* through what follows */
	uint8_t *at = dlsym(RTLD_DEFAULT, name);
	uintptr_t page = (uintptr_t)at & ~4095UL;

	if (!at || mprotect((void *)page, 8192, PROT_READ | PROT_WRITE | PROT_EXEC)) {
		fprintf(stderr, "lockstep: cannot hook %s\n", name);
		return false;
	}
	memcpy(at, jump, sizeof(jump));
	memcpy(at + sizeof(jump), &to, sizeof(to));
	mprotect((void *)page, 8192, PROT_READ | PROT_EXEC);
	return true;
}

static bool hook_all(void)
{
	cond_wait = qemu_cond_wait_func;
	qemu_cond_wait_func = hooked_cond_wait;
	return hook("cpus_get_virtual_clock", clock_now) &&
	       hook("cpus_get_elapsed_ticks", clock_now) &&
	       hook("mttcg_kick_vcpu_thread", hooked_kick) &&
	       hook("timerlistgroup_deadline_ns", hooked_deadline) &&
	       hook("qemu_timer_notify_cb", hooked_timer_notify);
}

static bool is_string(const uint8_t *b, size_t n)
{
	size_t i = 0;
	bool rep = false;

	while (i < n && (b[i] == 0xf3 || b[i] == 0xf2 || b[i] == 0x66 || b[i] == 0x67 ||
			 (b[i] & 0xf0) == 0x40)) {
		rep |= b[i] == 0xf3 || b[i] == 0xf2;
		i++;
	}
	return rep && i < n && (b[i] == 0xa4 || b[i] == 0xa5 || b[i] == 0xaa || b[i] == 0xab);
}

/* Bytes of an iteration of a string instruction. */
static unsigned int width(const uint8_t *b, size_t n)
{
	unsigned int w = 4;
	size_t i;

	for (i = 0; i + 1 < n; i++) {
		if (b[i] == 0x66)
			w = 2;
		if ((b[i] & 0xf8) == 0x48)
			w = 8;
	}
	return b[n - 1] & 1 ? w : 1;
}

static void translated(plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t i, n = qemu_plugin_tb_n_insns(tb), len;
	uint64_t cost = n * insn_cost;
	uint8_t b[16];

	for (i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);

		len = qemu_plugin_insn_data(insn, b, sizeof(b));
		if (len == 2 && b[0] == 0xf3 && b[1] == 0x90)
			cost += pause_ns * TICKS;
		else if (is_string(b, len))
			qemu_plugin_register_vcpu_mem_inline_per_vcpu(insn,
				PLUGIN_MEM_W, PLUGIN_ADD_U64, count_entry,
				rep_cost ? rep_cost * width(b, len) : insn_cost);
	}
	qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(tb, PLUGIN_ADD_U64,
							  count_entry, cost);
	qemu_plugin_register_vcpu_tb_exec_cond_cb(tb, vcpu_at_end, PLUGIN_NO_REGS,
						  PLUGIN_COND_GE, count_entry, LIMIT, NULL);
}

static void at_exit(plugin_id_t id, void *data)
{
	fprintf(stderr, "LOCKSTEP virtual=%.6f windows=%llu timeouts=%llu jumps=%llu kicks=%llu\n",
		now / 1e9, (unsigned long long)windows, (unsigned long long)timeouts,
		(unsigned long long)jumps, (unsigned long long)kicks);
}

int qemu_plugin_install(plugin_id_t id, const struct plugin_info *info, int argc, char **argv);

int qemu_plugin_install(plugin_id_t id, const struct plugin_info *info, int argc, char **argv)
{
	pthread_condattr_t attr;
	int i;

	for (i = 0; i < argc; i++) {
		char *value = strchr(argv[i], '=');
		long long n = value ? atoll(value + 1) : 0;

		if (!strncmp(argv[i], "quantum=", 8))
			quantum = n;
		else if (!strncmp(argv[i], "insn=", 5))
			insn_cost = n;
		else if (!strncmp(argv[i], "rep=", 4))
			rep_cost = n;
		else if (!strncmp(argv[i], "pause=", 6))
			pause_ns = n;
		else if (!strncmp(argv[i], "solo=", 5))
			solo = n;
		else if (!strncmp(argv[i], "wake=", 5))
			wake_ns = n;
		else {
			fprintf(stderr, "lockstep: what is %s?\n", argv[i]);
			return -1;
		}
	}
	if (!info->system || info->max_vcpus > MAX_VCPUS)
		return -1;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&opened, &attr);
	scores = qemu_plugin_scoreboard_new(sizeof(struct vcpu));
	count_entry = (plugin_u64) { scores, offsetof(struct vcpu, count) };
	if (!hook_all())
		return -1;
	qemu_plugin_register_vcpu_init_cb(id, vcpu_init);
	qemu_plugin_register_vcpu_idle_cb(id, vcpu_idle);
	qemu_plugin_register_vcpu_resume_cb(id, vcpu_resume);
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, at_exit, NULL);
	return 0;
}
