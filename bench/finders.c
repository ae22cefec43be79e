/* SPDX-License-Identifier: Apache-2.0 */
/* bench-finders: bytes a second of each finder alone, on one thread, over a file held in memory.  Time is the processor's, best
 * of three; taking the bytes into blocks is part of it.
 *
 *     bench-finders FILE FINDER... */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "dump/dump.h"

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	FILE *f = argc > 2 ? fopen(argv[1], "rb") : NULL;
	uint8_t *p = NULL;
	size_t n = 0;
	if (!f || fseek(f, 0, SEEK_END) != 0 || (n = (size_t)ftell(f)) == 0 || fseek(f, 0, SEEK_SET) != 0 || !(p = malloc(n)) || fread(p, 1, n, f) != n) {
		fprintf(stderr, "usage: bench-finders FILE FINDER...\n");
		return 2;
	}
	fclose(f);
	for (int i = 2; i < argc; i++) {
		for (int path = DUMP_PATH_BEST; path <= DUMP_PATH_PORTABLE; path++) {
			double best = 0;
			size_t hits = 0;
			for (int round = 0; round < 3; round++) {
				struct dump_options o = { .threads = 1, .only = argv[i], .no_harvest = true, .path = (enum dump_path)path };
				struct dump_reader *r = dump_reader_memory(p, n);
				struct dump_image *im = dump_image_open(r, argv[1]);
				struct dump_scan *s = dump_scan_new(&o);
				double start = now();
				if (!im || !s || !dump_scan_image(s, im))
					return 3;
				double speed = (double)n / (now() - start) / 1e9;
				best = speed > best ? speed : best;
				(void)dump_hits(s, &hits);
				dump_scan_free(s);
				dump_image_free(im);
				dump_reader_free(r);
			}
			printf("%-10s %-8s %6.2f GB/s  %zu hits\n", argv[i], path == DUMP_PATH_BEST ? "best" : "portable", best, hits);
		}
	}
	free(p);
	return 0;
}
