/* SPDX-License-Identifier: Apache-2.0 */
/* find_curve: the secret of a known elliptic or Edwards key, as a bare number.
 *
 * There is no cheap test for a scalar: d G = Q costs some ten microseconds, too much for every window of a dump.  So structure
 * comes first:
 *
 *  1. near the public key: wherever Q's X or A is, every window of the scalar's size within CURVE_NEAR_BYTES that looks like
 *     a random number (libsodium, Go, OpenSSH keep seed and public key together), and what the pointers around it point to
 *     (OpenSSL's Ed25519 keys);
 *  2. OpenSSL BIGNUMs of a scalar's length, wherever they are;
 *  3. with --thorough, every aligned window of pages that look random.
 *
 * A value is tested once, against all known points of its curve, some hundred values at a time (points.h).  Points: the caller's
 * targets, and the public keys found in the dump itself (certificates, SubjectPublicKeyInfo). */
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/limits.h"
#include "dump/bytes.h"
#include "dump/claim.h"
#include "dump/arena.h"
#include "dump/dump.h"
#include "dump/form.h"
#include "dump/points.h"

const struct dump_finder dump_finder_find_curve;

struct target {
	enum claim_alg alg;
	enum curve curve;
	uint8_t point[133];
	uint32_t point_bytes, scalar_bytes;
	bool distant; /* an authority found in the dump: only its own neighbours are looked at */
};

/* what is searched for to find the neighbourhood of a public key: eight bytes of X or A, in memory's order */
struct needle {
	uint8_t bytes[8];
	uint32_t target;
};

/* a place in memory that may hold a scalar: found in one block, read when all blocks are done */
struct pointer {
	uint64_t va;
	uint32_t bytes;  /* 32, 48, 66, 57 */
	bool words;      /* a BIGNUM: little-endian words */
};

struct hit_place {
	const struct dump_block *block; /* NULL: by address */
	size_t at;
	uint64_t va;
	struct dump_image *im;
};

/* a number that waits for its batch */
struct pending {
	uint8_t value[72];
	uint32_t n;
	bool little;
	struct hit_place place;
	const char *form;
};

/* what one thread needs */
struct hunter {
	struct hunter *next;
	struct prover *prover;
	struct points *points[CURVE_COUNT]; /* made when needed */
	struct pending *pending[CURVE_COUNT]; /* POINTS_BATCH of each; undumpable */
	uint32_t n_pending[CURVE_COUNT];
	uint64_t cost;                      /* of this block */
};

struct state {
	struct dump_scan *s;
	uint64_t most;                     /* points computed, for one block */
	pthread_mutex_t lock;
	struct hunter *idle;
	struct points *hunted[CURVE_COUNT]; /* by X */
	struct target *targets;
	size_t n_targets;
	struct needle *needles;
	size_t n_needles;
	uint32_t filter[65536 / 32];       /* first two bytes of all needles */
	struct number *points;             /* for the prover */
	struct known_keys known;
	bool has[CURVE_COUNT], has_edwards[CLAIM_X448 + 1];
	struct pointer *pointers;
	size_t n_pointers, pointers_capacity;
	uint64_t *tested;                  /* hashes of values that are no key's secret */
};

#define TESTED_SLOTS 65536
#define IS_EDWARDS(a) ((a) == CLAIM_ED25519 || (a) == CLAIM_X25519 || (a) == CLAIM_ED448)

/* ---- what is hunted ---- */

static bool add_target(struct state *st, const struct dump_target *t)
{
	struct target x = { .point_bytes = (uint32_t)t->point.n, .distant = t->distant };
	struct target *bigger;

	if (t->point.n == 0 || t->point.n > sizeof x.point)
		return true;
	if (st->n_targets >= CURVE_TARGETS_MAX) {
		dump_limit(st->s, "more elliptic public keys than are hunted");
		return true;
	}
	switch (t->algorithm) {
	case DUMP_EC:
		x.alg = CLAIM_EC;
		x.curve = curve_by_name(str_of(t->group));
		if (!x.curve || t->point.n != 1 + 2 * curve_bytes(x.curve))
			return true;
		x.scalar_bytes = curve_bytes(x.curve);
		break;
	case DUMP_ED25519: x.alg = CLAIM_ED25519, x.scalar_bytes = 32; break;
	case DUMP_X25519: x.alg = CLAIM_X25519, x.scalar_bytes = 32; break;
	case DUMP_ED448: x.alg = CLAIM_ED448, x.scalar_bytes = 57; break;
	default: return true;
	}
	memcpy(x.point, t->point.p, t->point.n);
	if (x.alg == CLAIM_EC) {
		if (!st->hunted[x.curve])
			st->hunted[x.curve] = points_new(x.curve);
		if (!st->hunted[x.curve] || !points_hunt(st->hunted[x.curve], x.point + 1))
			return false;
	}
	bigger = realloc(st->targets, (st->n_targets + 1) * sizeof *bigger);
	if (!bigger)
		return false;
	st->targets = bigger;
	st->targets[st->n_targets++] = x;
	st->has[x.curve] = true;
	st->has_edwards[x.alg] = x.alg != CLAIM_EC;
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
	for (int c = 0; c < CURVE_COUNT; c++) {
		points_free(h->points[c]);
		dump_pages_free(h->pending[c], POINTS_BATCH * sizeof(struct pending));
	}
	free(h);
}

static struct hunter *hunter_take(struct state *st)
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
	if (h)
		h->cost = 0;
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
	for (int c = 0; c < CURVE_COUNT; c++)
		points_free(st->hunted[c]);
	if (st->tested)
		OPENSSL_cleanse(st->tested, TESTED_SLOTS * sizeof *st->tested);
	free(st->targets);
	free(st->needles);
	free(st->points);
	free(st->pointers);
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
	st->most = CURVE_MET_COST_MAX;
	pthread_mutex_init(&st->lock, NULL);
	for (size_t i = 0; i < n && ok; i++) {
		ok = add_target(st, &t[i]);
		if (!t[i].from_dump && t[i].algorithm != DUMP_RSA)
			st->most = CURVE_COST_MAX;
	}
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
	st->known = (struct known_keys){ .point = st->points, .point_count = st->n_targets };
	*ret_state = st;
	return true;
}

/* ---- testing ---- */

/* Random numbers have few bytes twice and few zeros; tables, text and pointers have many. */
static bool looks_random(const uint8_t *p, size_t n)
{
	uint64_t seen[4] = { 0 };
	unsigned zeros = 0;
	for (size_t i = 0; i < n; i++) {
		seen[p[i] >> 6] |= UINT64_C(1) << (p[i] & 63);
		zeros += p[i] == 0;
	}
	unsigned distinct = (unsigned)(__builtin_popcountll(seen[0]) + __builtin_popcountll(seen[1]) + __builtin_popcountll(seen[2]) + __builtin_popcountll(seen[3]));
	return zeros <= 3 && distinct >= n * 5 / 8; /* 32 random bytes: 30.2 distinct, 20 in 10^12; 66: 58 */
}

/* Values that are no key's secret are remembered (in a table that forgets: at worst one is tested again); a secret
 * is reported in every place it is in. */
static uint64_t name_of(const uint8_t *p, size_t n, unsigned way) { return hash64(p, n, way + 1); }

static bool is_nobodys(const struct state *st, uint64_t name)
{
	return __atomic_load_n(&st->tested[name % TESTED_SLOTS], __ATOMIC_RELAXED) == name;
}

static void remember(struct state *st, uint64_t name) { __atomic_store_n(&st->tested[name % TESTED_SLOTS], name, __ATOMIC_RELAXED); }

static void found(struct state *st, const struct claim *c, const struct proof *v, const struct hit_place *place, size_t n, const char *layout, const char *form)
{
	uint8_t secret[66];
	size_t secret_bytes = c->alg == CLAIM_EC ? curve_bytes(c->curve) : c->part[EC_D].n;
	struct dump_hit hit = {
		.klass = DUMP_PROVED,
		.proof = DUMP_PROOF_POINT,
		.algorithm = c->alg == CLAIM_EC ? DUMP_EC : c->alg == CLAIM_ED25519 ? DUMP_ED25519 : c->alg == CLAIM_X25519 ? DUMP_X25519 : DUMP_ED448,
		.bits = v->bits,
		.key = -1,
		.form = form,
		.component = c->alg == CLAIM_EC ? "d" : "seed",
		.layout = layout,
	};
	if (BN_bn2binpad(v->d, secret, (int)secret_bytes) == (int)secret_bytes)
		hit.key = dump_key_point(st->s, hit.algorithm, v->bits, c->alg == CLAIM_EC ? curve_group(c->curve) : NULL, (struct dump_bytes){ v->point, v->point_bytes },
		                         (struct dump_bytes){ secret, secret_bytes });
	OPENSSL_cleanse(secret, sizeof secret);
	if (place->block) {
		dump_report(st->s, &dump_finder_find_curve, place->block, place->at, n, &hit);
		return;
	}
	uint64_t offset, left;
	if (!dump_va_to_offset(place->im, place->va, &offset, &left))
		return;
	hit.has_va = true;
	hit.va = place->va;
	hit.offset = offset;
	hit.length = n;
	hit.n_pieces = 1;
	hit.pieces[0] = (struct dump_piece){ offset, n < left ? n : left };
	dump_report_at(st->s, &dump_finder_find_curve, place->im, &hit);
}

static unsigned way_of(int curve, bool little) { return (unsigned)(curve * 2 + little); }

/* All that wait for this curve. */
static void ask(struct state *st, struct hunter *h, int curve)
{
	const struct pending *all = h->pending[curve];
	uint32_t tags[POINTS_BATCH];
	size_t n = h->n_pending[curve] ? points_ask(h->points[curve], tags) : 0, k = 0;

	for (uint32_t i = 0; i < h->n_pending[curve]; i++) {
		struct claim c = { .alg = CLAIM_EC, .curve = (enum curve)curve };
		struct proof proof;
		const bool passed = k < n && tags[k] == i; /* they come in order */

		k += passed;
		c.part[EC_D] = (struct number){ all[i].value, all[i].n, all[i].little };
		if (passed && claim_prove(h->prover, &c, &st->known, &proof) && proof.level == PROOF_POINT)
			found(st, &c, &proof, &all[i].place, all[i].n, all[i].little ? "LE" : "BE", all[i].form);
		else
			remember(st, name_of(all[i].value, all[i].n, way_of(curve, all[i].little)));
	}
	h->n_pending[curve] = 0;
}

static void ask_all(struct state *st, struct hunter *h)
{
	for (int curve = 1; curve < CURVE_COUNT; curve++)
		ask(st, h, curve);
}

static bool prepare(struct state *st, struct hunter *h, int curve)
{
	if (!h->points[curve])
		h->points[curve] = points_share(st->hunted[curve]);
	if (!h->pending[curve])
		h->pending[curve] = dump_pages_new(POINTS_BATCH * sizeof(struct pending));
	if (h->points[curve] && h->pending[curve])
		return true;
	dump_limit(st->s, "no memory to look for elliptic keys");
	return false;
}

/* One window against all known points that have scalars of this size. */
static void try_window(struct state *st, struct hunter *h, const uint8_t *p, size_t n, bool little_only, const struct hit_place *place, const char *form)
{
	const int least = little_only ? 1 : 0;

	for (int curve = 1; curve < CURVE_COUNT; curve++) {
		const size_t bytes = curve_bytes((enum curve)curve);
		if (!st->has[curve] || bytes != (n == 72 ? 66 : n))
			continue;
		for (int little = 1; little >= least; little--) {
			/* the order of P-521 begins with 01 ff; a BIGNUM's words end with zeros */
			if ((bytes == 66 && (little ? p[65] : p[0]) > 1) || (n == 72 && (p[66] | p[67] | p[68] | p[69] | p[70] | p[71])))
				continue;
			if (is_nobodys(st, name_of(p, n, way_of(curve, little))) || !prepare(st, h, curve))
				continue;
			uint32_t i = h->n_pending[curve]++;
			struct pending *x = &h->pending[curve][i];
			*x = (struct pending){ .n = (uint32_t)n, .little = little, .place = *place, .form = form };
			memcpy(x->value, p, n);
			h->cost += bytes <= 32 ? 1 : bytes <= 48 ? 3 : 8;
			if (!points_add(h->points[curve], p, n, little, i))
				ask(st, h, curve);
		}
	}
	for (int alg = CLAIM_ED25519; alg <= CLAIM_X25519 && !little_only; alg++) {
		if (!st->has_edwards[alg] || n != (alg == CLAIM_ED448 ? 57 : 32))
			continue;
		const uint64_t name = name_of(p, n, 64 + (unsigned)alg);
		struct claim c = { .alg = (enum claim_alg)alg };
		struct proof proof;
		if (is_nobodys(st, name))
			continue;
		c.part[EC_D] = (struct number){ p, (uint32_t)n, false };
		h->cost += 8;
		if (claim_prove(h->prover, &c, &st->known, &proof) && proof.level == PROOF_POINT)
			found(st, &c, &proof, place, n, "bytes", form);
		else
			remember(st, name);
	}
}

static void keep_pointer(struct state *st, uint64_t va, uint32_t bytes, bool is_words)
{
	pthread_mutex_lock(&st->lock);
	if (st->n_pointers == st->pointers_capacity && st->n_pointers < CURVE_POINTERS_MAX) {
		size_t capacity = st->pointers_capacity ? 2 * st->pointers_capacity : 256;
		struct pointer *bigger = realloc(st->pointers, capacity * sizeof *bigger);
		if (bigger) {
			st->pointers = bigger;
			st->pointers_capacity = capacity;
		}
	}
	if (st->n_pointers < st->pointers_capacity)
		st->pointers[st->n_pointers++] = (struct pointer){ va, bytes, is_words };
	else
		dump_limit(st->s, "more pointers to what may be an elliptic key than are followed");
	pthread_mutex_unlock(&st->lock);
}

/* ---- 1: around a public key ---- */

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

static void around(struct state *st, struct hunter *h, const struct dump_block *b, size_t at, const struct target *t)
{
	const size_t near = t->distant ? CURVE_BESIDE_BYTES : CURVE_NEAR_BYTES, n = t->scalar_bytes;
	const size_t own = public_bytes(t, b->p + at, b->n - at);
	const size_t low = at > near ? at - near : 0, high = at + near < b->n ? at + near : b->n;
	struct hit_place place = { .block = b };

	for (size_t i = low; i + n <= high; i++) {
		/* close by at every byte, farther away where programs align numbers */
		size_t distance = i > at ? i - at : at - i;
		if (i + n > at && i < at + own) {
			i = at + own - 1;
			continue;
		}
		if ((distance > CURVE_CLOSE_BYTES && (i + b->phase) % 8 != 0) || h->cost > st->most || !looks_random(b->p + i, n))
			continue;
		place.at = i;
		try_window(st, h, b->p + i, n, false, &place, "number");
	}
	if (!b->mapped)
		return;
	/* what its neighbours point to */
	for (size_t i = at > 256 ? at - 256 : 0; i < at + 256 && i + 8 <= b->n; i++) {
		uint64_t va = get64(b->p + i, false);
		if ((i + b->phase) % 8 == 0 && va > 65536 && va >> 48 == 0 && va % 8 == 0)
			keep_pointer(st, va, (uint32_t)n, false);
	}
}

static void near_points(struct state *st, struct hunter *h, const struct dump_block *b)
{
	for (size_t i = 0; i < b->own; i++) {
		unsigned key = get16(b->p + i, false);
		if (!(st->filter[key / 32] >> key % 32 & 1))
			continue;
		for (size_t k = 0; k < st->n_needles; k++)
			if (memcmp(b->p + i, st->needles[k].bytes, 8) == 0)
				around(st, h, b, i, &st->targets[st->needles[k].target]);
	}
}

/* ---- 2: BIGNUMs of a scalar's length (crypto/bn/bn_local.h: words, used, allocated, sign, flags) ---- */

static void bignums(struct state *st, const struct dump_block *b)
{
	if (!b->mapped || b->step != 8)
		return;
	for (size_t i = (8 - b->phase) & 7; i < b->own; i += 8) {
		const uint8_t *p = b->p + i;
		uint32_t top = get32(p + 8, false), allocated = get32(p + 12, false), flags = get32(p + 20, false);
		uint64_t va = get64(p, false);
		if ((top != 4 && top != 6 && top != 9) || allocated < top || allocated > top + 64 || get32(p + 16, false) != 0 || flags >= 64 || va % 8 != 0 || va < 65536 || va >> 48)
			continue;
		if ((top == 4 && (st->has[CURVE_P256] || st->has[CURVE_K256])) || (top == 6 && st->has[CURVE_P384]) || (top == 9 && st->has[CURVE_P521]))
			keep_pointer(st, va, 8 * top, true);
	}
}

/* ---- 3: everything random ---- */

static void thorough(struct state *st, struct hunter *h, const struct dump_block *b)
{
	static const unsigned sizes[] = { 32, 48, 66, 57 };
	struct hit_place place = { .block = b };
	for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
		bool wanted = false;
		for (size_t t = 0; t < st->n_targets; t++)
			wanted |= st->targets[t].scalar_bytes == sizes[k];
		for (size_t i = (8 - b->phase) & 7; wanted && i < b->own && i + sizes[k] <= b->n; i += 8) {
			if (!looks_random(b->p + i, sizes[k]))
				continue;
			place.at = i;
			try_window(st, h, b->p + i, sizes[k], false, &place, "number");
		}
	}
}

static void scan(struct dump_scan *s, void *state, const struct dump_block *b)
{
	struct state *st = state;
	struct hunter *h;

	if (!st->n_targets)
		return;
	h = hunter_take(st);
	if (!h) {
		dump_limit(s, "no memory to look for elliptic keys");
		return;
	}
	near_points(st, h, b);
	if (!b->encoding)
		bignums(st, b);
	if (h->cost > st->most)
		dump_limit(s, "more numbers near elliptic public keys than are tried");
	if (dump_scan_options(s)->thorough && !b->encoding)
		thorough(st, h, b);
	ask_all(st, h);
	hunter_give(st, h);
}

static int by_address(const void *a, const void *b)
{
	const struct pointer *x = a, *y = b;
	if (x->va != y->va)
		return x->va < y->va ? -1 : 1;
	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? -1 : 1;
	return (int)x->words - (int)y->words;
}

static void finish(struct dump_scan *s, void *state, struct dump_image *im)
{
	struct state *st = state;
	struct hunter *h = hunter_take(st);
	uint8_t value[72];

	if (!h) {
		dump_limit(s, "no memory to look for elliptic keys");
		return;
	}
	if (st->n_pointers)
		qsort(st->pointers, st->n_pointers, sizeof *st->pointers, by_address);
	for (size_t i = 0; i < st->n_pointers; i++) {
		const struct pointer *p = &st->pointers[i];
		struct hit_place place = { .va = p->va, .im = im };
		if ((i && by_address(p, p - 1) == 0) || dump_read_va(im, p->va, value, p->bytes) < p->bytes || !looks_random(value, p->bytes < 66 ? p->bytes : 64))
			continue;
		if (h->cost > st->most) {
			dump_limit(s, "more pointers to what may be an elliptic key than are followed");
			break;
		}
		try_window(st, h, value, p->bytes, p->words, &place, p->words ? "bignum" : "number");
	}
	ask_all(st, h);
	OPENSSL_cleanse(value, sizeof value);
	hunter_give(st, h);
}

const struct dump_finder dump_finder_find_curve = {
	.name = "curve",
	.doc = "secrets of known elliptic and Edwards keys: near their public keys, through pointers, in OpenSSL's numbers",
	.decoded = false,
	.needs_targets = true,
	.begin = begin,
	.scan = scan,
	.finish = finish,
	.end = end,
};
