//! The sweeper's day: a pass at once, one per interval, and one whenever something is due.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use consign_ledger::query::Lane;
use consign_ledger::{Failure, Reader, Store, Time};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::guard::guarded;
use crate::schedule::{THROTTLE, nap, pause};
use crate::turnstile::Why;
use crate::{Shared, Sweeper};

/// How often what was kept only for a while is forgotten, in milliseconds.
const TIDY_EVERY_MS: i64 = 3_600_000;

impl<S: Store> Sweeper<S> {
    pub(crate) async fn sweep_for_ever(&self) -> Infallible {
        // The safety net runs by the machine's timer alone, whatever the ledger's clock does.
        let mut ticks =
            interval(Duration::from_secs(self.shared.settings.interval_s.max(1).into()));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut tidied_at = None;
        loop {
            let why = tokio::select! {
                biased;
                _ = ticks.tick() => Why::Interval,
                () = self.something_due() => Why::Due,
            };
            self.one_pass(why).await;
            self.tidy(&mut tidied_at).await;
        }
    }

    /// Returns when something is due, but not so soon after a pass that passes would crowd.
    async fn something_due(&self) {
        let mut bell = self.shared.ledger.commits();
        let mut troubled = self.shared.memory().troubled_passes;
        sleep(pause(troubled)).await;
        loop {
            bell.mark_unchanged();
            let looked = guarded("A LOOK AT WHAT IS DUE", next_nap(Arc::clone(&self.shared))).await;
            let nap = looked.ok().flatten().unwrap_or_else(|| {
                troubled = troubled.saturating_add(1);
                pause(troubled)
            });
            if nap.is_zero() {
                return;
            }
            tokio::select! {
                () = sleep(nap) => {}
                () = rung(&mut bell) => {}
            }
        }
    }

    async fn tidy(&self, tidied_at: &mut Option<Time>) {
        let now = self.shared.memory().now;
        if tidied_at.is_some_and(|at| now.since_ms(at) < TIDY_EVERY_MS) {
            return;
        }
        *tidied_at = Some(now);
        let ledger = self.shared.ledger.clone();
        let tidied = guarded("TIDYING", async move { ledger.tidy(now).await }).await;
        if let Ok(Err(failure)) = tidied {
            tracing::warn!(%failure, "what was kept only for a while could not be forgotten");
        }
    }
}

/// Somebody committed: there may be something due earlier. Heard as often as passes may be made.
async fn rung(bell: &mut watch::Receiver<u64>) {
    sleep(THROTTLE).await;
    if bell.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// How long nothing is due; `None` where the store cannot say.
async fn next_nap<S: Store>(shared: Arc<Shared<S>>) -> Option<Duration> {
    let looked = async {
        let now = shared.ledger.reader().reading().await?.now;
        Ok::<_, Failure>(nap(now, earliest(&shared, now).await?))
    };
    looked.await.inspect_err(|failure| tracing::warn!(%failure, "cannot see what is due")).ok()
}

/// The earliest moment at which a pass has something to do.
async fn earliest<S: Store>(shared: &Shared<S>, now: Time) -> Result<Option<Time>, Failure> {
    let (rows, cascades) = (earliest_row(shared, now).await?, earliest_cascade(shared).await?);
    Ok(rows.into_iter().chain(cascades).min())
}

/// What is put off, and what rests, is still due; the first that is neither counts.
async fn earliest_row<S: Store>(shared: &Shared<S>, now: Time) -> Result<Option<Time>, Failure> {
    let reader = shared.ledger.reader();
    let rest = shared.memory().rest.filter(|rest| rest.holds(now));
    let put_off = shared.memory().rows.len();
    if rest.is_none() && put_off == 0 {
        return reader.earliest_due().await;
    }
    // Among what rests there may be some of what is put off.
    let put_off_until = shared.memory().rows.earliest();
    let mut earliest = rest.map(|rest| rest.until()).or(put_off_until);
    for lane in [Lane::Deadline, Lane::Check] {
        let behind = rest.map(|rest| rest.behind());
        let page = reader.due(lane, Time(i64::MAX), behind, put_off + 1).await?;
        let memory = shared.memory();
        let first = page.iter().find(|due| !memory.rows.remembers(due.watch.num));
        earliest = earliest.into_iter().chain(first.map(|due| due.at)).min();
    }
    Ok(earliest)
}

/// A cascade is due as long as it is there.
async fn earliest_cascade<S: Store>(shared: &Shared<S>) -> Result<Option<Time>, Failure> {
    let put_off = shared.memory().cascades.len();
    let cascades = shared.ledger.reader().cascades(put_off + 1).await?;
    let memory = shared.memory();
    let first = cascades.iter().find(|cascade| !memory.cascades.remembers(cascade.num));
    Ok(first.map(|_| Time(i64::MIN)).or(memory.cascades.earliest()))
}
