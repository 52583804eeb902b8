//! What is measured of the file: how much was committed beside it, and how much of that a reader keeps there.

use consign_ledger::query::{Measure, float};
use rusqlite::Connection;

use crate::failure::Trouble;

pub(crate) fn measures(connection: &Connection) -> Result<Vec<Measure>, Trouble> {
    // Tells how far the WAL was copied, and copies nothing.
    let sql = "PRAGMA wal_checkpoint(NOOP)";
    let mut statement = connection.prepare_cached(sql)?;
    let (pages, copied): (i64, i64) =
        statement.query_row([], |row| Ok((row.get(1)?, row.get(2)?)))?;
    let page: u64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
    let bytes = |pages: i64| float(pages.max(0).unsigned_abs() * page);
    Ok(vec![
        Measure::gauge(
            "sqlite_wal_bytes",
            "What was committed beside the file since the WAL began anew",
            bytes(pages),
        ),
        Measure::gauge(
            "sqlite_wal_waiting_bytes",
            "What of it is not in the file yet: up to 48 MiB come together before it is copied, and more wait behind a reader that does not end",
            bytes(pages - copied),
        ),
    ])
}
