/* SPDX-License-Identifier: Apache-2.0 */
/* dump_input: from the user's paths to readers.
 *
 * A plain file is read in place.  The output of a compressor or an archive can only be read forward; it is held in
 * memory if it is small, otherwise it is unpacked once to learn its size and whether it is whole, and again whenever a reader
 * goes back further than a window.  Nothing is ever written to a disk: unpacked dumps hold the secrets we look for. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "cmd/dump_cmd.h"
#include "dump/arena.h"
#include "source/source.h"

#define WINDOW_BYTES (8 * MIB)   /* kept of what was unpacked last: blocks look back */
#define PIECE_BYTES (256 * KIB)
#define REWINDS_MAX 24           /* a format that jumps about costs a pass each time */

struct stream {
	struct dump_reader r;
	char *top;           /* what the user or the walk named */
	size_t index;        /* which stream of it */
	struct source *source;
	uint64_t end;        /* unpacked so far in this pass */
	uint8_t *window;     /* the last bytes before `end`, a ring */
	unsigned rewinds;
};

struct dump_input {
	struct source *source;
	struct dump_reader *reader;
	uint8_t *held;       /* a small stream */
	size_t held_n;
	char *top;           /* the file on disk that contains the current stream */
	size_t index;
	uint64_t losses;
	bool plain;
};

struct dump_input *dump_input_new(char **paths, size_t n)
{
	struct dump_input *in = calloc(1, sizeof(*in));

	if (in)
		in->source = source_new_bytes((const char *const *)paths, n);
	if (in && !in->source) {
		free(in);
		in = NULL;
	}
	return in;
}

static void close_reader(struct dump_input *in)
{
	dump_reader_free(in->reader);
	in->reader = NULL;
	dump_pages_free(in->held, DUMP_STREAM_HELD_BYTES);
	in->held = NULL;
	in->held_n = 0;
}

void dump_input_free(struct dump_input *in)
{
	if (!in)
		return;
	close_reader(in);
	source_free(in->source);
	free(in->top);
	free(in);
}

bool dump_input_plain(const struct dump_input *in) { return in->plain; }
uint64_t dump_input_losses(const struct dump_input *in) { return in->losses; }

/* the error of a stream, without its name, which the report adds */
static void copy_error(struct dump_reader *r, const char *error, const char *path)
{
	size_t n = path ? strlen(path) : 0;

	if (n && strncmp(error, path, n) == 0 && error[n] == ':' && error[n + 1] == ' ')
		error += n + 2;
	r->broken = true;
	snprintf(r->error, sizeof(r->error), "%s", error);
}

static void tell_problems(struct dump_input *in)
{
	for (const char *line; (line = source_problem(in->source));)
		cmd_error(&command_dump, "%s", line);
}

/* ---- streams too large to be held ---- */

static bool restart(struct stream *x)
{
	const struct source_stream *s;
	const char *path = x->top;
	enum source_status status = SOURCE_OK;

	source_free(x->source);
	x->end = 0;
	x->source = source_new_bytes(&path, 1);
	if (!x->source)
		return false;
	for (size_t i = 0; i <= x->index; i++)
		status = source_next(x->source, &s);
	return status == SOURCE_OK;
}

/* Unpacks a piece into the window.  0: the end, or broken. */
static size_t advance(struct stream *x)
{
	size_t at = (size_t)(x->end % WINDOW_BYTES), room = WINDOW_BYTES - at, n;
	enum source_status status = source_read(x->source, x->window + at, room < PIECE_BYTES ? room : PIECE_BYTES, &n);

	if (status == SOURCE_BROKEN && !x->r.broken)
		copy_error(&x->r, source_error(x->source), x->top);
	x->end += n;
	return n;
}

static size_t stream_read(struct dump_reader *r, uint64_t offset, void *p, size_t n)
{
	struct stream *x = (struct stream *)r;
	size_t done = 0;

	n = dump_reader_within(r, offset, n);
	if (n == 0)
		return 0;
	if (offset < x->end && x->end - offset > WINDOW_BYTES - PIECE_BYTES) {
		if (x->rewinds++ == REWINDS_MAX) {
			r->broken = true;
			snprintf(r->error, sizeof(r->error), "this packed dump asks to be unpacked more than %d times; unpack it to a file first",
			         REWINDS_MAX);
		}
		if (x->rewinds > REWINDS_MAX || !restart(x))
			return 0;
	}
	while (done < n) {
		uint64_t at = offset + done;

		if (at >= x->end) {
			if (advance(x) == 0)
				break;
			continue;
		}
		if (x->end - at > WINDOW_BYTES) /* a large read may outrun its own beginning; callers ask for far less */
			break;
		size_t from = (size_t)(at % WINDOW_BYTES), some = WINDOW_BYTES - from;

		some = some < n - done ? some : n - done;
		some = some < x->end - at ? some : (size_t)(x->end - at);
		memcpy((uint8_t *)p + done, x->window + from, some);
		done += some;
	}
	return done;
}

static void stream_release(struct dump_reader *r)
{
	struct stream *x = (struct stream *)r;

	source_free(x->source);
	dump_pages_free(x->window, WINDOW_BYTES);
	free(x->top);
}

static struct dump_reader *stream_new(const struct dump_input *in)
{
	struct stream *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	x->r.read = stream_read;
	x->r.release = stream_release;
	x->r.forward = true;
	x->top = strdup(in->top);
	x->index = in->index;
	x->window = dump_pages_new(WINDOW_BYTES);
	if (!x->top || !x->window || !restart(x))
		goto fail;
	while (x->end < DUMP_STREAM_BYTES_MAX && advance(x))
		;
	x->r.size = x->end;
	if (x->end >= DUMP_STREAM_BYTES_MAX) {
		x->r.broken = true;
		snprintf(x->r.error, sizeof(x->r.error), "unpacks to more than %zu GB; the rest was not read", DUMP_STREAM_BYTES_MAX / GIB);
	}
	return &x->r;
fail:
	stream_release(&x->r);
	free(x);
	return NULL;
}

/* ---- the next one ---- */

/* Reads the stream into memory.  1: whole (or broken, and marked so); 0: too large. */
static int hold(struct dump_input *in, const char *path)
{
	enum source_status status = SOURCE_OK;
	size_t n = 0, got;

	in->held = dump_pages_new(DUMP_STREAM_HELD_BYTES);
	if (!in->held)
		return -1;
	while (n < DUMP_STREAM_HELD_BYTES && status == SOURCE_OK) {
		status = source_read(in->source, in->held + n, DUMP_STREAM_HELD_BYTES - n, &got);
		n += got;
	}
	in->held_n = n;
	if (status == SOURCE_OK)
		return 0;
	in->reader = dump_reader_memory(in->held, n);
	if (!in->reader)
		return -1;
	if (status == SOURCE_BROKEN)
		copy_error(in->reader, source_error(in->source), path);
	return 1;
}

/* a pipe or a device cannot be read again from its beginning: opening it anew may wait without end */
static bool is_file(const char *path)
{
	struct stat st;

	return path && stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static bool is_disk(const char *path)
{
	struct stat st;

	return path && stat(path, &st) == 0 && S_ISBLK(st.st_mode);
}

int dump_input_next(struct dump_input *in, struct dump_reader **ret, const char **ret_path)
{
	const struct source_stream *stream;
	enum source_status status;
	const char *why = NULL;
	size_t top_n;
	int fd, held;

	close_reader(in);
	status = source_next(in->source, &stream);
	tell_problems(in);
	in->losses = source_losses(in->source);
	if (status == SOURCE_END)
		return 0;
	/* "dump.zip:member": streams of one file on disk have its name before the colon */
	if (stream->path) {
		top_n = in->top ? strlen(in->top) : 0;
		if (in->top && strncmp(stream->path, in->top, top_n) == 0 && stream->path[top_n] == ':') {
			in->index++;
		} else {
			char *colon = NULL;
			struct dump_input *x = in;

			free(x->top);
			x->top = strdup(stream->path);
			x->index = 0;
			/* a member of an archive that begins: cut the name where a file of that name exists */
			while (x->top && access(x->top, F_OK) != 0 && (colon = strrchr(x->top, ':')))
				*colon = '\0';
		}
	}
	if (status == SOURCE_BROKEN) {
		cmd_error(&command_dump, "%s", source_error(in->source));
		return -1;
	}
	*ret_path = stream->path;
	in->plain = stream->plain;
	if (stream->plain || is_disk(stream->path)) {
		fd = open(stream->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		in->reader = fd >= 0 ? dump_reader_fd(fd, true) : NULL;
		if (!in->reader && fd >= 0)
			close(fd);
		if (!in->reader)
			why = strerror(errno);
	} else {
		held = hold(in, stream->path);
		if (held == 0 && is_file(in->top)) {
			dump_pages_free(in->held, DUMP_STREAM_HELD_BYTES);
			in->held = NULL;
			in->reader = stream_new(in);
			if (!in->reader)
				why = "cannot be unpacked again from its beginning";
		} else if (held == 0) {
			why = "a stream of this size must come from a file: it is read more than once";
		} else if (held < 0) {
			why = "out of memory";
		}
	}
	if (why) {
		cmd_error(&command_dump, "%s: %s", stream->path, why);
		in->losses++;
		close_reader(in);
		return -1;
	}
	if (dump_is_avml(in->reader)) {
		struct dump_reader *unpacked = dump_reader_avml(in->reader);

		if (!unpacked) {
			cmd_error(&command_dump, "%s: out of memory", stream->path);
			in->losses++;
			close_reader(in);
			return -1;
		}
		in->reader = unpacked;
		in->plain = false;
	}
	*ret = in->reader;
	return 1;
}
