/* SPDX-License-Identifier: Apache-2.0 */
/* xlsx: the sheets of an Excel workbook, each as a stream of CSV.
 *
 * A workbook is a zip of XML parts.  They are recognised by their root elements, whatever the folders are called and whatever
 * namespace they are in, and they come in any order.  So the archive is read twice: first for the texts that sheets
 * share (in memory, then in a temporary file), the formats that make a number a date, and the names of the sheets; then
 * sheet by sheet, a row at a time.
 *
 * What a cell becomes:
 *   texts       shared, inline, or the result of a formula; runs of rich text joined, readings (rPh) left out, _x000D_ undone.
 *               Always quoted.
 *   numbers     as they are, without an exponent and without zeros after the point
 *   dates       a number whose style has a format with y, m, d, h or s: 2026-01-06T10:00:00.123, in whole milliseconds, of
 *               the calendar that begins in 1900 (with its 29 February) or in 1904; below one day the time alone
 *   true, false TRUE, FALSE
 * A cell's place comes from its reference.  Rows without a value are left out.  A sheet that begins with { or [ holds pasted
 * JSON: its cells are written as they are, one a line.
 *
 * XML is untrusted as well: a document type, from which entities grow, is refused; and all that the parser keeps
 * (names, depth, a tag that never ends) comes out of a budget of XLSX_XML_BYTES_MAX.  A row in which a shared text is missing
 * is left out as a whole, because half a record looks like another record; such rows are counted and reported. */
#include <expat.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/encoding.h"
#include "base/hash.h"
#include "base/table.h"
#include "base/tempfile.h"
#include "base/timefmt.h"
#include "source/source_int.h"

#define OUT_BYTES_ENOUGH (64 * KIB) /* of CSV made at once, and the row it ends with */

/* -- bytes kept: in memory, then in a temporary file -- */

struct kept {
	struct buf memory; /* from in_file on */
	uint64_t in_file;
	int fd;
};

static bool keep(struct kept *k, const void *p, size_t n)
{
	if (k->memory.n + n > XLSX_MEMORY_BYTES) {
		if (k->in_file == 0)
			k->fd = tempfile_open();
		if (k->fd < 0 || !tempfile_write(k->fd, k->memory.p, k->memory.n, k->in_file))
			return false;
		k->in_file += k->memory.n;
		buf_clear(&k->memory);
	}
	buf_add(&k->memory, p, n);
	return !buf_failed(&k->memory);
}

/* A piece that was kept by one call. */
static bool kept_get(const struct kept *k, uint64_t at, void *p, size_t n)
{
	if (at >= k->in_file && n)
		memcpy(p, k->memory.p + (at - k->in_file), n);
	for (size_t got = 0; at < k->in_file && got < n;) {
		ssize_t r = pread(k->fd, (char *)p + got, n - got, (off_t)(at + got));

		if (r <= 0)
			return false;
		got += (size_t)r;
	}
	return true;
}

static uint64_t kept_bytes(const struct kept *k) { return k->in_file + k->memory.n; }

static void kept_init(struct kept *k)
{
	k->fd = -1;
	buf_init(&k->memory, XLSX_MEMORY_BYTES + RECORD_BYTES_MAX);
}

static void kept_release(struct kept *k)
{
	buf_release(&k->memory);
	if (k->fd >= 0)
		close(k->fd);
}

/* -- the workbook -- */

struct listed {
	char *name, *id; /* a sheet; or a relation, whose name is its target */
	uint64_t key;    /* of the part that it is; 0: no relation says */
};

struct list {
	struct listed *v;
	size_t n;
};

enum part { PART_NONE, PART_OTHER, PART_BOOK, PART_RELATIONS, PART_STYLES, PART_STRINGS, PART_SHEET };

struct workbook {
	struct layer *below;
	struct container *parts; /* the second time through */
	struct buf *why, why_below, why_part;
	struct buf name;         /* of a part, as compared */
	struct buf faults;       /* found the first time through: name, NUL, reason, NUL */
	size_t fault_at;
	struct table kinds;      /* name of a part -> enum part */
	struct kept texts, ends; /* shared texts, and where each ends, twice that, and 1 if it was too long */
	uint64_t text_count;
	uint32_t *styles;        /* format of each style */
	size_t style_n, style_capacity;
	struct table formats;    /* of its own: is it a date? */
	struct list sheets, relations;
	struct buf folder;       /* of the part that lists the sheets, "xl/" */
	bool is_1904, is_cut;
	uint64_t found;          /* sheets */
	uint64_t values;         /* cells with a value, of all sheets */
	bool is_unread;          /* a sheet was not read to its end, by us or by others */
	bool is_through, is_over;
	size_t missing_at;       /* listed sheets that were looked for when all is read */
};

/* -- XML -- */

struct xml {
	XML_Parser parser;
	struct layer *from;
	struct buf *why;
	size_t spent;            /* of the budget */
	uint64_t taken;
	const char *refused;     /* why we have stopped the parser ourselves */
	bool is_suspended, is_final;

	/* its place */
	struct workbook *w;
	struct sheet *sheet;     /* NULL: the first time through */
	enum part part;
	unsigned phonetic;
	bool in_value, in_text, in_styles;
	struct buf text;         /* of the cell or the shared item */
};

/* The library allocates through these, out of the budget that is open in this thread. */
static _Thread_local size_t *purse;
#define PURSE_HEAD 16

static void *purse_realloc(void *p, size_t n)
{
	size_t *block = p ? (size_t *)(void *)((char *)p - PURSE_HEAD) : NULL, had = block ? *block : 0, *bigger;

	if (n > XLSX_XML_BYTES_MAX || *purse - had + n > XLSX_XML_BYTES_MAX)
		return NULL;
	bigger = realloc(block, n + PURSE_HEAD);
	if (!bigger)
		return NULL;
	*purse += n - had;
	*bigger = n;
	return (char *)bigger + PURSE_HEAD;
}

static void *purse_malloc(size_t n) { return purse_realloc(NULL, n); }

static void purse_free(void *p)
{
	size_t *block = p ? (size_t *)(void *)((char *)p - PURSE_HEAD) : NULL;

	if (block)
		*purse -= *block;
	free(block);
}

static void refuse(struct xml *x, const char *why)
{
	if (!x->refused)
		x->refused = why;
	XML_StopParser(x->parser, XML_FALSE);
}

static void XMLCALL on_doctype(void *arg, const XML_Char *name, const XML_Char *system, const XML_Char *public, int has_internal)
{
	refuse(arg, "declares a document type (DTD), which no workbook does; not read further, in case it is made to exhaust the reader");
}

static void xml_free(struct xml *x)
{
	purse = &x->spent;
	if (x->parser)
		XML_ParserFree(x->parser);
	x->parser = NULL;
	buf_release(&x->text);
}

static bool xml_init(struct xml *x, struct workbook *w, struct layer *from, XML_StartElementHandler start, XML_EndElementHandler end,
                     XML_CharacterDataHandler text)
{
	static const XML_Memory_Handling_Suite suite = { purse_malloc, purse_realloc, purse_free };

	x->w = w;
	x->from = from;
	x->why = from->why;
	buf_init(&x->text, RECORD_BYTES_MAX);
	purse = &x->spent;
	x->parser = XML_ParserCreate_MM(NULL, &suite, NULL);
	if (!x->parser)
		return false;
	XML_SetUserData(x->parser, x);
	XML_SetElementHandler(x->parser, start, end);
	XML_SetCharacterDataHandler(x->parser, text);
	XML_SetStartDoctypeDeclHandler(x->parser, on_doctype);
	return true;
}

/* Parses on, by a piece or to where a handler wants a rest. */
static enum source_status xml_more(struct xml *x)
{
	enum source_status in = SOURCE_OK;
	enum XML_Status status;
	char bytes[BYTES_TEXT_SIZE];
	size_t n = 0;
	void *p;

	purse = &x->spent;
	if (x->is_suspended) {
		x->is_suspended = false;
		status = XML_ResumeParser(x->parser);
	} else {
		p = XML_GetBuffer(x->parser, PIECE_BYTES);
		in = p ? layer_read(x->from, p, PIECE_BYTES, &n) : SOURCE_OK;
		if (in == SOURCE_BROKEN)
			return in;
		x->taken += n;
		x->is_final = in == SOURCE_END;
		status = p ? XML_ParseBuffer(x->parser, (int)n, x->is_final) : XML_STATUS_ERROR;
	}
	if (status == XML_STATUS_SUSPENDED) {
		x->is_suspended = true;
		return SOURCE_OK;
	}
	if (status == XML_STATUS_OK)
		return x->is_final ? SOURCE_END : SOURCE_OK;
	if (x->refused)
		return fail_with(x->why, "%s", x->refused);
	if (XML_GetErrorCode(x->parser) == XML_ERROR_NO_MEMORY)
		return fail_with(x->why, "a part of the workbook needs more than %zu MB of memory to be parsed; what came before was read",
		                 XLSX_XML_BYTES_MAX / MIB);
	return fail_with(x->why, "damaged Excel workbook (its XML: %s) after %s; what came before was read",
	                 XML_ErrorString(XML_GetErrorCode(x->parser)), bytes_text(x->taken, bytes));
}

/* without its prefix: Strict and transitional workbooks, and what programs make up */
static const char *local(const char *name)
{
	const char *colon = strrchr(name, ':');

	return colon ? colon + 1 : name;
}

static bool is(const char *a, const char *b) { return strcmp(a, b) == 0; }

static struct str attribute(const XML_Char **attributes, const char *name)
{
	for (; attributes[0]; attributes += 2)
		if (is(local(attributes[0]), name))
			return str_of(attributes[1]);
	return STR_NONE;
}

static bool is_true(struct str s) { return str_eq(s, STR("1")) || str_eq_nocase(s, STR("true")) || str_eq_nocase(s, STR("on")); }

/* Digits alone; -1: no such number. */
static int64_t number_of(struct str s)
{
	int64_t v = 0;

	s = str_trim(s);
	if (s.n == 0 || s.n > 15)
		return -1;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return -1;
		v = v * 10 + (s.p[i] - '0');
	}
	return v;
}

/* The number in "_x000D_" at p, or -1. */
static int32_t escape_at(const char *p, const char *end)
{
	int32_t v = 0;

	if (end - p < 7 || p[0] != '_' || p[1] != 'x' || p[6] != '_')
		return -1;
	for (int i = 2; i < 6; i++) {
		char c = ascii_lower(p[i]);

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return -1;
		v = v * 16 + (c <= '9' ? c - '0' : c - 'a' + 10);
	}
	return v;
}

/* Undoes _xHHHH_, where control bytes and half characters hide, in place: it never becomes longer. */
static void undo_escapes(struct buf *b)
{
	char *p = b->p, *to = p, *end = p + b->n;

	if (b->n < 7 || !memchr(p, '_', b->n))
		return;
	while (p < end) {
		int32_t c = escape_at(p, end), low;
		uint8_t out[4];
		size_t n;

		if (c < 0) {
			*to++ = *p++;
			continue;
		}
		p += 7;
		low = c >= 0xd800 && c < 0xdc00 ? escape_at(p, end) : -1;
		if (low >= 0xdc00 && low < 0xe000) {
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
			p += 7;
		}
		n = utf8_put(c >= 0xd800 && c < 0xe000 ? 0xfffd : (uint32_t)c, out);
		memcpy(to, out, n);
		to += n;
	}
	b->n = (size_t)(to - b->p);
	b->p[b->n] = '\0';
}

/* Text of a value, of an item, of its runs; not of their readings. */
static void XMLCALL on_text(void *arg, const XML_Char *p, int n)
{
	struct xml *x = arg;

	if (x->in_value || (x->in_text && !x->phonetic))
		buf_add(&x->text, p, (size_t)n);
}

static void note_text_begin(struct xml *x, const char *name)
{
	x->in_text |= is(name, "t");
	x->phonetic += is(name, "rPh");
}

static void note_text_end(struct xml *x, const char *name)
{
	if (is(name, "t"))
		x->in_text = false;
	x->phonetic -= x->phonetic && is(name, "rPh");
}

/* -- the first time through: texts, styles, names -- */

/* Names are compared without case, with / for \ and without a / before them. */
static struct str part_name(struct workbook *w, struct str name)
{
	buf_clear(&w->name);
	while (name.n && (name.p[0] == '/' || name.p[0] == '\\'))
		name.p++, name.n--;
	for (size_t i = 0; i < name.n; i++)
		buf_add_char(&w->name, name.p[i] == '\\' ? '/' : ascii_lower(name.p[i]));
	buf_add(&w->name, "", 0);
	return buf_str(&w->name);
}

static uint64_t part_key(struct str name) { return hash_str(name, 0); }

static size_t folder_bytes(struct str path)
{
	while (path.n && path.p[path.n - 1] != '/')
		path.n--;
	return path.n;
}

static void list_add(struct list *l, struct str name, struct str id)
{
	struct listed *bigger;

	if (l->n == XLSX_SHEETS_MAX || name.n > ARCHIVE_ENTRY_NAME_MAX || id.n > ARCHIVE_ENTRY_NAME_MAX)
		return;
	bigger = realloc(l->v, (l->n + 1) * sizeof(*bigger));
	if (!bigger)
		return;
	l->v = bigger;
	l->v[l->n] = (struct listed){ strndup(name.p ? name.p : "", name.n), strndup(id.p ? id.p : "", id.n) };
	if (l->v[l->n].name && l->v[l->n].id) {
		l->n++;
		return;
	}
	free(l->v[l->n].name);
	free(l->v[l->n].id);
}

static void list_release(struct list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].name);
		free(l->v[i].id);
	}
	free(l->v);
}

/* A format shows a date or a time if one of its letters does, outside of "text", \x, _x, *x and [Red]; [h] is a time. */
static bool is_date_format(struct str s)
{
	for (size_t i = 0; i < s.n && s.p[i] != ';'; i++) {
		char c = ascii_lower(s.p[i]);

		if (c == '"' || c == '[') {
			const char *close = memchr(s.p + i + 1, c == '"' ? '"' : ']', s.n - i - 1);
			char inside = c == '[' && i + 1 < s.n ? ascii_lower(s.p[i + 1]) : 0;
			size_t end = close ? (size_t)(close - s.p) : s.n, k = i + 1;

			while (k < end && ascii_lower(s.p[k]) == inside)
				k++;
			if (k == end && (inside == 'h' || inside == 'm' || inside == 's'))
				return true;
			i = end;
		} else if (c == '\\' || c == '_' || c == '*') {
			i++;
		} else if (c == 'y' || c == 'm' || c == 'd' || c == 'h' || c == 's') {
			return true;
		}
	}
	return false;
}

/* Formats below 164 are built in; some are dates only in Chinese, Japanese and Korean, and nothing in other languages. */
static bool is_date(const struct workbook *w, uint64_t style)
{
	uint32_t f = style < w->style_n ? w->styles[style] : 0;
	const uint8_t *own = table_get(&w->formats, f);

	if (own)
		return *own;
	return (f >= 14 && f <= 22) || (f >= 27 && f <= 36) || (f >= 45 && f <= 47) || (f >= 50 && f <= 58);
}

static void add_style(struct workbook *w, int64_t format)
{
	uint32_t *bigger;

	if (w->style_n == XLSX_STYLES_MAX)
		return;
	if (w->style_n == w->style_capacity) {
		w->style_capacity = w->style_capacity ? w->style_capacity * 2 : 64;
		bigger = realloc(w->styles, w->style_capacity * sizeof(*bigger));
		if (!bigger)
			return;
		w->styles = bigger;
	}
	w->styles[w->style_n++] = format < 0 || format > UINT32_MAX ? 0 : (uint32_t)format;
}

static enum part part_of(const char *root)
{
	static const struct { const char *root; enum part part; } known[] = {
		{ "workbook", PART_BOOK }, { "Relationships", PART_RELATIONS }, { "styleSheet", PART_STYLES }, { "sst", PART_STRINGS },
		{ "worksheet", PART_SHEET }, { "macrosheet", PART_SHEET }, { "dialogsheet", PART_OTHER },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (is(root, known[i].root))
			return known[i].part;
	return PART_OTHER;
}

static void XMLCALL begin_part(void *arg, const XML_Char *qualified, const XML_Char **attributes)
{
	struct xml *x = arg;
	struct workbook *w = x->w;
	const char *name = local(qualified);
	bool is_new;
	uint8_t *own;

	if (x->part == PART_NONE) {
		x->part = part_of(name);
		if (x->part == PART_STRINGS && w->text_count)
			x->part = PART_OTHER; /* there can be only one */
		if (x->part == PART_SHEET || x->part == PART_OTHER)
			XML_StopParser(x->parser, XML_FALSE);
		return;
	}
	switch (x->part) {
	case PART_BOOK:
		if (is(name, "sheet"))
			list_add(&w->sheets, attribute(attributes, "name"), attribute(attributes, "id"));
		if (is(name, "workbookPr"))
			w->is_1904 = is_true(attribute(attributes, "date1904"));
		break;
	case PART_RELATIONS:
		if (is(name, "Relationship"))
			list_add(&w->relations, attribute(attributes, "Target"), attribute(attributes, "Id"));
		break;
	case PART_STYLES:
		if (is(name, "cellXfs"))
			x->in_styles = true;
		else if (is(name, "xf") && x->in_styles)
			add_style(w, number_of(attribute(attributes, "numFmtId")));
		own = is(name, "numFmt") ? table_put(&w->formats, (uint64_t)number_of(attribute(attributes, "numFmtId")), &is_new) : NULL;
		if (own)
			*own = is_date_format(attribute(attributes, "formatCode"));
		break;
	case PART_STRINGS:
		if (is(name, "si"))
			buf_clear(&x->text);
		note_text_begin(x, name);
		break;
	default:
		break;
	}
}

static void XMLCALL end_part(void *arg, const XML_Char *qualified)
{
	struct xml *x = arg;
	struct workbook *w = x->w;
	const char *name = local(qualified);
	uint64_t end;

	if (x->part == PART_STYLES && is(name, "cellXfs"))
		x->in_styles = false;
	if (x->part != PART_STRINGS)
		return;
	note_text_end(x, name);
	if (!is(name, "si"))
		return;
	undo_escapes(&x->text);
	end = (kept_bytes(&w->texts) + x->text.n) << 1 | buf_failed(&x->text);
	if (end >> 1 > XLSX_TEXT_BYTES_MAX)
		refuse(x, "the texts of the workbook are more than 1 GB; those after that are missing. Save it as CSV");
	else if (!keep(&w->texts, x->text.p, x->text.n) || !keep(&w->ends, &end, sizeof(end)))
		refuse(x, "the texts of the workbook cannot be kept: no memory, or no room for temporary files (TMPDIR)");
	else
		w->text_count++;
}

/* A fault that is reported when the sheets are asked for. */
static void add_fault(struct workbook *w, const char *name, const char *why)
{
	if (!buf_reserve(&w->faults, strlen(name) + strlen(why) + 2))
		return; /* thousands have been reported */
	buf_add(&w->faults, name, strlen(name) + 1);
	buf_add(&w->faults, why, strlen(why) + 1);
}

static enum part read_part(struct workbook *w, struct layer *member, struct str name)
{
	struct xml x = { 0 };
	enum source_status status = SOURCE_BROKEN;

	if (xml_init(&x, w, member, begin_part, end_part, on_text))
		while ((status = xml_more(&x)) == SOURCE_OK)
			;
	if (x.part == PART_BOOK) {
		buf_clear(&w->folder);
		buf_add(&w->folder, name.p, folder_bytes(name));
	}
	/* what breaks in a sheet is reported when it is read */
	if (x.part == PART_NONE && status == SOURCE_BROKEN && str_find(name, STR("worksheets/")) >= 0)
		x.part = PART_SHEET;
	if (status == SOURCE_BROKEN && (x.refused || x.part > PART_OTHER) && x.part != PART_SHEET)
		add_fault(w, name.p, w->why_part.n ? w->why_part.p : "out of memory");
	xml_free(&x);
	return x.part;
}

static bool ends_in(struct str s, const char *end) { return str_ends_nocase(s, str_of(end)); }

/* -- what the archive reads: `below`, from its beginning, and not freed with it -- */

struct view {
	struct layer l;
	struct workbook *w;
};

static enum source_status view_read(struct layer *l, uint8_t *p, size_t capacity, size_t *ret_n)
{
	struct workbook *w = ((struct view *)l)->w;
	enum source_status status = layer_read(w->below, p, capacity, ret_n);

	return status == SOURCE_BROKEN ? layer_fail(l, "%s", w->why_below.n ? w->why_below.p : "cannot be read") : status;
}

static bool view_seek(struct layer *l, uint64_t offset) { return layer_seek(((struct view *)l)->w->below, offset); }

static struct container *open_parts(struct workbook *w, struct buf *why)
{
	struct view *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	v->l = (struct layer){ .read = view_read, .seek = view_seek, .why = why, .size = w->below->size };
	v->w = w;
	layer_seek(w->below, 0);
	return container_new(PACKING_ZIP, &v->l);
}

/* Which part a sheet is, by the relation that it names. */
static void resolve(struct workbook *w, struct listed *sheet)
{
	struct buf path;

	buf_init(&path, 4 * ARCHIVE_ENTRY_NAME_MAX);
	for (size_t i = 0; i < w->relations.n && !sheet->key; i++) {
		const char *target = w->relations.v[i].name;

		if (!is(w->relations.v[i].id, sheet->id))
			continue;
		if (target[0] != '/' && target[0] != '\\')
			buf_add_str(&path, buf_str(&w->folder));
		for (; strncmp(target, "./", 2) == 0 || strncmp(target, "../", 3) == 0; target = strchr(target, '/') + 1)
			if (target[1] == '.' && path.n)
				path.n = folder_bytes((struct str){ path.p, path.n - 1 });
		buf_add_cstr(&path, target);
		sheet->key = part_key(part_name(w, buf_str(&path)));
	}
	buf_release(&path);
}

/* The parts are gone through; *ret_name says what it is if it is no workbook. */
static void look_through(struct workbook *w, const char **ret_name)
{
	struct container *c = open_parts(w, &w->why_part);
	struct buf member_name;
	struct layer *member;
	enum source_status status = SOURCE_BROKEN;

	*ret_name = "an Office document";
	buf_init(&member_name, 4 * ARCHIVE_ENTRY_NAME_MAX);
	while (c && (status = container_next(c, &member, &member_name)) != SOURCE_END) {
		struct str name = part_name(w, str_of(member_name.n ? member_name.p : ""));
		enum part part = PART_NONE;
		bool is_new;
		uint8_t *kind;

		if (status == SOURCE_BROKEN && !member_name.n)
			break;
		if (status == SOURCE_OK && (ends_in(name, ".xml") || (ends_in(name, ".rels") && str_find(name, STR("_rels/workbook")) >= 0)))
			part = read_part(w, member, name);
		if (status == SOURCE_OK)
			layer_free(member);
		buf_clear(&w->why_part);
		w->found += part == PART_SHEET;
		if (ends_in(name, "workbook.bin"))
			*ret_name = "a binary workbook (.xlsb: save it as .xlsx)";
		else if (str_eq(name, STR("mimetype")))
			*ret_name = "an OpenDocument file (.ods, .odt: save a spreadsheet as .xlsx)";
		else if (str_starts(name, STR("word/")))
			*ret_name = "a Word document (.docx)";
		else if (str_starts(name, STR("ppt/")))
			*ret_name = "a PowerPoint presentation (.pptx)";
		kind = table_put(&w->kinds, part_key(name), &is_new);
		if (kind && *kind < part)
			*kind = (uint8_t)part;
	}
	w->is_cut = status == SOURCE_BROKEN;
	buf_release(&member_name);
	container_free(c);
	for (size_t i = 0; i < w->sheets.n; i++)
		resolve(w, &w->sheets.v[i]);
}

/* -- numbers and dates -- */

struct decimal {
	uint64_t digits;
	int exponent; /* of ten */
	bool is_negative;
};

/* False: no number, or one of more digits than can be kept without loss. */
static bool decimal_of(struct str s, struct decimal *ret)
{
	size_t i = 0, seen = 0;
	bool point = false, negative = false;
	int e = 0;

	*ret = (struct decimal){ .is_negative = s.n && s.p[0] == '-' };
	for (i = s.n && (s.p[0] == '-' || s.p[0] == '+'); i < s.n; i++) {
		if (s.p[i] == '.' && !point) {
			point = true;
			continue;
		}
		if (s.p[i] < '0' || s.p[i] > '9')
			break;
		seen++;
		if (ret->digits > (UINT64_MAX - 9) / 10)
			return false;
		ret->digits = ret->digits * 10 + (uint64_t)(s.p[i] - '0');
		ret->exponent -= point;
	}
	if (seen == 0 || s.n > 400)
		return false;
	if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
		i++;
		negative = i < s.n && s.p[i] == '-';
		i += i < s.n && (s.p[i] == '-' || s.p[i] == '+');
		if (i == s.n)
			return false;
		for (; i < s.n && s.p[i] >= '0' && s.p[i] <= '9' && e < 1000; i++)
			e = e * 10 + (s.p[i] - '0');
		ret->exponent += negative ? -e : e;
	}
	while (ret->digits % 10 == 0 && ret->exponent < 0) {
		ret->digits /= 10;
		ret->exponent = ret->digits ? ret->exponent + 1 : 0;
	}
	return i == s.n;
}

/* Without its exponent, and without zeros after the point. */
static void put_number(struct buf *b, struct str s)
{
	struct decimal d;
	char digits[24];
	int n;

	if (!decimal_of(s, &d) || d.exponent > 20 || d.exponent < -40) {
		buf_add_str(b, s);
		return;
	}
	n = snprintf(digits, sizeof(digits), "%" PRIu64, d.digits);
	if (d.is_negative)
		buf_add_char(b, '-');
	if (d.exponent >= 0) {
		buf_add(b, digits, (size_t)n);
		for (int i = 0; i < d.exponent && d.digits; i++)
			buf_add_char(b, '0');
		return;
	}
	for (int i = n > -d.exponent ? 0 : n + d.exponent - 1; i < n; i++) {
		if (i == n + d.exponent)
			buf_add_char(b, '.');
		buf_add_char(b, i < 0 ? '0' : digits[i]);
	}
}

/* Days since the calendar's beginning.  False: not a day that Excel has. */
static bool put_date(struct buf *b, struct str s, bool is_1904)
{
	enum { MS_PER_DAY = 86400000, DAYS_MAX = 2958466 }; /* 31 December 9999, of 1900 */
	struct decimal d;
	unsigned __int128 ms, unit = 1;
	char text[TIME_TEXT_SIZE];
	int64_t day, us;

	if (!decimal_of(s, &d) || d.is_negative || d.exponent > 6 || d.exponent < -30)
		return false;
	for (int i = 0; i < (d.exponent < 0 ? -d.exponent : d.exponent); i++)
		unit *= 10;
	ms = (unsigned __int128)d.digits * MS_PER_DAY;
	ms = d.exponent < 0 ? (ms + unit / 2) / unit : ms * unit;
	if (ms >= (unsigned __int128)DAYS_MAX * MS_PER_DAY)
		return false;
	day = (int64_t)(ms / MS_PER_DAY);
	us = (int64_t)(ms % MS_PER_DAY) * 1000 +
	     US_PER_DAY * (day + (is_1904 ? days_from_civil(1904, 1, 1) : days_from_civil(1899, 12, day < 60 ? 31 : 30)));
	time_format(us, text);
	text[strlen(text) - 1] = '\0'; /* no zone: the workbook names none */
	if (day == 60 && !is_1904)
		memcpy(text, "1900-02-29", 10); /* a day that exists only in Excel */
	buf_add_cstr(b, day ? text : strchr(text, 'T') + 1);
	return true;
}

/* -- the second time through: a sheet -- */

enum kind { KIND_NUMBER, KIND_SHARED, KIND_TEXT, KIND_TRUTH };

struct sheet {
	struct layer l;
	struct xml x;
	struct buf out, row;
	size_t out_at;
	enum source_status status; /* how it ends, once is_ended */
	bool is_ended;

	bool in_row, in_cell, is_lost, is_long; /* the row */
	size_t next, column, commas;            /* next and this cell's place, commas written */
	enum kind kind;
	uint64_t style;
	bool is_decided, is_json;               /* the sheet */
	uint64_t lost, too_long;
};

/* "C5": 2; "c" and no more: the same.  -1: no reference. */
static int64_t column_of(struct str reference)
{
	int64_t v = 0;
	size_t i = 0;

	for (; i < reference.n && i < 4; i++) {
		char c = ascii_lower(reference.p[i]);

		if (c < 'a' || c > 'z')
			break;
		v = v * 26 + (c - 'a' + 1);
	}
	return v - 1;
}

static void XMLCALL begin_in_sheet(void *arg, const XML_Char *qualified, const XML_Char **attributes)
{
	struct xml *x = arg;
	struct sheet *s = x->sheet;
	const char *name = local(qualified);

	if (is(name, "row")) {
		buf_clear(&s->row);
		s->in_row = true;
		s->is_lost = s->is_long = false;
		s->next = s->commas = 0;
	} else if (s->in_row && !s->in_cell && is(name, "c")) {
		struct str type = attribute(attributes, "t");
		int64_t column = column_of(attribute(attributes, "r"));

		buf_clear(&x->text);
		s->in_cell = true;
		s->column = column < 0 ? s->next : (size_t)column;
		s->is_lost |= s->column < s->next || s->column >= XLSX_COLUMNS_MAX;
		s->next = s->column + 1;
		s->style = (uint64_t)number_of(attribute(attributes, "s"));
		s->kind = type.n == 0 || str_eq(type, STR("n")) ? KIND_NUMBER : str_eq(type, STR("s")) ? KIND_SHARED : str_eq(type, STR("b")) ? KIND_TRUTH : KIND_TEXT;
	} else if (s->in_cell) {
		x->in_value |= is(name, "v");
		note_text_begin(x, name);
	}
}

/* The text that the cell shares, in the place of its number. */
static bool share(struct xml *x)
{
	struct workbook *w = x->w;
	int64_t i = number_of(buf_str(&x->text));
	uint64_t from = 0, to;

	if (i < 0 || (uint64_t)i >= w->text_count || (i > 0 && !kept_get(&w->ends, (uint64_t)(i - 1) * 8, &from, 8)) ||
	    !kept_get(&w->ends, (uint64_t)i * 8, &to, 8))
		return false;
	x->sheet->is_long |= to & 1;
	buf_clear(&x->text);
	from >>= 1;
	to = (to >> 1) - from;
	if (!buf_reserve(&x->text, to) || !kept_get(&w->texts, from, x->text.p, to))
		return false;
	x->text.n = to;
	x->text.p[to] = '\0';
	return true;
}

static void put_quoted(struct buf *b, struct str s)
{
	buf_add_char(b, '"');
	while (s.n) {
		const char *quote = memchr(s.p, '"', s.n);
		size_t n = quote ? (size_t)(quote - s.p) + 1 : s.n;

		buf_add(b, s.p, n);
		if (quote)
			buf_add_char(b, '"');
		s.p += n;
		s.n -= n;
	}
	buf_add_char(b, '"');
}

static void end_cell(struct sheet *s)
{
	struct xml *x = &s->x;
	struct str text;

	s->in_cell = x->in_value = x->in_text = false;
	x->phonetic = 0;
	if (buf_failed(&x->text))
		s->is_long = true;
	if (x->text.n == 0 || s->is_lost || s->is_long)
		return;
	if (s->kind == KIND_SHARED && !share(x)) {
		s->is_lost = true;
		return;
	}
	if (s->kind == KIND_TEXT)
		undo_escapes(&x->text);
	text = buf_str(&x->text);
	if (s->kind != KIND_SHARED && s->kind != KIND_TEXT)
		text = str_trim(text);
	if (text.n == 0)
		return;
	x->w->values++;
	if (!s->is_decided) {
		struct str begin = str_trim(text);

		s->is_json = begin.n && (begin.p[0] == '{' || begin.p[0] == '[');
		s->is_decided = true;
	}
	if (s->is_json) {
		if (s->row.n)
			buf_add_char(&s->row, '\n');
		buf_add_str(&s->row, text);
		return;
	}
	for (; s->commas < s->column; s->commas++)
		buf_add_char(&s->row, ',');
	if (s->kind == KIND_TRUTH)
		buf_add_cstr(&s->row, is_true(text) ? "TRUE" : "FALSE");
	else if (s->kind != KIND_NUMBER)
		put_quoted(&s->row, text);
	else if (!is_date(x->w, s->style) || !put_date(&s->row, text, x->w->is_1904))
		put_number(&s->row, text);
}

static void XMLCALL end_in_sheet(void *arg, const XML_Char *qualified)
{
	struct xml *x = arg;
	struct sheet *s = x->sheet;
	const char *name = local(qualified);

	if (s->in_cell) {
		if (is(name, "v"))
			x->in_value = false;
		note_text_end(x, name);
		if (is(name, "c"))
			end_cell(s);
	} else if (s->in_row && is(name, "row")) {
		s->in_row = false;
		s->is_long |= buf_failed(&s->row);
		s->lost += s->is_lost;
		s->too_long += s->is_long && !s->is_lost;
		if (s->row.n && !s->is_lost && !s->is_long) {
			buf_add_str(&s->out, buf_str(&s->row));
			buf_add_char(&s->out, '\n');
		}
		if (s->out.n >= OUT_BYTES_ENOUGH)
			XML_StopParser(x->parser, XML_TRUE);
	}
}

/* What was left out is reported when the sheet has ended, well or not. */
static void end_sheet(struct sheet *s, enum source_status status)
{
	struct buf *why = s->l.why;
	const char *also = why->n ? "; and " : "";

	s->is_ended = true;
	s->status = s->lost || s->too_long ? SOURCE_BROKEN : status;
	s->x.w->is_unread |= s->status == SOURCE_BROKEN;
	if (s->lost)
		buf_printf(why, "%s%" PRIu64 " row%s left out: a text that the sheets share is missing, or cells are out of place", also, s->lost,
		           s->lost == 1 ? " was" : "s were");
	if (s->too_long)
		buf_printf(why, "%s%" PRIu64 " row%s left out: longer than %zu MB", why->n ? "; and " : "", s->too_long, s->too_long == 1 ? " was" : "s were",
		           RECORD_BYTES_MAX / MIB);
}

static enum source_status sheet_read(struct layer *l, uint8_t *p, size_t capacity, size_t *ret_n)
{
	struct sheet *s = (struct sheet *)l;
	enum source_status status;
	size_t n;

	if (s->out_at == s->out.n && !s->is_ended) {
		buf_clear(&s->out);
		s->out_at = 0;
		status = xml_more(&s->x);
		if (status != SOURCE_OK)
			end_sheet(s, status);
	}
	n = s->out.n - s->out_at < capacity ? s->out.n - s->out_at : capacity;
	if (n)
		memcpy(p, s->out.p + s->out_at, n);
	s->out_at += n;
	*ret_n = n;
	return s->out_at < s->out.n || !s->is_ended ? SOURCE_OK : s->status;
}

static void sheet_release(struct layer *l)
{
	struct sheet *s = (struct sheet *)l;

	s->x.w->is_unread |= !s->is_ended;
	xml_free(&s->x);
	buf_release(&s->out);
	buf_release(&s->row);
}

/* Takes `member`, also when it fails. */
static struct layer *sheet_new(struct workbook *w, struct layer *member)
{
	struct sheet *s = calloc(1, sizeof(*s));

	if (!s) {
		layer_free(member);
		return NULL;
	}
	s->l.read = sheet_read;
	s->l.release = sheet_release;
	s->l.why = member->why;
	s->l.below = member;
	s->x.sheet = s;
	buf_init(&s->row, RECORD_BYTES_MAX);
	buf_init(&s->out, OUT_BYTES_ENOUGH + RECORD_BYTES_MAX + 2);
	if (xml_init(&s->x, w, member, begin_in_sheet, end_in_sheet, on_text))
		return &s->l;
	layer_free(&s->l);
	return NULL;
}

/* -- the workbook as an archive of sheets -- */

/* The name that the workbook gives it, else that of its part. */
static void name_sheet(const struct workbook *w, uint64_t key, struct buf *name)
{
	size_t folder;

	for (size_t i = 0; i < w->sheets.n; i++) {
		if (w->sheets.v[i].key != key || !w->sheets.v[i].name[0])
			continue;
		buf_clear(name);
		buf_add_cstr(name, w->sheets.v[i].name);
		undo_escapes(name);
		return;
	}
	folder = folder_bytes(buf_str(name));
	memmove(name->p, name->p + folder, name->n - folder + 1);
	name->n -= folder;
}

/* All sheets have been handed out: what is to be reported about the whole?  SOURCE_END: nothing more. */
static enum source_status last_words(struct workbook *w, struct buf *name)
{
	buf_clear(name);
	while (w->missing_at < w->sheets.n) {
		const struct listed *l = &w->sheets.v[w->missing_at++];
		const uint8_t *kind = table_get(&w->kinds, l->key);

		if (l->key && (!kind || *kind == PART_NONE)) {
			buf_add_cstr(name, l->name);
			return fail_with(w->why, "this sheet of the workbook is missing or damaged");
		}
	}
	w->is_over = true;
	if (w->why_below.n)
		return fail_with(w->why, "%s", w->why_below.p);
	if (w->sheets.n == 0 && !w->is_cut)
		return fail_with(w->why, "damaged Excel workbook: it lists no sheet; what looks like one in it (%" PRIu64 ") was read", w->found);
	if (w->found && w->values == 0 && !w->is_unread && !w->is_cut)
		return fail_with(w->why, "this Excel workbook is empty: no cell of its %" PRIu64 " sheet%s has a value", w->found, w->found == 1 ? "" : "s");
	return SOURCE_END;
}

enum source_status workbook_next(struct workbook *w, struct layer **ret, struct buf *ret_name)
{
	enum source_status status = SOURCE_END;

	buf_clear(ret_name);
	if (w->is_over)
		return SOURCE_END;
	if (w->fault_at < w->faults.n) {
		const char *name = w->faults.p + w->fault_at, *why = name + strlen(name) + 1;

		w->fault_at += strlen(name) + strlen(why) + 2;
		buf_add_cstr(ret_name, name);
		return fail_with(w->why, "%s", why);
	}
	while (!w->is_through) {
		uint64_t key;
		const uint8_t *kind;

		status = w->parts ? container_next(w->parts, ret, ret_name) : SOURCE_END;
		w->is_through = status == SOURCE_END || (status == SOURCE_BROKEN && !ret_name->n);
		if (status != SOURCE_OK)
			break;
		key = part_key(part_name(w, buf_str(ret_name)));
		kind = table_get(&w->kinds, key);
		if (!kind || *kind != PART_SHEET) {
			layer_free(*ret);
			continue;
		}
		name_sheet(w, key, ret_name);
		*ret = sheet_new(w, *ret);
		return *ret ? SOURCE_OK : fail_with(w->why, "out of memory");
	}
	return status == SOURCE_BROKEN ? status : last_words(w, ret_name);
}

struct workbook *workbook_new(struct layer *below)
{
	struct workbook *w = calloc(1, sizeof(*w));
	struct buf *why = below->why;
	enum source_status status;
	const char *name;
	bool ok = false;

	if (!w) {
		layer_fail(below, "out of memory");
		layer_free(below);
		return NULL;
	}
	w->why = why;
	buf_init(&w->why_below, WHY_BYTES_MAX);
	buf_init(&w->why_part, WHY_BYTES_MAX);
	buf_init(&w->name, 4 * ARCHIVE_ENTRY_NAME_MAX);
	buf_init(&w->folder, ARCHIVE_ENTRY_NAME_MAX + 1);
	buf_init(&w->faults, MIB);
	table_init(&w->kinds, 1, ARCHIVE_ENTRIES_MAX);
	table_init(&w->formats, 1, XLSX_STYLES_MAX);
	kept_init(&w->texts);
	kept_init(&w->ends);
	for (struct layer *l = below; l; l = l->below)
		l->why = &w->why_below;
	w->below = below->seek ? below : memory_new(below, PACKING_ZIP, &status);
	if (!w->below)
		goto out;
	look_through(w, &name);
	if (w->found || w->sheets.n)
		w->parts = open_parts(w, why);
	else if (w->is_cut)
		fail_with(why, "%s", w->why_part.n ? w->why_part.p : "out of memory");
	else
		fail_with(why, "%s, which is not read. Unpack or convert it first", name);
	ok = w->parts != NULL;
out:
	if (!ok) {
		fail_with(why, "%s", w->why_below.n ? w->why_below.p : "out of memory");
		workbook_free(w);
		w = NULL;
	}
	return w;
}

void workbook_stop(struct workbook *w) { w->is_over = true; }

void workbook_free(struct workbook *w)
{
	if (!w)
		return;
	container_free(w->parts);
	layer_free(w->below);
	list_release(&w->sheets);
	list_release(&w->relations);
	kept_release(&w->texts);
	kept_release(&w->ends);
	table_release(&w->kinds);
	table_release(&w->formats);
	free(w->styles);
	buf_release(&w->folder);
	buf_release(&w->faults);
	buf_release(&w->name);
	buf_release(&w->why_part);
	buf_release(&w->why_below);
	free(w);
}
