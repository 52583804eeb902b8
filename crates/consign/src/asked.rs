//! A request to delegate, and what may stand in it.

use std::sync::Arc;

use consign_ledger::command::Create;
use consign_ledger::delegation::deadline::DeadlineRequest;
use consign_ledger::delegation::terms::{ATTEMPTS_MAX, Notify, TERM_S_MAX, Terms};
use consign_ledger::{AgentId, DelegationId, IdempotencyKey, Json, METADATA_BYTES_MAX, Payload};

use crate::checked;
use crate::error::Error;

/// A request to delegate. Made once, it can be sent as often as it takes: it makes one delegation.
///
/// ```
/// use consign::{NewDelegation, Terms};
///
/// let asked = NewDelegation {
///     deadline_s: Some(3600),
///     terms: Terms { stuck_threshold_s: Some(60), ..Terms::default() },
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
    /// How long things may last, and what follows.
    pub terms: Terms,
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
            terms: Terms::default(),
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
        check(&self.terms)?;
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
            terms: self.terms,
            // Who asks for no warning leaves it to the caller's record.
            notify: (self.terms.notify != Notify::default()).then_some(self.terms.notify),
            parent_id: self
                .parent_id
                .as_deref()
                .map(|id| checked::id("parent_id", id, DelegationId::new))
                .transpose()?,
        })
    }
}

fn check(terms: &Terms) -> Result<(), Error> {
    let seconds = [
        ("stuck_threshold_s", terms.stuck_threshold_s),
        ("stuck_grace_s", terms.stuck_grace_s),
        ("start_within_s", terms.start_within_s),
        ("progress_within_s", terms.progress_within_s),
    ];
    let given = seconds.into_iter().filter_map(|(field, given)| Some((field, given?)));
    for (field, given) in given {
        checked::whole(field, given, TERM_S_MAX)?;
    }
    Ok(())
}
