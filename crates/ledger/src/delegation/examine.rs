//! What the ledger concludes when it looks at one delegation: the arms of the sweep, in their order.

use crate::time::{Span, Time};

use super::Delegation;
use super::change::Change;
use super::listening::Listening;
use super::status::{FailureKind, Status, StuckReason, words};
use super::terms::OnNotStarted;
use super::watch::{REARM_MS_MIN, left_ms};

words!(
    /// Which rule speaks.
    Arm {
        /// The hard end.
        Deadline => "deadline",
        /// Stuck for too long.
        Grace => "grace",
        /// A wait ends.
        Waiting => "waiting",
        /// Nobody began.
        Start => "start",
        /// No heartbeat.
        Silence => "silence",
        /// No progress.
        Progress => "progress",
    }
);

/// What a look found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// It is terminal; there is nothing to look for.
    Over,
    /// Something is due, by this arm.
    Due(Arm, Change),
    /// Something would be due, and the brake holds it until then.
    Held(Arm, Time),
    /// Nothing is due. Unless it changes, this arm speaks at this time.
    Later(Arm, Time),
}

/// The error detail of a missed deadline.
pub const DEADLINE_DETAIL: &str = "deadline exceeded by sweeper";

/// One arm's view of a delegation.
type View = Option<Finding>;

impl Delegation {
    /// Looks at the delegation as it is at `now`. A moment is past when `now` is greater.
    #[must_use]
    pub fn examine(&self, listening: &Listening, now: Time, threshold_s: u32) -> Finding {
        if !self.in_flight() {
            return Finding::Over;
        }
        // The deadline first: it is the stronger statement, and catches what beats for ever.
        if now > self.deadline {
            let detail = Some(DEADLINE_DETAIL.to_owned());
            let change = Change::Failed { kind: FailureKind::DeadlineExceeded, detail };
            return Finding::Due(Arm::Deadline, change);
        }
        let view = match self.status {
            Status::Stuck => self.grace_view(listening, now, threshold_s),
            Status::Queued | Status::Dispatched => self.start_view(listening, now),
            _ if self.waiting.is_some() => self.waiting_view(now),
            _ => self.beating_view(listening, now, threshold_s),
        };
        match view {
            Some(Finding::Later(_, at)) if at >= self.deadline => self.until_deadline(),
            Some(finding) => finding,
            None => self.until_deadline(),
        }
    }

    /// When it wants to be looked at next, as far as its row alone tells. `None`: not before its deadline, which has an
    /// index of its own.
    #[must_use]
    pub fn check_at(&self, threshold_s: u32) -> Option<Time> {
        self.next_arm(threshold_s).filter(|at| *at < self.deadline)
    }

    /// When the first arm behind the deadline's would speak.
    fn next_arm(&self, threshold_s: u32) -> Option<Time> {
        match self.status {
            Status::Queued | Status::Dispatched => {
                Some(self.queued_at.plus_s(self.terms.start_within_s?))
            }
            Status::Stuck => Some(self.stuck_at?.plus_s(self.grace_s(threshold_s)?)),
            Status::InProgress => match &self.waiting {
                Some(waiting) => Some(waiting.until),
                None => self.next_clock(threshold_s),
            },
            Status::Completed | Status::Failed | Status::Cancelled => None,
        }
    }

    fn next_clock(&self, threshold_s: u32) -> Option<Time> {
        let silence = self.silent_from()?.plus_s(self.threshold_s(threshold_s));
        let progress =
            self.terms.progress_within_s.zip(self.progress_from()).map(|(s, from)| from.plus_s(s));
        Some(progress.map_or(silence, |progress| progress.min(silence)))
    }

    /// How long a silence may last, in seconds.
    #[must_use]
    pub fn threshold_s(&self, default_s: u32) -> u32 {
        self.terms.stuck_threshold_s.unwrap_or(default_s)
    }

    /// How long it may stay stuck, in seconds; `None`: until the deadline.
    #[must_use]
    pub fn grace_s(&self, default_s: u32) -> Option<u32> {
        let absent = (self.max_attempts > 1).then(|| self.threshold_s(default_s));
        self.terms.stuck_grace_s.or(absent)
    }

    fn until_deadline(&self) -> Finding {
        Finding::Later(Arm::Deadline, self.deadline)
    }

    fn grace_view(&self, listening: &Listening, now: Time, threshold_s: u32) -> View {
        let (grace_s, since) = (self.grace_s(threshold_s)?, self.stuck_at?);
        if let Some(left) = left_ms(listening, since, now, grace_s) {
            return Some(later(Arm::Grace, now, left));
        }
        let why = Some(format!("stuck for {}", Span(listening.between_ms(since, now))));
        let change = if self.attempt < self.max_attempts {
            Change::Requeued { callee_id: self.callee_id.clone(), deadline: self.deadline, why }
        } else {
            let detail = why.map(|why| format!("{why}, and no attempt is left"));
            Change::Failed { kind: FailureKind::AttemptsExhausted, detail }
        };
        Some(Finding::Due(Arm::Grace, change))
    }

    fn waiting_view(&self, now: Time) -> View {
        let until = self.waiting.as_ref()?.until;
        Some(if now > until {
            Finding::Due(Arm::Waiting, Change::Resumed(until))
        } else {
            Finding::Later(Arm::Waiting, until)
        })
    }

    fn start_view(&self, listening: &Listening, now: Time) -> View {
        let start_within_s = self.terms.start_within_s?;
        if let Some(left) = left_ms(listening, self.queued_at, now, start_within_s) {
            return Some(later(Arm::Start, now, left));
        }
        let detail =
            Some(format!("not started for {}", Span(listening.between_ms(self.queued_at, now))));
        let change = match self.terms.on_not_started {
            OnNotStarted::Stuck => Change::Stuck { reason: StuckReason::NotStarted, detail },
            OnNotStarted::Fail => Change::Failed { kind: FailureKind::NotStarted, detail },
        };
        Some(Finding::Due(Arm::Start, change))
    }

    /// Silence, then progress; where neither is due, whichever comes first.
    fn beating_view(&self, listening: &Listening, now: Time, threshold_s: u32) -> View {
        let silence =
            Clock { arm: Arm::Silence, reason: StuckReason::Silent, what: "no heartbeat" };
        let progress =
            Clock { arm: Arm::Progress, reason: StuckReason::NoProgress, what: "no progress" };
        let silent =
            silence.look(listening, self.silent_from()?, now, self.threshold_s(threshold_s));
        let idle = self.terms.progress_within_s.zip(self.progress_from());
        let idle = idle.map(|(within_s, from)| progress.look(listening, from, now, within_s));
        Some(match (silent, idle) {
            (Finding::Later(_, silent_at), Some(Finding::Later(arm, idle_at)))
                if idle_at < silent_at =>
            {
                Finding::Later(arm, idle_at)
            }
            (Finding::Later(..), Some(due @ (Finding::Due(..) | Finding::Held(..)))) => due,
            (silent, _) => silent,
        })
    }
}

/// A clock of listening time that ends in a warning.
struct Clock {
    arm: Arm,
    reason: StuckReason,
    what: &'static str,
}

impl Clock {
    fn look(&self, listening: &Listening, from: Time, now: Time, limit_s: u32) -> Finding {
        if let Some(left) = left_ms(listening, from, now, limit_s) {
            return later(self.arm, now, left);
        }
        if let Some(until) = listening.held_until(now) {
            return Finding::Held(self.arm, until);
        }
        let detail = format!("{} for {}", self.what, Span(listening.between_ms(from, now)));
        Finding::Due(self.arm, Change::Stuck { reason: self.reason, detail: Some(detail) })
    }
}

fn later(arm: Arm, now: Time, left_ms: i64) -> Finding {
    Finding::Later(arm, now + left_ms.max(REARM_MS_MIN))
}
