/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_decode: any bytes as an export, sniffed, cut and decoded in every envelope.  It ends; each record is sound (a time in
 * the years of audit logs, a tail that reads to its end, a Sync without items); records and rejects are counted as handed
 * on; and the same records come out whether the bytes arrive at once or in small pieces.
 *
 * Seeds: the head of each case's and each sample's input (tools/make-seeds). */
#include <stdlib.h>

#include "base/hash.h"
#include "base/timefmt.h"
#include "decode/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	uint64_t sum, records; /* of their content, in order */
};

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void take(void *arg, const struct rec *r)
{
	struct seen *s = arg;
	struct detail_iter it = rec_details(r);
	struct str name, value;

	require((r->flags & REC_NO_TIME) ? r->time_us == 0 : r->time_us >= TIME_MIN_US && r->time_us < TIME_MAX_US);
	require(r->operation != 0 && r->op < OP_COUNT && r->class_ < CLASS_COUNT);
	require(r->access != ACCESS_SYNC || r->items == 0);
	require(r->ip_kind <= ADDR_LOCAL && r->tail_bytes % 8 == 0);
	s->sum = hash_mix(s->sum, hash64(r, sizeof *r + r->tail_bytes, 0));
	while (detail_next(&it, &name, &value))
		s->sum = hash_mix(s->sum, hash_str(name, 1) + hash_str(value, 2));
	s->records++;
}

static void feed(const uint8_t *data, size_t size, size_t piece, struct seen *ret)
{
	struct seen s = { 0 };
	struct decoder *d = decoder_new(take, &s);
	static struct frame *f; /* kept: its megabytes would be most of the work */
	static struct block b;
	struct decoder_counts counts = { 0 };
	size_t at = 0, room;

	f = f ? f : frame_new();
	require(d && f);
	frame_begin(f, 0);
	do {
		char *p = frame_room(f, &room);
		size_t n = size - at < piece ? size - at : piece;
		require(p && room >= READ_CHUNK_BYTES);
		n = n < room ? n : room;
		if (n)
			memcpy(p, data + at, n);
		frame_fill(f, n);
		at += n;
		while (frame_take(f, at == size, &b))
			decoder_run(d, &b, &counts);
	} while (at < size);
	while (frame_take(f, true, &b))
		decoder_run(d, &b, &counts);
	require(!frame_failed(f) && !decoder_failed(d));
	require(counts.records == s.records);
	for (int r = 0; r < REJECT_COUNT; r++) {
		size_t n;
		const struct reject_note *notes = decoder_samples(d, (enum reject)r, &n);
		require(n <= REJECT_SAMPLES_MAX && (n > 0) == (counts.rejects[r] > 0));
		for (size_t i = 0; i < n; i++)
			require(notes[i].n <= REJECT_SAMPLE_BYTES && notes[i].offset <= size);
		s.sum = hash_mix(s.sum, counts.rejects[r]);
	}
	decoder_free(d);
	*ret = s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen whole, pieces;

	feed(data, size, size ? size : 1, &whole);
	if (size < 20000) {
		/* below the sniffer's window the form of a stream is judged by all of it: in pieces of an odd size */
		feed(data, size, 97, &pieces);
		require(whole.records == pieces.records && whole.sum == pieces.sum);
	}
	return 0;
}
