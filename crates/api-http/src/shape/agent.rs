//! An agent: what is set for it, and how it does.

use consign_ledger::query::{AgentHealth, Latest as LatestEnded};
use serde::Serialize;
use utoipa::ToSchema;

use crate::wire::{AgentId, Moment, Warning, Wire, warnings};

/// An agent. Whatever is counted is counted up to 10000: that many means as many or more.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the wire's names")]
pub(crate) struct Agent {
    agent_id: AgentId,
    /// Whether it has a record. Without one, everything that can be set is as it is for anybody.
    registered: bool,
    /// As callee: how long a silence may last where a delegation does not say; `null`: the ledger's threshold.
    stuck_threshold_s: Option<u32>,
    /// As caller: which warnings reach its inbox where a delegation does not say.
    notify: Vec<Warning>,
    /// As callee: how much it may work on at once; `null`: no limit.
    max_in_flight: Option<u32>,
    /// As callee: how much may wait for it; `null`: no limit.
    max_queued: Option<u32>,
    /// When it was registered.
    created_at: Option<Moment>,
    /// When it was set last.
    updated_at: Option<Moment>,
    /// How many delegations wait for it.
    queued: u64,
    /// How many that it is asked for are in flight, the queued and the stuck included.
    in_flight: u64,
    /// How many of these are stuck.
    stuck: u64,
    /// Up to where it has acknowledged its messages.
    acked_through: i64,
    /// How many messages it has behind that.
    unread: u64,
    /// When the oldest of these happened.
    oldest_unread_at: Option<Moment>,
    /// Its last sign of life, as far as its work tells.
    last_heard: Option<Moment>,
}

impl From<&AgentHealth> for Agent {
    fn from(health: &AgentHealth) -> Self {
        let record = health.record.as_ref();
        let terms = record.map(|record| record.terms).unwrap_or_default();
        Self {
            agent_id: Wire(health.agent_id.clone()),
            registered: record.is_some(),
            stuck_threshold_s: terms.stuck_threshold_s,
            notify: warnings(terms.notify),
            max_in_flight: terms.max_in_flight,
            max_queued: terms.max_queued,
            created_at: record.map(|record| Wire(record.created_at)),
            updated_at: record.map(|record| Wire(record.updated_at)),
            queued: health.queued,
            in_flight: health.in_flight,
            stuck: health.stuck,
            acked_through: health.acked_through,
            unread: health.unread,
            oldest_unread_at: health.oldest_unread_at.map(Wire),
            last_heard: health.last_heard.map(Wire),
        }
    }
}

/// How it ended what it ended last: the newest of what it was asked for, a thousand at most.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LatestWork)]
pub(crate) struct Latest {
    completed: u64,
    failed: u64,
    /// Called off, which is nobody's failure.
    cancelled: u64,
    /// Of those completed or failed, the share that failed: 0 to 1. `null` where there is none.
    failure_rate: Option<f64>,
    /// Half were completed within so many milliseconds of their creation.
    p50_ms: Option<i64>,
    /// 95 of a hundred were.
    p95_ms: Option<i64>,
    /// 99 of a hundred were.
    p99_ms: Option<i64>,
}

impl From<LatestEnded> for Latest {
    fn from(latest: LatestEnded) -> Self {
        let times_ms = latest.percentiles_ms;
        Self {
            completed: latest.completed,
            failed: latest.failed,
            cancelled: latest.cancelled,
            failure_rate: latest.failure_rate,
            p50_ms: times_ms.map(|times| times[0]),
            p95_ms: times_ms.map(|times| times[1]),
            p99_ms: times_ms.map(|times| times[2]),
        }
    }
}
