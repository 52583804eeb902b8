//! What may be waited for, and which events are news of it.

use consign_ledger::delegation::change::EventKind;
use consign_ledger::delegation::status::Status;
use consign_ledger::query::Event;
use consign_ledger::{AgentId, DelegationId};

/// What somebody waits for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// A delegation's verdict.
    Verdict(DelegationId),
    /// A delegation's verdict, or its warning.
    News(DelegationId),
    /// A message for this agent.
    Inbox(AgentId),
    /// Something that this agent may claim, or room for it: an agent may hold only so much at once.
    Work(AgentId),
}

impl Topic {
    /// Whether one waiter is enough for one piece of news: what it takes is not there for the others.
    pub(crate) fn is_for_one(&self) -> bool {
        matches!(self, Self::Work(_))
    }
}

/// What this event is news of. Rather once too often: who is woken looks for himself.
pub(crate) fn concerned(event: &Event) -> impl Iterator<Item = Topic> + use<> {
    let is_over = !event.to.in_flight() && event.kind != EventKind::LateResult;
    let is_stuck = event.to == Status::Stuck;
    let warns = is_stuck || event.from == Some(Status::Stuck);
    let was_held = matches!(event.from, Some(Status::InProgress | Status::Stuck));
    let may_be_claimed = is_stuck || event.to == Status::Queued || (is_over && was_held);
    let id = || event.delegation_id.clone();
    [
        is_over.then(|| Topic::Verdict(id())),
        (is_over || is_stuck).then(|| Topic::News(id())),
        (is_over || warns).then(|| Topic::Inbox(event.caller_id.clone())),
        may_be_claimed.then(|| Topic::Work(event.callee_id.clone())),
    ]
    .into_iter()
    .flatten()
}

#[cfg(test)]
mod tests {
    use consign_ledger::Time;
    use consign_ledger::delegation::change::Role;

    use super::*;

    fn event(kind: EventKind, from: Option<Status>, to: Status) -> Event {
        Event {
            seq: 1,
            delegation_id: DelegationId::new("one").unwrap(),
            caller_id: AgentId::new("alice").unwrap(),
            callee_id: AgentId::new("bob").unwrap(),
            kind,
            attempt: 1,
            at: Time(0),
            role: Role::Ledger,
            actor_id: None,
            from,
            to,
            reason: None,
            data: None,
        }
    }

    #[test]
    fn only_what_is_waited_for_is_concerned() {
        use EventKind as Kind;
        use Status::{Cancelled, Completed, Dispatched, Failed, InProgress, Queued, Stuck};
        for (kind, from, to, topics) in [
            (Kind::Created, None, Queued, "work"),
            (Kind::Created, None, Dispatched, ""),
            (Kind::Dispatched, Some(Queued), Dispatched, ""),
            (Kind::Claimed, Some(Queued), InProgress, ""),
            (Kind::Requeued, Some(InProgress), Queued, "work"),
            (Kind::Requeued, Some(Stuck), Queued, "inbox work"),
            (Kind::Released, Some(InProgress), Queued, "work"),
            (Kind::Stuck, Some(InProgress), Stuck, "news inbox work"),
            (Kind::Recovered, Some(Stuck), InProgress, "inbox"),
            (Kind::Claimed, Some(Stuck), InProgress, "inbox"),
            (Kind::Completed, Some(InProgress), Completed, "verdict news inbox work"),
            (Kind::Failed, Some(Queued), Failed, "verdict news inbox"),
            (Kind::Failed, Some(Dispatched), Failed, "verdict news inbox"),
            (Kind::Cancelled, Some(Stuck), Cancelled, "verdict news inbox work"),
            (Kind::LateResult, Some(Completed), Completed, ""),
        ] {
            let told = concerned(&event(kind, from, to)).map(|topic| match topic {
                Topic::Verdict(id) if id.as_str() == "one" => "verdict",
                Topic::News(id) if id.as_str() == "one" => "news",
                Topic::Inbox(id) if id.as_str() == "alice" => "inbox",
                Topic::Work(id) if id.as_str() == "bob" => "work",
                other => panic!("{other:?}"),
            });
            assert_eq!(told.collect::<Vec<_>>().join(" "), topics, "{kind} {from:?} {to}");
        }
    }
}
