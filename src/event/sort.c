/* SPDX-License-Identifier: Apache-2.0 */
/* sort: see sort.h.  A lane sorts an array of (second and class, first bytes of the id, place) by radix on the first,
 * and settles ties by comparing the records themselves. */
#include "event/sort.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <stdio.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/tempfile.h"
#include "base/timefmt.h"
#include "persist/persist.h"

enum {
	RUN_BUFFER = 64 * 1024, /* reading one run; a record with its details fits */
	MERGE_FAN = 96,         /* runs read at once; where there are more, some are merged into one first */
	BATCH = 64,
};

/* Recs are ordered, compared and hashed as bytes: none of them may be the compiler's to fill. */
_Static_assert(offsetof(struct rec, spare) + sizeof(((struct rec *)0)->spare) == sizeof(struct rec), "no padding in struct rec");

struct key {
	uint64_t when;  /* (second << 8 | class) */
	uint64_t id;    /* first eight bytes of the id, big end first */
	uint32_t at;    /* place in the lane's memory, in units of 8 bytes */
	uint32_t pad;
};

struct run {            /* sorted records, in memory or in a file */
	const uint8_t *p;   /* this record, and the bytes read after it */
	size_t n;
	int fd;             /* -1: all in memory */
	uint64_t file_at, file_left;
	uint8_t *buffer;    /* RUN_BUFFER + the largest record */
	size_t buffer_n;
	const struct sort_lane *lane; /* not NULL: the lane's memory, read through its sorted keys */
	size_t at;
	uint64_t when;      /* key of the record at p */
	uint64_t id;
};

struct sort_lane {
	struct sorter *sorter;
	uint8_t *memory;
	size_t used, capacity;
	struct key *keys, *spare;
	size_t count, key_capacity;
	int fd;
	uint64_t file_end;
	struct { uint64_t at, n; } *runs;
	size_t run_count, run_capacity;
	uint64_t in, spilled;
	char error[160];
};

struct id_set { /* two generations: the older is dropped when the newer is full */
	uint64_t *slots[2];
	size_t mask[2], n[2];
	size_t generation; /* ids in one */
};

struct sorter {
	struct sort_lane *lanes;
	unsigned lane_count;
	struct run *runs;
	size_t run_count;
	struct run **heap;
	size_t heap_n;
	bool merging;
	int64_t bound;          /* second */
	const struct tenants *tenants; /* NULL: all records are one tenant's */
	struct tenants_cache cache;
	uint64_t last_tenant;   /* of at_hand */
	uint64_t only;          /* of records that name none, as far as an earlier run knew */
	struct id_set seen;
	uint8_t *batch;         /* copies of the records handed out */
	size_t batch_capacity;
	struct rec last;        /* the copy used of this id, without its tail, when a batch has ended after it */
	uint64_t last_tail;     /* hash of its tail */
	const struct rec *at_hand; /* the same, wherever it is; NULL = none yet */
	struct sort_counts counts;
	char error[160];
};

static inline size_t rec_bytes(const struct rec *r)
{
	return sizeof *r + r->tail_bytes;
}

static inline uint64_t rec_when(const struct rec *r)
{
	return (uint64_t)(r->time_us / US_PER_SECOND) << 8 | r->class_;
}

static inline uint64_t rec_id8(const struct rec *r)
{
	uint64_t v;
	memcpy(&v, r->id, 8);
	return __builtin_bswap64(v);
}

/* order of two records of one second and class whose ids begin alike */
static int compare_tie(const struct rec *a, const struct rec *b)
{
	int c = memcmp(a->id, b->id, 16);
	if (c == 0)
		c = (b->rank > a->rank) - (b->rank < a->rank);
	if (c == 0) {
		size_t n = rec_bytes(a), m = rec_bytes(b);
		c = memcmp(a, b, n < m ? n : m);
		if (c == 0)
			c = (n > m) - (n < m);
	}
	return c;
}

/* -- lanes -- */

struct sorter *sorter_new(unsigned lanes, size_t memory_bytes)
{
	struct sorter *s = calloc(1, sizeof *s);
	if (!s)
		return NULL;
	s->lanes = calloc(lanes, sizeof *s->lanes);
	if (!s->lanes) {
		free(s);
		return NULL;
	}
	s->lane_count = lanes;
	s->bound = INT64_MAX;
	s->seen.generation = DEDUP_IDS_PER_GENERATION;
	size_t share = memory_bytes / lanes;
	for (unsigned i = 0; i < lanes; i++) {
		struct sort_lane *l = &s->lanes[i];
		l->sorter = s;
		l->fd = -1;
		/* memory for the records and, at about 30 bytes to 170, for two arrays of keys */
		l->capacity = share * 3 / 4 & ~(size_t)7;
		if (l->capacity < 256 * 1024)
			l->capacity = 256 * 1024;
	}
	return s;
}

void sorter_shrink(struct sorter *s, size_t lane_bytes, size_t ids_per_generation)
{
	for (unsigned i = 0; i < s->lane_count; i++)
		s->lanes[i].capacity = sizeof(struct rec) + UINT16_MAX + 1 + (lane_bytes & ~(size_t)7);
	s->seen.generation = ids_per_generation;
}

void sorter_free(struct sorter *s)
{
	if (!s)
		return;
	for (unsigned i = 0; i < s->lane_count; i++) {
		struct sort_lane *l = &s->lanes[i];
		if (l->fd >= 0)
			close(l->fd);
		free(l->memory);
		free(l->keys);
		free(l->spare);
		free(l->runs);
	}
	for (size_t i = 0; i < s->run_count; i++)
		free(s->runs[i].buffer);
	free(s->runs);
	free(s->heap);
	free(s->lanes);
	free(s->seen.slots[0]);
	free(s->seen.slots[1]);
	free(s->batch);
	free(s);
}

struct sort_lane *sorter_lane(struct sorter *s, unsigned lane)
{
	return &s->lanes[lane];
}

static const struct rec *lane_rec(const struct sort_lane *l, const struct key *k)
{
	return (const struct rec *)(const void *)(l->memory + (size_t)k->at * 8);
}

static int compare_keys(const void *a, const void *b, void *arg)
{
	const struct key *x = a, *y = b;
	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return compare_tie(lane_rec(arg, x), lane_rec(arg, y));
}

/* sorts keys[0, n) of one second */
static void sort_ties(struct sort_lane *l, struct key *k, size_t n)
{
	if (n > 24) {
		qsort_r(k, n, sizeof *k, compare_keys, l);
		return;
	}
	for (size_t i = 1; i < n; i++) {
		struct key x = k[i];
		size_t j = i;
		while (j > 0 && compare_keys(&x, &k[j - 1], l) < 0) {
			k[j] = k[j - 1];
			j--;
		}
		k[j] = x;
	}
}

static void sort_keys(struct sort_lane *l)
{
	enum { BITS = 11, RADIX = 1 << BITS };
	size_t n = l->count;
	struct key *k = l->keys, *to = l->spare;
	uint64_t low = UINT64_MAX, high = 0;
	bool sorted = true;
	for (size_t i = 0; i < n; i++) {
		low = k[i].when < low ? k[i].when : low;
		high = k[i].when > high ? k[i].when : high;
		sorted = sorted && (i == 0 || k[i - 1].when <= k[i].when);
	}
	for (unsigned shift = 0; !sorted && shift < 64 && (high - low) >> shift; shift += BITS) {
		static _Thread_local uint32_t at[RADIX];
		memset(at, 0, sizeof at);
		for (size_t i = 0; i < n; i++)
			at[(k[i].when - low) >> shift & (RADIX - 1)]++;
		uint32_t sum = 0;
		for (size_t d = 0; d < RADIX; d++) {
			uint32_t c = at[d];
			at[d] = sum;
			sum += c;
		}
		for (size_t i = 0; i < n; i++)
			to[at[(k[i].when - low) >> shift & (RADIX - 1)]++] = k[i];
		struct key *swap = k;
		k = to;
		to = swap;
	}
	l->keys = k;
	l->spare = to;
	for (size_t i = 0; i < n; ) {
		size_t j = i + 1;
		while (j < n && k[j].when == k[i].when)
			j++;
		if (j > i + 1)
			sort_ties(l, k + i, j - i);
		i = j;
	}
}

static bool add_run(struct sort_lane *l, uint64_t at, uint64_t n)
{
	if (l->run_count == l->run_capacity) {
		size_t want = l->run_capacity ? l->run_capacity * 2 : 16;
		void *p = realloc(l->runs, want * sizeof *l->runs);
		if (!p)
			return false;
		l->runs = p;
		l->run_capacity = want;
	}
	l->runs[l->run_count].at = at;
	l->runs[l->run_count++].n = n;
	return true;
}

static void spill(struct sort_lane *l)
{
	enum { CHUNK = 256 * 1024 };
	uint8_t *out = malloc(CHUNK + sizeof(struct rec) + UINT16_MAX);
	size_t n = 0;
	uint64_t begin = l->file_end;
	if (!out) {
		snprintf(l->error, sizeof l->error, "out of memory while sorting");
		goto out;
	}
	if (l->fd < 0 && (l->fd = tempfile_open()) < 0) {
		snprintf(l->error, sizeof l->error, "cannot make a temporary file: %s (set TMPDIR to a folder with space)", strerror(errno));
		goto out;
	}
	sort_keys(l);
	for (size_t i = 0; i <= l->count; i++) {
		if (i == l->count || n >= CHUNK) {
			if (!tempfile_write(l->fd, out, n, l->file_end)) {
				snprintf(l->error, sizeof l->error, "cannot write a temporary file: %s (set TMPDIR to a folder with space)",
					strerror(errno));
				goto out;
			}
			l->file_end += n;
			l->spilled += n;
			n = 0;
			if (i == l->count)
				break;
		}
		const struct rec *r = lane_rec(l, &l->keys[i]);
		memcpy(out + n, r, rec_bytes(r));
		n += rec_bytes(r);
	}
	if (!add_run(l, begin, l->file_end - begin))
		snprintf(l->error, sizeof l->error, "out of memory while sorting");
out:
	free(out);
	l->count = 0;
	l->used = 0;
}

void sort_add(struct sort_lane *l, const struct rec *r)
{
	size_t n = rec_bytes(r);
	l->in++;
	if (l->error[0])
		return;
	if (!l->memory) {
		l->memory = mem_big(l->capacity);
		if (!l->memory) {
			snprintf(l->error, sizeof l->error, "out of memory while sorting");
			return;
		}
	}
	if (l->used + n > l->capacity) {
		spill(l);
		if (l->error[0])
			return;
	}
	if (l->count == l->key_capacity) { /* room for as many as fit in the memory, in two steps */
		size_t most = l->capacity / sizeof(struct rec) + 1;
		size_t want = l->key_capacity ? most : most / 16 + 1;
		struct key *a = mem_big(want * sizeof *a), *b = mem_big(want * sizeof *b);
		if (!a || !b) {
			free(a);
			free(b);
			snprintf(l->error, sizeof l->error, "out of memory while sorting");
			return;
		}
		if (l->count)
			memcpy(a, l->keys, l->count * sizeof *a);
		free(l->keys);
		free(l->spare);
		l->keys = a;
		l->spare = b;
		l->key_capacity = want;
	}
	memcpy(l->memory + l->used, r, n);
	l->keys[l->count++] = (struct key){ rec_when(r), rec_id8(r), (uint32_t)(l->used / 8), 0 };
	l->used += n;
}

void sort_lane_done(struct sort_lane *l)
{
	if (l->error[0] || l->count == 0)
		return;
	if (l->run_count) {
		spill(l); /* its memory is better used by what comes after */
		free(l->memory);
		free(l->keys);
		free(l->spare);
		l->memory = NULL;
		l->keys = l->spare = NULL;
		l->key_capacity = 0;
	} else {
		sort_keys(l); /* stays in memory, read through the keys */
	}
}

/* -- merge -- */

static void run_key(struct run *x)
{
	const struct rec *r = (const struct rec *)(const void *)x->p;
	x->when = rec_when(r);
	x->id = rec_id8(r);
}

/* Makes the next record of the run whole in memory.  False: the end (or an error, which is set). */
static bool run_fill(struct sorter *s, struct run *x)
{
	if (x->lane) {
		const struct sort_lane *l = x->lane;
		if (x->at == l->count)
			return false;
		if (x->at + 6 < l->count)
			__builtin_prefetch(lane_rec(l, &l->keys[x->at + 6]));
		x->p = (const uint8_t *)lane_rec(l, &l->keys[x->at]);
		run_key(x);
		return true;
	}
	for (;;) {
		if (x->n >= sizeof(struct rec) && x->n >= rec_bytes((const struct rec *)(const void *)x->p)) {
			run_key(x);
			return true;
		}
		if (x->fd < 0 || x->file_left == 0)
			return false;
		memmove(x->buffer, x->p, x->n);
		x->p = x->buffer;
		size_t want = x->buffer_n - x->n;
		if (want > x->file_left)
			want = (size_t)x->file_left;
		ssize_t got = pread(x->fd, x->buffer + x->n, want, (off_t)x->file_at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			snprintf(s->error, sizeof s->error, "cannot read a temporary file: %s", got ? strerror(errno) : "it is shorter than what was written");
			return false;
		}
		x->n += (size_t)got;
		x->file_at += (uint64_t)got;
		x->file_left -= (uint64_t)got;
	}
}

static inline bool run_before(const struct run *a, const struct run *b)
{
	if (a->when != b->when)
		return a->when < b->when;
	if (a->id != b->id)
		return a->id < b->id;
	return compare_tie((const struct rec *)(const void *)a->p, (const struct rec *)(const void *)b->p) < 0;
}

static void heap_down(struct sorter *s, size_t i)
{
	struct run *x = s->heap[i];
	for (;;) {
		size_t child = 2 * i + 1;
		if (child >= s->heap_n)
			break;
		if (child + 1 < s->heap_n && run_before(s->heap[child + 1], s->heap[child]))
			child++;
		if (!run_before(s->heap[child], x))
			break;
		s->heap[i] = s->heap[child];
		i = child;
	}
	s->heap[i] = x;
}

static void heap_make(struct sorter *s)
{
	for (size_t i = s->heap_n / 2; i-- > 0; )
		heap_down(s, i);
}

/* passes the record at the head of the heap */
static void heap_step(struct sorter *s)
{
	struct run *x = s->heap[0];
	if (x->lane) {
		x->at++;
	} else {
		size_t n = rec_bytes((const struct rec *)(const void *)x->p);
		x->p += n;
		x->n -= n;
	}
	if (!run_fill(s, x)) {
		s->heap[0] = s->heap[--s->heap_n];
		if (s->heap_n == 0)
			return;
	}
	heap_down(s, 0);
}

static bool run_from_file(struct run *x, int fd, uint64_t at, uint64_t n)
{
	memset(x, 0, sizeof *x);
	x->buffer_n = RUN_BUFFER + sizeof(struct rec) + UINT16_MAX;
	x->buffer = malloc(x->buffer_n);
	x->p = x->buffer;
	x->fd = fd;
	x->file_at = at;
	x->file_left = n;
	return x->buffer != NULL;
}

/* A lane with very many runs: merges the first `count` of them into one, so that the last merge reads from few. */
static bool narrow(struct sorter *s, struct sort_lane *l, size_t count)
{
	enum { CHUNK = 256 * 1024 };
	struct run *runs = calloc(count, sizeof *runs);
	struct run **heap = calloc(count, sizeof *heap);
	uint8_t *out = malloc(CHUNK + sizeof(struct rec) + UINT16_MAX);
	size_t n = 0, out_n = 0;
	uint64_t begin = l->file_end;
	bool good = runs && heap && out;
	s->heap = heap;
	s->heap_n = 0;
	for (; good && n < count; n++) {
		good = run_from_file(&runs[n], l->fd, l->runs[n].at, l->runs[n].n);
		if (good && run_fill(s, &runs[n]))
			s->heap[s->heap_n++] = &runs[n];
	}
	if (good)
		heap_make(s);
	while (good && !s->error[0] && (s->heap_n || out_n)) {
		if (s->heap_n == 0 || out_n >= CHUNK) {
			good = tempfile_write(l->fd, out, out_n, l->file_end);
			if (!good)
				snprintf(s->error, sizeof s->error, "cannot write a temporary file: %s (set TMPDIR to a folder with space)", strerror(errno));
			l->file_end += out_n;
			l->spilled += out_n;
			out_n = 0;
			continue;
		}
		const struct rec *r = (const struct rec *)(const void *)s->heap[0]->p;
		memcpy(out + out_n, r, rec_bytes(r));
		out_n += rec_bytes(r);
		heap_step(s);
	}
	if (good && !s->error[0]) {
		/* the old runs' space goes back; a file system that cannot do that keeps it until the end */
		for (size_t i = 0; i < count; i++)
			(void)!fallocate(l->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)l->runs[i].at, (off_t)l->runs[i].n);
		memmove(l->runs, l->runs + count, (l->run_count - count) * sizeof *l->runs);
		l->run_count -= count - 1;
		l->runs[l->run_count - 1].at = begin;
		l->runs[l->run_count - 1].n = l->file_end - begin;
	} else if (!s->error[0]) {
		snprintf(s->error, sizeof s->error, "out of memory while sorting");
	}
	for (size_t i = 0; i < n; i++)
		free(runs[i].buffer);
	free(runs);
	free(heap);
	free(out);
	s->heap = NULL;
	s->heap_n = 0;
	return !s->error[0];
}

static bool begin_merge(struct sorter *s)
{
	size_t n = 0;
	for (unsigned i = 0; i < s->lane_count; i++) {
		struct sort_lane *l = &s->lanes[i];
		s->counts.in += l->in;
		if (l->error[0] && !s->error[0])
			memcpy(s->error, l->error, sizeof s->error);
	}
	for (unsigned i = 0; i < s->lane_count && !s->error[0]; i++) {
		struct sort_lane *l = &s->lanes[i];
		size_t most = MERGE_FAN / s->lane_count + 2;
		while (l->run_count > most && narrow(s, l, l->run_count - most + 1 < MERGE_FAN ? l->run_count - most + 1 : MERGE_FAN))
			;
		if (l->run_count > most)
			break;
		n += l->run_count + 1;
	}
	if (s->error[0])
		return false;
	s->runs = calloc(n, sizeof *s->runs);
	s->heap = calloc(n, sizeof *s->heap);
	if (!s->runs || !s->heap)
		goto memory;
	for (unsigned i = 0; i < s->lane_count; i++) {
		struct sort_lane *l = &s->lanes[i];
		s->counts.spilled_bytes += l->spilled;
		for (size_t k = 0; k < l->run_count; k++)
			if (!run_from_file(&s->runs[s->run_count++], l->fd, l->runs[k].at, l->runs[k].n))
				goto memory;
		if (l->count) {
			struct run *x = &s->runs[s->run_count++];
			x->fd = -1;
			x->lane = l;
		}
	}
	for (size_t i = 0; i < s->run_count; i++)
		if (run_fill(s, &s->runs[i]))
			s->heap[s->heap_n++] = &s->runs[i];
	heap_make(s);
	s->merging = true;
	return true;
memory:
	snprintf(s->error, sizeof s->error, "out of memory while sorting");
	return false;
}

/* -- ids seen before -- */

static uint64_t id_key(const struct rec *r, uint64_t tenant)
{
	uint64_t a, b;
	memcpy(&a, r->id, 8);
	memcpy(&b, r->id + 8, 8);
	uint64_t k = hash_mix(a ^ (uint64_t)r->class_ << 56, b ^ tenant);
	return k ? k : 1;
}

static bool set_grow(struct id_set *s)
{
	size_t capacity = s->slots[0] ? (s->mask[0] + 1) * 2 : 4096;
	uint64_t *slots = mem_big_zero(capacity * sizeof *slots);
	if (!slots)
		return false;
	for (size_t i = 0; s->slots[0] && i <= s->mask[0]; i++) {
		uint64_t k = s->slots[0][i];
		if (!k)
			continue;
		size_t at = k & (capacity - 1);
		while (slots[at])
			at = (at + 1) & (capacity - 1);
		slots[at] = k;
	}
	free(s->slots[0]);
	s->slots[0] = slots;
	s->mask[0] = capacity - 1;
	return true;
}

/* true: the id is new (and is remembered now) */
static bool set_add(struct id_set *s, uint64_t k)
{
	for (int g = 1; g >= 0; g--) {
		if (!s->slots[g])
			continue;
		size_t at = k & s->mask[g];
		while (s->slots[g][at] && s->slots[g][at] != k)
			at = (at + 1) & s->mask[g];
		if (s->slots[g][at])
			return false;
	}
	if (s->n[0] >= s->generation) {
		free(s->slots[1]);
		s->slots[1] = s->slots[0];
		s->mask[1] = s->mask[0];
		s->n[1] = s->n[0];
		s->slots[0] = NULL;
		s->n[0] = 0;
	}
	if ((!s->slots[0] || s->n[0] * 2 > s->mask[0]) && !set_grow(s))
		return true; /* no memory to remember it: a copy with another time would be counted twice */
	size_t at = k & s->mask[0];
	while (s->slots[0][at])
		at = (at + 1) & s->mask[0];
	s->slots[0][at] = k;
	s->n[0]++;
	return true;
}

void sorter_bound(struct sorter *s, int64_t second) { s->bound = second; }
void sorter_tenants(struct sorter *s, const struct tenants *t) { s->tenants = t; }

bool sorter_knows(const struct sorter *s, const struct rec *r)
{
	uint64_t k = id_key(r, r->tenant ? r->tenant : s->only);
	for (int g = 0; g < 2; g++) {
		if (!s->seen.slots[g])
			continue;
		size_t at = k & s->seen.mask[g];
		while (s->seen.slots[g][at] && s->seen.slots[g][at] != k)
			at = (at + 1) & s->seen.mask[g];
		if (s->seen.slots[g][at])
			return true;
	}
	return false;
}

/* The older generation first, so that loading is adding them in order. */
void sorter_persist(struct persist *p, struct sorter *s)
{
	struct id_set *x = &s->seen;
	persist_mark(p, "ids");
	if (!p->loading)
		s->only = s->tenants ? tenants_only(s->tenants) : 0;
	persist_u64(p, &s->only);
	for (int g = 1; g >= 0; g--) {
		uint32_t n = (uint32_t)x->n[g];
		persist_count(p, &n, DEDUP_IDS_PER_GENERATION);
		for (size_t i = 0; !p->loading && x->slots[g] && i <= x->mask[g]; i++)
			if (x->slots[g][i])
				persist_u64(p, &x->slots[g][i]);
		for (uint32_t i = 0; p->loading && i < n && !persist_failed(p); i++) {
			uint64_t k = 0;
			persist_u64(p, &k);
			if (!persist_failed(p) && (!k || !set_add(x, k)))
				persist_fail(p, "an id in it occurs twice");
		}
		if (p->loading && g == 1 && n) { /* what was added first is the older one */
			x->slots[1] = x->slots[0];
			x->mask[1] = x->mask[0];
			x->n[1] = x->n[0];
			x->slots[0] = NULL;
			x->n[0] = 0;
		}
	}
}

/* is this copy equal to the one in use, with its details? */
static bool is_equal_copy(const struct sorter *s, const struct rec *r)
{
	if (memcmp(s->at_hand, r, sizeof *r) != 0)
		return false;
	if (r->tail_bytes == 0)
		return true;
	return s->at_hand == &s->last ? hash64(r + 1, r->tail_bytes, 0) == s->last_tail : memcmp(s->at_hand + 1, r + 1, r->tail_bytes) == 0;
}

size_t sorter_next(struct sorter *s, const struct rec **ret, size_t max)
{
	if (s->error[0] || max == 0 || (!s->merging && !begin_merge(s)))
		return 0;
	enum { LARGEST = sizeof(struct rec) + UINT16_MAX };
	if (max > BATCH)
		max = BATCH;
	if (!s->batch) {
		s->batch_capacity = BATCH * sizeof(struct rec) + 2 * LARGEST;
		s->batch = malloc(s->batch_capacity);
		if (!s->batch) {
			snprintf(s->error, sizeof s->error, "out of memory while sorting");
			return 0;
		}
	}
	size_t kept = 0;
	while (kept == 0 && s->heap_n && !s->error[0]) {
		/* first copy out and ask for the cache lines that the id set will want, then look */
		uint64_t keys[BATCH];
		size_t n = 0, used = 0;
		while (n < max && s->heap_n && used + LARGEST <= s->batch_capacity) {
			const struct rec *r = (const struct rec *)(const void *)s->heap[0]->p;
			if (r->time_us / US_PER_SECOND >= s->bound)
				break;
			const struct rec *last = s->at_hand;
			size_t bytes = rec_bytes(r);
			uint64_t tenant = s->tenants ? tenants_of(s->tenants, &s->cache, r) : 0;
			if (last && tenant == s->last_tenant && memcmp(last->id, r->id, 16) == 0 && last->class_ == r->class_
				&& rec_when(last) == rec_when(r)) {
				s->counts.duplicates++;
				s->counts.conflicts += last->rank == r->rank && !is_equal_copy(s, r);
				heap_step(s);
				continue;
			}
			struct rec *copy = (struct rec *)(void *)(s->batch + used);
			memcpy(copy, r, bytes);
			s->at_hand = copy;
			s->last_tenant = tenant;
			used += bytes;
			keys[n] = id_key(copy, tenant);
			for (int g = 0; g < 2; g++)
				if (s->seen.slots[g])
					__builtin_prefetch(&s->seen.slots[g][keys[n] & s->seen.mask[g]]);
			ret[n++] = copy;
			heap_step(s);
		}
		if (s->at_hand && s->at_hand != &s->last) {
			memcpy(&s->last, s->at_hand, sizeof s->last);
			s->last_tail = s->last.tail_bytes ? hash64(s->at_hand + 1, s->last.tail_bytes, 0) : 0;
			s->at_hand = &s->last;
		}
		for (size_t i = 0; i < n; i++) {
			if (set_add(&s->seen, keys[i])) {
				ret[kept++] = ret[i];
			} else {
				s->counts.duplicates++;
				s->counts.conflicts++; /* its time differs */
			}
		}
		if (n == 0)
			break; /* the bound */
	}
	return s->error[0] ? 0 : kept;
}

const char *sorter_error(const struct sorter *s)
{
	if (s->error[0])
		return s->error;
	for (unsigned i = 0; i < s->lane_count; i++)
		if (s->lanes[i].error[0])
			return s->lanes[i].error;
	return "";
}

struct sort_counts sorter_counts(const struct sorter *s)
{
	return s->counts;
}
