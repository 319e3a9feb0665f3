// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's aes_expandkey() for user space, straight from FIPS 197, section 5.2
 * and figure 15. Slow, and not in constant time: for tests.
 */

#include <crypto/aes.h>
#include <errno.h>
#include <string.h>

/* Multiplication modulo x^8 + x^4 + x^3 + x + 1 */
static u8 times(u8 a, u8 b)
{
	u8 product = 0;

	for (; b; b >>= 1) {
		if (b & 1)
			product ^= a;
		a = (u8)(a << 1) ^ (a & 0x80 ? 0x1b : 0);
	}
	return product;
}

static u8 rotate(u8 a, int n)
{
	return (u8)(a << n) | a >> (8 - n);
}

static u8 s_box(u8 a)
{
	u8 inverse = 1;

	/* a^254 */
	for (int i = 0; i < 254; i++)
		inverse = times(inverse, a);
	return inverse ^ rotate(inverse, 1) ^ rotate(inverse, 2) ^ rotate(inverse, 3) ^
	       rotate(inverse, 4) ^ 0x63;
}

static void inverse_mix_column(const u8 *in, u8 *out)
{
	static const u8 row[4] = { 14, 11, 13, 9 };

	for (int i = 0; i < 4; i++) {
		out[i] = 0;
		for (int j = 0; j < 4; j++)
			out[i] ^= times(in[j], row[(j - i + 4) % 4]);
	}
}

int aes_expandkey(struct crypto_aes_ctx *ctx, const u8 *key, unsigned int size)
{
	unsigned int words = size / 4, rounds = words + 6;
	u8 *enc = (u8 *)ctx->key_enc, *dec = (u8 *)ctx->key_dec, constant = 1;

	if (size != 16 && size != 24 && size != 32)
		return -EINVAL;
	memcpy(enc, key, size);
	for (unsigned int i = words; i < 4 * (rounds + 1); i++) {
		u8 t[4], first;

		memcpy(t, enc + 4 * (i - 1), 4);
		if (i % words == 0) {
			first = t[0];
			t[0] = s_box(t[1]) ^ constant;
			t[1] = s_box(t[2]);
			t[2] = s_box(t[3]);
			t[3] = s_box(first);
			constant = times(constant, 2);
		} else if (words > 6 && i % words == 4) {
			for (int j = 0; j < 4; j++)
				t[j] = s_box(t[j]);
		}
		for (int j = 0; j < 4; j++)
			enc[4 * i + j] = enc[4 * (i - words) + j] ^ t[j];
	}
	for (unsigned int i = 0; i <= rounds; i++) {
		const u8 *from = enc + 16 * (rounds - i);

		if (i == 0 || i == rounds)
			memcpy(dec + 16 * i, from, 16);
		else
			for (int j = 0; j < 16; j += 4)
				inverse_mix_column(from + j, dec + 16 * i + j);
	}
	ctx->key_length = size;
	return 0;
}
