// SPDX-License-Identifier: GPL-2.0-only
/*
 * rw - one read or write with what dd and fio do not offer
 *
 *	rw [option...] read FILE OFFSET BYTES	data to standard output
 *	rw [option...] write FILE OFFSET DATA	DATA is a file
 *	rw [option...] compare FILE OFFSET DATA	read and compare with file DATA
 *
 *	--buffered	through the page cache, else O_DIRECT
 *	--nowait	RWF_NOWAIT
 *	--dsync		RWF_DSYNC
 *	--hint N	F_SET_RW_HINT: how long the data will live
 *	--atomic	RWF_ATOMIC
 *	--shift N	the buffer starts N bytes into a page
 *	--iov N,N,...	lengths of the vector's parts, repeated as needed
 *	--huge		ask for huge pages
 *	--scribble	write to the buffer all the while, from another thread
 *	--aio		by io_submit()
 *	--uring		by io_uring
 *	--make-it-fail	of the kernel's allocations for the request, those that its
 *			fault injection is set up to fail for a task that asks for it
 *
 * It is one system call, so one request; BYTES may be large. An error is
 * reported by its name (EIO) with "touched" if the buffer is no longer what it
 * was filled with before, else "untouched"; and exit status 1.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <liburing.h>
#include <linux/aio_abi.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef RWF_ATOMIC	/* of Linux 6.11 */
#define RWF_ATOMIC	0x00000040
#endif

#define FILL	0xa5

static const struct option options[] = {
	{ "buffered",	no_argument,		NULL, 'b' },
	{ "nowait",	no_argument,		NULL, 'n' },
	{ "dsync",	no_argument,		NULL, 'd' },
	{ "hint",	required_argument,	NULL, 'l' },
	{ "atomic",	no_argument,		NULL, 'A' },
	{ "shift",	required_argument,	NULL, 's' },
	{ "iov",	required_argument,	NULL, 'i' },
	{ "huge",	no_argument,		NULL, 'h' },
	{ "scribble",	no_argument,		NULL, 'w' },
	{ "aio",	no_argument,		NULL, 'a' },
	{ "uring",	no_argument,		NULL, 'u' },
	{ "make-it-fail", no_argument,		NULL, 'f' },
	{ }
};

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static void *get_memory(size_t size, size_t shift, bool huge)
{
	const size_t align = 2 << 20;
	char *p = mmap(NULL, size + shift + align, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("mmap");
	p = (char *)(((uintptr_t)p + align - 1) & ~(align - 1));
	if (madvise(p, size + shift, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE) && errno != EINVAL)
		die("madvise");
	return p + shift;
}

static void read_file(const char *name, char *buf, size_t size)
{
	int fd = open(name, O_RDONLY);

	if (fd < 0)
		die(name);
	while (size) {
		ssize_t n = read(fd, buf, size);

		if (n <= 0)
			die(name);
		buf += n;
		size -= n;
	}
	close(fd);
}

static int split(char *buf, size_t size, const char *list, struct iovec *iov)
{
	const char *p = list;
	int n = 0;

	while (size) {
		size_t len = size;

		if (list) {
			len = strtoul(p, (char **)&p, 0);
			p = *p ? p + 1 : list;
			if (!len || len > size)
				len = size;
		}
		if (n == IOV_MAX) {
			fprintf(stderr, "more than %d parts\n", IOV_MAX);
			exit(2);
		}
		iov[n++] = (struct iovec){ .iov_base = buf, .iov_len = len };
		buf += len;
		size -= len;
	}
	return n;
}

/* Only around the request: memory that this process touches first would fail, too. */
static void make_it_fail(int fd, const char *yes)
{
	if (write(fd, yes, 1) != 1)
		die("/proc/self/make-it-fail");
}

static struct iovec scribbled;

static void *scribble(void *unused)
{
	volatile char *p = scribbled.iov_base;

	(void)unused;
	for (size_t i = 0; ; i = (i + 64) % scribbled.iov_len)
		p[i] ^= 1;
	return NULL;
}

/* How a request is made; each returns bytes, or -1 with errno. */
typedef ssize_t request_fn(int fd, bool writing, const struct iovec *iov, int parts, off_t where,
			   int rwf);

static ssize_t sync_request(int fd, bool writing, const struct iovec *iov, int parts, off_t where,
			    int rwf)
{
	return writing ? pwritev2(fd, iov, parts, where, rwf) :
			 preadv2(fd, iov, parts, where, rwf);
}

static ssize_t result(long long res)
{
	if (res >= 0)
		return res;
	errno = -res;
	return -1;
}

static ssize_t aio_request(int fd, bool writing, const struct iovec *iov, int parts, off_t where,
			   int rwf)
{
	struct iocb iocb = {
		.aio_fildes = fd,
		.aio_lio_opcode = writing ? IOCB_CMD_PWRITEV : IOCB_CMD_PREADV,
		.aio_buf = (uintptr_t)iov,
		.aio_nbytes = parts,
		.aio_offset = where,
		.aio_rw_flags = rwf,
	}, *iocbs = &iocb;
	aio_context_t context = 0;
	struct io_event event;

	if (syscall(SYS_io_setup, 1, &context))
		die("io_setup");
	if (syscall(SYS_io_submit, context, 1, &iocbs) != 1)
		return -1;
	if (syscall(SYS_io_getevents, context, 1, 1, &event, NULL) != 1)
		die("io_getevents");
	return result(event.res);
}

static ssize_t uring_request(int fd, bool writing, const struct iovec *iov, int parts, off_t where,
			     int rwf)
{
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;
	struct io_uring ring;

	if (io_uring_queue_init(1, &ring, 0))
		die("io_uring_queue_init");
	sqe = io_uring_get_sqe(&ring);
	if (writing)
		io_uring_prep_writev2(sqe, fd, iov, parts, where, rwf);
	else
		io_uring_prep_readv2(sqe, fd, iov, parts, where, rwf);
	if (io_uring_submit(&ring) != 1 || io_uring_wait_cqe(&ring, &cqe))
		die("io_uring");
	return result(cqe->res);
}

int main(int argc, char **argv)
{
	int c, fd, fail_fd = -1, parts, open_flags = O_DIRECT, rwf = 0, err;
	static struct iovec iov[IOV_MAX];
	bool huge = false, compare, writing, scribbling = false, failing = false;
	pthread_t thread;
	request_fn *request = sync_request;
	const char *list = NULL;
	size_t size, shift = 0, i;
	uint64_t lifetime = 0;
	char *buf, *want = NULL;
	struct stat st;
	ssize_t n;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'b': open_flags = 0; break;
		case 'n': rwf |= RWF_NOWAIT; break;
		case 'd': rwf |= RWF_DSYNC; break;
		case 'l': lifetime = strtoul(optarg, NULL, 0); break;
		case 'A': rwf |= RWF_ATOMIC; break;
		case 's': shift = strtoul(optarg, NULL, 0); break;
		case 'i': list = optarg; break;
		case 'h': huge = true; break;
		case 'w': scribbling = true; break;
		case 'a': request = aio_request; break;
		case 'u': request = uring_request; break;
		case 'f': fail_fd = open("/proc/self/make-it-fail", O_WRONLY); failing = true; break;
		default: return 2;
		}
	}
	argv += optind;
	if (argc - optind != 4) {
		fprintf(stderr, "usage: rw [option...] read|write|compare FILE OFFSET BYTES|DATA\n");
		return 2;
	}
	writing = !strcmp(argv[0], "write");
	compare = !strcmp(argv[0], "compare");
	if (writing || compare) {
		if (stat(argv[3], &st))
			die(argv[3]);
		size = st.st_size;
	} else {
		size = strtoul(argv[3], NULL, 0);
	}

	buf = get_memory(size, shift, huge);
	memset(buf, FILL, size);
	if (writing)
		read_file(argv[3], buf, size);
	parts = split(buf, size, list, iov);

	fd = open(argv[1], (writing ? O_WRONLY : O_RDONLY) | open_flags);
	if (fd < 0)
		die(argv[1]);
	if (lifetime && fcntl(fd, F_SET_RW_HINT, &lifetime))
		die("F_SET_RW_HINT");
	if (scribbling) {
		scribbled = (struct iovec){ .iov_base = buf, .iov_len = size };
		if (pthread_create(&thread, NULL, scribble, NULL))
			die("pthread_create");
	}
	if (failing)
		make_it_fail(fail_fd, "1");
	n = request(fd, writing, iov, parts, strtoull(argv[2], NULL, 0), rwf);
	err = errno;
	if (failing)
		make_it_fail(fail_fd, "0");
	if (n < 0) {
		for (i = 0; i < size && buf[i] == (char)FILL; i++)
			;
		fprintf(stderr, "%s %s\n", strerrorname_np(err),
			writing || i == size ? "untouched" : "touched");
		return 1;
	}
	if ((size_t)n != size) {
		fprintf(stderr, "short %zd\n", n);
		return 1;
	}
	if (compare) {
		want = get_memory(size, 0, false);
		read_file(argv[3], want, size);
		for (i = 0; i < size; i++) {
			if (buf[i] != want[i]) {
				fprintf(stderr, "differs at %zu\n", i);
				return 1;
			}
		}
	} else if (!writing) {
		for (i = 0; i < size; i += n) {
			n = write(STDOUT_FILENO, buf + i, size - i);
			if (n <= 0)
				die("standard output");
		}
	}
	return 0;
}
