/* SPDX-License-Identifier: Apache-2.0 */
/* keys_read: every stream of the paths is read once.  A history is taken line by line and may be of any length; anything
 * else is a document and has a ceiling. */
#include "cmd/keys_read.h"

#include <stdio.h>

#include "base/limits.h"
#include "base/timefmt.h"
#include "source/source.h"

#define COMPLAINTS_MAX 20 /* lines on stderr about the lines of one file */

struct stream {
	struct keys_reader *reader;
	const char *name;            /* for messages */
	struct buf pending;          /* what is not taken yet */
	uint64_t line;
	uint64_t complaints;
	bool (*take)(struct audit *a, struct str line, struct buf *error);
};

static void complain(struct stream *s, struct str text)
{
	s->reader->lost++;
	if (++s->complaints <= COMPLAINTS_MAX)
		cmd_error(s->reader->command, "%s:%llu: %.*s", s->name, (unsigned long long)s->line, STR_ARG(text));
}

static void take_line(struct stream *s, struct str line)
{
	struct buf error;

	s->line++;
	if (!str_trim(line).n)
		return;
	s->reader->lines++;
	buf_init(&error, 64 * KIB);
	if (!s->take(s->reader->audit, str_trim(line), &error))
		complain(s, buf_str(&error));
	buf_release(&error);
}

/* Takes the whole lines of what is pending; with `last` the rest as well. */
static void take_lines(struct stream *s, bool last)
{
	size_t from = 0;

	while (from < s->pending.n) {
		const char *begin = s->pending.p + from, *end = memchr(begin, '\n', s->pending.n - from);
		const size_t n = end ? (size_t)(end - begin) : s->pending.n - from;
		if (!end && !last)
			break;
		take_line(s, (struct str){ begin, n });
		from += n + (end != NULL);
	}
	if (from && from < s->pending.n)
		memmove(s->pending.p, s->pending.p + from, s->pending.n - from);
	s->pending.n -= from < s->pending.n ? from : s->pending.n;
}

/* -- names with a date -- */

static bool digits(const char *p, size_t n, int64_t *ret)
{
	*ret = 0;
	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return false;
		*ret = 10 * *ret + (p[i] - '0');
	}
	return true;
}

/* Two digits after an optional separator. */
static bool pair(const char **p, const char *separators, int64_t max, int64_t *ret)
{
	const char *at = *p;

	if (*at && strchr(separators, *at))
		at++;
	if (!digits(at, 2, ret) || *ret > max)
		return false;
	*p = at + 2;
	return true;
}

bool keys_dated_name(const char *path, int64_t *ret_us, char *ret_name, size_t room)
{
	const char *base = strrchr(path, '/'), *folder_end = base;
	size_t n = 0;

	base = base ? base + 1 : path;
	for (const char *p = base; *p; p++) {
		int64_t year, month, day, hour = 0, minute = 0, second = 0;
		const char *at = p + 4;

		if ((p > base && p[-1] >= '0' && p[-1] <= '9') || strlen(p) < 8 || !digits(p, 4, &year) || year < 1990 || year > 2099 ||
		    !pair(&at, "-_.", 12, &month) || !pair(&at, "-_.", 31, &day) || !month || !day)
			continue;
		if (*at == 'T' || *at == '_' || *at == '-' || *at == ' ') {
			const char *clock = at + 1;
			if (pair(&clock, "", 23, &hour) && pair(&clock, "-:.", 59, &minute)) {
				at = clock;
				if (pair(&clock, "-:.", 59, &second))
					at = clock;
				at += *at == 'Z';
			} else {
				hour = minute = second = 0;
			}
		}
		*ret_us = (days_from_civil(year, (unsigned)month, (unsigned)day) * 86400 + hour * 3600 + minute * 60 + second) * US_PER_SECOND;
		for (n = (size_t)(p - base); n && strchr("-_. ", base[n - 1]);)
			n--;
		if (n) {
			snprintf(ret_name, room, "%.*s", (int)n, base);
		} else {
			const char *folder = folder_end ? folder_end : path;
			while (folder > path && folder[-1] != '/')
				folder--;
			n = folder_end ? (size_t)(folder_end - folder) : 0;
			snprintf(ret_name, room, "%.*s", n ? (int)n : 1, n ? folder : ".");
		}
		return true;
	}
	return false;
}

/* -- streams -- */

static void take_document(struct stream *s, struct source *source, enum source_status status)
{
	struct keys_reader *r = s->reader;
	struct buf error;
	char name[1024];
	int64_t time = 0;

	buf_init(&error, 64 * KIB);
	if (status == SOURCE_BROKEN) {
		buf_add_cstr(&error, source_error(source));
	} else if (buf_failed(&s->pending)) {
		buf_printf(&error, "%s: larger than %zu MiB", s->name, (size_t)(KEYS_FILE_BYTES_MAX / MIB));
	} else {
		if (!keys_dated_name(s->name, &time, name, sizeof(name)))
			snprintf(name, sizeof(name), "%s", s->name);
		if (r->name)
			snprintf(name, sizeof(name), "%s", r->name);
		time = r->name ? 0 : time ? time : r->time;
		if (audit_take_set(r->audit, name, buf_str(&s->pending), time, &error)) {
			r->taken++;
			if (audit_set_was_empty(r->audit) && !r->name) {
				r->lost++;
				cmd_error(r->command, "%s: no key in it", s->name);
			}
			if (r->on_set)
				r->on_set(r->arg, name, buf_str(&s->pending));
		}
	}
	if (error.n) {
		r->lost++;
		cmd_error(r->command, "%.*s", STR_ARG(buf_str(&error)));
	}
	buf_release(&error);
}

/* One stream from its first byte to its last. */
static void read_stream(struct stream *s, struct source *source)
{
	static char chunk[READ_CHUNK_BYTES];
	const bool lines = s->take != NULL;
	bool history = lines, decided = lines;
	enum source_status status;
	size_t n;

	while ((status = source_read(source, chunk, sizeof(chunk), &n)) == SOURCE_OK) {
		buf_add(&s->pending, chunk, n);
		if (!decided && (memchr(chunk, '\n', n) || s->pending.n > sizeof(chunk))) {
			decided = true;
			history = audit_is_history_line(buf_str(&s->pending));
		}
		if (history) {
			s->take = lines ? s->take : audit_take_line;
			take_lines(s, false);
		}
		if (buf_failed(&s->pending) && !history)
			break; /* too large for a document, and it may have no end */
		if (buf_failed(&s->pending)) {
			s->line++;
			complain(s, STR("the line is too long"));
			buf_clear(&s->pending);
			return;
		}
	}
	if (!decided)
		history = audit_is_history_line(buf_str(&s->pending));
	if (!history) {
		take_document(s, source, status);
		return;
	}
	s->take = lines ? s->take : audit_take_line;
	take_lines(s, true);
	s->reader->taken++;
	if (status == SOURCE_BROKEN) {
		s->reader->lost++;
		cmd_error(s->reader->command, "%s", source_error(source));
	}
	if (s->complaints > COMPLAINTS_MAX)
		cmd_error(s->reader->command, "%s: %llu more lines like that", s->name,
			  (unsigned long long)(s->complaints - COMPLAINTS_MAX));
}

static void read_path(struct keys_reader *r, const char *path, bool (*take)(struct audit *a, struct str line, struct buf *error))
{
	struct source *source = source_new(&path, 1);
	const struct source_stream *stream;
	enum source_status status;
	const char *problem;
	const uint64_t lost = r->lost, lines = r->lines;
	bool any = false;

	if (!source) {
		r->lost++;
		cmd_error(r->command, "out of memory");
		return;
	}
	while ((status = source_next(source, &stream)) != SOURCE_END) {
		struct stream s = { .reader = r, .name = stream->path, .take = take };

		any = true;
		if (status == SOURCE_BROKEN) {
			r->lost++;
			cmd_error(r->command, "%s", source_error(source));
			continue;
		}
		buf_init(&s.pending, KEYS_FILE_BYTES_MAX);
		read_stream(&s, source);
		buf_release(&s.pending);
	}
	while ((problem = source_problem(source))) {
		r->lost++;
		cmd_error(r->command, "%s", problem);
	}
	if (r->lost == lost && (take ? r->lines == lines : !any && !r->name)) {
		r->lost++;
		cmd_error(r->command, "%s: nothing in it", path);
	}
	source_free(source);
}

void keys_read_sets(struct keys_reader *r, const char *const *paths, size_t n)
{
	for (size_t i = 0; i < n; i++)
		read_path(r, paths[i], NULL);
}

void keys_read_lines(struct keys_reader *r, const char *path,
		     bool (*take)(struct audit *a, struct str line, struct buf *error))
{
	read_path(r, path, take);
}
