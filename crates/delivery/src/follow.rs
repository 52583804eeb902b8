//! Reads the log behind a place in it, and wakes who waits for what it tells.
//!
//! It never has to know what it missed: whenever it takes a new place, everybody who waits looks for himself.

use std::time::Duration;

use consign_ledger::query::{EventQuery, PAGE_MAX};
use consign_ledger::{Failure, Ledger, Reader, Seq, Store};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep};

use crate::topic::concerned;
use crate::waiters::Waiters;

/// The longest that a lost bell can cost.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// The first pause after a failure, and the longest.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));
/// Full pages in a row after which it is cheaper to let everybody look than to read on.
const PAGES_BEHIND_MAX: usize = 20;

/// The one who reads.
pub(crate) struct Following<S> {
    ledger: Ledger<S>,
    waiters: Waiters,
    /// Failures in a row.
    failures: u32,
}

/// What a look at the log came to.
#[derive(PartialEq, Eq)]
enum Look {
    CaughtUp,
    FarBehind,
}

impl<S: Store> Following<S> {
    pub(crate) fn new(ledger: Ledger<S>, waiters: Waiters) -> Self {
        Self { ledger, waiters, failures: 0 }
    }

    /// Reads on and on; a failure costs a pause.
    pub(crate) async fn for_ever(mut self) {
        loop {
            if let Err(failure) = self.follow_from_now_on().await {
                self.failures = self.failures.saturating_add(1);
                tracing::error!(%failure, in_a_row = self.failures, "the log cannot be read; those who wait are woken later");
                sleep(pause(self.failures)).await;
            }
        }
    }

    /// Follows the log from its end on, while somebody waits. Nobody waits for most of what happens, and
    /// then the log is not read at all.
    async fn follow_from_now_on(&mut self) -> Result<(), Failure> {
        self.waiters.somebody().await;
        let mut bell = self.ledger.commits();
        let mut after = self.ledger.reader().newest_seq().await?;
        // What was written before this place was taken is found by looking.
        self.waiters.wake_all();
        let mut looks = interval_at(Instant::now() + LOOK_EVERY, LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !self.waiters.is_empty() {
            bell.mark_unchanged();
            if self.look(&mut after).await? == Look::FarBehind {
                tracing::warn!(after, "the follower lags; everybody who waits looks for himself");
                return Ok(());
            }
            tokio::select! {
                // Never gone, since the ledger is here.
                _ = bell.changed() => {}
                // A lost bell costs only so long, and so does work that its finder could not take after all.
                _ = looks.tick() => self.waiters.wake_one_of_each(),
            }
        }
        Ok(())
    }

    /// Reads what is behind `after`.
    async fn look(&mut self, after: &mut Seq) -> Result<Look, Failure> {
        for _ in 0..PAGES_BEHIND_MAX {
            let query = EventQuery { delegation_id: None, after: *after, limit: PAGE_MAX };
            let page = self.ledger.reader().events(query).await?;
            self.failures = 0;
            page.events.iter().flat_map(concerned).for_each(|topic| self.waiters.wake(&topic));
            *after = page.events.last().map_or(*after, |event| event.seq);
            if page.next.is_none() {
                return Ok(Look::CaughtUp);
            }
        }
        Ok(Look::FarBehind)
    }
}

/// How long to leave the store alone after so many failures in a row.
pub(crate) fn pause(failures: u32) -> Duration {
    let (first, longest) = PAUSE;
    first.saturating_mul(1 << failures.saturating_sub(1).min(30)).min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_lengthen_the_pause_up_to_a_bound() {
        for (failures, ms) in [(0, 100), (1, 100), (2, 200), (5, 1600), (6, 2000), (u32::MAX, 2000)]
        {
            assert_eq!(pause(failures), Duration::from_millis(ms), "{failures}");
        }
    }
}
