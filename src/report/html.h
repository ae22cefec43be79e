/* SPDX-License-Identifier: Apache-2.0 */
/* html: a page, element by element.  There is no way to write untrusted text raw: tags, classes and attributes are
 * string literals of this program (the macros join them with "", which a variable cannot be), text goes through
 * html_text(), numbers are formatted here, and a link leads to a place of the same page and nowhere else.  The
 * page forbids itself scripts, pictures, fonts and frames (Content-Security-Policy), in case all that were not enough. */
#ifndef TXM_REPORT_HTML_H
#define TXM_REPORT_HTML_H

#include "sink/sink.h"

enum { HTML_DEPTH_MAX = 32 };

struct html {
	struct sink_out *o;
	struct buf *b;                     /* o->pending */
	const char *open[HTML_DEPTH_MAX];  /* tags, outermost first */
	unsigned depth;
};

void html_begin(struct html *h, struct sink_out *o, struct str title);
void html_end(struct html *h); /* closes what is open */

#define html_open(h, tag) html_open_with_((h), "" tag, "")
#define html_open_class(h, tag, classes) html_open_with_((h), "" tag, " class=\"" classes "\"")
/* attributes as they are in the page: "scope=\"col\"" */
#define html_open_with(h, tag, attributes) html_open_with_((h), "" tag, " " attributes)
/* with id="PREFIXn" */
#define html_open_place(h, tag, classes, prefix, n) html_open_place_((h), "" tag, "" classes, "" prefix, (n))
#define html_open_link(h, prefix, n) html_open_link_((h), "" prefix, (n))
void html_open_with_(struct html *h, const char *tag, const char *attributes);
void html_open_place_(struct html *h, const char *tag, const char *classes, const char *prefix, uint64_t n);
void html_open_link_(struct html *h, const char *prefix, uint64_t n);
/* with an id of ours that is no literal, and a link to it: what is neither letter nor digit becomes '-' */
#define html_open_id(h, tag, classes, id) html_open_id_((h), "" tag, "" classes, (id))
void html_open_id_(struct html *h, const char *tag, const char *classes, struct str id);
void html_open_to(struct html *h, struct str id);
void html_close(struct html *h); /* the innermost */

void html_text(struct html *h, struct str s); /* anything; escaped */
#define html_say(h, literal) html_text((h), STR("" literal))
void html_count(struct html *h, uint64_t n);  /* 1,234,567 */
void html_counted(struct html *h, uint64_t n, const char *one, const char *many); /* "1 message", "7 messages" */
void html_moment(struct html *h, int64_t us); /* <time>15 June 2023, 02:00</time>; a dash for 0 */
void html_bytes(struct html *h, uint64_t n);  /* 3.4 MB */
#define html_leaf(h, tag, classes, text) \
	(html_open_class((h), tag, classes), html_text((h), (text)), html_close(h))
/* a heading cell, and a body cell that says its heading itself on a narrow screen */
#define html_head_cell(h, classes, text) \
	(html_open_with((h), "th", "scope=\"col\" class=\"" classes "\""), html_say((h), text), html_close(h))
#define html_open_cell(h, classes, label) html_open_with((h), "td", "class=\"" classes "\" data-label=\"" label "\"")
/* the same; the heading is no literal, and escaped */
#define html_open_said_cell(h, classes, label) html_open_said_cell_((h), "" classes, (label))
void html_open_said_cell_(struct html *h, const char *classes, const char *label);
/* a cell with nothing but a text, a number, a time, a size */
#define html_cell(h, classes, label, s) (html_open_cell(h, classes, label), html_text((h), (s)), html_close(h))
#define html_cell_count(h, classes, label, n) (html_open_cell(h, classes, label), html_count((h), (n)), html_close(h))
#define html_cell_moment(h, classes, label, us) (html_open_cell(h, classes, label), html_moment((h), (us)), html_close(h))
#define html_cell_bytes(h, classes, label, n) (html_open_cell(h, classes, label), html_bytes((h), (n)), html_close(h))
/* a table that becomes cards on a narrow screen: begin_table, head cells, begin_rows, rows, end_table */
#define html_begin_table(h) \
	(html_open_class(h, "div", "scroll"), html_open_class(h, "table", "cards"), html_open(h, "thead"), html_open(h, "tr"))
/* the same of so many columns that a narrow screen is up to 992 px wide */
#define html_begin_wide_table(h) \
	(html_open_class(h, "div", "scroll"), html_open_class(h, "table", "cards many"), html_open(h, "thead"), html_open(h, "tr"))
#define html_begin_rows(h) (html_close(h), html_close(h), html_open(h, "tbody"))
#define html_end_table(h) (html_close(h), html_close(h), html_close(h))

/* false: the reader is gone */
static inline bool html_step(struct html *h) { return sink_out_step(h->o); }

#endif
