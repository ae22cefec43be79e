/* SPDX-License-Identifier: Apache-2.0 */
/* keyset: bytes to keys.  The form is recognised from the first bytes: 0x30 is DER, "-----BEGIN" PEM, everything else
 * has to be JSON.  The file name is ignored. */
#include "keys/keyset.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/encoding.h"
#include "base/timefmt.h"
#include "keys/secret.h"

const struct sj_limits keyset_limits = {
	.bytes = KEYS_FILE_BYTES_MAX, .depth = SJ_DEPTH_MAX, .object_members = KEYS_MEMBERS_MAX, .nodes = KEYS_SET_NODES_MAX,
};

struct keyset *keyset_new(const char *name)
{
	struct keyset *s = calloc(1, sizeof(*s));

	if (s && !(s->name = strdup(name))) {
		free(s);
		return NULL;
	}
	return s;
}

void keyset_free(struct keyset *s)
{
	if (!s)
		return;
	for (uint32_t i = 0; i < s->n; i++)
		key_free(s->keys[i]);
	free(s->keys);
	free(s->name);
	free(s->issuer);
	free(s->jwks_uri);
	free(s->cloud_instance);
	free(s);
}

bool keyset_add(struct keyset *s, struct key *k)
{
	if (!k)
		return false;
	if (s->n == s->capacity) {
		const uint32_t capacity = s->capacity ? 2 * s->capacity : 16;
		struct key **grown = realloc(s->keys, capacity * sizeof(struct key *));
		if (!grown) {
			key_free(k);
			return false;
		}
		s->keys = grown;
		s->capacity = capacity;
	}
	k->index = s->n;
	s->keys[s->n++] = k;
	return true;
}

const struct key *keyset_find_spki(const struct keyset *s, const uint8_t spki_sha256[32])
{
	for (uint32_t i = 0; i < s->n; i++)
		if (s->keys[i]->has_spki && memcmp(s->keys[i]->spki_sha256, spki_sha256, 32) == 0)
			return s->keys[i];
	return NULL;
}

/* -- faults that only a set can have -- */

static int by_kid(const void *a, const void *b)
{
	const struct str x = (*(struct key *const *)a)->kid, y = (*(struct key *const *)b)->kid;
	const size_t n = x.n < y.n ? x.n : y.n;
	const int c = n ? memcmp(x.p, y.p, n) : 0;

	return c ? c : (x.n > y.n) - (x.n < y.n);
}

static void find_kid_duplicates(struct keyset *s)
{
	struct key **sorted = malloc((s->n ? s->n : 1) * sizeof(struct key *));
	uint32_t n = 0;

	if (!sorted) { /* unknown: treated as if there were one */
		s->faults |= KEYSET_KID_DUPLICATE;
		for (uint32_t i = 0; i < s->n; i++)
			key_add_fault(s->keys[i], KEY_FAULT_KID_DUPLICATE, "kid");
		return;
	}
	for (uint32_t i = 0; i < s->n; i++)
		if (s->keys[i]->kid.p)
			sorted[n++] = s->keys[i];
	qsort(sorted, n, sizeof(struct key *), by_kid);
	for (uint32_t i = 0; i + 1 < n; i++) {
		if (!str_eq(sorted[i]->kid, sorted[i + 1]->kid))
			continue;
		s->faults |= KEYSET_KID_DUPLICATE;
		for (uint32_t k = i; k <= i + 1; k++)
			if (!key_has(sorted[k], KEY_FAULT_KID_DUPLICATE))
				key_add_fault(sorted[k], KEY_FAULT_KID_DUPLICATE, "kid");
	}
	free(sorted);
}

void keyset_judge(struct keyset *s)
{
	bool symmetric = false, asymmetric = false;

	for (uint32_t i = 0; i < s->n; i++) {
		const struct key *k = s->keys[i];
		symmetric |= k->kind == KEY_OCT;
		asymmetric |= k->kind == KEY_RSA || k->kind == KEY_EC || k->kind == KEY_OKP;
		if (k->private_members)
			s->faults |= KEYSET_PRIVATE;
	}
	if (symmetric && asymmetric) {
		s->faults |= KEYSET_SYMMETRIC_MIX;
		for (uint32_t i = 0; i < s->n; i++)
			key_add_fault(s->keys[i], KEY_FAULT_SYMMETRIC_MIX, "");
	}
	find_kid_duplicates(s);
}

/* -- JSON -- */

static char *text_member(const struct strict_json *j, const struct sj_node *object, const char *name)
{
	const struct sj_node *n = sj_member(j, object, str_of(name));

	return n && n->kind == SJ_STRING && n->value.n <= KEY_TEXT_BYTES_MAX && !secret_in_text(n->value) ? strndup(n->value.p, n->value.n) : NULL;
}

static void note_address(struct keyset *s, const char *address)
{
	if (address && !str_starts_nocase(str_of(address), STR("https://")))
		s->faults |= KEYSET_HTTP;
}

static bool load_keys(struct keyset *s, const struct strict_json *j, const struct sj_node *keys, unsigned flags, struct buf *error)
{
	for (const struct sj_node *n = sj_first(j, keys); n; n = sj_next(j, n)) {
		if (s->n >= KEYS_SET_KEYS_MAX) {
			s->faults |= KEYSET_TOO_MANY;
			break;
		}
		if (!keyset_add(s, key_from_jwk(j, n, flags))) {
			buf_printf(error, "%s: out of memory", s->name);
			return false;
		}
	}
	return true;
}

const struct sj_node *keyset_list(const struct strict_json *j, const struct sj_node *object)
{
	const struct sj_node *keys = sj_member(j, object, STR("keys"));

	return keys && keys->kind == SJ_NULL ? NULL : keys;
}

bool keyset_is_map(const struct strict_json *j, const struct sj_node *object)
{
	const struct sj_node *n = object->kind == SJ_OBJECT ? sj_first(j, object) : NULL;

	for (const struct sj_node *m = n; m; m = sj_next(j, m))
		if (m->kind != SJ_STRING || !str_starts(str_trim(m->value), STR("-----BEGIN ")))
			return false;
	return n != NULL;
}

static bool load_pem(struct keyset *s, struct str bytes, unsigned flags, struct buf *error);

static bool load_map(struct keyset *s, const struct strict_json *j, const struct sj_node *map, unsigned flags, struct buf *error)
{
	for (const struct sj_node *n = sj_first(j, map); n; n = sj_next(j, n)) {
		const uint32_t before = s->n;
		if (!load_pem(s, n->value, flags, error))
			return false;
		for (uint32_t i = before; i < s->n; i++)
			key_set_kid(s->keys[i], n->key);
	}
	keyset_judge(s);
	return true;
}

bool keyset_secret_beside(const struct strict_json *j, const struct sj_node *set)
{
	const struct sj_node *keys = keyset_list(j, set);
	struct str name;

	if (!keys) /* a single JWK has it among its own faults */
		return !sj_member(j, set, STR("kty")) && secret_below(j, set, false, &name);
	for (const struct sj_node *n = sj_first(j, set); n; n = sj_next(j, n)) {
		const bool is_list = str_eq(n->key, STR("keys")) && n->kind == SJ_ARRAY && n == keys;
		if (!is_list && secret_member(j, set, n))
			return true;
	}
	return false;
}

bool keyset_load_node(struct keyset *s, const struct strict_json *j, const struct sj_node *node, unsigned flags, struct buf *error)
{
	const struct sj_node *keys = node->kind == SJ_OBJECT ? keyset_list(j, node) : NULL;
	bool ok = true;

	if (node->kind != SJ_OBJECT) {
		buf_printf(error, "%s: not a JSON object: no key set, key or OpenID metadata", s->name);
		return false;
	}
	if (keyset_is_map(j, node))
		return load_map(s, j, node, flags, error);
	s->issuer = keys || sj_member(j, node, STR("jwks_uri")) ? text_member(j, node, "issuer") : NULL;
	s->jwks_uri = text_member(j, node, "jwks_uri");
	if (keys || s->jwks_uri)
		s->cloud_instance = text_member(j, node, "cloud_instance_name");
	note_address(s, s->issuer);
	note_address(s, s->jwks_uri);
	if (keys && keys->kind == SJ_ARRAY) {
		s->form = KEYSET_JWKS;
		for (const struct sj_node *n = sj_first(j, node); n; n = sj_next(j, n))
			if (n->duplicate || n->case_duplicate)
				s->faults |= KEYSET_DUPLICATE;
		ok = load_keys(s, j, keys, flags, error);
	} else if (sj_member(j, node, STR("kty"))) {
		s->form = KEYSET_JWK;
		ok = keyset_add(s, key_from_jwk(j, node, flags));
		if (!ok)
			buf_printf(error, "%s: out of memory", s->name);
	} else if (s->jwks_uri) {
		s->form = KEYSET_METADATA;
	} else {
		buf_printf(error, "%s: neither \"keys\" nor \"kty\" nor \"jwks_uri\", and no names of certificates: no key set, key or OpenID metadata", s->name);
		return false;
	}
	if (keyset_secret_beside(j, node))
		s->faults |= KEYSET_PRIVATE;
	if (ok)
		keyset_judge(s);
	return ok;
}

static bool load_json(struct keyset *s, struct str bytes, unsigned flags, struct buf *error)
{
	struct strict_json j;
	enum sj_error e;
	bool ok = false;

	sj_init(&j, &keyset_limits, jwk_registered_names);
	e = sj_parse(&j, bytes);
	if (e == SJ_OK)
		ok = keyset_load_node(s, &j, sj_root(&j), flags, error);
	else
		buf_printf(error, "%s: %s at byte %zu (wanted: a JWK set, a JWK, OpenID metadata, or PEM or DER)", s->name,
			   sj_error_text(e), j.error_at);
	if (flags & KEY_KEEP_SYMMETRIC && j.unescaped.p)
		OPENSSL_cleanse(j.unescaped.p, j.unescaped.n);
	sj_release(&j);
	return ok;
}

/* -- PEM and DER -- */

/* trusted: OpenSSL's form, with its own data after the certificate */
static bool add_certificate(struct keyset *s, const uint8_t *der, size_t n, bool trusted, unsigned flags)
{
	const uint8_t *p = der;
	X509 *x = (trusted ? d2i_X509_AUX : d2i_X509)(NULL, &p, (long)n);
	bool ok = x && p == der + n && n <= KEY_CERT_BYTES_MAX;

	if (ok)
		ok = keyset_add(s, key_from_certificate(x, (struct str){ (const char *)der, n }, flags));
	X509_free(x);
	ERR_clear_error();
	return ok;
}

static bool add_pkey(struct keyset *s, EVP_PKEY *p, enum key_from from, unsigned flags)
{
	ERR_clear_error();
	return p && keyset_add(s, key_from_pkey(p, from, flags));
}

static bool add_block(struct keyset *s, const char *label, const uint8_t *der, size_t n, unsigned flags)
{
	const uint8_t *p = der;

	if (strcmp(label, "CERTIFICATE") == 0 || strcmp(label, "X509 CERTIFICATE") == 0)
		return add_certificate(s, der, n, false, flags);
	if (strcmp(label, "TRUSTED CERTIFICATE") == 0)
		return add_certificate(s, der, n, true, flags);
	if (strcmp(label, "PUBLIC KEY") == 0)
		return add_pkey(s, d2i_PUBKEY(NULL, &p, (long)n), KEY_FROM_PUBLIC, flags);
	if (strcmp(label, "RSA PUBLIC KEY") == 0)
		return add_pkey(s, d2i_PublicKey(EVP_PKEY_RSA, NULL, &p, (long)n), KEY_FROM_PUBLIC, flags);
	if (strstr(label, "PRIVATE KEY")) {
		EVP_PKEY *pkey = strstr(label, "ENCRYPTED") ? NULL : d2i_AutoPrivateKey(NULL, &p, (long)n);
		s->faults |= KEYSET_PRIVATE;
		ERR_clear_error();
		if (pkey)
			return add_pkey(s, pkey, KEY_FROM_PRIVATE, flags);
		s->faults |= KEYSET_LOCKED;
	}
	return true; /* parameters, requests, revocation lists: no keys of ours */
}

static bool load_pem(struct keyset *s, struct str bytes, unsigned flags, struct buf *error)
{
	BIO *bio = BIO_new_mem_buf(bytes.p, (int)bytes.n);
	char *label, *header;
	unsigned char *der;
	long n;
	unsigned block = 0;
	bool ok = bio != NULL;

	s->form = KEYSET_PEM;
	while (ok && PEM_read_bio(bio, &label, &header, &der, &n)) {
		block++;
		if (s->n >= KEYS_SET_KEYS_MAX)
			s->faults |= KEYSET_TOO_MANY;
		else if (strstr(header, "ENCRYPTED"))
			s->faults |= KEYSET_PRIVATE | KEYSET_LOCKED;
		else
			ok = add_block(s, label, der, (size_t)n, flags);
		if (!ok)
			buf_printf(error, "%s: PEM block %u (%.40s) cannot be read", s->name, block, label);
		OPENSSL_cleanse(der, (size_t)n);
		OPENSSL_free(label);
		OPENSSL_free(header);
		OPENSSL_free(der);
	}
	if (ok && ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
		buf_printf(error, "%s: PEM block %u cannot be read", s->name, block + 1);
		ok = false;
	} else if (ok && !s->n && !(s->faults & KEYSET_LOCKED)) {
		buf_printf(error, "%s: no certificate and no public key in it", s->name);
		ok = false;
	}
	ERR_clear_error();
	BIO_free(bio);
	if (ok)
		keyset_judge(s);
	return ok;
}

static bool load_der(struct keyset *s, struct str bytes, unsigned flags, struct buf *error)
{
	const uint8_t *der = (const uint8_t *)bytes.p, *p = der;
	EVP_PKEY *pkey;

	s->form = KEYSET_DER;
	if (add_certificate(s, der, bytes.n, false, flags))
		return true;
	pkey = d2i_PUBKEY(NULL, &p, (long)bytes.n);
	if (pkey && p != der + bytes.n) {
		EVP_PKEY_free(pkey);
		pkey = NULL;
	}
	if (add_pkey(s, pkey, KEY_FROM_PUBLIC, flags))
		return true;
	buf_printf(error, "%s: DER, but neither a certificate nor a public key", s->name);
	return false;
}

bool keyset_load_bytes(struct keyset *s, struct str bytes, unsigned flags, struct buf *error)
{
	struct str text;

	if (str_starts(bytes, STR("\xef\xbb\xbf")))
		bytes = (struct str){ bytes.p + 3, bytes.n - 3 };
	text = str_trim(bytes);
	if (bytes.n > KEYS_FILE_BYTES_MAX) {
		buf_printf(error, "%s: larger than %zu MiB", s->name, (size_t)(KEYS_FILE_BYTES_MAX / MIB));
		return false;
	}
	if (!text.n) {
		buf_printf(error, "%s: empty", s->name);
		return false;
	}
	SHA256((const uint8_t *)bytes.p, bytes.n, s->sha256);
	if (bytes.p[0] == 0x30)
		return load_der(s, bytes, flags, error);
	/* a certificate may have a commentary before its PEM block */
	if (text.p[0] != '{' && text.p[0] != '[' && str_find(text, STR("-----BEGIN ")) >= 0)
		return load_pem(s, text, flags, error);
	return load_json(s, bytes, flags, error);
}

/* -- files -- */

bool file_read(const char *path, struct buf *ret, int64_t *ret_modified_us, struct buf *error)
{
	const bool is_stdin = strcmp(path, "-") == 0;
	const int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	ssize_t got = -1;

	if (fd < 0 || fstat(fd, &st) != 0 || S_ISDIR(st.st_mode)) {
		buf_printf(error, "%s: %s", path, strerror(fd >= 0 && S_ISDIR(st.st_mode) ? EISDIR : errno));
		if (fd >= 0 && !is_stdin)
			close(fd);
		return false;
	}
	if (ret_modified_us)
		*ret_modified_us = st.st_mtim.tv_sec * US_PER_SECOND;
	while (buf_reserve(ret, ret->n < ret->max ? 1 : 0)) {
		const size_t room = ret->capacity > ret->n ? ret->capacity - ret->n : 0;
		char extra;
		got = room ? read(fd, ret->p + ret->n, room) : read(fd, &extra, 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		if (!room) {
			ret->failed = true;
			break;
		}
		ret->n += (size_t)got;
		ret->p[ret->n] = '\0';
	}
	if (got < 0)
		buf_printf(error, "%s: %s", path, strerror(errno));
	else if (buf_failed(ret))
		buf_printf(error, "%s: larger than %zu KiB", path, ret->max / KIB);
	if (!is_stdin)
		close(fd);
	if (got < 0 || buf_failed(ret))
		return false;
	size_t skip;
	if (ret->n && encoding_of(ret->p, ret->n, &skip) != ENCODING_UTF8) { /* PowerShell redirects in UTF-16 */
		struct buf utf8;
		buf_init(&utf8, ret->max + ret->max / 2);
		if (!text_to_utf8(buf_str(ret), &utf8, NULL)) {
			buf_printf(error, "%s: out of memory", path);
			buf_release(&utf8);
			return false;
		}
		buf_clear(ret);
		buf_add_str(ret, buf_str(&utf8));
		buf_release(&utf8);
		if (buf_failed(ret))
			buf_printf(error, "%s: larger than %zu KiB", path, ret->max / KIB);
	}
	return !buf_failed(ret);
}

bool keyset_load_file(struct keyset *s, const char *path, unsigned flags, struct buf *error)
{
	struct buf bytes;
	bool ok;

	buf_init(&bytes, KEYS_FILE_BYTES_MAX);
	ok = file_read(path, &bytes, &s->modified_us, error) && keyset_load_bytes(s, buf_str(&bytes), flags, error);
	if (bytes.p)
		OPENSSL_cleanse(bytes.p, bytes.capacity); /* it may have been a private key */
	buf_release(&bytes);
	return ok;
}
