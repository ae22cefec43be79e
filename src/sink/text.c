/* SPDX-License-Identifier: Apache-2.0 */
/* text: the findings (sink/say.h) for a tired responder at a terminal.
 *
 * All input text passes buf_add_terminal().  Lines fit the terminal, or TEXT_COLUMNS without one.  Colour marks the
 * severity word and nothing else. */
#include <string.h>

#include "base/grid.h"
#include "base/limits.h"
#include "base/timefmt.h"
#include "sink/say.h"

#define TEXT_COLUMNS 120     /* when no terminal says otherwise */
#define TEXT_COLUMNS_MIN 60
#define TEXT_COLUMNS_MAX 200 /* longer lines are hard to read */
#define MARGIN 12            /* "CRITICAL    " */
#define LABEL 13             /* "application  " */
#define SECTION_LABEL 18     /* "service principal " */

static void add_spaces(struct buf *b, size_t n)
{
	while (n--)
		buf_add_char(b, ' ');
}

/* longest prefix of s of at most `width` columns that ends before a blank; a longer word is kept whole */
static size_t line_length(struct str s, size_t width)
{
	size_t best = 0, column = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (((unsigned char)s.p[i] & 0xc0) == 0x80)
			continue;
		if (s.p[i] == ' ' && i) {
			best = i;
			if (column >= width)
				return best;
		} else if (column >= width && best) {
			return best;
		}
		column++;
	}
	return s.n;
}

struct page {
	struct say say;   /* first: a form gets a pointer to it */
	struct sink_out *o;
	size_t width;
	struct buf safe;  /* a paragraph, safe for a terminal */
	bool in_alert;
};

/* Puts p->say.line out as a paragraph with a hanging indent; the cursor is at column `indent`. */
static void put_wrapped(struct page *p, size_t indent)
{
	struct str rest;
	const size_t width = p->width > indent + 20 ? p->width - indent : 20;

	buf_add_terminal(&p->safe, buf_str(&p->say.line), 0);
	rest = str_trim(buf_str(&p->safe));
	for (bool first = true; rest.n || first; first = false) {
		size_t n = line_length(rest, width);
		if (!first)
			add_spaces(&p->o->pending, indent);
		buf_add_str(&p->o->pending, (struct str){ rest.p, n });
		buf_add_char(&p->o->pending, '\n');
		rest = str_trim((struct str){ rest.p + n, rest.n - n });
	}
	if (buf_failed(&p->say.line) || buf_failed(&p->safe))
		p->o->pending.failed = true;
	buf_clear(&p->say.line);
	buf_clear(&p->safe);
}

static void add_severity(struct buf *b, enum severity s, bool color)
{
	static const char *const words[] = { "INFO", "LOW", "MEDIUM", "HIGH", "CRITICAL" };
	static const char *const colors[] = { "36", "34", "33", "31", "1;31" };

	if (color)
		buf_printf(b, "\033[%sm%s\033[0m", colors[s], words[s]);
	else
		buf_add_cstr(b, words[s]);
	add_spaces(b, MARGIN - strlen(words[s]));
}

/* -- the form -- */

static struct page *page_of(struct say *s) { return (struct page *)s; }

static void text_paragraph(struct say *s)
{
	put_wrapped(page_of(s), 0);
}

static void text_item(struct say *s, unsigned depth)
{
	buf_add_cstr(&page_of(s)->o->pending, depth ? "      " : "  - ");
	put_wrapped(page_of(s), depth ? 6 : 4);
}

static void text_fact(struct say *s, const char *name, bool exact)
{
	struct page *p = page_of(s);
	const size_t margin = p->in_alert ? MARGIN : 2, label = p->in_alert ? LABEL : SECTION_LABEL;

	(void)exact;
	buf_printf(&p->o->pending, "%*s%-*s", (int)margin, "", (int)label, name);
	put_wrapped(p, margin + label);
}

static void text_sentence(struct say *s, const char *name)
{
	text_fact(s, name, false);
}

static void text_end(struct say *s)
{
	buf_add_char(&page_of(s)->o->pending, '\n');
}

/* severity, time, title */
static void put_title(struct page *p, const struct alert *a, bool with_id)
{
	struct buf *out = &p->o->pending;
	char text[TIME_TEXT_SIZE];

	add_severity(out, a->severity, p->o->color);
	buf_add_cstr(out, time_format_minute(a->time_us, text));
	buf_add_cstr(out, "  ");
	buf_add_str(&p->say.line, say_alert_title(a));
	if (with_id && p->say.f->tenant_count > 1)
		buf_printf(&p->say.line, "  tenant %.*s", STR_ARG(tenant_label(alert_world(a))));
	if (with_id)
		buf_printf(&p->say.line, "  %s", a->id);
	put_wrapped(p, MARGIN + strlen(text) + 2);
}

static bool text_alert(struct say *s, const struct alert *a, bool in_full)
{
	struct page *p = page_of(s);

	put_title(p, a, !in_full);
	p->in_alert = true;
	if (in_full)
		say_alert(s, a);
	p->in_alert = false;
	return sink_out_step(p->o);
}

static void text_table(struct say *s, const struct say_table *table)
{
	struct page *p = page_of(s);
	struct grid_column columns[GRID_COLUMNS_MAX];
	struct buf cell, safe;
	struct grid g;

	if (table->column_count > GRID_COLUMNS_MAX) {
		p->o->pending.failed = true;
		return;
	}
	for (size_t k = 0; k < table->column_count; k++)
		columns[k] = (struct grid_column){ table->columns[k].heading, table->columns[k].right, table->columns[k].narrowest,
						   table->columns[k].leaves };
	grid_init(&g, columns, table->column_count);
	buf_init(&cell, ALERT_TEXT_BYTES_MAX);
	buf_init(&safe, ALERT_TEXT_BYTES_MAX);
	for (size_t row = 0; row < table->rows; row++)
		for (size_t k = 0; k < table->column_count; k++) {
			table->cell(s, table->from, row, k, &cell);
			buf_add_terminal(&safe, buf_str(&cell), table->columns[k].widest);
			grid_add(&g, k, &safe);
			buf_clear(&cell);
		}
	buf_release(&cell);
	buf_release(&safe);
	grid_put(&g, &p->o->pending, p->width);
	grid_release(&g);
}

static void text_write(struct sink_out *o, const struct findings *f)
{
	static const struct say_form form = { text_paragraph, text_item, text_fact, text_sentence, text_table, text_alert, text_end };
	struct page p = { .o = o, .width = o->width ? o->width : TEXT_COLUMNS };

	if (p.width < TEXT_COLUMNS_MIN)
		p.width = TEXT_COLUMNS_MIN;
	if (p.width > TEXT_COLUMNS_MAX)
		p.width = TEXT_COLUMNS_MAX;
	say_init(&p.say, f, &form, false);
	buf_init(&p.safe, SINK_PIECE_BYTES_MAX);
	say_headline(&p.say);
	text_paragraph(&p.say);
	text_end(&p.say);
	for (const struct say_section *section = say_sections; section->heading && sink_out_step(o); section++)
		say_section(&p.say, section);
	say_release(&p.say);
	buf_release(&p.safe);
}

const struct sink sink_text = {
	.name = "text",
	.doc = "for people: alerts, applications, and what could not be seen",
	.write = text_write,
};
