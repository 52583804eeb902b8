//! Lists and pages.

use consign_ledger::delegation::change::EventKind;
use consign_ledger::delegation::watch::RowNum;
use consign_ledger::query::{
    COUNT_MAX, Entry, Event, EventPage, EventQuery, Filter, Inbox, InboxQuery, Message,
    PAGE_BYTES_MAX, Page, Place,
};
use consign_ledger::{Seq, preview};

use super::data::{Data, Kept};

impl Data {
    pub(super) fn list(&self, filter: &Filter) -> Page<Entry> {
        // One writer numbers rows in the order of their creation.
        let before = filter.before.map_or(RowNum::MAX, |place| place.num);
        let matching = self.rows.range(..before).rev().filter(|(_, kept)| passes(filter, kept));
        let (mut items, mut bytes, mut last) = (vec![], 0, None);
        for (taken, (num, kept)) in matching.enumerate() {
            let readable = !self.poisoned.contains(&kept.delegation.delegation_id);
            let entry = Some(entry(kept)).filter(|_| readable);
            bytes += entry.as_ref().map_or(0, Entry::bytes);
            if taken == filter.limit || (bytes > PAGE_BYTES_MAX && taken > 0) {
                return Page { items, next: last };
            }
            last = Some(place(*num, kept));
            items.extend(entry);
        }
        Page { items, next: None }
    }

    pub(super) fn newest_seq(&self) -> Seq {
        self.last_seq
    }

    pub(super) fn events(&self, query: &EventQuery) -> EventPage {
        let wanted = self.events.iter().filter(|event| {
            let ours = query.delegation_id.as_ref().is_none_or(|id| *id == event.delegation_id);
            ours && event.seq > query.after
        });
        let mut events: Vec<_> = wanted.take(query.limit + 1).map(|it| self.as_read(it)).collect();
        let more = events.len() > query.limit;
        events.truncate(query.limit);
        let next = events.last().filter(|_| more).map(|event| event.seq);
        EventPage { events, next }
    }

    /// The event with its delegation's callee of today.
    fn as_read(&self, event: &Event) -> Event {
        let kept = self.named(&event.delegation_id).expect("an event has its delegation");
        Event { callee_id: kept.delegation.callee_id.clone(), ..event.clone() }
    }

    pub(super) fn inbox(&self, query: &InboxQuery) -> Inbox {
        let mine = || self.messages.iter().filter(|(agent, _)| *agent == query.agent_id);
        let messages = mine().map(|(_, seq)| self.message(*seq));
        let acked_through = self.inbox_state(&query.agent_id).acked_through;
        let after = query.after.unwrap_or(acked_through);
        let behind = messages.filter(|message| message.seq > after);
        let unread = mine().map(|(_, seq)| self.event(*seq));
        let mut unread = unread.filter(|event| event.seq > acked_through).peekable();
        let oldest_unread_at = unread.peek().map(|event| event.at);
        let mut bytes = 0;
        let fits = |(nth, message): &(usize, Message)| {
            bytes += message.result.as_ref().map_or(0, |result| result.as_str().len());
            *nth == 0 || bytes <= PAGE_BYTES_MAX
        };
        let messages = behind.take(query.limit).enumerate().take_while(fits);
        let messages = messages.map(|(_, message)| message).collect();
        let unread = COUNT_MAX.min(unread.count() as u64);
        Inbox { messages, acked_through, unread, oldest_unread_at }
    }

    fn message(&self, seq: Seq) -> Message {
        let event = self.event(seq);
        let kept = self.named(&event.delegation_id);
        let result = kept.and_then(|kept| kept.bodies.result.clone());
        Message {
            seq: event.seq,
            kind: event.kind,
            delegation_id: event.delegation_id.clone(),
            status: event.to,
            result: result.filter(|_| event.kind == EventKind::Completed),
            error_detail: event.reason.clone(),
            at: event.at,
        }
    }
}

fn place(num: RowNum, kept: &Kept) -> Place {
    Place { created_at: kept.delegation.created_at, num }
}

fn passes(filter: &Filter, kept: &Kept) -> bool {
    let delegation = &kept.delegation;
    let status =
        |status: &_| filter.status.is_none_or(|of| of.statuses().any(|one| one == *status));
    status(&delegation.status)
        && filter.caller.as_ref().is_none_or(|caller| *caller == delegation.caller_id)
        && filter.callee.as_ref().is_none_or(|callee| *callee == delegation.callee_id)
        && filter.parent.as_ref().is_none_or(|parent| Some(parent) == delegation.parent_id.as_ref())
        && filter.created_after.is_none_or(|after| delegation.created_at >= after)
        && filter.created_before.is_none_or(|before| delegation.created_at < before)
        && filter
            .id_prefix
            .as_ref()
            .is_none_or(|prefix| delegation.delegation_id.as_str().starts_with(prefix.as_str()))
}

fn entry(kept: &Kept) -> Entry {
    Entry {
        delegation: kept.delegation.clone(),
        task_preview: preview(kept.bodies.task.as_str()).to_owned(),
        result_preview: kept.bodies.result.as_ref().map(|it| preview(it.as_str()).to_owned()),
        metadata: kept.bodies.metadata.clone(),
        progress: kept.bodies.progress.clone(),
    }
}
