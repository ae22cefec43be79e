/* SPDX-License-Identifier: Apache-2.0 */
/* impact: the page for those whose mail was read, and for those who must decide what follows from it.  The three
 * answers first; then when, whose, and how; then the rows of each figure, so that it can be checked. */
#include "base/limits.h"
#include "base/timefmt.h"
#include "report/impact_int.h"
#include "report/page.h"
#include "report/report.h"

/* -- head -- */

static void put_lead(struct html *h, const struct impact_report *r)
{
	const struct impact_totals *t = &r->total;
	uint32_t clients = 0, nets = 0;
	char hours[IMPACT_HOURS_SIZE];

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
	if (r->dark) {
		html_say(h, "Between ");
		html_moment(h, t->from_us);
		html_say(h, " and ");
		html_moment(h, t->to_us);
		html_say(h, " UTC, what was read in ");
		html_counted(h, t->unknown_mailboxes, "mailbox", "mailboxes");
		html_say(h, " was not recorded for ");
		html_text(h, str_of(impact_hours(t->unknown_tenths, hours)));
		html_text(h, t->unknown_mailboxes == 1 ? STR(". The log does not show which mail was opened then.")
						       : STR(" in all. The log does not show which mail was opened then."));
	} else if (!t->first_us) {
		html_say(h, "No record of the export belongs to the selection. That is no proof that nothing was "
			"read: "
			    "see what is unknown.");
	} else {
		html_say(h, "Between ");
		html_moment(h, t->first_us);
		html_say(h, " and ");
		html_moment(h, t->last_us);
		html_text(h, r->intruder && r->has_history ? STR(" UTC, somebody other than the owners opened ")
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
	html_leaf(h, "b", "", STR("Period: "));
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
	html_text(h, r->dark ? STR("The alert is about what was not recorded: it names no access") : STR("Each is named by a record of the log"));
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
		html_say(h, " opened by an application that the owner uses too, through an address that both "
			    "share: the log does not show by whom.");
		html_close(h);
	}
	html_close(h);
}

static void put_unknown(struct html *h, const struct impact_report *r)
{
	const struct impact_totals *t = &r->total;
	char hours[TIME_TEXT_SIZE];

	html_open_class(h, "div", "answer unknown");
	answer_head(h, STR("Unknown"));
	html_leaf(h, "p", "big", str_of(time_format_tenths(t->unknown_tenths, hours)));
	html_leaf(h, "p", "of", STR("mailbox-hours without a record"));
	html_open(h, "p");
	if (t->unknown_mailboxes) {
		html_say(h, "In ");
		html_counted(h, t->unknown_mailboxes, "mailbox", "mailboxes");
		html_say(h,
			 " there were hours in which reading was not recorded. What happened in them "
				"is unknown.");
	} else {
		html_say(h, "No hours without a record were found in these mailboxes. Some ways of reading leave "
			"none "
			    "at all: see the limits.");
	}
	html_close(h);
	html_close(h);
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
	char hours[IMPACT_HOURS_SIZE];

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
	html_begin_rows(h);
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
			html_cell_bytes(h, "n", "Size", m->bytes);
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
			html_leaf(h, "span", "chip unknown", str_of(impact_hours(m->unknown_tenths, hours)));
			html_close(h);
		} else {
			put_nothing(h);
		}
		html_cell_moment(h, "", "First access", m->first_us);
		html_cell_moment(h, "", "Last access", m->last_us);
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
	impact_put_timeline(&h, r);
	put_mailboxes(&h, r);
	impact_begin_map(&h, r);
	if (r->route_count > r->total.own_contexts || r->total.accesses || r->total.whole)
		impact_put_routes(&h, r, false);
	html_close(&h);
	impact_put_syncs(&h, r);
	impact_put_unseen(&h, r);
	impact_put_own(&h, r);
	impact_put_method(&h, r);
	impact_put_sources(&h, r);
	impact_put_messages(&h, im, r);
	html_close(&h);
	page_foot(&h);
	html_end(&h);
}
