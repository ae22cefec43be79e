/* SPDX-License-Identifier: Apache-2.0 */
/* find_shield: the keys of ssh-agent and sshd.  OpenSSH keeps a private key encrypted while it is not used ("shielded"), and the key
 * of that cipher is the SHA-512 of 16 KiB of noise in the same process: whoever has the memory has both.
 *
 *     struct sshkey { ... u_char *shielded_private; size_t shielded_len; u_char *shield_prekey; size_t shield_prekey_len; }
 *
 * Signal   the word 16384 after a pointer, a length that is a multiple of the cipher's block, and a pointer.  Both pointers are followed,
 *          the text is decrypted (AES-256 in counter mode), and what comes out is parsed and proven like any stored key.
 * Catches  every key type of OpenSSH 8.1 and later; of types that are not known (security keys) the padding proves the decryption.
 * Misses   dumps without addresses, or without one of the two.  Then the key cannot be had from the dump.
 * Cost     one comparison for each word. */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/limits.h"
#include "dump/arena.h"
#include "dump/bytes.h"
#include "dump/find_claim.h"
#include "dump/form.h"

const struct dump_finder dump_finder_find_shield;

#define PREKEY_BYTES 16384
#define PAGES_BYTES (PREKEY_BYTES + 2 * (SHIELDED_BYTES_MAX + 2 * DUMP_BLOCK_PAD))

struct pair {
	uint64_t text, prekey;
	uint32_t length;
};

struct state {
	struct dump_scan *s;
	pthread_mutex_t lock;
	struct pair *pairs;
	size_t n, capacity;
};

static bool begin(struct dump_scan *s, struct dump_image *im, void **ret)
{
	struct state *st = calloc(1, sizeof(*st));

	(void)im;
	if (!st)
		return false;
	st->s = s;
	pthread_mutex_init(&st->lock, NULL);
	*ret = st;
	return true;
}

static void end(void *state)
{
	struct state *st = state;

	pthread_mutex_destroy(&st->lock);
	free(st->pairs);
	free(st);
}

static void keep(struct state *st, struct pair p)
{
	pthread_mutex_lock(&st->lock);
	if (st->n == st->capacity) {
		size_t capacity = st->capacity ? 2 * st->capacity : 64;
		struct pair *bigger = capacity <= SHIELDED_PAIRS_MAX ? realloc(st->pairs, capacity * sizeof(*bigger)) : NULL;

		if (bigger) {
			st->pairs = bigger;
			st->capacity = capacity;
		}
	}
	const bool full = st->n == st->capacity; /* or no memory */

	if (!full)
		st->pairs[st->n++] = p;
	pthread_mutex_unlock(&st->lock);
	if (full)
		dump_limit(st->s, "more structures that look like shielded SSH keys than are followed");
}

static uint64_t word(const struct dump_image *im, const uint8_t *p) { return im->word == 4 ? get32(p, im->big_endian) : get64(p, im->big_endian); }

static void scan(struct dump_scan *s, void *state, const struct dump_block *b)
{
	const size_t w = b->im->word;
	struct state *st = state;

	(void)s;
	if (!b->mapped || b->encoding || (w != 4 && w != 8))
		return;
	for (size_t i = (w - b->phase % w) % w; i < b->own && i + w <= b->n; i += w) {
		if (word(b->im, b->p + i) != PREKEY_BYTES || i + b->before < 3 * w)
			continue;
		const uint8_t *p = b->p + i;
		const uint64_t text = word(b->im, p - 3 * w), length = word(b->im, p - 2 * w), prekey = word(b->im, p - w);

		if (text >= 4096 && prekey >= 4096 && length && length % 16 == 0 && length <= SHIELDED_BYTES_MAX)
			keep(st, (struct pair){ text, prekey, (uint32_t)length });
	}
}

static bool decrypt(const uint8_t *prekey, const uint8_t *text, size_t n, uint8_t *out)
{
	uint8_t key[64];
	unsigned size = sizeof(key);
	int got = 0;
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	bool ok = c && EVP_Digest(prekey, PREKEY_BYTES, key, &size, EVP_sha512(), NULL) == 1 &&
	          EVP_DecryptInit_ex2(c, EVP_aes_256_ctr(), key, key + 32, NULL) == 1 && EVP_DecryptUpdate(c, out, &got, text, (int)n) == 1 && got == (int)n;

	EVP_CIPHER_CTX_free(c);
	OPENSSL_cleanse(key, sizeof(key));
	return ok;
}

/* A key type of letters, and at the end 1, 2, 3 ...: by chance never. */
static bool is_decrypted(const uint8_t *p, size_t n)
{
	const size_t type = get32(p, true);
	size_t pad = p[n - 1];

	if (p[0] || p[1] || p[2] || type < 7 || type > 64 || type + 4 > n || (memcmp(p + 4, "ssh-", 4) != 0 && memcmp(p + 4, "ecds", 4) != 0 && memcmp(p + 4, "sk-", 3) != 0))
		return false;
	for (size_t i = 0; i < type; i++)
		if (p[4 + i] <= ' ' || p[4 + i] >= 0x7f)
			return false;
	if (pad > 16) /* no padding was needed */
		return true;
	for (size_t i = 0; i < pad; i++)
		if (p[n - 1 - i] != pad - i)
			return false;
	return true;
}

static void report(const struct state *st, struct dump_image *im, struct dump_hit hit, uint64_t va, uint64_t n, const char *component)
{
	hit.component = component;
	hit.has_va = true;
	hit.va = va;
	hit.length = n;
	while (n && hit.n_pieces < DUMP_HIT_PIECES) {
		uint64_t offset, left;

		if (!dump_va_to_offset(im, va, &offset, &left) || !left)
			break;
		left = left < n ? left : n;
		if (!hit.n_pieces)
			hit.offset = offset;
		hit.pieces[hit.n_pieces++] = (struct dump_piece){ offset, left };
		va += left;
		n -= left;
	}
	if (n)
		dump_limit(st->s, "a shielded SSH key lies in more pieces than can be kept");
	if (hit.n_pieces)
		dump_report_at(st->s, &dump_finder_find_shield, im, &hit);
}

static void follow(const struct state *st, struct prover *prover, struct dump_image *im, const struct pair *x, uint8_t *pages)
{
	uint8_t *prekey = pages, *text = pages + PREKEY_BYTES, *plain = text + SHIELDED_BYTES_MAX + DUMP_BLOCK_PAD;
	struct dump_hit hit = { .klass = DUMP_STATED, .proof = DUMP_PROOF_STATED, .algorithm = DUMP_UNKNOWN, .key = -1, .form = "ssh-shielded", .layout = "" };
	struct claim c;
	struct proof v;

	if (dump_read_va(im, x->prekey, prekey, PREKEY_BYTES) != PREKEY_BYTES || dump_read_va(im, x->text, text, x->length) != x->length ||
	    !decrypt(prekey, text, x->length, plain) || !is_decrypted(plain, x->length))
		return;
	if (form_ssh_blob(plain, x->length, 4, &c) && claim_prove(prover, &c, NULL, &v) && v.level >= PROOF_POINT) {
		hit.klass = DUMP_PROVED;
		hit.proof = v.level == PROOF_POINT ? DUMP_PROOF_POINT : v.level == PROOF_FULL ? DUMP_PROOF_FULL : v.level == PROOF_EXPONENT ? DUMP_PROOF_EXPONENT : DUMP_PROOF_FACTOR;
		hit.algorithm = claim_algorithm(c.alg);
		hit.bits = v.bits;
		hit.key = claim_keep(st->s, &c, &v);
	}
	report(st, im, hit, x->text, x->length, "shielded key");
	report(st, im, hit, x->prekey, PREKEY_BYTES, "prekey of a shielded key");
}

static void finish(struct dump_scan *s, void *state, struct dump_image *im)
{
	struct state *st = state;
	struct prover *prover = st->n ? prover_new() : NULL;
	uint8_t *pages = prover ? dump_pages_new(PAGES_BYTES) : NULL;

	for (size_t i = 0; pages && i < st->n; i++)
		follow(st, prover, im, &st->pairs[i], pages);
	if (st->n && !pages)
		dump_limit(s, "no memory to look for shielded SSH keys");
	dump_pages_free(pages, PAGES_BYTES);
	prover_free(prover);
}

const struct dump_finder dump_finder_find_shield = {
	.name = "shield",
	.doc = "private keys that OpenSSH's agent and server keep encrypted beside the noise that decrypts them",
	.begin = begin,
	.scan = scan,
	.finish = finish,
	.end = end,
};
