/* SPDX-License-Identifier: Apache-2.0 */
/* impact: the pass over the events.  For each record of reading: is it in the selection, was its context a habit of
 * that mailbox, and what does it list?  See impact.h for what that means. */
#include "impact/impact_int.h"

#include <stdarg.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/encoding.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/timefmt.h"
#include "identity/identity.h"
#include "impact/select_int.h"
#include "impact/sheet.h"

const char *const certainty_names[4] = { "confirmed", "unclear", "assumed", "unknown" };
const char *const context_names[3] = { "intruder", "unclear", "habit" };
const char *const unknown_names[UNKNOWN_REASON_COUNT] = {
	"throttled", "audit_off", "bypass", "gap", "no_record", "no_data", "narrowed", "unlicensed", "silent",
};
const char *const unknown_docs[UNKNOWN_REASON_COUNT] = {
	"Exchange stopped recording reads of this mailbox for 24 hours, after about 1,000 records in a day",
	"auditing was switched off for the tenant",
	"the account was under audit bypass: nothing it does is recorded",
	"no mailbox has any record in these hours, which otherwise always have some: the export has a hole",
	"the export holds no record of anybody reading this mailbox: licence, settings, or an export without it",
	"the time asked for lies outside of the data",
	"MailItemsAccessed was not among the audited actions: what the owner's account reads is not recorded",
	"the plan for premium auditing was taken away, and no read is recorded since",
	"no read is recorded on these days, although the mailbox was in use",
};

static bool add_text(struct impact *im, char ***v, size_t *n, struct str text)
{
	char **p = realloc(*v, (*n + 1) * sizeof(*p));

	if (!p) {
		im->failed = true;
		return false;
	}
	*v = p;
	p[*n] = strndup(text.n ? text.p : "", text.n);
	im->failed |= !p[*n];
	++*n;
	return !im->failed;
}

void impact_note(struct impact *im, const char *format, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	add_text(im, &im->notes, &im->note_count, str_of(text));
}

struct impact *impact_new(const struct selection *s)
{
	struct impact *im = calloc(1, sizeof(*im));

	if (!im)
		return NULL;
	im->sel = s;
	im->names_context = selection_names_context(s);
	table_init(&im->habits, sizeof(struct habit), IMPACT_HABITS_MAX);
	table_init(&im->by_context, sizeof(uint32_t), IMPACT_CONTEXTS_MAX);
	table_init(&im->by_sync, sizeof(uint32_t), IMPACT_SYNCS_MAX);
	table_init(&im->intruder_ips, 0, IMPACT_CONTEXTS_MAX);
	table_init(&im->intruder_sessions, 0, IMPACT_CONTEXTS_MAX);
	table_init(&im->slots, sizeof(struct slot_count), IMPACT_SLOTS_MAX);
	table_init(&im->tags, sizeof(uint32_t), IMPACT_SELECTORS_MAX);
	buf_init(&im->message_text, SPOOL_PIECE_BYTES_MAX);
	im->entries = spool_new(0);
	im->messages = spool_new(0);
	im->sheet = spool_new(0);
	if (!im->entries || !im->messages || !im->sheet) {
		impact_free(im);
		return NULL;
	}
	return im;
}

void impact_free(struct impact *im)
{
	if (!im)
		return;
	table_release(&im->habits);
	table_release(&im->by_context);
	table_release(&im->by_sync);
	table_release(&im->intruder_ips);
	table_release(&im->intruder_sessions);
	coverages_release(&im->coverages);
	table_release(&im->slots);
	table_release(&im->tags);
	spool_free(im->entries);
	spool_free(im->messages);
	spool_free(im->sheet);
	for (size_t i = 0; i < im->sync_count; i++)
		free(im->syncs[i].folder);
	for (size_t i = 0; i < im->tag_count; i++)
		free(im->tag_texts[i]);
	for (size_t i = 0; i < im->topic_count; i++) {
		free(im->topics[i].words);
		free(im->topics[i].tag);
	}
	for (size_t i = 0; i < im->correction_count; i++)
		free(im->corrections[i]);
	for (size_t i = 0; i < im->note_count; i++)
		free(im->notes[i]);
	free(im->notes);
	for (size_t i = 0; i < im->report.input_count; i++)
		free(im->report.inputs[i].path);
	free(im->syncs);
	free(im->tag_texts);
	free(im->topics);
	free(im->corrections);
	free(im->contexts);
	free(im->first_selected);
	free(im->first_any);
	free(im->unlisted);
	free(im->place);
	free(im->report.mailboxes);
	free(im->report.routes);
	free(im->report.syncs);
	free(im->report.unknown);
	free(im->report.slots);
	free(im->report.inputs);
	buf_release(&im->message_text);
	free(im);
}

bool impact_room(struct impact *im, void **v, size_t n, size_t *capacity, size_t size)
{
	if (n < *capacity)
		return true;
	const size_t want = *capacity ? 2 * *capacity : 64;
	void *p = realloc(*v, want * size);
	if (!p) {
		im->failed = true;
		return false;
	}
	*v = p;
	*capacity = want;
	return true;
}

/* -- which records shall carry their lists -- */

bool impact_keep(void *arg, const struct rec *r, const struct names *n)
{
	const struct impact *im = arg;

	if (!selection_covers(im->sel, r->time_us))
		return false;
	/* a Sync names no application: it may belong to the intruder by its address alone, which is seen at the end */
	return r->record_type != 50 || selection_match(im->sel, r, n, NULL).hit;
}

/* -- events -- */

static bool mailbox_room(struct impact *im, uint32_t mailbox)
{
	if (mailbox < im->mailbox_capacity)
		return true;
	const uint32_t want = mailbox < 512 ? 1024 : 2 * mailbox;
	int64_t *first = realloc(im->first_selected, want * sizeof(*first));
	if (first)
		im->first_selected = first;
	uint64_t *unlisted = realloc(im->unlisted, want * sizeof(*unlisted));
	if (unlisted)
		im->unlisted = unlisted;
	int64_t *any = realloc(im->first_any, want * sizeof(*any));
	if (any)
		im->first_any = any;
	if (!first || !unlisted || !any) {
		im->failed = true;
		return false;
	}
	memset(first + im->mailbox_capacity, 0, (want - im->mailbox_capacity) * sizeof(*first));
	memset(unlisted + im->mailbox_capacity, 0, (want - im->mailbox_capacity) * sizeof(*unlisted));
	memset(any + im->mailbox_capacity, 0, (want - im->mailbox_capacity) * sizeof(*any));
	im->mailbox_capacity = want;
	return true;
}

static uint64_t context_key(const struct event *e)
{
	return hash_mix(hash_mix(e->mailbox, e->client), (uint64_t)e->net << 1 | 1);
}

/* an address of a caller, not of a front end; in its tenant */
static uint64_t place_key(const struct event *e)
{
	struct addr a = { .kind = e->rec->ip_kind };

	memcpy(a.b, e->rec->ip, sizeof(a.b));
	return e->net == NET_NONE || e->net == NET_MICROSOFT || e->net == NONE ? 0 : hash_mix(select_addr_key(&a), e->tenant) | 1;
}

static uint64_t session_key(const struct event *e)
{
	return e->rec->flags & REC_HAS_SESSION ? hash64(e->rec->session, 16, e->tenant) | 1 : 0;
}

bool impact_is_habit(const struct habit *h, int64_t at_us)
{
	return h && h->days >= 3 && h->first_us <= at_us - 7 * US_PER_DAY;
}

static void meet_habit(struct impact *im, const struct event *e)
{
	const int32_t day = (int32_t)(e->rec->time_us / US_PER_DAY);
	bool is_new;
	struct habit *h;

	if (im->first_selected[e->mailbox])
		return; /* too late to learn what was usual */
	h = table_put(&im->habits, context_key(e), &is_new);
	if (!h)
		return;
	if (is_new)
		*h = (struct habit) { e->rec->time_us, day, 1 };
	else if (h->last_day != day)
		*h = (struct habit) { h->first_us, day, h->days + 1 };
}

static void add_sync(struct impact *im, const struct event *e, bool selected, bool unclear)
{
	struct item_iter it = items_of(e->rec);
	struct item item = { 0 };
	bool is_new;

	while (item_next(&it, &item) && !item.is_folder)
		;
	const uint64_t ip = place_key(e), session = session_key(e);
	uint64_t key = hash_mix(context_key(e), hash_mix(ip, session));
	key = hash_mix(key, e->rec->folder ? e->rec->folder : hash_str(item.folder, 5)) ^ selected;
	uint32_t *at = table_put(&im->by_sync, key, &is_new);
	if (!at) {
		im->refused++;
		return;
	}
	if (is_new) {
		if (!impact_room(im, (void **)&im->syncs, im->sync_count, &im->sync_capacity, sizeof(*im->syncs)))
			return;
		*at = (uint32_t)im->sync_count;
		im->syncs[im->sync_count++] = (struct sync_entry) {
			.mailbox = e->mailbox,
			.client = e->client,
			.net = e->net,
			.ip_key = ip,
			.session_key = session,
			.selected = selected,
			.unclear = unclear,
			.habit_key = context_key(e),
			.first_us = e->rec->time_us,
			.folder = strndup(item.folder.n ? item.folder.p : "", item.folder.n),
		};
	}
	struct sync_entry *s = &im->syncs[*at];
	s->last_us = e->rec->time_us;
	s->times++;
}

static struct impact_context *context_of(struct impact *im, const struct event *e, const struct match *m)
{
	const uint64_t key = context_key(e);
	bool is_new;
	uint32_t *at = table_put(&im->by_context, key, &is_new);

	if (!at) {
		im->refused++;
		return NULL;
	}
	if (!is_new)
		return &im->contexts[*at];
	if (!impact_room(im, (void **)&im->contexts, im->context_count, &im->context_capacity, sizeof(*im->contexts)))
		return NULL;
	*at = (uint32_t)im->context_count;
	const struct habit *habit = table_get(&im->habits, key);
	enum verdict_of_context verdict = CONTEXT_INTRUDER;
	if (impact_is_habit(habit, im->first_selected[e->mailbox]) && !m->by_identity) {
		verdict =
			e->net == NET_NONE || e->net == NET_MICROSOFT || e->net == NONE ? CONTEXT_UNCLEAR : CONTEXT_OWN;
	} else if (habit) {
		struct impact_totals *t = &im->report.total;
		t->earlier_contexts++;
		t->earlier_us = !t->earlier_us || habit->first_us < t->earlier_us ? habit->first_us : t->earlier_us;
	}
	struct impact_context *c = &im->contexts[im->context_count++];
	*c = (struct impact_context) { .mailbox = NONE,
				       .world_mailbox = e->mailbox,
				       .client = e->client,
				       .net = e->net,
				       .verdict = verdict,
				       .first_us = e->rec->time_us };
	return c;
}

static void note_address(struct impact_context *c, const struct rec *r)
{
	struct addr a = { .kind = r->ip_kind };

	memcpy(a.b, r->ip, sizeof(a.b));
	if (a.kind != ADDR_V4 && a.kind != ADDR_V6)
		return;
	for (uint32_t i = 0; i < c->ip_count; i++)
		if (memcmp(&c->ips[i], &a, sizeof(a)) == 0)
			return;
	if (c->ip_count < sizeof(c->ips) / sizeof(c->ips[0]))
		c->ips[c->ip_count++] = a;
	else
		c->ips_more++;
}

/* An entry of the first spool: (hash of kind and id, mailbox, time, size) to be sorted by, then certainty, id, folder. */
enum { ENTRY_HEAD = 16 + 4 + 8 + 8 + 1 + 1 + 2 };

static struct str bare_id(struct str id)
{
	id = str_trim(id);
	if (id.n >= 2 && id.p[0] == '<' && id.p[id.n - 1] == '>')
		id = (struct str) { id.p + 1, id.n - 2 };
	return id;
}

static void hash_id(enum item_id kind, struct str id, uint8_t ret[16])
{
	char text[ITEM_ID_BYTES_MAX + 1];

	id = bare_id(id);
	if (id.n > ITEM_ID_BYTES_MAX)
		id.n = ITEM_ID_BYTES_MAX;
	text[0] = (char)kind;
	if (id.n)
		memcpy(text + 1, id.p, id.n);
	hash128(text, id.n + 1, ret);
}

static void add_entry(struct impact *im, const struct event *e, const struct item *item, bool unclear)
{
	uint8_t piece[ENTRY_HEAD + ITEM_ID_BYTES_MAX + NAME_BYTES_MAX], *p = piece;

	hash_id(item->kind, item->id, p);
	spool_put(p + 16, e->mailbox, 4);
	spool_put(p + 20, (uint64_t)e->rec->time_us, 8);
	spool_put(p + 28, item->bytes, 8);
	p[36] = unclear ? CERTAINTY_UNCLEAR : CERTAINTY_CONFIRMED;
	p[37] = (uint8_t)item->kind;
	spool_put(p + 38, item->id.n, 2);
	memcpy(p + ENTRY_HEAD, item->id.p, item->id.n);
	const size_t folder = item->folder.n < NAME_BYTES_MAX ? item->folder.n : NAME_BYTES_MAX;
	if (folder)
		memcpy(p + ENTRY_HEAD + item->id.n, item->folder.p, folder);
	spool_add(im->entries, (struct str) { (const char *)piece, ENTRY_HEAD + item->id.n + folder });
}

static void add_slot(struct impact *im, const struct event *e)
{
	const int64_t hour = e->rec->time_us / US_PER_HOUR;
	bool is_new;
	struct slot_count *d = table_put(&im->slots, (uint64_t)hour << 32 | e->mailbox, &is_new);

	if (!d)
		return;
	if (e->rec->access == ACCESS_SYNC)
		d->syncs++;
	else
		d->accesses += e->rec->items;
}

static void take_selected(struct impact *im, const struct event *e, const struct match *m)
{
	const struct rec *r = e->rec;
	struct item_iter it = items_of(r);
	struct item item;
	uint64_t listed = 0;

	if (im->first_selected[e->mailbox] == 0)
		im->first_selected[e->mailbox] = r->time_us;
	struct impact_context *c = context_of(im, e, m);
	if (!c)
		return;
	c->records++;
	c->last_us = r->time_us;
	c->syncs += r->access == ACCESS_SYNC;
	c->accesses += r->items;
	note_address(c, r);
	if (c->verdict == CONTEXT_OWN)
		return;
	if (c->verdict == CONTEXT_INTRUDER) {
		const uint64_t ip = place_key(e), session = session_key(e);
		if (ip)
			table_put(&im->intruder_ips, ip, NULL);
		if (session)
			table_put(&im->intruder_sessions, session, NULL);
	}
	add_slot(im, e);
	if (r->access == ACCESS_SYNC) {
		add_sync(im, e, true, c->verdict == CONTEXT_UNCLEAR);
		return;
	}
	while (item_next(&it, &item)) {
		if (item.is_folder || item.kind == ITEM_NO_ID)
			continue;
		listed++;
		add_entry(im, e, &item, c->verdict == CONTEXT_UNCLEAR);
	}
	if (r->items > listed)
		im->unlisted[e->mailbox] += r->items - listed;
	im->report.total.cut_records += (r->flags & REC_ITEMS_CUT) != 0;
}

bool impact_event(void *arg, const struct world *w, const struct event *e)
{
	struct impact *im = arg;
	const struct rec *r = e->rec;
	struct match m;

	if (r->flags & REC_NO_TIME)
		return true;
	struct coverage *c = coverages_of(&im->coverages, e->tenant);
	if (!c) {
		im->failed = true;
		return false;
	}
	coverage_meet(c, w, e);
	if (!event_is_mail(e) || e->mailbox == NONE || !mailbox_room(im, e->mailbox))
		return !im->failed;
	if (im->first_any[e->mailbox] == 0)
		im->first_any[e->mailbox] = r->time_us;
	const struct str tenant = world_tenant(w, e->tenant);
	m = selection_match(im->sel, r, w->names, &tenant);
	if (m.hit && m.unless_linked && e->token && e->token->verdict == PROV_LINKED)
		m.hit = false; /* a sign-in issued this one */
	if (m.hit && m.new_app_only && (e->client == NONE || w->clients[e->client].first_us < m.app_since_us))
		m.hit = false;
	if (m.hit) {
		take_selected(im, e, &m);
	} else {
		meet_habit(im, e);
		if (r->access == ACCESS_SYNC && selection_covers(im->sel, r->time_us) && im->names_context)
			add_sync(im, e, false, false);
	}
	return !im->failed;
}

const char *impact_error(const struct impact *im)
{
	if (im->error[0])
		return im->error;
	if (im->failed)
		return "out of memory";
	if (spool_error(im->entries)[0])
		return spool_error(im->entries);
	if (spool_error(im->messages)[0])
		return spool_error(im->messages);
	return spool_error(im->sheet);
}

uint64_t impact_spilled(const struct impact *im)
{
	return spool_spilled(im->entries) + spool_spilled(im->messages) + spool_spilled(im->sheet);
}

/* -- what the user gives besides the export -- */

bool impact_add_messages(struct impact *im, const char *path, struct buf *error)
{
	static const char *const columns[] = {
		"messageid|internetmessageid|emailinternetmessageid|internetmessageheaderid",
		"subject|messagesubject|emailsubject|subjecttitle|title",
		"sender|senderaddress|from|fromaddress|emailsender|senderauthor|originaddress",
	};
	enum { ID, SUBJECT, SENDER, COUNT };
	struct str cells[SHEET_COLUMNS];
	struct sheet *s = sheet_open(path, columns, COUNT, error);
	bool good = s != NULL;

	if (good && !sheet_has(s, ID)) {
		buf_printf(error, "%s: no column with message ids (MessageId, Internet Message ID)", path);
		good = false;
	}
	im->messages_given = good;
	while (good && sheet_next(s, cells)) {
		uint8_t piece[16 + 4 + 2 * 1024];
		if (!cells[ID].n)
			continue;
		im->report.total.sheet_rows++;
		for (int i = SUBJECT; i <= SENDER; i++)
			cells[i].n = cells[i].n < 1024 ? cells[i].n : 1024;
		hash_id(ITEM_INTERNET_ID, cells[ID], piece);
		spool_put(piece + 16, cells[SUBJECT].n, 4);
		if (cells[SUBJECT].n)
			memcpy(piece + 20, cells[SUBJECT].p, cells[SUBJECT].n);
		if (cells[SENDER].n)
			memcpy(piece + 20 + cells[SUBJECT].n, cells[SENDER].p, cells[SENDER].n);
		spool_add(im->sheet, (struct str) { (const char *)piece, 20 + cells[SUBJECT].n + cells[SENDER].n });
	}
	if (good && sheet_error(s)[0]) {
		buf_add_cstr(error, sheet_error(s));
		good = false;
	}
	if (good && !im->report.total.sheet_rows) {
		buf_printf(error, "%s: no row under its header", path);
		good = false;
	}
	sheet_close(s);
	return good;
}

bool impact_add_tags(struct impact *im, const char *path, struct buf *error)
{
	static const char *const columns[] = {
		"mailbox|user|upn|userprincipalname|address|emailaddress|guid",
		"contains|subject|word|words|topic",
		"tag|label|vip|role|group|name",
	};
	enum { MAILBOX, WORDS, TAG, COUNT };
	struct str cells[SHEET_COLUMNS];
	struct sheet *s = sheet_open(path, columns, COUNT, error);
	bool good = s != NULL;

	if (good && (!sheet_has(s, TAG) || (!sheet_has(s, MAILBOX) && !sheet_has(s, WORDS)))) {
		buf_printf(error, "%s: columns 'tag' and 'mailbox' (or 'contains', words in a subject) are needed",
			   path);
		good = false;
	}
	im->tags_given = good;
	while (good && sheet_next(s, cells) && im->topic_count + im->tag_count < IMPACT_SELECTORS_MAX) {
		if (!cells[TAG].n)
			continue;
		im->report.total.tag_rows++;
		if (cells[MAILBOX].n) {
			uint32_t *at = table_put(&im->tags, select_text_key(cells[MAILBOX]), NULL);
			if (!at || !add_text(im, &im->tag_texts, &im->tag_count, cells[TAG]))
				continue;
			*at = (uint32_t)im->tag_count - 1;
		} else if (cells[WORDS].n) {
			struct topic *p = realloc(im->topics, (im->topic_count + 1) * sizeof(*p));
			if (!p) {
				im->failed = true;
				break;
			}
			im->topics = p;
			p[im->topic_count++] = (struct topic) { strndup(cells[WORDS].p, cells[WORDS].n),
								strndup(cells[TAG].p, cells[TAG].n) };
			im->failed |= !p[im->topic_count - 1].words || !p[im->topic_count - 1].tag;
		}
	}
	if (good && sheet_error(s)[0]) {
		buf_add_cstr(error, sheet_error(s));
		good = false;
	}
	if (good && !im->report.total.tag_rows) {
		buf_printf(error, "%s: no row under its header", path);
		good = false;
	}
	sheet_close(s);
	return good;
}

static bool is_text(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((uint8_t)s.p[i] < ' ' && s.p[i] != '\t')
			return false;
	return utf8_is_valid(s);
}

bool impact_add_corrections(struct impact *im, const char *path, struct buf *error)
{
	FILE *f = fopen(path, "re");
	struct buf recoded;
	bool text = true;
	char *line = NULL;
	size_t capacity = 0;
	ssize_t n;

	if (!f) {
		buf_printf(error, "cannot read '%s'", path);
		return false;
	}
	buf_init(&recoded, MIB);
	while ((n = getline(&line, &capacity, f)) >= 0 && im->correction_count < 10000) {
		struct str t = str_trim((struct str) { line, (size_t)n });
		buf_clear(&recoded);
		text &= !str_starts(t, STR("\xff\xfe"));
		if (!utf8_is_valid(t) && text_recode(t, &recoded))
			t = buf_str(&recoded);
		if (str_starts(t, STR("\xef\xbb\xbf")))
			t = (struct str) { t.p + 3, t.n - 3 };
		text &= is_text(t);
		if (t.n)
			add_text(im, &im->corrections, &im->correction_count, t);
	}
	buf_release(&recoded);
	if (!text)
		buf_printf(error, "%s: not lines of text", path);
	else if (ferror(f))
		buf_printf(error, "%s: %s", path, strerror(errno));
	else if (!im->correction_count)
		buf_printf(error, "%s: no line in it", path);
	free(line);
	fclose(f);
	return !error->n;
}
