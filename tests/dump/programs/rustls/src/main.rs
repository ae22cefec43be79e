// SPDX-License-Identifier: Apache-2.0
// A TLS server of rustls, with ring or AWS-LC as its cryptography: rustls-server CERT.der KEY.der PORT.
use std::io::{Read, Write};
use std::sync::Arc;

fn main() {
    let arg: Vec<String> = std::env::args().collect();
    let cert = rustls::pki_types::CertificateDer::from(std::fs::read(&arg[1]).unwrap());
    let key = rustls::pki_types::PrivateKeyDer::try_from(std::fs::read(&arg[2]).unwrap()).unwrap();
    #[cfg(feature = "ring")]
    let provider = rustls::crypto::ring::default_provider();
    #[cfg(not(feature = "ring"))]
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = std::net::TcpListener::bind(format!("127.0.0.1:{}", arg[3])).unwrap();
    for socket in listener.incoming() {
        let mut socket = socket.unwrap();
        let mut connection = rustls::ServerConnection::new(config.clone()).unwrap();
        let mut stream = rustls::Stream::new(&mut connection, &mut socket);
        let mut byte = [0u8; 1];
        let _ = stream.read(&mut byte);
        let _ = stream.write_all(b"x\n");
    }
}
