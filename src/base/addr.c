/* SPDX-License-Identifier: Apache-2.0 */
/* addr: addresses as exports write them.
 *
 *   203.0.113.10   203.0.113.10:52378   [203.0.113.10]   [203.0.113.10]:52378
 *   2001:db8::10   [2001:db8::10]       [2001:db8::10]:25489     fe80::1%7
 *   ::ffff:203.0.113.10 and ::ffff:cb00:710a are the v4 address they contain
 *
 * The last colon of a bare v6 text is part of the address, always: 2001:db8:10:1d9:cafe::f0 has no port.  A quad is
 * decimal without leading zeros, since some parsers read 010 as eight and others as ten, and an address must have one
 * meaning.  A text that is no address is marked as such (ADDR_LOCAL), which differs from having none.
 *
 * The library functions are not used: inet_pton wants a terminated copy, and this runs for every record. */
#include "base/addr.h"

/* "203.0.113.10" from s on; the number of characters read, 0 = not a quad */
static size_t parse_v4(const char *s, size_t n, uint8_t ret[4])
{
	size_t i = 0;

	for (unsigned part = 0; part < 4; part++) {
		unsigned value = 0;
		size_t from;

		if (part && (i == n || s[i++] != '.'))
			return 0;
		for (from = i; i < n && i - from < 3 && (unsigned)(s[i] - '0') < 10; i++)
			value = value * 10 + (unsigned)(s[i] - '0');
		if (i == from || value > 255 || (i - from > 1 && s[from] == '0'))
			return 0;
		ret[part] = (uint8_t)value;
	}
	return i;
}

static bool parse_port(const char *s, size_t n)
{
	unsigned value = 0;

	for (size_t i = 0; i < n; i++) {
		if ((unsigned)(s[i] - '0') > 9)
			return false;
		value = value * 10 + (unsigned)(s[i] - '0');
		if (value > 65535)
			return false;
	}
	return n > 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* the whole of s, without brackets; a zone (%eth0) is taken off by the caller */
static bool parse_v6(const char *s, size_t n, uint8_t ret[16])
{
	uint8_t groups[16] = { 0 };
	size_t filled = 0, i = 0;
	ptrdiff_t gap = -1; /* bytes before the "::" */

	if (n >= 2 && s[0] == ':' && s[1] == ':') {
		gap = 0;
		i = 2;
	}
	while (i < n) {
		unsigned value = 0;
		size_t from = i;

		if (filled == 16)
			return false;
		for (; i < n && i - from < 4 && hex_digit(s[i]) >= 0; i++)
			value = value << 4 | (unsigned)hex_digit(s[i]);
		if (i < n && s[i] == '.') { /* the tail as a quad: ::ffff:203.0.113.10 */
			if (filled > 12 || parse_v4(s + from, n - from, groups + filled) != n - from)
				return false;
			filled += 4;
			break;
		}
		if (i == from)
			return false;
		groups[filled++] = (uint8_t)(value >> 8);
		groups[filled++] = (uint8_t)value;
		if (i == n)
			break;
		if (s[i++] != ':' || i == n)
			return false;
		if (s[i] == ':') {
			if (gap >= 0)
				return false;
			gap = (ptrdiff_t)filled;
			i++;
		}
	}
	if (gap < 0 ? filled != 16 : filled > 14) /* "::" replaces at least one group */
		return false;
	memset(ret, 0, 16);
	if (gap < 0) {
		memcpy(ret, groups, 16);
	} else {
		memcpy(ret, groups, (size_t)gap);
		memcpy(ret + 16 - (filled - (size_t)gap), groups + gap, filled - (size_t)gap);
	}
	return true;
}

/* "fe80::1%7": the zone names a network card, on a machine that is not ours */
static struct str without_zone(struct str s)
{
	const char *percent = memchr(s.p, '%', s.n);

	if (percent && percent + 1 < s.p + s.n)
		s.n = (size_t)(percent - s.p);
	return s;
}

struct addr addr_parse(struct str s)
{
	static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	struct addr a = { .kind = ADDR_NONE };
	const char *close;
	size_t quad;

	quad = parse_v4(s.p, s.n, a.b);
	if (quad && quad == s.n) { /* nine of ten */
		a.kind = ADDR_V4;
		return a;
	}
	memset(a.b, 0, sizeof(a.b));
	s = str_trim(s);
	if (s.n == 0)
		return a;
	if (s.p[0] == '[') {
		close = memchr(s.p, ']', s.n);
		if (!close)
			goto text;
		if (close + 1 < s.p + s.n && (close[1] != ':' || !parse_port(close + 2, (size_t)(s.p + s.n - close) - 2)))
			goto text;
		s = (struct str){ s.p + 1, (size_t)(close - s.p) - 1 };
		quad = parse_v4(s.p, s.n, a.b);
		if (quad && quad != s.n)
			goto text;
	} else {
		quad = parse_v4(s.p, s.n, a.b);
		if (quad && quad < s.n && (s.p[quad] != ':' || !parse_port(s.p + quad + 1, s.n - quad - 1)))
			goto text;
	}
	if (quad) {
		a.kind = ADDR_V4;
		return a;
	}
	s = without_zone(s);
	if (!parse_v6(s.p, s.n, a.b))
		goto text;
	a.kind = ADDR_V6;
	if (memcmp(a.b, mapped, sizeof(mapped)) == 0) {
		memcpy(a.b, a.b + 12, 4);
		memset(a.b + 4, 0, 12);
		a.kind = ADDR_V4;
	}
	return a;
text:
	return (struct addr){ .kind = ADDR_LOCAL };
}

static char *put_decimal(char *out, unsigned value)
{
	if (value >= 100)
		*out++ = (char)('0' + value / 100);
	if (value >= 10)
		*out++ = (char)('0' + value / 10 % 10);
	*out++ = (char)('0' + value % 10);
	return out;
}

static char *put_hex(char *out, unsigned value)
{
	static const char digit[] = "0123456789abcdef";

	for (int shift = 12; shift >= 0; shift -= 4)
		if (value >> shift || shift == 0)
			*out++ = digit[value >> shift & 15];
	return out;
}

/* RFC 5952: lower case, no leading zeros, "::" for the longest run of at least two zero groups, the first of equals */
static void format_v6(const uint8_t b[16], char *out)
{
	unsigned group[8], best = 8, best_length = 1;

	for (unsigned i = 0; i < 8; i++)
		group[i] = (unsigned)b[2 * i] << 8 | b[2 * i + 1];
	for (unsigned i = 0; i < 8; i++) {
		unsigned length = 0;

		while (i + length < 8 && group[i + length] == 0)
			length++;
		if (length > best_length) {
			best = i;
			best_length = length;
		}
	}
	for (unsigned i = 0; i < 8; i++) {
		if (i == best) {
			*out++ = ':';
			*out++ = ':';
			i += best_length - 1;
			continue;
		}
		if (i && i != best + best_length)
			*out++ = ':';
		out = put_hex(out, group[i]);
	}
	*out = '\0';
}

const char *addr_format(const struct addr *a, char out[ADDR_TEXT_SIZE])
{
	char *end = out;

	switch ((enum addr_kind)a->kind) {
	case ADDR_V4:
		for (unsigned i = 0; i < 4; i++) {
			if (i)
				*end++ = '.';
			end = put_decimal(end, a->b[i]);
		}
		*end = '\0';
		break;
	case ADDR_V6:
		format_v6(a->b, out);
		break;
	case ADDR_LOCAL:
		memcpy(out, "local", sizeof("local"));
		break;
	case ADDR_NONE:
	default:
		out[0] = '\0';
	}
	return out;
}

bool addr_in(const struct addr *a, const uint8_t *prefix, unsigned prefix_bits, uint8_t kind)
{
	unsigned whole = prefix_bits / 8, rest = prefix_bits % 8;

	if (a->kind != kind || prefix_bits > (kind == ADDR_V4 ? 32u : kind == ADDR_V6 ? 128u : 0u))
		return false;
	if (memcmp(a->b, prefix, whole) != 0)
		return false;
	return rest == 0 || (a->b[whole] ^ prefix[whole]) >> (8 - rest) == 0;
}

bool addr_is_private(const struct addr *a)
{
	static const struct {
		uint8_t prefix[16];
		uint8_t bits, kind;
	} nets[] = {
		{ { 0 }, 8, ADDR_V4 },
		{ { 10 }, 8, ADDR_V4 },
		{ { 100, 64 }, 10, ADDR_V4 },
		{ { 127 }, 8, ADDR_V4 },
		{ { 169, 254 }, 16, ADDR_V4 },
		{ { 172, 16 }, 12, ADDR_V4 },
		{ { 192, 168 }, 16, ADDR_V4 },
		{ { 0 }, 127, ADDR_V6 }, /* :: and ::1 */
		{ { 0xfc }, 7, ADDR_V6 },
		{ { 0xfe, 0x80 }, 10, ADDR_V6 },
	};

	if (a->kind == ADDR_LOCAL) /* "localhost", a machine's name, a masked cell: no place on the internet */
		return true;
	for (size_t i = 0; i < sizeof(nets) / sizeof(nets[0]); i++)
		if (addr_in(a, nets[i].prefix, nets[i].bits, nets[i].kind))
			return true;
	return false;
}
