/* SPDX-License-Identifier: Apache-2.0 */
/* spool: pieces are stored one after another in one block of memory, each after its length; an array points at them.  A
 * full block is sorted and written as a run; at the end runs are merged through a heap, each read through a buffer of
 * its own. One run is 48 MiB, so a hundred gigabytes are two thousand runs; their buffers shrink so that together they
 * take no more than the block did. */
#include "base/spool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/tempfile.h"

enum { LENGTH = 4 };

struct ref {
	uint64_t head; /* first eight bytes, big end first: most comparisons need no more */
	size_t at;
};

struct run {
	uint64_t at, left; /* in the file */
	uint64_t begin, bytes;
	uint8_t *buffer;
	size_t capacity, have, pos;
};

struct spool {
	uint8_t *block;
	size_t used, capacity;
	struct ref *refs;
	size_t n, refs_capacity;
	int fd;
	uint64_t file_end, count;
	struct run *runs;
	size_t run_count, run_capacity;
	size_t *heap, heap_n;
	size_t at; /* without runs: next of refs */
	bool reading;
	char error[160];
};

static void fail(struct spool *s, const char *what)
{
	if (!s->error[0])
		snprintf(s->error, sizeof(s->error), "%s%s%s", what, errno ? ": " : "", errno ? strerror(errno) : "");
}

struct spool *spool_new(size_t memory_bytes)
{
	struct spool *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->fd = -1;
	s->capacity = memory_bytes ? memory_bytes : SPOOL_MEMORY_BYTES;
	if (s->capacity < 2 * (SPOOL_PIECE_BYTES_MAX + LENGTH))
		s->capacity = 2 * (SPOOL_PIECE_BYTES_MAX + LENGTH);
	return s;
}

void spool_free(struct spool *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->run_count; i++)
		free(s->runs[i].buffer);
	if (s->fd >= 0)
		close(s->fd);
	free(s->runs);
	free(s->heap);
	free(s->refs);
	free(s->block);
	free(s);
}

static struct str piece_at(const uint8_t *p)
{
	uint32_t n;

	memcpy(&n, p, LENGTH);
	return (struct str) { (const char *)p + LENGTH, n };
}

static uint64_t head_of(struct str s)
{
	uint8_t b[8] = { 0 };

	memcpy(b, s.p, s.n < 8 ? s.n : 8);
	return spool_get((const char *)b, 8);
}

static int compare(struct str a, struct str b)
{
	const size_t n = a.n < b.n ? a.n : b.n;
	const int c = n ? memcmp(a.p, b.p, n) : 0;

	return c ? c : (a.n > b.n) - (a.n < b.n);
}

static int compare_refs(const void *a, const void *b, void *arg)
{
	const struct ref *x = a, *y = b;
	const struct spool *s = arg;

	if (x->head != y->head)
		return x->head < y->head ? -1 : 1;
	return compare(piece_at(s->block + x->at), piece_at(s->block + y->at));
}

static void sort_block(struct spool *s)
{
	if (s->n)
		qsort_r(s->refs, s->n, sizeof(*s->refs), compare_refs, s);
}

static void spill(struct spool *s)
{
	uint8_t *out = malloc(READ_CHUNK_BYTES + SPOOL_PIECE_BYTES_MAX + LENGTH);
	size_t n = 0;
	const uint64_t begin = s->file_end;

	errno = 0;
	if (!out) {
		fail(s, "out of memory");
		return;
	}
	if (s->fd < 0 && (s->fd = tempfile_open()) < 0)
		fail(s, "cannot make a temporary file (set TMPDIR to a folder with space)");
	sort_block(s);
	for (size_t i = 0; i <= s->n && !s->error[0]; i++) {
		if (i == s->n || n >= READ_CHUNK_BYTES) {
			if (!tempfile_write(s->fd, out, n, s->file_end))
				fail(s, "cannot write a temporary file (set TMPDIR to a folder with space)");
			s->file_end += n;
			n = 0;
			if (i == s->n)
				break;
		}
		const struct str p = piece_at(s->block + s->refs[i].at);
		memcpy(out + n, p.p - LENGTH, p.n + LENGTH);
		n += p.n + LENGTH;
	}
	free(out);
	if (s->run_count == s->run_capacity) {
		const size_t want = s->run_capacity ? 2 * s->run_capacity : 16;
		struct run *p = realloc(s->runs, want * sizeof(*p));
		if (!p) {
			fail(s, "out of memory");
			return;
		}
		s->runs = p;
		s->run_capacity = want;
	}
	s->runs[s->run_count++] = (struct run) { .begin = begin, .bytes = s->file_end - begin };
	s->n = 0;
	s->used = 0;
}

void spool_add(struct spool *s, struct str piece)
{
	const uint32_t n = (uint32_t)piece.n;

	if (s->error[0] || s->reading || piece.n > SPOOL_PIECE_BYTES_MAX)
		return;
	s->count++;
	if (!s->block && !(s->block = malloc(s->capacity))) {
		fail(s, "out of memory");
		return;
	}
	if (s->used + LENGTH + piece.n > s->capacity || s->n * sizeof(*s->refs) > s->capacity) {
		spill(s);
		if (s->error[0])
			return;
	}
	if (s->n == s->refs_capacity) {
		const size_t want = s->refs_capacity ? 2 * s->refs_capacity : 1024;
		struct ref *p = realloc(s->refs, want * sizeof(*p));
		if (!p) {
			fail(s, "out of memory");
			return;
		}
		s->refs = p;
		s->refs_capacity = want;
	}
	s->refs[s->n++] = (struct ref) { head_of(piece), s->used };
	memcpy(s->block + s->used, &n, LENGTH);
	if (n)
		memcpy(s->block + s->used + LENGTH, piece.p, n);
	s->used += LENGTH + n;
}

/* -- reading -- */

/* this piece of a run is whole in its buffer afterwards; false: the end */
static bool run_fill(struct spool *s, struct run *r)
{
	for (;;) {
		uint32_t n;
		if (r->have - r->pos >= LENGTH) {
			memcpy(&n, r->buffer + r->pos, LENGTH);
			if (r->have - r->pos >= LENGTH + (size_t)n)
				return true;
		}
		if (r->left == 0)
			return false;
		memmove(r->buffer, r->buffer + r->pos, r->have - r->pos);
		r->have -= r->pos;
		r->pos = 0;
		const size_t room = r->capacity - r->have;
		ssize_t got = pread(s->fd, r->buffer + r->have, r->left < room ? (size_t)r->left : room, (off_t)r->at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			fail(s, "cannot read a temporary file");
			return false;
		}
		r->have += (size_t)got;
		r->at += (uint64_t)got;
		r->left -= (uint64_t)got;
	}
}

static struct str run_piece(const struct spool *s, size_t i)
{
	return piece_at(s->runs[i].buffer + s->runs[i].pos);
}

static bool before(const struct spool *s, size_t a, size_t b)
{
	const int c = compare(run_piece(s, a), run_piece(s, b));

	return c ? c < 0 : a < b;
}

static void heap_down(struct spool *s, size_t i)
{
	const size_t x = s->heap[i];

	for (size_t child; (child = 2 * i + 1) < s->heap_n; i = child) {
		if (child + 1 < s->heap_n && before(s, s->heap[child + 1], s->heap[child]))
			child++;
		if (!before(s, s->heap[child], x))
			break;
		s->heap[i] = s->heap[child];
	}
	s->heap[i] = x;
}

void spool_rewind(struct spool *s)
{
	errno = 0;
	if (!s->reading) {
		s->reading = true;
		if (s->run_count && s->n)
			spill(s);
		else
			sort_block(s);
		if (s->run_count) {
			free(s->block);
			free(s->refs);
			s->block = NULL;
			s->refs = NULL;
			s->n = 0;
			s->heap = calloc(s->run_count, sizeof(*s->heap));
			if (!s->heap)
				fail(s, "out of memory");
		}
		size_t each = s->run_count ? s->capacity / s->run_count : 0;
		if (each < SPOOL_PIECE_BYTES_MAX + LENGTH)
			each = SPOOL_PIECE_BYTES_MAX + LENGTH;
		for (size_t i = 0; i < s->run_count && !s->error[0]; i++) {
			s->runs[i].capacity = each;
			s->runs[i].buffer = malloc(each);
			if (!s->runs[i].buffer)
				fail(s, "out of memory");
		}
	}
	s->at = 0;
	s->heap_n = 0;
	for (size_t i = 0; i < s->run_count && !s->error[0]; i++) {
		struct run *r = &s->runs[i];
		r->at = r->begin;
		r->left = r->bytes;
		r->have = r->pos = 0;
		if (run_fill(s, r))
			s->heap[s->heap_n++] = i;
	}
	for (size_t i = s->heap_n / 2; i-- > 0;)
		heap_down(s, i);
	/* the piece handed out last is passed at the next call; at the beginning there is none */
	s->at = SIZE_MAX;
}

bool spool_next(struct spool *s, struct str *ret)
{
	if (!s->reading)
		spool_rewind(s);
	if (s->error[0])
		return false;
	if (!s->run_count) {
		s->at++; /* from SIZE_MAX to 0 */
		if (s->at >= s->n) {
			s->at = s->n - 1; /* again and again the end */
			return false;
		}
		*ret = piece_at(s->block + s->refs[s->at].at);
		return true;
	}
	if (s->at != SIZE_MAX && s->heap_n) {
		struct run *r = &s->runs[s->heap[0]];
		r->pos += LENGTH + run_piece(s, s->heap[0]).n;
		if (!run_fill(s, r))
			s->heap[0] = s->heap[--s->heap_n];
		if (s->heap_n)
			heap_down(s, 0);
	}
	s->at = 0;
	if (s->heap_n == 0 || s->error[0])
		return false;
	*ret = run_piece(s, s->heap[0]);
	return true;
}

uint64_t spool_count(const struct spool *s)
{
	return s->count;
}
uint64_t spool_spilled(const struct spool *s)
{
	return s->file_end;
}
const char *spool_error(const struct spool *s)
{
	return s->error;
}
