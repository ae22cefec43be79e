/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_token: any bytes as a token, against a policy with the published stolen key and against that key alone
 * (--jws-only); and as a line of a batch.  The private half is not known here: nothing may ever be accepted.  Verdicts must be the same
 * twice, have a reason, and print as one line of JSON.  Bytes are also taken as header and claims of a well-formed token: the
 * first 0x00 parts them.
 *
 * Seeds: tokens with made-up claims and no good signature. */
#include <stdlib.h>

#include "base/b64url.h"
#include "token/exchange.h"
#include "token/lines.h"
#include "token/verdict.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char set_text[] =
	"{\"keys\":[{\"kty\":\"RSA\",\"use\":\"sig\",\"kid\":\"1LTMzakihiRla_8z2BEJVXeWMqo\",\"n\":\"3sKcJSD4cHwTY5jYm5lNEzqk3wON1CaARO5EoWIQt5u-X-"
	"ZnW61CiRZpWpfhKwRYU153td5R8p-AJDWT-NcEJ0MHU3KiuIEPmbgJpS7qkyURuHRucDM2lO4L4XfIlvizQrlyJnJcd09uLErZEO9PcvKiDHoois2B4fGj7CsAe5UZgExJ"
	"vACDlsQSku2JUyDmZUZP2_u_gCuqNJM5o0hW7FKRI3MFoYCsqSEmHnnumuJ2jF0RHDRWQpodhlAR6uKLoiWHqHO3aG7scxYMj5cMzkpe1Kq_Dm5yyHkMCSJ_JaRhwymFfV"
	"_SWkqd3n-WVZT0ADLEq0RNi9tqZ43noUnO_w\",\"e\":\"AQAB\"}]}";
static const char policy_text[] =
	"records:\n  - spki: 5c0a402b287eca6c026bf1eb9a38bec4c8565d5a0b23585be32e96055aa24548\n    kid: 1LTMzakihiRla_8z2BEJVXeWMqo\n"
	"    alg: RS256\n    issuers: [\"https://login.microsoftonline.com/{tenantid}/v2.0\"]\n    tenants: {allow: any}\n    audiences: [a]\n"
	"    versions: none\n    claims: {sub: {pattern: \"*a*b?c*\"}, scp: {contains: [x, 5]}, a: {b: {c: absent}, d: [1, true, z]}}\n    dates: decimal\n"
	"    audience_array: any\n    first_listed: 2026-01-01\n    state: active\n";

static void require(bool condition)
{
	if (!condition)
		abort();
}

static struct judge *make_judge(bool jws_only)
{
	struct policy *p = policy_new();
	struct keyset *s = keyset_new("set");
	struct buf error;

	buf_init(&error, 4096);
	require(p && s && keyset_load_bytes(s, str_of(set_text), 0, &error));
	require(jws_only || policy_load_text(p, "policy", str_of(policy_text), &error));
	require(policy_add_set(p, s) && (!jws_only || policy_trust_signatures_only(p)) && policy_bind(p, &error));
	buf_release(&error);
	return judge_new(p, NULL);
}

static void judge_one(struct judge *j, struct str text)
{
	struct buf b;
	unsigned n;
	uint64_t seen;

	n = judge_token(j, text, 1767693600)->n;
	seen = j->verdict.seen;
	require(!j->verdict.valid && n > 0 && verdict_status(&j->verdict) != 0);
	judge_token(j, text, 1767693600);
	require(j->verdict.n == n && j->verdict.seen == seen);
	buf_init(&b, MIB);
	verdict_add_json(&b, j);
	require(!buf_failed(&b) && b.n && memchr(b.p, '\n', b.n) == b.p + b.n - 1);
	verdict_add_text(&b, j);
	explain_add_text(&b, j);
	explain_add_json(&b, j);
	require(!memchr(b.p, 0x1b, b.n));
	buf_release(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct judge *with_policy, *alone;
	static struct line_reader lines;
	const struct str text = { (const char *)data, size };
	const uint8_t *cut = size ? memchr(data, 0, size) : NULL;
	struct str token;
	int64_t us = 0;
	struct buf b;

	if (!with_policy) {
		with_policy = make_judge(false);
		alone = make_judge(true);
		line_reader_init(&lines);
		require(with_policy && alone);
	}
	judge_one(with_policy, text);
	judge_one(alone, text);
	line_tokens(&lines, text, &us);
	for (unsigned i = 0; i < lines.n; i++)
		judge_one(with_policy, lines.token[i]);
	if (cut) {
		buf_init(&b, 4 * MIB);
		b64url_add(&b, data, (size_t)(cut - data));
		buf_add_char(&b, '.');
		b64url_add(&b, cut + 1, size - (size_t)(cut + 1 - data));
		buf_add_cstr(&b, ".AAAA");
		judge_one(with_policy, buf_str(&b));
		judge_token(with_policy, buf_str(&b), 1767693600);
		token = buf_str(&b);
		require(exchange_judge(with_policy, &token, 1) && !with_policy->verdict.valid);
		buf_release(&b);
	}
	return 0;
}
