/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_policy: any bytes as a policy file.  It loads, or is refused with a reason in one line.  Loaded records are complete: an
 * algorithm, an issuer, an audience, tenants.  (Files it names do not exist: the name of the file has no folder.)
 *
 * Seeds: the template and its relatives. */
#include <stdlib.h>

#include "keys/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct policy *p = policy_new();
	struct buf error;

	buf_init(&error, 64 * KIB);
	require(p != NULL);
	if (policy_load_text(p, "/nonexistent/policy.yaml", (struct str){ (const char *)data, size }, &error) && policy_bind(p, &error)) {
		require(!error.n);
		for (uint32_t i = 0; i < p->n; i++) {
			const struct key_record *r = &p->records[i];
			require(r->alg > JWS_ALG_UNKNOWN && r->issuer_n && r->audiences.n && r->kid.n);
			require(r->tenants_any || r->tenants_none || r->tenants.n);
			require(r->max_token_life_s <= 29 * 3600 && p->skew_s <= 600);
		}
	} else {
		require(error.n && !memchr(error.p, '\n', error.n));
	}
	policy_free(p);
	buf_release(&error);
	return 0;
}
