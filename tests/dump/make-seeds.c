/* SPDX-License-Identifier: Apache-2.0 */
/* make-seeds: the forms of published keys as seeds for the fuzzers: inputs that are kept in a repository hold no key that was
 * ever private.
 *
 *     make-seeds FOLDER RSA2048 P256 ED25519    the keys as files, PEM or DER */
#include <openssl/decoder.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#include "plant.h"

static EVP_PKEY *load(const char *path)
{
	EVP_PKEY *key = NULL;
	BIO *b = BIO_new_file(path, "rb");
	OSSL_DECODER_CTX *d = OSSL_DECODER_CTX_new_for_pkey(&key, NULL, NULL, NULL, 0, NULL, NULL);
	if (!b || !d || !OSSL_DECODER_from_bio(d, b))
		fprintf(stderr, "make-seeds: no key in %s\n", path);
	OSSL_DECODER_CTX_free(d);
	BIO_free(b);
	return key;
}

int main(int argc, char **argv)
{
	static const char *const kinds[] = { "rsa", "p256", "ed25519" };
	char path[4096];
	if (argc != 5) {
		fprintf(stderr, "usage: make-seeds FOLDER RSA2048 P256 ED25519\n");
		return 2;
	}
	for (int k = 0; k < 3; k++) {
		EVP_PKEY *key = load(argv[2 + k]);
		for (size_t i = 0; key && i < plants_n; i++) {
			struct buf b;
			if (!plants[i].key || strcmp(plants[i].key, kinds[k]) != 0 || plants[i].kind == PLANT_LOST)
				continue;
			buf_init(&b, 1 << 20);
			buf_add_char(&b, (char)0xff);
			snprintf(path, sizeof path, "%s/%s", argv[1], plants[i].name);
			FILE *f = plants[i].write(&b, key, 0) && b.n < 4096 ? fopen(path, "wb") : NULL;
			if (f && (fwrite(b.p, 1, b.n, f) != b.n || fclose(f) != 0))
				perror(path);
			buf_release(&b);
		}
		EVP_PKEY_free(key);
	}
	return 0;
}
