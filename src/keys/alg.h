/* SPDX-License-Identifier: Apache-2.0 */
/* alg: the signature algorithms of JOSE (RFC 7518, 8037, 9864) that Taximeter knows, each bound to one kind of key.  There is
 * no "none" in this list, on purpose, and a token never chooses one. */
#ifndef TXM_KEYS_ALG_H
#define TXM_KEYS_ALG_H

#include "base/str.h"

enum key_kind { KEY_KIND_UNKNOWN, KEY_RSA, KEY_EC, KEY_OKP, KEY_OCT };
enum key_curve { CURVE_NONE, CURVE_UNKNOWN, CURVE_P256, CURVE_P384, CURVE_P521, CURVE_ED25519, CURVE_ED448 };

enum jws_alg {
	JWS_ALG_ABSENT,
	JWS_ALG_UNKNOWN, /* a name that is none of these: "none", "ES521", "RSA-OAEP" */
	JWS_RS256, JWS_RS384, JWS_RS512,
	JWS_PS256, JWS_PS384, JWS_PS512,
	JWS_ES256, JWS_ES384, JWS_ES512,
	JWS_EDDSA, JWS_ED25519, JWS_ED448, /* RFC 9864: EdDSA with its curve named */
	JWS_HS256, JWS_HS384, JWS_HS512,
	JWS_ALG_COUNT
};

struct alg_row {
	const char *name;
	enum key_kind kind;
	enum key_curve curve;  /* CURVE_NONE: any of the kind */
	unsigned hash_bits;    /* 0: the algorithm hashes by itself */
	bool pss;
};
extern const struct alg_row alg_rows[JWS_ALG_COUNT];

enum jws_alg alg_parse(struct str name); /* exact; JWS_ALG_UNKNOWN if there is none of that name */
bool alg_fits(enum jws_alg alg, enum key_kind kind, enum key_curve curve);

const char *key_kind_name(enum key_kind k);   /* "RSA", "EC", "OKP", "oct", "?" */
const char *key_curve_name(enum key_curve c); /* "P-256", ...; "" for none */
enum key_curve key_curve_parse(struct str name);
unsigned key_curve_bytes(enum key_curve c);   /* of one coordinate, or of an OKP key: 32, 48, 66, 32, 57; 0 = none */

#endif
