/* SPDX-License-Identifier: GPL-2.0-only */
/* The texts of a parsed table line that leave the module: is the key in them? */
#ifndef LEAK_H
#define LEAK_H

#include <string.h>

#include "table.h"

/* Does @text contain eight characters of @key in a row? */
static inline bool leaks(const char *text, const char *key)
{
	char part[9];

	for (size_t i = 0; i + 8 <= strlen(key); i++) {
		memcpy(part, key + i, 8);
		part[8] = '\0';
		if (strstr(text, part))
			return true;
	}
	return false;
}

/* What the kernel log, audit and IMA get to see; the name of a text with the key, or NULL. */
static inline const char *leaks_said(const struct icrypt_table *t, int err, const char *key)
{
	char name[ICRYPT_ALG_NAME_MAX], ima[1024];

	if (err)
		return leaks(t->error, key) ? "the message" : NULL;
	icrypt_alg_print(t->alg, name, sizeof(name));
	if (leaks(name, key))
		return "the message about the cipher";
	icrypt_alg_print(t->mac, name, sizeof(name));
	if (leaks(name, key))
		return "the message about the MAC";
	if (leaks(t->iv_mode, key))
		return "the IV mode";
	icrypt_table_print(t, ICRYPT_PRINT_IMA, NULL, ima, sizeof(ima));
	return leaks(ima, key) ? "what IMA measures" : NULL;
}

/* What modprobe and file systems get to see, when the module asks for a cipher and a device. */
static inline const char *leaks_asked(const struct icrypt_table *t, int err, const char *key)
{
	if (err)
		return NULL;
	if (leaks(t->alg, key))
		return "the cipher";
	if (leaks(t->mac, key))
		return "the MAC";
	/* A path may be of anything, and so may be PARTUUID= and the like. */
	return !strpbrk(t->device, "/=") && leaks(t->device, key) ? "the device" : NULL;
}

#endif
