//! Dispatch: the caller has handed the work out itself.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use consign_ledger as ledger;
use consign_ledger::Store;
use consign_ledger::command::{Command, Dispatch};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Changed, Conflict, NotFound};
use crate::app::App;
use crate::body::Body;
use crate::params::At;
use crate::problem::Problem;
use crate::wire::DelegationId;

/// A request to mark a delegation as handed out.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DispatchRequest)]
pub(crate) struct Request {}

/// Mark a delegation as dispatched
///
/// The caller has handed it out itself, so no claimer may take it.
#[utoipa::path(
    post, path = "/v1/delegations/{delegation_id}/dispatch", operation_id = "dispatch", tag = "caller",
    params(("delegation_id" = DelegationId, Path)), request_body = Request,
    responses((status = OK, description = "Dispatched", body = Changed), NotFound, Conflict)
)]
pub(crate) async fn handle<S: Store>(
    State(app): State<Arc<App<S>>>,
    At(id): At<ledger::DelegationId>,
    body: Body,
) -> Result<Response, Problem> {
    let Request {} = body.read()?;
    app.act(Command::Dispatch(Dispatch { id })).await?.changed()
}
