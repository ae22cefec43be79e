/* SPDX-License-Identifier: Apache-2.0 */
/* test_forms: every written form of a key (tests/dump/plant.c) is found in its place, proved, and as the right key; and data
 * that only looks like a key is not.  Keys are made anew in each run. */
#include <stdlib.h>

#include "../dump/plant.h"
#include "base/limits.h"
#include "check.h"
#include "dump/anchor.h"
#include "dump/dump.h"
#include "dump/form.h"
#include "dump/redact.h"

static uint64_t chance = 0x2545f4914f6cdd1d;

/* One key of a kind for the whole run: to make RSA keys takes longer than to find them, and no form cares which one it holds. */
static EVP_PKEY *key_of(const char *kind)
{
	static struct { const char *kind; EVP_PKEY *key; } kept[24];
	size_t i = 0;

	while (i < sizeof kept / sizeof kept[0] && kept[i].kind && kind && strcmp(kept[i].kind, kind) != 0)
		i++;
	if (!kind || i == sizeof kept / sizeof kept[0])
		return plant_key(kind);
	if (!kept[i].kind) {
		kept[i].kind = kind;
		kept[i].key = plant_key(kind);
	}
	EVP_PKEY_up_ref(kept[i].key);
	return kept[i].key;
}

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
	static uint8_t pool[(4 << 20) + 2 * 65536];
	for (size_t i = 0; pool[0] + pool[1] == 0 && i < sizeof pool; i++)
		pool[sizeof pool - 1 - i] = noise();
	buf_init(&b, 64 << 20);
	buf_add(&b, pool + noise() * 256, before);
	buf_add_char(&b, 0);
	buf_add(&b, form->p, form->n);
	buf_add_char(&b, 0);
	buf_add(&b, pool + noise() * 256, behind);
	return b;
}

struct seen {
	size_t hits, proved, stated, inside, locked, keys, allowed;
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
		ret.stated += h[i].klass == DUMP_STATED;
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

/* -- is it gone? -- */

/* How many pieces of the text are in the image, as bytes or as UTF-16 of either order: windows of 20 digits, four apart. */
static size_t pieces_of(const struct buf *image, const char *digits, size_t n)
{
	size_t found = 0;
	for (size_t i = 0; i + 20 <= n; i += 4) {
		char wide[40] = { 0 };
		for (size_t k = 0; k < 20; k++)
			wide[2 * k] = digits[i + k];
		found += memmem(image->p, image->n, digits + i, 20) != NULL;
		found += memmem(image->p, image->n, wide, 39) != NULL;
	}
	return found;
}

/* Pieces of the private number in the ways in which texts write numbers: hexadecimal, base64 at each of its three phases. */
static size_t secrets_in(const struct buf *image, EVP_PKEY *key)
{
	static const char *const names[] = { "d", "priv", "rsa-factor1", "rsa-factor2" };
	size_t found = 0;
	for (size_t i = 0; key && i < sizeof names / sizeof names[0]; i++) {
		BIGNUM *x = NULL;
		uint8_t number[1024] = { 0 };
		char text[2048];
		if (!EVP_PKEY_get_bn_param(key, names[i], &x))
			continue;
		int n = BN_bn2bin(x, number + 2);
		for (int shift = 0; shift < 3 && n > 20; shift++) {
			int some = EVP_EncodeBlock((unsigned char *)text, number + 2 - shift, (n + shift) / 3 * 3);
			found += pieces_of(image, text + 4, (size_t)some - 4);
		}
		for (int upper = 0; upper < 2; upper++) {
			for (int k = 0; k < n; k++)
				snprintf(text + 2 * k, 3, upper ? "%02X" : "%02x", number[2 + k]);
			found += pieces_of(image, text, 2 * (size_t)n);
		}
		for (int reversed = 0; reversed < 2; reversed++) {
			for (int k = 0; k + 16 <= n; k += 4)
				found += memmem(image->p, image->n, number + 2 + k, 16) != NULL;
			for (int k = 0; k < n / 2; k++) {
				uint8_t c = number[2 + k];
				number[2 + k] = number[1 + n - k];
				number[1 + n - k] = c;
			}
		}
		BN_free(x);
	}
	/* seeds and secrets without a key of OpenSSL's */
	uint8_t raw[64 + 2] = { 0 };
	size_t n = 64;
	if (key && (EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_is_a(key, "EC") || EVP_PKEY_is_a(key, "DSA") || EVP_PKEY_is_a(key, "SM2")))
		return found;
	if (key && EVP_PKEY_get_raw_private_key(key, raw + 2, &n) != 1)
		return found;
	if (!key)
		memcpy(raw + 2, plant_secret, n = plant_secret_n < 64 ? plant_secret_n : 64);
	for (int shift = 0; shift < 3 && n > 20; shift++) {
		char text[256];
		int some = EVP_EncodeBlock((unsigned char *)text, raw + 2 - shift, ((int)n + shift) / 3 * 3);
		found += pieces_of(image, text + 4, (size_t)some - 4);
	}
	for (size_t i = 0; i + 16 <= n; i += 4)
		found += memmem(image->p, image->n, raw + 2 + i, 16) != NULL;
	return found;
}

static void count_trace(void *arg, const struct dump_trace *trace, const struct dump_hit *where)
{
	(void)trace;
	(void)where;
	++*(size_t *)arg;
}

/* What `dump redact` does to an image, and then `dump verify`: nothing is left.  Returns how many pieces of text were there before. */
static size_t check_erased(struct buf *b, EVP_PKEY *key, const char *what)
{
	struct dump_options o = { .threads = 1, .only = "forms", .no_harvest = true };
	struct dump_reader *r = dump_reader_memory(b->p, b->n);
	struct dump_image *im = dump_image_open(r, "test");
	struct dump_scan *s = dump_scan_new(&o);
	struct dump_cuts cuts = { 0 };
	size_t n_hits, left = 0, before = secrets_in(b, key), behind;
	CHECK(im && s && dump_scan_image(s, im));
	struct dump_traces *traces = dump_traces_of(s, im);
	CHECK_MSG(traces && dump_cuts_plan(s, im, traces, false, &cuts) && !cuts.over_structure, "%s: no plan", what);
	(void)dump_cuts_apply(&cuts, 0, (uint8_t *)b->p, b->n);
	dump_cuts_release(&cuts);
	dump_scan_free(s);
	dump_image_free(im);
	dump_reader_free(r);

	r = dump_reader_memory(b->p, b->n);
	im = dump_image_open(r, "test");
	s = dump_scan_new(&o);
	CHECK(im && s && dump_scan_image(s, im));
	const struct dump_hit *h = dump_hits(s, &n_hits);
	CHECK_MSG(n_hits == 0, "%s: %zu hits after it was erased, the first a %s", what, n_hits, n_hits ? h[0].form : "");
	CHECK(traces && dump_sweep(im, traces, 1, count_trace, &left));
	CHECK_MSG(left == 0, "%s: %zu traces after it was erased", what, left);
	behind = secrets_in(b, key);
	CHECK_MSG(behind == 0, "%s: %zu of %zu pieces of the key's text are still there", what, behind, before);
	dump_traces_free(traces);
	dump_scan_free(s);
	dump_image_free(im);
	dump_reader_free(r);
	return before;
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
		EVP_PKEY *key = key_of(p->key);
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
			} else if (p->kind == PLANT_STATED) {
				CHECK_MSG(s.stated == s.hits && s.keys == (p->key != NULL) && (!p->key || memcmp(s.spki, spki, 32) == 0), "%s: %zu of %zu stated, %zu keys",
				          p->name, s.stated, s.hits, s.keys);
			} else {
				CHECK_MSG(s.proved == s.hits && s.keys == 1, "%s: %zu of %zu proved, %zu keys", p->name, s.proved, s.hits, s.keys);
				CHECK_MSG(memcmp(s.spki, spki, 32) == 0, "%s: another key", p->name);
			}
			/* the same, cut in the middle: every hit is inside the remaining bytes */
			struct seen cut = scan(b.p, before + form.n / 2, NULL, 0, DUMP_PATH_BEST, before, before + form.n / 2);
			CHECK_MSG(cut.inside == cut.hits, "%s, cut: %zu of %zu inside, longest %llu", p->name, cut.inside, cut.hits, (unsigned long long)cut.longest);
			if (path == 0 && p->kind != PLANT_KNOWN)
				(void)check_erased(&b, key, p->name);
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
		CHECK_MSG(s.hits == 0, "%s: %zu hits, %zu proved, %zu keys, layout %s", decoys[i].name, s.hits, s.proved, s.keys, s.layout);
		buf_release(&b);
		buf_release(&form);
	}
}

/* a form that crosses the border of two blocks is reported once */
static void borders(void)
{
	static const char *const names[] = { "pkcs1-der", "pkcs1-pem", "jwk-rsa", "openssh-ed25519", "pem-utf16le", "hex-pkcs1" };
	const size_t border = 4 << 20;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		const struct plant *p = NULL;
		for (size_t k = 0; k < plants_n; k++)
			p = strcmp(plants[k].name, names[i]) == 0 ? &plants[k] : p;
		EVP_PKEY *key = key_of(p->key);
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

/* ---- text as other text carries it, wherever it is ---- */

static void swap_text(struct buf *b, const char *from, const char *to)
{
	struct buf out;
	buf_init(&out, 1 << 20);
	for (size_t i = 0; i < b->n;) {
		size_t n = strlen(from);
		if (b->n - i >= n && memcmp(b->p + i, from, n) == 0) {
			buf_add_cstr(&out, to);
			i += n;
		} else {
			buf_add_char(&out, b->p[i++]);
		}
	}
	buf_release(b);
	*b = out;
}

static void widen(struct buf *b, bool big)
{
	struct buf out;
	buf_init(&out, 1 << 20);
	for (size_t i = 0; i < b->n; i++) {
		if (big)
			buf_add_char(&out, 0);
		buf_add_char(&out, b->p[i]);
		if (!big)
			buf_add_char(&out, 0);
	}
	buf_release(b);
	*b = out;
}

/* Texts inside other texts: a form of plant.c, up to four replacements, the text before and after. */
static const struct carried {
	const char *form, *swaps[4][2], *before, *behind;
	enum { BYTES, WIDE_LE, WIDE_BE } width;
} carried[] = {
#define PEM_BREAK(text) { .form = "sec1-p384-pem", .swaps = { { "\n", text } }, .before = "{\"key\":\"", .behind = "\"}" }
	PEM_BREAK("\n"), PEM_BREAK("\r\n"), PEM_BREAK("\\n"), PEM_BREAK("\\r\\n"), PEM_BREAK("\\\\n"), PEM_BREAK("\\\\r\\\\n"), PEM_BREAK("\\\\\\\\n"),
	PEM_BREAK("\\u000a"), PEM_BREAK("\\u000A"), PEM_BREAK("\\u000d\\u000a"), PEM_BREAK("\\\\u000a"), PEM_BREAK("\\x0a"), PEM_BREAK("\\012"), PEM_BREAK("%0A"),
	PEM_BREAK("%0d%0a"), PEM_BREAK("%250A"), PEM_BREAK("&#10;"), PEM_BREAK("&#13;&#10;"), PEM_BREAK("&#xA;"), PEM_BREAK("&#x0a;"), PEM_BREAK("&amp;#10;"),
	PEM_BREAK("<br>"), PEM_BREAK("<BR />\r\n"), PEM_BREAK("=0A"), PEM_BREAK("=0D=0A"), PEM_BREAK("=0D=0A=\r\n"), PEM_BREAK(" "), PEM_BREAK("\n\t\t"),
	PEM_BREAK("\n                                        "), PEM_BREAK("\"\n    \""), PEM_BREAK("\\n\" +\n    \""), PEM_BREAK("\\n\" + \""), PEM_BREAK("\\n\"+\""),
	PEM_BREAK("\\n' .\r\n        '"), PEM_BREAK("\" & _\r\n    \""), PEM_BREAK("\\n\\\n"), PEM_BREAK("\\n\",\n\""), PEM_BREAK("\n> "), PEM_BREAK("\n| "), PEM_BREAK(""),
	{ .form = "sec1-p384-pem", .swaps = { { "\n", "\\n" }, { "/", "\\/" } } },               /* PHP's JSON */
	{ .form = "sec1-p384-pem", .swaps = { { "\n", "\\n" }, { "+", "\\u002B" } } },           /* .NET's */
	{ .form = "sec1-p384-pem", .swaps = { { "+", "%2B" }, { "/", "%2F" }, { "=", "%3D" }, { "\n", "%0A" } } },
	{ .form = "sec1-p384-pem", .swaps = { { "\n", "\\n" } }, .width = WIDE_LE },
	{ .form = "sec1-p384-pem", .swaps = { { "\n", "\\u000a" } }, .width = WIDE_BE },
	{ .form = "sec1-p384-pem", .width = WIDE_LE },
	{ .form = "sec1-p384-pem", .width = WIDE_BE },
	{ .form = "pkcs8-pem-crlf", .swaps = { { "\r\n", "\\n" } }, .before = "{\"private_key\": \"", .behind = "\"}" },
	{ .form = "locked-pkcs8-pem" }, { .form = "locked-pkcs8-pem", .swaps = { { "\n", "\\n" } } }, { .form = "locked-pkcs8-pem", .swaps = { { "\n", "\\u000a" } } },
	{ .form = "locked-pkcs8-pem", .width = WIDE_LE }, { .form = "locked-proc-type-pem", .swaps = { { "\n", "\\n" } } },
	{ .form = "openssh-rsa", .swaps = { { "\n", "\\n" } } },
	{ .form = "base64-pkcs8", .before = "Zm9v-key-id-of-any-length-0123456789abcdefg,", .behind = "," },
	{ .form = "base64-pkcs8", .before = "a-key-id-of-17-c,", .behind = "," },
	{ .form = "base64-pkcs8", .before = "{\\u0022key\\u0022:\\u0022", .behind = "\\u0022}" },
	{ .form = "base64-pkcs8", .before = "&key=", .behind = "&" },
	{ .form = "base64-pkcs8", .before = "key%3D", .behind = "%26" },
	{ .form = "base64url-pkcs1" }, { .form = "base64-of-pem" }, { .form = "base64-of-pem", .width = WIDE_LE },
	{ .form = "hex-pkcs1" }, { .form = "hex-pkcs1", .before = "0x" }, { .form = "hex-pkcs1", .before = "\\n" }, { .form = "hex-pkcs1", .before = "%0A" },
	{ .form = "hex-pkcs1", .width = WIDE_BE }, { .form = "hex-colons-pkcs8" }, { .form = "hex-colons-pkcs8", .swaps = { { ":", " " } } },
	{ .form = "hex-colons-pkcs8", .swaps = { { ":", ", 0x" } }, .before = "{ 0x" }, { .form = "hex-colons-pkcs8", .swaps = { { ":", "\\x" } }, .before = "b'\\x" },
	{ .form = "jwk-rsa" }, { .form = "jwk-rsa", .width = WIDE_LE }, { .form = "jwk-p521" }, { .form = "jwk-p521", .swaps = { { "\"", "\\\"" } } },
	{ .form = "jwk-p521", .swaps = { { "\"", "\\\\\\\"" } } }, { .form = "jwk-p521", .swaps = { { "\"", "\\u0022" } } }, { .form = "jwk-p521", .swaps = { { "\"", "&quot;" } } },
	{ .form = "jwk-p521", .swaps = { { "\"", "&#34;" } } }, { .form = "jwk-p521", .swaps = { { "\"", "'" } } },
	{ .form = "jwk-p521", .swaps = { { "\"", "%22" }, { ":", "%3A" }, { "{", "%7B" }, { "}", "%7D" } } },
	{ .form = "jwk-rsa", .swaps = { { "\"", "\\u0022" } } }, { .form = "jwk-escaped-shuffled" }, { .form = "jwk-cut" },
	{ .form = "dotnet-xml" }, { .form = "dotnet-xml", .swaps = { { "<", "&lt;" }, { ">", "&gt;" } } },
	{ .form = "dotnet-xml", .swaps = { { "<", "\\u003c" }, { ">", "\\u003e" }, { "+", "\\u002B" } } }, { .form = "dotnet-xml", .width = WIDE_LE },
	{ .form = "putty-rsa" }, { .form = "putty-rsa", .width = WIDE_LE }, { .form = "dnssec-rsa" },
	{ .form = "pem-ed25519" }, { .form = "pem-ed25519", .swaps = { { "\n", "\\n" } }, .before = "{\"key\":\"", .behind = "\"}" }, { .form = "pem-ed25519", .width = WIDE_LE },
	{ .form = "pem-x25519", .swaps = { { "\n", "&#10;" } } }, { .form = "pem-ed448", .swaps = { { "\n", "\r\n" } } }, { .form = "pem-ed448", .width = WIDE_BE },
	{ .form = "ml-dsa-87-both-pem" }, { .form = "ml-dsa-87-both-pem", .swaps = { { "\n", "\\n" } } }, { .form = "ml-dsa-65-seed-pem", .width = WIDE_LE },
	{ .form = "ml-dsa-44-expanded" }, { .form = "ml-kem-768-seed" }, { .form = "slh-dsa-pem", .swaps = { { "\n", "%0A" } } }, { .form = "pkcs8-unknown" },
	{ .form = "pem-unknown" }, { .form = "pem-unknown", .swaps = { { "\n", "\\n" } } }, { .form = "pem-unknown", .width = WIDE_BE },
	{ .form = "jwk-akp" }, { .form = "jwk-akp", .swaps = { { "\"", "\\\"" } } }, { .form = "jwk-ed25519-d-alone" }, { .form = "jwk-ed25519-d-alone", .width = WIDE_LE },
	{ .form = "jwk-oct" }, { .form = "wireguard" }, { .form = "wireguard", .width = WIDE_LE }, { .form = "wireguard-preshared", .swaps = { { " = ", "=" }, { "\n", "\r\n" } } },
	{ .form = "cose-rsa" }, { .form = "cose-p256" }, { .form = "cose-ed25519-d-alone" }, { .form = "s-expression-canonical" }, { .form = "s-expression-memory" },
	{ .form = "s-expression-text" }, { .form = "s-expression-text", .width = WIDE_LE }, { .form = "s-expression-p256" }, { .form = "erlang-rsa" }, { .form = "erlang-p256" },
	{ .form = "age" }, { .form = "age", .width = WIDE_BE }, { .form = "kubernetes-ed25519" }, { .form = "kubernetes-ed25519", .width = WIDE_LE },
};

static EVP_PKEY *write_carried(const struct carried *c, struct buf *out)
{
	const struct plant *p = NULL;
	struct buf form;
	for (size_t k = 0; k < plants_n; k++)
		p = strcmp(plants[k].name, c->form) == 0 ? &plants[k] : p;
	EVP_PKEY *key = key_of(p->key);
	buf_init(&form, 1 << 20);
	CHECK_MSG(p->write(&form, key, 0), "%s", c->form);
	for (int i = 0; i < 4 && c->swaps[i][0]; i++)
		swap_text(&form, c->swaps[i][0], c->swaps[i][1]);
	buf_init(out, 1 << 20);
	buf_add_cstr(out, c->before ? c->before : "");
	buf_add(out, form.p, form.n);
	buf_add_cstr(out, c->behind ? c->behind : "");
	buf_release(&form);
	if (c->width != BYTES)
		widen(out, c->width == WIDE_BE);
	return key;
}

static bool has_hit(const struct dump_hit *h, size_t n_hits, size_t from, size_t to)
{
	for (size_t i = 0; i < n_hits; i++)
		if (h[i].offset >= from && h[i].offset + h[i].length <= to && (h[i].klass == DUMP_PROVED || h[i].klass == DUMP_STATED || h[i].klass == DUMP_LOCKED))
			return true;
	return false;
}

/* Every one of `places` is in b; each must be hit. */
static void check_places(const struct buf *b, const size_t *places, size_t n, size_t length, const char *what, const char *how, enum dump_path path)
{
	struct dump_options o = { .threads = 1, .only = "forms", .no_harvest = true, .path = path };
	struct dump_reader *r = dump_reader_memory(b->p, b->n);
	struct dump_image *im = dump_image_open(r, "test");
	struct dump_scan *s = dump_scan_new(&o);
	size_t n_hits, n_keys;

	CHECK(im && s && dump_scan_image(s, im));
	const struct dump_hit *h = dump_hits(s, &n_hits);
	(void)dump_keys(s, &n_keys);
	CHECK_MSG(n_keys <= 1, "%s: %zu keys", what, n_keys);
	for (size_t i = 0; i < n; i++)
		CHECK_MSG(has_hit(h, n_hits, places[i], places[i] + length), "%s: missed %s %zu", what, how, i);
	dump_scan_free(s);
	dump_image_free(im);
	dump_reader_free(r);
}

static void name_of(const struct carried *c, char ret[128])
{
	snprintf(ret, 128, "%s %s%s%s%s%s", c->form, c->before ? c->before : "", c->swaps[0][0] ? c->swaps[0][1] : "", c->swaps[1][0] ? " " : "",
	         c->swaps[1][0] ? c->swaps[1][1] : "", c->width == BYTES ? "" : c->width == WIDE_LE ? " UTF-16LE" : " UTF-16BE");
	for (char *p = ret; *p; p++)
		*p = *p < ' ' ? '~' : *p;
}

/* Found, and erased, at every distance from a multiple of 32, which is the reach of a seed. */
static void every_alignment(void)
{
	size_t readable = 0;
	for (size_t k = 0; k < sizeof carried / sizeof carried[0]; k++) {
		struct buf form, b;
		size_t places[32];
		char name[128];
		EVP_PKEY *key = write_carried(&carried[k], &form);
		name_of(&carried[k], name);
		buf_init(&b, 64 << 20);
		for (size_t i = 0; i < 32; i++) {
			size_t to = (b.n + 512) / 32 * 32 + i;
			while (b.n < to - 1)
				buf_add_char(&b, (char)noise());
			buf_add_char(&b, 0);
			places[i] = b.n;
			buf_add(&b, form.p, form.n);
			buf_add(&b, "\0\0\0", 3);
		}
		check_places(&b, places, 32, form.n, name, "at alignment", k % 2 ? DUMP_PATH_PORTABLE : DUMP_PATH_BEST);
		readable += check_erased(&b, key, name) > 0;
		buf_release(&b);
		buf_release(&form);
		EVP_PKEY_free(key);
	}
	/* otherwise the search for remains would prove nothing.  Not legible are age (2), Kubernetes (2), and the 11 locked forms, base64 of base64 and digits with signs
	 * between them; and of three short keys with escapes in their text each, if the escapes happen to be close; and of the six PEM bodies of other
	 * algorithms, if a line ends in the middle of the 64 bytes that are compared. */
	CHECK_MSG(readable + 4 + 11 + 3 + 6 >= sizeof carried / sizeof carried[0], "the key's text was legible in %zu of %zu images", readable, sizeof carried / sizeof carried[0]);
}

/* A form whose text, or whose secret, begins a few bytes before a block's end: its first digits, or its magic, are in the next block. */
static void every_border(void)
{
	static const struct { const char *form, *begin; } forms[] = {
		{ "base64-pkcs8", "" }, { "jwk-rsa", "\"d\":\"" }, { "locked-pkcs8-pem", "" }, { "locked-pkcs12", "" }, { "pem-utf16le", "" }, { "hex-colons-pkcs8", "" },
		{ "pem-ed25519", "" }, { "pem-unknown", "" }, { "ml-dsa-87-both-pem", "" }, { "jwk-akp", "\"priv\":\"" }, { "wireguard", "PrivateKey = " }, { "age", "AGE-SECRET-KEY-1" },
		{ "s-expression-memory", "" }, { "s-expression-text", "" }, { "cose-rsa", "" }, { "erlang-rsa", "" },
	};
	const size_t block = DUMP_BLOCK_BYTES, shifts[] = { 1, 2, 3, 5, 8, 13, 15, 16, 17, 21, 29, 31, 32, 33, 47, 61 }, n = sizeof shifts / sizeof shifts[0];
	struct buf b;

	buf_init(&b, (n + 1) * block + 1);
	for (size_t k = 0; k < sizeof forms / sizeof forms[0]; k++) {
		size_t places[sizeof shifts / sizeof shifts[0]];
		struct buf form;
		struct carried c = { .form = forms[k].form };
		EVP_PKEY *key = write_carried(&c, &form);
		size_t begin = *forms[k].begin ? (size_t)str_find(buf_str(&form), str_of(forms[k].begin)) + strlen(forms[k].begin) : 0;
		buf_clear(&b);
		for (size_t i = 0; i < n; i++) {
			while (b.n < (i + 1) * block - shifts[i] - begin)
				buf_add(&b, (const char[4096]){ 0 }, (i + 1) * block - shifts[i] - begin - b.n < 4096 ? (i + 1) * block - shifts[i] - begin - b.n : 4096);
			places[i] = b.n;
			buf_add(&b, form.p, form.n);
			buf_add_char(&b, 0);
		}
		check_places(&b, places, n, form.n, forms[k].form, "at border", DUMP_PATH_BEST);
		/* the secret at the border itself */
		if (begin) {
			for (size_t i = 0; i < n; i++)
				places[i] += begin;
			check_places(&b, places, n, form.n - begin, forms[k].form, "its secret at border", DUMP_PATH_BEST);
		}
		buf_release(&form);
		EVP_PKEY_free(key);
	}
	buf_release(&b);
}

/* A key far inside a text that is longer than a block with all it may read after it. */
static void long_text(void)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	for (int lines = 0; lines < 2; lines++) {
		struct buf b, form;
		struct carried c = { .form = "base64-pkcs8" };
		EVP_PKEY *key = write_carried(&c, &form);
		size_t place = 0;
		buf_init(&b, 16 << 20);
		buf_add_char(&b, 0);
		for (size_t i = 0; b.n < 6 << 20; i++) {
			if (!place && b.n >= DUMP_BLOCK_BYTES + (1 << 20) && i % 4 == 0) {
				place = b.n;
				for (size_t k = 0; k < form.n && form.p[k] != '='; k++) {
					buf_add_char(&b, form.p[k]);
					if (lines && k % 76 == 75)
						buf_add_cstr(&b, "\r\n");
				}
			}
			buf_add_char(&b, alphabet[noise() % 64]);
			if (lines && i % 76 == 75)
				buf_add_cstr(&b, "\r\n");
		}
		struct seen s = scan(b.p, b.n, NULL, 0, DUMP_PATH_BEST, 0, b.n);
		CHECK_MSG(s.keys == 1 && s.proved > 0, "in a long text%s: %zu keys", lines ? " of lines" : "", s.keys);
		buf_release(&b);
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

/* Others' forms: the private JWKs of Wycheproof.  How many different ones there are was counted by a JSON reader
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
	every_alignment();
	every_border();
	long_text();
	return check_summary();
}
