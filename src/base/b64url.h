/* SPDX-License-Identifier: Apache-2.0 */
/* b64url: base64 as JOSE requires it: one spelling for one run of bytes.  A token that can be written in two ways passes a
 * revocation list or a replay store twice, so everything that a lenient decoder accepts is an error here: the other
 * alphabet, padding, white space, a length that no bytes have, and low bits of the last character that carry nothing but
 * are not zero. */
#ifndef TXM_BASE_B64URL_H
#define TXM_BASE_B64URL_H

#include "base/buf.h"

enum b64_error {
	B64_OK,
	B64_ALPHABET, /* a character outside the alphabet: padding and white space too */
	B64_LENGTH,   /* 4n + 1 characters; for b64_decode: no multiple of four */
	B64_TRAILING, /* unused bits of the last character are not zero */
	B64_ROOM,     /* does not fit into the room given */
};
const char *b64_error_text(enum b64_error e); /* "has a character outside the base64url alphabet", ... */

/* the most bytes that n characters can encode */
static inline size_t b64_bytes(size_t n) { return n / 4 * 3 + 2; }

/* The first character that is none of base64url; s.n: there is none. */
size_t b64url_first_wrong(struct str s);
/* RFC 7515 base64url, no padding.  *ret_n is written only on success; out may hold a part of the bytes on an error. */
enum b64_error b64url_decode(struct str s, uint8_t *out, size_t room, size_t *ret_n);
/* RFC 4648 base64 with padding, as in the x5c member: nothing but the alphabet and the = it needs. */
enum b64_error b64_decode(struct str s, uint8_t *out, size_t room, size_t *ret_n);
void b64url_add(struct buf *b, const void *p, size_t n); /* appends the text of n bytes */

#endif
