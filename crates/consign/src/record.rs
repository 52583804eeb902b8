//! The whole of one delegation.

use consign_ledger::delegation::Delegation;
use consign_ledger::{Bodies, Json, Payload};

/// One delegation, with what was asked and what was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Who, where it stands, by when.
    pub delegation: Delegation,
    /// What was asked.
    pub task: Payload,
    /// What came back.
    pub result: Option<Payload>,
    /// What its callee last sent as progress.
    pub progress: Option<Json>,
    /// Its caller's own notes.
    pub metadata: Option<Json>,
}

impl From<(Delegation, Bodies)> for Record {
    fn from((delegation, bodies): (Delegation, Bodies)) -> Self {
        let Bodies { task, result, metadata, progress } = bodies;
        Self { delegation, task, result, progress, metadata }
    }
}
