/* SPDX-License-Identifier: Apache-2.0 */
/* run: one pass over the inputs, for scan and for events.  Findings go to the output; everything about the run itself
 * (progress, speed, problems with files) goes to standard error and to --stats, because it differs between two runs over the
 * same records and the findings must not. */
#include "cmd/run.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/zone.h"
#include "state/net.h"

#define PROGRESS_EVERY_S 0.2
#define PROGRESS_AFTER_S 0.5 /* a short run shows none */

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* -- progress and problems: one line of stderr shared by both -- */

static void erase_line(struct run *r)
{
	if (r->line_shown)
		fputs("\r\033[K", stderr);
	r->line_shown = false;
}

static void on_progress(void *arg, uint64_t bytes, uint64_t total_bytes, uint64_t records)
{
	struct run *r = arg;
	const double now = now_s(), passed = now - r->begun_s;
	char line[120];
	int n;

	pthread_mutex_lock(&r->lock);
	if (passed >= PROGRESS_AFTER_S && now - r->shown_s >= PROGRESS_EVERY_S) {
		n = snprintf(line, sizeof(line), "%.0f", (double)bytes / 1e6);
		if (total_bytes > bytes)
			n += snprintf(line + n, sizeof(line) - (size_t)n, " of %.0f", (double)total_bytes / 1e6);
		n += snprintf(line + n, sizeof(line) - (size_t)n, " MB, %" PRIu64 " records, %.0f records/s", records,
			      (double)records / passed);
		if (total_bytes > bytes && bytes)
			snprintf(line + n, sizeof(line) - (size_t)n, ", %.0f s left",
				 passed * (double)(total_bytes - bytes) / (double)bytes);
		fprintf(stderr, "\r%s\033[K", line);
		r->line_shown = true;
		r->shown_s = now;
	}
	pthread_mutex_unlock(&r->lock);
}

static void on_problem(void *arg, const char *line)
{
	struct run *r = arg;

	pthread_mutex_lock(&r->lock);
	erase_line(r);
	r->problems++;
	cmd_error(r->command, "%s", line);
	pthread_mutex_unlock(&r->lock);
}

/* -- settings -- */

void run_init(struct run *r, const struct command *c)
{
	*r = (struct run){ .command = c };
	r->period = PERIOD_ALL;
	r->settings.since_us = INT64_MIN;
	r->settings.until_us = INT64_MAX;
	pthread_mutex_init(&r->lock, NULL);
}

void run_release(struct run *r)
{
	output_close(&r->output, r->command, false);
	output_close(&r->stats, r->command, false);
	engine_free(r->engine);
	zone_free(r->timezone);
	pthread_mutex_destroy(&r->lock);
}

static int take_time(struct run *r, const char *option, const char *value, int64_t *ret_us, char text[TIME_TEXT_SIZE])
{
	if (!time_parse_rfc3339(str_of(value), ret_us))
		return cmd_usage_error(r->command,
				       "--%s '%s' is not a date or RFC 3339 time (example: 2023-06-15T00:00:00Z)",
				       option, value);
	time_format(*ret_us, text);
	return EXIT_RAN;
}

static int take_jobs(struct run *r, const char *value)
{
	unsigned n = 0;
	size_t i = 0;

	for (; value[i] >= '0' && value[i] <= '9' && n <= 256; i++)
		n = 10 * n + (unsigned)(value[i] - '0');
	if (value[i] || i == 0 || n == 0 || n > 256)
		return cmd_usage_error(r->command, "-j '%s' is not a number from 1 to 256", value);
	r->settings.threads = n;
	return EXIT_RAN;
}

/* A wrong setting is reported before hours of reading, not after. */
static int take_asn(struct run *r, const char *value)
{
	char error[ASN_ERROR_SIZE];
	struct asn_db *db = asn_open(value, error);

	if (!db)
		return cmd_usage_error(r->command, "--asn: %s", error);
	asn_close(db);
	r->settings.asn_path = value;
	return EXIT_RAN;
}

static int take_timezone(struct run *r, const char *value)
{
	zone_free(r->timezone);
	r->timezone = zone_new(str_of(value));
	if (!r->timezone)
		return cmd_usage_error(r->command, "--timezone '%s' is no zone that this system knows (examples: Europe/Berlin, +01:00, UTC)", value);
	r->settings.timezone = r->timezone;
	return EXIT_RAN;
}

static int take_tenant(struct run *r, const char *value)
{
	if (!str_trim(str_of(value)).n)
		return cmd_usage_error(r->command, "--tenant is empty");
	if (r->settings.tenant_count == TENANTS_ASKED_MAX)
		return cmd_usage_error(r->command, "more than %d --tenant", TENANTS_ASKED_MAX);
	r->tenants[r->settings.tenant_count++] = value;
	r->settings.tenants = r->tenants;
	return EXIT_RAN;
}

int run_option(struct run *r, const struct option_row *row, const char *value)
{
	int status = EXIT_RAN;

	if (strcmp(row->name, "output") == 0)
		r->output_path = strcmp(value, "-") == 0 ? NULL : value;
	else if (strcmp(row->name, "stats") == 0)
		r->stats_path = value;
	else if (strcmp(row->name, "quiet") == 0)
		r->quiet = true;
	else if (strcmp(row->name, "jobs") == 0)
		status = take_jobs(r, value);
	else if (strcmp(row->name, "since") == 0)
		status = take_time(r, "since", value, &r->period.since_us, r->period.since);
	else if (strcmp(row->name, "until") == 0)
		status = take_time(r, "until", value, &r->period.until_us, r->period.until);
	else if (strcmp(row->name, "learn-since") == 0)
		status = take_time(r, "learn-since", value, &r->settings.since_us, r->learn_since);
	else if (strcmp(row->name, "timezone") == 0)
		status = take_timezone(r, value);
	else if (strcmp(row->name, "asn") == 0)
		status = take_asn(r, value);
	else if (strcmp(row->name, "tenant") == 0)
		status = take_tenant(r, value);
	return status;
}

int run_open(struct run *r, int argc, char **argv)
{
	if (optind >= argc)
		return cmd_usage_error(r->command,
				       "no PATH given: a file, a folder, an archive, or '-' for standard input (see "
				       "'taximeter help %s')",
				       r->command->name);
	r->settings.paths = (const char *const *)(argv + optind);
	r->settings.path_count = (size_t)(argc - optind);
	for (size_t i = 0; i < r->settings.path_count; i++)
		if (!r->settings.paths[i][0])
			return cmd_usage_error(r->command, "a PATH is empty");
	if (r->period.since_us >= r->period.until_us)
		return cmd_usage_error(r->command, "--since %s is not before --until %s", r->period.since, r->period.until);
	if (r->settings.since_us > r->period.since_us && r->period.since[0])
		return cmd_usage_error(r->command, "--learn-since %s is after --since %s: what is reported must have been learned from",
				       r->learn_since, r->period.since);
	if (r->stats_path && strcmp(r->stats_path, "-") == 0 && !r->output_path)
		return cmd_usage_error(r->command, "--stats - needs -o FILE: standard output carries the result");
	if (r->stats_path && r->output_path && strcmp(r->stats_path, r->output_path) == 0)
		return cmd_usage_error(r->command, "-o and --stats name the same file '%s'", r->stats_path);
	if (output_open(&r->output, r->command, r->output_path) != EXIT_RAN)
		return EXIT_INPUT;
	if (!r->stats_path)
		return EXIT_RAN;
	return output_open(&r->stats, r->command, strcmp(r->stats_path, "-") == 0 ? NULL : r->stats_path);
}

/* -- the pass -- */

/* A second pass is possible if every path can be opened again and yields the same. */
static bool can_read_again(const struct run *r)
{
	struct stat st;

	for (size_t i = 0; i < r->settings.path_count; i++)
		if (strcmp(r->settings.paths[i], "-") == 0 || stat(r->settings.paths[i], &st) != 0 || !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
			return false;
	return true;
}

/* The second pass judges each event with what the first pass learned. */
static void read_again(struct run *r)
{
	struct engine *first = r->engine, *second;

	if (!engine_is_worth_again(first) || !can_read_again(r))
		return;
	r->settings.teaches = false;
	r->settings.recall = first;
	r->settings.on_problem = NULL; /* already reported by the first pass */
	r->settings.on_event = NULL;   /* saw every event in the first pass, with the same dense ids */
	second = engine_new(&r->settings);
	if (!second || engine_run(second) != 0) {
		engine_free(second);
		return; /* the result of the first pass is used */
	}
	r->engine = second;
	engine_free(first);
}

/* False: no record belongs to one of the requested tenants. */
static bool has_tenants_asked(struct run *r)
{
	struct buf line;
	size_t n = 0;

	buf_init(&line, 64 * KIB);
	for (; engine_missing_tenant(r->engine, n, &line); n++) {
		cmd_error(r->command, "%.*s", STR_ARG(buf_str(&line)));
		buf_clear(&line);
	}
	buf_release(&line);
	return n == 0;
}

/* Was there nothing to judge in the time that is reported? */
static bool is_empty(const struct run *r)
{
	const struct world *w = engine_world(r->engine);

	return w->count.records == 0 || !period_meets(&r->period, w->first_us, w->last_us + 1);
}

/* Files of kinds that are not read, and paths that yielded nothing: reported also with -q. */
static void tell_strangers(struct run *r)
{
	const struct engine_report *e = engine_report(r->engine);
	size_t told = 0, left = 0;

	for (size_t p = 0; p < r->settings.path_count; p++) {
		bool gave = false, said = false;

		for (size_t i = 0; i < e->file_count; i++) {
			const struct engine_file *f = &e->files[i];

			if (f->input != p)
				continue;
			gave |= f->records > 0;
			if (f->stranger == STRANGER_COUNT || (!stranger_rows[f->stranger].lost && strcmp(f->path, r->settings.paths[p]) != 0))
				continue;
			said |= strcmp(f->path, r->settings.paths[p]) == 0;
			if (++told > STRANGERS_TOLD_MAX) {
				left++;
				continue;
			}
			cmd_error(r->command, "%s: %s. %s", f->path, stranger_rows[f->stranger].sentence, stranger_rows[f->stranger].remedy);
		}
		/* (one that cannot be opened was reported already) */
		if (!gave && !said && (strcmp(r->settings.paths[p], "-") == 0 || access(r->settings.paths[p], R_OK) == 0) && ++told <= STRANGERS_TOLD_MAX)
			cmd_error(r->command, "%s: no record was read from it", r->settings.paths[p]);
	}
	if (left)
		cmd_error(r->command, "and %zu more files of kinds that are not read", left);
}

int run_read(struct run *r)
{
	r->shows_progress = !r->quiet && isatty(STDERR_FILENO);
	r->settings.on_progress = r->shows_progress ? on_progress : NULL;
	r->settings.on_progress_arg = r;
	r->settings.on_problem = on_problem;
	r->settings.on_problem_arg = r;
	r->begun_s = now_s();
	/* with a state there is, or will be, a history: the first run with it learns, and reports nothing it would have to withdraw */
	r->settings.teaches = r->settings.detect && !r->settings.state_path;
	r->engine = engine_new(&r->settings);
	if (!r->engine) {
		cmd_error(r->command, "out of memory");
		return EXIT_INPUT;
	}
	r->failed = engine_run(r->engine) != 0;
	if (!r->failed && r->settings.detect)
		read_again(r);
	erase_line(r);
	for (unsigned i = 0; i < engine_report(r->engine)->partial_count; i++)
		cmd_error(r->command, "the export is not whole: %s", engine_report(r->engine)->partial[i]);
	bool has_tenants = r->failed || has_tenants_asked(r);
	if (!r->failed)
		tell_strangers(r);
	if (r->failed)
		cmd_error(r->command, "%s", engine_report(r->engine)->error);
	else if (is_empty(r))
		cmd_error(r->command, !period_is_open(&r->period) ? "0 records between --since and --until: nothing was judged"
			: "0 records: nothing was judged");
	if (engine_report(r->engine)->state_refused) { /* nothing was read, so there is nothing to print */
		engine_free(r->engine);
		r->engine = NULL;
		return EXIT_USAGE;
	}
	return !has_tenants || r->failed || engine_report(r->engine)->incomplete || is_empty(r) ? EXIT_INPUT : EXIT_RAN;
}

void run_tell_empty(const struct run *r, struct buf *b)
{
	if (is_empty(r))
		buf_add_cstr(b, "0 records: nothing was judged.\n\n");
	else if (engine_report(r->engine)->empty_input)
		buf_add_cstr(b, "No record was read from at least one of the inputs: what it holds was not judged.\n\n");
}

static void add_lost(struct run_lost *l, const char *name, const char *text)
{
	l->name[l->n] = name;
	l->text[l->n++] = text;
}

void run_gather_lost(const struct run *r, struct run_lost *ret)
{
	const struct engine_report *e = engine_report(r->engine);
	bool cut_short = false;

	ret->n = 0;
	ret->partial_n = e->partial_count;
	memcpy(ret->partial, e->partial, sizeof(ret->partial));
	for (int i = 0; i < REJECT_COUNT; i++)
		if (e->rejects[i])
			add_lost(ret, reject_names[i], reject_docs[i]);
	for (int i = 0; i < NOTE_COUNT; i++)
		if (e->notes[i])
			add_lost(ret, note_rows[i].name, note_rows[i].doc);
	if (e->state_late > e->records_in / STATE_LATE_SHARE)
		add_lost(ret, "too_late", "records older than what the state has learned: they came too late, and were not judged");
	for (int i = 0; i < STRANGER_COUNT; i++)
		if (stranger_set_has(&e->strangers, (enum stranger)i))
			add_lost(ret, stranger_rows[i].name, stranger_rows[i].sentence);
	if (is_empty(r))
		add_lost(ret, "no_records", "0 records: nothing was judged");
	else if (e->empty_input)
		add_lost(ret, "no_records", "an input from which no record was read");
	for (size_t i = 0; i < e->file_count; i++)
		cut_short |= e->files[i].broken;
	if (cut_short || (e->incomplete && (r->problems || ret->n == 0)))
		add_lost(ret, "input_lost", "an input that could not be read, or ended before its end");
	if (r->failed)
		add_lost(ret, "run_failed", "what came after the run itself failed");
	ret->said = (struct lost){ ret->name, ret->text, ret->n, ret->partial, ret->partial_n };
}

int run_close(struct run *r, int status)
{
	bool closed, written;
	struct buf b;

	sink_out_flush(&r->output.out);
	closed = r->output.out.closed;
	written = output_close(&r->output, r->command, r->engine != NULL) == EXIT_RAN;
	if (!written)
		status = EXIT_INPUT;
	if (r->engine && r->settings.state_path && r->keeps && status != EXIT_USAGE && !r->failed) {
		r->kept = written && engine_keep(r->engine) == 0;
		if (!r->kept)
			cmd_error(r->command, "--state: %s", written ? engine_report(r->engine)->error
				: "the output could not be written, and so the state is as it was before this run");
		if (!r->kept)
			status = EXIT_INPUT;
	}
	if (r->engine && r->stats.open)
		report_stats(&r->stats.out, r);
	if (output_close(&r->stats, r->command, r->engine != NULL) != EXIT_RAN)
		status = EXIT_INPUT;
	if (closed)
		return EXIT_RAN; /* the reader closed the pipe: quiet success */
	if (r->engine && !r->quiet) {
		buf_init(&b, 1 * MIB);
		if (isatty(STDERR_FILENO) && isatty(STDOUT_FILENO))
			buf_add_char(&b, '\n'); /* both on one screen: separate them */
		report_tell(&b, r);
		cmd_tell(&b);
		buf_release(&b);
	}
	return status;
}
