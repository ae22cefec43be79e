/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_forms: any bytes as a dump, to the finders of forms, schedules and elliptic secrets.  The portable and the vector search
 * report the same, and every hit is inside the file.
 *
 * Seeds: those of fuzz_form. */
#include <stdlib.h>

#include "dump/dump.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct dump_scan *scan(const uint8_t *data, size_t size, enum dump_path path)
{
	struct dump_options o = { .threads = 1, .only = "forms,aes,curve", .path = path };
	struct dump_reader *r = dump_reader_memory(data, size);
	struct dump_image *im = r ? dump_image_open(r, "fuzz") : NULL;
	struct dump_scan *s = dump_scan_new(&o);
	size_t n;
	if (!im || !s || !dump_scan_image(s, im))
		abort();
	const struct dump_hit *h = dump_hits(s, &n);
	for (size_t i = 0; i < n; i++)
		if (h[i].offset > size || h[i].length > size - h[i].offset || h[i].length == 0)
			abort();
	dump_image_free(im);
	dump_reader_free(r);
	return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t n, m;
	struct dump_scan *a = scan(data, size, DUMP_PATH_BEST), *b = scan(data, size, DUMP_PATH_PORTABLE);
	const struct dump_hit *x = dump_hits(a, &n), *y = dump_hits(b, &m);
	if (n != m)
		abort();
	for (size_t i = 0; i < n; i++)
		if (x[i].offset != y[i].offset || x[i].length != y[i].length || x[i].klass != y[i].klass || strcmp(x[i].form, y[i].form) != 0)
			abort();
	dump_scan_free(a);
	dump_scan_free(b);
	return 0;
}
