/* SPDX-License-Identifier: Apache-2.0 */
#include "dump/find_int.h"

int32_t find_factor(struct dump_scan *s, const struct dump_target *t, const BIGNUM *w, const char **ret_component)
{
	BN_CTX *ctx = BN_CTX_secure_new();
	BIGNUM *n = BN_bin2bn(t->n.p, (int)t->n.n, NULL), *e = BN_bin2bn(t->e.p, (int)t->e.n, NULL);
	BIGNUM *other = BN_secure_new(), *rest = BN_secure_new();
	int32_t key = -1;

	if (ctx && n && e && other && rest && BN_num_bits(w) > 1 && BN_cmp(w, n) < 0 && BN_div(other, rest, n, w, ctx) &&
	    BN_is_zero(rest)) {
		key = dump_key_rsa(s, n, e, w);
		*ret_component = BN_cmp(w, other) >= 0 ? "p" : "q";
	}
	BN_clear_free(other);
	BN_clear_free(rest);
	BN_free(n);
	BN_free(e);
	BN_CTX_free(ctx);
	return key;
}

const char *find_layout(struct dump_scan *s, const struct dump_block *b, enum number_layout layout)
{
	if (layout == NUMBER_LE && b->step > 1)
		return b->step == 8 ? "LE/8" : "LE/4";
	return number_layout_names[layout];
}
