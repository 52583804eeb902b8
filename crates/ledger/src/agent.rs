//! What is kept about an agent beside its work: defaults and limits, set by whoever looks after it.
//!
//! Nobody has to be registered. An agent without a record asks, works and reads its inbox like any other.

use crate::delegation::terms::Notify;
use crate::id::AgentId;
use crate::time::Time;

/// The largest limit, of what an agent may hold and of its queue: a limit is compared by counting up to it.
pub const AGENT_LIMIT_MAX: u32 = 10_000;

/// What holds for an agent where a delegation does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AgentTerms {
    /// As callee: how long a silence may last; `None`: the ledger's threshold.
    pub stuck_threshold_s: Option<u32>,
    /// As caller: which warnings reach its inbox.
    pub notify: Notify,
    /// As callee: how much it may work on at once; `None`: no limit.
    pub max_in_flight: Option<u32>,
    /// As callee: how much may wait for it; `None`: no limit.
    pub max_queued: Option<u32>,
}

impl AgentTerms {
    /// Whether it bounds what the agent may have to do.
    #[must_use]
    pub fn has_limits(&self) -> bool {
        self.max_in_flight.is_some() || self.max_queued.is_some()
    }
}

/// An agent's record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    /// Whose.
    pub agent_id: AgentId,
    /// What was set.
    pub terms: AgentTerms,
    /// When it was registered.
    pub created_at: Time,
    /// When it was set last.
    pub updated_at: Time,
}
