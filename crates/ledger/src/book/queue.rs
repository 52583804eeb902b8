//! What an agent may claim, and what it holds already, among the rows of this batch.

use std::cmp::Reverse;

use crate::delegation::Delegation;
use crate::delegation::watch::RowNum;
use crate::id::{AgentId, ClaimId};
use crate::store::Was;
use crate::time::Time;

use super::{Book, Leaf, Slot};

/// The highest priority first, then who has waited longest. What this batch makes is the youngest.
type Turn = (Reverse<i32>, Time, RowNum, usize);

impl Book {
    /// What the callee holds under this claim, in the order in which it would have been given.
    pub(crate) fn held_under(&self, callee_id: &AgentId, claim_id: &ClaimId) -> Vec<Slot> {
        self.first_of(callee_id, usize::MAX, |it| it.in_flight() && it.is_held_under(claim_id))
    }

    /// What the callee may claim now, at most so many.
    pub(crate) fn claimable_by(&self, callee_id: &AgentId, max: usize) -> Vec<Slot> {
        self.first_of(callee_id, max, |it| it.claimable(self.now()))
    }

    fn first_of(
        &self,
        callee_id: &AgentId,
        max: usize,
        fits: impl Fn(&Delegation) -> bool,
    ) -> Vec<Slot> {
        let wanted =
            |leaf: &Leaf| fits(&leaf.delegation) && leaf.delegation.callee_id == *callee_id;
        let leaves = self.leaves.iter().enumerate().filter(|(_, leaf)| wanted(leaf));
        let mut turns: Vec<Turn> = leaves.map(|(place, leaf)| leaf.turn(place)).collect();
        if max < turns.len() {
            // A batch of many claims looks through the same long list for each.
            turns.select_nth_unstable(max);
            turns.truncate(max);
        }
        turns.sort_unstable();
        turns.into_iter().map(|(.., place)| Slot(place)).collect()
    }
}

impl Leaf {
    fn turn(&self, place: usize) -> Turn {
        let num = match self.was {
            Was::Known(num, _) => num,
            Was::New(_) => RowNum::MAX,
        };
        (Reverse(self.delegation.terms.priority), self.delegation.queued_at, num, place)
    }
}
