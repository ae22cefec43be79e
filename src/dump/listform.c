/* SPDX-License-Identifier: Apache-2.0 */
/* listform: private keys in nested lists: S-expressions (RFC 9804; libgcrypt, gpg-agent, nettle) canonical, as text and as libgcrypt
 * holds them in memory; COSE_Key (RFC 9052, 9053, 8230); Erlang's external terms of RSAPrivateKey and ECPrivateKey; and age's
 * identities, which are bech32.
 *
 * A list is walked element by element from where it begins; one that is cut yields the members that are whole. */
#include "base/limits.h"
#include "dump/form.h"
#include "dump/text.h"

static size_t high_of(size_t n, size_t at) { return n - at < FORM_OBJECT_BYTES_MAX ? n : at + FORM_OBJECT_BYTES_MAX; }

static bool is(const uint8_t *p, size_t n, size_t at, ptrdiff_t from, const char *text)
{
	const size_t length = strlen(text);
	if (from < 0 && at < (size_t)-from)
		return false;
	at += (size_t)from;
	return at <= n && n - at >= length && memcmp(p + at, text, length) == 0;
}

/* ---- S-expressions ---- */

enum spelling { CANONICAL, ADVANCED, MEMORY };
enum token { TOKEN_NONE, TOKEN_OPEN, TOKEN_CLOSE, TOKEN_ATOM };

struct sexp {
	const uint8_t *p;
	size_t at, end;
	enum spelling spelling;
	uint8_t *scratch;   /* decoded digits */
	size_t used;
	struct number atom; /* the last one, and */
	struct place place; /* where its digits are; n = 0: the atom is the bytes themselves */
};

static size_t skip_blanks(const uint8_t *p, size_t n, size_t i)
{
	uint8_t c;
	for (size_t length; i < n && (length = text_char(p, n, i, &c)) && (c == ' ' || c == '\n' || c == '\r' || c == '\t');)
		i += length;
	return i;
}

/* the digits between two signs: #0a1b# or |Chs=| */
static bool digits_between(struct sexp *s, uint8_t sign)
{
	size_t i = s->at, first = s->used;
	uint8_t c, high = 0;
	bool half = false;
	if (sign == '|') {
		s->used += text_decode_value((const char *)s->p + i, s->end - i, s->scratch + first, TEXT_SCRATCH_BYTES - first, &i);
		i += s->at;
		while (i < s->end && s->p[i] == '=')
			i++;
	}
	if (sign == '#') { /* an odd number of digits: the first is one byte */
		size_t count = 0, length;
		for (size_t k = i; k < s->end && (length = text_char(s->p, s->end, k, &c)) && c != '#'; k += length)
			count += text_is_hex(c);
		half = count % 2;
	}
	while (sign == '#' && i < s->end && s->used < TEXT_SCRATCH_BYTES) {
		size_t length = text_char(s->p, s->end, i, &c);
		bool blank = c == ' ' || c == '\n' || c == '\r' || c == '\t';
		if (!blank && !text_is_hex(c))
			break;
		i += length;
		if (blank)
			continue;
		uint8_t v = (uint8_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
		if (half)
			s->scratch[s->used++] = (uint8_t)(high << 4 | v);
		high = v;
		half = !half;
	}
	if (s->used == first || i >= s->end)
		return false;
	s->atom = (struct number){ s->scratch + first, (uint32_t)(s->used - first), false };
	s->place = (struct place){ s->at, i - s->at };
	s->at = i + (s->p[i] == sign);
	return s->p[i] == sign;
}

static enum token atom(struct sexp *s, size_t n)
{
	if (n > s->end - s->at || n > CLAIM_BYTES_MAX)
		return TOKEN_NONE;
	s->atom = (struct number){ s->p + s->at, (uint32_t)n, false };
	s->at += n;
	return TOKEN_ATOM;
}

static enum token next(struct sexp *s)
{
	size_t n = 0, begin;
	uint8_t c;
	s->place = (struct place){ 0 };
	if (s->spelling == MEMORY) {
		if (s->end - s->at < 1)
			return TOKEN_NONE;
		c = s->p[s->at++];
		if (c == 3 || c == 4)
			return c == 3 ? TOKEN_OPEN : TOKEN_CLOSE;
		if (c != 1 || s->end - s->at < 2)
			return TOKEN_NONE;
		s->at += 2;
		return atom(s, (size_t)s->p[s->at - 1] << 8 | s->p[s->at - 2]);
	}
	if (s->spelling == ADVANCED)
		s->at = skip_blanks(s->p, s->end, s->at);
	if (s->at >= s->end)
		return TOKEN_NONE;
	begin = s->at;
	s->at += s->spelling == ADVANCED ? text_char(s->p, s->end, s->at, &c) : (c = s->p[s->at], (size_t)1);
	if (c == '(' || c == ')')
		return c == '(' ? TOKEN_OPEN : TOKEN_CLOSE;
	if (s->spelling == ADVANCED && (c == '#' || c == '|'))
		return digits_between(s, c) ? TOKEN_ATOM : TOKEN_NONE;
	if (s->spelling == ADVANCED) {
		const bool quoted = c == '"';
		if (quoted)
			begin = s->at;
		for (s->at = begin; s->at < s->end && s->at - begin < 64;) {
			size_t length = text_char(s->p, s->end, s->at, &c);
			if (c < ' ' || c >= 0x7f || c == '"' || (!quoted && (c == ' ' || c == '(' || c == ')' || c == '#'))) {
				s->atom = (struct number){ s->p + begin, (uint32_t)(s->at - begin), false };
				s->at += quoted ? length : 0;
				return s->atom.n ? TOKEN_ATOM : TOKEN_NONE;
			}
			s->at += length;
		}
		return TOKEN_NONE;
	}
	for (s->at = begin; s->at < s->end && s->p[s->at] >= '0' && s->p[s->at] <= '9' && s->at - begin < 5; s->at++)
		n = n * 10 + (size_t)(s->p[s->at] - '0');
	if (s->at == begin || s->at >= s->end || s->p[s->at++] != ':')
		return TOKEN_NONE;
	return atom(s, n);
}

static bool atom_is(const struct number *x, const char *text) { return x->n == strlen(text) && memcmp(x->p, text, x->n) == 0; }

/* libgcrypt's coefficient is p^-1 mod q: its p is our q */
static const struct letter {
	char letter;
	int rsa, ec, dsa;
} letters[] = {
	{ 'n', RSA_N, -1, -1 }, { 'e', RSA_E, -1, -1 }, { 'd', RSA_D, EC_D, -1 }, { 'p', RSA_Q, -1, DSA_P }, { 'q', RSA_P, EC_PUBLIC, DSA_Q },
	{ 'u', RSA_QI, -1, -1 }, { 'g', -1, -1, DSA_G }, { 'y', -1, -1, DSA_Y }, { 'x', -1, -1, DSA_X },
};

static void sexp_curve(struct number name, struct claim *c)
{
	struct str text = { (const char *)name.p, name.n };
	if (str_starts(text, STR("NIST ")))
		text = (struct str){ text.p + 5, text.n - 5 };
	if (str_eq(text, STR("Ed25519")))
		c->alg = CLAIM_ED25519;
	else if (str_eq(text, STR("Ed448")))
		c->alg = CLAIM_ED448;
	else
		c->curve = curve_by_name(text);
}

/* (rsa (n ..)(e ..)...) and so on; true: there is a secret in it */
static bool sexp_members(struct sexp *s, struct claim *c)
{
	unsigned depth = 1, tokens = 0;
	bool named = false, elgamal;
	if (next(s) != TOKEN_OPEN)
		return false;
	if (next(s) != TOKEN_ATOM)
		return false;
	elgamal = atom_is(&s->atom, "elg") || atom_is(&s->atom, "openpgp-elg");
	c->alg = atom_is(&s->atom, "rsa") || atom_is(&s->atom, "openpgp-rsa") ? CLAIM_RSA
	         : elgamal                                                    ? CLAIM_DH
	         : atom_is(&s->atom, "dsa") || atom_is(&s->atom, "openpgp-dsa") ? CLAIM_DSA
	                                                                      : CLAIM_EC;
	const bool ec = c->alg == CLAIM_EC;
	if (ec && !(atom_is(&s->atom, "ecc") || atom_is(&s->atom, "ecdsa") || atom_is(&s->atom, "ecdh") || atom_is(&s->atom, "eddsa")))
		return false;
	for (enum token t; depth && tokens++ < 128 && (t = next(s));) {
		struct number name = s->atom;
		if (t == TOKEN_OPEN)
			depth++, named = true;
		else if (t == TOKEN_CLOSE)
			depth--, named = false;
		if (t != TOKEN_ATOM || !named)
			continue;
		named = false;
		size_t before = s->at;
		if (next(s) != TOKEN_ATOM) {
			s->at = before;
			continue;
		}
		if (ec && atom_is(&name, "curve"))
			sexp_curve(s->atom, c);
		for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++) {
			int part = c->alg == CLAIM_RSA ? letters[i].rsa : ec ? letters[i].ec : letters[i].dsa;
			if (name.n != 1 || name.p[0] != (uint8_t)letters[i].letter || part < 0 || number_has(&c->part[part]))
				continue;
			c->part[part] = s->atom;
			c->place[part] = s->place;
		}
	}
	c->cut = depth != 0;
	c->stated = !c->cut;
	if (!ec)
		return number_has(&c->part[c->alg == CLAIM_RSA ? RSA_D : DSA_X]) || (c->alg == CLAIM_RSA && (number_has(&c->part[RSA_P]) || number_has(&c->part[RSA_Q])));
	if (!number_has(&c->part[EC_D]))
		return false;
	struct number *q = &c->part[EC_PUBLIC];
	if (c->alg != CLAIM_EC && q->n > 1 && q->p[0] == 0x40)
		q->p++, q->n--;
	if (c->alg == CLAIM_EC && !c->curve) { /* Curve25519, which is written the other way round, or one that we do not know */
		c->alg = CLAIM_UNKNOWN;
		c->part[0] = c->part[EC_D];
		c->place[0] = c->place[EC_D];
		c->part[1] = (struct number){ 0 };
		c->place[1] = (struct place){ 0 };
	}
	return true;
}

bool form_sexp(const uint8_t *p, size_t n, size_t at, uint8_t *scratch, struct claim *ret)
{
	struct sexp s = { .p = p, .at = at + 11, .end = high_of(n, at), .scratch = scratch };
	const bool protected = is(p, n, at, -10, "protected-");
	size_t begin = protected ? at - 10 : at;
	if (!is(p, n, at, 0, "private-key"))
		return false;
	memset(ret, 0, sizeof *ret);
	ret->form = "s-expression";
	ret->hex = true;
	if (is(p, n, begin, -4, protected ? "(21:" : "(11:")) {
		s.spelling = CANONICAL;
		ret->begin = begin - 4;
	} else if (begin >= 4 && p[begin - 4] == 3 && p[begin - 3] == 1 && p[begin - 2] == (protected ? 21 : 11) && p[begin - 1] == 0) {
		s.spelling = MEMORY;
		ret->begin = begin - 4;
	} else {
		size_t open = begin;
		while (open && begin - open < 16 && (p[open - 1] == ' ' || p[open - 1] == '\n' || p[open - 1] == '\t'))
			open--;
		if (!is(p, n, open, -1, "("))
			return false;
		s.spelling = ADVANCED;
		ret->begin = open - 1;
	}
	if (protected) {
		unsigned depth = 1, tokens = 0, atoms = 0;
		for (enum token t; depth && tokens++ < 256 && (t = next(&s));) {
			depth += t == TOKEN_OPEN;
			depth -= t == TOKEN_CLOSE;
			atoms += t == TOKEN_ATOM;
		}
		ret->alg = CLAIM_LOCKED;
		ret->end = s.at;
		return depth == 0 && atoms >= 4;
	}
	if (!sexp_members(&s, ret))
		return false;
	ret->end = s.at;
	return true;
}

/* ---- CBOR ---- */

/* The head at *at: its major type and number; false: cut, or of indefinite length. */
static bool cbor_head(const uint8_t *p, size_t end, size_t *at, unsigned *ret_type, uint64_t *ret)
{
	if (*at >= end)
		return false;
	const uint8_t c = p[(*at)++], low = c & 31;
	*ret_type = c >> 5;
	*ret = low;
	if (low < 24)
		return true;
	if (low > 27 || end - *at < 1U << (low - 24))
		return false;
	*ret = 0;
	for (unsigned k = 1U << (low - 24); k; k--)
		*ret = *ret << 8 | p[(*at)++];
	return true;
}

/* past one item, whatever it holds */
static bool cbor_skip(const uint8_t *p, size_t end, size_t *at)
{
	uint64_t left = 1, x;
	unsigned type, items = 0;
	while (left && items++ < 64) {
		if (!cbor_head(p, end, at, &type, &x))
			return false;
		left--;
		if (type == 2 || type == 3) {
			if (x > end - *at)
				return false;
			*at += (size_t)x;
		} else if (type == 4 || type == 5) {
			if (x > 32)
				return false;
			left += type == 4 ? x : 2 * x;
		} else if (type == 6) {
			left++;
		}
	}
	return left == 0;
}

#define COSE_LABELS 16
/* the map at `begin`: labels -1 .. -15 that hold bytes, numbers of `kty` and `crv` */
static bool cose_map(const uint8_t *p, size_t end, size_t begin, struct number bytes[COSE_LABELS], uint64_t *ret_kty, uint64_t *ret_crv, size_t *ret_end)
{
	size_t at = begin;
	uint64_t pairs, key, x;
	unsigned type, what;
	*ret_kty = *ret_crv = 0;
	memset(bytes, 0, COSE_LABELS * sizeof *bytes);
	if (!cbor_head(p, end, &at, &type, &pairs) || type != 5 || pairs < 2 || pairs > 23)
		return false;
	for (uint64_t i = 0; i < pairs; i++) {
		size_t value;
		if (!cbor_head(p, end, &at, &type, &key) || (type > 1 && type != 3) || (type == 3 && key > end - at))
			return false;
		at += type == 3 ? (size_t)key : 0;
		value = at;
		if (!cbor_skip(p, end, &at) || !cbor_head(p, end, &value, &what, &x))
			return false;
		if (type == 0 && key == 1 && what == 0)
			*ret_kty = x;
		else if (type == 1 && key == 0 && what == 0)
			*ret_crv = x;
		else if (type == 1 && key < COSE_LABELS && what == 2 && x && x <= CLAIM_OPAQUE_BYTES_MAX)
			bytes[key] = (struct number){ p + value, (uint32_t)x, false };
	}
	*ret_end = at;
	return *ret_kty != 0;
}

static bool cose_claim(struct number *x, uint64_t kty, uint64_t crv, struct claim *c)
{
	static const struct { uint64_t crv; enum claim_alg alg; enum curve curve; } curves[] = {
		{ 1, CLAIM_EC, CURVE_P256 }, { 2, CLAIM_EC, CURVE_P384 }, { 3, CLAIM_EC, CURVE_P521 }, { 4, CLAIM_X25519, 0 }, { 5, CLAIM_X448, 0 },
		{ 6, CLAIM_ED25519, 0 }, { 7, CLAIM_ED448, 0 }, { 8, CLAIM_EC, CURVE_K256 }, { 256, CLAIM_EC, CURVE_B256R1 },
		{ 257, CLAIM_EC, CURVE_B320R1 }, { 258, CLAIM_EC, CURVE_B384R1 }, { 259, CLAIM_EC, CURVE_B512R1 },
	};
	c->stated = true;
	if (kty == 3) {
		c->alg = CLAIM_RSA;
		for (int i = RSA_N; i <= RSA_QI; i++) /* -1 .. -8 in the order of the members */
			c->part[i] = x[i].n <= CLAIM_BYTES_MAX ? x[i] : (struct number){ 0 };
		return number_has(&c->part[RSA_D]) || number_has(&c->part[RSA_P]);
	}
	if (kty == 4 || kty == 7) { /* a symmetric key; AKP's pub and priv */
		c->alg = kty == 4 ? CLAIM_SYMMETRIC : CLAIM_UNKNOWN;
		c->part[0] = x[kty == 4 ? 0 : 1];
		return c->part[0].n >= 16;
	}
	if ((kty != 1 && kty != 2) || x[3].n < 16 || x[3].n > 66)
		return false;
	c->part[EC_D] = x[3];
	for (size_t i = 0; i < sizeof curves / sizeof curves[0]; i++) {
		if (curves[i].crv != crv)
			continue;
		c->alg = curves[i].alg;
		c->curve = curves[i].curve;
		c->part[EC_PUBLIC] = x[1].n <= 66 ? x[1] : (struct number){ 0 };
		return true;
	}
	c->alg = CLAIM_UNKNOWN;
	c->part[0] = x[3];
	c->part[EC_D] = (struct number){ 0 };
	return true;
}

bool form_cose(const uint8_t *p, size_t n, size_t at, struct claim *ret)
{
	if (n - at < 3)
		return false;
	/* the map begins before the secret: right before, or before a modulus */
	const bool large = p[at + 1] == 0x59 || p[at + 2] >= 0x80; /* of RSA */
	const size_t reach = p[at] == 0x20 ? 64 : p[at] == 0x21 ? 4096 : large ? 2 * CLAIM_BYTES_MAX : 320;
	struct number bytes[COSE_LABELS];
	uint64_t kty, crv;
	for (size_t back = 3; back <= at && back <= reach; back++) {
		size_t begin = at - back, end;
		if (p[begin] < 0xa2 || p[begin] > 0xb7 || !cose_map(p, high_of(n, begin), begin, bytes, &kty, &crv, &end) || end <= at)
			continue;
		memset(ret, 0, sizeof *ret);
		ret->form = "cose";
		ret->begin = begin;
		ret->end = end;
		if (cose_claim(bytes, kty, crv, ret))
			return true;
	}
	return false;
}

/* ---- Erlang's external terms ---- */

static bool etf_number(const uint8_t *p, size_t n, size_t *at, struct number *ret)
{
	size_t i = *at, length;
	if (n - i < 2)
		return false;
	switch (p[i]) {
	case 'a': *ret = (struct number){ p + i + 1, 1, false }; i += 2; break;
	case 'b':
		if (n - i < 5)
			return false;
		*ret = (struct number){ p + i + 1, 4, false };
		i += 5;
		break;
	case 'n':
	case 'o': {
		const size_t head = p[i] == 'n' ? 3 : 6;
		if (n - i < head)
			return false;
		length = p[i] == 'n' ? p[i + 1] : (size_t)p[i + 1] << 24 | (size_t)p[i + 2] << 16 | (size_t)p[i + 3] << 8 | p[i + 4];
		if (p[i + head - 1] || length == 0 || length > CLAIM_BYTES_MAX || length > n - i - head)
			return false;
		*ret = (struct number){ p + i + head, (uint32_t)length, true };
		i += head + length;
		break;
	}
	default: return false;
	}
	*at = i;
	return true;
}

static bool etf_binary(const uint8_t *p, size_t n, size_t *at, struct number *ret)
{
	size_t i = *at, length;
	if (n - i < 6 || (p[i] != 'm' && p[i] != 'M'))
		return false;
	length = (size_t)p[i + 1] << 24 | (size_t)p[i + 2] << 16 | (size_t)p[i + 3] << 8 | p[i + 4];
	i += p[i] == 'm' ? 5 : 6;
	if (length == 0 || length > CLAIM_BYTES_MAX || i > n || length > n - i)
		return false;
	*ret = (struct number){ p + i, (uint32_t)length, false };
	*at = i + length;
	return true;
}

/* {1, 2, 840, ...} at p[i]: the content of the OBJECT IDENTIFIER; 0: it is none */
static size_t etf_oid(const uint8_t *p, size_t n, size_t i, uint8_t ret[32])
{
	size_t used = 0;
	if (n - i < 12 || p[i] != 'h' || p[i + 1] < 4 || p[i + 1] > 12)
		return 0;
	const unsigned count = p[i + 1];
	i += 2;
	for (unsigned k = 0; k < count; k++) {
		struct number x;
		uint32_t v = 0;
		if (i >= n || (p[i] != 'a' && p[i] != 'b') || !etf_number(p, n, &i, &x))
			return 0;
		for (uint32_t b = 0; b < x.n; b++)
			v = v << 8 | x.p[b];
		if (k == 1) {
			ret[0] = (uint8_t)(ret[0] * 40 + v);
			continue;
		}
		for (int shift = 28; shift >= 0 && used < 30 && k; shift -= 7)
			if (v >> shift || shift == 0)
				ret[used++] = (uint8_t)((v >> shift & 0x7f) | (shift ? 0x80 : 0));
		if (k == 0)
			ret[used++] = (uint8_t)v;
	}
	return used;
}

bool form_etf(const uint8_t *p, size_t n, size_t at, struct claim *ret)
{
	const bool rsa = is(p, n, at, 0, "RSAPrivateKey");
	const size_t length = rsa ? 13 : 12;
	struct number version, point;
	if (at < 2 || (!rsa && !is(p, n, at, 0, "ECPrivateKey")) || p[at - 1] != length)
		return false;
	size_t i = at + length, high = high_of(n, at);
	memset(ret, 0, sizeof *ret);
	ret->form = "erlang";
	ret->begin = at;
	if (i + 2 < high && (p[i] == 'd' || p[i] == 'v' || p[i] == 's' || p[i] == 'w')) /* 'two-prime' */
		i += p[i] == 's' || p[i] == 'w' ? 2U + p[i + 1] : 3U + p[i + 2];
	else if (!etf_number(p, high, &i, &version))
		return false;
	if (i >= high)
		return false;
	if (rsa) {
		int k = 0;
		ret->alg = CLAIM_RSA;
		while (k < CLAIM_PARTS && i < high && etf_number(p, high, &i, &ret->part[k]))
			k++;
		ret->cut = k < CLAIM_PARTS;
		ret->end = i;
		return k > RSA_D;
	}
	if (!etf_binary(p, high, &i, &ret->part[EC_D]))
		return false;
	ret->alg = CLAIM_EC;
	ret->end = i;
	/* {namedCurve, {1,2,840,...}} and the point */
	uint8_t oid[32] = { 0 };
	size_t oid_bytes = 0;
	for (size_t k = i; k + 16 < high && k < i + 96; k++) {
		oid_bytes = oid_bytes ? oid_bytes : etf_oid(p, high, k, oid);
		size_t after = k;
		if ((p[k] == 'm' || p[k] == 'M') && etf_binary(p, high, &after, &point)) {
			ret->part[EC_PUBLIC] = point;
			ret->end = after;
			break;
		}
	}
	ret->stated = true;
	ret->curve = curve_by_oid(oid, oid_bytes);
	if (oid_bytes == 3 && memcmp(oid, "\x2b\x65\x70", 3) == 0) {
		ret->alg = CLAIM_ED25519;
	} else if (!ret->curve) {
		ret->alg = CLAIM_UNKNOWN;
		ret->part[0] = ret->part[EC_D];
		ret->part[EC_D] = (struct number){ 0 };
	}
	return true;
}

/* ---- age: bech32 of BIP 173, all in one case ---- */

static uint32_t polymod(uint32_t x, uint8_t v)
{
	static const uint32_t generator[] = { 0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3 };
	const uint8_t top = (uint8_t)(x >> 25);
	x = (x & 0x1ffffff) << 5 ^ v;
	for (int i = 0; i < 5; i++)
		if (top >> i & 1)
			x ^= generator[i];
	return x;
}

bool form_age(const uint8_t *p, size_t n, size_t at, uint8_t *scratch, struct claim *ret)
{
	static const char digits[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l", classic[] = "age-secret-key-", hybrid[] = "age-secret-key-pq-";
	const char *name;
	size_t i, count = 0, used = 0;
	uint32_t check = 1, bits = 0;
	unsigned have = 0;
	char low[19];
	if (at < 9 || n - at < 60)
		return false;
	at -= 9;
	for (size_t k = 0; k < 18; k++)
		low[k] = (char)(p[at + k] | (p[at + k] >= 'A' && p[at + k] <= 'Z' ? 0x20 : 0));
	name = memcmp(low, hybrid, 18) == 0 ? hybrid : memcmp(low, classic, 15) == 0 ? classic : NULL;
	if (!name)
		return false;
	i = at + strlen(name);
	if (p[i++] != '1')
		return false;
	for (const char *c = name; *c; c++)
		check = polymod(check, (uint8_t)*c >> 5);
	check = polymod(check, 0);
	for (const char *c = name; *c; c++)
		check = polymod(check, (uint8_t)*c & 31);
	const size_t first = i;
	for (; i < n && count < 2048; i++, count++) {
		const uint8_t c = p[i] >= 'A' && p[i] <= 'Z' ? p[i] | 0x20 : p[i];
		const char *digit = c ? memchr(digits, c, 32) : NULL;
		if (!digit)
			break;
		const uint8_t v = (uint8_t)(digit - digits);
		check = polymod(check, v);
		bits = bits << 5 | v;
		have += 5;
		if (have >= 8) {
			have -= 8;
			scratch[used++] = (uint8_t)(bits >> have);
		}
	}
	if (count < 40)
		return false;
	memset(ret, 0, sizeof *ret);
	ret->form = "age";
	ret->begin = at;
	ret->end = i;
	ret->stated = true; /* its name leaves no doubt, even if a digit is wrong */
	used = (count - 6) * 5 / 8;
	ret->alg = check == 1 && name == classic && used == 32 ? CLAIM_X25519 : CLAIM_UNKNOWN;
	const int part = ret->alg == CLAIM_X25519 ? EC_D : 0;
	ret->part[part] = (struct number){ scratch, (uint32_t)used, false };
	ret->place[part] = (struct place){ first, i - first };
	return true;
}
