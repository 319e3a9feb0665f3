// SPDX-License-Identifier: GPL-2.0-only
/*
 * keymem - use a key, and look for what is left of it in the kernel's memory
 *
 *	keymem create SEED NAME SECTORS TARGET ARGUMENTS [--leave]	a device, active
 *	keymem message SEED NAME MESSAGE [--leave]			to its first target
 *	keymem write SEED DEVICE				4096 bytes of data made of it
 *	keymem read SEED DEVICE					into a buffer that crosses pages
 *	keymem find SEED... [--own]				--own: with a copy here
 *
 * The key is made of SEED, and so is nowhere else: not in an argument, a file or
 * a pipe. KEY64 in ARGUMENTS or MESSAGE stands for the digits of its first 64
 * bytes. Every copy here is wiped, and the kernel is told to wipe its (what
 * libdevmapper calls dm_task_secure_data); not so with --leave, which leaves that to the
 * target.
 *
 * find prints "raw N hex N": in how many places of the machine's memory at least
 * 16 bytes of the key follow each other, from any byte of it on, and in how many
 * its digits do. Several seeds, four at most, are looked for at once. These may be pieces: a free chunk of memory has a pointer
 * somewhere in it, and a transform has the key as its first round keys.
 * Exit status 1 and the name of the error if the kernel refuses; 2 if something
 * is wrong here.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define KEY_MAX		256
#define CHUNK		(1 << 20)
#define PHDRS_MAX	256

/* The windows of 8 bytes that are looked for, each changed so that it is none. */
#define MASK		0x5a5a5a5a5a5a5a5aull
#define WORDS_LOG	12
#define WORDS		(1 << WORDS_LOG)

static uint64_t words[WORDS];
static uint8_t is_hex[WORDS];
/* By the lowest 16 bits of a word: can it be one of these? */
static uint8_t maybe[1 << 16];

/* Byte by byte and not more clever: vector registers would be saved somewhere. */
static volatile uint8_t raw[KEY_MAX], hex[2 * KEY_MAX];
static unsigned char chunk[CHUNK] __attribute__((aligned(4096)));

static unsigned int secure = DM_SECURE_DATA_FLAG;

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static void wipe(volatile void *p, size_t size)
{
	volatile uint8_t *b = p;

	while (size--)
		*b++ = 0;
}

/* splitmix64 of the place, its top byte */
static void make_key(uint64_t seed)
{
	for (unsigned int i = 0; i < KEY_MAX; i++) {
		uint64_t z = (seed * KEY_MAX + i + 1) * 0x9e3779b97f4a7c15ull;

		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
		z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
		raw[i] = z >> 56;
		hex[2 * i] = "0123456789abcdef"[z >> 60];
		hex[2 * i + 1] = "0123456789abcdef"[z >> 56 & 15];
	}
}

static void wipe_key(void)
{
	wipe(raw, sizeof(raw));
	wipe(hex, sizeof(hex));
}

/* --- device-mapper --------------------------------------------------------- */

static struct {
	struct dm_ioctl		head;
	union {
		struct dm_target_spec	spec;
		struct dm_target_msg	msg;
	};
	char			text[4096];
} request;

/* @text with the key for the first KEY<bytes> in it, to @out; no copy elsewhere */
static void put_text(char *out, const char *text)
{
	const char *key = strstr(text, "KEY");
	unsigned long bytes = key ? strtoul(key + 3, NULL, 10) : 0;
	volatile char *p = out;

	if (bytes > KEY_MAX || strlen(text) > sizeof(request.text) / 2) {
		fprintf(stderr, "keymem: too long\n");
		exit(2);
	}
	while (*text) {
		if (text != key) {
			*p++ = *text++;
			continue;
		}
		for (unsigned long i = 0; i < 2 * bytes; i++)
			*p++ = hex[i];
		text += strlen("KEY") + strspn(text + strlen("KEY"), "0123456789");
	}
	*p = '\0';
}

static int dm(int control, unsigned long command, const char *name, unsigned int flags)
{
	int err;

	request.head.version[0] = DM_VERSION_MAJOR;
	request.head.data_size = sizeof(request);
	request.head.data_start = sizeof(request.head);
	request.head.flags = flags | secure;
	strncpy(request.head.name, name, sizeof(request.head.name) - 1);
	err = ioctl(control, command, &request) ? errno : 0;
	wipe(&request, sizeof(request));
	return err;
}

static int open_control(void)
{
	int control = open("/dev/mapper/control", O_RDWR);

	if (control < 0)
		die("/dev/mapper/control");
	return control;
}

static int create(const char *name, const char *sectors, const char *target, const char *args)
{
	int control = open_control();
	int err = dm(control, DM_DEV_CREATE, name, 0);

	if (err)
		return err;
	request.head.target_count = 1;
	request.spec.length = strtoull(sectors, NULL, 0);
	request.spec.next = sizeof(request) - sizeof(request.head);
	strncpy(request.spec.target_type, target, sizeof(request.spec.target_type) - 1);
	put_text((char *)(&request.spec + 1), args);
	err = dm(control, DM_TABLE_LOAD, name, 0);
	if (!err)
		err = dm(control, DM_DEV_SUSPEND, name, 0);
	if (err)
		dm(control, DM_DEV_REMOVE, name, 0);
	return err;
}

static int message(const char *name, const char *text)
{
	request.msg.sector = 0;
	put_text(request.msg.message, text);
	return dm(open_control(), DM_TARGET_MSG, name, 0);
}

/* --- data --------------------------------------------------------------------- */

#define DATA_SIZE	4096

/* The first sectors, O_DIRECT: with no copy of the data but here, and in the end none. */
static int transfer(bool write, const char *path)
{
	volatile uint8_t *memory = mmap(NULL, 2 * DATA_SIZE, PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	volatile uint8_t *data = memory + (write ? 0 : 512);
	int fd = open(path, O_RDWR | O_DIRECT), err = 0;
	ssize_t n;

	if (memory == MAP_FAILED || fd < 0)
		die(path);
	for (unsigned int i = 0; write && i < DATA_SIZE; i++)
		data[i] = raw[i % KEY_MAX];
	n = write ? pwrite(fd, (void *)data, DATA_SIZE, 0) :
		    pread(fd, (void *)data, DATA_SIZE, 0);
	if (n != DATA_SIZE)
		err = n < 0 ? errno : EIO;
	for (unsigned int i = 0; !err && i < DATA_SIZE; i++)
		if (data[i] != raw[i % KEY_MAX])
			err = EILSEQ;
	wipe(memory, 2 * DATA_SIZE);
	close(fd);
	return err;
}

/* --- memory ------------------------------------------------------------------ */

static unsigned int word_slot(uint64_t word)
{
	return (word * 0x9e3779b97f4a7c15ull) >> (64 - WORDS_LOG);
}

static void want(uint64_t word, bool digits)
{
	unsigned int i = word_slot(word);

	while (words[i] && words[i] != (word ^ MASK))
		i = (i + 1) % WORDS;
	words[i] = word ^ MASK;
	is_hex[i] = digits;
	maybe[word & 0xffff] = 1;
}

static void want_all(const volatile uint8_t *key, unsigned int size, bool digits)
{
	for (unsigned int i = 0; i + 8 <= size; i++) {
		uint64_t word = 0;

		for (unsigned int j = 0; j < 8; j++)
			word |= (uint64_t)key[i + j] << 8 * j;
		want(word, digits);
	}
}

/* 0: not of the key, 1: of its bytes, 2: of its digits */
static int of_key(uint64_t word)
{
	unsigned int i;

	if (!maybe[word & 0xffff])
		return 0;
	for (i = word_slot(word); words[i]; i = (i + 1) % WORDS)
		if (words[i] == (word ^ MASK))
			return 1 + is_hex[i];
	return 0;
}

/* Two words next to each other are at least; more of them are one place still. */
static void search(size_t size, unsigned long *found)
{
	const uint64_t *p = (const uint64_t *)chunk;
	bool any = false;
	int last = 0, run = 0;

	for (size_t i = 0; i < size / 8; i++) {
		int kind = of_key(p[i]);

		run = kind && kind == last ? run + 1 : 1;
		last = kind;
		if (kind && run == 2)
			found[kind - 1]++;
		any |= kind;
	}
	if (any)
		wipe(chunk, size);
}

/* Of a block that was taken away zeros are read, slowly. */
static bool is_offline(uint64_t address)
{
	static uint64_t block_size, known = -1;
	static bool offline;
	char name[64], state[16];
	FILE *f;

	if (!block_size) {
		block_size = 1ull << 32;
		f = fopen("/sys/devices/system/memory/block_size_bytes", "r");
		if (f && fscanf(f, "%lx", &block_size) != 1)
			die("block_size_bytes");
		if (f)
			fclose(f);
	}
	if (address / block_size == known)
		return offline;
	known = address / block_size;
	snprintf(name, sizeof(name), "/sys/devices/system/memory/memory%lu/state", known);
	f = fopen(name, "r");
	offline = f && fgets(state, sizeof(state), f) && !strncmp(state, "offline", 7);
	if (f)
		fclose(f);
	return offline;
}

static int find(void)
{
	static Elf64_Phdr phdr[PHDRS_MAX];
	unsigned long found[2] = {}, bytes = 0;
	int fd = open("/proc/kcore", O_RDONLY);
	Elf64_Ehdr head;

	if (fd < 0 || pread(fd, &head, sizeof(head), 0) != sizeof(head) ||
	    head.e_phnum > PHDRS_MAX ||
	    pread(fd, phdr, head.e_phnum * sizeof(*phdr), head.e_phoff) < 0)
		die("/proc/kcore");
	for (int i = 0; i < head.e_phnum; i++) {
		uint64_t done = 0;

		/* Memory is what has a physical address, and the kernel is in it twice. */
		if (phdr[i].p_type != PT_LOAD || phdr[i].p_paddr == (uint64_t)-1 ||
		    phdr[i].p_vaddr >= 0xffffffff80000000ull)
			continue;
		while (done < phdr[i].p_filesz) {
			/* Up to where another block may start */
			uint64_t size = CHUNK - (phdr[i].p_paddr + done) % CHUNK;
			ssize_t n;

			if (size > phdr[i].p_filesz - done)
				size = phdr[i].p_filesz - done;
			if (!is_offline(phdr[i].p_paddr + done)) {
				n = pread(fd, chunk, size, phdr[i].p_offset + done);
				if (n <= 0)
					die("/proc/kcore");
				search(n, found);
				size = n;
				bytes += n;
			}
			done += size;
		}
	}
	wipe(chunk, sizeof(chunk));
	fprintf(stderr, "%lu MiB\n", bytes >> 20);
	printf("raw %lu hex %lu\n", found[0], found[1]);
	return 0;
}

int main(int argc, char **argv)
{
	const char *command = argc > 2 ? argv[1] : "";
	int err;

	/* Neither moved nor written elsewhere, with a copy left behind. */
	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		die("mlockall");
	if (argc > 2)
		make_key(strtoull(argv[2], NULL, 0));
	if (*command && *command != 'f' && !strcmp(argv[argc - 1], "--leave")) {
		secure = 0;
		argc--;
	}
	if (!strcmp(command, "create") && argc == 7) {
		err = create(argv[3], argv[4], argv[5], argv[6]);
	} else if (!strcmp(command, "message") && argc == 5) {
		err = message(argv[3], argv[4]);
	} else if ((!strcmp(command, "write") || !strcmp(command, "read")) && argc == 4) {
		err = transfer(*command == 'w', argv[3]);
	} else if (!strcmp(command, "find")) {
		for (int i = 2; i < argc && i < 6 && *argv[i] != '-'; i++) {
			make_key(strtoull(argv[i], NULL, 0));
			want_all(raw, sizeof(raw), false);
			want_all(hex, sizeof(hex), true);
		}
		if (strcmp(argv[argc - 1], "--own"))
			wipe_key();
		err = find();
	} else {
		fprintf(stderr, "usage: keymem create|message|write|read|find SEED..., see tests/tools/keymem.c\n");
		err = 0;
		argc = 0;
	}
	wipe_key();
	wipe(words, sizeof(words));
	if (err)
		fprintf(stderr, "%s\n", strerrorname_np(err));
	return !argc ? 2 : !!err;
}
