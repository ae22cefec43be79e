/* SPDX-License-Identifier: Apache-2.0 */
/* indicators: known bad addresses and applications, each with the days between which it meant something.
 *
 * Rented addresses change hands, so an indicator is only valid with its window: both days inclusive, UTC.
 * Two sorted arrays, one for addresses and one for application ids; a look-up is a binary search, and with the built-in
 * list alone that is six comparisons.
 *
 * The CSV of --ioc: a header row that names at least `indicator` and `type`, in any order of columns; then one indicator
 * a row.  Types ipv4, ipv6, ip and app-id are used; any other type (hashes, JARM, thumbprints, URLs) is counted as
 * skipped, since an audit log holds nothing to compare it with.  What cannot be read is refused with its line, and then
 * nothing of that file is used: half a list would look like a whole one. */
#include "detect/indicators.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/encoding.h"
#include "base/guid.h"
#include "base/limits.h"
#include "base/timefmt.h"

#define INDICATOR_FILE_BYTES_MAX (64 * MIB) /* about a million rows */
#define INDICATORS_MAX 1000000
#define INDICATOR_COLUMNS_MAX 64
#define INDICATOR_CELL_MAX 1024

/* The addresses of Storm-0558 as Microsoft published them on 2023-07-14 ("Analysis of Storm-0558 techniques for
 * unauthorized email access"): 8 web panels of the actor, 30 proxies, three of these from the post's text only.  The same
 * rows as data/storm-0558-iocs.csv; a unit test compares them.  The post's hashes, JARM and client strings are left
 * out: the first two cannot be seen in an audit log, and the strings also occur in Microsoft's own background reads. */
static const struct {
	const char *address, *first, *last, *description;
} storm_0558[] = {
	{ "195.26.87.219", "2023-05-15", "2023-06-25", "Token web panel" },
	{ "185.236.228.183", "2023-05-24", "2023-06-11", "Token web panel" },
	{ "85.239.63.160", "2023-06-07", "2023-06-11", "Token web panel" },
	{ "193.105.134.58", "2023-06-24", "2023-06-25", "Token web panel" },
	{ "146.0.74.16", "2023-06-28", "2023-07-04", "Token web panel" },
	{ "91.231.186.226", "2023-06-29", "2023-07-04", "Token web panel" },
	{ "91.222.174.41", "2023-06-29", "2023-07-03", "Token web panel" },
	{ "185.38.142.249", "2023-06-29", "2023-07-02", "Token web panel" },
	{ "51.89.156.153", "2023-03-09", "2023-07-10", "SoftEther proxy" },
	{ "176.31.90.129", "2023-03-28", "2023-06-29", "SoftEther proxy" },
	{ "137.74.181.100", "2023-03-31", "2023-07-11", "SoftEther proxy" },
	{ "193.36.119.45", "2023-04-19", "2023-07-07", "SoftEther proxy" },
	{ "185.158.248.159", "2023-04-24", "2023-07-06", "SoftEther proxy" },
	{ "131.153.78.188", "2023-05-06", "2023-06-29", "SoftEther proxy" },
	{ "37.143.130.146", "2023-05-12", "2023-05-19", "SoftEther proxy" },
	{ "146.70.157.45", "2023-05-12", "2023-06-08", "SoftEther proxy" },
	{ "185.195.200.39", "2023-05-15", "2023-06-29", "SoftEther proxy" },
	{ "185.38.142.229", "2023-05-15", "2023-07-12", "SoftEther proxy" },
	{ "146.70.121.44", "2023-05-17", "2023-06-29", "SoftEther proxy" },
	{ "31.42.177.181", "2023-05-22", "2023-05-23", "SoftEther proxy" },
	{ "185.51.134.52", "2023-06-07", "2023-07-11", "SoftEther proxy" },
	{ "173.44.226.70", "2023-06-09", "2023-07-11", "SoftEther proxy" },
	{ "45.14.227.233", "2023-06-12", "2023-06-26", "SoftEther proxy" },
	{ "185.236.231.109", "2023-06-12", "2023-07-03", "SoftEther proxy" },
	{ "178.73.220.149", "2023-06-16", "2023-07-12", "SoftEther proxy" },
	{ "45.14.227.212", "2023-06-19", "2023-06-29", "SoftEther proxy" },
	{ "91.222.173.225", "2023-06-20", "2023-07-01", "SoftEther proxy" },
	{ "146.70.35.168", "2023-06-22", "2023-06-29", "SoftEther proxy" },
	{ "146.70.157.213", "2023-06-26", "2023-06-30", "SoftEther proxy" },
	{ "31.42.177.201", "2023-06-27", "2023-06-29", "SoftEther proxy" },
	{ "5.252.176.8", "2023-07-01", "2023-07-01", "SoftEther proxy" },
	{ "80.85.158.215", "2023-07-01", "2023-07-09", "SoftEther proxy" },
	{ "193.149.129.88", "2023-07-02", "2023-07-12", "SoftEther proxy" },
	{ "5.252.178.68", "2023-07-03", "2023-07-11", "SoftEther proxy" },
	{ "116.202.251.8", "2023-07-04", "2023-07-07", "SoftEther proxy" },
	{ "185.158.248.93", "2023-06-25", "2023-06-26", "SoftEther proxy (body table only)" },
	{ "20.108.240.252", "2023-06-25", "2023-07-05", "SoftEther proxy (body table only; Azure address space - shared-IP trap)" },
	{ "146.70.135.182", "2023-05-18", "2023-06-22", "SoftEther proxy (body table only)" },
};

struct set {
	struct indicator *v;
	size_t n, capacity;
};

struct indicators {
	struct set addresses, apps;
};

/* -- sets -- */

static bool set_add(struct set *s, const struct indicator *x)
{
	if (s->n == s->capacity) {
		size_t capacity = s->capacity ? s->capacity * 2 : 64;
		struct indicator *v = realloc(s->v, capacity * sizeof *v);
		if (!v)
			return false;
		s->v = v;
		s->capacity = capacity;
	}
	s->v[s->n++] = *x;
	return true;
}

static int compare_addr(const struct addr *a, const struct addr *b)
{
	return a->kind != b->kind ? (a->kind < b->kind ? -1 : 1) : memcmp(a->b, b->b, 16);
}

static int compare(const void *px, const void *py)
{
	const struct indicator *x = px, *y = py;
	int c = x->is_app ? memcmp(x->app, y->app, 16) : compare_addr(&x->addr, &y->addr);
	if (c)
		return c;
	if (x->from_us != y->from_us)
		return x->from_us < y->from_us ? -1 : 1;
	if (x->to_us != y->to_us)
		return x->to_us < y->to_us ? -1 : 1;
	c = strcmp(x->source, y->source);
	return c ? c : strcmp(x->description, y->description);
}

static void set_sort(struct set *s)
{
	if (s->n)
		qsort(s->v, s->n, sizeof *s->v, compare);
}

/* -- life -- */

static void copy_text(char *out, size_t size, struct str s)
{
	size_t n = s.n < size - 1 ? s.n : size - 1;
	if (n)
		memcpy(out, s.p, n);
	out[n] = 0;
}

/* Sets the window from two cells, days; empty is open. */
static bool set_window(struct indicator *x, struct str first, struct str last)
{
	x->from_us = INT64_MIN;
	x->to_us = INT64_MAX;
	if (first.n && !time_parse(first, &x->from_us))
		return false;
	if (last.n) {
		if (!time_parse(last, &x->to_us))
			return false;
		x->to_us += US_PER_DAY - (x->to_us % US_PER_DAY + US_PER_DAY) % US_PER_DAY; /* to the end of that day */
	}
	if (first.n)
		x->from_us -= (x->from_us % US_PER_DAY + US_PER_DAY) % US_PER_DAY;
	return x->from_us < x->to_us;
}

struct indicators *indicators_new(void)
{
	struct indicators *x = calloc(1, sizeof *x);
	if (!x)
		return NULL;
	for (size_t i = 0; i < sizeof storm_0558 / sizeof *storm_0558; i++) {
		struct indicator row = { .source = "storm-0558", .addr = addr_parse(str_of(storm_0558[i].address)) };
		copy_text(row.text, sizeof row.text, str_of(storm_0558[i].address));
		copy_text(row.description, sizeof row.description, str_of(storm_0558[i].description));
		if (!set_window(&row, str_of(storm_0558[i].first), str_of(storm_0558[i].last)) ||
		    !set_add(&x->addresses, &row)) {
			indicators_free(x);
			return NULL;
		}
	}
	set_sort(&x->addresses);
	return x;
}

void indicators_free(struct indicators *x)
{
	if (!x)
		return;
	free(x->addresses.v);
	free(x->apps.v);
	free(x);
}

size_t indicators_count(const struct indicators *x)
{
	return x->addresses.n + x->apps.n;
}

bool indicators_have_apps(const struct indicators *x)
{
	return x->apps.n > 0;
}

/* -- look-up -- */

static const struct indicator *find(const struct set *s, const struct indicator *key, size_t *ret_n)
{
	size_t low = 0, high = s->n, end;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int c = key->is_app ? memcmp(s->v[middle].app, key->app, 16) : compare_addr(&s->v[middle].addr, &key->addr);
		if (c < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (end = low; end < s->n; end++)
		if (key->is_app ? memcmp(s->v[end].app, key->app, 16) != 0 : compare_addr(&s->v[end].addr, &key->addr) != 0)
			break;
	*ret_n = end - low;
	return end > low ? &s->v[low] : NULL;
}

const struct indicator *indicators_for_addr(const struct indicators *x, const struct addr *a, size_t *ret_n)
{
	struct indicator key = { .addr = *a };
	*ret_n = 0;
	return a->kind == ADDR_V4 || a->kind == ADDR_V6 ? find(&x->addresses, &key, ret_n) : NULL;
}

const struct indicator *indicators_for_app(const struct indicators *x, const uint8_t app[16], size_t *ret_n)
{
	struct indicator key = { .is_app = true };
	memcpy(key.app, app, 16);
	return find(&x->apps, &key, ret_n);
}

/* -- the CSV file -- */

struct reader {
	const char *p, *end;
	char delimiter;      /* , ; or TAB */
	size_t line;         /* of the row being read, from 1 */
	size_t next_line;
	struct str cells[INDICATOR_COLUMNS_MAX];
	size_t n;
	char *unquoted;      /* room for cells with doubled quotes: as long as the file */
	size_t unquoted_used;
	const char *error;
};

/* Reads one cell; the position is then after it, on a comma or an end of line.  False: the reason is in error. */
static bool read_cell(struct reader *r, struct str *ret)
{
	if (r->p < r->end && *r->p == '"') {
		char *start = r->unquoted + r->unquoted_used, *to = start;
		for (r->p++;; r->p++) {
			if (r->p == r->end) {
				r->error = "a quote is never closed";
				return false;
			}
			if (*r->p == '"') {
				r->p++;
				if (r->p == r->end || *r->p != '"')
					break; /* closed; a doubled quote goes on as one */
			}
			if (*r->p == '\n')
				r->next_line++;
			*to++ = *r->p;
		}
		r->unquoted_used += (size_t)(to - start);
		*ret = (struct str){ start, (size_t)(to - start) };
		if (r->p < r->end && *r->p != r->delimiter && *r->p != '\n' && *r->p != '\r') {
			r->error = "text after a closing quote";
			return false;
		}
	} else {
		const char *start = r->p;
		while (r->p < r->end && *r->p != r->delimiter && *r->p != '\n' && *r->p != '\r')
			r->p++; /* a quote in the middle is a character: people write it so */
		*ret = (struct str){ start, (size_t)(r->p - start) };
	}
	*ret = str_trim(*ret);
	if (ret->n > INDICATOR_CELL_MAX || memchr(ret->p ? ret->p : "", 0, ret->n)) {
		r->error = "a cell that is too long, or that holds a NUL byte";
		return false;
	}
	return true;
}

/* The next row that is not empty.  False: the end, or an error. */
static bool read_row(struct reader *r)
{
	while (r->p < r->end) {
		r->line = r->next_line;
		r->n = 0;
		r->unquoted_used = 0;
		for (;;) {
			if (r->n == INDICATOR_COLUMNS_MAX) {
				r->error = "more than 64 columns";
				return false;
			}
			if (!read_cell(r, &r->cells[r->n]))
				return false;
			r->n++;
			if (r->p == r->end || *r->p != r->delimiter)
				break;
			r->p++;
		}
		if (r->p < r->end && *r->p == '\r')
			r->p++;
		if (r->p < r->end && *r->p == '\n')
			r->p++;
		r->next_line++;
		if (r->n > 1 || r->cells[0].n)
			return true;
	}
	return false;
}

enum column { COLUMN_INDICATOR, COLUMN_TYPE, COLUMN_FIRST, COLUMN_LAST, COLUMN_DESCRIPTION, COLUMN_COUNT };

static bool read_header(struct reader *r, size_t at[COLUMN_COUNT])
{
	static const char *const names[COLUMN_COUNT] = { "indicator", "type", "first_seen", "last_seen", "description" };
	if (!read_row(r))
		return false;
	for (unsigned c = 0; c < COLUMN_COUNT; c++) {
		at[c] = SIZE_MAX;
		for (size_t i = 0; i < r->n; i++)
			if (str_eq_nocase(r->cells[i], str_of(names[c])))
				at[c] = i;
	}
	return at[COLUMN_INDICATOR] != SIZE_MAX && at[COLUMN_TYPE] != SIZE_MAX;
}

static struct str cell(const struct reader *r, size_t at)
{
	return at < r->n ? r->cells[at] : STR_NONE;
}

/* One row to an indicator.  *ret_skip: of a type that audit logs do not hold. */
static bool read_indicator(struct reader *r, const size_t at[COLUMN_COUNT], struct indicator *x, bool *ret_skip)
{
	struct str text = cell(r, at[COLUMN_INDICATOR]), type = cell(r, at[COLUMN_TYPE]);
	*ret_skip = false;
	copy_text(x->text, sizeof x->text, text);
	copy_text(x->description, sizeof x->description, cell(r, at[COLUMN_DESCRIPTION]));
	if (str_eq_nocase(type, STR("ipv4")) || str_eq_nocase(type, STR("ipv6")) || str_eq_nocase(type, STR("ip"))) {
		x->addr = addr_parse(text);
		if (x->addr.kind != ADDR_V4 && x->addr.kind != ADDR_V6) {
			r->error = "the indicator is not an internet address";
			return false;
		}
	} else if (str_eq_nocase(type, STR("app-id")) || str_eq_nocase(type, STR("app_id"))) {
		x->is_app = true;
		if (!guid_parse(text, x->app)) {
			r->error = "the indicator is not an application id (a GUID)";
			return false;
		}
	} else if (!type.n) {
		r->error = "no type; write ipv4, ipv6 or app-id";
		return false;
	} else {
		*ret_skip = true;
		return true;
	}
	if (!set_window(x, cell(r, at[COLUMN_FIRST]), cell(r, at[COLUMN_LAST]))) {
		r->error = "first_seen and last_seen are not days in order; write 2023-05-15, or leave them empty";
		return false;
	}
	return true;
}

static char *read_file(const char *path, size_t *ret_n, struct buf *reterr)
{
	FILE *f = fopen(path, "rb");
	char *p = NULL;
	size_t n = 0, capacity = 0;
	if (!f) {
		buf_printf(reterr, "%s: %s", path, strerror(errno));
		return NULL;
	}
	for (;;) {
		if (n == capacity) {
			capacity = capacity ? capacity * 2 : 64 * KIB;
			char *q = capacity <= 2 * INDICATOR_FILE_BYTES_MAX ? realloc(p, capacity) : NULL;
			if (!q) {
				buf_printf(reterr, "%s: larger than 64 MiB; split the list", path);
				goto fail;
			}
			p = q;
		}
		size_t got = fread(p + n, 1, capacity - n, f);
		n += got;
		if (n > INDICATOR_FILE_BYTES_MAX) {
			buf_printf(reterr, "%s: larger than 64 MiB; split the list", path);
			goto fail;
		}
		if (!got)
			break;
	}
	if (ferror(f)) {
		buf_printf(reterr, "%s: %s", path, strerror(errno));
		goto fail;
	}
	fclose(f);
	*ret_n = n;
	return p;
fail:
	free(p);
	fclose(f);
	return NULL;
}

static struct str base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return str_of(slash ? slash + 1 : path);
}

bool indicators_add_file(struct indicators *x, const char *path, size_t *ret_added, size_t *ret_skipped, struct buf *reterr)
{
	struct set addresses = { 0 }, apps = { 0 };
	size_t n = 0, skipped = 0, at[COLUMN_COUNT];
	bool done = false;
	struct reader r = { .line = 1, .next_line = 1 };
	struct buf utf8;
	char *text = read_file(path, &n, reterr);
	if (!text)
		return false;
	buf_init(&utf8, 3 * (size_t)INDICATOR_FILE_BYTES_MAX + 128);
	if (!text_to_utf8((struct str){ text, n }, &utf8, NULL) || !(r.unquoted = malloc(utf8.n + 1)))
		goto no_memory;
	r.p = utf8.p;
	r.end = utf8.p + utf8.n;
	while (str_starts_nocase((struct str){ r.p, (size_t)(r.end - r.p) }, STR("sep="))) { /* Excel's own line */
		const char *nl = memchr(r.p, '\n', (size_t)(r.end - r.p));
		r.p = nl ? nl + 1 : r.end;
		r.line = ++r.next_line;
	}
	const char *nl = memchr(r.p, '\n', (size_t)(r.end - r.p));
	const size_t first = nl ? (size_t)(nl - r.p) : (size_t)(r.end - r.p);
	r.delimiter = memchr(r.p, ',', first) ? ',' : memchr(r.p, ';', first) ? ';' : '\t';
	if (!read_header(&r, at)) {
		buf_printf(reterr, "%s:%zu: %s; the first row must name the columns "
			   "indicator,type,first_seen,last_seen,description", path, r.line, r.error ? r.error : "no header");
		goto out;
	}
	while (read_row(&r)) {
		struct indicator row = { 0 };
		bool skip;
		copy_text(row.source, sizeof row.source, base_name(path));
		if (!read_indicator(&r, at, &row, &skip))
			break;
		if (skip) {
			skipped++;
			continue;
		}
		if (indicators_count(x) + addresses.n + apps.n >= INDICATORS_MAX) {
			r.error = "more than 1,000,000 indicators; split the list";
			break;
		}
		if (!set_add(row.is_app ? &apps : &addresses, &row))
			goto no_memory;
	}
	if (r.error) {
		buf_printf(reterr, "%s:%zu: %s", path, r.line, r.error);
		goto out;
	}
	for (size_t i = 0; i < addresses.n; i++)
		if (!set_add(&x->addresses, &addresses.v[i]))
			goto no_memory;
	for (size_t i = 0; i < apps.n; i++)
		if (!set_add(&x->apps, &apps.v[i]))
			goto no_memory;
	*ret_added = addresses.n + apps.n;
	*ret_skipped = skipped;
	done = true;
	goto out;

no_memory:
	buf_printf(reterr, "%s: out of memory", path);
out:
	set_sort(&x->addresses);
	set_sort(&x->apps);
	free(addresses.v);
	free(apps.v);
	free(r.unquoted);
	buf_release(&utf8);
	free(text);
	return done;
}
