/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_FPU_API_H
#define SHIM_FPU_API_H

#include <stdbool.h>

#define XFEATURE_MASK_SSE	2
#define XFEATURE_MASK_YMM	4

/* boot_cpu_has() has seen to it. */
static inline bool cpu_has_xfeatures(unsigned long mask, const char **name)
{
	return true;
}

/* compat.h's; to user space the FPU is always there. */
static inline bool icrypt_fpu_begin(bool task)
{
	return true;
}

static inline void icrypt_fpu_end(bool task)
{
}

#endif
