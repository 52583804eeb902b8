//! A ledger in PostgreSQL, and the servers that share it.

use std::future::Future;

use consign_testkit::postgres::Database;
use tokio::runtime::Runtime;

use crate::server::Serve;

/// A database of a test's own on the server that all tests share.
pub(crate) struct SharedLedger {
    runtime: Runtime,
    database: Database,
}

impl SharedLedger {
    pub(crate) fn new() -> Self {
        let runtime = Runtime::new().unwrap();
        let database = runtime.block_on(Database::empty());
        Self { runtime, database }
    }

    pub(crate) fn url(&self) -> String {
        self.database.tcp_url()
    }

    /// What stands in the URL and may be shown to nobody.
    pub(crate) fn password(&self) -> String {
        let url = self.url();
        let (_, rest) = url.split_once("consign:").unwrap();
        rest.split('@').next().unwrap().to_owned()
    }

    /// `consign serve` on this ledger, at a port of its own.
    pub(crate) fn serve(&self) -> Serve {
        serve_on(&self.url())
    }

    /// What one question to the database answers, asked behind the servers' backs.
    pub(crate) fn count(&self, sql: &str) -> i64 {
        let ask = async {
            let session = self.database.vandal().await;
            session.query_one(sql, &[]).await.unwrap().get(0)
        };
        self.wait_for(ask)
    }

    pub(crate) fn run(&self, sql: &str) {
        self.wait_for(async { self.database.vandal().await.batch_execute(sql).await.unwrap() });
    }

    fn wait_for<T>(&self, asked: impl Future<Output = T>) -> T {
        self.runtime.block_on(asked)
    }
}

/// `consign serve` on the ledger at this URL, at a port of its own.
pub(crate) fn serve_on(url: &str) -> Serve {
    Serve::bare().env("CONSIGN_DATABASE_URL", url).env("CONSIGN_LISTEN", "127.0.0.1:0")
}
