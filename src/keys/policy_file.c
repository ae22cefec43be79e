/* SPDX-License-Identifier: Apache-2.0 */
/* policy_file: the policy file into rules.  A map is read by a table of its settings, each with the function that takes it, so
 * that a name not in the table is an error, and required settings are checked in one place. */
#include <libgen.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/timefmt.h"
#include "keys/registry.h"
#include "keys/policy_int.h"

/* -- values -- */

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

/* What people look for first: it is a condition on a claim. */
static bool is_claim_word(struct str s)
{
	static const char *const words[] = { "sub", "subject", "subjects", "scp", "scope", "scopes", "roles", "groups", "repository", "repositories", "claim",
					     "conditions", "namespace", "azp", "client_id", "email", NULL };
	for (size_t i = 0; words[i]; i++)
		if (str_eq(s, str_of(words[i])))
			return true;
	return false;
}

static bool unknown_setting(struct reader *x, const struct yaml_node *n, const struct setting *rows)
{
	const bool is_record = str_eq(str_of(rows->name), STR("from"));

	wrong(x, n, is_record && is_claim_word(n->key) ? "no such setting here; a condition on a claim is written claims: {sub: ...}; there are:"
						       : "no such setting here; there are:");
	for (; rows->name; rows++)
		buf_printf(x->error, " %s", rows->name);
	return false;
}

static bool take_map(struct reader *x, const struct yaml_node *map, const struct setting *rows, void *to)
{
	if (map->kind != YAML_MAP)
		return wrong(x, map, map->kind == YAML_LIST ? "wants names and values, not a list" : "wants names and values, not '%.40s'",
			     map->kind == YAML_LIST ? "" : map->text.p);
	for (const struct yaml_node *n = yaml_first(map); n; n = yaml_next(x->p->tree, n)) {
		const struct setting *row = rows;
		while (row->name && !str_eq(n->key, str_of(row->name)))
			row++;
		if (!row->name)
			return unknown_setting(x, n, rows);
		if (!row->take(x, n, to))
			return false;
	}
	for (const struct setting *row = rows; row->name; row++) {
		bool there = !row->required;
		for (const struct yaml_node *n = yaml_first(map); n && !there; n = yaml_next(x->p->tree, n))
			there = str_eq(n->key, str_of(row->name));
		if (!there)
			return wrong(x, map, "'%s' is missing here", row->name);
	}
	return true;
}

/* `of`: whose value, or list, it is in. */
static bool is_text_of(struct reader *x, const struct yaml_node *n, const struct yaml_node *of)
{
	const struct yaml_node named = { .key = of->key, .line = n->line };

	if (n->kind != YAML_SCALAR)
		return wrong(x, &named, "wants a text");
	if (!n->text.n)
		return wrong(x, &named, "is empty");
	if (yaml_is_ambiguous(n))
		return wrong(x, &named, "'%.40s' can be read in two ways; put it in quotes", n->text.p);
	return true;
}

static bool is_text(struct reader *x, const struct yaml_node *n)
{
	return is_text_of(x, n, n);
}

/* Memory that lives as long as the policy. */
static void *keep(struct reader *x, size_t n, size_t size)
{
	struct policy *p = x->p;
	void *made = calloc(n, size);

	if (p->list_n == p->list_capacity) {
		const uint32_t capacity = p->list_capacity ? 2 * p->list_capacity : 64;
		void **grown = realloc(p->lists, capacity * sizeof(void *));
		if (!grown) {
			free(made);
			return NULL;
		}
		p->lists = grown;
		p->list_capacity = capacity;
	}
	p->lists[p->list_n++] = made;
	/* cppcheck-suppress memleak ; the policy frees it */
	return made;
}

static bool read_list(struct reader *x, const struct yaml_node *n, struct text_list *ret)
{
	struct policy *p = x->p;
	uint32_t i = 0;

	if (n->kind != YAML_LIST || !n->children)
		return wrong(x, n, "wants a list that is not empty");
	ret->v = keep(x, n->children, sizeof(*ret->v));
	if (!ret->v)
		return wrong(x, n, "out of memory");
	for (const struct yaml_node *c = yaml_first(n); c; c = yaml_next(p->tree, c)) {
		if (!is_text_of(x, c, n))
			return false;
		if (text_list_has(ret, c->text))
			return wrong(x, n, "'%.80s' is here twice", c->text.p);
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

/* -- a record -- */

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
	if (r->record.alg > JWS_ALG_UNKNOWN)
		return true;
	const struct registry_name *known = registry_alg(n->text);
	if (known)
		return wrong(x, n, "'%.40s' %s and not supported: %s", n->text.p, known->standing, known->text);
	return wrong(x, n, "'%.40s' is none of RS256 to ES512, EdDSA, Ed25519, Ed448, HS256 to HS512", n->text.p);
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

	if (n->kind == YAML_SCALAR && str_eq(n->text, STR("none"))) {
		r->record.issuers_none = true;
		return true;
	}
	if (!read_list(x, n, &texts))
		return false;
	r->record.issuers = calloc(texts.n, sizeof(*r->record.issuers));
	if (!r->record.issuers)
		return wrong(x, n, "out of memory");
	r->record.issuer_n = texts.n;
	for (uint32_t i = 0; i < texts.n; i++)
		if (!issuer_rule_parse(texts.v[i], &r->record.issuers[i]))
			return wrong(x, n, "'%.120s': in an issuer the place of the tenant is written {tenantid}, once, and no other brace has a meaning",
				     texts.v[i].p);
	return true;
}

static bool are_tenants(struct reader *x, const struct yaml_node *n, const struct text_list *l)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (!tenant_is_canonical(l->v[i]))
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
	if (n->kind != YAML_MAP)
		return wrong(x, n, n->kind == YAML_LIST ? "wants {allow: [...]}; tenants to deny are written {allow: ..., deny: [...]}" :
			     str_eq(n->text, STR("any")) ? "'any' is written {allow: any}" : "'%.40s' is neither none nor {allow: ...}", n->text.p);
	r->tenants_said = true;
	return take_map(x, n, rows, to);
}

static bool take_audiences(struct reader *x, const struct yaml_node *n, void *to)
{
	struct key_record *r = &((struct policy_rule *)to)->record;

	r->audiences_none = n->kind == YAML_SCALAR && str_eq(n->text, STR("none"));
	return r->audiences_none || read_list(x, n, &r->audiences);
}

static bool take_cae_audiences(struct reader *x, const struct yaml_node *n, void *to)
{
	return read_list(x, n, &((struct policy_rule *)to)->record.cae_audiences);
}

static bool take_audience_array(struct reader *x, const struct yaml_node *n, void *to)
{
	static const char *const words[] = { "one", "all", "any", NULL };
	unsigned i = 0;

	if (!read_word(x, n, words, &i))
		return false;
	((struct policy_rule *)to)->record.audience_list = (enum audience_list)(LIST_ONE + i);
	return true;
}

static bool take_versions(struct reader *x, const struct yaml_node *n, void *to)
{
	struct policy_rule *r = to;

	r->versions_said = true;
	if (n->kind == YAML_SCALAR && str_eq(n->text, STR("none")))
		return true;
	if (n->kind != YAML_LIST || !n->children)
		return wrong(x, n, "wants none or a list that is not empty, like [\"2.0\"]");
	for (const struct yaml_node *c = yaml_first(n); c; c = yaml_next(x->p->tree, c)) { /* here 2.0 without quotes has one meaning */
		const unsigned v = c->kind != YAML_SCALAR ? 0 : str_eq(c->text, STR("1.0")) ? VERSION_1 : str_eq(c->text, STR("2.0")) ? VERSION_2 : 0;
		if (!v)
			return wrong(x, n, "'%.40s' is neither \"1.0\" nor \"2.0\"", c->kind == YAML_SCALAR ? c->text.p : "");
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
	r->typ_said = true;
	r->record.typ = 0;
	for (uint32_t i = 0; i < l.n; i++) {
		const unsigned v = str_eq(l.v[i], STR("absent")) ? TYP_ABSENT : str_eq(l.v[i], STR("JWT")) ? TYP_JWT
				 : str_eq(l.v[i], STR("at+jwt")) ? TYP_AT_JWT : str_eq(l.v[i], STR("JOSE")) ? TYP_JOSE
				 : str_eq(l.v[i], STR("logout+jwt")) ? TYP_LOGOUT : 0;
		if (!v)
			return wrong(x, n, "'%.40s' is none of: absent JWT at+jwt logout+jwt JOSE", l.v[i].p);
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
	struct key_record *r = &((struct policy_rule *)to)->record;

	r->max_age_said = true;
	return read_span(x, n, INT64_C(7320) * 86400, &r->max_age_s);
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

static bool take_kind(struct reader *x, const struct yaml_node *n, void *to)
{
	static const char *const words[] = { "access", "id", "logout", "any", NULL };
	static const enum token_kind kinds[] = { KIND_ACCESS, KIND_ID, KIND_LOGOUT, KIND_ANY };
	unsigned i = 0;

	if (!read_word(x, n, words, &i))
		return false;
	((struct policy_rule *)to)->record.kind = kinds[i];
	return true;
}

static bool take_cnf(struct reader *x, const struct yaml_node *n, void *to)
{
	static const char *const words[] = { "allowed", NULL };
	unsigned i;

	return read_word(x, n, words, &i) && (((struct policy_rule *)to)->record.proof_bound = true);
}

static bool take_dates(struct reader *x, const struct yaml_node *n, void *to)
{
	static const char *const words[] = { "decimal", NULL };
	unsigned i;

	return read_word(x, n, words, &i) && (((struct policy_rule *)to)->record.decimal_dates = true);
}

static bool take_use(struct reader *x, const struct yaml_node *n, void *to)
{
	static const char *const words[] = { "sig", "jwt-svid", NULL };
	unsigned i = 0;

	if (!read_word(x, n, words, &i))
		return false;
	((struct policy_rule *)to)->record.svid = i == 1;
	return true;
}

/* -- conditions on claims -- */

/* A plain integer, true or false is of that type; all else, and all in quotes, is text. */
static bool read_value(struct reader *x, const struct yaml_node *n, const struct yaml_node *of, struct claim_value *ret)
{
	size_t digits = n->kind == YAML_SCALAR && !n->quoted && n->text.n && n->text.p[0] == '-' ? 1 : 0;

	*ret = (struct claim_value){ n->text, SJ_STRING };
	if (n->kind == YAML_SCALAR && !n->quoted && (str_eq(n->text, STR("true")) || str_eq(n->text, STR("false")))) {
		ret->kind = str_eq(n->text, STR("true")) ? SJ_TRUE : SJ_FALSE;
		return true;
	}
	while (n->kind == YAML_SCALAR && digits < n->text.n && n->text.p[digits] >= '0' && n->text.p[digits] <= '9')
		digits++;
	if (n->kind == YAML_SCALAR && !n->quoted && n->text.n && digits == n->text.n && n->text.p[n->text.n - 1] != '-') {
		ret->kind = SJ_NUMBER;
		return true;
	}
	return is_text_of(x, n, of);
}

/* One value or a list of them. */
static bool read_values(struct reader *x, const struct yaml_node *n, const struct yaml_node *of, struct claim_rule *r)
{
	const bool is_list = n->kind == YAML_LIST;

	if (n->kind == YAML_MAP || (is_list && !n->children))
		return wrong(x, of, "wants a value or a list that is not empty");
	r->v = keep(x, is_list ? n->children : 1, sizeof(*r->v));
	if (!r->v)
		return wrong(x, of, "out of memory");
	if (!is_list)
		return read_value(x, n, of, &r->v[r->n++]);
	for (const struct yaml_node *c = yaml_first(n); c; c = yaml_next(x->p->tree, c))
		if (!read_value(x, c, of, &r->v[r->n++]))
			return false;
	return true;
}

static bool take_rules(struct reader *x, const struct yaml_node *map, unsigned depth, struct claim_rule **ret, uint32_t *ret_n);

static bool is_word(const struct yaml_node *n, const char *word)
{
	return n->kind == YAML_SCALAR && !n->quoted && str_eq(n->text, str_of(word));
}

/* `n` is a name and its condition; adds a rule, or, of a map of tests, several. */
static bool take_rule(struct reader *x, const struct yaml_node *n, unsigned depth, struct claim_rule *rules, uint32_t *count)
{
	static const struct { const char *word; enum claim_test test; } tests[] = {
		{ "pattern", CLAIM_TEST_PATTERN }, { "contains", CLAIM_TEST_CONTAINS }, { "equals", CLAIM_TEST_EQUALS }
	};
	struct claim_rule *r = &rules[*count];
	uint32_t known = 0;

	*r = (struct claim_rule){ .name = n->key };
	if (!n->key.n)
		return wrong(x, n, "the name of a claim is empty");
	if (n->kind != YAML_MAP) {
		++*count;
		if (is_word(n, "absent") || is_word(n, "present")) {
			r->test = is_word(n, "absent") ? CLAIM_TEST_ABSENT : CLAIM_TEST_PRESENT;
			return true;
		}
		return read_values(x, n, n, r);
	}
	for (const struct yaml_node *c = yaml_first(n); c; c = yaml_next(x->p->tree, c))
		for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
			if (str_eq(c->key, str_of(tests[i].word))) {
				r = &rules[(*count)++];
				*r = (struct claim_rule){ .name = n->key, .test = tests[i].test };
				known++;
				if (!read_values(x, c, c, r))
					return false;
				for (uint32_t k = 0; k < r->n && r->test == CLAIM_TEST_PATTERN; k++)
					if (r->v[k].kind != SJ_STRING)
						return wrong(x, c, "a pattern is a text; put it in quotes");
			}
	if (known && known != n->children)
		return wrong(x, n, "has tests (pattern, contains, equals) and other names as well");
	if (known)
		return true;
	++*count;
	r->test = CLAIM_TEST_WITHIN;
	return take_rules(x, n, depth + 1, &r->within, &r->within_n);
}

static bool take_rules(struct reader *x, const struct yaml_node *map, unsigned depth, struct claim_rule **ret, uint32_t *ret_n)
{
	uint32_t most = 0;

	if (map->kind != YAML_MAP || !map->children)
		return wrong(x, map, "wants names of claims, each with what it must be");
	if (depth > 8)
		return wrong(x, map, "is nested too deeply");
	for (const struct yaml_node *c = yaml_first(map); c; c = yaml_next(x->p->tree, c))
		most += c->kind == YAML_MAP && c->children ? c->children : 1;
	*ret = keep(x, most, sizeof(**ret));
	if (!*ret)
		return wrong(x, map, "out of memory");
	for (const struct yaml_node *c = yaml_first(map); c; c = yaml_next(x->p->tree, c))
		if (!take_rule(x, c, depth, *ret, ret_n))
			return false;
	return true;
}

static bool take_claims(struct reader *x, const struct yaml_node *n, void *to)
{
	struct key_record *r = &((struct policy_rule *)to)->record;

	if (!take_rules(x, n, 0, &r->claims, &r->claim_n))
		return false;
	for (uint32_t i = 0; i < r->claim_n; i++)
		r->proof_bound |= str_eq(r->claims[i].name, STR("cnf")) && r->claims[i].test != CLAIM_TEST_ABSENT;
	return true;
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

/* -- where a record's key comes from -- */

static bool take_from_file(struct reader *x, const struct yaml_node *n, void *to)
{
	return is_text(x, n) && (((struct policy_rule *)to)->from_file = n->text).n;
}

static bool take_from_certificate(struct reader *x, const struct yaml_node *n, void *to)
{
	((struct policy_rule *)to)->is_certificate = true;
	return take_from_file(x, n, to);
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
		{ "jwks", false, take_from_file }, { "certificate", false, take_from_certificate }, { "source", false, take_from_source },
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

/* Reads the set of from_file once, however many records name it. */
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
		if (access(path.p, F_OK) != 0)
			buf_printf(x->error, "%s:%u: from: %s is not there. Paths are relative to the policy; a template, such as data/token-policy.yaml, wants "
				   "your own key sets and records first ('taximeter keys records SET' proposes them): ", x->name, n->line, r->from_file.p);
		else
			buf_printf(x->error, "%s:%u: from: ", x->name, n->line);
		ok = s && keyset_load_file(s, path.p, KEY_KEEP_SYMMETRIC | KEY_NO_STRENGTH, x->error);
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

/* What settings mean together. */
static bool finish_record(struct reader *x, const struct yaml_node *n, struct policy_rule *r)
{
	struct key_record *k = &r->record;
	bool has_template = false, has_tenant = false;

	for (uint32_t i = 0; i < k->issuer_n; i++) {
		struct str host, tenant;
		unsigned version;
		has_template |= k->issuers[i].is_template;
		has_tenant |= k->issuers[i].is_template || issuer_split(k->issuers[i].text, &host, &tenant, &version);
	}
	if (k->tenants_none && has_template)
		return wrong(x, n, "'tenants: none' and an issuer with {tenantid} contradict each other");
	if (has_tenant && !r->tenants_said && !k->tenants_none)
		return wrong(x, n, "'tenants' is missing: about which tenants may the key speak? {allow: [...]}, {allow: any} or none");
	if (has_tenant && !r->versions_said)
		return wrong(x, n, "'versions' is missing: [\"1.0\"], [\"2.0\"], both, or none");
	if (!has_tenant && !r->tenants_said)
		k->tenants_none = true; /* an issuer without tenants in its name */
	if (k->audiences_none && !k->claim_n && (k->actors_any || !k->actors.n))
		return wrong(x, n, "'audiences: none' wants another condition, so that not every token of the issuer is taken: claims: {client_id: ...} or actors");
	if (!r->typ_said && (k->kind == KIND_LOGOUT || k->kind == KIND_ANY))
		k->typ |= TYP_LOGOUT;
	if (!r->typ_said && k->svid)
		k->typ |= TYP_JOSE;
	return true;
}

static bool take_record(struct reader *x, const struct yaml_node *n, struct policy_rule *r)
{
	static const struct setting rows[] = {
		{ "from", false, take_from }, { "spki", false, take_spki }, { "kid", false, take_kid }, { "alg", true, take_alg },
		{ "class", false, take_class }, { "issuers", true, take_issuers }, { "tenants", false, take_tenants },
		{ "audiences", true, take_audiences }, { "cae_audiences", false, take_cae_audiences },
		{ "audience_array", false, take_audience_array }, { "versions", false, take_versions }, { "typ", false, take_typ },
		{ "not_before", false, take_not_before }, { "not_after", false, take_not_after },
		{ "first_listed", false, take_first_listed }, { "max_age", false, take_max_age },
		{ "max_token_life", false, take_max_token_life }, { "actors", false, take_actors }, { "idtyp", false, take_idtyp },
		{ "claims", false, take_claims }, { "kind", false, take_kind }, { "cnf", false, take_cnf }, { "dates", false, take_dates },
		{ "use", false, take_use }, { "symmetric", false, take_symmetric }, { "state", false, take_state }, { "since", false, take_since }, { 0 }
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
	if (!k->kid.n && (r->spki.n || r->is_certificate))
		return wrong(x, n, "'kid' is missing: the key id that tokens name this key by");
	r->whole_set = !r->from_kid.n && !r->from_issuer.n && !k->kid.n;
	k->whole_set = r->whole_set || r->from_issuer.n;
	if (!finish_record(x, n, r))
		return false;
	if (r->from_issuer.n && k->kid.n)
		return wrong(x, n, "a record for all keys of an issuer has no 'kid' of its own");
	if (k->state == STATE_RETIRING && k->since_us == TIME_UNKNOWN)
		return wrong(x, n, "state retiring wants 'since'");
	if (alg_rows[k->alg].kind == KEY_OCT && !k->symmetric)
		return wrong(x, n, "a symmetric algorithm wants 'symmetric: allowed': who can verify can sign");
	return !r->from_file.n || load_from_file(x, n, r);
}

/* -- the file -- */

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
	for (size_t i = 0; i < error->n && !ok; i++) /* quotes from the file may hold a newline; an error is one line */
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
