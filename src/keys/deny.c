/* SPDX-License-Identifier: Apache-2.0 */
/* deny: keys whose private half is known to others.  A key is known by its public key, its modulus or its certificate;
 * its key id proves nothing: libraries use the id of the stolen key in their tests, with keys of their own. */
#include <openssl/sha.h>

#include "keys/policy.h"

static const struct denied {
	const char *name;
	const char *spki_sha256, *modulus_sha256, *certificate_sha1;
} denied_keys[] = {
	{ /* The consumer signing key that Storm-0558 forged tokens with in 2023: certificate 2016-04-05 to 2021-04-04, thumbprint
	   * published by its owner in July 2023. */
	  "Storm-0558: Live ID STS Signing Public Key of 2016",
	  "5c0a402b287eca6c026bf1eb9a38bec4c8565d5a0b23585be32e96055aa24548",
	  "8fa09cde4553441e327ab92a39b77bf8c36403af172d83d24316a4bbae3d6158",
	  "d4b4cccda9228624656bff33d8110955779632aa" },
};

const char *deny_list_find(const struct key *k)
{
	char spki[KEY_HEX_SIZE] = "", modulus[KEY_HEX_SIZE] = "", certificate[KEY_HEX_SIZE] = "";
	uint8_t hash[32];

	if (k->has_spki)
		key_hex(k->spki_sha256, 32, spki);
	if (k->n.n) {
		SHA256((const uint8_t *)k->n.p, k->n.n, hash);
		key_hex(hash, 32, modulus);
	}
	if (k->cert.present)
		key_hex(k->cert.sha1, 20, certificate);
	for (size_t i = 0; i < sizeof(denied_keys) / sizeof(denied_keys[0]); i++)
		if (strcmp(spki, denied_keys[i].spki_sha256) == 0 || strcmp(modulus, denied_keys[i].modulus_sha256) == 0 ||
		    strcmp(certificate, denied_keys[i].certificate_sha1) == 0)
			return denied_keys[i].name;
	return NULL;
}
