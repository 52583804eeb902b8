//! What may be said with each verb. What is `None` is not sent, and so left to the server.

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

/// Any text as JSON.
#[must_use]
#[expect(clippy::missing_panics_doc, reason = "any text is a JSON string")]
pub fn json_text(text: &str) -> Box<RawValue> {
    to_raw_value(text).expect("any text is a JSON string")
}

macro_rules! bodies {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, Serialize)]
        pub struct $name {
            $(
                $(#[$field_doc])*
                #[serde(skip_serializing_if = "Option::is_none")]
                pub $field: Option<$type>,
            )*
        }
    )+};
}

bodies! {
    /// A request to delegate. `caller_id`, `callee_id` and `task` are needed.
    NewDelegation {
        /// Absent: [`Client::delegate`](crate::Client::delegate) makes one, so that a repeat is recognised.
        delegation_id: String,
        /// Who asks.
        caller_id: String,
        /// Who is asked.
        callee_id: String,
        /// What is asked.
        task: Box<RawValue>,
        /// The caller's name for the piece of work.
        idempotency_key: String,
        /// The hard end, as RFC 3339.
        deadline: String,
        /// The same, from now.
        deadline_s: u32,
        /// Whether the caller has handed it out itself.
        dispatched: bool,
        /// How long a silence may last.
        stuck_threshold_s: u32,
        /// How long it may stay stuck.
        stuck_grace_s: u32,
        /// By when somebody must have begun.
        start_within_s: u32,
        /// What follows when nobody has: `stuck` or `fail`.
        on_not_started: String,
        /// How long it may beat without progress.
        progress_within_s: u32,
        /// How often it may be handed out by itself.
        max_attempts: u32,
        /// Higher goes first.
        priority: i32,
        /// Which warnings reach the caller's inbox: `stuck`, `recovered`.
        notify: Vec<String>,
        /// The delegation that it is part of.
        parent_id: String,
        /// Whether its children end with it however it ends.
        cancel_children: bool,
        /// The caller's own notes.
        metadata: Box<RawValue>,
    }

    /// A sign of life.
    Beat {
        /// Where one was issued.
        lease: String,
        /// What advanced.
        progress: Box<RawValue>,
        /// Absent: a wait stays as it is.
        waiting: WaitChange,
    }

    /// What a callee waits for.
    Wait {
        /// `human`, `auth`, `child`, `rate_limit` or `other`; needed.
        r#for: String,
        /// A sentence for people.
        note: String,
        /// The child, with `child`.
        child_id: String,
        /// How long.
        for_s: u32,
    }

    /// A request to take a delegation.
    Accept {
        /// Absent: [`Client::accept`](crate::Client::accept) makes one, so that a repeat is recognised.
        claim_id: String,
    }

    /// A request for work.
    Claim {
        /// How many at most; absent: 1.
        max: u32,
        /// How long to wait while there is nothing; 60 at most.
        wait_s: u32,
        /// Absent: [`Client::claim`](crate::Client::claim) makes one, so that a repeat is recognised.
        claim_id: String,
    }

    /// An answer.
    Complete {
        /// It; needed, and may be JSON's `null`.
        result: Box<RawValue>,
        /// Where one was issued.
        lease: String,
    }

    /// Giving up.
    Fail {
        /// Why; needed.
        error_detail: String,
        /// Where one was issued.
        lease: String,
        /// An operator's reason for acting in the callee's place.
        r#override: String,
    }

    /// Giving the work back.
    Release {
        /// The lease that is given back; needed.
        lease: String,
        /// For people.
        reason: String,
    }

    /// Calling it off.
    Cancel {
        /// For people.
        reason: String,
    }

    /// Handing it out again.
    Retry {
        /// A new deadline, from now.
        deadline_s: u32,
        /// Another callee.
        callee_id: String,
        /// The attempt that was looked at. Without it a lost answer is not asked for again, because the work
        /// could be handed out twice.
        if_attempt: u32,
    }

    /// An agent's record, whole: what is `None` is not set.
    SetAgent {
        /// As callee: how long a silence may last where a delegation does not say.
        stuck_threshold_s: u32,
        /// As caller: which warnings reach its inbox where a delegation does not say.
        notify: Vec<String>,
        /// As callee: how much it may work on at once.
        max_in_flight: u32,
        /// As callee: how much may wait for it.
        max_queued: u32,
    }

    /// Moving the deadline.
    Extend {
        /// As RFC 3339.
        deadline: String,
        /// The same, from now.
        deadline_s: u32,
        /// The version that was looked at.
        if_version: u64,
    }
}

/// A delegation that is to go.
#[derive(Clone, Debug, Serialize)]
pub struct PruneItem {
    delegation_id: String,
    if_version: u64,
}

impl PruneItem {
    /// Only as it was seen: at this version.
    #[must_use]
    pub fn new(delegation_id: &str, if_version: u64) -> Self {
        Self { delegation_id: delegation_id.to_owned(), if_version }
    }
}

/// What a heartbeat may say about waiting.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum WaitChange {
    /// The callee waits for this from now on.
    For(Wait),
    /// It waits no more.
    End,
}

impl NewDelegation {
    /// The least that a delegation needs: who asks, who is asked, what is asked.
    #[must_use]
    pub fn new(from: &str, to: &str, task: &str) -> Self {
        Self {
            caller_id: Some(from.to_owned()),
            callee_id: Some(to.to_owned()),
            task: Some(json_text(task)),
            ..Self::default()
        }
    }
}

impl Complete {
    /// An answer that is text.
    #[must_use]
    pub fn text(result: &str) -> Self {
        Self { result: Some(json_text(result)), lease: None }
    }
}

impl Fail {
    /// Giving up, and why.
    #[must_use]
    pub fn because(error_detail: &str) -> Self {
        Self { error_detail: Some(error_detail.to_owned()), ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_absent_is_not_sent() {
        let asked = NewDelegation::new("alice", "bob", "say \"hi\"");
        let sent = serde_json::to_string(&asked).unwrap();
        assert_eq!(sent, r#"{"caller_id":"alice","callee_id":"bob","task":"say \"hi\""}"#);
        assert_eq!(serde_json::to_string(&Beat::default()).unwrap(), "{}");
    }

    #[test]
    fn a_wait_can_be_ended() {
        let ends = Beat { waiting: Some(WaitChange::End), ..Beat::default() };
        assert_eq!(serde_json::to_string(&ends).unwrap(), r#"{"waiting":null}"#);
    }
}
