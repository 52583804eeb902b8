//! A file for tests, whose WAL they let grow.

use std::path::PathBuf;

use rusqlite::Connection;
use rusqlite::hooks::Wal;
use tempfile::TempDir;

/// A file that is not a ledger, open for writing under a WAL that nobody copies by itself.
pub(crate) struct Ballast {
    pub(crate) path: PathBuf,
    pub(crate) writer: Connection,
    _folder: TempDir,
}

impl Ballast {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        let writer = Connection::open(&path).unwrap();
        writer.pragma_update(None, "journal_mode", "WAL").unwrap();
        writer.pragma_update(None, "wal_autocheckpoint", 0).unwrap();
        writer.execute_batch("CREATE TABLE ballast (page BLOB)").unwrap();
        Self { path, writer, _folder: folder }
    }

    /// After each commit, `tell` is told how many pages the WAL has.
    pub(crate) fn tell(&mut self, mut tell: impl FnMut(i32) + Send + 'static) {
        let told = move |_: &mut Wal, pages| {
            tell(pages);
            Ok(())
        };
        self.writer.wal_hook(Some(told)).unwrap();
    }

    /// By about so many pages, in one commit.
    pub(crate) fn grow(&self, pages: i32) {
        let sql = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
                   INSERT INTO ballast SELECT zeroblob(4000) FROM n";
        self.writer.execute(sql, [pages]).unwrap();
    }
}
