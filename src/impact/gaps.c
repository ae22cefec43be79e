/* SPDX-License-Identifier: Apache-2.0 */
/* gaps: when could nobody see?  Each answer comes from a record or from the lack of all: a throttled record blinds its
 * mailbox for a day; a switch of the audit settings blinds the tenant, or an account, until it is switched back; an
 * hour in which no mailbox has a record, although that hour of other days always has, is a hole in the export. */
#include <stdlib.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/timefmt.h"
#include "impact/impact_int.h"
#include "impact/select_int.h"

enum {
	GAP_HOURS = 3,	  /* shortest hole that is called one */
	GAP_RECORDS = 20, /* what these hours would have held, by the same hours of other days (their median) */
	HOURS_OF_WEEK = 168,
};

static void add_raw(struct impact *im, uint32_t mailbox, enum unknown_reason reason, int64_t from, int64_t to,
		    struct str who)
{
	if (im->raw_count >= IMPACT_INTERVALS_MAX) {
		im->refused++;
		return;
	}
	if (!impact_room(im, (void **)&im->raw, im->raw_count, &im->raw_capacity, sizeof(*im->raw)))
		return;
	im->raw[im->raw_count++] =
		(struct raw_interval) { mailbox, reason, from, to, who.n ? strndup(who.p, who.n) : NULL };
}

static bool is_true(struct str s)
{
	return str_eq_nocase(str_trim(s), STR("True")) || str_eq(str_trim(s), STR("1"));
}
static bool is_false(struct str s)
{
	return str_eq_nocase(str_trim(s), STR("False")) || str_eq(str_trim(s), STR("0"));
}

static void turn(struct impact *im, struct switch_off *s, bool off, int64_t now)
{
	if (off && !s->off)
		*s = (struct switch_off) { now, true };
	else if (!off && s->off) {
		add_raw(im, NONE, UNKNOWN_AUDIT_OFF, s->since_us, now, STR_NONE);
		s->off = false;
	}
}

static void turn_bypass(struct impact *im, struct str who, bool off, int64_t now)
{
	struct bypass *b = NULL;

	for (size_t i = 0; i < im->bypass_count && !b; i++)
		if (im->bypasses[i].who && str_eq_nocase(str_of(im->bypasses[i].who), who))
			b = &im->bypasses[i];
	if (!b && (!off || im->bypass_count >= 10000))
		return;
	if (!b) {
		struct bypass *p = realloc(im->bypasses, (im->bypass_count + 1) * sizeof(*p));
		if (!p) {
			im->failed = true;
			return;
		}
		im->bypasses = p;
		b = &p[im->bypass_count++];
		*b = (struct bypass) { .who = strndup(who.n ? who.p : "", who.n) };
	}
	if (off && !b->off) {
		b->off = true;
		b->since_us = now;
	} else if (!off && b->off) {
		b->off = false;
		add_raw(im, NONE, UNKNOWN_BYPASS, b->since_us, now, who);
	}
}

void gaps_event(struct impact *im, const struct world *w, const struct event *e)
{
	const struct rec *r = e->rec;
	const int64_t now = r->time_us;
	struct str v, who = STR_NONE;
	bool is_new;

	(void)w;
	if (event_is_mail(e)) {
		uint32_t *n = table_put(&im->hours, (uint64_t)(now / US_PER_HOUR) + 1, &is_new);
		if (n)
			++*n;
		if ((r->flags & REC_THROTTLED) && e->mailbox != NONE)
			add_raw(im, e->mailbox, UNKNOWN_THROTTLED, now, now + US_PER_DAY, STR_NONE);
		return;
	}
	if (!(r->flags & REC_SUCCESS))
		return;
	if (r->op == OP_SET_ADMIN_AUDIT_LOG && rec_detail(r, STR("UnifiedAuditLogIngestionEnabled"), &v) &&
	    (is_true(v) || is_false(v))) {
		turn(im, &im->ingestion, is_false(v), now);
	} else if (r->op == OP_SET_ORGANIZATION_CONFIG && rec_detail(r, STR("AuditDisabled"), &v) &&
		   (is_true(v) || is_false(v))) {
		turn(im, &im->auditing, is_true(v), now);
	} else if (r->op == OP_SET_AUDIT_BYPASS && rec_detail(r, STR("AuditBypassEnabled"), &v) &&
		   (is_true(v) || is_false(v))) {
		if (!rec_detail(r, STR("Identity"), &who))
			rec_detail(r, STR("ObjectId"), &who);
		turn_bypass(im, str_trim(who), is_true(v), now);
	}
}

/* -- holes of the export -- */

static int compare_u32(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* What each hour of the week usually holds: the median over the weeks of the data, empty weeks included. */
static void usual_hours(struct impact *im, int64_t first, int64_t last, uint32_t ret[HOURS_OF_WEEK])
{
	const size_t weeks = (size_t)((last - first) / HOURS_OF_WEEK) + 1;
	uint32_t *v = calloc(weeks + 1, sizeof(*v));

	for (int64_t k = 0; v && k < HOURS_OF_WEEK; k++) {
		size_t n = 0;
		for (int64_t h = first + k; h <= last; h += HOURS_OF_WEEK) {
			const uint32_t *c = table_get(&im->hours, (uint64_t)h + 1);
			v[n++] = c ? *c : 0;
		}
		qsort(v, n, sizeof(*v), compare_u32);
		ret[(first + k) % HOURS_OF_WEEK] = n >= 2 ? v[n / 2] : 0;
	}
	im->failed |= !v;
	free(v);
}

static void find_gaps(struct impact *im)
{
	const struct world *w = im->world;
	uint32_t usual[HOURS_OF_WEEK] = { 0 };
	int64_t begin = -1;
	uint64_t missed = 0;

	if (!w->count.mail_records)
		return;
	const int64_t first = w->mail_first_us / US_PER_HOUR, last = w->mail_last_us / US_PER_HOUR;
	if (first < 0 || last - first >= IMPACT_HOURS_MAX)
		return;
	usual_hours(im, first, last, usual);
	for (int64_t h = first; h <= last; h++) {
		if (!table_get(&im->hours, (uint64_t)h + 1)) {
			begin = begin < 0 ? h : begin;
			missed += usual[h % HOURS_OF_WEEK];
			continue;
		}
		if (begin >= 0 && h - begin >= GAP_HOURS && missed >= GAP_RECORDS)
			add_raw(im, NONE, UNKNOWN_GAP, begin * US_PER_HOUR, h * US_PER_HOUR, STR_NONE);
		begin = -1;
		missed = 0;
	}
}

/* -- what of it concerns this report -- */

static void keep_interval(struct impact *im, size_t *capacity, uint32_t mailbox, enum unknown_reason reason,
			  int64_t from, int64_t to, const char *who)
{
	struct impact_report *r = &im->report;

	from = from < r->total.from_us ? r->total.from_us : from;
	to = to > r->total.to_us ? r->total.to_us : to;
	if (from >= to || !impact_room(im, (void **)&r->unknown, r->unknown_count, capacity, sizeof(*r->unknown)))
		return;
	r->unknown[r->unknown_count++] = (struct impact_interval) { mailbox, reason, from, to, str_of(who) };
}

static int compare_intervals(const void *a, const void *b)
{
	const struct impact_interval *x = a, *y = b;

	if (x->mailbox != y->mailbox)
		return x->mailbox + 1 < y->mailbox + 1 ? -1 : 1; /* NONE, which is all, first */
	if (x->from_us != y->from_us)
		return x->from_us < y->from_us ? -1 : 1;
	if (x->reason != y->reason)
		return x->reason < y->reason ? -1 : 1;
	return (x->to_us > y->to_us) - (x->to_us < y->to_us);
}

/* Intervals of one mailbox and of all, which are both in order of their beginning, as one length. */
static int64_t united_us(const struct impact_interval *all, size_t all_n, const struct impact_interval *own,
			 size_t own_n, struct str upn)
{
	int64_t sum = 0, end = INT64_MIN;

	for (size_t i = 0, k = 0; i < all_n || k < own_n;) {
		const struct impact_interval *x =
			k == own_n || (i < all_n && all[i].from_us <= own[k].from_us) ? &all[i++] : &own[k++];
		const int64_t from = x->from_us > end ? x->from_us : end;
		if (x->reason == UNKNOWN_BYPASS && !str_eq_nocase(x->who, upn))
			continue; /* blinds one account, not every mailbox */
		if (x->to_us > from) {
			sum += x->to_us - from;
			end = x->to_us;
		}
	}
	return sum;
}

static void same_once(struct impact_report *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->unknown_count; i++) {
		struct impact_interval *last = n ? &r->unknown[n - 1] : NULL;
		const struct impact_interval x = r->unknown[i];
		if (last && last->mailbox == x.mailbox && last->reason == x.reason && str_eq(last->who, x.who) &&
		    x.from_us <= last->to_us) {
			last->to_us = x.to_us > last->to_us ? x.to_us : last->to_us;
			continue;
		}
		r->unknown[n++] = x;
	}
	r->unknown_count = n;
}

void gaps_finish(struct impact *im)
{
	struct impact_report *r = &im->report;
	size_t capacity = 0, all = 0;

	find_gaps(im);
	if (im->ingestion.off)
		add_raw(im, NONE, UNKNOWN_AUDIT_OFF, im->ingestion.since_us, INT64_MAX, STR_NONE);
	if (im->auditing.off)
		add_raw(im, NONE, UNKNOWN_AUDIT_OFF, im->auditing.since_us, INT64_MAX, STR_NONE);
	for (size_t i = 0; i < im->bypass_count; i++)
		if (im->bypasses[i].off)
			add_raw(im, NONE, UNKNOWN_BYPASS, im->bypasses[i].since_us, INT64_MAX,
				str_of(im->bypasses[i].who));
	for (size_t i = 0; i < im->raw_count; i++) {
		const struct raw_interval *x = &im->raw[i];
		const uint32_t at = x->mailbox == NONE ? NONE : im->place[x->mailbox];
		if (x->mailbox == NONE || at != NONE)
			keep_interval(im, &capacity, at, x->reason, x->from_us, x->to_us, x->who);
	}
	if (r->total.data_first_us - r->total.from_us >= US_PER_HOUR)
		keep_interval(im, &capacity, NONE, UNKNOWN_NO_DATA, r->total.from_us, r->total.data_first_us, NULL);
	if (r->total.to_us - r->total.data_last_us >= US_PER_HOUR)
		keep_interval(im, &capacity, NONE, UNKNOWN_NO_DATA, r->total.data_last_us, r->total.to_us, NULL);
	for (size_t i = 0; i < r->mailbox_count; i++) {
		const uint32_t m = r->mailboxes[i].world;
		if (m == NONE || m >= im->mailbox_capacity || im->first_any[m] == 0)
			keep_interval(im, &capacity, (uint32_t)i, UNKNOWN_NO_RECORD, r->total.from_us, r->total.to_us,
				      NULL);
	}
	if (r->unknown_count)
		qsort(r->unknown, r->unknown_count, sizeof(*r->unknown), compare_intervals);
	same_once(r);
	while (all < r->unknown_count && r->unknown[all].mailbox == NONE)
		all++;
	for (size_t i = 0, k = all; i < r->mailbox_count; i++) {
		const size_t begin = k;
		while (k < r->unknown_count && r->unknown[k].mailbox == i)
			k++;
		r->mailboxes[i].unknown_us =
			united_us(r->unknown, all, r->unknown + begin, k - begin, r->mailboxes[i].upn);
	}
}
