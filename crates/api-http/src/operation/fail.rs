//! Fail: the callee gives up, or an operator gives up for it.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use consign_ledger as ledger;
use consign_ledger::Store;
use consign_ledger::command::{Command, Fail};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Answered, Conflict, NotFound};
use crate::app::App;
use crate::body::Body;
use crate::params::At;
use crate::problem::Problem;
use crate::wire::{DelegationId, OverrideReason, Text};

/// A request to fail.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FailRequest)]
pub(crate) struct Request<'a> {
    /// Why, for the caller.
    #[serde(borrow)]
    error_detail: Text<'a>,
    /// The lease, where one was issued.
    #[serde(borrow)]
    lease: Option<Text<'a>>,
    /// An operator's reason for acting in the callee's place.
    #[serde(borrow)]
    r#override: Option<OverrideReason<'a>>,
}

/// Fail a delegation
///
/// A verdict, recorded once. The same detail again changes nothing; another one is kept beside it
/// (`kept_as_late`). A failure under a void lease, or after another verdict, is refused and kept as late.
#[utoipa::path(
    post, path = "/v1/delegations/{delegation_id}/fail", operation_id = "fail", tag = "callee",
    params(("delegation_id" = DelegationId, Path)), request_body = Request,
    responses((status = OK, description = "Failed", body = Answered), NotFound, Conflict)
)]
pub(crate) async fn handle<S: Store>(
    State(app): State<Arc<App<S>>>,
    At(id): At<ledger::DelegationId>,
    body: Body,
) -> Result<Response, Problem> {
    let Request { error_detail, lease, r#override } = body.read()?;
    let fail = Fail {
        id,
        error_detail: Some(error_detail.into_string()),
        lease: lease.map(Text::into_string),
        override_reason: r#override.map(OverrideReason::into_string),
    };
    app.act(Command::Fail(fail)).await?.answered()
}
