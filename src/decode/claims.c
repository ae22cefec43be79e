/* SPDX-License-Identifier: Apache-2.0 */
/* claims: see claims.h.  Results are kept as a bit an index, so that a row given twice counts once. */
#include "decode/decode_int.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/count.h"
#include "base/hash.h"

#define NAME 32           /* a name of interest is shorter */
#define MEMBER 1024       /* ... and with its value */
#define SEARCHES_NAMED 3  /* each in a sentence of its own; of the others the sum */
#define WINDOW (32 * KIB) /* bytes of a stream that are looked at together */

struct search { /* rows that name the same ResultCount */
	int64_t count, holds; /* results that it should have; that are here */
	uint8_t seen[(CLAIM_RESULTS_MAX + 7) / 8];
};

struct query { uint64_t context, pages, nexts; };

struct claims {
	struct search *searches[CLAIM_SEARCHES_MAX];
	unsigned search_count;
	struct query queries[CLAIM_QUERIES_MAX];
	unsigned query_count;
	uint64_t failed;      /* rows with index -1 */
	uint64_t full[2];     /* most rows of a file that is exactly full: of a search, of a table */
	uint64_t said;        /* exporters that wrote in words that they left something out */
	/* of the stream that is being read */
	char window[WINDOW];
	size_t n, seen;       /* bytes in it; names whose last letters begin before `seen` were looked at */
	struct { uint64_t context; bool next, known; } open[CLAIM_QUERIES_MAX]; /* its pages, the newest last */
	unsigned open_count;
	uint64_t lists, words; /* its lists called "value"; its words */
	struct claim_total total;
	uint64_t windows;
	/* queries with fewer results than they state */
	struct claim_total worst;
	uint64_t short_n, short_results;
};

struct claims *claims_new(void)
{
	return calloc(1, sizeof(struct claims));
}

void claims_free(struct claims *c)
{
	for (unsigned i = 0; c && i < c->search_count; i++)
		free(c->searches[i]);
	free(c);
}

static struct search *search_of(struct claims *c, int64_t count)
{
	for (unsigned i = 0; i < c->search_count; i++)
		if (c->searches[i]->count == count)
			return c->searches[i];
	if (c->search_count == CLAIM_SEARCHES_MAX)
		return NULL;
	struct search *s = calloc(1, sizeof *s);
	if (!s)
		return NULL;
	s->count = count;
	return c->searches[c->search_count++] = s;
}

void claims_result(struct claims *c, int64_t index, int64_t count)
{
	if (index == -1)
		c->failed++;
	if (index < 1 || count < 1)
		return;
	struct search *s = search_of(c, count);
	if (!s || index > CLAIM_RESULTS_MAX)
		return;
	uint8_t bit = (uint8_t)(1u << ((index - 1) % 8));
	s->holds += !(s->seen[(index - 1) / 8] & bit);
	s->seen[(index - 1) / 8] |= bit;
}

static void add_query(struct claims *c, uint64_t context, uint64_t pages, uint64_t nexts)
{
	unsigned i = 0;
	while (i < c->query_count && c->queries[i].context != context)
		i++;
	if (i == CLAIM_QUERIES_MAX)
		return;
	if (i == c->query_count)
		c->queries[c->query_count++] = (struct query){ .context = context };
	c->queries[i].pages += pages;
	c->queries[i].nexts += nexts;
}

void claims_page(struct claims *c, struct str context, bool next)
{
	add_query(c, context.n ? hash_str(context, 0) : 0, 1, next);
}

/* The most that a search of the audit log hands out (a page, a session, the portal), and that Log Analytics, hunting and the
 * Entra portal hand out of a table. */
static const uint32_t most_rows[2][8] = {
	{ 5000, 50000, 100000, 150000 }, { 1000, 5000, 10000, 30000, 50000, 100000, 250000, 500000 },
};

void claims_rows(struct claims *c, uint64_t rows, bool table)
{
	for (size_t i = 0; i < 8; i++)
		if (rows && rows == most_rows[table][i] && rows > c->full[table])
			c->full[table] = rows;
}

void claims_said(struct claims *c)
{
	c->said++;
}

void claims_take(struct claims *c, const struct claims *from)
{
	for (unsigned i = 0; i < from->search_count; i++) {
		struct search *s = search_of(c, from->searches[i]->count);
		for (size_t k = 0; s && k < sizeof s->seen; k++) {
			s->holds += __builtin_popcount(from->searches[i]->seen[k] & ~s->seen[k]);
			s->seen[k] |= from->searches[i]->seen[k];
		}
	}
	for (unsigned i = 0; i < from->query_count; i++)
		add_query(c, from->queries[i].context, from->queries[i].pages, from->queries[i].nexts);
	c->failed += from->failed;
	c->said += from->said;
	for (int i = 0; i < 2; i++)
		c->full[i] = from->full[i] > c->full[i] ? from->full[i] : c->full[i];
}

/* -- streams -- */

static bool is_blank(char x)
{
	return x == ' ' || x == '\t' || x == '\r' || x == '\n';
}

/* The text or the bare value of the member whose name has a letter at `at`, or the sign that opens it.  False: no member. */
static bool member_at(const char *p, size_t n, size_t at, struct str *name, struct str *value)
{
	size_t from = at, i = at;
	while (from > 0 && at - from < NAME && p[from - 1] != '"')
		from--;
	while (i < n && i - at < NAME && p[i] != '"')
		i++;
	if (i == n || p[i] != '"' || from == 0 || p[from - 1] != '"' || (from > 1 && p[from - 2] == '\\'))
		return false; /* a quote inside a text is escaped */
	*name = (struct str){ p + from, i - from };
	i++;
	while (i < n && is_blank(p[i]))
		i++;
	if (i == n || p[i++] != ':')
		return false;
	while (i < n && is_blank(p[i]))
		i++;
	if (i == n)
		return false;
	size_t end = ++i;
	if (p[i - 1] != '"') {
		while (end < n && ((ascii_lower(p[end]) >= 'a' && ascii_lower(p[end]) <= 'z') || (p[end] >= '0' && p[end] <= '9')))
			end++;
		*value = (struct str){ p + i - 1, end - i + 1 };
		return true;
	}
	while (end < n && p[end] != '"')
		end++;
	*value = (struct str){ p + i, end - i };
	return value->n > 0;
}

static size_t find(const struct claims *c, size_t from, struct str text)
{
	const char *hit = memmem(c->window + from, c->n - from, text.p, text.n);
	return hit ? (size_t)(hit - c->window) : c->n;
}

static bool is_text(struct str value)
{
	return value.n && value.p[-1] == '"';
}

bool claims_is_next(struct str name)
{
	static const struct str names[] = {
		{ "@odata.nextLink", 15 }, { "odata.nextLink", 14 }, { "nextLink", 8 }, { "@nextLink", 9 }, { "@odata_nextLink", 15 }, { "NextPageUri", 11 },
		{ "NextPageUrl", 11 }, { "NextPageLink", 12 }, { "nextPage", 8 }, { "next_page", 9 }, { "nextToken", 9 }, { "nextPageToken", 13 },
		{ "next_page_token", 15 }, { "next_link", 9 }, { NULL, 0 },
	};
	for (const struct str *one = names; one->n; one++)
		if (str_eq_nocase(name, *one))
			return true;
	return false;
}

static void see(struct claims *c, struct str name, struct str value)
{
	bool is_context = str_eq_nocase(name, STR("@odata.context")) || str_eq_nocase(name, STR("odata.context"));
	if (!is_text(value) || (!is_context && !claims_is_next(name)))
		return;
	unsigned n = c->open_count;
	/* OData writes the context first; a page by itself may have them in either order */
	bool same = n && (is_context ? !c->open[n - 1].known : !c->open[n - 1].next);
	if (!same) {
		if (n == CLAIM_QUERIES_MAX) { /* of the oldest, only the sum is needed */
			add_query(c, c->open[0].context, 1, c->open[0].next);
			memmove(c->open, c->open + 1, (--n) * sizeof c->open[0]);
		}
		memset(&c->open[n], 0, sizeof c->open[n]);
		c->open_count = n + 1;
		n++;
	}
	if (is_context) {
		c->open[n - 1].known = true;
		c->open[n - 1].context = hash_str(value, 0);
	} else {
		c->open[n - 1].next = true;
	}
}

/* Members of interest that begin in [from, to) of the window.  What is searched for is rare, or looked at for a letter: "next...",
 * "...context"; the lists of pages; and the words of hunting and of Log Analytics for results that are not whole. */
static void look(struct claims *c, size_t from, size_t to)
{
	static const struct str words[] = { { "ext", 3 }, { "\"value\"", 7 }, { "runcated\"", 9 }, { "\"PartialError\"", 14 } };
	struct str name, value;
	for (size_t k = 0; k < sizeof words / sizeof words[0]; k++) {
		for (size_t at = find(c, from, words[k]); at < to; at = find(c, at + 1, words[k])) {
			const char before = at ? c->window[at - 1] : 0;
			if (k == 3)
				c->words++;
			else if (k == 0 && before != 'n' && before != 'N' && before != 't')
				continue;
			else if (!member_at(c->window, c->n, at + (k == 1), &name, &value))
				continue;
			else if (k == 0)
				see(c, name, value);
			else if (k == 1)
				c->lists += value.p[0] == '[';
			else
				c->words += !is_text(value) && str_eq_nocase(value, STR("true"));
		}
	}
}

/* p[at] is the quote that opens "total": is it the first member of "hits"? */
static bool is_in_hits(const char *p, size_t at)
{
	static const char before[] = "\"hits\":{"; /* read backwards, with blanks between the signs */
	for (size_t k = sizeof before - 1; k > 0; k--) {
		while (k > 5 && at && is_blank(p[at - 1]))
			at--;
		if (!at || p[--at] != before[k - 1])
			return false;
	}
	return true;
}

static void see_total(struct claims *c, struct str value, size_t after)
{
	struct str name, inner;
	int64_t total = 0;
	bool more = false;
	if (value.p[0] == '{') { /* {"value":10000,"relation":"gte"}, in either order */
		const char *end = memchr(c->window + after, '}', c->n - after);
		const size_t to = end ? (size_t)(end - c->window) : c->n;
		for (size_t at = after; at < to; at++) {
			if (c->window[at] != '"' || !member_at(c->window, c->n, at + 1, &name, &inner))
				continue;
			if (str_eq(name, STR("value")))
				parse_int(inner, &total);
			more |= str_eq(name, STR("relation")) && str_eq(inner, STR("gte"));
		}
	} else {
		parse_int(value, &total);
	}
	if (total > c->total.total) {
		c->total.total = total;
		c->total.at_least = more;
	}
}

/* What answers write before their list or after it, so that only the first and the last window are searched for it. */
static void look_at_edge(struct claims *c)
{
	static const struct str words[] = { { "\"total\"", 7 }, { "\"@odata.count\"", 14 }, { "\"odata.count\"", 13 }, { "\"timed_out\"", 11 },
		{ "\"terminated_early\"", 18 }, { "\"is_partial\"", 12 }, { "\"isPartial\"", 11 }, { "\"preview\"", 9 } };
	struct str name, value;
	for (size_t k = 0; k < sizeof words / sizeof words[0]; k++)
		for (size_t at = find(c, 0, words[k]); at < c->n; at = find(c, at + 1, words[k])) {
			if (!member_at(c->window, c->n, at + 1, &name, &value) || is_text(value))
				continue;
			if (k > 2)
				c->words += str_eq_nocase(value, STR("true"));
			else if (k > 0 || is_in_hits(c->window, at))
				see_total(c, value, (size_t)(value.p - c->window) + 1);
		}
}

void claims_stream(struct claims *c, const char *p, size_t n)
{
	while (n) {
		size_t room = sizeof c->window - c->n, some = n < room ? n : room;
		memcpy(c->window + c->n, p, some);
		c->n += some;
		p += some;
		n -= some;
		if (c->n < sizeof c->window)
			return;
		look(c, c->seen, c->n - MEMBER);
		if (!c->windows++) {
			c->total.mark = hash64(c->window, c->n, 0);
			look_at_edge(c);
		}
		memmove(c->window, c->window + c->n - MEMBER - NAME, MEMBER + NAME);
		c->n = MEMBER + NAME;
		c->seen = NAME;
	}
}

struct claim_total claims_stream_end(struct claims *c, bool are_pages)
{
	struct claim_total total = { 0 };
	look(c, c->seen, c->n);
	look_at_edge(c);
	if (are_pages && c->total.total) {
		total = c->total;
		total.mark = hash64(c->window, c->n, total.mark ^ c->windows);
		total.query = c->open_count && c->open[0].known ? c->open[0].context : 0;
	}
	uint64_t nexts = 0;
	bool any = false;
	for (unsigned i = 0; i < c->open_count && are_pages; i++) {
		any |= c->open[i].known;
		nexts += c->open[i].next;
	}
	for (unsigned i = 0; i < c->open_count && any; i++)
		add_query(c, c->open[i].context, 1, c->open[i].next);
	/* Pages without a context: each has its list.  If lists have another name, one link belongs to one page; of several pages the last may
	 * be the last of its query. */
	if (are_pages && !any && (nexts || c->lists))
		add_query(c, 0, c->lists ? c->lists : nexts + (nexts > 1), nexts);
	c->said += are_pages && c->words;
	c->n = c->seen = c->open_count = 0;
	c->lists = c->words = c->windows = 0;
	c->total = (struct claim_total){ 0 };
	return total;
}

static int by_query(const void *a, const void *b)
{
	const struct claim_total *x = a, *y = b;
	if (x->query != y->query)
		return x->query < y->query ? -1 : 1;
	if (x->total != y->total)
		return x->total > y->total ? -1 : 1;
	return x->mark < y->mark ? -1 : x->mark > y->mark;
}

void claims_totals(struct claims *c, struct claim_total *all, size_t n)
{
	if (n)
		qsort(all, n, sizeof *all, by_query);
	for (size_t from = 0, to; from < n; from = to) {
		uint64_t holds = 0;
		bool at_least = false;
		for (to = from; to < n && all[to].query == all[from].query && all[to].total == all[from].total; to++) {
			const bool copy = to > from && all[to].mark == all[to - 1].mark;
			holds += copy ? 0 : all[to].holds;
			at_least |= all[to].at_least;
		}
		const uint64_t total = (uint64_t)all[from].total;
		if (!total || holds + !at_least > total)
			continue;
		c->short_n++;
		c->short_results += total - holds;
		if (!c->worst.total || total - holds > (uint64_t)c->worst.total - c->worst.holds)
			c->worst = (struct claim_total){ .total = all[from].total, .holds = holds, .at_least = at_least };
	}
}

/* -- what is missing -- */

static int64_t missing(const struct search *s)
{
	int64_t most = s->count < CLAIM_RESULTS_MAX ? s->count : CLAIM_RESULTS_MAX;
	return most > s->holds ? s->count - s->holds : 0;
}

/* The worst first, whatever the order in which threads came to them. */
static const struct search *next_search(const struct claims *c, const struct search *after)
{
	const struct search *best = NULL;
	int64_t most = 0, last = after ? missing(after) : INT64_MAX;
	for (unsigned i = 0; i < c->search_count; i++) {
		const struct search *s = c->searches[i];
		int64_t m = missing(s);
		bool is_later = m < last || (m == last && after && s->count > after->count);
		if (m && is_later && (m > most || (m == most && s->count < best->count))) {
			best = s;
			most = m;
		}
	}
	return best;
}

bool claims_sentence(const struct claims *c, unsigned i, struct buf *ret)
{
	const struct search *s = NULL;
	for (unsigned k = 0; k < SEARCHES_NAMED && (s = next_search(c, s)); k++) {
		if (i-- > 0)
			continue;
		buf_printf(ret, "a search of the audit log says that it had %" PRId64 " results (ResultCount); %" PRId64 " of them are here", s->count, s->holds);
		return true;
	}
	uint64_t more = 0, lost = 0;
	while (s && (s = next_search(c, s))) {
		more++;
		lost += (uint64_t)missing(s);
	}
	if (more && i-- == 0) {
		buf_printf(ret, "%" PRIu64 " more searches say so of themselves: %" PRIu64 " of their results are not here", more, lost);
		return true;
	}
	for (unsigned k = 0; k < c->query_count; k++) {
		const struct query *q = &c->queries[k];
		if (q->nexts < q->pages || !q->nexts || i-- > 0)
			continue;
		buf_printf(ret, "the last page of a query is missing: each page that is here names a next one (@odata.nextLink)");
		return true;
	}
	if (c->short_n && i-- == 0) {
		buf_printf(ret, "an answer says that its query had %s%" PRId64 " results (@odata.count, hits.total); %" PRIu64 " of them are here",
			c->worst.at_least ? "more than " : "", c->worst.total, c->worst.holds);
		return true;
	}
	if (c->short_n > 1 && i-- == 0) {
		buf_printf(ret, "other queries say so too: %" PRIu64 " of their results are not here",
			c->short_results - ((uint64_t)c->worst.total - c->worst.holds));
		return true;
	}
	for (int table = 0; table < 2; table++) {
		if (!c->full[table] || i-- > 0)
			continue;
		buf_printf(ret, "a file has exactly %s rows: %s no more than that, so there may be more", DIGITS(c->full[table]),
			table ? "the portal and its queries hand out" : "a search hands out");
		return true;
	}
	if (c->said && i-- == 0) {
		buf_printf(ret, "who wrote it says in it that the results are not whole (truncated, partial, timed out, or a preview)");
		return true;
	}
	if (c->failed && i-- == 0) {
		buf_printf(ret, "a search of the audit log failed in its middle (ResultIndex -1): its results are not whole");
		return true;
	}
	return false;
}
