/* SPDX-License-Identifier: Apache-2.0 */
/* dump redact IN OUT: a copy of the dump without the keys that are in it and without anything derived from them.
 *
 * The copy gets its name only after it was written, synced, closed, opened again and found clean: the check comes after the last
 * write, because otherwise the checked file may not be the written one.  A job that cannot be completed (a dump
 * that is cut, a secret over a header, more keys than can be swept) is refused. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "base/limits.h"
#include "base/schema.h"
#include "cmd/dump_cmd.h"
#include "cmd/output.h"
#include "dump/arena.h"

#define PIECE (4 * MIB)

struct redaction {
	struct dump_settings *x;
	const char *in_path, *shown, *out_path; /* shown: IN as people know it */
	struct dump_input *in;
	struct dump_reader *reader;
	struct dump_image *im;
	struct dump_scan *s;
	struct dump_traces *traces;
	struct dump_cuts cuts;
	struct dump_writer *writer;
	struct dump_target *targets; /* the given ones, then those of the keys that were found */
	size_t n_targets;
	struct dump_left left;
	size_t keys;           /* erased */
	uint64_t random;       /* bytes that were erased because they look random */
	const char *no_random; /* why those could not be erased */
	double scan_s, plan_s, copy_s, check_s; /* what took how long */
	const char *format;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int refuse(const struct redaction *r, int status, const char *why)
{
	cmd_error(&command_dump, "%s: %s; nothing was written", r->shown, why);
	return status;
}

/* The public halves of what was found are hunted in the copy: as given targets, so that no other copy of them is needed. */
static bool make_targets(struct redaction *r)
{
	size_t n;
	const struct dump_key *keys = dump_keys(r->s, &n);
	const struct dump_options *o = &r->x->options;

	r->targets = calloc(o->n_targets + n + 1, sizeof(*r->targets));
	if (!r->targets)
		return false;
	if (o->n_targets)
		memcpy(r->targets, o->targets, o->n_targets * sizeof(*r->targets));
	r->n_targets = o->n_targets;
	for (size_t i = 0; i < n; i++) {
		const struct dump_key *k = &keys[i];

		if (k->allowed)
			continue;
		r->keys++;
		if (!k->has_spki || (k->target && !k->target->from_dump))
			continue;
		r->targets[r->n_targets++] = (struct dump_target){ .algorithm = k->algorithm, .bits = k->bits, .n = k->n, .e = k->e,
			                                           .group = k->group, .point = k->point, .kid = "", .subject = "" };
		memcpy(r->targets[r->n_targets - 1].spki, k->spki, 32);
	}
	return true;
}

static int copy(struct redaction *r)
{
	uint8_t *p = dump_pages_new(PIECE);
	bool ok = p != NULL;

	for (uint64_t at = 0; at < r->im->size && ok;) {
		size_t want = r->im->size - at < PIECE ? (size_t)(r->im->size - at) : PIECE;
		size_t got = r->reader->read(r->reader, at, p, want);

		if (got != want) {
			dump_pages_free(p, PIECE);
			return refuse(r, EXIT_INPUT, "it changed while it was read");
		}
		(void)dump_cuts_apply(&r->cuts, at, p, got);
		ok = dump_writer_add(r->writer, p, got);
		at += got;
	}
	dump_pages_free(p, PIECE);
	return ok && dump_writer_sync(r->writer) ? EXIT_RAN : EXIT_INPUT;
}

/* The file as written, checked independently. */
static int check(struct redaction *r)
{
	char *path = (char *)(uintptr_t)dump_writer_path(r->writer);
	struct dump_input *in = dump_input_new(&path, 1);
	struct dump_options o = r->x->options;
	struct dump_reader *reader;
	const char *name;
	int status = EXIT_INPUT;

	o.targets = r->targets;
	o.n_targets = r->n_targets;
	o.understood = true; /* else work() had refused */
	if (!in || dump_input_next(in, &reader, &name) != 1)
		status = refuse(r, EXIT_INPUT, "the copy could not be read again");
	else if (reader->size != r->im->size)
		status = refuse(r, EXIT_INPUT, "the copy has another size");
	else if (!dump_clean(r->x, &o, r->traces, r->s, r->x->shapes, reader, r->out_path, NULL, &r->left))
		status = refuse(r, EXIT_INPUT, "out of memory");
	else if (r->left.damaged)
		status = refuse(r, EXIT_INPUT, r->left.first[0] ? r->left.first : "the copy could not be read whole");
	else if (r->left.first[0]) {
		cmd_error(&command_dump, "%s: the copy was not clean (%s); nothing was delivered", r->shown, r->left.first);
		status = EXIT_CRITICAL;
	} else
		status = EXIT_RAN;
	dump_input_free(in);
	return status;
}

/* What looks random goes too, where it can be distinguished. */
static bool erase_random(struct redaction *r)
{
	const uint64_t keys = r->cuts.bytes;

	if (r->x->erase == DUMP_ERASE_KEYS)
		return true;
	r->no_random = dump_random_refused(r->im);
	if (r->no_random)
		return r->x->erase != DUMP_ERASE_RANDOM;
	if (!dump_random_plan(r->im, r->x->options.threads, &r->cuts))
		return false;
	r->random = r->cuts.bytes - keys;
	return true;
}

static int work(struct redaction *r, struct dump_report *report, bool findings)
{
	struct stat before, after, out;
	double start = now();
	const char *name;
	int status;
	bool random;
	enum dump_packing packing;

	if (stat(r->in_path, &before) < 0 || !S_ISREG(before.st_mode))
		return refuse(r, EXIT_INPUT, "not a file that can be read twice");
	if (stat(r->out_path, &out) == 0) {
		if (out.st_dev == before.st_dev && out.st_ino == before.st_ino)
			return cmd_usage_error(&command_dump, "redact: OUT is IN; a dump is never redacted over itself");
		if (!S_ISREG(out.st_mode))
			return cmd_usage_error(&command_dump, "redact: '%s' is there and is no file", r->out_path);
	}
	r->in = dump_input_new((char **)(uintptr_t)&r->in_path, 1);
	if (!r->in || dump_input_next(r->in, &r->reader, &name) != 1)
		return refuse(r, EXIT_INPUT, "cannot be read");
	if (r->reader->size == 0)
		return refuse(r, EXIT_INPUT, "nothing to redact: there is no byte in it");
	packing = dump_packing_of(r->in_path, dump_input_plain(r->in));
	if (packing == DUMP_ARCHIVE)
		return refuse(r, EXIT_INPUT, "an archive; take the dump out of it first");
	r->im = dump_image_open(r->reader, r->shown);
	r->x->options.relations = r->x->residue != DUMP_RESIDUE_OFF;
	r->s = dump_scan_new(&r->x->options);
	if (!r->im || !r->s || !dump_scan_image(r->s, r->im))
		return refuse(r, EXIT_INPUT, "out of memory");
	if (!dump_counts(r->s)->bytes)
		return refuse(r, EXIT_INPUT, "there is no byte in it");
	r->scan_s = now() - start;
	start = now();
	r->format = r->im->format ? r->im->format->name : "raw";
	if (findings)
		dump_report_image(report, r->s, r->im);
	if (r->im->problems.n || r->im->n_holes || r->reader->broken) {
		char why[512];

		snprintf(why, sizeof(why), "%.*s", r->im->problems.n ? (int)strcspn(r->im->problems.p, "\n") : 0,
		         r->im->problems.n ? r->im->problems.p : "");
		return refuse(r, EXIT_INPUT, why[0] ? why : "it is not whole");
	}
	random = r->x->erase != DUMP_ERASE_KEYS && !dump_random_refused(r->im);
	if (dump_counts(r->s)->limits > (random ? dump_counts(r->s)->limits_random : 0)) {
		const bool helps = !random && !dump_random_refused(r->im) && dump_counts(r->s)->limits == dump_counts(r->s)->limits_random;
		char why[512];

		snprintf(why, sizeof(why), "not all was searched: %.*s%s", (int)strcspn(dump_limits_text(r->s), "\n"), dump_limits_text(r->s),
		         helps ? " (--erase random erases such bytes unsearched)" : "");
		return refuse(r, EXIT_INPUT, why);
	}
	if (dump_counts(r->s)->hits_refused)
		return refuse(r, EXIT_INPUT, "more places than can be kept");
	r->traces = dump_traces_of(r->s, r->im);
	if (!r->traces)
		return refuse(r, EXIT_INPUT, "more keys than can be swept, or out of memory");
	if (!make_targets(r) || !dump_cuts_plan(r->s, r->im, r->traces, r->x->shapes, &r->cuts) || !erase_random(r))
		return refuse(r, EXIT_INPUT, r->no_random ? r->no_random : "more places than can be erased, or out of memory");
	r->cuts.pattern = r->x->fill_pattern;
	r->plan_s = now() - start;
	start = now();
	if (r->cuts.over_structure) {
		char why[128];

		snprintf(why, sizeof(why), "a secret at %llu lies over a structure of the dump", (unsigned long long)r->cuts.structure_offset);
		return refuse(r, EXIT_INPUT, why);
	}
	r->writer = dump_writer_new(r->out_path, packing);
	if (!r->writer)
		return EXIT_INPUT;
	status = copy(r);
	r->copy_s = now() - start;
	start = now();
	if (status == EXIT_RAN && (stat(r->in_path, &after) < 0 || after.st_size != before.st_size || after.st_ino != before.st_ino ||
	                           after.st_mtim.tv_sec != before.st_mtim.tv_sec || after.st_mtim.tv_nsec != before.st_mtim.tv_nsec))
		status = refuse(r, EXIT_INPUT, "it changed while it was read");
	if (status == EXIT_RAN)
		status = check(r);
	r->check_s = now() - start;
	if (status == EXIT_RAN) {
		struct dump_ledger_line line = { "redact", r->format, "clean", EXIT_RAN };

		if (r->x->ledger_path && !dump_ledger_add(r->x, dump_writer_path(r->writer), &line))
			return EXIT_INPUT;
		status = dump_writer_deliver(r->writer) ? EXIT_RAN : EXIT_INPUT;
	}
	return status;
}

static void tell(const struct redaction *r, struct dump_report *report, int status, double wall_s)
{
	struct buf *b = report->out;
	const bool done = status == EXIT_RAN;

	if (strcmp(r->x->format, "ndjson") == 0) {
		buf_add_cstr(b, "{\"type\":\"redaction\",\"file\":");
		buf_add_json(b, str_of(r->shown));
		buf_add_cstr(b, ",\"output\":");
		buf_add_json(b, str_of(r->out_path));
		buf_printf(b, ",\"keys\":%zu,\"traces\":%llu,\"bytes_erased\":%llu,\"bytes_random\":%llu,\"left\":%llu,"
		              "\"residue_windows\":%llu,\"residue_bulk\":%llu,\"residue_bulk_others\":%llu,\"residue\":%llu,"
		              "\"delivered\":%s,\"status\":%d,\"seconds\":{\"scan\":%.3f,\"plan\":%.3f,\"copy\":%.3f,\"check\":%.3f},\"wall_s\":%.3f" SCHEMA_MEMBER "}\n",
		           r->keys, (unsigned long long)r->cuts.traces, (unsigned long long)r->cuts.bytes,
		           (unsigned long long)r->random, (unsigned long long)r->left.hits + r->left.traces, (unsigned long long)r->left.residue.windows,
		           (unsigned long long)r->left.residue.bulk, (unsigned long long)r->left.residue.bulk_others,
		           (unsigned long long)r->left.residue.found, done ? "true" : "false", status, r->scan_s, r->plan_s, r->copy_s,
		           r->check_s, wall_s);
		return;
	}
	if (!done)
		return;
	buf_printf(b, "%zu key%s: %llu bytes erased in %zu pieces; ", r->keys, r->keys == 1 ? "" : "s", (unsigned long long)r->cuts.bytes,
	           r->cuts.n_zero + r->cuts.n_text);
	if (r->random)
		buf_printf(b, "%llu of them looked random; ", (unsigned long long)r->random);
	if (r->no_random)
		buf_printf(b, "nothing was erased for looking random: %s; ", r->no_random);
	buf_add_terminal(b, str_of(r->out_path), 0);
	buf_add_cstr(b, " was read again and is clean");
	if (r->x->residue == DUMP_RESIDUE_OFF)
		buf_add_cstr(b, " (residue test: off)");
	else if (r->left.residue_moduli || r->left.curve_keys)
		buf_printf(b, " (residue test: %zu RSA keys in %llu windows, %zu elliptic keys in %llu)", r->left.residue_moduli,
		           (unsigned long long)r->left.residue.windows, r->left.curve_keys, (unsigned long long)r->left.curve.windows);
	else
		buf_add_cstr(b, " (no public key is known, so the residue test had nothing to look for)");
	if (r->left.residue.bulk_others)
		buf_printf(b, "; %llu windows among random bytes were tested less, for keys that only the dump names",
		           (unsigned long long)r->left.residue.bulk_others);
	buf_add_cstr(b, ".\n");
}

int dump_redact_file(struct dump_settings *x, const char *in_path, const char *shown, const char *out_path, struct dump_report *report, bool findings)
{
	struct redaction r = { .x = x, .in_path = in_path, .shown = shown, .out_path = out_path };
	double start = now();
	int status = work(&r, report, findings);

	tell(&r, report, status, now() - start);
	dump_writer_free(r.writer);
	dump_cuts_release(&r.cuts);
	dump_traces_free(r.traces);
	free(r.targets);
	dump_scan_free(r.s);
	dump_image_free(r.im);
	dump_input_free(r.in);
	return status;
}

static int redact_run(struct dump_settings *x)
{
	struct dump_report report = { .format = x->format };
	struct output out;
	int status, closed;

	if (x->erase == DUMP_ERASE_DEFAULT)
		x->erase = DUMP_ERASE_KEYS;
	if (x->n_paths != 2 || !x->paths[0][0] || !x->paths[1][0])
		return cmd_usage_error(&command_dump, "redact: takes two names: IN OUT");
	if (strcmp(x->format, "sarif") == 0)
		return cmd_usage_error(&command_dump, "redact: writes text or ndjson");
	closed = output_open(&out, &command_dump, x->output_path);
	if (closed != EXIT_RAN)
		return closed;
	if (strcmp(x->format, "text") == 0)
		output_for_people(&out);
	report.out = &out.out.pending;
	report.color = out.out.color;
	dump_report_begin(&report);
	status = dump_redact_file(x, x->paths[0], x->paths[0], x->paths[1], &report, true);
	closed = output_close(&out, &command_dump, true);
	buf_release(&report.text_tail);
	return status > closed ? status : closed;
}

const struct dump_action dump_action_redact = {
	.name = "redact",
	.arguments = "IN OUT",
	.doc = "Copy a dump without its keys, and prove that they are gone",
	.run = redact_run,
};
