// SPDX-License-Identifier: GPL-2.0-only
/*
 * The counters that "dmsetup status" prints. Each bio is counted once, by the context
 * in which its cipher ran. Bios without data (flush, discard) and reads that failed on
 * the device never reach the cipher and are not counted.
 *
 * This file also has the histogram of the time that these bios took. It reads the clock
 * twice per bio, so it is off until "dmsetup message D 0 stats on".
 */

#include <linux/bitops.h>
#include <linux/math64.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include "icrypt.h"
#include "stats.h"
#include "trace.h"

static const char * const read_names[ICRYPT_CONTEXTS] = {
	[ICRYPT_CALLER]	= "r_caller",
	[ICRYPT_ENDIO]	= "r_endio",
	[ICRYPT_BH]	= "r_bh",
	[ICRYPT_WQ]	= "r_wq",
};

/* A write is never encrypted in its completion. */
static const char * const write_names[ICRYPT_CONTEXTS] = {
	[ICRYPT_CALLER]	= "w_caller",
	[ICRYPT_WQ]	= "w_wq",
};

static const char * const reason_names[ICRYPT_REASONS] = {
	ICRYPT_REASON_LIST(ICRYPT_REASON_NAME)
};

/* Serialises messages about the histogram. Not taken by I/O. */
static DEFINE_MUTEX(latency_lock);

/**
 * icrypt_stats_init() - allocate the counters
 * @cc: the mapped device
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int icrypt_stats_init(struct icrypt_config *cc)
{
	cc->stats = alloc_percpu(struct icrypt_stats);
	return cc->stats ? 0 : -ENOMEM;
}

/**
 * icrypt_stats_exit() - free the counters
 * @cc: the mapped device
 *
 * Context: process.
 */
void icrypt_stats_exit(struct icrypt_config *cc)
{
	free_percpu(cc->stats);
	free_percpu(cc->latency);
	kfree(cc->latency_base);
}

/**
 * icrypt_stats_fallback() - count and trace that a bio goes to a worker
 * @io:     the bio
 * @reason: why
 *
 * For icrypt_fall_back(), which also notes the context.
 *
 * Context: any.
 */
void icrypt_stats_fallback(struct icrypt_io *io, enum icrypt_reason reason)
{
	this_cpu_inc(io->cc->stats->reason[reason]);
	trace_fallback(io, reason);
}

/**
 * icrypt_stats_begin() - the cipher begins with a bio that is traced
 * @io: the bio
 *
 * The clock is read only while the tracepoint is enabled.
 *
 * Context: any.
 */
void icrypt_stats_begin(struct icrypt_io *io)
{
	if (!io->start_ns)
		io->start_ns = ktime_get_ns();
}

/**
 * icrypt_stats_done() - the cipher has finished with a bio
 * @io: the bio
 *
 * A read ends right after this.
 *
 * Context: any.
 */
void icrypt_stats_done(struct icrypt_io *io)
{
	u64 ns = io->start_ns ? ktime_get_ns() - io->start_ns : 0;

	if (io->desc.by_api)
		this_cpu_inc(io->cc->stats->api);
	else
		this_cpu_inc(io->cc->stats->units);
	if (io->desc.write) {
		this_cpu_inc(io->cc->stats->write[io->context]);
		trace_encrypt(io, ns);
	} else {
		this_cpu_inc(io->cc->stats->read[io->context]);
		trace_decrypt(io, ns);
		icrypt_stats_latency(io);
	}
}

/**
 * icrypt_stats_count_latency() - add a bio that is about to end to the histogram
 * @io: the bio, with the time of its submission
 *
 * Called by icrypt_stats_latency().
 *
 * Context: any.
 */
void icrypt_stats_count_latency(struct icrypt_io *io)
{
	struct icrypt_latency __percpu *l = io->cc->latency;
	/* The clocks of two CPUs may differ a little. */
	u64 ns = max_t(s64, ktime_get_ns() - io->map_ns, 0);
	unsigned int bucket = min(fls64(div_u64(ns, NSEC_PER_USEC)), ICRYPT_BUCKETS - 1);

	if (io->desc.write)
		this_cpu_inc(l->write[io->context][bucket]);
	else
		this_cpu_inc(l->read[io->context][bucket]);
}

/**
 * icrypt_stats_print() - the status line
 * @cc:   the mapped device
 * @buf:  receives the line
 * @size: of @buf, bytes
 *
 * Context: process.
 * Return: bytes written, without the final NUL.
 */
unsigned int icrypt_stats_print(struct icrypt_config *cc, char *buf, unsigned int size)
{
	struct icrypt_stats sum = {};
	unsigned int i, n = 0;
	int cpu;

	for_each_possible_cpu(cpu) {
		const struct icrypt_stats *s = per_cpu_ptr(cc->stats, cpu);

		for (i = 0; i < ICRYPT_CONTEXTS; i++) {
			sum.read[i] += s->read[i];
			sum.write[i] += s->write[i];
		}
		for (i = 0; i < ICRYPT_REASONS; i++)
			sum.reason[i] += s->reason[i];
		sum.units += s->units;
		sum.api += s->api;
	}

	for (i = 0; i < ICRYPT_CONTEXTS; i++)
		n += scnprintf(buf + n, size - n, "%s=%llu ", read_names[i], sum.read[i]);
	for (i = 0; i < ICRYPT_CONTEXTS; i++)
		if (write_names[i])
			n += scnprintf(buf + n, size - n, "%s=%llu ", write_names[i],
				       sum.write[i]);
	for (i = ICRYPT_REASON_NONE + 1; i < ICRYPT_REASONS; i++)
		n += scnprintf(buf + n, size - n, "%s=%llu ", reason_names[i], sum.reason[i]);
	n += scnprintf(buf + n, size - n, "units=%llu api=%llu cipher_engine:%s", sum.units,
		       sum.api, icrypt_engine_name(&cc->cipher));
	return n;
}

static int latency_switch_on(struct icrypt_config *cc)
{
	if (!cc->latency_base)
		cc->latency_base = kzalloc_obj(*cc->latency_base);
	if (!cc->latency)
		cc->latency = alloc_percpu(struct icrypt_latency);
	if (!cc->latency_base || !cc->latency)
		return -ENOMEM;
	/* Pairs with icrypt_stats_map(). */
	smp_store_release(&cc->latency_on, true);
	return 0;
}

static void latency_add(unsigned long *sum, const unsigned long *counts)
{
	unsigned int i;

	for (i = 0; i < ICRYPT_CONTEXTS * ICRYPT_BUCKETS; i++)
		sum[i] += READ_ONCE(counts[i]);
}

/* The counts since the histogram was created, which resets do not change. */
static void latency_sum(struct icrypt_config *cc, struct icrypt_latency *sum)
{
	int cpu;

	memset(sum, 0, sizeof(*sum));
	for_each_possible_cpu(cpu) {
		const struct icrypt_latency *l = per_cpu_ptr(cc->latency, cpu);

		latency_add(sum->read[0], l->read[0]);
		latency_add(sum->write[0], l->write[0]);
	}
}

/* "r_endio=12 <16us=2 <32us=10": a line per context, without empty buckets. */
static unsigned int latency_print(const char *name, const unsigned long *sum,
				  const unsigned long *base, char *buf, unsigned int size)
{
	unsigned long all = 0;
	unsigned int i, n;

	for (i = 0; i < ICRYPT_BUCKETS; i++)
		all += sum[i] - base[i];
	n = scnprintf(buf, size, "%s=%lu", name, all);
	for (i = 0; i < ICRYPT_BUCKETS - 1; i++)
		if (sum[i] != base[i])
			n += scnprintf(buf + n, size - n, " <%luus=%lu", BIT(i), sum[i] - base[i]);
	if (sum[i] != base[i])
		n += scnprintf(buf + n, size - n, " more=%lu", sum[i] - base[i]);
	return n + scnprintf(buf + n, size - n, "\n");
}

static int latency_print_all(struct icrypt_config *cc, char *buf, unsigned int size)
{
	const struct icrypt_latency *base = cc->latency_base;
	struct icrypt_latency *sum;
	unsigned int i, n = 0;

	sum = kmalloc_obj(*sum);
	if (!sum)
		return -ENOMEM;
	latency_sum(cc, sum);
	for (i = 0; i < ICRYPT_CONTEXTS; i++)
		n += latency_print(read_names[i], sum->read[i], base->read[i], buf + n, size - n);
	for (i = 0; i < ICRYPT_CONTEXTS; i++)
		if (write_names[i])
			n += latency_print(write_names[i], sum->write[i], base->write[i],
					   buf + n, size - n);
	kfree(sum);
	return 1;
}

/**
 * icrypt_stats_message() - the message "stats [on|off|reset]"
 * @cc:     the mapped device
 * @argc:   words of the message, at least 1
 * @argv:   the words, the first is "stats"
 * @result: receives the histogram
 * @maxlen: size of @result, bytes; if it is full, dm makes user space try a larger one
 *
 * A reset does not write to the counters, which other CPUs may be incrementing. It
 * saves their values, which are subtracted from then on.
 *
 * Context: process, may sleep.
 * Return: 1 with a @result, 0 without one, or a negative errno.
 */
int icrypt_stats_message(struct icrypt_config *cc, unsigned int argc, char **argv, char *result,
			 unsigned int maxlen)
{
	const char *word = argc > 1 ? argv[1] : NULL;
	int ret = 0;

	if (argc > 2 ||
	    (word && strcasecmp(word, "on") && strcasecmp(word, "off") &&
	     strcasecmp(word, "reset"))) {
		DMERR("stats: use \"stats\", \"stats on\", \"stats off\" or \"stats reset\"");
		return -EINVAL;
	}

	mutex_lock(&latency_lock);
	if (word && !strcasecmp(word, "on")) {
		ret = latency_switch_on(cc);
	} else if (word && !strcasecmp(word, "off")) {
		WRITE_ONCE(cc->latency_on, false);
	} else if (!cc->latency || !cc->latency_base) {
		DMERR("stats: nothing was measured yet, switch it on with \"stats on\"");
		ret = -ENODATA;
	} else if (word) {
		latency_sum(cc, cc->latency_base);
	} else {
		ret = latency_print_all(cc, result, maxlen);
	}
	mutex_unlock(&latency_lock);
	return ret;
}
