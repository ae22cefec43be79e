/* SPDX-License-Identifier: Apache-2.0 */
/* impact_time: when it happened.  A bar for each day over all mailboxes, and a lane for each of the most read; syncs and times
 * not recorded are drawn into the lanes. */
#include <stdlib.h>

#include "base/limits.h"
#include "report/impact_int.h"
#include "report/page.h"

enum { LANES = 14, COLUMNS = 96 };

struct grid {
	int64_t from_us, step_us;
	unsigned columns, lanes;
	uint64_t *cells; /* lanes + 1 rows of columns; row 0 is the sum */
	uint8_t *synced;
	uint64_t max_sum, max_cell;
};

static bool make_grid(const struct impact_report *r, struct grid *g)
{
	int64_t to;

	if (!r->slot_count)
		return false;
	g->from_us = r->slots[0].hour_us;
	to = r->slots[r->slot_count - 1].hour_us;
	for (size_t i = 0; i < r->unknown_count; i++)
		to = r->unknown[i].reason == UNKNOWN_THROTTLED && r->unknown[i].to_us > to ? r->unknown[i].to_us : to;
	g->step_us = page_step(to - g->from_us, COLUMNS);
	g->from_us -= g->from_us % g->step_us;
	g->columns = (unsigned)((to - g->from_us) / g->step_us) + 1;
	while (g->columns < 6)
		g->columns++;
	g->lanes = r->mailbox_count < LANES ? (unsigned)r->mailbox_count : LANES;
	g->cells = calloc((size_t)(g->lanes + 1) * g->columns, sizeof(*g->cells));
	g->synced = calloc((size_t)(g->lanes + 1) * g->columns, 1);
	if (!g->cells || !g->synced)
		return false;
	for (size_t i = 0; i < r->slot_count; i++) {
		const struct impact_slot *s = &r->slots[i];
		const unsigned c = (unsigned)((s->hour_us - g->from_us) / g->step_us);
		if (c >= g->columns)
			continue;
		g->cells[c] += s->accesses;
		g->synced[c] |= s->syncs > 0;
		if (s->mailbox < g->lanes) {
			g->cells[(size_t)(s->mailbox + 1) * g->columns + c] += s->accesses;
			g->synced[(size_t)(s->mailbox + 1) * g->columns + c] |= s->syncs > 0;
		}
	}
	for (size_t i = 0; i < (size_t)(g->lanes + 1) * g->columns; i++) {
		uint64_t *max = i < g->columns ? &g->max_sum : &g->max_cell;
		*max = g->cells[i] > *max ? g->cells[i] : *max;
	}
	return true;
}

static void put_lanes(struct html *h, const struct impact_report *r, const struct grid *g, double x0, double y0,
		      double w, double pitch)
{
	for (unsigned lane = 0; lane < g->lanes; lane++) {
		const double y = y0 + lane * pitch;
		svg_text(h, "e", x0 - 10, y + pitch / 2 + 3, box_name(r, lane), 30);
		svg_rect(h, "cell0", x0, y, w * g->columns, pitch - 3, 2);
		for (unsigned c = 0; c < g->columns; c++) {
			const size_t at = (size_t)(lane + 1) * g->columns + c;
			if (g->cells[at])
				svg_rect_(h, "k", x0 + c * w + .5, y, w > 3 ? w - 1 : w, pitch - 3, 1.5,
					  .3 + .7 * (double)g->cells[at] / (double)g->max_cell);
			if (g->synced[at])
				svg_rect(h, "a", x0 + c * w + .5, y + pitch - 7, w > 3 ? w - 1 : w, 4, 1);
		}
	}
	for (size_t i = 0; i < r->unknown_count; i++) {
		const struct impact_interval *u = &r->unknown[i];
		double a = (double)(u->from_us - g->from_us) / (double)g->step_us,
		       b = (double)(u->to_us - g->from_us) / (double)g->step_us;
		if (u->reason == UNKNOWN_NO_DATA ||
		    (u->mailbox != NONE && u->mailbox >= g->lanes))
			continue;
		a = a < 0 ? 0 : a;
		b = b > g->columns ? g->columns : b;
		if (b > a)
			svg_rect(h, "blind", x0 + a * w, u->mailbox == NONE ? y0 : y0 + u->mailbox * pitch, (b - a) * w,
				 (u->mailbox == NONE ? g->lanes * pitch : pitch) - 3, 2);
	}
}

void impact_put_timeline(struct html *h, const struct impact_report *r)
{
	const double width = 1040, x0 = 218, high = 96, pitch = 22;
	struct grid g = { 0 };
	struct buf most;

	page_section(h, "When it happened");
	if (!make_grid(r, &g)) {
		html_leaf(h, "p", "", STR("No record of the selection has a place in time."));
		html_close(h);
		goto out;
	}
	const double w = (width - x0 - 8) / g.columns, y1 = 14 + high;
	html_open(h, "p");
	html_say(h, "Messages opened in each ");
	html_text(h, str_of(page_step_name(g.step_us)));
	html_text(h, r->mailbox_count > g.lanes ? STR(": in all mailboxes, and in those concerned most.")
						: STR(": in all mailboxes, then in each."));
	html_close(h);
	html_open(h, "figure");
	html_open_class(h, "div", "scroll");
	svg_begin(h, "draw", width, y1 + 12 + g.lanes * pitch + 40,
		  "Messages opened over time, in all mailboxes and in each");
	buf_init(&most, 64);
	sink_add_count(&most, g.max_sum);
	svg_text(h, "s tiny e", x0 - 10, 22, buf_str(&most), 0);
	svg_text(h, "b e", x0 - 10, y1 - 3, STR("all mailboxes"), 0);
	buf_release(&most);
	svg_line(h, "axis", x0, 16, width - 8, 16);
	for (unsigned c = 0; c < g.columns; c++) {
		const double high_c = g.max_sum ? (high - 4) * (double)g.cells[c] / (double)g.max_sum : 0;
		if (g.cells[c])
			svg_rect(h, "k", x0 + c * w + .5, y1 - (high_c < 1.5 ? 1.5 : high_c), w > 3 ? w - 1 : w,
				 high_c < 1.5 ? 1.5 : high_c, 1);
		if (g.synced[c])
			svg_rect(h, "a", x0 + c * w + .5, y1 + 2, w > 3 ? w - 1 : w, 4, 1);
	}
	svg_line(h, "axis", x0, y1, width - 8, y1);
	put_lanes(h, r, &g, x0, y1 + 12, w, pitch);
	page_axis(h, x0, w, y1 + 10 + g.lanes * pitch, g.columns, g.from_us, g.step_us);
	svg_end(h);
	html_close(h);
	html_open_class(h, "ul", "legend");
	html_open_class(h, "li", "known");
	html_leaf(h, "span", "", STR(""));
	html_say(h, "messages opened; the stronger the more");
	html_close(h);
	html_open_class(h, "li", "assumed");
	html_leaf(h, "span", "", STR(""));
	html_say(h, "a folder synchronised");
	html_close(h);
	html_open_class(h, "li", "unknown");
	html_leaf(h, "span", "pale", STR(""));
	html_say(h, "not recorded: unknown");
	html_close(h);
	html_close(h);
	if (r->mailbox_count > g.lanes) {
		html_open(h, "figcaption");
		html_counted(h, r->mailbox_count - g.lanes, "further mailbox has", "further mailboxes have");
		html_say(h, " no line of its own here; all are in the table below.");
		html_close(h);
	}
	html_close(h);
	html_close(h);
out:
	free(g.cells);
	free(g.synced);
}
