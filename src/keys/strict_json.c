/* SPDX-License-Identifier: Apache-2.0 */
/* strict_json: the walk (keys/strict_json.h says why strict).  One pass over the text with a stack of at most
 * SJ_DEPTH_MAX open brackets, no recursion.  Nodes are in one array, a parent before its children; a string without a
 * backslash is a view into the text, any other is unescaped into one buffer that was given its full size before, so that
 * it never moves.  Names are compared within their object only when a 64-bit mark of (length, ends) has been seen there
 * before, so a hundred members cost a hundred looks, and the ceiling on members bounds the rest. */
#include "keys/strict_json.h"

#include <stdlib.h>

#include "base/limits.h"

struct open {
	uint32_t node;   /* index */
	uint32_t last;   /* index of its last child; 0 = none */
	uint64_t marks;  /* of names seen */
};

struct parse {
	struct strict_json *j;
	const char *p, *end;
	struct open stack[SJ_DEPTH_MAX];
	uint32_t depth;
	enum sj_error error;
};

const char *sj_error_text(enum sj_error e)
{
	switch (e) {
	case SJ_OK: return "is fine";
	case SJ_EMPTY: return "is empty";
	case SJ_TOO_LONG: return "is too long";
	case SJ_BOM: return "begins with a byte order mark";
	case SJ_UTF8: return "is not UTF-8";
	case SJ_ZERO: return "contains U+0000";
	case SJ_SURROGATE: return "contains half a surrogate pair";
	case SJ_CONTROL: return "contains a raw control character in a string";
	case SJ_SYNTAX: return "is not JSON";
	case SJ_TRAILING: return "has something after its end";
	case SJ_DEPTH: return "is nested too deeply";
	case SJ_MEMBERS: return "has too many members";
	case SJ_NO_MEMORY: return "found no memory";
	}
	return "is not JSON";
}

void sj_init(struct strict_json *j, const struct sj_limits *limits, const char *const *registered)
{
	*j = (struct strict_json){ .limits = limits, .registered = registered };
	buf_init(&j->unescaped, limits->bytes);
}

void sj_release(struct strict_json *j)
{
	free(j->nodes);
	j->nodes = NULL;
	j->n = j->capacity = 0;
	buf_release(&j->unescaped);
}

/* -- UTF-8 -- */

/* length of the well-formed sequence at p (Unicode table 3-7), or 0 */
static size_t utf8_sequence(const uint8_t *p, size_t n)
{
	const uint8_t a = p[0];
	uint8_t low = 0x80, high = 0xbf;
	size_t need;

	if (a < 0x80)
		return 1;
	if (a >= 0xc2 && a <= 0xdf)
		need = 2;
	else if (a >= 0xe0 && a <= 0xef)
		need = 3;
	else if (a >= 0xf0 && a <= 0xf4)
		need = 4;
	else
		return 0;
	if (n < need)
		return 0;
	if (a == 0xe0)
		low = 0xa0;
	else if (a == 0xed)
		high = 0x9f;
	else if (a == 0xf0)
		low = 0x90;
	else if (a == 0xf4)
		high = 0x8f;
	if (p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < need; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return need;
}

static bool utf8_valid(struct str s, size_t *ret_at)
{
	const uint8_t *p = (const uint8_t *)s.p;
	size_t i = 0, k;
	uint64_t w;

	while (i < s.n) {
		if (s.n - i >= 8) {
			memcpy(&w, p + i, 8);
			if (!(w & UINT64_C(0x8080808080808080))) {
				i += 8;
				continue;
			}
		}
		k = utf8_sequence(p + i, s.n - i);
		if (!k) {
			*ret_at = i;
			return false;
		}
		i += k;
	}
	return true;
}

/* -- strings -- */

static bool fail(struct parse *x, enum sj_error e)
{
	if (!x->error)
		x->error = e;
	return false;
}

static bool hex4(struct parse *x, unsigned *ret)
{
	unsigned v = 0;

	if (x->end - x->p < 4)
		return fail(x, SJ_SYNTAX);
	for (int i = 0; i < 4; i++, x->p++) {
		const char c = *x->p, l = ascii_lower(c);
		if (c >= '0' && c <= '9')
			v = v << 4 | (unsigned)(c - '0');
		else if (l >= 'a' && l <= 'f')
			v = v << 4 | (unsigned)(l - 'a' + 10);
		else
			return fail(x, SJ_SYNTAX);
	}
	*ret = v;
	return true;
}

static void add_code_point(struct buf *b, unsigned c)
{
	char out[4];
	size_t n = 0;

	if (c < 0x80) {
		out[n++] = (char)c;
	} else if (c < 0x800) {
		out[n++] = (char)(0xc0 | c >> 6);
	} else if (c < 0x10000) {
		out[n++] = (char)(0xe0 | c >> 12);
		out[n++] = (char)(0x80 | (c >> 6 & 63));
	} else {
		out[n++] = (char)(0xf0 | c >> 18);
		out[n++] = (char)(0x80 | (c >> 12 & 63));
		out[n++] = (char)(0x80 | (c >> 6 & 63));
	}
	if (c >= 0x80)
		out[n++] = (char)(0x80 | (c & 63));
	buf_add(b, out, n);
}

/* after "\u" */
static bool take_unicode_escape(struct parse *x, struct buf *b)
{
	unsigned c, d;

	if (!hex4(x, &c))
		return false;
	if (c == 0)
		return fail(x, SJ_ZERO);
	if (c >= 0xdc00 && c <= 0xdfff)
		return fail(x, SJ_SURROGATE);
	if (c >= 0xd800 && c <= 0xdbff) {
		if (x->end - x->p < 6 || x->p[0] != '\\' || x->p[1] != 'u')
			return fail(x, SJ_SURROGATE);
		x->p += 2;
		if (!hex4(x, &d))
			return false;
		if (d < 0xdc00 || d > 0xdfff)
			return fail(x, SJ_SURROGATE);
		c = 0x10000 + ((c - 0xd800) << 10) + (d - 0xdc00);
	}
	add_code_point(b, c);
	return true;
}

static bool take_escape(struct parse *x, struct buf *b)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *hit;

	if (x->p == x->end)
		return fail(x, SJ_SYNTAX);
	if (*x->p == 'u') {
		x->p++;
		return take_unicode_escape(x, b);
	}
	hit = memchr(from, *x->p, sizeof(from) - 1);
	if (!hit)
		return fail(x, SJ_SYNTAX);
	buf_add_char(b, to[hit - from]);
	x->p++;
	return true;
}

/* x->p is just past the opening quote; afterwards just past the closing one */
static bool take_string(struct parse *x, struct str *ret)
{
	const char *start = x->p;
	struct buf *b = &x->j->unescaped;
	size_t from;

	while (x->p < x->end && *x->p != '"' && *x->p != '\\' && (uint8_t)*x->p >= 0x20)
		x->p++;
	if (x->p < x->end && *x->p == '"') {
		*ret = (struct str){ start, (size_t)(x->p++ - start) };
		return true;
	}
	if (!b->p && !buf_reserve(b, x->j->text.n)) /* an unescaped string is never longer: it will not move */
		return fail(x, SJ_NO_MEMORY);
	from = b->n;
	buf_add(b, start, (size_t)(x->p - start));
	while (x->p < x->end) {
		const char c = *x->p++;
		if (c == '"') {
			if (buf_failed(b))
				return fail(x, SJ_NO_MEMORY);
			*ret = (struct str){ b->p + from, b->n - from };
			return true;
		}
		if ((uint8_t)c < 0x20)
			return fail(x, c ? SJ_CONTROL : SJ_ZERO);
		if (c != '\\')
			buf_add_char(b, c);
		else if (!take_escape(x, b))
			return false;
	}
	return fail(x, SJ_SYNTAX);
}

/* -- numbers and words -- */

static bool digits(struct parse *x)
{
	const char *start = x->p;

	while (x->p < x->end && *x->p >= '0' && *x->p <= '9')
		x->p++;
	return x->p > start;
}

static bool take_number(struct parse *x)
{
	if (x->p < x->end && *x->p == '-')
		x->p++;
	if (x->p < x->end && *x->p == '0')
		x->p++;
	else if (!digits(x))
		return fail(x, SJ_SYNTAX);
	if (x->p < x->end && *x->p == '.') {
		x->p++;
		if (!digits(x))
			return fail(x, SJ_SYNTAX);
	}
	if (x->p < x->end && (*x->p == 'e' || *x->p == 'E')) {
		x->p++;
		if (x->p < x->end && (*x->p == '+' || *x->p == '-'))
			x->p++;
		if (!digits(x))
			return fail(x, SJ_SYNTAX);
	}
	return true;
}

static bool take_word(struct parse *x, const char *word, size_t n)
{
	if ((size_t)(x->end - x->p) < n || memcmp(x->p, word, n) != 0)
		return fail(x, SJ_SYNTAX);
	x->p += n;
	return true;
}

/* -- the tree -- */

static void skip_blanks(struct parse *x)
{
	while (x->p < x->end && (*x->p == ' ' || *x->p == '\t' || *x->p == '\n' || *x->p == '\r'))
		x->p++;
}

static bool is_registered(const struct strict_json *j, struct str name)
{
	for (const char *const *r = j->registered; r && *r; r++)
		if (str_eq_nocase(name, str_of(*r)))
			return true;
	return false;
}

/* Compares the name of node `at`, the newest member, with those before it. */
static void find_duplicate(struct parse *x, struct open *o, uint32_t at)
{
	struct strict_json *j = x->j;
	struct sj_node *n = &j->nodes[at];
	const struct str k = n->key;
	const unsigned ends = k.n ? (unsigned)(ascii_lower(k.p[0]) * 31 + ascii_lower(k.p[k.n - 1])) : 0;
	const uint64_t mark = UINT64_C(1) << ((ends * 7 + k.n) & 63);

	if (o->marks & mark)
		for (uint32_t i = o->node + 1; i != at; i = j->nodes[i].next) {
			const struct str other = j->nodes[i].key;
			if (other.n != k.n || !str_eq_nocase(other, k))
				continue;
			if (str_eq(other, k))
				n->duplicate = true;
			else if (is_registered(j, k))
				n->case_duplicate = true;
		}
	o->marks |= mark;
	if ((n->duplicate || n->case_duplicate) && !j->first_duplicate)
		j->first_duplicate = at;
}

/* A new node below the innermost open bracket. */
static bool add_node(struct parse *x, struct str key, bool is_member, uint32_t *ret)
{
	struct strict_json *j = x->j;
	struct open *o = x->depth ? &x->stack[x->depth - 1] : NULL;

	if (j->n >= j->limits->nodes)
		return fail(x, SJ_MEMBERS);
	if (j->n == j->capacity) {
		const uint32_t capacity = j->capacity ? 2 * j->capacity : 64;
		struct sj_node *grown = realloc(j->nodes, capacity * sizeof(*grown));
		if (!grown)
			return fail(x, SJ_NO_MEMORY);
		j->nodes = grown;
		j->capacity = capacity;
	}
	*ret = j->n++;
	j->nodes[*ret] = (struct sj_node){ .key = key };
	if (!o)
		return true;
	if (++j->nodes[o->node].children > j->limits->object_members && is_member)
		return fail(x, SJ_MEMBERS);
	if (o->last)
		j->nodes[o->last].next = *ret;
	o->last = *ret;
	if (is_member)
		find_duplicate(x, o, *ret);
	return true;
}

/* The value at x->p into node `at`.  An object or array is only opened. */
static bool take_value(struct parse *x, uint32_t at)
{
	const char *start = x->p;
	struct str text = STR_NONE;
	enum sj_kind kind;
	bool ok = true;

	if (x->p == x->end)
		return fail(x, SJ_SYNTAX);
	switch (*x->p) {
	case '{':
	case '[':
		kind = *x->p == '{' ? SJ_OBJECT : SJ_ARRAY;
		if (x->depth >= x->j->limits->depth || x->depth >= SJ_DEPTH_MAX)
			return fail(x, SJ_DEPTH);
		x->stack[x->depth++] = (struct open){ .node = at };
		x->p++;
		break;
	case '"':
		kind = SJ_STRING;
		x->p++;
		ok = take_string(x, &text);
		break;
	case 't':
		kind = SJ_TRUE;
		ok = take_word(x, "true", 4);
		break;
	case 'f':
		kind = SJ_FALSE;
		ok = take_word(x, "false", 5);
		break;
	case 'n':
		kind = SJ_NULL;
		ok = take_word(x, "null", 4);
		break;
	default:
		kind = SJ_NUMBER;
		ok = take_number(x);
	}
	x->j->nodes[at].kind = (uint8_t)kind;
	x->j->nodes[at].raw = (struct str){ start, (size_t)(x->p - start) };
	x->j->nodes[at].value = kind == SJ_STRING ? text : x->j->nodes[at].raw;
	return ok;
}

/* The name and colon of a member; x->p is at the quote. */
static bool take_name(struct parse *x, struct str *ret)
{
	if (x->p == x->end || *x->p != '"')
		return fail(x, SJ_SYNTAX);
	x->p++;
	if (!take_string(x, ret))
		return false;
	skip_blanks(x);
	if (x->p == x->end || *x->p != ':')
		return fail(x, SJ_SYNTAX);
	x->p++;
	skip_blanks(x);
	return true;
}

static void close_bracket(struct parse *x)
{
	struct sj_node *n = &x->j->nodes[x->stack[--x->depth].node];

	x->p++;
	n->raw.n = (size_t)(x->p - n->raw.p);
	n->value = n->raw;
}

/* One step inside the innermost bracket: its end, or its next value. */
static bool step(struct parse *x)
{
	const struct open *o = &x->stack[x->depth - 1];
	const bool is_object = x->j->nodes[o->node].kind == SJ_OBJECT;
	struct str key = STR_NONE;
	uint32_t at;

	skip_blanks(x);
	if (x->p == x->end)
		return fail(x, SJ_SYNTAX);
	if (*x->p == (is_object ? '}' : ']')) {
		close_bracket(x);
		return true;
	}
	if (o->last) {
		if (*x->p != ',')
			return fail(x, SJ_SYNTAX);
		x->p++;
		skip_blanks(x);
	}
	if (is_object && !take_name(x, &key))
		return false;
	return add_node(x, key, is_object, &at) && take_value(x, at);
}

enum sj_error sj_parse(struct strict_json *j, struct str text)
{
	struct parse x = { .j = j, .p = text.p, .end = text.p + text.n };
	uint32_t at;

	j->n = 0;
	j->first_duplicate = 0;
	j->error_at = 0;
	j->text = text;
	if (j->unescaped.p && j->unescaped.capacity < text.n)
		buf_release(&j->unescaped);
	buf_clear(&j->unescaped);
	if (!text.n)
		return SJ_EMPTY;
	if (text.n > j->limits->bytes)
		return SJ_TOO_LONG;
	if (text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0)
		return SJ_BOM;
	if (!utf8_valid(text, &j->error_at))
		return SJ_UTF8;
	skip_blanks(&x);
	if (x.p == x.end)
		return SJ_EMPTY;
	if (add_node(&x, STR_NONE, false, &at) && take_value(&x, at))
		while (x.depth && step(&x))
			;
	if (!x.error) {
		skip_blanks(&x);
		if (x.p != x.end)
			x.error = *x.p ? SJ_TRAILING : SJ_ZERO;
	}
	j->error_at = (size_t)(x.p - text.p);
	return x.error;
}

const struct sj_node *sj_member(const struct strict_json *j, const struct sj_node *object, struct str name)
{
	if (object->kind == SJ_OBJECT)
		for (const struct sj_node *n = sj_first(j, object); n; n = sj_next(j, n))
			if (str_eq(n->key, name))
				return n;
	return NULL;
}

bool sj_date(const struct sj_node *n, int64_t *ret_seconds)
{
	int64_t v = 0;

	if (n->kind != SJ_NUMBER || !n->value.n || n->value.n > 10)
		return false;
	for (size_t i = 0; i < n->value.n; i++) {
		if (n->value.p[i] < '0' || n->value.p[i] > '9')
			return false;
		v = v * 10 + (n->value.p[i] - '0');
	}
	if (v >= INT64_C(1) << 33)
		return false;
	*ret_seconds = v;
	return true;
}

bool sj_decimal_date(const struct sj_node *n, int64_t *ret_seconds)
{
	const char *p = n->value.p;
	int64_t v = 0;
	size_t i = 0, fraction = 0, digits = 0;
	int exponent = 0;
	bool point = false, minus = false;
	char text[40];

	/* the parser has seen to the grammar of a number */
	if (n->kind != SJ_NUMBER || n->value.n > sizeof(text))
		return false;
	for (; i < n->value.n && p[i] != 'e' && p[i] != 'E'; i++) {
		if (p[i] == '-')
			return false;
		if (p[i] == '.')
			point = true;
		else
			text[digits++] = p[i];
		fraction += point && p[i] != '.';
	}
	for (i++; i < n->value.n; i++)
		if (p[i] == '-' || p[i] == '+')
			minus = p[i] == '-';
		else if ((exponent = exponent * 10 + (p[i] - '0')) > 99)
			return false;
	/* the digits before the point, where the exponent puts it */
	const int whole = (int)digits - (int)fraction + (minus ? -exponent : exponent);
	for (int k = 0; k < whole; k++) {
		v = v * 10 + (k < (int)digits ? text[k] - '0' : 0);
		if (v >= INT64_C(1) << 33)
			return false;
	}
	*ret_seconds = v;
	return true;
}
