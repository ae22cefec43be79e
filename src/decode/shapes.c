/* SPDX-License-Identifier: Apache-2.0 */
/* shapes: a known member is read in whatever shape a pipeline gave it, or the record is flagged.
 *
 *   bag      [{"Name": n, "Value": v}, ...]   {"n": "v"}   {"n": {"NewValue": v, "OldValue": w}}   {"Name": n, "Value": v}
 *            {"Name": [n, ...], "Value": [v, ...]}   {"0": {"Name": n, "Value": v}}   [["n", "v"], ...]
 *            "@{Name=n; Value=v}"   "@{n=v; m=w}"   "n=v; m=w"
 *   list     [{...}, ...]   {...}   {"0": {...}, "1": {...}}   {"$values": [...]}   [[{...}], ...]
 *   object   {...}   [{...}]   {"0": {...}}
 *
 * and each of these as text of JSON, whole or in pieces.  What has none of these shapes sets REC_SHAPE_UNKNOWN: a member is
 * never taken for absent because it looks different.  The hot shapes are walked by their readers; these are the others. */
#include "decode/decode_int.h"

void shape_unknown(struct decoder *d)
{
	d->b.r.flags |= REC_SHAPE_UNKNOWN;
}

static bool is_container(const struct json_index *x, uint32_t v)
{
	char c = v < x->n ? walk_char(x, v) : 0;
	return c == '{' || c == '[';
}

static bool is_nothing(const struct json_index *x, uint32_t v)
{
	char c = walk_char(x, v);
	return c == 'n' || (c == '"' && str_trim(walk_raw_string(x, v)).n == 0)
		|| ((c == '{' || c == '[') && (walk_char(x, v + 1) == '}' || walk_char(x, v + 1) == ']'));
}

static bool is_digits(struct str s)
{
	size_t i = 0;
	while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
		i++;
	return s.n && i == s.n;
}

/* PowerShell 5 writes some lists as {"value": [...], "Count": 2} */
static bool is_count(struct str name)
{
	return str_eq_nocase(name, STR("Count")) || str_eq_nocase(name, STR("_count"));
}

static bool is_any_of(struct str s, const struct str *names)
{
	for (; names->n; names++)
		if (str_eq_nocase(s, *names))
			return true;
	return false;
}

/* text in quotes of its own, as of what was made JSON twice, without them */
static struct str unquoted(struct decoder *d, struct str s)
{
	s = str_trim(s);
	if (s.n < 2 || s.p[0] != '"' || s.p[s.n - 1] != '"')
		return s;
	char *out = arena_take(&d->arena, s.n);
	return out ? walk_unescape((struct str){ s.p + 1, s.n - 2 }, out) : s;
}

/* Text that holds JSON, indexed besides all that is being read, until text_close(). */
static bool text_open(struct decoder *d, struct str text, struct json_index *ret)
{
	text = unquoted(d, text);
	if (!could_be_json(text) || d->texts == SHAPE_DEPTH_MAX)
		return false;
	if (!json_read(d, text, d->indexer[d->level + 2 + d->texts], ret))
		return false;
	d->texts++;
	return true;
}

static void text_close(struct decoder *d)
{
	d->texts--;
}

/* A container where a plain value is expected: ["x"], {"value": "x"}, {"$date": "x"}, {"stringValue": "x"}. */
bool value_inside(struct decoder *d, const struct json_index *x, uint32_t v, struct str *ret)
{
	uint32_t inside = WALK_BAD;
	if (is_nothing(x, v))
		return false;
	if (walk_char(x, v) == '[') {
		if (v + 2 < x->n && walk_char(x, v + 2) == ']')
			inside = v + 1;
	} else {
		struct walk_object o = walk_object(x, v);
		unsigned members = 0;
		for (uint32_t key; (key = walk_next_key(&o)) != WALK_BAD && inside == WALK_BAD; o.next = walk_skip(x, key + 2)) {
			struct str k = key_text(x, key);
			if (!is_container(x, key + 2) && (k.p[0] == '$' || k.p[0] == '#' || str_ends_nocase(k, STR("value"))))
				inside = key + 2;
			members++;
		}
	}
	if (inside != WALK_BAD && !is_container(x, inside))
		return is_nothing(x, inside) ? false : value_text(d, x, inside, ret);
	shape_unknown(d);
	return false;
}

/* -- bags -- */

static const struct str bag_names[] = { { "Name", 4 }, { "displayName", 11 }, { "key", 3 }, { "k", 1 }, { "Property", 8 }, { "PropertyName", 12 },
	{ "Parameter", 9 }, { "ParameterName", 13 }, { "Field", 5 }, { NULL, 0 } };
static const struct str bag_values[] = { { "Value", 5 }, { "NewValue", 8 }, { "#text", 5 }, { "v", 1 }, { "val", 3 }, { NULL, 0 } };

/* A bag's value as text: plain, several plain ones with ";" between them, or the JSON unchanged. */
static void bag_value(struct decoder *d, const struct json_index *x, uint32_t v, struct str *ret)
{
	*ret = STR_NONE;
	if (!is_container(x, v)) {
		value_text(d, x, v, ret);
		return;
	}
	uint32_t end = walk_skip(x, v);
	if (is_nothing(x, v) || end >= WALK_DEEP)
		return;
	*ret = (struct str){ x->p + x->at[v], x->at[end - 1] + 1 - x->at[v] };
	if (walk_char(x, v) != '[')
		return;
	char *out = arena_take(&d->arena, ret->n + 1);
	size_t n = 0;
	if (!out)
		return;
	struct walk_array a = walk_array(x, v);
	for (uint32_t e; (e = walk_next_element(&a)) != WALK_BAD; a.next = e + 1) {
		struct str s = STR_NONE;
		if (is_container(x, e))
			return; /* unchanged */
		if (walk_char(x, e) == 'n' || !value_text(d, x, e, &s))
			continue;
		if (n)
			out[n++] = ';';
		memcpy(out + n, s.p, s.n);
		n += s.n;
	}
	*ret = (struct str){ out, n };
}

struct bag {
	struct decoder *d;
	bag_fn *fn;
	void *arg;
	struct str first; /* first name of the entry before */
	bool names; /* names alone mean something */
	bool alone, given; /* a name alone, and a pair, were there */
	bool odd;   /* a shape that is not known */
};

/* Values that were made JSON twice have quotes of their own: "\"full_access_as_app\"". */
static struct str bare(struct str s)
{
	return s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"' ? (struct str){ s.p + 1, s.n - 2 } : s;
}

static void bag_give(struct bag *b, struct str name, struct str value, struct str old)
{
	b->given = true;
	b->fn(b->d, b->arg, name, bare(value), bare(old));
}

static void bag_walk(struct bag *b, const struct json_index *x, uint32_t v, unsigned depth);

/* The name in "name = value" or "name: value", a word of three letters at least (CN, OU and DC are parts of a value); STR_NONE: no
 * pair. */
static struct str pair_name(struct str pair, struct str *ret_value)
{
	size_t n = 0, sign;
	pair = str_trim(pair);
	while (n < pair.n && !strchr("=: ,;|{}[]()<>\"'", pair.p[n]))
		n++;
	for (sign = n; sign < pair.n && pair.p[sign] == ' '; )
		sign++;
	if (sign == pair.n || (pair.p[sign] != '=' && pair.p[sign] != ':') || n == 0 || (pair.p[sign] == ':' && sign + 1 < pair.n && pair.p[sign + 1] == '/'))
		return STR_NONE;
	*ret_value = str_trim((struct str){ pair.p + sign + 1, pair.n - sign - 1 });
	return (struct str){ pair.p, n };
}

/* the piece of text up to the next such sign; *rest goes after it */
static struct str next_piece(struct str *rest, char sign)
{
	const char *cut = memchr(rest->p, sign, rest->n);
	struct str piece = str_trim((struct str){ rest->p, cut ? (size_t)(cut - rest->p) : rest->n });
	*rest = cut ? (struct str){ cut + 1, rest->n - (size_t)(cut + 1 - rest->p) } : STR_NONE;
	return piece;
}

/* May the text be cut at this sign?  Each piece is a pair, and none holds another one after another sign. */
static bool is_pairs(struct str text, char sign)
{
	static const char signs[] = ";|\n,";
	struct str value, name;
	for (struct str rest = text; rest.n; ) {
		struct str piece = next_piece(&rest, sign);
		if (piece.n && (!(name = pair_name(piece, &value)).n || (name.n < 3 && sign == ',' && piece.p != str_trim(text).p)))
			return false;
		for (const char *other = piece.n ? signs : ""; *other; other++) {
			const char *at = memchr(value.p, *other, value.n);
			struct str inner;
			if (at && pair_name((struct str){ at + 1, value.n - (size_t)(at + 1 - value.p) }, &inner).n > 2)
				return false;
		}
	}
	return true;
}

/* "n=v; m=w", "n: v | m: w", a line a pair, or pairs of Name and Value in it; false: no such text */
static bool bag_pairs(struct bag *b, struct str text)
{
	static const char signs[] = ";|\n,";
	struct str name = STR_NONE, value = STR_NONE, old = STR_NONE;
	const char *sign = signs;
	while (*sign && !is_pairs(text, *sign))
		sign++;
	if (!*sign)
		return false;
	for (struct str rest = text; rest.n; ) {
		struct str right, left = pair_name(next_piece(&rest, *sign), &right), next;
		if (left.n == 0)
			continue;
		if (is_any_of(left, bag_names)) {
			b->odd |= name.n != 0; /* a name without its value */
			name = right;
		} else if (is_any_of(left, bag_values)) {
			value = right;
		} else if (str_eq_nocase(left, STR("OldValue"))) {
			old = right;
		} else {
			bag_give(b, left, right, STR_NONE);
		}
		if (name.n && value.p && !str_eq_nocase(pair_name(rest, &next), STR("OldValue"))) {
			bag_give(b, name, value, old);
			name = value = old = STR_NONE;
		}
	}
	b->odd |= name.n != 0;
	return true;
}

static void bag_text(struct bag *b, struct str s, unsigned depth, bool is_element)
{
	struct json_index x;
	s = str_trim(unquoted(b->d, s));
	if (s.n == 0)
		return;
	if (text_open(b->d, s, &x)) {
		bag_walk(b, &x, 0, depth + 1);
		text_close(b->d);
	} else if (!str_starts(s, STR("<")) && bag_pairs(b, s)) {
		return;
	} else if (is_element && !str_starts(s, STR("System."))) {
		b->alone = true;
		b->fn(b->d, b->arg, s, STR_NONE, STR_NONE); /* ModifiedProperties of item records: names only */
	} else {
		b->odd = true;
	}
}

/* {"Name": [...], "Value": [...]} */
static void bag_parallel(struct bag *b, const struct json_index *x, uint32_t names, uint32_t values)
{
	struct walk_array n = walk_array(x, names), v = walk_array(x, values);
	for (uint32_t a, e; (a = walk_next_element(&n)) != WALK_BAD; n.next = walk_skip(x, a), v.next = walk_skip(x, e)) {
		struct str name = STR_NONE, value;
		if ((e = walk_next_element(&v)) == WALK_BAD) {
			b->odd = true; /* fewer values than names: pairs unknown */
			return;
		}
		value_text(b->d, x, a, &name);
		bag_value(b->d, x, e, &value);
		bag_give(b, name, value, STR_NONE);
	}
	b->odd |= walk_next_element(&v) != WALK_BAD;
}

/* The number after the object.  An entry, or a bag folded to {name: value}. */
static uint32_t bag_object(struct bag *b, const struct json_index *x, uint32_t v, bool is_element, unsigned depth)
{
	uint32_t name = WALK_BAD, value = WALK_BAD, old = WALK_BAD, only = WALK_BAD;
	unsigned members = 0, others = 0, digits = 0;
	struct walk_object o = walk_object(x, v);
	for (uint32_t key; (key = walk_next_key(&o)) != WALK_BAD; o.next = walk_skip(x, key + 2)) {
		struct str k = key_text(x, key);
		if (k.n > 1 && (k.p[0] == '@' || k.p[0] == '_')) { /* XML's attributes */
			k.p++;
			k.n--;
		}
		members++;
		if (is_any_of(k, bag_names) && (!is_container(x, key + 2) || str_eq_nocase(k, bag_names[0]))) {
			name = key + 2;
		} else if (is_any_of(k, bag_values)) {
			value = key + 2;
		} else if (str_eq_nocase(k, STR("OldValue"))) {
			old = key + 2;
		} else if (k.n == 0 || k.p[0] == '$' || str_find(k, STR("odata.")) >= 0 || is_count(k)) {
			members--;
			if (str_eq_nocase(k, STR("$values")))
				only = key + 2;
		} else {
			others++;
			only = key + 2;
			digits += is_digits(k) && is_container(x, key + 2);
		}
	}
	if (o.next >= WALK_DEEP) {
		b->odd = true;
		return o.next;
	}
	if (name == WALK_BAD && value != WALK_BAD && others == 0 && !is_element && is_container(x, value)) {
		bag_walk(b, x, value, depth + 1); /* {"value": [...], "Count": 2} */
	} else if (name != WALK_BAD && value != WALK_BAD && walk_char(x, name) == '[' && walk_char(x, value) == '[') {
		bag_parallel(b, x, name, value);
	} else if (name != WALK_BAD && !is_container(x, name) && (others == 0 || (is_element && (value != WALK_BAD || old != WALK_BAD)))
		&& (is_element || value != WALK_BAD || old != WALK_BAD)) {
		struct str n = STR_NONE, w = STR_NONE, u = STR_NONE;
		value_text(b->d, x, name, &n);
		if (value != WALK_BAD)
			bag_value(b->d, x, value, &w);
		if (old != WALK_BAD)
			bag_value(b->d, x, old, &u);
		if (n.n)
			bag_give(b, n, w, u);
	} else if (is_element && name == WALK_BAD && value != WALK_BAD && others == 0) {
		b->odd = true; /* a value without a name */
	} else if (is_element && name == WALK_BAD && others > 1 && b->first.n && str_eq_nocase(key_text(x, v + 1), b->first)) {
		b->odd = true; /* entries under names that are not known */
	} else if ((members == 1 || (members == 0 && only != WALK_BAD)) && only != WALK_BAD && is_container(x, only)
		&& (walk_char(x, only) == '[' ? is_container(x, only + 1) : digits)) {
		bag_walk(b, x, only, depth + 1); /* {"Property": [...]}, {"0": {...}} */
	} else if (members && digits == members) {
		struct walk_object each = walk_object(x, v);
		for (uint32_t key; (key = walk_next_key(&each)) != WALK_BAD; each.next = walk_skip(x, key + 2))
			bag_walk(b, x, key + 2, depth + 1);
	} else {
		struct walk_object each = walk_object(x, v);
		for (uint32_t key; (key = walk_next_key(&each)) != WALK_BAD; each.next = walk_skip(x, key + 2)) {
			struct str w = STR_NONE, u = STR_NONE, k = walk_raw_string(x, key);
			if (k.n && k.p[0] != '$' && str_find(k, STR("odata.")) < 0)
				value_text(b->d, x, key, &k); /* (unescaped) */
			else
				continue;
			uint32_t inner = key + 2;
			if (walk_char(x, inner) == '{') {
				uint32_t m = object_member(x, inner, STR("NewValue")), p = object_member(x, inner, STR("OldValue"));
				m = m != WALK_BAD ? m : object_member(x, inner, STR("Value"));
				if (m != WALK_BAD || p != WALK_BAD) {
					inner = m;
					if (p != WALK_BAD)
						bag_value(b->d, x, p, &u);
				}
			}
			if (inner != WALK_BAD)
				bag_value(b->d, x, inner, &w);
			bag_give(b, k, w, u);
		}
	}
	return o.next;
}

static void bag_walk(struct bag *b, const struct json_index *x, uint32_t v, unsigned depth)
{
	char c = v < x->n ? walk_char(x, v) : 0;
	struct str s;
	if (depth > SHAPE_DEPTH_MAX || !c) {
		b->odd = true;
	} else if (c == '{') {
		bag_object(b, x, v, false, depth);
	} else if (c == '"') {
		if (value_text(b->d, x, v, &s))
			bag_text(b, s, depth, false);
	} else if (c == '[') {
		struct walk_array a = walk_array(x, v);
		b->first = STR_NONE;
		for (uint32_t e; (e = walk_next_element(&a)) != WALK_BAD; ) {
			c = walk_char(x, e);
			a.next = c == '{' ? bag_object(b, x, e, true, depth) : walk_skip(x, e);
			b->first = c == '{' && walk_char(x, e + 1) == '"' ? key_text(x, e + 1) : STR_NONE;
			if (c == '"') {
				if (value_text(b->d, x, e, &s))
					bag_text(b, s, depth, true);
			} else if (c == '[') {
				uint32_t name = e + 1, value = e + 3;
				if (a.next < WALK_DEEP && walk_char(x, name) == '"' && e + 2 < x->n && walk_char(x, e + 2) == ','
					&& walk_skip(x, value) + 1 == a.next) {
					struct str n = STR_NONE;
					value_text(b->d, x, name, &n);
					bag_value(b->d, x, value, &s);
					bag_give(b, n, s, STR_NONE);
				} else {
					bag_walk(b, x, e, depth + 1);
				}
			} else if (c != '{' && c != 'n') {
				b->odd = true;
			}
		}
		b->odd |= a.next >= WALK_DEEP;
	} else if (c != 'n') {
		b->odd = true;
	}
}

static bool bag_begin(struct decoder *d, const struct json_index *x, uint32_t v, bag_fn *fn, void *arg, bool names)
{
	struct bag b = { .d = d, .fn = fn, .arg = arg, .names = names };
	bag_walk(&b, x, v, 0);
	b.odd |= b.alone && !b.given && !names; /* ["n", "v"] */
	if (b.odd)
		shape_unknown(d);
	return !b.odd;
}

bool bag_each_value(struct decoder *d, const struct json_index *x, uint32_t v, bag_fn *fn, void *arg)
{
	return bag_begin(d, x, v, fn, arg, false);
}

bool bag_each(struct decoder *d, const struct fields *f, enum field x, bag_fn *fn, void *arg)
{
	struct json_index index;
	uint32_t v;
	struct str s;
	if (get_nested(d, f, x, &index, &v))
		return bag_begin(d, &index, v, fn, arg, x == F_ModifiedProperties);
	if (!get_text(d, f, x, &s))
		return true;
	struct bag b = { .d = d, .fn = fn, .arg = arg };
	bag_text(&b, s, 1, false);
	if (b.odd)
		shape_unknown(d);
	return !b.odd;
}

struct wanted {
	const struct str *names;
	struct str *ret;
	unsigned count;
};

static void take_wanted(struct decoder *d, void *arg, struct str name, struct str value, struct str old)
{
	const struct wanted *w = arg;
	(void)d;
	(void)old;
	for (unsigned i = 0; i < w->count; i++)
		if (!w->ret[i].n && str_eq_nocase(name, w->names[i]))
			w->ret[i] = value;
}

void bag_get(struct decoder *d, const struct fields *f, enum field x, const struct str *names, struct str *ret, unsigned count)
{
	struct wanted w = { names, ret, count };
	for (unsigned i = 0; i < count; i++)
		ret[i] = STR_NONE;
	bag_each(d, f, x, take_wanted, &w);
}

/* -- lists and objects -- */

/* a list or an object, also as text */
static bool is_nested(const struct json_index *x, uint32_t v)
{
	struct str s = walk_char(x, v) == '"' ? str_trim(walk_raw_string(x, v)) : STR_NONE;
	return is_container(x, v) || could_be_json(s);
}

/* a member of a known name, and not a list of plain values: {"Id": ["a", "b"], "SizeInBytes": [1, 2]} is no element */
static bool has_known(const struct json_index *x, uint32_t v, const struct str *known)
{
	struct walk_object o = walk_object(x, v);
	for (uint32_t key; (key = walk_next_key(&o)) != WALK_BAD; o.next = walk_skip(x, key + 2))
		if (is_any_of(key_text(x, key), known)
			&& (walk_char(x, key + 2) != '[' || is_nothing(x, key + 2) || is_nested(x, key + 3)))
			return true;
	return false;
}

/* fn() for each object in v that has a member of a known name; the number of them */
static unsigned each_in(struct decoder *d, const struct json_index *x, uint32_t v, const struct str *known, element_fn *fn, void *arg,
	unsigned depth, bool *odd)
{
	char c = v < x->n ? walk_char(x, v) : 0;
	struct json_index text;
	struct str s;
	unsigned n = 0;
	if (depth > SHAPE_DEPTH_MAX) {
		*odd = true;
	} else if (c == '[') {
		struct walk_array a = walk_array(x, v);
		for (uint32_t e; (e = walk_next_element(&a)) != WALK_BAD; a.next = walk_skip(x, e))
			n += each_in(d, x, e, known, fn, arg, depth + 1, odd);
		*odd |= a.next >= WALK_DEEP;
	} else if (c == '{' && has_known(x, v, known)) {
		*odd |= fn(d, x, v, arg) >= WALK_DEEP;
		n++;
	} else if (c == '{') { /* {"0": {...}}, {"$values": [...]}, {"Inbox": {...}} */
		struct walk_object o = walk_object(x, v);
		for (uint32_t key; (key = walk_next_key(&o)) != WALK_BAD; o.next = walk_skip(x, key + 2)) {
			struct str k = key_text(x, key);
			if (!is_count(k) && (!k.n || k.p[0] != '$' || str_eq(k, STR("$values"))))
				n += each_in(d, x, key + 2, known, fn, arg, depth + 1, odd);
		}
		*odd |= o.next >= WALK_DEEP;
	} else if (c == '"') {
		if (value_text(d, x, v, &s)) {
			if (text_open(d, s, &text)) {
				n = each_in(d, &text, 0, known, fn, arg, depth + 1, odd);
				text_close(d);
			} else {
				*odd = true;
			}
		}
	} else if (c != 'n') {
		*odd = true;
	}
	return n;
}

bool each_slowly(struct decoder *d, const struct json_index *x, uint32_t v, const struct str *known, element_fn *fn, void *arg)
{
	bool odd = false;
	each_in(d, x, v, known, fn, arg, 1, &odd);
	if (odd)
		shape_unknown(d);
	return !odd;
}

bool each_object(struct decoder *d, const struct fields *f, enum field x, const struct str *known, element_fn *fn, void *arg)
{
	struct json_index index;
	uint32_t v;
	if (!field_has(f, x))
		return true;
	if (get_nested(d, f, x, &index, &v))
		return each_slowly(d, &index, v, known, fn, arg);
	struct str s;
	struct json_index text;
	bool good = true;
	if (!get_text(d, f, x, &s) || str_trim(s).n == 0)
		return true;
	if (!text_open(d, s, &text)) {
		shape_unknown(d);
		return false;
	}
	good = each_slowly(d, &text, 0, known, fn, arg);
	text_close(d);
	return good;
}

struct found {
	struct json_index x;
	uint32_t v;
	unsigned count;
};

static uint32_t take_found(struct decoder *d, const struct json_index *x, uint32_t v, void *arg)
{
	struct found *f = arg;
	(void)d;
	if (f->count++ == 0) {
		f->x = *x;
		f->v = v;
	}
	return v;
}

bool get_object_in(struct decoder *d, struct json_index *x, uint32_t *v, const struct str *known)
{
	struct found found = { .v = WALK_BAD };
	if (*v < x->n && walk_char(x, *v) == '{' && has_known(x, *v, known))
		return true;
	each_slowly(d, x, *v, known, take_found, &found);
	if (found.count > 1)
		shape_unknown(d); /* several: ambiguous */
	*x = found.x;
	*v = found.v;
	return found.count > 0;
}

bool get_object(struct decoder *d, const struct fields *f, enum field x, const struct str *known, struct json_index *ret_x, uint32_t *ret_v)
{
	if (!field_has(f, x))
		return false;
	if (get_nested(d, f, x, ret_x, ret_v))
		return get_object_in(d, ret_x, ret_v, known);
	struct str s;
	if (!get_text(d, f, x, &s) || str_trim(s).n == 0)
		return false;
	if (text_open(d, s, ret_x)) {
		text_close(d);
		*ret_v = 0;
		return get_object_in(d, ret_x, ret_v, known);
	}
	shape_unknown(d);
	return false;
}
