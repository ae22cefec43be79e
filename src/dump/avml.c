/* SPDX-License-Identifier: Apache-2.0 */
/* avml: physical memory as AVML writes it with --compress, read as the LiME file it would be without (what avml-convert makes).
 *
 *     {"AVML", 2, first, last, 0} {snappy frames of last - first + 1 bytes} {u64: how many bytes the frames are}   ... again
 *
 * Frames (github.com/google/snappy, framing_format.txt): a type, three bytes of length, then for data a masked CRC-32C and at most
 * 64 KiB, packed or not.  All heads are walked once, which finds out whether the file is whole; every GROUP pieces the walker's place
 * is kept, so that any offset can be reached, and nothing but one frame is ever held unpacked. */
#include <snappy-c.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "dump/arena.h"
#include "dump/bytes.h"
#include "dump/dump.h"

#define HEAD_SIZE 32
#define FRAME_BYTES 65536
#define PACKED_BYTES 76490 /* snappy_max_compressed_length(FRAME_BYTES) */
#define GROUP 64

struct place {
	uint64_t in, out; /* offsets of the next piece, packed and unpacked */
	uint64_t left;    /* unpacked bytes of this segment that are still to come */
	uint64_t begin;   /* of its frames */
	bool inside;
};

struct piece {
	enum { HEAD, PACKED, STORED } kind;
	uint64_t in;   /* of a head, or just after the checksum */
	uint32_t in_n, out_n, checksum;
};

struct avml {
	struct dump_reader r;
	struct dump_reader *base;
	struct place *places; /* of every GROUPth piece */
	size_t n, capacity;
	struct place now;     /* the walker of read(): `held` is the piece before it */
	struct piece piece;
	uint64_t held_at;
	bool holds;
	uint8_t *pages, *held, *packed;
};
#define PAGES_BYTES (FRAME_BYTES + PACKED_BYTES + 2 * DUMP_BLOCK_PAD)

static uint32_t crc_table[256];

__attribute__((constructor)) static void fill(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;

		for (int k = 0; k < 8; k++)
			c = c & 1 ? c >> 1 ^ 0x82f63b78 : c >> 1;
		crc_table[i] = c;
	}
}

/* CRC-32C, masked as the frame format requires, so that a checksum of checksums stays meaningful */
static uint32_t masked_crc(const uint8_t *p, size_t n)
{
	uint32_t c = 0xffffffff;

	for (size_t i = 0; i < n; i++)
		c = crc_table[(c ^ p[i]) & 0xff] ^ c >> 8;
	c = ~c;
	return (c >> 15 | c << 17) + 0xa282ead8;
}

static int broken(struct avml *a, const struct place *at, const char *what)
{
	a->r.broken = true;
	if (!a->r.error[0])
		snprintf(a->r.error, sizeof(a->r.error), "AVML: %s, at offset %llu", what, (unsigned long long)at->in);
	return -1;
}

static bool get(const struct avml *a, uint64_t offset, void *p, size_t n) { return a->base->read(a->base, offset, p, n) == n; }

/* Returns the next piece and advances past it.  1; 0: the end; -1: broken. */
static int step(struct avml *a, struct place *x, struct piece *ret)
{
	uint8_t head[HEAD_SIZE];

	for (;;) {
		if (x->inside && x->left == 0) {
			if (!get(a, x->in, head, 8))
				return broken(a, x, "the file ends after a segment, without its size");
			if (get64(head, false) != x->in - x->begin)
				return broken(a, x, "a segment's size is not that of its frames");
			x->in += 8;
			x->inside = false;
		}
		if (!x->inside) {
			uint64_t first, last;

			if (x->in >= a->base->size)
				return 0;
			if (!get(a, x->in, head, HEAD_SIZE))
				return broken(a, x, "the file ends in the head of a segment");
			first = get64(head + 8, false);
			last = get64(head + 16, false);
			if (memcmp(head, "AVML", 4) != 0 || get32(head + 4, false) != 2 || last < first || last - first >= UINT64_MAX / 4 - x->out)
				return broken(a, x, "no segment where one should begin");
			*ret = (struct piece){ .kind = HEAD, .in = x->in, .in_n = HEAD_SIZE, .out_n = HEAD_SIZE };
			x->in += HEAD_SIZE;
			x->out += HEAD_SIZE;
			x->begin = x->in;
			x->left = last - first + 1;
			x->inside = true;
			return 1;
		}
		/* a frame's head, its checksum, and the packed length */
		size_t got = a->base->read(a->base, x->in, head, 13), length;
		size_t n = got < 4 ? 0 : (size_t)head[1] | (size_t)head[2] << 8 | (size_t)head[3] << 16;

		if (got < 4 || n > a->base->size - x->in - 4)
			return broken(a, x, "the file ends inside a segment");
		*ret = (struct piece){ .kind = head[0] == 0 ? PACKED : STORED, .in = x->in + 8 };
		if (head[0] >= 0x80) { /* the stream's name, padding, what a reader may skip */
			x->in += 4 + n;
			continue;
		}
		if (head[0] > 1 || n < 5 || n - 4 > (head[0] ? FRAME_BYTES : PACKED_BYTES))
			return broken(a, x, "no frame where one should begin");
		length = n - 4;
		if (head[0] == 0 && (snappy_uncompressed_length((const char *)head + 8, got - 8, &length) != SNAPPY_OK || length > FRAME_BYTES))
			return broken(a, x, "a frame of a size that no frame has");
		if (length > x->left)
			return broken(a, x, "more frames than the segment has bytes");
		ret->in_n = (uint32_t)(n - 4);
		ret->out_n = (uint32_t)length;
		ret->checksum = get32(head + 4, false);
		x->in += 4 + n;
		x->out += length;
		x->left -= length;
		if (length)
			return 1;
	}
}

/* Unpacks a piece.  False: damaged; `error` is set. */
static bool unpack(struct avml *a, const struct piece *p, uint8_t *to)
{
	const struct place at = { .in = p->in };
	size_t n = p->out_n;

	if (p->kind == HEAD) {
		static const uint8_t lime[8] = { 'E', 'M', 'i', 'L', 1 };

		if (!get(a, p->in, to, HEAD_SIZE))
			return broken(a, &at, "cannot be read again") > 0;
		memcpy(to, lime, sizeof(lime));
		return true;
	}
	if (!get(a, p->in, p->kind == STORED ? to : a->packed, p->in_n))
		return broken(a, &at, "cannot be read again") > 0;
	if (p->kind == PACKED && (snappy_uncompress((const char *)a->packed, p->in_n, (char *)to, &n) != SNAPPY_OK || n != p->out_n))
		return broken(a, &at, "a frame is damaged") > 0;
	return masked_crc(to, n) == p->checksum || broken(a, &at, "a frame is not what its checksum says") > 0;
}

static size_t avml_read(struct dump_reader *r, uint64_t offset, void *p, size_t n)
{
	struct avml *a = (struct avml *)r;
	size_t done = 0;

	n = dump_reader_within(r, offset, n);
	if (n == 0)
		return 0;
	while (done < n) {
		const uint64_t at = offset + done;
		uint64_t start = a->now.out - a->piece.out_n; /* of the piece that the walker has just passed */

		if (at < start || at - start > (uint64_t)GROUP * FRAME_BYTES) {
			size_t low = 0, high = a->n;

			while (high - low > 1) {
				size_t middle = low + (high - low) / 2;

				if (a->places[middle].out <= at)
					low = middle;
				else
					high = middle;
			}
			a->now = a->places[low];
			a->piece = (struct piece){ 0 };
		}
		while (at >= a->now.out)
			if (step(a, &a->now, &a->piece) <= 0)
				return done;
		start = a->now.out - a->piece.out_n;
		size_t from = (size_t)(at - start), some = a->piece.out_n - from;

		if (from == 0 && some <= n - done) {
			if (!unpack(a, &a->piece, (uint8_t *)p + done))
				return done;
			done += some;
			continue;
		}
		if (!a->holds || a->held_at != start) {
			a->holds = unpack(a, &a->piece, a->held);
			a->held_at = start;
			if (!a->holds)
				return done;
		}
		some = some < n - done ? some : n - done;
		memcpy((uint8_t *)p + done, a->held + from, some);
		done += some;
	}
	return done;
}

static void avml_release(struct dump_reader *r)
{
	struct avml *a = (struct avml *)r;

	dump_pages_free(a->pages, PAGES_BYTES);
	free(a->places);
	dump_reader_free(a->base);
}

static bool keep(struct avml *a, const struct place *x)
{
	if (a->n == a->capacity) {
		size_t capacity = a->capacity ? 2 * a->capacity : 64;
		struct place *bigger = capacity <= DUMP_AVML_PLACES_MAX ? realloc(a->places, capacity * sizeof(*bigger)) : NULL;

		if (!bigger)
			return false;
		a->places = bigger;
		a->capacity = capacity;
	}
	a->places[a->n++] = *x;
	return true;
}

bool dump_is_avml(struct dump_reader *base)
{
	uint8_t head[8];

	return base->read(base, 0, head, sizeof(head)) == sizeof(head) && memcmp(head, "AVML", 4) == 0 && get32(head + 4, false) == 2;
}

struct dump_reader *dump_reader_avml(struct dump_reader *base)
{
	struct avml *a = calloc(1, sizeof(*a));
	struct place x = { 0 };
	struct piece p;

	if (!a)
		return NULL;
	a->base = base;
	a->pages = dump_pages_new(PAGES_BYTES);
	if (!a->pages) {
		free(a);
		return NULL;
	}
	a->held = a->pages;
	a->packed = a->pages + FRAME_BYTES + DUMP_BLOCK_PAD;
	a->r.read = avml_read;
	a->r.release = avml_release;
	a->r.forward = base->forward;
	for (uint64_t i = 0;; i++) {
		struct place before = x;

		if (i % GROUP == 0 && !keep(a, &before)) {
			(void)broken(a, &x, "more frames than are remembered");
			break;
		}
		if (step(a, &x, &p) <= 0) {
			x = before;
			break;
		}
	}
	a->r.size = x.out;
	if (base->broken && !a->r.broken) {
		a->r.broken = true;
		snprintf(a->r.error, sizeof(a->r.error), "%s", base->error);
	}
	return &a->r;
}
