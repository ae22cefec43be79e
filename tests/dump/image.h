/* SPDX-License-Identifier: Apache-2.0 */
/* image: a made core file with every planted form (plant.h) and every decoy in it, among what memory is full of: zeros, code,
 * text, pointers, noise.  Keys are fresh each time; the rest depends on the seed alone. */
#ifndef TXM_TESTS_IMAGE_H
#define TXM_TESTS_IMAGE_H

#include "plant.h"

#define IMAGE_VA UINT64_C(0x7f5500000000) /* of the first byte after the ELF head */
#define IMAGE_HEAD 4096

struct planted {
	const struct plant *plant; /* NULL: a decoy */
	const char *name;
	EVP_PKEY *key;
	uint64_t offset, length;   /* in the file */
	uint8_t spki[32];
};

struct image {
	struct buf bytes;          /* an ELF core */
	struct planted *planted;
	size_t n;
};

/* size: of the memory in it, at least 4 MiB.  code: a file whose bytes serve as code; NULL = none.  False: out of memory. */
bool image_make(struct image *im, size_t size, const char *code, uint64_t seed);
void image_release(struct image *im);

#endif
