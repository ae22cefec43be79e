/* SPDX-License-Identifier: Apache-2.0 */
/* bytes: integers at any alignment, in either byte order. */
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

#endif
