/* SPDX-License-Identifier: Apache-2.0 */
/* buf: an owned, growing run of bytes that always has a ceiling.
 * The first failure (out of memory, ceiling reached) sticks: later appends do nothing and buf_failed() reports it,
 * so a builder appends freely and checks once at the end. */
#ifndef TXM_BASE_BUF_H
#define TXM_BASE_BUF_H

#include <stdarg.h>

#include "base/str.h"

struct buf {
	char *p;          /* always NUL-terminated once anything was appended */
	size_t n;
	size_t capacity;
	size_t max;       /* ceiling in bytes */
	bool failed;
};

void buf_init(struct buf *b, size_t max);
void buf_release(struct buf *b);
void buf_clear(struct buf *b); /* empty and usable again; keeps its memory; forgets the failure */
bool buf_reserve(struct buf *b, size_t more); /* room for `more` bytes; false = failed */
void buf_add(struct buf *b, const void *p, size_t n);
void buf_add_str(struct buf *b, struct str s);
void buf_add_cstr(struct buf *b, const char *s);
void buf_add_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *format, va_list ap) __attribute__((format(printf, 2, 0)));
static inline bool buf_failed(const struct buf *b) { return b->failed; }
static inline struct str buf_str(const struct buf *b) { return (struct str){ b->p, b->n }; }

/* Text made safe for its destination.  These are the only ways in which input text reaches an output. */
void buf_add_json(struct buf *b, struct str s);     /* "quoted", \u escapes, invalid UTF-8 becomes U+FFFD */
void buf_add_csv(struct buf *b, struct str s);      /* "quoted", formula-safe: a cell never starts with = + - @ TAB CR */
void buf_add_html(struct buf *b, struct str s);     /* for an element's text or a quoted attribute; no control bytes, no direction overrides */
void buf_add_terminal(struct buf *b, struct str s, size_t max_columns); /* no control bytes, no escape sequences; 0 = all */

#endif
