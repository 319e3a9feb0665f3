// SPDX-License-Identifier: GPL-2.0-only
/*
 * The C part of the cipher engine. It prepares keys, calls the assembler and tests it.
 * icrypt_units_crypt() is called in an FPU section. The tests begin one themselves.
 */

#include <asm/cpufeature.h>
#include <asm/fpu/api.h>
#include <crypto/aes.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/linkage.h>
#include <linux/string.h>

#include "compat.h"
#include "units.h"

/* These functions of units_x86.S are only called directly, so CFI needs no type. */
asmlinkage void icrypt_units_ivs_avx(const u8 *slots, unsigned long rounds,
				     struct icrypt_du *du, unsigned int n);
asmlinkage void icrypt_units_xts_encrypt_avx(const u8 *slots, unsigned long rounds,
					     const struct icrypt_du *du, unsigned int n,
					     unsigned int size, void *scratch);
asmlinkage void icrypt_units_xts_decrypt_avx(const u8 *slots, unsigned long rounds,
					     const struct icrypt_du *du, unsigned int n,
					     unsigned int size, void *scratch);
asmlinkage void icrypt_units_xts_encrypt_vaes(const u8 *slots, unsigned long rounds,
					      const struct icrypt_du *du, unsigned int n,
					      unsigned int size, void *scratch);
asmlinkage void icrypt_units_xts_decrypt_vaes(const u8 *slots, unsigned long rounds,
					      const struct icrypt_du *du, unsigned int n,
					      unsigned int size, void *scratch);
asmlinkage void icrypt_units_cbc_encrypt_avx(const u8 *slots, unsigned long rounds,
					     const struct icrypt_du *du, unsigned int n,
					     unsigned int size);
asmlinkage void icrypt_units_cbc_decrypt_avx(const u8 *slots, unsigned long rounds,
					     const struct icrypt_du *du, unsigned int n,
					     unsigned int size);
asmlinkage void icrypt_units_cbc_decrypt_vaes(const u8 *slots, unsigned long rounds,
					      const struct icrypt_du *du, unsigned int n,
					      unsigned int size);

/* If the assembler does not know VAES, the module is built without it. */
#ifdef ICRYPT_AS_VAES
#define HAVE_VAES	true
#else
#define HAVE_VAES	false
#endif

/**
 * icrypt_units_supported() - can this CPU, and this kernel, run a variant?
 * @v: the variant
 *
 * Context: any.
 * Return: whether it can.
 */
bool icrypt_units_supported(enum icrypt_units_variant v)
{
	switch (v) {
	case ICRYPT_UNITS_AVX:
		return boot_cpu_has(X86_FEATURE_AES) && boot_cpu_has(X86_FEATURE_AVX) &&
		       cpu_has_xfeatures(XFEATURE_MASK_SSE | XFEATURE_MASK_YMM, NULL);
	case ICRYPT_UNITS_VAES:
		return HAVE_VAES && icrypt_units_supported(ICRYPT_UNITS_AVX) &&
		       boot_cpu_has(X86_FEATURE_AVX2) && boot_cpu_has(X86_FEATURE_VAES);
	default:
		return false;
	}
}

/**
 * icrypt_units_name() - the name of a variant in messages
 * @v: the variant
 *
 * Context: any.
 * Return: its name.
 */
const char *icrypt_units_name(enum icrypt_units_variant v)
{
	static const char * const names[ICRYPT_UNITS_VARIANTS] = {
		[ICRYPT_UNITS_NONE] = "none",
		[ICRYPT_UNITS_AVX]  = "aesni-avx",
		[ICRYPT_UNITS_VAES] = "vaes-avx2",
	};

	return names[v];
}

/* Copies round keys to the last slots. */
static void fill_slots(u8 (*slots)[16], const u32 *keys, unsigned int rounds)
{
	memcpy(slots[ICRYPT_UNITS_SLOTS - 1 - rounds], keys, (rounds + 1) * 16);
}

/* 10, 12 or 14 for 16, 24 or 32 bytes */
static unsigned int aes_rounds(unsigned int size)
{
	return 6 + size / 4;
}

/**
 * icrypt_units_setkey() - expand a key
 * @key:     receives the round keys; an old key in it is wiped
 * @mode:    mode of operation
 * @raw:     the key; with XTS the key of the data, then the key of the tweak, of equal size
 * @size:    size of @raw, bytes
 * @iv_raw:  CBC: the key that encrypts the IVs, as with ESSIV, or NULL
 * @iv_size: size of @iv_raw, bytes
 *
 * Context: any except an FPU section, because it may use the FPU; does not sleep.
 * Return: 0, or -EINVAL for a size that AES does not have; then @key has no key.
 */
int icrypt_units_setkey(struct icrypt_units_key *key, enum icrypt_units_mode mode,
			const u8 *raw, unsigned int size, const u8 *iv_raw, unsigned int iv_size)
{
	struct crypto_aes_ctx ctx;
	int err = -EINVAL;

	icrypt_units_wipe(key);
	if (mode == ICRYPT_UNITS_XTS) {
		/* XTS does not allow two keys of 24 bytes. */
		if (size != 32 && size != 64)
			return err;
		size /= 2;
		iv_raw = raw + size;
		iv_size = size;
	}
	key->mode = mode;
	err = aes_expandkey(&ctx, raw, size);
	if (!err) {
		key->rounds = aes_rounds(size);
		fill_slots(key->enc, ctx.key_enc, key->rounds);
		fill_slots(key->dec, ctx.key_dec, key->rounds);
		if (iv_raw)
			err = aes_expandkey(&ctx, iv_raw, iv_size);
	}
	if (!err && iv_raw) {
		key->iv_rounds = aes_rounds(iv_size);
		fill_slots(key->iv, ctx.key_enc, key->iv_rounds);
	}
	memzero_explicit(&ctx, sizeof(ctx));
	if (err)
		icrypt_units_wipe(key);
	return err;
}

/**
 * icrypt_units_wipe() - forget a key
 * @key: the key
 *
 * Context: any.
 */
void icrypt_units_wipe(struct icrypt_units_key *key)
{
	memzero_explicit(key, sizeof(*key));
}

static void crypt_xts(enum icrypt_units_variant v, const struct icrypt_units_key *key,
		      const struct icrypt_du *du, unsigned int n, unsigned int size, bool encrypt,
		      void *scratch)
{
	if (HAVE_VAES && v == ICRYPT_UNITS_VAES) {
		if (encrypt)
			icrypt_units_xts_encrypt_vaes(key->enc[0], key->rounds, du, n, size,
						      scratch);
		else
			icrypt_units_xts_decrypt_vaes(key->dec[0], key->rounds, du, n, size,
						      scratch);
	} else if (encrypt) {
		icrypt_units_xts_encrypt_avx(key->enc[0], key->rounds, du, n, size, scratch);
	} else {
		icrypt_units_xts_decrypt_avx(key->dec[0], key->rounds, du, n, size, scratch);
	}
}

static void crypt_cbc(enum icrypt_units_variant v, const struct icrypt_units_key *key,
		      const struct icrypt_du *du, unsigned int n, unsigned int size, bool encrypt)
{
	if (encrypt)
		icrypt_units_cbc_encrypt_avx(key->enc[0], key->rounds, du, n, size);
	else if (HAVE_VAES && v == ICRYPT_UNITS_VAES)
		icrypt_units_cbc_decrypt_vaes(key->dec[0], key->rounds, du, n, size);
	else
		icrypt_units_cbc_decrypt_avx(key->dec[0], key->rounds, du, n, size);
}

/**
 * icrypt_units_crypt() - encrypt or decrypt data units
 * @v:       a variant that the CPU supports
 * @key:     round keys
 * @du:      the units; the array has room for the next multiple of ICRYPT_UNITS_BATCH,
 *	     and the IVs of the additional units may change as well
 * @n:       number of units, any number
 * @size:    size of a unit, bytes; a multiple of ICRYPT_UNITS_GRANULE, not 0
 * @encrypt: encrypt, else decrypt
 * @scratch: memory for the assembler, zero afterwards
 *
 * Context: in an FPU section. The caller limits its length.
 */
void icrypt_units_crypt(enum icrypt_units_variant v, const struct icrypt_units_key *key,
			struct icrypt_du *du, unsigned int n, unsigned int size, bool encrypt,
			struct icrypt_units_scratch *scratch)
{
	while (n) {
		unsigned int i, part = min(n, ICRYPT_UNITS_BATCH);

		if (key->iv_rounds)
			icrypt_units_ivs_avx(key->iv[0], key->iv_rounds, du, part);
		if (key->mode == ICRYPT_UNITS_XTS)
			crypt_xts(v, key, du, part, size, encrypt, scratch->bytes);
		else
			crypt_cbc(v, key, du, part, size, encrypt);
		/* Encrypted IVs are secret, too. */
		for (i = 0; key->iv_rounds && i < ICRYPT_UNITS_BATCH; i++)
			memzero_explicit(du[i].iv, sizeof(du[i].iv));
		du += part;
		n -= part;
	}
}

/*
 * The tests cover full batches, a smaller one, and long units. The sums are those of
 * OpenSSL's output for the same input, see tests/unit/units_test.c.
 */
const struct icrypt_units_answer icrypt_units_answers[] = {
	{ ICRYPT_UNITS_XTS, 32, 0, 23, 512, 0xf6e5f4f0aa859616ULL },
	{ ICRYPT_UNITS_XTS, 32, 0, 3, 4096, 0xeb1c8f7e90f7b68dULL },
	{ ICRYPT_UNITS_XTS, 64, 0, 23, 512, 0x5594f92fdb2235bbULL },
	{ ICRYPT_UNITS_XTS, 64, 0, 3, 4096, 0x387ccf017e39c919ULL },
	{ ICRYPT_UNITS_CBC, 16, 0, 23, 512, 0xd12b41af16b46f63ULL },
	{ ICRYPT_UNITS_CBC, 16, 32, 3, 4096, 0x64d48aadf3c3e0e7ULL },
	{ ICRYPT_UNITS_CBC, 24, 16, 23, 512, 0x63a089405a329626ULL },
	{ ICRYPT_UNITS_CBC, 24, 0, 3, 4096, 0x5354615d7a74eda8ULL },
	{ ICRYPT_UNITS_CBC, 32, 32, 23, 512, 0x9f2c88fd166826acULL },
	{ ICRYPT_UNITS_CBC, 32, 24, 3, 4096, 0x1fce795543bf8ce1ULL },
};

const unsigned int icrypt_units_answer_count = ARRAY_SIZE(icrypt_units_answers);

/**
 * icrypt_units_test_input() - the input of a known-answer test
 * @a:      the test
 * @key:    receives @a->key_size bytes
 * @iv_key: receives @a->iv_size bytes
 * @t:      receives the plaintext and the units, whose IVs are numbers across 2^32
 *
 * Context: any.
 */
void icrypt_units_test_input(const struct icrypt_units_answer *a, u8 *key, u8 *iv_key,
			     struct icrypt_units_test *t)
{
	unsigned int i;

	for (i = 0; i < a->key_size; i++)
		key[i] = 0xa5 + 3 * i;
	for (i = 0; i < a->iv_size; i++)
		iv_key[i] = 0x5a + 5 * i;
	for (i = 0; i < sizeof(t->in); i++)
		t->in[i] = i * 31 + (i >> 8) * 17;
	memset(t->du, 0, sizeof(t->du));
	for (i = 0; i < a->units; i++) {
		t->du[i].src = t->in + i * a->size;
		t->du[i].dst = t->out + i * a->size;
		put_unaligned_le64(0xfffffffeULL + i, t->du[i].iv);
	}
}

/**
 * icrypt_units_test_sum() - FNV-1a, 64 bits
 * @data: the data
 * @size: its size, bytes
 *
 * Context: any.
 * Return: the sum.
 */
u64 icrypt_units_test_sum(const u8 *data, unsigned int size)
{
	u64 sum = 0xcbf29ce484222325ULL;

	while (size--)
		sum = (sum ^ *data++) * 0x100000001b3ULL;
	return sum;
}

static void test_crypt(enum icrypt_units_variant v, const struct icrypt_units_answer *a,
		       struct icrypt_units_test *t, bool encrypt)
{
	icrypt_units_crypt(v, &t->key, t->du, a->units, a->size, encrypt, &t->scratch);
}

/**
 * icrypt_units_test() - a known-answer test
 * @v: a variant that the CPU supports
 * @a: the test
 * @t: memory
 *
 * Encrypts to other memory, and decrypts in place.
 *
 * Context: process.
 * Return: 0, -EBADMSG for a wrong answer, or -EAGAIN if the FPU cannot be used here.
 */
int icrypt_units_test(enum icrypt_units_variant v, const struct icrypt_units_answer *a,
		      struct icrypt_units_test *t)
{
	u8 key[64], iv_key[32];
	unsigned int i, size = a->units * a->size;
	int err;

	icrypt_units_test_input(a, key, iv_key, t);
	err = icrypt_units_setkey(&t->key, a->mode, key, a->key_size,
				  a->iv_size ? iv_key : NULL, a->iv_size);
	if (err)
		return err;
	if (!icrypt_fpu_begin(true))
		return -EAGAIN;
	test_crypt(v, a, t, true);
	icrypt_fpu_end(true);
	if (icrypt_units_test_sum(t->out, size) != a->sum)
		return -EBADMSG;

	icrypt_units_test_input(a, key, iv_key, t);
	for (i = 0; i < a->units; i++)
		t->du[i].src = t->du[i].dst;
	if (!icrypt_fpu_begin(true))
		return -EAGAIN;
	test_crypt(v, a, t, false);
	icrypt_fpu_end(true);
	return memcmp(t->in, t->out, size) ? -EBADMSG : 0;
}
