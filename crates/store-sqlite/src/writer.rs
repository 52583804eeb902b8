//! The one thread that writes. Jobs are done in the order of their arrival.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use consign_ledger::Failure;
use rusqlite::{Connection, Transaction, TransactionBehavior, hooks};
use tokio::sync::oneshot;

use crate::checkpointer::Checkpointer;
use crate::failure::{Trouble, commit_trouble};
use crate::files::Files;
use crate::open::{OpenError, sqlite_error};
use crate::time::LedgerTime;
use crate::wal::Wal;

type Job = Box<dyn FnOnce(&mut Pen) + Send>;

/// The writing thread of one ledger.
pub(crate) struct Writer {
    checkpointer: Option<Checkpointer>,
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

/// What the writing thread writes with.
pub(crate) struct Pen {
    connection: Connection,
    files: Files,
    pub(crate) time: Arc<LedgerTime>,
    wal: Wal,
    flushing: Option<Flush>,
}

/// What a commit waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flush {
    /// The disk: it outlives a power cut.
    ToDisk,
    /// The system: it outlives `kill -9`.
    ToSystem,
}

impl Writer {
    pub(crate) fn start(
        mut connection: Connection,
        lock: File,
        time: Arc<LedgerTime>,
        path: &Path,
    ) -> Result<Self, OpenError> {
        let (jobs, jobs_in) = channel();
        let checkpointer = Checkpointer::start(path)?;
        let wal = Wal::of(path);
        let (mut bell, wal_pages) = (checkpointer.bell(), wal.pages());
        let told = connection.wal_hook(Some(move |_: &mut hooks::Wal, pages| {
            wal_pages.store(pages, Ordering::Relaxed);
            bell(pages);
            Ok(())
        }));
        told.map_err(|why| sqlite_error(path, why))?;
        let files = Files::of(path)?;
        let pen = Pen { connection, files, time, wal, flushing: None };
        let thread = thread::Builder::new().name("writer".to_owned());
        let thread =
            thread.spawn(move || serve(pen, &jobs_in, &lock)).map_err(OpenError::Thread)?;
        Ok(Self { checkpointer: Some(checkpointer), jobs: Some(jobs), thread: Some(thread) })
    }

    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        write: impl FnOnce(&mut Pen) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, Failure> {
        let (reply, answer) = oneshot::channel();
        let job = move |pen: &mut Pen| drop(reply.send(write(pen)));
        let gone = || Failure::Unavailable("the writer is gone".into());
        let jobs = self.jobs.as_ref().ok_or_else(gone)?;
        jobs.send(Box::new(job)).map_err(|_| gone())?;
        // A job that panics is rejected: it is the batch's own fault.
        answer.await.map_err(|_| Trouble::Panicked)?.map_err(Failure::from)
    }
}

impl Drop for Writer {
    /// Waits for the last job, so that whoever opens the file next finds it closed.
    fn drop(&mut self) {
        // Before the writer's connection is closed, which puts what is left of the WAL into the file.
        self.checkpointer = None;
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn serve(mut pen: Pen, jobs: &Receiver<Job>, _lock: &File) {
    while let Ok(job) = jobs.recv() {
        if catch_unwind(AssertUnwindSafe(|| job(&mut pen))).is_err() {
            tracing::error!("a write panicked and was rolled back");
        }
        if let Err(error) = pen.wal.look_after(&pen.connection) {
            tracing::warn!(%error, "the WAL could not be begun anew; it is tried again");
        }
    }
}

impl Pen {
    /// Runs `write` in one transaction. It is committed where `write` says so.
    pub(crate) fn transaction<T>(
        &mut self,
        flush: Flush,
        write: impl FnOnce(&Transaction<'_>, &LedgerTime) -> Result<(T, End), Trouble>,
    ) -> Result<T, Trouble> {
        self.flush_to(flush)?;
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let (answer, end) = write(&transaction, &self.time)?;
        if end == End::Commit {
            self.files.must_be_there()?;
            transaction.commit().map_err(commit_trouble)?;
        }
        Ok(answer)
    }

    fn flush_to(&mut self, flush: Flush) -> Result<(), Trouble> {
        if self.flushing != Some(flush) {
            let level = if flush == Flush::ToDisk { "FULL" } else { "NORMAL" };
            self.connection.pragma_update(None, "synchronous", level)?;
            self.flushing = Some(flush);
        }
        Ok(())
    }
}

/// How a transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Commit,
    /// There is nothing to write.
    RollBack,
}
