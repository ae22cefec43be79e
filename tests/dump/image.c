/* SPDX-License-Identifier: Apache-2.0 */
#include "image.h"

#include <elf.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t chance(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x * UINT64_C(0x2545f4914f6cdd1d);
}

static void fill_text(struct buf *b, size_t n, uint64_t *x)
{
	static const char *const words[] = { "GET", "/api/v2/users", "INFO", "connection", "the", "session", "key", "2026-03-01T12:00:00Z", "private", "of", "certificate", "ok",
		"0x7ffd1234", "200", "{\"id\":", "\"name\":\"ann\"}", "3f2504e0-4f89-11d3-9a0c-0305e82c3301", "----", "RSA", "BEGIN", "end", "d41d8cd98f00b204e9800998ecf8427e" };
	for (size_t end = b->n + n; b->n < end;) {
		buf_add_cstr(b, words[chance(x) % (sizeof words / sizeof words[0])]);
		buf_add_char(b, chance(x) % 9 ? ' ' : '\n');
		if (b->n > end)
			b->n = end;
	}
}

static void fill(struct buf *b, size_t n, const struct buf *code, uint64_t *x)
{
	size_t end = b->n + n;
	while (b->n < end) {
		size_t part = 4096 * (1 + chance(x) % 16);
		part = part < end - b->n ? part : end - b->n;
		unsigned kind = chance(x) % 20;
		if (!buf_reserve(b, part + 1024))
			return;
		if (kind < 8) {
			memset(b->p + b->n, 0, part);
			b->n += part;
		} else if (kind < 13 && code->n > part) {
			buf_add(b, code->p + chance(x) % (code->n - part), part);
		} else if (kind < 16) {
			fill_text(b, part, x);
		} else if (kind < 18) {
			for (size_t i = 0; i < part; i += 8) { /* a heap: pointers, small numbers, zeros */
				uint64_t word = chance(x) % 3 == 0 ? IMAGE_VA + (chance(x) & 0xfffff8) : chance(x) % 3 == 0 ? chance(x) & 0xffff : 0;
				buf_add(b, &word, part - i < 8 ? part - i : 8);
			}
		} else {
			for (size_t i = 0; i < part; i += 8) {
				uint64_t word = chance(x);
				buf_add(b, &word, part - i < 8 ? part - i : 8);
			}
		}
	}
}

static bool read_file(struct buf *b, const char *path)
{
	FILE *f = path ? fopen(path, "rb") : NULL;
	char piece[65536];
	size_t n;
	if (!f)
		return false;
	while ((n = fread(piece, 1, sizeof piece, f)) > 0 && b->n < ((size_t)16 << 20))
		buf_add(b, piece, n);
	fclose(f);
	return true;
}

static void elf_head(struct buf *b, size_t size)
{
	Elf64_Ehdr e = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT }, .e_type = ET_CORE, .e_machine = EM_X86_64, .e_version = 1,
		         .e_phoff = sizeof e, .e_ehsize = sizeof e, .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 2 };
	size_t half = size / 8192 * 4096;
	Elf64_Phdr p[2] = {
		{ .p_type = PT_LOAD, .p_flags = PF_R | PF_W, .p_offset = IMAGE_HEAD, .p_vaddr = IMAGE_VA, .p_filesz = half, .p_memsz = half, .p_align = 4096 },
		{ .p_type = PT_LOAD, .p_flags = PF_R | PF_W, .p_offset = IMAGE_HEAD + half, .p_vaddr = IMAGE_VA + half, .p_filesz = size - half, .p_memsz = size - half, .p_align = 4096 },
	};
	buf_add(b, &e, sizeof e);
	buf_add(b, p, sizeof p);
	while (b->n < IMAGE_HEAD)
		buf_add_char(b, 0);
}

bool image_make(struct image *im, size_t size, const char *code_path, uint64_t seed)
{
	uint64_t x = seed * 2 + 0x9e3779b97f4a7c15;
	size_t total = plants_n + decoys_n, slot = size / total / 4096 * 4096;
	struct buf code, form;

	memset(im, 0, sizeof *im);
	buf_init(&im->bytes, size + (16 << 20));
	buf_init(&code, 32 << 20);
	buf_init(&form, 1 << 20);
	im->planted = calloc(total, sizeof *im->planted);
	im->n = total;
	if (!im->planted || slot < 32768)
		return false;
	(void)read_file(&code, code_path);
	elf_head(&im->bytes, size);
	for (size_t i = 0; i < total; i++) {
		struct planted *p = &im->planted[i];
		size_t begin = IMAGE_HEAD + i * slot, at = begin + 64 + 16 * (chance(&x) % ((slot - 20000) / 16));
		/* decoys between the forms */
		size_t decoy = i % (total / decoys_n) == 0 ? i / (total / decoys_n) : decoys_n;
		buf_clear(&form);
		fill(&im->bytes, at - 16 - im->bytes.n, &code, &x);
		while (im->bytes.n < at)
			buf_add_char(&im->bytes, 0);
		bool ok;
		if (decoy < decoys_n) {
			p->name = decoys[decoy].name;
			ok = decoys[decoy].write(&form);
		} else {
			size_t before = i / (total / decoys_n) + 1;
			before = before < decoys_n ? before : decoys_n;
			p->plant = &plants[i - before];
			p->name = p->plant->name;
			p->key = plant_key(p->plant->key);
			ok = (!p->plant->key || p->key) && p->plant->write(&form, p->key, IMAGE_VA + at - IMAGE_HEAD);
			if (p->key)
				ok = plant_spki(p->key, p->spki) && ok;
		}
		p->offset = at;
		p->length = form.n;
		buf_add(&im->bytes, form.p, form.n);
		buf_add(&im->bytes, "\0\0\0\0\0\0\0\0", 8);
		if (!ok || buf_failed(&form))
			return false;
	}
	fill(&im->bytes, IMAGE_HEAD + size - im->bytes.n, &code, &x);
	buf_release(&code);
	buf_release(&form);
	return !buf_failed(&im->bytes) && im->bytes.n == IMAGE_HEAD + size;
}

void image_release(struct image *im)
{
	for (size_t i = 0; im->planted && i < im->n; i++)
		EVP_PKEY_free(im->planted[i].key);
	free(im->planted);
	buf_release(&im->bytes);
}
