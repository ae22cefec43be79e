/* SPDX-License-Identifier: Apache-2.0 */
/* sheet: a CSV that the user gives besides the export: a message trace, a content search, a list of tags.
 *
 * Any delimiter of , ; TAB; quotes doubled; CRLF; a BOM; UTF-16; Windows-1252; packed; sheets of a workbook; after a line "sep=" or
 * "#TYPE".  Columns are found by name, ASCII case and blanks, dashes and underscores folded, so that "Message Id", "message_id" and
 * "MessageId" are one. */
#ifndef TXM_IMPACT_SHEET_H
#define TXM_IMPACT_SHEET_H

#include "base/buf.h"

struct sheet;
#define SHEET_COLUMNS 8

/* names[i]: the accepted names of column i, separated by '|', folded ("messageid|internetmessageid").  NULL: see
 * error. */
struct sheet *sheet_open(const char *path, const char *const *names, unsigned count, struct buf *error);
void sheet_close(struct sheet *s);
bool sheet_has(const struct sheet *s, unsigned column);
/* The next row; cells of absent columns are empty; good until the next call.  False: the end, or sheet_error(). */
bool sheet_next(struct sheet *s, struct str cells[SHEET_COLUMNS]);
uint64_t sheet_bad_rows(const struct sheet *s); /* a quote that never closes, a cell too long: left out */
const char *sheet_error(const struct sheet *s); /* "" = none */

#endif
