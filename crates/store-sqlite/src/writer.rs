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
use crate::failure::{Trouble, commit_trouble, must_flush};
use crate::files::Files;
use crate::flusher::{Flusher, Flushes};
use crate::open::{OpenError, sqlite_error};
use crate::time::LedgerTime;
use crate::wal::Wal;

type Job = Box<dyn FnOnce(&mut Pen) + Send>;

/// The writing thread of one ledger.
pub(crate) struct Writer {
    checkpointer: Option<Checkpointer>,
    flushes: Arc<Flushes>,
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

/// What the writing thread writes with.
pub(crate) struct Pen {
    connection: Connection,
    files: Files,
    pub(crate) time: Arc<LedgerTime>,
    wal: Wal,
    flushes: Arc<Flushes>,
}

/// What the answer to a commit waits for.
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
        // What must be flushed is flushed here.
        let no_flush = connection.pragma_update(None, "synchronous", "NORMAL");
        no_flush.map_err(|why| sqlite_error(path, why))?;
        let files = Files::of(path)?;
        let flusher = Flusher::start(path)?;
        let pen = Pen { connection, files, time, wal, flushes: flusher.flushes() };
        let (checkpointer, shared) = (Some(checkpointer), flusher.flushes());
        let thread = thread::Builder::new().name("writer".to_owned());
        let thread = thread
            .spawn(move || serve(pen, &flusher, &jobs_in, &lock))
            .map_err(OpenError::Thread)?;
        Ok(Self { checkpointer, flushes: shared, jobs: Some(jobs), thread: Some(thread) })
    }

    /// How far what it committed is on the disk.
    pub(crate) fn flushes(&self) -> Arc<Flushes> {
        Arc::clone(&self.flushes)
    }

    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        write: impl FnOnce(&mut Pen) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, Failure> {
        let (reply, answer) = oneshot::channel();
        let job = move |pen: &mut Pen| {
            let written = write(pen);
            pen.flushes.answer(move || drop(reply.send(written)));
        };
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

fn serve(mut pen: Pen, flusher: &Flusher, jobs: &Receiver<Job>, _lock: &File) {
    let mut next = None;
    while let Some(job) = next.or_else(|| jobs.recv().ok()) {
        if catch_unwind(AssertUnwindSafe(|| job(&mut pen))).is_err() {
            tracing::error!("a write panicked and was rolled back");
        }
        next = jobs.try_recv().ok();
        match next {
            Some(_) => flusher.flush_beside(),
            // Nothing waits, so that waking another thread would only take longer.
            None => pen.flushes.flush(),
        }
        if let Err(error) = pen.wal.look_after(&pen.connection).map_err(must_flush) {
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
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let (answer, end) = write(&transaction, &self.time)?;
        if end == End::Commit {
            self.files.must_be_there()?;
            let _until_its_end = (flush == Flush::ToDisk).then(|| self.flushes.begin());
            transaction.commit().map_err(commit_trouble)?;
        }
        Ok(answer)
    }
}

/// How a transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Commit,
    /// There is nothing to write.
    RollBack,
}
