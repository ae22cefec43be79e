/* SPDX-License-Identifier: Apache-2.0 */
/* utf16: what Windows tools write by default when redirected, as UTF-8.
 *
 * Works piece by piece; what a piece cuts apart (a code unit, a surrogate pair) waits for the next one.  A surrogate
 * without its partner becomes U+FFFD, because the text around it is still evidence.  An odd byte at the end means that
 * the file was cut.  Files that were joined have a byte order mark in the middle: it is dropped, and obeyed. */
#include <stdlib.h>

#include "base/encoding.h"
#include "source/source_int.h"

#define UNITS_BYTES (16 * KIB)

struct utf16 {
	struct layer l;
	bool big_endian;
	uint32_t last;               /* character handed out, 0 = none yet */
	uint16_t high;               /* a high surrogate that waits for its partner, or 0 */
	uint8_t odd;                 /* first half of a code unit */
	bool has_odd;
	bool at_end;
	enum source_status end;      /* how it ends, once at_end */
	size_t ready_at, ready_n;
	uint8_t in[UNITS_BYTES];
	uint8_t ready[UNITS_BYTES / 2 * 3 + 8]; /* one unit gives three bytes at most; and what waited */
};

static void put(struct utf16 *u, uint32_t c)
{
	u->ready_n += utf8_put(c, u->ready + u->ready_n);
	u->last = c;
}

static void take_unit(struct utf16 *u, uint16_t unit)
{
	bool is_high = unit >= 0xd800 && unit < 0xdc00, is_low = unit >= 0xdc00 && unit < 0xe000;

	if (unit == 0xfffe) { /* a mark of the other byte order: a joined file begins here */
		u->big_endian = !u->big_endian;
		unit = 0xfeff;
	}
	/* the mark of a file that was joined: where a line or a value has just ended */
	if (unit == 0xfeff && !u->high && (u->last == '\n' || u->last == '\r' || u->last == '}' || u->last == ']' || !u->last))
		return;
	if (u->high && is_low) {
		put(u, 0x10000 + ((uint32_t)(u->high - 0xd800) << 10) + (uint32_t)(unit - 0xdc00));
		u->high = 0;
		return;
	}
	if (u->high)
		put(u, 0xfffd);
	u->high = is_high ? unit : 0;
	if (!is_high)
		put(u, is_low ? 0xfffd : unit);
}

/* The next piece, converted into `ready`. */
static void convert(struct utf16 *u)
{
	enum source_status status;
	size_t n, i = 0;

	u->ready_at = u->ready_n = 0;
	status = layer_read(u->l.below, u->in, sizeof(u->in), &n);
	while (i < n) {
		uint8_t first, second;

		if (u->has_odd) {
			first = u->odd;
			second = u->in[i++];
			u->has_odd = false;
		} else if (i + 1 == n) {
			u->odd = u->in[i++];
			u->has_odd = true;
			break;
		} else {
			first = u->in[i++];
			second = u->in[i++];
		}
		take_unit(u, (uint16_t)(u->big_endian ? first << 8 | second : second << 8 | first));
	}
	if (status == SOURCE_OK)
		return;
	u->at_end = true;
	u->end = status;
	if (u->high)
		put(u, 0xfffd);
	if (u->has_odd && status == SOURCE_END)
		u->end = layer_fail(&u->l, "UTF-16 text ends in the middle of a character; what came before was read");
}

static enum source_status utf16_read(struct layer *l, uint8_t *p, size_t capacity, size_t *ret_n)
{
	struct utf16 *u = (struct utf16 *)l;
	size_t n;

	while (u->ready_at == u->ready_n && !u->at_end)
		convert(u);
	n = u->ready_n - u->ready_at < capacity ? u->ready_n - u->ready_at : capacity;
	memcpy(p, u->ready + u->ready_at, n);
	u->ready_at += n;
	*ret_n = n;
	return u->ready_at == u->ready_n && u->at_end ? u->end : SOURCE_OK;
}

struct layer *utf16_new(struct layer *below, bool big_endian)
{
	struct utf16 *u = calloc(1, sizeof(*u));

	if (!u) {
		layer_fail(below, "out of memory");
		layer_free(below);
		return NULL;
	}
	u->l.read = utf16_read;
	u->l.below = below;
	u->l.why = below->why;
	u->big_endian = big_endian;
	return &u->l;
}
