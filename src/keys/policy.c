/* SPDX-License-Identifier: Apache-2.0 */
/* policy: binding: each record as written (keys/policy_record.c) finds its keys in the sets, and becomes one record a key; and the
 * index by key id.
 *
 * A record that names a set and nothing else applies to every key of it that can sign with the record's algorithm.
 * A record that names a set and an issuer applies to every key of that set whose own "issuer" member is exactly that text.
 * So a set that mixes consumer and enterprise keys gives the enterprise record its enterprise keys and no other, and a key
 * without an "issuer" gets no record at all. */
#include "keys/policy.h"

#include <openssl/crypto.h>
#include <stdlib.h>

#include "base/guid.h"
#include "base/hash.h"
#include "keys/policy_int.h"

const char *record_class_name(enum record_class c)
{
	static const char *const names[] = { "unsaid", "consumer", "enterprise", "service", "test" };
	return names[c];
}

const char *record_state_name(enum record_state s)
{
	static const char *const names[] = { "pending", "active", "retiring", "retired", "revoked", "leaked", "denied" };
	return names[s];
}

bool text_list_has(const struct text_list *l, struct str s)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (str_eq(l->v[i], s))
			return true;
	return false;
}

/* -- making and freeing -- */

struct policy *policy_new(void)
{
	struct policy *p = calloc(1, sizeof(*p));

	if (p) {
		p->skew_s = SKEW_DEFAULT_S;
		p->exchange_depth = EXCHANGE_DEPTH_DEFAULT;
	}
	return p;
}

void policy_free(struct policy *p)
{
	if (!p)
		return;
	for (uint32_t i = 0; i < p->rule_n; i++)
		free(p->rules[i].record.issuers);
	for (uint32_t i = 0; i < p->list_n; i++)
		free(p->lists[i]);
	for (uint32_t i = 0; i < p->set_n; i++)
		keyset_free(p->sets[i]);
	if (p->tree)
		yaml_tree_release(p->tree);
	free(p->tree);
	free(p->lists);
	free(p->rules);
	free(p->records);
	free(p->known);
	free(p->sources);
	free(p->sets);
	free(p->record_index);
	free(p->known_index);
	free(p->path);
	free(p);
}

bool policy_add_set(struct policy *p, struct keyset *s)
{
	if (!s)
		return false;
	if (p->set_n == p->set_capacity) {
		const uint32_t capacity = p->set_capacity ? 2 * p->set_capacity : 8;
		struct keyset **grown = capacity > POLICY_SETS_MAX ? NULL : realloc(p->sets, capacity * sizeof(struct keyset *));
		if (!grown) {
			keyset_free(s);
			return false;
		}
		p->sets = grown;
		p->set_capacity = capacity;
	}
	p->sets[p->set_n++] = s;
	return true;
}

/* -- binding -- */

static bool add_record(struct policy *p, const struct key_record *r)
{
	if (p->n == p->capacity) {
		const uint32_t capacity = p->capacity ? 2 * p->capacity : 16;
		struct key_record *grown = capacity > POLICY_RECORDS_MAX ? NULL : realloc(p->records, capacity * sizeof(*grown));
		if (!grown)
			return false;
		p->records = grown;
		p->capacity = capacity;
	}
	p->records[p->n++] = *r;
	return true;
}

/* What is known of a key without a record. */
static struct key_record unscoped_record(const struct key *k)
{
	return (struct key_record){
		.key = k, .kid = k->kid, .alg = k->alg, .symmetric = true, .state = STATE_ACTIVE, .actors_any = true,
		.typ = TYP_ABSENT | TYP_JWT | TYP_AT_JWT, .not_before_us = TIME_UNKNOWN, .not_after_us = TIME_UNKNOWN,
		.first_us = TIME_UNKNOWN, .since_us = TIME_UNKNOWN, .max_age_s = MAX_AGE_DEFAULT_S,
		.max_token_life_s = TOKEN_LIFE_DEFAULT_S,
	};
}

bool policy_trust_signatures_only(struct policy *p)
{
	p->jws_only = true;
	for (uint32_t i = 0; i < p->set_n; i++)
		for (uint32_t k = 0; k < p->sets[i]->n; k++) {
			struct key_record r = unscoped_record(p->sets[i]->keys[k]);
			r.set = p->sets[i];
			if (!add_record(p, &r))
				return false;
		}
	return true;
}

/* In the policy's own deny list, or in the one that is built in. */
static const char *find_denied(const struct policy *p, const struct key *k)
{
	char hex[KEY_HEX_SIZE];
	const char *name = deny_list_find(k);

	if (name)
		return name;
	if (k->has_spki && text_list_has(&p->deny_spki, str_of(key_hex(k->spki_sha256, 32, hex))))
		return "the policy's deny list";
	if (k->cert.present && (text_list_has(&p->deny_certificate, str_of(key_hex(k->cert.sha256, 32, hex))) ||
				text_list_has(&p->deny_certificate, str_of(key_hex(k->cert.sha1, 20, hex)))))
		return "the policy's deny list, by certificate";
	return NULL;
}

static void earliest(int64_t *to, int64_t t)
{
	if (t != TIME_UNKNOWN && (*to == TIME_UNKNOWN || t < *to))
		*to = t;
}

/* Gives a record its key and narrows it to what the key may do. */
static void narrow(struct policy *p, struct key_record *r, const struct key *k, const struct keyset *set)
{
	const struct key_cert *c = &k->cert;

	r->key = k;
	r->set = set;
	if (k->has_spki)
		memcpy(r->spki_sha256, k->spki_sha256, 32);
	if (k->issuer.p && !issuer_rule_parse(k->issuer, &r->set_issuer))
		r->set_issuer = (struct issuer_rule){ .text = k->issuer, .prefix = k->issuer }; /* equals no issuer */
	r->denied = find_denied(p, k);
	if (r->denied && r->state < STATE_REVOKED)
		r->state = STATE_DENIED;
	earliest(&r->first_us, r->not_before_us);
	if (k->first_listed_us)
		earliest(&r->first_us, k->first_listed_us);
	if (k->gone_us && r->state == STATE_ACTIVE) { /* it left its set: tokens it signed before stay valid until they expire */
		r->state = STATE_RETIRING;
		r->since_us = k->gone_us;
	}
	if (k->revoked && r->state < STATE_REVOKED) { /* by its own set */
		r->state = STATE_REVOKED;
		r->since_us = k->revoked_us ? k->revoked_us : TIME_UNKNOWN;
	}
	if (!p->jws_only) {
		earliest(&r->first_us, k->nbf_us ? k->nbf_us : TIME_UNKNOWN);
		earliest(&r->first_us, k->iat_us ? k->iat_us : TIME_UNKNOWN);
		if (k->nbf_us && (r->not_before_us == TIME_UNKNOWN || k->nbf_us > r->not_before_us))
			r->not_before_us = k->nbf_us;
		if (k->exp_us && (r->not_after_us == TIME_UNKNOWN || k->exp_us < r->not_after_us))
			r->not_after_us = k->exp_us;
	}
	if (!c->present || p->jws_only)
		return;
	/* unreadable dates leave no time of validity */
	earliest(&r->first_us, c->dates_known ? c->not_before_us : 0);
	if (!c->dates_known || r->not_before_us == TIME_UNKNOWN || c->not_before_us > r->not_before_us)
		r->not_before_us = c->dates_known ? c->not_before_us : INT64_MAX / 2;
	if (!c->dates_known || r->not_after_us == TIME_UNKNOWN || c->not_after_us < r->not_after_us)
		r->not_after_us = c->dates_known ? c->not_after_us : 0;
}

static bool bind_one(struct policy *p, const struct policy_rule *rule, const struct key *k, const struct keyset *set,
		     struct buf *error)
{
	struct key_record r = rule->record;

	if (!r.kid.n)
		r.kid = k->kid;
	if (r.kid.n) /* a key without an id cannot be named by a token */
		narrow(p, &r, k, set);
	if (!r.kid.n || add_record(p, &r))
		return true;
	buf_printf(error, "%s:%u: more than %d records, or out of memory", p->path, rule->line, POLICY_RECORDS_MAX);
	return false;
}

/* May a record for a whole set mean this key?  Sets also have keys for encryption, other algorithms and certificates of servers. */
static bool is_meant(const struct policy_rule *rule, const struct key *k)
{
	const struct key_record *r = &rule->record;
	const bool is_svid = str_eq(k->use, STR("jwt-svid"));

	if (!k->kid.n || !alg_fits(r->alg, k->kind, k->curve) || (k->alg > JWS_ALG_UNKNOWN && k->alg != r->alg && k->kind != KEY_OKP))
		return false;
	return k->alg != JWS_ALG_UNKNOWN && (!k->use.n || is_svid == r->svid) && (!k->use.n || is_svid || str_eq(k->use, STR("sig")));
}

/* The keys of one set that a record as written means.  *found counts them. */
static bool bind_from_set(struct policy *p, const struct policy_rule *rule, const struct keyset *set, uint32_t *found,
			  struct buf *error)
{
	for (uint32_t i = 0; i < set->n; i++) {
		const struct key *k = set->keys[i];
		if (rule->from_kid.n ? !str_eq(k->kid, rule->from_kid) : rule->from_issuer.n ? !str_eq(k->issuer, rule->from_issuer) :
		    rule->whole_set && !is_meant(rule, k))
			continue;
		++*found;
		if (!bind_one(p, rule, k, set, error))
			return false;
	}
	return true;
}

static void add_cut(struct buf *b, const char *before, struct str s, const char *after)
{
	buf_printf(b, "%s%.*s%s", before, s.n > 80 ? 80 : (int)s.n, s.p ? s.p : "", after);
}

/* Why a record fits no key of its set, or more than one: what the set has. */
static void say_what_is_there(const struct policy *p, const struct policy_rule *rule, uint32_t found, struct buf *error)
{
	const struct keyset *set = rule->set;
	const bool by_issuer = rule->from_issuer.n != 0;
	uint32_t shown = 0;

	buf_printf(error, "%s:%u: from: ", p->path, rule->line);
	if (set->form == KEYSET_METADATA) {
		add_cut(error, "", str_of(set->name), " is OpenID metadata, which names keys and has none: save what its jwks_uri gives");
		if (set->jwks_uri)
			add_cut(error, " (", str_of(set->jwks_uri), ")");
		buf_add_cstr(error, ", and name that file");
		return;
	}
	if (found) {
		buf_printf(error, "%s has %u keys that this record could mean, and it wants exactly one: %s", set->name, found, rule->from_kid.n ?
			   "this key id is in the set more than once; name the key by 'spki' in place of 'from'" : "name it with kid inside 'from'");
		return;
	}
	buf_printf(error, "%s has ", set->name);
	if (!set->n) {
		buf_add_cstr(error, "no key at all");
		return;
	}
	if (rule->from_kid.n)
		add_cut(error, "no key of the id '", rule->from_kid, "'");
	else if (by_issuer)
		add_cut(error, "no key whose own 'issuer' member is '", rule->from_issuer, "'");
	else
		buf_printf(error, "no key for signatures with the algorithm %s and a key id", alg_rows[rule->record.alg].name);
	buf_printf(error, "; its %u key%s:", set->n, set->n == 1 ? "" : "s");
	for (uint32_t i = 0; i < set->n && shown < 8; i++) {
		const struct key *k = set->keys[i];
		bool again = false;
		for (uint32_t o = 0; o < i && by_issuer; o++)
			again |= str_eq(k->issuer, set->keys[o]->issuer) && (k->issuer.p != NULL) == (set->keys[o]->issuer.p != NULL);
		if (again)
			continue;
		if (by_issuer)
			add_cut(error, shown ? ", '" : " '", k->issuer.p ? k->issuer : STR("(no issuer)"), "'");
		else if (k->kid.p)
			add_cut(error, shown ? ", '" : " '", k->kid, "'");
		else
			buf_add_cstr(error, shown ? ", (no key id)" : " (no key id)");
		if (!by_issuer)
			buf_printf(error, " (%s%s)", k->alg > JWS_ALG_UNKNOWN ? alg_rows[k->alg].name : key_kind_name(k->kind),
				   k->use.n && !str_eq(k->use, STR("sig")) ? ", another use" : "");
		shown++;
	}
	if (!by_issuer && set->n > shown)
		buf_printf(error, " and %u more", set->n - shown);
	if (by_issuer)
		buf_add_cstr(error, "; without 'issuer', 'from' means all keys of the set");
}

static bool bind_rule(struct policy *p, const struct policy_rule *rule, struct buf *error)
{
	uint32_t found = 0;

	if (rule->from_source.n) {
		for (uint32_t i = 0; i < p->set_n; i++)
			if (str_eq(str_of(p->sets[i]->name), rule->from_source) && !bind_from_set(p, rule, p->sets[i], &found, error))
				return false;
		return true; /* a key that fell out of its set has no record any more */
	}
	if (rule->set) {
		if (!bind_from_set(p, rule, rule->set, &found, error))
			return false;
		if (!found || (found > 1 && !rule->from_issuer.n && !rule->whole_set)) {
			say_what_is_there(p, rule, found, error);
			return false;
		}
		return true;
	}
	for (uint32_t i = 0; i < p->set_n; i++)
		for (uint32_t k = 0; k < p->sets[i]->n; k++) {
			char hex[KEY_HEX_SIZE];
			const struct key *key = p->sets[i]->keys[k];
			if (!found && key->has_spki && str_eq(rule->spki, str_of(key_hex(key->spki_sha256, 32, hex)))) {
				found = 1;
				if (!bind_one(p, rule, key, p->sets[i], error))
					return false;
			}
		}
	if (!found) { /* kept: a token that names it is refused because its key is in no set */
		struct key_record r = rule->record;
		size_t n = 0;
		(void)OPENSSL_hexstr2buf_ex(r.spki_sha256, sizeof(r.spki_sha256), &n, rule->spki.p, '\0'); /* an audit asks by it */
		if (!add_record(p, &r)) {
			buf_printf(error, "%s:%u: more than %d records, or out of memory", p->path, rule->line, POLICY_RECORDS_MAX);
			return false;
		}
	}
	return true;
}

static bool index_all(struct policy *p)
{
	uint32_t known = 0, size = 16;

	for (uint32_t i = 0; i < p->set_n; i++)
		known += p->sets[i]->n;
	while (size < 2 * (p->n + known))
		size *= 2;
	p->known = calloc(known ? known : 1, sizeof(*p->known));
	p->record_index = calloc(size, sizeof(*p->record_index));
	p->known_index = calloc(size, sizeof(*p->known_index));
	if (!p->known || !p->record_index || !p->known_index)
		return false;
	p->index_size = size;
	for (uint32_t i = p->n; i-- > 0;) {
		uint32_t *slot = &p->record_index[hash_str(p->records[i].kid, 0) & (size - 1)];
		p->records[i].next_kid = *slot;
		*slot = i + 1;
	}
	for (uint32_t i = 0; i < p->set_n; i++)
		for (uint32_t k = 0; k < p->sets[i]->n; k++) {
			struct key_record *r = &p->known[p->known_n++];
			uint32_t *slot;
			*r = unscoped_record(p->sets[i]->keys[k]);
			narrow(p, r, p->sets[i]->keys[k], p->sets[i]);
			slot = &p->known_index[hash_str(r->kid, 0) & (size - 1)];
			r->next_kid = *slot;
			*slot = p->known_n;
		}
	return true;
}

bool policy_bind(struct policy *p, struct buf *error)
{
	for (uint32_t i = 0; i < p->n; i++) /* made by policy_trust_signatures_only() */
		narrow(p, &p->records[i], p->records[i].key, p->records[i].set);
	for (uint32_t i = 0; i < p->rule_n; i++)
		if (!bind_rule(p, &p->rules[i], error))
			return false;
	if (!index_all(p)) {
		buf_add_cstr(error, "out of memory");
		return false;
	}
	return true;
}

static const struct key_record *record_at(const struct key_record *records, uint32_t at, struct str kid)
{
	for (; at; at = records[at - 1].next_kid)
		if (str_eq(records[at - 1].kid, kid))
			return &records[at - 1];
	return NULL;
}

const struct key_record *policy_record(const struct policy *p, struct str kid)
{
	return record_at(p->records, p->record_index[hash_str(kid, 0) & (p->index_size - 1)], kid);
}

const struct key_record *policy_record_next(const struct policy *p, const struct key_record *r, struct str kid)
{
	return record_at(p->records, r->next_kid, kid);
}

const struct key_record *policy_known(const struct policy *p, struct str kid)
{
	return record_at(p->known, p->known_index[hash_str(kid, 0) & (p->index_size - 1)], kid);
}

const struct key_record *policy_known_next(const struct policy *p, const struct key_record *k, struct str kid)
{
	return record_at(p->known, k->next_kid, kid);
}
