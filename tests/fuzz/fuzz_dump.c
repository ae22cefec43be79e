/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_dump: any bytes as a dump, of whatever format they begin like.  The format turns them into a partition: ranges
 * that do not overlap, in order, and together the whole file; addresses lead back to the offsets they came from; every byte is
 * given to the finders once; missing parts are reported. */
#include <stdlib.h>

#include "dump/dump.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dump_options o = { .threads = 1, .only = "walk" };
	struct dump_reader *r = dump_reader_memory(data, size);
	struct dump_image *im;
	struct dump_scan *s = dump_scan_new(&o);
	uint64_t end = 0, offset, left;

	require(r && s);
	if (dump_is_avml(r)) {
		r = dump_reader_avml(r);
		require(r != NULL);
		size = r->size;
	}
	im = dump_image_open(r, "fuzz");
	require(im != NULL);
	for (size_t i = 0; i < im->n_ranges; i++) {
		const struct dump_range *x = &im->ranges[i];

		require(x->offset == end && x->length > 0 && x->length <= size - end);
		end += x->length;
		require(dump_range_at(im, x->offset) == x && dump_range_at(im, end - 1) == x);
		require(x->name < im->n_names && dump_name_of(im, x));
		if (x->flags & DUMP_MAPPED) {
			require(x->length - 1 <= UINT64_MAX - x->va);
			if (dump_va_to_offset(im, x->va, &offset, &left))
				require(offset < size && left <= size - offset && left > 0);
		}
	}
	require(end == size);
	require(im->n_holes == 0 || im->problems.n);
	require(dump_scan_image(s, im));
	require(dump_counts(s)->bytes == size || r->broken); /* a packed frame may be damaged */
	require(!r->broken || im->problems.n);
	dump_scan_free(s);
	dump_image_free(im);
	dump_reader_free(r);
	return 0;
}
