/* SPDX-License-Identifier: Apache-2.0 */
/* replay: runs a fuzz target over files and folders given as arguments, without a fuzzer: seeds and old crashes stay tests
 * with any compiler.  Each input is also given cut at every eighth of its length. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned runs, unreadable;

static void one_input(const uint8_t *data, size_t n)
{
	uint8_t *exact = malloc(n ? n : 1); /* a block of its own length: ASan sees the first byte past it */
	if (!exact)
		abort();
	memcpy(exact, data, n);
	LLVMFuzzerTestOneInput(exact, n);
	free(exact);
	runs++;
}

static void file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = NULL;
	size_t n = 0, capacity = 0, got;
	if (!f) {
		fprintf(stderr, "replay: cannot read %s\n", path);
		unreadable++;
		return;
	}
	do {
		if (n == capacity) {
			capacity = capacity ? capacity * 2 : 4096;
			data = realloc(data, capacity);
			if (!data)
				abort();
		}
		got = fread(data + n, 1, capacity - n, f);
		n += got;
	} while (got);
	fclose(f);
	for (unsigned i = 0; i <= 8; i++)
		one_input(data, n * i / 8);
	free(data);
}

static void visit(const char *path)
{
	struct stat st;
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
		struct dirent **names;
		int n = scandir(path, &names, NULL, alphasort);
		for (int i = 0; i < n; i++) {
			if (names[i]->d_name[0] != '.') {
				char child[4096];
				snprintf(child, sizeof child, "%s/%s", path, names[i]->d_name);
				visit(child);
			}
			free(names[i]);
		}
		if (n >= 0)
			free(names);
	} else {
		file(path);
	}
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		visit(argv[i]);
	printf("%u passed, %u failed\n", runs, unreadable + !runs);
	return unreadable || !runs;
}
