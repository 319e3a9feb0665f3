// SPDX-License-Identifier: GPL-2.0-only
/*
 * IV generators that need no more than the sector number; iv_data.c has those
 * that do. What each of them has to yield is part of the on-disk format and
 * described under "ivmode" in the cryptsetup FAQ and in the comments of dm-crypt.
 */

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/string.h>

#include "compat.h"
#include "iv.h"

#define ICRYPT_SECTOR_SHIFT	9

/* 16 bytes are the rule, and two stores cheaper than a call. */
static inline void iv_zero(const struct icrypt_iv *iv, u8 *out)
{
	if (iv->size == 2 * sizeof(u64)) {
		put_unaligned_le64(0, out);
		put_unaligned_le64(0, out + sizeof(u64));
	} else {
		memset(out, 0, iv->size);
	}
}

/* 32-bit little-endian sector number: wraps at 2 TiB, that is its format. */
static void iv_plain(const struct icrypt_iv *iv, u8 *out, u64 sector)
{
	iv_zero(iv, out);
	put_unaligned_le32((u32)sector, out);
}

/* 64-bit little-endian sector number; ESSIV then encrypts it in the crypto API. */
static void iv_plain64(const struct icrypt_iv *iv, u8 *out, u64 sector)
{
	iv_zero(iv, out);
	put_unaligned_le64(sector, out);
}

static void iv_plain64be(const struct icrypt_iv *iv, u8 *out, u64 sector)
{
	iv_zero(iv, out);
	put_unaligned_be64(sector, out + iv->size - sizeof(u64));
}

/* Big-endian count of cipher blocks, from 1: what LRW (IEEE P1619 draft) wants. */
static void iv_benbi(const struct icrypt_iv *iv, u8 *out, u64 sector)
{
	iv_zero(iv, out);
	put_unaligned_be64((sector << iv->shift) + 1, out + iv->size - sizeof(u64));
}

static void iv_null(const struct icrypt_iv *iv, u8 *out, u64 sector)
{
	iv_zero(iv, out);
}

/**
 * icrypt_iv_init() - choose an IV generator
 * @iv:        the generator
 * @mode:      its name in a table line; "" only for a cipher that takes no IV
 * @ivsize:    IV size of the cipher, bytes; 0 if it takes none
 * @blocksize: block size of the cipher, bytes
 * @error:     set when refused
 *
 * Context: any, does not sleep.
 * Return: 0 or -EINVAL.
 */
int icrypt_iv_init(struct icrypt_iv *iv, const char *mode, unsigned int ivsize,
		   unsigned int blocksize, const char **error)
{
	memset(iv, 0, sizeof(*iv));
	if (!ivsize)
		return 0;
	if (!*mode) {
		*error = "IV mode missing for a cipher that takes an IV, use plain64";
		return -EINVAL;
	}

	/* A 64-bit sector number has to fit, whatever the cipher reads of it. */
	iv->size = max_t(unsigned int, ivsize, sizeof(u64));

	if (!strcmp(mode, "plain")) {
		iv->generate = iv_plain;
	} else if (!strcmp(mode, "plain64") || !strcmp(mode, "essiv")) {
		iv->generate = iv_plain64;
	} else if (!strcmp(mode, "plain64be")) {
		iv->generate = iv_plain64be;
	} else if (!strcmp(mode, "null")) {
		iv->generate = iv_null;
	} else if (!strcmp(mode, "benbi")) {
		if (!blocksize || !is_power_of_2(blocksize) ||
		    ilog2(blocksize) > ICRYPT_SECTOR_SHIFT) {
			*error = "Cipher block size does not suit benbi, use plain64";
			return -EINVAL;
		}
		iv->shift = ICRYPT_SECTOR_SHIFT - ilog2(blocksize);
		iv->generate = iv_benbi;
	} else if (!strcmp(mode, "random") || !strcmp(mode, "lmk") || !strcmp(mode, "tcw") ||
		   !strcmp(mode, "eboiv") || !strcmp(mode, "elephant")) {
		/* Of more than the sector number: cipher.c and iv_data.c make these. */
		iv->generate = NULL;
	} else {
		*error = "Invalid IV mode";
		return -EINVAL;
	}
	return 0;
}
