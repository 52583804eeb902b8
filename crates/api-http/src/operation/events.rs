//! Events: the history of one delegation.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use consign_ledger as ledger;
use consign_ledger::query::EventQuery;
use consign_ledger::{Reader as _, Store};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::NotFound;
use crate::app::App;
use crate::limits::PAGE_ITEMS_DEFAULT;
use crate::params::{At, Query};
use crate::problem::Problem;
use crate::reply;
use crate::shape::Event;
use crate::wire::{DelegationId, PageLimit, SeqAfter};

/// Which of them.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Params {
    /// Behind this number: the `next_cursor` of the page before; absent: from the beginning.
    after: Option<SeqAfter>,
    /// How many on a page; absent: 100.
    limit: Option<PageLimit>,
}

/// One page.
#[derive(Serialize, ToSchema)]
#[schema(as = EventsAnswer)]
pub(crate) struct Answer<'a> {
    events: Vec<Event<'a>>,
    /// What to send as `after` for the next page; `null`: there is none yet.
    next_cursor: Option<i64>,
}

/// List the events of a delegation
///
/// What happened to it, in order.
#[utoipa::path(
    get, path = "/v1/delegations/{delegation_id}/events", operation_id = "events", tag = "caller",
    params(("delegation_id" = DelegationId, Path), Params),
    responses((status = OK, description = "One page", body = Answer), NotFound)
)]
pub(crate) async fn handle<S: Store>(
    State(app): State<Arc<App<S>>>,
    At(id): At<ledger::DelegationId>,
    Query(Params { after, limit }): Query<Params>,
) -> Result<Response, Problem> {
    let query = EventQuery {
        delegation_id: Some(id.clone()),
        after: after.map_or(0, |it| it.0),
        limit: limit.map_or(PAGE_ITEMS_DEFAULT, |it| it.0 as usize),
    };
    let page = app.ledger.reader().events(query).await?;
    if page.events.is_empty() {
        app.find(&id).await?;
    }
    let events = page.events.iter().map(Event::from).collect();
    reply::ok(&Answer { events, next_cursor: page.next })
}
