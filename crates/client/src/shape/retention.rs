//! What is over and may go.

use jiff::Timestamp;
use serde::Deserialize;

use super::Status;

/// One page of what may go.
#[derive(Clone, Debug, Deserialize)]
pub struct PrunablePage {
    /// How long an acknowledged verdict is kept, in days; `None`: for ever.
    pub acknowledged_days: Option<u32>,
    /// How long any verdict is kept, in days; `None`: for ever.
    pub days: Option<u32>,
    /// What may go.
    pub delegations: Vec<Prunable>,
    /// Where the next page begins, if there is one.
    pub next_cursor: Option<String>,
}

/// A delegation that may go.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "the names are the wire's, explained in docs/http.md")]
pub struct Prunable {
    pub delegation_id: String,
    pub version: u64,
    pub status: Status,
    pub finished_at: Timestamp,
    pub acknowledged: bool,
}

/// What became of what was to go.
#[derive(Clone, Debug, Deserialize)]
pub struct PruneAnswer {
    /// One for each, in their order.
    pub outcomes: Vec<PruneOutcome>,
}

/// What became of one.
#[derive(Clone, Debug, Deserialize)]
pub struct PruneOutcome {
    /// It is gone.
    pub pruned: bool,
    /// Why it stays.
    pub why: Option<String>,
}
