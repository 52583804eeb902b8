//! What is known of each story: what its agent did, and what the ledger says. Whoever waits for a fact waits here.

use std::time::Duration;

use consign_client::{Delegation, Event, Status};
use jiff::Timestamp;
use tokio::sync::watch::{Receiver, Sender};
use tokio::time::Instant;

use super::story::{STORIES, Story};

/// The board; clones are the same one.
#[derive(Clone)]
pub(super) struct Board {
    known: Sender<Known>,
    begun: Instant,
}

/// Everything that is known.
pub(super) struct Known {
    pub(super) rows: Vec<Row>,
    /// In the order in which it became known.
    pub(super) happened: Vec<Happening>,
    /// The ledger's time at its first event.
    zero: Option<Timestamp>,
}

/// One story so far.
pub(super) struct Row {
    pub(super) story: &'static Story,
    pub(super) delegation: Option<Delegation>,
    pub(super) events: Vec<Event>,
    /// What its agent did, and what befell it.
    pub(super) deeds: Vec<String>,
}

/// Something that happened.
pub(super) struct Happening {
    /// Since the beginning.
    pub(super) at: Duration,
    pub(super) story: &'static Story,
    pub(super) by: By,
    pub(super) what: String,
}

/// Who tells it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// The agent's own process.
    Agent,
    /// Whoever has power over processes.
    World,
    /// The ledger.
    Ledger(Status),
}

impl Board {
    pub(super) fn new() -> Self {
        let rows = STORIES.iter().map(|story| Row {
            story,
            delegation: None,
            events: vec![],
            deeds: vec![],
        });
        let known = Known { rows: rows.collect(), happened: vec![], zero: None };
        Self { known: Sender::new(known), begun: Instant::now() }
    }

    /// What is known, and a way to wait for more.
    pub(super) fn seen(&self) -> Receiver<Known> {
        self.known.subscribe()
    }

    /// Since the beginning.
    pub(super) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// An agent did something, or something befell it.
    pub(super) fn happened(&self, story: &'static Story, by: By, what: &str) {
        let at = self.elapsed();
        self.known.send_modify(|known| {
            let rows = known.rows.iter_mut().filter(|row| row.story.name == story.name);
            rows.for_each(|row| row.deeds.push(what.to_owned()));
            known.happened.push(Happening { at, story, by, what: what.to_owned() });
        });
    }

    /// The ledger says where a delegation stands, and what happened to it since the last time.
    pub(super) fn learned(&self, delegation: Delegation, events: Vec<Event>) {
        self.known.send_modify(|known| known.learned(delegation, events));
    }

    /// Waits until it is so.
    pub(super) async fn until(&self, story: &Story, so: impl Fn(&Delegation) -> bool) {
        let is_so = |known: &Known| known.of(story).delegation.as_ref().is_some_and(&so);
        drop(self.seen().wait_for(|known| is_so(known)).await);
    }
}

impl Known {
    /// What is known of one story.
    pub(super) fn of(&self, story: &Story) -> &Row {
        let row = self.rows.iter().find(|row| row.story.name == story.name);
        row.expect("the board has a row for each story")
    }

    /// Of the stories' delegations, the one with this id.
    pub(super) fn named(&self, id: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.story.name == id)
    }

    /// When it was, since the ledger's first event.
    pub(super) fn since_zero(&self, at: Timestamp) -> Duration {
        let span = at.duration_since(self.zero.unwrap_or(at));
        Duration::try_from(span).unwrap_or_default()
    }

    fn learned(&mut self, delegation: Delegation, events: Vec<Event>) {
        let id = delegation.delegation_id.as_str();
        let Some(index) = self.rows.iter().position(|row| row.story.name == id) else { return };
        let story = self.rows[index].story;
        for event in &events {
            self.zero.get_or_insert(event.at);
            let (at, by) = (self.since_zero(event.at), By::Ledger(event.to));
            self.happened.push(Happening { at, story, by, what: told(event) });
        }
        let row = &mut self.rows[index];
        row.events.extend(events);
        row.delegation = Some(delegation);
    }
}

/// `stuck: no heartbeat for 5s`.
fn told(event: &Event) -> String {
    let why = event.reason.as_ref().map(|why| format!(": {why}"));
    event.kind.replace('_', " ") + &why.unwrap_or_default()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn delegation(id: &str, status: &str) -> Delegation {
        let document = format!(
            r#"{{"delegation_id": "{id}", "caller_id": "alice", "callee_id": "{id}", "status": "{status}",
                "attempt": 1, "max_attempts": 1, "task_preview": "work", "deadline": "2026-01-01T06:00:00Z",
                "last_heartbeat": "2026-01-01T00:00:01Z", "priority": 0, "notify": [], "version": 1,
                "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z"}}"#
        );
        serde_json::from_str(&document).unwrap()
    }
}
