/* SPDX-License-Identifier: Apache-2.0 */
/* arena: secret values are stored here and nowhere else.  Pages that are locked (as far as the system allows), never written to a core, not
 * inherited by children, and cleansed when they are given back.  It has a ceiling (DUMP_ARENA_BYTES_MAX); what does not fit is
 * refused, and the caller reports it.  Safe from several threads. */
#ifndef TXM_DUMP_ARENA_H
#define TXM_DUMP_ARENA_H

#include "base/str.h"

struct dump_arena;

struct dump_arena *dump_arena_new(void);  /* NULL: out of memory */
void dump_arena_free(struct dump_arena *a); /* cleanses; NULL is fine */
/* 16-aligned, zeroed; NULL: full */
void *dump_arena_get(struct dump_arena *a, size_t n);
/* Cleanses everything; all pointers are void. */
void dump_arena_clear(struct dump_arena *a);
bool dump_arena_locked(const struct dump_arena *a); /* false: the system's limit on locked memory was too low */

/* Memory for bytes of a dump (they may hold secrets not found yet): DONTDUMP, cleansed, locked if possible. */
void *dump_pages_new(size_t n);
void dump_pages_free(void *p, size_t n);
/* Cleanses what the functions that this one's caller called before have left on the stack: numbers of each window that was tested. */
void dump_stack_cleanse(void);

/* Makes this process undumpable and its cores empty.  For the commands, before they read the first byte. */
void dump_protect_process(void);

#endif
