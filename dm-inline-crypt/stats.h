/* SPDX-License-Identifier: GPL-2.0-only */
/* The time that a bio takes, for the histogram of stats.c. */
#ifndef ICRYPT_STATS_H
#define ICRYPT_STATS_H

#include "icrypt.h"

void icrypt_stats_count_latency(struct icrypt_io *io);

/* The clock is read, and the histogram touched, only after "stats on". */
static inline void icrypt_stats_map(struct icrypt_io *io)
{
	/* A CPU that sees latency_on set also sees the histogram. */
	io->map_ns = unlikely(smp_load_acquire(&io->cc->latency_on)) ? ktime_get_ns() : 0;
}

static inline void icrypt_stats_latency(struct icrypt_io *io)
{
	if (unlikely(io->map_ns))
		icrypt_stats_count_latency(io);
}

#endif /* ICRYPT_STATS_H */
