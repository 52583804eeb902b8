//! Accept: a callee takes one delegation by its id and gets the lease.

use crate::book::Book;
use crate::delegation::change::{Change, Role};
use crate::delegation::refusal::{Refusal, Refused};
use crate::error::Error;
use crate::id::{ClaimId, DelegationId};

use super::{Outcome, in_flight};

/// A request to take a delegation.
#[derive(Clone, Debug)]
pub struct Accept {
    /// Which.
    pub id: DelegationId,
    /// The callee's name for this act: the same one again gives the same lease while it holds.
    pub claim_id: Option<ClaimId>,
}

impl Accept {
    pub(super) fn decide(&self, book: &mut Book) -> Result<Outcome, Error> {
        let slot = book.named(&self.id)?;
        let delegation = in_flight(book, slot)?;
        if delegation.held {
            if self.claim_id.as_ref().is_some_and(|it| delegation.is_held_under(it)) {
                let lease = Some(book.lease(slot));
                return Ok(Outcome { lease, ..Outcome::replay(book, slot) });
            }
            return Err(Refused::with_state(Refusal::LeaseHeld, delegation).into());
        }
        book.record(slot, Role::Callee, Change::Accepted(self.claim_id.clone()));
        Ok(Outcome { lease: Some(book.lease(slot)), ..Outcome::changed(book, slot) })
    }
}
