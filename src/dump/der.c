/* SPDX-License-Identifier: Apache-2.0 */
/* der: private keys in DER, whole or in pieces (RFC 8017, 5958, 5915, 8410, 7292; X9.57's old DSA SEQUENCE).
 *
 * Why not a DER library: a key in a dump is often half overwritten, and a decoder that wants the whole thing rejects a
 * key whose tail is gone but whose prime is there.  Here every member that can be read counts, and arithmetic sorts them out.
 * Lengths may be minimal or not (BER writers exist), of one to four octets, never indefinite. */
#include "base/limits.h"
#include "dump/form.h"

struct der {
	const uint8_t *p;
	size_t at, end;
};

/* One element's head at d->at: its content, and d->at after the head.  A content that runs past the end is cut there and
 * *ret_cut is set (NULL: such an element is refused). */
static bool der_open(struct der *d, uint8_t tag, struct der *ret, bool *ret_cut)
{
	size_t i = d->at, length = 0;
	if (d->end - i < 2 || d->p[i] != tag)
		return false;
	uint8_t first = d->p[i + 1];
	i += 2;
	if (first < 0x80) {
		length = first;
	} else {
		unsigned octets = first & 0x7f;
		if (octets < 1 || octets > 4 || d->end - i < octets)
			return false;
		while (octets--)
			length = length << 8 | d->p[i++];
	}
	if (length > d->end - i) {
		if (!ret_cut)
			return false;
		*ret_cut = true;
		length = d->end - i;
	}
	*ret = (struct der){ d->p, i, i + length };
	d->at = i + length;
	return true;
}

static bool der_integer(struct der *d, struct number *ret)
{
	struct der c;
	struct der before = *d;
	if (!der_open(d, 0x02, &c, NULL))
		return false;
	while (c.at + 1 < c.end && c.p[c.at] == 0)
		c.at++;
	if (c.at == c.end || c.end - c.at > CLAIM_BYTES_MAX) {
		*d = before;
		return false;
	}
	*ret = (struct number){ c.p + c.at, (uint32_t)(c.end - c.at), false };
	return true;
}

static bool der_is(const struct der *c, const char *bytes, size_t n)
{
	return c->end - c->at == n && memcmp(c->p + c->at, bytes, n) == 0;
}

static bool der_small(const struct number *x, unsigned *ret)
{
	if (x->n > 2)
		return false;
	*ret = x->n == 2 ? (unsigned)x->p[0] << 8 | x->p[1] : x->p[0];
	return true;
}

static unsigned number_bits(const struct number *x)
{
	unsigned bits = x->n * 8;
	for (uint8_t top = x->n ? x->p[0] : 0; bits && !(top & 0x80); top = (uint8_t)(top << 1))
		if (--bits % 8 == 0)
			break;
	return bits;
}

static bool number_odd(const struct number *x)
{
	return x->n && x->p[x->n - 1] & 1;
}

/* n, e, d, p, q, d_p, d_q, q_inv after the version, as many as can be read */
static bool rsa_members(struct der *d, bool cut, struct claim *ret)
{
	int count = 0;
	for (; count < CLAIM_PARTS && der_integer(d, &ret->part[count]); count++)
		;
	for (int i = count; i < CLAIM_PARTS; i++)
		ret->part[i] = (struct number){ 0 };
	if (count < 3 || number_bits(&ret->part[RSA_N]) < CLAIM_RSA_BITS_MIN || ret->part[RSA_E].n > ret->part[RSA_N].n
	    || !number_odd(&ret->part[RSA_N]) || !number_odd(&ret->part[RSA_E]))
		return false;
	ret->alg = CLAIM_RSA;
	ret->cut = cut || count < CLAIM_PARTS;
	return true;
}

/* the old DSA SEQUENCE: version 0, p, q, g, y, x */
static bool dsa_members(struct der *d, struct claim *ret)
{
	for (int i = 0; i < 5; i++)
		if (!der_integer(d, &ret->part[i]))
			return false;
	unsigned q = ret->part[DSA_Q].n, p = ret->part[DSA_P].n;
	ret->alg = CLAIM_DSA;
	return p >= 64 && q >= 20 && q <= p && ret->part[DSA_G].n <= p && ret->part[DSA_Y].n <= p && ret->part[DSA_X].n <= q;
}

static bool bit_string(struct der *d, struct number *ret)
{
	struct der c;
	if (!der_open(d, 0x03, &c, NULL) || c.end - c.at < 2 || c.p[c.at] != 0)
		return false;
	*ret = (struct number){ c.p + c.at + 1, (uint32_t)(c.end - c.at - 1), false };
	return true;
}

/* after the version 1 of SEC1: OCTET STRING d, [0] curve, [1] point */
static bool sec1_members(struct der *d, struct claim *ret)
{
	struct der c, tagged;
	if (!der_open(d, 0x04, &c, NULL) || c.end - c.at < 16 || c.end - c.at > 66)
		return false;
	ret->alg = CLAIM_EC;
	ret->part[EC_D] = (struct number){ c.p + c.at, (uint32_t)(c.end - c.at), false };
	if (der_open(d, 0xa0, &tagged, NULL)) {
		struct der oid;
		ret->stated = true;
		if (der_open(&tagged, 0x06, &oid, NULL))
			ret->curve = curve_by_oid(oid.p + oid.at, oid.end - oid.at);
		if (!ret->curve) { /* another one, or explicit parameters */
			ret->alg = CLAIM_UNKNOWN;
			ret->part[0] = ret->part[EC_D];
			ret->part[EC_D] = (struct number){ 0 };
			(void)der_open(d, 0xa1, &tagged, NULL);
			return true;
		}
	}
	if (der_open(d, 0xa1, &tagged, NULL) && !bit_string(&tagged, &ret->part[EC_PUBLIC]))
		return false;
	if (!ret->curve) {
		static const enum curve by_size[] = { [28] = CURVE_P224, [32] = CURVE_P256, [48] = CURVE_P384, [66] = CURVE_P521 };
		if (ret->part[EC_D].n < sizeof by_size / sizeof by_size[0])
			ret->curve = by_size[ret->part[EC_D].n];
	}
	return ret->curve != CURVE_NONE;
}

static bool pkcs8_edwards(enum claim_alg alg, unsigned bytes, struct der *inner, struct der *rest, struct claim *ret)
{
	struct der seed, tagged;
	ret->alg = alg;
	if (!der_open(inner, 0x04, &seed, NULL) || seed.end - seed.at != bytes)
		return false;
	ret->part[EC_D] = (struct number){ seed.p + seed.at, bytes, false };
	(void)der_open(rest, 0xa0, &tagged, NULL); /* attributes */
	if (der_open(rest, 0x81, &tagged, NULL) && tagged.end - tagged.at == bytes + 1)
		ret->part[EC_PUBLIC] = (struct number){ tagged.p + tagged.at + 1, bytes, false };
	return true;
}

/* FIPS 203, 204 and 205, by the last byte of their identifiers */
static enum claim_alg lattice_or_hash(const struct der *oid)
{
	const uint8_t *p = oid->p + oid->at;
	if (oid->end - oid->at != 9 || memcmp(p, "\x60\x86\x48\x01\x65\x03\x04", 7) != 0)
		return CLAIM_UNKNOWN;
	if (p[7] == 4)
		return p[8] >= 1 && p[8] <= 3 ? CLAIM_ML_KEM : CLAIM_UNKNOWN;
	if (p[7] != 3)
		return CLAIM_UNKNOWN;
	return (p[8] >= 17 && p[8] <= 19) || (p[8] >= 32 && p[8] <= 34) ? CLAIM_ML_DSA : (p[8] >= 20 && p[8] <= 31) || (p[8] >= 35 && p[8] <= 46) ? CLAIM_SLH_DSA : CLAIM_UNKNOWN;
}

static bool pkcs8_known(struct der *d, const struct der *oid_, struct der algorithm, struct der inner, bool cut, struct claim *ret);

/* after the version of PKCS#8: AlgorithmIdentifier, OCTET STRING, [0] attributes, [1] public key.  What they say is whole when they
 * fill the SEQUENCE to its last byte. */
static bool pkcs8_members(struct der *d, bool cut, struct claim *ret)
{
	struct der algorithm, oid, inner, rest;
	if (!der_open(d, 0x30, &algorithm, NULL) || !der_open(&algorithm, 0x06, &oid, NULL) || oid.end - oid.at < 3 || !der_open(d, 0x04, &inner, &cut))
		return false;
	struct der after = *d;
	(void)der_open(&after, 0xa0, &rest, NULL);
	(void)(der_open(&after, 0x81, &rest, NULL) || der_open(&after, 0xa1, &rest, NULL));
	ret->stated = !cut && after.at == after.end;
	if (pkcs8_known(d, &oid, algorithm, inner, cut, ret)) {
		ret->stated &= !cut;
		return true;
	}
	memset(ret->part, 0, sizeof ret->part);
	ret->alg = lattice_or_hash(&oid);
	ret->curve = CURVE_NONE;
	ret->part[0] = (struct number){ inner.p + inner.at, (uint32_t)(inner.end - inner.at), false };
	ret->stated = !cut && after.at == after.end;
	return inner.end - inner.at >= 16 && inner.end - inner.at <= CLAIM_OPAQUE_BYTES_MAX && (ret->stated || ret->alg != CLAIM_UNKNOWN);
}

static bool pkcs8_known(struct der *d, const struct der *oid_, struct der algorithm, struct der inner, bool cut, struct claim *ret)
{
	struct der oid = *oid_, params;
	struct number version;
	unsigned v;
	if (der_is(&oid, "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01", 9) || der_is(&oid, "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a", 9)) {
		struct der members;
		return der_open(&inner, 0x30, &members, &cut) && der_integer(&members, &version) && der_small(&version, &v) && v <= 1
		       && rsa_members(&members, cut, ret);
	}
	if (der_is(&oid, "\x2a\x86\x48\xce\x3d\x02\x01", 7)) {
		struct der members, curve;
		if (!der_open(&algorithm, 0x06, &curve, NULL))
			return false;
		ret->curve = curve_by_oid(curve.p + curve.at, curve.end - curve.at);
		if (!ret->curve || !der_open(&inner, 0x30, &members, &cut) || !der_integer(&members, &version) || !der_small(&version, &v) || v != 1)
			return false;
		bool whole = ret->stated;
		if (!sec1_members(&members, ret))
			return false;
		ret->stated = whole;
		return true;
	}
	if (der_is(&oid, "\x2b\x65\x70", 3))
		return pkcs8_edwards(CLAIM_ED25519, 32, &inner, d, ret);
	if (der_is(&oid, "\x2b\x65\x71", 3))
		return pkcs8_edwards(CLAIM_ED448, 57, &inner, d, ret);
	if (der_is(&oid, "\x2b\x65\x6e", 3))
		return pkcs8_edwards(CLAIM_X25519, 32, &inner, d, ret);
	if (der_is(&oid, "\x2b\x65\x6f", 3))
		return pkcs8_edwards(CLAIM_X448, 56, &inner, d, ret);
	if (der_is(&oid, "\x2a\x86\x48\xce\x38\x04\x01", 7)) {
		ret->alg = CLAIM_DSA;
		return der_open(&algorithm, 0x30, &params, NULL) && der_integer(&params, &ret->part[DSA_P]) && der_integer(&params, &ret->part[DSA_Q])
		       && der_integer(&params, &ret->part[DSA_G]) && der_integer(&inner, &ret->part[DSA_X]);
	}
	if (der_is(&oid, "\x2a\x86\x48\x86\xf7\x0d\x01\x03\x01", 9)) {
		ret->alg = CLAIM_DH;
		return der_open(&algorithm, 0x30, &params, NULL) && der_integer(&params, &ret->part[DSA_P]) && der_integer(&params, &ret->part[DSA_G])
		       && der_integer(&inner, &ret->part[DSA_X]);
	}
	return false;
}

/* PFX: version 3, ContentInfo of data or signedData */
static bool is_pkcs12(struct der *d)
{
	struct der info, oid;
	return der_open(d, 0x30, &info, NULL) && der_open(&info, 0x06, &oid, NULL)
	       && (der_is(&oid, "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01", 9) || der_is(&oid, "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02", 9));
}

bool form_der_version(const uint8_t *p, size_t n, size_t at, struct claim *ret)
{
	/* the SEQUENCE head: 30 LL, 30 81 LL, 30 82 LL LL, ... directly before the version */
	for (size_t head = 2; head <= 6; head++) {
		if (at < head || p[at - head] != 0x30)
			continue;
		uint8_t first = p[at - head + 1];
		if (head == 2 ? first >= 0x80 : first != 0x80 + head - 2)
			continue;
		struct der outer = { p, at - head, n }, d;
		struct number version;
		unsigned v;
		bool cut = false;
		memset(ret, 0, sizeof *ret);
		ret->begin = at - head;
		if (!der_open(&outer, 0x30, &d, &cut) || d.at != at || !der_integer(&d, &version) || !der_small(&version, &v) || d.at >= d.end)
			return false;
		ret->end = outer.at;
		struct der again = d;
		switch (d.p[d.at]) {
		case 0x30:
			if (v == 3 && !cut && is_pkcs12(&d)) {
				ret->alg = CLAIM_LOCKED;
				ret->form = "pkcs12";
				return true;
			}
			ret->form = "pkcs8";
			return v <= 1 && pkcs8_members(&d, cut, ret);
		case 0x04:
			ret->form = "sec1";
			if (v != 1 || !sec1_members(&d, ret))
				return false;
			ret->stated &= !cut && d.at == d.end;
			return true;
		case 0x02:
			ret->form = "dsa";
			if (v == 0 && dsa_members(&d, ret))
				return true;
			memset(ret->part, 0, sizeof ret->part);
			ret->form = "pkcs1";
			if (v > 1 || !rsa_members(&again, cut, ret))
				return false;
			if (cut || ret->cut) /* bytes after the last good member are not skipped */
				ret->end = again.at;
			return true;
		default:
			return false;
		}
	}
	return false;
}

bool form_der_integers(const uint8_t *p, size_t n, size_t at, struct claim *ret, size_t *ret_end)
{
	struct number x[10] = { 0 };
	size_t begin[10] = { 0 }, after[10] = { 0 };
	int count = 0;
	struct der d = { p, at, n };
	while (count < 10) {
		begin[count] = d.at;
		if (!der_integer(&d, &x[count]))
			break;
		after[count] = d.at;
		count++;
	}
	*ret_end = count ? after[count - 1] : at + 1;
	if (count < 2)
		return false;
	/* Two neighbours of one size, both odd, are p and q; before them are d, e, n, after them the CRT numbers. */
	for (int i = 0; i + 1 < count; i++) {
		unsigned h = x[i].n, g = x[i + 1].n;
		if (h < CLAIM_RSA_BITS_MIN / 16 || (h > g ? h - g : g - h) > 1 || !number_odd(&x[i]) || !number_odd(&x[i + 1]))
			continue;
		memset(ret, 0, sizeof *ret);
		ret->alg = CLAIM_RSA;
		ret->form = "der-integers";
		ret->cut = true;
		int first = i, last = i + 1;
		ret->part[RSA_P] = x[i];
		ret->part[RSA_Q] = x[i + 1];
		if (i >= 1 && x[i - 1].n > h && x[i - 1].n <= 2 * h + 1)
			ret->part[RSA_D] = x[first = i - 1];
		if (first == i - 1 && i >= 2 && x[i - 2].n <= 8)
			ret->part[RSA_E] = x[first = i - 2];
		if (first == i - 2 && i >= 3 && x[i - 3].n + 1 >= h + g - 1 && x[i - 3].n <= h + g)
			ret->part[RSA_N] = x[first = i - 3];
		for (int k = 0; k < 3 && i + 2 + k < count && x[i + 2 + k].n <= h + 1; k++)
			ret->part[RSA_DP + k] = x[last = i + 2 + k];
		/* two odd numbers alone prove nothing here: an exponent must tie them, or the modulus */
		if (!number_has(&ret->part[RSA_D]) && !number_has(&ret->part[RSA_DP]) && !number_has(&ret->part[RSA_N]))
			continue;
		ret->begin = begin[first];
		ret->end = after[last];
		return true;
	}
	/* n, e, d and nothing else */
	if (count >= 3 && x[0].n >= CLAIM_RSA_BITS_MIN / 8 && x[1].n <= 8 && x[2].n <= x[0].n && x[2].n > x[0].n / 2 && number_odd(&x[0])
	    && number_odd(&x[1]) && number_odd(&x[2])) {
		memset(ret, 0, sizeof *ret);
		ret->alg = CLAIM_RSA;
		ret->form = "der-integers";
		ret->cut = true;
		for (int i = 0; i < 3; i++)
			ret->part[i] = x[i];
		ret->begin = begin[0];
		ret->end = after[2];
		return true;
	}
	return false;
}

/* the SEQUENCE whose head ends where `inside` begins */
static bool sequence_before(const uint8_t *p, size_t n, size_t inside, struct der *ret, size_t *ret_begin)
{
	for (size_t head = 2; head <= 6 && head <= inside; head++) {
		struct der d = { p, inside - head, n };
		if (p[inside - head] == 0x30 && der_open(&d, 0x30, ret, NULL) && ret->at == inside) {
			*ret_begin = inside - head;
			return true;
		}
	}
	return false;
}

bool form_der_encrypted(const uint8_t *p, size_t n, size_t at, struct claim *ret)
{
	static const uint8_t pbes2[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0d };
	static const uint8_t pbe12[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x01 };
	struct der algorithm, whole, octets, oid;
	size_t begin;
	if (at < 5 + 4 || n - at < 5)
		return false;
	size_t id = at - 4;
	if (memcmp(p + id, pbes2, 9) != 0 && memcmp(p + id, pbe12, 9) != 0)
		return false;
	if (!sequence_before(p, n, id - 2, &algorithm, &begin) || !der_open(&algorithm, 0x06, &oid, NULL) || !sequence_before(p, n, begin, &whole, &begin))
		return false;
	whole.at = algorithm.end;
	if (!der_open(&whole, 0x04, &octets, NULL) || octets.end - octets.at < 32 || whole.at != whole.end)
		return false;
	memset(ret, 0, sizeof *ret);
	ret->alg = CLAIM_LOCKED;
	ret->form = "pkcs8-encrypted";
	ret->begin = begin;
	ret->end = whole.end;
	return true;
}

bool form_der_public(const uint8_t *p, size_t n, size_t at, struct public_key *ret)
{
	static const struct {
		uint8_t bytes, oid[9];
		enum claim_alg alg;
		uint8_t back; /* how far the anchor is from the OID's first byte */
	} ids[] = {
		{ 9, { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01 }, CLAIM_RSA, 4 },
		{ 7, { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01 }, CLAIM_EC, 2 },
		{ 3, { 0x2b, 0x65, 0x70 }, CLAIM_ED25519, 0 },
	};
	memset(ret, 0, sizeof *ret);
	for (size_t k = 0; k < sizeof ids / sizeof ids[0]; k++) {
		struct der algorithm, bits, key, oid;
		size_t begin;
		if (at < (size_t)ids[k].back + 4 || n - at < ids[k].bytes || memcmp(p + at - ids[k].back, ids[k].oid, ids[k].bytes) != 0)
			continue;
		if (!sequence_before(p, n, at - ids[k].back - 2, &algorithm, &begin) || !der_open(&algorithm, 0x06, &oid, NULL))
			return false;
		struct der d = { p, algorithm.end, n }, whole;
		if (!sequence_before(p, n, begin, &whole, &ret->begin))
			return false;
		ret->end = whole.end;
		if (!der_open(&d, 0x03, &bits, NULL) || bits.end - bits.at < 33 || bits.p[bits.at] != 0)
			return false;
		bits.at++;
		ret->alg = ids[k].alg;
		if (ret->alg == CLAIM_RSA)
			return der_open(&bits, 0x30, &key, NULL) && der_integer(&key, &ret->n) && der_integer(&key, &ret->e)
			       && number_bits(&ret->n) >= CLAIM_RSA_BITS_MIN && number_odd(&ret->n);
		ret->point = (struct number){ bits.p + bits.at, (uint32_t)(bits.end - bits.at), false };
		if (ret->alg == CLAIM_ED25519)
			return ret->point.n == 32;
		if (!der_open(&algorithm, 0x06, &oid, NULL))
			return false;
		ret->curve = curve_by_oid(oid.p + oid.at, oid.end - oid.at);
		return ret->curve && ret->point.n == 1 + 2 * curve_bytes(ret->curve) && ret->point.p[0] == 4;
	}
	return false;
}
