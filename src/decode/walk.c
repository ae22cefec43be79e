/* SPDX-License-Identifier: Apache-2.0 */
/* walk: the parts too long for the header. */
#include "decode/walk.h"

/* 1: opens, 2: closes; the bit 4 distinguishes braces from brackets */
static const uint8_t bracket[256] = { ['{'] = 1 | 4, ['['] = 1, ['}'] = 2 | 4, [']'] = 2 };

uint32_t walk_skip_container(const struct json_index *d, uint32_t v)
{
	const char *const p = d->p;
	const uint32_t *const at = d->at;
	const uint32_t n = d->n;
	uint64_t is_object = 0; /* one bit a level: what closes it */
	unsigned depth = 0;
	for (uint32_t i = v; i < n; i++) {
		unsigned kind = bracket[(uint8_t)p[at[i]]];
		if (!kind)
			continue;
		if (kind & 1) {
			if (depth == JSON_DEPTH_MAX)
				return WALK_DEEP;
			is_object = is_object << 1 | kind >> 2;
			depth++;
		} else {
			if ((is_object & 1) != kind >> 2)
				return WALK_BAD;
			is_object >>= 1;
			if (--depth == 0)
				return i + 1;
		}
	}
	return WALK_BAD;
}

static int hex4(const char *p)
{
	int v = 0;
	for (int i = 0; i < 4; i++) {
		char c = ascii_lower(p[i]);
		int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
		if (digit < 0)
			return -1;
		v = v << 4 | digit;
	}
	return v;
}

static char *put_utf8(char *o, uint32_t c)
{
	if (c < 0x80) {
		*o++ = (char)c;
	} else if (c < 0x800) {
		*o++ = (char)(0xc0 | c >> 6);
		*o++ = (char)(0x80 | (c & 63));
	} else if (c < 0x10000) {
		*o++ = (char)(0xe0 | c >> 12);
		*o++ = (char)(0x80 | (c >> 6 & 63));
		*o++ = (char)(0x80 | (c & 63));
	} else {
		*o++ = (char)(0xf0 | c >> 18);
		*o++ = (char)(0x80 | (c >> 12 & 63));
		*o++ = (char)(0x80 | (c >> 6 & 63));
		*o++ = (char)(0x80 | (c & 63));
	}
	return o;
}

struct str walk_unescape(struct str raw, char *out)
{
	char *o = out;
	const char *p = raw.p, *end = raw.p + raw.n;
	while (p < end) {
		const char *slash = memchr(p, '\\', (size_t)(end - p));
		size_t plain = (size_t)((slash ? slash : end) - p);
		memcpy(o, p, plain);
		o += plain;
		p += plain;
		if (!slash)
			break;
		if (p + 1 >= end)
			break; /* a lone backslash at the end cannot pass the index */
		char c = p[1];
		p += 2;
		switch (c) {
		case 'n': *o++ = '\n'; break;
		case 't': *o++ = '\t'; break;
		case 'r': *o++ = '\r'; break;
		case 'b': *o++ = '\b'; break;
		case 'f': *o++ = '\f'; break;
		case 'u': {
			int v = end - p >= 4 ? hex4(p) : -1;
			if (v < 0) {
				*o++ = 'u';
				break;
			}
			p += 4;
			uint32_t code = (uint32_t)v;
			if (code >= 0xd800 && code < 0xdc00) {
				int low = end - p >= 6 && p[0] == '\\' && p[1] == 'u' ? hex4(p + 2) : -1;
				if (low >= 0xdc00 && low < 0xe000) {
					code = 0x10000 + ((code - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
					p += 6;
				} else {
					code = 0xfffd;
				}
			} else if (code >= 0xdc00 && code < 0xe000) {
				code = 0xfffd;
			}
			o = put_utf8(o, code);
			break;
		}
		default: *o++ = c; break;
		}
	}
	return (struct str){ out, (size_t)(o - out) };
}
