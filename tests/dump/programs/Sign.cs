// SPDX-License-Identifier: Apache-2.0
// Sign.exe KEY.xml READY: signs with .NET's own RSA, makes the file READY, and waits.
using System;
using System.IO;
using System.Security.Cryptography;
using System.Threading;

class Sign
{
	static void Main(string[] args)
	{
		var rsa = new RSACryptoServiceProvider();
		rsa.FromXmlString(File.ReadAllText(args[0]));
		for (int i = 0; i < 3; i++)
			rsa.SignData(new byte[] { 1, 2, 3 }, SHA256.Create());
		File.WriteAllText(args[1], "x");
		Thread.Sleep(100000);
		GC.KeepAlive(rsa);
	}
}
