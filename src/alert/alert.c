/* SPDX-License-Identifier: Apache-2.0 */
/* alert: the life of a finding.
 *
 *   alerts_open(detector, subject) --> alert_fold(event)* --> alert_raise(time, severity) --> alerts_order() --> sink
 *
 * An alert that was never raised only serves its detector and is not printed.  Everything in it is bounded: lists by
 * limits.h, text by ALERT_TEXT_BYTES_MAX, alerts by ALERTS_MAX.  Lists keep the order of events; one small
 * hash set per alert knows which entries are already in, so that folding costs the same at the first and at the millionth
 * event.  Out of memory loses entries, never the run: it is remembered in alerts.failed. */
#include "alert/alert.h"

#include <stdio.h>
#include <stdlib.h>

#include "alert/alert_int.h"
#include "base/hash.h"
#include "base/limits.h"
#include "detect/detect.h"
#include "persist/persist.h"

/* distinct entries that one alert can count past the ends of its lists: above the mailboxes of any tenant we promise */
#define ALERT_DISTINCT_MAX 1000000

const char *const severity_names[5] = { "info", "low", "medium", "high", "critical" };

bool severity_parse(struct str s, enum severity *ret)
{
	for (unsigned i = 0; i < 5; i++)
		if (str_eq_nocase(s, str_of(severity_names[i]))) {
			*ret = (enum severity)i;
			return true;
		}
	return false;
}

void alerts_init(struct alerts *a, const struct world *w)
{
	*a = (struct alerts){ .world = w };
	table_init(&a->by_key, sizeof(struct alert *), ALERTS_MAX);
}

static void sentences_free(char **v, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		free(v[i]);
}

static void alert_free(struct alert *al)
{
	if (!al)
		return;
	if (al->priv) {
		alert_members_free(al);
		table_release(&al->priv->seen);
	}
	sentences_free(al->why, al->why_count);
	sentences_free(al->blind, al->blind_count);
	for (uint32_t i = 0; i < al->reason_count; i++)
		free(al->reasons[i].text);
	free(al->why);
	free(al->blind);
	free(al->title);
	free(al->mailboxes.v);
	free(al->clients.v);
	free(al->actors.v);
	free(al->nets.v);
	free(al->ips);
	free(al->sessions);
	free(al->tokens);
	free(al->priv);
	free(al);
}

void alerts_release(struct alerts *a)
{
	for (size_t i = 0; i < a->n; i++)
		alert_free(a->v[i]);
	free(a->v);
	for (uint32_t i = 0; i < a->word_count; i++)
		free(a->words[i]);
	free(a->words);
	table_release(&a->by_key);
	*a = (struct alerts){ 0 };
}

/* Content only: the same finding has the same id on every machine and in every run. */
static uint64_t alert_key(const struct detector *d, uint64_t subject)
{
	return hash_mix(hash_str(str_of(d->name), 0), subject);
}

struct alert *alerts_find(const struct alerts *a, const struct detector *d, uint64_t subject)
{
	struct alert **slot = table_get(&a->by_key, alert_key(d, subject));
	return slot ? *slot : NULL;
}

static struct alert *alert_new(struct alerts *a, const struct detector *d, uint64_t subject)
{
	struct alert *al = calloc(1, sizeof *al);
	if (!al)
		return NULL;
	al->priv = calloc(1, sizeof *al->priv);
	if (!al->priv) {
		free(al);
		return NULL;
	}
	al->priv->owner = a;
	table_init(&al->priv->seen, 0, ALERT_DISTINCT_MAX);
	al->detector = d;
	al->subject = subject;
	al->baseline.mailbox = NONE;
	snprintf(al->id, sizeof al->id, "txm-%016llx", (unsigned long long)alert_key(d, subject));
	return al;
}

struct alert *alerts_open(struct alerts *a, const struct detector *d, uint64_t subject)
{
	struct alert *al = alerts_find(a, d, subject);
	if (al)
		return al;
	if (a->n >= ALERTS_MAX) {
		a->refused++;
		return NULL;
	}
	if (a->n == a->capacity) {
		size_t capacity = a->capacity ? a->capacity * 2 : 64;
		struct alert **v = realloc(a->v, capacity * sizeof(struct alert *));
		if (!v)
			goto no_memory;
		a->v = v;
		a->capacity = capacity;
	}
	al = alert_new(a, d, subject);
	if (!al)
		goto no_memory;
	struct alert **slot = table_put(&a->by_key, alert_key(d, subject), NULL);
	if (!slot) {
		alert_free(al);
		goto no_memory;
	}
	*slot = al;
	al->priv->place = (uint32_t)a->n;
	a->v[a->n++] = al;
	return al;

no_memory:
	a->failed = true;
	a->refused++;
	return NULL;
}

/* -- folding -- */

/* True the first time.  When the set is full or out of memory: false, the entry is not listed.  Values are small numbers,
 * and so are kinds: spread far apart before they are mixed, or mailbox 130 would be actor 2. */
static uint64_t seen_key(enum seen_kind kind, uint64_t value)
{
	return hash_mix(kind * UINT64_C(0xd6e8feb86659fd93), value);
}

bool alert_first_time(struct alert *al, enum seen_kind kind, uint64_t value)
{
	bool is_new = false;
	return table_put(&al->priv->seen, seen_key(kind, value), &is_new) && is_new;
}

bool alert_once(struct alert *al, uint64_t key)
{
	return alert_first_time(al, SEEN_ONCE, key);
}

bool alert_has_mailbox(const struct alert *al, uint32_t mailbox)
{
	return mailbox != NONE && table_get(&al->priv->seen, seen_key(SEEN_MAILBOX, mailbox)) != NULL;
}

/* Room for one more element in a list that grows by doubling; the length alone says when. */
void *alert_grown(struct alert *al, void *v, uint32_t n, size_t element)
{
	if (n && (n < 4 || (n & (n - 1))))
		return v;
	void *p = realloc(v, (n < 4 ? 4 : (size_t)n * 2) * element);
	if (!p)
		al->priv->owner->failed = true;
	return p;
}

static void list_add(struct alert *al, enum seen_kind kind, struct u32_list *l, uint32_t value, uint64_t key, uint32_t max)
{
	if (value == NONE || !alert_first_time(al, kind, key))
		return;
	l->total++;
	if (l->n >= max)
		return;
	uint32_t *v = alert_grown(al, l->v, l->n, sizeof *v);
	if (!v)
		return;
	l->v = v;
	l->v[l->n++] = value;
}

static void ids_add(struct alert *al, enum seen_kind kind, struct id_entry **v, uint32_t *n, uint64_t *total, const uint8_t id[16],
	bool is_text)
{
	if (!alert_first_time(al, kind, hash64(id, 16, is_text)))
		return;
	++*total;
	if (*n >= ALERT_LIST_MAX)
		return;
	struct id_entry *p = alert_grown(al, *v, *n, sizeof *p);
	if (!p)
		return;
	*v = p;
	memcpy(p[*n].id, id, 16);
	p[*n].is_text = is_text;
	(*n)++;
}

static void addr_add(struct alert *al, const struct rec *r)
{
	if ((r->ip_kind != ADDR_V4 && r->ip_kind != ADDR_V6) || !alert_first_time(al, SEEN_ADDR, hash64(r->ip, 16, r->ip_kind)))
		return;
	al->ip_total++;
	if (al->ip_count >= ALERT_LIST_MAX)
		return;
	struct addr *p = alert_grown(al, al->ips, al->ip_count, sizeof *p);
	if (!p)
		return;
	al->ips = p;
	memcpy(p[al->ip_count].b, r->ip, 16);
	p[al->ip_count++].kind = r->ip_kind;
}

/* The four slots in the alert itself keep the common case (a few folders) out of the set. */
static void folder_add(struct alert *al, const struct event *e)
{
	uint64_t key = hash_mix(e->mailbox == NONE ? 0 : al->priv->owner->world->mailboxes[e->mailbox].key, e->rec->folder);
	for (unsigned i = 0; i < 4; i++) {
		if (al->folder_seen[i] == key)
			return;
		if (!al->folder_seen[i]) {
			al->folder_seen[i] = key;
			al->folders_synced++;
			return;
		}
	}
	if (alert_first_time(al, SEEN_FOLDER, key))
		al->folders_synced++;
}

void alert_fold_more(struct alert *al, int64_t first_us, int64_t last_us, uint64_t records, uint64_t items)
{
	if (!al->records || first_us < al->first_us)
		al->first_us = first_us;
	if (!al->records || last_us > al->last_us)
		al->last_us = last_us;
	al->records += records;
	al->items += items;
}

void alert_fold(struct alerts *a, struct alert *al, const struct event *e)
{
	(void)a;
	const struct rec *r = e->rec;
	alert_fold_more(al, r->time_us, r->time_us, 1, r->items);
	if (r->access == ACCESS_SYNC)
		folder_add(al, e);
	list_add(al, SEEN_MAILBOX, &al->mailboxes, e->mailbox, e->mailbox, ALERT_MAILBOXES_MAX);
	list_add(al, SEEN_CLIENT, &al->clients, e->client, e->client, ALERT_LIST_MAX);
	list_add(al, SEEN_ACTOR, &al->actors, e->actor, e->actor, ALERT_LIST_MAX);
	if (e->net != NET_NONE)
		list_add(al, SEEN_NET, &al->nets, e->net, e->net, ALERT_LIST_MAX);
	addr_add(al, r);
	if (r->flags & REC_HAS_SESSION)
		ids_add(al, SEEN_SESSION, &al->sessions, &al->session_count, &al->session_total, r->session, r->flags & REC_SESSION_TEXT);
	if (r->flags & REC_HAS_TOKEN)
		ids_add(al, SEEN_TOKEN, &al->tokens, &al->token_count, &al->token_total, r->token, r->flags & REC_TOKEN_TEXT);
	if (al->evidence_count < ALERT_EVIDENCE_MAX) {
		struct id_entry *id = &al->evidence[al->evidence_count++];
		memcpy(id->id, r->id, 16);
		id->is_text = r->flags & REC_ID_TEXT;
	}
}

void alert_fold_once(struct alerts *a, struct alert *al, const struct event *e)
{
	if (alert_once(al, hash64(e->rec->id, 16, e->rec->flags & REC_ID_TEXT)))
		alert_fold(a, al, e);
}

void alert_fold_orphan(struct alerts *a, struct alert *al, const struct event *e)
{
	if (a->of_orphan_count < ALERTS_OF_ORPHAN)
		a->of_orphan[a->of_orphan_count++] = al;
	alert_fold(a, al, e);
}

void alert_name(struct alert *al, uint32_t mailbox, uint32_t client)
{
	list_add(al, SEEN_MAILBOX, &al->mailboxes, mailbox, mailbox, ALERT_MAILBOXES_MAX);
	list_add(al, SEEN_CLIENT, &al->clients, client, client, ALERT_LIST_MAX);
}

void alert_raise(struct alert *al, int64_t time_us, enum severity s)
{
	if (!al->raised) {
		al->raised = true;
		al->time_us = time_us;
		al->severity = s;
	} else if (s > al->severity) {
		al->severity = s;
	}
}

/* -- sentences -- */

static char *sentence(struct alert *al, const char *format, va_list ap)
{
	char text[4096];
	int n = vsnprintf(text, sizeof text, format, ap);
	if (n < 0)
		return NULL;
	size_t length = (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;
	if (al->priv->text_bytes + length + 1 > ALERT_TEXT_BYTES_MAX)
		return NULL;
	char *p = malloc(length + 1);
	if (!p) {
		al->priv->owner->failed = true;
		return NULL;
	}
	memcpy(p, text, length);
	p[length] = 0;
	al->priv->text_bytes += length + 1;
	return p;
}

static void sentence_add(struct alert *al, char ***v, uint32_t *n, char *p)
{
	if (!p)
		return;
	char **grown_v = *n < ALERT_SENTENCES_MAX ? alert_grown(al, *v, *n, sizeof *grown_v) : NULL;
	if (!grown_v) {
		al->priv->text_bytes -= strlen(p) + 1;
		free(p);
		return;
	}
	*v = grown_v;
	(*v)[(*n)++] = p;
}

void alert_title(struct alert *al, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	char *p = sentence(al, format, ap);
	va_end(ap);
	if (!p)
		return;
	if (al->title)
		al->priv->text_bytes -= strlen(al->title) + 1;
	free(al->title);
	al->title = p;
}

void alert_why(struct alert *al, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	char *p = sentence(al, format, ap);
	va_end(ap);
	sentence_add(al, &al->why, &al->why_count, p);
}

void alert_blind(struct alert *al, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	char *p = sentence(al, format, ap);
	va_end(ap);
	sentence_add(al, &al->blind, &al->blind_count, p);
}

static void sentences_clear(struct alert *al, char **v, uint32_t *n)
{
	for (uint32_t i = 0; i < *n; i++)
		al->priv->text_bytes -= strlen(v[i]) + 1;
	sentences_free(v, *n);
	*n = 0;
}

void alert_reason(struct alert *al, const char *family, double p, const char *format, ...)
{
	if (al->reason_count >= ALERT_REASONS_MAX)
		return;
	va_list ap;
	va_start(ap, format);
	char *text = sentence(al, format, ap);
	va_end(ap);
	if (text)
		al->reasons[al->reason_count++] = (struct alert_reason){ family, p, text };
}

void alert_clear_why(struct alert *al)
{
	for (uint32_t i = 0; i < al->reason_count; i++) {
		al->priv->text_bytes -= strlen(al->reasons[i].text) + 1;
		free(al->reasons[i].text);
	}
	al->reason_count = 0;
	sentences_clear(al, al->why, &al->why_count);
	sentences_clear(al, al->blind, &al->blind_count);
}

/* -- order of output -- */

int alerts_compare(const struct alert *a, const struct alert *b)
{
	if (a->raised != b->raised)
		return a->raised ? -1 : 1;
	if (a->time_us != b->time_us)
		return a->time_us < b->time_us ? -1 : 1;
	int by_name = strcmp(a->detector->name, b->detector->name);
	return by_name ? by_name : strcmp(a->id, b->id);
}

bool alert_is_within(const struct alert *al, const struct period *p)
{
	int64_t first = al->records && al->first_us < al->time_us ? al->first_us : al->time_us;
	int64_t last = al->records && al->last_us > al->time_us ? al->last_us : al->time_us;
	return period_meets(p, first, last + 1);
}

static int compare(const void *x, const void *y)
{
	return alerts_compare(*(struct alert *const *)x, *(struct alert *const *)y);
}

const struct world *alert_world(const struct alert *al) { return al->priv->owner->world; }


/* The time of an alert is that of one of its records: that on which it could be known, or, where the rule had to wait
 * and see, the last. */
static void time_within(struct alert *al)
{
	if (!al->records)
		return;
	al->time_us = al->time_us > al->last_us ? al->last_us : al->time_us < al->first_us ? al->first_us : al->time_us;
}

size_t alerts_order(struct alerts *a)
{
	size_t n = 0;
	for (size_t i = 0; i < a->n; i++)
		time_within(a->v[i]);
	if (a->n)
		qsort(a->v, a->n, sizeof(struct alert *), compare);
	while (n < a->n && a->v[n]->raised)
		n++;
	return n;
}

/* -- to bytes and back -- */

#define WORD_MAX 64   /* bytes of a family's name */
#define WORDS_MAX 256

/* A word that in this program is a constant: the first text of that content serves all. */
static void word_persist(struct persist *p, struct alerts *a, const char **word)
{
	char *text = p->loading ? NULL : (char *)*word;
	persist_text(p, &text, WORD_MAX);
	if (!p->loading)
		return;
	*word = text;
	for (uint32_t i = 0; text && i < a->word_count; i++)
		if (strcmp(a->words[i], text) == 0) {
			*word = a->words[i];
			free(text);
			return;
		}
	char **v = text && a->word_count < WORDS_MAX ? realloc(a->words, (a->word_count + 1) * sizeof *v) : NULL;
	if (text && !v) {
		persist_fail(p, "it has more words than this build allows");
		free(text);
		*word = NULL;
	}
	if (v) {
		a->words = v;
		v[a->word_count++] = text;
	}
}

/* Lists grow by doubling and their length alone says when (alert_grown()): what was read gets the room that it would have. */
static void list_persist(struct persist *p, void **v, uint32_t *n, size_t element, uint32_t max)
{
	persist_array(p, v, n, element, max, NULL);
	if (!p->loading || !*n)
		return;
	size_t room = 4;
	while (room < *n)
		room *= 2;
	void *more = realloc(*v, room * element);
	if (more) {
		*v = more;
		return;
	}
	persist_fail(p, "out of memory");
	*n = 0;
}

static void numbers_persist(struct persist *p, struct u32_list *l, uint32_t max, uint32_t below)
{
	list_persist(p, (void **)&l->v, &l->n, sizeof *l->v, max);
	persist_u64(p, &l->total);
	for (uint32_t i = 0; i < l->n; i++)
		if (l->v[i] >= below) {
			persist_fail(p, "a number of it is unknown");
			l->n = 0;
		}
}

static void sentences_persist(struct persist *p, char ***v, uint32_t *n)
{
	uint32_t count = *n;
	persist_count(p, &count, ALERT_SENTENCES_MAX);
	if (p->loading && count) {
		*v = calloc(ALERT_SENTENCES_MAX, sizeof **v);
		if (!*v) {
			persist_fail(p, "out of memory");
			return;
		}
		*n = count;
	}
	for (uint32_t i = 0; i < *n; i++)
		persist_text(p, &(*v)[i], ALERT_TEXT_BYTES_MAX);
	for (uint32_t i = 0; i < *n; i++)
		if (!(*v)[i]) { /* a sentence is never NULL */
			persist_fail(p, "a sentence of it is missing");
			sentences_free(*v, *n);
			*n = 0;
		}
}

static void alert_persist(struct persist *p, struct alerts *a, struct alert *al)
{
	const struct world *w = a->world;
	uint32_t severity = al->severity, evidence = al->evidence_count;
	uint64_t text_bytes = al->priv->text_bytes;
	persist_count(p, &severity, SEVERITY_CRITICAL);
	al->severity = (enum severity)severity;
	persist_i64(p, &al->time_us);
	persist_i64(p, &al->first_us);
	persist_i64(p, &al->last_us);
	persist_u64(p, &al->records);
	persist_u64(p, &al->items);
	persist_u32(p, &al->folders_synced);
	numbers_persist(p, &al->mailboxes, ALERT_MAILBOXES_MAX, w->mailbox_count);
	numbers_persist(p, &al->clients, ALERT_LIST_MAX, w->client_count);
	numbers_persist(p, &al->actors, ALERT_LIST_MAX, w->actor_count);
	numbers_persist(p, &al->nets, ALERT_LIST_MAX, w->net_count);
	list_persist(p, (void **)&al->ips, &al->ip_count, sizeof *al->ips, ALERT_LIST_MAX);
	list_persist(p, (void **)&al->sessions, &al->session_count, sizeof *al->sessions, ALERT_LIST_MAX);
	list_persist(p, (void **)&al->tokens, &al->token_count, sizeof *al->tokens, ALERT_LIST_MAX);
	persist_u64(p, &al->ip_total);
	persist_u64(p, &al->session_total);
	persist_u64(p, &al->token_total);
	persist_count(p, &evidence, ALERT_EVIDENCE_MAX);
	al->evidence_count = evidence;
	persist_bytes(p, al->evidence, evidence * sizeof *al->evidence);
	persist_text(p, &al->title, ALERT_TEXT_BYTES_MAX);
	sentences_persist(p, &al->why, &al->why_count);
	sentences_persist(p, &al->blind, &al->blind_count);
	persist_bytes(p, &al->odds, sizeof al->odds);
	persist_count(p, &al->reason_count, ALERT_REASONS_MAX);
	for (uint32_t i = 0; i < al->reason_count; i++) {
		word_persist(p, a, &al->reasons[i].family);
		persist_bytes(p, &al->reasons[i].p, sizeof al->reasons[i].p);
		persist_text(p, &al->reasons[i].text, ALERT_TEXT_BYTES_MAX);
	}
	persist_struct(p, &al->baseline, sizeof al->baseline);
	persist_bool(p, &al->campaign.set);
	word_persist(p, a, &al->campaign.by);
	persist_u32(p, &al->campaign.mailboxes);
	persist_bytes(p, &al->campaign.odds, sizeof al->campaign.odds);
	persist_bool(p, &al->raised);
	persist_bytes(p, al->folder_seen, sizeof al->folder_seen);
	alert_members_persist(p, al);
	persist_u64(p, &text_bytes);
	al->priv->text_bytes = text_bytes;
	persist_table(p, &al->priv->seen, NULL);
	for (uint32_t i = 0; i < al->reason_count; i++)
		if (!al->reasons[i].family || !al->reasons[i].text)
			persist_fail(p, "a reason of it is missing");
	if (al->baseline.mailbox != NONE && al->baseline.mailbox >= w->mailbox_count)
		persist_fail(p, "a number of it is unknown");
}

static const struct detector *detector_of(const char *name)
{
	for (size_t i = 0; name && detectors[i]; i++)
		if (strcmp(detectors[i]->name, name) == 0)
			return detectors[i];
	return NULL;
}

void alerts_persist(struct persist *p, struct alerts *a)
{
	uint32_t n = (uint32_t)a->n;
	persist_mark(p, "alerts");
	persist_count(p, &n, ALERTS_MAX);
	persist_u64(p, &a->refused);
	for (uint32_t i = 0; i < n && !persist_failed(p); i++) {
		struct alert *al = p->loading ? NULL : a->v[i];
		const char *name = al ? al->detector->name : NULL;
		uint64_t subject = al ? al->subject : 0;
		word_persist(p, a, &name);
		persist_u64(p, &subject);
		if (p->loading) {
			const struct detector *d = detector_of(name);
			if (!d || alerts_find(a, d, subject))
				persist_fail(p, "an alert of it is of a rule that this build does not have");
			else if (!(al = alerts_open(a, d, subject)))
				persist_fail(p, "out of memory");
		}
		if (al)
			alert_persist(p, a, al);
	}
}

void alerts_persist_one(struct persist *p, struct alert **al)
{
	uint64_t place;
	if (p->loading) {
		memcpy(&place, (void *)al, sizeof place);
		if (place > p->alerts->n) {
			persist_fail(p, "a number of it names no alert");
			place = 0;
		}
		*al = place ? p->alerts->v[place - 1] : NULL;
	} else {
		place = *al ? (uint64_t)(*al)->priv->place + 1 : 0;
		memcpy((void *)al, &place, sizeof place);
	}
}

_Static_assert(sizeof(struct alert *) == sizeof(uint64_t), "a place fits a pointer's");
