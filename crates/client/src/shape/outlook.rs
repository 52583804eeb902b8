//! What would happen if nobody said anything any more.

use jiff::Timestamp;
use serde::Deserialize;

use super::Status;

/// The explanation of one delegation.
#[derive(Clone, Debug, Deserialize)]
pub struct Outlook {
    /// Which.
    pub delegation_id: String,
    /// Where it stands.
    pub status: Status,
    /// What comes next by the clock alone; none once it is terminal.
    pub next: Option<Next>,
    /// Listening time since its last sign of life, where a clock of silence runs.
    pub silence_s: Option<i64>,
    /// What was not counted as silence.
    pub gaps: Vec<Gap>,
    /// Whether the brake holds its verdict.
    pub held: bool,
}

/// The next step by the clock.
#[derive(Clone, Debug, Deserialize)]
pub struct Next {
    /// When.
    pub at: Timestamp,
    /// By which rule.
    pub arm: String,
    /// What it would be then.
    pub would_become: Status,
    /// A sentence.
    pub because: String,
}

/// A stretch of time that does not count as silence.
#[derive(Clone, Debug, Deserialize)]
pub struct Gap {
    /// Its begin.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
    /// Why.
    pub cause: String,
}
