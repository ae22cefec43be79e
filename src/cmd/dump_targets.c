/* SPDX-License-Identifier: Apache-2.0 */
/* dump_targets: public keys from files, as plain arrays.  keys/keyset.c reads them, so that an audit and a search of a dump never read
 * two different keys out of one set; a key whose base64 is not quite that of a JWK is hunted as well. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#include "base/limits.h"
#include "cmd/dump_cmd.h"
#include "keys/keyset.h"


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

/* ---- from sets ---- */

/* A key of a curve that signs no token, and is hunted all the same. */
static EVP_PKEY *other_curve(const struct key *k)
{
	static const struct { const char *crv; int id; size_t bytes; } curves[] = {
		{ "X25519", EVP_PKEY_X25519, 32 }, { "X448", EVP_PKEY_X448, 56 },
	};
	uint8_t point[1 + 2 * 32] = { 4 };
	EVP_PKEY_CTX *ctx;
	EVP_PKEY *key = NULL;
	OSSL_PARAM params[3];

	for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++)
		if (str_eq(k->crv, str_of(curves[i].crv)) && k->x.n == curves[i].bytes)
			return EVP_PKEY_new_raw_public_key(curves[i].id, NULL, (const uint8_t *)k->x.p, k->x.n);
	if (!str_eq(k->crv, STR("secp256k1")) || k->x.n != 32 || k->y.n != 32)
		return NULL;
	memcpy(point + 1, k->x.p, 32);
	memcpy(point + 33, k->y.p, 32);
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)(uintptr_t)"secp256k1", 0);
	params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point));
	params[2] = OSSL_PARAM_construct_end();
	ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	if (ctx && EVP_PKEY_fromdata_init(ctx) > 0)
		(void)EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params);
	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return key;
}

/* A key may be two: that of its numbers, and another one in its certificate.  Each may be trusted.  -1: out of memory */
static int take_key(struct target_list *l, const struct key *k, const char *set)
{
	char kid[257], subject[256];
	EVP_PKEY *other = k->pkey ? NULL : other_curve(k);
	const EVP_PKEY *keys[] = { k->pkey ? k->pkey : other, k->cert_pkey };
	int taken = 0;

	snprintf(kid, sizeof(kid), "%.*s", STR_ARG(k->kid));
	snprintf(subject, sizeof(subject), "%.*s", STR_ARG(k->cert.subject));
	for (size_t i = 0; i < 2 && taken >= 0; i++) {
		const int got = keys[i] ? add_key(l, keys[i], kid, subject, set) : 0;
		taken = got < 0 ? -1 : taken + got;
	}
	EVP_PKEY_free(other);
	return taken;
}

/* ---- files ---- */

/* must: a file without a key is an error, not only a warning. */
static bool load_file(struct target_list *l, const char *path, bool is_set, bool must)
{
	struct keyset *s = keyset_new(path);
	struct buf error;
	uint32_t taken = 0, passed_over = 0;
	bool ok;

	buf_init(&error, 8 * KIB);
	ok = s && keyset_load_file(s, path, KEY_LAX_BASE64 | KEY_NO_STRENGTH, &error);
	for (uint32_t i = 0; ok && i < s->n; i++) {
		if (s->keys[i]->from == KEY_FROM_PRIVATE) /* next to a certificate; only public keys are wanted */
			continue;
		const int got = take_key(l, s->keys[i], is_set ? path : NULL);

		if (got < 0)
			buf_printf(&error, "%s: out of memory", path);
		ok = got >= 0;
		taken += got > 0;
		passed_over += got == 0;
	}
	if (ok && passed_over && taken)
		cmd_error(&command_dump, "%s: %u of %u keys cannot be looked for: not readable, or of a kind that is not hunted", path, passed_over, s->n);
	else if (ok && s->faults & KEYSET_TOO_MANY)
		cmd_error(&command_dump, "%s: more than %d keys; the rest was not read", path, KEYS_SET_KEYS_MAX);
	else if (ok && !taken)
		buf_printf(&error, s->form == KEYSET_METADATA ? "%s: OpenID metadata has no keys; give the set at its jwks_uri" :
			   s->n ? "%s: none of its keys can be looked for" : "%s: no key in it", path);
	if (!taken || !ok) /* in a folder, other files may have keys */
		cmd_error(&command_dump, "%.*s", STR_ARG(buf_str(&error)));
	ok = taken ? ok : !must && s;
	buf_release(&error);
	keyset_free(s);
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
