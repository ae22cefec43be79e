/* SPDX-License-Identifier: Apache-2.0 */
/* dump_targets: public keys from files, as plain arrays.  What a file is is seen from its bytes: JSON, PEM, DER. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#include "base/limits.h"
#include "cmd/dump_cmd.h"
#include "decode/walk.h"

#define KEY_FILE_BYTES_MAX (16 * MIB)


void target_list_free(struct target_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		struct dump_target *t = &l->targets[i];

		for (size_t k = 0; k < l->set_counts[i]; k++)
			free((void *)(uintptr_t)t->sets[k]);
		free((void *)(uintptr_t)t->sets);
		free((void *)(uintptr_t)t->n.p);
		free((void *)(uintptr_t)t->e.p);
		free((void *)(uintptr_t)t->point.p);
		free((void *)(uintptr_t)t->kid);
		free((void *)(uintptr_t)t->subject);
		free((void *)(uintptr_t)t->group);
	}
	free(l->targets);
	free(l->set_counts);
	*l = (struct target_list){ 0 };
}

static bool copy_number(const EVP_PKEY *key, const char *name, struct dump_bytes *ret)
{
	BIGNUM *x = NULL;
	uint8_t *p = NULL;

	if (EVP_PKEY_get_bn_param(key, name, &x) && (p = malloc((size_t)BN_num_bytes(x) + 1))) {
		ret->n = (size_t)BN_bn2bin(x, p);
		ret->p = p;
	}
	BN_free(x);
	return p != NULL;
}

static bool copy_point(const EVP_PKEY *key, struct dump_target *t)
{
	uint8_t *p = malloc(256);
	size_t n = 0;
	char group[64];

	if (!p)
		return false;
	if (t->algorithm == DUMP_EC) {
		if (!EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group), NULL) ||
		    !EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, p, 256, &n) || !(t->group = strdup(group))) {
			free(p);
			return false;
		}
	} else {
		n = 256;
		if (EVP_PKEY_get_raw_public_key(key, p, &n) != 1) {
			free(p);
			return false;
		}
	}
	t->point = (struct dump_bytes){ p, n };
	return true;
}

static bool add_set(struct target_list *l, size_t i, const char *set)
{
	struct dump_target *t = &l->targets[i];
	const char **bigger;

	for (size_t k = 0; k < l->set_counts[i]; k++)
		if (strcmp(t->sets[k], set) == 0)
			return true;
	bigger = realloc((void *)(uintptr_t)t->sets, (l->set_counts[i] + 2) * sizeof(*bigger));
	if (!bigger)
		return false;
	t->sets = bigger;
	bigger[l->set_counts[i]] = strdup(set);
	bigger[l->set_counts[i] + 1] = NULL;
	return bigger[l->set_counts[i]++] != NULL;
}

/* 1: added or merged; 0: a kind of key that is not hunted; -1: out of memory */
static int add_key(struct target_list *l, const EVP_PKEY *key, const char *kid, const char *subject, const char *set)
{
	struct dump_target t = { 0 };
	unsigned char *der = NULL;
	int size = i2d_PUBKEY((EVP_PKEY *)(uintptr_t)key, &der), id = EVP_PKEY_get_base_id(key);
	size_t i;

	if (size <= 0)
		return 0;
	SHA256(der, (size_t)size, t.spki);
	OPENSSL_free(der);
	for (i = 0; i < l->n; i++)
		if (memcmp(l->targets[i].spki, t.spki, 32) == 0)
			return !set || add_set(l, i, set) ? 1 : -1;
	t.algorithm = id == EVP_PKEY_RSA || id == EVP_PKEY_RSA_PSS ? DUMP_RSA
	              : id == EVP_PKEY_EC                          ? DUMP_EC
	              : id == EVP_PKEY_ED25519                     ? DUMP_ED25519
	              : id == EVP_PKEY_X25519                      ? DUMP_X25519
	              : id == EVP_PKEY_ED448                       ? DUMP_ED448
	              : id == EVP_PKEY_X448                        ? DUMP_X448
	                                                           : DUMP_OTHER;
	if (t.algorithm == DUMP_OTHER || l->n >= DUMP_TARGETS_MAX)
		return 0;
	t.bits = (unsigned)EVP_PKEY_get_bits(key);
	if (l->n == l->capacity) {
		size_t capacity = l->capacity ? l->capacity * 2 : 16;
		struct dump_target *targets = realloc(l->targets, capacity * sizeof(*targets));
		size_t *counts = targets ? realloc(l->set_counts, capacity * sizeof(*counts)) : NULL;

		l->targets = targets ? targets : l->targets;
		if (!counts)
			return -1;
		l->set_counts = counts;
		l->capacity = capacity;
	}
	t.kid = strdup(kid);
	t.subject = strdup(subject);
	l->targets[l->n] = t;
	l->set_counts[l->n++] = 0;
	i = l->n - 1;
	if (!t.kid || !t.subject || (set && !add_set(l, i, set)))
		return -1;
	if (t.algorithm == DUMP_RSA)
		return copy_number(key, OSSL_PKEY_PARAM_RSA_N, &l->targets[i].n) && copy_number(key, OSSL_PKEY_PARAM_RSA_E, &l->targets[i].e)
		               ? 1
		               : -1;
	return copy_point(key, &l->targets[i]) ? 1 : -1;
}

/* ---- JWK ---- */

static size_t decode_base64url(struct str s, uint8_t *out, size_t capacity)
{
	uint32_t acc = 0;
	unsigned bits = 0;
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		const char c = s.p[i];
		int v = c >= 'A' && c <= 'Z'   ? c - 'A'
		        : c >= 'a' && c <= 'z' ? c - 'a' + 26
		        : c >= '0' && c <= '9' ? c - '0' + 52
		        : c == '-' || c == '+' ? 62
		        : c == '_' || c == '/' ? 63
		                               : -1;
		if (c == '=')
			break;
		if (v < 0 || n == capacity)
			return 0;
		acc = acc << 6 | (uint32_t)v;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out[n++] = (uint8_t)(acc >> bits);
		}
	}
	return n;
}

struct jwk {
	struct str kty, crv, n, e, x, y, kid;
};

static EVP_PKEY *key_from(const char *type, OSSL_PARAM *params)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	if (ctx && params && EVP_PKEY_fromdata_init(ctx) > 0)
		(void)EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static EVP_PKEY *rsa_of(const struct jwk *j)
{
	uint8_t bytes[DUMP_RSA_BITS_MAX / 8];
	size_t n = decode_base64url(j->n, bytes, sizeof(bytes));
	BIGNUM *bn = n ? BN_bin2bn(bytes, (int)n, NULL) : NULL, *be;
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params = NULL;
	EVP_PKEY *key;

	n = decode_base64url(j->e, bytes, sizeof(bytes));
	be = n ? BN_bin2bn(bytes, (int)n, NULL) : NULL;
	if (bn && be && build && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, bn) &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, be))
		params = OSSL_PARAM_BLD_to_param(build);
	key = key_from("RSA", params);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	BN_free(bn);
	BN_free(be);
	return key;
}

static EVP_PKEY *ec_of(const struct jwk *j)
{
	static const struct { const char *crv, *group; size_t bytes; } curves[] = {
		{ "P-256", "prime256v1", 32 }, { "P-384", "secp384r1", 48 }, { "P-521", "secp521r1", 66 }, { "secp256k1", "secp256k1", 32 },
	};
	uint8_t point[1 + 2 * 66] = { 4 };

	for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++) {
		OSSL_PARAM params[3];
		const size_t n = curves[i].bytes;

		if (!str_eq(j->crv, (struct str){ curves[i].crv, strlen(curves[i].crv) }))
			continue;
		if (decode_base64url(j->x, point + 1, n) != n || decode_base64url(j->y, point + 1 + n, n) != n)
			return NULL;
		params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)(uintptr_t)curves[i].group, 0);
		params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * n);
		params[2] = OSSL_PARAM_construct_end();
		return key_from("EC", params);
	}
	return NULL;
}

static EVP_PKEY *okp_of(const struct jwk *j)
{
	static const struct { const char *crv; int id; size_t bytes; } curves[] = {
		{ "Ed25519", EVP_PKEY_ED25519, 32 }, { "X25519", EVP_PKEY_X25519, 32 },
		{ "Ed448", EVP_PKEY_ED448, 57 }, { "X448", EVP_PKEY_X448, 56 },
	};
	uint8_t x[57];

	for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++)
		if (str_eq(j->crv, (struct str){ curves[i].crv, strlen(curves[i].crv) }) &&
		    decode_base64url(j->x, x, sizeof(x)) == curves[i].bytes)
			return EVP_PKEY_new_raw_public_key(curves[i].id, NULL, x, curves[i].bytes);
	return NULL;
}

/* one JWK, or -2: an object with "keys", whose number is in *ret_keys */
static int take_jwk(struct target_list *l, const struct json_index *d, uint32_t v, const char *set, uint32_t *ret_keys)
{
	struct jwk j = { { 0 } };
	const struct { const char *name; struct str *to; } members[] = {
		{ "kty", &j.kty }, { "crv", &j.crv }, { "n", &j.n }, { "e", &j.e }, { "x", &j.x }, { "y", &j.y }, { "kid", &j.kid },
	};
	struct walk_object o = walk_object(d, v);
	EVP_PKEY *key = NULL;
	char kid[257] = "";
	int ret;

	for (uint32_t k; (k = walk_next_key(&o)) != WALK_BAD; o.next = walk_skip(d, k + 2)) {
		struct str name = walk_raw_string(d, k);

		if (str_eq(name, STR("keys")) && walk_char(d, k + 2) == '[') {
			*ret_keys = k + 2;
			return -2;
		}
		for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
			if (str_eq(name, str_of(members[i].name)))
				*members[i].to = walk_raw_string(d, k + 2);
	}
	if (str_eq(j.kty, STR("RSA")))
		key = rsa_of(&j);
	else if (str_eq(j.kty, STR("EC")))
		key = ec_of(&j);
	else if (str_eq(j.kty, STR("OKP")))
		key = okp_of(&j);
	if (!key)
		return 0;
	if (j.kid.n && j.kid.n < sizeof(kid))
		memcpy(kid, j.kid.p, j.kid.n); /* as written; escapes in a kid are rare and only for people here */
	ret = add_key(l, key, kid, "", set);
	EVP_PKEY_free(key);
	return ret;
}

static int take_json(struct target_list *l, struct str text, const char *set)
{
	struct json_indexer *x = json_indexer_new();
	struct json_index d;
	uint32_t keys = WALK_BAD;
	int taken = 0, got = -1;

	if (x && json_index(x, text.p, text.n, &d) == JSON_OK && d.n && walk_char(&d, 0) == '{') {
		got = take_jwk(l, &d, 0, set, &keys);
		taken += got == 1;
		if (got == -2) {
			struct walk_array a = walk_array(&d, keys);

			got = 0;
			for (uint32_t v; got >= 0 && (v = walk_next_element(&a)) != WALK_BAD; a.next = walk_skip(&d, v)) {
				if (walk_char(&d, v) != '{')
					continue;
				got = take_jwk(l, &d, v, set, &keys);
				taken += got == 1;
				got = got == -2 ? 0 : got;
			}
		}
	}
	json_indexer_free(x);
	return got < 0 && taken == 0 ? -1 : taken;
}

/* ---- PEM, DER ---- */

static int take_certificate(struct target_list *l, X509 *x, const char *set)
{
	char subject[256] = "";
	EVP_PKEY *key = X509_get0_pubkey(x);

	X509_NAME_oneline(X509_get_subject_name(x), subject, sizeof(subject));
	return key ? add_key(l, key, "", subject, set) : 0;
}

static int take_pem(struct target_list *l, struct str text, const char *set)
{
	BIO *bio = BIO_new_mem_buf(text.p, (int)text.n);
	char *name = NULL, *header = NULL;
	unsigned char *data = NULL;
	long size = 0;
	int taken = 0, got = 0;

	while (bio && got >= 0 && PEM_read_bio(bio, &name, &header, &data, &size)) {
		const unsigned char *p = data;

		got = 0;
		if (strcmp(name, "CERTIFICATE") == 0 || strcmp(name, "TRUSTED CERTIFICATE") == 0) {
			X509 *x = d2i_X509(NULL, &p, size);

			got = x ? take_certificate(l, x, set) : 0;
			X509_free(x);
		} else if (strcmp(name, "PUBLIC KEY") == 0) {
			EVP_PKEY *key = d2i_PUBKEY(NULL, &p, size);

			got = key ? add_key(l, key, "", "", set) : 0;
			EVP_PKEY_free(key);
		} else if (strcmp(name, "RSA PUBLIC KEY") == 0) {
			EVP_PKEY *key = d2i_PublicKey(EVP_PKEY_RSA, NULL, &p, size);

			got = key ? add_key(l, key, "", "", set) : 0;
			EVP_PKEY_free(key);
		}
		taken += got == 1;
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_clear_free(data, (size_t)size);
	}
	BIO_free(bio);
	ERR_clear_error();
	return got < 0 ? -1 : taken;
}

static int take_der(struct target_list *l, struct str text, const char *set)
{
	const unsigned char *p = (const unsigned char *)text.p;
	X509 *x = d2i_X509(NULL, &p, (long)text.n);
	EVP_PKEY *key = NULL;
	int got = 0;

	if (x) {
		got = take_certificate(l, x, set);
	} else {
		p = (const unsigned char *)text.p;
		key = d2i_PUBKEY(NULL, &p, (long)text.n);
		got = key ? add_key(l, key, "", "", set) : 0;
	}
	X509_free(x);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return got;
}

/* ---- files ---- */

static bool read_whole(const char *path, struct buf *b)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	bool ok = fd >= 0;

	while (ok) {
		ssize_t n;

		ok = buf_reserve(b, 64 * KIB);
		if (!ok) {
			errno = EFBIG;
			break;
		}
		n = read(fd, b->p + b->n, 64 * KIB);
		if (n < 0 && errno == EINTR)
			continue;
		ok = n >= 0;
		if (n <= 0)
			break;
		b->n += (size_t)n;
	}
	if (fd >= 0)
		close(fd);
	if (ok && buf_reserve(b, 1))
		b->p[b->n] = '\0';
	return ok;
}

static bool load_file(struct target_list *l, const char *path, bool is_set, bool must)
{
	const char *set = is_set ? path : NULL;
	struct buf b;
	struct str text;
	int taken = 0;
	bool ok;

	buf_init(&b, KEY_FILE_BYTES_MAX);
	ok = read_whole(path, &b);
	if (!ok) {
		cmd_error(&command_dump, "'%s' cannot be read: %s", path, strerror(errno));
	} else {
		text = str_trim(buf_str(&b));
		if (text.n && text.p[0] == '{')
			taken = take_json(l, text, set);
		else if (str_find(text, STR("-----BEGIN ")) >= 0)
			taken = take_pem(l, text, set);
		else
			taken = take_der(l, buf_str(&b), set);
		if (taken < 0 || (taken == 0 && must)) {
			cmd_error(&command_dump, "'%s' holds no public key that can be looked for: a JWK set, certificates or public keys "
			                         "in PEM or DER were expected", path);
			ok = false;
		}
	}
	buf_release(&b);
	return ok;
}

bool target_list_load(struct target_list *l, const char *path, bool is_set)
{
	struct dirent **names = NULL;
	struct stat st;
	size_t before = l->n;
	bool ok = true;
	int n;

	if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
		return load_file(l, path, is_set, true);
	n = scandir(path, &names, NULL, alphasort);
	if (n < 0) {
		cmd_error(&command_dump, "'%s' cannot be read: %s", path, strerror(errno));
		return false;
	}
	for (int i = 0; i < n; i++) {
		char *file = NULL;

		if (ok && names[i]->d_name[0] != '.' && asprintf(&file, "%s/%s", path, names[i]->d_name) >= 0 &&
		    stat(file, &st) == 0 && S_ISREG(st.st_mode))
			ok = load_file(l, file, is_set, false);
		free(file);
		free(names[i]);
	}
	free(names);
	if (ok && l->n == before && before == 0) {
		cmd_error(&command_dump, "'%s' holds no file with a public key that can be looked for", path);
		ok = false;
	}
	return ok;
}
