/* SPDX-License-Identifier: Apache-2.0 */
/* timeline: when a log was alive, learned from the log itself.
 *
 * A sign-in log that says nothing between two and four has a hole, or nobody signed in.  Which of the two it was decides
 * whether a token without a sign-in is a forgery or a clerk's slip, so the log is asked what is usual for it: how many
 * sign-ins stand in a slot of this hour on such a day.  The expected number in the pauses between sign-ins is spread as
 * by chance (one in e^x passes x), and there are as many pauses as sign-ins: a silence is called a hole if such a one was
 * to be expected less than once in three logs of this length.  All others are taken for night.  So a hole that has
 * swallowed a dozen sign-ins can pass unseen; what follows from it is for the detector to weigh (detect/orphan_token.c).
 *
 * Counts are of distinct ids and come from a sketch of 64 bits (timeline_count()): copies of a row change nothing. */
#ifndef TXM_IDENTITY_TIMELINE_H
#define TXM_IDENTITY_TIMELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct timeline_slot {
	uint32_t at;    /* time / slot */
	float count;    /* distinct sign-ins, estimated */
};

struct timeline_hole {
	uint32_t from, to; /* slots, [from, to): the silence and the slot at either end of it, which may be cut */
	double expected;
};

enum timeline_says {
	TIMELINE_EMPTY,   /* nothing was ever seen */
	TIMELINE_COVERED,
	TIMELINE_QUIET,   /* covered, but nobody signed in near that time, nor was anybody to be expected */
	TIMELINE_BEFORE,  /* reaches before the first */
	TIMELINE_AFTER,   /* ... past the last */
	TIMELINE_HOLE,
};

struct timeline {
	int64_t slot_us;
	struct timeline_slot *slots; size_t slot_count; /* those with sign-ins, in order */
	struct timeline_hole *holes; size_t hole_count;
	double total;
	double hole_expected; /* a silence in which so many were to be expected is a hole */
};

/* the 64-bit sketch of one id, to be OR-ed; and the number of distinct ids behind a sketch */
uint64_t timeline_sketch(uint64_t id_hash);
double timeline_count(uint64_t sketch);

/* Takes slots (malloc'ed, sorted by `at`, distinct), finds the holes.  0; nonzero: out of memory. */
int timeline_make(struct timeline *t, int64_t slot_us, struct timeline_slot *slots, size_t n);
void timeline_release(struct timeline *t);
/* about the whole of [from_us, to_us] */
enum timeline_says timeline_ask(const struct timeline *t, int64_t from_us, int64_t to_us);

#endif
