/* SPDX-License-Identifier: Apache-2.0 */
/* finish: from what was gathered to what is printed.
 *
 * The first spool gives the entries by message, so that all reads of one message in one mailbox are together,
 * next to its row of the user's CSV; each becomes one message of the second spool, which is by mailbox and time. */
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/timefmt.h"
#include "impact/impact_int.h"
#include "impact/select_int.h"

enum { ENTRY_HEAD = 16 + 4 + 8 + 8 + 1 + 1 + 2 };

/* A message in the second spool: (mailbox, first access, hash) to be sorted by, then last, times, bytes, certainty,
 * kind, lengths, texts. */
enum { MESSAGE_HEAD = 4 + 8 + 16 + 8 + 8 + 8 + 1 + 1 + 2 + 2 + 2 + 2 + 2 };

struct merged {
	struct impact_message m; /* its texts are in text */
	uint8_t hash[16];
	struct buf text;
	size_t id_n, folder_n;
};

struct sheet_cursor {
	struct str row;
	bool has;
};

static void sheet_seek(struct impact *im, struct sheet_cursor *c, const uint8_t hash[16])
{
	while (c->has && memcmp(c->row.p, hash, 16) < 0)
		c->has = spool_next(im->sheet, &c->row);
}

/* The first topic whose words are in the subject or in the folder's name. */
static struct str topic_of(const struct impact *im, struct str subject, struct str folder)
{
	for (size_t i = 0; i < im->topic_count; i++) {
		const struct str words = str_of(im->topics[i].words);
		if (words.n && (str_find_nocase(subject, words) >= 0 || str_find_nocase(folder, words) >= 0))
			return str_of(im->topics[i].tag);
	}
	return STR_NONE;
}

static void put_message(struct impact *im, struct merged *g, struct sheet_cursor *c)
{
	struct impact_mailbox *box = &im->report.mailboxes[im->place[g->m.mailbox]];
	struct impact_totals *t = &im->report.total;
	struct str subject = STR_NONE, sender = STR_NONE, topic;
	const struct str id = { g->text.p, g->id_n }, folder = { g->text.p + g->id_n, g->folder_n };
	uint8_t h[MESSAGE_HEAD];
	struct buf *b = &im->message_text;

	sheet_seek(im, c, g->hash);
	if (c->has && memcmp(c->row.p, g->hash, 16) == 0) {
		subject = (struct str) { c->row.p + 20, (size_t)spool_get(c->row.p + 16, 4) };
		sender = (struct str) { subject.p + subject.n, c->row.n - 20 - subject.n };
		t->joined++;
	}
	topic = topic_of(im, subject, folder);
	if (topic.n > 256)
		topic.n = 256;
	t->topics += topic.n > 0;
	if (g->m.certainty == CERTAINTY_CONFIRMED) {
		box->messages++;
		box->accesses += g->m.times;
		box->bytes += g->m.bytes == ITEM_BYTES_UNKNOWN ? 0 : g->m.bytes;
		box->unsized += g->m.bytes == ITEM_BYTES_UNKNOWN;
	} else {
		box->unclear++;
	}
	spool_put(h, g->m.mailbox, 4);
	spool_put(h + 4, (uint64_t)g->m.first_us, 8);
	memcpy(h + 12, g->hash, 16);
	spool_put(h + 28, (uint64_t)g->m.last_us, 8);
	spool_put(h + 36, g->m.times, 8);
	spool_put(h + 44, g->m.bytes, 8);
	h[52] = (uint8_t)g->m.certainty;
	h[53] = (uint8_t)g->m.kind;
	spool_put(h + 54, id.n, 2);
	spool_put(h + 56, folder.n, 2);
	spool_put(h + 58, subject.n, 2);
	spool_put(h + 60, sender.n, 2);
	spool_put(h + 62, topic.n, 2);
	buf_clear(b);
	buf_add(b, h, sizeof(h));
	buf_add_str(b, id);
	buf_add_str(b, folder);
	buf_add_str(b, subject);
	buf_add_str(b, sender);
	buf_add_str(b, topic);
	if (buf_failed(b))
		im->failed = true;
	else
		spool_add(im->messages, buf_str(b));
}

static void begin_group(struct merged *g, struct str e)
{
	const size_t id_n = (size_t)spool_get(e.p + 38, 2);

	memcpy(g->hash, e.p, 16);
	buf_clear(&g->text);
	buf_add(&g->text, e.p + ENTRY_HEAD, e.n - ENTRY_HEAD);
	g->id_n = id_n;
	g->folder_n = e.n - ENTRY_HEAD - id_n;
	g->m = (struct impact_message) {
		.mailbox = (uint32_t)spool_get(e.p + 16, 4),
		.first_us = (int64_t)spool_get(e.p + 20, 8),
		.bytes = ITEM_BYTES_UNKNOWN,
		.certainty = CERTAINTY_UNCLEAR,
		.kind = (enum item_id)e.p[37],
	};
}

static void merge_messages(struct impact *im)
{
	struct merged g = { .id_n = 0 };
	struct sheet_cursor c;
	struct table folders;
	struct str e;
	bool open = false;

	table_init(&folders, 0, IMPACT_CONTEXTS_MAX);
	buf_init(&g.text, SPOOL_PIECE_BYTES_MAX);
	c.has = spool_next(im->sheet, &c.row);
	while (spool_next(im->entries, &e)) {
		const uint32_t mailbox = (uint32_t)spool_get(e.p + 16, 4);
		bool is_new;

		if (!open || memcmp(g.hash, e.p, 16) != 0 || g.m.mailbox != mailbox) {
			if (open)
				put_message(im, &g, &c);
			begin_group(&g, e);
			open = true;
		}
		const uint64_t bytes = spool_get(e.p + 28, 8);
		const size_t id_n = (size_t)spool_get(e.p + 38, 2);
		const int64_t time_us = (int64_t)spool_get(e.p + 20, 8);
		if (e.p[36] == CERTAINTY_CONFIRMED && g.m.certainty != CERTAINTY_CONFIRMED) {
			g.m.certainty =
				CERTAINTY_CONFIRMED; /* one confirmed read is enough; the unclear ones do not count */
			g.m.first_us = time_us;
			g.m.times = 0;
		}
		if (e.p[36] == (char)g.m.certainty) {
			g.m.times++;
			g.m.last_us = time_us;
		}
		if (bytes != ITEM_BYTES_UNKNOWN && (g.m.bytes == ITEM_BYTES_UNKNOWN || bytes > g.m.bytes))
			g.m.bytes = bytes;
		const struct str folder = { e.p + ENTRY_HEAD + id_n, e.n - ENTRY_HEAD - id_n };
		if (e.p[36] == CERTAINTY_CONFIRMED && folder.n &&
		    table_put(&folders, hash_mix(mailbox, hash_str(folder, 9)) | 1, &is_new) && is_new)
			im->report.mailboxes[im->place[mailbox]].folders++;
	}
	if (open)
		put_message(im, &g, &c);
	buf_release(&g.text);
	table_release(&folders);
}

/* -- mailboxes -- */

struct impact_mailbox *impact_mailbox_add(struct impact *im, size_t *capacity, uint32_t world)
{
	struct impact_report *r = &im->report;

	if (world != NONE && im->place[world] != NONE)
		return &r->mailboxes[im->place[world]];
	if (!impact_room(im, (void **)&r->mailboxes, r->mailbox_count, capacity, sizeof(*r->mailboxes)))
		return NULL;
	struct impact_mailbox *m = &r->mailboxes[r->mailbox_count];
	*m = (struct impact_mailbox) { .world = world };
	if (world != NONE) {
		m->guid = world_mailbox_guid(im->world, world);
		m->upn = world_mailbox_upn(im->world, world);
		im->place[world] = (uint32_t)r->mailbox_count;
	}
	r->mailbox_count++;
	return m;
}

/* A mailbox that the selection names and of which nothing was found: it is reported if it was asked for by name, or if
 * its reads were not recorded. */
static void add_named(struct impact *im, size_t *capacity, const struct table *known, const struct mailbox_name *n, bool asked)
{
	const struct str guid = str_of(n->guid), upn = str_of(n->upn);
	const uint32_t *at = guid.n ? table_get(known, select_text_key(guid)) : NULL;
	struct impact_mailbox *m;

	if (!at && upn.n)
		at = table_get(known, select_text_key(upn));
	if (!asked && at && *at < im->mailbox_capacity && im->first_any[*at])
		return; /* read, but not by the selection: not touched as far as can be seen */
	m = impact_mailbox_add(im, capacity, at ? *at : NONE);
	if (m && !at) {
		m->guid = guid;
		m->upn = upn;
	}
}

static void add_all_named(struct impact *im, size_t *capacity)
{
	const struct selection *s = im->sel;
	struct table known;

	table_init(&known, sizeof(uint32_t), 2 * (size_t)im->world->mailbox_count + 1);
	for (uint32_t i = 0; i < im->world->mailbox_count && (s->named_count || s->alert_count); i++) {
		const struct str names[] = { world_mailbox_guid(im->world, i), world_mailbox_upn(im->world, i) };
		for (size_t k = 0; k < 2; k++) {
			uint32_t *at = names[k].n ? table_put(&known, select_text_key(names[k]), NULL) : NULL;
			if (at)
				*at = i;
		}
	}
	for (size_t i = 0; i < s->named_count; i++)
		add_named(im, capacity, &known, &s->named[i], true);
	for (size_t i = 0; i < s->alert_count; i++)
		for (size_t k = 0; k < s->alerts[i].name_count && s->mailboxes.n == 0; k++)
			add_named(im, capacity, &known, &s->alerts[i].names[k], false);
	table_release(&known);
}

/* -- syncs -- */

/* the first record of the intruder in that mailbox, or anywhere */
static int64_t intruder_since(const struct impact *im, uint32_t world)
{
	const int64_t first = world < im->mailbox_capacity ? im->first_selected[world] : 0;

	return first ? first : im->report.total.first_us;
}

/* Does this Sync belong to the intruder? A selected one does; another one by his own address or session. */
static bool is_intruders_sync(const struct impact *im, const struct sync_entry *s)
{
	if (s->selected)
		return true;
	if (!(s->ip_key && table_get(&im->intruder_ips, s->ip_key)) &&
	    !(s->session_key && table_get(&im->intruder_sessions, s->session_key)))
		return false;
	return !impact_is_habit(table_get(&im->habits, s->habit_key), intruder_since(im, s->mailbox));
}

static int compare_syncs(const void *a, const void *b)
{
	const struct impact_sync *x = a, *y = b;

	if (x->mailbox != y->mailbox)
		return x->mailbox < y->mailbox ? -1 : 1;
	const size_t n = x->folder.n < y->folder.n ? x->folder.n : y->folder.n;
	const int c = n ? memcmp(x->folder.p, y->folder.p, n) : 0;
	if (c || x->folder.n != y->folder.n)
		return c ? c : x->folder.n < y->folder.n ? -1 : 1;
	if (x->client != y->client)
		return x->client < y->client ? -1 : 1;
	return (x->net > y->net) - (x->net < y->net);
}

static void add_syncs(struct impact *im, size_t *mailbox_capacity)
{
	struct impact_report *r = &im->report;
	size_t capacity = 0;

	for (size_t i = 0; i < im->sync_count; i++) {
		const struct sync_entry *s = &im->syncs[i];
		if (!is_intruders_sync(im, s))
			continue;
		struct impact_mailbox *m = impact_mailbox_add(im, mailbox_capacity, s->mailbox);
		if (!m || !impact_room(im, (void **)&r->syncs, r->sync_count, &capacity, sizeof(*r->syncs)))
			return;
		const bool whole = im->names_context && !s->unclear;
		m->whole |= whole;
		m->synced++; /* for the order only; join_syncs() counts folders */
		r->syncs[r->sync_count++] =
			(struct impact_sync) { s->mailbox, str_of(s->folder), whole,	  s->client,
					       s->net,	   s->first_us,	      s->last_us, s->times };
		m->first_us = !m->first_us || s->first_us < m->first_us ? s->first_us : m->first_us;
		m->last_us = s->last_us > m->last_us ? s->last_us : m->last_us;
	}
}

/* one row a folder: several addresses or sessions of one client in one network are one story */
static void join_syncs(struct impact *im)
{
	struct impact_report *r = &im->report;
	size_t n = 0;

	for (size_t i = 0; i < r->sync_count; i++) {
		r->syncs[i].mailbox = im->place[r->syncs[i].mailbox];
		r->mailboxes[r->syncs[i].mailbox].synced = 0;
	}
	if (r->sync_count)
		qsort(r->syncs, r->sync_count, sizeof(*r->syncs), compare_syncs);
	for (size_t i = 0; i < r->sync_count; i++) {
		struct impact_sync *last = n ? &r->syncs[n - 1] : NULL;
		const struct impact_sync x = r->syncs[i];
		if (last && compare_syncs(last, &x) == 0) {
			last->first_us = x.first_us < last->first_us ? x.first_us : last->first_us;
			last->last_us = x.last_us > last->last_us ? x.last_us : last->last_us;
			last->times += x.times;
			last->whole |= x.whole;
			continue;
		}
		if (!last || last->mailbox != x.mailbox || !str_eq(last->folder, x.folder))
			r->mailboxes[x.mailbox].synced++;
		r->syncs[n++] = x;
	}
	r->sync_count = n;
}

/* -- order -- */

static int compare_mailboxes(const void *a, const void *b)
{
	const struct impact_mailbox *x = a, *y = b;
	const uint64_t m = x->messages + x->unlisted, n = y->messages + y->unlisted;

	if ((x->tag != NULL) != (y->tag != NULL))
		return x->tag ? -1 : 1;
	if (x->whole != y->whole)
		return x->whole ? -1 : 1;
	if (m != n)
		return m > n ? -1 : 1;
	if (x->unclear != y->unclear)
		return x->unclear > y->unclear ? -1 : 1;
	if (x->synced != y->synced)
		return x->synced > y->synced ? -1 : 1;
	return (x->world > y->world) - (x->world < y->world);
}

static int compare_contexts(const void *a, const void *b)
{
	const struct impact_context *x = a, *y = b;

	if (x->verdict != y->verdict)
		return x->verdict < y->verdict ? -1 : 1;
	if (x->accesses != y->accesses)
		return x->accesses > y->accesses ? -1 : 1;
	if (x->world_mailbox != y->world_mailbox)
		return x->world_mailbox < y->world_mailbox ? -1 : 1;
	if (x->client != y->client)
		return x->client < y->client ? -1 : 1;
	return (x->net > y->net) - (x->net < y->net);
}

static int compare_slots(const void *a, const void *b)
{
	const struct impact_slot *x = a, *y = b;

	if (x->hour_us != y->hour_us)
		return x->hour_us < y->hour_us ? -1 : 1;
	return (x->mailbox > y->mailbox) - (x->mailbox < y->mailbox);
}

static const char *tag_of(const struct impact *im, const struct impact_mailbox *m)
{
	const uint32_t *at = m->guid.n ? table_get(&im->tags, select_text_key(m->guid)) : NULL;

	if (!at && m->upn.n)
		at = table_get(&im->tags, select_text_key(m->upn));
	return at ? im->tag_texts[*at] : NULL;
}

static void order(struct impact *im)
{
	struct impact_report *r = &im->report;

	if (r->mailbox_count)
		qsort(r->mailboxes, r->mailbox_count, sizeof(*r->mailboxes), compare_mailboxes);
	for (size_t i = 0; i < r->mailbox_count; i++)
		if (r->mailboxes[i].world != NONE)
			im->place[r->mailboxes[i].world] = (uint32_t)i;
	if (im->context_count)
		qsort(im->contexts, im->context_count, sizeof(*im->contexts), compare_contexts);
	for (size_t i = 0; i < im->context_count; i++)
		im->contexts[i].mailbox = im->place[im->contexts[i].world_mailbox];
	r->contexts = im->contexts;
	r->context_count = im->context_count;
}

static int compare_routes(const void *a, const void *b)
{
	const struct impact_route *x = a, *y = b;

	if (x->verdict != y->verdict)
		return x->verdict < y->verdict ? -1 : 1;
	if (x->accesses != y->accesses)
		return x->accesses > y->accesses ? -1 : 1;
	if (x->client != y->client)
		return x->client < y->client ? -1 : 1;
	return (x->net > y->net) - (x->net < y->net);
}

static void join_addresses(struct impact_route *to, const struct impact_context *c)
{
	for (uint32_t i = 0; i < c->ip_count; i++) {
		uint32_t k = 0;
		while (k < to->ip_count && memcmp(&to->ips[k], &c->ips[i], sizeof(c->ips[i])) != 0)
			k++;
		if (k < to->ip_count)
			continue;
		if (k < sizeof(to->ips) / sizeof(to->ips[0]))
			to->ips[to->ip_count++] = c->ips[i];
		else
			to->more_ips = true;
	}
	to->more_ips |= c->ips_more > 0;
}

static void gather_routes(struct impact *im)
{
	struct impact_report *r = &im->report;
	struct table seen;
	size_t capacity = 0;

	table_init(&seen, sizeof(uint32_t), IMPACT_CONTEXTS_MAX);
	for (size_t i = 0; i < r->context_count; i++) {
		const struct impact_context *c = &r->contexts[i];
		bool is_new;
		uint32_t *at = table_put(&seen, hash_mix(hash_mix(c->client, c->net), c->verdict), &is_new);
		if (!at)
			break;
		if (is_new) {
			if (!impact_room(im, (void **)&r->routes, r->route_count, &capacity, sizeof(*r->routes)))
				break;
			*at = (uint32_t)r->route_count;
			r->routes[r->route_count++] = (struct impact_route) { .client = c->client,
									      .net = c->net,
									      .verdict = c->verdict,
									      .first_us = c->first_us,
									      .last_us = c->last_us };
		}
		struct impact_route *to = &r->routes[*at];
		to->mailboxes++;
		to->accesses += c->accesses;
		to->syncs += c->syncs;
		to->first_us = c->first_us < to->first_us ? c->first_us : to->first_us;
		to->last_us = c->last_us > to->last_us ? c->last_us : to->last_us;
		join_addresses(to, c);
	}
	table_release(&seen);
	if (r->route_count)
		qsort(r->routes, r->route_count, sizeof(*r->routes), compare_routes);
}

static void gather_slots(struct impact *im)
{
	struct impact_report *r = &im->report;
	const struct slot_count *d;
	uint64_t key;

	r->slots = calloc(im->slots.n + 1, sizeof(*r->slots));
	if (!r->slots) {
		im->failed = true;
		return;
	}
	for (size_t i = 0; (d = table_next(&im->slots, &i, &key));) {
		const uint32_t at = im->place[(uint32_t)key];
		if (at != NONE)
			r->slots[r->slot_count++] =
				(struct impact_slot) { (int64_t)(key >> 32) * US_PER_HOUR, d->accesses, d->syncs, at };
	}
	qsort(r->slots, r->slot_count, sizeof(*r->slots), compare_slots);
}

static void count_totals(struct impact *im)
{
	struct impact_report *r = &im->report;
	struct impact_totals *t = &r->total;

	t->mailboxes = 0;
	for (size_t i = 0; i < r->mailbox_count; i++) {
		const struct impact_mailbox *m = &r->mailboxes[i];
		t->messages += m->messages;
		t->unclear += m->unclear;
		t->accesses += m->accesses;
		t->unlisted += m->unlisted;
		t->bytes += m->bytes;
		t->unsized += m->unsized;
		t->synced += m->synced;
		t->whole += m->whole;
		t->mailboxes += m->messages || m->unlisted || m->synced || m->unclear;
	}
	for (size_t i = 0; i < im->context_count; i++) {
		if (im->contexts[i].verdict != CONTEXT_OWN)
			continue;
		t->own_contexts++;
		t->own_accesses += im->contexts[i].accesses;
	}
	r->refused = im->refused + im->habits.refused + im->slots.refused;
	for (size_t i = 0; i < im->coverages.n; i++)
		r->refused += coverage_refused(im->coverages.v[i].coverage);
}

static void find_span(struct impact *im)
{
	struct impact_totals *t = &im->report.total;
	const struct world *w = im->world;

	for (size_t i = 0; i < im->context_count; i++) {
		const struct impact_context *c = &im->contexts[i];
		if (c->verdict == CONTEXT_OWN)
			continue;
		t->first_us = !t->first_us || c->first_us < t->first_us ? c->first_us : t->first_us;
		t->last_us = c->last_us > t->last_us ? c->last_us : t->last_us;
	}
	t->data_first_us = w->mail_first_us;
	t->data_last_us = w->mail_last_us;
	im->report.matched = im->context_count > 0;
}

/* The period ends with the last access; times not recorded are looked for until the end of the time asked about. */
static void find_period(struct impact *im)
{
	struct impact_report *r = &im->report;
	struct impact_totals *t = &r->total;
	const struct selection *s = im->sel;

	for (size_t i = 0; i < r->mailbox_count; i++) { /* Syncs by the same address or session among them */
		const struct impact_mailbox *m = &r->mailboxes[i];
		t->first_us = m->first_us && (!t->first_us || m->first_us < t->first_us) ? m->first_us : t->first_us;
		t->last_us = m->last_us > t->last_us ? m->last_us : t->last_us;
	}
	r->has_history = t->first_us && im->world->mail_first_us <= t->first_us - 7 * US_PER_DAY;
	r->dark = im->dark_to_us && !t->first_us;
	t->looked_us = s->period.until_us == INT64_MAX ? im->world->last_us : s->period.until_us;
	t->from_us = selection_from(s);
	if (t->from_us == INT64_MIN)
		t->from_us = t->first_us ? t->first_us : im->world->mail_first_us;
	else if (s->period.since_us == INT64_MIN && t->first_us && t->first_us < t->from_us)
		t->from_us = t->first_us;
	if (im->dark_to_us && s->period.since_us == INT64_MIN && im->dark_from_us < t->from_us)
		t->from_us = im->dark_from_us;
	t->to_us = r->dark ? im->dark_to_us : t->last_us ? t->last_us : t->looked_us;
	if (t->last_us && im->dark_to_us > t->to_us)
		t->to_us = im->dark_to_us;
	t->to_us = t->to_us > s->period.until_us ? s->period.until_us : t->to_us;
	if (r->dark && im->sel->period.until_us == INT64_MAX)
		t->looked_us = t->to_us;
}

static void note_sheets(struct impact *im)
{
	const struct impact_totals *t = &im->report.total;

	if (im->messages_given && !t->sheet_rows)
		impact_note(im, "--messages: the file holds no row with a message id");
	else if (im->messages_given && !t->joined && t->messages + t->unclear)
		impact_note(im, "--messages: not one of its rows has the id of a message of this report; are they of another mailbox or time, or of "
			    "another kind of id?");
	else if (im->messages_given && !t->joined)
		impact_note(im, "--messages: no row of it was used, since the report names no message");
	if (im->tags_given && !t->tag_rows)
		impact_note(im, "--tags: the file holds no row with a tag");
	else if (im->tags_given && !t->tagged && !t->topics)
		impact_note(im, "--tags: not one of its rows fits a mailbox or a message of this report");
}

const struct impact_report *impact_finish(struct impact *im, const struct world *w)
{
	struct impact_report *r = &im->report;
	size_t capacity = 0;

	im->world = r->world = w;
	r->selection = im->sel;
	r->names_context = im->names_context;
	r->intruder = selection_is_intruder(im->sel);
	r->corrections = (const char *const *)im->corrections;
	r->correction_count = im->correction_count;
	im->place = malloc((w->mailbox_count + (size_t)1) * sizeof(*im->place));
	im->failed |= !im->place;
	for (size_t i = 0; i < im->coverages.n; i++)
		im->failed |= coverage_finish(im->coverages.v[i].coverage, w, &PERIOD_ALL) != 0;
	if (im->failed)
		return NULL;
	for (uint32_t i = 0; i <= w->mailbox_count; i++)
		im->place[i] = NONE;
	find_span(im);
	for (size_t i = 0; i < im->context_count; i++) {
		const struct impact_context *c = &im->contexts[i];
		if (c->verdict == CONTEXT_OWN)
			continue;
		struct impact_mailbox *m = impact_mailbox_add(im, &capacity, c->world_mailbox);
		if (!m)
			return NULL;
		m->first_us = !m->first_us || c->first_us < m->first_us ? c->first_us : m->first_us;
		m->last_us = c->last_us > m->last_us ? c->last_us : m->last_us;
	}
	add_syncs(im, &capacity);
	r->matched |= r->sync_count > 0;
	add_all_named(im, &capacity);
	gaps_dark(im, &capacity);
	find_period(im);
	if (im->failed)
		return NULL;
	for (size_t i = 0; i < r->mailbox_count; i++) {
		struct impact_mailbox *m = &r->mailboxes[i];
		m->tag = tag_of(im, m);
		r->total.tagged += m->tag != NULL;
		m->unlisted = m->world != NONE && m->world < im->mailbox_capacity ? im->unlisted[m->world] : 0;
	}
	merge_messages(im);
	order(im);
	join_syncs(im);
	gather_routes(im);
	gather_slots(im);
	gaps_finish(im);
	count_totals(im);
	note_sheets(im);
	for (size_t i = 0; i < im->sel->alert_count; i++)
		if (im->sel->alerts[i].tokens_cut)
			impact_note(im, "Alert %s lists only the first of its tokens: the rest was selected by its applications, places and mailboxes",
				    im->sel->alerts[i].id);
	r->notes = (const char *const *)im->notes;
	r->note_count = im->note_count;
	return impact_error(im)[0] ? NULL : r;
}

void impact_rewind(struct impact *im)
{
	spool_rewind(im->messages);
}

bool impact_next_message(struct impact *im, struct impact_message *ret)
{
	struct str e;

	if (!spool_next(im->messages, &e) || e.n < MESSAGE_HEAD)
		return false;
	const size_t n[] = { (size_t)spool_get(e.p + 54, 2), (size_t)spool_get(e.p + 56, 2),
			     (size_t)spool_get(e.p + 58, 2), (size_t)spool_get(e.p + 60, 2),
			     (size_t)spool_get(e.p + 62, 2) };
	const char *p = e.p + MESSAGE_HEAD;
	*ret = (struct impact_message) {
		.mailbox = im->place[spool_get(e.p, 4)],
		.first_us = (int64_t)spool_get(e.p + 4, 8),
		.last_us = (int64_t)spool_get(e.p + 28, 8),
		.times = spool_get(e.p + 36, 8),
		.bytes = spool_get(e.p + 44, 8),
		.certainty = (enum certainty)e.p[52],
		.kind = (enum item_id)e.p[53],
		.id = { p, n[0] },
		.folder = { p + n[0], n[1] },
		.subject = { p + n[0] + n[1], n[2] },
		.sender = { p + n[0] + n[1] + n[2], n[3] },
		.topic = { p + n[0] + n[1] + n[2] + n[3], n[4] },
	};
	return true;
}

const char *impact_who(const struct impact_report *r, enum verdict_of_context v)
{
	return v == CONTEXT_INTRUDER && !r->intruder ? "selected" : context_names[v];
}

const char *impact_hours(int64_t tenths, char out[IMPACT_HOURS_SIZE])
{
	char text[TIME_TEXT_SIZE];

	snprintf(out, IMPACT_HOURS_SIZE, "%s h", time_format_tenths(tenths, text));
	return out;
}
