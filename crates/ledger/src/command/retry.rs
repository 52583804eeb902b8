//! Retry: hand the same delegation out again, or, once it is terminal, make a new one that names it.

use crate::book::{Book, Slot};
use crate::delegation::Delegation;
use crate::delegation::change::{Change, EventKind, Role};
use crate::delegation::deadline::{DEADLINE_S_MAX, DeadlineRequest};
use crate::delegation::refusal::{Refusal, Refused};
use crate::delegation::status::Status;
use crate::error::Error;
use crate::id::{AgentId, DelegationId};
use crate::store::Questions;
use crate::time::Time;

use super::Outcome;
use super::create::{Draft, no_cycle};

/// A request to hand out again.
#[derive(Clone, Debug)]
pub struct Retry {
    /// Which.
    pub id: DelegationId,
    /// A new deadline; absent: in flight it stays, a new delegation gets as long as the old one had.
    pub deadline_s: Option<u32>,
    /// Another callee.
    pub callee_id: Option<AgentId>,
    /// The attempt that was looked at.
    pub if_attempt: Option<u32>,
}

impl Retry {
    pub(super) fn ask(&self, questions: &mut Questions) {
        questions.ids.push(self.id.clone());
        questions.lineages.push(self.id.clone());
        questions.retries_of.push(self.id.clone());
    }

    pub(super) fn decide(&self, spare: &DelegationId, book: &mut Book) -> Result<Outcome, Error> {
        let slot = book.named(&self.id)?;
        if book.delegation(slot).in_flight() {
            self.again(slot, Role::Caller, book)
        } else {
            self.anew(slot, spare, book)
        }
    }

    /// In flight: the same delegation, one attempt further.
    pub(super) fn again(&self, slot: Slot, role: Role, book: &mut Book) -> Result<Outcome, Error> {
        let delegation = book.delegation(slot);
        if let Some(seen) = self.if_attempt.filter(|seen| *seen != delegation.attempt) {
            let mine = seen.checked_add(1) == Some(delegation.attempt)
                && self.may_have_made(delegation, role, book);
            return if mine {
                Ok(Outcome::replay(book, slot))
            } else {
                Err(Refused::with_state(Refusal::ChangedMeanwhile, delegation).into())
            };
        }
        // Without a guard a repeat is recognised only until somebody takes the work.
        if self.if_attempt.is_none() && self.may_have_made(delegation, role, book) {
            return Ok(Outcome::replay(book, slot));
        }
        let callee_id = self.callee(delegation, book)?;
        let deadline = self.deadline(delegation, book)?.unwrap_or(delegation.deadline);
        let nothing_new = callee_id == delegation.callee_id && deadline == delegation.deadline;
        if delegation.status == Status::Queued && nothing_new {
            return Ok(Outcome::same(book, slot));
        }
        book.record(slot, role, Change::Requeued { callee_id, deadline, why: None });
        Ok(Outcome::changed(book, slot))
    }

    /// Terminal: a new delegation. One terminal delegation has one retry; asking again gives it again.
    fn anew(&self, slot: Slot, spare: &DelegationId, book: &mut Book) -> Result<Outcome, Error> {
        let old = book.delegation(slot).clone();
        if self.if_attempt.is_some_and(|seen| seen != old.attempt) {
            return Err(Refused::with_state(Refusal::ChangedMeanwhile, &old).into());
        }
        if let Some(earlier) = book.retry_of(&self.id).cloned() {
            return self.made_already(book.named(&earlier)?, book);
        }
        let key_is_free =
            |key: &_| book.key_holder(&(old.caller_id.clone(), Clone::clone(key))).is_none();
        let farthest = book.now().plus_s(DEADLINE_S_MAX);
        let as_long = (book.now() + old.deadline.since_ms(old.created_at)).min(farthest);
        let draft = Draft {
            delegation_id: spare.clone(),
            callee_id: self.callee(&old, book)?,
            idempotency_key: old.idempotency_key.clone().filter(key_is_free),
            deadline: self.deadline(&old, book)?.unwrap_or(as_long),
            status: Status::Queued,
            caller_id: old.caller_id,
            max_attempts: old.max_attempts,
            terms: old.terms,
            parent_id: old.parent_id,
            retry_of: Some(old.delegation_id),
            fingerprint: old.fingerprint,
            bodies: book.bodies_of(slot),
        };
        let slot = draft.open(book)?;
        Ok(Outcome::changed(book, slot))
    }

    /// The retry of a terminal delegation is there already: it answers, if it is what is asked for.
    fn made_already(&self, slot: Slot, book: &Book) -> Result<Outcome, Error> {
        let retry = book.delegation(slot);
        if self.asks_for_what_is(retry, retry.created_at, book) {
            Ok(Outcome::replay(book, slot))
        } else {
            Err(Refused::with_state(Refusal::ChangedMeanwhile, retry).into())
        }
    }

    /// Whether the last thing that happened is this very retry.
    fn may_have_made(&self, delegation: &Delegation, role: Role, book: &Book) -> bool {
        delegation.last_act == (EventKind::Requeued, role)
            && self.asks_for_what_is(delegation, delegation.updated_at, book)
    }

    /// Whether the delegation is as this retry would have made it at that moment. What it leaves open agrees
    /// with everything.
    fn asks_for_what_is(&self, delegation: &Delegation, at: Time, book: &Book) -> bool {
        let same_callee =
            self.callee_id.as_ref().is_none_or(|callee_id| *callee_id == delegation.callee_id);
        let deadline = self.deadline_s.map(DeadlineRequest::In);
        same_callee && deadline.is_none_or(|it| book.came_from(delegation, it, at))
    }

    fn callee(&self, delegation: &Delegation, book: &Book) -> Result<AgentId, Error> {
        let Some(callee_id) = &self.callee_id else { return Ok(delegation.callee_id.clone()) };
        if *callee_id == delegation.caller_id {
            return Err(Refused::with_state(Refusal::SelfDelegation, delegation).into());
        }
        no_cycle(book, delegation.parent_id.as_ref(), callee_id)?;
        Ok(callee_id.clone())
    }

    fn deadline(&self, delegation: &Delegation, book: &Book) -> Result<Option<Time>, Error> {
        let Some(seconds) = self.deadline_s else { return Ok(None) };
        let deadline = DeadlineRequest::In(seconds).at(book.now());
        let deadline = deadline.map_err(|refusal| Refused::with_state(refusal, delegation))?;
        Ok(Some(book.clipped(delegation, deadline)))
    }
}
