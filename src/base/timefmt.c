/* SPDX-License-Identifier: Apache-2.0 */
/* timefmt: times of exports, as microseconds since 1970 in the proleptic Gregorian calendar.
 *
 * Nearly every time we meet is "2026-01-06T10:00:00" with nothing, a Z or a fraction behind it, one to several of them a
 * record; that shape is read without a branch per character.  The other shapes go through a small reader that takes a
 * number, a sign, a word at a time.  No shape is tried twice and none can be taken for another: a slash or a dash in
 * the first five characters, "/Date(" or nothing but digits tell them apart.
 *
 * A fraction finer than a microsecond is cut off, not rounded, so that order is kept and 23:59:59.9999999 stays in its
 * day.  Seconds of 60 to 99 carry over into the minute: people who mask an export by hand write them.  24:00 is refused,
 * and so is what an offset or a carry moves out of the years 1 to 9999; every time that was read can be written and read
 * again. */
#include <inttypes.h>
#include <stdio.h>

#include "base/timefmt.h"

#define YEAR_1_US (INT64_C(-62135596800) * US_PER_SECOND)
#define YEAR_10000_US (INT64_C(253402300800) * US_PER_SECOND)

/* Days before the first of March of that year, and so on through the era of 400 years: with the year beginning in March
 * the leap day is its last, and month lengths follow (153 m + 2) / 5. */
int64_t days_from_civil(int64_t year, unsigned month, unsigned day)
{
	int64_t era;
	unsigned year_of_era, day_of_year;

	year -= month <= 2;
	era = (year >= 0 ? year : year - 399) / 400;
	year_of_era = (unsigned)(year - era * 400);
	day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	return era * 146097 + (int64_t)(year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year) - 719468;
}

static void civil_from_days(int64_t days, int64_t *ret_year, unsigned *ret_month, unsigned *ret_day)
{
	int64_t era;
	unsigned day_of_era, year_of_era, day_of_year, month;

	days += 719468;
	era = (days >= 0 ? days : days - 146096) / 146097;
	day_of_era = (unsigned)(days - era * 146097);
	year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	month = (5 * day_of_year + 2) / 153;
	*ret_day = day_of_year - (153 * month + 2) / 5 + 1;
	*ret_month = month < 10 ? month + 3 : month - 9;
	*ret_year = (int64_t)year_of_era + era * 400 + (*ret_month <= 2);
}

static unsigned days_in_month(unsigned year, unsigned month)
{
	static const uint8_t days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
}

static bool date_is_valid(unsigned year, unsigned month, unsigned day)
{
	return year >= 1 && year <= 9999 && month - 1 < 12 && day >= 1 && day <= days_in_month(year, month);
}

static bool in_years(int64_t us) { return us >= YEAR_1_US && us < YEAR_10000_US; }

/* -- the reader: takes pieces off the front of what is left; `ok` goes false at the first that is not there -- */

struct reader {
	const char *p, *end;
	bool ok;
};

static bool at(const struct reader *r, char c) { return r->p < r->end && *r->p == c; }

static bool take(struct reader *r, char c)
{
	bool there = at(r, c);

	r->p += there;
	return there;
}

static void need(struct reader *r, char c)
{
	if (!take(r, c))
		r->ok = false;
}

/* A number of min to max digits.  max <= 18, so that it fits. */
static int64_t need_number(struct reader *r, unsigned min, unsigned max)
{
	int64_t value = 0;
	unsigned n = 0;

	for (; n < max && r->p < r->end && (unsigned)(*r->p - '0') < 10; n++)
		value = value * 10 + (*r->p++ - '0');
	if (n < min)
		r->ok = false;
	return value;
}

/* ".f{1,9}", in microseconds; 0 if there is no point */
static int64_t take_fraction(struct reader *r)
{
	int64_t us = 0;
	unsigned n = 0;

	if (!take(r, '.'))
		return 0;
	for (; r->p < r->end && (unsigned)(*r->p - '0') < 10; n++, r->p++)
		if (n < 6)
			us = us * 10 + (*r->p - '0');
	if (n < 1 || n > 9)
		r->ok = false;
	for (; n < 6; n++)
		us *= 10;
	return us;
}

/* "+hh:mm" or "-hhmm", in microseconds to subtract; 0 if there is none */
static int64_t take_offset(struct reader *r, bool colon_needed)
{
	int64_t sign = at(r, '-') ? -1 : 1, hours, minutes;

	if (!take(r, '+') && !take(r, '-'))
		return 0;
	hours = need_number(r, 2, 2);
	if (!take(r, ':') && colon_needed)
		r->ok = false;
	minutes = need_number(r, 2, 2);
	if (hours > 23 || minutes > 59)
		r->ok = false;
	return sign * (hours * US_PER_HOUR + minutes * US_PER_MINUTE);
}

static int64_t us_of(int64_t year, int64_t month, int64_t day, int64_t hour, int64_t minute, int64_t second)
{
	return days_from_civil(year, (unsigned)month, (unsigned)day) * US_PER_DAY + hour * US_PER_HOUR +
	       minute * US_PER_MINUTE + second * US_PER_SECOND;
}

/* 2026-01-06   2026-01-06T10:00[:00[.f]][Z|offset]; strict: seconds and a zone must be there, and the T */
static bool parse_iso(struct str s, bool strict, int64_t *ret_us)
{
	struct reader r = { s.p, s.p + s.n, true };
	int64_t year, month, day, hour = 0, minute = 0, second = 0, us = 0;

	year = need_number(&r, 4, 4);
	need(&r, '-');
	month = need_number(&r, 2, 2);
	need(&r, '-');
	day = need_number(&r, 2, 2);
	if (r.ok && r.p < r.end) {
		if (!take(&r, 'T') && !take(&r, 't') && (strict || !take(&r, ' ')))
			r.ok = false;
		hour = need_number(&r, 2, 2);
		need(&r, ':');
		minute = need_number(&r, 2, 2);
		if (strict || at(&r, ':')) {
			need(&r, ':');
			second = need_number(&r, 2, 2);
			us = take_fraction(&r);
		}
		if (!take(&r, 'Z') && !take(&r, 'z')) {
			if (strict && !at(&r, '+') && !at(&r, '-'))
				r.ok = false;
			us -= take_offset(&r, strict);
		}
	}
	if (!r.ok || r.p != r.end || !date_is_valid((unsigned)year, (unsigned)month, (unsigned)day) || hour > 23 ||
	    minute > 59 || (strict && second > 59))
		return false;
	us += us_of(year, month, day, hour, minute, second);
	if (!in_years(us))
		return false;
	*ret_us = us;
	return true;
}

/* The blank before AM: newer Unicode data, and so newer .NET, makes it U+202F; a copied table has U+00A0. */
static bool take_blank(struct reader *r)
{
	if (take(r, ' '))
		return true;
	if (r->end - r->p >= 3 && memcmp(r->p, "\xe2\x80\xaf", 3) == 0) {
		r->p += 3;
		return true;
	}
	if (r->end - r->p >= 2 && memcmp(r->p, "\xc2\xa0", 2) == 0) {
		r->p += 2;
		return true;
	}
	return false;
}

/* 1/6/2026 10:00:00 AM   1/6/2026, 10:00:00.000 AM   1/6/2026 10:00 */
static bool parse_slashes(struct str s, int64_t *ret_us)
{
	struct reader r = { s.p, s.p + s.n, true };
	int64_t year, month, day, hour, minute, second = 0, us = 0;

	month = need_number(&r, 1, 2);
	need(&r, '/');
	day = need_number(&r, 1, 2);
	need(&r, '/');
	year = need_number(&r, 4, 4);
	take(&r, ',');
	need(&r, ' ');
	hour = need_number(&r, 1, 2);
	need(&r, ':');
	minute = need_number(&r, 2, 2);
	if (take(&r, ':')) {
		second = need_number(&r, 2, 2);
		us = take_fraction(&r);
	}
	if (take_blank(&r)) {
		bool afternoon = at(&r, 'P') || at(&r, 'p');

		if (r.end - r.p != 2 || (!afternoon && ascii_lower(r.p[0]) != 'a') || ascii_lower(r.p[1]) != 'm' || hour < 1 ||
		    hour > 12)
			return false;
		r.p += 2;
		hour = hour % 12 + (afternoon ? 12 : 0);
	}
	if (!r.ok || r.p != r.end || !date_is_valid((unsigned)year, (unsigned)month, (unsigned)day) || hour > 23 || minute > 59)
		return false;
	us += us_of(year, month, day, hour, minute, second);
	if (!in_years(us))
		return false;
	*ret_us = us;
	return true;
}

/* /Date(1767693600000+0100)/: the number is UTC already, the offset only tells which clock the writer looked at */
static bool parse_dotnet(struct str s, int64_t *ret_us)
{
	struct reader r = { s.p, s.p + s.n, true };
	int64_t sign, ms;
	bool escaped = take(&r, '\\');

	for (const char *c = "/Date("; *c; c++)
		need(&r, *c);
	sign = take(&r, '-') ? -1 : 1;
	ms = need_number(&r, 1, 15); /* year 9999 has 15 digits */
	(void)take_offset(&r, false);
	need(&r, ')');
	if (escaped)
		need(&r, '\\');
	need(&r, '/');
	if (!r.ok || r.p != r.end || !in_years(sign * ms * 1000))
		return false;
	*ret_us = sign * ms * 1000;
	return true;
}

/* Seconds have 9 or 10 digits (1973 to 2286), milliseconds 12 or 13; eleven would be either, and a date without its
 * dashes has eight. */
static bool parse_unix(struct str s, int64_t *ret_us)
{
	struct reader r = { s.p, s.p + s.n, true };
	int64_t value = need_number(&r, 9, 13);

	if (!r.ok || r.p != r.end || s.n == 11)
		return false;
	*ret_us = value * (s.n <= 10 ? US_PER_SECOND : 1000);
	return true;
}

/* "2026-01-06T10:00:00" with or without fraction and Z.  False: not of this shape, or not a time. */
static bool parse_usual(struct str s, int64_t *ret_us)
{
	const uint8_t *p = (const uint8_t *)s.p;
	unsigned year, month, day, hour, minute, second, wrong, d[14];
	static const uint8_t place[14] = { 0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18 };
	uint32_t us = 0;
	size_t n = s.n;
	int64_t whole;

	wrong = (unsigned)(p[4] ^ '-') | (unsigned)(p[7] ^ '-') | (unsigned)(p[10] ^ 'T') | (unsigned)(p[13] ^ ':') |
	        (unsigned)(p[16] ^ ':');
	for (unsigned i = 0; i < 14; i++) {
		d[i] = (unsigned)p[place[i]] - '0';
		wrong |= d[i] > 9;
	}
	year = d[0] * 1000 + d[1] * 100 + d[2] * 10 + d[3];
	month = d[4] * 10 + d[5];
	day = d[6] * 10 + d[7];
	hour = d[8] * 10 + d[9];
	minute = d[10] * 10 + d[11];
	second = d[12] * 10 + d[13];
	wrong |= (hour > 23) | (minute > 59);
	if (wrong || !date_is_valid(year, month, day))
		return false;
	if (n > 19 && p[n - 1] == 'Z')
		n--;
	if (n > 19) {
		size_t digits = n - 20;

		if (p[19] != '.' || digits < 1 || digits > 9)
			return false;
		for (size_t i = 0; i < (digits < 6 ? 6 : digits); i++) {
			unsigned digit = i < digits ? (unsigned)p[20 + i] - '0' : 0;

			if (digit > 9)
				return false;
			if (i < 6)
				us = us * 10 + digit;
		}
	}
	whole = us + us_of(year, month, day, hour, minute, second);
	if (whole >= YEAR_10000_US) /* carried there by its seconds */
		return false;
	*ret_us = whole;
	return true;
}

bool time_parse(struct str s, int64_t *ret_us)
{
	if (s.n >= 19 && parse_usual(s, ret_us))
		return true;
	s = str_trim(s);
	if (s.n < 9 || s.n > 40) /* the longest shape, a date with fraction and offset, has 35 */
		return false;
	if (s.p[0] == '/' || s.p[0] == '\\')
		return parse_dotnet(s, ret_us);
	if (s.p[4] == '-')
		return parse_iso(s, false, ret_us);
	if (s.p[1] == '/' || s.p[2] == '/')
		return parse_slashes(s, ret_us);
	return parse_unix(s, ret_us);
}

bool time_parse_rfc3339(struct str s, int64_t *ret_us) { return s.n >= 10 && parse_iso(s, true, ret_us); }

/* -- writing -- */

/* splits into whole days and the rest of the day, 0 <= rest < a day, also before 1970 */
static int64_t split_day(int64_t us, int64_t *ret_rest)
{
	int64_t days = us / US_PER_DAY, rest = us % US_PER_DAY;

	if (rest < 0) {
		rest += US_PER_DAY;
		days--;
	}
	*ret_rest = rest;
	return days;
}

const char *time_format(int64_t us, char out[TIME_TEXT_SIZE])
{
	int64_t year, rest, days = split_day(us, &rest);
	unsigned month, day, second = (unsigned)(rest / US_PER_SECOND), fraction = (unsigned)(rest % US_PER_SECOND);
	int digits = 6, n;

	civil_from_days(days, &year, &month, &day);
	n = snprintf(out, TIME_TEXT_SIZE, "%04" PRId64 "-%02u-%02uT%02u:%02u:%02u", year, month, day, second / 3600,
	             second / 60 % 60, second % 60);
	for (; fraction && fraction % 10 == 0; digits--)
		fraction /= 10;
	if (fraction)
		n += snprintf(out + n, TIME_TEXT_SIZE - (size_t)n, ".%0*u", digits, fraction);
	snprintf(out + n, TIME_TEXT_SIZE - (size_t)n, "Z");
	return out;
}

const char *time_format_minute(int64_t us, char out[TIME_TEXT_SIZE])
{
	int64_t year, rest, days = split_day(us, &rest);
	unsigned month, day, minute = (unsigned)(rest / US_PER_MINUTE);

	civil_from_days(days, &year, &month, &day);
	snprintf(out, TIME_TEXT_SIZE, "%04" PRId64 "-%02u-%02u %02u:%02u", year, month, day, minute / 60, minute % 60);
	return out;
}

/* Two units at most, and the smaller one only where it still says something: seconds below ten minutes, hours below
 * three days.  Cut off, not rounded: "24 h" must have been 24. */
const char *time_format_span(int64_t us, char out[TIME_TEXT_SIZE])
{
	const char *sign = us < 0 ? "-" : "";
	uint64_t u = us < 0 ? 0 - (uint64_t)us : (uint64_t)us, s = u / US_PER_SECOND, big, small = 0;
	const char *big_unit, *small_unit = "";

	if (s == 0 && u > 0) {
		big = u / 1000;
		big_unit = "ms";
	} else if (s < 60) {
		big = s;
		big_unit = "s";
	} else if (s < 3600) {
		big = s / 60;
		big_unit = "min";
		small = s < 600 ? s % 60 : 0;
		small_unit = "s";
	} else if (s < 2 * 86400) {
		big = s / 3600;
		big_unit = "h";
		small = s / 60 % 60;
		small_unit = "min";
	} else {
		big = s / 86400;
		big_unit = "days";
		small = s < 3 * 86400 ? s / 3600 % 24 : 0;
		small_unit = "h";
	}
	if (small)
		snprintf(out, TIME_TEXT_SIZE, "%s%" PRIu64 " %s %" PRIu64 " %s", sign, big, big_unit, small, small_unit);
	else
		snprintf(out, TIME_TEXT_SIZE, "%s%" PRIu64 " %s", sign, big, big_unit);
	return out;
}
