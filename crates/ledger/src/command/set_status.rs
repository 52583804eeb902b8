//! Set status: for callers that mirror another system's states. The same rules as the verbs.

use crate::book::Book;
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
    /// The lease, where one was issued and the status is the callee's to set.
    pub lease: Option<String>,
    /// An operator's reason.
    pub override_reason: Override,
}

impl SetStatus {
    pub(super) fn decide(&self, book: &mut Book) -> Result<Outcome, Error> {
        let (id, lease) = (self.id.clone(), self.lease.clone());
        let override_reason = self.override_reason.clone();
        let error_detail = self.error_detail.clone();
        // Handing out and calling off are the caller's to do, and need no lease.
        let role = if override_reason.is_some() { Role::Operator } else { Role::Caller };
        book.acting_by_override(override_reason.clone());
        match self.status {
            Status::Queued => {
                let slot = book.named(&id)?;
                in_flight(book, slot)?;
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
        let role =
            standing(book, delegation, self.lease.as_deref(), self.override_reason.as_deref())
                .map_err(|refusal| Refused::with_state(refusal, delegation))?;
        book.record(
            slot,
            role,
            Change::Stuck { reason: StuckReason::Reported, detail: self.error_detail.clone() },
        );
        Ok(Outcome::changed(book, slot))
    }
}
