/* SPDX-License-Identifier: Apache-2.0 */
/* dump scan: every file through the finders, one after the other; findings on standard output. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "cmd/dump_cmd.h"
#include "cmd/output.h"

struct progress {
	bool shown;
	double last;
	const char *path;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void show_progress(void *arg, uint64_t done, uint64_t total)
{
	struct progress *p = arg;
	double t = now();

	if (t - p->last < 0.2)
		return;
	p->last = t;
	p->shown = true;
	fprintf(stderr, "\r%5.1f %% of %.1f MB\033[K", total ? 100.0 * (double)done / (double)total : 100.0, (double)total / 1e6);
}

static void clear_progress(struct progress *p)
{
	if (p->shown)
		fputs("\r\033[K", stderr);
	p->shown = false;
}

static bool scan_one(struct dump_scan *s, struct dump_report *report, struct dump_reader *reader, const char *path)
{
	struct dump_image *im = dump_image_open(reader, path);
	bool ok = im && dump_scan_image(s, im);

	if (im)
		dump_report_image(report, s, im);
	if (!ok)
		cmd_error(&command_dump, "%s: out of memory", path);
	if (im && im->problems.n && im->problems.p)
		cmd_error(&command_dump, "%s: %.*s", path, (int)strcspn(im->problems.p, "\n"), im->problems.p);
	if (im && *dump_limits_text(s))
		cmd_error(&command_dump, "%s: not all was searched: %.*s", path, (int)strcspn(dump_limits_text(s), "\n"), dump_limits_text(s));
	dump_image_free(im);
	return ok;
}

static int scan_run(struct dump_settings *x)
{
	struct dump_report report = { .format = x->format };
	struct progress progress = { 0 };
	struct dump_input *in;
	struct dump_scan *s;
	struct output out;
	struct buf said;
	double start = now();
	int status, got;

	if (x->n_paths == 0)
		return cmd_usage_error(&command_dump, "scan: which FILE? ('-' is standard input)");
	for (int i = 0; i < x->n_paths; i++)
		if (!x->paths[i][0])
			return cmd_usage_error(&command_dump, "scan: an empty name is no file");
	if (!x->quiet && isatty(STDERR_FILENO)) {
		x->options.progress = show_progress;
		x->options.progress_arg = &progress;
	}
	status = output_open(&out, &command_dump, x->output_path);
	if (status != EXIT_RAN)
		return status;
	in = dump_input_new(x->paths, (size_t)x->n_paths);
	s = dump_scan_new(&x->options);
	if (!in || !s) {
		cmd_error(&command_dump, "out of memory");
		report.totals.damaged = true;
		goto out;
	}
	if (strcmp(x->format, "text") == 0)
		output_for_people(&out);
	report.out = &out.out.pending;
	report.color = out.out.color;
	dump_report_begin(&report);
	for (;;) {
		struct dump_reader *reader;
		const char *path;

		got = dump_input_next(in, &reader, &path);
		if (got == 0)
			break;
		if (got < 0 || !scan_one(s, &report, reader, path))
			report.totals.damaged = true;
		clear_progress(&progress);
		if (!sink_out_step(&out.out))
			break;
	}
	report.totals.damaged |= dump_input_losses(in) != 0;
	dump_report_nothing(&report);
	report.totals.wall_s = now() - start;
	dump_report_end(&report, x);
	if (!x->quiet && report.totals.bytes && strcmp(x->format, "text") == 0) {
		buf_init(&said, 1 * KIB);
		buf_printf(&said, "%.1f MB in %.2f s, %zu public keys given\n", (double)report.totals.bytes / 1e6, report.totals.wall_s, x->targets.n);
		cmd_tell(&said);
		buf_release(&said);
	}
out:
	dump_scan_free(s);
	dump_input_free(in);
	status = output_close(&out, &command_dump, true);
	return status != EXIT_RAN ? status : dump_report_status(&report.totals);
}

const struct dump_action dump_action_scan = {
	.name = "scan",
	.arguments = "FILE...",
	.doc = "Look for private keys, and prove them",
	.run = scan_run,
};
