/* SPDX-License-Identifier: Apache-2.0 */
/* make-image: writes a core file with every form of key planted in it, and a list of their places.
 *
 *     make-image OUT [MIB [CODE]]    OUT, OUT.tsv (name, kind, offset, length, SPKI SHA-256), OUT.known.pem (public keys that
 *                                    a scanner is given, for the forms that need them)
 *
 * The keys are made for this and used nowhere else. */
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"

static FILE *beside(const char *path, const char *suffix)
{
	char name[4096];
	FILE *f;
	snprintf(name, sizeof name, "%s%s", path, suffix);
	f = fopen(name, "wb");
	if (!f)
		perror(name);
	return f;
}

int main(int argc, char **argv)
{
	static const char *const kinds[] = { "proved", "known", "locked", "schedule", "lost" };
	size_t mib = argc > 2 ? strtoul(argv[2], NULL, 10) : 64;
	struct image im;

	if (argc < 2 || mib < 4 || mib > 4096) {
		fprintf(stderr, "usage: make-image OUT [MIB [CODE]]\n");
		return 2;
	}
	if (!image_make(&im, mib << 20, argc > 3 ? argv[3] : NULL, 1)) {
		fprintf(stderr, "make-image: cannot make it\n");
		return 3;
	}
	FILE *out = beside(argv[1], ""), *table = beside(argv[1], ".tsv"), *known = beside(argv[1], ".known.pem");
	if (!out || !table || !known)
		return 3;
	bool ok = fwrite(im.bytes.p, 1, im.bytes.n, out) == im.bytes.n;
	for (size_t i = 0; i < im.n; i++) {
		const struct planted *p = &im.planted[i];
		fprintf(table, "%s\t%s%s\t%llu\t%llu\t", p->name, p->plant ? kinds[p->plant->kind] : "decoy", p->plant && p->plant->beyond ? "+" : "", (unsigned long long)p->offset,
		        (unsigned long long)p->length);
		for (size_t k = 0; k < 32 && p->key; k++)
			fprintf(table, "%02x", p->spki[k]);
		fprintf(table, "\n");
		if (p->plant && p->plant->kind == PLANT_KNOWN)
			ok = PEM_write_PUBKEY(known, p->key) && ok;
	}
	ok = fclose(out) == 0 && fclose(table) == 0 && fclose(known) == 0 && ok;
	image_release(&im);
	if (!ok)
		fprintf(stderr, "make-image: cannot write %s\n", argv[1]);
	return ok ? 0 : 3;
}
