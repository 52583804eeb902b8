//! What a command may record, and what follows from each fact.

use crate::command::Answer;
use crate::delegation::Delegation;
use crate::delegation::change::{Change, EventKind, Role};
use crate::delegation::listening::Fleet;
use crate::delegation::status::Status;
use crate::id::AgentId;
use crate::payload::{Json, Payload};
use crate::store::{
    Cascade, CascadeBegun, LateKey, LateResult, NewBodies, NewEvent, NewMessage, ProgressWrite,
    Pruned, Was,
};
use crate::time::Time;

use super::{Book, Key, Leaf, Rearmed, Slot};

impl Book {
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
        let existed = leaf.before.is_some() || leaf.touched;
        let from = existed.then_some(leaf.delegation.status);
        let counts = !self.loads.is_empty();
        let before = (counts && from.is_some()).then(|| leaf.delegation.burden());
        leaf.delegation.apply(&change, role, now);
        let after = counts.then(|| leaf.delegation.burden());
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
        self.shift_load(before.as_ref(), after.as_ref());
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

    /// Lets a delegation go that is as it was loaded: whoever asks for it later in the batch finds none.
    pub(crate) fn prune(&mut self, slot: Slot) {
        let leaf = &self.leaves[slot.0];
        let (Was::Known(num, version), false) = (&leaf.was, leaf.touched) else { return };
        let delegation = &leaf.delegation;
        let (num, version) = (*num, *version);
        let (delegation_id, caller_id) =
            (delegation.delegation_id.clone(), delegation.caller_id.clone());
        self.append.tallies[delegation.status.index()] -= 1;
        let key = self.key_of(slot).filter(|key| self.keys.get(key) == Some(&delegation_id));
        if let Some(key) = key {
            self.keys.remove(&key);
        }
        self.by_num.remove(&num);
        self.by_id.remove(&delegation_id);
        self.append.pruned.push(Pruned { num, version, delegation_id, caller_id });
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

    fn follow(&mut self, slot: Slot) {
        let Some(NewEvent { change, from, to, .. }) = self.append.events.last() else { return };
        let (from, to, kind) = (*from, *to, change.kind());
        let terms = self.delegation(slot).terms;
        let warns = match (from, to) {
            (_, Status::Stuck) => terms.notify.stuck && kind == EventKind::Stuck,
            (Some(Status::Stuck), Status::InProgress) => terms.notify.recovered,
            _ => false,
        };
        let is_verdict = kind.is_verdict();
        let ends_children = to == Status::Cancelled || terms.cancel_children;
        if ends_children && (is_verdict || kind == EventKind::Requeued) {
            // What a later command of this batch makes comes behind all that are there now.
            let before = Some(self.leaves.len());
            self.append.cascades_begun.push(CascadeBegun { row: slot.0, before });
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
}

/// The agent behind a role, where it is one.
fn actor_id(delegation: &Delegation, role: Role) -> Option<AgentId> {
    match role {
        Role::Caller => Some(delegation.caller_id.clone()),
        Role::Callee => Some(delegation.callee_id.clone()),
        Role::Operator | Role::Sweeper | Role::Ledger => None,
    }
}
