/* SPDX-License-Identifier: Apache-2.0 */
/* impact_rows: the figures row by row: folders that must be assumed read, hours not recorded, messages. */
#include "base/limits.h"
#include "base/timefmt.h"
#include "report/impact_int.h"
#include "report/page.h"

void impact_put_syncs(struct html *h, const struct impact_report *r)
{
	const size_t shown = r->sync_count < REPORT_ROWS_MAX ? r->sync_count : REPORT_ROWS_MAX;

	if (!r->sync_count)
		return;
	page_section(h, "What must be assumed");
	html_leaf(h, "p", "",
		  STR("A program that synchronises a folder copies what is in it; the log names the folder and no "
		      "message. If the program of the selection did it, the log does not show where it stopped: the whole mailbox counts as "
		      "read."));
	html_begin_table(h);
	html_head_cell(h, "", "Mailbox");
	html_head_cell(h, "", "Folder");
	html_head_cell(h, "", "Assume");
	html_head_cell(h, "", "By");
	html_head_cell(h, "", "First");
	html_head_cell(h, "n", "Times");
	html_begin_rows(h);
	for (size_t i = 0; i < shown && html_step(h); i++) {
		const struct impact_sync *s = &r->syncs[i];
		html_open(h, "tr");
		html_cell(h, "strong", "Mailbox", box_name(r, s->mailbox));
		html_cell(h, "", "Folder", s->folder.n ? s->folder : STR("not named"));
		html_open_cell(h, "", "Assume");
		html_leaf(h, "span", "chip assumed", s->whole ? STR("the mailbox") : STR("the folder"));
		html_close(h);
		html_open_cell(h, "", "By");
		html_open(h, "span");
		html_text(h, page_app(r->world, s->client));
		html_leaf(h, "span", "sub", page_network(r->world, s->net));
		html_close(h);
		html_close(h);
		html_cell_moment(h, "", "First", s->first_us);
		html_cell_count(h, "n", "Times", s->times);
		html_close(h);
	}
	html_end_table(h);
	if (shown < r->sync_count)
		html_leaf(h, "p", "note", STR("The list goes on in the CSV."));
	html_close(h);
}

void impact_put_unseen(struct html *h, const struct impact_report *r)
{
	const size_t shown = r->unknown_count < REPORT_ROWS_MAX ? r->unknown_count : REPORT_ROWS_MAX;
	char hours[TIME_TEXT_SIZE];

	page_section(h, "Hours without a log");
	if (!shown) {
		html_leaf(h, "p", "",
			  STR("No throttled record, no change of the audit settings and no hole in the export lies "
			      "within the time looked at. What the log never records is among the limits below."));
		html_close(h);
		return;
	}
	html_leaf(h, "p", "",
		  STR("What was opened in these times is unknown. Assume that it is "
			"everything "
		      "that was there."));
	html_begin_table(h);
	html_head_cell(h, "", "Who");
	html_head_cell(h, "", "From");
	html_head_cell(h, "", "To");
	html_head_cell(h, "n", "Hours");
	html_head_cell(h, "", "Why");
	html_begin_rows(h);
	for (size_t i = 0; i < shown && html_step(h); i++) {
		const struct impact_interval *u = &r->unknown[i];
		html_open(h, "tr");
		html_cell(h, "strong", "Who", u->mailbox != NONE ? box_name(r, u->mailbox) : STR("all mailboxes"));
		html_cell_moment(h, "", "From", u->from_us);
		html_cell_moment(h, "", "To", u->to_us);
		html_open_cell(h, "n", "Hours");
		html_text(h, str_of(time_format_tenths(time_tenths(u->to_us - u->from_us), hours)));
		html_close(h);
		html_open_cell(h, "", "Why");
		html_open(h, "span");
		html_text(h, str_of(unknown_docs[u->reason]));
		if (u->open)
			html_say(h, "; and still at the end of the data");
		html_close(h);
		html_close(h);
		html_close(h);
	}
	html_end_table(h);
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
	html_cell(h, "", "Folder", m->folder.n ? m->folder : STR("–"));
	html_open_cell(h, "n", "Size");
	if (m->bytes == ITEM_BYTES_UNKNOWN)
		html_say(h, "–");
	else
		html_bytes(h, m->bytes);
	html_close(h);
	html_cell_count(h, "n", "Times", m->times);
	html_cell_moment(h, "", "First access", m->first_us);
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
	html_begin_rows(h);
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

void impact_put_messages(struct html *h, struct impact *im, const struct impact_report *r)
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
					"given in addition to the export.")
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
