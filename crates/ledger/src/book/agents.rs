//! The agents of a batch: their records, and how far they have read.

use crate::agent::Agent;
use crate::id::{AgentId, Seq};
use crate::store::InboxState;

use super::Book;

impl Book {
    /// The agent's record, if it has one and the batch asked for it.
    pub(crate) fn agent(&self, id: &AgentId) -> Option<&Agent> {
        self.agents.get(id)
    }

    pub(crate) fn put_agent(&mut self, agent: Agent) {
        let id = agent.agent_id.clone();
        self.forget_writes_of(&id);
        self.append.agents.push(agent.clone());
        self.agents.insert(id, agent);
    }

    pub(crate) fn remove_agent(&mut self, id: &AgentId) {
        self.forget_writes_of(id);
        self.append.agents_removed.push(id.clone());
        self.agents.remove(id);
    }

    /// The last write of a batch counts.
    fn forget_writes_of(&mut self, id: &AgentId) {
        self.append.agents.retain(|agent| agent.agent_id != *id);
        self.append.agents_removed.retain(|removed| removed != id);
    }

    /// How far the agent has read, before what this batch tells it.
    pub(crate) fn inbox(&self, id: &AgentId) -> InboxState {
        self.inboxes.get(id).copied().unwrap_or_default()
    }

    pub(crate) fn acknowledge(&mut self, id: &AgentId, through: Seq) {
        self.inboxes.entry(id.clone()).or_default().acked_through = through;
        self.append.acknowledged.retain(|(agent_id, _)| agent_id != id);
        self.append.acknowledged.push((id.clone(), through));
    }
}
