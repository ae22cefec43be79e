/* SPDX-License-Identifier: Apache-2.0 */
/* redact: which bytes of a dump are to be erased, and whether anything is left.
 *
 *     scan ──hits, keys──▶ traces (dump/trace.h) ──▶ cuts ──▶ applied to the copy ──▶ scanned again, swept again, residue test
 *
 * Cuts keep the file's size and touch no header: a secret that overlaps a structure makes them impossible, and then nothing may
 * be written.  Numbers become zeros; text becomes the letter A, digit by digit, so that the text around it still parses. */
#ifndef TXM_DUMP_REDACT_H
#define TXM_DUMP_REDACT_H

#include "dump/trace.h"

/* -- what follows from the keys of a scan -- */

/* The secrets of all keys that are no published ones, and AES keys out of their schedules.  NULL: out of memory or too many. */
struct dump_traces *dump_traces_of(const struct dump_scan *s, struct dump_image *im);

/* -- cuts -- */

struct dump_cut { uint64_t offset, length; };

#define DUMP_CUT_PATTERN "REDACTED" /* eight bytes */

struct dump_cuts {
	struct dump_cut *zero, *text; /* each sorted and disjoint after dump_cuts_plan() */
	size_t n_zero, n_text, zero_capacity, text_capacity;
	uint64_t bytes;               /* to be erased, each counted once in either list */
	uint64_t traces;              /* places that the sweep found, those of the hits included */
	bool pattern;                 /* apply: numbers are overwritten with DUMP_CUT_PATTERN, by offset, not with zero */
	bool over_structure;          /* a secret overlaps a header of the dump: */
	uint64_t structure_offset;
	bool failed;                  /* out of memory, or more than DUMP_CUTS_MAX */
};

/* Which hits are erased: all but shapes without a proof (those too, with `shapes`) and published keys. */
bool dump_hit_is_erased(const struct dump_scan *s, const struct dump_hit *h, bool shapes);
/* Fills *ret; false: failed.  Reads the image once more. */
bool dump_cuts_plan(struct dump_scan *s, struct dump_image *im, const struct dump_traces *traces, bool shapes, struct dump_cuts *ret);
/* One more piece of zeros, in any order.  False: failed. */
bool dump_cuts_add(struct dump_cuts *c, uint64_t offset, uint64_t length);
/* Sorts and joins the pieces and counts them again, after pieces were added.  False: failed. */
bool dump_cuts_seal(struct dump_cuts *c, const struct dump_image *im);
/* p[0 .. n) are the file's bytes at offset.  How many bytes were erased. */
uint64_t dump_cuts_apply(const struct dump_cuts *c, uint64_t offset, uint8_t *p, size_t n);
/* One piece of text in memory: its digits become 'A', escapes and separators stay. */
void dump_fill_text(uint8_t *p, size_t n);
void dump_cuts_release(struct dump_cuts *c);

/* The sweep alone: each trace with its place in the file; one call at a time, in any order, from any of the threads. */
bool dump_sweep(struct dump_image *im, const struct dump_traces *traces, unsigned threads,
		void (*found)(void *arg, const struct dump_trace *trace, const struct dump_hit *where), void *arg);

/* -- random: what looks like key material, without any knowledge of keys (random.c) -- */

/* Can it be done?  NULL: yes.  Otherwise why not: "its words have 32 bits", "nothing says which memory is writable" ... static. */
const char *dump_random_refused(const struct dump_image *im);
/* Does it erase what looks random in this block? */
bool dump_random_applies(const struct dump_block *b);
/* Adds the runs of random words in writable memory and in saved vector registers, and seals.  False: failed. */
bool dump_random_plan(struct dump_image *im, unsigned threads, struct dump_cuts *c);
/* The same for the notes of an ELF core in p[0 .. n). */
bool dump_random_notes(const uint8_t *p, size_t n, bool big_endian, bool (*found)(void *arg, size_t at, size_t n), void *arg);

/* -- residue: does any number give a factor of N away? -- */

struct dump_modulus { /* borrowed, big-endian */
	const uint8_t *p;
	size_t n;
	const uint8_t *spki;
	const uint8_t *e;        /* NULL: unknown, and exponents are not tested */
	size_t e_n;
	struct dump_bytes prime[2]; /* of a key that was found; empty: unknown.  Then products with their inverses are tested too */
	bool from_dump;          /* neither given nor proven: the others come first */
	size_t index;            /* the test's own */
};
enum dump_residue_mode { DUMP_RESIDUE_WRITABLE, DUMP_RESIDUE_ALL, DUMP_RESIDUE_OFF };
struct dump_residue {
	uint64_t windows;        /* tested, in each layout */
	uint64_t bulk;           /* windows in blocks full of random bytes, where only the common relations of whole words were tested */
	uint64_t bulk_others;    /* the same for keys that only the dump names: said, and no reason to doubt the copy */
	uint64_t found;          /* windows that give a factor away */
	struct dump_hit first;   /* where the first of them is */
	size_t modulus;          /* ... of which N */
	const char *relation;    /* ... and how */
	bool cut;                /* not everything was tested: `bulk`, or a limit of the elliptic test */
	bool failed;             /* out of memory */
};
/* Every window of bytes that may be a number, in each layout, is put to the tests of dump/relation.h: with N and e alone, without a list
 * of patterns.  WRITABLE: writable memory, and what is no memory; ALL: everywhere.  False: failed. */
bool dump_residue_test(struct dump_image *im, const struct dump_modulus *moduli, size_t n, enum dump_residue_mode mode, unsigned threads,
		       struct dump_residue *ret);

/* The same; each window that is found is handed over (from several threads at once).  factor: big-endian, NULL if the window is an exponent
 * of N; modulus: an index into `moduli`. */
struct dump_residue_search {
	void (*found)(void *arg, const struct dump_block *b, size_t at, size_t n, size_t modulus, const uint8_t *factor, size_t factor_n,
		      const char *layout, const char *relation);
	void *arg;
};
bool dump_residue_look(struct dump_image *im, const struct dump_modulus *moduli, size_t n, enum dump_residue_mode mode, unsigned threads,
		       const struct dump_residue_search *search, struct dump_residue *ret);

/* The same for elliptic and Edwards keys: windows W with W G = 2^t Q (or -2^t Q), of full words in four orders and of words that are not full; clamped;
 * as seeds.  Keys of authorities are left out.  *ret_keys: how many were tested. */
bool dump_residue_curves(struct dump_image *im, const struct dump_target *targets, size_t n, enum dump_residue_mode mode, unsigned threads,
			 struct dump_residue *ret, size_t *ret_keys);

#endif
