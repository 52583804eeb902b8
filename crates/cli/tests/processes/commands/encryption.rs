//! A server behind a proxy that speaks TLS: trusted where this machine is told to, and not otherwise.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread::JoinHandle;

use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::Session;

const STATS: &str = r#"{"queued":7,"dispatched":0,"in_progress":0,"stuck":0,"completed":0,"failed":0,"cancelled":0}"#;

/// Answers one encrypted request, or none where the client hangs up; where it listens, and its certificate.
fn proxy() -> (String, String, JoinHandle<()>) {
    let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
    let config =
        ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![own.cert.der().clone()], key)
            .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let serve = move || {
        let (tcp, _) = listener.accept().unwrap();
        let mut tls = StreamOwned::new(ServerConnection::new(Arc::new(config)).unwrap(), tcp);
        if tls.read(&mut [0; 4096]).is_ok_and(|bytes| bytes > 0) {
            let length = STATS.len();
            let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: application/json";
            write!(tls, "{head}\r\ncontent-length: {length}\r\n\r\n{STATS}").unwrap();
            tls.conn.send_close_notify();
            tls.flush().unwrap();
        }
    };
    (url, own.cert.pem(), std::thread::spawn(serve))
}

#[test]
fn a_server_behind_tls_is_asked_where_its_certificate_is_trusted() {
    let session = Session::new();
    let (url, certificate, serving) = proxy();
    std::fs::write(session.ledger.folder().join("authority.pem"), certificate).unwrap();
    let line = format!("SSL_CERT_FILE=authority.pem consign stats --json --url {url}");
    assert_eq!(session.prepares(&line).trim(), STATS);
    serving.join().unwrap();
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_refused_at_once() {
    let session = Session::new();
    let (url, _, serving) = proxy();
    let output = session.output(&format!("consign stats --url {url} --retry-for-s 60"));
    assert_eq!(output.status.code(), Some(5));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("certificate") && told.contains("SSL_CERT_FILE"), "{told}");
    serving.join().unwrap();
}
