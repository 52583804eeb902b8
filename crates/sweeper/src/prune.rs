//! Lets go what is over and was kept long enough: once a day, and whenever somebody asks.
//!
//! It looks for what may go and asks the ledger, which decides on each once more. Nobody waits long behind it: a
//! transaction of the ledger lets a hundred go at most.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use consign_ledger::command::Prune;
use consign_ledger::delegation::DEPTH_MAX;
use consign_ledger::delegation::retention::{Retention, Stays};
use consign_ledger::delegation::watch::RowNum;
use consign_ledger::query::{PAGE_MAX, PrunePage, PruneQuery};
use consign_ledger::{DelegationId, Error, Failure, Ledger, Reader, Store, Time};
use tokio::sync::watch;
use tokio::time::sleep;

use crate::guard::guarded;

/// How long after a start the first pass comes: a start has better things to do.
const FIRST_AFTER: Duration = Duration::from_mins(10);
/// How long from one pass to the next.
const EVERY: Duration = Duration::from_hours(24);

/// When what may go goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pruning {
    /// Once a day, and when somebody asks.
    Daily,
    /// When somebody asks.
    Asked,
}

/// Lets things go by one retention.
pub struct Pruner<S> {
    ledger: Ledger<S>,
    retention: Retention,
    pruning: Pruning,
}

/// What one pass did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PruneReport {
    /// Delegations that went.
    pub pruned: u64,
    /// Delegations that could not be decided on.
    pub errors: u64,
}

impl<S: Store> Pruner<S> {
    /// A pruner that does nothing until it is run or asked.
    #[must_use]
    pub fn new(ledger: Ledger<S>, retention: Retention, pruning: Pruning) -> Self {
        Self { ledger, retention, pruning }
    }

    /// How long things are kept.
    #[must_use]
    pub fn retention(&self) -> Retention {
        self.retention
    }

    /// When what may go goes.
    #[must_use]
    pub fn pruning(&self) -> Pruning {
        self.pruning
    }

    /// A pass each day, until `stop` becomes true or its sender is gone.
    pub async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => {}
            never = self.prune_for_ever() => match never {},
        }
    }

    async fn prune_for_ever(self: Arc<Self>) -> Infallible {
        if self.pruning == Pruning::Asked || self.retention.is_endless() {
            return std::future::pending().await;
        }
        sleep(FIRST_AFTER).await;
        loop {
            let this = Arc::clone(&self);
            match guarded("PRUNING", async move { this.pass().await }).await {
                Ok(Ok(PruneReport { pruned: 0, errors: 0 })) | Err(_) => {}
                Ok(Ok(PruneReport { pruned, errors })) => {
                    tracing::info!(pruned, errors, "what was kept long enough went");
                }
                Ok(Err(failure)) => {
                    tracing::warn!(%failure, "cannot see what was kept long enough; tomorrow again");
                }
            }
            sleep(EVERY).await;
        }
    }

    /// Lets everything go that may.
    pub async fn pass(&self) -> Result<PruneReport, Failure> {
        let mut report = PruneReport::default();
        // What is named by another goes once that one has: a round for each level of a tree at most.
        for _ in 0..=DEPTH_MAX {
            let before = report.pruned;
            self.round(&mut report).await?;
            if report.pruned == before {
                break;
            }
        }
        Ok(report)
    }

    async fn round(&self, report: &mut PruneReport) -> Result<(), Failure> {
        let mut after = None;
        loop {
            let page = self.prunable(after, PAGE_MAX).await?;
            let asked = page.prunable.into_iter().map(|it| (it.delegation_id, None)).collect();
            for answer in self.prune(asked).await {
                match answer {
                    Ok(Ok(())) => report.pruned += 1,
                    // Somebody was faster, or it has a retry by now.
                    Ok(Err(_)) => {}
                    Err(error) => {
                        tracing::warn!(%error, "a delegation could not be let go");
                        report.errors += 1;
                    }
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// Some of what may go now, behind a place.
    pub async fn prunable(
        &self,
        after: Option<(Time, RowNum)>,
        limit: usize,
    ) -> Result<PrunePage, Failure> {
        let reader = self.ledger.reader();
        let now = reader.reading().await?.now;
        let query = PruneQuery {
            any_before: self.retention.any_before(now),
            acknowledged_before: self.retention.acknowledged_before(now),
            after,
            limit,
        };
        reader.prunable(query).await
    }

    /// Lets exactly these go, as far as they may; each only at its version, where one is named.
    pub async fn prune(
        &self,
        asked: Vec<(DelegationId, Option<u64>)>,
    ) -> Vec<Result<Result<(), Stays>, Error>> {
        let retention = self.retention;
        let prune = |(id, if_version)| Prune { id, if_version, retention };
        self.ledger.prune(asked.into_iter().map(prune).collect()).await
    }
}
