/* SPDX-License-Identifier: Apache-2.0 */
/* recode: text that is not UTF-8, taken for Windows-1252 (base/encoding.h): what Excel and older PowerShell write on Windows.
 *
 * Nothing is done to text that is UTF-8.  A JSON value is recoded by itself, where its index says that it must be; a block of
 * rows line by line before it is read, since most cells are never indexed.  Records that come of recoded text are flagged. */
#include "decode/decode_int.h"

#include <stdlib.h>

#include "base/encoding.h"

enum { PADDING = 64 };

static bool begin(struct decoder *d, size_t n)
{
	struct recoded *x = &d->recoded;
	x->n = 0;
	if (!x->text.max)
		buf_init(&x->text, 4 * (size_t)RECORD_BYTES_MAX);
	buf_clear(&x->text);
	return buf_reserve(&x->text, n + n / 8 + PADDING);
}

static bool finish(struct decoder *d)
{
	struct recoded *x = &d->recoded;
	if (!buf_reserve(&x->text, PADDING)) {
		d->failed = true;
		return false;
	}
	memset(x->text.p + x->text.n, 0, PADDING);
	return true;
}

static void add_range(struct decoder *d, size_t from, size_t begin, size_t old_end)
{
	struct recoded *x = &d->recoded;
	if (x->n == x->capacity) {
		size_t want = x->capacity ? x->capacity * 2 : 64;
		void *p = realloc(x->at, want * sizeof *x->at);
		if (!p) {
			d->failed = true;
			return;
		}
		x->at = p;
		x->capacity = want;
	}
	x->at[x->n++] = (struct recoded_range){ begin, x->text.n, from, old_end };
}

bool recode_text(struct decoder *d, struct str *text)
{
	const size_t from = (size_t)(text->p - d->block->p);
	if (text->p < d->block->p || text->p > d->block->p + d->block->n) /* inside of something that was unpacked: cannot be, it is UTF-8 */
		return false;
	if (!begin(d, text->n) || !text_recode(*text, &d->recoded.text) || !finish(d))
		return false;
	add_range(d, from, 0, from + text->n);
	*text = buf_str(&d->recoded.text);
	return true;
}

bool recode_rows(struct decoder *d, const struct block *b, struct block *ret)
{
	if (json_is_utf8(b->p, b->n) || !begin(d, b->n))
		return false;
	for (size_t at = 0, end; at < b->n; at = end) {
		const char *nl = memchr(b->p + at, '\n', b->n - at);
		end = nl ? (size_t)(nl - b->p) + 1 : b->n;
		const struct str line = { b->p + at, end - at };
		const size_t begins = d->recoded.text.n;
		if (!json_is_utf8(line.p, line.n) && text_recode(line, &d->recoded.text))
			add_range(d, at, begins, end);
		else
			buf_add_str(&d->recoded.text, line);
	}
	if (!d->recoded.n || !finish(d))
		return false;
	*ret = *b;
	ret->p = d->recoded.text.p;
	ret->n = d->recoded.text.n;
	return true;
}

/* the last range that begins at or before p, which is in the recoded text; NULL: none */
static const struct recoded_range *range_at(const struct recoded *x, size_t p)
{
	size_t low = 0, high = x->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (x->at[middle].begin <= p)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &x->at[low - 1] : NULL;
}

static bool is_in(const struct recoded *x, struct str s)
{
	return x->n && s.p >= x->text.p && s.p <= x->text.p + x->text.n;
}

bool recode_touched(const struct decoder *d, struct str s)
{
	const struct recoded *x = &d->recoded;
	if (!is_in(x, s))
		return false;
	const size_t from = (size_t)(s.p - x->text.p);
	const struct recoded_range *r = range_at(x, from + s.n - (s.n > 0));
	return r && r->end > from;
}

bool recode_offset(const struct decoder *d, struct str s, uint64_t *ret)
{
	const struct recoded *x = &d->recoded;
	if (!is_in(x, s))
		return false;
	const size_t from = (size_t)(s.p - x->text.p);
	const struct recoded_range *r = range_at(x, from);
	*ret = !r ? from : from < r->end ? r->from : r->old_end + (from - r->end);
	return true;
}
