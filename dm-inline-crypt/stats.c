// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counters: what "dmsetup status" prints. Each bio counts once, by where its
 * cipher ran; bios without data (flush, discard) and reads that the device
 * failed never meet the cipher and do not count.
 */

#include <linux/ktime.h>

#include "icrypt.h"
#include "trace.h"

static const char * const read_names[ICRYPT_CONTEXTS] = {
	[ICRYPT_CALLER]	= "r_caller",
	[ICRYPT_ENDIO]	= "r_endio",
	[ICRYPT_BH]	= "r_bh",
	[ICRYPT_WQ]	= "r_wq",
};

/* Writes have no completion to encrypt in. */
static const char * const write_names[ICRYPT_CONTEXTS] = {
	[ICRYPT_CALLER]	= "w_caller",
	[ICRYPT_WQ]	= "w_wq",
};

static const char * const reason_names[ICRYPT_REASONS] = {
	[ICRYPT_REASON_BUDGET]	= "budget",
	[ICRYPT_REASON_SPREAD]	= "spread",
	[ICRYPT_REASON_ASYNC]	= "async",
	[ICRYPT_REASON_NOMEM]	= "nomem",
	[ICRYPT_REASON_CONTEXT]	= "context",
	[ICRYPT_REASON_SLEPT]	= "slept",
	[ICRYPT_REASON_OPTION]	= "option",
};

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
}

/**
 * icrypt_stats_fallback() - count and trace that a bio leaves for a worker
 * @io:     the bio
 * @reason: why
 *
 * Context: any.
 */
void icrypt_stats_fallback(struct icrypt_io *io, enum icrypt_reason reason)
{
	io->context = ICRYPT_WQ;
	this_cpu_inc(io->cc->stats->reason[reason]);
	trace_fallback(io, reason);
}

/**
 * icrypt_stats_begin() - the cipher begins with a bio
 * @io: the bio
 *
 * The clock is read only when somebody looks at the trace.
 *
 * Context: any.
 */
void icrypt_stats_begin(struct icrypt_io *io)
{
	if ((trace_decrypt_enabled() || trace_encrypt_enabled()) && !io->start_ns)
		io->start_ns = ktime_get_ns();
}

/**
 * icrypt_stats_done() - the cipher is through with a bio
 * @io: the bio
 *
 * Context: any.
 */
void icrypt_stats_done(struct icrypt_io *io)
{
	u64 ns = io->start_ns ? ktime_get_ns() - io->start_ns : 0;

	if (io->desc.write) {
		this_cpu_inc(io->cc->stats->write[io->context]);
		trace_encrypt(io, ns);
	} else {
		this_cpu_inc(io->cc->stats->read[io->context]);
		trace_decrypt(io, ns);
	}
}

/**
 * icrypt_stats_print() - the status line
 * @cc:   the mapped device
 * @buf:  where to
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
	}

	for (i = 0; i < ICRYPT_CONTEXTS; i++)
		n += scnprintf(buf + n, size - n, "%s=%llu ", read_names[i], sum.read[i]);
	for (i = 0; i < ICRYPT_CONTEXTS; i++)
		if (write_names[i])
			n += scnprintf(buf + n, size - n, "%s=%llu ", write_names[i],
				       sum.write[i]);
	for (i = ICRYPT_REASON_NONE + 1; i < ICRYPT_REASONS; i++)
		n += scnprintf(buf + n, size - n, "%s=%llu%s", reason_names[i], sum.reason[i],
			       i + 1 < ICRYPT_REASONS ? " " : "");
	return n;
}
