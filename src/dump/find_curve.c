/* SPDX-License-Identifier: Apache-2.0 */
/* find_curve: the secret of a known elliptic or Edwards key, as a bare number.
 *
 * Every window of memory of a scalar's size that looks random is taken for a number W, in each layout, and W G is looked up among
 * the multiples of all known public keys by powers of two (points.h).  So d is found, -d, 1/d, and each of them times R, R^2, 1/R of
 * Montgomery's arithmetic with words of any size; for Edwards keys the scalar, clamped or reduced, and the seed by its hash.
 *
 *  1. everywhere: at each word of the process in memory that it can write or that no file is behind; at every byte of what is no memory.
 *     Full words in four orders, words that are not full ("limbs") in two, arrays of signed digits;
 *  2. near a public key, at every byte and in every range, in the two plain orders.
 *
 * Of keys of authorities that the dump merely lists, 2 alone, and 1 when other keys are on their curve: then they cost nothing.
 *
 * A random window is taken for one but for 1 in 60,000 (looks_random()).  A block of which most looks random (packed, encrypted) would cost
 * minutes: past CURVE_COST_MAX the search ends and says so. */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/limits.h"
#include "dump/arena.h"
#include "dump/bytes.h"
#include "dump/claim.h"
#include "dump/dump.h"
#include "dump/form.h"
#include "dump/number.h"
#include "dump/points.h"

const struct dump_finder dump_finder_find_curve;

struct target {
	enum claim_alg alg;
	int group;    /* of points.h */
	uint8_t point[133];
	uint32_t point_bytes, scalar_bytes, seed_bytes;
	bool distant; /* an authority found in the dump */
};

/* what is searched for to find the neighbourhood of a public key: eight bytes of X or A, in memory's order */
struct needle {
	uint8_t bytes[8];
	uint32_t target;
};

enum kind { NUMBER, INVERSE, CLAMPED, SEED };

/* a number that waits for its batch */
struct pending {
	uint8_t value[72]; /* least byte first */
	size_t at, n;      /* in the block */
	const char *layout;
	enum kind kind;
};

/* what one thread needs */
struct hunter {
	struct hunter *next;
	struct prover *prover;
	struct points *points[POINTS_GROUPS];   /* made when needed */
	struct pending *pending[POINTS_GROUPS]; /* POINTS_BATCH of each; undumpable */
	uint32_t n_pending[POINTS_GROUPS];
	const struct dump_block *block;
	uint64_t cost;                          /* of this block */
};

/* the keys of one group */
struct prey {
	struct points_set *set;
	uint32_t *targets;                      /* by their number in the set */
	size_t n;
	bool wide;                              /* not of authorities alone */
	bool edwards;                           /* has keys with a seed */
};

struct state {
	struct dump_scan *s;
	pthread_mutex_t lock;
	struct hunter *idle;
	struct prey prey[POINTS_GROUPS];
	struct target *targets;
	size_t n_targets;
	struct needle *needles;
	size_t n_needles;
	uint32_t filter[65536 / 32];       /* first two bytes of all needles */
	struct number *points;             /* for the prover */
	struct known_keys known;
	uint64_t *tested;                  /* hashes of values that are no key's secret */
	uint32_t rows[9][65];              /* of limbs: by the bytes of a cell and the width of the widest of some */
};

#define TESTED_SLOTS 65536

/* words that are not full */
static const struct { uint8_t bits, bytes, cells; } limbs[] = {
	/* cells: of a 256-bit number, when the last holds more than the others */
	{ 63, 8, 0 }, { 62, 8, 0 }, { 60, 8, 0 }, { 58, 8, 0 }, { 57, 8, 0 }, { 56, 8, 0 }, { 55, 8, 0 }, { 54, 8, 0 }, { 53, 8, 0 }, { 52, 8, 0 }, { 51, 8, 0 }, { 50, 8, 0 },
	{ 48, 8, 0 }, { 44, 8, 0 }, { 32, 8, 0 }, { 26, 8, 0 }, { 21, 8, 12 },
	{ 31, 4, 0 }, { 30, 4, 0 }, { 29, 4, 0 }, { 28, 4, 0 }, { 27, 4, 0 }, { 26, 4, 0 }, { 25, 4, 0 }, { 24, 4, 0 }, { 16, 4, 0 }, { 15, 2, 0 },
};

/* ---- what is hunted ---- */

static bool add_target(struct state *st, const struct dump_target *t)
{
	struct target x = { .point_bytes = (uint32_t)t->point.n, .distant = t->distant };
	struct target *bigger;
	struct prey *prey;
	uint32_t *more;

	if (t->point.n == 0 || t->point.n > sizeof x.point)
		return true;
	switch (t->algorithm) {
	case DUMP_EC:
		x.alg = CLAIM_EC;
		x.group = (int)curve_by_name(str_of(t->group));
		if (!x.group || t->point.n != 1 + 2 * points_bytes(x.group))
			return true;
		break;
	case DUMP_ED25519: x.alg = CLAIM_ED25519, x.group = POINTS_25519, x.seed_bytes = 32; break;
	case DUMP_X25519: x.alg = CLAIM_X25519, x.group = POINTS_25519; break;
	case DUMP_ED448: x.alg = CLAIM_ED448, x.group = POINTS_448, x.seed_bytes = 57; break;
	case DUMP_X448: x.alg = CLAIM_X448, x.group = POINTS_448; break;
	default: return true;
	}
	x.scalar_bytes = points_bytes(x.group);
	if (x.alg != CLAIM_EC && t->point.n != (x.alg == CLAIM_ED448 ? 57 : x.scalar_bytes))
		return true;
	memcpy(x.point, t->point.p, t->point.n);
	for (size_t i = 0; i < st->n_targets; i++) {
		struct target *o = &st->targets[i];

		if (o->alg == x.alg && o->group == x.group && o->point_bytes == x.point_bytes && memcmp(o->point, x.point, x.point_bytes) == 0) {
			o->distant &= x.distant;
			st->prey[x.group].wide |= !x.distant;
			return true;
		}
	}
	if (st->n_targets >= CURVE_TARGETS_MAX) {
		dump_limit(st->s, "more elliptic public keys than are hunted");
		return true;
	}
	prey = &st->prey[x.group];
	if (!prey->set && !(prey->set = points_set_new(x.group)))
		return false;
	more = realloc(prey->targets, (prey->n + 1) * sizeof *more);
	if (!more)
		return false;
	prey->targets = more;
	prey->targets[prey->n++] = (uint32_t)st->n_targets;
	prey->wide |= !x.distant;
	prey->edwards |= x.seed_bytes != 0;
	if (!(x.alg == CLAIM_EC ? points_set_add(prey->set, x.point + 1) : points_set_add_public(prey->set, x.alg, x.point, x.point_bytes)))
		return false;
	bigger = realloc(st->targets, (st->n_targets + 1) * sizeof *bigger);
	if (!bigger)
		return false;
	st->targets = bigger;
	st->targets[st->n_targets++] = x;
	return true;
}

static void add_needle(struct state *st, const uint8_t *p, uint32_t target)
{
	struct needle *n = &st->needles[st->n_needles++];
	memcpy(n->bytes, p, 8);
	n->target = target;
	unsigned key = get16(p, false);
	st->filter[key / 32] |= 1U << key % 32;
}

static void hunter_free(struct hunter *h)
{
	if (!h)
		return;
	prover_free(h->prover);
	for (int g = 0; g < POINTS_GROUPS; g++) {
		points_free(h->points[g]);
		dump_pages_free(h->pending[g], POINTS_BATCH * sizeof(struct pending));
	}
	free(h);
}

static struct hunter *hunter_take(struct state *st, const struct dump_block *b)
{
	struct hunter *h;

	pthread_mutex_lock(&st->lock);
	h = st->idle;
	if (h)
		st->idle = h->next;
	pthread_mutex_unlock(&st->lock);
	if (!h) {
		h = calloc(1, sizeof *h);
		if (h && !(h->prover = prover_new())) {
			free(h);
			h = NULL;
		}
	}
	if (h) {
		h->cost = 0;
		h->block = b;
	}
	return h;
}

static void hunter_give(struct state *st, struct hunter *h)
{
	pthread_mutex_lock(&st->lock);
	h->next = st->idle;
	st->idle = h;
	pthread_mutex_unlock(&st->lock);
}

static void end(void *state)
{
	struct state *st = state;
	for (struct hunter *h; (h = st->idle);) {
		st->idle = h->next;
		hunter_free(h);
	}
	for (int g = 0; g < POINTS_GROUPS; g++) {
		points_set_free(st->prey[g].set);
		free(st->prey[g].targets);
	}
	if (st->tested)
		OPENSSL_cleanse(st->tested, TESTED_SLOTS * sizeof *st->tested);
	free(st->targets);
	free(st->needles);
	free(st->points);
	free(st->tested);
	pthread_mutex_destroy(&st->lock);
	free(st);
}

static bool begin(struct dump_scan *s, struct dump_image *im, void **ret_state)
{
	struct state *st = calloc(1, sizeof *st);
	size_t n;
	const struct dump_target *t = dump_targets(s, &n);
	bool ok = st != NULL;

	(void)im;
	if (!st)
		return false;
	st->s = s;
	pthread_mutex_init(&st->lock, NULL);
	for (int distant = 0; distant < 2; distant++)
		for (size_t i = 0; i < n && ok; i++)
			if (t[i].distant == (distant != 0))
				ok = add_target(st, &t[i]);
	for (int g = 0; g < POINTS_GROUPS && ok; g++)
		ok = !st->prey[g].set || points_set_seal(st->prey[g].set);
	st->needles = calloc(2 * st->n_targets + 1, sizeof *st->needles);
	st->points = calloc(st->n_targets + 1, sizeof *st->points);
	st->tested = calloc(TESTED_SLOTS, sizeof *st->tested);
	if (!ok || !st->needles || !st->points || !st->tested) {
		end(st);
		return false;
	}
	for (size_t i = 0; i < st->n_targets; i++) {
		const struct target *x = &st->targets[i];
		st->points[i] = (struct number){ x->point, x->point_bytes, false };
		if (x->alg == CLAIM_EC) {
			/* X most significant byte first, as in DER and on the wire; and as a number in memory */
			uint8_t reversed[8];
			for (int k = 0; k < 8; k++)
				reversed[k] = x->point[x->scalar_bytes - (size_t)k];
			add_needle(st, x->point + 1, (uint32_t)i);
			add_needle(st, reversed, (uint32_t)i);
		} else {
			add_needle(st, x->point, (uint32_t)i);
		}
	}
	for (unsigned r = 0; r < sizeof limbs / sizeof limbs[0]; r++)
		for (unsigned width = limbs[r].bits - 6U; width <= limbs[r].bits; width++)
			st->rows[limbs[r].bytes][width] |= UINT32_C(1) << r;
	st->known = (struct known_keys){ .point = st->points, .point_count = st->n_targets };
	*ret_state = st;
	return true;
}

/* ---- testing ---- */

/* Random numbers have few bytes twice, few zeros, and the top bit in half of the bytes; tables, text and pointers do not.  Of 32 random
 * bytes: four or more zeros once in 110,000, fewer than 20 distinct once in 10^12, fewer than 6 or more than 26 with a top bit once in
 * 130,000. */
static bool looks_random(const uint8_t *p, size_t n)
{
	const struct variety v = variety_of(p, n);

	return v.zeros <= 3 && v.distinct >= n * 5 / 8 && v.high >= n / 6 && v.high <= n - n / 6;
}

/* Values that are no key's secret are remembered (in a table that forgets: at worst one is tested again); a secret
 * is reported in every place it is in. */
static uint64_t name_of(const struct pending *x, int group) { return hash64(x->value, sizeof x->value, (uint64_t)group * 4 + (uint64_t)x->kind + 1); }

static bool is_nobodys(const struct state *st, uint64_t name)
{
	return __atomic_load_n(&st->tested[name % TESTED_SLOTS], __ATOMIC_RELAXED) == name;
}

static void remember(struct state *st, uint64_t name) { __atomic_store_n(&st->tested[name % TESTED_SLOTS], name, __ATOMIC_RELAXED); }

static const enum dump_algorithm algorithms[] = {
	[CLAIM_EC] = DUMP_EC, [CLAIM_ED25519] = DUMP_ED25519, [CLAIM_X25519] = DUMP_X25519, [CLAIM_ED448] = DUMP_ED448, [CLAIM_X448] = DUMP_X448,
};

/* d or -d is known: which, is for the whole point to say */
static bool found_curve(struct state *st, struct hunter *h, const struct target *t, const BIGNUM *d, const BIGNUM *order, struct dump_hit *hit, bool *ret_negative)
{
	const size_t n = t->scalar_bytes;
	uint8_t secret[72];
	BIGNUM *other = BN_secure_new();
	bool ok = other && BN_sub(other, order, d);

	for (int negative = 0; negative < 2 && ok && hit->key < 0; negative++) {
		struct claim c = { .alg = CLAIM_EC, .curve = (enum curve)t->group };
		struct proof proof;

		ok = BN_bn2binpad(negative ? other : d, secret, (int)n) == (int)n;
		c.part[EC_D] = (struct number){ secret, (uint32_t)n, false };
		if (ok && claim_prove(h->prover, &c, &st->known, &proof) && proof.level == PROOF_POINT) {
			hit->bits = proof.bits;
			*ret_negative = negative;
			hit->key = dump_key_point(st->s, DUMP_EC, proof.bits, curve_group(c.curve), (struct dump_bytes){ proof.point, proof.point_bytes },
			                          (struct dump_bytes){ secret, n });
		}
	}
	OPENSSL_cleanse(secret, sizeof secret);
	BN_clear_free(other);
	return hit->key >= 0;
}

/* What a scalar lies beside in an expanded key, and what every signature can be undone with: 32 or 57 random bytes, of which there is no test. */
static size_t prefix_after(const struct dump_block *b, size_t at, const struct target *t)
{
	const size_t n = t->seed_bytes;

	return n && at + n <= b->n && looks_random(b->p + at, n) && memcmp(b->p + at, t->point, n) != 0 ? n : 0;
}

static bool found_edwards(struct state *st, const struct hunter *h, const struct pending *x, const struct target *t, const BIGNUM *d, bool plain, struct dump_hit *hit, size_t *n)
{
	const struct dump_bytes point = { t->point, t->point_bytes };
	const struct dump_block *b = h->block;
	uint8_t scalar[57] = { 0 };
	struct dump_bytes prefix = { NULL, 0 };

	hit->bits = t->alg == CLAIM_ED448 || t->alg == CLAIM_X448 ? 448 : 256;
	hit->bits = t->alg == CLAIM_ED448 ? 456 : hit->bits;
	hit->component = x->kind == SEED ? "seed" : "scalar";
	if (x->kind == SEED || (plain && !t->seed_bytes && x->kind != INVERSE)) {
		hit->key = dump_key_point(st->s, algorithms[t->alg], hit->bits, NULL, point, x->kind == SEED ? (struct dump_bytes){ b->p + x->at, t->seed_bytes } : (struct dump_bytes){ x->value, t->scalar_bytes });
		return hit->key >= 0;
	}
	/* behind the scalar as it lies, and behind a byte that is always zero */
	for (size_t gap = 0; gap <= (t->alg == CLAIM_ED448 ? 1U : 0U) && !prefix.n; gap++) {
		prefix.n = prefix_after(b, x->at + x->n + gap, t);
		prefix.p = b->p + x->at + x->n + gap;
		if (prefix.n)
			*n += gap + prefix.n;
	}
	if (BN_bn2binpad(d, scalar, (int)t->scalar_bytes) == (int)t->scalar_bytes)
		hit->key = dump_key_scalar(st->s, algorithms[t->alg], hit->bits, point, (struct dump_bytes){ scalar, t->scalar_bytes }, prefix);
	OPENSSL_cleanse(scalar, sizeof scalar);
	return hit->key >= 0;
}

static bool found(struct state *st, struct hunter *h, const struct pending *x, const struct points_hit *p, int group)
{
	const struct prey *prey = &st->prey[group];
	const struct target *t = &st->targets[prey->targets[p->key]];
	struct dump_hit hit = { .klass = DUMP_PROVED, .proof = DUMP_PROOF_POINT, .algorithm = algorithms[t->alg], .key = -1, .form = "number", .layout = x->layout };
	BIGNUM *d = BN_secure_new();
	size_t n = x->n;
	bool negative = false, ok;

	ok = d && (x->kind < CLAMPED || p->power == 0) && (x->kind != SEED || t->seed_bytes) && points_secret(prey->set, p, x->value, x->kind == INVERSE, d);
	if (ok && t->alg == CLAIM_EC) {
		ok = found_curve(st, h, t, d, points_order(prey->set), &hit, &negative);
		hit.component = x->kind == INVERSE ? (p->power ? "1/d times a power of two" : "1/d mod the order") :
		                p->power ? "d times a power of two" : negative ? "order - d" : "d";
	} else if (ok) {
		ok = found_edwards(st, h, x, t, d, p->power == 0, &hit, &n);
	}
	if (ok)
		dump_report(st->s, &dump_finder_find_curve, h->block, x->at, n, &hit);
	BN_clear_free(d);
	return ok;
}

/* All that wait for this group. */
static void ask(struct state *st, struct hunter *h, int group)
{
	const struct pending *all = h->pending[group];
	struct points_hit hits[POINTS_BATCH];
	size_t n = h->n_pending[group] ? points_ask(h->points[group], hits) : 0, k = 0;

	for (uint32_t i = 0; i < h->n_pending[group]; i++) {
		const bool passed = k < n && hits[k].tag == i; /* they come in order */

		if (!passed || !found(st, h, &all[i], &hits[k], group))
			remember(st, name_of(&all[i], group));
		k += passed;
	}
	h->n_pending[group] = 0;
}

static bool prepare(struct state *st, struct hunter *h, int group)
{
	if (!h->points[group])
		h->points[group] = points_new(st->prey[group].set);
	if (!h->pending[group])
		h->pending[group] = dump_pages_new(POINTS_BATCH * sizeof(struct pending));
	if (h->points[group] && h->pending[group])
		return true;
	dump_limit(st->s, "no memory to look for elliptic keys");
	return false;
}

/* x->value against all keys of the group */
static void put(struct state *st, struct hunter *h, int group, const struct pending *x)
{
	const unsigned bytes = points_bytes(group);
	uint32_t i;

	if (h->cost > CURVE_COST_MAX || is_nobodys(st, name_of(x, group)) || !prepare(st, h, group))
		return;
	i = h->n_pending[group]++;
	h->pending[group][i] = *x;
	h->cost += bytes <= 32 ? 1 : bytes <= 48 ? 3 : 8;
	if (!points_add(h->points[group], x->value, x->kind == INVERSE, i))
		ask(st, h, group);
}

static void put_number(struct state *st, struct hunter *h, int group, const struct pending *from, bool inverse)
{
	const unsigned bytes = points_bytes(group);
	struct pending x = *from;

	/* the order of P-521 begins with 01 ff */
	if (bytes == 66 && x.value[65] > 1)
		return;
	x.kind = NUMBER;
	put(st, h, group, &x);
	x.kind = INVERSE;
	if (inverse)
		put(st, h, group, &x);
	OPENSSL_cleanse(&x, sizeof x);
}

static void clamp(uint8_t *p, int group)
{
	if (group == POINTS_25519) {
		p[0] &= 248;
		p[31] = (uint8_t)((p[31] & 127) | 64);
	} else {
		p[0] &= 252;
		p[55] |= 128;
	}
}

/* Bytes of an Edwards or Montgomery key: half of a hash, a secret as it was drawn, a seed. */
static void put_bytes(struct state *st, struct hunter *h, int group, const uint8_t *p, size_t at, size_t left)
{
	const size_t n = points_bytes(group), seed = group == POINTS_25519 ? 32 : 57;
	struct pending x = { .at = at, .n = n, .layout = "bytes", .kind = CLAMPED };
	uint8_t hash[SHA512_DIGEST_LENGTH];

	memcpy(x.value, p, n);
	clamp(x.value, group);
	if (memcmp(x.value, p, n) != 0)
		put(st, h, group, &x);
	if (st->prey[group].edwards && left >= seed) {
		if (group == POINTS_25519) {
			SHA512(p, seed, hash);
		} else {
			EVP_MD_CTX *ctx = EVP_MD_CTX_new();
			bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_shake256(), NULL) && EVP_DigestUpdate(ctx, p, seed) && EVP_DigestFinalXOF(ctx, hash, n);

			EVP_MD_CTX_free(ctx);
			if (!ok)
				return;
		}
		memcpy(x.value, hash, n);
		clamp(x.value, group);
		x.kind = SEED;
		x.n = seed;
		put(st, h, group, &x);
	}
	OPENSSL_cleanse(&x, sizeof x);
	OPENSSL_cleanse(hash, sizeof hash);
}

/* One window of full words.  little: the two plain orders alone. */
static void try_raw(struct state *st, struct hunter *h, size_t i, int group, bool plain)
{
	static const struct { const char *name; uint8_t word; bool high_first, big; } orders[] = {
		{ "LE", 1, false, false }, { "BE", 1, true, false }, { "J32", 4, true, false }, { "J64", 8, true, false },
		{ "W64", 8, false, true }, { "W32", 4, false, true },
	};
	const struct dump_block *b = h->block;
	const uint8_t *p = b->p + i;
	const size_t n = points_bytes(group), m = plain ? 2 : b->im->big_endian ? 6 : 4;

	/* numbers of P-521 and P-224 may begin or end with a word that is not full */
	if (i + n > b->n || (n % 8 ? !looks_random(p + 8, n / 8 * 8 - 8) : !looks_random(p, n)))
		return;
	for (size_t k = 0; k < m; k++) {
		const size_t word = orders[k].word, size = (n + word - 1) / word * word;
		struct pending x = { .at = i, .n = size, .layout = orders[k].name };
		uint8_t rest = 0;

		if (i + size > b->n)
			continue;
		for (size_t j = 0; j < size; j++) { /* byte j of the number */
			const size_t w = orders[k].high_first ? size / word - 1 - j / word : j / word, in = orders[k].big ? word - 1 - j % word : j % word;

			x.value[j] = p[w * word + in];
			rest |= j >= n ? x.value[j] : 0;
		}
		memset(x.value + n, 0, sizeof x.value - n);
		if (!rest)
			put_number(st, h, group, &x, !plain);
		OPENSSL_cleanse(&x, sizeof x);
	}
	if (group >= POINTS_25519)
		put_bytes(st, h, group, p, i, b->n - i);
}

/* ---- words that are not full ---- */

static uint64_t cell_at(const uint8_t *p, unsigned bytes, bool big) { return bytes == 8 ? get64(p, big) : bytes == 4 ? get32(p, big) : get16(p, big); }

/* Cells of `bits` bits (with `mixed`, 26 and 25 in turn) from low to high; false: not a number of n random bytes */
static bool pack(const uint8_t *p, unsigned bytes, unsigned cells, unsigned bits, bool mixed, bool down, bool big, uint8_t *ret, size_t n)
{
	size_t at = 0;
	unsigned high = 0, whole = 0;

	memset(ret, 0, 72);
	for (unsigned k = 0; k < cells; k++) {
		uint64_t v = cell_at(p + (size_t)bytes * (down ? cells - 1 - k : k), bytes, big);
		const unsigned width = mixed && k % 2 ? bits - 1 : bits;

		if (k + 1 < cells && v >> width)
			return false;
		if (k + 1 < cells)
			for (unsigned j = 0; j < width / 8; j++, whole++)
				high += v >> (8 * j + 7) & 1;
		for (unsigned j = 0; v; j++, v >>= 8) {
			const size_t bit = at + 8 * j;
			const unsigned two = (unsigned)(v & 255) << bit % 8;

			if (bit / 8 >= n || (two >> 8 && bit / 8 + 1 >= n))
				return false;
			ret[bit / 8] |= (uint8_t)two;
			if (two >> 8)
				ret[bit / 8 + 1] |= (uint8_t)(two >> 8);
		}
		at += width;
	}
	/* text packed is as good as random, but has no top bits */
	return high * 20 >= whole && (whole - high) * 20 >= whole && looks_random(ret, n == 66 ? 64 : n == 56 ? 55 : n >= 32 ? n - 1 : n);
}

static void try_limbs(struct state *st, struct hunter *h, size_t i, int group)
{
	const struct dump_block *b = h->block;
	const bool big = b->im->big_endian;
	const size_t n = points_bytes(group);
	const unsigned bits = group == POINTS_25519 ? 255 : group == POINTS_448 ? 448 : curve_bits((enum curve)group);
	uint32_t rows = 0;
	const uint64_t tops = UINT64_C(0x0080808080808080);

	/* the width of a few cells says which layouts there can be: their top six bits are not all zero but for once in 2^18 */
	for (unsigned bytes = 2; bytes <= 8; bytes *= 2) {
		uint64_t all = 0;

		for (unsigned k = 0; k < (bytes == 8 ? 4U : bytes == 4 ? 8U : 14U); k++)
			all |= cell_at(b->p + i + (size_t)bytes * k, bytes, big);
		/* text has no top bits */
		if (all & (bytes == 8 ? tops : tops >> (bytes == 4 ? 32 : 48)))
			rows |= st->rows[bytes][64 - (unsigned)__builtin_clzll(all)];
	}
	for (; rows; rows &= rows - 1) {
		const unsigned r = (unsigned)__builtin_ctz(rows), bytes = limbs[r].bytes, width = limbs[r].bits;

		for (unsigned variant = 0; variant < (width == 26 && bytes == 4 ? 4U : 2U); variant++) {
			const bool mixed = variant >= 2, down = variant & 1;
			const unsigned cells = limbs[r].cells && n == 32 ? limbs[r].cells : mixed ? (2 * bits + 50) / 51 : (bits + width - 1) / width;
			struct pending x = { .at = i, .n = (size_t)cells * bytes };

			if (i + x.n > b->n || !pack(b->p + i, bytes, cells, width, mixed, down, big, x.value, n))
				continue;
			x.layout = mixed ? "U25.5/4" : dump_intern(st->s, "U%u/%u", width, bytes);
			put_number(st, h, group, &x, true);
			OPENSSL_cleanse(&x, sizeof x);
		}
	}
}

/* Digits of radix 16, from -8 to 15, one a byte: what a multiplication by tables makes of a scalar. */
static void try_digits(struct state *st, struct hunter *h, size_t i, int group)
{
	const struct dump_block *b = h->block;
	const size_t n = points_bytes(group);
	const uint8_t *p = b->p + i;
	unsigned zeros = 0, seen = 0;

	if (i + 2 * n > b->n)
		return;
	for (size_t k = 0; k < 2 * n; k++) {
		if ((uint8_t)(p[k] + 8) > 24 || (zeros += p[k] == 0) > (k < 8 ? 5 : n / 2))
			return;
		seen |= 1U << ((p[k] + 8) & 31);
	}
	if (__builtin_popcount(seen) < 8)
		return;
	for (int down = 0; down < 2; down++) {
		struct pending x = { .at = i, .n = 2 * n, .layout = "digits" };
		int carry = 0;

		for (size_t k = 0; k < n; k++) {
			const int8_t low = (int8_t)p[down ? 2 * n - 1 - 2 * k : 2 * k], high = (int8_t)p[down ? 2 * n - 2 - 2 * k : 2 * k + 1];

			carry += low + 16 * high;
			x.value[k] = (uint8_t)carry;
			carry >>= 8;
		}
		if (carry == 0)
			put_number(st, h, group, &x, false);
		OPENSSL_cleanse(&x, sizeof x);
	}
}

/* ---- 1: everywhere ---- */

/* May numbers of the process be here?  Not in code and in files that are only read. */
static bool is_memory(const struct dump_block *b, uint64_t offset)
{
	const struct dump_range *r = dump_range_at(b->im, offset);

	return r && ((r->flags & DUMP_WRITE) || !(r->flags & DUMP_MAPPED) || (!(r->flags & DUMP_EXEC) && !*dump_name_of(b->im, r)));
}

static void everywhere(struct state *st, struct hunter *h, bool thorough)
{
	const struct dump_block *b = h->block;
	const size_t step = thorough || !b->mapped ? 1 : b->step == 1 ? 8 : b->step;

	for (size_t e = 0; e < b->n_extents; e++) {
		const struct dump_extent *x = &b->extents[e];
		size_t i = x->at < 0 ? 0 : (size_t)x->at, last = (size_t)((int64_t)x->n + x->at < 0 ? 0 : (int64_t)x->n + x->at);

		if (!is_memory(b, x->offset) && !thorough)
			continue;
		last = last < b->own ? last : b->own;
		for (i += (step - (i + b->phase) % step) % step; i < last; i += step) { /* the block's pad may be read */
			const uint64_t word = get64(b->p + i, false), next = get64(b->p + i + 8, false);

			if (word == 0 || (next == 0 && word < 65536))
				continue;
			for (int g = 1; g < POINTS_GROUPS; g++) {
				if (!st->prey[g].wide)
					continue;
				try_raw(st, h, i, g, false);
				try_limbs(st, h, i, g);
				try_digits(st, h, i, g);
			}
		}
	}
}

/* ---- 2: around a public key ---- */

/* How many bytes at p are the public key itself, of which no secret is a part: X and Y, X as a number in memory, A. */
static size_t public_bytes(const struct target *t, const uint8_t *p, size_t n)
{
	const size_t size = t->scalar_bytes;
	size_t k = 0;

	if (t->alg != CLAIM_EC)
		return n >= t->point_bytes && memcmp(p, t->point, t->point_bytes) == 0 ? t->point_bytes : 0;
	if (n >= size && memcmp(p, t->point + 1, size) == 0)
		return n >= 2 * size && memcmp(p + size, t->point + 1 + size, size) == 0 ? 2 * size : size;
	while (k < size && k < n && p[k] == t->point[size - k])
		k++;
	return k == size ? size : 0;
}

static void around(struct state *st, struct hunter *h, size_t at, const struct target *t)
{
	const struct dump_block *b = h->block;
	const size_t near = t->distant ? CURVE_BESIDE_BYTES : CURVE_NEAR_BYTES, n = t->scalar_bytes;
	const size_t own = public_bytes(t, b->p + at, b->n - at);
	const size_t low = at > near ? at - near : 0, high = at + near < b->n ? at + near : b->n;

	for (size_t i = low; i + n <= high; i++) {
		/* close by at every byte, farther away where programs align numbers */
		size_t distance = i > at ? i - at : at - i;
		if (i + n > at && i < at + own) {
			i = at + own - 1;
			continue;
		}
		if (distance <= CURVE_CLOSE_BYTES || (i + b->phase) % 8 == 0)
			try_raw(st, h, i, t->group, true);
	}
}

static void near_points(struct state *st, struct hunter *h)
{
	const struct dump_block *b = h->block;

	for (size_t i = 0; i < b->own; i++) {
		unsigned key = get16(b->p + i, false);
		if (!(st->filter[key / 32] >> key % 32 & 1))
			continue;
		for (size_t k = 0; k < st->n_needles; k++)
			if (memcmp(b->p + i, st->needles[k].bytes, 8) == 0)
				around(st, h, i, &st->targets[st->needles[k].target]);
	}
}

static void scan(struct dump_scan *s, void *state, const struct dump_block *b)
{
	struct state *st = state;
	struct hunter *h;

	if (!st->n_targets)
		return;
	h = hunter_take(st, b);
	if (!h) {
		dump_limit(s, "no memory to look for elliptic keys");
		return;
	}
	near_points(st, h);
	everywhere(st, h, dump_scan_options(s)->thorough);
	if (h->cost > CURVE_COST_MAX)
		dump_limit_random(s, b, "more numbers that may be of elliptic keys than are tried");
	for (int g = 1; g < POINTS_GROUPS; g++)
		ask(st, h, g);
	hunter_give(st, h);
}

const struct dump_finder dump_finder_find_curve = {
	.name = "curve",
	.doc = "secrets of known elliptic and Edwards keys: numbers of which a multiple of the public key follows",
	.decoded = false,
	.needs_targets = true,
	.begin = begin,
	.scan = scan,
	.end = end,
};
