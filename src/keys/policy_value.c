/* SPDX-License-Identifier: Apache-2.0 */
/* policy_value: the values of a policy file, and its errors (keys/policy_value.h). */
#include "keys/policy_value.h"

#include <stdlib.h>

#include "base/timefmt.h"

bool policy_wrong(struct policy_reader *x, const struct yaml_node *n, const char *format, ...)
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

static bool unknown_setting(struct policy_reader *x, const struct yaml_node *n, const struct policy_setting *rows)
{
	const bool is_record = str_eq(str_of(rows->name), STR("from"));

	policy_wrong(x, n, is_record && is_claim_word(n->key) ? "no such setting here; a condition on a claim is written claims: {sub: ...}; there are:"
						       : "no such setting here; there are:");
	for (; rows->name; rows++)
		buf_printf(x->error, " %s", rows->name);
	return false;
}

bool policy_map(struct policy_reader *x, const struct yaml_node *map, const struct policy_setting *rows, void *to)
{
	if (map->kind != YAML_MAP)
		return policy_wrong(x, map, map->kind == YAML_LIST ? "wants names and values, not a list" : "wants names and values, not '%.40s'",
			     map->kind == YAML_LIST ? "" : map->text.p);
	for (const struct yaml_node *n = yaml_first(map); n; n = yaml_next(x->p->tree, n)) {
		const struct policy_setting *row = rows;
		while (row->name && !str_eq(n->key, str_of(row->name)))
			row++;
		if (!row->name)
			return unknown_setting(x, n, rows);
		if (!row->take(x, n, to))
			return false;
	}
	for (const struct policy_setting *row = rows; row->name; row++) {
		bool there = !row->required;
		for (const struct yaml_node *n = yaml_first(map); n && !there; n = yaml_next(x->p->tree, n))
			there = str_eq(n->key, str_of(row->name));
		if (!there)
			return policy_wrong(x, map, "'%s' is missing here", row->name);
	}
	return true;
}

bool policy_is_text_of(struct policy_reader *x, const struct yaml_node *n, const struct yaml_node *of)
{
	const struct yaml_node named = { .key = of->key, .line = n->line };

	if (n->kind != YAML_SCALAR)
		return policy_wrong(x, &named, "wants a text");
	if (!n->text.n)
		return policy_wrong(x, &named, "is empty");
	if (yaml_is_ambiguous(n))
		return policy_wrong(x, &named, "'%.40s' can be read in two ways; put it in quotes", n->text.p);
	return true;
}

bool policy_is_text(struct policy_reader *x, const struct yaml_node *n)
{
	return policy_is_text_of(x, n, n);
}

void *policy_keep(struct policy_reader *x, size_t n, size_t size)
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

bool policy_list(struct policy_reader *x, const struct yaml_node *n, struct text_list *ret)
{
	struct policy *p = x->p;
	uint32_t i = 0;

	if (n->kind != YAML_LIST || !n->children)
		return policy_wrong(x, n, "wants a list that is not empty");
	ret->v = policy_keep(x, n->children, sizeof(*ret->v));
	if (!ret->v)
		return policy_wrong(x, n, "out of memory");
	for (const struct yaml_node *c = yaml_first(n); c; c = yaml_next(p->tree, c)) {
		if (!policy_is_text_of(x, c, n))
			return false;
		if (text_list_has(ret, c->text))
			return policy_wrong(x, n, "'%.80s' is here twice", c->text.p);
		ret->v[i++] = c->text;
		ret->n = i;
	}
	return true;
}

bool policy_word(struct policy_reader *x, const struct yaml_node *n, const char *const *words, unsigned *ret)
{
	if (!policy_is_text(x, n))
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

bool policy_span(struct policy_reader *x, const struct yaml_node *n, int64_t max_s, int64_t *ret_s)
{
	int64_t v = 0, unit;
	size_t i = 0;

	if (!policy_is_text(x, n))
		return false;
	for (; i < n->text.n && i < 7 && n->text.p[i] >= '0' && n->text.p[i] <= '9'; i++)
		v = v * 10 + (n->text.p[i] - '0');
	unit = i + 1 != n->text.n || !i ? 0 : n->text.p[i] == 's' ? 1 : n->text.p[i] == 'm' ? 60 : n->text.p[i] == 'h' ? 3600
	     : n->text.p[i] == 'd' ? 86400 : 0;
	if (!unit)
		return policy_wrong(x, n, "'%.40s' is no length of time like 300s, 95m, 29h or 120d", n->text.p);
	if (v * unit > max_s)
		return policy_wrong(x, n, "'%.40s' is longer than %lld seconds, the most there is", n->text.p, (long long)max_s);
	*ret_s = v * unit;
	return true;
}

bool policy_time(struct policy_reader *x, const struct yaml_node *n, int64_t *ret_us)
{
	return policy_is_text(x, n) && (time_parse_rfc3339(n->text, ret_us) ||
				 policy_wrong(x, n, "'%.40s' is no time like 2026-01-06 or 2026-01-06T10:00:00Z", n->text.p));
}

bool policy_hex(struct policy_reader *x, const struct yaml_node *n, size_t digits)
{
	if (n->kind != YAML_SCALAR)
		return policy_wrong(x, n, "wants a text");
	if (n->text.n != digits || strspn(n->text.p, "0123456789abcdef") != digits)
		return policy_wrong(x, n, "wants %zu hexadecimal digits in lower case", digits);
	return true;
}
