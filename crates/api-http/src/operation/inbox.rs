//! Inbox: an agent's durable list of messages.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use consign_ledger as ledger;
use consign_ledger::query::{InboxQuery, Message as Stored};
use consign_ledger::{Reader as _, Store};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::app::App;
use crate::limits::PAGE_ITEMS_DEFAULT;
use crate::params::{At, Query};
use crate::problem::Problem;
use crate::reply;
use crate::wire::{AgentId, DelegationId, Moment, PageLimit, RawJson, SeqAfter, Status, Wire};

/// Which messages.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Params {
    /// Behind this number: the `next_after` of the page before; absent: from the beginning.
    after: Option<SeqAfter>,
    /// How many on a page; absent: 100.
    limit: Option<PageLimit>,
}

/// One page.
#[derive(Serialize, ToSchema)]
#[schema(as = InboxAnswer)]
pub(crate) struct Answer<'a> {
    messages: Vec<Message<'a>>,
    /// What to send as `after` to see only what comes later.
    next_after: i64,
    /// How many messages the agent has that it has not acknowledged.
    unread: u64,
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
/// The agent's messages in order: the verdicts of what it delegated, and the warnings it asked for.
#[utoipa::path(
    get, path = "/v1/agents/{agent_id}/inbox", operation_id = "inbox", tag = "caller",
    params(("agent_id" = AgentId, Path), Params),
    responses((status = OK, description = "One page", body = Answer))
)]
pub(crate) async fn handle<S: Store>(
    State(app): State<Arc<App<S>>>,
    At(agent_id): At<ledger::AgentId>,
    Query(Params { after, limit }): Query<Params>,
) -> Result<Response, Problem> {
    let after = after.map(|it| it.0);
    let limit = limit.map_or(PAGE_ITEMS_DEFAULT, |it| it.0 as usize);
    let inbox = app.ledger.reader().inbox(InboxQuery { agent_id, after, limit }).await?;
    let last = inbox.messages.last().map(|message| message.seq);
    reply::ok(&Answer {
        messages: inbox.messages.iter().map(Message::from).collect(),
        next_after: last.or(after).unwrap_or_default(),
        unread: inbox.unread,
    })
}
