/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_source: any bytes as a file, through every unpacker and archive reader.  It ends; its message is one line that
 * begins with the stream's name; and the same bytes come out whether they are taken in big pieces or in small ones.
 *
 * Seeds: one small file of each kind, made by tests/fuzz/make-seeds-source. */
#include <stdlib.h>

#include "base/hash.h"
#include "source/source_int.h"

#define STREAM_BYTES_ENOUGH (256 * KIB) /* of one stream; a fuzzer's bombs need not go off whole */
#define STREAMS_ENOUGH 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static uint64_t read_all(const uint8_t *data, size_t size, uint8_t *piece, size_t capacity)
{
	struct source *s = source_new_memory(data, size, "fuzz");
	const struct source_stream *stream;
	enum source_status status;
	uint64_t sum = 0;

	require(s != NULL);
	for (int i = 0; i < STREAMS_ENOUGH && (status = source_next(s, &stream)) != SOURCE_END; i++) {
		size_t total = 0, n;

		require(strncmp(stream->path, "fuzz", 4) == 0);
		sum = hash_mix(sum, hash_str(str_of(stream->path), status));
		while (status == SOURCE_OK && total < STREAM_BYTES_ENOUGH) {
			size_t want = STREAM_BYTES_ENOUGH - total < capacity ? STREAM_BYTES_ENOUGH - total : capacity;

			status = source_read(s, piece, want, &n);
			require(n <= want && (n > 0) == (status == SOURCE_OK));
			for (size_t k = 0; k < n; k++)
				sum = (sum ^ piece[k]) * UINT64_C(0x100000001b3);
			total += n;
			require(stream->bytes_out == total);
		}
		sum = hash_mix(sum, total == STREAM_BYTES_ENOUGH ? 99 : status);
		if (status == SOURCE_BROKEN) {
			const char *line = source_error(s);

			require(source_losses(s) > 0 && strncmp(line, "fuzz", 4) == 0 && strstr(line, ": "));
			for (; *line; line++)
				require((uint8_t)*line >= 0x20 && *line != 0x7f);
		}
	}
	while (source_problem(s))
		;
	source_free(s);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t piece[64 * 1024];
	uint64_t sum = read_all(data, size, piece, sizeof(piece));

	require(read_all(data, size, piece, 7) == sum);
	return 0;
}
