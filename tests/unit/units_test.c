// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cipher engine on the CPU at hand against OpenSSL and published vectors.
 *
 *   units_test FILE...		the tests; FILEs are of vectors/published/
 */

#include <errno.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tap.h"
#include "units.h"

#define UNITS_MAX	33
#define SIZE_MAX_UNIT	4096
#define ROOM		(UNITS_MAX * SIZE_MAX_UNIT)

static void die(const char *what)
{
	perror(what);
	exit(2);
}

/* --- memory between pages that must not be touched ------------------------- */

struct guarded {
	u8	*begin;
	u8	*end;
};

static struct guarded guarded_alloc(size_t size)
{
	size_t page = sysconf(_SC_PAGESIZE);
	u8 *p;

	size = (size + page - 1) / page * page;
	p = mmap(NULL, size + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED || mprotect(p + page, size, PROT_READ | PROT_WRITE))
		die("mmap");
	return (struct guarded) { p + page, p + page + size };
}

/* --- OpenSSL, one unit a call ---------------------------------------------- */

static const EVP_CIPHER *evp_cipher(enum icrypt_units_mode mode, unsigned int size)
{
	if (mode == ICRYPT_UNITS_XTS)
		return size == 32 ? EVP_aes_128_xts() : EVP_aes_256_xts();
	return size == 16 ? EVP_aes_128_cbc() : size == 24 ? EVP_aes_192_cbc() : EVP_aes_256_cbc();
}

static void evp(const EVP_CIPHER *cipher, const u8 *key, const u8 *iv, const u8 *in, u8 *out,
		unsigned int size, bool encrypt)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int len;

	if (!ctx || !EVP_CipherInit_ex(ctx, cipher, NULL, key, iv, encrypt) ||
	    !EVP_CIPHER_CTX_set_padding(ctx, 0) ||
	    !EVP_CipherUpdate(ctx, out, &len, in, size) || len != (int)size)
		die("OpenSSL");
	EVP_CIPHER_CTX_free(ctx);
}

struct keys {
	enum icrypt_units_mode mode;
	unsigned int	size;
	unsigned int	iv_size;
	u8		key[64];
	u8		iv_key[32];
};

static void reference(const struct keys *k, const struct icrypt_du *du, unsigned int n,
		      unsigned int size, u8 *out)
{
	const EVP_CIPHER *ecb = k->iv_size == 16 ? EVP_aes_128_ecb() :
				k->iv_size == 24 ? EVP_aes_192_ecb() : EVP_aes_256_ecb();
	u8 iv[16];

	for (unsigned int i = 0; i < n; i++) {
		memcpy(iv, du[i].iv, 16);
		if (k->iv_size)
			evp(ecb, k->iv_key, NULL, du[i].iv, iv, 16, true);
		evp(evp_cipher(k->mode, k->size), k->key, iv, du[i].src, out + i * size, size, true);
	}
}

/* --- the tests --------------------------------------------------------------- */

static struct guarded in, out;
static u8 want[ROOM];
static struct icrypt_units_scratch scratch;

static bool is_zero(const void *p, size_t size)
{
	const u8 *byte = p;

	while (size--)
		if (*byte++)
			return false;
	return true;
}

static u64 rnd(void)
{
	static u64 state = 88172645463325252ULL;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static void fill(u8 *p, size_t size)
{
	while (size--)
		*p++ = rnd() >> 24;
}

/* Where units are: from the first byte that may be touched, to the last, or neither. */
enum place { AT_BEGIN, AT_END, ODD, PLACES };

static u8 *place(struct guarded g, size_t size, enum place where, unsigned int odd)
{
	switch (where) {
	case AT_BEGIN:
		return g.begin;
	case AT_END:
		return g.end - size;
	default:
		return g.begin + odd;
	}
}

/*
 * @n units there and back, from a place to another, and back in place. @backwards:
 * in memory the last one comes first.
 */
static bool there_and_back(enum icrypt_units_variant v, const struct keys *k, unsigned int n,
			   unsigned int size, u64 first, enum place where, bool backwards)
{
	static struct icrypt_units_key key;
	struct icrypt_du du[UNITS_MAX + ICRYPT_UNITS_BATCH], again[UNITS_MAX + ICRYPT_UNITS_BATCH];
	unsigned int odd = rnd() % 64 + 1;
	u8 *src = place(in, n * size, where, odd);
	u8 *dst = place(out, n * size, where, odd * 3);
	/* Units that end where memory ends have it before them, the others behind. */
	u8 *neighbour = where == AT_END ? dst - 1 : dst + n * size;
	u8 before = *neighbour;
	bool good = true;

	memset(du, 0xa5, sizeof(du));
	fill(src, n * size);
	memset(dst, 0x5a, n * size);
	for (unsigned int i = 0; i < n; i++) {
		unsigned int at = (backwards ? n - 1 - i : i) * size;

		du[i].src = src + at;
		du[i].dst = dst + at;
		memset(du[i].iv, 0, 16);
		put_unaligned_le64(first + i, du[i].iv);
		/* ... with a carry out of 64 bits, as a big-endian number has none there */
		if (first + i < first)
			du[i].iv[8] = 1;
	}
	memcpy(again, du, sizeof(du));
	reference(k, du, n, size, want);
	if (icrypt_units_setkey(&key, k->mode, k->key, k->size, k->iv_size ? k->iv_key : NULL,
				k->iv_size))
		return false;
	icrypt_units_crypt(v, &key, du, n, size, true, &scratch);
	for (unsigned int i = 0; i < n; i++)
		good &= !memcmp(again[i].dst, want + i * size, size);
	for (unsigned int i = 0; i < n; i++)
		again[i].src = again[i].dst;
	icrypt_units_crypt(v, &key, again, n, size, false, &scratch);
	good &= !memcmp(src, dst, n * size);
	return good && before == *neighbour && is_zero(&scratch, sizeof(scratch));
}

static const u64 firsts[] = { 0, 0xfffffffe, 0xfffffffffffffffdULL, 0x123456789abcdef0ULL };
static const unsigned int sizes[] = { 512, 1024, 2048, 4096 };

static void test_against_openssl(enum icrypt_units_variant v, enum icrypt_units_mode mode,
				 unsigned int key_size, unsigned int iv_size)
{
	struct keys k = { .mode = mode, .size = key_size, .iv_size = iv_size };
	bool good = true;

	fill(k.key, sizeof(k.key));
	fill(k.iv_key, sizeof(k.iv_key));
	for (unsigned int s = 0; s < ARRAY_SIZE(sizes) && good; s++)
		for (unsigned int n = 1; n <= UNITS_MAX && good; n++)
			for (unsigned int i = 0; i < PLACES * 2 && good; i++) {
				u64 first = firsts[(n + i) % ARRAY_SIZE(firsts)];

				good = there_and_back(v, &k, n, sizes[s], first, i % PLACES, i / PLACES);
				if (!good)
					diag("%u units of %u bytes, first IV %#llx, place %u", n,
					     sizes[s], (unsigned long long)first, i);
			}
	ok(good, "%s: %s, key of %u bits%s: as OpenSSL, 1 to %u units of 512 to 4096 bytes",
	   icrypt_units_name(v), mode == ICRYPT_UNITS_XTS ? "XTS" : "CBC", 8 * key_size,
	   iv_size ? ", encrypted IVs" : "", UNITS_MAX);
}

static struct icrypt_units_test test;

/* OpenSSL agrees with what the module is tested with when it is loaded. */
static void test_answers(void)
{
	bool good = true;

	for (unsigned int i = 0; i < icrypt_units_answer_count; i++) {
		const struct icrypt_units_answer *a = icrypt_units_answers + i;
		struct keys k = { .mode = a->mode, .size = a->key_size, .iv_size = a->iv_size };
		u64 sum;

		icrypt_units_test_input(a, k.key, k.iv_key, &test);
		reference(&k, test.du, a->units, a->size, want);
		sum = icrypt_units_test_sum(want, a->units * a->size);
		if (sum != a->sum)
			diag("answer %u is %#018llx", i, (unsigned long long)sum);
		good &= sum == a->sum;
	}
	ok(good, "OpenSSL has the known answers");
}

static void test_known_answers(enum icrypt_units_variant v)
{
	struct icrypt_units_answer wrong = icrypt_units_answers[0];
	bool good = true;

	for (unsigned int i = 0; i < icrypt_units_answer_count; i++)
		good &= !icrypt_units_test(v, icrypt_units_answers + i, &test);
	ok(good, "%s: gives the known answers", icrypt_units_name(v));
	wrong.sum ^= 1;
	ok(icrypt_units_test(v, &wrong, &test) == -EBADMSG, "%s: another answer is noticed",
	   icrypt_units_name(v));
}

static void test_keys(void)
{
	static const unsigned int bad[] = { 0, 1, 15, 17, 31, 33, 48, 65 };
	static struct icrypt_units_key key;
	u8 raw[128];
	bool good = true;

	fill(raw, sizeof(raw));
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		memset(&key, 0xa5, sizeof(key));
		good &= icrypt_units_setkey(&key, ICRYPT_UNITS_XTS, raw, bad[i], NULL, 0) == -EINVAL &&
			is_zero(&key, sizeof(key));
		good &= icrypt_units_setkey(&key, ICRYPT_UNITS_CBC, raw, bad[i], NULL, 0) == -EINVAL &&
			is_zero(&key, sizeof(key));
		good &= icrypt_units_setkey(&key, ICRYPT_UNITS_CBC, raw, 32, raw, bad[i]) == -EINVAL &&
			is_zero(&key, sizeof(key));
	}
	ok(good, "a key that is none leaves no key");

	good = !icrypt_units_setkey(&key, ICRYPT_UNITS_XTS, raw, 64, NULL, 0) &&
	       !icrypt_units_setkey(&key, ICRYPT_UNITS_CBC, raw, 16, NULL, 0) &&
	       is_zero(key.enc, 4 * 16) && is_zero(key.dec, 4 * 16) && is_zero(key.iv, sizeof(key.iv));
	ok(good, "a short key leaves nothing of a long one");
	icrypt_units_wipe(&key);
	ok(is_zero(&key, sizeof(key)), "a wiped key is wiped");
}

/* --- published vectors ------------------------------------------------------- */

static unsigned int from_hex(const char *hex, u8 *bytes, unsigned int max)
{
	unsigned int n = 0;

	while (n < max && sscanf(hex + 2 * n, "%2hhx", bytes + n) == 1)
		n++;
	return n;
}

struct vector {
	char		name[64], mode[8], cipher[8];
	u8		key[64], iv[16], plain[SIZE_MAX_UNIT], encrypted[SIZE_MAX_UNIT];
	unsigned int	key_size, iv_size, size, encrypted_size;
};

/* As the beginning of a unit: what follows does not matter to these modes. */
static bool vector_is_right(enum icrypt_units_variant v, const struct vector *t)
{
	static struct icrypt_units_key key;
	enum icrypt_units_mode mode = strcmp(t->mode, "xts") ? ICRYPT_UNITS_CBC : ICRYPT_UNITS_XTS;
	unsigned int size = (t->size + 255) / 256 * 256;
	struct icrypt_du du[ICRYPT_UNITS_BATCH];
	u8 buf[SIZE_MAX_UNIT] = {};
	bool good;

	memcpy(buf, t->plain, t->size);
	memset(du, 0, sizeof(du));
	du[0].src = buf;
	du[0].dst = buf;
	memcpy(du[0].iv, t->iv, 16);
	if (icrypt_units_setkey(&key, mode, t->key, t->key_size, NULL, 0))
		return false;
	icrypt_units_crypt(v, &key, du, 1, size, true, &scratch);
	good = !memcmp(buf, t->encrypted, t->size);
	memcpy(buf, t->encrypted, t->size);
	memcpy(du[0].iv, t->iv, 16);
	icrypt_units_crypt(v, &key, du, 1, size, false, &scratch);
	return good && !memcmp(buf, t->plain, t->size);
}

static bool vector_is_ours(const struct vector *t)
{
	return !strcmp(t->cipher, "aes") && t->iv_size == 16 && t->size && t->size % 16 == 0 &&
	       t->size == t->encrypted_size && (!strcmp(t->mode, "xts") || !strcmp(t->mode, "cbc"));
}

static void test_vectors(enum icrypt_units_variant v, const char *path)
{
	static struct vector t;
	char line[4 * SIZE_MAX_UNIT], name[32], value[4 * SIZE_MAX_UNIT];
	const char *base = strrchr(path, '/');
	unsigned int tried = 0, wrong = 0;
	FILE *f = fopen(path, "r");
	bool more = true;

	if (!f)
		die(path);
	memset(&t, 0, sizeof(t));
	while (more) {
		more = fgets(line, sizeof(line), f);
		/* An empty line ends a vector. */
		if (!more || sscanf(line, "%31s = %s", name, value) != 2) {
			if ((!more || *line == '\n') && vector_is_ours(&t)) {
				tried++;
				if (!vector_is_right(v, &t)) {
					diag("wrong: %s", t.name);
					wrong++;
				}
			}
			if (!more || *line == '\n')
				memset(&t, 0, sizeof(t));
			continue;
		}
		if (!strcmp(name, "name"))
			snprintf(t.name, sizeof(t.name), "%.63s", value);
		else if (!strcmp(name, "mode"))
			snprintf(t.mode, sizeof(t.mode), "%.7s", value);
		else if (!strcmp(name, "cipher"))
			snprintf(t.cipher, sizeof(t.cipher), "%.7s", value);
		else if (!strcmp(name, "key"))
			t.key_size = from_hex(value, t.key, sizeof(t.key));
		else if (!strcmp(name, "iv"))
			t.iv_size = from_hex(value, t.iv, sizeof(t.iv));
		else if (!strcmp(name, "plain"))
			t.size = from_hex(value, t.plain, sizeof(t.plain));
		else if (!strcmp(name, "encrypted"))
			t.encrypted_size = from_hex(value, t.encrypted, sizeof(t.encrypted));
	}
	fclose(f);
	ok(tried && !wrong, "%s: %u vectors of %s", icrypt_units_name(v), tried,
	   base ? base + 1 : path);
}

int main(int argc, char **argv)
{
	in = guarded_alloc(ROOM + 1024);
	out = guarded_alloc(ROOM + 1024);
	test_keys();
	test_answers();
	for (enum icrypt_units_variant v = ICRYPT_UNITS_AVX; v < ICRYPT_UNITS_VARIANTS; v++) {
		if (!icrypt_units_supported(v)) {
			ok(true, "%s # SKIP this CPU has no such instructions", icrypt_units_name(v));
			continue;
		}
		test_known_answers(v);
		for (int i = 1; i < argc; i++)
			test_vectors(v, argv[i]);
		test_against_openssl(v, ICRYPT_UNITS_XTS, 32, 0);
		test_against_openssl(v, ICRYPT_UNITS_XTS, 64, 0);
		for (unsigned int size = 16; size <= 32; size += 8)
			test_against_openssl(v, ICRYPT_UNITS_CBC, size, 0);
		test_against_openssl(v, ICRYPT_UNITS_CBC, 16, 16);
		test_against_openssl(v, ICRYPT_UNITS_CBC, 32, 32);
	}
	return done();
}
