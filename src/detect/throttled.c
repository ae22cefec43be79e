/* SPDX-License-Identifier: Apache-2.0 */
/* throttled: Exchange stopped logging what is read from a mailbox.
 *
 * Signal   A record with IsThrottled = True.  And, inferred: a mailbox with at least 1,000 Bind records in 24 hours that
 *          then has none for 24 hours, while other things (Sync, sends, moves, sign-ins of its owner) go on.
 * Catches  The 24 hours after the limit, in which nothing read is recorded and nothing is supplied later; a reader that
 *          drives a mailbox into the limit on purpose or by greed.
 * Misses   What was read in those hours: that is the point.  A limit reached before the data begins.
 * Cost     Explicit: under 1 % of mailboxes, heavy add-ins and backups.  Inferred: a busy client that pauses for a day,
 *          hence low.  Memory: 72 bytes a mailbox.
 *
 *   Bind Bind ... Bind(IsThrottled) |----------- 24 h blind -----------| Bind ...
 *                                     Sync, Send, sign-ins go on
 *
 * A day is counted in 24 hourly cells: the sum over them is the last 23 to 24 hours. */
#include <stdio.h>
#include <stdlib.h>

#include "detect/detect_int.h"

#define BLIND_US US_PER_DAY            /* how long Exchange writes no Bind after the limit */
#define LIMIT_RECORDS 1000             /* Bind records of a mailbox in 24 hours, as documented */
#define UNHARMED_RECORDS (2 * LIMIT_RECORDS) /* this many and still logging: the limit does not hold here, infer nothing */
#define OTHERS_MIN 3                   /* signs of life in the silence; one could be a late record */
#define YOUNG_CLIENT_US (14 * US_PER_DAY)
#define MAINLY_RECORDS (LIMIT_RECORDS / 2) /* a client that made half of the limit made the rest matter */
#define WATCHED_MAX 20000              /* mailboxes near the limit at one time */

extern const struct detector detector_throttled;

struct box {
	uint16_t hour[24];
	int64_t last_hour;       /* number of the hour of the newest cell; 0 = none yet */
	uint32_t major, votes;   /* client with the most Bind records, by majority vote; major is client + 1 */
	uint32_t watched;        /* 1 + place in the watch list; 0 = not near the limit */
	uint32_t unused;
};

struct watch { /* a mailbox that is at the limit */
	struct kept last;        /* its last Bind */
	int64_t blind_until;     /* logged explicitly: nothing is inferred before that */
	uint32_t records;        /* in the 24 hours before it */
	uint32_t others;         /* signs of life since, within 24 hours */
	bool full;
};

struct state {
	struct box *boxes;
	uint32_t box_count;
	struct watch *watches;
	uint32_t watch_count, watch_capacity;
	struct table owners;     /* actor -> index of watch: sign-ins of the owner are signs of life */
	struct table windows;    /* mailbox key -> int64_t start of the explicit blind window */
	uint64_t refused;
};

static int begin(void *state, struct detect_ctx *c)
{
	struct state *s = state;
	(void)c;
	table_init(&s->owners, sizeof(uint32_t), WATCHED_MAX);
	table_init(&s->windows, sizeof(int64_t), WATCHED_MAX);
	return 0;
}

static void release(void *state)
{
	struct state *s = state;
	free(s->boxes);
	free(s->watches);
	table_release(&s->owners);
	table_release(&s->windows);
}

static uint64_t refused(const void *state)
{
	const struct state *s = state;
	return s->refused + s->windows.refused;
}

/* -- counting -- */

static uint32_t box_count(struct box *b, int64_t t)
{
	int64_t hour = t / US_PER_HOUR;
	uint32_t sum = 0;
	if (hour - b->last_hour >= 24 || hour < b->last_hour) {
		memset(b->hour, 0, sizeof b->hour);
		b->major = b->votes = 0;
	} else {
		for (int64_t h = b->last_hour + 1; h <= hour; h++)
			b->hour[h % 24] = 0;
	}
	b->last_hour = hour;
	if (b->hour[hour % 24] < UINT16_MAX)
		b->hour[hour % 24]++;
	for (unsigned i = 0; i < 24; i++)
		sum += b->hour[i];
	return sum;
}

static void box_vote(struct box *b, uint32_t client)
{
	if (client == NONE)
		return;
	if (!b->votes)
		b->major = client + 1;
	if (b->major == client + 1)
		b->votes++;
	else
		b->votes--;
}

static struct watch *watch_of(struct state *s, struct box *b)
{
	if (b->watched)
		return &s->watches[b->watched - 1];
	if (s->watch_count == s->watch_capacity) {
		uint32_t capacity = s->watch_capacity ? s->watch_capacity * 2 : 16;
		struct watch *v = s->watch_count < WATCHED_MAX ? realloc(s->watches, capacity * sizeof *v) : NULL;
		if (!v) {
			s->refused++;
			return NULL;
		}
		s->watches = v;
		s->watch_capacity = capacity;
	}
	s->watches[s->watch_count] = (struct watch){ 0 };
	b->watched = ++s->watch_count;
	return &s->watches[b->watched - 1];
}

/* reads_since: when the reading began that led to the limit */
static void say_blind(struct alert *al, int64_t from_us, bool inferred, int64_t reads_since_us)
{
	alert_member(al, BLIND_FROM, value_time(from_us));
	alert_member(al, BLIND_UNTIL, value_time(from_us + BLIND_US));
	alert_member(al, INFERRED, value_flag(inferred));
	alert_member(al, READS_SINCE, value_time(reads_since_us));
}

/* -- inferred -- */

/* The silence has lasted a day: reports it, once for that day. */
static void infer(struct detect_ctx *c, struct watch *x)
{
	const struct kept *k = &x->last;
	char mailbox[SAY_SIZE], from[TIME_TEXT_SIZE], to[TIME_TEXT_SIZE];
	x->full = false;
	if (x->others < OTHERS_MIN || k->time_us < x->blind_until)
		return;
	uint64_t subject = hash_mix(hash_mix(key_mailbox(c->world, k->mailbox), (uint64_t)k->time_us), 1);
	struct alert *al = alerts_open(c->alerts, &detector_throttled, subject);
	if (!al)
		return;
	kept_fold(c->alerts, al, k);
	alert_raise(al, k->time_us + BLIND_US, SEVERITY_LOW);
	say_mailbox(c->world, k->mailbox, mailbox);
	time_format_minute(k->time_us, from);
	time_format_minute(k->time_us + BLIND_US, to);
	alert_title(al, "Mailbox of %s fell silent after %s in a day: probably throttled", mailbox, COUNT(x->records, "Bind record"));
	alert_why(al, "Inferred: %s in the 24 h up to %s, then none for 24 h, while %s (of the mailbox, or sign-ins of its owner) show that it was in "
		  "use.", COUNT(x->records, "Bind record"), from, COUNT(x->others, "other record"));
	alert_why(al, "Exchange stops writing Bind records for 24 h after about %s; no record here says IsThrottled.", DIGITS(LIMIT_RECORDS));
	say_blind(al, k->time_us, true, k->time_us - US_PER_DAY);
	alert_blind(al, "from %s to %s, if this was throttling, nothing read from this mailbox was recorded: assume everything",
		    from, to);
}

static void sign_of_life(struct detect_ctx *c, struct watch *x, int64_t t)
{
	if (!x->full)
		return;
	if (t >= x->last.time_us + BLIND_US)
		infer(c, x);
	else if (t > x->last.time_us)
		x->others++;
}

/* -- explicit -- */

static void throttle(struct state *s, struct detect_ctx *c, const struct event *e, struct box *b)
{
	const struct world *w = c->world;
	uint64_t key = key_mailbox(w, e->mailbox);
	int64_t t = e->rec->time_us, start = t;
	char mailbox[SAY_SIZE], client[SAY_SIZE], age[TIME_TEXT_SIZE], from[TIME_TEXT_SIZE], to[TIME_TEXT_SIZE];
	bool is_new;
	int64_t *window = table_put(&s->windows, key, &is_new);
	if (window) {
		if (is_new || t - *window >= BLIND_US)
			*window = t;
		start = *window;
	}
	struct alert *al = alerts_open(c->alerts, &detector_throttled, hash_mix(key, (uint64_t)start));
	if (!al)
		return;
	alert_fold(c->alerts, al, e);
	if (al->raised)
		return;
	alert_raise(al, t, SEVERITY_MEDIUM);
	say_mailbox(w, e->mailbox, mailbox);
	time_format_minute(start, from);
	time_format_minute(start + BLIND_US, to);
	alert_title(al, "Reading of the mailbox of %s was no longer logged: throttled", mailbox);
	alert_why(al, "A record of %s says IsThrottled: the mailbox passed the limit of about %s records in 24 h, and Exchange writes "
		  "no Bind records for the next 24 h.", from, DIGITS(LIMIT_RECORDS));
	alert_blind(al, "from %s to %s nothing read from this mailbox was recorded: assume everything", from, to);

	/* who drove it there?  A client that is young in this mailbox while the mailbox itself is not */
	uint32_t major = b && b->major ? b->major - 1 : e->client;
	const struct edge *edge = major == NONE ? NULL : world_edge(w, e->mailbox, major);
	const bool mainly = edge && edge->records >= MAINLY_RECORDS;
	const bool young = mainly && t - edge->first_us < YOUNG_CLIENT_US && edge->first_us - w->mailboxes[e->mailbox].first_us >= US_PER_DAY;
	say_blind(al, start, false, young && major == e->client && edge->first_us < start - US_PER_DAY ? edge->first_us : start - US_PER_DAY);
	if (!mainly)
		return;
	say_client(w, major, client);
	if (young) {
		alert_raise(al, t, SEVERITY_HIGH);
		alert_name(al, e->mailbox, major);
		alert_why(al, "Mainly by a client new to this mailbox: %s, first seen in it %s before, made %s.", client,
			  time_format_span(t - edge->first_us, age), COUNT(edge->records, "record"));
	} else {
		alert_why(al, "Mainly by %s, which made %s of this mailbox since %s.", client, COUNT(edge->records, "record"),
			  time_format_minute(edge->first_us, age));
	}
}

static void event(void *state, struct detect_ctx *c, const struct event *e)
{
	struct state *s = state;
	const struct rec *r = e->rec;
	int64_t t = r->time_us;

	if (e->mailbox == NONE) { /* a sign-in */
		uint32_t *at = e->actor != NONE && (r->flags & REC_SUCCESS) ? table_get(&s->owners, e->actor) : NULL;
		if (at)
			sign_of_life(c, &s->watches[*at], t);
		return;
	}
	if (!event_is_mail(e) || r->access != ACCESS_BIND) {
		struct box *b = e->mailbox < s->box_count ? &s->boxes[e->mailbox] : NULL;
		if (event_is_mail(e) && (r->flags & REC_THROTTLED))
			throttle(s, c, e, b);
		if (b && b->watched)
			sign_of_life(c, &s->watches[b->watched - 1], t);
		return;
	}
	if (!reach((void **)&s->boxes, &s->box_count, e->mailbox, sizeof *s->boxes)) {
		s->refused++;
		return;
	}
	struct box *b = &s->boxes[e->mailbox];
	if (b->watched && s->watches[b->watched - 1].full && t >= s->watches[b->watched - 1].last.time_us + BLIND_US)
		infer(c, &s->watches[b->watched - 1]);
	uint32_t sum = box_count(b, t);
	box_vote(b, e->client);
	if (r->flags & REC_THROTTLED)
		throttle(s, c, e, b);
	if (sum < LIMIT_RECORDS && !b->watched)
		return;
	struct watch *x = watch_of(s, b);
	if (!x)
		return;
	x->full = sum >= LIMIT_RECORDS && sum < UNHARMED_RECORDS;
	x->last = kept_of(e);
	x->records = sum;
	x->others = 0;
	if (r->flags & REC_THROTTLED)
		x->blind_until = t + BLIND_US;
	if (r->logon == LOGON_OWNER && e->actor != NONE) {
		uint32_t *at = table_put(&s->owners, e->actor, NULL);
		if (at)
			*at = b->watched - 1;
	}
}

static void end(void *state, struct detect_ctx *c)
{
	struct state *s = state;
	for (uint32_t i = 0; i < s->watch_count; i++)
		if (s->watches[i].full && c->world->last_us >= s->watches[i].last.time_us + BLIND_US)
			infer(c, &s->watches[i]);
}

static void persist(struct persist *p, void *state)
{
	struct state *s = state;
	rows_persist(p, (void **)&s->boxes, &s->box_count, sizeof *s->boxes, NULL);
	persist_array(p, (void **)&s->watches, &s->watch_count, sizeof *s->watches, 2 * WATCHED_MAX, NULL);
	persist_room(p, (void **)&s->watches, &s->watch_count, &s->watch_capacity, sizeof *s->watches);
	persist_table(p, &s->owners, NULL);
	persist_table(p, &s->windows, NULL);
	persist_u64(p, &s->refused);
	persist_check_below(p, &s->owners, s->watch_count);
	for (uint32_t i = 0; i < s->box_count; i++)
		if (s->boxes[i].watched > s->watch_count)
			persist_fail(p, "a number of a rule names nothing");
}

static const char *const mitre[] = { "T1562.008", "T1114.002", NULL };

const struct detector detector_throttled = {
	.name = "throttled",
	.title = "Mail reading was not logged for 24 hours (throttling)",
	.severity = "medium: a record says so; high: driven there by a client new to the mailbox; low: inferred from silence",
	.signal = "IsThrottled = True; or 1,000 Bind records in 24 h, then none for 24 h while the mailbox is in use",
	.catches = "the blind day after the limit, and the reader that caused it",
	.misses = "what was read in that day; a limit reached before the data begins",
	.cost = "heavy add-ins and backups; inferred ones also from clients that pause for a day; 72 bytes a mailbox",
	.mitre = mitre,
	.wants = KIND_MAIL | KIND_MAILBOX | KIND_SIGNIN,
	.state_bytes = sizeof(struct state),
	.begin = begin,
	.event = event,
	.end = end,
	.release = release,
	.persist = persist,
	.refused = refused,
};
