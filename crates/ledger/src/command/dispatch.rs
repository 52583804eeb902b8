//! Dispatch: the caller has handed the work out itself, so no claimer may take it.

use crate::book::Book;
use crate::delegation::change::{Change, Role};
use crate::delegation::refusal::{Refusal, Refused};
use crate::delegation::status::Status;
use crate::error::Error;
use crate::id::DelegationId;

use super::{Outcome, in_flight};

/// A request to mark a delegation as handed out.
#[derive(Clone, Debug)]
pub struct Dispatch {
    /// Which.
    pub id: DelegationId,
}

impl Dispatch {
    pub(super) fn decide(&self, book: &mut Book) -> Result<Outcome, Error> {
        dispatch(&self.id, Role::Caller, book)
    }
}

pub(super) fn dispatch(id: &DelegationId, role: Role, book: &mut Book) -> Result<Outcome, Error> {
    let slot = book.named(id)?;
    let delegation = in_flight(book, slot)?;
    match delegation.status {
        Status::Dispatched => Ok(Outcome::same(book, slot)),
        Status::Queued => {
            book.record(slot, role, Change::Dispatched);
            Ok(Outcome::changed(book, slot))
        }
        from => {
            let refusal = Refusal::InvalidTransition { from, to: Status::Dispatched };
            Err(Refused::with_state(refusal, delegation).into())
        }
    }
}
