/* SPDX-License-Identifier: Apache-2.0 */
/* harvest: public keys in the dump become targets, RSA, elliptic and Ed25519.
 *
 * Two anchors cover nearly all: the end of the two numbers of a public key in DER, INTEGER 65537 after an INTEGER of a
 * modulus' size (certificates, SubjectPublicKeyInfo, PKCS#1 public and private), and the identifier rsaEncryption, for any
 * exponent.  A third is ssh's "ssh-rsa" blob.  Keys found are only hunted (in a second pass): a wrong one only costs time;
 * small and even numbers are not taken.  Keys of certificate authorities are hunted less thoroughly when there are many. */
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "base/limits.h"
#include "dump/form.h"
#include "dump/scan_int.h"

/* DER length at p[*i]; false: none, or more than is left */
static bool der_length(const uint8_t *p, size_t n, size_t *i, size_t *ret)
{
	size_t length, octets;

	if (*i >= n)
		return false;
	length = p[(*i)++];
	if (length & 0x80) {
		octets = length & 0x7f;
		if (octets == 0 || octets > 4 || octets > n - *i)
			return false;
		for (length = 0; octets; octets--)
			length = length << 8 | p[(*i)++];
	}
	*ret = length;
	return length <= n - *i;
}

static bool der_integer(const uint8_t *p, size_t n, size_t *i, struct dump_bytes *ret)
{
	size_t length;

	if (*i >= n || p[*i] != 0x02)
		return false;
	++*i;
	if (!der_length(p, n, i, &length) || length == 0)
		return false;
	*ret = (struct dump_bytes){ p + *i, length };
	*i += length;
	while (ret->n && ret->p[0] == 0) {
		ret->p++;
		ret->n--;
	}
	return true;
}

/* The element at p[*i]: steps over it.  *ret, if wanted: the whole of it, tag and length included. */
static bool der_step(const uint8_t *p, size_t n, size_t *i, uint8_t tag, struct dump_bytes *ret)
{
	size_t start = *i, length;

	if (start >= n || p[start] != tag)
		return false;
	++*i;
	if (!der_length(p, n, i, &length))
		return false;
	*i += length;
	if (ret)
		*ret = (struct dump_bytes){ p + start, *i - start };
	return true;
}

/* Is this the inner part of a certificate (TBSCertificate; libraries keep it and drop the rest) that holds p[at]?  Then its
 * subject, and whether it may sign certificates. */
static bool certificate(const uint8_t *p, size_t n, size_t at, char name[256], bool *ret_authority)
{
	static const uint8_t constraints[5] = { 0x06, 0x03, 0x55, 0x1d, 0x13 }, ca[3] = { 0x01, 0x01, 0xff };
	struct dump_bytes subject, key;
	const uint8_t *der, *found;
	size_t i = 1, length, end;
	X509_NAME *x;

	if (!der_length(p, n, &i, &length))
		return false;
	end = i + length;
	(void)der_step(p, end, &i, 0xa0, NULL);
	if (!der_step(p, end, &i, 0x02, NULL) || !der_step(p, end, &i, 0x30, NULL) || !der_step(p, end, &i, 0x30, NULL) ||
	    !der_step(p, end, &i, 0x30, NULL) || !der_step(p, end, &i, 0x30, &subject) || !der_step(p, end, &i, 0x30, &key) ||
	    at < (size_t)(key.p - p) || at >= i)
		return false;
	der = subject.p;
	x = d2i_X509_NAME(NULL, &der, (long)subject.n);
	if (!x)
		return false;
	X509_NAME_oneline(x, name, 256);
	X509_NAME_free(x);
	found = memmem(p + i, end - i, constraints, sizeof(constraints));
	if (found) {
		size_t left = (size_t)(p + end - found) - sizeof(constraints);

		found += sizeof(constraints);
		if (left >= sizeof(ca) && memcmp(found, ca, sizeof(ca)) == 0) { /* critical */
			found += sizeof(ca);
			left -= sizeof(ca);
		}
		*ret_authority = memmem(found, left < 11 ? left : 11, ca, sizeof(ca)) != NULL;
	}
	return true;
}

static char *subject_of(const uint8_t *p, size_t n, size_t at, bool *ret_authority)
{
	char name[256] = "";

	for (size_t back = 40; back < 2048 && back <= at; back++) {
		const uint8_t *start = p + at - back;

		if (start[0] == 0x30 && start[1] == 0x82 && (start[4] == 0xa0 || start[4] == 0x02) &&
		    certificate(start, n - (at - back), back, name, ret_authority))
			break;
	}
	return strdup(name);
}

/* A key that was found bare may be found again in its certificate. */
static void name_it(struct dump_target *t, const uint8_t *p, size_t n, size_t at)
{
	char *name;

	if (*t->subject)
		return;
	name = subject_of(p, n, at, &t->distant);
	if (name) {
		free((void *)(uintptr_t)t->subject);
		t->subject = name;
	}
}

static bool same_modulus(const struct dump_target *t, struct dump_bytes n) { return t->n.n == n.n && memcmp(t->n.p, n.p, n.n) == 0; }

static bool make(struct dump_target *t, struct dump_bytes n, struct dump_bytes e, const uint8_t *p, size_t size, size_t at)
{
	BIGNUM *bn = BN_bin2bn(n.p, (int)n.n, NULL), *be = BN_bin2bn(e.p, (int)e.n, NULL);
	uint8_t *copy = malloc(n.n + e.n);
	bool ok = bn && be && copy && dump_spki_rsa(bn, be, t->spki);

	if (ok) {
		memcpy(copy, n.p, n.n);
		memcpy(copy + n.n, e.p, e.n);
		t->bits = (unsigned)BN_num_bits(bn);
		t->n = (struct dump_bytes){ copy, n.n };
		t->e = (struct dump_bytes){ copy + n.n, e.n };
		t->subject = subject_of(p, size, at, &t->distant);
		ok = t->subject != NULL;
	}
	if (!ok)
		free(copy);
	BN_free(bn);
	BN_free(be);
	return ok;
}

/* The lock must be held. */
static bool room_for_one(struct dump_scan *s)
{
	size_t capacity = s->n_met ? s->n_met * 2 : 64;
	struct dump_target *bigger;

	if (s->n_met < s->met_capacity)
		return true;
	bigger = capacity <= DUMP_TARGETS_MET_MAX ? realloc(s->met, capacity * sizeof(*bigger)) : NULL;
	if (!bigger)
		return false;
	s->met = bigger;
	s->met_capacity = capacity;
	return true;
}

static void take(struct dump_scan *s, struct dump_bytes n, struct dump_bytes e, const uint8_t *p, size_t size, size_t at)
{
	struct dump_target t = { .algorithm = DUMP_RSA, .kid = "", .from_dump = true };
	bool full = false;

	if (n.n < 64 || n.n > DUMP_RSA_BITS_MAX / 8 || e.n == 0 || e.n > 8 || !(n.p[n.n - 1] & 1) || !(e.p[e.n - 1] & 1) ||
	    n.p[0] < 0x40 || (e.n == 1 && e.p[0] == 1))
		return;
	for (size_t i = 0; i < s->n_targets; i++) /* does not change during a pass */
		if (same_modulus(&s->targets[i], n))
			return;
	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < s->n_met; i++) {
		if (same_modulus(&s->met[i], n)) {
			name_it(&s->met[i], p, size, at);
			goto out;
		}
	}
	full = !room_for_one(s);
	if (!full && make(&t, n, e, p, size, at)) {
		if (dump_allowed(t.spki, s->options.today)) { /* a published test key is not hunted */
			free((void *)(uintptr_t)t.n.p);
			free((void *)(uintptr_t)t.subject);
		} else {
			s->met[s->n_met++] = t;
		}
	}
out:
	pthread_mutex_unlock(&s->lock);
	if (full)
		dump_limit(s, "more public keys in the dump than are hunted");
}

/* 02 03 01 00 01 at p[i]: is there an INTEGER of a modulus' size right before it? */
static void try_exponent(struct dump_scan *s, const uint8_t *p, size_t n, size_t i)
{
	static const uint16_t sizes[] = { 64, 96, 128, 192, 256, 384, 512, 768, 1024, 2048 };

	for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
		size_t bytes = sizes[k], head = bytes + 1 < 128 ? 2 : bytes + 1 < 256 ? 3 : 4, at = i - bytes - 1 - head;
		struct dump_bytes m, e;

		if (i < bytes + 1 + head || p[at] != 0x02 || p[at + head] != 0)
			continue;
		if (der_integer(p, n, &at, &m) && at == i && der_integer(p, n, &at, &e))
			take(s, m, e, p, n, i - bytes);
	}
}

/* the object identifier rsaEncryption at p[i] */
static void try_identifier(struct dump_scan *s, const uint8_t *p, size_t n, size_t i)
{
	struct dump_bytes m, e;
	size_t length, at = i + 9;

	if (n - at > 2 && p[at] == 0x05 && p[at + 1] == 0)
		at += 2;
	if (at >= n || p[at++] != 0x03 || !der_length(p, n, &at, &length) || at >= n || p[at++] != 0)
		return;
	if (at >= n || p[at++] != 0x30 || !der_length(p, n, &at, &length))
		return;
	if (der_integer(p, n, &at, &m) && der_integer(p, n, &at, &e))
		take(s, m, e, p, n, i);
}

static bool ssh_string(const uint8_t *p, size_t n, size_t *i, struct dump_bytes *ret)
{
	size_t length;

	if (n - *i < 4)
		return false;
	length = (size_t)p[*i] << 24 | (size_t)p[*i + 1] << 16 | (size_t)p[*i + 2] << 8 | p[*i + 3];
	*i += 4;
	if (length == 0 || length > n - *i)
		return false;
	*ret = (struct dump_bytes){ p + *i, length };
	*i += length;
	while (ret->n && ret->p[0] == 0) {
		ret->p++;
		ret->n--;
	}
	return true;
}

/* An elliptic or Edwards key in a SubjectPublicKeyInfo; at: see form_der_public(). */
static void take_point(struct dump_scan *s, const uint8_t *p, size_t size, size_t at)
{
	struct dump_target t = { .kid = "", .from_dump = true };
	struct public_key k;
	uint8_t *copy;
	bool full = false;

	if (!form_der_public(p, size, at, &k) || k.alg == CLAIM_RSA)
		return;
	SHA256(p + k.begin, k.end - k.begin, t.spki);
	if (dump_allowed(t.spki, s->options.today))
		return;
	for (size_t i = 0; i < s->n_targets; i++) /* does not change during a pass */
		if (memcmp(s->targets[i].spki, t.spki, 32) == 0)
			return;
	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < s->n_met; i++) {
		if (memcmp(s->met[i].spki, t.spki, 32) == 0) {
			name_it(&s->met[i], p, size, at);
			goto out;
		}
	}
	full = !room_for_one(s);
	copy = full ? NULL : malloc(k.point.n);
	if (!copy)
		goto out;
	memcpy(copy, k.point.p, k.point.n);
	t.algorithm = k.alg == CLAIM_EC ? DUMP_EC : DUMP_ED25519;
	t.bits = k.alg == CLAIM_EC ? curve_bits(k.curve) : 256;
	t.group = k.alg == CLAIM_EC ? curve_group(k.curve) : NULL;
	t.point = (struct dump_bytes){ copy, k.point.n };
	t.n = (struct dump_bytes){ copy, 0 }; /* owns the copy */
	t.subject = subject_of(p, size, at, &t.distant);
	if (t.subject)
		s->met[s->n_met++] = t;
	else
		free(copy);
out:
	pthread_mutex_unlock(&s->lock);
	if (full)
		dump_limit(s, "more public keys in the dump than are hunted");
}

typedef uint8_t vector __attribute__((vector_size(16)));

static bool is_at(const uint8_t *p, const void *needle, size_t n) { return memcmp(p, needle, n) == 0; }

/* p[i], counted from the first readable byte: what begins here? */
static void try_place(struct dump_scan *s, const uint8_t *p, size_t n, size_t i)
{
	static const uint8_t exponent[5] = { 0x02, 0x03, 0x01, 0x00, 0x01 };
	static const uint8_t rsa[9] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01 };
	static const uint8_t ec[7] = { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01 }, edwards[5] = { 0x30, 0x05, 0x06, 0x03, 0x2b };
	static const uint8_t ssh[11] = { 0, 0, 0, 7, 's', 's', 'h', '-', 'r', 's', 'a' };
	const uint8_t *at = p + i;
	const size_t left = n - i;

	if (left >= sizeof(exponent) && is_at(at, exponent, sizeof(exponent)))
		try_exponent(s, p, n, i);
	else if (left >= sizeof(rsa) && is_at(at, rsa, sizeof(rsa)))
		try_identifier(s, p, n, i);
	else if (left >= sizeof(ec) && is_at(at, ec, sizeof(ec)))
		take_point(s, p, n, i + 2);
	else if (left >= sizeof(edwards) && is_at(at, edwards, sizeof(edwards)))
		take_point(s, p, n, i + 4);
	else if (left >= sizeof(ssh) && is_at(at, ssh, sizeof(ssh))) {
		size_t next = i + sizeof(ssh);
		struct dump_bytes m, e;

		if (ssh_string(p, n, &next, &e) && ssh_string(p, n, &next, &m))
			take(s, m, e, p, n, i);
	}
}

/* Anchors of this block; what they belong to may begin before it and end after it.  Their first two bytes are looked for, sixteen
 * places at a time: one place in ten thousand is worth a second look. */
void harvest_block(struct dump_scan *s, const struct dump_block *b)
{
	const uint8_t *p = b->p - b->before;
	const size_t n = b->before + b->n;

	for (size_t i = 0; i < b->own; i += sizeof(vector)) { /* DUMP_BLOCK_PAD may be read past the end */
		vector x, y, z, found;
		uint64_t two[2];

		memcpy(&x, b->p + i, sizeof(x));
		memcpy(&y, b->p + i + 1, sizeof(y));
		memcpy(&z, b->p + i + 3, sizeof(z));
		found = (vector)(((x == 0x02) & (y == 0x03)) | ((x == 0x2a) & (y == 0x86)) | ((x == 0x30) & (y == 0x05)) | ((x == 0) & (y == 0) & (z == 7)));
		memcpy(two, &found, sizeof(two));
		if (!(two[0] | two[1]))
			continue;
		for (size_t k = 0; k < sizeof(vector) && i + k < b->own; k++)
			if (found[k])
				try_place(s, p, n, b->before + i + k);
	}
}

static int compare_met(const void *a, const void *b)
{
	return memcmp(((const struct dump_target *)a)->spki, ((const struct dump_target *)b)->spki, 32);
}

bool harvest_done(struct dump_scan *s)
{
	size_t authorities = 0;
	bool ok = true;

	if (s->n_met)
		qsort(s->met, s->n_met, sizeof(*s->met), compare_met);
	for (size_t i = 0; i < s->n_met; i++)
		authorities += s->met[i].distant;
	for (size_t i = 0; i < s->n_met; i++) {
		/* a trust store has a hundred authorities; a process with a few may be one of them */
		if (authorities <= DUMP_AUTHORITIES_MAX)
			s->met[i].distant = false;
		if (!scan_add_target(s, &s->met[i])) {
			free((void *)(uintptr_t)s->met[i].n.p);
			free((void *)(uintptr_t)s->met[i].subject);
			ok = false;
		}
	}
	s->counts.targets_met = s->n_met;
	s->n_met = 0;
	return ok;
}
