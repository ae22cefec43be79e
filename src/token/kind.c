/* SPDX-License-Identifier: Apache-2.0 */
/* kind: the signs, the surest first: what the header says (RFC 9068, OpenID Connect Back-Channel Logout), what a provider says in a claim
 * of its own (Amazon Cognito's token_use, Keycloak's typ), and claims that one kind has and the others have not. */
#include "token/kind.h"

const char *token_kind_name(enum token_kind k)
{
	static const char *const names[] = { "a token that does not show its kind", "an access token", "an ID token", "a logout token",
					     "a token of another kind", "any token" };
	return names[k];
}

static enum token_kind of_header(struct str typ)
{
	if (str_starts_nocase(typ, STR("application/")))
		typ = (struct str){ typ.p + 12, typ.n - 12 };
	return str_eq_nocase(typ, STR("at+jwt")) ? KIND_ACCESS : str_eq_nocase(typ, STR("logout+jwt")) ? KIND_LOGOUT : KIND_UNSAID;
}

static enum token_kind of_own_word(struct str use, struct str typ)
{
	static const struct { struct str word; enum token_kind kind; } typs[] = {
		{ STR("Bearer"), KIND_ACCESS }, { STR("DPoP"), KIND_ACCESS }, { STR("ID"), KIND_ID }, { STR("Logout"), KIND_LOGOUT },
		{ STR("Refresh"), KIND_OTHER }, { STR("Offline"), KIND_OTHER }, { STR("Serialized-ID"), KIND_OTHER },
	};

	if (use.p)
		return str_eq(use, STR("access")) ? KIND_ACCESS : str_eq(use, STR("id")) ? KIND_ID : KIND_OTHER;
	for (size_t i = 0; i < sizeof(typs) / sizeof(typs[0]) && typ.p; i++)
		if (str_eq(typ, typs[i].word))
			return typs[i].kind;
	return KIND_UNSAID;
}

enum token_kind token_kind_of(const struct token *t, bool is_entra_2, const char **ret_sign)
{
	static const enum token_claim of_id[] = { CLAIM_AT_HASH, CLAIM_C_HASH, CLAIM_S_HASH }, of_access[] = {
		CLAIM_SCP, CLAIM_SCOPE, CLAIM_PERMISSIONS, CLAIM_IDTYP, CLAIM_APPID, CLAIM_CLIENT_ID, CLAIM_CID, CLAIM_GTY };
	const struct sj_node *const *c = t->claim;
	enum token_kind k = of_header(node_text(t->header[HDR_TYP]));

	*ret_sign = "typ";
	if (k != KIND_UNSAID)
		return k;
	*ret_sign = "events";
	if (c[CLAIM_EVENTS])
		return c[CLAIM_EVENTS]->kind == SJ_OBJECT &&
		       sj_member(&t->json[PART_CLAIMS], c[CLAIM_EVENTS], STR("http://schemas.openid.net/event/backchannel-logout")) ? KIND_LOGOUT : KIND_OTHER;
	*ret_sign = c[CLAIM_TOKEN_USE] ? "token_use" : "typ";
	k = of_own_word(node_text(c[CLAIM_TOKEN_USE]), node_text(c[CLAIM_TYP]));
	if (k != KIND_UNSAID)
		return k;
	for (size_t i = 0; i < sizeof(of_id) / sizeof(of_id[0]); i++)
		if (c[of_id[i]]) {
			*ret_sign = token_claim_names[of_id[i]];
			return KIND_ID;
		}
	for (size_t i = 0; i < sizeof(of_access) / sizeof(of_access[0]); i++)
		if (c[of_access[i]]) {
			*ret_sign = token_claim_names[of_access[i]];
			return KIND_ACCESS;
		}
	*ret_sign = "nonce";
	if (c[CLAIM_NONCE])
		return KIND_ID;
	/* Entra's access tokens of version 2.0 name their caller, its ID tokens do not */
	*ret_sign = is_entra_2 && c[CLAIM_AZP] ? "azp" : "";
	return !is_entra_2 ? KIND_UNSAID : c[CLAIM_AZP] ? KIND_ACCESS : KIND_ID;
}
