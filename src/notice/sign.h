/* SPDX-License-Identifier: Apache-2.0 */
/* sign: a detached signature that `openssl` alone can check: Ed25519 over the file's bytes, or RSA (PKCS#1 v1.5) over
 * its SHA-256.  The key is the user's; nothing of its private half is ever written or printed. */
#ifndef TXM_NOTICE_SIGN_H
#define TXM_NOTICE_SIGN_H

#include "base/buf.h"

struct signer;

#define SHA256_TEXT_SIZE 65
/* PEM, PKCS#8 or the old RSA form, not encrypted; Ed25519, or RSA of 2048 bits and more.  NULL: reported in error. */
struct signer *signer_open(const char *path, struct buf *error);
void signer_close(struct signer *s);
bool signer_sign(struct signer *s, struct str text, struct buf *ret); /* appends the raw signature */
bool signer_public(struct signer *s, struct buf *ret);                /* the public key as PEM */
const char *signer_fingerprint(const struct signer *s);               /* SHA-256 of the public key, hexadecimal */
/* the command that checks `file` with `signature` and the PEM file `key` */
void signer_verify_command(const struct signer *s, const char *key, const char *file,
			   const char *signature, struct buf *ret);
bool sha256_text(struct str text, char out[SHA256_TEXT_SIZE]);

#endif
