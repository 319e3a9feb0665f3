// SPDX-License-Identifier: GPL-2.0-only
/*
 * keyfind - look for keys of tests/tools/keymem.c in a dump of a guest's memory
 *
 *	keyfind DUMP SEED...	print "raw N hex N round N" for all of the seeds
 *	keyfind --key SEED BYTES	the key itself, to standard output
 *
 * In how many places, at any byte: 16 bytes of the key follow each other; 16 of its digits
 * do, in small or capital letters; a round key of AES does, of either half as a key of
 * AES-256 and of the whole half as two keys of AES-128, as encryption has it and as
 * decryption has it. The first two round keys of AES-256 are the key.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_MAX		256
#define KEY_SIZE	64
#define LOG		14

struct pattern {
	uint8_t		bytes[16];
	uint8_t		kind;	/* 1 raw, 2 hex, 3 round key */
};

static struct pattern patterns[1 << LOG];
static uint8_t maybe[1 << 16];
static unsigned long found[4];
static uint8_t sbox[256];

static uint64_t word(const uint8_t *p)
{
	uint64_t w;

	memcpy(&w, p, 8);
	return w;
}

static unsigned int slot(uint64_t w)
{
	return w * 0x9e3779b97f4a7c15ull >> (64 - LOG);
}

static void want(const uint8_t *p, int kind)
{
	unsigned int i = slot(word(p));

	while (patterns[i].kind && memcmp(patterns[i].bytes, p, 16))
		i = (i + 1) % (1 << LOG);
	memcpy(patterns[i].bytes, p, 16);
	patterns[i].kind = kind;
	maybe[p[0] | p[1] << 8] = 1;
}

static uint8_t mul(uint8_t a, uint8_t b)
{
	uint8_t r = 0;

	for (; b; b >>= 1) {
		if (b & 1)
			r ^= a;
		a = a << 1 ^ (a & 0x80 ? 0x1b : 0);
	}
	return r;
}

static void make_sbox(void)
{
	for (int x = 0; x < 256; x++) {
		uint8_t inverse = 0, s;

		for (int y = 1; x && y < 256; y++)
			if (mul(x, y) == 1)
				inverse = y;
		s = inverse;
		for (int i = 1; i < 5; i++)
			s ^= inverse << i | inverse >> (8 - i);
		sbox[x] = s ^ 0x63;
	}
}

static void inverse_mix(uint8_t *c)
{
	uint8_t a[4];

	memcpy(a, c, 4);
	for (int i = 0; i < 4; i++)
		c[i] = mul(a[i], 14) ^ mul(a[(i + 1) % 4], 11) ^ mul(a[(i + 2) % 4], 13) ^
		       mul(a[(i + 3) % 4], 9);
}

static void want_rounds(const uint8_t *key, unsigned int words)
{
	unsigned int rounds = words + 6, total = 4 * (rounds + 1);
	uint8_t w[60][4], rcon = 1, block[16];

	memcpy(w, key, 4 * words);
	for (unsigned int i = words; i < total; i++) {
		uint8_t t[4];

		memcpy(t, w[i - 1], 4);
		if (i % words == 0) {
			uint8_t first = t[0];

			t[0] = sbox[t[1]] ^ rcon;
			t[1] = sbox[t[2]];
			t[2] = sbox[t[3]];
			t[3] = sbox[first];
			rcon = mul(rcon, 2);
		} else if (words > 6 && i % words == 4) {
			for (int j = 0; j < 4; j++)
				t[j] = sbox[t[j]];
		}
		for (int j = 0; j < 4; j++)
			w[i][j] = w[i - words][j] ^ t[j];
	}
	for (unsigned int r = 1; r <= rounds; r++) {
		if (4 * r >= words)
			want(w[4 * r], 3);
		if (r == rounds)
			continue;
		memcpy(block, w[4 * r], 16);
		for (int j = 0; j < 4; j++)
			inverse_mix(block + 4 * j);
		want(block, 3);
	}
}

static void make_key(uint64_t seed, uint8_t *key)
{
	for (unsigned int i = 0; i < KEY_MAX; i++) {
		uint64_t z = (seed * KEY_MAX + i + 1) * 0x9e3779b97f4a7c15ull;

		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
		z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
		key[i] = z >> 56;
	}
}

static void want_key(uint64_t seed)
{
	static const char * const digits[] = { "0123456789abcdef", "0123456789ABCDEF" };
	uint8_t key[KEY_MAX], hex[2 * KEY_SIZE];

	make_key(seed, key);
	for (int i = 0; i + 16 <= KEY_SIZE; i++)
		want(key + i, 1);
	for (int c = 0; c < 2; c++) {
		for (int i = 0; i < KEY_SIZE; i++) {
			hex[2 * i] = digits[c][key[i] >> 4];
			hex[2 * i + 1] = digits[c][key[i] & 15];
		}
		for (int i = 0; i + 16 <= 2 * KEY_SIZE; i++)
			want(hex + i, 2);
	}
	for (int i = 0; i < KEY_SIZE; i += 32)
		want_rounds(key + i, 8);
	for (int i = 0; i < KEY_SIZE; i += 16)
		want_rounds(key + i, 4);
}

int main(int argc, char **argv)
{
	static uint8_t buf[(1 << 22) + 16];
	uint64_t at = 0, last[4] = { };
	size_t have = 0, n;
	FILE *f;

	if (argc == 4 && !strcmp(argv[1], "--key")) {
		make_key(strtoull(argv[2], NULL, 0), buf);
		return fwrite(buf, atoi(argv[3]), 1, stdout) != 1;
	}
	f = argc > 2 ? fopen(argv[1], "r") : NULL;
	if (!f) {
		fprintf(stderr, "usage: keyfind DUMP SEED... | --key SEED BYTES\n");
		return 2;
	}
	make_sbox();
	for (int i = 2; i < argc; i++)
		want_key(strtoull(argv[i], NULL, 0));
	while ((n = fread(buf + have, 1, (1 << 22) - have, f))) {
		have += n;
		for (size_t i = 0; i + 16 <= have; i++) {
			unsigned int s;

			if (!maybe[buf[i] | buf[i + 1] << 8])
				continue;
			for (s = slot(word(buf + i)); patterns[s].kind; s = (s + 1) % (1 << LOG))
				if (!memcmp(patterns[s].bytes, buf + i, 16))
					break;
			if (!patterns[s].kind)
				continue;
			/* What goes on a byte further is one place still. */
			if (at + i + 1 != last[patterns[s].kind] + 1)
				found[patterns[s].kind]++;
			last[patterns[s].kind] = at + i + 1;
		}
		if (have < 16)
			continue;
		at += have - 15;
		memmove(buf, buf + have - 15, 15);
		have = 15;
	}
	printf("raw %lu hex %lu round %lu\n", found[1], found[2], found[3]);
	return 0;
}
