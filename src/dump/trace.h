/* SPDX-License-Identifier: Apache-2.0 */
/* trace: everything in a dump that follows from a key.
 *
 * A key that was proven in one place is in others too, where no finder would recognise it: the CRT members alone, a half that
 * malloc has overwritten, a line of a PEM text in some buffer, R^2 mod p next to p (from which a gcd gives p back).  So all
 * numbers that follow from the key are made, each in each layout, raw and as text, and every run of 16 bytes (20 digits of
 * text) that agrees with one of them is a *trace*.  Public numbers (n, e, the point) are never among them.
 *
 * How it is searched for: every run of 15 bytes has eight in it which begin at a multiple of eight, so one look-up for each eight
 * bytes of the dump is enough, among all runs of eight bytes of all patterns; each match is followed in both directions. */
#ifndef TXM_DUMP_TRACE_H
#define TXM_DUMP_TRACE_H

#include "dump/dump.h"

struct dump_traces;

/* NULL: out of memory */
struct dump_traces *dump_traces_new(bool big_endian);
void dump_traces_free(struct dump_traces *t); /* cleanses; NULL is fine */
/* All numbers of a key.  number: reported with its traces.  False: out of memory, or more than DUMP_TRACE_ENTRIES_MAX. */
bool dump_traces_add_key(struct dump_traces *t, const struct dump_key *k, int32_t number);
/* The same; p or q of the others may be further primes of the same N (three and more of them).  n_others may be 0. */
bool dump_traces_add_key_of(struct dump_traces *t, const struct dump_key *k, const struct dump_key *others, size_t n_others, int32_t number);
/* What the arithmetic modulo its primes keeps for every size of word: powers of R, products with R, quotients.  Some four times as many
 * entries as all else, although only every third place of these numbers is in the table: runs of 31 bytes are found, shorter ones perhaps. */
bool dump_traces_add_rare(struct dump_traces *t, const struct dump_key *k, const struct dump_key *others, size_t n_others, int32_t number);
/* Bytes that are secret as they are (an AES key found by its schedule): as they are, with their words reversed, as text. */
bool dump_traces_add_bytes(struct dump_traces *t, const uint8_t *p, size_t n, const char *component);
/* To be called once, when everything was added.  False: out of memory. */
bool dump_traces_seal(struct dump_traces *t);
size_t dump_traces_longest(const struct dump_traces *t); /* bytes of the longest pattern, separators included */
size_t dump_traces_patterns(const struct dump_traces *t);

struct dump_trace {
	size_t at, n;          /* in the bytes searched */
	bool text;             /* to be filled as text */
	int32_t key;           /* as given; -1 = none */
	const char *component; /* "p", "R^2 mod q" ...; static */
};

/* Reports all traces in p[0 .. n), in rising order of the eight bytes they were found by; they may overlap.  phase: index i
 * is 8-aligned if (i + phase) % 8 == 0.  Thread-safe. */
void dump_traces_find(const struct dump_traces *t, const uint8_t *p, size_t n, unsigned phase,
		      void (*found)(void *arg, const struct dump_trace *trace), void *arg);

#endif
