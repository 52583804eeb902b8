//! What the sweeper reports.

use jiff::Timestamp;
use serde::Deserialize;

use super::Outlook;

/// The report of one pass.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "the names are the wire's, explained in docs/http.md")]
pub struct SweepReport {
    pub deadline_failures: u64,
    pub stuck_marked: u64,
    pub errors: u64,
    pub requeued: u64,
    pub examined: u64,
    pub rearmed: u64,
    pub held: u64,
    pub started_at: Timestamp,
    pub duration_ms: u64,
}

/// What a pass did, or would do.
#[derive(Clone, Debug, Deserialize)]
pub struct Swept {
    /// The report.
    #[serde(flatten)]
    pub report: SweepReport,
    /// Row by row; only of a dry run.
    pub rows: Option<Vec<Outlook>>,
    /// Whether there are more; only of a dry run.
    pub truncated: Option<bool>,
}

/// The latest passes, newest first.
#[derive(Clone, Debug, Deserialize)]
pub struct Sweeps {
    /// Their reports.
    pub sweeps: Vec<SweepReport>,
}
