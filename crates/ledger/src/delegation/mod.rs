//! A delegation: the aggregate, its states and the facts that move it. Pure: no SQL, no async, no clock.

pub mod change;
pub mod deadline;
pub mod examine;
pub mod lease;
pub mod listening;
pub mod refusal;
pub mod retention;
pub mod status;
pub mod terms;
pub mod waiting;
pub mod watch;

use crate::id::{AgentId, ClaimId, DelegationId, IdempotencyKey};
use crate::time::Time;

use change::{EventKind, Role};
use lease::Epoch;
use status::{FailureKind, Status, StuckReason};
use terms::Terms;
use waiting::Waiting;

/// How deep a tree of delegations may be; a delegation without a parent is at depth 1.
pub const DEPTH_MAX: u8 = 16;
/// Late results that one delegation keeps.
pub const LATE_RESULTS_MAX: u8 = 10;

/// One task entrusted by a caller to a callee, without its bodies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delegation {
    /// Its name, for ever.
    pub delegation_id: DelegationId,
    /// Who asked.
    pub caller_id: AgentId,
    /// Who is asked; an in-flight retry may change it.
    pub callee_id: AgentId,
    /// Where it stands.
    pub status: Status,
    /// 1, 2, ...: how often the work has been handed out.
    pub attempt: u32,
    /// How often the sweeper may hand it out, as the caller said. A retry by hand may go beyond it, and leaves it
    /// alone: see [`Self::attempts_allowed`].
    pub max_attempts: u32,
    /// The fencing number of the present hand-out; 0 means that no lease was ever needed.
    pub epoch: Epoch,
    /// A lease over `epoch` was issued and holds.
    pub held: bool,
    /// Its caller hands this attempt out itself, so that no claimer takes it.
    pub dispatched: bool,
    /// The `claim_id` under which the lease was issued.
    pub claim_id: Option<ClaimId>,
    /// Why it is stuck or failed.
    pub error_detail: Option<String>,
    /// The kind of failure, once failed or cancelled by its parent.
    pub failure: Option<FailureKind>,
    /// What would end being stuck.
    pub stuck_reason: Option<StuckReason>,
    /// Since when it is stuck.
    pub stuck_at: Option<Time>,
    /// Declared by the callee: blocked on something.
    pub waiting: Option<Waiting>,
    /// Since when the present attempt waits to be started.
    pub queued_at: Time,
    /// The silence and progress clocks count from no earlier than this: the start, or the end of a wait.
    pub clocks_from: Option<Time>,
    /// The callee's last sign of life in the present attempt.
    pub last_heartbeat: Option<Time>,
    /// When progress last differed from what was sent before, in the present attempt.
    pub progress_at: Option<Time>,
    /// The hard end.
    pub deadline: Time,
    /// How long things may last, and what follows when they last longer.
    pub terms: Terms,
    /// The caller's business key.
    pub idempotency_key: Option<IdempotencyKey>,
    /// The delegation that this one was created under.
    pub parent_id: Option<DelegationId>,
    /// The terminal delegation that this one retries.
    pub retry_of: Option<DelegationId>,
    /// 1 for a delegation without a parent, one more than the parent's otherwise.
    pub depth: u8,
    /// What makes two requests the same.
    pub fingerprint: [u8; 16],
    /// What makes two answers the same, once there is one.
    pub answer_hash: Option<[u8; 16]>,
    /// How many late results are kept.
    pub late_count: u8,
    /// How many events made it.
    pub version: u64,
    /// When it was delegated.
    pub created_at: Time,
    /// When its last event happened.
    pub updated_at: Time,
    /// When its verdict was recorded.
    pub finished_at: Option<Time>,
    /// The last event's kind, and who did it: an act that is asked for again is recognised by it.
    pub last_act: (EventKind, Role),
}

impl Delegation {
    /// Whether the verdict is still out.
    #[must_use]
    pub fn in_flight(&self) -> bool {
        self.status.in_flight()
    }

    /// Whether its lease was issued under this name.
    #[must_use]
    pub fn is_held_under(&self, claim_id: &ClaimId) -> bool {
        self.held && self.claim_id.as_ref() == Some(claim_id)
    }

    /// Whether whoever claims work for its callee may get it at `now`: it waits in the queue, or is stuck and nobody
    /// holds it. What is past its deadline only waits for its verdict.
    #[must_use]
    pub fn claimable(&self, now: Time) -> bool {
        let waits = matches!(self.status, Status::Queued | Status::Stuck);
        waits && !self.held && !self.dispatched && now <= self.deadline
    }

    /// As many attempts as the caller allowed, and those that somebody handed out by hand beyond them.
    #[must_use]
    pub fn attempts_allowed(&self) -> u32 {
        self.max_attempts.max(self.attempt)
    }

    /// From when silence counts: the last sign of life, or the end of a wait if that came later.
    #[must_use]
    pub fn silent_from(&self) -> Option<Time> {
        self.last_heartbeat.max(self.clocks_from)
    }

    /// From when missing progress counts.
    #[must_use]
    pub fn progress_from(&self) -> Option<Time> {
        self.progress_at.max(self.clocks_from)
    }

    /// The earliest moment whose listening time still matters to this delegation.
    #[must_use]
    pub fn listens_from(&self) -> Time {
        match self.status {
            Status::Queued | Status::Dispatched => self.queued_at,
            Status::Stuck => self.stuck_at.unwrap_or(self.updated_at),
            _ => self
                .silent_from()
                .into_iter()
                .chain(self.progress_from())
                .min()
                .unwrap_or(self.updated_at),
        }
    }
}
