/* SPDX-License-Identifier: Apache-2.0 */
/* frame: cuts a stream into blocks of whole records, so that blocks can be decoded by any thread.
 *
 *   lines   cut after the last newline (a newline cannot be inside a JSON string)
 *   rows    cut after the last newline that ends a row; csv.c and this file agree to the byte on what a row is.  A row that is
 *           a header ends the block before it and holds for the rows after it, so that every block has one header
 *   values  a small scanner follows strings and brackets and marks where each object begins and ends.  Arrays, commas and
 *           the outer braces of {"value": [...]} and {"records": [...]} are mere separators to it, so that a page of ten
 *           gigabytes is as good as a line.  A single line that is too long for a record is read in this way as well.
 *           A page need not have one of these names: an object or a list that is too long for a record, or that the stream ends
 *           in, and that holds a list of objects and is no record itself, is opened: its members become values by themselves.
 *
 * A fault costs only what it touches.  An over-long line or value is dropped (too_long) while its end is sought.  A quote
 * that is never closed costs its line.  A bracket that is never closed, or a quote missing from a page without lines, is
 * noticed where the grammar breaks (a brace where no value can stand, a letter right after a closing quote): the value
 * is broken there, and reading goes on at the next brace that can begin one.
 *
 * What is cut, dropped and marked depends on the bytes alone, never on how they came in: no decision is taken before the
 * bytes it depends on are there, and RECORD_BYTES_MAX is kept to the byte.  Each byte is looked at twice at most, and twice more for
 * each of the PAGE_DEPTH_MAX pages that may be open around it.  The buffer never grows past RECORD_BYTES_MAX and a read. */
#include "decode/decode_int.h"

#include <stdlib.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { PADDING = 64, LIST_BLANKS_MAX = 256 };

enum row_state { ROW_BEGIN, ROW_CELL, ROW_BARE, ROW_QUOTED, ROW_QUOTE, ROW_CLOSED, ROW_SKIP };

/* the last token of a value, as far as it matters to what may follow */
enum after { AFTER_OPEN, AFTER_COMMA, AFTER_COLON, AFTER_QUOTE, AFTER_VALUE };

struct rows { /* positions relative to frame.start */
	enum row_state state;
	size_t row;         /* where this row begins */
	size_t first, last; /* after the newline that ends the first and the last row in sight, 0 = none yet */
	size_t header, header_end; /* a row that is a header: where scanning has stopped; 0 and 0 = none */
	bool loose;         /* a quote inside a cell that does not begin with one: no cell after it may span lines */
};

struct values { /* positions relative to frame.start */
	size_t at;          /* next byte to look at */
	size_t begin;       /* of this value */
	unsigned depth;     /* 0 = between values */
	uint32_t open;      /* lists and outer objects open around it, which are only counted: see frame_ends_open() */
	bool doubt;         /* a broken value has passed: the count may be off */
	bool deep;          /* more of them than JSON_DEPTH_MAX */
	bool list;          /* the outermost level is a list, which is dropped */
	uint64_t objects;   /* a bit for each level inside of it, the innermost lowest: a brace opened it */
	enum after after;
	bool in_string;
	bool lost;          /* in a broken line: reading goes on at the next newline or {" that no colon precedes */
	bool key;           /* at depth 1: the next string is a member's name */
	bool naming;        /* ... and this is it */
	uint8_t record;     /* names of an audit record seen at depth 1 */
	bool text;          /* between values: a string that is junk unless a colon follows it */
	bool colon;         /* between values: what follows is the value of an outer member */
	bool page;          /* ... whose name means a list of records */
	bool member;        /* this value is that of an outer member */
	bool row;           /* ... is a row of a table, whose columns are in frame.header */
	bool table, rows_next, rows; /* the outer object has columns; its rows begin with the next bracket; we are between them */
	bool pause;         /* what is marked has to be handed out first */
	struct { uint32_t open; bool hard; } page_at[PAGE_DEPTH_MAX]; /* pages opened around it, see open_value() */
	uint8_t pages;
	bool junk_said;     /* in this line */
	bool one_line;      /* switch back to lines after the next newline */
	bool line_over;     /* ... which was seen */
	size_t name, name_n; /* last name at depth 1 */
};

struct frame {
	char *p;
	size_t start, end, capacity; /* unread bytes: [start, end) */
	uint64_t offset;             /* of p[start] in the stream */
	uint64_t file;
	bool sniffed, failed;
	enum framing framing;
	enum stranger stranger;
	struct csv_header *header;   /* in force: one of these, of which blocks have pointers until the next stream */
	struct csv_header **headers;
	size_t header_count;
	bool dropping;               /* inside a line or value that is too long */
	size_t scan;                 /* lines, rows: bytes after start already looked at */
	struct rows rows;
	struct values v;
};

const char *framing_name(enum framing x)
{
	static const char *const names[] = { "unknown", "lines", "values", "csv" };
	return names[x];
}

void block_release(struct block *b)
{
	free(b->p);
	free(b->parts);
	memset(b, 0, sizeof *b);
}

struct frame *frame_new(void)
{
	struct frame *f = calloc(1, sizeof *f);
	if (f && !(f->headers = calloc(CSV_HEADERS_MAX + 1, sizeof *f->headers))) {
		free(f);
		f = NULL;
	}
	return f;
}

static void drop_headers(struct frame *f)
{
	while (f->header_count)
		free(f->headers[--f->header_count]);
}

void frame_free(struct frame *f)
{
	if (!f)
		return;
	drop_headers(f);
	free(f->headers);
	free(f->p);
	free(f);
}

void frame_begin(struct frame *f, uint64_t file)
{
	drop_headers(f);
	*f = (struct frame){ .p = f->p, .capacity = f->capacity, .headers = f->headers, .file = file };
}

static bool same_header(const struct csv_header *a, const struct csv_header *b)
{
	return memcmp(a->zone, b->zone, sizeof a->zone) == 0 && memcmp(a->column, b->column, sizeof a->column) == 0 && a->columns == b->columns
		&& a->last_known == b->last_known && a->delimiter == b->delimiter;
}

/* From here on rows are those of this header.  Each different one is kept once; after too many of them no column is known. */
static void put_header(struct frame *f, const struct csv_header *h)
{
	const struct csv_header nothing = { .delimiter = h->delimiter };
	if (f->header_count == CSV_HEADERS_MAX)
		h = &nothing;
	for (size_t i = 0; i < f->header_count; i++) {
		if (same_header(f->headers[i], h)) {
			f->header = f->headers[i];
			return;
		}
	}
	struct csv_header *kept = malloc(sizeof *kept);
	if (!kept || f->header_count > CSV_HEADERS_MAX) {
		free(kept);
		f->failed |= !kept;
		return;
	}
	memcpy(kept, h, sizeof *kept);
	f->header = f->headers[f->header_count++] = kept;
}

bool frame_failed(const struct frame *f) { return f->failed; }
enum framing frame_framing(const struct frame *f) { return f->framing; }

bool frame_too_deep(const struct frame *f)
{
	return f->framing == FRAME_VALUES && f->v.deep;
}

bool frame_ends_open(const struct frame *f)
{
	return f->framing == FRAME_VALUES && f->v.open && !f->v.doubt && !f->v.one_line;
}
bool frame_sniffed(const struct frame *f) { return f->sniffed; }
enum stranger frame_stranger(const struct frame *f) { return f->sniffed ? f->stranger : STRANGER_PROSE; }

char *frame_room(struct frame *f, size_t *ret_capacity)
{
	if (f->start) {
		memmove(f->p, f->p + f->start, f->end - f->start);
		f->end -= f->start;
		f->start = 0;
	}
	if (f->capacity - f->end < READ_CHUNK_BYTES + PADDING) {
		size_t want = f->end + 2 * READ_CHUNK_BYTES + PADDING;
		char *p = realloc(f->p, want);
		if (!p) {
			f->failed = true;
			return NULL;
		}
		f->p = p;
		f->capacity = want;
	}
	*ret_capacity = READ_CHUNK_BYTES;
	return f->p + f->end;
}

void frame_fill(struct frame *f, size_t n)
{
	f->end += n;
}

static void shift_rows(struct frame *f, size_t n)
{
	f->rows.row = f->rows.row > n ? f->rows.row - n : 0;
	f->rows.first = f->rows.last = 0;
	f->rows.header = f->rows.header > n ? f->rows.header - n : 0;
	f->rows.header_end = f->rows.header_end > n ? f->rows.header_end - n : 0;
}

/* drops n bytes from the front */
static void drop(struct frame *f, size_t n)
{
	f->start += n;
	f->offset += n;
	f->scan = f->scan > n ? f->scan - n : 0;
	shift_rows(f, n);
}

/* Hands the first n bytes to the block, by swapping buffers; the rest moves to the other buffer. */
static bool give(struct frame *f, size_t n, struct block *b)
{
	size_t rest = f->end - f->start - n;
	if (b->capacity < rest + READ_CHUNK_BYTES + PADDING) {
		char *p = realloc(b->p, rest + 2 * READ_CHUNK_BYTES + PADDING);
		if (!p) {
			f->failed = true;
			return false;
		}
		b->p = p;
		b->capacity = rest + 2 * READ_CHUNK_BYTES + PADDING;
	}
	if (f->start) { /* a block begins at its buffer's first byte */
		memmove(f->p, f->p + f->start, n + rest);
		f->start = 0;
	}
	char *p = b->p;
	size_t capacity = b->capacity;
	memcpy(p, f->p + n, rest);
	b->p = f->p;
	b->n = n;
	b->capacity = f->capacity;
	b->framing = f->framing;
	b->header = f->header;
	b->file = f->file;
	b->offset = f->offset;
	b->broken = REJECT_COUNT;
	f->p = p;
	f->capacity = capacity;
	f->end = rest;
	f->offset += n;
	f->scan = f->scan > n ? f->scan - n : 0;
	shift_rows(f, n);
	return true;
}

/* A piece of the front as a reject of its own: n bytes are dropped, the beginning is kept for the sample. */
static bool give_broken(struct frame *f, size_t n, enum reject why, struct block *b)
{
	size_t length = f->end - f->start < REJECT_SAMPLE_BYTES ? f->end - f->start : REJECT_SAMPLE_BYTES;
	if (b->capacity < length + PADDING) {
		char *p = realloc(b->p, length + PADDING);
		if (!p) {
			f->failed = true;
			return false;
		}
		b->p = p;
		b->capacity = length + PADDING;
	}
	memcpy(b->p, f->p + f->start, length);
	b->n = length;
	b->framing = f->framing;
	b->header = f->header;
	b->file = f->file;
	b->offset = f->offset;
	b->broken = why;
	b->part_count = 0;
	drop(f, n);
	return true;
}

/* -- lines -- */

static bool take_lines(struct frame *f, bool final, struct block *b)
{
	char *p = f->p + f->start;
	size_t n = f->end - f->start;
	if (n == 0)
		return false;
	char *first = memchr(p + f->scan, '\n', n - f->scan);
	if (first ? (size_t)(first - p) > RECORD_BYTES_MAX : n > RECORD_BYTES_MAX) {
		/* perhaps a page on one line: the scanner of values takes it apart, or drops it */
		f->framing = FRAME_VALUES;
		memset(&f->v, 0, sizeof f->v);
		f->v.one_line = true;
		return false;
	}
	if (first)
		return give(f, (size_t)((char *)memrchr(first, '\n', (size_t)(p + n - first)) - p) + 1, b);
	f->scan = n;
	if (!final || !give(f, n, b))
		return false;
	b->broken = REJECT_TRUNCATED; /* if it does not parse */
	return true;
}

/* -- rows -- */

/* The position of the next quote at or after i that is not one of two; n if there is none.  A quote that is the last byte
 * in sight counts as one: the state that follows looks at the next byte. */
static size_t lone_quote(const char *p, size_t i, size_t n)
{
#ifdef __SSE2__
	/* sixty-four bytes at a time: AuditData is full of doubled quotes, which must not cost a call each */
	while (i + 64 < n) {
		uint64_t quotes = 0;
		for (int k = 0; k < 4; k++) {
			__m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i + 16 * k));
			quotes |= (uint64_t)(uint16_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8('"'))) << (16 * k);
		}
		size_t step = 64;
		while (quotes) {
			unsigned k = (unsigned)__builtin_ctzll(quotes);
			if (p[i + k + 1] != '"')
				return i + k;
			if (k == 63)
				step = 65;
			quotes &= quotes - 1;
			quotes &= quotes - 1;
		}
		i += step;
	}
#endif
	for (; i < n; i++) {
		if (p[i] != '"')
			continue;
		if (i + 1 == n || p[i + 1] != '"')
			return i;
		i++;
	}
	return n;
}

/* Follows the rows to the end of what is there.  The grammar is that of read_row() in csv.c, and so are the faults: a row
 * that breaks it ends after its first line, and the lines after that are read anew.
 *
 * No byte is read a third time: inside a quoted cell that swallowed lines, each of these has an even number of quotes, so
 * that each is a row by itself when it is read from its beginning. */
static void scan_rows(struct frame *f)
{
	const char *p = f->p + f->start, *nl;
	size_t n = f->end - f->start, i = f->scan;
	struct rows r = f->rows;
	const char delimiter = f->header->delimiter;
	struct csv_header h;
	while (i < n && !r.header_end) {
		bool bad = false, over = false;
		switch (r.state) {
		case ROW_BEGIN:
			r.row = i;
			r.loose = false;
			r.state = p[i] == '\n' || p[i] == '\r' || p[i] == '#' ? ROW_SKIP : ROW_CELL;
			continue;
		case ROW_CELL:
			r.state = p[i] == '"' ? ROW_QUOTED : ROW_BARE;
			i += p[i] == '"';
			continue;
		case ROW_BARE:
			while (i < n && p[i] != delimiter && p[i] != '\n')
				r.loose |= p[i++] == '"';
			if (i == n)
				continue;
			over = p[i++] == '\n';
			r.state = ROW_CELL;
			break;
		case ROW_QUOTED: {
			size_t quote = lone_quote(p, i, n);
			if (r.loose && (nl = memchr(p + i, '\n', quote - i))) {
				i = (size_t)(nl - p);
				bad = true;
				break;
			}
			i = quote < n ? quote + 1 : n;
			if (quote < n)
				r.state = ROW_QUOTE;
			break;
		}
		case ROW_QUOTE:
			r.state = p[i] == '"' ? ROW_QUOTED : ROW_CLOSED;
			i += p[i] == '"';
			break;
		case ROW_CLOSED:
			while (i < n && (p[i] == ' ' || p[i] == '\r'))
				i++;
			if (i == n)
				continue;
			bad = p[i] != delimiter && p[i] != '\n';
			over = p[i] == '\n';
			i += !bad;
			r.state = ROW_CELL;
			break;
		case ROW_SKIP:
			nl = memchr(p + i, '\n', n - i);
			over = nl != NULL;
			i = nl ? (size_t)(nl - p) + 1 : n;
			break;
		}
		if (bad) {
			nl = memchr(p + r.row, '\n', i - r.row);
			if (nl)
				i = (size_t)(nl - p) + 1;
			over = nl != NULL;
			r.state = ROW_SKIP; /* if its first line goes on */
		}
		/* (a header with another delimiter may be no row by this one) */
		if (over && p[r.row] != '#' && csv_header_row(p + r.row, i - r.row, &h)) {
			r.header = r.row;
			r.header_end = i;
			r.state = ROW_BEGIN;
		} else if (over) {
			r.state = ROW_BEGIN;
			r.row = i;
			r.last = i;
			r.first = r.first ? r.first : i;
		}
	}
	f->scan = i < n ? i : n;
	f->rows = r;
}

static bool take_rows(struct frame *f, bool final, struct block *b)
{
	size_t n = f->end - f->start;
	if (f->dropping) {
		char *nl = n ? memchr(f->p + f->start, '\n', n) : NULL;
		drop(f, nl ? (size_t)(nl - f->p) + 1 - f->start : n);
		f->dropping = nl == NULL;
		n = f->end - f->start;
	}
	if (n == 0)
		return false;
	scan_rows(f);
	while (f->rows.header_end && f->rows.header == 0) { /* a loop: a file may be nothing but headers */
		struct csv_header h;
		if (csv_header_row(f->p + f->start, f->rows.header_end, &h))
			put_header(f, &h);
		drop(f, f->rows.header_end);
		n = f->end - f->start;
		if (n == 0)
			return false;
		scan_rows(f);
	}
	if (f->rows.header_end)
		return give(f, f->rows.header, b);
	bool too_long = f->rows.first ? f->rows.first - 1 > RECORD_BYTES_MAX : n > RECORD_BYTES_MAX;
	if (f->rows.last && !too_long)
		return give(f, f->rows.last, b);
	if (!too_long && !final)
		return false;
	char *nl = memchr(f->p + f->start, '\n', n);
	size_t line = nl ? (size_t)(nl - f->p) + 1 - f->start : n;
	bool given;
	if (too_long && line - (nl != NULL) > RECORD_BYTES_MAX) {
		f->dropping = nl == NULL;
		given = give_broken(f, line, REJECT_TOO_LONG, b);
	} else if (line < n && (too_long || f->rows.state == ROW_QUOTED)) {
		/* an unclosed quote: its first line is lost, what follows is read anew */
		given = give(f, line, b);
	} else {
		given = give(f, n, b);
		b->broken = REJECT_TRUNCATED; /* if it is no whole row */
	}
	f->scan = 0;
	memset(&f->rows, 0, sizeof f->rows);
	return given;
}

/* -- values -- */

static bool add_part(struct frame *f, struct block *b, size_t begin, size_t end, enum part_kind kind)
{
	if (b->part_count + 1 > b->part_capacity) {
		size_t want = b->part_capacity ? b->part_capacity * 2 : 64;
		struct part *parts = realloc(b->parts, want * sizeof *parts);
		if (!parts) {
			f->failed = true;
			return false;
		}
		b->parts = parts;
		b->part_capacity = want;
	}
	b->parts[b->part_count++] = (struct part){ (uint32_t)begin, (uint32_t)end, kind };
	return true;
}

/* the position of the next quote, backslash or newline; n if there is none */
static size_t string_stop(const char *p, size_t i, size_t n)
{
#ifdef __SSE2__
	for (; i + 16 <= n; i += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
		__m128i hit = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')),
			_mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('\\')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\n'))));
		unsigned bits = (unsigned)_mm_movemask_epi8(hit);
		if (bits)
			return i + (unsigned)__builtin_ctz(bits);
	}
#endif
	while (i < n && p[i] != '"' && p[i] != '\\' && p[i] != '\n')
		i++;
	return i;
}

static bool name_is(const char *p, const struct values *v, struct str name)
{
	return str_eq_nocase((struct str){ p + v->name, v->name_n }, name);
}

static bool is_wrapper(struct str name)
{
	return str_eq_nocase(name, STR("value")) || str_eq_nocase(name, STR("records")) || str_eq_nocase(name, STR("activities"));
}

/* a member of that name: 1 and 2 together make an audit record, whose lists are its own */
static uint8_t record_name(struct str name)
{
	return str_eq_nocase(name, STR("CreationTime")) ? 1 : str_eq_nocase(name, STR("Operation")) ? 2 : 0;
}

/* is this level that of an object? */
static inline bool is_object(const struct values *v)
{
	return v->depth == 1 ? !v->list : v->objects & 1;
}

/* -- pages without a name -- */

/* Half of what makes a record: 1 the time of an event, 2 what happened, or who did it where. */
static uint8_t half_of_record(struct str name)
{
	switch (field_find(name)) {
	case F_CreationTime:
	case F_CreationDate:
	case F_createdDateTime:
	case F_ActivityDateTime:
	case F_TimeGenerated:
	case F_Timestamp:
	case F_time:
		return 1;
	case F_Operation:
	case F_Operations:
	case F_OrganizationId:
	case F_UserId:
	case F_UserIds:
	case F_AppId:
	case F_AuditData:
	case F_ActionType:
	case F_category:
	case F_operationName:
	case F_userPrincipalName:
	case F_ActivityDisplayName:
	case F_requestUri:
		return 2;
	default:
		return 0;
	}
}

struct survey {
	bool list, map;              /* a list of objects in it; it is an object of several objects */
	bool record;                 /* it is a record itself */
	bool records;                /* a list of records in it */
	size_t columns, columns_end; /* a list of that name in it */
	struct str kind;             /* and which table it is */
};

/* What is in the value that begins with p?  Its end need not be there. */
static struct survey look_into(const char *p, size_t n)
{
	enum { SEVERAL = 3 };
	struct { bool is_object, is_key, is_columns, is_kind; uint8_t record; uint32_t objects; size_t begin; } at[INSIDE_DEPTH_MAX + 1] = { { 0 } }, *l;
	struct survey s = { 0 };
	unsigned depth = 0, beyond = 0; /* levels that are not looked at: too deep, or inside of a record */
	for (size_t i = 0; i < n; i++) {
		char c = p[i];
		l = depth ? &at[depth - 1] : NULL;
		if (c == '"') {
			const size_t from = ++i;
			while (i < n && (i = string_stop(p, i, n)) < n && p[i] == '\\')
				i += 2;
			if (i >= n || p[i] == '\n')
				break;
			if (beyond || !l)
				continue;
			const struct str text = { p + from, i - from };
			if (l->is_key) {
				l->record |= half_of_record(text);
				l->is_columns = str_eq_nocase(text, STR("columns"));
				l->is_kind = str_eq_nocase(text, STR("TableKind"));
			} else if (depth == 1 && l->is_kind) {
				s.kind = text;
			}
			l->is_key = false;
		} else if (c == '{' || c == '[') {
			if (beyond || depth == INSIDE_DEPTH_MAX || (l && l->record == 3)) {
				beyond++;
				continue;
			}
			memset(&at[depth], 0, sizeof at[depth]);
			at[depth].is_object = at[depth].is_key = c == '{';
			at[depth++].begin = i;
		} else if (c == '}' || c == ']') {
			if (beyond) {
				beyond--;
				continue;
			}
			if (!l || l->is_object != (c == '}') || --depth == 0)
				break;
			const bool is_record = l->record == 3, in_columns = l[-1].is_columns || (depth > 1 && l[-2].is_columns);
			l--;
			if (depth == 1 && l->is_columns && c == ']' && !s.columns) {
				s.columns = l[1].begin;
				s.columns_end = i + 1;
			}
			l->objects += c == '}';
			s.list |= !l->is_object && !in_columns && (c == '}' || s.columns);
			s.map |= depth == 1 && l->is_object && l->objects >= SEVERAL;
			for (unsigned k = 0; is_record && k < depth; k++)
				s.records |= !at[k].is_object;
		} else if (c == ',' && l && !beyond) {
			l->is_key = l->is_object;
		}
	}
	s.record = at[0].record == 3;
	return s;
}

/* This value is too long for a record, or broken, or cut; `length` bytes of it are there.  If it is a page, reading goes on inside
 * of it, from *ret_at.  False: it is none. */
static bool open_value(struct frame *f, const struct block *b, struct values *v, size_t length, bool broken, size_t *ret_at)
{
	const char *p = f->p + f->start + v->begin;
	struct csv_header h;
	if (v->pages == PAGE_DEPTH_MAX || f->dropping || v->row)
		return false;
	if (length > RECORD_BYTES_MAX)
		length = RECORD_BYTES_MAX + 1; /* what is decided must not depend on how much is there by chance */
	struct survey s = look_into(p, length);
	if (s.record || (broken ? !s.records : !s.list && !s.map) || (s.kind.n && !str_eq_nocase(s.kind, STR("PrimaryResult"))))
		return false;
	v->depth = 0;
	v->in_string = v->text = v->naming = v->page = v->junk_said = v->lost = false;
	v->colon = v->member;
	*ret_at = v->begin;
	if (b->part_count) { /* columns are those of a block */
		v->pause = true;
		return true;
	}
	v->table = s.columns && table_header(p + s.columns, s.columns_end - s.columns, &h);
	if (v->table)
		put_header(f, &h);
	v->rows = v->colon = false;
	v->open++;
	v->page_at[v->pages].open = v->open;
	v->page_at[v->pages++].hard = s.map && !s.list;
	v->begin = ++*ret_at;
	return true;
}

/* a bracket between values */
static void close_page(struct values *v, char c)
{
	v->open -= v->open > 0;
	v->rows = false;
	v->table &= c != '}';
	while (v->pages && v->open < v->page_at[v->pages - 1].open)
		v->pages--;
}

/* This value ends before *at, where its last bracket is closed. */
static void end_value(struct frame *f, struct block *b, struct values *v, size_t *at)
{
	if (*at - v->begin > RECORD_BYTES_MAX && open_value(f, b, v, *at - v->begin, false, at))
		return;
	if (!f->dropping) {
		bool soft = v->member && !(v->pages && v->page_at[v->pages - 1].hard);
		add_part(f, b, v->begin, *at, v->row ? PART_ROW : soft ? PART_SOFT : PART_VALUE);
	}
	f->dropping = false;
	v->depth = 0;
	v->begin = *at;
	v->colon = false;
}

/* This value is broken at *at; lost: what follows is no JSON until something that looks like an object. */
static void break_value(struct frame *f, struct block *b, struct values *v, size_t *at, bool lost)
{
	if (open_value(f, b, v, *at - v->begin, *at - v->begin <= RECORD_BYTES_MAX, at))
		return;
	if (!f->dropping)
		add_part(f, b, v->begin, *at, v->row ? PART_ROW : PART_VALUE);
	f->dropping = false;
	v->depth = 0;
	v->begin = *at;
	v->colon = false;
	v->doubt = true;
	v->lost = lost;
}

/* A string between values that is no member's name: junk, counted once a line, unless it could hold a record. */
static void end_text(struct frame *f, struct block *b, struct values *v, size_t i, bool is_name)
{
	const char *p = f->p + f->start;
	if (i - v->begin > RECORD_BYTES_MAX) { /* the decoder counts it as too_long, as if it had been cut off on the way */
		add_part(f, b, v->begin, i, PART_VALUE);
	} else if (!is_name && i - v->begin > 2 && p[v->begin + 1] == '{') { /* perhaps a record as text */
		add_part(f, b, v->begin, i, PART_VALUE);
	} else if (!is_name && !v->junk_said) {
		add_part(f, b, v->begin, i, PART_VALUE);
		v->junk_said = true;
	}
	v->text = false;
	v->begin = i;
}

/* Scans what is there and marks the values in it.  True: it has paused, there is more to scan. */
static bool scan_values(struct frame *f, struct block *b, bool final)
{
	const char *p = f->p + f->start;
	size_t n = f->end - f->start;
	struct values v = f->v;
	size_t i = v.at;
	bool waits = false; /* for the bytes after the last one */
	v.pause = false;
	for (;;) {
		if (i >= n || waits) { /* all was looked at */
			if (v.depth && !f->dropping && n - v.begin > RECORD_BYTES_MAX && open_value(f, b, &v, n - v.begin, false, &i))
				waits = false;
			else
				break;
		}
		if (v.pause || f->failed || v.begin >= 4 * READ_CHUNK_BYTES || v.line_over)
			break;
		if (v.in_string) {
			i = string_stop(p, i, n);
			if (i == n)
				continue;
			if (p[i] == '\\') {
				if (i + 1 < n)
					i += p[i + 1] == '\n' ? 1 : 2;
				else if (final)
					i++;
				else
					waits = true;
				continue;
			}
			v.in_string = false;
			if (p[i] == '\n') { /* a quote is missing: no string holds a newline */
				v.doubt = true;
				if (v.depth)
					break_value(f, b, &v, &i, false);
				else if (v.text)
					end_text(f, b, &v, i, false);
				continue;
			}
			if (v.naming) {
				v.name_n = i - v.name;
				v.naming = false;
				if (v.depth && (v.name_n == 12 || v.name_n == 9))
					v.record |= record_name((struct str){ p + v.name, v.name_n });
			}
			v.after = AFTER_QUOTE;
			i++;
			continue;
		}
		char c = p[i];
		if (v.lost) {
			if (c == '\n' || (c == '{' && !v.colon && (i + 1 < n ? p[i + 1] == '"' : final))) {
				v.lost = v.colon = false;
			} else if (c == '{' && i + 1 == n && !final) {
				waits = true;
				continue;
			} else {
				v.colon = c == ':' || (v.colon && c == ' ');
				i++;
				continue;
			}
		}
		if (v.depth == 0) {
			if (c == ' ' || c == '\t' || c == '\r' || (c == '\n' && !(v.text && v.one_line))) {
				i++;
				if (c == '\n') {
					v.line_over = v.one_line;
					v.junk_said = false;
				}
				continue;
			}
			if (v.text) {
				v.rows_next = c == ':' && v.table && name_is(p, &v, STR("rows"));
				v.page = c == ':' && v.name_n <= 10 && is_wrapper((struct str){ p + v.name, v.name_n });
				end_text(f, b, &v, i, c == ':');
				v.lost = strchr(":,{}[]\n", c) == NULL; /* as in a value: what looks like text is none */
				v.doubt |= v.lost;
				v.colon = c == ':';
				i += v.colon;
				continue;
			}
			v.begin = i;
			switch (c) {
			case '"':
				v.in_string = true;
				v.text = v.naming = !v.colon;
				v.name = i + 1;
				v.name_n = 0;
				v.colon = false;
				i++;
				break;
			case '{':
				v.depth = 1;
				v.after = AFTER_OPEN;
				v.key = true;
				v.member = v.colon;
				v.list = v.row = v.naming = v.colon = v.junk_said = false;
				v.record = 0;
				v.name_n = 0;
				i++;
				break;
			case '[': {
				if (v.rows || (v.colon && !v.page && !v.rows_next)) { /* a row; a list of an outer member, or of a broken record */
					size_t first = i + 1;
					while (first < n && first - i < LIST_BLANKS_MAX && strchr(" \t\r\n", p[first] ? p[first] : 'x'))
						first++;
					if (first + 1 >= n && !final) {
						waits = true;
						continue;
					}
					v.depth = 1;
					v.after = AFTER_OPEN;
					v.list = true;
					v.row = v.rows;
					v.member = v.colon;
					v.key = v.naming = v.junk_said = false;
					/* without objects it is nothing of ours */
					f->dropping = !v.row && (first + 1 >= n || !(strchr("{[", p[first] ? p[first] : 'x') || (p[first] == '"' && p[first + 1] == '{')));
				} else {
					v.rows = v.colon && v.rows_next;
					v.open++;
					v.deep |= v.open > JSON_DEPTH_MAX;
				}
				v.colon = false;
				i++;
				break;
			}
			case ']':
			case '}':
				close_page(&v, c);
				/* fall through */
			case ',':
			case ':':
				v.colon = false;
				i++;
				break;
			default: { /* a bare word: the value of an outer member, or junk, counted once a line */
				size_t word = i;
				while (i < n && !strchr("\n{}[],:\"", p[i] ? p[i] : ' '))
					i++;
				if (!v.colon && !v.junk_said) {
					if (i == n && !final && i - word < REJECT_SAMPLE_BYTES) {
						i = word;
						waits = true;
						break;
					}
					add_part(f, b, word, i - word > REJECT_SAMPLE_BYTES ? word + REJECT_SAMPLE_BYTES : i, PART_VALUE);
					v.junk_said = true;
				}
				break;
			}
			}
			continue;
		}
		switch (c) {
		case ' ':
		case '\t':
		case '\r':
		case '\n':
			if (v.after == AFTER_QUOTE)
				v.after = AFTER_VALUE;
			if (c == '\n' && v.one_line)
				break_value(f, b, &v, &i, false);
			else
				i++;
			break;
		case '"':
			if (v.after == AFTER_QUOTE)
				goto quotes_are_wrong;
			v.in_string = true;
			if (v.depth == 1 && v.key && !f->dropping) {
				v.naming = true;
				v.name = i + 1;
				v.name_n = 0;
			}
			v.key = false;
			i++;
			break;
		case '{':
		case '[':
			if (is_object(&v) ? v.after != AFTER_COLON : v.after != AFTER_OPEN && v.after != AFTER_COMMA) {
				break_value(f, b, &v, &i, false); /* a bracket was never closed: perhaps the next value begins here */
				break;
			}
			i++;
			if (v.depth == JSON_DEPTH_MAX + 1) { /* the decoder will reject it */
				break_value(f, b, &v, &i, true);
				break;
			}
			if (c == '[' && v.depth == 1 && !f->dropping && v.record != 3 && v.name_n <= 10
				&& is_wrapper((struct str){ p + v.name, v.name_n })) {
				/* {"value": [ : what went before was an envelope */
				v.open += 2;
				v.depth = 0;
				v.begin = i;
				break;
			}
			v.depth++;
			v.objects = v.objects << 1 | (c == '{');
			v.after = AFTER_OPEN;
			break;
		case '}':
		case ']':
			i++;
			if (is_object(&v) != (c == '}')) {
				break_value(f, b, &v, &i, false);
				break;
			}
			v.objects >>= 1;
			v.after = AFTER_VALUE;
			if (--v.depth == 0)
				end_value(f, b, &v, &i);
			break;
		case ',':
			v.after = AFTER_COMMA;
			v.key = v.depth == 1 && !v.list;
			i++;
			break;
		case ':':
			v.after = AFTER_COLON;
			i++;
			break;
		default:
			if (v.after == AFTER_QUOTE)
				goto quotes_are_wrong;
			v.after = AFTER_VALUE;
			i++;
			break;
		quotes_are_wrong: /* a quote is missing: what looks like text is none, and the other way round */
			break_value(f, b, &v, &i, true);
			break;
		}
	}
	if (v.depth == 0 && !v.text)
		v.begin = i;
	v.at = i;
	f->v = v;
	return i < n && !waits;
}

/* the first `by` bytes are gone */
static void shift_values(struct frame *f, size_t by)
{
	f->v.at = f->v.at > by ? f->v.at - by : 0;
	f->v.begin = f->v.begin > by ? f->v.begin - by : 0;
	if (f->v.name < by) {
		f->v.name = f->v.name_n = 0;
		f->v.naming = false;
	} else {
		f->v.name -= by;
	}
}

static bool take_values(struct frame *f, bool final, struct block *b)
{
	for (;;) {
		b->part_count = 0;
		bool more = scan_values(f, b, final);
		if (f->failed)
			return false;
		/* all before it is marked, dropped or noise between values */
		bool held = (f->v.depth && !f->dropping) || f->v.text;
		size_t done = held ? f->v.begin : f->v.at;
		bool given = b->part_count && give(f, done, b);
		if (b->part_count == 0 && done)
			drop(f, done);
		shift_values(f, done);
		if (f->v.line_over) {
			f->framing = FRAME_LINES;
			f->scan = 0;
			return given;
		}
		if (given || f->failed)
			return given;
		size_t n = f->end - f->start;
		if (more)
			continue;
		if (!held || n == 0)
			return false;
		if (n > RECORD_BYTES_MAX) {
			/* Too long to be a record.  Counted once; its bytes are dropped as they are scanned, while brackets and quotes
			 * are followed to its end. */
			done = f->v.at;
			given = give_broken(f, done, REJECT_TOO_LONG, b);
			shift_values(f, done);
			f->dropping = f->v.depth > 0;
			f->v.text = false;
			return given;
		}
		if (!final)
			return false;
		/* the stream ends inside a value */
		if (f->v.depth && open_value(f, b, &f->v, n, true, &f->v.at))
			continue;
		given = add_part(f, b, 0, n, f->v.depth && f->v.row ? PART_ROW : PART_VALUE) && give(f, n, b);
		b->broken = REJECT_TRUNCATED;
		memset(&f->v, 0, sizeof f->v);
		return given;
	}
}

/* -- any -- */

bool frame_take(struct frame *f, bool final, struct block *b)
{
	size_t n = f->end - f->start;
	b->part_count = 0;
	if (!f->sniffed && !f->failed) {
		if (n < SNIFF_BYTES && !final)
			return false;
		/* not more of it than is always there, or what it is would depend on how it came in */
		bool all = final && n <= SNIFF_BYTES;
		size_t skip;
		struct csv_header h;
		f->framing = sniff(f->p + f->start, all ? n : SNIFF_BYTES, all, &h, &skip);
		f->stranger = f->framing == FRAME_ROWS ? STRANGER_UNKNOWN_TABLE : stranger_find(f->p + f->start, all ? n : SNIFF_BYTES, all);
		f->sniffed = true;
		if (f->framing == FRAME_ROWS) {
			put_header(f, &h);
			drop(f, skip);
		}
	}
	while (!f->failed) {
		enum framing before = f->framing;
		bool taken = before == FRAME_LINES ? take_lines(f, final, b)
			: before == FRAME_VALUES ? take_values(f, final, b)
			: before == FRAME_ROWS ? take_rows(f, final, b) : false;
		if (taken || f->framing == before)
			return taken;
	}
	return false;
}
