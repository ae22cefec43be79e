/* SPDX-License-Identifier: Apache-2.0 */
/* table: 64-bit key -> fixed-size value.  Open addressing, zeroed values, and a ceiling on the number of entries: we
 * decide how much an attacker can make us remember.  A refused entry is counted, and the count is shown to the user.
 * Addresses of values are good until the next table_put, table_remove or table_keep_if. */
#ifndef TXM_BASE_TABLE_H
#define TXM_BASE_TABLE_H

#include "base/str.h"

struct table {
	uint8_t *slots;      /* each: uint64_t key, value */
	uint8_t *used;
	size_t slot_size, value_size;
	size_t capacity;     /* power of two, or 0 */
	size_t n;
	size_t max;          /* ceiling on n */
	uint64_t refused;    /* entries not taken because of the ceiling or of memory */
};

/* Allocates nothing until the first put.  value_size in bytes (0 = a set). */
void table_init(struct table *t, size_t value_size, size_t max);
void table_release(struct table *t);
/* An empty table gets that capacity at once (0: none): a table that was written down is read into one of its own size.
 * False: not a capacity that this table could have grown to, or out of memory; nothing has changed. */
bool table_reserve(struct table *t, size_t capacity);
void *table_get(const struct table *t, uint64_t key); /* NULL: not there */
/* The entry of that key, made (zeroed) if it is new.  NULL: full; t->refused has counted it.  For a set the address
 * only means "there". */
void *table_put(struct table *t, uint64_t key, bool *ret_new);
bool table_remove(struct table *t, uint64_t key);
/* Walk: for (size_t i = 0; (v = table_next(t, &i, &key)); ).  The order depends on keys and on the order of puts. */
void *table_next(const struct table *t, size_t *pos, uint64_t *ret_key);
/* Drops every entry for which keep() is false.  Cost: one pass. */
void table_keep_if(struct table *t, bool (*keep)(const void *value, uint64_t key, void *arg), void *arg);

#endif
