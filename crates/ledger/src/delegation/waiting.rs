//! A wait that the callee declares. It stops the silence and progress clocks, never the deadline.

use super::status::words;
use crate::id::DelegationId;
use crate::time::Time;

/// How long a wait lasts where its kind sets no other length, in seconds.
const WAIT_S_DEFAULT: u32 = 3600;

words!(
    /// What is waited for.
    WaitFor {
        /// A person.
        Human => "human",
        /// An authorization.
        Auth => "auth",
        /// The verdict of a child delegation.
        Child => "child",
        /// A rate limit.
        RateLimit => "rate_limit",
        /// Anything else.
        Other => "other",
    }
);

/// A wait as the callee asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitRequest {
    /// What is waited for.
    pub wait_for: WaitFor,
    /// A sentence for people.
    pub note: Option<String>,
    /// The child, where a child is waited for.
    pub child_id: Option<DelegationId>,
    /// How long, in seconds.
    pub for_s: Option<u32>,
}

/// A wait in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// What was asked.
    pub request: WaitRequest,
    /// Since when.
    pub since: Time,
    /// When the clocks run again.
    pub until: Time,
}

impl WaitRequest {
    /// The wait that begins now: to the deadline for people, an hour for the rest, never past the deadline.
    #[must_use]
    pub fn begin(self, now: Time, deadline: Time) -> Waiting {
        let until = match (self.for_s, self.wait_for) {
            (Some(seconds), _) => now.plus_s(seconds),
            (None, WaitFor::Human | WaitFor::Auth) => deadline,
            (None, WaitFor::Child | WaitFor::RateLimit | WaitFor::Other) => {
                now.plus_s(WAIT_S_DEFAULT)
            }
        };
        Waiting { request: self, since: now, until: until.min(deadline) }
    }
}
