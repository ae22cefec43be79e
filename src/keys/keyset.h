/* SPDX-License-Identifier: Apache-2.0 */
/* keyset: the keys of one file: a JWK set, a single JWK, certificates or public keys in PEM or DER, or OpenID metadata
 * (which has no keys, but says whose keys they are).  No fault is silent: a file that cannot be read at all fails
 * with a sentence; faults of one key are in that key's faults; faults of the set are in the set's.
 *
 * Nothing is ever fetched: jku, x5u and jwks_uri are texts. */
#ifndef TXM_KEYS_KEYSET_H
#define TXM_KEYS_KEYSET_H

#include "keys/key.h"

enum keyset_form { KEYSET_JWKS, KEYSET_JWK, KEYSET_METADATA, KEYSET_PEM, KEYSET_DER };

enum { /* faults of the set: bits */
	KEYSET_DUPLICATE = 1,        /* a member of the document outside the keys twice */
	KEYSET_SYMMETRIC_MIX = 2,    /* each key has the fault too */
	KEYSET_KID_DUPLICATE = 4,    /* the keys have it too */
	KEYSET_HTTP = 8,             /* metadata with an address that is not https */
	KEYSET_PRIVATE = 16,         /* a private half is in it */
	KEYSET_LOCKED = 32,          /* an encrypted private key in a PEM file: not looked into */
	KEYSET_TOO_MANY = 64,        /* more keys than KEYS_SET_KEYS_MAX: the rest was not read.  Never "clean". */
};

struct keyset {
	enum keyset_form form;
	char *name;              /* of the file, as given; for messages */
	uint8_t sha256[32];      /* of the bytes read */
	int64_t modified_us;     /* of the file; 0 = not from a file */
	struct key **keys;
	uint32_t n, capacity;
	uint32_t faults;         /* KEYSET_* */
	/* of OpenID metadata, or members next to "keys"; NULL = absent.  Owned. */
	char *issuer, *jwks_uri, *cloud_instance;
};

struct keyset *keyset_new(const char *name); /* NULL: out of memory */
void keyset_free(struct keyset *s); /* NULL is fine */

/* Reads a file, or any bytes, into an empty set; flags as key_from_jwk().  False: *error has one line that names the file,
 * the place, and what is wrong; the set is then to be freed. */
bool keyset_load_file(struct keyset *s, const char *path, unsigned flags, struct buf *error);
bool keyset_load_bytes(struct keyset *s, struct str bytes, unsigned flags, struct buf *error);
/* From a node of a larger document, such as the "jwks" of a line of a history.  False: neither a set nor a key; reported. */
bool keyset_load_node(struct keyset *s, const struct strict_json *j, const struct sj_node *node, unsigned flags,
		      struct buf *error);
/* The member "keys" of a set; NULL: absent or null.  Is the document a map {key id: certificate or public key in PEM}, as Google and
 * Firebase publish it?  keyset_load_bytes() reads both. */
const struct sj_node *keyset_list(const struct strict_json *j, const struct sj_node *object);
bool keyset_is_map(const struct strict_json *j, const struct sj_node *object);
/* Is there a private key in a member of the document that is none of its keys? */
bool keyset_secret_beside(const struct strict_json *j, const struct sj_node *set);
/* Takes the key, freed on failure.  After the last one: keyset_judge(), which finds the faults that only a set can have. */
bool keyset_add(struct keyset *s, struct key *k);
void keyset_judge(struct keyset *s);

/* The first key with that SPKI, or NULL. */
const struct key *keyset_find_spki(const struct keyset *s, const uint8_t spki_sha256[32]);

extern const struct sj_limits keyset_limits; /* for sj_init() by the parser of a history */

/* A whole file into a buffer whose ceiling is its `max`.  "-" is standard input.  False: reported in *error. */
bool file_read(const char *path, struct buf *ret, int64_t *ret_modified_us, struct buf *error);

#endif
