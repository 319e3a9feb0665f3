/* SPDX-License-Identifier: GPL-2.0-only */
/* The IV generators. Pure, like table.c, and unit-tested in user space. */
#ifndef ICRYPT_IV_H
#define ICRYPT_IV_H

#include <linux/types.h>

struct icrypt_iv;
struct icrypt_iv_data_ops;
typedef void (*icrypt_iv_fn)(const struct icrypt_iv *iv, u8 *out, u64 sector);

/**
 * struct icrypt_iv_ops - an IV mode of a table line
 * @name:      its name in the table line
 * @no_aead:   cannot be used with an authenticated cipher
 * @in_api:    the crypto API makes the IV from the one that @generate writes
 * @stored:    the IV is random and is stored after the tag on the disk
 * @keys:      with a capi: cipher, whose words cannot give the number of keys: number of
 *	       keys that take turns by sector; 0 means one
 * @generate:  writes the IV of a sector, or NULL if it needs more than the number
 * @data:      the operations of a mode that needs more, see iv_data.c, or NULL
 */
struct icrypt_iv_ops {
	const char	*name;
	bool		no_aead;
	bool		in_api;
	bool		stored;
	unsigned int	keys;
	icrypt_iv_fn	generate;
	const struct icrypt_iv_data_ops	*data;
};

/* iv_data.c */
extern const struct icrypt_iv_data_ops icrypt_lmk_ops;
extern const struct icrypt_iv_data_ops icrypt_tcw_ops;
extern const struct icrypt_iv_data_ops icrypt_eboiv_ops;
extern const struct icrypt_iv_data_ops icrypt_elephant_ops;

/**
 * struct icrypt_iv - an IV generator
 * @ops:      its mode, or NULL if the cipher takes no IV
 * @generate: that of the mode, or NULL
 * @size:     size of the IV, bytes
 * @shift:    benbi: log2 of the cipher blocks in a 512-byte sector
 */
struct icrypt_iv {
	const struct icrypt_iv_ops	*ops;
	icrypt_iv_fn	generate;
	unsigned int	size;
	unsigned int	shift;
};

const struct icrypt_iv_ops *icrypt_iv_find(const char *name);
int icrypt_iv_init(struct icrypt_iv *iv, const char *mode, unsigned int ivsize,
		   unsigned int blocksize, const char **error);

#endif /* ICRYPT_IV_H */
