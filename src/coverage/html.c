/* SPDX-License-Identifier: Apache-2.0 */
/* html: see html.h.  A mailbox is a line: its name, which stays where it is when one scrolls, and a drawing of its days in
 * which equal neighbours are one rectangle.  Each rectangle has a title, so that a pointer or a screen reader
 * names it; the colours are never alone: sentences repeat them, worst first. */
#include "base/count.h"
#include "coverage/html.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/limits.h"
#include "base/timefmt.h"

#define ROW_HEIGHT 16
#define SENTENCES_MAX 300

static const char style[] =
	":root{--bg:#fff;--ink:#1b1d21;--soft:#5b6270;--line:#d9dde4;--card:#f5f6f8;"
	"--r1:#a8d5c5;--r2:#4fa58b;--r3:#1d6b55;--quiet:#e6e8ec;--silent:#f0a202;--throttled:#7b4bd1;--off:#c1121f;--bypassed:#e4572e;"
	"--narrowed:#b5497a;--unlicensed:#8a5a2b;--gap:#24272e;--outside:transparent}"
	"@media(prefers-color-scheme:dark){:root{--bg:#14161a;--ink:#e8eaee;--soft:#a2a9b6;--line:#343944;--card:#1d2026;"
	"--r1:#1f4a3f;--r2:#2f8069;--r3:#6fd0b1;--quiet:#2a2e36;--silent:#f5b433;--throttled:#a682f0;--off:#ff5a65;--bypassed:#ff8a5c;"
	"--narrowed:#e07fae;--unlicensed:#c08a54;--gap:#f2f3f5}}"
	"*{box-sizing:border-box}body{margin:0 auto;max-width:1180px;padding:24px 20px 60px;background:var(--bg);color:var(--ink);"
	"font:15px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}"
	"h1{font-size:1.6rem;line-height:1.2;margin:0 0 4px}h2{font-size:1.1rem;margin:34px 0 8px}p{margin:6px 0;max-width:76ch}"
	".soft{color:var(--soft)}"
	".figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:10px;margin:18px 0}"
	".figure{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:10px 12px}"
	".figure b{display:block;font-size:1.35rem;font-variant-numeric:tabular-nums}"
	".key{display:flex;flex-wrap:wrap;gap:4px 16px;padding:0;margin:8px 0 14px;list-style:none}"
	".key li{display:flex;align-items:center;gap:7px;font-size:.88rem}"
	".key i{width:14px;height:14px;border-radius:3px;border:1px solid var(--line);flex:none}"
	".map{overflow-x:auto;border:1px solid var(--line);border-radius:8px;padding:8px 0}"
	".row{display:flex;align-items:center;width:max-content;min-width:100%}"
	".who{position:sticky;left:0;background:var(--bg);width:230px;flex:none;padding:0 10px;white-space:nowrap;overflow:hidden;"
	"text-overflow:ellipsis;font-size:.82rem;line-height:18px}"
	".row svg{display:block;flex:none}svg text{fill:var(--soft);font-size:11px}"
	".r1{fill:var(--r1);background:var(--r1)}.r2{fill:var(--r2);background:var(--r2)}.r3{fill:var(--r3);background:var(--r3)}"
	".quiet{fill:var(--quiet);background:var(--quiet)}.silent{fill:var(--silent);background:var(--silent)}"
	".throttled{fill:var(--throttled);background:var(--throttled)}.off{fill:var(--off);background:var(--off)}"
	".bypassed{fill:var(--bypassed);background:var(--bypassed)}.narrowed{fill:var(--narrowed);background:var(--narrowed)}"
	".unlicensed{fill:var(--unlicensed);background:var(--unlicensed)}.gap{fill:var(--gap);background:var(--gap)}"
	".outside{fill:var(--bg);background:var(--bg)}"
	".tick{stroke:var(--line)}"
	"ol,ul.plain{padding-left:1.3em}ol li,ul.plain li{margin:5px 0;max-width:90ch;overflow-wrap:anywhere}"
	".tag{display:inline-block;min-width:6.2em;text-align:center;font-size:.75rem;border-radius:4px;padding:0 6px;margin-right:8px;"
	"border:1px solid var(--line);color:var(--ink);background:var(--card)}"
	"footer{margin-top:40px;border-top:1px solid var(--line);padding-top:10px;font-size:.85rem;color:var(--soft)}"
	"@media(max-width:640px){body{padding:16px 12px 40px;font-size:16px}.who{width:34vw;padding:0 6px}}"
	"@media print{body{max-width:none;padding:0;font-size:11px}.map{overflow:visible;border:0}.who{position:static;width:150px}"
	"*{-webkit-print-color-adjust:exact;print-color-adjust:exact}h2{break-after:avoid}li,.row,.figure{break-inside:avoid}}";

static void add_sentence(struct buf *b, const struct world *w, const struct coverage_finding *f)
{
	struct buf text;
	buf_init(&text, 8 * KIB);
	coverage_sentence(w, f, &text);
	buf_add_html(b, buf_str(&text));
	buf_release(&text);
}

static struct str mailbox_name(const struct world *w, uint32_t mailbox)
{
	struct str s = world_mailbox_upn(w, mailbox);
	return s.n ? s : world_mailbox_guid(w, mailbox);
}

static void add_day(struct buf *b, const struct coverage *c, uint32_t day)
{
	char text[TIME_TEXT_SIZE];
	buf_printf(b, "%.10s", time_format_minute((coverage_first_day(c) + day) * US_PER_DAY, text));
}

/* -- the map -- */

static const char *class_of(struct coverage_day d)
{
	if (d.state != DAY_RECORDED)
		return day_state_names[d.state];
	return d.reads < 5 ? "r1" : d.reads < 50 ? "r2" : "r3";
}

static void add_axis(struct buf *b, const struct coverage *c, unsigned width)
{
	uint32_t days = coverage_days(c), last = 0;
	buf_printf(b, "<div class=\"row\"><span class=\"who soft\">mailbox</span><svg width=\"%u\" height=\"22\" aria-hidden=\"true\">", days * width + 1);
	for (uint32_t i = 0; i < days; i++) {
		char text[TIME_TEXT_SIZE];
		time_format_minute((coverage_first_day(c) + i) * US_PER_DAY, text);
		bool marked = days < 60 ? i % 7 == 0 : text[8] == '0' && text[9] == '1';
		if (i && (!marked || (i - last) * width < 80 || (days - i) * width < 70))
			continue;
		buf_printf(b, "<line class=\"tick\" x1=\"%u\" x2=\"%u\" y1=\"0\" y2=\"22\"/><text x=\"%u\" y=\"15\">%.10s</text>", i * width, i * width,
			   i * width + 3, text);
		last = i;
	}
	buf_add_cstr(b, "</svg></div>");
}

static void add_row(struct buf *b, const struct coverage *c, const struct world *w, const struct coverage_mailbox *m, unsigned width)
{
	uint32_t days = coverage_days(c);
	buf_add_cstr(b, "<div class=\"row\"><span class=\"who\" title=\"");
	buf_add_html(b, mailbox_name(w, m->mailbox));
	buf_add_cstr(b, "\">");
	buf_add_html(b, mailbox_name(w, m->mailbox));
	buf_printf(b, "</span><svg width=\"%u\" height=\"%d\" role=\"img\" aria-label=\"", days * width + 1, ROW_HEIGHT + 2);
	for (int s = 0; s < DAY_STATES; s++)
		if (m->days[s])
			buf_printf(b, "%" PRIu32 " %s ", m->days[s], day_state_names[s]);
	buf_add_cstr(b, "days\">");
	for (uint32_t i = 0; i < days;) {
		struct coverage_day d = coverage_day(c, m->mailbox, i);
		const char *name = class_of(d);
		uint32_t k = i + 1;
		while (k < days && class_of(coverage_day(c, m->mailbox, k)) == name)
			k++;
		if (d.state != DAY_OUTSIDE) {
			buf_printf(b, "<rect class=\"%s\" x=\"%u\" y=\"1\" width=\"%u\" height=\"%d\"><title>", name, i * width, (k - i) * width - (width > 4),
				   ROW_HEIGHT);
			add_day(b, c, i);
			if (k > i + 1) {
				buf_add_cstr(b, " to ");
				add_day(b, c, k - 1);
			}
			buf_printf(b, ": %s", day_state_docs[d.state]);
			if (k == i + 1 && d.reads)
				buf_printf(b, " (%u record%s)", d.reads, d.reads == 1 ? "" : "s");
			buf_add_cstr(b, "</title></rect>");
		}
		i = k;
	}
	buf_add_cstr(b, "</svg></div>\n");
}

static bool has_gaps(const struct coverage *c)
{
	size_t n;
	const struct coverage_finding *f = coverage_findings(c, &n);
	for (size_t i = 0; i < n; i++)
		if (f[i].what == DAY_GAP)
			return true;
	return false;
}

/* hours in which no mailbox has a record, above all the rows */
static void add_everybody(struct buf *b, const struct coverage *c, unsigned width)
{
	size_t n;
	const struct coverage_finding *f = coverage_findings(c, &n);
	if (!has_gaps(c))
		return;
	buf_printf(b, "<div class=\"row\"><span class=\"who\"><em>everybody</em></span><svg width=\"%u\" height=\"%d\" role=\"img\" aria-label=\"gaps of all "
		   "mailboxes\">", coverage_days(c) * width + 1, ROW_HEIGHT + 2);
	for (size_t i = 0; i < n; i++) {
		char from[TIME_TEXT_SIZE], to[TIME_TEXT_SIZE];
		const int64_t begin = coverage_first_day(c) * US_PER_DAY, a = f[i].from_us > begin ? f[i].from_us : begin;
		double at = (double)(a - begin) / (double)US_PER_DAY * width, wide = (double)(f[i].to_us - a) / (double)US_PER_DAY * width;
		if (f[i].what != DAY_GAP)
			continue;
		buf_printf(b, "<rect class=\"gap\" x=\"%.1f\" y=\"1\" width=\"%.1f\" height=\"%d\"><title>%s to %s: %s</title></rect>", at, wide < 2 ? 2 : wide,
			   ROW_HEIGHT, time_format_minute(f[i].from_us, from), time_format_minute(f[i].to_us, to), day_state_docs[DAY_GAP]);
	}
	buf_add_cstr(b, "</svg></div>\n");
}

static void add_map(struct buf *b, const struct coverage *c, const struct world *w)
{
	size_t n;
	const struct coverage_mailbox *m = coverage_mailboxes(c, &n);
	uint32_t days = coverage_days(c);
	unsigned width = days > 600 ? 1 : days > 300 ? 2 : days > 180 ? 4 : days > 100 ? 7 : days > 60 ? 9 : days > 30 ? 14 : 22;
	buf_add_cstr(b, "<h2>Every mailbox, every day</h2><p class=\"soft\">The least visible first; days in UTC. Point at a day to read what it was.</p>"
			"<ul class=\"key\"><li><i class=\"r1\"></i>recorded, under 5 records</li><li><i class=\"r2\"></i>under 50</li>"
			"<li><i class=\"r3\"></i>50 and more</li>");
	for (int s = DAY_QUIET; s < DAY_OUTSIDE; s++)
		if (coverage_total(c, (enum day_state)s) || (s == DAY_GAP && has_gaps(c)))
			buf_printf(b, "<li><i class=\"%s\"></i>%s: %s</li>", day_state_names[s], day_state_names[s], day_state_docs[s]);
	buf_add_cstr(b, "</ul><div class=\"map\" tabindex=\"0\" role=\"group\" aria-label=\"Heat map of mailboxes and days\">");
	add_axis(b, c, width);
	add_everybody(b, c, width);
	for (size_t i = 0; i < n && i < COVERAGE_ROWS_SHOWN; i++)
		add_row(b, c, w, &m[i], width);
	buf_add_cstr(b, "</div>");
	if (n > COVERAGE_ROWS_SHOWN)
		buf_printf(b, "<p class=\"soft\">%s with better coverage not shown; the CSV lists all.</p>",
			   COUNT(n - COVERAGE_ROWS_SHOWN, "mailbox"));
}

/* -- the rest -- */

static void add_figure(struct buf *b, uint64_t n, const char *text)
{
	buf_printf(b, "<div class=\"figure\"><b>%s</b>%s</div>", DIGITS(n), text);
}

static void add_head(struct buf *b, const struct coverage *c)
{
	size_t n;
	uint64_t blind = 0, all = 0, never = 0, with_blind = 0;
	const struct coverage_mailbox *m = coverage_mailboxes(c, &n);
	char first[TIME_TEXT_SIZE], last[TIME_TEXT_SIZE];
	int64_t first_us, last_us;
	for (int s = 0; s < DAY_OUTSIDE; s++) {
		all += coverage_total(c, (enum day_state)s);
		blind += day_is_blind((enum day_state)s) ? coverage_total(c, (enum day_state)s) : 0;
	}
	for (size_t i = 0; i < n; i++) {
		never += m[i].days[DAY_RECORDED] == 0;
		with_blind += m[i].blind > 0;
	}
	if (!coverage_days(c)) {
		buf_add_cstr(b, "<p>There is no audit record to look at: nothing can be said of any mailbox.</p>");
		return;
	}
	coverage_ends(c, &first_us, &last_us);
	buf_printf(b, "<p class=\"soft\">%s to %s UTC, reads of mail in the unified audit log</p>", time_format_minute(first_us, first),
		   time_format_minute(last_us, last));
	buf_add_cstr(b, "<div class=\"figures\">");
	add_figure(b, n, "mailboxes with any record");
	add_figure(b, coverage_days(c), "days");
	add_figure(b, coverage_total(c, DAY_RECORDED), "mailbox-days recorded");
	add_figure(b, blind, "mailbox-days blind");
	add_figure(b, with_blind, "mailboxes with a blind day");
	add_figure(b, never, "mailboxes never recorded");
	buf_add_cstr(b, "</div>");
	if (blind)
		buf_printf(b, "<p>On %s of %s reading would have left no trace. Whatever an investigation finds elsewhere, "
			   "for these it can only assume.</p>", DIGITS(blind), COUNT(all, "mailbox-day"));
	else
		buf_add_cstr(b, "<p>No mailbox-day is known to be blind. That is not the same as seen: quiet days, and mailboxes without any record, "
				"look alike in any log.</p>");
}

static void add_findings(struct buf *b, const struct coverage *c, const struct world *w)
{
	size_t n;
	const struct coverage_finding *f = coverage_findings(c, &n);
	if (!n)
		return;
	buf_add_cstr(b, "<h2>In sentences, gravest first</h2><ol>");
	for (size_t i = 0; i < n && i < SENTENCES_MAX; i++) {
		buf_printf(b, "<li><span class=\"tag\">%s</span>", day_state_names[f[i].what]);
		add_sentence(b, w, &f[i]);
		buf_add_cstr(b, ".</li>\n");
	}
	buf_add_cstr(b, "</ol>");
	if (n > SENTENCES_MAX)
		buf_printf(b, "<p class=\"soft\">and %zu more; the NDJSON has them all.</p>", n - SENTENCES_MAX);
}

static void add_settings(struct buf *b, const struct audit_settings *s)
{
	size_t shown = 0, premium = 0, basic = 0, none = 0;
	struct buf text;
	if (!s)
		return;
	buf_init(&text, 16 * KIB);
	buf_add_cstr(b, "<h2>Tomorrow, as it is set today</h2>");
	if (s->ingestion == KNOWN_BAD)
		buf_add_cstr(b, "<p><strong>The unified audit log of the tenant is switched off: nothing will be seen.</strong></p>");
	if (s->organization == KNOWN_BAD)
		buf_add_cstr(b, "<p><strong>Mailbox auditing of the tenant is switched off (AuditDisabled): no mailbox will be seen.</strong></p>");
	buf_add_cstr(b, "<ul class=\"plain\">");
	for (size_t i = 0; i < s->count; i++) {
		premium += s->accounts[i].licence == LICENCE_PREMIUM;
		basic += s->accounts[i].licence == LICENCE_BASIC;
		none += s->accounts[i].licence == LICENCE_NONE;
		if (!s->accounts[i].wrong || shown++ >= SENTENCES_MAX)
			continue;
		buf_printf(b, "<li><span class=\"tag\">%s</span>", s->accounts[i].wrong & WRONG_UNSEEN ? "not seen" : "partly");
		buf_clear(&text);
		settings_sentence(&s->accounts[i], &text);
		buf_add_html(b, buf_str(&text));
		buf_add_cstr(b, ".</li>\n");
	}
	buf_add_cstr(b, "</ul>");
	if (!shown)
		buf_printf(b, "<p>The settings of %zu accounts hide no mailbox.</p>", s->count);
	if (premium || basic || none)
		buf_printf(b, "<p>Licences: %zu premium, %zu basic, %zu none. %s</p>", premium, basic, none, settings_licences);
	buf_release(&text);
}

/* Input not read, and data not asked for. */
static void add_limits(struct buf *b, const struct coverage_page *p)
{
	struct buf text;
	buf_init(&text, 64 * KIB);
	for (size_t i = 0; lost_sentence(&p->lost, i, &text); i++) {
		buf_add_cstr(b, "<li>");
		buf_add_html(b, buf_str(&text));
		buf_add_cstr(b, "</li>");
		buf_clear(&text);
	}
	period_sentence(&p->period, &text);
	if (text.n) {
		buf_add_cstr(b, "<li>");
		buf_add_html(b, buf_str(&text));
		buf_add_cstr(b, "</li>");
	}
	buf_release(&text);
}

void coverage_html(struct buf *b, const struct coverage_page *p)
{
	const size_t n = p->tenant_count;
	buf_add_cstr(b, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
			"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none';style-src 'unsafe-inline'\">"
			"<meta name=\"color-scheme\" content=\"light dark\"><title>Coverage of the audit log</title><style>");
	buf_add_cstr(b, style);
	buf_add_cstr(b, "</style></head><body>\n<main>");
	buf_add_cstr(b, "<h1>Where the log could see, and where not</h1>");
	if (!n)
		buf_add_cstr(b, "<p>There is no audit record to look at: nothing can be said of any mailbox.</p>");
	for (size_t i = 0; i < n; i++) {
		const struct coverage *c = p->tenants[i].coverage;
		const struct world *w = p->tenants[i].world;
		struct str id = world_own_tenant(w);
		if (n > 1) {
			buf_add_cstr(b, "<h2>Tenant ");
			buf_add_html(b, id.n ? id : STR("unknown"));
			buf_add_cstr(b, "</h2>");
		}
		add_head(b, c);
		if (coverage_days(c)) {
			add_map(b, c, w);
			add_findings(b, c, w);
		}
	}
	add_settings(b, p->settings);
	buf_add_cstr(b, "<h2>What this cannot show</h2><ul class=\"plain\">");
	add_limits(b, p);
	buf_add_cstr(b, "<li>Mailboxes without any record: a mailbox that was never logged looks like one "
			"that does not exist. Compare with a list of mailboxes (--settings).</li><li>Reads that Exchange left out: the same message in the same "
			"context within an hour, what came after a Sync from the local copy, eDiscovery.</li><li>Whether a quiet day was a holiday.</li>"
			"<li>Settings that were changed before the data begins.</li></ul>");
	buf_printf(b, "</main><footer>taximeter %s. Silence counts as a gap only where the log's own rhythm says that several records were to be expected; the "
		   "states are explained above the map.</footer></body></html>\n", p->version);
}
