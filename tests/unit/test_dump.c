/* SPDX-License-Identifier: Apache-2.0 */
/* test_dump: numbers planted in made memory are found, all of them and nothing else, whatever code searches for them and on
 * however many threads; the arithmetic agrees with OpenSSL's; every cut of a format is reported. */
#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "base/limits.h"
#include "dump/arena.h"
#include "dump/dump.h"
#include "dump/number.h"
#include "dump/redc.h"

#include "chance.h"
#include "check.h"

static void noise(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(chance() >> 40);
}

/* ---- keys ---- */

struct key {
	BIGNUM *n, *e, *d, *p, *q;
	struct dump_target target;
	uint8_t n_bytes[2048], e_bytes[16];
};

static void key_free(struct key *k)
{
	BN_free(k->n);
	BN_free(k->e);
	BN_free(k->d);
	BN_free(k->p);
	BN_free(k->q);
	memset(k, 0, sizeof(*k));
}

static bool is_short(const struct key *k) { return BN_num_bits(k->d) + 8 <= BN_num_bits(k->n); }

/* d of one key in 256 begins with a zero byte; such a key has a test of its own (test_short_exponent) */
static bool key_make(struct key *k, unsigned bits)
{
	EVP_PKEY *key = EVP_RSA_gen(bits);
	bool ok = key && EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &k->n) && EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &k->e) &&
	          EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_D, &k->d) &&
	          EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_FACTOR1, &k->p) &&
	          EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_FACTOR2, &k->q);

	EVP_PKEY_free(key);
	if (!ok)
		return false;
	if (is_short(k)) {
		key_free(k);
		return key_make(k, bits);
	}
	k->target = (struct dump_target){ .algorithm = DUMP_RSA, .bits = bits, .kid = "", .subject = "" };
	k->target.n = (struct dump_bytes){ k->n_bytes, (size_t)BN_bn2bin(k->n, k->n_bytes) };
	k->target.e = (struct dump_bytes){ k->e_bytes, (size_t)BN_bn2bin(k->e, k->e_bytes) };
	return dump_spki_rsa(k->n, k->e, k->target.spki);
}

static void plant(uint8_t *at, enum number_layout layout, const BIGNUM *x, size_t bytes)
{
	uint8_t le[2048], out[2048];

	BN_bn2lebinpad(x, le, (int)bytes);
	number_to_le(layout, le, bytes, out); /* each of these orders is its own inverse */
	memcpy(at, out, bytes);
}

/* ---- the arithmetic against OpenSSL's ---- */

static void test_redc_size(unsigned bits)
{
	static const enum dump_path paths[] = { DUMP_PATH_PORTABLE, DUMP_PATH_AVX2, DUMP_PATH_IFMA };
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *p = BN_new(), *q = BN_new(), *n = BN_new();
	uint8_t bytes[8][REDC_BYTES_MAX + 32];
	unsigned tried = 0;

	for (unsigned round = 0; round < 12; round++) {
		struct redc r;
		const uint8_t *windows[8];
		unsigned want = 0;

		/* both ends of the range, and between: 10110101... and 11111111... */
		for (int which = 0; which < 2; which++) {
			uint8_t x[REDC_BYTES_MAX];
			size_t len = (bits + 7) / 8;
			BIGNUM *to = which ? q : p;

			noise(x, len);
			x[len - 1] |= 1;
			if (round % 3 == 0)
				memset(x, 0xff, len / 2);
			else if (round % 3 == 1)
				memcpy(x, "\xb5\x04\xf3\x33\xf9\xde\x64\x85", 8);
			else
				x[0] |= 0xc0;
			BN_bin2bn(x, (int)len, to);
			BN_rshift(to, to, (int)(8 * len - bits));
			BN_set_bit(to, 0);
		}
		BN_mul(n, p, q, ctx);
		for (unsigned order = 0; order < 2; order++) {
			for (unsigned path = 0; path < 3; path++) {
				struct redc_target *t = calloc(1, sizeof(*t));
				uint8_t passed = 0;

				redc_init(&r, bits, paths[path]);
				redc_target_init(&r, t, n);
				if (r.path != paths[path] && paths[path] != DUMP_PATH_PORTABLE) {
					free(t); /* this machine has no such instructions */
					continue;
				}
				want = 0;
				for (unsigned l = 0; l < 8; l++) {
					uint8_t *w = bytes[l] + 16;

					noise(bytes[l], sizeof(bytes[l]));
					if (l == round % 8 || l == (round + 3) % 8) {
						plant(w, order ? NUMBER_BE : NUMBER_LE, l == round % 8 ? p : q, r.bytes);
						want |= 1u << l;
					} else {
						w[order ? r.bytes - 1 : 0] |= 1;
						w[order ? 0 : r.bytes - 1] |= 1;
					}
					windows[l] = w;
				}
				redc_test(&r, windows, 8, order ? REDC_BE : REDC_LE, t, 1, &passed);
				CHECK_MSG(passed == want, "bits %u round %u order %u path %u: %02x, want %02x", bits, round, order, path, passed,
				          want);
				tried++;
				free(t);
			}
		}
	}
	CHECK_MSG(tried >= 24, "%u", tried);
	BN_free(p);
	BN_free(q);
	BN_free(n);
	BN_CTX_free(ctx);
}

static void test_redc(void)
{
	static const unsigned sizes[] = { 256, 512, 520, 768, 1023, 1024, 1025, 1536, 2048, 2056, 4096 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		test_redc_size(sizes[i]);
}

/* ---- numbers in made memory ---- */

struct planted { uint64_t offset; const char *component, *layout; };

static size_t scan_memory(const uint8_t *p, size_t n, const struct dump_target *targets, size_t n_targets, enum dump_path path,
			  unsigned threads, struct dump_hit *ret, size_t capacity, const char *only)
{
	struct dump_options o = { .targets = targets, .n_targets = n_targets, .threads = threads, .path = path, .only = only };
	struct dump_reader *r = dump_reader_memory(p, n);
	struct dump_image *im = dump_image_open(r, "memory");
	struct dump_scan *s = dump_scan_new(&o);
	const struct dump_hit *hits;
	size_t count = 0;

	CHECK(im && s && dump_scan_image(s, im));
	hits = dump_hits(s, &count);
	for (size_t i = 0; i < count && i < capacity; i++) {
		ret[i] = hits[i];
		ret[i].layout = NULL; /* lives with the scan */
	}
	CHECK(dump_counts(s)->bytes == n);
	CHECK_MSG(im->problems.n == 0, "%s", im->problems.p);
	dump_scan_free(s);
	dump_image_free(im);
	dump_reader_free(r);
	return count;
}

static bool same_hits(const struct dump_hit *a, const struct dump_hit *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (a[i].offset != b[i].offset || a[i].length != b[i].length || a[i].proof != b[i].proof || strcmp(a[i].component, b[i].component) != 0)
			return false;
	return true;
}

/* Another e for the same n, whose d begins with a zero byte: seen one byte off it is 256 d, which is no second exponent. */
static void test_short_exponent(void)
{
	const size_t size = MIB, places[2] = { 4099, 70001 };
	uint8_t *memory = malloc(size);
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *phi = BN_new(), *q1 = BN_new();
	struct key k = { 0 };
	struct dump_hit hits[16];
	bool found = false;
	size_t n;

	CHECK(memory && key_make(&k, 1024) && BN_sub(phi, k.p, BN_value_one()) && BN_sub(q1, k.q, BN_value_one()) && BN_mul(phi, phi, q1, ctx));
	for (BN_ULONG e = 65539; e < 65539 + 40000 && !found; e += 2)
		found = BN_set_word(k.e, e) && BN_mod_inverse(k.d, k.e, phi, ctx) && is_short(&k) && BN_num_bits(k.d) + 16 > BN_num_bits(k.n);
	k.target.e.n = (size_t)BN_bn2bin(k.e, k.e_bytes);
	CHECK(found && dump_spki_rsa(k.n, k.e, k.target.spki));
	noise(memory, size);
	plant(memory + places[0], NUMBER_LE, k.d, 128);
	plant(memory + places[1], NUMBER_BE, k.d, 128);
	n = scan_memory(memory, size, &k.target, 1, DUMP_PATH_BEST, 2, hits, 16, "exponent");
	CHECK_MSG(n == 2, "%zu", n);
	for (size_t i = 0; i < n && i < 2; i++)
		CHECK_MSG(hits[i].offset == places[i] && hits[i].klass == DUMP_PROVED, "%llu %s", (unsigned long long)hits[i].offset, hits[i].component);
	BN_free(phi);
	BN_free(q1);
	BN_CTX_free(ctx);
	key_free(&k);
	free(memory);
}

static void test_numbers(void)
{
	static const enum dump_path paths[] = { DUMP_PATH_PORTABLE, DUMP_PATH_AVX2, DUMP_PATH_IFMA };
	const size_t size = 9 * MIB + 12345;
	uint8_t *memory = calloc(1, size);
	struct key keys[3] = { { 0 } }, stranger = { 0 };
	struct dump_target targets[3];
	struct dump_hit hits[64], first[64];
	size_t n_first = 0, wanted = 0, n;
	struct { size_t at; } places[16];

	CHECK(memory && key_make(&keys[0], 2048) && key_make(&keys[1], 3072) && key_make(&keys[2], 1024) && key_make(&stranger, 2048));
	for (int i = 0; i < 3; i++)
		targets[i] = keys[i].target;
	/* a third noise, a third text, the rest zeros */
	noise(memory + MIB, 3 * MIB);
	for (size_t i = 5 * MIB; i < 8 * MIB; i++)
		memory[i] = (uint8_t)(' ' + chance() % 90);
#define PLANT(where, layout, number, bytes) (plant(memory + (where), layout, number, bytes), places[wanted++].at = (where))
	PLANT(16, NUMBER_LE, keys[0].p, 128);
	PLANT(1001, NUMBER_BE, keys[0].q, 128);
	PLANT(2 * MIB + 8, NUMBER_J32, keys[0].p, 128);
	PLANT(4 * MIB - 61, NUMBER_BE, keys[0].p, 128);      /* over the seam of two blocks */
	PLANT(4 * MIB + 4096, NUMBER_LE, keys[0].d, 256);
	PLANT(5 * MIB + 3, NUMBER_BE, keys[0].d, 256);
	PLANT(6 * MIB + 4, NUMBER_J32, keys[1].d, 384);
	PLANT(7 * MIB + 1, NUMBER_BE, keys[1].q, 192);
	PLANT(8 * MIB - 96, NUMBER_LE, keys[1].p, 192);
	PLANT(8 * MIB + 512, NUMBER_LE, keys[2].p, 64);
	PLANT(8 * MIB + 701, NUMBER_BE, keys[2].q, 64);
	PLANT(size - 128, NUMBER_BE, keys[0].q, 128);        /* the last bytes */
	/* what must not be found: N, a stranger's p, a number with one bit wrong */
	plant(memory + 9 * MIB, NUMBER_BE, keys[0].n, 256);
	plant(memory + 9 * MIB + 512, NUMBER_LE, keys[0].n, 256);
	plant(memory + 9 * MIB + 1024, NUMBER_LE, stranger.p, 128);
	plant(memory + 9 * MIB + 2048, NUMBER_LE, keys[0].p, 128);
	memory[9 * MIB + 2048 + 77] ^= 4;
	for (unsigned path = 0; path < 3; path++) {
		static const unsigned threads[] = { 1, 2, 8 };

		for (unsigned t = 0; t < 3; t++) {
			n = scan_memory(memory, size, targets, 3, paths[path], threads[t], hits, 64, "divisor,exponent");
			CHECK_MSG(n == wanted, "path %u, %u threads: %zu of %zu", path, threads[t], n, wanted);
			for (size_t k = 0; k < n && n != wanted; k++)
				printf("  %llu %s %d\n", (unsigned long long)hits[k].offset, hits[k].component, hits[k].klass);
			for (size_t i = 0; i < wanted; i++) {
				bool found = false;

				for (size_t k = 0; k < n; k++)
					found |= hits[k].offset == places[i].at && hits[k].klass == DUMP_PROVED;
				CHECK_MSG(found, "path %u: nothing at %zu", path, places[i].at);
			}
			if (path == 0 && t == 0) {
				n_first = n;
				memcpy(first, hits, sizeof(first));
			}
			CHECK(n == n_first && same_hits(hits, first, n));
		}
	}
	n = scan_memory(memory, size, &stranger.target, 1, DUMP_PATH_BEST, 2, hits, 64, "divisor,exponent");
	CHECK_MSG(n == 1 && hits[0].offset == 9 * MIB + 1024, "%zu", n);
	for (size_t i = 0; i < size; i++)
		memory[i] = (uint8_t)(chance() >> 33);
	n = scan_memory(memory, size, targets, 3, DUMP_PATH_BEST, 2, hits, 64, "divisor,exponent");
	CHECK_MSG(n == 0, "%zu in noise", n);
	/* d whose lower half is damaged is suspected, nothing more */
	plant(memory + 123 * 8, NUMBER_LE, keys[0].d, 256);
	memory[123 * 8 + 5] ^= 1;
	n = scan_memory(memory, size, targets, 3, DUMP_PATH_BEST, 2, hits, 64, "divisor,exponent");
	CHECK_MSG(n == 1 && hits[0].klass == DUMP_SUSPECTED && hits[0].offset == 123 * 8, "%zu", n);
	for (int i = 0; i < 3; i++)
		key_free(&keys[i]);
	key_free(&stranger);
	free(memory);
}

/* ---- ELF cores, made here: both sizes, both orders, segments in any order of the file ---- */

struct segment { uint64_t va, offset, size; };

static void put(uint8_t *p, uint64_t x, unsigned n, bool big)
{
	for (unsigned i = 0; i < n; i++)
		p[big ? n - 1 - i : i] = (uint8_t)(x >> 8 * i);
}

/* header, program headers, one note, then the segments' bytes at their offsets; many: e_phnum is 0xffff */
static uint8_t *make_core(bool wide, bool big, bool many, const struct segment *segments, unsigned n, size_t size)
{
	const unsigned w = wide ? 8 : 4, head = wide ? 64 : 52, entry = wide ? 56 : 32, shentry = wide ? 64 : 40;
	uint8_t *p = calloc(1, size), *ph;
	uint64_t shoff = many ? size - shentry : 0, note = head + (uint64_t)entry * (n + 1);

	memcpy(p, ELFMAG, 4);
	p[EI_CLASS] = wide ? ELFCLASS64 : ELFCLASS32;
	p[EI_DATA] = big ? ELFDATA2MSB : ELFDATA2LSB;
	p[EI_VERSION] = 1;
	put(p + 16, ET_CORE, 2, big);
	put(p + (wide ? 32 : 28), head, w, big);
	put(p + (wide ? 40 : 32), shoff, w, big);
	put(p + (wide ? 54 : 42), entry, 2, big);
	put(p + (wide ? 56 : 44), many ? 0xffff : n + 1, 2, big);
	put(p + (wide ? 58 : 46), many ? shentry : 0, 2, big);
	put(p + (wide ? 60 : 48), many ? 1 : 0, 2, big);
	if (many)
		put(p + shoff + (wide ? 44 : 28), n + 1, 4, big);
	ph = p + head;
	for (unsigned i = 0; i <= n; i++, ph += entry) {
		const bool is_note = i == 0;
		const uint64_t offset = is_note ? note : segments[i - 1].offset, va = is_note ? 0 : segments[i - 1].va,
		               length = is_note ? 32 : segments[i - 1].size;

		put(ph, is_note ? PT_NOTE : PT_LOAD, 4, big);
		put(ph + (wide ? 4 : 24), PF_R | PF_W, 4, big);
		put(ph + (wide ? 8 : 4), offset, w, big);
		put(ph + (wide ? 16 : 8), va, w, big);
		put(ph + (wide ? 32 : 16), length, w, big);
		put(ph + (wide ? 40 : 20), length, w, big);
	}
	put(p + note, 5, 4, big);
	put(p + note + 4, 12, 4, big);
	put(p + note + 8, 1, 4, big);
	memcpy(p + note + 12, "CORE", 5);
	return p;
}

static size_t count_problems(const uint8_t *p, size_t n)
{
	struct dump_reader *r = dump_reader_memory(p, n);
	struct dump_image *im = dump_image_open(r, "memory");
	size_t ret = im ? im->problems.n : 1;

	dump_image_free(im);
	dump_reader_free(r);
	return ret;
}

/* Every cut of a dump is reported.  silent: cuts that cannot be seen, such as after the last byte that anything refers to. */
static void cut_everywhere(const char *name, const uint8_t *p, size_t n, size_t least)
{
	struct dump_reader *r = dump_reader_memory(p, n);
	struct dump_image *im = dump_image_open(r, name);
	size_t silent = 0, cuts = 0, last = 0;

	CHECK_MSG(im && im->problems.n == 0, "%s: whole, and a problem: %s", name, im ? im->problems.p : "");
	/* at the boundary of each structure */
	for (size_t i = 0; im && i < im->n_ranges; i++) {
		for (int delta = -1; delta <= 1; delta++) {
			uint64_t at = im->ranges[i].offset + (uint64_t)delta;

			if (at < least || at >= n)
				continue;
			cuts++;
			if (!count_problems(p, (size_t)at)) {
				silent++;
				last = (size_t)at;
			}
		}
	}
	for (unsigned i = 0; i < 1000; i++) {
		size_t at = least + (size_t)(chance() % (n - least));

		cuts++;
		if (!count_problems(p, at)) {
			silent++;
			last = at;
		}
	}
	CHECK_MSG(silent == 0 && cuts >= 1000, "%s: %zu of %zu cuts are not told, the last at %zu of %zu", name, silent, cuts, last, n);
	dump_image_free(im);
	dump_reader_free(r);
}

static void test_elf(void)
{
	struct key k = { 0 };
	struct dump_hit hits[8] = { 0 };
	size_t n;

	CHECK(key_make(&k, 2048));
	for (unsigned form = 0; form < 8; form++) {
		const bool wide = form & 1, big = form & 2, many = form & 4;
		/* two segments, adjacent in memory and in the wrong order in the file */
		const struct segment segments[] = { { 0x10000, 0x9000, 0x2000 }, { 0x12000, 0x4000, 0x3000 } };
		uint8_t number[128], *core = make_core(wide, big, many, segments, 2, 0xc000);

		/* p over the seam: its first half ends the first segment, its other half begins the second */
		plant(number, big ? (wide ? NUMBER_W64 : NUMBER_W32) : NUMBER_LE, k.p, 128);
		memcpy(core + 0xb000 - 64, number, 64);
		memcpy(core + 0x4000, number + 64, 64);
		plant(core + 0x5001, NUMBER_BE, k.q, 128);
		n = scan_memory(core, 0xc000, &k.target, 1, DUMP_PATH_BEST, 2, hits, 8, "divisor");
		CHECK_MSG(n == 2 && hits[0].offset == 0x5001 && hits[1].offset == 0xb000 - 64, "form %u: %zu", form, n);
		if (n == 2) {
			CHECK(hits[1].n_pieces == 2 && hits[1].pieces[0].length == 64 && hits[1].pieces[1].offset == 0x4000);
			CHECK(hits[1].has_va && hits[1].va == 0x12000 - 64 && hits[1].length == 128);
			CHECK(hits[0].va == 0x13001);
		}
		cut_everywhere("core", core, many ? 0xc000 : 0xb000, 20);
		free(core);
	}
	key_free(&k);
}

static void test_elf_lies(void)
{
	/* sixty segments that all claim the whole file: each byte is read once, and the overlap is reported */
	struct segment all[60];
	struct dump_options o = { .threads = 1 };
	uint8_t *core;
	struct dump_reader *r;
	struct dump_image *im;
	struct dump_scan *s;

	for (unsigned i = 0; i < 60; i++)
		all[i] = (struct segment){ 0x100000u * i, 0, 0x10000 };
	core = make_core(true, false, false, all, 60, 0x10000);
	r = dump_reader_memory(core, 0x10000);
	im = dump_image_open(r, "lies");
	s = dump_scan_new(&o);
	CHECK(im && s && dump_scan_image(s, im) && im->problems.n);
	CHECK(dump_counts(s)->bytes == 0x10000);
	dump_scan_free(s);
	dump_image_free(im);
	dump_reader_free(r);
	free(core);
	/* offsets and sizes that wrap */
	const struct segment wild[] = { { UINT64_MAX - 10, 0x1000, 0x1000 }, { 0, UINT64_MAX - 5, 100 }, { 5, 0x800, UINT64_MAX } };
	core = make_core(true, false, false, wild, 3, 0x4000);
	CHECK(count_problems(core, 0x4000));
	free(core);
}

/* ---- other formats ---- */

static void test_minidumps(void)
{
	static const char *const samples[] = {
		"breakpad/ascii_read_av", "breakpad/exec_av_on_stack", "breakpad/minidump2", "breakpad/minidump_32bit_crash_addr",
		"breakpad/stack_exhaustion", "breakpad/thread_name_list", "breakpad/tiny-exe-with-cet-xsave",
		"breakpad/write_av_non_canonical", "rust-minidump/invalid-parameter", "rust-minidump/linux-mini",
		"rust-minidump/simple-crashpad",
	};
	const char *root = getenv("TXM_SOURCE_ROOT");
	char path[512];

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]) + 2; i++) {
		const bool bad = i >= sizeof(samples) / sizeof(samples[0]);
		const char *name = bad ? (i & 1 ? "rust-minidump/invalid-range" : "rust-minidump/invalid-record-count") : samples[i];
		uint8_t *p = malloc(2 * MIB);
		size_t n = 0;
		FILE *f;

		snprintf(path, sizeof(path), "%s/tests/data/dumps/%s.dmp", root ? root : ".", name);
		f = fopen(path, "rb");
		if (f) {
			n = fread(p, 1, 2 * MIB, f);
			fclose(f);
		}
		CHECK_MSG(n > 100, "%s cannot be read", path);
		if (n && bad)
			CHECK_MSG(count_problems(p, n), "%s: malformed, and nothing is said", name);
		else if (n)
			cut_everywhere(name, p, n, 8);
		free(p);
	}
}

/* a minidump with a Memory64List of two ranges, out of order in memory; p crosses their seam */
static void test_memory64(void)
{
	const size_t size = 0x200 + 0x3000 + 0x2000;
	uint8_t *p = calloc(1, size), number[128];
	struct dump_hit hits[4];
	struct key k = { 0 };
	size_t n;

	CHECK(key_make(&k, 2048));
	memcpy(p, "MDMP", 4);
	put(p + 4, 0xa793, 4, false);
	put(p + 8, 2, 4, false);
	put(p + 12, 32, 4, false);
	put(p + 32, 7, 4, false);       /* system info: amd64 */
	put(p + 36, 56, 4, false);
	put(p + 40, 0x80, 4, false);
	put(p + 0x80, 9, 2, false);
	put(p + 44, 9, 4, false);       /* memory 64 */
	put(p + 48, 48, 4, false);
	put(p + 52, 0x100, 4, false);
	put(p + 0x100, 2, 8, false);
	put(p + 0x108, 0x200, 8, false);
	put(p + 0x110, 0x7000003000, 8, false);
	put(p + 0x118, 0x3000, 8, false);
	put(p + 0x120, 0x7000001000, 8, false);
	put(p + 0x128, 0x2000, 8, false);
	plant(number, NUMBER_LE, k.p, 128);
	memcpy(p + 0x200 + 0x3000 + 0x2000 - 72, number, 72);
	memcpy(p + 0x200, number + 72, 56);
	n = scan_memory(p, size, &k.target, 1, DUMP_PATH_BEST, 1, hits, 4, "divisor");
	CHECK_MSG(n == 1 && hits[0].n_pieces == 2 && hits[0].va == 0x7000003000 - 72, "%zu", n);
	cut_everywhere("memory64", p, size, 8);
	key_free(&k);
	free(p);
}

static void test_lime(void)
{
	const size_t size = 32 + 0x3000 + 32 + 0x2000;
	uint8_t *p = calloc(1, size);
	struct dump_hit hits[4];
	struct key k = { 0 };
	size_t n, told = 0;

	CHECK(key_make(&k, 2048));
	for (int i = 0; i < 2; i++) {
		uint8_t *h = p + (i ? 32 + 0x3000 : 0);

		memcpy(h, "EMiL", 4);
		put(h + 4, 1, 4, false);
		put(h + 8, i ? 0x100000 : 0x1000, 8, false);
		put(h + 16, i ? 0x101fff : 0x3fff, 8, false);
	}
	plant(p + 32 + 0x3000 + 32 + 0x108, NUMBER_LE, k.q, 128);
	n = scan_memory(p, size, &k.target, 1, DUMP_PATH_BEST, 1, hits, 4, "divisor");
	CHECK_MSG(n == 1 && hits[0].va == 0x100108, "%zu", n);
	/* cut anywhere but between the two segments, which cannot be seen */
	for (size_t at = 9; at < size; at++)
		told += at == 32 + 0x3000 ? count_problems(p, at) == 0 : count_problems(p, at) != 0;
	CHECK_MSG(told == size - 9, "%zu of %zu", told, size - 9);
	key_free(&k);
	free(p);
}

static void test_kernel(void)
{
	const size_t size = 0x2000 + 5 * 4096;
	uint8_t *p = calloc(1, size);
	struct dump_hit hits[4];
	struct key k = { 0 };
	size_t n;

	CHECK(key_make(&k, 2048));
	memcpy(p, "PAGEDU64", 8);
	put(p + 0xf98, 1, 4, false);
	put(p + 0x88, 2, 4, false);
	put(p + 0x98, 0x10, 8, false);  /* pages 16, 17, 18 */
	put(p + 0xa0, 3, 8, false);
	put(p + 0xa8, 0x100, 8, false); /* pages 256, 257 */
	put(p + 0xb0, 2, 8, false);
	plant(p + 0x2000 + 3 * 4096 - 64, NUMBER_BE, k.p, 64);
	plant(p + 0x2000 + 3 * 4096 + 4096 + 16, NUMBER_LE, k.q, 128);
	n = scan_memory(p, size, &k.target, 1, DUMP_PATH_BEST, 1, hits, 4, "divisor");
	CHECK_MSG(n == 1 && hits[0].va == 0x101010, "%zu", n);
	cut_everywhere("kernel", p, size, 8);
	/* the same pages by bitmap */
	memset(p, 0, 0x2000);
	memcpy(p, "PAGEDU64", 8);
	put(p + 0xf98, 5, 4, false);
	put(p + 0xfa0, size, 8, false);
	memcpy(p + 0x2000, "SDMPDUMP", 8);
	put(p + 0x2020, 0x3000, 8, false);
	put(p + 0x2028, 4, 8, false);
	put(p + 0x2030, 512, 8, false);
	p[0x2038 + 2] = 7;
	p[0x2038 + 32] = 1;
	n = scan_memory(p, size, &k.target, 1, DUMP_PATH_BEST, 1, hits, 4, "divisor");
	CHECK_MSG(n == 1 && hits[0].va == 0x100010, "%zu", n);
	cut_everywhere("kernel, bitmap", p, size, 8);
	key_free(&k);
	free(p);
}

/* ---- beyond 4 GiB ---- */

static void test_offsets(void)
{
	char name[] = "/tmp/txm-test-dump-XXXXXX";
	int fd = mkstemp(name);
	uint8_t number[128];
	struct key k = { 0 };
	struct dump_reader *r;
	struct dump_image *im;
	uint8_t back[128];

	CHECK(fd >= 0 && key_make(&k, 2048));
	unlink(name);
	plant(number, NUMBER_BE, k.p, 128);
	if (ftruncate(fd, INT64_C(0x140000000)) != 0 || pwrite(fd, number, 128, INT64_C(0x13ffffff1)) != 128 - 113) {
		/* written past the end on purpose: the last bytes extend the file */
	}
	r = dump_reader_fd(fd, true);
	im = r ? dump_image_open(r, "large") : NULL;
	CHECK(im && im->size > UINT64_C(0x140000000) && im->ranges[im->n_ranges - 1].length == im->size);
	CHECK(im && dump_read_exact(im, UINT64_C(0x13ffffff1), back, 128) && memcmp(back, number, 128) == 0);
	CHECK(im && !dump_read_exact(im, im->size - 1, back, 2));
	dump_image_free(im);
	dump_reader_free(r);
	key_free(&k);
}

/* ---- the arena ---- */

static void test_arena(void)
{
	struct dump_arena *a = dump_arena_new();
	uint8_t *p = dump_arena_get(a, 100), *q = dump_arena_get(a, 200 * KIB), *z = dump_arena_get(a, 1);

	CHECK(p && q && z && p != z && ((uintptr_t)p & 15) == 0);
	CHECK(q && q[0] == 0 && q[200 * KIB - 1] == 0);
	CHECK(!dump_arena_get(a, DUMP_ARENA_BYTES_MAX));
	dump_arena_clear(a);
	CHECK(dump_arena_get(a, 10));
	dump_arena_free(a);
}

int main(void)
{
	test_redc();
	test_arena();
	test_short_exponent();
	test_numbers();
	test_elf();
	test_elf_lies();
	test_minidumps();
	test_memory64();
	test_lime();
	test_kernel();
	test_offsets();
	return check_summary();
}
