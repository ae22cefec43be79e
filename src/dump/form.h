/* SPDX-License-Identifier: Apache-2.0 */
/* form: the parsers of serialised private keys.  Each looks at one place of a run of bytes and either makes a claim
 * (claim.h) or returns false.  They never read outside [p, p + n), never allocate, never recurse, and believe no length.
 *
 * A parser is called where its anchor is; the extent of the form (claim.begin, claim.end) may begin before the anchor.
 * The numbers of a claim point into p, except those of the text forms, which are decoded into the caller's scratch. */
#ifndef TXM_DUMP_FORM_H
#define TXM_DUMP_FORM_H

#include "dump/claim.h"

/* -- der.c -- */
/* at = the INTEGER `02 01 v` that begins PKCS#1, PKCS#8, SEC1, DSA and PKCS#12; the SEQUENCE is looked for just before. */
bool form_der_version(const uint8_t *p, size_t n, size_t at, struct claim *ret);
/* at = `02 81` or `02 82`: a run of large INTEGERs whose head is lost.  *ret_end: where the run ends, to go on from. */
bool form_der_integers(const uint8_t *p, size_t n, size_t at, struct claim *ret, size_t *ret_end);
/* at = `f7 0d 01 05 0d` or `f7 0d 01 0c 01`, the tail of the PBES2 or PKCS#12 PBE identifier: an EncryptedPrivateKeyInfo. */
bool form_der_encrypted(const uint8_t *p, size_t n, size_t at, struct claim *ret);

/* Content of a SubjectPublicKeyInfo found in the bytes.  at = `48 86 f7 0d 01 01 01` (RSA), `48 ce 3d 02 01` (EC) or
 * `2b 65 70` (Ed25519), as the identifier's tail; point or modulus point into p. */
struct public_key {
	enum claim_alg alg;
	enum curve curve;
	struct number n, e, point; /* point: 04 X Y, or A */
	size_t begin, end;         /* of the SubjectPublicKeyInfo */
};
bool form_der_public(const uint8_t *p, size_t n, size_t at, struct public_key *ret);

/* -- blob.c -- */
bool form_bcrypt(const uint8_t *p, size_t n, size_t at, struct claim *ret);  /* at = "RSA2", "RSA3", "ECS2", "ECK4", "ECDV", ... */
bool form_capi(const uint8_t *p, size_t n, size_t at, struct claim *ret);    /* at = 07 02 00 00 */
bool form_pvk(const uint8_t *p, size_t n, size_t at, struct claim *ret);     /* at = 1e f1 b5 b0 */
bool form_openssh(const uint8_t *p, size_t n, size_t at, struct claim *ret); /* at = "openssh-key-v1\0" */
bool form_ssh_blob(const uint8_t *p, size_t n, size_t at, struct claim *ret); /* at = "ssh-rsa", "ecdsa-sha2-", ...: a bare private blob */
bool form_store(const uint8_t *p, size_t n, size_t at, struct claim *ret);   /* at = Java key store or DPAPI magic */

/* -- listform.c -- */
bool form_sexp(const uint8_t *p, size_t n, size_t at, uint8_t *scratch, struct claim *ret); /* at = "private-key" */
bool form_cose(const uint8_t *p, size_t n, size_t at, struct claim *ret); /* at = the label of the secret, 20 .. 23, and the head of bytes */
bool form_etf(const uint8_t *p, size_t n, size_t at, struct claim *ret);  /* at = "RSAPrivateKey" or "ECPrivateKey" */
bool form_age(const uint8_t *p, size_t n, size_t at, uint8_t *scratch, struct claim *ret); /* at = "T-KEY" of AGE-SECRET-KEY */

/* -- textform.c: forms that are text all through.  `scratch` takes the decoded numbers: TEXT_SCRATCH_BYTES. -- */
#define TEXT_SCRATCH_BYTES 16384
/* at = inside or just before a member's value; a JWK may be cut at both ends, its members may be escaped, in any order */
bool form_jwk(const uint8_t *p, size_t n, size_t at, uint8_t *scratch, struct claim *ret);
/* the run of 43 digits [begin, end): the value of a line or member that calls itself a private key or a pre-shared key */
bool form_named(const uint8_t *p, size_t n, size_t begin, size_t end, uint8_t *scratch, struct claim *ret);
bool form_xml(const uint8_t *p, size_t n, size_t at, uint8_t *scratch, struct claim *ret);    /* at = "RSAKeyValue" */
bool form_putty(const uint8_t *p, size_t n, size_t at, uint8_t *scratch, struct claim *ret);  /* at = "PuTTY-User-Key-File-" */
bool form_dnssec(const uint8_t *p, size_t n, size_t at, uint8_t *scratch, struct claim *ret); /* at = "Private-key-format:" */
/* at = "-----BEGIN ": an armour that says ENCRYPTED, or OpenPGP's, or one whose body the caller must look at (CLAIM_UNKNOWN) */
bool form_pem(const uint8_t *p, size_t n, size_t at, struct claim *ret);

#endif
