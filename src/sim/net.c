/* SPDX-License-Identifier: Apache-2.0 */
/* net: the address plan, and the file that maps its addresses to networks.
 *
 * Reserved addresses only, except for Microsoft's own: 198.18.0.0/15 (benchmarks, RFC 2544) in /24s and 2001:db8::/32
 * (documentation, RFC 3849) in /48s.  A reader without the file takes each /16 for a network, and
 * there are two of them here: only a reader with the file can see the made-up networks.
 *
 * The file's form is the MaxMind DB 2.0 (public): a binary trie over address bits with IPv4 under ::/96, 24-bit
 * records, two a node; 16 zero bytes; the values; a marker; a map that describes it all.  A record below the number of
 * nodes is a node, equal to it is "nothing", above it points into the values. */
#include <stdlib.h>

#include "sim/sim_int.h"

#define ASN_BASE UINT32_C(4200000000) /* the first of those for private use, RFC 6996 */

static char *write_hex(char *p, uint32_t n)
{
	int digits = 1;

	while (digits < 8 && n >> (4 * digits))
		digits++;
	for (int i = digits - 1; i >= 0; i--)
		*p++ = "0123456789abcdef"[n >> (4 * i) & 15];
	return p;
}

static char *write_text(char *p, struct str s)
{
	memcpy(p, s.p, s.n);
	return p + s.n;
}

char *place_write(char *p, uint32_t place)
{
	const uint32_t net = place_net(place), host = place & 0xffff;

	if (net == NET_FRONT_END) {
		p = write_text(p, host & 1 ? STR("20.190.160.") : STR("40.126.32."));
		return write_number(p, host / 2 % 128);
	}
	if (net == NET_DATA_CENTRE) {
		p = write_text(p, STR("2603:10a6:"));
		p = write_hex(p, 0x200 + host % 64);
		*p++ = ':';
		p = write_hex(p, 1 + host / 64);
		return write_text(p, STR("::15"));
	}
	if (place >> 16 & 1) {
		p = write_text(p, STR("2001:db8:"));
		p = write_hex(p, net);
		p = write_text(p, STR("::"));
		return write_hex(p, host ? host : 1);
	}
	p = write_text(p, net < 256 ? STR("198.18.") : STR("198.19."));
	p = write_number(p, net % 256);
	*p++ = '.';
	return write_number(p, 1 + host % 254);
}

/* -- the file -- */

enum { KIND_TEXT = 2, KIND_UINT16 = 5, KIND_UINT32 = 6, KIND_MAP = 7, KIND_UINT64 = 9, KIND_ARRAY = 11 };
#define ASN_NODES_MAX 8192
#define ASN_BYTES_MAX (1 * MIB)
#define FREE	      UINT32_MAX
#define DATA	      UINT32_C(0x40000000) /* a record that points at a value, while the trie is built */

struct trie {
	uint32_t node[ASN_NODES_MAX][2];
	uint32_t n;
};

static void add_control(struct buf *b, unsigned kind, unsigned size)
{
	if (kind <= 7) {
		buf_add_char(b, (char)(kind << 5 | (size < 29 ? size : 29)));
	} else {
		buf_add_char(b, (char)(size < 29 ? size : 29));
		buf_add_char(b, (char)(kind - 7));
	}
	if (size >= 29)
		buf_add_char(b, (char)(size - 29));
}

static void add_text(struct buf *b, const char *s)
{
	add_control(b, KIND_TEXT, (unsigned)strlen(s));
	buf_add_cstr(b, s);
}

static void add_uint(struct buf *b, unsigned kind, uint64_t n)
{
	unsigned size = 0;

	while (size < 8 && n >> (8 * size))
		size++;
	add_control(b, kind, size);
	while (size--)
		buf_add_char(b, (char)(n >> (8 * size) & 255));
}

/* the prefix of that many bits leads to the value at `offset` */
static void trie_add(struct trie *t, const uint8_t *prefix, unsigned bits, uint32_t offset)
{
	uint32_t node = 0;

	for (unsigned i = 0; i + 1 < bits; i++) {
		uint32_t *next = &t->node[node][prefix[i / 8] >> (7 - i % 8) & 1];
		if (*next == FREE) {
			if (t->n == ASN_NODES_MAX)
				return;
			t->node[t->n][0] = t->node[t->n][1] = FREE;
			*next = t->n++;
		}
		node = *next;
	}
	t->node[node][prefix[(bits - 1) / 8] >> (7 - (bits - 1) % 8) & 1] = DATA | offset;
}

static void add_metadata(struct buf *b, uint32_t nodes)
{
	static const char marker[] = "\xab\xcd\xefMaxMind.com";

	buf_add(b, marker, sizeof(marker) - 1);
	add_control(b, KIND_MAP, 9);
	add_text(b, "node_count");
	add_uint(b, KIND_UINT32, nodes);
	add_text(b, "record_size");
	add_uint(b, KIND_UINT16, 24);
	add_text(b, "ip_version");
	add_uint(b, KIND_UINT16, 6);
	add_text(b, "database_type");
	add_text(b, "Made-Up-ASN");
	add_text(b, "languages");
	add_control(b, KIND_ARRAY, 1);
	add_text(b, "en");
	add_text(b, "binary_format_major_version");
	add_uint(b, KIND_UINT16, 2);
	add_text(b, "binary_format_minor_version");
	add_uint(b, KIND_UINT16, 0);
	add_text(b, "build_epoch");
	add_uint(b, KIND_UINT64, 1767225600); /* 2026-01-01, whenever it is made */
	add_text(b, "description");
	add_control(b, KIND_MAP, 1);
	add_text(b, "en");
	add_text(b, "made-up networks of taximeter simulate");
}

bool sim_asn(struct buf *ret)
{
	struct trie *t = malloc(sizeof(*t));
	struct buf data;
	bool ok;

	if (!t)
		return false;
	buf_init(&data, ASN_BYTES_MAX);
	t->n = 1;
	t->node[0][0] = t->node[0][1] = FREE;
	for (unsigned net = 0; net < NETS; net++) {
		const uint8_t v4[16] = { [12] = 198, (uint8_t)(18 + net / 256), (uint8_t)(net % 256) };
		const uint8_t v6[16] = { 0x20, 0x01, 0x0d, 0xb8, (uint8_t)(net >> 8), (uint8_t)net };
		const uint32_t offset = (uint32_t)data.n;
		trie_add(t, v4, 96 + 24, offset);
		trie_add(t, v6, 48, offset);
		add_control(&data, KIND_MAP, 2);
		add_text(&data, "autonomous_system_number");
		add_uint(&data, KIND_UINT32, ASN_BASE + net);
		add_text(&data, "autonomous_system_organization");
		add_text(&data, "MADE-UP");
	}
	for (uint32_t i = 0; i < t->n; i++)
		for (int side = 0; side < 2; side++) {
			const uint32_t to = t->node[i][side];
			const uint32_t n = to == FREE ? t->n : to & DATA ? t->n + 16 + (to & ~DATA) : to;
			buf_add_char(ret, (char)(n >> 16 & 255));
			buf_add_char(ret, (char)(n >> 8 & 255));
			buf_add_char(ret, (char)(n & 255));
		}
	for (int i = 0; i < 16; i++)
		buf_add_char(ret, 0);
	buf_add_str(ret, buf_str(&data));
	add_metadata(ret, t->n);
	ok = !buf_failed(&data) && !buf_failed(ret);
	buf_release(&data);
	free(t);
	return ok;
}
