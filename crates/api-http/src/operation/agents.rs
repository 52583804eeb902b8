//! Agents: everybody who is registered, asked for work or was asked.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use consign_ledger::query::{AgentPage, AgentsQuery};
use consign_ledger::{Reader as _, Store};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::app::App;
use crate::params::Query;
use crate::problem::Problem;
use crate::reply;
use crate::shape::Agent;
use crate::wire::{AgentId, AgentPageLimit, Wire};

/// Which of them.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Params {
    /// Behind this id: the `next_after` of the page before.
    after: Option<AgentId>,
    /// How many on a page; absent: 100.
    limit: Option<AgentPageLimit>,
}

/// One page.
#[derive(Serialize, ToSchema)]
#[schema(as = AgentsAnswer)]
pub(crate) struct Answer {
    agents: Vec<Agent>,
    /// What to send as `after` for the next page; `null` where this is the last.
    next_after: Option<AgentId>,
}

/// List the agents
///
/// Whoever is registered, asked for work or was asked, by id.
#[utoipa::path(
    get, path = "/v1/agents", operation_id = "agents", tag = "operator", params(Params),
    responses((status = OK, description = "One page", body = Answer))
)]
pub(crate) async fn handle<S: Store>(
    State(app): State<Arc<App<S>>>,
    Query(Params { after, limit }): Query<Params>,
) -> Result<Response, Problem> {
    let limit = limit.map_or(AgentPageLimit::DEFAULT, |it| it.0) as usize;
    let query = AgentsQuery { after: after.map(|it| it.0), limit };
    let AgentPage { agents, more } = app.ledger.reader().agents(query).await?;
    let last = agents.last().filter(|_| more);
    reply::ok(&Answer {
        next_after: last.map(|agent| Wire(agent.agent_id.clone())),
        agents: agents.iter().map(Agent::from).collect(),
    })
}
