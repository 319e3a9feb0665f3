// SPDX-License-Identifier: GPL-2.0-only
/*
 * inline-crypt-switch - move a live mapping from crypt to inline-crypt, or back
 *
 * It reads the table of the mapping, tries the other target with it, loads it
 * again with that target, and resumes. That one ioctl suspends the device, swaps
 * the tables and resumes it, and a signal that comes meanwhile undoes it; so
 * there is no moment at which the death of this process leaves the mapping
 * suspended.
 *
 * What else a process that dies would leave behind, a second process undoes:
 * see guard(). It also does so when nobody was killed, so there is one way out.
 *
 * Keys: this process leaves no core, and its memory is not swapped, but for what
 * libcryptsetup allocates to work out a key from a passphrase; see
 * fetch_luks_key(). A key in the table is wiped where it was, here as in
 * libdevmapper. A key of the keyring never gets here, and libcryptsetup takes
 * care of its own.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <linux/dm-ioctl.h>

#include <libcryptsetup.h>
#include <libdevmapper.h>

#define OURS		"inline-crypt"
#define THEIRS		"crypt"
#define MODULE		"/sys/module/dm_inline_crypt"
#define SHOW_KEYS	MODULE "/parameters/show_keys"

#define TRIAL		"inline-crypt-switch-trial"	/* a mapping */
#define TRIAL_UUID	"CRYPT-TEMP-" TRIAL		/* LVM and systemd leave such alone */

#define PASSPHRASE_MAX	512	/* what cryptsetup takes from a terminal */
#define TRIES		3
#define READS		16	/* of a block that differs */

#define BLOCK		4096	/* bytes; the largest sector that the targets have */

/* What is to be undone; shared with the guard */
static struct {
	bool keys_shown;
	bool trial;
	bool loaded;
	bool resuming;	/* so it may be us who suspended it */
} *todo;

static int guard_pipe = -1;
static pid_t guard_pid;
static const char *name;	/* of the mapping */
static char dm_error[256];	/* the last one of libdevmapper */
static struct dm_task *tables[3];	/* what read_table() has handed out */

/* --- messages and the way out ----------------------------------------------- */

/* It may have keys in it: libdevmapper wipes the one that is destroyed. */
static void put_table(struct dm_task *table)
{
	size_t i;

	for (i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		if (table && tables[i] == table) {
			tables[i] = NULL;
			dm_task_destroy(table);
		}
	}
}

static void finish(int status)
{
	size_t i;

	for (i = 0; i < sizeof(tables) / sizeof(*tables); i++)
		put_table(tables[i]);
	fflush(stdout);
	if (guard_pid) {
		close(guard_pipe);
		waitpid(guard_pid, NULL, 0);
	}
	exit(status);
}

static void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("%s: ", name);
	vprintf(fmt, ap);
	putchar('\n');
	va_end(ap);
}

static void die(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	va_start(ap, fmt);
	fprintf(stderr, "inline-crypt-switch: %s: ", name);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	finish(1);
}

static void log_dm(int level, const char *file, int line, int err, const char *fmt, ...)
{
	va_list ap;

	(void)file;
	(void)line;
	(void)err;
	/* Messages for debugging have keys in them, and the upper bits are flags. */
	if ((level & 7) > 3)
		return;
	va_start(ap, fmt);
	vsnprintf(dm_error, sizeof(dm_error), fmt, ap);
	va_end(ap);
}

static void log_crypt(int level, const char *msg, void *arg)
{
	(void)arg;
	if (level == CRYPT_LOG_ERROR)
		fprintf(stderr, "inline-crypt-switch: %s: %s", name, msg);
}

/*
 * For what the guard cannot undo, a terminal without echo, and for what shall not
 * last as long as somebody pleases to stop this process: signals have to wait.
 */
static void hold_signals(sigset_t *saved)
{
	static const int which[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP };
	sigset_t set;
	size_t i;

	sigemptyset(&set);
	for (i = 0; i < sizeof(which) / sizeof(*which); i++)
		sigaddset(&set, which[i]);
	sigprocmask(SIG_BLOCK, &set, saved);
}

static void release_signals(const sigset_t *saved)
{
	sigprocmask(SIG_SETMASK, saved, NULL);
}

/* --- device mapper ---------------------------------------------------------- */

static struct dm_task *new_task_for(const char *mapping, int type)
{
	struct dm_task *t = dm_task_create(type);

	if (!t || !dm_task_set_name(t, mapping) || !dm_task_no_open_count(t))
		die("%s", dm_error);
	return t;
}

static struct dm_task *new_task(int type)
{
	return new_task_for(name, type);
}

/* Runs @t and frees it. */
static bool run(struct dm_task *t)
{
	bool ok = dm_task_run(t);

	dm_task_destroy(t);
	return ok;
}

/* @uuid: room for DM_UUID_LEN bytes, or NULL */
static void get_info(struct dm_info *info, char *uuid)
{
	struct dm_task *t = new_task(DM_DEVICE_INFO);

	if (!dm_task_run(t) || !dm_task_get_info(t, info))
		die("%s", dm_error);
	if (uuid)
		snprintf(uuid, DM_UUID_LEN, "%s", info->exists ? dm_task_get_uuid(t) : "");
	dm_task_destroy(t);
}

/* The live table; put_table() when done with it. */
static struct dm_task *read_table(void)
{
	struct dm_task *t = new_task(DM_DEVICE_TABLE);
	int i = 0;

	while (tables[i])
		i++;
	tables[i] = t;
	dm_task_secure_data(t);
	if (!dm_task_run(t))
		die("cannot read the table: %s", dm_error);
	return t;
}

static bool clear(void)
{
	return run(new_task(DM_DEVICE_CLEAR));
}

/*
 * File systems need not be frozen for it, as all data and its place stay. And
 * no udev cookie: a process that is killed would leave the semaphore behind.
 * See set_up_libdevmapper() for what udev makes of that.
 */
static bool resume(void)
{
	struct dm_task *t = new_task(DM_DEVICE_RESUME);

	dm_task_skip_lockfs(t);
	dm_task_set_add_node(t, DM_ADD_NODE_ON_CREATE);
	return run(t);
}

/*
 * Our libdevmapper, and again after libcryptsetup, which has its own idea of it.
 *
 * Without a cookie libdevmapper has udev's rules switched off, as it makes nodes
 * itself then, and udev would take its link in /dev/mapper away. Unless it is
 * told that there are no cookies: then the rules find what they found before,
 * but for flags that cryptsetup gave a mapping that is private to it.
 */
static void set_up_libdevmapper(void)
{
	dm_log_with_errno_init(log_dm);
	dm_udev_set_sync_support(0);
}

/* Is @target registered? @load: have its module loaded, should it not be. */
static bool have_target(const char *target, bool load)
{
	struct dm_task *t = dm_task_create(DM_DEVICE_LIST_VERSIONS);
	struct dm_versions *v, *last = NULL;
	bool found = false;

	if (!t || !dm_task_run(t))
		die("%s", dm_error);
	for (v = dm_task_get_versions(t); v != last; v = (void *)((char *)v + v->next)) {
		last = v;
		found = found || !strcmp(v->name, target);
	}
	dm_task_destroy(t);
	if (found || !load)
		return found;

	t = dm_task_create(DM_DEVICE_GET_TARGET_VERSION);
	return t && dm_task_set_name(t, target) && run(t);
}

/* --- the guard -------------------------------------------------------------- */

/* Is it there? By its UUID, as somebody may have had the same idea for a name. */
static bool find_trial(struct dm_info *info)
{
	struct dm_task *t = new_task_for(TRIAL, DM_DEVICE_INFO);
	bool found = dm_task_run(t) && dm_task_get_info(t, info) && info->exists &&
		     !strcmp(dm_task_get_uuid(t), TRIAL_UUID);

	dm_task_destroy(t);
	return found;
}

/* @deferred: when whoever has it open lets go of it */
static bool remove_trial(bool deferred)
{
	struct dm_info info;
	struct dm_task *t;

	if (!find_trial(&info))
		return true;
	t = new_task_for(TRIAL, DM_DEVICE_REMOVE);
	/* A process that was killed may not have closed it yet. */
	if (deferred)
		dm_task_deferred_remove(t);
	else
		dm_task_retry_remove(t);
	return run(t);
}

static bool show_keys(bool on)
{
	int fd = open(SHOW_KEYS, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, on ? "Y" : "N", 1) == 1;

	if (fd >= 0)
		close(fd);
	return ok;
}

/*
 * Waits until the process that started it is gone, or through, and undoes what
 * that left half done: SIGKILL gives a process no chance to. In a session of
 * its own, as such signals may go to a whole group. It holds the lock as well.
 */
static void guard(int fd)
{
	struct dm_info info;
	char c;

	setsid();
	/* The mapping may be the one that this program is on; locks are not inherited. */
	mlockall(MCL_CURRENT | MCL_FUTURE);
	while (read(fd, &c, 1) < 0 && errno == EINTR)
		;
	guard_pid = 0; /* so that die() does not wait */
	if (todo->keys_shown)
		show_keys(false);
	if (todo->trial && !remove_trial(false))
		remove_trial(true);
	if (todo->loaded) {
		get_info(&info, NULL);
		/* With what is loaded, as switch_target() leaves it then, or without. */
		if (info.exists && info.suspended && todo->resuming && !resume()) {
			clear();
			resume();
		}
		clear();
	}
	_exit(0);
}

static void start_guard(void)
{
	sigset_t all, old;
	int fd[2];

	todo = mmap(NULL, sizeof(*todo), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		    -1, 0);
	if (todo == MAP_FAILED || pipe2(fd, O_CLOEXEC))
		die("%s", strerror(errno));
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	guard_pid = fork();
	if (guard_pid < 0)
		die("%s", strerror(errno));
	if (!guard_pid) {
		close(fd[1]);
		guard(fd[0]);
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	close(fd[0]);
	guard_pipe = fd[1];
}

/* One at a time, as the switch that shows keys is for all mappings. */
static void lock_tool(void)
{
	int fd = open("/dev/mapper/control", O_RDONLY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		die("no such mapping"); /* device mapper is not loaded */
	if (fd < 0)
		die("cannot open /dev/mapper/control: %s", strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		say("waiting for another inline-crypt-switch");
		fflush(stdout);
		if (flock(fd, LOCK_EX))
			die("cannot lock: %s", strerror(errno));
	}
}

static void lock_memory(void)
{
	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		die("cannot keep memory from being swapped: %s", strerror(errno));
}

/* --- table lines ------------------------------------------------------------ */

struct line {
	uint64_t start, length;
	char *target, *params;
};

/* Goes through a table: @next is NULL at first, and again after the last line. */
static void *next_line(struct dm_task *table, void *next, struct line *l)
{
	return dm_get_next_target(table, next, &l->start, &l->length, &l->target, &l->params);
}

/* In a BitLocker mapping its metadata are zeros; such a line stays as it is. */
static bool is_zero(const struct line *l)
{
	return l->target && !strcmp(l->target, "zero");
}

/* <cipher> <key> <iv_offset> <device> <start>: where word @n is, how long */
static const char *word(const char *params, int n, int *len)
{
	while (n--) {
		params += strcspn(params, " ");
		params += strspn(params, " ");
	}
	*len = strcspn(params, " ");
	return params;
}

static bool has_raw_key(const struct line *l)
{
	int len;
	const char *key = word(l->params, 1, &len);

	return *key != ':' && *key != '-';
}

static bool has_keyring_key(const struct line *l)
{
	int len;

	return *word(l->params, 1, &len) == ':';
}

static void wipe(char *s)
{
	explicit_bzero(s, strlen(s));
	free(s);
}

/* The parameters of a line without the options that only our target has */
static char *without_our_options(const char *params)
{
	char *in = strdup(params), *out = calloc(1, strlen(params) + 1);
	char *save, *w, *opts = NULL;
	int n = 0, count = 0;

	if (!in || !out)
		die("out of memory");
	for (w = strtok_r(in, " ", &save); w; w = strtok_r(NULL, " ", &save), n++) {
		if (n < 5) {
			sprintf(out + strlen(out), "%s%s", n ? " " : "", w);
		} else if (n == 5) {
			opts = out + strlen(out);
		} else if (strncmp(w, "read_context:", 13) && strncmp(w, "write_context:", 14) &&
			   strncmp(w, "cipher_engine:", 14)) {
			sprintf(out + strlen(out), " %s", w);
			count++;
		}
	}
	if (count) {
		/* The count goes in front; a word that went left room for it. */
		char *rest = strdup(opts);

		if (!rest)
			die("out of memory");
		sprintf(opts, " %d%s", count, rest);
		free(rest);
	}
	explicit_bzero(in, strlen(params));
	free(in);
	return out;
}

/* --- keys of the keyring ---------------------------------------------------- */

/* Asks for a passphrase on the terminal; NULL if there is none, or was no answer. */
static char *ask_passphrase(const char *what, size_t *size)
{
	char *pass = crypt_safe_alloc(PASSPHRASE_MAX + 1);
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	struct termios old, quiet;
	sigset_t saved;
	ssize_t n = -1;

	if (tty < 0)
		die("no terminal to ask for the passphrase of %s, use --key-file", what);
	if (!pass || tcgetattr(tty, &old))
		die("cannot ask for a passphrase: %s", strerror(errno));
	/* Nothing may end us while the terminal does not echo; ^C ends the line. */
	hold_signals(&saved);
	quiet = old;
	quiet.c_lflag &= ~(ECHO | ISIG);
	quiet.c_cc[VEOL] = old.c_cc[VINTR];
	dprintf(tty, "Passphrase of %s: ", what);
	if (!tcsetattr(tty, TCSAFLUSH, &quiet))
		n = read(tty, pass, PASSPHRASE_MAX + 1);
	/* Takes back what is left of a line that was too long. */
	tcsetattr(tty, TCSAFLUSH, &old);
	dprintf(tty, "\n");
	close(tty);
	release_signals(&saved);
	if (n > PASSPHRASE_MAX && pass[n - 1] != '\n') {
		crypt_safe_free(pass);
		die("a passphrase has at most %d bytes, use --key-file for a longer one",
		    PASSPHRASE_MAX);
	}
	if (n < 1 || pass[n - 1] != '\n') {
		crypt_safe_free(pass);
		return NULL;
	}
	*size = n - 1;
	return pass;
}

static struct crypt_device *luks_header(const char *uuid, const char *device)
{
	struct crypt_device *cd;
	int r;

	crypt_set_log_callback(NULL, log_crypt, NULL);
	r = crypt_init(&cd, device);
	if (!r)
		r = crypt_load(cd, CRYPT_LUKS2, NULL);
	set_up_libdevmapper();
	if (r < 0 || strcmp(crypt_get_uuid(cd), uuid))
		die("the LUKS2 header %s is not on %s, say where with --header", uuid, device);
	return cd;
}

/*
 * Has cryptsetup's library put the volume key of a LUKS2 device into the
 * keyring of this thread, under the name that the table has. The process that
 * opened the mapping had it there as well, and took it along when it ended.
 */
static void fetch_luks_key(struct crypt_device *cd, const char *device, const char *key_file)
{
	uint32_t flags = CRYPT_ACTIVATE_KEYRING_KEY;
	char *pass = NULL;
	size_t size;
	int r, tries;

	/*
	 * Argon2 may take a gigabyte, too much to be locked: what is there stays
	 * so, what comes does not. The library itself locks passphrases and keys.
	 */
	if (mlockall(MCL_CURRENT))
		die("cannot keep memory from being swapped: %s", strerror(errno));
	dm_udev_set_sync_support(1);
	r = crypt_activate_by_token_pin(cd, NULL, NULL, CRYPT_ANY_TOKEN, NULL, 0, NULL, flags);
	for (tries = 0; r < 0 && tries < (key_file ? 1 : TRIES); tries++) {
		if (!key_file)
			pass = ask_passphrase(device, &size);
		else if (crypt_keyfile_device_read(cd, strcmp(key_file, "-") ? key_file : NULL,
						   &pass, &size, 0, 0, 0))
			pass = NULL;
		if (!pass)
			die("no passphrase");
		r = crypt_activate_by_passphrase(cd, NULL, CRYPT_ANY_SLOT, pass, size, flags);
		crypt_safe_free(pass);
		if (r == -EPERM)
			fprintf(stderr, "inline-crypt-switch: %s: no key with this passphrase\n",
				name);
		else if (r < 0)
			break;
	}
	if (r < 0)
		die("cannot get the volume key: %s", strerror(-r));
	set_up_libdevmapper();
	lock_memory();
	/* Not crypt_free(), which may take the key away again. */
}

static bool reachable(const char *type, const char *desc)
{
	/* The kernel searches in the same way when it gets the table. */
	return syscall(SYS_request_key, type, desc, NULL, 0) >= 0;
}

/* Sees to it that the key of @l, of the form :<size>:<type>:<description>, is found. */
static void find_key(const struct line *l, const char *header, const char *key_file, bool dry_run)
{
	char type[16] = "", device[128] = "", uuid[37] = "", kernel_name[120], *desc;
	unsigned int major, minor;
	struct crypt_device *cd;
	const char *key;
	int len, colon = 0;

	key = word(l->params, 1, &len);
	desc = strndup(key, len);
	if (!desc || sscanf(desc, ":%*u:%15[^:]:%n", type, &colon) != 1 || !colon)
		die("cannot make out the key in its table");
	memmove(desc, desc + colon, strlen(desc + colon) + 1);

	if (reachable(type, desc)) {
		say("its key %s:%s is in the keyring", type, desc);
		goto out;
	}
	len = 0;
	if (strcmp(type, "logon") ||
	    sscanf(desc, "cryptsetup:%36[0-9a-f-]%n", uuid, &len) != 1 ||
	    strncmp(desc + len, "-d", 2)) {
		bool blob = !strcmp(type, "trusted") || !strcmp(type, "encrypted");

		die("its key %s:%s is in no keyring of this process; add it to the session's (keyctl %s %s %s%s @s) and try again",
		    type, desc, blob ? "add" : "padd", type, desc, blob ? " \"load ...\"" : "");
	}
	if (header) {
		snprintf(device, sizeof(device), "%s", header);
	} else {
		key = word(l->params, 3, &len);
		if (sscanf(key, "%u:%u", &major, &minor) != 2 ||
		    !dm_device_get_name(major, minor, 1, kernel_name, sizeof(kernel_name)))
			die("cannot find the device below, say where the LUKS2 header is with --header");
		snprintf(device, sizeof(device), "/dev/%s", kernel_name);
	}
	cd = luks_header(uuid, device);
	if (!dry_run)
		fetch_luks_key(cd, device, key_file);
	else if (key_file)
		say("its key is not in the keyring: would read a passphrase of %s from %s", device, key_file);
	else
		say("its key is not in the keyring: would ask for a passphrase of %s", device);
out:
	free(desc);
}

/* --- what the kernel says --------------------------------------------------- */

static int open_kernel_log(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0)
		lseek(fd, 0, SEEK_END);
	return fd;
}

/* Why a table was refused is known to the log only. */
static void show_kernel_log(int fd)
{
	char record[2048], *text;
	ssize_t n;

	while (fd >= 0 && (n = read(fd, record, sizeof(record) - 1)) > 0) {
		record[n] = '\0';
		text = strchr(record, ';');
		if (text && strstr(text, "device-mapper"))
			fprintf(stderr, "kernel: %.*s\n", (int)strcspn(text + 1, "\n"), text + 1);
	}
}

/* --- the switch ------------------------------------------------------------- */

/* Runs @t with @table, and with target @to in place of what that has; frees @t. */
static bool run_with(struct dm_task *t, struct dm_task *table, const char *to, bool read_only)
{
	void *next = NULL;
	struct line l;
	char *params;
	bool ok;

	dm_task_secure_data(t);
	if (read_only)
		dm_task_set_ro(t);
	do {
		next = next_line(table, next, &l);
		if (!strcmp(to, THEIRS))
			params = without_our_options(l.params);
		else
			params = strdup(l.params);
		ok = params && dm_task_add_target(t, l.start, l.length,
						  is_zero(&l) ? l.target : to, params);
		if (params)
			wipe(params);
		if (!ok) {
			dm_task_destroy(t);
			die("out of memory");
		}
	} while (next);
	return run(t);
}

/* Loads it into the inactive slot. */
static bool load(struct dm_task *table, const char *to, bool read_only)
{
	return run_with(new_task(DM_DEVICE_RELOAD), table, to, read_only);
}

static int open_mapping(const struct dm_info *info)
{
	char path[32];

	snprintf(path, sizeof(path), "/dev/dm-%u", info->minor);
	return open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
}

enum compared { SAME, OTHER, UNREADABLE };

/*
 * One block at @offset bytes. The live mapping may be written to, and of a mirror
 * with two contents, where nobody ever wrote, each read may get another one. So
 * what differs is read again; with a wrong key it is never the same.
 */
static enum compared compare_block(int live, int trial, off_t offset, ssize_t size)
{
	static char block[3][BLOCK] __attribute__((aligned(BLOCK)));
	enum compared result = UNREADABLE;
	int i;

	for (i = 0; i < READS; i++) {
		if (pread(live, block[0], size, offset) != size)
			break;
		if (pread(trial, block[1], size, offset) == size &&
		    !memcmp(block[0], block[1], size)) {
			result = SAME;
			break;
		}
		/* Unless it was written to in between */
		if (pread(live, block[2], size, offset) == size &&
		    !memcmp(block[0], block[2], size))
			result = OTHER;
	}
	explicit_bzero(block, sizeof(block));
	return result;
}

/* A few blocks of each line, of which some may have no valid tags, or not be readable */
static enum compared compare(struct dm_task *table, int live, int trial)
{
	enum compared result = UNREADABLE, one;
	void *next = NULL;
	struct line l;
	uint64_t i;

	do {
		next = next_line(table, next, &l);
		for (i = 0; i < 4 && !is_zero(&l); i++) {
			/* At quarters of it, with whole blocks from its beginning on */
			uint64_t block = l.length * 512 / BLOCK / 4 * i;
			uint64_t size = l.length * 512 - block * BLOCK;

			one = compare_block(live, trial, l.start * 512 + block * BLOCK,
					    size < BLOCK ? size : BLOCK);
			if (one == OTHER)
				return OTHER;
			if (one == SAME)
				result = SAME;
		}
	} while (next);
	return result;
}

/*
 * A second mapping, read-only and seen by nobody, has the table with target @to:
 * it must read what the live one reads. A key of the keyring goes by its name,
 * and nothing else tells whether it is the one that the data has.
 */
static void try_target(struct dm_task *table, const struct dm_info *info,
		       const char *from, const char *to)
{
	static const uint32_t no_udev = DM_UDEV_DISABLE_DM_RULES_FLAG |
					DM_UDEV_DISABLE_SUBSYSTEM_RULES_FLAG |
					DM_UDEV_DISABLE_DISK_RULES_FLAG |
					DM_UDEV_DISABLE_OTHER_RULES_FLAG;
	enum compared result = UNREADABLE;
	int log = open_kernel_log(), live, trial = -1;
	struct dm_info trial_info;
	struct dm_task *t;

	/* What was left by one that was killed together with its guard */
	if (!remove_trial(false))
		die("cannot remove the mapping " TRIAL ": %s", dm_error);
	todo->trial = true;
	t = new_task_for(TRIAL, DM_DEVICE_CREATE);
	if (!dm_task_set_uuid(t, TRIAL_UUID) || !run(t))
		die("cannot make the mapping " TRIAL ": %s", dm_error);
	if (!run_with(new_task_for(TRIAL, DM_DEVICE_RELOAD), table, to, true)) {
		show_kernel_log(log);
		die("%s refuses the table, so it stays %s", to, from);
	}
	t = new_task_for(TRIAL, DM_DEVICE_RESUME);
	/* No node, as one of libdevmapper's would be made when this process ends. */
	dm_task_set_add_node(t, DM_ADD_NODE_ON_CREATE);
	if (!dm_task_set_event_nr(t, no_udev << DM_UDEV_FLAGS_SHIFT) || !run(t))
		die("cannot resume the mapping " TRIAL ": %s", dm_error);
	live = open_mapping(info);
	if (find_trial(&trial_info))
		trial = open_mapping(&trial_info);
	if (live >= 0 && trial >= 0)
		result = compare(table, live, trial);
	if (trial >= 0)
		close(trial);
	if (live >= 0)
		close(live);
	if (log >= 0)
		close(log);
	if (!remove_trial(false))
		die("cannot remove the mapping " TRIAL ": %s", dm_error);
	todo->trial = false;
	if (result == OTHER)
		die("%s reads other data with this table and key than %s does, so it stays %s; a key in a keyring must be the one that the mapping was opened with",
		    to, from, from);
	if (result == UNREADABLE)
		say("could not be read, so whether %s reads the same is not known", to);
}

/*
 * Reads the table of an inline-crypt mapping again, now with the keys: crypt gives
 * them to root, inline-crypt only while this parameter is set.
 */
static struct dm_task *read_table_with_keys(void)
{
	int fd = open(SHOW_KEYS, O_RDONLY | O_CLOEXEC);
	struct dm_task *table;
	sigset_t saved;
	char was;

	if (fd < 0 || read(fd, &was, 1) != 1)
		die("cannot read " SHOW_KEYS);
	close(fd);
	if (was == 'Y') {
		say(SHOW_KEYS " is set, and stays so");
		return read_table();
	}

	hold_signals(&saved);
	todo->keys_shown = true;
	if (!show_keys(true))
		die("cannot set " SHOW_KEYS);
	table = read_table();
	if (!show_keys(false))
		die("cannot reset " SHOW_KEYS);
	todo->keys_shown = false;
	release_signals(&saved);
	return table;
}

static void refuse_suspended(const struct dm_info *info)
{
	if (info->suspended)
		die("is suspended, and stays so; resume it first: dmsetup resume %s, or cryptsetup luksResume %s after luksSuspend",
		    name, name);
}

static void refuse_inactive_table(const struct dm_info *info)
{
	if (info->inactive_table)
		die("has a second table, which waits to be resumed; whoever loaded that is at work on it, or else: dmsetup clear %s",
		    name);
}

static bool same_tables(struct dm_task *a, struct dm_task *b)
{
	void *next_a = NULL, *next_b = NULL;
	struct line la, lb;

	do {
		next_a = next_line(a, next_a, &la);
		next_b = next_line(b, next_b, &lb);
		if (la.start != lb.start || la.length != lb.length || !lb.target ||
		    strcmp(la.target, lb.target) || strcmp(la.params, lb.params))
			return false;
	} while (next_a && next_b);
	return !next_a && !next_b;
}

/*
 * Is it still the mapping of which we know @info, @uuid and @table? A passphrase
 * may have been long in coming, and the trial waits for the device.
 */
static void refuse_changed(const struct dm_info *info, const char *uuid, struct dm_task *table)
{
	char uuid_now[DM_UUID_LEN];
	struct dm_task *table_now;
	struct dm_info now;

	get_info(&now, uuid_now);
	if (!now.exists)
		die("was closed meanwhile");
	refuse_suspended(&now);
	refuse_inactive_table(&now);
	table_now = read_table();
	if (strcmp(uuid, uuid_now) || info->major != now.major || info->minor != now.minor ||
	    info->read_only != now.read_only || !same_tables(table, table_now))
		die("was changed meanwhile, try again");
	put_table(table_now);
}

/* What somebody who has only cryptsetup in mind would otherwise find out by failures */
static void say_what_cryptsetup_sees(void)
{
	say("until it is switched back, cryptsetup status, refresh, resize, luksSuspend, luksResume and close fail for it");
	say("until then, systemd and cryptsetup-suspend leave it open, and go on as if it were not");
	say("until then, \"dmsetup remove %s\" closes it; see also inline-crypt-switch(8)", name);
}

static void switch_target(struct dm_task *table, const char *from, const char *to, bool read_only)
{
	int log = open_kernel_log();
	struct dm_info info;

	todo->loaded = true;
	if (!load(table, to, read_only)) {
		show_kernel_log(log);
		die("%s refuses the table, so it stays %s", to, from);
	}
	get_info(&info, NULL);
	refuse_suspended(&info);
	todo->resuming = true;
	if (!resume()) {
		char why[sizeof(dm_error)];

		memcpy(why, dm_error, sizeof(why));
		/*
		 * Suspended, and with the old table or the new one, as the case
		 * may be. To be mended before a word is said: what takes the
		 * words may be a file on it.
		 */
		get_info(&info, NULL);
		if (info.suspended && load(table, from, read_only))
			resume();
		show_kernel_log(log);
		die("could not be switched: %s", why);
	}
	todo->loaded = false;
	todo->resuming = false;
	say("is %s now, was %s", to, from);
	if (!strcmp(to, OURS))
		say_what_cryptsetup_sees();
}

static bool has_takeover(void)
{
	int fd = open(MODULE "/parameters/takeover", O_RDONLY | O_CLOEXEC);
	char c = 'N';
	bool on;

	on = fd >= 0 && read(fd, &c, 1) == 1 && c == 'Y';
	if (fd >= 0)
		close(fd);
	return on;
}

/* Which of the two targets @table has; sets @raw if there is a key in it; not for zeros only. */
static const char *target_of(struct dm_task *table, bool *raw)
{
	const char *from = NULL;
	void *next = NULL;
	struct line l;

	do {
		next = next_line(table, next, &l);
		if (is_zero(&l) && (from || next))
			continue;
		if (!l.target || (strcmp(l.target, OURS) && strcmp(l.target, THEIRS)))
			die("has the target %s, and can be switched only with crypt or inline-crypt",
			    l.target ? l.target : "(none)");
		if (from && strcmp(from, l.target))
			die("has both targets, crypt and inline-crypt");
		from = strcmp(l.target, OURS) ? THEIRS : OURS;
		*raw = *raw || has_raw_key(&l);
	} while (next);
	return from;
}

static void usage(FILE *f)
{
	fprintf(f,
		"Usage: inline-crypt-switch [options] NAME\n"
		"Move the live mapping NAME from the target crypt to inline-crypt, or back.\n\n"
		"  -t, --to TARGET      crypt or inline-crypt; without it, the other one\n"
		"  -n, --dry-run        say what would be done\n"
		"  -d, --key-file FILE  passphrase of LUKS2, should it be needed; - is stdin\n"
		"      --header DEVICE  where the LUKS2 header is, if not below the mapping\n"
		"  -h, --help           this text\n");
	exit(f == stderr ? 2 : 0);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "to", required_argument, NULL, 't' },
		{ "dry-run", no_argument, NULL, 'n' },
		{ "key-file", required_argument, NULL, 'd' },
		{ "header", required_argument, NULL, 'H' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	const char *from, *to = NULL, *header = NULL, *key_file = NULL;
	bool dry_run = false, raw = false;
	struct dm_task *table, *keyed;
	char uuid[DM_UUID_LEN];
	struct dm_info info;
	void *next = NULL;
	struct line l;
	int c;

	while ((c = getopt_long(argc, argv, "t:nd:h", options, NULL)) != -1) {
		if (c == 't')
			to = optarg;
		else if (c == 'n')
			dry_run = true;
		else if (c == 'd')
			key_file = optarg;
		else if (c == 'H')
			header = optarg;
		else
			usage(c == 'h' ? stdout : stderr);
	}
	if (optind != argc - 1 || (to && strcmp(to, OURS) && strcmp(to, THEIRS)))
		usage(stderr);
	name = argv[optind];
	if (!strncmp(name, "/dev/mapper/", 12))
		name += 12;

	set_up_libdevmapper();
	if (geteuid())
		die("needs root");
	prctl(PR_SET_DUMPABLE, 0);
	lock_tool();
	start_guard();
	lock_memory();

	get_info(&info, uuid);
	if (!info.exists)
		die("no such mapping");
	if (!info.live_table)
		die("has no table");
	refuse_suspended(&info);
	refuse_inactive_table(&info);
	if (has_takeover())
		die("nothing to switch: dm-inline-crypt was loaded with takeover=1 and is the target crypt");
	table = read_table();
	from = target_of(table, &raw);
	if (!to)
		to = strcmp(from, OURS) ? OURS : THEIRS;
	if (!strcmp(from, to)) {
		say("is %s already", to);
		finish(0);
	}

	if (!have_target(to, !dry_run)) {
		if (!dry_run)
			die("no target %s, not even after \"modprobe dm-%s\"", to, to);
		say("would load the module dm-%s", to);
	}
	if (raw)
		say("its key is in the table");
	do {
		next = next_line(table, next, &l);
		if (has_keyring_key(&l))
			find_key(&l, header, key_file, dry_run);
	} while (next);
	if (dry_run) {
		if (raw && !strcmp(from, OURS))
			say("would set " SHOW_KEYS " while it reads the table");
		say("would see on a mapping of its own whether %s reads the same", to);
		say("would load its table with %s in place of %s, and resume", to, from);
		if (!strcmp(to, OURS))
			say_what_cryptsetup_sees();
		finish(0);
	}

	refuse_changed(&info, uuid, table);
	keyed = raw && !strcmp(from, OURS) ? read_table_with_keys() : table;
	try_target(keyed, &info, from, to);
	refuse_changed(&info, uuid, table);
	switch_target(keyed, from, to, info.read_only);
	finish(0);
}
