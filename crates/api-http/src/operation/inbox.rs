//! Inbox: an agent's durable list of messages.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use consign_delivery::{Topic, WaitError};
use consign_ledger as ledger;
use consign_ledger::query::{Inbox, InboxQuery, Message as Stored};
use consign_ledger::{Reader as _, Store};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::app::App;
use crate::limits::PAGE_ITEMS_DEFAULT;
use crate::params::{At, Query};
use crate::problem::Problem;
use crate::reply;
use crate::wire::{
    AgentId, DelegationId, Moment, PageLimit, RawJson, SeqAfter, Status, WaitSeconds, Wire,
};

/// Which messages.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Params {
    /// Behind this number: the `next_after` of the page before; absent: from where the agent has
    /// acknowledged.
    after: Option<SeqAfter>,
    /// How many on a page; absent: 100.
    limit: Option<PageLimit>,
    /// How long to wait for a message where there is none; absent: answer at once.
    wait_s: Option<WaitSeconds>,
}

/// One page.
#[derive(Serialize, ToSchema)]
#[schema(as = InboxAnswer)]
pub(crate) struct Answer<'a> {
    messages: Vec<Message<'a>>,
    /// What to send as `after` to see only what comes later.
    next_after: i64,
    /// Up to where the agent has acknowledged.
    acked_through: i64,
    /// How many messages it has behind that, counted up to 10000.
    unread: u64,
    /// When the oldest of these happened.
    oldest_unread_at: Option<Moment>,
}

/// One message.
#[derive(Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the wire's names")]
pub(crate) struct Message<'a> {
    /// The number of its event.
    seq: i64,
    /// The same message always has the same one.
    message_id: String,
    kind: MessageKind,
    delegation_id: DelegationId,
    /// The status that the event brought.
    status: Status,
    #[schema(value_type = crate::wire::Payload)]
    result: Option<RawJson<'a>>,
    /// Why it is stuck, failed or cancelled.
    error_detail: Option<&'a str>,
    at: Moment,
}

/// What a message tells of.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MessageKind {
    /// How it ended.
    Verdict,
    /// That it became stuck, or recovered.
    Warning,
}

impl<'a> From<&'a Stored> for Message<'a> {
    fn from(stored: &'a Stored) -> Self {
        let warns = stored.status.in_flight();
        Self {
            seq: stored.seq,
            message_id: format!("m-{}", stored.seq),
            kind: if warns { MessageKind::Warning } else { MessageKind::Verdict },
            delegation_id: Wire(stored.delegation_id.clone()),
            status: Wire(stored.status),
            result: stored.result.as_ref().map(Into::into),
            error_detail: stored.error_detail.as_deref(),
            at: Wire(stored.at),
        }
    }
}

/// Read an inbox
///
/// The agent's messages in order: the verdicts of what it delegated, and the warnings it asked for. With
/// `wait_s`, answers as soon as there is one, and otherwise with an empty page when the time is over.
/// A message stays until it is acknowledged, and keeps its `message_id`.
#[utoipa::path(
    get, path = "/v1/agents/{agent_id}/inbox", operation_id = "inbox", tag = "caller",
    params(("agent_id" = AgentId, Path), Params),
    responses((status = OK, description = "One page", body = Answer))
)]
pub(crate) async fn handle<S: Store>(
    State(app): State<Arc<App<S>>>,
    At(agent_id): At<ledger::AgentId>,
    Query(Params { after, limit, wait_s }): Query<Params>,
) -> Result<Response, Problem> {
    let after = after.map(|it| it.0);
    let limit = limit.map_or(PAGE_ITEMS_DEFAULT, |it| it.0 as usize);
    let at_most = Duration::from_secs(wait_s.map_or(0, |it| it.0.into()));
    let inbox = read(&app, InboxQuery { agent_id, after, limit }, at_most).await?;
    let last = inbox.messages.last().map(|message| message.seq);
    reply::ok(&Answer {
        messages: inbox.messages.iter().map(Message::from).collect(),
        next_after: last.or(after).unwrap_or(inbox.acked_through),
        acked_through: inbox.acked_through,
        unread: inbox.unread,
        oldest_unread_at: inbox.oldest_unread_at.map(Wire),
    })
}

/// The page, once there is something on it or the time is over.
async fn read<S: Store>(
    app: &App<S>,
    query: InboxQuery,
    at_most: Duration,
) -> Result<Inbox, WaitError> {
    let look = || async { Ok(app.ledger.reader().inbox(query.clone()).await?) };
    if at_most.is_zero() {
        return Box::pin(look()).await;
    }
    let topic = Topic::Inbox(query.agent_id.clone());
    let is_news = |inbox: &Inbox| !inbox.messages.is_empty();
    app.follower.wait_for(topic, at_most, look, is_news).await
}
