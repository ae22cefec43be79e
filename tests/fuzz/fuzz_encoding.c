/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_encoding: any bytes as text of unknown encoding: a whole file, and a line of Windows-1252.  What comes out is UTF-8;
 * what was UTF-8 comes out as it was; and no encoding takes more than the bytes there are for byte order marks.
 *
 * Seeds: lines with umlauts in each encoding, with and without mark, whole and cut. */
#include <stdlib.h>

#include "base/encoding.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct str s = { (const char *)data, size };
	struct buf line, file;
	size_t skip = 99;
	uint64_t recoded = 0;
	const enum encoding e = encoding_of(data, size < ENCODING_HEAD_BYTES ? size : ENCODING_HEAD_BYTES, &skip);

	require(e <= ENCODING_UTF16_BE && skip <= size);
	buf_init(&line, 8 * size + 64);
	if (text_recode(s, &line))
		require(utf8_is_valid((struct str){ line.p, line.n }) && !utf8_is_valid(s));
	else
		require(line.n == 0);
	buf_init(&file, 8 * size + 64);
	require(text_to_utf8(s, &file, &recoded));
	if (e == ENCODING_UTF8 && utf8_is_valid(s))
		require(recoded == 0 && file.n == size - skip && memcmp(file.p ? file.p : "", s.p + skip, file.n) == 0);
	if (e != ENCODING_UTF8)
		require(utf8_is_valid((struct str){ file.p, file.n }));
	buf_release(&line);
	buf_release(&file);
	return 0;
}
