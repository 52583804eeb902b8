//! What an agent finds in its inbox.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Status;

/// One page of messages.
#[derive(Clone, Debug, Deserialize)]
pub struct Inbox {
    /// In order.
    pub messages: Vec<Message>,
    /// What to ask behind to see only what comes later.
    pub next_after: i64,
    /// Up to where the agent has acknowledged.
    pub acked_through: i64,
    /// How many messages lie behind that, counted up to 10000.
    pub unread: u64,
    /// When the oldest of these happened.
    pub oldest_unread_at: Option<Timestamp>,
}

/// What became of an acknowledgement.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Acknowledged {
    /// Up to where the agent has acknowledged by now.
    pub acked_through: i64,
}

/// One message.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "the names are the wire's, explained in docs/http.md")]
pub struct Message {
    pub seq: i64,
    pub message_id: String,
    pub kind: String,
    pub delegation_id: String,
    pub status: Status,
    pub result: Option<Box<RawValue>>,
    pub error_detail: Option<String>,
    pub at: Timestamp,
}
