//! Set status: for callers that mirror another system's states. The same rules as the verbs.

use crate::book::{Book, Slot};
use crate::delegation::change::{Change, Role};
use crate::delegation::refusal::Refused;
use crate::delegation::status::{Status, StuckReason};
use crate::error::Error;
use crate::id::DelegationId;
use crate::payload::Payload;

use super::answer::{Complete, Fail};
use super::cancel::cancel;
use super::dispatch::dispatch;
use super::heartbeat::Heartbeat;
use super::retry::Retry;
use super::{Outcome, Override, in_flight, standing};

/// A request to be in a status.
#[derive(Clone, Debug)]
pub struct SetStatus {
    /// Which.
    pub id: DelegationId,
    /// The status.
    pub status: Status,
    /// Why, for stuck, failed and cancelled.
    pub error_detail: Option<String>,
    /// The answer, for completed.
    pub result: Option<String>,
    /// An operator's reason.
    pub override_reason: Override,
}

impl SetStatus {
    pub(super) fn decide(&self, book: &mut Book) -> Result<Outcome, Error> {
        let (id, lease, override_reason) = (self.id.clone(), None, self.override_reason.clone());
        let error_detail = self.error_detail.clone();
        let role = if override_reason.is_some() { Role::Operator } else { Role::Callee };
        book.acting_by_override(override_reason.clone());
        match self.status {
            Status::Queued => {
                let slot = book.named(&id)?;
                in_flight(book, slot)?;
                self.may(slot, book)?;
                Retry { id, deadline_s: None, callee_id: None, if_attempt: None }
                    .again(slot, role, book)
            }
            Status::Dispatched => dispatch(&id, role, book),
            Status::InProgress => {
                Heartbeat { id, lease, progress: None, waiting: None, override_reason }.decide(book)
            }
            Status::Stuck => self.report_stuck(book),
            Status::Completed => Complete {
                id,
                result: self.result.clone().map(Payload::Text),
                lease,
                override_reason,
            }
            .decide(book),
            Status::Failed => Fail { id, error_detail, lease, override_reason }.decide(book),
            Status::Cancelled => cancel(&id, role, error_detail, book),
        }
    }

    fn report_stuck(&self, book: &mut Book) -> Result<Outcome, Error> {
        let slot = book.named(&self.id)?;
        let delegation = in_flight(book, slot)?;
        if delegation.status == Status::Stuck {
            return Ok(Outcome::same(book, slot));
        }
        let role = self.may(slot, book)?;
        book.record(
            slot,
            role,
            Change::Stuck { reason: StuckReason::Reported, detail: self.error_detail.clone() },
        );
        Ok(Outcome::changed(book, slot))
    }

    fn may(&self, slot: Slot, book: &Book) -> Result<Role, Error> {
        let delegation = book.delegation(slot);
        let standing = standing(book, delegation, None, self.override_reason.as_deref());
        standing.map_err(|refusal| Refused::with_state(refusal, delegation).into())
    }
}
