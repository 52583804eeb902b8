//! What a ledger counts of its own work, for whoever watches it.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::query::Measure;

/// Since the start of the process.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) batches: Count,
    pub(crate) commands: Count,
    pub(crate) beats: Count,
    pub(crate) gaps: Count,
    pub(crate) store_failures: Count,
}

/// One number that only rises.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self, more: usize) {
        self.0.fetch_add(more as u64, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Counts {
    pub(super) fn measures(&self) -> Vec<Measure> {
        let counts = [
            (
                "batches",
                "Batches of commands that were carried out, each in one transaction",
                &self.batches,
            ),
            (
                "commands",
                "Commands in these batches, refused ones and the steps of passes included",
                &self.commands,
            ),
            (
                "heartbeats",
                "Heartbeats that a watch row answered; any other is a command",
                &self.beats,
            ),
            ("gaps", "Gaps in the listening time that this server wrote down", &self.gaps),
            (
                "store_failures",
                "Transactions that the store did not carry out, or may not have",
                &self.store_failures,
            ),
        ];
        let measure =
            |(name, help, count): (_, _, &Count)| Measure::counter(name, help, count.get());
        counts.map(measure).to_vec()
    }
}
