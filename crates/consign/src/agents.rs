//! Agents: what is known of each, and the defaults and limits that somebody sets for it. Nobody has to be registered.

use consign_ledger::command::Registered;
use consign_ledger::query::{AgentHealth, AgentPage, AgentsQuery};
use consign_ledger::{AGENT_LIMIT_MAX, AgentId, AgentTerms, Reader as _};

use crate::checked;
use crate::error::Error;
use crate::ledger::Ledger;

/// Agents in one page: each is counted.
const PAGE_AGENTS: usize = 100;

impl Ledger {
    /// Sets an agent's defaults and limits, all of them. A delegation takes them over when it is made.
    pub async fn set_agent(
        &self,
        agent_id: impl AsRef<str>,
        terms: AgentTerms,
    ) -> Result<Registered, Error> {
        checked::seconds("stuck_threshold_s", terms.stuck_threshold_s)?;
        for (field, limit) in
            [("max_in_flight", terms.max_in_flight), ("max_queued", terms.max_queued)]
        {
            checked::at_most(field, limit.unwrap_or(0), AGENT_LIMIT_MAX)?;
        }
        Ok(self.core()?.ledger.set_agent(agent(agent_id)?, terms).await?)
    }

    /// Forgets an agent's defaults and limits. Its work and its messages stay.
    pub async fn remove_agent(&self, agent_id: impl AsRef<str>) -> Result<Registered, Error> {
        Ok(self.core()?.ledger.remove_agent(agent(agent_id)?).await?)
    }

    /// How an agent does: what waits for it, what it works on, when it was last heard; `None` where nobody knows it.
    pub async fn agent(&self, agent_id: impl AsRef<str>) -> Result<Option<AgentHealth>, Error> {
        let found = self.core()?.ledger.reader().agent(&agent(agent_id)?).await?;
        Ok(found.map(|(health, _)| health))
    }

    /// The same of everybody who is known, by id, a hundred at a time, behind the agent `after`.
    pub async fn agents(&self, after: Option<AgentId>) -> Result<AgentPage, Error> {
        let query = AgentsQuery { after, limit: PAGE_AGENTS };
        Ok(self.core()?.ledger.reader().agents(query).await?)
    }
}

pub(crate) fn agent(agent_id: impl AsRef<str>) -> Result<AgentId, Error> {
    checked::id("agent_id", agent_id.as_ref(), AgentId::new)
}
