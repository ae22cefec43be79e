/* SPDX-License-Identifier: Apache-2.0 */
/* dump_clean: is a finished dump clean?  Used by verify, and by redact before it releases a file: the finders again, the sweep for
 * traces of the erased keys, and the residue test, which uses no patterns. */
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "cmd/dump_cmd.h"

struct counter { struct dump_left *left; uint64_t lowest; };

static void count_trace(void *arg, const struct dump_trace *trace, const struct dump_hit *where)
{
	struct counter *c = arg;
	struct dump_left *left = c->left;

	/* reported in any order: keep the first in the file */
	left->traces++;
	if (where->offset < c->lowest && left->hits == 0) {
		c->lowest = where->offset;
		snprintf(left->first, sizeof(left->first), "a run of %s at %llu", trace->component, (unsigned long long)where->offset);
	}
}

static void count_hits(const struct dump_scan *s, bool shapes, struct dump_left *ret)
{
	size_t n, n_keys;
	const struct dump_hit *hits = dump_hits(s, &n);
	const struct dump_key *keys = dump_keys(s, &n_keys);

	for (size_t i = 0; i < n; i++) {
		const struct dump_key *k = hits[i].key >= 0 ? &keys[hits[i].key] : NULL;

		if (!dump_hit_is_erased(s, &hits[i], shapes))
			continue;
		if (ret->hits++ == 0)
			snprintf(ret->first, sizeof(ret->first), "%s of a key (%s) at %llu", hits[i].component ? hits[i].component : "part",
			         hits[i].form ? hits[i].form : "number", (unsigned long long)hits[i].offset);
		if (k && k->target && k->target->sets && k->target->sets[0])
			ret->trusted++;
	}
}

/* All given or proven keys are tested, however many; of public keys only found in the dump, as many as is worth
 * the time.  Omissions are reported, and the dump is then not proven clean. */
static bool residue(const struct dump_settings *x, const struct dump_scan *s, const struct dump_scan *erased, struct dump_image *im,
		    struct dump_left *ret)
{
	size_t n_keys = 0;
	const struct dump_key *keys = erased ? dump_keys(erased, &n_keys) : NULL;
	size_t n, used = 0, met = 0;
	const struct dump_target *t = dump_targets(s, &n);
	struct dump_modulus *moduli = calloc(n + 1, sizeof(*moduli));
	unsigned threads = x->options.threads;
	bool ok;

	for (size_t i = 0; i < n && moduli; i++) {
		bool known = t[i].algorithm != DUMP_RSA || t[i].bits < CLAIM_RSA_BITS_MIN || t[i].bits > DUMP_RSA_BITS_MAX ||
		             !(t[i].n.p[t[i].n.n - 1] & 1);

		for (size_t k = 0; k < used && !known; k++)
			known = moduli[k].n == t[i].n.n && memcmp(moduli[k].p, t[i].n.p, t[i].n.n) == 0;
		if (known)
			continue;
		if (t[i].distant)
			ret->residue_authorities++;
		else if (t[i].from_dump && met == RESIDUE_MET_MAX)
			ret->residue_untested++;
		else
			moduli[used++] = (struct dump_modulus){ .p = t[i].n.p, .n = t[i].n.n, .spki = t[i].spki,
			                                        .e = t[i].e.p, .e_n = t[i].e.n, .from_dump = t[i].from_dump };
		if (used && moduli[used - 1].p == t[i].n.p) {
			if (t[i].from_dump && met >= RESIDUE_MET_EXPONENTS_MAX)
				moduli[used - 1].e_n = 0;
			for (size_t k = 0; k < n_keys; k++)
				if (keys[k].has_spki && keys[k].algorithm == DUMP_RSA && memcmp(keys[k].spki, t[i].spki, 32) == 0) {
					moduli[used - 1].prime[0] = keys[k].p;
					moduli[used - 1].prime[1] = keys[k].q;
				}
		}
		met += t[i].from_dump && !t[i].distant && met < RESIDUE_MET_MAX;
	}
	ret->residue_moduli = used;
	if (x->residue == DUMP_RESIDUE_OFF)
		ret->residue_moduli = ret->residue_untested = ret->residue_authorities = 0;
	ok = moduli && dump_residue_test(im, moduli, used, x->residue, threads, &ret->residue) &&
	     dump_residue_curves(im, t, n, x->residue, threads, &ret->curve, &ret->curve_keys);
	free(moduli);
	if (!ok)
		return false;
	if (ret->residue.found && !ret->first[0])
		snprintf(ret->first, sizeof(ret->first), "a number that gives a public key's factor away (%s) at %llu", ret->residue.relation,
		         (unsigned long long)ret->residue.first.offset);
	if (ret->curve.found && !ret->first[0])
		snprintf(ret->first, sizeof(ret->first), "a number from which an elliptic public key follows at %llu",
		         (unsigned long long)ret->curve.first.offset);
	return true;
}

bool dump_clean(const struct dump_settings *x, const struct dump_options *options, const struct dump_traces *traces,
		const struct dump_scan *erased, bool shapes, struct dump_reader *reader, const char *path, struct dump_report *report, struct dump_left *ret)
{
	struct dump_options o = *options;
	struct dump_image *im = dump_image_open(reader, path);
	struct dump_scan *s;
	struct counter counter = { ret, UINT64_MAX };
	bool ok;

	o.relations = false; /* the residue test follows */
	s = dump_scan_new(&o);
	*ret = (struct dump_left){ 0 };
	ok = im && s && dump_scan_image(s, im);
	if (ok) {
		count_hits(s, shapes, ret);
		ok = (!traces || dump_sweep(im, traces, options->threads, count_trace, &counter)) && residue(x, s, erased, im, ret);
	}
	if (im && s && report)
		dump_report_image(report, s, im);
	if (im) {
		const char *limits = s ? dump_limits_text(s) : "";

		ret->damaged = im->problems.n || im->n_holes || reader->broken || *limits || (s && dump_counts(s)->hits_refused) ||
		               ret->residue_untested || ret->residue.cut || ret->curve.cut;
		if (ret->damaged && !ret->first[0] && im->problems.n)
			snprintf(ret->first, sizeof(ret->first), "%.*s", (int)strcspn(im->problems.p, "\n"), im->problems.p);
		else if (ret->damaged && !ret->first[0] && *limits)
			snprintf(ret->first, sizeof(ret->first), "not all was searched: %.*s", (int)strcspn(limits, "\n"), limits);
		else if (ret->damaged && !ret->first[0] && ret->residue.cut)
			snprintf(ret->first, sizeof(ret->first), "not all was tested: %llu windows lie in blocks full of random bytes, "
			         "where the residue test for RSA is short; redact --erase random erases such bytes, --residue off does "
			         "without the test",
			         (unsigned long long)ret->residue.bulk);
		else if (ret->damaged && !ret->first[0] && ret->curve.cut)
			snprintf(ret->first, sizeof(ret->first), "not all was tested: more looks like numbers of elliptic keys than the residue test takes; "
			         "redact --erase random erases such bytes, --residue off does without the test");
		else if (ret->damaged && !ret->first[0] && ret->residue_untested)
			snprintf(ret->first, sizeof(ret->first), "%zu more public keys were found than are tested for what is left of them; give those "
			         "that matter with --cert, or use --residue off", ret->residue_untested);
	}
	dump_scan_free(s);
	dump_image_free(im);
	return ok;
}

int dump_left_status(const struct dump_left *left)
{
	if (left->residue.found || left->curve.found || left->trusted)
		return EXIT_CRITICAL;
	if (left->damaged)
		return EXIT_INPUT;
	return left->hits || left->traces ? EXIT_FINDINGS : EXIT_RAN;
}
