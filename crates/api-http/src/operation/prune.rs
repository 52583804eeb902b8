//! Prune: exactly these go, as far as they may.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use consign_ledger::delegation::retention::Stays;
use consign_ledger::{Error, Store};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::app::App;
use crate::batch;
use crate::body::Body;
use crate::problem::{Document, Problem};
use crate::reply;
use crate::wire::{DelegationId, Version};

/// What is to go.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PruneRequest)]
pub(crate) struct Request<'a> {
    /// At most 1000.
    #[serde(borrow)]
    #[schema(value_type = Vec<Item>, max_items = 1000)]
    delegations: Vec<&'a RawValue>,
}

/// One delegation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PruneItemRequest)]
pub(crate) struct Item {
    delegation_id: DelegationId,
    /// Only if it is at this version: so what goes is what you have seen, or written down elsewhere.
    if_version: Option<Version>,
}

/// An outcome for each, in their order.
#[derive(Serialize, ToSchema)]
#[schema(as = PruneAnswer)]
pub(crate) struct Answer<'a> {
    outcomes: Vec<Outcome<'a>>,
}

/// What became of one.
#[derive(Serialize, ToSchema)]
#[schema(as = PruneOutcome)]
pub(crate) struct Outcome<'a> {
    /// It is gone, with its events, messages and late results.
    pruned: bool,
    /// Why it stays, in a sentence.
    why: Option<String>,
    /// Why it could not be decided on.
    problem: Option<Document<'a>>,
}

/// Prune delegations
///
/// Removes exactly these, each with its events, messages, late results and key, as far as the server's retention
/// lets them go: never one that is in flight, too young, or named by a child or a retry that is still there. Gone for
/// ever; an id that is gone may be used anew.
#[utoipa::path(
    post, path = "/v1/prune", operation_id = "prune", tag = "operator", request_body = Request,
    responses((status = OK, description = "An outcome each", body = Answer))
)]
pub(crate) async fn handle<S: Store>(
    State(app): State<Arc<App<S>>>,
    body: Body,
) -> Result<Response, Problem> {
    let Request { delegations } = body.read_envelope()?;
    let items = batch::items::<Item>("delegations", &delegations)?;
    let pruned = batch::fill(items, |items| prune(&app, items)).await;
    reply::ok(&Answer { outcomes: pruned.iter().map(Outcome::of).collect() })
}

async fn prune<S: Store>(
    app: &App<S>,
    items: Vec<Item>,
) -> Vec<Result<Result<(), Stays>, Problem>> {
    let asked = items.into_iter().map(|it| {
        let version = it.if_version.map(|version| version.0.unsigned_abs());
        (it.delegation_id.0, version)
    });
    let answers: Vec<Result<_, Error>> = app.pruner.prune(asked.collect()).await;
    answers.into_iter().map(|answer| answer.map_err(Problem::from)).collect()
}

impl<'a> Outcome<'a> {
    fn of(pruned: &'a Result<Result<(), Stays>, Problem>) -> Self {
        match pruned {
            Ok(Ok(())) => Self { pruned: true, why: None, problem: None },
            Ok(Err(stays)) => Self { pruned: false, why: Some(stays.to_string()), problem: None },
            Err(problem) => Self { pruned: false, why: None, problem: Some(problem.document()) },
        }
    }
}
