/* SPDX-License-Identifier: Apache-2.0 */
/* line: a file of one JSON object a line, read for an evaluation.  Unlike audit logs, of which the good records are taken
 * and the rest is counted, these files must be whole: the first fault, of form or of type, ends the reading with
 * one sentence that names file, line and member. */
#ifndef TXM_EVAL_LINE_H
#define TXM_EVAL_LINE_H

#include <stdio.h>

#include "base/buf.h"
#include "base/limits.h"
#include "decode/walk.h"

struct line_file {
	FILE *stream;
	const char *path;
	uint64_t number;          /* of this line, from 1 */
	char *text; size_t capacity;
	char *plain; size_t plain_capacity, plain_used; /* unescaped texts of this line */
	struct json_indexer *indexer;
	struct json_index x;
	bool failed;
	struct buf error;         /* the sentence */
};

/* An object of the line.  Its texts are good until the next line. */
struct line_object {
	struct line_file *file;
	uint32_t count;
	struct { struct str name; uint32_t value; } members[EVAL_MEMBERS_MAX];
};

/* False: reported in f->error.  Path "-" is standard input.  The path must outlive the reading. */
bool line_open(struct line_file *f, const char *path);
void line_close(struct line_file *f);
/* The next line that is not empty.  False: the end, or f->failed. */
bool line_next(struct line_file *f, struct line_object *ret);
void line_fail(struct line_file *f, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Members by name.  Absent and null are the same.  A wrong type, a number out of range, or an absent one that was needed,
 * fails the file. */
bool line_has(const struct line_object *o, const char *name);
bool line_says(const struct line_object *o, const char *name);      /* is it there, be it null? */
struct str line_text(struct line_object *o, const char *name);      /* empty if absent */
struct str line_need_text(struct line_object *o, const char *name); /* not empty */
int64_t line_int(struct line_object *o, const char *name, int64_t min, int64_t max, int64_t if_absent);
int64_t line_need_int(struct line_object *o, const char *name, int64_t min, int64_t max);
double line_real(struct line_object *o, const char *name, double if_absent);
int64_t line_time(struct line_object *o, const char *name);      /* 0 if absent */
int64_t line_need_time(struct line_object *o, const char *name);

/* Walks a list: for (v = line_list(&o, "mailboxes", &w); v != WALK_BAD; v = line_list_next(&o, &w)) */
struct line_list { struct walk_array walk; const char *name; uint32_t at; };
uint32_t line_list(struct line_object *o, const char *name, struct line_list *ret); /* absent: an empty list */
uint32_t line_list_next(struct line_object *o, struct line_list *w);
struct str line_element_text(struct line_object *o, const struct line_list *w, uint32_t v);
bool line_element_object(struct line_object *o, const struct line_list *w, uint32_t v, struct line_object *ret);
/* a pair of whole numbers, [1520,12] */
bool line_element_pair(struct line_object *o, const struct line_list *w, uint32_t v, int64_t max, int64_t ret[2]);

#endif
