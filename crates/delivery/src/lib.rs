//! Follows the event log and wakes who waits.

use std::time::Duration;

use consign_ledger::delegation::Delegation;
use consign_ledger::{Bodies, DelegationId, Failure, Ledger, Store};
use tokio::sync::watch;

/// What a waiter waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// The verdict.
    Terminal,
    /// The verdict, or the warning.
    Stuck,
}

/// Why a wait has no answer.
#[derive(Debug, thiserror::Error)]
pub enum WaitError {
    /// So many wait already that one more would endanger them; ask again later, or without waiting.
    #[error("too many requests wait already")]
    TooMany,
    /// The delegation could not be read.
    #[error(transparent)]
    Failure(#[from] Failure),
}

/// One per process: reads the log and wakes waiters by id.
pub struct Follower<S> {
    ledger: Ledger<S>,
}

impl<S: Store> Follower<S> {
    /// A follower that wakes nobody until it is run.
    #[must_use]
    pub fn new(ledger: Ledger<S>) -> Self {
        Self { ledger }
    }

    /// Follows the log until `stop` becomes true or its sender is gone.
    pub async fn run(&self, stop: watch::Receiver<bool>) {
        let _ = (stop, &self.ledger);
    }

    /// The delegation once it is what is waited for, or as it is when `at_most` has passed; `None` if unknown.
    pub async fn wait(
        &self,
        id: &DelegationId,
        until: Until,
        at_most: Duration,
    ) -> Result<Option<(Delegation, Bodies)>, WaitError> {
        let _ = (id, until, at_most);
        Ok(None)
    }
}
