//! The writer's side of its WAL: to begin it anew where the copying thread cannot, and to give back what it grew to.
//!
//! To begin it anew is to write over blocks that its file has already. That costs half of what appending to it does, so
//! the file is cut only where a reader that did not end let it grow beyond all use.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use rusqlite::{Connection, Row};

use crate::files::wal_of;

/// Pages past which what is left of the WAL is copied and it is begun anew: 96 MiB. Who starts after a crash reads all of
/// it first, which takes 2 to 3 ms for each MiB.
const PAGES_MAX: i32 = 24_576;
/// Pages by which it grows until that is tried again, where somebody was in the way: 32 MiB.
const PAGES_AGAIN: i32 = 8192;
/// Bytes past which its file is cut to nothing.
const BYTES_MAX: u64 = 256 << 20;

/// The WAL of one writer.
pub(crate) struct Wal {
    path: PathBuf,
    /// How many pages it has, as the last commit told.
    pages: Arc<AtomicI32>,
    begin_past_pages: i32,
    cut_past_bytes: u64,
}

impl Wal {
    /// The WAL of the ledger at `ledger`.
    pub(crate) fn of(ledger: &Path) -> Self {
        let path = wal_of(ledger);
        let pages = Arc::default();
        let (begin_past_pages, cut_past_bytes) = (PAGES_MAX, BYTES_MAX);
        Self { path, pages, begin_past_pages, cut_past_bytes }
    }

    /// Where each commit tells how many pages there are.
    pub(crate) fn pages(&self) -> Arc<AtomicI32> {
        Arc::clone(&self.pages)
    }

    /// Begins it anew, or cuts it, where it is time. Between two transactions of `writer`.
    pub(crate) fn look_after(&mut self, writer: &Connection) -> rusqlite::Result<()> {
        let pages = self.pages.load(Ordering::Relaxed);
        let bytes = std::fs::metadata(&self.path).map_or(0, |file| file.len());
        let how = match (bytes > self.cut_past_bytes, pages > self.begin_past_pages) {
            (true, _) => "PRAGMA wal_checkpoint(TRUNCATE)",
            (false, true) => "PRAGMA wal_checkpoint(RESTART)",
            (false, false) => return Ok(()),
        };
        let is_busy = |row: &Row<'_>| row.get::<_, bool>(0);
        if writer.query_row(how, [], is_busy)? {
            // A reader was in the way, or the copying thread.
            self.begin_past_pages = pages + PAGES_AGAIN;
            self.cut_past_bytes = bytes.max(self.cut_past_bytes) + BYTES_MAX;
        } else {
            self.pages.store(0, Ordering::Relaxed);
            (self.begin_past_pages, self.cut_past_bytes) = (PAGES_MAX, BYTES_MAX);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ballast::Ballast;

    struct Ledger {
        file: Ballast,
        wal: Wal,
    }

    impl Ledger {
        fn new() -> Self {
            let mut file = Ballast::new();
            let wal = Wal::of(&file.path);
            let pages = wal.pages();
            file.tell(move |now| pages.store(now, Ordering::Relaxed));
            Self { file, wal }
        }

        /// How many pages the WAL has, and its file could have.
        fn sizes(&self) -> (i32, u64) {
            let file = std::fs::metadata(&self.wal.path).unwrap().len();
            (self.wal.pages.load(Ordering::Relaxed), file / 4120)
        }

        fn look_after(&mut self) {
            self.wal.look_after(&self.file.writer).unwrap();
        }
    }

    #[test]
    fn a_large_one_begins_anew_in_the_same_file() {
        let mut ledger = Ledger::new();
        ledger.file.grow(PAGES_MAX / 2);
        ledger.look_after();
        assert!(ledger.sizes().0 > PAGES_MAX / 2, "it is not worth it yet");
        ledger.file.grow(PAGES_MAX);
        let before = ledger.sizes().1;
        ledger.look_after();
        ledger.file.grow(10);
        let (pages, file) = ledger.sizes();
        assert!(pages < 100, "{pages} pages");
        assert_eq!(file, before, "the blocks of the file are used again");
    }

    #[test]
    fn one_that_a_reader_let_grow_is_cut_once_the_reader_has_ended() {
        let mut ledger = Ledger::new();
        let reader = Connection::open(&ledger.file.path).unwrap();
        reader.execute_batch("BEGIN; SELECT count(*) FROM ballast").unwrap();
        let most = i32::try_from(BYTES_MAX / 4096).unwrap();
        ledger.file.grow(most + 1);
        ledger.look_after();
        assert!(ledger.sizes().0 > most, "the reader still needs it");
        reader.execute_batch("ROLLBACK").unwrap();
        ledger.look_after();
        assert!(ledger.sizes().0 > most, "not at every commit");
        ledger.file.grow(most + 1);
        ledger.look_after();
        assert_eq!(std::fs::metadata(&ledger.wal.path).unwrap().len(), 0);
    }
}
