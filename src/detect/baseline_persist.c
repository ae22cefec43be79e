/* SPDX-License-Identifier: Apache-2.0 */
/* baseline_persist: the memory of the baseline, to bytes and back.
 *
 * The struct is written as it is, so that a new number or array in it needs no line here; what it points to follows, each
 * with its own line.  A new pointer in struct baseline or struct campaigns needs one, in both halves: loading, whatever
 * the file says is overwritten with what begin() made. */
#include <math.h>
#include <stdlib.h>

#include "detect/campaign.h"

static void check(struct persist *p, bool good)
{
	if (!good)
		persist_fail(p, "a number of the baseline lies outside what it counts");
}

static void calibration_check(struct persist *p, struct calibration *c, size_t n)
{
	for (size_t i = 0; i < n && p->loading; i++) {
		bool good = c[i].open < CAL_SLICES;
		for (unsigned k = 0; k < CAL_SLICES; k++)
			good &= c[i].slices[k].tops <= CAL_TOP;
		check(p, good);
	}
}

/* -- mailboxes -- */

static void rows_save(struct persist *p, const struct baseline *b)
{
	for (uint32_t m = 0; m < b->mailboxes; m++)
		persist_bytes(p, baseline_row(b, m), sizeof(struct mailbox_row));
}

static void rows_load(struct persist *p, struct baseline *b, uint32_t mailboxes, uint32_t active)
{
	uint32_t chunks = (mailboxes + ROWS_PER_CHUNK - 1) / ROWS_PER_CHUNK, room = 1;
	while (room < chunks)
		room *= 2; /* as row_make() grows it */
	b->chunks = chunks ? calloc(room, sizeof *b->chunks) : NULL;
	if (chunks && !b->chunks)
		persist_fail(p, "out of memory");
	for (uint32_t m = 0; m < mailboxes && !persist_failed(p); m++) {
		if (m % ROWS_PER_CHUNK == 0) {
			b->chunks[b->chunk_count] = calloc(ROWS_PER_CHUNK, sizeof **b->chunks);
			if (!b->chunks[b->chunk_count]) {
				persist_fail(p, "out of memory");
				return;
			}
			b->chunk_count++;
		}
		struct mailbox_row *row = &b->chunks[m / ROWS_PER_CHUNK][m % ROWS_PER_CHUNK];
		persist_bytes(p, row, sizeof *row);
		b->mailboxes = m + 1;
		check(p, row->class_ < BOX_CLASSES && (!row->open.active || row->open.at < active));
	}
}

/* another budget than that of the file: thresholds move with it, what was learnt stays */
static void take_budget(struct baseline *b, double alpha)
{
	double shift = log(alpha / b->budget.alpha);
	if (!(b->budget.alpha > 0) || shift == 0)
		return;
	b->budget.alpha = alpha;
	for (unsigned i = 0; i < LANES; i++)
		b->ln_lane[i] += shift;
}

/* The struct itself; what it points to is set apart, and returned in `out`. */
static void struct_persist(struct persist *p, struct baseline *b, struct baseline *out)
{
	*out = *b;
	if (!p->loading) {
		out->chunks = NULL;
		out->cal = NULL;
		out->samples = NULL;
		out->active = NULL;
		out->kept = NULL;
		out->trails = NULL;
		out->late = NULL;
		for (unsigned k = 0; k < SUBJECT_KINDS; k++)
			out->subjects[k].v = NULL;
		table_init(&out->seen, 0, 0);
		table_init(&out->pairs, 0, 0);
		persist_struct(p, out, sizeof *out);
		return;
	}
	persist_struct(p, out, sizeof *out);
	struct baseline was = *b;
	*b = *out;
	b->chunks = was.chunks;
	b->chunk_count = was.chunk_count;
	b->mailboxes = was.mailboxes;
	b->cal = was.cal;
	b->late = was.late;
	b->seen = was.seen;
	b->pairs = was.pairs;
	b->samples = was.samples;
	b->sample_count = 0;
	b->sample_capacity = was.sample_capacity;
	b->active = was.active;
	b->active_count = 0;
	b->active_capacity = was.active_capacity;
	b->kept = was.kept;
	b->kept_capacity = was.kept_capacity;
	b->trails = was.trails;
	b->trail_count = 0;
	b->trail_capacity = was.trail_capacity;
	for (unsigned k = 0; k < SUBJECT_KINDS; k++)
		b->subjects[k] = was.subjects[k];
	take_budget(b, was.budget.alpha);
}

void baseline_persist(struct persist *p, struct baseline *b)
{
	struct baseline in;
	uint32_t active = b->active_count;
	persist_mark(p, "baseline");
	struct_persist(p, b, &in);
	if (p->loading) {
		active = in.active_count;
		check(p, in.mailboxes <= BASELINE_MAILBOXES_MAX && active <= in.mailboxes);
		check(p, in.late_first < LATE_MAX && in.late_count <= LATE_MAX);
	}
	if (persist_failed(p)) {
		b->late_count = b->late_first = 0;
		return;
	}
	persist_element(p, sizeof(struct mailbox_row));
	if (p->loading)
		rows_load(p, b, in.mailboxes, active);
	else
		rows_save(p, b);
	for (unsigned k = 0; k < SUBJECT_KINDS; k++)
		rows_persist(p, (void **)&b->subjects[k].v, &b->subjects[k].n, sizeof *b->subjects[k].v, NULL);
	persist_table(p, &b->pairs, NULL);
	persist_table(p, &b->seen, NULL);
	if (persist_element(p, sizeof *b->cal))
		persist_bytes(p, b->cal, (BOX_CLASSES + 1) * sizeof *b->cal);
	calibration_check(p, &b->cal[0][0], (BOX_CLASSES + 1) * (size_t)SCORES);
	uint32_t n = active;
	persist_array(p, (void **)&b->active, &n, sizeof *b->active, BASELINE_MAILBOXES_MAX, NULL);
	check(p, n == active);
	if (p->loading)
		b->active_capacity = n;
	for (uint32_t i = 0; i < n; i++)
		check(p, b->active[i] < b->mailboxes);
	n = active;
	persist_array(p, (void **)&b->kept, &n, sizeof *b->kept, BASELINE_MAILBOXES_MAX, NULL);
	check(p, n == active);
	if (p->loading)
		b->kept_capacity = n;
	n = p->loading ? in.trail_count : b->trail_count;
	persist_array(p, (void **)&b->trails, &n, sizeof *b->trails, PERSIST_ROWS_MAX, NULL);
	if (p->loading)
		b->trail_count = b->trail_capacity = n;
	for (uint32_t i = 0; i < n; i++) /* a trail points to an older one: no circles */
		check(p, b->trails[i].next <= i && b->trails[i].kind < SUBJECT_KINDS);
	for (uint32_t i = 0; i < active && p->loading && !persist_failed(p); i++)
		check(p, b->kept[i].trails <= n);
	persist_element(p, sizeof *b->late);
	for (uint32_t i = 0; i < b->late_count; i++)
		persist_bytes(p, &b->late[(b->late_first + i) % LATE_MAX], sizeof *b->late);
	if (!persist_failed(p))
		b->active_count = active;
}

/* -- campaigns -- */

static void fix_incident(struct persist *p, void *element)
{
	struct incident *i = element;
	alerts_persist_one(p, &i->alert);
	if (p->loading && !i->alert)
		persist_fail(p, "an incident of it has no alert");
}

void campaigns_persist(struct persist *p, struct campaigns *c, const struct baseline *b)
{
	uint32_t n = c->member_count;
	persist_mark(p, "campaigns");
	persist_table(p, &c->tallies, NULL);
	persist_table(p, &c->counted, NULL);
	persist_table(p, &c->followed, NULL);
	persist_array(p, (void **)&c->members, &n, sizeof *c->members, MEMBERS_MAX, NULL);
	c->member_count = n;
	persist_array(p, (void **)&c->incidents, &c->incident_count, sizeof *c->incidents, ALERTS_MAX, fix_incident);
	if (p->loading) {
		c->member_capacity = c->member_count;
		c->incident_capacity = c->incident_count;
	}
	persist_table(p, &c->by_subject, NULL);
	if (persist_element(p, sizeof *c->cal))
		persist_bytes(p, c->cal, SUBJECT_KINDS * sizeof *c->cal);
	calibration_check(p, &c->cal[0][0][0], SUBJECT_KINDS * (size_t)4);
	persist_struct(p, c->scored, sizeof c->scored);
	persist_u64(p, &c->refused);
	persist_check_below(p, &c->by_subject, c->incident_count + 1);
	for (uint32_t i = 0; i < c->incident_count; i++)
		check(p, c->incidents[i].kind < SUBJECT_KINDS);
	for (uint32_t i = 0; i < c->member_count; i++)
		check(p, c->members[i].kind < SUBJECT_KINDS && c->members[i].mailbox < b->mailboxes);
	for (uint32_t m = 0; m < b->mailboxes && p->loading; m++) {
		const struct mailbox_row *row = baseline_row(b, m);
		check(p, row->incident <= c->incident_count && row->campaign <= c->incident_count);
	}
}
