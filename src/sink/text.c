/* SPDX-License-Identifier: Apache-2.0 */
/* text: the findings for a tired responder.  In this order: one line that says how bad it is; the alerts, worst first,
 * each with its reasons and with what could not be seen; the applications that read mail, most unusual first; and where
 * nobody could look, because "no alerts" means nothing without it.
 *
 * All input text passes buf_add_terminal().  Lines fit the terminal, or TEXT_COLUMNS without one.  Colour marks the
 * severity word and nothing else. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/guid.h"
#include "base/limits.h"
#include "base/timefmt.h"
#include "coverage/coverage.h"
#include "detect/detect.h"
#include "identity/identity.h"
#include "sink/sink.h"

#define TEXT_COLUMNS 120     /* when no terminal says otherwise */
#define TEXT_COLUMNS_MIN 60
#define TEXT_COLUMNS_MAX 200 /* longer lines are hard to read */
#define MARGIN 12            /* "CRITICAL    " */
#define WARM_UP_US (14 * US_PER_DAY) /* before it the baseline raises nothing */
#define LABEL 13             /* "application  " */

/* -- small pieces -- */

/* "1 mailbox", "12 mailboxes" */
static void add_counted(struct buf *b, uint64_t n, const char *one, const char *many)
{
	sink_add_count(b, n);
	buf_add_char(b, ' ');
	buf_add_cstr(b, n == 1 ? one : many);
}

static void add_spaces(struct buf *b, size_t n)
{
	while (n--)
		buf_add_char(b, ' ');
}

/* Columns of text that is safe already: one a code point.  (East Asian names come out a little to the right.) */
static size_t columns(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

/* longest prefix of s of at most `width` columns that ends before a blank; a longer word is kept whole */
static size_t line_length(struct str s, size_t width)
{
	size_t best = 0, column = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (((unsigned char)s.p[i] & 0xc0) == 0x80)
			continue;
		if (s.p[i] == ' ' && i) {
			best = i;
			if (column >= width)
				return best;
		} else if (column >= width && best) {
			return best;
		}
		column++;
	}
	return s.n;
}

struct page {
	struct sink_out *o;
	const struct findings *f;
	size_t width;
	struct buf line;  /* one paragraph, as it came */
	struct buf safe;  /* the same, safe for a terminal */
};

/* Puts p->line out as a paragraph with a hanging indent; the cursor stands at column `indent`. */
static void put_wrapped(struct page *p, size_t indent)
{
	struct str rest;
	const size_t width = p->width > indent + 20 ? p->width - indent : 20;

	buf_add_terminal(&p->safe, buf_str(&p->line), 0);
	rest = str_trim(buf_str(&p->safe));
	for (bool first = true; rest.n || first; first = false) {
		size_t n = line_length(rest, width);
		if (!first)
			add_spaces(&p->o->pending, indent);
		buf_add_str(&p->o->pending, (struct str){ rest.p, n });
		buf_add_char(&p->o->pending, '\n');
		rest = str_trim((struct str){ rest.p + n, rest.n - n });
	}
	if (buf_failed(&p->line) || buf_failed(&p->safe))
		p->o->pending.failed = true;
	buf_clear(&p->line);
	buf_clear(&p->safe);
}

/* the same under a label in the margin; "" repeats none */
static void put_labelled(struct page *p, const char *label)
{
	add_spaces(&p->o->pending, MARGIN);
	buf_printf(&p->o->pending, "%-*s", LABEL, label);
	put_wrapped(p, MARGIN + LABEL);
}

/* `i`th separator of a list cut at TEXT_LIST_SHOWN; true = that was the last to show */
static bool list_step(struct buf *b, size_t i, uint64_t total)
{
	if (i == TEXT_LIST_SHOWN) {
		buf_add_cstr(b, " and ");
		sink_add_count(b, total - i);
		buf_add_cstr(b, " more");
		return true;
	}
	if (i)
		buf_add_cstr(b, ", ");
	return false;
}

static void add_severity(struct buf *b, enum severity s, bool color)
{
	static const char *const words[] = { "INFO", "LOW", "MEDIUM", "HIGH", "CRITICAL" };
	static const char *const colors[] = { "36", "34", "33", "31", "1;31" };

	if (color)
		buf_printf(b, "\033[%sm%s\033[0m", colors[s], words[s]);
	else
		buf_add_cstr(b, words[s]);
	add_spaces(b, MARGIN - strlen(words[s]));
}

/* -- the headline -- */

static void put_headline(struct page *p)
{
	const struct findings *f = p->f;
	const struct world *w = f->world;
	struct buf *b = &p->line;
	char first[TIME_TEXT_SIZE], last[TIME_TEXT_SIZE];
	size_t by_severity[SEVERITY_CRITICAL + 1] = { 0 };
	bool any = false;

	for (size_t i = 0; i < f->alert_count; i++)
		by_severity[f->alerts[i]->severity]++;
	if (f->alert_count)
		add_counted(b, f->alert_count, "alert", "alerts");
	else
		buf_add_cstr(b, f->resumed && f->alerts_unchanged ? "No new alerts" : f->alerts_below ? "No alerts at or above the asked severity" : "No alerts");
	for (int s = SEVERITY_CRITICAL; s >= SEVERITY_INFO; s--) {
		if (!by_severity[s])
			continue;
		buf_add_cstr(b, any ? ", " : " (");
		sink_add_count(b, by_severity[s]);
		buf_add_char(b, ' ');
		buf_add_cstr(b, severity_names[s]);
		any = true;
	}
	if (any)
		buf_add_char(b, ')');
	buf_add_cstr(b, " in ");
	add_counted(b, w->count.records, "record", "records");
	buf_add_cstr(b, ": ");
	add_counted(b, w->count.mail_records, "read of mail", "reads of mail");
	buf_add_cstr(b, " in ");
	add_counted(b, w->active_mailboxes, "mailbox", "mailboxes");
	if (f->tenant_count > 1) {
		buf_add_cstr(b, " of ");
		add_counted(b, f->tenant_count, "tenant", "tenants");
	}
	buf_add_cstr(b, " by ");
	add_counted(b, f->app_count, "application", "applications");
	if (w->first_us)
		buf_printf(b, "; %s to %s UTC", time_format_minute(w->first_us, first),
			   time_format_minute(w->last_us, last));
	put_wrapped(p, 0);
}

/* -- alerts -- */

/* the door that a client came through, by name where it has one; "" if it came by itself */
static struct str api_label(const struct world *w, uint32_t client)
{
	struct str api = world_client_part(w, client, CLIENT_API), name = STR_NONE;
	uint8_t id[16];

	if (guid_parse(api, id))
		name = app_name(id);
	return name.n ? name : api;
}

static void add_mailbox(struct buf *b, const struct world *w, uint32_t mailbox)
{
	struct str upn = world_mailbox_upn(w, mailbox), guid = world_mailbox_guid(w, mailbox);

	buf_add_str(b, upn.n ? upn : guid.n ? guid : STR("(unnamed)"));
}

static void add_app(struct buf *b, const struct world *w, uint32_t client)
{
	struct str name = world_client_name(w, client), caller = world_client_part(w, client, CLIENT_CALLER);
	struct str api = api_label(w, client), family = world_client_part(w, client, CLIENT_FAMILY);

	buf_add_str(b, name.n ? name : caller.n ? caller : STR("(no application id)"));
	if (name.n && caller.n)
		buf_printf(b, " (%.*s)", STR_ARG(caller));
	if (api.n)
		buf_printf(b, " through %.*s", STR_ARG(api));
	if (family.n)
		buf_printf(b, " as %.*s", STR_ARG(family));
}

static void put_ids(struct page *p, const struct world *w, const char *label, const struct id_entry *ids, uint32_t n, uint64_t total,
                    struct str (*id_text)(const struct world *, const uint8_t *, bool, char *))
{
	char text[ID_TEXT_SIZE];

	if (!n)
		return;
	for (uint32_t i = 0; i < n && !list_step(&p->line, i, total); i++)
		buf_add_str(&p->line, id_text(w, ids[i].id, ids[i].is_text, text));
	put_labelled(p, label);
}

static void put_who(struct page *p, const struct alert *a)
{
	const struct world *w = alert_world(a);
	struct buf *b = &p->line;

	if (p->f->tenant_count > 1) {
		buf_add_str(b, tenant_label(w));
		put_labelled(p, "tenant");
	}
	if (a->mailboxes.n) {
		for (uint32_t i = 0; i < a->mailboxes.n && !list_step(b, i, a->mailboxes.total); i++)
			add_mailbox(b, w, a->mailboxes.v[i]);
		put_labelled(p, a->mailboxes.total == 1 ? "mailbox" : "mailboxes");
	}
	for (uint32_t i = 0; i < a->clients.n; i++) {
		bool last = list_step(b, i == TEXT_LIST_SHOWN ? i : 0, a->clients.total);
		if (!last)
			add_app(b, w, a->clients.v[i]);
		put_labelled(p, i ? "" : "application");
		if (last)
			break;
	}
	if (a->actors.n) {
		for (uint32_t i = 0; i < a->actors.n && !list_step(b, i, a->actors.total); i++)
			buf_add_str(b, world_actor(w, a->actors.v[i]));
		put_labelled(p, "actor");
	}
}

static void put_where(struct page *p, const struct alert *a)
{
	struct buf *b = &p->line;
	char text[ADDR_TEXT_SIZE];

	if (a->ip_count) {
		for (uint32_t i = 0; i < a->ip_count && !list_step(b, i, a->ip_total); i++)
			buf_add_cstr(b, addr_format(&a->ips[i], text));
		put_labelled(p, "address");
	}
	if (a->nets.n) {
		for (uint32_t i = 0; i < a->nets.n && !list_step(b, i, a->nets.total); i++)
			buf_add_cstr(b, world_net_label(alert_world(a), a->nets.v[i]));
		put_labelled(p, "network");
	}
	put_ids(p, alert_world(a), "session", a->sessions, a->session_count, a->session_total, world_id_text);
	put_ids(p, alert_world(a), "token", a->tokens, a->token_count, a->token_total, world_token_text);
}

static void put_volume(struct page *p, const struct alert *a)
{
	struct buf *b = &p->line;
	char first[TIME_TEXT_SIZE], last[TIME_TEXT_SIZE];

	if (!a->records)
		return;
	add_counted(b, a->records, "record", "records");
	if (a->items) {
		buf_add_cstr(b, ", ");
		add_counted(b, a->items, "item read", "items read");
	}
	if (a->folders_synced) {
		buf_add_cstr(b, ", ");
		add_counted(b, a->folders_synced, "folder synced whole", "folders synced whole");
	}
	if (a->first_us)
		buf_printf(b, ", %s", time_format_minute(a->first_us, first));
	if (a->first_us && strcmp(first, time_format_minute(a->last_us, last)) != 0)
		buf_printf(b, " to %s", last);
	put_labelled(p, "volume");
}

/* severity, time, title */
static void put_title(struct page *p, const struct alert *a, bool with_id)
{
	struct buf *out = &p->o->pending;
	char text[TIME_TEXT_SIZE];

	add_severity(out, a->severity, p->o->color);
	buf_add_cstr(out, time_format_minute(a->time_us, text));
	buf_add_cstr(out, "  ");
	buf_add_cstr(&p->line, a->title ? a->title : a->detector->title);
	if (with_id && p->f->tenant_count > 1)
		buf_printf(&p->line, "  tenant %.*s", STR_ARG(tenant_label(alert_world(a))));
	if (with_id)
		buf_printf(&p->line, "  %s", a->id);
	put_wrapped(p, MARGIN + strlen(text) + 2);
}

static void put_alert(struct page *p, const struct alert *a)
{
	char text[ID_TEXT_SIZE];
	unsigned blind = 0;

	put_title(p, a, false);
	put_who(p, a);
	put_where(p, a);
	put_volume(p, a);
	for (uint32_t i = 0; i < a->why_count; i++) {
		buf_add_cstr(&p->line, a->why[i]);
		put_labelled(p, i ? "" : "why");
	}
	for (uint32_t i = 0; i < a->reason_count; i++) {
		buf_add_cstr(&p->line, a->reasons[i].text);
		put_labelled(p, i ? "" : "odds");
	}
	for (uint32_t i = 0; i < a->blind_count; i++) {
		buf_add_cstr(&p->line, a->blind[i]);
		put_labelled(p, blind++ ? "" : "not seen");
	}
	for (unsigned i = 0; alert_cut_sentence(a, i, &p->line); i++)
		put_labelled(p, blind++ ? "" : "not seen");
	buf_add_cstr(&p->line, a->id);
	buf_printf(&p->line, " (%s)", a->detector->name);
	for (uint32_t i = 0; i < a->evidence_count && i < 3; i++) {
		struct str id = world_id_text(alert_world(a), a->evidence[i].id, a->evidence[i].is_text, text);
		buf_add_cstr(&p->line, i ? ", " : ", records ");
		buf_add_str(&p->line, id);
	}
	if (a->evidence_count > 3)
		buf_add_cstr(&p->line, " ...");
	put_labelled(p, "id");
	buf_add_char(&p->o->pending, '\n');
}

/* worst first; inside a severity the order of time that the engine gave (the position makes qsort stable) */
struct ranked { const struct alert *alert; size_t position; };

static int by_severity_then_time(const void *pa, const void *pb)
{
	const struct ranked *a = pa, *b = pb;

	if (a->alert->severity != b->alert->severity)
		return a->alert->severity > b->alert->severity ? -1 : 1;
	return a->position < b->position ? -1 : a->position > b->position;
}

static void put_alerts(struct page *p)
{
	const struct findings *f = p->f;
	struct ranked *order = malloc((f->alert_count + 1) * sizeof(*order));
	size_t shown = 0;
	bool open = true;

	if (!order) {
		p->o->pending.failed = true;
		return;
	}
	for (size_t i = 0; i < f->alert_count; i++)
		order[i] = (struct ranked){ f->alerts[i], i };
	qsort(order, f->alert_count, sizeof(*order), by_severity_then_time);
	for (size_t i = 0; i < f->alert_count && open; i++) {
		const struct alert *a = order[i].alert;
		shown = i && order[i - 1].alert->severity == a->severity ? shown + 1 : 0;
		if (shown < TEXT_ALERTS_IN_FULL) {
			put_alert(p, a);
		} else {
			if (shown == TEXT_ALERTS_IN_FULL)
				buf_printf(&p->o->pending,
					   "More of severity %s, one line each (-f ndjson has them in full):\n",
					   severity_names[a->severity]);
			put_title(p, a, true);
			if (i + 1 == f->alert_count || order[i + 1].alert->severity != a->severity)
				buf_add_char(&p->o->pending, '\n');
		}
		open = sink_out_step(p->o);
	}
	if (f->alerts_below) {
		add_counted(&p->line, f->alerts_below, "more alert is", "more alerts are");
		buf_add_cstr(&p->line, " below the severity asked for with -m, and not shown.");
		put_wrapped(p, 0);
		buf_add_char(&p->o->pending, '\n');
	}
	if (f->alerts_outside) {
		add_counted(&p->line, f->alerts_outside, "more alert is", "more alerts are");
		buf_add_cstr(&p->line, " outside the time asked for with --since and --until, and not shown.");
		put_wrapped(p, 0);
		buf_add_char(&p->o->pending, '\n');
	}
	if (f->alerts_held) {
		add_counted(&p->line, f->alerts_held, "mailbox-day", "mailbox-days");
		buf_add_cstr(&p->line, " past the line did not ring: the false-alarm budget was spent on rarer ones. A larger --budget shows more.");
		put_wrapped(p, 0);
		buf_add_char(&p->o->pending, '\n');
	}
	if (f->alerts_unchanged) {
		add_counted(&p->line, f->alerts_unchanged, "alert of earlier runs stands", "alerts of earlier runs stand");
		buf_add_cstr(&p->line, " as told then, and not shown again.");
		put_wrapped(p, 0);
		buf_add_char(&p->o->pending, '\n');
	}
	for (size_t i = 0; i < f->withdrawn_count; i++)
		buf_printf(&p->line, "%stxm-%016" PRIx64, i ? ", " : "Withdrawn, since later records say otherwise: ", f->withdrawn[i].number);
	if (f->withdrawn_count) {
		put_wrapped(p, 0);
		buf_add_char(&p->o->pending, '\n');
	}
	free(order);
}

/* -- the app inventory -- */

enum column {
	COL_RANK, COL_APP, COL_API, COL_FAMILY, COL_MAILBOXES, COL_SHARE, COL_ITEMS, COL_FOLDERS, COL_NETWORKS,
	COL_FIRST, COL_LAST, COL_UNUSUAL, COL_COUNT
};

static const struct {
	const char *heading;
	bool right;
	unsigned narrowest; /* a text column may shrink to this; 0 = it keeps its width */
	unsigned leaves;    /* turn in which the column is left out of a table too wide, 0 = never */
} table_columns[COL_COUNT] = {
	[COL_RANK] = { "#", true, 0, 0 },
	[COL_APP] = { "application", false, 36, 0 }, /* an id cut short cannot be looked up */
	[COL_API] = { "through", false, 9, 4 },
	[COL_FAMILY] = { "client", false, 15, 0 },
	[COL_MAILBOXES] = { "mailboxes", true, 0, 0 },
	[COL_SHARE] = { "share", true, 0, 1 },
	[COL_ITEMS] = { "items", true, 0, 0 },
	[COL_FOLDERS] = { "folders", true, 0, 3 },
	[COL_NETWORKS] = { "nets", true, 0, 5 },
	[COL_FIRST] = { "first seen", false, 0, 6 },
	[COL_LAST] = { "last seen", false, 0, 2 },
	[COL_UNUSUAL] = { "unusual", true, 0, 7 },
};

struct cells { char text[TEXT_APPS_SHOWN][COL_COUNT][160]; };

static void cell_set(char *cell, size_t size, struct buf *b)
{
	snprintf(cell, size, "%s", b->n ? b->p : "");
	buf_clear(b);
}

static void table_fill(struct cells *t, size_t i, const struct tenant_findings *f)
{
	const struct inventory_row *row = &f->apps[i];
	const struct world *w = f->world;
	const struct world_client *c = &w->clients[row->client];
	struct str name = world_client_name(w, row->client), caller = world_client_part(w, row->client, CLIENT_CALLER);
	char time[TIME_TEXT_SIZE];
	struct buf b;

	buf_init(&b, 4 * KIB);
	for (int k = 0; k < COL_COUNT; k++) {
		switch (k) {
		case COL_RANK: buf_printf(&b, "%zu", i + 1); break;
		case COL_APP:
			buf_add_terminal(&b, name.n ? name : caller.n ? caller : STR("(no application id)"), 36);
			break;
		case COL_API: buf_add_terminal(&b, api_label(w, row->client), 24); break;
		case COL_FAMILY: buf_add_terminal(&b, world_client_part(w, row->client, CLIENT_FAMILY), 24); break;
		case COL_MAILBOXES: sink_add_count(&b, c->mailboxes); break;
		case COL_SHARE:
			buf_printf(&b, row->share > 0 && row->share < 0.1 ? "%.1f%%" : "%.0f%%", 100 * row->share);
			break;
		case COL_ITEMS: sink_add_count(&b, c->items); break;
		case COL_FOLDERS: sink_add_count(&b, c->folders_synced); break;
		case COL_NETWORKS:
			if (!c->networks && c->microsoft_front_end)
				buf_add_cstr(&b, "MS");
			else
				sink_add_count(&b, c->networks);
			break;
		case COL_FIRST: case COL_LAST: {
			int64_t us = k == COL_FIRST ? c->first_us : c->last_us;
			if (us)
				buf_printf(&b, "%.10s", time_format_minute(us, time));
			break;
		}
		case COL_UNUSUAL: buf_printf(&b, "%.2f", row->unusual); break;
		default: break;
		}
		cell_set(t->text[i][k], sizeof(t->text[i][k]), &b);
	}
	buf_release(&b);
}

static size_t table_width(const size_t width[COL_COUNT])
{
	size_t total = 0;

	for (size_t k = 0; k < COL_COUNT; k++)
		total += width[k] ? width[k] + 2 : 0;
	return total - 2;
}

/* the widest text column that can still shrink; COL_COUNT = none */
static size_t table_widest(const size_t width[COL_COUNT])
{
	size_t widest = COL_COUNT;

	for (size_t k = 0; k < COL_COUNT; k++)
		if (table_columns[k].narrowest && width[k] > table_columns[k].narrowest &&
		    (widest == COL_COUNT || width[k] > width[widest]))
			widest = k;
	return widest;
}

/* Widths that fit: text columns shrink, the widest first; then columns go, the least telling first; what a column that
 * went leaves over, the text columns get back. */
static void table_fit(const struct cells *t, size_t rows, size_t available, size_t width[COL_COUNT])
{
	size_t wanted[COL_COUNT], widest;

	for (size_t k = 0; k < COL_COUNT; k++) {
		width[k] = strlen(table_columns[k].heading);
		for (size_t i = 0; i < rows; i++) {
			size_t n = columns(str_of(t->text[i][k]));
			width[k] = n > width[k] ? n : width[k];
		}
		wanted[k] = width[k];
	}
	for (unsigned turn = 1; table_width(width) > available && turn <= COL_COUNT; ) {
		widest = table_widest(width);
		if (widest < COL_COUNT) {
			width[widest]--;
			continue;
		}
		for (size_t k = 0; k < COL_COUNT; k++)
			if (table_columns[k].leaves == turn)
				width[k] = 0;
		turn++;
	}
	for (size_t k = 0; k < COL_COUNT; k++)
		while (width[k] && width[k] < wanted[k] && table_width(width) < available)
			width[k]++;
}

static void table_row(struct buf *out, const size_t width[COL_COUNT], const char *const cell[COL_COUNT])
{
	struct buf b;
	size_t spaces = 0; /* owed; those at the end of a line are never written */

	buf_init(&b, 4 * KIB);
	for (size_t k = 0; k < COL_COUNT; k++) {
		size_t used;
		if (!width[k])
			continue;
		buf_add_terminal(&b, str_of(cell[k]), width[k]);
		used = columns(buf_str(&b));
		used = used < width[k] ? used : width[k];
		add_spaces(out, spaces + (table_columns[k].right ? width[k] - used : 0));
		buf_add_str(out, buf_str(&b));
		spaces = 2 + (table_columns[k].right ? 0 : width[k] - used);
		buf_clear(&b);
	}
	buf_add_char(out, '\n');
	buf_release(&b);
}

/* ", tenant X" where there are several */
static void add_whose(struct page *p, const struct world *w)
{
	if (p->f->tenant_count > 1)
		buf_printf(&p->line, " (tenant %.*s)", STR_ARG(tenant_label(w)));
}

static void put_inventory(struct page *p, const struct tenant_findings *f)
{
	const size_t most = p->f->tenant_count > 1 ? TEXT_APPS_OF_TENANT : TEXT_APPS_SHOWN;
	const size_t rows = f->app_count < most ? f->app_count : most;
	const char *cell[COL_COUNT];
	size_t width[COL_COUNT];
	struct cells *t;

	if (!rows)
		return;
	t = malloc(sizeof(*t));
	if (!t) {
		p->o->pending.failed = true;
		return;
	}
	for (size_t i = 0; i < rows; i++)
		table_fill(t, i, f);
	table_fit(t, rows, p->width, width);
	buf_add_cstr(&p->line, "Who reads mail");
	add_whose(p, f->world);
	buf_add_cstr(&p->line, ", most unusual first (a ranking, not a verdict):");
	put_wrapped(p, 0);
	for (int k = 0; k < COL_COUNT; k++)
		cell[k] = table_columns[k].heading;
	table_row(&p->o->pending, width, cell);
	for (size_t i = 0; i < rows; i++) {
		for (int k = 0; k < COL_COUNT; k++)
			cell[k] = t->text[i][k];
		table_row(&p->o->pending, width, cell);
	}
	if (f->app_count > rows) {
		buf_add_cstr(&p->line, "and ");
		sink_add_count(&p->line, f->app_count - rows);
		buf_add_cstr(&p->line, " more (taximeter scan --inventory FILE.csv writes them all)");
		put_wrapped(p, 0);
	}
	buf_add_char(&p->o->pending, '\n');
	free(t);
}

/* -- tokens and their sign-ins -- */

#define TOKEN_ROWS 12

struct token_row { uint32_t client; uint64_t verdicts[PROV_VERDICTS], all; };

static int by_orphans(const void *pa, const void *pb)
{
	const struct token_row *a = pa, *b = pb;

	if (a->verdicts[PROV_ORPHAN] != b->verdicts[PROV_ORPHAN])
		return a->verdicts[PROV_ORPHAN] > b->verdicts[PROV_ORPHAN] ? -1 : 1;
	if (a->all != b->all)
		return a->all > b->all ? -1 : 1;
	return a->client < b->client ? -1 : a->client > b->client;
}

static void put_categories(struct page *p, const struct identity *x)
{
	struct buf *b = &p->line;
	char first[TIME_TEXT_SIZE], last[TIME_TEXT_SIZE];

	for (unsigned i = 0; i < SIGNIN_CATEGORIES; i++) {
		const struct identity_category *c = identity_category(x, i);
		const struct silences *t = identity_timeline(x, i);
		char name[40];

		snprintf(name, sizeof(name), "%s", signin_category_names[i]);
		for (char *s = name; *s; s++)
			*s = *s == '_' ? ' ' : *s;
		if (!c->rows && i == SIGNIN_CATEGORIES - 1)
			continue; /* the audit log's own: a stand-in for interactive ones */
		buf_printf(&p->o->pending, "  %-18s", name);
		if (!c->rows)
			buf_add_cstr(b, "none given");
		else
			add_counted(b, c->rows, "sign-in", "sign-ins");
		if (c->first_us)
			buf_printf(b, ", %s to %s", time_format_minute(c->first_us, first), time_format_minute(c->last_us, last));
		for (size_t k = 0; k < t->hole_count && k < 3; k++)
			buf_printf(b, "%s %s to %s", k ? "," : t->hole_count > 1 ? "; holes" : "; a hole",
				   time_format_minute(t->holes[k].from * t->slot_us, first),
				   time_format_minute(t->holes[k].to * t->slot_us, last) + (strncmp(first, last, 11) ? 0 : 11));
		if (t->hole_count > 3)
			buf_printf(b, " and %zu more", t->hole_count - 3);
		put_wrapped(p, 20);
	}
}

static void put_tokens(struct page *p, const struct tenant_findings *f)
{
	struct buf *b = &p->line, *out = &p->o->pending;
	struct token_row *rows;
	size_t n = 0, shown = 0;

	if (!identity_says_something(f->identity))
		return;
	rows = calloc((size_t)f->world->client_count + 1, sizeof(*rows));
	if (!rows) {
		out->failed = true;
		return;
	}
	for (uint32_t i = 0; i < f->world->client_count; i++) {
		const struct identity_client *c = identity_client(f->identity, i);
		struct token_row row = { .client = i };

		for (int r = 0; r < PROV_REASONS; r++) {
			row.verdicts[prov_reasons[r].verdict] += c->reasons[r];
			row.all += c->reasons[r];
		}
		if (row.all)
			rows[n++] = row;
	}
	qsort(rows, n, sizeof(*rows), by_orphans);
	buf_add_cstr(b, "Sign-ins at hand");
	add_whose(p, f->world);
	buf_add_cstr(b, ", by which accesses are traced to the one that issued their token:");
	put_wrapped(p, 0);
	put_categories(p, f->identity);
	buf_add_char(out, '\n');
	if (n) {
		buf_printf(out, "%-48s %12s %12s %12s\n", "accesses of", "linked", "orphan", "cannot say");
		for (; shown < n && shown < TOKEN_ROWS; shown++) {
			struct buf name;
			const struct token_row *row = &rows[shown];
			struct str app = world_client_name(f->world, row->client);
			struct str caller = world_client_part(f->world, row->client, CLIENT_CALLER);

			buf_init(&name, 4 * KIB);
			buf_add_terminal(&name, app.n ? app : caller.n ? caller : STR("(no application id)"), 48);
			buf_add_str(out, buf_str(&name));
			add_spaces(out, columns(buf_str(&name)) < 48 ? 48 - columns(buf_str(&name)) : 0);
			buf_release(&name);
			for (int v = 0; v < PROV_VERDICTS; v++) {
				buf_add_char(out, ' ');
				buf_init(&name, 64);
				sink_add_count(&name, row->verdicts[v]);
				add_spaces(out, name.n < 12 ? 12 - name.n : 0);
				buf_add_str(out, buf_str(&name));
				buf_release(&name);
			}
			buf_add_char(out, '\n');
		}
	}
	if (n > shown) {
		buf_add_cstr(b, "and ");
		sink_add_count(b, n - shown);
		buf_add_cstr(b, " more (-f ndjson has them all)");
		put_wrapped(p, 0);
	}
	buf_add_cstr(b, "Cannot say, because:");
	shown = 0;
	for (int r = 0; r < PROV_REASONS; r++) {
		uint64_t count = identity_count(f->identity, (enum prov_reason)r);
		if (prov_reasons[r].verdict != PROV_CANNOT_SAY || !count)
			continue;
		buf_add_cstr(b, shown++ ? "; " : " ");
		buf_add_cstr(b, prov_reasons[r].doc);
		buf_add_cstr(b, " (");
		sink_add_count(b, count);
		buf_add_char(b, ')');
	}
	if (shown) {
		buf_add_char(b, '.');
		put_wrapped(p, 2);
	} else {
		buf_clear(b);
	}
	buf_add_char(out, '\n');
	free(rows);
}

/* -- where nobody could look -- */

static void put_gap(struct page *p)
{
	buf_add_cstr(&p->o->pending, "  - ");
	put_wrapped(p, 4);
}

static void put_gaps_of_data(struct page *p)
{
	const struct findings *f = p->f;
	const struct world *w = f->world;
	struct buf *b = &p->line;

	if (!w->count.records) {
		buf_add_cstr(b, "There was no record to look at.");
		put_gap(p);
		return;
	}
	if (!w->count.mail_records) {
		buf_add_cstr(b, "No MailItemsAccessed or AttachmentAccess record is among them: who read mail cannot "
				"be said at all.");
		put_gap(p);
	} else if (!w->count.syncs) {
		buf_add_cstr(b, "No Sync record is among them: either no client copied whole folders, or the export "
				"left them out.");
		put_gap(p);
	} else {
		add_counted(b, w->count.syncs, "Sync record stands for a whole folder",
			    "Sync records stand for whole folders");
		buf_add_cstr(b, "; how many messages went with them is not in the log.");
		put_gap(p);
	}
	for (size_t i = 0; i < f->tenant_count; i++) {
		const struct world *t = f->tenants[i].world;
		if (!t->count.mail_records || t->mail_last_us - t->mail_first_us >= WARM_UP_US)
			continue;
		buf_add_cstr(b, "Less than 14 days of mail reading");
		add_whose(p, t);
		buf_add_cstr(b, ": what is normal for a mailbox could not be learnt, so that only "
				"fixed rules and the ranking of applications speak here, and no rate of false alarms is promised.");
		put_gap(p);
	}
	if (!w->count.signins) {
		buf_add_cstr(b,
			     "No sign-in record is among them: no token can be traced to the sign-in that issued it.");
		put_gap(p);
	}
	for (size_t i = 0; i < f->tenant_count; i++) {
		const struct identity *x = f->tenants[i].identity;
		uint64_t unknown = 0, all = 0;
		for (int r = 0; r < PROV_REASONS && identity_has_signins(x); r++) {
			uint64_t n = identity_count(x, (enum prov_reason)r);
			all += n;
			unknown += prov_reasons[r].verdict == PROV_CANNOT_SAY ? n : 0;
		}
		if (unknown) {
			buf_add_cstr(b, "Of ");
			sink_add_count(b, unknown);
			buf_add_cstr(b, " of ");
			add_counted(b, all, "access", "accesses");
			add_whose(p, f->tenants[i].world);
			buf_add_cstr(b, " nobody can say from this data whether their token was issued; the reasons stand above.");
			put_gap(p);
		}
		if (f->tenant_count > 1 && !world_own_tenant(f->tenants[i].world).n) {
			add_counted(b, f->tenants[i].world->count.records, "record does", "records do");
			buf_add_cstr(b, " not say whose it is, by tenant, mailbox or account: judged apart from all tenants.");
			put_gap(p);
		}
	}
	if (f->since || f->until) {
		buf_printf(b, "Only what happened from %s to %s is reported; all records were used to learn what is normal.",
			   f->since ? f->since : "the first record", f->until ? f->until : "the last record");
		put_gap(p);
	}
	if (f->late) {
		add_counted(b, f->late, "record of this run came", "records of this run came");
		buf_add_cstr(b, " too late: older than what the state has learned. No rule judged them.");
		put_gap(p);
	}
	if (f->learn_since) {
		buf_printf(b, "Records before %s were not used: what was normal before is not known.", f->learn_since);
		put_gap(p);
	}
}

/* where the log itself was blind, by mailbox and day */
static void put_blind(struct page *p, const struct tenant_findings *f)
{
	const struct coverage *c = f->coverage;
	struct buf *b = &p->line;
	const struct coverage_finding *v;
	uint64_t blind = 0, all = 0;
	size_t n, shown = 0;

	if (!c || !coverage_days(c))
		return;
	v = coverage_findings(c, &n);
	for (int s = 0; s < DAY_OUTSIDE; s++) {
		all += coverage_total(c, (enum day_state)s);
		blind += day_is_blind((enum day_state)s) ? coverage_total(c, (enum day_state)s) : 0;
	}
	if (!all && !n && p->f->tenant_count > 1)
		return;
	buf_add_cstr(b, "Of ");
	add_counted(b, all, "mailbox-day", "mailbox-days");
	add_whose(p, f->world);
	buf_add_char(b, ' ');
	sink_add_count(b, coverage_total(c, DAY_RECORDED));
	buf_add_cstr(b, " have reads in the log, ");
	sink_add_count(b, coverage_total(c, DAY_QUIET));
	buf_add_cstr(b, " are quiet and nobody can tell why, ");
	sink_add_count(b, blind);
	buf_add_cstr(b, " were blind");
	buf_add_cstr(b, n ? " (taximeter coverage has the whole map):" : ".");
	put_gap(p);
	for (size_t i = 0; i < n; i++) {
		if (!findings_report(p->f, v[i].from_us, v[i].to_us) || shown++ >= TEXT_LIST_SHOWN)
			continue;
		buf_add_cstr(&p->o->pending, "      ");
		coverage_sentence(f->world, &v[i], b);
		buf_add_char(b, '.');
		put_wrapped(p, 6);
	}
	if (shown > TEXT_LIST_SHOWN) {
		buf_printf(&p->o->pending, "      and ");
		sink_add_count(b, shown - TEXT_LIST_SHOWN);
		buf_add_cstr(b, " more.");
		put_wrapped(p, 6);
	}
}

static void put_gaps_of_run(struct page *p)
{
	const struct findings *f = p->f;
	const struct world *w = f->world;
	struct buf *b = &p->line;
	uint64_t refused = findings_refused(f);
	size_t blind = 0;

	for (size_t i = 0; i < f->partial_count; i++) {
		buf_printf(b, "The export is not whole: %s.", f->partial[i]);
		put_gap(p);
	}
	for (size_t i = 0; i < f->lost_count; i++) {
		buf_add_cstr(b, i ? "; " : "Lost on reading: ");
		buf_add_cstr(b, f->lost_text[i]);
	}
	if (f->lost_count) {
		buf_add_cstr(b, ". The summary on standard error and --stats give the numbers.");
		put_gap(p);
	}
	for (size_t i = 0; i < f->alert_count; i++)
		blind += f->alerts[i]->blind_count > 0;
	if (blind) {
		add_counted(b, blind, "alert above says", "alerts above say");
		buf_add_cstr(b, " what else could not be seen (\"not seen\").");
		put_gap(p);
	}
	if (w->count.unknown_access) {
		add_counted(b, w->count.unknown_access, "read of mail is neither Bind nor Sync",
			    "reads of mail are neither Bind nor Sync");
		buf_add_cstr(b, "; counted, not understood.");
		put_gap(p);
	}
	if (refused) {
		add_counted(b, refused, "entry did", "entries did");
		buf_add_cstr(b, " not fit into bounded tables (-f ndjson names them under \"refused\").");
		put_gap(p);
	}
}

static void text_write(struct sink_out *o, const struct findings *f)
{
	struct page p = { .o = o, .f = f, .width = o->width ? o->width : TEXT_COLUMNS };

	if (p.width < TEXT_COLUMNS_MIN)
		p.width = TEXT_COLUMNS_MIN;
	if (p.width > TEXT_COLUMNS_MAX)
		p.width = TEXT_COLUMNS_MAX;
	buf_init(&p.line, SINK_PIECE_BYTES_MAX);
	buf_init(&p.safe, SINK_PIECE_BYTES_MAX);
	put_headline(&p);
	buf_add_char(&o->pending, '\n');
	put_alerts(&p);
	if (sink_out_step(o)) {
		for (size_t i = 0; i < f->tenant_count; i++)
			put_inventory(&p, &f->tenants[i]);
		for (size_t i = 0; i < f->tenant_count; i++)
			put_tokens(&p, &f->tenants[i]);
		if (!f->alert_count)
			buf_add_cstr(&p.line, "\"No alerts\" is not \"nothing happened\". ");
		buf_add_cstr(&p.line, "What this cannot show:");
		put_wrapped(&p, 0);
		put_gaps_of_data(&p);
		for (size_t i = 0; i < f->tenant_count; i++)
			put_blind(&p, &f->tenants[i]);
		put_gaps_of_run(&p);
		buf_add_cstr(&p.line, "Accounts whose auditing is bypassed, mailboxes without the licence, and "
				      "tokens that never left a record stay invisible in any export.");
		put_gap(&p);
	}
	buf_release(&p.line);
	buf_release(&p.safe);
}

const struct sink sink_text = {
	.name = "text",
	.doc = "for people: alerts, applications, and what could not be seen",
	.write = text_write,
};
