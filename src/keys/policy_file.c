/* SPDX-License-Identifier: Apache-2.0 */
/* policy_file: the policy file into rules: everything but its records (keys/policy_record.c). */
#include <libgen.h>
#include <openssl/sha.h>
#include <stdlib.h>

#include "keys/policy_value.h"

static bool take_skew(struct policy_reader *x, const struct yaml_node *n, void *to)
{
	return policy_span(x, n, SKEW_MAX_S, &x->p->skew_s);
}

static bool take_hex_list(struct policy_reader *x, const struct yaml_node *n, struct text_list *l, size_t digits, size_t digits_too)
{
	if (n->kind != YAML_LIST || !n->children)
		return policy_wrong(x, n, "wants a list that is not empty");
	for (const struct yaml_node *c = yaml_first(n); c; c = yaml_next(x->p->tree, c))
		if (!(c->kind == YAML_SCALAR && c->text.n == digits_too) && !policy_hex(x, c, digits))
			return false;
	return policy_list(x, n, l);
}

static bool take_deny_spki(struct policy_reader *x, const struct yaml_node *n, void *to)
{
	return take_hex_list(x, n, &x->p->deny_spki, 64, 64);
}

static bool take_deny_certificates(struct policy_reader *x, const struct yaml_node *n, void *to)
{
	return take_hex_list(x, n, &x->p->deny_certificate, 64, 40);
}

static bool take_deny(struct policy_reader *x, const struct yaml_node *n, void *to)
{
	static const struct policy_setting rows[] = {
		{ "spki", false, take_deny_spki }, { "certificates", false, take_deny_certificates }, { 0 }
	};
	return policy_map(x, n, rows, to);
}

static bool take_exchange_issuers(struct policy_reader *x, const struct yaml_node *n, void *to)
{
	return policy_list(x, n, &x->p->exchange_issuers);
}

static bool take_exchange_depth(struct policy_reader *x, const struct yaml_node *n, void *to)
{
	if (n->kind != YAML_SCALAR || n->quoted || n->text.n != 1 || n->text.p[0] < '1' || n->text.p[0] > '8')
		return policy_wrong(x, n, "wants a number from 1 to 8");
	x->p->exchange_depth = (uint32_t)(n->text.p[0] - '0');
	return true;
}

static bool take_exchange(struct policy_reader *x, const struct yaml_node *n, void *to)
{
	static const struct policy_setting rows[] = {
		{ "issuers", true, take_exchange_issuers }, { "max_depth", false, take_exchange_depth }, { 0 }
	};
	return policy_map(x, n, rows, to);
}

static bool take_source_name(struct policy_reader *x, const struct yaml_node *n, void *to)
{
	return policy_is_text(x, n) && (((struct key_source *)to)->name = n->text).n;
}

static bool take_source_url(struct policy_reader *x, const struct yaml_node *n, void *to)
{
	if (!policy_is_text(x, n))
		return false;
	if (!str_starts(n->text, STR("https://")))
		return policy_wrong(x, n, "wants an address that begins with https://");
	((struct key_source *)to)->url = n->text;
	return true;
}

static bool take_source_cache(struct policy_reader *x, const struct yaml_node *n, void *to)
{
	return policy_is_text(x, n) && (((struct key_source *)to)->cache = n->text).n;
}

static bool take_source_ca(struct policy_reader *x, const struct yaml_node *n, void *to)
{
	return policy_is_text(x, n) && (((struct key_source *)to)->ca = n->text).n;
}

static bool take_source_refresh(struct policy_reader *x, const struct yaml_node *n, void *to)
{
	return policy_span(x, n, 86400, &((struct key_source *)to)->refresh_s);
}

static bool take_source_unknown(struct policy_reader *x, const struct yaml_node *n, void *to)
{
	return policy_span(x, n, 86400, &((struct key_source *)to)->unknown_refresh_s);
}

static bool take_source_life(struct policy_reader *x, const struct yaml_node *n, void *to)
{
	return policy_span(x, n, 86400, &((struct key_source *)to)->life_s);
}

static bool take_sources(struct policy_reader *x, const struct yaml_node *n, void *to)
{
	static const struct policy_setting rows[] = {
		{ "name", true, take_source_name }, { "url", true, take_source_url }, { "cache", false, take_source_cache },
		{ "ca", false, take_source_ca },
		{ "refresh", false, take_source_refresh }, { "unknown_kid_refresh", false, take_source_unknown },
		{ "life", false, take_source_life }, { 0 }
	};
	struct policy *p = x->p;

	if (n->kind != YAML_LIST || !n->children)
		return policy_wrong(x, n, "wants a list that is not empty");
	p->sources = calloc(n->children, sizeof(*p->sources));
	if (!p->sources)
		return policy_wrong(x, n, "out of memory");
	for (const struct yaml_node *c = yaml_first(n); c; c = yaml_next(p->tree, c)) {
		struct key_source *s = &p->sources[p->source_n];
		*s = (struct key_source){ .refresh_s = 3600, .unknown_refresh_s = 300, .life_s = 86400, .line = c->line };
		if (!policy_map(x, c, rows, s))
			return false;
		for (uint32_t i = 0; i < p->source_n; i++)
			if (str_eq(p->sources[i].name, s->name))
				return policy_wrong(x, c, "a second source of the name '%.60s'", s->name.p);
		p->source_n++;
	}
	return true;
}

static bool take_records(struct policy_reader *x, const struct yaml_node *n, void *to)
{
	struct policy *p = x->p;

	if (n->kind != YAML_LIST || !n->children)
		return policy_wrong(x, n, "wants a list that is not empty");
	p->rules = calloc(n->children, sizeof(*p->rules));
	if (!p->rules)
		return policy_wrong(x, n, "out of memory");
	for (const struct yaml_node *c = yaml_first(n); c; c = yaml_next(p->tree, c))
		if (!policy_take_record(x, c, &p->rules[p->rule_n++]))
			return false;
	return true;
}

static bool sources_are_there(struct policy_reader *x)
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
	static const struct policy_setting rows[] = {
		{ "skew", false, take_skew }, { "deny", false, take_deny }, { "exchange", false, take_exchange },
		{ "sources", false, take_sources }, { "records", true, take_records }, { 0 }
	};
	struct policy_reader x = { .p = p, .name = name, .error = error };
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
		ok = yaml_tree_parse(p->tree, name, text, error) && policy_map(&x, yaml_root(p->tree), rows, p) && sources_are_there(&x);
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
