/* SPDX-License-Identifier: Apache-2.0 */
/* cut: from hits and traces to the bytes that are erased. */
#include <openssl/crypto.h>
#include <stdlib.h>

#include "dump/redact.h"
#include "dump/scan_int.h"

#define TEXT_PIECE 65536

bool dump_hit_is_erased(const struct dump_scan *s, const struct dump_hit *h, bool shapes)
{
	size_t n;
	const struct dump_key *keys = dump_keys(s, &n);

	if (h->key >= 0 && keys[h->key].allowed)
		return false;
	if (h->proof != DUMP_PROOF_SHAPE || shapes)
		return true;
	/* a private exponent whose lower half is damaged: no key, but still secret */
	return h->component && strcmp(h->component, "part of d") == 0;
}

struct dump_traces *dump_traces_of(const struct dump_scan *s, struct dump_image *im)
{
	struct dump_traces *t = dump_traces_new(im->big_endian);
	size_t n_keys, n_hits;
	const struct dump_key *keys = dump_keys(s, &n_keys);
	const struct dump_hit *hits = dump_hits(s, &n_hits);
	bool ok = t != NULL;

	for (size_t i = 0; i < n_keys && ok; i++)
		if (!keys[i].allowed)
			ok = dump_traces_add_key_of(t, &keys[i], keys, n_keys, (int32_t)i);
	for (size_t i = 0; i < n_keys && ok; i++)
		if (!keys[i].allowed)
			ok = dump_traces_add_rare(t, &keys[i], keys, n_keys, (int32_t)i);
	for (size_t i = 0; i < n_hits && ok; i++) {
		uint8_t key[32];
		const struct dump_hit *h = &hits[i];
		size_t n = h->bits / 8;

		if (h->algorithm != DUMP_AES || h->proof != DUMP_PROOF_SCHEDULE || h->n_pieces != 1 || n > sizeof(key) || h->length < n)
			continue;
		/* the first words of an encryption schedule are the key, the last of a decryption schedule */
		if (dump_read_exact(im, h->offset, key, n))
			ok = dump_traces_add_bytes(t, key, n, "AES key");
		if (ok && dump_read_exact(im, h->offset + h->length - n, key, n))
			ok = dump_traces_add_bytes(t, key, n, "AES key");
		OPENSSL_cleanse(key, sizeof(key));
	}
	if (ok && dump_traces_seal(t))
		return t;
	dump_traces_free(t);
	return NULL;
}

/* ---- lists of cuts ---- */

static bool add(struct dump_cuts *c, bool text, uint64_t offset, uint64_t length)
{
	struct dump_cut **list = text ? &c->text : &c->zero, *bigger, *last;
	size_t *n = text ? &c->n_text : &c->n_zero, *capacity = text ? &c->text_capacity : &c->zero_capacity;

	if (length == 0)
		return true;
	last = *n ? &(*list)[*n - 1] : NULL;
	if (last && last->offset + last->length == offset) {
		last->length += length;
		return true;
	}
	if (last && offset >= last->offset && offset + length <= last->offset + last->length)
		return true;
	if (*n == *capacity) {
		size_t more = *capacity ? *capacity * 2 : 256;

		bigger = more <= DUMP_CUTS_MAX ? realloc(*list, more * sizeof(*bigger)) : NULL;
		if (!bigger) {
			c->failed = true;
			return false;
		}
		*list = bigger;
		*capacity = more;
	}
	(*list)[(*n)++] = (struct dump_cut){ offset, length };
	return true;
}

static bool is_body(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' || c == '/' || c == '-' || c == '_';
}

/* How many bytes at p[i] are not to be changed, although they look like digits: an escape, a line "-----BEGIN ...-----". */
static size_t fixed(const uint8_t *p, size_t n, size_t i, size_t step)
{
	size_t k = i;

	if (p[i] == '\\')
		return i + step < n && p[i + step] == 'u' ? 6 * step : 2 * step;
	if (p[i] == '%')
		return 3 * step;
	if (p[i] == '&') { /* &#10; */
		while (k < n && k < i + 8 * step && p[k] != ';')
			k += step;
		return k < n && p[k] == ';' ? k - i + step : step;
	}
	if (p[i] != '-')
		return 0;
	while (k < n && p[k] == '-')
		k += step;
	if (k - i < 5 * step)
		return 0;
	for (; k < n && k < i + 80 * step; k += step) {
		if (p[k] == '\n' || p[k] == '\r')
			break;
		if (p[k] == '-' && k + 4 * step < n && p[k + step] == '-' && p[k + 4 * step] == '-')
			return k + 5 * step - i;
	}
	return 0;
}

/* The digits of a piece of text.  Every byte is looked at once; in UTF-16 the zeros stay. */
static bool add_text(struct dump_cuts *c, struct dump_image *im, uint64_t offset, uint64_t length)
{
	uint8_t *p = dump_pages_new(TEXT_PIECE);
	bool ok = p != NULL;

	while (length && ok) {
		size_t n = length < TEXT_PIECE ? (size_t)length : TEXT_PIECE, step = 1;

		ok = dump_read_exact(im, offset, p, n);
		if (n >= 4 && ((p[1] == 0 && p[3] == 0) || (p[0] == 0 && p[2] == 0)))
			step = 2;
		for (size_t i = 0; i < n && ok;) {
			size_t keep = fixed(p, n, i, p[i] ? step : 1);

			if (keep) {
				i += keep;
				continue;
			}
			if (is_body(p[i]))
				ok = add(c, true, offset + i, 1);
			i++;
		}
		offset += n;
		length -= n;
	}
	if (!ok)
		c->failed = true;
	dump_pages_free(p, TEXT_PIECE);
	return ok;
}

void dump_fill_text(uint8_t *p, size_t n)
{
	size_t step = n >= 4 && ((p[1] == 0 && p[3] == 0) || (p[0] == 0 && p[2] == 0)) ? 2 : 1;

	for (size_t i = 0; i < n;) {
		size_t keep = fixed(p, n, i, p[i] ? step : 1);

		if (!keep && is_body(p[i]))
			p[i] = 'A';
		i += keep ? keep : 1;
	}
}

/* A container that is text after all: all of it printable. */
static bool is_text(struct dump_image *im, uint64_t offset, uint64_t length)
{
	uint8_t p[256];
	size_t n = length < sizeof(p) ? (size_t)length : sizeof(p);

	if (!dump_read_exact(im, offset, p, n))
		return false;
	for (size_t i = 0; i < n; i++)
		if ((p[i] < 32 && p[i] != '\n' && p[i] != '\r' && p[i] != '\t') || p[i] >= 127)
			return false;
	return true;
}

static bool add_pieces(struct dump_cuts *c, struct dump_image *im, const struct dump_hit *h, bool text)
{
	bool ok = true;

	for (unsigned i = 0; i < h->n_pieces && ok; i++) {
		const struct dump_piece *x = &h->pieces[i];

		ok = text || (h->form && is_text(im, x->offset, x->length)) ? add_text(c, im, x->offset, x->length)
		                                                              : add(c, false, x->offset, x->length);
	}
	return ok;
}

static int by_offset(const void *a, const void *b)
{
	const struct dump_cut *x = a, *y = b;

	if (x->offset != y->offset)
		return x->offset < y->offset ? -1 : 1;
	return x->length < y->length ? -1 : x->length > y->length;
}

static size_t merge(struct dump_cut *list, size_t n, uint64_t *bytes)
{
	size_t kept = 0;

	if (n)
		qsort(list, n, sizeof(*list), by_offset);
	for (size_t i = 0; i < n; i++) {
		struct dump_cut *last = kept ? &list[kept - 1] : NULL;

		if (last && list[i].offset <= last->offset + last->length) {
			uint64_t end = list[i].offset + list[i].length;

			last->length = end > last->offset + last->length ? end - last->offset : last->length;
		} else {
			list[kept++] = list[i];
		}
	}
	for (size_t i = 0; i < kept; i++)
		*bytes += list[i].length;
	return kept;
}

/* Both are sorted; ranges that a redaction must leave alone */
static void check_structures(struct dump_cuts *c, const struct dump_image *im, const struct dump_cut *list, size_t n)
{
	size_t r = 0;

	for (size_t i = 0; i < n && !c->over_structure; i++) {
		while (r < im->n_ranges && im->ranges[r].offset + im->ranges[r].length <= list[i].offset)
			r++;
		for (size_t k = r; k < im->n_ranges && im->ranges[k].offset < list[i].offset + list[i].length; k++) {
			if (im->ranges[k].flags & DUMP_STRUCT) {
				c->over_structure = true;
				c->structure_offset = list[i].offset;
				break;
			}
		}
	}
}

/* ---- the sweep ---- */

struct sweep {
	const struct dump_traces *traces;
	pthread_mutex_t lock;  /* the reports */
	void (*found)(void *arg, const struct dump_trace *trace, const struct dump_hit *where);
	void *arg;
};

struct swept { struct sweep *w; const struct dump_block *block; };

static void in_block(void *arg, const struct dump_trace *trace)
{
	struct swept *x = arg;
	struct dump_hit where = { 0 };
	size_t at = trace->at;
	size_t n = trace->n;

	pthread_mutex_lock(&x->w->lock);
	/* more pieces than a hit has room for: one after the other */
	while (n) {
		uint64_t told = 0;

		(void)dump_locate(x->block, at, n, &where);
		for (unsigned i = 0; i < where.n_pieces; i++)
			told += where.pieces[i].length;
		if (told == 0)
			break;
		where.length = told;
		x->w->found(x->w->arg, trace, &where);
		at += told;
		n -= told;
	}
	pthread_mutex_unlock(&x->w->lock);
}

static bool sweep_block(void *arg, const struct dump_block *b)
{
	struct sweep *w = arg;

	dump_traces_find(w->traces, b->p, b->n, b->phase, in_block, &(struct swept){ w, b });
	return true;
}

bool dump_sweep(struct dump_image *im, const struct dump_traces *traces, unsigned threads,
		void (*found)(void *arg, const struct dump_trace *trace, const struct dump_hit *where), void *arg)
{
	struct sweep w = { .traces = traces, .found = found, .arg = arg };
	bool ok;

	if (dump_traces_patterns(traces) == 0)
		return true;
	pthread_mutex_init(&w.lock, NULL);
	ok = block_each(im, false, threads, &(struct block_work){ .block = sweep_block }, &w);
	pthread_mutex_destroy(&w.lock);
	return ok;
}

struct planner { struct dump_cuts *cuts; struct dump_image *im; };

static void plan_trace(void *arg, const struct dump_trace *trace, const struct dump_hit *where)
{
	struct planner *x = arg;

	x->cuts->traces++;
	(void)add_pieces(x->cuts, x->im, where, trace->text);
}

bool dump_cuts_plan(struct dump_scan *s, struct dump_image *im, const struct dump_traces *traces, bool shapes, struct dump_cuts *ret)
{
	struct planner planner = { ret, im };
	size_t n;
	const struct dump_hit *hits = dump_hits(s, &n);
	bool ok = true;

	*ret = (struct dump_cuts){ 0 };
	for (size_t i = 0; i < n && ok; i++) {
		struct dump_hit h = hits[i];

		if (!dump_hit_is_erased(s, &h, shapes))
			continue;
		h.form = h.proof == DUMP_PROOF_LOCKED || h.proof == DUMP_PROOF_SHAPE || h.proof == DUMP_PROOF_STATED ? h.form : NULL;
		ok = add_pieces(ret, im, &h, h.fill == DUMP_FILL_TEXT);
	}
	ok = ok && dump_sweep(im, traces, dump_scan_options(s)->threads, plan_trace, &planner) && !ret->failed;
	ret->failed |= !ok;
	return dump_cuts_seal(ret, im);
}

bool dump_cuts_add(struct dump_cuts *c, uint64_t offset, uint64_t length) { return add(c, false, offset, length); }

bool dump_cuts_seal(struct dump_cuts *c, const struct dump_image *im)
{
	c->bytes = 0;
	c->n_zero = merge(c->zero, c->n_zero, &c->bytes);
	c->n_text = merge(c->text, c->n_text, &c->bytes);
	check_structures(c, im, c->zero, c->n_zero);
	check_structures(c, im, c->text, c->n_text);
	return !c->failed;
}

static uint64_t apply(const struct dump_cut *list, size_t n, uint64_t offset, uint8_t *p, size_t size, int fill, bool pattern)
{
	size_t low = 0, high = n;
	uint64_t erased = 0;

	while (low < high) { /* the first that ends after offset */
		size_t mid = low + (high - low) / 2;

		if (list[mid].offset + list[mid].length <= offset)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < n && list[low].offset < offset + size; low++) {
		uint64_t from = list[low].offset > offset ? list[low].offset : offset, to = list[low].offset + list[low].length;

		to = to < offset + size ? to : offset + size;
		if (pattern)
			for (uint64_t at = from; at < to; at++)
				p[at - offset] = (uint8_t)DUMP_CUT_PATTERN[at & 7];
		else
			memset(p + (from - offset), fill, (size_t)(to - from));
		erased += to - from;
	}
	return erased;
}

uint64_t dump_cuts_apply(const struct dump_cuts *c, uint64_t offset, uint8_t *p, size_t n)
{
	/* where both overlap, zeros win */
	uint64_t erased = apply(c->text, c->n_text, offset, p, n, 'A', false);

	return erased + apply(c->zero, c->n_zero, offset, p, n, 0, c->pattern);
}

void dump_cuts_release(struct dump_cuts *c)
{
	free(c->zero);
	free(c->text);
	*c = (struct dump_cuts){ 0 };
}
