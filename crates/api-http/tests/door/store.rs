//! The store behind the door: SQLite here. PostgreSQL's crate asks the same door over its own.

use consign_store_sqlite::SqliteStore;
use consign_testkit::HandClock;
use tempfile::TempDir;

pub(crate) type Store = SqliteStore;

/// Where a ledger of a test's own is.
pub(crate) struct Place(TempDir);

impl Place {
    #[expect(clippy::unused_async, reason = "another store's place takes a while")]
    pub(crate) async fn fresh() -> Self {
        Self(TempDir::new().expect("a place for the ledger"))
    }

    #[expect(clippy::unused_async, reason = "another store takes a while to open")]
    pub(crate) async fn open(&self, clock: HandClock) -> Store {
        SqliteStore::open(&self.0.path().join("consign.db"), clock).expect("an empty ledger opens")
    }
}
