/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_addr: any bytes as an address.  The text of what was read reads back as the same address, bare, in brackets and
 * with a port; the C library agrees on every text that both accept whole; unused bytes are zero. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/addr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static bool same(struct addr a, struct addr b) { return a.kind == b.kind && memcmp(a.b, b.b, sizeof(a.b)) == 0; }

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t zero[16];
	struct addr a = addr_parse((struct str){ (const char *)data, size });
	char out[ADDR_TEXT_SIZE], dressed[ADDR_TEXT_SIZE + 16], text[64];
	uint8_t theirs[16];

	addr_format(&a, out);
	require(strlen(out) < ADDR_TEXT_SIZE);
	require(same(addr_parse(str_of(out)), a));
	if (a.kind == ADDR_V4 || a.kind == ADDR_V6) {
		snprintf(dressed, sizeof(dressed), " [%s]:65535\r\n", out);
		require(same(addr_parse(str_of(dressed)), a));
		snprintf(dressed, sizeof(dressed), "[%s] ", out);
		require(same(addr_parse(str_of(dressed)), a));
		require(inet_pton(a.kind == ADDR_V4 ? AF_INET : AF_INET6, out, theirs) == 1);
		require(memcmp(theirs, a.b, a.kind == ADDR_V4 ? 4 : 16) == 0);
		require(addr_in(&a, a.b, a.kind == ADDR_V4 ? 32 : 128, a.kind));
	}
	if (a.kind != ADDR_V6)
		require(memcmp(a.b + 4, zero, 12) == 0);
	if (a.kind == ADDR_NONE || a.kind == ADDR_LOCAL)
		require(memcmp(a.b, zero, 16) == 0);
	if (size < sizeof(text) && !memchr(data, 0, size)) {
		memcpy(text, data, size);
		text[size] = '\0';
		if (inet_pton(AF_INET, text, theirs) == 1)
			require(a.kind == ADDR_V4 && memcmp(a.b, theirs, 4) == 0);
		if (inet_pton(AF_INET6, text, theirs) == 1)
			require(a.kind == ADDR_V6 ? memcmp(a.b, theirs, 16) == 0
			                          : a.kind == ADDR_V4 && memcmp(a.b, theirs + 12, 4) == 0);
	}
	(void)addr_is_private(&a);
	return 0;
}
