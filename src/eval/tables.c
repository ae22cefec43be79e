/* SPDX-License-Identifier: Apache-2.0 */
/* tables: a judgement for people, and one object a line for programs.  The same figures in both. */
#include <inttypes.h>
#include <math.h>

#include "base/grid.h"
#include "base/schema.h"
#include "eval/judge.h"

/* -- for people -- */

#define LABEL_COLUMNS 24

struct table_out { /* a grid under construction, cell by cell of a row */
	struct grid grid;
	struct buf cell;
	size_t column;
};

static void table_begin(struct table_out *t, const struct grid_column *columns, size_t n)
{
	grid_init(&t->grid, columns, n);
	buf_init(&t->cell, 4096);
	t->column = 0;
}

__attribute__((format(printf, 2, 3))) static void cell(struct table_out *t, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	buf_vprintf(&t->cell, format, ap);
	va_end(ap);
	grid_add(&t->grid, t->column, &t->cell);
	t->column = (t->column + 1) % t->grid.column_count;
}

static void cell_real(struct table_out *t, int digits, double x)
{
	if (isnan(x))
		cell(t, "-");
	else
		cell(t, "%.*f", digits, x);
}

static void table_end(struct table_out *t, struct buf *b, size_t width)
{
	if (t->grid.rows)
		grid_put(&t->grid, b, width);
	grid_release(&t->grid);
	buf_release(&t->cell);
}

static void add_rate(struct table_out *t, const char *label, struct rate r)
{
	const struct bounds bounds = rate_bounds(r);

	cell(t, "  %.*s", LABEL_COLUMNS, label);
	cell(t, "%" PRIu64, r.count);
	cell(t, "%" PRIu64, r.mailbox_days);
	cell_real(t, 2, r.mailbox_days ? rate_of(r) : NAN);
	cell_real(t, 2, r.mailbox_days ? bounds.lower : NAN);
	cell_real(t, 2, r.mailbox_days ? bounds.upper : NAN);
}

static void add_head(struct buf *b, const struct judge_settings *s, const struct judgement *j)
{
	buf_printf(b, "%" PRIu64 " tenant%s, %" PRIu64 " mailboxes, %" PRIu64 " of them victims; %" PRIu64
		      " attack-free mailbox-days",
		   j->pairs, j->pairs == 1 ? "" : "s", j->mailboxes, j->victims, j->mailbox_days);
	if (s->from_day >= 0)
		buf_printf(b, " (days %" PRId32 " to %" PRId32 ")", s->from_day, s->to_day);
	buf_printf(b, "\nalarms (%s and above%s%s%s): %" PRIu64 ", of which found an attack %" PRIu64 ", false %" PRIu64
		      ", on victims for something else %" PRIu64 "\n",
		   severity_names[s->minimum], s->rule ? ", only rule '" : "", s->rule ? s->rule : "", s->rule ? "'" : "",
		   j->alarms, j->true_, j->false_.count, j->on_victim);
	buf_printf(b, "not judged: on other days %" PRIu64 ", below what is asked for %" PRIu64 "\n", j->outside, j->below);
	if (s->matches_budget && j->has_bar)
		buf_printf(b, "the bar for %g false alarms per 10,000 mailbox-days: a score above %.6g\n", s->budget, j->bar);
	else if (s->matches_budget)
		buf_printf(b, "no bar is needed for %g false alarms per 10,000 mailbox-days\n", s->budget);
	if (j->strangers)
		buf_printf(b, "mailboxes named by alarms and unknown to the truth: %" PRIu64 "\n", j->strangers);
}

static void add_false(struct buf *b, const struct judgement *j, size_t width)
{
	static const struct grid_column columns[] = {
		{ "", false, 16, 0 }, { "false", true, 0, 0 }, { "mailbox-days", true, 0, 1 }, { "rate", true, 0, 0 }, { "from", true, 0, 0 },
		{ "to", true, 0, 0 },
	};
	struct table_out t;

	table_begin(&t, columns, sizeof(columns) / sizeof(columns[0]));
	buf_add_cstr(b, "\nFalse alarms per 10,000 attack-free mailbox-days (each bound holds with 95 %)\n");
	add_rate(&t, "all", j->false_);
	for (int i = SEVERITY_INFO; i <= SEVERITY_CRITICAL; i++) {
		char label[32];
		snprintf(label, sizeof(label), "%s%s", severity_names[i], i < SEVERITY_CRITICAL ? " and above" : "");
		add_rate(&t, label, j->by_severity[i]);
	}
	for (uint32_t i = 0; i < j->names.classes.n; i++) {
		char label[48];
		snprintf(label, sizeof(label), "class %s", j->names.classes.text[i]);
		add_rate(&t, label, j->by_class[i]);
	}
	table_end(&t, b, width);
	if (j->false_.count)
		buf_printf(b, "  They name %" PRIu64 " attack-free mailboxes, %" PRIu64 " different ones.\n", j->false_mailboxes,
			   j->false_distinct);
	if (j->innocent_named)
		buf_printf(b, "  Alarms that found an attack name %" PRIu64 " attack-free mailboxes besides the victims.\n",
			   j->innocent_named);
}

static void add_rules(struct buf *b, const struct judgement *j, size_t width)
{
	static const struct grid_column columns[] = {
		{ "", false, 16, 0 }, { "alarms", true, 0, 0 }, { "found", true, 0, 0 }, { "false", true, 0, 0 }, { "victims", true, 0, 0 },
	};
	struct table_out t;

	table_begin(&t, columns, sizeof(columns) / sizeof(columns[0]));

	for (uint32_t i = 0; i < j->rules.n; i++) {
		const struct rule_row *r = &j->by_rule[i];
		if (!r->alarms)
			continue;
		cell(&t, "  %.*s", LABEL_COLUMNS, j->rules.text[i]);
		cell(&t, "%" PRIu64, r->alarms);
		cell(&t, "%" PRIu64, r->true_);
		cell(&t, "%" PRIu64, r->false_);
		cell(&t, "%" PRIu64, r->on_victim);
	}
	if (t.grid.rows)
		buf_add_cstr(b, "\nBy rule\n");
	table_end(&t, b, width);
}

static void add_events(struct buf *b, const struct judgement *j)
{
	if (!j->false_.count)
		return;
	buf_printf(b, "\nWhat harmless things were going on when the %" PRIu64 " false alarms came (one may have several)\n",
		   j->false_.count);
	for (uint32_t i = 0; i < j->names.event_kinds.n; i++)
		if (j->by_event[i])
			buf_printf(b, "  %-24.24s %9" PRIu64 "\n", j->names.event_kinds.text[i], j->by_event[i]);
	buf_printf(b, "  %-24s %9" PRIu64 "\n", "nothing known", j->no_event);
}

static void add_kinds(struct buf *b, const struct judgement *j, size_t width)
{
	static const struct grid_column columns[] = {
		{ "", false, 0, 0 }, { "attacks", true, 0, 0 }, { "found", true, 0, 0 }, { "recall", true, 0, 0 }, { "from", true, 0, 0 },
		{ "to", true, 0, 0 }, { "in 24 h", true, 0, 6 }, { "days", true, 0, 5 }, { "items", true, 0, 7 }, { "share", true, 0, 3 },
		{ "lost", true, 0, 8 }, { "complete", true, 0, 4 }, { "rank", true, 0, 1 }, { "chance", true, 0, 2 },
	};
	struct table_out t;

	table_begin(&t, columns, sizeof(columns) / sizeof(columns[0]));

	for (uint32_t i = 0; i < j->names.attack_kinds.n; i++) {
		const struct kind_row *r = &j->kinds[i];
		const struct bounds bounds = binomial_bounds(r->found, r->attacks);
		if (!r->attacks)
			continue;
		cell(&t, "  %.6s", j->names.attack_kinds.text[i]);
		cell(&t, "%" PRIu64, r->attacks);
		cell(&t, "%" PRIu64, r->found);
		cell(&t, "%.3f", (double)r->found / (double)r->attacks);
		cell(&t, "%.3f", bounds.lower);
		cell(&t, "%.3f", bounds.upper);
		cell(&t, "%" PRIu64, r->within_day);
		cell_real(&t, 2, r->days);
		cell_real(&t, 0, r->items);
		cell_real(&t, 3, r->share);
		cell_real(&t, 3, r->share_all);
		if (r->campaigns)
			cell(&t, "%" PRIu64 "/%" PRIu64, r->complete, r->campaigns);
		else
			cell(&t, "-");
		cell_real(&t, 0, r->rank);
		cell(&t, "%.4f", r->chance);
	}
	if (t.grid.rows)
		buf_add_cstr(b, "\nAttacks (bounds hold with 95 %; medians at the first alarm, over those found; 'lost' over all)\n");
	table_end(&t, b, width);
}

static void add_calibration(struct buf *b, const struct judgement *j, size_t width)
{
	static const struct grid_column columns[] = {
		{ "  nominal", false, 0, 0 }, { "days", true, 0, 0 }, { "expected", true, 0, 0 }, { "ratio", true, 0, 0 }, { "from", true, 0, 0 },
		{ "to", true, 0, 0 },
	};
	struct table_out t;

	if (!j->scores)
		return;
	buf_add_cstr(b, "\nCalibration: attack-free mailbox-days with p at or below the nominal level\n");
	table_begin(&t, columns, sizeof(columns) / sizeof(columns[0]));
	for (int i = 0; i < EVAL_LEVELS; i++) {
		const struct rate r = j->at_or_below[i];
		const double expected = eval_levels[i] * (double)r.mailbox_days;
		const struct bounds bounds = poisson_bounds(r.count);
		if (!(expected > 0))
			continue;
		cell(&t, "  %g", eval_levels[i]);
		cell(&t, "%" PRIu64, r.count);
		cell(&t, "%.1f", expected);
		cell(&t, "%.3f", (double)r.count / expected);
		cell(&t, "%.3f", bounds.lower / expected);
		cell(&t, "%.3f", bounds.upper / expected);
	}
	table_end(&t, b, width);
}

void judgement_text(struct buf *b, const struct judge_settings *s, const struct judgement *j, size_t width)
{
	add_head(b, s, j);
	add_false(b, j, width);
	add_rules(b, j, width);
	add_events(b, j);
	add_kinds(b, j, width);
	add_calibration(b, j, width);
}

/* -- for programs -- */

static void number(struct buf *b, const char *key, uint64_t n)
{
	buf_printf(b, ",\"%s\":%" PRIu64, key, n);
}

static void real(struct buf *b, const char *key, double x)
{
	if (isfinite(x))
		buf_printf(b, ",\"%s\":%.9g", key, x);
	else
		buf_printf(b, ",\"%s\":null", key);
}

static void text(struct buf *b, const char *key, const char *s)
{
	buf_printf(b, ",\"%s\":", key);
	if (s)
		buf_add_json(b, str_of(s));
	else
		buf_add_cstr(b, "null");
}

static void rate(struct buf *b, struct rate r)
{
	const struct bounds bounds = rate_bounds(r);

	number(b, "false", r.count);
	number(b, "mailbox_days", r.mailbox_days);
	real(b, "rate", r.mailbox_days ? rate_of(r) : NAN);
	real(b, "lower", bounds.lower);
	real(b, "upper", bounds.upper);
}

static void json_head(struct buf *b, const struct judge_settings *s, const struct judgement *j)
{
	buf_add_cstr(b, "{\"type\":\"evaluation\"");
	number(b, "tenants", j->pairs);
	number(b, "mailboxes", j->mailboxes);
	number(b, "victims", j->victims);
	text(b, "minimum", severity_names[s->minimum]);
	text(b, "rule", s->rule);
	real(b, "budget", s->matches_budget ? s->budget : NAN);
	real(b, "bar", j->has_bar ? j->bar : s->has_min_score ? s->min_score : NAN);
	number(b, "alarms", j->alarms);
	number(b, "true", j->true_);
	number(b, "on_victim", j->on_victim);
	number(b, "outside", j->outside);
	number(b, "left_out", j->below);
	number(b, "strangers", j->strangers);
	number(b, "innocent_named", j->innocent_named);
	number(b, "false_mailboxes", j->false_mailboxes);
	number(b, "false_distinct_mailboxes", j->false_distinct);
	rate(b, j->false_);
	buf_add_cstr(b, SCHEMA_MEMBER "}\n");
}

static void json_kind(struct buf *b, const char *name, const struct kind_row *r)
{
	struct bounds bounds = binomial_bounds(r->found, r->attacks);

	buf_add_cstr(b, "{\"type\":\"attack\"");
	text(b, "kind", name);
	number(b, "attacks", r->attacks);
	number(b, "found", r->found);
	real(b, "recall", (double)r->found / (double)r->attacks);
	real(b, "lower", bounds.lower);
	real(b, "upper", bounds.upper);
	number(b, "within_day", r->within_day);
	real(b, "median_days", r->days);
	real(b, "median_items", r->items);
	real(b, "median_share", r->share);
	real(b, "median_share_of_all", r->share_all);
	number(b, "campaigns", r->campaigns);
	number(b, "complete", r->complete);
	bounds = binomial_bounds(r->complete, r->campaigns);
	real(b, "complete_lower", r->campaigns ? bounds.lower : NAN);
	real(b, "complete_upper", r->campaigns ? bounds.upper : NAN);
	real(b, "inventory_rank", r->rank);
	real(b, "chance", r->chance);
	buf_add_cstr(b, "}\n");
}

static void json_calibration(struct buf *b, const struct judgement *j)
{
	for (int i = 0; i < EVAL_LEVELS && j->scores; i++) {
		const struct rate r = j->at_or_below[i];
		const double expected = eval_levels[i] * (double)r.mailbox_days;
		const struct bounds bounds = poisson_bounds(r.count);
		buf_printf(b, "{\"type\":\"calibration\",\"nominal\":%g", eval_levels[i]);
		number(b, "mailbox_days", r.mailbox_days);
		number(b, "at_or_below", r.count);
		real(b, "ratio", (double)r.count / expected);
		real(b, "lower", bounds.lower / expected);
		real(b, "upper", bounds.upper / expected);
		buf_add_cstr(b, "}\n");
	}
}

void judgement_ndjson(struct buf *b, const struct judge_settings *s, const struct judgement *j)
{
	json_head(b, s, j);
	for (int i = SEVERITY_INFO; i <= SEVERITY_CRITICAL; i++) {
		buf_add_cstr(b, "{\"type\":\"severity\"");
		text(b, "severity", severity_names[i]);
		number(b, "alarms_at", j->at_severity[i]);
		number(b, "true_at", j->true_at_severity[i]);
		rate(b, j->by_severity[i]);
		buf_add_cstr(b, "}\n");
	}
	for (uint32_t i = 0; i < j->names.classes.n; i++) {
		buf_add_cstr(b, "{\"type\":\"class\"");
		text(b, "class", j->names.classes.text[i]);
		rate(b, j->by_class[i]);
		buf_add_cstr(b, "}\n");
	}
	for (uint32_t i = 0; i < j->rules.n; i++) {
		const struct rule_row *r = &j->by_rule[i];
		if (!r->alarms)
			continue;
		buf_add_cstr(b, "{\"type\":\"rule\"");
		text(b, "rule", j->rules.text[i]);
		number(b, "alarms", r->alarms);
		number(b, "true", r->true_);
		number(b, "on_victim", r->on_victim);
		rate(b, (struct rate){ r->false_, j->mailbox_days });
		buf_add_cstr(b, "}\n");
	}
	for (uint32_t i = 0; i <= j->names.event_kinds.n; i++) {
		const bool none = i == j->names.event_kinds.n;
		buf_add_cstr(b, "{\"type\":\"confounder\"");
		text(b, "kind", none ? NULL : j->names.event_kinds.text[i]);
		number(b, "false", none ? j->no_event : j->by_event[i]);
		buf_add_cstr(b, "}\n");
	}
	for (uint32_t i = 0; i < j->names.attack_kinds.n; i++)
		if (j->kinds[i].attacks)
			json_kind(b, j->names.attack_kinds.text[i], &j->kinds[i]);
	json_calibration(b, j);
}
