/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The cipher engine: AES-XTS and AES-CBC of many data units of one key in one call.
 * units.c and its assembler need almost nothing from the kernel, so they are also tested
 * and timed in user space. engine.c connects them with bios, keys and the FPU.
 */
#ifndef ICRYPT_UNITS_H
#define ICRYPT_UNITS_H

#include <linux/types.h>

/* Units that are processed in parallel. */
#define ICRYPT_UNITS_BATCH	8U

/* The size of a unit is a multiple of this, bytes. */
#define ICRYPT_UNITS_GRANULE	256U

/* The first round key and one for each of at most 14 rounds. */
#define ICRYPT_UNITS_SLOTS	15U

enum icrypt_units_mode {
	ICRYPT_UNITS_XTS,
	ICRYPT_UNITS_CBC,
	ICRYPT_UNITS_MODES
};

/* From slow to fast. */
enum icrypt_units_variant {
	ICRYPT_UNITS_NONE,
	ICRYPT_UNITS_AVX,
	ICRYPT_UNITS_VAES,
	ICRYPT_UNITS_VARIANTS
};

/**
 * struct icrypt_du - a data unit
 * @src: input
 * @dst: output: @src itself, or memory that does not overlap with @src
 * @iv:  its IV; 0 afterwards if a key encrypted it
 *
 * The assembler knows this layout.
 */
struct icrypt_du {
	const u8	*src;
	u8		*dst;
	u8		iv[16];
};

/**
 * struct icrypt_units_scratch - memory for the assembler, all zero after each call
 * @bytes: the memory
 */
struct icrypt_units_scratch {
	u8		bytes[512];
} __aligned(32);

/**
 * struct icrypt_units_key - round keys; wiped by icrypt_units_wipe()
 * @enc:       round keys for encryption; a short key leaves the first slots empty
 * @dec:       round keys for decryption, for the equivalent inverse cipher
 * @iv:        round keys of the key that encrypts IVs
 * @rounds:    number of rounds with @enc and @dec
 * @iv_rounds: number of rounds with @iv, 0 if IVs are used as they are
 * @mode:      mode of operation
 */
struct icrypt_units_key {
	u8		enc[ICRYPT_UNITS_SLOTS][16];
	u8		dec[ICRYPT_UNITS_SLOTS][16];
	u8		iv[ICRYPT_UNITS_SLOTS][16];
	unsigned long	rounds;
	unsigned long	iv_rounds;
	enum icrypt_units_mode mode;
} __aligned(64);

#ifdef ICRYPT_UNITS
bool icrypt_units_supported(enum icrypt_units_variant v);
const char *icrypt_units_name(enum icrypt_units_variant v);
int icrypt_units_setkey(struct icrypt_units_key *key, enum icrypt_units_mode mode,
			const u8 *raw, unsigned int size, const u8 *iv_raw, unsigned int iv_size);
void icrypt_units_wipe(struct icrypt_units_key *key);
void icrypt_units_crypt(enum icrypt_units_variant v, const struct icrypt_units_key *key,
			struct icrypt_du *du, unsigned int n, unsigned int size, bool encrypt,
			struct icrypt_units_scratch *scratch);

/* Sizes for the self-test, which has units of 512 and of 4096 bytes. */
#define ICRYPT_UNITS_TEST_SIZE	(3U * 4096)
#define ICRYPT_UNITS_TEST_UNITS	23U

/**
 * struct icrypt_units_test - memory for a self-test
 * @key:     key of the engine
 * @du:      units, and room up to the next multiple of the batch
 * @scratch: for the assembler
 * @in:      plaintext
 * @out:     ciphertext, and then plaintext again
 */
struct icrypt_units_test {
	struct icrypt_units_key		key;
	struct icrypt_du		du[ICRYPT_UNITS_TEST_UNITS + 1];
	struct icrypt_units_scratch	scratch;
	u8				in[ICRYPT_UNITS_TEST_SIZE];
	u8				out[ICRYPT_UNITS_TEST_SIZE];
};

/**
 * struct icrypt_units_answer - a known-answer test
 * @mode:     mode of operation
 * @key_size: size of the key, bytes; with XTS of both keys together
 * @iv_size:  CBC: size of the key that encrypts IVs, bytes; 0 if there is none
 * @units:    number of units
 * @size:     size of a unit, bytes
 * @sum:      FNV-1a of the ciphertext, as OpenSSL computes it
 */
struct icrypt_units_answer {
	enum icrypt_units_mode	mode;
	unsigned int		key_size;
	unsigned int		iv_size;
	unsigned int		units;
	unsigned int		size;
	u64			sum;
};

extern const struct icrypt_units_answer icrypt_units_answers[];
extern const unsigned int icrypt_units_answer_count;

void icrypt_units_test_input(const struct icrypt_units_answer *a, u8 *key, u8 *iv_key,
			     struct icrypt_units_test *t);
u64 icrypt_units_test_sum(const u8 *data, unsigned int size);
int icrypt_units_test(enum icrypt_units_variant v, const struct icrypt_units_answer *a,
		      struct icrypt_units_test *t);

/* skcipher.c */
bool icrypt_skcipher_register(enum icrypt_units_variant v);
void icrypt_skcipher_unregister(void);
#endif /* ICRYPT_UNITS */

#endif /* ICRYPT_UNITS_H */
