//! What would happen to a delegation if nobody said anything any more, and why.

use crate::delegation::Delegation;
use crate::delegation::change::Change;
use crate::delegation::examine::{Arm, DEADLINE_DETAIL, Finding};
use crate::delegation::listening::{Gap, Listening};
use crate::delegation::status::Status;
use crate::id::DelegationId;
use crate::time::{Span, Time};

/// The explanation of one delegation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlook {
    /// Which.
    pub delegation_id: DelegationId,
    /// Where it stands.
    pub status: Status,
    /// What comes next by the clock alone; `None` once it is terminal.
    pub next: Option<Next>,
    /// Listening time since its last sign of life, in whole seconds; `None` where no clock of silence runs.
    pub silence_s: Option<i64>,
    /// What was subtracted from that: the gaps since then.
    pub gaps: Vec<Gap>,
    /// Whether the brake holds its verdict.
    pub held: bool,
}

/// The next step by the clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Next {
    /// When. It may be past: then the next pass does it.
    pub at: Time,
    /// By which rule.
    pub arm: Arm,
    /// What it would become.
    pub would_become: Status,
    /// A sentence.
    pub because: String,
}

impl Outlook {
    /// The outlook of this delegation at `now`.
    #[must_use]
    pub fn of(delegation: &Delegation, listening: &Listening, now: Time, threshold_s: u32) -> Self {
        let finding = delegation.examine(listening, now, threshold_s);
        let beats = delegation.status == Status::InProgress && delegation.waiting.is_none();
        let silent_from = delegation.silent_from().filter(|_| beats);
        Self {
            delegation_id: delegation.delegation_id.clone(),
            status: delegation.status,
            held: matches!(finding, Finding::Held(..)),
            next: delegation.next_step(finding, now, threshold_s),
            silence_s: silent_from.map(|from| listening.between_ms(from, now) / 1000),
            gaps: listening.gaps_since(delegation.listens_from()).copied().collect(),
        }
    }
}

impl Delegation {
    fn next_step(&self, finding: Finding, now: Time, threshold_s: u32) -> Option<Next> {
        let (at, arm, would_become, because) = match finding {
            Finding::Over => return None,
            Finding::Due(arm, change) => {
                let mut after = self.clone();
                after.apply(&change, crate::delegation::change::Role::Sweeper, now);
                (now, arm, after.status, due_because(&change))
            }
            Finding::Held(arm, until) => (
                until,
                arm,
                Status::Stuck,
                "held by the brake: most of the fleet fell silent together".to_owned(),
            ),
            Finding::Later(arm, at) => {
                (at, arm, self.would_become(arm), self.later_because(arm, threshold_s))
            }
        };
        Some(Next { at, arm, would_become, because })
    }

    fn would_become(&self, arm: Arm) -> Status {
        match arm {
            Arm::Grace if self.attempt < self.max_attempts => Status::Queued,
            Arm::Deadline | Arm::Grace => Status::Failed,
            Arm::Waiting => Status::InProgress,
            Arm::Start
                if self.terms.on_not_started == crate::delegation::terms::OnNotStarted::Fail =>
            {
                Status::Failed
            }
            Arm::Start | Arm::Silence | Arm::Progress => Status::Stuck,
        }
    }

    fn later_because(&self, arm: Arm, threshold_s: u32) -> String {
        let span = |seconds: u32| Span(i64::from(seconds) * 1000);
        match arm {
            Arm::Deadline => "its deadline ends it, whatever it says".to_owned(),
            Arm::Grace => {
                let grace = span(self.grace_s(threshold_s).unwrap_or_default());
                format!("it may stay stuck for {grace} of listening time")
            }
            Arm::Waiting => "its wait ends and its clocks run again".to_owned(),
            Arm::Start => format!(
                "somebody must begin within {}",
                span(self.terms.start_within_s.unwrap_or_default())
            ),
            Arm::Silence => format!(
                "it may be silent for {} of listening time",
                span(self.threshold_s(threshold_s))
            ),
            Arm::Progress => {
                format!(
                    "it may go without progress for {}",
                    span(self.terms.progress_within_s.unwrap_or_default())
                )
            }
        }
    }
}

fn due_because(change: &Change) -> String {
    let otherwise = match change {
        Change::Resumed(_) => "its wait is over",
        _ => DEADLINE_DETAIL,
    };
    change.reason().unwrap_or(otherwise).to_owned()
}
