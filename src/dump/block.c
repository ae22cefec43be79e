/* SPDX-License-Identifier: Apache-2.0 */
/* block: an image cut into blocks.  A run of ranges with consecutive addresses is one long sequence of bytes, however its
 * parts are ordered in the file; blocks are cut from it at multiples of DUMP_BLOCK_BYTES, and each can look a little over both of its
 * ends.  Which blocks there are depends on the image alone, so any number of threads sees the same ones. */
#include <stdlib.h>

#include "dump/arena.h"
#include "dump/scan_int.h"

#define BUFFER_BYTES (DUMP_BLOCK_BYTES + DUMP_OVERLAP_BYTES + DUMP_BEFORE_BYTES + 2 * DUMP_BLOCK_PAD)

struct block_plan {
	struct dump_image *im;
	uint32_t *order;
	struct image_run *runs;
	size_t n_runs;
	uint64_t total;
	/* the next block */
	size_t run;
	uint64_t at;           /* inside the run */
	uint32_t piece;        /* the range that contains `at`, counted from the run's first */
	uint64_t piece_at;     /* where that range begins inside the run */
};

/* Where one block is: cheap to take, read afterwards. */
struct block_place {
	size_t run;
	uint64_t at;
	uint32_t piece;
	uint64_t piece_at;
};

struct block_buffer {
	uint8_t *p;
	struct dump_extent *extents;
	size_t extents_capacity;
	struct dump_block block;
};

static bool block_plan_new(struct block_plan *plan, struct dump_image *im, bool writable_only)
{
	*plan = (struct block_plan){ .im = im };
	if (!image_runs(im, writable_only, &plan->order, &plan->runs, &plan->n_runs))
		return false;
	for (size_t i = 0; i < plan->n_runs; i++)
		plan->total += plan->runs[i].length;
	return true;
}

static void block_plan_release(struct block_plan *plan)
{
	free(plan->order);
	free(plan->runs);
}

static const struct dump_range *piece_of(const struct block_plan *plan, size_t run, uint32_t piece)
{
	return &plan->im->ranges[plan->order[plan->runs[run].first + piece]];
}

static bool block_plan_next(struct block_plan *plan, struct block_place *ret)
{
	const struct image_run *run;

	if (plan->run == plan->n_runs)
		return false;
	run = &plan->runs[plan->run];
	*ret = (struct block_place){ plan->run, plan->at, plan->piece, plan->piece_at };
	plan->at += DUMP_BLOCK_BYTES;
	if (plan->at >= run->length) {
		plan->run++;
		plan->at = plan->piece_at = 0;
		plan->piece = 0;
		return true;
	}
	while (plan->at - plan->piece_at >= piece_of(plan, plan->run, plan->piece)->length) {
		plan->piece_at += piece_of(plan, plan->run, plan->piece)->length;
		plan->piece++;
	}
	return true;
}

static bool add_extent(struct block_buffer *b, size_t n, struct dump_extent e)
{
	if (n == b->extents_capacity) {
		size_t capacity = n ? n * 2 : 16;
		struct dump_extent *bigger = realloc(b->extents, capacity * sizeof(*bigger));

		if (!bigger)
			return false;
		b->extents = bigger;
		b->extents_capacity = capacity;
	}
	b->extents[n] = e;
	return true;
}

/* Alignment of numbers in these bytes: at multiples of the word in memory; anywhere in what is not memory. */
static unsigned step_of(const struct dump_image *im, const struct dump_block *b)
{
	if (!b->mapped)
		return 1;
	return im->word == 4 ? 4 : 8;
}

static bool block_read(const struct block_plan *plan, const struct block_place *place, struct block_buffer *buffer)
{
	const struct image_run *run = &plan->runs[place->run];
	struct dump_block *b = &buffer->block;
	uint64_t at = place->at, piece_at = place->piece_at, end;
	uint32_t piece = place->piece;
	uint8_t *p = buffer->p + DUMP_BLOCK_PAD + DUMP_BEFORE_BYTES;
	const struct dump_range *first = piece_of(plan, place->run, piece);
	size_t before = at < DUMP_BEFORE_BYTES ? (size_t)at : DUMP_BEFORE_BYTES;

	*b = (struct dump_block){ .p = p, .im = plan->im, .before = before, .flags = UINT32_MAX };
	b->own = run->length - at < DUMP_BLOCK_BYTES ? (size_t)(run->length - at) : DUMP_BLOCK_BYTES;
	b->n = run->length - at < DUMP_BLOCK_BYTES + DUMP_OVERLAP_BYTES ? (size_t)(run->length - at)
	                                                                  : DUMP_BLOCK_BYTES + DUMP_OVERLAP_BYTES;
	b->mapped = first->flags & DUMP_MAPPED;
	b->va = b->mapped ? first->va + (at - piece_at) : 0;
	b->phase = (unsigned)((b->mapped ? b->va : first->offset + (at - piece_at)) & 7);
	b->step = step_of(plan->im, b);
	end = at + b->n;
	at -= before;
	while (piece && piece_at > at)
		piece_at -= piece_of(plan, place->run, --piece)->length;
	while (at < end) {
		const struct dump_range *r = piece_of(plan, place->run, piece);
		uint64_t skip = at - piece_at;
		size_t n = r->length - skip < end - at ? (size_t)(r->length - skip) : (size_t)(end - at);
		int64_t index = (int64_t)at - (int64_t)place->at;

		if (!add_extent(buffer, b->n_extents, (struct dump_extent){ index, r->offset + skip, n }))
			return false;
		b->n_extents++;
		image_read_or_hole(plan->im, r->offset + skip, p + index, n);
		if (index < (int64_t)b->own && index + (int64_t)n > 0)
			b->flags &= r->flags;
		at += n;
		piece_at += r->length;
		piece++;
	}
	b->extents = buffer->extents;
	memset(p - before - DUMP_BLOCK_PAD, 0, DUMP_BLOCK_PAD);
	memset(p + b->n, 0, DUMP_BLOCK_PAD);
	return true;
}

struct walk {
	struct block_plan plan;
	const struct block_work *work;
	void *arg;
	pthread_mutex_t lock; /* all that is above; and the reading, if the reader is not parallel */
	bool failed;
};

static bool take(struct walk *w, struct block_buffer *buffer, bool *ok)
{
	const bool parallel = w->plan.im->reader->parallel;
	struct block_place place;
	bool more;

	pthread_mutex_lock(&w->lock);
	more = !w->failed && block_plan_next(&w->plan, &place);
	if (more && !parallel)
		*ok = block_read(&w->plan, &place, buffer);
	pthread_mutex_unlock(&w->lock);
	if (more && parallel)
		*ok = block_read(&w->plan, &place, buffer);
	return more && *ok;
}

static void *worker(void *arg)
{
	struct walk *w = arg;
	void *state = w->arg;
	struct block_buffer buffer = { .p = dump_pages_new(BUFFER_BYTES) };
	bool ok = buffer.p && (!w->work->begin || w->work->begin(w->arg, &state));

	while (ok && take(w, &buffer, &ok))
		ok = w->work->block(state, &buffer.block);
	if (!ok) {
		pthread_mutex_lock(&w->lock);
		w->failed = true;
		pthread_mutex_unlock(&w->lock);
	}
	if (w->work->end && buffer.p)
		w->work->end(state);
	dump_pages_free(buffer.p, BUFFER_BYTES);
	free(buffer.extents);
	dump_stack_cleanse();
	return NULL;
}

bool block_each(struct dump_image *im, bool writable_only, unsigned threads, struct block_work *work, void *arg)
{
	struct walk w = { .work = work, .arg = arg };
	pthread_t ids[DUMP_THREADS_MAX];
	unsigned started = 0;

	if (!block_plan_new(&w.plan, im, writable_only)) {
		block_plan_release(&w.plan);
		return false;
	}
	work->total = w.plan.total;
	pthread_mutex_init(&w.lock, NULL);
	for (; started + 1 < threads && started < DUMP_THREADS_MAX; started++)
		if (pthread_create(&ids[started], NULL, worker, &w) != 0)
			break;
	(void)worker(&w);
	for (unsigned i = 0; i < started; i++)
		pthread_join(ids[i], NULL);
	pthread_mutex_destroy(&w.lock);
	block_plan_release(&w.plan);
	return !w.failed;
}

/* the extent that contains index i; the extents are sorted */
static size_t extent_at(const struct dump_block *b, size_t i)
{
	size_t low = 0, high = b->n_extents;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (b->extents[mid].at <= (int64_t)i)
			low = mid + 1;
		else
			high = mid;
	}
	return low ? low - 1 : 0;
}

bool dump_locate(const struct dump_block *b, size_t i, size_t n, struct dump_hit *ret)
{
	while (b->parent) {
		i = b->from;
		n = b->from_n;
		b = b->parent;
	}
	ret->n_pieces = 0;
	ret->length = n;
	ret->has_va = b->mapped;
	ret->va = b->mapped ? b->va + i : 0;
	for (size_t e = extent_at(b, i); n && e < b->n_extents; e++) {
		const struct dump_extent *x = &b->extents[e];
		size_t skip = (size_t)((int64_t)i - x->at), part = x->n - skip < n ? x->n - skip : n;
		struct dump_piece *last = ret->n_pieces ? &ret->pieces[ret->n_pieces - 1] : NULL;

		if (last && last->offset + last->length == x->offset + skip) {
			last->length += part;
		} else {
			if (ret->n_pieces == DUMP_HIT_PIECES)
				return false;
			ret->pieces[ret->n_pieces++] = (struct dump_piece){ x->offset + skip, part };
		}
		i += part;
		n -= part;
	}
	ret->offset = ret->n_pieces ? ret->pieces[0].offset : 0;
	return true;
}
