/* SPDX-License-Identifier: Apache-2.0 */
/* sort: recs of any order in, recs in event-time order out, each once.
 *
 * This makes everything after it simple: a detector sees the same sequence whatever the order of the files, the number
 * of threads, the size of the chunks and the number of copies.
 *
 *   lanes    each decoding thread fills its own memory; a full one is sorted and written to a temporary file as a run
 *   merge    runs are merged by (second, class, id, rank, content)
 *   copies   (of one tenant: ids of different tenants are not compared) copies of one id in one second are adjacent now: the one
 *            that kept most of the record is used (rank; among equals the one with the smallest bytes), the others are
 *            counted.  A copy whose time was altered comes later: the ids of the last 1 to 2 million records of event time
 *            are remembered, and the first wins.
 *
 * Memory: SORT_MEMORY_BYTES and 128 KiB for each of about a hundred runs, whatever the size of the input.  Temporary space:
 * about 170 bytes a record beyond that, in $TMPDIR, else /var/tmp, in files without a name. */
#ifndef TXM_EVENT_SORT_H
#define TXM_EVENT_SORT_H

#include "event/rec.h"
#include "event/tenants.h"

struct persist;
struct sorter;
struct sort_lane;

struct sort_counts {
	uint64_t in;         /* records added */
	uint64_t duplicates; /* copies left out */
	uint64_t conflicts;  /* of these, unequal to the copy that was used though the envelope kept as much, or of another time */
	uint64_t spilled_bytes;
};

struct sorter *sorter_new(unsigned lanes, size_t memory_bytes); /* NULL: out of memory */
/* For tests: a lane spills after little more than lane_bytes and one large record, and ids are forgotten as soon. */
void sorter_shrink(struct sorter *s, size_t lane_bytes, size_t ids_per_generation);
void sorter_free(struct sorter *s);
struct sort_lane *sorter_lane(struct sorter *s, unsigned lane); /* one thread uses one lane */
void sort_add(struct sort_lane *l, const struct rec *r);        /* copies; failures stick: sorter_error() */
void sort_lane_done(struct sort_lane *l);                       /* sorts what is left; in the lane's own thread */
/* After all lanes are done.  The next records in order, up to max; pointers are good until the next call.  0: the end. */
size_t sorter_next(struct sorter *s, const struct rec **ret, size_t max);
/* No record of this second or a later one comes out of sorter_next() until the bound is moved; INT64_MAX: no bound. */
void sorter_bound(struct sorter *s, int64_t second);
/* Before the first sorter_next(); without it all records are one tenant's. */
void sorter_tenants(struct sorter *s, const struct tenants *t);
/* Is it among the ids that are remembered?  Before the first sorter_next(); from any thread. */
bool sorter_knows(const struct sorter *s, const struct rec *r);
/* The remembered ids.  Loading, before the first sorter_next(). */
void sorter_persist(struct persist *p, struct sorter *s);
const char *sorter_error(const struct sorter *s); /* "" = none; one sentence */
struct sort_counts sorter_counts(const struct sorter *s);

#endif
