/* SPDX-License-Identifier: Apache-2.0 */
/* mbedtls-server CERTIFICATE KEY PORT: a TLS server on 127.0.0.1, as small as Mbed TLS allows, for tests/dump/cores: the key is where
 * that library puts it.  Serves until it is killed. */
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>
#include <stdbool.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	static mbedtls_entropy_context entropy;
	static mbedtls_ctr_drbg_context drbg;
	static mbedtls_x509_crt crt;
	static mbedtls_pk_context key;
	static mbedtls_ssl_config conf;
	mbedtls_net_context listener;
	bool ok;

	if (argc != 4) {
		fprintf(stderr, "usage: mbedtls-server CERTIFICATE KEY PORT\n");
		return 2;
	}
	mbedtls_entropy_init(&entropy);
	mbedtls_ctr_drbg_init(&drbg);
	mbedtls_x509_crt_init(&crt);
	mbedtls_pk_init(&key);
	mbedtls_ssl_config_init(&conf);
	mbedtls_net_init(&listener);
	ok = mbedtls_ctr_drbg_seed(&drbg, mbedtls_entropy_func, &entropy, NULL, 0) == 0 && mbedtls_x509_crt_parse_file(&crt, argv[1]) == 0;
#if MBEDTLS_VERSION_MAJOR >= 3
	ok = ok && mbedtls_pk_parse_keyfile(&key, argv[2], NULL, mbedtls_ctr_drbg_random, &drbg) == 0;
#else
	ok = ok && mbedtls_pk_parse_keyfile(&key, argv[2], NULL) == 0;
#endif
	ok = ok && mbedtls_ssl_config_defaults(&conf, MBEDTLS_SSL_IS_SERVER, MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT) == 0 &&
	     mbedtls_ssl_conf_own_cert(&conf, &crt, &key) == 0 && mbedtls_net_bind(&listener, "127.0.0.1", argv[3], MBEDTLS_NET_PROTO_TCP) == 0;
	mbedtls_ssl_conf_rng(&conf, mbedtls_ctr_drbg_random, &drbg);
	while (ok) {
		mbedtls_net_context client;
		mbedtls_ssl_context ssl;
		unsigned char byte;

		mbedtls_net_init(&client);
		mbedtls_ssl_init(&ssl);
		if (mbedtls_ssl_setup(&ssl, &conf) == 0 && mbedtls_net_accept(&listener, &client, NULL, 0, NULL) == 0) {
			mbedtls_ssl_set_bio(&ssl, &client, mbedtls_net_send, mbedtls_net_recv, NULL);
			if (mbedtls_ssl_handshake(&ssl) == 0)
				(void)mbedtls_ssl_read(&ssl, &byte, 1);
		}
		mbedtls_net_free(&client);
		mbedtls_ssl_free(&ssl);
	}
	fprintf(stderr, "mbedtls-server: cannot start\n");
	return 3;
}
