// SPDX-License-Identifier: GPL-2.0-only
/*
 * iob - direct I/O with next to no work of its own
 *
 *	iob DEVICE MIB psync|libaio|uring read|write|randread|randwrite BS QD JOBS WARM_US RUN_US MIN_IOS
 *
 * Each job, a thread on any CPU, keeps QD I/Os in flight for WARM_US + RUN_US and
 * at least MIN_IOS of them. The rate of completions after WARM_US is printed, and
 * the context switches for each I/O.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MAX_QD 64

static const char *path, *engine;
static int writing, randomly, qd, jobs;
static size_t bs;
static long blocks, warm_us, run_us, min_ios;
static pthread_barrier_t go;
static int stop_all;

static struct job {
	pthread_t thread;
	int fd, nr;
	uint64_t seed;
	long next;
	char *buf;
	uint64_t start, first, last;	/* ns; completions from first to last */
	long ios;			/* after first */
	long all;
	double rate;
} job[128] __attribute__((aligned(64)));

static void die(const char *what)
{
	printf("IOB-ERROR %s: %s\n", what, strerror(errno));
	fflush(stdout);
	_exit(1);
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static off_t offset(struct job *j)
{
	long b;

	if (randomly) {
		j->seed = j->seed * 6364136223846793005ULL + 1442695040888963407ULL;
		b = (j->seed >> 33) % blocks;
	} else {
		b = j->next++ % blocks;
	}
	return (off_t)b * bs;
}

/*
 * Count n completions; time to stop? One job times itself, from one completion to
 * another. Of several some may not run for a while, which only a look from outside
 * at all of them sees.
 */
static int done(struct job *j, int n)
{
	uint64_t t;

	__atomic_store_n(&j->all, j->all + n, __ATOMIC_RELAXED);
	if (jobs > 1)
		return __atomic_load_n(&stop_all, __ATOMIC_RELAXED);
	t = now();
	if (!j->first) {
		if (t - j->start >= warm_us * 1000ULL)
			j->first = t;
		return 0;
	}
	j->ios += n;
	j->last = t;
	return t - j->first >= run_us * 1000ULL && j->ios >= min_ios;
}

static void psync(struct job *j)
{
	ssize_t n;

	do {
		n = writing ? pwrite(j->fd, j->buf, bs, offset(j)) : pread(j->fd, j->buf, bs, offset(j));
		if (n != (ssize_t)bs)
			die("I/O");
	} while (!done(j, 1));
}

static void libaio(struct job *j)
{
	struct iocb cb[MAX_QD], *p[MAX_QD];
	struct io_event ev[MAX_QD];
	aio_context_t ctx = 0;
	int i, n, stop = 0, inflight = 0;

	if (syscall(SYS_io_setup, qd, &ctx))
		die("io_setup");
	for (i = 0; i < qd; i++) {
		memset(&cb[i], 0, sizeof(cb[i]));
		cb[i].aio_fildes = j->fd;
		cb[i].aio_lio_opcode = writing ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD;
		cb[i].aio_buf = (uintptr_t)(j->buf + i * bs);
		cb[i].aio_nbytes = bs;
		p[i] = &cb[i];
	}
	n = qd;
	while (n || inflight) {
		for (i = 0; i < n; i++)
			p[i]->aio_offset = offset(j);
		if (n && syscall(SYS_io_submit, ctx, n, p) != n)
			die("io_submit");
		inflight += n;
		n = syscall(SYS_io_getevents, ctx, 1, qd, ev, NULL);
		if (n < 1)
			die("io_getevents");
		inflight -= n;
		for (i = 0; i < n; i++) {
			if (ev[i].res != (long)bs)
				die("aio");
			p[i] = (struct iocb *)(uintptr_t)ev[i].obj;
		}
		if (!stop)
			stop = done(j, n);
		if (stop)
			n = 0;
	}
	syscall(SYS_io_destroy, ctx);
}

static void uring(struct job *j)
{
	struct io_uring_params p = { 0 };
	struct io_uring_sqe *sqes, *e;
	struct io_uring_cqe *cqes, *c;
	unsigned int *sqtail, *array, *cqhead, *cqtail, sqmask, cqmask, tail, head, t;
	int ring, i, n, stop = 0, inflight = 0, slot[MAX_QD];
	char *sq, *cq;

	ring = syscall(SYS_io_uring_setup, qd, &p);
	if (ring < 0)
		die("io_uring_setup");
	sq = mmap(NULL, p.sq_off.array + p.sq_entries * 4, PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQ_RING);
	cq = mmap(NULL, p.cq_off.cqes + p.cq_entries * sizeof(*c), PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_CQ_RING);
	sqes = mmap(NULL, p.sq_entries * sizeof(*e), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQES);
	if (sq == MAP_FAILED || cq == MAP_FAILED || (void *)sqes == MAP_FAILED)
		die("mmap");
	sqtail = (void *)(sq + p.sq_off.tail);
	sqmask = *(unsigned int *)(sq + p.sq_off.ring_mask);
	array = (void *)(sq + p.sq_off.array);
	cqhead = (void *)(cq + p.cq_off.head);
	cqtail = (void *)(cq + p.cq_off.tail);
	cqmask = *(unsigned int *)(cq + p.cq_off.ring_mask);
	cqes = (void *)(cq + p.cq_off.cqes);

	for (i = 0; i < qd; i++)
		slot[i] = i;
	n = qd;
	while (n || inflight) {
		tail = *sqtail;
		for (i = 0; i < n; i++, tail++) {
			e = &sqes[tail & sqmask];
			memset(e, 0, sizeof(*e));
			e->opcode = writing ? IORING_OP_WRITE : IORING_OP_READ;
			e->fd = j->fd;
			e->addr = (uintptr_t)(j->buf + slot[i] * bs);
			e->len = bs;
			e->off = offset(j);
			e->user_data = slot[i];
			array[tail & sqmask] = tail & sqmask;
		}
		__atomic_store_n(sqtail, tail, __ATOMIC_RELEASE);
		inflight += n;
		if (syscall(SYS_io_uring_enter, ring, n, 1, IORING_ENTER_GETEVENTS, NULL, 0) != n)
			die("io_uring_enter");
		head = *cqhead;
		t = __atomic_load_n(cqtail, __ATOMIC_ACQUIRE);
		for (n = 0; head != t; head++, n++) {
			c = &cqes[head & cqmask];
			if (c->res != (int)bs) {
				errno = c->res < 0 ? -c->res : EIO;
				die("uring");
			}
			slot[n] = c->user_data;
		}
		__atomic_store_n(cqhead, head, __ATOMIC_RELEASE);
		inflight -= n;
		if (!stop)
			stop = done(j, n);
		if (stop)
			n = 0;
	}
	munmap(sq, p.sq_off.array + p.sq_entries * 4);
	munmap(cq, p.cq_off.cqes + p.cq_entries * sizeof(*c));
	munmap(sqes, p.sq_entries * sizeof(*e));
	close(ring);
}

static void *work(void *arg)
{
	struct job *j = arg;

	j->fd = open(path, O_RDWR | O_DIRECT);
	if (j->fd < 0)
		die(path);
	j->buf = mmap(NULL, bs * qd, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (j->buf == MAP_FAILED)
		die("mmap");
	j->seed = 88172645463325252ULL * (j->nr + 1);
	j->next = blocks / jobs * j->nr;
	pthread_barrier_wait(&go);
	j->start = now();
	if (!strcmp(engine, "psync"))
		psync(j);
	else if (!strcmp(engine, "libaio"))
		libaio(j);
	else
		uring(j);
	if (jobs == 1)
		j->rate = j->ios * 1e9 / (j->last - j->first);
	pthread_barrier_wait(&go);
	return NULL;
}

/* Context switches of all CPUs since boot. */
static long switches(void)
{
	char line[256];
	long n = 0;
	FILE *f = fopen("/proc/stat", "r");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "ctxt %ld", &n) == 1)
			break;
	if (f)
		fclose(f);
	return n;
}

static long completed(void)
{
	long n = 0;
	int i;

	for (i = 0; i < jobs; i++)
		n += __atomic_load_n(&job[i].all, __ATOMIC_RELAXED);
	return n;
}

/* Several jobs: what they do together between two looks at all of them. */
static double watch(long *ios)
{
	uint64_t t0, t1;
	long n0, n1;

	usleep(warm_us ? warm_us : 100);
	n0 = completed();
	t0 = now();
	do {
		usleep(run_us / 4);
		n1 = completed();
		t1 = now();
	} while (t1 - t0 < run_us * 1000ULL || n1 - n0 < min_ios * jobs);
	__atomic_store_n(&stop_all, 1, __ATOMIC_RELAXED);
	*ios = n1 - n0;
	return *ios * 1e9 / (t1 - t0);
}

int main(int argc, char **argv)
{
	double rate = 0;
	long ios = 0, all = 0, c;
	int i;

	if (argc != 11)
		return 2;
	path = argv[1];
	engine = argv[3];
	writing = !!strstr(argv[4], "write");
	randomly = !strncmp(argv[4], "rand", 4);
	bs = strtoul(argv[5], NULL, 0);
	qd = atoi(argv[6]);
	jobs = atoi(argv[7]);
	warm_us = atol(argv[8]);
	run_us = atol(argv[9]);
	min_ios = atol(argv[10]);
	blocks = atol(argv[2]) * 1048576 / bs;
	pthread_barrier_init(&go, NULL, jobs + 1);
	for (i = 0; i < jobs; i++) {
		job[i].nr = i;
		if (pthread_create(&job[i].thread, NULL, work, &job[i]))
			die("pthread_create");
	}
	/* With more jobs than CPUs there is no telling when we run next. */
	c = switches();
	pthread_barrier_wait(&go);
	if (jobs > 1)
		rate = watch(&ios);
	pthread_barrier_wait(&go);
	c = switches() - c;
	for (i = 0; i < jobs; i++) {
		pthread_join(job[i].thread, NULL);
		rate += job[i].rate;
		ios += job[i].ios;
		all += job[i].all;
	}
	printf("iops=%.0f ios=%ld ctxt=%.2f lat_us=%.2f\n", rate, ios, (double)c / (all ? all : 1), rate ? qd * jobs * 1e6 / rate : 0);
	return 0;
}
