//! Listening time: only silence that the ledger could have heard broken is silence.

use super::status::words;
use crate::time::Time;

/// A step of the mark longer than this, in milliseconds, is first written down as a gap.
pub const STEP_MS_MAX: i64 = 2000;
/// The brake holds only where more delegations than this are silent.
const BRAKE_SILENT_MIN: u64 = 20;

words!(
    /// Why the ledger was not listening.
    GapCause {
        /// It was not running.
        Restart => "restart",
        /// It ran and could not receive or commit.
        Pause => "pause",
        /// Its clock stepped.
        Clock => "clock",
        /// So many fell silent together that the network is the likelier reason.
        Brake => "brake",
    }
);

/// A stretch of time that does not count as silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Its beginning.
    pub from: Time,
    /// Its end.
    pub to: Time,
    /// Its reason.
    pub cause: GapCause,
}

impl Gap {
    /// Milliseconds of this gap that lie between the two moments.
    fn overlap_ms(&self, from: Time, to: Time) -> i64 {
        self.to.min(to).since_ms(self.from.max(from))
    }
}

/// What is known of when the ledger listened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listening {
    heard_until: Option<Time>,
    gaps: Vec<Gap>,
}

impl Listening {
    /// The mark up to which every heartbeat was received and committed, and the gaps before it.
    ///
    /// Gaps that overlap are merged, so that no moment is subtracted twice.
    #[must_use]
    pub fn new(heard_until: Option<Time>, gaps: Vec<Gap>) -> Self {
        Self { heard_until, gaps }
    }

    /// Listening time between the two moments, in milliseconds.
    #[must_use]
    pub fn between_ms(&self, from: Time, to: Time) -> i64 {
        let to = self.heard_until.map_or(from, |heard| heard.min(to));
        to.since_ms(from) - self.deaf_ms(from, to)
    }

    /// Milliseconds between the two moments that lie in a gap, each counted once.
    fn deaf_ms(&self, from: Time, to: Time) -> i64 {
        let mut counted_to = from;
        let mut deaf = 0;
        for gap in self.gaps_in_order() {
            deaf += gap.overlap_ms(counted_to, to);
            counted_to = counted_to.max(gap.to);
        }
        deaf
    }

    fn gaps_in_order(&self) -> impl Iterator<Item = &Gap> {
        debug_assert!(
            self.gaps.is_sorted_by_key(|gap| gap.from),
            "a store lists gaps by their beginning"
        );
        self.gaps.iter()
    }

    /// Until when the brake holds every silence verdict, if it does now.
    #[must_use]
    pub fn held_until(&self, now: Time) -> Option<Time> {
        self.brakes().filter(|gap| gap.from <= now && now < gap.to).map(|gap| gap.to).max()
    }

    /// The gaps that matter to a clock running since `from`.
    pub fn gaps_since(&self, from: Time) -> impl Iterator<Item = &Gap> {
        self.gaps.iter().filter(move |gap| gap.to > from)
    }

    /// The mark itself.
    #[must_use]
    pub fn heard_until(&self) -> Option<Time> {
        self.heard_until
    }

    /// Adds a gap that was just decided.
    pub fn add(&mut self, gap: Gap) {
        self.gaps.push(gap);
        self.gaps.sort_by_key(|gap| gap.from);
    }

    fn brakes(&self) -> impl Iterator<Item = &Gap> {
        self.gaps.iter().filter(|gap| gap.cause == GapCause::Brake)
    }

    /// The brake: a gap of one threshold, where most of the fleet fell silent together.
    ///
    /// Not again within two thresholds of the last time, so that the dead are found.
    #[must_use]
    pub fn brake(&self, fleet: Fleet, now: Time, threshold_s: u32) -> Option<Gap> {
        let most_are_silent = fleet.heard_lately * 2 < fleet.beating;
        let many_are_silent = fleet.beating - fleet.heard_lately > BRAKE_SILENT_MIN;
        let braked_lately =
            self.brakes().any(|gap| now < gap.from.plus_s(threshold_s.saturating_mul(2)));
        (most_are_silent && many_are_silent && !braked_lately).then(|| Gap {
            from: now,
            to: now.plus_s(threshold_s),
            cause: GapCause::Brake,
        })
    }
}

/// The beating fleet: delegations in progress that do not wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fleet {
    /// How many beat.
    pub beating: u64,
    /// How many of them were heard within the last half of their threshold.
    pub heard_lately: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gap(from: i64, to: i64, cause: GapCause) -> Gap {
        Gap { from: Time(from), to: Time(to), cause }
    }

    #[test]
    fn only_listening_time_counts() {
        let gaps = vec![
            gap(10, 20, GapCause::Restart),
            gap(15, 30, GapCause::Clock),
            gap(50, 60, GapCause::Pause),
        ];
        let listening = Listening::new(Some(Time(100)), gaps);
        for (from, to, counted) in [
            (0, 10, 10),
            (0, 100, 70),
            (12, 18, 0),
            (12, 40, 10),
            (0, 200, 70),
            (100, 90, 0),
            (55, 100, 40),
        ] {
            assert_eq!(listening.between_ms(Time(from), Time(to)), counted, "{from}..{to}");
        }
    }

    #[test]
    fn without_a_mark_nothing_was_heard() {
        assert_eq!(Listening::default().between_ms(Time(0), Time(1000)), 0);
    }

    #[test]
    fn the_brake_wants_most_and_many_and_not_lately() {
        let calm = Listening::new(Some(Time(0)), vec![]);
        let fleet = |beating, heard_lately| Fleet { beating, heard_lately };
        assert!(calm.brake(fleet(5000, 0), Time(0), 600).is_some());
        assert!(calm.brake(fleet(5000, 2500), Time(0), 600).is_none(), "half were heard");
        assert!(calm.brake(fleet(20, 0), Time(0), 600).is_none(), "20 are few");
        assert!(calm.brake(fleet(21, 0), Time(0), 600).is_some());
        let braked = Listening::new(Some(Time(0)), vec![gap(0, 600_000, GapCause::Brake)]);
        assert!(braked.brake(fleet(5000, 0), Time(1_199_999), 600).is_none());
        assert!(braked.brake(fleet(5000, 0), Time(1_200_000), 600).is_some());
    }
}
