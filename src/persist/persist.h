/* SPDX-License-Identifier: Apache-2.0 */
/* persist: what was learnt, to bytes and back.
 *
 * A module has one function for both ways,
 *
 *     void foo_persist(struct persist *p, struct foo *f)
 *     {
 *             persist_u64(p, &f->count);
 *             persist_array(p, (void **)&f->rows, &f->n, sizeof *f->rows, ROWS_MAX, NULL);
 *             persist_table(p, &f->by_key, fix_row);
 *     }
 *
 * so that what is written and what is read cannot differ.  Saving, the values go out; loading, they come in, and `f` is as
 * its own begin() left it: tables have their ceilings, pointers are NULL or own memory.
 *
 * Structs are written as they are in memory.  The file belongs to builds whose memory has this form: tools/make-layout makes one
 * number of all structs, enums and sizes, which is compared first (keep.c), and the size of each element is in the
 * stream.  A file of another form is refused, not guessed at.  A member that is a pointer is made
 * a number and back by `fix`, which is called for a copy of each element when saving, and for the element itself when
 * loading: alerts by their place (alert.h), names by their reference (names.h).
 *
 * Errors stick: after the first nothing is read any more, every value is zero and every array empty, and persist_error()
 * returns what was wrong.  Lengths are compared with ceilings before anything is allocated, and memory grows with the bytes
 * that have come.  What no length shows (is number 7 a mailbox?) is guarded by the checksum of each part of the file
 * (store.h): damage is found there.  A file that was forged on purpose is as dangerous as a forged program. */
#ifndef TXM_PERSIST_PERSIST_H
#define TXM_PERSIST_PERSIST_H

#include "base/table.h"

struct names;
struct alerts;

struct persist {
	bool loading;
	char error[160];     /* "" = none */
	/* where the bytes go to or come from; false: the end, or it failed */
	bool (*move)(void *arg, void *bytes, size_t n);
	void *arg;
	/* what fix functions need; owner is set by the module that calls with one of its own */
	void *owner;
	const struct names *names;
	struct alerts *alerts;
};

typedef void (*persist_fix)(struct persist *p, void *element);

/* Not called for by a module: the stream was damaged.  Keeps the first sentence. */
void persist_fail(struct persist *p, const char *why);
static inline bool persist_failed(const struct persist *p) { return p->error[0] != '\0'; }

void persist_bytes(struct persist *p, void *bytes, size_t n);
static inline void persist_u32(struct persist *p, uint32_t *v) { persist_bytes(p, v, sizeof *v); }
static inline void persist_u64(struct persist *p, uint64_t *v) { persist_bytes(p, v, sizeof *v); }
static inline void persist_i64(struct persist *p, int64_t *v) { persist_bytes(p, v, sizeof *v); }
/* a bool or a number with a ceiling: a value outside is damage */
void persist_bool(struct persist *p, bool *v);
void persist_count(struct persist *p, uint32_t *v, uint32_t max);
/* The size of what follows.  False: it was written for another one, and that is the error. */
bool persist_element(struct persist *p, size_t element);
/* a struct without pointers, or whose pointers the caller sets afterwards */
void persist_struct(struct persist *p, void *s, size_t size);
/* *v, *n elements; loading, allocated by malloc (exactly *n; NULL if none), what was there is freed */
void persist_array(struct persist *p, void **v, uint32_t *n, size_t element, uint32_t max, persist_fix fix);
/* keys and values, in an order that gives the same table again, slot by slot */
void persist_table(struct persist *p, struct table *t, persist_fix fix);
/* a C string of at most max bytes, by malloc; NULL stays NULL */
void persist_text(struct persist *p, char **text, uint32_t max);
/* a word that marks a place: if it is missing, the stream is not ours */
void persist_mark(struct persist *p, const char *name);

#endif
