//! What a sweeper remembers from one pass to the next. All of it may be lost.

use consign_ledger::Time;

use crate::backoff::Backoff;
use crate::rest::Rest;

/// The memory of one sweeper.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// Rows that failed.
    pub(crate) rows: Backoff,
    /// What the last passes left to others, or could not remember by itself.
    pub(crate) rest: Option<Rest>,
    /// Cascades that failed, by the number of the parent.
    pub(crate) cascades: Backoff,
    /// Whether checks that were armed under a higher default threshold were brought forward.
    pub(crate) brought_forward: bool,
    /// How many passes in a row met trouble.
    pub(crate) troubled_passes: u32,
    /// The ledger's time, when it was known last.
    pub(crate) now: Time,
}

impl Memory {
    /// Counts the passes in a row that met trouble.
    pub(crate) fn note_trouble(&mut self, troubled: bool) {
        self.troubled_passes = if troubled { self.troubled_passes.saturating_add(1) } else { 0 };
    }
}
