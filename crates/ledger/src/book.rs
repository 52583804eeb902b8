//! The open book of one batch: what was loaded, and what the commands before this one made of it.
//!
//! Every command of a batch reads and records here, so that each is decided over what the ones before it
//! decided. In the end the book becomes one [`Append`].

use std::collections::{HashMap, HashSet};

use crate::command::Answer;
use crate::delegation::Delegation;
use crate::delegation::change::{Change, EventKind, Role};
use crate::delegation::examine::Finding;
use crate::delegation::lease::Secret;
use crate::delegation::listening::{Fleet, Listening};
use crate::delegation::refusal::{Refusal, Refused};
use crate::delegation::status::Status;
use crate::delegation::watch::{RowNum, Watch};
use crate::error::Error;
use crate::id::{AgentId, DelegationId, IdempotencyKey};
use crate::payload::{Json, Payload};
use crate::store::{
    Append, BadRow, Cascade, LateKey, LateResult, Loaded, NewBodies, NewEvent, NewMessage,
    ProgressWrite, Row, RowWrite, Was,
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
    was_status: Option<Status>,
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
            listening: loaded.listening,
            override_reason: None,
            append: Append::at(loaded.now),
        };
        loaded.rows.into_iter().for_each(|row| book.lay(row));
        book
    }

    fn lay(&mut self, row: Row) {
        let Row { num, delegation, progress } = row;
        let was_status = Some(delegation.status);
        let was = Was::Known(num, delegation.version);
        let slot = self.add(Leaf { progress, ..Leaf::new(delegation, was, was_status) });
        self.by_num.insert(num, slot);
    }

    fn add(&mut self, leaf: Leaf) -> Slot {
        let slot = Slot(self.leaves.len());
        self.by_id.insert(leaf.delegation.delegation_id.clone(), slot);
        self.leaves.push(leaf);
        slot
    }

    // What a command may ask.

    pub(crate) fn now(&self) -> Time {
        self.append.now
    }

    pub(crate) fn secret(&self) -> &Secret {
        &self.secret
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

    pub(crate) fn keeps_late(&self, key: &LateKey) -> bool {
        self.late.contains(key)
    }

    /// The deadline, no later than the parent's where the parent is still in flight.
    pub(crate) fn clipped(&self, delegation: &Delegation, deadline: Time) -> Time {
        let parent = delegation.parent_id.as_ref().and_then(|id| self.by_id.get(id));
        let parent = parent.map(|slot| self.delegation(*slot)).filter(|parent| parent.in_flight());
        parent.map_or(deadline, |parent| deadline.min(parent.deadline))
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

    // What a command may record.

    /// The facts that follow were brought about by an operator, who typed this reason.
    pub(crate) fn acting_by_override(&mut self, reason: Option<String>) {
        self.override_reason = reason;
    }

    /// Adds a delegation that did not exist; its `Created` must follow.
    pub(crate) fn open(&mut self, delegation: Delegation, bodies: NewBodies) -> Slot {
        if let Some(old) = &delegation.retry_of {
            self.retries.insert(old.clone(), delegation.delegation_id.clone());
        }
        let slot = self.add(Leaf::new(delegation, Was::New(bodies), None));
        if let Some(key) = self.key_of(slot) {
            self.keys.insert(key, self.delegation(slot).delegation_id.clone());
        }
        slot
    }

    /// Records a fact and what follows from it.
    pub(crate) fn record(&mut self, slot: Slot, role: Role, change: Change) {
        let now = self.now();
        let leaf = &mut self.leaves[slot.0];
        let from = leaf
            .was_status
            .map(|_| leaf.delegation.status)
            .or((leaf.touched).then_some(leaf.delegation.status));
        leaf.delegation.apply(&change, role, now);
        leaf.touched = true;
        leaf.rearmed = Rearmed::ByTheRules;
        if matches!(change, Change::Requeued { .. } | Change::Released(_)) {
            leaf.progress = None;
            leaf.progress_write = ProgressWrite::Forget;
        }
        let delegation = &leaf.delegation;
        let event = NewEvent {
            row: slot.0,
            from,
            to: delegation.status,
            attempt: delegation.attempt,
            role,
            actor_id: actor_id(delegation, role),
            override_reason: self.override_reason.clone(),
            change,
        };
        self.append.events.push(event);
        self.follow(slot);
    }

    /// The callee's answer, to be stored with the verdict.
    pub(crate) fn bring_result(&mut self, slot: Slot, result: Option<Payload>) {
        self.leaves[slot.0].result = result;
    }

    /// A sign of life that is no fact: the watch row moves. Whether it advanced.
    pub(crate) fn beat(&mut self, slot: Slot, progress: Option<&Json>) -> bool {
        let now = self.now();
        let leaf = &mut self.leaves[slot.0];
        let advanced = progress.is_some() && leaf.progress.as_ref() != progress;
        leaf.delegation.last_heartbeat = Some(now);
        if advanced {
            leaf.delegation.progress_at = Some(now);
            leaf.progress = progress.cloned();
            leaf.progress_write =
                leaf.progress.clone().map_or(ProgressWrite::Keep, ProgressWrite::Put);
        }
        leaf.touched = true;
        advanced
    }

    /// Nothing is due: look again then, or never before the deadline.
    pub(crate) fn rearm(&mut self, slot: Slot, at: Option<Time>) {
        let leaf = &mut self.leaves[slot.0];
        leaf.rearmed = Rearmed::At(at);
        leaf.touched = true;
    }

    pub(crate) fn keep_late(
        &mut self,
        slot: Slot,
        key: LateKey,
        role: Role,
        why: &'static str,
        answer: &Answer,
    ) {
        let delegation = self.delegation(slot);
        self.append.late.push(LateResult {
            row: slot.0,
            epoch: key.epoch,
            content: key.content,
            attempt: delegation.attempt,
            role,
            actor_id: actor_id(delegation, role),
            why,
            status: answer.status,
            result: answer.result.clone(),
            error_detail: answer.error_detail.clone(),
        });
        self.late.insert(key);
        self.record(slot, role, Change::KeptLate);
    }

    pub(crate) fn end_cascade(&mut self, cascade: Cascade) {
        self.append.cascades_ended.push(cascade);
    }

    /// Pulls the brake, if it must be. Whether it did.
    pub(crate) fn brake(&mut self, fleet: Fleet) -> bool {
        let gap = self.listening.brake(fleet, self.now(), self.threshold_s);
        self.append.gaps.extend(gap);
        if let Some(gap) = gap {
            self.listening.add(gap);
        }
        gap.is_some()
    }

    // What follows from a fact.

    fn follow(&mut self, slot: Slot) {
        let Some(NewEvent { change, from, to, .. }) = self.append.events.last() else { return };
        let (from, to, kind) = (*from, *to, change.kind());
        let terms = self.delegation(slot).terms;
        let warns = match (from, to) {
            (_, Status::Stuck) => terms.notify.stuck && kind == EventKind::Stuck,
            (Some(Status::Stuck), Status::InProgress) => terms.notify.recovered,
            _ => false,
        };
        let is_verdict = !to.in_flight() && kind != EventKind::LateResult;
        let ends_children = to == Status::Cancelled || terms.cancel_children;
        if ends_children && (is_verdict || kind == EventKind::Requeued) {
            self.append.cascades_begun.push(slot.0);
        }
        if warns || is_verdict {
            self.tell_caller(slot);
        }
        if is_verdict {
            self.free_key(slot);
            self.end_parents_wait(slot);
        }
    }

    fn tell_caller(&mut self, slot: Slot) {
        let agent_id = self.delegation(slot).caller_id.clone();
        self.append.messages.push(NewMessage { event: self.append.events.len() - 1, agent_id });
    }

    /// A failure or a cancellation frees the key, so that asking again makes a new delegation.
    fn free_key(&mut self, slot: Slot) {
        if self.delegation(slot).status == Status::Completed {
            return;
        }
        let Some(key) = self.key_of(slot) else { return };
        self.keys.remove(&key);
        if matches!(self.leaves[slot.0].was, Was::Known(..)) {
            self.append.keys_freed.push(key);
        }
    }

    fn end_parents_wait(&mut self, slot: Slot) {
        let child = &self.delegation(slot).delegation_id;
        let Some(parent) =
            self.delegation(slot).parent_id.as_ref().and_then(|id| self.by_id.get(id)).copied()
        else {
            return;
        };
        let waits = self.delegation(parent).waiting.as_ref();
        if waits.is_some_and(|waiting| waiting.request.child_id.as_ref() == Some(child)) {
            self.record(parent, Role::Ledger, Change::Resumed(self.now()));
        }
    }

    fn key_of(&self, slot: Slot) -> Option<Key> {
        let delegation = self.delegation(slot);
        delegation.idempotency_key.clone().map(|key| (delegation.caller_id.clone(), key))
    }

    // The end of the batch.

    /// Everything that the batch decided, as one transaction's worth of writes.
    pub(crate) fn close(self) -> Append {
        let Self { leaves, keys, mut append, threshold_s, .. } = self;
        let mut places = vec![0; leaves.len()];
        for (slot, leaf) in leaves.into_iter().enumerate().filter(|(_, leaf)| leaf.touched) {
            let place = append.rows.len();
            places[slot] = place;
            append
                .keys_taken
                .extend(leaf.taken_key(&keys).map(|(caller, key)| (caller, key, place)));
            leaf.count(&mut append.tallies);
            append.rows.push(leaf.written(threshold_s));
        }
        append.events.iter_mut().for_each(|event| event.row = places[event.row]);
        append.late.iter_mut().for_each(|late| late.row = places[late.row]);
        append.cascades_begun.iter_mut().for_each(|row| *row = places[*row]);
        append
    }
}

impl Leaf {
    fn new(delegation: Delegation, was: Was, was_status: Option<Status>) -> Self {
        Self {
            delegation,
            was,
            was_status,
            progress: None,
            progress_write: ProgressWrite::Keep,
            result: None,
            rearmed: Rearmed::ByTheRules,
            touched: false,
        }
    }

    /// The key that a new delegation took and still has at the end of its batch.
    fn taken_key(&self, keys: &HashMap<Key, DelegationId>) -> Option<Key> {
        let delegation = &self.delegation;
        let key = (delegation.caller_id.clone(), delegation.idempotency_key.clone()?);
        let holds = keys.get(&key) == Some(&delegation.delegation_id);
        (matches!(self.was, Was::New(_)) && holds).then_some(key)
    }

    /// The net effect on the counts.
    fn count(&self, tallies: &mut [i64; Status::ALL.len()]) {
        tallies[self.delegation.status.index()] += 1;
        if let Some(was) = self.was_status {
            tallies[was.index()] -= 1;
        }
    }

    fn written(self, threshold_s: u32) -> RowWrite {
        let num = match self.was {
            Was::New(_) => 0,
            Was::Known(num, _) => num,
        };
        let in_flight = self.delegation.in_flight();
        let by_the_rules = Watch::of(num, &self.delegation, threshold_s);
        let check_at = match self.rearmed {
            Rearmed::ByTheRules => by_the_rules.check_at,
            Rearmed::At(at) => at,
        };
        let watch = Watch { check_at, ..by_the_rules };
        RowWrite {
            watch: in_flight.then_some(watch),
            delegation: self.delegation,
            was: self.was,
            result: self.result,
            progress: self.progress_write,
        }
    }
}

/// The agent behind a role, where it is one.
fn actor_id(delegation: &Delegation, role: Role) -> Option<AgentId> {
    match role {
        Role::Caller => Some(delegation.caller_id.clone()),
        Role::Callee => Some(delegation.callee_id.clone()),
        Role::Operator | Role::Sweeper | Role::Ledger => None,
    }
}
