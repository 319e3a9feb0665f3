// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit: keys, of hex digits and of the kernel's keyring. What a cipher does with a key
 * is compared with a transform of our own, because none tells which key it has.
 */

#include <crypto/skcipher.h>
#include <keys/user-type.h>
#include <kunit/test.h>
#include <linux/cred.h>
#include <linux/key.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "../icrypt.h"

#define KEY_SIZE	32
#define DATA_SIZE	32

/* Patterns, which are worth nothing */
#define HEX1	"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define HEX2	"ffeeddccbbaa998877665544332211000123456789abcdef0123456789abcdef"
#define DESC	"user:inline-crypt-kunit"

static const u8 zeros[KEY_SIZE];

static void free_words(void *argv)
{
	argv_free(argv);
}

/* As target.c does it, without a device */
static int key_test_init(struct kunit *test)
{
	struct icrypt_config *cc = kunit_kzalloc(test, sizeof(*cc), GFP_KERNEL);
	const char *error = NULL;
	char **words;
	int count;

	KUNIT_ASSERT_NOT_NULL(test, cc);
	test->priv = cc;
	mutex_init(&cc->key_lock);
	words = argv_split(GFP_KERNEL, "aes-xts-plain64 " HEX1 " 0 8:0 0", &count);
	KUNIT_ASSERT_NOT_NULL(test, words);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, free_words, words));
	KUNIT_ASSERT_EQ(test, 0, icrypt_table_parse(&cc->table, count, words));
	cc->key = kzalloc(KEY_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, cc->key);
	KUNIT_ASSERT_EQ(test, 0, icrypt_cipher_init(&cc->cipher, &cc->table, &error));
	KUNIT_ASSERT_EQ(test, 0, icrypt_key_set(cc, &cc->table, &error));
	return 0;
}

static void key_test_exit(struct kunit *test)
{
	struct icrypt_config *cc = test->priv;

	if (cc) {
		icrypt_cipher_exit(&cc->cipher);
		icrypt_key_free(cc);
	}
}

/* Sets the key that @word of a message names. */
static int set(struct icrypt_config *cc, const char *word, const char **error)
{
	struct icrypt_table t = {};
	int err = icrypt_key_parse(&t, word);

	*error = t.error;
	return err ?: icrypt_key_set(cc, &t, error);
}

/* Zeros, encrypted with an IV of zeros */
static void encrypt(struct kunit *test, struct crypto_skcipher *tfm, u8 *out)
{
	struct skcipher_request *req = skcipher_request_alloc(tfm, GFP_KERNEL);
	u8 *data = kunit_kzalloc(test, DATA_SIZE, GFP_KERNEL);
	struct scatterlist sg;
	DECLARE_CRYPTO_WAIT(wait);
	u8 iv[16] = {};
	int err;

	KUNIT_ASSERT_NOT_NULL(test, data);
	KUNIT_ASSERT_NOT_NULL(test, req);
	sg_init_one(&sg, data, DATA_SIZE);
	skcipher_request_set_callback(req, CRYPTO_TFM_REQ_MAY_SLEEP, crypto_req_done, &wait);
	skcipher_request_set_crypt(req, &sg, &sg, DATA_SIZE, iv);
	err = crypto_wait_req(crypto_skcipher_encrypt(req), &wait);
	skcipher_request_free(req);
	KUNIT_ASSERT_EQ(test, 0, err);
	memcpy(out, data, DATA_SIZE);
}

/* The cipher of @cc has the key @hex, or has it not. */
static void expect_key(struct kunit *test, struct icrypt_config *cc, const char *hex, bool has)
{
	u8 key[KEY_SIZE], got[DATA_SIZE], want[DATA_SIZE];
	struct crypto_skcipher *tfm = crypto_alloc_skcipher("xts(aes)", 0, 0);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, tfm);
	KUNIT_ASSERT_EQ(test, 0, hex2bin(key, hex, sizeof(key)));
	KUNIT_ASSERT_EQ(test, 0, crypto_skcipher_setkey(tfm, key, sizeof(key)));
	encrypt(test, tfm, want);
	crypto_free_skcipher(tfm);
	encrypt(test, cc->cipher.tfms[0], got);
	KUNIT_EXPECT_EQ(test, !memcmp(got, want, sizeof(got)), has);
}

static void key_of_digits(struct kunit *test)
{
	struct icrypt_config *cc = test->priv;
	const char *error;
	u8 key[KEY_SIZE];

	KUNIT_EXPECT_TRUE(test, cc->key_valid);
	expect_key(test, cc, HEX1, true);
	KUNIT_EXPECT_EQ(test, 0, set(cc, HEX2, &error));
	expect_key(test, cc, HEX2, true);
	/* For "dmsetup table" with show_keys */
	KUNIT_ASSERT_EQ(test, 0, hex2bin(key, HEX2, sizeof(key)));
	KUNIT_EXPECT_MEMEQ(test, cc->key, key, KEY_SIZE);
}

/* dm-crypt drops its key for what are no digits, and only then. */
static void key_refused(struct kunit *test)
{
	struct icrypt_config *cc = test->priv;
	const char *error;

	KUNIT_EXPECT_EQ(test, -EINVAL, set(cc, "0", &error));
	KUNIT_EXPECT_NOT_NULL(test, error);
	KUNIT_EXPECT_TRUE(test, cc->key_valid);
	expect_key(test, cc, HEX1, true);

	KUNIT_EXPECT_EQ(test, -EINVAL, set(cc, "g" HEX1, &error));
	KUNIT_EXPECT_NOT_NULL(test, error);
	KUNIT_EXPECT_FALSE(test, cc->key_valid);
	expect_key(test, cc, HEX1, false);
	KUNIT_EXPECT_MEMEQ(test, cc->key, zeros, KEY_SIZE);

	KUNIT_EXPECT_EQ(test, 0, set(cc, HEX1, &error));
	KUNIT_EXPECT_TRUE(test, cc->key_valid);
	expect_key(test, cc, HEX1, true);
}

static void key_wiped(struct kunit *test)
{
	struct icrypt_config *cc = test->priv;

	KUNIT_EXPECT_EQ(test, 0, icrypt_key_wipe(cc));
	KUNIT_EXPECT_FALSE(test, cc->key_valid);
	KUNIT_EXPECT_NULL(test, cc->table.key);
	KUNIT_EXPECT_MEMEQ(test, cc->key, zeros, KEY_SIZE);
	expect_key(test, cc, HEX1, false);
}

#ifdef CONFIG_KEYS
/* A keyring of this thread, with a key of @size bytes of HEX2 in it */
static void add_key_to_thread(struct kunit *test, unsigned int size, key_ref_t *ref)
{
	struct cred *cred = prepare_creds();
	struct key *keyring;
	u8 key[KEY_SIZE];

	KUNIT_ASSERT_NOT_NULL(test, cred);
	KUNIT_ASSERT_EQ(test, 0, hex2bin(key, HEX2, sizeof(key)));
	keyring = keyring_alloc("inline-crypt-kunit", GLOBAL_ROOT_UID, GLOBAL_ROOT_GID, cred,
				KEY_POS_ALL, KEY_ALLOC_NOT_IN_QUOTA, NULL, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, keyring);
	*ref = key_create_or_update(make_key_ref(keyring, true), "user", strchr(DESC, ':') + 1, key,
				    size, KEY_POS_ALL, KEY_ALLOC_NOT_IN_QUOTA);
	/* The thread's credentials have the keyring from now on, and go with the thread. */
	key_put(cred->thread_keyring);
	cred->thread_keyring = keyring;
	commit_creds(cred);
	KUNIT_ASSERT_FALSE(test, IS_ERR(*ref));
}

static void key_of_keyring(struct kunit *test)
{
	struct icrypt_config *cc = test->priv;
	const char *error;
	key_ref_t ref;

	KUNIT_EXPECT_EQ(test, -ENOKEY, set(cc, ":32:" DESC, &error));
	KUNIT_EXPECT_STREQ(test, error, "Key not found in the kernel keyring");
	KUNIT_EXPECT_TRUE(test, cc->key_valid);

	add_key_to_thread(test, KEY_SIZE, &ref);
	KUNIT_EXPECT_EQ(test, 0, set(cc, ":32:" DESC, &error));
	KUNIT_EXPECT_TRUE(test, cc->key_valid);
	expect_key(test, cc, HEX2, true);
	KUNIT_EXPECT_STREQ(test, cc->table.key, DESC);
	KUNIT_EXPECT_TRUE(test, cc->table.key_in_keyring);
	/* "dmsetup table" prints the description, so nobody needs a copy. */
	KUNIT_EXPECT_MEMEQ(test, cc->key, zeros, KEY_SIZE);

	/* It stays in use, whatever happens to the keyring's. */
	key_revoke(key_ref_to_ptr(ref));
	KUNIT_EXPECT_NE(test, 0, set(cc, ":32:" DESC, &error));
	KUNIT_EXPECT_TRUE(test, cc->key_valid);
	expect_key(test, cc, HEX2, true);
	key_ref_put(ref);
}

static void key_of_keyring_too_short(struct kunit *test)
{
	struct icrypt_config *cc = test->priv;
	const char *error;
	key_ref_t ref;

	add_key_to_thread(test, KEY_SIZE / 2, &ref);
	KUNIT_EXPECT_EQ(test, -EINVAL, set(cc, ":32:" DESC, &error));
	KUNIT_EXPECT_STREQ(test, error,
			   "Key in the keyring does not have the size that the table says");
	expect_key(test, cc, HEX1, true);
	key_ref_put(ref);
}

static void key_description_refused(struct kunit *test)
{
	struct icrypt_config *cc = test->priv;
	const char *error;

	KUNIT_EXPECT_EQ(test, -EINVAL, set(cc, ":32:user", &error));
	KUNIT_EXPECT_STREQ(test, error,
			   "Key description missing, write :<bytes>:<type>:<description>");
	KUNIT_EXPECT_EQ(test, -EINVAL, set(cc, ":32:asymmetric:x", &error));
	KUNIT_EXPECT_STREQ(test, error,
			   "Key type not supported, use logon, user, encrypted or trusted");
	expect_key(test, cc, HEX1, true);
}
#endif

static struct kunit_case key_cases[] = {
	KUNIT_CASE(key_of_digits),
	KUNIT_CASE(key_refused),
	KUNIT_CASE(key_wiped),
#ifdef CONFIG_KEYS
	KUNIT_CASE(key_of_keyring),
	KUNIT_CASE(key_of_keyring_too_short),
	KUNIT_CASE(key_description_refused),
#endif
	{}
};

static struct kunit_suite key_suite = {
	.name = "inline-crypt-key",
	.init = key_test_init,
	.exit = key_test_exit,
	.test_cases = key_cases,
};

kunit_test_suite(key_suite);
