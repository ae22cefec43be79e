/* SPDX-License-Identifier: Apache-2.0 */
/* ndjson: the report for programs, and for `taximeter notice`: one object a line.  The first holds the question and
 * the totals, the last is a summary, which proves to a reader that nothing is missing. */
#include <inttypes.h>

#include "base/schema.h"
#include "base/timefmt.h"
#include "impact/impact_int.h"
#include "sink/sink.h"

static void text(struct buf *b, const char *key, struct str s)
{
	buf_printf(b, ",\"%s\":", key);
	json_text(b, s);
}

static void number(struct buf *b, const char *key, uint64_t n)
{
	buf_printf(b, ",\"%s\":%" PRIu64, key, n);
}

static void time_of(struct buf *b, const char *key, int64_t us)
{
	buf_printf(b, ",\"%s\":", key);
	json_time(b, us);
}

static void flag(struct buf *b, const char *key, bool set)
{
	buf_printf(b, ",\"%s\":%s", key, set ? "true" : "false");
}

static void hours(struct buf *b, const char *key, int64_t tenths)
{
	buf_printf(b, ",\"%s\":%" PRId64 ".%d", key, tenths / 10, (int)(tenths % 10));
}

static void mailbox(struct buf *b, const struct impact_report *r, uint32_t at)
{
	if (at == NONE) {
		buf_add_cstr(b, ",\"mailbox\":null");
		return;
	}
	buf_add_cstr(b, ",\"mailbox\":{\"guid\":");
	json_text(b, r->mailboxes[at].guid);
	text(b, "upn", r->mailboxes[at].upn);
	buf_add_char(b, '}');
}

static void client(struct buf *b, const struct world *w, uint32_t k)
{
	text(b, "app_id", k == NONE ? STR_NONE : world_client_part(w, k, CLIENT_APP_ID));
	text(b, "client_app_id", k == NONE ? STR_NONE : world_client_part(w, k, CLIENT_CLIENT_APP_ID));
	text(b, "app", k == NONE ? STR_NONE : world_client_name(w, k));
	text(b, "client", k == NONE ? STR_NONE : world_client_part(w, k, CLIENT_FAMILY));
}

static void network(struct buf *b, const struct world *w, uint32_t net)
{
	text(b, "network", net == NET_NONE || net == NONE ? STR_NONE : str_of(world_net_label(w, net)));
}

static void add_head(struct buf *b, const struct impact_report *r)
{
	const struct impact_totals *t = &r->total;

	buf_add_cstr(b, "{\"type\":\"impact\",\"version\":");
	buf_add_json(b, STR(TXM_VERSION));
	text(b, "selection", buf_str(&r->selection->said));
	time_of(b, "from", t->from_us);
	time_of(b, "to", t->to_us);
	time_of(b, "first_access", t->first_us);
	time_of(b, "last_access", t->last_us);
	time_of(b, "data_first", t->data_first_us);
	time_of(b, "data_last", t->data_last_us);
	number(b, "mailboxes", t->mailboxes);
	number(b, "messages", t->messages);
	number(b, "accesses", t->accesses);
	number(b, "unlisted", t->unlisted);
	number(b, "unclear", t->unclear);
	number(b, "bytes", t->bytes);
	number(b, "unsized", t->unsized);
	number(b, "mailboxes_assumed", t->whole);
	number(b, "folders_assumed", t->synced);
	number(b, "left_out_accesses", t->own_accesses);
	number(b, "left_out_contexts", t->own_contexts);
	number(b, "earlier_contexts", t->earlier_contexts);
	time_of(b, "earlier_since", t->earlier_us);
	flag(b, "matched", r->matched);
	flag(b, "intruder", r->intruder);
	flag(b, "dark", r->dark);
	hours(b, "unknown_hours", t->unknown_tenths);
	number(b, "unknown_mailboxes", t->unknown_mailboxes);
	time_of(b, "looked_until", t->looked_us);
	flag(b, "names_context", r->names_context);
	flag(b, "has_history", r->has_history);
	number(b, "refused", r->refused);
	buf_add_cstr(b, ",\"notes\":[");
	for (size_t i = 0; i < r->note_count; i++) {
		if (i)
			buf_add_char(b, ',');
		buf_add_json(b, str_of(r->notes[i]));
	}
	buf_add_cstr(b, "],\"lost\":[");
	for (size_t i = 0; i < r->lost.n + r->lost.partial_n; i++) {
		if (i)
			buf_add_char(b, ',');
		buf_add_json(b, str_of(i < r->lost.n ? r->lost.texts[i] : r->lost.partial[i - r->lost.n]));
	}
	buf_add_cstr(b, "]" SCHEMA_MEMBER "}\n");
}

static void add_inputs(struct buf *b, const struct impact_report *r)
{
	for (size_t i = 0; i < r->input_count; i++) {
		const struct impact_input *in = &r->inputs[i];
		buf_add_cstr(b, "{\"type\":\"input\",\"role\":");
		buf_add_json(b, str_of(in->role));
		text(b, "path", str_of(in->path));
		number(b, "bytes", in->bytes);
		text(b, "sha256", str_of(in->sha256));
		text(b, "problem", str_of(in->error));
		buf_add_cstr(b, "}\n");
	}
	for (size_t i = 0; i < r->correction_count; i++) {
		buf_add_cstr(b, "{\"type\":\"correction\",\"text\":");
		buf_add_json(b, str_of(r->corrections[i]));
		buf_add_cstr(b, "}\n");
	}
}

static void add_mailboxes(struct sink_out *o, const struct impact_report *r)
{
	struct buf *b = &o->pending;

	for (size_t i = 0; i < r->mailbox_count && sink_out_step(o); i++) {
		const struct impact_mailbox *m = &r->mailboxes[i];
		buf_add_cstr(b, "{\"type\":\"mailbox\"");
		mailbox(b, r, (uint32_t)i);
		text(b, "tag", str_of(m->tag));
		number(b, "messages", m->messages);
		number(b, "accesses", m->accesses);
		number(b, "unlisted", m->unlisted);
		number(b, "unclear", m->unclear);
		number(b, "bytes", m->bytes);
		number(b, "unsized", m->unsized);
		number(b, "folders", m->folders);
		flag(b, "assume_all", m->whole);
		number(b, "folders_assumed", m->synced);
		hours(b, "unknown_hours", m->unknown_tenths);
		time_of(b, "first_access", m->first_us);
		time_of(b, "last_access", m->last_us);
		buf_add_cstr(b, "}\n");
	}
}

static void add_contexts(struct sink_out *o, const struct impact_report *r)
{
	struct buf *b = &o->pending;
	char address[ADDR_TEXT_SIZE];

	for (size_t i = 0; i < r->context_count && sink_out_step(o); i++) {
		const struct impact_context *c = &r->contexts[i];
		buf_add_cstr(b, "{\"type\":\"context\",\"verdict\":");
		buf_add_json(b, str_of(impact_who(r, c->verdict)));
		buf_add_cstr(b, ",\"mailbox\":{\"guid\":");
		json_text(b, world_mailbox_guid(r->world, c->world_mailbox));
		text(b, "upn", world_mailbox_upn(r->world, c->world_mailbox));
		buf_add_char(b, '}');
		client(b, r->world, c->client);
		network(b, r->world, c->net);
		buf_add_cstr(b, ",\"ips\":[");
		for (uint32_t k = 0; k < c->ip_count; k++) {
			if (k)
				buf_add_char(b, ',');
			buf_add_json(b, str_of(addr_format(&c->ips[k], address)));
		}
		buf_add_char(b, ']');
		flag(b, "more_ips", c->ips_more > 0);
		number(b, "records", c->records);
		number(b, "accesses", c->accesses);
		number(b, "syncs", c->syncs);
		time_of(b, "first_seen", c->first_us);
		time_of(b, "last_seen", c->last_us);
		buf_add_cstr(b, "}\n");
	}
}

static void add_unseen(struct sink_out *o, const struct impact_report *r)
{
	struct buf *b = &o->pending;

	for (size_t i = 0; i < r->sync_count && sink_out_step(o); i++) {
		const struct impact_sync *s = &r->syncs[i];
		buf_add_cstr(b, "{\"type\":\"assumed\",\"what\":");
		buf_add_json(b, s->whole ? STR("mailbox") : STR("folder"));
		mailbox(b, r, s->mailbox);
		text(b, "folder", s->folder);
		client(b, r->world, s->client);
		network(b, r->world, s->net);
		number(b, "times", s->times);
		time_of(b, "first_seen", s->first_us);
		time_of(b, "last_seen", s->last_us);
		buf_add_cstr(b, "}\n");
	}
	for (size_t i = 0; i < r->unknown_count && sink_out_step(o); i++) {
		const struct impact_interval *x = &r->unknown[i];
		buf_add_cstr(b, "{\"type\":\"unknown\",\"reason\":");
		buf_add_json(b, str_of(unknown_names[x->reason]));
		mailbox(b, r, x->mailbox);
		text(b, "account", x->reason == UNKNOWN_BYPASS ? r->mailboxes[x->mailbox].upn : STR_NONE);
		time_of(b, "from", x->from_us);
		time_of(b, "to", x->to_us);
		flag(b, "open", x->open);
		hours(b, "hours", time_tenths(x->to_us - x->from_us));
		buf_add_cstr(b, "}\n");
	}
}

void impact_ndjson(struct sink_out *o, struct impact *im, const struct impact_report *r)
{
	static const char *const kinds[] = { NULL, "internet", "immutable", "store" };
	struct buf *b = &o->pending;
	struct impact_message m;
	uint64_t n = 0;

	add_head(b, r);
	add_inputs(b, r);
	add_mailboxes(o, r);
	add_contexts(o, r);
	add_unseen(o, r);
	impact_rewind(im);
	while (sink_out_step(o) && impact_next_message(im, &m)) {
		buf_add_cstr(b, "{\"type\":\"message\",\"certainty\":");
		buf_add_json(b, str_of(certainty_names[m.certainty]));
		mailbox(b, r, m.mailbox);
		text(b, "id", m.id);
		text(b, "id_kind", str_of(kinds[m.kind]));
		text(b, "folder", m.folder);
		if (m.bytes == ITEM_BYTES_UNKNOWN)
			buf_add_cstr(b, ",\"bytes\":null");
		else
			number(b, "bytes", m.bytes);
		number(b, "times", m.times);
		time_of(b, "first_access", m.first_us);
		time_of(b, "last_access", m.last_us);
		text(b, "subject", m.subject);
		text(b, "sender", m.sender);
		text(b, "topic", m.topic);
		buf_add_cstr(b, "}\n");
		n++;
	}
	buf_printf(b, "{\"type\":\"summary\",\"lines\":%" PRIu64 ",\"messages\":%" PRIu64 "}\n",
		   n + r->mailbox_count + r->context_count + r->sync_count + r->unknown_count, n);
}
