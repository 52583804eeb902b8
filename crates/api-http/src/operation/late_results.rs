//! Late results: answers that came under a void lease or after the verdict, kept beside it.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use consign_ledger as ledger;
use consign_ledger::query::Late;
use consign_ledger::{Reader as _, Store};
use serde::Serialize;
use utoipa::ToSchema;

use super::NotFound;
use crate::app::App;
use crate::params::{At, NoParams, Query};
use crate::problem::Problem;
use crate::reply;
use crate::shape::Actor;
use crate::wire::{DelegationId, Moment, RawJson, Status, Wire};

/// All of them: there are at most ten.
#[derive(Serialize, ToSchema)]
#[schema(as = LateResultsAnswer)]
pub(crate) struct Answer<'a> {
    late_results: Vec<LateResult<'a>>,
}

/// One answer that came too late.
#[derive(Serialize, ToSchema)]
pub(crate) struct LateResult<'a> {
    /// The attempt at the time.
    attempt: u32,
    at: Moment,
    actor: Actor<'a>,
    /// The name of the refusal, or `same-status`.
    why: &'a str,
    /// The status that it would have brought.
    status: Status,
    #[schema(value_type = crate::wire::Payload)]
    result: Option<RawJson<'a>>,
    error_detail: Option<&'a str>,
}

impl<'a> From<&'a Late> for LateResult<'a> {
    fn from(late: &'a Late) -> Self {
        Self {
            attempt: late.attempt,
            at: Wire(late.at),
            actor: Actor::new(late.role, late.actor_id.as_deref()),
            why: &late.why,
            status: Wire(late.status),
            result: late.result.as_ref().map(Into::into),
            error_detail: late.error_detail.as_deref(),
        }
    }
}

/// List the late results of a delegation
///
/// In the order of their arrival. They never overwrite the verdict.
#[utoipa::path(
    get, path = "/v1/delegations/{delegation_id}/late-results", operation_id = "late_results",
    tag = "caller", params(("delegation_id" = DelegationId, Path)),
    responses((status = OK, description = "All of them", body = Answer), NotFound)
)]
pub(crate) async fn handle<S: Store>(
    State(app): State<Arc<App<S>>>,
    At(id): At<ledger::DelegationId>,
    Query(NoParams {}): Query<NoParams>,
) -> Result<Response, Problem> {
    let late = app.ledger.reader().late_results(&id).await?;
    if late.is_empty() {
        app.find(&id).await?;
    }
    reply::ok(&Answer { late_results: late.iter().map(LateResult::from).collect() })
}
