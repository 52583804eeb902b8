//! Beats between their watch row and the ordinary door: the mark must not overtake them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::time::Time;

/// Beats between their watch row and the ordinary door: the mark must not overtake them.
#[derive(Default)]
pub(crate) struct OnTheWay(Mutex<Travellers>);

#[derive(Default)]
pub(super) struct Travellers {
    next: u64,
    last_round: Option<Time>,
    since: BTreeMap<u64, Time>,
}

/// One beat on its way; dropped when the beat has its answer.
pub(crate) struct Ticket {
    on_the_way: Arc<OnTheWay>,
    number: u64,
}

impl OnTheWay {
    fn lock(&self) -> MutexGuard<'_, Travellers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn enter(self: &Arc<Self>, now: Time) -> Ticket {
        let mut travellers = self.lock();
        let number = travellers.next;
        travellers.next += 1;
        travellers.since.insert(number, now);
        Ticket { on_the_way: Arc::clone(self), number }
    }

    /// A round of the desk began.
    pub(super) fn new_round(&self, now: Time) {
        self.lock().last_round = Some(now);
    }

    /// For a beat that goes straight to the door: it arrived no earlier than the last round.
    pub(super) fn enter_late(self: &Arc<Self>) -> Ticket {
        let now = self.lock().last_round.unwrap_or_default();
        self.enter(now)
    }

    pub(super) fn oldest(&self) -> Option<Time> {
        self.lock().since.first_key_value().map(|(_, since)| *since)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.on_the_way.lock().since.remove(&self.number);
    }
}
