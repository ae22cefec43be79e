/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_jwk: any bytes as a key set.  What loads has keys with consistent facts: a usable key has an SPKI and no fault that
 * refuses it, no private bytes are kept unless they were asked for, and reading twice gives the same.  The strict JSON walk is
 * compared with itself over a copy without a byte after it.
 *
 * Seeds: the published half of the stolen key, examples of RFC 7517, OpenID metadata. */
#include <stdlib.h>

#include "keys/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void check_key(const struct key *k)
{
	uint64_t listed = 0;

	for (unsigned i = 0; i < k->fault_n; i++)
		listed |= UINT64_C(1) << k->fault[i].code;
	require((listed & ~k->faults) == 0);
	require(k->fault_n == KEY_FAULTS_SHOWN || listed == k->faults);
	if (key_usable(k))
		require(k->pkey && k->has_spki && !k->private_members && k->kind != KEY_OCT);
	require(!k->secret.n);
	require(!k->has_spki || k->pkey);
	if (k->kind == KEY_RSA && key_usable(k))
		require(k->bits >= 2048 && k->n.n == (k->bits + 7) / 8);
	(void)deny_list_find(k);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct keyset *s = keyset_new("fuzz"), *again = keyset_new("fuzz");
	struct buf error;
	bool ok;

	buf_init(&error, 4096);
	require(s && again);
	ok = keyset_load_bytes(s, (struct str){ (const char *)data, size }, 0, &error);
	require(ok || error.n);
	require(keyset_load_bytes(again, (struct str){ (const char *)data, size }, 0, &error) == ok);
	if (ok) {
		require(s->n == again->n && s->faults == again->faults);
		for (uint32_t i = 0; i < s->n; i++) {
			check_key(s->keys[i]);
			require(s->keys[i]->faults == again->keys[i]->faults && str_eq(s->keys[i]->kid, again->keys[i]->kid));
		}
	}
	keyset_free(s);
	keyset_free(again);
	buf_release(&error);
	return 0;
}
