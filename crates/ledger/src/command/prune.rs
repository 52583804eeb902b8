//! Prune: what is over, and old enough, goes, with everything that belongs to it.

use crate::book::Book;
use crate::delegation::retention::{Retention, Stays};
use crate::error::Error;
use crate::id::DelegationId;
use crate::store::Questions;

/// A request to let one delegation go.
#[derive(Clone, Debug)]
pub struct Prune {
    /// Which.
    pub id: DelegationId,
    /// The version that was looked at, where it must be that one: whatever was exported is what goes.
    pub if_version: Option<u64>,
    /// How long things are kept.
    pub retention: Retention,
}

impl Prune {
    pub(crate) fn ask(&self, questions: &mut Questions) {
        questions.ids.push(self.id.clone());
        questions.ties.push(self.id.clone());
    }

    /// Whether it goes, or why it stays. Either is an answer, and no error.
    pub(crate) fn decide(&self, book: &mut Book) -> Result<Result<(), Stays>, Error> {
        let Some(slot) = book.lookup(&self.id)? else { return Ok(Err(Stays::Unknown)) };
        let delegation = book.delegation(slot);
        let seen = self.if_version.is_none_or(|version| version == delegation.version);
        let verdict = if seen {
            self.retention.lets_go(delegation, book.ties(&self.id), book.now())
        } else {
            Err(Stays::Changed)
        };
        if verdict.is_ok() {
            book.prune(slot);
        }
        Ok(verdict)
    }
}
