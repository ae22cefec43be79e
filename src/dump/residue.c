/* SPDX-License-Identifier: Apache-2.0 */
/* residue: the last check before a redacted dump is released, with the public key alone: does any number in it give a factor of N away?
 *
 * A core from which all numbers of a key file had been erased gave the key back from R^2 mod p alone; another from p - q, or from a Barrett
 * quotient.  So each window of bytes that may be a number is put to the tests of dump/relation.h, in each layout, and what passes is a
 * factor.  It shares no code with what erases (dump/trace.c), and knows nothing of p and q.
 *
 * Which windows: those whose bytes are as varied as random ones.  Of h random bytes the number of distinct values is below the threshold
 * once in 2^30 (the exact distribution is computed: distinct_least()); pointers, text, code and tables have far fewer.  A line of 32 bytes
 * inside it must pass density.h too.
 *
 * How much is tested depends on how many such windows there are (it is the same for any number of threads): see `enum plan`. */
#include <openssl/crypto.h>
#include <stdlib.h>

#include "dump/bytes.h"
#include "dump/density.h"
#include "dump/number.h"
#include "dump/redact.h"
#include "dump/relation.h"
#include "dump/scan_int.h"

enum layout { LE, BE, J32, H64, LAYOUTS };
static const uint8_t layout_word[LAYOUTS] = { 1, 1, 4, 8 };
static const char *const layout_names[LAYOUTS] = { "LE", "BE", "J32", "H64" };

struct residue {
	const struct dump_residue_search *search;
	const struct dump_modulus *sorted;
	struct relation *relations; /* of these */
	size_t n;
	unsigned least[RELATION_SIZES][DUMP_RSA_BITS_MAX / 8 / 8 + 1]; /* distinct bytes wanted in a window of so many words */
	struct block_work blocks;
	bool counting;           /* the first pass */
	uint64_t in_step[8];     /* windows in blocks of so many, see `steps` */
	size_t n_first;          /* of the moduli, those that matter most, see choose() */
	uint32_t all_to[2], most_to[2]; /* for these, and for the others */
	pthread_mutex_t lock;
	struct dump_residue *ret;
};

/* Windows of one size in a block. */
struct windows { uint32_t *at; size_t n, capacity; };

struct batch { uint32_t at[RESIDUE_BATCH]; uint8_t layout[RESIDUE_BATCH]; size_t n; };

struct state { /* of one thread */
	struct residue *x;
	const struct dump_block *b;
	struct windows windows;
	struct batch *batch;
	mp_limb_t *scratch;
	size_t scratch_bytes, stretch;
	uint8_t *digits, *wanted;
	uint32_t *places;
	bool ok;
};

/* ---- which windows ---- */

/* The largest t so that fewer than t distinct values among n random bytes have a chance below 2^-30. */
static unsigned distinct_least(size_t n)
{
	double chance[257] = { 1 }, sum = 0;
	unsigned t = 0;

	for (size_t i = 0; i < n; i++) {
		for (unsigned d = 256; d > 0; d--)
			chance[d] = chance[d] * d / 256 + chance[d - 1] * (257 - d) / 256;
		chance[0] = 0;
	}
	while (t < 256 && sum + chance[t] < 0x1p-30)
		sum += chance[t++];
	return t;
}

static bool put_window(struct windows *w, size_t at)
{
	if (w->n == w->capacity) {
		size_t capacity = w->capacity ? w->capacity * 2 : 4096;
		uint32_t *bigger = realloc(w->at, capacity * sizeof(*bigger));

		if (!bigger)
			return false;
		w->at = bigger;
		w->capacity = capacity;
	}
	w->at[w->n++] = (uint32_t)at;
	return true;
}

static bool gather(struct windows *w, const struct dump_block *b, const struct density *density, size_t bytes, unsigned least)
{
	const uint8_t *p = b->p;
	uint16_t count[256];
	unsigned distinct = 0;
	bool rolling = false, ok = true;
	size_t limit;

	w->n = 0;
	if (b->n < bytes)
		return true;
	limit = b->n - bytes + 1 < b->own ? b->n - bytes + 1 : b->own;
	for (size_t i = 0; i < limit && ok; i += 64) {
		const uint64_t mask = density_windows(density, i, bytes);
		const size_t end = limit - i < 64 ? limit - i : 64;

		if (!mask) {
			rolling = false;
			if (i % 2048 == 1984 && i / 2048 + 1 < density->words && density->bits[i / 2048 + 1] == 0)
				i += 1984;
			continue;
		}
		if (!rolling) {
			memset(count, 0, sizeof(count));
			distinct = 0;
			for (size_t k = 0; k < bytes; k++)
				distinct += count[p[i + k]]++ == 0;
			rolling = true;
		}
		for (size_t k = 0; k < end && ok; k++) {
			if (distinct >= least && (mask >> k & 1))
				ok = put_window(w, i + k);
			distinct -= --count[p[i + k]] == 0;
			distinct += count[p[i + k + bytes]]++ == 0; /* (past the end there are zeros) */
		}
	}
	return ok;
}

/* ---- one window ---- */

/* v[0]: the 64 bits below, v[1 ...]: the number, `limbs` of them, and `more` words on top */
static bool load(const struct dump_block *b, enum layout layout, size_t at, size_t bytes, size_t limbs, size_t more, mp_limb_t *v)
{
	const uint8_t *p = b->p + at;
	const size_t word = layout_word[layout], n = (bytes + word - 1) / word * word;

	if (at + n + (layout == LE ? 8 * more : 0) > b->n)
		return false;
	memset(v + 1, 0, (limbs + more) * sizeof(*v));
	switch (layout) {
	case LE:
		v[0] = get64(p - 8, false);
		memcpy(v + 1, p, bytes + 8 * more);
		break;
	case BE:
		v[0] = get64(p + n, true);
		for (size_t i = 0; i < bytes; i++)
			v[1 + i / 8] |= (mp_limb_t)p[bytes - 1 - i] << i % 8 * 8;
		break;
	case J32:
		v[0] = (uint64_t)get32(p + n, false) << 32 | get32(p + n + 4, false);
		for (size_t i = 0; i < n; i += 4)
			v[1 + i / 8] |= (mp_limb_t)get32(p + n - 4 - i, false) << i % 8 * 8;
		break;
	default:
		v[0] = get64(p + n, false);
		for (size_t i = 0; i < n; i += 8)
			v[1 + i / 8] = get64(p + n - 8 - i, false);
	}
	return true;
}

static void found(struct state *s, const struct relation *r, enum relation_size size, enum layout layout, size_t at, const mp_limb_t *factor,
		  const char *relation)
{
	struct residue *x = s->x;
	const struct dump_residue_search *search = x->search;
	struct dump_hit where = { 0 };

	(void)dump_locate(s->b, at, r->bytes[size], &where);
	pthread_mutex_lock(&x->lock);
	if (x->ret->found == 0 || where.offset < x->ret->first.offset) {
		x->ret->first = where;
		x->ret->modulus = (size_t)(r - x->relations);
		x->ret->relation = relation;
	}
	x->ret->found++;
	pthread_mutex_unlock(&x->lock);
	if (search && search->found) {
		uint8_t be[DUMP_RSA_BITS_MAX / 8];
		size_t n = 8 * r->k;

		for (size_t i = 0; i < n && factor; i++)
			be[n - 1 - i] = (uint8_t)(factor[i / 8] >> i % 8 * 8);
		search->found(search->arg, s->b, at, r->bytes[size], x->sorted[r - x->relations].index, factor ? be : NULL, factor ? n : 0, layout_names[layout],
		              relation);
		OPENSSL_cleanse(be, sizeof(be));
	}
}

struct tests { bool common, rare, quotients; };

static bool multiply(const struct state *s, const struct relation *r, enum relation_size size, enum layout layout, size_t at,
		     const struct tests *tests, mp_limb_t *product)
{
	mp_limb_t v[RELATION_LIMBS + 2];

	if (!load(s->b, layout, at, r->bytes[size], r->limbs[size], 0, v))
		return false;
	if (tests->common)
		relation_multiply(r, size, v, product);
	if (tests->rare)
		relation_multiply_rare(r, v, product);
	if (tests->quotients)
		relation_multiply_quotients(r, v, product);
	return true;
}

static void settle(struct state *s, const struct relation *r, enum relation_size size, const struct tests *tests, mp_limb_t *product)
{
	struct batch *batch = s->batch;
	mp_limb_t factor[RELATION_LIMBS];

	if (batch->n && relation_product_end(r, product, true, factor)) {
		for (size_t i = 0; i < batch->n; i++) {
			relation_product_begin(r, product);
			if (multiply(s, r, size, (enum layout)batch->layout[i], batch->at[i], tests, product) &&
			    relation_product_end(r, product, false, factor))
				found(s, r, size, (enum layout)batch->layout[i], batch->at[i], factor, "a number that shares a factor");
		}
	}
	batch->n = 0;
	relation_product_begin(r, product);
}

/* Windows of one size, in one layout, at each `step` bytes of memory. */
static void products(struct state *s, const struct relation *r, enum relation_size size, enum layout layout, size_t step, const struct tests *tests)
{
	const struct dump_block *b = s->b;
	mp_limb_t product[RELATION_LIMBS], v[RELATION_LIMBS + 2], factor[RELATION_LIMBS];
	uint64_t tested = 0;

	relation_product_begin(r, product);
	for (size_t i = 0; i < s->windows.n; i++) {
		const size_t at = s->windows.at[i];

		if ((at + b->phase) % step || !multiply(s, r, size, layout, at, tests, product))
			continue;
		tested++;
		s->batch->at[s->batch->n] = (uint32_t)at;
		s->batch->layout[s->batch->n++] = (uint8_t)layout;
		if (s->batch->n == RESIDUE_BATCH)
			settle(s, r, size, tests, product);
		if (size == RELATION_HALF && r->primes && load(b, layout, at, r->bytes[size], r->limbs[size], 0, v) && relation_is_known(r, v))
			found(s, r, size, layout, at, NULL, "a product with a member of the key");
		if (tests->quotients) {
			(void)load(b, layout, at, r->bytes[size], r->limbs[size], 0, v);
			if (relation_square(r, v, factor))
				found(s, r, size, layout, at, factor, "p-q, p+q or (p-1)(q-1)");
		}
		if (size == RELATION_FULL) {
			for (size_t more = 0; more < (layout == LE ? 3 : 1); more++)
				if (load(b, layout, at, r->bytes[size], r->limbs[size], more, v) && relation_near(r, v, more)) {
					found(s, r, size, layout, at, NULL, "an exponent, or a part of one");
					break;
				}
		}
	}
	settle(s, r, size, tests, product);
	pthread_mutex_lock(&s->x->lock);
	s->x->ret->windows += tested;
	pthread_mutex_unlock(&s->x->lock);
}

/* ---- exponents ---- */

/* Is e V = 1 modulo p - 1?  One window, by itself. */
static bool exponent_factor(const struct state *s, const struct relation *r, enum layout layout, size_t at, mp_limb_t *ret)
{
	const size_t h = r->bytes[RELATION_HALF];
	mp_limb_t v[RELATION_LIMBS + 2], product[RELATION_LIMBS];
	uint8_t one = 1;

	if (!load(s->b, layout, at, h, r->limbs[RELATION_HALF], 0, v))
		return false;
	relation_product_begin(r, product);
	relation_exponents(r, (const uint8_t *)(v + 1), h, &one, product, s->scratch);
	return relation_product_end(r, product, false, ret);
}

/* digits[0 .. n) in the order of significance; places[i]: where a window that begins with digit i is in the block */
static void exponents_of(struct state *s, const struct relation *r, enum layout layout, size_t n)
{
	mp_limb_t product[RELATION_LIMBS], factor[RELATION_LIMBS];
	const size_t h = r->bytes[RELATION_HALF];

	relation_product_begin(r, product);
	relation_exponents(r, s->digits, n, s->wanted, product, s->scratch);
	if (!relation_product_end(r, product, true, factor))
		return;
	for (size_t i = 0; i + h <= n; i++)
		if (s->wanted[i] && exponent_factor(s, r, layout, s->places[i], factor))
			found(s, r, RELATION_HALF, layout, s->places[i], factor, "an exponent modulo p-1");
}

static void exponents(struct state *s, const struct relation *r, enum layout layout, size_t step)
{
	const struct dump_block *b = s->b;
	const struct windows *w = &s->windows;
	const size_t h = r->bytes[RELATION_HALF], word = layout_word[layout], hw = (h + word - 1) / word * word;

	for (size_t phase = 0; phase < word; phase += step < word ? step : word) {
		for (size_t i = 0; i < w->n;) {
			size_t first = w->at[i], last, n, kept = 0, k = i;

			if ((first + b->phase) % step || (word > 1 && (first + b->phase) % word != phase)) {
				i++;
				continue;
			}
			/* all windows that one stretch holds */
			for (last = first; k < w->n && w->at[k] + hw <= first + r->stretch && w->at[k] + hw <= b->n; k++)
				if ((w->at[k] + b->phase) % step == 0 && (word == 1 || (w->at[k] + b->phase) % word == phase))
					last = w->at[k];
			if (k == i) {
				i++;
				continue;
			}
			n = last + hw - first;
			memset(s->wanted, 0, n);
			for (size_t d = 0; d < n; d++) {
				const size_t at = layout == LE ? d : layout == BE ? n - 1 - d : (n / word - 1 - d / word) * word + d % word;

				s->digits[d] = b->p[first + at];
			}
			for (; i < k; i++) {
				const size_t at = w->at[i], d = layout == LE ? at - first : last - at;

				if ((at + b->phase) % step || (word > 1 && (at + b->phase) % word != phase) || !(s->digits[d] & 1))
					continue;
				s->wanted[d] = 1;
				s->places[d] = (uint32_t)at;
				kept++;
			}
			if (kept)
				exponents_of(s, r, layout, n);
		}
	}
}

/* ---- one block ---- */

enum plan {
	PLAN_ALL,    /* every test at every byte in every layout */
	PLAN_MOST,   /* the common constants at every byte; the other sizes of word, and words in Java's and in ring's order, at whole words */
	PLAN_LITTLE, /* the common constants at whole words, as the process itself lays them: bulk data that is compressed or encrypted */
};

/* The whole image is looked at first: MOST for blocks of up to so many windows that all of them together have RESIDUE_MOST_WINDOWS, or
 * one in RESIDUE_WINDOW_SHARE bytes if those are more: a large dump takes its time anyway.
 * The keys that were given or proven are planned as if there were no others: certificates of peers do not take their time.  If there are
 * none of these, all keys matter. */
static const uint32_t steps[] = { 4096, 16384, 65536, 262144, UINT32_MAX };
#define STEPS (sizeof(steps) / sizeof(steps[0]))

static void choose(struct residue *x)
{
	const uint64_t share = x->blocks.total / RESIDUE_WINDOW_SHARE, most = share > RESIDUE_MOST_WINDOWS ? share : RESIDUE_MOST_WINDOWS;

	for (int others = 0; others < 2; others++) {
		uint64_t sum = 0;

		for (size_t i = 0; i < STEPS; i++) {
			sum += x->in_step[i] * (others ? x->n : x->n_first);
			if (sum <= RESIDUE_ALL_WINDOWS)
				x->all_to[others] = steps[i];
			if (sum <= most || i == 0)
				x->most_to[others] = steps[i];
		}
	}
}

static enum plan plan_of(const struct residue *x, bool others, size_t windows)
{
	return windows <= x->all_to[others] ? PLAN_ALL : windows <= x->most_to[others] ? PLAN_MOST : PLAN_LITTLE;
}

/* first pass: how many windows of the first N's size are there? */
static bool count(struct state *s, const struct dump_block *b)
{
	struct residue *x = s->x;
	const size_t bytes = x->relations[0].bytes[RELATION_HALF];
	struct density density;
	bool ok = density_new(&density, b->p, b->n, DUMP_PATH_BEST) && gather(&s->windows, b, &density, bytes, x->least[RELATION_HALF][bytes / 8]);
	size_t step = 0;

	while (steps[step] < s->windows.n)
		step++;
	pthread_mutex_lock(&x->lock);
	x->in_step[step] += s->windows.n;
	pthread_mutex_unlock(&x->lock);
	density_free(&density);
	return ok;
}

static void half_windows(struct state *s, const struct relation *r, enum plan plan)
{
	const struct tests all = { true, true, true }, some = { true, false, true }, few = { true, false, false }, rare = { false, true, false };
	const struct dump_block *b = s->b;

	for (int layout = 0; layout < LAYOUTS; layout++) {
		const size_t step = plan == PLAN_ALL || layout < J32 ? 1 : layout_word[layout];

		if (plan == PLAN_LITTLE) {
			if (layout == (b->im->big_endian ? BE : LE))
				products(s, r, RELATION_HALF, (enum layout)layout, b->mapped && b->im->word == 4 ? 4 : 8, &few);
			continue;
		}
		products(s, r, RELATION_HALF, (enum layout)layout, step, plan == PLAN_ALL ? &all : &some);
		if (r->stretch)
			exponents(s, r, (enum layout)layout, step);
	}
	if (plan == PLAN_MOST)
		products(s, r, RELATION_HALF, LE, 8, &rare);
}

static void block(struct state *s, const struct dump_block *b)
{
	struct residue *x = s->x;
	const struct tests plain = { true, false, false };
	struct density density;
	size_t before = 0;

	s->b = b;
	s->ok = density_new(&density, b->p, b->n, DUMP_PATH_BEST);
	for (int size = 0; size < RELATION_SIZES && s->ok; size++) {
		before = 0;
		for (size_t i = 0; i < x->n && s->ok; i++) {
			const struct relation *r = &x->relations[i];
			enum plan plan;

			/* moduli are sorted by size: windows are gathered once for all of one */
			if (r->bytes[size] != before)
				s->ok = gather(&s->windows, b, &density, r->bytes[size], x->least[size][r->bytes[size] / 8]);
			before = r->bytes[size];
			if (!s->ok || s->windows.n == 0)
				continue;
			plan = plan_of(x, x->sorted[i].from_dump, s->windows.n);
			if (plan == PLAN_LITTLE) {
				pthread_mutex_lock(&x->lock);
				*(x->sorted[i].from_dump ? &x->ret->bulk_others : &x->ret->bulk) += s->windows.n;
				x->ret->cut |= !x->sorted[i].from_dump;
				pthread_mutex_unlock(&x->lock);
			}
			if (size == RELATION_HALF) {
				half_windows(s, r, plan);
				continue;
			}
			for (int layout = 0; layout < LAYOUTS; layout++)
				if (plan != PLAN_LITTLE || layout == LE)
					products(s, r, (enum relation_size)size, (enum layout)layout,
					         plan == PLAN_ALL || (plan == PLAN_MOST && layout < J32) ? 1 : layout == J32 ? 4 : 8, &plain);
		}
	}
	density_free(&density);
}

static bool look(void *state, const struct dump_block *b)
{
	struct state *s = state;

	if (s->x->counting)
		return count(s, b);
	block(s, b);
	return s->ok;
}

static bool begin(void *arg, void **ret)
{
	struct residue *x = arg;
	struct state *s = *ret = calloc(1, sizeof(*s));

	if (!s)
		return false;
	s->x = x;
	s->stretch = 1;
	for (size_t i = 0; i < x->n; i++) {
		size_t bytes = relation_exponents_scratch(&x->relations[i]) * sizeof(mp_limb_t);

		s->scratch_bytes = bytes > s->scratch_bytes ? bytes : s->scratch_bytes;
		s->stretch = x->relations[i].stretch + 16 > s->stretch ? x->relations[i].stretch + 16 : s->stretch;
	}
	s->batch = calloc(1, sizeof(*s->batch));
	s->scratch = dump_pages_new(s->scratch_bytes);
	s->digits = calloc(2, s->stretch);
	s->wanted = s->digits ? s->digits + s->stretch : NULL;
	s->places = calloc(s->stretch, sizeof(*s->places));
	s->ok = s->batch && s->scratch && s->digits && s->places;
	return s->ok;
}

static void end(void *state)
{
	struct state *s = state;

	if (!s)
		return;
	free(s->windows.at);
	free(s->batch);
	dump_pages_free(s->scratch, s->scratch ? s->scratch_bytes : 0);
	OPENSSL_clear_free(s->digits, 2 * s->stretch);
	free(s->places);
	free(s);
}

bool dump_residue_test(struct dump_image *im, const struct dump_modulus *moduli, size_t n, enum dump_residue_mode mode, unsigned threads,
		       struct dump_residue *ret)
{
	return dump_residue_look(im, moduli, n, mode, threads, NULL, ret);
}

static int by_size(const void *a, const void *b)
{
	const struct dump_modulus *x = a, *y = b;

	return x->n != y->n ? (x->n < y->n ? -1 : 1) : memcmp(x->p, y->p, x->n);
}

bool dump_residue_look(struct dump_image *im, const struct dump_modulus *moduli, size_t n, enum dump_residue_mode mode, unsigned threads,
		       const struct dump_residue_search *search, struct dump_residue *ret)
{
	struct residue *x = calloc(1, sizeof(*x));
	struct dump_modulus *sorted = calloc(n + 1, sizeof(*sorted));
	size_t made = 0;

	*ret = (struct dump_residue){ 0 };
	if (mode == DUMP_RESIDUE_OFF || n == 0 || !x || !sorted) {
		ret->failed = !x || !sorted;
		free(x);
		free(sorted);
		return !ret->failed;
	}
	memcpy(sorted, moduli, n * sizeof(*sorted));
	for (size_t i = 0; i < n; i++) {
		sorted[i].index = i;
		x->n_first += !sorted[i].from_dump;
	}
	for (size_t i = 0; i < n && x->n_first == 0; i++)
		sorted[i].from_dump = false;
	x->n_first = x->n_first ? x->n_first : n;
	qsort(sorted, n, sizeof(*sorted), by_size);
	x->sorted = sorted;
	x->search = search;
	x->ret = ret;
	x->n = n;
	x->relations = calloc(n, sizeof(*x->relations));
	ret->failed = !x->relations;
	for (; made < n && !ret->failed; made++) {
		struct relation *r = &x->relations[made];

		ret->failed = !relation_new(r, sorted[made].p, sorted[made].n, sorted[made].e, sorted[made].e_n, n <= 8);
		if (!ret->failed && sorted[made].prime[0].n == r->bytes[RELATION_HALF] && sorted[made].prime[1].n == r->bytes[RELATION_HALF] && sorted[made].e_n)
			(void)relation_know(r, sorted[made].prime[0].p, sorted[made].prime[0].n, sorted[made].prime[1].p, sorted[made].prime[1].n, sorted[made].e,
			                    sorted[made].e_n); /* (out of memory: the other tests are the same) */
		for (int size = 0; size < RELATION_SIZES && !ret->failed; size++)
			if (!x->least[size][r->bytes[size] / 8])
				x->least[size][r->bytes[size] / 8] = distinct_least(r->bytes[size] / 8 * 8);
	}
	if (!ret->failed) {
		pthread_mutex_init(&x->lock, NULL);
		x->blocks = (struct block_work){ .begin = begin, .block = look, .end = end };
		x->counting = true;
		ret->failed = !block_each(im, mode == DUMP_RESIDUE_WRITABLE, threads, &x->blocks, x);
		choose(x);
		x->counting = false;
		ret->failed = ret->failed || !block_each(im, mode == DUMP_RESIDUE_WRITABLE, threads, &x->blocks, x);
		pthread_mutex_destroy(&x->lock);
		ret->modulus = sorted[ret->modulus].index;
	}
	for (size_t i = 0; x->relations && i < made; i++)
		relation_free(&x->relations[i]);
	free(x->relations);
	free(sorted);
	free(x);
	return !ret->failed;
}
