/* SPDX-License-Identifier: Apache-2.0 */
/* test_aes: key schedules made by others' code (OpenSSL's low-level AES, in both of its word orders where the machine
 * has both) and by the writer of tests/dump, found in noise, in every kind and by every path. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/aes.h>
#include <openssl/rand.h>
#include <stdlib.h>

#include "check.h"
#include "dump/dump.h"

static struct dump_hit hits[64];

static size_t scan(const uint8_t *p, size_t n, enum dump_path path)
{
	struct dump_options o = { .threads = 1, .only = "aes", .no_harvest = true, .path = path };
	struct dump_reader *r = dump_reader_memory(p, n);
	struct dump_image *im = dump_image_open(r, "test");
	struct dump_scan *s = dump_scan_new(&o);
	size_t count;
	CHECK(im && s && dump_scan_image(s, im));
	const struct dump_hit *h = dump_hits(s, &count);
	for (size_t i = 0; i < count && i < 64; i++)
		hits[i] = h[i];
	dump_scan_free(s);
	dump_image_free(im);
	dump_reader_free(r);
	return count;
}

static void openssl_schedules(void)
{
	static uint8_t b[65536];
	for (int round = 0; round < 60; round++) {
		unsigned bits = 128 + 64 * (unsigned)(round % 3);
		bool inverse = round / 3 % 2, swap = round / 6 % 2;
		uint8_t key[32];
		AES_KEY k;
		size_t at = 4 * (size_t)(1000 + round), n = 4 * (bits / 32 + 7) * 4;
		RAND_bytes(b, sizeof b);
		RAND_bytes(key, sizeof key);
		CHECK((inverse ? AES_set_decrypt_key : AES_set_encrypt_key)(key, (int)bits, &k) == 0);
		memcpy(b + at, k.rd_key, n);
		if (swap)
			for (size_t i = 0; i < n; i += 4) {
				uint32_t w;
				memcpy(&w, b + at + i, 4);
				w = __builtin_bswap32(w);
				memcpy(b + at + i, &w, 4);
			}
		for (int path = 0; path < 2; path++) {
			size_t count = scan(b, sizeof b, path ? DUMP_PATH_PORTABLE : DUMP_PATH_BEST);
			CHECK_MSG(count == 1 && hits[0].offset == at && hits[0].length == n && hits[0].bits == bits, "%u bits, %s, %s: %zu hits", bits,
			          inverse ? "decryption" : "encryption", swap ? "swapped" : "as written", count);
			if (count == 1)
				CHECK_MSG(strcmp(hits[0].form, inverse ? "aes-decryption-schedule" : "aes-schedule") == 0, "%s", hits[0].form);
		}
		/* damaged after its head: some words of 44 and more */
		for (int i = 0; i < 4; i++)
			b[at + n - 20 - 4 * (size_t)i] ^= 1;
		if (!inverse)
			CHECK(scan(b, sizeof b, DUMP_PATH_BEST) == 1);
		for (size_t i = 60; i < n; i += 8)
			b[at + i] ^= 1;
		CHECK(scan(b, sizeof b, DUMP_PATH_BEST) == 0);
	}
}

/* bytes that satisfy the sums but are no schedule */
static void silence(void)
{
	static uint8_t b[65536];
	memset(b, 0, sizeof b);
	CHECK(scan(b, sizeof b, DUMP_PATH_BEST) == 0);
	memset(b, 0x63, sizeof b);
	CHECK(scan(b, sizeof b, DUMP_PATH_BEST) == 0);
	for (size_t i = 0; i < sizeof b; i++)
		b[i] = (uint8_t)i;
	CHECK(scan(b, sizeof b, DUMP_PATH_BEST) == 0);
	RAND_bytes(b, sizeof b);
	for (size_t i = 0; i + 48 < sizeof b; i += 48) /* all the sums for 128 bits, no S-box */
		for (size_t k = 0; k < 16; k++)
			b[i + 20 + k] = b[i + 4 + k] ^ b[i + 16 + k];
	CHECK(scan(b, sizeof b, DUMP_PATH_BEST) == 0);
	CHECK(scan(b, sizeof b, DUMP_PATH_PORTABLE) == 0);
	/* too short for a whole schedule */
	AES_KEY k;
	CHECK(AES_set_encrypt_key(b, 256, &k) == 0);
	for (size_t n = 0; n < 240; n += 4)
		CHECK(scan((const uint8_t *)k.rd_key, n, DUMP_PATH_BEST) == 0);
	CHECK(scan((const uint8_t *)k.rd_key, 240, DUMP_PATH_BEST) == 1);
}

int main(void)
{
	openssl_schedules();
	silence();
	return check_summary();
}
