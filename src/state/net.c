/* SPDX-License-Identifier: Apache-2.0 */
/* net: whose network an address is in.
 *
 * The address in a mailbox record is the caller's only if the caller came straight to Exchange.  A read through Graph
 * shows Graph's front end, a background read shows the server that did it.  Such an address does not identify the
 * caller, so it is no network: it is not counted, not grouped by, and never "new".
 *
 * An attacker could hide in that exemption, so the table below is short and holds service ranges only: what Microsoft runs
 * itself for Exchange Online and Entra.  Azure's customer ranges are not in it, and must not be: anyone can rent an
 * address there, and a published proxy of Storm-0558 (20.108.240.252) was one.  Teams, SharePoint, Office front ends
 * and Azure Front Door are left out as well: no mail record has been seen to come from them.
 *
 * A linear search of the table takes some 100 ns; the world keeps the answers for the addresses it sees often. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <maxminddb.h>

#include "base/hash.h"
#include "state/net.h"

struct range {
	uint8_t prefix[16];
	uint8_t bits, kind;
};

#define V4(a, b, c, d, bits) { { a, b, c, d }, bits, ADDR_V4 }
/* the first three groups and the last one */
#define V6(a, b, c, last, bits) { { (a) >> 8, (a) & 255, (b) >> 8, (b) & 255, (c) >> 8, (c) & 255, \
	[14] = (last) >> 8, [15] = (last) & 255 }, bits, ADDR_V6 }

static const struct range microsoft[] = {
	/* Exchange Online: "Microsoft 365 URLs and IP address ranges", ids 1 and 2 (outlook.office365.com) */
	V4(13, 107, 6, 152, 31), V4(13, 107, 18, 10, 31), V4(13, 107, 128, 0, 22), V4(23, 103, 160, 0, 20),
	V4(40, 96, 0, 0, 13), V4(40, 104, 0, 0, 15), V4(52, 96, 0, 0, 14), V4(131, 253, 33, 215, 32),
	V4(132, 245, 0, 0, 16), V4(150, 171, 32, 0, 22), V4(204, 79, 197, 215, 32),
	V6(0x2603, 0x1006, 0, 0, 40), V6(0x2603, 0x1016, 0, 0, 36), V6(0x2603, 0x1026, 0, 0, 36),
	V6(0x2603, 0x1036, 0, 0, 36), V6(0x2603, 0x1046, 0, 0, 36), V6(0x2603, 0x1056, 0, 0, 36),
	V6(0x2620, 0x1ec, 4, 0x152, 127), V6(0x2620, 0x1ec, 0xc, 0x10, 127), V6(0x2620, 0x1ec, 0xd, 0x10, 127),
	V6(0x2620, 0x1ec, 0x8f0, 0, 46), V6(0x2620, 0x1ec, 0x900, 0, 46), V6(0x2620, 0x1ec, 0xa92, 0x152, 127),
	/* Exchange Online Protection: same page, ids 9 and 10 (*.mail.protection.outlook.com) */
	V4(40, 92, 0, 0, 15), V4(40, 107, 0, 0, 16), V4(52, 100, 0, 0, 14), V4(52, 238, 78, 88, 32),
	V4(104, 47, 0, 0, 17), V6(0x2a01, 0x111, 0xf400, 0, 48), V6(0x2a01, 0x111, 0xf403, 0, 48),
	/* Entra and Graph: same page, id 56 (login.microsoftonline.com, graph.microsoft.com) */
	V4(20, 20, 32, 0, 19), V4(20, 190, 128, 0, 18), V4(20, 231, 128, 0, 19), V4(40, 126, 0, 0, 18),
	V6(0x2603, 0x1006, 0x2000, 0, 48), V6(0x2603, 0x1007, 0x200, 0, 48), V6(0x2603, 0x1016, 0x1400, 0, 48),
	V6(0x2603, 0x1017, 0, 0, 48), V6(0x2603, 0x1026, 0x3000, 0, 48), V6(0x2603, 0x1027, 1, 0, 48),
	V6(0x2603, 0x1036, 0x3000, 0, 48), V6(0x2603, 0x1037, 1, 0, 48), V6(0x2603, 0x1046, 0x2000, 0, 48),
	V6(0x2603, 0x1047, 1, 0, 48), V6(0x2603, 0x1056, 0x2000, 0, 48), V6(0x2603, 0x1057, 2, 0, 48),
	/* Exchange's own servers, which read mail in the background (indexing, calendar, compliance) and appear with their
	 * own address.  On no page today; Received lines of public mail show them, each range under *.prod.outlook.com of
	 * one part of the world, and older editions of the page listed pieces of three of them under Exchange.  No range in
	 * which customers get addresses has been found among them. */
	V6(0x2603, 0x1086, 0, 0, 32), /* Africa, Middle East */
	V6(0x2603, 0x1096, 0, 0, 32), /* Asia, Pacific */
	V6(0x2603, 0x10a6, 0, 0, 32), /* Europe */
	V6(0x2603, 0x10b6, 0, 0, 32), /* North America */
	V6(0x2603, 0x10c6, 0, 0, 32), /* Australia */
	V6(0x2603, 0x10d6, 0, 0, 32), /* Latin America */
};

/* -- autonomous systems -- */

struct asn_db {
	MMDB_s mmdb;
};

struct asn_db *asn_open(const char *path, char error[ASN_ERROR_SIZE])
{
	struct asn_db *db = malloc(sizeof(*db));
	int status, saved_errno;

	if (!db) {
		snprintf(error, ASN_ERROR_SIZE, "%.200s: out of memory", path);
		return NULL;
	}
	errno = 0;
	status = MMDB_open(path, MMDB_MODE_MMAP, &db->mmdb);
	saved_errno = errno;
	if (status == MMDB_SUCCESS)
		return db;
	if ((status == MMDB_FILE_OPEN_ERROR || status == MMDB_IO_ERROR) && saved_errno)
		snprintf(error, ASN_ERROR_SIZE, "%.150s: %s", path, strerror(saved_errno));
	else
		snprintf(error, ASN_ERROR_SIZE, "%.140s: not a MaxMind DB file (%.80s)", path, MMDB_strerror(status));
	free(db);
	return NULL;
}

void asn_close(struct asn_db *db)
{
	if (!db)
		return;
	MMDB_close(&db->mmdb);
	free(db);
}

uint32_t asn_lookup(const struct asn_db *db, const struct addr *a)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	const struct sockaddr *sa = (const struct sockaddr *)&v6;
	MMDB_lookup_result_s found;
	MMDB_entry_data_s data;
	int status = MMDB_SUCCESS;
	uint64_t asn = 0;

	if (!db || (a->kind != ADDR_V4 && a->kind != ADDR_V6))
		return 0;
	if (a->kind == ADDR_V4) {
		memcpy(&v4.sin_addr, a->b, 4);
		sa = (const struct sockaddr *)&v4;
	} else {
		memcpy(&v6.sin6_addr, a->b, 16);
	}
	found = MMDB_lookup_sockaddr(&db->mmdb, sa, &status);
	if (status != MMDB_SUCCESS || !found.found_entry)
		return 0;
	if (MMDB_get_value(&found.entry, &data, "autonomous_system_number", NULL) != MMDB_SUCCESS || !data.has_data)
		return 0;
	switch (data.type) {
	case MMDB_DATA_TYPE_UINT16:
		asn = data.uint16;
		break;
	case MMDB_DATA_TYPE_UINT32:
		asn = data.uint32;
		break;
	case MMDB_DATA_TYPE_UINT64:
		asn = data.uint64;
		break;
	case MMDB_DATA_TYPE_INT32:
		asn = data.int32 > 0 ? (uint64_t)data.int32 : 0;
		break;
	default:
		break;
	}
	return asn <= UINT32_MAX ? (uint32_t)asn : 0;
}

/* -- networks -- */

static bool is_microsoft(const struct addr *a)
{
	for (size_t i = 0; i < sizeof(microsoft) / sizeof(microsoft[0]); i++)
		if (a->kind == microsoft[i].kind && a->b[0] == microsoft[i].prefix[0] &&
		    addr_in(a, microsoft[i].prefix, microsoft[i].bits, microsoft[i].kind))
			return true;
	return false;
}

struct net net_of(const struct asn_db *db, const struct addr *a)
{
	struct net n = { .kind = NET_KIND_NONE };

	if ((a->kind != ADDR_V4 && a->kind != ADDR_V6) || addr_is_private(a))
		return n;
	if (is_microsoft(a)) {
		n.kind = NET_KIND_MICROSOFT;
		return n;
	}
	n.asn = asn_lookup(db, a);
	if (n.asn) {
		n.kind = NET_KIND_ASN;
		n.key = hash_mix(NET_KIND_ASN, n.asn);
	} else if (a->kind == ADDR_V4) {
		n.kind = NET_KIND_PREFIX;
		n.key = hash_mix(NET_KIND_PREFIX, (uint64_t)a->b[0] << 8 | a->b[1]);
	} else {
		n.kind = NET_KIND_PREFIX;
		n.key = hash_mix(NET_KIND_PREFIX, UINT64_C(1) << 32 | (uint64_t)a->b[0] << 24 | (uint64_t)a->b[1] << 16 |
			(uint64_t)a->b[2] << 8 | a->b[3]);
	}
	return n;
}

const char *net_label(const struct net *n, const struct addr *a, char out[NET_LABEL_SIZE])
{
	struct addr first = { .kind = a->kind };
	char text[ADDR_TEXT_SIZE];
	unsigned bytes = a->kind == ADDR_V4 ? 2 : 4;

	out[0] = '\0';
	switch (n->kind) {
	case NET_KIND_MICROSOFT:
		snprintf(out, NET_LABEL_SIZE, "Microsoft");
		break;
	case NET_KIND_ASN:
		snprintf(out, NET_LABEL_SIZE, "AS%u", n->asn);
		break;
	case NET_KIND_PREFIX:
		memcpy(first.b, a->b, bytes);
		snprintf(out, NET_LABEL_SIZE, "%.20s/%u", addr_format(&first, text), bytes * 8);
		break;
	default:
		break;
	}
	return out;
}
