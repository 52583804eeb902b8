//! Explain: what would happen to a delegation if nobody said anything any more, and why.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use consign_ledger as ledger;
use consign_ledger::Store;

use super::NotFound;
use crate::app::App;
use crate::params::{At, NoParams, Query};
use crate::problem::Problem;
use crate::reply;
use crate::shape::Outlook;
use crate::wire::DelegationId;

/// Explain a delegation
///
/// What comes next by the clock alone, by which rule, and what counts as its silence. Nothing changes.
#[utoipa::path(
    get, path = "/v1/delegations/{delegation_id}/explain", operation_id = "explain", tag = "operator",
    params(("delegation_id" = DelegationId, Path)),
    responses((status = OK, description = "Its outlook", body = Outlook), NotFound)
)]
pub(crate) async fn handle<S: Store>(
    State(app): State<Arc<App<S>>>,
    At(id): At<ledger::DelegationId>,
    Query(NoParams {}): Query<NoParams>,
) -> Result<Response, Problem> {
    let outlook = app.sweeper.explain(&id).await?.ok_or_else(|| Problem::not_found(&id))?;
    reply::ok(&Outlook::from(&outlook))
}
