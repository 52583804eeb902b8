//! A wall around work that must not take its surroundings down.

use std::future::Future;

use tokio::task::{JoinError, JoinHandle};

/// Runs it on a task of its own.
pub(crate) async fn guarded<T, F>(what: &str, work: F) -> Result<T, JoinError>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    outcome_of(what, tokio::spawn(work)).await
}

/// The outcome of work that runs on a task of its own. A panic is said loudly, and is only an outcome.
pub(crate) async fn outcome_of<T>(what: &str, work: JoinHandle<T>) -> Result<T, JoinError> {
    work.await.inspect_err(|died| {
        if died.is_panic() {
            tracing::error!(%died, "A PANIC IN {what}; the sweeper goes on");
        }
    })
}
