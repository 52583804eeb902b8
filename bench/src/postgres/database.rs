//! A PostgreSQL of the benchmark's own, as in production: it flushes, and has the memory that a small machine would give.

use consign_testkit::postgres::{Server, Stop};
use tokio_postgres::{Client, NoTls};

use crate::Outcome;

/// What is set beside the defaults.
const SETTINGS: [&str; 3] =
    ["shared_buffers = '512MB'", "max_wal_size = '4GB'", "checkpoint_completion_target = 0.9"];

pub(crate) struct Postgres {
    server: Server,
}

impl Postgres {
    pub(crate) async fn start() -> Outcome<Self> {
        let mut server = Server::start();
        let client = server.vandal().await;
        for setting in SETTINGS {
            client.batch_execute(&format!("ALTER SYSTEM SET {setting}")).await?;
        }
        drop(client);
        server.stop(Stop::Fast);
        server.start_again();
        Ok(Self { server })
    }

    /// The address of one of its databases.
    pub(crate) fn url(&self, database: &str) -> String {
        let url = self.server.url();
        let (place, _) = url.rsplit_once('/').unwrap_or((&url, ""));
        format!("{place}/{database}")
    }

    pub(crate) async fn session(&self, database: &str) -> Outcome<Client> {
        session(&self.url(database)).await
    }

    pub(crate) async fn make(&self, database: &str) -> Outcome<()> {
        let client = self.session("postgres").await?;
        Ok(client.batch_execute(&format!("CREATE DATABASE {database}")).await?)
    }

    /// Another one with the same in it, in which nobody may be.
    pub(crate) async fn copy(&self, of: &str, to: &str) -> Outcome<()> {
        let client = self.session("postgres").await?;
        let end =
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = $1";
        client.execute(end, &[&of]).await?;
        let copy = format!("CREATE DATABASE {to} TEMPLATE {of}");
        Ok(client.batch_execute(&copy).await?)
    }

    /// As autovacuum would have done by the next day, and everything on the disk.
    pub(crate) async fn settle(&self, database: &str) -> Outcome<()> {
        let client = self.session(database).await?;
        client.batch_execute("VACUUM ANALYZE").await?;
        Ok(client.batch_execute("CHECKPOINT").await?)
    }
}

/// A session at this address, for as long as its client is kept.
pub(crate) async fn session(url: &str) -> Outcome<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(async move { drop(connection.await) });
    Ok(client)
}
