/* SPDX-License-Identifier: Apache-2.0 */
/* secret: a walk over all values.  Names are taken for a private half only where they can be one: a short name such as "d" wants a
 * value that is long enough and base64, "k" wants a symmetric key around it; long names that say "private" want a text of 16 bytes.
 * What is decoded is wiped, and never printed. */
#include "keys/secret.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

#define TEXTS_DEPTH 3  /* texts within texts */
#define SHORT_SECRET 22 /* characters of base64: 16 bytes */

const char *const secret_members[] = { "d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv", NULL };

static const char *const long_names[] = {
	"priv", "private", "private_key", "privateKey", "private-key", "privkey", "secret_key", "secretKey", "seed", "pkcs8", "client_secret", "clientSecret", NULL,
};
static const char *const marks[] = { "PRIVATE KEY-----", "PuTTY-User-Key-File-", "AGE-SECRET-KEY-", "<RSAKeyValue><Modulus>" };

static const struct sj_limits text_limits = { .bytes = KEYS_FILE_BYTES_MAX, .depth = SJ_DEPTH_MAX, .object_members = KEYS_MEMBERS_MAX, .nodes = KEYS_SET_NODES_MAX };
static const char *const no_names[] = { NULL };

static bool in_list(const char *const *list, struct str s)
{
	for (; *list; list++)
		if (str_eq_nocase(s, str_of(*list)))
			return true;
	return false;
}

/* -- DER -- */

/* The content of a SEQUENCE that fills its room; STR_NONE otherwise. */
static struct str sequence(const uint8_t *p, size_t n)
{
	size_t length, head = 2;

	if (n < 4 || p[0] != 0x30)
		return STR_NONE;
	length = p[1];
	if (length & 0x80) {
		const size_t bytes = length & 0x7f;
		if (bytes < 1 || bytes > 3 || n < 2 + bytes)
			return STR_NONE;
		length = 0;
		for (size_t i = 0; i < bytes; i++)
			length = length << 8 | p[2 + i];
		head += bytes;
	}
	return length <= n - head ? (struct str){ (const char *)p + head, length } : STR_NONE;
}

static bool is_private_der(const uint8_t *p, size_t n)
{
	const struct str in = sequence(p, n);
	const uint8_t *c = (const uint8_t *)in.p, *at = p;
	bool yes = false;

	if (in.n > 3 && c[0] == 2 && c[1] == 1 && c[2] <= 3) { /* a version first: PKCS#1 0 or 1, SEC1 1, PKCS#8 0 or 1, PKCS#12 3 */
		PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, (long)n);
		EVP_PKEY *key = NULL;
		PKCS12 *pack = NULL;
		yes = info != NULL;
		if (!yes) {
			at = p;
			key = d2i_AutoPrivateKey(NULL, &at, (long)n);
			at = p;
			pack = key || c[2] != 3 ? NULL : d2i_PKCS12(NULL, &at, (long)n);
			yes = key || pack;
		}
		PKCS8_PRIV_KEY_INFO_free(info);
		EVP_PKEY_free(key);
		PKCS12_free(pack);
	} else if (in.n > 16 && c[0] == 0x30 && c[1] < 0x80 && c[2] == 6) { /* an encrypted PKCS#8: the algorithm is of PKCS#5 or PKCS#12 */
		static const uint8_t pkcs5[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05 }, pkcs12[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x01 };
		yes = (size_t)c[1] + 2 < in.n && c[2 + c[1]] == 4 && (memcmp(c + 4, pkcs5, sizeof(pkcs5)) == 0 || memcmp(c + 4, pkcs12, sizeof(pkcs12)) == 0);
	}
	ERR_clear_error();
	return yes;
}

/* -- base64 -- */

static int value_of(char c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' : c >= 'a' && c <= 'z' ? c - 'a' + 26 : c >= '0' && c <= '9' ? c - '0' + 52 :
	       c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

/* The bytes of a text in base64 as people write it, at most `room`; 0: it is none. */
static size_t decode(struct str s, uint8_t *out, size_t room)
{
	size_t n = 0;
	uint32_t bits = 0;
	unsigned have = 0;

	for (size_t i = 0; i < s.n && n < room; i++) {
		const int v = value_of(s.p[i]);
		if (s.p[i] == ' ' || s.p[i] == '\t' || s.p[i] == '\n' || s.p[i] == '\r' || s.p[i] == '=')
			continue;
		if (v < 0)
			return 0;
		bits = bits << 6 | (uint32_t)v;
		if ((have += 6) >= 8)
			out[n++] = (uint8_t)(bits >> (have -= 8));
	}
	return n;
}

static bool is_long_base64(struct str s)
{
	uint8_t bytes[64];
	const size_t n = decode(s, bytes, sizeof(bytes));

	OPENSSL_cleanse(bytes, sizeof(bytes));
	return s.n >= SHORT_SECRET && n >= 16;
}

/* -- texts -- */

static bool in_text(struct str text, unsigned depth);

static bool below(const struct strict_json *j, const struct sj_node *node, bool skip_own, unsigned depth, struct str *ret_member);

static bool in_json(struct str text, unsigned depth)
{
	struct strict_json j;
	struct str member;
	bool yes;

	sj_init(&j, &text_limits, no_names);
	yes = sj_parse(&j, text) == SJ_OK && below(&j, sj_root(&j), false, depth, &member);
	if (j.unescaped.p)
		OPENSSL_cleanse(j.unescaped.p, j.unescaped.n);
	sj_release(&j);
	return yes;
}

static bool in_base64(struct str text, unsigned depth)
{
	const size_t room = text.n / 4 * 3 + 3;
	uint8_t *bytes, head[8];
	size_t n;
	bool yes = false;

	/* most texts are names and numbers: eight bytes decide whether to look on */
	if (text.n < SHORT_SECRET || decode(text, head, sizeof(head)) < sizeof(head) || (head[0] != 0x30 && head[0] != '-' && head[0] != '{' && head[0] != 'P'))
		return false;
	bytes = malloc(room);
	if (!bytes)
		return true; /* not called clean */
	n = decode(text, bytes, room);
	yes = is_private_der(bytes, n) || (bytes[0] != 0x30 && in_text((struct str){ (const char *)bytes, n }, depth));
	OPENSSL_cleanse(bytes, room);
	free(bytes);
	return yes;
}

static bool in_text(struct str text, unsigned depth)
{
	text = str_trim(text);
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (str_find(text, str_of(marks[i])) >= 0 && (marks[i][0] != '<' || str_find(text, STR("<D>")) >= 0))
			return true;
	if (!depth || !text.n)
		return false;
	return text.p[0] == '{' || text.p[0] == '[' ? in_json(text, depth - 1) : in_base64(text, depth - 1);
}

bool secret_in_text(struct str text) { return in_text(text, TEXTS_DEPTH); }

/* -- objects -- */

/* Is this member of an object a private half, by its name and form? */
static bool is_private_member(const struct strict_json *j, const struct sj_node *object, const struct sj_node *n)
{
	const struct sj_node *kty = sj_member(j, object, STR("kty"));
	const bool is_jwk = kty && kty->kind == SJ_STRING;

	if (n->kind == SJ_NULL)
		return false;
	if (in_list(long_names, n->key))
		return n->kind == SJ_STRING && (is_long_base64(n->value) || (n->value.n >= 16 && str_eq_nocase(n->key, STR("client_secret"))));
	if (!in_list(secret_members, n->key))
		return false;
	if (str_eq_nocase(n->key, STR("k")))
		return n->kind == SJ_STRING && is_jwk && str_eq_nocase(kty->value, STR("oct"));
	if (n->kind == SJ_ARRAY)
		return is_jwk && str_eq_nocase(n->key, STR("oth")) && n->children;
	return n->kind == SJ_STRING && (is_jwk || is_long_base64(n->value));
}

static bool below(const struct strict_json *j, const struct sj_node *node, bool skip_own, unsigned depth, struct str *ret_member)
{
	*ret_member = node->key;
	if (node->kind == SJ_STRING)
		return in_text(node->value, depth);
	if (node->kind != SJ_OBJECT && node->kind != SJ_ARRAY)
		return false;
	for (const struct sj_node *n = sj_first(j, node); n; n = sj_next(j, n)) {
		struct str inner;
		if (node->kind == SJ_OBJECT && skip_own && in_list(secret_members, n->key))
			continue;
		if ((node->kind == SJ_OBJECT && is_private_member(j, node, n)) || below(j, n, false, depth, &inner)) {
			*ret_member = node->kind == SJ_OBJECT ? n->key : node->key;
			return true;
		}
	}
	return false;
}

bool secret_member(const struct strict_json *j, const struct sj_node *object, const struct sj_node *n)
{
	struct str inner;

	return is_private_member(j, object, n) || below(j, n, false, TEXTS_DEPTH, &inner);
}

bool secret_below(const struct strict_json *j, const struct sj_node *node, bool skip_own, struct str *ret_member)
{
	return below(j, node, skip_own, TEXTS_DEPTH, ret_member);
}
