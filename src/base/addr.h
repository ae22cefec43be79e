/* SPDX-License-Identifier: Apache-2.0 */
/* addr: an internet address as the audit log writes it (bare, with port, bracketed, mapped, padded), as 16 bytes. */
#ifndef TXM_BASE_ADDR_H
#define TXM_BASE_ADDR_H

#include "base/str.h"

enum addr_kind {
	ADDR_NONE,  /* absent, empty, or not an address */
	ADDR_V4,    /* bytes 0..3 */
	ADDR_V6,    /* bytes 0..15 */
	ADDR_LOCAL, /* "localhost", host names: text that is no address; all bytes zero */
};

struct addr {
	uint8_t b[16];
	uint8_t kind; /* enum addr_kind */
};

#define ADDR_TEXT_SIZE 48

/* Never fails: what cannot be read is ADDR_NONE (empty) or ADDR_LOCAL (text).  `::ffff:1.2.3.4` folds to v4; the port
 * goes; a colon is a port separator only after a bracket or a dotted quad. */
struct addr addr_parse(struct str s);
const char *addr_format(const struct addr *a, char out[ADDR_TEXT_SIZE]); /* "" for ADDR_NONE */
bool addr_is_private(const struct addr *a); /* RFC 1918, loopback, link-local, ULA, 0.0.0.0/8, 100.64/10 */
bool addr_in(const struct addr *a, const uint8_t *prefix, unsigned prefix_bits, uint8_t kind);

#endif
