/* SPDX-License-Identifier: Apache-2.0 */
/* gaps: when were reads not recorded?  coverage/ has the answer, the same for scan, coverage and this report.  This file picks
 * those times that concern the mailboxes and the period of the report, and adds what follows from the question itself: a mailbox
 * without any record of reading, and a time outside of the data. */
#include <stdlib.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/timefmt.h"
#include "impact/impact_int.h"
#include "impact/select_int.h"
#include "state/whose.h"

static const enum unknown_reason reason_of[DAY_STATES] = {
	[DAY_SILENT] = UNKNOWN_SILENT, [DAY_THROTTLED] = UNKNOWN_THROTTLED, [DAY_OFF] = UNKNOWN_AUDIT_OFF, [DAY_BYPASSED] = UNKNOWN_BYPASS,
	[DAY_NARROWED] = UNKNOWN_NARROWED, [DAY_UNLICENSED] = UNKNOWN_UNLICENSED, [DAY_GAP] = UNKNOWN_GAP,
};

/* Is that time one of a named mailbox of which the data have no record? */
static uint32_t place_by_name(const struct impact *im, const struct coverage_blind *x)
{
	struct whose_key a[WHOSE_KEYS_MAX], b[WHOSE_KEYS_MAX];
	const struct impact_report *r = &im->report;

	if (!whose_keys(str_of(x->who), a))
		return NONE;
	for (size_t i = 0; i < r->mailbox_count; i++) {
		const struct impact_mailbox *m = &r->mailboxes[i];
		if (m->world == NONE && whose_keys(m->upn.n ? m->upn : m->guid, b) && a[0].key == b[0].key)
			return (uint32_t)i;
	}
	return NONE;
}

/* -- alerts about the log -- */

static bool is_switch(const struct coverage_blind *x)
{
	return x->what == DAY_OFF || x->what == DAY_BYPASSED || x->what == DAY_NARROWED || x->what == DAY_UNLICENSED;
}

static bool is_of_tenant(const struct impact *im, const struct select_alert *a, const struct coverage_blind *x)
{
	return !a->tenant || str_eq_nocase(world_tenant(im->world, x->tenant), str_of(a->tenant));
}

/* The alert may lack the record's id (it lists the first twenty, and a second switching off begins nothing): by time and name. */
static bool is_about(const struct select_alert *a, const struct coverage_blind *x, const struct whose *names)
{
	if (a->first_us < x->from_us || a->first_us > x->to_us)
		return false;
	if (!a->target_count)
		return x->of_all || !a->tenant_wide;
	for (size_t i = 0; i < a->target_count && !x->of_all; i++) {
		const struct str guid = str_of(a->targets[i].guid), upn = str_of(a->targets[i].upn);
		uint32_t at = whose_find(names, x->tenant, guid.n ? guid : upn);
		if (at != NONE ? at == x->mailbox : x->mailbox == NONE && str_eq_nocase(whose_plain(upn), str_of(x->who)))
			return true;
	}
	return false;
}

static void add_dark(struct impact *im, size_t *capacity, const struct coverage_blind *x)
{
	const struct world *w = im->world;

	if (!period_meets(&im->sel->period, x->from_us, x->to_us))
		return;
	if (!im->dark_to_us || x->from_us < im->dark_from_us)
		im->dark_from_us = x->from_us;
	if (x->to_us > im->dark_to_us)
		im->dark_to_us = x->to_us;
	im->report.matched = true;
	if (x->of_all) {
		for (uint32_t i = 0; i < w->mailbox_count; i++)
			if (whose_same_tenant(w, x->tenant, w->mailboxes[i].tenant))
				impact_mailbox_add(im, capacity, i);
	} else if (x->mailbox != NONE || place_by_name(im, x) == NONE) {
		struct impact_mailbox *m = impact_mailbox_add(im, capacity, x->mailbox);
		if (m && x->mailbox == NONE)
			m->upn = str_of(x->who);
	}
}

void gaps_dark(struct impact *im, size_t *capacity)
{
	const struct selection *s = im->sel;
	struct whose names;

	whose_init(&names, im->world);
	for (size_t i = 0; i < s->alert_count; i++) {
		const struct select_alert *a = &s->alerts[i];
		bool found = false;
		if (a->way != WAY_DARK)
			continue;
		for (int by_time = 0; by_time < 2 && !found; by_time++) {
			for (size_t c = 0; c < im->coverages.n; c++) {
				size_t n;
				const struct coverage_blind *v = coverage_blinds(im->coverages.v[c].coverage, &n);
				for (size_t k = 0; k < n; k++) {
					if (!is_switch(&v[k]) || !is_of_tenant(im, a, &v[k]) ||
					    !(by_time ? is_about(a, &v[k], &names) : table_get(&a->evidence, hash64(v[k].id, 16, 0)) != NULL))
						continue;
					add_dark(im, capacity, &v[k]);
					found |= !by_time;
				}
			}
		}
		if (!found && !im->report.matched)
			impact_note(im, "The change that alert %s is about hides no reading of mail that these files could show: it failed, it "
				    "changed what hides nothing by itself, or its record is not in them", a->id);
	}
	whose_release(&names);
}

/* -- what of it concerns this report -- */

static void keep_interval(struct impact *im, size_t *capacity, struct impact_interval x)
{
	struct impact_report *r = &im->report;
	const int64_t until = im->sel->period.until_us;

	x.from_us = x.from_us < r->total.from_us ? r->total.from_us : x.from_us;
	x.to_us = x.to_us > until ? until : x.to_us;
	if (x.from_us >= x.to_us || r->unknown_count >= IMPACT_INTERVALS_MAX ||
	    !impact_room(im, (void **)&r->unknown, r->unknown_count, capacity, sizeof(*r->unknown)))
		return;
	r->unknown[r->unknown_count++] = x;
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

/* Does an interval of all mailboxes concern this one? */
static bool concerns(const struct impact *im, const struct impact_interval *x, const struct impact_mailbox *m)
{
	const struct world *w = im->world;

	return x->reason == UNKNOWN_NO_DATA ||
	       whose_same_tenant(w, x->tenant, m->world == NONE ? NONE : w->mailboxes[m->world].tenant);
}

/* Intervals of one mailbox and of all, which are both in order of their beginning, as one length. */
static int64_t united_us(const struct impact *im, size_t all_n, const struct impact_interval *own, size_t own_n,
			 const struct impact_mailbox *m)
{
	const struct impact_interval *all = im->report.unknown;
	int64_t sum = 0, end = INT64_MIN;

	for (size_t i = 0, k = 0; i < all_n || k < own_n;) {
		const struct impact_interval *x =
			k == own_n || (i < all_n && all[i].from_us <= own[k].from_us) ? &all[i++] : &own[k++];
		const int64_t from = x->from_us > end ? x->from_us : end;
		if (x->mailbox == NONE && !concerns(im, x, m))
			continue;
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
		if (last && last->mailbox == x.mailbox && last->reason == x.reason && last->tenant == x.tenant &&
		    x.from_us <= last->to_us) {
			last->open |= x.open;
			last->to_us = x.to_us > last->to_us ? x.to_us : last->to_us;
			continue;
		}
		r->unknown[n++] = x;
	}
	r->unknown_count = n;
}

static void take_blinds_of(struct impact *im, size_t *capacity, const struct coverage *c, uint32_t tenant, size_t *accounts,
			   const char **first)
{
	const struct impact_report *r = &im->report;
	size_t n;
	const struct coverage_blind *v = coverage_blinds(c, &n);

	for (size_t i = 0; i < n; i++) {
		const struct coverage_blind *x = &v[i];
		struct impact_interval k = { .mailbox = NONE, .tenant = x->of_all ? tenant : x->tenant, .reason = reason_of[x->what],
					     .from_us = x->from_us, .to_us = x->to_us, .open = x->open };
		bool any = !x->of_all;
		if (!x->of_all)
			k.mailbox = x->mailbox != NONE ? im->place[x->mailbox] : place_by_name(im, x);
		for (size_t m = 0; m < r->mailbox_count && !any; m++)
			any = concerns(im, &k, &r->mailboxes[m]);
		if (x->of_all ? any : k.mailbox != NONE) {
			keep_interval(im, capacity, k);
		} else if (x->what == DAY_BYPASSED && x->to_us > r->total.from_us && x->from_us < r->total.looked_us) {
			*first = (*accounts)++ ? *first : x->who;
		}
	}
}

static void take_blinds(struct impact *im, size_t *capacity)
{
	size_t accounts = 0;
	const char *first = "";

	for (size_t i = 0; i < im->coverages.n; i++)
		take_blinds_of(im, capacity, im->coverages.v[i].coverage, (uint32_t)im->coverages.v[i].tenant, &accounts, &first);
	if (accounts)
		impact_note(im, "%s%s%s under audit bypass in this time, and what %s did in these mailboxes is recorded nowhere", first,
			    accounts > 1 ? " and other accounts" : "", accounts > 1 ? " were" : " was", accounts > 1 ? "they" : "it");
}

void gaps_finish(struct impact *im)
{
	struct impact_report *r = &im->report;
	struct impact_totals *t = &r->total;
	const struct impact_interval no_data = { .mailbox = NONE, .tenant = NONE, .reason = UNKNOWN_NO_DATA };
	size_t capacity = 0, all = 0;

	take_blinds(im, &capacity);
	if (t->data_first_us - t->from_us >= US_PER_HOUR && r->mailbox_count) {
		struct impact_interval x = no_data;
		x.from_us = t->from_us;
		x.to_us = t->data_first_us;
		keep_interval(im, &capacity, x);
	}
	if (im->sel->period.until_us != INT64_MAX && t->looked_us - t->data_last_us >= US_PER_HOUR && r->mailbox_count) {
		struct impact_interval x = no_data;
		x.from_us = t->data_last_us;
		x.to_us = t->looked_us;
		keep_interval(im, &capacity, x);
	}
	for (size_t i = 0; i < r->mailbox_count && !r->dark; i++) {
		const uint32_t m = r->mailboxes[i].world;
		if (m != NONE && m < im->mailbox_capacity && im->first_any[m])
			continue;
		if (m == NONE && !r->matched)
			continue; /* in no record at all, and nothing else is asked for: a typing error, or not in these files */
		keep_interval(im, &capacity, (struct impact_interval){ .mailbox = (uint32_t)i, .tenant = NONE, .reason = UNKNOWN_NO_RECORD,
								      .from_us = t->from_us, .to_us = t->looked_us });
	}
	if (r->unknown_count)
		qsort(r->unknown, r->unknown_count, sizeof(*r->unknown), compare_intervals);
	same_once(r);
	while (all < r->unknown_count && r->unknown[all].mailbox == NONE)
		all++;
	for (size_t i = 0, k = all; i < r->mailbox_count; i++) {
		struct impact_mailbox *m = &r->mailboxes[i];
		const size_t begin = k;
		while (k < r->unknown_count && r->unknown[k].mailbox == i)
			k++;
		m->unknown_us = united_us(im, all, r->unknown + begin, k - begin, m);
		m->unknown_tenths = time_tenths(m->unknown_us);
		t->unknown_tenths += m->unknown_tenths;
		t->unknown_mailboxes += m->unknown_us > 0;
	}
}
