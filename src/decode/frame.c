/* SPDX-License-Identifier: Apache-2.0 */
/* frame: cuts a stream into blocks of whole records, so that blocks can be decoded by any thread.
 *
 *   lines   behind the last newline (a newline cannot stand inside a JSON string)
 *   rows    behind the last newline that stands outside quotes
 *   values  a small scanner follows strings and brackets and marks where each object begins and ends.  Arrays, commas and
 *           the outer braces of {"value": [...]} and {"records": [...]} are mere separators to it, so that a page of ten
 *           gigabytes is as good as a line.
 *
 * Every fault costs what it touches: an over-long line or value is dropped (too_long) while its end is sought; a quote
 * that is never closed costs its line.  The buffer never grows past RECORD_BYTES_MAX and a read. */
#include "decode/decode_int.h"

#include <stdlib.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { PADDING = 64 };

struct frame {
	char *p;
	size_t start, end, capacity; /* unread bytes: [start, end) */
	uint64_t offset;             /* of p[start] in the stream */
	uint64_t file;
	bool sniffed, failed;
	enum framing framing;
	struct csv_header *header;
	bool dropping;               /* inside a line or value that is too long */
	/* rows */
	size_t scan;                 /* behind start: bytes already looked at */
	size_t row_end;              /* behind the last newline outside quotes, 0 = none yet */
	bool in_quotes;
	/* values; positions relative to start */
	struct {
		size_t at;           /* next byte to look at */
		size_t begin;        /* of the value at hand */
		unsigned depth;      /* 0 = between values */
		bool key;            /* at depth 1: the next string is a member's name */
		bool colon;          /* between values: the last byte that was no blank was a colon */
		bool junk_said;
		bool in_string;      /* the bytes before were dropped in the middle of a string */
		size_t name, name_n; /* last name at depth 1 */
	} v;
};

const char *framing_name(enum framing x)
{
	static const char *const names[] = { "unknown", "lines", "values", "csv", "foreign" };
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
	if (f)
		f->header = calloc(1, sizeof *f->header);
	if (f && !f->header) {
		free(f);
		f = NULL;
	}
	return f;
}

void frame_free(struct frame *f)
{
	if (!f)
		return;
	free(f->p);
	free(f->header);
	free(f);
}

void frame_begin(struct frame *f, uint64_t file)
{
	char *p = f->p;
	size_t capacity = f->capacity;
	struct csv_header *header = f->header;
	memset(f, 0, sizeof *f);
	f->p = p;
	f->capacity = capacity;
	f->header = header;
	f->file = file;
}

bool frame_failed(const struct frame *f) { return f->failed; }
enum framing frame_framing(const struct frame *f) { return f->framing; }
bool frame_sniffed(const struct frame *f) { return f->sniffed; }

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

/* drops n bytes from the front */
static void drop(struct frame *f, size_t n)
{
	f->start += n;
	f->offset += n;
	f->scan = f->scan > n ? f->scan - n : 0;
	f->row_end = 0;
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
	f->row_end = 0;
	return true;
}

/* a piece of the front as a reject of its own: the whole is dropped, only its beginning is kept for the sample */
static bool give_broken(struct frame *f, size_t n, enum reject why, struct block *b)
{
	size_t length = n < REJECT_SAMPLE_BYTES ? n : REJECT_SAMPLE_BYTES;
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
	char *nl = n ? memrchr(p, '\n', n) : NULL;
	if (nl)
		return give(f, (size_t)(nl - p) + 1, b);
	if (n > RECORD_BYTES_MAX) {
		/* perhaps a page on one line: the scanner of values takes it apart, or drops it */
		f->framing = FRAME_VALUES;
		memset(&f->v, 0, sizeof f->v);
		return false;
	}
	if (!final || n == 0)
		return false;
	if (!give(f, n, b))
		return false;
	b->broken = REJECT_TRUNCATED; /* if it does not parse */
	return true;
}

/* -- rows -- */

/* Moves scan to the end, row_end behind the last newline outside quotes. */
static void scan_rows(struct frame *f)
{
	const char *p = f->p + f->start;
	size_t n = f->end - f->start, i = f->scan;
	bool q = f->in_quotes;
#ifdef __SSE2__
	for (; i + 64 <= n; i += 64) {
		uint64_t quotes = 0, lines = 0;
		for (int k = 0; k < 4; k++) {
			__m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i + 16 * k));
			quotes |= (uint64_t)(uint16_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8('"'))) << (16 * k);
			lines |= (uint64_t)(uint16_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8('\n'))) << (16 * k);
		}
		/* bit i = parity of the quotes up to i */
		uint64_t inside = quotes;
		inside ^= inside << 1;
		inside ^= inside << 2;
		inside ^= inside << 4;
		inside ^= inside << 8;
		inside ^= inside << 16;
		inside ^= inside << 32;
		if (q)
			inside = ~inside;
		lines &= ~inside;
		if (lines)
			f->row_end = i + 64 - (size_t)__builtin_clzll(lines);
		q = inside >> 63;
	}
#endif
	for (; i < n; i++) {
		if (p[i] == '"')
			q = !q;
		else if (p[i] == '\n' && !q)
			f->row_end = i + 1;
	}
	f->scan = n;
	f->in_quotes = q;
}

static bool take_rows(struct frame *f, bool final, struct block *b)
{
	size_t n = f->end - f->start;
	if (f->dropping) {
		char *nl = n ? memchr(f->p + f->start, '\n', n) : NULL;
		drop(f, nl ? (size_t)(nl - f->p) + 1 - f->start : n);
		f->dropping = nl == NULL;
		f->scan = 0;
		f->in_quotes = false;
		n = f->end - f->start;
	}
	if (n == 0)
		return false;
	scan_rows(f);
	if (f->row_end)
		return give(f, f->row_end, b);
	if (n <= RECORD_BYTES_MAX && !final)
		return false;
	char *nl = memchr(f->p + f->start, '\n', n);
	size_t line = nl ? (size_t)(nl - f->p) + 1 - f->start : n;
	if (f->in_quotes && line < n) {
		/* a quote that nobody closes: its first line is lost, what follows is read anew */
		bool given = give(f, line, b);
		f->scan = 0;
		f->in_quotes = false;
		return given;
	}
	if (n > RECORD_BYTES_MAX) {
		f->dropping = line == n && !final;
		return give_broken(f, line, REJECT_TOO_LONG, b);
	}
	if (!give(f, n, b))
		return false;
	b->broken = REJECT_TRUNCATED;
	return true;
}

/* -- values -- */

static bool add_part(struct frame *f, struct block *b, size_t begin, size_t end)
{
	if (b->part_count + 1 > b->part_capacity) {
		size_t want = b->part_capacity ? b->part_capacity * 2 : 64;
		uint32_t *parts = realloc(b->parts, want * 2 * sizeof *parts);
		if (!parts) {
			f->failed = true;
			return false;
		}
		b->parts = parts;
		b->part_capacity = want;
	}
	b->parts[2 * b->part_count] = (uint32_t)begin;
	b->parts[2 * b->part_count + 1] = (uint32_t)end;
	b->part_count++;
	return true;
}

/* The position behind the string whose first byte is at i (behind its quote); 0: not in sight.  *ret_newline: position of
 * a raw newline in it, which no string may hold; SIZE_MAX = none. */
static size_t string_end(const char *p, size_t i, size_t n, size_t *ret_newline)
{
	size_t from = i;
	*ret_newline = SIZE_MAX;
	for (;;) {
		const char *quote = memchr(p + i, '"', n - i);
		size_t stop = quote ? (size_t)(quote - p) : n;
		size_t slashes = 0;
		while (stop > from + slashes && p[stop - 1 - slashes] == '\\')
			slashes++;
		if (quote && slashes % 2) {
			i = stop + 1;
			continue;
		}
		const char *nl = memchr(p + from, '\n', stop - from);
		if (nl)
			*ret_newline = (size_t)(nl - p);
		return quote ? stop + 1 : 0;
	}
}

static bool is_wrapper(struct str name)
{
	return str_eq_nocase(name, STR("value")) || str_eq_nocase(name, STR("records")) || str_eq_nocase(name, STR("activities"));
}

/* Scans what is there and marks the values that are whole.  Stops early when a block's worth is marked. */
static void scan_values(struct frame *f, struct block *b, bool final)
{
	const char *p = f->p + f->start;
	size_t n = f->end - f->start, i = f->v.at;
	if (f->v.in_string) {
		size_t newline, end = string_end(p, 0, n, &newline);
		if (end == 0 && newline == SIZE_MAX) {
			f->v.at = n;
			return;
		}
		f->v.in_string = false;
		i = newline != SIZE_MAX ? newline : end;
		if (newline != SIZE_MAX)
			f->v.depth = 0, f->dropping = false;
		f->v.begin = f->v.depth ? 0 : i;
	}
	while (i < n && !f->failed && f->v.begin < 4 * READ_CHUNK_BYTES) {
		char c = p[i];
		if (c == '"') {
			size_t newline, end = string_end(p, i + 1, n, &newline);
			if (newline != SIZE_MAX) {
				/* a quote is missing: the value is broken here, and reading goes on behind the line */
				if (!f->dropping)
					add_part(f, b, f->v.depth ? f->v.begin : i, newline);
				f->dropping = false;
				f->v.depth = 0;
				i = newline;
				f->v.begin = i;
				continue;
			}
			if (end == 0) {
				if (final && f->v.depth == 0)
					i = f->v.begin = n; /* an outer member cut short */
				break;
			}
			if (f->v.depth == 1 && f->v.key) {
				f->v.name = i + 1;
				f->v.name_n = end - i - 2;
				f->v.key = false;
			}
			f->v.colon = false;
			i = end;
			continue;
		}
		if (f->v.depth == 0) {
			if (c == '{') {
				f->v.begin = i;
				f->v.depth = 1;
				f->v.key = true;
				f->v.junk_said = false;
			} else if (c == '[' || c == ']' || c == '}' || c == ',' || c == ':' || c == ' ' || c == '\n' || c == '\r' || c == '\t') {
				if (c == ':')
					f->v.colon = true;
				else if (c == '\n' || c == ',')
					f->v.colon = f->v.junk_said = false;
				f->v.begin = i + 1;
			} else {
				/* a bare word: the rest of an outer object's members, or junk, said once a line */
				size_t word = i;
				while (i < n && p[i] != '\n' && p[i] != '{' && p[i] != '"' && p[i] != ',' && p[i] != '}' && p[i] != ']')
					i++;
				if (!f->v.colon && !f->v.junk_said) {
					add_part(f, b, word, i - word > REJECT_SAMPLE_BYTES ? word + REJECT_SAMPLE_BYTES : i);
					f->v.junk_said = true;
				}
				f->v.begin = i;
				continue;
			}
			i++;
			continue;
		}
		switch (c) {
		case '{':
		case '[':
			if (c == '[' && f->v.depth == 1 && !f->dropping && f->v.name_n <= 10
				&& is_wrapper((struct str){ p + f->v.name, f->v.name_n })) {
				/* {"value": [ : what went before was an envelope */
				f->v.depth = 0;
				f->v.begin = i + 1;
				break;
			}
			f->v.depth++;
			break;
		case '}':
		case ']':
			if (--f->v.depth == 0) {
				if (!f->dropping)
					add_part(f, b, f->v.begin, i + 1);
				f->dropping = false;
				f->v.begin = i + 1;
			}
			break;
		case ',':
			f->v.key = f->v.depth == 1;
			break;
		default:
			break;
		}
		i++;
	}
	f->v.at = i;
}

/* the first `by` bytes are gone */
static void shift_values(struct frame *f, size_t by)
{
	f->v.at = f->v.at > by ? f->v.at - by : 0;
	f->v.begin = f->v.begin > by ? f->v.begin - by : 0;
	if (f->v.name < by)
		f->v.name = f->v.name_n = 0;
	else
		f->v.name -= by;
}

static void drop_values(struct frame *f, size_t by)
{
	drop(f, by);
	shift_values(f, by);
}

static bool take_values(struct frame *f, bool final, struct block *b)
{
	for (;;) {
		b->part_count = 0;
		scan_values(f, b, final);
		if (f->failed)
			return false;
		size_t n = f->end - f->start;
		/* all before it is marked, or noise between values */
		size_t done = f->v.depth || f->v.in_string ? f->v.begin : f->v.at;
		if (b->part_count) {
			bool given = give(f, done, b);
			shift_values(f, done);
			return given;
		}
		if (done && !f->dropping) {
			drop_values(f, done);
			n -= done;
			if (f->v.depth == 0 && f->v.at < n)
				continue; /* the scan paused in noise, or stands before a string that is not whole */
		}
		if (n == 0)
			return false;
		if (f->v.depth && final && !f->dropping) { /* the stream ends inside a value */
			add_part(f, b, 0, n);
			bool given = !f->failed && give(f, n, b);
			b->broken = REJECT_TRUNCATED;
			shift_values(f, n);
			f->v.depth = 0;
			return given;
		}
		if (n <= RECORD_BYTES_MAX && !f->dropping)
			return false;

		/* A value (or a string between values) too long to be a record.  Said once; its bytes are dropped as they are
		 * scanned, while brackets and quotes are followed to its end. */
		bool said = f->dropping;
		size_t gone = f->v.at;
		if (gone == 0 && n > RECORD_BYTES_MAX) { /* inside one endless string; an escape may be cut at its end */
			size_t slashes = 0;
			while (slashes + 1 < n && f->p[f->end - 1 - slashes] == '\\')
				slashes++;
			gone = n - slashes % 2;
			f->v.in_string = true;
		}
		f->dropping = f->v.depth > 0;
		if (gone == 0)
			return false;
		if (said) {
			drop_values(f, gone);
			return false;
		}
		bool given = give_broken(f, gone, REJECT_TOO_LONG, b);
		shift_values(f, gone);
		return given;
	}
}

/* -- any -- */

bool frame_take(struct frame *f, bool final, struct block *b)
{
	size_t n = f->end - f->start;
	b->part_count = 0;
	if (f->failed)
		return false;
	if (!f->sniffed) {
		if (n < SNIFF_BYTES && !final)
			return false;
		size_t skip;
		f->framing = sniff(f->p + f->start, n, final, f->header, &skip);
		f->sniffed = true;
		if (f->framing == FRAME_ROWS)
			drop(f, skip);
	}
	switch (f->framing) {
	case FRAME_LINES:
		if (take_lines(f, final, b))
			return true;
		if (f->framing != FRAME_VALUES || f->failed)
			return false;
		/* fall through */
	case FRAME_VALUES:
		return take_values(f, final, b);
	case FRAME_ROWS:
		return take_rows(f, final, b);
	default:
		return false;
	}
}
