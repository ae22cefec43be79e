/* SPDX-License-Identifier: Apache-2.0 */
/* say: the findings in words, for people.  Each sentence, list and table is made here once, in the order in which it is read;
 * a form (struct say_form) decides how it looks: sink/text.c for a terminal, report/findings.c for a page.  So the page has
 * all that the text has (tests/report).
 *
 * To add a section: one function and one line in `say_sections` (say.c); both forms print it, the page lists it in its contents. */
#ifndef TXM_SINK_SAY_H
#define TXM_SINK_SAY_H

#include "sink/sink.h"

struct say_column {
	const char *heading;
	bool right;         /* a number */
	bool main;          /* what the row is about */
	bool time;
	bool under;         /* a page prints it below the column before */
	unsigned widest;    /* in a terminal, 0 = any */
	unsigned narrowest; /* a text column of a table too wide may shrink to this; 0 = it keeps its width */
	unsigned leaves;    /* turn in which the column is left out of a table too wide, 0 = never */
};

struct say;
struct say_table {
	const struct say_column *columns;
	size_t column_count, rows;
	void (*cell)(const struct say *s, const void *from, size_t row, size_t column, struct buf *ret);
	const void *from;
};

/* All but alert() and table() print s->line, and empty it. */
struct say_form {
	void (*paragraph)(struct say *s);
	void (*item)(struct say *s, unsigned depth);    /* of a list; depth 0, 1 below it, 2: those left out, if roomy */
	/* A named value; "": another value of the name before.  exact: ids, to be copied.  s->more: the rest of a list cut short, if roomy. */
	void (*fact)(struct say *s, const char *name, bool exact);
	void (*sentence)(struct say *s, const char *name); /* the same for whole sentences */
	void (*table)(struct say *s, const struct say_table *t);
	bool (*alert)(struct say *s, const struct alert *a, bool in_full); /* false: the reader is gone */
	void (*end)(struct say *s);                     /* of what belongs together */
};

struct say {
	const struct findings *f;
	const struct say_form *form;
	bool roomy;         /* a page: long tables, lists in full (`more`), times to the minute */
	struct buf line;    /* the sentence that is being made */
	struct buf more;    /* the names that it leaves out */
};

struct say_section {
	const char *anchor, *heading; /* for a page */
	/* one of the two: about each tenant, or about the whole */
	void (*of_tenant)(struct say *s, const struct tenant_findings *t);
	void (*of_all)(struct say *s);
};
extern const struct say_section say_sections[]; /* in order; the last has no heading */

void say_init(struct say *s, const struct findings *f, const struct say_form *form, bool roomy);
void say_release(struct say *s);
void say_section(struct say *s, const struct say_section *section);
bool say_has(const struct findings *f, const struct say_section *section); /* does it have any content? */
void say_headline(struct say *s);                       /* one line: how bad it is */
void say_alert(struct say *s, const struct alert *a);   /* all but its severity, time and title */
struct str say_alert_title(const struct alert *a);
/* The alerts, worst first: to be freed; NULL: out of memory. */
const struct alert **say_order(const struct findings *f);

#endif
