//! Delegate: one durable row, made once however often it is asked for.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::book::{Book, Slot};
use crate::delegation::change::{Change, EventKind, Role};
use crate::delegation::deadline::{DEADLINE_S_DEFAULT, DeadlineRequest};
use crate::delegation::refusal::{Refusal, Refused};
use crate::delegation::status::Status;
use crate::delegation::terms::{Notify, Terms};
use crate::delegation::{DEPTH_MAX, Delegation};
use crate::error::Error;
use crate::id::{AgentId, DelegationId, IdempotencyKey};
use crate::payload::{Json, Payload, field, short_hash};
use crate::store::{NewBodies, Questions};
use crate::time::Time;

use super::Outcome;

/// The version of what a fingerprint covers; it is part of the hash.
const FINGERPRINT_VERSION: &[u8] = b"1";

/// A request to delegate.
#[derive(Clone, Debug)]
pub struct Create {
    /// The caller's choice; else the ledger makes one.
    pub delegation_id: Option<DelegationId>,
    /// Who asks.
    pub caller_id: AgentId,
    /// Who is asked.
    pub callee_id: AgentId,
    /// The task, and the caller's own notes.
    pub bodies: Arc<(Payload, Option<Json>)>,
    /// The business key.
    pub idempotency_key: Option<IdempotencyKey>,
    /// The hard end.
    pub deadline: Option<DeadlineRequest>,
    /// Record only: caller and callee talk by themselves, nobody claims it.
    pub dispatched: bool,
    /// How often the sweeper may hand it out.
    pub max_attempts: u32,
    /// How long things may last. Where it names no threshold, the callee's record does; which warnings are wanted
    /// is said by `notify`.
    pub terms: Terms,
    /// Warnings for the caller's inbox; `None`: as the caller's record has it.
    pub notify: Option<Notify>,
    /// The delegation that it is part of.
    pub parent_id: Option<DelegationId>,
}

impl Create {
    pub(super) fn ask(&self, questions: &mut Questions) {
        questions.ids.extend(self.delegation_id.clone());
        questions.keys.extend(self.scoped_key());
        questions.lineages.extend(self.parent_id.clone());
        questions.agents.push(self.callee_id.clone());
        questions.loads.push(self.callee_id.clone());
        if self.notify.is_none() {
            questions.agents.push(self.caller_id.clone());
        }
    }

    pub(super) fn decide(&self, spare: &DelegationId, book: &mut Book) -> Result<Outcome, Error> {
        let fingerprint = self.fingerprint();
        if let Some(slot) = self.earlier(fingerprint, book)? {
            return Ok(Outcome::replay(book, slot));
        }
        self.check_attempts()?;
        self.check_queue(book)?;
        let deadline = self
            .deadline
            .unwrap_or(DeadlineRequest::In(DEADLINE_S_DEFAULT))
            .at(book.now())
            .map_err(Refused::from)?;
        let draft = Draft {
            delegation_id: self.delegation_id.as_ref().unwrap_or(spare).clone(),
            caller_id: self.caller_id.clone(),
            callee_id: self.callee_id.clone(),
            idempotency_key: self.idempotency_key.clone(),
            deadline,
            status: if self.dispatched { Status::Dispatched } else { Status::Queued },
            max_attempts: self.max_attempts,
            terms: self.terms_in(book),
            parent_id: self.parent_id.clone(),
            retry_of: None,
            fingerprint,
            bodies: NewBodies::Given(Arc::clone(&self.bodies)),
        };
        let slot = draft.open(book)?;
        Ok(Outcome::changed(book, slot))
    }

    /// What the request leaves open is taken from the agents' records, as they are now.
    fn terms_in(&self, book: &Book) -> Terms {
        let threshold_s =
            book.agent(&self.callee_id).and_then(|agent| agent.terms.stuck_threshold_s);
        let notify =
            || book.agent(&self.caller_id).map_or_else(Notify::default, |it| it.terms.notify);
        Terms {
            stuck_threshold_s: self.terms.stuck_threshold_s.or(threshold_s),
            notify: self.notify.unwrap_or_else(notify),
            ..self.terms
        }
    }

    /// The ledger hands out again by itself only what it hands out: requeued, a record of what the caller hands
    /// out would stand in the queue for anybody.
    fn check_attempts(&self) -> Result<(), Refused> {
        if self.dispatched && self.max_attempts > 1 {
            let why = "must be 1 with `dispatched`: you hand the work out yourself, so the ledger cannot hand it out \
                       again; use retry, or leave out `dispatched`";
            return Err(Refusal::invalid("max_attempts", why).into());
        }
        Ok(())
    }

    /// Of new work alone: what is handed out again is never refused.
    fn check_queue(&self, book: &Book) -> Result<(), Refused> {
        match book.full_queue(&self.callee_id).filter(|_| !self.dispatched) {
            Some(max) => {
                let callee = self.callee_id.to_string();
                Err(Refusal::QueueFull { callee, max }.into())
            }
            None => Ok(()),
        }
    }

    /// The delegation that this very request made before, if it did. The id speaks before the key.
    fn earlier(&self, fingerprint: [u8; 16], book: &Book) -> Result<Option<Slot>, Error> {
        let by_id = match &self.delegation_id {
            Some(id) => book.lookup(id)?,
            None => None,
        };
        let by_key = match self.scoped_key().and_then(|key| book.key_holder(&key).cloned()) {
            Some(id) => book.lookup(&id)?,
            None => None,
        };
        match (by_id, by_key) {
            (None, None) => Ok(None),
            (Some(slot), other) => {
                let delegation = book.delegation(slot);
                // Its own key may have been freed by its end and be another's by now: that changes nothing here.
                let same = delegation.fingerprint == fingerprint
                    && (delegation.idempotency_key == self.idempotency_key
                        || other.is_none_or(|other| other == slot));
                let refusal = || Refusal::IdConflict(delegation.delegation_id.to_string());
                if same {
                    Ok(Some(slot))
                } else {
                    Err(Refused::with_state(refusal(), delegation).into())
                }
            }
            // The key's holder answers, also where the request brings an id that nobody has yet: a client that
            // always sends one would else never get what it asked for before under this key.
            (None, Some(slot)) => {
                let delegation = book.delegation(slot);
                let same = delegation.fingerprint == fingerprint;
                let refusal = || Refusal::IdempotencyConflict(delegation.delegation_id.to_string());
                if same {
                    Ok(Some(slot))
                } else {
                    Err(Refused::with_state(refusal(), delegation).into())
                }
            }
        }
    }

    fn scoped_key(&self) -> Option<(AgentId, IdempotencyKey)> {
        self.idempotency_key.clone().map(|key| (self.caller_id.clone(), key))
    }

    /// What makes two requests the same: caller, callee, parent, task, `max_attempts`; no times, priority or notes.
    fn fingerprint(&self) -> [u8; 16] {
        let mut hasher = Sha256::new();
        field(&mut hasher, "version", FINGERPRINT_VERSION);
        field(&mut hasher, "caller", self.caller_id.as_str().as_bytes());
        field(&mut hasher, "callee", self.callee_id.as_str().as_bytes());
        field(
            &mut hasher,
            "parent",
            self.parent_id.as_ref().map_or("", DelegationId::as_str).as_bytes(),
        );
        self.bodies.0.hash_into(&mut hasher);
        field(&mut hasher, "max_attempts", &self.max_attempts.to_be_bytes());
        short_hash(hasher)
    }
}

/// A delegation about to be opened, by a request or by a retry.
pub(super) struct Draft {
    pub(super) delegation_id: DelegationId,
    pub(super) caller_id: AgentId,
    pub(super) callee_id: AgentId,
    pub(super) idempotency_key: Option<IdempotencyKey>,
    pub(super) deadline: Time,
    pub(super) status: Status,
    pub(super) max_attempts: u32,
    pub(super) terms: Terms,
    pub(super) parent_id: Option<DelegationId>,
    pub(super) retry_of: Option<DelegationId>,
    pub(super) fingerprint: [u8; 16],
    pub(super) bodies: NewBodies,
}

impl Draft {
    /// Checks what must hold for every new delegation, and records it.
    pub(super) fn open(self, book: &mut Book) -> Result<Slot, Error> {
        if self.caller_id == self.callee_id {
            return Err(Refused::from(Refusal::SelfDelegation).into());
        }
        let (depth, deadline) = match &self.parent_id {
            None => (1, self.deadline),
            Some(parent_id) => self.under(parent_id, book)?,
        };
        let now = book.now();
        let delegation = Delegation {
            delegation_id: self.delegation_id,
            caller_id: self.caller_id,
            callee_id: self.callee_id,
            status: self.status,
            attempt: 1,
            max_attempts: self.max_attempts,
            epoch: 0,
            held: false,
            dispatched: self.status == Status::Dispatched,
            claim_id: None,
            error_detail: None,
            failure: None,
            stuck_reason: None,
            stuck_at: None,
            waiting: None,
            queued_at: now,
            clocks_from: None,
            last_heartbeat: None,
            progress_at: None,
            deadline,
            terms: self.terms,
            idempotency_key: self.idempotency_key,
            parent_id: self.parent_id,
            retry_of: self.retry_of,
            depth,
            fingerprint: self.fingerprint,
            answer_hash: None,
            late_count: 0,
            version: 0,
            created_at: now,
            updated_at: now,
            finished_at: None,
            last_act: (EventKind::Created, Role::Caller),
        };
        let slot = book.open(delegation, self.bodies);
        book.record(slot, Role::Caller, Change::Created);
        Ok(slot)
    }

    /// The depth and the deadline of a child of `parent_id`, if it may be one.
    fn under(&self, parent_id: &DelegationId, book: &Book) -> Result<(u8, Time), Error> {
        let parent = book.delegation(book.named(parent_id)?);
        if !parent.in_flight() {
            let refusal =
                Refusal::ParentTerminal { parent: parent_id.to_string(), status: parent.status };
            return Err(Refused::with_state(refusal, parent).into());
        }
        if parent.callee_id != self.caller_id {
            let message = format!(
                "only {:?}, the callee of the parent, may delegate under it",
                parent.callee_id.as_str()
            );
            return Err(Refused::with_state(Refusal::NotYours(message), parent).into());
        }
        if parent.depth >= DEPTH_MAX {
            return Err(Refused::from(Refusal::TooDeep).into());
        }
        no_cycle(book, Some(parent_id), &self.callee_id)?;
        Ok((parent.depth + 1, self.deadline.min(parent.deadline)))
    }
}

/// Refuses a callee that already waits, as a caller, further up the tree.
pub(super) fn no_cycle(
    book: &Book,
    parent_id: Option<&DelegationId>,
    callee_id: &AgentId,
) -> Result<(), Error> {
    let mut above = parent_id.cloned();
    while let Some(id) = above.clone() {
        let ancestor = book.delegation(book.named(&id)?);
        if ancestor.caller_id == *callee_id {
            return Err(Refused::from(Refusal::Cycle(callee_id.to_string())).into());
        }
        above.clone_from(&ancestor.parent_id);
    }
    Ok(())
}
