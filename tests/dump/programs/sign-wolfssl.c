// SPDX-License-Identifier: Apache-2.0
// sign-wolfssl KEY.der READY: signs with wolfSSL (RSA or P-256), makes the file READY, and waits.
#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/asn.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/rsa.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	static byte der[8192], out[1024], hash[32] = { 1 };
	FILE *f = fopen(argv[argc > 1 ? 1 : 0], "rb");
	word32 n = (word32)fread(der, 1, sizeof(der), f), at = 0, length = sizeof(out);
	RsaKey rsa;
	ecc_key ec;
	WC_RNG random;

	fclose(f);
	wc_InitRng(&random);
	wc_InitRsaKey(&rsa, NULL);
	if (wc_RsaPrivateKeyDecode(der, &at, &rsa, n) == 0) {
		wc_RsaSetRNG(&rsa, &random);
		for (int i = 0; i < 3; i++)
			wc_RsaSSL_Sign(hash, sizeof(hash), out, sizeof(out), &rsa, &random);
	} else {
		at = 0;
		wc_ecc_init(&ec);
		if (wc_EccPrivateKeyDecode(der, &at, &ec, n) != 0)
			return 1;
		for (int i = 0; i < 3; i++, length = sizeof(out))
			wc_ecc_sign_hash(hash, sizeof(hash), out, &length, &random, &ec);
	}
	fclose(fopen(argv[2], "w"));
	pause();
}
