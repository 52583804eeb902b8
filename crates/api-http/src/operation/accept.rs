//! Accept: a callee takes one delegation by its id.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use consign_ledger as ledger;
use consign_ledger::Store;
use consign_ledger::command::{Accept, Command};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Conflict, NotFound};
use crate::app::App;
use crate::body::Body;
use crate::params::At;
use crate::problem::Problem;
use crate::reply;
use crate::shape::Delegation;
use crate::wire::{ClaimId, DelegationId};

/// A request to take a delegation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AcceptRequest)]
pub(crate) struct Request {
    /// Your name for this act: the same one again gives the same lease while it holds.
    claim_id: Option<ClaimId>,
}

/// The work, and the proof of holding it.
#[derive(Serialize, ToSchema)]
#[schema(as = AcceptAnswer)]
pub(crate) struct Answer<'a> {
    delegation: Delegation<'a>,
    /// Send it with everything that you say about this attempt.
    lease: &'a str,
}

/// Accept a delegation
///
/// Takes one by its id: it becomes `in_progress`, and the lease is proof of holding this attempt. Refused
/// where somebody holds it already (`lease-held`).
#[utoipa::path(
    post, path = "/v1/delegations/{delegation_id}/accept", operation_id = "accept", tag = "callee",
    params(("delegation_id" = DelegationId, Path)), request_body = Request,
    responses((status = OK, description = "Yours", body = Answer), NotFound, Conflict)
)]
pub(crate) async fn handle<S: Store>(
    State(app): State<Arc<App<S>>>,
    At(id): At<ledger::DelegationId>,
    body: Body,
) -> Result<Response, Problem> {
    let Request { claim_id } = body.read()?;
    let accept = Accept { id, claim_id: claim_id.map(|it| it.0) };
    let done = app.act(Command::Accept(accept)).await?;
    let lease = done.outcome.lease.as_deref().ok_or_else(Problem::internal)?;
    reply::ok(&Answer { delegation: done.delegation(), lease })
}
