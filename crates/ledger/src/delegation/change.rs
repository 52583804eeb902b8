//! The facts in the history of a delegation, and what each makes of it. Total: history cannot fail.

use serde_json::json;

use crate::id::{AgentId, ClaimId};
use crate::payload::Json;
use crate::time::Time;

use super::Delegation;
use super::lease::Epoch;
use super::status::{FailureKind, Status, StuckReason, words};
use super::waiting::Waiting;

words!(
    /// The kind of an event.
    EventKind {
        /// It was delegated.
        Created => "created",
        /// The caller handed it out.
        Dispatched => "dispatched",
        /// A callee took it from the queue.
        Claimed => "claimed",
        /// A callee took it by its id.
        Accepted => "accepted",
        /// The first heartbeat.
        Started => "started",
        /// The callee waits.
        Waiting => "waiting",
        /// The wait is over.
        Resumed => "resumed",
        /// A warning.
        Stuck => "stuck",
        /// The warning is over.
        Recovered => "recovered",
        /// Handed out again.
        Requeued => "requeued",
        /// Given back by its holder.
        Released => "released",
        /// Another deadline.
        Extended => "extended",
        /// A verdict: answered.
        Completed => "completed",
        /// A verdict: ended without an answer.
        Failed => "failed",
        /// A verdict: called off.
        Cancelled => "cancelled",
        /// An answer that came too late was kept.
        LateResult => "late_result",
    }
);

impl EventKind {
    /// Whether it ends the delegation.
    #[must_use]
    pub const fn is_verdict(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

words!(
    /// The part that somebody plays in an event.
    Role {
        /// Who asked for the work.
        Caller => "caller",
        /// Who does it.
        Callee => "callee",
        /// A person who steps in.
        Operator => "operator",
        /// The ledger's own sweep.
        Sweeper => "sweeper",
        /// The ledger, as a consequence of another event.
        Ledger => "ledger",
    }
);

/// A fact: what happened to a delegation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was delegated.
    Created,
    /// The caller handed it out.
    Dispatched,
    /// A callee took it from the queue, under a new lease.
    Claimed(Option<ClaimId>),
    /// A callee took it by id, under a new lease.
    Accepted(Option<ClaimId>),
    /// The first heartbeat.
    Started,
    /// The callee waits.
    Waiting(Waiting),
    /// The wait ended; the clocks run from this moment.
    Resumed(Time),
    /// It became stuck.
    Stuck {
        /// What will end it.
        reason: StuckReason,
        /// For people.
        detail: Option<String>,
    },
    /// It is no longer stuck.
    Recovered,
    /// It is handed out again.
    Requeued {
        /// To whom.
        callee_id: AgentId,
        /// Until when.
        deadline: Time,
        /// Why, for people.
        why: Option<String>,
    },
    /// Its holder gave it back.
    Released(Option<String>),
    /// It has another deadline.
    Extended(Time),
    /// It was answered.
    Completed {
        /// What makes two answers the same; `None` where no result was given.
        answer: Option<[u8; 16]>,
    },
    /// It ended without an answer.
    Failed {
        /// The kind.
        kind: FailureKind,
        /// For people.
        detail: Option<String>,
    },
    /// It was called off.
    Cancelled {
        /// Set where a parent took it along.
        kind: Option<FailureKind>,
        /// For people.
        why: Option<String>,
    },
    /// An answer came too late and was kept beside the delegation.
    KeptLate,
    /// The first detail of a verdict that had none: a result's hash, or an error detail.
    Filled {
        /// What makes two answers the same.
        answer: Option<[u8; 16]>,
        /// The error detail of a failure.
        detail: Option<String>,
    },
}

impl Change {
    /// The event's kind.
    #[must_use]
    pub fn kind(&self) -> EventKind {
        match self {
            Self::Created => EventKind::Created,
            Self::Dispatched => EventKind::Dispatched,
            Self::Claimed(_) => EventKind::Claimed,
            Self::Accepted(_) => EventKind::Accepted,
            Self::Started => EventKind::Started,
            Self::Waiting(_) => EventKind::Waiting,
            Self::Resumed(_) => EventKind::Resumed,
            Self::Stuck { .. } => EventKind::Stuck,
            Self::Recovered => EventKind::Recovered,
            Self::Requeued { .. } => EventKind::Requeued,
            Self::Released(_) => EventKind::Released,
            Self::Extended(_) => EventKind::Extended,
            Self::Completed { .. } => EventKind::Completed,
            Self::Failed { .. } => EventKind::Failed,
            Self::Cancelled { .. } => EventKind::Cancelled,
            Self::KeptLate | Self::Filled { .. } => EventKind::LateResult,
        }
    }

    /// The event's reason, for people.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Stuck { detail, .. }
            | Self::Failed { detail, .. }
            | Self::Filled { detail, .. } => detail.as_deref(),
            Self::Requeued { why, .. } | Self::Cancelled { why, .. } | Self::Released(why) => {
                why.as_deref()
            }
            Self::Waiting(waiting) => waiting.request.note.as_deref(),
            Self::Created
            | Self::Dispatched
            | Self::Claimed(_)
            | Self::Accepted(_)
            | Self::Started
            | Self::Resumed(_)
            | Self::Recovered
            | Self::Extended(_)
            | Self::Completed { .. }
            | Self::KeptLate => None,
        }
    }

    /// What else the event tells, as it is stored; times in RFC 3339.
    #[must_use]
    pub fn data(&self, override_reason: Option<&str>) -> Option<Json> {
        let mut data = match self {
            Self::Claimed(claim_id) | Self::Accepted(claim_id) => {
                json!({ "claim_id": claim_id.as_ref().map(ClaimId::as_str) })
            }
            Self::Waiting(waiting) => json!({ "waiting": waiting.told() }),
            Self::Resumed(at) => json!({ "clocks_from": at.to_string() }),
            Self::Stuck { reason, .. } => json!({ "stuck_reason": reason.as_str() }),
            Self::Requeued { callee_id, deadline, .. } => {
                json!({ "callee_id": callee_id.as_str(), "deadline": deadline.to_string() })
            }
            Self::Extended(deadline) => json!({ "deadline": deadline.to_string() }),
            Self::Failed { kind, .. } | Self::Cancelled { kind: Some(kind), .. } => {
                json!({ "failure": kind.as_str() })
            }
            Self::Filled { .. } => json!({ "filled": true }),
            Self::Created
            | Self::Dispatched
            | Self::Started
            | Self::Recovered
            | Self::Released(_)
            | Self::Completed { .. }
            | Self::Cancelled { kind: None, .. }
            | Self::KeptLate => json!({}),
        };
        if let Some(reason) = override_reason {
            data["override"] = json!(reason);
        }
        let empty = data.as_object().is_none_or(serde_json::Map::is_empty);
        (!empty).then(|| Json::trusted(data.to_string()))
    }
}

impl Delegation {
    /// Applies a fact that happened at `now`, done by `role`.
    pub fn apply(&mut self, change: &Change, role: Role, now: Time) {
        self.version += 1;
        self.updated_at = now;
        self.last_act = (change.kind(), role);
        match change {
            Change::Created => {}
            Change::Dispatched => {
                self.status = Status::Dispatched;
                self.dispatched = true;
            }
            Change::Claimed(claim_id) | Change::Accepted(claim_id) => {
                self.come_into_hands(claim_id.clone());
                self.start(now);
            }
            Change::Started => self.start(now),
            Change::Waiting(waiting) => self.waiting = Some(waiting.clone()),
            Change::Resumed(at) => {
                self.waiting = None;
                self.clocks_from = Some(*at);
            }
            Change::Stuck { reason, detail } => {
                if let Some(wait) = &self.waiting {
                    // It ends here, if it had not ended before; the clocks run from its end, as after any.
                    self.clocks_from = Some(wait.until.min(now));
                }
                self.leave_for(Status::Stuck);
                self.stuck_reason = Some(*reason);
                self.stuck_at = Some(now);
                self.error_detail.clone_from(detail);
            }
            Change::Recovered => {
                self.leave_for(Status::InProgress);
                self.last_heartbeat = Some(now);
                self.clocks_from = self.clocks_from.or(Some(now));
            }
            Change::Requeued { callee_id, deadline, .. } => {
                self.hand_back(now);
                self.attempt += 1;
                self.callee_id = callee_id.clone();
                self.deadline = *deadline;
            }
            Change::Released(_) => self.hand_back(now),
            Change::Extended(deadline) => {
                self.deadline = *deadline;
                // A wait to the deadline goes where the deadline goes.
                let waiting = self.waiting.take();
                self.waiting = waiting.map(|wait| wait.request.begin(wait.since, *deadline));
            }
            Change::Completed { answer } => {
                self.finish(Status::Completed, now);
                self.answer_hash = *answer;
            }
            Change::Failed { kind, detail } => {
                self.finish(Status::Failed, now);
                self.failure = Some(*kind);
                self.error_detail.clone_from(detail);
            }
            Change::Cancelled { kind, why } => {
                self.finish(Status::Cancelled, now);
                self.failure = *kind;
                self.error_detail.clone_from(why);
            }
            Change::KeptLate => self.late_count += 1,
            Change::Filled { answer, detail } => {
                self.answer_hash = *answer;
                self.error_detail.clone_from(detail);
            }
        }
    }

    /// Under a new lease.
    fn come_into_hands(&mut self, claim_id: Option<ClaimId>) {
        self.epoch = self.next_epoch();
        self.held = true;
        self.claim_id = claim_id;
    }

    /// The attempt's first sign of life.
    fn start(&mut self, now: Time) {
        self.leave_for(Status::InProgress);
        self.last_heartbeat = Some(now);
        self.clocks_from = Some(now);
    }

    /// Any step to another status clears what described the present one.
    fn leave_for(&mut self, status: Status) {
        self.status = status;
        self.stuck_reason = None;
        self.stuck_at = None;
        self.error_detail = None;
        self.waiting = None;
    }

    /// Back to the queue: the old lease is void, the old heartbeat forgotten.
    fn hand_back(&mut self, now: Time) {
        self.leave_for(Status::Queued);
        self.epoch = self.next_epoch();
        self.held = false;
        self.dispatched = false;
        self.claim_id = None;
        self.queued_at = now;
        self.last_heartbeat = None;
        self.progress_at = None;
        self.clocks_from = None;
    }

    fn next_epoch(&self) -> Epoch {
        self.first_epoch().max(self.epoch + 1)
    }

    /// The epoch of its first hand-out.
    #[must_use]
    pub fn first_epoch(&self) -> Epoch {
        self.created_at.0.max(1)
    }

    fn finish(&mut self, status: Status, now: Time) {
        self.leave_for(status);
        self.finished_at = Some(now);
    }
}
