/* SPDX-License-Identifier: Apache-2.0 */
/* secret: is there a private key in this document, wherever it is: members of a JWK at any depth, PEM and DER in any text, also in
 * base64, also a JWK within a text?  A set is published; one stray private half in it is everybody's. */
#ifndef TXM_KEYS_SECRET_H
#define TXM_KEYS_SECRET_H

#include "keys/strict_json.h"

/* The members whose names alone say it, of the JWK itself: {"d", ...}; NULL-terminated.  jwk.c notes those by itself. */
extern const char *const secret_members[];

/* Text that is a private key: PEM, PuTTY, age; base64 (either alphabet, with blanks or without) of PKCS#8, PKCS#1, SEC1, PKCS#12, PEM,
 * or of a JSON document with one; such a document.  Encrypted ones count. */
bool secret_in_text(struct str text);
/* The first member below `node` that holds one: its name, or "" in an array or for the node itself.  False: none.
 * skip_own: members of the node itself that are in secret_members are left to the caller. */
bool secret_member(const struct strict_json *j, const struct sj_node *object, const struct sj_node *n); /* is it, or holds it, one */
bool secret_below(const struct strict_json *j, const struct sj_node *node, bool skip_own, struct str *ret_member);

#endif
