/* SPDX-License-Identifier: Apache-2.0 */
/* density: which lines of 32 bytes can be part of a number?  The bytes of a prime or a private exponent are as good as random:
 * of 32 such bytes six or more are zero once in 3 * 10^8 lines, and all below 0x80 once in 4 * 10^9.  Zero pages, text, pointers,
 * counters and most code fail.  A window is looked at only if the lines wholly inside it pass; so a scan at every byte costs
 * little on ordinary memory. */
#ifndef TXM_DUMP_DENSITY_H
#define TXM_DUMP_DENSITY_H

#include <stdlib.h>

#include "dump/dump.h"

#define DENSITY_LINE 32

struct density {
	uint64_t *bits; /* bit k of word k / 64: the line at byte 32 k */
	size_t words;
};

/* All of p[0 .. n).  False: out of memory. */
bool density_new(struct density *d, const uint8_t *p, size_t n, enum dump_path path);
static inline void density_free(struct density *d) { free(d->bits); }

/* bits of lines k .. k + 63 */
static inline uint64_t density_from(const struct density *d, size_t k)
{
	size_t word = k / 64, shift = k % 64;
	uint64_t x;

	if (word >= d->words)
		return 0;
	x = d->bits[word] >> shift;
	if (shift && word + 1 < d->words)
		x |= d->bits[word + 1] << (64 - shift);
	return x;
}

/* Of the 64 windows of `bytes` bytes that begin at `at` (a multiple of 64): a mask of those that may be numbers. */
static inline uint64_t density_windows(const struct density *d, size_t at, size_t bytes)
{
	size_t inner = bytes / DENSITY_LINE - 1;
	uint64_t need = inner >= 63 ? ~UINT64_C(0) >> 1 : (UINT64_C(1) << inner) - 1;
	uint64_t lines = density_from(d, at / DENSITY_LINE + 1);
	uint64_t mask = 0;

	if ((lines & need) == need)
		mask |= UINT32_MAX;
	if ((lines >> 1 & need) == need)
		mask |= (uint64_t)UINT32_MAX << 32;
	return mask;
}

#endif
