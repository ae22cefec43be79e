/* SPDX-License-Identifier: Apache-2.0 */
/* say: see say.h.  In this order: one line with the severity; the alerts, worst first, each with its reasons and with what
 * could not be seen; the applications that read mail, most unusual first; the sign-ins and what they show about tokens; and what
 * the logs cannot show, because "no alerts" means nothing without it. */
#include "sink/say.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/guid.h"
#include "base/limits.h"
#include "base/timefmt.h"
#include "coverage/coverage.h"
#include "detect/detect.h"
#include "detect/orphans.h"
#include "identity/identity.h"

#define WARM_UP_US (14 * US_PER_DAY) /* before it the baseline raises nothing */
#define EVIDENCE_SHOWN 3
#define SAY_ROWS_ROOMY 100           /* of a table, and items past a list's end, where there is room */

/* -- small pieces -- */

/* "1 mailbox", "12 mailboxes" */
static void add_counted(struct buf *b, uint64_t n, const char *one, const char *many)
{
	sink_add_count(b, n);
	buf_add_char(b, ' ');
	buf_add_cstr(b, n == 1 ? one : many);
}

/* s->line as one of the forms */
static void paragraph(struct say *s) { s->form->paragraph(s); }
static void gap(struct say *s) { s->form->item(s, 0); }
static void fact(struct say *s, const char *name) { s->form->fact(s, name, false); }
static void end(struct say *s) { s->form->end(s); }

/* Before the `i`th of a list of names: the separator.  Past TEXT_LIST_SHOWN they go to s->more, if there is room for it; NULL: no more. */
static struct buf *list_step(struct say *s, size_t i, uint64_t total)
{
	if (i < TEXT_LIST_SHOWN) {
		buf_add_cstr(&s->line, i ? ", " : "");
		return &s->line;
	}
	if (i == TEXT_LIST_SHOWN) {
		buf_add_cstr(&s->line, " and ");
		sink_add_count(&s->line, total - i);
		buf_add_cstr(&s->line, " more");
	}
	if (!s->roomy)
		return NULL;
	buf_add_cstr(&s->more, i > TEXT_LIST_SHOWN ? ", " : "");
	return &s->more;
}

/* ", tenant X" where there are several */
static void add_whose(struct say *s, const struct world *w)
{
	if (s->f->tenant_count > 1)
		buf_printf(&s->line, " (tenant %.*s)", STR_ARG(tenant_label(w)));
}

static size_t rows_shown(const struct say *s, size_t all, size_t most)
{
	most = s->roomy ? SAY_ROWS_ROOMY : most;
	return all < most ? all : most;
}

/* "and 37 more (where they are)" below a table */
static void rest_of_table(struct say *s, size_t left_out, const char *where)
{
	if (!left_out)
		return;
	buf_add_cstr(&s->line, "and ");
	sink_add_count(&s->line, left_out);
	buf_printf(&s->line, " more (%s)", where);
	paragraph(s);
}

/* -- the headline -- */

void say_headline(struct say *s)
{
	const struct findings *f = s->f;
	const struct world *w = f->world;
	struct buf *b = &s->line;
	char first[TIME_TEXT_SIZE], last[TIME_TEXT_SIZE];
	size_t by_severity[SEVERITY_CRITICAL + 1] = { 0 };
	bool any = false;

	for (size_t i = 0; i < f->alert_count; i++)
		by_severity[f->alerts[i]->severity]++;
	if (f->alert_count)
		add_counted(b, f->alert_count, "alert", "alerts");
	else
		buf_add_cstr(b, f->resumed && f->alerts_unchanged ? "No new alerts" : f->alerts_below ? "No alerts at or above the asked severity" : "No alerts");
	for (int k = SEVERITY_CRITICAL; k >= SEVERITY_INFO; k--) {
		if (!by_severity[k])
			continue;
		buf_add_cstr(b, any ? ", " : " (");
		sink_add_count(b, by_severity[k]);
		buf_add_char(b, ' ');
		buf_add_cstr(b, severity_names[k]);
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
}

/* -- alerts -- */

/* the API that a client used, by name where it has one; "" if none */
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

/* its name, else its id */
static struct str app_label(const struct world *w, uint32_t client)
{
	struct str name = world_client_name(w, client), caller = world_client_part(w, client, CLIENT_CALLER);

	return name.n ? name : caller.n ? caller : STR("(no application id)");
}

static void add_app(struct buf *b, const struct world *w, uint32_t client)
{
	struct str name = world_client_name(w, client), caller = world_client_part(w, client, CLIENT_CALLER);
	struct str api = api_label(w, client), family = world_client_part(w, client, CLIENT_FAMILY);

	buf_add_str(b, app_label(w, client));
	if (name.n && caller.n)
		buf_printf(b, " (%.*s)", STR_ARG(caller));
	if (api.n)
		buf_printf(b, " through %.*s", STR_ARG(api));
	if (family.n)
		buf_printf(b, " as %.*s", STR_ARG(family));
}

static void say_ids(struct say *s, const struct world *w, const char *label, const struct id_entry *ids, uint32_t n, uint64_t total,
		    struct str (*id_text)(const struct world *, const uint8_t *, bool, char *))
{
	char text[ID_TEXT_SIZE];
	struct buf *b;

	if (!n)
		return;
	for (uint32_t i = 0; i < n && (b = list_step(s, i, total)); i++)
		buf_add_str(b, id_text(w, ids[i].id, ids[i].is_text, text));
	s->form->fact(s, label, true);
}

static void say_who(struct say *s, const struct alert *a)
{
	const struct world *w = alert_world(a);
	struct buf *b;

	if (s->f->tenant_count > 1) {
		buf_add_str(&s->line, tenant_label(w));
		s->form->fact(s, "tenant", true);
	}
	if (a->mailboxes.n) {
		for (uint32_t i = 0; i < a->mailboxes.n && (b = list_step(s, i, a->mailboxes.total)); i++)
			add_mailbox(b, w, a->mailboxes.v[i]);
		fact(s, a->mailboxes.total == 1 ? "mailbox" : "mailboxes");
	}
	for (uint32_t i = 0; i < a->clients.n && i <= TEXT_LIST_SHOWN; i++) { /* a line each */
		if (i < TEXT_LIST_SHOWN)
			add_app(&s->line, w, a->clients.v[i]);
		for (uint32_t k = i; i == TEXT_LIST_SHOWN && k < a->clients.n && (b = list_step(s, k, a->clients.total)); k++)
			add_app(b, w, a->clients.v[k]);
		fact(s, i ? "" : "application");
	}
	if (a->actors.n) {
		for (uint32_t i = 0; i < a->actors.n && (b = list_step(s, i, a->actors.total)); i++)
			buf_add_str(b, world_actor(w, a->actors.v[i]));
		fact(s, "actor");
	}
}

static void say_where(struct say *s, const struct alert *a)
{
	struct buf *b;
	char text[ADDR_TEXT_SIZE];

	if (a->ip_count) {
		for (uint32_t i = 0; i < a->ip_count && (b = list_step(s, i, a->ip_total)); i++)
			buf_add_cstr(b, addr_format(&a->ips[i], text));
		s->form->fact(s, "address", true);
	}
	if (a->nets.n) {
		for (uint32_t i = 0; i < a->nets.n && (b = list_step(s, i, a->nets.total)); i++)
			buf_add_cstr(b, world_net_label(alert_world(a), a->nets.v[i]));
		fact(s, "network");
	}
	say_ids(s, alert_world(a), "session", a->sessions, a->session_count, a->session_total, world_id_text);
	say_ids(s, alert_world(a), "token", a->tokens, a->token_count, a->token_total, world_token_text);
}

static void say_volume(struct say *s, const struct alert *a)
{
	struct buf *b = &s->line;
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
	fact(s, "volume");
}

void say_alert(struct say *s, const struct alert *a)
{
	char text[ID_TEXT_SIZE];
	unsigned blind = 0;

	say_who(s, a);
	say_where(s, a);
	say_volume(s, a);
	for (uint32_t i = 0; i < a->why_count; i++) {
		buf_add_cstr(&s->line, a->why[i]);
		s->form->sentence(s, i ? "" : "why");
	}
	for (uint32_t i = 0; i < a->reason_count; i++) {
		buf_add_cstr(&s->line, a->reasons[i].text);
		s->form->sentence(s, i ? "" : "odds");
	}
	for (uint32_t i = 0; i < a->blind_count; i++) {
		buf_add_cstr(&s->line, a->blind[i]);
		s->form->sentence(s, blind++ ? "" : "not seen");
	}
	for (unsigned i = 0; alert_cut_sentence(a, i, &s->line); i++)
		s->form->sentence(s, blind++ ? "" : "not seen");
	buf_printf(&s->line, "%s (%s)", a->id, a->detector->name);
	for (uint32_t i = 0; i < a->evidence_count; i++) {
		struct str id = world_id_text(alert_world(a), a->evidence[i].id, a->evidence[i].is_text, text);
		if (i < EVIDENCE_SHOWN)
			buf_add_cstr(&s->line, i ? ", " : ", records ");
		else if (s->roomy)
			buf_add_cstr(&s->more, i > EVIDENCE_SHOWN ? ", " : "");
		if (i < EVIDENCE_SHOWN || s->roomy)
			buf_add_str(i < EVIDENCE_SHOWN ? &s->line : &s->more, id);
	}
	if (a->evidence_count > EVIDENCE_SHOWN)
		buf_add_cstr(&s->line, " ...");
	s->form->fact(s, "id", true);
	end(s);
}

struct str say_alert_title(const struct alert *a)
{
	return str_of(a->title ? a->title : a->detector->title);
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

const struct alert **say_order(const struct findings *f)
{
	struct ranked *order = malloc((f->alert_count + 1) * sizeof(*order));
	const struct alert **ret = malloc((f->alert_count + 1) * sizeof(*ret));

	for (size_t i = 0; order && i < f->alert_count; i++)
		order[i] = (struct ranked){ f->alerts[i], i };
	if (order)
		qsort(order, f->alert_count, sizeof(*order), by_severity_then_time);
	for (size_t i = 0; order && ret && i < f->alert_count; i++)
		ret[i] = order[i].alert;
	if (!order) {
		free(ret);
		ret = NULL;
	}
	free(order);
	return ret;
}

/* "7 more alerts are below ..." */
static void say_number(struct say *s, uint64_t n, const char *one, const char *many, const char *rest)
{
	if (!n)
		return;
	add_counted(&s->line, n, one, many);
	buf_add_cstr(&s->line, rest);
	paragraph(s);
	end(s);
}

static void say_alerts(struct say *s)
{
	const struct findings *f = s->f;
	const struct alert **order = say_order(f);
	size_t shown = 0;
	bool open = true;

	if (!order) {
		s->line.failed = true;
		paragraph(s);
		return;
	}
	for (size_t i = 0; i < f->alert_count && open; i++) {
		const enum severity severity = order[i]->severity;
		shown = i && order[i - 1]->severity == severity ? shown + 1 : 0;
		if (shown == TEXT_ALERTS_IN_FULL) {
			buf_printf(&s->line, "More of severity %s, one line each (-f ndjson has them in full):", severity_names[severity]);
			paragraph(s);
		}
		open = s->form->alert(s, order[i], shown < TEXT_ALERTS_IN_FULL);
		if (shown >= TEXT_ALERTS_IN_FULL && (i + 1 == f->alert_count || order[i + 1]->severity != severity))
			end(s);
	}
	say_number(s, f->alerts_below, "more alert is", "more alerts are", " below the severity asked for with -m, and not shown.");
	say_number(s, f->alerts_outside, "more alert is", "more alerts are", " outside the time asked for with --since and --until, and not shown.");
	say_number(s, f->alerts_held, "mailbox-day", "mailbox-days", " over the threshold raised no alert: rarer ones used up the false-alarm budget. A larger --budget shows more.");
	say_number(s, f->alerts_unchanged, "alert of earlier runs is", "alerts of earlier runs are", " unchanged, and not shown again.");
	for (size_t i = 0; i < f->withdrawn_count; i++)
		buf_printf(&s->line, "%stxm-%016" PRIx64, i ? ", " : "Withdrawn, because later records contradict them: ", f->withdrawn[i].number);
	if (f->withdrawn_count) {
		paragraph(s);
		end(s);
	}
	free(order);
}

/* -- the app inventory -- */

enum column {
	COL_RANK, COL_APP, COL_API, COL_FAMILY, COL_MAILBOXES, COL_SHARE, COL_ITEMS, COL_FOLDERS, COL_NETWORKS,
	COL_FIRST, COL_LAST, COL_UNUSUAL, COL_COUNT
};

static const struct say_column app_columns[COL_COUNT] = {
	[COL_RANK] = { "#", .right = true },
	[COL_APP] = { "application", .main = true, .widest = 36, .narrowest = 36 }, /* an id cut short cannot be looked up */
	[COL_API] = { "through", .widest = 24, .narrowest = 9, .leaves = 4 },
	[COL_FAMILY] = { "client", .widest = 24, .narrowest = 10, .leaves = 8, .under = true },
	[COL_MAILBOXES] = { "mailboxes", .right = true },
	[COL_SHARE] = { "share", .right = true, .leaves = 1, .under = true },
	[COL_ITEMS] = { "items", .right = true, .leaves = 7 },
	[COL_FOLDERS] = { "folders", .right = true, .leaves = 3 },
	[COL_NETWORKS] = { "nets", .right = true, .leaves = 5 },
	[COL_FIRST] = { "first seen", .time = true, .leaves = 6 },
	[COL_LAST] = { "last seen", .time = true, .leaves = 2, .under = true },
	[COL_UNUSUAL] = { "unusual", .right = true }, /* by which they are sorted: never left out */
};

static void app_cell(const struct say *s, const void *from, size_t row, size_t column, struct buf *ret)
{
	const struct tenant_findings *f = from;
	const struct inventory_row *app = &f->apps[row];
	const struct world *w = f->world;
	const struct world_client *c = &w->clients[app->client];
	const int64_t us = column == COL_FIRST ? c->first_us : c->last_us;
	char time[TIME_TEXT_SIZE];

	switch (column) {
	case COL_RANK: buf_printf(ret, "%zu", row + 1); break;
	case COL_APP: buf_add_str(ret, app_label(w, app->client)); break;
	case COL_API: buf_add_str(ret, api_label(w, app->client)); break;
	case COL_FAMILY: buf_add_str(ret, world_client_part(w, app->client, CLIENT_FAMILY)); break;
	case COL_MAILBOXES: sink_add_count(ret, c->mailboxes); break;
	case COL_SHARE: buf_printf(ret, app->share > 0 && app->share < 0.1 ? "%.1f%%" : "%.0f%%", 100 * app->share); break;
	case COL_ITEMS: sink_add_count(ret, c->items); break;
	case COL_FOLDERS: sink_add_count(ret, c->folders_synced); break;
	case COL_NETWORKS:
		if (!c->networks && c->microsoft_front_end)
			buf_add_cstr(ret, "MS");
		else
			sink_add_count(ret, c->networks);
		break;
	case COL_FIRST: case COL_LAST:
		if (us)
			buf_printf(ret, "%.*s", s->roomy ? 16 : 10, time_format_minute(us, time));
		break;
	case COL_UNUSUAL: buf_printf(ret, "%.2f", app->unusual); break;
	default: break;
	}
}

static void say_apps(struct say *s, const struct tenant_findings *f)
{
	const size_t rows = rows_shown(s, f->app_count, s->f->tenant_count > 1 ? TEXT_APPS_OF_TENANT : TEXT_APPS_SHOWN);

	if (!rows)
		return;
	buf_add_cstr(&s->line, "Who reads mail");
	add_whose(s, f->world);
	buf_add_cstr(&s->line, ", most unusual first (a ranking, not a verdict):");
	paragraph(s);
	s->form->table(s, &(struct say_table){ app_columns, COL_COUNT, rows, app_cell, f });
	rest_of_table(s, f->app_count - rows, "taximeter scan --inventory FILE.csv writes them all");
	end(s);
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

static void say_categories(struct say *s, const struct identity *x)
{
	struct buf *b = &s->line;
	char first[TIME_TEXT_SIZE], last[TIME_TEXT_SIZE];

	for (unsigned i = 0; i < SIGNIN_CATEGORIES; i++) {
		const struct identity_category *c = identity_category(x, i);
		const struct silences *t = identity_timeline(x, i);
		char name[40];

		snprintf(name, sizeof(name), "%s", signin_category_names[i]);
		for (char *q = name; *q; q++)
			*q = *q == '_' ? ' ' : *q;
		if (!c->rows && i == SIGNIN_CATEGORIES - 1)
			continue; /* the audit log's own, which are used where there are no interactive ones */
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
		fact(s, name);
	}
	end(s);
}

static const struct say_column token_columns[] = {
	{ "accesses of", .main = true, .widest = 48, .narrowest = 20 },
	{ "linked", .right = true },
	{ "orphan", .right = true },
	{ "cannot say", .right = true },
};

struct token_rows { const struct world *world; struct token_row *v; size_t n; };

static void token_cell(const struct say *s, const void *from, size_t row, size_t column, struct buf *ret)
{
	const struct token_rows *t = from;

	(void)s;
	if (column)
		sink_add_count(ret, t->v[row].verdicts[column - 1 + PROV_LINKED]);
	else
		buf_add_str(ret, app_label(t->world, t->v[row].client));
}

/* accesses by client and verdict; v: to be freed, NULL: out of memory */
static struct token_rows count_verdicts(const struct tenant_findings *f)
{
	struct token_rows ret = { f->world, calloc((size_t)f->world->client_count + 1, sizeof(*ret.v)), 0 };

	for (uint32_t i = 0; ret.v && i < f->world->client_count; i++) {
		const struct identity_client *c = identity_client(f->identity, i);
		struct token_row row = { .client = i };

		for (int r = 0; r < PROV_REASONS; r++) {
			row.verdicts[prov_reasons[r].verdict] += c->reasons[r];
			row.all += c->reasons[r];
		}
		if (row.all)
			ret.v[ret.n++] = row;
	}
	if (ret.v)
		qsort(ret.v, ret.n, sizeof(*ret.v), by_orphans);
	return ret;
}

static void say_tokens(struct say *s, const struct tenant_findings *f)
{
	struct buf *b = &s->line;
	struct token_rows rows;
	size_t shown, said = 0;

	if (!identity_says_something(f->identity))
		return;
	rows = count_verdicts(f);
	shown = rows_shown(s, rows.n, TOKEN_ROWS);
	b->failed |= !rows.v;
	buf_add_cstr(b, "Sign-ins in the logs");
	add_whose(s, f->world);
	buf_add_cstr(b, ", which link accesses to the sign-in that issued their token:");
	paragraph(s);
	say_categories(s, f->identity);
	if (shown)
		s->form->table(s, &(struct say_table){ token_columns, sizeof(token_columns) / sizeof(token_columns[0]), shown, token_cell, &rows });
	rest_of_table(s, rows.n - shown, "-f ndjson has them all");
	for (int r = 0; r < PROV_REASONS; r++) {
		uint64_t count = identity_count(f->identity, (enum prov_reason)r);
		if (prov_reasons[r].verdict != PROV_CANNOT_SAY || !count)
			continue;
		buf_add_cstr(b, said++ ? "; " : "Cannot say, because: ");
		buf_add_cstr(b, prov_reasons[r].doc);
		buf_add_cstr(b, " (");
		sink_add_count(b, count);
		buf_add_char(b, ')');
	}
	if (said) {
		buf_add_char(b, '.');
		paragraph(s);
	}
	end(s);
	free(rows.v);
}

/* -- accesses whose token no sign-in issued, and that no alert counts for it -- */

enum { ORPHAN_MAILBOX, ORPHAN_APP, ORPHAN_ACCESSES, ORPHAN_ITEMS, ORPHAN_TOKENS, ORPHAN_ALERTS, ORPHAN_FIRST, ORPHAN_LAST, ORPHAN_COLUMNS };

static const struct say_column orphan_columns[ORPHAN_COLUMNS] = {
	[ORPHAN_MAILBOX] = { "mailbox", .main = true, .widest = 48, .narrowest = 22 },
	[ORPHAN_APP] = { "application", .widest = 36, .narrowest = 12, .leaves = 6 },
	[ORPHAN_ACCESSES] = { "accesses", .right = true }, /* by which they are sorted */
	[ORPHAN_ITEMS] = { "items", .right = true, .leaves = 3 },
	[ORPHAN_TOKENS] = { "tokens", .right = true, .leaves = 4 },
	[ORPHAN_ALERTS] = { "other alerts", .right = true, .leaves = 2 },
	[ORPHAN_FIRST] = { "first", .time = true, .leaves = 5 },
	[ORPHAN_LAST] = { "last", .time = true, .leaves = 1, .under = true },
};

static void orphan_cell(const struct say *s, const void *from, size_t row, size_t column, struct buf *ret)
{
	const struct tenant_findings *f = from;
	const struct orphan_row *o = &f->orphans->rows[row];
	char time[TIME_TEXT_SIZE];

	switch (column) {
	case ORPHAN_MAILBOX:
		if (o->mailbox != NONE)
			add_mailbox(ret, f->world, o->mailbox);
		else if (o->actor != NONE)
			buf_printf(ret, "(account) %.*s", STR_ARG(world_actor(f->world, o->actor)));
		else
			buf_add_cstr(ret, "(no mailbox named)");
		break;
	case ORPHAN_APP: buf_add_str(ret, o->client == NONE ? STR("(no application id)") : app_label(f->world, o->client)); break;
	case ORPHAN_ACCESSES: sink_add_count(ret, o->accesses); break;
	case ORPHAN_ITEMS: sink_add_count(ret, o->items); break;
	case ORPHAN_TOKENS:
		sink_add_count(ret, o->tokens);
		buf_add_cstr(ret, o->tokens_cut ? "+" : "");
		break;
	case ORPHAN_ALERTS: sink_add_count(ret, o->alerts); break;
	default: buf_printf(ret, "%.*s", s->roomy ? 16 : 10, time_format_minute(column == ORPHAN_FIRST ? o->first_us : o->last_us, time)); break;
	}
}

static void say_orphans(struct say *s, const struct tenant_findings *f)
{
	const struct orphans *o = f->orphans;
	struct buf *b = &s->line;
	uint64_t rest = 0;

	if (!o || !o->accesses)
		return;
	const size_t shown = rows_shown(s, o->n, TEXT_ORPHANS_SHOWN);
	buf_add_cstr(b, "Accesses with a token that no sign-in issued");
	add_whose(s, f->world);
	buf_add_cstr(b, ": ");
	sink_add_count(b, o->accesses);
	buf_add_cstr(b, "; ");
	sink_add_count(b, o->in_alerts);
	buf_add_cstr(b, " in alerts of orphan-token or renewal-chain, ");
	sink_add_count(b, o->listed + o->without_room);
	buf_add_cstr(b, o->n ? " in none. By mailbox, most accesses first (other alerts: of other rules, that name the mailbox):" : " in none.");
	paragraph(s);
	if (shown)
		s->form->table(s, &(struct say_table){ orphan_columns, ORPHAN_COLUMNS, shown, orphan_cell, f });
	for (size_t i = shown; i < o->n; i++)
		rest += o->rows[i].accesses;
	if (rest) {
		buf_add_cstr(b, "and ");
		add_counted(b, o->n - shown, "more row", "more rows");
		buf_add_cstr(b, " with ");
		add_counted(b, rest, "access", "accesses");
		buf_add_cstr(b, " (-f ndjson has them all)");
		paragraph(s);
	}
	if (o->without_room) {
		add_counted(b, o->without_room, "access is", "accesses are");
		buf_add_cstr(b, " in no row: the list is full, and whether an alert counts them is not known.");
		paragraph(s);
	}
	end(s);
}

/* -- what the logs cannot show -- */

static void say_gaps_of_data(struct say *s)
{
	const struct findings *f = s->f;
	const struct world *w = f->world;
	struct buf *b = &s->line;

	if (!w->count.records) {
		buf_add_cstr(b, "There was no record to look at.");
		gap(s);
		return;
	}
	if (!w->count.mail_records) {
		buf_add_cstr(b, "No MailItemsAccessed or AttachmentAccess record is among them: the log does not show "
				"who read mail.");
		gap(s);
	} else if (!w->count.syncs) {
		buf_add_cstr(b, "No Sync record is among them: either no client copied whole folders, or the export "
				"left them out.");
		gap(s);
	} else {
		add_counted(b, w->count.syncs, "Sync record covers a whole folder",
			    "Sync records cover whole folders");
		buf_add_cstr(b, "; the log does not say how many messages that is.");
		gap(s);
	}
	for (size_t i = 0; i < f->tenant_count; i++) {
		const struct world *t = f->tenants[i].world;
		if (!t->count.mail_records || t->mail_last_us - t->mail_first_us >= WARM_UP_US)
			continue;
		buf_add_cstr(b, "Less than 14 days of mail reading");
		add_whose(s, t);
		buf_add_cstr(b, ": what is normal for a mailbox could not be learned. Only the "
				"fixed rules and the ranking of applications apply, and no rate of false alarms is promised.");
		gap(s);
	}
	if (!w->count.signins) {
		buf_add_cstr(b,
			     "No sign-in record is among them: no token can be traced to the sign-in that issued it.");
		gap(s);
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
			buf_add_cstr(b, "For ");
			sink_add_count(b, unknown);
			buf_add_cstr(b, " of ");
			add_counted(b, all, "access", "accesses");
			add_whose(s, f->tenants[i].world);
			buf_add_cstr(b, ", this data does not show whether the token was issued; the reasons are listed above.");
			gap(s);
		}
		if (f->tenant_count > 1 && !world_own_tenant(f->tenants[i].world).n) {
			add_counted(b, f->tenants[i].world->count.records, "record does", "records do");
			buf_add_cstr(b, " not say whose it is, by tenant, mailbox or account: judged apart from all tenants.");
			gap(s);
		}
	}
	if (!period_is_open(&f->period)) {
		period_sentence(&f->period, b);
		gap(s);
	}
	if (f->late) {
		add_counted(b, f->late, "record of this run came", "records of this run came");
		buf_add_cstr(b, " too late: older than what the state has learned. No rule judged them.");
		gap(s);
	}
	if (f->learn_since) {
		buf_printf(b, "Records before %s were not used: what was normal before is not known.", f->learn_since);
		gap(s);
	}
}

static void rest_of_list(struct say *s, size_t left_out)
{
	buf_add_cstr(&s->line, "and ");
	sink_add_count(&s->line, left_out);
	buf_add_cstr(&s->line, " more.");
	s->form->item(s, 1);
}

/* where the log itself was blind, by mailbox and day */
static void say_blind(struct say *s, const struct tenant_findings *f)
{
	const struct coverage *c = f->coverage;
	struct buf *b = &s->line;
	const struct coverage_finding *v;
	uint64_t blind = 0, all = 0;
	size_t n, shown = 0;

	if (!c || !coverage_days(c))
		return;
	v = coverage_findings(c, &n);
	for (int k = 0; k < DAY_OUTSIDE; k++) {
		all += coverage_total(c, (enum day_state)k);
		blind += day_is_blind((enum day_state)k) ? coverage_total(c, (enum day_state)k) : 0;
	}
	if (!all && !n && s->f->tenant_count > 1)
		return;
	buf_add_cstr(b, "Log coverage of ");
	add_counted(b, all, "mailbox-day", "mailbox-days");
	add_whose(s, f->world);
	buf_add_cstr(b, ": ");
	sink_add_count(b, coverage_total(c, DAY_RECORDED));
	buf_add_cstr(b, " with reads, ");
	sink_add_count(b, coverage_total(c, DAY_QUIET));
	buf_add_cstr(b, " without any activity, ");
	sink_add_count(b, blind);
	buf_add_cstr(b, " not logged (see taximeter coverage)");
	buf_add_cstr(b, n ? ":" : ".");
	gap(s);
	for (; shown < n && shown < TEXT_LIST_SHOWN + (s->roomy ? SAY_ROWS_ROOMY : 0); shown++) {
		if (shown == TEXT_LIST_SHOWN)
			rest_of_list(s, n - shown);
		coverage_sentence(f->world, &v[shown], b);
		buf_add_char(b, '.');
		s->form->item(s, shown < TEXT_LIST_SHOWN ? 1 : 2);
	}
	if (shown < n && shown == TEXT_LIST_SHOWN)
		rest_of_list(s, n - shown);
}

static void say_gaps_of_run(struct say *s)
{
	const struct findings *f = s->f;
	const struct world *w = f->world;
	struct buf *b = &s->line;
	uint64_t refused = findings_refused(f);
	size_t blind = 0;

	for (size_t i = 0; lost_sentence(&f->lost, i, b); i++)
		gap(s);
	for (size_t i = 0; i < f->alert_count; i++)
		blind += f->alerts[i]->blind_count > 0;
	if (blind) {
		add_counted(b, blind, "alert above says", "alerts above say");
		buf_add_cstr(b, " what else could not be seen (\"not seen\").");
		gap(s);
	}
	if (w->count.unknown_access) {
		add_counted(b, w->count.unknown_access, "read of mail is neither Bind nor Sync",
			    "reads of mail are neither Bind nor Sync");
		buf_add_cstr(b, "; counted, not understood.");
		gap(s);
	}
	if (refused) {
		add_counted(b, refused, "entry did", "entries did");
		buf_add_cstr(b, " not fit into bounded tables (-f ndjson names them under \"refused\").");
		gap(s);
	}
}

static void say_gaps(struct say *s)
{
	if (!s->f->alert_count)
		buf_add_cstr(&s->line, "\"No alerts\" is not \"nothing happened\". ");
	buf_add_cstr(&s->line, "What this cannot show:");
	paragraph(s);
	say_gaps_of_data(s);
	for (size_t i = 0; i < s->f->tenant_count; i++)
		say_blind(s, &s->f->tenants[i]);
	say_gaps_of_run(s);
	buf_add_cstr(&s->line, "Accounts whose auditing is bypassed, mailboxes without the licence, and "
			       "tokens that never left a record stay invisible in any export.");
	gap(s);
}

/* -- sections -- */

const struct say_section say_sections[] = {
	{ "alerts", "Alerts, worst first", .of_all = say_alerts },
	{ "applications", "Applications that read mail", .of_tenant = say_apps },
	{ "tokens", "Sign-ins and tokens", .of_tenant = say_tokens },
	{ "orphans", "Tokens that no sign-in issued", .of_tenant = say_orphans },
	{ "blind", "What the logs cannot show", .of_all = say_gaps },
	{ NULL, NULL, NULL, NULL },
};

void say_section(struct say *s, const struct say_section *section)
{
	for (size_t i = 0; section->of_tenant && i < s->f->tenant_count; i++)
		section->of_tenant(s, &s->f->tenants[i]);
	if (section->of_all)
		section->of_all(s);
}

void say_init(struct say *s, const struct findings *f, const struct say_form *form, bool roomy)
{
	*s = (struct say){ .f = f, .form = form, .roomy = roomy };
	buf_init(&s->line, SINK_PIECE_BYTES_MAX);
	buf_init(&s->more, SINK_PIECE_BYTES_MAX);
}

void say_release(struct say *s)
{
	buf_release(&s->line);
	buf_release(&s->more);
}

/* a form that only sees whether there is anything */
struct probe { struct say say; bool any; };

static void probe(struct say *s)
{
	((struct probe *)s)->any = true;
	buf_clear(&s->line);
	buf_clear(&s->more);
}
static void probe_item(struct say *s, unsigned depth) { (void)depth; probe(s); }
static void probe_fact(struct say *s, const char *name, bool exact) { (void)name; (void)exact; probe(s); }
static void probe_sentence(struct say *s, const char *name) { (void)name; probe(s); }
static void probe_table(struct say *s, const struct say_table *t) { (void)t; probe(s); }
static bool probe_alert(struct say *s, const struct alert *a, bool in_full) { (void)a; (void)in_full; probe(s); return false; }
static void probe_end(struct say *s) { (void)s; }

bool say_has(const struct findings *f, const struct say_section *section)
{
	static const struct say_form form = { probe, probe_item, probe_fact, probe_sentence, probe_table, probe_alert, probe_end };
	struct probe p = { .any = false };

	say_init(&p.say, f, &form, false);
	say_section(&p.say, section);
	say_release(&p.say);
	return p.any;
}
