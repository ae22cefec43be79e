/* SPDX-License-Identifier: Apache-2.0 */
/* minidumps: Windows (MemoryList and Memory64List), Breakpad, Crashpad.
 *
 * A header, a directory of streams, and references everywhere: {size, offset} from the file's start.  No field gives the size of
 * the file, so a cut file is recognised by its references: each that leads past the end is a hole.  Thread
 * contexts hold registers, Breakpad's extra streams hold the command line and the environment: they are notes, scanned like
 * memory.
 *
 * Easy to get wrong: some writers put four bytes of padding after the count of a list; Memory64List has one offset for
 * all its ranges, which follow each other; stacks are in ThreadList and in MemoryList, twice the same bytes; nothing enforces
 * the checksum. */
#include <stdlib.h>

#include "base/limits.h"
#include "dump/bytes.h"
#include "dump/dump.h"

#define NAME_BYTES_MAX_16 1024

enum stream_type {
	THREAD_LIST = 3, MODULE_LIST = 4, MEMORY_LIST = 5, EXCEPTION = 6, SYSTEM_INFO = 7, MEMORY64_LIST = 9, HANDLES = 12,
	UNLOADED = 14, MEMORY_INFO = 16, THREAD_NAMES = 24,
	BREAKPAD_FIRST = 0x47670001, BREAKPAD_LAST = 0x4767000f, CRASHPAD = 0x43500001,
};

struct module { uint64_t base, size; uint32_t name; };
struct region { uint64_t base, size; uint32_t flags; };

struct minidump {
	struct dump_image *im;
	struct module *modules;
	size_t n_modules;
	struct region *regions;
	size_t n_regions;
};

extern const struct dump_format dump_format_format_minidump;

static bool is_minidump(const uint8_t *p, size_t n) { return n >= 8 && memcmp(p, "MDMP", 4) == 0 && get16(p + 4, false) == 0xa793; }

/* Bytes that something refers to and that are not read here: they must be there. */
static void expect(struct dump_image *im, uint64_t size, uint64_t offset, uint32_t flags)
{
	if (size && offset)
		dump_add_range(im, offset, size, 0, 0, flags);
}

/* A whole stream in memory; NULL: it is not there, or too large, or memory is gone. */
static uint8_t *read_stream(struct dump_image *im, uint64_t offset, uint64_t size)
{
	uint8_t *p;

	if (size > DUMP_LIST_BYTES_MAX) {
		dump_problem(im, "a list of %llu bytes at offset %llu is too long to be believed; its bytes were read as they are",
		             (unsigned long long)size, (unsigned long long)offset);
		return NULL;
	}
	p = malloc(size ? size : 1);
	if (p && !dump_read_exact(im, offset, p, size)) {
		free(p);
		p = NULL;
	}
	return p;
}

/* A list: count, perhaps four bytes of padding, entries.  *ret_first = where they begin; the number that fit. */
static size_t list_of(struct dump_image *im, const uint8_t *p, uint64_t size, size_t entry, uint64_t offset, size_t *ret_first)
{
	uint64_t count;

	if (size < 4)
		return 0;
	count = get32(p, false);
	*ret_first = 4 + count * entry + 4 == size ? 8 : 4;
	if (count > (size - *ret_first) / entry) {
		uint64_t fit = size < *ret_first ? 0 : (size - *ret_first) / entry;

		dump_problem(im, "the list at offset %llu says it has %llu entries; %llu fit", (unsigned long long)offset,
		             (unsigned long long)count, (unsigned long long)fit);
		count = fit;
	}
	return (size_t)count;
}

/* A text: u32 bytes, UTF-16.  As ASCII with '?' for the rest, which is enough for names of modules. */
static size_t text_at(struct dump_image *im, uint64_t offset, char *out, size_t capacity)
{
	uint8_t head[4], units[NAME_BYTES_MAX_16];
	uint64_t bytes;
	size_t n = 0;

	if (offset == 0)
		return 0;
	if (!dump_read_exact(im, offset, head, 4)) {
		expect(im, 4, offset, DUMP_STRUCT);
		return 0;
	}
	bytes = get32(head, false);
	expect(im, bytes + 4, offset, DUMP_STRUCT);
	if (bytes > sizeof(units))
		bytes = sizeof(units);
	if (!dump_read_exact(im, offset + 4, units, bytes))
		return 0;
	for (size_t i = 0; i + 1 < bytes && n + 1 < capacity; i += 2) {
		uint16_t c = get16(units + i, false);

		if (c == 0)
			break;
		out[n++] = c < 0x80 ? (char)c : '?';
	}
	out[n] = '\0';
	return n;
}

static int compare_modules(const void *a, const void *b)
{
	const struct module *x = a, *y = b;

	return x->base < y->base ? -1 : x->base > y->base;
}

static int compare_regions(const void *a, const void *b)
{
	const struct region *x = a, *y = b;

	return x->base < y->base ? -1 : x->base > y->base;
}

static void modules(struct minidump *m, uint64_t offset, uint64_t size)
{
	struct dump_image *im = m->im;
	uint8_t *p = m->modules ? NULL : read_stream(im, offset, size);
	size_t first = 0, n = p ? list_of(im, p, size, 108, offset, &first) : 0;

	m->modules = n ? calloc(n, sizeof(*m->modules)) : NULL;
	for (size_t i = 0; m->modules && i < n; i++) {
		const uint8_t *e = p + first + i * 108;
		char name[512] = "";
		const char *base, *slash, *back;
		size_t length = text_at(im, get32(e + 20, false), name, sizeof(name));

		slash = strrchr(name, '/');
		back = strrchr(name, '\\');
		base = slash && (!back || slash > back) ? slash + 1 : back ? back + 1 : name;
		if (i == 0) {
			size_t keep = strlen(base);

			keep = keep < sizeof(im->process) - 1 ? keep : sizeof(im->process) - 1;
			memcpy(im->process, base, keep);
			im->process[keep] = '\0';
		}
		if (str_eq_nocase(str_of(base), STR("lsass.exe")) || str_eq_nocase(str_of(base), STR("lsasrv.dll")))
			im->credential_store = true;
		m->modules[m->n_modules++] = (struct module){ get64(e, false), get32(e + 8, false),
			                                      dump_add_name(im, (struct str){ name, length }) };
		expect(im, get32(e + 76, false), get32(e + 80, false), DUMP_STRUCT);
		expect(im, get32(e + 84, false), get32(e + 88, false), DUMP_STRUCT);
	}
	if (m->n_modules)
		qsort(m->modules, m->n_modules, sizeof(*m->modules), compare_modules);
	free(p);
}

static void regions(struct minidump *m, uint64_t offset, uint64_t size)
{
	uint8_t *p = m->regions || size < 16 ? NULL : read_stream(m->im, offset, size);
	uint64_t head = p ? get32(p, false) : 0, entry = p ? get32(p + 4, false) : 0, n = p ? get64(p + 8, false) : 0;

	if (p && (head < 16 || head > size || entry < 40 || n > (size - head) / entry)) {
		dump_problem(m->im, "the list of memory regions at offset %llu is longer than its stream", (unsigned long long)offset);
		n = 0;
	}
	m->regions = n ? calloc(n, sizeof(*m->regions)) : NULL;
	for (uint64_t i = 0; m->regions && i < n; i++) {
		const uint8_t *e = p + head + i * entry;
		uint32_t protect = get32(e + 36, false);
		struct region r = { get64(e, false), get64(e + 24, false), 0 };

		r.flags |= protect & 0xcc ? DUMP_WRITE : 0u; /* read-write, copy on write, and their executable forms */
		r.flags |= protect & 0xf0 ? DUMP_EXEC : 0u;
		m->regions[m->n_regions++] = r;
	}
	if (m->n_regions)
		qsort(m->regions, m->n_regions, sizeof(*m->regions), compare_regions);
	free(p);
}

/* Adds memory, with the name and the rights that the other lists know for its address. */
static void memory(const struct minidump *m, uint64_t va, uint64_t size, uint64_t offset, uint32_t flags)
{
	uint32_t name = 0;
	size_t low = 0, high = m->n_modules;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (m->modules[mid].base <= va)
			low = mid + 1;
		else
			high = mid;
	}
	if (low && va - m->modules[low - 1].base < m->modules[low - 1].size)
		name = m->modules[low - 1].name;
	low = 0;
	high = m->n_regions;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (m->regions[mid].base <= va)
			low = mid + 1;
		else
			high = mid;
	}
	if (low && va - m->regions[low - 1].base < m->regions[low - 1].size)
		flags |= m->regions[low - 1].flags;
	else
		flags |= DUMP_WRITE; /* unknown: assume writable */
	dump_add_range(m->im, offset, size, va, name, flags | DUMP_MAPPED);
}

static void memory_list(struct minidump *m, uint64_t offset, uint64_t size)
{
	uint8_t *p = read_stream(m->im, offset, size);
	size_t first = 0, n = p ? list_of(m->im, p, size, 16, offset, &first) : 0;

	for (size_t i = 0; i < n; i++) {
		const uint8_t *e = p + first + i * 16;

		memory(m, get64(e, false), get32(e + 8, false), get32(e + 12, false), 0);
	}
	free(p);
}

static void memory64_list(struct minidump *m, uint64_t offset, uint64_t size)
{
	uint8_t *p = size < 16 ? NULL : read_stream(m->im, offset, size);
	uint64_t n = p ? get64(p, false) : 0, at = p ? get64(p + 8, false) : 0;

	if (n > (size - 16) / 16 && p) {
		dump_problem(m->im, "the list of memory at offset %llu says it has %llu entries; %llu fit", (unsigned long long)offset,
		             (unsigned long long)n, (unsigned long long)(size - 16) / 16);
		n = (size - 16) / 16;
	}
	for (uint64_t i = 0; i < n; i++) {
		uint64_t length = get64(p + 16 + 16 * i + 8, false);

		memory(m, get64(p + 16 + 16 * i, false), length, at, 0);
		if (length > UINT64_MAX - at) {
			dump_problem(m->im, "the list of memory at offset %llu wraps round the end of the file", (unsigned long long)offset);
			break;
		}
		at += length;
	}
	free(p);
}

static void threads(struct minidump *m, uint64_t offset, uint64_t size)
{
	uint8_t *p = read_stream(m->im, offset, size);
	size_t first = 0, n = p ? list_of(m->im, p, size, 48, offset, &first) : 0;

	for (size_t i = 0; i < n; i++) {
		const uint8_t *e = p + first + i * 48;

		if (get32(e + 32, false) && get32(e + 36, false))
			memory(m, get64(e + 24, false), get32(e + 32, false), get32(e + 36, false), DUMP_STACK);
		expect(m->im, get32(e + 40, false), get32(e + 44, false), DUMP_NOTE);
	}
	free(p);
}

/* Lists that only hold references to texts: {head, entry, count} and where in an entry the offsets are. */
static void texts(struct minidump *m, uint64_t offset, uint64_t size, size_t first_text, size_t second_text)
{
	uint8_t *p = size < 12 ? NULL : read_stream(m->im, offset, size);
	uint64_t head = p ? get32(p, false) : 0, entry = p ? get32(p + 4, false) : 0, n = p ? get32(p + 8, false) : 0;
	char ignored[8];

	if (p && (head < 12 || head > size || entry < first_text + 4 || entry < second_text + 4 || n > (size - head) / entry)) {
		dump_problem(m->im, "the list at offset %llu is longer than its stream", (unsigned long long)offset);
		n = 0;
	}
	for (uint64_t i = 0; i < n; i++) {
		(void)text_at(m->im, get32(p + head + i * entry + first_text, false), ignored, sizeof(ignored));
		if (second_text)
			(void)text_at(m->im, get32(p + head + i * entry + second_text, false), ignored, sizeof(ignored));
	}
	free(p);
}

static void thread_names(struct minidump *m, uint64_t offset, uint64_t size)
{
	uint8_t *p = read_stream(m->im, offset, size);
	size_t first = 0, n = p ? list_of(m->im, p, size, 12, offset, &first) : 0;
	char ignored[8];

	for (size_t i = 0; i < n; i++)
		(void)text_at(m->im, get64(p + first + i * 12 + 4, false), ignored, sizeof(ignored));
	free(p);
}

static void system_info(struct minidump *m, uint64_t offset, uint64_t size)
{
	uint8_t p[32];
	char ignored[8];

	if (size < sizeof(p) || !dump_read_exact(m->im, offset, p, sizeof(p)))
		return;
	switch (get16(p, false)) {
	case 9: case 12: case 6: case 0x8002: case 0x8003: case 0x8005: /* amd64, arm64, ia64, ppc64, arm64 of old, mips64 */
		m->im->word = 8;
		break;
	default:
		m->im->word = 4;
	}
	(void)text_at(m->im, get32(p + 24, false), ignored, sizeof(ignored));
}

static void stream(struct minidump *m, uint32_t type, uint64_t offset, uint64_t size, bool first_round)
{
	struct dump_image *im = m->im;
	uint8_t context[8];

	if (first_round) { /* what the others need to know */
		if (type == MODULE_LIST)
			modules(m, offset, size);
		else if (type == MEMORY_INFO)
			regions(m, offset, size);
		else if (type == SYSTEM_INFO)
			system_info(m, offset, size);
		return;
	}
	switch (type) {
	case MEMORY_LIST:
		memory_list(m, offset, size);
		break;
	case MEMORY64_LIST:
		memory64_list(m, offset, size);
		break;
	case THREAD_LIST:
		threads(m, offset, size);
		break;
	case UNLOADED:
		texts(m, offset, size, 20, 0);
		break;
	case HANDLES:
		texts(m, offset, size, 8, 12);
		break;
	case THREAD_NAMES:
		thread_names(m, offset, size);
		break;
	case EXCEPTION:
		if (size >= 168 && dump_read_exact(im, offset + 160, context, 8))
			expect(im, get32(context, false), get32(context + 4, false), DUMP_NOTE);
		break;
	default:
		break;
	}
	dump_add_range(im, offset, size, 0, 0, type >= BREAKPAD_FIRST && type <= BREAKPAD_LAST ? DUMP_NOTE : DUMP_STRUCT);
}

static void open_minidump(struct dump_image *im)
{
	struct minidump m = { .im = im };
	uint8_t head[32], *directory = NULL;
	uint64_t count, at;

	im->word = 8;
	if (!dump_read_exact(im, 0, head, sizeof(head))) {
		dump_problem(im, "the file ends inside its header");
		dump_add_hole(im, im->size, sizeof(head) - im->size, "minidump header");
		return;
	}
	count = get32(head + 8, false);
	at = get32(head + 12, false);
	dump_add_range(im, 0, sizeof(head), 0, 0, DUMP_STRUCT);
	if (count > DUMP_STREAMS_MAX) {
		dump_problem(im, "the directory says it has %llu streams; %d were read", (unsigned long long)count, DUMP_STREAMS_MAX);
		count = DUMP_STREAMS_MAX;
	}
	if (count == 0)
		dump_problem(im, "a minidump without streams");
	dump_add_range(im, at, count * 12, 0, 0, DUMP_STRUCT);
	directory = malloc(count * 12 + 1);
	while (count && directory && !dump_read_exact(im, at, directory, count * 12))
		count--; /* what is missing has become a hole */
	for (int round = 0; round < 2 && directory; round++)
		for (uint64_t i = 0; i < count; i++) {
			const uint8_t *e = directory + 12 * i;

			if (get32(e, false) && get32(e + 4, false))
				stream(&m, get32(e, false), get32(e + 8, false), get32(e + 4, false), round == 0);
		}
	free(directory);
	free(m.modules);
	free(m.regions);
}

const struct dump_format dump_format_format_minidump = {
	.name = "minidump",
	.doc = "minidump of Windows, Breakpad or Crashpad",
	.is = is_minidump,
	.open = open_minidump,
};
