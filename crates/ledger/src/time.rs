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
    use super::Span;

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
