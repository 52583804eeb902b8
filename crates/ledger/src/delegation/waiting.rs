//! A wait that the callee declares. It stops the silence and progress clocks, never the deadline.

use serde_json::json;

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

impl Waiting {
    /// The wait as clients read it.
    #[must_use]
    pub fn told(&self) -> serde_json::Value {
        let WaitRequest { wait_for, note, child_id, for_s } = &self.request;
        json!({
            "for": wait_for.as_str(),
            "note": note,
            "child_id": child_id.as_ref().map(DelegationId::as_str),
            "for_s": for_s,
            "since": self.since.to_string(),
            "until": self.until.to_string(),
        })
    }

    /// The wait as stores keep it: one text.
    #[must_use]
    pub fn stored(&self) -> String {
        let WaitRequest { wait_for, note, child_id, for_s } = &self.request;
        let child_id = child_id.as_ref().map(DelegationId::as_str);
        json!([wait_for.as_str(), note, child_id, for_s, self.since.0, self.until.0]).to_string()
    }

    /// The wait from its stored text; `None` where that cannot be one.
    #[must_use]
    pub fn restored(text: &str) -> Option<Self> {
        type Stored = (String, Option<String>, Option<String>, Option<u32>, i64, i64);
        let (wait_for, note, child_id, for_s, since, until): Stored =
            serde_json::from_str(text).ok()?;
        let child_id = child_id.map(|id| DelegationId::new(&id)).transpose().ok()?;
        let request = WaitRequest { wait_for: WaitFor::parse(&wait_for)?, note, child_id, for_s };
        Some(Self { request, since: Time(since), until: Time(until) })
    }
}
