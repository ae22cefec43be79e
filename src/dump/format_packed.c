/* SPDX-License-Identifier: Apache-2.0 */
/* Dumps that are packed inside and are not unpacked here.  Their bytes are scanned as they are, which finds little, and reported as
 * not covered: a packed dump must never be called clean. */
#include "dump/bytes.h"
#include "dump/dump.h"

static const struct {
	const char *magic;
	size_t n;
	const char *what, *remedy;
} packed[] = {
	{ "KDUMP   ", 8, "a makedumpfile dump, packed page by page", "write it again with makedumpfile -E, or without -c, -l, -p and -z" },
	{ "DISKDUMP", 8, "a diskdump, packed page by page", "convert it to an ELF core first" },
	{ "makedumpfile", 12, "a flattened makedumpfile dump", "run makedumpfile -R and write it as ELF with -E" },
	{ "hibr", 4, "a hibernation file, packed", "convert it to a raw image first" },
	{ "HIBR", 4, "a hibernation file, packed", "convert it to a raw image first" },
	{ "QFI\xfb", 4, "a qcow2 image, whose clusters may be packed and lie in any order", "convert it: qemu-img convert -O raw" },
};

extern const struct dump_format dump_format_format_packed;

static bool is_packed(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < sizeof(packed) / sizeof(packed[0]); i++)
		if (n >= 4096 && memcmp(p, packed[i].magic, packed[i].n) == 0)
			return true;
	return false;
}

static void open_packed(struct dump_image *im)
{
	uint8_t head[16];

	if (!dump_read_exact(im, 0, head, sizeof(head)))
		return;
	for (size_t i = 0; i < sizeof(packed) / sizeof(packed[0]); i++) {
		if (memcmp(head, packed[i].magic, packed[i].n) == 0) {
			dump_problem(im, "%s, which is not unpacked; %s", packed[i].what, packed[i].remedy);
			return;
		}
	}
}

const struct dump_format dump_format_format_packed = {
	.name = "packed",
	.doc = "known to be packed inside: makedumpfile, hibernation files, qcow2; not read",
	.is = is_packed,
	.open = open_packed,
};
