/* SPDX-License-Identifier: GPL-2.0-only */
/* Kernel headers for user space: only what table.c, iv.c and units.c use. */
#ifndef SHIM_TYPES_H
#define SHIM_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define __aligned(n)	__attribute__((aligned(n)))

#endif
