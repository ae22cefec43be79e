/* SPDX-License-Identifier: Apache-2.0 */
/* timefmt: every way in which Microsoft 365 exports write a time, to and from microseconds since 1970-01-01 UTC.
 * No locale, no clock; zones by name are in base/zone.h. */
#ifndef TXM_BASE_TIMEFMT_H
#define TXM_BASE_TIMEFMT_H

#include "base/str.h"

#define US_PER_SECOND INT64_C(1000000)
#define US_PER_MINUTE (60 * US_PER_SECOND)
#define US_PER_HOUR (3600 * US_PER_SECOND)
#define US_PER_DAY (86400 * US_PER_SECOND)

enum time_order {
	ORDER_FIXED,       /* only one way to read it: 2026-01-06, 06.01.2026, Jan 6, 2026 */
	ORDER_OPEN,        /* day and month may each be the other: 06/01/2026 */
	ORDER_MONTH_FIRST, /* 01/13/2026: also shows how its neighbours are to be read */
	ORDER_DAY_FIRST,
};
enum time_style { STYLE_SLASH, STYLE_DASH, STYLE_DOT, STYLE_COUNT }; /* STYLE_DOT: 05.01.2026, the dots mean day first, but it might be a month */

struct time_read { /* a time, and how it was read */
	int64_t us;       /* ORDER_OPEN: with slashes as month first, with dashes as day first */
	int64_t other_us; /* ORDER_OPEN: the other reading; else the same */
	enum time_order order;
	enum time_style style;
	bool zoned;       /* it names its zone, or counts from 1970: us is UTC.  Else it is what a clock showed somewhere. */
};

/* Shapes accepted (tests/unit/test_base.c has them all):
 *   2026-01-06T10:00:00[.f{1,9}][Z|+hh:mm|-hhmm|+hh| UTC]   also with a blank for the T, and a date alone
 *   1/6/2026 10:00:00 AM, 06/01/2026, 10:00, 06.01.2026 10:00, 06-01-2026, 2026/01/06, Jan 6, 2026, RFC 2822: see parse_culture()
 *   /Date(1767693600000)/   \/Date(1767693600000)\/      /Date(1767693600000+0100)/
 *   1767693600 (seconds), 1767693600000 (milliseconds), and so on; 46028.417 (Excel's days)
 * Hand-masked exports hold seconds above 59: they carry over (10:00:65 is 10:01:05).
 * False on anything else.  Any year 1 to 9999 parses: plausibility is the caller's. */
bool time_read(struct str s, struct time_read *ret);
/* The same without a column to decide by: false also if day and month cannot be distinguished.  Without a zone it is UTC.
 * *ret_us is written only on success. */
bool time_parse(struct str s, int64_t *ret_us);

/* RFC 3339 bound as a user types it: date, or date and time with Z or an offset.  Stricter than time_parse. */
bool time_parse_rfc3339(struct str s, int64_t *ret_us);

#define TIME_TEXT_SIZE 32
/* "2026-01-06T10:00:00Z"; a fraction only if there is one. Returns out. */
const char *time_format(int64_t us, char out[TIME_TEXT_SIZE]);
/* "2026-01-06 10:00" for people */
const char *time_format_minute(int64_t us, char out[TIME_TEXT_SIZE]);
/* "2 h 20 min", "12 days": a length of time for a sentence */
const char *time_format_span(int64_t us, char out[TIME_TEXT_SIZE]);

/* Hours as every command counts them: in tenths, rounded, and none that there are is zero; "24" or "357.9" of that. */
int64_t time_tenths(int64_t us);
const char *time_format_tenths(int64_t tenths, char out[TIME_TEXT_SIZE]);

int64_t days_from_civil(int64_t year, unsigned month, unsigned day); /* days since 1970-01-01 */

#endif
