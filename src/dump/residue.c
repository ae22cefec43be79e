/* SPDX-License-Identifier: Apache-2.0 */
/* residue: the last check before a redacted dump is released, without any list of patterns: is there a number in it that
 * shares a factor with N?
 *
 * A core from which all eight numbers of a key had been erased gave the key back from R^2 mod p alone, which no pattern covered.
 * So each dense window V is multiplied into a product modulo N: V itself, R - V, R^2 - V (R is what Montgomery multiplication
 * takes for a prime of that size), and a gcd is taken once in a thousand windows. */
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <stdlib.h>

#include "dump/number.h"
#include "dump/redact.h"
#include "dump/scan_int.h"

struct modulus {
	BIGNUM *n, *r, *rr;
	BN_MONT_CTX *mont;
	size_t bytes; /* of a window: whole words */
};

struct residue {
	struct dump_image *im;
	struct modulus *moduli;
	size_t n;
	bool all;
	struct block_plan plan;
	pthread_mutex_t lock;
	struct dump_residue *ret;
};

struct batch { size_t at[RESIDUE_BATCH]; size_t n; };

struct state { /* of one thread */
	struct residue *x;
	BN_CTX *ctx;
	BIGNUM *v, *u, *product, *g;
	struct batch *batch;
	bool ok;
};

static bool is_dense_word(const uint8_t *p)
{
	return (p[0] || p[1]) && (p[6] || p[7]);
}

/* product *= V (R - V) (R^2 - V) */
static bool multiply(struct state *s, const struct modulus *m, const uint8_t *p, enum number_layout layout)
{
	uint8_t le[DUMP_RSA_BITS_MAX / 8];
	bool ok;

	if (layout != NUMBER_LE)
		number_to_le(layout, p, m->bytes, le);
	ok = BN_lebin2bn(layout == NUMBER_LE ? p : le, (int)m->bytes, s->v) && BN_cmp(s->v, m->n) < 0 &&
	     BN_mod_mul_montgomery(s->product, s->product, s->v, m->mont, s->ctx) && BN_mod_sub_quick(s->u, m->rr, s->v, m->n) &&
	     BN_mod_mul_montgomery(s->product, s->product, s->u, m->mont, s->ctx) && BN_mod_sub_quick(s->u, m->r, s->v, m->n) &&
	     BN_mod_mul_montgomery(s->product, s->product, s->u, m->mont, s->ctx);
	return ok;
}

/* Does s->g hold a prime of n, or all of n?  An odd number that only looked like a modulus shares a 3 or 7 with many windows. */
static bool is_residue(const struct state *s, const struct modulus *m)
{
	return BN_num_bits(s->g) + 40 >= (BN_num_bits(m->n) + 1) / 2;
}

static void found(struct state *s, const struct dump_block *b, size_t at, const struct modulus *m)
{
	struct residue *x = s->x;
	struct dump_hit where = { 0 };

	(void)dump_locate(b, at, m->bytes, &where);
	pthread_mutex_lock(&x->lock);
	if (x->ret->found == 0 || where.offset < x->ret->first.offset) {
		x->ret->first = where;
		x->ret->modulus = (size_t)(m - x->moduli);
	}
	x->ret->found++;
	pthread_mutex_unlock(&x->lock);
}

static void settle(struct state *s, const struct dump_block *b, const struct modulus *m, enum number_layout layout)
{
	struct batch *batch = s->batch;

	s->ok = s->ok && BN_one(s->product);
	for (size_t i = 0; i < batch->n && s->ok; i++)
		s->ok = multiply(s, m, b->p + batch->at[i], layout);
	s->ok = s->ok && BN_gcd(s->g, s->product, m->n, s->ctx);
	if (s->ok && is_residue(s, m)) {
		for (size_t i = 0; i < batch->n && s->ok; i++) {
			s->ok = BN_one(s->product) && multiply(s, m, b->p + batch->at[i], layout) && BN_gcd(s->g, s->product, m->n, s->ctx);
			if (s->ok && is_residue(s, m))
				found(s, b, batch->at[i], m);
		}
	}
	batch->n = 0;
}

/* All dense windows of the block in one layout, at each `step` bytes. */
static void windows(struct state *s, const struct dump_block *b, const struct modulus *m, enum number_layout layout, size_t step)
{
	const size_t words = m->bytes / 8, need = words - words / 4;
	const size_t start = (8 - b->phase % 8) % 8;
	uint64_t tested = 0;

	for (size_t shift = 0; shift < 8; shift += step) {
		size_t dense = 0, count = 0;

		for (size_t i = start + shift; i + 8 <= b->n && s->ok; i += 8) {
			size_t at;

			dense += is_dense_word(b->p + i);
			count++;
			if (count > words) {
				dense -= is_dense_word(b->p + i - 8 * words);
				count--;
			}
			at = i + 8 - 8 * words;
			if (count < words || dense < need || i + 8 < 8 * words || at >= b->own)
				continue;
			s->batch->at[s->batch->n++] = at;
			tested++;
			if (s->batch->n == RESIDUE_BATCH)
				settle(s, b, m, layout);
		}
		if (s->batch->n)
			settle(s, b, m, layout);
	}
	pthread_mutex_lock(&s->x->lock);
	s->x->ret->windows += tested;
	pthread_mutex_unlock(&s->x->lock);
}

static void block(struct state *s, const struct dump_block *b)
{
	struct residue *x = s->x;
	const size_t step = b->mapped && b->im->word == 4 ? 4 : 8;

	for (size_t i = 0; i < x->n && s->ok; i++) {
		const struct modulus *m = &x->moduli[i];

		if (b->n < m->bytes)
			continue;
		windows(s, b, m, b->im->big_endian ? (step == 4 ? NUMBER_W32 : NUMBER_W64) : NUMBER_LE, step);
		if (x->all) {
			windows(s, b, m, NUMBER_BE, 4);
			windows(s, b, m, NUMBER_J32, 4);
		}
	}
}

static void *worker(void *arg)
{
	struct residue *x = arg;
	struct state s = { .x = x, .ok = true };
	struct block_buffer buffer = { 0 };
	bool more = block_buffer_new(&buffer);

	s.ctx = BN_CTX_secure_new();
	s.v = BN_secure_new();
	s.u = BN_secure_new();
	s.product = BN_secure_new();
	s.g = BN_secure_new();
	s.batch = calloc(1, sizeof(*s.batch));
	s.ok = more && s.ctx && s.v && s.u && s.product && s.g && s.batch;
	while (s.ok && more) {
		struct block_place place;
		const bool parallel = x->im->reader->parallel;

		pthread_mutex_lock(&x->lock);
		more = block_plan_next(&x->plan, &place);
		if (more && !parallel)
			s.ok = block_read(&x->plan, &place, &buffer);
		pthread_mutex_unlock(&x->lock);
		if (more && parallel)
			s.ok = block_read(&x->plan, &place, &buffer);
		if (more && s.ok)
			block(&s, &buffer.block);
	}
	if (!s.ok) {
		pthread_mutex_lock(&x->lock);
		x->ret->failed = true;
		pthread_mutex_unlock(&x->lock);
	}
	block_buffer_release(&buffer);
	BN_clear_free(s.v);
	BN_clear_free(s.u);
	BN_clear_free(s.product);
	BN_clear_free(s.g);
	BN_CTX_free(s.ctx);
	free(s.batch);
	return NULL;
}

static bool modulus_new(struct modulus *m, const struct dump_modulus *from, BN_CTX *ctx)
{
	size_t bits;

	m->n = BN_bin2bn(from->p, (int)from->n, NULL);
	m->mont = BN_MONT_CTX_new();
	m->r = BN_new();
	m->rr = BN_new();
	if (!m->n || !m->mont || !m->r || !m->rr)
		return false;
	bits = (size_t)(BN_num_bits(m->n) + 1) / 2;
	m->bytes = (bits + 63) / 64 * 8;
	return BN_MONT_CTX_set(m->mont, m->n, ctx) && BN_set_bit(m->r, (int)m->bytes * 8) && BN_nnmod(m->r, m->r, m->n, ctx) &&
	       BN_set_bit(m->rr, (int)m->bytes * 16) && BN_nnmod(m->rr, m->rr, m->n, ctx);
}

bool dump_residue_test(struct dump_image *im, const struct dump_modulus *moduli, size_t n, enum dump_residue_mode mode, unsigned threads,
		       struct dump_residue *ret)
{
	struct residue x = { .im = im, .all = mode == DUMP_RESIDUE_ALL, .ret = ret };
	BN_CTX *ctx = BN_CTX_new();
	pthread_t ids[DUMP_THREADS_MAX];
	unsigned started = 0;

	*ret = (struct dump_residue){ 0 };
	if (mode == DUMP_RESIDUE_OFF || n == 0) {
		BN_CTX_free(ctx);
		return true;
	}
	x.moduli = calloc(n, sizeof(*x.moduli));
	ret->failed = !ctx || !x.moduli || !block_plan_new(&x.plan, im, mode == DUMP_RESIDUE_WRITABLE);
	for (; x.n < n && !ret->failed; x.n++)
		ret->failed = !modulus_new(&x.moduli[x.n], &moduli[x.n], ctx);
	if (!ret->failed) {
		pthread_mutex_init(&x.lock, NULL);
		for (; started + 1 < threads && started < DUMP_THREADS_MAX; started++)
			if (pthread_create(&ids[started], NULL, worker, &x) != 0)
				break;
		worker(&x);
		for (unsigned i = 0; i < started; i++)
			pthread_join(ids[i], NULL);
		pthread_mutex_destroy(&x.lock);
	}
	for (size_t i = 0; x.moduli && i < n; i++) {
		BN_free(x.moduli[i].n);
		BN_free(x.moduli[i].r);
		BN_free(x.moduli[i].rr);
		BN_MONT_CTX_free(x.moduli[i].mont);
	}
	block_plan_release(&x.plan);
	free(x.moduli);
	BN_CTX_free(ctx);
	return !ret->failed;
}
