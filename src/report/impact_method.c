/* SPDX-License-Identifier: Apache-2.0 */
/* impact_method: how the page was made and what it cannot know: whose own reads were left out, method, limits, files with their
 * hashes, corrections. */
#include "base/limits.h"
#include "report/impact_int.h"
#include "report/page.h"

void impact_put_own(struct html *h, const struct impact_report *r)
{
	page_section(h, "What was left out, and why");
	if (!r->names_context)
		html_leaf(h, "p", "",
			  STR("The selection names neither an application nor a network, session or token. All reads "
			      "in it are listed, the owners' own among them."));
	else if (r->dark)
		html_leaf(h, "p", "", STR("Nothing: the alert is about what was not recorded."));
	else if (!r->matched)
		html_leaf(h, "p", "", STR("Nothing: no record belongs to the selection."));
	else if (!r->total.own_contexts && !r->has_history)
		html_leaf(h, "p", "",
			  STR("The export holds less than a week from before the intruder came, so that the owners' "
			      "habits are not known. If an owner used the same application from the same network, his "
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
		impact_put_routes(h, r, true);
	html_close(h);
}

static void item(struct html *h, struct str text)
{
	html_leaf(h, "li", "", text);
}

void impact_put_method(struct html *h, const struct impact_report *r)
{
	struct buf text;

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
		    "settings that were switched off; days without a read in a mailbox that was in use; hours in which the whole export is "
		    "empty, although by its own rhythm that is next to impossible."));
	item(h, STR("The owner's own reads are recognised by application and network together. What both used "
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
		html_say(h, " did not fit a table: this report is incomplete.");
		html_close(h);
	}
	for (size_t i = 0; i < r->note_count; i++) {
		html_open(h, "li");
		html_text(h, str_of(r->notes[i]));
		html_say(h, ".");
		html_close(h);
	}
	buf_init(&text, 64 * KIB);
	for (size_t i = 0; lost_sentence(&r->lost, i, &text); i++) {
		html_leaf(h, "li", "", buf_str(&text));
		buf_clear(&text);
	}
	buf_release(&text);
	html_close(h);
	html_close(h);
}

void impact_put_sources(struct html *h, const struct impact_report *r)
{
	page_section(h, "What this was made from");
	html_leaf(h, "p", "", STR("Anyone with the same files can reproduce this report. Each is named with its "
		"SHA-256."));
	html_open_class(h, "table", "cards");
	html_open(h, "thead");
	html_open(h, "tr");
	html_head_cell(h, "", "File");
	html_head_cell(h, "", "Used as");
	html_head_cell(h, "n", "Size");
	html_head_cell(h, "", "SHA-256");
	html_begin_rows(h);
	for (size_t i = 0; i < r->input_count && i < REPORT_ROWS_MAX && html_step(h); i++) {
		const struct impact_input *in = &r->inputs[i];
		html_open(h, "tr");
		html_cell(h, "strong", "File", str_of(in->path));
		html_cell(h, "", "Used as", str_of(in->role));
		html_cell_bytes(h, "n", "Size", in->bytes);
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
