/* SPDX-License-Identifier: Apache-2.0 */
/* test_random: secrets of every length at every alignment are erased by their looks alone; what a debugger needs is not. */
#include <stdlib.h>

#include "dump/redact.h"

#include "chance.h"
#include "check.h"

#define MEMORY (256 * 1024)
#define VA UINT64_C(0x7f5500000000)
#define HEAD 4096

static uint8_t core[HEAD + MEMORY];
static uint8_t *const memory = core + HEAD;

static void put64(uint8_t *p, uint64_t x)
{
	for (unsigned i = 0; i < 8; i++)
		p[i] = (uint8_t)(x >> 8 * i);
}

/* An ELF core of one writable segment, and one of code. */
static void head(unsigned rights)
{
	static const uint8_t ident[] = { 0x7f, 'E', 'L', 'F', 2, 1, 1 };

	memset(core, 0, HEAD);
	memcpy(core, ident, sizeof(ident));
	core[16] = 4, core[18] = 62, core[20] = 1, core[32] = 64, core[52] = 64, core[54] = 56, core[56] = 1;
	core[64] = 1, core[68] = (uint8_t)rights;
	put64(core + 72, HEAD);
	put64(core + 80, VA);
	put64(core + 96, MEMORY);
	put64(core + 104, MEMORY);
	put64(core + 112, 4096);
}

static bool plan(struct dump_cuts *ret, unsigned threads)
{
	struct dump_reader *r = dump_reader_memory(core, sizeof(core));
	struct dump_image *im = dump_image_open(r, "core");
	bool ok = im && !dump_random_refused(im);

	*ret = (struct dump_cuts){ 0 };
	ok = ok && dump_random_plan(im, threads, ret);
	dump_image_free(im);
	dump_reader_free(r);
	return ok;
}

/* bytes of memory[at .. at + n) that would be erased */
static size_t erased(const struct dump_cuts *c, size_t at, size_t n)
{
	size_t sum = 0;

	for (size_t i = 0; i < c->n_zero; i++) {
		uint64_t from = c->zero[i].offset - HEAD, to = from + c->zero[i].length;

		from = from > at ? from : at;
		to = to < at + n ? to : at + n;
		sum += from < to ? (size_t)(to - from) : 0;
	}
	return sum;
}

static void noise(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(chance() >> 32);
}

/* Among pointers, as in a heap: secrets of 16 to 512 bytes at each alignment. */
static void test_secrets(void)
{
	static const size_t lengths[] = { 24, 32, 48, 57, 66, 128, 256, 512 };
	struct dump_cuts cuts, again;
	size_t missed = 0, secrets = 0, at = 64, places[2000], sizes[2000];

	head(6);
	for (size_t i = 0; i < MEMORY; i += 8)
		put64(memory + i, i % 24 ? VA + chance() % MEMORY : chance() % 1000);
	while (at + 1024 < MEMORY && secrets < 2000) {
		size_t n = lengths[secrets % (sizeof(lengths) / sizeof(lengths[0]))];

		at += secrets % 8;
		noise(memory + at, n);
		places[secrets] = at;
		sizes[secrets++] = n;
		at = (at + n + 63) / 8 * 8;
	}
	CHECK(plan(&cuts, 1));
	for (size_t i = 0; i < secrets; i++) {
		/* whole words of it; a pair that does not look random (once in 1,400) costs a word at an end */
		size_t words = (places[i] + sizes[i]) / 8 - (places[i] + 7) / 8, got = erased(&cuts, places[i], sizes[i]);

		missed += got < words * 8 ? (words * 8 - got) / 8 : 0;
	}
	CHECK_MSG(secrets > 900 && missed * 300 < secrets, "%zu words of %zu secrets are left", missed, secrets);
	/* what is between them: not more than the words that they share with a pointer */
	CHECK_MSG(cuts.n_zero <= secrets + 8, "%zu pieces for %zu secrets", cuts.n_zero, secrets);
	CHECK(plan(&again, 2) && again.n_zero == cuts.n_zero && again.bytes == cuts.bytes &&
	      memcmp(again.zero, cuts.zero, cuts.n_zero * sizeof(*cuts.zero)) == 0);
	dump_cuts_release(&again);
	dump_cuts_release(&cuts);
	head(5); /* code */
	CHECK(plan(&cuts, 1) && cuts.n_zero == 0);
	dump_cuts_release(&cuts);
	head(7);
	CHECK(plan(&cuts, 1) && cuts.n_zero == 0);
	dump_cuts_release(&cuts);
}

static void test_kept(void)
{
	static const char text[] = "The kernel hands a crashing program's core to a handler before any file exists. ";
	static const char russian[] = "\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82, \xd0\xbc\xd0\xb8\xd1\x80! \xd0\xad\xd1\x82\xd0\xbe ";
	static const char chinese[] = "\xe4\xbd\xa0\xe5\xa5\xbd\xef\xbc\x8c\xe4\xb8\x96\xe7\x95\x8c\xe3\x80\x82\xe5\x86\x85\xe6\xa0\xb8\xe8\xbd\xac\xe5\x82\xa8";
	struct dump_cuts cuts;
	const size_t part = MEMORY / 8;

	head(6);
	memset(memory, 0, MEMORY);
	for (size_t i = 0; i < part - 64; i++) { /* with zeros after each: a character that is cut is no text */
		memory[i] = (uint8_t)text[i % (sizeof(text) - 1)];
		memory[part + i] = (uint8_t)russian[i % (sizeof(russian) - 1)];
		memory[2 * part + i] = (uint8_t)chinese[i % (sizeof(chinese) - 1)];
		memory[3 * part + i] = (uint8_t)(i % 2 ? 0 : text[i / 2 % (sizeof(text) - 1)]);
	}
	for (size_t i = 0; i < part; i += 8) {
		const uint64_t x = ((uint64_t)chance() << 32) | chance();

		put64(memory + 4 * part + i, VA + x % (UINT64_C(1) << 40));      /* addresses, of memory that is not in the dump too */
		put64(memory + 5 * part + i, i % 16 ? VA + x % MEMORY : x);       /* a hash or a guard between two addresses */
		put64(memory + 6 * part + i, (uint64_t)-(int64_t)(x % 1000000));  /* small numbers */
		put64(memory + 7 * part + i, 0xe0000000e0000000 | (x & 0x00ffffff00ffffff)); /* compressed addresses */
	}
	CHECK(plan(&cuts, 2));
	for (size_t i = 0; i < 8; i++)
		CHECK_MSG(erased(&cuts, i * part, part) == 0, "%zu bytes of part %zu", erased(&cuts, i * part, part), i);
	dump_cuts_release(&cuts);
}

/* Vector registers in a core's notes; the general ones stay. */
static bool count(void *arg, size_t at, size_t n)
{
	size_t *sum = arg;

	sum[at < 200 ? 0 : 1] += n;
	return true;
}

static void test_notes(void)
{
	uint8_t p[1024] = { 0 };
	size_t sum[2] = { 0, 0 };

	p[0] = 5, p[4] = 128, p[8] = 1; /* PRSTATUS */
	memcpy(p + 12, "CORE", 5);
	noise(p + 20, 128);
	p[200 - 52] = 6, p[200 - 48 + 1] = 2, p[200 - 44] = 2, p[200 - 43] = 2; /* X86_XSTATE, 512 bytes */
	memcpy(p + 200 - 40, "LINUX", 6);
	noise(p + 300, 64);
	CHECK(dump_random_notes(p, sizeof(p), false, count, sum) && sum[0] == 0 && sum[1] >= 56 && sum[1] <= 64);
	/* lengths that lie */
	for (size_t i = 0; i < 4000; i++) {
		noise(p + chance() % 400, 8);
		CHECK(dump_random_notes(p, chance() % sizeof(p), false, count, sum));
	}
}

static void test_refused(void)
{
	struct dump_reader *r = dump_reader_memory(memory, MEMORY);
	struct dump_image *im = dump_image_open(r, "memory");

	noise(memory, MEMORY);
	CHECK(im && dump_random_refused(im));
	dump_image_free(im);
	dump_reader_free(r);
}

int main(void)
{
	test_secrets();
	test_kept();
	test_notes();
	test_refused();
	return check_summary();
}
