//! Heartbeat, by the ordinary door: first beats, recoveries, waits, and every beat that needs an exact answer.
//!
//! A beat that changes nothing but a watch row is answered by [`crate::beats`] without coming here.

use crate::book::{Book, Slot};
use crate::delegation::change::{Change, Role};
use crate::delegation::refusal::{Refusal, Refused};
use crate::delegation::status::{Status, StuckReason};
use crate::delegation::waiting::WaitRequest;
use crate::error::Error;
use crate::id::DelegationId;
use crate::payload::Json;
use crate::store::Questions;
use crate::time::Time;

use super::{Outcome, Override, in_flight, standing};

/// A sign of life.
#[derive(Clone, Debug)]
pub struct Heartbeat {
    /// Which.
    pub id: DelegationId,
    /// The lease, where one was issued.
    pub lease: Option<String>,
    /// What advanced.
    pub progress: Option<Json>,
    /// What it waits for; absent leaves it as it is.
    pub waiting: Option<WaitChange>,
    /// An operator's reason.
    pub override_reason: Override,
}

/// What a heartbeat says about waiting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WaitChange {
    /// It waits no longer.
    End,
    /// It waits for this.
    For(WaitRequest),
}

/// What a heartbeat is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pulse {
    /// Where the delegation stands.
    pub current_status: Status,
    /// The present attempt.
    pub attempt: u32,
    /// The hard end.
    pub deadline: Time,
    /// A sentence, where there is something to tell.
    pub why: Option<String>,
}

impl From<Outcome> for Pulse {
    fn from(outcome: Outcome) -> Self {
        let delegation = outcome.delegation;
        let (attempt, deadline) = (delegation.attempt, delegation.deadline);
        Self { current_status: delegation.status, attempt, deadline, why: outcome.why }
    }
}

impl Heartbeat {
    pub(super) fn ask(&self, questions: &mut Questions) {
        questions.ids.push(self.id.clone());
        questions.ids.extend(self.awaited_child().cloned());
    }

    pub(super) fn decide(&self, book: &mut Book) -> Result<Outcome, Error> {
        let slot = book.named(&self.id)?;
        let delegation = in_flight(book, slot)?;
        let role =
            standing(book, delegation, self.lease.as_deref(), self.override_reason.as_deref())
                .map_err(|refusal| Refused::with_state(refusal, delegation))?;
        let wait = self.wait(slot, book)?;
        book.acting_by_override(self.override_reason.clone());

        let before = book.delegation(slot).version;
        if let Some(over_at) = delegation_wait_over(book, slot) {
            book.record(slot, Role::Ledger, Change::Resumed(over_at));
        }
        let advanced = book.beat(slot, self.progress.as_ref());
        show_life(slot, role, advanced, book);
        if book.delegation(slot).status == Status::Stuck {
            let why = "stuck for want of progress, which only progress ends; no wait was recorded";
            return Ok(Outcome { why: Some(why.to_owned()), ..Outcome::same(book, slot) });
        }
        let ended_already =
            matches!(wait, Some(Change::Resumed(_))) && book.delegation(slot).waiting.is_none();
        if let Some(change) = wait.filter(|_| !ended_already) {
            book.record(slot, role, change);
        }
        // Being heard again is no change: the status and everything that events describe stay.
        let changed = book.delegation(slot).version > before;
        Ok(Outcome { changed, ..Outcome::same(book, slot) })
    }

    /// How many bytes its texts have.
    pub(super) fn bytes(&self) -> usize {
        let note = match &self.waiting {
            Some(WaitChange::For(request)) => request.note.as_ref().map_or(0, String::len),
            Some(WaitChange::End) | None => 0,
        };
        note + self.progress.as_ref().map_or(0, |progress| progress.as_str().len())
    }

    /// What the beat changes about waiting, if it may.
    fn wait(&self, slot: Slot, book: &Book) -> Result<Option<Change>, Error> {
        let delegation = book.delegation(slot);
        match &self.waiting {
            None => Ok(None),
            // What is waited for is there already: no wait begins, and an older one is over.
            Some(WaitChange::For(_)) if !self.child_goes_on(slot, book)? => Ok(ended(slot, book)),
            Some(WaitChange::End) => Ok(ended(slot, book)),
            Some(WaitChange::For(request)) => {
                let wait = request.clone().begin(book.now(), delegation.deadline);
                Ok(Some(Change::Waiting(wait)))
            }
        }
    }

    /// Whether the awaited child has no verdict yet; true where no child is awaited.
    fn child_goes_on(&self, slot: Slot, book: &Book) -> Result<bool, Error> {
        let Some(child_id) = self.awaited_child() else { return Ok(true) };
        let child = book.delegation(book.named(child_id)?);
        if child.parent_id.as_ref() == Some(&self.id) {
            return Ok(child.in_flight());
        }
        let message = format!(
            "{:?} is not a child of this delegation, so it cannot be waited for",
            child_id.as_str()
        );
        Err(Refused::with_state(Refusal::NotYours(message), book.delegation(slot)).into())
    }

    fn awaited_child(&self) -> Option<&DelegationId> {
        match &self.waiting {
            Some(WaitChange::For(request)) => request.child_id.as_ref(),
            Some(WaitChange::End) | None => None,
        }
    }
}

/// The end of the wait in force, if there is one.
fn ended(slot: Slot, book: &Book) -> Option<Change> {
    let waits = book.delegation(slot).waiting.is_some();
    waits.then(|| Change::Resumed(book.now()))
}

fn delegation_wait_over(book: &Book, slot: Slot) -> Option<Time> {
    book.delegation(slot)
        .waiting
        .as_ref()
        .map(|waiting| waiting.until)
        .filter(|until| book.now() > *until)
}

/// What a sign of life makes of each status in flight.
fn show_life(slot: Slot, role: Role, advanced: bool, book: &mut Book) {
    let delegation = book.delegation(slot);
    let change = match delegation.status {
        Status::Queued | Status::Dispatched => Change::Started,
        Status::Stuck if delegation.stuck_reason == Some(StuckReason::NoProgress) && !advanced => {
            return;
        }
        Status::Stuck => Change::Recovered,
        Status::InProgress | Status::Completed | Status::Failed | Status::Cancelled => return,
    };
    book.record(slot, role, change);
}
