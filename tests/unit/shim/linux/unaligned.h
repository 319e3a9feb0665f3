/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_UNALIGNED_H
#define SHIM_UNALIGNED_H

#include <linux/types.h>

static inline void put_unaligned_le32(u32 value, void *p)
{
	for (int i = 0; i < 4; i++)
		((u8 *)p)[i] = value >> (8 * i);
}

static inline void put_unaligned_le64(u64 value, void *p)
{
	for (int i = 0; i < 8; i++)
		((u8 *)p)[i] = value >> (8 * i);
}

static inline void put_unaligned_be64(u64 value, void *p)
{
	for (int i = 0; i < 8; i++)
		((u8 *)p)[7 - i] = value >> (8 * i);
}

#endif
