// SPDX-License-Identifier: GPL-2.0-only
/*
 * crash - what must be on a file system after a crash, and what the disk had then
 *
 *	crash work DIR RECORDS --acks FILE [--mark NAME]
 *		write records, each of them durable before the next. RECORDS of each
 *		kind, 0 for no end. FILE has how many were acknowledged. NAME is a
 *		log-writes device, whose log gets a mark for each acknowledged record.
 *	crash check DIR ACKS
 *		compare every record that ACKS has
 *	crash points LOG POINTS SEED
 *		print numbers of entries of a log of dm-log-writes: half of the points are
 *		just behind a flush, half are anywhere
 *	crash replay LOG PLAIN FROM TO KEY SECTOR_SIZE ACKS
 *		decrypt what entries FROM to TO - 1 wrote, into the image PLAIN; what was
 *		acknowledged before entry TO goes to ACKS
 *	crash decrypt IMAGE PLAIN KEY SECTOR_SIZE
 *		all of an image. Holes of it stay holes.
 *	crash forget
 *		have btrfs know of no device that is not mounted
 *
 * KEY is hex digits of an aes-xts-plain64 key without an IV offset. The cipher is OpenSSL's.
 *
 * Four writers make records of their own kind: appended, each in a new file, a file
 * that is renamed over another, and direct writes in place. A fifth writes files that
 * nobody asks for. A record is made of units of 512 bytes, and each of these says
 * which it is: so half a record, an old one and one of another file are seen.
 *
 * links: -lcrypto
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/dm-ioctl.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define UNIT		512
#define UNIT_MAGIC	0x7265636f7264ull
#define ACK_MAGIC	0x61636b73ull
#define ACK_BLOCK	4096

#define FILES_KEPT	64	/* of those that are new */
#define SLOTS		16	/* of those in place */
#define SLOT_UNITS	8

enum kind { APPENDED, CREATED, RENAMED, IN_PLACE, KINDS };

static const char * const kind_names[KINDS] = { "appended", "created", "renamed", "in place" };

static const char *dir, *mark_name;
static int ack_fd = -1;
static uint64_t acked[KINDS], records;

static void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "crash: ");
	vfprintf(stderr, format, args);
	fprintf(stderr, ": %s\n", strerror(errno));
	va_end(args);
	exit(2);
}

static uint64_t mix(uint64_t z)
{
	z += 0x9e3779b97f4a7c15ull;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static void make_unit(uint64_t *unit, uint64_t kind, uint64_t n, uint64_t index)
{
	uint64_t state = mix(mix(mix(kind) ^ n) ^ index);

	unit[0] = UNIT_MAGIC;
	unit[1] = kind;
	unit[2] = n;
	unit[3] = index;
	for (unsigned int i = 4; i < UNIT / 8; i++)
		unit[i] = state = mix(state);
}

static bool unit_is(const uint64_t *unit, uint64_t kind, uint64_t n, uint64_t index)
{
	uint64_t want[UNIT / 8];

	make_unit(want, kind, n, index);
	return !memcmp(unit, want, UNIT);
}

/* In units: of a new file, and of one that is renamed */
static unsigned int units_of(enum kind kind, uint64_t n)
{
	switch (kind) {
	case CREATED:	return 1 + mix(n) % 40;
	case RENAMED:	return 24;
	case IN_PLACE:	return SLOT_UNITS;
	default:	return 1;
	}
}

static int open_in(const char *name, int flags)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, flags, 0600);
	if (fd < 0)
		die("%s", path);
	return fd;
}

static void put_record(int fd, enum kind kind, uint64_t n, off_t where)
{
	static __thread uint64_t units[64 * UNIT / 8] __attribute__((aligned(4096)));
	unsigned int count = units_of(kind, n);

	for (unsigned int i = 0; i < count; i++)
		make_unit(units + i * UNIT / 8, kind, n, i);
	if (pwrite(fd, units, count * UNIT, where) != (ssize_t)count * UNIT)
		die("write of record %llu, %s", (unsigned long long)n, kind_names[kind]);
}

static void durable(int fd)
{
	if (fsync(fd))
		die("fsync");
	close(fd);
}

static void mark(enum kind kind, uint64_t n)
{
	struct {
		struct dm_ioctl		head;
		struct dm_target_msg	msg;
		char			text[64];
	} request = { };
	static int control = -1;

	if (control < 0)
		control = open("/dev/mapper/control", O_RDWR);
	request.head.version[0] = DM_VERSION_MAJOR;
	request.head.data_size = sizeof(request);
	request.head.data_start = sizeof(request.head);
	strncpy(request.head.name, mark_name, sizeof(request.head.name) - 1);
	snprintf(request.text, sizeof(request.text), "mark ack-%u-%llu", kind, (unsigned long long)n);
	if (ioctl(control, DM_TARGET_MSG, &request))
		die("mark");
}

/* The record before @n is durable. */
static void acknowledge(enum kind kind, uint64_t n)
{
	static __thread uint64_t block[ACK_BLOCK / 8] __attribute__((aligned(4096)));

	if (mark_name)
		mark(kind, n);
	block[0] = ACK_MAGIC;
	block[1] = n;
	if (pwrite(ack_fd, block, sizeof(block), kind * sizeof(block)) != sizeof(block))
		die("acknowledgement");
}

static void *writer(void *arg)
{
	enum kind kind = (uintptr_t)arg;
	char name[64];
	int fd;

	for (uint64_t n = acked[kind]; !records || n < records; n++) {
		switch (kind) {
		case APPENDED:
			fd = open_in("appended", O_WRONLY | O_CREAT);
			put_record(fd, kind, n, n * UNIT);
			durable(fd);
			break;
		case CREATED:
			if (n >= FILES_KEPT) {
				snprintf(name, sizeof(name), "%s/new/%llu", dir,
					 (unsigned long long)n - FILES_KEPT);
				if (unlink(name) && errno != ENOENT)
					die("%s", name);
			}
			snprintf(name, sizeof(name), "new/%llu", (unsigned long long)n);
			fd = open_in(name, O_WRONLY | O_CREAT | O_TRUNC);
			put_record(fd, kind, n, 0);
			durable(fd);
			durable(open_in("new", O_RDONLY | O_DIRECTORY));
			break;
		case RENAMED: {
			char from[512], to[512];

			fd = open_in("renamed.new", O_WRONLY | O_CREAT | O_TRUNC);
			put_record(fd, kind, n, 0);
			durable(fd);
			snprintf(from, sizeof(from), "%s/renamed.new", dir);
			snprintf(to, sizeof(to), "%s/renamed", dir);
			if (rename(from, to))
				die("rename");
			durable(open_in(".", O_RDONLY | O_DIRECTORY));
			break;
		}
		case IN_PLACE:
			fd = open_in("in-place", O_WRONLY | O_CREAT | O_DIRECT | O_DSYNC);
			put_record(fd, kind, n, n % SLOTS * SLOT_UNITS * UNIT);
			durable(fd);
			break;
		default:
			break;
		}
		acknowledge(kind, n + 1);
	}
	return NULL;
}

static volatile bool quiet;

/* Files that nobody asks for: written, cut, removed, and never made durable */
static void *noise(void *unused)
{
	static char data[65536];
	uint64_t state = 1;
	char name[64];

	(void)unused;
	while (!quiet) {
		size_t size;
		int fd;

		state = mix(state);
		snprintf(name, sizeof(name), "noise/%u", (unsigned int)(state % 32));
		fd = open_in(name, O_RDWR | O_CREAT | (state >> 8 & 1 ? O_TRUNC : 0));
		size = 1 + (state >> 16) % sizeof(data);
		memset(data, (int)state, size);
		if (pwrite(fd, data, size, (state >> 32) % 65536) < 0 && errno != ENOSPC)
			die("noise");
		if (state >> 60 == 1 && ftruncate(fd, (state >> 40) % 4096))
			die("noise");
		close(fd);
		if (state >> 60 == 2) {
			char path[512];

			snprintf(path, sizeof(path), "%s/%s", dir, name);
			unlink(path);
		}
		usleep(3000);
	}
	return NULL;
}

static void read_acks(const char *name)
{
	uint64_t block[ACK_BLOCK / 8];
	int fd = open(name, O_RDONLY);

	for (int kind = 0; fd >= 0 && kind < KINDS; kind++)
		if (pread(fd, block, sizeof(block), kind * sizeof(block)) == sizeof(block) &&
		    block[0] == ACK_MAGIC)
			acked[kind] = block[1];
	if (fd >= 0)
		close(fd);
}

static int work(const char *acks)
{
	pthread_t threads[KINDS + 1];
	char path[512];
	struct stat st;
	int flags = O_RDWR | O_CREAT;

	read_acks(acks);
	if (!stat(acks, &st) && S_ISBLK(st.st_mode))
		flags = O_RDWR | O_DIRECT;
	ack_fd = open(acks, flags, 0600);
	if (ack_fd < 0)
		die("%s", acks);
	snprintf(path, sizeof(path), "%s/new", dir);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/noise", dir);
	mkdir(path, 0700);
	sync();
	if (mark_name)
		mark(KINDS, 0);
	for (uintptr_t i = 0; i <= KINDS; i++)
		if (pthread_create(&threads[i], NULL, i < KINDS ? writer : noise, (void *)i))
			die("thread");
	for (int i = 0; i < KINDS; i++)
		pthread_join(threads[i], NULL);
	quiet = true;
	pthread_join(threads[KINDS], NULL);
	return 0;
}

/* --- afterwards ------------------------------------------------------------- */

static unsigned long checked, bad;

static void wrong(enum kind kind, uint64_t n, const char *what)
{
	if (bad++ < 20)
		printf("record %llu, %s: %s\n", (unsigned long long)n, kind_names[kind], what);
}

static int open_record(enum kind kind, uint64_t n, const char *name)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		wrong(kind, n, strerror(errno));
	return fd;
}

static void check_record(enum kind kind, int fd, uint64_t n, off_t where)
{
	uint64_t unit[UNIT / 8];

	checked++;
	for (unsigned int i = 0; i < units_of(kind, n); i++) {
		if (pread(fd, unit, UNIT, where + i * UNIT) != UNIT) {
			wrong(kind, n, "too short, or unreadable");
			return;
		}
		/* A later one of the same place, which nobody has acknowledged yet */
		if ((kind == IN_PLACE && unit[2] > n && unit[2] % SLOTS == n % SLOTS) ||
		    (kind == RENAMED && unit[2] > n)) {
			if (!unit_is(unit, kind, unit[2], i)) {
				wrong(kind, n, "neither this nor a later one");
				return;
			}
		} else if (!unit_is(unit, kind, n, i)) {
			wrong(kind, n, "other data");
			return;
		}
	}
}

static int check(const char *acks)
{
	char name[64];
	uint64_t n;
	int fd;

	read_acks(acks);
	if (acked[APPENDED]) {
		fd = open_record(APPENDED, 0, "appended");
		for (n = 0; fd >= 0 && n < acked[APPENDED]; n++)
			check_record(APPENDED, fd, n, n * UNIT);
		close(fd);
	}
	/* One is on its way, so another may be gone. */
	n = acked[CREATED] < FILES_KEPT ? 0 : acked[CREATED] - FILES_KEPT + 1;
	for (; n < acked[CREATED]; n++) {
		snprintf(name, sizeof(name), "new/%llu", (unsigned long long)n);
		fd = open_record(CREATED, n, name);
		if (fd < 0)
			continue;
		check_record(CREATED, fd, n, 0);
		close(fd);
	}
	if (acked[RENAMED]) {
		fd = open_record(RENAMED, acked[RENAMED] - 1, "renamed");
		if (fd >= 0)
			check_record(RENAMED, fd, acked[RENAMED] - 1, 0);
		close(fd);
	}
	n = acked[IN_PLACE] < SLOTS ? 0 : acked[IN_PLACE] - SLOTS;
	if (acked[IN_PLACE]) {
		fd = open_record(IN_PLACE, n, "in-place");
		for (; fd >= 0 && n < acked[IN_PLACE]; n++)
			check_record(IN_PLACE, fd, n, n % SLOTS * SLOT_UNITS * UNIT);
		close(fd);
	}
	printf("records %lu bad %lu acknowledged %llu\n", checked, bad,
	       (unsigned long long)(acked[0] + acked[1] + acked[2] + acked[3]));
	return !!bad;
}

/* --- the log ------------------------------------------------------------------ */

#define LOG_MAGIC	0x6a736677736872ull
#define LOG_FLUSH	1
#define LOG_FUA		2
#define LOG_DISCARD	4
#define LOG_MARK	8

struct log_super {
	uint64_t	magic, version, entries;
	uint32_t	sector_size;
};

struct log_entry {
	uint64_t	sector, sectors, flags, data_len;
	char		text[480];
};

struct log {
	int		fd;
	uint64_t	entries, next, at;
	unsigned int	sector_size;
};

static void log_open(struct log *log, const char *name)
{
	struct log_super super;

	log->fd = open(name, O_RDONLY);
	if (log->fd < 0 || pread(log->fd, &super, sizeof(super), 0) != sizeof(super) ||
	    super.magic != LOG_MAGIC)
		die("%s: no log", name);
	log->entries = super.entries;
	log->sector_size = super.sector_size;
	log->at = super.sector_size;
	log->next = 0;
}

/* The next entry, and where its data is; false at the end */
static bool log_next(struct log *log, struct log_entry *entry, uint64_t *data)
{
	if (log->next >= log->entries)
		return false;
	if (pread(log->fd, entry, sizeof(*entry), log->at) != sizeof(*entry))
		die("log, entry %llu", (unsigned long long)log->next);
	*data = log->at + log->sector_size;
	log->at = *data;
	if (!(entry->flags & (LOG_MARK | LOG_DISCARD)))
		log->at += entry->sectors * log->sector_size;
	log->next++;
	return true;
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static int points(const char *name, uint64_t want, uint64_t seed)
{
	uint64_t data, begin = 0, flushes = 0, *flush, *chosen, count = 0;
	struct log_entry entry;
	struct log log;

	log_open(&log, name);
	flush = calloc(log.entries + 1, sizeof(*flush));
	chosen = calloc(want + 1, sizeof(*chosen));
	while (log_next(&log, &entry, &data)) {
		/* That of the writers' begin is the first mark of all. */
		if (!begin && entry.flags & LOG_MARK)
			begin = log.next;
		else if (begin && entry.flags & (LOG_FLUSH | LOG_FUA))
			flush[flushes++] = log.next;
	}
	if (!begin || begin >= log.entries) {
		fprintf(stderr, "crash: nothing in the log\n");
		return 2;
	}
	for (uint64_t i = 0; i < want; i++) {
		seed = mix(seed);
		if (i % 2 && flushes)
			chosen[count++] = flush[seed % flushes];
		else
			chosen[count++] = begin + seed % (log.entries - begin + 1);
	}
	qsort(chosen, count, sizeof(*chosen), by_number);
	for (uint64_t i = 0; i < count; i++)
		printf("%llu\n", (unsigned long long)chosen[i]);
	fprintf(stderr, "%llu entries, %llu flushes\n", (unsigned long long)log.entries,
		(unsigned long long)flushes);
	return 0;
}

static EVP_CIPHER_CTX *cipher;
static unsigned int unit_size;

static void set_key(const char *hex, const char *size)
{
	unsigned char key[64];
	size_t len = strlen(hex) / 2;

	for (size_t i = 0; i < len && i < sizeof(key); i++)
		if (sscanf(hex + 2 * i, "%2hhx", &key[i]) != 1)
			die("key");
	unit_size = atoi(size);
	cipher = EVP_CIPHER_CTX_new();
	if ((len != 64 && len != 32) || !unit_size || !cipher ||
	    !EVP_DecryptInit_ex(cipher, len == 64 ? EVP_aes_256_xts() : EVP_aes_128_xts(), NULL,
				key, NULL))
		die("cipher");
}

static void decrypt(unsigned char *data, size_t size, uint64_t sector)
{
	for (size_t at = 0; at < size; at += unit_size) {
		unsigned char iv[16] = { };
		uint64_t n = sector + at / 512;
		int len;

		for (int i = 0; i < 8; i++)
			iv[i] = n >> (8 * i);
		if (!EVP_DecryptInit_ex(cipher, NULL, NULL, NULL, iv) ||
		    !EVP_DecryptUpdate(cipher, data + at, &len, data + at, unit_size))
			die("decrypt");
	}
}

static int replay(char **argv)
{
	uint64_t from = strtoull(argv[2], NULL, 0), to = strtoull(argv[3], NULL, 0), data;
	static uint64_t block[ACK_BLOCK / 8];
	unsigned char *buf = NULL;
	struct log_entry entry;
	size_t room = 0;
	struct log log;
	int plain;

	log_open(&log, argv[0]);
	plain = open(argv[1], O_WRONLY);
	if (plain < 0)
		die("%s", argv[1]);
	set_key(argv[4], argv[5]);
	while (log.next < to && log_next(&log, &entry, &data)) {
		size_t size = entry.sectors * log.sector_size;
		unsigned long long n;
		unsigned int kind;

		if (entry.flags & LOG_MARK) {
			if (sscanf(entry.text, "ack-%u-%llu", &kind, &n) == 2 && kind < KINDS &&
			    n > acked[kind])
				acked[kind] = n;
			continue;
		}
		if (log.next <= from || !size)
			continue;
		if (size > room) {
			room = size;
			buf = realloc(buf, room);
		}
		if (entry.flags & LOG_DISCARD)
			memset(buf, 0, size);
		else if (pread(log.fd, buf, size, data) != (ssize_t)size)
			die("log");
		/* What was discarded may be anything. */
		if (size % unit_size) {
			fprintf(stderr, "crash: entry %llu is no whole sectors\n",
				(unsigned long long)log.next - 1);
			return 1;
		}
		decrypt(buf, size, entry.sector * (log.sector_size / 512));
		if (pwrite(plain, buf, size, entry.sector * log.sector_size) != (ssize_t)size)
			die("%s", argv[1]);
	}
	ack_fd = open(argv[6], O_RDWR | O_CREAT | O_TRUNC, 0600);
	for (int kind = 0; kind < KINDS; kind++) {
		block[0] = ACK_MAGIC;
		block[1] = acked[kind];
		if (pwrite(ack_fd, block, sizeof(block), kind * sizeof(block)) != sizeof(block))
			die("%s", argv[6]);
	}
	return 0;
}

static int decrypt_all(char **argv)
{
	static unsigned char buf[1 << 20];
	int from = open(argv[0], O_RDONLY), to = open(argv[1], O_RDWR | O_CREAT | O_TRUNC, 0600);
	off_t at = 0, size;

	set_key(argv[2], argv[3]);
	if (from < 0 || to < 0)
		die("%s or %s", argv[0], argv[1]);
	size = lseek(from, 0, SEEK_END);
	if (ftruncate(to, size))
		die("%s", argv[1]);
	while (at < size) {
		off_t next = lseek(from, at, SEEK_DATA);
		ssize_t n;

		if (next < 0)
			break;
		at = next / unit_size * unit_size;
		n = pread(from, buf, sizeof(buf), at);
		if (n <= 0 || n % unit_size)
			die("%s", argv[0]);
		decrypt(buf, n, at / 512);
		if (pwrite(to, buf, n, at) != n)
			die("%s", argv[1]);
		at += n;
	}
	return 0;
}

static int forget(void)
{
	struct btrfs_ioctl_vol_args args = { };
	int fd = open("/dev/btrfs-control", O_RDWR);

	if (fd < 0 || ioctl(fd, BTRFS_IOC_FORGET_DEV, &args))
		die("btrfs");
	return 0;
}

int main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";

	if (argc > 2)
		dir = argv[2];
	if (!strcmp(command, "work") && argc >= 6 && !strcmp(argv[4], "--acks")) {
		records = strtoull(argv[3], NULL, 0);
		if (argc == 8)
			mark_name = argv[7];
		return work(argv[5]);
	}
	if (!strcmp(command, "check") && argc == 4)
		return check(argv[3]);
	if (!strcmp(command, "points") && argc == 5)
		return points(argv[2], strtoull(argv[3], NULL, 0), strtoull(argv[4], NULL, 0));
	if (!strcmp(command, "replay") && argc == 9)
		return replay(argv + 2);
	if (!strcmp(command, "decrypt") && argc == 6)
		return decrypt_all(argv + 2);
	if (!strcmp(command, "forget"))
		return forget();
	fprintf(stderr, "usage: crash work|check|points|replay|decrypt|forget, see tests/tools/crash.c\n");
	return 2;
}
