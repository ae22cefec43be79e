/* SPDX-License-Identifier: Apache-2.0 */
/* image_int: the private part of struct dump_image, and what scan.c needs of it. */
#ifndef TXM_DUMP_IMAGE_INT_H
#define TXM_DUMP_IMAGE_INT_H

#include <pthread.h>

#include "dump/dump.h"

/* Ranges with consecutive addresses: order[first .. first + n) */
struct image_run {
	uint32_t first, n;
	uint64_t length;
};

struct image {
	struct dump_image im;
	size_t ranges_capacity, names_capacity;
	uint32_t *by_va;      /* mapped ranges, in order of address */
	size_t n_by_va;
	bool out_of_memory;
	pthread_mutex_t lock; /* reads of a reader that is not parallel; holes and problems found while scanning */
};

/* The order in which an image is scanned.  order and runs are the caller's to free.  False: out of memory. */
bool image_runs(const struct dump_image *im, bool writable_only, uint32_t **ret_order, struct image_run **ret_runs,
		size_t *ret_n_runs);
/* Reads, under the lock if need be; the rest becomes zeros. */
size_t image_read(struct dump_image *im, uint64_t offset, void *p, size_t n);
/* A place that was read twice is one hole. */
void image_merge_holes(struct dump_image *im);
/* Reads, under the lock if need be; what is missing becomes zeros, a hole and a problem. */
void image_read_or_hole(struct dump_image *im, uint64_t offset, void *p, size_t n);

#endif
