//! A server of a test's own, to be stopped, killed and started again.

use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use tokio_postgres::Client;

use super::binaries::{command, path};
pub use super::cluster::Stop;
use super::cluster::{Cluster, Disk};
use super::database::session;

/// Waits for the end of its input, which comes with the end of the test process, however that ends.
const WATCH: &str = r#"
    read -r _
    "$1" -D "$2/data" -m immediate stop > /dev/null 2>&1
    rm -rf "$2"
"#;

/// A server of one test's own. It flushes to the disk as in production, and goes with the test.
pub struct Server {
    cluster: Cluster,
    watchdog: Child,
}

impl Server {
    /// A new one, running.
    #[must_use]
    pub fn start() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let nth = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("consign-postgres-of-{}-{nth}", std::process::id());
        let folder: PathBuf = std::env::temp_dir().join(name);
        let mut cluster = Cluster::make(folder, Disk::Flushed);
        let mut watch = command("sh");
        watch.args(["-c", WATCH, "sh"]).arg(path("pg_ctl")).arg(&cluster.folder);
        watch.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let watchdog = watch.spawn().expect("a shell can run");
        cluster.start();
        Self { cluster, watchdog }
    }

    /// From now on it speaks TLS, under this certificate.
    pub fn speak_tls(&mut self, certificate: &str, key: &str) {
        self.stop(Stop::Fast);
        self.cluster.speak_tls(certificate, key);
        self.start_again();
    }

    /// Its own database `postgres`, over TCP.
    #[must_use]
    pub fn url(&self) -> String {
        self.cluster.tcp_url("postgres")
    }

    /// A session of its own in that database, behind everybody's back.
    pub async fn vandal(&self) -> Client {
        session(&self.cluster.url("postgres")).await
    }

    /// Where it listens on loopback.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.cluster.port
    }

    /// Stops it; what it has stays.
    pub fn stop(&self, how: Stop) {
        self.cluster.stop(how);
    }

    /// Starts it again, where it was.
    pub fn start_again(&mut self) {
        self.cluster.start();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        drop(self.watchdog.wait());
    }
}
