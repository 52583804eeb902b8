//! What may be asked of the ledger: one verb per file, each the rules for it.
//!
//! A verb first checks everything, then records its facts, so that a refusal changes nothing.

mod accept;
mod agent;
mod answer;
mod cancel;
mod claim;
mod create;
mod dispatch;
mod examine;
mod extend;
mod heartbeat;
mod prune;
mod release;
mod retry;
mod set_status;

pub use accept::Accept;
pub use agent::Registered;
pub(crate) use agent::{Tend, Tended};
pub(crate) use answer::Answer;
pub use answer::{Complete, Fail};
pub use cancel::Cancel;
pub use claim::{CLAIM_MAX, Claim, Taken};
pub use create::Create;
pub use dispatch::Dispatch;
pub use examine::{Sweep, Swept};
pub use extend::Extend;
pub use heartbeat::{Heartbeat, Pulse, WaitChange};
pub use prune::Prune;
pub use release::Release;
pub use retry::Retry;
pub use set_status::SetStatus;

use crate::book::{Book, Slot};
use crate::delegation::Delegation;
use crate::delegation::change::Role;
use crate::delegation::refusal::{Refusal, Refused};
use crate::error::Error;
use crate::id::DelegationId;
use crate::store::Questions;

/// What a command costs beside the texts that it brings, roughly, in bytes.
const COMMAND_BYTES: usize = 256;

/// A verb with what it needs.
#[derive(Clone, Debug)]
pub enum Command {
    /// Delegate.
    Create(Box<Create>),
    /// Hand out without a queue.
    Dispatch(Dispatch),
    /// Take by id, for a lease.
    Accept(Accept),
    /// Say "alive".
    Heartbeat(Heartbeat),
    /// Answer.
    Complete(Complete),
    /// Give up.
    Fail(Fail),
    /// Give back.
    Release(Release),
    /// Call off.
    Cancel(Cancel),
    /// Hand out again.
    Retry(Retry),
    /// Move the deadline.
    Extend(Extend),
    /// Mirror another system's state.
    SetStatus(SetStatus),
}

/// What came of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The delegation after it.
    pub delegation: Delegation,
    /// Whether anything changed.
    pub changed: bool,
    /// Whether the same request had been answered before.
    pub replayed: bool,
    /// Whether the answer was kept as a late result instead of becoming the verdict.
    pub kept_as_late: bool,
    /// The lease, for who accepts.
    pub lease: Option<String>,
    /// What a heartbeat is told, in a sentence, where there is something to tell.
    pub why: Option<String>,
}

impl Command {
    /// Adds what this command needs to know to what its batch asks.
    pub(crate) fn ask(&self, questions: &mut Questions) {
        match self {
            Self::Create(create) => create.ask(questions),
            Self::Dispatch(Dispatch { id })
            | Self::Accept(Accept { id, .. })
            | Self::Complete(Complete { id, .. })
            | Self::Fail(Fail { id, .. })
            | Self::Release(Release { id, .. })
            | Self::Cancel(Cancel { id, .. })
            | Self::Extend(Extend { id, .. })
            | Self::SetStatus(SetStatus { id, .. }) => questions.ids.push(id.clone()),
            Self::Heartbeat(heartbeat) => heartbeat.ask(questions),
            Self::Retry(retry) => retry.ask(questions),
        }
    }

    /// Decides it over what the batch knows. `spare` is the id that it may give to a new delegation.
    pub(crate) fn decide(&self, spare: &DelegationId, book: &mut Book) -> Result<Outcome, Error> {
        match self {
            Self::Create(create) => create.decide(spare, book),
            Self::Dispatch(dispatch) => dispatch.decide(book),
            Self::Accept(accept) => accept.decide(book),
            Self::Heartbeat(heartbeat) => heartbeat.decide(book),
            Self::Complete(complete) => complete.decide(book),
            Self::Fail(fail) => fail.decide(book),
            Self::Release(release) => release.decide(book),
            Self::Cancel(cancel) => cancel.decide(book),
            Self::Retry(retry) => retry.decide(spare, book),
            Self::Extend(extend) => extend.decide(book),
            Self::SetStatus(set) => set.decide(book),
        }
    }

    /// Roughly how many bytes it brings, to bound a batch.
    pub(crate) fn bytes(&self) -> usize {
        fn text(text: Option<&String>) -> usize {
            text.map_or(0, String::len)
        }
        let brought = match self {
            Self::Create(create) => {
                let (task, metadata) = &*create.bodies;
                task.as_str().len() + metadata.as_ref().map_or(0, |notes| notes.as_str().len())
            }
            Self::Heartbeat(heartbeat) => heartbeat.bytes(),
            Self::Complete(Complete { result, .. }) => {
                result.as_ref().map_or(0, |result| result.as_str().len())
            }
            Self::SetStatus(SetStatus { result, error_detail, .. }) => {
                text(result.as_ref()) + text(error_detail.as_ref())
            }
            Self::Fail(Fail { error_detail, .. }) => text(error_detail.as_ref()),
            Self::Release(Release { reason, .. }) | Self::Cancel(Cancel { reason, .. }) => {
                text(reason.as_ref())
            }
            Self::Dispatch(_) | Self::Accept(_) | Self::Retry(_) | Self::Extend(_) => 0,
        };
        brought + COMMAND_BYTES
    }
}

/// An operator's typed reason for acting in the callee's place.
pub type Override = Option<String>;

/// Who acts on the callee's side: the lease's holder, or, while no lease was ever issued, whoever knows the
/// id; or an operator who says why.
pub(crate) fn standing(
    book: &Book,
    delegation: &Delegation,
    lease: Option<&str>,
    override_reason: Option<&str>,
) -> Result<Role, Refusal> {
    if override_reason.is_some() {
        return Ok(Role::Operator);
    }
    let Some(lease) = lease else { return without_lease(delegation) };
    match book.secret().open(&delegation.delegation_id, lease) {
        Some(epoch) if epoch == delegation.epoch && delegation.held => Ok(Role::Callee),
        _ => Err(Refusal::LeaseVoid),
    }
}

/// While the first lease of all holds, who shows none has forgotten it. Later, they belong to an attempt that
/// is over.
fn without_lease(delegation: &Delegation) -> Result<Role, Refusal> {
    match delegation.epoch {
        0 => Ok(Role::Callee),
        first if first == delegation.first_epoch() && delegation.held => {
            Err(Refusal::LeaseRequired)
        }
        _ => Err(Refusal::AttemptOver),
    }
}

/// The delegation, if it is in flight.
pub(crate) fn in_flight(book: &Book, slot: Slot) -> Result<&Delegation, Refused> {
    let delegation = book.delegation(slot);
    if delegation.in_flight() {
        Ok(delegation)
    } else {
        Err(Refused::with_state(Refusal::AlreadyTerminal(delegation.status), delegation))
    }
}

impl Outcome {
    pub(crate) fn changed(book: &Book, slot: Slot) -> Self {
        Self { changed: true, ..Self::same(book, slot) }
    }

    pub(crate) fn same(book: &Book, slot: Slot) -> Self {
        Self {
            delegation: book.delegation(slot).clone(),
            changed: false,
            replayed: false,
            kept_as_late: false,
            lease: None,
            why: None,
        }
    }

    pub(crate) fn replay(book: &Book, slot: Slot) -> Self {
        Self { replayed: true, ..Self::same(book, slot) }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::delegation::terms::Terms;
    use crate::id::AgentId;
    use crate::payload::{Json, Payload};

    /// As much as a request may bring in one text.
    const LONG: usize = 65_536;

    #[test]
    fn a_command_is_as_large_as_all_the_texts_that_it_brings() {
        let id = || DelegationId::new("D").unwrap();
        let long = || "x".repeat(LONG);
        let json = || Json::trusted(format!("\"{}\"", long()));
        let create = Create {
            delegation_id: Some(id()),
            caller_id: AgentId::new("alice").unwrap(),
            callee_id: AgentId::new("bob").unwrap(),
            bodies: Arc::new((Payload::Text(long()), Some(json()))),
            idempotency_key: None,
            deadline: None,
            dispatched: false,
            max_attempts: 1,
            terms: Terms::default(),
            notify: None,
            parent_id: None,
        };
        let beat = Heartbeat {
            id: id(),
            lease: None,
            progress: Some(json()),
            waiting: None,
            override_reason: None,
        };
        let set = SetStatus {
            id: id(),
            status: crate::delegation::status::Status::Completed,
            error_detail: None,
            result: Some(long()),
            lease: None,
            override_reason: None,
        };
        for (command, texts) in [
            (Command::Create(Box::new(create)), 2),
            (Command::Heartbeat(beat), 1),
            (Command::SetStatus(set), 1),
            (Command::Cancel(Cancel { id: id(), reason: Some(long()) }), 1),
            (Command::Dispatch(Dispatch { id: id() }), 0),
        ] {
            let bytes = command.bytes();
            assert!((texts * LONG..=texts * LONG + 1024).contains(&bytes), "{bytes} {texts}");
        }
    }
}
