/* SPDX-License-Identifier: Apache-2.0 */
/* relation: a number that gives a factor of an RSA key away: R^3 mod p, d mod p-1 with its words the other way round, p-q, a Barrett quotient.
 *
 * A given key of which no copy of p, q or d is left is found by it.  Of a key that was proven it finds what no list of numbers can have, because
 * it depends on what was signed: Go keeps c q, the second half of its Chinese remainders.
 *
 * The tests are those of the residue test (residue.c).  What follows from the factor is searched for by trace.c, and the copy is checked by the
 * same tests again: a mistake in them can make this finder miss a number, but then no copy is delivered with less proof than without it. */
#include <stdlib.h>

#include <openssl/crypto.h>

#include "dump/find_int.h"
#include "dump/redact.h"
#include "dump/scan_int.h"

extern const struct dump_finder dump_finder_find_relation;

struct aim { const struct dump_target *target; int32_t key; /* proven, or -1 */ };
struct search { struct dump_scan *s; struct aim *aims; pthread_mutex_t lock; };

/* An exponent with blinding, d + k (p-1)(q-1): 2^(e d) = 2 still holds. */
static int32_t exponent(struct dump_scan *s, const struct dump_target *t, const uint8_t *p, size_t n, bool big)
{
	BN_CTX *ctx = BN_CTX_secure_new();
	BIGNUM *m = BN_bin2bn(t->n.p, (int)t->n.n, NULL), *e = BN_bin2bn(t->e.p, (int)t->e.n, NULL), *x = BN_secure_new(), *two = BN_new();
	BIGNUM *d = number_to_bn(big ? NUMBER_BE : NUMBER_LE, p, n);
	int32_t key = -1;

	if (ctx && m && e && x && two && d && BN_set_word(two, 2) && BN_mod_exp(x, two, d, m, ctx) && BN_mod_exp(x, x, e, m, ctx) && BN_cmp(x, two) == 0)
		key = dump_key_rsa_d(s, m, e, d);
	BN_free(m);
	BN_free(e);
	BN_free(two);
	BN_clear_free(x);
	BN_clear_free(d);
	BN_CTX_free(ctx);
	return key;
}

/* A second prime of an N of three and more: kept as a key of two of them, so that what is erased knows it as well. */
static void another_prime(struct dump_scan *s, const struct dump_target *t, int32_t key, const BIGNUM *w)
{
	const struct dump_key *k = &dump_keys(s, &(size_t){ 0 })[key];
	BIGNUM *q = BN_bin2bn(k->q.p, (int)k->q.n, BN_secure_new()), *e = BN_bin2bn(t->e.p, (int)t->e.n, NULL), *n = BN_new();
	BN_CTX *ctx = BN_CTX_secure_new();

	if (q && e && n && ctx && k->p.n > k->q.n + 8 && BN_cmp(w, q) != 0 && 2 * BN_num_bits(w) < (int)t->bits && BN_mul(n, w, q, ctx))
		(void)dump_key_rsa(s, n, e, w);
	BN_clear_free(q);
	BN_clear_free(n);
	BN_free(e);
	BN_CTX_free(ctx);
}

static void found(void *arg, const struct dump_block *b, size_t at, size_t n, size_t modulus, const uint8_t *factor, size_t factor_n,
		  const char *layout, const char *relation)
{
	struct search *x = arg;
	const struct dump_target *t = x->aims[modulus].target;
	struct dump_hit hit = { .klass = DUMP_PROVED, .proof = factor ? DUMP_PROOF_FACTOR : DUMP_PROOF_EXPONENT, .form = "number", .algorithm = DUMP_RSA,
		                .bits = t->bits, .component = relation, .layout = layout, .general = true };
	const char *component;

	if (factor) {
		BIGNUM *w = BN_bin2bn(factor, (int)factor_n, BN_secure_new());

		hit.key = w ? find_factor(x->s, t, w, &component) : -1;
		if (hit.key >= 0) {
			pthread_mutex_lock(&x->lock);
			another_prime(x->s, t, hit.key, w);
			pthread_mutex_unlock(&x->lock);
		}
		BN_clear_free(w);
	} else {
		hit.key = *layout == 'L' || *layout == 'B' ? exponent(x->s, t, b->p + at, n, *layout == 'B') : -1;
		if (hit.key < 0 && n <= (t->n.n + 1) / 2) { /* the product of two numbers of the key */
			hit.key = x->aims[modulus].key;
			hit.proof = DUMP_PROOF_FACTOR;
		}
		if (hit.key < 0) { /* what the residue test does not let pass is erased */
			hit.klass = DUMP_SUSPECTED;
			hit.proof = DUMP_PROOF_SHAPE;
			hit.has_spki = true;
			memcpy(hit.spki, t->spki, sizeof(hit.spki));
		}
	}
	if (hit.key >= 0 || hit.klass == DUMP_SUSPECTED)
		dump_report(x->s, &dump_finder_find_relation, b, at, n, &hit);
}

/* The proven key of which t is the public half; NULL: none */
static const struct dump_key *proven(const struct dump_scan *s, const struct dump_target *t)
{
	size_t n;
	const struct dump_key *keys = dump_keys(s, &n);

	for (size_t i = 0; i < n; i++)
		if (keys[i].has_spki && memcmp(keys[i].spki, t->spki, 32) == 0 && keys[i].p.n)
			return &keys[i];
	return NULL;
}

static void scan(struct dump_scan *s, void *state, const struct dump_block *b)
{
	(void)s;
	(void)state;
	(void)b; /* everything is done at the end, for what is left */
}

static void finish(struct dump_scan *s, void *state, struct dump_image *im)
{
	const struct dump_options *o = dump_scan_options(s);
	size_t n, used = 0;
	const struct dump_target *t = dump_targets(s, &n);
	struct dump_modulus *moduli = calloc(n + 1, sizeof(*moduli));
	struct search x = { s, calloc(n + 1, sizeof(*x.aims)), PTHREAD_MUTEX_INITIALIZER };
	struct dump_residue left = { 0 };

	(void)state;
	for (size_t i = 0; i < n && moduli && x.aims && o->relations; i++) {
		const struct dump_key *key = proven(s, &t[i]);

		if (t[i].algorithm != DUMP_RSA || (t[i].from_dump && !key) || t[i].bits < 512 || t[i].bits > DUMP_RSA_BITS_MAX || !(t[i].n.p[t[i].n.n - 1] & 1) ||
		    (key && key->allowed))
			continue;
		x.aims[used] = (struct aim){ &t[i], key ? (int32_t)(key - dump_keys(s, &(size_t){ 0 })) : -1 };
		moduli[used++] = (struct dump_modulus){ .p = t[i].n.p, .n = t[i].n.n, .spki = t[i].spki, .e = t[i].e.p, .e_n = t[i].e.n };
		if (key) {
			moduli[used - 1].prime[0] = key->p;
			moduli[used - 1].prime[1] = key->q;
		}
	}
	if (!moduli || !x.aims ||
	    (used && !dump_residue_look(im, moduli, used, o->thorough ? DUMP_RESIDUE_ALL : DUMP_RESIDUE_WRITABLE, o->threads,
	                                &(struct dump_residue_search){ found, &x }, &left)))
		dump_limit(s, "out of memory: nothing was searched for relations");
	free(moduli);
	free(x.aims);
}

const struct dump_finder dump_finder_find_relation = {
	.name = "relation",
	.doc = "a number that gives a factor of a given or proven RSA key away: R^k mod p, p-q, d mod p-1, quotients",
	.needs_targets = true,
	.scan = scan,
	.finish = finish,
};
