/* SPDX-License-Identifier: Apache-2.0 */
/* html: see html.h.  The style sheet is style.c. */
#include "report/html.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/timefmt.h"
#include "report/style.h"

void html_open_with_(struct html *h, const char *tag, const char *attributes)
{
	assert(h->depth < HTML_DEPTH_MAX);
	buf_add_char(h->b, '<');
	buf_add_cstr(h->b, tag);
	buf_add_cstr(h->b, attributes);
	buf_add_char(h->b, '>');
	h->open[h->depth++] = tag;
}

void html_open_place_(struct html *h, const char *tag, const char *classes, const char *prefix, uint64_t n)
{
	assert(h->depth < HTML_DEPTH_MAX);
	buf_printf(h->b, "<%s class=\"%s\" id=\"%s%" PRIu64 "\">", tag, classes, prefix, n);
	h->open[h->depth++] = tag;
}

void html_open_link_(struct html *h, const char *prefix, uint64_t n)
{
	assert(h->depth < HTML_DEPTH_MAX);
	buf_printf(h->b, "<a href=\"#%s%" PRIu64 "\">", prefix, n);
	h->open[h->depth++] = "a";
}

static void add_id(struct buf *b, struct str id)
{
	for (size_t i = 0; i < id.n; i++) {
		const char c = id.p[i];
		buf_add_char(b, (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ? c : '-');
	}
}

void html_open_id_(struct html *h, const char *tag, const char *classes, struct str id)
{
	assert(h->depth < HTML_DEPTH_MAX);
	buf_printf(h->b, "<%s class=\"%s\" id=\"", tag, classes);
	add_id(h->b, id);
	buf_add_cstr(h->b, "\">");
	h->open[h->depth++] = tag;
}

void html_open_to(struct html *h, struct str id)
{
	assert(h->depth < HTML_DEPTH_MAX);
	buf_add_cstr(h->b, "<a href=\"#");
	add_id(h->b, id);
	buf_add_cstr(h->b, "\">");
	h->open[h->depth++] = "a";
}

void html_open_said_cell_(struct html *h, const char *classes, const char *label)
{
	assert(h->depth < HTML_DEPTH_MAX);
	buf_printf(h->b, "<td class=\"%s\" data-label=\"", classes);
	buf_add_html(h->b, str_of(label));
	buf_add_cstr(h->b, "\">");
	h->open[h->depth++] = "td";
}

void html_close(struct html *h)
{
	assert(h->depth > 0);
	buf_add_cstr(h->b, "</");
	buf_add_cstr(h->b, h->open[--h->depth]);
	buf_add_char(h->b, '>');
	if (h->depth <= 4)
		buf_add_char(h->b, '\n');
}

void html_text(struct html *h, struct str s)
{
	buf_add_html(h->b, s);
}

void html_begin(struct html *h, struct sink_out *o, struct str title)
{
	*h = (struct html) { .o = o, .b = &o->pending };
	buf_add_cstr(
		h->b,
		"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
			"'unsafe-inline'; "
		"base-uri 'none'; form-action 'none'\">\n"
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		"<meta name=\"color-scheme\" content=\"light dark\">\n"
		"<meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"robots\" "
		"content=\"noindex\">\n<title>");
	html_text(h, title);
	buf_add_cstr(h->b, "</title>\n<style>\n");
	buf_add_cstr(h->b, report_style);
	buf_add_cstr(h->b, "</style>\n</head>\n<body>\n");
}

void html_end(struct html *h)
{
	while (h->depth)
		html_close(h);
	buf_add_cstr(h->b, "</body>\n</html>\n");
}

void html_count(struct html *h, uint64_t n)
{
	sink_add_count(h->b, n);
}

void html_counted(struct html *h, uint64_t n, const char *one, const char *many)
{
	sink_add_count(h->b, n);
	buf_add_char(h->b, ' ');
	html_text(h, str_of(n == 1 ? one : many));
}

void html_moment(struct html *h, int64_t us)
{
	static const char *const months[] = { "January", "February", "March",	  "April",   "May",	 "June",
					      "July",	 "August",   "September", "October", "November", "December" };
	char text[TIME_TEXT_SIZE];

	if (!us) {
		html_say(h, "–");
		return;
	}
	time_format(us - us % US_PER_SECOND, text); /* 2023-06-15T02:00:00Z */
	const unsigned month = (unsigned)(text[5] - '0') * 10 + (unsigned)(text[6] - '0');
	const char *day = text[8] == '0' ? text + 9 : text + 8;
	buf_printf(h->b, "<time datetime=\"%.20s\">%.*s&nbsp;%s&nbsp;%.4s, %.5s</time>", text, text[8] == '0' ? 1 : 2,
		   day, month >= 1 && month <= 12 ? months[month - 1] : "", text, text + 11);
}

void html_bytes(struct html *h, uint64_t n)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB" };
	double v = (double)n;
	unsigned u = 0;

	while (v >= 999.5 && u < 4) {
		v /= 1000;
		u++;
	}
	buf_printf(h->b, u && v < 9.95 ? "%.1f&nbsp;%s" : "%.0f&nbsp;%s", v, units[u]);
}
