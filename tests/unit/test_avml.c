/* SPDX-License-Identifier: Apache-2.0 */
/* test_avml: a packed AVML file reads as the LiME file it was packed from, in pieces of any size from anywhere; every cut or change
 * is reported.  The writer here packs with Debian's snappy and shares no code with the reader. */
#include <snappy-c.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/limits.h"
#include "dump/dump.h"

#include "chance.h"
#include "check.h"

static void little(struct buf *b, uint64_t x, int n)
{
	for (int i = 0; i < n; i++)
		buf_add_char(b, (char)(x >> 8 * i));
}

/* RFC 3720's CRC, bit by bit, and the frames' mask */
static uint32_t checksum(const char *p, size_t n)
{
	uint32_t c = ~0U;

	for (size_t i = 0; i < 8 * n; i++) {
		uint32_t bit = ((uint8_t)p[i / 8] >> i % 8 & 1) ^ (c & 1);

		c = c >> 1 ^ (bit ? 0x82f63b78U : 0);
	}
	c = ~c;
	return (c >> 15 | c << 17) + 0xa282ead8U;
}

static void frame(struct buf *b, uint8_t type, const char *data, size_t n)
{
	char packed[80000];
	size_t size = sizeof(packed);

	if (type == 0 && snappy_compress(data, n, packed, &size) != SNAPPY_OK)
		abort();
	little(b, type, 1);
	little(b, 4 + (type ? n : size), 3);
	little(b, checksum(data, n), 4);
	buf_add(b, type ? data : packed, type ? n : size);
}

static void segment(struct buf *avml, struct buf *lime, uint64_t first, const char *data, size_t n, size_t piece)
{
	size_t begin;

	for (int k = 0; k < 2; k++) {
		struct buf *b = k ? lime : avml;

		buf_add(b, k ? "EMiL" : "AVML", 4);
		little(b, k ? 1 : 2, 4);
		little(b, first, 8);
		little(b, first + n - 1, 8);
		little(b, 0, 8);
	}
	buf_add(lime, data, n);
	begin = avml->n;
	buf_add(avml, "\xff\x06\0\0sNaPpY", 10);
	for (size_t at = 0; at < n; at += piece) {
		if (at / piece == 1)
			buf_add(avml, "\xfe\x03\0\0abc", 7); /* padding */
		frame(avml, at / piece % 5 == 4, data + at, n - at < piece ? n - at : piece);
	}
	little(avml, avml->n - begin, 8);
}

static struct dump_reader *open_bytes(const char *p, size_t n)
{
	struct dump_reader *base = dump_reader_memory(p, n);

	return base && dump_is_avml(base) ? dump_reader_avml(base) : base;
}

/* Reads all of it; true: the same as `want`, as far as it goes, and broken if that is not everything. */
static bool is_honest(const char *p, size_t n, const struct buf *want, char *room)
{
	struct dump_reader *r = open_bytes(p, n);
	size_t got = r && r->size <= want->n ? r->read(r, 0, room, (size_t)r->size) : 0;
	bool ok = r && (r->broken || (r->size == want->n && got == want->n)) && memcmp(room, want->p, got) == 0;

	dump_reader_free(r);
	return ok;
}

int main(void)
{
	struct buf avml, lime;
	char *data = malloc(700000), *room = malloc(2 << 20), *damaged;
	struct dump_reader *r;
	size_t bad = 0, silent = 0;

	buf_init(&avml, 8 * MIB);
	buf_init(&lime, 8 * MIB);
	for (size_t i = 0; i < 700000; i++)
		data[i] = i / 4096 % 3 ? "the same again "[i % 15] : (char)(chance() >> 40);
	segment(&avml, &lime, 0x1000, data, 69632, 65536);
	segment(&avml, &lime, 0x100000, data + 1000, 4096, 4096);
	segment(&avml, &lime, 0x200000, data + 3, 540672, 2048); /* many frames: more than one remembered place */
	r = open_bytes(avml.p, avml.n);
	CHECK_MSG(r && !r->broken && r->size == lime.n && avml.n < lime.n, "%s", r ? r->error : "no reader");
	CHECK(r && r->read(r, 0, room, 2 << 20) == lime.n && memcmp(room, lime.p, lime.n) == 0);
	for (int i = 0; i < 3000 && r; i++) {
		size_t at = chance() % (lime.n + 10), n = i % 3 ? chance() % 300 : chance() % 200000, there = at < lime.n ? lime.n - at : 0;

		bad += r->read(r, at, room, n) != (n < there ? n : there) || (there && memcmp(room, lime.p + at, n < there ? n : there) != 0);
	}
	CHECK_MSG(bad == 0, "%zu reads went wrong", bad);
	struct dump_image *im = r ? dump_image_open(r, "x") : NULL;
	uint64_t offset, left;
	CHECK(im && im->format && strcmp(im->format->name, "lime") == 0 && im->problems.n == 0);
	CHECK(im && dump_va_to_offset(im, 0x200000, &offset, &left) && left == 540672 && offset == lime.n - 540672);
	dump_image_free(im);
	dump_reader_free(r);

	/* cut anywhere but between two segments */
	for (size_t n = 8; n < avml.n; n += n < 200 || n > avml.n - 200 ? 1 : 1 + chance() % 700)
		silent += !is_honest(avml.p, n, &lime, room) ? 1 : 0;
	CHECK_MSG(silent == 0, "%zu cuts went unnoticed", silent);
	/* one byte changed: reported, or of no consequence (padding, the names of streams, addresses that agree) */
	silent = 0;
	damaged = malloc(avml.n);
	for (int i = 0; i < 2000; i++) {
		size_t at = 8 + chance() % (avml.n - 8);

		memcpy(damaged, avml.p, avml.n);
		damaged[at] ^= (char)(1 << chance() % 8);
		r = open_bytes(damaged, avml.n);
		size_t got = r && r->size <= 2 << 20 ? r->read(r, 0, room, (size_t)r->size) : 0;
		bool same = got == lime.n && memcmp(room, lime.p, lime.n) == 0;
		/* a head's address cannot be checked */
		silent += r && !r->broken && !same && !(got == lime.n && memcmp(room + 40, lime.p + 40, 60000) == 0);
		dump_reader_free(r);
	}
	CHECK_MSG(silent == 0, "%zu changes went unnoticed", silent);
	/* false heads */
	static const uint8_t lies[][48] = {
		{ 'A', 'V', 'M', 'L', 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255 },
		{ 'A', 'V', 'M', 'L', 2, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 1 },
		{ 'A', 'V', 'M', 'L', 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255 },
		{ 'A', 'V', 'M', 'L', 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 15 },
	};
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		r = open_bytes((const char *)lies[i], sizeof(lies[i]));
		CHECK_MSG(r && r->broken && r->error[0] && r->size <= 32, "lie %zu", i);
		dump_reader_free(r);
	}
	free(damaged);
	free(data);
	free(room);
	buf_release(&avml);
	buf_release(&lime);
	return check_summary();
}
