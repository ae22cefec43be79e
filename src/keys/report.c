/* SPDX-License-Identifier: Apache-2.0 */
/* report: findings as text for people and as NDJSON for programs.  For people, equal findings are grouped: twelve keys
 * with the same fault are one paragraph with twelve lines, and the paragraph explains once why it matters and what clears it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/count.h"
#include "base/schema.h"
#include "keys/audit_int.h"

#define SHOWN 12         /* lines of one group; the rest is one line with a number */
#define SHOWN_INFO 3
#define COLUMNS 100

static const char *const colors[] = { "\033[36m", "\033[33m", "\033[1;31m" };

/* -- text -- */

/* words broken into lines, indented by `indent`; the cursor is there */
static void wrap(struct buf *b, const char *text, int indent)
{
	size_t column = (size_t)indent;
	bool start = true;

	while (*text) {
		const size_t n = strcspn(text, " ");
		if (!start && column + 1 + n > COLUMNS) {
			buf_printf(b, "\n%*s", indent, "");
			column = (size_t)indent;
			start = true;
		}
		if (!start) {
			buf_add_char(b, ' ');
			column++;
		}
		buf_add(b, text, n);
		column += n;
		start = false;
		text += n + (text[n] == ' ');
	}
	buf_add_char(b, '\n');
}

static void add_line(const struct audit *a, struct buf *b, const struct finding *f)
{
	char since[TIME_TEXT_SIZE] = "";

	if (f->since)
		day_text(f->since, since);
	buf_add_cstr(b, "    ");
	if (f->kid.n) {
		buf_add_terminal(b, f->kid, 44);
	} else if (f->has_spki) {
		char hex[KEY_HEX_SIZE];
		buf_printf(b, "SPKI %.16s...", key_hex(f->spki, 32, hex));
	} else {
		buf_add_cstr(b, f->key ? "a key without id" : "the set");
	}
	if (a->provider_count > 1 && f->set.n) {
		buf_add_cstr(b, " in ");
		buf_add_terminal(b, f->set, 60);
	}
	if (!f->listed)
		buf_add_cstr(b, ", no longer published");
	if (f->known)
		buf_add_cstr(b, ", still there");
	if (since[0])
		buf_printf(b, f->known ? " since %s" : ", since %s", since);
	buf_add_cstr(b, ": ");
	buf_add_terminal(b, f->text, 400);
	buf_add_char(b, '\n');
}

struct row { const struct finding *f; size_t place; };

/* by severity and code; within a group as audit_findings() has them */
static int compare_rows(const void *pa, const void *pb)
{
	const struct row *a = pa, *b = pb;
	int c = (int)b->f->severity - (int)a->f->severity;

	c = c ? c : (int)a->f->known - (int)b->f->known; /* new ones come first */
	c = c ? c : (int)a->f->code - (int)b->f->code;
	return c ? c : (a->place > b->place) - (a->place < b->place);
}

static void add_group(const struct audit *a, struct buf *b, const struct row *rows, size_t n, bool color)
{
	const enum finding_severity severity = rows->f->severity;
	const struct finding_row *form = &finding_rows[rows->f->code];
	const size_t shown = severity == SEVERITY_INFORMATION ? SHOWN_INFO : SHOWN;

	buf_printf(b, "%s%s%s  %s: %s", color ? colors[severity] : "", finding_severity_names[severity], color ? "\033[0m" : "",
		   form->code, form->title);
	if (n > 1)
		buf_printf(b, " (%zu)", n);
	buf_add_char(b, '\n');
	for (size_t i = 0; i < n && i < shown; i++)
		add_line(a, b, rows[i].f);
	if (n > shown)
		buf_printf(b, "    and %zu more: -f ndjson lists all\n", n - shown);
	if (severity != SEVERITY_INFORMATION && !rows->f->known) {
		buf_add_cstr(b, "    why:    ");
		wrap(b, form->why, 12);
		buf_add_cstr(b, "    clears: ");
		wrap(b, form->clears, 12);
	}
	buf_add_char(b, '\n');
}

/* -- what a history shows of a set, besides findings: how its keys come and go -- */

struct facts {
	uint32_t listed, flapped, absences, retired;
	int64_t longest_absence, retired_median; /* us */
};

static int compare_times(const void *pa, const void *pb)
{
	const int64_t a = *(const int64_t *)pa, b = *(const int64_t *)pb;

	return (a > b) - (a < b);
}

static struct facts facts_of(const struct audit *a, const struct history_provider *p)
{
	struct facts f = { 0 };
	int64_t *lives = malloc((p->key_count ? p->key_count : 1) * sizeof(*lives));

	for (uint32_t i = 0; i < p->key_count; i++) {
		const struct history_key *k = &a->keys[p->first_key + i];

		f.listed += !k->gone;
		f.flapped += k->absences > 0;
		f.absences += k->absences;
		if (k->longest_absence > f.longest_absence)
			f.longest_absence = k->longest_absence;
		if (!k->present && lives)
			lives[f.retired++] = k->last - k->first;
	}
	if (f.retired) {
		qsort(lives, f.retired, sizeof(*lives), compare_times);
		f.retired_median = f.retired % 2 ? lives[f.retired / 2] : (lives[f.retired / 2 - 1] + lives[f.retired / 2]) / 2;
	}
	free(lives);
	return f;
}

static void add_set(const struct audit *a, struct buf *b, const struct history_provider *p)
{
	const struct facts f = facts_of(a, p);
	char one[TIME_TEXT_SIZE], two[TIME_TEXT_SIZE];

	if (!p->dated || p->time_count < 2)
		return;
	buf_add_terminal(b, p->name, 60);
	buf_printf(b, ": %s in %s from %s to %s", COUNT(p->key_count, "key"), COUNT(p->time_count, "observation"), day_text(p->times[0], one),
		   day_text(p->times[p->time_count - 1], two));
	if (p->rotation)
		buf_printf(b, ", a new one every %.1f days", (double)p->rotation / (double)US_PER_DAY);
	if (f.retired)
		buf_printf(b, "; %u retired, listed for %.1f days (medians)", f.retired, (double)f.retired_median / (double)US_PER_DAY);
	if (f.absences)
		buf_printf(b, "; %s left and came back, %s, for up to %.1f hours", COUNT(f.flapped, "key"), COUNT(f.absences, "time"),
			   (double)f.longest_absence / (double)US_PER_HOUR);
	buf_add_char(b, '\n');
}

/* The limits of these inputs for RSA keys. */
static void add_untested(const struct audit *a, struct buf *b)
{
	uint32_t rsa = 0;

	for (uint32_t i = 0; i < a->distinct_count; i++)
		rsa += newest(a, &a->keys[a->distinct[i]])->kind == KEY_RSA;
	if (rsa && !a->blocklist_count)
		buf_add_cstr(b, "not looked for: compromised keys, such as Debian's of 2008; a block list is needed (--blocklist)\n");
	if (rsa == 1)
		buf_add_cstr(b, "not looked for: primes in common with other keys; a second RSA key is needed\n");
	if (a->counts.unsearched)
		buf_printf(b, "not looked for: small factors of %s, because of their number or length (--thorough)\n", COUNT(a->counts.unsearched, "RSA key"));
}

static void add_summary(const struct audit *a, struct buf *b, uint64_t lost)
{
	const struct audit_counts *c = &a->counts;
	char at[TIME_TEXT_SIZE];

	for (uint32_t i = 0; i < a->provider_count; i++)
		add_set(a, b, &a->providers[i]);
	buf_printf(b, "%s, %s, %s, %s listed at %s\n", COUNT(c->sets, "set"), COUNT(c->observations, "observation"),
		   COUNT(c->keys, "different key"), DIGITS(c->listed),
		   time_format(a->at, at));
	if (c->tokens)
		buf_printf(b, "%s, %s of keys in no set, %s unreadable\n", COUNT(c->tokens, "logged token"),
			   DIGITS(c->tokens_unknown_key), DIGITS(c->tokens_unreadable));
	buf_printf(b, "%s critical, %s, %s informational\n", DIGITS(c->findings[2]), COUNT(c->findings[1], "finding"),
		   DIGITS(c->findings[0]));
	add_untested(a, b);
	if (!c->findings[2] && !c->findings[1] && c->judged)
		buf_add_cstr(b, lost ? "nothing found in what could be read\n" : "nothing found\n");
	if (lost || c->refused)
		buf_printf(b, "NOT COMPLETE: inputs or lines unreadable: %s; findings or keys past a limit: %s\n", DIGITS(lost), DIGITS(c->refused));
}

void audit_add_no_keys(const struct audit *a, struct buf *b)
{
	const struct audit_counts *c = &a->counts;

	if (c->judged)
		return;
	if (c->keys)
		buf_printf(b, "NO KEY THAT CAN BE JUDGED: of %s none can be read or is of a kind that is judged here; nothing was audited.\n",
			   COUNT(c->keys, "entry"));
	else
		buf_add_cstr(b, "NO KEYS: nothing was audited.\n");
	for (size_t i = 0; i < a->note_count; i++) {
		const struct set_note *n = &a->notes[i];
		if (!n->jwks_uri)
			continue;
		buf_add_terminal(b, str_of(n->name), 60);
		buf_add_cstr(b, ": an OpenID discovery document has no keys; the key set is at ");
		buf_add_terminal(b, str_of(n->jwks_uri), 400);
		buf_add_cstr(b, ". Fetch that, and audit it.\n");
	}
	buf_add_char(b, '\n');
}

void audit_text(const struct audit *a, struct buf *ret, uint64_t lost, bool color)
{
	const size_t n = a->finding_count;
	struct row *rows = malloc((n ? n : 1) * sizeof(*rows));

	if (!rows) {
		ret->failed = true;
		return;
	}
	for (size_t i = 0; i < n; i++)
		rows[i] = (struct row){ a->findings[i], i };
	qsort(rows, n, sizeof(*rows), compare_rows);
	audit_add_no_keys(a, ret);
	for (size_t i = 0, to; i < n; i = to) {
		for (to = i + 1; to < n && rows[to].f->code == rows[i].f->code && rows[to].f->severity == rows[i].f->severity && rows[to].f->known == rows[i].f->known;)
			to++;
		add_group(a, ret, rows + i, to - i, color);
	}
	free(rows);
	add_summary(a, ret, lost);
}

/* -- NDJSON -- */

static void add_text(struct buf *b, const char *name, struct str s)
{
	buf_printf(b, ",\"%s\":", name);
	if (s.n)
		buf_add_json(b, s);
	else
		buf_add_cstr(b, "null");
}

static void add_time(struct buf *b, const char *name, int64_t us)
{
	char text[TIME_TEXT_SIZE];

	add_text(b, name, us ? str_of(time_format(us, text)) : STR_NONE);
}

static void add_set_ndjson(const struct audit *a, struct buf *b, const struct history_provider *p)
{
	const struct facts f = facts_of(a, p);

	buf_add_cstr(b, "{\"type\":\"set\"");
	add_text(b, "set", p->name);
	add_time(b, "first", p->dated && p->time_count ? p->times[0] : 0);
	add_time(b, "last", p->dated && p->time_count ? p->times[p->time_count - 1] : 0);
	buf_printf(b, ",\"observations\":%u,\"keys\":%u,\"listed\":%u,\"flapped\":%u,\"absences\":%u,\"longest_absence_s\":%" PRId64
		      ",\"retired\":%u,\"retired_median_s\":%" PRId64 ",\"rotation_s\":%" PRId64 "}\n", p->time_count, p->key_count, f.listed,
		   f.flapped, f.absences, f.longest_absence / US_PER_SECOND, f.retired, f.retired_median / US_PER_SECOND,
		   p->rotation / US_PER_SECOND);
}

void audit_ndjson(const struct audit *a, struct buf *ret, uint64_t lost)
{
	const struct audit_counts *c = &a->counts;
	const char *between = "";

	for (size_t i = 0; i < a->finding_count; i++) {
		const struct finding *f = a->findings[i];
		const struct finding_row *row = &finding_rows[f->code];
		char hex[KEY_HEX_SIZE];

		buf_printf(ret, "{\"type\":\"finding\",\"code\":\"%s\",\"severity\":\"%s\"", row->code,
			   finding_severity_names[f->severity]);
		add_text(ret, "kid", f->kid);
		add_text(ret, "set", f->set);
		add_text(ret, "spki", f->has_spki ? str_of(key_hex(f->spki, 32, hex)) : STR_NONE);
		add_time(ret, "since", f->since);
		add_text(ret, "text", f->text);
		add_text(ret, "title", str_of(row->title));
		add_text(ret, "why", str_of(row->why));
		add_text(ret, "clears", str_of(row->clears));
		buf_printf(ret, ",\"listed\":%s", f->listed ? "true" : "false");
		if (f->known)
			buf_add_cstr(ret, ",\"known\":true");
		if (f->key) {
			add_time(ret, "first_seen", f->key->first);
			add_time(ret, "last_seen", f->key->last);
		}
		buf_add_cstr(ret, "}\n");
	}
	for (uint32_t i = 0; i < a->provider_count; i++)
		add_set_ndjson(a, ret, &a->providers[i]);
	buf_add_cstr(ret, "{\"type\":\"summary\"");
	add_time(ret, "at", a->at);
	buf_printf(ret,
		   ",\"sets\":%" PRIu64 ",\"observations\":%" PRIu64 ",\"keys\":%" PRIu64 ",\"listed\":%" PRIu64 ",\"critical\":%" PRIu64
		   ",\"findings\":%" PRIu64 ",\"info\":%" PRIu64 ",\"refused\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"tokens\":%" PRIu64
		   ",\"tokens_unknown_key\":%" PRIu64 ",\"tokens_unreadable\":%" PRIu64 ",\"unsearched\":%" PRIu64 ",\"statuses\":[",
		   c->sets, c->observations, c->keys, c->listed, c->findings[2], c->findings[1], c->findings[0], c->refused, lost,
		   c->tokens, c->tokens_unknown_key, c->tokens_unreadable, c->unsearched);
	for (int status = 0; status <= 4; status++) {
		const bool applies = status == 4 ? c->findings[2] : status == 3 ? lost + c->refused + !c->judged : status == 1 ? c->findings[1]
				     : status == 0 ? audit_status(a, lost) == 0 : false;
		if (!applies)
			continue;
		buf_printf(ret, "%s%d", between, status);
		between = ",";
	}
	buf_add_cstr(ret, "]" SCHEMA_MEMBER "}\n");
}

/* -- the list of findings -- */

void audit_list(struct buf *ret, bool ndjson)
{
	for (size_t i = 0; i < FINDING_COUNT; i++) {
		const struct finding_row *row = &finding_rows[i];

		if (ndjson) {
			buf_printf(ret, "{\"type\":\"rule\",\"code\":\"%s\",\"severity\":\"%s\"", row->code,
				   finding_severity_names[row->severity]);
			add_text(ret, "title", str_of(row->title));
			add_text(ret, "why", str_of(row->why));
			add_text(ret, "clears", str_of(row->clears));
			buf_add_cstr(ret, SCHEMA_MEMBER "}\n");
			continue;
		}
		buf_printf(ret, "%s (%s): %s\n    why:    ", row->code, finding_severity_names[row->severity], row->title);
		wrap(ret, row->why, 12);
		buf_add_cstr(ret, "    clears: ");
		wrap(ret, row->clears, 12);
	}
}
