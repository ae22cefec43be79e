/* SPDX-License-Identifier: Apache-2.0 */
/* coverage: see coverage.h. */
#include "base/count.h"
#include "coverage/coverage.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/timefmt.h"
#include "event/audit_switch.h"
#include "stat/silence.h"
#include "state/switches.h"
#include "state/whose.h"

#define LIFE_MIN 3            /* other signs of life in a day, before its silence counts */
#define USUAL_MIN 5           /* days with life and reads, before a day without is odd */
#define NEVER_MIN 5           /* days with life, before a mailbox without any read is odd */
#define BLIND_US US_PER_DAY   /* after a throttled record */
#define OVERLAP_US US_PER_HOUR /* of a day, before the day is named after what overlaps it */
#define GAP_OVERLAP_US (6 * US_PER_HOUR)
#define GAP_RECORDS_MIN 500   /* in the whole data, before a silence of all is odd */
#define GAP_SPAN_MIN_US (7 * US_PER_DAY)

const char *const day_state_names[DAY_STATES] = {
	[DAY_RECORDED] = "recorded", [DAY_QUIET] = "quiet", [DAY_SILENT] = "silent", [DAY_THROTTLED] = "throttled", [DAY_OFF] = "off",
	[DAY_BYPASSED] = "bypassed", [DAY_NARROWED] = "narrowed", [DAY_UNLICENSED] = "unlicensed", [DAY_GAP] = "gap",
	[DAY_OUTSIDE] = "outside",
};
const char *const day_state_docs[DAY_STATES] = {
	[DAY_RECORDED] = "reads of mail are in the log",
	[DAY_QUIET] = "nothing recorded, and no other sign of life",
	[DAY_SILENT] = "no read recorded while other things go on",
	[DAY_THROTTLED] = "Exchange wrote no Bind records for 24 hours",
	[DAY_OFF] = "auditing of the tenant was off",
	[DAY_BYPASSED] = "the owner's account is written nowhere",
	[DAY_NARROWED] = "MailItemsAccessed is not among the audited actions",
	[DAY_UNLICENSED] = "the plan for premium auditing was taken away",
	[DAY_GAP] = "no mailbox has a record: the collector, or the export",
	[DAY_OUTSIDE] = "before or after the data",
};

struct row { /* of a mailbox: consecutive days */
	struct coverage_day *days;
	int64_t first;
	uint32_t n, capacity;
};

struct throttling { /* a record that says so */
	int64_t time_us;
	uint32_t mailbox, tenant;
	uint8_t id[16];
	bool id_is_text;
};

struct coverage {
	struct row *rows; uint32_t row_count;
	uint32_t *owner_of; uint32_t actor_count; /* actor -> mailbox + 1 */
	struct switches switches;
	struct throttling *throttled; size_t throttled_count, throttled_capacity;
	uint32_t *hours; size_t hour_count, hour_capacity; /* hours in which the tenant has any audit record */
	uint64_t records;
	struct silences line;
	uint64_t cells, refused;
	int64_t first_us, last_us; /* of audit records */
	int64_t met_first_us, met_last_us; /* of all records */
	bool any, met, failed;
	struct period period;      /* what is reported */

	int64_t first_day;
	uint32_t day_count;
	struct coverage_mailbox *mailboxes; size_t mailbox_count;
	struct coverage_finding *findings; size_t finding_count, finding_capacity;
	struct coverage_blind *blinds; size_t blind_count, blind_capacity;
	size_t of_all;                /* of the blinds */
	uint64_t totals[DAY_STATES];
};

struct coverage *coverage_new(void) { return calloc(1, sizeof(struct coverage)); }

void coverage_free(struct coverage *c)
{
	if (!c)
		return;
	for (uint32_t i = 0; i < c->row_count; i++)
		free(c->rows[i].days);
	free(c->rows);
	free(c->owner_of);
	switches_release(&c->switches);
	free(c->throttled);
	free(c->blinds);
	free(c->hours);
	silences_release(&c->line);
	free(c->mailboxes);
	free(c->findings);
	free(c);
}

struct coverage *coverages_of(struct coverages *x, uint64_t tenant)
{
	for (size_t i = 0; i < x->n; i++) {
		if (x->v[i].tenant != tenant)
			continue;
		if (i) { /* the next event is most likely this tenant's, too */
			struct coverage *found = x->v[i].coverage;
			memmove(x->v + 1, x->v, i * sizeof *x->v);
			x->v[0].tenant = tenant;
			x->v[0].coverage = found;
		}
		return x->v[0].coverage;
	}
	void *p = realloc(x->v, (x->n + 1) * sizeof *x->v);
	if (!p)
		return NULL;
	x->v = p;
	struct coverage *made = coverage_new();
	if (!made)
		return NULL;
	x->v[x->n].tenant = tenant;
	x->v[x->n++].coverage = made;
	return made;
}

void coverages_release(struct coverages *x)
{
	for (size_t i = 0; i < x->n; i++)
		coverage_free(x->v[i].coverage);
	free(x->v);
	*x = (struct coverages){ 0 };
}

/* -- arrays -- */

static bool reach_index(struct coverage *c, void **v, uint32_t *n, uint32_t index, size_t size)
{
	if (index < *n)
		return true;
	size_t want = (size_t)index + index / 2 + 64;
	char *p = want > UINT32_MAX ? NULL : realloc(*v, want * size);
	if (!p) {
		c->failed = true;
		return false;
	}
	memset(p + *n * size, 0, (want - *n) * size);
	*v = p;
	*n = (uint32_t)want;
	return true;
}

static bool push(struct coverage *c, void **v, size_t n, size_t *capacity, size_t size, size_t max)
{
	if (n < *capacity)
		return true;
	if (n >= max) {
		c->refused++;
		return false;
	}
	size_t want = *capacity ? *capacity * 2 : 64;
	void *p = realloc(*v, want * size);
	if (!p) {
		c->failed = true;
		return false;
	}
	*v = p;
	*capacity = want;
	return true;
}

/* The cell of that mailbox and day, made (zeroed) if it is new.  Events come in order, so rows grow at their end. */
static struct coverage_day *cell(struct coverage *c, uint32_t mailbox, int64_t day)
{
	if (!reach_index(c, (void **)&c->rows, &c->row_count, mailbox, sizeof *c->rows))
		return NULL;
	struct row *r = &c->rows[mailbox];
	if (!r->n)
		r->first = day;
	if (day < r->first)
		return NULL;
	uint64_t at = (uint64_t)(day - r->first);
	if (at >= r->n) {
		if (c->cells + (at + 1 - r->n) > COVERAGE_CELLS_MAX) {
			c->refused++;
			return NULL;
		}
		if (at >= r->capacity) {
			uint64_t want = at + at / 2 + 8;
			struct coverage_day *p = realloc(r->days, want * sizeof *p);
			if (!p) {
				c->failed = true;
				return NULL;
			}
			r->days = p;
			r->capacity = (uint32_t)want;
		}
		memset(r->days + r->n, 0, (at + 1 - r->n) * sizeof *r->days);
		c->cells += at + 1 - r->n;
		r->n = (uint32_t)at + 1;
	}
	return &r->days[at];
}

static const struct coverage_day *cell_at(const struct coverage *c, uint32_t mailbox, int64_t day)
{
	if (mailbox >= c->row_count || !c->rows[mailbox].n || day < c->rows[mailbox].first || day - c->rows[mailbox].first >= c->rows[mailbox].n)
		return NULL;
	return &c->rows[mailbox].days[day - c->rows[mailbox].first];
}

/* -- events -- */

static void meet_setting(struct coverage *c, const struct world *w, const struct event *e)
{
	struct audit_switch v[AUDIT_SWITCHES_MAX];
	if (event_is_mail(e)) /* nearly every record: spares it the look-up of the account's name */
		return;
	const size_t n = audit_switches(e->rec, e->actor == NONE ? STR_NONE : world_actor(w, e->actor), v);
	for (size_t i = 0; i < n; i++)
		switches_add(&c->switches, e, &v[i], 0);
}

static void meet_throttled(struct coverage *c, const struct event *e, uint32_t mailbox)
{
	if (!push(c, (void **)&c->throttled, c->throttled_count, &c->throttled_capacity, sizeof *c->throttled, COVERAGE_THROTTLED_MAX))
		return;
	struct throttling *x = &c->throttled[c->throttled_count++];
	*x = (struct throttling){ .time_us = e->rec->time_us, .mailbox = mailbox, .tenant = e->tenant, .id_is_text = (e->rec->flags & REC_ID_TEXT) != 0 };
	memcpy(x->id, e->rec->id, 16);
}

static void meet_hour(struct coverage *c, int64_t us)
{
	uint32_t hour = (uint32_t)(us / US_PER_HOUR);
	c->records++;
	if (c->hour_count && c->hours[c->hour_count - 1] >= hour)
		return;
	if (push(c, (void **)&c->hours, c->hour_count, &c->hour_capacity, sizeof *c->hours, 2000000))
		c->hours[c->hour_count++] = hour;
}

void coverage_meet(struct coverage *c, const struct world *w, const struct event *e)
{
	const struct rec *r = e->rec;
	uint32_t mailbox = e->mailbox;
	if ((r->flags & REC_NO_TIME) || r->time_us < 0)
		return;
	if (!c->met || r->time_us < c->met_first_us)
		c->met_first_us = r->time_us;
	if (!c->met || r->time_us > c->met_last_us)
		c->met_last_us = r->time_us;
	c->met = true;
	bool signin = r->op == OP_SIGN_IN || r->op == OP_USER_LOGGED_IN;
	if (r->class_ == CLASS_AUDIT) {
		if (!c->any || r->time_us < c->first_us)
			c->first_us = r->time_us;
		if (!c->any || r->time_us > c->last_us)
			c->last_us = r->time_us;
		c->any = true;
		meet_hour(c, r->time_us);
	}
	meet_setting(c, w, e);
	if (signin) {
		if (!(r->flags & REC_SUCCESS) || e->actor == NONE || e->actor >= c->actor_count || !c->owner_of[e->actor])
			return;
		mailbox = c->owner_of[e->actor] - 1;
	}
	if (mailbox == NONE)
		return;
	int64_t day = r->time_us / US_PER_DAY;
	struct coverage_day *d = cell(c, mailbox, day);
	if (!d)
		return;
	if (!event_is_mail(e)) {
		d->life += d->life < UINT8_MAX;
		return;
	}
	d->reads += d->reads < UINT16_MAX;
	if (r->logon == LOGON_OWNER && e->actor != NONE && reach_index(c, (void **)&c->owner_of, &c->actor_count, e->actor, sizeof *c->owner_of))
		c->owner_of[e->actor] = mailbox + 1;
	if (r->flags & REC_THROTTLED)
		meet_throttled(c, e, mailbox);
}

/* -- after the last -- */

static struct coverage_finding *add_finding(struct coverage *c, enum day_state what, uint32_t mailbox)
{
	if (!push(c, (void **)&c->findings, c->finding_count, &c->finding_capacity, sizeof *c->findings, COVERAGE_FINDINGS_MAX))
		return NULL;
	struct coverage_finding *f = &c->findings[c->finding_count++];
	*f = (struct coverage_finding){ .what = what, .mailbox = mailbox, .tenant = NONE };
	return f;
}

/* A blind time; returns how much of it is in the period. */
static int64_t add_blind(struct coverage *c, const struct coverage_blind *x)
{
	if (x->to_us <= x->from_us || !push(c, (void **)&c->blinds, c->blind_count, &c->blind_capacity, sizeof *c->blinds, COVERAGE_FINDINGS_MAX))
		return 0;
	c->blinds[c->blind_count++] = *x;
	return period_part(&c->period, x->from_us, x->to_us);
}

static int64_t overlap(int64_t from, int64_t to, int64_t day)
{
	int64_t a = day * US_PER_DAY, z = a + US_PER_DAY;
	a = from > a ? from : a;
	z = to < z ? to : z;
	return z > a ? z - a : 0;
}

static void mark(struct coverage *c, uint32_t mailbox, const struct coverage_blind *x)
{
	struct row *r = &c->rows[mailbox];
	for (uint32_t i = 0; i < r->n; i++) {
		struct coverage_day *d = &r->days[i];
		if (overlap(x->from_us, x->to_us, r->first + i) < OVERLAP_US || d->state >= DAY_THROTTLED)
			continue;
		if (x->what == DAY_UNLICENSED && d->reads)
			continue; /* it is recorded all the same */
		d->state = (uint8_t)x->what;
	}
}

static int compare_mailboxes(const void *a, const void *b)
{
	const struct coverage_mailbox *x = a, *y = b;
	if (x->blind != y->blind)
		return x->blind > y->blind ? -1 : 1;
	if (x->days[DAY_RECORDED] != y->days[DAY_RECORDED])
		return x->days[DAY_RECORDED] < y->days[DAY_RECORDED] ? -1 : 1;
	return x->mailbox < y->mailbox ? -1 : x->mailbox > y->mailbox;
}

static unsigned gravity(enum day_state s)
{
	static const uint8_t of[DAY_STATES] = {
		[DAY_OFF] = 0, [DAY_GAP] = 1, [DAY_BYPASSED] = 2, [DAY_NARROWED] = 3, [DAY_THROTTLED] = 4, [DAY_UNLICENSED] = 5, [DAY_SILENT] = 6,
		[DAY_QUIET] = 8, [DAY_OUTSIDE] = 7, [DAY_RECORDED] = 9,
	};
	return of[s];
}

static int compare_findings(const void *a, const void *b)
{
	const struct coverage_finding *x = a, *y = b;
	if (gravity(x->what) != gravity(y->what))
		return gravity(x->what) < gravity(y->what) ? -1 : 1;
	if (x->from_us != y->from_us)
		return x->from_us < y->from_us ? -1 : 1;
	if (x->mailbox != y->mailbox)
		return x->mailbox < y->mailbox ? -1 : 1;
	return strcmp(x->target, y->target);
}

/* All rows from the first day to the last: a mailbox is there even without records. */
static bool stretch_rows(struct coverage *c, const struct world *w)
{
	for (uint32_t i = 0; i < c->row_count && i < w->mailbox_count; i++) {
		struct row *r = &c->rows[i];
		if (!r->n || (r->first == c->first_day && r->n == c->day_count))
			continue;
		if (c->cells + c->day_count - r->n > COVERAGE_CELLS_MAX) {
			c->refused++;
			continue;
		}
		struct coverage_day *p = calloc(c->day_count, sizeof *p);
		if (!p)
			return false;
		int64_t at = r->first - c->first_day;
		uint32_t n = r->n;
		if (at >= 0 && at + n <= c->day_count)
			memcpy(p + at, r->days, n * sizeof *p);
		c->cells += c->day_count - n;
		free(r->days);
		*r = (struct row){ p, c->first_day, c->day_count, c->day_count };
	}
	return true;
}

static void find_gaps(struct coverage *c)
{
	if (c->records < GAP_RECORDS_MIN || c->last_us - c->first_us < GAP_SPAN_MIN_US)
		return; /* a handful of records has no rhythm */
	for (size_t k = 0; k < c->line.hole_count; k++) {
		const struct silence_hole *h = &c->line.holes[k];
		int64_t from = (int64_t)(h->from + 1) * US_PER_HOUR, to = (int64_t)(h->to - 1) * US_PER_HOUR;
		struct coverage_finding *f = add_finding(c, DAY_GAP, NONE);
		if (f) {
			f->from_us = from;
			f->to_us = to;
			f->unlikely = h->unlikely;
			f->blind_us = add_blind(c, &(struct coverage_blind){ .what = DAY_GAP, .of_all = true, .mailbox = NONE, .tenant = NONE,
									     .from_us = from, .to_us = to });
		}
		for (uint32_t i = 0; i < c->row_count; i++)
			for (int64_t day = from / US_PER_DAY; day <= to / US_PER_DAY; day++) {
				struct coverage_day *d = (struct coverage_day *)cell_at(c, i, day);
				if (d && !d->reads && overlap(from, to, day) >= GAP_OVERLAP_US && d->state == DAY_RECORDED)
					d->state = DAY_GAP;
			}
	}
}

/* Where a mailbox without the plan is recorded all the same, what hides it can only have begun after its last read. */
static int64_t last_read(const struct coverage *c, uint32_t mailbox, int64_t from_us, int64_t to_us, bool open)
{
	int64_t day = to_us / US_PER_DAY - !open; /* on the day on which it was given back, reads may have come after that */
	for (; day > from_us / US_PER_DAY; day--) {
		const struct coverage_day *d = cell_at(c, mailbox, day);
		if (d && d->reads)
			return (day + 1) * US_PER_DAY;
	}
	return from_us;
}

static void find_switches(struct coverage *c, const struct world *w)
{
	static const enum day_state states[SWITCH_KINDS] = { /* 0, recorded: hides no reading */
		[SWITCH_BYPASS] = DAY_BYPASSED, [SWITCH_INGESTION] = DAY_OFF, [SWITCH_ORGANIZATION] = DAY_OFF, [SWITCH_ACTIONS] = DAY_NARROWED,
		[SWITCH_LICENCE] = DAY_UNLICENSED,
	};
	size_t n;
	struct switch_span *spans = switches_spans(&c->switches, w, &n);
	for (size_t k = 0; k < n; k++) {
		const struct switch_span *s = &spans[k];
		const struct switch_entry *begin = &c->switches.v[s->begin];
		const bool of_all = switch_is_tenant_wide(s->kind);
		struct coverage_blind x = { .what = states[s->kind], .of_all = of_all, .open = s->to_us == INT64_MAX, .mailbox = s->mailbox,
					    .tenant = s->tenant, .from_us = s->from_us, .to_us = s->to_us, .id_is_text = begin->id_is_text };
		if (x.what == DAY_RECORDED || (s->kind == SWITCH_ACTIONS && s->role != SWITCH_OWNER))
			continue;
		memcpy(x.id, begin->id, 16);
		memcpy(x.who, s->who, sizeof x.who);
		x.to_us = x.open ? c->met_last_us : x.to_us;
		if (x.what == DAY_UNLICENSED && x.mailbox != NONE)
			x.from_us = last_read(c, x.mailbox, x.from_us, x.to_us, x.open);
		struct coverage_finding *f = add_finding(c, x.what, x.mailbox);
		if (f) {
			f->tenant = x.tenant;
			f->from_us = s->from_us;
			f->to_us = s->to_us;
			f->blind_us = add_blind(c, &x);
			snprintf(f->target, sizeof f->target, "%s", of_all ? "" : s->who[0] ? s->who : "?");
		}
		x.to_us = s->to_us; /* a map of days goes on to the last day */
		if (x.mailbox != NONE && x.mailbox < c->row_count)
			mark(c, x.mailbox, &x);
		for (uint32_t i = 0; of_all && i < c->row_count && i < w->mailbox_count; i++)
			if (whose_same_tenant(w, x.tenant, w->mailboxes[i].tenant))
				mark(c, i, &x);
	}
	c->refused += c->switches.refused;
	c->failed |= c->switches.failed;
	free(spans);
}

static void find_throttled(struct coverage *c)
{
	for (size_t k = 0; k < c->throttled_count; k++) {
		const struct throttling *t = &c->throttled[k];
		struct coverage_blind x = { .what = DAY_THROTTLED, .mailbox = t->mailbox, .tenant = t->tenant, .from_us = t->time_us,
					    .to_us = t->time_us + BLIND_US, .id_is_text = t->id_is_text };
		memcpy(x.id, t->id, 16);
		struct coverage_finding *f = add_finding(c, DAY_THROTTLED, t->mailbox);
		if (f) {
			f->tenant = x.tenant;
			f->from_us = x.from_us;
			f->to_us = x.to_us;
			f->blind_us = add_blind(c, &x);
		}
		if (x.mailbox < c->row_count)
			mark(c, x.mailbox, &x);
	}
}

/* Days without a read while other things go on: odd where such days usually have reads, or where none ever had. */
static void find_silence(struct coverage *c, const struct world *w, uint32_t mailbox)
{
	struct row *r = &c->rows[mailbox];
	uint32_t usual = 0, without = 0, reads = 0;
	for (uint32_t i = 0; i < r->n; i++) {
		usual += r->days[i].life >= LIFE_MIN && r->days[i].reads;
		without += r->days[i].life >= LIFE_MIN && !r->days[i].reads && r->days[i].state == DAY_RECORDED;
		reads += r->days[i].reads > 0;
	}
	bool odd = (usual >= USUAL_MIN && without * 3 <= usual) || (reads == 0 && without >= NEVER_MIN);
	for (uint32_t i = 0; i < r->n; i++) {
		struct coverage_day *d = &r->days[i];
		if (d->state != DAY_RECORDED || d->reads)
			continue;
		int64_t day = r->first + i;
		d->state = (day + 1) * US_PER_DAY <= c->first_us || day * US_PER_DAY > c->last_us ? DAY_OUTSIDE
			: odd && d->life >= LIFE_MIN ? DAY_SILENT : DAY_QUIET;
	}
	struct coverage_finding *f = NULL;
	int64_t last = 0;
	for (uint32_t i = 0; odd && i < r->n; i++) {
		if (r->days[i].state != DAY_SILENT)
			continue;
		int64_t day = r->first + i;
		if (!f || day - last > 7) { /* a week between two silent days: two stories */
			f = add_finding(c, DAY_SILENT, mailbox);
			if (!f)
				return;
			f->tenant = w->mailboxes[mailbox].tenant;
			f->from_us = day * US_PER_DAY;
			f->usual = usual;
		}
		f->to_us = (day + 1) * US_PER_DAY;
		f->blind_us += add_blind(c, &(struct coverage_blind){ .what = DAY_SILENT, .mailbox = mailbox, .tenant = f->tenant,
								     .from_us = day * US_PER_DAY, .to_us = f->to_us });
		f->days++;
		f->life += r->days[i].life;
		last = day;
	}
}

/* -- blind times -- */

static int compare_blinds(const void *a, const void *b)
{
	const struct coverage_blind *x = a, *y = b;
	if (x->of_all != y->of_all)
		return x->of_all ? -1 : 1;
	if (x->mailbox != y->mailbox)
		return x->mailbox < y->mailbox ? -1 : 1;
	if (x->from_us != y->from_us)
		return x->from_us < y->from_us ? -1 : 1;
	if (x->to_us != y->to_us)
		return x->to_us < y->to_us ? -1 : 1;
	return x->what != y->what ? (x->what < y->what ? -1 : 1) : memcmp(x->id, y->id, 16);
}

/* In order, and once: days of silence that follow each other are one time, and so are throttled windows that overlap. */
static void order_blinds(struct coverage *c)
{
	size_t n = 0;
	if (c->blind_count)
		qsort(c->blinds, c->blind_count, sizeof *c->blinds, compare_blinds);
	for (size_t i = 0; i < c->blind_count; i++) {
		const struct coverage_blind x = c->blinds[i];
		struct coverage_blind *last = n ? &c->blinds[n - 1] : NULL;
		if (last && (x.what == DAY_SILENT || x.what == DAY_THROTTLED) && last->what == x.what && last->mailbox == x.mailbox &&
		    x.from_us <= last->to_us)
			last->to_us = x.to_us > last->to_us ? x.to_us : last->to_us;
		else
			c->blinds[n++] = x;
	}
	c->blind_count = n;
	while (c->of_all < n && c->blinds[c->of_all].of_all)
		c->of_all++;
}

int64_t coverage_blind_us(const struct coverage *c, const struct world *w, uint32_t mailbox, int64_t from_us, int64_t to_us)
{
	const uint32_t tenant = mailbox < w->mailbox_count ? w->mailboxes[mailbox].tenant : NONE;
	size_t own = c->of_all, high = c->blind_count;
	int64_t sum = 0, end = from_us;
	while (own < high) { /* the first of this mailbox */
		size_t middle = own + (high - own) / 2;
		if (c->blinds[middle].mailbox < mailbox)
			own = middle + 1;
		else
			high = middle;
	}
	for (size_t all = 0; ; ) {
		const bool has_own = mailbox != NONE && own < c->blind_count && c->blinds[own].mailbox == mailbox, has_all = all < c->of_all;
		if (!has_own && !has_all)
			return sum;
		const struct coverage_blind *x = has_all && (!has_own || c->blinds[all].from_us <= c->blinds[own].from_us)
			? &c->blinds[all++] : &c->blinds[own++];
		if (x->of_all && x->what != DAY_GAP && !whose_same_tenant(w, x->tenant, tenant))
			continue;
		const int64_t a = x->from_us > end ? x->from_us : end, z = x->to_us < to_us ? x->to_us : to_us;
		if (z > a) {
			sum += z - a;
			end = z;
		}
	}
}

/* The part of all that is known now that is in the period. */
static void report(struct coverage *c, const struct world *w)
{
	int64_t first = c->first_day, end = c->first_day + c->day_count;
	size_t n = 0;
	while (first < end && !period_meets(&c->period, first * US_PER_DAY, (first + 1) * US_PER_DAY))
		first++;
	while (end > first && !period_meets(&c->period, (end - 1) * US_PER_DAY, end * US_PER_DAY))
		end--;
	c->first_day = first;
	c->day_count = (uint32_t)(end - first);
	for (size_t i = 0; i < c->finding_count; i++)
		if (period_meets(&c->period, c->findings[i].from_us, c->findings[i].to_us))
			c->findings[n++] = c->findings[i];
	c->finding_count = n;
	for (size_t i = 0; i < c->mailbox_count; i++) {
		struct coverage_mailbox *m = &c->mailboxes[i];
		for (uint32_t day = 0; day < c->day_count; day++) {
			const enum day_state state = (enum day_state)coverage_day(c, m->mailbox, day).state;
			m->days[state]++;
			m->blind += day_is_blind(state);
			c->totals[state]++;
		}
		m->blind_us = coverage_blind_us(c, w, m->mailbox, c->period.since_us, c->period.until_us);
	}
}

int coverage_finish(struct coverage *c, const struct world *w, const struct period *period)
{
	c->period = *period;
	if (!c->any)
		return c->failed ? -1 : 0;
	c->first_day = c->met_first_us / US_PER_DAY;
	int64_t last = c->met_last_us / US_PER_DAY;
	for (uint32_t i = 0; i < c->row_count; i++) { /* a record with a stray time must not make a map of a century */
		if (c->rows[i].n && c->rows[i].first < c->first_day)
			c->first_day = c->rows[i].first;
	}
	if (last - c->first_day >= 3660)
		c->first_day = last - 3659;
	c->day_count = (uint32_t)(last - c->first_day + 1);
	uint32_t *hours = malloc((c->hour_count + 1) * sizeof *hours);
	if (!hours || !stretch_rows(c, w)) {
		free(hours);
		return -1;
	}
	memcpy(hours, c->hours, c->hour_count * sizeof *hours);
	if (silences_make(&c->line, US_PER_HOUR, hours, c->hour_count) != 0)
		return -1;
	find_switches(c, w);
	find_throttled(c);
	find_gaps(c);
	c->mailboxes = calloc((size_t)c->row_count + 1, sizeof *c->mailboxes);
	if (!c->mailboxes)
		return -1;
	for (uint32_t i = 0; i < c->row_count && i < w->mailbox_count; i++) {
		if (!c->rows[i].n)
			continue;
		find_silence(c, w, i);
		c->mailboxes[c->mailbox_count++].mailbox = i;
	}
	order_blinds(c);
	report(c, w);
	qsort(c->mailboxes, c->mailbox_count, sizeof *c->mailboxes, compare_mailboxes);
	if (c->finding_count)
		qsort(c->findings, c->finding_count, sizeof *c->findings, compare_findings);
	return c->failed ? -1 : 0;
}

/* -- what is known -- */

int64_t coverage_first_day(const struct coverage *c) { return c->first_day; }
uint32_t coverage_days(const struct coverage *c) { return c->day_count; }

void coverage_ends(const struct coverage *c, int64_t *ret_first_us, int64_t *ret_last_us)
{
	*ret_first_us = c->met_first_us > c->period.since_us ? c->met_first_us : c->period.since_us;
	*ret_last_us = c->met_last_us < c->period.until_us ? c->met_last_us : c->period.until_us;
}

uint64_t coverage_total(const struct coverage *c, enum day_state s) { return c->totals[s]; }
uint64_t coverage_refused(const struct coverage *c) { return c->refused; }

struct coverage_day coverage_day(const struct coverage *c, uint32_t mailbox, uint32_t day)
{
	const struct coverage_day *d = cell_at(c, mailbox, c->first_day + day);
	return d ? *d : (struct coverage_day){ .state = DAY_OUTSIDE };
}

const struct coverage_mailbox *coverage_mailboxes(const struct coverage *c, size_t *ret_n)
{
	*ret_n = c->mailbox_count;
	return c->mailboxes;
}

const struct coverage_finding *coverage_findings(const struct coverage *c, size_t *ret_n)
{
	*ret_n = c->finding_count;
	return c->findings;
}

const struct coverage_blind *coverage_blinds(const struct coverage *c, size_t *ret_n)
{
	*ret_n = c->blind_count;
	return c->blinds;
}

enum day_state coverage_between(const struct coverage *c, uint32_t mailbox, int64_t from_us, int64_t to_us)
{
	enum day_state worst = DAY_RECORDED;
	for (int64_t day = from_us / US_PER_DAY; day <= to_us / US_PER_DAY; day++) {
		const struct coverage_day *d = cell_at(c, mailbox, day);
		if (d && day_is_blind(d->state) && gravity(d->state) < gravity(worst))
			worst = (enum day_state)d->state;
	}
	return worst;
}

static void add_whose(struct buf *b, const struct world *w, const struct coverage_finding *f)
{
	struct str upn = f->mailbox == NONE ? STR_NONE : world_mailbox_upn(w, f->mailbox);
	if (!upn.n && f->mailbox != NONE)
		upn = world_mailbox_guid(w, f->mailbox);
	if (!upn.n)
		upn = str_of(f->target);
	buf_add_str(b, upn.n ? upn : STR("an account without a name"));
}

void coverage_sentence(const struct world *w, const struct coverage_finding *f, struct buf *b)
{
	char from[TIME_TEXT_SIZE], to[TIME_TEXT_SIZE];
	time_format_minute(f->from_us, from);
	if (f->to_us != INT64_MAX)
		time_format_minute(f->to_us, to);
	switch (f->what) {
	case DAY_OFF:
		buf_printf(b, "Auditing of the whole tenant was switched off at %s", from);
		break;
	case DAY_GAP:
		buf_printf(b, "Not one record of any mailbox from %s to %s, which by this log's own rhythm has a chance below one in 10^%.0f: the "
			   "collector, the export or the log had an outage", from, to, floor(f->unlikely / log(10)));
		return;
	case DAY_BYPASSED:
		add_whose(b, w, f);
		buf_printf(b, ": audit bypass since %s: the actions of this account are logged in no mailbox", from);
		break;
	case DAY_NARROWED:
		add_whose(b, w, f);
		buf_printf(b, ": MailItemsAccessed was removed from the audited actions at %s: reads by the owner are not logged", from);
		break;
	case DAY_UNLICENSED:
		add_whose(b, w, f);
		buf_printf(b, ": the plan for premium auditing was removed at %s; where reads are premium, none are logged since", from);
		break;
	case DAY_THROTTLED:
		add_whose(b, w, f);
		buf_printf(b, ": throttled at %s: no Bind record until %s, and none is supplied later; assume that everything was read", from, to);
		return;
	default:
		add_whose(b, w, f);
		buf_printf(b, ": %s without a read from %.10s on, with %s (sends, rules, moves, sign-ins)", COUNT(f->days, "day"), from,
			   COUNT(f->life, "other record"));
		if (f->usual)
			buf_printf(b, "; %s of that kind %s reads", COUNT(f->usual, "other day"), f->usual == 1 ? "has" : "have");
		else
			buf_add_cstr(b, "; no read of this mailbox was ever recorded: no licence for it, auditing off, or an account that reads nothing");
		return;
	}
	if (f->to_us == INT64_MAX)
		buf_add_cstr(b, ", still in force at the end of the data");
	else
		buf_printf(b, ", until %s", to);
}
