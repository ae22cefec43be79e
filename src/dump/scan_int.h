/* SPDX-License-Identifier: Apache-2.0 */
/* scan_int: shared by the files that implement dump_scan_*(). */
#ifndef TXM_DUMP_SCAN_INT_H
#define TXM_DUMP_SCAN_INT_H

#include <pthread.h>

#include "base/limits.h"
#include "dump/arena.h"
#include "dump/image_int.h"

#define FINDERS_MAX 32

struct dump_scan {
	struct dump_options options;
	struct dump_arena *arena;
	pthread_mutex_t lock; /* everything below */

	struct dump_target *targets; /* the caller's, then those found in the dump */
	size_t n_targets, targets_capacity;
	size_t first_target; /* the second pass hunts only those from here on */

	struct dump_target *met; /* gathered during the first pass */
	size_t n_met, met_capacity;

	struct dump_hit *hits;
	size_t n_hits, hits_capacity;
	struct dump_key *keys;
	size_t n_keys, keys_capacity;

	char **texts; /* interned */
	size_t n_texts, texts_capacity;
	struct dump_counts counts;
	struct buf limits;
	bool out_of_memory;

	const struct dump_finder *finders[FINDERS_MAX]; /* awake */
	void *states[FINDERS_MAX];
	size_t n_finders;
	void *kept[FINDERS_MAX]; /* by their place in dump_finders: states from begin() to end() */
	bool awake[FINDERS_MAX];
	_Atomic uint64_t bytes;
};

/* -- block.c: an image cut into blocks, in a fixed order -- */

struct block_plan {
	struct dump_image *im;
	uint32_t *order;
	struct image_run *runs;
	size_t n_runs;
	uint64_t total;
	/* the next block */
	size_t run;
	uint64_t at;           /* inside the run */
	uint32_t piece;        /* the range that contains `at`, counted from the run's first */
	uint64_t piece_at;     /* where that range begins inside the run */
};

/* Where one block is: cheap to take, read afterwards. */
struct block_place {
	size_t run;
	uint64_t at;
	uint32_t piece;
	uint64_t piece_at;
};

#define BLOCK_BUFFER_BYTES (DUMP_BLOCK_BYTES + DUMP_OVERLAP_BYTES + DUMP_BEFORE_BYTES + 2 * DUMP_BLOCK_PAD)

struct block_buffer {
	uint8_t *p;
	struct dump_extent *extents;
	size_t extents_capacity;
	struct dump_block block;
};

bool block_plan_new(struct block_plan *plan, struct dump_image *im, bool writable_only);
void block_plan_release(struct block_plan *plan);
bool block_plan_next(struct block_plan *plan, struct block_place *ret); /* false: no more */
bool block_buffer_new(struct block_buffer *b);
void block_buffer_release(struct block_buffer *b);
bool block_read(const struct block_plan *plan, const struct block_place *place, struct block_buffer *b);

/* -- scan.c -- */
/* Takes n, e (one allocation, at n.p) and subject when from_dump. */
bool scan_add_target(struct dump_scan *s, const struct dump_target *t);

/* -- harvest.c: public keys in the dump become targets -- */
void harvest_block(struct dump_scan *s, const struct dump_block *b);
bool harvest_done(struct dump_scan *s); /* false: out of memory */

/* -- result.c -- */
void results_clear(struct dump_scan *s);
void results_sort(struct dump_scan *s);

/* -- key.c -- */
/* Looks for the target with this SubjectPublicKeyInfo; the lock must be held. */
const struct dump_target *target_of(const struct dump_scan *s, const uint8_t spki[32]);

#endif
