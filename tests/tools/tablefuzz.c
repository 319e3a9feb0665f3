// SPDX-License-Identifier: GPL-2.0-only
/*
 * tablefuzz - table lines and messages by the thousand, through dm's ioctl
 *
 *	tablefuzz [option...] DEVICE...
 *
 *	--lines N	table lines to send (1000)
 *	--seconds N	or fewer, if these are over (no limit)
 *	--seed N	of the generator (1); the same seed sends the same lines
 *	--corpus FILE	lines to change at random, one each; KEY32 is a key of 32 bytes
 *	--target NAME	(inline-crypt)
 *	--name NAME	of the device (fuzz), for several of this program at once
 *	--fail		lines are loaded by a thread for which the kernel's fault
 *			injection is on, see /proc/thread-self/make-it-fail
 *	--print		only print the lines
 *
 * A line is one of the corpus that was changed, or made from the grammar of the
 * target. Each goes to the constructor (DM_TABLE_LOAD). Of those that were accepted the
 * table is read back, and has to be accepted again and to be printed the same. Some
 * become the live table; then messages are sent, in order and out of order, and a
 * sector is read and written.
 *
 * Fails if the kernel's answer is none of the errors it may have, or a table does not
 * come back. What else there is to see (KASAN, lockdep, leaks) the kernel says itself.
 *
 * Prints "lines N accepted N live N messages N taken N reads N unexpected N".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/dm-ioctl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_LEN	6000
#define SECTORS		8192
#define CORPUS_MAX	512

static uint64_t state = 1;
static char *corpus[CORPUS_MAX];
static unsigned int corpus_count;
static char **devices;
static unsigned int device_count;
static const char *target = "inline-crypt", *name = "fuzz";
static bool failing, failing_now;
static int fail_fd = -1, control;

static unsigned long lines, accepted, live, messages, taken, reads, unexpected;

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static unsigned int below(unsigned int n)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (state * 0x2545f4914f6cdd1dull >> 33) % n;
}

#define PICK(array)	array[below(sizeof(array) / sizeof(*(array)))]

/* --- lines ------------------------------------------------------------------------- */

static const char * const ciphers[] = {
	"aes", "aes", "aes", "serpent", "twofish", "camellia", "blowfish", "cast5", "cast6", "anubis",
	"des3_ede", "cipher_null", "null", "AES", "aes(", "xts(aes)", "",
};
static const char * const modes[] = {
	"xts", "xts", "cbc", "ecb", "ctr", "lrw", "pcbc", "cts", "hctr2", "adiantum", "gcm", "plain", "",
};
static const char * const ivs[] = {
	"plain64", "plain64", "plain", "plain64be", "essiv:sha256", "essiv:md5", "essiv:", "essiv",
	"essiv:sha3-256", "benbi", "null", "lmk", "tcw", "eboiv", "elephant", "random", "none", "",
};
static const char * const capi[] = {
	"xts(aes)", "cbc(aes)", "ecb(aes)", "ctr(aes)", "essiv(cbc(aes),sha256)", "gcm(aes)",
	"ccm(aes)", "rfc7539(chacha20,poly1305)", "authenc(hmac(sha256),xts(aes))",
	"authenc(hmac(sha256),cbc(aes))", "authenc(cmac(aes),xts(aes))", "adiantum(xchacha12,aes)",
	"hctr2(aes)", "aegis128", "xts(serpent)", "xts(twofish)", "lrw(aes)", "cts(cbc(aes))",
	"cryptd(xts(aes))", "pcrypt(gcm(aes))", "xts(ecb(aes))", "authenc(", "authenc(,)", "(", ")",
	"xts(aes", "xts(xts(aes))", "sha256", "hmac(sha256)", "cipher_null", "ecb(cipher_null)",
};
static const char * const numbers[] = {
	"0", "0", "0", "0", "8", "1", "7", "4096", "-1", "+1", "4294967295", "4294967296", "8191", "8192",
	"18446744073709551615", "18446744073709551616", "0x10", "08", "", "1x",
};
static const char * const options[] = {
	"allow_discards", "same_cpu_crypt", "high_priority", "submit_from_crypt_cpus",
	"no_read_workqueue", "no_write_workqueue", "iv_large_sectors", "sector_size:512",
	"sector_size:1024", "sector_size:2048", "sector_size:4096", "sector_size:8192",
	"sector_size:0", "sector_size:", "sector_size:4096 ", "integrity:16:none",
	"integrity:28:aead", "integrity:32:aead", "integrity:48:aead", "integrity:0:aead",
	"integrity:480:none", "integrity:481:none", "integrity:16", "integrity::aead",
	"integrity_key_size:32", "integrity_key_size:16", "integrity_key_size:0",
	"integrity_key_size:4294967295", "read_context:auto", "read_context:caller",
	"read_context:endio", "read_context:workqueue", "read_context:", "write_context:auto",
	"write_context:caller", "write_context:endio", "write_context:workqueue",
	"cipher_engine:auto", "cipher_engine:units", "cipher_engine:api", "cipher_engine:x",
	"ALLOW_DISCARDS", "rubbish", "%s%n", ":", "-",
};
static const unsigned int key_sizes[] = {
	0, 1, 8, 16, 24, 32, 32, 48, 64, 64, 64, 65, 80, 96, 128, 256, 1024, 1040,
};

static char line[LINE_MAX_LEN * 2];

static void add(const char *format, ...)
{
	size_t len = strlen(line);
	va_list args;

	va_start(args, format);
	vsnprintf(line + len, LINE_MAX_LEN - len, format, args);
	va_end(args);
}

/* Digits of a pattern, which the log is searched for */
static void add_key(unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes && strlen(line) < LINE_MAX_LEN - 8; i++)
		strcat(line, i & 1 ? "cc" : "d1");
}

static void add_key_word(void)
{
	unsigned int bytes = PICK(key_sizes);

	switch (below(16)) {
	case 0:
		add("-");
		break;
	case 1:
		add(":%u:%s:fuzz%u", bytes, below(3) ? "logon:lab" : below(2) ? "user" : "encrypted",
		    below(4));
		break;
	case 2:
		add(":%u:%s", bytes, below(2) ? ":" : "logon");
		break;
	case 3:
		add_key(bytes);
		add("%c", "0gx :"[below(5)]);
		break;
	default:
		add_key(bytes);
	}
}

static void make_line(void)
{
	unsigned int count, said;

	*line = '\0';
	if (below(3)) {
		add("%s", PICK(ciphers));
		if (!below(8))
			add(":%u", 1u << below(8));
		if (below(12)) {
			add("-%s", PICK(modes));
			if (below(12))
				add("-%s", PICK(ivs));
		}
	} else {
		add("capi:%s", PICK(capi));
		if (below(12))
			add("-%s", PICK(ivs));
	}
	add(" ");
	add_key_word();
	add(" %s", PICK(numbers));
	add(" %s", below(16) ? devices[below(device_count)] : below(2) ? "/dev/missing" : "1:9999");
	add(" %s", PICK(numbers));
	if (below(3)) {
		count = said = below(7);
		if (!below(10))
			said = below(12);
		add(" %u", said);
		while (count--)
			add(" %s", PICK(options));
	}
}

/* One of the corpus, with its keys and a device put in */
static void take_line(void)
{
	const char *p = corpus[below(corpus_count)];

	*line = '\0';
	while (*p) {
		if (!strncmp(p, "KEY", 3) && p[3] >= '0' && p[3] <= '9') {
			add_key(strtoul(p + 3, (char **)&p, 10));
		} else if (!strncmp(p, "DEV", 3)) {
			add("%s", devices[below(device_count)]);
			p += 3;
		} else {
			add("%c", *p++);
		}
	}
}

static void cut_in(size_t at, size_t cut, const char *with)
{
	size_t len = strlen(line), more = strlen(with);

	if (at > len)
		at = len;
	if (cut > len - at)
		cut = len - at;
	if (len - cut + more >= LINE_MAX_LEN)
		return;
	memmove(line + at + more, line + at + cut, len - at - cut + 1);
	memcpy(line + at, with, more);
}

/* Where a word begins */
static size_t word_at(void)
{
	size_t at = below(strlen(line) + 1);

	while (at && line[at - 1] != ' ')
		at--;
	return at;
}

static void mutate(void)
{
	char text[64] = "";
	size_t at = word_at();

	switch (below(8)) {
	case 0:		/* a word goes */
		cut_in(at, strcspn(line + at, " ") + 1, "");
		break;
	case 1:		/* or is another */
		cut_in(at, strcspn(line + at, " "), PICK(numbers));
		break;
	case 2:
		snprintf(text, sizeof(text), "%s ", PICK(options));
		cut_in(at, 0, text);
		break;
	case 3:
		cut_in(at, strcspn(line + at, " "), below(2) ? PICK(capi) : PICK(ivs));
		break;
	case 4:		/* some character */
		*text = 1 + below(255);
		cut_in(below(strlen(line) + 1), below(2), text);
		break;
	case 5:		/* some go */
		cut_in(below(strlen(line) + 1), 1 + below(3), "");
		break;
	case 6:
		if (!below(4))
			line[below(strlen(line) + 1)] = '\0';
		break;
	case 7:		/* twice */
		if (strlen(line) < 200) {
			snprintf(text, sizeof(text), "%.60s ", line + at);
			cut_in(at, 0, text);
		}
	}
}

/* --- the kernel -------------------------------------------------------------------- */

static struct {
	struct dm_ioctl		head;
	union {
		struct dm_target_spec	spec;
		struct dm_target_msg	msg;
		char			data[3 * LINE_MAX_LEN];
	};
} request;

static int dm(unsigned long command, unsigned int flags)
{
	int err;

	request.head.version[0] = DM_VERSION_MAJOR;
	request.head.data_size = sizeof(request);
	request.head.data_start = sizeof(request.head);
	request.head.flags = flags;
	snprintf(request.head.name, sizeof(request.head.name), "%s", name);
	request.head.dev = 0;
	request.head.uuid[0] = '\0';
	request.head.event_nr = 0;
	if (failing_now && write(fail_fd, "1", 1) != 1)
		perror("make-it-fail");
	err = ioctl(control, command, &request) ? errno : 0;
	if (failing_now && write(fail_fd, "0", 1) != 1)
		perror("make-it-fail");
	return err;
}

static int load(const char *args)
{
	memset(&request, 0, sizeof(request.head) + sizeof(request.spec));
	request.head.target_count = 1;
	request.spec.length = SECTORS;
	request.spec.next = 0;
	strncpy(request.spec.target_type, target, sizeof(request.spec.target_type) - 1);
	strcpy((char *)(&request.spec + 1), args);
	return dm(DM_TABLE_LOAD, 0);
}

static int print_table(char *text, size_t size, unsigned int flags)
{
	int err = dm(DM_TABLE_STATUS, DM_STATUS_TABLE_FLAG | flags);

	if (!err)
		snprintf(text, size, "%s",
			 request.data + (request.head.data_start - sizeof(request.head)) + sizeof(request.spec));
	return err;
}

static void complain(const char *what, int err)
{
	if (unexpected++ < 20)
		printf("unexpected: %s: %s; line %lu: %.300s\n", what, strerror(err), lines, line);
}

static bool may_be(int err)
{
	switch (err) {
	case 0: case EINVAL: case ENOENT: case ENODEV: case ENXIO: case EBUSY: case ENOKEY:
	case EKEYEXPIRED: case EKEYREVOKED: case EACCES: case ENOTBLK: case EOPNOTSUPP:
	case EOVERFLOW: case ELIBBAD: case ENODATA: case EAGAIN: case ENAMETOOLONG: case EBADMSG:
	case EMSGSIZE: case EEXIST: case EKEYREJECTED: case EILSEQ: case EPERM: case E2BIG:
		return true;
	case ENOMEM:
		return failing;
	}
	return false;
}

static void message(void)
{
	static const char * const words[] = {
		"key wipe", "key set ", "key set ", "key set -", "stats", "stats on", "stats off",
		"stats reset", "key", "key set", "keys wipe", "KEY WIPE", "stats on on", "set ", "stats x",
		"key wipe now", "\"key\" wipe", "key\\ wipe", "key set :64:logon:lab:fuzz1",
		"key set :32:logon:lab:fuzz1", "key set :32:user:missing", " ", "@cancel_deferred_remove",
	};
	const char *text = PICK(words);
	char kept[LINE_MAX_LEN];
	int err;

	strcpy(kept, line);
	*line = '\0';
	add("%s", text);
	if (text[strlen(text) - 1] == ' ')
		add_key_word();
	request.msg.sector = below(8) ? 0 : below(2 * SECTORS);
	strcpy(request.msg.message, line);
	messages++;
	err = dm(DM_TARGET_MSG, 0);
	if (!may_be(err))
		complain("message", err);
	taken += !err;
	strcpy(line, kept);
}

static void use_device(void)
{
	static char data[8192] __attribute__((aligned(4096)));
	char path[64];
	int fd;

	/* It would wait. */
	if (dm(DM_DEV_STATUS, 0) || request.head.flags & DM_SUSPEND_FLAG)
		return;
	snprintf(path, sizeof(path), "/dev/mapper/%s", name);
	fd = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
	if (fd < 0)
		return;
	/* There may be no key, or no tags. */
	if (pread(fd, data, 4096, below(64) * 4096) == 4096)
		reads++;
	if (pwrite(fd, data, 8192, below(64) * 8192) == 8192)
		reads++;
	close(fd);
}

static void try_line(void)
{
	static char first[LINE_MAX_LEN * 2], second[LINE_MAX_LEN * 2];
	int err;

	lines++;
	failing_now = failing && below(2);
	err = load(line);
	failing_now = false;
	if (!may_be(err))
		complain("load", err);
	if (err)
		return;
	accepted++;

	/* A printed table is as good as the one it came of. Its key is zeros. */
	if (!below(3) && !print_table(first, sizeof(first), DM_QUERY_INACTIVE_TABLE_FLAG)) {
		err = load(first);
		if (err && !failing && !strstr(first, " :"))
			complain(first, err);
		if (!err && !print_table(second, sizeof(second), DM_QUERY_INACTIVE_TABLE_FLAG) &&
		    strcmp(first, second))
			complain("printed again it is different", 0);
	}

	/* This takes long. */
	if (below(8)) {
		if (below(2))
			dm(DM_TABLE_CLEAR, 0);
		return;
	}
	/* In place of what is live, if anything is */
	dm(DM_DEV_SUSPEND, DM_SUSPEND_FLAG | (below(2) ? DM_NOFLUSH_FLAG : 0));
	for (unsigned int i = below(3); i; i--)
		message();
	err = dm(DM_DEV_SUSPEND, 0);
	if (!may_be(err))
		complain("resume", err);
	live += !err;
	/* A device that stays suspended goes on with its old table, or for a moment with none. */
	if (err) {
		dm(DM_TABLE_CLEAR, 0);
		dm(DM_DEV_SUSPEND, 0);
	}
	use_device();
	for (unsigned int i = below(3); i; i--)
		message();
	if (below(2)) {
		dm(DM_DEV_SUSPEND, DM_SUSPEND_FLAG);
		for (unsigned int i = below(6); i; i--)
			message();
		dm(DM_DEV_SUSPEND, 0);
		use_device();
	}
	print_table(first, sizeof(first), 0);
	request.data[0] = '\0';
	dm(DM_TABLE_STATUS, 0);
}

static void read_corpus(const char *file)
{
	FILE *f = fopen(file, "r");
	char text[LINE_MAX_LEN];

	if (!f) {
		perror(file);
		exit(2);
	}
	while (corpus_count < CORPUS_MAX && fgets(text, sizeof(text), f)) {
		text[strcspn(text, "\n")] = '\0';
		if (*text && *text != '#')
			corpus[corpus_count++] = strdup(text);
	}
	fclose(f);
}

int main(int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "lines",	required_argument,	NULL, 'l' },
		{ "seconds",	required_argument,	NULL, 't' },
		{ "seed",	required_argument,	NULL, 's' },
		{ "corpus",	required_argument,	NULL, 'c' },
		{ "target",	required_argument,	NULL, 'T' },
		{ "name",	required_argument,	NULL, 'n' },
		{ "fail",	no_argument,		NULL, 'f' },
		{ "print",	no_argument,		NULL, 'p' },
		{ }
	};
	unsigned long want = 1000;
	bool only_print = false;
	double end = 1e18;
	struct stat st;
	char path[64];
	int c;

	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		switch (c) {
		case 'l': want = strtoul(optarg, NULL, 0); break;
		case 't': end = now() + atof(optarg); break;
		/* A generator of this kind must not begin with 0. */
		case 's': state = strtoull(optarg, NULL, 0) * 0x9e3779b97f4a7c15ull | 1; break;
		case 'c': read_corpus(optarg); break;
		case 'T': target = optarg; break;
		case 'n': name = optarg; break;
		case 'f': failing = true; break;
		case 'p': only_print = true; break;
		default: return 2;
		}
	}
	devices = argv + optind;
	device_count = argc - optind;
	if (!device_count) {
		fprintf(stderr, "usage: tablefuzz [option...] DEVICE..., see tests/tools/tablefuzz.c\n");
		return 2;
	}
	if (!only_print) {
		control = open("/dev/mapper/control", O_RDWR);
		if (control < 0 || (failing && (fail_fd = open("/proc/thread-self/make-it-fail", O_WRONLY)) < 0)) {
			perror("tablefuzz");
			return 2;
		}
		if (dm(DM_DEV_CREATE, 0)) {
			perror("create");
			return 2;
		}
		/* Nobody else makes it here. */
		snprintf(path, sizeof(path), "/dev/mapper/%s", name);
		if (stat(path, &st) && mknod(path, S_IFBLK | 0600, request.head.dev))
			perror(path);
	}
	while (lines < want && now() < end) {
		if (corpus_count && below(2))
			take_line();
		else
			make_line();
		for (unsigned int n = below(3) ? 0 : 1 + below(4); n; n--)
			mutate();
		if (only_print) {
			lines++;
			puts(line);
			continue;
		}
		try_line();
	}
	if (only_print)
		return 0;
	dm(DM_TABLE_CLEAR, 0);
	for (int i = 0; i < 50 && dm(DM_DEV_REMOVE, 0) == EBUSY; i++)
		usleep(20000);
	unlink(path);
	printf("lines %lu accepted %lu live %lu messages %lu taken %lu reads %lu unexpected %lu\n",
	       lines, accepted, live, messages, taken, reads, unexpected);
	return !!unexpected;
}
