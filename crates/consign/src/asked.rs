//! A request to delegate, and what may stand in it.

use std::sync::Arc;

use consign_ledger::command::Create;
use consign_ledger::delegation::deadline::DeadlineRequest;
use consign_ledger::delegation::terms::{ATTEMPTS_MAX, Notify, OnNotStarted, Terms};
use consign_ledger::{AgentId, DelegationId, IdempotencyKey, Json, METADATA_BYTES_MAX, Payload};

use crate::checked;
use crate::error::Error;

/// A request to delegate. Made once, it can be sent as often as it takes: it makes one delegation.
///
/// ```
/// use consign::NewDelegation;
///
/// let asked = NewDelegation {
///     deadline_s: Some(3600),
///     stuck_threshold_s: Some(60),
///     ..NewDelegation::new("alice", "bob", "write the report")
/// };
/// ```
#[derive(Clone, Debug)]
pub struct NewDelegation {
    /// Its name, for ever. [`NewDelegation::new`] makes one; yours may be any text of 1 to 255 bytes without control
    /// characters.
    pub delegation_id: String,
    /// Who asks; an id under the same rule.
    pub caller_id: String,
    /// Who is asked.
    pub callee_id: String,
    /// What is asked: text, or JSON.
    pub task: Payload,
    /// Your name for the piece of work: one delegation per caller and key, while it is in flight and after it was
    /// completed.
    pub idempotency_key: Option<String>,
    /// The hard end, in seconds from now; `None`: six hours.
    pub deadline_s: Option<u32>,
    /// Record only: you hand the work out yourself, and the ledger only watches.
    pub dispatched: bool,
    /// How often silence may hand the work out by itself; 1 is never again.
    pub max_attempts: u32,
    /// How long a silence may last, in seconds; `None`: as the callee's record has it, else the ledger's threshold.
    pub stuck_threshold_s: Option<u32>,
    /// How long it may stay stuck before it is handed out again, or failed.
    pub stuck_grace_s: Option<u32>,
    /// By when somebody must have begun.
    pub start_within_s: Option<u32>,
    /// What follows when nobody has.
    pub on_not_started: OnNotStarted,
    /// How long heartbeats may come without progress.
    pub progress_within_s: Option<u32>,
    /// Higher goes first.
    pub priority: i32,
    /// Which warnings reach the caller's inbox, beside the verdict; `None`: as the caller's record has it.
    pub notify: Option<Notify>,
    /// Whether its children end with it however it ends.
    pub cancel_children: bool,
    /// The delegation that this one is part of; its callee must be the caller here.
    pub parent_id: Option<String>,
    /// Your own notes.
    pub metadata: Option<Json>,
}

impl NewDelegation {
    /// The least that a delegation needs: who asks, who is asked, what is asked.
    #[must_use]
    pub fn new(from: &str, to: &str, task: impl Into<Payload>) -> Self {
        Self {
            delegation_id: DelegationId::of_uuid(consign_engine::fresh_uuid()).to_string(),
            caller_id: from.to_owned(),
            callee_id: to.to_owned(),
            task: task.into(),
            idempotency_key: None,
            deadline_s: None,
            dispatched: false,
            max_attempts: 1,
            stuck_threshold_s: None,
            stuck_grace_s: None,
            start_within_s: None,
            on_not_started: OnNotStarted::Stuck,
            progress_within_s: None,
            priority: 0,
            notify: None,
            cancel_children: false,
            parent_id: None,
            metadata: None,
        }
    }

    pub(crate) fn command(&self) -> Result<Create, Error> {
        checked::payload("task", &self.task)?;
        if let Some(metadata) = &self.metadata {
            checked::json("metadata", metadata, METADATA_BYTES_MAX)?;
        }
        checked::whole("max_attempts", self.max_attempts, ATTEMPTS_MAX)?;
        Ok(Create {
            delegation_id: Some(checked::id(
                "delegation_id",
                &self.delegation_id,
                DelegationId::new,
            )?),
            caller_id: checked::id("caller_id", &self.caller_id, AgentId::new)?,
            callee_id: checked::id("callee_id", &self.callee_id, AgentId::new)?,
            bodies: Arc::new((self.task.clone(), self.metadata.clone())),
            idempotency_key: self
                .idempotency_key
                .as_deref()
                .map(|key| checked::id("idempotency_key", key, IdempotencyKey::new))
                .transpose()?,
            deadline: self.deadline_s.map(DeadlineRequest::In),
            dispatched: self.dispatched,
            max_attempts: self.max_attempts,
            terms: self.terms()?,
            // Who asks for no warning leaves it to the caller's record.
            notify: self.notify,
            parent_id: self
                .parent_id
                .as_deref()
                .map(|id| checked::id("parent_id", id, DelegationId::new))
                .transpose()?,
        })
    }

    fn terms(&self) -> Result<Terms, Error> {
        let terms = Terms {
            stuck_threshold_s: self.stuck_threshold_s,
            stuck_grace_s: self.stuck_grace_s,
            start_within_s: self.start_within_s,
            on_not_started: self.on_not_started,
            progress_within_s: self.progress_within_s,
            priority: self.priority,
            // What is said of warnings stands beside the terms: nothing is not the same as none.
            notify: Notify::default(),
            cancel_children: self.cancel_children,
        };
        checked::seconds("stuck_threshold_s", terms.stuck_threshold_s)?;
        checked::seconds("stuck_grace_s", terms.stuck_grace_s)?;
        checked::seconds("start_within_s", terms.start_within_s)?;
        checked::seconds("progress_within_s", terms.progress_within_s)?;
        Ok(terms)
    }
}
