//! Release: the lease's holder gives the work back before it stops.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use consign_ledger as ledger;
use consign_ledger::Store;
use consign_ledger::command::{Command, Release};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Changed, Conflict, NotFound};
use crate::app::App;
use crate::body::Body;
use crate::params::At;
use crate::problem::Problem;
use crate::wire::{DelegationId, Text};

/// A request to give back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReleaseRequest)]
pub(crate) struct Request<'a> {
    /// The lease that is given back.
    #[serde(borrow)]
    lease: Text<'a>,
    /// For people.
    #[serde(borrow)]
    reason: Option<Text<'a>>,
}

/// Release a delegation
///
/// Back to `queued`, for whoever takes it next. No attempt is burned.
#[utoipa::path(
    post, path = "/v1/delegations/{delegation_id}/release", operation_id = "release", tag = "callee",
    params(("delegation_id" = DelegationId, Path)), request_body = Request,
    responses((status = OK, description = "Given back", body = Changed), NotFound, Conflict)
)]
pub(crate) async fn handle<S: Store>(
    State(app): State<Arc<App<S>>>,
    At(id): At<ledger::DelegationId>,
    body: Body,
) -> Result<Response, Problem> {
    let Request { lease, reason } = body.read()?;
    let (lease, reason) = (lease.into_string(), reason.map(Text::into_string));
    app.act(Command::Release(Release { id, lease, reason })).await?.changed()
}
