// SPDX-License-Identifier: GPL-2.0-only
/*
 * geofuzz - reads and writes of any geometry, compared with a copy in memory
 *
 *	geofuzz [option...] DEVICE
 *
 *	--ios N		(1000)
 *	--seconds N	or fewer, if these are over (no limit)
 *	--seed N	(1)
 *	--mib N		of the device that are used (8)
 *	--jobs N	threads, each with a part of its own (4)
 *	--align N	memory at multiples of N, if the device takes less (1)
 *	--discards	discard as well; what is read there may be anything
 *	--errors	I/O may fail: something below does
 *			(direct only: what the page cache writes later nobody hears of)
 *	--fail		the threads' allocations fail, see /proc/thread-self/make-it-fail
 *
 * Vectors of up to 64 parts with any lengths and places in a page that the device
 * takes, whole sectors in sum; by preadv2() and pwritev2(), by io_uring with and without
 * registered buffers, direct and through the page cache; with RWF_DSYNC, RWF_NOWAIT; and
 * some that the device must refuse, which may not touch the buffer. Each byte that is
 * read is compared. A write that failed leaves its sectors unknown, until the next.
 *
 * Prints "ios N read N written N again N errors N refused N unexpected N", in bytes where
 * it is about data.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <liburing.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#define PARTS_MAX	64
#define SIZE_MAX_IO	(512 << 10)
#define ROOM		(4 * SIZE_MAX_IO)
#define GUARD		0xa5

static const char *device;
static unsigned int block, align, least = 1, job_count = 4;
static uint64_t ios = 1000, seed = 1, part_size, size_used = 8 << 20;
static bool discards, errors, failing;
static double end = 1e18;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t done, bytes_read, bytes_written, agains, failures, refused, unexpected;

struct job {
	unsigned int		index;
	uint64_t		state, base;
	unsigned char		*shadow, *known, *memory;
	int			direct, buffered, fail_fd;
	struct io_uring		ring;
	bool			has_ring;
};

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static unsigned int below(struct job *job, unsigned int n)
{
	job->state ^= job->state >> 12;
	job->state ^= job->state << 25;
	job->state ^= job->state >> 27;
	return (job->state * 0x2545f4914f6cdd1dull >> 33) % n;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void __attribute__((format(printf, 2, 3))) complain(struct job *job, const char *format, ...)
{
	va_list args;

	pthread_mutex_lock(&lock);
	if (unexpected++ < 20) {
		printf("unexpected, job %u: ", job->index);
		va_start(args, format);
		vprintf(format, args);
		va_end(args);
		printf("\n");
	}
	pthread_mutex_unlock(&lock);
}

static void make_it_fail(struct job *job, bool yes)
{
	if (job->fail_fd >= 0 && write(job->fail_fd, yes ? "1" : "0", 1) != 1)
		die("make-it-fail");
}

enum how { SYNC, URING, FIXED, HOWS };
static const char * const how_names[] = { "sync", "io_uring", "registered" };

static ssize_t transfer(struct job *job, enum how how, bool writing, int fd, struct iovec *iov,
			int parts, off_t where, int rwf)
{
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;
	ssize_t n;

	if (how == SYNC || !job->has_ring) {
		make_it_fail(job, true);
		n = writing ? pwritev2(fd, iov, parts, where, rwf) :
			      preadv2(fd, iov, parts, where, rwf);
		if (n < 0)
			n = -errno;
		make_it_fail(job, false);
		return n;
	}
	sqe = io_uring_get_sqe(&job->ring);
	if (how == FIXED && writing)
		io_uring_prep_write_fixed(sqe, fd, iov->iov_base, iov->iov_len, where, 0);
	else if (how == FIXED)
		io_uring_prep_read_fixed(sqe, fd, iov->iov_base, iov->iov_len, where, 0);
	else if (writing)
		io_uring_prep_writev2(sqe, fd, iov, parts, where, rwf);
	else
		io_uring_prep_readv2(sqe, fd, iov, parts, where, rwf);
	if (how == FIXED)
		sqe->rw_flags = rwf;
	make_it_fail(job, true);
	n = io_uring_submit(&job->ring);
	make_it_fail(job, false);
	if (n != 1)
		return n < 0 ? n : -EAGAIN;
	if (io_uring_wait_cqe(&job->ring, &cqe))
		die("io_uring");
	n = cqe->res;
	io_uring_cqe_seen(&job->ring, cqe);
	return n;
}

/*
 * Cut @size bytes into parts, anywhere in the job's memory, without one that overlaps
 * another.
 */
static int make_parts(struct job *job, struct iovec *iov, size_t size, unsigned int unit, bool one)
{
	size_t at = below(job, 2 * 4096 / unit) * unit, left = size;
	int parts = 0;

	while (left) {
		size_t len = left;

		if (!one && parts < PARTS_MAX - 1 && below(job, 8)) {
			switch (below(job, 4)) {
			case 0: len = unit; break;
			case 1: len = (1 + below(job, 8)) * (unit < 512 ? 512 : unit); break;
			case 2: len = (1 + below(job, 64)) * unit; break;
			case 3: len = (1 + below(job, 4)) * 4096; break;
			}
			if (len > left)
				len = left;
		}
		iov[parts++] = (struct iovec){ .iov_base = job->memory + at, .iov_len = len };
		at += len;
		left -= len;
		if (left && at + left + 8192 < ROOM)
			at += below(job, 3) ? 0 : below(job, 4096 / unit) * unit;
	}
	return parts;
}

static void copy_parts(const struct iovec *iov, int parts, unsigned char *flat, bool out)
{
	for (int i = 0; i < parts; i++) {
		if (out)
			memcpy(iov[i].iov_base, flat, iov[i].iov_len);
		else
			memcpy(flat, iov[i].iov_base, iov[i].iov_len);
		flat += iov[i].iov_len;
	}
}

/* One that the device cannot take: an odd place, an odd sum, or an odd vector */
static void wrong_one(struct job *job)
{
	bool writing = below(job, 2);
	unsigned char *p = job->memory;
	size_t size = block;
	off_t where = job->base;
	ssize_t n;

	switch (below(job, 3)) {
	case 0: where += 1 + below(job, block - 1); break;
	case 1: size = 1 + below(job, block - 1); break;
	case 2: if (align < 2 || least > 1) return; p++; break;
	}
	memset(job->memory, GUARD, 2 * block + 8);
	n = transfer(job, SYNC, writing, job->direct, &(struct iovec){ p, size }, 1, where, 0);
	if (n != -EINVAL && !(n == -EAGAIN || (failing && n == -ENOMEM)))
		complain(job, "odd %s of %zu at %lld+%lld, memory %u: %zd", writing ? "write" : "read", size,
			 (long long)job->base, (long long)(where - job->base),
			 (unsigned int)(p - job->memory), n);
	for (size_t i = 0; i < 2 * block; i++)
		if (job->memory[i] != GUARD) {
			complain(job, "refused read touched the buffer");
			break;
		}
	pthread_mutex_lock(&lock);
	refused++;
	pthread_mutex_unlock(&lock);
}

static void discard(struct job *job)
{
	uint64_t first = below(job, part_size / block), count = 1 + below(job, 64);
	uint64_t range[2];

	if ((first + count) * block > part_size)
		return;
	range[0] = job->base + first * block;
	range[1] = count * block;
	if (!ioctl(job->direct, BLKDISCARD, range))
		memset(job->known + first, 0, count);
}

static void one(struct job *job)
{
	static __thread unsigned char flat[SIZE_MAX_IO];
	struct iovec iov[PARTS_MAX];
	bool writing = below(job, 2), direct = below(job, 8) || errors || failing;
	enum how how = below(job, HOWS);
	/* Nothing but the device's own rule is for a vector that is direct. */
	unsigned int unit = direct ? align : 1, count, rwf = 0, i;
	uint64_t first, left;
	int parts;
	ssize_t n;
	size_t size;

	if (!below(job, 64)) {
		wrong_one(job);
		return;
	}
	if (discards && !below(job, 32)) {
		discard(job);
		return;
	}
	if (!below(job, 200) && fsync(job->buffered) && !errors)
		complain(job, "fsync: %s", strerror(errno));

	first = below(job, part_size / block);
	left = part_size / block - first;
	switch (below(job, 4)) {
	case 0: count = 1; break;
	case 1: count = 1 + below(job, 8); break;
	case 2: count = 1 + below(job, 64); break;
	default: count = 1 + below(job, SIZE_MAX_IO / block); break;
	}
	if (count > left)
		count = left;
	size = (size_t)count * block;
	if (direct && !below(job, 8))
		rwf |= RWF_NOWAIT;
	if (writing && !below(job, 8))
		rwf |= RWF_DSYNC;
	parts = make_parts(job, iov, size, unit, how == FIXED);
	if (how == FIXED && (unsigned char *)iov->iov_base + size > job->memory + ROOM)
		return;

	if (writing) {
		uint64_t word = ((uint64_t)job->index << 56) ^ job->state;

		for (i = 0; i < size; i += 8) {
			word = word * 6364136223846793005ull + 1442695040888963407ull;
			memcpy(flat + i, &word, 8);
		}
		copy_parts(iov, parts, flat, true);
	} else {
		memset(flat, GUARD, size);
		copy_parts(iov, parts, flat, true);
	}
	/* Some devices below cannot do it, and then nothing is done. */
	n = transfer(job, how, writing, direct ? job->direct : job->buffered, iov, parts,
		     job->base + first * block, rwf);
	if (n == -EOPNOTSUPP && rwf & RWF_NOWAIT)
		n = -EAGAIN;

	pthread_mutex_lock(&lock);
	done++;
	if (n == -EAGAIN)
		agains++;
	else if (n < 0)
		failures++;
	else if (writing)
		bytes_written += n;
	else
		bytes_read += n;
	pthread_mutex_unlock(&lock);

	if (n != (ssize_t)size && !(n == -EAGAIN && (rwf & RWF_NOWAIT || failing)) &&
	    !(n > 0 && n % block == 0 && (rwf & RWF_NOWAIT || errors || failing)) &&
	    !(errors && (n == -EIO || n == -ENODATA || n == -EILSEQ)) &&
	    !(failing && n == -ENOMEM))
		complain(job, "%s%s %s of %zu at %llu, %d parts, flags %#x: %zd", direct ? "direct " : "buffered ",
			 how_names[how], writing ? "write" : "read", size,
			 (unsigned long long)(first * block), parts, rwf, n);
	if (writing) {
		size_t good = n < 0 ? 0 : n / block * block;

		memcpy(job->shadow + first * block, flat, good);
		memset(job->known + first, 1, good / block);
		if (n < 0 && n == -EAGAIN && !errors && !failing)
			return;		/* nothing was written: what was there has to be there */
		memset(job->known + first + good / block, 0, count - good / block);
		return;
	}
	if (n <= 0)
		return;
	copy_parts(iov, parts, flat, false);
	for (i = 0; i < n / block; i++) {
		if (job->known[first + i] &&
		    memcmp(flat + (size_t)i * block, job->shadow + (first + i) * block, block)) {
			complain(job, "%s%s read of %zu at %llu, %d parts, flags %#x: block %u is wrong",
				 direct ? "direct " : "buffered ", how_names[how], size,
				 (unsigned long long)(first * block), parts, rwf, i);
			break;
		}
	}
}

static void *run(void *arg)
{
	struct job *job = arg;
	struct iovec all;

	job->shadow = malloc(part_size);
	job->known = calloc(part_size / block, 1);
	job->memory = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE,
			   -1, 0);
	job->direct = open(device, O_RDWR | O_DIRECT);
	job->buffered = open(device, O_RDWR);
	job->fail_fd = failing ? open("/proc/thread-self/make-it-fail", O_WRONLY) : -1;
	if (!job->shadow || !job->known || job->memory == MAP_FAILED || job->direct < 0 ||
	    job->buffered < 0 || (failing && job->fail_fd < 0))
		die(device);
	all = (struct iovec){ job->memory, ROOM };
	job->has_ring = !io_uring_queue_init(4, &job->ring, 0) &&
			!io_uring_register_buffers(&job->ring, &all, 1);
	if (!job->has_ring)
		fprintf(stderr, "geofuzz: no io_uring\n");
	while (done < ios && now() < end)
		one(job);
	return NULL;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "ios",	required_argument,	NULL, 'n' },
		{ "seconds",	required_argument,	NULL, 't' },
		{ "seed",	required_argument,	NULL, 's' },
		{ "mib",	required_argument,	NULL, 'm' },
		{ "jobs",	required_argument,	NULL, 'j' },
		{ "align",	required_argument,	NULL, 'a' },
		{ "discards",	no_argument,		NULL, 'd' },
		{ "errors",	no_argument,		NULL, 'e' },
		{ "fail",	no_argument,		NULL, 'f' },
		{ }
	};
	struct job jobs[64] = { };
	pthread_t threads[64];
	char path[128];
	struct stat st;
	FILE *f;
	struct utsname system;
	int c, fd, version, series;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'n': ios = strtoull(optarg, NULL, 0); break;
		case 't': end = now() + atof(optarg); break;
		case 's': seed = strtoull(optarg, NULL, 0); break;
		case 'm': size_used = strtoull(optarg, NULL, 0) << 20; break;
		case 'j': job_count = atoi(optarg); break;
		case 'a': least = atoi(optarg); break;
		case 'd': discards = true; break;
		case 'e': errors = true; break;
		case 'f': failing = true; break;
		default: return 2;
		}
	}
	if (argc - optind != 1 || !job_count || job_count > 64) {
		fprintf(stderr, "usage: geofuzz [option...] DEVICE, see tests/tools/geofuzz.c\n");
		return 2;
	}
	device = argv[optind];
	fd = open(device, O_RDWR);
	if (fd < 0 || ioctl(fd, BLKSSZGET, &block) || fstat(fd, &st))
		die(device);
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/queue/dma_alignment", major(st.st_rdev),
		 minor(st.st_rdev));
	/* Up to 5.19 it was the size of a sector. */
	align = block;
	f = fopen(path, "r");
	if (f && fscanf(f, "%u", &align) == 1)
		align++;
	if (f)
		fclose(f);
	/* Up to 6.17 the block layer takes no part of a vector that is not whole blocks. */
	if (!uname(&system) && sscanf(system.release, "%d.%d", &version, &series) == 2 &&
	    version * 100 + series < 618 && align < block)
		align = block;
	if (align < least)
		align = least;
	if (align > 4096)
		align = 4096;
	part_size = size_used / job_count / (SIZE_MAX_IO / 8) * (SIZE_MAX_IO / 8);
	if (!part_size)
		die("too small");
	for (unsigned int i = 0; i < job_count; i++) {
		jobs[i].index = i;
		jobs[i].base = i * part_size;
		jobs[i].state = (seed * 64 + i + 1) * 0x9e3779b97f4a7c15ull | 1;
		if (pthread_create(&threads[i], NULL, run, &jobs[i]))
			die("thread");
	}
	for (unsigned int i = 0; i < job_count; i++)
		pthread_join(threads[i], NULL);
	printf("ios %llu read %llu written %llu again %llu errors %llu refused %llu unexpected %llu\n",
	       (unsigned long long)done, (unsigned long long)bytes_read,
	       (unsigned long long)bytes_written, (unsigned long long)agains,
	       (unsigned long long)failures, (unsigned long long)refused,
	       (unsigned long long)unexpected);
	return !!unexpected;
}
