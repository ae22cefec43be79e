/* SPDX-License-Identifier: Apache-2.0 */
/* impact: the page for those whose mail was read, and for those who must decide what follows from it.  The three
 * answers first; then when, whose, by what way; then what is behind each figure, so that it can be doubted. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/timefmt.h"
#include "report/page.h"
#include "report/report.h"

enum { LANES = 14, COLUMNS = 96, NODES = 12 };

static struct str box_name(const struct impact_report *r, size_t i)
{
	return page_mailbox(r->mailboxes[i].upn, r->mailboxes[i].guid);
}

static uint64_t blind_mailboxes(const struct impact_report *r)
{
	uint64_t n = 0;

	for (size_t i = 0; i < r->mailbox_count; i++)
		n += r->mailboxes[i].unknown_us > 0;
	return n;
}

static int64_t blind_us(const struct impact_report *r)
{
	int64_t sum = 0;

	for (size_t i = 0; i < r->mailbox_count; i++)
		sum += r->mailboxes[i].unknown_us;
	return sum;
}

/* -- head -- */

static void put_lead(struct html *h, const struct impact_report *r)
{
	const struct impact_totals *t = &r->total;
	uint32_t clients = 0, nets = 0;

	for (size_t i = 0; i < r->route_count; i++) {
		bool new_client = r->routes[i].verdict != CONTEXT_OWN,
		     new_net = new_client && r->routes[i].net != NET_NONE;
		for (size_t k = 0; k < i; k++) {
			new_client &= r->routes[k].client != r->routes[i].client || r->routes[k].verdict == CONTEXT_OWN;
			new_net &= r->routes[k].net != r->routes[i].net || r->routes[k].verdict == CONTEXT_OWN;
		}
		clients += new_client;
		nets += new_net;
	}
	html_open_class(h, "p", "lead");
	if (!t->first_us) {
		html_say(h, "No record of the export belongs to the selection. That is no proof that nothing was "
			"read: "
			    "see what is unknown.");
	} else {
		html_say(h, "Between ");
		html_moment(h, t->first_us);
		html_say(h, " and ");
		html_moment(h, t->last_us);
		html_text(h, r->names_context ? STR(" UTC, somebody other than the owners opened ")
					      : STR(" UTC, the selected records opened "));
		html_counted(h, t->messages, "message", "messages");
		html_say(h, " in ");
		html_counted(h, t->mailboxes, "mailbox", "mailboxes");
		html_say(h, ", through ");
		html_counted(h, clients, "application", "applications");
		html_say(h, " and from ");
		html_counted(h, nets, "network", "networks");
		if (t->whole) {
			html_say(h, ", and copied ");
			html_counted(h, t->whole, "whole mailbox", "whole mailboxes");
			html_say(h, " by synchronisation, of which no list exists");
		}
		html_say(h, ".");
	}
	html_close(h);
}

static void put_scope(struct html *h, const struct impact_report *r)
{
	html_open_class(h, "ul", "scope");
	html_open(h, "li");
	html_leaf(h, "b", "", STR("Selection: "));
	html_text(h, buf_str(&r->selection->said));
	html_close(h);
	for (size_t i = 0; i < r->selection->alert_count && i < 5; i++) {
		const struct select_alert *a = &r->selection->alerts[i];
		html_open(h, "li");
		html_leaf(h, "b", "", STR("Alert: "));
		html_text(h, str_of(a->title));
		html_say(h, " (");
		html_text(h, str_of(a->severity));
		html_say(h, ")");
		html_close(h);
	}
	html_open(h, "li");
	html_leaf(h, "b", "", STR("Time looked at: "));
	html_moment(h, r->total.from_us);
	html_say(h, " to ");
	html_moment(h, r->total.to_us);
	html_say(h, " UTC; the export holds records of mail access from ");
	html_moment(h, r->total.data_first_us);
	html_say(h, " to ");
	html_moment(h, r->total.data_last_us);
	html_close(h);
	html_close(h);
}

static void answer_head(struct html *h, struct str heading)
{
	html_open(h, "h2");
	html_leaf(h, "span", "dot", STR(""));
	html_text(h, heading);
	html_close(h);
}

static void put_confirmed(struct html *h, const struct impact_report *r)
{
	const struct impact_totals *t = &r->total;

	html_open_class(h, "div", "answer known");
	html_open(h, "h2");
	html_leaf(h, "span", "dot full", STR(""));
	html_say(h, "Known");
	html_close(h);
	html_open_class(h, "p", "big");
	html_count(h, t->messages);
	html_close(h);
	html_leaf(h, "p", "of", t->messages == 1 ? STR("message opened") : STR("messages opened"));
	html_open(h, "p");
	html_say(h, "Each is named by a record of the log");
	if (t->accesses > t->messages) {
		html_say(h, "; opened ");
		html_counted(h, t->accesses, "time", "times");
		html_say(h, " in all");
	}
	if (t->messages && t->unsized < t->messages) {
		html_say(h, "; ");
		html_bytes(h, t->bytes);
		html_text(h, t->unsized ? STR(" where the log says a size") : STR(" together"));
	}
	html_say(h, ".");
	html_close(h);
	if (t->unlisted) {
		html_open(h, "p");
		html_counted(h, t->unlisted, "further access is", "further accesses are");
		html_say(h, " counted by the log and not named.");
		html_close(h);
	}
	html_close(h);
}

static void put_assumed(struct html *h, const struct impact_report *r)
{
	const struct impact_totals *t = &r->total;

	html_open_class(h, "div", "answer assumed");
	html_open(h, "h2");
	html_leaf(h, "span", "dot half", STR(""));
	html_say(h, "To be assumed");
	html_close(h);
	html_open_class(h, "p", "big");
	html_count(h, t->whole ? t->whole : t->synced ? t->synced : t->unclear);
	html_close(h);
	html_leaf(h, "p", "of",
		  t->whole     ? (t->whole == 1 ? STR("whole mailbox") : STR("whole mailboxes"))
		  : t->synced  ? (t->synced == 1 ? STR("folder") : STR("folders"))
		  : t->unclear ? (t->unclear == 1 ? STR("message") : STR("messages"))
			       : STR("folders or mailboxes"));
	html_open(h, "p");
	if (t->synced) {
		html_counted(h, t->synced, "folder was", "folders were");
		html_say(h, " synchronised. The log lists no messages for that, so everything in them counts "
			"as read");
		html_text(h, t->whole ? STR(", and where it was the intruder, the whole mailbox.") : STR("."));
	} else {
		html_say(h, "No folder was synchronised in the selection, so no mailbox has to be taken as copied.");
	}
	html_close(h);
	if (t->unclear) {
		html_open(h, "p");
		html_counted(h, t->unclear, "message was", "messages were");
		html_say(h, " opened by an application that the owner uses too, through an address that tells nobody "
			    "apart.");
		html_close(h);
	}
	html_close(h);
}

static void put_unknown(struct html *h, const struct impact_report *r)
{
	const uint64_t n = blind_mailboxes(r);
	const double hours = (double)blind_us(r) / (double)US_PER_HOUR;

	html_open_class(h, "div", "answer unknown");
	answer_head(h, STR("Unknown"));
	html_open_class(h, "p", "big");
	html_count(h, (uint64_t)(hours + 0.5));
	html_close(h);
	html_leaf(h, "p", "of", STR("mailbox-hours without a record"));
	html_open(h, "p");
	if (n) {
		html_say(h, "In ");
		html_counted(h, n, "mailbox", "mailboxes");
		html_say(h,
			 " there were hours in which reading was not recorded. What happened in them, nobody "
				"can say.");
	} else {
		html_say(h, "No hours without a record were found in these mailboxes. Some ways of reading leave "
			"none "
			    "at all: see the limits.");
	}
	html_close(h);
	html_close(h);
}

/* -- timeline -- */

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
		if (u->reason == UNKNOWN_BYPASS || u->reason == UNKNOWN_NO_DATA ||
		    (u->mailbox != NONE && u->mailbox >= g->lanes))
			continue;
		a = a < 0 ? 0 : a;
		b = b > g->columns ? g->columns : b;
		if (b > a)
			svg_rect(h, "blind", x0 + a * w, u->mailbox == NONE ? y0 : y0 + u->mailbox * pitch, (b - a) * w,
				 (u->mailbox == NONE ? g->lanes * pitch : pitch) - 3, 2);
	}
}

static void put_timeline(struct html *h, const struct impact_report *r)
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

/* -- mailboxes -- */

static void put_assumption(struct html *h, const struct impact_mailbox *m)
{
	if (m->whole)
		html_leaf(h, "span", "chip assumed", STR("all of it"));
	else
		html_counted(h, m->synced, "folder", "folders");
}

/* a dash, which a narrow screen leaves out */
static void put_nothing(struct html *h)
{
	html_open_class(h, "td", "n none");
	html_say(h, "–");
	html_close(h);
}

static void put_mailboxes(struct html *h, const struct impact_report *r)
{
	const size_t shown = r->mailbox_count < REPORT_MAILBOXES_MAX ? r->mailbox_count : REPORT_MAILBOXES_MAX;
	uint64_t most = 1;

	page_section(h, "Whose mail");
	if (!shown) {
		html_leaf(h, "p", "", STR("No mailbox belongs to the selection."));
		html_close(h);
		return;
	}
	for (size_t i = 0; i < shown; i++)
		most = r->mailboxes[i].messages > most ? r->mailboxes[i].messages : most;
	html_open_class(h, "div", "scroll");
	html_open_class(h, "table", "cards");
	html_open(h, "caption");
	html_say(h, "Marked mailboxes first, then the most read. A message in two mailboxes counts in both.");
	html_close(h);
	html_open(h, "thead");
	html_open(h, "tr");
	html_head_cell(h, "", "Mailbox");
	html_head_cell(h, "n", "Messages known");
	html_head_cell(h, "n", "Size");
	html_head_cell(h, "n", "To be assumed");
	html_head_cell(h, "n", "Unknown");
	html_head_cell(h, "", "First access");
	html_head_cell(h, "", "Last access");
	html_close(h);
	html_close(h);
	html_open(h, "tbody");
	for (size_t i = 0; i < shown && html_step(h); i++) {
		const struct impact_mailbox *m = &r->mailboxes[i];
		html_open(h, "tr");
		html_open_cell(h, "strong", "Mailbox");
		html_text(h, box_name(r, i));
		html_say(h, " ");
		if (m->tag)
			html_leaf(h, "span", "chip lowly", str_of(m->tag));
		if (m->messages) {
			buf_printf(h->b, "<span class=\"bar\" style=\"width:%.1f%%\"></span>",
				   100.0 * (double)m->messages / (double)most);
		}
		html_close(h);
		html_open_cell(h, "n", "Messages known");
		html_open(h, "span");
		html_count(h, m->messages);
		if (m->unlisted || m->unclear) {
			html_open_class(h, "span", "sub");
			if (m->unlisted) {
				html_say(h, "+ ");
				html_count(h, m->unlisted);
				html_say(h, " not named ");
			}
			if (m->unclear) {
				html_count(h, m->unclear);
				html_say(h, " unclear");
			}
			html_close(h);
		}
		html_close(h);
		html_close(h);
		if (m->messages && m->unsized < m->messages) {
			html_open_cell(h, "n", "Size");
			html_bytes(h, m->bytes);
			html_close(h);
		} else {
			put_nothing(h);
		}
		if (m->whole || m->synced) {
			html_open_cell(h, "n", "To be assumed");
			put_assumption(h, m);
			html_close(h);
		} else {
			put_nothing(h);
		}
		if (m->unknown_us) {
			html_open_cell(h, "n", "Unknown");
			buf_printf(h->b, "<span class=\"chip unknown\">%.0f h</span>",
				   (double)m->unknown_us / (double)US_PER_HOUR);
			html_close(h);
		} else {
			put_nothing(h);
		}
		html_open_cell(h, "", "First access");
		html_moment(h, m->first_us);
		html_close(h);
		html_open_cell(h, "", "Last access");
		html_moment(h, m->last_us);
		html_close(h);
		html_close(h);
	}
	html_close(h);
	html_close(h);
	html_close(h);
	if (shown < r->mailbox_count) {
		html_open_class(h, "p", "note");
		html_counted(h, r->mailbox_count - shown, "further mailbox is", "further mailboxes are");
		html_say(h, " left out of this page. The CSV lists all.");
		html_close(h);
	}
	html_close(h);
}

/* -- the way they came -- */

struct node {
	uint32_t key;
	bool others;
	uint64_t weight;
	double y, height, out, in;
};

struct flow { /* the last node of a full side stands for all others */
	struct node nets[NODES], apps[NODES], boxes[NODES];
	unsigned net_n, app_n, box_n;
	uint64_t left[NODES][NODES], right[NODES][NODES]; /* nets to apps, apps to boxes */
	bool unclear[NODES];				  /* of an application: nothing confirmed came by it */
	uint64_t sum;
};

static unsigned node_of(struct node *v, unsigned *n, uint32_t key)
{
	for (unsigned i = 0; i < *n; i++)
		if (v[i].key == key)
			return i;
	if (*n == NODES) {
		v[NODES - 1].others = true;
		return NODES - 1;
	}
	v[*n] = (struct node) { .key = key };
	return (*n)++;
}

static bool make_flow(const struct impact_report *r, struct flow *f)
{
	for (size_t i = 0; i < r->route_count; i++) /* networks and applications in order of their weight */
		if (r->routes[i].verdict != CONTEXT_OWN && r->routes[i].accesses + r->routes[i].syncs) {
			node_of(f->nets, &f->net_n, r->routes[i].net);
			f->unclear[node_of(f->apps, &f->app_n, r->routes[i].client)] = true;
		}
	for (uint32_t i = 0; i < r->mailbox_count && (f->box_n < NODES || !f->boxes[NODES - 1].others); i++)
		if (r->mailboxes[i].first_us)
			node_of(f->boxes, &f->box_n, i);
	for (size_t i = 0; i < r->context_count; i++) {
		const struct impact_context *c = &r->contexts[i];
		const uint64_t weight = c->accesses + c->syncs;
		if (c->verdict == CONTEXT_OWN || !weight)
			continue;
		const unsigned a = node_of(f->nets, &f->net_n, c->net), b = node_of(f->apps, &f->app_n, c->client),
			       m = node_of(f->boxes, &f->box_n, c->mailbox);
		f->nets[a].weight += weight;
		f->apps[b].weight += weight;
		f->boxes[m].weight += weight;
		f->left[a][b] += weight;
		f->right[b][m] += weight;
		f->unclear[b] &= c->verdict == CONTEXT_UNCLEAR || c->accesses == 0;
		f->sum += weight;
	}
	return f->sum > 0;
}

enum { FLOW_TOP = 26, FLOW_GAP = 27, FLOW_APP_GAP = 48, FLOW_HEIGHT = 190 };

static double gap_of(int side)
{
	return side == 1 ? FLOW_APP_GAP : FLOW_GAP;
}

/* bands have a least width, or a single message would be invisible */
static double band_width(uint64_t weight, uint64_t sum)
{
	const double w = FLOW_HEIGHT * (double)weight / (double)sum;

	return weight == 0 ? 0 : w < 2 ? 2 : w;
}

static double side_height(struct node *v, unsigned n, const struct flow *f, int side)
{
	double sum = 0;

	for (unsigned i = 0; i < n; i++) {
		double in = 0, out = 0;
		for (unsigned k = 0; k < NODES; k++) {
			out += side == 0   ? band_width(f->left[i][k], f->sum)
			       : side == 1 ? band_width(f->right[i][k], f->sum)
					   : 0;
			in += side == 1	  ? band_width(f->left[k][i], f->sum)
			      : side == 2 ? band_width(f->right[k][i], f->sum)
					  : 0;
		}
		v[i].height = in > out ? in : out;
		sum += v[i].height + gap_of(side);
	}
	return sum;
}

/* one below the other, in the middle of the height that the tallest side needs */
static void place_side(struct node *v, unsigned n, double own, double tallest, int side)
{
	double y = FLOW_TOP + (tallest - own) / 2;

	for (unsigned i = 0; i < n; i++) {
		v[i].y = y;
		y += v[i].height + gap_of(side);
	}
}

static void put_bands(struct html *h, struct flow *f, double x_net, double x_app, double x_box)
{
	for (unsigned i = 0; i < f->net_n; i++)
		for (unsigned k = 0; k < f->app_n; k++) {
			const double w = band_width(f->left[i][k], f->sum);
			if (!f->left[i][k])
				continue;
			svg_band_(h, f->unclear[k] ? "band ua" : "band", x_net + 9,
				  f->nets[i].y + f->nets[i].out + w / 2, x_app, f->apps[k].y + f->apps[k].in + w / 2,
				  w);
			f->nets[i].out += w;
			f->apps[k].in += w;
		}
	for (unsigned i = 0; i < f->app_n; i++)
		for (unsigned k = 0; k < f->box_n; k++) {
			const double w = band_width(f->right[i][k], f->sum);
			if (!f->right[i][k])
				continue;
			svg_band_(h, f->unclear[i] ? "band ua" : "band", x_app + 9,
				  f->apps[i].y + f->apps[i].out + w / 2, x_box, f->boxes[k].y + f->boxes[k].in + w / 2,
				  w);
			f->apps[i].out += w;
			f->boxes[k].in += w;
		}
}

static void put_node(struct html *h, double x, const struct node *n, struct str name, int side, struct str sub)
{
	svg_rect(h, "node", x, n->y, 9, n->height, 2);
	const struct str text = n->others ? STR("and others") : name;
	if (side < 0) {
		svg_text(h, "b", x, n->y - 6, text, 34);
	} else if (side == 0) {
		svg_text(h, "b m", x + 4, n->y - 6, text, 44);
	} else {
		svg_text(h, "b", x + 16, n->y + n->height / 2 + 4, text, 32);
	}
	if (sub.n && !str_eq(sub, name))
		svg_text(h, "s tiny m", x + 4, n->y + n->height + 13, sub, 46);
}

/* leaves its section open: the table of the same comes behind it */
static void begin_map(struct html *h, const struct impact_report *r)
{
	const double width = 1040, x_net = 6, x_app = 480, x_box = 800;
	struct flow f = { .sum = 0 };

	page_section(h, "By what way");
	if (!make_flow(r, &f)) {
		html_leaf(h, "p", "", STR("No access of the selection is recorded, so no way can be drawn."));
		return;
	}
	html_leaf(h, "p", "",
		  STR("From the networks, through the applications, into the mailboxes. The wider, the more was "
		      "opened."));
	const double a = side_height(f.nets, f.net_n, &f, 0), b = side_height(f.apps, f.app_n, &f, 1),
		     c = side_height(f.boxes, f.box_n, &f, 2);
	const double tallest = a > b && a > c ? a : b > c ? b : c;
	place_side(f.nets, f.net_n, a, tallest, 0);
	place_side(f.apps, f.app_n, b, tallest, 1);
	place_side(f.boxes, f.box_n, c, tallest, 2);
	html_open(h, "figure");
	html_open_class(h, "div", "scroll");
	svg_begin(h, "draw", width, FLOW_TOP + tallest,
		  "From which networks, through which applications, into which mailboxes");
	put_bands(h, &f, x_net, x_app, x_box);
	for (unsigned i = 0; i < f.net_n; i++)
		put_node(h, x_net, &f.nets[i], page_network(r->world, f.nets[i].key), -1, STR_NONE);
	for (unsigned i = 0; i < f.app_n; i++)
		put_node(h, x_app, &f.apps[i], page_app(r->world, f.apps[i].key), 0,
			 f.apps[i].key == NONE ? STR_NONE : world_client_part(r->world, f.apps[i].key, CLIENT_FAMILY));
	for (unsigned i = 0; i < f.box_n; i++)
		put_node(h, x_box, &f.boxes[i], f.boxes[i].key == NONE ? STR_NONE : box_name(r, f.boxes[i].key), 1,
			 STR_NONE);
	svg_end(h);
	html_close(h);
	html_close(h);
}

static void put_routes(struct html *h, const struct impact_report *r, bool own)
{
	char address[ADDR_TEXT_SIZE];
	size_t shown = 0;

	html_open_class(h, "div", "scroll");
	html_open_class(h, "table", "cards");
	html_open(h, "thead");
	html_open(h, "tr");
	html_head_cell(h, "", "Application");
	html_head_cell(h, "", "Network and addresses");
	html_head_cell(h, "n", "Mailboxes");
	html_head_cell(h, "n", "Accesses");
	html_head_cell(h, "n", "Folders synchronised");
	html_head_cell(h, "", "First");
	html_head_cell(h, "", "Last");
	html_close(h);
	html_close(h);
	html_open(h, "tbody");
	for (size_t i = 0; i < r->route_count && shown < REPORT_ROWS_MAX && html_step(h); i++) {
		const struct impact_route *c = &r->routes[i];
		if ((c->verdict == CONTEXT_OWN) != own)
			continue;
		shown++;
		html_open(h, "tr");
		html_open_cell(h, "strong", "Application");
		html_text(h, page_app(r->world, c->client));
		html_say(h, " ");
		if (c->verdict == CONTEXT_UNCLEAR)
			html_leaf(h, "span", "chip assumed", STR("unclear"));
		html_leaf(h, "span", "sub",
			  c->client == NONE ? STR_NONE : world_client_part(r->world, c->client, CLIENT_FAMILY));
		html_close(h);
		html_open_cell(h, "", "Network");
		html_open(h, "span");
		html_text(h, page_network(r->world, c->net));
		html_open_class(h, "span", "sub");
		for (uint32_t k = 0; k < c->ip_count; k++) {
			if (k)
				html_say(h, ", ");
			html_text(h, str_of(addr_format(&c->ips[k], address)));
		}
		if (c->more_ips)
			html_say(h, ", and others");
		html_close(h);
		html_close(h);
		html_close(h);
		html_open_cell(h, "n", "Mailboxes");
		html_count(h, c->mailboxes);
		html_close(h);
		html_open_cell(h, "n", "Accesses");
		html_count(h, c->accesses);
		html_close(h);
		html_open_cell(h, "n", "Folders synchronised");
		html_count(h, c->syncs);
		html_close(h);
		html_open_cell(h, "", "First");
		html_moment(h, c->first_us);
		html_close(h);
		html_open_cell(h, "", "Last");
		html_moment(h, c->last_us);
		html_close(h);
		html_close(h);
	}
	html_close(h);
	html_close(h);
	html_close(h);
}

/* -- assumed and unknown, row by row -- */

static void put_syncs(struct html *h, const struct impact_report *r)
{
	const size_t shown = r->sync_count < REPORT_ROWS_MAX ? r->sync_count : REPORT_ROWS_MAX;

	if (!r->sync_count)
		return;
	page_section(h, "What must be assumed");
	html_leaf(h, "p", "",
		  STR("A program that synchronises a folder copies what is in it; the log names the folder and no "
		      "message. If the intruder did it, nobody can say where he stopped: the whole mailbox counts as "
		      "read."));
	html_open_class(h, "div", "scroll");
	html_open_class(h, "table", "cards");
	html_open(h, "thead");
	html_open(h, "tr");
	html_head_cell(h, "", "Mailbox");
	html_head_cell(h, "", "Folder");
	html_head_cell(h, "", "Assume");
	html_head_cell(h, "", "By");
	html_head_cell(h, "", "First");
	html_head_cell(h, "n", "Times");
	html_close(h);
	html_close(h);
	html_open(h, "tbody");
	for (size_t i = 0; i < shown && html_step(h); i++) {
		const struct impact_sync *s = &r->syncs[i];
		html_open(h, "tr");
		html_open_cell(h, "strong", "Mailbox");
		html_text(h, box_name(r, s->mailbox));
		html_close(h);
		html_open_cell(h, "", "Folder");
		html_text(h, s->folder.n ? s->folder : STR("not named"));
		html_close(h);
		html_open_cell(h, "", "Assume");
		html_leaf(h, "span", "chip assumed", s->whole ? STR("the mailbox") : STR("the folder"));
		html_close(h);
		html_open_cell(h, "", "By");
		html_open(h, "span");
		html_text(h, page_app(r->world, s->client));
		html_leaf(h, "span", "sub", page_network(r->world, s->net));
		html_close(h);
		html_close(h);
		html_open_cell(h, "", "First");
		html_moment(h, s->first_us);
		html_close(h);
		html_open_cell(h, "n", "Times");
		html_count(h, s->times);
		html_close(h);
		html_close(h);
	}
	html_close(h);
	html_close(h);
	html_close(h);
	if (shown < r->sync_count)
		html_leaf(h, "p", "note", STR("The list goes on in the CSV."));
	html_close(h);
}

static void put_unseen(struct html *h, const struct impact_report *r)
{
	const size_t shown = r->unknown_count < REPORT_ROWS_MAX ? r->unknown_count : REPORT_ROWS_MAX;

	page_section(h, "When nobody could see");
	if (!shown) {
		html_leaf(h, "p", "",
			  STR("No throttled record, no change of the audit settings and no hole in the export lies "
			      "within the time looked at. What the log never records is among the limits below."));
		html_close(h);
		return;
	}
	html_leaf(h, "p", "",
		  STR("What was opened in these times is unknown. Whoever has to judge the harm must assume "
			"everything "
		      "that was there."));
	html_open_class(h, "div", "scroll");
	html_open_class(h, "table", "cards");
	html_open(h, "thead");
	html_open(h, "tr");
	html_head_cell(h, "", "Who");
	html_head_cell(h, "", "From");
	html_head_cell(h, "", "To");
	html_head_cell(h, "n", "Hours");
	html_head_cell(h, "", "Why");
	html_close(h);
	html_close(h);
	html_open(h, "tbody");
	for (size_t i = 0; i < shown && html_step(h); i++) {
		const struct impact_interval *u = &r->unknown[i];
		html_open(h, "tr");
		html_open_cell(h, "strong", "Who");
		html_text(h, u->mailbox != NONE ? box_name(r, u->mailbox) : u->who.n ? u->who : STR("all mailboxes"));
		html_close(h);
		html_open_cell(h, "", "From");
		html_moment(h, u->from_us);
		html_close(h);
		html_open_cell(h, "", "To");
		html_moment(h, u->to_us);
		html_close(h);
		html_open_cell(h, "n", "Hours");
		buf_printf(h->b, "%.0f", (double)(u->to_us - u->from_us) / (double)US_PER_HOUR);
		html_close(h);
		html_open_cell(h, "", "Why");
		html_text(h, str_of(unknown_docs[u->reason]));
		html_close(h);
		html_close(h);
	}
	html_close(h);
	html_close(h);
	html_close(h);
	html_close(h);
}

/* -- messages -- */

static void put_message(struct html *h, const struct impact_message *m)
{
	html_open(h, "tr");
	html_open_cell(h, "", "Message");
	html_open(h, "span");
	if (m->subject.n)
		html_text(h, m->subject);
	else
		html_leaf(h, "span", "mono", m->id);
	if (m->topic.n) {
		html_say(h, " ");
		html_leaf(h, "span", "chip lowly", m->topic);
	}
	if (m->certainty == CERTAINTY_UNCLEAR)
		html_leaf(h, "span", "chip assumed", STR("unclear"));
	if (m->subject.n) {
		html_open_class(h, "span", "sub");
		if (m->sender.n) {
			html_say(h, "from ");
			html_text(h, m->sender);
			html_say(h, " · ");
		}
		html_leaf(h, "span", "mono", m->id);
		html_close(h);
	}
	html_close(h);
	html_close(h);
	html_open_cell(h, "", "Folder");
	html_text(h, m->folder.n ? m->folder : STR("–"));
	html_close(h);
	html_open_cell(h, "n", "Size");
	if (m->bytes == ITEM_BYTES_UNKNOWN)
		html_say(h, "–");
	else
		html_bytes(h, m->bytes);
	html_close(h);
	html_open_cell(h, "n", "Times");
	html_count(h, m->times);
	html_close(h);
	html_open_cell(h, "", "First access");
	html_moment(h, m->first_us);
	html_close(h);
	html_close(h);
}

static void open_fold(struct html *h, const struct impact_report *r, uint32_t at)
{
	const struct impact_mailbox *m = &r->mailboxes[at];

	html_open(h, "details");
	html_open(h, "summary");
	html_text(h, box_name(r, at));
	html_open_class(h, "span", "sub");
	html_counted(h, m->messages + m->unclear, "message", "messages");
	html_close(h);
	html_close(h);
	html_open_class(h, "table", "cards");
	html_open(h, "thead");
	html_open(h, "tr");
	html_head_cell(h, "", "Message");
	html_head_cell(h, "", "Folder");
	html_head_cell(h, "n", "Size");
	html_head_cell(h, "n", "Times");
	html_head_cell(h, "", "First access");
	html_close(h);
	html_close(h);
	html_open(h, "tbody");
}

static void close_fold(struct html *h, uint64_t left_out)
{
	html_close(h);
	html_close(h);
	if (left_out) {
		html_open_class(h, "p", "note");
		html_counted(h, left_out, "further message of this mailbox is", "further messages of this "
			"mailbox are");
		html_say(h, " in the CSV.");
		html_close(h);
	}
	html_close(h);
}

static void put_messages(struct html *h, struct impact *im, const struct impact_report *r)
{
	struct impact_message m;
	uint32_t at = NONE;
	uint64_t shown = 0, here = 0, left_out = 0, skipped = 0;

	if (!r->total.messages && !r->total.unclear)
		return;
	page_section(h, "Annex: message by message");
	html_leaf(h, "p", "",
		  r->total.joined ? STR("In order of first access. Subjects and senders come from the list of "
			"messages "
					"given beside the export.")
				  : STR("In order of first access, by message id. The log holds no subjects: a "
					"message "
					"trace or a content search given with --messages adds them."));
	impact_rewind(im);
	while (html_step(h) && impact_next_message(im, &m)) {
		if (shown >= REPORT_MESSAGES_MAX && m.mailbox != at) {
			skipped++;
			continue;
		}
		if (m.mailbox != at) {
			if (at != NONE)
				close_fold(h, left_out);
			open_fold(h, r, m.mailbox);
			at = m.mailbox;
			here = left_out = 0;
		}
		if (here >= REPORT_MESSAGES_PER_MAILBOX || shown >= REPORT_MESSAGES_MAX) {
			left_out++;
			continue;
		}
		put_message(h, &m);
		here++;
		shown++;
	}
	if (at != NONE)
		close_fold(h, left_out);
	if (skipped) {
		html_open_class(h, "p", "note");
		html_counted(h, skipped, "message of further mailboxes is", "messages of further mailboxes are");
		html_say(h, " in the CSV, which lists all.");
		html_close(h);
	}
	html_close(h);
}

/* -- method -- */

static void put_own(struct html *h, const struct impact_report *r)
{
	page_section(h, "What was left out, and why");
	if (!r->names_context)
		html_leaf(h, "p", "",
			  STR("The selection names neither an application nor a network, session or token. All reads "
			      "in it are listed, the owners' own among them."));
	else if (!r->total.own_contexts && !r->has_history)
		html_leaf(h, "p", "",
			  STR("The export holds less than a week from before the intruder came, so that nobody's "
			      "habits are known. If an owner used the same application from the same network, his "
			      "reads are counted above."));
	else if (!r->total.own_contexts)
		html_leaf(h, "p", "",
			  STR("Nothing. No application and network of the selection was known to these mailboxes "
				"from "
			      "before."));
	else
		html_leaf(h, "p", "",
			  STR("These applications and networks fit the selection, but the mailboxes had them on "
				"three "
			      "days or more, the first of them a week before it began: they are taken for the owners "
			      "themselves. If one of them was the intruder, name it with --app or --network and a "
				"time "
			      "before he came."));
	if (r->total.earlier_contexts) {
		html_open(h, "p");
		html_counted(h, r->total.earlier_contexts, "application and network of the selection was",
			     "pairs of application and network of the selection were");
		html_say(h, " seen in the same mailboxes before it began, from ");
		html_moment(h, r->total.earlier_us);
		html_say(h, " on, and too seldom to be a habit. The intruder may have come earlier than the "
			"selection "
			    "says: ask again with --since.");
		html_close(h);
	}
	if (r->total.own_contexts)
		put_routes(h, r, true);
	html_close(h);
}

static void item(struct html *h, struct str text)
{
	html_leaf(h, "li", "", text);
}

static void put_method(struct html *h, const struct impact_report *r)
{
	page_section(h, "Method and limits");
	html_open_class(h, "ul", "plain");
	item(h,
	     STR("Opened is not read. The log says that a program fetched a message, not that a person looked "
		"at it."));
	item(h, STR("Known: the audit log's records of MailItemsAccessed (Bind) and AttachmentAccess name each "
		    "message. A message is counted once for each mailbox, by its internet message id, else by its "
		    "immutable or store id. The copies that log deliveries contain count once."));
	item(h, STR("To be assumed: a synchronisation (Sync) names a folder. One by the intruder's application, "
		    "session or address means the whole mailbox."));
	item(h, STR("Unknown: a record marked as throttled stops the recording of opened messages for 24 hours; "
		"audit "
		    "settings that were switched off; hours in which the whole export is empty although these "
			"hours of "
		    "other weeks are not."));
	item(h, STR("The owner's own reads are told apart by application and network together. What both used "
		"through "
		    "Microsoft's own addresses is called unclear."));
	item(h, STR("How often a message was opened is a lower bound: Exchange does not record the same access again "
		    "within an hour."));
	item(h,
	     STR("Never recorded: what is read from a local copy after a synchronisation, searches by "
		"administrators, "
		 "accounts under audit bypass, mailboxes whose licence or settings do not record access."));
	if (r->total.cut_records) {
		html_open(h, "li");
		html_counted(h, r->total.cut_records, "record names", "records name");
		html_say(h, " more messages than could be kept; these are counted and not named.");
		html_close(h);
	}
	if (r->refused) {
		html_open(h, "li");
		html_counted(h, r->refused, "entry", "entries");
		html_say(h, " met a full table: this report is incomplete.");
		html_close(h);
	}
	for (size_t i = 0; i < r->lost_count; i++) {
		html_open(h, "li");
		html_say(h, "Lost on reading the export: ");
		html_text(h, str_of(r->lost_text[i]));
		html_say(h, ".");
		html_close(h);
	}
	html_close(h);
	html_close(h);
}

static void put_sources(struct html *h, const struct impact_report *r)
{
	page_section(h, "What this was made from");
	html_leaf(h, "p", "", STR("Who has the same files can make the same report. Each is named with its "
		"SHA-256."));
	html_open_class(h, "table", "cards");
	html_open(h, "thead");
	html_open(h, "tr");
	html_head_cell(h, "", "File");
	html_head_cell(h, "", "Used as");
	html_head_cell(h, "n", "Size");
	html_head_cell(h, "", "SHA-256");
	html_close(h);
	html_close(h);
	html_open(h, "tbody");
	for (size_t i = 0; i < r->input_count && i < REPORT_ROWS_MAX && html_step(h); i++) {
		const struct impact_input *in = &r->inputs[i];
		html_open(h, "tr");
		html_open_cell(h, "strong", "File");
		html_text(h, str_of(in->path));
		html_close(h);
		html_open_cell(h, "", "Used as");
		html_text(h, str_of(in->role));
		html_close(h);
		html_open_cell(h, "n", "Size");
		html_bytes(h, in->bytes);
		html_close(h);
		html_open_cell(h, "mono", "SHA-256");
		html_open(h, "span");
		html_text(h, str_of(in->sha256[0] ? in->sha256 : in->error));
		html_close(h);
		html_close(h);
		html_close(h);
	}
	html_close(h);
	html_close(h);
	html_close(h);
	page_section(h, "Correction log");
	if (!r->correction_count)
		html_leaf(h, "p", "",
			  STR("First edition: nothing has been corrected yet. What later turns out to be wrong "
				"will be "
			      "said here, with its date, and not quietly changed above."));
	html_open_class(h, "ol", "log");
	for (size_t i = 0; i < r->correction_count; i++)
		html_leaf(h, "li", "", str_of(r->corrections[i]));
	html_close(h);
	html_close(h);
}

void report_impact(struct sink_out *o, struct impact *im, const struct impact_report *r)
{
	struct html h;

	html_begin(&h, o, STR("What was read · impact report"));
	page_head(&h, "Impact report");
	html_leaf(&h, "h1", "", STR("What was read"));
	put_lead(&h, r);
	html_close(&h);
	html_open(&h, "main");
	html_open_class(&h, "div", "answers");
	put_confirmed(&h, r);
	put_assumed(&h, r);
	put_unknown(&h, r);
	html_close(&h);
	put_scope(&h, r);
	put_timeline(&h, r);
	put_mailboxes(&h, r);
	begin_map(&h, r);
	if (r->route_count > r->total.own_contexts || r->total.accesses || r->total.whole)
		put_routes(&h, r, false);
	html_close(&h);
	put_syncs(&h, r);
	put_unseen(&h, r);
	put_own(&h, r);
	put_method(&h, r);
	put_sources(&h, r);
	put_messages(&h, im, r);
	html_close(&h);
	page_foot(&h);
	html_end(&h);
}
