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
/* The token in a line; what is no JSON object is taken as a token as it stands.  NULL: *ret is it; else why there is none.
 * *ret_time_us: the record's own time, untouched if it has none. */
const char *line_token(struct line_reader *x, struct str line, struct str *ret, int64_t *ret_time_us);

#endif
