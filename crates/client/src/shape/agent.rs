//! Agents: what is set for them, and how they do.

use jiff::Timestamp;
use serde::Deserialize;

/// An agent.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "the names are the wire's, explained in docs/http.md")]
pub struct Agent {
    pub agent_id: String,
    pub registered: bool,
    pub stuck_threshold_s: Option<u32>,
    pub notify: Vec<String>,
    pub max_in_flight: Option<u32>,
    pub max_queued: Option<u32>,
    pub created_at: Option<Timestamp>,
    pub updated_at: Option<Timestamp>,
    pub queued: u64,
    pub in_flight: u64,
    pub stuck: u64,
    pub acked_through: i64,
    pub unread: u64,
    pub oldest_unread_at: Option<Timestamp>,
    pub last_heard: Option<Timestamp>,
}

/// How an agent ended what it ended last.
#[derive(Clone, Copy, Debug, Deserialize)]
#[expect(missing_docs, reason = "the names are the wire's, explained in docs/http.md")]
pub struct LatestWork {
    pub completed: u64,
    pub failed: u64,
    pub cancelled: u64,
    pub failure_rate: Option<f64>,
    pub p50_ms: Option<u64>,
    pub p95_ms: Option<u64>,
    pub p99_ms: Option<u64>,
}

/// One agent.
#[derive(Clone, Debug, Deserialize)]
pub struct AgentShown {
    /// What is set for it, and how it does now.
    pub agent: Agent,
    /// How it ended what it ended last.
    pub latest: LatestWork,
}

/// One page of agents, by id.
#[derive(Clone, Debug, Deserialize)]
pub struct Agents {
    /// The agents.
    pub agents: Vec<Agent>,
    /// What to ask behind for the next page, if there is one.
    pub next_after: Option<String>,
}

/// What became of an agent's record.
#[derive(Clone, Debug, Deserialize)]
pub struct AgentSet {
    /// As it is now.
    pub agent: Agent,
    /// `false` where it was so already.
    pub changed: bool,
}

/// What became of a record that was to be forgotten.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct AgentRemoved {
    /// `false` where there was none.
    pub changed: bool,
}
