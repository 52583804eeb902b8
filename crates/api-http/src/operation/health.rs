//! Health: whether the process answers, and whether its ledger does.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use consign_ledger::{Reader as _, Store};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::params::{NoParams, Query};
use crate::problem::Problem;
use crate::reply;

/// Yes.
#[derive(Serialize, ToSchema)]
#[schema(as = HealthAnswer)]
pub(crate) struct Answer {
    ok: bool,
}

/// Is the process alive
///
/// Answers without asking anybody.
#[utoipa::path(
    get, path = "/healthz", operation_id = "healthz", tag = "server",
    responses((status = OK, description = "It is", body = Answer))
)]
pub(crate) async fn alive(Query(NoParams {}): Query<NoParams>) -> Result<Response, Problem> {
    reply::ok(&Answer { ok: true })
}

/// Is the ledger ready
///
/// Reads from the ledger's store, and where the last that should have been written there was not, tries to write
/// something: 503 where either cannot be done.
#[utoipa::path(
    get, path = "/readyz", operation_id = "readyz", tag = "server",
    responses((status = OK, description = "It is", body = Answer))
)]
pub(crate) async fn ready<S: Store>(
    State(app): State<Arc<App<S>>>,
    Query(NoParams {}): Query<NoParams>,
) -> Result<Response, Problem> {
    app.ledger.reader().newest_seq().await?;
    app.ledger.try_writing().await?;
    reply::ok(&Answer { ok: true })
}
