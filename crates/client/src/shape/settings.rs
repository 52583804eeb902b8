//! What a server runs by.

use serde::Deserialize;

/// The settings in force.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Settings {
    /// Where its ledger is.
    pub ledger: String,
    /// The longest pause between two sweeps.
    pub sweeper_interval_s: u32,
    /// How long a silence may last, where nobody says.
    pub stuck_threshold_s: u32,
    /// Whether mass silence holds the silence verdicts.
    pub brake: bool,
    /// How long an acknowledged verdict is kept, in days; `None`: for ever.
    pub retention_acknowledged_days: Option<u32>,
    /// How long any verdict is kept, in days; `None`: for ever.
    pub retention_days: Option<u32>,
    /// When what was kept long enough goes: `daily` or `asked`.
    pub prune: String,
}
