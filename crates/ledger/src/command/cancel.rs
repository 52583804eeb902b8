//! Cancel: the caller calls the work off. Its children go with it.

use crate::book::Book;
use crate::delegation::change::{Change, Role};
use crate::delegation::status::Status;
use crate::error::Error;
use crate::id::DelegationId;

use super::{Outcome, in_flight};

/// A request to call off.
#[derive(Clone, Debug)]
pub struct Cancel {
    /// Which.
    pub id: DelegationId,
    /// For people.
    pub reason: Option<String>,
}

impl Cancel {
    pub(super) fn decide(&self, book: &mut Book) -> Result<Outcome, Error> {
        cancel(&self.id, Role::Caller, self.reason.clone(), book)
    }
}

pub(super) fn cancel(
    id: &DelegationId,
    role: Role,
    why: Option<String>,
    book: &mut Book,
) -> Result<Outcome, Error> {
    let slot = book.named(id)?;
    if book.delegation(slot).status == Status::Cancelled {
        return Ok(Outcome::replay(book, slot));
    }
    in_flight(book, slot)?;
    book.record(slot, role, Change::Cancelled { kind: None, why });
    Ok(Outcome::changed(book, slot))
}
