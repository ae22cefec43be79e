/* SPDX-License-Identifier: Apache-2.0 */
/* test_claims: what exports say about themselves: results of searches, links to next pages at every place of a stream, full files. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "decode/claims.h"

static unsigned sentences(const struct claims *c, const char *word)
{
	struct buf b;
	unsigned n = 0, hits = 0;
	buf_init(&b, 4096);
	for (; claims_sentence(c, n, &b); n++) {
		hits += str_find(buf_str(&b), str_of(word)) >= 0;
		buf_clear(&b);
	}
	buf_release(&b);
	CHECK(n < 100);
	return hits;
}

static void test_results(void)
{
	struct claims *c = claims_new(), *d = claims_new();
	CHECK(c && d && sentences(c, "") == 0);
	for (int i = 1; i <= 300; i++)
		claims_result(i % 2 ? c : d, i, 300);
	CHECK(sentences(c, "150 of them are here") == 1); /* a half of the rows each: the other thread's are missing */
	claims_take(c, d);
	CHECK(sentences(c, "") == 0);
	for (int copies = 0; copies < 3; copies++) /* copies do not replace what is missing */
		for (int i = 1; i <= 100; i++)
			claims_result(c, i, 400);
	CHECK(sentences(c, "had 400 results (ResultCount); 100 of them") == 1 && sentences(c, "") == 1);
	claims_result(c, -1, 0);
	CHECK(sentences(c, "ResultIndex -1") == 1 && sentences(c, "") == 2);
	claims_result(c, 0, 0);
	claims_result(c, INT64_MIN, INT64_MAX);
	claims_result(c, INT64_MAX, 7);
	claims_result(c, 1, -5);
	for (int i = 0; i < 3000; i++) /* more searches than are kept: bounded */
		claims_result(c, 1, 1000 + i);
	CHECK(sentences(c, "of them are here") == 3 && sentences(c, "more searches") == 1);
	claims_free(c);
	claims_free(d);
}

static void test_rows(void)
{
	static const struct { uint64_t rows; bool full; } t[] = { { 0, false }, { 1, false }, { 4999, false }, { 5000, true }, { 5001, false },
		{ 10000, false }, { 50000, true }, { 55000, false }, { 100000, true } };
	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		struct claims *c = claims_new();
		claims_rows(c, t[i].rows, false);
		CHECK_MSG(sentences(c, "rows") == t[i].full, "%u rows", (unsigned)t[i].rows);
		claims_free(c);
	}
	struct claims *c = claims_new(); /* of a table other than that of a search, other numbers are the most */
	claims_rows(c, 9999, true);
	CHECK(sentences(c, "") == 0);
	claims_rows(c, 10000, true);
	claims_rows(c, 30000, true);
	CHECK(sentences(c, "exactly 30,000 rows: the portal") == 1 && sentences(c, "") == 1);
	claims_free(c);
}

/* a page in all the ways in which it is written; link: it has a next one */
static size_t page(char *to, size_t size, int form, bool link, int query)
{
	static const char *const names[] = { "@odata.nextLink", "@odata.nextLink", "odata.nextLink", "nextLink", "NextPageUri" };
	const char *s = form % 2 ? " : " : ":", *name = names[form % 5];
	char next[200] = "";
	if (link)
		snprintf(next, sizeof next, "\"%s\"%s\"https://graph.example.com/q%d?$skiptoken=a\",", name, s, query);
	else if (form % 3 == 0)
		snprintf(next, sizeof next, "\"%s\"%snull,", name, s);
	else if (form % 3 == 1)
		snprintf(next, sizeof next, "\"%s\"%s\"\",", name, s);
	const char *list = "\"value\":[{\"a\":\"\\\"@odata.nextLink\\\":\\\"https://x\\\"\"}]";
	return (size_t)(form % 4 < 2 ? snprintf(to, size, "{\"@odata.context\"%s\"https://graph.example.com/$metadata#q(%d)\",%s%s}", s, query, next, list)
		: snprintf(to, size, "{%s\"@odata.context\"%s\"https://graph.example.com/$metadata#q(%d)\",%s}", next, s, query, list));
}

static struct claims *stream(const char *text, size_t n, size_t piece)
{
	struct claims *c = claims_new();
	for (size_t at = 0; at < n; at += piece)
		claims_stream(c, text + at, n - at < piece ? n - at : piece);
	claims_stream_end(c, true);
	return c;
}

static void test_pages(void)
{
	enum { ROOM = 140000 };
	char *text = malloc(ROOM);
	for (int form = 0; form < 60; form++) {
		for (int link = 0; link < 2; link++) {
			char p[600];
			size_t n = page(p, sizeof p, form, link, 1);
			/* at places around each border of the window, in pieces of several sizes */
			for (size_t at = 32768 - 1200; at < 32768 + 40; at += 13) {
				memset(text, ' ', at);
				memcpy(text + at, p, n);
				memset(text + at + n, '\n', 3000);
				static const size_t pieces[] = { ROOM, 65536, 1000, 97 };
				struct claims *c = stream(text, at + n + 3000, pieces[(at + (size_t)form) % 4]);
				CHECK_MSG(sentences(c, "last page") == (unsigned)link && sentences(c, "") == (unsigned)link, "form %d, link %d, at %zu", form, link, at);
				claims_free(c);
			}
		}
	}
	/* several pages of two queries: the first is whole, the second lacks its last page (context first, as OData orders it) */
	for (int form = 0; form < 60; form += form % 4 == 1 ? 3 : 1) {
		size_t n = 0;
		for (int i = 0; i < 4; i++) {
			n += page(text + n, ROOM - n, form, i < 3, 1);
			n += page(text + n, ROOM - n, form, true, 2);
			text[n++] = '\n';
		}
		struct claims *c = stream(text, n, 1 + (size_t)form * 7);
		CHECK_MSG(sentences(c, "last page") == 1, "form %d", form);
		claims_page(c, STR("https://graph.example.com/$metadata#q(2)"), false); /* ... which another file has */
		CHECK_MSG(sentences(c, "") == 0, "form %d", form);
		claims_free(c);
	}
	struct claims *c = claims_new(); /* lines are seen by the decoder, not as a stream */
	size_t n = page(text, ROOM, 0, true, 1);
	claims_stream(c, text, n);
	claims_stream_end(c, false);
	CHECK(sentences(c, "") == 0);
	claims_free(c);
	free(text);
}

/* is the answer of a service partial, by its own words? */
static void test_words(void)
{
	static const struct { const char *text; bool partial; } t[] = {
		{ "{\"value\":[{}],\"@odata.nextLink\":\"https://x\"}", true }, { "{\"@odata.nextLink\":\"https://x\",\"value\" : [{}]}", true },
		{ "{\"value\":[{}],\"@odata.nextLink\":null}", false }, { "{\"value\":[{}]}", false }, { "{\"value\":[{}],\"nextLink\":\"\"}", false },
		{ "{\"value\":[{}],\"nextLink\":\"https://x\"}{\"value\":[{}]}", false }, { "{\"value\":[{}]}{\"value\":[{}],\"nextPageUri\":\"https://x\"}", false },
		{ "{\"value\":[{}],\"nextLink\":\"https://x\"}{\"value\":[{}],\"nextLink\":\"https://y\"}", true },
		{ "{\"records\":[{}],\"nextPage\":\"https://x\"}", true }, { "{\"results\":[{}],\"next_page_token\":\"a\"}", true },
		{ "[{\"Subject\":\"\\\"nextLink\\\":\\\"x\\\"\"}]", false }, { "[{\"AppAccessContext\":{},\"ExtendedProperties\":[]}]", false },
		{ "{\"results\":[{}],\"isTruncated\":true}", true }, { "{\"results\":[{}],\"isTruncated\":false}", false }, { "{\"truncated\" : true}", true },
		{ "[{\"Subject\":\"truncated\"}]", false },
		{ "{\"timed_out\":true,\"hits\":{\"hits\":[{}]}}", true }, { "{\"timed_out\":false,\"hits\":{\"hits\":[{}]}}", false },
		{ "{\"is_partial\" : true,\"is_running\":false,\"response\":{}}", true }, { "{\"isPartial\":false,\"rawResponse\":{}}", false },
		{ "{\"preview\":true,\"init_offset\":0,\"results\":[{}]}", true }, { "{\"preview\":false,\"init_offset\":0,\"results\":[{}]}", false },
		{ "[{\"Subject\":\"preview\",\"x\":\"\\\"preview\\\":true\"}]", false },
		{ "{\"tables\":[],\"error\":{\"code\":\"PartialError\"}}", true }, { "[{\"AuditData\":\"{\\\"code\\\":\\\"PartialError\\\"}\"}]", false },
	};
	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		struct claims *c = stream(t[i].text, strlen(t[i].text), 7);
		CHECK_MSG(sentences(c, "") == t[i].partial, "%s", t[i].text);
		claims_free(c);
	}
}

/* answers that name the number of their query's results: a page or several, in files that hold so many each, copies among them */
static void test_totals(void)
{
#define ES(total) "{\"took\":3,\"timed_out\":false,\"_shards\":{\"total\":5,\"failed\":0},\"hits\":{\"total\":" total ",\"max_score\":1,\"hits\":[{}]}}"
	static const struct { const char *text[3]; unsigned holds; const char *says; } t[] = {
		{ { "{\"@odata.context\":\"q\",\"@odata.count\":100,\"value\":[{}]}" }, 100, NULL },
		{ { "{\"@odata.context\":\"q\",\"@odata.count\" : 100,\"value\":[{}]}" }, 99, "had 100 results (@odata.count, hits.total); 99" },
		{ { "{\"@odata.context\":\"q\",\"value\":[{}],\"@odata.count\":101}" }, 99, "had 101 results" },
		/* pages of one query: each names the whole, or each its own number */
		{ { "{\"@odata.context\":\"q\",\"@odata.count\":300,\"value\":[1]}", "{\"@odata.context\":\"q\",\"@odata.count\":300,\"value\":[2]}",
		    "{\"@odata.context\":\"q\",\"@odata.count\":300,\"value\":[3]}" }, 100, NULL },
		{ { "{\"@odata.context\":\"q\",\"@odata.count\":300,\"value\":[1]}", "{\"@odata.context\":\"q\",\"@odata.count\":300,\"value\":[2]}",
		    "{\"@odata.context\":\"q\",\"@odata.count\":300,\"value\":[2]}" }, 100, "had 300 results (@odata.count, hits.total); 200" },
		{ { "{\"@odata.context\":\"q\",\"@odata.count\":100,\"value\":[1]}", "{\"@odata.context\":\"q\",\"@odata.count\":37,\"value\":[2]}" }, 100, NULL },
		{ { "{\"@odata.context\":\"q\",\"@odata.count\":150,\"value\":[1]}", "{\"@odata.context\":\"r\",\"@odata.count\":150,\"value\":[1]}" }, 100, "other queries say so too: 50" },
		{ { "{\"value\":[{}],\"attachments@odata.count\":500}" }, 1, NULL },
		{ { ES("7") }, 7, NULL }, { { ES("8") }, 7, "had 8 results" }, { { ES("{\"value\":8,\"relation\":\"eq\"}") }, 7, "had 8 results" },
		{ { ES("{\"value\":8,\"relation\":\"eq\"}") }, 8, NULL }, { { ES("{\"relation\" : \"gte\", \"value\" : 10000}") }, 10000, "more than 10000 results" },
		{ { ES("{\"value\":10000,\"relation\":\"gte\"}") }, 10001, NULL }, { { "{ \"hits\" : {\n  \"total\" : 9,\n \"hits\":[{}]}}" }, 7, "had 9 results" },
		{ { "[{\"x\":\"\\\"hits\\\":{\\\"total\\\":9}\",\"total\":900}]" }, 7, NULL }, { { ES("-5") }, 7, NULL }, { { ES("99999999999999999999") }, 7, NULL },
	};
	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		struct claims *c = claims_new();
		struct claim_total all[3];
		size_t n = 0;
		for (; n < 3 && t[i].text[n]; n++) {
			for (size_t at = 0, end = strlen(t[i].text[n]); at < end; at += 5)
				claims_stream(c, t[i].text[n] + at, end - at < 5 ? end - at : 5);
			all[n] = claims_stream_end(c, true);
			all[n].holds = t[i].holds;
		}
		claims_totals(c, all, n);
		CHECK_MSG(sentences(c, "results") == (t[i].says ? 1 + (strstr(t[i].says, "other queries") != NULL) : 0) && (!t[i].says || sentences(c, t[i].says) == 1),
			"%s", t[i].text[0]);
		claims_free(c);
	}
}

int main(void)
{
	test_totals();
	test_words();
	test_results();
	test_rows();
	test_pages();
	return check_summary();
}
