//! Accept: a callee takes one delegation by its id and gets the lease.

use crate::book::{Book, Slot};
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
            let same_claim = self.claim_id.is_some() && delegation.claim_id == self.claim_id;
            if same_claim {
                return Ok(with_lease(book, slot, Outcome::replay(book, slot)));
            }
            return Err(Refused::with_state(Refusal::LeaseHeld, delegation).into());
        }
        book.record(slot, Role::Callee, Change::Accepted(self.claim_id.clone()));
        Ok(with_lease(book, slot, Outcome::changed(book, slot)))
    }
}

fn with_lease(book: &Book, slot: Slot, outcome: Outcome) -> Outcome {
    let delegation = book.delegation(slot);
    let lease = book.secret().issue(&delegation.delegation_id, delegation.epoch);
    Outcome { lease: Some(lease), ..outcome }
}
