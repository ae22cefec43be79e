/* SPDX-License-Identifier: Apache-2.0 */
/* csv: the report as one table for a spreadsheet: a row for each message, then for each folder assumed read, then for
 * each span of time not recorded; `certainty` distinguishes them.  No cell can start a formula (buf_add_csv). */
#include <inttypes.h>
#include <stdio.h>

#include "base/timefmt.h"
#include "impact/impact_int.h"
#include "sink/sink.h"

static void cell(struct buf *b, struct str s)
{
	buf_add_char(b, ',');
	if (s.n)
		buf_add_csv(b, s);
}

static void cell_time(struct buf *b, int64_t us)
{
	char t[TIME_TEXT_SIZE];

	buf_add_char(b, ',');
	if (us)
		buf_add_cstr(b, time_format(us, t));
}

static void begin(struct buf *b, const struct impact_report *r, enum certainty c, uint32_t at)
{
	buf_add_cstr(b, certainty_names[c]);
	cell(b, at == NONE ? STR_NONE : r->mailboxes[at].guid);
	cell(b, at == NONE ? STR("all mailboxes") : r->mailboxes[at].upn);
	cell(b, at == NONE ? STR_NONE : str_of(r->mailboxes[at].tag));
}

void impact_csv(struct sink_out *o, struct impact *im, const struct impact_report *r)
{
	struct buf *b = &o->pending;
	struct impact_message m;
	char reason[256], hours[IMPACT_HOURS_SIZE];

	buf_add_cstr(b, "certainty,mailbox_guid,mailbox,tag,message_id,folder,bytes,times,from,to,subject,sender,topic,"
			"reason\n");
	if (!r->matched) {
		buf_add_cstr(b, "nothing");
		for (int i = 0; i < 12; i++)
			buf_add_char(b, ',');
		cell(b, STR("no record of mail access in these files belongs to the selection"));
		buf_add_char(b, '\n');
	}
	impact_rewind(im);
	while (sink_out_step(o) && impact_next_message(im, &m)) {
		begin(b, r, m.certainty, m.mailbox);
		cell(b, m.id);
		cell(b, m.folder);
		buf_add_char(b, ',');
		if (m.bytes != ITEM_BYTES_UNKNOWN)
			buf_printf(b, "%" PRIu64, m.bytes);
		buf_printf(b, ",%" PRIu64, m.times);
		cell_time(b, m.first_us);
		cell_time(b, m.last_us);
		cell(b, m.subject);
		cell(b, m.sender);
		cell(b, m.topic);
		buf_add_cstr(b, ",\n");
	}
	for (size_t i = 0; i < r->sync_count && sink_out_step(o); i++) {
		const struct impact_sync *s = &r->syncs[i];
		begin(b, r, CERTAINTY_ASSUMED, s->mailbox);
		buf_add_char(b, ',');
		cell(b, s->folder);
		buf_printf(b, ",,%" PRIu64, s->times);
		cell_time(b, s->first_us);
		cell_time(b, s->last_us);
		buf_add_cstr(b, s->whole ? r->intruder ? ",,,,synchronised by the intruder: assume the whole mailbox\n"
						   : ",,,,synchronised by the selected client: assume the whole mailbox\n"
					 : ",,,,synchronised: assume the whole folder\n");
	}
	for (size_t i = 0; i < r->unknown_count && sink_out_step(o); i++) {
		const struct impact_interval *x = &r->unknown[i];
		begin(b, r, CERTAINTY_UNKNOWN, x->mailbox);
		buf_add_cstr(b, ",,,,");
		cell_time(b, x->from_us);
		cell_time(b, x->to_us);
		buf_add_cstr(b, ",,,");
		snprintf(reason, sizeof(reason), "%s (%s%s)", unknown_docs[x->reason], impact_hours(time_tenths(x->to_us - x->from_us), hours),
			 x->open ? ", and still at the end of the data" : "");
		cell(b, str_of(reason));
		buf_add_char(b, '\n');
	}
	for (size_t i = 0; i < r->mailbox_count && sink_out_step(o); i++) {
		if (r->mailboxes[i].unknown_us) {
			begin(b, r, CERTAINTY_UNKNOWN, (uint32_t)i);
			buf_printf(b, ",,,,,,,,,,%s in all in which reading of this mailbox was not recorded\n",
				   impact_hours(r->mailboxes[i].unknown_tenths, hours));
		}
		if (!r->mailboxes[i].unlisted)
			continue;
		begin(b, r, CERTAINTY_UNKNOWN, (uint32_t)i);
		buf_printf(b, ",,,,%" PRIu64, r->mailboxes[i].unlisted);
		cell_time(b, r->mailboxes[i].first_us);
		cell_time(b, r->mailboxes[i].last_us);
		buf_add_cstr(b, ",,,,accesses that the records count and do not name\n");
	}
}
