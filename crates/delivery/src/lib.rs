//! Follows the event log and wakes who waits.
//!
//! A waiter registers under a topic, then looks, then sleeps, so that nothing falls between. The log only says
//! when to look again; the answer is always what is found then.

mod follow;
mod topic;
mod waiters;

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use consign_ledger::delegation::Delegation;
use consign_ledger::delegation::status::Status;
use consign_ledger::{Bodies, DelegationId, Failure, Ledger, Reader, Store};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::sleep;

pub use topic::Topic;
pub use waiters::WAITERS_MAX;

use follow::{Following, pause};
use waiters::{NoPlace, Place, Waiters};

/// Most of those who wait that look at the same time.
const LOOKS_AT_ONCE_MAX: usize = 64;

/// What a waiter waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// The verdict.
    Terminal,
    /// The verdict, or the warning.
    Stuck,
}

impl Until {
    /// Whether a delegation that stands there is what is waited for.
    #[must_use]
    pub fn is_met_by(self, status: Status) -> bool {
        match self {
            Self::Terminal => !status.in_flight(),
            Self::Stuck => !status.in_flight() || status == Status::Stuck,
        }
    }

    fn of(self, id: &DelegationId) -> Topic {
        match self {
            Self::Terminal => Topic::Verdict(id.clone()),
            Self::Stuck => Topic::News(id.clone()),
        }
    }
}

/// [`WAITERS_MAX`] requests wait already; ask again later, or without waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many requests wait already")]
pub struct TooMany;

/// Why a wait for a delegation has no answer.
#[derive(Debug, thiserror::Error)]
pub enum WaitError {
    /// There is no place to wait.
    #[error(transparent)]
    TooMany(#[from] TooMany),
    /// The delegation could not be read.
    #[error(transparent)]
    Failure(#[from] Failure),
}

/// One per process: reads the log and wakes waiters.
pub struct Follower<S> {
    ledger: Ledger<S>,
    waiters: Waiters,
    /// Turns to look: where all who wait are woken together, a store has no connection for each.
    turns: Semaphore,
}

impl<S: Store> Follower<S> {
    /// A follower that wakes nobody until it is run.
    #[must_use]
    pub fn new(ledger: Ledger<S>) -> Self {
        Self { ledger, waiters: Waiters::default(), turns: Semaphore::new(LOOKS_AT_ONCE_MAX) }
    }

    /// How many requests wait for something now.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiters.count()
    }

    /// Follows the log until `stop` becomes true or its sender is gone.
    ///
    /// Then everybody who waits is answered at once, and nobody waits any more.
    pub async fn run(&self, mut stop: watch::Receiver<bool>) {
        let _closing = Closing(&self.waiters);
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => {}
            never = self.follow_for_ever() => match never {},
        }
    }

    /// The delegation once it is what is waited for, or as it is when `at_most` has passed or the follower
    /// stops; `None` if unknown.
    pub async fn wait(
        &self,
        id: &DelegationId,
        until: Until,
        at_most: Duration,
    ) -> Result<Option<(Delegation, Bodies)>, WaitError> {
        let (reader, topic) = (self.ledger.reader(), until.of(id));
        let look = || async { Ok(reader.find(id).await?) };
        let is_news = |found: &Option<(Delegation, Bodies)>| {
            found.as_ref().is_none_or(|(delegation, _)| until.is_met_by(delegation.status))
        };
        self.wait_for(topic, at_most, look, is_news).await
    }

    /// What a look finds, as soon as that is news, or whatever it is when `at_most` has passed or the follower
    /// stops. Looks at once, and again whenever something happened that concerns the topic.
    pub async fn wait_for<T, E, F>(
        &self,
        topic: Topic,
        at_most: Duration,
        look: impl Fn() -> F,
        is_news: impl Fn(&T) -> bool,
    ) -> Result<T, E>
    where
        E: From<TooMany>,
        F: Future<Output = Result<T, E>>,
    {
        let mut over = pin!(sleep(at_most));
        let place = self.waiters.enter(topic);
        loop {
            let last_look = over.is_elapsed() || at_most.is_zero() || self.waiters.is_closed();
            // Not kept over the sleep, and on the heap: what is found is large, and so is a look, and many wait.
            match Box::pin(self.in_turn(&look)).await? {
                found if is_news(&found) => {
                    place.iter().for_each(Place::pass_on);
                    return Ok(found);
                }
                found if last_look => return Ok(found),
                _ => {}
            }
            match &place {
                Ok(place) => tokio::select! {
                    () = place.woken() => {}
                    () = &mut over => {}
                },
                Err(NoPlace::Closed) => {}
                Err(NoPlace::Full) => return Err(TooMany.into()),
            }
        }
    }

    async fn in_turn<T, F: Future<Output = T>>(&self, look: impl Fn() -> F) -> T {
        // Never closed.
        let _turn = self.turns.acquire().await;
        look().await
    }

    /// A panic costs a pause: whoever takes a new place in the log misses nothing.
    async fn follow_for_ever(&self) -> Infallible {
        let mut panics = 0u32;
        loop {
            // In a set, because that ends its task when it is dropped.
            let mut task = JoinSet::new();
            task.spawn(Following::new(self.ledger.clone(), self.waiters.clone()).for_ever());
            if let Some(Err(died)) = task.join_next().await {
                tracing::error!(%died, "A PANIC IN THE FOLLOWER; it begins again");
            }
            panics = panics.saturating_add(1);
            sleep(pause(panics)).await;
        }
    }
}

/// However the follower ends, nobody waits in vain for it.
struct Closing<'a>(&'a Waiters);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}
