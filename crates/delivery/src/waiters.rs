//! Who waits for what. A place costs a few hundred bytes, and is given back however its wait ends.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::topic::Topic;

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

/// A topic, and a number that is only taken once.
type Key = (Topic, u64);

#[derive(Default)]
struct Seats {
    by_topic: BTreeMap<Key, Seat>,
    next: u64,
    closed: bool,
}

struct Seat {
    bell: Arc<Notify>,
    /// Its waiter has a reason to look, and has not heard of it.
    rung: bool,
}

/// A waiter's place. Dropped, it is free again.
pub(crate) struct Place {
    waiters: Waiters,
    key: Key,
    bell: Arc<Notify>,
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
    pub(crate) fn enter(&self, topic: Topic) -> Result<Place, NoPlace> {
        let mut seats = self.seats();
        if seats.closed {
            return Err(NoPlace::Closed);
        }
        if seats.by_topic.len() >= WAITERS_MAX {
            return Err(NoPlace::Full);
        }
        let bell = Arc::new(Notify::new());
        let key = (topic, seats.next);
        seats.next += 1;
        seats.by_topic.insert(key.clone(), Seat { bell: Arc::clone(&bell), rung: false });
        if seats.by_topic.len() == 1 {
            self.0.came.notify_one();
        }
        Ok(Place { waiters: self.clone(), key, bell })
    }

    /// Wakes those whom this news concerns: everybody, or one where one is enough.
    pub(crate) fn wake(&self, topic: &Topic) {
        self.seats().wake(topic);
    }

    /// Wakes one for each topic where one is enough: whoever was woken last may have left without looking.
    pub(crate) fn wake_one_of_each(&self) {
        let mut seats = self.seats();
        let mut topics: Vec<_> = seats.by_topic.keys().map(|(topic, _)| topic.clone()).collect();
        topics.dedup();
        topics.iter().filter(|topic| topic.is_for_one()).for_each(|topic| seats.wake(topic));
    }

    /// How many wait.
    pub(crate) fn count(&self) -> usize {
        self.seats().by_topic.len()
    }

    /// Wakes everybody: each looks for itself.
    pub(crate) fn wake_all(&self) {
        self.seats().by_topic.values_mut().for_each(Seat::ring);
    }

    /// Wakes everybody for the last time.
    pub(crate) fn close(&self) {
        self.seats().closed = true;
        self.wake_all();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.seats().by_topic.is_empty()
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

impl Seats {
    /// Who has waited longest comes first.
    fn wake(&mut self, topic: &Topic) {
        let of_topic = (topic.clone(), u64::MIN)..=(topic.clone(), u64::MAX);
        let asleep = self.by_topic.range_mut(of_topic).map(|(_, seat)| seat);
        let enough = if topic.is_for_one() { 1 } else { usize::MAX };
        asleep.filter(|seat| !seat.rung).take(enough).for_each(Seat::ring);
    }
}

impl Seat {
    fn ring(&mut self) {
        self.rung = true;
        self.bell.notify_one();
    }
}

impl Place {
    /// Returns when there is a reason to look. A reason that came before is not missed.
    pub(crate) async fn woken(&self) {
        self.bell.notified().await;
        if let Some(seat) = self.waiters.seats().by_topic.get_mut(&self.key) {
            seat.rung = false;
        }
    }
}

impl Place {
    /// Whoever found something leaves its waking to the next: there may be more.
    pub(crate) fn pass_on(&self) {
        if let Some(seat) = self.waiters.seats().by_topic.get_mut(&self.key) {
            seat.rung = true;
        }
    }
}

impl Drop for Place {
    /// News for one that this one has not heard is for the next.
    fn drop(&mut self) {
        let mut seats = self.waiters.seats();
        let left = seats.by_topic.remove(&self.key);
        if self.key.0.is_for_one() && left.is_some_and(|seat| seat.rung) {
            seats.wake(&self.key.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Waker};

    use consign_ledger::{AgentId, DelegationId};

    use super::*;

    fn verdict(id: &str) -> Topic {
        Topic::Verdict(DelegationId::new(id).unwrap())
    }

    fn work(agent: &str) -> Topic {
        Topic::Work(AgentId::new(agent).unwrap())
    }

    fn is_woken(place: &Place) -> bool {
        pin!(place.woken()).poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    fn woken(places: &[Place]) -> Vec<bool> {
        places.iter().map(is_woken).collect()
    }

    fn enter<const N: usize>(waiters: &Waiters, topic: &Topic) -> [Place; N] {
        [(); N].map(|()| waiters.enter(topic.clone()).unwrap())
    }

    #[test]
    fn only_what_is_waited_for_wakes() {
        let waiters = Waiters::default();
        let place = waiters.enter(verdict("mine")).unwrap();
        waiters.wake(&verdict("mine too"));
        waiters.wake(&Topic::News(DelegationId::new("mine").unwrap()));
        assert!(!is_woken(&place), "something else");
        waiters.wake(&verdict("mine"));
        assert!(is_woken(&place));
        assert!(!is_woken(&place), "once");
    }

    #[test]
    fn everybody_who_waits_for_one_delegation_is_woken() {
        let waiters = Waiters::default();
        let places: [_; 100] = enter(&waiters, &verdict("one"));
        waiters.wake(&verdict("one"));
        assert!(places.iter().all(is_woken));
    }

    #[test]
    fn work_wakes_one_who_sleeps_the_longest_waiting_first() {
        let waiters = Waiters::default();
        let places: [_; 3] = enter(&waiters, &work("bob"));
        let other = waiters.enter(work("carol")).unwrap();
        waiters.wake(&work("bob"));
        assert_eq!(woken(&places), [true, false, false]);
        waiters.wake(&work("bob"));
        waiters.wake(&work("bob"));
        assert_eq!(woken(&places), [true, true, false], "who was rung is not rung again");
        (0..4).for_each(|_| waiters.wake(&work("bob")));
        assert_eq!(woken(&places), [true; 3]);
        assert!(!is_woken(&other));
    }

    #[test]
    fn work_that_nobody_looked_for_wakes_the_next() {
        let waiters = Waiters::default();
        let [first, second, third]: [_; 3] = enter(&waiters, &work("bob"));
        waiters.wake(&work("bob"));
        drop(first);
        assert!(is_woken(&second), "the first left without hearing it");
        drop(second);
        assert!(!is_woken(&third), "the second heard it");
    }

    #[test]
    fn who_found_work_wakes_the_next() {
        let waiters = Waiters::default();
        let [first, second]: [_; 2] = enter(&waiters, &work("bob"));
        waiters.wake(&work("bob"));
        assert_eq!(woken(&[first, second]), [true, false]);
        let [first, second]: [_; 2] = enter(&waiters, &work("carol"));
        waiters.wake(&work("carol"));
        assert!(is_woken(&first));
        first.pass_on();
        drop(first);
        assert!(is_woken(&second));
    }

    #[test]
    fn one_of_each_is_woken_where_one_is_enough() {
        let waiters = Waiters::default();
        let bobs: [_; 2] = enter(&waiters, &work("bob"));
        let carols: [_; 2] = enter(&waiters, &work("carol"));
        let callers: [_; 2] = enter(&waiters, &verdict("one"));
        waiters.wake_one_of_each();
        assert_eq!(woken(&bobs), [true, false]);
        assert_eq!(woken(&carols), [true, false]);
        assert_eq!(woken(&callers), [false, false]);
    }

    #[test]
    fn a_place_is_free_again_when_its_waiter_leaves() {
        let waiters = Waiters::default();
        let enter = || waiters.enter(verdict("one"));
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
        let places: [_; 2] = enter(&waiters, &work("bob"));
        waiters.close();
        assert_eq!(woken(&places), [true, true]);
        assert_eq!(waiters.enter(verdict("two")).err(), Some(NoPlace::Closed));
    }
}
