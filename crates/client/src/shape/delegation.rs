//! A delegation.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Status;

/// One delegation. In a list `task` and `result` are absent, their previews are there.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "the names are the wire's, explained in docs/http.md")]
pub struct Delegation {
    pub delegation_id: String,
    pub caller_id: String,
    pub callee_id: String,
    pub status: Status,
    pub attempt: u32,
    pub max_attempts: u32,
    pub task: Option<Box<RawValue>>,
    pub task_preview: String,
    pub result: Option<Box<RawValue>>,
    pub result_preview: Option<String>,
    pub error_detail: Option<String>,
    pub failure: Option<String>,
    pub stuck_reason: Option<String>,
    pub progress: Option<Box<RawValue>>,
    pub progress_at: Option<Timestamp>,
    pub waiting: Option<Waiting>,
    pub last_heartbeat: Option<Timestamp>,
    pub deadline: Timestamp,
    pub due_at: Option<Timestamp>,
    pub stuck_threshold_s: Option<u32>,
    pub stuck_grace_s: Option<u32>,
    pub start_within_s: Option<u32>,
    pub progress_within_s: Option<u32>,
    pub priority: i32,
    pub notify: Vec<String>,
    pub idempotency_key: Option<String>,
    pub parent_id: Option<String>,
    pub retry_of: Option<String>,
    pub metadata: Option<Box<RawValue>>,
    pub version: u64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub finished_at: Option<Timestamp>,
}

/// What its callee waits for.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "the names are the wire's, explained in docs/http.md")]
pub struct Waiting {
    pub r#for: String,
    pub note: Option<String>,
    pub child_id: Option<String>,
    pub for_s: Option<u32>,
    pub since: Timestamp,
    pub until: Timestamp,
}
