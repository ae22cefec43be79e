/* SPDX-License-Identifier: Apache-2.0 */
/* cells: numbers whose words are not full.  Some libraries keep 63 bits in each 8-byte word (Go 1.20), 60 or 28 (LibTomMath),
 * 52 (code for IFMA), 31 or 15 (BearSSL), 30 (Python's int): the spare bits take carries.
 *
 * Nearly nothing else passes their filter: so many cells in a row, none of them zero on top beyond chance, none using its
 * spare bits, the last as long as a prime's rest.  What passes is packed together and asked whether it divides N. */
#include <stdlib.h>

#include <openssl/crypto.h>

#include "base/limits.h"
#include "dump/bytes.h"
#include "dump/find_int.h"

#define CELLS_MAX 600

static const struct layout {
	uint8_t bits, bytes;
	const char *name;
} layouts[] = {
	{ 63, 8, "U63/8" }, { 62, 8, "U62/8" }, { 60, 8, "U60/8" }, { 56, 8, "U56/8" }, { 52, 8, "U52/8" }, { 51, 8, "U51/8" },
	{ 31, 4, "U31/4" }, { 30, 4, "U30/4" }, { 29, 4, "U29/4" }, { 28, 4, "U28/4" }, { 26, 4, "U26/4" }, { 15, 2, "U15/2" },
};

struct cells {
	unsigned sizes[CELLS_SIZES_MAX]; /* bits of a prime */
	size_t n_sizes;
};

extern const struct dump_finder dump_finder_find_cells;

static bool begin(struct dump_scan *s, struct dump_image *im, void **ret)
{
	struct cells *c = calloc(1, sizeof(*c));
	size_t n;
	const struct dump_target *t = dump_targets(s, &n);

	(void)im;
	*ret = c;
	for (size_t i = 0; c && i < n; i++) {
		unsigned bits = (t[i].bits + 1) / 2;
		bool known = t[i].algorithm != DUMP_RSA || t[i].distant || bits < 192 || bits > 8192;

		for (size_t k = 0; k < c->n_sizes && !known; k++)
			known = c->sizes[k] == bits;
		if (!known && c->n_sizes == CELLS_SIZES_MAX)
			dump_limit(s, "more sizes of RSA keys than are hunted in words that are not full");
		else if (!known)
			c->sizes[c->n_sizes++] = bits;
	}
	return c != NULL;
}

static inline uint64_t cell(const uint8_t *p, unsigned bytes)
{
	return bytes == 8 ? get64(p, false) : bytes == 4 ? get32(p, false) : get16(p, false);
}

/* The number in `n` cells at p; NULL: out of memory. */
static BIGNUM *pack(const uint8_t *p, const struct layout *l, unsigned n)
{
	uint8_t le[CELLS_MAX * 8 + 16] = { 0 };
	BIGNUM *x = BN_secure_new();

	for (unsigned i = 0; i < n; i++) {
		unsigned at = i * l->bits;
		unsigned __int128 v = (unsigned __int128)cell(p + (size_t)i * l->bytes, l->bytes) << at % 8;

		for (unsigned k = 0; k < 9; k++)
			le[at / 8 + k] |= (uint8_t)(v >> 8 * k);
	}
	if (x && !BN_lebin2bn(le, (int)((n * l->bits + 7) / 8), x)) {
		BN_clear_free(x);
		x = NULL;
	}
	OPENSSL_cleanse(le, sizeof(le));
	return x;
}

static void confirm(struct dump_scan *s, const struct dump_block *b, const struct layout *l, size_t i, unsigned n, unsigned bits)
{
	size_t count;
	const struct dump_target *t = dump_targets(s, &count);
	BIGNUM *w = pack(b->p + i, l, n);
	struct dump_hit hit = { .klass = DUMP_PROVED, .proof = DUMP_PROOF_FACTOR, .form = "number", .algorithm = DUMP_RSA,
		                .layout = l->name };

	for (size_t k = 0; w && k < count; k++) {
		if (t[k].algorithm != DUMP_RSA || t[k].distant || (t[k].bits + 1) / 2 != bits)
			continue;
		hit.key = find_factor(s, &t[k], w, &hit.component);
		hit.bits = t[k].bits;
		if (hit.key >= 0)
			dump_report(s, &dump_finder_find_cells, b, i, (size_t)n * l->bytes, &hit);
	}
	BN_clear_free(w);
}

/* The cell at `at` may be the top one: are there enough full ones before it, from `from` on? */
static void try_top(struct dump_scan *s, const struct cells *c, const struct dump_block *b, const struct layout *l, size_t from, size_t at)
{
	const uint64_t x = cell(b->p + at, l->bytes);

	if (x == 0 || x >> l->bits)
		return;
	for (size_t k = 0; k < c->n_sizes; k++) {
		const unsigned cells = (c->sizes[k] + l->bits - 1) / l->bits, rest = c->sizes[k] - (cells - 1) * l->bits;
		const size_t back = (size_t)(cells - 1) * l->bytes;

		if (cells > CELLS_MAX || at - from < back || x >> (rest - 1) != 1 || at - back >= b->own || !(b->p[at - back] & 1))
			continue;
		confirm(s, b, l, at - back, cells, c->sizes[k]);
	}
}

/* A run of so many cells cannot hide between two samples that far apart: most memory is stepped over. */
static void scan_layout(struct dump_scan *s, const struct cells *c, const struct dump_block *b, const struct layout *l)
{
	const unsigned size = l->bytes;
	/* all but one in 2^slack of a number's cells have one of their top `slack` bits set; pointers of 47 bits do not */
	const unsigned slack = size == 8 ? 16 : size == 4 ? 14 : 11;
	const uint64_t high = UINT64_C(1) << l->bits, low = UINT64_C(1) << (l->bits - slack);
	const size_t first = (8 - b->phase) % 8 % size;
	unsigned stride = UINT32_MAX;

	for (size_t k = 0; k < c->n_sizes; k++) {
		unsigned full = (c->sizes[k] - 1) / l->bits;

		stride = full < stride ? full : stride;
	}
	for (size_t at = first + (size_t)(stride - 1) * size, from; at + size <= b->n; at += (size_t)stride * size) {
		uint64_t x = cell(b->p + at, size);

		if (x < low || x >= high)
			continue;
		for (from = at; from >= first + size && (x = cell(b->p + from - size, size)) >= low && x < high; from -= size)
			;
		for (at = from; at + size <= b->n; at += size) {
			if (at - from >= (size_t)stride * size)
				try_top(s, c, b, l, from, at);
			x = cell(b->p + at, size);
			if (x < low || x >= high)
				break;
		}
	}
}

static void scan(struct dump_scan *s, void *state, const struct dump_block *b)
{
	const struct cells *c = state;

	if (c->n_sizes == 0 || b->encoding || (b->im && b->im->big_endian))
		return;
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++)
		scan_layout(s, c, b, &layouts[i]);
}

const struct dump_finder dump_finder_find_cells = {
	.name = "cells",
	.doc = "p or q of a known RSA key in words that are not full: Go, LibTomMath, BearSSL, Python",
	.needs_targets = true,
	.begin = begin,
	.scan = scan,
	.end = free,
};
