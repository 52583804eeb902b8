//! Claim: a callee takes work from its queue, without knowing what there is.

use crate::book::{Book, Slot};
use crate::delegation::Delegation;
use crate::delegation::change::{Change, Role};
use crate::id::{AgentId, ClaimId};
use crate::store::Questions;

/// Most delegations that one claim takes.
pub const CLAIM_MAX: usize = 100;

/// A request to take what there is to do.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Whose queue.
    pub callee_id: AgentId,
    /// At most so many, 1 to [`CLAIM_MAX`].
    pub max: usize,
    /// The callee's name for this act: the same one again gives what is still held under it.
    pub claim_id: Option<ClaimId>,
}

/// A delegation that somebody holds now, and the proof of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The delegation.
    pub delegation: Delegation,
    /// The lease over its present attempt.
    pub lease: String,
}

impl Claim {
    pub(crate) fn ask(&self, questions: &mut Questions) {
        questions.claims.push((self.callee_id.clone(), self.max));
        questions.agents.push(self.callee_id.clone());
        questions.loads.push(self.callee_id.clone());
        let claim_id = self.claim_id.iter().cloned();
        questions.held_under.extend(claim_id.map(|claim_id| (self.callee_id.clone(), claim_id)));
    }

    pub(crate) fn decide(&self, book: &mut Book) -> Vec<Taken> {
        let mut slots = self.taken_before(book);
        if slots.is_empty() {
            let room = book.room_in_hands(&self.callee_id);
            slots = book.claimable_by(&self.callee_id, self.max.min(room));
            for slot in &slots {
                book.record(*slot, Role::Callee, Change::Claimed(self.claim_id.clone()));
            }
        }
        slots.into_iter().map(|slot| Taken::of(book, slot)).collect()
    }

    /// What an earlier claim of this name took, as far as its attempt is current.
    fn taken_before(&self, book: &Book) -> Vec<Slot> {
        let claim_id = self.claim_id.as_ref();
        claim_id.map_or(vec![], |claim_id| book.held_under(&self.callee_id, claim_id))
    }
}

impl Taken {
    fn of(book: &Book, slot: Slot) -> Self {
        Self { delegation: book.delegation(slot).clone(), lease: book.lease(slot) }
    }
}
