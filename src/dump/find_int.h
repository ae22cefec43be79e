/* SPDX-License-Identifier: Apache-2.0 */
/* find_int: what the number finders share. */
#ifndef TXM_DUMP_FIND_INT_H
#define TXM_DUMP_FIND_INT_H

#include "dump/number.h"

/* Is w, 1 < w < N, a factor of the target's N?  Then the key is kept.  Returns its index, and "p" for the larger factor, "q" for the
 * other.  -1: it is none. */
int32_t find_factor(struct dump_scan *s, const struct dump_target *t, const BIGNUM *w, const char **ret_component);
/* "LE/8", "BE" ...: how numbers are laid out, with the size of words where the process has one */
const char *find_layout(struct dump_scan *s, const struct dump_block *b, enum number_layout layout);

#endif
