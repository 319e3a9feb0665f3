// SPDX-License-Identifier: GPL-2.0-only
/* The modes of iv_data.c, which is the kernel's: iv.c only has their addresses. */

#include <linux/types.h>

#include "iv.h"

struct icrypt_iv_data_ops {
	int unused;
};

const struct icrypt_iv_data_ops icrypt_lmk_ops, icrypt_tcw_ops, icrypt_eboiv_ops,
				icrypt_elephant_ops;
