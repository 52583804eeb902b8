//! The operations: one file each, with its request, its page of the document, its handler.

mod accept;
mod agent;
mod agents;
mod cancel;
mod children;
mod claim;
mod complete;
mod create;
mod create_batch;
mod dispatch;
mod events;
mod explain;
mod extend;
mod fail;
mod health;
mod heartbeat;
mod heartbeat_batch;
mod inbox;
mod inbox_ack;
mod late_results;
mod list;
mod metrics;
mod prunable;
mod prune;
mod release;
mod retry;
mod set_status;
mod settings;
mod show;
mod stats;
mod sweep;
mod sweeps;

use std::sync::Arc;

use axum::routing::get;
use consign_ledger::Store;
use serde::Serialize;
use utoipa::{IntoResponses, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::openapi;
use crate::problem::Document;
use crate::shape::Delegation;

/// Every route, with its page of the document.
pub(crate) fn all<S: Store>() -> OpenApiRouter<Arc<App<S>>> {
    OpenApiRouter::with_openapi(openapi::cover())
        .routes(routes!(create::handle, list::handle))
        .routes(routes!(create_batch::handle))
        .route(create_batch::PATH, get(show::handle_batch))
        .routes(routes!(show::handle))
        .routes(routes!(events::handle))
        .routes(routes!(explain::handle))
        .routes(routes!(late_results::handle))
        .routes(routes!(children::handle))
        .routes(routes!(dispatch::handle))
        .routes(routes!(accept::handle))
        .routes(routes!(heartbeat::handle))
        .routes(routes!(complete::handle))
        .routes(routes!(fail::handle))
        .routes(routes!(release::handle))
        .routes(routes!(cancel::handle))
        .routes(routes!(retry::handle))
        .routes(routes!(extend::handle))
        .routes(routes!(set_status::handle))
        .routes(routes!(heartbeat_batch::handle))
        .routes(routes!(agents::handle))
        .routes(routes!(agent::show, agent::set, agent::remove))
        .routes(routes!(claim::handle))
        .routes(routes!(inbox::handle))
        .routes(routes!(inbox_ack::handle))
        .routes(routes!(stats::handle))
        .routes(routes!(settings::handle))
        .routes(routes!(sweeps::handle, sweep::handle))
        .routes(routes!(prunable::handle))
        .routes(routes!(prune::handle))
        .routes(routes!(health::alive))
        .routes(routes!(health::ready))
        .routes(routes!(metrics::handle))
        .routes(routes!(openapi::handle))
}

/// What most verbs answer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Changed<'a> {
    pub(crate) delegation: Delegation<'a>,
    /// `false` where it was so already.
    pub(crate) changed: bool,
}

/// What giving an answer is answered.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Answered<'a> {
    pub(crate) delegation: Delegation<'a>,
    /// `false` where it was so already.
    pub(crate) changed: bool,
    /// The verdict stands; this answer was stored beside it.
    pub(crate) kept_as_late: bool,
}

/// 404.
#[derive(IntoResponses)]
#[response(
    status = NOT_FOUND,
    description = "`not-found`: no delegation has this id",
    content_type = "application/problem+json"
)]
#[expect(dead_code, reason = "describes a response; nothing makes one")]
pub(crate) struct NotFound<'a>(Document<'a>);

/// 409.
#[derive(IntoResponses)]
#[response(
    status = CONFLICT,
    description = "Refused by the state of things; the problem's `type` names the reason",
    content_type = "application/problem+json"
)]
#[expect(dead_code, reason = "describes a response; nothing makes one")]
pub(crate) struct Conflict<'a>(Document<'a>);

/// 422.
#[derive(IntoResponses)]
#[response(
    status = UNPROCESSABLE_ENTITY,
    description = "`self-delegation`, `cycle`, `too-deep` or `not-yours`: refused in every state",
    content_type = "application/problem+json"
)]
#[expect(dead_code, reason = "describes a response; nothing makes one")]
pub(crate) struct Unprocessable<'a>(Document<'a>);
