//! The brake's question: how much of the fleet was heard lately? The ledger decides what follows.

use consign_ledger::command::{Sweep, Swept};
use consign_ledger::delegation::listening::{Fleet, Listening};
use consign_ledger::{Ledger, Reader, Store, Time};

use crate::pass::Broken;

/// How far back gaps are looked at, in milliseconds: one day.
const REACH_MS: i64 = 24 * 3600 * 1000;

/// What was done about the brake in a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Brake {
    /// No silence has to be judged so far.
    NotAsked,
    /// The ledger decided, or nobody wants it to.
    Settled,
    /// It could not be asked, so no silence is judged in this pass.
    Unknown,
}

/// Has the ledger decide whether mass silence holds the silence verdicts. Whether it does, since now.
pub(crate) async fn ask<S: Store>(ledger: &Ledger<S>, now: Time) -> Result<bool, Broken> {
    let threshold_s = ledger.settings().stuck_threshold_s;
    let fleet = fleet(ledger.reader(), now, threshold_s).await?;
    let answers = ledger.sweep(vec![Sweep::Brake(fleet)]).await;
    let mut pulled = false;
    for answer in answers {
        if answer? == Swept::Braked {
            pulled = true;
            tracing::warn!(
                beating = fleet.beating,
                silent = fleet.beating.saturating_sub(fleet.heard_lately),
                held_s = threshold_s,
                "THE BRAKE IS ON: most of the fleet fell silent together, which is the network more often \
                 than their death; nothing is marked stuck for its silence meanwhile, deadlines go on"
            );
        }
    }
    Ok(pulled)
}

/// The beating fleet, and how many of it were heard within the last half threshold of listening time.
pub(crate) async fn fleet<R: Reader>(
    reader: &R,
    now: Time,
    threshold_s: u32,
) -> Result<Fleet, consign_ledger::Failure> {
    let listening = reader.listening(now - REACH_MS).await?;
    let half_ms = i64::from(threshold_s) * 500;
    reader.fleet(listened_since(&listening, now, half_ms) + half_ms, threshold_s).await
}

/// The latest moment since which the ledger has listened for so long.
///
/// A fleet that could not be heard is not a fleet that fell silent: without this, each restart that takes
/// longer than half a threshold would pull the brake.
fn listened_since(listening: &Listening, now: Time, listened_ms: i64) -> Time {
    let heard_until = listening.heard_until().unwrap_or(now).min(now);
    let gaps = listening.gaps_since(Time(i64::MIN)).map(|gap| gap.from);
    let calm_before = gaps.min().unwrap_or(heard_until).min(heard_until);
    let (mut enough, mut too_late) = (calm_before - listened_ms, now - listened_ms + 1);
    while too_late.since_ms(enough) > 1 {
        let middle = enough + too_late.since_ms(enough) / 2;
        if listening.between_ms(middle, now) >= listened_ms {
            enough = middle;
        } else {
            too_late = middle;
        }
    }
    enough
}

#[cfg(test)]
mod tests {
    use consign_ledger::delegation::listening::{Gap, GapCause};

    use super::*;

    #[test]
    fn half_a_threshold_of_listening_reaches_back_over_gaps() {
        let gap = |from, to| Gap { from: Time(from), to: Time(to), cause: GapCause::Restart };
        for (what, heard_until, gaps, since) in [
            ("no gap", 100_000, vec![], 95_000),
            ("the mark is a little behind", 99_400, vec![], 94_400),
            ("a gap long ago", 100_000, vec![gap(10_000, 20_000)], 95_000),
            ("a gap just now", 100_000, vec![gap(40_000, 100_000)], 35_000),
            ("a gap within", 100_000, vec![gap(96_000, 98_000)], 93_000),
            ("two that overlap", 100_000, vec![gap(95_000, 98_000), gap(96_000, 99_000)], 91_000),
            ("deaf without a gap", 50_000, vec![], 45_000),
            ("the brake itself", 100_000, vec![gap(99_000, 109_000)], 94_000),
        ] {
            let listening = Listening::new(Some(Time(heard_until)), gaps);
            assert_eq!(listened_since(&listening, Time(100_000), 5000), Time(since), "{what}");
        }
    }

    #[test]
    fn without_a_mark_everybody_counts_as_heard() {
        let since = listened_since(&Listening::default(), Time(100_000), 5000);
        assert_eq!(since, Time(95_000), "no silence can be judged without a mark anyway");
    }
}
