//! Sweeps: the reports of the latest passes.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use consign_ledger::{Reader as _, Store};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::app::App;
use crate::limits::PAGE_ITEMS_DEFAULT;
use crate::params::Query;
use crate::problem::Problem;
use crate::reply;
use crate::shape::SweepReport;
use crate::wire::PageLimit;

/// How many.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Params {
    /// How many; absent: 100. The last 1000 are kept.
    limit: Option<PageLimit>,
}

/// The history.
#[derive(Serialize, ToSchema)]
#[schema(as = SweepsAnswer)]
pub(crate) struct Answer {
    sweeps: Vec<SweepReport>,
}

/// List the latest sweeps
///
/// Newest first.
#[utoipa::path(
    get, path = "/v1/sweeps", operation_id = "sweeps", tag = "operator", params(Params),
    responses((status = OK, description = "The history", body = Answer))
)]
pub(crate) async fn handle<S: Store>(
    State(app): State<Arc<App<S>>>,
    Query(Params { limit }): Query<Params>,
) -> Result<Response, Problem> {
    let limit = limit.map_or(PAGE_ITEMS_DEFAULT, |it| it.0 as usize);
    let reports = app.ledger.reader().sweeps(limit).await?;
    reply::ok(&Answer { sweeps: reports.iter().map(SweepReport::from).collect() })
}
