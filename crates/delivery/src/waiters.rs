//! Who waits for what. A place costs a few hundred bytes, and is given back however its wait ends.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use consign_ledger::DelegationId;
use consign_ledger::delegation::status::Status;
use tokio::sync::Notify;

use crate::Until;

/// Most requests that may wait at once.
pub const WAITERS_MAX: usize = 10_000;

/// Everybody who waits. A clone is another handle to the same.
#[derive(Clone, Default)]
pub(crate) struct Waiters(Arc<Hall>);

#[derive(Default)]
struct Hall {
    seats: Mutex<Seats>,
    /// Somebody came where nobody was.
    came: Notify,
}

#[derive(Default)]
struct Seats {
    by_id: BTreeMap<(DelegationId, u64), Arc<Seat>>,
    next: u64,
    closed: bool,
}

struct Seat {
    until: Until,
    bell: Notify,
}

/// A waiter's place. Dropped, it is free again.
pub(crate) struct Place {
    waiters: Waiters,
    key: (DelegationId, u64),
    seat: Arc<Seat>,
}

/// Why there is no place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NoPlace {
    /// All are taken.
    Full,
    /// Nobody wakes waiters any more.
    Closed,
}

impl Waiters {
    pub(crate) fn enter(&self, id: &DelegationId, until: Until) -> Result<Place, NoPlace> {
        let mut seats = self.seats();
        if seats.closed {
            return Err(NoPlace::Closed);
        }
        if seats.by_id.len() >= WAITERS_MAX {
            return Err(NoPlace::Full);
        }
        let seat = Arc::new(Seat { until, bell: Notify::new() });
        let key = (id.clone(), seats.next);
        seats.next += 1;
        seats.by_id.insert(key.clone(), Arc::clone(&seat));
        if seats.by_id.len() == 1 {
            self.0.came.notify_one();
        }
        Ok(Place { waiters: self.clone(), key, seat })
    }

    /// Wakes those for whom it matters that this delegation now stands there.
    pub(crate) fn wake(&self, id: &DelegationId, status: Status) {
        let seats = self.seats();
        let of_id = (id.clone(), u64::MIN)..=(id.clone(), u64::MAX);
        for (_, seat) in seats.by_id.range(of_id) {
            if seat.until.is_met_by(status) {
                seat.bell.notify_one();
            }
        }
    }

    /// Wakes everybody: each looks for itself.
    pub(crate) fn wake_all(&self) {
        self.seats().by_id.values().for_each(|seat| seat.bell.notify_one());
    }

    /// Wakes everybody for the last time.
    pub(crate) fn close(&self) {
        self.seats().closed = true;
        self.wake_all();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.seats().by_id.is_empty()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.seats().closed
    }

    /// Returns at once where somebody waits, else when somebody comes.
    pub(crate) async fn somebody(&self) {
        while self.is_empty() {
            self.0.came.notified().await;
        }
    }

    fn seats(&self) -> MutexGuard<'_, Seats> {
        self.0.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Returns when there is a reason to look. A reason that came before is not missed.
    pub(crate) async fn woken(&self) {
        self.seat.bell.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.waiters.seats().by_id.remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    fn id(text: &str) -> DelegationId {
        DelegationId::new(text).unwrap()
    }

    fn is_woken(place: &Place) -> bool {
        pin!(place.woken()).poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn only_what_is_waited_for_wakes() {
        for (until, status, wakes) in [
            (Until::Terminal, Status::Queued, false),
            (Until::Terminal, Status::InProgress, false),
            (Until::Terminal, Status::Stuck, false),
            (Until::Terminal, Status::Completed, true),
            (Until::Terminal, Status::Failed, true),
            (Until::Terminal, Status::Cancelled, true),
            (Until::Stuck, Status::Stuck, true),
            (Until::Stuck, Status::InProgress, false),
            (Until::Stuck, Status::Completed, true),
        ] {
            let waiters = Waiters::default();
            let (mine, other) = (id("mine"), id("mine too"));
            let place = waiters.enter(&mine, until).unwrap();
            waiters.wake(&other, status);
            assert!(!is_woken(&place), "another delegation");
            waiters.wake(&mine, status);
            assert_eq!(is_woken(&place), wakes, "{until:?} {status}");
            assert!(!is_woken(&place), "once");
        }
    }

    #[test]
    fn everybody_who_waits_for_one_delegation_is_woken() {
        let waiters = Waiters::default();
        let enter = |_| waiters.enter(&id("one"), Until::Terminal).unwrap();
        let places = (0..100).map(enter).collect::<Vec<_>>();
        waiters.wake(&id("one"), Status::Completed);
        assert!(places.iter().all(is_woken));
    }

    #[test]
    fn a_place_is_free_again_when_its_waiter_leaves() {
        let waiters = Waiters::default();
        let enter = || waiters.enter(&id("one"), Until::Terminal);
        let mut places = (0..WAITERS_MAX).map(|_| enter().unwrap()).collect::<Vec<_>>();
        assert_eq!(enter().err(), Some(NoPlace::Full));
        places.pop();
        places.push(enter().unwrap());
        places.clear();
        assert!(waiters.is_empty());
    }

    #[test]
    fn a_closed_hall_wakes_everybody_and_takes_nobody() {
        let waiters = Waiters::default();
        let place = waiters.enter(&id("one"), Until::Terminal).unwrap();
        waiters.close();
        assert!(is_woken(&place));
        assert_eq!(waiters.enter(&id("two"), Until::Stuck).err(), Some(NoPlace::Closed));
    }
}
