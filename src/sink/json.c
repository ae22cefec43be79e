/* SPDX-License-Identifier: Apache-2.0 */
/* json: a finding, an application, the summary, each as one JSON object.  The keys of an alert and their order are a
 * contract with other tools.  What is not known is null, never "" or 0; a Sync has no number of items and adds none. */
#include <inttypes.h>

#include "base/count.h"
#include "base/guid.h"
#include "base/limits.h"
#include "base/schema.h"
#include "base/timefmt.h"
#include "coverage/coverage.h"
#include "detect/detect.h"
#include "detect/orphans.h"
#include "identity/identity.h"
#include "sink/sink.h"

void json_text(struct buf *b, struct str s)
{
	if (s.n)
		buf_add_json(b, s);
	else
		buf_add_cstr(b, "null");
}

void json_time(struct buf *b, int64_t us)
{
	char text[TIME_TEXT_SIZE];

	if (us) {
		buf_add_char(b, '"');
		buf_add_cstr(b, time_format(us, text));
		buf_add_char(b, '"');
	} else {
		buf_add_cstr(b, "null");
	}
}

void json_period(struct buf *b, const struct period *p)
{
	buf_add_cstr(b, ",\"since\":");
	json_text(b, str_of(p->since));
	buf_add_cstr(b, ",\"until\":");
	json_text(b, str_of(p->until));
}

void json_hours(struct buf *b, const char *key, int64_t us)
{
	const int64_t tenths = time_tenths(us);

	buf_printf(b, ",\"%s\":%" PRId64 ".%d", key, tenths / 10, (int)(tenths % 10));
}

static void number(struct buf *b, const char *key, uint64_t n)
{
	buf_printf(b, ",\"%s\":%" PRIu64, key, n);
}

/* `i`th comma of a list */
static void comma(struct buf *b, size_t i)
{
	if (i)
		buf_add_char(b, ',');
}

bool alert_cut_sentence(const struct alert *a, unsigned i, struct buf *ret)
{
	struct alert_cut cut;

	for (unsigned k = 0; alert_cut(a, k, &cut); k++) {
		if (!cut.noun || i-- > 0) /* record ids are examples, and not reported */
			continue;
		buf_printf(ret, "The list of %s stops after the first %s of %s.", cut.noun, DIGITS(cut.listed), DIGITS(cut.total));
		return true;
	}
	return false;
}

void json_tenant(struct buf *b, const struct world *w)
{
	buf_add_cstr(b, ",\"tenant\":");
	json_text(b, world_own_tenant(w));
}

static void add_mailboxes(struct buf *b, const struct world *w, const struct u32_list *list)
{
	buf_add_cstr(b, ",\"mailboxes\":[");
	for (uint32_t i = 0; i < list->n; i++) {
		comma(b, i);
		buf_add_cstr(b, "{\"guid\":");
		json_text(b, world_mailbox_guid(w, list->v[i]));
		buf_add_cstr(b, ",\"upn\":");
		json_text(b, world_mailbox_upn(w, list->v[i]));
		buf_add_char(b, '}');
	}
	buf_add_char(b, ']');
}

static void add_apps(struct buf *b, const struct world *w, const struct u32_list *list)
{
	buf_add_cstr(b, ",\"apps\":[");
	for (uint32_t i = 0; i < list->n; i++) {
		comma(b, i);
		buf_add_cstr(b, "{\"app_id\":");
		json_text(b, world_client_part(w, list->v[i], CLIENT_APP_ID));
		buf_add_cstr(b, ",\"client_app_id\":");
		json_text(b, world_client_part(w, list->v[i], CLIENT_CLIENT_APP_ID));
		buf_add_cstr(b, ",\"name\":");
		json_text(b, world_client_name(w, list->v[i]));
		buf_add_cstr(b, ",\"client\":");
		json_text(b, world_client_part(w, list->v[i], CLIENT_FAMILY));
		buf_add_char(b, '}');
	}
	buf_add_char(b, ']');
}

static void add_where(struct buf *b, const struct world *w, const struct alert *a)
{
	char text[ADDR_TEXT_SIZE];
	size_t n = 0;

	buf_add_cstr(b, ",\"actors\":[");
	for (uint32_t i = 0; i < a->actors.n; i++) {
		comma(b, i);
		buf_add_json(b, world_actor(w, a->actors.v[i]));
	}
	buf_add_cstr(b, "],\"ips\":[");
	for (uint32_t i = 0; i < a->ip_count; i++) {
		comma(b, i);
		buf_add_json(b, str_of(addr_format(&a->ips[i], text)));
	}
	buf_add_cstr(b, "],\"networks\":[");
	for (uint32_t i = 0; i < a->nets.n; i++) {
		if (a->nets.v[i] == NET_NONE)
			continue;
		comma(b, n++);
		buf_add_json(b, str_of(world_net_label(w, a->nets.v[i])));
	}
	buf_add_char(b, ']');
}

static void add_ids(struct buf *b, const struct world *w, const char *key, const struct id_entry *ids, uint32_t count,
                    struct str (*id_text)(const struct world *, const uint8_t *, bool, char *))
{
	char text[ID_TEXT_SIZE];

	buf_printf(b, ",\"%s\":[", key);
	for (uint32_t i = 0; i < count; i++) {
		comma(b, i);
		buf_add_json(b, id_text(w, ids[i].id, ids[i].is_text, text));
	}
	buf_add_char(b, ']');
}

static void add_sentences(struct buf *b, const struct alert *a)
{
	struct buf cut;

	buf_add_cstr(b, ",\"why\":[");
	for (uint32_t i = 0; i < a->why_count; i++) {
		comma(b, i);
		buf_add_json(b, str_of(a->why[i]));
	}
	buf_add_cstr(b, "],\"blind\":[");
	for (uint32_t i = 0; i < a->blind_count; i++) {
		comma(b, i);
		buf_add_json(b, str_of(a->blind[i]));
	}
	buf_init(&cut, 4 * KIB);
	for (unsigned i = 0; alert_cut_sentence(a, i, &cut); i++) {
		comma(b, i + a->blind_count);
		buf_add_json(b, buf_str(&cut));
		buf_clear(&cut);
	}
	buf_release(&cut);
	buf_add_cstr(b, "],\"mitre\":[");
	for (size_t i = 0; a->detector->mitre && a->detector->mitre[i]; i++) {
		comma(b, i);
		buf_add_json(b, str_of(a->detector->mitre[i]));
	}
	buf_add_char(b, ']');
}

/* A probability with three digits; JSON knows no infinity and no NaN. */
static void real(struct buf *b, const char *key, double x)
{
	if (x > 1e15 || !(x >= 0))
		x = 1e15;
	buf_printf(b, ",\"%s\":%.*g", key, x >= 1000 && x < 1e7 ? 7 : 3, x >= 1000 ? (double)(int64_t)x : x);
}

/* what a statistical finding has beyond a hard rule */
static void add_statistics(struct buf *b, const struct world *w, const struct alert *a)
{
	const struct alert_baseline *n = &a->baseline;

	real(b, "odds", a->odds);
	buf_add_cstr(b, ",\"reasons\":[");
	for (uint32_t i = 0; i < a->reason_count; i++) {
		comma(b, i);
		buf_add_cstr(b, "{\"family\":");
		buf_add_json(b, str_of(a->reasons[i].family));
		real(b, "p", a->reasons[i].p);
		buf_add_cstr(b, ",\"text\":");
		buf_add_json(b, str_of(a->reasons[i].text));
		buf_add_char(b, '}');
	}
	buf_add_cstr(b, "],\"baseline\":");
	if (n->mailbox == NONE) {
		buf_add_cstr(b, "null");
	} else {
		buf_add_cstr(b, "{\"mailbox\":");
		json_text(b, world_mailbox_guid(w, n->mailbox));
		real(b, "items", n->items);
		real(b, "typical", n->typical);
		real(b, "low", n->low);
		real(b, "high", n->high);
		real(b, "effective_days", n->effective_days);
		buf_add_char(b, '}');
	}
	buf_add_cstr(b, ",\"campaign\":");
	if (!a->campaign.set) {
		buf_add_cstr(b, "null");
		return;
	}
	buf_printf(b, "{\"by\":\"%s\",\"mailboxes\":%" PRIu32, a->campaign.by, a->campaign.mailboxes);
	if (a->campaign.odds > 0)
		real(b, "odds", a->campaign.odds);
	else
		buf_add_cstr(b, ",\"odds\":null");
	buf_add_char(b, '}');
}

static void add_cell(struct buf *b, const struct world *w, const struct cell *c)
{
	switch (c->kind) {
	case CELL_TEXT:
		buf_add_json(b, str_of(c->text));
		break;
	case CELL_NUMBER:
		buf_printf(b, "%" PRIu64, c->number);
		break;
	case CELL_REAL:
		buf_printf(b, "%.3g", c->real);
		break;
	case CELL_TIME:
		json_time(b, c->time_us);
		break;
	case CELL_FLAG:
		buf_add_cstr(b, c->flag ? "true" : "false");
		break;
	case CELL_MAILBOX_GUID:
		json_text(b, world_mailbox_guid(w, c->mailbox));
		break;
	case CELL_MAILBOX_UPN:
		json_text(b, world_mailbox_upn(w, c->mailbox));
		break;
	default:
		buf_add_cstr(b, "null");
	}
}

/* what the rule added, in the order of alert/members.h; and which lists are shorter than what there was */
static void add_members(struct buf *b, const struct world *w, const struct alert *a)
{
	struct alert_cut cut;
	unsigned n = 0;

	for (; alert_cut(a, n, &cut); n++)
		buf_printf(b, "%s\"%s\":%" PRIu64, n ? "," : ",\"cut\":{", cut.name, cut.total);
	if (n)
		buf_add_char(b, '}');
	for (uint32_t i = 0; i < a->member_count; i++) {
		const struct alert_member *m = &a->members[i];
		const struct member_form *form = &member_forms[m->name];
		bool objects = form->shape == SHAPE_OBJECT || form->shape == SHAPE_OBJECTS;
		bool list = form->shape == SHAPE_LIST || form->shape == SHAPE_OBJECTS;

		buf_printf(b, ",\"%s\":%s", form->name, list ? "[" : m->rows ? "" : "null");
		for (uint32_t row = 0; row < m->rows; row++) {
			comma(b, row);
			for (uint32_t k = 0; k < m->columns; k++) {
				if (objects)
					buf_printf(b, "%s\"%s\":", k ? "," : "{", form->columns[k]);
				add_cell(b, w, &m->cells[row * m->columns + k]);
			}
			if (objects)
				buf_add_char(b, '}');
		}
		if (list)
			buf_add_char(b, ']');
	}
}

void json_alert(struct buf *b, const struct alert *a)
{
	const struct world *w = alert_world(a);

	buf_add_cstr(b, "{\"type\":\"alert\",\"id\":");
	buf_add_json(b, str_of(a->id));
	buf_add_cstr(b, ",\"time\":");
	json_time(b, a->time_us);
	buf_add_cstr(b, ",\"rule\":");
	buf_add_json(b, str_of(a->detector->name));
	buf_add_cstr(b, ",\"severity\":");
	buf_add_json(b, str_of(severity_names[a->severity]));
	buf_add_cstr(b, ",\"title\":");
	buf_add_json(b, str_of(a->title));
	json_tenant(b, w);
	add_mailboxes(b, w, &a->mailboxes);
	add_apps(b, w, &a->clients);
	add_where(b, w, a);
	add_ids(b, w, "sessions", a->sessions, a->session_count, world_id_text);
	add_ids(b, w, "tokens", a->tokens, a->token_count, world_token_text);
	buf_add_cstr(b, ",\"first_seen\":");
	json_time(b, a->first_us);
	buf_add_cstr(b, ",\"last_seen\":");
	json_time(b, a->last_us);
	number(b, "records", a->records);
	number(b, "items", a->items);
	number(b, "folders_synced", a->folders_synced);
	add_sentences(b, a);
	add_ids(b, w, "evidence", a->evidence, a->evidence_count, world_id_text);
	number(b, "evidence_total", a->records);
	number(b, "mailbox_count", a->mailboxes.total);
	if (a->odds > 0)
		add_statistics(b, w, a);
	add_members(b, w, a);
	buf_add_char(b, '}');
}

void json_app(struct buf *b, const struct world *w, const struct inventory_row *row, size_t rank)
{
	const struct world_client *c = &w->clients[row->client];

	buf_add_cstr(b, "{\"type\":\"app\"");
	json_tenant(b, w);
	buf_add_cstr(b, ",\"app_id\":");
	json_text(b, world_client_part(w, row->client, CLIENT_APP_ID));
	buf_add_cstr(b, ",\"client_app_id\":");
	json_text(b, world_client_part(w, row->client, CLIENT_CLIENT_APP_ID));
	buf_add_cstr(b, ",\"name\":");
	json_text(b, world_client_name(w, row->client));
	buf_add_cstr(b, ",\"client\":");
	json_text(b, world_client_part(w, row->client, CLIENT_FAMILY));
	buf_add_cstr(b, ",\"api\":");
	json_text(b, world_client_part(w, row->client, CLIENT_API));
	number(b, "mailboxes", c->mailboxes);
	buf_printf(b, ",\"share\":%.4f", row->share);
	number(b, "records", c->records);
	number(b, "binds", c->binds);
	number(b, "syncs", c->syncs);
	number(b, "attachments", c->attachments);
	number(b, "items", c->items);
	number(b, "folders_synced", c->folders_synced);
	number(b, "networks", c->networks);
	buf_add_cstr(b, c->microsoft_front_end ? ",\"microsoft_front_end\":true" : ",\"microsoft_front_end\":false");
	buf_add_cstr(b, ",\"first_seen\":");
	json_time(b, c->first_us);
	buf_add_cstr(b, ",\"last_seen\":");
	json_time(b, c->last_us);
	number(b, "rank", rank);
	buf_printf(b, ",\"unusual\":%.3f}", row->unusual);
}

static void add_category(struct buf *b, const struct world *w, const struct identity *x, unsigned category)
{
	const struct identity_category *c = identity_category(x, category);
	const struct silences *t = identity_timeline(x, category);

	buf_add_cstr(b, "{\"type\":\"signins\"");
	json_tenant(b, w);
	buf_printf(b, ",\"category\":\"%s\"", signin_category_names[category]);
	number(b, "signins", c->rows);
	number(b, "issued", c->issued);
	number(b, "without_time", c->without_time);
	buf_add_cstr(b, ",\"first\":");
	json_time(b, c->first_us);
	buf_add_cstr(b, ",\"last\":");
	json_time(b, c->last_us);
	buf_add_cstr(b, ",\"holes\":[");
	for (size_t i = 0; i < t->hole_count && i < SUMMARY_HOLES_MAX; i++) {
		comma(b, i);
		buf_add_cstr(b, "{\"from\":");
		json_time(b, t->holes[i].from * t->slot_us);
		buf_add_cstr(b, ",\"to\":");
		json_time(b, t->holes[i].to * t->slot_us);
		buf_add_char(b, '}');
	}
	buf_add_char(b, ']');
	number(b, "hole_count", t->hole_count);
	buf_add_cstr(b, "}\n");
}

void json_tokens(struct sink_out *o, const struct tenant_findings *f)
{
	struct buf *b = &o->pending;

	if (!identity_says_something(f->identity))
		return;
	for (unsigned i = 0; i < SIGNIN_CATEGORIES; i++)
		add_category(b, f->world, f->identity, i);
	for (uint32_t i = 0; i < f->world->client_count && sink_out_step(o); i++) {
		const struct identity_client *c = identity_client(f->identity, i);
		uint64_t verdicts[PROV_VERDICTS] = { 0 };
		bool any = false;

		for (int r = 0; r < PROV_REASONS; r++)
			verdicts[prov_reasons[r].verdict] += c->reasons[r];
		if (!verdicts[PROV_LINKED] && !verdicts[PROV_ORPHAN] && !verdicts[PROV_CANNOT_SAY])
			continue;
		buf_add_cstr(b, "{\"type\":\"tokens\"");
		json_tenant(b, f->world);
		buf_add_cstr(b, ",\"app_id\":");
		json_text(b, world_client_part(f->world, i, CLIENT_APP_ID));
		buf_add_cstr(b, ",\"client_app_id\":");
		json_text(b, world_client_part(f->world, i, CLIENT_CLIENT_APP_ID));
		buf_add_cstr(b, ",\"name\":");
		json_text(b, world_client_name(f->world, i));
		buf_add_cstr(b, ",\"client\":");
		json_text(b, world_client_part(f->world, i, CLIENT_FAMILY));
		for (int v = 0; v < PROV_VERDICTS; v++)
			number(b, prov_verdict_names[v], verdicts[v]);
		buf_add_cstr(b, ",\"reasons\":{");
		for (int r = 0; r < PROV_REASONS; r++) {
			if (!c->reasons[r])
				continue;
			buf_printf(b, "%s\"%s\":%" PRIu64, any ? "," : "", prov_reasons[r].name, c->reasons[r]);
			any = true;
		}
		buf_add_char(b, '}');
		number(b, "tokens_linked", c->by[0].linked);
		number(b, "tokens_orphan", c->by[0].orphans);
		buf_add_cstr(b, "}\n");
	}
}

static void add_orphan_row(struct buf *b, const struct world *w, const struct orphan_row *row)
{
	const bool boxed = row->mailbox != NONE, named = row->client != NONE;

	buf_add_cstr(b, "{\"type\":\"orphans\"");
	json_tenant(b, w);
	buf_add_cstr(b, ",\"guid\":");
	json_text(b, boxed ? world_mailbox_guid(w, row->mailbox) : STR_NONE);
	buf_add_cstr(b, ",\"upn\":");
	json_text(b, boxed ? world_mailbox_upn(w, row->mailbox) : STR_NONE);
	buf_add_cstr(b, ",\"actor\":");
	json_text(b, row->actor != NONE ? world_actor(w, row->actor) : STR_NONE);
	buf_add_cstr(b, ",\"app_id\":");
	json_text(b, named ? world_client_part(w, row->client, CLIENT_APP_ID) : STR_NONE);
	buf_add_cstr(b, ",\"client_app_id\":");
	json_text(b, named ? world_client_part(w, row->client, CLIENT_CLIENT_APP_ID) : STR_NONE);
	buf_add_cstr(b, ",\"api\":");
	json_text(b, named ? world_client_part(w, row->client, CLIENT_API) : STR_NONE);
	buf_add_cstr(b, ",\"name\":");
	json_text(b, named ? world_client_name(w, row->client) : STR_NONE);
	buf_add_cstr(b, ",\"client\":");
	json_text(b, named ? world_client_part(w, row->client, CLIENT_FAMILY) : STR_NONE);
	number(b, "accesses", row->accesses);
	number(b, "items", row->items);
	number(b, "tokens", row->tokens);
	buf_printf(b, ",\"tokens_cut\":%s", row->tokens_cut ? "true" : "false");
	number(b, "alerts", row->alerts);
	buf_add_cstr(b, ",\"first_seen\":");
	json_time(b, row->first_us);
	buf_add_cstr(b, ",\"last_seen\":");
	json_time(b, row->last_us);
	buf_add_cstr(b, "}\n");
}

void json_orphans(struct sink_out *o, const struct tenant_findings *f)
{
	for (size_t i = 0; f->orphans && i < f->orphans->n && sink_out_step(o); i++)
		add_orphan_row(&o->pending, f->world, &f->orphans->rows[i]);
}

/* of all tenants; absent if none has sign-ins, so that nothing could be judged */
static void add_orphans(struct buf *b, const struct findings *f)
{
	uint64_t accesses = 0, in_alerts = 0, listed = 0, without_room = 0, mailboxes = 0;
	bool judged = false;

	for (size_t i = 0; i < f->tenant_count; i++) {
		const struct orphans *o = f->tenants[i].orphans;

		judged |= identity_has_signins(f->tenants[i].identity);
		if (!o)
			continue;
		accesses += o->accesses;
		in_alerts += o->in_alerts;
		listed += o->listed;
		without_room += o->without_room;
		mailboxes += o->mailboxes;
	}
	if (!judged)
		return;
	buf_printf(b, ",\"orphans\":{\"accesses\":%" PRIu64, accesses);
	number(b, "in_alerts", in_alerts);
	number(b, "listed", listed);
	number(b, "without_room", without_room);
	number(b, "mailboxes", mailboxes);
	buf_add_char(b, '}');
}

void json_finding(struct buf *b, const struct world *w, const char *type, const struct coverage_finding *f, struct buf *text)
{
	struct str named = str_of(f->target), guid = STR_NONE, upn = STR_NONE;
	uint8_t id[16];

	if (f->mailbox != NONE) {
		guid = world_mailbox_guid(w, f->mailbox);
		upn = world_mailbox_upn(w, f->mailbox);
	} else if (guid_parse(named, id)) {
		guid = named; /* an account without a record: as the switch names it */
	} else if (memchr(named.p, '@', named.n)) {
		upn = named;
	}
	buf_printf(b, "{\"type\":\"%s\"", type);
	json_tenant(b, w);
	buf_printf(b, ",\"state\":\"%s\",\"guid\":", day_state_names[f->what]);
	json_text(b, guid);
	buf_add_cstr(b, ",\"upn\":");
	json_text(b, upn);
	buf_add_cstr(b, ",\"name\":");
	json_text(b, upn.n ? upn : guid.n ? guid : named);
	buf_add_cstr(b, ",\"from\":");
	json_time(b, f->from_us);
	buf_add_cstr(b, ",\"to\":");
	json_time(b, f->to_us == INT64_MAX ? 0 : f->to_us);
	json_hours(b, "hours", f->blind_us);
	buf_add_cstr(b, ",\"sentence\":");
	buf_clear(text);
	coverage_sentence(w, f, text);
	buf_add_json(b, buf_str(text));
	buf_add_cstr(b, "}\n");
}

void json_blind(struct sink_out *o, const struct tenant_findings *f)
{
	struct buf *b = &o->pending, text;
	const struct coverage_finding *v;
	size_t n, mailboxes;

	if (!f->coverage)
		return;
	v = coverage_findings(f->coverage, &n);
	coverage_mailboxes(f->coverage, &mailboxes);
	if (!n)
		return;
	buf_init(&text, 8 * KIB);
	for (size_t i = 0; i < n && i < SUMMARY_BLIND_MAX && sink_out_step(o); i++) {
		json_finding(b, f->world, "blind", &v[i], &text);
	}
	buf_release(&text);
	buf_printf(b, "{\"type\":\"coverage\",\"mailboxes\":%zu,\"days\":%" PRIu32 ",\"findings\":%zu", mailboxes, coverage_days(f->coverage), n);
	for (int s = 0; s < DAY_STATES; s++)
		number(b, day_state_names[s], coverage_total(f->coverage, (enum day_state)s));
	buf_add_cstr(b, "}\n");
}

static void add_operations(struct buf *b, const struct world *w)
{
	struct world_operation top[SUMMARY_OPERATIONS_MAX];
	size_t n = world_operations(w, top, SUMMARY_OPERATIONS_MAX);

	buf_add_cstr(b, ",\"operations\":[");
	for (size_t i = 0; i < n && i < SUMMARY_OPERATIONS_MAX; i++) {
		comma(b, i);
		buf_add_cstr(b, "{\"name\":");
		json_text(b, top[i].name);
		buf_printf(b, ",\"count\":%" PRIu64 ",\"known\":%s}", top[i].count, top[i].known ? "true" : "false");
	}
	buf_add_char(b, ']');
}

static uint64_t refused_signins(const struct findings *f)
{
	uint64_t n = 0;

	for (size_t i = 0; i < f->tenant_count; i++)
		n += f->tenants[i].identity ? identity_refused(f->tenants[i].identity) : 0;
	return n;
}

uint64_t findings_refused(const struct findings *f)
{
	const struct world *w = f->world;

	return w->refused.mailboxes + w->refused.clients + w->refused.actors + w->refused.nets + w->refused.edges + w->refused.folders
		+ f->detect_refused + f->alerts_refused + refused_signins(f);
}

static void add_refused(struct buf *b, const struct findings *f)
{
	const struct world *w = f->world;

	buf_printf(b, ",\"refused\":{\"mailboxes\":%" PRIu64, w->refused.mailboxes);
	number(b, "apps", w->refused.clients);
	number(b, "actors", w->refused.actors);
	number(b, "networks", w->refused.nets);
	number(b, "edges", w->refused.edges);
	number(b, "folders", w->refused.folders);
	number(b, "detectors", f->detect_refused);
	number(b, "alerts", f->alerts_refused);
	if (refused_signins(f))
		number(b, "sign_ins", refused_signins(f));
	buf_add_char(b, '}');
}

/* whose records these are, and how many of each */
static void add_tenants(struct buf *b, const struct findings *f)
{
	buf_add_cstr(b, ",\"tenants\":[");
	for (size_t i = 0; i < f->tenant_count; i++) {
		const struct world *w = f->tenants[i].world;

		comma(b, i);
		buf_add_cstr(b, "{\"tenant\":");
		json_text(b, world_own_tenant(w));
		number(b, "records", w->count.records);
		number(b, "mail_records", w->count.mail_records);
		number(b, "signins", w->count.signins);
		number(b, "mailboxes", w->active_mailboxes);
		buf_add_cstr(b, ",\"first\":");
		json_time(b, w->first_us);
		buf_add_cstr(b, ",\"last\":");
		json_time(b, w->last_us);
		buf_add_char(b, '}');
	}
	buf_add_char(b, ']');
}

void json_summary(struct buf *b, const struct findings *f)
{
	static const char *const class_names[CLASS_COUNT] = {
		[CLASS_AUDIT] = "audit", [CLASS_SIGNIN] = "signin", [CLASS_DIRECTORY] = "directory",
		[CLASS_GRAPH] = "graph", [CLASS_OTHER] = "other",
	};
	const struct world *w = f->world;
	uint64_t by_severity[SEVERITY_CRITICAL + 1] = { 0 };

	for (size_t i = 0; i < f->alert_count; i++)
		by_severity[f->alerts[i]->severity]++;
	buf_printf(b, "{\"type\":\"summary\",\"records\":%" PRIu64, w->count.records);
	number(b, "mail_records", w->count.mail_records);
	number(b, "binds", w->count.binds);
	number(b, "syncs", w->count.syncs);
	number(b, "attachments", w->count.attachments);
	number(b, "unknown_access", w->count.unknown_access);
	number(b, "items", w->count.items);
	if (w->count.bytes)
		number(b, "bytes", w->count.bytes);
	else
		buf_add_cstr(b, ",\"bytes\":null"); /* no record gave a size */
	number(b, "signins", w->count.signins);
	number(b, "mailboxes", w->active_mailboxes);
	number(b, "apps", f->app_count);
	buf_add_cstr(b, ",\"first\":");
	json_time(b, w->first_us);
	buf_add_cstr(b, ",\"last\":");
	json_time(b, w->last_us);
	json_period(b, &f->period);
	buf_add_cstr(b, ",\"learn_since\":");
	json_text(b, str_of(f->learn_since));
	buf_add_cstr(b, ",\"alerts\":{");
	for (int i = SEVERITY_INFO; i <= SEVERITY_CRITICAL; i++)
		buf_printf(b, "%s\"%s\":%" PRIu64, i ? "," : "", severity_names[i], by_severity[i]);
	buf_printf(b, "},\"alerts_hidden\":%zu", f->alerts_below);
	buf_printf(b, ",\"alerts_outside\":%zu", f->alerts_outside);
	buf_printf(b, ",\"alerts_held\":%" PRIu64, f->alerts_held);
	if (f->resumed)
		buf_printf(b, ",\"alerts_unchanged\":%zu,\"alerts_withdrawn\":%zu,\"late\":%" PRIu64 ",\"known\":%" PRIu64,
			   f->alerts_unchanged, f->withdrawn_count, f->late, f->known);
	add_orphans(b, f);
	buf_add_cstr(b, ",\"classes\":{");
	for (int i = 0; i < CLASS_COUNT; i++)
		buf_printf(b, "%s\"%s\":%" PRIu64, i ? "," : "", class_names[i], w->count.by_class[i]);
	buf_add_char(b, '}');
	add_tenants(b, f);
	add_operations(b, w);
	number(b, "unknown_operations", w->count.unknown_operations);
	lost_json(b, &f->lost);
	add_refused(b, f);
	buf_add_cstr(b, SCHEMA_MEMBER "}");
}
