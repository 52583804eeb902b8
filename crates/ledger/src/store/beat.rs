//! Writes that touch nothing but watch rows: beats and re-armings. Only the ledger can make one of these.

use crate::delegation::lease::Epoch;
use crate::delegation::listening::Gap;
use crate::delegation::watch::Watch;
use crate::id::DelegationId;
use crate::payload::Json;
use crate::time::Time;

/// A beat that a matching watch row answers by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BeatRow {
    /// Which delegation.
    pub delegation_id: DelegationId,
    /// The epoch of its lease; 0 without one.
    pub epoch: Epoch,
    /// What advanced; it counts when it differs from what was sent before.
    pub progress: Option<Json>,
}

impl BeatRow {
    pub(crate) fn new(delegation_id: DelegationId, epoch: Epoch, progress: Option<Json>) -> Self {
        Self { delegation_id, epoch, progress }
    }
}

/// What a matching watch row says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The present attempt.
    pub attempt: u32,
    /// The hard end.
    pub deadline: Time,
}

/// Up to when every heartbeat was received and committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mark {
    /// The new mark.
    pub heard_until: Time,
    /// What must be written first, where the mark steps too far.
    pub gap: Option<Gap>,
}

impl Mark {
    pub(crate) fn new(heard_until: Time, gap: Option<Gap>) -> Self {
        Self { heard_until, gap }
    }
}

/// When to look at a row next, if it still is what was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rearm {
    /// The row as it was seen: its number, epoch, check time and deadline must still be the same.
    pub seen: Watch,
    /// The new time; `None` where the deadline comes first, which has an index of its own.
    pub check_at: Option<Time>,
}

impl Rearm {
    pub(crate) fn new(seen: Watch, check_at: Time) -> Self {
        Self { seen, check_at: Some(check_at).filter(|at| *at < seen.deadline) }
    }
}
