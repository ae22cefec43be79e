/* SPDX-License-Identifier: Apache-2.0 */
/* test_impact: the spool against plain sorting, whatever its memory; CSVs as programs write them and as attackers do;
 * what a selection takes and what it leaves; text in a page; items in a record's tail. */
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/spool.h"
#include "base/timefmt.h"
#include "check.h"
#include "event/items.h"
#include "impact/select.h"
#include "impact/sheet.h"
#include "report/svg.h"

/* -- spool -- */

static uint64_t draw(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	return z ^ (z >> 27);
}

static void one_spool(size_t pieces, size_t memory)
{
	struct spool *s = spool_new(memory);
	uint64_t state = pieces, sum = 0, sum_back = 0;
	char text[600], last[600] = "";
	size_t n = 0, last_n = 0;
	struct str got;

	for (size_t i = 0; i < pieces; i++) {
		const size_t length = (size_t)(draw(&state) % (i % 50 == 0 ? 600 : 40));
		for (size_t k = 0; k < length; k++)
			text[k] = (char)(draw(&state) % 7 + (k % 3 ? 0 : 250));
		for (size_t k = 0; k < length; k++)
			sum += (uint64_t)(unsigned char)text[k] * (length + 1);
		spool_add(s, (struct str) { text, length });
	}
	for (int round = 0; round < 2; round++) {
		bool ordered = true;
		spool_rewind(s);
		sum_back = n = last_n = 0;
		while (spool_next(s, &got)) {
			const size_t shorter = got.n < last_n ? got.n : last_n;
			const int c = shorter ? memcmp(last, got.p, shorter) : 0;
			ordered &= n == 0 || c < 0 || (c == 0 && last_n <= got.n);
			for (size_t k = 0; k < got.n; k++)
				sum_back += (uint64_t)(unsigned char)got.p[k] * (got.n + 1);
			memcpy(last, got.p, got.n);
			last_n = got.n;
			n++;
		}
		CHECK_MSG(ordered, "%zu pieces, round %d", pieces, round);
		CHECK_MSG(n == pieces && sum == sum_back, "%zu pieces: %zu came back", pieces, n);
		CHECK(!spool_next(s, &got));
	}
	CHECK_TEXT(spool_error(s), "");
	CHECK((spool_spilled(s) > 0) == (pieces > 20000));
	spool_free(s);
}

static void test_spool(void)
{
	static const size_t sizes[] = { 0, 1, 2, 1000, 20000, 60000 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		one_spool(sizes[i], i < 5 ? 0 : 1);
}

static void test_spool_without_space(void)
{
	struct spool *s = spool_new(1);
	char text[1000];
	struct str got;

	memset(text, 'x', sizeof(text));
	setenv("TMPDIR", "/nowhere/at/all", 1);
	for (int i = 0; i < 1000; i++)
		spool_add(s, (struct str) { text, sizeof(text) });
	CHECK(strstr(spool_error(s), "TMPDIR") != NULL);
	CHECK(!spool_next(s, &got));
	unsetenv("TMPDIR");
	spool_free(s);
}

/* -- sheets -- */

static char sheet_path[] = "/tmp/test_impact_XXXXXX";

static struct sheet *open_text(const char *text, size_t n, const char *const *names, unsigned count)
{
	FILE *f = fopen(sheet_path, "wb");
	struct buf error;
	struct sheet *s;

	fwrite(text, 1, n, f);
	fclose(f);
	buf_init(&error, 4096);
	s = sheet_open(sheet_path, names, count, &error);
	buf_release(&error);
	return s;
}

static void check_rows(const char *text, size_t n, const char *want)
{
	static const char *const names[] = { "messageid|internetmessageid", "subject" };
	struct str cells[SHEET_COLUMNS];
	struct buf b;
	struct sheet *s = open_text(text, n, names, 2);

	buf_init(&b, 65536);
	buf_add_cstr(&b, "");
	while (s && sheet_next(s, cells))
		buf_printf(&b, "%.*s|%.*s\n", STR_ARG(cells[0]), STR_ARG(cells[1]));
	CHECK_TEXT(b.p, want);
	buf_release(&b);
	sheet_close(s);
}

#define ROWS(text, want) check_rows("" text, sizeof(text) - 1, want)

static void test_sheet(void)
{
	static const char *const names[] = { "id" };
	struct str cells[SHEET_COLUMNS];
	struct sheet *s;

	ROWS("MessageId,Subject\n<a@b>,Hello\n", "<a@b>|Hello\n");
	ROWS("Subject;Message-ID\r\n\"a;b\";x\r\n\r\n\"two\nlines\";y\r\n", "x|a;b\ny|two\nlines\n");
	ROWS("\xef\xbb\xbf\"Internet Message ID\"\t\"SUBJECT\"\n1\t\"he said \"\"no\"\"\"\n2",
	     "1|he said \"no\"\n2|\n");
	ROWS("message_id,subject,message id\n1,2,3\n", "1|2\n"); /* the first of two columns */
	ROWS("other,subject\n1,2\n", "|2\n");
	ROWS("messageid,subject\nlonely\n,,,\n1,2,3,4,5\n", "lonely|\n1|2\n");
	ROWS("messageid,subject\n1,\"never closed\n2,x\n", ""); /* counted, not guessed */
	ROWS("", "");
	ROWS("messageid,subject", "");
	ROWS("\xff\xfem\0e\0s\0s\0a\0g\0e\0i\0d\0\n\0"
	     "7\0\n\0",
	     "7|\n"); /* UTF-16, as the trace download is */
	s = open_text("id\n\"x\n", 6, names, 1);
	CHECK(s && !sheet_next(s, cells) && sheet_bad_rows(s) == 1);
	sheet_close(s);
	/* a cell larger than any cell is: left out and counted */
	{
		const size_t n = SHEET_CELL_BYTES_MAX * 2;
		char *big = malloc(n + 16);
		memcpy(big, "id\n", 3);
		memset(big + 3, 'a', n);
		memcpy(big + 3 + n, "\nb\n", 3);
		s = open_text(big, n + 6, names, 1);
		CHECK(s && sheet_next(s, cells) && str_eq(cells[0], STR("b")) && sheet_bad_rows(s) == 1);
		sheet_close(s);
		free(big);
	}
}

/* -- selection -- */

struct made {
	struct names names;
	struct rec rec;
};

static void make(struct made *m, const char *mailbox, const char *app, const char *ip)
{
	const struct str box[] = { STR("5f0c7a10-0000-4000-8000-0000000000a1"), str_of(mailbox) };
	const struct str client[] = { STR("00000002-0000-0ff1-ce00-000000000000"), str_of(app), str_of(app), STR(""),
				      STR("OWA/ViaProxy") };
	const struct str actor = str_of(mailbox);
	const struct addr a = addr_parse(str_of(ip));

	names_init(&m->names);
	memset(&m->rec, 0, sizeof(m->rec));
	m->rec.time_us = INT64_C(1767693600) * US_PER_SECOND; /* 2026-01-06 10:00 */
	m->rec.mailbox = names_put(&m->names, NAME_MAILBOX, box, 2);
	m->rec.client = names_put(&m->names, NAME_CLIENT, client, 5);
	m->rec.actor = names_put(&m->names, NAME_ACTOR, &actor, 1);
	memcpy(m->rec.ip, a.b, 16);
	m->rec.ip_kind = a.kind;
}

static bool takes(const struct selection *s, const struct made *m)
{
	return selection_match(s, &m->rec, &m->names, NULL).hit;
}

static void test_selection(void)
{
	static const char app[] = "5f0c7a10-0000-4000-8000-00000000c001";
	struct selection s;
	struct made m;

	make(&m, "ann@example.com", app, "203.0.113.5");
	static const struct {
		void (*add)(struct selection *, struct str);
		const char *yes[5], *no[3];
	} rows[] = {
		{ selection_add_app,
		  { app, "{5F0C7A10-0000-4000-8000-00000000C001}", "owa/viaproxy", "Office 365 Exchange Online",
		    "00000002-0000-0ff1-ce00-000000000000" },
		  { "5f0c7a10-0000-4000-8000-00000000c002", "OWA", "x" } },
		{ selection_add_actor, { "ANN@example.com" }, { "ann", "bob@example.com" } },
		{ selection_add_mailbox,
		  { "Ann@Example.com", "5F0C7A10-0000-4000-8000-0000000000A1" },
		  { "bob@example.com" } },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t k = 0; k < 5 && rows[i].yes[k]; k++) {
			selection_init(&s);
			rows[i].add(&s, str_of(rows[i].yes[k]));
			CHECK_MSG(takes(&s, &m), "%s", rows[i].yes[k]);
			selection_release(&s);
		}
		for (size_t k = 0; k < 3 && rows[i].no[k]; k++) {
			selection_init(&s);
			rows[i].add(&s, str_of(rows[i].no[k]));
			CHECK_MSG(!takes(&s, &m), "%s", rows[i].no[k]);
			selection_release(&s);
		}
	}
	static const struct {
		const char *net;
		int fits;
	} nets[] = {
		{ "203.0.113.5", 1 },
		{ "203.0.113.0/24", 1 },
		{ "203.0.113.4/30", 1 },
		{ "0.0.0.0/0", 1 },
		{ "203.0.113.5/32", 1 },
		{ "203.0.113.6", 0 },
		{ "203.0.114.0/24", 0 },
		{ "AS64500", 0 },
		{ "::/0", 0 },
		{ "203.0.113.0/33", -1 },
		{ "nowhere", -1 },
		{ "AS", -1 },
		{ "", -1 },
		{ "1.2.3.4/", -1 },
	};
	for (size_t i = 0; i < sizeof(nets) / sizeof(nets[0]); i++) {
		selection_init(&s);
		const bool good = selection_add_network(&s, str_of(nets[i].net));
		CHECK_MSG(good == (nets[i].fits >= 0), "%s", nets[i].net);
		if (good)
			CHECK_MSG(takes(&s, &m) == (nets[i].fits > 0), "%s", nets[i].net);
		selection_release(&s);
	}
	/* of one kind any, of different kinds all */
	selection_init(&s);
	selection_add_app(&s, STR("x"));
	selection_add_app(&s, str_of(app));
	CHECK(takes(&s, &m));
	selection_add_actor(&s, STR("bob@example.com"));
	CHECK(!takes(&s, &m));
	selection_add_actor(&s, STR("ann@example.com"));
	CHECK(takes(&s, &m));
	s.period.since_us = m.rec.time_us + 1;
	CHECK(!takes(&s, &m));
	s.period.since_us = m.rec.time_us;
	s.period.until_us = m.rec.time_us;
	CHECK(!takes(&s, &m));
	selection_release(&s);
	names_release(&m.names);
}

/* -- items in a tail -- */

static void test_items(void)
{
	struct rec_builder b = { .tail = malloc(DETAIL_BYTES_MAX + 8) };
	struct rec *whole;
	struct item_iter it;
	struct item item;
	char id[ITEM_ID_BYTES_MAX + 1];
	size_t n = 0;

	memset(id, 'x', sizeof(id));
	rec_begin(&b);
	items_add_folder(&b, STR("\\Inbox"));
	items_add_message(&b, ITEM_INTERNET_ID, STR("<a@b>"), 7);
	items_add_message(&b, ITEM_NO_ID, STR_NONE, ITEM_BYTES_UNKNOWN);
	items_add_folder(&b, STR(""));
	items_add_message(&b, ITEM_STORE_ID, (struct str) { id, ITEM_ID_BYTES_MAX }, 8);
	CHECK(!(b.r.flags & REC_ITEMS_CUT));
	items_add_message(&b, ITEM_STORE_ID, (struct str) { id, ITEM_ID_BYTES_MAX + 1 }, 8);
	CHECK(b.r.flags & REC_ITEMS_CUT);
	whole = malloc(sizeof(*whole) + b.r.tail_bytes);
	memcpy(whole, &b.r, sizeof(*whole));
	memcpy(whole + 1, b.tail, b.r.tail_bytes);
	it = items_of(whole);
	CHECK(item_next(&it, &item) && item.is_folder && str_eq(item.folder, STR("\\Inbox")));
	CHECK(item_next(&it, &item) && item.kind == ITEM_INTERNET_ID && item.bytes == 7 &&
	      str_eq(item.id, STR("<a@b>")) && str_eq(item.folder, STR("\\Inbox")));
	CHECK(item_next(&it, &item) && item.kind == ITEM_NO_ID && item.bytes == ITEM_BYTES_UNKNOWN && item.id.n == 0);
	CHECK(item_next(&it, &item) && item.is_folder && item.folder.n == 0);
	CHECK(item_next(&it, &item) && item.id.n == ITEM_ID_BYTES_MAX && item.folder.n == 0);
	CHECK(!item_next(&it, &item));
	free(whole);
	/* a full tail is marked full; nothing in it is cut in half */
	rec_begin(&b);
	for (int i = 0; i < 5000; i++)
		items_add_message(&b, ITEM_INTERNET_ID, (struct str) { id, 64 }, 1);
	CHECK((b.r.flags & REC_ITEMS_CUT) && !(b.r.flags & REC_DETAIL_CUT));
	whole = malloc(sizeof(*whole) + b.r.tail_bytes);
	memcpy(whole, &b.r, sizeof(*whole));
	memcpy(whole + 1, b.tail, b.r.tail_bytes);
	for (it = items_of(whole); item_next(&it, &item); n++)
		CHECK(item.id.n == 64);
	CHECK(n >= 600);
	free(whole);
	free(b.tail);
}

/* -- pages -- */

static void check_html(struct str in, const char *want)
{
	struct buf b;

	buf_init(&b, 4096);
	buf_add_cstr(&b, "");
	buf_add_html(&b, in);
	CHECK_TEXT(b.p, want);
	buf_release(&b);
}

static void test_html(void)
{
	check_html(STR("plain text, \xc3\xa9\xe2\x82\xac\xf0\x9f\x9a\x95"),
		   "plain text, \xc3\xa9\xe2\x82\xac\xf0\x9f\x9a\x95");
	check_html(STR("<script>alert('1')</script> & \"`"),
		   "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &quot;&#96;");
	check_html(STR("a\nb\tc\r"), "a b c ");
	check_html(STR("\x01\x7f\xc2\x80\xff\xc3(\xed\xa0\x80"),
		   "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd(\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	check_html(STR("\xe2\x80\xaegnp.exe"), "\xef\xbf\xbdgnp.exe");
	check_html(STR("a\0b"), "a\xef\xbf\xbd"
				"b");
	check_html(STR("\xc0\xbcscript\xc0\xbe"),
		   "\xef\xbf\xbd\xef\xbf\xbdscript\xef\xbf\xbd\xef\xbf\xbd"); /* overlong "<" */
}

static void test_cut(void)
{
	char out[SVG_CUT_SIZE], text[2000];
	struct str s = svg_cut(STR("short"), 10, out);

	CHECK(str_eq(s, STR("short")));
	s = svg_cut(STR("0123456789"), 10, out);
	CHECK(str_eq(s, STR("0123456789")));
	s = svg_cut(STR("0123456789a"), 10, out);
	CHECK(str_eq(s, STR("012345678\xe2\x80\xa6")));
	s = svg_cut(STR("\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"), 3, out);
	CHECK(str_eq(s, STR("\xc3\xa9\xc3\xa9\xe2\x80\xa6")));
	memset(text, 'x', sizeof(text));
	s = svg_cut((struct str) { text, sizeof(text) }, 0, out);
	CHECK(s.n < SVG_CUT_SIZE);
	memset(text, 0x80, sizeof(text)); /* nothing but the middles of characters */
	s = svg_cut((struct str) { text, sizeof(text) }, 5, out);
	CHECK(s.n < SVG_CUT_SIZE);
}

int main(void)
{
	const int fd = mkstemp(sheet_path);

	close(fd);
	test_spool();
	test_spool_without_space();
	test_sheet();
	test_selection();
	test_items();
	test_html();
	test_cut();
	unlink(sheet_path);
	return check_summary();
}
