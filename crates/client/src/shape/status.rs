//! The statuses.

use std::fmt;

use serde::Deserialize;

/// Where a delegation stands.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It waits for its callee.
    Queued,
    /// Its caller has handed it out itself.
    Dispatched,
    /// Its callee was heard.
    InProgress,
    /// A warning, not a death.
    Stuck,
    /// A verdict: answered.
    Completed,
    /// A verdict: given up, or too late.
    Failed,
    /// A verdict: called off.
    Cancelled,
}

impl Status {
    /// Each of them, the ones in flight first.
    pub const ALL: [Self; 7] = [
        Self::Queued,
        Self::Dispatched,
        Self::InProgress,
        Self::Stuck,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Dispatched => "dispatched",
            Self::InProgress => "in_progress",
            Self::Stuck => "stuck",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether its verdict is still to come.
    #[must_use]
    pub const fn in_flight(self) -> bool {
        !matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_printed_as_it_is_read() {
        for status in Status::ALL {
            let read: Status = serde_json::from_str(&format!("\"{status}\"")).unwrap();
            assert_eq!(read, status);
        }
    }
}
