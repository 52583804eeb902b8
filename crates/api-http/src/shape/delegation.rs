//! A delegation as clients see it.

use std::borrow::Cow;

use consign_ledger::delegation::status::Status as LedgerStatus;
use consign_ledger::delegation::{Delegation as Row, waiting};
use consign_ledger::query::Entry;
use consign_ledger::{Bodies, preview};
use serde::Serialize;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::wire::{
    AgentId, DelegationId, FailureKind, IdempotencyKey, Moment, RawJson, Status, StuckReason,
    WaitFor, Warning, Wire, warnings,
};

/// One delegation, whole.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the wire's names")]
pub(crate) struct Delegation<'a> {
    delegation_id: DelegationId,
    /// Who asked.
    caller_id: AgentId,
    /// Who is asked.
    callee_id: AgentId,
    status: Status,
    /// 1, 2, ...: how often the work has been handed out.
    attempt: u32,
    /// How often it may be handed out by itself; as high as `attempt`, where retries by hand went beyond.
    max_attempts: u32,
    /// What was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = crate::wire::Payload)]
    task: Option<RawJson<'a>>,
    /// The first 4096 bytes of it, cut on a character boundary.
    task_preview: &'a str,
    /// What came back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = crate::wire::Payload)]
    result: Option<RawJson<'a>>,
    /// The first 4096 bytes of it, cut on a character boundary.
    result_preview: Option<&'a str>,
    /// Why it is stuck, failed or cancelled.
    error_detail: Option<&'a str>,
    /// The kind of failure.
    failure: Option<FailureKind>,
    /// What would end being stuck.
    stuck_reason: Option<StuckReason>,
    /// What the callee last sent as progress.
    #[schema(value_type = crate::wire::Progress)]
    progress: Option<RawJson<'a>>,
    /// When that last differed from what was sent before.
    progress_at: Option<Moment>,
    /// What the callee waits for.
    waiting: Option<Waiting<'a>>,
    /// The callee's last sign of life in the present attempt.
    last_heartbeat: Option<Moment>,
    /// The hard end.
    deadline: Moment,
    /// When the ledger looks at it next; `null` once it is terminal.
    due_at: Option<Moment>,
    /// How long a silence may last; `null`: the ledger's default.
    stuck_threshold_s: Option<u32>,
    /// How long it may stay stuck.
    stuck_grace_s: Option<u32>,
    /// By when somebody must have begun.
    start_within_s: Option<u32>,
    /// How long heartbeats may come without progress.
    progress_within_s: Option<u32>,
    /// Higher goes first.
    priority: i32,
    /// Which warnings reach the caller's inbox.
    notify: Vec<Warning>,
    idempotency_key: Option<IdempotencyKey>,
    /// The delegation that it is part of.
    parent_id: Option<DelegationId>,
    /// The terminal delegation that it retries.
    retry_of: Option<DelegationId>,
    /// The caller's own notes.
    #[schema(value_type = crate::wire::Metadata)]
    metadata: Option<RawJson<'a>>,
    /// How many events made it what it is.
    version: u64,
    created_at: Moment,
    /// When its last event happened.
    updated_at: Moment,
    /// When its verdict was recorded.
    finished_at: Option<Moment>,
}

/// A wait in force.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Waiting<'a> {
    r#for: WaitFor,
    /// A sentence for people.
    note: Option<&'a str>,
    /// The child that is waited for.
    child_id: Option<DelegationId>,
    /// How long, as it was asked for.
    for_s: Option<u32>,
    since: Moment,
    /// When the clocks run again.
    until: Moment,
}

impl<'a> Delegation<'a> {
    /// With its task and its result.
    pub(crate) fn whole(row: &'a Row, bodies: &'a Bodies, threshold_s: u32) -> Self {
        // The bodies may have been read a moment after the row: they tell nothing that it does not know.
        let result = bodies.result.as_ref().filter(|_| row.status == LedgerStatus::Completed);
        Self {
            task: Some((&bodies.task).into()),
            task_preview: preview(bodies.task.as_str()),
            result: Some(result.map_or(RawJson::Null, Into::into)),
            result_preview: result.map(|result| preview(result.as_str())),
            progress: bodies.progress.as_ref().map(Into::into),
            metadata: bodies.metadata.as_ref().map(Into::into),
            ..Self::bare(row, threshold_s)
        }
    }

    /// As lists show it: of its task and its result, no more than their previews.
    pub(crate) fn without_bodies(self) -> Self {
        Self { task: None, result: None, ..self }
    }

    /// As it stands in a list.
    pub(crate) fn listed(entry: &'a Entry, threshold_s: u32) -> Self {
        Self {
            task_preview: &entry.task_preview,
            result_preview: entry.result_preview.as_deref(),
            progress: entry.progress.as_ref().map(Into::into),
            metadata: entry.metadata.as_ref().map(Into::into),
            ..Self::bare(&entry.delegation, threshold_s)
        }
    }

    fn bare(row: &'a Row, threshold_s: u32) -> Self {
        let due_at =
            row.check_at(threshold_s).map_or(row.deadline, |check_at| check_at.min(row.deadline));
        Self {
            delegation_id: Wire(row.delegation_id.clone()),
            caller_id: Wire(row.caller_id.clone()),
            callee_id: Wire(row.callee_id.clone()),
            status: Wire(row.status),
            attempt: row.attempt,
            max_attempts: row.attempts_allowed(),
            task: None,
            task_preview: "",
            result: None,
            result_preview: None,
            error_detail: row.error_detail.as_deref(),
            failure: row.failure.map(Wire),
            stuck_reason: row.stuck_reason.map(Wire),
            progress: None,
            progress_at: row.progress_at.map(Wire),
            waiting: row.waiting.as_ref().map(Waiting::of),
            last_heartbeat: row.last_heartbeat.map(Wire),
            deadline: Wire(row.deadline),
            due_at: row.in_flight().then_some(Wire(due_at)),
            stuck_threshold_s: row.terms.stuck_threshold_s,
            stuck_grace_s: row.terms.stuck_grace_s,
            start_within_s: row.terms.start_within_s,
            progress_within_s: row.terms.progress_within_s,
            priority: row.terms.priority,
            notify: warnings(row.terms.notify),
            idempotency_key: row.idempotency_key.clone().map(Wire),
            parent_id: row.parent_id.clone().map(Wire),
            retry_of: row.retry_of.clone().map(Wire),
            metadata: None,
            version: row.version,
            created_at: Wire(row.created_at),
            updated_at: Wire(row.updated_at),
            finished_at: row.finished_at.map(Wire),
        }
    }
}

impl<'a> Waiting<'a> {
    fn of(waiting: &'a waiting::Waiting) -> Self {
        let request = &waiting.request;
        Self {
            r#for: Wire(request.wait_for),
            note: request.note.as_deref(),
            child_id: request.child_id.clone().map(Wire),
            for_s: request.for_s,
            since: Wire(waiting.since),
            until: Wire(waiting.until),
        }
    }
}

/// The form of [`Delegation::listed`]: everything but the bodies.
pub(crate) struct ListedDelegation;

impl PartialSchema for ListedDelegation {
    fn schema() -> RefOr<Schema> {
        let RefOr::T(Schema::Object(mut whole)) = Delegation::schema() else {
            unreachable!("a struct with named fields is an object")
        };
        for body in ["task", "result"] {
            whole.properties.remove(body);
            whole.required.retain(|field| field != body);
        }
        whole.description = Some("One delegation without its task and its result.".to_owned());
        Schema::Object(whole).into()
    }
}

impl ToSchema for ListedDelegation {
    fn name() -> Cow<'static, str> {
        "ListedDelegation".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        Delegation::schemas(schemas);
    }
}
