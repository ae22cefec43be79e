/* SPDX-License-Identifier: Apache-2.0 */
/* policy: reading the file (rows of settings, each with the function that takes it), and binding: each record as written
 * finds its keys in the sets, and becomes one record a key.
 *
 * A record that names a set and an issuer stands for every key of that set whose own "issuer" member is exactly that text.
 * So a set that mixes consumer and enterprise keys gives the enterprise record its enterprise keys and no other, and a key
 * that does not say for whom it signs gets no record at all. */
#include "keys/policy.h"

#include <libgen.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/guid.h"
#include "base/hash.h"
#include "base/timefmt.h"
#include "keys/yaml_tree.h"

#define SKEW_DEFAULT_S 300
#define SKEW_MAX_S 600
#define MAX_AGE_DEFAULT_S (180 * 86400)
#define TOKEN_LIFE_DEFAULT_S (95 * 60)
#define TOKEN_LIFE_MAX_S (29 * 3600)
#define EXCHANGE_DEPTH_DEFAULT 3

struct policy_rule {
	struct key_record record;  /* all but the key */
	struct str spki;           /* hex; or: */
	struct str from_file, from_source, from_kid, from_issuer;
	const struct keyset *set;  /* of from_file */
	unsigned line;
};

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

/* -- issuers -- */

bool issuer_rule_parse(struct str text, struct issuer_rule *ret)
{
	static const struct str mark = { "{tenantid}", 10 };
	const ptrdiff_t at = str_find(text, mark);
	struct str rest;

	*ret = (struct issuer_rule){ .text = text, .prefix = text };
	if (at >= 0) {
		ret->is_template = true;
		ret->prefix.n = (size_t)at;
		ret->suffix = (struct str){ text.p + at + mark.n, text.n - (size_t)at - mark.n };
	}
	rest = ret->suffix;
	return text.n && (!ret->prefix.n || !memchr(ret->prefix.p, '{', ret->prefix.n)) && (!rest.n || !memchr(rest.p, '{', rest.n));
}

static bool is_tenant(struct str s)
{
	uint8_t g[16];
	char back[GUID_TEXT_SIZE];

	return s.n == 36 && guid_parse(s, g) && str_eq(s, str_of(guid_format(g, back)));
}

bool issuer_rule_equals(const struct issuer_rule *r, struct str iss, struct str tid)
{
	if (!r->is_template)
		return str_eq(r->prefix, iss);
	return iss.n == r->prefix.n + tid.n + r->suffix.n && str_starts(iss, r->prefix) &&
	       memcmp(iss.p + r->prefix.n, tid.p, tid.n) == 0 &&
	       (!r->suffix.n || memcmp(iss.p + r->prefix.n + tid.n, r->suffix.p, r->suffix.n) == 0);
}

bool issuer_rule_fits(const struct issuer_rule *r, struct str iss)
{
	struct str tid;

	if (!r->is_template)
		return str_eq(r->prefix, iss);
	if (iss.n != r->prefix.n + 36 + r->suffix.n)
		return false;
	tid = (struct str){ iss.p + r->prefix.n, 36 };
	return is_tenant(tid) && issuer_rule_equals(r, iss, tid);
}

/* -- reading: values -- */

struct reader {
	struct policy *p;
	const char *name;  /* of the file */
	char *folder;
	struct buf *error;
};

typedef bool take_fn(struct reader *x, const struct yaml_node *n, void *to);
struct setting {
	const char *name;
	bool required;
	take_fn *take;
};

__attribute__((format(printf, 3, 4)))
static bool wrong(struct reader *x, const struct yaml_node *n, const char *format, ...)
{
	va_list ap;

	buf_printf(x->error, "%s:%u: ", x->name, n->line);
	if (n->key.n)
		buf_printf(x->error, "%.60s: ", n->key.p);
	va_start(ap, format);
	buf_vprintf(x->error, format, ap);
	va_end(ap);
	return false;
}

static bool take_map(struct reader *x, const struct yaml_node *map, const struct setting *rows, void *to)
{
	if (map->kind != YAML_MAP)
		return wrong(x, map, "wants names and values");
	for (const struct yaml_node *n = yaml_first(map); n; n = yaml_next(x->p->tree, n)) {
		const struct setting *row = rows;
		while (row->name && !str_eq(n->key, str_of(row->name)))
			row++;
		if (!row->name)
			return wrong(x, n, "no such setting here");
		if (!row->take(x, n, to))
			return false;
	}
	for (const struct setting *row = rows; row->name; row++) {
		bool there = !row->required;
		for (const struct yaml_node *n = yaml_first(map); n && !there; n = yaml_next(x->p->tree, n))
			there = str_eq(n->key, str_of(row->name));
		if (!there)
			return wrong(x, map, "'%s' is missing; without it the key may do nothing", row->name);
	}
	return true;
}

static bool is_text(struct reader *x, const struct yaml_node *n)
{
	if (n->kind != YAML_SCALAR)
		return wrong(x, n, "wants a text");
	if (!n->text.n)
		return wrong(x, n, "is empty");
	if (yaml_is_ambiguous(n))
		return wrong(x, n, "'%.40s' can be read in two ways; put it in quotes", n->text.p);
	return true;
}

static bool read_list(struct reader *x, const struct yaml_node *n, struct text_list *ret)
{
	struct policy *p = x->p;
	uint32_t i = 0;

	if (n->kind != YAML_LIST || !n->children)
		return wrong(x, n, "wants a list that is not empty");
	ret->v = calloc(n->children, sizeof(*ret->v));
	if (!ret->v)
		return wrong(x, n, "out of memory");
	if (p->list_n == p->list_capacity) {
		const uint32_t capacity = p->list_capacity ? 2 * p->list_capacity : 64;
		void **grown = realloc(p->lists, capacity * sizeof(void *));
		if (!grown) {
			free(ret->v);
			return wrong(x, n, "out of memory");
		}
		p->lists = grown;
		p->list_capacity = capacity;
	}
	p->lists[p->list_n++] = ret->v;
	for (const struct yaml_node *c = yaml_first(n); c; c = yaml_next(p->tree, c)) {
		if (!is_text(x, c))
			return false;
		if (text_list_has(ret, c->text))
			return wrong(x, c, "'%.80s' stands here twice", c->text.p);
		ret->v[i++] = c->text;
		ret->n = i;
	}
	return true;
}

static bool read_word(struct reader *x, const struct yaml_node *n, const char *const *words, unsigned *ret)
{
	if (!is_text(x, n))
		return false;
	for (unsigned i = 0; words[i]; i++)
		if (str_eq(n->text, str_of(words[i]))) {
			*ret = i;
			return true;
		}
	buf_printf(x->error, "%s:%u: %.60s: '%.40s' is none of:", x->name, n->line, n->key.p, n->text.p);
	for (unsigned i = 0; words[i]; i++)
		buf_printf(x->error, " %s", words[i]);
	return false;
}

/* "300s", "95m", "29h", "120d" */
static bool read_span(struct reader *x, const struct yaml_node *n, int64_t max_s, int64_t *ret_s)
{
	int64_t v = 0, unit;
	size_t i = 0;

	if (!is_text(x, n))
		return false;
	for (; i < n->text.n && i < 7 && n->text.p[i] >= '0' && n->text.p[i] <= '9'; i++)
		v = v * 10 + (n->text.p[i] - '0');
	unit = i + 1 != n->text.n || !i ? 0 : n->text.p[i] == 's' ? 1 : n->text.p[i] == 'm' ? 60 : n->text.p[i] == 'h' ? 3600
	     : n->text.p[i] == 'd' ? 86400 : 0;
	if (!unit)
		return wrong(x, n, "'%.40s' is no length of time like 300s, 95m, 29h or 120d", n->text.p);
	if (v * unit > max_s)
		return wrong(x, n, "'%.40s' is longer than %lld seconds, the most there is", n->text.p, (long long)max_s);
	*ret_s = v * unit;
	return true;
}

static bool read_time(struct reader *x, const struct yaml_node *n, int64_t *ret_us)
{
	return is_text(x, n) && (time_parse_rfc3339(n->text, ret_us) ||
				 wrong(x, n, "'%.40s' is no time like 2026-01-06 or 2026-01-06T10:00:00Z", n->text.p));
}

static bool read_hex(struct reader *x, const struct yaml_node *n, size_t digits)
{
	if (n->kind != YAML_SCALAR)
		return wrong(x, n, "wants a text");
	if (n->text.n != digits || strspn(n->text.p, "0123456789abcdef") != digits)
		return wrong(x, n, "wants %zu hexadecimal digits in lower case", digits);
	return true;
}

/* -- reading: a record -- */

static bool take_spki(struct reader *x, const struct yaml_node *n, void *to)
{
	struct policy_rule *r = to;

	r->spki = n->text;
	return read_hex(x, n, 64);
}

static bool take_kid(struct reader *x, const struct yaml_node *n, void *to)
{
	struct policy_rule *r = to;

	if (n->kind != YAML_SCALAR || !n->text.n || n->text.n > 256)
		return wrong(x, n, "wants a text of 1 to 256 bytes");
	r->record.kid = n->text;
	return true;
}

static bool take_alg(struct reader *x, const struct yaml_node *n, void *to)
{
	struct policy_rule *r = to;

	if (!is_text(x, n))
		return false;
	r->record.alg = alg_parse(n->text);
	return r->record.alg > JWS_ALG_UNKNOWN || wrong(x, n, "'%.40s' is none of RS256 to ES512, EdDSA, HS256 to HS512", n->text.p);
}

static bool take_class(struct reader *x, const struct yaml_node *n, void *to)
{
	static const char *const words[] = { "consumer", "enterprise", "service", "test", NULL };
	struct policy_rule *r = to;
	unsigned i = 0;

	if (!read_word(x, n, words, &i))
		return false;
	r->record.klass = (enum record_class)(CLASS_CONSUMER + i);
	return true;
}

static bool take_issuers(struct reader *x, const struct yaml_node *n, void *to)
{
	struct policy_rule *r = to;
	struct text_list texts = { 0 };

	if (!read_list(x, n, &texts))
		return false;
	r->record.issuers = calloc(texts.n, sizeof(*r->record.issuers));
	if (!r->record.issuers)
		return wrong(x, n, "out of memory");
	r->record.issuer_n = texts.n;
	for (uint32_t i = 0; i < texts.n; i++)
		if (!issuer_rule_parse(texts.v[i], &r->record.issuers[i]))
			return wrong(x, n, "'%.120s' has more than one {tenantid}, or another brace", texts.v[i].p);
	return true;
}

static bool are_tenants(struct reader *x, const struct yaml_node *n, const struct text_list *l)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (!is_tenant(l->v[i]))
			return wrong(x, n, "'%.60s' is no tenant: wants a GUID in lower case without braces", l->v[i].p);
	return true;
}

static bool take_tenants_allow(struct reader *x, const struct yaml_node *n, void *to)
{
	struct policy_rule *r = to;

	if (n->kind == YAML_SCALAR && str_eq(n->text, STR("any"))) {
		r->record.tenants_any = true;
		return true;
	}
	return read_list(x, n, &r->record.tenants) && are_tenants(x, n, &r->record.tenants);
}

static bool take_tenants_deny(struct reader *x, const struct yaml_node *n, void *to)
{
	struct policy_rule *r = to;

	return read_list(x, n, &r->record.tenants_denied) && are_tenants(x, n, &r->record.tenants_denied);
}

static bool take_tenants(struct reader *x, const struct yaml_node *n, void *to)
{
	static const struct setting rows[] = {
		{ "allow", true, take_tenants_allow }, { "deny", false, take_tenants_deny }, { 0 }
	};
	struct policy_rule *r = to;

	if (n->kind == YAML_SCALAR && str_eq(n->text, STR("none"))) {
		r->record.tenants_none = true;
		return true;
	}
	return take_map(x, n, rows, to);
}

static bool take_audiences(struct reader *x, const struct yaml_node *n, void *to)
{
	return read_list(x, n, &((struct policy_rule *)to)->record.audiences);
}

static bool take_cae_audiences(struct reader *x, const struct yaml_node *n, void *to)
{
	return read_list(x, n, &((struct policy_rule *)to)->record.cae_audiences);
}

static bool take_audience_array(struct reader *x, const struct yaml_node *n, void *to)
{
	static const char *const words[] = { "one", NULL };
	unsigned i;

	return read_word(x, n, words, &i) && (((struct policy_rule *)to)->record.audience_array = true);
}

static bool take_versions(struct reader *x, const struct yaml_node *n, void *to)
{
	struct policy_rule *r = to;
	struct text_list l = { 0 };

	if (n->kind == YAML_SCALAR && str_eq(n->text, STR("none")))
		return true;
	if (!read_list(x, n, &l))
		return false;
	for (uint32_t i = 0; i < l.n; i++) {
		const unsigned v = str_eq(l.v[i], STR("1.0")) ? VERSION_1 : str_eq(l.v[i], STR("2.0")) ? VERSION_2 : 0;
		if (!v)
			return wrong(x, n, "'%.40s' is neither \"1.0\" nor \"2.0\"", l.v[i].p);
		r->record.versions |= v;
	}
	return true;
}

static bool take_typ(struct reader *x, const struct yaml_node *n, void *to)
{
	struct policy_rule *r = to;
	struct text_list l = { 0 };

	if (!read_list(x, n, &l))
		return false;
	r->record.typ = 0;
	for (uint32_t i = 0; i < l.n; i++) {
		const unsigned v = str_eq(l.v[i], STR("absent")) ? TYP_ABSENT : str_eq(l.v[i], STR("JWT")) ? TYP_JWT
				 : str_eq(l.v[i], STR("at+jwt")) ? TYP_AT_JWT : 0;
		if (!v)
			return wrong(x, n, "'%.40s' is none of: absent JWT at+jwt", l.v[i].p);
		r->record.typ |= v;
	}
	return true;
}

static bool take_not_before(struct reader *x, const struct yaml_node *n, void *to)
{
	return read_time(x, n, &((struct policy_rule *)to)->record.not_before_us);
}

static bool take_not_after(struct reader *x, const struct yaml_node *n, void *to)
{
	return read_time(x, n, &((struct policy_rule *)to)->record.not_after_us);
}

static bool take_first_listed(struct reader *x, const struct yaml_node *n, void *to)
{
	return read_time(x, n, &((struct policy_rule *)to)->record.first_us);
}

static bool take_since(struct reader *x, const struct yaml_node *n, void *to)
{
	return read_time(x, n, &((struct policy_rule *)to)->record.since_us);
}

static bool take_max_age(struct reader *x, const struct yaml_node *n, void *to)
{
	return read_span(x, n, INT64_C(3660) * 86400, &((struct policy_rule *)to)->record.max_age_s);
}

static bool take_max_token_life(struct reader *x, const struct yaml_node *n, void *to)
{
	return read_span(x, n, TOKEN_LIFE_MAX_S, &((struct policy_rule *)to)->record.max_token_life_s);
}

static bool take_actors(struct reader *x, const struct yaml_node *n, void *to)
{
	struct policy_rule *r = to;

	r->record.actors_any = n->kind == YAML_SCALAR && str_eq(n->text, STR("any"));
	return r->record.actors_any || read_list(x, n, &r->record.actors);
}

static bool take_idtyp(struct reader *x, const struct yaml_node *n, void *to)
{
	static const char *const words[] = { "app", NULL };
	unsigned i;

	return read_word(x, n, words, &i) && (((struct policy_rule *)to)->record.app_only = true);
}

static bool take_symmetric(struct reader *x, const struct yaml_node *n, void *to)
{
	static const char *const words[] = { "allowed", NULL };
	unsigned i;

	return read_word(x, n, words, &i) && (((struct policy_rule *)to)->record.symmetric = true);
}

static bool take_state(struct reader *x, const struct yaml_node *n, void *to)
{
	static const char *const words[] = { "pending", "active", "retiring", "retired", "revoked", "leaked", "denied", NULL };
	unsigned i = 0;

	if (!read_word(x, n, words, &i))
		return false;
	((struct policy_rule *)to)->record.state = (enum record_state)i;
	return true;
}

/* -- reading: where a record's key comes from -- */

static bool take_from_file(struct reader *x, const struct yaml_node *n, void *to)
{
	return is_text(x, n) && (((struct policy_rule *)to)->from_file = n->text).n;
}

static bool take_from_source(struct reader *x, const struct yaml_node *n, void *to)
{
	return is_text(x, n) && (((struct policy_rule *)to)->from_source = n->text).n;
}

static bool take_from_kid(struct reader *x, const struct yaml_node *n, void *to)
{
	if (n->kind != YAML_SCALAR || !n->text.n)
		return wrong(x, n, "wants a text");
	((struct policy_rule *)to)->from_kid = n->text;
	return true;
}

static bool take_from_issuer(struct reader *x, const struct yaml_node *n, void *to)
{
	return is_text(x, n) && (((struct policy_rule *)to)->from_issuer = n->text).n;
}

static bool take_from(struct reader *x, const struct yaml_node *n, void *to)
{
	static const struct setting rows[] = {
		{ "jwks", false, take_from_file }, { "certificate", false, take_from_file }, { "source", false, take_from_source },
		{ "kid", false, take_from_kid }, { "issuer", false, take_from_issuer }, { 0 }
	};
	const struct policy_rule *r = to;

	if (!take_map(x, n, rows, to))
		return false;
	if ((r->from_file.n != 0) == (r->from_source.n != 0))
		return wrong(x, n, "wants one of jwks, certificate and source");
	if (r->from_kid.n && r->from_issuer.n)
		return wrong(x, n, "wants kid or issuer, not both");
	return true;
}

/* Reads the set behind from_file once, however many records name it. */
static bool load_from_file(struct reader *x, const struct yaml_node *n, struct policy_rule *r)
{
	struct buf path;
	struct keyset *s = NULL;
	bool ok = true;

	buf_init(&path, 16 * KIB);
	buf_printf(&path, "%s%s%s", r->from_file.p[0] == '/' ? "" : x->folder, r->from_file.p[0] == '/' ? "" : "/", r->from_file.p);
	if (buf_failed(&path)) {
		buf_release(&path);
		return wrong(x, n, "the path is too long");
	}
	for (uint32_t i = 0; i < x->p->set_n && !r->set; i++)
		if (strcmp(x->p->sets[i]->name, path.p) == 0)
			r->set = x->p->sets[i];
	if (!r->set) {
		s = keyset_new(path.p);
		buf_printf(x->error, "%s:%u: from: ", x->name, n->line);
		ok = s && keyset_load_file(s, path.p, KEY_KEEP_SYMMETRIC, x->error);
		if (ok)
			buf_clear(x->error);
		else
			keyset_free(s);
		if (ok && !policy_add_set(x->p, s))
			ok = wrong(x, n, "out of memory, or more than %d sets", POLICY_SETS_MAX);
		if (ok)
			r->set = s;
	}
	buf_release(&path);
	return ok;
}

static bool take_record(struct reader *x, const struct yaml_node *n, struct policy_rule *r)
{
	static const struct setting rows[] = {
		{ "from", false, take_from }, { "spki", false, take_spki }, { "kid", false, take_kid }, { "alg", true, take_alg },
		{ "class", false, take_class }, { "issuers", true, take_issuers }, { "tenants", true, take_tenants },
		{ "audiences", true, take_audiences }, { "cae_audiences", false, take_cae_audiences },
		{ "audience_array", false, take_audience_array }, { "versions", true, take_versions }, { "typ", false, take_typ },
		{ "not_before", false, take_not_before }, { "not_after", false, take_not_after },
		{ "first_listed", false, take_first_listed }, { "max_age", false, take_max_age },
		{ "max_token_life", false, take_max_token_life }, { "actors", false, take_actors }, { "idtyp", false, take_idtyp },
		{ "symmetric", false, take_symmetric }, { "state", false, take_state }, { "since", false, take_since }, { 0 }
	};
	struct key_record *k = &r->record;

	*r = (struct policy_rule){ .line = n->line };
	*k = (struct key_record){ .not_before_us = TIME_UNKNOWN, .not_after_us = TIME_UNKNOWN, .first_us = TIME_UNKNOWN,
				  .since_us = TIME_UNKNOWN, .max_age_s = MAX_AGE_DEFAULT_S, .max_token_life_s = TOKEN_LIFE_DEFAULT_S,
				  .typ = TYP_ABSENT | TYP_JWT | TYP_AT_JWT, .actors_any = true, .line = n->line };
	if (!take_map(x, n, rows, r))
		return false;
	if ((r->from_file.n || r->from_source.n) == (r->spki.n != 0))
		return wrong(x, n, "a record wants its key: either 'from' or 'spki'");
	if (!r->from_kid.n && !r->from_issuer.n && !k->kid.n)
		return wrong(x, n, "'kid' is missing; without it the key may do nothing");
	if (r->from_issuer.n && k->kid.n)
		return wrong(x, n, "a record for all keys of an issuer has no 'kid' of its own");
	if (k->state == STATE_RETIRING && k->since_us == TIME_UNKNOWN)
		return wrong(x, n, "state retiring wants 'since'");
	if (alg_rows[k->alg].kind == KEY_OCT && !k->symmetric)
		return wrong(x, n, "a symmetric algorithm wants 'symmetric: allowed': who can verify can sign");
	if (k->tenants_none)
		for (uint32_t i = 0; i < k->issuer_n; i++)
			if (k->issuers[i].is_template)
				return wrong(x, n, "'tenants: none' and an issuer with {tenantid} contradict each other");
	return !r->from_file.n || load_from_file(x, n, r);
}

/* -- reading: the file -- */

static bool take_skew(struct reader *x, const struct yaml_node *n, void *to)
{
	return read_span(x, n, SKEW_MAX_S, &x->p->skew_s);
}

static bool take_hex_list(struct reader *x, const struct yaml_node *n, struct text_list *l, size_t digits, size_t digits_too)
{
	if (n->kind != YAML_LIST || !n->children)
		return wrong(x, n, "wants a list that is not empty");
	for (const struct yaml_node *c = yaml_first(n); c; c = yaml_next(x->p->tree, c))
		if (!(c->kind == YAML_SCALAR && c->text.n == digits_too) && !read_hex(x, c, digits))
			return false;
	return read_list(x, n, l);
}

static bool take_deny_spki(struct reader *x, const struct yaml_node *n, void *to)
{
	return take_hex_list(x, n, &x->p->deny_spki, 64, 64);
}

static bool take_deny_certificates(struct reader *x, const struct yaml_node *n, void *to)
{
	return take_hex_list(x, n, &x->p->deny_certificate, 64, 40);
}

static bool take_deny(struct reader *x, const struct yaml_node *n, void *to)
{
	static const struct setting rows[] = {
		{ "spki", false, take_deny_spki }, { "certificates", false, take_deny_certificates }, { 0 }
	};
	return take_map(x, n, rows, to);
}

static bool take_exchange_issuers(struct reader *x, const struct yaml_node *n, void *to)
{
	return read_list(x, n, &x->p->exchange_issuers);
}

static bool take_exchange_depth(struct reader *x, const struct yaml_node *n, void *to)
{
	if (n->kind != YAML_SCALAR || n->quoted || n->text.n != 1 || n->text.p[0] < '1' || n->text.p[0] > '8')
		return wrong(x, n, "wants a number from 1 to 8");
	x->p->exchange_depth = (uint32_t)(n->text.p[0] - '0');
	return true;
}

static bool take_exchange(struct reader *x, const struct yaml_node *n, void *to)
{
	static const struct setting rows[] = {
		{ "issuers", true, take_exchange_issuers }, { "max_depth", false, take_exchange_depth }, { 0 }
	};
	return take_map(x, n, rows, to);
}

static bool take_source_name(struct reader *x, const struct yaml_node *n, void *to)
{
	return is_text(x, n) && (((struct key_source *)to)->name = n->text).n;
}

static bool take_source_url(struct reader *x, const struct yaml_node *n, void *to)
{
	if (!is_text(x, n))
		return false;
	if (!str_starts(n->text, STR("https://")))
		return wrong(x, n, "wants an address that begins with https://");
	((struct key_source *)to)->url = n->text;
	return true;
}

static bool take_source_cache(struct reader *x, const struct yaml_node *n, void *to)
{
	return is_text(x, n) && (((struct key_source *)to)->cache = n->text).n;
}

static bool take_source_ca(struct reader *x, const struct yaml_node *n, void *to)
{
	return is_text(x, n) && (((struct key_source *)to)->ca = n->text).n;
}

static bool take_source_refresh(struct reader *x, const struct yaml_node *n, void *to)
{
	return read_span(x, n, 86400, &((struct key_source *)to)->refresh_s);
}

static bool take_source_unknown(struct reader *x, const struct yaml_node *n, void *to)
{
	return read_span(x, n, 86400, &((struct key_source *)to)->unknown_refresh_s);
}

static bool take_source_life(struct reader *x, const struct yaml_node *n, void *to)
{
	return read_span(x, n, 86400, &((struct key_source *)to)->life_s);
}

static bool take_sources(struct reader *x, const struct yaml_node *n, void *to)
{
	static const struct setting rows[] = {
		{ "name", true, take_source_name }, { "url", true, take_source_url }, { "cache", false, take_source_cache },
		{ "ca", false, take_source_ca },
		{ "refresh", false, take_source_refresh }, { "unknown_kid_refresh", false, take_source_unknown },
		{ "life", false, take_source_life }, { 0 }
	};
	struct policy *p = x->p;

	if (n->kind != YAML_LIST || !n->children)
		return wrong(x, n, "wants a list that is not empty");
	p->sources = calloc(n->children, sizeof(*p->sources));
	if (!p->sources)
		return wrong(x, n, "out of memory");
	for (const struct yaml_node *c = yaml_first(n); c; c = yaml_next(p->tree, c)) {
		struct key_source *s = &p->sources[p->source_n];
		*s = (struct key_source){ .refresh_s = 3600, .unknown_refresh_s = 300, .life_s = 86400, .line = c->line };
		if (!take_map(x, c, rows, s))
			return false;
		for (uint32_t i = 0; i < p->source_n; i++)
			if (str_eq(p->sources[i].name, s->name))
				return wrong(x, c, "a second source of the name '%.60s'", s->name.p);
		p->source_n++;
	}
	return true;
}

static bool take_records(struct reader *x, const struct yaml_node *n, void *to)
{
	struct policy *p = x->p;

	if (n->kind != YAML_LIST || !n->children)
		return wrong(x, n, "wants a list that is not empty");
	p->rules = calloc(n->children, sizeof(*p->rules));
	if (!p->rules)
		return wrong(x, n, "out of memory");
	for (const struct yaml_node *c = yaml_first(n); c; c = yaml_next(p->tree, c))
		if (!take_record(x, c, &p->rules[p->rule_n++]))
			return false;
	return true;
}

static bool sources_are_there(struct reader *x)
{
	for (uint32_t i = 0; i < x->p->rule_n; i++) {
		const struct policy_rule *r = &x->p->rules[i];
		bool there = !r->from_source.n;
		for (uint32_t k = 0; k < x->p->source_n; k++)
			there |= str_eq(x->p->sources[k].name, r->from_source);
		if (!there) {
			buf_printf(x->error, "%s:%u: no source of the name '%.60s'", x->name, r->line, r->from_source.p);
			return false;
		}
	}
	return true;
}

bool policy_load_text(struct policy *p, const char *name, struct str text, struct buf *error)
{
	static const struct setting rows[] = {
		{ "skew", false, take_skew }, { "deny", false, take_deny }, { "exchange", false, take_exchange },
		{ "sources", false, take_sources }, { "records", true, take_records }, { 0 }
	};
	struct reader x = { .p = p, .name = name, .error = error };
	char *copy = strdup(name);
	bool ok = false;

	p->path = strdup(name);
	p->tree = calloc(1, sizeof(*p->tree));
	if (copy)
		x.folder = dirname(copy);
	SHA256((const uint8_t *)text.p, text.n, p->sha256);
	if (!p->path || !p->tree || !copy)
		buf_printf(error, "%s: out of memory", name);
	else
		ok = yaml_tree_parse(p->tree, name, text, error) && take_map(&x, yaml_root(p->tree), rows, p) && sources_are_there(&x);
	free(copy);
	for (size_t i = 0; i < error->n && !ok; i++) /* what the file says may hold a newline; an error is one line */
		if ((uint8_t)error->p[i] < 0x20)
			error->p[i] = ' ';
	return ok;
}

bool policy_load(struct policy *p, const char *path, struct buf *error)
{
	struct buf text;
	bool ok;

	buf_init(&text, POLICY_BYTES_MAX);
	ok = file_read(path, &text, NULL, error) && policy_load_text(p, path, text.n ? buf_str(&text) : STR(""), error);
	buf_release(&text);
	return ok;
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

/* What is known of a key nobody wrote a record for. */
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

/* Gives a record its key and takes from it what the key may not do. */
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
	if (k->gone_us && r->state == STATE_ACTIVE) { /* it left its set: what it signed before may live out its time */
		r->state = STATE_RETIRING;
		r->since_us = k->gone_us;
	}
	if (!c->present || p->jws_only)
		return;
	/* dates that cannot be read are dates that nothing lies between */
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

/* The keys of one set that a record as written means.  *found counts them. */
static bool bind_from_set(struct policy *p, const struct policy_rule *rule, const struct keyset *set, uint32_t *found,
			  struct buf *error)
{
	for (uint32_t i = 0; i < set->n; i++) {
		const struct key *k = set->keys[i];
		if (rule->from_kid.n ? !str_eq(k->kid, rule->from_kid) : rule->from_issuer.n && !str_eq(k->issuer, rule->from_issuer))
			continue;
		++*found;
		if (!bind_one(p, rule, k, set, error))
			return false;
	}
	return true;
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
		if (!found || (found > 1 && !rule->from_issuer.n)) {
			buf_printf(error, "%s:%u: %s has %u keys that this record could mean; it wants %s", p->path, rule->line,
				   rule->set->name, found, rule->from_issuer.n ? "at least one" : "exactly one (name it with kid)");
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
	if (!found) { /* kept: a token that names it learns that its key is in no set */
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
