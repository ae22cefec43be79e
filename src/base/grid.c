/* SPDX-License-Identifier: Apache-2.0 */
/* grid: see grid.h. */
#include "base/grid.h"

#include "base/limits.h"
#include "base/wrap.h"

#define CELL_COLUMNS 80 /* no cell is wider */

void grid_init(struct grid *g, const struct grid_column *columns, size_t column_count)
{
	const bool fits = column_count && column_count <= GRID_COLUMNS_MAX;

	*g = (struct grid){ .columns = columns, .column_count = fits ? column_count : 1, .failed = !fits };
	for (size_t k = 0; k < GRID_COLUMNS_MAX; k++)
		buf_init(&g->cells[k], MIB);
}

void grid_release(struct grid *g)
{
	for (size_t k = 0; k < GRID_COLUMNS_MAX; k++)
		buf_release(&g->cells[k]);
}

void grid_add(struct grid *g, size_t column, struct buf *b)
{
	if (column >= g->column_count) {
		g->failed = true;
		return;
	}
	g->rows += column == 0;
	g->failed |= buf_failed(b);
	buf_add_terminal(&g->cells[column], buf_str(b), CELL_COLUMNS);
	buf_add_char(&g->cells[column], '\0');
	g->failed |= buf_failed(&g->cells[column]);
	buf_clear(b);
}

static size_t total_width(const struct grid *g, const size_t *width)
{
	size_t total = 0;

	for (size_t k = 0; k < g->column_count; k++)
		total += width[k] ? width[k] + 2 : 0;
	return total - 2;
}

/* the widest text column that can still shrink; column_count = none */
static size_t widest_column(const struct grid *g, const size_t *width)
{
	size_t widest = g->column_count;

	for (size_t k = 0; k < g->column_count; k++)
		if (g->columns[k].narrowest && width[k] > g->columns[k].narrowest && (widest == g->column_count || width[k] > width[widest]))
			widest = k;
	return widest;
}

static void fit(const struct grid *g, size_t available, size_t *width)
{
	size_t wanted[GRID_COLUMNS_MAX] = { 0 }, widest;

	for (size_t k = 0; k < g->column_count; k++) {
		const char *cell = g->cells[k].p;

		width[k] = strlen(g->columns[k].heading);
		for (size_t i = 0; i < g->rows; i++, cell += strlen(cell) + 1) {
			size_t n = text_columns(str_of(cell));
			width[k] = n > width[k] ? n : width[k];
		}
		wanted[k] = width[k];
	}
	for (unsigned turn = 1; available && total_width(g, width) > available && turn <= GRID_COLUMNS_MAX; ) {
		widest = widest_column(g, width);
		if (widest < g->column_count) {
			width[widest]--;
			continue;
		}
		for (size_t k = 0; k < g->column_count; k++)
			if (g->columns[k].leaves == turn)
				width[k] = 0;
		turn++;
	}
	for (size_t k = 0; k < g->column_count; k++)
		while (width[k] && width[k] < wanted[k] && total_width(g, width) < available)
			width[k]++;
}

static void put_spaces(struct buf *b, size_t n)
{
	while (n--)
		buf_add_char(b, ' ');
}

static void put_row(const struct grid *g, struct buf *out, const size_t *width, const char *const *cell)
{
	struct buf b;
	size_t spaces = 0; /* owed; those at the end of a line are never written */

	buf_init(&b, 4 * KIB);
	for (size_t k = 0; k < g->column_count; k++) {
		if (!width[k])
			continue;
		buf_add_terminal(&b, str_of(cell[k]), width[k]);
		size_t used = text_columns(buf_str(&b));
		used = used < width[k] ? used : width[k];
		put_spaces(out, spaces + (g->columns[k].right ? width[k] - used : 0));
		buf_add_str(out, buf_str(&b));
		spaces = 2 + (g->columns[k].right ? 0 : width[k] - used);
		buf_clear(&b);
	}
	buf_add_char(out, '\n');
	buf_release(&b);
}

static void put_left_out(const struct grid *g, struct buf *out, const size_t *width, size_t available)
{
	struct buf b;

	buf_init(&b, 4 * KIB);
	for (size_t k = 0; k < g->column_count; k++)
		if (!width[k])
			buf_printf(&b, "%s%s", b.n ? ", " : "(columns left out for width: ", g->columns[k].heading);
	if (b.n)
		buf_add_cstr(&b, ")\n");
	buf_add_wrapped(out, buf_str(&b), available);
	buf_release(&b);
}

void grid_put(struct grid *g, struct buf *out, size_t available)
{
	const char *cell[GRID_COLUMNS_MAX];
	size_t width[GRID_COLUMNS_MAX];

	if (g->failed) {
		out->failed = true;
		return;
	}
	fit(g, available, width);
	for (size_t k = 0; k < g->column_count; k++)
		cell[k] = g->columns[k].heading;
	put_row(g, out, width, cell);
	for (size_t k = 0; k < g->column_count; k++)
		cell[k] = g->cells[k].p;
	for (size_t i = 0; i < g->rows; i++) {
		put_row(g, out, width, cell);
		for (size_t k = 0; k < g->column_count; k++)
			cell[k] += strlen(cell[k]) + 1;
	}
	put_left_out(g, out, width, available);
}
