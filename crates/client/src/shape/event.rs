//! What happened: events, and the answers that came too late.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Status;

/// A fact in the history of a delegation.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "the names are the wire's, explained in docs/http.md")]
pub struct Event {
    pub seq: i64,
    pub delegation_id: String,
    pub kind: String,
    pub attempt: u32,
    pub at: Timestamp,
    pub actor: Actor,
    pub from: Option<Status>,
    pub to: Status,
    pub reason: Option<String>,
    pub data: Option<Box<RawValue>>,
}

/// Who did it.
#[derive(Clone, Debug, Deserialize)]
pub struct Actor {
    /// The part that was played.
    pub role: String,
    /// Which agent, where it was one.
    pub id: Option<String>,
}

/// One page of events, each as it came, too.
#[derive(Clone, Debug, Deserialize)]
pub struct EventPage {
    /// In order, each as JSON: [`EventPage::events`] reads them.
    #[serde(rename = "events")]
    pub texts: Vec<Box<RawValue>>,
    /// What to ask behind for the next page, if there is one.
    pub next_cursor: Option<i64>,
}

impl EventPage {
    /// Each event, with the JSON that it came as.
    pub fn events(&self) -> impl Iterator<Item = serde_json::Result<(Event, &str)>> {
        self.texts.iter().map(|text| Ok((serde_json::from_str(text.get())?, text.get())))
    }
}

/// The answers that came too late.
#[derive(Clone, Debug, Deserialize)]
pub struct LateResults {
    /// All of them.
    pub late_results: Vec<LateResult>,
}

/// One answer that came too late.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "the names are the wire's, explained in docs/http.md")]
pub struct LateResult {
    pub attempt: u32,
    pub at: Timestamp,
    pub actor: Actor,
    pub why: String,
    pub status: Status,
    pub result: Option<Box<RawValue>>,
    pub error_detail: Option<String>,
}
