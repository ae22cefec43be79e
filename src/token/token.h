/* SPDX-License-Identifier: Apache-2.0 */
/* token: one compact JWS taken apart, strictly.  Nothing is trusted here: anyone may have written the claims.
 * Memory is kept from token to token; all views die with the next token_parse(). */
#ifndef TXM_TOKEN_TOKEN_H
#define TXM_TOKEN_TOKEN_H

#include "base/limits.h"
#include "keys/strict_json.h"

enum token_header { HDR_ALG, HDR_KID, HDR_TYP, HDR_CRIT, HDR_B64, HDR_ZIP, HDR_ENC, HDR_JWK, HDR_JKU, HDR_X5U, HDR_X5C, HDR_X5T,
		    HDR_X5T256, HDR_NONCE, HDR_COUNT };
enum token_claim { CLAIM_ISS, CLAIM_SUB, CLAIM_AUD, CLAIM_EXP, CLAIM_NBF, CLAIM_IAT, CLAIM_JTI, CLAIM_TID, CLAIM_OID, CLAIM_VER,
		   CLAIM_AZP, CLAIM_APPID, CLAIM_SCP, CLAIM_ROLES, CLAIM_IDTYP, CLAIM_UTI, CLAIM_SID, CLAIM_AMR, CLAIM_AUTH_TIME,
		   CLAIM_AZPACR, CLAIM_APPIDACR, CLAIM_UPN, CLAIM_USERNAME, CLAIM_NONCE, CLAIM_AT_HASH, CLAIM_C_HASH, CLAIM_S_HASH,
		   CLAIM_SCOPE, CLAIM_PERMISSIONS, CLAIM_CLIENT_ID, CLAIM_CID, CLAIM_GTY, CLAIM_TOKEN_USE, CLAIM_TYP, CLAIM_EVENTS, CLAIM_CNF, CLAIM_COUNT };
extern const char *const token_header_names[HDR_COUNT], *const token_claim_names[CLAIM_COUNT];

enum token_part { PART_HEADER, PART_CLAIMS, PART_SIGNATURE, PART_COUNT };

enum token_problem { TOKEN_OK, TOKEN_FORM, TOKEN_JWE, TOKEN_B64, TOKEN_JSON, TOKEN_DUP };

struct token {
	struct str text;
	struct str part[PART_COUNT];
	struct str signing_input;      /* header.payload as received */
	uint8_t *bytes[PART_COUNT];    /* decoded; TOKEN_BYTES_MAX each */
	size_t n[PART_COUNT];
	bool decoded[PART_COUNT];
	bool has_header, has_claims;   /* parsed, and an object */
	struct strict_json json[2];
	const struct sj_node *header[HDR_COUNT], *claim[CLAIM_COUNT]; /* NULL = absent */
};

/* What token_parse() finds wrong; called for each, in order; text is borrowed. */
typedef void token_problem_fn(void *arg, enum token_problem what, const char *text);

bool token_init(struct token *t); /* false: out of memory; release it all the same */
void token_release(struct token *t);
/* wants_claims = false: the payload may be anything (--jws-only).  The text is borrowed until the next call. */
void token_parse(struct token *t, struct str text, bool wants_claims, token_problem_fn *problem, void *arg);

/* A claim or header as text; STR_NONE if absent or no string. */
static inline struct str node_text(const struct sj_node *n)
{
	return n && n->kind == SJ_STRING ? n->value : STR_NONE;
}

#endif
