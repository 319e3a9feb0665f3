/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_AES_H
#define SHIM_AES_H

#include <linux/types.h>

#define AES_MAX_KEYLENGTH_U32	60

struct crypto_aes_ctx {
	u32 key_enc[AES_MAX_KEYLENGTH_U32];
	u32 key_dec[AES_MAX_KEYLENGTH_U32];
	u32 key_length;
};

int aes_expandkey(struct crypto_aes_ctx *ctx, const u8 *key, unsigned int size);

#endif
