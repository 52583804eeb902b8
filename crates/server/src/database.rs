//! Where the ledger is, as an operator says it.

use std::path::PathBuf;

use consign_engine::{BadUrl, Database};

use crate::error::ServeError;
use crate::options::{DATABASE_URL_DEFAULT, DatabaseOptions};
use crate::settings::or_default;

impl DatabaseOptions {
    /// Where the ledger is, or what is wrong with the URL and what to do about it.
    pub fn settle(&self) -> Result<Database, ServeError> {
        named(&self.database_url)
    }
}

/// The file that a database URL names, for what only a ledger in a file knows; an empty URL names the default.
pub fn ledger_file(url: &str) -> Result<PathBuf, ServeError> {
    match named(url)? {
        Database::Sqlite(path) => Ok(path),
        Database::Postgres { .. } => Err(ServeError::DatabaseUrl(BadUrl {
            given: "postgres:".to_owned(),
            why: "this command is for a ledger in a file".to_owned(),
        })),
    }
}

/// Makes the ledger if there is none, and brings its schema up to date. It is safe to do so again.
pub async fn migrate(database: &Database) -> Result<(), ServeError> {
    Ok(consign_engine::migrate(database).await?)
}

fn named(url: &str) -> Result<Database, ServeError> {
    Database::of_url(or_default(url, DATABASE_URL_DEFAULT)).map_err(ServeError::DatabaseUrl)
}
