//! How long what is over is kept, and when it may go.

use crate::time::Time;

use super::Delegation;

/// Longest time that a retention may name, in days: ten years.
pub const RETENTION_DAYS_MAX: u32 = 3660;

const DAY_MS: i64 = 24 * 3600 * 1000;

/// How long what is over is kept. `None` keeps it for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// A verdict that its caller has acknowledged, in days from the verdict on.
    pub acknowledged_days: Option<u32>,
    /// Any verdict.
    pub any_days: Option<u32>,
}

/// What stands beside a delegation that is over, and decides whether it may go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ties {
    /// Its caller has acknowledged the message of its verdict.
    pub acknowledged: bool,
    /// A child or a retry names it.
    pub named: bool,
}

/// Why a delegation stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stays {
    /// There is none.
    #[error("there is no such delegation")]
    Unknown,
    /// Its verdict is still out.
    #[error("it is in flight")]
    InFlight,
    /// It is kept for longer than that.
    #[error("it is not old enough")]
    Young,
    /// Its children and its retry go first.
    #[error("a child or a retry of it is still there")]
    Named,
    /// It is not what was looked at.
    #[error("it changed since it was looked at")]
    Changed,
}

impl Retention {
    /// What holds where nobody says otherwise.
    pub const USUAL: Self = Self { acknowledged_days: Some(30), any_days: Some(180) };

    /// Verdicts before this moment may go, acknowledged or not.
    #[must_use]
    pub fn any_before(self, now: Time) -> Option<Time> {
        self.any_days.map(|days| now - i64::from(days) * DAY_MS)
    }

    /// Verdicts before this moment may go, if they were acknowledged.
    #[must_use]
    pub fn acknowledged_before(self, now: Time) -> Option<Time> {
        let acknowledged = self.acknowledged_days.map(|days| now - i64::from(days) * DAY_MS);
        acknowledged.max(self.any_before(now))
    }

    /// Whether it keeps everything for ever.
    #[must_use]
    pub fn is_endless(self) -> bool {
        self == Self::default()
    }

    /// Whether a delegation may go now.
    pub fn lets_go(self, delegation: &Delegation, ties: Ties, now: Time) -> Result<(), Stays> {
        let finished_at = delegation.finished_at.ok_or(Stays::InFlight)?;
        let before =
            if ties.acknowledged { self.acknowledged_before(now) } else { self.any_before(now) };
        if before.is_none_or(|before| finished_at >= before) {
            return Err(Stays::Young);
        }
        if ties.named { Err(Stays::Named) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAYS: [Option<u32>; 3] = [None, Some(30), Some(180)];

    #[test]
    fn acknowledged_or_not_a_verdict_goes_at_the_earlier_of_its_times() {
        let now = Time(400 * DAY_MS);
        for acknowledged_days in DAYS {
            for any_days in DAYS {
                let retention = Retention { acknowledged_days, any_days };
                let kept = acknowledged_days.into_iter().chain(any_days).min();
                let before = kept.map(|days| now - i64::from(days) * DAY_MS);
                assert_eq!(retention.acknowledged_before(now), before, "{retention:?}");
                assert_eq!(
                    retention.any_before(now),
                    any_days.map(|days| now - i64::from(days) * DAY_MS)
                );
            }
        }
    }
}
