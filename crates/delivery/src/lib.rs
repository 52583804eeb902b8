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
    ) -> Result<Option<(Delegation, Bodies)>, Failure> {
        let _ = (id, until, at_most);
        Ok(None)
    }
}
