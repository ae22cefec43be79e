/* SPDX-License-Identifier: Apache-2.0 */
/* json: the structural index of a piece of JSON text.  simdjson finds, with vector instructions, where every brace,
 * bracket, colon, comma, string and scalar begins, and checks quoting and UTF-8 on the way; the walk over that index is
 * decode/walk.h.  (Why not simdjson's own On-Demand walk: it visits one document at a time, in one order and once, and a
 * format can only be chosen when all members are known; one index over a block of many records can be looked at twice.
 * bench/floor.cc is that other walk, for comparison: `make bench`.)
 *
 * The text may hold many documents, one after another.  json.cc is the only C++ file and the only one that includes
 * simdjson; no exception crosses this header. */
#ifndef TXM_DECODE_JSON_H
#define TXM_DECODE_JSON_H

#include "base/str.h"

#ifdef __cplusplus
extern "C" {
#endif

struct json_indexer;

enum json_error {
	JSON_OK,
	JSON_EMPTY,      /* only blanks */
	JSON_BAD_UTF8,
	JSON_BAD_STRING, /* an unclosed string, or a control byte (a raw newline, say) inside one */
	JSON_NO_MEMORY,
};

/* Where the structural bytes are.  at[n] = length of the text, so that at[i + 1] is always good. */
struct json_index {
	const char *p;       /* the text; p[len] must be readable (a NUL by contract) */
	const uint32_t *at;
	uint32_t n;
	uint32_t len;
};

struct json_indexer *json_indexer_new(void); /* NULL: out of memory.  Grows with the text given, 4 bytes a byte. */
void json_indexer_free(struct json_indexer *x);
/* Good until the next call with the same indexer; text and index must stay together. n < 4 GiB. */
enum json_error json_index(struct json_indexer *x, const char *p, size_t n, struct json_index *ret);

bool json_is_utf8(const char *p, size_t n); /* any text */

#ifdef __cplusplus
}
#endif
#endif
