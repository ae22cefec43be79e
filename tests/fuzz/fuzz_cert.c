/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_cert: any bytes as a certificate: as a DER file, as PEM, and inside an x5c.  A key that comes out of it has an SPKI, and
 * the certificate's facts are those of the same bytes whichever way they came.
 *
 * Seeds: the certificate of the stolen key. */
#include <openssl/evp.h>
#include <stdlib.h>

#include "keys/keyset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct keyset *der = keyset_new("der"), *pem = keyset_new("pem"), *jwk = keyset_new("jwk");
	struct buf text, error;
	char *b64;
	bool ok;

	if (size > 40000 || !(b64 = malloc(2 * size + 8)))
		return 0;
	EVP_EncodeBlock((uint8_t *)b64, data, (int)size);
	buf_init(&text, MIB);
	buf_init(&error, 4096);
	require(der && pem && jwk);
	ok = keyset_load_bytes(der, (struct str){ (const char *)data, size }, 0, &error);
	require(ok || error.n);
	buf_printf(&text, "{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\",\"x5c\":[\"%s\"]}", b64);
	require(keyset_load_bytes(jwk, buf_str(&text), 0, &error) && jwk->n == 1);
	buf_clear(&text);
	buf_add_cstr(&text, "-----BEGIN CERTIFICATE-----\n");
	for (size_t i = 0; b64[i]; i++) {
		buf_add_char(&text, b64[i]);
		if (i % 64 == 63)
			buf_add_char(&text, '\n');
	}
	buf_add_cstr(&text, "\n-----END CERTIFICATE-----\n");
	if (keyset_load_bytes(pem, buf_str(&text), 0, &error) && pem->n == 1 && pem->keys[0]->cert.present && jwk->keys[0]->cert.present) {
		require(memcmp(pem->keys[0]->cert.sha256, jwk->keys[0]->cert.sha256, 32) == 0);
		require(pem->keys[0]->cert.not_after_us == jwk->keys[0]->cert.not_after_us);
		require(str_eq(pem->keys[0]->cert.subject, jwk->keys[0]->cert.subject));
	}
	for (uint32_t i = 0; ok && i < der->n; i++)
		require(!key_usable(der->keys[i]) || der->keys[i]->has_spki);
	free(b64);
	keyset_free(der);
	keyset_free(pem);
	keyset_free(jwk);
	buf_release(&text);
	buf_release(&error);
	return 0;
}
