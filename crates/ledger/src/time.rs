//! The ledger's time: whole milliseconds since 1970, read from a store, never from a client.

use std::fmt;
use std::ops::{Add, Sub};
use std::sync::Arc;

/// A moment, in milliseconds since the Unix epoch, as told by the ledger's clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub i64);

/// What the clocks said at one look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The ledger's time: never smaller than the last one.
    pub now: Time,
    /// What the clock behind it really said, in milliseconds; it may have stepped.
    pub wall_ms: i64,
    /// Time since boot, suspend included, in milliseconds; it never steps.
    pub boot_ms: i64,
}

/// What a store asks for the time. Production reads the machine; tests move it by hand.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since the Unix epoch, as the machine believes; an administrator may step it.
    fn wall_ms(&self) -> i64;

    /// Milliseconds since boot, suspend included; it only ever grows.
    fn boot_ms(&self) -> i64;
}

impl<T: Clock + ?Sized> Clock for Arc<T> {
    fn wall_ms(&self) -> i64 {
        (**self).wall_ms()
    }

    fn boot_ms(&self) -> i64 {
        (**self).boot_ms()
    }
}

/// How far a clock may be behind for the ledger's time to wait for it, in milliseconds.
const WAIT_MS_MAX: i64 = 2000;

/// The ledger's time over a machine's clocks: it never falls, and never stands still for long.
///
/// Where the wall clock was set back a little, time stands still until the clock has caught up. Where it was set
/// back farther, time goes on by the clock that counts since boot, a tenth slower, until the wall clock has
/// caught up: deadlines and silence still run out, and an hour is made good in ten.
#[derive(Clone, Copy, Debug, Default)]
pub struct Steady {
    latest: Time,
    /// From which time, and from how many milliseconds since boot, it goes on without the wall clock: where it
    /// left it, or, while it follows it, the last reading.
    from: Option<(Time, i64)>,
}

impl Steady {
    /// A time that begins no earlier than `latest`, the last moment that was written down.
    #[must_use]
    pub fn after(latest: Time) -> Self {
        Self { latest, from: None }
    }

    /// What the ledger's time is when the clocks say this.
    pub fn reading(&mut self, wall_ms: i64, boot_ms: i64) -> Reading {
        let ahead_ms = self.latest.since_ms(Time(wall_ms));
        if ahead_ms <= WAIT_MS_MAX {
            self.latest = self.latest.max(Time(wall_ms));
            self.from = Some((self.latest, boot_ms));
        } else {
            let (from, boot_then_ms) = *self.from.get_or_insert((self.latest, boot_ms));
            let passed_ms = (boot_ms - boot_then_ms).max(0);
            self.latest = self.latest.max(from + (passed_ms - passed_ms / 10));
        }
        Reading { now: self.latest, wall_ms, boot_ms }
    }

    /// The last time that was told.
    #[must_use]
    pub fn latest(&self) -> Time {
        self.latest
    }

    /// How many milliseconds the wall clock lies behind, where that is too much to wait for it.
    #[must_use]
    pub fn behind_ms(&self, wall_ms: i64) -> Option<i64> {
        Some(self.latest.since_ms(Time(wall_ms))).filter(|behind_ms| *behind_ms > WAIT_MS_MAX)
    }
}

impl Time {
    /// This moment and `seconds` more, or the end of time.
    #[must_use]
    pub fn plus_s(self, seconds: u32) -> Self {
        Self(self.0.saturating_add(i64::from(seconds) * 1000))
    }

    /// Milliseconds from `earlier` to here; 0 where `earlier` is later.
    #[must_use]
    pub fn since_ms(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0).max(0)
    }
}

/// RFC 3339 in UTC, with milliseconds: `2026-01-31T12:00:00.000Z`.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::MAX);
        write!(f, "{time:.3}")
    }
}

impl Add<i64> for Time {
    type Output = Self;
    fn add(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }
}

impl Sub<i64> for Time {
    type Output = Self;
    fn sub(self, ms: i64) -> Self {
        Self(self.0.saturating_sub(ms))
    }
}

/// A length of time, rounded to whole seconds and printed as Go's `time.Duration`: `12m5s`.
#[derive(Clone, Copy, Debug)]
pub struct Span(pub i64);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = (self.0.max(0) + 500) / 1000;
        let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        match (hours, minutes) {
            (0, 0) => write!(f, "{rest}s"),
            (0, _) => write!(f, "{minutes}m{rest}s"),
            _ => write!(f, "{hours}h{minutes}m{rest}s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Span, Steady, Time};

    #[test]
    fn the_ledgers_time_never_falls_and_never_stands_still_for_long() {
        let mut steady = Steady::after(Time(500));
        for (what, wall_ms, boot_ms, now) in [
            ("no earlier than what was written down", 0, 0, 500),
            ("the wall clock is followed", 100_000, 1_000, 100_000),
            ("set back a little, it is waited for", 99_000, 1_100, 100_000),
            ("", 100_100, 2_200, 100_100),
            ("set forward, it is followed", 700_100, 3_000, 700_100),
            ("set back far, time goes on a tenth slower", 600_000, 4_000, 701_000),
            ("", 600_000, 4_001, 701_001),
            ("", 610_000, 13_000, 709_100),
            ("a restless clock changes nothing", 300_000, 23_000, 718_100),
            ("until it has caught up", 717_000, 23_500, 718_100),
            ("", 719_000, 25_500, 719_000),
        ] {
            assert_eq!(steady.reading(wall_ms, boot_ms).now, Time(now), "{what} {wall_ms}");
        }
        assert_eq!((steady.behind_ms(717_000), steady.behind_ms(700_000)), (None, Some(19_000)));
    }

    #[test]
    fn a_time_prints_as_rfc_3339_with_milliseconds() {
        assert_eq!(super::Time(1_769_860_800_000).to_string(), "2026-01-31T12:00:00.000Z");
        assert_eq!(super::Time(7).to_string(), "1970-01-01T00:00:00.007Z");
    }

    #[test]
    fn a_span_prints_as_go_prints_it() {
        for (ms, text) in [
            (0, "0s"),
            (499, "0s"),
            (500, "1s"),
            (5_000, "5s"),
            (60_000, "1m0s"),
            (725_000, "12m5s"),
            (3_600_000, "1h0m0s"),
            (90_061_000, "25h1m1s"),
        ] {
            assert_eq!(Span(ms).to_string(), text);
        }
    }
}
