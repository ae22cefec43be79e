/* SPDX-License-Identifier: Apache-2.0 */
/* text: runs of base64 and hexadecimal digits in bytes that may be anything, and how they decode.
 *
 * A run is what a person would call one value: tokens of digits with line breaks, blanks, quotes or escapes between them
 * (\n, \r\n, \u000a, &#10;, %0A, =0A, <br>), and digits may be written as escapes (\/, \u002B, %2B).  It is found from a seed, sixteen
 * digits in a row, which every token of 31 has at a multiple of sixteen.  The run is the same whichever of its digits it is
 * found from: the place of a seed is chance. */
#ifndef TXM_DUMP_TEXT_H
#define TXM_DUMP_TEXT_H

#include "base/str.h"

struct text_run {
	size_t begin, end; /* in the text; end: after the last digit and its padding */
	size_t digits;
	bool hex;
	bool delimited;    /* other text precedes it: digits are not missing at the front */
	bool separated;    /* hexadecimal in pairs: the phase is known */
	bool uncertain;    /* a value may begin at any digit: every phase is worth a look */
};

bool text_is_base64(uint8_t c); /* both alphabets, without '=' */
bool text_is_hex(uint8_t c);

/* The character at p[i], raw or in an escape, and how long it is there; and the one that ends at `end`. */
size_t text_char(const uint8_t *p, size_t n, size_t i, uint8_t *ret);
size_t text_char_before(const uint8_t *p, size_t low, size_t end, uint8_t *ret);

/* The run around p[seed]; it begins at `low` or later and ends at n or earlier. */
bool text_run_base64(const uint8_t *p, size_t low, size_t n, size_t seed, struct text_run *ret);
/* The tokens of a run, from *at = run->begin on: what separators and ends of lines part. */
bool text_next_token(const uint8_t *p, const struct text_run *run, size_t *at, struct text_run *ret);
/* Are p[0 .. 16) digits of base64, and are they hexadecimal ones? */
bool text_is_digits16(const uint8_t *p, bool *ret_hex);
bool text_run_hex(const uint8_t *p, size_t low, size_t n, size_t seed, struct text_run *ret);

/* Decodes the run from its digit number `phase` on; how many bytes came out (at most max). */
size_t text_decode_base64(const uint8_t *p, const struct text_run *run, unsigned phase, uint8_t *out, size_t max);
size_t text_decode_hex(const uint8_t *p, const struct text_run *run, unsigned phase, uint8_t *out, size_t max);

/* One value of base64 as a member of a text form has it: blanks and escapes are skipped, anything else ends it.
 * *ret_used: how much text was read. */
size_t text_decode_value(const char *p, size_t n, uint8_t *out, size_t max, size_t *ret_used);

#endif
