// SPDX-License-Identifier: GPL-2.0-only
/*
 * The parser and printer of table lines: what is accepted, what comes out of
 * it again, what is refused and with which words.
 */

#include <linux/kernel.h>
#include <linux/string.h>

#include "leak.h"
#include "table.h"
#include "tap.h"
#include "words.h"

#define OPT(name)	(1UL << ICRYPT_OPT_##name)

/* 16 and 32 bytes. No part of either may come out in a message. */
#define K16	"c0ffee00112233445566778899aabbcc"
#define K32	K16 "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
#define REST	" 0 8:0 0"
#define XTS	"aes-xts-plain64 " K32 REST

/* alg and the like are those of a line that says nothing about them. */
struct good {
	const char	*what;
	const char	*line;
	const char	*printed;	/* NULL: as @line */
	const char	*alg;		/* NULL: xts(aes) */
	const char	*iv_mode;	/* NULL: plain64 */
	unsigned int	key_count;	/* 0: 1 */
	unsigned int	key_size;
	bool		keyring;
	u64		iv_offset, start;
	unsigned long	options;
	unsigned int	sector_size;	/* 0: 512 */
	enum icrypt_want read, write;
	enum icrypt_engine_want engine;
	unsigned int tag_size, key_mac;
	bool aead;
	const char	*mac;		/* NULL: none */
	bool odd;
	unsigned int ignored;
};

static const struct good goods[] = {
	/* the classic notation */
	{ "aes-xts-plain64", XTS, .key_size = 32 },
	{ "the oldest format: a cipher only", "aes " K16 REST, .alg = "cbc(aes)",
	  .iv_mode = "plain", .key_size = 16 },
	{ "the oldest format with its mode", "aes-plain " K16 REST, .alg = "cbc(aes)",
	  .iv_mode = "plain", .key_size = 16 },
	{ "plain as IV mode", "aes-cbc-plain " K16 REST, .alg = "cbc(aes)",
	  .iv_mode = "plain", .key_size = 16 },
	{ "plain64be", "aes-cbc-plain64be " K16 REST, .alg = "cbc(aes)",
	  .iv_mode = "plain64be", .key_size = 16 },
	{ "benbi", "aes-lrw-benbi " K32 REST, .alg = "lrw(aes)", .iv_mode = "benbi",
	  .key_size = 32 },
	{ "null", "aes-cbc-null " K16 REST, .alg = "cbc(aes)", .iv_mode = "null",
	  .key_size = 16 },
	{ "essiv", "aes-cbc-essiv:sha256 " K32 REST, .alg = "essiv(cbc(aes),sha256)",
	  .iv_mode = "essiv", .key_size = 32 },
	{ "essiv, digest with a dash", "aes-cbc-essiv:sha3-256 " K32 REST,
	  .alg = "essiv(cbc(aes),sha3-256)", .iv_mode = "essiv", .key_size = 32 },
	{ "an IV option that nobody reads", "aes-cbc-plain64:sha256 " K16 REST,
	  .alg = "cbc(aes)", .key_size = 16 },
	{ "ecb without IV", "aes-ecb " K16 REST, .alg = "ecb(aes)", .iv_mode = "",
	  .key_size = 16 },
	{ "ecb with IV", "aes-ecb-plain64 " K16 REST, .alg = "ecb(aes)", .key_size = 16 },
	{ "another cipher", "twofish-ctr-plain64 " K16 REST, .alg = "ctr(twofish)",
	  .key_size = 16 },
	{ "one key by number", "aes:1-xts-plain64 " K32 REST, .key_size = 32 },
	{ "two keys", "aes:2-cbc-plain64 " K32 REST, .alg = "cbc(aes)", .key_count = 2,
	  .key_size = 32 },
	{ "64 keys", "aes:64-cbc-plain64 " K32 REST, .alg = "cbc(aes)", .key_count = 64,
	  .key_size = 32 },
	{ "as many keys as seven digits can be", "aes:8388608-cbc-plain64 " K32 REST,
	  .alg = "cbc(aes)", .key_count = 1U << 23, .key_size = 32 },
	{ "the oldest format with two keys", "aes:2 " K32 REST, .alg = "cbc(aes)",
	  .iv_mode = "plain", .key_count = 2, .key_size = 32 },

	/* the crypto API's notation */
	{ "capi", "capi:xts(aes)-plain64 " K32 REST, .key_size = 32 },
	{ "capi, a driver by name", "capi:xts-aes-aesni-plain64 " K32 REST,
	  .alg = "xts-aes-aesni", .key_size = 32 },
	{ "capi, nested", "capi:xts(ecb(aes-generic))-plain64 " K32 REST,
	  .alg = "xts(ecb(aes-generic))", .key_size = 32 },
	{ "capi, essiv in the name", "capi:essiv(cbc(aes),sha256)-plain64 " K32 REST,
	  .alg = "essiv(cbc(aes),sha256)", .key_size = 32 },
	{ "capi, essiv as IV mode", "capi:cbc(aes)-essiv:sha256 " K32 REST,
	  .alg = "essiv(cbc(aes),sha256)", .iv_mode = "essiv", .key_size = 32 },
	{ "capi, essiv with a dash in the digest", "capi:cbc(aes)-essiv:sha3-256 " K32 REST,
	  .alg = "essiv(cbc(aes),sha3-256)", .iv_mode = "essiv", .key_size = 32 },
	{ "capi without IV", "capi:ecb(aes) " K16 REST, .alg = "ecb(aes)", .iv_mode = "",
	  .key_size = 16 },
	{ "capi, adiantum", "capi:adiantum(xchacha12,aes)-plain64 " K32 REST,
	  .alg = "adiantum(xchacha12,aes)", .key_size = 32 },

	/* formats of other systems */
	{ "lmk", "aes:64-cbc-lmk " K32 REST, .alg = "cbc(aes)", .iv_mode = "lmk",
	  .key_count = 64, .key_size = 32 },
	{ "capi, lmk has 64 keys", "capi:cbc(aes)-lmk " K32 REST, .alg = "cbc(aes)",
	  .iv_mode = "lmk", .key_count = 64, .key_size = 32 },
	{ "tcw", "aes-cbc-tcw " K32 REST, .alg = "cbc(aes)", .iv_mode = "tcw", .key_size = 32 },
	{ "eboiv", "aes-cbc-eboiv " K32 REST, .alg = "cbc(aes)", .iv_mode = "eboiv",
	  .key_size = 32 },
	{ "elephant", "aes-cbc-elephant " K32 REST, .alg = "cbc(aes)", .iv_mode = "elephant",
	  .key_size = 32 },

	/* integrity */
	{ "random IVs", "aes-xts-random " K32 REST " 1 integrity:16:none", .iv_mode = "random",
	  .key_size = 32, .tag_size = 16 },
	{ "an AEAD", "capi:gcm(aes)-random " K32 REST " 1 integrity:28:aead", .alg = "gcm(aes)",
	  .iv_mode = "random", .key_size = 32, .tag_size = 28, .aead = true },
	{ "tcw in an AEAD", "capi:gcm(aes)-tcw " K32 REST " 1 integrity:16:aead", .alg = "gcm(aes)",
	  .iv_mode = "tcw", .key_size = 32, .tag_size = 16, .aead = true },
	{ "as it was written", "capi:gcm(aes)-plain64 " K32 REST " 1 INTEGRITY:480:AeAd",
	  "capi:gcm(aes)-plain64 " K32 REST " 1 integrity:480:AeAd", .alg = "gcm(aes)",
	  .key_size = 32, .tag_size = 480, .aead = true },
	{ "of two the last, and it stays an AEAD",
	  "capi:gcm(aes)-random " K32 REST " 2 integrity:28:aead integrity:32:none",
	  "capi:gcm(aes)-random " K32 REST " 1 integrity:32:none", .alg = "gcm(aes)",
	  .iv_mode = "random", .key_size = 32, .tag_size = 32, .aead = true },
	{ "of two the last, and it becomes an AEAD",
	  "capi:gcm(aes)-random " K32 REST " 2 integrity:32:none integrity:28:aead",
	  "capi:gcm(aes)-random " K32 REST " 1 integrity:28:aead", .alg = "gcm(aes)",
	  .iv_mode = "random", .key_size = 32, .tag_size = 28, .aead = true },
	{ "device by its number in hex", "aes-cbc-plain64 " K16 " 0 fd00 0",
	  .alg = "cbc(aes)", .key_size = 16 },
	{ "device by the UUID of its partition",
	  "aes-cbc-plain64 " K16 " 0 PARTUUID=0f1e2d3c4b-01 0", .alg = "cbc(aes)", .key_size = 16 },
	{ "device of a long name in /dev", "aes-cbc-plain64 " K16 " 0 /dev/0123456789abcdef 0",
	  .alg = "cbc(aes)", .key_size = 16 },
	{ "a MAC", "capi:authenc(hmac(sha256),xts(aes))-plain64 " K32 REST " 1 integrity:32:aead",
	  .alg = "authenc(hmac(sha256),xts(aes))", .key_size = 32, .tag_size = 32, .aead = true,
	  .mac = "hmac(sha256)" },
	{ "a MAC below essiv", "capi:authenc(hmac(sha256),cbc(aes))-essiv:sha256 " K32 REST
	  " 1 integrity:32:aead", .alg = "essiv(authenc(hmac(sha256),cbc(aes)),sha256)",
	  .iv_mode = "essiv", .key_size = 32, .tag_size = 32, .aead = true, .mac = "hmac(sha256)" },
	{ "no MAC is looked for without aead", "capi:authenc(hmac(sha256),cbc(aes))-plain64 " K32 REST,
	  .alg = "authenc(hmac(sha256),cbc(aes))", .key_size = 32 },
	{ "a MAC key of another size", "capi:authenc(hmac(sha256),xts(aes))-plain64 " K32 REST
	  " 4 integrity_key_size:16 iv_large_sectors integrity:32:aead sector_size:4096",
	  "capi:authenc(hmac(sha256),xts(aes))-plain64 " K32 REST
	  " 4 integrity:32:aead sector_size:4096 iv_large_sectors integrity_key_size:16",
	  .alg = "authenc(hmac(sha256),xts(aes))", .key_size = 32, .tag_size = 32, .aead = true,
	  .mac = "hmac(sha256)", .key_mac = 16, .sector_size = 4096,
	  .options = OPT(IV_LARGE_SECTORS) },

	/* the key */
	{ "no key", "capi:ecb(cipher_null) -" REST, .alg = "ecb(cipher_null)", .iv_mode = "" },
	{ "half a byte more than the key", "aes-xts-plain64 " K32 "a" REST, XTS, .key_size = 32,
	  .odd = true },
	{ "a byte and a half", "aes-cbc-plain64 c0f" REST, "aes-cbc-plain64 c0" REST,
	  .alg = "cbc(aes)", .key_size = 1, .odd = true },
	{ "logon key", "aes-xts-plain64 :64:logon:cryptsetup:uuid-d0" REST, .key_size = 64,
	  .keyring = true },
	{ "user key", "aes-xts-plain64 :32:user:x" REST, .key_size = 32, .keyring = true },
	{ "key size with leading zeros", "aes-xts-plain64 :0064:logon:x:y" REST,
	  "aes-xts-plain64 :64:logon:x:y" REST, .key_size = 64, .keyring = true },
	{ "the largest key size", "aes-xts-plain64 :32768:user:x" REST,
	  .key_size = 32768, .keyring = true },

	/* numbers and the device */
	{ "iv_offset and start", "aes-xts-plain64 " K32 " 256 /dev/sda1 4096", .key_size = 32,
	  .iv_offset = 256, .start = 4096 },
	{ "the largest numbers",
	  "aes-xts-plain64 " K32 " 18446744073709551615 8:0 18446744073709551615",
	  .key_size = 32, .iv_offset = ~0ULL, .start = ~0ULL },
	{ "leading zeros", "aes-xts-plain64 " K32 " 0008 8:0 0016",
	  "aes-xts-plain64 " K32 " 8 8:0 16", .key_size = 32, .iv_offset = 8, .start = 16 },
	{ "iv_offset in the middle of nothing", "aes-xts-plain64 " K32 " 1 8:0 1",
	  .key_size = 32, .iv_offset = 1, .start = 1 },

	/* options */
	{ "no options, said so", XTS " 0", XTS, .key_size = 32 },
	{ "allow_discards", XTS " 1 allow_discards", .key_size = 32,
	  .options = OPT(ALLOW_DISCARDS) },
	{ "same_cpu_crypt", XTS " 1 same_cpu_crypt", .key_size = 32,
	  .options = OPT(SAME_CPU_CRYPT) },
	{ "high_priority", XTS " 1 high_priority", .key_size = 32,
	  .options = OPT(HIGH_PRIORITY) },
	{ "submit_from_crypt_cpus", XTS " 1 submit_from_crypt_cpus", .key_size = 32,
	  .options = OPT(SUBMIT_FROM_CRYPT_CPUS) },
	{ "no_read_workqueue", XTS " 1 no_read_workqueue", .key_size = 32,
	  .options = OPT(NO_READ_WORKQUEUE) },
	{ "no_write_workqueue", XTS " 1 no_write_workqueue", .key_size = 32,
	  .options = OPT(NO_WRITE_WORKQUEUE) },
	{ "iv_large_sectors", XTS " 1 iv_large_sectors", .key_size = 32,
	  .options = OPT(IV_LARGE_SECTORS) },
	{ "sector_size:512 is the default", XTS " 1 sector_size:512", XTS, .key_size = 32 },
	{ "sector_size:1024", XTS " 1 sector_size:1024", .key_size = 32, .sector_size = 1024 },
	{ "sector_size:2048", XTS " 1 sector_size:2048", .key_size = 32, .sector_size = 2048 },
	{ "sector_size:4096", XTS " 1 sector_size:4096", .key_size = 32, .sector_size = 4096 },
	{ "iv_offset of eight sectors of 512",
	  "aes-xts-plain64 " K32 " 8 8:0 1 1 sector_size:4096", .key_size = 32,
	  .iv_offset = 8, .start = 1, .sector_size = 4096 },
	{ "read_context:auto is the default", XTS " 1 read_context:auto", XTS, .key_size = 32 },
	{ "read_context:caller", XTS " 1 read_context:caller", .key_size = 32,
	  .read = ICRYPT_WANT_CALLER },
	{ "read_context:endio", XTS " 1 read_context:endio", .key_size = 32,
	  .read = ICRYPT_WANT_ENDIO },
	{ "read_context:workqueue", XTS " 1 read_context:workqueue", .key_size = 32,
	  .read = ICRYPT_WANT_WORKQUEUE },
	{ "write_context:auto is the default", XTS " 1 write_context:auto", XTS, .key_size = 32 },
	{ "write_context:caller", XTS " 1 write_context:caller", .key_size = 32,
	  .write = ICRYPT_WANT_CALLER },
	{ "write_context:workqueue", XTS " 1 write_context:workqueue", .key_size = 32,
	  .write = ICRYPT_WANT_WORKQUEUE },
	{ "cipher_engine:auto is the default", XTS " 1 cipher_engine:auto", XTS, .key_size = 32 },
	{ "cipher_engine:units", XTS " 1 Cipher_Engine:UNITS", XTS " 1 cipher_engine:units",
	  .key_size = 32, .engine = ICRYPT_ENGINE_UNITS },
	{ "cipher_engine:api", XTS " 1 cipher_engine:api", .key_size = 32,
	  .engine = ICRYPT_ENGINE_API },
	{ "an option twice", XTS " 2 allow_discards allow_discards", XTS " 1 allow_discards",
	  .key_size = 32, .options = OPT(ALLOW_DISCARDS) },
	{ "the last of two values", XTS " 2 sector_size:4096 sector_size:1024",
	  XTS " 1 sector_size:1024", .key_size = 32, .sector_size = 1024 },
	{ "words behind the options", XTS " 1 allow_discards sector_size:4096 rubbish",
	  XTS " 1 allow_discards", .key_size = 32, .options = OPT(ALLOW_DISCARDS), .ignored = 2 },
	{ "words behind none", XTS " 0 allow_discards", XTS, .key_size = 32, .ignored = 1 },
	{ "as many options as dm-crypt takes, and our own",
	  XTS " 11 high_priority read_context:endio "
	  "high_priority high_priority high_priority high_priority high_priority high_priority "
	  "high_priority write_context:caller high_priority",
	  XTS " 3 high_priority read_context:endio write_context:caller", .key_size = 32,
	  .options = OPT(HIGH_PRIORITY), .read = ICRYPT_WANT_ENDIO, .write = ICRYPT_WANT_CALLER },
	{ "back to the default", XTS " 2 read_context:endio read_context:auto", XTS,
	  .key_size = 32 },
	{ "whatever case", XTS " 4 Allow_Discards SECTOR_SIZE:4096 Read_Context:ENDIO WRITE_context:Caller",
	  XTS " 4 allow_discards sector_size:4096 read_context:endio write_context:caller",
	  .key_size = 32, .options = OPT(ALLOW_DISCARDS), .sector_size = 4096,
	  .read = ICRYPT_WANT_ENDIO, .write = ICRYPT_WANT_CALLER },
	{ "all options, printed in dm-crypt's order and our own last",
	  XTS " 11 cipher_engine:api write_context:workqueue iv_large_sectors read_context:caller "
	  "sector_size:4096 no_write_workqueue no_read_workqueue submit_from_crypt_cpus "
	  "high_priority same_cpu_crypt allow_discards",
	  XTS " 11 allow_discards same_cpu_crypt high_priority submit_from_crypt_cpus "
	  "no_read_workqueue no_write_workqueue sector_size:4096 iv_large_sectors "
	  "read_context:caller write_context:workqueue cipher_engine:api",
	  .key_size = 32, .options = (1UL << ICRYPT_OPT_COUNT) - 1, .sector_size = 4096,
	  .read = ICRYPT_WANT_CALLER, .write = ICRYPT_WANT_WORKQUEUE,
	  .engine = ICRYPT_ENGINE_API },
};

static int digit(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* The key of a line that has it in hex digits, NULL for one that has not. */
static u8 *key_of(const struct icrypt_table *t, const char *word)
{
	u8 *key;

	if (t->key_in_keyring || !t->key_size)
		return NULL;
	key = malloc(t->key_size);
	for (unsigned int i = 0; i < t->key_size; i++)
		key[i] = digit(word[2 * i]) << 4 | digit(word[2 * i + 1]);
	return key;
}

static bool same(const struct icrypt_table *a, const struct icrypt_table *b)
{
	return !strcmp(a->cipher, b->cipher) && !strcmp(a->alg, b->alg) &&
	       !strcmp(a->iv_mode, b->iv_mode) && a->key_count == b->key_count &&
	       /* of digits, those of whole bytes */
	       !strncmp(a->key, b->key, a->key_in_keyring ? SIZE_MAX : 2 * a->key_size) &&
	       a->key_size == b->key_size &&
	       a->key_in_keyring == b->key_in_keyring && a->iv_offset == b->iv_offset &&
	       !strcmp(a->device, b->device) && a->start == b->start &&
	       a->options == b->options && a->sector_size == b->sector_size &&
	       a->tag_size == b->tag_size && a->aead == b->aead && !strcmp(a->mac, b->mac) &&
	       !strcmp(a->auth, b->auth) && a->key_mac == b->key_mac &&
	       a->key_mac_set == b->key_mac_set &&
	       a->read_context == b->read_context && a->write_context == b->write_context &&
	       a->cipher_engine == b->cipher_engine;
}

static bool as_expected(const struct icrypt_table *t, const struct good *g, char **argv)
{
	return t->cipher == argv[0] && t->device == argv[3] &&
	       !strcmp(t->alg, g->alg ?: "xts(aes)") &&
	       !strcmp(t->iv_mode, g->iv_mode ?: "plain64") &&
	       t->key_count == (g->key_count ?: 1) && t->key_size == g->key_size &&
	       t->key_in_keyring == g->keyring && t->iv_offset == g->iv_offset &&
	       t->start == g->start && t->options == g->options &&
	       t->sector_size == (g->sector_size ?: 512) &&
	       t->tag_size == g->tag_size && t->aead == g->aead && !strcmp(t->mac, g->mac ?: "") &&
	       t->key_mac == g->key_mac && t->key_mac_set == !!g->key_mac &&
	       t->key_odd == g->odd && t->ignored == g->ignored &&
	       t->read_context == g->read && t->write_context == g->write &&
	       t->cipher_engine == g->engine;
}

static void test_good(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(goods); i++) {
		const struct good *g = &goods[i];
		const char *want = g->printed ?: g->line;
		struct icrypt_table t, again;
		struct words w, w2;
		char buf[1024];
		unsigned int n;
		u8 *key;
		int err;

		words_split(&w, g->line);
		memset(&t, 0xff, sizeof(t));
		err = icrypt_table_parse(&t, w.argc, w.argv);
		if (!ok(!err && !t.error && !t.word && as_expected(&t, g, w.argv),
			"accepted: %s", g->what))
			diag("result %d, %s; %s-%s, key %u, options %lx", err,
			     err ? t.error : "fine", t.alg, t.iv_mode, t.key_size, t.options);
		ok(words_unchanged(&w), "  its words stay as they are");
		if (err) {
			words_free(&w);
			continue;
		}

		key = key_of(&t, w.argv[1]);
		n = icrypt_table_print(&t, ICRYPT_PRINT_TABLE, key, buf, sizeof(buf));
		if (!ok(n == strlen(buf) && !strcmp(buf, want), "  it is printed as expected"))
			diag("want %s", want), diag("got  %s", buf);

		words_split(&w2, buf);
		err = icrypt_table_parse(&again, w2.argc, w2.argv);
		/* Of two integrity options the print has one, and that may be "none". */
		again.aead |= t.aead && !strcmp(t.auth, "none");
		ok(!err && same(&t, &again), "  which is parsed to the same");
		free(key);
		words_free(&w2);
		words_free(&w);
	}
}

static const char e_cipher_key[] =
	"Cipher has 8 hex digits in a row, is it the key? That comes second";
static const char e_device_key[] =
	"Device has 8 hex digits in a row, is it the key? That comes second";
static const char e_few[] = "Too few arguments, need <cipher> <key> <iv_offset> <device> <start>";
static const char e_short[] = "Cannot parse key, too short";
static const char e_key[] = "Cannot parse key size, write :<bytes>:<type>:<description>";
static const char e_space[] = "Whitespace not allowed in a key description";
static const char e_opts[] = "Invalid number of feature args, must be the number of words after it";
static const char e_opt[] = "Invalid feature argument, no option has this name";
static const char e_opts_max[] = "Invalid number of feature args, dm-crypt takes 9 of its own";
static const char e_size[] = "Invalid sector_size, use 512, 1024, 2048 or 4096";
static const char e_read[] = "Invalid read_context, use auto, caller, endio or workqueue";
static const char e_write[] = "Invalid write_context, use auto, caller or workqueue";
static const char e_engine[] = "Invalid cipher_engine, use auto, units or api";
static const char e_integrity[] = "Invalid integrity, write integrity:<bytes>:<aead|none>";
static const char e_tags[] = "Invalid integrity, use 1 to 480 bytes";
static const char e_profile[] = "Unknown integrity profile, use aead or none";
static const char e_mac_key[] = "Invalid integrity_key_size, use the MAC's key size";
static const char e_mac[] = "Bad MAC in the cipher, write authenc(hmac(sha256),xts(aes))";
static const char e_aead[] = "AEAD needs a crypto API name, write capi:gcm(aes)-random";
static const char e_aead_iv[] = "AEAD not possible with this IV mode, use plain64 or random";
static const char e_iv_offset[] = "Invalid iv_offset sector, must be a multiple of sector_size";
static const char e_start[] = "Invalid device sector";
static const char e_long[] = "Cipher specification too long";
static const char e_capi[] = "Bad cipher specification, crypto API names start with capi:";
static const char e_capi_none[] = "Cipher missing after capi:, write capi:xts(aes)-plain64";
static const char e_none[] = "Cipher missing, write aes-xts-plain64";
static const char e_count[] = "Bad cipher key count, must be a power of two";
static const char e_iv[] = "IV mechanism required, write aes-xts-plain64";
static const char e_iv_mode[] = "Invalid IV mode, use plain64 for a new device";
static const char e_digest[] = "Digest algorithm missing for ESSIV mode, write essiv:sha256";

#define X10	"xxxxxxxxxx"
#define X100	X10 X10 X10 X10 X10 X10 X10 X10 X10 X10
#define CIPHER(spec)	spec " " K32 REST
#define KEY(key)	"aes-xts-plain64 " key REST
#define BIG		"18446744073709551616"

static const struct bad {
	const char *line, *error;
	unsigned int word;
} bads[] = {
	{ "", e_few },
	{ "aes-xts-plain64", e_few },
	{ "aes-xts-plain64 " K32, e_few },
	{ "aes-xts-plain64 " K32 " 0 8:0", e_few },

	{ KEY("c"), e_short, 2 },
	{ KEY(":"), e_key, 2 },
	{ KEY("::user:x"), e_key, 2 },
	{ KEY(":32"), e_key, 2 },
	{ KEY(":0:user:x"), e_key, 2 },
	{ KEY(":-32:user:x"), e_key, 2 },
	{ KEY(":+32:user:x"), e_key, 2 },
	{ KEY(":0x20:user:x"), e_key, 2 },
	{ KEY(":32x:user:x"), e_key, 2 },
	{ "aes-xts-plain64 " K32 " +8 8:0 0", e_iv_offset, 3 },
	{ "aes-xts-plain64 " K32 " 0 8:0 +8", e_start, 5 },
	{ XTS " +1 allow_discards", e_opts, 6 },
	{ KEY(":2147483648:user:x"), "Key too large for any cipher", 2 },
	{ KEY(":32769:user:x"), "Key too large for any cipher", 2 },

	{ KEY(":4294967328:user:x"), e_key, 2 },
	{ KEY(":" BIG ":user:x"), e_key, 2 },
	{ KEY(":000000000032:user:x"), e_key, 2 },
	{ KEY(":32:user:a\tb"), e_space, 2 },
	{ KEY(":32:user:a\n"), e_space, 2 },

	{ XTS " 1", e_opts, 6 },
	{ XTS " 2 allow_discards", e_opts, 6 },
	{ XTS " -1 allow_discards", e_opts, 6 },
	{ XTS " 4294967297 allow_discards", e_opts, 6 },
	{ XTS " 0x1 allow_discards", e_opts, 6 },
	{ XTS " allow_discards", e_opts, 6 },
	{ XTS " 1 no_such_option", e_opt, 7 },
	{ XTS " 1 allow_discard", e_opt, 7 },
	{ XTS " 1 allow_discards2", e_opt, 7 },
	{ XTS " 1 sector_size", e_opt, 7 },
	{ XTS " 1 read_context", e_opt, 7 },
	{ XTS " 2 allow_discards foo", e_opt, 8 },
	{ XTS " 10 high_priority high_priority high_priority high_priority high_priority "
	  "high_priority high_priority high_priority high_priority high_priority", e_opts_max, 6 },
	{ XTS " 1 sector_size:", e_size, 7 },
	{ XTS " 1 sector_size:0", e_size, 7 },
	{ XTS " 1 sector_size:256", e_size, 7 },
	{ XTS " 1 sector_size:511", e_size, 7 },
	{ XTS " 1 sector_size:513", e_size, 7 },
	{ XTS " 1 sector_size:1536", e_size, 7 },
	{ XTS " 1 sector_size:4097", e_size, 7 },
	{ XTS " 1 sector_size:8192", e_size, 7 },
	{ XTS " 1 sector_size:-512", e_size, 7 },
	{ XTS " 1 sector_size:512x", e_size, 7 },
	{ XTS " 1 sector_size:66048", e_size, 7 },
	{ XTS " 1 sector_size:4294967808", e_size, 7 },
	{ XTS " 1 read_context:", e_read, 7 },
	{ XTS " 1 read_context:softirq", e_read, 7 },
	{ XTS " 1 read_context:end", e_read, 7 },
	{ XTS " 1 cipher_engine", e_opt, 7 },
	{ XTS " 1 cipher_engine:", e_engine, 7 },
	{ XTS " 1 cipher_engine:unit", e_engine, 7 },
	{ XTS " 1 write_context:", e_write, 7 },
	{ XTS " 1 write_context:endio", e_write, 7 },
	{ XTS " 1 write_context:workqueues", e_write, 7 },
	{ XTS " 1 integrity:", e_integrity, 7 },
	{ XTS " 1 integrity:32", e_integrity, 7 },
	{ XTS " 1 integrity::aead", e_integrity, 7 },
	{ XTS " 1 integrity:123456789:aead", e_integrity, 7 },
	{ XTS " 1 integrity:0:aead", e_tags, 7 },
	{ XTS " 1 integrity:481:aead", e_tags, 7 },
	{ XTS " 1 integrity:x:aead", e_tags, 7 },
	{ XTS " 1 integrity:-1:none", e_tags, 7 },
	{ XTS " 1 integrity:16:", e_profile, 7 },
	{ XTS " 1 integrity:16:poem", e_profile, 7 },
	{ XTS " 1 integrity:16:aead2", e_profile, 7 },
	{ XTS " 1 integrity_key_size:", e_mac_key, 7 },
	{ XTS " 1 integrity_key_size:0", e_mac_key, 7 },
	{ XTS " 1 integrity_key_size:x", e_mac_key, 7 },
	{ XTS " 1 integrity:16:aead", e_aead, 1 },
	{ CIPHER("capi:authenc(hmac(sha256)") " 1 integrity:32:aead", e_mac, 1 },
	{ CIPHER("capi:authenc(,xts(aes))-plain64") " 1 integrity:32:aead", e_mac, 1 },
	{ CIPHER("capi:authenc(" X100 ",x)-plain64") " 1 integrity:32:aead", e_mac, 1 },
	{ CIPHER("capi:gcm(aes)-lmk") " 1 integrity:16:aead", e_aead_iv, 1 },
	{ CIPHER("capi:gcm(aes)-lmk") " 2 integrity:16:aead integrity:16:none", e_aead_iv, 1 },
	{ XTS " 2 integrity:16:aead integrity:16:none", e_aead, 1 },
	{ CIPHER("capi:gcm(aes)-eboiv") " 1 integrity:16:aead", e_aead_iv, 1 },
	{ CIPHER("capi:gcm(aes)-elephant") " 1 integrity:16:aead", e_aead_iv, 1 },

	{ CIPHER("aes-cbc-" X100 X10 X10), e_long, 1 },
	{ CIPHER(X100 X100), e_long, 1 },
	{ CIPHER("aes-cbc-essiv:" X100 X10 "xxx"), e_long, 1 },
	{ CIPHER("xts(aes)-plain64"), e_capi, 1 },
	{ CIPHER("capi:"), e_capi_none, 1 },
	{ CIPHER("capi:-plain64"), e_capi_none, 1 },
	{ CIPHER("capi::sha256"), e_capi_none, 1 },
	{ CIPHER("-cbc-plain64"), e_none, 1 },
	{ CIPHER("-"), e_none, 1 },
	{ CIPHER(":2-cbc-plain64"), e_none, 1 },
	{ CIPHER("aes:0-cbc-plain64"), e_count, 1 },
	{ CIPHER("aes:3-cbc-plain64"), e_count, 1 },
	{ CIPHER("aes:2049-cbc-plain64"), e_count, 1 },
	{ CIPHER("aes:-2-cbc-plain64"), e_count, 1 },
	{ CIPHER("aes:x-cbc-plain64"), e_count, 1 },
	{ CIPHER("aes:-cbc-plain64"), e_count, 1 },
	{ CIPHER("aes:8388609-cbc-plain64"), e_count, 1 },
	{ CIPHER("aes-cbc"), e_iv, 1 },
	{ CIPHER("aes-xts"), e_iv, 1 },
	{ CIPHER("aes-cbc-"), e_iv_mode, 1 },
	{ CIPHER("aes-cbc-plain65"), e_iv_mode, 1 },
	{ CIPHER("aes-cbc-PLAIN64"), e_iv_mode, 1 },
	{ CIPHER("aes-cbc-plain64-plain64"), e_iv_mode, 1 },
	{ CIPHER("capi:xts(aes)-"), e_iv_mode, 1 },
	{ CIPHER("capi:xts(aes)-foo"), e_iv_mode, 1 },
	{ CIPHER("aes-cbc-essiv"), e_digest, 1 },
	{ CIPHER("aes-cbc-essiv:"), e_digest, 1 },
	{ CIPHER("capi:cbc(aes)-essiv"), e_digest, 1 },
	{ K32 " aes-xts-plain64" REST, e_cipher_key, 1 },
	{ "12345678 aes-xts-plain64" REST, e_cipher_key, 1 },
	{ "1234567:A " K32 REST, e_count, 1 },
	{ CIPHER("aes:4294967296-cbc-plain64"), e_cipher_key, 1 },
	{ CIPHER("capi:xts(12345678)-plain64"), e_cipher_key, 1 },
	{ CIPHER("capi:xts(aes)-plain64:DEADBEEF"), e_cipher_key, 1 },
	{ "des-cbc-plain64 1234567812345678 0 " K16 " 0", e_device_key, 4 },
	{ "aes-xts-plain64 :64:user:x 0 :" K32 " 0", e_device_key, 4 },

	{ "aes-xts-plain64 " K32 " -1 8:0 0", e_iv_offset, 3 },
	{ "aes-xts-plain64 " K32 " x 8:0 0", e_iv_offset, 3 },
	{ "aes-xts-plain64 " K32 " 0x8 8:0 0", e_iv_offset, 3 },
	{ "aes-xts-plain64 " K32 " 8s 8:0 0", e_iv_offset, 3 },
	{ "aes-xts-plain64 " K32 " " BIG " 8:0 0", e_iv_offset, 3 },
	{ "aes-xts-plain64 " K32 " 1 8:0 0 1 sector_size:1024", e_iv_offset, 3 },
	{ "aes-xts-plain64 " K32 " 12 8:0 0 1 sector_size:4096", e_iv_offset, 3 },
	{ "aes-xts-plain64 " K32 " 4 8:0 0 2 sector_size:4096 iv_large_sectors", e_iv_offset, 3 },
	{ "aes-xts-plain64 " K32 " 0 8:0 -1", e_start, 5 },
	{ "aes-xts-plain64 " K32 " 0 8:0 1M", e_start, 5 },
	{ "aes-xts-plain64 " K32 " 0 8:0 " BIG, e_start, 5 },
};

static void test_bad(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(bads); i++) {
		const struct bad *b = &bads[i];
		struct icrypt_table t;
		struct words w;
		bool good;
		int err;

		words_split(&w, b->line);
		memset(&t, 0xff, sizeof(t));
		err = icrypt_table_parse(&t, w.argc, w.argv);
		good = err == -EINVAL && t.error && !strcmp(t.error, b->error) &&
		       t.word == b->word;
		/* What follows a newline is no part of a test's name. */
		if (!ok(good, "refused: %.*s...: %s", (int)strcspn(b->line, "\t\n"), b->line,
			b->error))
			diag("result %d, %s, word %u", err, err ? t.error : "-", t.word);
		ok(words_unchanged(&w), "  its words stay as they are");
		ok(!leaks_said(&t, err, K32), "  the message keeps the key to itself");
		words_free(&w);
	}
}

/* The longest specification that fits, and the next one. */
static void test_cipher_length(void)
{
	static const struct {
		const char *before, *after;
		unsigned int fits;	/* characters in between */
	} lengths[] = {
		{ "", "-cbc-plain64", 127 - 12 },
		{ "capi:", "-plain64", 127 - 13 },
		{ "capi:", "", 127 - 5 },
		{ "capi:", "-essiv:d", 127 - 13 },
		/* here the limit is that of essiv(cbc(...),d) */
		{ "", "-cbc-essiv:d", 127 - 14 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		for (unsigned int more = 0; more < 2; more++) {
			unsigned int len = lengths[i].fits + more;
			char spec[256], line[512];
			struct icrypt_table t;
			struct words w;
			int err;

			snprintf(spec, sizeof(spec), "%s%.*s%s", lengths[i].before, len,
				 X100 X100, lengths[i].after);
			snprintf(line, sizeof(line), "%s " K32 REST, spec);
			words_split(&w, line);
			err = icrypt_table_parse(&t, w.argc, w.argv);
			if (!ok(more ? err == -EINVAL && !strcmp(t.error, e_long) : !err,
				"%s<%u characters>%s %s", lengths[i].before, len,
				lengths[i].after, more ? "is too long" : "fits"))
				diag("result %d, %s", err, err ? t.error : t.alg);
			words_free(&w);
		}
	}
}

static void test_key_parse(void)
{
	struct icrypt_table t = {};

	ok(!icrypt_key_parse(&t, K16) && t.key_size == 16 && !t.key_in_keyring &&
	   !strcmp(t.key, K16), "a key word on its own: hex digits");
	ok(!icrypt_key_parse(&t, "-") && t.key_size == 0 && !t.key_in_keyring,
	   "a key word on its own: none");
	ok(!icrypt_key_parse(&t, ":64:logon:a:b") && t.key_size == 64 && t.key_in_keyring &&
	   !strcmp(t.key, "logon:a:b"), "a key word on its own: keyring");
	ok(icrypt_key_parse(&t, ":64") == -EINVAL && !strcmp(t.error, e_key),
	   "a key word on its own: refused");
}

#define LEAK_WORDS	8

/* What a line of these words, one of which is the key, lets out of the key. */
static const char *line_leaks(char *const *words, unsigned int n, const char *key)
{
	char line[1024] = "";
	const char *leak;
	struct icrypt_table t;
	struct words w;
	int err;

	for (unsigned int i = 0; i < n; i++) {
		strcat(line, i ? " " : "");
		strcat(line, words[i]);
	}
	words_split(&w, line);
	memset(&t, 0xff, sizeof(t));
	err = icrypt_table_parse(&t, w.argc, w.argv);
	leak = leaks_said(&t, err, key) ?: leaks_asked(&t, err, key);
	if (leak)
		diag("%s: %s", leak, line);
	words_free(&w);
	return leak;
}

/* Every order of words[at] to words[n - 1]; how many of them leak. */
static unsigned int orders_leak(char **words, unsigned int n, unsigned int at, const char *key,
				unsigned int *tried)
{
	unsigned int i, leaks = 0;
	char *word;

	if (at + 1 >= n) {
		++*tried;
		return !!line_leaks(words, n, key);
	}
	for (i = at; i < n; i++) {
		word = words[at], words[at] = words[i], words[i] = word;
		leaks += orders_leak(words, n, at + 1, key, tried);
		word = words[at], words[at] = words[i], words[i] = word;
	}
	return leaks;
}

/* A character left out, put in, or both: words are joined, split and misspelt. */
static unsigned int typos_leak(char **words, unsigned int n, const char *key, unsigned int *tried)
{
	static const char * const put[] = { "", " ", "-", ":", "g" };
	unsigned int leaks = 0;
	char all[1024] = "";

	for (unsigned int i = 0; i < n; i++) {
		strcat(all, i ? " " : "");
		strcat(all, words[i]);
	}
	for (size_t at = 0; at <= strlen(all); at++) {
		for (size_t i = 0; i < ARRAY_SIZE(put); i++) {
			for (unsigned int cut = 0; cut < 2; cut++) {
				char line[1024], *one = line;

				if (at + cut > strlen(all))
					continue;
				snprintf(line, sizeof(line), "%.*s%s%s", (int)at, all, put[i],
					 all + at + cut);
				++*tried;
				leaks += !!line_leaks(&one, 1, key);
			}
		}
	}
	return leaks;
}

static void test_leaks(void)
{
#define DIGITS	"1234567887654321"
#define UPPER	"C0FFEE00112233445566778899AABBCC"
	/* As it is written, and how much of that is the key's text */
	static const struct {
		const char *word, *text;
	} keys[] = {
		{ K32, K32 }, { ":" K16, ":" K16 }, { DIGITS DIGITS, DIGITS DIGITS },
		{ ":32:user:" K32, K32 }, { DIGITS, DIGITS }, { UPPER, UPPER },
		{ "0x" K16, "0x" K16 }, { "capi:" K16, K16 }, { "aes-" K16, K16 },
		{ K16 "-plain64", K16 }, { "capi:" K16 "(aes)-plain64", K16 },
		{ "aes:" DIGITS "-cbc-plain64", DIGITS }, { "8:" DIGITS, DIGITS },
	};
	/* K stands for the key */
	static const char * const lines[] = {
		"aes-xts-plain64 K 0 8:0 0",
		"aes-cbc-essiv:sha256 K 8 /dev/sda1 2048",
		"aes K 0 254:0 4096",
		"des-cbc-plain64 K 1234567812345678 8:0 1234567812345678",
		"aes:64-cbc-lmk K 0 8:0 0",
		"capi:xts(aes)-plain64 K 0 8:0 0",
		"capi:authenc(hmac(sha256),xts(aes))-random K 0 8:0 0",
		"cipher_null-ecb K 0 8:0 0",
		"aes-xts-plain64 K 0 8:0 0 1 allow_discards",
		"capi:gcm(aes)-random K 0 8:0 0 1 integrity:28:aead",
		"aes-xts-plain64 K 0 8:0 0 1 read_context:endio",
	};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		unsigned int orders = 0, typos = 0, tried = 0, tried_typos = 0;

		for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
			char *words[LEAK_WORDS];
			struct words w;
			unsigned int n;

			words_split(&w, lines[i]);
			for (n = 0; n < w.argc; n++)
				words[n] = strcmp(w.argv[n], "K") ? w.argv[n] : (char *)keys[k].word;
			/* All orders and mistakes of all lines take long under ASan. */
			if (n == 5 || k < 2)
				orders += orders_leak(words, n, 0, keys[k].text, &tried);
			for (unsigned int to = 0; to < n && k < 4; to++) {
				char *word = words[to];

				words[to] = words[1];
				words[1] = word;
				typos += typos_leak(words, n, keys[k].text, &tried_typos);
				words[1] = words[to];
				words[to] = word;
			}
			words_free(&w);
		}
		ok(!orders, "\"%s\" in %u orders: no 8 bytes of the key come out", lines[i], tried);
		ok(!typos, "\"%s\" with %u mistakes: no 8 bytes of the key come out", lines[i],
		   tried_typos);
	}
}

/* What the crypto API does not have is told by what is known of its name. */
static void test_alg_print(void)
{
	static const struct {
		const char *alg, *want;
	} algs[] = {
		{ "xts(aes)", "xts(aes)" },
		{ "xts(rot13)", "xts(?)" },
		{ "sideways(aes)", "?(aes)" },
		{ "authenc(hmac(sha256),xts(aes))", "authenc(hmac(sha256),xts(aes))" },
		{ "essiv(cbc(aes),sha3-256)", "essiv(cbc(aes),sha3-256)" },
		{ "xts-aes-aesni-avx512", "xts-aes-aesni-avx512" },
		{ "xts-aes-wonder", "xts-aes-?" },
		{ "cbc(correct horse battery)", "cbc(?)" },
		{ "cbc(aes\n)", "cbc(?)" },
		{ "cbc(aesaes)", "cbc(?)" },
		{ "AES", "?" },
		{ ",,-(()", ",,-(()" },
		{ "cbc(" K32 ")", "cbc(?)" },
		{ "", "" },
	};
	char buf[ICRYPT_ALG_NAME_MAX], small[6];

	for (size_t i = 0; i < ARRAY_SIZE(algs); i++) {
		icrypt_alg_print(algs[i].alg, buf, sizeof(buf));
		if (!ok(!strcmp(buf, algs[i].want), "algorithm %zu is printed as \"%s\"", i + 1,
			algs[i].want))
			diag("got %s", buf);
	}
	icrypt_alg_print("xts(aes)", small, sizeof(small));
	ok(!strcmp(small, "xts(a"), "an algorithm is cut at the size of the buffer");
}

static void test_print_key(void)
{
	static const char zeros[] = "aes-xts-plain64 "
		"0000000000000000000000000000000000000000000000000000000000000000 8 8:0 16";
	struct icrypt_table t;
	struct words w;
	char buf[1024];

	words_split(&w, "aes-xts-plain64 " K32 " 8 8:0 16");
	ok(!icrypt_table_parse(&t, w.argc, w.argv), "a line with a key in hex digits");
	icrypt_table_print(&t, ICRYPT_PRINT_TABLE, NULL, buf, sizeof(buf));
	if (!ok(!strcmp(buf, zeros), "  is printed with zeros in place of the key"))
		diag("%s", buf);
	/* The target drops the pointer to the word. */
	t.key = NULL;
	icrypt_table_print(&t, ICRYPT_PRINT_TABLE, NULL, buf, sizeof(buf));
	ok(!strcmp(buf, zeros), "  even if that is forgotten");
	words_free(&w);
}

static void test_print_ima(void)
{
	static const struct {
		const char *line, *want;
	} ima[] = {
		{ XTS, ",allow_discards=n,same_cpu_crypt=n,high_priority=n,"
		  "submit_from_crypt_cpus=n,no_read_workqueue=n,no_write_workqueue=n,"
		  "iv_large_sectors=n,cipher_string=aes-xts-plain64,key_size=32,key_parts=0,"
		  "key_extra_size=0,key_mac_size=0" },
		{ "aes:2-cbc-plain64 " K32 REST " 4 sector_size:4096 iv_large_sectors "
		  "high_priority read_context:endio",
		  ",allow_discards=n,same_cpu_crypt=n,high_priority=y,"
		  "submit_from_crypt_cpus=n,no_read_workqueue=n,no_write_workqueue=n,"
		  "iv_large_sectors=y,sector_size=4096,cipher_string=aes:2-cbc-plain64,"
		  "key_size=32,key_parts=0" },
		{ "capi:authenc(hmac(sha256),xts(aes))-random " K32 REST
		  " 3 integrity:48:aead sector_size:4096 integrity_key_size:16",
		  ",allow_discards=n,same_cpu_crypt=n,high_priority=n,"
		  "submit_from_crypt_cpus=n,no_read_workqueue=n,no_write_workqueue=n,"
		  "iv_large_sectors=n,integrity_tag_size=48,cipher_auth=aead,sector_size=4096,"
		  "cipher_string=capi:authenc(hmac(sha256),xts(aes))-random,"
		  "key_size=32,key_parts=0,key_extra_size=0,key_mac_size=16" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ima); i++) {
		static const u8 key[32] = { 0xc0, 0xff, 0xee };
		struct icrypt_table t;
		struct words w;
		char buf[1024];
		unsigned int n;

		words_split(&w, ima[i].line);
		icrypt_table_parse(&t, w.argc, w.argv);
		n = icrypt_table_print(&t, ICRYPT_PRINT_IMA, key, buf, sizeof(buf));
		/* Without one attribute where dm-crypt does not have it. */
		icrypt_table_print(&t, ICRYPT_PRINT_IMA_1_24, key, buf + n + 1,
				   sizeof(buf) - n - 1);
		ok(!strstr(buf + n + 1, "high_priority") &&
		   strlen(buf + n + 1) + strlen(",high_priority=n") == n,
		   "  and high_priority where there is such an option");
		/* Attributes may follow that dm-crypt measures and we have not. */
		if (!ok(n == strlen(buf) && strstarts(buf, ima[i].want),
			"IMA measures the attributes of line %zu", i + 1))
			diag("%s", buf);
		ok(!leaks(buf, K32), "  and not the key");
		words_free(&w);
	}
}

/* Into a buffer of each size, allocated as long as that so that ASan looks on. */
static void test_truncation(const char *what, const char *line, enum icrypt_print print)
{
	static const u8 key[32] = { 1, 2, 3 };
	bool prefix = true, terminated = true, counted = true;
	unsigned int full, size, n;
	struct icrypt_table t;
	struct words w;
	char all[1024];

	words_split(&w, line);
	icrypt_table_parse(&t, w.argc, w.argv);
	full = icrypt_table_print(&t, print, key, all, sizeof(all));

	for (size = 1; size <= full + 2; size++) {
		char *buf = malloc(size);

		memset(buf, 'x', size);
		n = icrypt_table_print(&t, print, key, buf, size);
		counted &= n == (size <= full ? size - 1 : full);
		terminated &= n < size && buf[n] == '\0';
		prefix &= n < size && !memcmp(buf, all, n);
		free(buf);
	}
	ok(counted, "%s: cut at sizes 1 to %u, the count is what was written", what, full + 2);
	ok(terminated, "%s: always terminated", what);
	ok(prefix, "%s: always the beginning of the whole", what);
	/* Not even the end of a string fits into nothing. */
	n = icrypt_table_print(&t, print, key, all + sizeof(all), 0);
	ok(n == 0, "%s: nothing is written into nothing", what);
	words_free(&w);
}

int main(void)
{
	test_good();
	test_bad();
	test_cipher_length();
	test_key_parse();
	test_leaks();
	test_alg_print();
	test_print_key();
	test_print_ima();
	test_truncation("table line", XTS, ICRYPT_PRINT_TABLE);
	test_truncation("keyring", "aes-xts-plain64 :64:logon:a:b" REST, ICRYPT_PRINT_TABLE);
	test_truncation("options", XTS " 5 allow_discards sector_size:4096 iv_large_sectors "
			"read_context:endio write_context:caller", ICRYPT_PRINT_TABLE);
	test_truncation("IMA", XTS " 1 sector_size:4096", ICRYPT_PRINT_IMA);
	return done();
}
