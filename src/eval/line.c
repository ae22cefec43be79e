/* SPDX-License-Identifier: Apache-2.0 */
/* line: each line is indexed by itself (decode/json.h) and its members are found in one pass; values are parsed only
 * on request, and completely: a number with trailing text is an error. */
#include "eval/line.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/timefmt.h"

bool line_open(struct line_file *f, const char *path)
{
	*f = (struct line_file){ .path = path };
	buf_init(&f->error, 64 * KIB);
	f->stream = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	if (!f->stream) {
		f->failed = true;
		buf_printf(&f->error, "cannot read '%s': %s", path, strerror(errno));
		return false;
	}
	f->indexer = json_indexer_new();
	if (!f->indexer) {
		f->failed = true;
		buf_add_cstr(&f->error, "out of memory");
	}
	return !f->failed;
}

void line_close(struct line_file *f)
{
	if (f->stream && f->stream != stdin)
		fclose(f->stream);
	if (f->indexer)
		json_indexer_free(f->indexer);
	free(f->text);
	free(f->plain);
	buf_release(&f->error);
	*f = (struct line_file){ 0 };
}

void line_fail(struct line_file *f, const char *format, ...)
{
	va_list ap;

	if (f->failed)
		return;
	f->failed = true;
	buf_printf(&f->error, "%s: line %llu: ", f->path, (unsigned long long)f->number);
	va_start(ap, format);
	buf_vprintf(&f->error, format, ap);
	va_end(ap);
}

/* -- lines -- */

/* Room for n bytes and the index's terminator in both buffers. */
static bool grow(struct line_file *f, size_t n)
{
	char *p;

	if (n + 1 > f->capacity) {
		const size_t wanted = n + n / 2 + 4096;
		p = realloc(f->text, wanted);
		if (!p)
			return false;
		f->text = p;
		f->capacity = wanted;
	}
	if (f->plain_capacity < f->capacity) {
		p = realloc(f->plain, f->capacity);
		if (!p)
			return false;
		f->plain = p;
		f->plain_capacity = f->capacity;
	}
	return true;
}

/* One line without its end into f->text; -1: the end, or failed. */
static ssize_t read_line(struct line_file *f)
{
	size_t n = 0;
	int c;

	f->number++;
	while ((c = getc_unlocked(f->stream)) != EOF && c != '\n') {
		if (n == EVAL_LINE_BYTES_MAX) {
			line_fail(f, "longer than %zu MiB", EVAL_LINE_BYTES_MAX / MIB);
			return -1;
		}
		if (!grow(f, n + 1)) {
			line_fail(f, "out of memory");
			return -1;
		}
		f->text[n++] = (char)c;
	}
	if (c == EOF && ferror(f->stream)) {
		line_fail(f, "cannot read on: %s", strerror(errno));
		return -1;
	}
	return c == EOF && n == 0 ? -1 : (ssize_t)n;
}

/* Finds the members of the object v.  False: failed. */
static bool take_members(struct line_file *f, uint32_t v, struct line_object *ret, uint32_t *ret_next)
{
	struct walk_object o = walk_object(&f->x, v);
	uint32_t key;

	ret->file = f;
	ret->count = 0;
	while ((key = walk_next_key(&o)) != WALK_BAD) {
		const struct str name = walk_raw_string(&f->x, key);
		if (!name.p)
			break;
		if (ret->count == EVAL_MEMBERS_MAX) {
			line_fail(f, "an object of more than %d members", EVAL_MEMBERS_MAX);
			return false;
		}
		ret->members[ret->count].name = name;
		ret->members[ret->count++].value = key + 2;
		o.next = walk_skip(&f->x, key + 2);
	}
	if (key != WALK_BAD || o.next == WALK_BAD || o.next == WALK_DEEP) {
		line_fail(f, "not well-formed JSON (cut short?)");
		return false;
	}
	*ret_next = o.next;
	return true;
}

bool line_next(struct line_file *f, struct line_object *ret)
{
	struct str text;
	ssize_t n;
	uint32_t next;

	do {
		if (f->failed || (n = read_line(f)) < 0)
			return false;
		text = n ? str_trim((struct str){ f->text, (size_t)n }) : STR_NONE;
	} while (!text.n);
	f->plain_used = 0;
	f->text[text.p - f->text + (ptrdiff_t)text.n] = '\0';
	switch (json_index(f->indexer, text.p, text.n, &f->x)) {
	case JSON_OK:
		break;
	case JSON_NO_MEMORY:
		line_fail(f, "out of memory");
		return false;
	case JSON_BAD_UTF8:
		line_fail(f, "not UTF-8");
		return false;
	default:
		line_fail(f, "not well-formed JSON (cut short?)");
		return false;
	}
	if (walk_char(&f->x, 0) != '{') {
		line_fail(f, "not a JSON object");
		return false;
	}
	if (!take_members(f, 0, ret, &next))
		return false;
	if (next != f->x.n) {
		line_fail(f, "more than one JSON object");
		return false;
	}
	return true;
}

/* -- values -- */

static bool is_null(const struct line_file *f, uint32_t v)
{
	return str_eq(walk_bare(&f->x, v), STR("null"));
}

/* WALK_BAD: absent or null */
static uint32_t member(const struct line_object *o, const char *name)
{
	const struct str wanted = str_of(name);

	for (uint32_t i = 0; i < o->count; i++)
		if (str_eq(o->members[i].name, wanted))
			return is_null(o->file, o->members[i].value) ? WALK_BAD : o->members[i].value;
	return WALK_BAD;
}

bool line_has(const struct line_object *o, const char *name)
{
	return member(o, name) != WALK_BAD;
}

bool line_says(const struct line_object *o, const char *name)
{
	for (uint32_t i = 0; i < o->count; i++)
		if (str_eq(o->members[i].name, str_of(name)))
			return true;
	return false;
}

static struct str text_at(struct line_file *f, uint32_t v, const char *name)
{
	struct str raw = walk_raw_string(&f->x, v);

	if (!raw.p) {
		line_fail(f, "'%s' is not a text", name);
		return STR_NONE;
	}
	if (!memchr(raw.p, '\\', raw.n))
		return raw;
	raw = walk_unescape(raw, f->plain + f->plain_used); /* never longer than it was escaped */
	f->plain_used += raw.n;
	return raw;
}

struct str line_text(struct line_object *o, const char *name)
{
	const uint32_t v = member(o, name);

	return v == WALK_BAD ? STR_NONE : text_at(o->file, v, name);
}

struct str line_need_text(struct line_object *o, const char *name)
{
	const struct str s = line_text(o, name);

	if (!s.n)
		line_fail(o->file, "'%s' is missing", name);
	return s;
}

/* -12, without fraction and exponent */
static bool parse_whole(struct str s, int64_t *ret)
{
	const bool negative = s.n && s.p[0] == '-';
	int64_t n = 0;

	if (s.n == negative || s.n > 18)
		return false;
	for (size_t i = negative; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		n = 10 * n + (s.p[i] - '0');
	}
	*ret = negative ? -n : n;
	return true;
}

static int64_t whole_at(struct line_file *f, uint32_t v, const char *name, int64_t min, int64_t max)
{
	int64_t n = min;

	if (!parse_whole(walk_bare(&f->x, v), &n) || n < min || n > max) {
		line_fail(f, "'%s' is not a whole number from %lld to %lld", name, (long long)min, (long long)max);
		return min;
	}
	return n;
}

int64_t line_int(struct line_object *o, const char *name, int64_t min, int64_t max, int64_t if_absent)
{
	const uint32_t v = member(o, name);

	return v == WALK_BAD ? if_absent : whole_at(o->file, v, name, min, max);
}

int64_t line_need_int(struct line_object *o, const char *name, int64_t min, int64_t max)
{
	if (!line_has(o, name))
		line_fail(o->file, "'%s' is missing", name);
	return line_int(o, name, min, max, min);
}

double line_real(struct line_object *o, const char *name, double if_absent)
{
	const uint32_t v = member(o, name);
	struct str s;
	char text[64], *end;
	double x;

	if (v == WALK_BAD)
		return if_absent;
	s = walk_bare(&o->file->x, v);
	if (!s.n || s.n >= sizeof(text) || !(s.p[0] == '-' || (s.p[0] >= '0' && s.p[0] <= '9')))
		goto bad;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	if (strspn(text, "0123456789+-.eE") != s.n)
		goto bad;
	x = strtod(text, &end);
	if (*end || !isfinite(x))
		goto bad;
	return x;
bad:
	line_fail(o->file, "'%s' is not a number", name);
	return if_absent;
}

int64_t line_time(struct line_object *o, const char *name)
{
	const struct str s = line_text(o, name);
	int64_t us = 0;

	if (s.n && (!time_parse_rfc3339(s, &us) || us < TIME_MIN_US || us >= TIME_MAX_US)) {
		line_fail(o->file, "'%s' is not a time between 2000 and 2100", name);
		us = 0;
	}
	return us;
}

int64_t line_need_time(struct line_object *o, const char *name)
{
	if (!line_has(o, name))
		line_fail(o->file, "'%s' is missing", name);
	return line_time(o, name);
}

/* -- lists -- */

static uint32_t next_element(struct line_object *o, struct line_list *w)
{
	w->at = walk_next_element(&w->walk);
	if (w->at == WALK_BAD && (w->walk.next == WALK_BAD || w->walk.next == WALK_DEEP))
		line_fail(o->file, "'%s' is not a well-formed list", w->name);
	return o->file->failed ? WALK_BAD : w->at;
}

uint32_t line_list(struct line_object *o, const char *name, struct line_list *ret)
{
	const uint32_t v = member(o, name);

	ret->name = name;
	if (v == WALK_BAD)
		return WALK_BAD;
	if (walk_char(&o->file->x, v) != '[') {
		line_fail(o->file, "'%s' is not a list", name);
		return WALK_BAD;
	}
	ret->walk = walk_array(&o->file->x, v);
	return next_element(o, ret);
}

uint32_t line_list_next(struct line_object *o, struct line_list *w)
{
	w->walk.next = walk_skip(&o->file->x, w->at);
	return next_element(o, w);
}

struct str line_element_text(struct line_object *o, const struct line_list *w, uint32_t v)
{
	return text_at(o->file, v, w->name);
}

bool line_element_object(struct line_object *o, const struct line_list *w, uint32_t v, struct line_object *ret)
{
	uint32_t next;

	if (walk_char(&o->file->x, v) != '{') {
		line_fail(o->file, "'%s' holds something that is no object", w->name);
		return false;
	}
	return take_members(o->file, v, ret, &next);
}

bool line_element_pair(struct line_object *o, const struct line_list *w, uint32_t v, int64_t max, int64_t ret[2])
{
	struct walk_array pair;
	uint32_t x;
	int n = 0;

	if (walk_char(&o->file->x, v) != '[') {
		line_fail(o->file, "'%s' holds something that is no pair", w->name);
		return false;
	}
	pair = walk_array(&o->file->x, v);
	for (; (x = walk_next_element(&pair)) != WALK_BAD; pair.next = walk_skip(&o->file->x, x)) {
		if (n < 2)
			ret[n] = whole_at(o->file, x, w->name, 0, max);
		n++;
	}
	if (n != 2)
		line_fail(o->file, "'%s' holds something that is no pair", w->name);
	return !o->file->failed;
}
