/* SPDX-License-Identifier: Apache-2.0 */
/* report: the account of a run, twice: as JSON (--stats, a contract with other tools) and as lines for people on
 * standard error.  It lists what was read, what was left out and why, so that a lost file is not taken for a quiet one. */
#include <inttypes.h>
#include <stdio.h>

#include "base/limits.h"
#include "base/schema.h"
#include "cmd/run.h"
#include "tenant.h"

#define NAMES_SHOWN 5 /* files, operations: in a list for people */

/* clients that read mail */
static uint64_t count_apps(const struct engine *e)
{
	uint64_t n = 0;

	for (size_t t = 0; t < engine_tenant_count(e); t++) {
		const struct world *w = engine_tenant(e, t)->world;
		for (uint32_t i = 0; i < w->client_count; i++)
			n += w->clients[i].records > 0;
		if (w->joint)
			break;
	}
	return n;
}

/* -- --stats -- */

static void number(struct buf *b, const char *key, uint64_t n)
{
	buf_printf(b, ",\"%s\":%" PRIu64, key, n);
}

static void flag(struct buf *b, const char *key, bool set)
{
	buf_printf(b, ",\"%s\":%s", key, set ? "true" : "false");
}

static void add_files(struct sink_out *o, const struct engine_report *e)
{
	struct buf *b = &o->pending;

	buf_add_cstr(b, ",\"files\":[");
	for (size_t i = 0; i < e->file_count && sink_out_step(o); i++) {
		const struct engine_file *f = &e->files[i];
		buf_add_cstr(b, i ? ",\n{\"path\":" : "\n{\"path\":");
		buf_add_json(b, str_of(f->path));
		buf_add_cstr(b, ",\"format\":");
		buf_add_json(b, str_of(f->format));
		number(b, "records", f->records);
		number(b, "rejects", f->rejects);
		number(b, "bytes", f->bytes);
		for (int n = 0; n < NOTE_COUNT; n++)
			if (f->notes[n] || n == NOTE_FOLDERS)
				number(b, note_rows[n].name, f->notes[n]);
		flag(b, "cut_short", f->broken);
		flag(b, "skipped", f->skipped);
		buf_add_char(b, '}');
	}
	buf_add_char(b, ']');
}

void report_stats(struct sink_out *o, const struct run *r)
{
	const struct engine_report *e = engine_report(r->engine);
	const struct world *w = engine_world(r->engine);
	struct buf *b = &o->pending;
	bool any = false;

	buf_printf(b, "{\"bytes\":%" PRIu64, e->bytes);
	number(b, "records", w->count.records);
	number(b, "mail_records", w->count.mail_records);
	number(b, "binds", w->count.binds);
	number(b, "syncs", w->count.syncs);
	number(b, "attachments", w->count.attachments);
	number(b, "items", w->count.items);
	number(b, "duplicates", e->duplicates);
	buf_add_cstr(b, ",\"rejects\":{");
	for (int i = 0; i < REJECT_COUNT; i++) {
		if (!e->rejects[i])
			continue;
		buf_printf(b, "%s\"%s\":%" PRIu64, any ? "," : "", reject_names[i], e->rejects[i]);
		any = true;
	}
	buf_add_char(b, '}');
	number(b, "signins", w->count.signins);
	number(b, "mailboxes", w->active_mailboxes);
	number(b, "apps", count_apps(r->engine));
	buf_add_cstr(b, ",\"first\":");
	json_time(b, w->first_us);
	buf_add_cstr(b, ",\"last\":");
	json_time(b, w->last_us);
	add_files(o, e);
	buf_printf(b, ",\"wall_s\":%.3f,\"cpu_s\":%.3f", e->wall_s, e->cpu_s);
	number(b, "max_rss_bytes", e->max_rss_bytes);
	/* beyond the contract */
	number(b, "bytes_on_disk", e->bytes_on_disk);
	number(b, "records_in", e->records_in);
	number(b, "conflicts", e->conflicts);
	number(b, "out_of_order", e->out_of_order);
	number(b, "outside_window", e->outside_window);
	number(b, "spilled_bytes", e->spilled_bytes);
	number(b, "names_refused", e->names_refused);
	number(b, "tenants", engine_tenant_count(r->engine));
	number(b, "tenants_refused", e->tenants_refused);
	if (r->settings.state_path) {
		buf_add_cstr(b, ",\"state\":{\"file\":");
		buf_add_json(b, str_of(r->settings.state_path));
		flag(b, "kept", r->kept);
		number(b, "days", e->state_days);
		number(b, "pending", e->state_pending);
		number(b, "late", e->state_late);
		number(b, "known", e->state_known);
		buf_add_char(b, '}');
	}
	flag(b, "incomplete", e->incomplete || r->failed);
	buf_add_cstr(b, SCHEMA_MEMBER "}\n");
}

/* -- for people -- */

static void add_counted(struct buf *b, uint64_t n, const char *one, const char *many)
{
	sink_add_count(b, n);
	buf_add_char(b, ' ');
	buf_add_cstr(b, n == 1 ? one : many);
}

static void add_bytes(struct buf *b, double n)
{
	static const char *const units[] = { "bytes", "kB", "MB", "GB", "TB" };
	size_t u = 0;

	for (; n >= 1000 && u < 4; u++)
		n /= 1000;
	buf_printf(b, u && n < 100 ? "%.1f %s" : "%.0f %s", n, units[u]);
}

static void tell_reading(struct buf *b, const struct engine_report *e)
{
	buf_add_cstr(b, "read         ");
	add_counted(b, e->file_count, "file", "files");
	buf_add_cstr(b, ", ");
	add_bytes(b, (double)e->bytes);
	buf_printf(b, ", %.2f s", e->wall_s);
	if (e->wall_s > 0) {
		buf_add_cstr(b, " (");
		add_bytes(b, (double)e->bytes / e->wall_s);
		buf_add_cstr(b, "/s, ");
		sink_add_count(b, (uint64_t)((double)e->records_in / e->wall_s));
		buf_add_cstr(b, " records/s)");
	}
	buf_add_cstr(b, ", peak memory ");
	add_bytes(b, (double)e->max_rss_bytes);
	buf_add_char(b, '\n');
}

/* "2 ndjson, 1 csv": formats in the order first seen */
static void tell_formats(struct buf *b, const struct engine_report *e)
{
	struct { const char *name; uint64_t n; } met[32];
	size_t kinds = 0;

	for (size_t i = 0; i < e->file_count; i++) {
		const char *name = e->files[i].format ? e->files[i].format : "unknown";
		size_t k = 0;
		while (k < kinds && strcmp(met[k].name, name) != 0)
			k++;
		if (k == sizeof(met) / sizeof(met[0]))
			continue;
		if (k == kinds) {
			met[k].name = name;
			met[k].n = 0;
			kinds++;
		}
		met[k].n++;
	}
	if (!kinds)
		return;
	buf_add_cstr(b, "formats      ");
	for (size_t k = 0; k < kinds; k++) {
		buf_add_cstr(b, k ? ", " : "");
		sink_add_count(b, met[k].n);
		buf_add_char(b, ' ');
		buf_add_cstr(b, met[k].name);
	}
	buf_add_char(b, '\n');
}

static void tell_records(struct buf *b, const struct engine_report *e, const struct world *w)
{
	buf_add_cstr(b, "records      ");
	sink_add_count(b, w->count.records);
	if (e->duplicates) {
		buf_add_cstr(b, "; ");
		add_counted(b, e->duplicates, "copy left out", "copies left out");
	}
	if (e->conflicts) {
		buf_add_cstr(b, ", of which ");
		sink_add_count(b, e->conflicts);
		buf_add_cstr(b, " differed from the one used");
	}
	if (e->out_of_order) {
		buf_add_cstr(b, "; ");
		sink_add_count(b, e->out_of_order);
		buf_add_cstr(b, " more than two days late in their file");
	}
	if (e->outside_window) {
		buf_add_cstr(b, "; ");
		sink_add_count(b, e->outside_window);
		buf_add_cstr(b, " outside --since and --until");
	}
	if (e->spilled_bytes) {
		buf_add_cstr(b, "; ");
		add_bytes(b, (double)e->spilled_bytes);
		buf_add_cstr(b, " sorted on disk");
	}
	buf_add_char(b, '\n');
}

static void tell_state(struct buf *b, const struct run *r)
{
	const struct engine_report *e = engine_report(r->engine);
	const struct world *w = engine_world(r->engine);
	char since[TIME_TEXT_SIZE];

	if (!r->settings.state_path)
		return;
	time_format(w->first_us, since);
	buf_add_cstr(b, "state        ");
	buf_add_terminal(b, str_of(r->settings.state_path), 0);
	buf_printf(b, r->kept ? "" : " (not changed by this run)");
	if (w->count.records)
		buf_printf(b, ", since %.10s", since);
	buf_add_cstr(b, ", ");
	add_counted(b, e->state_days, "day learnt", "days learnt");
	buf_add_cstr(b, ", ");
	add_counted(b, w->active_mailboxes, "mailbox", "mailboxes");
	if (e->state_pending) {
		buf_add_cstr(b, "; ");
		add_counted(b, e->state_pending, "record", "records");
		buf_add_cstr(b, " kept from earlier runs");
	}
	buf_add_char(b, '\n');
	if (!e->state_late && !e->state_known)
		return;
	buf_add_cstr(b, "left out     ");
	add_counted(b, e->state_known, "record", "records");
	buf_add_cstr(b, " learnt by earlier runs; ");
	sink_add_count(b, e->state_late);
	buf_add_cstr(b, " that came too late for what was learnt (or were learnt long ago)\n");
}

static void tell_operations(struct buf *b, const struct world *w)
{
	struct world_operation top[SUMMARY_OPERATIONS_MAX];
	size_t n = world_operations(w, top, SUMMARY_OPERATIONS_MAX), shown = 0;

	n = n < SUMMARY_OPERATIONS_MAX ? n : SUMMARY_OPERATIONS_MAX;
	for (; shown < n && shown < NAMES_SHOWN; shown++) {
		buf_add_cstr(b, shown ? ", " : "operations   ");
		buf_add_terminal(b, top[shown].name, 60);
		buf_add_char(b, ' ');
		sink_add_count(b, top[shown].count);
	}
	if (n > shown) {
		buf_add_cstr(b, ", and ");
		add_counted(b, n - shown, "other kind", "other kinds");
	}
	if (n)
		buf_add_char(b, '\n');
	if (!w->count.unknown_operations)
		return;
	buf_add_cstr(b, "unknown      ");
	add_counted(b, w->count.unknown_operations, "record", "records");
	buf_add_cstr(b, " of operations Taximeter has no meaning for, counted only: ");
	shown = 0;
	for (size_t i = 0; i < n; i++) {
		if (top[i].known)
			continue;
		if (shown == NAMES_SHOWN) {
			buf_add_cstr(b, ", ...");
			break;
		}
		buf_add_cstr(b, shown++ ? ", " : "");
		buf_add_terminal(b, top[i].name, 60);
	}
	buf_add_char(b, '\n');
}

static void tell_rejects(struct buf *b, const struct engine_report *e)
{
	for (int i = 0; i < REJECT_COUNT; i++) {
		if (!e->rejects[i])
			continue;
		buf_add_cstr(b, "rejected     ");
		add_counted(b, e->rejects[i], "record", "records");
		buf_printf(b, ": %s (%s)\n", reject_docs[i], reject_names[i]);
		for (int k = 0; k < REJECT_SAMPLES_MAX; k++) {
			const struct reject_sample *s = &e->samples[i][k];
			if (!s->text)
				continue;
			buf_add_cstr(b, "             ");
			if (s->file < e->file_count)
				buf_add_terminal(b, str_of(e->files[s->file].path), 0);
			buf_printf(b, ", byte %" PRIu64 ": ", s->offset);
			buf_add_terminal(b, str_of(s->text), REJECT_SAMPLE_BYTES);
			buf_add_char(b, '\n');
		}
	}
}

/* A line for each note: how many records, and the first few files. */
static void tell_notes(struct buf *b, const struct engine_report *e)
{
	for (int n = 0; n < NOTE_COUNT; n++) {
		unsigned shown = 0;

		if (!e->notes[n] || n == NOTE_PARTIAL) /* which has its own sentences */
			continue;
		buf_add_cstr(b, note_rows[n].incomplete ? "not whole    " : "noted        ");
		add_counted(b, e->notes[n], "record", "records");
		buf_printf(b, ": %s (%s): ", note_rows[n].doc, note_rows[n].name);
		for (size_t i = 0; i < e->file_count && shown <= NAMES_SHOWN; i++) {
			if (!e->files[i].notes[n])
				continue;
			buf_add_cstr(b, shown ? ", " : "");
			if (shown++ == NAMES_SHOWN)
				buf_add_cstr(b, "...");
			else
				buf_add_terminal(b, str_of(e->files[i].path), 0);
		}
		buf_add_char(b, '\n');
	}
}

/* One line on the files of which `is` holds, naming the first few. */
static void tell_files(struct buf *b, const struct engine_report *e, const char *label,
		       bool (*is)(const struct engine_file *f), const char *doc)
{
	uint64_t n = 0;

	for (size_t i = 0; i < e->file_count; i++)
		n += is(&e->files[i]);
	if (!n)
		return;
	buf_printf(b, "%-12s ", label);
	add_counted(b, n, "file", "files");
	buf_printf(b, " %s: ", doc);
	n = 0;
	for (size_t i = 0; i < e->file_count; i++) {
		if (!is(&e->files[i]))
			continue;
		if (n == NAMES_SHOWN) {
			buf_add_cstr(b, ", ...");
			break;
		}
		buf_add_cstr(b, n++ ? ", " : "");
		buf_add_terminal(b, str_of(e->files[i].path), 0);
	}
	buf_add_char(b, '\n');
}

static void tell_tenants(struct buf *b, const struct run *r)
{
	const struct engine_report *e = engine_report(r->engine);

	if (engine_tenant_count(r->engine) > 1) {
		buf_printf(b, "tenants      %zu: ", engine_tenant_count(r->engine));
		engine_add_tenants(r->engine, b);
		buf_add_char(b, '\n');
	}
	if (e->tenants_refused) {
		buf_add_cstr(b, "left out     ");
		add_counted(b, e->tenants_refused, "record", "records");
		buf_printf(b, " of tenants past the first %d: give each tenant a run of its own\n", TENANTS_MAX);
	}
}

static bool is_cut_short(const struct engine_file *f) { return f->broken; }
static bool is_skipped(const struct engine_file *f) { return f->skipped; }

void report_tell(struct buf *b, const struct run *r)
{
	const struct engine_report *e = engine_report(r->engine);
	const struct world *w = engine_world(r->engine);

	tell_reading(b, e);
	tell_formats(b, e);
	tell_records(b, e, w);
	tell_tenants(b, r);
	tell_state(b, r);
	tell_operations(b, w);
	tell_rejects(b, e);
	tell_notes(b, e);
	tell_files(b, e, "cut short", is_cut_short, "unreadable, or ended before the end");
	tell_files(b, e, "skipped", is_skipped, "that Taximeter does not read");
	if (e->names_refused) {
		buf_add_cstr(b, "full         ");
		add_counted(b, e->names_refused, "name was", "names were");
		buf_add_cstr(b, " not kept: more distinct texts than there is room for\n");
	}
	if (e->incomplete || r->failed)
		buf_add_cstr(b, "incomplete   some input was lost: the results hold for the rest (exit status 3)\n");
}
