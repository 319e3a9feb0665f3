// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cipher engine on the CPU at hand, in real time, beside OpenSSL that gets one
 * data unit a call: 4 KiB in units of 512 and of 4096 bytes, and four of the latter, which
 * CBC encryption works on side by side. A table in Markdown.
 *
 * Each figure is the best of many rounds, in which all candidates take turns: what
 * else the machine does only ever makes them slower.
 */

#include <linux/kernel.h>
#include <linux/string.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <time.h>

#include "units.h"

#define BYTES	4096U
#define ROUNDS	400
#define LOOPS	100

static u8 in[4 * BYTES] __aligned(4096);
static u8 out[4 * BYTES] __aligned(4096);
static struct icrypt_units_scratch scratch;
static struct icrypt_units_key keys;
static const u8 raw[64] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };

struct spec {
	const char	*name;
	enum icrypt_units_mode mode;
	unsigned int	key_size;
	unsigned int	iv_size;
	const EVP_CIPHER *(*evp)(void);
};

static const struct spec specs[] = {
	{ "aes-xts-plain64, 512-bit key", ICRYPT_UNITS_XTS, 64, 0, EVP_aes_256_xts },
	{ "aes-xts-plain64, 256-bit key", ICRYPT_UNITS_XTS, 32, 0, EVP_aes_128_xts },
	{ "aes-cbc-essiv:sha256, 256-bit key", ICRYPT_UNITS_CBC, 32, 32, EVP_aes_256_cbc },
	{ "aes-cbc-plain64, 128-bit key", ICRYPT_UNITS_CBC, 16, 0, EVP_aes_128_cbc },
};

static void engine(enum icrypt_units_variant v, unsigned int size, unsigned int n, bool encrypt)
{
	struct icrypt_du du[ICRYPT_UNITS_BATCH];

	for (unsigned int i = 0; i < n; i++) {
		du[i].src = in + i * size;
		du[i].dst = out + i * size;
		put_unaligned_le64(i, du[i].iv);
		put_unaligned_le64(0, du[i].iv + 8);
	}
	icrypt_units_crypt(v, &keys, du, n, size, encrypt, &scratch);
}

static EVP_CIPHER_CTX *evp_ctx, *evp_iv_ctx;

/* The key stays, as in a kernel: what changes from unit to unit is the IV. */
static void openssl(unsigned int size, unsigned int n, bool encrypt)
{
	u8 iv[16] = {};
	int len;

	for (unsigned int i = 0; i < n; i++) {
		put_unaligned_le64(i, iv);
		put_unaligned_le64(0, iv + 8);
		if (evp_iv_ctx)
			EVP_EncryptUpdate(evp_iv_ctx, iv, &len, iv, 16);
		EVP_CipherInit_ex(evp_ctx, NULL, NULL, NULL, iv, encrypt);
		EVP_CipherUpdate(evp_ctx, out + i * size, &len, in + i * size, size);
	}
}

static EVP_CIPHER_CTX *evp_new(const EVP_CIPHER *cipher, bool encrypt)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

	if (!ctx || !EVP_CipherInit_ex(ctx, cipher, NULL, raw, NULL, encrypt) ||
	    !EVP_CIPHER_CTX_set_padding(ctx, 0)) {
		fprintf(stderr, "OpenSSL has no such cipher\n");
		exit(1);
	}
	return ctx;
}

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

/* For 4 KiB. 0 is OpenSSL, the others are the engine's variants. */
static double time_ns(unsigned int who, unsigned int size, unsigned int n, bool encrypt)
{
	double begin = now_ns();

	for (unsigned int i = 0; i < LOOPS; i++) {
		if (who)
			engine(who, size, n, encrypt);
		else
			openssl(size, n, encrypt);
	}
	return (now_ns() - begin) / LOOPS * BYTES / (n * size);
}

static void measure(const struct spec *s, bool encrypt)
{
	static const unsigned int sizes[] = { 512, 4096, 4096 };
	static const unsigned int units[] = { 8, 1, 4 };
	double best[ICRYPT_UNITS_VARIANTS][ARRAY_SIZE(sizes)];

	for (unsigned int who = 0; who < ICRYPT_UNITS_VARIANTS; who++)
		for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++)
			best[who][i] = 1e18;
	if (icrypt_units_setkey(&keys, s->mode, raw, s->key_size, s->iv_size ? raw : NULL,
				s->iv_size))
		exit(1);
	evp_ctx = evp_new(s->evp(), encrypt);
	evp_iv_ctx = s->iv_size ? evp_new(EVP_aes_256_ecb(), true) : NULL;

	for (unsigned int round = 0; round < ROUNDS; round++)
		for (unsigned int who = 0; who < ICRYPT_UNITS_VARIANTS; who++)
			for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
				double ns;

				if (who && !icrypt_units_supported(who))
					continue;
				ns = time_ns(who, sizes[i], units[i], encrypt);
				if (ns < best[who][i])
					best[who][i] = ns;
			}
	for (unsigned int who = 0; who < ICRYPT_UNITS_VARIANTS; who++) {
		if (who && !icrypt_units_supported(who))
			continue;
		printf("| %s | %s | %s | %.0f | %.2f | %.0f | %.2f | %.0f | %.2f | %.2f |\n", s->name,
		       encrypt ? "encrypt" : "decrypt",
		       who ? icrypt_units_name(who) : "OpenSSL, a unit a call",
		       best[who][0], BYTES / best[who][0], best[who][1], BYTES / best[who][1],
		       best[who][2], best[who][0] / best[who][1], best[0][0] / best[who][0]);
	}
	EVP_CIPHER_CTX_free(evp_ctx);
	EVP_CIPHER_CTX_free(evp_iv_ctx);
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("| cipher | | implementation | 8 x 512 B, ns | GB/s | 1 x 4096 B, ns | GB/s | "
	       "4 x 4096 B, ns for 4 KiB | 8 x 512 to 1 x 4096 | 8 x 512, OpenSSL = 1 |\n");
	printf("|---|---|---|---:|---:|---:|---:|---:|---:|---:|\n");
	for (unsigned int i = 0; i < ARRAY_SIZE(specs); i++) {
		measure(specs + i, true);
		measure(specs + i, false);
	}
	return 0;
}
