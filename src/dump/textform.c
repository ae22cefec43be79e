/* SPDX-License-Identifier: Apache-2.0 */
/* textform: private keys that are text with named members: JWK (RFC 7517, 7518, 8037), .NET's RSAKeyValue, PuTTY's key files,
 * DNSSEC's private key format; and PEM blocks that declare themselves encrypted, or hold what no other parser reads.
 *
 * Members are taken in any order.  A text that is cut yields those that are whole. */
#include "base/limits.h"
#include "dump/form.h"
#include "dump/text.h"

/* one decoded value into the scratch */
struct scratch {
	uint8_t *p;
	size_t used;
};

/* The value at p[at]: decoded, its place noted.  Bytes of leading zeros stay: seeds and scalars have a fixed size. */
static bool take_value(const uint8_t *p, size_t n, size_t at, struct scratch *s, struct claim *ret, int part)
{
	size_t used, got = text_decode_value((const char *)p + at, n - at, s->p + s->used, TEXT_SCRATCH_BYTES - s->used, &used);
	if (got == 0 || got > CLAIM_BYTES_MAX)
		return false;
	ret->part[part] = (struct number){ s->p + s->used, (uint32_t)got, false };
	ret->place[part].at = at;
	ret->place[part].n = used;
	s->used += got;
	return true;
}

/* The same for a secret with which nothing is computed: it may be longer than a number. */
static bool take_opaque(const uint8_t *p, size_t n, size_t at, struct scratch *s, struct claim *ret)
{
	size_t used, got = text_decode_value((const char *)p + at, n - at, s->p + s->used, TEXT_SCRATCH_BYTES - s->used, &used);
	ret->part[0] = (struct number){ s->p + s->used, (uint32_t)got, false };
	ret->place[0] = (struct place){ at, used };
	s->used += got;
	return got >= 16;
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* ---- JWK ---- */

enum { JWK_N, JWK_E, JWK_D, JWK_P, JWK_Q, JWK_DP, JWK_DQ, JWK_QI, JWK_X, JWK_Y, JWK_K, JWK_PRIV, JWK_VALUES, JWK_KTY = JWK_VALUES, JWK_CRV, JWK_ALG, JWK_MEMBERS };
static const char *const jwk_names[JWK_MEMBERS] = { "n", "e", "d", "p", "q", "dp", "dq", "qi", "x", "y", "k", "priv", "kty", "crv", "alg" };

/* a quote, as often escaped as it may be (\\\", \u0022, &quot;, %22): its length, or 0 */
static size_t quote_at(const uint8_t *p, size_t n, size_t i)
{
	uint8_t c;
	size_t length = i < n ? text_char(p, n, i, &c) : 0;
	return length && (c == '"' || c == '\'') ? length : 0;
}

static size_t skip_blanks(const uint8_t *p, size_t n, size_t i)
{
	uint8_t c;
	for (size_t length; i < n && (length = text_char(p, n, i, &c)) && is_blank(c);)
		i += length;
	return i;
}

bool form_jwk(const uint8_t *p, size_t n, size_t at, uint8_t *scratch_bytes, struct claim *ret)
{
	struct { size_t at, n; } member[JWK_MEMBERS] = { 0 };
	struct scratch s = { scratch_bytes, 0 };
	size_t low = at, high = at, end = 0;
	unsigned seen = 0;

	while (low > 0 && at - low < FORM_OBJECT_BYTES_MAX && p[low - 1] != '{' && p[low - 1] >= 9 && p[low - 1] < 0x7f)
		low--;
	while (high < n && high - at < FORM_OBJECT_BYTES_MAX && p[high] != '}' && p[high] != '{' && p[high] >= 9 && p[high] < 0x7f)
		high++;
	for (size_t i = low; i < high;) {
		uint8_t c;
		size_t length = text_char(p, high, i, &c), begin = i + length, stop = begin;
		if (length > 1 && (c == '{' || c == '}')) { /* the object's own brace, escaped */
			if (i > at)
				break;
			memset(member, 0, sizeof member);
			seen = 0;
			low = begin;
		}
		i = begin;
		if (c != '"' && c != '\'')
			continue;
		while (stop < high && stop - begin < 4 && p[stop] >= 'a' && p[stop] <= 'z')
			stop++;
		size_t after = quote_at(p, high, stop), k = after ? skip_blanks(p, high, stop + after) : high;
		if (!after || k >= high || !(length = text_char(p, high, k, &c)) || c != ':')
			continue;
		k = skip_blanks(p, high, k + length);
		size_t open = quote_at(p, high, k);
		if (!open)
			continue;
		for (int m = 0; m < JWK_MEMBERS; m++) {
			size_t value_end = k + open;
			if (strlen(jwk_names[m]) != stop - begin || memcmp(p + begin, jwk_names[m], stop - begin) != 0 || member[m].n)
				continue;
			while (value_end < high && (length = text_char(p, high, value_end, &c)) && text_is_base64(c))
				value_end += length;
			member[m].at = k + open;
			member[m].n = value_end - k - open;
			seen |= 1U << m;
			i = end = value_end;
			break;
		}
	}
	memset(ret, 0, sizeof *ret);
	ret->form = "jwk";
	ret->begin = low;
	ret->end = end > at ? end : high;
	struct str kty = { (const char *)p + member[JWK_KTY].at, member[JWK_KTY].n };
	struct str crv = { (const char *)p + member[JWK_CRV].at, member[JWK_CRV].n };
	ret->stated = kty.n != 0;
	if (str_eq(kty, STR("AKP")) || (seen & (1U << JWK_PRIV) && !(seen & (1U << JWK_D)))) { /* RFC 9964 and its drafts */
		struct str alg = { (const char *)p + member[JWK_ALG].at, member[JWK_ALG].n };
		ret->alg = str_starts(alg, STR("ML-DSA")) ? CLAIM_ML_DSA : str_starts(alg, STR("ML-KEM")) ? CLAIM_ML_KEM : str_starts(alg, STR("SLH-DSA")) ? CLAIM_SLH_DSA : CLAIM_UNKNOWN;
		return member[JWK_PRIV].n && take_opaque(p, n, member[JWK_PRIV].at, &s, ret);
	}
	if (str_eq(kty, STR("oct")) || (seen & (1U << JWK_K) && !(seen & (1U << JWK_D)))) {
		ret->alg = CLAIM_SYMMETRIC;
		return member[JWK_K].n && take_value(p, n, member[JWK_K].at, &s, ret, 0) && ret->part[0].n >= 16;
	}
	if (str_eq(crv, STR("Ed25519")) || str_eq(crv, STR("X25519")) || str_eq(crv, STR("Ed448")) || str_eq(crv, STR("X448"))) {
		ret->alg = crv.p[0] == 'E' ? (crv.n == 7 ? CLAIM_ED25519 : CLAIM_ED448) : (crv.n == 6 ? CLAIM_X25519 : CLAIM_X448);
		if (member[JWK_X].n)
			(void)take_value(p, n, member[JWK_X].at, &s, ret, EC_PUBLIC);
		return member[JWK_D].n && take_value(p, n, member[JWK_D].at, &s, ret, EC_D);
	}
	if (crv.n || seen & (1U << JWK_X)) {
		struct number x;
		if (!member[JWK_D].n)
			return false;
		ret->alg = CLAIM_EC;
		if (!take_value(p, n, member[JWK_D].at, &s, ret, EC_D))
			return false;
		ret->curve = curve_by_name(crv);
		ret->stated &= crv.n != 0;
		if (!ret->curve && !crv.n) /* cut away: the size decides */
			ret->curve = ret->part[EC_D].n == 32 ? CURVE_P256 : ret->part[EC_D].n == 48 ? CURVE_P384 : CURVE_P521;
		/* X and Y in a row in the scratch are one point; X alone will do */
		if (member[JWK_X].n && take_value(p, n, member[JWK_X].at, &s, ret, EC_PUBLIC)) {
			x = ret->part[EC_PUBLIC];
			if (member[JWK_Y].n && take_value(p, n, member[JWK_Y].at, &s, ret, EC_PUBLIC) && ret->part[EC_PUBLIC].n == x.n)
				x.n *= 2;
			ret->part[EC_PUBLIC] = x;
		}
		if (ret->curve)
			return true;
		ret->alg = CLAIM_UNKNOWN;
		ret->place[0] = ret->place[EC_D];
		ret->part[0] = ret->part[EC_D];
		ret->part[1] = (struct number){ 0 };
		ret->place[1] = (struct place){ 0 };
		return true;
	}
	ret->alg = CLAIM_RSA;
	for (int m = JWK_N; m <= JWK_QI; m++)
		if (member[m].n)
			(void)take_value(p, n, member[m].at, &s, ret, m);
	return seen & (1U << JWK_D | 1U << JWK_P | 1U << JWK_Q | 1U << JWK_DP | 1U << JWK_DQ);
}

/* ---- a name and 32 bytes: WireGuard's files and those that copy them ---- */

bool form_named(const uint8_t *p, size_t n, size_t begin, size_t end, uint8_t *scratch, struct claim *ret)
{
	struct scratch s = { scratch, 0 };
	const size_t low = begin > 96 ? begin - 96 : 0;
	size_t i = begin, letters = 0;
	bool quoted = false, sign = false;
	char name[16] = { 0 }; /* the last letters, backwards, without _ and - */
	uint8_t c;

	for (size_t length; i > low && (length = text_char_before(p, low, i, &c)) && (is_blank(c) || c == '"' || c == '\'' || c == ':' || c == '='); i -= length) {
		quoted |= c == '"' || c == '\'';
		sign |= c == ':' || c == '=';
	}
	for (; sign && i > low && letters < sizeof name; i--) {
		const uint8_t letter = p[i - 1] | 0x20;
		if (letter >= 'a' && letter <= 'z')
			name[letters++] = (char)letter;
		else if (p[i - 1] != '_' && p[i - 1] != '-')
			break;
	}
	const bool private = letters >= 10 && memcmp(name, "yeketavirp", 10) == 0, shared = letters >= 12 && memcmp(name, "yekderahserp", 12) == 0;
	if (!private && !shared)
		return false;
	memset(ret, 0, sizeof *ret);
	ret->form = "named";
	ret->begin = begin;
	ret->end = end;
	ret->stated = true;
	ret->alg = shared ? CLAIM_SYMMETRIC : quoted ? CLAIM_UNKNOWN : CLAIM_X25519;
	const int part = ret->alg == CLAIM_X25519 ? EC_D : 0;
	if (!take_value(p, n < end ? n : end, begin, &s, ret, part) || ret->part[part].n != 32)
		return false;
	ret->place[part].n = end - begin;
	return true;
}

/* ---- .NET ---- */

/* the name and its '>', raw or escaped, at p[i]: the length of both, or 0 */
static size_t named(const uint8_t *p, size_t n, size_t i, const char *name)
{
	size_t length = strlen(name);
	uint8_t c;
	if (i >= n || n - i <= length || memcmp(p + i, name, length) != 0)
		return 0;
	size_t close = text_char(p, n, i + length, &c);
	return c == '>' ? length + close : 0;
}

bool form_xml(const uint8_t *p, size_t n, size_t at, uint8_t *scratch, struct claim *ret)
{
	static const struct { const char *name; int part; } members[] = {
		{ "Modulus", RSA_N }, { "Exponent", RSA_E }, { "P", RSA_P }, { "Q", RSA_Q }, { "DP", RSA_DP }, { "DQ", RSA_DQ }, { "InverseQ", RSA_QI }, { "D", RSA_D },
	};
	struct scratch s = { scratch, 0 };
	size_t high = n - at < FORM_OBJECT_BYTES_MAX ? n : at + FORM_OBJECT_BYTES_MAX;
	unsigned found = 0;

	if (!named(p, high, at, "RSAKeyValue"))
		return false;
	memset(ret, 0, sizeof *ret);
	ret->alg = CLAIM_RSA;
	ret->form = "xml-rsa";
	ret->begin = at;
	ret->end = at + 11;
	for (size_t i = at + 11; i < high && found < 8;) {
		uint8_t c;
		i += text_char(p, high, i, &c);
		if (c != '<')
			continue;
		if (i < high && named(p, high, i + text_char(p, high, i, &c), "RSAKeyValue") && c == '/')
			break;
		for (size_t m = 0; m < sizeof members / sizeof members[0]; m++) {
			size_t head = named(p, high, i, members[m].name);
			if (!head || number_has(&ret->part[members[m].part]))
				continue;
			if (take_value(p, high, i + head, &s, ret, members[m].part)) {
				found++;
				ret->end = i + head + ret->place[members[m].part].n;
			}
			i += head;
			break;
		}
	}
	return number_has(&ret->part[RSA_P]) || number_has(&ret->part[RSA_D]);
}

/* ---- lines "Name: value" ---- */

/* the value of the line that begins with `name`, in [at, high); its end is the line's */
static bool line_value(const uint8_t *p, size_t at, size_t high, const char *name, size_t *ret_at, size_t *ret_end)
{
	struct str text = { (const char *)p + at, high - at };
	ptrdiff_t hit = str_find(text, str_of(name));
	if (hit < 0)
		return false;
	size_t i = at + (size_t)hit + strlen(name);
	while (i < high && (p[i] == ' ' || p[i] == '\t'))
		i++;
	*ret_at = i;
	while (i < high && p[i] != '\n' && p[i] != '\r' && p[i] != 0)
		i++;
	*ret_end = i;
	return true;
}

static struct number wire_string(const struct number *blob, size_t *at)
{
	if (blob->n < 4 || *at > blob->n - 4)
		return (struct number){ 0 };
	const uint8_t *p = blob->p + *at;
	uint32_t n = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
	if (n > blob->n - *at - 4)
		return (struct number){ 0 };
	*at += 4 + n;
	return (struct number){ p + 4, n, false };
}

/* "NAME-Lines: COUNT" and the lines that follow */
static bool putty_lines(const uint8_t *p, size_t at, size_t high, const char *name, struct scratch *s, struct number *ret, struct place *place)
{
	size_t begin, end, lines = 0;
	if (!line_value(p, at, high, name, &begin, &end))
		return false;
	for (size_t i = begin; i < end && p[i] >= '0' && p[i] <= '9' && lines < 1000; i++)
		lines = lines * 10 + (size_t)(p[i] - '0');
	size_t i = end;
	while (i < high && is_blank(p[i]))
		i++;
	place->at = i;
	size_t stop = i;
	for (size_t k = 0; k < lines && stop < high; k++) {
		while (stop < high && (text_is_base64(p[stop]) || p[stop] == '='))
			stop++;
		place->n = stop - i;
		while (stop < high && is_blank(p[stop]))
			stop++;
	}
	size_t used, got = text_decode_value((const char *)p + i, place->n, s->p + s->used, TEXT_SCRATCH_BYTES - s->used, &used);
	*ret = (struct number){ s->p + s->used, (uint32_t)got, false };
	s->used += got;
	return got > 0;
}

/* A body that `dump redact` has erased: nearly all its digits are A. */
static bool is_erased(const uint8_t *p, size_t from, size_t to)
{
	size_t digits = 0, erased = 0;

	for (size_t i = from; i < to; i++) {
		digits += text_is_base64(p[i]);
		erased += p[i] == 'A';
	}
	return erased * 2 > digits;
}

bool form_putty(const uint8_t *p, size_t n, size_t at, uint8_t *scratch, struct claim *ret)
{
	static const char magic[] = "PuTTY-User-Key-File-";
	struct scratch s = { scratch, 0 };
	size_t high = n - at < FORM_OBJECT_BYTES_MAX ? n : at + FORM_OBJECT_BYTES_MAX, begin, end, public_at = 0, private_at = 0;
	struct number public, private, type;
	struct place place = { 0 }, ignored = { 0 };

	if (n - at < sizeof magic + 1 || memcmp(p + at, magic, sizeof magic - 1) != 0 || (p[at + sizeof magic - 1] != '2' && p[at + sizeof magic - 1] != '3'))
		return false;
	memset(ret, 0, sizeof *ret);
	ret->form = "putty";
	ret->begin = at;
	if (!line_value(p, at, high, "\nEncryption:", &begin, &end))
		return false;
	bool locked = !(end - begin == 4 && memcmp(p + begin, "none", 4) == 0);
	if (!putty_lines(p, at, high, "\nPublic-Lines:", &s, &public, &ignored) || !putty_lines(p, at, high, "\nPrivate-Lines:", &s, &private, &place))
		return false;
	ret->end = place.at + place.n;
	if (locked) {
		ret->alg = CLAIM_LOCKED;
		return !is_erased(p, place.at, place.at + place.n);
	}
	type = wire_string(&public, &public_at);
	struct str name = { (const char *)type.p, type.n };
	if (str_eq(name, STR("ssh-rsa"))) {
		ret->alg = CLAIM_RSA;
		ret->part[RSA_E] = wire_string(&public, &public_at);
		ret->part[RSA_N] = wire_string(&public, &public_at);
		ret->part[RSA_D] = wire_string(&private, &private_at);
		ret->part[RSA_P] = wire_string(&private, &private_at);
		ret->part[RSA_Q] = wire_string(&private, &private_at);
		ret->part[RSA_QI] = wire_string(&private, &private_at);
		ret->place[RSA_D] = place;
		return number_has(&ret->part[RSA_D]);
	}
	ret->place[EC_D] = place;
	if (str_eq(name, STR("ssh-ed25519"))) {
		ret->alg = CLAIM_ED25519;
		ret->part[EC_PUBLIC] = wire_string(&public, &public_at);
		ret->part[EC_D] = wire_string(&private, &private_at);
		return ret->part[EC_D].n == 32;
	}
	if (str_starts(name, STR("ecdsa-sha2-"))) {
		struct number curve = wire_string(&public, &public_at);
		ret->alg = CLAIM_EC;
		ret->curve = curve_by_name((struct str){ (const char *)curve.p, curve.n });
		ret->part[EC_PUBLIC] = wire_string(&public, &public_at);
		ret->part[EC_D] = wire_string(&private, &private_at);
		return ret->curve && number_has(&ret->part[EC_D]);
	}
	if (str_eq(name, STR("ssh-dss"))) {
		ret->alg = CLAIM_DSA;
		for (int i = DSA_P; i <= DSA_Y; i++)
			ret->part[i] = wire_string(&public, &public_at);
		ret->part[DSA_X] = wire_string(&private, &private_at);
		ret->place[DSA_X] = place;
		ret->place[EC_D] = (struct place){ 0 };
		return number_has(&ret->part[DSA_X]);
	}
	return false;
}

bool form_dnssec(const uint8_t *p, size_t n, size_t at, uint8_t *scratch, struct claim *ret)
{
	static const struct { const char *name; int part; } members[] = {
		{ "\nModulus:", RSA_N }, { "\nPublicExponent:", RSA_E }, { "\nPrivateExponent:", RSA_D }, { "\nPrime1:", RSA_P }, { "\nPrime2:", RSA_Q },
		{ "\nExponent1:", RSA_DP }, { "\nExponent2:", RSA_DQ }, { "\nCoefficient:", RSA_QI },
	};
	struct scratch s = { scratch, 0 };
	size_t high = n - at < FORM_OBJECT_BYTES_MAX ? n : at + FORM_OBJECT_BYTES_MAX, begin, end;

	if (n - at < 21 || memcmp(p + at, "Private-key-format:", 19) != 0)
		return false;
	const uint8_t *stop = memchr(p + at, 0, high - at);
	high = stop ? (size_t)(stop - p) : high;
	memset(ret, 0, sizeof *ret);
	ret->form = "dnssec";
	ret->begin = at;
	ret->end = at + 19;
	ret->alg = CLAIM_RSA;
	for (size_t m = 0; m < sizeof members / sizeof members[0]; m++) {
		if (!line_value(p, at, high, members[m].name, &begin, &end) || !take_value(p, end, begin, &s, ret, members[m].part))
			continue;
		ret->end = end > ret->end ? end : ret->end;
	}
	if (number_has(&ret->part[RSA_N]))
		return number_has(&ret->part[RSA_D]) || number_has(&ret->part[RSA_P]);
	/* elliptic ones have a number and no public part: only known keys can prove them */
	size_t algorithm_at, algorithm_end;
	if (!line_value(p, at, high, "\nPrivateKey:", &begin, &end) || !line_value(p, at, high, "\nAlgorithm:", &algorithm_at, &algorithm_end))
		return false;
	unsigned algorithm = 0;
	for (size_t i = algorithm_at; i < algorithm_end && p[i] >= '0' && p[i] <= '9' && algorithm < 100; i++)
		algorithm = algorithm * 10 + (unsigned)(p[i] - '0');
	memset(ret->part, 0, sizeof ret->part);
	memset(ret->place, 0, sizeof ret->place);
	ret->alg = algorithm == 15 ? CLAIM_ED25519 : algorithm == 16 ? CLAIM_ED448 : CLAIM_EC;
	ret->stated = true;
	ret->curve = algorithm == 13 ? CURVE_P256 : algorithm == 14 ? CURVE_P384 : CURVE_NONE;
	ret->end = end;
	return algorithm >= 13 && algorithm <= 16 && take_value(p, end, begin, &s, ret, EC_D);
}

/* ---- PEM ---- */

bool form_pem(const uint8_t *p, size_t n, size_t at, struct claim *ret)
{
	size_t high = n - at < FORM_OBJECT_BYTES_MAX ? n : at + FORM_OBJECT_BYTES_MAX;
	struct str text = { (const char *)p + at, high - at }, line;
	if (!str_starts(text, STR("-----BEGIN ")))
		return false;
	const uint8_t *stop = memchr(p + at + 11, '-', high - at - 11 < 64 ? high - at - 11 : 64);
	if (!stop)
		return false;
	line = (struct str){ (const char *)p + at + 11, (size_t)(stop - p) - at - 11 };
	bool pgp = str_eq(line, STR("PGP PRIVATE KEY BLOCK"));
	if (!pgp && (line.n < 11 || memcmp(line.p + line.n - 11, "PRIVATE KEY", 11) != 0))
		return false;
	memset(ret, 0, sizeof *ret);
	ret->begin = at;
	ptrdiff_t end = str_find((struct str){ text.p + 11, text.n - 11 }, STR("-----END "));
	size_t body_end = end < 0 ? high : at + 11 + (size_t)end;
	/* a body: at least one line of 40 digits */
	struct text_run run;
	size_t seed = 0;
	for (size_t i = (size_t)(stop - p) + 5, digits = 0; i < body_end && !seed; i++) {
		digits = text_is_base64(p[i]) && p[i] != '-' ? digits + 1 : 0;
		seed = digits == 40 ? i : 0;
	}
	if (!seed || !text_run_base64(p, at, body_end, seed, &run))
		return false;
	/* from the first line to the body there is nothing but headers */
	size_t head_end = (size_t)(stop - p) + 5;
	if (run.begin < head_end || run.begin - head_end > PEM_HEADERS_BYTES_MAX)
		return false;
	for (size_t i = head_end; i < run.begin; i++)
		if (!is_blank(p[i]) && (p[i] < 0x20 || p[i] >= 0x7f))
			return false;
	if (is_erased(p, run.begin, run.end))
		return false;
	ret->end = run.end;
	if (pgp) {
		ret->alg = CLAIM_PGP;
		ret->form = "pgp";
		ret->stated = true;
		return true;
	}
	struct str head = { text.p, run.begin - at };
	ret->alg = CLAIM_LOCKED;
	ret->form = "pem-encrypted";
	if (str_find(head, STR("ENCRYPTED")) >= 0 && (str_find(head, STR("Proc-Type:")) >= 0 || str_find(line, STR("ENCRYPTED ")) >= 0))
		return true;
	ret->alg = CLAIM_UNKNOWN;
	ret->form = "pem";
	ret->stated = true;
	ret->part[0] = (struct number){ p + run.begin, (uint32_t)(run.end - run.begin), false };
	ret->place[0] = (struct place){ run.begin, run.end - run.begin };
	return true;
}
