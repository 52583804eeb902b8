//! Sweep: a pass now, or what a pass would do.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use consign_ledger::Store;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::App;
use crate::body::Body;
use crate::problem::Problem;
use crate::reply;
use crate::shape::{Outlook, SweepReport};

/// A request for a pass.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SweepRequest)]
pub(crate) struct Request {
    /// Say what a pass would do, and do nothing.
    dry_run: Option<bool>,
}

/// What a pass did, or would do.
#[derive(Serialize, ToSchema)]
#[schema(as = SweepAnswer)]
pub(crate) struct Answer<'a> {
    #[serde(flatten)]
    report: SweepReport,
    /// Row by row, at most 1000; only of a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<Vec<Outlook<'a>>>,
    /// Whether there are more; only of a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    truncated: Option<bool>,
}

/// Sweep now
///
/// Runs a pass, or joins the one that is running, and answers with its report. With `dry_run`, nothing is
/// done, and the answer says what a pass would do and why, row by row.
#[utoipa::path(
    post, path = "/v1/sweeps", operation_id = "sweep", tag = "operator", request_body = Request,
    responses((status = OK, description = "The report; `rows` and `truncated` with `dry_run`", body = Answer))
)]
pub(crate) async fn handle<S: Store>(
    State(app): State<Arc<App<S>>>,
    body: Body,
) -> Result<Response, Problem> {
    let Request { dry_run } = body.read()?;
    if dry_run != Some(true) {
        let report = SweepReport::from(&app.sweeper.pass().await);
        return reply::ok(&Answer { report, rows: None, truncated: None });
    }
    let dry = app.sweeper.dry_run().await?;
    let rows = Some(dry.rows.iter().map(Outlook::from).collect());
    let report = SweepReport::from(&dry.report);
    reply::ok(&Answer { report, rows, truncated: Some(dry.truncated) })
}
