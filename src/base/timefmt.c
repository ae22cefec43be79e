/* SPDX-License-Identifier: Apache-2.0 */
/* timefmt: times of exports, as microseconds since 1970 in the proleptic Gregorian calendar.
 *
 * Nearly every time is "2026-01-06T10:00:00" followed by nothing, a Z or a fraction, and a record has one to several;
 * that shape is read without a branch per character.  The other shapes go through a small reader that takes a
 * number, a sign, a word at a time: ISO 8601, numbers (Unix time, Excel's days), "/Date(ms)/", and what the cultures of
 * Windows, browsers and mail make of a date, in parse_culture().
 *
 * A date such as 05/01/2026 can be read in two ways, and nothing in it shows which.  Such a time is returned in both
 * readings (struct time_read); the caller that knows the whole column decides.
 *
 * A fraction finer than a microsecond is cut off, not rounded, so that order is kept and 23:59:59.9999999 stays in its
 * day.  Seconds of 60 to 99 carry over into the minute: people who mask an export by hand write them.  24:00 is refused,
 * and so is what an offset or a carry moves out of the years 1 to 9999; every time that was read can be written and read
 * again. */
#include <inttypes.h>
#include <stdio.h>

#include "base/count.h"
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

/* ".f{1,9}" or ",f{1,9}", in microseconds; 0 if there is none */
static int64_t take_fraction(struct reader *r)
{
	int64_t us = 0;
	unsigned n = 0;

	if (!take(r, '.') && !(at(r, ',') && r->p + 1 < r->end && (unsigned)(r->p[1] - '0') < 10 && take(r, ',')))
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

/* "+hh:mm", "-hhmm" or "+hh", in microseconds to subtract; 0 if there is none.  strict: "+hh:mm" alone */
static int64_t take_offset(struct reader *r, bool strict)
{
	int64_t sign = at(r, '-') ? -1 : 1, hours, minutes = 0;

	if (!take(r, '+') && !take(r, '-'))
		return 0;
	hours = need_number(r, 2, 2);
	if (take(r, ':') || strict || (r->p < r->end && (unsigned)(*r->p - '0') < 10)) {
		if (strict && r->p[-1] != ':')
			r->ok = false;
		minutes = need_number(r, 2, 2);
	}
	if (hours > 23 || minutes > 59)
		r->ok = false;
	return sign * (hours * US_PER_HOUR + minutes * US_PER_MINUTE);
}

/* A blank: newer Unicode data, and so newer .NET and browsers, put U+202F before AM; a copied table has U+00A0; browsers
 * set a mark of direction (U+200E, U+200F) round what they print. */
static bool take_blank(struct reader *r)
{
	static const struct str blanks[] = { { " ", 1 }, { "\xe2\x80\xaf", 3 }, { "\xc2\xa0", 2 }, { "\xe2\x80\x8e", 3 }, { "\xe2\x80\x8f", 3 } };

	if (r->p == r->end || (*r->p != ' ' && !(*r->p & 0x80)))
		return false;
	for (size_t i = 0; i < sizeof blanks / sizeof *blanks; i++) {
		if ((size_t)(r->end - r->p) >= blanks[i].n && memcmp(r->p, blanks[i].p, blanks[i].n) == 0) {
			r->p += blanks[i].n;
			return true;
		}
	}
	return false;
}

static bool take_blanks(struct reader *r)
{
	const char *from = r->p;

	while (take_blank(r))
		;
	return r->p > from;
}

static bool take_word(struct reader *r, const char *word)
{
	const size_t n = strlen(word);

	if ((size_t)(r->end - r->p) < n || !str_eq_nocase((struct str){ r->p, n }, (struct str){ word, n }))
		return false;
	r->p += n;
	return true;
}

/* What may follow a time of day: Z, an offset, UTC, GMT, "GMT+0100".  The offset is subtracted from *us. */
static bool take_zone(struct reader *r, int64_t *us)
{
	const char *from = r->p;
	bool named;

	take_blanks(r);
	if (take(r, 'Z') || take(r, 'z'))
		return true;
	named = take_word(r, "UTC") || take_word(r, "GMT");
	if (at(r, '+') || at(r, '-')) {
		*us -= take_offset(r, false);
		return true;
	}
	if (!named)
		r->p = from;
	return named;
}

static int64_t us_of(int64_t year, int64_t month, int64_t day, int64_t hour, int64_t minute, int64_t second)
{
	return days_from_civil(year, (unsigned)month, (unsigned)day) * US_PER_DAY + hour * US_PER_HOUR +
	       minute * US_PER_MINUTE + second * US_PER_SECOND;
}

/* 2026-01-06   2026-01-06T10:00[:00[.f]][Z|offset| UTC]; strict: seconds and a zone must be there, and the T */
static bool parse_iso(struct str s, bool strict, struct time_read *ret)
{
	struct reader r = { s.p, s.p + s.n, true };
	int64_t year, month, day, hour = 0, minute = 0, second = 0, us = 0;
	bool zoned = false;

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
		if (!strict) {
			zoned = take_zone(&r, &us);
		} else if (!take(&r, 'Z') && !take(&r, 'z')) {
			if (!at(&r, '+') && !at(&r, '-'))
				r.ok = false;
			us -= take_offset(&r, true);
		}
	}
	if (!r.ok || r.p != r.end || !date_is_valid((unsigned)year, (unsigned)month, (unsigned)day) || hour > 23 ||
	    minute > 59 || (strict && second > 59))
		return false;
	us += us_of(year, month, day, hour, minute, second);
	if (!in_years(us))
		return false;
	*ret = (struct time_read){ .us = us, .other_us = us, .zoned = zoned };
	return true;
}

/* The half of the day, before or after the time: 1 = morning, 2 = afternoon, 0 = not given.  The words are those of
 * Windows and of the browsers, without dots and blanks. */
static unsigned take_half(struct reader *r)
{
	static const struct { const char *morning, *afternoon; } halves[] = {
		{ "am", "pm" },         /* a.m., "a. m.", AM */
		{ "vorm", "nachm" }, { "dop", "odp" }, { "de", "du" }, { "fm", "em" }, { "f", "e" }, { "paradite", "pasdite" },
		{ "SA", "CH" }, { "PG", "PTG" },
		{ "dop", "pop" }, { "fh", "eh" }, { "vm", "nm" }, { "ap", "ip" }, { "pd", "md" },
		{ "\xd0\xbf\xd1\x80\xd0\xbe\xd0\xb1", "\xd1\x81\xd0\xbb\xd0\xbe\xd0\xb1" }, /* Bulgarian */
		{ "\xd9\x82\xd8\xb8", "\xd8\xa8\xd8\xb8" }, /* Persian */
		{ "\xd7\x9c\xd7\xa4\xd7\xa0\xd7\x94\xd7\xb4\xd7\xa6", "\xd7\x90\xd7\x97\xd7\x94\xd7\xb4\xd7\xa6" }, /* Hebrew */
		{ "\xe0\xb8\x81\xe0\xb9\x88\xe0\xb8\xad\xe0\xb8\x99\xe0\xb9\x80\xe0\xb8\x97\xe0\xb8\xb5\xe0\xb9\x88\xe0\xb8\xa2\xe0\xb8\x87", "\xe0\xb8\xab\xe0\xb8\xa5\xe0\xb8\xb1\xe0\xb8\x87\xe0\xb9\x80\xe0\xb8\x97\xe0\xb8\xb5\xe0\xb9\x88\xe0\xb8\xa2\xe0\xb8\x87" }, /* Thai */
		{ "\x70\x72\x69\x65\xc5\xa1\x70\x69\x65\x74", "\x70\x6f\x70\x69\x65\x74" }, /* Lithuanian */
		{ "\x70\x72\x69\x65\x6b\xc5\xa1\x70\x75\x73\x64\x69\x65\x6e\xc4\x81", "\x70\xc4\x93\x63\x70\x75\x73\x64\x69\x65\x6e\xc4\x81" }, /* Latvian */
		{ "\xcf\x80\xce\xbc", "\xce\xbc\xce\xbc" },                                     /* Greek */
		{ "\xc3\x96\xc3\x96", "\xc3\x96S" },                                            /* Turkish */
		{ "\xd8\xb5", "\xd9\x85" },                                                     /* Arabic */
		{ "\xe4\xb8\x8a\xe5\x8d\x88", "\xe4\xb8\x8b\xe5\x8d\x88" },                     /* Chinese */
		{ "\xe5\x8d\x88\xe5\x89\x8d", "\xe5\x8d\x88\xe5\xbe\x8c" },                     /* Japanese */
		{ "\xec\x98\xa4\xec\xa0\x84", "\xec\x98\xa4\xed\x9b\x84" },                     /* Korean */
		{ "\xe0\xa4\xaa\xe0\xa5\x82\xe0\xa4\xb0\xe0\xa5\x8d\xe0\xa4\xb5\xe0\xa4\xbe\xe0\xa4\xb9\xe0\xa5\x8d\xe0\xa4\xa8",
		  "\xe0\xa4\x85\xe0\xa4\xaa\xe0\xa4\xb0\xe0\xa4\xbe\xe0\xa4\xb9\xe0\xa5\x8d\xe0\xa4\xa8" }, /* Hindi */
	};
	const char *from = r->p;
	char word[64];
	size_t n = 0;

	take_blanks(r);
	while (r->p < r->end && n < sizeof word) {
		if (take_blanks(r) || take(r, '.'))
			continue;
		if ((unsigned)(*r->p - '0') < 10 || *r->p == ',' || *r->p == '+' || *r->p == '-')
			break;
		word[n++] = *r->p++;
	}
	for (size_t i = 0; n && i < sizeof halves / sizeof *halves; i++) {
		if (str_eq_nocase((struct str){ word, n }, str_of(halves[i].morning)))
			return 1;
		if (str_eq_nocase((struct str){ word, n }, str_of(halves[i].afternoon)))
			return 2;
	}
	r->p = from;
	return 0;
}

/* The beginnings of the months' names, English, German, French, Spanish, Italian, Portuguese, Dutch, Swedish; none of them
 * is one month here and another there. */
static unsigned take_month(struct reader *r)
{
	static const char *const months[12] = {
		"jan|ene|gen", "feb|fev|f\xc3\xa9v", "mar|m\xc3\xa4r|mrz|mrt|maa", "apr|avr|abr", "may|mai|mag|mei|maj", "jun|juin|giu", "jul|juil|lug",
		"aug|ago|ao\xc3\xbb|aou", "sep|set", "oct|okt|ott|out", "nov", "dec|dez|dic|d\303\251c",
	};
	const char *from = r->p;
	struct str word;

	while (r->p < r->end && (((*r->p | 0x20) >= 'a' && (*r->p | 0x20) <= 'z') || (*r->p & 0x80)) && !str_starts((struct str){ r->p, (size_t)(r->end - r->p) }, STR("\xe2\x80\xaf")))
		r->p++;
	word = (struct str){ from, (size_t)(r->p - from) };
	for (unsigned m = 0; word.n >= 3 && m < 12; m++) {
		for (const char *one = months[m]; one; one = strchr(one, '|') ? strchr(one, '|') + 1 : NULL) {
			size_t n = strcspn(one, "|");
			if (word.n >= n && word.n <= 12 && str_eq_nocase((struct str){ word.p, n }, (struct str){ one, n })) {
				take(r, '.');
				return m + 1;
			}
		}
	}
	r->p = from;
	return 0;
}

/* hh:mm[:ss[.f]] and the half of the day, which may also come before it; dots for colons and "10 h 05" as well */
static bool take_clock(struct reader *r, int64_t *ret_us)
{
	int64_t hour, minute, second = 0, us = 0;
	unsigned half = take_half(r);

	take_blanks(r);
	hour = need_number(r, 1, 2);
	if (!take(r, ':') && !take(r, '.')) {
		take_blanks(r);
		need(r, 'h');
		take_blanks(r);
	}
	minute = need_number(r, 2, 2);
	if (take(r, ':') || (at(r, '.') && r->p + 1 < r->end && (unsigned)(r->p[1] - '0') < 10 && take(r, '.'))) {
		second = need_number(r, 2, 2);
		us = take_fraction(r);
	}
	if (!half)
		half = take_half(r);
	if (half && (hour < 1 || hour > 12))
		return false;
	if (half)
		hour = hour % 12 + (half == 2 ? 12 : 0);
	if (!r->ok || hour > 23 || minute > 59)
		return false;
	*ret_us = hour * US_PER_HOUR + minute * US_PER_MINUTE + second * US_PER_SECOND + us;
	return true;
}

/* of a date in numbers: which of the first two is the month */
static enum time_order order_of(int64_t first, int64_t second)
{
	return first == second ? ORDER_FIXED : first > 12 ? ORDER_DAY_FIRST : second > 12 ? ORDER_MONTH_FIRST : ORDER_OPEN;
}

/* "1/6/2026 10:00:00 AM", the CreationDate of each row of a search, without the general reader: the result is that of parse_culture().  False:
 * not of this shape, or not a time. */
static bool parse_slashes(struct str s, struct time_read *ret)
{
	const char *p = s.p, *const end = s.p + s.n;
	unsigned n[6], half = 0;
	static const char next[6] = "// ::"; /* after each number */

	for (unsigned i = 0; i < 6; i++) { /* month or day, day or month, year, hour, minute, second */
		const unsigned most = i == 2 ? 4 : 2, least = i == 2 ? 4 : i > 3 ? 2 : 1;
		unsigned k = 0;
		for (n[i] = 0; k < most && p < end && (unsigned)(*p - '0') < 10; k++)
			n[i] = n[i] * 10 + (unsigned)(*p++ - '0');
		if (k < least || (i < 5 && (p == end || *p++ != next[i])))
			return false;
	}
	if (end - p == 3 && p[0] == ' ' && p[2] == 'M' && (p[1] == 'A' || p[1] == 'P'))
		half = p[1] == 'A' ? 1 : 2;
	else if (p != end)
		return false;
	if (half && (n[3] < 1 || n[3] > 12))
		return false;
	const unsigned hour = half ? n[3] % 12 + (half == 2 ? 12 : 0) : n[3];
	const enum time_order order = order_of(n[0], n[1]);
	const unsigned month = order == ORDER_DAY_FIRST ? n[1] : n[0], day = order == ORDER_DAY_FIRST ? n[0] : n[1];
	if (hour > 23 || n[4] > 59 || !date_is_valid(n[2], month, day))
		return false;
	*ret = (struct time_read){ .us = us_of(n[2], month, day, hour, n[4], n[5]), .order = order, .style = STYLE_SLASH };
	ret->other_us = order == ORDER_OPEN ? us_of(n[2], day, month, hour, n[4], n[5]) : ret->us;
	return in_years(ret->us) && in_years(ret->other_us);
}

/* Dates as people and cultures write them:
 *   1/6/2026 10:00:00 AM   06/01/2026, 10:00:00.000   06.01.2026 10:00   6. 1. 2026 8.49.37   06-01-2026   2026/01/06   2026. 01. 06.
 *   Jan 6, 2026, 10:00 AM   6 Jan 2026 10:00   Tue, 06 Jan 2026 10:00:00 +0000   06-Jan-2026   Tue Jan  6 10:00:00 2026
 * Of three numbers with dots the day is always the first; with slashes and dashes it may be the second. */
static bool parse_culture(struct str s, struct time_read *ret)
{
	static const char *const days[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };
	struct reader r = { s.p, s.p + s.n, true };
	int64_t n[3] = { 0 }, year, month, day, clock = 0;
	unsigned digits[3] = { 0 }, name = 0;
	bool zoned = false, open = false, has_clock = false;
	enum time_order order = ORDER_FIXED;
	enum time_style style = STYLE_SLASH;
	char sign = 0;

	take_blanks(&r);
	for (size_t i = 0; i < 7 && r.p < r.end && (unsigned)(*r.p - '0') > 9; i++) {
		if (!take_word(&r, days[i]))
			continue;
		while (r.p < r.end && (*r.p | 0x20) >= 'a' && (*r.p | 0x20) <= 'z')
			r.p++;
		take(&r, ',');
		break;
	}
	take_blanks(&r);
	if ((name = take_month(&r))) { /* Jan 6, 2026   Jan  6 10:00:00 2026 */
		take_blanks(&r);
		day = need_number(&r, 1, 2);
		take(&r, ',');
		if (!take_blanks(&r))
			return false;
		if (r.end - r.p > 2 && (r.p[1] == ':' || r.p[2] == ':')) {
			if (!take_clock(&r, &clock) || !take_blanks(&r))
				return false;
			has_clock = true;
		}
		year = need_number(&r, 4, 4);
		month = name;
	} else {
		for (unsigned i = 0; i < 3; i++) {
			const char *from = r.p;
			if (i == 1 && (name = take_month(&r))) {
				n[1] = name;
			} else {
				n[i] = need_number(&r, 1, 4);
				digits[i] = (unsigned)(r.p - from);
			}
			if (!r.ok || i == 2)
				break;
			const bool spaced = take_blanks(&r);
			if (i == 0 && r.p < r.end && (at(&r, '/') || at(&r, '.') || at(&r, '-')))
				sign = *r.p++;
			else if (i == 1 && sign && !(name && spaced) && !(sign == '.' && name))
				need(&r, sign);
			else if (i == 1 && name)
				take(&r, ',');
			take_blanks(&r);
		}
		if (!r.ok || digits[0] == 3 || digits[2] == 3 || (!sign && !name) || (name && digits[0] > 2))
			return false;
		if (digits[0] == 4) {
			if (digits[2] > 2 || digits[1] > 2)
				return false;
			year = n[0];
			month = n[1];
			day = n[2];
			if (sign == '.')
				take(&r, '.');
		} else if (digits[1] > 2 || digits[2] == 1 || (digits[2] == 2 && sign == '-' && !name)) {
			return false; /* 05-01-26: the year may be anywhere */
		} else {
			year = n[2] + (digits[2] == 2 ? 2000 : 0);
			day = n[0];
			month = n[1];
			if (sign == '.')
				take(&r, '.');
			if (sign == '.' && n[0] <= 12 && n[1] <= 12 && n[0] != n[1])
				style = STYLE_DOT;
			if (sign != '.' && !name) {
				style = sign == '-' ? STYLE_DASH : STYLE_SLASH;
				order = order_of(n[0], n[1]);
				open = order == ORDER_OPEN;
				if (order == ORDER_MONTH_FIRST || (open && style == STYLE_SLASH)) {
					month = n[0];
					day = n[1];
				}
			}
		}
	}
	if (!has_clock && r.p < r.end) {
		take(&r, ',');
		take_blanks(&r);
		if (take_word(&r, "at ") || take_word(&r, "um ") || take_word(&r, "@ ") || take_word(&r, "klo ") || take_word(&r, "\xc3\xa0 "))
			take_blanks(&r);
		if (r.p < r.end && !take_clock(&r, &clock))
			return false;
	}
	zoned = r.p < r.end && take_zone(&r, &clock);
	take_blanks(&r);
	if (!zoned && take_word(&r, "Uhr"))
		take_blanks(&r);
	if (zoned && at(&r, '(') && r.end[-1] == ')') /* the name of the zone, after its offset */
		r.p = r.end;
	if (!r.ok || r.p != r.end || !date_is_valid((unsigned)year, (unsigned)month, (unsigned)day))
		return false;
	*ret = (struct time_read){ .order = order, .style = style, .zoned = zoned };
	ret->us = ret->other_us = us_of(year, month, day, 0, 0, 0) + clock;
	if (open)
		ret->other_us = us_of(year, day, month, 0, 0, 0) + clock;
	return in_years(ret->us) && in_years(ret->other_us);
}

/* /Date(1767693600000+0100)/: the number is UTC already, the offset only shows which clock the writer used */
static bool parse_dotnet(struct str s, struct time_read *ret)
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
	*ret = (struct time_read){ .us = sign * ms * 1000, .other_us = sign * ms * 1000, .zoned = true };
	return true;
}

/* Seconds have 9 or 10 digits (1973 to 2286) and perhaps a fraction, milliseconds 12 or 13, microseconds 15 or 16, nanoseconds
 * 18 or 19; eleven would be either, and a date without its dashes has eight.  Five digits are Excel's days since 1900, by the
 * clock of the person who saw them: 45678.417. */
static bool parse_number(struct str s, struct time_read *ret)
{
	struct reader r = { s.p, s.p + s.n, true };
	uint64_t value = 0, us;
	int64_t fraction;
	size_t digits = 0;

	for (; digits < 19 && r.p < r.end && (unsigned)(*r.p - '0') < 10; digits++)
		value = value * 10 + (unsigned)(*r.p++ - '0');
	if (digits == 5 && value >= 36526 && value < 73051) { /* 2000 to 2099 */
		double part = 0, unit = 0.1;
		if (take(&r, '.') || take(&r, ','))
			for (r.ok = r.p < r.end; r.p < r.end && (unsigned)(*r.p - '0') < 10; r.p++) {
				part += unit * (*r.p - '0');
				unit /= 10;
			}
		if (!r.ok || r.p != r.end)
			return false;
		ret->us = ((int64_t)value - 25569) * US_PER_DAY + (int64_t)(part * 86400000 + 0.5) * 1000;
		*ret = (struct time_read){ .us = ret->us, .other_us = ret->us };
		return true;
	}
	fraction = digits == 9 || digits == 10 ? take_fraction(&r) : 0;
	if (!r.ok || r.p != r.end || digits < 9 || digits % 3 == 2 || digits > 19)
		return false;
	/* .NET's ticks since year 1, and Windows' since 1601: neither can be nanoseconds of these years */
	if (digits == 18 && value >= UINT64_C(630822816000000000) && value < UINT64_C(662380416000000000))
		value = (value - UINT64_C(621355968000000000)) * 100;
	else if (digits == 18 && value >= UINT64_C(125911584000000000) && value < UINT64_C(157469184000000000))
		value = (value - UINT64_C(116444736000000000)) * 100;
	us = digits <= 10 ? value * (uint64_t)US_PER_SECOND + (uint64_t)fraction : digits <= 13 ? value * 1000 : digits <= 16 ? value : value / 1000;
	*ret = (struct time_read){ .us = (int64_t)us, .other_us = (int64_t)us, .zoned = true };
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

bool time_read(struct str s, struct time_read *ret)
{
	if (s.n >= 19 && parse_usual(s, &ret->us)) {
		ret->other_us = ret->us;
		ret->order = ORDER_FIXED;
		ret->style = STYLE_SLASH;
		ret->zoned = s.p[s.n - 1] == 'Z';
		return true;
	}
	if (s.n >= 16 && parse_slashes(s, ret))
		return true;
	s = str_trim(s);
	if (s.n < 5 || s.n > 80)
		return false;
	if (s.p[0] == '/' || s.p[0] == '\\')
		return parse_dotnet(s, ret);
	return (s.p[4] == '-' && parse_iso(s, false, ret)) || parse_number(s, ret) || parse_culture(s, ret);
}

bool time_parse(struct str s, int64_t *ret_us)
{
	struct time_read t;

	if (!time_read(s, &t) || t.order == ORDER_OPEN)
		return false;
	*ret_us = t.us;
	return true;
}

bool time_parse_rfc3339(struct str s, int64_t *ret_us)
{
	struct time_read t;

	if (s.n < 10 || !parse_iso(s, true, &t))
		return false;
	*ret_us = t.us;
	return true;
}

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

/* so many digits of a number, and what follows them */
static char *put_digits(char *p, unsigned value, unsigned digits, char next)
{
	for (unsigned i = digits; i-- > 0; value /= 10)
		p[i] = (char)('0' + value % 10);
	p[digits] = next;
	return p + digits + 1;
}

/* Each alert and each event has several, so without snprintf(). */
const char *time_format(int64_t us, char out[TIME_TEXT_SIZE])
{
	int64_t year, rest, days = split_day(us, &rest);
	unsigned month, day, second = (unsigned)(rest / US_PER_SECOND), fraction = (unsigned)(rest % US_PER_SECOND), digits = 6;
	char *p = out;

	civil_from_days(days, &year, &month, &day);
	if (year < 0 || year > 9999)
		p += snprintf(p, TIME_TEXT_SIZE, "%04" PRId64 "-", year);
	else
		p = put_digits(p, (unsigned)year, 4, '-');
	p = put_digits(p, month, 2, '-');
	p = put_digits(p, day, 2, 'T');
	p = put_digits(p, second / 3600, 2, ':');
	p = put_digits(p, second / 60 % 60, 2, ':');
	p = put_digits(p, second % 60, 2, fraction ? '.' : 'Z');
	for (; fraction && fraction % 10 == 0; digits--)
		fraction /= 10;
	if (fraction)
		p = put_digits(p, fraction, digits, 'Z');
	*p = 0;
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

/* Two units at most, and the smaller one only where it still matters: seconds below ten minutes, hours below
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
		snprintf(out, TIME_TEXT_SIZE, "%s%s %s", sign, DIGITS(big), big_unit);
	return out;
}

int64_t time_tenths(int64_t us)
{
	int64_t tenths = us / (US_PER_HOUR / 10) + (us % (US_PER_HOUR / 10) >= US_PER_HOUR / 20);
	return us > 0 && !tenths ? 1 : tenths;
}

const char *time_format_tenths(int64_t tenths, char out[TIME_TEXT_SIZE])
{
	char digits[24];
	int n = snprintf(digits, sizeof digits, "%lld", (long long)(tenths / 10)), k = 0;
	for (int i = 0; i < n; i++) { /* as counts are written: 1,234 */
		if (i && (n - i) % 3 == 0)
			out[k++] = ',';
		out[k++] = digits[i];
	}
	if (tenths % 10) {
		out[k++] = '.';
		out[k++] = (char)('0' + tenths % 10);
	}
	out[k] = 0;
	return out;
}
