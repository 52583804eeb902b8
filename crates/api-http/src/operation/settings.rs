//! Settings: what this server runs by.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use consign_ledger::Store;
use consign_sweeper::Pruning;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::params::{NoParams, Query};
use crate::problem::Problem;
use crate::reply;

/// What was settled at its start.
#[derive(Serialize, ToSchema)]
#[schema(as = Settings)]
pub(crate) struct Answer<'a> {
    /// Where the ledger is; without a password.
    ledger: &'a str,
    /// The longest pause between two sweeps.
    sweeper_interval_s: u32,
    /// How long a silence may last, where neither a delegation nor its callee's record says.
    stuck_threshold_s: u32,
    /// Whether silence is held back when most of the fleet falls silent at once.
    brake: bool,
    /// How long an acknowledged verdict is kept; `null`: for ever.
    retention_acknowledged_days: Option<u32>,
    /// How long any verdict is kept; `null`: for ever.
    retention_days: Option<u32>,
    /// When what was kept long enough goes.
    prune: Prune,
}

/// When what was kept long enough goes.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Prune {
    /// Once a day, and when somebody asks.
    Daily,
    /// When somebody asks.
    Asked,
}

/// Tell the settings in force
///
/// Of this server alone: another one on the same ledger may have others.
#[utoipa::path(
    get, path = "/v1/settings", operation_id = "settings", tag = "operator",
    responses((status = OK, description = "The settings", body = Answer))
)]
pub(crate) async fn handle<S: Store>(
    State(app): State<Arc<App<S>>>,
    Query(NoParams {}): Query<NoParams>,
) -> Result<Response, Problem> {
    let (sweeping, kept) = (app.sweeper.settings(), app.pruner.retention());
    reply::ok(&Answer {
        ledger: &app.ledger_shown,
        sweeper_interval_s: sweeping.interval_s,
        stuck_threshold_s: app.threshold_s(),
        brake: sweeping.brake,
        retention_acknowledged_days: kept.acknowledged_days,
        retention_days: kept.any_days,
        prune: match app.pruner.pruning() {
            Pruning::Daily => Prune::Daily,
            Pruning::Asked => Prune::Asked,
        },
    })
}
