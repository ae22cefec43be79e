/* SPDX-License-Identifier: Apache-2.0 */
/* result: hits come from any thread in any order; the report must not depend on that.  They are sorted by place, a place that
 * several finders saw is reported once (the best proof wins), and keys are numbered by their public part. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "dump/redact.h"
#include "dump/scan_int.h"

void results_clear(struct dump_scan *s)
{
	for (size_t i = 0; i < s->n_keys; i++) {
		free((void *)(uintptr_t)s->keys[i].n.p);
		free((void *)(uintptr_t)s->keys[i].e.p);
		free((void *)(uintptr_t)s->keys[i].point.p);
	}
	s->n_hits = s->n_keys = 0;
	s->counts = (struct dump_counts){ 0 };
	buf_clear(&s->limits);
	dump_arena_clear(s->arena);
}

static void add(struct dump_scan *s, const struct dump_hit *hit)
{
	pthread_mutex_lock(&s->lock);
	if (s->n_hits == s->hits_capacity) {
		size_t capacity = s->hits_capacity ? s->hits_capacity * 2 : 256;
		struct dump_hit *bigger = capacity <= 2 * DUMP_HITS_MAX ? realloc(s->hits, capacity * sizeof(*bigger)) : NULL;

		if (bigger) {
			s->hits = bigger;
			s->hits_capacity = capacity;
		}
	}
	if (s->n_hits < s->hits_capacity)
		s->hits[s->n_hits++] = *hit;
	else
		s->counts.hits_refused++;
	pthread_mutex_unlock(&s->lock);
}

void dump_place(struct dump_scan *s, const struct dump_block *b, size_t i, size_t n, struct dump_hit *hit)
{
	if (b->encoding) {
		const char *layout = hit->layout ? hit->layout : "";
		const struct dump_block *up = b;

		for (; up->parent; up = up->parent)
			layout = *layout ? dump_intern(s, "%s+%s", up->encoding, layout) : up->encoding;
		hit->layout = layout;
		hit->fill = DUMP_FILL_TEXT;
	}
	if (!dump_locate(b, i, n, hit))
		dump_limit(s, "a find lies in more pieces of the file than can be kept");
}

void dump_report(struct dump_scan *s, const struct dump_finder *f, const struct dump_block *b, size_t i, size_t n,
		 const struct dump_hit *hit)
{
	struct dump_hit h = *hit;

	if (i >= b->own || n == 0)
		return;
	dump_place(s, b, i, n, &h);
	h.finder = f->name;
	add(s, &h);
}

void dump_report_at(struct dump_scan *s, const struct dump_finder *f, struct dump_image *im, const struct dump_hit *hit)
{
	struct dump_hit h = *hit;

	(void)im;
	h.finder = f->name;
	add(s, &h);
}

static int order(const char *a, const char *b) { return strcmp(a ? a : "", b ? b : ""); }

static int compare_hits(const void *a, const void *b)
{
	const struct dump_hit *x = a, *y = b;
	int c;

	if (x->offset != y->offset)
		return x->offset < y->offset ? -1 : 1;
	if (x->length != y->length)
		return x->length < y->length ? -1 : 1;
	if (x->algorithm != y->algorithm)
		return x->algorithm < y->algorithm ? -1 : 1;
	if (x->general != y->general)
		return x->general ? 1 : -1;
	c = order(x->component, y->component);
	if (c)
		return c;
	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	if (x->klass != y->klass)
		return x->klass < y->klass ? -1 : 1;
	if (x->proof != y->proof)
		return x->proof < y->proof ? -1 : 1;
	c = order(x->form, y->form);
	if (c)
		return c;
	c = order(x->layout, y->layout);
	return c ? c : order(x->finder, y->finder);
}

struct numbered {
	struct dump_key key;
	int32_t old;
};

static int compare_keys(const void *a, const void *b)
{
	const struct dump_key *x = &((const struct numbered *)a)->key, *y = &((const struct numbered *)b)->key;
	size_t n = x->point.n < y->point.n ? x->point.n : y->point.n;
	int c;

	if (x->algorithm != y->algorithm)
		return x->algorithm < y->algorithm ? -1 : 1;
	c = memcmp(x->spki, y->spki, sizeof(x->spki));
	if (c == 0 && n)
		c = memcmp(x->point.p, y->point.p, n);
	if (c == 0 && x->d.n && x->d.n == y->d.n)
		c = memcmp(x->d.p, y->d.p, x->d.n);
	if (c)
		return c;
	return x->bits < y->bits ? -1 : x->bits > y->bits;
}

static bool number_keys(struct dump_scan *s)
{
	struct numbered *sorted = calloc(s->n_keys ? s->n_keys : 1, sizeof(*sorted));
	int32_t *now = calloc(s->n_keys ? s->n_keys : 1, sizeof(*now));

	if (sorted && now) {
		for (size_t i = 0; i < s->n_keys; i++)
			sorted[i] = (struct numbered){ s->keys[i], (int32_t)i };
		qsort(sorted, s->n_keys, sizeof(*sorted), compare_keys);
		for (size_t i = 0; i < s->n_keys; i++) {
			now[sorted[i].old] = (int32_t)i;
			s->keys[i] = sorted[i].key;
		}
		for (size_t i = 0; i < s->n_hits; i++)
			if (s->hits[i].key >= 0)
				s->hits[i].key = now[s->hits[i].key];
	}
	free(sorted);
	free(now);
	return sorted && now;
}

/* hits[i] says of some bytes that they may be a part of a key.  Are most of them bytes of a key that was proven?  d, some bytes off, looks so. */
static bool is_mostly_proven(const struct dump_hit *hits, size_t n, size_t i)
{
	const struct dump_hit *h = &hits[i];
	size_t first = i;

	if (!h->general || h->klass != DUMP_SUSPECTED)
		return false;
	while (first > 0 && hits[first - 1].offset + h->length > h->offset)
		first--;
	for (size_t k = first; k < n && hits[k].offset < h->offset + h->length; k++) {
		const uint64_t begin = hits[k].offset > h->offset ? hits[k].offset : h->offset;
		const uint64_t end = hits[k].offset + hits[k].length < h->offset + h->length ? hits[k].offset + hits[k].length : h->offset + h->length;

		if (hits[k].klass == DUMP_PROVED && hits[k].algorithm == h->algorithm && end > begin && (end - begin) * 4 >= h->length * 3)
			return true;
	}
	return false;
}

void results_sort(struct dump_scan *s)
{
	size_t n = 0;

	if (!number_keys(s))
		s->out_of_memory = true;
	if (s->n_hits)
		qsort(s->hits, s->n_hits, sizeof(*s->hits), compare_hits);
	for (size_t i = 0; i < s->n_hits; i++) {
		const struct dump_hit *h = &s->hits[i], *last = n ? &s->hits[n - 1] : NULL;

		if (last && last->offset == h->offset && last->length == h->length && last->algorithm == h->algorithm &&
		    ((last->key == h->key && order(last->component, h->component) == 0) || (h->general && !last->general)))
			continue;
		s->hits[n++] = *h;
	}
	s->n_hits = n;
	for (size_t i = 0; i < n; i++)
		if (is_mostly_proven(s->hits, n, i))
			s->hits[i].length = 0;
	n = 0;
	for (size_t i = 0; i < s->n_hits; i++)
		if (s->hits[i].length)
			s->hits[n++] = s->hits[i];
	s->n_hits = n;
	for (size_t i = 0; i < s->n_keys; i++) {
		s->keys[i].hits = 0;
		s->keys[i].target = s->keys[i].has_spki ? target_of(s, s->keys[i].spki) : NULL;
	}
	for (size_t i = 0; i < n; i++)
		if (s->hits[i].key >= 0)
			s->keys[s->hits[i].key].hits++;
}

const char *dump_intern(struct dump_scan *s, const char *format, ...)
{
	char text[256], *copy = NULL;
	const char *ret = "";
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < s->n_texts; i++) {
		if (strcmp(s->texts[i], text) == 0) {
			ret = s->texts[i];
			goto out;
		}
	}
	if (s->n_texts == s->texts_capacity && s->texts_capacity < DUMP_INTERN_MAX) {
		size_t capacity = s->texts_capacity ? s->texts_capacity * 2 : 32;
		char **bigger = realloc(s->texts, capacity * sizeof(*bigger));

		if (bigger) {
			s->texts = bigger;
			s->texts_capacity = capacity;
		}
	}
	if (s->n_texts < s->texts_capacity)
		copy = strdup(text);
	if (copy)
		ret = s->texts[s->n_texts++] = copy;
out:
	pthread_mutex_unlock(&s->lock);
	return ret;
}

static void limit(struct dump_scan *s, const char *what, bool random)
{
	pthread_mutex_lock(&s->lock);
	s->counts.limits++;
	s->counts.limits_random += random;
	if (str_find(buf_str(&s->limits), str_of(what)) < 0) {
		buf_add_cstr(&s->limits, what);
		buf_add_char(&s->limits, '\n');
	}
	pthread_mutex_unlock(&s->lock);
}

void dump_limit(struct dump_scan *s, const char *what) { limit(s, what, false); }

void dump_limit_random(struct dump_scan *s, const struct dump_block *b, const char *what)
{
	limit(s, what, dump_random_applies(b));
}

const struct dump_hit *dump_hits(const struct dump_scan *s, size_t *ret_n)
{
	*ret_n = s->n_hits;
	return s->hits;
}

const struct dump_key *dump_keys(const struct dump_scan *s, size_t *ret_n)
{
	*ret_n = s->n_keys;
	return s->keys;
}

const struct dump_counts *dump_counts(const struct dump_scan *s) { return &s->counts; }
const char *dump_limits_text(const struct dump_scan *s) { return s->limits.n ? s->limits.p : ""; }
