//! Cancel: the caller calls the work off.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use consign_ledger as ledger;
use consign_ledger::Store;
use consign_ledger::command::{Cancel, Command};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Changed, Conflict, NotFound};
use crate::app::App;
use crate::body::Body;
use crate::params::At;
use crate::problem::Problem;
use crate::wire::{DelegationId, Text};

/// A request to call off.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CancelRequest)]
pub(crate) struct Request<'a> {
    /// For people.
    #[serde(borrow)]
    reason: Option<Text<'a>>,
}

/// Cancel a delegation
///
/// A verdict: the callee is told to stop at its next heartbeat. Children in flight are cancelled, too.
#[utoipa::path(
    post, path = "/v1/delegations/{delegation_id}/cancel", operation_id = "cancel", tag = "caller",
    params(("delegation_id" = DelegationId, Path)), request_body = Request,
    responses((status = OK, description = "Cancelled", body = Changed), NotFound, Conflict)
)]
pub(crate) async fn handle<S: Store>(
    State(app): State<Arc<App<S>>>,
    At(id): At<ledger::DelegationId>,
    body: Body,
) -> Result<Response, Problem> {
    let Request { reason } = body.read()?;
    let cancel = Cancel { id, reason: reason.map(Text::into_string) };
    app.act(Command::Cancel(cancel)).await?.changed()
}
