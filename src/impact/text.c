/* SPDX-License-Identifier: Apache-2.0 */
/* text: the report on a terminal: what is confirmed, assumed and unknown first, then by mailbox, then by client. */
#include <inttypes.h>
#include <stdio.h>

#include "base/count.h"
#include "base/grid.h"
#include "base/limits.h"
#include "base/timefmt.h"
#include "impact/impact_int.h"
#include "sink/sink.h"

enum { NAME_COLUMNS = 40, ROUTES_SHOWN = 20, UNKNOWN_SHOWN = 30, SYNCS_SHOWN = 30 };

static void cell(struct grid *g, size_t column, struct buf *b, struct str s)
{
	buf_add_terminal(b, s, NAME_COLUMNS);
	grid_add(g, column, b);
}

static void cell_count(struct grid *g, size_t column, struct buf *b, uint64_t n)
{
	if (n)
		sink_add_count(b, n);
	else
		buf_add_char(b, '-');
	grid_add(g, column, b);
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
				"not be recognised.\n");
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
	static const struct grid_column columns[] = { /* sorted by tag, all of it assumed, messages */
		{ "mailbox", false, 16, 0 }, { "tag", false, 3, 0 }, { "messages", true, 0, 0 }, { "times", true, 0, 4 }, { "size", true, 0, 2 },
		{ "assumed", false, 0, 0 }, { "unknown", true, 0, 5 }, { "first access", false, 0, 3 }, { "last access", false, 0, 1 },
	};
	struct grid g;
	struct buf b;
	char text[TIME_TEXT_SIZE];
	const size_t shown = r->mailbox_count < 100 ? r->mailbox_count : 100;

	if (!r->mailbox_count)
		return;
	grid_init(&g, columns, sizeof(columns) / sizeof(columns[0]));
	buf_init(&b, 4 * KIB);
	for (size_t i = 0; i < shown; i++) {
		const struct impact_mailbox *m = &r->mailboxes[i];
		char size[32] = "-", assumed[48] = "-", unknown[IMPACT_HOURS_SIZE] = "-";
		if (m->messages && m->unsized < m->messages)
			bytes_text(m->bytes, size);
		if (m->synced)
			snprintf(assumed, sizeof(assumed), m->whole ? "all of it" : "%" PRIu32 " folders", m->synced);
		if (m->unknown_us)
			impact_hours(m->unknown_tenths, unknown);
		cell(&g, 0, &b, name_of(m));
		cell(&g, 1, &b, str_of(m->tag ? m->tag : "-"));
		cell_count(&g, 2, &b, m->messages);
		cell_count(&g, 3, &b, m->accesses);
		cell(&g, 4, &b, str_of(size));
		cell(&g, 5, &b, str_of(assumed));
		cell(&g, 6, &b, str_of(unknown));
		cell(&g, 7, &b, str_of(m->first_us ? time_format_minute(m->first_us, text) : "-"));
		cell(&g, 8, &b, str_of(m->last_us ? time_format_minute(m->last_us, text) : "-"));
	}
	buf_add_char(&o->pending, '\n');
	grid_put(&g, &o->pending, o->width);
	grid_release(&g);
	buf_release(&b);
	if (shown < r->mailbox_count)
		buf_printf(&o->pending, "... and %zu more; -f csv, -f ndjson and -f html list all\n",
			   r->mailbox_count - shown);
}

static void add_routes(struct sink_out *o, const struct impact_report *r)
{
	static const struct grid_column columns[] = { /* sorted by who, then accesses */
		{ "who", false, 0, 0 }, { "application", false, 12, 0 }, { "client", false, 6, 2 }, { "network", false, 10, 4 },
		{ "addresses", false, 15, 3 }, { "mailboxes", true, 0, 5 }, { "accesses", true, 0, 0 }, { "syncs", true, 0, 1 },
	};
	struct grid g;
	struct buf b;
	const size_t shown = r->route_count < ROUTES_SHOWN ? r->route_count : ROUTES_SHOWN;
	char address[ADDR_TEXT_SIZE];

	if (!r->route_count)
		return;
	grid_init(&g, columns, sizeof(columns) / sizeof(columns[0]));
	buf_init(&b, 4 * KIB);
	for (size_t i = 0; i < shown; i++) {
		const struct impact_route *c = &r->routes[i];
		const struct str app = c->client == NONE ? STR("-") : world_client_name(r->world, c->client);
		struct buf ips;
		buf_init(&ips, 4 * KIB);
		for (uint32_t k = 0; k < c->ip_count; k++)
			buf_printf(&ips, "%s%s", k ? " " : "", addr_format(&c->ips[k], address));
		if (c->more_ips)
			buf_add_cstr(&ips, " ...");
		cell(&g, 0, &b, str_of(impact_who(r, c->verdict)));
		cell(&g, 1, &b, app.n ? app : world_client_part(r->world, c->client, CLIENT_CALLER));
		cell(&g, 2, &b, c->client == NONE ? STR("-") : world_client_part(r->world, c->client, CLIENT_FAMILY));
		cell(&g, 3, &b, str_of(c->net == NET_NONE || c->net == NONE ? "-" : world_net_label(r->world, c->net)));
		cell(&g, 4, &b, c->ip_count ? buf_str(&ips) : STR("-"));
		cell_count(&g, 5, &b, c->mailboxes);
		cell_count(&g, 6, &b, c->accesses);
		cell_count(&g, 7, &b, c->syncs);
		buf_release(&ips);
	}
	buf_add_char(&o->pending, '\n');
	grid_put(&g, &o->pending, o->width);
	grid_release(&g);
	buf_release(&b);
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
