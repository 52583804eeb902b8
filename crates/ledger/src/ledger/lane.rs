//! Asks in the order of their arrival, taken in bounded batches.

use tokio::sync::mpsc;

use super::{Act, Ask};

/// Most bytes of payload in one transaction, unless one ask alone has more.
const BATCH_BYTES_MAX: usize = 8 << 20;

/// Asks in the order of their arrival, taken in bounded batches.
pub(super) struct Lane {
    asks: mpsc::Receiver<Ask>,
    /// An ask that did not fit into the last batch.
    left_over: Option<Ask>,
}

impl Lane {
    pub(super) fn new(asks: mpsc::Receiver<Ask>) -> Self {
        Self { asks, left_over: None }
    }

    /// Waits for an ask, and takes those that wait behind it, up to the bounds.
    ///
    /// Dropped while it waits, it has taken nothing.
    pub(super) async fn next(&mut self, acts_max: usize) -> Option<Vec<Ask>> {
        let first = match self.left_over.take() {
            Some(ask) => ask,
            None => self.asks.recv().await?,
        };
        let (mut acts, mut bytes) = (first.weight(), first.bytes());
        let mut asks = vec![first];
        while let Ok(ask) = self.asks.try_recv() {
            acts += ask.weight();
            bytes += ask.bytes();
            if acts > acts_max || bytes > BATCH_BYTES_MAX {
                self.left_over = Some(ask);
                break;
            }
            asks.push(ask);
        }
        Some(asks)
    }
}

impl Ask {
    /// A claim whose asker has left would take work for nobody.
    pub(super) fn claims_for_nobody(&self) -> bool {
        self.reply.is_closed() && self.acts.iter().all(|act| matches!(act, Act::Claim(_)))
    }

    /// As many acts as it stands for: a claim, for each that it may take.
    fn weight(&self) -> usize {
        self.acts.iter().map(|act| if let Act::Claim(claim) = act { claim.max } else { 1 }).sum()
    }

    fn bytes(&self) -> usize {
        self.acts.iter().map(Act::bytes).sum()
    }
}

impl Act {
    fn bytes(&self) -> usize {
        match self {
            Self::Command(command, _) => command.bytes(),
            Self::Claim(_) | Self::Sweep(_) | Self::Tend(_) | Self::Prune(_) | Self::Trial => 0,
        }
    }
}
