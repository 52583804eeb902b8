//! Agents: who is known, and how each does.

use std::collections::BTreeSet;

use consign_ledger::delegation::Delegation;
use consign_ledger::delegation::change::Role;
use consign_ledger::delegation::status::Status;
use consign_ledger::query::{
    AgentHealth, AgentPage, AgentsQuery, COUNT_MAX, ENDED_MAX, Ended, InboxQuery,
};
use consign_ledger::{AgentId, InboxState};

use super::data::Data;

impl Data {
    pub(super) fn known(&self) -> BTreeSet<AgentId> {
        let rows = self.rows.values().map(|kept| &kept.delegation);
        let seen = rows.flat_map(|it| [&it.caller_id, &it.callee_id]);
        seen.chain(self.agents.keys()).cloned().collect()
    }

    pub(super) fn agents(&self, query: &AgentsQuery) -> AgentPage {
        let known = self.known();
        let behind = known.iter().filter(|id| Some(*id) > query.after.as_ref());
        let mut page: Vec<_> = behind.take(query.limit + 1).collect();
        let more = page.len() > query.limit;
        page.truncate(query.limit);
        AgentPage { agents: page.into_iter().map(|id| self.health(id)).collect(), more }
    }

    pub(super) fn health(&self, id: &AgentId) -> AgentHealth {
        let count = |wanted: &dyn Fn(&Delegation) -> bool| {
            COUNT_MAX.min(self.asked(id).filter(|it| wanted(it)).count() as u64)
        };
        let inbox = InboxQuery { agent_id: id.clone(), after: None, limit: 1 };
        let inbox = self.inbox(&inbox);
        AgentHealth {
            agent_id: id.clone(),
            record: self.agents.get(id).cloned(),
            queued: count(&|it| it.status == Status::Queued),
            in_flight: count(&|it| it.in_flight()),
            stuck: count(&|it| it.status == Status::Stuck),
            acked_through: inbox.acked_through,
            unread: inbox.unread,
            oldest_unread_at: inbox.oldest_unread_at,
            last_heard: self.asked(id).flat_map(heard).max(),
        }
    }

    pub(super) fn ended(&self, id: &AgentId) -> Vec<Ended> {
        let rows: Vec<&Delegation> = self.asked(id).collect();
        let ended = rows.into_iter().rev().filter_map(|it| {
            let (status, created_at) = (it.status, it.created_at);
            Some(Ended { status, created_at, finished_at: it.finished_at? })
        });
        ended.take(ENDED_MAX).collect()
    }

    fn asked(&self, id: &AgentId) -> impl Iterator<Item = &Delegation> {
        let rows = self.rows.values().map(|kept| &kept.delegation);
        rows.filter(move |it| it.callee_id == *id)
    }

    pub(super) fn inbox_state(&self, id: &AgentId) -> InboxState {
        let mine = self.messages.iter().filter(|(agent, _)| agent == id);
        let newest = mine.map(|(_, seq)| *seq).max();
        let acked_through = self.acked.get(id).copied().unwrap_or_default();
        InboxState { acked_through, newest: newest.unwrap_or_default() }
    }
}

/// The callee's signs of life.
fn heard(it: &Delegation) -> impl Iterator<Item = consign_ledger::Time> {
    let acted = (it.last_act.1 == Role::Callee).then_some(it.updated_at);
    it.last_heartbeat.into_iter().chain(acted)
}
