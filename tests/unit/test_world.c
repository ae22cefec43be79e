/* SPDX-License-Identifier: Apache-2.0 */
/* test_world: names, packed details, networks, the world and the inventory.
 *
 * Records are made by hand, as a decoder would; all ids, names and addresses are of documentation ranges.  With an
 * argument the program measures instead: test_world bench. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/guid.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/timefmt.h"
#include "check.h"
#include "event/event.h"
#include "event/names.h"
#include "state/inventory.h"
#include "state/net.h"
#include "state/world.h"

#define T0 INT64_C(1767693600000000) /* 2026-01-06T10:00:00Z */

static struct names names;

static uint64_t put(enum name_kind kind, const char *a, const char *b, const char *c, const char *d, const char *e)
{
	struct str parts[NAME_PARTS] = { str_of(a), str_of(b), str_of(c), str_of(d), str_of(e) };

	return names_put(&names, kind, parts, NAME_PARTS);
}

static uint64_t mailbox(const char *guid, const char *upn) { return put(NAME_MAILBOX, guid, upn, "", "", ""); }
static uint64_t actor(const char *user) { return put(NAME_ACTOR, user, "", "", "", ""); }
static uint64_t operation(const char *text) { return put(NAME_OPERATION, text, "", "", "", ""); }
static uint64_t client(const char *app, const char *client_app, const char *caller, const char *api, const char *family)
{
	return put(NAME_CLIENT, app, client_app, caller, api, family);
}

static void set_ip(struct rec *r, const char *text)
{
	struct addr a = addr_parse(str_of(text));

	memcpy(r->ip, a.b, 16);
	r->ip_kind = a.kind;
}

static struct rec mail(int64_t at, uint64_t mailbox_ref, uint64_t client_ref, enum access_type access, uint32_t items)
{
	struct rec r = { 0 };

	r.time_us = at;
	r.mailbox = mailbox_ref;
	r.client = client_ref;
	r.class_ = CLASS_AUDIT;
	r.op = access == ACCESS_ATTACHMENT ? OP_ATTACHMENT_ACCESS : OP_MAIL_ITEMS_ACCESSED;
	r.operation = operation(access == ACCESS_ATTACHMENT ? "AttachmentAccess" : "MailItemsAccessed");
	r.access = access;
	r.items = items;
	r.record_type = 50;
	return r;
}

static struct rec other(int64_t at, enum rec_op op, const char *text)
{
	struct rec r = { .time_us = at, .class_ = CLASS_AUDIT, .op = (uint16_t)op, .operation = operation(text) };

	return r;
}

static bool str_is(struct str s, const char *text) { return str_eq(s, str_of(text)); }

#define GUID_A "5f0c7a10-0000-4000-8000-0000000000a1"
#define GUID_B "5f0c7a10-0000-4000-8000-0000000000b2"
#define ZERO "00000000-0000-0000-0000-000000000000"
#define APP_1 "5f0c7a10-0000-4000-8000-00000000c001"
#define APP_2 "5f0c7a10-0000-4000-8000-00000000c002"
#define GRAPH "00000003-0000-0000-c000-000000000000"

/* -- names -- */

static void test_names(void)
{
	struct names n;
	struct str ab[] = { STR("ab"), STR("c") }, a_bc[] = { STR("a"), STR("bc") }, abc[] = { STR("abc") };
	struct str trailing[] = { STR("abc"), STR(""), STR("") };
	uint64_t x, y, z;
	char wide[2000];

	names_init(&n);
	x = names_put(&n, NAME_MAILBOX, ab, 2);
	y = names_put(&n, NAME_MAILBOX, a_bc, 2);
	z = names_put(&n, NAME_MAILBOX, abc, 1);
	CHECK(x != y && y != z && x != z && x && y && z);
	CHECK(names_put(&n, NAME_MAILBOX, ab, 2) == x);
	CHECK(names_put(&n, NAME_CLIENT, ab, 2) != x);
	CHECK(names_put(&n, NAME_MAILBOX, trailing, 3) == z);
	CHECK(n.by_ref.n == 4);
	CHECK(str_is(name_part(names_get(&n, x), 0), "ab") && str_is(name_part(names_get(&n, x), 1), "c"));
	CHECK(names_get(&n, x)->kind == NAME_MAILBOX);
	CHECK(name_part(names_get(&n, x), 4).n == 0 && name_part(NULL, 0).n == 0 && name_part(names_get(&n, x), 9).n == 0);
	CHECK(!names_get(&n, 0) && !names_has(&n, 0) && !names_get(&n, 12345) && names_has(&n, x));

	/* long texts: cut, but two that differ after the cut are two */
	memset(wide, 'w', sizeof(wide));
	struct str one[] = { { wide, 1999 } }, two[] = { { wide, 2000 } };
	x = names_put(&n, NAME_ACTOR, one, 1);
	y = names_put(&n, NAME_ACTOR, two, 1);
	CHECK(x != y);
	CHECK(name_part(names_get(&n, x), 0).n == NAME_BYTES_MAX);
	struct str all_wide[NAME_PARTS + 2] = { one[0], one[0], one[0], one[0], one[0], one[0], one[0] };
	x = names_put(&n, NAME_CLIENT, all_wide, NAME_PARTS + 2); /* too many parts: the first five */
	CHECK(name_part(names_get(&n, x), 4).n == NAME_BYTES_MAX);
	CHECK(names_put(&n, NAME_CLIENT, all_wide, NAME_PARTS) == x);

	/* a reference of the caller's making */
	names_put_ref(&n, 77, NAME_ID, abc, 1);
	names_put_ref(&n, 77, NAME_ID, ab, 2);
	names_put_ref(&n, 0, NAME_ID, ab, 2);
	CHECK(str_is(name_part(names_get(&n, 77), 0), "abc") && !names_has(&n, 0));

	/* full: the reference still works, the text is lost, and it is counted */
	n.by_ref.max = n.by_ref.n;
	x = names_put(&n, NAME_ACTOR, abc, 1);
	CHECK(x && !names_get(&n, x) && n.refused == 1);
	CHECK(names_put(&n, NAME_MAILBOX, abc, 1) == z && n.refused == 1);
	names_release(&n);
	names_release(NULL);
}

static uint64_t numbered(struct names *n, unsigned i)
{
	char text[64];
	struct str part;

	part = (struct str){ text, (size_t)snprintf(text, sizeof(text), "user%06u@example.com", i) };
	return names_put(n, NAME_ACTOR, &part, 1);
}

static void test_names_take(void)
{
	struct names all, one, two;
	const struct name *kept;
	bool same = true;
	char text[64];

	names_init(&all);
	names_init(&one);
	names_init(&two);
	for (unsigned i = 0; i < 30000; i++)
		numbered(&one, i);
	for (unsigned i = 20000; i < 60000; i++)
		numbered(&two, i);
	kept = names_get(&one, numbered(&one, 25000));
	names_take(&all, &one);
	CHECK(one.by_ref.n == 0 && !one.blocks && one.bytes == 0);
	CHECK(names_get(&all, numbered(&all, 25000)) == kept); /* moved, not copied */
	names_take(&all, &two);
	CHECK(two.by_ref.n == 0 && !two.blocks);
	CHECK(all.by_ref.n == 60000);
	CHECK(names_get(&all, numbered(&all, 25000)) == kept);
	for (unsigned i = 0; i < 60000; i++) {
		uint64_t ref = numbered(&all, i);

		snprintf(text, sizeof(text), "user%06u@example.com", i);
		same = same && str_is(name_part(names_get(&all, ref), 0), text);
	}
	CHECK(same && all.by_ref.n == 60000 && all.refused == 0);

	/* emptied ones go on working, and may be taken again; an empty one changes nothing */
	numbered(&one, 70000);
	numbered(&one, 10);
	names_take(&all, &one);
	names_take(&all, &one);
	CHECK(all.by_ref.n == 60001);
	numbered(&all, 80000); /* our newest block is still ours to fill */
	CHECK(all.by_ref.n == 60002);

	/* full on the way */
	all.by_ref.max = all.by_ref.n + 3;
	for (unsigned i = 90000; i < 90010; i++)
		numbered(&two, i);
	names_take(&all, &two);
	CHECK(all.by_ref.n == 60005 && all.refused == 7);

	/* into one that has nothing kept but has refused something */
	names_init(&two);
	two.by_ref.max = 0;
	numbered(&two, 1);
	CHECK(two.refused == 1);
	numbered(&one, 1);
	names_take(&two, &one);
	CHECK(two.by_ref.n == 1 && two.refused == 1);
	names_release(&all);
	names_release(&one);
	names_release(&two);
}

/* -- details -- */

static void test_details(void)
{
	struct rec_builder b = { .tail = malloc(DETAIL_BYTES_MAX + 8) };
	struct rec *packed = malloc(sizeof(struct rec) + DETAIL_BYTES_MAX + 8);
	struct detail_iter it;
	struct str name, value;
	char *wide = malloc(DETAIL_VALUE_MAX + 100);
	unsigned n = 0;

	memset(wide, 'v', DETAIL_VALUE_MAX + 100);
	memset(b.tail, 0xaa, DETAIL_BYTES_MAX + 8);
	rec_begin(&b);
	CHECK(b.r.tail_bytes == 0);
	rec_add_detail(&b, STR("AuditBypassEnabled"), STR("True"));
	rec_add_detail(&b, STR("Empty"), STR_NONE);
	rec_add_detail(&b, STR(""), STR("nameless"));
	rec_add_detail(&b, STR("auditbypassenabled"), STR("second"));
	CHECK(b.r.tail_bytes % 8 == 0 && b.r.tail_bytes >= b.tail_used && !(b.r.flags & REC_DETAIL_CUT));
	memcpy(packed, &b.r, sizeof(b.r));
	memcpy(packed + 1, b.tail, b.r.tail_bytes);
	for (it = rec_details(packed); detail_next(&it, &name, &value); n++)
		;
	CHECK(n == 3);
	CHECK(rec_detail(packed, STR("AUDITBYPASSENABLED"), &value) && str_is(value, "True"));
	CHECK(rec_detail(packed, STR("Empty"), &value) && value.n == 0);
	CHECK(!rec_detail(packed, STR("Missing"), &value));

	/* every padding: 0 to 7 zeros after the last pair are never read as a pair */
	for (size_t length = 0; length < 16; length++) {
		rec_begin(&b);
		rec_add_detail(&b, STR("N"), (struct str){ wide, length });
		memcpy(packed, &b.r, sizeof(b.r));
		memcpy(packed + 1, b.tail, b.r.tail_bytes);
		for (it = rec_details(packed), n = 0; detail_next(&it, &name, &value); n++)
			CHECK(value.n == length);
		CHECK(n == 1);
	}

	/* cut: one value, then all of them */
	rec_begin(&b);
	rec_add_detail(&b, STR("Wide"), (struct str){ wide, DETAIL_VALUE_MAX });
	CHECK(!(b.r.flags & REC_DETAIL_CUT));
	rec_begin(&b);
	rec_add_detail(&b, STR("Wide"), (struct str){ wide, DETAIL_VALUE_MAX + 1 });
	CHECK(b.r.flags & REC_DETAIL_CUT);
	rec_begin(&b);
	for (unsigned i = 0; i < 10; i++)
		rec_add_detail(&b, STR("Wide"), (struct str){ wide, DETAIL_VALUE_MAX });
	rec_add_detail(&b, (struct str){ wide, DETAIL_VALUE_MAX }, STR("x"));
	CHECK((b.r.flags & REC_DETAIL_CUT) && b.tail_used <= DETAIL_BYTES_MAX && b.r.tail_bytes <= DETAIL_BYTES_MAX);
	memcpy(packed, &b.r, sizeof(b.r));
	memcpy(packed + 1, b.tail, b.r.tail_bytes);
	for (it = rec_details(packed), n = 0; detail_next(&it, &name, &value); n++)
		CHECK(str_is(name, "Wide"));
	CHECK(n == 3);

	/* a tail that somebody else wrote: false lengths */
	for (unsigned i = 0; i < 64; i++) {
		rec_begin(&b);
		rec_add_detail(&b, STR("Name"), STR("value"));
		memcpy(packed, &b.r, sizeof(b.r));
		memcpy(packed + 1, b.tail, b.r.tail_bytes);
		((uint8_t *)(packed + 1))[i % 6] ^= (uint8_t)(1u << (i / 8));
		for (it = rec_details(packed), n = 0; n < 100 && detail_next(&it, &name, &value); n++)
			CHECK(it.p <= it.end);
		CHECK(n <= 2);
	}
	free(wide);
	free(packed);
	free(b.tail);
}

/* -- networks -- */

static int kind_of(const char *text)
{
	struct addr a = addr_parse(str_of(text));

	return net_of(NULL, &a).kind;
}

static void test_net(void)
{
	/* first and last address inside, and their neighbours */
	static const struct { const char *before, *first, *last, *after; } borders[] = {
		{ "13.107.6.151", "13.107.6.152", "13.107.6.153", "13.107.6.154" },
		{ "13.107.18.9", "13.107.18.10", "13.107.18.11", "13.107.18.12" },
		{ "13.107.127.255", "13.107.128.0", "13.107.131.255", "13.107.132.0" },
		{ "20.20.31.255", "20.20.32.0", "20.20.63.255", "20.20.64.0" },
		{ "20.190.127.255", "20.190.128.0", "20.190.191.255", "20.190.192.0" },
		{ "20.231.127.255", "20.231.128.0", "20.231.159.255", "20.231.160.0" },
		{ "23.103.159.255", "23.103.160.0", "23.103.175.255", "23.103.176.0" },
		{ "40.91.255.255", "40.92.0.0", "40.93.255.255", "40.94.0.0" },
		{ "40.95.255.255", "40.96.0.0", "40.105.255.255", "40.106.0.0" }, /* 40.96/13 and 40.104/15 touch */
		{ "40.106.255.255", "40.107.0.0", "40.107.255.255", "40.108.0.0" },
		{ "40.125.255.255", "40.126.0.0", "40.126.63.255", "40.126.64.0" },
		{ "52.95.255.255", "52.96.0.0", "52.103.255.255", "52.104.0.0" }, /* 52.96/14 and 52.100/14 touch */
		{ "52.238.78.87", "52.238.78.88", "52.238.78.88", "52.238.78.89" },
		{ "104.46.255.255", "104.47.0.0", "104.47.127.255", "104.47.128.0" },
		{ "131.253.33.214", "131.253.33.215", "131.253.33.215", "131.253.33.216" },
		{ "132.244.255.255", "132.245.0.0", "132.245.255.255", "132.246.0.0" },
		{ "150.171.31.255", "150.171.32.0", "150.171.35.255", "150.171.36.0" },
		{ "204.79.197.214", "204.79.197.215", "204.79.197.215", "204.79.197.216" },
		{ "2603:1005:ffff::", "2603:1006::", "2603:1006:ff:ffff::1", "2603:1006:100::" },
		{ "2603:1015:ffff::", "2603:1016::", "2603:1016:fff::1", "2603:1016:1000::" },
		{ "2603:1025:ffff::", "2603:1026::", "2603:1026:fff::1", "2603:1026:1000::" },
		{ "2603:1035:ffff::", "2603:1036::", "2603:1036:fff::1", "2603:1036:1000::" },
		{ "2603:1045:ffff::", "2603:1046::", "2603:1046:fff::1", "2603:1046:1000::" },
		{ "2603:1055:ffff::", "2603:1056::", "2603:1056:fff::1", "2603:1056:1000::" },
		{ "2603:1006:1fff::", "2603:1006:2000::", "2603:1006:2000:ffff::", "2603:1006:2001::" },
		{ "2603:1007:1ff::", "2603:1007:200::", "2603:1007:200:ffff::", "2603:1007:201::" },
		{ "2603:1016:13ff::", "2603:1016:1400::", "2603:1016:1400:ffff::", "2603:1016:1401::" },
		{ "2603:1026:2fff::", "2603:1026:3000::", "2603:1026:3000:ffff::", "2603:1026:3001::" },
		{ "2603:1027::", "2603:1027:1::", "2603:1027:1:ffff::", "2603:1027:2::" },
		{ "2603:1036:2fff::", "2603:1036:3000::", "2603:1036:3000:ffff::", "2603:1036:3001::" },
		{ "2603:1037::", "2603:1037:1::", "2603:1037:1:ffff::", "2603:1037:2::" },
		{ "2603:1046:1fff::", "2603:1046:2000::", "2603:1046:2000:ffff::", "2603:1046:2001::" },
		{ "2603:1047::", "2603:1047:1::", "2603:1047:1:ffff::", "2603:1047:2::" },
		{ "2603:1056:1fff::", "2603:1056:2000::", "2603:1056:2000:ffff::", "2603:1056:2001::" },
		{ "2603:1057:1::", "2603:1057:2::", "2603:1057:2:ffff::", "2603:1057:3::" },
		{ "2603:1016:ffff::", "2603:1017::", "2603:1017:0:ffff::", "2603:1017:1::" },
		{ "2603:1085:ffff::", "2603:1086::", "2603:1086:ffff:ffff::", "2603:1087::" },
		{ "2603:1095:ffff::", "2603:1096::", "2603:1096:ffff:ffff::", "2603:1097::" },
		{ "2603:10a5:ffff::", "2603:10a6::", "2603:10a6:ffff:ffff::", "2603:10a7::" },
		{ "2603:10b5:ffff::", "2603:10b6::", "2603:10b6:ffff:ffff::", "2603:10b7::" },
		{ "2603:10c5:ffff::", "2603:10c6::", "2603:10c6:ffff:ffff::", "2603:10c7::" },
		{ "2603:10d5:ffff::", "2603:10d6::", "2603:10d6:ffff:ffff::", "2603:10d7::" },
		{ "2620:1ec:4::151", "2620:1ec:4::152", "2620:1ec:4::153", "2620:1ec:4::154" },
		{ "2620:1ec:c::f", "2620:1ec:c::10", "2620:1ec:c::11", "2620:1ec:c::12" },
		{ "2620:1ec:d::f", "2620:1ec:d::10", "2620:1ec:d::11", "2620:1ec:d::12" },
		{ "2620:1ec:8ef::", "2620:1ec:8f0::", "2620:1ec:8f3::1", "2620:1ec:8f4::" },
		{ "2620:1ec:8ff::", "2620:1ec:900::", "2620:1ec:903::1", "2620:1ec:904::" },
		{ "2620:1ec:a92::151", "2620:1ec:a92::152", "2620:1ec:a92::153", "2620:1ec:a92::154" },
		{ "2a01:111:f3ff::", "2a01:111:f400::", "2a01:111:f400:ffff::", "2a01:111:f401::" },
		{ "2a01:111:f402::", "2a01:111:f403::", "2a01:111:f403:ffff::", "2a01:111:f404::" },
	};
	struct addr a, b;
	struct net n;
	char label[NET_LABEL_SIZE];

	for (size_t i = 0; i < sizeof(borders) / sizeof(borders[0]); i++) {
		CHECK_MSG(kind_of(borders[i].before) == NET_KIND_PREFIX, "%s", borders[i].before);
		CHECK_MSG(kind_of(borders[i].first) == NET_KIND_MICROSOFT, "%s", borders[i].first);
		CHECK_MSG(kind_of(borders[i].last) == NET_KIND_MICROSOFT, "%s", borders[i].last);
		CHECK_MSG(kind_of(borders[i].after) == NET_KIND_PREFIX, "%s", borders[i].after);
	}
	CHECK(kind_of("20.108.240.252") == NET_KIND_PREFIX); /* a proxy of Storm-0558, rented in Azure */
	CHECK(kind_of("20.190.160.5") == NET_KIND_MICROSOFT && kind_of("[::ffff:40.126.32.7]:443") == NET_KIND_MICROSOFT);
	CHECK(kind_of("") == NET_KIND_NONE && kind_of("localhost") == NET_KIND_NONE && kind_of("10.1.2.3") == NET_KIND_NONE);
	CHECK(kind_of("::1") == NET_KIND_NONE && kind_of("fe80::1") == NET_KIND_NONE);
	CHECK(kind_of("192.168.0.1") == NET_KIND_NONE);

	a = addr_parse(STR("203.0.113.10"));
	n = net_of(NULL, &a);
	CHECK_TEXT(net_label(&n, &a, label), "203.0.0.0/16");
	b = addr_parse(STR("203.0.1.1:99"));
	CHECK(n.key == net_of(NULL, &b).key);
	b = addr_parse(STR("203.1.1.1"));
	CHECK(n.key != net_of(NULL, &b).key);
	a = addr_parse(STR("2001:db8::10"));
	n = net_of(NULL, &a);
	CHECK_TEXT(net_label(&n, &a, label), "2001:db8::/32");
	b = addr_parse(STR("2001:db8:ffff::10"));
	CHECK(n.key == net_of(NULL, &b).key);
	a = addr_parse(STR("ffff:abcd:1::10"));
	n = net_of(NULL, &a);
	CHECK_TEXT(net_label(&n, &a, label), "ffff:abcd::/32");
	a = addr_parse(STR("20.190.160.5"));
	n = net_of(NULL, &a);
	CHECK_TEXT(net_label(&n, &a, label), "Microsoft");
	a = addr_parse(STR(""));
	n = net_of(NULL, &a);
	CHECK_TEXT(net_label(&n, &a, label), "");
}

static uint32_t asn_of(const struct asn_db *db, const char *text)
{
	struct addr a = addr_parse(str_of(text));

	return asn_lookup(db, &a);
}

/* libmaxminddb 1.7 forgets a few hundred bytes when it refuses certain damaged metadata; we cannot give them back */
void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));

static struct asn_db *open_damaged(const char *path)
{
	char error[ASN_ERROR_SIZE];
	struct asn_db *db;

	if (__lsan_disable)
		__lsan_disable();
	db = asn_open(path, error);
	if (__lsan_enable)
		__lsan_enable();
	return db;
}

/* The database with one byte changed, at every place: unknown or some number, never a fault. */
static void test_damaged_asn(const char *path)
{
	char copy[] = "/tmp/txm-asn-XXXXXX";
	FILE *f = fopen(path, "rb");
	uint8_t bytes[8192];
	size_t n = f ? fread(bytes, 1, sizeof(bytes), f) : 0;
	int fd = mkstemp(copy);
	unsigned opened = 0;

	CHECK(n > 500 && n < sizeof(bytes) && fd >= 0);
	if (f)
		fclose(f);
	for (size_t i = 0; fd >= 0 && i < n; i++) {
		struct asn_db *db;

		bytes[i] ^= 0xff;
		if (pwrite(fd, bytes, n, 0) != (ssize_t)n)
			break;
		db = open_damaged(copy);
		opened += db != NULL;
		asn_of(db, "203.0.113.10");
		asn_of(db, "198.51.100.1");
		asn_of(db, "2001:db8::1");
		asn_of(db, "8.8.8.8");
		asn_close(db);
		bytes[i] ^= 0xff;
	}
	CHECK(opened > 100);
	for (size_t length = 0; fd >= 0 && length < n; length += 7) { /* and cut short, at every seventh */
		if (pwrite(fd, bytes, n, 0) != (ssize_t)n || ftruncate(fd, (off_t)length))
			break;
		struct asn_db *db = open_damaged(copy);
		asn_of(db, "203.0.113.10");
		asn_close(db);
	}
	if (fd >= 0) {
		close(fd);
		unlink(copy);
	}
}

static void test_asn(void)
{
	const char *root = getenv("TXM_SOURCE_ROOT");
	char path[4096], error[ASN_ERROR_SIZE] = "";
	struct world w;
	struct event e;
	struct rec r;
	struct asn_db *db;

	snprintf(path, sizeof(path), "%s/tests/data/asn-test.mmdb", root ? root : ".");
	CHECK(!asn_open("/nonexistent/asn.mmdb", error) && strstr(error, "/nonexistent/asn.mmdb: No such file"));
	CHECK(!asn_open("/", error) && error[0] == '/');
	CHECK(!asn_open("/proc/self/cmdline", error) && error[0]);
	db = asn_open(path, error);
	CHECK_MSG(db, "%s", error);
	if (!db)
		return;
	CHECK(asn_of(db, "203.0.113.10") == 64500 && asn_of(db, "203.0.113.255") == 64500);
	CHECK(asn_of(db, "203.0.112.255") == 0 && asn_of(db, "203.0.114.0") == 0);
	CHECK(asn_of(db, "198.51.100.1") == 64501 && asn_of(db, "192.0.2.1") == 64502);
	CHECK(asn_of(db, "192.0.2.200") == 0); /* known network without a number */
	CHECK(asn_of(db, "2001:db8::1") == 64503 && asn_of(db, "2001:db9::1") == 0);
	CHECK(asn_of(db, "") == 0 && asn_of(db, "host") == 0 && asn_of(NULL, "203.0.113.10") == 0);

	CHECK(world_init(&w, &names, db) == 0);
	r = mail(T0, mailbox(GUID_A, "ann@example.com"), client(GRAPH, APP_1, APP_1, GRAPH, "REST"), ACCESS_BIND, 1);
	set_ip(&r, "203.0.113.10");
	world_meet(&w, &r, &e);
	CHECK_TEXT(world_net_label(&w, e.net), "AS64500");
	CHECK(w.nets[e.net].asn == 64500);
	set_ip(&r, "192.0.2.200"); /* falls back */
	world_meet(&w, &r, &e);
	CHECK_TEXT(world_net_label(&w, e.net), "192.0.0.0/16");
	set_ip(&r, "20.190.160.5"); /* Microsoft's before anybody's */
	world_meet(&w, &r, &e);
	CHECK(e.net == NET_MICROSOFT);
	world_release(&w);
	asn_close(db);
	asn_close(NULL);
	test_damaged_asn(path);
}

/* -- the world -- */

static void test_mailboxes(void)
{
	struct world w;
	struct event e;
	struct rec r;
	uint64_t c = client(GRAPH, APP_1, APP_1, GRAPH, "REST");
	uint32_t a, b;

	CHECK(world_init(&w, &names, NULL) == 0);
	/* one GUID: without a UPN, then two spellings, then another name altogether */
	r = mail(T0, mailbox(GUID_A, ""), c, ACCESS_BIND, 1);
	world_meet(&w, &r, &e);
	a = e.mailbox;
	CHECK(a == 0 && world_mailbox_upn(&w, a).n == 0 && str_is(world_mailbox_guid(&w, a), GUID_A));
	r = mail(T0 + 1, mailbox(GUID_A, "Ann@example.com"), c, ACCESS_BIND, 1);
	world_meet(&w, &r, &e);
	CHECK(e.mailbox == a && str_is(world_mailbox_upn(&w, a), "Ann@example.com"));
	r = mail(T0 + 2, mailbox(GUID_A, "ann@EXAMPLE.com"), c, ACCESS_BIND, 1);
	world_meet(&w, &r, &e);
	r = mail(T0 + 3, mailbox(GUID_A, "ann.new@example.com"), c, ACCESS_BIND, 1);
	world_meet(&w, &r, &e);
	CHECK(e.mailbox == a && str_is(world_mailbox_upn(&w, a), "Ann@example.com"));
	CHECK(w.mailbox_count == 1 && w.mailboxes[a].records == 4 && w.mailboxes[a].items == 4);

	/* by name only: the GUID's mailbox is known under it, in any spelling */
	r = mail(T0 + 4, mailbox("", "ANN@example.COM"), c, ACCESS_BIND, 1);
	r.flags |= REC_MAILBOX_BY_NAME;
	world_meet(&w, &r, &e);
	CHECK(e.mailbox == a && w.mailbox_count == 1);
	r = mail(T0 + 5, mailbox("", "ann.NEW@example.com"), c, ACCESS_BIND, 1);
	world_meet(&w, &r, &e);
	CHECK(e.mailbox == a && str_is(world_mailbox_guid(&w, a), GUID_A));

	/* the zero GUID is no GUID; the name decides, and it is seen before its GUID is */
	r = mail(T0 + 6, mailbox(ZERO, "Bob@example.com"), c, ACCESS_BIND, 1);
	world_meet(&w, &r, &e);
	b = e.mailbox;
	CHECK(b == 1 && world_mailbox_guid(&w, b).n == 0 && str_is(world_mailbox_upn(&w, b), "Bob@example.com"));
	r = mail(T0 + 7, mailbox("", "bob@EXAMPLE.com"), c, ACCESS_BIND, 1);
	world_meet(&w, &r, &e);
	CHECK(e.mailbox == b && w.mailbox_count == 2);
	r = mail(T0 + 8, mailbox(GUID_B, "bob@example.com"), c, ACCESS_BIND, 1);
	world_meet(&w, &r, &e);
	CHECK(e.mailbox == 2); /* not merged afterwards */
	r = mail(T0 + 9, mailbox("", "BOB@example.com"), c, ACCESS_BIND, 1);
	world_meet(&w, &r, &e);
	CHECK(e.mailbox == b); /* and by name it stays the first one, in any spelling */

	/* a name given anew stays with the first GUID */
	r = mail(T0 + 10, mailbox("5f0c7a10-0000-4000-8000-0000000000d4", "ann@example.com"), c, ACCESS_BIND, 1);
	world_meet(&w, &r, &e);
	CHECK(e.mailbox == 3);
	r = mail(T0 + 11, mailbox("", "aNN@example.com"), c, ACCESS_BIND, 1);
	world_meet(&w, &r, &e);
	CHECK(e.mailbox == a);

	/* nothing at all; a mask in the GUID's place; a text that was lost */
	r = mail(T0 + 12, mailbox(ZERO, ""), c, ACCESS_BIND, 1);
	world_meet(&w, &r, &e);
	CHECK(e.mailbox == NONE && !e.edge && w.refused.mailboxes == 0);
	r = mail(T0 + 13, 0, c, ACCESS_BIND, 1);
	world_meet(&w, &r, &e);
	CHECK(e.mailbox == NONE && e.client == 0);
	r = mail(T0 + 14, mailbox("[masked 1]", "x@example.com"), c, ACCESS_BIND, 1);
	world_meet(&w, &r, &e);
	CHECK(e.mailbox == 4 && str_is(world_mailbox_guid(&w, 4), "[masked 1]"));
	r = mail(T0 + 15, 987654321, c, ACCESS_BIND, 1);
	world_meet(&w, &r, &e);
	CHECK(e.mailbox == 5 && world_mailbox_upn(&w, 5).n == 0 && world_mailbox_guid(&w, 5).n == 0);
	world_meet(&w, &r, &e);
	CHECK(e.mailbox == 5 && w.mailbox_count == 6);
	CHECK(world_mailbox_upn(&w, NONE).n == 0 && world_mailbox_guid(&w, 99).n == 0);
	CHECK(w.active_mailboxes == 6 && w.count.mail_records == 17);
	world_release(&w);
	world_release(&w);
}

static void test_clients(void)
{
	struct world w;
	struct event e;
	struct rec r;
	uint64_t m = mailbox(GUID_A, "ann@example.com");

	CHECK(world_init(&w, &names, NULL) == 0);
	/* one key, three ways to write it; the label is the first with both ids */
	r = mail(T0, m, client("", APP_1, APP_1, GRAPH, "REST"), ACCESS_BIND, 1);
	world_meet(&w, &r, &e);
	CHECK(e.client == 0 && world_client_part(&w, 0, CLIENT_APP_ID).n == 0 && e.client_is_new && e.edge_is_new);
	r = mail(T0 + 1, m, client(GRAPH, "", APP_1, GRAPH, "REST"), ACCESS_BIND, 1);
	world_meet(&w, &r, &e);
	CHECK(e.client == 0 && world_client_part(&w, 0, CLIENT_APP_ID).n == 0 && !e.edge_is_new);
	r = mail(T0 + 2, m, client(GRAPH, APP_1, APP_1, GRAPH, "REST"), ACCESS_BIND, 1);
	world_meet(&w, &r, &e);
	CHECK(e.client == 0 && str_is(world_client_part(&w, 0, CLIENT_APP_ID), GRAPH));
	CHECK(str_is(world_client_part(&w, 0, CLIENT_CLIENT_APP_ID), APP_1));
	r = mail(T0 + 3, m, client(APP_2, APP_1, APP_1, GRAPH, "REST"), ACCESS_BIND, 1);
	world_meet(&w, &r, &e);
	CHECK(str_is(world_client_part(&w, 0, CLIENT_APP_ID), GRAPH) && w.client_count == 1 && w.clients[0].mailboxes == 1);

	/* no ids: a pseudo name, no application; another door or family is another client */
	r = mail(T0 + 4, m, client("", "", "MSExchangeRPC", "", "MSExchangeRPC"), ACCESS_SYNC, 0);
	world_meet(&w, &r, &e);
	CHECK(e.client == 1 && !w.clients[1].has_app && w.clients[0].has_app && world_client_name(&w, 1).n == 0);
	r = mail(T0 + 5, m, client(APP_1, APP_1, APP_1, "", "REST"), ACCESS_BIND, 1);
	world_meet(&w, &r, &e);
	CHECK(e.client == 2);
	r = mail(T0 + 6, m, client(GRAPH, APP_1, APP_1, GRAPH, "WebServices"), ACCESS_BIND, 1);
	world_meet(&w, &r, &e);
	CHECK(e.client == 3 && w.client_count == 4 && w.mailboxes[0].clients == 4);
	r = mail(T0 + 7, m, client(GRAPH, "", GRAPH, "", "REST"), ACCESS_BIND, 1);
	world_meet(&w, &r, &e);
	CHECK(str_is(world_client_name(&w, e.client), "Microsoft Graph"));
	CHECK(world_client_name(&w, 0).n == 0 && world_client_part(&w, NONE, CLIENT_API).n == 0);
	r = mail(T0 + 8, m, 0, ACCESS_BIND, 1);
	world_meet(&w, &r, &e);
	CHECK(e.client == NONE && !e.edge && e.mailbox == 0 && !e.mailbox_is_new);
	CHECK(w.clients[0].records == 4 && w.clients[0].binds == 4 && w.clients[1].syncs == 1);
	CHECK(w.clients[0].key != w.clients[3].key);
	world_release(&w);
}

static void test_counts(void)
{
	struct world w;
	struct event e;
	struct rec r;
	uint64_t m = mailbox(GUID_A, "ann@example.com"), c = client("", "", "MSExchangeRPC", "", "MSExchangeRPC");
	struct world_operation ops[8];
	size_t n;

	CHECK(world_init(&w, &names, NULL) == 0);
	CHECK(world_operations(&w, ops, 8) == 0);
	r = other(0, OP_SIGN_IN, "Sign-in activity"); /* exported without its time: counted, but it is no beginning */
	r.class_ = CLASS_SIGNIN;
	r.flags = REC_NO_TIME;
	world_meet(&w, &r, &e);
	CHECK(w.count.records == 1 && w.count.signins == 1 && w.first_us == 0 && w.last_us == 0);
	world_release(&w);
	CHECK(world_init(&w, &names, NULL) == 0);
	world_meet(&w, &r, &e);
	r = mail(T0, m, c, ACCESS_SYNC, 500); /* a sync that claims items: its volume is unknown all the same */
	r.bytes = 1000;
	r.folder = 11;
	world_meet(&w, &r, &e);
	CHECK(e.edge->syncs == 1 && e.edge->items == 0 && e.edge->folders_synced == 1);
	world_meet(&w, &r, &e);
	r.folder = 12;
	world_meet(&w, &r, &e);
	r.folder = 0; /* a folder that cannot be distinguished from others is none */
	world_meet(&w, &r, &e);
	CHECK(e.edge->folders_synced == 2 && w.clients[0].folders_synced == 2 && w.clients[0].syncs == 4);
	r = mail(T0 + 1, mailbox(GUID_B, "bob@example.com"), c, ACCESS_SYNC, 0);
	r.folder = 11; /* the same folder of another mailbox is another folder */
	world_meet(&w, &r, &e);
	CHECK(w.clients[0].folders_synced == 3 && e.edge->folders_synced == 1);
	CHECK(w.count.items == 0 && w.count.bytes == 0 && w.mailboxes[0].items == 0 && w.mailboxes[0].syncs == 4);

	r = mail(T0 + 2, m, c, ACCESS_BIND, 7);
	r.bytes = 100;
	world_meet(&w, &r, &e);
	r = mail(T0 + 3, m, c, ACCESS_ATTACHMENT, 2);
	r.bytes = 10;
	world_meet(&w, &r, &e);
	r = mail(T0 + 4, m, c, ACCESS_UNKNOWN, 50);
	world_meet(&w, &r, &e);
	r = mail(T0 + 5, m, c, ACCESS_NONE, 50);
	world_meet(&w, &r, &e);
	CHECK(w.count.items == 9 && w.count.bytes == 110 && w.count.unknown_access == 2);
	CHECK(w.count.binds == 1 && w.count.syncs == 5 && w.count.attachments == 1 && w.count.mail_records == 9);
	CHECK(e.edge->items == 9 && e.edge->attachments == 1 && e.edge->records == 8);
	CHECK(w.clients[0].items == 9 && w.clients[0].bytes == 110 && w.clients[0].attachments == 1);

	/* other records: resolved and counted, but they are not mail */
	r = other(T0 + 6, OP_USER_LOGGED_IN, "UserLoggedIn");
	r.actor = actor("ann@example.com");
	r.tenant = put(NAME_TENANT, "5f0c7a10-0000-4000-8000-000000000001", "", "", "", "");
	world_meet(&w, &r, &e);
	CHECK(e.actor == 0 && e.tenant == 0 && e.mailbox == NONE && !e.edge && !e.edge_is_new && !e.mailbox_is_new);
	CHECK(str_is(world_actor(&w, 0), "ann@example.com") && world_tenant(&w, 0).n == 36 && world_actor(&w, NONE).n == 0);
	r.op = OP_USER_LOGIN_FAILED;
	world_meet(&w, &r, &e);
	r.class_ = CLASS_SIGNIN;
	r.op = OP_SIGN_IN;
	world_meet(&w, &r, &e);
	r.class_ = CLASS_DIRECTORY; /* a copy in another log is no sign-in of the audit log */
	r.op = OP_USER_LOGGED_IN;
	world_meet(&w, &r, &e);
	CHECK(w.count.signins == 4 && w.actor_count == 1 && w.tenant_count == 1);
	r = other(T0 + 7, OP_OTHER, "FileAccessed");
	world_meet(&w, &r, &e);
	r.class_ = CLASS_OTHER;
	world_meet(&w, &r, &e);
	r.class_ = 200; /* no class at all: counted as a record, nowhere else */
	world_meet(&w, &r, &e);
	CHECK(w.count.unknown_operations == 1 && w.count.by_class[CLASS_AUDIT] == 12 && w.count.by_class[CLASS_SIGNIN] == 2);
	CHECK(w.count.records == 17 && w.count.mail_records == 9 && w.first_us == T0 && w.last_us == T0 + 7);
	CHECK(w.mail_first_us == T0 && w.mail_last_us == T0 + 5);
	CHECK(e.tenant_learnt_us == 7 && e.active_mailboxes == 2);

	n = world_operations(&w, ops, 8);
	CHECK(n == 5 && str_is(ops[4].name, "Sign-in activity") && str_is(ops[0].name, "MailItemsAccessed") && ops[0].count == 8 && ops[0].known);
	CHECK(str_is(ops[1].name, "UserLoggedIn") && ops[1].count == 4);
	CHECK(str_is(ops[2].name, "FileAccessed") && ops[2].count == 3 && !ops[2].known);
	n = world_operations(&w, ops, 3);
	CHECK(n == 3 && str_is(ops[2].name, "(others)") && ops[2].count == 5);
	CHECK(world_operations(&w, ops, 5) == 5 && str_is(ops[3].name, "AttachmentAccess"));
	CHECK(world_operations(&w, ops, 1) == 1 && ops[0].count == 17);
	CHECK(world_operations(&w, ops, 0) == 0);
	world_release(&w);
}

static void test_prevalence(void)
{
	struct world w;
	struct event e;
	struct rec r;
	uint64_t c = client(GRAPH, APP_1, APP_1, GRAPH, "REST"), d = client(GRAPH, APP_2, APP_2, GRAPH, "REST");
	uint64_t a = mailbox(GUID_A, "ann@example.com"), b = mailbox(GUID_B, "bob@example.com");
	const struct edge *first;
	uint32_t pos = 0;

	CHECK(world_init(&w, &names, NULL) == 0);
	r = mail(T0, a, c, ACCESS_BIND, 3);
	world_meet(&w, &r, &e);
	CHECK(e.edge_is_new && e.client_is_new && e.mailbox_is_new && e.client_mailboxes == 0 && e.active_mailboxes == 0);
	CHECK(e.mailbox_learnt_us == 0 && e.tenant_learnt_us == 0 && e.rec == &r && e.edge->items == 3);
	first = e.edge;
	r = mail(T0 + US_PER_DAY, a, c, ACCESS_BIND, 2);
	world_meet(&w, &r, &e);
	CHECK(!e.edge_is_new && !e.client_is_new && !e.mailbox_is_new && e.client_mailboxes == 1 && e.active_mailboxes == 1);
	CHECK(e.mailbox_learnt_us == US_PER_DAY && e.tenant_learnt_us == US_PER_DAY && e.edge == first && first->items == 5);
	CHECK(first->first_us == T0 && first->last_us == T0 + US_PER_DAY && first->records == 2);
	r = mail(T0 + 2 * US_PER_DAY, b, c, ACCESS_BIND, 1);
	world_meet(&w, &r, &e);
	CHECK(e.edge_is_new && !e.client_is_new && e.mailbox_is_new && e.client_mailboxes == 1 && e.active_mailboxes == 1);
	CHECK(e.mailbox_learnt_us == 0 && e.tenant_learnt_us == 2 * US_PER_DAY);
	r = mail(T0 + 3 * US_PER_DAY, b, d, ACCESS_BIND, 1);
	world_meet(&w, &r, &e);
	CHECK(e.edge_is_new && e.client_is_new && !e.mailbox_is_new && e.client_mailboxes == 0 && e.active_mailboxes == 2);
	CHECK(e.mailbox_learnt_us == US_PER_DAY);
	CHECK(w.clients[0].mailboxes == 2 && w.clients[1].mailboxes == 1 && w.mailboxes[1].clients == 2);
	CHECK(world_edge(&w, 0, 0) == first && !world_edge(&w, 0, 1) && !world_edge(&w, NONE, 0));
	CHECK(world_edge_next(&w, &pos) == first && world_edge_next(&w, &pos) && world_edge_next(&w, &pos));
	CHECK(!world_edge_next(&w, &pos) && pos == 3);

	/* a mailbox known from a rule is known, but not active */
	r = other(T0 + 4 * US_PER_DAY, OP_NEW_INBOX_RULE, "New-InboxRule");
	r.mailbox = mailbox("5f0c7a10-0000-4000-8000-0000000000c3", "cid@example.com");
	r.client = client("", "", "OWA", "", "OWA");
	world_meet(&w, &r, &e);
	CHECK(e.mailbox == 2 && e.client == 2 && w.active_mailboxes == 2 && w.clients[2].records == 0 && !e.edge);
	r = mail(T0 + 5 * US_PER_DAY, r.mailbox, c, ACCESS_BIND, 1);
	world_meet(&w, &r, &e);
	CHECK(e.mailbox_is_new && e.mailbox_learnt_us == 0 && w.active_mailboxes == 3 && e.client_mailboxes == 2);

	/* equal times and a step back (a careless caller): lengths of time are never negative */
	r = mail(T0 - US_PER_DAY, a, c, ACCESS_BIND, 1);
	world_meet(&w, &r, &e);
	CHECK(e.mailbox_learnt_us == 0 && e.tenant_learnt_us == 0 && w.first_us == T0 - US_PER_DAY);
	world_release(&w);
}

static void test_networks_of_clients(void)
{
	struct world w;
	struct event e;
	uint64_t m = mailbox(GUID_A, "ann@example.com"), c = client(GRAPH, APP_1, APP_1, GRAPH, "REST");
	struct rec r = mail(T0, m, c, ACCESS_BIND, 1);
	char text[32];

	CHECK(world_init(&w, &names, NULL) == 0);
	CHECK(w.net_count == 2);
	CHECK_TEXT(world_net_label(&w, NET_NONE), "");
	CHECK_TEXT(world_net_label(&w, NET_MICROSOFT), "Microsoft");
	CHECK_TEXT(world_net_label(&w, NONE), "");
	world_meet(&w, &r, &e);
	CHECK(e.net == NET_NONE && w.clients[0].networks == 0);
	set_ip(&r, "10.0.0.1");
	world_meet(&w, &r, &e);
	set_ip(&r, "localhost");
	world_meet(&w, &r, &e);
	CHECK(e.net == NET_NONE && !w.clients[0].microsoft_front_end);
	set_ip(&r, "20.190.160.1");
	world_meet(&w, &r, &e);
	CHECK(e.net == NET_MICROSOFT && w.clients[0].microsoft_front_end && w.clients[0].networks == 0);
	for (unsigned round = 0; round < 2; round++)
		for (unsigned i = 0; i < 3000; i++) { /* more than the caches hold */
			snprintf(text, sizeof(text), "203.%u.%u.9", i % 30, i % 250);
			set_ip(&r, text);
			world_meet(&w, &r, &e);
			snprintf(text, sizeof(text), "203.%u.0.0/16", i % 30);
			if (strcmp(world_net_label(&w, e.net), text)) {
				CHECK_TEXT(world_net_label(&w, e.net), text);
				break;
			}
		}
	CHECK(w.clients[0].networks == 30 && w.net_count == 32);
	set_ip(&r, "2001:db8::1");
	world_meet(&w, &r, &e);
	CHECK(w.clients[0].networks == 31);
	world_release(&w);
}

static void test_ids(void)
{
	struct world w;
	struct str part = STR("not-a-guid-id");
	uint8_t id[16];
	char out[ID_TEXT_SIZE];
	uint64_t ref;

	CHECK(world_init(&w, &names, NULL) == 0);
	hash128(part.p, part.n, id);
	memcpy(&ref, id, 8);
	CHECK(str_is(world_id_text(&w, id, true, out), "hash:") == false && world_id_text(&w, id, true, out).n == 37);
	names_put_ref(&names, ref, NAME_ID, &part, 1);
	CHECK(str_is(world_id_text(&w, id, true, out), "not-a-guid-id"));
	CHECK(str_is(world_token_text(&w, id, true, out), "not-a-guid-id"));
	CHECK(guid_parse(STR(GUID_A), id));
	CHECK(str_is(world_id_text(&w, id, false, out), GUID_A));
	CHECK(world_token_text(&w, id, false, out).n == 22);
	world_release(&w);
}

static void test_ceilings(void)
{
	struct world w;
	struct event e;
	struct rec r;
	uint64_t two[2] = { mailbox(GUID_A, "ann@example.com"), mailbox(GUID_B, "bob@example.com") };
	char text[64];
	uint32_t edges = 0, pos = 0;
	struct world_operation ops[4];

	/* clients, and edges: two mailboxes may have 65536 + 24 */
	CHECK(world_init(&w, &names, NULL) == 0);
	for (unsigned i = 0; i < CLIENTS_MAX + 10; i++) {
		snprintf(text, sizeof(text), "caller %u", i);
		r = mail(T0 + i, two[i % 2], client("", "", text, "", "other"), ACCESS_BIND, 1);
		world_meet(&w, &r, &e);
	}
	CHECK(w.client_count == CLIENTS_MAX && w.refused.clients == 10 && e.client == NONE && e.mailbox != NONE);
	while (world_edge_next(&w, &pos))
		edges++;
	CHECK(edges == EDGES_BASE + 2 * EDGES_PER_MAILBOX && w.refused.edges == CLIENTS_MAX - edges);
	r = mail(T0 + CLIENTS_MAX, two[1], client("", "", "caller 99999", "", "other"), ACCESS_BIND, 1);
	world_meet(&w, &r, &e);
	CHECK(e.client == 99999 && !e.edge && !e.edge_is_new && !e.client_is_new); /* no edge: nothing is called new */
	r = mail(T0 + CLIENTS_MAX, two[0], client("", "", "caller 10", "", "other"), ACCESS_BIND, 1);
	world_meet(&w, &r, &e);
	CHECK(e.edge && e.edge->records == 2);
	bool found = true;
	for (uint32_t i = 0; i < edges; i++)
		found = found && world_edge(&w, i % 2, i) && world_edge(&w, i % 2, i)->client == i;
	CHECK(found);

	/* synced folders */
	for (unsigned i = 0; i < EDGES_BASE + 2 * FOLDERS_PER_MAILBOX + 5; i++) {
		r = mail(T0 + CLIENTS_MAX, two[0], client("", "", "caller 10", "", "other"), ACCESS_SYNC, 0);
		r.folder = i + 1;
		world_meet(&w, &r, &e);
	}
	CHECK(w.refused.folders == 5 && e.edge->folders_synced == EDGES_BASE + 2 * FOLDERS_PER_MAILBOX);

	/* operations */
	for (unsigned i = 0; i < OPERATIONS_MAX + 100; i++) {
		snprintf(text, sizeof(text), "Operation %u", i);
		r = other(T0 + CLIENTS_MAX, OP_OTHER, text);
		world_meet(&w, &r, &e);
	}
	CHECK(world_operations(&w, ops, 4) == 4 && str_is(ops[3].name, "(others)"));
	CHECK(ops[0].count + ops[1].count + ops[2].count + ops[3].count == w.count.records);
	struct world_operation *all = malloc((OPERATIONS_MAX + 1) * sizeof(*all));
	CHECK(all && world_operations(&w, all, OPERATIONS_MAX + 1) == OPERATIONS_MAX + 1);
	CHECK(all && all[OPERATIONS_MAX].count == 101); /* MailItemsAccessed took one of the places */
	free(all);

	/* tenants share the actors' counter */
	for (unsigned i = 0; i < 65536 + 3; i++) {
		snprintf(text, sizeof(text), "tenant %u", i);
		r = other(T0 + CLIENTS_MAX, OP_OTHER, "Operation 1");
		r.tenant = put(NAME_TENANT, text, "", "", "", "");
		world_meet(&w, &r, &e);
	}
	CHECK(w.tenant_count == 65536 && e.tenant == NONE && w.refused.actors == 3);

	/* networks: every /16 and enough /32 to pass the ceiling */
	r = (struct rec){ .time_us = T0 + CLIENTS_MAX, .class_ = CLASS_AUDIT, .ip_kind = ADDR_V6, .ip = { 0x2a, 0x0f } };
	for (unsigned i = 0; i < NETS_MAX + 50; i++) {
		r.ip[1] = (uint8_t)(0x10 + (i >> 16));
		r.ip[2] = (uint8_t)(i >> 8);
		r.ip[3] = (uint8_t)i;
		world_meet(&w, &r, &e);
	}
	CHECK(w.net_count == NETS_MAX && e.net == NET_NONE && w.refused.nets == 52);
	world_release(&w);
}

/* -- inventory -- */

static void test_inventory(void)
{
	struct world w;
	struct event e;
	struct rec r;
	struct inventory_row *rows;
	uint64_t phone = client(GRAPH, APP_1, APP_1, GRAPH, "REST"), odd = client(GRAPH, APP_2, APP_2, GRAPH, "REST");
	uint64_t outlook = client("", "", "MSExchangeRPC", "", "MSExchangeRPC"), owa = client("", "", "OWA", "", "OWA");
	char guid[40], upn[40], ip[32];
	size_t n = 0;
	double want;

	CHECK(world_init(&w, &names, NULL) == 0);
	rows = inventory_make(&w, &n);
	CHECK(rows && n == 0);
	free(rows);

	/* 100 mailboxes, each from its own network, two clients everywhere; the odd one reads 10 of them from one network */
	for (unsigned day = 0; day < 3; day++)
		for (unsigned i = 0; i < 100; i++) {
			uint64_t m;

			snprintf(guid, sizeof(guid), "5f0c7a10-0000-4000-8000-%012u", i);
			snprintf(upn, sizeof(upn), "user%u@example.com", i);
			m = mailbox(guid, upn);
			r = mail(T0 + day * US_PER_DAY + i, m, phone, ACCESS_BIND, 4);
			snprintf(ip, sizeof(ip), "198.%u.0.1", i);
			set_ip(&r, ip);
			world_meet(&w, &r, &e);
			r = mail(T0 + day * US_PER_DAY + i, m, outlook, ACCESS_SYNC, 0);
			set_ip(&r, ip);
			world_meet(&w, &r, &e);
			if (day == 1 && i < 10) {
				r = mail(T0 + day * US_PER_DAY + i, m, odd, ACCESS_BIND, 60);
				set_ip(&r, "203.0.113.7");
				world_meet(&w, &r, &e);
			}
		}
	r = other(T0 + 9 * US_PER_DAY, OP_SEND, "Send");
	r.client = owa;
	world_meet(&w, &r, &e);
	CHECK(w.client_count == 4);
	rows = inventory_make(&w, &n);
	CHECK(rows && n == 3); /* a client without a mail record is no row */
	CHECK(rows[0].client == 2 && str_is(world_client_part(&w, rows[0].client, CLIENT_CALLER), APP_2));
	CHECK(fabs(rows[0].share - 0.1) < 1e-12);
	/* x: ln 61 and ln 5; median of two is their mean, MAD half their distance, so z = 1 / 1.4826 */
	want = -log10(10.5 / 101) + 1 / 1.4826 + log2(10);
	CHECK_MSG(fabs(rows[0].unusual - want) < 1e-9, "%.12f, want %.12f", rows[0].unusual, want);
	/* the other two: everywhere, from as many networks as mailboxes */
	want = -log10(100.5 / 101);
	CHECK(fabs(rows[1].unusual - want) < 1e-9 && rows[1].unusual == rows[2].unusual);
	CHECK(w.clients[rows[1].client].key < w.clients[rows[2].client].key && rows[1].share == 1);
	free(rows);
	world_release(&w);

	/* the floor under MAD: four alike, one with ten times as much */
	CHECK(world_init(&w, &names, NULL) == 0);
	for (unsigned i = 0; i < 5; i++) {
		snprintf(upn, sizeof(upn), "caller %u", i);
		r = mail(T0, mailbox(GUID_A, "ann@example.com"), client("", "", upn, "", "REST"), ACCESS_BIND, i == 3 ? 90 : 9);
		world_meet(&w, &r, &e);
	}
	rows = inventory_make(&w, &n);
	want = -log10(1.5 / 2) + (log(91) - log(10)) / (1.4826 * 0.25);
	CHECK_MSG(rows && n == 5 && rows[0].client == 3 && fabs(rows[0].unusual - want) < 1e-9, "%.12f", want);
	free(rows);
	world_release(&w);
}

static void test_app_names(void)
{
	static const struct { const char *id, *name; } rows[] = {
		{ GRAPH, "Microsoft Graph" },
		{ "00000002-0000-0ff1-ce00-000000000000", "Office 365 Exchange Online" },
		{ "5d661950-3475-41cd-a2c3-d671a3162bc1", "Microsoft Outlook" },
		{ "27922004-5251-4030-b22d-91ecd9a37ea4", "Outlook Mobile" },
		{ "24435e4b-87d0-4d7d-8beb-63a9b1573022", "Field Service \xe2\x80\x93 Automated Routing Engine Add-On" },
		{ ZERO, "" },                                    /* in the list, but no applications: */
		{ "11111111-1111-1111-1111-111111111111", "" },
		{ "9188040d-6c67-4c5b-b112-36a304b66dad", "" },  /* the tenant of consumer accounts */
		{ "72f988bf-86f1-41af-91ab-2d7cd011db47", "" },  /* Microsoft's */
		{ "810c84a8-4a9e-49e6-bf7d-12d183f40d01", "" },  /* Mail.Read */
		{ "570282fd-fa5c-430d-a7fd-fc8dc98a9dca", "" },  /* Mail.Read, delegated */
		{ "9398c3de-3f6b-4958-90f3-5098714ff50c", "" },  /* ChatMessage.Read.Chat */
		{ "08987058-cadc-4b81-b6e1-30de50dcbe96", "" },  /* id with trailing blanks */
		{ APP_1, "" },
		{ "ffffffff-ffff-ffff-ffff-ffffffffffff", "" },
	};
	uint8_t id[16];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CHECK(guid_parse(str_of(rows[i].id), id));
		CHECK_MSG(str_is(app_name(id), rows[i].name), "%s: \"%.*s\"", rows[i].id, STR_ARG(app_name(id)));
	}
}

/* -- measures -- */

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static size_t resident(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	unsigned long all = 0, here = 0;

	if (f) {
		if (fscanf(f, "%lu %lu", &all, &here) != 2)
			here = 0;
		fclose(f);
	}
	return here * (size_t)sysconf(_SC_PAGESIZE);
}

static void bench(unsigned mailboxes, unsigned records)
{
	enum { CLIENTS = 300, PER_MAILBOX = 12 };
	uint64_t *m = malloc(mailboxes * sizeof(*m)), *u = malloc(mailboxes * sizeof(*u)), c[CLIENTS];
	struct rec *rec = malloc(records * sizeof(*rec));
	size_t before, after_names, after;
	uint64_t sum = 0, seed = 1;
	struct names n;
	struct world w;
	struct event e;
	char a[64], b[64];
	double start;

	memset(m, 1, mailboxes * sizeof(*m));
	memset(u, 1, mailboxes * sizeof(*u));
	memset(rec, 1, records * sizeof(*rec));
	before = resident();
	names_init(&n);
	for (unsigned i = 0; i < mailboxes; i++) {
		struct str parts[2] = { { a, (size_t)snprintf(a, sizeof(a), "5f0c7a10-0000-4000-8000-%012u", i) },
			{ b, (size_t)snprintf(b, sizeof(b), "first.last%u@example.com", i) } };

		m[i] = names_put(&n, NAME_MAILBOX, parts, 2);
		u[i] = names_put(&n, NAME_ACTOR, parts + 1, 1);
	}
	for (unsigned i = 0; i < CLIENTS; i++) {
		snprintf(a, sizeof(a), "5f0c7a10-0000-4000-8000-%012u", i);
		struct str parts[5] = { STR(GRAPH), str_of(a), str_of(a), STR(GRAPH), STR("REST") };
		c[i] = names_put(&n, NAME_CLIENT, parts, 5);
	}
	uint64_t op = operation("MailItemsAccessed");
	for (unsigned i = 0; i < records; i++) {
		seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
		unsigned box = (unsigned)(seed >> 33) % mailboxes, k = (unsigned)(seed >> 20) % PER_MAILBOX;

		rec[i] = (struct rec){ .time_us = T0 + i * 1000, .mailbox = m[box], .actor = u[box], .tenant = 5, .operation = op,
			.client = c[(box * 7 + k) % CLIENTS], .class_ = CLASS_AUDIT, .op = OP_MAIL_ITEMS_ACCESSED,
			.access = ACCESS_BIND, .items = 3, .ip_kind = ADDR_V4 };
		rec[i].ip[0] = 198;
		rec[i].ip[1] = (uint8_t)(box % 200);
		rec[i].ip[2] = (uint8_t)(box >> 8);
		rec[i].ip[3] = (uint8_t)box;
	}
	after_names = resident();
	if (world_init(&w, &n, NULL))
		exit(1);
	for (unsigned pass = 0; pass < 2; pass++) {
		start = seconds();
		for (unsigned i = 0; i < records; i++) {
			world_meet(&w, &rec[i], &e);
			sum += e.edge_is_new;
		}
		printf("%u mailboxes, %u records, pass %u: %.1f ns a record\n", mailboxes, records, pass + 1,
			(seconds() - start) / records * 1e9);
	}
	after = resident();
	printf("  edges %llu (%.1f a mailbox), names %.0f bytes a mailbox (mailbox and actor), world %.0f bytes a mailbox\n",
		(unsigned long long)sum, (double)sum / mailboxes, (double)(after_names - before) / mailboxes,
		(double)(after - after_names) / mailboxes);
	start = seconds();
	for (unsigned i = 0; i < records; i++) { /* the hit path of a decoder: the client string of a record */
		snprintf(a, sizeof(a), "5f0c7a10-0000-4000-8000-%012u", 7u);
		struct str parts[5] = { STR(GRAPH), { a, 36 }, { a, 36 }, STR(GRAPH), STR("REST") };
		sum += names_put(&n, NAME_CLIENT, parts, 5);
	}
	double with = seconds() - start;
	start = seconds();
	for (unsigned i = 0; i < records; i++) {
		snprintf(a, sizeof(a), "5f0c7a10-0000-4000-8000-%012u", 7u);
		sum += (uint8_t)a[5];
	}
	printf("  names_put of a known client: %.1f ns (%llu)\n", (with - (seconds() - start)) / records * 1e9,
		(unsigned long long)sum % 7);
	world_release(&w);
	names_release(&n);
	free(rec);
	free(u);
	free(m);
}

int main(int argc, char **argv)
{
	names_init(&names);
	if (argc > 1 && !strcmp(argv[1], "bench")) {
		bench(argc > 2 ? (unsigned)atoi(argv[2]) : 10000, argc > 3 ? (unsigned)atoi(argv[3]) : 1000000);
	} else {
		test_names();
		test_names_take();
		test_details();
		test_net();
		test_asn();
		test_mailboxes();
		test_clients();
		test_counts();
		test_prevalence();
		test_networks_of_clients();
		test_ids();
		test_ceilings();
		test_inventory();
		test_app_names();
	}
	names_release(&names);
	return check_summary();
}
