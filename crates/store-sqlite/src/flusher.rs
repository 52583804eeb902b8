//! Brings what was committed to the disk, and holds back every answer that may tell of it until it is there.
//!
//! A commit is seen by readers at once, and outlives `kill -9`; to outlive a power cut it must be flushed. The writer does
//! not wait for that where it has more to do: the next commit is made while a thread of its own flushes this one. And of a
//! commit that must be flushed nobody hears before it is, neither who asked for it nor who has read what it changed.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use crate::failure::the_disk_failed;
use crate::files::wal_of;
use crate::open::OpenError;

type Answer = Box<dyn FnOnce() + Send>;

/// How far a WAL is on the disk, and who waits for it. Commits are counted, those that must outlive a power cut.
pub(crate) struct Flushes {
    wal: File,
    begun: AtomicU64,
    ended: AtomicU64,
    flushed: AtomicU64,
    /// Each with the last commit that it may tell of.
    held: Mutex<Vec<(u64, Answer)>>,
}

/// A commit that is being made. Whether or not it succeeds, it is at its end when this is dropped.
pub(crate) struct Commit<'a>(&'a Flushes);

impl Drop for Commit<'_> {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Ordering::SeqCst);
    }
}

impl Flushes {
    /// Of the ledger at `path`, which is open.
    fn of(path: &Path) -> Result<Self, OpenError> {
        let wal = wal_of(path);
        let unusable = |why| OpenError::Unusable { path: PathBuf::clone(&wal), why };
        let file = OpenOptions::new().write(true).open(&wal).map_err(&unusable)?;
        // Whoever had the ledger before may have ended between a commit and its flush.
        file.sync_data().map_err(unusable)?;
        let [begun, ended, flushed] = [(); 3].map(|()| AtomicU64::new(0));
        Ok(Self { wal: file, begun, ended, flushed, held: Mutex::default() })
    }

    /// Before a commit: whoever reads what it changed will wait for its flush. By the one writer.
    pub(crate) fn begin(&self) -> Commit<'_> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        Commit(self)
    }

    /// Gives an answer once all that it may tell of is on the disk: at once, if it is.
    pub(crate) fn answer(&self, answer: impl FnOnce() + Send + 'static) {
        let tells_of = self.begun.load(Ordering::SeqCst);
        if !self.reaches(tells_of) {
            let mut held = self.held();
            // It may have come to the disk before the lock did.
            if !self.reaches(tells_of) {
                held.push((tells_of, Box::new(answer)));
                return;
            }
        }
        answer();
    }

    /// Whether something was committed and is not on the disk.
    fn is_behind(&self) -> bool {
        !self.reaches(self.ended.load(Ordering::SeqCst))
    }

    fn reaches(&self, commit: u64) -> bool {
        self.flushed.load(Ordering::SeqCst) >= commit
    }

    /// Brings to the disk what was committed by now.
    pub(crate) fn flush(&self) {
        let ended = self.ended.load(Ordering::SeqCst);
        if self.reaches(ended) {
            return;
        }
        if let Err(error) = self.wal.sync_data() {
            the_disk_failed(&error);
        }
        self.flushed.fetch_max(ended, Ordering::SeqCst);
        let ready: Vec<_> =
            self.held().extract_if(.., |(tells_of, _)| self.reaches(*tells_of)).collect();
        for (_, answer) in ready {
            answer();
        }
    }

    /// How many answers wait.
    #[cfg(test)]
    pub(crate) fn held_back(&self) -> usize {
        self.held().len()
    }

    /// How many commits are on the disk, of those that must outlive a power cut.
    #[cfg(test)]
    pub(crate) fn flushed(&self) -> u64 {
        self.flushed.load(Ordering::SeqCst)
    }

    fn held(&self) -> MutexGuard<'_, Vec<(u64, Answer)>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The flushing thread of one ledger.
pub(crate) struct Flusher {
    flushes: Arc<Flushes>,
    wake: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Flusher {
    /// Beside the writer of the ledger at `path`, which is open.
    pub(crate) fn start(path: &Path) -> Result<Self, OpenError> {
        let flushes = Arc::new(Flushes::of(path)?);
        // One call may wait while another is served; it will find everything that was committed by then.
        let (wake, calls) = sync_channel(1);
        let thread = thread::Builder::new().name("flusher".to_owned());
        let shared = Arc::clone(&flushes);
        let thread = thread.spawn(move || serve(&shared, &calls)).map_err(OpenError::Thread)?;
        Ok(Self { flushes, wake: Some(wake), thread: Some(thread) })
    }

    /// What it shares with those who answer.
    pub(crate) fn flushes(&self) -> Arc<Flushes> {
        Arc::clone(&self.flushes)
    }

    /// Has the thread flush what was committed, if anything was, while the writer goes on.
    pub(crate) fn flush_beside(&self) {
        if let Some(wake) = self.wake.as_ref().filter(|_| self.flushes.is_behind()) {
            let _waits_already = wake.try_send(());
        }
    }
}

impl Drop for Flusher {
    fn drop(&mut self) {
        self.wake = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn serve(flushes: &Flushes, calls: &Receiver<()>) {
    while calls.recv().is_ok() {
        flushes.flush();
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::Command;
    use std::sync::atomic::AtomicUsize;

    use super::*;

    struct Ledger {
        flusher: Flusher,
        flushes: Arc<Flushes>,
        answered: Arc<AtomicUsize>,
        _folder: tempfile::TempDir,
    }

    impl Ledger {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("ledger.db");
            File::create(wal_of(&path)).unwrap();
            let flusher = Flusher::start(&path).unwrap();
            Self { flushes: flusher.flushes(), flusher, answered: Arc::default(), _folder: folder }
        }

        fn answer(&self) {
            let answered = Arc::clone(&self.answered);
            self.flushes.answer(move || {
                answered.fetch_add(1, Ordering::SeqCst);
            });
        }

        fn answered(&self) -> usize {
            self.answered.load(Ordering::SeqCst)
        }
    }

    #[test]
    fn what_tells_of_nothing_new_is_answered_at_once() {
        let ledger = Ledger::new();
        ledger.answer();
        drop(ledger.flushes.begin());
        ledger.flushes.flush();
        ledger.answer();
        assert_eq!(ledger.answered(), 2);
    }

    #[test]
    fn what_may_tell_of_a_commit_is_answered_after_its_flush() {
        let ledger = Ledger::new();
        let commit = ledger.flushes.begin();
        ledger.answer();
        ledger.flushes.flush();
        assert_eq!(ledger.answered(), 0, "before the commit was at its end");
        drop(commit);
        ledger.answer();
        assert_eq!(ledger.answered(), 0, "before it was flushed");
        ledger.flushes.flush();
        assert_eq!(ledger.answered(), 2);
    }

    #[test]
    fn a_flush_brings_what_was_committed_before_it_and_no_more() {
        let ledger = Ledger::new();
        drop(ledger.flushes.begin());
        ledger.answer();
        let next = ledger.flushes.begin();
        ledger.answer();
        ledger.flushes.flush();
        assert_eq!(ledger.answered(), 1);
        drop(next);
        ledger.flushes.flush();
        assert_eq!(ledger.answered(), 2);
    }

    /// By a child of its own, whose WAL is nothing that could be flushed.
    #[test]
    fn a_disk_that_does_not_flush_ends_the_process() {
        const IS_THE_CHILD: &str = "CONSIGN_TEST_FLUSHES_NOTHING";
        const SIGABRT: i32 = 6;
        if std::env::var_os(IS_THE_CHILD).is_some() {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("ledger.db");
            File::create(wal_of(&path)).unwrap();
            let mut flushes = Flushes::of(&path).unwrap();
            flushes.wal = OpenOptions::new().write(true).open("/dev/null").unwrap();
            drop(flushes.begin());
            return flushes.flush();
        }
        let test = "flusher::tests::a_disk_that_does_not_flush_ends_the_process";
        let mut child = Command::new(std::env::current_exe().unwrap());
        let child = child.args(["--exact", test]).env(IS_THE_CHILD, "1").output().unwrap();
        assert_eq!(child.status.signal(), Some(SIGABRT), "{child:?}");
    }

    #[test]
    fn the_thread_flushes_what_it_is_called_for() {
        let ledger = Ledger::new();
        drop(ledger.flushes.begin());
        ledger.answer();
        ledger.flusher.flush_beside();
        let answered = Arc::clone(&ledger.answered);
        // Ends its thread after what it was called for.
        drop(ledger);
        assert_eq!(answered.load(Ordering::SeqCst), 1);
    }
}
