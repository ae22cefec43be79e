/* SPDX-License-Identifier: Apache-2.0 */
/* csv: tables for a spreadsheet.  A CSV file is one table: `-f csv` writes the alerts, a row each; `--inventory` writes
 * the applications.  A list is in one cell, joined by "; ".  Texts pass through buf_add_csv(), so that no cell can
 * start a formula; what is not known is an empty cell. */
#include <inttypes.h>

#include "base/limits.h"
#include "base/timefmt.h"
#include "detect/detect.h"
#include "sink/sink.h"

/* One row under construction.  A cell is gathered apart, because it is quoted as a whole. */
struct row {
	struct buf *out;
	struct buf cell;
	unsigned columns;
};

static void row_cell(struct row *r)
{
	if (r->columns++)
		buf_add_char(r->out, ',');
	if (r->cell.n)
		buf_add_csv(r->out, buf_str(&r->cell));
	if (buf_failed(&r->cell))
		r->out->failed = true;
	buf_clear(&r->cell);
}

static void row_text(struct row *r, struct str s)
{
	buf_add_str(&r->cell, s);
	row_cell(r);
}

static void row_number(struct row *r, uint64_t n)
{
	if (r->columns++)
		buf_add_char(r->out, ',');
	buf_printf(r->out, "%" PRIu64, n);
}

static void row_time(struct row *r, int64_t us)
{
	char text[TIME_TEXT_SIZE];

	if (us)
		buf_add_cstr(&r->cell, time_format(us, text));
	row_cell(r);
}

static void row_end(struct row *r)
{
	buf_add_char(r->out, '\n');
	r->columns = 0;
}

/* adds one entry of a list to the cell */
static void entry(struct row *r, struct str s)
{
	if (r->cell.n)
		buf_add_cstr(&r->cell, "; ");
	buf_add_str(&r->cell, s);
}

static void row_ids(struct row *r, const struct world *w, const struct id_entry *ids, uint32_t n,
                    struct str (*id_text)(const struct world *, const uint8_t *, bool, char *))
{
	char text[ID_TEXT_SIZE];

	for (uint32_t i = 0; i < n; i++)
		entry(r, id_text(w, ids[i].id, ids[i].is_text, text));
	row_cell(r);
}

static void row_mailboxes(struct row *r, const struct world *w, const struct u32_list *list)
{
	for (uint32_t i = 0; i < list->n; i++) {
		struct str upn = world_mailbox_upn(w, list->v[i]);
		entry(r, upn.n ? upn : world_mailbox_guid(w, list->v[i]));
	}
	row_cell(r);
}

/* "Microsoft Office (d3590ed6-...)" */
static void row_apps(struct row *r, const struct world *w, const struct u32_list *list)
{
	for (uint32_t i = 0; i < list->n; i++) {
		struct str name = world_client_name(w, list->v[i]);
		struct str caller = world_client_part(w, list->v[i], CLIENT_CALLER);
		entry(r, name.n ? name : caller);
		if (name.n && caller.n)
			buf_printf(&r->cell, " (%.*s)", STR_ARG(caller));
	}
	row_cell(r);
}

static void row_where(struct row *r, const struct world *w, const struct alert *a)
{
	char text[ADDR_TEXT_SIZE];

	for (uint32_t i = 0; i < a->actors.n; i++)
		entry(r, world_actor(w, a->actors.v[i]));
	row_cell(r);
	for (uint32_t i = 0; i < a->ip_count; i++)
		entry(r, str_of(addr_format(&a->ips[i], text)));
	row_cell(r);
	for (uint32_t i = 0; i < a->nets.n; i++)
		if (a->nets.v[i] != NET_NONE)
			entry(r, str_of(world_net_label(w, a->nets.v[i])));
	row_cell(r);
}

static void row_sentences(struct row *r, const struct alert *a)
{
	struct buf cut;

	for (uint32_t i = 0; i < a->why_count; i++)
		entry(r, str_of(a->why[i]));
	row_cell(r);
	buf_init(&cut, 4 * KIB);
	for (uint32_t i = 0; i < a->blind_count; i++)
		entry(r, str_of(a->blind[i]));
	for (unsigned i = 0; alert_cut_sentence(a, i, &cut); i++) {
		entry(r, buf_str(&cut));
		buf_clear(&cut);
	}
	buf_release(&cut);
	row_cell(r);
	for (size_t i = 0; a->detector->mitre && a->detector->mitre[i]; i++)
		entry(r, str_of(a->detector->mitre[i]));
	row_cell(r);
}

static void add_cell(struct row *r, const struct world *w, const struct cell *c)
{
	char text[TIME_TEXT_SIZE];

	switch (c->kind) {
	case CELL_TEXT:
		buf_add_cstr(&r->cell, c->text);
		break;
	case CELL_NUMBER:
		buf_printf(&r->cell, "%" PRIu64, c->number);
		break;
	case CELL_REAL:
		buf_printf(&r->cell, "%.3g", c->real);
		break;
	case CELL_TIME:
		buf_add_cstr(&r->cell, time_format(c->time_us, text));
		break;
	case CELL_FLAG:
		buf_add_cstr(&r->cell, c->flag ? "true" : "false");
		break;
	case CELL_MAILBOX_GUID:
		buf_add_str(&r->cell, world_mailbox_guid(w, c->mailbox));
		break;
	case CELL_MAILBOX_UPN:
		buf_add_str(&r->cell, world_mailbox_upn(w, c->mailbox));
		break;
	default:
		break;
	}
}

/* odds, reasons, baseline, campaign: empty for rules without statistics */
static void row_statistics(struct row *r, const struct world *w, const struct alert *a)
{
	const struct alert_baseline *n = &a->baseline;
	const bool any = a->odds > 0;

	if (any)
		buf_printf(&r->cell, "%.3g", a->odds);
	row_cell(r);
	for (uint32_t i = 0; any && i < a->reason_count; i++)
		buf_printf(&r->cell, "%sfamily=%s, p=%.3g", i ? "; " : "", a->reasons[i].family, a->reasons[i].p);
	row_cell(r);
	if (any && n->mailbox != NONE)
		buf_printf(&r->cell, "mailbox=%.*s, items=%.3g, typical=%.3g, low=%.3g, high=%.3g, effective_days=%.3g",
			   STR_ARG(world_mailbox_guid(w, n->mailbox)), n->items, n->typical, n->low, n->high, n->effective_days);
	row_cell(r);
	if (any && a->campaign.set) {
		buf_printf(&r->cell, "by=%s, mailboxes=%" PRIu32, a->campaign.by, a->campaign.mailboxes);
		if (a->campaign.odds > 0)
			buf_printf(&r->cell, ", odds=%.3g", a->campaign.odds);
	}
	row_cell(r);
}

/* A cell for each member of alert/members.h.  An object is "name=value, name=value", without what is not known. */
static void row_members(struct row *r, const struct world *w, const struct alert *a)
{
	struct alert_cut cut;

	row_number(r, a->records);
	row_number(r, a->mailboxes.total);
	for (uint32_t i = 0; i < a->mailboxes.n; i++) {
		struct str guid = world_mailbox_guid(w, a->mailboxes.v[i]);
		entry(r, guid.n ? guid : STR("-"));
	}
	row_cell(r);
	row_statistics(r, w, a);
	for (unsigned i = 0; alert_cut(a, i, &cut); i++)
		buf_printf(&r->cell, "%s%s=%" PRIu64, i ? ", " : "", cut.name, cut.total);
	row_cell(r);
	for (unsigned name = 0; name < ALERT_MEMBERS; name++) {
		const struct alert_member *m = alert_member_get(a, (enum alert_member_name)name);
		const struct member_form *form = &member_forms[name];

		for (uint32_t row = 0; m && row < m->rows; row++) {
			bool any = false;
			if (row)
				buf_add_cstr(&r->cell, "; ");
			for (uint32_t k = 0; k < m->columns; k++) {
				const struct cell *c = &m->cells[row * m->columns + k];
				if (c->kind == CELL_NONE)
					continue;
				if (form->columns[0])
					buf_printf(&r->cell, "%s%s=", any ? ", " : "", form->columns[k]);
				add_cell(r, w, c);
				any = true;
			}
		}
		row_cell(r);
	}
}

static void csv_write(struct sink_out *o, const struct findings *f)
{
	struct row r = { .out = &o->pending };
	bool open = true;

	buf_init(&r.cell, SINK_PIECE_BYTES_MAX);
	buf_add_cstr(&o->pending,
		     "id,time,rule,severity,title,mailboxes,apps,actors,ips,networks,sessions,tokens,first_seen,"
		     "last_seen,records,items,folders_synced,why,blind,mitre,evidence,tenant,evidence_total,mailbox_count,mailbox_guids,"
		     "odds,reasons,baseline,campaign,cut"
#define MEMBER(symbol, name, ...) "," name
#include "alert/members.h"
#undef MEMBER
		     "\n");
	for (size_t i = 0; i < f->alert_count && open; i++) {
		const struct alert *a = f->alerts[i];
		const struct world *w = alert_world(a);
		row_text(&r, str_of(a->id));
		row_time(&r, a->time_us);
		row_text(&r, str_of(a->detector->name));
		row_text(&r, str_of(severity_names[a->severity]));
		row_text(&r, str_of(a->title));
		row_mailboxes(&r, w, &a->mailboxes);
		row_apps(&r, w, &a->clients);
		row_where(&r, w, a);
		row_ids(&r, w, a->sessions, a->session_count, world_id_text);
		row_ids(&r, w, a->tokens, a->token_count, world_token_text);
		row_time(&r, a->first_us);
		row_time(&r, a->last_us);
		row_number(&r, a->records);
		row_number(&r, a->items);
		row_number(&r, a->folders_synced);
		row_sentences(&r, a);
		row_ids(&r, w, a->evidence, a->evidence_count, world_id_text);
		row_text(&r, world_own_tenant(w));
		row_members(&r, w, a);
		row_end(&r);
		open = sink_out_step(o);
	}
	buf_release(&r.cell);
}

static bool csv_apps(struct row *r, struct sink_out *o, const struct tenant_findings *f)
{
	const struct world *w = f->world;
	bool open = true;

	for (size_t i = 0; i < f->app_count && open; i++) {
		const uint32_t k = f->apps[i].client;
		const struct world_client *c = &w->clients[k];
		row_number(r, i + 1);
		buf_printf(&o->pending, ",%.3f", f->apps[i].unusual);
		row_text(r, world_client_part(w, k, CLIENT_APP_ID));
		row_text(r, world_client_part(w, k, CLIENT_CLIENT_APP_ID));
		row_text(r, world_client_name(w, k));
		row_text(r, world_client_part(w, k, CLIENT_FAMILY));
		row_text(r, world_client_part(w, k, CLIENT_API));
		row_number(r, c->mailboxes);
		buf_printf(&o->pending, ",%.4f", f->apps[i].share);
		row_number(r, c->records);
		row_number(r, c->binds);
		row_number(r, c->syncs);
		row_number(r, c->attachments);
		row_number(r, c->items);
		row_number(r, c->folders_synced);
		row_number(r, c->networks);
		row_text(r, c->microsoft_front_end ? STR("true") : STR("false"));
		row_time(r, c->first_us);
		row_time(r, c->last_us);
		row_text(r, world_own_tenant(w));
		row_end(r);
		open = sink_out_step(o);
	}
	return open;
}

void csv_inventory(struct sink_out *o, const struct findings *f)
{
	struct row r = { .out = &o->pending };
	bool open = true;

	buf_init(&r.cell, SINK_PIECE_BYTES_MAX);
	buf_add_cstr(&o->pending,
		     "rank,unusual,app_id,client_app_id,name,client,api,mailboxes,share,records,binds,syncs,"
		     "attachments,items,folders_synced,networks,microsoft_front_end,first_seen,last_seen,tenant\n");
	for (size_t i = 0; i < f->tenant_count && open; i++)
		open = csv_apps(&r, o, &f->tenants[i]);
	buf_release(&r.cell);
}

const struct sink sink_csv = {
	.name = "csv",
	.doc = "the alerts as one table, for a spreadsheet",
	.write = csv_write,
};
