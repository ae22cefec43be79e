/* SPDX-License-Identifier: Apache-2.0 */
/* sniff: what a stream is, from its first bytes.  Never from its name.
 *
 *   { or [ first    JSON: lines if most of the whole lines in sight are objects by themselves, else values
 *   a header row    CSV, if its columns make an audit, OfficeActivity, Defender, sign-in or directory table; it may be below titles
 *   text { ... }    lines of JSON after a syslog head
 *
 * Anything else goes to strangers.c.
 */
#include "decode/decode_int.h"

enum { TITLES_MAX = 20 }; /* lines above a header */

static struct str next_line(const char *p, size_t n, size_t *at, bool final, bool *ret_whole)
{
	const char *nl = memchr(p + *at, '\n', n - *at);
	size_t end = nl ? (size_t)(nl - p) : n;
	struct str line = { p + *at, end - *at };
	*ret_whole = nl != NULL || final;
	*at = nl ? end + 1 : n;
	return str_trim(line);
}

static enum framing sniff_json(const char *p, size_t n, bool final)
{
	size_t good = 0, other = 0;
	for (size_t at = 0; at < n; ) {
		bool whole;
		struct str line = next_line(p, n, &at, final && at > 0, &whole);
		if (!whole || line.n == 0)
			continue;
		char first = line.p[0], last = line.p[line.n - 1];
		/* (an array on a line is read as values: a fault in it costs one element there, here the line) */
		if (line.n > 2 && first == '{' && last == '}')
			good++;
		else
			other++;
	}
	return good > other ? FRAME_LINES : FRAME_VALUES;
}

/* "TimeGenerated [UTC]" -> field, and its zone; exporters split dynamic columns into name_dynamic and name_string */
enum field column_field(struct str name, struct str *ret_zone)
{
	enum field x = field_of_heading(name, ret_zone);
	name = str_trim(name);
	if (x == FIELD_COUNT && str_ends_nocase(name, STR("_dynamic")))
		x = field_find((struct str){ name.p, name.n - 8 });
	return x;
}

/* Reads the header row at p; false: no whole row, or no table of ours. */
static bool read_header(const char *p, size_t n, bool final, char delimiter, struct csv_header *h, size_t *ret_end)
{
	bool has[FIELD_COUNT] = { false };
	size_t at = 0;
	bool more = true;
	memset(h, 0, sizeof *h);
	h->delimiter = delimiter;
	while (more) {
		struct str cell;
		if (at < n && p[at] == '"') {
			const char *quote = memchr(p + at + 1, '"', n - at - 1);
			if (!quote)
				return false;
			cell = (struct str){ p + at + 1, (size_t)(quote - p) - at - 1 };
			at = (size_t)(quote - p) + 1;
			while (at < n && (p[at] == ' ' || p[at] == '\r'))
				at++;
			if (at < n && p[at] != delimiter && p[at] != '\n')
				return false;
		} else {
			size_t from = at;
			while (at < n && p[at] != delimiter && p[at] != '\n')
				at++;
			cell = (struct str){ p + from, at - from };
		}
		struct str zone;
		enum field x = column_field(cell, &zone);
		if (h->columns < CSV_COLUMNS_MAX) { /* those after are not looked at */
			if (x != FIELD_COUNT && (!has[x] || x == F_flattened)) {
				h->column[h->columns] = (uint16_t)(x + 1);
				h->last_known = h->columns;
				has[x] = true;
				if (zone.n) /* (a zone that does not fit is none that is known) */
					memcpy(h->zone[time_column(x)], zone.n < ZONE_TEXT_MAX ? zone.p : "?", zone.n < ZONE_TEXT_MAX ? zone.n : 1);
			}
			h->columns++;
		}
		if (at == n && !final)
			return false;
		more = at < n && p[at] == delimiter;
		at += at < n;
	}
	*ret_end = at;
	return has[F_AuditData] || (has[F_Operation] && (has[F_CreationTime] || has[F_OfficeWorkload]))
		|| (has[F_ActionType] && (has[F_RawEventData] || has[F_ReportId]))
		|| (has[F_AppId] && (has[F_userPrincipalName] || has[F_servicePrincipalId])
			&& (has[F_ResultType] || has[F_status] || has[F_createdDateTime] || has[F_TimeGenerated]))
		|| (has[F_ApplicationId] && has[F_Timestamp] && has[F_ErrorCode]) || (has[F_requestUri] && has[F_AppId])
		|| has[F_event_original]
		|| has[F_TargetResources] || has[F_raw];
}

/* A row in the middle that is a header: of names alone, and a table of ours.  (A row of values has a time, a number, an address or
 * JSON in it; the content of a single cell cannot make it look like a header.) */
bool csv_header_row(const char *p, size_t n, struct csv_header *h)
{
	static const char delimiters[] = ",;\t|";
	if (n > 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) {
		p += 3;
		n -= 3;
	}
	if (n > CSV_HEADER_BYTES_MAX || memchr(p, '{', n < 1024 ? n : 1024))
		return false;
	bool begins = true, known = false;
	size_t from = 0;
	for (size_t i = 0; i <= n; i++) {
		char c = i < n ? p[i] : '\n';
		if (c == ',' || c == ';' || c == '\t' || c == '|' || c == '\n') {
			struct str cell = str_trim((struct str){ p + from, i - from }), zone;
			if (cell.n > 1 && cell.p[0] == '"' && cell.p[cell.n - 1] == '"')
				cell = (struct str){ cell.p + 1, cell.n - 2 };
			known |= column_field(cell, &zone) != FIELD_COUNT;
			from = i + 1;
			begins = true;
		} else if (c == '{' || (begins && c >= '0' && c <= '9')) {
			return false;
		} else if (c != '"' && c != ' ') {
			begins = false;
		}
	}
	size_t end;
	for (const char *d = delimiters; known && *d; d++)
		if (read_header(p, n, true, *d, h, &end) && h->columns > 1)
			return true;
	return false;
}

/* A header below titles, as people and portals put them above a table, is one if what follows it has its form. */
static bool header_below(const char *p, size_t n, bool final, size_t *at, struct csv_header *h)
{
	bool whole;
	struct str line = next_line(p, n, at, final, &whole), row = STR_NONE;
	size_t cells = 1;
	if (!whole || !csv_header_row(line.p, line.n, h))
		return false;
	for (size_t next = *at; next < n && row.n == 0; )
		row = next_line(p, n, &next, true, &whole);
	for (size_t i = 0; i < row.n; i++)
		cells += row.p[i] == h->delimiter;
	return row.n == 0 || cells * 2 >= h->columns;
}

enum framing sniff(const char *p, size_t n, bool final, struct csv_header *header, size_t *ret_skip)
{
	size_t at = 0;
	*ret_skip = 0;
	while (at < n && (p[at] == ' ' || p[at] == '\t' || p[at] == '\r' || p[at] == '\n'))
		at++;
	if (at == n)
		return FRAME_UNKNOWN;
	if ((p[at] == '{' && (at + 1 == n || p[at + 1] != '\\')) || p[at] == '[') /* RTF begins with {\ */
		return sniff_json(p + at, n - at, final);

	/* CSV: the first line that is no comment, or one of the next few */
	size_t titles = 0;
	for (size_t from = at; from < n; ) {
		size_t line_at = from;
		bool whole;
		struct str line = next_line(p, n, &from, true, &whole);
		if (line.n == 0 || line.p[0] == '#' || str_starts_nocase(line, STR("sep=")))
			continue;
		static const char delimiters[] = ",;\t|";
		for (const char *d = delimiters; *d; d++) {
			size_t end;
			if (read_header(p + line_at, n - line_at, final, *d, header, &end) && (header->columns > 1 || *d == ',')) {
				*ret_skip = line_at + end;
				return FRAME_ROWS;
			}
		}
		while (from < n && titles++ < TITLES_MAX) {
			if (header_below(p, n, final, &from, header)) {
				*ret_skip = from;
				return FRAME_ROWS;
			}
		}
		break;
	}

	size_t lines = 0, json = 0;
	for (size_t from = at; from < n && lines < 20; ) {
		bool whole;
		struct str line = next_line(p, n, &from, final, &whole);
		if (!whole || line.n == 0)
			continue;
		lines++;
		ptrdiff_t open = str_find(line, STR("{\""));
		json += open > 0 && open < 1024 && line.p[line.n - 1] == '}';
		json += str_starts(line, STR("\"{\\\"")) && str_ends_nocase(line, STR("}\"")); /* a record as text */
	}
	return json && json * 2 >= lines ? FRAME_LINES : FRAME_UNKNOWN;
}
