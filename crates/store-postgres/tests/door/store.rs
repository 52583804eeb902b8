//! The store behind the door: a database of its own.

use consign_store_postgres::{PostgresStore, Wall};
use consign_testkit::HandClock;
use consign_testkit::postgres::Database;

pub(crate) type Store = PostgresStore;

/// Where a ledger of a test's own is.
pub(crate) struct Place(Database);

impl Place {
    pub(crate) async fn fresh() -> Self {
        Self(Database::empty().await)
    }

    pub(crate) async fn open(&self, clock: HandClock) -> Store {
        PostgresStore::open(&self.0.url(), clock, Wall::Given).await.expect("an empty ledger opens")
    }
}
