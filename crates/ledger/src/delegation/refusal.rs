//! Why the rules say no. A refusal is normal: it has a stable name and says what to do next.

use crate::id::{DelegationId, Seq};
use crate::time::Time;

use super::status::Status;
use super::{DEPTH_MAX, Delegation, LATE_RESULTS_MAX};

/// The reason. Each is one sentence that a caller can act on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No such delegation.
    #[error("no delegation has the id {0:?}; check the id, or create it")]
    NotFound(String),
    /// The verdict is in.
    #[error("the delegation is already {0}, and a verdict is never revised; stop working on it")]
    AlreadyTerminal(Status),
    /// The parent's verdict is in.
    #[error(
        "its parent {parent:?} is already {status}, so nothing is delegated under it any more; stop working on it, or delegate without a parent"
    )]
    ParentTerminal {
        /// The parent.
        parent: String,
        /// How it ended.
        status: Status,
    },
    /// The state machine has no such step.
    #[error("a delegation that is {from} cannot become {to}")]
    InvalidTransition {
        /// Where it stands.
        from: Status,
        /// Where it was to go.
        to: Status,
    },
    /// The lease is not, or no longer, the one that holds.
    #[error(
        "the lease is void: the work was handed out again, or the lease belongs to another delegation; stop working on it"
    )]
    LeaseVoid,
    /// A lease was issued, so the act needs it.
    #[error(
        "a lease was issued for this attempt; send it as `lease`, or stop if it was not issued to you"
    )]
    LeaseRequired,
    /// The work changed hands since the attempt that needed no lease.
    #[error(
        "the work was handed out again, and whoever works on it now needs a lease: stop working on it; to go on, accept it again and send the `lease` that this gives"
    )]
    AttemptOver,
    /// Somebody else holds the lease.
    #[error(
        "somebody holds the lease of this attempt; wait until it is released or handed out again, as its caller can by a retry"
    )]
    LeaseHeld,
    /// The id names another request.
    #[error("the id {0:?} belongs to another request; choose another id")]
    IdConflict(String),
    /// The key names another request.
    #[error(
        "the idempotency key belongs to another request, delegation {0:?}; choose another key, or repeat that request unchanged"
    )]
    IdempotencyConflict(String),
    /// What was looked at is no longer so.
    #[error("the delegation changed since you looked; read it again and decide anew")]
    ChangedMeanwhile,
    /// No room for another late result.
    #[error(
        "the answer comes too late, and {LATE_RESULTS_MAX} late results are kept already, so this one is not; stop working on it"
    )]
    LateResultsFull,
    /// An agent asks itself.
    #[error(
        "caller and callee are the same agent; do this work yourself instead of delegating it, and do not retry this request"
    )]
    SelfDelegation,
    /// The callee waits for this very work.
    #[error(
        "agent {0:?} is already a caller further up this tree of delegations, so it would wait for itself; choose another callee"
    )]
    Cycle(String),
    /// The tree is too deep.
    #[error(
        "a tree of delegations may be {DEPTH_MAX} deep, and this would be one deeper; do the work yourself"
    )]
    TooDeep,
    /// Somebody else's to do.
    #[error("{0}")]
    NotYours(String),
    /// An acknowledgement of what is not there yet.
    #[error(
        "{through} is above the newest message of this inbox, {newest}; acknowledge only what you have read"
    )]
    AheadOfInbox {
        /// What was acknowledged.
        through: Seq,
        /// The newest message, or what was acknowledged before.
        newest: Seq,
    },
    /// The callee has enough to do.
    #[error("{}", queue_full(callee, *max))]
    QueueFull {
        /// The callee.
        callee: String,
        /// Its limit.
        max: u32,
    },
    /// The request itself is wrong.
    #[error("{field}: {message}")]
    Invalid {
        /// Which field.
        field: &'static str,
        /// What is wrong, and what is allowed.
        message: String,
    },
}

impl Refusal {
    /// A request whose `field` is wrong.
    pub fn invalid(field: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid { field, message: message.into() }
    }

    /// Its stable name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "not-found",
            Self::AlreadyTerminal(_) | Self::ParentTerminal { .. } => "already-terminal",
            Self::InvalidTransition { .. } => "invalid-transition",
            Self::LeaseVoid => "lease-void",
            Self::LeaseRequired | Self::AttemptOver => "lease-required",
            Self::LeaseHeld => "lease-held",
            Self::IdConflict(_) => "id-conflict",
            Self::IdempotencyConflict(_) => "idempotency-conflict",
            Self::ChangedMeanwhile => "changed-meanwhile",
            Self::LateResultsFull => "late-results-full",
            Self::SelfDelegation => "self-delegation",
            Self::Cycle(_) => "cycle",
            Self::TooDeep => "too-deep",
            Self::NotYours(_) => "not-yours",
            Self::AheadOfInbox { .. } => "ahead-of-inbox",
            Self::QueueFull { .. } => "queue-full",
            Self::Invalid { .. } => "invalid-request",
        }
    }

    /// Whether a callee that reads this should end its work.
    #[must_use]
    pub fn says_stop(&self) -> bool {
        matches!(
            self,
            Self::AlreadyTerminal(_)
                | Self::ParentTerminal { .. }
                | Self::LeaseVoid
                | Self::AttemptOver
                | Self::LateResultsFull
        )
    }
}

fn queue_full(callee: &str, max: u32) -> String {
    match max {
        0 => format!(
            "nothing may wait for agent {callee:?}: its record has a `max_queued` of 0; ask another agent"
        ),
        1 => format!(
            "a delegation waits for agent {callee:?}, and its record lets no more than one wait (`max_queued`); \
             come back when it is taken, or ask another agent"
        ),
        _ => format!(
            "{max} delegations wait for agent {callee:?}, as many as its record lets wait (`max_queued`); \
             come back when some are taken, or ask another agent"
        ),
    }
}

/// A refusal, with what is true of the delegation now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The reason.
    pub refusal: Refusal,
    /// The delegation as it stands, where there is one.
    pub state: Option<StateNow>,
    /// The refused answer was stored beside the delegation.
    pub kept_as_late: bool,
}

/// What every refusal tells of the delegation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateNow {
    /// Which.
    pub delegation_id: DelegationId,
    /// Where it stands.
    pub status: Status,
    /// The present attempt.
    pub attempt: u32,
    /// The hard end.
    pub deadline: Time,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, state: None, kept_as_late: false }
    }
}

impl Refused {
    /// The refusal, with the delegation as it stands.
    #[must_use]
    pub fn with_state(refusal: Refusal, delegation: &Delegation) -> Self {
        Self { refusal, state: Some(StateNow::of(delegation)), kept_as_late: false }
    }
}

impl StateNow {
    /// What a refusal tells of this delegation.
    #[must_use]
    pub fn of(delegation: &Delegation) -> Self {
        Self {
            delegation_id: delegation.delegation_id.clone(),
            status: delegation.status,
            attempt: delegation.attempt,
            deadline: delegation.deadline,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_finds_a_queue_full_is_told_what_helps() {
        let told = |max| Refusal::QueueFull { callee: "bob".to_owned(), max }.to_string();
        assert!(told(0).ends_with("`max_queued` of 0; ask another agent"), "{}", told(0));
        assert!(told(1).starts_with("a delegation waits"), "{}", told(1));
        assert!(told(2).contains("come back when some are taken"), "{}", told(2));
    }
}
