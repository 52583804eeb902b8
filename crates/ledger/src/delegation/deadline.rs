//! The hard end of a delegation.

use crate::time::Time;

use super::refusal::Refusal;

/// Deadline where none is given: six hours from now.
pub const DEADLINE_S_DEFAULT: u32 = 6 * 3600;
/// Farthest deadline: 366 days from now.
pub const DEADLINE_S_MAX: u32 = 366 * 24 * 3600;

/// A deadline as somebody asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeadlineRequest {
    /// At this moment.
    At(Time),
    /// So many seconds from now.
    In(u32),
}

impl DeadlineRequest {
    /// The moment itself, if it lies ahead and not too far.
    pub fn at(self, now: Time) -> Result<Time, Refusal> {
        let (field, deadline) = match self {
            Self::At(time) => ("deadline", time),
            Self::In(seconds) => ("deadline_s", now.plus_s(seconds)),
        };
        if deadline <= now {
            return Err(Refusal::invalid(field, "must lie in the future"));
        }
        if deadline > now.plus_s(DEADLINE_S_MAX) {
            return Err(Refusal::invalid(field, "must be at most 366 days ahead"));
        }
        Ok(deadline)
    }
}
