//! SQLite as the test kit wants it: one file in a folder of its own, which goes with the test.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use consign_ledger::DelegationId;
use consign_store_sqlite::{SqliteStore, audit};
use consign_testkit::{Backend, HandClock};
use rusqlite::Connection;
use tempfile::TempDir;

pub(crate) struct Sqlite {
    clock: HandClock,
    folder: TempDir,
    /// Somebody wrote to the file behind the store's back, so it may not tell one story any more.
    vandalised: AtomicBool,
}

/// Whatever a test did, what is on disk at its end is sound.
impl Drop for Sqlite {
    fn drop(&mut self) {
        if std::thread::panicking() || self.vandalised.load(Ordering::Relaxed) {
            return;
        }
        let findings = audit(&self.path()).unwrap().findings;
        assert!(findings.is_empty(), "{findings:#?}");
    }
}

impl Sqlite {
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("ledger.db")
    }

    /// Another connection to the same file, behind the store's back.
    pub(crate) fn vandal(&self) -> Connection {
        self.vandalised.store(true, Ordering::Relaxed);
        Connection::open(self.path()).unwrap()
    }
}

impl Backend for Sqlite {
    type Store = SqliteStore;

    async fn fresh(clock: HandClock) -> Self {
        Self { clock, folder: tempfile::tempdir().unwrap(), vandalised: AtomicBool::new(false) }
    }

    async fn open(&self) -> SqliteStore {
        SqliteStore::open(&self.path(), self.clock.clone()).unwrap()
    }

    async fn poison(&self, id: &DelegationId) {
        let vandal = self.vandal();
        vandal.pragma_update(None, "ignore_check_constraints", true).unwrap();
        let sql = "UPDATE delegations SET status = 'nonsense' WHERE delegation_id = ?1";
        assert_eq!(vandal.execute(sql, [id.as_str()]).unwrap(), 1);
    }

    /// At its events, which come after its row: so there is something to roll back.
    async fn refuse(&self, id: &DelegationId) {
        let vandal = self.vandal();
        let sql = "SELECT num FROM delegations WHERE delegation_id = ?1";
        let num: i64 = vandal.query_row(sql, [id.as_str()], |row| row.get(0)).unwrap();
        let sql = format!(
            "CREATE TRIGGER refuse_{num} BEFORE INSERT ON events WHEN new.num = {num}
             BEGIN SELECT raise(ABORT, 'refused'); END"
        );
        vandal.execute_batch(&sql).unwrap();
    }
}
