/* SPDX-License-Identifier: Apache-2.0 */
/* blob: private keys in binary forms that are not DER: Microsoft's BCRYPT and CAPI blobs (bcrypt.h, wincrypt.h), OpenSSH's
 * private key (PROTOCOL.key) whole or as the bare list that an agent holds, and the heads of stores that stay locked. */
#include "base/limits.h"
#include "dump/form.h"

static uint32_t le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[3] | (uint32_t)p[2] << 8 | (uint32_t)p[1] << 16 | (uint32_t)p[0] << 24;
}

/* a cursor over [at, end) */
struct cursor {
	const uint8_t *p;
	size_t at, end;
};

static bool take(struct cursor *c, uint32_t n, bool little, struct number *ret)
{
	if (n == 0 || n > CLAIM_BYTES_MAX || c->end - c->at < n)
		return false;
	*ret = (struct number){ c->p + c->at, n, little };
	c->at += n;
	return true;
}

/* -- BCRYPT_RSAKEY_BLOB, BCRYPT_ECCKEY_BLOB -- */

static bool bcrypt_rsa(const uint8_t *p, size_t n, size_t at, struct claim *ret)
{
	if (n - at < 24)
		return false;
	uint32_t bits = le32(p + at + 4), e = le32(p + at + 8), modulus = le32(p + at + 12), p1 = le32(p + at + 16), p2 = le32(p + at + 20);
	struct cursor c = { p, at + 24, n };
	if (bits < CLAIM_RSA_BITS_MIN || bits > 8 * CLAIM_BYTES_MAX || e == 0 || e > 8 || modulus != (bits + 7) / 8 || p1 > modulus || p2 > modulus)
		return false;
	ret->alg = CLAIM_RSA;
	if (!take(&c, e, false, &ret->part[RSA_E]) || !take(&c, modulus, false, &ret->part[RSA_N]) || !take(&c, p1, false, &ret->part[RSA_P]))
		return false;
	ret->form = "bcrypt-rsa";
	ret->cut = !take(&c, p2, false, &ret->part[RSA_Q]);
	if (p[at + 3] == '3' && !ret->cut) {
		ret->form = "bcrypt-rsa-full";
		ret->cut = !take(&c, p1, false, &ret->part[RSA_DP]) || !take(&c, p2, false, &ret->part[RSA_DQ])
		           || !take(&c, p1, false, &ret->part[RSA_QI]) || !take(&c, modulus, false, &ret->part[RSA_D]);
	}
	ret->end = c.at;
	return true;
}

static bool bcrypt_ec(const uint8_t *p, size_t n, size_t at, struct claim *ret)
{
	static const enum curve by_size[] = { [28] = CURVE_P224, [32] = CURVE_P256, [48] = CURVE_P384, [66] = CURVE_P521 };
	if (n - at < 8)
		return false;
	uint32_t size = le32(p + at + 4);
	struct cursor c = { p, at + 8, n };
	if (size < 28 || size > 66 || !by_size[size])
		return false;
	ret->alg = CLAIM_EC;
	ret->form = "bcrypt-ec";
	ret->curve = by_size[size];
	if (!take(&c, 2 * size, false, &ret->part[EC_PUBLIC]) || !take(&c, size, false, &ret->part[EC_D]))
		return false;
	ret->end = c.at;
	return true;
}

bool form_bcrypt(const uint8_t *p, size_t n, size_t at, struct claim *ret)
{
	if (n - at < 8)
		return false;
	memset(ret, 0, sizeof *ret);
	ret->begin = at;
	if (memcmp(p + at, "RSA2", 4) == 0 || memcmp(p + at, "RSA3", 4) == 0)
		return bcrypt_rsa(p, n, at, ret);
	if (p[at] != 'E' || p[at + 1] != 'C')
		return false;
	/* private ones: ECS2 ECS4 ECS6 (ECDSA), ECK2 ECK4 ECK6 (ECDH), ECDV and ECKV (generic) */
	bool fixed = (p[at + 2] == 'S' || p[at + 2] == 'K') && (p[at + 3] == '2' || p[at + 3] == '4' || p[at + 3] == '6');
	bool generic = (p[at + 2] == 'D' || p[at + 2] == 'K') && p[at + 3] == 'V';
	return (fixed || generic) && bcrypt_ec(p, n, at, ret);
}

/* -- CAPI PRIVATEKEYBLOB: BLOBHEADER, RSAPUBKEY, numbers least byte first -- */

bool form_capi(const uint8_t *p, size_t n, size_t at, struct claim *ret)
{
	if (n - at < 20 || le32(p + at) != 0x00000207 || memcmp(p + at + 8, "RSA2", 4) != 0)
		return false;
	uint32_t algorithm = le32(p + at + 4), bits = le32(p + at + 12);
	if ((algorithm != 0xa400 && algorithm != 0x2400) || bits < CLAIM_RSA_BITS_MIN || bits > 8 * CLAIM_BYTES_MAX || bits % 16 != 0)
		return false;
	struct cursor c = { p, at + 20, n };
	memset(ret, 0, sizeof *ret);
	ret->alg = CLAIM_RSA;
	ret->form = "capi";
	ret->begin = at;
	ret->part[RSA_E] = (struct number){ p + at + 16, 4, true };
	static const int order[] = { RSA_N, RSA_P, RSA_Q, RSA_DP, RSA_DQ, RSA_QI, RSA_D };
	for (size_t i = 0; i < sizeof order / sizeof order[0] && !ret->cut; i++)
		ret->cut = !take(&c, order[i] == RSA_N || order[i] == RSA_D ? bits / 8 : bits / 16, true, &ret->part[order[i]]);
	ret->end = c.at;
	return number_has(&ret->part[RSA_P]);
}

bool form_pvk(const uint8_t *p, size_t n, size_t at, struct claim *ret)
{
	if (n - at < 24 || le32(p + at) != 0xb0b5f11e || le32(p + at + 4) != 0 || le32(p + at + 8) > 2)
		return false;
	uint32_t encrypted = le32(p + at + 12), salt = le32(p + at + 16), length = le32(p + at + 20);
	if (encrypted > 1 || salt > 64 || length < 100 || length > 16 * CLAIM_BYTES_MAX)
		return false;
	if (salt || encrypted) {
		memset(ret, 0, sizeof *ret);
		ret->alg = CLAIM_LOCKED;
		ret->form = "pvk";
		ret->begin = at;
		ret->end = n - at - 24 < (size_t)salt + length ? n : at + 24 + salt + length;
		return true;
	}
	if (!form_capi(p, n, at + 24, ret))
		return false;
	ret->form = "pvk";
	ret->begin = at;
	return true;
}

/* -- OpenSSH: strings with a length of four bytes, most first -- */

static bool ssh_string(struct cursor *c, struct number *ret)
{
	if (c->end - c->at < 4)
		return false;
	uint32_t n = be32(c->p + c->at);
	if (n > c->end - c->at - 4)
		return false;
	*ret = (struct number){ c->p + c->at + 4, n, false };
	c->at += 4 + n;
	return true;
}

static bool ssh_mpint(struct cursor *c, struct number *ret)
{
	if (!ssh_string(c, ret))
		return false;
	while (ret->n && ret->p[0] == 0)
		ret->p++, ret->n--;
	return ret->n && ret->n <= CLAIM_BYTES_MAX;
}

static bool number_is(const struct number *x, const char *text)
{
	return x->n == strlen(text) && memcmp(x->p, text, x->n) == 0;
}

/* key type as a string, then the private members, as PROTOCOL.key and ssh-agent write them */
static bool ssh_private(struct cursor *c, struct claim *ret)
{
	struct number type, curve, both;
	if (!ssh_string(c, &type))
		return false;
	if (number_is(&type, "ssh-rsa")) {
		static const int order[] = { RSA_N, RSA_E, RSA_D, RSA_QI, RSA_P, RSA_Q };
		ret->alg = CLAIM_RSA;
		size_t i = 0;
		while (i < sizeof order / sizeof order[0] && ssh_mpint(c, &ret->part[order[i]]))
			i++;
		for (size_t k = i; k < sizeof order / sizeof order[0]; k++)
			ret->part[order[k]] = (struct number){ 0 };
		ret->cut = i < sizeof order / sizeof order[0];
		/* a public blob is e, n: then the "modulus" is the smaller number */
		return i >= 3 && ret->part[RSA_N].n >= CLAIM_RSA_BITS_MIN / 8;
	}
	if (number_is(&type, "ssh-ed25519")) {
		ret->alg = CLAIM_ED25519;
		if (!ssh_string(c, &ret->part[EC_PUBLIC]) || ret->part[EC_PUBLIC].n != 32 || !ssh_string(c, &both) || both.n != 64)
			return false;
		ret->part[EC_D] = (struct number){ both.p, 32, false };
		return true;
	}
	if (type.n > 11 && memcmp(type.p, "ecdsa-sha2-", 11) == 0) {
		ret->alg = CLAIM_EC;
		if (!ssh_string(c, &curve) || !(ret->curve = curve_by_name((struct str){ (const char *)curve.p, curve.n })))
			return false;
		return ssh_string(c, &ret->part[EC_PUBLIC]) && ret->part[EC_PUBLIC].n == 1 + 2 * curve_bytes(ret->curve)
		       && ssh_mpint(c, &ret->part[EC_D]) && ret->part[EC_D].n <= curve_bytes(ret->curve);
	}
	if (number_is(&type, "ssh-dss")) {
		ret->alg = CLAIM_DSA;
		for (int i = 0; i < 5; i++)
			if (!ssh_mpint(c, &ret->part[i]))
				return false;
		return true;
	}
	return false;
}

bool form_openssh(const uint8_t *p, size_t n, size_t at, struct claim *ret)
{
	static const char magic[] = "openssh-key-v1"; /* with its NUL */
	struct cursor c = { p, at + sizeof magic, n };
	struct number cipher, kdf, options, public, private;
	if (n - at < sizeof magic + 16 || memcmp(p + at, magic, sizeof magic) != 0)
		return false;
	memset(ret, 0, sizeof *ret);
	ret->form = "openssh";
	ret->begin = at;
	if (!ssh_string(&c, &cipher) || !ssh_string(&c, &kdf) || !ssh_string(&c, &options) || c.end - c.at < 4 || cipher.n == 0 || cipher.n > 64)
		return false;
	uint32_t count = be32(p + c.at);
	c.at += 4;
	if (count == 0 || count > 64)
		return false;
	for (uint32_t i = 0; i < count; i++)
		if (!ssh_string(&c, &public))
			return false;
	if (!number_is(&cipher, "none")) {
		if (!ssh_string(&c, &private) || private.n < 16)
			return false;
		ret->alg = CLAIM_LOCKED;
		ret->end = c.at;
		return true;
	}
	/* the private part: its length is not trusted (a tail may be gone), its members have their own */
	if (c.end - c.at < 12 || memcmp(p + c.at + 4, p + c.at + 8, 4) != 0)
		return false;
	c.at += 12;
	if (!ssh_private(&c, ret))
		return false;
	while (c.at < c.end && c.at - ret->begin < 65536 && p[c.at] >= 1 && p[c.at] <= 16 && (p[c.at] == 1 || p[c.at] == p[c.at - 1] + 1))
		c.at++; /* comment and padding are no secret; only the padding right here is taken along */
	ret->end = c.at;
	return true;
}

bool form_ssh_blob(const uint8_t *p, size_t n, size_t at, struct claim *ret)
{
	if (at < 4 || be32(p + at - 4) < 7 || be32(p + at - 4) > 20)
		return false;
	struct cursor c = { p, at - 4, n };
	memset(ret, 0, sizeof *ret);
	ret->form = "ssh-private";
	ret->begin = at - 4;
	if (!ssh_private(&c, ret))
		return false;
	ret->end = c.at;
	return true;
}

/* -- stores that only their owner opens: their length is not known, so only the head is reported -- */

bool form_store(const uint8_t *p, size_t n, size_t at, struct claim *ret)
{
	static const uint8_t dpapi[] = { 0xd0, 0x8c, 0x9d, 0xdf, 0x01, 0x15, 0xd1, 0x11, 0x8c, 0x7a, 0x00, 0xc0, 0x4f, 0xc2, 0x97, 0xeb };
	memset(ret, 0, sizeof *ret);
	ret->alg = CLAIM_LOCKED;
	ret->begin = at;
	if (n - at >= 12 && (be32(p + at) == 0xfeedfeed || be32(p + at) == 0xcececece)) {
		uint32_t version = be32(p + at + 4), entries = be32(p + at + 8);
		if (version < 1 || version > 2 || entries < 1 || entries > 100000 || n - at < 24)
			return false;
		uint32_t tag = be32(p + at + 12), name = (uint32_t)p[at + 16] << 8 | p[at + 17];
		if (tag < 1 || tag > 3 || name == 0 || name > 1024)
			return false;
		ret->form = be32(p + at) == 0xfeedfeed ? "java-keystore" : "java-jceks";
		ret->end = at + 24;
		return tag != 2; /* a trusted certificate is no secret */
	}
	if (at >= 4 && n - at >= 16 + 4 && le32(p + at - 4) == 1 && memcmp(p + at, dpapi, sizeof dpapi) == 0 && le32(p + at + 16) == 1) {
		ret->form = "dpapi";
		ret->begin = at - 4;
		ret->end = at + 20;
		return true;
	}
	return false;
}
