/* SPDX-License-Identifier: Apache-2.0 */
/* key: one public key as published, with everything published about it and everything wrong with it.
 *
 * Identity is the SHA-256 of the DER SubjectPublicKeyInfo ("SPKI"); key id, issuer, use and certificate are attributes.
 * Nothing about a key is fatal: what is wrong is collected in `faults`, so that an auditor can report all of it, and
 * key_usable() says whether it may verify anything.  Private members are noted in `private_members` and never copied;
 * the one exception, the bytes of a symmetric key, is kept only if KEY_KEEP_SYMMETRIC was asked for, and cleansed.
 *
 * Cost: making a key costs some 50 us (OpenSSL's decoding and the certificate); the tests of a point up to 1 ms (keys/point.h), those of an
 * RSA modulus some 6 ms (keys/strength.h), unless KEY_NO_STRENGTH leaves them to key_weaknesses().  A reader of thousands of snapshots keeps
 * the keys of earlier ones and looks them up by a hash of sj_node.raw. */
#ifndef TXM_KEYS_KEY_H
#define TXM_KEYS_KEY_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/limits.h"
#include "keys/alg.h"
#include "keys/strict_json.h"

enum key_fault_code {
#define KEY_FAULT(name, code, refused, text) KEY_FAULT_##name,
#include "keys/fault_names.h"
#undef KEY_FAULT
	KEY_FAULT_COUNT
};
struct key_fault_row { const char *code; bool refused; const char *text; };
extern const struct key_fault_row key_fault_rows[KEY_FAULT_COUNT];

struct key_fault {
	enum key_fault_code code;
	char member[16];  /* "n", "x5c"; "" = the key as a whole */
};

enum { /* private_members: bits */
	KEY_PRIVATE_D = 1, KEY_PRIVATE_P = 2, KEY_PRIVATE_Q = 4, KEY_PRIVATE_DP = 8, KEY_PRIVATE_DQ = 16, KEY_PRIVATE_QI = 32,
	KEY_PRIVATE_OTH = 64, KEY_PRIVATE_K = 128, KEY_PRIVATE_PEM = 256 /* a PRIVATE KEY block of a PEM file */,
	KEY_PRIVATE_PRIV = 512 /* of kty AKP */, KEY_PRIVATE_INSIDE = 1024 /* somewhere in another member */
};

enum { /* key_ops: bits */
	KEY_OP_SIGN = 1, KEY_OP_VERIFY = 2, KEY_OP_ENCRYPT = 4, KEY_OP_DECRYPT = 8, KEY_OP_WRAP = 16, KEY_OP_UNWRAP = 32,
	KEY_OP_DERIVE = 64, KEY_OP_OTHER = 128
};

enum key_from { KEY_FROM_JWK, KEY_FROM_CERTIFICATE, KEY_FROM_PUBLIC, KEY_FROM_PRIVATE };

/* The certificate of the key: x5c[0], or the certificate it was read from. */
struct key_cert {
	bool present;
	uint8_t sha1[20], sha256[32];  /* over the DER */
	uint8_t spki_sha256[32];       /* of the key inside */
	int64_t not_before_us, not_after_us;
	bool dates_known;              /* false: OpenSSL cannot read its dates */
	bool self_signed;              /* issuer name = subject name */
	bool ca;                       /* basicConstraints say CA */
	bool has_key_usage, digital_signature;
	bool sha1_signature;           /* or MD5 */
	unsigned chain;                /* certificates in x5c */
	struct str subject, issuer;    /* RFC 2253, UTF-8, as one line; not safe for a terminal */
	struct str common_name;
};

struct key {
	enum key_from from;
	enum key_kind kind;
	enum key_curve curve;
	enum jws_alg alg;              /* from the key itself; JWS_ALG_ABSENT: Entra's keys never have it */
	/* texts as published; STR_NONE = absent.  Owned by the key. */
	struct str kty, crv, alg_text, use, kid, x5t, x5t256, issuer, cloud_instance, jku, x5u;
	uint32_t key_ops;              /* KEY_OP_*, if has_key_ops */
	bool has_key_ops;
	uint32_t private_members;      /* KEY_PRIVATE_* */

	EVP_PKEY *pkey;                /* NULL: no key could be made */
	uint8_t spki_sha256[32];       /* if has_spki */
	bool has_spki;
	uint8_t *spki;                 /* DER */
	size_t spki_n;
	unsigned bits;                 /* RSA modulus, curve, or 8 x bytes of a symmetric key */
	/* numbers as big-endian bytes without leading zeros (x, y: as published), even when OpenSSL refuses the key */
	struct str n, e;               /* RSA */
	struct str x, y;               /* EC; OKP has x alone */
	struct str secret;             /* KEY_OCT with KEY_KEEP_SYMMETRIC; never print, compare in constant time */

	/* members that say when the key may be used (OpenID Federation, 8.7); 0 = absent */
	int64_t exp_us, nbf_us, iat_us;
	bool revoked;                  /* any "revoked" but null and false */
	int64_t revoked_us;            /* revoked_at; 0 = not said */
	struct str revoked_reason;

	bool untested;                 /* an RSA modulus that was read with KEY_NO_STRENGTH */
	unsigned untested_at;          /* place in `fault` of what its tests would have found */

	struct key_cert cert;
	EVP_PKEY *cert_pkey;           /* of x5c, where it is not pkey: there is none, or the certificate is of another key; else NULL */

	uint64_t faults;               /* bit of each enum key_fault_code */
	struct key_fault fault[KEY_FAULTS_SHOWN];
	unsigned fault_n;

	/* where it was read: set by keyset_*() */
	uint32_t index;                /* place in its set, from 0 */
	/* what a cached source knows (keys/remote.h); 0 = not known */
	int64_t first_listed_us, gone_us;

	struct buf text;               /* holds the texts and numbers */
};

enum { /* flags */
	KEY_KEEP_SYMMETRIC = 1,
	KEY_NO_STRENGTH = 4,           /* RSA numbers are not tested (some 5 ms), and the key says so: key_weaknesses() tests them when it is to verify */
	KEY_LAX_BASE64 = 2,            /* numbers with = at the end, or with + and /, are faults but read all the same: to search, never to trust */
};

/* From a JWK: any node of a parsed document.  NULL only when out of memory. */
struct key *key_from_jwk(const struct strict_json *j, const struct sj_node *node, unsigned flags);
/* From a certificate, which is not taken; der is its encoding. */
struct key *key_from_certificate(X509 *x, struct str der, unsigned flags);
/* From a key of OpenSSL, taken (freed on failure too); `from`: how it was found. */
struct key *key_from_pkey(EVP_PKEY *pkey, enum key_from from, unsigned flags);
void key_set_kid(struct key *k, struct str kid); /* for keys that are named by their surroundings */
void key_free(struct key *k); /* NULL is fine */

void key_add_fault(struct key *k, enum key_fault_code code, const char *member);
static inline bool key_has(const struct key *k, enum key_fault_code code) { return k->faults >> code & 1; }
/* The tests that KEY_NO_STRENGTH left out: bits of enum key_fault_code, which all refuse the key. */
uint64_t key_weaknesses(const struct key *k);
bool key_usable(const struct key *k);        /* has a key, and no fault that refuses it (of those that were looked for) */
/* Symmetric and wanted: as key_usable(), except for SYMMETRIC and PRIVATE by its own "k". */
bool key_usable_symmetric(const struct key *k);

extern const char *const jwk_registered_names[]; /* for sj_init() of a key set */

#define KEY_HEX_SIZE 65
const char *key_hex(const uint8_t *p, size_t n, char out[KEY_HEX_SIZE]); /* n <= 32; lower case */

#endif
