//! Claim: a callee takes what waits for it, now or as soon as there is something.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use consign_delivery::Topic;
use consign_ledger as ledger;
use consign_ledger::command::{Claim, Taken};
use consign_ledger::{Bodies, Store};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::App;
use crate::body::Body;
use crate::limits::CLAIM_TASK_BYTES_MAX;
use crate::params::At;
use crate::problem::Problem;
use crate::reply;
use crate::shape::Delegation;
use crate::wire::{AgentId, ClaimId, ClaimLimit, WaitSeconds};

/// A request for work.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ClaimRequest)]
pub(crate) struct Request {
    /// How many at most; absent: 1.
    max: Option<ClaimLimit>,
    /// How long to wait while there is nothing; absent: answer at once.
    wait_s: Option<WaitSeconds>,
    /// Your name for this act: the same one again gives the same delegations and leases, as far as they are current.
    claim_id: Option<ClaimId>,
}

/// The work, and the proofs of holding it; empty where there was nothing to do.
#[derive(Serialize, ToSchema)]
#[schema(as = ClaimAnswer)]
pub(crate) struct Answer<'a> {
    /// The highest priority first, then what has waited longest.
    claims: Vec<Claimed<'a>>,
}

/// One of them.
#[derive(Serialize, ToSchema)]
pub(crate) struct Claimed<'a> {
    /// Whole; but where the tasks of one answer come to more than 8 MiB, the later delegations come as lists show
    /// them, without `task` and `result`.
    delegation: Delegation<'a>,
    /// Send it with everything that you say about this attempt.
    lease: &'a str,
}

/// Claim work
///
/// Takes what is queued for this agent, and what is stuck and held by nobody: the highest priority first, then what
/// has waited longest. Each becomes `in_progress`, and its lease is proof of holding this attempt. No two claims get
/// the same one. With `wait_s`, answers as soon as there is something.
#[utoipa::path(
    post, path = "/v1/agents/{agent_id}/claim", operation_id = "claim", tag = "callee",
    params(("agent_id" = AgentId, Path)), request_body = Request,
    responses((status = OK, description = "Yours", body = Answer))
)]
pub(crate) async fn handle<S: Store>(
    State(app): State<Arc<App<S>>>,
    At(callee_id): At<ledger::AgentId>,
    body: Body,
) -> Result<Response, Problem> {
    let Request { max, wait_s, claim_id } = body.read()?;
    let max = max.map_or(1, |it| it.0 as usize);
    let claim = Claim { callee_id, max, claim_id: claim_id.map(|it| it.0) };
    let taken = match wait_s {
        None | Some(WaitSeconds(0)) => app.ledger.claim(claim).await?,
        Some(WaitSeconds(seconds)) => {
            let topic = Topic::Work(claim.callee_id.clone());
            let at_most = Duration::from_secs(seconds.into());
            let look = || async { Ok::<_, Problem>(app.ledger.claim(claim.clone()).await?) };
            app.follower.wait_for(topic, at_most, look, |taken| !taken.is_empty()).await?
        }
    };
    let mut bodies = Vec::with_capacity(taken.len());
    for it in &taken {
        bodies.push(app.bodies(&it.delegation.delegation_id).await?);
    }
    let mut room = Room(CLAIM_TASK_BYTES_MAX);
    let together = taken.iter().zip(&bodies);
    let claims = together.map(|(it, bodies)| claimed(it, bodies, &mut room, app.threshold_s()));
    reply::ok(&Answer { claims: claims.collect() })
}

fn claimed<'a>(
    Taken { delegation, lease }: &'a Taken,
    bodies: &'a Bodies,
    room: &mut Room,
    threshold_s: u32,
) -> Claimed<'a> {
    let whole = Delegation::whole(delegation, bodies, threshold_s);
    let delegation = if room.takes(bodies) { whole } else { whole.without_bodies() };
    Claimed { delegation, lease }
}

/// How many bytes of tasks still fit into the answer.
struct Room(usize);

impl Room {
    /// The first always fits.
    fn takes(&mut self, bodies: &Bodies) -> bool {
        let bytes = bodies.task.as_str().len();
        let fits = self.0 == CLAIM_TASK_BYTES_MAX || bytes <= self.0;
        self.0 = self.0.saturating_sub(bytes.max(1));
        fits
    }
}
