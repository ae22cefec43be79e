// SPDX-License-Identifier: Apache-2.0
// sign-botan KEY.pem READY: signs with Botan, makes the file READY, and waits.
#include <botan/auto_rng.h>
#include <botan/data_src.h>
#include <botan/pkcs8.h>
#include <botan/pubkey.h>
#include <fstream>
#include <unistd.h>

int main(int, char **argv)
{
	Botan::AutoSeeded_RNG random;
	Botan::DataSource_Stream file(argv[1]);
	auto key = Botan::PKCS8::load_key(file);
	Botan::PK_Signer signer(*key, random, key->algo_name() == "RSA" ? "EMSA3(SHA-256)" : key->algo_name() == "Ed25519" ? "Pure" : "EMSA1(SHA-256)");
	const uint8_t text[] = "text";

	for (int i = 0; i < 3; i++)
		signer.sign_message(text, sizeof(text), random);
	std::ofstream(argv[2]).put('x');
	pause();
}
