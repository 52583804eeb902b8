//! What a batch writes. Only the ledger can make one of these.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::agent::Agent;
use crate::delegation::Delegation;
use crate::delegation::change::{Change, Role};
use crate::delegation::lease::Epoch;
use crate::delegation::listening::Gap;
use crate::delegation::status::Status;
use crate::delegation::watch::{RowNum, Watch};
use crate::id::{AgentId, DelegationId, IdempotencyKey, Seq};
use crate::payload::{Json, Payload};
use crate::time::Time;

/// Everything that one batch writes, in one transaction. Only the ledger can make one.
#[derive(Debug)]
#[non_exhaustive]
pub struct Append {
    /// The batch's one moment.
    pub now: Time,
    /// One final row per delegation, parents before their children.
    pub rows: Vec<RowWrite>,
    /// Keys that are free again. Freed before others are taken.
    pub keys_freed: Vec<(AgentId, IdempotencyKey)>,
    /// Keys taken by a row of `rows`, by its place.
    pub keys_taken: Vec<(AgentId, IdempotencyKey, usize)>,
    /// What happened, in order.
    pub events: Vec<NewEvent>,
    /// What goes into inboxes.
    pub messages: Vec<NewMessage>,
    /// Answers that came too late.
    pub late: Vec<LateResult>,
    /// Stretches that do not count as silence.
    pub gaps: Vec<Gap>,
    /// Delegations whose present children are to be cancelled, if they have any.
    pub cascades_begun: Vec<CascadeBegun>,
    /// Cascades without a child in flight any more.
    pub cascades_ended: Vec<Cascade>,
    /// Records of agents as they will be.
    pub agents: Vec<Agent>,
    /// Agents that have no record any more.
    pub agents_removed: Vec<AgentId>,
    /// How far agents have read. No point goes back, whatever another writer wrote.
    pub acknowledged: Vec<(AgentId, Seq)>,
    /// Delegations that go, with everything that belongs to them. None of them is in `rows`.
    pub pruned: Vec<Pruned>,
    /// Whether it can be committed is the question, whatever else is in it: the batch's id is something.
    pub trial: bool,
    /// By how much the count of each status changes, in the order of [`Status::ALL`].
    pub tallies: [i64; Status::ALL.len()],
    /// The same of what each callee has in flight. A status that is terminal counts nothing here.
    pub callee_tallies: BTreeMap<AgentId, [i64; Status::ALL.len()]>,
}

impl Append {
    pub(crate) fn at(now: Time) -> Self {
        Self {
            now,
            rows: vec![],
            keys_freed: vec![],
            keys_taken: vec![],
            events: vec![],
            messages: vec![],
            late: vec![],
            gaps: vec![],
            cascades_begun: vec![],
            cascades_ended: vec![],
            agents: vec![],
            agents_removed: vec![],
            acknowledged: vec![],
            pruned: vec![],
            trial: false,
            tallies: [0; Status::ALL.len()],
            callee_tallies: BTreeMap::new(),
        }
    }

    /// So many more of this callee have this status.
    pub(crate) fn count(&mut self, (callee_id, status): (&AgentId, Status), more: i64) {
        self.tallies[status.index()] += more;
        if status.in_flight() {
            let of_callee = self.callee_tallies.entry(callee_id.clone()).or_default();
            of_callee[status.index()] += more;
        }
    }

    /// Whether nothing changed: every command was refused or a replay.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let of_delegations =
            self.rows.is_empty() && self.gaps.is_empty() && self.cascades_ended.is_empty();
        let of_agents = self.agents.is_empty()
            && self.agents_removed.is_empty()
            && self.acknowledged.is_empty();
        of_delegations && of_agents && self.pruned.is_empty() && !self.trial
    }
}

/// The final state of one delegation.
#[derive(Debug)]
#[non_exhaustive]
pub struct RowWrite {
    /// The delegation as it will be.
    pub delegation: Delegation,
    /// What it was.
    pub was: Was,
    /// The result, where this batch brings it.
    pub result: Option<Payload>,
    /// What becomes of the progress text.
    pub progress: ProgressWrite,
    /// Its watch row, written whole; its number is that of `was`, or the one that the store gives.
    /// `None` where the delegation is not in flight: then the watch row is deleted.
    pub watch: Option<Watch>,
}

/// A delegation that goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pruned {
    /// Its number.
    pub num: RowNum,
    /// The version that the locks held.
    pub version: u64,
    /// Its id.
    pub delegation_id: DelegationId,
    /// Whose messages it left, and whose key it may hold.
    pub caller_id: AgentId,
}

/// A delegation whose children that exist by then are to be cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CascadeBegun {
    /// Its place in [`Append::rows`].
    pub row: usize,
    /// The place of the first row that the batch made after this: it and all later ones are spared.
    pub before: Option<usize>,
}

impl CascadeBegun {
    /// The newest number that counts, where `nums` are those of [`Append::rows`]; `None`: the newest there is.
    #[must_use]
    pub fn through(&self, nums: &[RowNum]) -> Option<RowNum> {
        self.before.map(|place| nums[place] - 1)
    }
}

/// What becomes of a progress text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProgressWrite {
    /// It stays, or there is none.
    Keep,
    /// A beat that took the ordinary door brought it.
    Put(Json),
    /// It belonged to an attempt that is over.
    Forget,
}

/// What a written row was before.
#[derive(Debug)]
pub enum Was {
    /// It did not exist.
    New(NewBodies),
    /// It had this number and this version: the guard that the locks held. Where the version is
    /// unchanged, only the watch row (and progress) is written.
    Known(RowNum, u64),
}

/// The bodies of a new delegation.
#[derive(Clone, Debug)]
pub enum NewBodies {
    /// As the caller gave them.
    Given(Arc<(Payload, Option<Json>)>),
    /// Copied from the delegation with this number.
    CopyOf(RowNum),
}

/// A fact about one delegation.
#[derive(Debug)]
#[non_exhaustive]
pub struct NewEvent {
    /// The place of its delegation in [`Append::rows`].
    pub row: usize,
    /// What happened.
    pub change: Change,
    /// Where the delegation stood; `None` at its creation.
    pub from: Option<Status>,
    /// Where it stands.
    pub to: Status,
    /// The attempt that it belongs to.
    pub attempt: u32,
    /// The part that its actor played.
    pub role: Role,
    /// Which agent, where it was one.
    pub actor_id: Option<AgentId>,
    /// What an operator typed to override the rules.
    pub override_reason: Option<String>,
}

/// A message: a verdict where its event is one, else a warning.
#[derive(Debug)]
#[non_exhaustive]
pub struct NewMessage {
    /// The place of its event in [`Append::events`]; the message has its number.
    pub event: usize,
    /// Whose inbox.
    pub agent_id: AgentId,
}

/// An answer that came too late. Keyed by (delegation, epoch, content).
#[derive(Debug)]
#[non_exhaustive]
pub struct LateResult {
    /// The place of its delegation in [`Append::rows`].
    pub row: usize,
    /// The epoch it was given under.
    pub epoch: Epoch,
    /// The hash of its content.
    pub content: [u8; 16],
    /// The attempt at the time.
    pub attempt: u32,
    /// The part that its actor played.
    pub role: Role,
    /// Which agent.
    pub actor_id: Option<AgentId>,
    /// The name of the refusal, or `same-status`.
    pub why: &'static str,
    /// The status that it would have brought.
    pub status: Status,
    /// The result.
    pub result: Option<Payload>,
    /// The error detail.
    pub error_detail: Option<String>,
}

/// A delegation whose children are still to be cancelled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cascade {
    /// Its number.
    pub num: RowNum,
    /// Its id.
    pub delegation_id: DelegationId,
    /// The newest row that counts; a child created later belongs to a later attempt.
    pub through: RowNum,
}
