//! Delegate many at once: not atomic, an outcome each.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use consign_ledger::command::{Command, Create, Outcome};
use consign_ledger::delegation::status::Status;
use consign_ledger::query::Entry;
use consign_ledger::{Bodies, Error, Store, preview};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::create;
use crate::app::App;
use crate::batch;
use crate::body::Body;
use crate::problem::{Document, Problem};
use crate::reply;
use crate::shape::{Delegation, ListedDelegation};

/// Its last word is a delegation's id, too, for whoever asks in another way.
pub(super) const PATH: &str = "/v1/delegations/batch";
/// That id.
pub(super) const WORD: &str = "batch";

/// A request to delegate many.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateBatchRequest)]
pub(crate) struct Request<'a> {
    /// At most 1000, in the order in which they are decided.
    #[serde(borrow)]
    #[schema(value_type = Vec<create::Request>, max_items = 1000)]
    delegations: Vec<&'a RawValue>,
}

/// An outcome for each, in their order.
#[derive(Serialize, ToSchema)]
#[schema(as = CreateBatchAnswer)]
pub(crate) struct Answer<'a> {
    outcomes: Vec<Item<'a>>,
}

/// What came of one.
#[derive(Serialize, ToSchema)]
#[schema(as = CreateBatchOutcome)]
pub(crate) struct Item<'a> {
    ok: bool,
    #[schema(value_type = Option<ListedDelegation>)]
    delegation: Option<Delegation<'a>>,
    /// The same request had made it before.
    replayed: Option<bool>,
    /// Why not, where it is not `ok`.
    problem: Option<Document<'a>>,
}

/// One that is there, new or found again. As in a list: a thousand whole results would be gigabytes.
struct Made {
    entry: Entry,
    replayed: bool,
}

/// Delegate many
///
/// Up to 1000 at once, not atomic: each has its own outcome, and one that is refused does not touch the
/// others. Decided in their order, so a child may follow its parent. As in a list, each delegation is told
/// without its task and its result.
#[utoipa::path(
    post, path = "/v1/delegations/batch", operation_id = "delegate_batch", tag = "caller",
    request_body = Request,
    responses((status = OK, description = "An outcome each", body = Answer))
)]
pub(crate) async fn handle<S: Store>(
    State(app): State<Arc<App<S>>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    if headers.contains_key(create::KEY_HEADER) {
        let why = "is for one delegation; give each of these its own `idempotency_key`";
        return Err(Problem::invalid_field("Idempotency-Key", why));
    }
    let Request { delegations } = body.read_envelope()?;
    let requests = batch::items("delegations", &delegations)?;
    let creates = requests.into_iter().map(|it| it.and_then(create::Request::command)).collect();
    let made = batch::fill(creates, |creates| make(&app, creates)).await;
    let outcomes = made.iter().map(|made| Item::of(made, app.threshold_s())).collect();
    reply::ok(&Answer { outcomes })
}

async fn make<S: Store>(app: &App<S>, creates: Vec<Create>) -> Vec<Result<Made, Problem>> {
    let given: Vec<_> = creates.iter().map(|create| Arc::clone(&create.bodies)).collect();
    let commands = creates.into_iter().map(|create| Command::Create(Box::new(create))).collect();
    let outcomes: Vec<Result<Outcome, Error>> = app.ledger.act_all(commands).await;
    let mut made = Vec::with_capacity(outcomes.len());
    for (outcome, given) in outcomes.into_iter().zip(given) {
        made.push(match outcome {
            Ok(outcome) => {
                create::bodies(app, &outcome, given).await.map(|bodies| Made::of(outcome, bodies))
            }
            Err(error) => Err(error.into()),
        });
    }
    made
}

impl Made {
    /// Keeps no more of the bodies than a list shows, before the next are read.
    fn of(outcome: Outcome, bodies: Bodies) -> Self {
        let Outcome { delegation, replayed, .. } = outcome;
        // The bodies may have been read a moment after the row: they tell nothing that it does not know.
        let result = bodies.result.filter(|_| delegation.status == Status::Completed);
        let entry = Entry {
            task_preview: preview(bodies.task.as_str()).to_owned(),
            result_preview: result.map(|result| preview(result.as_str()).to_owned()),
            progress: bodies.progress,
            metadata: bodies.metadata,
            delegation,
        };
        Self { entry, replayed }
    }
}

impl<'a> Item<'a> {
    fn of(made: &'a Result<Made, Problem>, threshold_s: u32) -> Self {
        match made {
            Ok(made) => Self {
                ok: true,
                delegation: Some(Delegation::listed(&made.entry, threshold_s)),
                replayed: Some(made.replayed),
                problem: None,
            },
            Err(problem) => Self {
                ok: false,
                delegation: None,
                replayed: None,
                problem: Some(problem.document()),
            },
        }
    }
}
