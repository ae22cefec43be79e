/* SPDX-License-Identifier: Apache-2.0 */
/* grid: a table for people, as wide as the terminal and no wider.
 *
 * Text columns shrink first, the widest of them first, each to its `narrowest`.  Then columns go, in the order of `leaves`, and
 * the text columns get the width left over.  The column that the rows are sorted by has `leaves` 0: it never goes. */
#ifndef TXM_BASE_GRID_H
#define TXM_BASE_GRID_H

#include "base/buf.h"

enum { GRID_COLUMNS_MAX = 16 };

struct grid_column {
	const char *heading;
	bool right;
	unsigned narrowest; /* a text column may shrink to this; 0 = it keeps its width */
	unsigned leaves;    /* turn in which the column is left out of a table too wide; 0 = never */
};

struct grid {
	const struct grid_column *columns;
	size_t column_count, rows;
	struct buf cells[GRID_COLUMNS_MAX]; /* of a column: its cells, each ends with NUL */
	bool failed;
};

void grid_init(struct grid *g, const struct grid_column *columns, size_t column_count);
void grid_release(struct grid *g);
/* The next cell of a column, of text from the input or of ours; b is empty afterwards.  Rows grow with their first column. */
void grid_add(struct grid *g, size_t column, struct buf *b);
/* Heading and rows, at most `width` columns wide unless the columns that stay are wider (0: as wide as they are); then which
 * columns went. */
void grid_put(struct grid *g, struct buf *out, size_t width);

#endif
