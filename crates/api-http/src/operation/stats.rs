//! Stats: how many delegations have each status.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use consign_ledger::delegation::status::Status;
use consign_ledger::{Reader as _, Store};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::params::{NoParams, Query};
use crate::problem::Problem;
use crate::reply;

/// One number for each status.
#[derive(Serialize, ToSchema)]
#[schema(as = Stats)]
pub(crate) struct Answer {
    queued: u64,
    dispatched: u64,
    in_progress: u64,
    stuck: u64,
    completed: u64,
    failed: u64,
    cancelled: u64,
}

/// Count the delegations
///
/// By status.
#[utoipa::path(
    get, path = "/v1/stats", operation_id = "stats", tag = "operator",
    responses((status = OK, description = "The counts", body = Answer))
)]
pub(crate) async fn handle<S: Store>(
    State(app): State<Arc<App<S>>>,
    Query(NoParams {}): Query<NoParams>,
) -> Result<Response, Problem> {
    let stats = app.ledger.reader().stats().await?;
    reply::ok(&Answer {
        queued: stats.of(Status::Queued),
        dispatched: stats.of(Status::Dispatched),
        in_progress: stats.of(Status::InProgress),
        stuck: stats.of(Status::Stuck),
        completed: stats.of(Status::Completed),
        failed: stats.of(Status::Failed),
        cancelled: stats.of(Status::Cancelled),
    })
}
