/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * icvec.h - what the parts of icvec share
 *
 * spec.c	reads a cipher specification
 * volume.c	turns sectors into what is on the disk, and back
 * icvec.c	the command line
 */
#ifndef ICVEC_H
#define ICVEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))

#define SECTOR_SHIFT		9
#define MIN_SECTOR_SIZE		512U
#define MAX_SECTOR_SIZE		4096U
#define MAX_BLOCK		16U
#define MAX_SUBKEY		64U	/* AES-256 in XTS */
#define MAX_KEYS		64U
#define MAX_MAC_KEY		128U	/* a block of SHA-512 */
#define MAX_KEY			(MAX_KEYS * MAX_SUBKEY + MAX_MAC_KEY)
#define MAX_TAG			64U	/* HMAC-SHA-512 */
#define MAX_META		(MAX_TAG + MAX_BLOCK)

enum {
	EXIT_OK = 0,
	EXIT_FAILED = 1,	/* libcrypto or I/O failed */
	EXIT_USAGE = 2,		/* the caller has to change something */
	EXIT_TAG = 3,		/* a tag does not match its sector */
};

enum mode { MODE_ECB, MODE_CBC, MODE_CTR, MODE_XTS, MODE_GCM, MODE_CHACHAPOLY };

enum ivgen {
	IV_NONE,
	IV_PLAIN,
	IV_PLAIN64,
	IV_PLAIN64BE,
	IV_BENBI,
	IV_NULL,
	IV_LMK,
	IV_TCW,
	IV_EBOIV,
	IV_ELEPHANT,
	IV_RANDOM,
};

/* One block cipher; evp is libcrypto's name, by key size. */
struct cipher {
	const char *name;
	unsigned int block;
	struct {
		unsigned int key_size;
		const char *evp;
	} sizes[3];
};

struct spec {
	const struct cipher *cipher;
	enum mode mode;
	enum ivgen gen;
	unsigned int keys;	/* sectors take them in turn; a power of two */
	const char *hash;	/* libcrypto's digest name, NULL: no ESSIV */
	const char *hash_name;	/* as the caller knows it */
	const char *mac;	/* digest of authenc's HMAC, NULL: no authenc */
	const char *mac_name;
};

struct layout {
	uint64_t iv_offset;
	uint64_t start_sector;
	unsigned int sector_size;
	bool iv_large_sectors;
};

/* What is stored for each sector besides its data: the tag, then the IV. */
struct metadata {
	unsigned int size;	/* 0: nothing */
	bool aead;
	unsigned int mac_key;	/* bytes, 0: as long as the digest */
};

/* A transform for one direction, keyed with one of a volume's keys. */
struct engine {
	EVP_CIPHER_CTX *data;
	EVP_CIPHER_CTX *tweak;	/* XTS built from ECB: encrypts the IV */
	EVP_CIPHER_CTX *essiv;
	unsigned int iv_size;
	enum mode mode;
};

struct volume {
	struct spec spec;
	struct layout layout;
	bool encrypt;
	unsigned int tag_size;		/* metadata: the tag, */
	unsigned int stored_iv;		/* and the IV behind it */
	struct engine keys[MAX_KEYS];
	struct engine iv_key;		/* eboiv, elephant: key 0, encrypting */
	EVP_CIPHER_CTX *elephant;	/* AES-ECB with the second half of the key */
	bool lmk_seeded;
	uint8_t lmk_seed[64];
	uint8_t tcw_seed[MAX_BLOCK];
	uint8_t tcw_whitening[16];
	uint8_t mac_key[MAX_MAC_KEY];
	size_t mac_key_size;
};

/* icvec.c */
__attribute__((format(printf, 1, 2)))
int usage_error(const char *fmt, ...);
int crypto_error(const char *what);

/* spec.c */
int find_cipher(const char *name, const struct cipher **out);
int find_mode(const char *name, enum mode *out);
int find_hash(const char *name, const char **evp, const char **own);
int parse_api_name(char *s, struct spec *spec);
int parse_spec(const char *text, struct spec *spec);
int check_spec(const struct spec *spec);
bool spec_is_aead(const struct spec *spec);
unsigned int spec_iv_size(const struct spec *spec);

/* volume.c */
int volume_open(struct volume *v, const struct spec *spec, const struct layout *layout,
		const struct metadata *meta, const uint8_t *key, size_t key_len, bool encrypt,
		bool xts_from_ecb);
void volume_close(struct volume *v);
int volume_iv(struct volume *v, uint64_t sector, const uint8_t *data, uint8_t *iv);
int volume_sector(struct volume *v, uint64_t sector, uint8_t *data, uint8_t *meta);
int volume_raw(struct volume *v, uint8_t *iv, const uint8_t *aad, size_t aad_len, uint8_t *data,
	       size_t len, uint8_t *tag);

#endif /* ICVEC_H */
