/* SPDX-License-Identifier: Apache-2.0 */
/* anchor: where in megabytes of anything may a key form begin?  One pass, no parsing: a list of places worth a look.
 *
 * Two kinds of places.  An *anchor* is a position whose three bytes begin (or sit in) a form's magic: `02 01 ..` of a DER
 * version, "BEG" of a PEM line, "RSA" of a Windows blob.  A *seed* is a block of 16 or 32 bytes, aligned to its size, which is
 * made of base64 or hexadecimal digits altogether; any run that is twice as long has one.
 *
 * A place may be wrong: the caller compares exactly.  The vector paths name a few more than the portable one (their tables
 * work on half bytes); the final results are the same. */
#ifndef TXM_DUMP_ANCHOR_H
#define TXM_DUMP_ANCHOR_H

#include "base/str.h"

enum anchor_kind {
	ANCHOR_MAGIC = 1,
	SEED_BASE64 = 2, /* 16 digits of base64 from `at` on, perhaps hexadecimal ones */
	SEED_HEX = 4,    /* 32 bytes of hexadecimal digits and what separates them */
	SEED_WIDE = 8,   /* 32 bytes, every other one zero, the rest digits: UTF-16 */
};

struct anchor {
	uint32_t at;
	uint32_t kind;
};

#define ANCHOR_CHUNK 16384 /* bytes looked at in one call */
/* a magic at every byte, and seeds */
#define ANCHORS_MAX (ANCHOR_CHUNK + 3 * ANCHOR_CHUNK / 16)

/* All places in p[0 .. n), n <= ANCHOR_CHUNK, in rising order of the 32 bytes that contain them; p[0 .. n + 64) must be readable.
 * ret has ANCHORS_MAX places. */
size_t anchors_find(const uint8_t *p, size_t n, struct anchor *ret);
size_t anchors_find_portable(const uint8_t *p, size_t n, struct anchor *ret);
bool anchors_have_avx2(void);
size_t anchors_find_avx2(const uint8_t *p, size_t n, struct anchor *ret);

#endif
