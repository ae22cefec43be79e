/* SPDX-License-Identifier: Apache-2.0 */
/* period: what is reported, [since, until).  It never decides what is read, learned or in force: a switch turned off before it
 * is off in it.  A span of time is reported if a part of it is in the period, and only that part is counted. */
#ifndef TXM_BASE_PERIOD_H
#define TXM_BASE_PERIOD_H

#include "base/buf.h"
#include "base/timefmt.h"

struct period {
	int64_t since_us, until_us; /* INT64_MIN, INT64_MAX = open */
	char since[TIME_TEXT_SIZE], until[TIME_TEXT_SIZE]; /* as understood; "" = open */
};

#define PERIOD_ALL ((struct period){ .since_us = INT64_MIN, .until_us = INT64_MAX })

static inline bool period_is_open(const struct period *p) { return p->since_us == INT64_MIN && p->until_us == INT64_MAX; }
/* Has [from, to) a part in it? */
static inline bool period_meets(const struct period *p, int64_t from_us, int64_t to_us)
{
	return to_us > p->since_us && from_us < p->until_us;
}
static inline bool period_has(const struct period *p, int64_t time_us)
{
	return time_us >= p->since_us && time_us < p->until_us;
}
/* How long is the part of [from, to) in it? */
static inline int64_t period_part(const struct period *p, int64_t from_us, int64_t to_us)
{
	from_us = from_us < p->since_us ? p->since_us : from_us;
	to_us = to_us > p->until_us ? p->until_us : to_us;
	return to_us > from_us ? to_us - from_us : 0;
}
/* For people; nothing if it is open. */
static inline void period_sentence(const struct period *p, struct buf *b)
{
	if (!period_is_open(p))
		buf_printf(b, "Only what happened from %s to %s is reported; all records were used to learn what is normal.",
			   p->since[0] ? p->since : "the first record", p->until[0] ? p->until : "the last record");
}

#endif
