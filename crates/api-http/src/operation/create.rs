//! Delegate: one durable record, made once however often it is asked for.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use consign_ledger as ledger;
use consign_ledger::command::{Command, Create, Outcome};
use consign_ledger::delegation::terms::{OnNotStarted as LedgerOnNotStarted, Terms};
use consign_ledger::{Bodies, Json, Store};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Conflict, Unprocessable};
use crate::app::App;
use crate::body::Body;
use crate::problem::Problem;
use crate::reply;
use crate::shape::Delegation;
use crate::wire::{
    AgentId, Attempts, DelegationId, IdempotencyKey, Metadata, Moment, OnNotStarted, Payload,
    Priority, Seconds, Warning, Worded as _, deadline, notify,
};

/// The header that may carry the business key.
pub(super) const KEY_HEADER: &str = "idempotency-key";

/// A request to delegate.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateRequest)]
pub(crate) struct Request {
    /// Your choice, so that a repeat is recognised; else the ledger makes one.
    delegation_id: Option<DelegationId>,
    /// Who asks.
    caller_id: AgentId,
    /// Who is asked.
    callee_id: AgentId,
    /// What is asked: any JSON value. A string is text.
    task: Payload,
    /// The business key; the header `Idempotency-Key` is the same.
    idempotency_key: Option<IdempotencyKey>,
    /// The hard end. Absent, with `deadline_s`: six hours from now.
    deadline: Option<Moment>,
    /// The hard end, from now.
    deadline_s: Option<Seconds>,
    /// Record only: caller and callee talk by themselves, nobody claims it. Goes with one attempt only: the
    /// ledger cannot hand out again what you hand out.
    dispatched: Option<bool>,
    /// How long a silence may last; absent: as the callee's record has it, else the ledger's default.
    stuck_threshold_s: Option<Seconds>,
    /// How long it may stay stuck before it is handed out again or failed.
    stuck_grace_s: Option<Seconds>,
    /// By when somebody must have begun.
    start_within_s: Option<Seconds>,
    /// What follows when nobody has; absent: `stuck`.
    on_not_started: Option<OnNotStarted>,
    /// How long heartbeats may come without progress.
    progress_within_s: Option<Seconds>,
    /// How often it may be handed out by itself; absent: once.
    max_attempts: Option<Attempts>,
    /// Higher goes first; absent: 0.
    priority: Option<Priority>,
    /// Which warnings reach the caller's inbox, beside the verdict; absent: as the caller's record has it.
    notify: Option<Vec<Warning>>,
    /// The delegation that it is part of; its callee is the caller here.
    parent_id: Option<DelegationId>,
    /// Whether its children end with it however it ends.
    cancel_children: Option<bool>,
    /// Your own notes: any JSON value of at most 65536 bytes.
    #[schema(value_type = Metadata, required = false)]
    metadata: Option<Metadata>,
}

/// The delegation, new or found again.
#[derive(Serialize, ToSchema)]
#[schema(as = CreateAnswer)]
pub(crate) struct Answer<'a> {
    delegation: Delegation<'a>,
    /// The same request had made it before.
    replayed: bool,
}

impl Request {
    pub(super) fn command(self) -> Result<Create, Problem> {
        let terms = self.terms();
        Ok(Create {
            deadline: deadline(self.deadline, self.deadline_s)?,
            delegation_id: self.delegation_id.map(|it| it.0),
            caller_id: self.caller_id.0,
            callee_id: self.callee_id.0,
            bodies: Arc::new((self.task.0, self.metadata.map(|it| it.0))),
            idempotency_key: self.idempotency_key.map(|it| it.0),
            dispatched: self.dispatched.unwrap_or_default(),
            max_attempts: self.max_attempts.map_or(1, |it| it.0),
            terms,
            notify: self.notify.as_deref().map(notify),
            parent_id: self.parent_id.map(|it| it.0),
        })
    }

    fn terms(&self) -> Terms {
        Terms {
            stuck_threshold_s: self.stuck_threshold_s.map(|it| it.0),
            stuck_grace_s: self.stuck_grace_s.map(|it| it.0),
            start_within_s: self.start_within_s.map(|it| it.0),
            on_not_started: self.on_not_started.map_or(LedgerOnNotStarted::Stuck, |it| it.0),
            progress_within_s: self.progress_within_s.map(|it| it.0),
            priority: self.priority.map_or(0, |it| it.0),
            cancel_children: self.cancel_children.unwrap_or_default(),
            ..Terms::default()
        }
    }

    /// The key may come as a header, too; the two must not contradict each other.
    fn take_key(&mut self, headers: &HeaderMap) -> Result<(), Problem> {
        let mut given = headers.get_all(KEY_HEADER).iter();
        let Some(header) = given.next() else { return Ok(()) };
        if given.next().is_some() {
            return Err(Problem::invalid_field("Idempotency-Key", "is given twice"));
        }
        let text = std::str::from_utf8(header.as_bytes())
            .map_err(|_| Problem::invalid_field("Idempotency-Key", "must be UTF-8"))?;
        let key = ledger::IdempotencyKey::read(text)
            .map_err(|why| Problem::invalid_field("Idempotency-Key", &why))?;
        if self.idempotency_key.as_ref().is_some_and(|field| field.0 != key) {
            let why = "differs from the header Idempotency-Key; send one of the two";
            return Err(Problem::invalid_field("idempotency_key", why));
        }
        self.idempotency_key = Some(crate::wire::Wire(key));
        Ok(())
    }
}

/// What an outcome's delegation is answered with: a new one has the bodies that it was just given.
pub(super) async fn bodies<S: Store>(
    app: &App<S>,
    outcome: &Outcome,
    given: Arc<(ledger::Payload, Option<Json>)>,
) -> Result<Bodies, Problem> {
    if outcome.replayed {
        return app.bodies(&outcome.delegation.delegation_id).await;
    }
    let (task, metadata) = Arc::unwrap_or_clone(given);
    Ok(Bodies { task, result: None, metadata, progress: None })
}

/// Delegate
///
/// Commits one durable record before it answers. The same request again, with the same `delegation_id` or
/// the same idempotency key, is answered with the record that it made (200, `replayed`), in whatever status
/// that is. It is the same where caller, callee, parent, task and `max_attempts` agree: another deadline, other
/// terms, priority or metadata are ignored, and change nothing.
#[utoipa::path(
    post, path = "/v1/delegations", operation_id = "delegate", tag = "caller",
    params((
        "Idempotency-Key" = Option<IdempotencyKey>, Header,
        description = "The business key, as the field `idempotency_key`"
    )),
    request_body = Request,
    responses(
        (status = CREATED, description = "Delegated", body = Answer),
        (status = OK, description = "It was there already", body = Answer),
        (
            status = NOT_FOUND, description = "`not-found`: no delegation has this `parent_id`",
            content_type = "application/problem+json", body = crate::problem::Document
        ),
        Conflict, Unprocessable
    )
)]
pub(crate) async fn handle<S: Store>(
    State(app): State<Arc<App<S>>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let mut request: Request = body.read()?;
    request.take_key(&headers)?;
    let create = request.command()?;
    let given = Arc::clone(&create.bodies);
    let outcome = app.ledger.act(Command::Create(Box::new(create))).await?;
    let bodies = bodies(&app, &outcome, given).await?;
    let delegation = Delegation::whole(&outcome.delegation, &bodies, app.threshold_s());
    let status = if outcome.replayed { StatusCode::OK } else { StatusCode::CREATED };
    reply::with(status, &Answer { delegation, replayed: outcome.replayed })
}
