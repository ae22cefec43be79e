/* SPDX-License-Identifier: Apache-2.0 */
/* sink: the output.  A sink appends to `pending` as if nothing could go wrong; only this file writes, and it knows the
 * three ends of an output: all written, the disk is full (remembered, reported by the command), the reader went away
 * (`| head`: remembered, and never an error). */
#include "sink/sink.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/wrap.h"

#define SINK(name) extern const struct sink sink_##name;
#include "sink/list.h"
#undef SINK

const struct sink *const sinks[] = {
#define SINK(name) &sink_##name,
#include "sink/list.h"
#undef SINK
	NULL
};

const struct sink *sink_find(struct str name)
{
	for (size_t i = 0; sinks[i]; i++)
		if (str_eq(name, str_of(sinks[i]->name)))
			return sinks[i];
	return NULL;
}

void sink_out_init(struct sink_out *o, int fd, bool color, unsigned width)
{
	*o = (struct sink_out){ .fd = fd, .color = color, .width = width };
	buf_init(&o->pending, SINK_PIECE_BYTES_MAX);
	buf_init(&o->folded, 2 * SINK_PIECE_BYTES_MAX);
}

static void out_fail(struct sink_out *o, int error)
{
	if (!o->failed && !o->closed)
		o->error = error;
	o->failed = true;
}

void sink_out_flush(struct sink_out *o)
{
	const char *p = o->pending.p;
	size_t left = o->pending.n;

	if (o->wraps && o->width && left) { /* (pieces end with their lines) */
		buf_clear(&o->folded);
		buf_add_wrapped(&o->folded, buf_str(&o->pending), o->width);
		p = o->folded.p;
		left = o->folded.n;
	}
	if (buf_failed(&o->pending) || buf_failed(&o->folded))
		out_fail(o, ENOMEM);
	while (left && !o->failed && !o->closed) {
		ssize_t n = write(o->fd, p, left);
		if (n >= 0) {
			p += n;
			left -= (size_t)n;
		} else if (errno == EAGAIN) { /* a non-blocking pipe inherited from the caller */
			struct pollfd ready = { .fd = o->fd, .events = POLLOUT };
			(void)poll(&ready, 1, -1);
		} else if (errno == EPIPE) {
			o->closed = true;
		} else if (errno != EINTR) {
			out_fail(o, errno);
		}
	}
	buf_clear(&o->pending);
}

bool sink_out_step(struct sink_out *o)
{
	if (o->pending.n >= SINK_FLUSH_BYTES || buf_failed(&o->pending))
		sink_out_flush(o);
	return !o->failed && !o->closed;
}

void sink_out_release(struct sink_out *o)
{
	sink_out_flush(o);
	buf_release(&o->pending);
	buf_release(&o->folded);
}

void sink_add_count(struct buf *b, uint64_t n)
{
	char digits[24];
	int length = snprintf(digits, sizeof(digits), "%" PRIu64, n);

	for (int i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0)
			buf_add_char(b, ',');
		buf_add_char(b, digits[i]);
	}
}
