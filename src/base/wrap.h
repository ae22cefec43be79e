/* SPDX-License-Identifier: Apache-2.0 */
/* wrap: lines for people, folded at the width of their terminal.  A line that fits stays as it is.  A longer one is folded at
 * blanks, and what follows is indented like its text:
 *
 *   label      words words words
 *              words words
 *   - words words
 *     words
 *
 * Escape sequences of colours have no width; a byte of UTF-8 that continues a letter has none either. */
#ifndef TXM_BASE_WRAP_H
#define TXM_BASE_WRAP_H

#include "base/buf.h"

/* Columns that a text takes on a terminal. */
size_t text_columns(struct str s);
/* Adds the lines of `text`, each at most `columns` wide where its words allow it (0: as they are). */
void buf_add_wrapped(struct buf *b, struct str text, size_t columns);

#endif
