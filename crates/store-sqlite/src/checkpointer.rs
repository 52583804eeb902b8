//! Copies what was committed from the WAL into the file, beside the writer, so that no commit waits for it.
//!
//! It copies what it can and waits for nobody: a stretch at a time while the writer is busy, and the rest once it rests.
//! Where all was copied, SQLite begins the WAL anew, over blocks that the file has already: appending to it costs twice as
//! much. Where the writer never rests, it begins the WAL anew itself.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::Connection;

use crate::open::{OpenError, open_to_copy};

/// Pages by which the WAL grows between two copies: 32 MiB.
const PAGES_BETWEEN: i32 = 8192;
/// How long after a stretch the rest is copied, too, if it did not become another stretch by then.
const REST: Duration = Duration::from_millis(200);

/// The copying thread of one ledger.
pub(crate) struct Checkpointer {
    /// Held here alone: the thread ends when it is dropped.
    wake: Option<Arc<SyncSender<()>>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    pub(crate) fn start(path: &Path) -> Result<Self, OpenError> {
        let connection = open_to_copy(path)?;
        // One call may wait while another is served; more would say nothing new.
        let (wake, calls) = sync_channel(1);
        let thread = thread::Builder::new().name("checkpointer".to_owned());
        let thread = thread.spawn(move || serve(&connection, &calls)).map_err(OpenError::Thread)?;
        Ok(Self { wake: Some(Arc::new(wake)), thread: Some(thread) })
    }

    /// What the writer tells after each commit: how many pages its WAL has.
    pub(crate) fn bell(&self) -> impl FnMut(i32) + Send + 'static {
        let wake = self.wake.as_ref().map(Arc::downgrade).unwrap_or_default();
        let mut next = PAGES_BETWEEN;
        move |pages| {
            if pages < next - PAGES_BETWEEN {
                // All was copied and nobody read it any more, so the WAL began anew.
                next = PAGES_BETWEEN;
            }
            if pages >= next {
                next = pages + PAGES_BETWEEN;
                // Where a call waits already, or the ledger is being closed, this one is not needed.
                if let Some(wake) = wake.upgrade() {
                    let _full = wake.try_send(());
                }
            }
        }
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.wake = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn serve(connection: &Connection, calls: &Receiver<()>) {
    while calls.recv().is_ok() {
        copy(connection);
        while let Ok(()) = calls.recv_timeout(REST) {
            copy(connection);
        }
        copy(connection);
    }
}

fn copy(connection: &Connection) {
    let copied = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
    if let Err(error) = copied {
        tracing::warn!(%error, "the WAL could not be copied; it is tried again as it grows");
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::hooks::Wal;

    use super::*;

    /// Pages of the usual size.
    const PAGE_BYTES: u64 = 4096;

    fn pages(path: &Path) -> u64 {
        std::fs::metadata(path).unwrap().len() / PAGE_BYTES
    }

    #[test]
    fn what_has_grown_enough_is_copied_while_the_writer_has_the_ledger_open() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        let mut writer = Connection::open(&path).unwrap();
        writer.pragma_update(None, "journal_mode", "WAL").unwrap();
        writer.execute_batch("CREATE TABLE ballast (page BLOB)").unwrap();
        let checkpointer = Checkpointer::start(&path).unwrap();
        let mut bell = checkpointer.bell();
        let told = move |_: &mut Wal, pages| {
            bell(pages);
            Ok(())
        };
        writer.wal_hook(Some(told)).unwrap();
        let grow = |pages: i32| {
            let sql =
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
                       INSERT INTO ballast SELECT zeroblob(4000) FROM n";
            writer.execute(sql, [pages]).unwrap();
        };
        grow(PAGES_BETWEEN / 2);
        let before = pages(&path);
        grow(PAGES_BETWEEN);
        // Ends after the call that waits, if one does.
        drop(checkpointer);
        let least = u64::from(PAGES_BETWEEN.unsigned_abs());
        assert!(before < least / 2, "{before} pages were copied before it was worth it");
        assert!(pages(&path) > least, "{} pages were copied", pages(&path));
    }

    #[test]
    fn it_is_called_once_per_stretch_and_again_once_the_wal_began_anew() {
        let (wake, calls) = sync_channel(1);
        let checkpointer = Checkpointer { wake: Some(Arc::new(wake)), thread: None };
        let mut bell = checkpointer.bell();
        for (pages, called) in [
            (PAGES_BETWEEN - 1, false),
            (PAGES_BETWEEN, true),
            (PAGES_BETWEEN + 1, false),
            (2 * PAGES_BETWEEN, true),
            (10, false),
            (PAGES_BETWEEN - 1, false),
            (PAGES_BETWEEN, true),
        ] {
            bell(pages);
            assert_eq!(calls.try_recv().is_ok(), called, "{pages}");
        }
    }
}
