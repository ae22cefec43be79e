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

/* What is done with the blocks.  Several threads take them, each with a state of its own. */
struct block_work {
	bool (*begin)(void *arg, void **ret);                        /* one thread's state; NULL: it is `arg` */
	bool (*block)(void *state, const struct dump_block *b);      /* false: failed */
	void (*end)(void *state);                                    /* also if begin() failed; may be NULL */
	uint64_t total;                                              /* filled in: bytes of all blocks */
};
/* Every block of the image, or of its writable memory and of what is no memory.  False: something failed, and not all was seen. */
bool block_each(struct dump_image *im, bool writable_only, unsigned threads, struct block_work *work, void *arg);

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
