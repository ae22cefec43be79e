/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_guid: any bytes as a GUID and as a token id.  What parses comes back from each of its texts; a token id of 22
 * characters has one spelling only (in the base64url alphabet); a refusal leaves the result alone. */
#include <stdlib.h>

#include "base/guid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void round_trips(const uint8_t g[16])
{
	char text[GUID_TEXT_SIZE], id[GUID_TEXT_SIZE];
	uint8_t back[16];

	require(guid_parse(str_of(guid_format(g, text)), back) && memcmp(back, g, 16) == 0);
	require(strlen(guid_to_token_id(g, id)) == 22);
	require(guid_from_token_id(str_of(id), back) && memcmp(back, g, 16) == 0);
	require(guid_from_token_id(str_of(text), back) && memcmp(back, g, 16) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t untouched[16] = { 0xaa, 0xbb, 0xcc };
	struct str s = { (const char *)data, size };
	char text[GUID_TEXT_SIZE];
	uint8_t g[16], id[16];
	bool is_guid, is_id;

	memcpy(g, untouched, 16);
	memcpy(id, untouched, 16);
	is_guid = guid_parse(s, g);
	is_id = guid_from_token_id(s, id);
	if (is_guid) {
		round_trips(g);
		require(is_id && memcmp(id, g, 16) == 0);
		require(str_eq_nocase(str_of(guid_format(g, text)), size == 36 ? s : (struct str){ s.p + 1, 36 }));
	} else {
		require(memcmp(g, untouched, 16) == 0);
	}
	if (is_id) {
		round_trips(id);
		if (size == 22 && !memchr(data, '+', size) && !memchr(data, '/', size))
			require(str_eq(str_of(guid_to_token_id(id, text)), s));
	} else {
		require(memcmp(id, untouched, 16) == 0);
	}
	if (size >= 16)
		round_trips(data);
	return 0;
}
