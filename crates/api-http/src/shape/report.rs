//! What one pass of the sweeper saw and did.

use consign_ledger::query::SweepReport as Report;
use serde::Serialize;
use utoipa::ToSchema;

use crate::wire::{Moment, Wire};

/// The report of one pass.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SweepReport {
    /// Delegations failed because their deadline had passed.
    deadline_failures: u64,
    /// Delegations marked stuck.
    stuck_marked: u64,
    /// Delegations, or whole steps of the pass, that failed.
    errors: u64,
    /// Delegations handed out again.
    requeued: u64,
    /// Delegations looked at whole.
    examined: u64,
    /// Delegations to be looked at again later.
    rearmed: u64,
    /// Silence verdicts that the brake held back.
    held: u64,
    started_at: Moment,
    duration_ms: u64,
}

impl From<&Report> for SweepReport {
    fn from(report: &Report) -> Self {
        Self {
            deadline_failures: report.deadline_failures,
            stuck_marked: report.stuck_marked,
            errors: report.errors,
            requeued: report.requeued,
            examined: report.examined,
            rearmed: report.rearmed,
            held: report.held,
            started_at: Wire(report.started_at),
            duration_ms: report.duration_ms,
        }
    }
}
