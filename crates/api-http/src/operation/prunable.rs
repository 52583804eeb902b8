//! What may go: over, and kept for as long as the retention says.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use consign_ledger::Store;
use consign_ledger::query::{self, Prunable as Found, PrunePage};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::app::App;
use crate::cursor::{Cursor, Place};
use crate::limits::PAGE_ITEMS_DEFAULT;
use crate::params::Query;
use crate::problem::Problem;
use crate::reply;
use crate::wire::{DelegationId, Moment, PageLimit, Status, Wire};

/// Which page.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Params {
    /// The `next_cursor` of the page before.
    cursor: Option<Cursor>,
    /// Of how many that ended the page is made; it may show fewer, also none. Absent: 100.
    limit: Option<PageLimit>,
}

/// One page.
#[derive(Serialize, ToSchema)]
#[schema(as = PrunableAnswer)]
pub(crate) struct Answer {
    /// How long an acknowledged verdict is kept, in days; `null`: for ever.
    acknowledged_days: Option<u32>,
    /// How long any verdict is kept, in days; `null`: for ever.
    days: Option<u32>,
    delegations: Vec<Prunable>,
    /// Where the next page begins; `null` where this is the last.
    next_cursor: Option<Cursor>,
}

/// A delegation that may go.
#[derive(Serialize, ToSchema)]
pub(crate) struct Prunable {
    delegation_id: DelegationId,
    /// Send it as `if_version`, so that what goes is what you have seen.
    version: u64,
    status: Status,
    finished_at: Moment,
    /// Whether its caller has acknowledged the verdict.
    acknowledged: bool,
}

impl From<&Found> for Prunable {
    fn from(found: &Found) -> Self {
        Self {
            delegation_id: Wire(found.delegation_id.clone()),
            version: found.version,
            status: Wire(found.status),
            finished_at: Wire(found.finished_at),
            acknowledged: found.acknowledged,
        }
    }
}

/// List what may be pruned
///
/// What has its verdict for as long as the server's retention says, oldest verdict first. What a child or a retry
/// names is not among it until that one has gone. Nothing changes.
#[utoipa::path(
    get, path = "/v1/prunable", operation_id = "prunable", tag = "operator", params(Params),
    responses((status = OK, description = "One page", body = Answer))
)]
pub(crate) async fn handle<S: Store>(
    State(app): State<Arc<App<S>>>,
    Query(Params { cursor, limit }): Query<Params>,
) -> Result<Response, Problem> {
    let limit = limit.map_or(PAGE_ITEMS_DEFAULT, |it| it.0 as usize);
    // A place among ends is told as one among beginnings is: a moment and a number.
    let after = cursor.map(|it| (it.0.0.created_at, it.0.0.num));
    let PrunePage { prunable, next } = app.pruner.prunable(after, limit).await?;
    let retention = app.pruner.retention();
    reply::ok(&Answer {
        acknowledged_days: retention.acknowledged_days,
        days: retention.any_days,
        delegations: prunable.iter().map(Prunable::from).collect(),
        next_cursor: next.map(|(at, num)| Wire(Place(query::Place { created_at: at, num }))),
    })
}
