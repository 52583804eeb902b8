//! TLS to the database: encrypted where it can be, verified where the URL says so.

use std::fs;
use std::path::PathBuf;

use consign_store_postgres::{PostgresStore, Wall};
use consign_testkit::HandClock;
use consign_testkit::postgres::Server;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

/// Who signs: its certificate in a file, and what signs with its key.
struct Authority {
    file: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

impl Drop for Authority {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.file));
    }
}

impl Authority {
    fn named(name: &str) -> Self {
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let file = std::env::temp_dir().join(format!("consign-{}-{name}.pem", std::process::id()));
        fs::write(&file, certificate.pem()).unwrap();
        Self { file, issuer: Issuer::new(params, key) }
    }

    /// A certificate for this host, and its key.
    fn certify(&self, host: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }
}

async fn opened(server: &Server, parameters: &str) -> Result<PostgresStore, String> {
    let url = format!("{}?{parameters}", server.url());
    let opened = PostgresStore::open(&url, HandClock::default(), Wall::Given).await;
    opened.map_err(|why| why.to_string())
}

/// Whether the sessions of the store are encrypted.
async fn encrypted(server: &Server) -> bool {
    let sql = "SELECT bool_and(s.ssl) FROM pg_stat_ssl s JOIN pg_stat_activity a ON a.pid = s.pid
               WHERE a.application_name LIKE 'consign%'";
    server.vandal().await.query_one(sql, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn the_wire_is_encrypted_where_it_can_be_and_verified_where_the_url_says_so() {
    let (ours, others) = (Authority::named("ours"), Authority::named("others"));
    let mut server = Server::start();
    let refused = opened(&server, "sslmode=require").await.err().expect("it speaks no TLS");
    assert!(refused.contains("server does not support TLS"), "{refused}");
    let (certificate, key) = ours.certify("127.0.0.1");
    server.speak_tls(&certificate, &key);
    let ours_file = ours.file.display();
    for parameters in [
        "sslmode=prefer",
        "sslmode=require",
        &format!("sslmode=verify-full&sslrootcert={ours_file}"),
    ] {
        let store = opened(&server, parameters).await.unwrap();
        assert!(encrypted(&server).await, "{parameters}");
        drop(store);
    }
    let store = opened(&server, "sslmode=disable").await.unwrap();
    assert!(!encrypted(&server).await);
    drop(store);
    for parameters in [
        "sslmode=verify-full",
        &format!("sslmode=verify-full&sslrootcert={}", others.file.display()),
    ] {
        let refused = opened(&server, parameters).await.err().expect("nobody it knows signed that");
        assert!(refused.contains("invalid peer certificate"), "{parameters}: {refused}");
        assert!(refused.contains("check sslmode and sslrootcert"), "{parameters}: {refused}");
    }
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused() {
    let ours = Authority::named("for-another");
    let mut server = Server::start();
    let (certificate, key) = ours.certify("database.example");
    server.speak_tls(&certificate, &key);
    let parameters = format!("sslmode=verify-full&sslrootcert={}", ours.file.display());
    let refused = opened(&server, &parameters).await.err().expect("it is for another host");
    assert!(refused.contains("not valid for name"), "{refused}");
    assert!(opened(&server, "sslmode=require").await.is_ok(), "who does not ask is not told");
}

#[tokio::test]
async fn a_file_without_certificates_is_named() {
    let file = std::env::temp_dir().join(format!("consign-{}-empty.pem", std::process::id()));
    fs::write(&file, "nothing").unwrap();
    let url = format!("postgres://h/d?sslmode=verify-full&sslrootcert={}", file.display());
    let told = PostgresStore::open(&url, HandClock::default(), Wall::Given).await;
    let told = told.err().unwrap().to_string();
    fs::remove_file(&file).unwrap();
    assert!(told.contains("empty.pem cannot be used: it has no certificate"), "{told}");
}
