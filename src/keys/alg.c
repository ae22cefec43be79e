/* SPDX-License-Identifier: Apache-2.0 */
/* alg: the table of algorithms and curves. */
#include "keys/alg.h"

const struct alg_row alg_rows[JWS_ALG_COUNT] = {
	[JWS_ALG_ABSENT] = { "", KEY_KIND_UNKNOWN, CURVE_NONE, 0, false },
	[JWS_ALG_UNKNOWN] = { "?", KEY_KIND_UNKNOWN, CURVE_NONE, 0, false },
	[JWS_RS256] = { "RS256", KEY_RSA, CURVE_NONE, 256, false },
	[JWS_RS384] = { "RS384", KEY_RSA, CURVE_NONE, 384, false },
	[JWS_RS512] = { "RS512", KEY_RSA, CURVE_NONE, 512, false },
	[JWS_PS256] = { "PS256", KEY_RSA, CURVE_NONE, 256, true },
	[JWS_PS384] = { "PS384", KEY_RSA, CURVE_NONE, 384, true },
	[JWS_PS512] = { "PS512", KEY_RSA, CURVE_NONE, 512, true },
	[JWS_ES256] = { "ES256", KEY_EC, CURVE_P256, 256, false },
	[JWS_ES384] = { "ES384", KEY_EC, CURVE_P384, 384, false },
	[JWS_ES512] = { "ES512", KEY_EC, CURVE_P521, 512, false },
	[JWS_EDDSA] = { "EdDSA", KEY_OKP, CURVE_NONE, 0, false },
	[JWS_ED25519] = { "Ed25519", KEY_OKP, CURVE_ED25519, 0, false },
	[JWS_ED448] = { "Ed448", KEY_OKP, CURVE_ED448, 0, false },
	[JWS_HS256] = { "HS256", KEY_OCT, CURVE_NONE, 256, false },
	[JWS_HS384] = { "HS384", KEY_OCT, CURVE_NONE, 384, false },
	[JWS_HS512] = { "HS512", KEY_OCT, CURVE_NONE, 512, false },
};

static const struct { const char *name; unsigned bytes; } curves[] = {
	[CURVE_NONE] = { "", 0 },
	[CURVE_UNKNOWN] = { "?", 0 },
	[CURVE_P256] = { "P-256", 32 },
	[CURVE_P384] = { "P-384", 48 },
	[CURVE_P521] = { "P-521", 66 },
	[CURVE_ED25519] = { "Ed25519", 32 },
	[CURVE_ED448] = { "Ed448", 57 },
};

enum jws_alg alg_parse(struct str name)
{
	for (int a = JWS_RS256; a < JWS_ALG_COUNT; a++)
		if (str_eq(name, str_of(alg_rows[a].name)))
			return (enum jws_alg)a;
	return JWS_ALG_UNKNOWN;
}

bool alg_fits(enum jws_alg alg, enum key_kind kind, enum key_curve curve)
{
	const struct alg_row *r = &alg_rows[alg];

	return alg > JWS_ALG_UNKNOWN && r->kind == kind && (r->curve == CURVE_NONE || r->curve == curve);
}

const char *key_kind_name(enum key_kind k)
{
	static const char *const names[] = { "?", "RSA", "EC", "OKP", "oct" };
	return names[k];
}

const char *key_curve_name(enum key_curve c)
{
	return curves[c].name;
}

enum key_curve key_curve_parse(struct str name)
{
	for (int c = CURVE_P256; c <= CURVE_ED448; c++)
		if (str_eq(name, str_of(curves[c].name)))
			return (enum key_curve)c;
	return CURVE_UNKNOWN;
}

unsigned key_curve_bytes(enum key_curve c)
{
	return curves[c].bytes;
}
