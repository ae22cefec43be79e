/* SPDX-License-Identifier: Apache-2.0 */
/* svg: elements with their numbers; see svg.h. */
#include "report/svg.h"

#include <stdio.h>

void svg_begin_(struct html *h, const char *classes, double width, double height, const char *title)
{
	buf_printf(
		h->b,
		"<svg class=\"%s\" role=\"img\" viewBox=\"0 0 %.0f %.0f\" "
			"xmlns=\"http://www.w3.org/2000/svg\"><title>",
		classes, width, height);
	html_text(h, str_of(title));
	buf_add_cstr(h->b, "</title>\n");
}

void svg_end(struct html *h)
{
	buf_add_cstr(h->b, "</svg>\n");
}

void svg_rect_(struct html *h, const char *classes, double x, double y, double w, double height, double radius,
	       double opacity)
{
	buf_printf(h->b, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
		"rx=\"%.1f\"", classes,
		   x, y, w > 0 ? w : 0, height > 0 ? height : 0, radius);
	if (opacity < 1)
		buf_printf(h->b, " opacity=\"%.2f\"", opacity);
	buf_add_cstr(h->b, "/>");
}

void svg_line_(struct html *h, const char *classes, double x1, double y1, double x2, double y2)
{
	buf_printf(h->b, "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>", classes, x1, y1, x2,
		   y2);
}

void svg_circle_(struct html *h, const char *classes, double x, double y, double r)
{
	buf_printf(h->b, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"/>", classes, x, y, r);
}

void svg_band_(struct html *h, const char *classes, double x1, double y1, double x2, double y2, double width)
{
	const double bend = (x2 - x1) / 2;

	buf_printf(h->b, "<path class=\"%s\" stroke-width=\"%.1f\" d=\"M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1f\"/>",
		   classes, width, x1, y1, x1 + bend, y1, x2 - bend, y2, x2, y2);
}

struct str svg_cut(struct str s, unsigned max, char out[SVG_CUT_SIZE])
{
	size_t n = 0, kept = 0;
	unsigned characters = 0;

	while (n < s.n && n < SVG_CUT_SIZE - 8) {
		if (((unsigned char)s.p[n] & 0xc0) != 0x80) {
			if (max && characters == max)
				break;
			characters++;
			kept = characters <= max ? n : kept;
		}
		n++;
	}
	if (n == s.n)
		return s;
	if (max)
		n = kept; /* room for the sign of the cut */
	memcpy(out, s.p, n);
	memcpy(out + n, "…", sizeof("…") - 1);
	return (struct str) { out, n + sizeof("…") - 1 };
}

void svg_text_(struct html *h, const char *classes, double x, double y, struct str text, unsigned max)
{
	char cut[SVG_CUT_SIZE];
	const struct str shown = svg_cut(text, max, cut);

	buf_printf(h->b, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\">", classes, x, y);
	html_text(h, shown);
	if (shown.p != text.p) {
		buf_add_cstr(h->b, "<title>");
		html_text(h, text);
		buf_add_cstr(h->b, "</title>");
	}
	buf_add_cstr(h->b, "</text>");
}
