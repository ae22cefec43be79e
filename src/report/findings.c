/* SPDX-License-Identifier: Apache-2.0 */
/* findings: the result of a scan as a page.  Its words come from sink/say.h, the same as in the text; this file makes the
 * form of a page, and what only a page has: contents, a timeline, links.
 *
 * Places of the page: "txm-..." is the alert of that id, "alerts", "tokens" and so on the sections. */
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/timefmt.h"
#include "detect/detect.h"
#include "report/page.h"
#include "report/report.h"
#include "sink/say.h"

enum { OVERVIEW_OPEN = 12, TABLE_NARROW = 6, COLUMNS = 120, DOTS_MAX = 4000 };

#define SEVERITIES (SEVERITY_CRITICAL + 1)
/* open("tone") with the tone of a severity: classes are literals (html.h).  Critical and high differ in more than colour (style.c). */
#define TONED(s, open) \
	((s) == SEVERITY_CRITICAL ? open("grave") : (s) == SEVERITY_HIGH ? open("known") : (s) == SEVERITY_MEDIUM ? open("assumed") : \
	 (s) == SEVERITY_LOW ? open("lowly") : open("quiet"))

static void put_severity_chip(struct html *h, enum severity s)
{
	static const char *const words[SEVERITIES] = { "○ info", "◔ low", "◑ medium", "◕ high", "● critical" };

#define OPEN_CHIP(tone) html_open_class(h, "span", "chip " tone)
	TONED(s, OPEN_CHIP);
	html_text(h, str_of(words[s]));
	html_close(h);
}

static void put_minute(struct html *h, int64_t us)
{
	char text[TIME_TEXT_SIZE];

	html_open(h, "time");
	html_text(h, str_of(time_format_minute(us, text)));
	html_close(h);
}

/* -- the form -- */

enum place { IN_NOTHING, IN_LIST, IN_SUBLIST, IN_FOLD, IN_FACTS, IN_SENTENCES };

struct page {
	struct say say;   /* first: a form gets a pointer to it */
	struct html *h;
	enum place in;    /* an item of a list stays open: others may go inside it */
};

static struct page *page_of(struct say *s) { return (struct page *)s; }

static void close_all(struct html *h, unsigned n)
{
	while (n--)
		html_close(h);
}

static void leave(struct page *p)
{
	static const unsigned open[] = { [IN_NOTHING] = 0, [IN_LIST] = 2, [IN_SUBLIST] = 4, [IN_FOLD] = 7, [IN_FACTS] = 1, [IN_SENTENCES] = 1 };

	close_all(p->h, open[p->in]);
	p->in = IN_NOTHING;
}

static void put_line(struct page *p)
{
	struct say *s = &p->say;

	html_text(p->h, buf_str(&s->line));
	if (s->more.n) {
		html_open_class(p->h, "details", "rest");
		html_leaf(p->h, "summary", "", STR("the rest"));
		html_text(p->h, buf_str(&s->more));
		html_close(p->h);
	}
	if (buf_failed(&s->line) || buf_failed(&s->more))
		p->h->b->failed = true;
	buf_clear(&s->line);
	buf_clear(&s->more);
}

static void page_paragraph(struct say *s)
{
	struct page *p = page_of(s);

	leave(p);
	html_open(p->h, "p");
	put_line(p);
	html_close(p->h);
}

static void page_item(struct say *s, unsigned depth)
{
	struct page *p = page_of(s);
	const enum place place = depth == 0 ? IN_LIST : depth == 1 ? IN_SUBLIST : IN_FOLD;

	if (p->in < IN_LIST || p->in > IN_FOLD) {
		leave(p);
	} else if (p->in >= place) { /* end what is deeper, and the item before */
		close_all(p->h, p->in == place ? 1 : place == IN_SUBLIST ? 4 : p->in == IN_SUBLIST ? 3 : 6);
		p->in = place;
		goto item;
	}
	if (p->in == IN_NOTHING) {
		html_open_class(p->h, "ul", "plain");
		p->in = IN_LIST;
	} else if (place == IN_FOLD) {
		html_open_class(p->h, "details", "rest");
		html_leaf(p->h, "summary", "", STR("the rest"));
		html_open(p->h, "ul");
		p->in = IN_FOLD;
	} else {
		html_open(p->h, "ul");
		p->in = IN_SUBLIST;
	}
item:
	html_open(p->h, "li");
	put_line(p);
}

static void page_fact(struct say *s, const char *name, bool exact)
{
	struct page *p = page_of(s);

	if (p->in != IN_FACTS) {
		leave(p);
		html_open_class(p->h, "dl", "facts");
		p->in = IN_FACTS;
	}
	if (*name)
		html_leaf(p->h, "dt", "", str_of(name));
	if (exact)
		html_open_class(p->h, "dd", "mono");
	else
		html_open(p->h, "dd");
	put_line(p);
	html_close(p->h);
}

static void page_sentence(struct say *s, const char *name)
{
	struct page *p = page_of(s);

	if (*name || p->in != IN_SENTENCES) {
		leave(p);
		html_leaf(p->h, "h4", "", str_of(name));
		html_open(p->h, "ul");
		p->in = IN_SENTENCES;
	}
	html_open(p->h, "li");
	put_line(p);
	html_close(p->h);
}

static void page_end(struct say *s)
{
	leave(page_of(s));
}

/* the column, and how many are below it in one cell */
static size_t columns_of(const struct say_table *t, size_t column)
{
	size_t n = 1;

	while (column + n < t->column_count && t->columns[column + n].under)
		n++;
	return n;
}

static void put_heading(struct page *p, const struct say_table *t, size_t column, size_t n)
{
	if (t->columns[column].right)
		html_open_with(p->h, "th", "scope=\"col\" class=\"n\"");
	else
		html_open_with(p->h, "th", "scope=\"col\"");
	html_text(p->h, str_of(t->columns[column].heading));
	for (size_t k = 1; k < n; k++)
		html_leaf(p->h, "span", "sub", str_of(t->columns[column + k].heading));
	html_close(p->h);
}

static void put_cell(struct page *p, const struct say_table *t, size_t row, size_t column, size_t n)
{
	const struct say_column *c = &t->columns[column];
	struct buf *b = &p->say.line;
	char label[80];

	snprintf(label, sizeof(label), "%s%s%s", c->heading, n > 1 ? " / " : "", n > 1 ? c[1].heading : "");
	if (c->right)
		html_open_said_cell(p->h, "n", label);
	else if (c->main)
		html_open_said_cell(p->h, "strong", label);
	else if (c->time)
		html_open_said_cell(p->h, "time", label);
	else
		html_open_said_cell(p->h, "wide", label);
	html_open(p->h, "span"); /* one piece next to its label on a narrow screen */
	for (size_t k = 0; k < n; k++) {
		t->cell(&p->say, t->from, row, column + k, b);
		if (k)
			html_leaf(p->h, "span", "sub", buf_str(b));
		else
			html_text(p->h, b->n ? buf_str(b) : STR("–"));
		p->h->b->failed |= buf_failed(b);
		buf_clear(b);
	}
	html_close(p->h);
	html_close(p->h);
}

static void page_table(struct say *s, const struct say_table *t)
{
	struct page *p = page_of(s);

	leave(p);
	if (t->column_count > TABLE_NARROW)
		html_begin_wide_table(p->h);
	else
		html_begin_table(p->h);
	for (size_t k = 0; k < t->column_count; k += columns_of(t, k))
		put_heading(p, t, k, columns_of(t, k));
	html_begin_rows(p->h);
	for (size_t row = 0; row < t->rows && html_step(p->h); row++) {
		html_open(p->h, "tr");
		for (size_t k = 0; k < t->column_count; k += columns_of(t, k))
			put_cell(p, t, row, k, columns_of(t, k));
		html_close(p->h);
	}
	html_end_table(p->h);
}

static void put_mitre(struct html *h, const struct detector *d)
{
	if (!d->mitre || !d->mitre[0])
		return;
	html_open_class(h, "p", "note");
	html_say(h, "ATT&CK ");
	for (size_t i = 0; d->mitre[i]; i++) {
		html_text(h, i ? STR(", ") : STR(""));
		html_text(h, str_of(d->mitre[i]));
	}
	html_close(h);
}

static bool page_alert(struct say *s, const struct alert *a, bool in_full)
{
	struct page *p = page_of(s);
	struct html *h = p->h;

	leave(p);
#define OPEN_FINDING(tone) html_open_id(h, "article", "finding " tone, str_of(a->id))
#define OPEN_BRIEF(tone) html_open_id(h, "article", "finding brief " tone, str_of(a->id))
	if (in_full)
		TONED(a->severity, OPEN_FINDING);
	else
		TONED(a->severity, OPEN_BRIEF);
	put_severity_chip(h, a->severity);
	html_open_class(h, "span", "when");
	put_minute(h, a->time_us);
	html_close(h);
	html_leaf(h, "h3", "", say_alert_title(a));
	if (in_full) {
		say_alert(s, a);
		put_mitre(h, a->detector);
	} else {
		html_open_class(h, "p", "note");
		if (s->f->tenant_count > 1) {
			html_say(h, "tenant ");
			html_text(h, tenant_label(alert_world(a)));
			html_say(h, " ");
		}
		html_leaf(h, "span", "mono", str_of(a->id));
		html_close(h);
	}
	html_close(h);
	return html_step(h);
}

/* -- the head -- */

static void put_lead(struct html *h, struct page *p)
{
	const struct findings *f = p->say.f;
	const struct world *w = f->world;

	for (size_t i = 0; i < f->lost.n; i++)
		if (strcmp(f->lost.names[i], "no_records") == 0)
			html_leaf(h, "p", "lead", f->lost.texts[i][0] != '0' ? STR("No record was read from at least one of the inputs: what it holds was not judged.")
				  : STR("0 records: nothing was judged."));
	html_open_class(h, "p", "lead");
	say_headline(&p->say);
	put_line(p);
	html_say(h, ".");
	if (!f->alert_count) {
		html_say(h, " That is not proof that nothing happened: see ");
		html_open_to(h, STR("blind"));
		html_say(h, "what the logs cannot show");
		html_close(h);
		html_say(h, ".");
	}
	html_close(h);
	html_open_class(h, "ul", "scope");
	html_open(h, "li");
	html_leaf(h, "b", "", STR("Sign-ins among the records: "));
	html_count(h, w->count.signins);
	html_close(h);
	if (!period_is_open(&f->period)) {
		html_open(h, "li");
		html_leaf(h, "b", "", STR("Reported: "));
		html_text(h, f->period.since[0] ? str_of(f->period.since) : STR("the first record"));
		html_say(h, " to ");
		html_text(h, f->period.until[0] ? str_of(f->period.until) : STR("the last record"));
		html_close(h);
	}
	html_close(h);
}

static void put_tiles(struct html *h, const struct findings *f)
{
	static const char *const words[SEVERITIES] = { "○ Info", "◔ Low", "◑ Medium", "◕ High", "● Critical" };
	uint64_t by_severity[SEVERITIES] = { 0 };

	for (size_t i = 0; i < f->alert_count; i++)
		by_severity[f->alerts[i]->severity]++;
	html_open_class(h, "div", "tiles");
	for (int s = SEVERITY_CRITICAL; s >= SEVERITY_INFO; s--) {
#define OPEN_TILE(tone) html_open_class(h, "div", "tile " tone)
		if (by_severity[s])
			TONED(s, OPEN_TILE);
		else
			OPEN_TILE("none");
		html_open_class(h, "p", "big");
		html_count(h, by_severity[s]);
		html_close(h);
		html_leaf(h, "p", "", str_of(words[s]));
		html_close(h);
	}
	html_close(h);
}

static void put_contents_line(struct html *h, const char *anchor, const char *heading)
{
	html_open(h, "li");
	html_open_to(h, str_of(anchor));
	html_text(h, str_of(heading));
	html_close(h);
	html_close(h);
}

/* every alert in one line that leads to it; folded if there are many */
static void put_overview(struct html *h, const struct findings *f)
{
	const struct alert **order = say_order(f);

	if (!order) {
		h->b->failed = true;
		return;
	}
	if (f->alert_count > OVERVIEW_OPEN)
		html_open_class(h, "details", "overview");
	else
		html_open_with(h, "details", "class=\"overview\" open");
	html_open(h, "summary");
	html_counted(h, f->alert_count, "alert, in one line", "alerts, one line each");
	html_close(h);
	html_open(h, "ol");
	for (size_t i = 0; i < f->alert_count && html_step(h); i++) {
		html_open(h, "li");
		put_severity_chip(h, order[i]->severity);
		html_open_class(h, "span", "when");
		put_minute(h, order[i]->time_us);
		html_close(h);
		html_open_to(h, str_of(order[i]->id));
		html_text(h, say_alert_title(order[i]));
		html_close(h);
		html_close(h);
	}
	html_close(h);
	html_close(h);
	free(order);
}

static bool has_timeline(const struct findings *f)
{
	return f->alert_count && f->world->last_us >= f->world->first_us;
}

static void put_contents(struct html *h, const struct findings *f)
{
	html_open_with(h, "nav", "class=\"contents\" aria-label=\"Contents\"");
	html_leaf(h, "h2", "", STR("Contents"));
	html_open(h, "ul");
	if (has_timeline(f))
		put_contents_line(h, "when", "When");
	for (const struct say_section *s = say_sections; s->heading; s++)
		if (say_has(f, s))
			put_contents_line(h, s->anchor, s->heading);
	put_contents_line(h, "reading", "How to read this");
	html_close(h);
	if (f->alert_count)
		put_overview(h, f);
	html_close(h);
}

/* -- when -- */

static void put_timeline(struct html *h, const struct findings *f)
{
	static const char *const words[SEVERITIES] = { "info", "low", "medium", "high", "critical" };
	const double width = 1040, x0 = 84, pitch = 34, top = 20;
	const int64_t first = f->world->first_us, last = f->world->last_us;

	if (!has_timeline(f))
		return;
	const int64_t step = page_step(last - first, COLUMNS), from = first - first % step;
	const unsigned columns = (unsigned)((last - from) / step) + 1;
	const double w = (width - x0 - 16) / columns;
	html_open_id(h, "section", "", STR("when"));
	html_leaf(h, "h2", "", STR("When"));
	html_leaf(h, "p", "", STR("Each mark is an alert, at the time at which it could first have been raised, and leads to it; the larger, "
				  "the more mailboxes it concerns."));
	html_open(h, "figure");
	html_open_class(h, "div", "scroll");
	svg_begin(h, "draw", width, top + (SEVERITIES - 1) * pitch + 58, "Alerts by severity over time");
	for (int s = SEVERITY_CRITICAL; s >= SEVERITY_INFO; s--) {
		const double y = top + (SEVERITY_CRITICAL - s) * pitch;
		svg_text(h, "e", x0 - 14, y + 4, str_of(words[s]), 0);
		svg_line(h, "axis", x0, y, width - 8, y);
	}
	for (size_t i = 0; i < f->alert_count && i < DOTS_MAX; i++) {
		const struct alert *a = f->alerts[i];
		const double x = x0 + (double)(a->time_us - from) / (double)step * w,
			     y = top + (SEVERITY_CRITICAL - (int)a->severity) * pitch;
		double r = 5;
		for (uint64_t n = a->mailboxes.total; n > 1 && r < 15; n /= 2)
			r += 1.4;
		html_open_to(h, str_of(a->id));
#define PUT_DOT(tone) svg_circle(h, tone, x, y, r)
		TONED(a->severity, PUT_DOT);
		html_close(h);
	}
	page_axis(h, x0, w, top + (SEVERITIES - 1) * pitch + 20, columns, from, step);
	svg_end(h);
	close_all(h, 3);
}

/* -- the whole -- */

static void put_reading(struct html *h)
{
	html_open_id(h, "section", "", STR("reading"));
	html_leaf(h, "h2", "", STR("How to read this"));
	html_open(h, "p");
	html_say(h, "An alert is a reason to look, with its figures; it is not a verdict. An item that was read is a message that a program "
		    "fetched, not one that a person read. ");
	html_leaf(h, "code", "", STR("taximeter impact --alert ID"));
	html_say(h, " lists what was opened in the context of an alert, message by message, and what must be assumed. ");
	html_leaf(h, "code", "", STR("taximeter rules"));
	html_say(h, " says of each rule what it catches and what it misses. MS among the networks: only Microsoft's own front ends.");
	close_all(h, 2);
}

void report_findings(struct sink_out *o, const struct findings *f)
{
	static const struct say_form form = { page_paragraph, page_item, page_fact, page_sentence, page_table, page_alert, page_end };
	struct html h;
	struct page p = { .h = &h };

	say_init(&p.say, f, &form, true);
	html_begin(&h, o, STR("Who reads whose mail · findings"));
	page_head(&h, "Findings");
	html_leaf(&h, "h1", "", STR("Who reads whose mail"));
	put_lead(&h, &p);
	html_close(&h);
	html_open(&h, "main");
	put_tiles(&h, f);
	put_contents(&h, f);
	put_timeline(&h, f);
	for (const struct say_section *s = say_sections; s->heading && html_step(&h); s++) {
		if (!say_has(f, s))
			continue;
		html_open_id(&h, "section", "", str_of(s->anchor));
		html_leaf(&h, "h2", "", str_of(s->heading));
		say_section(&p.say, s);
		leave(&p);
		html_close(&h);
	}
	put_reading(&h);
	html_close(&h);
	page_foot(&h);
	html_end(&h);
	say_release(&p.say);
}
