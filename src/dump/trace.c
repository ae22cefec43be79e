/* SPDX-License-Identifier: Apache-2.0 */
/* trace: the numbers of a key, their spellings, and the table in which eight bytes are looked up. */
#include "dump/trace.h"

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <stdlib.h>

#include "base/limits.h"
#include "dump/arena.h"
#include "dump/bytes.h"
#include "dump/number.h"

#define WORD 8
#define RAW_LEAST 16       /* bytes */
#define TEXT_LEAST 20      /* digits */
#define CHUNK (256 * KIB)  /* of patterns */
#define VALUE_BYTES_MAX 4096
#define RARE_EVERY 3       /* coprime to 8: in 31 bytes that agree there is one place that is both looked up and in the table */

enum spelling {
	RAW,    /* bytes, 16 of them are enough */
	WHOLE,  /* eight bytes, all of them and aligned: a Montgomery constant */
	BASE64, /* digits; - and _ are + and / */
	HEX,    /* digits of either case */
};

struct pattern {
	const uint8_t *p;
	uint32_t n;
	uint8_t spelling;
	uint8_t step;          /* text: bytes from one digit to the next, 2 in UTF-16 */
	uint8_t every;         /* raw: runs of eight bytes begin at each so manieth byte in the table */
	int32_t key;
	const char *component;
};

struct entry { uint32_t tag, pattern, at; };

struct chunk { struct chunk *next; uint8_t *p; size_t used, size; };

struct dump_traces {
	struct chunk *chunks;
	struct pattern *patterns;
	size_t n, capacity;
	size_t entries;        /* expected: of both kinds, */
	size_t entries_of[2];  /* and of each: raw, text */
	size_t longest;
	struct entry *table;   /* tag 0 = free */
	size_t mask;
	/* Two filters before the table: text is most of it, and only words without a top bit are asked for it.  That of the rest is small
	 * enough for a cache. */
	uint64_t *bloom[2];
	unsigned shift[2];     /* of the hash, to a word of the filter */
	uint8_t every;         /* of the patterns that are added now */
	bool big_endian;
};

static const struct { uint8_t bits, bytes; } cells[] = {
	{ 63, 8 }, { 62, 8 }, { 60, 8 }, { 56, 8 }, { 52, 8 }, { 51, 8 }, { 48, 8 }, { 44, 8 }, { 32, 8 }, { 31, 4 }, { 30, 4 }, { 29, 4 },
	{ 28, 4 }, { 26, 4 }, { 24, 4 }, { 16, 4 }, { 15, 2 },
};

struct dump_traces *dump_traces_new(bool big_endian)
{
	struct dump_traces *t = calloc(1, sizeof(*t));

	if (t) {
		t->big_endian = big_endian;
		t->every = 1;
	}
	return t;
}

void dump_traces_free(struct dump_traces *t)
{
	if (!t)
		return;
	while (t->chunks) {
		struct chunk *c = t->chunks;

		t->chunks = c->next;
		dump_pages_free(c->p, c->size);
		free(c);
	}
	free(t->patterns);
	/* tags and bits of the filter are hashes of eight bytes of secrets */
	if (t->table)
		dump_pages_free(t->table, (t->mask + 1) * sizeof(*t->table));
	for (int kind = 0; kind < 2; kind++)
		if (t->bloom[kind])
			dump_pages_free(t->bloom[kind], ((size_t)1 << (64 - t->shift[kind])) * sizeof(*t->bloom[kind]));
	free(t);
}

size_t dump_traces_longest(const struct dump_traces *t) { return t->longest; }
size_t dump_traces_patterns(const struct dump_traces *t) { return t->n; }

/* ---- patterns ---- */

static bool put(struct dump_traces *t, const uint8_t *p, size_t n, enum spelling spelling, unsigned step, int32_t key, const char *component)
{
	struct chunk *c = t->chunks;
	size_t entries = spelling == HEX || spelling == BASE64 ? n * 2 : n / t->every + 1;

	if (n < WORD)
		return true;
	if (entries > DUMP_TRACE_ENTRIES_MAX - t->entries)
		return false;
	if (!c || c->size - c->used < n) {
		c = calloc(1, sizeof(*c));
		if (!c)
			return false;
		c->size = CHUNK;
		c->p = dump_pages_new(c->size);
		if (!c->p) {
			free(c);
			return false;
		}
		c->next = t->chunks;
		t->chunks = c;
	}
	if (t->n == t->capacity) {
		size_t capacity = t->capacity ? t->capacity * 2 : 256;
		struct pattern *bigger = realloc(t->patterns, capacity * sizeof(*bigger));

		if (!bigger)
			return false;
		t->patterns = bigger;
		t->capacity = capacity;
	}
	memcpy(c->p + c->used, p, n);
	t->patterns[t->n++] = (struct pattern){ c->p + c->used, (uint32_t)n, (uint8_t)spelling, (uint8_t)step, t->every, key, component };
	c->used += n;
	t->entries += entries;
	t->entries_of[spelling == HEX || spelling == BASE64] += entries;
	/* text may have separators in between */
	n = spelling == HEX || spelling == BASE64 ? 2 * n + 64 : n;
	t->longest = n > t->longest ? n : t->longest;
	return true;
}

/* Digits, as they are and in UTF-16.  (That of the other byte order is the same bytes, one further.) */
static bool put_text(struct dump_traces *t, uint8_t *text, size_t n, enum spelling spelling, int32_t key, const char *component)
{
	bool ok = put(t, text, n, spelling, 1, key, component);

	for (size_t i = n; i-- > 0;) {
		text[2 * i] = text[i];
		text[2 * i + 1] = 0;
	}
	return ok && put(t, text, 2 * n - 1, spelling, 2, key, component);
}

/* Digits that depend on the value alone, when it begins at byte `phase` of a group of three. */
static size_t base64(const uint8_t *p, size_t n, unsigned phase, uint8_t *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t m = 0, first = (8 * phase + 5) / 6 * 6 - 8 * phase; /* bits of the value before its first whole digit */

	for (size_t bit = first; bit + 6 <= 8 * n; bit += 6) {
		unsigned two = (unsigned)p[bit / 8] << 8 | (bit / 8 + 1 < n ? p[bit / 8 + 1] : 0);

		out[m++] = (uint8_t)digits[two >> (10 - bit % 8) & 63];
	}
	return m;
}

static size_t hexadecimal(const uint8_t *p, size_t n, char between, uint8_t *out)
{
	static const char digits[] = "0123456789abcdef";
	size_t m = 0;

	for (size_t i = 0; i < n; i++) {
		if (between && i)
			out[m++] = (uint8_t)between;
		out[m++] = (uint8_t)digits[p[i] >> 4];
		out[m++] = (uint8_t)digits[p[i] & 15];
	}
	return m;
}

static bool put_spellings(struct dump_traces *t, const uint8_t *p, size_t n, int32_t key, const char *component, uint8_t *out)
{
	bool ok = put_text(t, out, hexadecimal(p, n, 0, out), HEX, key, component);

	ok = ok && put_text(t, out, hexadecimal(p, n, ':', out), HEX, key, component);
	for (unsigned phase = 0; phase < 3 && ok; phase++)
		ok = put_text(t, out, base64(p, n, phase, out), BASE64, key, component);
	return ok;
}

/* `bits` bits of a number at bit `at` */
static uint64_t bits_at(const uint8_t *le, size_t used, size_t at, unsigned bits)
{
	unsigned __int128 x = 0;

	for (size_t i = 0; i < 9 && at / 8 + i < used; i++)
		x |= (unsigned __int128)le[at / 8 + i] << 8 * i;
	return (uint64_t)(x >> at % 8) & ((UINT64_C(1) << bits) - 1);
}

/* le: n bytes, little-endian, n a multiple of 8; used: without leading zero bytes */
static bool put_layouts(struct dump_traces *t, const uint8_t *le, size_t n, size_t used, int32_t key, const char *component, bool text)
{
	static const enum number_layout turned[] = { NUMBER_J32, NUMBER_W64, NUMBER_W32 };
	uint8_t *out = dump_pages_new(8 * VALUE_BYTES_MAX), *be = out ? out + 6 * VALUE_BYTES_MAX : NULL;
	bool ok = out && used >= RAW_LEAST;

	if (!ok) {
		dump_pages_free(out, out ? 8 * VALUE_BYTES_MAX : 0);
		return out != NULL; /* too short to be distinguished from chance */
	}
	number_to_le(NUMBER_BE, le, used, be);
	ok = put(t, le, used, RAW, 1, key, component) && put(t, be, used, RAW, 1, key, component);
	for (unsigned i = 0; i < (t->big_endian ? 3 : 1) && ok; i++) {
		number_to_le(turned[i], le, n, out);
		ok = put(t, out, n, RAW, 1, key, component);
	}
	for (size_t i = 0; i < n; i += 8) /* the most significant word of 64 bits first, each little-endian */
		memcpy(out + i, le + n - 8 - i, 8);
	ok = ok && put(t, out, n, RAW, 1, key, component);
	for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]) && ok; i++) {
		const unsigned bits = cells[i].bits, bytes = cells[i].bytes;
		size_t m = 0;

		for (size_t at = 0; at < 8 * used; at += bits, m += bytes) {
			const uint64_t x = htole64(bits_at(le, used, at, bits));

			memcpy(out + m, &x, bytes);
		}
		ok = put(t, out, m, RAW, 1, key, component);
	}
	if (text) {
		ok = ok && put_spellings(t, be, used, key, component, out);
		ok = ok && put_spellings(t, le, used, key, component, out);
	}
	dump_pages_free(out, 8 * VALUE_BYTES_MAX);
	return ok;
}

static bool put_number(struct dump_traces *t, const BIGNUM *x, int32_t key, const char *component, bool text)
{
	size_t used = (size_t)BN_num_bytes(x), n = (used + 7) / 8 * 8;
	uint8_t le[VALUE_BYTES_MAX];
	bool ok = n <= sizeof(le) && BN_bn2lebinpad(x, le, (int)n) == (int)n && put_layouts(t, le, n, used, key, component, text);

	OPENSSL_cleanse(le, sizeof(le));
	if (ok && text && used >= RAW_LEAST) {
		char *decimal = BN_bn2dec(x);
		size_t digits = decimal ? strlen(decimal) : 0;
		uint8_t *out = decimal ? dump_pages_new(2 * digits) : NULL;

		if (out)
			memcpy(out, decimal, digits);
		ok = out && put_text(t, out, digits, HEX, key, component); /* (these digits are hexadecimal ones as well) */
		dump_pages_free(out, out ? 2 * digits : 0);
		OPENSSL_clear_free(decimal, digits);
	}
	return ok;
}

static bool put_word(struct dump_traces *t, uint64_t x, int32_t key, const char *component)
{
	uint64_t le = htole64(x), be = htobe64(x);

	return put(t, (const uint8_t *)&le, 8, WHOLE, 1, key, component) &&
	       (!t->big_endian || put(t, (const uint8_t *)&be, 8, WHOLE, 1, key, component));
}

/* ---- the numbers of an RSA key ---- */

/* Montgomery multiplication works with R = 2^(words x bits of a word).  Every size of word that somebody uses, and one word more. */
static const uint8_t word_sizes[] = { 64, 128, 63, 62, 60, 56, 52, 51, 48, 44, 32, 31, 30, 29, 28, 26, 24, 16, 15 };
#define RADICES_MAX (3 * sizeof(word_sizes))
#define POWERS 6             /* R^-1, R, R^2 ... R^6 */
#define POWERS_OF_N 3        /* the same of the R that fits N */

static size_t add_radix(unsigned *list, size_t n, unsigned bits)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == bits)
			return n;
	list[n] = bits;
	return n + 1;
}

static size_t radices(unsigned bits, bool more, unsigned list[RADICES_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < sizeof(word_sizes); i++)
		n = add_radix(list, n, (bits + word_sizes[i] - 1) / word_sizes[i] * word_sizes[i]);
	for (unsigned w = 64; more && w >= 32; w /= 2)
		n = add_radix(list, n, (bits + w - 1) / w * w + w);
	return n;
}

/* names of one prime's numbers */
struct names {
	const char *prime, *exponent, *inverse, *other, *power, *product, *quotient, *word[2], *minus, *whole;
};
static const struct names names_of[3] = {
	{ "p", "d mod p-1", "1/q mod p", "q mod p", "R^k mod p", "R/q mod p", "R/p", { "-1/p mod a word", "1/p mod a word" }, "-q mod p", "1/p mod R" },
	{ "q", "d mod q-1", "1/p mod q", "p mod q", "R^k mod q", "R/p mod q", "R/q", { "-1/q mod a word", "1/q mod a word" }, "-p mod q", "1/q mod R" },
	{ "another prime", "d mod r-1", "a coefficient", "q mod r", "R^k mod r", "R/q mod r", "R/r", { "-1/r mod a word", "1/r mod a word" }, "-q mod r",
	  "1/r mod R" },
};

/* +-1/p modulo a word: whole, and cut to the words that are used, in eight bytes (four alone can be chance) */
static bool put_inverse_words(struct dump_traces *t, const BIGNUM *p, int32_t key, const char *const names[2])
{
	static const uint8_t sizes[] = { 32, 52, 60, 62, 63 };
	uint8_t bytes[DUMP_RSA_BITS_MAX / 8];
	uint64_t low, inverse;
	bool ok = BN_bn2lebinpad(p, bytes, sizeof(bytes)) == sizeof(bytes);

	low = get64(bytes, false);
	inverse = 3 * low ^ 2;
	for (int i = 0; i < 4; i++)
		inverse *= 2 - low * inverse;
	ok = ok && put_word(t, 0 - inverse, key, names[0]) && put_word(t, inverse, key, names[1]);
	for (size_t i = 0; i < sizeof(sizes) && ok; i++)
		ok = put_word(t, (0 - inverse) & ((UINT64_C(1) << sizes[i]) - 1), key, names[0]);
	OPENSSL_cleanse(bytes, sizeof(bytes));
	return ok;
}

/* x R and x R^2 mod p */
static bool put_products(struct dump_traces *t, const BIGNUM *x, const BIGNUM *r, const BIGNUM *p, int32_t key, const char *name, BN_CTX *ctx)
{
	BIGNUM *y;
	bool ok;

	BN_CTX_start(ctx);
	y = BN_CTX_get(ctx);
	ok = y && BN_mod_mul(y, x, r, p, ctx) && put_number(t, y, key, name, false) && BN_mod_mul(y, y, r, p, ctx) &&
	     put_number(t, y, key, name, false);
	BN_CTX_end(ctx);
	return ok;
}

/* What the arithmetic modulo p keeps: powers of R, the members of the key times R, 1/p modulo R, R/p rounded down (Barrett). */
static bool put_arithmetic(struct dump_traces *t, const BIGNUM *p, const BIGNUM *n, const BIGNUM *const *members, size_t n_members, int32_t key,
			   const struct names *names, BN_CTX *ctx)
{
	const unsigned bits = (unsigned)BN_num_bits(p), n_bits = (unsigned)BN_num_bits(n);
	unsigned list[RADICES_MAX], quotients[2 * RADICES_MAX];
	size_t n_list = radices(bits, true, list), n_quotients = 0;
	BIGNUM *r, *x, *y;
	bool ok;

	BN_CTX_start(ctx);
	r = BN_CTX_get(ctx);
	x = BN_CTX_get(ctx);
	y = BN_CTX_get(ctx);
	ok = y != NULL;
	for (size_t i = 0; i < n_list && ok; i++) {
		BN_zero(x);
		ok = BN_set_bit(x, (int)list[i]) && BN_mod_inverse(y, p, x, ctx) && put_number(t, y, key, names->whole, false) &&
		     BN_sub(y, x, y) && put_number(t, y, key, names->whole, false) && BN_nnmod(r, x, p, ctx) && BN_mod_inverse(x, r, p, ctx) &&
		     put_number(t, x, key, names->power, false) && BN_one(x);
		for (int k = 1; k <= POWERS && ok; k++)
			ok = BN_mod_mul(x, x, r, p, ctx) && put_number(t, x, key, names->power, false);
		for (size_t k = 0; k < n_members && ok; k++)
			ok = put_products(t, members[k], r, p, key, names->product, ctx);
		n_quotients = add_radix(quotients, n_quotients, 2 * list[i]);
	}
	n_list = radices(n_bits, false, list);
	for (size_t i = 0; i < n_list && ok; i++) {
		BN_zero(x);
		ok = BN_set_bit(x, (int)list[i]) && BN_nnmod(r, x, p, ctx) && BN_one(x);
		for (int k = 1; k <= POWERS_OF_N && ok; k++)
			ok = BN_mod_mul(x, x, r, p, ctx) && put_number(t, x, key, names->power, false);
	}
	/* floor(2^m / p): the bytes are those of a larger m of the same m mod 8, cut off below */
	n_quotients = add_radix(quotients, n_quotients, 2 * bits);
	for (unsigned m = 0; m < 8; m++)
		n_quotients = add_radix(quotients, n_quotients, 2 * bits + 128 + m);
	for (size_t i = 0; i < n_quotients && ok; i++) {
		BN_zero(x);
		ok = BN_set_bit(x, (int)quotients[i]) && BN_div(y, NULL, x, p, ctx) && put_number(t, y, key, names->quotient, false);
	}
	BN_CTX_end(ctx);
	return ok;
}

/* R, R^2, R^3 mod p for the words that most libraries use: every piece of them, as of p. */
static bool put_common(struct dump_traces *t, const BIGNUM *p, int32_t key, const struct names *names, BN_CTX *ctx)
{
	static const uint8_t words[] = { 64, 32, 52 };
	BIGNUM *r, *x;
	bool ok;

	BN_CTX_start(ctx);
	r = BN_CTX_get(ctx);
	x = BN_CTX_get(ctx);
	ok = x != NULL;
	for (size_t i = 0; i < sizeof(words) && ok; i++) {
		BN_zero(x);
		ok = BN_set_bit(x, (BN_num_bits(p) + words[i] - 1) / words[i] * words[i]) && BN_nnmod(r, x, p, ctx) && BN_one(x);
		for (int k = 0; k < 3 && ok; k++)
			ok = BN_mod_mul(x, x, r, p, ctx) && put_number(t, x, key, names->power, false);
	}
	BN_CTX_end(ctx);
	return ok;
}


/* The key's primes: two, or more of them if others divide N. */
struct primes { BIGNUM *x[TRACE_PRIMES_MAX]; size_t n; };

/* The numbers of one prime that a key file has, and those next to them; *ret: its members, for put_arithmetic() */
static bool put_prime(struct dump_traces *t, const struct primes *all, size_t at, const BIGNUM *d, int32_t key, const struct names *names,
		      BIGNUM *const ret[4], BN_CTX *ctx)
{
	const BIGNUM *p = all->x[at];
	BIGNUM *x, *y;
	bool ok;

	BN_CTX_start(ctx);
	x = BN_CTX_get(ctx);
	y = BN_CTX_get(ctx);
	ok = y && put_number(t, p, key, names->prime, true) && BN_sub(y, p, BN_value_one()) && put_number(t, y, key, names->prime, false) &&
	     BN_add(x, p, BN_value_one()) && put_number(t, x, key, names->prime, false) && BN_nnmod(ret[0], d, y, ctx) &&
	     put_number(t, ret[0], key, names->exponent, true) && BN_one(ret[1]) && BN_one(x);
	for (size_t i = 0; i < all->n && ok; i++) {
		if (i == at)
			continue;
		/* of each other prime, and of the product of all others, or of those before it */
		ok = BN_nnmod(y, all->x[i], p, ctx) && put_number(t, y, key, names->other, false) && BN_sub(ret[3], p, y) &&
		     put_number(t, ret[3], key, names->minus, false) && BN_mod_mul(ret[1], ret[1], y, p, ctx) &&
		     BN_mod_inverse(ret[2], y, p, ctx) && put_number(t, ret[2], key, names->inverse, true) && BN_mul(x, x, all->x[i], ctx);
		if (ok && i + 1 < all->n && i > 0 && all->n > 2)
			ok = BN_nnmod(y, x, p, ctx) && BN_mod_inverse(y, y, p, ctx) && put_number(t, y, key, names->inverse, true) &&
			     put_number(t, x, key, names->prime, true);
	}
	ok = ok && BN_mod_inverse(ret[2], ret[1], p, ctx) && put_number(t, ret[2], key, names->inverse, true) &&
	     BN_sub(ret[3], p, ret[1]);
	if (ok && all->n > 2)
		ok = put_number(t, x, key, names->prime, true) && put_number(t, ret[1], key, names->other, false); /* N / p */
	BN_CTX_end(ctx);
	return ok;
}

static bool put_primes(struct dump_traces *t, const struct primes *all, const BIGNUM *n, const BIGNUM *e, int32_t key, bool rare, BN_CTX *ctx)
{
	BIGNUM *phi, *lambda, *x, *y, *members[4];
	bool ok;

	BN_CTX_start(ctx);
	phi = BN_CTX_get(ctx);
	lambda = BN_CTX_get(ctx);
	x = BN_CTX_get(ctx);
	y = BN_CTX_get(ctx);
	for (int i = 0; i < 4; i++)
		members[i] = BN_CTX_get(ctx);
	ok = members[3] && BN_one(phi) && BN_one(lambda);
	for (size_t i = 0; i < all->n && ok; i++)
		ok = BN_sub(x, all->x[i], BN_value_one()) && BN_mul(phi, phi, x, ctx) && BN_gcd(y, lambda, x, ctx) && BN_mul(lambda, lambda, x, ctx) &&
		     BN_div(lambda, NULL, lambda, y, ctx);
	if (ok && !rare) {
		/* the upper part of phi (a half; a third of three primes) is that of n, which is public */
		ok = put_number(t, lambda, key, "lcm(p-1, q-1)", false) && BN_rshift1(x, lambda) && put_number(t, x, key, "lcm(p-1, q-1)", false) &&
		     BN_copy(x, phi) && BN_mask_bits(x, (int)((size_t)BN_num_bits(n) * (all->n - 1) / all->n)) && put_number(t, x, key, "(p-1)(q-1)", false) &&
		     BN_rshift1(y, x) && put_number(t, y, key, "(p-1)(q-1)", false);
		for (size_t i = 0; i < all->n && ok; i++)
			for (size_t k = i + 1; k < all->n && ok; k++)
				ok = BN_add(x, all->x[i], all->x[k]) && put_number(t, x, key, "p+q", false) && BN_sub(x, all->x[i], all->x[k]) &&
				     put_number(t, x, key, "p-q", false);
	}
	/* d modulo lambda, modulo phi; their negatives, upper halves left out: those are nearly -n */
	for (int which = 0; which < 2 && ok; which++) {
		const BIGNUM *m = which ? phi : lambda;

		if (BN_is_zero(e) || !BN_mod_inverse(x, e, m, ctx)) {
			BN_zero(x);
			continue;
		}
		if (!rare)
			ok = put_number(t, x, key, "d", true) && BN_sub(y, n, x) && put_number(t, y, key, "n-d", false) && BN_sub(y, m, x) &&
			     put_number(t, y, key, "-d", false);
	}
	for (size_t i = 0; i < all->n && ok; i++) {
		const struct names *names = &names_of[i < 2 ? i : 2];

		if (!rare)
			ok = put_prime(t, all, i, x, key, names, members, ctx) && put_inverse_words(t, all->x[i], key, names->word) &&
			     put_common(t, all->x[i], key, names, ctx);
		else
			ok = BN_sub(y, all->x[i], BN_value_one()) && BN_nnmod(members[0], x, y, ctx) && BN_div(members[1], NULL, n, all->x[i], ctx) &&
			     BN_nnmod(members[1], members[1], all->x[i], ctx) && BN_mod_inverse(members[2], members[1], all->x[i], ctx) &&
			     BN_nnmod(members[3], x, all->x[i], ctx) &&
			     put_arithmetic(t, all->x[i], n, (const BIGNUM *const *)members, 4, key, names, ctx);
	}
	BN_CTX_end(ctx);
	return ok;
}

/* The primes of N among those of k and of the others; k->q may be a product.  False: out of memory. */
static bool primes_of(const struct dump_key *k, const struct dump_key *others, size_t n_others, struct primes *ret, BN_CTX *ctx)
{
	BIGNUM *left = BN_CTX_get(ctx), *x = BN_CTX_get(ctx), *rest = BN_CTX_get(ctx), *q = BN_CTX_get(ctx);
	bool ok = q && BN_bin2bn(k->n.p, (int)k->n.n, left);

	ret->n = 0;
	for (size_t i = 0; i <= n_others && ok; i++) {
		const struct dump_key *o = i ? &others[i - 1] : k;

		if (o->algorithm != DUMP_RSA)
			continue;
		for (int which = 0; which < 2 && ok; which++) {
			const struct dump_bytes *b = which ? &o->q : &o->p;

			/* half of N or less: one of two primes, or of more */
			if (b->n < 16 || b->n > k->n.n / 2 + 8 || ret->n == TRACE_PRIMES_MAX - 1)
				continue;
			ok = BN_bin2bn(b->p, (int)b->n, x) && BN_div(q, rest, left, x, ctx);
			if (!ok || !BN_is_zero(rest) || BN_is_one(x) || BN_check_prime(x, ctx, NULL) != 1)
				continue;
			ret->x[ret->n] = BN_CTX_get(ctx);
			ok = ret->x[ret->n] && BN_copy(ret->x[ret->n], x) && BN_copy(left, q);
			ret->n++;
		}
	}
	if (ok && ret->n && !BN_is_one(left)) { /* the last prime, or, of three of which one is known, a product */
		ret->x[ret->n] = BN_CTX_get(ctx);
		ok = ret->x[ret->n] && BN_copy(ret->x[ret->n], left);
		ret->n++;
	}
	return ok;
}

static bool put_rsa(struct dump_traces *t, const struct dump_key *k, const struct dump_key *others, size_t n_others, int32_t key, bool rare, BN_CTX *ctx)
{
	struct primes all = { 0 };
	BIGNUM *n, *d, *e;
	bool ok;

	BN_CTX_start(ctx);
	n = BN_CTX_get(ctx);
	d = BN_CTX_get(ctx);
	e = BN_CTX_get(ctx);
	ok = e && BN_bin2bn(k->n.p, (int)k->n.n, n) && BN_bin2bn(k->d.p, (int)k->d.n, d) && BN_bin2bn(k->e.p, (int)k->e.n, e);
	if (ok && !BN_is_zero(d) && !rare)
		ok = put_number(t, d, key, "d", true);
	if (ok && k->p.n && k->q.n)
		ok = primes_of(k, others, n_others, &all, ctx) && (all.n < 2 || put_primes(t, &all, n, e, key, rare, ctx));
	BN_CTX_end(ctx);
	return ok;
}

/* ---- the others ---- */

static bool put_bytes(struct dump_traces *t, const uint8_t *p, size_t n, int32_t key, const char *component)
{
	uint8_t le[VALUE_BYTES_MAX] = { 0 };
	bool ok = n <= sizeof(le) - 8;

	for (size_t i = 0; i < n && ok; i++) /* as a big-endian number: both orders are made */
		le[i] = p[n - 1 - i];
	ok = ok && put_layouts(t, le, (n + 7) / 8 * 8, n, key, component, true);
	OPENSSL_cleanse(le, sizeof(le));
	return ok;
}

/* A scalar in digits of radix 16, one a byte: plain, and from -8 to 8; and in words of 26 and 25 bits in turn. */
static bool put_digits(struct dump_traces *t, const BIGNUM *x, size_t bytes, int32_t key, const char *component)
{
	uint8_t le[80], digits[3][160], cells_of[160] = { 0 };
	const size_t n = 2 * bytes;
	size_t m = 0;
	int carry = 0;
	bool ok = bytes + 8 <= sizeof(le) && BN_bn2lebinpad(x, le, sizeof(le)) == (int)sizeof(le);

	for (size_t i = 0; i < n && ok; i++) {
		int digit = le[i / 2] >> (4 * (i & 1)) & 15;

		digits[0][i] = (uint8_t)digit;
		digit += carry;
		carry = i + 1 < n ? (digit + 8) >> 4 : 0;
		digits[1][i] = digits[2][n - 1 - i] = (uint8_t)(digit - 16 * carry);
	}
	for (int i = 0; i < 3 && ok; i++)
		ok = put(t, digits[i], n, RAW, 1, key, component);
	for (size_t at = 0, k = 0; ok && at < 8 * bytes && m + 4 <= sizeof(cells_of); at += k++ % 2 ? 25 : 26, m += 4) {
		const uint32_t cell = htole32((uint32_t)bits_at(le, bytes, at, k % 2 ? 25 : 26));

		memcpy(cells_of + m, &cell, 4);
	}
	ok = ok && put(t, cells_of, m, RAW, 1, key, component);
	OPENSSL_cleanse(le, sizeof(le));
	OPENSSL_cleanse(digits, sizeof(digits));
	OPENSSL_cleanse(cells_of, sizeof(cells_of));
	return ok;
}

/* A secret s, -s, 1/s, -1/s modulo the order, each as it is and times R, R^2, 1/R, 1/R^2 for words of every size. */
static bool put_scalar(struct dump_traces *t, const BIGNUM *s, const BIGNUM *order, size_t bytes, int32_t key, BN_CTX *ctx)
{
	static const char *const names[] = { "d", "order - d", "1/d mod the order", "-1/d mod the order" };
	unsigned lists[2][RADICES_MAX];
	const size_t counts[] = { radices((unsigned)bytes * 8, true, lists[0]), radices((unsigned)BN_num_bits(order), true, lists[1]) };
	BIGNUM *x, *y, *r;
	bool ok;

	BN_CTX_start(ctx);
	x = BN_CTX_get(ctx);
	y = BN_CTX_get(ctx);
	r = BN_CTX_get(ctx);
	ok = r && BN_nnmod(x, s, order, ctx);
	if (ok && BN_is_zero(x))
		goto out;
	for (int which = 0; which < 4 && ok; which++) {
		ok = (which != 2 || BN_mod_inverse(x, x, order, ctx)) && (which % 2 == 0 || BN_sub(x, order, x)) &&
		     put_number(t, x, key, names[which], which == 0) && put_digits(t, x, bytes, key, names[which]);
		for (unsigned i = 0; i < 2 * RADICES_MAX && ok; i++) {
			const unsigned list = i / RADICES_MAX, at = i % RADICES_MAX;
			bool known = at >= counts[list];

			for (size_t k = 0; k < counts[0] && list && !known; k++)
				known = lists[0][k] == lists[1][at];
			if (known)
				continue;
			BN_zero(r);
			ok = BN_set_bit(r, (int)lists[list][at]) && BN_nnmod(r, r, order, ctx) && BN_copy(y, x);
			for (int k = 0; k < 4 && ok; k++) /* R, R^2; 1/R, 1/R^2 */
				ok = (k != 2 || (BN_copy(y, x) && BN_mod_inverse(r, r, order, ctx))) && BN_mod_mul(y, y, r, order, ctx) &&
				     put_number(t, y, key, "R^k d mod the order", false);
		}
	}
out:
	BN_CTX_end(ctx);
	return ok;
}

static bool put_curve(struct dump_traces *t, const struct dump_key *k, int32_t key, BN_CTX *ctx)
{
	EC_GROUP *group = k->group ? EC_GROUP_new_by_curve_name(OBJ_txt2nid(k->group)) : NULL;
	bool ok = put_bytes(t, k->d.p, k->d.n, key, "d");
	BIGNUM *d;

	BN_CTX_start(ctx);
	d = BN_CTX_get(ctx);
	if (ok && group)
		ok = d && BN_bin2bn(k->d.p, (int)k->d.n, d) && put_scalar(t, d, EC_GROUP_get0_order(group), k->d.n, key, ctx);
	BN_CTX_end(ctx);
	EC_GROUP_free(group);
	return ok;
}

/* Bytes that are a number with the least byte first: its layouts besides theirs. */
static bool put_little(struct dump_traces *t, const uint8_t *p, size_t n, int32_t key, const char *component, BN_CTX *ctx)
{
	BIGNUM *x;
	bool ok = put_bytes(t, p, n, key, component);

	BN_CTX_start(ctx);
	x = BN_CTX_get(ctx);
	ok = ok && x && BN_lebin2bn(p, (int)n, x) && put_number(t, x, key, component, false) && put_digits(t, x, n, key, component);
	BN_CTX_end(ctx);
	return ok;
}

/* The secret of an Edwards or Montgomery key.  A seed's hash is a scalar (to be clamped) and a prefix; where the scalar alone was found, it is
 * known up to its sign: the clamped number above it follows from that, and the prefix is what was beside it. */
static bool put_edwards(struct dump_traces *t, const struct dump_key *k, int32_t key, BN_CTX *ctx)
{
	static const char *const orders[] = { "1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed",
		                              "3fffffffffffffffffffffffffffffffffffffffffffffffffffffff7cca23e9c44edb49aed63690216cc2728dc58f552378c292ab5844f3" };
	const bool small = k->algorithm == DUMP_ED25519 || k->algorithm == DUMP_X25519;
	const bool seeded = k->algorithm == DUMP_ED25519 || k->algorithm == DUMP_ED448;
	const size_t n = small ? 32 : 56, half = small ? 32 : 57;
	uint8_t hash[114] = { 0 };
	BIGNUM *order = NULL, *s, *x;
	EVP_MD_CTX *digest = EVP_MD_CTX_new();
	bool ok;

	BN_CTX_start(ctx);
	s = BN_CTX_get(ctx);
	x = BN_CTX_get(ctx);
	ok = digest && x && BN_hex2bn(&order, orders[!small]);
	if (ok && k->d.n && seeded) {
		ok = put_little(t, k->d.p, k->d.n, key, "seed", ctx) && EVP_DigestInit_ex(digest, small ? EVP_sha512() : EVP_shake256(), NULL) &&
		     EVP_DigestUpdate(digest, k->d.p, k->d.n) &&
		     (small ? EVP_DigestFinal_ex(digest, hash, NULL) : EVP_DigestFinalXOF(digest, hash, sizeof(hash))) &&
		     put_little(t, hash, half, key, "hash of the seed", ctx) && put_little(t, hash + half, half, key, "prefix", ctx);
	} else if (ok && k->d.n) {
		memcpy(hash, k->d.p, k->d.n < n ? k->d.n : n);
		ok = put_little(t, hash, n, key, "private key", ctx);
	}
	if (ok && k->d.n) {
		hash[0] &= small ? 248 : 252;
		hash[n - 1] = (uint8_t)(small ? (hash[n - 1] & 127) | 64 : hash[n - 1] | 128);
		ok = put_little(t, hash, n, key, "scalar", ctx) && BN_lebin2bn(hash, (int)n, s) && put_scalar(t, s, order, n, key, ctx);
	} else if (ok && k->p.n) {
		ok = BN_bin2bn(k->p.p, (int)k->p.n, s) && put_scalar(t, s, order, n, key, ctx) && (!k->q.n || put_little(t, k->q.p, k->q.n, key, "prefix", ctx));
		for (int negative = 0; negative < 2 && ok; negative++) {
			ok = BN_copy(x, s) && (!negative || BN_sub(x, order, s));
			for (int i = 0; i < 8 && ok; i++, ok = ok && BN_add(x, x, order)) {
				if (BN_num_bits(x) != (small ? 255 : 448) || BN_mod_word(x, small ? 8 : 4) != 0)
					continue;
				ok = BN_bn2lebinpad(x, hash, (int)n) == (int)n && put_little(t, hash, n, key, "scalar", ctx);
			}
		}
	}
	OPENSSL_cleanse(hash, sizeof(hash));
	EVP_MD_CTX_free(digest);
	BN_free(order);
	BN_CTX_end(ctx);
	return ok;
}

bool dump_traces_add_key(struct dump_traces *t, const struct dump_key *k, int32_t number)
{
	return dump_traces_add_key_of(t, k, NULL, 0, number);
}

bool dump_traces_add_key_of(struct dump_traces *t, const struct dump_key *k, const struct dump_key *others, size_t n_others, int32_t number)
{
	BN_CTX *ctx = BN_CTX_secure_new();
	bool ok = ctx != NULL;

	if (ok && k->algorithm == DUMP_RSA)
		ok = put_rsa(t, k, others, n_others, number, false, ctx);
	else if (ok && k->algorithm == DUMP_EC)
		ok = put_curve(t, k, number, ctx);
	else if (ok && (k->algorithm == DUMP_ED25519 || k->algorithm == DUMP_ED448 || k->algorithm == DUMP_X25519 || k->algorithm == DUMP_X448))
		ok = put_edwards(t, k, number, ctx);
	else if (ok)
		ok = put_bytes(t, k->d.p, k->d.n, number, "private key");
	BN_CTX_free(ctx);
	return ok;
}

bool dump_traces_add_rare(struct dump_traces *t, const struct dump_key *k, const struct dump_key *others, size_t n_others, int32_t number)
{
	BN_CTX *ctx = k->algorithm == DUMP_RSA ? BN_CTX_secure_new() : NULL;
	bool ok = k->algorithm != DUMP_RSA || ctx;

	t->every = RARE_EVERY;
	ok = ok && (!ctx || put_rsa(t, k, others, n_others, number, true, ctx));
	t->every = 1;
	BN_CTX_free(ctx);
	return ok;
}

bool dump_traces_add_bytes(struct dump_traces *t, const uint8_t *p, size_t n, const char *component)
{
	uint8_t turned[VALUE_BYTES_MAX];
	bool ok = n <= sizeof(turned) && put_bytes(t, p, n, -1, component);

	for (size_t i = 0; i < n && ok; i++)
		turned[i] = p[(i ^ 3) < n ? i ^ 3 : i];
	ok = ok && put(t, turned, n, RAW, 1, -1, component);
	OPENSSL_cleanse(turned, n < sizeof(turned) ? n : sizeof(turned));
	return ok;
}

/* ---- the table ---- */

static inline uint64_t mix(uint64_t w)
{
	w *= UINT64_C(0x9e3779b97f4a7c15);
	w ^= w >> 29;
	return w * UINT64_C(0xbf58476d1ce4e5b9);
}

static inline bool uniform(uint64_t w) { return w == (w << 8 | w >> 56); }
static inline uint32_t tag_of(uint64_t h) { return (uint32_t)h | 1; }
static inline uint64_t bits_of(uint64_t h) { return UINT64_C(1) << (h & 63) | UINT64_C(1) << (h >> 6 & 63) | UINT64_C(1) << (h >> 12 & 63); }
#define SLOT(t, h) ((size_t)((h) >> 18) & (t)->mask)
#define FILTER(t, kind, h) ((t)->bloom[kind][(h) >> (t)->shift[kind]])
#define TOP_BITS UINT64_C(0x8080808080808080)

static void enter(struct dump_traces *t, const uint8_t *word, size_t pattern, size_t at, bool text)
{
	uint64_t w, h;
	size_t slot;

	memcpy(&w, word, WORD);
	if (uniform(w))
		return;
	h = mix(w);
	FILTER(t, text, h) |= bits_of(h);
	for (slot = SLOT(t, h); t->table[slot].tag; slot = (slot + 1) & t->mask)
		;
	t->table[slot] = (struct entry){ tag_of(h), (uint32_t)pattern, (uint32_t)at };
}

/* the other way to write a digit */
static uint8_t other_digit(enum spelling s, uint8_t c)
{
	if (s == HEX)
		return c >= 'a' && c <= 'f' ? (uint8_t)(c - 32) : c;
	return c == '+' ? '-' : c == '/' ? '_' : c;
}

bool dump_traces_seal(struct dump_traces *t)
{
	size_t size = 1024;

	while (size < 2 * t->entries)
		size *= 2;
	/* 16 to 32 bits of the filter for each entry, 64 to a word */
	for (int kind = 0; kind < 2; kind++) {
		unsigned filter_bits = 6;

		while (((size_t)1 << filter_bits) < t->entries_of[kind] / 4)
			filter_bits++;
		t->shift[kind] = 64 - filter_bits;
		t->bloom[kind] = dump_pages_new(((size_t)1 << filter_bits) * sizeof(*t->bloom[kind]));
		if (!t->bloom[kind])
			return false;
	}
	t->table = dump_pages_new(size * sizeof(*t->table));
	t->mask = size - 1;
	if (!t->table)
		return false;
	for (size_t i = 0; i < t->n; i++) {
		const struct pattern *x = &t->patterns[i];
		const bool text = x->spelling == HEX || x->spelling == BASE64;

		for (size_t at = 0; at + WORD <= x->n; at += text ? 1 : x->every) {
			uint8_t turned[WORD];

			enter(t, x->p + at, i, at, text);
			for (size_t k = 0; k < WORD && text; k++)
				turned[k] = other_digit((enum spelling)x->spelling, x->p[at + k]);
			if (text && memcmp(turned, x->p + at, WORD) != 0)
				enter(t, turned, i, at, text);
			OPENSSL_cleanse(turned, sizeof(turned));
		}
	}
	return true;
}

/* ---- following ---- */

static inline uint8_t plain_digit(uint8_t spelling, uint8_t c)
{
	if (spelling == HEX)
		return c >= 'A' && c <= 'F' ? (uint8_t)(c + 32) : c;
	return c == '-' ? '+' : c == '_' ? '/' : c;
}

static bool is_digit(uint8_t spelling, uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= (spelling == HEX ? 'f' : 'z')) || (c >= 'A' && c <= (spelling == HEX ? 'F' : 'Z')) ||
	       (spelling == BASE64 && (c == '+' || c == '/' || c == '-' || c == '_'));
}

/* Bytes that may be between two digits of one value: a line break, blanks, quotes, and their escapes. */
static bool is_separator(uint8_t c)
{
	return c == '\n' || c == '\r' || c == '\t' || c == ' ' || c == '"' || c == '\'' || c == '\\' || c == 'n' || c == 'r' || c == ',' || c == ':' ||
	       c == 0;
}

/* How far the pattern from `at` on (forward) agrees with the bytes from `i` on; *ret: where the bytes end.  A gap of separators is
 * crossed if four digits after it agree, or all that are left. */
static size_t follow(const struct pattern *x, size_t at, const uint8_t *p, size_t n, size_t i, bool forward, size_t *ret)
{
	const bool text = x->spelling == HEX || x->spelling == BASE64;
	size_t agreed = 0, end = i;

	/* forward: bytes i, i+1 ... and pattern at, at+1 ...; backward: i-1, i-2 ... and at-1, at-2 ... */
#define MORE (forward ? at < x->n && i < n : at > 0 && i > 0)
#define HERE p[forward ? i : i - 1]
#define THERE x->p[forward ? at : at - 1]
#define STEP(v) ((v) = forward ? (v) + 1 : (v) - 1)
	for (;;) {
		size_t gap = 0, at0, ahead = 0;

		while (MORE && (text ? plain_digit(x->spelling, HERE) == THERE : HERE == THERE)) {
			STEP(i);
			STEP(at);
			agreed++;
			end = i;
		}
		if (!text || !MORE)
			break;
		at0 = at;
		while (MORE && !is_digit(x->spelling, THERE)) /* a colon, a zero byte: not where a line ends */
			STEP(at);
		while (MORE && gap < TRACE_GAP_MAX && is_separator(HERE) && plain_digit(x->spelling, HERE) != THERE) {
			STEP(i);
			gap++;
		}
		if (gap == 0 && at == at0)
			break;
		for (size_t a = at, b = i; ahead < 4 * (size_t)x->step && (forward ? a < x->n && b < n : a > 0 && b > 0); ahead++) {
			if (plain_digit(x->spelling, p[forward ? b : b - 1]) != x->p[forward ? a : a - 1])
				break;
			STEP(a);
			STEP(b);
		}
		if (ahead == 0 || (ahead < 4 * (size_t)x->step && ahead < (forward ? x->n - at : at)))
			break;
	}
#undef MORE
#undef HERE
#undef THERE
#undef STEP
	*ret = end;
	return agreed;
}

/* The trace at p[i], if the table's entry is one.  Returns where it ends, 0 = none. */
static size_t trace_at(const struct dump_traces *t, const struct entry *e, const uint8_t *p, size_t n, size_t i, struct dump_trace *ret)
{
	const struct pattern *x = &t->patterns[e->pattern];
	size_t begin, end, agreed;

	agreed = follow(x, e->at, p, n, i, true, &end);
	if (agreed < WORD)
		return 0;
	agreed += follow(x, e->at, p, n, i, false, &begin);
	if (agreed < (x->spelling == WHOLE ? WORD : x->spelling == RAW ? RAW_LEAST : (size_t)TEXT_LEAST * x->step - (x->step - 1)))
		return 0;
	*ret = (struct dump_trace){ begin, end - begin, x->spelling == HEX || x->spelling == BASE64, x->key, x->component };
	return end;
}

void dump_traces_find(const struct dump_traces *t, const uint8_t *p, size_t n, unsigned phase,
		      void (*found)(void *arg, const struct dump_trace *trace), void *arg)
{
	size_t done = 0; /* what ends here or before was reported */

	if (!t->table || t->n == 0)
		return;
	for (size_t i = (8 - phase % 8) % 8; i + WORD <= n; i += WORD) {
		uint64_t w, h, bits;

		memcpy(&w, p + i, WORD);
		if (uniform(w))
			continue;
		h = mix(w);
		bits = bits_of(h);
		if (((FILTER(t, 0, h) & bits) != bits && ((w & TOP_BITS) || (FILTER(t, 1, h) & bits) != bits)) || i + WORD <= done)
			continue;
		for (size_t slot = SLOT(t, h); t->table[slot].tag; slot = (slot + 1) & t->mask) {
			struct dump_trace trace;
			size_t end = t->table[slot].tag == tag_of(h) ? trace_at(t, &t->table[slot], p, n, i, &trace) : 0;

			if (end) {
				done = end > done ? end : done;
				found(arg, &trace);
			}
		}
	}
}
