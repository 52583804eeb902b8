//! Extend: move the deadline, either way, from now on.

use crate::book::Book;
use crate::delegation::change::{Change, EventKind, Role};
use crate::delegation::deadline::DeadlineRequest;
use crate::delegation::refusal::{Refusal, Refused};
use crate::error::Error;
use crate::id::DelegationId;

use super::{Outcome, in_flight};

/// A request for another deadline.
#[derive(Clone, Debug)]
pub struct Extend {
    /// Which.
    pub id: DelegationId,
    /// The new hard end; a parent's deadline clips it.
    pub deadline: DeadlineRequest,
    /// The version that was looked at.
    pub if_version: Option<u64>,
}

impl Extend {
    pub(super) fn decide(&self, book: &mut Book) -> Result<Outcome, Error> {
        let slot = book.named(&self.id)?;
        let delegation = in_flight(book, slot)?;
        if let Some(seen) = self.if_version.filter(|seen| *seen != delegation.version) {
            let mine = seen.checked_add(1) == Some(delegation.version)
                && delegation.last_act == (EventKind::Extended, Role::Caller)
                && book.came_from(delegation, self.deadline, delegation.updated_at);
            return if mine {
                Ok(Outcome::replay(book, slot))
            } else {
                Err(Refused::with_state(Refusal::ChangedMeanwhile, delegation).into())
            };
        }
        let asked = self
            .deadline
            .at(book.now())
            .map_err(|refusal| Refused::with_state(refusal, delegation))?;
        let deadline = book.clipped(delegation, asked);
        if deadline == delegation.deadline {
            return Ok(Outcome::same(book, slot));
        }
        book.record(slot, Role::Caller, Change::Extended(deadline));
        Ok(Outcome::changed(book, slot))
    }
}
