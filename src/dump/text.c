/* SPDX-License-Identifier: Apache-2.0 */
/* text: runs of digits (text.h).  Decoding is by table and never fails: a run that is not base64 at all decodes to noise, and
 * noise proves nothing. */
#include "dump/text.h"

#include "base/limits.h"

enum { NONE = 0xff };

/* value of a digit of both base64 alphabets; NONE = not one */
static uint8_t base64_value[256], hex_values[256];

__attribute__((constructor)) static void fill(void)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	memset(base64_value, NONE, sizeof base64_value);
	for (uint8_t i = 0; i < 64; i++)
		base64_value[(uint8_t)digits[i]] = i;
	base64_value['-'] = 62;
	base64_value['_'] = 63;
	memset(hex_values, NONE, sizeof hex_values);
	for (uint8_t i = 0; i < 16; i++) {
		hex_values[(uint8_t)"0123456789abcdef"[i]] = i;
		hex_values[(uint8_t)"0123456789ABCDEF"[i]] = i;
	}
}

static inline uint8_t hex_value(uint8_t c) { return hex_values[c]; }
static inline bool is_hex(uint8_t c) { return hex_values[c] != NONE; }

bool text_is_base64(uint8_t c)
{
	return base64_value[c] != NONE;
}

bool text_is_hex(uint8_t c)
{
	return is_hex(c);
}

bool text_is_digits16(const uint8_t *p, bool *ret_hex)
{
	uint8_t any = 0, hex = 0;

	for (int i = 0; i < 16; i++) {
		any |= base64_value[p[i]];
		hex |= hex_values[p[i]];
	}
	*ret_hex = !(hex & 0x80);
	return !(any & 0x80); /* no value has that bit, NONE has */
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static bool is_printable(uint8_t c)
{
	return (c >= 0x20 && c < 0x7f) || is_blank(c);
}

/* How many digits of a number are at p[i]: at least `min`, at most `max`, or 0. */
static size_t number_at(const uint8_t *p, size_t n, size_t i, unsigned base, size_t min, size_t max, uint32_t *ret)
{
	size_t k = 0;
	for (*ret = 0; k < max && i + k < n && hex_values[p[i + k]] < base; k++)
		*ret = *ret * base + hex_values[p[i + k]];
	return k < min ? 0 : k;
}

static bool has(const uint8_t *p, size_t n, size_t i, const char *text)
{
	size_t length = strlen(text);
	return n - i >= length && memcmp(p + i, text, length) == 0;
}


static size_t escape_of_backslash(const uint8_t *p, size_t n, size_t i, uint32_t *ret)
{
	static const struct { uint8_t letter, base, min, max; } numbers[] = { { 'u', 16, 4, 4 }, { 'x', 16, 2, 2 }, { 'U', 16, 8, 8 } };
	size_t k = i + 1;
	while (k < n && p[k] == '\\' && k - i < TEXT_NESTED_MAX)
		k++;
	if (k == n)
		return 0;
	switch (p[k]) {
	case 'n': *ret = '\n'; return k + 1 - i;
	case 'r': *ret = '\r'; return k + 1 - i;
	case 't': *ret = '\t'; return k + 1 - i;
	case '/':
	case '"':
	case '\'': *ret = p[k]; return k + 1 - i;
	default: break;
	}
	for (size_t m = 0; m < sizeof numbers / sizeof numbers[0]; m++) {
		size_t digits = p[k] == numbers[m].letter ? number_at(p, n, k + 1, numbers[m].base, numbers[m].min, numbers[m].max, ret) : 0;
		if (digits)
			return k + 1 + digits - i;
	}
	size_t octal = p[k] >= '0' && p[k] <= '1' ? number_at(p, n, k, 8, 3, 3, ret) : 0;
	return octal ? k + octal - i : 0;
}

static size_t escape_of_ampersand(const uint8_t *p, size_t n, size_t i, uint32_t *ret)
{
	static const struct { const char *name; uint8_t is; } names[] = {
		{ "quot;", '"' }, { "apos;", '\'' }, { "lt;", '<' }, { "gt;", '>' }, { "plus;", '+' }, { "sol;", '/' }, { "NewLine;", '\n' }, { "Tab;", '\t' },
	};
	size_t k = i + 1;
	for (int nested = 0; nested < TEXT_NESTED_MAX && k < n && has(p, n, k, "amp;"); nested++)
		k += 4;
	if (k < n && p[k] == '#') {
		bool hex = k + 1 < n && (p[k + 1] == 'x' || p[k + 1] == 'X');
		size_t at = k + 1 + hex, digits = number_at(p, n, at, hex ? 16 : 10, 1, 6, ret);
		return digits && at + digits < n && p[at + digits] == ';' ? at + digits + 1 - i : 0;
	}
	for (size_t m = 0; m < sizeof names / sizeof names[0]; m++) {
		if (k < n && has(p, n, k, names[m].name)) {
			*ret = names[m].is;
			return k + strlen(names[m].name) - i;
		}
	}
	return 0;
}

/* What is written at p[i] in an escape of JSON, C, XML or an URL, as often escaped as it may be: how long it is, and the byte that it
 * encodes.  0: there is none. */
static size_t escape_at(const uint8_t *p, size_t n, size_t i, uint8_t *ret)
{
	uint32_t is = 0;
	size_t length = 0;

	if (p[i] == '\\') {
		length = escape_of_backslash(p, n, i, &is);
	} else if (p[i] == '&') {
		length = escape_of_ampersand(p, n, i, &is);
	} else if (p[i] == '%') {
		size_t k = i + 1, digits;
		for (int nested = 0; nested < TEXT_NESTED_MAX && k < n && has(p, n, k, "25"); nested++)
			k += 2;
		digits = number_at(p, n, k, 16, 2, 2, &is);
		length = digits ? k + digits - i : 0;
	}
	*ret = (uint8_t)is;
	return is < 0x80 ? length : 0;
}

size_t text_char(const uint8_t *p, size_t n, size_t i, uint8_t *ret)
{
	size_t length = escape_at(p, n, i, ret);
	if (!length)
		*ret = p[i];
	return length ? length : 1;
}

/* the escape that ends at `end`, and the byte that it encodes; 0: there is none */
static size_t escape_before(const uint8_t *p, size_t low, size_t end, uint8_t *ret)
{
	for (size_t n = 2; n <= TEXT_ESCAPE_BYTES_MAX && n <= end - low; n++) {
		uint8_t c = p[end - n];
		if ((c != '\\' && c != '&' && c != '%') || escape_at(p, end, end - n, ret) != n)
			continue;
		while (c == '\\' && n < end - low && p[end - n - 1] == '\\' && escape_at(p, end, end - n - 1, ret) == n + 1)
			n++;
		return n;
	}
	return 0;
}

size_t text_char_before(const uint8_t *p, size_t low, size_t end, uint8_t *ret)
{
	size_t length = end - low >= 2 ? escape_before(p, low, end, ret) : 0;
	if (!length)
		*ret = p[end - 1];
	return length ? length : 1;
}

#define DASHES 4 /* so many in a row are a PEM line's end, not digits of base64url */

static bool is_dashes(const uint8_t *p, size_t n, size_t i)
{
	return p[i] == '-' && n - i >= DASHES && memcmp(p + i, "----", DASHES) == 0;
}

/* a digit that is written as an escape (\/, \u002B, %2B): its length */
static inline size_t escaped_digit(const uint8_t *p, size_t n, size_t i, uint8_t *ret)
{
	uint8_t c;
	size_t length = p[i] == '\\' || p[i] == '&' || p[i] == '%' ? escape_at(p, n, i, &c) : 0;
	if (!length || base64_value[c] == NONE)
		return 0;
	*ret = base64_value[c];
	return length;
}

/* the end of the token that begins at i, and its digits */
static size_t token_end(const uint8_t *p, size_t n, size_t i, size_t *ret_digits)
{
	size_t digits = 0, escaped;
	uint8_t value;
	for (;;) {
		while (n - i >= 4 && !((base64_value[p[i]] | base64_value[p[i + 1]] | base64_value[p[i + 2]] | base64_value[p[i + 3]]) & 0x80) && p[i] != '-' &&
		       p[i + 1] != '-' && p[i + 2] != '-' && p[i + 3] != '-')
			i += 4, digits += 4;
		if (i < n && base64_value[p[i]] != NONE && !is_dashes(p, n, i))
			i++;
		else if (i < n && (escaped = escaped_digit(p, n, i, &value)))
			i += escaped;
		else
			break;
		digits++;
	}
	*ret_digits = digits;
	return i;
}

/* the sign in "..." + "...", and those of other languages: it is alone */
static bool is_joint(const uint8_t *p, size_t n, size_t i, size_t begin)
{
	return (p[i] == '+' || p[i] == '.' || p[i] == '&' || p[i] == '_') && i > begin && (is_blank(p[i - 1]) || p[i - 1] == '"' || p[i - 1] == '\'') && i + 1 < n &&
	       (is_blank(p[i + 1]) || p[i + 1] == '"' || p[i + 1] == '\'');
}

/* A line's end as quoted-printable and HTML write it: =0D=0A, a soft break ("=" and the end of the line), <br>.  Its length, or 0. */
static size_t break_at(const uint8_t *p, size_t n, size_t i)
{
	uint32_t is;
	if (p[i] == '=' && n - i >= 3 && number_at(p, n, i + 1, 16, 2, 2, &is))
		return is_blank((uint8_t)is) && is < 0x80 ? 3 : 0;
	if (p[i] == '=' && n - i >= 2 && p[i + 1] == '\n')
		return 2;
	if (p[i] == '=' && n - i >= 3 && p[i + 1] == '\r' && p[i + 2] == '\n')
		return 3;
	if (p[i] == '<' && n - i >= 4 && (p[i + 1] | 0x20) == 'b' && (p[i + 2] | 0x20) == 'r')
		return p[i + 3] == '>' ? 4 : has(p, n, i + 3, "/>") ? 5 : has(p, n, i + 3, " />") ? 6 : 0;
	return 0;
}

/* the end of the gap between two tokens: breaks of a line, with quotes, commas, plus signs and backslashes around them */
static size_t gap_end(const uint8_t *p, size_t n, size_t i)
{
	size_t begin = i;
	while (i < n && i - begin < TEXT_GAP_MAX) {
		uint8_t c;
		size_t length = text_char(p, n, i, &c);
		if (is_blank(c) || c == '"' || c == '\'' || c == '`' || c == ',' || c == '\\' || c == '>' || c == '|')
			i += length;
		else if (length == 1 && is_joint(p, n, i, begin))
			i++;
		else if (length == 1 && (length = break_at(p, n, i)))
			i += length;
		else
			break;
	}
	return i;
}

/* The begin of the token that p[i] is in, going back.  Wherever in it one starts, the answer is the same: digits of an escape before it
 * (\nMII, %0AMII, \u0022MII) are cut off even if p[i] is one of them, and so are the dashes of -----BEGIN ...-----.
 * *ret_sure: the first digit is the value's first. */
static size_t token_begin(const uint8_t *p, size_t low, size_t n, size_t i, bool *ret_sure)
{
	uint8_t c;
	*ret_sure = true;
	for (;;) {
		while (i > low && base64_value[p[i - 1]] != NONE && !(p[i - 1] == '-' && i - low >= DASHES && memcmp(p + i - DASHES, "----", DASHES) == 0))
			i--;
		if (i == low)
			return i;
		uint32_t is;
		if (p[i - 1] == '=' && number_at(p, n, i, 16, 2, 2, &is)) { /* "=0AMII", which may also be a name's value */
			*ret_sure = false;
			return is_blank((uint8_t)is) ? i + 2 : i;
		}
		if (p[i - 1] == ';') {
			size_t length = escape_before(p, low, i, &c);
			if (!length || base64_value[c] == NONE)
				return i;
			i -= length;
			continue;
		}
		if (p[i - 1] != '\\' && p[i - 1] != '%')
			return i;
		size_t head = i - 1, length;
		while (p[head] == '\\' && head > low && p[head - 1] == '\\' && i - head < TEXT_NESTED_MAX)
			head--;
		length = escape_at(p, n, head, &c);
		if (!length) {
			*ret_sure = false;
			return i;
		}
		if (base64_value[c] == NONE)
			return head + length;
		i = head; /* a digit; the token goes on before it */
	}
}

/* The token before the gap that ends at i, if both belong to one run: false, there is none. */
static bool token_before(const uint8_t *p, size_t low, size_t n, size_t i, size_t *ret_begin, bool *ret_sure)
{
	if (i == low || !p[i - 1] || !(strchr(" \n\r\t\"'`,\\>|;+.&_", p[i - 1]) || base64_value[p[i - 1]] != NONE))
		return false;
	for (size_t k = i - 1; k > low && i - k <= TEXT_GAP_MAX; k--) {
		size_t begin, digits;
		if (!is_printable(p[k - 1]))
			return false;
		if ((base64_value[p[k - 1]] == NONE && p[k - 1] != ';') || gap_end(p, n, k) != i)
			continue;
		begin = token_begin(p, low, n, k, ret_sure);
		if (begin >= k) /* these digits were an escape's */
			continue;
		if (token_end(p, n, begin, &digits) != k || digits < 16)
			return false;
		*ret_begin = begin;
		return true;
	}
	return false;
}

bool text_run_base64(const uint8_t *p, size_t low, size_t n, size_t seed, struct text_run *ret)
{
	size_t begin = seed, end, previous = 0, length;
	bool sure;

	/* the seed's own digits may be an escape's, or the dashes of a line's */
	size_t dashes = 0;
	while (dashes < DASHES && seed - dashes > low && p[seed - dashes - 1] == '-')
		dashes++;
	for (size_t k = seed; k < seed + 16 && k < n; k++) {
		dashes = p[k] == '-' ? dashes + 1 : 0;
		if (dashes >= DASHES)
			begin = k + 1;
	}
	begin = token_begin(p, low, n, begin, &sure);
	while (token_before(p, low, n, begin, &begin, &sure))
		;
	*ret = (struct text_run){ .begin = begin, .delimited = begin > low ? is_printable(p[begin - 1]) : false };
	ret->uncertain = !ret->delimited || !sure;
	size_t i = end = begin;
	for (;;) {
		size_t stop = token_end(p, n, i, &length);
		/* the last line of a body may be short; a word after it may be taken for one, which is harmless */
		if (ret->digits && length < 16 && (length == 0 || previous < 48))
			break;
		ret->uncertain |= ret->digits % 4 != 0; /* another value may begin here */
		ret->digits += length;
		previous = length;
		end = stop;
		if (stop == n || (ret->digits != length && length < 16))
			break;
		i = gap_end(p, n, stop);
		if (i == stop || i == n || is_dashes(p, n, i))
			break;
	}
	for (int pads = 0; pads < 2 && end < n && p[end] == '='; pads++)
		end++;
	ret->end = end;
	return ret->digits >= TEXT_BASE64_DIGITS_MIN;
}

bool text_next_token(const uint8_t *p, const struct text_run *run, size_t *at, struct text_run *ret)
{
	size_t length, next;

	if (*at >= run->end)
		return false;
	*ret = (struct text_run){ .begin = *at, .end = token_end(p, run->end, *at, &length), .delimited = true };
	ret->digits = length;
	next = gap_end(p, run->end, ret->end);
	*at = next > *at ? next : run->end;
	return true;
}

/* length of the separator between hexadecimal digits at p[i], or 0 */
static size_t hex_gap(const uint8_t *p, size_t n, size_t i)
{
	uint8_t c;
	if (is_blank(p[i]) || p[i] == ':' || p[i] == ',' || p[i] == '-')
		return 1;
	if (n - i >= 2 && (p[i] == '0' || p[i] == '\\') && (p[i + 1] == 'x' || p[i + 1] == 'X'))
		return 2;
	size_t length = escape_at(p, n, i, &c);
	return length && is_blank(c) ? length : 0;
}

static size_t hex_gap_end(const uint8_t *p, size_t n, size_t i)
{
	size_t begin = i, length;
	while (i < n && i - begin < TEXT_GAP_MAX && (!is_hex(p[i]) || p[i] == '0') && (length = hex_gap(p, n, i)))
		i += length;
	return i;
}

bool text_run_hex(const uint8_t *p, size_t low, size_t n, size_t seed, struct text_run *ret)
{
	size_t i = seed, end, token = 0, tokens = 0;

	while (i > low && is_hex(p[i - 1]))
		i--;
	if (p[i] == '0' && hex_gap(p, n, i) == 2)
		i += 2;
	/* back over whole tokens: "aa:bb:", "0xaa, 0xbb, ", "\xaa\xbb" */
	for (bool more = true; more && i > low;) {
		more = false;
		for (size_t k = i - 1; k > low && i - k <= TEXT_GAP_MAX && is_printable(p[k]); k--) {
			size_t start = k;
			if (!is_hex(p[k - 1]) || hex_gap_end(p, n, k) != i)
				continue;
			while (start > low && is_hex(p[start - 1]))
				start--;
			more = (k - start) % 2 == 0;
			i = more ? start : i;
			break;
		}
	}
	*ret = (struct text_run){ .begin = i, .hex = true, .delimited = i > low ? is_printable(p[i - 1]) && !text_is_base64(p[i - 1]) : false };
	for (end = i; i < n;) {
		const size_t start = i;
		while (i < n && is_hex(p[i]))
			i++;
		token = i - start;
		if (tokens && token % 2 != 0) /* the first letters of a word */
			break;
		ret->digits += token;
		tokens += token != 0;
		end = i;
		i = hex_gap_end(p, n, end);
		if (token == 0 || token % 2 != 0 || i == end || i == n || !is_hex(p[i]))
			break;
	}
	ret->end = end;
	ret->separated = tokens > 1;
	ret->uncertain = !ret->separated;
	return ret->digits >= TEXT_HEX_DIGITS_MIN;
}

size_t text_decode_base64(const uint8_t *p, const struct text_run *run, unsigned phase, uint8_t *out, size_t max)
{
	uint32_t bits = 0;
	unsigned have = 0;
	size_t n = 0;
	for (size_t i = run->begin; i < run->end && n < max;) {
		/* four digits at once, as long as they are digits */
		while (have == 0 && phase == 0 && run->end - i >= 4 && max - n >= 3) {
			uint8_t a = base64_value[p[i]], b = base64_value[p[i + 1]], c = base64_value[p[i + 2]], d = base64_value[p[i + 3]];
			if ((a | b | c | d) & 0x80)
				break;
			out[n] = (uint8_t)(a << 2 | b >> 4);
			out[n + 1] = (uint8_t)(b << 4 | c >> 2);
			out[n + 2] = (uint8_t)(c << 6 | d);
			n += 3;
			i += 4;
		}
		if (i == run->end || n == max)
			break;
		uint8_t v = base64_value[p[i]];
		size_t length = v != NONE ? 1 : escaped_digit(p, run->end, i, &v);
		if (!length) {
			length = gap_end(p, run->end, i) - i;
			i += length ? length : 1;
			continue;
		}
		i += length;
		if (phase) {
			phase--;
			continue;
		}
		bits = bits << 6 | v;
		have += 6;
		if (have >= 8) {
			have -= 8;
			out[n++] = (uint8_t)(bits >> have);
		}
	}
	return n;
}

size_t text_decode_hex(const uint8_t *p, const struct text_run *run, unsigned phase, uint8_t *out, size_t max)
{
	size_t n = 0;
	bool half = false;
	uint8_t high = 0;
	for (size_t i = run->begin; i < run->end && n < max;) {
		if (!is_hex(p[i])) {
			size_t stop = hex_gap_end(p, run->end, i);
			i = stop > i ? stop : i + 1;
			continue;
		}
		uint8_t v = hex_value(p[i++]);
		if (phase) {
			phase--;
			continue;
		}
		if (half)
			out[n++] = (uint8_t)(high << 4 | v);
		high = v;
		half = !half;
	}
	return n;
}

size_t text_decode_value(const char *text, size_t n, uint8_t *out, size_t max, size_t *ret_used)
{
	const uint8_t *p = (const uint8_t *)text;
	uint32_t bits = 0;
	unsigned have = 0;
	size_t got = 0, i = 0;
	while (i < n && got < max) {
		uint8_t v = base64_value[p[i]], c;
		size_t length = 1;
		if (v == NONE) {
			length = text_char(p, n, i, &c);
			v = base64_value[c];
			if (v == NONE && !is_blank(c))
				break;
		}
		i += length;
		if (v == NONE)
			continue;
		bits = bits << 6 | v;
		have += 6;
		if (have >= 8) {
			have -= 8;
			out[got++] = (uint8_t)(bits >> have);
		}
	}
	*ret_used = i;
	return got;
}
