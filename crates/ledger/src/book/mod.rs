//! The open book of one batch: what was loaded, and what the commands before this one made of it.
//!
//! Every command of a batch reads and records here, so that each is decided over what the ones before it
//! decided. In the end the book becomes one [`Append`].

mod agents;
mod close;
mod queue;
mod record;

use std::collections::{HashMap, HashSet};

use crate::agent::Agent;
use crate::delegation::Delegation;
use crate::delegation::deadline::DeadlineRequest;
use crate::delegation::examine::Finding;
use crate::delegation::lease::Secret;
use crate::delegation::listening::Listening;
use crate::delegation::refusal::{Refusal, Refused};
use crate::delegation::retention::Ties;
use crate::delegation::status::Status;
use crate::delegation::watch::RowNum;
use crate::error::Error;
use crate::id::{AgentId, DelegationId, IdempotencyKey};
use crate::payload::{Json, Payload};
use crate::store::{
    Append, BadRow, InboxState, LateKey, Load, Loaded, NewBodies, ProgressWrite, Row, Was,
};
use crate::time::Time;

/// A delegation's place in the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot(usize);

/// A caller's key, in its scope.
type Key = (AgentId, IdempotencyKey);

/// When a delegation wants to be looked at next.
enum Rearmed {
    /// As its row tells.
    ByTheRules,
    /// As a look just found; `None`: not before its deadline.
    At(Option<Time>),
}

/// One delegation while its batch is decided.
struct Leaf {
    delegation: Delegation,
    was: Was,
    /// Whose it was and where it stood; `None`: it did not exist.
    before: Option<(AgentId, Status)>,
    progress: Option<Json>,
    progress_write: ProgressWrite,
    result: Option<Payload>,
    rearmed: Rearmed,
    touched: bool,
}

pub(crate) struct Book {
    secret: Secret,
    threshold_s: u32,
    leaves: Vec<Leaf>,
    by_id: HashMap<DelegationId, Slot>,
    by_num: HashMap<RowNum, Slot>,
    corrupt: Vec<BadRow>,
    keys: HashMap<Key, DelegationId>,
    retries: HashMap<DelegationId, DelegationId>,
    late: HashSet<LateKey>,
    agents: HashMap<AgentId, Agent>,
    loads: HashMap<AgentId, Load>,
    inboxes: HashMap<AgentId, InboxState>,
    ties: HashMap<DelegationId, Ties>,
    listening: Listening,
    override_reason: Option<String>,
    append: Append,
}

impl Book {
    pub(crate) fn open_at(loaded: Loaded, secret: Secret, threshold_s: u32) -> Self {
        let mut book = Self {
            secret,
            threshold_s,
            leaves: Vec::with_capacity(loaded.rows.len()),
            by_id: HashMap::with_capacity(loaded.rows.len()),
            by_num: HashMap::with_capacity(loaded.rows.len()),
            corrupt: loaded.corrupt,
            keys: loaded.keys.into_iter().collect(),
            retries: loaded.retries.into_iter().collect(),
            late: loaded.late.into_iter().collect(),
            agents: loaded.agents.into_iter().map(|it| (it.agent_id.clone(), it)).collect(),
            loads: loaded.loads.into_iter().collect(),
            inboxes: loaded.inboxes.into_iter().collect(),
            ties: loaded.ties.into_iter().collect(),
            listening: loaded.listening,
            override_reason: None,
            append: Append::at(loaded.now),
        };
        loaded.rows.into_iter().for_each(|row| book.lay(row));
        book
    }

    fn lay(&mut self, row: Row) {
        let Row { num, delegation, progress } = row;
        let before = Some((delegation.callee_id.clone(), delegation.status));
        let was = Was::Known(num, delegation.version);
        let slot = self.add(Leaf { progress, ..Leaf::new(delegation, was, before) });
        self.by_num.insert(num, slot);
    }

    fn add(&mut self, leaf: Leaf) -> Slot {
        let slot = Slot(self.leaves.len());
        self.by_id.insert(leaf.delegation.delegation_id.clone(), slot);
        self.leaves.push(leaf);
        slot
    }

    pub(crate) fn now(&self) -> Time {
        self.append.now
    }

    /// Has the batch committed also where it changes nothing.
    pub(crate) fn write_in_any_case(&mut self) {
        self.append.trial = true;
    }

    pub(crate) fn secret(&self) -> &Secret {
        &self.secret
    }

    /// The lease over the present attempt.
    pub(crate) fn lease(&self, slot: Slot) -> String {
        let delegation = self.delegation(slot);
        self.secret.issue(&delegation.delegation_id, delegation.epoch)
    }

    pub(crate) fn delegation(&self, slot: Slot) -> &Delegation {
        &self.leaves[slot.0].delegation
    }

    /// The delegation with this id, if there is one.
    pub(crate) fn lookup(&self, id: &DelegationId) -> Result<Option<Slot>, Error> {
        if self.corrupt.iter().any(|bad| bad.delegation_id.as_ref() == Some(id)) {
            return Err(Error::Internal);
        }
        Ok(self.by_id.get(id).copied())
    }

    /// The delegation with this id, or the refusal that there is none.
    pub(crate) fn named(&self, id: &DelegationId) -> Result<Slot, Error> {
        let unknown = || Refused::from(Refusal::NotFound(id.to_string())).into();
        self.lookup(id)?.ok_or_else(unknown)
    }

    pub(crate) fn numbered(&self, num: RowNum) -> Result<Option<Slot>, Error> {
        if self.corrupt.iter().any(|bad| bad.num == num) {
            return Err(Error::Internal);
        }
        Ok(self.by_num.get(&num).copied())
    }

    pub(crate) fn key_holder(&self, key: &Key) -> Option<&DelegationId> {
        self.keys.get(key)
    }

    pub(crate) fn retry_of(&self, terminal: &DelegationId) -> Option<&DelegationId> {
        self.retries.get(terminal)
    }

    /// What is tied to the delegation; a tie where nobody asked.
    pub(crate) fn ties(&self, id: &DelegationId) -> Ties {
        self.ties.get(id).copied().unwrap_or(Ties { acknowledged: false, named: true })
    }

    pub(crate) fn keeps_late(&self, key: &LateKey) -> bool {
        self.late.contains(key)
    }

    /// The deadline, no later than the parent's where the parent is still in flight.
    pub(crate) fn clipped(&self, delegation: &Delegation, deadline: Time) -> Time {
        let parent = delegation.parent_id.as_ref().and_then(|id| self.by_id.get(id));
        let parent = parent.map(|slot| self.delegation(*slot)).filter(|parent| parent.in_flight());
        parent.map_or(deadline, |parent| deadline.min(parent.deadline))
    }

    /// Whether the delegation's deadline is what this request makes of it at that moment.
    pub(crate) fn came_from(
        &self,
        delegation: &Delegation,
        request: DeadlineRequest,
        at: Time,
    ) -> bool {
        let deadline = request.at(at).map(|deadline| self.clipped(delegation, deadline));
        deadline == Ok(delegation.deadline)
    }

    pub(crate) fn examine(&self, slot: Slot) -> Finding {
        self.delegation(slot).examine(&self.listening, self.now(), self.threshold_s)
    }

    pub(crate) fn bodies_of(&self, slot: Slot) -> NewBodies {
        match &self.leaves[slot.0].was {
            Was::New(bodies) => bodies.clone(),
            Was::Known(num, _) => NewBodies::CopyOf(*num),
        }
    }
}

impl Leaf {
    fn new(delegation: Delegation, was: Was, before: Option<(AgentId, Status)>) -> Self {
        Self {
            delegation,
            was,
            before,
            progress: None,
            progress_write: ProgressWrite::Keep,
            result: None,
            rearmed: Rearmed::ByTheRules,
            touched: false,
        }
    }
}
