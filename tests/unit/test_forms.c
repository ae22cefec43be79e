/* SPDX-License-Identifier: Apache-2.0 */
/* test_forms: every written form of a key (tests/dump/plant.c) is found where it lies, proved, and as the key it is; and what
 * only looks like one is not.  Keys are made here and now: the test has never seen them before. */
#include <stdlib.h>

#include "../dump/plant.h"
#include "check.h"
#include "dump/anchor.h"
#include "dump/dump.h"
#include "dump/form.h"

static uint64_t chance = 0x2545f4914f6cdd1d;

static uint8_t noise(void)
{
	chance ^= chance << 13;
	chance ^= chance >> 7;
	chance ^= chance << 17;
	return (uint8_t)(chance >> 32);
}

/* the form between noise */
static struct buf laid(const struct buf *form, size_t before, size_t behind)
{
	struct buf b;
	buf_init(&b, 64 << 20);
	for (size_t i = 0; i < before; i++)
		buf_add_char(&b, (char)noise());
	buf_add_char(&b, 0);
	buf_add(&b, form->p, form->n);
	buf_add_char(&b, 0);
	for (size_t i = 0; i < behind; i++)
		buf_add_char(&b, (char)noise());
	return b;
}

struct seen {
	size_t hits, proved, inside, locked, keys, allowed;
	uint8_t spki[32];
	char layout[64];
	uint64_t longest;
};

static struct seen scan(const void *p, size_t n, const struct dump_target *targets, size_t n_targets, enum dump_path path, size_t from, size_t to)
{
	struct dump_options o = { .targets = targets, .n_targets = n_targets, .threads = 1, .only = "forms", .no_harvest = true, .path = path };
	struct dump_reader *r = dump_reader_memory(p, n);
	struct dump_image *im = dump_image_open(r, "test");
	struct dump_scan *s = dump_scan_new(&o);
	struct seen ret = { 0 };
	size_t n_hits, n_keys;

	CHECK(im && s && dump_scan_image(s, im));
	const struct dump_hit *h = dump_hits(s, &n_hits);
	const struct dump_key *k = dump_keys(s, &n_keys);
	ret.hits = n_hits;
	ret.keys = n_keys;
	for (size_t i = 0; i < n_hits; i++) {
		ret.proved += h[i].klass == DUMP_PROVED;
		ret.locked += h[i].klass == DUMP_LOCKED;
		ret.inside += h[i].offset >= from && h[i].offset + h[i].length <= to;
		ret.longest = h[i].length > ret.longest ? h[i].length : ret.longest;
		snprintf(ret.layout, sizeof ret.layout, "%s", h[i].layout);
	}
	for (size_t i = 0; i < n_keys; i++)
		ret.allowed += k[i].allowed != NULL;
	if (n_keys == 1)
		memcpy(ret.spki, k[0].spki, 32);
	dump_scan_free(s);
	dump_image_free(im);
	dump_reader_free(r);
	return ret;
}

static struct dump_target target_of(EVP_PKEY *key, uint8_t *bytes)
{
	struct dump_target t = { .bits = (unsigned)EVP_PKEY_get_bits(key), .kid = "", .subject = "" };
	size_t n = 0;
	plant_spki(key, t.spki);
	if (EVP_PKEY_is_a(key, "RSA")) {
		BIGNUM *x = NULL, *e = NULL;
		EVP_PKEY_get_bn_param(key, "n", &x);
		EVP_PKEY_get_bn_param(key, "e", &e);
		t.algorithm = DUMP_RSA;
		t.n = (struct dump_bytes){ bytes, (size_t)BN_bn2bin(x, bytes) };
		t.e = (struct dump_bytes){ bytes + t.n.n, (size_t)BN_bn2bin(e, bytes + t.n.n) };
		BN_free(x);
		BN_free(e);
	} else if (EVP_PKEY_is_a(key, "EC")) {
		t.algorithm = DUMP_EC;
		t.group = "prime256v1";
		EVP_PKEY_set_utf8_string_param(key, "point-format", "uncompressed");
		EVP_PKEY_get_octet_string_param(key, "pub", bytes, 256, &n);
		t.point = (struct dump_bytes){ bytes, n };
	} else {
		t.algorithm = DUMP_ED25519;
		n = 256;
		EVP_PKEY_get_raw_public_key(key, bytes, &n);
		t.point = (struct dump_bytes){ bytes, n };
	}
	return t;
}

/* those that are for the number, structure and schedule finders */
static bool is_ours(const struct plant *p)
{
	static const char *const others[] = { "p-little-endian", "q-big-endian", "d-little-endian", "d-big-endian", "p-java-words", "p-63-bit-cells", "p-hex",
		"openssl-bignums", "montgomery-constant", "ec-scalar-raw", "ed25519-seed-raw" };
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		if (strcmp(others[i], p->name) == 0)
			return false;
	return p->kind != PLANT_SCHEDULE && p->kind != PLANT_LOST;
}

static void every_form(void)
{
	for (size_t i = 0; i < plants_n; i++) {
		const struct plant *p = &plants[i];
		if (!is_ours(p))
			continue;
		EVP_PKEY *key = plant_key(p->key);
		uint8_t spki[32] = { 0 }, bytes[1024];
		struct buf form;
		buf_init(&form, 1 << 20);
		CHECK_MSG(p->write(&form, key, 0) && !buf_failed(&form), "%s", p->name);
		if (p->key)
			plant_spki(key, spki);
		for (unsigned path = 0; path < 2; path++) {
			size_t before = 4096 + noise() % 64;
			struct buf b = laid(&form, before, 4096);
			struct dump_target t = p->kind == PLANT_KNOWN ? target_of(key, bytes) : (struct dump_target){ 0 };
			struct seen s = scan(b.p, b.n, &t, p->kind == PLANT_KNOWN, path ? DUMP_PATH_PORTABLE : DUMP_PATH_BEST, before, before + form.n + 2);
			CHECK_MSG(s.hits > 0, "%s: not found", p->name);
			CHECK_MSG(s.inside == s.hits, "%s: %zu of %zu hits inside", p->name, s.inside, s.hits);
			if (p->kind == PLANT_LOCKED) {
				CHECK_MSG(s.locked == s.hits, "%s", p->name);
			} else {
				CHECK_MSG(s.proved == s.hits && s.keys == 1, "%s: %zu of %zu proved, %zu keys", p->name, s.proved, s.hits, s.keys);
				CHECK_MSG(memcmp(s.spki, spki, 32) == 0, "%s: another key", p->name);
			}
			/* the same, cut in the middle: whatever it says, it says it about bytes that are there */
			struct seen cut = scan(b.p, before + form.n / 2, NULL, 0, DUMP_PATH_BEST, before, before + form.n / 2);
			CHECK_MSG(cut.inside == cut.hits, "%s, cut: %zu of %zu inside, longest %llu", p->name, cut.inside, cut.hits, (unsigned long long)cut.longest);
			buf_release(&b);
		}
		buf_release(&form);
		EVP_PKEY_free(key);
	}
}

static void every_decoy(void)
{
	for (size_t i = 0; i < decoys_n; i++) {
		struct buf form;
		buf_init(&form, 1 << 20);
		CHECK(decoys[i].write(&form));
		struct buf b = laid(&form, 1000, 1000);
		struct seen s = scan(b.p, b.n, NULL, 0, DUMP_PATH_BEST, 0, b.n);
		CHECK_MSG(s.hits == 0, "%s: %zu hits, layout %s", decoys[i].name, s.hits, s.layout);
		buf_release(&b);
		buf_release(&form);
	}
}

/* a form that lies over the border of two blocks is told once */
static void borders(void)
{
	static const char *const names[] = { "pkcs1-der", "pkcs1-pem", "jwk-rsa", "openssh-ed25519", "pem-utf16le", "hex-pkcs1" };
	const size_t border = 4 << 20;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		const struct plant *p = NULL;
		for (size_t k = 0; k < plants_n; k++)
			p = strcmp(plants[k].name, names[i]) == 0 ? &plants[k] : p;
		EVP_PKEY *key = plant_key(p->key);
		struct buf form;
		buf_init(&form, 1 << 20);
		p->write(&form, key, 0);
		struct seen whole = { 0 };
		for (size_t shift = 0; shift <= form.n + 2; shift += form.n / 7 + 1) {
			struct buf b = laid(&form, border - shift, 100000);
			struct seen s = scan(b.p, b.n, NULL, 0, DUMP_PATH_BEST, border - shift, border - shift + form.n + 2);
			if (shift == 0)
				whole = s;
			CHECK_MSG(s.hits == whole.hits && s.proved == s.hits && s.inside == s.hits && s.keys == 1, "%s at %zu before the border: %zu hits for %zu, %zu keys",
			          names[i], shift, s.hits, whole.hits, s.keys);
			buf_release(&b);
		}
		buf_release(&form);
		EVP_PKEY_free(key);
	}
}

/* the vector search misses nothing that the portable one names */
static void paths_agree(void)
{
	static struct anchor a[ANCHORS_MAX], b[ANCHORS_MAX];
	static uint8_t bytes[ANCHOR_CHUNK + 64];
	static const char alphabet[] = "\x02\x01\x81\x82-BEGRSAECKDhk2ops:, \n\r\0\0\0\0\0\0\xf7\x0d\xfe\xed\xce\xd0\x8c\x9d\x1e\xf1\xb5xyz0123456789abcdefABCDEF+/_=";
	for (int round = 0; round < 200; round++) {
		size_t n = round % 3 == 0 ? (size_t)noise() * 64 + noise() % 64 : ANCHOR_CHUNK;
		for (size_t i = 0; i < sizeof bytes; i++)
			bytes[i] = round % 2 ? noise() : (uint8_t)alphabet[noise() % (sizeof alphabet - 1)];
		if (round % 5 == 0)
			for (size_t i = 0; i + 1 < sizeof bytes; i += 2)
				bytes[i] = (uint8_t)"0aZ/"[noise() % 4], bytes[i + 1] = 0;
		size_t na = anchors_find_portable(bytes, n, a), nb = anchors_have_avx2() ? anchors_find_avx2(bytes, n, b) : anchors_find_portable(bytes, n, b), k = 0;
		bool all = true;
		CHECK(na <= ANCHORS_MAX && nb <= ANCHORS_MAX);
		for (size_t i = 0; i < na; i++) {
			while (k < nb && !(b[k].at == a[i].at && b[k].kind == a[i].kind))
				k++;
			all = all && k < nb;
		}
		CHECK(all);
	}
}

/* Forms that nobody here wrote: the private JWKs of Wycheproof.  How many different ones there are was counted by a JSON reader
 * over the objects with a `d`; in the second file one more has e = 1 (its primes are proved, and it has no name), and one says
 * RSA and holds a curve's numbers. */
static void by_others(void)
{
	static const struct { const char *path; size_t keys; } files[] = {
		{ "tests/data/wycheproof/json_web_crypto_test.json", 4 },
		{ "tests/data/wycheproof/json_web_key_test.json", 4 },
		{ "tests/data/wycheproof/json_web_signature_test.json", 7 },
	};
	static char bytes[1 << 20];
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		FILE *f = fopen(files[i].path, "rb");
		size_t n = f ? fread(bytes, 1, sizeof bytes, f) : 0;
		CHECK_MSG(n > 1000, "%s", files[i].path);
		if (f)
			fclose(f);
		struct seen s = scan(bytes, n, NULL, 0, DUMP_PATH_BEST, 0, n);
		CHECK_MSG(s.keys == files[i].keys && s.allowed == s.keys, "%s: %zu keys, %zu of them allowed", files[i].path, s.keys, s.allowed);
		CHECK(s.inside == s.hits);
	}
}

/* a row of the allow-list counts until its last day; OpenSSL's own program carries such keys and no other */
static void published(void)
{
	static const uint8_t speed[32] = { 0xa6, 0xfd, 0xc2, 0xc6, 0xd0, 0x7a, 0xa8, 0x77, 0xe3, 0xac, 0x36, 0x0c, 0x2c, 0xe5, 0xef, 0xb6,
		                           0x9a, 0xb7, 0xdc, 0xe2, 0xfd, 0x8d, 0xf3, 0xc1, 0xbc, 0xe0, 0x56, 0x4b, 0x17, 0x11, 0x4b, 0xc2 };
	static const uint8_t other[32] = { 0xa6 };
	static uint8_t bytes[8 << 20];
	CHECK_TEXT(dump_allowed(speed, 20000), "RSA 2048: openssl speed");
	CHECK(dump_allowed(speed, 22279) != NULL && dump_allowed(speed, 22280) == NULL); /* 2030-12-31 */
	CHECK(dump_allowed(other, 0) == NULL);
	FILE *f = fopen("/usr/bin/openssl", "rb");
	size_t n = f ? fread(bytes, 1, sizeof bytes, f) : 0;
	if (f)
		fclose(f);
	struct seen s = scan(bytes, n, NULL, 0, DUMP_PATH_BEST, 0, n);
	CHECK_MSG(s.allowed == s.keys, "%zu of %zu keys in openssl are published ones", s.allowed, s.keys);
}

int main(void)
{
	published();
	by_others();
	paths_agree();
	every_form();
	every_decoy();
	borders();
	return check_summary();
}
