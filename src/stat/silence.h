/* SPDX-License-Identifier: Apache-2.0 */
/* silence: when a log was alive, learned from the log itself: the one place that distinguishes a night from a hole.
 *
 * A sign-in log without entries between two and four has a hole, or there were no sign-ins.  Which of the two decides
 * whether a token without a sign-in is a forgery or a gap in the data, so it is compared with what is usual for the log:
 * in how many of the slots of this hour, on such days, is there anything at all?  A silence is as unlikely as all its slots being
 * empty together, and there are as many silences as slots with something in them: it is called a hole if one so unlikely
 * was to be expected less than once in three logs of this length.  All others are taken for night.  So a hole in a quiet
 * hour can be missed; the detector allows for that (detect/orphan_token.c).
 *
 * Only whether there is anything in a slot counts, not how much: copies of a row change nothing, and neither does a burst,
 * be it ten thousand failed sign-ins in an hour. */
#ifndef TXM_IDENTITY_LOG_H
#define TXM_IDENTITY_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct silence_hole {
	uint32_t from, to; /* slots, [from, to): the silence and the slot at either end of it, which may be cut */
	double unlikely;   /* the chance of it is e^-unlikely, or less */
};

enum silence_says {
	LOG_EMPTY,   /* nothing was ever seen */
	LOG_COVERED,
	LOG_QUIET,   /* covered, but there was no sign-in near that time, and none was expected */
	LOG_BEFORE,  /* reaches before the first */
	LOG_AFTER,   /* ... past the last */
	LOG_HOLE,
};

struct silences {
	int64_t slot_us;
	uint32_t *slots; size_t slot_count; /* time / slot_us of those with anything in them, in order, distinct */
	struct silence_hole *holes; size_t hole_count;
	double limit; /* a silence this unlikely is a hole */
};

/* Takes slots (malloc'ed), finds the holes.  0; nonzero: out of memory. */
int silences_make(struct silences *t, int64_t slot_us, uint32_t *slots, size_t n);
void silences_release(struct silences *t);
/* about the whole of [from_us, to_us] */
enum silence_says silences_ask(const struct silences *t, int64_t from_us, int64_t to_us);

#endif
