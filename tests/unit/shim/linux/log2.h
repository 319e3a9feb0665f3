/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LOG2_H
#define SHIM_LOG2_H

#include <linux/types.h>

static inline bool is_power_of_2(unsigned long n)
{
	return n && !(n & (n - 1));
}

/* Of 0 it is undefined, so UBSan shall see it. */
static inline int ilog2(unsigned long n)
{
	return (int)sizeof(n) * 8 - 1 - __builtin_clzl(n);
}

#endif
