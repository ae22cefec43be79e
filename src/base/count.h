/* SPDX-License-Identifier: Apache-2.0 */
/* count: a number and its noun, for sentences: "1 mailbox", "2 mailboxes", "741,432 records".  Every count that people
 * read is written by these functions, so that no sentence says "1 items" and all digits are grouped alike.  Programs get
 * plain digits (sink/json.c). */
#ifndef TXM_BASE_COUNT_H
#define TXM_BASE_COUNT_H

#include <stdint.h>

#define COUNT_SIZE 96 /* a number with its noun; a longer noun is cut */

/* "741,432" */
const char *count_digits(uint64_t n, char out[COUNT_SIZE]);
/* "1 record", "741,432 records".  The noun is given in the singular; its plural is formed as in "mailbox", "entry", "sign-in". */
const char *count_of(uint64_t n, const char *noun, char out[COUNT_SIZE]);
/* The same as arguments of a call: each has room of its own, which lives until the end of the block. */
#define COUNT(n, noun) count_of((n), noun, (char[COUNT_SIZE]){ 0 })
#define DIGITS(n) count_digits((n), (char[COUNT_SIZE]){ 0 })

#endif
