//! What an agent may claim, what it holds already, and how much more it may have, as this batch knows it.

use std::cmp::Reverse;

use crate::delegation::Delegation;
use crate::delegation::status::Status;
use crate::delegation::watch::RowNum;
use crate::id::{AgentId, ClaimId};
use crate::store::{Load, Was};
use crate::time::Time;

use super::{Book, Leaf, Slot};

/// The highest priority first, then who has waited longest. What this batch makes is the youngest.
type Turn = (Reverse<i32>, Time, RowNum, usize);

/// What one delegation adds to whose load.
type Burden = (AgentId, Load);

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

/// Limits, which are in the agents' records.
impl Book {
    /// How much more the callee may take from its queue.
    pub(crate) fn room_in_hands(&self, callee_id: &AgentId) -> usize {
        let max = self.agent(callee_id).and_then(|agent| agent.terms.max_in_flight);
        let room = max.map(|max| max.saturating_sub(self.load(callee_id).held));
        room.map_or(usize::MAX, |room| room as usize)
    }

    /// The limit of the callee's queue, if it is reached.
    pub(crate) fn full_queue(&self, callee_id: &AgentId) -> Option<u32> {
        let max = self.agent(callee_id)?.terms.max_queued?;
        (self.load(callee_id).queued >= max).then_some(max)
    }

    fn load(&self, callee_id: &AgentId) -> Load {
        self.loads.get(callee_id).copied().unwrap_or_default()
    }

    /// What a fact changes about the loads that are known here.
    pub(super) fn shift_load(&mut self, before: Option<&Burden>, after: Option<&Burden>) {
        if let Some((callee_id, weight)) = before
            && let Some(load) = self.loads.get_mut(callee_id)
        {
            load.held = load.held.saturating_sub(weight.held);
            load.queued = load.queued.saturating_sub(weight.queued);
        }
        if let Some((callee_id, weight)) = after
            && let Some(load) = self.loads.get_mut(callee_id)
        {
            load.held += weight.held;
            load.queued += weight.queued;
        }
    }
}

impl Delegation {
    pub(super) fn burden(&self) -> Burden {
        let held = self.in_flight() && self.held;
        let weight = Load { held: held.into(), queued: (self.status == Status::Queued).into() };
        (self.callee_id.clone(), weight)
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
