/* SPDX-License-Identifier: Apache-2.0 */
/* timeline: the report as one page that needs nothing else: a picture of every key's life, and the findings below it.
 *
 * One row is one key.  The thick bar is when it was listed, the thin line under it is its certificate, the bracket below it what
 * the policy allows.  A bar turns red where the certificate had ended, and amber where the key was older than 90 days: the
 * eye finds the stolen key before any reading.
 *
 * All untrusted text goes through add_text(), which leaves no control character and none of & < > " ' as they are; there
 * is no script in the page, and its policy forbids any. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/count.h"
#include "keys/audit_int.h"

#define ROWS_MAX 400       /* keys drawn of one set */
#define LINES_MAX 200      /* of one group of findings */
#define WIDTH 1000         /* units of the picture; it is scaled to the page */
#define LABEL 204
#define RIGHT 14
#define TOP 26
#define ROW 17
#define AGE_US (90 * US_PER_DAY)

/* -- text -- */

static void add_text(struct buf *b, struct str s, size_t max_columns)
{
	struct buf plain;

	buf_init(&plain, KEYS_FINDING_TEXT_MAX);
	buf_add_terminal(&plain, s, max_columns);
	for (size_t i = 0; i < plain.n; i++) {
		switch (plain.p[i]) {
		case '&': buf_add_cstr(b, "&amp;"); break;
		case '<': buf_add_cstr(b, "&lt;"); break;
		case '>': buf_add_cstr(b, "&gt;"); break;
		case '"': buf_add_cstr(b, "&quot;"); break;
		case '\'': buf_add_cstr(b, "&#39;"); break;
		default: buf_add_char(b, plain.p[i]);
		}
	}
	buf_release(&plain);
}

static void add_cstr(struct buf *b, const char *s) { add_text(b, str_of(s), 0); }

static const char style[] =
	":root{--bg:#fcfcfb;--ink:#1c1b19;--soft:#6b6862;--line:#dedbd4;--card:#fff;--cert:#c9c5bc;--ent:#3a6fb0;--con:#2a8c7d;"
	"--none:#8a867e;--old:#c98a12;--bad:#c8372d;--pol:#8a4fb3;--info:#5b7d96}"
	"@media(prefers-color-scheme:dark){:root{--bg:#161614;--ink:#eceae5;--soft:#a19d94;--line:#383632;--card:#1f1e1c;--cert:#55524c;"
	"--ent:#7aaae6;--con:#5cc4b3;--none:#a39f97;--old:#e0aa3e;--bad:#f0685c;--pol:#c49ae6;--info:#93b4cb}}"
	"*{box-sizing:border-box}body{margin:0 auto;max-width:72rem;padding:1.5rem 1.25rem 3rem;background:var(--bg);color:var(--ink);"
	"font:15px/1.5 system-ui,sans-serif}h1{font-size:1.6rem;margin:0}h2{font-size:1.15rem;margin:2.2rem 0 .4rem;overflow-wrap:anywhere}"
	"h3{font-size:1rem;margin:0;font-weight:600}p{margin:.3rem 0}.soft{color:var(--soft)}code,.mono{font-family:ui-monospace,monospace;"
	"font-size:.86em}.chips{display:flex;flex-wrap:wrap;gap:.5rem;margin:.8rem 0}.chip{border:1px solid var(--line);border-radius:99px;"
	"padding:.1rem .8rem;background:var(--card)}.chip b{font-variant-numeric:tabular-nums}.critical b,.critical h3 span{color:var(--bad)}"
	".finding b,.finding h3 span{color:var(--old)}.info b,.info h3 span{color:var(--info)}.scroll{overflow-x:auto}"
	"svg{display:block;width:100%;min-width:640px;height:auto}svg text{fill:var(--soft);font:11px system-ui,sans-serif}"
	"svg .kid{fill:var(--ink);font:11px ui-monospace,monospace}svg .grid{stroke:var(--line);stroke-width:1}"
	"svg .now{stroke:var(--soft);stroke-width:1;stroke-dasharray:3 3}svg .cert{fill:var(--cert)}svg .pol{fill:none;stroke:var(--pol);"
	"stroke-width:1.4}svg .ent{fill:var(--ent)}svg .con{fill:var(--con)}svg .none{fill:var(--none)}svg .old{fill:var(--old)}"
	"svg .blind{fill:var(--line);opacity:.35}svg .bad,svg text.ended{fill:var(--bad)}svg g.row:hover .hit{fill:var(--line);opacity:.5}svg .hit{fill:transparent}"
	".legend{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;margin:.4rem 0;font-size:.85rem;color:var(--soft)}"
	".legend i{display:inline-block;width:1.5rem;height:.55rem;border-radius:2px;margin-right:.4rem;vertical-align:baseline}"
	".card{border:1px solid var(--line);border-left:4px solid var(--line);border-radius:6px;background:var(--card);padding:.8rem 1rem;"
	"margin:.7rem 0}.card.critical{border-left-color:var(--bad)}.card.finding{border-left-color:var(--old)}"
	".card.info{border-left-color:var(--info)}table{border-collapse:collapse;width:100%;margin-top:.5rem;font-size:.88rem}"
	"th{text-align:left;font-weight:500;color:var(--soft)}th,td{padding:.2rem .8rem .2rem 0;vertical-align:top;border-top:1px solid var(--line)}"
	"td{overflow-wrap:anywhere}td.mono{min-width:14.5rem}td.day{white-space:nowrap;font-variant-numeric:tabular-nums}"
	"summary{cursor:pointer;color:var(--soft)}.lost{border:1px solid var(--bad);border-radius:6px;padding:.5rem 1rem;margin:.8rem 0}"
	"@media(max-width:40rem){body{padding:1rem .8rem}td.mono{min-width:0}td,th{display:block;border-top:0;padding:.05rem 0}"
	"tr{display:block;border-top:1px solid var(--line);padding:.35rem 0}thead{display:none}}"
	"@media print{body{max-width:none;padding:0;background:#fff}.card{break-inside:avoid}svg{min-width:0}}";

/* -- the picture -- */

struct axis { int64_t from, to, gap; /* a longer time without a look is not drawn as one */ };

static double x_of(const struct axis *x, int64_t t)
{
	t = t < x->from ? x->from : t > x->to ? x->to : t;
	return LABEL + (double)(t - x->from) / (double)(x->to - x->from) * (WIDTH - LABEL - RIGHT);
}

static void add_bar(struct buf *b, const struct axis *x, const char *class, int64_t from, int64_t to, double y, double height)
{
	double left = x_of(x, from), width = x_of(x, to) - left;

	if (to < x->from || from > x->to || to < from)
		return;
	if (from == to) { /* seen once: a mark */
		left -= 3.5;
		width = 7;
	}
	buf_printf(b, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"1.5\"/>", class, left, y,
		   width < 2.5 ? 2.5 : width, height);
}

static int compare_times(const void *pa, const void *pb)
{
	const int64_t a = *(const int64_t *)pa, b = *(const int64_t *)pb;

	return (a > b) - (a < b);
}

/* The longest time between two looks through which a bar is drawn: three days, or twice the usual time between two. */
static int64_t longest_step(const struct audit *a, const struct history_provider *p)
{
	int64_t *steps, usual = 0;

	if (history_on_change(a->history) || p->time_count < 2)
		return INT64_MAX;
	steps = malloc(p->time_count * sizeof(*steps));
	if (steps) {
		for (uint32_t i = 1; i < p->time_count; i++)
			steps[i - 1] = p->times[i] - p->times[i - 1];
		qsort(steps, p->time_count - 1, sizeof(*steps), compare_times);
		usual = steps[(p->time_count - 2) / 2];
		free(steps);
	}
	return 2 * usual > HISTORY_HYSTERESIS_US ? 2 * usual : HISTORY_HYSTERESIS_US;
}

/* From the oldest relevant time to the time of the audit; a certificate that runs for years to come is cut.  Where
 * there is a history, one old certificate must not squeeze it into a corner: what is further back than a part of the history
 * is given in words (add_past). */
static struct axis axis_of(const struct audit *a, const struct history_provider *p)
{
	struct axis x = { a->at, a->at, INT64_MAX };
	const int64_t seen = p->dated && p->time_count > 1 ? p->times[p->time_count - 1] - p->times[0] : 0;
	const int64_t before = seen / 3 > 100 * US_PER_DAY ? seen / 3 : 100 * US_PER_DAY;

	for (uint32_t i = 0; i < p->key_count; i++) {
		const struct history_key *k = &a->keys[p->first_key + i];
		const struct key_cert *c = &newest(a, k)->cert;
		const int64_t start = c->present && c->dates_known && c->not_before_us < k->first ? c->not_before_us : k->first;

		x.from = start < x.from ? start : x.from;
	}
	if (seen && x.from < p->times[0] - before)
		x.from = p->times[0] - before;
	if (x.to - x.from < 30 * US_PER_DAY)
		x.from = x.to - 30 * US_PER_DAY;
	x.gap = longest_step(a, p);
	x.to += (x.to - x.from) / (seen ? 40 : 6); /* a single observation: the rest of the certificate's life is shown too */
	return x;
}

/* a certificate, or its beginning, that is left of the picture */
static void add_past(struct buf *b, const struct axis *x, const struct key_cert *c, double y)
{
	char one[TIME_TEXT_SIZE], two[TIME_TEXT_SIZE];

	if (c->not_after_us < x->from)
		buf_printf(b, "<text class=\"ended\" x=\"%d\" y=\"%.1f\">◂ certificate %s to %s</text>", LABEL + 2, y + 12,
			   day_text(c->not_before_us, one), day_text(c->not_after_us, two));
	else if (c->not_before_us < x->from)
		buf_printf(b, "<text x=\"%d\" y=\"%.1f\">◂ %s</text>", LABEL + 2, y + 6, day_text(c->not_before_us, one));
}

static void add_tick(struct buf *b, const struct axis *x, int64_t t, double bottom, const char *text)
{
	const double at = x_of(x, t);

	buf_printf(b, "<line class=\"grid\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%.1f\"/>", at, TOP - 4, at, bottom);
	if (at < WIDTH - RIGHT - 30)
		buf_printf(b, "<text x=\"%.1f\" y=\"%d\">%s</text>", at + 3, TOP - 8, text);
}

static void add_grid(struct buf *b, const struct axis *x, double bottom)
{
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	const int64_t range = x->to - x->from;
	const int step = range > 3000 * US_PER_DAY ? 24 : range > 1100 * US_PER_DAY ? 12 : range > 400 * US_PER_DAY ? 3 : 1;
	char text[TIME_TEXT_SIZE];
	int year, month;

	time_format(x->from, text);
	year = (text[0] - '0') * 1000 + (text[1] - '0') * 100 + (text[2] - '0') * 10 + (text[3] - '0');
	month = step >= 12 ? 0 : ((text[5] - '0') * 10 + (text[6] - '0') - 1) / step * step;
	for (int n = 0; n < 400; n++, month += step) {
		int64_t t;

		year += month / 12;
		month %= 12;
		t = days_from_civil(year, (unsigned)month + 1, 1) * US_PER_DAY;
		if (t > x->to)
			break;
		if (t < x->from)
			continue;
		if (step >= 12)
			snprintf(text, sizeof(text), "%d", year);
		else
			snprintf(text, sizeof(text), month == 0 || n <= 1 ? "%s %d" : "%s", months[month], year);
		add_tick(b, x, t, bottom, text);
	}
}

static const char *class_of(const struct key *k)
{
	return !k->issuer.n ? "none" : issuer_is_consumer(k->issuer) ? "con" : "ent";
}

static void add_title(const struct audit *a, struct buf *b, const struct history_key *k)
{
	const struct key *key = newest(a, k);
	char hex[KEY_HEX_SIZE], one[TIME_TEXT_SIZE], two[TIME_TEXT_SIZE];

	buf_add_cstr(b, "<title>");
	add_text(b, key->kid.n ? key->kid : STR("(no key id)"), 100);
	buf_printf(b, "\nSPKI %s\nlisted %s to %s", key->has_spki ? key_hex(key->spki_sha256, 32, hex) : "unreadable", day_text(k->first, one),
		   day_text(k->last, two));
	if (k->absences)
		buf_printf(b, ", away %u time%s", k->absences, k->absences == 1 ? "" : "s");
	if (key->issuer.n) {
		buf_add_cstr(b, "\nissuer ");
		add_text(b, key->issuer, 120);
	}
	if (key->cert.present && key->cert.dates_known) {
		buf_printf(b, "\ncertificate %s to %s: ", day_text(key->cert.not_before_us, one), day_text(key->cert.not_after_us, two));
		add_text(b, key->cert.subject, 120);
	}
	buf_add_cstr(b, "</title>");
}

/* the window that the policy leaves the key, as a bracket below its bar */
static void add_policy(const struct audit *a, struct buf *b, const struct axis *x, const struct history_key *k, int64_t start, double y)
{
	const struct audit_record *r;
	size_t from = 0;

	while ((r = audit_record_of(a, k->id, &from))) {
		int64_t begin = r->not_before > start ? r->not_before : start, end = r->max_age ? start + r->max_age : x->to + 1;

		if (r->not_after && r->not_after < end)
			end = r->not_after;
		if (end < x->from || begin > x->to || end < begin)
			continue;
		buf_printf(b, "<path class=\"pol\" d=\"M%.1f %.1fv4H%.1f%s\"/>", x_of(x, begin), y, x_of(x, end), end <= x->to ? "v-4" : "");
	}
}

/* One run of a key, as far as it was observed: red where its certificate had ended, amber where it was old. */
static void add_seen(struct buf *b, const struct axis *x, const char *class, int64_t from, int64_t to, int64_t old, int64_t end, double y)
{
	add_bar(b, x, class, from, to, y + 4, 9);
	if (to > old)
		add_bar(b, x, "old", from > old ? from : old, to, y + 4, 9);
	if (to > end)
		add_bar(b, x, "bad", from > end ? from : end, to, y + 4, 9);
}

static void add_row(const struct audit *a, struct buf *b, const struct axis *x, const struct history_key *k, double y)
{
	const struct key *key = newest(a, k);
	const struct key_cert *c = &key->cert;
	const bool dates = c->present && c->dates_known;
	const int64_t start = dates && c->not_before_us < k->first ? c->not_before_us : k->first;
	const char *class = class_of(key);
	const struct history_provider *p = &a->providers[k->provider];
	const bool holds = history_on_change(a->history);

	buf_add_cstr(b, "<g class=\"row\">");
	add_title(a, b, k);
	buf_printf(b, "<rect class=\"hit\" x=\"0\" y=\"%.1f\" width=\"%d\" height=\"%d\"/><text class=\"kid\" x=\"2\" y=\"%.1f\">", y, WIDTH, ROW,
		   y + 12);
	add_text(b, key->kid.n ? key->kid : STR("(no key id)"), 29);
	buf_add_cstr(b, "</text>");
	if (dates) {
		add_bar(b, x, "cert", c->not_before_us, c->not_after_us, y + 7, 3);
		add_past(b, x, c, y);
	}
	for (uint32_t i = 0; i < k->run_count; i++) {
		const struct history_run *r = &k->runs[i];
		int64_t from = r->first, to = r->missing && holds ? r->missing : r->last;
		const int64_t end = dates ? c->not_after_us : INT64_MAX;

		if (!r->missing && (holds || a->undated))
			to = a->at;
		for (uint32_t t = 1; t < p->time_count && p->times[t] <= r->last; t++)
			if (p->times[t - 1] >= from && p->times[t] - p->times[t - 1] > x->gap) { /* no observation in between */
				add_seen(b, x, class, from, p->times[t - 1], start + AGE_US, end, y);
				from = p->times[t];
			}
		add_seen(b, x, class, from, to, start + AGE_US, end, y);
	}
	add_policy(a, b, x, k, start, y + 11);
	buf_add_cstr(b, "</g>\n");
}

/* Columns without an observation, drawn below all rows. */
static void add_gaps(struct buf *b, const struct axis *x, const struct history_provider *p, double bottom)
{
	char one[TIME_TEXT_SIZE], two[TIME_TEXT_SIZE];

	for (uint32_t t = 1; t < p->time_count; t++) {
		const double left = x_of(x, p->times[t - 1]), right = x_of(x, p->times[t]);
		if (p->times[t] - p->times[t - 1] <= x->gap || right - left < 3)
			continue;
		buf_printf(b, "<g><title>not observed from %s to %s</title><rect class=\"blind\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%.1f\"/>", day_text(p->times[t - 1], one),
			   day_text(p->times[t], two), left, TOP - 4, right - left, bottom - TOP + 4);
		if (right - left > 90)
			buf_printf(b, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">not observed</text>", (left + right) / 2, bottom - 3);
		buf_add_cstr(b, "</g>\n");
	}
}

static void add_picture(const struct audit *a, struct buf *b, const struct history_provider *p)
{
	const struct axis x = axis_of(a, p);
	const uint32_t rows = p->key_count < ROWS_MAX ? p->key_count : ROWS_MAX;
	const double bottom = TOP + (double)rows * ROW + 4;

	buf_printf(b, "<div class=\"scroll\"><svg viewBox=\"0 0 %d %.0f\" role=\"img\" aria-label=\"Lives of the keys\">\n", WIDTH, bottom + 4);
	add_grid(b, &x, bottom);
	add_gaps(b, &x, p, bottom);
	for (uint32_t i = 0; i < rows; i++)
		add_row(a, b, &x, &a->keys[p->first_key + i], TOP + (double)i * ROW);
	buf_printf(b, "<line class=\"now\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%.1f\"/></svg></div>\n", x_of(&x, a->at), TOP - 4, x_of(&x, a->at),
		   bottom);
	if (rows < p->key_count)
		buf_printf(b, "<p class=\"soft\">and %s not drawn</p>\n", COUNT(p->key_count - rows, "key"));
}

static void add_legend(const struct audit *a, struct buf *b)
{
	buf_add_cstr(b, "<div class=\"legend\"><span><i style=\"background:var(--ent)\"></i>listed, with an issuer</span>"
			"<span><i style=\"background:var(--con)\"></i>listed, issuer is the consumer tenant</span>"
			"<span><i style=\"background:var(--none)\"></i>listed, no issuer</span>"
			"<span><i style=\"background:var(--old)\"></i>older than 90 days</span>"
			"<span><i style=\"background:var(--bad)\"></i>certificate ended</span>"
			"<span><i style=\"background:var(--cert);height:.2rem\"></i>certificate</span>");
	if (!history_on_change(a->history))
		buf_add_cstr(b, "<span><i style=\"background:var(--line);opacity:.6;height:.9rem\"></i>not observed</span>");
	if (a->settings.record_count)
		buf_add_cstr(b, "<span><i style=\"border:1.5px solid var(--pol);border-top:0;height:.3rem\"></i>what the policy allows</span>");
	buf_add_cstr(b, "</div>\n");
}

static void add_set(const struct audit *a, struct buf *b, uint32_t provider)
{
	const struct history_provider *p = &a->providers[provider];
	char one[TIME_TEXT_SIZE], two[TIME_TEXT_SIZE];
	uint32_t listed = 0;

	for (uint32_t i = 0; i < p->key_count; i++)
		listed += !a->keys[p->first_key + i].gone;
	buf_add_cstr(b, "<h2>");
	add_text(b, p->name, 120);
	buf_printf(b, "</h2>\n<p class=\"soft\">%u key%s, %u listed", p->key_count, p->key_count == 1 ? "" : "s", listed);
	if (p->dated && p->time_count)
		buf_printf(b, "; %u observation%s, %s to %s", p->time_count, p->time_count == 1 ? "" : "s", day_text(p->times[0], one),
			   day_text(p->times[p->time_count - 1], two));
	if (p->rotation)
		buf_printf(b, "; a new key every %.1f days (median)", (double)p->rotation / (double)US_PER_DAY);
	buf_add_cstr(b, "</p>\n");
	if (p->key_count)
		add_picture(a, b, p);
}

/* -- findings -- */

static void add_line(const struct audit *a, struct buf *b, const struct finding *f)
{
	char hex[KEY_HEX_SIZE], since[TIME_TEXT_SIZE];

	buf_add_cstr(b, "<tr><td class=\"mono\">");
	if (f->kid.n)
		add_text(b, f->kid, 80);
	else if (f->has_spki)
		buf_printf(b, "SPKI %.16s…", key_hex(f->spki, 32, hex));
	else
		buf_add_cstr(b, f->key ? "a key without id" : "the set");
	if (!f->listed)
		buf_add_cstr(b, "<div class=\"soft\">no longer published</div>");
	if (a->provider_count > 1) {
		buf_add_cstr(b, "</td><td>");
		add_text(b, f->set, 80);
	}
	buf_printf(b, "</td><td class=\"day\">%s</td><td>", f->since ? day_text(f->since, since) : "");
	add_text(b, f->text, 400);
	buf_add_cstr(b, "</td></tr>\n");
}

/* The findings of one severity and code; they are not adjacent in the list, which is sorted by set. */
static void add_group(const struct audit *a, struct buf *b, enum finding_severity severity, enum finding_code code)
{
	const struct finding_row *row = &finding_rows[code];
	const char *name = finding_severity_names[severity];
	size_t n = 0, shown = 0;

	for (size_t i = 0; i < a->finding_count; i++)
		n += a->findings[i]->severity == severity && a->findings[i]->code == code;
	if (!n)
		return;
	buf_printf(b, "<section class=\"card %s\"><h3><span>%s</span> · %s", name, row->code, row->title);
	if (n > 1)
		buf_printf(b, " <span class=\"soft\">(%zu)</span>", n);
	buf_add_cstr(b, "</h3>\n<p>");
	add_cstr(b, row->why);
	buf_add_cstr(b, "</p>\n<p class=\"soft\">Clears: ");
	add_cstr(b, row->clears);
	buf_add_cstr(b, ".</p>\n");
	if (severity == SEVERITY_INFORMATION)
		buf_printf(b, "<details><summary>%zu for information</summary>", n);
	buf_printf(b, "<table><thead><tr><th>key</th>%s<th>since</th><th>evidence</th></tr></thead><tbody>\n",
		   a->provider_count > 1 ? "<th>set</th>" : "");
	for (size_t i = 0; i < a->finding_count && shown < LINES_MAX; i++)
		if (a->findings[i]->severity == severity && a->findings[i]->code == code) {
			add_line(a, b, a->findings[i]);
			shown++;
		}
	buf_add_cstr(b, "</tbody></table>\n");
	if (shown < n)
		buf_printf(b, "<p class=\"soft\">and %zu more; -f ndjson lists all</p>\n", n - shown);
	buf_add_cstr(b, severity == SEVERITY_INFORMATION ? "</details></section>\n" : "</section>\n");
}

static void add_head(const struct audit *a, struct buf *b, uint64_t lost)
{
	const struct audit_counts *c = &a->counts;
	char at[TIME_TEXT_SIZE];

	buf_add_cstr(b, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
			"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
			"<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\">"
			"<title>Keys under audit</title><style>");
	buf_add_cstr(b, style);
	buf_printf(b, "</style></head><body>\n<h1>Keys under audit</h1>\n<p class=\"soft\">Judged for %s: %" PRIu64 " set%s, %" PRIu64
		      " observation%s, %" PRIu64 " different key%s.</p>\n", time_format_minute(a->at, at), c->sets, c->sets == 1 ? "" : "s",
		   c->observations, c->observations == 1 ? "" : "s", c->keys, c->keys == 1 ? "" : "s");
	buf_printf(b, "<div class=\"chips\"><span class=\"chip critical\"><b>%" PRIu64 "</b> critical</span><span class=\"chip finding\"><b>%" PRIu64
		      "</b> %s</span><span class=\"chip info\"><b>%" PRIu64 "</b> informational</span></div>\n",
		   c->findings[SEVERITY_CRITICAL_FINDING], c->findings[SEVERITY_FINDING], c->findings[SEVERITY_FINDING] == 1 ? "finding" : "findings", c->findings[SEVERITY_INFORMATION]);
	if (lost || c->refused)
		buf_printf(b, "<p class=\"lost\">Not complete: %" PRIu64 " inputs or lines could not be read, %" PRIu64
			      " findings or keys are past a limit.</p>\n", lost, c->refused);
}

void audit_html(const struct audit *a, struct buf *ret, uint64_t lost)
{
	add_head(a, ret, lost);
	if (a->provider_count)
		add_legend(a, ret);
	for (uint32_t i = 0; i < a->provider_count; i++)
		add_set(a, ret, i);
	buf_add_cstr(ret, "<h2>Findings</h2>\n");
	if (!a->finding_count)
		buf_add_cstr(ret, lost ? "<p>None in what could be read.</p>\n" : "<p>None.</p>\n");
	for (int severity = SEVERITY_CRITICAL_FINDING; severity >= SEVERITY_INFORMATION; severity--)
		for (int code = 0; code < FINDING_COUNT; code++)
			add_group(a, ret, (enum finding_severity)severity, (enum finding_code)code);
	buf_add_cstr(ret, "<p class=\"soft\">Made by taximeter. Observations are not truth: keys that came and went between two of them are not in the picture.</p>\n"
			  "</body></html>\n");
}
