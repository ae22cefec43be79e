/* SPDX-License-Identifier: Apache-2.0 */
/* claims: see claims.h.  Results are kept as a bit an index, so that a row given twice counts once. */
#include "decode/claims.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/count.h"
#include "base/hash.h"

#define NAME 32           /* a name of interest is shorter */
#define MEMBER 1024       /* ... and with its value */
#define SEARCHES_NAMED 3  /* each in a sentence of its own; of the others the sum */
#define WINDOW (32 * KIB) /* bytes of a stream that are looked at together */

struct search { /* rows that name the same ResultCount */
	int64_t count, holds; /* says, is here */
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
	uint64_t lists, told; /* its lists called "value"; its words */
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
		while (end < n && ascii_lower(p[end]) >= 'a' && ascii_lower(p[end]) <= 'z')
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
				c->told++;
			else if (k == 0 && before != 'n' && before != 'N' && before != 't')
				continue;
			else if (!member_at(c->window, c->n, at + (k == 1), &name, &value))
				continue;
			else if (k == 0)
				see(c, name, value);
			else if (k == 1)
				c->lists += value.p[0] == '[';
			else
				c->told += !is_text(value) && str_eq_nocase(value, STR("true"));
		}
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
		memmove(c->window, c->window + c->n - MEMBER - NAME, MEMBER + NAME);
		c->n = MEMBER + NAME;
		c->seen = NAME;
	}
}

void claims_stream_end(struct claims *c, bool are_pages)
{
	look(c, c->seen, c->n);
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
	c->said += are_pages && c->told;
	c->n = c->seen = c->open_count = 0;
	c->lists = c->told = 0;
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
	for (int table = 0; table < 2; table++) {
		if (!c->full[table] || i-- > 0)
			continue;
		buf_printf(ret, "a file has exactly %s rows: %s no more than that, so there may be more", DIGITS(c->full[table]),
			table ? "the portal and its queries hand out" : "a search hands out");
		return true;
	}
	if (c->said && i-- == 0) {
		buf_printf(ret, "who wrote it says in it that the results are not whole (truncated, PartialError)");
		return true;
	}
	if (c->failed && i-- == 0) {
		buf_printf(ret, "a search of the audit log failed in its middle (ResultIndex -1): its results are not whole");
		return true;
	}
	return false;
}
