//! What a pass had to leave undone although it was due, left alone for a moment: all of it together, by one place.
//!
//! No row is remembered for it. What somebody else holds may be thousands of rows, and there is nothing wrong with them.

use consign_ledger::Time;
use consign_ledger::delegation::watch::RowNum;

use crate::schedule::pause;

/// Why something that was due is still there after a pass that met no trouble.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Left {
    /// Nothing is.
    #[default]
    Nothing,
    /// Somebody else held it, or was faster.
    ToOthers,
    /// It failed, and there is no room to remember it by itself.
    Failing,
}

/// What was due before a moment waits; what became due since does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rest {
    before: Time,
    until: Time,
    times: u32,
}

impl Rest {
    /// After a pass that began at `now` and ended at `ended`: `last` is what rested before, if it was ever so.
    pub(crate) fn after(last: Option<Self>, left: Left, now: Time, ended: Time) -> Option<Self> {
        match last.filter(|rest| rest.holds(now)) {
            // The pass went round what rests, which is not put off again by what it left beside it.
            Some(rest) if left == Left::Nothing => Some(rest),
            Some(rest) => Some(Self { before: now, ..rest }),
            None if left == Left::Nothing => None,
            None => {
                let again = last.filter(|_| left == Left::Failing);
                let times = again.map_or(1, |rest| rest.times.saturating_add(1));
                let ms = i64::try_from(pause(times).as_millis()).unwrap_or(i64::MAX);
                Some(Self { before: now, until: ended + ms, times })
            }
        }
    }

    /// Whether a pass at `now` goes round it.
    pub(crate) fn holds(&self, now: Time) -> bool {
        now < self.until
    }

    /// Where a pass that goes round it begins. What was due just then was not past, and does not belong to it.
    pub(crate) fn behind(&self) -> (Time, RowNum) {
        (self.before - 1, RowNum::MAX)
    }

    /// When it is over.
    pub(crate) fn until(&self) -> Time {
        self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What rests after passes that begin at these moments, take a tenth of a second and leave so much.
    fn after(passes: &[(i64, Left)]) -> Option<(i64, i64)> {
        let step =
            |last, (now, left): &(i64, Left)| Rest::after(last, *left, Time(*now), Time(now + 100));
        passes.iter().fold(None, step).map(|rest| (rest.before.0, rest.until.0))
    }

    #[test]
    fn what_others_hold_rests_for_a_second_and_what_came_later_ends_with_it() {
        use Left::{Nothing, ToOthers};
        for (what, passes, rests) in [
            ("nothing was left", vec![(1000, Nothing)], None),
            ("some was", vec![(1000, ToOthers)], Some((1000, 2100))),
            ("a pass beside it", vec![(1000, ToOthers), (1500, Nothing)], Some((1000, 2100))),
            ("more was left", vec![(1000, ToOthers), (1500, ToOthers)], Some((1500, 2100))),
            ("it is over", vec![(1000, ToOthers), (2100, Nothing)], None),
            ("still held", vec![(1000, ToOthers), (2100, ToOthers)], Some((2100, 3200))),
        ] {
            assert_eq!(after(&passes), rests, "{what}");
        }
    }

    #[test]
    fn what_fails_again_and_again_rests_for_longer_and_longer() {
        let mut passes = vec![];
        for (now, until) in [(0, 1100), (1100, 3200), (3200, 7300), (7300, 15_400)] {
            passes.push((now, Left::Failing));
            assert_eq!(after(&passes), Some((now, until)));
        }
    }
}
