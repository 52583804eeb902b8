//! A few connections that only read, each on a thread of its own.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use consign_ledger::Failure;
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::failure::Trouble;
use crate::flusher::Flushes;
use crate::open::{OpenError, open_reader, sqlite_error, touch};

/// Reading threads.
const READERS: usize = 4;
/// How long one read may last before it is interrupted.
const READ_MAX: Duration = Duration::from_secs(2);
/// Steps of SQLite's machine between two looks at the time.
const STEPS_BETWEEN_LOOKS: i32 = 10_000;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// The reading threads of one ledger.
pub(crate) struct Readers {
    jobs: Option<Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
    flushes: Arc<Flushes>,
}

impl Readers {
    pub(crate) fn start(path: &Path, flushes: Arc<Flushes>) -> Result<Self, OpenError> {
        let (jobs, jobs_in) = channel();
        let mut readers = Self { jobs: Some(jobs), threads: vec![], flushes };
        let jobs_in = Arc::new(Mutex::new(jobs_in));
        for number in 0..READERS {
            let connection = open_reader(path)?;
            touch(&connection).map_err(|why| sqlite_error(path, why))?;
            let jobs_in = Arc::clone(&jobs_in);
            let thread = thread::Builder::new().name(format!("reader-{number}"));
            let thread = thread.spawn(move || serve(connection, &jobs_in));
            readers.threads.push(thread.map_err(OpenError::Thread)?);
        }
        Ok(readers)
    }

    /// Runs `read` in one read transaction. What it saw is on the disk when it answers, heartbeats apart.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, Failure> {
        let (reply, answer) = oneshot::channel();
        let flushes = Arc::clone(&self.flushes);
        let job = move |connection: &mut Connection| {
            let seen = in_one_look(connection, read);
            flushes.answer(move || drop(reply.send(seen)));
        };
        let gone = |what: &str| Failure::Unavailable(what.into());
        let jobs = self.jobs.as_ref().ok_or_else(|| gone("no reader is left"))?;
        jobs.send(Box::new(job)).map_err(|_| gone("no reader is left"))?;
        answer.await.map_err(|_| gone("a read panicked"))?.map_err(Failure::from)
    }
}

impl Drop for Readers {
    /// Waits for the last read, so that the writer's connection is the last one to be closed.
    fn drop(&mut self) {
        self.jobs = None;
        for thread in self.threads.drain(..) {
            drop(thread.join());
        }
    }
}

fn serve(mut connection: Connection, jobs: &Mutex<Receiver<Job>>) {
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        // A panic ends the read, not the reader.
        drop(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| job(&mut connection))));
    }
}

fn in_one_look<T>(
    connection: &mut Connection,
    read: impl FnOnce(&Connection) -> Result<T, Trouble>,
) -> Result<T, Trouble> {
    connection.progress_handler(STEPS_BETWEEN_LOOKS, Some(overdue()))?;
    let transaction = connection.transaction()?;
    read(&transaction)
}

/// Whether the read that begins now has lasted too long.
#[expect(
    clippy::disallowed_methods,
    reason = "bounds a read; no decision of the ledger depends on it"
)]
fn overdue() -> impl FnMut() -> bool + Send + 'static {
    let begun = Instant::now();
    move || begun.elapsed() > READ_MAX
}
