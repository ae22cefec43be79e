/* SPDX-License-Identifier: Apache-2.0 */
/* values: one member as text, number, boolean, GUID, time or nested value, from whatever the exporter made of it:
 * numbers as strings or floats, booleans as "True" or 1, JSON as text, lists as "@{Name=...}" wreckage. */
#include "decode/decode_int.h"

#include "base/truth.h"

bool value_text(struct decoder *d, const struct json_index *x, uint32_t v, struct str *ret)
{
	if (v >= x->n)
		return false;
	char c = walk_char(x, v);
	if (c == '"') {
		struct str raw = walk_raw_string(x, v);
		if (!raw.p || raw.n == 0)
			return false;
		if (has_escape(raw)) {
			char *plain = arena_take(&d->arena, raw.n);
			if (!plain)
				return false;
			raw = walk_unescape(raw, plain);
		}
		*ret = raw;
		return raw.n != 0;
	}
	if (c == 'n')
		return false;
	if (c == '{' || c == '[')
		return value_inside(d, x, v, ret);
	*ret = walk_bare(x, v);
	return ret->n != 0;
}

bool get_text_slowly(struct decoder *d, const struct fields *f, enum field x, struct str *ret)
{
	if (f->is_row) {
		*ret = f->cell[x];
		return true;
	}
	return value_text(d, &f->d, f->v[x], ret);
}

/* 123, "123", 123456.00, "-1" */
bool parse_int(struct str s, int64_t *ret)
{
	s = str_trim(s);
	bool negative = s.n && s.p[0] == '-';
	size_t i = negative;
	int64_t v = 0;
	if (i == s.n)
		return false;
	for (; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++) {
		if (i - negative == 18)
			return false; /* no count has 19 digits */
		v = v * 10 + (s.p[i] - '0');
	}
	if (i == (size_t)negative)
		return false;
	if (i < s.n && s.p[i] == '.') {
		for (i++; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++)
			;
	}
	if (i != s.n)
		return false;
	*ret = negative ? -v : v;
	return true;
}

bool parse_bool(struct str s, bool *ret)
{
	const enum truth t = truth_of(s);
	if (t == TRUTH_ODD)
		return false;
	*ret = t == TRUTH_YES;
	return true;
}

bool get_int(struct decoder *d, const struct fields *f, enum field x, int64_t *ret)
{
	struct str s;
	return get_text(d, f, x, &s) && parse_int(s, ret);
}

bool get_bool(struct decoder *d, const struct fields *f, enum field x, bool *ret)
{
	struct str s;
	return get_text(d, f, x, &s) && parse_bool(s, ret);
}

bool guid_is_zero(const uint8_t g[16])
{
	uint64_t a, b;
	memcpy(&a, g, 8);
	memcpy(&b, g + 8, 8);
	return (a | b) == 0;
}

bool get_guid(struct decoder *d, const struct fields *f, enum field x, uint8_t ret[16])
{
	struct str s;
	return get_text(d, f, x, &s) && guid_parse(str_trim(s), ret) && !guid_is_zero(ret);
}

bool get_time(struct decoder *d, const struct fields *f, enum field x, int64_t *ret_us)
{
	struct str s;
	return get_text(d, f, x, &s) && text_time(d, f, x, str_trim(s), ret_us);
}

bool get_nested(struct decoder *d, const struct fields *f, enum field x, struct json_index *ret_x, uint32_t *ret_v)
{
	if (!field_has(f, x))
		return false;
	if (!f->is_row) {
		char c = walk_char(&f->d, f->v[x]);
		if (c == '{' || c == '[') {
			*ret_x = f->d;
			*ret_v = f->v[x];
			return true;
		}
	}
	struct str text;
	if (!get_text(d, f, x, &text))
		return false;
	text = str_trim(text);
	/* (one level more than a record can be deep: the lists of the innermost record) */
	if (!could_be_json(text) || d->level > UNWRAP_DEPTH_MAX)
		return false;
	if (!json_read(d, text, d->indexer[d->level + 1], ret_x))
		return false;
	*ret_v = 0;
	return true;
}

uint32_t object_member(const struct json_index *x, uint32_t v, struct str name)
{
	if (v >= x->n || walk_char(x, v) != '{')
		return WALK_BAD;
	struct walk_object o = walk_object(x, v);
	for (uint32_t key; (key = walk_next_key(&o)) != WALK_BAD; o.next = walk_skip(x, key + 2))
		if (str_eq_nocase(key_text(x, key), name))
			return key + 2;
	return WALK_BAD;
}

/* "@{Name=MailAccessType; Value=Bind}": one member of what PowerShell makes of an object that it will not unfold.  Pairs
 * come in any order; a value runs to "; " or to the closing brace. */
bool wreck_get(struct str text, struct str name, struct str *ret)
{
	text = str_trim(text);
	if (!str_starts(text, STR("@{")))
		return false;
	text.p += 2;
	text.n -= 2;
	if (text.n && text.p[text.n - 1] == '}')
		text.n--;
	while (text.n) {
		ptrdiff_t cut = str_find(text, STR("; "));
		struct str pair = { text.p, cut < 0 ? text.n : (size_t)cut };
		if (pair.n > name.n && pair.p[name.n] == '=' && str_eq_nocase((struct str){ pair.p, name.n }, name)) {
			*ret = (struct str){ pair.p + name.n + 1, pair.n - name.n - 1 };
			return true;
		}
		if (cut < 0)
			break;
		text.p += cut + 2;
		text.n -= (size_t)cut + 2;
	}
	return false;
}
