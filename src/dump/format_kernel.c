/* SPDX-License-Identifier: Apache-2.0 */
/* Windows kernel dumps: "PAGEDUMP" (32 bit) and "PAGEDU64".  Physical pages after a head of one or two pages; which ones,
 * is in a list of runs (full dumps) or a bitmap (the kernel's and the active memory).  Other kinds have no pages that could be
 * placed: their bytes are scanned as they are. */
#include <stdlib.h>

#include "base/limits.h"
#include "dump/bytes.h"
#include "dump/dump.h"

#define PAGE 4096

enum { TYPE_FULL = 1, TYPE_KERNEL = 2, TYPE_HEADER = 3, TYPE_SMALL = 4, TYPE_BITMAP_FULL = 5, TYPE_BITMAP_KERNEL = 6 };

extern const struct dump_format dump_format_format_kernel;

static bool is_kernel(const uint8_t *p, size_t n) { return n >= 8 && (memcmp(p, "PAGEDUMP", 8) == 0 || memcmp(p, "PAGEDU64", 8) == 0); }

static void runs(struct dump_image *im, const uint8_t *head, size_t head_size, bool wide)
{
	const uint8_t *p = head + (wide ? 0x88 : 0x64);
	const size_t entry = wide ? 16 : 8, room = 700 - (wide ? 16 : 8);
	uint64_t n = get32(p, false), at = head_size;

	p += wide ? 16 : 8;
	if (n > room / entry) {
		dump_problem(im, "%llu runs of pages; at most %zu fit into the header", (unsigned long long)n, room / entry);
		n = 0;
	}
	for (uint64_t i = 0; i < n; i++) {
		uint64_t base = wide ? get64(p + i * entry, false) : get32(p + i * entry, false);
		uint64_t count = wide ? get64(p + i * entry + 8, false) : get32(p + i * entry + 4, false);

		if (count > UINT64_MAX / PAGE / 2 || base > UINT64_MAX / PAGE / 2 || at > UINT64_MAX / 2) {
			dump_problem(im, "a run of %llu pages wraps round", (unsigned long long)count);
			break;
		}
		dump_add_range(im, at, count * PAGE, base * PAGE, 0, DUMP_MAPPED | DUMP_PHYSICAL | DUMP_WRITE);
		at += count * PAGE;
	}
}

/* {"SDMP" or "FDMP", "DUMP", ..., at 32: offset of the first page, pages there, bits; bitmap} */
static void bitmap(struct dump_image *im, size_t head_size)
{
	uint8_t head[56], *bits;
	uint64_t first, count, start = 0, length = 0, at;

	if (!dump_read_exact(im, head_size, head, sizeof(head)) || (memcmp(head, "SDMP", 4) != 0 && memcmp(head, "FDMP", 4) != 0)) {
		dump_problem(im, "the bitmap of pages is missing; pages were read without their addresses");
		return;
	}
	first = get64(head + 32, false);
	count = get64(head + 48, false);
	if (first < head_size + sizeof(head) || count / 8 > DUMP_BITMAP_BYTES_MAX || (count + 7) / 8 > first - head_size - sizeof(head)) {
		dump_problem(im, "a bitmap of %llu pages cannot be; pages were read without their addresses", (unsigned long long)count);
		return;
	}
	dump_add_range(im, head_size, first - head_size, 0, 0, DUMP_STRUCT);
	bits = malloc((count + 7) / 8 + 1);
	if (!bits || !dump_read_exact(im, head_size + sizeof(head), bits, (count + 7) / 8)) {
		dump_problem(im, "the bitmap of pages cannot be read");
		free(bits);
		return;
	}
	at = first;
	for (uint64_t i = 0; i <= count; i++) {
		bool is_set = i < count && (bits[i / 8] >> i % 8 & 1);

		if (i % 8 == 0 && i + 8 <= count && length == 0 && bits[i / 8] == 0) {
			i += 7;
			continue;
		}
		if (is_set) {
			start = length ? start : i;
			length++;
		} else if (length) {
			dump_add_range(im, at, length * PAGE, start * PAGE, 0, DUMP_MAPPED | DUMP_PHYSICAL | DUMP_WRITE);
			at += length * PAGE;
			length = 0;
		}
	}
	free(bits);
}

static void open_kernel(struct dump_image *im)
{
	uint8_t head[0x2000] = { 0 };
	bool wide;
	size_t size;
	uint32_t type;
	uint64_t required;

	if (!dump_read_exact(im, 0, head, 8))
		return;
	wide = memcmp(head, "PAGEDU64", 8) == 0;
	size = wide ? 0x2000 : 0x1000;
	im->word = wide ? 8 : 4;
	im->page_list = true;
	if (!dump_read_exact(im, 0, head, size)) {
		dump_problem(im, "the file ends inside its header");
		dump_add_hole(im, im->size, size - im->size, "header of a kernel dump");
		return;
	}
	dump_add_range(im, 0, size, 0, 0, DUMP_STRUCT);
	type = get32(head + (wide ? 0xf98 : 0xf88), false);
	required = get64(head + 0xfa0, false);
	switch (type) {
	case TYPE_FULL:
		runs(im, head, size, wide);
		break;
	case TYPE_BITMAP_FULL:
	case TYPE_BITMAP_KERNEL:
	case TYPE_KERNEL:
		if (wide)
			bitmap(im, size);
		break;
	case TYPE_HEADER:
	case TYPE_SMALL:
		break;
	default:
		dump_problem(im, "the header names a kind of kernel dump that there is not (%u): its pages were read without their addresses", type);
		break;
	}
	/* the header has the size of the whole file; in old dumps it is not set */
	if (required > im->size && required != UINT64_C(0x4547415045474150) && required >> 48 == 0)
		dump_add_hole(im, im->size, required - im->size, "announced by the header, but past the end of the file");
}

const struct dump_format dump_format_format_kernel = {
	.name = "windows-kernel",
	.doc = "memory of a Windows machine: full and bitmap dumps",
	.is = is_kernel,
	.open = open_kernel,
};
