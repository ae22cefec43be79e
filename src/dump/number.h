/* SPDX-License-Identifier: Apache-2.0 */
/* number: the layouts of a big number in memory, converted to one. */
#ifndef TXM_DUMP_NUMBER_H
#define TXM_DUMP_NUMBER_H

#include "dump/dump.h"

enum number_layout {
	NUMBER_LE,  /* words of any size in a little-endian process: OpenSSL, GMP, mbedTLS, NSS, Go, CAPI blobs */
	NUMBER_BE,  /* DER, BCRYPT blobs, .NET, JWK once decoded */
	NUMBER_J32, /* the most significant 32-bit word first, each little-endian: Java int[] */
	NUMBER_W64, /* the least significant 64-bit word first, each big-endian: OpenSSL in a big-endian process */
	NUMBER_W32, /* the same with 32-bit words */
	NUMBER_LAYOUTS
};

extern const char *const number_layout_names[NUMBER_LAYOUTS];
extern const uint8_t number_layout_word[NUMBER_LAYOUTS]; /* a window is a multiple of this */

/* n bytes in some layout as little-endian bytes; n is a multiple of the layout's word */
void number_to_le(enum number_layout layout, const uint8_t *p, size_t n, uint8_t *ret);
BIGNUM *number_to_bn(enum number_layout layout, const uint8_t *p, size_t n); /* a secure one; NULL: out of memory */

#endif
