/* SPDX-License-Identifier: Apache-2.0 */
/* inventory: Big Yellow Taxi's first half: every client key with what it touches, ranked by how unusual it is.
 *
 * Rank (detection reference, 2.14): I = -log10((k + 1/2)/(M + 1)) + max(0, z) + [k >= 3] max(0, log2(k / networks)),
 * k mailboxes of the client, M mailboxes of the tenant, z = robust z (median, MAD over the keys of the same family) of
 * ln(1 + items per mailbox-day).  A ranking, not a probability. */
#ifndef TXM_STATE_INVENTORY_H
#define TXM_STATE_INVENTORY_H

#include "state/world.h"

struct inventory_row {
	uint32_t client;     /* in the world */
	double unusual;      /* I */
	double share;        /* of the tenant's mailboxes, 0..1 */
};

/* Rows in rank order (ties: by the client's key).  NULL only if out of memory. The caller frees. */
struct inventory_row *inventory_make(const struct world *w, size_t *ret_n);

/* first-party application names (a list of names, never of safe applications) */
struct str app_name(const uint8_t app_id[16]); /* "" = not in the list */

#endif
