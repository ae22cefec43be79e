/* SPDX-License-Identifier: Apache-2.0 */
/* evaluate: compares alerts with the truth of a simulated tenant: how many attacks were found and when, how many alarms were
 * false.  It reads two kinds of files and knows neither the simulator nor the detectors. */
#include <getopt.h>
#include <math.h>
#include <stdlib.h>

#include "base/limits.h"
#include "cmd/output.h"
#include "eval/judge.h"

#define EVALUATE_BYTES_MAX (16 * MIB)

extern const struct command command_evaluate;

struct evaluate {
	struct judge_settings settings;
	bool ndjson;
	const char *output_path;
};

static const struct option_row options[] = {
	OPTION_FORMAT("text", "text ndjson"),
	OPTION_OUTPUT,
	OPTION_QUIET,
	{ 0, "day-range", "FROM-TO",
	  "Judge these days, counted from 0; default: from the end of the truth's days of learning to its last day.", NULL },
	OPTION_MIN_SEVERITY(": they are notices, which neither find an attack nor are false alarms; default: low."),
	{ 0, "rule", "NAME", "Judge the alerts of this rule only; default: all.", NULL },
	{ 0, "min-score", "X", "Judge only alerts that have a score, or odds, of at least X.", NULL },
	{ 0, "match-budget", "X",
	  "Judge only the alerts with the highest scores, so many that at most X of them are false per 10,000 attack-free "
	  "mailbox-days. The truth sets the bar, which is generous; an alert without a score ranks above all others.",
	  NULL },
	{ 0 }
};

static bool take_number(const char *text, double *ret)
{
	char *end;

	*ret = strtod(text, &end);
	return end != text && !*end && isfinite(*ret) && *ret >= 0;
}

static bool take_days(const char *text, struct judge_settings *s)
{
	char *end;
	long from, to;

	if (*text < '0' || *text > '9')
		return false;
	from = strtol(text, &end, 10);
	if (*end != '-' || end[1] < '0' || end[1] > '9')
		return false;
	to = strtol(end + 1, &end, 10);
	if (*end || from > to || to >= EVAL_DAYS_MAX)
		return false;
	s->from_day = (int32_t)from;
	s->to_day = (int32_t)to;
	return true;
}

static int take_option(struct evaluate *x, const struct option_row *row, const char *value)
{
	const struct command *c = &command_evaluate;
	struct judge_settings *s = &x->settings;

	if (strcmp(row->name, "format") == 0) {
		x->ndjson = strcmp(value, "ndjson") == 0;
		if (!x->ndjson && strcmp(value, "text") != 0)
			return cmd_usage_error(c, "-f '%s' is not a format; there are: text ndjson", value);
	} else if (strcmp(row->name, "output") == 0) {
		x->output_path = value;
	} else if (strcmp(row->name, "quiet") == 0) {
		return EXIT_RAN; /* there is no account of the run */
	} else if (strcmp(row->name, "day-range") == 0) {
		if (!take_days(value, s))
			return cmd_usage_error(c, "--day-range '%s' is not like 60-119", value);
	} else if (strcmp(row->name, "min-severity") == 0) {
		if (!severity_parse(str_of(value), &s->minimum))
			return cmd_usage_error(c, "-m '%s' is not a severity: info, low, medium, high or critical", value);
	} else if (strcmp(row->name, "rule") == 0) {
		s->rule = value;
	} else if (strcmp(row->name, "min-score") == 0) {
		s->has_min_score = true;
		if (!take_number(value, &s->min_score))
			return cmd_usage_error(c, "--min-score '%s' is not a number", value);
	} else if (strcmp(row->name, "match-budget") == 0) {
		s->matches_budget = true;
		if (!take_number(value, &s->budget))
			return cmd_usage_error(c, "--match-budget '%s' is not a number", value);
	}
	return EXIT_RAN;
}

static int print_judgement(const struct evaluate *x, const struct judgement *j)
{
	struct output out;
	int status = output_open(&out, &command_evaluate, x->output_path), written;

	if (status != EXIT_RAN)
		return status;
	if (x->ndjson) {
		judgement_ndjson(&out.out.pending, &x->settings, j);
	} else {
		output_for_people(&out);
		judgement_text(&out.out.pending, &x->settings, j, out.out.width);
	}
	written = output_close(&out, &command_evaluate, true);
	return written;
}

/* Reads one truth and its alerts.  False: reported. */
static bool read_pair(const struct evaluate *x, struct judge_pair *p, char **paths, struct judgement *j, struct buf *error)
{
	int32_t from, to;

	if (!truth_read(&p->truth, paths[0], &j->names, error))
		return false;
	judge_days(&x->settings, &p->truth, &from, &to);
	if (from > to) {
		buf_printf(error, "%s: no day is left to be judged", paths[0]);
		return false;
	}
	if (!alarms_read(&p->alarms, paths[1], &p->truth, from, to, &j->rules, error))
		return false;
	if (!p->alarms.complete)
		cmd_error(&command_evaluate, "%s has no summary at its end: it is empty or was cut short", paths[1]);
	return true;
}

static int evaluate_paths(const struct evaluate *x, int argc, char **argv)
{
	const size_t n = (size_t)argc / 2;
	struct judge_pair *pairs = calloc(n, sizeof(*pairs));
	struct judgement *j = calloc(1, sizeof(*j));
	struct buf error;
	bool ok = pairs && j, complete = true;
	int status = EXIT_INPUT;

	buf_init(&error, 64 * KIB);
	if (!ok)
		buf_add_cstr(&error, "out of memory");
	for (size_t i = 0; i < n && ok; i++)
		ok = read_pair(x, &pairs[i], argv + 2 * i, j, &error);
	for (size_t i = 0; i < n && ok; i++)
		complete = complete && pairs[i].alarms.complete;
	if (ok && judge(&x->settings, pairs, n, j, &error))
		status = print_judgement(x, j);
	else
		cmd_error(&command_evaluate, "%.*s", STR_ARG(buf_str(&error)));
	if (status == EXIT_RAN && !complete)
		status = EXIT_INPUT;
	buf_release(&error);
	for (size_t i = 0; i < n && pairs; i++) {
		truth_release(&pairs[i].truth);
		alarms_release(&pairs[i].alarms);
	}
	free(pairs);
	free(j);
	return status;
}

static int evaluate_run(int argc, char **argv)
{
	struct evaluate x = { .settings = { .from_day = -1, .to_day = -1, .minimum = SEVERITY_LOW } };
	const struct command *c = &command_evaluate;
	const char *value;
	int status = EXIT_RAN, i = OPT_END;

	while (status == EXIT_RAN && (i = cmd_option(c, argc, argv, &value)) >= 0)
		status = take_option(&x, &options[i], value);
	if (status != EXIT_RAN)
		return status;
	if (i == OPT_HELP)
		return cmd_help(c);
	if (i == OPT_ERROR)
		return EXIT_USAGE;
	argc -= optind;
	if (argc < 2 || argc % 2)
		return cmd_usage_error(c, "wants a TRUTH and its ALERTS, or several such pairs (see 'taximeter help evaluate')");
	if (argc > 2 * EVAL_PAIRS_MAX)
		return cmd_usage_error(c, "more than %d pairs", EVAL_PAIRS_MAX);
	return evaluate_paths(&x, argc, argv + optind);
}

const struct command command_evaluate = {
	.name = "evaluate",
	.arguments = "TRUTH ALERTS...",
	.doc = "Measure how good alerts were, against the truth of a simulated tenant",
	.description = "TRUTH is the truth.ndjson of a simulated tenant, ALERTS what 'scan -f ndjson' made of its exports. "
		       "Several pairs are taken together, as one large evaluation.\n\n"
		       "For each kind of attack: how many were found, with exact bounds (Clopper and Pearson, 95 %), when, how "
		       "much had been read by then, whether one alarm names at least 80 % of the victims, and at most what share "
		       "alarms at random would have found. For false alarms: their number per 10,000 attack-free mailbox-days "
		       "with exact bounds (Poisson, each 95 %), by severity, by class of mailbox, by rule, and what harmless "
		       "things were going on. If ALERTS has lines of type \"score\", a calibration table.\n\n"
		       "An alarm found an attack if it names a victim, was not raised before the attack began, saw or was raised "
		       "in its time or a day after, and, if it names applications, networks or addresses, one of them is the "
		       "attack's. Otherwise it is false if it names a mailbox that is never attacked: one alarm is one false "
		       "alarm, however many mailboxes it names.",
	.options = options,
	.examples = "  taximeter scan -q -f ndjson -o alerts.ndjson tenant/audit\n"
		    "  taximeter evaluate tenant/truth.ndjson alerts.ndjson\n"
		    "  taximeter evaluate -f ndjson a/truth.ndjson a/alerts.ndjson b/truth.ndjson b/alerts.ndjson\n",
	.run = evaluate_run,
};
