//! Release: the lease's holder gives the work back before it stops. No attempt is burned.

use crate::book::Book;
use crate::delegation::change::{Change, EventKind, Role};
use crate::delegation::refusal::Refused;
use crate::delegation::status::Status;
use crate::error::Error;
use crate::id::DelegationId;

use super::{Outcome, in_flight, standing};

/// A request to give back.
#[derive(Clone, Debug)]
pub struct Release {
    /// Which.
    pub id: DelegationId,
    /// The lease that is given back.
    pub lease: String,
    /// For people.
    pub reason: Option<String>,
}

impl Release {
    pub(super) fn decide(&self, book: &mut Book) -> Result<Outcome, Error> {
        let slot = book.named(&self.id)?;
        let delegation = in_flight(book, slot)?;
        let just_released = delegation.status == Status::Queued
            && delegation.last_act == (EventKind::Released, Role::Callee)
            && book.secret().open(&self.id, &self.lease) == Some(delegation.epoch - 1);
        if just_released {
            return Ok(Outcome::replay(book, slot));
        }
        standing(book, delegation, Some(&self.lease), None)
            .map_err(|refusal| Refused::with_state(refusal, delegation))?;
        book.record(slot, Role::Callee, Change::Released(self.reason.clone()));
        Ok(Outcome::changed(book, slot))
    }
}
