/* SPDX-License-Identifier: GPL-2.0-only */
/* The IV generators. Pure, like table.c, and unit-tested in user space. */
#ifndef ICRYPT_IV_H
#define ICRYPT_IV_H

#include <linux/types.h>

struct icrypt_iv;
typedef void (*icrypt_iv_fn)(const struct icrypt_iv *iv, u8 *out, u64 sector);

/**
 * struct icrypt_iv - an IV generator
 * @generate: writes the IV of a sector, or NULL where the cipher takes none or
 *	      it is made of more than that
 * @size:     of the IV, bytes
 * @shift:    benbi: log2 of the cipher blocks in a 512-byte sector
 */
struct icrypt_iv {
	icrypt_iv_fn	generate;
	unsigned int	size;
	unsigned int	shift;
};

int icrypt_iv_init(struct icrypt_iv *iv, const char *mode, unsigned int ivsize,
		   unsigned int blocksize, const char **error);

#endif /* ICRYPT_IV_H */
