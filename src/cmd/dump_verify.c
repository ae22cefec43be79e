/* SPDX-License-Identifier: Apache-2.0 */
/* dump verify OUT: may this dump leave?  All finders, then the residue test.  (Inside `redact` the sweep for the erased keys is
 * part of it; here they are no longer known.) */
#include <stdio.h>
#include <time.h>

#include "cmd/dump_cmd.h"
#include "cmd/output.h"

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int verify_run(struct dump_settings *x)
{
	struct dump_report report = { .format = x->format };
	struct dump_left left = { .damaged = true };
	struct dump_input *in;
	struct dump_reader *reader;
	struct output out;
	const char *path;
	double start = now();
	int status, got;

	if (x->n_paths != 1 || !x->paths[0][0])
		return cmd_usage_error(&command_dump, "verify: takes one name");
	if (strcmp(x->format, "sarif") == 0)
		return cmd_usage_error(&command_dump, "verify: writes text or ndjson");
	status = output_open(&out, &command_dump, x->output_path);
	if (status != EXIT_RAN)
		return status;
	if (strcmp(x->format, "text") == 0)
		output_for_people(&out);
	report.out = &out.out.pending;
	report.color = out.out.color;
	dump_report_begin(&report);
	in = dump_input_new(x->paths, 1);
	got = in ? dump_input_next(in, &reader, &path) : -1;
	if (got == 1 && !dump_clean(x, &x->options, NULL, NULL, x->shapes, reader, path, &report, &left)) {
		cmd_error(&command_dump, "%s: out of memory", path);
		left.damaged = true;
	}
	if (got == 1 && dump_input_next(in, &reader, &path) != 0) {
		cmd_error(&command_dump, "%s: an archive of several dumps; verify them one by one", x->paths[0]);
		left.damaged = true;
	}
	left.damaged |= in && dump_input_losses(in);
	if (got == 1 && !left.damaged && !report.totals.bytes) {
		snprintf(left.first, sizeof(left.first), "there is no byte in it");
		left.damaged = true;
	}
	if (left.damaged && left.first[0])
		cmd_error(&command_dump, "%s: %s", x->paths[0], left.first);
	report.totals.damaged |= left.damaged;
	dump_report_nothing(&report);
	left.damaged |= report.totals.nothing;
	report.totals.wall_s = now() - start;
	status = dump_left_status(&left);
	if (strcmp(x->format, "ndjson") == 0)
		buf_printf(report.out, "{\"type\":\"residue\",\"windows\":%llu,\"bulk\":%llu,\"bulk_others\":%llu,\"found\":%llu,"
		                       "\"offset\":%lld,\"mode\":\"%s\",\"moduli\":%zu,\"untested\":%zu,\"authorities\":%zu,"
		                       "\"curve_windows\":%llu,\"curve_found\":%llu,\"curve_keys\":%zu,\"curve_cut\":%s}\n",
		           (unsigned long long)left.residue.windows, (unsigned long long)left.residue.bulk,
		           (unsigned long long)left.residue.bulk_others, (unsigned long long)left.residue.found,
		           left.residue.found ? (long long)left.residue.first.offset : -1LL,
		           x->residue == DUMP_RESIDUE_OFF ? "off" : x->residue == DUMP_RESIDUE_ALL ? "all" : "writable",
		           left.residue_moduli, left.residue_untested, left.residue_authorities, (unsigned long long)left.curve.windows,
		           (unsigned long long)left.curve.found, left.curve_keys, left.curve.cut ? "true" : "false");
	else if (left.residue.found)
		buf_printf(report.out, "At %llu: a number that gives a public key's factor away (%llu such windows).\n",
		           (unsigned long long)left.residue.first.offset, (unsigned long long)left.residue.found);
	else if (left.curve.found)
		buf_printf(report.out, "At %llu: a number from which an elliptic public key follows (%llu such windows).\n",
		           (unsigned long long)left.curve.first.offset, (unsigned long long)left.curve.found);
	else if (x->residue != DUMP_RESIDUE_OFF && (left.residue_moduli || left.residue_authorities || left.curve_keys))
		buf_printf(report.out, "%s %zu public key%s (%llu windows); %zu of a trust store%s not tested.\n",
		           left.residue.cut || left.curve.cut ? "Not all was tested; where it was, nothing is left of" : "Nothing is left of",
		           left.residue_moduli + left.curve_keys, left.residue_moduli + left.curve_keys == 1 ? "" : "s",
		           (unsigned long long)left.residue.windows + left.curve.windows, left.residue_authorities, left.residue_authorities == 1 ? " was" : " were");
	else if (x->residue != DUMP_RESIDUE_OFF && report.totals.bytes)
		buf_add_cstr(report.out, "No public key is known, so the residue test had nothing to look for.\n");
	if (strcmp(x->format, "text") == 0 && left.residue.bulk_others)
		buf_printf(report.out, "%llu windows among random bytes were tested less, for keys that only the dump names.\n",
		           (unsigned long long)left.residue.bulk_others);
	dump_report_end(&report, x);
	if (x->ledger_path && got == 1) {
		struct dump_ledger_line line = { "verify", "dump", left.damaged ? "not covered" : status ? "not clean" : "clean", status };

		if (!dump_ledger_add(x, x->paths[0], &line))
			status = status > EXIT_INPUT ? status : EXIT_INPUT;
	}
	dump_input_free(in);
	got = output_close(&out, &command_dump, true);
	return status > got ? status : got;
}

const struct dump_action dump_action_verify = {
	.name = "verify",
	.arguments = "FILE",
	.doc = "Look again, and for numbers that share a factor with a known key",
	.run = verify_run,
};
