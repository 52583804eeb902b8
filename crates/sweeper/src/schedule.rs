//! When the next pass begins. Pure: no timer, no store.
//!
//! Due times are the ledger's, naps are the machine's. A nap is short enough that the two may disagree: after
//! a suspend, or a step of either clock, the ledger's time is looked at again within a second.

use std::time::Duration;

use consign_ledger::Time;

/// Passes because something is due begin at most four times a second, and commits are listened to no oftener.
pub(crate) const THROTTLE: Duration = Duration::from_millis(250);
/// The longest sleep between two looks at the ledger's clock.
const NAP_MS_MAX: i64 = 1000;
/// The first pause after a pass that met trouble, and the longest.
const TROUBLE_MS: (u64, u64) = (1000, 30_000);

/// How long to sleep before looking again; zero where a pass has something to do now.
///
/// A moment is past when `now` is greater, hence the millisecond.
pub(crate) fn nap(now: Time, earliest: Option<Time>) -> Duration {
    let wait_ms = earliest.map_or(NAP_MS_MAX, |earliest| (earliest + 1).since_ms(now));
    Duration::from_millis(wait_ms.min(NAP_MS_MAX).unsigned_abs())
}

/// How long to leave the store alone after a pass, by how many in a row could not do all that was due.
pub(crate) fn pause(troubled_passes: u32) -> Duration {
    let (first, longest) = TROUBLE_MS;
    match troubled_passes.checked_sub(1) {
        None => THROTTLE,
        Some(doublings) => Duration::from_millis((first << doublings.min(30)).min(longest)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nap_ends_when_the_next_moment_is_past_and_never_lasts_long() {
        for (now, earliest, nap_ms) in [
            (10_000, None, 1000),
            (10_000, Some(10_000), 1),
            (10_000, Some(10_400), 401),
            (10_000, Some(9_999), 0),
            (10_000, Some(0), 0),
            (10_000, Some(10_999), 1000),
            (10_000, Some(9_000_000), 1000),
            (10_000, Some(i64::MAX), 1000),
            (10_000, Some(i64::MIN), 0),
        ] {
            let nap = nap(Time(now), earliest.map(Time));
            assert_eq!(nap, Duration::from_millis(nap_ms), "{now} {earliest:?}");
        }
    }

    #[test]
    fn trouble_lengthens_the_pause_up_to_a_bound() {
        for (troubled, ms) in [
            (0, 250),
            (1, 1000),
            (2, 2000),
            (3, 4000),
            (5, 16_000),
            (6, 30_000),
            (u32::MAX, 30_000),
        ] {
            assert_eq!(pause(troubled), Duration::from_millis(ms), "{troubled}");
        }
    }
}
