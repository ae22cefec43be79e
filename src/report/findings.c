/* SPDX-License-Identifier: Apache-2.0 */
/* findings: the result of a scan as a page: how bad it is, when, each alert with its reasons and with what it could not
 * see, who reads mail at all, and where nobody could look. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/guid.h"
#include "base/limits.h"
#include "base/timefmt.h"
#include "detect/detect.h"
#include "report/page.h"
#include "report/report.h"

enum { FULL_PER_SEVERITY = 100, LIST_SHOWN = 8, APPS_SHOWN = 100, COLUMNS = 120, DOTS_MAX = 4000 };

#define SEVERITIES (SEVERITY_CRITICAL + 1)
#define WARM_UP_US (14 * US_PER_DAY) /* before it the baseline raises nothing */

static void put_severity_chip(struct html *h, enum severity s)
{
	switch (s) {
	case SEVERITY_CRITICAL:
		html_leaf(h, "span", "chip known", STR("● critical"));
		break;
	case SEVERITY_HIGH:
		html_leaf(h, "span", "chip known", STR("◕ high"));
		break;
	case SEVERITY_MEDIUM:
		html_leaf(h, "span", "chip assumed", STR("◑ medium"));
		break;
	case SEVERITY_LOW:
		html_leaf(h, "span", "chip lowly", STR("◔ low"));
		break;
	default:
		html_leaf(h, "span", "chip quiet", STR("○ info"));
		break;
	}
}

static void open_finding(struct html *h, const struct alert *a, uint64_t place)
{
	if (a->severity >= SEVERITY_HIGH)
		html_open_place(h, "article", "finding known", "finding", place);
	else if (a->severity == SEVERITY_MEDIUM)
		html_open_place(h, "article", "finding assumed", "finding", place);
	else if (a->severity == SEVERITY_LOW)
		html_open_place(h, "article", "finding lowly", "finding", place);
	else
		html_open_place(h, "article", "finding quiet", "finding", place);
}

static struct str alert_title_of(const struct alert *a)
{
	return str_of(a->title ? a->title : a->detector->title);
}

/* -- the head -- */

static void put_lead(struct html *h, const struct findings *f, const uint64_t by_severity[SEVERITIES])
{
	const struct world *w = f->world;
	const uint64_t grave = by_severity[SEVERITY_CRITICAL] + by_severity[SEVERITY_HIGH];

	for (size_t i = 0; i < f->lost.n; i++)
		if (strcmp(f->lost.names[i], "no_records") == 0)
			html_leaf(h, "p", "lead", f->lost.texts[i][0] != '0' ? STR("No record was read from at least one of the inputs: what it holds was not judged.")
				  : STR("0 records: nothing was judged."));
	html_open_class(h, "p", "lead");
	html_counted(h, w->count.mail_records, "record of reading mail", "records of reading mail");
	html_say(h, " in ");
	html_counted(h, w->active_mailboxes, "mailbox", "mailboxes");
	if (f->tenant_count > 1) {
		html_say(h, " of ");
		html_counted(h, f->tenant_count, "tenant", "tenants");
	}
	html_say(h, " by ");
	html_counted(h, f->app_count, "application", "applications");
	html_say(h, " were looked at. ");
	if (!f->alert_count) {
		html_text(h, f->alerts_below ? STR("No alert has the severity that was asked for.")
					     : STR("Nothing alarming was found in them."));
		html_say(h, " That is not proof that nothing happened: see what this cannot show.");
	} else {
		html_counted(h, f->alert_count, "alert was raised", "alerts were raised");
		if (grave) {
			html_say(h, "; ");
			html_counted(h, grave, "is", "are");
			html_say(h, " high or critical: look there first");
		}
		html_say(h, ".");
	}
	html_close(h);
	html_open_class(h, "ul", "scope");
	html_open(h, "li");
	html_leaf(h, "b", "", STR("Records: "));
	html_count(h, w->count.records);
	html_say(h, " from ");
	html_moment(h, w->first_us);
	html_say(h, " to ");
	html_moment(h, w->last_us);
	html_say(h, " UTC, sign-ins among them: ");
	html_count(h, w->count.signins);
	html_close(h);
	if (!period_is_open(&f->period)) {
		html_open(h, "li");
		html_leaf(h, "b", "", STR("Bounds asked for: "));
		html_text(h, f->period.since[0] ? str_of(f->period.since) : STR("the first"));
		html_say(h, " to ");
		html_text(h, f->period.until[0] ? str_of(f->period.until) : STR("the last"));
		html_close(h);
	}
	html_close(h);
}

static void put_tile(struct html *h, enum severity s, uint64_t n)
{
	static const char *const words[SEVERITIES] = { "Info", "Low", "Medium", "High", "Critical" };

	if (!n)
		html_open_class(h, "div", "tile none");
	else if (s >= SEVERITY_HIGH)
		html_open_class(h, "div", "tile known");
	else if (s == SEVERITY_MEDIUM)
		html_open_class(h, "div", "tile assumed");
	else if (s == SEVERITY_LOW)
		html_open_class(h, "div", "tile lowly");
	else
		html_open_class(h, "div", "tile quiet");
	html_open_class(h, "p", "big");
	html_count(h, n);
	html_close(h);
	html_leaf(h, "p", "", str_of(words[s]));
	html_close(h);
}

/* -- when -- */

static void put_timeline(struct html *h, const struct findings *f)
{
	static const char *const words[SEVERITIES] = { "info", "low", "medium", "high", "critical" };
	const double width = 1040, x0 = 84, pitch = 34, top = 20;
	const int64_t first = f->world->first_us, last = f->world->last_us;

	if (!f->alert_count || last < first)
		return;
	const int64_t step = page_step(last - first, COLUMNS), from = first - first % step;
	const unsigned columns = (unsigned)((last - from) / step) + 1;
	const double w = (width - x0 - 16) / columns;
	page_section(h, "When");
	html_leaf(h, "p", "",
		  STR("Each mark is an alert, where it could first have been raised; the larger, the more "
			"mailboxes it "
		      "concerns."));
	html_open(h, "figure");
	html_open_class(h, "div", "scroll");
	svg_begin(h, "draw", width, top + SEVERITIES * pitch + 40, "Alerts by severity over time");
	for (int s = SEVERITY_CRITICAL; s >= SEVERITY_INFO; s--) {
		const double y = top + (SEVERITY_CRITICAL - s) * pitch;
		svg_text(h, "e", x0 - 14, y + 4, str_of(words[s]), 0);
		svg_line(h, "axis", x0, y, width - 8, y);
	}
	for (size_t i = 0; i < f->alert_count && i < DOTS_MAX; i++) {
		const struct alert *a = f->alerts[i];
		const double x = x0 + (double)(a->time_us - from) / (double)step * w,
			     y = top + (SEVERITY_CRITICAL - (int)a->severity) * pitch;
		double r = 5;
		for (uint64_t n = a->mailboxes.total; n > 1 && r < 15; n /= 2)
			r += 1.4;
		svg_circle_(h,
			    a->severity >= SEVERITY_HIGH     ? "k"
			    : a->severity == SEVERITY_MEDIUM ? "a"
			    : a->severity == SEVERITY_LOW    ? "lo"
							     : "q",
			    x, y, r);
	}
	page_axis(h, x0, w, top + (SEVERITIES - 1) * pitch + 20, columns, from, step);
	svg_end(h);
	html_close(h);
	html_close(h);
	html_close(h);
}

/* -- alerts -- */

/* ", " between, "and 7 more" at the end; false: enough */
static bool list_step(struct html *h, size_t i, uint64_t total)
{
	if (i == LIST_SHOWN) {
		html_say(h, " and ");
		html_count(h, total - i);
		html_say(h, " more");
		return false;
	}
	if (i)
		html_say(h, ", ");
	return true;
}

static void fact(struct html *h, const char *name)
{
	html_leaf(h, "dt", "", str_of(name));
	html_open(h, "dd");
}

static void put_app(struct html *h, const struct world *w, uint32_t client)
{
	const struct str caller = world_client_part(w, client, CLIENT_CALLER),
			 family = world_client_part(w, client, CLIENT_FAMILY);
	const struct str name = world_client_name(w, client);

	html_text(h, page_app(w, client));
	html_open_class(h, "span", "note");
	if (name.n && caller.n) {
		html_say(h, " ");
		html_leaf(h, "span", "mono", caller);
	}
	if (family.n && !str_eq(family, caller)) {
		html_say(h, " as ");
		html_text(h, family);
	}
	html_close(h);
}

static void put_ids(struct html *h, const char *name, const struct world *w, const struct id_entry *ids, uint32_t n, uint64_t total,
		    struct str (*id_text)(const struct world *, const uint8_t *, bool, char *))
{
	char text[ID_TEXT_SIZE];

	if (!n)
		return;
	fact(h, name);
	for (uint32_t i = 0; i < n && list_step(h, i, total); i++)
		html_leaf(h, "span", "mono", id_text(w, ids[i].id, ids[i].is_text, text));
	html_close(h);
}

static void put_facts(struct html *h, const struct findings *f, const struct alert *a)
{
	const struct world *w = alert_world(a);
	char text[ADDR_TEXT_SIZE];

	html_open_class(h, "dl", "facts");
	if (f->tenant_count > 1) {
		fact(h, "Tenant");
		html_leaf(h, "span", "mono", tenant_label(w));
		html_close(h);
	}
	if (a->mailboxes.n) {
		fact(h, a->mailboxes.total == 1 ? "Mailbox" : "Mailboxes");
		for (uint32_t i = 0; i < a->mailboxes.n && list_step(h, i, a->mailboxes.total); i++)
			html_text(h, page_mailbox(world_mailbox_upn(w, a->mailboxes.v[i]),
						  world_mailbox_guid(w, a->mailboxes.v[i])));
		html_close(h);
	}
	if (a->clients.n) {
		fact(h, a->clients.total == 1 ? "Application" : "Applications");
		for (uint32_t i = 0; i < a->clients.n && list_step(h, i, a->clients.total); i++)
			put_app(h, w, a->clients.v[i]);
		html_close(h);
	}
	if (a->actors.n) {
		fact(h, "Acting as");
		for (uint32_t i = 0; i < a->actors.n && list_step(h, i, a->actors.total); i++)
			html_text(h, world_actor(w, a->actors.v[i]));
		html_close(h);
	}
	if (a->ip_count || a->nets.n) {
		fact(h, "From");
		for (uint32_t i = 0; i < a->ip_count && list_step(h, i, a->ip_total); i++)
			html_text(h, str_of(addr_format(&a->ips[i], text)));
		html_open_class(h, "span", "note");
		html_text(h, a->ip_count ? STR(" in ") : STR(""));
		for (uint32_t i = 0; i < a->nets.n && list_step(h, i, a->nets.total); i++)
			html_text(h, page_network(w, a->nets.v[i]));
		html_close(h);
		html_close(h);
	}
	put_ids(h, "Sessions", w, a->sessions, a->session_count, a->session_total, world_id_text);
	put_ids(h, "Tokens", w, a->tokens, a->token_count, a->token_total, world_token_text);
	if (a->records) {
		fact(h, "Volume");
		html_counted(h, a->records, "record", "records");
		if (a->items) {
			html_say(h, ", ");
			html_counted(h, a->items, "message opened", "messages opened");
		}
		if (a->folders_synced) {
			html_say(h, ", ");
			html_counted(h, a->folders_synced, "folder synchronised whole", "folders synchronised whole");
		}
		if (a->first_us) {
			html_say(h, ", ");
			html_moment(h, a->first_us);
			html_say(h, " to ");
			html_moment(h, a->last_us);
		}
		html_close(h);
	}
	html_close(h);
}

static void put_sentences(struct html *h, const struct alert *a)
{
	struct buf cut;
	bool any = a->blind_count > 0;

	if (a->why_count) {
		html_leaf(h, "h4", "", STR("Why"));
		html_open(h, "ul");
		for (uint32_t i = 0; i < a->why_count; i++)
			html_leaf(h, "li", "", str_of(a->why[i]));
		html_close(h);
	}
	if (a->reason_count) {
		html_leaf(h, "h4", "", STR("How unusual"));
		html_open(h, "ul");
		for (uint32_t i = 0; i < a->reason_count; i++)
			html_leaf(h, "li", "", str_of(a->reasons[i].text));
		html_close(h);
	}
	buf_init(&cut, 4 * KIB);
	any |= alert_cut_sentence(a, 0, &cut);
	buf_clear(&cut);
	if (any) {
		html_leaf(h, "h4", "", STR("Not seen"));
		html_open(h, "ul");
		for (uint32_t i = 0; i < a->blind_count; i++)
			html_leaf(h, "li", "", str_of(a->blind[i]));
		for (unsigned i = 0; alert_cut_sentence(a, i, &cut); i++) {
			html_leaf(h, "li", "", buf_str(&cut));
			buf_clear(&cut);
		}
		html_close(h);
	}
	buf_release(&cut);
}

static void put_alert(struct html *h, const struct findings *f, const struct alert *a, uint64_t place)
{
	open_finding(h, a, place);
	put_severity_chip(h, a->severity);
	html_open_class(h, "span", "when");
	html_moment(h, a->time_us);
	html_close(h);
	html_leaf(h, "h3", "", alert_title_of(a));
	put_facts(h, f, a);
	put_sentences(h, a);
	html_open_class(h, "p", "note");
	html_leaf(h, "span", "mono", str_of(a->id));
	html_say(h, " · rule ");
	html_text(h, str_of(a->detector->name));
	for (size_t i = 0; a->detector->mitre && a->detector->mitre[i]; i++) {
		html_text(h, i ? STR(", ") : STR(" · ATT&CK "));
		html_text(h, str_of(a->detector->mitre[i]));
	}
	html_close(h);
	html_close(h);
}

struct ranked {
	const struct alert *alert;
	size_t position;
};

static int worst_first(const void *pa, const void *pb)
{
	const struct ranked *a = pa, *b = pb;

	if (a->alert->severity != b->alert->severity)
		return a->alert->severity > b->alert->severity ? -1 : 1;
	return a->position < b->position ? -1 : a->position > b->position;
}

static void put_alerts(struct html *h, const struct findings *f)
{
	struct ranked *order = malloc((f->alert_count + 1) * sizeof(*order));
	size_t shown = 0, brief = 0;

	page_section(h, "Alerts, worst first");
	if (!order) {
		h->b->failed = true;
		html_close(h);
		return;
	}
	if (!f->alert_count)
		html_leaf(h, "p", "", STR("None."));
	for (size_t i = 0; i < f->alert_count; i++)
		order[i] = (struct ranked) { f->alerts[i], i };
	qsort(order, f->alert_count, sizeof(*order), worst_first);
	for (size_t i = 0; i < f->alert_count && html_step(h); i++) {
		shown = i && order[i - 1].alert->severity == order[i].alert->severity ? shown + 1 : 0;
		if (shown < FULL_PER_SEVERITY)
			put_alert(h, f, order[i].alert, i);
		else
			brief++;
	}
	if (brief) {
		html_open_class(h, "p", "note");
		html_counted(h, brief, "further alert of the same severities is",
			     "further alerts of the same severities are");
		html_say(h, " left out of this page; scan -f ndjson and -f csv write all.");
		html_close(h);
	}
	if (f->alerts_below) {
		html_open_class(h, "p", "note");
		html_counted(h, f->alerts_below, "further alert is", "further alerts are");
		html_say(h, " below the severity that was asked for.");
		html_close(h);
	}
	if (f->alerts_held) {
		html_open_class(h, "p", "note");
		html_counted(h, f->alerts_held, "mailbox-day", "mailbox-days");
		html_say(h, " past the line did not ring: the false-alarm budget was spent on rarer ones. A larger --budget shows more.");
		html_close(h);
	}
	free(order);
	html_close(h);
}

/* -- who reads mail -- */

static void put_apps(struct html *h, const struct findings *all, const struct tenant_findings *f)
{
	const size_t shown = f->app_count < APPS_SHOWN ? f->app_count : APPS_SHOWN;
	const struct world *w = f->world;
	uint8_t id[16];

	page_section(h, "Who reads mail");
	if (all->tenant_count > 1) {
		html_open(h, "p");
		html_say(h, "Tenant ");
		html_leaf(h, "span", "mono", tenant_label(w));
		html_close(h);
	}
	html_leaf(h, "p", "",
		  STR("Every application that opened mail, the most unusual first: in few mailboxes, from few "
		      "networks, much at a time. A ranking, not a verdict."));
	html_begin_table(h);
	html_head_cell(h, "", "Application");
	html_head_cell(h, "", "Through");
	html_head_cell(h, "n", "Mailboxes");
	html_head_cell(h, "n", "Messages");
	html_head_cell(h, "n", "Folders");
	html_head_cell(h, "n", "Networks");
	html_head_cell(h, "", "First seen");
	html_head_cell(h, "", "Last seen");
	html_head_cell(h, "n", "Unusual");
	html_begin_rows(h);
	for (size_t i = 0; i < shown && html_step(h); i++) {
		const uint32_t k = f->apps[i].client;
		const struct world_client *c = &w->clients[k];
		const struct str api = world_client_part(w, k, CLIENT_API);
		const struct str api_name = guid_parse(api, id) ? app_name(id) : STR_NONE;
		html_open(h, "tr");
		html_open_cell(h, "strong", "Application");
		html_text(h, page_app(w, k));
		html_leaf(h, "span", "sub", world_client_part(w, k, CLIENT_FAMILY));
		html_close(h);
		html_cell(h, "wide", "Through", api_name.n ? api_name : api.n ? api : STR("–"));
		html_open_cell(h, "n", "Mailboxes");
		html_open(h, "span");
		html_count(h, c->mailboxes);
		buf_printf(h->b, "<span class=\"sub\">%.0f&nbsp;%%</span>", 100 * f->apps[i].share);
		html_close(h);
		html_close(h);
		html_cell_count(h, "n", "Messages", c->items);
		html_cell_count(h, "n", "Folders synchronised", c->folders_synced);
		html_open_cell(h, "n", "Networks");
		if (!c->networks && c->microsoft_front_end)
			html_say(h, "Microsoft");
		else
			html_count(h, c->networks);
		html_close(h);
		html_cell_moment(h, "", "First seen", c->first_us);
		html_cell_moment(h, "", "Last seen", c->last_us);
		html_open_cell(h, "n", "Unusual");
		buf_printf(h->b, "%.2f", f->apps[i].unusual);
		html_close(h);
		html_close(h);
	}
	html_end_table(h);
	if (shown < f->app_count) {
		html_open_class(h, "p", "note");
		html_counted(h, f->app_count - shown, "further application is", "further applications are");
		html_say(h, " left out of this page; scan --inventory writes all.");
		html_close(h);
	}
	html_close(h);
}

/* -- where nobody could look -- */

static void put_blind(struct html *h, const struct findings *f)
{
	const struct world *w = f->world;
	const uint64_t refused = findings_refused(f);
	struct buf text;

	buf_init(&text, 64 * KIB);
	page_section(h, "What this cannot show");
	html_open_class(h, "ul", "plain");
	if (!w->count.mail_records) {
		html_leaf(h, "li", "",
			  STR("No MailItemsAccessed or AttachmentAccess record is among them: who read mail "
				"cannot be "
			      "said at all."));
	} else if (!w->count.syncs) {
		html_leaf(h, "li", "",
			  STR("No Sync record is among them: either no client copied whole folders, or the export "
				"left "
			      "them out."));
	} else {
		html_open(h, "li");
		html_counted(h, w->count.syncs, "Sync record stands for a whole folder",
			     "Sync records stand for whole folders");
		html_say(h, "; how many messages went with them is not in the log.");
		html_close(h);
	}
	if (!w->count.signins)
		html_leaf(
			h, "li", "",
			STR("No sign-in record is among them: no token can be traced to the sign-in that "
				"issued it."));
	for (size_t i = 0; i < f->tenant_count; i++) {
		const struct world *t = f->tenants[i].world;
		if (!t->count.mail_records || t->mail_last_us - t->mail_first_us >= WARM_UP_US)
			continue;
		html_open(h, "li");
		if (f->tenant_count > 1) {
			html_say(h, "Tenant ");
			html_leaf(h, "span", "mono", tenant_label(t));
			html_say(h, ": ");
		}
		html_say(h, "Less than 14 days of mail reading: what is normal for a mailbox could not be learnt. Only "
			    "fixed rules and the ranking of applications speak here, and no rate of false alarms is "
			    "promised.");
		html_close(h);
	}
	if (!period_is_open(&f->period)) {
		period_sentence(&f->period, &text);
		html_leaf(h, "li", "", buf_str(&text));
	}
	if (f->learn_since) {
		html_open(h, "li");
		html_say(h, "Records before ");
		html_text(h, str_of(f->learn_since));
		html_say(h, " were not used: what was normal before is not known.");
		html_close(h);
	}
	buf_clear(&text);
	for (size_t i = 0; lost_sentence(&f->lost, i, &text); i++) {
		html_leaf(h, "li", "", buf_str(&text));
		buf_clear(&text);
	}
	buf_release(&text);
	if (w->count.unknown_access) {
		html_open(h, "li");
		html_counted(h, w->count.unknown_access, "read of mail is neither Bind nor Sync",
			     "reads of mail are neither Bind nor Sync");
		html_say(h, "; counted, not understood.");
		html_close(h);
	}
	if (refused) {
		html_open(h, "li");
		html_counted(h, refused, "entry did", "entries did");
		html_say(h, " not fit into bounded tables.");
		html_close(h);
	}
	html_leaf(h, "li", "",
		  STR("A local copy that is read after a synchronisation, searches by administrators, and the 24 "
			"hours "
		      "after a mailbox was throttled leave no record."));
	html_leaf(h, "li", "",
		  STR("Accounts whose auditing is bypassed, mailboxes without the licence, and tokens that never "
			"left "
		      "a record stay invisible in any export."));
	html_close(h);
	html_close(h);
	page_section(h, "How to read this");
	html_leaf(h, "p", "",
		  STR("An alert is a reason to look, with its figures; it is not a verdict. Opened means that a "
		      "program fetched a message, not that a person read it. `taximeter impact --alert ID` lists "
			"what "
		      "was opened in the context of an alert, message by message, and what must be assumed. "
			"`taximeter "
		      "rules` says of each rule what it catches and what it misses."));
	html_close(h);
}

void report_findings(struct sink_out *o, const struct findings *f)
{
	uint64_t by_severity[SEVERITIES] = { 0 };
	struct html h;

	for (size_t i = 0; i < f->alert_count; i++)
		by_severity[f->alerts[i]->severity]++;
	html_begin(&h, o, STR("Who reads whose mail · findings"));
	page_head(&h, "Findings");
	html_leaf(&h, "h1", "", STR("Who reads whose mail"));
	put_lead(&h, f, by_severity);
	html_close(&h);
	html_open(&h, "main");
	html_open_class(&h, "div", "tiles");
	for (int s = SEVERITY_CRITICAL; s >= SEVERITY_INFO; s--)
		put_tile(&h, (enum severity)s, by_severity[s]);
	html_close(&h);
	put_timeline(&h, f);
	put_alerts(&h, f);
	for (size_t i = 0; i < f->tenant_count; i++)
		if (f->tenants[i].app_count || f->tenant_count == 1)
			put_apps(&h, f, &f->tenants[i]);
	put_blind(&h, f);
	html_close(&h);
	page_foot(&h);
	html_end(&h);
}
