/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_frame: any bytes after the head of a long stream whose form is already known, so that they are cut as they come in.
 * Blocks hold the stream's own bytes, in order, none twice, and never more than a record and two reads; the cutter comes to
 * an end; and in pieces of any size, one byte even, the same records, the same rejects and the same words of the export about
 * itself come out.
 *
 * The first byte chooses the form, the second the size of the pieces.  Seeds: what tests/unit/test_decode.c does its damage
 * with. */
#include <stdlib.h>

#include "base/hash.h"
#include "decode/claims.h"
#include "decode/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	uint64_t sum, records;
};

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void take(void *arg, const struct rec *r)
{
	struct seen *s = arg;
	s->sum = hash_mix(s->sum, hash64(r, sizeof *r + r->tail_bytes, 0));
	s->records++;
}

/* a stream of that form, up to where it is recognised, and no record of it unfinished */
static const char *head_of(unsigned form)
{
	static const char *const begins[] = { "{\"a\":1}\n{\"b\":2}\n", "[\n{\"a\":\n1},\n", "x,AuditData,y\n", "x;AuditData;Operation;CreationTime\n" };
	static char heads[4][SNIFF_BYTES + 1];
	char *p = heads[form];
	if (!p[0]) {
		memset(p, form < 2 ? ' ' : '#', SNIFF_BYTES); /* blanks, or a comment */
		memcpy(p, begins[form], strlen(begins[form]));
		p[SNIFF_BYTES - 1] = '\n';
	}
	return p;
}

static struct seen feed(const char *head, const uint8_t *data, size_t size, size_t piece)
{
	static struct frame *f; /* kept: its megabytes would be most of the work */
	static struct decoder *d;
	static struct block b;
	static struct seen s;
	struct decoder_counts counts = { 0 };
	size_t total = SNIFF_BYTES + size, at = 0, room, taken = 0;

	f = f ? f : frame_new();
	d = d ? d : decoder_new(take, &s);
	require(f && d);
	names_release(decoder_names(d)); /* or they would grow without end */
	names_init(decoder_names(d));
	memset(&s, 0, sizeof s);
	frame_begin(f, 0);
	while (at < total) {
		size_t n = at < SNIFF_BYTES ? SNIFF_BYTES : total - at < piece ? total - at : piece;
		char *p = frame_room(f, &room);
		require(p && room >= n);
		memcpy(p, at < SNIFF_BYTES ? head : (const char *)data + at - SNIFF_BYTES, n);
		frame_fill(f, n);
		at += n;
		for (int final = 0; final <= (at == total); final++) {
			while (frame_take(f, final, &b)) {
				require(b.n > 0 && b.n <= RECORD_BYTES_MAX + 2 * READ_CHUNK_BYTES && b.offset >= taken && b.offset + b.n <= total);
				size_t old = b.offset >= SNIFF_BYTES ? 0 : b.n < SNIFF_BYTES - b.offset ? b.n : SNIFF_BYTES - b.offset;
				require(memcmp(b.p, head + b.offset, old) == 0);
				require(b.n == old || memcmp(b.p + old, data + (b.offset + old - SNIFF_BYTES), b.n - old) == 0);
				for (size_t i = 0; i < b.part_count; i++)
					require(b.parts[i].begin <= b.parts[i].end && b.parts[i].end <= b.n && (i == 0 || b.parts[i].begin >= b.parts[i - 1].end));
				taken = b.offset + b.n;
				decoder_run(d, &b, &counts);
			}
		}
	}
	require(!frame_failed(f) && !decoder_failed(d) && counts.records == s.records);
	for (int r = 0; r < REJECT_COUNT; r++)
		s.sum = hash_mix(s.sum, counts.rejects[r]);
	return s;
}

/* what the bytes say of themselves as a stream of pages */
static uint64_t claims_in(const uint8_t *data, size_t size, size_t piece)
{
	struct claims *c = claims_new();
	struct buf b;
	uint64_t sum = 0;

	require(c);
	buf_init(&b, 4 * KIB);
	for (size_t at = 0; at < size; at += piece)
		claims_stream(c, (const char *)data + at, size - at < piece ? size - at : piece);
	struct claim_total total = claims_stream_end(c, true);
	require(total.total >= 0);
	total.holds = 1;
	claims_totals(c, &total, 1);
	for (unsigned i = 0; i < CLAIM_SENTENCES_MAX && claims_sentence(c, i, &b); i++)
		;
	require(!buf_failed(&b));
	sum = hash_str(buf_str(&b), total.mark);
	buf_release(&b);
	claims_free(c);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 3)
		return 0;
	const char *head = head_of(data[0] % 4);
	size_t pieces[3] = { 1, 2 + data[1], READ_CHUNK_BYTES };
	struct seen first = { 0 };
	data += 2;
	size -= 2;
	for (int i = 2; i >= (size < 2000 ? 0 : 1); i--) {
		struct seen s = feed(head, data, size, pieces[i]);
		if (i == 2)
			first = s;
		require(s.records == first.records && s.sum == first.sum);
	}
	const uint64_t claims = claims_in(data, size, pieces[2]);
	require(claims == claims_in(data, size, pieces[1]) && claims == claims_in(data, size, 1));
	return 0;
}
