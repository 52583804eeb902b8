//! What a caller may set per delegation: how long things may last, and what follows.

use super::status::words;

/// Longest duration that a term may name, in seconds: 366 days.
pub const TERM_S_MAX: u32 = 366 * 24 * 3600;
/// Most attempts that a delegation may have.
pub const ATTEMPTS_MAX: u32 = 1000;

words!(
    /// What follows when nobody began within `start_within_s`.
    OnNotStarted {
        /// A warning.
        Stuck => "stuck",
        /// The verdict.
        Fail => "fail",
    }
);

/// Which warnings reach the caller's inbox beside the verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Notify {
    /// When it becomes stuck.
    pub stuck: bool,
    /// When it recovers.
    pub recovered: bool,
}

/// The terms of one delegation. Durations are whole seconds; `None` is the default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// How long a silence may last; `None`: the ledger's threshold.
    pub stuck_threshold_s: Option<u32>,
    /// How long it may stay stuck before it is handed out again or failed.
    pub stuck_grace_s: Option<u32>,
    /// By when somebody must have begun.
    pub start_within_s: Option<u32>,
    /// What follows when nobody has.
    pub on_not_started: OnNotStarted,
    /// How long heartbeats may come without progress.
    pub progress_within_s: Option<u32>,
    /// Higher goes first.
    pub priority: i32,
    /// Warnings for the caller's inbox.
    pub notify: Notify,
    /// Whether its children end with it however it ends.
    pub cancel_children: bool,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            stuck_threshold_s: None,
            stuck_grace_s: None,
            start_within_s: None,
            on_not_started: OnNotStarted::Stuck,
            progress_within_s: None,
            priority: 0,
            notify: Notify::default(),
            cancel_children: false,
        }
    }
}
