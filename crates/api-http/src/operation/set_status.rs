//! Set status: for callers that mirror another system's states.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use consign_ledger as ledger;
use consign_ledger::Store;
use consign_ledger::command::{Command, SetStatus};
use consign_ledger::delegation::status::Status as LedgerStatus;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Answered, Conflict, NotFound};
use crate::app::App;
use crate::body::Body;
use crate::params::At;
use crate::problem::Problem;
use crate::wire::{DelegationId, OverrideReason, Status, Text};

/// A request to be in a status.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SetStatusRequest)]
pub(crate) struct Request<'a> {
    status: Status,
    /// Why; for `stuck`, `failed` and `cancelled`.
    #[serde(borrow)]
    error_detail: Option<Text<'a>>,
    /// The answer, or its beginning; for `completed`.
    #[serde(borrow)]
    result_preview: Option<Text<'a>>,
    /// The lease, where one was issued; for `in_progress`, `stuck`, `completed` and `failed`.
    #[serde(borrow)]
    lease: Option<Text<'a>>,
    /// An operator's reason for acting in the callee's place.
    #[serde(borrow)]
    r#override: Option<OverrideReason<'a>>,
}

impl Request<'_> {
    /// A detail that the status has no place for would be lost without a word.
    fn check(&self) -> Result<(), Problem> {
        let (tells_why, tells_what) = match self.status.0 {
            LedgerStatus::Stuck | LedgerStatus::Failed | LedgerStatus::Cancelled => (true, false),
            LedgerStatus::Completed => (false, true),
            LedgerStatus::Queued | LedgerStatus::Dispatched | LedgerStatus::InProgress => {
                (false, false)
            }
        };
        if self.error_detail.is_some() && !tells_why {
            return Err(Problem::invalid_field(
                "error_detail",
                &format!("goes with stuck, failed or cancelled, and not with {}", self.status.0),
            ));
        }
        if self.result_preview.is_some() && !tells_what {
            return Err(Problem::invalid_field(
                "result_preview",
                &format!("goes with completed, and not with {}", self.status.0),
            ));
        }
        Ok(())
    }
}

/// Set the status
///
/// The same rules as the verbs: `queued` on a delegation in flight is a retry, `in_progress` counts as a
/// heartbeat, the terminal ones are verdicts. `queued`, `dispatched` and `cancelled` are the caller's to set
/// and need no lease.
#[utoipa::path(
    put, path = "/v1/delegations/{delegation_id}/status", operation_id = "set_status", tag = "caller",
    params(("delegation_id" = DelegationId, Path)), request_body = Request,
    responses((status = OK, description = "It has this status", body = Answered), NotFound, Conflict)
)]
pub(crate) async fn handle<S: Store>(
    State(app): State<Arc<App<S>>>,
    At(id): At<ledger::DelegationId>,
    body: Body,
) -> Result<Response, Problem> {
    let request: Request<'_> = body.read()?;
    request.check()?;
    let set_status = SetStatus {
        id,
        status: request.status.0,
        error_detail: request.error_detail.map(Text::into_string),
        result: request.result_preview.map(Text::into_string),
        lease: request.lease.map(Text::into_string),
        override_reason: request.r#override.map(OverrideReason::into_string),
    };
    app.act(Command::SetStatus(set_status)).await?.answered()
}
