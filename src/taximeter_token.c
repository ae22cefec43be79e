/* SPDX-License-Identifier: Apache-2.0 */
/* taximeter_token: the part of the public library that judges tokens: a thin coat over keys/policy.h and token/judge.h. */
#include <stdlib.h>

#include "taximeter.h"
#include "token/verdict.h"

struct txm_token_policy {
	struct policy *policy;
	struct buf error;
	bool loaded, ready, broken;
};

struct txm_token_verifier {
	struct judge *judge;
	struct buf json;
};

struct txm_token_policy *txm_token_policy_new(void)
{
	struct txm_token_policy *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->policy = policy_new();
	buf_init(&p->error, 64 * KIB);
	if (p->policy)
		return p;
	free(p);
	return NULL;
}

void txm_token_policy_free(struct txm_token_policy *p)
{
	if (!p)
		return;
	policy_free(p->policy);
	buf_release(&p->error);
	free(p);
}

static enum txm_status finish(struct txm_token_policy *p, bool ok)
{
	p->broken |= !ok;
	if (!ok && !p->error.n)
		buf_add_cstr(&p->error, "out of memory");
	return ok ? TXM_OK : TXM_USAGE;
}

static bool may_change(struct txm_token_policy *p)
{
	if (p->ready || p->broken) {
		if (!p->error.n)
			buf_add_cstr(&p->error, "the policy is ready and cannot be changed any more");
		return false;
	}
	return true;
}

enum txm_status txm_token_policy_load(struct txm_token_policy *p, const char *yaml_path)
{
	if (!may_change(p))
		return TXM_USAGE;
	if (p->loaded) {
		buf_add_cstr(&p->error, "a policy was loaded already; one file holds all records");
		return TXM_USAGE;
	}
	p->loaded = true;
	return finish(p, policy_load(p->policy, yaml_path, &p->error));
}

enum txm_status txm_token_policy_add_keys(struct txm_token_policy *p, const char *path)
{
	struct keyset *s;

	if (!may_change(p))
		return TXM_USAGE;
	s = keyset_new(path);
	if (!s || !keyset_load_file(s, path, KEY_KEEP_SYMMETRIC | KEY_NO_STRENGTH, &p->error)) {
		keyset_free(s);
		return finish(p, false);
	}
	return finish(p, policy_add_set(p->policy, s));
}

enum txm_status txm_token_policy_ready(struct txm_token_policy *p)
{
	if (!may_change(p))
		return TXM_USAGE;
	p->ready = policy_bind(p->policy, &p->error);
	return finish(p, p->ready);
}

const char *txm_token_policy_error(const struct txm_token_policy *p)
{
	return p->error.n ? p->error.p : "";
}

struct txm_token_verifier *txm_token_verifier_new(const struct txm_token_policy *p)
{
	struct txm_token_verifier *v = p->ready ? calloc(1, sizeof(*v)) : NULL;

	if (!v)
		return NULL;
	buf_init(&v->json, MIB);
	v->judge = judge_new(p->policy, NULL);
	if (v->judge)
		return v;
	free(v);
	return NULL;
}

void txm_token_verifier_free(struct txm_token_verifier *v)
{
	if (!v)
		return;
	judge_free(v->judge);
	buf_release(&v->json);
	free(v);
}

enum txm_token_verdict txm_token_verify(struct txm_token_verifier *v, const char *token, size_t n, int64_t at)
{
	return (enum txm_token_verdict)verdict_status(judge_token(v->judge, (struct str){ token, n }, at));
}

const char *txm_token_verdict_json(struct txm_token_verifier *v)
{
	buf_clear(&v->json);
	verdict_add_json(&v->json, v->judge);
	if (buf_failed(&v->json) || !v->json.n)
		return NULL;
	v->json.p[--v->json.n] = '\0'; /* the newline */
	return v->json.p;
}
