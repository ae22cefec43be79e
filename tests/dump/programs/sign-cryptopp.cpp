// SPDX-License-Identifier: Apache-2.0
// sign-cryptopp KEY.der READY: signs with Crypto++ (RSA), makes the file READY, and waits.
#include <cryptopp/files.h>
#include <cryptopp/osrng.h>
#include <cryptopp/rsa.h>
#include <fstream>
#include <string>
#include <unistd.h>

int main(int, char **argv)
{
	CryptoPP::AutoSeededRandomPool random;
	CryptoPP::RSA::PrivateKey key;
	CryptoPP::FileSource file(argv[1], true);

	key.Load(file);
	CryptoPP::RSASS<CryptoPP::PKCS1v15, CryptoPP::SHA256>::Signer signer(key);
	for (int i = 0; i < 3; i++) {
		std::string text = "text", signature(signer.MaxSignatureLength(), '\0');
		signer.SignMessage(random, reinterpret_cast<const CryptoPP::byte *>(text.data()), text.size(),
		                   reinterpret_cast<CryptoPP::byte *>(&signature[0]));
	}
	std::ofstream(argv[2]).put('x');
	pause();
}
