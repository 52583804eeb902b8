//! Heartbeat: the callee says "alive", and is told where things stand.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use consign_ledger as ledger;
use consign_ledger::Store;
use consign_ledger::command::{Heartbeat, Pulse, WaitChange};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Conflict, NotFound, Unprocessable};
use crate::app::App;
use crate::body::Body;
use crate::params::At;
use crate::problem::Problem;
use crate::reply;
use crate::wire::{DelegationId, Moment, Progress, Status, Text, Wait, Wire, wait_change};

/// A sign of life.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = HeartbeatRequest)]
pub(crate) struct Request<'a> {
    /// The lease, where one was issued.
    #[serde(borrow)]
    lease: Option<Text<'a>>,
    /// What advanced: any JSON value of at most 4096 bytes. It counts when it differs from the last.
    #[schema(value_type = Progress, required = false)]
    progress: Option<Progress>,
    /// What you wait for; `null`: nothing any more; absent: as it was.
    #[serde(default, deserialize_with = "wait_change")]
    #[schema(value_type = Option<Wait>)]
    waiting: Option<WaitChange>,
}

/// Where things stand.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HeartbeatAnswer)]
pub(crate) struct Answer<'a> {
    current_status: Status,
    /// The present attempt.
    attempt: u32,
    /// The hard end.
    deadline: Moment,
    /// `true` tells you to end the work.
    stop: bool,
    /// A sentence, where there is something to tell.
    why: Option<&'a str>,
}

impl<'a> From<&'a Pulse> for Answer<'a> {
    fn from(pulse: &'a Pulse) -> Self {
        Self {
            current_status: Wire(pulse.current_status),
            attempt: pulse.attempt,
            deadline: Wire(pulse.deadline),
            // Who should stop is refused, so whoever is answered goes on.
            stop: false,
            why: pulse.why.as_deref(),
        }
    }
}

/// Send a heartbeat
///
/// Keeps the delegation from being marked stuck; the first one starts it, and it ends being stuck. Every
/// answer, refused or not, says where things stand: `stop: true` tells you to end the work.
#[utoipa::path(
    post, path = "/v1/delegations/{delegation_id}/heartbeat", operation_id = "heartbeat", tag = "callee",
    params(("delegation_id" = DelegationId, Path)), request_body = Request,
    responses((status = OK, description = "Heard", body = Answer), NotFound, Conflict, Unprocessable)
)]
pub(crate) async fn handle<S: Store>(
    State(app): State<Arc<App<S>>>,
    At(id): At<ledger::DelegationId>,
    body: Result<Body, Problem>,
) -> Result<Response, Problem> {
    match beat(&app, &id, body).await {
        Ok(pulse) => reply::ok(&Answer::from(&pulse)),
        Err(problem) => Err(app.refuse_beat(&id, problem).await),
    }
}

async fn beat<S: Store>(
    app: &App<S>,
    id: &ledger::DelegationId,
    body: Result<Body, Problem>,
) -> Result<Pulse, Problem> {
    let body = body?;
    let Request { lease, progress, waiting } = body.read()?;
    let beat = Heartbeat {
        id: id.clone(),
        lease: lease.map(Text::into_string),
        progress: progress.map(|it| it.0),
        waiting,
        override_reason: None,
    };
    let mut pulses = app.ledger.heartbeats(vec![beat]).await;
    Ok(pulses.pop().ok_or_else(Problem::internal)??)
}
