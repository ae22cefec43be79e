/* SPDX-License-Identifier: Apache-2.0 */
/* weak: keys that anyone can break, or whose private half is published.  Each distinct key is tested once, however many
 * sets list it. */
#include "keys/audit_int.h"

#include <openssl/sha.h>
#include <stdlib.h>

#include "base/published.h"
#include "keys/key_int.h"

static void add(struct audit *a, enum finding_code code, const struct history_key *k, enum finding_severity severity, const char *text)
{
	finding_add(a, code, severity, k, k->provider, 0, "%s", text);
}

static void judge_numbers(struct audit *a, const struct history_key *k, const struct strength *s)
{
	static const struct {
		uint32_t weakness;
		enum finding_code code;
		const char *text;
	} rows[] = {
		{ WEAK_ROCA, FINDING_WEAK_ROCA, "the modulus is a power of 65537 modulo each of 17 small primes; by chance one in 2^27" },
		{ WEAK_SMALL, FINDING_WEAK_SMALL, "a small prime divides the modulus" },
		{ WEAK_FACTOR, FINDING_WEAK_SMALL, "elliptic curves find a factor that is far too small" },
		{ WEAK_SMOOTH, FINDING_WEAK_SMOOTH, "a prime of the modulus is found by Pollard's p - 1 or Williams' p + 1" },
		{ WEAK_PRIME, FINDING_WEAK_PRIME, "the modulus is a prime" },
		{ WEAK_POWER, FINDING_WEAK_PRIME, "the modulus is a power of a smaller number" },
		{ WEAK_HALVES, FINDING_WEAK_FERMAT, "the primes, or one and the negative of the other, have the lower half of their bits in common" },
		{ WEAK_DIGITS, FINDING_WEAK_DIGITS, "each prime is a repeated word, or a number with a long run of zeros or ones, and a little more" },
		{ WEAK_WIENER, FINDING_WEAK_WIENER, "a convergent of e/n is k/d" },
		{ WEAK_PATTERN, FINDING_WEAK_PATTERN, "16 equal bytes in a row in the modulus" },
	};
	char text[160];

	if (s->found & WEAK_UNTESTED)
		finding_add(a, FINDING_WEAK_SIZE, SEVERITY_FINDING, k, k->provider, 0,
			    "%u bits: longer than the %d that are tested", s->bits, STRENGTH_BITS_MAX);
	else if (s->found & WEAK_TINY)
		finding_add(a, FINDING_WEAK_SIZE, SEVERITY_CRITICAL_FINDING, k, k->provider, 0, "%u bits: %s", s->bits,
			    s->bits <= 512 ? "anyone can factor it in hours" : "can be factored at a price");
	else if (s->found & WEAK_SIZE)
		finding_add(a, FINDING_WEAK_SIZE, SEVERITY_FINDING, k, k->provider, 0, "%u bits", s->bits);
	if (s->found & WEAK_EXP_ONE)
		add(a, FINDING_WEAK_EXP, k, SEVERITY_CRITICAL_FINDING, "the public exponent is 1: anyone can sign");
	else if (s->found & WEAK_EXP_HUGE)
		finding_add(a, FINDING_WEAK_EXP, SEVERITY_CRITICAL_FINDING, k, k->provider, 0,
			    "the public exponent has %u bits: it was computed from a private exponent that was chosen, and who chooses one chooses a short "
			    "one; only those below a quarter of the modulus' length are found here", s->exponent_bits);
	else if (s->found & WEAK_EXP)
		finding_add(a, FINDING_WEAK_EXP, SEVERITY_FINDING, k, k->provider, 0,
			    "the public exponent has %u bits; usual is 65537, of 17 bits", s->exponent_bits);
	if (s->found & WEAK_FERMAT) {
		snprintf(text, sizeof(text), "factored in %u of Fermat's steps", s->fermat_steps);
		add(a, FINDING_WEAK_FERMAT, k, SEVERITY_CRITICAL_FINDING, text);
	}
	if (s->found & WEAK_RATIO) {
		snprintf(text, sizeof(text), "one prime is nearly %u/%u of the other", s->ratio_a, s->ratio_b);
		add(a, FINDING_WEAK_FERMAT, k, SEVERITY_CRITICAL_FINDING, text);
	}
	if (s->found & WEAK_BIAS) {
		snprintf(text, sizeof(text), "%u.%u %% of the modulus' bits are ones", s->ones_permille / 10, s->ones_permille % 10);
		add(a, FINDING_WEAK_BIAS, k, SEVERITY_CRITICAL_FINDING, text);
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (s->found & rows[i].weakness)
			add(a, rows[i].code, k, SEVERITY_CRITICAL_FINDING, rows[i].text);
}

/* -- lists -- */

/* What the lists hash: the modulus, or x of a point, without leading zeros. */
static struct str listed_number(const struct key *k)
{
	return without_zeros(k->kind == KEY_RSA ? k->n : k->x);
}

/* 0: not in it; otherwise the number of the list, plus 1 */
static unsigned find_listed(struct str list, const uint8_t hash[32])
{
	size_t from = 0, to = list.n / 16;

	while (from < to) {
		const size_t middle = from + (to - from) / 2;
		const int c = memcmp(list.p + 16 * middle, hash, 15);

		if (c == 0)
			return 1U + (uint8_t)list.p[16 * middle + 15];
		if (c < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return 0;
}

static void judge_lists(struct audit *a, const struct history_key *k, const struct key *key)
{
	const struct str number = listed_number(key);
	const char *published = published_source(k->id, 0); /* a key published once stays weak */
	uint8_t hash[32];

	if (published)
		add(a, FINDING_WEAK_PUBLISHED, k, SEVERITY_CRITICAL_FINDING, published);
	if (!number.n)
		return;
	SHA256((const uint8_t *)number.p, number.n, hash);
	for (size_t i = 0; i < a->blocklist_count; i++) {
		const unsigned found = find_listed(a->blocklists[i].bytes, hash);
		if (found)
			finding_add(a, FINDING_WEAK_LISTED, SEVERITY_CRITICAL_FINDING, k, k->provider, 0, "in %s, list number %u",
				    a->blocklists[i].name, found - 1);
	}
}

/* -- points -- */

static void judge_curve(struct audit *a, const struct history_key *k, const struct key *key)
{
	static const struct { enum key_fault_code fault; const char *text; } rows[] = {
		{ KEY_FAULT_POINT, "not a point of" },
		{ KEY_FAULT_SMALL_ORDER, "a point of small order: anyone can sign, or compute the agreed secret, on" },
		{ KEY_FAULT_POINT_FORM, "a second form of a point, which verifiers take differently, of" },
		{ KEY_FAULT_POINT_TINY, "a small multiple of the base point, so that the private half can be counted out, of" },
	};
	const struct str curve = key->crv.n ? key->crv : str_of(key_curve_name(key->curve));

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (key_has(key, rows[i].fault))
			finding_add(a, FINDING_WEAK_POINT, SEVERITY_CRITICAL_FINDING, k, k->provider, 0, "%s \"%.*s\"", rows[i].text, STR_ARG(curve));
	if (key_has(key, KEY_FAULT_CRV)) {
		const bool tiny = key->pkey && key->bits && key->bits < 160;
		finding_add(a, FINDING_WEAK_CURVE, tiny ? SEVERITY_CRITICAL_FINDING : SEVERITY_FINDING, k, k->provider, 0, "the curve is \"%.*s\"%s",
			    STR_ARG(curve), tiny ? ", so short that its private keys can be computed" : "");
	}
}

/* -- primes in common -- */

struct candidate { struct str n; uint32_t distinct; };

static int compare_candidates(const void *pa, const void *pb)
{
	const struct candidate *a = pa, *b = pb;
	const size_t n = a->n.n < b->n.n ? a->n.n : b->n.n;
	int c = memcmp(a->n.p, b->n.p, n);

	c = c ? c : (a->n.n > b->n.n) - (a->n.n < b->n.n);
	return c ? c : (a->distinct > b->distinct) - (a->distinct < b->distinct);
}

static void report_shared(struct audit *a, uint32_t one, uint32_t other, const char *what)
{
	const struct history_key *k = &a->keys[a->distinct[one]], *partner = &a->keys[a->distinct[other]];
	char hex[KEY_HEX_SIZE];

	for (uint32_t i = 0; i < a->key_count; i++)
		if (memcmp(a->keys[i].id, k->id, 32) == 0)
			finding_add(a, FINDING_WEAK_SHARED, SEVERITY_CRITICAL_FINDING, &a->keys[i], a->keys[i].provider, 0,
				    "%s with the key of SPKI %s in \"%.*s\"", what, key_hex(partner->id, 32, hex),
				    STR_ARG(a->providers[partner->provider].name));
}

static void judge_shared(struct audit *a)
{
	struct candidate *c = malloc((a->distinct_count ? a->distinct_count : 1) * sizeof(*c));
	struct modulus *moduli = malloc((a->distinct_count ? a->distinct_count : 1) * sizeof(*moduli));
	int32_t *partner = malloc((a->distinct_count ? a->distinct_count : 1) * sizeof(*partner));
	size_t n = 0, kept = 0;
	bool ok = c && moduli && partner;

	for (uint32_t i = 0; i < a->distinct_count && ok; i++) {
		const struct str number = newest(a, &a->keys[a->distinct[i]])->n;
		if (number.n > 1 && number.n <= STRENGTH_BITS_MAX / 8)
			c[n++] = (struct candidate){ number, i };
	}
	if (ok)
		qsort(c, n, sizeof(*c), compare_candidates);
	for (size_t i = 0; i < n; i++) {
		if (kept && str_eq(c[kept - 1].n, c[i].n)) { /* one modulus under two exponents: two owners know its factors */
			report_shared(a, c[i].distinct, c[kept - 1].distinct, "the same modulus");
			report_shared(a, c[kept - 1].distinct, c[i].distinct, "the same modulus");
			continue;
		}
		c[kept++] = c[i];
	}
	if (kept > KEYS_SHARED_MODULI_MAX) {
		a->counts.refused += kept - KEYS_SHARED_MODULI_MAX; /* the summary reports that keys were not tested */
		kept = KEYS_SHARED_MODULI_MAX;
	}
	for (size_t i = 0; i < kept; i++)
		moduli[i] = (struct modulus){ (const uint8_t *)c[i].n.p, c[i].n.n };
	ok = ok && strength_shared(moduli, kept, partner);
	for (size_t i = 0; i < kept && ok; i++)
		if (partner[i] >= 0)
			report_shared(a, c[i].distinct, c[partner[i]].distinct, "a prime in common");
	a->failed |= !ok;
	free(c);
	free(moduli);
	free(partner);
}

static bool is_listed(const struct audit *a, const uint8_t id[32])
{
	for (uint32_t i = 0; i < a->key_count; i++)
		if (!a->keys[i].gone && memcmp(a->keys[i].id, id, 32) == 0)
			return true;
	return false;
}

/* The search for factors takes longer than all else: only for keys that are listed, and in which nothing was found. */
static void search(struct audit *a)
{
	const uint32_t broken = WEAK_ROCA | WEAK_FERMAT | WEAK_SMALL | WEAK_WIENER | WEAK_PRIME | WEAK_POWER | WEAK_RATIO | WEAK_HALVES | WEAK_DIGITS | WEAK_UNTESTED;
	uint32_t left = KEYS_SEARCHED_MAX;

	for (uint32_t i = 0; i < a->distinct_count; i++) {
		const struct history_key *h = &a->keys[a->distinct[i]];
		const struct key *k = newest(a, h);

		if (k->kind != KEY_RSA || !k->n.n || a->searched[i] || a->strengths[i].found & broken || !is_listed(a, h->id))
			continue;
		if (a->settings.thorough || (left && k->bits <= KEYS_SEARCHED_BITS_MAX)) {
			a->strengths[i].found |= factor_search((const uint8_t *)k->n.p, k->n.n, a->settings.thorough ? STRENGTH_THOROUGH : STRENGTH_SEARCH);
			a->searched[i] = true;
			left -= left != 0;
		} else {
			a->counts.unsearched++;
		}
	}
}

/* The tests of one modulus, or what an earlier audit of the same run found in it. */
static void test_numbers(struct audit *a, uint32_t i, const struct key *k)
{
	const struct audit *e = a->settings.earlier;
	uint32_t d;

	if (e && e->strengths && audit_distinct(e, a->keys[a->distinct[i]].id, &d) && newest(e, &e->keys[e->distinct[d]])->n.n) {
		a->strengths[i] = e->strengths[d];
		a->searched[i] = e->searched[d];
	} else {
		strength_rsa((const uint8_t *)k->n.p, k->n.n, (const uint8_t *)k->e.p, k->e.n, STRENGTH_AUDIT, &a->strengths[i]);
	}
}

void audit_weak(struct audit *a)
{
	a->strengths = calloc(a->distinct_count ? a->distinct_count : 1, sizeof(*a->strengths));
	a->searched = calloc(a->distinct_count ? a->distinct_count : 1, sizeof(*a->searched));
	if (!a->strengths || !a->searched) {
		a->failed = true;
		return;
	}
	for (uint32_t i = 0; i < a->distinct_count; i++) {
		const struct key *k = newest(a, &a->keys[a->distinct[i]]);
		if (k->kind == KEY_RSA && k->n.n)
			test_numbers(a, i, k);
	}
	search(a);
	for (uint32_t i = 0; i < a->key_count; i++) {
		const struct history_key *k = &a->keys[i];
		const struct key *key = newest(a, k);
		uint32_t d;

		if (audit_distinct(a, k->id, &d) && key->kind == KEY_RSA && key->n.n)
			judge_numbers(a, k, &a->strengths[d]);
		judge_lists(a, k, key);
		judge_curve(a, k, key);
	}
	judge_shared(a);
}
