/* SPDX-License-Identifier: Apache-2.0 */
/* impact: after the alarm: which messages were read, which must be assumed read, and when the log was blind. */
#include "impact/impact.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "cmd/run.h"
#include "report/report.h"
#include "state/net.h"

#define ALERTS_ASKED_MAX 1000

extern const struct command command_impact;

enum format { FORMAT_TEXT, FORMAT_CSV, FORMAT_NDJSON, FORMAT_HTML, FORMAT_COUNT };
static const char *const format_names_here[FORMAT_COUNT] = { "text", "csv", "ndjson", "html" };

struct impact_run {
	struct run run;
	struct selection selection;
	struct impact *impact;
	struct asn_db *asn;
	enum format format;
	const char *alerts_path, *messages_path, *tags_path, *corrections_path;
	const char *alert_ids[ALERTS_ASKED_MAX];
	size_t alert_count;
	struct run_lost lost;
};

static const struct option_row options[] = {
	OPTION_FORMAT("text", "text csv ndjson html"),
	OPTION_OUTPUT,
	{ 0, "alert", "ID", "What belongs to this alert of --alerts. May be repeated.", NULL },
	{ 0, "alerts", "FILE", "Findings of `taximeter scan -f ndjson`, in which --alert is looked up.", NULL },
	{ 0, "session", "ID", "Records of this session. May be repeated.", NULL },
	{ 0, "token", "ID", "Records of this token. May be repeated.", NULL },
	{ 0, "app", "ID",
	  "Records of this application: an id, a first-party name, or a client such as OWA/ViaProxy. May be "
		"repeated.",
	  NULL },
	{ 0, "network", "NET",
	  "Records from this address, prefix (198.51.100.0/24) or, with --asn, AS64500. May be repeated.", NULL },
	{ 0, "actor", "USER", "Records of this user. May be repeated.", NULL },
	{ 0, "mailbox", "MAILBOX", "Records of this mailbox: address or GUID. May be repeated.", NULL },
	RUN_OPTION_TENANT,
	RUN_OPTION_SINCE,
	RUN_OPTION_UNTIL,
	RUN_OPTION_TIMEZONE,
	{ 0, "messages", "FILE.csv", "Subjects and senders by message id: a message trace or a content "
		"search.", NULL },
	{ 0, "tags", "FILE.csv",
	  "Columns mailbox,tag mark mailboxes; columns contains,tag mark messages by words of subject or folder.",
	  NULL },
	{ 0, "corrections", "FILE", "Lines for the correction log of the report: what an earlier edition said "
		"wrongly.",
	  NULL },
	RUN_OPTION_STATS,
	OPTION_JOBS,
	OPTION_QUIET,
	RUN_OPTION_ASN,
	{ 0 }
};

static int take_format(struct impact_run *x, const char *value)
{
	for (int i = 0; i < FORMAT_COUNT; i++) {
		if (strcmp(value, format_names_here[i]) != 0)
			continue;
		x->format = (enum format)i;
		return EXIT_RAN;
	}
	return cmd_usage_error(x->run.command, "-f '%s' is not a format; there are: text csv ndjson html", value);
}

static int take_option(struct impact_run *x, const struct option_row *row, const char *value)
{
	const struct str v = str_of(value);
	const char *name = row->name;

	if (strcmp(name, "format") == 0)
		return take_format(x, value);
	if (strcmp(name, "alert") == 0) {
		if (x->alert_count == ALERTS_ASKED_MAX)
			return cmd_usage_error(x->run.command, "more than %d --alert", ALERTS_ASKED_MAX);
		x->alert_ids[x->alert_count++] = value;
		return EXIT_RAN;
	}
	if (strcmp(name, "alerts") == 0)
		x->alerts_path = value;
	else if (strcmp(name, "messages") == 0)
		x->messages_path = value;
	else if (strcmp(name, "tags") == 0)
		x->tags_path = value;
	else if (strcmp(name, "corrections") == 0)
		x->corrections_path = value;
	else if (value && !str_trim(v).n)
		return cmd_usage_error(x->run.command, "--%s is empty", name);
	else if (strcmp(name, "session") == 0)
		selection_add_session(&x->selection, v);
	else if (strcmp(name, "token") == 0)
		selection_add_token(&x->selection, v);
	else if (strcmp(name, "app") == 0)
		selection_add_app(&x->selection, v);
	else if (strcmp(name, "actor") == 0)
		selection_add_actor(&x->selection, v);
	else if (strcmp(name, "mailbox") == 0)
		selection_add_mailbox(&x->selection, v);
	else if (strcmp(name, "network") == 0) {
		if (!selection_add_network(&x->selection, v))
			return cmd_usage_error(x->run.command,
					       "--network '%s' is no address, prefix or AS number (examples: "
					       "198.51.100.7, 198.51.100.0/24, AS64500)",
					       value);
	} else
		return run_option(&x->run, row, value);
	return EXIT_RAN;
}

/* Checks that the options fit together, before hours of reading. */
static int check(struct impact_run *x)
{
	const struct command *c = x->run.command;
	struct selection *s = &x->selection;
	struct buf error;
	int status = EXIT_RAN;

	if (x->alert_count && !x->alerts_path)
		return cmd_usage_error(c, "--alert needs --alerts FILE: the findings of `taximeter scan -f ndjson`");
	if (x->alerts_path && !x->alert_count)
		return cmd_usage_error(c, "--alerts needs --alert ID: which of its alerts?");
	buf_init(&error, 64 * KIB);
	if (x->alert_count && !selection_add_alerts(s, x->alerts_path, x->alert_ids, x->alert_count, &error))
		status = cmd_usage_error(c, "--alerts: %.*s", STR_ARG(buf_str(&error)));
	else if (!s->count && !s->alert_count && period_is_open(&x->run.period))
		status = cmd_usage_error(c, "nothing selected: give --alert, --session, --token, --app, --network, "
					    "--actor, --mailbox, --since or --until");
	else if (s->failed)
		status = cmd_usage_error(c, "out of memory, or more than %d selectors", IMPACT_SELECTORS_MAX);
	buf_release(&error);
	return status;
}

/* A file next to the export; `what` is the option's name. */
static int add_file(struct impact_run *x, const char *what, const char *path,
		    bool (*add)(struct impact *, const char *, struct buf *))
{
	struct buf error;
	int status = EXIT_RAN;

	if (!path)
		return EXIT_RAN;
	buf_init(&error, 64 * KIB);
	if (!add(x->impact, path, &error))
		status = cmd_usage_error(x->run.command, "--%s: %.*s", what, STR_ARG(buf_str(&error)));
	buf_release(&error);
	if (status == EXIT_RAN)
		impact_add_input(x->impact, path, what);
	return status;
}

/* The window limits the selection, not the engine: earlier records teach the habits. */
static int begin(struct impact_run *x)
{
	struct engine_settings *e = &x->run.settings;
	struct selection *s = &x->selection;
	char error[ASN_ERROR_SIZE];
	int status;

	s->period = x->run.period;
	if (!period_is_open(&s->period))
		buf_printf(&s->said, "%s%s%s%s%s", s->said.n ? ", " : "", s->period.since[0] ? "since " : "", s->period.since,
			   s->period.until[0] ? s->period.since[0] ? " until " : "until " : "", s->period.until);
	if (e->asn_path && !(x->asn = asn_open(e->asn_path, error)))
		return cmd_usage_error(x->run.command, "--asn: %s", error);
	s->asn = x->asn;
	x->impact = impact_new(s);
	if (!x->impact) {
		cmd_error(x->run.command, "out of memory");
		return EXIT_INPUT;
	}
	status = add_file(x, "messages", x->messages_path, impact_add_messages);
	if (status == EXIT_RAN)
		status = add_file(x, "tags", x->tags_path, impact_add_tags);
	if (status == EXIT_RAN)
		status = add_file(x, "corrections", x->corrections_path, impact_add_corrections);
	e->keep_items = impact_keep;
	e->keep_items_arg = x->impact;
	e->on_event = impact_event;
	e->on_event_arg = x->impact;
	e->joint = true; /* one report for all tenants of the selection */
	if (!e->tenant_count && x->alert_count) {
		selection_tenants(s, x->run.tenants, TENANTS_ASKED_MAX, &e->tenant_count);
		e->tenants = x->run.tenants;
	}
	return status;
}

static int write_report(struct impact_run *x)
{
	const struct engine_report *e = engine_report(x->run.engine);

	for (size_t i = 0; i < e->file_count; i++)
		impact_add_input(x->impact, e->files[i].path, "export");
	if (x->alerts_path)
		impact_add_input(x->impact, x->alerts_path, "alerts");
	run_gather_lost(&x->run, &x->lost);
	const struct impact_report *r = impact_finish(x->impact, engine_world(x->run.engine));
	if (!r) {
		cmd_error(x->run.command, "%s", impact_error(x->impact));
		return EXIT_INPUT;
	}
	impact_set_lost(x->impact, &x->lost.said);
	struct sink_out *o = &x->run.output.out;
	if (x->format == FORMAT_TEXT) {
		output_for_people(&x->run.output);
		run_tell_empty(&x->run, &o->pending);
		impact_text(o, x->impact, r);
	} else if (x->format == FORMAT_CSV)
		impact_csv(o, x->impact, r);
	else if (x->format == FORMAT_NDJSON)
		impact_ndjson(o, x->impact, r);
	else
		report_impact(o, x->impact, r);
	if (impact_error(x->impact)[0]) {
		cmd_error(x->run.command, "%s", impact_error(x->impact));
		return EXIT_INPUT;
	}
	for (size_t i = 0; i < r->note_count; i++)
		cmd_error(x->run.command, "%s", r->notes[i]);
	if (r->matched)
		return EXIT_RAN;
	cmd_error(x->run.command, "no record of mail access in these files belongs to the selection (%.*s)", STR_ARG(buf_str(&x->selection.said)));
	return EXIT_INPUT;
}

static int impact_paths(struct impact_run *x, int argc, char **argv)
{
	int status = check(x), written;

	if (status == EXIT_RAN)
		status = run_open(&x->run, argc, argv);
	if (status == EXIT_RAN)
		status = begin(x);
	if (status != EXIT_RAN)
		return status;
	status = run_read(&x->run);
	written = x->run.engine ? write_report(x) : EXIT_INPUT;
	return run_close(&x->run, written != EXIT_RAN ? written : status);
}

static int impact_run(int argc, char **argv)
{
	struct impact_run *x = calloc(1, sizeof(*x));
	const char *value;
	int status = EXIT_RAN, i = OPT_END;

	if (!x) {
		cmd_error(&command_impact, "out of memory");
		return EXIT_INPUT;
	}
	run_init(&x->run, &command_impact);
	selection_init(&x->selection);
	while (status == EXIT_RAN && (i = cmd_option(x->run.command, argc, argv, &value)) >= 0)
		status = take_option(x, &options[i], value);
	if (status == EXIT_RAN && i == OPT_HELP)
		status = cmd_help(x->run.command);
	else if (status == EXIT_RAN && i == OPT_ERROR)
		status = EXIT_USAGE;
	else if (status == EXIT_RAN)
		status = impact_paths(x, argc, argv);
	run_release(&x->run);
	impact_free(x->impact);
	selection_release(&x->selection);
	asn_close(x->asn);
	free(x);
	return status;
}

const struct command command_impact = {
	.name = "impact",
	.arguments = "PATH...",
	.doc = "List the messages that an intruder read, what to assume, and what was not logged",
	.description =
		"Reads the same exports as scan and lists, by mailbox, the messages that records of the selection "
			"name "
		"(confirmed), the folders and mailboxes that were synchronised and name none (assumed), and the "
			"hours "
		"in which reading was not recorded (unknown). Selectors of one kind are alternatives, of different "
		"kinds conditions. An alert selects the context that it names, from its first record on.\n\n"
		"The owner's own reads stay out: a client and network that the mailbox had on three days, a week or "
		"more "
		"before the first selected record, is a habit, listed apart. Messages are counted once for each "
		"mailbox. The order, copies and "
		"cutting of the exports do not matter. Give exports that begin some weeks before the incident.",
	.options = options,
	.examples = "  taximeter scan -f ndjson -o findings.ndjson export/\n"
		    "  taximeter impact --alerts findings.ndjson --alert txm-475bb42142835bb5 export/\n"
		    "  taximeter impact --app 5a95e683-08ad-424e-a441-1d1aec52c02c -f csv -o messages.csv export/\n"
		    "  taximeter impact --network 198.51.100.0/24 --since 2023-05-15 -f html -o report.html "
			"export/\n",
	.run = impact_run,
};
