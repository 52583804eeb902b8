//! Retry: hand the work out again.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use consign_ledger as ledger;
use consign_ledger::Store;
use consign_ledger::command::{Command, Retry};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Changed, Conflict, NotFound, Unprocessable};
use crate::app::App;
use crate::body::Body;
use crate::params::At;
use crate::problem::Problem;
use crate::reply;
use crate::wire::{AgentId, Count, DelegationId, Seconds};

/// A request to hand out again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RetryRequest)]
pub(crate) struct Request {
    /// A new deadline, from now.
    deadline_s: Option<Seconds>,
    /// Another callee.
    callee_id: Option<AgentId>,
    /// The attempt that you looked at: refused with `changed-meanwhile` where it is over. Send it, so that a
    /// repeat of a retry whose answer was lost does not take the work away from whoever has taken it since.
    if_attempt: Option<Count>,
}

/// Retry a delegation
///
/// In flight: the same delegation is `queued` again, one attempt further, and every old lease is void.
/// Terminal: a new delegation is made, whose `retry_of` names the old one.
#[utoipa::path(
    post, path = "/v1/delegations/{delegation_id}/retry", operation_id = "retry", tag = "caller",
    params(("delegation_id" = DelegationId, Path)), request_body = Request,
    responses(
        (status = OK, description = "Queued again", body = Changed),
        (status = CREATED, description = "A new delegation was made", body = Changed),
        NotFound, Conflict, Unprocessable
    )
)]
pub(crate) async fn handle<S: Store>(
    State(app): State<Arc<App<S>>>,
    At(id): At<ledger::DelegationId>,
    body: Body,
) -> Result<Response, Problem> {
    let Request { deadline_s, callee_id, if_attempt } = body.read()?;
    let retry = Retry {
        id: id.clone(),
        deadline_s: deadline_s.map(|it| it.0),
        callee_id: callee_id.map(|it| it.0),
        if_attempt: if_attempt.map(|it| it.0),
    };
    let done = app.act(Command::Retry(retry)).await?;
    let made = done.outcome.changed && done.outcome.delegation.delegation_id != id;
    let status = if made { StatusCode::CREATED } else { StatusCode::OK };
    let changed = Changed { delegation: done.delegation(), changed: done.outcome.changed };
    reply::with(status, &changed)
}
