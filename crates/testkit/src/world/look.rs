//! What a test wants to see of a world, beyond what scripts ask.

use consign_ledger::command::{Sweep, Swept};
use consign_ledger::delegation::Delegation;
use consign_ledger::delegation::change::EventKind;
use consign_ledger::delegation::listening::Gap;
use consign_ledger::delegation::status::Status;
use consign_ledger::delegation::watch::RowNum;
use consign_ledger::query::{
    Event, EventQuery, Filter, Inbox, InboxQuery, Lane, Late, PAGE_MAX, Stats,
};
use consign_ledger::{AgentId, Bodies, Cascade, DelegationId, Reader as _, Time};

use crate::Backend;

use super::World;

/// Everything that a ledger tells of its delegations.
#[derive(Clone, Debug, PartialEq)]
pub struct Everything {
    /// The delegations, newest first, with what is beside them.
    pub delegations: Vec<(Delegation, Bodies, Vec<Late>)>,
    /// All events.
    pub events: Vec<Event>,
    /// The inbox of every agent in it.
    pub inboxes: Vec<(AgentId, Inbox)>,
    /// The tallies.
    pub stats: Stats,
}

impl<B: Backend> World<B> {
    /// Everything that the ledger tells.
    pub async fn everything(&self) -> Everything {
        let filter = Filter { limit: PAGE_MAX, ..Filter::default() };
        let page = self.reader().list(filter).await.expect("a reader that answers");
        let (mut delegations, mut agents) = (vec![], vec![]);
        for entry in page.items {
            let id = &entry.delegation.delegation_id;
            let (delegation, bodies) =
                self.reader().find(id).await.expect("a reader that answers").expect("it is listed");
            let late = self.reader().late_results(id).await.expect("a reader that answers");
            agents.extend([delegation.caller_id.clone(), delegation.callee_id.clone()]);
            delegations.push((delegation, bodies, late));
        }
        agents.sort_unstable();
        agents.dedup();
        let mut inboxes = vec![];
        for agent in agents {
            inboxes.push((agent.clone(), self.inbox(agent.as_str()).await));
        }
        let stats = self.reader().stats().await.expect("a reader that answers");
        Everything { delegations, events: self.events().await, inboxes, stats }
    }

    /// All events, page by page.
    pub async fn events(&self) -> Vec<Event> {
        let (mut events, mut after) = (vec![], Some(0));
        while let Some(seq) = after {
            let query = EventQuery { delegation_id: None, after: seq, limit: PAGE_MAX };
            let page = self.reader().events(query).await.expect("a reader that answers");
            events.extend(page.events);
            after = page.next;
        }
        events
    }

    /// The kinds of everything that happened to the delegation with this name.
    pub async fn history(&self, name: &str) -> Vec<EventKind> {
        self.history_of(&self.id(name)).await
    }

    /// The kinds of everything that happened to the delegation with this id.
    pub async fn history_of(&self, id: &DelegationId) -> Vec<EventKind> {
        let delegation_id = Some(id.clone());
        let query = EventQuery { delegation_id, after: 0, limit: PAGE_MAX };
        let page = self.reader().events(query).await.expect("a reader that answers");
        page.events.iter().map(|event| event.kind).collect()
    }

    /// Everything in an agent's inbox.
    pub async fn inbox(&self, agent: &str) -> Inbox {
        let agent_id = AgentId::new(agent).expect("a name is an agent's id");
        let query = InboxQuery { agent_id, after: Some(0), limit: PAGE_MAX };
        self.reader().inbox(query).await.expect("a reader that answers")
    }

    /// The tallies that are not zero, as scripts write them.
    pub async fn stats(&self) -> String {
        let stats = self.reader().stats().await.expect("a reader that answers");
        let some = Status::ALL.iter().filter(|status| stats.of(**status) > 0);
        some.map(|status| format!("{} {status}", stats.of(*status))).collect::<Vec<_>>().join(", ")
    }

    /// The gaps that are kept, by their beginning.
    pub async fn gaps(&self) -> Vec<Gap> {
        let listening = self.reader().listening(Time(0)).await.expect("a reader that answers");
        listening.gaps_since(Time(0)).copied().collect()
    }

    /// The cascades that have not come to their end.
    pub async fn cascades(&self) -> Vec<Cascade> {
        self.reader().cascades(PAGE_MAX).await.expect("a reader that answers")
    }

    /// The ledger's time.
    pub async fn now(&self) -> Time {
        self.reader().reading().await.expect("a reader that answers").now
    }

    /// The numbers of what is due now in this lane.
    pub async fn due(&self, lane: Lane) -> Vec<RowNum> {
        let due = self.reader().due(lane, self.now().await, None, PAGE_MAX).await;
        due.expect("a reader that answers").iter().map(|due| due.watch.num).collect()
    }

    /// The number of a delegation in flight.
    pub async fn num(&self, name: &str) -> RowNum {
        let (reader, id) = (self.reader(), self.id(name));
        let in_flight = reader.due(Lane::Deadline, Time(i64::MAX), None, PAGE_MAX).await;
        for due in in_flight.expect("a reader that answers") {
            let rows =
                reader.delegations(vec![due.watch.num]).await.expect("a reader that answers");
            if rows.iter().any(|row| row.delegation_id == id) {
                return due.watch.num;
            }
        }
        panic!("{name} is not in flight")
    }

    /// One step of a pass, by hand: looks at a delegation in flight and does what is due.
    pub async fn examine(&self, name: &str) -> Swept {
        self.examine_numbered(self.num(name).await).await
    }

    /// The same, for a row that was found before.
    pub async fn examine_numbered(&self, num: RowNum) -> Swept {
        let swept = self.ledger().sweep(vec![Sweep::Examine(num)]).await.pop();
        swept.expect("each step has its answer").expect("a sound row can be examined")
    }
}
