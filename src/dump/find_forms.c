/* SPDX-License-Identifier: Apache-2.0 */
/* find_forms: private keys as files and messages write them.
 *
 *     bytes ─ anchor.c ─▶ places ─▶ parsers (form.h) ─▶ claims ─ prove.c ─▶ keys and hits
 *                           │                                       ▲
 *                           └─▶ runs of digits (text.h) ─▶ bytes ───┘   up to DUMP_DECODE_DEPTH_MAX levels
 *
 * Text is peeled first: a run of base64 or hexadecimal digits is decoded and looked at like memory, at every phase when its
 * head may be missing; UTF-16 is narrowed.  The decoded bytes go to the number finders as well (a key without any header is
 * still a divisor).  Looking right proves nothing: claim_prove() decides, and a form that can never be proven (a curve's
 * secret without its public point, a symmetric key) is "suspected" only where the form names itself.
 *
 * The hit covers the secret, not the whole form: modulus, point and headers stay out of it, so that erasing a
 * hit leaves what is public. */
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/limits.h"
#include "dump/anchor.h"
#include "dump/arena.h"
#include "dump/bytes.h"
#include "dump/find_claim.h"
#include "dump/form.h"
#include "dump/text.h"

const struct dump_finder dump_finder_find_forms;

#define LEVELS (DUMP_DECODE_DEPTH_MAX + 1)
#define HEX_STRETCH 32

/* What one thread needs; pages that no core holds. */
struct worker {
	struct worker *next;
	struct prover *prover;
	uint8_t *pages;                        /* all that follows */
	struct anchor *places[LEVELS];
	uint8_t *decoded[LEVELS], *scratch;
	uint8_t *narrow[LEVELS];
	uint64_t cost_at_start;
	uint64_t nobodys[256];                 /* hashes of bare numbers that were no known key's secret */
	bool told;                             /* that the budget is spent */
};

#define DECODED_BYTES (FORMS_RUN_BYTES + 2 * DUMP_BLOCK_PAD)
#define PLACES_BYTES (ANCHORS_MAX * sizeof(struct anchor))
#define WORKER_BYTES (LEVELS * (PLACES_BYTES + 2 * DECODED_BYTES) + TEXT_SCRATCH_BYTES)

struct state {
	struct dump_scan *s;
	pthread_mutex_t lock;
	struct worker *idle;
	struct known_keys known;
	struct number *numbers;                /* of known */
	bool has_curve[CURVE_COUNT], has_edwards[CLAIM_X448 + 1]; /* among the known points */
};

/* One look at some bytes. */
struct layer {
	struct state *st;
	struct worker *w;
	const struct dump_block *block;
	const uint8_t *p;          /* what is parsed: p[0 .. n) and pads */
	size_t n, first, own;      /* hits begin in [first, first + own) */
	size_t base;               /* where p[first] is in the block, and ... */
	unsigned scale;            /* ... how many of its bytes one of ours is: 2 in UTF-16 */
	const char *wide;          /* "utf16le", or NULL */
	unsigned depth;
};

static void look(const struct layer *l);

/* ---- workers ---- */

static void worker_free(struct worker *w)
{
	if (!w)
		return;
	prover_free(w->prover);
	dump_pages_free(w->pages, WORKER_BYTES);
	free(w);
}

static struct worker *worker_new(void)
{
	struct worker *w = calloc(1, sizeof *w);
	if (!w)
		return NULL;
	w->prover = prover_new();
	w->pages = dump_pages_new(WORKER_BYTES);
	if (!w->prover || !w->pages) {
		if (w->pages)
			dump_pages_free(w->pages, WORKER_BYTES);
		w->pages = NULL;
		prover_free(w->prover);
		free(w);
		return NULL;
	}
	uint8_t *p = w->pages;
	for (int i = 0; i < LEVELS; i++) {
		w->places[i] = (struct anchor *)(void *)p;
		p += PLACES_BYTES;
		w->decoded[i] = p;
		p += DECODED_BYTES;
		w->narrow[i] = p;
		p += DECODED_BYTES;
	}
	w->scratch = p;
	return w;
}

static struct worker *worker_take(struct state *st)
{
	pthread_mutex_lock(&st->lock);
	struct worker *w = st->idle;
	if (w)
		st->idle = w->next;
	pthread_mutex_unlock(&st->lock);
	return w ? w : worker_new();
}

static void worker_give(struct state *st, struct worker *w)
{
	pthread_mutex_lock(&st->lock);
	w->next = st->idle;
	st->idle = w;
	pthread_mutex_unlock(&st->lock);
}

static bool begin(struct dump_scan *s, struct dump_image *im, void **ret_state)
{
	struct state *st = calloc(1, sizeof *st);
	size_t n, rsa = 0, points = 0;
	const struct dump_target *t = dump_targets(s, &n);

	(void)im;
	if (!st || !(st->numbers = calloc(3 * n + 1, sizeof *st->numbers)) || pthread_mutex_init(&st->lock, NULL) != 0) {
		if (st)
			free(st->numbers);
		free(st);
		return false;
	}
	st->s = s;
	for (size_t i = 0; i < n; i++) {
		if (t[i].algorithm == DUMP_RSA && t[i].n.n) {
			st->numbers[rsa] = (struct number){ t[i].n.p, (uint32_t)t[i].n.n, false };
			st->numbers[n + rsa++] = (struct number){ t[i].e.p, (uint32_t)t[i].e.n, false };
		} else if (t[i].point.n) {
			st->numbers[2 * n + points++] = (struct number){ t[i].point.p, (uint32_t)t[i].point.n, false };
			for (int a = CLAIM_ED25519; a <= CLAIM_X448; a++)
				st->has_edwards[a] |= claim_algorithm((enum claim_alg)a) == t[i].algorithm;
			if (t[i].algorithm == DUMP_EC)
				st->has_curve[curve_by_name(str_of(t[i].group))] = true;
		}
	}
	st->known = (struct known_keys){ st->numbers, st->numbers + n, rsa, st->numbers + 2 * n, points };
	*ret_state = st;
	return true;
}

static void end(void *state)
{
	struct state *st = state;
	while (st->idle) {
		struct worker *w = st->idle;
		st->idle = w->next;
		worker_free(w);
	}
	pthread_mutex_destroy(&st->lock);
	free(st->numbers);
	free(st);
}

/* ---- from claim to hit ---- */

static const char *const rsa_parts[CLAIM_PARTS] = { "n", "e", "d", "p", "q", "d mod p-1", "d mod q-1", "q^-1 mod p" };

/* the parts of a claim that are secret, as a set */
static uint32_t secret_parts(const struct claim *c)
{
	switch (c->alg) {
	case CLAIM_RSA: return 1U << RSA_D | 1U << RSA_P | 1U << RSA_Q | 1U << RSA_DP | 1U << RSA_DQ | 1U << RSA_QI;
	case CLAIM_DSA:
	case CLAIM_DH: return 1U << DSA_X;
	case CLAIM_SYMMETRIC:
	case CLAIM_ML_DSA:
	case CLAIM_ML_KEM:
	case CLAIM_SLH_DSA:
	case CLAIM_UNKNOWN: return 1;
	case CLAIM_EC:
	case CLAIM_ED25519:
	case CLAIM_ED448:
	case CLAIM_X25519:
	case CLAIM_X448: return 1U << EC_D;
	default: return 0;
	}
}

/* n bytes of the layer from index `from` of its block, in bytes of the block: from the first to the last; with UTF-16 the zero after the
 * last is not known to belong to it */
static size_t clipped(const struct layer *l, size_t from, size_t n)
{
	n = n * l->scale - (l->scale - 1);
	return n < l->block->n - from ? n : l->block->n - from;
}

/* p[at .. at+n) of the layer is a hit */
static void report(const struct layer *l, size_t at, size_t n, struct dump_hit *hit)
{
	if (at < l->first || at >= l->first + l->own)
		return;
	size_t from = l->base + (at - l->first) * l->scale;
	dump_report(l->st->s, &dump_finder_find_forms, l->block, from, clipped(l, from, n), hit);
}

struct span {
	size_t at, n;
	int part;
};

static int by_place(const void *a, const void *b)
{
	const struct span *x = a, *y = b;
	return x->at < y->at ? -1 : x->at > y->at;
}

static void report_parts(const struct layer *l, const struct claim *c, struct dump_hit *hit)
{
	struct span span[CLAIM_PARTS];
	uint32_t secret = secret_parts(c);
	int n = 0;
	bool text = false, little = false;

	for (int i = 0; i < CLAIM_PARTS; i++) {
		if (!(secret >> i & 1) || !number_has(&c->part[i]))
			continue;
		little |= c->part[i].little;
		if (c->place[i].n) {
			text = true;
			span[n++] = (struct span){ c->place[i].at, c->place[i].n, i };
		} else if (c->part[i].p >= l->p && c->part[i].p < l->p + l->n) {
			span[n++] = (struct span){ (size_t)(c->part[i].p - l->p), c->part[i].n, i };
		}
	}
	qsort(span, (size_t)n, sizeof span[0], by_place);
	hit->fill = text || l->scale > 1 ? DUMP_FILL_TEXT : DUMP_FILL_ZERO;
	hit->layout = text ? c->hex ? "hex+BE" : "base64+BE" : little ? "LE" : "BE";
	if (l->wide)
		hit->layout = dump_intern(l->st->s, "%s+%s", l->wide, hit->layout);
	for (int i = 0; i < n;) {
		/* neighbours with nothing but a head between them are one thing */
		size_t stop = span[i].at + span[i].n;
		int k = i + 1;
		while (!text && k < n && span[k].at <= stop + 8) {
			stop = span[k].at + span[k].n > stop ? span[k].at + span[k].n : stop;
			k++;
		}
		hit->component = k - i > 1 || c->alg != CLAIM_RSA || (text && c->part[RSA_N].p && n == 1) ? "private key" : rsa_parts[span[i].part];
		report(l, span[i].at, stop - span[i].at, hit);
		i = k;
	}
}

/* Is a form suspected when nothing can be computed?  Only where its own words leave no doubt; never RSA, which always
 * carries what proves it. */
static bool is_told_unproven(const struct claim *c)
{
	return c->alg == CLAIM_DH || c->alg >= CLAIM_SYMMETRIC || (c->alg != CLAIM_RSA && c->alg != CLAIM_DSA && !number_has(&c->part[EC_PUBLIC]));
}

/* A secret that nothing proves must at least look like one: not a buffer that was never filled, or was erased; and, where it is no
 * password, neither text (of 32 random bytes one or none is above 0x7f once in 10^8) nor DER: programs carry the heads of keys as
 * templates, and after a head comes whatever the linker put there. */
static bool looks_secret(const struct claim *c)
{
	const struct number *x = &c->part[c->alg == CLAIM_DH ? DSA_X : c->alg >= CLAIM_SYMMETRIC ? 0 : EC_D];
	static const uint8_t oid[] = { 0x2a, 0x86, 0x48 };
	struct variety v;

	if (!number_has(x))
		return c->alg == CLAIM_PGP;
	v = variety_of(x->p, x->n < 256 ? x->n : 256);
	if (x->n < 16 || v.distinct < 10)
		return false;
	return c->alg >= CLAIM_SYMMETRIC || x->n < 32 || (v.high > 1 && v.high + 1 < x->n && !memmem(x->p, 32, oid, sizeof(oid)));
}

/* The block has used up its budget; reported once. */
static bool is_spent(const struct layer *l)
{
	struct worker *w = l->w;

	if (prover_cost(w->prover) - w->cost_at_start <= FORMS_COST_MAX)
		return false;
	if (!w->told)
		dump_limit(l->st->s, "more claims of keys in one block than are worth proving");
	w->told = true;
	return true;
}

/* Proves and reports; true: it was something, and its bytes need no second look. */
static bool judge(const struct layer *l, const struct claim *c)
{
	struct worker *w = l->w;
	struct proof v;

	if (c->begin >= l->first + l->own)
		return false;
	if (is_spent(l))
		return false;
	if (!claim_prove(w->prover, c, &l->st->known, &v) || (v.level == PROOF_SHAPE && !is_told_unproven(c)) || (v.level <= PROOF_STATED && !looks_secret(c)))
		return false;

	static const enum dump_proof proofs[] = {
		[PROOF_SHAPE] = DUMP_PROOF_SHAPE, [PROOF_STATED] = DUMP_PROOF_STATED, [PROOF_LOCKED] = DUMP_PROOF_LOCKED, [PROOF_PAIR] = DUMP_PROOF_PAIR, [PROOF_POINT] = DUMP_PROOF_POINT,
		[PROOF_EXPONENT] = DUMP_PROOF_EXPONENT, [PROOF_FACTOR] = DUMP_PROOF_FACTOR, [PROOF_FULL] = DUMP_PROOF_FULL,
	};
	struct dump_hit hit = {
		.klass = v.level == PROOF_LOCKED ? DUMP_LOCKED : v.level == PROOF_STATED ? DUMP_STATED : v.level <= PROOF_PAIR ? DUMP_SUSPECTED : DUMP_PROVED,
		.proof = proofs[v.level],
		.algorithm = claim_algorithm(c->alg),
		.bits = v.bits,
		.key = -1,
		.form = c->form,
	};
	if (v.level >= PROOF_PAIR || (v.level == PROOF_STATED && v.point_bytes))
		hit.key = claim_keep(l->st->s, c, &v);
	if (secret_parts(c)) {
		report_parts(l, c, &hit);
	} else {
		hit.component = "container";
		hit.layout = l->wide ? l->wide : "";
		hit.fill = l->scale > 1 ? DUMP_FILL_TEXT : DUMP_FILL_ZERO;
		report(l, c->begin, c->end - c->begin, &hit);
	}
	return true;
}

/* ---- places ---- */

static bool is_at(const struct layer *l, size_t at, ptrdiff_t from, const char *magic, size_t n)
{
	if (from < 0 && at < (size_t)-from)
		return false;
	at += (size_t)from;
	return at <= l->n && l->n - at >= n && memcmp(l->p + at, magic, n) == 0;
}
#define IS_AT(l, at, from, magic) is_at(l, at, from, magic, sizeof(magic) - 1)

/* Does one of the other parsers read what is in this armour?  Then the run of digits leads to it. */
static bool is_understood(const struct layer *l, const struct claim *armour)
{
	const size_t begin = armour->place[0].at;
	struct text_run run = { .begin = begin, .end = begin + armour->place[0].n };
	uint8_t *out = l->w->scratch;
	size_t n = text_decode_base64(l->p, &run, 0, out, TEXT_SCRATCH_BYTES);
	struct claim c;
	struct proof v;

	for (size_t at = 2; at <= 6 && at + 3 < n; at++)
		if (out[at] == 0x02 && out[at + 1] == 0x01 && form_der_version(out, n, at, &c) && c.begin == 0)
			return (claim_prove(l->w->prover, &c, &l->st->known, &v) && v.level > PROOF_SHAPE) || (c.alg == CLAIM_RSA && !c.cut); /* refuted */
	return form_openssh(out, n, 0, &c) && claim_prove(l->w->prover, &c, &l->st->known, &v) && v.level > PROOF_SHAPE;
}

/* A magic at `at`: parses what it may begin.  Returns where to go on: always past `at`. */
static size_t magic(const struct layer *l, size_t at)
{
	const uint8_t *p = l->p;
	size_t n = l->n, go_on = at + 1, run_end;
	struct claim c;
	bool is = false;

	switch (p[at]) {
	case 0x02:
		if (p[at + 1] == 0x01) {
			is = p[at + 2] <= 3 && at >= 2 && form_der_version(p, n, at, &c);
		} else if (p[at + 1] == 0x81 || p[at + 1] == 0x82) {
			is = form_der_integers(p, n, at, &c, &run_end);
			/* a run of numbers is looked at once, from its first; not proven, its later ones may still begin something */
			if (!is)
				return go_on;
		}
		break;
	case 'B':
		if (IS_AT(l, at, -5, "-----BEGIN "))
			is = form_pem(p, n, at - 5, &c) && !(c.alg == CLAIM_UNKNOWN && is_understood(l, &c));
		break;
	case 'R':
		if (IS_AT(l, at, 0, "RSAPrivateKey"))
			is = form_etf(p, n, at, &c);
		else if (IS_AT(l, at, 0, "RSAKeyValue"))
			is = form_xml(p, n, at, l->w->scratch, &c);
		else if (at >= 8 && p[at - 8] == 7)
			is = form_capi(p, n, at - 8, &c);
		if (!is && n - at >= 8)
			is = form_bcrypt(p, n, at, &c);
		break;
	case 'E':
		is = IS_AT(l, at, 0, "ECPrivateKey") ? form_etf(p, n, at, &c) : n - at >= 8 && form_bcrypt(p, n, at, &c);
		break;
	case 'T':
	case 't':
		is = form_age(p, n, at, l->w->scratch, &c);
		break;
	case 0x20:
	case 0x21:
	case 0x22:
	case 0x23:
		is = (p[at + 1] == 0x58 || p[at + 1] == 0x59) && form_cose(p, n, at, &c);
		break;
	case 'h':
		is = IS_AT(l, at, -6, "openssh-key-v1") && form_openssh(p, n, at - 6, &c);
		break;
	case 's':
		is = at >= 1 && p[at - 1] == 's' && form_ssh_blob(p, n, at - 1, &c);
		break;
	case 'a':
		is = IS_AT(l, at, -8, "ecdsa-sha2-") && form_ssh_blob(p, n, at - 8, &c);
		break;
	case 'e':
		if (IS_AT(l, at, -6, "private-key"))
			is = form_sexp(p, n, at - 6, l->w->scratch, &c);
		else
			is = IS_AT(l, at, -6, "Private-key-format:") && form_dnssec(p, n, at - 6, l->w->scratch, &c);
		break;
	case 'P':
		is = IS_AT(l, at, 0, "PuTTY-User-Key-File-") && form_putty(p, n, at, l->w->scratch, &c);
		break;
	case 0xf7:
		is = form_der_encrypted(p, n, at, &c);
		break;
	case 0x1e:
		is = form_pvk(p, n, at, &c);
		break;
	case 0xfe:
	case 0xce:
	case 0xd0:
		is = form_store(p, n, at, &c);
		break;
	default:
		break;
	}
	if (is && judge(l, &c) && c.end > go_on)
		go_on = c.end;
	return go_on;
}

/* A bare scalar or seed of a known point; a seed with its public key after it, as many libraries keep it.  Reported when proven;
 * a value that is no key's secret is not tried again at once. */
static void bare_secret(const struct layer *l, const uint8_t *bytes, size_t n, bool may_prove_itself)
{
	static const struct { unsigned n; enum claim_alg alg; enum curve curve; } bare[] = {
		{ 32, CLAIM_EC, CURVE_P256 }, { 32, CLAIM_EC, CURVE_K256 }, { 32, CLAIM_ED25519, CURVE_NONE }, { 32, CLAIM_X25519, CURVE_NONE },
		{ 48, CLAIM_EC, CURVE_P384 }, { 66, CLAIM_EC, CURVE_P521 }, { 64, CLAIM_ED25519, CURVE_NONE }, { 57, CLAIM_ED448, CURVE_NONE },
	};
	struct worker *w = l->w;
	bool wanted = false, known = false;

	for (size_t i = 0; i < sizeof bare / sizeof bare[0]; i++)
		wanted |= n == bare[i].n && ((n == 64 && may_prove_itself) || (bare[i].curve ? l->st->has_curve[bare[i].curve] : l->st->has_edwards[bare[i].alg]));
	uint64_t h = wanted ? hash64(bytes, n, 0) : 0, *slot = &w->nobodys[h % 256];
	if (!wanted || *slot == h)
		return;
	for (size_t i = 0; i < sizeof bare / sizeof bare[0]; i++) {
		if (n != bare[i].n || !((n == 64 && may_prove_itself) || (bare[i].curve ? l->st->has_curve[bare[i].curve] : l->st->has_edwards[bare[i].alg])))
			continue;
		struct claim c = { .alg = bare[i].alg, .curve = bare[i].curve, .form = "number", .end = n };
		struct proof v;
		c.part[EC_D] = (struct number){ bytes, n == 64 ? 32 : (uint32_t)n, false };
		if (n == 64)
			c.part[EC_PUBLIC] = (struct number){ bytes + 32, 32, false };
		if (is_spent(l))
			return;
		if (claim_prove(w->prover, &c, &l->st->known, &v) && v.level >= PROOF_POINT) {
			(void)judge(l, &c);
			known = true;
		}
	}
	if (!known)
		*slot = h;
}

/* Decoded bytes: scanned like memory, and given to the number finders. */
static void decoded(const struct layer *l, const struct text_run *run, const char *encoding, const uint8_t *bytes, size_t n, bool first_phase)
{
	size_t from = l->base + (run->begin - l->first) * l->scale, from_n = clipped(l, from, run->end - run->begin);
	const char *name = l->wide ? dump_intern(l->st->s, "%s+%s", l->wide, encoding) : encoding;
	struct dump_block child = { .p = bytes, .own = n, .n = n, .im = l->block->im, .step = 1, .parent = l->block, .from = from, .from_n = from_n,
		                    .encoding = name, .depth = l->block->depth + 1 };
	struct layer inner = { .st = l->st, .w = l->w, .block = &child, .p = bytes, .n = n, .own = n, .scale = 1, .depth = l->depth + 1 };

	if (child.depth > DUMP_DECODE_DEPTH_MAX || l->depth + 1 >= LEVELS)
		return;
	look(&inner);
	/* 64 bytes are a seed and its public key, or, far more often, a SHA-512: one in hexadecimal, or with its name before it, is
	 * tried for known keys only */
	if (first_phase)
		bare_secret(&inner, bytes, n, !run->hex && run->delimited && !(run->begin >= 7 && memcmp(l->p + run->begin - 7, "sha512-", 7) == 0));
	if (first_phase)
		dump_scan_decoded(l->st->s, l->block, from, from_n, bytes, n, name, &dump_finder_find_forms);
}

/* Are there five dashes before the run, with nothing but a line's end between? */
static bool is_pem_body(const struct layer *l, const struct text_run *run)
{
	size_t low = run->begin > 16 ? run->begin - 16 : 0;
	for (size_t i = run->begin; i >= low + 5; i--)
		if (memcmp(l->p + i - 5, "-----", 5) == 0)
			return true;
	return false;
}

static bool is_quoted(const uint8_t *p, size_t n, const struct text_run *token)
{
	const uint8_t quote = token->begin ? p[token->begin - 1] : 0;

	return (quote == '"' || quote == '\'') && token->end < n && p[token->end] == quote;
}

static void decode_run(const struct layer *l, const struct text_run *run)
{
	struct text_run slice = *run, token;
	size_t stop = l->first + l->own;

	/* The block before this one sees as much of a run that begins there as a block sees past its end; the rest is ours. */
	if (run->begin < l->first && run->end > l->first + DUMP_OVERLAP_BYTES) {
		slice.begin = l->first;
		slice.uncertain = true;
	}
	if (slice.begin < l->first || slice.begin >= stop || l->depth + 1 >= LEVELS)
		return;
	uint8_t *out = l->w->decoded[l->depth + 1] + DUMP_BLOCK_PAD;
	const char *encoding = run->hex ? "hex" : is_pem_body(l, run) ? "pem" : "base64";
	/* texts next to each other, each in quotes, may be one text in lines: here as what they are */
	for (size_t at = run->hex ? run->end : run->begin; text_next_token(l->p, run, &at, &token);) {
		if (token.digits < run->digits && token.digits >= TEXT_BASE64_DIGITS_MIN && token.begin >= slice.begin && token.begin < stop &&
		    is_quoted(l->p, l->n, &token)) {
			size_t n = text_decode_base64(l->p, &token, 0, out, FORMS_RUN_BYTES);

			memset(out + n, 0, DUMP_BLOCK_PAD);
			decoded(l, &token, encoding, out, n, true);
		}
	}
	/* a long run in slices; each begins a form's length before the last one ended */
	while (slice.begin < stop) {
		unsigned phases = !slice.uncertain ? 1 : run->hex ? 2 : 4;
		slice.end = run->end - slice.begin > FORMS_RUN_BYTES ? slice.begin + FORMS_RUN_BYTES : run->end;
		for (unsigned phase = 0; phase < phases; phase++) {
			size_t n = run->hex ? text_decode_hex(l->p, &slice, phase, out, FORMS_RUN_BYTES) : text_decode_base64(l->p, &slice, phase, out, FORMS_RUN_BYTES);
			memset(out + n, 0, DUMP_BLOCK_PAD);
			decoded(l, &slice, encoding, out, n, phase == 0 || (run->hex ? !run->delimited : slice.uncertain));
		}
		if (slice.end == run->end)
			break;
		slice.begin = slice.end - FORMS_RUN_BYTES / 2;
		slice.uncertain = true; /* line breaks shift the digits of a slice */
	}
	OPENSSL_cleanse(out, run->end - run->begin < FORMS_RUN_BYTES ? run->end - run->begin : FORMS_RUN_BYTES);
}

/* Is the run the value of a JWK's member?  The name precedes it, in quotes. */
static bool is_jwk_member(const struct layer *l, const struct text_run *run)
{
	static const char *const names[] = { "n", "e", "d", "p", "q", "dp", "dq", "qi", "x", "y", "k", "priv" };
	const uint8_t *p = l->p;
	size_t low = run->begin > JWK_NAME_BYTES_MAX ? run->begin - JWK_NAME_BYTES_MAX : 0, i = run->begin, end;
	uint8_t c = 0;
	/* back over: quote of the value, colon, quote of the name, with blanks between */
	for (int part = 0; part < 3; part++) {
		do {
			if (i == low)
				return false;
			i -= text_char_before(p, low, i, &c);
		} while (part > 0 && (c == ' ' || c == '\n' || c == '\r' || c == '\t'));
		if (part == 1 ? c != ':' : c != '"' && c != '\'')
			return false;
	}
	end = i;
	while (i > low && p[i - 1] >= 'a' && p[i - 1] <= 'z' && end - i < 8)
		i--;
	for (; i < end; i++) { /* \u0022d: letters of an escape may precede the name */
		for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
			size_t n = strlen(names[k]);
			if (end - i != n || memcmp(p + i, names[k], n) != 0 || i == low)
				continue;
			(void)text_char_before(p, low, i, &c);
			if (c == '"' || c == '\'')
				return true;
		}
	}
	return false;
}

/* Every hexadecimal digit is one of base64 too: hexadecimal runs with something before them (0x30.., a name) are found inside others. */
static void hex_inside(const struct layer *l, const struct text_run *run, size_t low)
{
	const uint8_t *p = l->p;
	for (size_t i = run->begin + HEX_STRETCH - 1; i < run->end; i += HEX_STRETCH) {
		size_t k = i, stop = i + 1 - HEX_STRETCH;
		struct text_run hex;
		while (k > stop && text_is_hex(p[k]))
			k--;
		if (!text_is_hex(p[k])) {
			i = k; /* the next stretch may begin right after it */
			continue;
		}
		if (!text_run_hex(p, low, l->n, i, &hex))
			continue;
		decode_run(l, &hex);
		i = hex.end > i ? hex.end - 1 : i;
	}
}

static size_t digits(const struct layer *l, size_t at, uint32_t kind)
{
	const uint8_t *p = l->p;
	size_t stop = at + 16, low = l->first > DUMP_BEFORE_BYTES ? l->first - DUMP_BEFORE_BYTES : 0;
	struct text_run run;
	struct claim c;
	bool hex;

	if (kind == SEED_HEX) {
		while (at < stop + 16 && at < l->n && !text_is_hex(p[at]))
			at++;
		if (at >= l->n || !text_run_hex(p, low, l->n, at, &run))
			return at + 1;
		decode_run(l, &run);
		return run.end > stop ? run.end : stop;
	}
	if (l->n < stop || !text_is_digits16(p + at, &hex))
		return at + 1;
	if (hex && text_run_hex(p, low, l->n, at, &run)) {
		decode_run(l, &run);
		return run.end > stop ? run.end : stop;
	}
	if (!text_run_base64(p, low, l->n, at, &run))
		return run.end > stop ? run.end : stop;
	hex_inside(l, &run, low);
	if (is_jwk_member(l, &run) && form_jwk(p, l->n, run.begin, l->w->scratch, &c) && judge(l, &c))
		return c.end > run.end ? c.end : run.end;
	if (run.digits == 43 && run.end > run.begin && p[run.end - 1] == '=' && form_named(p, l->n, run.begin, run.end, l->w->scratch, &c) && judge(l, &c))
		return run.end > stop ? run.end : stop;
	decode_run(l, &run);
	return run.end > stop ? run.end : stop;
}

/* UTF-16: as far as it goes, narrowed and looked at; its places are reported as offsets in the original bytes */
static size_t wide(const struct layer *l, size_t at)
{
	const uint8_t *p = l->p;
	unsigned parity = p[at] == 0; /* text is at even or odd distances from `at` */
	size_t begin = at + parity, stop, n = 0, low = l->first > DUMP_BEFORE_BYTES ? l->first - DUMP_BEFORE_BYTES : 0;

	if (l->scale > 1 || l->depth + 1 >= LEVELS)
		return at + 32;
	while (begin >= low + 2 && at + parity - begin < FORMS_RUN_BYTES && p[begin - 2] >= 9 && p[begin - 2] < 0x7f && p[begin - 1] == 0)
		begin -= 2;
	uint8_t *out = l->w->narrow[l->depth] + DUMP_BLOCK_PAD;
	stop = begin;
	while (stop < l->n && n < FORMS_RUN_BYTES && p[stop] >= 9 && p[stop] < 0x7f) {
		out[n++] = p[stop];
		if (stop + 1 >= l->n || p[stop + 1] != 0) {
			stop += 1;
			break;
		}
		stop += 2;
	}
	memset(out + n, 0, DUMP_BLOCK_PAD);
	/* the block's own part of it */
	size_t before = begin < l->first ? (l->first - begin + 1) / 2 : 0;
	if (before < n && begin < l->first + l->own) {
		bool big = begin > low && p[begin - 1] == 0 && (stop >= l->n || p[stop - 1] != 0);
		struct layer inner = *l;
		inner.p = out;
		inner.n = n;
		inner.first = before;
		inner.own = n - before;
		inner.base = l->base + begin + 2 * before - l->first;
		if (begin + 2 * n > l->first + l->own)
			inner.own = (l->first + l->own - begin + 1) / 2 - before;
		inner.scale = 2;
		inner.wide = big ? "utf16be" : "utf16le";
		inner.depth = l->depth + 1;
		look(&inner);
	}
	OPENSSL_cleanse(out, n);
	return n == FORMS_RUN_BYTES ? stop - FORMS_RUN_BYTES : stop;
}

static void look(const struct layer *l)
{
	struct anchor *places = l->w->places[l->depth];
	size_t after_magic = 0, after_digits = 0, after_wide = 0;
	/* a form that begins before our own bytes is parsed as well: its secret may be ours (and a run must be known to be skipped) */
	size_t start = l->first > FORMS_BEFORE_BYTES ? l->first - FORMS_BEFORE_BYTES : 0, stop = l->first + l->own;

	/* and a form that begins in them may have its magic, or its first sixteen digits, past their end */
	stop = l->n - stop < FORMS_PAST_BYTES ? l->n : stop + FORMS_PAST_BYTES;

	for (size_t at = start; at < stop; at += ANCHOR_CHUNK) {
		size_t n = stop - at < ANCHOR_CHUNK ? stop - at : ANCHOR_CHUNK, count;
		enum dump_path path = dump_scan_options(l->st->s)->path;
		count = path == DUMP_PATH_PORTABLE ? anchors_find_portable(l->p + at, n, places) : anchors_find(l->p + at, n, places);
		for (size_t i = 0; i < count; i++) {
			size_t place = at + places[i].at;
			if (places[i].kind == ANCHOR_MAGIC) {
				if (place >= after_magic)
					after_magic = magic(l, place);
			} else if (places[i].kind == SEED_WIDE) {
				if (place >= after_wide)
					after_wide = wide(l, place);
			} else if (place >= after_digits) {
				after_digits = digits(l, place, places[i].kind);
			}
		}
	}
}

static void scan(struct dump_scan *s, void *state, const struct dump_block *b)
{
	struct state *st = state;
	struct worker *w = worker_take(st);

	if (!w) {
		dump_limit(s, "no memory to look for key forms");
		return;
	}
	w->cost_at_start = prover_cost(w->prover);
	w->told = false;
	struct layer l = { .st = st, .w = w, .block = b, .p = b->p - b->before, .n = b->n + b->before, .first = b->before, .own = b->own, .scale = 1 };
	look(&l);
	OPENSSL_cleanse(w->scratch, TEXT_SCRATCH_BYTES);
	worker_give(st, w);
}

const struct dump_finder dump_finder_find_forms = {
	.name = "forms",
	.doc = "private keys in their written forms: PEM, DER, JWK, OpenSSH, Windows blobs ..., also in base64, hexadecimal, UTF-16",
	.begin = begin,
	.scan = scan,
	.end = end,
};
