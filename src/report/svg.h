/* SPDX-License-Identifier: Apache-2.0 */
/* svg: drawings inside the page, through html.h: numbers are formatted here, texts are escaped there, colours are
 * classes of the style sheet, so that a drawing follows the theme and the printer.  Lengths are in units of the
 * drawing, which is scaled to the page. */
#ifndef TXM_REPORT_SVG_H
#define TXM_REPORT_SVG_H

#include "report/html.h"

/* title and desc are read out by a screen reader */
#define svg_begin(h, classes, width, height, title) svg_begin_((h), "" classes, (width), (height), "" title)
void svg_begin_(struct html *h, const char *classes, double width, double height, const char *title);
void svg_end(struct html *h);
#define svg_rect(h, classes, x, y, w, hgt, radius) svg_rect_((h), "" classes, (x), (y), (w), (hgt), (radius), 1)
void svg_rect_(struct html *h, const char *classes, double x, double y, double w, double height,
	       double radius, double opacity);
#define svg_line(h, classes, x1, y1, x2, y2) svg_line_((h), "" classes, (x1), (y1), (x2), (y2))
void svg_line_(struct html *h, const char *classes, double x1, double y1, double x2, double y2);
#define svg_circle(h, classes, x, y, r) svg_circle_((h), "" classes, (x), (y), (r))
void svg_circle_(struct html *h, const char *classes, double x, double y, double r);
/* a band from (x1,y1) to (x2,y2), bent like a river */
#define svg_band(h, classes, x1, y1, x2, y2, width) svg_band_((h), "" classes, (x1), (y1), (x2), (y2), (width))
void svg_band_(struct html *h, const char *classes, double x1, double y1, double x2, double y2, double width);
/* anchor: "start", "middle", "end" by class; at most max characters, 0 = all */
#define svg_text(h, classes, x, y, text, max) svg_text_((h), "" classes, (x), (y), (text), (max))
void svg_text_(struct html *h, const char *classes, double x, double y, struct str text, unsigned max);

/* s cut to so many characters with an ellipsis; out holds SVG_CUT_SIZE bytes */
#define SVG_CUT_SIZE 512
struct str svg_cut(struct str s, unsigned max, char out[SVG_CUT_SIZE]);

#endif
