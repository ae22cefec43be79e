/* SPDX-License-Identifier: Apache-2.0 */
/* test_planted: all finders together on a made core file (tests/dump/image.h).  Which of the counted 51 forms are found as the
 * key they are, and that nothing else is: no decoy, nothing in code, text, noise.  Prints what is missed.
 *
 *     test_planted [MIB]    16 by default */
#include <stdlib.h>

#include "../dump/image.h"
#include "check.h"
#include "dump/dump.h"

static struct dump_target targets[64];
static uint8_t target_bytes[64][1024];
static size_t n_targets;

static void add_target(EVP_PKEY *key, const uint8_t spki[32])
{
	struct dump_target *t = &targets[n_targets];
	uint8_t *bytes = target_bytes[n_targets++];
	size_t n = 0;
	*t = (struct dump_target){ .bits = (unsigned)EVP_PKEY_get_bits(key), .kid = "", .subject = "" };
	memcpy(t->spki, spki, 32);
	if (EVP_PKEY_is_a(key, "RSA")) {
		BIGNUM *x = NULL, *e = NULL;
		EVP_PKEY_get_bn_param(key, "n", &x);
		EVP_PKEY_get_bn_param(key, "e", &e);
		t->algorithm = DUMP_RSA;
		t->n = (struct dump_bytes){ bytes, (size_t)BN_bn2bin(x, bytes) };
		t->e = (struct dump_bytes){ bytes + t->n.n, (size_t)BN_bn2bin(e, bytes + t->n.n) };
		BN_free(x);
		BN_free(e);
	} else if (EVP_PKEY_is_a(key, "EC")) {
		t->algorithm = DUMP_EC;
		t->group = "prime256v1";
		EVP_PKEY_set_utf8_string_param(key, "point-format", "uncompressed");
		EVP_PKEY_get_octet_string_param(key, "pub", bytes, 1024, &n);
		t->point = (struct dump_bytes){ bytes, n };
	} else {
		t->algorithm = DUMP_ED25519;
		n = 1024;
		EVP_PKEY_get_raw_public_key(key, bytes, &n);
		t->point = (struct dump_bytes){ bytes, n };
	}
}

static bool fits(const struct planted *p, const struct dump_hit *h, const struct dump_key *keys)
{
	if (h->offset + h->length <= p->offset || h->offset >= p->offset + p->length)
		return false;
	switch (p->plant->kind) {
	case PLANT_LOCKED: return h->klass == DUMP_LOCKED;
	case PLANT_STATED: return h->klass == DUMP_STATED;
	case PLANT_SCHEDULE: return h->klass == DUMP_PROVED && h->algorithm == DUMP_AES;
	default: break;
	}
	if (h->klass != DUMP_PROVED || h->key < 0)
		return false;
	return memcmp(keys[h->key].spki, p->spki, 32) == 0;
}

int main(int argc, char **argv)
{
	size_t mib = argc > 1 ? strtoul(argv[1], NULL, 10) : 16, n_hits, n_keys, found = 0, counted = 0, beyond = 0, beyond_found = 0, decoy_hits = 0, stray = 0;
	struct image im;

	CHECK(image_make(&im, mib << 20, "/proc/self/exe", 7));
	for (size_t i = 0; i < im.n; i++)
		if (im.planted[i].plant && im.planted[i].plant->kind == PLANT_KNOWN)
			add_target(im.planted[i].key, im.planted[i].spki);
	struct dump_options o = { .targets = targets, .n_targets = n_targets, .threads = 1 };
	struct dump_reader *r = dump_reader_memory(im.bytes.p, im.bytes.n);
	struct dump_image *core = dump_image_open(r, "planted");
	struct dump_scan *s = dump_scan_new(&o);
	CHECK(core && s && dump_scan_image(s, core));
	const struct dump_hit *h = dump_hits(s, &n_hits);
	const struct dump_key *k = dump_keys(s, &n_keys);
	bool *used = calloc(n_hits + 1, sizeof *used);

	for (size_t i = 0; i < im.n; i++) {
		const struct planted *p = &im.planted[i];
		bool hit = false;
		for (size_t j = 0; j < n_hits; j++) {
			bool inside = h[j].offset < p->offset + p->length && h[j].offset + h[j].length > p->offset;
			used[j] |= inside;
			if (!p->plant && inside)
				decoy_hits++, printf("decoy %s: %s %s %s\n", p->name, h[j].form, h[j].component, h[j].layout);
			else if (p->plant && inside && fits(p, &h[j], k))
				hit = true;
		}
		if (!p->plant)
			continue;
		if (p->plant->beyond) {
			beyond++;
			beyond_found += hit;
		} else {
			counted++;
			found += hit;
		}
		if (!hit)
			printf("missed: %s%s\n", p->name, p->plant->kind == PLANT_LOST ? " (as expected)" : "");
	}
	for (size_t j = 0; used && j < n_hits; j++)
		if (!used[j])
			stray++, printf("stray: %s %s %s at %llu+%llu\n", h[j].form, h[j].component, h[j].layout, (unsigned long long)h[j].offset, (unsigned long long)h[j].length);
	printf("%zu MiB: %zu of %zu forms, %zu of %zu variants beyond them, %zu hits in decoys, %zu stray\n", mib, found, counted, beyond_found, beyond, decoy_hits, stray);
	CHECK(counted == 51);
	CHECK_MSG(found >= 48, "%zu of 51", found);
	CHECK(decoy_hits == 0);
	CHECK(stray == 0);
	free(used);
	dump_scan_free(s);
	dump_image_free(core);
	dump_reader_free(r);
	image_release(&im);
	return check_summary();
}
