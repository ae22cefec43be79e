/* SPDX-License-Identifier: Apache-2.0 */
/* sign: OpenSSL's EVP, see sign.h. */
#include "notice/sign.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

enum { RSA_BITS_MIN = 2048 };

struct signer {
	EVP_PKEY *key;
	bool is_rsa;
	char fingerprint[SHA256_TEXT_SIZE];
};

bool sha256_text(struct str text, char out[SHA256_TEXT_SIZE])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (EVP_Digest(text.n ? text.p : "", text.n, digest, &n, EVP_sha256(), NULL) != 1 || n != 32)
		return false;
	for (unsigned i = 0; i < 32; i++)
		snprintf(out + 2 * (size_t)i, 3, "%02x", digest[i]);
	return true;
}

/* An encrypted key would make OpenSSL ask on the terminal in the middle of our output. */
static int no_password(char *out, int size, int writing, void *arg)
{
	(void)out;
	(void)size;
	(void)writing;
	*(bool *)arg = true;
	return -1;
}

static bool take_fingerprint(struct signer *s)
{
	unsigned char *der = NULL;
	const int n = i2d_PUBKEY(s->key, &der);
	const bool good = n > 0 && sha256_text((struct str) { (const char *)der, (size_t)n }, s->fingerprint);

	OPENSSL_free(der);
	return good;
}

struct signer *signer_open(const char *path, struct buf *error)
{
	struct signer *s = calloc(1, sizeof(*s));
	FILE *f = s ? fopen(path, "re") : NULL;
	bool encrypted = false;

	if (!s) {
		buf_add_cstr(error, "out of memory");
		return NULL;
	}
	if (!f) {
		buf_printf(error, "cannot read '%s': %s", path, strerror(errno));
		free(s);
		return NULL;
	}
	s->key = PEM_read_PrivateKey(f, NULL, no_password, &encrypted);
	fclose(f);
	ERR_clear_error();
	if (!s->key) {
		buf_printf(error,
			   encrypted ? "'%s' is encrypted; give a key without a passphrase (openssl pkey -in KEY "
				"-out "
				       "PLAIN), and delete it afterwards"
				     : "'%s' holds no private key in PEM form (openssl genpkey -algorithm ed25519 "
					"-out "
				       "KEY makes one)",
			   path);
	} else if (EVP_PKEY_get_base_id(s->key) == EVP_PKEY_RSA && EVP_PKEY_get_bits(s->key) >= RSA_BITS_MIN) {
		s->is_rsa = true;
	} else if (EVP_PKEY_get_base_id(s->key) != EVP_PKEY_ED25519) {
		buf_printf(error, "'%s' is neither an Ed25519 key nor an RSA key of %d bits or more", path,
			   RSA_BITS_MIN);
	}
	if (error->n == 0 && !take_fingerprint(s))
		buf_printf(error, "'%s': its public half cannot be written", path);
	if (error->n) {
		signer_close(s);
		return NULL;
	}
	return s;
}

void signer_close(struct signer *s)
{
	if (!s)
		return;
	EVP_PKEY_free(s->key);
	free(s);
}

bool signer_sign(struct signer *s, struct str text, struct buf *ret)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	const unsigned char *p = (const unsigned char *)(text.n ? text.p : "");
	unsigned char signature[1024];
	size_t n = sizeof(signature);
	bool good = md && EVP_DigestSignInit(md, NULL, s->is_rsa ? EVP_sha256() : NULL, NULL, s->key) == 1 &&
		    EVP_DigestSign(md, NULL, &n, p, text.n) == 1 && n <= sizeof(signature) &&
		    EVP_DigestSign(md, signature, &n, p, text.n) == 1;

	if (good)
		buf_add(ret, signature, n);
	EVP_MD_CTX_free(md);
	ERR_clear_error();
	return good && !buf_failed(ret);
}

bool signer_public(struct signer *s, struct buf *ret)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *p = NULL;
	long n = 0;
	const bool good = bio && PEM_write_bio_PUBKEY(bio, s->key) == 1 && (n = BIO_get_mem_data(bio, &p)) > 0;

	if (good)
		buf_add(ret, p, (size_t)n);
	BIO_free(bio);
	return good && !buf_failed(ret);
}

const char *signer_fingerprint(const struct signer *s)
{
	return s->fingerprint;
}

void signer_verify_command(const struct signer *s, const char *key, const char *file, const char *signature,
			   struct buf *ret)
{
	if (s->is_rsa)
		buf_printf(ret, "openssl dgst -sha256 -verify %s -signature %s %s", key, signature, file);
	else
		buf_printf(ret, "openssl pkeyutl -verify -pubin -inkey %s -rawin -in %s -sigfile %s", key, file,
			   signature);
}
