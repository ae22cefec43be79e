/* SPDX-License-Identifier: Apache-2.0 */
/* plant: private keys written in every form that docs/dump-forms.md lists, with keys made at run time, so that no real
 * key is in this repository.  Writers here, readers in src/dump: they share no code, and wherever OpenSSL can write a
 * form, OpenSSL writes it. */
#ifndef TXM_TESTS_PLANT_H
#define TXM_TESTS_PLANT_H

#include <openssl/evp.h>

#include "base/buf.h"

enum plant_kind {
	PLANT_PROVED,   /* must be found, and proved, as the key it is */
	PLANT_STATED,   /* must be found: a whole key that has nothing to prove it with */
	PLANT_KNOWN,    /* the same, but its public key must be given */
	PLANT_LOCKED,   /* must be found as locked */
	PLANT_SCHEDULE, /* must be found as an AES key schedule */
	PLANT_LOST,     /* one of the three that no finder finds; finding it is no error */
};

struct plant {
	const char *name;
	const char *origin;  /* whose description of the form the writer follows */
	enum plant_kind kind;
	bool beyond;         /* not one of the 51 that are counted: a variant that we want to keep finding all the same */
	const char *key;     /* "rsa", "p256", "p384", "p521", "ed25519", "dsa", NULL = none */
	/* Appends the form.  `va`: address of the first byte, for those that hold pointers. */
	bool (*write)(struct buf *out, EVP_PKEY *key, uint64_t va);
};
extern const struct plant plants[];
extern const size_t plants_n;

struct decoy {
	const char *name;
	bool (*write)(struct buf *out);
};
extern const struct decoy decoys[];
extern const size_t decoys_n;

/* the secret of what was written last, where it is no key of OpenSSL's */
extern uint8_t plant_secret[];
extern size_t plant_secret_n;

EVP_PKEY *plant_key(const char *kind); /* a fresh one; NULL for NULL */
bool plant_spki(EVP_PKEY *key, uint8_t ret[32]);

#endif
