/* SPDX-License-Identifier: Apache-2.0 */
/* sign: is this signature over these bytes that of this key?  OpenSSL does all mathematics; this file makes sure that the
 * algorithm is given by the caller, never by the token, and that each algorithm has exactly one form of signature.
 * One verifier belongs to one thread and keeps a context for each key it has seen. */
#ifndef TXM_TOKEN_SIGN_H
#define TXM_TOKEN_SIGN_H

#include "keys/key.h"

struct signer_context; /* of one key with one algorithm */

struct sign_verifier {
	EVP_MD *md[3];                 /* SHA-256, -384, -512, fetched once */
	EVP_MD_CTX *hash;
	struct signer_context *slots;  /* by number, given by the caller */
	uint32_t slot_n;
	struct str hashed;             /* what last_sha256 is of: most signatures are over it, and reports want it too */
	uint8_t last_sha256[32];
};

bool sign_verifier_init(struct sign_verifier *v, uint32_t slots); /* false: out of memory; release it all the same */
void sign_verifier_release(struct sign_verifier *v);

enum sign_result { SIGN_GOOD, SIGN_BAD, SIGN_LENGTH, SIGN_DER, SIGN_IMPOSSIBLE };
/* slot: below the number given at init; the same slot always comes with the same key.  alg must fit the key.
 * SIGN_DER: ECDSA, genuine, and not in the form of a JWS (r and s, RFC 7518 3.4): the signer left it as X.509 writes it.
 * SIGN_IMPOSSIBLE: no such key, or OpenSSL cannot; never "good". */
enum sign_result sign_check(struct sign_verifier *v, uint32_t slot, const struct key *k, enum jws_alg alg, struct str input,
			    struct str signature);
/* Before the bytes that were given to sign_check() change. */
static inline void sign_forget(struct sign_verifier *v) { v->hashed = STR_NONE; }
/* SHA-256 of any bytes, with these contexts. */
bool sign_sha256(struct sign_verifier *v, struct str input, uint8_t ret[32]);

#endif
