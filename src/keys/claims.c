/* SPDX-License-Identifier: Apache-2.0 */
/* claims: each test is a small function of a node and the values of a rule. */
#include "keys/claims.h"

#include <stdio.h>

#define PATH_BYTES 120

static bool is_inside_character(char c) { return ((uint8_t)c & 0xc0) == 0x80; }

bool claim_pattern_matches(struct str pattern, struct str text)
{
	size_t p = 0, t = 0, star = SIZE_MAX, from = 0; /* where the last star is, and what it has taken up to */

	while (t < text.n) {
		const bool escaped = p + 1 < pattern.n && pattern.p[p] == '\\';
		if (p < pattern.n && pattern.p[p] == '*') {
			star = p++;
			from = t;
		} else if (p < pattern.n && pattern.p[p] == '?') {
			p++;
			do
				t++;
			while (t < text.n && is_inside_character(text.p[t]));
		} else if (p < pattern.n && pattern.p[p + escaped] == text.p[t]) {
			p += 1 + (size_t)escaped;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			t = ++from;
		} else {
			return false;
		}
	}
	while (p < pattern.n && pattern.p[p] == '*')
		p++;
	return p == pattern.n;
}

static bool equals(const struct sj_node *n, const struct claim_value *v)
{
	return n->kind == v->kind && (v->kind == SJ_TRUE || v->kind == SJ_FALSE || str_eq(n->value, v->text));
}

/* A word of a text with blanks between them (OAuth's scope), or an element of a list. */
static bool contains(const struct strict_json *j, const struct sj_node *n, const struct claim_value *v)
{
	if (n->kind == SJ_ARRAY) {
		for (const struct sj_node *c = sj_first(j, n); c; c = sj_next(j, c))
			if (equals(c, v))
				return true;
		return false;
	}
	if (n->kind != SJ_STRING || v->kind != SJ_STRING)
		return false;
	for (size_t i = 0, k; i < n->value.n; i = k + 1) {
		for (k = i; k < n->value.n && n->value.p[k] != ' '; k++)
			;
		if (str_eq((struct str){ n->value.p + i, k - i }, v->text))
			return true;
	}
	return false;
}

static bool holds(const struct claim_rule *r, const struct strict_json *j, const struct sj_node *n)
{
	if (!n || r->test == CLAIM_TEST_ABSENT)
		return !n && r->test == CLAIM_TEST_ABSENT;
	if (r->test == CLAIM_TEST_PRESENT)
		return n->kind != SJ_NULL;
	for (uint32_t i = 0; i < r->n; i++) {
		const bool one = r->test == CLAIM_TEST_EQUALS ? equals(n, &r->v[i])
			       : r->test == CLAIM_TEST_PATTERN ? n->kind == SJ_STRING && claim_pattern_matches(r->v[i].text, n->value)
							       : contains(j, n, &r->v[i]);
		if (one != (r->test == CLAIM_TEST_CONTAINS))
			return one;
	}
	return r->test == CLAIM_TEST_CONTAINS;
}

static const char *kind_name(int kind)
{
	static const char *const names[] = { "null", "false", "true", "a number", "a text", "an object", "a list" };
	return names[kind];
}

/* "claim 'sub' is 'x'; the record wants it like 'repo:acme/' and more" */
static void say(const struct claim_rule *r, const char *path, const struct sj_node *n, char *out, size_t room)
{
	static const char *const wants[] = { "", "like ", "with ", "absent", "present", "an object" };
	const struct claim_value *v = r->n ? &r->v[0] : NULL;
	const bool is_text = v && v->kind == SJ_STRING, other_type = n && is_text && n->kind != SJ_STRING && n->kind != SJ_ARRAY;
	const bool quotes = n && (n->kind == SJ_STRING || n->kind == SJ_NUMBER);
	char want[140], have[140];

	snprintf(want, sizeof(want), "%s%s%.*s%s%s", wants[r->test], is_text ? "'" : "", v ? (int)(v->text.n > 80 ? 80 : v->text.n) : 0,
		 v ? v->text.p : "", is_text ? "'" : "", r->n > 1 ? r->test == CLAIM_TEST_CONTAINS ? " and others" : " or others" : "");
	if (quotes)
		snprintf(have, sizeof(have), "%s'%.*s'", n->kind == SJ_NUMBER ? "the number " : "", (int)(n->value.n > 80 ? 80 : n->value.n), n->value.p);
	else
		snprintf(have, sizeof(have), "%s", n ? kind_name(n->kind) : "");
	if (!n)
		snprintf(out, room, "no claim '%s'; the record wants it %s", path, want);
	else
		snprintf(out, room, "claim '%s' is %s; the record wants it %s%s", path, have, want, other_type ? ", a text" : "");
}

static void check(const struct claim_rule *rules, uint32_t n, const struct strict_json *j, const struct sj_node *object, const char *path,
		  void (*wrong)(void *arg, const char *text), void *arg)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct claim_rule *r = &rules[i];
		const struct sj_node *node = object && object->kind == SJ_OBJECT ? sj_member(j, object, r->name) : NULL;
		char name[PATH_BYTES], text[500];

		snprintf(name, sizeof(name), "%s%s%.*s", path, *path ? " / " : "", (int)(r->name.n > 60 ? 60 : r->name.n), r->name.p);
		if (r->test == CLAIM_TEST_WITHIN && node && node->kind == SJ_OBJECT) {
			check(r->within, r->within_n, j, node, name, wrong, arg);
		} else if (r->test == CLAIM_TEST_WITHIN && !node) { /* what wants only absence is content with that */
			check(r->within, r->within_n, j, NULL, name, wrong, arg);
		} else if (r->test == CLAIM_TEST_WITHIN || !holds(r, j, node)) {
			say(r, name, node, text, sizeof(text));
			wrong(arg, text);
		}
	}
}

void claims_check(const struct claim_rule *rules, uint32_t n, const struct strict_json *j, const struct sj_node *object,
		  void (*wrong)(void *arg, const char *text), void *arg)
{
	check(rules, n, j, object, "", wrong, arg);
}
