//! Moves the ledger's mark each second: up to then it heard every heartbeat.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use consign_ledger::{Ledger, Store};
use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior, interval};

/// How often the mark moves.
const PERIOD: Duration = Duration::from_secs(1);
/// Periods without an answer after which the ledger counts as wedged.
const PERIODS_UNANSWERED_MAX: u32 = 60;

/// Keeps the mark moving until the ledger stops. Ends before only where the ledger does not answer any more.
pub(crate) async fn keep_listening<S: Store>(
    ledger: Ledger<S>,
    mut stopping: watch::Receiver<bool>,
) {
    let ask = || {
        let ledger = ledger.clone();
        // An answer that it could not be written is an answer: the ledger has logged it, and the next second
        // tries again.
        async move { drop(ledger.listen().await) }
    };
    tokio::select! {
        _ = stopping.wait_for(|stopping| *stopping) => {}
        () = until_unanswered(ask) => {}
    }
}

/// Asks once per period, until one question stays without an answer for too many of them.
async fn until_unanswered<A: Future<Output = ()>>(ask: impl Fn() -> A) {
    let mut ticks = interval(PERIOD);
    // A process that was suspended for an hour must see one tick, not an hour's worth without an answer.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if !answered(ask(), &mut ticks).await {
            tracing::error!("the ledger has not answered for {PERIODS_UNANSWERED_MAX} seconds");
            return;
        }
    }
}

async fn answered(answer: impl Future<Output = ()>, ticks: &mut Interval) -> bool {
    let mut answer = pin!(answer);
    for _ in 0..PERIODS_UNANSWERED_MAX {
        tokio::select! {
            biased;
            () = &mut answer => return true,
            _ = ticks.tick() => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use tokio::time::{Instant, sleep};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_asks_each_second_and_ends_when_an_answer_stays_out_for_a_minute() {
        let (begun, asked) = (Instant::now(), Cell::new(0));
        let ask = || {
            asked.set(asked.get() + 1);
            let answers_after_s = [0, 0, 50, 0, u64::MAX / 1000][asked.get() - 1];
            sleep(Duration::from_secs(answers_after_s))
        };
        until_unanswered(ask).await;
        assert_eq!(asked.get(), 5);
        let seconds = begun.elapsed().as_secs();
        assert!((110..=116).contains(&seconds), "{seconds}");
    }
}
