/* SPDX-License-Identifier: Apache-2.0 */
/* bytes: integers at any alignment, in either byte order; how varied bytes are. */
#ifndef TXM_DUMP_BYTES_H
#define TXM_DUMP_BYTES_H

#include <endian.h>

#include "base/str.h"

static inline uint16_t get16(const uint8_t *p, bool big)
{
	uint16_t x;

	memcpy(&x, p, sizeof(x));
	return big ? be16toh(x) : le16toh(x);
}

static inline uint32_t get32(const uint8_t *p, bool big)
{
	uint32_t x;

	memcpy(&x, p, sizeof(x));
	return big ? be32toh(x) : le32toh(x);
}

static inline uint64_t get64(const uint8_t *p, bool big)
{
	uint64_t x;

	memcpy(&x, p, sizeof(x));
	return big ? be64toh(x) : le64toh(x);
}

/* What distinguishes random bytes from text, tables and pointers.  high: those of 0x80 and more. */
struct variety { unsigned distinct, high, zeros; };

static inline struct variety variety_of(const uint8_t *p, size_t n)
{
	uint64_t seen[4] = { 0 };
	struct variety v = { 0 };

	for (size_t i = 0; i < n; i++) {
		seen[p[i] >> 6] |= UINT64_C(1) << (p[i] & 63);
		v.high += p[i] >> 7;
		v.zeros += p[i] == 0;
	}
	for (unsigned i = 0; i < 4; i++)
		v.distinct += (unsigned)__builtin_popcountll(seen[i]);
	return v;
}

#endif
