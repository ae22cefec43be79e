/* SPDX-License-Identifier: Apache-2.0 */
/* net: the network an address is in: none, Microsoft's own front ends, an autonomous system if the user gave a
 * file of them, else the prefix. */
#ifndef TXM_STATE_NET_H
#define TXM_STATE_NET_H

#include "base/addr.h"

/* A MaxMind DB file with a number "autonomous_system_number" a network (GeoLite2-ASN, or any other with that key).
 * It is data from outside: an unknown or damaged entry is unknown and never a failure. */
struct asn_db;
#define ASN_ERROR_SIZE 256
/* NULL: not opened; error holds one line that begins with the path. */
struct asn_db *asn_open(const char *path, char error[ASN_ERROR_SIZE]);
void asn_close(struct asn_db *db); /* NULL allowed */
uint32_t asn_lookup(const struct asn_db *db, const struct addr *a); /* 0: unknown; db NULL allowed */

enum net_kind { NET_KIND_NONE, NET_KIND_MICROSOFT, NET_KIND_ASN, NET_KIND_PREFIX };

#define NET_LABEL_SIZE 28
struct net {
	uint8_t kind;  /* enum net_kind */
	uint32_t asn;  /* NET_KIND_ASN */
	uint64_t key;  /* equal networks have equal keys, whatever the address; 0 for the first two kinds */
};
struct net net_of(const struct asn_db *db, const struct addr *a);
/* "", "Microsoft", "AS64500", "203.0.0.0/16", "2001:db8::/32"; a is any address in it */
const char *net_label(const struct net *n, const struct addr *a, char out[NET_LABEL_SIZE]);

#endif
