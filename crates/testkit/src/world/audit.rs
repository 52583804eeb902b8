//! What must always hold, checked over everything that a ledger tells.

use std::collections::HashMap;

use consign_ledger::delegation::Delegation;
use consign_ledger::delegation::change::EventKind;
use consign_ledger::delegation::status::Status;
use consign_ledger::query::{Event, Lane, PAGE_MAX};
use consign_ledger::{DelegationId, Reader as _, Time};

use crate::Backend;

use super::{Everything, World};

impl<B: Backend> World<B> {
    /// Checks that statuses, events, messages, late results, counts and watch rows tell one story.
    pub async fn audit(&self) {
        let all = self.everything().await;
        let ascend = all.events.is_sorted_by(|one, next| one.seq < next.seq);
        assert!(ascend, "numbers are handed out once and in order");
        let mut counts = [0; Status::ALL.len()];
        for (delegation, _, late) in &all.delegations {
            counts[delegation.status.index()] += 1;
            assert_eq!(usize::from(delegation.late_count), late.len(), "{delegation:?}");
            all.audit_history(delegation);
            all.audit_messages(delegation);
        }
        assert_eq!(all.stats.0, counts, "the tallies are the counts");
        self.audit_watch(&all).await;
    }

    /// Every delegation in flight is watched, and nothing else is.
    async fn audit_watch(&self, all: &Everything) {
        let watched = self.reader().due(Lane::Deadline, Time(i64::MAX), None, PAGE_MAX).await;
        let mut watched = watched.expect("a reader that answers");
        let nums = watched.iter().map(|due| due.watch.num).collect();
        let rows = self.reader().delegations(nums).await.expect("a reader that answers");
        let in_flight = all.delegations.iter().filter(|(it, ..)| it.in_flight());
        let mut in_flight: HashMap<&DelegationId, &Delegation> =
            in_flight.map(|(it, ..)| (&it.delegation_id, it)).collect();
        for (row, due) in rows.iter().zip(watched.drain(..)) {
            let delegation = in_flight.remove(&row.delegation_id).expect("only what is in flight");
            let watch = due.watch;
            assert_eq!(watch.deadline, delegation.deadline, "{delegation:?}");
            assert_eq!(watch.alive_at, delegation.last_heartbeat, "{delegation:?}");
            assert_eq!(watch.attempt, delegation.attempt, "{delegation:?}");
            let beats = delegation.status == Status::InProgress && delegation.waiting.is_none();
            assert_eq!(watch.epoch, beats.then_some(delegation.epoch), "{delegation:?}");
        }
        assert!(in_flight.is_empty(), "not watched: {in_flight:?}");
    }
}

impl Everything {
    fn events_of(&self, delegation: &Delegation) -> impl Iterator<Item = &Event> {
        self.events.iter().filter(|event| event.delegation_id == delegation.delegation_id)
    }

    /// The version counts the events, each begins where the last one ended, and one of them is the verdict.
    fn audit_history(&self, delegation: &Delegation) {
        assert_eq!(self.events_of(delegation).count() as u64, delegation.version, "{delegation:?}");
        let (mut stands, mut attempt) = (None, 1);
        for event in self.events_of(delegation) {
            assert_eq!(event.from, stands, "{event:?} of {delegation:?}");
            assert!(event.attempt >= attempt, "{event:?} of {delegation:?}");
            let over = stands.is_some_and(|status| !status.in_flight());
            assert!(!over || stands == Some(event.to), "{event:?} leaves a verdict");
            (stands, attempt) = (Some(event.to), event.attempt);
        }
        assert_eq!(stands, Some(delegation.status), "{delegation:?}");
        let verdicts = self.events_of(delegation).filter(|event| is_verdict(event.kind)).count();
        assert_eq!(verdicts, usize::from(!delegation.in_flight()), "{delegation:?}");
        assert_eq!(delegation.finished_at.is_some(), !delegation.in_flight(), "{delegation:?}");
    }

    /// The caller has one message of the verdict, and nobody else has any.
    fn audit_messages(&self, delegation: &Delegation) {
        for (agent, inbox) in &self.inboxes {
            let of_this = inbox.messages.iter();
            let of_this = of_this.filter(|it| it.delegation_id == delegation.delegation_id);
            let verdicts = of_this.clone().filter(|message| is_verdict(message.kind)).count();
            let is_caller = *agent == delegation.caller_id;
            let due = usize::from(is_caller && !delegation.in_flight());
            assert_eq!(verdicts, due, "{agent} of {delegation:?}");
            assert!(is_caller || of_this.count() == 0, "{agent} of {delegation:?}");
        }
    }
}

fn is_verdict(kind: EventKind) -> bool {
    matches!(kind, EventKind::Completed | EventKind::Failed | EventKind::Cancelled)
}
