/* SPDX-License-Identifier: Apache-2.0 */
/* reader: bytes of a plain file and of memory.  A file is read with pread(): a mapped file that is truncated meanwhile would
 * kill us with a signal, and someone may want to hide a dump from its reader. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dump/dump.h"

struct fd_reader {
	struct dump_reader r;
	int fd;
	bool own;
};

static size_t fd_read(struct dump_reader *r, uint64_t offset, void *p, size_t n)
{
	struct fd_reader *f = (struct fd_reader *)r;
	size_t done = 0;

	n = dump_reader_within(r, offset, n);
	if (n == 0)
		return 0;
	while (done < n) {
		ssize_t got = pread(f->fd, (char *)p + done, n - done, (off_t)(offset + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) /* the caller counts what is missing; a later offset may be readable again */
			break;
		done += (size_t)got;
	}
	return done;
}

static void fd_release(struct dump_reader *r)
{
	struct fd_reader *f = (struct fd_reader *)r;

	if (f->own)
		close(f->fd);
}

struct dump_reader *dump_reader_fd(int fd, bool own)
{
	struct fd_reader *f;
	struct stat st;
	off_t end;

	if (fstat(fd, &st) != 0)
		return NULL;
	end = S_ISREG(st.st_mode) ? st.st_size : lseek(fd, 0, SEEK_END);
	if (end < 0)
		return NULL;
	f = calloc(1, sizeof(*f));
	if (!f)
		return NULL;
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	f->r.read = fd_read;
	f->r.release = fd_release;
	f->r.size = (uint64_t)end;
	f->r.parallel = true;
	f->fd = fd;
	f->own = own;
	return &f->r;
}

struct memory_reader {
	struct dump_reader r;
	const uint8_t *p;
};

static size_t memory_read(struct dump_reader *r, uint64_t offset, void *p, size_t n)
{
	n = dump_reader_within(r, offset, n);
	if (n == 0)
		return 0;
	memcpy(p, ((struct memory_reader *)r)->p + offset, n);
	return n;
}

struct dump_reader *dump_reader_memory(const void *p, size_t n)
{
	struct memory_reader *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->r.read = memory_read;
	m->r.size = n;
	m->r.parallel = true;
	m->p = p;
	return &m->r;
}

void dump_reader_free(struct dump_reader *r)
{
	if (!r)
		return;
	if (r->release)
		r->release(r);
	free(r);
}
