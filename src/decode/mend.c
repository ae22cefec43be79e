/* SPDX-License-Identifier: Apache-2.0 */
/* mend: JSON that an exporter damaged on its way into a cell or a text.
 *
 *   spelling   {""Id"":""x""}  {\"Id\":\"x\"}  {&quot;Id&quot;:&quot;x&quot;}  {'Id': 'x', 'b': None}  curly quotes: the whole text
 *              comes back, and nothing is lost
 *   wreckage   @{Name=n; Value=v}, which PowerShell makes of an object that it will not unfold: text values, lists are gone
 *   cut        Excel ends a cell at 32,767 characters, Log Analytics at 32 KB, old exports at 3,062, others with "...": members
 *              and elements that are whole before the cut are kept, and what was open is closed
 *
 * What is whole: a string with its closing quote, a number with something after it (12 may have been 120).  An element of a
 * list that was cut before anything in it was closed becomes {}: there was one, but half a message would be counted under half its
 * names. */
#include "decode/decode_int.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* -- spelling -- */

enum spelling { SPELT_RIGHT, SPELT_DOUBLED, SPELT_ESCAPED, SPELT_HTML, SPELT_PYTHON, SPELT_CURLY, SPELT_WRECK, SPELT_QUOTED };

static const struct { struct str entity; char c; } entities[] = {
	{ { "&quot;", 6 }, '"' }, { { "&#34;", 5 }, '"' }, { { "&#x22;", 6 }, '"' }, { { "&#39;", 5 }, '\'' }, { { "&apos;", 6 }, '\'' },
	{ { "&lt;", 4 }, '<' }, { { "&gt;", 4 }, '>' }, { { "&amp;", 5 }, '&' },
};

/* one of the typographic double quotes of English and German */
static bool is_curly(struct str s)
{
	return s.n > 2 && (uint8_t)s.p[0] == 0xe2 && (uint8_t)s.p[1] == 0x80 && (uint8_t)s.p[2] >= 0x9c && (uint8_t)s.p[2] <= 0x9e;
}

/* how the first quote is written */
static enum spelling spelling_of(struct str s)
{
	size_t i = 0;
	if (str_starts(s, STR("@{")) || str_starts(s, STR("{@{"))) /* (Format-List writes lists in braces) */
		return SPELT_WRECK;
	if (s.n > 2 && (s.p[0] == '"' || s.p[0] == '\'') && (s.p[1] == '{' || s.p[1] == '[' || (s.p[1] == '"' && s.p[2] == '{') || (s.p[1] == '\\' && s.p[2] == '"')))
		return SPELT_QUOTED;
	while (i < s.n && (is_blank(s.p[i]) || s.p[i] == '{' || s.p[i] == '['))
		i++;
	s = (struct str){ s.p + i, s.n - i };
	if (s.n < 4)
		return SPELT_RIGHT;
	if (s.p[0] == '"' && s.p[1] == '"' && s.p[2] != ':' && s.p[2] != ',' && s.p[2] != '}' && s.p[2] != ']' && !is_blank(s.p[2]))
		return SPELT_DOUBLED;
	if (s.p[0] == '\\')
		return SPELT_ESCAPED;
	if (s.p[0] == '\'')
		return SPELT_PYTHON;
	if (is_curly(s))
		return SPELT_CURLY;
	for (size_t k = 0; k < 3; k++)
		if (str_starts_nocase(s, entities[k].entity))
			return SPELT_HTML;
	if (str_starts_nocase(s, STR("&amp;")))
		return SPELT_HTML;
	return SPELT_RIGHT;
}

/* Python's repr() of a dict; out has room enough */
static size_t from_python(struct str s, char *out)
{
	static const struct { struct str from, to; } words[] = {
		{ { "None", 4 }, { "null", 4 } }, { { "True", 4 }, { "true", 4 } }, { { "False", 5 }, { "false", 5 } },
	};
	size_t n = 0;
	char quote = 0;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (quote) {
			if (c == '\\' && i + 1 < s.n) {
				i++;
				if (s.p[i] != '\'')
					out[n++] = '\\';
				out[n++] = s.p[i];
			} else if (c == quote) {
				out[n++] = '"';
				quote = 0;
			} else {
				if (c == '"')
					out[n++] = '\\';
				out[n++] = c;
			}
			continue;
		}
		if (c == '\'' || c == '"') {
			quote = c;
			out[n++] = '"';
			continue;
		}
		size_t k = 0;
		while (k < 3 && !str_starts((struct str){ s.p + i, s.n - i }, words[k].from))
			k++;
		if (k < 3) {
			memcpy(out + n, words[k].to.p, words[k].to.n);
			n += words[k].to.n;
			i += words[k].from.n - 1;
		} else {
			out[n++] = c;
		}
	}
	return n;
}

static size_t put_plain(char *out, size_t n, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			out[n++] = '\\';
		out[n++] = (uint8_t)s.p[i] < 0x20 ? ' ' : s.p[i];
	}
	return n;
}

/* Where a piece of wreckage ends: at "; ", or at the brace that closes the object (or at the end). */
static size_t piece_end(struct str s, size_t i)
{
	unsigned braces = 0;
	for (; i < s.n; i++) {
		braces += s.p[i] == '{';
		if (s.p[i] == '}' && braces-- == 0)
			break;
		if (s.p[i] == ';' && i + 1 < s.n && s.p[i + 1] == ' ' && braces == 0)
			break;
	}
	return i;
}

/* The object at "@{"; the position after it.  A piece without "=" belongs to the value before it. */
static size_t from_wreck(struct str s, size_t i, char *out, size_t *n, unsigned depth)
{
	bool open = false;
	out[(*n)++] = '{';
	for (i += 2; i < s.n; ) {
		while (i < s.n && is_blank(s.p[i]))
			i++;
		size_t end = piece_end(s, i);
		const char *equals = end > i ? memchr(s.p + i, '=', end - i) : NULL;
		if (equals) {
			size_t value = (size_t)(equals - s.p) + 1;
			if (open)
				out[(*n)++] = ',';
			out[(*n)++] = '"';
			*n = put_plain(out, *n, str_trim((struct str){ s.p + i, value - 1 - i }));
			memcpy(out + *n, "\":", 2);
			*n += 2;
			open = true;
			if (value + 1 < s.n && s.p[value] == '@' && s.p[value + 1] == '{' && depth < SHAPE_DEPTH_MAX) {
				end = from_wreck(s, value, out, n, depth + 1);
			} else {
				out[(*n)++] = '"';
				*n = put_plain(out, *n, (struct str){ s.p + value, end - value });
				if (end == s.n)
					return end; /* it was cut */
				out[(*n)++] = '"';
			}
		} else if (end > i && open && out[*n - 1] == '"') {
			out[*n - 1] = ';';
			out[(*n)++] = ' ';
			*n = put_plain(out, *n, (struct str){ s.p + i, end - i });
			out[(*n)++] = '"';
		}
		if (end < s.n && s.p[end] == '}') {
			out[(*n)++] = '}';
			return end + 1;
		}
		i = end + 1;
	}
	return i;
}

static struct str respell(struct str s, enum spelling spelling, char *out)
{
	size_t n = 0;
	if (spelling == SPELT_QUOTED) {
		s = (struct str){ s.p + 1, s.n - 1 - (s.p[s.n - 1] == s.p[0]) };
		return s.p[0] == '\\' ? walk_unescape(s, out) : s;
	}
	if (spelling == SPELT_ESCAPED)
		return walk_unescape(s, out);
	if (spelling == SPELT_PYTHON)
		return (struct str){ out, from_python(s, out) };
	if (spelling == SPELT_WRECK) { /* one object, or several with anything between them */
		out[n++] = '[';
		for (size_t i = 0; i + 1 < s.n; ) {
			if (s.p[i] != '@' || s.p[i + 1] != '{') {
				i++;
				continue;
			}
			if (n > 1)
				out[n++] = ',';
			i = from_wreck(s, i, out, &n, 0);
			if (i >= s.n && out[n - 1] != '}')
				return (struct str){ out, n };
		}
		out[n++] = ']';
		return (struct str){ out, n };
	}
	for (size_t i = 0; i < s.n; i++) {
		struct str rest = { s.p + i, s.n - i };
		if (spelling == SPELT_DOUBLED && rest.n > 1 && rest.p[0] == '"' && rest.p[1] == '"') {
			i++;
		} else if (spelling == SPELT_CURLY && is_curly(rest)) {
			out[n++] = '"';
			i += 2;
			continue;
		} else if (spelling == SPELT_HTML && rest.p[0] == '&') {
			size_t k = 0;
			while (k < sizeof entities / sizeof entities[0] && !str_starts_nocase(rest, entities[k].entity))
				k++;
			if (k < sizeof entities / sizeof entities[0]) {
				out[n++] = entities[k].c;
				i += entities[k].entity.n - 1;
				continue;
			}
		}
		out[n++] = s.p[i];
	}
	return (struct str){ out, n };
}

/* -- cuts -- */

struct level {
	char open;
	bool child;  /* something in it was closed */
	size_t end;  /* after its last whole member or element */
};

/* after the string that opens at i; 0: it is not closed */
static size_t string_end(struct str s, size_t i)
{
	for (i++; i < s.n; i++) {
		if (s.p[i] == '\\')
			i++;
		else if (s.p[i] == '"')
			return i + 1;
	}
	return 0;
}

/* Line breaks and other control bytes written raw inside strings, as blanks; the text is private. */
static struct str without_controls(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((uint8_t)s.p[i] < 0x20)
			((char *)(uintptr_t)s.p)[i] = ' ';
	return s;
}

/* May a whole value end at i?  What follows must be a mark, the end, or the dots of the program that cut it. */
static bool ends_well(struct str s, size_t i, bool number)
{
	while (i < s.n && is_blank(s.p[i]))
		i++;
	if (i == s.n)
		return !number;
	char c = s.p[i];
	return c == ',' || c == '}' || c == ']' || (!number && (c == '.' || (uint8_t)c == 0xe2));
}

/* Ends the text after its whole part and closes what is open; out has room for JSON_DEPTH_MAX more.  False: nothing is whole.
 * *ret_cut: there was something to close. */
static bool close_cut(struct str s, char *out, struct str *ret, bool *ret_cut)
{
	struct level at[JSON_DEPTH_MAX + 1];
	unsigned depth = 0;
	size_t i = 0, kept = 0;
	bool has_key = false, any = false, next = false; /* next: a comma said that there is another element */
	*ret_cut = true;
	while (i < s.n) {
		char c = s.p[i];
		struct level *l = depth ? &at[depth - 1] : NULL;
		if (is_blank(c)) {
			i++;
			continue;
		}
		if (l && (c == ',' || c == '}' || c == ']')) {
			bool right = c == ',' ? l->end == i || l->end > 0 : (c == '}') == (l->open == '{');
			if (!right || has_key)
				break;
			i++;
			next = c == ',';
			if (next)
				continue;
			if (--depth == 0) {
				kept = i;
				*ret_cut = false;
				break;
			}
			at[depth - 1].end = i;
			at[depth - 1].child = true;
			continue;
		}
		next &= l && l->open == '[';
		if (l && l->open == '{' && !has_key) { /* a name and its colon */
			size_t end = c == '"' ? string_end(s, i) : 0;
			while (end && end < s.n && is_blank(s.p[end]))
				end++;
			if (!end || end == s.n || s.p[end] != ':')
				break;
			has_key = true;
			i = end + 1;
			continue;
		}
		if (c == '{' || c == '[') {
			if (depth == JSON_DEPTH_MAX)
				break;
			at[depth++] = (struct level){ c, false, i + 1 };
			has_key = false;
			i++;
			continue;
		}
		if (!l)
			break;
		size_t end = c == '"' ? string_end(s, i) : i;
		bool number = c != '"';
		while (number && end < s.n && (ascii_lower(s.p[end]) >= 'a' ? ascii_lower(s.p[end]) <= 'z'
			: (s.p[end] >= '0' && s.p[end] <= '9') || s.p[end] == '-' || s.p[end] == '+' || s.p[end] == '.'))
			end++;
		if (end == 0 || end == i || !ends_well(s, end, number))
			break;
		l->end = i = end;
		has_key = false;
		any = true;
	}
	if (*ret_cut) {
		if (!any || depth == 0)
			return false;
		struct level *l = &at[depth - 1];
		bool lost = l->open == '[' && l->child && next;
		if (depth > 1 && l->open == '{' && l[-1].open == '[' && !l->child) {
			depth--;
			lost = true;
		}
		kept = at[depth - 1].end;
		memcpy(out, s.p, kept);
		if (lost) {
			memcpy(out + kept, ",{}", 3);
			if (out[kept - 1] == '[')
				memcpy(out + kept, "{}", 2);
			kept += out[kept] == ',' ? 3 : 2;
		}
	} else {
		memcpy(out, s.p, kept);
	}
	while (*ret_cut && depth)
		out[kept++] = at[--depth].open == '{' ? '}' : ']';
	*ret = (struct str){ out, kept };
	return true;
}

enum mended mend_json(struct decoder *d, struct str text, struct str *ret)
{
	enum { RESPELLINGS_MAX = 4 };
	bool cut;
	text = str_trim(text);
	while (text.n > 3 && (str_starts(text, STR("\xef\xbb\xbf")) || str_starts(text, STR("\xe2\x80\x8b")))) /* a byte order mark, or a blank of no width */
		text = str_trim((struct str){ text.p + 3, text.n - 3 });
	if (text.n > 1 && text.p[0] == '=' && text.p[1] == '"') /* Excel's ="text" */
		text = (struct str){ text.p + 1, text.n - 1 };
	for (unsigned k = 0; k < RESPELLINGS_MAX; k++) {
		enum spelling spelling = spelling_of(text);
		if (spelling == SPELT_RIGHT)
			break;
		char *out = arena_take(&d->arena, 4 * text.n + 16);
		if (!out)
			return MEND_NOT;
		text = respell(text, spelling, out);
	}
	char *out = arena_take(&d->arena, text.n + JSON_DEPTH_MAX + 4);
	if (!out || !close_cut(text, out, ret, &cut))
		return MEND_NOT;
	*ret = without_controls(*ret);
	out[ret->n] = 0;
	return cut ? MEND_CUT : MEND_SPELLING;
}

/* Do names of members have their quotes?  (The index takes {'Id': 1} for an object.) */
static bool is_named(const struct json_index *x)
{
	uint32_t v = 0;
	while (v + 1 < x->n && (walk_char(x, v) == '[' || walk_char(x, v) == '{'))
		v++;
	return v == 0 || walk_char(x, v - 1) != '{' || walk_char(x, v) == '"' || walk_char(x, v) == '}';
}

/* Several values in a row, with or without commas, as one list. */
static bool join_values(struct decoder *d, struct json_indexer *with, struct json_index *x)
{
	char *out = arena_take(&d->arena, x->len + x->n + 3);
	size_t n = 0;
	if (!out)
		return false;
	for (uint32_t v = 0, end; v < x->n; v = end) {
		end = walk_skip(x, v);
		if (end >= WALK_DEEP)
			return false;
		size_t from = x->at[v], length = x->at[end] - from;
		out[n] = v ? ',' : '[';
		n++;
		memcpy(out + n, x->p + from, length);
		n += length;
		end += end < x->n && walk_char(x, end) == ',';
	}
	out[n++] = ']';
	out[n] = 0;
	return json_index(with, out, n, x) == JSON_OK && walk_skip(x, 0) < WALK_DEEP;
}

bool json_read(struct decoder *d, struct str text, struct json_indexer *with, struct json_index *ret)
{
	/* a private copy with its terminator: the index's contract */
	char *copy = arena_take(&d->arena, text.n + 1);
	if (!copy)
		return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = 0;
	if (copy[0] != '@' && json_index(with, copy, text.n, ret) == JSON_OK && walk_skip(ret, 0) < WALK_DEEP && is_named(ret))
		return walk_skip(ret, 0) >= ret->n || join_values(d, with, ret);
	struct str mended;
	enum mended how = mend_json(d, text, &mended);
	if (how == MEND_NOT || json_index(with, mended.p, mended.n, ret) != JSON_OK || walk_skip(ret, 0) >= WALK_DEEP)
		return false;
	if (how == MEND_CUT)
		d->b.r.flags |= REC_CUT;
	return true;
}
