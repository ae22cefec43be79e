/* SPDX-License-Identifier: Apache-2.0 */
/* scan: the main command: reads everything, then reports who reads whose mail, and which of it is alarming. */
#include <getopt.h>
#include <stdlib.h>

#include "base/limits.h"
#include "cmd/run.h"
#include "coverage/coverage.h"
#include "detect/detect.h"
#include "report/report.h"
#include "tenant.h"

extern const struct command command_scan;
extern const struct sink sink_ndjson, sink_text;

struct scan {
	struct run run;
	const struct sink *sink;
	enum severity minimum, fail_on;
	bool fails_on_findings;
	struct indicators *indicators;
	struct coverages coverages;
	const char *inventory_path;
	struct output inventory;
	const char *report_path;
	struct output report;

	struct tenant_findings *tenants;
	const struct alert **shown;
	struct withdrawn *withdrawn;
	struct run_lost lost;
	struct findings findings;
	bool has_findings; /* of the severity of --fail-on */
};

/* names of sinks, from their list */
#define SINK(name) " " #name
static const char sink_names[] =
#include "sink/list.h"
	;
#undef SINK

static const struct option_row options[] = {
	OPTION_FORMAT("text", sink_names + 1),
	OPTION_OUTPUT,
	RUN_OPTION_STATS,
	OPTION_MIN_SEVERITY(", and say how many; default: info."),
	OPTION_JOBS,
	RUN_OPTION_TENANT,
	RUN_OPTION_SINCE,
	RUN_OPTION_UNTIL,
	{ 0, "learn-since", "TIME",
	  "Learn from records from TIME on; default: from all. --since and --until choose what is reported and change nothing of "
	  "what is learned.",
	  NULL },
	RUN_OPTION_TIMEZONE,
	OPTION_QUIET,
	OPTION_STATE(": this export is judged by all before it, and only new or changed alerts are printed. Created if missing, "
		     "readable by its owner alone; a run that is killed leaves it unchanged."),
	RUN_OPTION_ASN,
	{ 0, "ioc", "FILE.csv",
	  "Add indicators of compromise (indicator,type,first_seen,last_seen,description) to the built-in ones. May "
	  "be repeated.",
	  NULL },
	{ 0, "budget", "B",
	  "False alarms that you accept from the baseline in 10,000 mailbox-days, 0.01 to 100; default: 1. Fixed rules "
	  "are not counted.",
	  NULL },
	{ 0, "fail-on", "LEVEL",
	  "Exit with status 1 if there is an alert of this severity or above; default: findings are no failure.",
	  "info low medium high critical" },
	{ 0, "inventory", "FILE.csv", "Write every application that read mail to FILE.csv, most unusual first.", NULL },
	{ 0, "report", "FILE.html",
	  "Write the findings to FILE.html as a page for managers, lawyers and others outside the investigation: alerts, "
	  "applications, blind spots. It has no script and loads nothing from the network.",
	  NULL },
	{ 0 }
};

static int add_indicators(struct scan *s, const char *path)
{
	const struct command *c = s->run.command;
	size_t added = 0, skipped = 0;
	struct buf error;
	int status = EXIT_RAN;

	buf_init(&error, 4 * KIB);
	if (!indicators_add_file(s->indicators, path, &added, &skipped, &error))
		status = cmd_usage_error(c, "--ioc: %.*s", STR_ARG(buf_str(&error)));
	else if (!added)
		status = cmd_usage_error(c, "--ioc: %s: no indicator in it that an audit log can hold (%zu left out)", path, skipped);
	else if (!s->run.quiet && skipped)
		cmd_error(c, "--ioc: %s: %zu indicators taken, %zu left out (a kind that audit logs do not hold)", path,
			  added, skipped);
	buf_release(&error);
	return status;
}

static int take_level(struct scan *s, const char *option, const char *value, enum severity *ret)
{
	if (severity_parse(str_of(value), ret))
		return EXIT_RAN;
	return cmd_usage_error(s->run.command, "%s '%s' is not a severity: info, low, medium, high or critical", option,
			       value);
}

static int take_budget(struct scan *s, const char *value)
{
	char *end;
	double x = strtod(value, &end);

	if (end == value || *end || !(x >= 0.01 && x <= 100))
		return cmd_usage_error(s->run.command, "--budget '%s' is not a number from 0.01 to 100", value);
	s->run.settings.budget = x;
	return EXIT_RAN;
}

static int take_option(struct scan *s, const struct option_row *row, const char *value)
{
	int status = EXIT_RAN;

	if (strcmp(row->name, "format") == 0) {
		s->sink = sink_find(str_of(value));
		if (!s->sink)
			status = cmd_usage_error(s->run.command, "-f '%s' is not a format; there are:%s", value,
						 sink_names);
	} else if (strcmp(row->name, "min-severity") == 0) {
		status = take_level(s, "-m", value, &s->minimum);
	} else if (strcmp(row->name, "fail-on") == 0) {
		s->fails_on_findings = true;
		status = take_level(s, "--fail-on", value, &s->fail_on);
	} else if (strcmp(row->name, "ioc") == 0) {
		status = add_indicators(s, value);
	} else if (strcmp(row->name, "budget") == 0) {
		status = take_budget(s, value);
	} else if (strcmp(row->name, "state") == 0) {
		if (!value[0])
			return cmd_usage_error(s->run.command, "--state needs the name of a file");
		s->run.settings.state_path = value;
	} else if (strcmp(row->name, "inventory") == 0) {
		s->inventory_path = value;
	} else if (strcmp(row->name, "report") == 0) {
		s->report_path = value;
	} else {
		status = run_option(&s->run, row, value);
	}
	return status;
}

static bool on_event(void *arg, const struct world *w, const struct event *e)
{
	struct scan *s = arg;
	struct coverage *c = coverages_of(&s->coverages, w->tenant);

	if (c)
		coverage_meet(c, w, e);
	return c != NULL;
}

/* An alert lists those of its mailboxes for which the log was blind on its days: more may have happened there. */
static void cite_coverage(const struct coverage *c, struct alerts *alerts)
{
	for (size_t i = 0; i < alerts->n; i++) {
		struct alert *a = alerts->v[i];
		uint32_t blind[DAY_STATES] = { 0 };

		if (!a->raised || !a->records || !strcmp(a->detector->name, "throttled") || !strcmp(a->detector->name, "audit-tampering"))
			continue;
		for (uint32_t k = 0; k < a->mailboxes.n; k++)
			blind[coverage_between(c, a->mailboxes.v[k], a->first_us, a->last_us)]++;
		for (int state = DAY_SILENT; state < DAY_OUTSIDE; state++)
			if (blind[state])
				alert_blind(a, "for %u of these mailboxes the log is blind on some of these days (%s: %s)", blind[state],
					    day_state_names[state], day_state_docs[state]);
	}
}

/* With --state: alerts of earlier runs are not repeated.  Programs get each line that has changed; people are spared those in
 * which only a count has grown. */
static bool is_news(struct scan *s, const struct tenant *t, const struct alert *a)
{
	struct buf line;
	enum news news;

	if (!s->run.settings.state_path)
		return true;
	buf_init(&line, SINK_PIECE_BYTES_MAX);
	json_alert(&line, a);
	news = engine_is_news(s->run.engine, t, a, buf_str(&line));
	buf_release(&line);
	return news == NEWS || (news == NEWS_WORDS && s->sink == &sink_ndjson);
}

/* The inventory names the clients that read mail in the time that is reported; each with all that is known of it. */
static void keep_apps_within(const struct scan *s, struct tenant_findings *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->app_count; i++) {
		const struct world_client *c = &f->world->clients[f->apps[i].client];
		if (period_meets(&s->run.period, c->first_us, c->last_us + 1))
			f->apps[n++] = f->apps[i];
	}
	f->app_count = n;
}

static int by_time(const void *a, const void *b)
{
	const struct alert *x = *(const struct alert *const *)a, *y = *(const struct alert *const *)b;
	int order = alerts_compare(x, y);
	struct str s = world_own_tenant(alert_world(x)), t = world_own_tenant(alert_world(y));

	if (order || s.n != t.n)
		return order ? order : s.n < t.n ? -1 : 1;
	return s.n ? memcmp(s.p, t.p, s.n) : 0;
}

/* The alerts of one tenant, and what else belongs to it.  False: out of memory. */
static bool gather_tenant(struct scan *s, struct tenant *t, struct tenant_findings *ret)
{
	struct findings *f = &s->findings;
	const size_t n = alerts_order(&t->alerts);
	const struct alert **p = realloc(s->shown, (f->alert_count + n + 1) * sizeof(struct alert *));
	struct coverage *c = coverages_of(&s->coverages, t->ref);

	if (p)
		s->shown = p;
	if (!p || !c || coverage_finish(c, t->world, &s->run.period) != 0 || orphans_finish(&t->orphans, &t->alerts) != 0 || t->alerts.failed)
		return false;
	*ret = (struct tenant_findings){ .world = t->world, .identity = t->identity, .coverage = c, .orphans = &t->orphans };
	ret->apps = inventory_make(t->world, &ret->app_count);
	if (!ret->apps)
		return false;
	keep_apps_within(s, ret);
	f->app_count += ret->app_count;
	if (!s->run.settings.state_path) /* it has only this run's events */
		cite_coverage(c, &t->alerts);
	for (size_t i = 0; i < n; i++) {
		const bool news = is_news(s, t, t->alerts.v[i]); /* called for each raised alert, shown or not */
		if (!alert_is_within(t->alerts.v[i], &s->run.period)) {
			f->alerts_outside++;
			continue;
		}
		if (!news) {
			f->alerts_unchanged++;
			continue;
		}
		if (t->alerts.v[i]->severity >= s->minimum)
			s->shown[f->alert_count++] = t->alerts.v[i];
		else
			f->alerts_below++;
		s->has_findings |= s->fails_on_findings && t->alerts.v[i]->severity >= s->fail_on;
	}
	f->alerts_refused += t->alerts.refused;
	f->alerts_held += t->alerts.held;
	return true;
}

static bool gather_withdrawn(struct scan *s)
{
	struct findings *f = &s->findings;
	struct told *told = engine_withdrawn(s->run.engine, &f->withdrawn_count);

	s->withdrawn = calloc(f->withdrawn_count + 1, sizeof(*s->withdrawn));
	for (size_t i = 0; s->withdrawn && i < f->withdrawn_count; i++)
		s->withdrawn[i] = (struct withdrawn){ told[i].number, name_part(names_get(f->world->names, told[i].tenant), 0) };
	f->withdrawn = s->withdrawn;
	free(told);
	return s->withdrawn != NULL;
}

/* From the engine to what a sink prints.  False: out of memory. */
static bool gather(struct scan *s)
{
	struct findings *f = &s->findings;
	const size_t n = engine_tenant_count(s->run.engine);

	s->tenants = calloc(n + 1, sizeof(*s->tenants));
	s->shown = calloc(1, sizeof(struct alert *));
	if (!s->tenants || !s->shown)
		return false;
	f->tenants = s->tenants;
	for (; f->tenant_count < n; f->tenant_count++)
		if (!gather_tenant(s, engine_tenant(s->run.engine, f->tenant_count), &s->tenants[f->tenant_count]))
			return false;
	if (n > 1 && f->alert_count)
		qsort(s->shown, f->alert_count, sizeof(*s->shown), by_time);
	f->alerts = (struct alert *const *)s->shown;
	f->resumed = s->run.settings.state_path != NULL;
	f->late = engine_report(s->run.engine)->state_late;
	f->known = engine_report(s->run.engine)->state_known;
	f->world = engine_world(s->run.engine);
	if (!gather_withdrawn(s))
		return false;
	f->detect_refused = engine_report(s->run.engine)->detect_refused;
	f->period = s->run.period;
	f->learn_since = s->run.learn_since[0] ? s->run.learn_since : NULL;
	run_gather_lost(&s->run, &s->lost);
	f->lost = s->lost.said;
	return true;
}

static bool is_an_output(const struct scan *s, const char *path)
{
	const char *outputs[] = { s->run.output_path, s->run.stats_path, s->inventory_path };

	for (size_t i = 0; i < sizeof(outputs) / sizeof(outputs[0]); i++)
		if (outputs[i] && strcmp(outputs[i], path) == 0)
			return true;
	return false;
}

static int scan_paths(struct scan *s, int argc, char **argv)
{
	int status = run_open(&s->run, argc, argv), written;

	if (status == EXIT_RAN && s->run.settings.state_path && is_an_output(s, s->run.settings.state_path))
		status = cmd_usage_error(s->run.command, "--state '%s' is named for an output as well: it would be overwritten",
					 s->run.settings.state_path);
	if (status == EXIT_RAN && s->inventory_path)
		status = output_open(&s->inventory, s->run.command, s->inventory_path);
	if (status == EXIT_RAN && s->report_path)
		status = output_open(&s->report, s->run.command, s->report_path);
	if (status != EXIT_RAN)
		return status;
	s->run.settings.indicators = s->indicators;
	s->run.settings.detect = true;
	s->run.settings.report = &s->run.period;
	s->run.settings.on_event = on_event;
	s->run.settings.on_event_arg = s;
	status = run_read(&s->run);
	if (s->sink == &sink_text)
		output_for_people(&s->run.output);
	if (s->run.engine && gather(s)) {
		if (s->sink == &sink_text)
			run_tell_empty(&s->run, &s->run.output.out.pending);
		s->sink->write(&s->run.output.out, &s->findings);
		if (s->inventory.open)
			csv_inventory(&s->inventory.out, &s->findings);
		if (s->report.open)
			report_findings(&s->report.out, &s->findings);
	} else if (s->run.engine) {
		cmd_error(s->run.command, "out of memory");
		status = EXIT_INPUT;
	}
	written = output_close(&s->inventory, s->run.command, s->findings.world != NULL);
	if (output_close(&s->report, s->run.command, s->findings.world != NULL) != EXIT_RAN)
		written = EXIT_INPUT;
	if (status == EXIT_RAN && s->has_findings)
		status = EXIT_FINDINGS;
	if (written != EXIT_RAN)
		status = EXIT_INPUT;
	s->run.keeps = written == EXIT_RAN && s->findings.world;
	return run_close(&s->run, status);
}

static int scan_run(int argc, char **argv)
{
	struct scan s = { .sink = sinks[0] };
	const char *value;
	int status = EXIT_RAN, i = OPT_END;

	run_init(&s.run, &command_scan);
	s.indicators = indicators_new();
	if (!s.indicators) {
		cmd_error(s.run.command, "out of memory");
		status = EXIT_INPUT;
	}
	while (status == EXIT_RAN && (i = cmd_option(s.run.command, argc, argv, &value)) >= 0)
		status = take_option(&s, &options[i], value);
	if (status == EXIT_RAN && i == OPT_HELP)
		status = cmd_help(s.run.command);
	else if (status == EXIT_RAN && i == OPT_ERROR)
		status = EXIT_USAGE;
	else if (status == EXIT_RAN)
		status = scan_paths(&s, argc, argv);
	free(s.shown);
	for (size_t k = 0; s.tenants && k < s.findings.tenant_count; k++)
		free(s.tenants[k].apps);
	free(s.tenants);
	free(s.withdrawn);
	output_close(&s.inventory, s.run.command, false);
	output_close(&s.report, s.run.command, false);
	run_release(&s.run);
	indicators_free(s.indicators);
	coverages_release(&s.coverages);
	return status;
}

const struct command command_scan = {
	.name = "scan",
	.arguments = "PATH...",
	.doc = "Report who reads whose mail, and raise alerts",
	.description = "Reads Microsoft 365 audit exports and Entra sign-in logs and prints alerts with their reasons, "
		       "the applications that read mail ranked by how unusual they are, and what could not be seen. A "
		       "PATH is a file, a folder (read recursively), a workbook (.xlsx), an archive (.gz .zst .xz .zip .7z .tar) or '-' "
		       "for standard input. The form of each file is recognised from its content.\n\n"
		       "Formats: Search-UnifiedAuditLog and Purview portal CSV; PowerShell JSON; Management Activity "
		       "API blobs and NDJSON, bare or as collectors wrap them; Graph audit queries; Sentinel "
		       "OfficeActivity, SigninLogs and AuditLogs; Defender CloudAppEvents; Event Hubs messages and "
		       "diagnostic settings; Graph sign-ins.\n\n"
		       "The result depends on the set of records alone: not on their order, on copies, on how they "
		       "lie in files, or on -j. Everything about the run itself goes to standard error and to --stats.",
	.options = options,
	.examples = "  taximeter scan export/\n"
		    "  taximeter scan -f ndjson -o findings.ndjson --stats stats.json export.zip\n"
		    "  taximeter scan -m medium --since 2023-05-15 --until 2023-07-01 --fail-on high ual.csv\n"
		    "  taximeter scan --state tenant.state blobs/2023-06-15/\n"
		    "  zcat blobs/*.gz | taximeter scan -\n",
	.found = "With --fail-on: an alert of that severity or above, also one that --min-severity leaves out.",
	.run = scan_run,
};
