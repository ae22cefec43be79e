/* SPDX-License-Identifier: Apache-2.0 */
/* walk: unknown keys, found through the structures in which libraries hold their numbers.
 *
 * A structure holds a pointer and a length in words.  OpenSSL's BIGNUM, GMP's mpz, mbedTLS' mpi and Go's nat have one
 * small fixed form each; a Java int[] holds its words itself, and so do the arrays of .NET.  The values they point to are gathered, and then arithmetic
 * decides: p and q are odd, of one size, and their product is a third value of the same process.  That proves a key without
 * any public part, and without a single false one.
 *
 * With N known (given, or just proven) each value V of a prime's size is also tested for R^2 mod p, which OpenSSL and
 * mbedTLS keep for their Montgomery products: gcd(2^(2h) - V, N) = p.  And for d mod (p - 1) or d mod (q - 1) alone:
 * gcd(2^(e V) - 2 mod N, N).
 *
 * The members of a JWK that a program has read are strings of its own, each somewhere else: text of a number's size is such a value too.
 *
 * The structures are collected during the scan of the blocks; pointers are followed after it, in the order of the file. */
#include <stdlib.h>

#include <openssl/crypto.h>

#include "base/limits.h"
#include "dump/bytes.h"
#include "dump/find_int.h"
#include "dump/arena.h"

#define WORDS_LEAST 4         /* of a prime: 256 bits; of 8 bytes */
#define BYTES_MOST 2048       /* 16384 bits */

enum kind { OPENSSL, GMP, MBEDTLS, GO, JAVA, NET_WORDS, NET_BYTES, TEXT, KINDS };
static const char *const kind_names[KINDS] = { "bignum", "gmp", "mbedtls-mpi", "go-nat", "java-int[]", "net-uint[]", "net-byte[]", "text" };

struct text { struct dump_hit where; uint8_t bytes[1024]; }; /* big-endian */

struct place {
	uint64_t offset, va;  /* of the value; va of a text: its index */
	uint32_t bytes;
	uint8_t kind;
};

struct value {
	struct place place;
	BIGNUM *bn;
	const struct text *text; /* NULL: in memory */
	uint64_t low;         /* its lowest word */
	bool used;            /* p or q of some pair */
};

struct walk {
	pthread_mutex_t lock;
	struct place *places;
	size_t n, capacity;
	struct text *texts;   /* WALK_TEXTS_MAX pages that are locked, or NULL */
	size_t n_texts;
	bool cut;
};

extern const struct dump_finder dump_finder_find_walk;

static bool begin(struct dump_scan *s, struct dump_image *im, void **ret)
{
	struct walk *w = calloc(1, sizeof(*w));

	(void)s;
	(void)im;
	if (w)
		pthread_mutex_init(&w->lock, NULL);
	*ret = w;
	return w != NULL;
}

static void end(void *state)
{
	struct walk *w = state;

	if (!w)
		return;
	pthread_mutex_destroy(&w->lock);
	dump_pages_free(w->texts, w->texts ? WALK_TEXTS_MAX * sizeof(*w->texts) : 0);
	free(w->places);
	free(w);
}

/* ---- structures ---- */

struct batch {
	const struct dump_block *b;
	struct place places[WALK_BLOCK_MAX];
	size_t n;
	bool cut;
};

static void add(struct batch *a, enum kind kind, uint64_t va, size_t bytes)
{
	uint64_t offset, left;

	if (bytes < 8 * WORDS_LEAST || bytes > BYTES_MOST || !dump_va_to_offset(a->b->im, va, &offset, &left))
		return;
	if (a->n == WALK_BLOCK_MAX) {
		a->cut = true;
		return;
	}
	a->places[a->n++] = (struct place){ offset, va, (uint32_t)bytes, (uint8_t)kind };
}

/* uint[] of a BigInteger, and byte[] of RSAParameters: the length, in eight bytes, is right before the words.  In front of it .NET has a
 * pointer, Mono zeros. */
static void net_array(struct batch *a, size_t i, uint64_t length)
{
	const struct dump_block *b = a->b;
	const uint8_t *data = b->p + i;
	size_t n = 4 * (size_t)length;

	if (length <= 260 && b->n - i >= n && (data[0] & 1)) {
		while (n > 64 && get32(data + n - 4, false) == 0)
			n -= 4;
		if (n >= 64 && data[n - 1] >= 0x80)
			add(a, NET_WORDS, b->va + i, n);
	}
	if (length >= 64 && length <= 1024 && b->n - i >= length && data[0] >= 0x80 && (data[length - 1] & 1))
		add(a, NET_BYTES, b->va + i, (size_t)length);
}

static void structures64(struct batch *a, bool big)
{
	const struct dump_block *b = a->b;
	const uint8_t *p = b->p;

	for (size_t i = (8 - b->phase) % 8; i < b->own && b->n - i >= 24; i += 8) {
		const uint64_t x = get64(p + i, big), y = get64(p + i + 8, big);
		const uint32_t first = get32(p + i, big), second = get32(p + i + 4, big);
		const uint32_t third = get32(p + i + 8, big), fourth = get32(p + i + 12, big);

		if (y >= 16 && y <= 1024)
			net_array(a, i + 16, y);
		if ((y == 0) | (x == 0))
			continue;
		/* BIGNUM { words *d; int top, dmax, neg, flags } */
		if (third >= WORDS_LEAST && third <= 256 && fourth >= third && fourth <= third + 64 && (x & 7) == 0 && x >> 56 == 0 &&
		    get32(p + i + 16, big) == 0 && get32(p + i + 20, big) < 64)
			add(a, OPENSSL, x, (size_t)8 * third);
		/* mpz { int alloc, size; words *d } */
		if (second >= WORDS_LEAST && second <= 256 && first >= second && first <= 1024 && (y & 7) == 0 && y >> 56 == 0)
			add(a, GMP, y, (size_t)8 * second);
		/* mpi { int sign; size_t n; words *p } */
		if (first == 1 && y >= WORDS_LEAST && y <= 256)
			add(a, MBEDTLS, get64(p + i + 16, big), 8 * (size_t)y);
		/* nat { words *p; int len, cap } */
		if (y >= WORDS_LEAST && y <= 256 && (x & 7) == 0 && x >> 56 == 0) {
			uint64_t cap = get64(p + i + 16, big);

			if (cap >= y && cap <= y + 64)
				add(a, GO, x, 8 * (size_t)y);
		}
		/* int[] { mark; class; length; words }: the length is right before the words */
		if (fourth >= 16 && fourth <= 128 && third && b->n - i >= 16 + 4 * (size_t)fourth && p[i + 19] >= 0x80 &&
		    (p[i + 16 + 4 * (size_t)fourth - 4] & 1))
			add(a, JAVA, b->va + i + 16, 4 * (size_t)fourth);
	}
}

static void structures32(struct batch *a, bool big)
{
	const struct dump_block *b = a->b;
	const uint8_t *p = b->p;

	for (size_t i = (4 - b->phase % 4) % 4; i < b->own && b->n - i >= 20; i += 4) {
		const uint32_t x = get32(p + i, big), y = get32(p + i + 4, big), z = get32(p + i + 8, big);

		if (x == 0 || y == 0)
			continue;
		if (y >= 8 && y <= 512 && z >= y && z <= y + 64 && (x & 3) == 0 && get32(p + i + 12, big) == 0 && get32(p + i + 16, big) < 64)
			add(a, OPENSSL, x, (size_t)4 * y);
		if (y >= 8 && y <= 512 && x >= y && x <= 1024 && (z & 3) == 0)
			add(a, GMP, z, (size_t)4 * y);
		if (x == 1 && y >= 8 && y <= 512 && (z & 3) == 0)
			add(a, MBEDTLS, z, (size_t)4 * y);
		if (y >= 8 && y <= 512 && z >= y && z <= y + 64 && (x & 3) == 0)
			add(a, GO, x, (size_t)4 * y);
	}
}

static void keep(struct walk *w, const struct place *places, size_t n)
{
	if (n > w->capacity - w->n) {
		size_t capacity = (w->n + n) * 2;
		struct place *bigger = capacity <= (size_t)64 * 1024 * 1024 / sizeof(*bigger) ? realloc(w->places, capacity * sizeof(*bigger)) : NULL;

		if (bigger) {
			w->places = bigger;
			w->capacity = capacity;
		}
	}
	if (n <= w->capacity - w->n) {
		if (n)
			memcpy(w->places + w->n, places, n * sizeof(*places));
		w->n += n;
	} else {
		w->cut = true;
	}
}

/* A decoded text that is as long as the numbers of RSA keys are, and odd as these are.  Signatures of JWTs, which follow a full stop, and
 * hashes of 64 bytes, in hexadecimal or padded, are often so too. */
static void text(struct dump_scan *s, struct walk *w, const struct dump_block *b)
{
	struct text *t;

	if (b->n < 64 || b->n > sizeof(t->bytes) || b->n % 16 || !b->p[0] || !(b->p[b->n - 1] & 1) ||
	    (b->n == 64 && b->from_n != 86 && b->from_n != 171) || (b->from && b->parent->p[b->from - 1] == '.'))
		return;
	pthread_mutex_lock(&w->lock);
	if (!w->texts)
		w->texts = dump_pages_new(WALK_TEXTS_MAX * sizeof(*w->texts));
	t = w->texts && w->n_texts < WALK_TEXTS_MAX ? &w->texts[w->n_texts++] : NULL;
	w->cut |= !t;
	pthread_mutex_unlock(&w->lock);
	if (!t)
		return;
	memcpy(t->bytes, b->p, b->n);
	t->where = (struct dump_hit){ .layout = "BE" };
	dump_place(s, b, 0, b->n, &t->where);
	pthread_mutex_lock(&w->lock);
	keep(w, &(struct place){ t->where.offset, (uint64_t)(t - w->texts), (uint32_t)b->n, TEXT }, 1);
	pthread_mutex_unlock(&w->lock);
}

static void scan(struct dump_scan *s, void *state, const struct dump_block *b)
{
	struct walk *w = state;
	struct batch *a;

	if (b->encoding) {
		text(s, w, b);
		return;
	}
	if (!b->mapped || (b->flags & DUMP_PHYSICAL) || (b->im->word != 4 && b->im->word != 8))
		return;
	a = malloc(sizeof(*a));
	if (!a)
		return;
	a->b = b;
	a->n = 0;
	a->cut = false;
	if (b->im->word == 8)
		structures64(a, b->im->big_endian);
	else
		structures32(a, b->im->big_endian);
	pthread_mutex_lock(&w->lock);
	w->cut |= a->cut;
	keep(w, a->places, a->n);
	pthread_mutex_unlock(&w->lock);
	free(a);
}

/* ---- values ---- */

static int compare_places(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->offset != y->offset)
		return x->offset < y->offset ? -1 : 1;
	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? -1 : 1;
	return (int)x->kind - (int)y->kind;
}

static enum number_layout layout_of(const struct dump_image *im, const struct place *p)
{
	if (p->kind == JAVA)
		return NUMBER_J32;
	if (p->kind == NET_BYTES || p->kind == TEXT)
		return NUMBER_BE;
	if (im->big_endian)
		return im->word == 8 ? NUMBER_W64 : NUMBER_W32;
	return NUMBER_LE;
}

/* The value at a place, if its bytes may be those of a number: as good as random, except for zero words at the top, which
 * libraries leave when a number became shorter.  Pointers, text and counters are not. */
static bool read_value(const struct walk *w, struct dump_image *im, const struct place *p, struct value *ret)
{
	uint8_t bytes[BYTES_MOST], le[BYTES_MOST];
	size_t n = p->bytes, zeros = 0, high = 0;
	bool ok = true;

	*ret = (struct value){ .place = *p, .text = p->kind == TEXT ? &w->texts[p->va] : NULL };
	if (ret->text)
		memcpy(bytes, ret->text->bytes, n);
	else
		ok = dump_read_va(im, p->va, bytes, n) == n;
	if (ok) {
		number_to_le(layout_of(im, p), bytes, n, le);
		while (n && le[n - 1] == 0)
			n--;
		for (size_t i = 0; i < n; i++) {
			zeros += le[i] == 0;
			high += le[i] >> 7;
		}
		ok = n >= 32 && zeros <= 3 + n / 32 && high >= n / 8;
	}
	if (ok) {
		ret->bn = BN_secure_new();
		ok = ret->bn && BN_lebin2bn(le, (int)n, ret->bn);
	}
	OPENSSL_cleanse(bytes, sizeof(bytes));
	OPENSSL_cleanse(le, sizeof(le));
	if (!ok) {
		BN_clear_free(ret->bn);
		ret->bn = NULL;
	}
	return ok;
}

static uint64_t low_word(const BIGNUM *x)
{
	uint8_t le[DUMP_RSA_BITS_MAX / 8 + 8];

	if (BN_bn2lebinpad(x, le, sizeof(le)) < 0)
		return 0;
	return get64(le, false);
}

struct values {
	struct value *v;
	size_t n;
	uint32_t *buckets;    /* by low word: index + 1 */
	uint32_t *next;
	size_t mask;
};

static void values_free(struct values *x)
{
	for (size_t i = 0; i < x->n; i++)
		BN_clear_free(x->v[i].bn);
	free(x->v);
	free(x->buckets);
	free(x->next);
}

static size_t bucket_of(const struct values *x, uint64_t low)
{
	return (size_t)(low * UINT64_C(0x9e3779b97f4a7c15) >> 32) & x->mask;
}

/* Every place, in the order of the file.  Equal values at several places are all kept: each is a copy to report. */
static bool gather(struct dump_scan *s, struct walk *w, struct dump_image *im, struct values *x)
{
	size_t unique = 0;

	*x = (struct values){ .mask = 65535 };
	if (w->n)
		qsort(w->places, w->n, sizeof(*w->places), compare_places);
	for (size_t i = 0; i < w->n; i++)
		if (i == 0 || w->places[i].offset != w->places[i - 1].offset || w->places[i].bytes != w->places[i - 1].bytes)
			w->places[unique++] = w->places[i];
	x->v = calloc(WALK_VALUES_MAX, sizeof(*x->v));
	x->buckets = calloc(x->mask + 1, sizeof(*x->buckets));
	x->next = calloc(WALK_VALUES_MAX, sizeof(*x->next));
	if (!x->v || !x->buckets || !x->next)
		return false;
	for (size_t i = 0; i < unique; i++) {
		if (x->n == WALK_VALUES_MAX) {
			dump_limit(s, "more numbers in library structures than are compared");
			break;
		}
		if (!read_value(w, im, &w->places[i], &x->v[x->n]))
			continue;
		x->v[x->n].low = low_word(x->v[x->n].bn);
		x->n++;
	}
	for (size_t i = 0; i < x->n; i++) {
		size_t k = bucket_of(x, x->v[i].low);

		x->next[i] = x->buckets[k];
		x->buckets[k] = (uint32_t)i + 1;
	}
	return true;
}

static void report(struct dump_scan *s, struct dump_image *im, const struct value *v, int32_t key, unsigned bits,
		   const char *component, enum dump_proof proof)
{
	struct dump_hit h = { .klass = DUMP_PROVED, .proof = proof, .algorithm = DUMP_RSA, .bits = bits, .key = key,
		              .form = kind_names[v->place.kind], .component = component };
	enum number_layout layout = layout_of(im, &v->place);
	uint64_t done = 0;

	if (v->text) {
		struct dump_hit t = v->text->where;

		t.klass = h.klass;
		t.proof = h.proof;
		t.algorithm = h.algorithm;
		t.bits = h.bits;
		t.key = h.key;
		t.form = h.form;
		t.component = h.component;
		dump_report_at(s, &dump_finder_find_walk, im, &t);
		return;
	}
	h.layout = layout == NUMBER_LE ? (im->word == 8 ? "LE/8" : "LE/4") : number_layout_names[layout];
	h.offset = v->place.offset;
	h.length = v->place.bytes;
	h.has_va = true;
	h.va = v->place.va;
	while (done < v->place.bytes && h.n_pieces < DUMP_HIT_PIECES) {
		uint64_t offset, left;

		if (!dump_va_to_offset(im, v->place.va + done, &offset, &left))
			break;
		left = left < v->place.bytes - done ? left : v->place.bytes - done;
		h.pieces[h.n_pieces++] = (struct dump_piece){ offset, left };
		done += left;
	}
	dump_report_at(s, &dump_finder_find_walk, im, &h);
}

/* 2^(e d) = 2 modulo n for some value d of n's size and a usual e? */
static bool exponents(const struct values *x, const BIGNUM *n, BIGNUM *e, BN_CTX *ctx)
{
	static const BN_ULONG usual[] = { 65537, 3, 17, 5, 257, 35, 37, 7, 11, 13 };
	BIGNUM *two, *y, *z;
	bool found = false;

	BN_CTX_start(ctx);
	two = BN_CTX_get(ctx);
	y = BN_CTX_get(ctx);
	z = BN_CTX_get(ctx);
	if (!z || !BN_set_word(two, 2))
		goto out;
	for (size_t i = 0, tries = 0; i < x->n && !found && tries < 64; i++) {
		const BIGNUM *d = x->v[i].bn;

		if (BN_num_bits(d) + 32 < BN_num_bits(n) || BN_cmp(d, n) >= 0)
			continue;
		tries++;
		if (!BN_mod_exp(y, two, d, n, ctx))
			break;
		for (size_t k = 0; k < sizeof(usual) / sizeof(usual[0]) && !found; k++)
			found = BN_set_word(e, usual[k]) && BN_mod_exp(z, y, e, n, ctx) && BN_cmp(z, two) == 0;
	}
	if (!found)
		BN_set_word(e, 65537);
out:
	BN_CTX_end(ctx);
	return found;
}

/* the target whose N this is */
static const struct dump_target *target_with(const struct dump_scan *s, const BIGNUM *n)
{
	size_t count;
	const struct dump_target *t = dump_targets(s, &count), *ret = NULL;
	BIGNUM *x = BN_new();

	for (size_t i = 0; x && i < count && !ret; i++)
		if (t[i].algorithm == DUMP_RSA && t[i].n.n == (size_t)BN_num_bytes(n) && BN_bin2bn(t[i].n.p, (int)t[i].n.n, x) &&
		    BN_cmp(x, n) == 0)
			ret = &t[i];
	BN_free(x);
	return ret;
}

static void try_pair(struct dump_scan *s, struct dump_image *im, struct values *x, size_t i, size_t j, BN_CTX *ctx)
{
	const uint64_t low = x->v[i].low * x->v[j].low;
	BIGNUM *n, *e;

	BN_CTX_start(ctx);
	n = BN_CTX_get(ctx);
	e = BN_CTX_get(ctx);
	for (uint32_t k = x->buckets[bucket_of(x, low)]; e && k; k = x->next[k - 1]) {
		const struct dump_target *t;
		int32_t key;

		if (x->v[k - 1].low != low || !BN_mul(n, x->v[i].bn, x->v[j].bn, ctx) || BN_cmp(n, x->v[k - 1].bn) != 0)
			continue;
		t = target_with(s, n);
		if (t)
			BN_bin2bn(t->e.p, (int)t->e.n, e);
		else
			(void)exponents(x, n, e, ctx);
		key = dump_key_rsa(s, n, e, x->v[i].bn);
		if (key < 0)
			break;
		for (int both = 0; both < 2; both++) {
			struct value *v = &x->v[both ? j : i];

			if (!v->used)
				report(s, im, v, key, (unsigned)BN_num_bits(n), BN_cmp(v->bn, x->v[both ? i : j].bn) >= 0 ? "p" : "q",
				       DUMP_PROOF_FACTOR);
			v->used = true;
		}
		break;
	}
	BN_CTX_end(ctx);
}

static int compare_sizes(const void *a, const void *b, void *values)
{
	const struct value *v = values;
	int x = BN_num_bits(v[*(const uint32_t *)a].bn), y = BN_num_bits(v[*(const uint32_t *)b].bn);

	if (x != y)
		return x < y ? -1 : 1;
	return *(const uint32_t *)a < *(const uint32_t *)b ? -1 : 1;
}

/* All pairs of odd values whose sizes differ by less than two bits. */
static void pairs(struct dump_scan *s, struct dump_image *im, struct values *x, BN_CTX *ctx)
{
	uint32_t *order = calloc(x->n ? x->n : 1, sizeof(*order));
	size_t n = 0;

	if (!order)
		return;
	for (size_t i = 0; i < x->n; i++)
		if (BN_is_odd(x->v[i].bn))
			order[n++] = (uint32_t)i;
	if (n)
		qsort_r(order, n, sizeof(*order), compare_sizes, x->v);
	for (size_t i = 0; i < n; i++)
		for (size_t j = i + 1; j < n && BN_num_bits(x->v[order[j]].bn) <= BN_num_bits(x->v[order[i]].bn) + 1; j++)
			if (x->buckets[bucket_of(x, x->v[order[i]].low * x->v[order[j]].low)])
				try_pair(s, im, x, order[i], order[j], ctx);
	free(order);
}

/* Is g a prime's size, and n / g too?  A modulus found in a dump may be no modulus but any odd number: with 3 or 7 shares every
 * third or seventh value a factor, and that proves nothing. */
static bool splits(const BIGNUM *g, const BIGNUM *n)
{
	const int half = (BN_num_bits(n) + 1) / 2, bits = BN_num_bits(g);

	return bits <= half + 40 && bits + 40 >= half;
}

/* R^2 mod p and d mod (p - 1), by gcds with a known N */
static void try_gcds(struct dump_scan *s, struct dump_image *im, struct value *v, const struct dump_target *t, const BIGNUM *n,
		     const BIGNUM *e, bool exponent_too, BN_CTX *ctx)
{
	const int half = (BN_num_bits(n) + 1) / 2, word = 8 * (int)im->word, r = 2 * ((half + word - 1) / word * word);
	const char *component = NULL;
	BIGNUM *x, *g, *q;
	int32_t key;

	BN_CTX_start(ctx);
	x = BN_CTX_get(ctx);
	g = BN_CTX_get(ctx);
	q = BN_CTX_get(ctx);
	if (!q)
		goto out;
	BN_zero(x);
	if (BN_set_bit(x, r) && BN_sub(x, x, v->bn) && BN_gcd(g, x, n, ctx) && splits(g, n))
		component = "R^2 mod";
	if (!component && exponent_too && BN_set_word(x, 2) && BN_mod_exp(g, x, v->bn, n, ctx) && BN_mod_exp(g, g, e, n, ctx) &&
	    BN_sub(g, g, x) && !BN_is_zero(g)) {
		BN_set_negative(g, 0);
		if (BN_gcd(g, g, n, ctx) && splits(g, n))
			component = "d mod";
	}
	if (!component || !BN_div(q, NULL, n, g, ctx))
		goto out;
	key = dump_key_rsa(s, n, e, g);
	if (key >= 0) {
		const bool larger = BN_cmp(g, q) >= 0;

		report(s, im, v, key, t->bits,
		       component[0] == 'R' ? (larger ? "R^2 mod p" : "R^2 mod q") : (larger ? "d mod p-1" : "d mod q-1"), DUMP_PROOF_FACTOR);
		v->used = true;
	}
out:
	BN_CTX_end(ctx);
}

/* Values of the size of t's primes. */
static bool is_half(const struct value *v, int n_bits)
{
	const int half = (n_bits + 1) / 2, bits = BN_num_bits(v->bn);

	return !v->used && bits <= half && bits + 40 >= half;
}

static void gcds_with(struct dump_scan *s, struct dump_image *im, struct values *x, const struct dump_target *t, size_t *work,
		      BN_CTX *ctx)
{
	BIGNUM *n = BN_bin2bn(t->n.p, (int)t->n.n, NULL), *e = BN_bin2bn(t->e.p, (int)t->e.n, NULL);

	for (size_t i = 0; n && e && i < x->n; i++) {
		if (!is_half(&x->v[i], BN_num_bits(n)))
			continue;
		if (++*work > WALK_GCDS_MAX)
			break;
		try_gcds(s, im, &x->v[i], t, n, e, *work < WALK_EXPONENTS_MAX, ctx);
	}
	BN_free(n);
	BN_free(e);
}

/* Moduli of one size that were found in the dump: one gcd with their product tests them all. */
struct family {
	const struct dump_target *t[WALK_FAMILY_MAX];
	size_t n;
	int bits;
	BIGNUM *product;
};

/* Does 2^r - V share a prime with one of the family? */
static bool is_of_family(const struct family *f, const struct value *v, unsigned word_bits, BN_CTX *ctx)
{
	const int half = (f->bits + 1) / 2, word = (int)word_bits, r = 2 * ((half + word - 1) / word * word);
	BIGNUM *x, *m;
	bool yes = true; /* when in doubt, test each */

	BN_CTX_start(ctx);
	x = BN_CTX_get(ctx);
	m = BN_CTX_get(ctx);
	if (m) {
		BN_zero(x);
		yes = !BN_set_bit(x, r) || !BN_sub(x, x, v->bn) || !BN_mod(m, f->product, x, ctx) || !BN_gcd(m, m, x, ctx) ||
		      BN_num_bits(m) + 40 >= half;
	}
	BN_CTX_end(ctx);
	return yes;
}

static void ask_family(struct dump_scan *s, struct dump_image *im, struct values *x, struct family *f, size_t *work, BN_CTX *ctx)
{
	for (size_t i = 0; f->n && i < x->n && *work <= WALK_GCDS_MAX; i++) {
		if (!is_half(&x->v[i], f->bits))
			continue;
		++*work;
		if (!is_of_family(f, &x->v[i], 8 * im->word, ctx))
			continue;
		for (size_t k = 0; k < f->n && !x->v[i].used; k++) {
			BIGNUM *n = BN_bin2bn(f->t[k]->n.p, (int)f->t[k]->n.n, NULL), *e = BN_bin2bn(f->t[k]->e.p, (int)f->t[k]->e.n, NULL);

			++*work;
			if (n && e)
				try_gcds(s, im, &x->v[i], f->t[k], n, e, false, ctx);
			BN_free(n);
			BN_free(e);
		}
	}
	f->n = 0;
}

static void gcds_with_met(struct dump_scan *s, struct dump_image *im, struct values *x, size_t *work, BN_CTX *ctx)
{
	size_t count;
	const struct dump_target *t = dump_targets(s, &count);
	struct family *f = calloc(1, sizeof(*f));
	bool *asked = calloc(count ? count : 1, sizeof(*asked));
	BIGNUM *n = BN_new();
	bool ok = f && asked && n && (f->product = BN_new());

	for (size_t first = 0; ok && first < count; first++) {
		for (size_t k = first; ok && k < count && f->n < WALK_FAMILY_MAX; k++) {
			if (asked[k] || t[k].algorithm != DUMP_RSA || t[k].distant || !t[k].from_dump)
				continue;
			ok = BN_bin2bn(t[k].n.p, (int)t[k].n.n, n) != NULL;
			if (!ok || (f->n && BN_num_bits(n) != f->bits))
				continue;
			ok = f->n ? BN_mul(f->product, f->product, n, ctx) : BN_copy(f->product, n) != NULL;
			f->bits = BN_num_bits(n);
			f->t[f->n++] = &t[k];
			asked[k] = true;
		}
		if (ok)
			ask_family(s, im, x, f, work, ctx);
	}
	if (!ok)
		dump_limit(s, "out of memory: numbers in library structures were not asked for Montgomery constants");
	BN_free(n);
	if (f)
		BN_free(f->product);
	free(f);
	free(asked);
}

/* Keys that were just proven first: their constants are surely there. */
static void gcds(struct dump_scan *s, struct dump_image *im, struct values *x, BN_CTX *ctx)
{
	size_t count, n_keys, work = 0;
	const struct dump_target *t = dump_targets(s, &count);

	(void)dump_keys(s, &n_keys);
	for (size_t k = 0; k < n_keys; k++) {
		const struct dump_key *key = dump_keys(s, &n_keys) + k;
		struct dump_target own = { .algorithm = DUMP_RSA, .bits = key->bits, .n = key->n, .e = key->e };

		if (key->algorithm == DUMP_RSA && key->p.n && !key->allowed) /* a published key needs no constants */
			gcds_with(s, im, x, &own, &work, ctx);
	}
	for (size_t k = 0; k < count; k++)
		if (t[k].algorithm == DUMP_RSA && !t[k].distant && !t[k].from_dump)
			gcds_with(s, im, x, &t[k], &work, ctx);
	gcds_with_met(s, im, x, &work, ctx);
	if (work > WALK_GCDS_MAX)
		dump_limit(s, "more numbers in library structures than were asked for Montgomery constants");
}

static void finish(struct dump_scan *s, void *state, struct dump_image *im)
{
	struct walk *w = state;
	struct values x;
	BN_CTX *ctx = BN_CTX_secure_new();

	if (w->cut)
		dump_limit(s, "more library structures, or texts of a number's size, than are followed");
	if (ctx && gather(s, w, im, &x)) {
		pairs(s, im, &x, ctx);
		if (im->word == 4 || im->word == 8)
			gcds(s, im, &x, ctx);
	} else {
		dump_limit(s, "out of memory: library structures were not followed");
	}
	if (ctx)
		values_free(&x);
	BN_CTX_free(ctx);
}

const struct dump_finder dump_finder_find_walk = {
	.name = "walk",
	.doc = "keys of which nothing is known, in the structures of OpenSSL, GMP, mbedTLS, Go, Java and .NET, or as texts that lie apart",
	.again = true,
	.decoded = true,
	.begin = begin,
	.scan = scan,
	.finish = finish,
	.end = end,
};
