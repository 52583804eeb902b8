//! The watch row: the narrow row that heartbeats and passes touch, and nothing else does.

use crate::time::Time;

use super::Delegation;
use super::lease::Epoch;
use super::listening::Listening;
use super::status::Status;

/// A row's dense number inside one store; ids are for clients.
pub type RowNum = i64;

/// A moment is never re-armed sooner than this many milliseconds ahead, so that no row is met in a tight loop.
pub(crate) const REARM_MS_MIN: i64 = 250;

/// What is watched of one delegation in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watch {
    /// Which delegation.
    pub num: RowNum,
    /// Its epoch while it beats (in progress and not waiting), else `None`: then a beat takes the ordinary door.
    pub epoch: Option<Epoch>,
    /// The present attempt, to answer a beat without another look.
    pub attempt: u32,
    /// The last sign of life.
    pub alive_at: Option<Time>,
    /// The last progress.
    pub progress_at: Option<Time>,
    /// The clocks count from no earlier than this.
    pub clocks_from: Option<Time>,
    /// Its own silence threshold; `None`: the ledger's.
    pub threshold_s: Option<u32>,
    /// Its own progress limit.
    pub progress_within_s: Option<u32>,
    /// When it wants to be looked at, where that comes before the deadline; indexed, and never changed by a beat.
    pub check_at: Option<Time>,
    /// The hard end; indexed.
    pub deadline: Time,
}

impl Watch {
    /// The watch row that belongs to this delegation in flight.
    #[must_use]
    pub fn of(num: RowNum, d: &Delegation, threshold_s: u32) -> Self {
        let beats = d.status == Status::InProgress && d.waiting.is_none();
        Self {
            num,
            epoch: beats.then_some(d.epoch),
            attempt: d.attempt,
            alive_at: d.last_heartbeat,
            progress_at: d.progress_at,
            clocks_from: d.clocks_from,
            threshold_s: d.terms.stuck_threshold_s,
            progress_within_s: d.terms.progress_within_s,
            check_at: d.check_at(threshold_s),
            deadline: d.deadline,
        }
    }

    /// Where a look at this row alone shows that it is alive: when to look again.
    ///
    /// `None` means that the whole delegation must be examined. Never a verdict.
    #[must_use]
    pub fn glance(&self, listening: &Listening, now: Time, threshold_s: u32) -> Option<Time> {
        self.epoch?;
        if now > self.deadline {
            return None;
        }
        let silence = left_ms(
            listening,
            self.alive_at.max(self.clocks_from)?,
            now,
            self.threshold_s.unwrap_or(threshold_s),
        )?;
        let progress = match self.progress_within_s {
            Some(within_s) => {
                left_ms(listening, self.progress_at.max(self.clocks_from)?, now, within_s)?
            }
            None => i64::MAX,
        };
        Some(now + silence.min(progress).max(REARM_MS_MIN))
    }
}

/// Milliseconds of listening time that are left of `limit_s`, if it has not passed.
pub(crate) fn left_ms(listening: &Listening, from: Time, now: Time, limit_s: u32) -> Option<i64> {
    let left = i64::from(limit_s) * 1000 - listening.between_ms(from, now);
    (left >= 0).then_some(left)
}
