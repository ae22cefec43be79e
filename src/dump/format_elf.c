/* SPDX-License-Identifier: Apache-2.0 */
/* ELF cores: 32 and 64 bit, either byte order, from the kernel, gdb's gcore, QEMU, VirtualBox.
 *
 * Easy to get wrong: more than 65534 segments (e_phnum is 0xffff, the count is in sh_info of section 0); segments
 * whose p_filesz is below p_memsz (left out by the writer on purpose, which is no damage); registers in the notes, which may
 * hold limbs of a key; the table of section headers that gcore writes last, whose absence shows that a file was cut. */
#include <elf.h>
#include <stdlib.h>

#include "base/limits.h"
#include "dump/bytes.h"
#include "dump/dump.h"

#define TABLE_BYTES (64 * KIB) /* of program headers read at once */
#define NAME_CHUNK 4096

struct load {
	uint64_t offset, filesz, va;
	uint32_t flags, name;
};

struct elf {
	struct dump_image *im;
	bool wide, big;
	struct load *loads;
	size_t n_loads, capacity;
	uint64_t note_bytes;
	uint64_t physical;     /* loads with an address in p_paddr alone */
	unsigned notes;
};

extern const struct dump_format dump_format_format_elf;

static bool is_elf(const uint8_t *p, size_t n)
{
	if (n < 20 || memcmp(p, ELFMAG, SELFMAG) != 0 || (p[EI_CLASS] != ELFCLASS32 && p[EI_CLASS] != ELFCLASS64) ||
	    (p[EI_DATA] != ELFDATA2LSB && p[EI_DATA] != ELFDATA2MSB))
		return false;
	return get16(p + 16, p[EI_DATA] == ELFDATA2MSB) == ET_CORE;
}

static uint64_t word(const struct elf *e, const uint8_t *p) { return e->wide ? get64(p, e->big) : get32(p, e->big); }

/* NT_FILE: which file each mapping came from.  Gives its name to the loads that begin at those addresses. */
static void file_note(struct elf *e, const uint8_t *p, size_t n)
{
	const size_t w = e->wide ? 8 : 4;
	uint64_t count, names;

	if (n < 2 * w)
		return;
	count = word(e, p);
	if (count > (n - 2 * w) / (3 * w))
		return;
	names = 2 * w + count * 3 * w;
	for (uint64_t i = 0, at = names; i < count && at < n; i++) {
		const uint8_t *row = p + 2 * w + i * 3 * w, *end = memchr(p + at, 0, n - at);
		size_t length = end ? (size_t)(end - (p + at)) : (size_t)(n - at);
		uint64_t from = word(e, row), to = word(e, row + w);
		size_t low = 0, high = e->n_loads;
		uint32_t name;

		while (low < high) { /* loads are sorted by address by now */
			size_t mid = low + (high - low) / 2;

			if (e->loads[mid].va < from)
				low = mid + 1;
			else
				high = mid;
		}
		name = low < e->n_loads && e->loads[low].va < to ? dump_add_name(e->im, (struct str){ (const char *)p + at, length }) : 0;
		for (; low < e->n_loads && e->loads[low].va < to; low++)
			e->loads[low].name = name;
		at += length + 1;
	}
}

static void process_note(struct elf *e, const uint8_t *p, size_t n)
{
	size_t at = e->wide ? 40 : 28, length;

	if (n < at + 16 || e->im->process[0])
		return;
	length = strnlen((const char *)p + at, 16);
	memcpy(e->im->process, p + at, length);
	e->im->process[length] = '\0';
}

static void notes(struct elf *e, uint64_t offset, uint64_t filesz)
{
	struct dump_image *im = e->im;
	uint64_t there = offset < im->size ? im->size - offset : 0, at = 0;
	uint8_t *p;

	if (filesz > there) {
		dump_add_hole(im, offset + there, filesz - there, "notes that are declared, but past the end of the file");
		filesz = there;
	}
	if (filesz > DUMP_NOTES_BYTES_MAX - e->note_bytes) {
		dump_problem(im, "more than %zu MB of notes; the rest was read as plain bytes", DUMP_NOTES_BYTES_MAX / MIB);
		return;
	}
	e->note_bytes += filesz;
	p = malloc(filesz ? filesz : 1);
	if (!p || !dump_read_exact(im, offset, p, filesz)) {
		free(p);
		return;
	}
	while (filesz - at >= 12) {
		uint64_t name = get32(p + at, e->big), desc = get32(p + at + 4, e->big), type = get32(p + at + 8, e->big);
		uint64_t name_at = at + 12, desc_at = name_at + ((name + 3) & ~UINT64_C(3));

		if (name == 0 && desc == 0 && type == 0) /* padding */
			break;
		if (desc_at > filesz || desc > filesz - desc_at) {
			dump_problem(im, "a note at offset %llu is longer than its segment", (unsigned long long)offset + at);
			break;
		}
		dump_add_range(im, offset + at, desc_at - at, 0, 0, DUMP_STRUCT);
		dump_add_range(im, offset + desc_at, desc, 0, 0, DUMP_NOTE);
		if (type == NT_FILE)
			file_note(e, p + desc_at, desc);
		else if (type == NT_PRPSINFO)
			process_note(e, p + desc_at, desc);
		at = desc_at + ((desc + 3) & ~UINT64_C(3));
		if (at > filesz)
			break;
	}
	free(p);
}

static int compare_loads(const void *a, const void *b)
{
	const struct load *x = a, *y = b;

	if (x->va != y->va)
		return x->va < y->va ? -1 : 1;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static bool add_load(struct elf *e, const struct load *l)
{
	if (e->n_loads == e->capacity) {
		size_t capacity = e->capacity ? e->capacity * 2 : 256;
		struct load *bigger = capacity <= 2 * DUMP_RANGES_MAX ? realloc(e->loads, capacity * sizeof(*bigger)) : NULL;

		if (!bigger)
			return false;
		e->loads = bigger;
		e->capacity = capacity;
	}
	e->loads[e->n_loads++] = *l;
	return true;
}

struct note_place { uint64_t offset, filesz; };

static void segments(struct elf *e, uint64_t phoff, uint64_t count, uint16_t size)
{
	struct dump_image *im = e->im;
	const uint16_t least = e->wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	struct note_place places[64];
	unsigned n_places = 0;
	uint64_t zero_va = 0;
	uint8_t *p;

	if (size < least) {
		dump_problem(im, "program headers of %u bytes; at least %u were expected", size, least);
		return;
	}
	if (phoff > im->size || count > (im->size - phoff) / size) {
		uint64_t fit = phoff > im->size ? 0 : (im->size - phoff) / size;

		dump_problem(im, "%llu of %llu program headers lie past the end of the file", (unsigned long long)(count - fit),
		             (unsigned long long)count);
		dump_add_hole(im, phoff + fit * size, (count - fit) > UINT64_MAX / size / 2 ? UINT64_MAX / 2 : (count - fit) * size,
		              "program headers, past the end of the file");
		count = fit;
	}
	if (count > DUMP_RANGES_MAX) {
		dump_problem(im, "more than %d segments; the rest was read as plain bytes", DUMP_RANGES_MAX);
		count = DUMP_RANGES_MAX;
	}
	dump_add_range(im, phoff, count * size, 0, 0, DUMP_STRUCT);
	p = malloc(TABLE_BYTES + size);
	if (!p)
		return;
	for (uint64_t i = 0, in_table = TABLE_BYTES / size ? TABLE_BYTES / size : 1, table_at = 0, held = 0; i < count; i++) {
		const uint8_t *h;
		uint32_t type, flags;
		uint64_t offset, va, pa, filesz, memsz;

		if (i == table_at + held) {
			table_at = i;
			held = count - i < in_table ? count - i : in_table;
			if (!dump_read_exact(im, phoff + i * size, p, held * size)) {
				dump_problem(im, "the program headers cannot be read");
				break;
			}
		}
		h = p + (i - table_at) * size;
		type = get32(h, e->big);
		flags = get32(h + (e->wide ? 4 : 24), e->big);
		offset = word(e, h + (e->wide ? 8 : 4));
		va = word(e, h + (e->wide ? 16 : 8));
		pa = word(e, h + (e->wide ? 24 : 12));
		filesz = word(e, h + (e->wide ? 32 : 16));
		memsz = word(e, h + (e->wide ? 40 : 20));
		if (type == PT_LOAD && memsz > filesz && memsz - filesz <= UINT64_MAX - im->not_dumped)
			im->not_dumped += memsz - filesz;
		if (type == PT_NOTE && n_places < sizeof(places) / sizeof(places[0])) {
			places[n_places++] = (struct note_place){ offset, filesz };
		} else if (type == PT_LOAD && filesz) {
			struct load l = { .offset = offset, .filesz = filesz, .va = va, .flags = DUMP_MAPPED };

			l.flags |= (flags & PF_W ? DUMP_WRITE : 0u) | (flags & PF_X ? DUMP_EXEC : 0u);
			/* a machine's memory: QEMU and VirtualBox give physical addresses and leave the virtual ones zero */
			zero_va += va == 0;
			if (va == 0 && (pa || zero_va > 1)) {
				l.va = pa;
				l.flags |= DUMP_PHYSICAL;
			}
			if (!add_load(e, &l))
				dump_add_hole(im, offset, filesz, "too many segments");
		}
	}
	free(p);
	if (e->n_loads)
		qsort(e->loads, e->n_loads, sizeof(*e->loads), compare_loads);
	for (unsigned i = 0; i < n_places; i++)
		notes(e, places[i].offset, places[i].filesz);
	for (size_t i = 0; i < e->n_loads; i++)
		dump_add_range(im, e->loads[i].offset, e->loads[i].filesz, e->loads[i].va, e->loads[i].name, e->loads[i].flags);
}

static void open_elf(struct dump_image *im)
{
	struct elf e = { .im = im };
	uint8_t head[sizeof(Elf64_Ehdr)], section[sizeof(Elf64_Shdr)];
	size_t head_size, section_size;
	uint64_t phoff, shoff, count, sections;
	uint16_t phentsize, shentsize;

	if (!dump_read_exact(im, 0, head, 20))
		return;
	e.wide = head[EI_CLASS] == ELFCLASS64;
	e.big = head[EI_DATA] == ELFDATA2MSB;
	im->word = e.wide ? 8 : 4;
	im->big_endian = e.big;
	head_size = e.wide ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr);
	section_size = e.wide ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
	if (!dump_read_exact(im, 0, head, head_size)) {
		dump_problem(im, "the file ends inside its ELF header");
		dump_add_hole(im, im->size, head_size - im->size, "ELF header");
		return;
	}
	phoff = word(&e, head + (e.wide ? 32 : 28));
	shoff = word(&e, head + (e.wide ? 40 : 32));
	phentsize = get16(head + (e.wide ? 54 : 42), e.big);
	count = get16(head + (e.wide ? 56 : 44), e.big);
	shentsize = get16(head + (e.wide ? 58 : 46), e.big);
	sections = get16(head + (e.wide ? 60 : 48), e.big);
	dump_add_range(im, 0, head_size, 0, 0, DUMP_STRUCT);
	if (shoff && (sections || count == PN_XNUM)) {
		if (!dump_read_exact(im, shoff, section, section_size)) {
			dump_problem(im, "the section headers lie past the end of the file");
			dump_add_hole(im, shoff > im->size ? shoff : im->size, section_size, "section headers, past the end of the file");
			if (count == PN_XNUM)
				count = 0;
		} else if (count == PN_XNUM) {
			count = get32(section + (e.wide ? 44 : 28), e.big);
			sections = sections ? sections : 1;
		}
	} else if (count == PN_XNUM) {
		dump_problem(im, "65535 segments or more, but no section header that gives their number");
		count = PN_XNUM;
	}
	if (sections && shoff && shentsize)
		dump_add_range(im, shoff, sections * shentsize, 0, 0, DUMP_STRUCT);
	if (count == 0)
		dump_problem(im, "a core without segments");
	segments(&e, phoff, count, phentsize);
	free(e.loads);
}

const struct dump_format dump_format_format_elf = {
	.name = "elf-core",
	.doc = "ELF core: of a process (kernel, gcore, systemd-coredump) or a machine (QEMU, VirtualBox)",
	.is = is_elf,
	.open = open_elf,
};
