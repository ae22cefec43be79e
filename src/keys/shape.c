/* SPDX-License-Identifier: Apache-2.0 */
/* shape: does the entry follow the standards, with only one possible reading?  Anything that two readers of a set can
 * understand differently, an attacker can use. */
#include "base/count.h"
#include "keys/audit_int.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/b64url.h"
#include "keys/registry.h"

#define HABIT_KEYS_MIN 3      /* a provider has a habit if so many keys show it ... */
#define HABIT_SHARE_PERCENT 90 /* ... and so large a part of all */

static const enum key_fault_code form_faults[] = {
	KEY_FAULT_NOT_OBJECT, KEY_FAULT_DUPLICATE, KEY_FAULT_CASE_DUPLICATE, KEY_FAULT_TYPE, KEY_FAULT_MISSING, KEY_FAULT_BASE64,
	KEY_FAULT_LEADING_ZERO, KEY_FAULT_TOO_LONG, KEY_FAULT_KTY, KEY_FAULT_KID_LENGTH, KEY_FAULT_X5C_FORM, KEY_FAULT_CRYPTO,
	KEY_FAULT_COORDINATE, KEY_FAULT_X5C_ONLY,
};

static const enum key_fault_code alg_faults[] = {
	KEY_FAULT_ALG_UNKNOWN, KEY_FAULT_ALG_CONTRADICTS, KEY_FAULT_USE, KEY_FAULT_KEY_OPS, KEY_FAULT_USE_CONTRADICTS,
};

/* the members that a fault was found in; "" if they are not remembered */
static void members_of(const struct key *k, enum key_fault_code code, char *ret, size_t room)
{
	size_t n = 0;

	ret[0] = '\0';
	for (unsigned i = 0; i < k->fault_n && n + 1 < room; i++)
		if (k->fault[i].code == code && k->fault[i].member[0])
			n += (size_t)snprintf(ret + n, room - n, "%s\"%s\"", n ? ", " : "", k->fault[i].member);
}

static void report_faults(struct audit *a, const struct history_key *k, const struct key *key, enum finding_code code,
			  const enum key_fault_code *faults, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char members[256];

		if (!key_has(key, faults[i]))
			continue;
		members_of(key, faults[i], members, sizeof(members));
		finding_add(a, code, SEVERITY_FINDING, k, k->provider, k->versions[k->version_count - 1].first, "the key %s%s%s%s",
			    key_fault_rows[faults[i]].text, *members ? " (" : "", members, *members ? ")" : "");
	}
}

static void judge_private(struct audit *a, const struct history_key *k, const struct key *key)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} rows[] = {
		{ KEY_PRIVATE_D, "d" },   { KEY_PRIVATE_P, "p" },   { KEY_PRIVATE_Q, "q" },     { KEY_PRIVATE_DP, "dp" },
		{ KEY_PRIVATE_DQ, "dq" }, { KEY_PRIVATE_QI, "qi" }, { KEY_PRIVATE_OTH, "oth" }, { KEY_PRIVATE_K, "k" },
		{ KEY_PRIVATE_PRIV, "priv" },
	};
	char names[64] = "";
	size_t at = 0;

	if (!key->private_members)
		return;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (key->private_members & rows[i].bit)
			at += (size_t)snprintf(names + at, sizeof(names) - at, " %s", rows[i].name);
	if (key->private_members & KEY_PRIVATE_PEM)
		finding_add(a, FINDING_SHAPE_PRIVATE, SEVERITY_CRITICAL_FINDING, k, k->provider, k->first, "a private key in a PEM block");
	else if (*names)
		finding_add(a, FINDING_SHAPE_PRIVATE, SEVERITY_CRITICAL_FINDING, k, k->provider, k->first, "private members:%s", names);
	if (key->private_members & KEY_PRIVATE_INSIDE) {
		char members[256];
		members_of(key, KEY_FAULT_PRIVATE, members, sizeof(members));
		finding_add(a, FINDING_SHAPE_PRIVATE, SEVERITY_CRITICAL_FINDING, k, k->provider, k->first, "a private key inside another member%s%s",
			    *members ? ", of " : "", members);
	}
}

static void judge_alg(struct audit *a, const struct history_key *k, const struct key *key)
{
	const bool no_alg = key_has(key, KEY_FAULT_ALG_ABSENT), no_use = key_has(key, KEY_FAULT_USE_ABSENT);

	if (key->from != KEY_FROM_JWK)
		return; /* a certificate has no such members */
	if (str_eq(key->use, STR("jwt-svid")) || str_eq(key->use, STR("x509-svid"))) /* SPIFFE's bundles */
		finding_add(a, FINDING_SHAPE_ALG, SEVERITY_INFORMATION, k, k->provider, k->versions[k->version_count - 1].first,
			    "use \"%.*s\": for identities of SPIFFE", STR_ARG(key->use));
	for (size_t i = 0; i < sizeof(alg_faults) / sizeof(alg_faults[0]); i++)
		if (alg_faults[i] != KEY_FAULT_USE || !str_starts(key->use, STR("jwt-svid")) )
			report_faults(a, k, key, FINDING_SHAPE_ALG, &alg_faults[i], 1);
	if (no_alg || no_use)
		finding_add(a, FINDING_SHAPE_ALG, SEVERITY_INFORMATION, k, k->provider, k->versions[k->version_count - 1].first,
			    "no %s", no_alg && no_use ? "'alg' and no 'use'" : no_alg ? "'alg'" : "'use'");
}

/* A known but unsupported key is neither wrong nor unreadable: only that is reported. */
static void judge_unsupported(struct audit *a, const struct history_key *k, const struct key *key)
{
	const bool kind = key->kind == KEY_KIND_UNKNOWN && key_has(key, KEY_FAULT_UNSUPPORTED);
	const struct str name = kind ? key->kty : key_has(key, KEY_FAULT_UNSUPPORTED) ? key->crv : key->alg_text;
	const struct registry_name *known = kind ? registry_kty(name) : key_has(key, KEY_FAULT_UNSUPPORTED) ? registry_crv(name) : registry_alg(name);

	if (known && (key_has(key, KEY_FAULT_UNSUPPORTED) || key_has(key, KEY_FAULT_ALG_OTHER)))
		finding_add(a, FINDING_SHAPE_UNJUDGED, SEVERITY_INFORMATION, k, k->provider, k->versions[k->version_count - 1].first,
			    "%s \"%.*s\" %s: %s", kind ? "kty" : key_has(key, KEY_FAULT_UNSUPPORTED) ? "crv" : "alg", STR_ARG(name),
			    known->standing, known->text);
}

static void judge_certificate(struct audit *a, const struct history_key *k, const struct key *key)
{
	const struct key_cert *c = &key->cert;

	if (key_has(key, KEY_FAULT_X5C_MISMATCH))
		finding_add(a, FINDING_SHAPE_X5C, SEVERITY_CRITICAL_FINDING, k, k->provider, k->first,
			    "the certificate \"%.*s\" is of another key", STR_ARG(c->subject));
	if (key_has(key, KEY_FAULT_X5T_MISMATCH))
		finding_add(a, FINDING_SHAPE_X5T, SEVERITY_FINDING, k, k->provider, k->first,
			    "x5t \"%.*s\" is not the SHA-1 of the certificate", STR_ARG(key->x5t));
	if (key_has(key, KEY_FAULT_X5T256_MISMATCH))
		finding_add(a, FINDING_SHAPE_X5T, SEVERITY_FINDING, k, k->provider, k->first,
			    "x5t#S256 \"%.*s\" is not the SHA-256 of the certificate", STR_ARG(key->x5t256));
	if (key_has(key, KEY_FAULT_X5T_HEX))
		finding_add(a, FINDING_SHAPE_X5T, SEVERITY_INFORMATION, k, k->provider, k->first, "a thumbprint in hexadecimal, where RFC 7517 wants base64url");
	if (!c->present)
		return;
	if (c->sha1_signature)
		finding_add(a, FINDING_SHAPE_CERT, c->self_signed ? SEVERITY_INFORMATION : SEVERITY_FINDING, k, k->provider, k->first,
			    "the certificate is signed with SHA-1 or MD5%s", c->self_signed ? ", by itself" : "");
	if (c->has_key_usage && !c->digital_signature)
		finding_add(a, FINDING_SHAPE_CERT, SEVERITY_FINDING, k, k->provider, k->first,
			    "the certificate's key usage does not allow digital signatures");
	if (c->ca)
		finding_add(a, FINDING_SHAPE_CERT, SEVERITY_INFORMATION, k, k->provider, k->first, "the certificate is one of an authority");
}

/* -- a provider's habit: kid = x5t -- */

static bool kid_is_thumbprint(const struct key *k)
{
	uint8_t bytes[32];
	size_t n = 0;

	if (k->x5t.n && str_eq(k->kid, k->x5t))
		return true;
	return k->cert.present && b64url_decode(k->kid, bytes, sizeof(bytes), &n) == B64_OK && n == 20 &&
	       memcmp(bytes, k->cert.sha1, 20) == 0;
}

static void judge_habit(struct audit *a, const struct history_provider *p)
{
	uint32_t could = 0, do_so = 0;

	for (uint32_t i = 0; i < p->key_count; i++) {
		const struct key *k = newest(a, &a->keys[p->first_key + i]);
		could += k->kid.n && (k->x5t.n || k->cert.present);
		do_so += k->kid.n && (k->x5t.n || k->cert.present) && kid_is_thumbprint(k);
	}
	if (do_so < HABIT_KEYS_MIN || do_so * 100 < could * HABIT_SHARE_PERCENT)
		return;
	for (uint32_t i = 0; i < p->key_count; i++) {
		const struct history_key *h = &a->keys[p->first_key + i];
		const struct key *k = newest(a, h);
		if (k->kid.n && (k->x5t.n || k->cert.present) && !kid_is_thumbprint(k))
			finding_add(a, FINDING_SHAPE_X5T, SEVERITY_FINDING, h, h->provider, h->first,
				    "%s of the set %s the certificate's thumbprint as key id, this one has not", COUNT(do_so, "other key"),
				    do_so == 1 ? "has" : "have");
	}
}

static void judge_set(struct audit *a, uint32_t provider)
{
	const struct set_note *note = audit_note(a, provider);

	judge_habit(a, &a->providers[provider]);
	if (!note || note->faults_since > a->at)
		return;
	if (note->faults & NOTE_HTTP)
		finding_add(a, FINDING_SHAPE_REMOTE, SEVERITY_FINDING, NULL, provider, note->faults_since,
			    "the metadata names an address that is not https");
	if (note->faults & NOTE_DUPLICATE)
		finding_add(a, FINDING_SHAPE_FORM, SEVERITY_FINDING, NULL, provider, note->faults_since, "the set has a member twice");
	if (note->faults & NOTE_PRIVATE)
		finding_add(a, FINDING_SHAPE_PRIVATE, SEVERITY_CRITICAL_FINDING, NULL, provider, note->faults_since,
			    "a private key in a member of the document that is none of its keys");
	if (note->faults & NOTE_LOCKED)
		finding_add(a, FINDING_SHAPE_PRIVATE, SEVERITY_CRITICAL_FINDING, NULL, provider, note->faults_since,
			    "an encrypted private key, which was not looked into");
	if (note->faults & NOTE_CUT)
		finding_add(a, FINDING_SHAPE_FORM, SEVERITY_FINDING, NULL, provider, note->faults_since,
			    "more than %d entries: the rest was not read", KEYS_SET_KEYS_MAX);
}

void audit_shape(struct audit *a)
{
	for (uint32_t i = 0; i < a->key_count; i++) {
		const struct history_key *k = &a->keys[i];
		const struct key *key = newest(a, k);

		for (uint32_t v = 0; v < k->version_count; v++) /* published once is published */
			judge_private(a, k, audit_entry(a, k->versions[v].entry));
		judge_unsupported(a, k, key);
		judge_certificate(a, k, key);
		if (!key_has(key, KEY_FAULT_UNSUPPORTED))
			judge_alg(a, k, key);
		if (key->jku.n || key->x5u.n)
			finding_add(a, FINDING_SHAPE_REMOTE, SEVERITY_FINDING, k, k->provider, k->first, "%s \"%.*s\"",
				    key->jku.n ? "jku" : "x5u", STR_ARG(key->jku.n ? key->jku : key->x5u));
		report_faults(a, k, key, FINDING_SHAPE_FORM, form_faults, sizeof(form_faults) / sizeof(form_faults[0]));
	}
	for (uint32_t i = 0; i < a->provider_count; i++)
		judge_set(a, i);
}
