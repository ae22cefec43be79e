// SPDX-License-Identifier: Apache-2.0
// Sign KEY.der ALGORITHM READY: signs with Bouncy Castle, makes the file READY, and waits.
import java.io.File;
import java.nio.file.*;
import java.security.*;
import java.security.spec.PKCS8EncodedKeySpec;

public class Sign {
	public static void main(String[] args) throws Exception {
		Provider provider = new org.bouncycastle.jce.provider.BouncyCastleProvider();
		PrivateKey key = KeyFactory.getInstance(args[1], provider).generatePrivate(new PKCS8EncodedKeySpec(Files.readAllBytes(Paths.get(args[0]))));
		Signature s = Signature.getInstance(args[1].equals("RSA") ? "SHA256withRSA" : args[1].equals("EC") ? "SHA256withECDSA" : "Ed25519", provider);
		for (int i = 0; i < 3; i++) {
			s.initSign(key);
			s.update(new byte[] { 1, 2, 3 });
			s.sign();
		}
		new File(args[2]).createNewFile();
		Thread.sleep(100000);
	}
}
