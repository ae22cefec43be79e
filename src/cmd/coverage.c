/* SPDX-License-Identifier: Apache-2.0 */
/* coverage: for every mailbox and day, could the log have shown anything?  And, from exported settings, will it in future? */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/count.h"
#include "base/limits.h"
#include "base/schema.h"
#include "cmd/run.h"
#include "coverage/coverage.h"
#include "coverage/html.h"
#include "coverage/settings.h"
#include "source/source.h"
#include "tenant.h"

#define SENTENCES_SHOWN 40
#define SETTINGS_MAX 64

extern const struct command command_coverage;

struct cover {
	struct run run;
	struct coverages coverages;
	struct covered *tenants; size_t tenant_count;
	struct audit_settings *settings; /* NULL: none given */
	struct run_lost lost;
	const char *format;
};

static const struct option_row options[] = {
	OPTION_FORMAT("text", "text csv ndjson html"),
	OPTION_OUTPUT,
	{ 0, "settings", "FILE",
	  "An export of audit settings or licences (CSV or JSON of Get-Mailbox, Get-MailboxAuditBypassAssociation, Get-AdminAuditLogConfig, "
	  "Get-OrganizationConfig, licence lists); says which mailboxes will not be seen tomorrow. May be repeated; with it no PATH is needed.",
	  NULL },
	RUN_OPTION_STATS,
	OPTION_JOBS,
	RUN_OPTION_TENANT,
	RUN_OPTION_SINCE,
	RUN_OPTION_UNTIL,
	RUN_OPTION_TIMEZONE,
	OPTION_QUIET,
	RUN_OPTION_ASN,
	{ 0 }
};

static bool on_event(void *arg, const struct world *w, const struct event *e)
{
	struct cover *x = arg;
	struct coverage *c = coverages_of(&x->coverages, w->tenant);

	if (c)
		coverage_meet(c, w, e);
	return c != NULL;
}

static void add_sentence(struct buf *b, const struct world *w, const struct coverage_finding *f)
{
	struct buf text;

	buf_init(&text, 8 * KIB);
	coverage_sentence(w, f, &text);
	buf_add_terminal(b, buf_str(&text), 0);
	buf_add_cstr(b, ".\n");
	buf_release(&text);
}

static void text_settings(struct buf *b, const struct audit_settings *s)
{
	size_t shown = 0, unseen = 0, premium = 0, basic = 0, none = 0;
	struct buf text;

	if (!s)
		return;
	buf_init(&text, 16 * KIB);
	for (size_t i = 0; i < s->count; i++) {
		unseen += (s->accounts[i].wrong & WRONG_UNSEEN) != 0;
		premium += s->accounts[i].licence == LICENCE_PREMIUM;
		basic += s->accounts[i].licence == LICENCE_BASIC;
		none += s->accounts[i].licence == LICENCE_NONE;
	}
	buf_printf(b, "\nTomorrow, as it is set today: %zu of %zu accounts will not be seen.\n", unseen, s->count);
	if (s->ingestion == KNOWN_BAD)
		buf_add_cstr(b, "  - The unified audit log of the tenant is switched off: nothing will be seen.\n");
	if (s->organization == KNOWN_BAD)
		buf_add_cstr(b, "  - Mailbox auditing of the tenant is switched off (AuditDisabled): no mailbox will be seen.\n");
	for (size_t i = 0; i < s->count; i++) {
		if (!s->accounts[i].wrong || shown++ >= SENTENCES_SHOWN)
			continue;
		buf_clear(&text);
		settings_sentence(&s->accounts[i], &text);
		buf_add_cstr(b, "  - ");
		buf_add_terminal(b, buf_str(&text), 0);
		buf_add_cstr(b, ".\n");
	}
	if (shown > SENTENCES_SHOWN)
		buf_printf(b, "  and %zu more (-f ndjson has them all)\n", shown - SENTENCES_SHOWN);
	if (premium || basic || none)
		buf_printf(b, "Licences: %zu premium, %zu basic, %zu none. %s\n", premium, basic, none, settings_licences);
	buf_release(&text);
}

static void write_text(struct cover *x, const struct covered *t)
{
	struct buf *b = &x->run.output.out.pending;
	size_t n, mailboxes;
	const struct world *w = t->world;
	const struct coverage_finding *f = coverage_findings(t->coverage, &n);
	char first[TIME_TEXT_SIZE], last[TIME_TEXT_SIZE];
	int64_t first_us, last_us;

	if (x->tenant_count > 1) {
		buf_add_cstr(b, t == x->tenants ? "Tenant " : "\nTenant ");
		buf_add_terminal(b, tenant_label(w), 0);
		buf_add_cstr(b, ": ");
	}
	coverage_mailboxes(t->coverage, &mailboxes);
	if (!coverage_days(t->coverage)) {
		buf_add_cstr(b, "There is no audit record to look at: nothing can be said of any mailbox's past.\n");
		return;
	}
	coverage_ends(t->coverage, &first_us, &last_us);
	buf_printf(b, "%s, %s, %s to %s UTC.\n\n", COUNT(mailboxes, "mailbox"), COUNT(coverage_days(t->coverage), "day"),
		   time_format_minute(first_us, first), time_format_minute(last_us, last));
	for (int s = 0; s < DAY_OUTSIDE; s++) {
		uint64_t days = coverage_total(t->coverage, (enum day_state)s);
		if (!days && s != DAY_RECORDED)
			continue;
		buf_printf(b, "%12s  mailbox-day%s %-11s %s\n", DIGITS(days), days == 1 ? " " : "s", day_state_names[s], day_state_docs[s]);
	}
	buf_add_char(b, '\n');
	for (size_t i = 0; i < n && i < SENTENCES_SHOWN; i++) {
		buf_printf(b, "  - ");
		add_sentence(b, w, &f[i]);
	}
	if (n > SENTENCES_SHOWN)
		buf_printf(b, "  and %zu more (-f ndjson has them all)\n", n - SENTENCES_SHOWN);
	if (!n)
		buf_add_cstr(b, "The log shows no time in which reading was hidden. A mailbox without any record looks like one that does not "
				"exist: --settings with an export of Get-Mailbox names them.\n");
}

/* Input that was not read, and the time outside --since and --until. */
static void text_limits(struct cover *x)
{
	struct buf *b = &x->run.output.out.pending, text;
	size_t n = 0;

	buf_init(&text, 64 * KIB);
	for (bool more = true; more; n++) {
		more = lost_sentence(&x->lost.said, n, &text);
		if (!more)
			period_sentence(&x->run.period, &text);
		buf_add_cstr(b, !text.n ? "" : n ? "  - " : "\n  - ");
		buf_add_terminal(b, buf_str(&text), 0);
		buf_add_cstr(b, text.n ? "\n" : "");
		buf_clear(&text);
	}
	buf_release(&text);
}

static void write_csv(struct cover *x, const struct covered *t)
{
	struct sink_out *o = &x->run.output.out;
	struct buf *b = &o->pending;
	size_t n;
	const struct coverage_mailbox *m = coverage_mailboxes(t->coverage, &n);
	char text[TIME_TEXT_SIZE];

	if (t == x->tenants)
		buf_add_cstr(b, "mailbox_guid,mailbox_upn,day,state,read_records,other_signs_of_life,tenant\n");
	for (size_t i = 0; i < n; i++) {
		for (uint32_t day = 0; day < coverage_days(t->coverage); day++) {
			const struct coverage_day d = coverage_day(t->coverage, m[i].mailbox, day);
			buf_add_csv(b, world_mailbox_guid(t->world, m[i].mailbox));
			buf_add_char(b, ',');
			buf_add_csv(b, world_mailbox_upn(t->world, m[i].mailbox));
			buf_printf(b, ",%.10s,%s,%u,%u,", time_format_minute((coverage_first_day(t->coverage) + day) * US_PER_DAY, text),
				   day_state_names[d.state], d.reads, d.life);
			buf_add_csv(b, world_own_tenant(t->world));
			buf_add_char(b, '\n');
		}
		if (!sink_out_step(o))
			return;
	}
}

static void add_day(struct buf *b, const struct coverage *c, const char *key, uint32_t day)
{
	char text[TIME_TEXT_SIZE];

	buf_printf(b, "\"%s\":\"%.10s\"", key, time_format_minute((coverage_first_day(c) + day) * US_PER_DAY, text));
}

static void ndjson_mailbox(struct buf *b, const struct world *w, const struct coverage *c, const struct coverage_mailbox *m)
{
	const uint32_t days = coverage_days(c);
	bool any = false;

	buf_add_cstr(b, "{\"type\":\"mailbox\"");
	json_tenant(b, w);
	buf_add_cstr(b, ",\"guid\":");
	json_text(b, world_mailbox_guid(w, m->mailbox));
	buf_add_cstr(b, ",\"upn\":");
	json_text(b, world_mailbox_upn(w, m->mailbox));
	json_hours(b, "blind_hours", m->blind_us);
	buf_printf(b, ",\"blind_days\":%" PRIu32 ",\"days\":{", m->blind);
	for (int s = 0; s < DAY_STATES; s++) {
		if (!m->days[s])
			continue;
		buf_printf(b, "%s\"%s\":%" PRIu32, any ? "," : "", day_state_names[s], m->days[s]);
		any = true;
	}
	buf_add_cstr(b, "},\"spans\":[");
	for (uint32_t i = 0; i < days;) {
		const struct coverage_day d = coverage_day(c, m->mailbox, i);
		uint32_t k = i + 1, reads = d.reads;
		while (k < days && coverage_day(c, m->mailbox, k).state == d.state)
			reads += coverage_day(c, m->mailbox, k++).reads;
		buf_add_cstr(b, i ? ",{" : "{");
		add_day(b, c, "from", i);
		buf_add_char(b, ',');
		add_day(b, c, "to", k - 1);
		buf_printf(b, ",\"state\":\"%s\",\"read_records\":%" PRIu32 "}", day_state_names[d.state], reads);
		i = k;
	}
	buf_add_cstr(b, "]}\n");
}

static void ndjson_settings(struct buf *b, const struct audit_settings *s)
{
	static const char *const licences[] = { "null", "\"none\"", "\"basic\"", "\"premium\"" };
	static const char *const known[] = { "null", "true", "false" };
	struct buf text;

	if (!s)
		return;
	buf_init(&text, 16 * KIB);
	for (size_t i = 0; i < s->count; i++) {
		const struct audit_account *a = &s->accounts[i];
		buf_add_cstr(b, "{\"type\":\"setting\",\"account\":");
		buf_add_json(b, str_of(a->name));
		buf_printf(b, ",\"seen_tomorrow\":%s,\"licence\":%s,\"sentence\":", a->wrong & WRONG_UNSEEN || s->ingestion == KNOWN_BAD
			   || s->organization == KNOWN_BAD ? "false" : "true", licences[a->licence]);
		buf_clear(&text);
		settings_sentence(a, &text);
		if (a->wrong)
			buf_add_json(b, buf_str(&text));
		else
			buf_add_cstr(b, "null");
		buf_add_cstr(b, "}\n");
	}
	buf_printf(b, "{\"type\":\"tenant\",\"audit_log_on\":%s,\"mailbox_auditing_on\":%s" SCHEMA_MEMBER "}\n", known[s->ingestion], known[s->organization]);
	buf_release(&text);
}

static void write_ndjson(struct cover *x, const struct covered *t)
{
	struct sink_out *o = &x->run.output.out;
	struct buf *b = &o->pending, text;
	size_t n;
	const struct world *w = t->world;
	const struct coverage_finding *f = coverage_findings(t->coverage, &n);

	buf_init(&text, 8 * KIB);
	for (size_t i = 0; i < n && sink_out_step(o); i++) {
		json_finding(b, w, "finding", &f[i], &text);
	}
	buf_release(&text);
	const struct coverage_mailbox *m = coverage_mailboxes(t->coverage, &n);
	for (size_t i = 0; i < n && sink_out_step(o); i++)
		ndjson_mailbox(b, w, t->coverage, &m[i]);
}

static void ndjson_summary(struct cover *x, const struct world *w)
{
	struct buf *b = &x->run.output.out.pending;
	size_t n, mailboxes = 0;
	uint32_t days = 0;
	uint64_t refused = 0;

	for (size_t i = 0; i < x->tenant_count; i++) {
		coverage_mailboxes(x->tenants[i].coverage, &n);
		mailboxes += n;
		days = coverage_days(x->tenants[i].coverage) > days ? coverage_days(x->tenants[i].coverage) : days;
		refused += coverage_refused(x->tenants[i].coverage);
	}
	buf_printf(b, "{\"type\":\"summary\",\"mailboxes\":%zu,\"days\":%" PRIu32 ",\"first\":", mailboxes, days);
	json_time(b, w->first_us);
	buf_add_cstr(b, ",\"last\":");
	json_time(b, w->last_us);
	for (int s = 0; s < DAY_STATES; s++) {
		uint64_t total = 0;
		for (size_t i = 0; i < x->tenant_count; i++)
			total += coverage_total(x->tenants[i].coverage, (enum day_state)s);
		buf_printf(b, ",\"%s\":%" PRIu64, day_state_names[s], total);
	}
	json_period(b, &x->run.period);
	lost_json(b, &x->lost.said);
	buf_printf(b, ",\"refused\":%" PRIu64 ",\"tenants\":[", refused);
	for (size_t i = 0; i < x->tenant_count; i++) {
		coverage_mailboxes(x->tenants[i].coverage, &n);
		buf_add_cstr(b, i ? ",{" : "{");
		buf_printf(b, "\"mailboxes\":%zu,\"days\":%" PRIu32, n, coverage_days(x->tenants[i].coverage));
		json_tenant(b, x->tenants[i].world);
		buf_add_char(b, '}');
	}
	buf_add_cstr(b, "]" SCHEMA_MEMBER "}\n");
}

static void write_page(struct cover *x)
{
	const struct coverage_page page = { .tenants = x->tenants, .tenant_count = x->tenant_count, .settings = x->settings,
					    .lost = x->lost.said, .period = x->run.period, .version = TXM_VERSION };

	coverage_html(&x->run.output.out.pending, &page);
}

/* w: all tenants added up */
static void write_result(struct cover *x, const struct world *w)
{
	struct buf *b = &x->run.output.out.pending;

	if (strcmp(x->format, "text") == 0)
		output_for_people(&x->run.output);
	if (strcmp(x->format, "html") == 0) {
		write_page(x);
		return;
	}
	for (size_t i = 0; i < x->tenant_count; i++) {
		if (strcmp(x->format, "csv") == 0)
			write_csv(x, &x->tenants[i]);
		else if (strcmp(x->format, "ndjson") == 0)
			write_ndjson(x, &x->tenants[i]);
		else
			write_text(x, &x->tenants[i]);
	}
	if (strcmp(x->format, "text") == 0) {
		text_limits(x);
		text_settings(b, x->settings);
	} else if (strcmp(x->format, "ndjson") == 0) {
		ndjson_settings(b, x->settings);
		ndjson_summary(x, w);
	}
}

/* Settings as they were exported: a file, packed or not, or a workbook, which may hold other sheets too. */
static bool read_settings(struct audit_settings *s, const char *path, struct buf *error)
{
	struct source *source = source_new(&path, 1);
	const struct source_stream *stream;
	enum source_status status = SOURCE_END;
	const char *problem;
	struct buf text;
	bool good = false;

	buf_init(&text, COVERAGE_SETTINGS_BYTES_MAX + READ_CHUNK_BYTES);
	while (source && (status = source_next(source, &stream)) == SOURCE_OK) {
		size_t n = 0;

		buf_clear(&text);
		while (status == SOURCE_OK && text.n <= COVERAGE_SETTINGS_BYTES_MAX && buf_reserve(&text, READ_CHUNK_BYTES)) {
			status = source_read(source, text.p + text.n, READ_CHUNK_BYTES, &n);
			text.n += n;
		}
		if (status != SOURCE_END)
			break;
		if (text.n > 0)
			good |= settings_parse(s, stream->path, text.p, text.n, error);
	}
	if (status == SOURCE_OK)
		buf_printf(error, "%s: larger than 64 MiB: no export of settings is", path);
	else if (status == SOURCE_BROKEN)
		buf_add_cstr(error, source_error(source));
	else if (source && (problem = source_problem(source)))
		buf_add_cstr(error, problem);
	else if (source && !good && !error->n)
		buf_printf(error, "%s: nothing in it", path);
	source_free(source);
	buf_release(&text);
	return good && status == SOURCE_END;
}

static int take_settings(struct cover *x, const char *path)
{
	struct buf error;
	int status = EXIT_RAN;

	if (!x->settings)
		x->settings = settings_new();
	buf_init(&error, 4 * KIB);
	if (!x->settings || !read_settings(x->settings, path, &error))
		status = cmd_usage_error(x->run.command, "--settings: %.*s", STR_ARG(error.n ? buf_str(&error) : STR("out of memory")));
	buf_release(&error);
	return status;
}

/* Settings alone: there are no past days. */
static int settings_only(struct cover *x)
{
	int status = output_open(&x->run.output, x->run.command, x->run.output_path);

	if (status != EXIT_RAN)
		return status;
	settings_finish(x->settings);
	if (strcmp(x->format, "text") == 0)
		output_for_people(&x->run.output);
	if (strcmp(x->format, "text") == 0)
		text_settings(&x->run.output.out.pending, x->settings);
	else if (strcmp(x->format, "ndjson") == 0)
		ndjson_settings(&x->run.output.out.pending, x->settings);
	else if (strcmp(x->format, "html") == 0)
		write_page(x);
	else
		return cmd_usage_error(x->run.command, "-f csv is a table of mailboxes and days: it needs a PATH");
	return output_close(&x->run.output, x->run.command, true);
}

/* There is one at least, so that an empty input has a result, too. */
static bool finish(struct cover *x)
{
	const size_t n = engine_tenant_count(x->run.engine);

	x->tenants = calloc(n + 1, sizeof(*x->tenants));
	x->tenant_count = n ? n : 1;
	for (size_t i = 0; x->tenants && i < x->tenant_count; i++) {
		const struct world *w = n ? engine_tenant(x->run.engine, i)->world : engine_world(x->run.engine);
		struct coverage *c = coverages_of(&x->coverages, n ? engine_tenant(x->run.engine, i)->ref : 0);
		if (!c || coverage_finish(c, w, &x->run.period) != 0)
			return false;
		x->tenants[i] = (struct covered){ w, c };
	}
	return x->tenants != NULL;
}

static int cover_paths(struct cover *x, int argc, char **argv)
{
	int status;

	if (optind >= argc && x->settings)
		return settings_only(x);
	status = run_open(&x->run, argc, argv);
	if (status != EXIT_RAN)
		return status;
	if (x->settings)
		settings_finish(x->settings);
	x->run.settings.on_event = on_event;
	x->run.settings.on_event_arg = x;
	status = run_read(&x->run);
	if (x->run.engine && finish(x)) {
		run_gather_lost(&x->run, &x->lost);
		if (strcmp(x->format, "text") == 0)
			run_tell_empty(&x->run, &x->run.output.out.pending);
		write_result(x, engine_world(x->run.engine));
	} else if (x->run.engine) {
		cmd_error(x->run.command, "out of memory");
		status = EXIT_INPUT;
	}
	return run_close(&x->run, status);
}

static int coverage_run(int argc, char **argv)
{
	struct cover x = { .format = "text" };
	const char *value;
	int status = EXIT_RAN, i = OPT_END;

	run_init(&x.run, &command_coverage);
	while (status == EXIT_RAN && (i = cmd_option(x.run.command, argc, argv, &value)) >= 0) {
		if (strcmp(options[i].name, "format") == 0) {
			x.format = value;
			if (strcmp(value, "text") != 0 && strcmp(value, "csv") != 0 && strcmp(value, "ndjson") != 0 && strcmp(value, "html") != 0)
				status = cmd_usage_error(x.run.command, "-f '%s' is not a format; there are: %s", value, options[i].values);
		} else if (strcmp(options[i].name, "settings") == 0) {
			status = take_settings(&x, value);
		} else {
			status = run_option(&x.run, &options[i], value);
		}
	}
	if (status == EXIT_RAN && i == OPT_HELP)
		status = cmd_help(x.run.command);
	else if (status == EXIT_RAN && i == OPT_ERROR)
		status = EXIT_USAGE;
	else if (status == EXIT_RAN)
		status = cover_paths(&x, argc, argv);
	run_release(&x.run);
	free(x.tenants);
	coverages_release(&x.coverages);
	settings_free(x.settings);
	return status;
}

const struct command command_coverage = {
	.name = "coverage",
	.arguments = "[PATH...]",
	.doc = "Report when reads of each mailbox were being logged, and when not",
	.description = "Reads what scan reads and says of every mailbox and day (UTC) whether reads of mail could have left a trace: recorded, quiet, silent "
		       "while other things go on, throttled, auditing off, bypassed, narrowed or unlicensed, a gap of the collector, outside the data. As "
		       "text with a sentence for each finding, as a table (CSV), as objects (NDJSON), or as one self-contained page with a heat map "
		       "(HTML).\n\n"
		       "With --settings, exports of today's audit settings and licences, it also says which mailboxes will not be seen tomorrow.",
	.options = options,
	.examples = "  taximeter coverage export/\n"
		    "  taximeter coverage -f html -o coverage.html export/\n"
		    "  taximeter coverage --settings mailboxes.csv --settings bypass.json --settings licences.csv\n",
	.run = coverage_run,
};
