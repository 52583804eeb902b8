//! What the verbs and the simple questions are answered with.

use jiff::Timestamp;
use serde::Deserialize;

use super::{Delegation, Status};

/// One delegation.
#[derive(Clone, Debug, Deserialize)]
pub struct Shown {
    /// The whole of it.
    pub delegation: Delegation,
}

/// A delegation that was asked for.
#[derive(Clone, Debug, Deserialize)]
pub struct Delegated {
    /// The record.
    pub delegation: Delegation,
    /// The same request had made it before.
    pub replayed: bool,
}

/// What most verbs answer.
#[derive(Clone, Debug, Deserialize)]
pub struct Changed {
    /// As it is now.
    pub delegation: Delegation,
    /// `false` where it was so already.
    pub changed: bool,
}

/// What giving an answer is answered.
#[derive(Clone, Debug, Deserialize)]
pub struct Answered {
    /// As it is now.
    pub delegation: Delegation,
    /// `false` where it was so already.
    pub changed: bool,
    /// The verdict stands; this answer was stored beside it.
    pub kept_as_late: bool,
}

/// Work that was taken.
#[derive(Clone, Debug, Deserialize)]
pub struct Accepted {
    /// The work.
    pub delegation: Delegation,
    /// The proof of holding it.
    pub lease: String,
}

/// All that a claim took; nothing, where there was nothing to do.
#[derive(Clone, Debug, Deserialize)]
pub struct Claims {
    /// The highest priority first.
    pub claims: Vec<Accepted>,
}

/// Where things stand, as a heartbeat is told.
#[derive(Clone, Debug, Deserialize)]
pub struct Pulse {
    /// The status.
    pub current_status: Status,
    /// The present attempt.
    pub attempt: u32,
    /// The hard end.
    pub deadline: Timestamp,
    /// `true` tells the callee to end the work.
    pub stop: bool,
    /// A sentence, where there is something to tell.
    pub why: Option<String>,
}

/// One page of delegations, newest first.
#[derive(Clone, Debug, Deserialize)]
pub struct Page {
    /// Without their tasks and results.
    pub delegations: Vec<Delegation>,
    /// Where the next page begins, if there is one.
    pub next_cursor: Option<String>,
}

/// That the ledger can be read.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Ready {
    /// Always; otherwise the answer is a problem.
    pub ok: bool,
}

/// How many delegations have each status.
#[derive(Clone, Copy, Debug, Deserialize)]
#[expect(missing_docs, reason = "the names are the statuses")]
pub struct Stats {
    pub queued: u64,
    pub dispatched: u64,
    pub in_progress: u64,
    pub stuck: u64,
    pub completed: u64,
    pub failed: u64,
    pub cancelled: u64,
}

impl Stats {
    /// How many have this status.
    #[must_use]
    pub fn of(&self, status: Status) -> u64 {
        match status {
            Status::Queued => self.queued,
            Status::Dispatched => self.dispatched,
            Status::InProgress => self.in_progress,
            Status::Stuck => self.stuck,
            Status::Completed => self.completed,
            Status::Failed => self.failed,
            Status::Cancelled => self.cancelled,
        }
    }
}
