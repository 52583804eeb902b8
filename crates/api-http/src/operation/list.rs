//! List: pages of delegations, newest first.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use consign_ledger::query::{Entry, Filter, Page};
use consign_ledger::{Reader as _, Store};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::app::App;
use crate::cursor::{Cursor, Place};
use crate::limits::PAGE_ITEMS_DEFAULT;
use crate::params::Query;
use crate::problem::Problem;
use crate::reply;
use crate::shape::{Delegation, ListedDelegation};
use crate::wire::{AgentId, DelegationId, Moment, PageLimit, StatusFilter, Wire};

/// Which delegations. Every parameter narrows.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Params {
    /// A status, or `in_flight`.
    status: Option<StatusFilter>,
    /// Who asked.
    caller: Option<AgentId>,
    /// Who is asked.
    callee: Option<AgentId>,
    /// Created under this delegation.
    parent: Option<DelegationId>,
    /// Created at or after.
    created_after: Option<Moment>,
    /// Created before.
    created_before: Option<Moment>,
    /// Whose id begins so.
    id_prefix: Option<DelegationId>,
    /// The `next_cursor` of the page before.
    cursor: Option<Cursor>,
    /// How many on a page; absent: 100.
    limit: Option<PageLimit>,
}

/// One page.
#[derive(Serialize, ToSchema)]
#[schema(as = ListAnswer)]
pub(crate) struct Answer<'a> {
    #[schema(value_type = Vec<ListedDelegation>)]
    delegations: Vec<Delegation<'a>>,
    /// How many are on this page.
    count: usize,
    /// Where the next page begins; `null`: there is none.
    next_cursor: Option<Cursor>,
}

impl<'a> Answer<'a> {
    pub(super) fn of(page: &'a Page<Entry>, threshold_s: u32) -> Self {
        let listed = |entry| Delegation::listed(entry, threshold_s);
        Self {
            delegations: page.items.iter().map(listed).collect(),
            count: page.items.len(),
            next_cursor: page.next.map(|next| Wire(Place(next))),
        }
    }
}

impl From<Params> for Filter {
    fn from(params: Params) -> Self {
        Self {
            status: params.status.map(|it| it.0),
            caller: params.caller.map(|it| it.0),
            callee: params.callee.map(|it| it.0),
            parent: params.parent.map(|it| it.0),
            created_after: params.created_after.map(|it| it.0),
            created_before: params.created_before.map(|it| it.0),
            id_prefix: params.id_prefix.map(|it| it.0.to_string()),
            before: params.cursor.map(|it| it.0.0),
            limit: params.limit.map_or(PAGE_ITEMS_DEFAULT, |it| it.0 as usize),
        }
    }
}

/// List delegations
///
/// Newest first, without their tasks and results.
#[utoipa::path(
    get, path = "/v1/delegations", operation_id = "list", tag = "caller", params(Params),
    responses((status = OK, description = "One page", body = Answer))
)]
pub(crate) async fn handle<S: Store>(
    State(app): State<Arc<App<S>>>,
    Query(params): Query<Params>,
) -> Result<Response, Problem> {
    let page = app.ledger.reader().list(params.into()).await?;
    reply::ok(&Answer::of(&page, app.threshold_s()))
}
