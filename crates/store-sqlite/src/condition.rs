//! In what condition a ledger is: what a person asks first when something seems wrong. Quick, also on a large one.

use std::path::Path;

use consign_ledger::Time;
use rusqlite::Connection;

use crate::files::wal_of;
use crate::open::{MIGRATIONS, OpenError, open_beside, sqlite_error};

/// What can be said of a ledger at a glance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Condition {
    /// How many migrations it has seen.
    pub version: usize,
    /// How many there are; [`OpenError::TooNew`] where it has seen more.
    pub version_known: usize,
    /// The size of the file and of its WAL.
    pub bytes: u64,
    /// The size of the WAL: of what is not in the file yet, and of what is there to be written over. A reader that does
    /// not end keeps it growing.
    pub wal_bytes: u64,
    /// The last moment that it wrote down.
    pub latest: Time,
    /// How many delegations there are.
    pub delegations: u64,
    /// How far the counts by status, which are kept along the way, are from what is counted now.
    pub tally_error: u64,
}

/// The condition of the ledger at `path`, whether or not a server has it open.
pub fn condition(path: &Path) -> Result<Condition, OpenError> {
    let connection = open_beside(path)?;
    let size = |path: &Path| path.metadata().map_or(0, |file| file.len());
    let wal_bytes = size(&wal_of(path));
    let ask = || {
        let moment = connection.unchecked_transaction()?;
        let (delegations, tally_error) = tallies(&moment)?;
        let version = moment.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        Ok(Condition {
            version,
            version_known: MIGRATIONS.len(),
            bytes: size(path) + wal_bytes,
            wal_bytes,
            latest: crate::open::latest(&moment)?,
            delegations,
            tally_error,
        })
    };
    ask().map_err(|why| sqlite_error(path, why))
}

fn tallies(moment: &Connection) -> rusqlite::Result<(u64, u64)> {
    // By the index on the status alone.
    let sql = "SELECT coalesce(sum(counted), 0), coalesce(sum(abs(counted - kept)), 0)
               FROM (SELECT t.count AS kept,
                            (SELECT count(*) FROM delegations d WHERE d.status = t.status) AS counted
                     FROM tallies t)";
    moment.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::open::open;

    #[test]
    fn a_fresh_ledger_is_well() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("consign.db");
        drop(open(&path).unwrap());
        let fresh = condition(&path).unwrap();
        assert_eq!((fresh.version, fresh.tally_error), (fresh.version_known, 0));
        assert_eq!((fresh.delegations, fresh.latest), (0, Time(0)));
    }

    #[test]
    fn counts_that_are_off_are_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("consign.db");
        let opened = open(&path).unwrap();
        opened
            .connection
            .execute("UPDATE tallies SET count = 2 WHERE status = 'stuck'", [])
            .unwrap();
        assert_eq!(condition(&path).unwrap().tally_error, 2);
    }
}
