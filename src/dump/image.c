/* SPDX-License-Identifier: Apache-2.0 */
/* image: maps the bytes of a file to memory addresses.
 *
 * A format declares ranges in whatever order its file has them, correct or not.  dump_image_seal() turns that into a partition
 * of the file: sorted, without overlap, gaps filled.  So each byte is scanned exactly once: a header with sixty thousand
 * segments that all claim the whole file costs no more than an honest one.  A declared range that is missing becomes a
 * hole, and an image with a hole is never clean. */
#include "dump/dump.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "dump/image_int.h"

static struct image *inner(struct dump_image *im) { return (struct image *)im; }

#define FINDER(name)
#define DUMP_FORMAT(name) extern const struct dump_format dump_format_##name;
#include "dump/list.h"
#undef DUMP_FORMAT
const struct dump_format *const dump_formats[] = {
#define DUMP_FORMAT(name) &dump_format_##name,
#include "dump/list.h"
#undef DUMP_FORMAT
#undef FINDER
	NULL
};

/* ---- declarations of formats ---- */

void dump_problem(struct dump_image *im, const char *format, ...)
{
	va_list ap;

	if (im->problems.n > DUMP_PROBLEMS_BYTES_MAX / 2)
		return;
	va_start(ap, format);
	buf_vprintf(&im->problems, format, ap);
	va_end(ap);
	buf_add_char(&im->problems, '\n');
}

void dump_add_hole(struct dump_image *im, uint64_t offset, uint64_t length, const char *reason)
{
	struct dump_hole *last = im->n_holes ? &im->holes[im->n_holes - 1] : NULL, *bigger;

	if (length == 0)
		return;
	im->uncovered = im->uncovered > UINT64_MAX - length ? UINT64_MAX : im->uncovered + length;
	if (last && last->reason == reason && last->offset + last->length == offset) {
		last->length += length;
		return;
	}
	if (im->n_holes == DUMP_HOLES_MAX) {
		im->holes_untold++;
		return;
	}
	if ((im->n_holes & (im->n_holes - 1)) == 0) {
		bigger = realloc(im->holes, (im->n_holes ? im->n_holes * 2 : 1) * sizeof(*bigger));
		if (!bigger) {
			im->holes_untold++;
			return;
		}
		im->holes = bigger;
	}
	im->holes[im->n_holes++] = (struct dump_hole){ offset, length, reason };
}

void dump_add_range(struct dump_image *im, uint64_t offset, uint64_t length, uint64_t va, uint32_t name, uint32_t flags)
{
	struct image *x = inner(im);
	const uint64_t size = im->sparse ? UINT64_MAX : im->size;

	if (length == 0)
		return;
	if (offset >= size || length > size - offset) {
		uint64_t kept = offset >= size ? 0 : size - offset;

		dump_add_hole(im, offset + kept, length - kept, "declared, but past the end of the file");
		length = kept;
	}
	if (length && (flags & DUMP_MAPPED) && length - 1 > UINT64_MAX - va) {
		dump_problem(im, "a range at offset %llu wraps round the end of the address space", (unsigned long long)offset);
		flags &= ~(uint32_t)DUMP_MAPPED;
		va = 0;
	}
	if (length == 0)
		return;
	if (im->n_ranges == x->ranges_capacity) {
		size_t capacity = x->ranges_capacity ? x->ranges_capacity * 2 : 64;
		struct dump_range *bigger = capacity <= 2 * DUMP_RANGES_MAX ? realloc(im->ranges, capacity * sizeof(*bigger)) : NULL;

		if (!bigger) {
			dump_add_hole(im, offset, length, "too many ranges");
			return;
		}
		im->ranges = bigger;
		x->ranges_capacity = capacity;
	}
	im->ranges[im->n_ranges++] = (struct dump_range){ offset, length, va, name, flags };
}

uint32_t dump_add_name(struct dump_image *im, struct str name)
{
	struct image *x = inner(im);
	size_t n = name.n < 1024 ? name.n : 1024;
	char *copy, **bigger;

	if (n == 0)
		return 0;
	/* a module has its segments one after the other: the last few names are the likely ones */
	for (size_t i = im->n_names; i-- > 1 && im->n_names - i < 64;)
		if (strlen(im->names[i]) == n && memcmp(im->names[i], name.p, n) == 0)
			return (uint32_t)i;
	if (im->n_names >= DUMP_NAMES_MAX)
		return 0;
	if (im->n_names == x->names_capacity) {
		bigger = realloc(im->names, x->names_capacity * 2 * sizeof(*bigger));
		if (!bigger)
			return 0;
		im->names = bigger;
		x->names_capacity *= 2;
	}
	copy = strndup(name.p, n);
	if (!copy)
		return 0;
	im->names[im->n_names] = copy;
	return (uint32_t)im->n_names++;
}

/* ---- reading ---- */

static size_t read_locked(struct dump_image *im, uint64_t offset, void *p, size_t n)
{
	struct image *x = inner(im);
	size_t got;

	if (im->reader->parallel)
		return im->reader->read(im->reader, offset, p, n);
	pthread_mutex_lock(&x->lock);
	got = im->reader->read(im->reader, offset, p, n);
	pthread_mutex_unlock(&x->lock);
	return got;
}

bool dump_read_exact(struct dump_image *im, uint64_t offset, void *p, size_t n)
{
	return offset <= im->size && n <= im->size - offset && read_locked(im, offset, p, n) == n;
}

size_t image_read(struct dump_image *im, uint64_t offset, void *p, size_t n)
{
	size_t got = read_locked(im, offset, p, n);

	memset((char *)p + got, 0, n - got);
	return got;
}

static int compare_holes(const void *a, const void *b)
{
	const struct dump_hole *x = a, *y = b;

	if (x->offset != y->offset)
		return x->offset < y->offset ? -1 : 1;
	return x->length < y->length ? -1 : x->length > y->length;
}

void image_merge_holes(struct dump_image *im)
{
	size_t n = 0;

	if (im->n_holes == 0)
		return;
	qsort(im->holes, im->n_holes, sizeof(*im->holes), compare_holes);
	im->uncovered = 0;
	for (size_t i = 0; i < im->n_holes; i++) {
		struct dump_hole h = im->holes[i], *last = n ? &im->holes[n - 1] : NULL;
		uint64_t end = h.length > UINT64_MAX - h.offset ? UINT64_MAX : h.offset + h.length;

		if (last && h.offset <= last->offset + last->length) {
			last->length = end > last->offset + last->length ? end - last->offset : last->length;
		} else {
			im->holes[n++] = (struct dump_hole){ h.offset, end - h.offset, h.reason };
		}
	}
	im->n_holes = n;
	for (size_t i = 0; i < n; i++)
		im->uncovered += im->holes[i].length;
}

void image_read_or_hole(struct dump_image *im, uint64_t offset, void *p, size_t n)
{
	struct image *x = inner(im);
	size_t got = read_locked(im, offset, p, n);

	if (got == n)
		return;
	memset((char *)p + got, 0, n - got);
	pthread_mutex_lock(&x->lock);
	dump_add_hole(im, offset + got, n - got, "cannot be read");
	pthread_mutex_unlock(&x->lock);
}

/* ---- the partition ---- */

static int compare_offsets(const void *a, const void *b)
{
	const struct dump_range *x = a, *y = b;

	if (x->offset != y->offset)
		return x->offset < y->offset ? -1 : 1;
	if (x->length != y->length)
		return x->length > y->length ? -1 : 1;
	return x->va < y->va ? -1 : x->va > y->va;
}

static int compare_vas(const void *a, const void *b, void *ranges)
{
	const struct dump_range *x = (const struct dump_range *)ranges + *(const uint32_t *)a;
	const struct dump_range *y = (const struct dump_range *)ranges + *(const uint32_t *)b;

	if (x->va != y->va)
		return x->va < y->va ? -1 : 1;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static bool same_place(const struct dump_range *a, const struct dump_range *b)
{
	return (a->flags & b->flags & DUMP_MAPPED) && a->va - a->offset == b->va - b->offset;
}

bool dump_image_seal(struct dump_image *im)
{
	struct image *x = inner(im);
	struct dump_range *out;
	size_t n = 0;
	uint64_t end = 0, overlap = 0;

	if (im->n_ranges)
		qsort(im->ranges, im->n_ranges, sizeof(*im->ranges), compare_offsets);
	out = calloc(2 * im->n_ranges + 1, sizeof(*out));
	if (!out)
		return false;
	for (size_t i = 0; i < im->n_ranges; i++) {
		struct dump_range r = im->ranges[i];

		if (r.offset < end) {
			uint64_t cut = end - r.offset < r.length ? end - r.offset : r.length;

			/* the same bytes twice at one address are harmless; at two addresses they are an error */
			if (!same_place(&out[n - 1], &r) && !(r.flags & (DUMP_NOTE | DUMP_STRUCT) & out[n - 1].flags))
				overlap += cut;
			r.offset += cut;
			r.length -= cut;
			r.va += r.flags & DUMP_MAPPED ? cut : 0;
			if (r.length == 0)
				continue;
		}
		if (r.offset > end && !im->sparse)
			out[n++] = (struct dump_range){ end, r.offset - end, 0, 0, DUMP_GAP };
		end = r.offset + r.length;
		out[n++] = r;
	}
	if (end < im->size && !im->sparse)
		out[n++] = (struct dump_range){ end, im->size - end, 0, 0, DUMP_GAP };
	free(im->ranges);
	im->ranges = out;
	im->n_ranges = n;
	x->ranges_capacity = 0;
	image_merge_holes(im);
	if (overlap)
		dump_problem(im, "%llu bytes are claimed by two segments; they were read once", (unsigned long long)overlap);
	if (im->n_holes)
		dump_problem(im, "%llu bytes that the dump declares are not in it", (unsigned long long)im->uncovered);

	free(x->by_va);
	x->by_va = calloc(n ? n : 1, sizeof(*x->by_va));
	if (!x->by_va)
		return false;
	x->n_by_va = 0;
	for (size_t i = 0; i < n; i++)
		if (out[i].flags & DUMP_MAPPED)
			x->by_va[x->n_by_va++] = (uint32_t)i;
	if (x->n_by_va)
		qsort_r(x->by_va, x->n_by_va, sizeof(*x->by_va), compare_vas, out);
	return !x->out_of_memory;
}

/* ---- addresses ---- */

/* the last mapped range that begins at or before va; -1: none */
static ptrdiff_t find_va(const struct image *x, uint64_t va)
{
	size_t low = 0, high = x->n_by_va;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (x->im.ranges[x->by_va[mid]].va <= va)
			low = mid + 1;
		else
			high = mid;
	}
	return (ptrdiff_t)low - 1;
}

bool dump_va_to_offset(const struct dump_image *im, uint64_t va, uint64_t *ret_offset, uint64_t *ret_left)
{
	const struct image *x = (const struct image *)im;
	ptrdiff_t i = find_va(x, va);

	/* where two ranges claim one address the later may be the shorter: look a few back */
	for (int tries = 0; i >= 0 && tries < 4; i--, tries++) {
		const struct dump_range *r = &im->ranges[x->by_va[i]];

		if (va - r->va < r->length) {
			*ret_offset = r->offset + (va - r->va);
			*ret_left = r->length - (va - r->va);
			return true;
		}
	}
	return false;
}

size_t dump_read_va(struct dump_image *im, uint64_t va, void *p, size_t n)
{
	size_t done = 0;

	while (done < n) {
		uint64_t offset, left;
		size_t want, got;

		if (va > UINT64_MAX - done || !dump_va_to_offset(im, va + done, &offset, &left))
			break;
		want = n - done < left ? n - done : (size_t)left;
		got = read_locked(im, offset, (char *)p + done, want);
		done += got;
		if (got < want)
			break;
	}
	return done;
}

const struct dump_range *dump_range_at(const struct dump_image *im, uint64_t offset)
{
	size_t low = 0, high = im->n_ranges;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (im->ranges[mid].offset <= offset)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == 0 || offset - im->ranges[low - 1].offset >= im->ranges[low - 1].length)
		return NULL;
	return &im->ranges[low - 1];
}

const char *dump_name_of(const struct dump_image *im, const struct dump_range *range)
{
	return range && range->name < im->n_names ? im->names[range->name] : "";
}

/* ---- the order of the scan ---- */

static bool wanted(const struct dump_range *r, bool writable_only)
{
	return !writable_only || (r->flags & (DUMP_WRITE | DUMP_NOTE | DUMP_GAP | DUMP_STRUCT | DUMP_PHYSICAL)) != 0;
}

static bool joined(const struct dump_image *im, const struct dump_range *a, const struct dump_range *b)
{
	const bool adjacent = a->offset + a->length == b->offset;

	if ((a->flags ^ b->flags) & DUMP_MAPPED)
		return false;
	if (!(a->flags & DUMP_MAPPED))
		return adjacent;
	/* going back in a stream costs a pass: there only neighbours in the file are joined */
	return a->va + a->length == b->va && (adjacent || !im->reader->forward);
}

bool image_runs(const struct dump_image *im, bool writable_only, uint32_t **ret_order, struct image_run **ret_runs,
		size_t *ret_n_runs)
{
	const struct image *x = (const struct image *)im;
	uint32_t *order = calloc(im->n_ranges ? im->n_ranges : 1, sizeof(*order));
	struct image_run *runs = calloc(im->n_ranges ? im->n_ranges : 1, sizeof(*runs));
	size_t n = 0, n_runs = 0;

	if (!order || !runs) {
		free(order);
		free(runs);
		return false;
	}
	for (size_t i = 0; i < im->n_ranges; i++)
		if (wanted(&im->ranges[i], writable_only) && (im->reader->forward || !(im->ranges[i].flags & DUMP_MAPPED)))
			order[n++] = (uint32_t)i;
	for (size_t i = 0; i < x->n_by_va && !im->reader->forward; i++)
		if (wanted(&im->ranges[x->by_va[i]], writable_only))
			order[n++] = x->by_va[i];
	for (size_t i = 0; i < n; i++) {
		const struct dump_range *r = &im->ranges[order[i]];

		if (i == 0 || !joined(im, &im->ranges[order[i - 1]], r))
			runs[n_runs++] = (struct image_run){ (uint32_t)i, 0, 0 };
		runs[n_runs - 1].n++;
		runs[n_runs - 1].length += r->length;
	}
	*ret_order = order;
	*ret_runs = runs;
	*ret_n_runs = n_runs;
	return true;
}

/* ---- life ---- */

struct dump_image *dump_image_new(struct dump_reader *reader, const char *path)
{
	struct image *x = calloc(1, sizeof(*x));
	char *none = strdup("");

	if (!x || !none)
		goto fail;
	x->im.names = calloc(64, sizeof(*x->im.names));
	if (!x->im.names || pthread_mutex_init(&x->lock, NULL) != 0)
		goto fail;
	x->names_capacity = 64;
	x->im.names[x->im.n_names++] = none;
	x->im.path = path;
	x->im.reader = reader;
	x->im.size = reader->size;
	buf_init(&x->im.problems, DUMP_PROBLEMS_BYTES_MAX);
	return &x->im;
fail:
	if (x)
		free(x->im.names);
	free(none);
	free(x);
	return NULL;
}

struct dump_image *dump_image_open(struct dump_reader *reader, const char *path)
{
	struct dump_image *im = dump_image_new(reader, path);
	uint8_t head[DUMP_HEAD_BYTES] = { 0 };
	size_t n;

	if (!im)
		return NULL;
	n = read_locked(im, 0, head, sizeof(head));
	for (size_t i = 0; dump_formats[i] && !im->format; i++)
		if (dump_formats[i]->is(head, n))
			im->format = dump_formats[i];
	if (im->format)
		im->format->open(im);
	if (reader->broken)
		dump_problem(im, "%s", reader->error);
	if (!dump_image_seal(im)) {
		dump_image_free(im);
		return NULL;
	}
	return im;
}

void dump_image_free(struct dump_image *im)
{
	struct image *x = inner(im);

	if (!im)
		return;
	for (size_t i = 0; i < im->n_names; i++)
		free(im->names[i]);
	free(im->names);
	free(im->ranges);
	free(im->holes);
	free(x->by_va);
	buf_release(&im->problems);
	pthread_mutex_destroy(&x->lock);
	free(x);
}
