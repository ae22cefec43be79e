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

/* an escape for CR, LF or TAB at p[i], which is \\, & or %: its length, or 0 */
static size_t escape_from(const uint8_t *p, size_t n, size_t i)
{
	static const struct str escapes[] = {
		{ "\\u000a", 6 }, { "\\u000A", 6 }, { "\\u000d", 6 }, { "\\u000D", 6 }, { "\\n", 2 }, { "\\r", 2 }, { "\\t", 2 }, { "&#10;", 5 }, { "&#13;", 5 },
		{ "&#xA;", 5 }, { "&#xa;", 5 }, { "&#xD;", 5 }, { "&#xd;", 5 }, { "%0A", 3 }, { "%0a", 3 }, { "%0D", 3 }, { "%0d", 3 },
	};
	size_t slashes = 0; /* text in text in text: \\\\n */
	while (p[i] == '\\' && i + slashes + 1 < n && p[i + slashes + 1] == '\\' && slashes < 8)
		slashes++;
	for (size_t k = 0; k < sizeof escapes / sizeof escapes[0]; k++)
		if (n - i - slashes >= escapes[k].n && memcmp(p + i + slashes, escapes[k].p, escapes[k].n) == 0)
			return slashes + escapes[k].n;
	return 0;
}

static inline size_t escape_at(const uint8_t *p, size_t n, size_t i)
{
	return p[i] == '\\' || p[i] == '&' || p[i] == '%' ? escape_from(p, n, i) : 0;
}

#define DASHES 4 /* so many in a row are a PEM line's end, not digits of base64url */

static bool is_dashes(const uint8_t *p, size_t n, size_t i)
{
	return p[i] == '-' && n - i >= DASHES && memcmp(p + i, "----", DASHES) == 0;
}

/* the end of the token that begins at i */
static size_t token_end(const uint8_t *p, size_t n, size_t i)
{
	for (;;) {
		while (n - i >= 4 && !((base64_value[p[i]] | base64_value[p[i + 1]] | base64_value[p[i + 2]] | base64_value[p[i + 3]]) & 0x80) && p[i] != '-' &&
		       p[i + 1] != '-' && p[i + 2] != '-' && p[i + 3] != '-')
			i += 4;
		if (i >= n || base64_value[p[i]] == NONE || (p[i] == '-' && is_dashes(p, n, i)))
			return i;
		i++;
	}
}

/* the sign in "..." + "...", which is no digit: it stands alone */
static bool is_plus_sign(const uint8_t *p, size_t n, size_t i, size_t begin)
{
	return p[i] == '+' && i > begin && is_blank(p[i - 1]) && i + 1 < n && is_blank(p[i + 1]);
}

/* the end of what stands between two tokens: breaks of a line, with quotes, commas, plus signs and backslashes around them */
static size_t gap_end(const uint8_t *p, size_t n, size_t i)
{
	size_t begin = i;
	while (i < n && i - begin < TEXT_GAP_MAX) {
		size_t escape = escape_at(p, n, i);
		if (escape)
			i += escape;
		else if (is_blank(p[i]) || p[i] == '"' || p[i] == '\'' || p[i] == ',' || p[i] == '\\' || p[i] == '>' || p[i] == '|')
			i++;
		else if (is_plus_sign(p, n, i, begin))
			i++;
		else
			break;
	}
	return i;
}

/* The first token's begin, going back from the seed.  Digits that belong to an escape before it (\nMII, %0AMII) are cut off. */
static size_t token_begin(const uint8_t *p, size_t low, size_t n, size_t seed)
{
	size_t i = seed;
	while (i > low && base64_value[p[i - 1]] != NONE)
		i--;
	if (i > low && (p[i - 1] == '\\' || p[i - 1] == '%')) {
		size_t escape = escape_at(p, n, i - 1);
		if (escape && i - 1 + escape <= seed)
			i += escape - 1;
	}
	/* the dashes of -----BEGIN ...----- */
	size_t dashes = 0;
	for (size_t k = i; k < seed; k++) {
		dashes = p[k] == '-' ? dashes + 1 : 0;
		if (dashes >= DASHES)
			i = k + 1;
	}
	return i;
}

bool text_run_base64(const uint8_t *p, size_t low, size_t n, size_t seed, struct text_run *ret)
{
	size_t i = token_begin(p, low, n, seed), end = i, previous = 0;
	*ret = (struct text_run){ .begin = i, .delimited = i > low ? is_printable(p[i - 1]) : false };
	for (;;) {
		size_t stop = token_end(p, n, i), length = stop - i;
		/* the last line of a body may be short; a word behind it may be taken for one, which does no harm */
		if (ret->digits && length < 16 && (length == 0 || previous < 48))
			break;
		ret->digits += length;
		previous = length;
		end = stop;
		if (stop == n || p[stop] == '=' || (ret->digits != length && length < 16))
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

/* what may stand between hexadecimal digits, or 0 */
static size_t hex_gap(const uint8_t *p, size_t n, size_t i)
{
	if (is_blank(p[i]) || p[i] == ':' || p[i] == ',' || p[i] == '-')
		return 1;
	if (n - i >= 2 && (p[i] == '0' || p[i] == '\\') && (p[i + 1] == 'x' || p[i + 1] == 'X'))
		return 2;
	return escape_at(p, n, i);
}

bool text_run_hex(const uint8_t *p, size_t low, size_t n, size_t seed, struct text_run *ret)
{
	size_t i = seed, end;
	while (i > low && is_hex(p[i - 1]))
		i--;
	/* back over pairs: "aa:bb:", "0xaa, 0xbb, " */
	for (size_t gap = 0; i > low;) {
		size_t k = i;
		while (k > low && gap < 16 && !is_hex(p[k - 1]) && (hex_gap(p, n, k - 1) == 1 || p[k - 1] == 'x'))
			k--, gap++;
		if (k == i || k < low + 2 || !is_hex(p[k - 1]) || !is_hex(p[k - 2]))
			break;
		i = k - 2;
		gap = 0;
	}
	*ret = (struct text_run){ .begin = i, .hex = true, .delimited = i > low ? is_printable(p[i - 1]) && !text_is_base64(p[i - 1]) : false };
	size_t token = 0, gap = 0, tokens = 0;
	for (end = i; i < n;) {
		/* "0x" is a gap, though 0 is a digit: only where a token would begin */
		if (is_hex(p[i]) && !(token == 0 && p[i] == '0' && hex_gap(p, n, i) == 2)) {
			const size_t start = i;

			tokens += token == 0;
			while (i < n && is_hex(p[i]))
				i++;
			token += i - start;
			ret->digits += i - start;
			end = i;
			gap = 0;
			continue;
		}
		size_t skip = hex_gap(p, n, i);
		if (skip == 0 || gap > TEXT_GAP_MAX || token % 2 != 0)
			break;
		gap += skip;
		i += skip;
		token = 0;
	}
	ret->end = end;
	ret->separated = tokens > 1;
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
		if (v == NONE) {
			size_t escape = escape_at(p, run->end, i);
			i += escape ? escape : 1;
			continue;
		}
		if (v == 62 && is_plus_sign(p, run->end, i, run->begin)) {
			i++;
			continue;
		}
		i++;
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
	bool half = false, inside = false;
	uint8_t high = 0;
	for (size_t i = run->begin; i < run->end && n < max;) {
		if (!is_hex(p[i]) || (!inside && p[i] == '0' && hex_gap(p, run->end, i) == 2)) {
			size_t skip = hex_gap(p, run->end, i);

			i += skip ? skip : 1;
			inside = false;
			continue;
		}
		uint8_t v = hex_value(p[i++]);
		inside = true;
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
		uint8_t v = base64_value[p[i]];
		size_t escape = v == NONE ? escape_at(p, n, i) : 0;
		if (v == NONE && p[i] == '\\' && i + 1 < n && p[i + 1] == '/') { /* JSON's \/ */
			i++;
			continue;
		}
		if (v == NONE && !escape && !is_blank(p[i]))
			break;
		if (v == NONE) {
			i += escape ? escape : 1;
			continue;
		}
		i++;
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
