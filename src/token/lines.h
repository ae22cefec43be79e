/* SPDX-License-Identifier: Apache-2.0 */
/* lines: what a line of a batch holds: a token as it is, or a JSON record (an audit line, a proxy's log) with one in it. */
#ifndef TXM_TOKEN_LINES_H
#define TXM_TOKEN_LINES_H

#include "keys/strict_json.h"

struct line_reader {
	struct strict_json json;
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

/* The token in a line, as token_unwrap() has it, or in a JSON record.  NULL: *ret is it; else why there is none.
 * *ret_time_us: the record's own time, untouched if it has none. */
const char *line_token(struct line_reader *x, struct str line, struct str *ret, int64_t *ret_time_us);

#endif
