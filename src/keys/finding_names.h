/* SPDX-License-Identifier: Apache-2.0 */
/* What an audit of key sets can find.
 * FINDING(name, code, severity, title, why it matters, what clears it): the code is for programs and never changes; the
 * severity is the usual one (a finding may be raised or lowered by the policy). */
#define COMPUTED "The private key can be computed from the public one in a moment."
#define NEW_KEY "a new key; treat the old one as leaked"

FINDING(SCOPE_NONE, "scope.none", FINDING, "nothing says for whom the key may sign",
	"A verifier that knows only the key believes it about every issuer, tenant and audience.",
	"a policy record for the key, or an 'issuer' member in the set")
FINDING(SCOPE_MIXED_SET, "scope.mixed-set", FINDING, "keys of the consumer tenant and of other tenants in one set",
	"A verifier that trusts the whole set lets a consumer key sign for enterprises. For Entra's common set this cannot be "
	"otherwise: there only a check of each key's own issuer protects.",
	"a set per class, or a verifier that is known to check the issuer of each key")
FINDING(SCOPE_TWO_ROLES, "scope.two-roles", FINDING, "one key in two roles",
	"A signature made in one role can be believed in the other, and one theft serves both.",
	"a key of its own for each role")
FINDING(SCOPE_CLOUD, "scope.cloud", FINDING, "certificate, issuer and set point to different clouds",
	"Clouds are separate so that a theft in one ends there; a key that serves two joins them.",
	"a set that lists the keys of its own cloud only, or a record that binds the key to one issuer host")
FINDING(SCOPE_CONSUMER_OPEN, "scope.consumer-open", FINDING, "a template record does not deny the consumer tenant",
	"An enterprise key could speak for personal accounts, the same mistake the other way round.",
	"deny the consumer tenant in the record")
FINDING(SCOPE_KID_REUSE, "scope.kid-reuse", CRITICAL, "one key id has named two keys",
	"Caches and deny lists that go by key id now mean the wrong key.",
	"a key id that is never used again")
FINDING(SCOPE_KID_DUP, "scope.kid-dup", FINDING, "a key id that is missing, or not unique in its set",
	"Which key verifies is then decided by the order of the list.",
	"one key id for each key")
FINDING(SCOPE_SYM_MIX, "scope.sym-mix", CRITICAL, "a symmetric key in a published set",
	"Every reader of the set can sign; and a verifier that lets the token choose takes a public key for a secret.",
	"remove it, and treat it as leaked")

FINDING(LIFE_EXPIRED_LISTED, "life.expired-listed", FINDING, "the certificate has ended and the key is still listed",
	"The owner meant the key to be dead by then; the key stolen by Storm-0558 was listed two years past that day.",
	"remove the key from the set")
FINDING(LIFE_REVOKED, "life.revoked", FINDING, "a key is listed that its own set calls revoked",
	"Verifiers that do not read 'revoked' still take its signatures; critical where the reason is that an outsider has it.",
	"remove the key from the set, or keep it in a set of old keys that no verifier trusts")
FINDING(LIFE_NOT_YET, "life.not-yet", FINDING, "listed before its certificate begins",
	"A clock or a process is wrong where keys are made.",
	"publish keys after their certificates begin")
FINDING(LIFE_AGE, "life.age", FINDING, "the key is older than 90 days, or than --max-age",
	"The longer a key lives, the more copies, backups and dumps may hold it.",
	"rotate the key")
FINDING(LIFE_CERT_LONG, "life.cert-long", INFO, "a certificate longer than 398 days",
	"Such a certificate ends long after the key should have been replaced.",
	"a shorter certificate, or a max_age in the key's record")
FINDING(LIFE_OVERDUE, "life.overdue", FINDING, "the provider's rotation is overdue",
	"Keys used to come at an interval and stopped coming: rotation may have broken, as it had before Storm-0558.",
	"a new key in the set")
FINDING(LIFE_NEVER_ROTATED, "life.never-rotated", FINDING, "one key through the whole history",
	"It is unknown whether rotation works, and the key has had all that time to leak.",
	"rotate the key")
FINDING(LIFE_NO_OVERLAP, "life.no-overlap", INFO, "no successor was published before it was needed",
	"Verifiers with a cached set fail, and people switch checks off when verifiers fail.",
	"publish a key a day or more before its first use")
FINDING(LIFE_OVERLAP_LONG, "life.overlap-long", FINDING, "still listed more than 30 days after its last use",
	"A key that signs nothing any more is of use to a thief only.",
	"remove the key from the set")
FINDING(LIFE_IDLE, "life.idle", FINDING, "listed, and no token shows it in use",
	"A key without a use is only good for thieves.",
	"remove the key from the set, or find the log in which it is used")
FINDING(LIFE_RETIRED_USED, "life.retired-used", CRITICAL, "a token was issued with the key after it was gone from the set",
	"Retired and yet believed: that is how an old key serves an intruder.",
	"find who verified the token, and make removed keys fall out there")
FINDING(LIFE_RETURNED, "life.returned", FINDING, "the key came back after it was gone",
	"A key that was retired for a reason is trusted again.",
	"remove the key, or learn from its owner why it returned")
FINDING(LIFE_EMPTY, "life.empty", FINDING, "the set has lost all its keys",
	"No token of this issuer can be verified any more, and people switch checks off when verifiers fail.",
	"ask the issuer; check that the address of the set is still the right one")
FINDING(LIFE_GAP, "life.gap", INFO, "the history has holes",
	"What came and went in a hole cannot be seen, so nothing is concluded from it.",
	"look more often than the provider rotates")

FINDING(WEAK_SIZE, "weak.size", FINDING, "an RSA key of fewer than 2048 bits, or of an odd length",
	"Keys of up to 1024 bits can be factored at a price, those of 512 by anyone; odd lengths come from home-made generators.",
	"a new key of at least 2048 bits")
FINDING(WEAK_EXP, "weak.exp", FINDING, "an unusual public exponent",
	"Small or even exponents break paddings; with the exponent 1 anyone can sign.",
	"a new key with the exponent 65537")
FINDING(WEAK_ROCA, "weak.roca", CRITICAL, "the primes have the form of CVE-2017-15361 (ROCA)",
	"The private key can be computed from the public one.", "a new key, not made on that chip; treat the old one as leaked")
FINDING(WEAK_PRIME, "weak.prime", CRITICAL, "the modulus is a prime, or a power",
	"A modulus must be a product of different primes; of any other number the private exponent is known at once.",
	NEW_KEY)
FINDING(WEAK_SMOOTH, "weak.smooth", CRITICAL, "p - 1 or p + 1 of a prime has small factors only",
	"The private key can be computed from the public one in seconds.", NEW_KEY)
FINDING(WEAK_DIGITS, "weak.digits", CRITICAL, "the primes have a pattern",
	COMPUTED, NEW_KEY)
FINDING(WEAK_FERMAT, "weak.fermat", CRITICAL, "the primes have too much in common",
	COMPUTED, NEW_KEY)
FINDING(WEAK_SHARED, "weak.shared", CRITICAL, "the modulus has a prime in common with another key",
	"Both private keys can be computed from the two public ones in a moment.", "new keys; treat both as leaked")
FINDING(WEAK_SMALL, "weak.small", CRITICAL, "the modulus has a small factor",
	"The key is damaged or made by a broken generator, and can be factored.", NEW_KEY)
FINDING(WEAK_WIENER, "weak.wiener", CRITICAL, "the private exponent is short",
	COMPUTED, NEW_KEY)
FINDING(WEAK_PATTERN, "weak.pattern", CRITICAL, "16 equal bytes in a row in the modulus",
	"No sound generator makes such a number.", NEW_KEY)
FINDING(WEAK_BIAS, "weak.bias", CRITICAL, "far too many or too few one bits in the modulus",
	"No sound generator makes such a number.", NEW_KEY)
FINDING(WEAK_LISTED, "weak.listed", CRITICAL, "the key is on a list of compromised keys",
	"Its private half is known.", NEW_KEY)
FINDING(WEAK_PUBLISHED, "weak.published", CRITICAL, "the key is a published test key",
	"Its private half is printed in a standard or a test suite.", "a key of your own; treat all that this one signed as forged")
FINDING(WEAK_POINT, "weak.point", CRITICAL, "a point that no sound key has",
	"Arithmetic with such a point can reveal secrets or accept forgeries.", "a correct key; treat all that this one signed as forged")
FINDING(WEAK_CURVE, "weak.curve", FINDING, "a curve that is not accepted",
	"An unknown curve cannot be judged, and is not trusted.", "a key on P-256, P-384, P-521, Ed25519 or Ed448")

FINDING(SHAPE_PRIVATE, "shape.private", CRITICAL, "private members in a published set",
	"Every reader of the set can sign.", "remove the key, and treat it as leaked")
FINDING(SHAPE_X5C, "shape.x5c", CRITICAL, "the certificate belongs to another key",
	"Verifiers that go by the certificate and those that go by the numbers trust different keys.",
	"the right certificate")
FINDING(SHAPE_X5T, "shape.x5t", FINDING, "a thumbprint or key id that does not fit the certificate",
	"A look-up by thumbprint finds another key, or none.",
	"the hash of the certificate as x5t, and the provider's own form of key ids")
FINDING(SHAPE_ALG, "shape.alg", INFO, "'alg' or 'use' is missing, or contradicts the key",
	"If the set does not bind the algorithm, the token chooses it. Entra's sets never say it: the record must.",
	"an 'alg' and 'use' that fit the key, or a record with the algorithm")
FINDING(SHAPE_REMOTE, "shape.remote", FINDING, "the key or its set points elsewhere, or to plain http",
	"A verifier that follows the pointer can be sent to an attacker's keys.",
	"remove jku and x5u; https everywhere")
FINDING(SHAPE_FORM, "shape.form", FINDING, "the entry can be read in two ways, or not at all",
	"Two readers that disagree about a key are an attack waiting to be found.",
	"the one canonical form of RFC 7517 and 7518")
FINDING(SHAPE_UNJUDGED, "shape.unjudged", INFO, "a key or an algorithm that is known and not judged here",
	"Nothing is said about its strength, and no token is verified with it.",
	"nothing to clear; judge it with a tool that knows it")
FINDING(SHAPE_CERT, "shape.cert", INFO, "a certificate that is not meant for signing tokens",
	"A certificate with other powers (authority, encryption) gives a thief more than tokens.",
	"a certificate with digitalSignature alone. Self-signed is normal here")

FINDING(TOK_SCOPE, "tok.scope", FINDING, "a token of an issuer or tenant that the key is not for",
	"This is the forgery of Storm-0558: a consumer key that signed for enterprises.",
	"find which service accepted the token; if none did, it was an attempt")
FINDING(TOK_IAT, "tok.iat", FINDING, "a token issued outside the key's life",
	"The owner was not using the key at that time.", "find who signed it")
FINDING(TOK_REVOKED, "tok.revoked", CRITICAL, "a token signed with a revoked key after its revocation",
	"By definition hostile.", "find who accepted the token")
FINDING(TOK_WEAK, "tok.weak", CRITICAL, "a token signed with a key that others can sign with",
	"The key is broken or its private half is public, so the signature proves nothing.",
	"find who accepted the token; treat it as forged")
FINDING(TOK_LIFE, "tok.life", FINDING, "a token that lives longer than allowed",
	"Forged tokens are made to last.", "a policy record with the true cap, or the issuer's explanation")
FINDING(TOK_OUTLIVES, "tok.outlives", FINDING, "a token obtained by exchange outlives the one it was exchanged for",
	"By exchanging again and again, a stolen token never ends.", "cap the result's life at the subject's")
FINDING(TOK_REPLAY, "tok.replay", FINDING, "one token from two networks",
	"It was copied.", "find where the token was used, and by whom")
FINDING(TOK_SELF, "tok.self", CRITICAL, "a token renewed by presenting a token of the same issuing service",
	"A chain that never returns to a sign-in never ends; Storm-0558 renewed its tokens that way.",
	"exchange only tokens of the sign-in service")

FINDING(LEAK_TRUSTED, "leak.trusted", CRITICAL, "a leaked key is trusted",
	"Its private half was found where it must not be, and tokens signed with it are still believed.",
	"remove the key from every set and policy named, and hunt for tokens signed with it")
FINDING(LEAK_UNTRUSTED, "leak.untrusted", FINDING, "a leaked key that no record or set trusts any more",
	"Caches may still hold it; what it signed before is in doubt.",
	"hunt for tokens signed with it; deny it in the policy")
FINDING(LEAK_DENIED, "leak.denied", CRITICAL, "a key on the deny list is listed",
	"It is known to be in the hands of an intruder.",
	"remove the key from the set at once")

#undef COMPUTED
#undef NEW_KEY
