//! Brings a ledger's schema up to date without running it.

use consign_store_sqlite::SqliteStore;

use crate::clock::SystemClock;
use crate::database::Database;
use crate::open::OpenError;

/// Makes the ledger if there is none, and brings its schema up to date. It is safe to do so again.
pub async fn migrate(database: &Database) -> Result<(), OpenError> {
    match database {
        // Opening it is all that this takes: a file has one process at a time.
        Database::Sqlite(path) => drop(SqliteStore::open(path, SystemClock)?),
        Database::Postgres { url, .. } => {
            let migrations = consign_store_postgres::migrate(url).await?;
            tracing::info!(migrations, "migrated");
        }
    }
    Ok(())
}
