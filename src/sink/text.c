/* SPDX-License-Identifier: Apache-2.0 */
/* text: the findings (sink/say.h) for a tired responder at a terminal.
 *
 * All input text passes buf_add_terminal().  Lines fit the terminal, or TEXT_COLUMNS without one.  Colour marks the
 * severity word and nothing else. */
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/timefmt.h"
#include "sink/say.h"

#define TEXT_COLUMNS 120     /* when no terminal says otherwise */
#define TEXT_COLUMNS_MIN 60
#define TEXT_COLUMNS_MAX 200 /* longer lines are hard to read */
#define MARGIN 12            /* "CRITICAL    " */
#define LABEL 13             /* "application  " */
#define SECTION_LABEL 18     /* "service principal " */
#define CELL_BYTES 160       /* of a table; columns have `widest` */
#define TABLE_COLUMNS_MAX 16

static void add_spaces(struct buf *b, size_t n)
{
	while (n--)
		buf_add_char(b, ' ');
}

/* Columns of text that is safe already: one a code point.  (East Asian names come out a little to the right.) */
static size_t columns(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
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

/* Puts p->say.line out as a paragraph with a hanging indent; the cursor stands at column `indent`. */
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

/* -- tables -- */

struct cells {
	const struct say_column *columns;
	size_t column_count, rows;
	char (*text)[CELL_BYTES]; /* row by row */
};

static const char *cell_of(const struct cells *t, size_t row, size_t column)
{
	return t->text[row * t->column_count + column];
}

static size_t table_width(const struct cells *t, const size_t *width)
{
	size_t total = 0;

	for (size_t k = 0; k < t->column_count; k++)
		total += width[k] ? width[k] + 2 : 0;
	return total - 2;
}

/* the widest text column that can still shrink; column_count = none */
static size_t table_widest(const struct cells *t, const size_t *width)
{
	size_t widest = t->column_count;

	for (size_t k = 0; k < t->column_count; k++)
		if (t->columns[k].narrowest && width[k] > t->columns[k].narrowest &&
		    (widest == t->column_count || width[k] > width[widest]))
			widest = k;
	return widest;
}

/* Widths that fit: text columns shrink, the widest first; then columns go, the least telling first; what a column that
 * went leaves over, the text columns get back. */
static void table_fit(const struct cells *t, size_t available, size_t *width)
{
	size_t wanted[TABLE_COLUMNS_MAX], widest;

	for (size_t k = 0; k < t->column_count; k++) {
		width[k] = strlen(t->columns[k].heading);
		for (size_t i = 0; i < t->rows; i++) {
			size_t n = columns(str_of(cell_of(t, i, k)));
			width[k] = n > width[k] ? n : width[k];
		}
		wanted[k] = width[k];
	}
	for (unsigned turn = 1; table_width(t, width) > available && turn <= t->column_count; ) {
		widest = table_widest(t, width);
		if (widest < t->column_count) {
			width[widest]--;
			continue;
		}
		for (size_t k = 0; k < t->column_count; k++)
			if (t->columns[k].leaves == turn)
				width[k] = 0;
		turn++;
	}
	for (size_t k = 0; k < t->column_count; k++)
		while (width[k] && width[k] < wanted[k] && table_width(t, width) < available)
			width[k]++;
}

/* row -1: the headings */
static void table_row(struct buf *out, const struct cells *t, const size_t *width, ptrdiff_t row)
{
	struct buf b;
	size_t spaces = 0; /* owed; those at the end of a line are never written */

	buf_init(&b, 4 * KIB);
	for (size_t k = 0; k < t->column_count; k++) {
		size_t used;
		if (!width[k])
			continue;
		buf_add_terminal(&b, str_of(row < 0 ? t->columns[k].heading : cell_of(t, (size_t)row, k)), width[k]);
		used = columns(buf_str(&b));
		used = used < width[k] ? used : width[k];
		add_spaces(out, spaces + (t->columns[k].right ? width[k] - used : 0));
		buf_add_str(out, buf_str(&b));
		spaces = 2 + (t->columns[k].right ? 0 : width[k] - used);
		buf_clear(&b);
	}
	buf_add_char(out, '\n');
	buf_release(&b);
}

static void text_table(struct say *s, const struct say_table *table)
{
	struct page *p = page_of(s);
	struct cells t = { table->columns, table->column_count, table->rows, NULL };
	size_t width[TABLE_COLUMNS_MAX];
	struct buf cell, safe;

	t.text = calloc(t.rows * t.column_count, sizeof(*t.text));
	if (!t.text || t.column_count > TABLE_COLUMNS_MAX) {
		p->o->pending.failed = true;
		free(t.text);
		return;
	}
	buf_init(&cell, ALERT_TEXT_BYTES_MAX);
	buf_init(&safe, ALERT_TEXT_BYTES_MAX);
	for (size_t i = 0; i < t.rows * t.column_count; i++) {
		table->cell(s, table->from, i / t.column_count, i % t.column_count, &cell);
		buf_add_terminal(&safe, buf_str(&cell), t.columns[i % t.column_count].widest);
		snprintf(t.text[i], CELL_BYTES, "%s", safe.n ? safe.p : "");
		buf_clear(&cell);
		buf_clear(&safe);
	}
	buf_release(&cell);
	buf_release(&safe);
	table_fit(&t, p->width, width);
	for (ptrdiff_t row = -1; row < (ptrdiff_t)t.rows; row++)
		table_row(&p->o->pending, &t, width, row);
	free(t.text);
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
