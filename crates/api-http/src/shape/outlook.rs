//! What would happen to a delegation if nobody said anything any more, and why.

use consign_ledger::delegation::listening::Gap as LedgerGap;
use consign_ledger::query::{Next as LedgerNext, Outlook as LedgerOutlook};
use serde::Serialize;
use utoipa::ToSchema;

use crate::wire::{Arm, DelegationId, GapCause, Moment, Status, Wire};

/// The explanation of one delegation.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Outlook<'a> {
    delegation_id: DelegationId,
    status: Status,
    /// What comes next by the clock alone; `null` once it is terminal.
    next: Option<Next<'a>>,
    /// Listening time since its last sign of life; `null` where no clock of silence runs.
    silence_s: Option<i64>,
    /// What was subtracted from that.
    gaps: Vec<Gap>,
    /// Whether the brake holds its verdict.
    held: bool,
}

/// The next step by the clock.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Next<'a> {
    /// When. It may be past: then the next pass does it.
    at: Moment,
    /// By which rule.
    arm: Arm,
    would_become: Status,
    because: &'a str,
}

/// A stretch of time that does not count as silence.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Gap {
    from: Moment,
    to: Moment,
    cause: GapCause,
}

impl<'a> From<&'a LedgerOutlook> for Outlook<'a> {
    fn from(outlook: &'a LedgerOutlook) -> Self {
        Self {
            delegation_id: Wire(outlook.delegation_id.clone()),
            status: Wire(outlook.status),
            next: outlook.next.as_ref().map(Next::from),
            silence_s: outlook.silence_s,
            gaps: outlook.gaps.iter().map(Gap::from).collect(),
            held: outlook.held,
        }
    }
}

impl<'a> From<&'a LedgerNext> for Next<'a> {
    fn from(next: &'a LedgerNext) -> Self {
        Self {
            at: Wire(next.at),
            arm: Wire(next.arm),
            would_become: Wire(next.would_become),
            because: &next.because,
        }
    }
}

impl From<&LedgerGap> for Gap {
    fn from(gap: &LedgerGap) -> Self {
        Self { from: Wire(gap.from), to: Wire(gap.to), cause: Wire(gap.cause) }
    }
}
