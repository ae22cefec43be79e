/* SPDX-License-Identifier: Apache-2.0 */
#include "dump/number.h"

#include <openssl/crypto.h>
#include <stdlib.h>

#include "base/limits.h"

const char *const number_layout_names[NUMBER_LAYOUTS] = { "LE", "BE", "J32", "W64", "W32" };
const uint8_t number_layout_word[NUMBER_LAYOUTS] = { 1, 1, 4, 8, 4 };

void number_to_le(enum number_layout layout, const uint8_t *p, size_t n, uint8_t *ret)
{
	switch (layout) {
	case NUMBER_BE:
		for (size_t i = 0; i < n; i++)
			ret[i] = p[n - 1 - i];
		break;
	case NUMBER_J32:
		for (size_t i = 0; i + 4 <= n; i += 4)
			memcpy(ret + i, p + n - 4 - i, 4);
		break;
	case NUMBER_W64:
	case NUMBER_W32: { /* whole words; a rest would not belong to the number */
		const size_t word = number_layout_word[layout], whole = n - n % word;

		for (size_t i = 0; i < whole; i++)
			ret[i] = p[i - i % word + word - 1 - i % word];
		memset(ret + whole, 0, n - whole);
		break;
	}
	default:
		memcpy(ret, p, n);
	}
}

BIGNUM *number_to_bn(enum number_layout layout, const uint8_t *p, size_t n)
{
	uint8_t le[DUMP_RSA_BITS_MAX / 8];
	BIGNUM *x = BN_secure_new();

	if (x && n <= sizeof(le)) {
		number_to_le(layout, p, n, le);
		if (!BN_lebin2bn(le, (int)n, x)) {
			BN_clear_free(x);
			x = NULL;
		}
	}
	OPENSSL_cleanse(le, n < sizeof(le) ? n : sizeof(le));
	return x;
}
