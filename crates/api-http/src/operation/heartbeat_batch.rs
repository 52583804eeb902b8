//! Heartbeats of many delegations in one request, an outcome each.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use consign_ledger::Store;
use consign_ledger::command::{Heartbeat, Pulse, WaitChange};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::app::App;
use crate::batch;
use crate::body::Body;
use crate::problem::{Document, Problem};
use crate::reply;
use crate::wire::{DelegationId, Moment, Progress, Status, Text, Wait, Wire, wait_change};

/// Signs of life.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = HeartbeatBatchRequest)]
pub(crate) struct Request<'a> {
    /// At most 1000.
    #[serde(borrow)]
    #[schema(value_type = Vec<Beat>, max_items = 1000)]
    heartbeats: Vec<&'a RawValue>,
}

/// One sign of life.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = HeartbeatBatchItemRequest)]
pub(crate) struct Beat<'a> {
    delegation_id: DelegationId,
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

/// An outcome for each, in their order.
#[derive(Serialize, ToSchema)]
#[schema(as = HeartbeatBatchAnswer)]
pub(crate) struct Answer<'a> {
    outcomes: Vec<Item<'a>>,
}

/// Where things stand with one.
#[derive(Serialize, ToSchema)]
#[schema(as = HeartbeatBatchOutcome)]
pub(crate) struct Item<'a> {
    /// Which, as it was sent; `null` where that was no id.
    delegation_id: Option<DelegationId>,
    /// Whether it was heard.
    ok: bool,
    current_status: Option<Status>,
    /// The present attempt.
    attempt: Option<u32>,
    /// The hard end.
    deadline: Option<Moment>,
    /// `true` tells the callee to end the work.
    stop: bool,
    /// A sentence, where there is something to tell.
    why: Option<&'a str>,
    /// Why not, where it is not `ok`.
    problem: Option<Document<'a>>,
}

/// Send heartbeats
///
/// Up to 1000 at once, each with its own outcome: the cheapest way to keep a fleet alive.
#[utoipa::path(
    post, path = "/v1/heartbeats", operation_id = "heartbeat_batch", tag = "callee",
    request_body = Request,
    responses((status = OK, description = "An outcome each", body = Answer))
)]
pub(crate) async fn handle<S: Store>(
    State(app): State<Arc<App<S>>>,
    body: Body,
) -> Result<Response, Problem> {
    let Request { heartbeats } = body.read_envelope()?;
    let beats: Vec<Result<Beat<'_>, Problem>> = batch::items("heartbeats", &heartbeats)?;
    let ids: Vec<_> = beats.iter().zip(&heartbeats).map(|(beat, raw)| id(beat, raw)).collect();
    let beats = beats.into_iter().map(|beat| beat.map(Heartbeat::from)).collect();
    let pulses = batch::fill(beats, async |beats| {
        app.ledger.heartbeats(beats).await.into_iter().map(|it| it.map_err(Problem::from)).collect()
    });
    let pulses = told(&app, &ids, pulses.await).await;
    let outcomes = ids.into_iter().zip(&pulses).map(|(id, pulse)| Item::of(id, pulse)).collect();
    reply::ok(&Answer { outcomes })
}

/// Each refused one with where its delegation stands.
async fn told<S: Store>(
    app: &App<S>,
    ids: &[Option<DelegationId>],
    pulses: Vec<Result<Pulse, Problem>>,
) -> Vec<Result<Pulse, Problem>> {
    let mut told = Vec::with_capacity(pulses.len());
    for (id, pulse) in ids.iter().zip(pulses) {
        told.push(match (id, pulse) {
            (Some(id), Err(problem)) => Err(app.refuse_beat(&id.0, problem).await),
            (_, pulse) => pulse,
        });
    }
    told
}

/// The id that an item was sent for, even where the rest of it is invalid.
fn id(beat: &Result<Beat<'_>, Problem>, raw: &RawValue) -> Option<DelegationId> {
    #[derive(Deserialize)]
    struct Named {
        delegation_id: DelegationId,
    }
    match beat {
        Ok(beat) => Some(beat.delegation_id.clone()),
        Err(_) => serde_json::from_str::<Named>(raw.get()).ok().map(|named| named.delegation_id),
    }
}

impl From<Beat<'_>> for Heartbeat {
    fn from(beat: Beat<'_>) -> Self {
        Self {
            id: beat.delegation_id.0,
            lease: beat.lease.map(Text::into_string),
            progress: beat.progress.map(|it| it.0),
            waiting: beat.waiting,
            override_reason: None,
        }
    }
}

impl<'a> Item<'a> {
    fn of(delegation_id: Option<DelegationId>, pulse: &'a Result<Pulse, Problem>) -> Self {
        match pulse {
            Ok(pulse) => Self {
                delegation_id,
                ok: true,
                current_status: Some(Wire(pulse.current_status)),
                attempt: Some(pulse.attempt),
                deadline: Some(Wire(pulse.deadline)),
                stop: false,
                why: pulse.why.as_deref(),
                problem: None,
            },
            Err(problem) => Self::refused(delegation_id, problem),
        }
    }

    fn refused(delegation_id: Option<DelegationId>, problem: &'a Problem) -> Self {
        let told = problem.told();
        Self {
            delegation_id,
            ok: false,
            current_status: told.and_then(|it| it.current_status),
            attempt: told.and_then(|it| it.attempt),
            deadline: told.and_then(|it| it.deadline),
            stop: told.is_some_and(|it| it.stop),
            why: Some(told.map_or(problem.detail(), |it| &it.why)),
            problem: Some(problem.document()),
        }
    }
}
