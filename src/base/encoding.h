/* SPDX-License-Identifier: Apache-2.0 */
/* encoding: what text is written in, found by looking at it.
 *
 * UTF-16 is recognised by its byte order mark or, where that was lost, by the zeros in its first 512 bytes.  Text that is neither that nor
 * UTF-8 is taken for Windows-1252, a line or a record at a time, since files of both are joined.  That is a guess, since other code
 * pages look the same; the caller that makes it reports it. */
#ifndef TXM_BASE_ENCODING_H
#define TXM_BASE_ENCODING_H

#include "base/buf.h"

enum encoding { ENCODING_UTF8, ENCODING_UTF16_LE, ENCODING_UTF16_BE };
#define ENCODING_HEAD_BYTES 512 /* read to recognise it */

/* *ret_skip: bytes of byte order marks (several, or one written again as text), or of what a cut has left of one. */
enum encoding encoding_of(const void *head, size_t n, size_t *ret_skip);

/* One character as UTF-8; returns how many bytes, 1 to 4. */
size_t utf8_put(uint32_t c, uint8_t out[4]);
bool utf8_is_valid(struct str s);

/* Text that is not UTF-8, as Windows-1252.  Bytes that are whole characters of UTF-8 stay as they are if they are more than those that
 * are not (a line with both).  A byte that Windows-1252 does not have becomes U+FFFD: Shift-JIS has them in the name of each inbox.
 * False, and nothing added: the only errors are forms that no honest program writes (overlong forms, surrogates, characters beyond
 * U+10FFFF). */
bool text_recode(struct str s, struct buf *out);

/* A whole file in memory: byte order mark off, UTF-16 and, line by line, Windows-1252 to UTF-8.  *ret_recoded, if not NULL: lines that
 * were taken for Windows-1252.  False: out of memory, or beyond the ceiling of out. */
bool text_to_utf8(struct str s, struct buf *out, uint64_t *ret_recoded);

#endif
