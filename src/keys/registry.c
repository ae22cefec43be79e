/* SPDX-License-Identifier: Apache-2.0 */
/* registry: the names of the IANA registries "JSON Web Signature and Encryption Algorithms", "JSON Web Key Types" and "JSON Web Key
 * Elliptic Curve", those of COSE that people put into tokens, and those of drafts that libraries use already.  Each name is listed
 * in full: a prefix does not match.  The names that alg.c supports are not repeated. */
#include "keys/registry.h"

#define REGISTERED "is registered"
#define COSE "is a name of COSE"
#define DRAFT "is a draft name"

#define MANAGES_KEYS "it protects keys or content, and signs nothing"
#define POST_QUANTUM "a post-quantum signature, which is not checked here"

struct row {
	const char *names; /* with blanks between them */
	struct registry_name is;
};

static const struct row algs[] = {
	{ "ES256K", { REGISTERED, "ECDSA over secp256k1, which is not checked here" } },
	{ "ML-DSA-44 ML-DSA-65 ML-DSA-87", { REGISTERED, POST_QUANTUM } },
	{ "RS1", { REGISTERED, "RSA over SHA-1, which is broken" } },
	{ "HS1", { REGISTERED, "HMAC over SHA-1, which is not accepted" } },
	{ "RSA1_5 RSA-OAEP RSA-OAEP-256 RSA-OAEP-384 RSA-OAEP-512 A128KW A192KW A256KW dir ECDH-ES ECDH-ES+A128KW ECDH-ES+A192KW ECDH-ES+A256KW "
	  "A128GCMKW A192GCMKW A256GCMKW PBES2-HS256+A128KW PBES2-HS384+A192KW PBES2-HS512+A256KW A128CBC-HS256 A192CBC-HS384 A256CBC-HS512 A128GCM "
	  "A192GCM A256GCM A128CBC A192CBC A256CBC A128CTR A192CTR A256CTR", { REGISTERED, MANAGES_KEYS } },
	{ "ESP256", { COSE, "JOSE says ES256" } }, { "ESP384", { COSE, "JOSE says ES384" } }, { "ESP512", { COSE, "JOSE says ES512" } },
	{ "ESB256 ESB320 ESB384 ESB512", { COSE, "ECDSA over a Brainpool curve, which is not checked here" } },
	{ "HSS-LMS", { COSE, POST_QUANTUM } }, { "WalnutDSA", { COSE, "a signature that is broken" } }, { "HS256/64", { COSE, "a cut HMAC" } },
	{ "ChaCha20/Poly1305 direct", { COSE, MANAGES_KEYS } },
	{ "SLH-DSA-SHA2-128s SLH-DSA-SHA2-128f SLH-DSA-SHA2-192s SLH-DSA-SHA2-192f SLH-DSA-SHA2-256s SLH-DSA-SHA2-256f SLH-DSA-SHAKE-128s "
	  "SLH-DSA-SHAKE-128f SLH-DSA-SHAKE-192s SLH-DSA-SHAKE-192f SLH-DSA-SHAKE-256s SLH-DSA-SHAKE-256f FN-DSA-512 FN-DSA-1024 FALCON512 FALCON1024 "
	  "CRYDI2 CRYDI3 CRYDI5", { DRAFT, POST_QUANTUM } },
	{ "ML-DSA-44-ES256 ML-DSA-65-ES256 ML-DSA-65-ES384 ML-DSA-87-ES384 ML-DSA-44-Ed25519 ML-DSA-65-Ed25519 ML-DSA-87-Ed448",
	  { DRAFT, "a post-quantum signature and a classical one, which is not checked here" } },
	{ "BBS BBS-PROOF SU-ES256", { DRAFT, "a proof that shows a part of the claims, which is not checked here" } },
	{ "HPKE-0 HPKE-1 HPKE-2 HPKE-3 HPKE-4 HPKE-5 HPKE-6 HPKE-7 HPKE-0-KE HPKE-1-KE HPKE-2-KE HPKE-3-KE HPKE-4-KE HPKE-5-KE HPKE-6-KE HPKE-7-KE "
	  "ML-KEM-512 ML-KEM-768 ML-KEM-1024 ML-KEM-512+A128KW ML-KEM-768+A192KW ML-KEM-1024+A256KW C20P XC20P C20PKW XC20PKW ECDH-ES+C20PKW "
	  "ECDH-ES+XC20PKW ECDH-1PU ECDH-1PU+A128KW ECDH-1PU+A192KW ECDH-1PU+A256KW", { DRAFT, MANAGES_KEYS } },
};

static const struct row ktys[] = {
	{ "AKP", { REGISTERED, "keys of post-quantum algorithms (ML-DSA), which are not judged here" } },
	{ "Symmetric", { COSE, "JOSE says oct" } }, { "EC2", { COSE, "JOSE says EC" } }, { "HSS-LMS", { COSE, POST_QUANTUM } },
	{ "WalnutDSA", { COSE, "keys of a signature that is broken" } },
	{ "PQK LWE NTRU", { DRAFT, "keys of post-quantum algorithms, which are not judged here" } },
};

static const struct row crvs[] = {
	{ "secp256k1", { REGISTERED, "the curve of ES256K, which is not judged here" } },
	{ "X25519 X448", { REGISTERED, "for key agreement; it signs nothing" } },
	{ "brainpoolP256r1 brainpoolP320r1 brainpoolP384r1 brainpoolP512r1", { COSE, "a Brainpool curve, which is not judged here" } },
	{ "BP-256 BP-384 BP-512", { DRAFT, "a Brainpool curve, which is not judged here" } },
	{ "BLS12381G1 BLS12381G2 BLS48581G1 BLS48581G2 Bls12381G1 Bls12381G2", { DRAFT, "a curve of pairings, which is not judged here" } },
};

static const struct registry_name *find(const struct row *rows, size_t n, struct str name)
{
	for (size_t i = 0; i < n; i++)
		for (const char *p = rows[i].names; *p;) {
			const struct str one = { p, strcspn(p, " ") };
			if (str_eq(name, one))
				return &rows[i].is;
			p += one.n + (p[one.n] == ' ');
		}
	return NULL;
}

const struct registry_name *registry_alg(struct str name) { return find(algs, sizeof(algs) / sizeof(algs[0]), name); }
const struct registry_name *registry_kty(struct str name) { return find(ktys, sizeof(ktys) / sizeof(ktys[0]), name); }
const struct registry_name *registry_crv(struct str name) { return find(crvs, sizeof(crvs) / sizeof(crvs[0]), name); }
