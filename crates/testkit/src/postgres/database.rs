//! A database of a test's own on the shared server.

use std::future::Future;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use tokio::runtime;
use tokio_postgres::{Client, NoTls};

use super::everyones;

/// A database of a test's own; it goes with the test.
pub struct Database {
    name: String,
    /// Somebody had a session behind the store's back, so what is in it may not tell one story any more.
    vandalised: AtomicBool,
}

impl Database {
    fn of(name: String) -> Self {
        Self { name, vandalised: AtomicBool::new(false) }
    }

    /// An empty one.
    pub async fn empty() -> Self {
        let name = fresh_name();
        let client = client("postgres").await;
        client.batch_execute(&format!("CREATE DATABASE {name}")).await.expect("a new name");
        Self::of(name)
    }

    /// A copy of one that `prepare` was given the address of, once for all tests that say the same `kind`: cheaper
    /// than to prepare each.
    pub async fn prepared<F: Future<Output = ()>>(
        kind: &str,
        prepare: impl FnOnce(String) -> F,
    ) -> Self {
        let (name, template) = (fresh_name(), format!("template_{kind}"));
        let client = client("postgres").await;
        // One at a time, until the first has prepared it.
        client.execute("SELECT pg_advisory_lock(1)", &[]).await.expect("a lock can be waited for");
        let known = "SELECT 1 FROM pg_database WHERE datname = $1";
        if client.query(known, &[&template]).await.expect("a catalogue").is_empty() {
            let made = format!("{template}_in_the_making");
            let anew = format!("DROP DATABASE IF EXISTS {made} WITH (FORCE)");
            client.batch_execute(&anew).await.expect("half of a template can go");
            client.batch_execute(&format!("CREATE DATABASE {made}")).await.expect("a new name");
            prepare(everyones::cluster().url(&made)).await;
            settle(&client, &made).await;
            let done = format!("ALTER DATABASE {made} RENAME TO {template}");
            client.batch_execute(&done).await.expect("nobody else is in it");
        }
        let copy = format!("CREATE DATABASE {name} TEMPLATE {template}");
        client.batch_execute(&copy).await.expect("a template that nobody is in");
        Self::of(name)
    }

    /// Its address, over a socket.
    #[must_use]
    pub fn url(&self) -> String {
        everyones::cluster().url(&self.name)
    }

    /// Its address for a user who may do everything with it and is no superuser: it is bound by limits, as users are.
    pub async fn url_of_a_user(&self) -> String {
        let user = &self.name;
        let sql = format!("CREATE ROLE {user} LOGIN PASSWORD 'pass' IN ROLE consign");
        self.vandal().await.batch_execute(&sql).await.expect("a new name");
        self.url().replace("//consign@", &format!("//{user}@"))
    }

    /// Its address, over TCP and with a password.
    #[must_use]
    pub fn tcp_url(&self) -> String {
        everyones::cluster().tcp_url(&self.name)
    }

    /// Where its server listens on loopback.
    #[must_use]
    pub fn port(&self) -> u16 {
        everyones::cluster().port
    }

    /// The socket that its server listens on.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        let cluster = everyones::cluster();
        cluster.folder.join(format!(".s.PGSQL.{}", cluster.port))
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Another one with the same in it. Whoever has a session in this one loses it.
    pub async fn copy(&self) -> Self {
        self.end_sessions().await;
        let name = fresh_name();
        let copy = format!("CREATE DATABASE {name} TEMPLATE {}", self.name);
        client("postgres").await.batch_execute(&copy).await.expect("nobody else is in it");
        Self::of(name)
    }

    /// Whether somebody had a session behind everybody's back.
    #[must_use]
    pub fn is_vandalised(&self) -> bool {
        self.vandalised.load(Ordering::Relaxed)
    }

    /// A session of its own in this database, behind everybody's back.
    pub async fn vandal(&self) -> Client {
        self.vandalised.store(true, Ordering::Relaxed);
        client(&self.name).await
    }

    /// Ends all other sessions in it, and waits for their end: their clients are gone, or must do without.
    pub async fn end_sessions(&self) {
        settle(&client("postgres").await, &self.name).await;
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let dropping = thread::spawn(move || {
            let runtime = runtime::Builder::new_current_thread().enable_all().build();
            let dropped = async { client("postgres").await.batch_execute(&sql).await };
            drop(runtime.expect("a thread can have a runtime").block_on(dropped));
        });
        drop(dropping.join());
    }
}

fn fresh_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("t_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

async fn client(database: &str) -> Client {
    session(&everyones::cluster().url(database)).await
}

pub(super) async fn session(url: &str) -> Client {
    let (client, connection) =
        tokio_postgres::connect(url, NoTls).await.expect("a throw-away server takes connections");
    tokio::spawn(async move { drop(connection.await) });
    client
}

async fn settle(client: &Client, database: &str) {
    let sql = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
               WHERE datname = $1 AND pid <> pg_backend_pid()";
    client.execute(sql, &[&database]).await.expect("its owner may end its sessions");
}
