/* SPDX-License-Identifier: Apache-2.0 */
/* spool: any number of pieces of bytes in, the same in byte order out, with bounded memory.
 *
 * For lists that may be longer than memory and must come out in one order whatever the order in which they came in: the
 * messages of an impact report.  A piece is compared as bytes from its beginning, so the caller puts the sort
 * key first, numbers big-endian.  Memory: SPOOL_MEMORY_BYTES, then sorted runs in a file without a name. */
#ifndef TXM_BASE_SPOOL_H
#define TXM_BASE_SPOOL_H

#include "base/buf.h"

struct spool;

struct spool *spool_new(size_t memory_bytes); /* 0: SPOOL_MEMORY_BYTES.  NULL: out of memory */
void spool_free(struct spool *s);
void spool_add(struct spool *s, struct str piece); /* up to SPOOL_PIECE_BYTES_MAX; failures stick */
/* After the last add: the next piece in order, good until the next call.  False: the end, or failed. */
bool spool_next(struct spool *s, struct str *ret);
void spool_rewind(struct spool *s);              /* from the first piece again */
uint64_t spool_count(const struct spool *s);     /* pieces added */
uint64_t spool_spilled(const struct spool *s);   /* bytes written to disk */
const char *spool_error(const struct spool *s);  /* "" = none; one sentence */

/* big-endian, so that memcmp() order is numeric order */
static inline void spool_put(uint8_t *p, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		p[i] = (uint8_t)(v >> (8 * (bytes - 1 - i)));
}
static inline uint64_t spool_get(const char *p, unsigned bytes)
{
	uint64_t v = 0;
	for (unsigned i = 0; i < bytes; i++)
		v = v << 8 | (uint8_t)p[i];
	return v;
}

#endif
