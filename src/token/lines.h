/* SPDX-License-Identifier: Apache-2.0 */
/* lines: what a line of a batch holds: a token as it is, or a JSON record (an audit line, a proxy's log) with one or more in it.
 * Whoever reads the line may take any of them, so all are found and all are judged. */
#ifndef TXM_TOKEN_LINES_H
#define TXM_TOKEN_LINES_H

#include "base/limits.h"
#include "keys/strict_json.h"

struct line_reader {
	struct strict_json json;
	struct str token[TOKEN_LINE_MAX]; /* of the last line, in its order, each text once */
	unsigned n;
	bool too_many;                 /* the line has more of them */
	bool has_json_token;           /* the line has a JWS or JWE in JSON form, which is not judged */
	char problem[120];
	bool duplicate;                /* the problem is a member that is there twice */
};

void line_reader_init(struct line_reader *x);
void line_reader_release(struct line_reader *x);
/* The token in what people copy from logs, shells and browsers: blanks, CR, byte order mark, quotes, a comma after it, percent escapes around it, "Bearer ", the name of
 * a header, variable or cookie before it are taken off.  A token itself is never changed: its faults stay in it.
 * *ret_count: how many tokens the text holds; of more than one none is taken. */
struct str token_unwrap(struct str text, unsigned *ret_count);
/* In place: each %2E, as addresses of sites may write a full stop, becomes one.  The new length. */
size_t token_restore_dots(char *text, size_t n);
/* Has the text anything of a token, be it a damaged one?  Its beginning, or the dots of three or five parts. */
bool token_has_shape(struct str text);
/* Is the text one token over several lines?  Then its blanks are taken out, in place; of an object or list over several lines, one line is made.  Every line but the first must be a piece of one. */
bool token_join_lines(char *text, size_t *n);
bool token_join_possible(struct str text); /* so far: it begins as a token does, and has a line's end in it */

/* Finds every token of a line: all that token_unwrap() finds in a text; in a JSON record those in any member (or name of one) at any
 * depth, and what a member with the name of a token holds, whatever it looks like.  NULL: at least one was found, see x.  Else what is
 * wrong with the line: it has no token, cannot be read, or (then tokens were found all the same) can be read in two ways.
 * *ret_time_us: the record's own time, untouched if it has none. */
const char *line_tokens(struct line_reader *x, struct str line, int64_t *ret_time_us);

#endif
