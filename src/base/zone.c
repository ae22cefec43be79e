/* SPDX-License-Identifier: Apache-2.0 */
/* zone: see zone.h.  Of a TZif file (RFC 8536) the 64-bit data are read, and after the last change the rule in its footer
 * ("CET-1CEST,M3.5.0,M10.5.0/3").  A local time is tried with the offset that holds a day before and the one that holds a day
 * after: where both lead back to it, it came twice; where neither does, never. */
#include "base/zone.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/timefmt.h"

#define ZONEINFO "/usr/share/zoneinfo/"

enum { TZIF_BYTES_MAX = 64 * 1024, CHANGES_MAX = 4096 };

struct rule { /* the n-th weekday of a month, 5 = the last; seconds after midnight */
	unsigned month, week, day;
	int32_t at_s;
};

struct zone {
	int32_t offset_s;       /* without changes; before the first change */
	int32_t season;         /* named by an abbreviation: 1 = of winter, 2 = of summer, both on the northern half; 0 = holds all year */
	size_t n;
	struct { int64_t at_s; int32_t offset_s; } *changes;
	bool has_rule;          /* after the last change */
	int32_t standard_s, summer_s;
	struct rule to_summer, to_standard;
};

/* -- names -- */

static bool take_text(struct str *s, const char *text)
{
	const struct str t = str_of(text);

	if (s->n < t.n || !str_eq_nocase((struct str){ s->p, t.n }, t))
		return false;
	s->p += t.n;
	s->n -= t.n;
	return true;
}

/* "+1", "-05:30", "+0100"; the minus may be U+2212, and blanks may come before it */
static bool parse_offset(struct str s, int32_t *ret_s)
{
	unsigned digits = 0, v = 0;
	int sign;

	s = str_trim(s);
	if (take_text(&s, "+"))
		sign = 1;
	else if (take_text(&s, "-") || take_text(&s, "\xe2\x88\x92") || take_text(&s, "\xe2\x80\x93"))
		sign = -1;
	else if (take_text(&s, "\xc2\xb1")) /* +- 0 */
		sign = 1;
	else
		return false;
	for (; s.n && digits < 4; s.p++, s.n--) {
		if (*s.p == ':' && digits && digits <= 2) {
			if (digits == 1)
				digits = 2;
			continue;
		}
		if ((unsigned)(*s.p - '0') > 9)
			return false;
		v = v * 10 + (unsigned)(*s.p - '0');
		digits++;
	}
	if (s.n || (digits != 1 && digits != 2 && digits != 4))
		return false;
	if (digits != 4)
		v *= 100;
	if (v / 100 > 14 || v % 100 > 59)
		return false;
	*ret_s = sign * (int32_t)(v / 100 * 3600 + v % 100 * 60);
	return true;
}

/* Abbreviations that mean one offset; CST, IST and BST mean several and are not here.  People write CET in summer too. */
static const struct { const char *name; int32_t hours; int32_t season; } abbreviations[] = {
	{ "CET", 1, 1 }, { "MEZ", 1, 1 }, { "CEST", 2, 2 }, { "MESZ", 2, 2 }, { "EET", 2, 1 }, { "EEST", 3, 2 }, { "OEZ", 2, 1 }, { "OESZ", 3, 2 },
	{ "WET", 0, 1 }, { "WEST", 1, 2 }, { "EST", -5, 1 }, { "EDT", -4, 2 }, { "CDT", -5, 2 }, { "MDT", -6, 2 }, { "PST", -8, 1 }, { "PDT", -7, 2 },
	{ "JST", 9, 0 },
};

static bool is_place(struct str name)
{
	if (name.n == 0 || name.n >= ZONE_TEXT_MAX)
		return false;
	for (size_t i = 0; i < name.n; i++) {
		const char c = name.p[i], low = (char)(c | 0x20);
		const bool first = i == 0 || name.p[i - 1] == '/';
		if (low >= 'a' && low <= 'z')
			continue;
		if (first || (c != '/' && c != '_' && c != '-' && c != '+' && !(c >= '0' && c <= '9')))
			return false; /* each part begins with a letter: no way out of the folder */
	}
	return name.p[name.n - 1] != '/' && memchr(name.p, '/', name.n);
}

static struct zone *read_place(struct str name)
{
	char path[sizeof ZONEINFO + ZONE_TEXT_MAX];
	uint8_t *p = malloc(TZIF_BYTES_MAX);
	struct zone *z = NULL;
	size_t n = 0;
	int fd;

	memcpy(path, ZONEINFO, sizeof ZONEINFO - 1);
	memcpy(path + sizeof ZONEINFO - 1, name.p, name.n);
	path[sizeof ZONEINFO - 1 + name.n] = 0;
	fd = p ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK) : -1;
	for (ssize_t got; fd >= 0 && n < TZIF_BYTES_MAX && (got = read(fd, p + n, TZIF_BYTES_MAX - n)) > 0;)
		n += (size_t)got;
	if (fd >= 0)
		close(fd);
	if (n)
		z = zone_from_tzif(p, n);
	free(p);
	return z;
}

struct zone *zone_new(struct str name)
{
	static const char *const utc[] = { "UTC", "GMT", "Z", "Zulu", "Etc/UTC", "Etc/GMT", "Coordinated Universal Time", "UTC time", "Universal Time" };
	struct zone *z;
	struct str rest;

	name = str_trim(name);
	while (name.n > 1 && ((name.p[0] == '(' && name.p[name.n - 1] == ')') || (name.p[0] == '[' && name.p[name.n - 1] == ']')))
		name = str_trim((struct str){ name.p + 1, name.n - 2 });
	if (is_place(name) && !str_starts_nocase(name, STR("Etc/UTC")))
		return read_place(name);
	z = calloc(1, sizeof *z);
	if (!z)
		return NULL;
	for (size_t i = 0; i < sizeof utc / sizeof *utc; i++)
		if (str_eq_nocase(name, str_of(utc[i])))
			return z;
	for (size_t i = 0; i < sizeof abbreviations / sizeof *abbreviations; i++) {
		if (str_eq_nocase(name, str_of(abbreviations[i].name))) {
			z->offset_s = abbreviations[i].hours * 3600;
			z->season = abbreviations[i].season;
			return z;
		}
	}
	rest = name;
	if (!take_text(&rest, "UTC"))
		take_text(&rest, "GMT");
	if (parse_offset(rest, &z->offset_s))
		return z;
	free(z);
	return NULL;
}

void zone_free(struct zone *z)
{
	if (z)
		free(z->changes);
	free(z);
}

/* -- zoneinfo -- */

struct footer { const char *p, *end; };

static bool take_char(struct footer *f, char c)
{
	const bool there = f->p < f->end && *f->p == c;

	f->p += there;
	return there;
}

static bool take_digits(struct footer *f, unsigned *ret)
{
	unsigned v = 0, n = 0;

	for (; f->p < f->end && (unsigned)(*f->p - '0') < 10 && n < 3; n++)
		v = v * 10 + (unsigned)(*f->p++ - '0');
	*ret = v;
	return n > 0;
}

/* [+-]h[h][:mm[:ss]], in seconds */
static bool take_span(struct footer *f, int32_t *ret)
{
	const int32_t sign = take_char(f, '-') ? -1 : (take_char(f, '+'), 1);
	unsigned h, m = 0, s = 0;

	if (!take_digits(f, &h) || (take_char(f, ':') && (!take_digits(f, &m) || (take_char(f, ':') && !take_digits(f, &s)))) || h > 167 || m > 59 ||
	    s > 59)
		return false;
	*ret = sign * (int32_t)(h * 3600 + m * 60 + s);
	return true;
}

static bool take_abbreviation(struct footer *f)
{
	const char *from = f->p;

	if (take_char(f, '<')) {
		while (f->p < f->end && *f->p != '>')
			f->p++;
		return take_char(f, '>');
	}
	while (f->p < f->end && (*f->p | 0x20) >= 'a' && (*f->p | 0x20) <= 'z')
		f->p++;
	return f->p > from;
}

static bool take_rule(struct footer *f, struct rule *r)
{
	if (!take_char(f, ',') || !take_char(f, 'M') || !take_digits(f, &r->month) || !take_char(f, '.') || !take_digits(f, &r->week) ||
	    !take_char(f, '.') || !take_digits(f, &r->day) || r->month < 1 || r->month > 12 || r->week < 1 || r->week > 5 || r->day > 6)
		return false;
	r->at_s = 2 * 3600;
	return !take_char(f, '/') || take_span(f, &r->at_s);
}

/* False: a rule of another kind, of which no place makes use today. */
static bool read_footer(struct zone *z, const char *p, const char *end)
{
	struct footer f = { p, end };
	int32_t west;

	if (!take_abbreviation(&f) || !take_span(&f, &west))
		return false;
	z->standard_s = z->summer_s = -west;
	z->to_summer = z->to_standard = (struct rule){ 0 };
	if (f.p < f.end) {
		if (!take_abbreviation(&f))
			return false;
		z->summer_s = z->standard_s + 3600;
		if (f.p < f.end && *f.p != ',') {
			if (!take_span(&f, &west))
				return false;
			z->summer_s = -west;
		}
		if (!take_rule(&f, &z->to_summer) || !take_rule(&f, &z->to_standard) || f.p != f.end)
			return false;
	}
	z->has_rule = true;
	return true;
}

static int64_t big(const uint8_t *p, unsigned bytes)
{
	uint64_t v = bytes == 4 && p[0] & 0x80 ? UINT64_MAX << 32 : 0;

	for (unsigned i = 0; i < bytes; i++)
		v = v << 8 | p[i];
	return (int64_t)v;
}

/* the sizes in a header, and of what follows it */
static bool read_counts(const uint8_t *p, size_t n, unsigned width, uint32_t counts[6], uint64_t *ret_size)
{
	if (n < 44 || memcmp(p, "TZif", 4) != 0)
		return false;
	for (unsigned i = 0; i < 6; i++) {
		counts[i] = (uint32_t)big(p + 20 + 4 * i, 4);
		if (counts[i] > TZIF_BYTES_MAX)
			return false;
	}
	/* isutcnt, isstdcnt, leapcnt, timecnt, typecnt, charcnt */
	*ret_size = (uint64_t)counts[3] * width + counts[3] + (uint64_t)counts[4] * 6 + counts[5] + (uint64_t)counts[2] * (width + 4) + counts[1] + counts[0];
	return *ret_size <= n - 44;
}

struct zone *zone_from_tzif(const void *bytes, size_t n)
{
	const uint8_t *p = bytes, *types;
	struct zone *z = NULL;
	uint32_t counts[6];
	uint64_t size;

	if (!read_counts(p, n, 4, counts, &size) || p[4] < '2')
		return NULL;
	p += 44 + size;
	n -= 44 + (size_t)size;
	if (!read_counts(p, n, 8, counts, &size) || counts[4] == 0 || counts[3] > CHANGES_MAX)
		return NULL;
	z = calloc(1, sizeof *z);
	if (!z || (counts[3] && !(z->changes = calloc(counts[3], sizeof *z->changes))))
		goto bad;
	types = p + 44 + (size_t)counts[3] * 9;
	for (uint32_t i = 0; i < counts[3]; i++) {
		const uint8_t type = p[44 + (size_t)counts[3] * 8 + i];
		z->changes[i].at_s = big(p + 44 + (size_t)i * 8, 8);
		if (type >= counts[4] || (i && z->changes[i].at_s <= z->changes[i - 1].at_s))
			goto bad;
		z->changes[i].offset_s = (int32_t)big(types + (size_t)type * 6, 4);
		if (abs(z->changes[i].offset_s) > 26 * 3600)
			goto bad;
	}
	z->n = counts[3];
	z->offset_s = (int32_t)big(types, 4);
	if (abs(z->offset_s) > 26 * 3600)
		goto bad;
	p += 44 + size;
	n -= 44 + (size_t)size;
	if (n > 2 && p[0] == '\n') {
		const uint8_t *end = memchr(p + 1, '\n', n - 1);
		if (end && end > p + 1)
			read_footer(z, (const char *)p + 1, (const char *)end);
	}
	return z;
bad:
	zone_free(z);
	return NULL;
}

/* -- use -- */

/* the second, counted on the clock that is about to be set, at which the rule strikes in that year */
static int64_t strikes(const struct rule *r, int64_t year)
{
	const int64_t first = days_from_civil(year, r->month, 1), next = r->month == 12 ? days_from_civil(year + 1, 1, 1) : days_from_civil(year, r->month + 1, 1);
	const int64_t weekday = ((first + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday */
	int64_t day = first + (r->day + 7 - weekday) % 7 + 7 * ((int64_t)r->week - 1);

	while (day >= next)
		day -= 7;
	return day * 86400 + r->at_s;
}

/* the offset of clocks there from UTC at that moment */
static int32_t offset_at(const struct zone *z, int64_t at_s)
{
	if (z->n && at_s < z->changes[z->n - 1].at_s) {
		size_t low = 0, high = z->n - 1; /* the first change after at_s */
		while (low < high) {
			const size_t middle = low + (high - low) / 2;
			if (z->changes[middle].at_s <= at_s)
				low = middle + 1;
			else
				high = middle;
		}
		return low ? z->changes[low - 1].offset_s : z->offset_s;
	}
	if (z->has_rule && !z->to_summer.month)
		return z->standard_s;
	if (z->has_rule) {
		const int64_t days = (at_s + z->standard_s) / 86400;
		int64_t year = 1970 + days / 366; /* a little early; found by going on */
		while (days_from_civil(year + 1, 1, 1) <= days)
			year++;
		const int64_t summer = strikes(&z->to_summer, year) - z->standard_s, standard = strikes(&z->to_standard, year) - z->summer_s;
		const bool is_summer = summer < standard ? at_s >= summer && at_s < standard : at_s >= summer || at_s < standard;
		return is_summer ? z->summer_s : z->standard_s;
	}
	return z->n ? z->changes[z->n - 1].offset_s : z->offset_s;
}

int64_t zone_utc(const struct zone *z, int64_t local_us, bool *ret_sure)
{
	*ret_sure = true;
	if (z->n == 0 && !z->has_rule) {
		if (z->season) { /* clocks change on the last Sunday of March and of October, in America up to three weeks away */
			char text[TIME_TEXT_SIZE];
			const char *date = time_format(local_us, text);
			const int month = (date[5] - '0') * 10 + date[6] - '0';
			const int as_named = z->season == 2 ? month >= 4 && month <= 10 : month <= 3 || month >= 11;
			*ret_sure = as_named;
		}
		return local_us - z->offset_s * US_PER_SECOND;
	}
	int64_t local_s = local_us / US_PER_SECOND;
	local_s -= local_us % US_PER_SECOND < 0;
	const int32_t before = offset_at(z, local_s - 86400), after = offset_at(z, local_s + 86400);
	const bool first = offset_at(z, local_s - before) == before, second = offset_at(z, local_s - after) == after;
	*ret_sure = before == after || first != second;
	return local_us - (int64_t)(first || !second ? before : after) * US_PER_SECOND;
}
