/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_form: any bytes to each parser of a key form, at each place.  Every claim is inside the bytes, and its text
 * places too; proving it ends.  The first byte chooses the parser, 0xff all.
 *
 * Seeds: forms of published keys (tests/dump/make-seeds). */
#include <openssl/crypto.h>
#include <stdlib.h>

#include "base/limits.h"
#include "dump/form.h"
#include "dump/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t scratch[TEXT_SCRATCH_BYTES];
static struct prover *prover;

static void judge(const struct claim *c, const uint8_t *p, size_t n)
{
	struct proof proof;
	if (c->begin > c->end || c->end > n || !c->form)
		abort();
	for (int i = 0; i < CLAIM_PARTS; i++) {
		const struct number *x = &c->part[i];
		bool here = x->p >= p && x->p + x->n <= p + n, there = x->p >= scratch && x->p + x->n <= scratch + sizeof scratch;
		if (number_has(x) && !here && !there)
			abort();
		if (c->place[i].n && (c->place[i].at > n || c->place[i].n > n - c->place[i].at))
			abort();
	}
	if (prover_cost(prover) < 20000) /* a long input full of keys is slow, not wrong */
		(void)claim_prove(prover, c, NULL, &proof);
}

static void parse(unsigned which, const uint8_t *p, size_t n, size_t at)
{
	struct claim c;
	struct public_key public;
	size_t end = 0;
	bool is = false;
	switch (which) {
	case 0: is = form_der_version(p, n, at, &c); break;
	case 1: is = form_der_integers(p, n, at, &c, &end); break;
	case 2: is = form_der_encrypted(p, n, at, &c); break;
	case 3: (void)form_der_public(p, n, at, &public); break;
	case 4: is = form_bcrypt(p, n, at, &c); break;
	case 5: is = form_capi(p, n, at, &c); break;
	case 6: is = form_pvk(p, n, at, &c); break;
	case 7: is = form_openssh(p, n, at, &c); break;
	case 8: is = form_ssh_blob(p, n, at, &c); break;
	case 9: is = form_store(p, n, at, &c); break;
	case 10: is = form_jwk(p, n, at, scratch, &c); break;
	case 11: is = form_xml(p, n, at, scratch, &c); break;
	case 12: is = form_putty(p, n, at, scratch, &c); break;
	case 13: is = form_dnssec(p, n, at, scratch, &c); break;
	case 14: is = form_sexp(p, n, at, scratch, &c); break;
	case 15: is = form_cose(p, n, at, &c); break;
	case 16: is = form_etf(p, n, at, &c); break;
	case 17: is = form_age(p, n, at, scratch, &c); break;
	case 18: is = form_named(p, n, at, n - at < 44 ? n : at + 44, scratch, &c); break;
	default: is = form_pem(p, n, at, &c); break;
	}
	if (is)
		judge(&c, p, n);
}

static void runs(const uint8_t *p, size_t n)
{
	static uint8_t out[70000];
	for (size_t at = 0; at < n; at += 7) {
		struct text_run run;
		if (text_is_base64(p[at]) && text_run_base64(p, 0, n, at, &run)) {
			if (run.begin > at + 64 || run.end > n || run.end < run.begin)
				abort();
			for (unsigned phase = 0; phase < 4; phase++)
				if (text_decode_base64(p, &run, phase, out, sizeof out) > run.digits)
					abort();
		}
		if (text_is_hex(p[at]) && text_run_hex(p, 0, n, at, &run)) {
			if (run.begin > at + 64 || run.end > n || run.end < run.begin)
				abort();
			for (unsigned phase = 0; phase < 2; phase++)
				if (text_decode_hex(p, &run, phase, out, sizeof out) > run.digits / 2)
					abort();
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!prover && !(prover = prover_new()))
		abort();
	if (size < 2)
		return 0;
	uint8_t which = data[0];
	const uint8_t *p = data + 1;
	size_t n = size - 1;
	if (prover_cost(prover) > 1000) {
		prover_free(prover);
		prover = prover_new();
		if (!prover)
			abort();
	}
	runs(p, n);
	for (size_t at = 0; at < n; at++) {
		if (which != 0xff) {
			parse(which % 20, p, n, at);
			continue;
		}
		for (unsigned k = 0; k < 20; k++)
			if (k != 10 || at % 64 == 0)
				parse(k, p, n, at);
	}
	return 0;
}
