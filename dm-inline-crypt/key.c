// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keys: hex digits of a table line or message, or a key of the kernel's
 * keyring. Every copy is wiped as soon as the transforms have it, except for the
 * raw key of a hex table line, which "dmsetup table" may have to print.
 */

#include <keys/encrypted-type.h>
#include <keys/trusted-type.h>
#include <keys/user-type.h>
#include <linux/key.h>
#include <linux/key-type.h>
#include <linux/random.h>
#include <linux/slab.h>

#include "icrypt.h"

#ifdef CONFIG_KEYS

static int copy_payload(u8 *dst, unsigned int size, const void *data, unsigned int len)
{
	if (size != len)
		return -EINVAL;
	memcpy(dst, data, len);
	return 0;
}

static int copy_user(u8 *dst, unsigned int size, struct key *key)
{
	const struct user_key_payload *p = user_key_payload_locked(key);

	return p ? copy_payload(dst, size, p->data, p->datalen) : -EKEYREVOKED;
}

static int copy_encrypted(u8 *dst, unsigned int size, struct key *key)
{
	const struct encrypted_key_payload *p = key->payload.data[0];

	return p ? copy_payload(dst, size, p->decrypted_data, p->decrypted_datalen) : -EKEYREVOKED;
}

static int copy_trusted(u8 *dst, unsigned int size, struct key *key)
{
	const struct trusted_key_payload *p = key->payload.data[0];

	return p ? copy_payload(dst, size, p->key, p->key_len) : -EKEYREVOKED;
}

static const char *keyring_error(int err)
{
	switch (err) {
	case -EINVAL:
		return "Key in the keyring does not have the size that the table says";
	case -EKEYREVOKED:
		return "Key in the keyring is revoked";
	case -EKEYEXPIRED:
		return "Key in the keyring has expired";
	default:
		return "Key not found in the kernel keyring";
	}
}

/* Copies the key that @desc ("type:description") names to @dst. */
static int copy_from_keyring(u8 *dst, unsigned int size, const char *desc, const char **error)
{
	int (*copy)(u8 *dst, unsigned int size, struct key *key) = copy_user;
	const char *name = strchr(desc, ':');
	struct key_type *type;
	struct key *key;
	int err;

	if (!name || !name[1]) {
		*error = "Key description missing, write :<bytes>:<type>:<description>";
		return -EINVAL;
	}
	name++;
	if (strstarts(desc, "logon:")) {
		type = &key_type_logon;
	} else if (strstarts(desc, "user:")) {
		type = &key_type_user;
	} else if (IS_ENABLED(CONFIG_ENCRYPTED_KEYS) && strstarts(desc, "encrypted:")) {
		type = &key_type_encrypted;
		copy = copy_encrypted;
	} else if (IS_ENABLED(CONFIG_TRUSTED_KEYS) && strstarts(desc, "trusted:")) {
		type = &key_type_trusted;
		copy = copy_trusted;
	} else {
		*error = "Key type not supported, use logon, user, encrypted or trusted";
		return -EINVAL;
	}

	key = request_key(type, name, NULL);
	if (IS_ERR(key)) {
		*error = keyring_error(PTR_ERR(key));
		return PTR_ERR(key);
	}
	down_read(&key->sem);
	err = copy(dst, size, key);
	up_read(&key->sem);
	key_put(key);
	if (err)
		*error = keyring_error(err);
	return err;
}

#else

static int copy_from_keyring(u8 *dst, unsigned int size, const char *desc, const char **error)
{
	*error = "Kernel has no keyrings (CONFIG_KEYS)";
	return -EINVAL;
}

#endif /* CONFIG_KEYS */

/**
 * icrypt_key_wipe() - forget the key
 * @cc: the mapped device, suspended
 *
 * The transforms get a random key, because the crypto API has no call to remove a key.
 *
 * Context: process, may sleep. Under @cc->key_lock.
 * Return: 0, or the error of a transform that refused the random key. That transform
 * still has the old key.
 */
int icrypt_key_wipe(struct icrypt_config *cc)
{
	unsigned int size = cc->table.key_size;
	int err;

	cc->key_valid = false;
	get_random_bytes(cc->key, size);
	err = icrypt_cipher_setkey(&cc->cipher, cc->key, size);
	memzero_explicit(cc->key, size);
	kfree_sensitive(cc->key_desc);
	cc->key_desc = NULL;
	cc->table.key = NULL;
	cc->table.key_in_keyring = false;
	return err;
}

/**
 * icrypt_key_set() - set the key that a table line or message names
 * @cc:    the mapped device; its key buffer has @t->key_size bytes
 * @t:     a line with the key parsed; the digits are not changed
 * @error: set when refused
 *
 * If a key is refused, the old one stays in use, with two exceptions: if the new key
 * contains other characters than hex digits, or was given to the transforms already, the
 * device has no key afterwards.
 *
 * Context: process, may sleep. Under @cc->key_lock once the device exists.
 * Return: 0 or a negative errno.
 */
int icrypt_key_set(struct icrypt_config *cc, const struct icrypt_table *t, const char **error)
{
	unsigned int size = t->key_size;
	bool replace = t != &cc->table;
	char *desc = NULL;
	u8 *key;
	int err;

	key = kzalloc(max(size, 1U), GFP_KERNEL | __GFP_NOWARN);
	if (!key) {
		*error = "Cannot allocate key";
		return -ENOMEM;
	}
	if (t->key_in_keyring) {
		*error = "Cannot allocate key";
		desc = kstrdup(t->key, GFP_KERNEL);
		err = desc ? copy_from_keyring(key, size, desc, error) : -ENOMEM;
	} else {
		err = size ? hex2bin(key, t->key, size) : 0;
		if (err)
			*error = "Key is not hexadecimal";
		/* dm-crypt drops its key in this case, and cryptsetup's tests check that. */
		if (err && replace)
			icrypt_key_wipe(cc);
	}
	if (err)
		goto out;

	cc->key_valid = false;
	err = icrypt_cipher_setkey(&cc->cipher, key, size);
	if (err) {
		*error = "Cipher refused the key, check its size";
		if (replace)
			icrypt_key_wipe(cc);
		goto out;
	}
	cc->key_valid = true;

	kfree_sensitive(cc->key_desc);
	cc->key_desc = desc;
	cc->table.key = desc;
	cc->table.key_in_keyring = desc;
	if (desc)
		memzero_explicit(cc->key, size);
	else
		memcpy(cc->key, key, size);
	desc = NULL;
out:
	kfree_sensitive(desc);
	kfree_sensitive(key);
	return err;
}

/**
 * icrypt_key_free() - wipe and free all copies of the key outside of the transforms
 * @cc: the mapped device
 *
 * Context: process.
 */
void icrypt_key_free(struct icrypt_config *cc)
{
	kfree_sensitive(cc->key);
	kfree_sensitive(cc->key_desc);
	cc->key = NULL;
	cc->key_desc = NULL;
}
