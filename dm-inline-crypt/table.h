/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table line. table.c has no side effects and needs only the string functions of
 * the kernel, so the unit tests build it in user space.
 */
#ifndef ICRYPT_TABLE_H
#define ICRYPT_TABLE_H

#include <linux/types.h>

#define ICRYPT_ALG_NAME_MAX	128	/* CRYPTO_MAX_ALG_NAME */

/* dm-crypt's limit for the metadata of a data unit, bytes. */
#define ICRYPT_TAG_SIZE_MAX	480

/* Options, in the order in which dm-crypt prints them. */
enum icrypt_option {
	ICRYPT_OPT_ALLOW_DISCARDS,
	ICRYPT_OPT_SAME_CPU_CRYPT,
	ICRYPT_OPT_HIGH_PRIORITY,
	ICRYPT_OPT_SUBMIT_FROM_CRYPT_CPUS,
	ICRYPT_OPT_NO_READ_WORKQUEUE,
	ICRYPT_OPT_NO_WRITE_WORKQUEUE,
	ICRYPT_OPT_IV_LARGE_SECTORS,
	ICRYPT_OPT_COUNT
};

/* Where the user wants the cipher to run; the order is that of the counters. */
enum icrypt_want {
	ICRYPT_WANT_AUTO,
	ICRYPT_WANT_CALLER,
	ICRYPT_WANT_ENDIO,
	ICRYPT_WANT_WORKQUEUE,
	ICRYPT_WANT_COUNT
};

/* The implementation of the cipher that the user wants. */
enum icrypt_engine_want {
	ICRYPT_ENGINE_AUTO,
	ICRYPT_ENGINE_UNITS,
	ICRYPT_ENGINE_API,
	ICRYPT_ENGINE_COUNT
};

/* See icrypt_table_print(). */
enum icrypt_print {
	ICRYPT_PRINT_TABLE,
	ICRYPT_PRINT_IMA,
	ICRYPT_PRINT_IMA_1_24,	/* as dm-crypt did before it had high_priority */
};

/**
 * struct icrypt_table - a parsed table line
 * @cipher:      the cipher specification as it was given
 * @alg:         its crypto API name, such as "xts(aes)"
 * @iv_mode:     IV generator, "" for none
 * @key_count:   number of keys that take turns by sector, a power of two
 * @key:         the hex digits, or "type:description" for @key_in_keyring
 * @key_size:    bytes
 * @key_odd:     there is one more digit after the last byte of @key, which is ignored
 * @key_in_keyring: @key names a key of the kernel's keyring
 * @key_parts:   number of keys in @key, including those of the IV generator
 * @key_extra:   bytes at the end of @key that belong to the IV generator
 * @key_mac:     bytes before those that belong to the MAC
 * @iv_offset:   added to the sector number for the IV, 512-byte sectors
 * @device:      path or major:minor of the device below
 * @start:       start of the data on @device, 512-byte sectors
 * @options:     bit mask of enum icrypt_option
 * @tag_size:    integrity metadata of a data unit, bytes; 0 without the option
 * @auth:        "aead" or "none", as it was written
 * @aead:        the cipher is an authenticated one
 * @mac:         crypto API name of the MAC in an authenc() cipher, "" for others
 * @key_mac_set: @key_mac was given as an option
 * @sector_size: data unit, bytes
 * @read_context:  wanted context of reads
 * @write_context: wanted context of writes
 * @cipher_engine: wanted implementation of the cipher
 * @ignored:     number of words after the options, which are ignored
 * @error:       why the line was refused, and what to do about it; no text of the line
 * @word:        the word that @error is about, counted from 1, or 0 for the whole line
 *
 * All pointers point into the words that were parsed. Some members depend on the crypto
 * API, and icrypt_cipher_init() fills them in: @key_parts, @key_extra, and @key_mac unless
 * it was given.
 */
struct icrypt_table {
	const char	*cipher;
	char		alg[ICRYPT_ALG_NAME_MAX];
	char		iv_mode[16];
	unsigned int	key_count;
	const char	*key;
	unsigned int	key_size;
	bool		key_odd;
	bool		key_in_keyring;
	unsigned int	key_parts;
	unsigned int	key_extra;
	unsigned int	key_mac;
	u64		iv_offset;
	const char	*device;
	u64		start;
	unsigned long	options;
	unsigned int	tag_size;
	char		auth[8];
	bool		aead;
	char		mac[64];
	bool		key_mac_set;
	unsigned int	sector_size;
	enum icrypt_want read_context;
	enum icrypt_want write_context;
	enum icrypt_engine_want cipher_engine;
	unsigned int	ignored;
	const char	*error;
	unsigned int	word;
};

static inline bool icrypt_option_set(const struct icrypt_table *t, enum icrypt_option opt)
{
	return t->options & (1UL << opt);
}

int icrypt_table_parse(struct icrypt_table *t, unsigned int argc, char **argv);
int icrypt_key_parse(struct icrypt_table *t, const char *word);
void icrypt_alg_print(const char *alg, char *buf, unsigned int size);
unsigned int icrypt_table_print(const struct icrypt_table *t, enum icrypt_print what,
				const u8 *key, char *buf, unsigned int size);

#endif /* ICRYPT_TABLE_H */
