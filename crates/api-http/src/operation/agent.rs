//! One agent: what is set for it, and how it does.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use consign_ledger as ledger;
use consign_ledger::query::Latest as LatestEnded;
use consign_ledger::{AgentTerms, Reader as _, Store};
use serde::{Deserialize, Serialize};
use utoipa::{IntoResponses, ToSchema};

use crate::app::App;
use crate::body::Body;
use crate::params::{At, NoParams, Query};
use crate::problem::{Document, Problem};
use crate::reply;
use crate::shape::{Agent, Latest};
use crate::wire::{AgentId, AgentLimit, Seconds, Warning, notify};

/// The whole record. What is absent or `null` is not set.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SetAgentRequest)]
pub(crate) struct Request {
    /// As callee: how long a silence may last where a delegation does not say.
    stuck_threshold_s: Option<Seconds>,
    /// As caller: which warnings reach its inbox where a delegation does not say; absent: none.
    notify: Option<Vec<Warning>>,
    /// As callee: how much it may work on at once; 0: it gets nothing for now.
    max_in_flight: Option<AgentLimit>,
    /// As callee: how much may wait for it; 0: nothing new is taken for it.
    max_queued: Option<AgentLimit>,
}

/// One agent.
#[derive(Serialize, ToSchema)]
#[schema(as = AgentAnswer)]
pub(crate) struct Answer {
    agent: Agent,
    latest: Latest,
}

/// What became of a record.
#[derive(Serialize, ToSchema)]
#[schema(as = SetAgentAnswer)]
pub(crate) struct Changed {
    /// As it is now.
    agent: Agent,
    /// `false` where it was so already.
    changed: bool,
}

/// What became of a record that is to be forgotten.
#[derive(Serialize, ToSchema)]
#[schema(as = RemoveAgentAnswer)]
pub(crate) struct Removed {
    /// `false` where there was none.
    changed: bool,
}

/// 404.
#[derive(IntoResponses)]
#[response(
    status = NOT_FOUND,
    description = "`no-such-agent`: nobody with this id is registered, asked for work or was asked",
    content_type = "application/problem+json"
)]
#[expect(dead_code, reason = "describes a response; nothing makes one")]
pub(crate) struct NoSuchAgent<'a>(Document<'a>);

impl Request {
    fn terms(&self) -> AgentTerms {
        AgentTerms {
            stuck_threshold_s: self.stuck_threshold_s.map(|it| it.0),
            notify: self.notify.as_deref().map(notify).unwrap_or_default(),
            max_in_flight: self.max_in_flight.map(|it| it.0),
            max_queued: self.max_queued.map(|it| it.0),
        }
    }
}

/// Get an agent
///
/// What is set for it, and how it does: its work in flight, its messages, and how it ended what it ended last.
#[utoipa::path(
    get, path = "/v1/agents/{agent_id}", operation_id = "agent", tag = "operator",
    params(("agent_id" = AgentId, Path)),
    responses((status = OK, description = "The agent", body = Answer), NoSuchAgent)
)]
pub(crate) async fn show<S: Store>(
    State(app): State<Arc<App<S>>>,
    At(id): At<ledger::AgentId>,
    Query(NoParams {}): Query<NoParams>,
) -> Result<Response, Problem> {
    let found = app.ledger.reader().agent(&id).await?;
    let (health, ended) = found.ok_or_else(|| Problem::no_such_agent(&id))?;
    reply::ok(&Answer { agent: Agent::from(&health), latest: LatestEnded::of(&ended).into() })
}

/// Register an agent, or set it anew
///
/// Writes the whole record; the same again changes nothing. Delegations take what they leave open from it when
/// they are made: what is set later changes none that is there. Nobody has to be registered.
#[utoipa::path(
    put, path = "/v1/agents/{agent_id}", operation_id = "set_agent", tag = "operator",
    params(("agent_id" = AgentId, Path)), request_body = Request,
    responses(
        (status = CREATED, description = "Registered", body = Changed),
        (status = OK, description = "Set", body = Changed)
    )
)]
pub(crate) async fn set<S: Store>(
    State(app): State<Arc<App<S>>>,
    At(id): At<ledger::AgentId>,
    body: Body,
) -> Result<Response, Problem> {
    let request: Request = body.read()?;
    let registered = app.ledger.set_agent(id.clone(), request.terms()).await?;
    let found = app.ledger.reader().agent(&id).await?;
    let (mut health, _) = found.ok_or_else(|| Problem::no_such_agent(&id))?;
    // What was just written, and not what somebody else wrote since.
    health.record = registered.agent;
    let status = if registered.created { StatusCode::CREATED } else { StatusCode::OK };
    reply::with(status, &Changed { agent: Agent::from(&health), changed: registered.changed })
}

/// Forget an agent's record
///
/// The defaults and limits go. Delegations, messages, and how far the agent has read them, stay.
#[utoipa::path(
    delete, path = "/v1/agents/{agent_id}", operation_id = "remove_agent", tag = "operator",
    params(("agent_id" = AgentId, Path)),
    responses((status = OK, description = "It has no record now", body = Removed))
)]
pub(crate) async fn remove<S: Store>(
    State(app): State<Arc<App<S>>>,
    At(id): At<ledger::AgentId>,
    Query(NoParams {}): Query<NoParams>,
) -> Result<Response, Problem> {
    let registered = app.ledger.remove_agent(id).await?;
    reply::ok(&Removed { changed: registered.changed })
}
