/* SPDX-License-Identifier: Apache-2.0 */
/* policy_record: one record of a policy file into a rule: what its key may sign, and where the key comes from. */
#include <stdlib.h>
#include <unistd.h>

#include "keys/policy_value.h"
#include "keys/registry.h"

static bool take_spki(struct policy_reader *x, const struct yaml_node *n, void *to)
{
	struct policy_rule *r = to;

	r->spki = n->text;
	return policy_hex(x, n, 64);
}

static bool take_kid(struct policy_reader *x, const struct yaml_node *n, void *to)
{
	struct policy_rule *r = to;

	if (n->kind != YAML_SCALAR || !n->text.n || n->text.n > 256)
		return policy_wrong(x, n, "wants a text of 1 to 256 bytes");
	r->record.kid = n->text;
	return true;
}

static bool take_alg(struct policy_reader *x, const struct yaml_node *n, void *to)
{
	struct policy_rule *r = to;

	if (!policy_is_text(x, n))
		return false;
	r->record.alg = alg_parse(n->text);
	if (r->record.alg > JWS_ALG_UNKNOWN)
		return true;
	const struct registry_name *known = registry_alg(n->text);
	if (known)
		return policy_wrong(x, n, "'%.40s' %s and not supported: %s", n->text.p, known->standing, known->text);
	return policy_wrong(x, n, "'%.40s' is none of RS256 to ES512, EdDSA, Ed25519, Ed448, HS256 to HS512", n->text.p);
}

static bool take_class(struct policy_reader *x, const struct yaml_node *n, void *to)
{
	static const char *const words[] = { "consumer", "enterprise", "service", "test", NULL };
	struct policy_rule *r = to;
	unsigned i = 0;

	if (!policy_word(x, n, words, &i))
		return false;
	r->record.klass = (enum record_class)(CLASS_CONSUMER + i);
	return true;
}

static bool take_issuers(struct policy_reader *x, const struct yaml_node *n, void *to)
{
	struct policy_rule *r = to;
	struct text_list texts = { 0 };

	if (n->kind == YAML_SCALAR && str_eq(n->text, STR("none"))) {
		r->record.issuers_none = true;
		return true;
	}
	if (!policy_list(x, n, &texts))
		return false;
	r->record.issuers = calloc(texts.n, sizeof(*r->record.issuers));
	if (!r->record.issuers)
		return policy_wrong(x, n, "out of memory");
	r->record.issuer_n = texts.n;
	for (uint32_t i = 0; i < texts.n; i++)
		if (!issuer_rule_parse(texts.v[i], &r->record.issuers[i]))
			return policy_wrong(x, n, "'%.120s': in an issuer the place of the tenant is written {tenantid}, once, and no other brace has a meaning",
				     texts.v[i].p);
	return true;
}

static bool are_tenants(struct policy_reader *x, const struct yaml_node *n, const struct text_list *l)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (!tenant_is_canonical(l->v[i]))
			return policy_wrong(x, n, "'%.60s' is no tenant: wants a GUID in lower case without braces", l->v[i].p);
	return true;
}

static bool take_tenants_allow(struct policy_reader *x, const struct yaml_node *n, void *to)
{
	struct policy_rule *r = to;

	if (n->kind == YAML_SCALAR && str_eq(n->text, STR("any"))) {
		r->record.tenants_any = true;
		return true;
	}
	return policy_list(x, n, &r->record.tenants) && are_tenants(x, n, &r->record.tenants);
}

static bool take_tenants_deny(struct policy_reader *x, const struct yaml_node *n, void *to)
{
	struct policy_rule *r = to;

	return policy_list(x, n, &r->record.tenants_denied) && are_tenants(x, n, &r->record.tenants_denied);
}

static bool take_tenants(struct policy_reader *x, const struct yaml_node *n, void *to)
{
	static const struct policy_setting rows[] = {
		{ "allow", true, take_tenants_allow }, { "deny", false, take_tenants_deny }, { 0 }
	};
	struct policy_rule *r = to;

	if (n->kind == YAML_SCALAR && str_eq(n->text, STR("none"))) {
		r->record.tenants_none = true;
		return true;
	}
	if (n->kind != YAML_MAP)
		return policy_wrong(x, n, n->kind == YAML_LIST ? "wants {allow: [...]}; tenants to deny are written {allow: ..., deny: [...]}" :
			     str_eq(n->text, STR("any")) ? "'any' is written {allow: any}" : "'%.40s' is neither none nor {allow: ...}", n->text.p);
	r->tenants_said = true;
	return policy_map(x, n, rows, to);
}

static bool take_audiences(struct policy_reader *x, const struct yaml_node *n, void *to)
{
	struct key_record *r = &((struct policy_rule *)to)->record;

	r->audiences_none = n->kind == YAML_SCALAR && str_eq(n->text, STR("none"));
	return r->audiences_none || policy_list(x, n, &r->audiences);
}

static bool take_cae_audiences(struct policy_reader *x, const struct yaml_node *n, void *to)
{
	return policy_list(x, n, &((struct policy_rule *)to)->record.cae_audiences);
}

static bool take_audience_array(struct policy_reader *x, const struct yaml_node *n, void *to)
{
	static const char *const words[] = { "one", "all", "any", NULL };
	unsigned i = 0;

	if (!policy_word(x, n, words, &i))
		return false;
	((struct policy_rule *)to)->record.audience_list = (enum audience_list)(LIST_ONE + i);
	return true;
}

static bool take_versions(struct policy_reader *x, const struct yaml_node *n, void *to)
{
	struct policy_rule *r = to;

	r->versions_said = true;
	if (n->kind == YAML_SCALAR && str_eq(n->text, STR("none")))
		return true;
	if (n->kind != YAML_LIST || !n->children)
		return policy_wrong(x, n, "wants none or a list that is not empty, like [\"2.0\"]");
	for (const struct yaml_node *c = yaml_first(n); c; c = yaml_next(x->p->tree, c)) { /* here 2.0 without quotes has one meaning */
		const unsigned v = c->kind != YAML_SCALAR ? 0 : str_eq(c->text, STR("1.0")) ? VERSION_1 : str_eq(c->text, STR("2.0")) ? VERSION_2 : 0;
		if (!v)
			return policy_wrong(x, n, "'%.40s' is neither \"1.0\" nor \"2.0\"", c->kind == YAML_SCALAR ? c->text.p : "");
		r->record.versions |= v;
	}
	return true;
}

static bool take_typ(struct policy_reader *x, const struct yaml_node *n, void *to)
{
	struct policy_rule *r = to;
	struct text_list l = { 0 };

	if (!policy_list(x, n, &l))
		return false;
	r->typ_said = true;
	r->record.typ = 0;
	for (uint32_t i = 0; i < l.n; i++) {
		const unsigned v = str_eq(l.v[i], STR("absent")) ? TYP_ABSENT : str_eq(l.v[i], STR("JWT")) ? TYP_JWT
				 : str_eq(l.v[i], STR("at+jwt")) ? TYP_AT_JWT : str_eq(l.v[i], STR("JOSE")) ? TYP_JOSE
				 : str_eq(l.v[i], STR("logout+jwt")) ? TYP_LOGOUT : 0;
		if (!v)
			return policy_wrong(x, n, "'%.40s' is none of: absent JWT at+jwt logout+jwt JOSE", l.v[i].p);
		r->record.typ |= v;
	}
	return true;
}

static bool take_not_before(struct policy_reader *x, const struct yaml_node *n, void *to)
{
	return policy_time(x, n, &((struct policy_rule *)to)->record.not_before_us);
}

static bool take_not_after(struct policy_reader *x, const struct yaml_node *n, void *to)
{
	return policy_time(x, n, &((struct policy_rule *)to)->record.not_after_us);
}

static bool take_first_listed(struct policy_reader *x, const struct yaml_node *n, void *to)
{
	return policy_time(x, n, &((struct policy_rule *)to)->record.first_us);
}

static bool take_since(struct policy_reader *x, const struct yaml_node *n, void *to)
{
	return policy_time(x, n, &((struct policy_rule *)to)->record.since_us);
}

static bool take_max_age(struct policy_reader *x, const struct yaml_node *n, void *to)
{
	struct key_record *r = &((struct policy_rule *)to)->record;

	r->max_age_said = true;
	return policy_span(x, n, INT64_C(7320) * 86400, &r->max_age_s);
}

static bool take_max_token_life(struct policy_reader *x, const struct yaml_node *n, void *to)
{
	return policy_span(x, n, TOKEN_LIFE_MAX_S, &((struct policy_rule *)to)->record.max_token_life_s);
}

static bool take_actors(struct policy_reader *x, const struct yaml_node *n, void *to)
{
	struct policy_rule *r = to;

	r->record.actors_any = n->kind == YAML_SCALAR && str_eq(n->text, STR("any"));
	return r->record.actors_any || policy_list(x, n, &r->record.actors);
}

/* A setting that has one word. */
static bool take_flag(struct policy_reader *x, const struct yaml_node *n, const char *word, bool *ret)
{
	const char *const words[] = { word, NULL };
	unsigned i;

	if (!policy_word(x, n, words, &i))
		return false;
	*ret = true;
	return true;
}

static bool take_idtyp(struct policy_reader *x, const struct yaml_node *n, void *to)
{
	return take_flag(x, n, "app", &((struct policy_rule *)to)->record.app_only);
}

static bool take_symmetric(struct policy_reader *x, const struct yaml_node *n, void *to)
{
	return take_flag(x, n, "allowed", &((struct policy_rule *)to)->record.symmetric);
}

static bool take_kind(struct policy_reader *x, const struct yaml_node *n, void *to)
{
	static const char *const words[] = { "access", "id", "logout", "any", NULL };
	static const enum token_kind kinds[] = { KIND_ACCESS, KIND_ID, KIND_LOGOUT, KIND_ANY };
	unsigned i = 0;

	if (!policy_word(x, n, words, &i))
		return false;
	((struct policy_rule *)to)->record.kind = kinds[i];
	return true;
}

static bool take_cnf(struct policy_reader *x, const struct yaml_node *n, void *to)
{
	return take_flag(x, n, "allowed", &((struct policy_rule *)to)->record.proof_bound);
}

static bool take_dates(struct policy_reader *x, const struct yaml_node *n, void *to)
{
	return take_flag(x, n, "decimal", &((struct policy_rule *)to)->record.decimal_dates);
}

static bool take_use(struct policy_reader *x, const struct yaml_node *n, void *to)
{
	static const char *const words[] = { "sig", "jwt-svid", NULL };
	unsigned i = 0;

	if (!policy_word(x, n, words, &i))
		return false;
	((struct policy_rule *)to)->record.svid = i == 1;
	return true;
}

/* -- conditions on claims -- */

/* A plain integer, true or false is of that type; all else, and all in quotes, is text. */
static bool read_value(struct policy_reader *x, const struct yaml_node *n, const struct yaml_node *of, struct claim_value *ret)
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
	return policy_is_text_of(x, n, of);
}

/* One value or a list of them. */
static bool read_values(struct policy_reader *x, const struct yaml_node *n, const struct yaml_node *of, struct claim_rule *r)
{
	const bool is_list = n->kind == YAML_LIST;

	if (n->kind == YAML_MAP || (is_list && !n->children))
		return policy_wrong(x, of, "wants a value or a list that is not empty");
	r->v = policy_keep(x, is_list ? n->children : 1, sizeof(*r->v));
	if (!r->v)
		return policy_wrong(x, of, "out of memory");
	if (!is_list)
		return read_value(x, n, of, &r->v[r->n++]);
	for (const struct yaml_node *c = yaml_first(n); c; c = yaml_next(x->p->tree, c))
		if (!read_value(x, c, of, &r->v[r->n++]))
			return false;
	return true;
}

static bool take_rules(struct policy_reader *x, const struct yaml_node *map, unsigned depth, struct claim_rule **ret, uint32_t *ret_n);

static bool is_word(const struct yaml_node *n, const char *word)
{
	return n->kind == YAML_SCALAR && !n->quoted && str_eq(n->text, str_of(word));
}

/* `n` is a name and its condition; adds a rule, or, of a map of tests, several. */
static bool take_rule(struct policy_reader *x, const struct yaml_node *n, unsigned depth, struct claim_rule *rules, uint32_t *count)
{
	static const struct { const char *word; enum claim_test test; } tests[] = {
		{ "pattern", CLAIM_TEST_PATTERN }, { "contains", CLAIM_TEST_CONTAINS }, { "equals", CLAIM_TEST_EQUALS }
	};
	struct claim_rule *r = &rules[*count];
	uint32_t known = 0;

	*r = (struct claim_rule){ .name = n->key };
	if (!n->key.n)
		return policy_wrong(x, n, "the name of a claim is empty");
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
						return policy_wrong(x, c, "a pattern is a text; put it in quotes");
			}
	if (known && known != n->children)
		return policy_wrong(x, n, "has tests (pattern, contains, equals) and other names as well");
	if (known)
		return true;
	++*count;
	r->test = CLAIM_TEST_WITHIN;
	return take_rules(x, n, depth + 1, &r->within, &r->within_n);
}

static bool take_rules(struct policy_reader *x, const struct yaml_node *map, unsigned depth, struct claim_rule **ret, uint32_t *ret_n)
{
	uint32_t most = 0;

	if (map->kind != YAML_MAP || !map->children)
		return policy_wrong(x, map, "wants names of claims, each with what it must be");
	if (depth > 8)
		return policy_wrong(x, map, "is nested too deeply");
	for (const struct yaml_node *c = yaml_first(map); c; c = yaml_next(x->p->tree, c))
		most += c->kind == YAML_MAP && c->children ? c->children : 1;
	*ret = policy_keep(x, most, sizeof(**ret));
	if (!*ret)
		return policy_wrong(x, map, "out of memory");
	for (const struct yaml_node *c = yaml_first(map); c; c = yaml_next(x->p->tree, c))
		if (!take_rule(x, c, depth, *ret, ret_n))
			return false;
	return true;
}

static bool take_claims(struct policy_reader *x, const struct yaml_node *n, void *to)
{
	struct key_record *r = &((struct policy_rule *)to)->record;

	if (!take_rules(x, n, 0, &r->claims, &r->claim_n))
		return false;
	for (uint32_t i = 0; i < r->claim_n; i++)
		r->proof_bound |= str_eq(r->claims[i].name, STR("cnf")) && r->claims[i].test != CLAIM_TEST_ABSENT;
	return true;
}

static bool take_state(struct policy_reader *x, const struct yaml_node *n, void *to)
{
	static const char *const words[] = { "pending", "active", "retiring", "retired", "revoked", "leaked", "denied", NULL };
	unsigned i = 0;

	if (!policy_word(x, n, words, &i))
		return false;
	((struct policy_rule *)to)->record.state = (enum record_state)i;
	return true;
}

/* -- where a record's key comes from -- */

static bool take_from_file(struct policy_reader *x, const struct yaml_node *n, void *to)
{
	return policy_is_text(x, n) && (((struct policy_rule *)to)->from_file = n->text).n;
}

static bool take_from_certificate(struct policy_reader *x, const struct yaml_node *n, void *to)
{
	((struct policy_rule *)to)->is_certificate = true;
	return take_from_file(x, n, to);
}

static bool take_from_source(struct policy_reader *x, const struct yaml_node *n, void *to)
{
	return policy_is_text(x, n) && (((struct policy_rule *)to)->from_source = n->text).n;
}

static bool take_from_kid(struct policy_reader *x, const struct yaml_node *n, void *to)
{
	if (n->kind != YAML_SCALAR || !n->text.n)
		return policy_wrong(x, n, "wants a text");
	((struct policy_rule *)to)->from_kid = n->text;
	return true;
}

static bool take_from_issuer(struct policy_reader *x, const struct yaml_node *n, void *to)
{
	return policy_is_text(x, n) && (((struct policy_rule *)to)->from_issuer = n->text).n;
}

static bool take_from(struct policy_reader *x, const struct yaml_node *n, void *to)
{
	static const struct policy_setting rows[] = {
		{ "jwks", false, take_from_file }, { "certificate", false, take_from_certificate }, { "source", false, take_from_source },
		{ "kid", false, take_from_kid }, { "issuer", false, take_from_issuer }, { 0 }
	};
	const struct policy_rule *r = to;

	if (!policy_map(x, n, rows, to))
		return false;
	if ((r->from_file.n != 0) == (r->from_source.n != 0))
		return policy_wrong(x, n, "wants one of jwks, certificate and source");
	if (r->from_kid.n && r->from_issuer.n)
		return policy_wrong(x, n, "wants kid or issuer, not both");
	return true;
}

/* Reads the set of from_file once, however many records name it. */
static bool load_from_file(struct policy_reader *x, const struct yaml_node *n, struct policy_rule *r)
{
	struct buf path;
	struct keyset *s = NULL;
	bool ok = true;

	buf_init(&path, 16 * KIB);
	buf_printf(&path, "%s%s%s", r->from_file.p[0] == '/' ? "" : x->folder, r->from_file.p[0] == '/' ? "" : "/", r->from_file.p);
	if (buf_failed(&path)) {
		buf_release(&path);
		return policy_wrong(x, n, "the path is too long");
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
			ok = policy_wrong(x, n, "out of memory, or more than %d sets", POLICY_SETS_MAX);
		if (ok)
			r->set = s;
	}
	buf_release(&path);
	return ok;
}

/* What settings mean together. */
static bool finish_record(struct policy_reader *x, const struct yaml_node *n, struct policy_rule *r)
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
		return policy_wrong(x, n, "'tenants: none' and an issuer with {tenantid} contradict each other");
	if (has_tenant && !r->tenants_said && !k->tenants_none)
		return policy_wrong(x, n, "'tenants' is missing: about which tenants may the key speak? {allow: [...]}, {allow: any} or none");
	if (has_tenant && !r->versions_said)
		return policy_wrong(x, n, "'versions' is missing: [\"1.0\"], [\"2.0\"], both, or none");
	if (!has_tenant && !r->tenants_said)
		k->tenants_none = true; /* an issuer without tenants in its name */
	if (k->audiences_none && !k->claim_n && (k->actors_any || !k->actors.n))
		return policy_wrong(x, n, "'audiences: none' wants another condition, so that not every token of the issuer is taken: claims: {client_id: ...} or actors");
	if (!r->typ_said && (k->kind == KIND_LOGOUT || k->kind == KIND_ANY))
		k->typ |= TYP_LOGOUT;
	if (!r->typ_said && k->svid)
		k->typ |= TYP_JOSE;
	return true;
}

bool policy_take_record(struct policy_reader *x, const struct yaml_node *n, struct policy_rule *r)
{
	static const struct policy_setting rows[] = {
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
	if (!policy_map(x, n, rows, r))
		return false;
	if ((r->from_file.n || r->from_source.n) == (r->spki.n != 0))
		return policy_wrong(x, n, "a record wants its key: either 'from' or 'spki'");
	if (!k->kid.n && (r->spki.n || r->is_certificate))
		return policy_wrong(x, n, "'kid' is missing: the key id that tokens name this key by");
	r->whole_set = !r->from_kid.n && !r->from_issuer.n && !k->kid.n;
	k->whole_set = r->whole_set || r->from_issuer.n;
	if (!finish_record(x, n, r))
		return false;
	if (r->from_issuer.n && k->kid.n)
		return policy_wrong(x, n, "a record for all keys of an issuer has no 'kid' of its own");
	if (k->state == STATE_RETIRING && k->since_us == TIME_UNKNOWN)
		return policy_wrong(x, n, "state retiring wants 'since'");
	if (alg_rows[k->alg].kind == KEY_OCT && !k->symmetric)
		return policy_wrong(x, n, "a symmetric algorithm wants 'symmetric: allowed': who can verify can sign");
	return !r->from_file.n || load_from_file(x, n, r);
}
