/* SPDX-License-Identifier: Apache-2.0 */
/* text: the report on a terminal: what is confirmed, assumed and unknown first, then by mailbox, then by client. */
#include <inttypes.h>
#include <stdio.h>

#include "base/count.h"
#include "base/limits.h"
#include "base/timefmt.h"
#include "impact/impact_int.h"
#include "sink/sink.h"

enum { COLUMNS_MAX = 10, NAME_COLUMNS = 40, ROUTES_SHOWN = 20, UNKNOWN_SHOWN = 30, SYNCS_SHOWN = 30 };

/* A table: cells are gathered, then written with columns as wide as their widest cell. */
struct grid {
	struct buf text;
	struct {
		size_t at, n;
		unsigned width;
	} cells[COLUMNS_MAX * 256];
	unsigned count, columns;
	bool right[COLUMNS_MAX];
};

static unsigned width_of(struct str s)
{
	unsigned n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

static void grid_cell(struct grid *g, struct str s)
{
	if (g->count == sizeof(g->cells) / sizeof(g->cells[0]))
		return;
	const size_t at = g->text.n;
	buf_add_terminal(&g->text, s, NAME_COLUMNS);
	g->cells[g->count].at = at;
	g->cells[g->count].n = g->text.n - at;
	g->cells[g->count].width = width_of((struct str) { g->text.p + at, g->text.n - at });
	g->count++;
}

static void grid_count(struct grid *g, uint64_t n)
{
	struct buf b;

	buf_init(&b, 64);
	if (n)
		sink_add_count(&b, n);
	else
		buf_add_char(&b, '-');
	grid_cell(g, buf_str(&b));
	buf_release(&b);
}

static void grid_write(struct grid *g, struct buf *b)
{
	unsigned width[COLUMNS_MAX] = { 0 };

	for (unsigned i = 0; i < g->count; i++)
		if (g->cells[i].width > width[i % g->columns])
			width[i % g->columns] = g->cells[i].width;
	for (unsigned i = 0; i < g->count; i++) {
		const unsigned c = i % g->columns, pad = width[c] - g->cells[i].width;
		if (c)
			buf_add_cstr(b, "  ");
		if (g->right[c])
			buf_printf(b, "%*s", (int)pad, "");
		buf_add(b, g->text.p + g->cells[i].at, g->cells[i].n);
		if (c + 1 == g->columns)
			buf_add_char(b, '\n');
		else if (!g->right[c])
			buf_printf(b, "%*s", (int)pad, "");
	}
	buf_release(&g->text);
}

static const char *bytes_text(uint64_t n, char out[32])
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB" };
	double v = (double)n;
	unsigned u = 0;

	while (v >= 999.5 && u < 4) {
		v /= 1000;
		u++;
	}
	snprintf(out, 32, u && v < 9.95 ? "%.1f %s" : "%.0f %s", v, units[u]);
	return out;
}

static struct str name_of(const struct impact_mailbox *m)
{
	return m->upn.n ? m->upn : m->guid.n ? m->guid : STR("(a mailbox without a name)");
}

static void label(struct sink_out *o, const char *word, const char *color)
{
	if (o->color)
		buf_printf(&o->pending, "\033[1;%sm%-11s\033[0m", color, word);
	else
		buf_printf(&o->pending, "%-11s", word);
}

static void counted(struct buf *b, uint64_t n, const char *one, const char *many)
{
	sink_add_count(b, n);
	buf_printf(b, " %s", n == 1 ? one : many);
}

static void add_unknown(struct sink_out *o, const struct impact_report *r)
{
	const struct impact_totals *t = &r->total;
	struct buf *b = &o->pending;
	char hours[IMPACT_HOURS_SIZE];

	label(o, "UNKNOWN", "35");
	if (!t->unknown_mailboxes) {
		buf_add_cstr(b, "no hours without a record were found; see the limits below\n");
		return;
	}
	buf_printf(b, "%s in which reading was not recorded, in ", impact_hours(t->unknown_tenths, hours));
	counted(b, t->unknown_mailboxes, "mailbox", "mailboxes");
	buf_add_cstr(b, t->unknown_mailboxes == 1 ? ": see below\n" : " together: see below\n");
}

static void add_top(struct sink_out *o, const struct impact_report *r)
{
	const struct impact_totals *t = &r->total;
	struct buf *b = &o->pending;
	char text[32], from[TIME_TEXT_SIZE], to[TIME_TEXT_SIZE];

	if (!r->matched) {
		buf_add_cstr(b, "NOTHING    No record of mail access in these files belongs to the selection. Is it spelled as in the log, and is this "
				"the right export?\n\n");
	}
	buf_add_cstr(b, "Impact of ");
	buf_add_terminal(b, buf_str(&r->selection->said), 0);
	buf_printf(b, ", %s to %s UTC\n\n", time_format_minute(t->from_us, from), time_format_minute(t->to_us, to));
	if (r->dark) {
		buf_add_cstr(b, "The alert is about what was not recorded: it names no access, and the log does not show which mail was read in that time.\n");
		add_unknown(o, r);
		return;
	}
	label(o, "CONFIRMED", "31");
	counted(b, t->messages, "message", "messages");
	buf_add_cstr(b, " in ");
	counted(b, t->mailboxes, "mailbox", "mailboxes");
	buf_add_cstr(b, ", accessed ");
	counted(b, t->accesses, "time", "times");
	if (t->messages && t->unsized < t->messages)
		buf_printf(b, "; %s%s", bytes_text(t->bytes, text), t->unsized ? " where a size is known" : "");
	buf_add_char(b, '\n');
	if (t->unlisted) {
		buf_printf(b, "%-11s", "");
		counted(b, t->unlisted, "further access is", "further accesses are");
		buf_add_cstr(b, " counted by the records and not named\n");
	}
	if (t->unclear) {
		label(o, "UNCLEAR", "33");
		counted(b, t->unclear, "message", "messages");
		buf_add_cstr(b, " by a client that was there before, from an address that the owner shares\n");
	}
	label(o, "ASSUMED", "33");
	counted(b, t->whole, "whole mailbox", "whole mailboxes");
	buf_add_cstr(b, "; ");
	counted(b, t->synced, "folder was", "folders were");
	buf_add_cstr(b, " synchronised, which lists no messages\n");
	add_unknown(o, r);
	buf_printf(b, "%-11s", "Left out");
	counted(b, t->own_accesses, "read", "reads");
	buf_add_cstr(b, " by clients and from networks that these mailboxes knew before\n");
	if (!r->names_context)
		buf_add_cstr(b, "           The selection names no client, network, session or token: the "
			"owner's own "
				"reads are among them.\n");
	else if (t->first_us && !r->has_history)
		buf_add_cstr(b, "           The data hold less than a week from before: the owners' own reads could "
				"not be told apart.\n");
	if (t->earlier_contexts) {
		buf_printf(b, "%-11s", "");
		counted(b, t->earlier_contexts, "of these clients and networks was",
			"of these clients and networks were");
		buf_printf(b, " there before, from %s on: it may have begun earlier (see --since)\n",
			   time_format_minute(t->earlier_us, from));
	}
}

static void add_mailboxes(struct sink_out *o, const struct impact_report *r)
{
	static const char *const heads[] = { "mailbox", "tag",	   "messages",	   "times",	 "size",
					     "assumed", "unknown", "first access", "last access" };
	struct grid g = { .columns = 9, .right = { [2] = true, [3] = true, [4] = true, [6] = true } };
	char text[TIME_TEXT_SIZE];
	const size_t shown = r->mailbox_count < 100 ? r->mailbox_count : 100;

	if (!r->mailbox_count)
		return;
	buf_init(&g.text, MIB);
	for (unsigned i = 0; i < 9; i++)
		grid_cell(&g, str_of(heads[i]));
	for (size_t i = 0; i < shown; i++) {
		const struct impact_mailbox *m = &r->mailboxes[i];
		char size[32] = "-", assumed[48] = "-", unknown[IMPACT_HOURS_SIZE] = "-";
		if (m->messages && m->unsized < m->messages)
			bytes_text(m->bytes, size);
		if (m->synced)
			snprintf(assumed, sizeof(assumed), m->whole ? "all of it" : "%" PRIu32 " folders", m->synced);
		if (m->unknown_us)
			impact_hours(m->unknown_tenths, unknown);
		grid_cell(&g, name_of(m));
		grid_cell(&g, str_of(m->tag ? m->tag : "-"));
		grid_count(&g, m->messages);
		grid_count(&g, m->accesses);
		grid_cell(&g, str_of(size));
		grid_cell(&g, str_of(assumed));
		grid_cell(&g, str_of(unknown));
		grid_cell(&g, str_of(m->first_us ? time_format_minute(m->first_us, text) : "-"));
		grid_cell(&g, str_of(m->last_us ? time_format_minute(m->last_us, text) : "-"));
	}
	buf_add_char(&o->pending, '\n');
	grid_write(&g, &o->pending);
	if (shown < r->mailbox_count)
		buf_printf(&o->pending, "... and %zu more; -f csv, -f ndjson and -f html list all\n",
			   r->mailbox_count - shown);
}

static void add_routes(struct sink_out *o, const struct impact_report *r)
{
	static const char *const heads[] = { "who",	  "application", "client",   "network",
					     "addresses", "mailboxes",	 "accesses", "syncs" };
	struct grid g = { .columns = 8, .right = { [5] = true, [6] = true, [7] = true } };
	const size_t shown = r->route_count < ROUTES_SHOWN ? r->route_count : ROUTES_SHOWN;
	char address[ADDR_TEXT_SIZE];

	if (!r->route_count)
		return;
	buf_init(&g.text, MIB);
	for (unsigned i = 0; i < 8; i++)
		grid_cell(&g, str_of(heads[i]));
	for (size_t i = 0; i < shown; i++) {
		const struct impact_route *c = &r->routes[i];
		const struct str app = c->client == NONE ? STR("-") : world_client_name(r->world, c->client);
		struct buf ips;
		buf_init(&ips, 4 * KIB);
		for (uint32_t k = 0; k < c->ip_count; k++)
			buf_printf(&ips, "%s%s", k ? " " : "", addr_format(&c->ips[k], address));
		if (c->more_ips)
			buf_add_cstr(&ips, " ...");
		grid_cell(&g, str_of(impact_who(r, c->verdict)));
		grid_cell(&g, app.n ? app : world_client_part(r->world, c->client, CLIENT_CALLER));
		grid_cell(&g, c->client == NONE ? STR("-") : world_client_part(r->world, c->client, CLIENT_FAMILY));
		grid_cell(&g, str_of(c->net == NET_NONE || c->net == NONE ? "-" : world_net_label(r->world, c->net)));
		grid_cell(&g, c->ip_count ? buf_str(&ips) : STR("-"));
		grid_count(&g, c->mailboxes);
		grid_count(&g, c->accesses);
		grid_count(&g, c->syncs);
		buf_release(&ips);
	}
	buf_add_char(&o->pending, '\n');
	grid_write(&g, &o->pending);
	if (shown < r->route_count)
		buf_printf(&o->pending, "... and %zu more\n", r->route_count - shown);
}

static void add_unseen(struct sink_out *o, const struct impact_report *r)
{
	struct buf *b = &o->pending;
	char from[TIME_TEXT_SIZE], to[TIME_TEXT_SIZE], hours[IMPACT_HOURS_SIZE];

	if (r->sync_count)
		buf_add_cstr(b, "\nTo be assumed as read:\n");
	for (size_t i = 0; i < r->sync_count && i < SYNCS_SHOWN; i++) {
		const struct impact_sync *s = &r->syncs[i];
		buf_add_cstr(b, "  - ");
		buf_add_terminal(b, name_of(&r->mailboxes[s->mailbox]), 60);
		buf_add_cstr(b, ": folder ");
		buf_add_terminal(b, s->folder.n ? s->folder : STR("(not named)"), 60);
		buf_printf(b, ", %s%s\n", time_format_minute(s->first_us, from),
			   !s->whole ? "" : r->intruder ? ", in the intruder's context: the whole mailbox" : ": the whole mailbox");
	}
	if (r->sync_count > SYNCS_SHOWN)
		buf_printf(b, "  ... and %zu more\n", r->sync_count - SYNCS_SHOWN);
	if (r->unknown_count)
		buf_add_cstr(b, "\nUnknown:\n");
	for (size_t i = 0; i < r->unknown_count && i < UNKNOWN_SHOWN; i++) {
		const struct impact_interval *x = &r->unknown[i];
		buf_printf(b, "  - %s to %s (%s), ", time_format_minute(x->from_us, from), time_format_minute(x->to_us, to),
			   impact_hours(time_tenths(x->to_us - x->from_us), hours));
		buf_add_terminal(b, x->mailbox == NONE ? STR("all mailboxes") : name_of(&r->mailboxes[x->mailbox]), 60);
		buf_printf(b, ": %s%s.\n", unknown_docs[x->reason], x->open ? "; and still at the end of the data" : "");
	}
	if (r->unknown_count > UNKNOWN_SHOWN)
		buf_printf(b, "  ... and %zu more\n", r->unknown_count - UNKNOWN_SHOWN);
}

void impact_text(struct sink_out *o, struct impact *im, const struct impact_report *r)
{
	struct buf *b = &o->pending, text;

	(void)im;
	buf_init(&text, 64 * KIB);
	add_top(o, r);
	add_mailboxes(o, r);
	add_routes(o, r);
	add_unseen(o, r);
	buf_add_cstr(
		b,
		"\nLimits:\n"
		"  - Accessed is not read: the log says that a message was opened by a program, not that somebody "
		"looked at it.\n"
		"  - The same read again within an hour is not logged, so times are lower bounds.\n"
		"  - Reading a local copy after a synchronisation, and search by administrators, leave no record.\n");
	if (r->refused)
		buf_printf(b, "  - %s did not fit a table: the report is incomplete.\n", COUNT(r->refused, "entry"));
	if (r->total.cut_records)
		buf_printf(b,
			   "  - %" PRIu64
			   " records list more messages than were kept; these are counted and not named.\n",
			   r->total.cut_records);
	for (size_t i = 0; i < r->note_count; i++) {
		buf_add_cstr(b, "  - ");
		buf_add_terminal(b, str_of(r->notes[i]), 0);
		buf_add_cstr(b, ".\n");
	}
	for (size_t i = 0; lost_sentence(&r->lost, i, &text); i++) {
		buf_add_cstr(b, "  - ");
		buf_add_terminal(b, buf_str(&text), 0);
		buf_add_char(b, '\n');
		buf_clear(&text);
	}
	buf_release(&text);
	buf_add_cstr(b, "\nMessages by id: -f csv or -f ndjson; a page for others: -f html.\n");
}
