/* SPDX-License-Identifier: Apache-2.0 */
/* divisor: p or q of a known N, wherever it is, without anything around it.
 *
 * Every window of a prime's size is a candidate if its lowest bit is set and its top byte can be that of a prime: generators
 * make p and q at least sqrt(2) 2^(h-1), so that N has its full length (--any-prime: N / 2^h, which always holds).  redc.c tests
 * whether a candidate divides N; OpenSSL confirms it.  A divisor other than 1 and N is p or q, so a hit is its own proof and
 * false hits are impossible.
 *
 * Layouts: little-endian at the step of the block (8 in memory, 1 in plain bytes), big-endian at each byte, Java's words at each
 * fourth; in dumps of big-endian processes their words.  Loads at i and i + h/8 - 1 serve the first two at once. */
#include "dump/dump.h"

#include <openssl/crypto.h>
#include <stdlib.h>

#include "base/limits.h"
#include "dump/bytes.h"
#include "dump/density.h"
#include "dump/find_int.h"
#include "dump/number.h"
#include "dump/redc.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif


struct group {
	struct redc redc;
	uint8_t low, span;  /* top byte - low <= span */
	struct redc_target *redcs;
	const struct dump_target **targets;
	size_t n, capacity;
	size_t near;        /* the first so many are hunted in every layout; the rest (authorities found in the dump) in LE alone */
};

struct divisor {
	struct group groups[DIVISOR_SIZES_MAX];
	size_t n_groups;
	enum dump_path path;
	bool native;
};

extern const struct dump_finder dump_finder_find_divisor;

static void end(void *state)
{
	struct divisor *d = state;

	for (size_t i = 0; d && i < d->n_groups; i++) {
		free(d->groups[i].redcs);
		free(d->groups[i].targets);
	}
	free(d);
}

static bool put(struct dump_scan *s, struct divisor *d, const struct dump_target *t, bool any_prime)
{
	BIGNUM *n = BN_bin2bn(t->n.p, (int)t->n.n, NULL);
	unsigned bits = n ? (unsigned)(BN_num_bits(n) + 1) / 2 : 0, top = (bits - 1) % 8 + 1;
	uint8_t low = (uint8_t)((any_prime ? 1u << (top - 1) : 0xb5u >> (8 - top)));
	struct group *g = NULL;

	if (!n || bits < 192 || bits > 8 * REDC_BYTES_MAX || !BN_is_odd(n)) {
		BN_free(n);
		return n != NULL;
	}
	if (any_prime) {
		/* p > N / 2^h */
		BIGNUM *x = BN_new();

		low = 1;
		if (x && BN_rshift(x, n, (int)bits + (int)(bits - top)))
			low = (uint8_t)BN_get_word(x);
		low = low ? low : 1;
		BN_free(x);
	}
	for (size_t i = 0; i < d->n_groups && !g; i++)
		if (d->groups[i].redc.bits == bits)
			g = &d->groups[i];
	if (!g && d->n_groups < DIVISOR_SIZES_MAX) {
		g = &d->groups[d->n_groups++];
		redc_init(&g->redc, bits, d->path);
		g->low = low;
	}
	if (!g) {
		dump_limit(s, "more sizes of RSA keys than are hunted");
		BN_free(n);
		return true;
	}
	g->low = low < g->low ? low : g->low;
	g->span = (uint8_t)((1u << top) - 1 - g->low);
	if (g->n == g->capacity) {
		size_t capacity = g->capacity ? g->capacity * 2 : 8;
		struct redc_target *redcs = realloc(g->redcs, capacity * sizeof(*redcs));
		const struct dump_target **targets;

		if (redcs)
			g->redcs = redcs;
		targets = redcs ? realloc(g->targets, capacity * sizeof(*targets)) : NULL;
		if (!targets) {
			BN_free(n);
			return false;
		}
		g->targets = targets;
		g->capacity = capacity;
	}
	redc_target_init(&g->redc, &g->redcs[g->n], n);
	g->targets[g->n++] = t;
	g->near += !t->distant;
	BN_free(n);
	return true;
}

static bool begin(struct dump_scan *s, struct dump_image *im, void **ret)
{
	const struct dump_options *o = dump_scan_options(s);
	struct divisor *d = calloc(1, sizeof(*d));
	const struct dump_target *t;
	size_t n;

	(void)im;
	*ret = d;
	if (!d)
		return false;
	d->path = redc_path(o->path);
	d->native = o->native;
	t = dump_targets(s, &n);
	for (int distant = 0; distant < 2; distant++) /* near ones first */
		for (size_t i = 0; i < n; i++)
			if (t[i].algorithm == DUMP_RSA && t[i].distant == (distant != 0) && !put(s, d, &t[i], o->any_prime)) {
				end(d);
				*ret = NULL;
				return false;
			}
	return true;
}

/* ---- candidates ---- */

struct masks { uint64_t odd_here, odd_there, top_here, top_there; };

typedef struct masks (*mask_function)(const uint8_t *here, const uint8_t *there, uint8_t low, uint8_t span);

#define EACH_BYTE UINT64_C(0x0101010101010101)

/* the lowest bits of eight bytes, side by side */
static inline uint64_t gather_bits(uint64_t x) { return (x & EACH_BYTE) * UINT64_C(0x0102040810204080) >> 56; }

static struct masks masks_portable(const uint8_t *here, const uint8_t *there, uint8_t low, uint8_t span)
{
	const uint64_t add = EACH_BYTE * (0x80u - (low & 0x7fu));
	struct masks m = { 0 };

	if (low < 0x80 || low + span != 0xff) { /* a prime whose top byte is not full */
		for (unsigned i = 0; i < 64; i++) {
			m.odd_here |= (uint64_t)(here[i] & 1) << i;
			m.odd_there |= (uint64_t)(there[i] & 1) << i;
			m.top_here |= (uint64_t)((uint8_t)(here[i] - low) <= span) << i;
			m.top_there |= (uint64_t)((uint8_t)(there[i] - low) <= span) << i;
		}
		return m;
	}
	for (unsigned i = 0; i < 64; i += 8) { /* a byte is low or more: its high bit is set, and adding the rest of low carries */
		const uint64_t x = get64(here + i, false), y = get64(there + i, false);

		m.odd_here |= gather_bits(x) << i;
		m.odd_there |= gather_bits(y) << i;
		m.top_here |= gather_bits((x & ((x & EACH_BYTE * 0x7f) + add)) >> 7) << i;
		m.top_there |= gather_bits((y & ((y & EACH_BYTE * 0x7f) + add)) >> 7) << i;
	}
	return m;
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static inline __attribute__((always_inline)) uint64_t odd_avx2(__m256i a, __m256i b)
{
	return (uint32_t)_mm256_movemask_epi8(_mm256_slli_epi16(a, 7)) |
	       (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_slli_epi16(b, 7)) << 32;
}

__attribute__((target("avx2"))) static inline __attribute__((always_inline)) uint64_t top_avx2(__m256i a, __m256i b, __m256i low,
											       __m256i span)
{
	a = _mm256_sub_epi8(a, low);
	b = _mm256_sub_epi8(b, low);
	return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_min_epu8(a, span), a)) |
	       (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_min_epu8(b, span), b)) << 32;
}

__attribute__((target("avx2"))) static struct masks masks_avx2(const uint8_t *here, const uint8_t *there, uint8_t low, uint8_t span)
{
	const __m256i l = _mm256_set1_epi8((char)low), s = _mm256_set1_epi8((char)span);
	__m256i a = _mm256_loadu_si256((const __m256i *)(const void *)here);
	__m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(here + 32));
	__m256i c = _mm256_loadu_si256((const __m256i *)(const void *)there);
	__m256i d = _mm256_loadu_si256((const __m256i *)(const void *)(there + 32));

	return (struct masks){ odd_avx2(a, b), odd_avx2(c, d), top_avx2(a, b, l, s), top_avx2(c, d, l, s) };
}

__attribute__((target("avx512f,avx512bw"))) static struct masks masks_avx512(const uint8_t *here, const uint8_t *there, uint8_t low,
									     uint8_t span)
{
	const __m512i l = _mm512_set1_epi8((char)low), s = _mm512_set1_epi8((char)span), one = _mm512_set1_epi8(1);
	__m512i a = _mm512_loadu_si512(here), b = _mm512_loadu_si512(there);

	return (struct masks){ _mm512_test_epi8_mask(a, one), _mm512_test_epi8_mask(b, one),
		               _mm512_cmple_epu8_mask(_mm512_sub_epi8(a, l), s), _mm512_cmple_epu8_mask(_mm512_sub_epi8(b, l), s) };
}
#endif

struct queue {
	enum number_layout layout;
	size_t at[REDC_LANES];
	unsigned n;
};

struct hunt {
	struct dump_scan *s;
	const struct group *g;
	const struct dump_block *b;
	uint8_t *passed;
	uint8_t scratch[REDC_LANES][REDC_BYTES_MAX + 16];
	struct queue queues[NUMBER_LAYOUTS];
};

static void confirm(struct hunt *h, const struct dump_target *t, enum number_layout layout, size_t i)
{
	const struct dump_block *b = h->b;
	const size_t bytes = h->g->redc.bytes;
	BIGNUM *w = number_to_bn(layout, b->p + i, bytes);
	struct dump_hit hit = { .klass = DUMP_PROVED, .proof = DUMP_PROOF_FACTOR, .form = "number", .algorithm = DUMP_RSA,
		                .bits = t->bits };

	hit.key = w ? find_factor(h->s, t, w, &hit.component) : -1;
	BN_clear_free(w);
	if (hit.key < 0)
		return;
	hit.layout = find_layout(h->s, b, layout);
	dump_report(h->s, &dump_finder_find_divisor, b, i, bytes, &hit);
}

static void flush(struct hunt *h, struct queue *q)
{
	const struct group *g = h->g;
	const size_t targets = q->layout == NUMBER_LE ? g->n : g->near;
	const uint8_t *windows[REDC_LANES];
	enum redc_order order = q->layout == NUMBER_BE ? REDC_BE : REDC_LE;

	if (q->n == 0)
		return;
	for (unsigned l = 0; l < q->n; l++) {
		windows[l] = h->b->p + q->at[l];
		if (q->layout > NUMBER_BE) {
			number_to_le(q->layout, h->b->p + q->at[l], g->redc.bytes, h->scratch[l]);
			windows[l] = h->scratch[l];
		}
	}
	redc_test(&g->redc, windows, q->n, order, g->redcs, targets, h->passed);
	for (size_t t = 0; t < targets; t++)
		for (unsigned l = 0; h->passed[t] && l < q->n; l++)
			if (h->passed[t] >> l & 1)
				confirm(h, g->targets[t], q->layout, q->at[l]);
	q->n = 0;
}

static inline void push(struct hunt *h, enum number_layout layout, size_t at, uint64_t mask)
{
	struct queue *q = &h->queues[layout];

	for (; mask; mask &= mask - 1) {
		q->at[q->n++] = at + (size_t)__builtin_ctzll(mask);
		if (q->n == REDC_LANES)
			flush(h, q);
	}
}

static uint64_t step_mask(const struct dump_block *b, unsigned step)
{
	static const uint64_t every[9] = { [1] = ~UINT64_C(0), [4] = UINT64_C(0x1111111111111111), [8] = UINT64_C(0x0101010101010101) };
	unsigned first = (8 - b->phase) % step; /* index of the first aligned byte */

	return every[step] << first;
}

static void scan_group(struct dump_scan *s, struct divisor *d, const struct group *g, const struct dump_block *b,
		       const struct density *density)
{
	const size_t bytes = g->redc.bytes;
	const bool java = bytes % 4 == 0 && g->redc.bits % 32 == 0, swapped = b->im && b->im->big_endian && bytes % 8 == 0;
	const uint64_t le = step_mask(b, b->step), four = step_mask(b, b->step == 1 ? 1 : 4);
	mask_function masks = masks_portable;
	struct hunt *h;
	size_t limit;

	if (b->n < bytes)
		return;
	limit = b->n - bytes + 1 < b->own ? b->n - bytes + 1 : b->own;
#if defined(__x86_64__)
	if (d->path == DUMP_PATH_AVX2)
		masks = masks_avx2;
	if (d->path == DUMP_PATH_IFMA)
		masks = masks_avx512;
#endif
	h = malloc(sizeof(*h));
	if (h)
		h->passed = malloc(g->n + 1);
	if (!h || !h->passed) {
		free(h);
		dump_limit(s, "out of memory: a block was not searched for divisors");
		return;
	}
	h->s = s;
	h->g = g;
	h->b = b;
	for (unsigned i = 0; i < NUMBER_LAYOUTS; i++)
		h->queues[i] = (struct queue){ .layout = (enum number_layout)i };
	for (size_t i = 0; i < limit; i += 64) {
		uint64_t dense = density_windows(density, i, bytes);
		struct masks m;

		if (!dense) {
			/* nothing in the next 2048 bytes? */
			if (i % 2048 == 1984 && i / 2048 + 1 < density->words && density->bits[i / 2048 + 1] == 0)
				i += 1984;
			continue;
		}
		if (limit - i < 64)
			dense &= (UINT64_C(1) << (limit - i)) - 1;
		m = masks(b->p + i, b->p + i + bytes - 1, g->low, g->span);
		push(h, NUMBER_LE, i, m.odd_here & m.top_there & dense & le);
		if (g->near == 0 || (d->native && !swapped))
			continue;
		push(h, NUMBER_BE, i, m.top_here & m.odd_there & dense);
		if (java) {
			m = masks(b->p + i + 3, b->p + i + bytes - 4, g->low, g->span);
			push(h, NUMBER_J32, i, m.top_here & m.odd_there & dense & four);
		}
		if (swapped) {
			m = masks(b->p + i + 7, b->p + i + bytes - 8, g->low, g->span);
			push(h, NUMBER_W64, i, m.odd_here & m.top_there & dense & le);
			m = masks(b->p + i + 3, b->p + i + bytes - 4, g->low, g->span);
			push(h, NUMBER_W32, i, m.odd_here & m.top_there & dense & four);
		}
	}
	for (unsigned i = 0; i < NUMBER_LAYOUTS; i++)
		flush(h, &h->queues[i]);
	OPENSSL_cleanse(h->scratch, sizeof(h->scratch));
	free(h->passed);
	free(h);
}

static void scan(struct dump_scan *s, void *state, const struct dump_block *b)
{
	struct divisor *d = state;
	struct density density;

	if (d->n_groups == 0)
		return;
	if (!density_new(&density, b->p, b->n, d->path)) {
		dump_limit(s, "out of memory: a block was not searched for divisors");
		return;
	}
	for (size_t i = 0; i < d->n_groups; i++)
		scan_group(s, d, &d->groups[i], b, &density);
	density_free(&density);
}

const struct dump_finder dump_finder_find_divisor = {
	.name = "divisor",
	.doc = "p or q of a known RSA key, alone, in any layout",
	.decoded = true,
	.needs_targets = true,
	.begin = begin,
	.scan = scan,
	.end = end,
};
