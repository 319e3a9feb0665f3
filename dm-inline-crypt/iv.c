// SPDX-License-Identifier: GPL-2.0-only
/*
 * IV generators that need only the sector number; iv_data.c has the others. The
 * output of each is part of the on-disk format, which the cryptsetup FAQ ("ivmode")
 * and the comments of dm-crypt describe.
 */

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/string.h>

#include "compat.h"
#include "iv.h"

#define ICRYPT_SECTOR_SHIFT	9

/* Loop-AES has this many keys, which take turns by sector. */
#define ICRYPT_LMK_KEYS		64

/* Usually 16 bytes; two stores are cheaper than a call. */
static inline void iv_zero(const struct icrypt_iv *iv, u8 *out)
{
	if (iv->size == 2 * sizeof(u64)) {
		put_unaligned_le64(0, out);
		put_unaligned_le64(0, out + sizeof(u64));
	} else {
		memset(out, 0, iv->size);
	}
}

/* 32-bit little-endian sector number. It wraps at 2 TiB, as the format defines. */
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

/* Big-endian count of cipher blocks, from 1, as LRW (IEEE P1619 draft) defines it. */
static void iv_benbi(const struct icrypt_iv *iv, u8 *out, u64 sector)
{
	iv_zero(iv, out);
	put_unaligned_be64((sector << iv->shift) + 1, out + iv->size - sizeof(u64));
}

static void iv_null(const struct icrypt_iv *iv, u8 *out, u64 sector)
{
	iv_zero(iv, out);
}

/*
 * All IV modes. A new mode needs an entry here and its functions: @generate above if it
 * needs only the sector number, otherwise operations in iv_data.c.
 */
static const struct icrypt_iv_ops iv_modes[] = {
	{ .name = "plain",	.generate = iv_plain },
	{ .name = "plain64",	.generate = iv_plain64 },
	{ .name = "plain64be",	.generate = iv_plain64be },
	{ .name = "essiv",	.generate = iv_plain64,	.in_api = true },
	{ .name = "benbi",	.generate = iv_benbi },
	{ .name = "null",	.generate = iv_null },
	{ .name = "random",	.stored = true },
	{ .name = "lmk",	.data = &icrypt_lmk_ops, .no_aead = true, .keys = ICRYPT_LMK_KEYS },
	{ .name = "tcw",	.data = &icrypt_tcw_ops },
	{ .name = "eboiv",	.data = &icrypt_eboiv_ops, .no_aead = true },
	{ .name = "elephant",	.data = &icrypt_elephant_ops, .no_aead = true },
};

/**
 * icrypt_iv_find() - look up an IV mode
 * @name: as in a table line
 *
 * Context: any, does not sleep.
 * Return: the mode, or NULL.
 */
const struct icrypt_iv_ops *icrypt_iv_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(iv_modes); i++)
		if (!strcmp(name, iv_modes[i].name))
			return &iv_modes[i];
	return NULL;
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

	/* A 64-bit sector number has to fit, even if the cipher reads less of it. */
	iv->size = max_t(unsigned int, ivsize, sizeof(u64));

	iv->ops = icrypt_iv_find(mode);
	if (!iv->ops) {
		*error = "Invalid IV mode";
		return -EINVAL;
	}
	iv->generate = iv->ops->generate;
	if (iv->generate == iv_benbi) {
		if (!blocksize || !is_power_of_2(blocksize) ||
		    ilog2(blocksize) > ICRYPT_SECTOR_SHIFT) {
			*error = "Cipher block size does not suit benbi, use plain64";
			return -EINVAL;
		}
		iv->shift = ICRYPT_SECTOR_SHIFT - ilog2(blocksize);
	}
	return 0;
}
