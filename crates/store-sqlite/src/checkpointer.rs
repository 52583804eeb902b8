//! Copies what was committed from the WAL into the file, beside the writer, so that no commit waits for it.
//!
//! It copies what it can and waits for nobody: a stretch at a time while the WAL grows fast, and what there is once it
//! does not. Where all was copied, SQLite begins the WAL anew, over blocks that the file has already: appending to it
//! costs twice as much. Where the writer never rests, it begins the WAL anew itself.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::Connection;

use crate::failure::must_flush;
use crate::open::{OpenError, open_to_copy};

/// Pages by which the WAL grows between two calls: 4 MiB. Less is not worth a copy.
const PAGES_CALL: i32 = 1024;
/// Pages of a stretch: 48 MiB, so that a burst has the disk to itself. Most of what is written is written again soon, so
/// that longer ones copy less.
const PAGES_STRETCH: i32 = 12_288;
/// How long after a call all is copied, if no other came by then.
const REST: Duration = Duration::from_secs(1);

/// The copying thread of one ledger.
pub(crate) struct Checkpointer {
    /// Held here alone: the thread ends when it is dropped.
    wake: Option<Arc<SyncSender<i32>>>,
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
        let mut called_at = 0;
        move |pages| {
            called_at = since(called_at, pages);
            if pages - called_at >= PAGES_CALL {
                called_at = pages;
                // Where a call waits already, or the ledger is being closed, this one is not needed.
                if let Some(wake) = wake.upgrade() {
                    let _full = wake.try_send(pages);
                }
            }
        }
    }
}

/// Where a WAL that has so many pages had `before` at an earlier moment: at none of them, if it began anew meanwhile. One
/// commit as large as all before it hides that, and is taken for the little that it has more.
fn since(before: i32, pages: i32) -> i32 {
    if pages < before { 0 } else { before }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.wake = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn serve(connection: &Connection, calls: &Receiver<i32>) {
    let mut copied_at = 0;
    while let Ok(mut pages) = calls.recv() {
        loop {
            copied_at = since(copied_at, pages);
            if pages - copied_at >= PAGES_STRETCH {
                copy(connection);
                copied_at = pages;
            }
            match calls.recv_timeout(REST) {
                Ok(more) => pages = more,
                Err(_) => break,
            }
        }
        copy(connection);
        copied_at = pages;
    }
}

fn copy(connection: &Connection) {
    let copied = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
    if let Err(error) = copied.map_err(must_flush) {
        tracing::warn!(%error, "the WAL could not be copied; it is tried again as it grows");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ballast::Ballast;

    /// Bytes of a page of the usual size.
    const PAGE_BYTES: u64 = 4096;
    /// Tries of what takes a few.
    const TRIES: usize = 10_000;

    /// A file, and who copies its WAL.
    struct Ledger {
        file: Ballast,
        _checkpointer: Checkpointer,
    }

    impl Ledger {
        fn new() -> Self {
            let mut file = Ballast::new();
            let checkpointer = Checkpointer::start(&file.path).unwrap();
            file.tell(checkpointer.bell());
            Self { file, _checkpointer: checkpointer }
        }

        /// Waits until so many pages are in the file.
        fn copied(&self, pages: i32) {
            for _ in 0..TRIES {
                if self.has(pages) {
                    return;
                }
                thread::sleep(Duration::from_millis(5));
            }
            panic!("{pages} pages were not copied");
        }

        /// Whether the file has so many pages.
        fn has(&self, pages: i32) -> bool {
            let bytes = std::fs::metadata(&self.file.path).unwrap().len();
            bytes >= u64::from(pages.unsigned_abs()) * PAGE_BYTES
        }
    }

    #[test]
    fn a_stretch_is_copied_although_the_wal_goes_on_growing() {
        let ledger = Ledger::new();
        // No more than a disk has room for.
        for _ in 0..TRIES / 10 {
            ledger.file.grow(PAGES_CALL);
            if ledger.has(PAGES_CALL) {
                return;
            }
        }
        panic!("nothing was copied");
    }

    #[test]
    fn less_than_a_stretch_is_copied_once_the_writer_rests() {
        let ledger = Ledger::new();
        ledger.file.grow(PAGES_CALL);
        ledger.copied(PAGES_CALL);
        // All was copied, so the WAL begins anew, and counts from nothing.
        (0..8).for_each(|_| ledger.file.grow(PAGES_CALL / 8));
        ledger.copied(2 * PAGES_CALL);
    }

    #[test]
    fn it_is_called_once_for_so_many_pages_and_again_once_the_wal_began_anew() {
        let (wake, calls) = sync_channel(1);
        let checkpointer = Checkpointer { wake: Some(Arc::new(wake)), thread: None };
        let mut bell = checkpointer.bell();
        for (pages, called) in [
            (PAGES_CALL - 1, false),
            (PAGES_CALL, true),
            (PAGES_CALL + 1, false),
            (2 * PAGES_CALL, true),
            (10, false),
            (PAGES_CALL - 1, false),
            (PAGES_CALL, true),
        ] {
            bell(pages);
            assert_eq!(calls.try_recv().ok(), called.then_some(pages));
        }
    }
}
