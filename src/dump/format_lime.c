/* SPDX-License-Identifier: Apache-2.0 */
/* LiME and AVML version 1 (and 2, which avml.c unpacks): physical memory of a Linux machine, as segments of {magic, version, first, last, 0} and bytes.
 * There is no count of segments and no total: a file that was cut exactly between two segments cannot be distinguished from a whole
 * one. */
#include "base/limits.h"
#include "dump/bytes.h"
#include "dump/dump.h"

#define HEAD_SIZE 32

extern const struct dump_format dump_format_format_lime;

static bool is_lime(const uint8_t *p, size_t n) { return n >= 8 && memcmp(p, "EMiL", 4) == 0 && get32(p + 4, false) == 1; }

static void open_lime(struct dump_image *im)
{
	uint64_t at = 0, segments = 0;
	uint8_t head[HEAD_SIZE];

	im->word = 8;
	im->page_list = true;
	while (at < im->size) {
		uint64_t first, last;

		if (!dump_read_exact(im, at, head, sizeof(head))) {
			dump_add_hole(im, im->size, HEAD_SIZE - (im->size - at), "head of a segment, past the end of the file");
			break;
		}
		first = get64(head + 8, false);
		last = get64(head + 16, false);
		if (!is_lime(head, sizeof(head)) || last < first || last - first == UINT64_MAX) {
			dump_problem(im, "no segment where one should begin, at offset %llu; the rest was read as plain bytes", (unsigned long long)at);
			break;
		}
		if (++segments > DUMP_RANGES_MAX) {
			dump_problem(im, "more than %d segments; the rest was read as plain bytes", DUMP_RANGES_MAX);
			break;
		}
		dump_add_range(im, at, HEAD_SIZE, 0, 0, DUMP_STRUCT);
		at += HEAD_SIZE;
		dump_add_range(im, at, last - first + 1, first, 0, DUMP_MAPPED | DUMP_PHYSICAL | DUMP_WRITE);
		if (last - first >= im->size - at)
			break;
		at += last - first + 1;
	}
}

const struct dump_format dump_format_format_lime = {
	.name = "lime",
	.doc = "physical memory by LiME or AVML",
	.is = is_lime,
	.open = open_lime,
};
