//! Show: the whole of one delegation, now or as soon as there is news.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use consign_delivery::Until as Awaited;
use consign_ledger as ledger;
use consign_ledger::Store;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{NotFound, create_batch};
use crate::app::App;
use crate::params::{At, Query};
use crate::problem::Problem;
use crate::reply;
use crate::shape::Delegation;
use crate::wire::{DelegationId, Until, WaitSeconds};

/// How to wait.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Params {
    /// How long to wait for news; absent: answer at once.
    wait_s: Option<WaitSeconds>,
    /// What counts as news: the verdict (`terminal`, the default), or being stuck, too (`stuck`).
    until: Option<Until>,
}

/// One delegation.
#[derive(Serialize, ToSchema)]
#[schema(as = ShowAnswer)]
pub(crate) struct Answer<'a> {
    delegation: Delegation<'a>,
}

/// Get a delegation
///
/// The whole of it. With `wait_s`, answers as soon as there is news, and otherwise as it is when the time
/// is over.
#[utoipa::path(
    get, path = "/v1/delegations/{delegation_id}", operation_id = "show", tag = "caller",
    params(("delegation_id" = DelegationId, Path), Params),
    responses((status = OK, description = "The delegation", body = Answer), NotFound)
)]
pub(crate) async fn handle<S: Store>(
    State(app): State<Arc<App<S>>>,
    At(id): At<ledger::DelegationId>,
    Query(params): Query<Params>,
) -> Result<Response, Problem> {
    show(&app, &id, params).await
}

/// The delegation whose id is the word of the batch operation, which takes the path from the route above.
pub(super) async fn handle_batch<S: Store>(
    State(app): State<Arc<App<S>>>,
    Query(params): Query<Params>,
) -> Result<Response, Problem> {
    let id = ledger::DelegationId::new(create_batch::WORD).map_err(|_| Problem::internal())?;
    show(&app, &id, params).await
}

async fn show<S: Store>(
    app: &App<S>,
    id: &ledger::DelegationId,
    Params { wait_s, until }: Params,
) -> Result<Response, Problem> {
    let (row, bodies) = match wait_s {
        // On the heap: a look is large, and whoever waits below would carry its room along.
        None | Some(WaitSeconds(0)) => Box::pin(app.find(id)).await?,
        Some(WaitSeconds(seconds)) => {
            let until = until.map_or(Awaited::Terminal, |it| it.0);
            let at_most = Duration::from_secs(seconds.into());
            let news = app.follower.wait(id, until, at_most).await?;
            news.ok_or_else(|| Problem::not_found(id))?
        }
    };
    reply::ok(&Answer { delegation: Delegation::whole(&row, &bodies, app.threshold_s()) })
}
