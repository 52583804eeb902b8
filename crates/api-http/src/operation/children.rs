//! Children: the delegations created under one.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use consign_ledger as ledger;
use consign_ledger::query::Filter;
use consign_ledger::{Reader as _, Store};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{NotFound, list};
use crate::app::App;
use crate::cursor::Cursor;
use crate::limits::PAGE_ITEMS_DEFAULT;
use crate::params::{At, Query};
use crate::problem::Problem;
use crate::reply;
use crate::wire::{DelegationId, PageLimit, StatusFilter};

/// Which of them.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Params {
    /// A status, or `in_flight`.
    status: Option<StatusFilter>,
    /// The `next_cursor` of the page before.
    cursor: Option<Cursor>,
    /// How many on a page; absent: 100.
    limit: Option<PageLimit>,
}

/// List the children of a delegation
///
/// Newest first, without their tasks and results. Children of children are not among them.
#[utoipa::path(
    get, path = "/v1/delegations/{delegation_id}/children", operation_id = "children", tag = "caller",
    params(("delegation_id" = DelegationId, Path), Params),
    responses((status = OK, description = "One page", body = list::Answer), NotFound)
)]
pub(crate) async fn handle<S: Store>(
    State(app): State<Arc<App<S>>>,
    At(id): At<ledger::DelegationId>,
    Query(params): Query<Params>,
) -> Result<Response, Problem> {
    let filter = Filter {
        status: params.status.map(|it| it.0),
        parent: Some(id.clone()),
        before: params.cursor.map(|it| it.0.0),
        limit: params.limit.map_or(PAGE_ITEMS_DEFAULT, |it| it.0 as usize),
        ..Filter::default()
    };
    let page = app.ledger.reader().list(filter).await?;
    if page.items.is_empty() {
        app.find(&id).await?;
    }
    reply::ok(&list::Answer::of(&page, app.threshold_s()))
}
