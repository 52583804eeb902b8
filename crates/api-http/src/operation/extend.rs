//! Extend: move the deadline.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use consign_ledger as ledger;
use consign_ledger::Store;
use consign_ledger::command::{Command, Extend};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Changed, Conflict, NotFound};
use crate::app::App;
use crate::body::Body;
use crate::params::At;
use crate::problem::Problem;
use crate::wire::{DelegationId, Moment, Seconds, Version, deadline};

/// A request for another deadline: exactly one of the two.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ExtendRequest)]
pub(crate) struct Request {
    /// The new hard end.
    deadline: Option<Moment>,
    /// The same, from now. It may be shorter.
    deadline_s: Option<Seconds>,
    /// The version that you looked at: refused with `changed-meanwhile` where it has changed.
    if_version: Option<Version>,
}

/// Move the deadline
///
/// Later or sooner, at most 366 days ahead, and no later than the parent's.
#[utoipa::path(
    post, path = "/v1/delegations/{delegation_id}/extend", operation_id = "extend", tag = "caller",
    params(("delegation_id" = DelegationId, Path)), request_body = Request,
    responses((status = OK, description = "It has this deadline", body = Changed), NotFound, Conflict)
)]
pub(crate) async fn handle<S: Store>(
    State(app): State<Arc<App<S>>>,
    At(id): At<ledger::DelegationId>,
    body: Body,
) -> Result<Response, Problem> {
    let request: Request = body.read()?;
    let deadline = deadline(request.deadline, request.deadline_s)?
        .ok_or_else(|| Problem::invalid_field("deadline_s", "is missing, and so is `deadline`"))?;
    let if_version = request.if_version.map(|it| it.0.unsigned_abs());
    app.act(Command::Extend(Extend { id, deadline, if_version })).await?.changed()
}
