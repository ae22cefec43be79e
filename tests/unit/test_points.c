/* SPDX-License-Identifier: Apache-2.0 */
/* test_points: the X of d G as points.c computes it is OpenSSL's, for every curve, for numbers at both ends and in between, in both
 * byte orders, whatever else is in the batch; and nothing else passes. */
#include <openssl/ec.h>
#include <stdlib.h>

#include "dump/points.h"

#include "chance.h"
#include "check.h"

#define SECRETS 24

static void one_curve(enum curve which)
{
	const unsigned n = curve_bytes(which);
	EC_GROUP *g = EC_GROUP_new_by_curve_name(curve_nid(which));
	const BIGNUM *order = EC_GROUP_get0_order(g);
	EC_POINT *q = EC_POINT_new(g);
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *d[SECRETS], *x = BN_new();
	struct points *p = points_new(which), *shared;
	uint8_t bytes[66], reversed[66];
	uint32_t tags[POINTS_BATCH];

	CHECK(p != NULL);
	if (!p)
		return;
	for (int i = 0; i < SECRETS; i++) {
		d[i] = BN_new();
		if (i < 4) {
			BN_set_word(d[i], (BN_ULONG)(1 + i));
		} else if (i < 8) {
			BN_copy(d[i], order);
			BN_sub_word(d[i], (BN_ULONG)(i - 3));
		} else if (i < 12) { /* one byte that is not zero, so that nothing is added */
			BN_set_bit(d[i], (int)(n - 1) * 8 - 8 * i);
		} else {
			for (unsigned k = 0; k < n; k++)
				bytes[k] = (uint8_t)(chance() >> 40);
			BN_bin2bn(bytes, (int)n, d[i]);
			BN_nnmod(d[i], d[i], order, ctx);
		}
		EC_POINT_mul(g, q, d[i], NULL, NULL, ctx);
		EC_POINT_get_affine_coordinates(g, q, x, NULL, ctx);
		BN_bn2binpad(x, bytes, (int)n);
		if (i % 2 == 0) /* the others belong to no hunted key */
			CHECK(points_hunt(p, bytes));
	}
	shared = points_share(p);
	CHECK(shared != NULL);
	for (int round = 0; round < 3 && shared; round++) {
		struct points *mine = round == 1 ? shared : p;
		bool seen[SECRETS] = { false };
		bool more = true;

		for (uint32_t i = 0; more; i++) {
			if (i % 8 == 3 && i / 8 < 2 * SECRETS) {
				unsigned which_one = i / 8 % SECRETS;

				BN_bn2binpad(d[which_one], bytes, (int)n);
				for (unsigned k = 0; k < n; k++)
					reversed[k] = bytes[n - 1 - k];
				more = points_add(mine, i / 8 < SECRETS ? bytes : reversed, n, i / 8 >= SECRETS, which_one);
				continue;
			}
			for (unsigned k = 0; k < n; k++)
				bytes[k] = i % 5 ? (uint8_t)(chance() >> 40) : i % 3 ? 0 : 0xff;
			more = points_add(mine, bytes, n, i & 1, 1000 + i);
			if (round == 2 && i == 2)
				break; /* a batch that is not full */
		}
		size_t count = points_ask(mine, tags), again = points_ask(mine, tags + count);
		size_t strays = 0;

		for (size_t i = 0; i < count; i++) {
			if (tags[i] < SECRETS)
				seen[tags[i]] = true;
			else
				strays++;
		}
		CHECK_MSG(again == 0, "%s: an asked batch is empty", curve_names[which]);
		for (int i = 0; i < SECRETS; i++) {
			/* order - k has the X of k */
			const bool is = i >= 4 && i < 8 ? (i - 4) % 2 == 0 || i % 2 == 0 : i % 2 == 0;

			CHECK_MSG(seen[i] == (is && round < 2), "%s, secret %d, round %d", curve_names[which], i, round);
		}
		CHECK_MSG(strays <= 2 * POINTS_BATCH / 15, "%s: %zu strays", curve_names[which], strays);
	}
	points_free(shared);
	points_free(p);
	for (int i = 0; i < SECRETS; i++)
		BN_free(d[i]);
	BN_free(x);
	BN_CTX_free(ctx);
	EC_POINT_free(q);
	EC_GROUP_free(g);
}

int main(void)
{
	for (int c = CURVE_NONE + 1; c < CURVE_COUNT; c++)
		one_curve((enum curve)c);
	points_free(NULL);
	CHECK(points_new(CURVE_NONE) == NULL);
	CHECK(points_new(CURVE_COUNT) == NULL);
	return check_summary();
}
