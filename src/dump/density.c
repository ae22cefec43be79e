/* SPDX-License-Identifier: Apache-2.0 */
/* density: the same bits, computed in three ways. */
#include "dump/density.h"

#include "dump/bytes.h"
#include "dump/redc.h"

#define ZEROS_MAX 5

#if defined(__x86_64__)
#include <immintrin.h>

__attribute__((target("avx2,popcnt"))) static uint64_t word_avx2(const uint8_t *p)
{
	const __m256i zero = _mm256_setzero_si256();
	uint64_t bits = 0;

	for (unsigned k = 0; k < 64; k++) {
		__m256i x = _mm256_loadu_si256((const __m256i *)(const void *)(p + DENSITY_LINE * k));
		unsigned zeros = (unsigned)_mm256_movemask_epi8(_mm256_cmpeq_epi8(x, zero));

		bits |= (uint64_t)(_mm256_movemask_epi8(x) != 0 && __builtin_popcount(zeros) <= ZEROS_MAX) << k;
	}
	return bits;
}
#endif

static bool line(const uint8_t *p, size_t n)
{
	unsigned zeros = 0;
	uint8_t any = 0;

	if (n < DENSITY_LINE)
		return false;
	for (size_t i = 0; i < DENSITY_LINE; i++) {
		zeros += p[i] == 0;
		any |= p[i];
	}
	return any >= 0x80 && zeros <= ZEROS_MAX;
}

bool density_new(struct density *d, const uint8_t *p, size_t n, enum dump_path path)
{
	size_t lines = n / DENSITY_LINE;

	d->words = lines / 64 + 1;
	d->bits = malloc(d->words * sizeof(*d->bits));
	if (!d->bits)
		return false;
	path = redc_path(path);
	for (size_t w = 0; w < d->words; w++) {
		size_t at = w * 64 * DENSITY_LINE;

#if defined(__x86_64__)
		if (path != DUMP_PATH_PORTABLE && n - at >= (size_t)64 * DENSITY_LINE) {
			d->bits[w] = word_avx2(p + at);
			continue;
		}
#endif
		d->bits[w] = 0;
		for (size_t k = 0; k < 64 && (w * 64 + k) < lines; k++)
			d->bits[w] |= (uint64_t)line(p + at + DENSITY_LINE * k, n - at - DENSITY_LINE * k) << k;
	}
	return true;
}
