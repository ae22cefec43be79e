/* SPDX-License-Identifier: Apache-2.0 */
/* test_redact: every number that follows from a key, in every layout and spelling, whole and in pieces, is swept; public numbers and
 * the bytes around the secrets are not touched; the residue test finds what no pattern covers. */
#include <stdlib.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "base/limits.h"
#include "dump/number.h"
#include "dump/redact.h"

#include "chance.h"
#include "check.h"

#define MEMORY (512 * 1024)

/* A key as the scan would have proven it. */
struct made {
	struct dump_key key;
	struct dump_target target;
	uint8_t n[512], e[8], p[256], q[256], d[512];
	BIGNUM *bn[5];
};

static bool make(struct made *m, unsigned bits)
{
	static const char *const names[] = { OSSL_PKEY_PARAM_RSA_N, OSSL_PKEY_PARAM_RSA_E, OSSL_PKEY_PARAM_RSA_FACTOR1,
		                             OSSL_PKEY_PARAM_RSA_FACTOR2, OSSL_PKEY_PARAM_RSA_D };
	EVP_PKEY *key = EVP_RSA_gen(bits);
	uint8_t *to[] = { m->n, m->e, m->p, m->q, m->d };
	struct dump_bytes *as[] = { &m->key.n, &m->key.e, &m->key.p, &m->key.q, &m->key.d };

	memset(m, 0, sizeof(*m));
	for (unsigned i = 0; i < 5; i++) {
		if (!key || !EVP_PKEY_get_bn_param(key, names[i], &m->bn[i]))
			return false;
		*as[i] = (struct dump_bytes){ to[i], (size_t)BN_bn2bin(m->bn[i], to[i]) };
	}
	EVP_PKEY_free(key);
	m->key.algorithm = DUMP_RSA;
	m->key.bits = bits;
	m->key.has_spki = dump_spki_rsa(m->bn[0], m->bn[1], m->key.spki);
	m->target = (struct dump_target){ .algorithm = DUMP_RSA, .bits = bits, .n = m->key.n, .e = m->key.e, .kid = "", .subject = "" };
	memcpy(m->target.spki, m->key.spki, 32);
	return m->key.has_spki;
}

static void made_free(struct made *m)
{
	for (unsigned i = 0; i < 5; i++)
		BN_free(m->bn[i]);
}

/* ---- the sweep over made bytes ---- */

static uint8_t memory[MEMORY + 64];
static uint8_t erased[MEMORY + 64]; /* 1 = reported */

static void mark(void *arg, const struct dump_trace *trace)
{
	(*(unsigned *)arg)++;
	memset(erased + trace->at, 1, trace->n);
}

static unsigned sweep(const struct dump_traces *t)
{
	unsigned n = 0;

	memset(erased, 0, sizeof(erased));
	dump_traces_find(t, memory, MEMORY, 0, mark, &n);
	return n;
}

static size_t untold(size_t at, size_t n)
{
	size_t left = 0;

	for (size_t i = at; i < at + n; i++)
		left += !erased[i];
	return left;
}

/* Places bytes among noise, at each of eight alignments, and wants them reported, all and no more. */
static void want_between(const struct dump_traces *t, const char *what, const uint8_t *p, size_t n, size_t slack, uint8_t before,
			 uint8_t after)
{
	for (size_t shift = 0; shift < 8; shift++) {
		size_t at = 4096 + shift;

		for (size_t i = 0; i < 16384; i++)
			memory[i] = (uint8_t)chance();
		memset(memory + 16384, 0, MEMORY - 16384);
		memcpy(memory + at, p, n);
		memory[at - 1] = before;
		memory[at + n] = after;
		sweep(t);
		CHECK_MSG(untold(at, n) <= slack, "%s, %zu bytes, shift %zu: %zu were not told", what, n, shift, untold(at, n));
		CHECK_MSG(untold(0, at) == at && untold(at + n, 8192 - n) == 8192 - n, "%s, shift %zu: more than that was told", what, shift);
	}
}

static void want(const struct dump_traces *t, const char *what, const uint8_t *p, size_t n, size_t slack)
{
	want_between(t, what, p, n, slack, '!', '!');
}

/* A piece from the middle of a number: the bytes next to it are surely not the number's. */
static void want_piece(const struct dump_traces *t, const char *what, const uint8_t *p, size_t n)
{
	want_between(t, what, p, n, 0, p[-1] ^ 0x55, p[n] ^ 0x55);
}

static struct dump_traces *traces_of(const struct made *m)
{
	struct dump_traces *t = dump_traces_new(false);

	CHECK(t && dump_traces_add_key(t, &m->key, 0) && dump_traces_add_rare(t, &m->key, NULL, 0, 0) && dump_traces_seal(t));
	return t;
}

static size_t hex_text(const uint8_t *p, size_t n, bool upper, char between, char *ret)
{
	size_t m = 0;

	for (size_t i = 0; i < n; i++) {
		m += (size_t)snprintf(ret + m, 8, upper ? "%02X" : "%02x", p[i]) + !!between;
		if (between)
			ret[m - 1] = between;
	}
	return m;
}

static void test_spellings(const struct made *m)
{
	struct dump_traces *t = traces_of(m);
	uint8_t le[512], j32[512], wide[4096];
	char text[4096];
	size_t n = m->key.p.n, len, words;

	number_to_le(NUMBER_BE, m->p, n, le);
	words = (n + 3) / 4 * 4;
	memset(le + n, 0, words - n);
	number_to_le(NUMBER_J32, le, words, j32);
	want(t, "p BE", m->p, n, 0);
	want(t, "p LE", le, n, 0);
	want_between(t, "p J32", j32 + (words - n), n, 0, words > n ? j32[words - n - 1] ^ 0x55 : '!', '!'); /* its zero is in the first word's end */
	want(t, "d BE", m->d, m->key.d.n, 0);
	/* pieces: a head that malloc overwrote, a middle, sixteen bytes; fifteen cannot be distinguished from chance everywhere */
	want_between(t, "tail of p", m->p + 32, n - 32, 0, m->p[31] ^ 0x55, '!');
	want_piece(t, "middle of q", m->q + 17, 23);
	want_piece(t, "16 bytes of d", m->d + 101, 16);
	/* text */
	len = hex_text(m->p, n, false, 0, text);
	want(t, "hex", (uint8_t *)text, len, 0);
	want(t, "20 digits", (uint8_t *)text + 31, 20, 0);
	for (size_t i = 0; i < len; i++) {
		wide[2 * i] = (uint8_t)text[i];
		wide[2 * i + 1] = 0;
	}
	want(t, "hex, UTF-16", wide, 2 * len - 1, 0);
	len = hex_text(m->p, n, true, 0, text);
	want(t, "HEX", (uint8_t *)text, len, 0);
	len = hex_text(m->p, n, false, ':', text);
	want(t, "hex with colons", (uint8_t *)text, len - 1, 0);
	for (unsigned phase = 0; phase < 3; phase++) {
		uint8_t record[600] = { 0 };
		int k;

		for (size_t i = 0; i < sizeof(record); i++)
			record[i] = 0xf5;
		memcpy(record + phase + 3, m->q, n);
		k = EVP_EncodeBlock((unsigned char *)text, record, (int)(phase + 3 + n + 3));
		/* the first and the last digit of it are mixed with what is not secret */
		want(t, "base64", (uint8_t *)text + 4 + phase + (phase != 0), (n * 8 - 6 * 2) / 6, 1);
		for (int i = 0; i < k; i++)
			text[i] = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];
		want(t, "base64url", (uint8_t *)text + 4 + phase + (phase != 0), (n * 8 - 6 * 2) / 6, 1);
	}
	dump_traces_free(t);
}

/* Made here once more, with OpenSSL alone: what a process keeps of a prime. */
static void test_numbers(const struct made *m)
{
	struct dump_traces *t = traces_of(m);
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *x = BN_new(), *y = BN_new(), *p1 = BN_new();
	BN_MONT_CTX *mont = BN_MONT_CTX_new();
	uint8_t bytes[512];
	size_t n = m->key.p.n;

	BN_sub(p1, m->bn[2], BN_value_one());
	BN_mod(x, m->bn[4], p1, ctx);
	BN_bn2lebinpad(x, bytes, (int)n);
	want(t, "d mod p-1", bytes, (size_t)BN_num_bytes(x), 0);
	BN_mod_inverse(x, m->bn[3], m->bn[2], ctx);
	BN_bn2lebinpad(x, bytes, (int)n);
	want(t, "1/q mod p", bytes, (size_t)BN_num_bytes(x), 0);
	/* R^2 mod q is 1 in Montgomery's form, twice: to_montgomery(R) = R^2 / ... ; R = to_montgomery(1) */
	BN_MONT_CTX_set(mont, m->bn[3], ctx);
	BN_to_montgomery(x, BN_value_one(), mont, ctx); /* R mod q */
	BN_bn2lebinpad(x, bytes, (int)n);
	want(t, "R mod q", bytes, (size_t)BN_num_bytes(x), 0);
	BN_to_montgomery(y, x, mont, ctx); /* R^2 mod q */
	BN_bn2lebinpad(y, bytes, (int)n);
	want(t, "R^2 mod q", bytes, (size_t)BN_num_bytes(y), 0);
	/* public numbers are no secret */
	for (size_t i = 0; i < MEMORY; i++)
		memory[i] = (uint8_t)chance();
	memcpy(memory + 1000, m->n, m->key.n.n);
	BN_bn2lebinpad(m->bn[0], memory + 8000, (int)m->key.n.n);
	BN_MONT_CTX_set(mont, m->bn[0], ctx);
	BN_to_montgomery(x, BN_value_one(), mont, ctx);
	BN_bn2lebinpad(x, memory + 16000, (int)m->key.n.n);
	CHECK_MSG(sweep(t) == 0, "n, or noise, was taken for a secret");
	BN_MONT_CTX_free(mont);
	BN_free(x);
	BN_free(y);
	BN_free(p1);
	BN_CTX_free(ctx);
	dump_traces_free(t);
}

/* ---- cuts ---- */

static void test_cuts(const struct made *m)
{
	struct dump_options o = { .targets = &m->target, .n_targets = 1, .threads = 1 };
	struct dump_reader *r;
	struct dump_image *im;
	struct dump_scan *s = dump_scan_new(&o);
	struct dump_traces *t;
	struct dump_cuts cuts;
	struct dump_residue left;
	const struct dump_modulus modulus = { m->n, m->key.n.n, m->key.spki, m->e, m->key.e.n, { { 0 } }, 0 };
	static uint8_t copy[MEMORY], chunked[MEMORY];
	char text[2048];
	size_t n = m->key.p.n, len, hits;
	uint64_t sum = 0;

	for (size_t i = 0; i < MEMORY; i++)
		memory[i] = i < 8192 ? (uint8_t)chance() : 0;
	BN_bn2lebinpad(m->bn[2], memory + 4096, (int)n);       /* p, whole: what the scan finds */
	memcpy(memory + 20000, m->d + 40, 64);                 /* a piece of d: what the sweep finds */
	memory[19999] = m->d[39] ^ 0x55;
	memory[20064] = m->d[104] ^ 0x55;
	memcpy(memory + 30000, "{\"n\":\"", 6);
	memcpy(memory + 90000, m->n, m->key.n.n);
	len = hex_text(m->q, n, false, 0, text);
	memcpy(memory + 80000, "key=\"", 5);
	memcpy(memory + 80005, text, len);
	memcpy(memory + 80005 + len, "\\n\" end", 7);
	memcpy(copy, memory, MEMORY);
	r = dump_reader_memory(memory, MEMORY);
	im = dump_image_open(r, "memory");
	CHECK(s && im && dump_scan_image(s, im));
	CHECK(dump_residue_test(im, &modulus, 1, DUMP_RESIDUE_ALL, 2, &left) && left.found == 1 && left.first.offset == 4096);
	t = dump_traces_of(s, im);
	CHECK(t && dump_cuts_plan(s, im, t, false, &cuts));
	CHECK(!cuts.over_structure && cuts.bytes == n + 64 + len);
	memcpy(chunked, memory, MEMORY);
	CHECK(dump_cuts_apply(&cuts, 0, memory, MEMORY) == n + 64 + len);
	for (size_t at = 0; at < MEMORY; at += 777) /* any pieces give the same bytes */
		sum += dump_cuts_apply(&cuts, at, chunked + at, MEMORY - at < 777 ? MEMORY - at : 777);
	CHECK(sum == n + 64 + len && memcmp(chunked, memory, MEMORY) == 0);
	for (size_t i = 0; i < MEMORY; i++) {
		bool zero = (i >= 4096 && i < 4096 + n) || (i >= 20000 && i < 20064), letter = i >= 80005 && i < 80005 + len;

		if (memory[i] != (zero ? 0 : letter ? 'A' : copy[i])) {
			CHECK_MSG(false, "byte %zu is 0x%02x", i, memory[i]);
			break;
		}
	}
	CHECK(memcmp(memory + 80005 + len, "\\n\" end", 7) == 0);
	CHECK(dump_scan_image(s, im));
	(void)dump_hits(s, &hits);
	CHECK_MSG(hits == 0, "%zu hits are left", hits);
	CHECK(dump_residue_test(im, &modulus, 1, DUMP_RESIDUE_ALL, 2, &left) && left.found == 0 && left.windows > 1000);
	dump_cuts_release(&cuts);
	dump_traces_free(t);
	dump_scan_free(s);
	dump_image_free(im);
	dump_reader_free(r);
}

/* Numbers that no list of patterns has: a multiple of p, whole words of it.  Only the residue test finds it. */
static void test_residue(const struct made *m)
{
	const struct dump_modulus modulus = { m->n, m->key.n.n, m->key.spki, m->e, m->key.e.n, { { 0 } }, 0 };
	struct dump_reader *r = dump_reader_memory(memory, MEMORY);
	struct dump_image *im;
	struct dump_residue left;
	BIGNUM *x = BN_new();

	for (size_t i = 0; i < MEMORY; i++)
		memory[i] = i < 12000 ? (uint8_t)chance() : 0;
	im = dump_image_open(r, "memory");
	CHECK(dump_residue_test(im, &modulus, 1, DUMP_RESIDUE_WRITABLE, 1, &left) && left.found == 0 && left.windows > 10000);
	/* 2^w - p, w of the window: R mod p */
	BN_set_bit(x, BN_num_bits(m->bn[2]));
	BN_sub(x, x, m->bn[2]);
	BN_bn2lebinpad(x, memory + 48000, (int)m->key.p.n);
	CHECK(dump_residue_test(im, &modulus, 1, DUMP_RESIDUE_WRITABLE, 2, &left) && left.found == 1 && left.first.offset == 48000);
	BN_free(x);
	dump_image_free(im);
	dump_reader_free(r);
}

/* ---- relations: each number alone, in each layout, at each alignment, gives itself away; with N and e only ---- */

#define PLANTED_MAX 64

struct planted { size_t at, n; const char *what; unsigned seen; };
static struct planted planted[PLANTED_MAX];
static size_t n_planted;

static void seen(void *arg, const struct dump_block *b, size_t at, size_t n, size_t modulus, const uint8_t *factor, size_t factor_n,
		 const char *layout, const char *relation)
{
	struct dump_hit where = { 0 };

	(void)arg, (void)modulus, (void)factor, (void)factor_n, (void)layout, (void)relation;
	(void)dump_locate(b, at, n, &where);
	for (size_t i = 0; i < n_planted; i++)
		planted[i].seen += where.offset < planted[i].at + planted[i].n && where.offset + n > planted[i].at;
}

/* layouts: least significant byte first, most significant first, most significant word of 32 bits first, of 64 bits */
static void plant(const char *what, const BIGNUM *x, unsigned layout)
{
	const size_t word = layout == 2 ? 4 : layout == 3 ? 8 : 1, n = ((size_t)BN_num_bytes(x) + word - 1) / word * word;
	const size_t at = 4096 + n_planted * 1024 + n_planted % 8;
	uint8_t le[1024];

	if (n_planted == PLANTED_MAX || BN_bn2lebinpad(x, le, (int)n) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		memory[at + i] = layout == 0 ? le[i] : layout == 1 ? le[n - 1 - i] : le[(n / word - 1 - i / word) * word + i % word];
	planted[n_planted++] = (struct planted){ at, n, what, 0 };
}

static bool look(const struct made *m, bool primes, struct dump_residue *left)
{
	const struct dump_modulus modulus = { m->n, m->key.n.n, m->key.spki, m->e, m->key.e.n, { primes ? m->key.p : (struct dump_bytes){ 0 }, primes ? m->key.q : (struct dump_bytes){ 0 } }, 0 };
	struct dump_reader *r = dump_reader_memory(memory, MEMORY);
	struct dump_image *im = dump_image_open(r, "memory");
	const struct dump_residue_search search = { seen, NULL };
	bool ok = im && dump_residue_look(im, &modulus, 1, DUMP_RESIDUE_WRITABLE, 1, &search, left);

	dump_image_free(im);
	dump_reader_free(r);
	return ok;
}

static void test_relations(const struct made *m, const struct made *stranger)
{
	static const uint8_t words[] = { 64, 52, 32, 26, 30, 63, 28 };
	const BIGNUM *n = m->bn[0], *e = m->bn[1], *p = m->bn[2], *q = m->bn[3];
	struct dump_traces *t = traces_of(m);
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *x = BN_new(), *y = BN_new(), *p1 = BN_new(), *q1 = BN_new(), *phi = BN_new(), *one = BN_new();
	struct dump_residue left;
	const int bits = BN_num_bits(p);

	BN_one(one);
	BN_sub(p1, p, one);
	BN_sub(q1, q, one);
	BN_mul(phi, p1, q1, ctx);
	for (unsigned layout = 0; layout < 4; layout++) {
		memset(memory, 0, MEMORY);
		n_planted = 0;
		plant("p", p, layout);
		plant("q", q, layout);
		plant("p-1", p1, layout);
		for (size_t i = 0; i < sizeof(words); i++) {
			for (int k = 1; k <= (i ? 3 : 6); k++) {
				BN_zero(x);
				BN_set_bit(x, (bits + words[i] - 1) / words[i] * words[i] * k);
				BN_mod(x, x, (i + (unsigned)k) % 2 ? p : q, ctx);
				plant("R^k mod p", x, layout);
			}
		}
		BN_sub(x, p, q);
		BN_set_negative(x, 0);
		plant("p-q", x, layout);
		BN_add(x, p, q);
		plant("p+q", x, layout);
		BN_copy(x, phi);
		BN_mask_bits(x, bits);
		plant("the lower half of phi", x, layout);
		BN_mod_inverse(x, e, p1, ctx);
		plant("d mod p-1", x, layout);
		BN_mod_inverse(x, e, q1, ctx);
		plant("d mod q-1", x, layout);
		for (int more = 0; more <= 64; more += 32) {
			BN_zero(x);
			BN_set_bit(x, 2 * bits + more);
			BN_div(x, NULL, x, more ? q : p, ctx);
			plant("a Barrett quotient", x, layout);
		}
		BN_zero(y);
		BN_set_bit(y, (bits + 7) / 8 * 8);
		BN_mod_inverse(x, p, y, ctx);
		plant("1/p modulo R", x, layout);
		BN_mod_inverse(x, q, y, ctx);
		BN_sub(x, y, x);
		plant("-1/q modulo R", x, layout);
		plant("phi", phi, layout);
		BN_mod_inverse(x, e, phi, ctx);
		plant("d", x, layout);
		BN_gcd(y, p1, q1, ctx);
		BN_div(y, NULL, phi, y, ctx);
		plant("lambda", y, layout);
		BN_mod_inverse(x, e, y, ctx);
		plant("d modulo lambda", x, layout);
		BN_mod_inverse(x, q, p, ctx);
		BN_mul(x, x, q, ctx);
		plant("q times 1/q mod p", x, layout);
		CHECK(look(m, false, &left));
		for (size_t i = 0; i < n_planted; i++)
			CHECK_MSG(planted[i].seen, "%s in layout %u at %zu was not seen", planted[i].what, layout, planted[i].at);
		CHECK(layout || (look(stranger, false, &left) && left.found == 0));
		/* what is erased knows them too */
		sweep(t);
		for (size_t i = 0; i < n_planted; i++)
			CHECK_MSG(untold(planted[i].at, planted[i].n) <= planted[i].n / 16 || strstr(planted[i].what, "phi") || strstr(planted[i].what, "times"),
			          "%s in layout %u: %zu bytes are not erased", planted[i].what, layout, untold(planted[i].at, planted[i].n));
		/* 1/q R mod p: with p and q */
		BN_mod_inverse(x, q, p, ctx);
		BN_zero(y);
		BN_set_bit(y, (bits + 63) / 64 * 64);
		BN_mod_mul(x, x, y, p, ctx);
		memset(memory, 0, MEMORY);
		n_planted = 0;
		plant("1/q R mod p", x, layout);
		CHECK_MSG(look(m, true, &left) && planted[0].seen, "1/q R mod p in layout %u was not seen", layout);
		/* public numbers say nothing */
		memset(memory, 0, MEMORY);
		n_planted = 0;
		plant("n", n, layout);
		BN_zero(x);
		BN_set_bit(x, 2 * bits);
		BN_mod(y, x, n, ctx);
		plant("R mod n", y, layout);
		BN_mod_sqr(y, y, n, ctx);
		plant("R^2 mod n", y, layout);
		for (int primes = 0; primes < 2; primes++)
			CHECK_MSG(look(m, primes, &left) && left.found == 0, "a public number in layout %u: %s", layout, left.relation);
	}
	BN_free(x);
	BN_free(y);
	BN_free(p1);
	BN_free(q1);
	BN_free(phi);
	BN_free(one);
	BN_CTX_free(ctx);
	dump_traces_free(t);
}

static void test_others(void)
{
	uint8_t seed[32], hash[64], scalar[32];
	struct dump_key k = { .algorithm = DUMP_ED25519, .bits = 255, .d = { seed, 32 } };
	struct dump_traces *t = dump_traces_new(false);
	unsigned n = 64;

	for (size_t i = 0; i < 32; i++)
		seed[i] = (uint8_t)chance();
	EVP_Digest(seed, 32, hash, &n, EVP_sha512(), NULL);
	memcpy(scalar, hash, 32);
	scalar[0] &= 248;
	scalar[31] = (uint8_t)((scalar[31] & 127) | 64);
	CHECK(t && dump_traces_add_key(t, &k, 0) && dump_traces_seal(t));
	want(t, "seed", seed, 32, 0);
	want(t, "prefix", hash + 32, 32, 0);
	want(t, "scalar", scalar, 32, 0);
	dump_traces_free(t);
	t = dump_traces_new(false);
	k = (struct dump_key){ .algorithm = DUMP_EC, .bits = 256, .group = "prime256v1", .d = { seed, 32 } };
	seed[0] &= 0x7f;
	CHECK(t && dump_traces_add_key(t, &k, 0) && dump_traces_seal(t));
	want(t, "d", seed, 32, 0);
	want(t, "half of d", seed + 8, 16, 0);
	dump_traces_free(t);
}

int main(void)
{
	struct made m, stranger;

	CHECK(make(&m, 1024) && make(&stranger, 1024)); /* short: there is a lot of arithmetic */
	test_relations(&m, &stranger);
	made_free(&stranger);
	made_free(&m);
	CHECK(make(&m, 2048));
	test_spellings(&m);
	test_numbers(&m);
	test_cuts(&m);
	test_residue(&m);
	made_free(&m);
	CHECK(make(&m, 1024 + 512 + 40)); /* primes that fill no word */
	test_spellings(&m);
	test_numbers(&m);
	made_free(&m);
	test_others();
	return check_summary();
}
