//! Complete: the callee's answer becomes the verdict.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use consign_ledger as ledger;
use consign_ledger::Store;
use consign_ledger::command::{Command, Complete};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Answered, Conflict, NotFound};
use crate::app::App;
use crate::body::Body;
use crate::params::At;
use crate::problem::Problem;
use crate::wire::{Answer, DelegationId, Text};

/// A request to complete.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CompleteRequest)]
pub(crate) struct Request<'a> {
    /// The answer: any JSON value; `null` is none.
    result: Answer,
    /// The lease, where one was issued.
    #[serde(borrow)]
    lease: Option<Text<'a>>,
}

/// Complete a delegation
///
/// A verdict, recorded once. The same result again changes nothing; another result is kept beside it
/// (`kept_as_late`). An answer under a void lease, or after another verdict, is refused and kept as late.
#[utoipa::path(
    post, path = "/v1/delegations/{delegation_id}/complete", operation_id = "complete", tag = "callee",
    params(("delegation_id" = DelegationId, Path)), request_body = Request,
    responses((status = OK, description = "Completed", body = Answered), NotFound, Conflict)
)]
pub(crate) async fn handle<S: Store>(
    State(app): State<Arc<App<S>>>,
    At(id): At<ledger::DelegationId>,
    body: Body,
) -> Result<Response, Problem> {
    let Request { result: Answer(result), lease } = body.read()?;
    let lease = lease.map(Text::into_string);
    let complete = Complete { id, result, lease, override_reason: None };
    app.act(Command::Complete(complete)).await?.answered()
}
