/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_settings: any bytes as an export of audit settings, twice into one: nothing is read or written out of bounds, every
 * account can be printed as a sentence, and the same bytes again add no account. */
#include <stdlib.h>

#include "coverage/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct audit_settings *s = settings_new();
	struct buf error, text;
	size_t count;

	if (!s)
		return 0;
	buf_init(&error, 4096);
	buf_init(&text, 65536);
	settings_parse(s, "fuzz", (const char *)data, size, &error);
	count = s->count;
	settings_parse(s, "fuzz", (const char *)data, size, &error);
	if (s->count != count)
		abort();
	settings_finish(s);
	for (size_t i = 0; i < s->count; i++) {
		buf_clear(&text);
		settings_sentence(&s->accounts[i], &text);
		if (buf_failed(&text) || !text.n)
			abort();
	}
	buf_release(&text);
	buf_release(&error);
	settings_free(s);
	return 0;
}
