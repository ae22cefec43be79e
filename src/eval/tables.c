/* SPDX-License-Identifier: Apache-2.0 */
/* tables: a judgement for people, and one object a line for programs.  The same figures in both. */
#include <inttypes.h>
#include <math.h>

#include "base/schema.h"
#include "eval/judge.h"

/* -- for people -- */

static void add_rate(struct buf *b, const char *label, struct rate r)
{
	const struct bounds bounds = rate_bounds(r);

	buf_printf(b, "  %-24.24s %9" PRIu64 " %13" PRIu64, label, r.count, r.mailbox_days);
	if (r.mailbox_days)
		buf_printf(b, " %10.2f %10.2f %10.2f\n", rate_of(r), bounds.lower, bounds.upper);
	else
		buf_printf(b, " %10s %10s %10s\n", "-", "-", "-");
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

static void add_false(struct buf *b, const struct judgement *j)
{
	buf_printf(b, "\nFalse alarms per 10,000 attack-free mailbox-days (each bound holds with 95 %%)\n  %-24s %9s %13s %10s %10s"
		      " %10s\n",
		   "", "false", "mailbox-days", "rate", "from", "to");
	add_rate(b, "all", j->false_);
	for (int i = SEVERITY_INFO; i <= SEVERITY_CRITICAL; i++) {
		char label[32];
		snprintf(label, sizeof(label), "%s%s", severity_names[i], i < SEVERITY_CRITICAL ? " and above" : "");
		add_rate(b, label, j->by_severity[i]);
	}
	for (uint32_t i = 0; i < j->names.classes.n; i++) {
		char label[48];
		snprintf(label, sizeof(label), "class %s", j->names.classes.text[i]);
		add_rate(b, label, j->by_class[i]);
	}
	if (j->false_.count)
		buf_printf(b, "  They name %" PRIu64 " attack-free mailboxes, %" PRIu64 " different ones.\n", j->false_mailboxes,
			   j->false_distinct);
	if (j->innocent_named)
		buf_printf(b, "  Alarms that found an attack name %" PRIu64 " attack-free mailboxes beside the victims.\n",
			   j->innocent_named);
}

static void add_rules(struct buf *b, const struct judgement *j)
{
	bool any = false;

	for (uint32_t i = 0; i < j->rules.n; i++) {
		const struct rule_row *r = &j->by_rule[i];
		if (!r->alarms)
			continue;
		if (!any)
			buf_printf(b, "\nBy rule\n  %-24s %9s %9s %9s %9s\n", "", "alarms", "found", "false", "victims");
		any = true;
		buf_printf(b, "  %-24.24s %9" PRIu64 " %9" PRIu64 " %9" PRIu64 " %9" PRIu64 "\n", j->rules.text[i], r->alarms,
			   r->true_, r->false_, r->on_victim);
	}
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

static void add_median(struct buf *b, int width, int digits, double x)
{
	if (isnan(x))
		buf_printf(b, " %*s", width, "-");
	else
		buf_printf(b, " %*.*f", width, digits, x);
}

static void add_kinds(struct buf *b, const struct judgement *j)
{
	bool any = false;

	for (uint32_t i = 0; i < j->names.attack_kinds.n; i++) {
		const struct kind_row *r = &j->kinds[i];
		const struct bounds bounds = binomial_bounds(r->found, r->attacks);
		if (!r->attacks)
			continue;
		if (!any)
			buf_printf(b, "\nAttacks (bounds hold with 95 %%; medians at the first alarm, over those found; 'lost' over all)\n"
				      "  %-6s %7s %7s %7s %15s %8s %8s %10s %7s %7s %9s %5s %7s\n",
				   "", "attacks", "found", "recall", "from to", "in 24 h", "days", "items", "share", "lost", "complete",
				   "rank", "chance");
		any = true;
		buf_printf(b, "  %-6.6s %7" PRIu64 " %7" PRIu64 " %7.3f %7.3f %7.3f %8" PRIu64, j->names.attack_kinds.text[i],
			   r->attacks, r->found, (double)r->found / (double)r->attacks, bounds.lower, bounds.upper, r->within_day);
		add_median(b, 8, 2, r->days);
		add_median(b, 10, 0, r->items);
		add_median(b, 7, 3, r->share);
		add_median(b, 7, 3, r->share_all);
		if (r->campaigns)
			buf_printf(b, " %4" PRIu64 "/%-4" PRIu64, r->complete, r->campaigns);
		else
			buf_printf(b, " %9s", "-");
		add_median(b, 5, 0, r->rank);
		buf_printf(b, " %7.4f\n", r->chance);
	}
}

static void add_calibration(struct buf *b, const struct judgement *j)
{
	if (!j->scores)
		return;
	buf_printf(b, "\nCalibration: attack-free mailbox-days with p at or below the nominal level\n  %-10s %9s %12s %10s %10s %10s\n",
		   "nominal", "days", "expected", "ratio", "from", "to");
	for (int i = 0; i < EVAL_LEVELS; i++) {
		const struct rate r = j->at_or_below[i];
		const double expected = eval_levels[i] * (double)r.mailbox_days;
		const struct bounds bounds = poisson_bounds(r.count);
		if (expected > 0)
			buf_printf(b, "  %-10g %9" PRIu64 " %12.1f %10.3f %10.3f %10.3f\n", eval_levels[i], r.count, expected,
				   (double)r.count / expected, bounds.lower / expected, bounds.upper / expected);
	}
}

void judgement_text(struct buf *b, const struct judge_settings *s, const struct judgement *j)
{
	add_head(b, s, j);
	add_false(b, j);
	add_rules(b, j);
	add_events(b, j);
	add_kinds(b, j);
	add_calibration(b, j);
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
