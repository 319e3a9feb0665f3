// SPDX-License-Identifier: GPL-2.0-only
/*
 * uring - io_uring requests with data that is checked, in all their kinds
 *
 *	uring [option...] KIND FILE
 *
 * KIND is read, write, readv, writev, read_fixed, write_fixed (buffers that were
 * registered), or link: a write, an fsync and a read of the same place, each of
 * which starts when the one before is done.
 *
 *	--count N	requests, or chains, one behind the other in FILE (64)
 *	--bs BYTES	of each (4096)
 *	--depth N	in flight (8)
 *	--parts N	of a vector (4)
 *	--shift N	buffers start N bytes into a page
 *	--huge		ask for huge pages
 *	--seed N	the pattern that is written, or expected (1)
 *	--iopoll	poll for completions
 *	--sqpoll	a kernel thread submits
 *	--nowait	RWF_NOWAIT: a request that would have to wait is answered by
 *			EAGAIN, and none is left to a worker thread
 *	--old N		with --nowait and a write: the pattern that was there before,
 *			and that must be there still after EAGAIN
 *
 * I/O is O_DIRECT. A read that ends with EAGAIN must not have touched its buffer.
 * Prints how many requests were done and how many ended with EAGAIN; anything
 * else is an error, with exit status 1.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <liburing.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#define FILL		0xa5
#define PARTS_MAX	64
#define HUGE_PAGE	(2UL << 20)

enum kind { READ, WRITE, READV, WRITEV, READ_FIXED, WRITE_FIXED, LINK, KINDS };

static const char * const kinds[KINDS] = {
	[READ]		= "read",
	[WRITE]		= "write",
	[READV]		= "readv",
	[WRITEV]	= "writev",
	[READ_FIXED]	= "read_fixed",
	[WRITE_FIXED]	= "write_fixed",
	[LINK]		= "link",
};

static const struct option options[] = {
	{ "count",	required_argument,	NULL, 'c' },
	{ "bs",		required_argument,	NULL, 'b' },
	{ "depth",	required_argument,	NULL, 'd' },
	{ "parts",	required_argument,	NULL, 'p' },
	{ "shift",	required_argument,	NULL, 's' },
	{ "huge",	no_argument,		NULL, 'h' },
	{ "seed",	required_argument,	NULL, 'e' },
	{ "old",	required_argument,	NULL, 'o' },
	{ "iopoll",	no_argument,		NULL, 'i' },
	{ "sqpoll",	no_argument,		NULL, 'q' },
	{ "nowait",	no_argument,		NULL, 'n' },
	{ }
};

/* A request or a chain in flight. */
struct slot {
	char		*buf;
	char		*back;		/* link: what is read */
	struct iovec	iov[PARTS_MAX];
	unsigned long	index;		/* of the request */
	unsigned int	pending;	/* completions to come */
};

static unsigned long count = 64, depth = 8, parts = 4, shift, seed = 1, old;
static size_t bs = 4096;
static bool nowait, have_old, huge;
static enum kind kind;
static int fd;
static struct io_uring ring;
static struct slot *slots;
static bool *again;		/* by request */

static void fail(const char *what, int err)
{
	fprintf(stderr, "%s: %s\n", what, strerrorname_np(err) ?: "?");
	exit(1);
}

static bool is_write(void)
{
	return kind == WRITE || kind == WRITEV || kind == WRITE_FIXED;
}

static char *get_buffer(void)
{
	size_t align = huge ? HUGE_PAGE : 4096;
	char *p;
	int err;

	err = posix_memalign((void **)&p, align, (bs + shift + align - 1) / align * align);
	if (err)
		fail("posix_memalign", err);
	if (huge && madvise(p, bs + shift, MADV_HUGEPAGE))
		fail("madvise", errno);
	return p + shift;
}

/* The word at this place of the file: the finalizer of splitmix64. */
static uint64_t pattern(uint64_t offset, uint64_t with)
{
	uint64_t z = offset + with * 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static void fill(char *buf, unsigned long index, uint64_t with)
{
	uint64_t word;
	size_t i;

	for (i = 0; i < bs; i += sizeof(word)) {
		word = pattern(index * bs + i, with);
		memcpy(buf + i, &word, sizeof(word));
	}
}

static void verify(const char *buf, unsigned long index, uint64_t with, const char *what)
{
	uint64_t word, want;
	size_t i;

	for (i = 0; i < bs; i += sizeof(word)) {
		memcpy(&word, buf + i, sizeof(word));
		want = pattern(index * bs + i, with);
		if (word != want) {
			fprintf(stderr, "%s, request %lu differs at byte %zu\n", what, index, i);
			exit(1);
		}
	}
}

static void verify_untouched(const char *buf, unsigned long index)
{
	size_t i;

	for (i = 0; i < bs; i++) {
		if (buf[i] != (char)FILL) {
			fprintf(stderr, "request %lu: EAGAIN, byte %zu was touched\n", index, i);
			exit(1);
		}
	}
}

static struct io_uring_sqe *get_sqe(struct slot *s)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

	if (!sqe)
		fail("io_uring_get_sqe", EBUSY);
	s->pending++;
	return sqe;
}

static void finish_sqe(struct io_uring_sqe *sqe, struct slot *s, unsigned int flags)
{
	if (nowait)
		sqe->rw_flags |= RWF_NOWAIT;
	io_uring_sqe_set_flags(sqe, flags);
	io_uring_sqe_set_data(sqe, s);
}

static void start(struct slot *s, unsigned long index)
{
	uint64_t offset = index * bs;
	struct io_uring_sqe *sqe;
	int nr = s - slots;

	s->index = index;
	if (is_write() || kind == LINK)
		fill(s->buf, index, seed);
	else
		memset(s->buf, FILL, bs);

	sqe = get_sqe(s);
	switch (kind) {
	case READ:
		io_uring_prep_read(sqe, fd, s->buf, bs, offset);
		break;
	case WRITE:
		io_uring_prep_write(sqe, fd, s->buf, bs, offset);
		break;
	case READV:
		io_uring_prep_readv(sqe, fd, s->iov, parts, offset);
		break;
	case WRITEV:
		io_uring_prep_writev(sqe, fd, s->iov, parts, offset);
		break;
	case READ_FIXED:
		io_uring_prep_read_fixed(sqe, fd, s->buf, bs, offset, nr);
		break;
	case WRITE_FIXED:
		io_uring_prep_write_fixed(sqe, fd, s->buf, bs, offset, nr);
		break;
	default:
		memset(s->back, FILL, bs);
		io_uring_prep_write(sqe, fd, s->buf, bs, offset);
		finish_sqe(sqe, s, IOSQE_IO_LINK);
		sqe = get_sqe(s);
		io_uring_prep_fsync(sqe, fd, 0);
		io_uring_sqe_set_flags(sqe, IOSQE_IO_LINK);
		io_uring_sqe_set_data(sqe, s);
		sqe = get_sqe(s);
		io_uring_prep_read(sqe, fd, s->back, bs, offset);
		break;
	}
	finish_sqe(sqe, s, 0);
}

/* One of the requests of @s is complete, with @res. */
static void complete(struct slot *s, int res)
{
	s->pending--;
	if (nowait && res == -EAGAIN) {
		again[s->index] = true;
		if (!is_write())
			verify_untouched(s->buf, s->index);
		return;
	}
	/* The fsync of a chain is the second of three. */
	if (kind == LINK && s->pending == 1 ? res : res != (int)bs) {
		fprintf(stderr, "request %lu: %s %d\n", s->index,
			res < 0 ? strerrorname_np(-res) : "short", res);
		exit(1);
	}
	if (kind == LINK && !s->pending)
		verify(s->back, s->index, seed, "read back");
	else if (!is_write() && kind != LINK)
		verify(s->buf, s->index, seed, "read");
}

/* What every write left behind: all of it, or nothing. */
static void verify_file(void)
{
	char *buf = slots[0].buf;
	unsigned long i;

	for (i = 0; i < count; i++) {
		if (pread(fd, buf, bs, i * bs) != (ssize_t)bs)
			fail("pread", errno);
		if (again[i])
			verify(buf, i, old, "after EAGAIN");
		else
			verify(buf, i, seed, "after a write");
	}
}

static void set_up(unsigned int flags)
{
	struct io_uring_params params = { .flags = flags, .sq_thread_idle = 1000 };
	struct iovec *buffers = calloc(depth, sizeof(*buffers));
	unsigned long i, j;
	int err;

	slots = calloc(depth, sizeof(*slots));
	again = calloc(count, sizeof(*again));
	if (!buffers || !slots || !again)
		fail("calloc", ENOMEM);
	for (i = 0; i < depth; i++) {
		struct slot *s = &slots[i];

		s->buf = get_buffer();
		s->back = get_buffer();
		for (j = 0; j < parts; j++)
			s->iov[j] = (struct iovec){ s->buf + j * (bs / parts), bs / parts };
		buffers[i] = (struct iovec){ s->buf, bs };
	}
	/* A chain takes three entries. */
	err = io_uring_queue_init_params(4 * depth, &ring, &params);
	if (err)
		fail("io_uring_setup", -err);
	if (kind == READ_FIXED || kind == WRITE_FIXED) {
		err = io_uring_register_buffers(&ring, buffers, depth);
		if (err)
			fail("io_uring_register_buffers", -err);
	}
	free(buffers);
}

static void run(void)
{
	unsigned long started = 0, busy = 0, i;
	struct io_uring_cqe *cqe;
	struct slot *s;
	int err;

	for (i = 0; i < depth && started < count; i++, busy++)
		start(&slots[i], started++);
	while (busy) {
		err = io_uring_submit(&ring);
		if (err < 0)
			fail("io_uring_submit", -err);
		do {
			err = io_uring_wait_cqe(&ring, &cqe);
		} while (err == -EINTR);
		if (err)
			fail("io_uring_wait_cqe", -err);
		do {
			s = io_uring_cqe_get_data(cqe);
			complete(s, cqe->res);
			io_uring_cqe_seen(&ring, cqe);
			if (s->pending)
				continue;
			if (started < count)
				start(s, started++);
			else
				busy--;
		} while (!io_uring_peek_cqe(&ring, &cqe));
	}
}

int main(int argc, char **argv)
{
	unsigned long i, refused = 0;
	unsigned int flags = 0;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'c': count = strtoul(optarg, NULL, 0); break;
		case 'b': bs = strtoul(optarg, NULL, 0); break;
		case 'd': depth = strtoul(optarg, NULL, 0); break;
		case 'p': parts = strtoul(optarg, NULL, 0); break;
		case 's': shift = strtoul(optarg, NULL, 0); break;
		case 'e': seed = strtoul(optarg, NULL, 0); break;
		case 'o': old = strtoul(optarg, NULL, 0); have_old = true; break;
		case 'i': flags |= IORING_SETUP_IOPOLL; break;
		case 'q': flags |= IORING_SETUP_SQPOLL; break;
		case 'n': nowait = true; break;
		case 'h': huge = true; break;
		default: return 2;
		}
	}
	for (kind = 0; argc - optind == 2 && kind < KINDS; kind++)
		if (!strcmp(argv[optind], kinds[kind]))
			break;
	if (argc - optind != 2 || kind == KINDS || !count || !depth || !bs || bs % 512 ||
	    !parts || parts > PARTS_MAX || bs % parts ||
	    (kind == LINK && (nowait || (flags & IORING_SETUP_IOPOLL))) ||
	    (have_old && (!nowait || !is_write()))) {
		fprintf(stderr, "usage: uring [option...] KIND FILE, see tests/tools/uring.c\n");
		return 2;
	}
	fd = open(argv[optind + 1], O_RDWR | O_DIRECT);
	if (fd < 0)
		fail(argv[optind + 1], errno);

	set_up(flags);
	run();
	io_uring_queue_exit(&ring);
	if (have_old)
		verify_file();
	for (i = 0; i < count; i++)
		refused += again[i];
	printf("%lu done %lu again\n", count - refused, refused);
	return 0;
}
