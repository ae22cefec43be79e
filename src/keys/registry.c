/* SPDX-License-Identifier: Apache-2.0 */
/* registry: the names of the IANA registries "JSON Web Signature and Encryption Algorithms", "JSON Web Key Types" and "JSON Web Key
 * Elliptic Curve", with those that COSE registers and tokens borrow.  What alg.c supports is not repeated here. */
#include "keys/registry.h"

struct row { const char *name; bool prefix; const char *text; };

#define MANAGES_KEYS "it protects keys or content, and signs nothing"
#define POST_QUANTUM "a post-quantum signature, which is not checked here"

static const struct row algs[] = {
	{ "ES256K", false, "ECDSA over secp256k1, which is not checked here" },
	{ "ML-DSA-", true, POST_QUANTUM }, { "SLH-DSA-", true, POST_QUANTUM }, { "FN-DSA-", true, POST_QUANTUM }, { "HSS-LMS", false, POST_QUANTUM },
	{ "XMSS", true, POST_QUANTUM }, { "LMS", true, POST_QUANTUM },
	{ "ESP256", false, "the name that COSE has for ES256; JOSE says ES256" }, { "ESP384", false, "the name that COSE has for ES384; JOSE says ES384" },
	{ "ESP512", false, "the name that COSE has for ES512; JOSE says ES512" },
	{ "ESB", true, "ECDSA over a Brainpool curve, which is not checked here" }, { "BBS", true, "BBS signatures, which are not checked here" },
	{ "RS1", false, "RSA over SHA-1, which is broken" }, { "HS1", false, "HMAC over SHA-1, which is not accepted" }, { "HS256/64", false, "a cut HMAC of COSE" },
	{ "RSA1_5", false, MANAGES_KEYS }, { "RSA-OAEP", true, MANAGES_KEYS }, { "A128", true, MANAGES_KEYS }, { "A192", true, MANAGES_KEYS },
	{ "A256", true, MANAGES_KEYS }, { "dir", false, MANAGES_KEYS }, { "ECDH-", true, MANAGES_KEYS }, { "PBES2-", true, MANAGES_KEYS },
	{ "HPKE-", true, MANAGES_KEYS }, { "ML-KEM-", true, MANAGES_KEYS }, { "ChaCha20/Poly1305", false, MANAGES_KEYS }, { "C20P", true, MANAGES_KEYS },
	{ "XC20P", true, MANAGES_KEYS },
};

static const struct row ktys[] = {
	{ "AKP", false, "keys of post-quantum algorithms (ML-DSA, SLH-DSA), which are not judged here" },
	{ "PQK", false, "keys of post-quantum algorithms, which are not judged here" }, { "HSS-LMS", false, POST_QUANTUM },
	{ "Symmetric", false, "the name that COSE has for oct" }, { "EC2", false, "the name that COSE has for EC; JOSE says EC" },
	{ "WalnutDSA", false, "keys of WalnutDSA, which is broken" },
};

static const struct row crvs[] = {
	{ "secp256k1", false, "the curve of ES256K, which is not judged here" }, { "X25519", false, "for key agreement; it signs nothing" },
	{ "X448", false, "for key agreement; it signs nothing" }, { "brainpoolP", true, "a Brainpool curve, which is not judged here" },
	{ "BP-", true, "a Brainpool curve, which is not judged here" }, { "BLS12381", true, "a curve of pairings, which is not judged here" },
	{ "Bls12381", true, "a curve of pairings, which is not judged here" },
};

static const char *find(const struct row *rows, size_t n, struct str name)
{
	for (size_t i = 0; i < n; i++)
		if (rows[i].prefix ? str_starts(name, str_of(rows[i].name)) : str_eq(name, str_of(rows[i].name)))
			return rows[i].text;
	return NULL;
}

const char *registry_alg(struct str name) { return find(algs, sizeof(algs) / sizeof(algs[0]), name); }
const char *registry_kty(struct str name) { return find(ktys, sizeof(ktys) / sizeof(ktys[0]), name); }
const char *registry_crv(struct str name) { return find(crvs, sizeof(crvs) / sizeof(crvs[0]), name); }
