/* SPDX-License-Identifier: Apache-2.0 */
/* bench-finders: bytes a second of each finder alone, on one thread, over a file held in memory.  Time is the processor's, best
 * of three; taking the bytes into blocks is part of it.  With a certificate there is a key to hunt; with -n numbers are looked
 * for as the process itself lays them, otherwise in every layout at every byte.
 *
 * "residue" among them is the residue test, with one key and with forty.
 *
 *     bench-finders [-n] [-c CERTIFICATE] FILE FINDER... */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "dump/redact.h"

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint8_t modulus[2048], exponent[16];

static bool target_of(const char *path, struct dump_target *t)
{
	FILE *f = fopen(path, "r");
	X509 *x = f ? PEM_read_X509(f, NULL, NULL, NULL) : NULL;
	BIGNUM *n = NULL, *e = NULL;
	bool ok = x && EVP_PKEY_get_bn_param(X509_get0_pubkey(x), OSSL_PKEY_PARAM_RSA_N, &n) &&
	          EVP_PKEY_get_bn_param(X509_get0_pubkey(x), OSSL_PKEY_PARAM_RSA_E, &e) && dump_spki_rsa(n, e, t->spki);
	if (ok) {
		t->algorithm = DUMP_RSA;
		t->bits = (unsigned)BN_num_bits(n);
		t->kid = t->subject = "";
		t->n = (struct dump_bytes){ modulus, (size_t)BN_bn2bin(n, modulus) };
		t->e = (struct dump_bytes){ exponent, (size_t)BN_bn2bin(e, exponent) };
	}
	BN_free(n);
	BN_free(e);
	X509_free(x);
	if (f)
		fclose(f);
	return ok;
}

/* The residue test over writable memory, with the given key and with so many others made up besides. */
static void residue(const uint8_t *p, size_t n, const char *path, const struct dump_target *t, size_t others)
{
	struct dump_modulus moduli[64] = { { .p = t->n.p, .n = t->n.n, .e = t->e.p, .e_n = t->e.n } };
	struct dump_reader *r = dump_reader_memory(p, n);
	struct dump_image *im = dump_image_open(r, path);
	struct dump_residue left;
	uint64_t writable = 0;
	double start;

	for (size_t i = 1; i <= others; i++) {
		uint8_t *odd = malloc(t->n.n);

		for (size_t k = 0; odd && k < t->n.n; k++)
			odd[k] = (uint8_t)(t->n.p[k] ^ (k && k + 1 < t->n.n ? i * (k * 167 + 13) : 0));
		moduli[i] = (struct dump_modulus){ .p = odd, .n = t->n.n, .e = t->e.p, .e_n = t->e.n };
	}
	for (size_t i = 0; im && i < im->n_ranges; i++)
		if (!(im->ranges[i].flags & DUMP_MAPPED) || im->ranges[i].flags & DUMP_WRITE)
			writable += im->ranges[i].length;
	start = now();
	if (!im || !dump_residue_test(im, moduli, others + 1, DUMP_RESIDUE_WRITABLE, 1, &left))
		return;
	start = now() - start;
	printf("residue, %zu keys: %.1f MB/s of the file, %.1f MB/s of the %.0f MB looked at; %llu windows, %llu found\n", others + 1, (double)n / start / 1e6,
	       (double)writable / start / 1e6, (double)writable / 1e6, (unsigned long long)left.windows, (unsigned long long)left.found);
	for (size_t i = 1; i <= others; i++)
		free((void *)(uintptr_t)moduli[i].p);
	dump_image_free(im);
	dump_reader_free(r);
}

int main(int argc, char **argv)
{
	static const char *const names[] = { "best", "portable", "avx2", "ifma" };
	struct dump_target target = { 0 };
	struct dump_options base = { .threads = 1, .no_harvest = true };
	const char *path;
	uint8_t *p = NULL;
	size_t n = 0;
	FILE *f;

	for (int c; (c = getopt(argc, argv, "nc:")) != -1;) {
		if (c == 'n')
			base.native = true;
		else if (c == 'c' && target_of(optarg, &target))
			base.targets = &target, base.n_targets = 1;
		else
			return fprintf(stderr, "bench-finders: '%s' is no RSA certificate\n", optarg), 2;
	}
	path = optind < argc ? argv[optind++] : NULL;
	f = path ? fopen(path, "rb") : NULL;
	if (!f || fseek(f, 0, SEEK_END) != 0 || (n = (size_t)ftell(f)) == 0 || fseek(f, 0, SEEK_SET) != 0 || !(p = malloc(n)) || fread(p, 1, n, f) != n) {
		fprintf(stderr, "usage: bench-finders [-n] [-c CERTIFICATE] FILE FINDER...\n");
		return 2;
	}
	fclose(f);
	for (int i = optind; i < argc; i++) {
		if (strcmp(argv[i], "residue") == 0 && base.n_targets) {
			residue(p, n, path, &target, 0);
			residue(p, n, path, &target, 39);
			continue;
		}
		for (int code = DUMP_PATH_BEST; code <= DUMP_PATH_AVX2; code++) {
			double best = 0;
			size_t hits = 0;
			for (int round = 0; round < 3; round++) {
				struct dump_options o = base;
				struct dump_reader *r = dump_reader_memory(p, n);
				struct dump_image *im = dump_image_open(r, path);
				struct dump_scan *s;
				double start, speed;

				o.only = argv[i];
				o.path = (enum dump_path)code;
				s = dump_scan_new(&o);
				start = now();
				if (!im || !s || !dump_scan_image(s, im))
					return 3;
				speed = (double)n / (now() - start) / 1e9;
				best = speed > best ? speed : best;
				(void)dump_hits(s, &hits);
				dump_scan_free(s);
				dump_image_free(im);
				dump_reader_free(r);
			}
			printf("%-10s %-8s %6.2f GB/s  %zu hits\n", argv[i], names[code], best, hits);
			fflush(stdout);
		}
	}
	free(p);
	return 0;
}
