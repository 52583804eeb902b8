//! Acknowledge: an agent has read its inbox up to a message.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use consign_ledger as ledger;
use consign_ledger::Store;
use serde::{Deserialize, Serialize};
use utoipa::{IntoResponses, ToSchema};

use crate::app::App;
use crate::body::Body;
use crate::params::At;
use crate::problem::{Document, Problem};
use crate::reply;
use crate::wire::{AgentId, SeqAfter};

/// How far the agent has read.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = InboxAckRequest)]
pub(crate) struct Request {
    /// The `seq` of the last message that you have dealt with, or the `next_after` of its page.
    through: SeqAfter,
}

/// How far it has read now.
#[derive(Serialize, ToSchema)]
#[schema(as = InboxAckAnswer)]
pub(crate) struct Answer {
    /// Never smaller than before.
    acked_through: i64,
}

/// 422.
#[derive(IntoResponses)]
#[response(
    status = UNPROCESSABLE_ENTITY,
    description = "`ahead-of-inbox`: no message of this inbox has a number as high",
    content_type = "application/problem+json"
)]
#[expect(dead_code, reason = "describes a response; nothing makes one")]
pub(crate) struct AheadOfInbox<'a>(Document<'a>);

/// Acknowledge messages
///
/// All up to a number. From then on the inbox is read from there, unless the request says from where. The point
/// only moves on: an older acknowledgement, or the same one again, is answered with where it stands.
#[utoipa::path(
    post, path = "/v1/agents/{agent_id}/inbox/ack", operation_id = "inbox_ack", tag = "caller",
    params(("agent_id" = AgentId, Path)), request_body = Request,
    responses((status = OK, description = "Acknowledged", body = Answer), AheadOfInbox)
)]
pub(crate) async fn handle<S: Store>(
    State(app): State<Arc<App<S>>>,
    At(agent_id): At<ledger::AgentId>,
    body: Body,
) -> Result<Response, Problem> {
    let Request { through } = body.read()?;
    let acked_through = app.ledger.acknowledge(agent_id, through.0).await?;
    reply::ok(&Answer { acked_through })
}
