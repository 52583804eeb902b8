//! Complete and fail: the callee's answer becomes the verdict, or is kept as late.

use sha2::{Digest, Sha256};

use crate::book::{Book, Slot};
use crate::delegation::change::{Change, Role};
use crate::delegation::lease::Epoch;
use crate::delegation::refusal::{Refusal, Refused};
use crate::delegation::status::{FailureKind, Status};
use crate::delegation::{Delegation, LATE_RESULTS_MAX};
use crate::error::Error;
use crate::id::DelegationId;
use crate::payload::{Payload, field, short_hash};
use crate::store::LateKey;

use super::{Outcome, Override, standing};

/// A request to complete.
#[derive(Clone, Debug)]
pub struct Complete {
    /// Which.
    pub id: DelegationId,
    /// The answer.
    pub result: Option<Payload>,
    /// The lease, where one was issued.
    pub lease: Option<String>,
    /// An operator's reason.
    pub override_reason: Override,
}

/// A request to fail.
#[derive(Clone, Debug)]
pub struct Fail {
    /// Which.
    pub id: DelegationId,
    /// For people.
    pub error_detail: Option<String>,
    /// The lease, where one was issued.
    pub lease: Option<String>,
    /// An operator's reason.
    pub override_reason: Override,
}

impl Complete {
    pub(super) fn decide(&self, book: &mut Book) -> Result<Outcome, Error> {
        let answer =
            Answer { status: Status::Completed, result: self.result.clone(), error_detail: None };
        answer.give(&self.id, self.lease.as_deref(), &self.override_reason, book)
    }
}

impl Fail {
    pub(super) fn decide(&self, book: &mut Book) -> Result<Outcome, Error> {
        let answer = Answer {
            status: Status::Failed,
            result: None,
            error_detail: self.error_detail.clone(),
        };
        answer.give(&self.id, self.lease.as_deref(), &self.override_reason, book)
    }
}

/// What a callee says in the end.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: Status,
    pub(crate) result: Option<Payload>,
    pub(crate) error_detail: Option<String>,
}

/// How an answer relates to a verdict of the same status.
enum Agreement {
    Same,
    FillsGap,
    Differs,
}

impl Answer {
    fn give(
        &self,
        id: &DelegationId,
        lease: Option<&str>,
        why: &Override,
        book: &mut Book,
    ) -> Result<Outcome, Error> {
        let slot = book.named(id)?;
        let standing = standing(book, book.delegation(slot), lease, why.as_deref());
        let role = standing.as_ref().copied().unwrap_or(Role::Callee);
        book.acting_by_override(why.clone());
        match (book.delegation(slot).in_flight(), standing) {
            (true, Ok(role)) => Ok(self.record(slot, role, book)),
            (true, Err(refusal @ (Refusal::LeaseVoid | Refusal::AttemptOver))) => {
                Err(self.refuse_and_keep(refusal, slot, lease, role, book))
            }
            (true, Err(refusal)) => Err(Refused::with_state(refusal, book.delegation(slot)).into()),
            (false, Ok(role)) if book.delegation(slot).status == self.status => {
                self.repeat(slot, lease, role, book)
            }
            (false, standing) => {
                let status = book.delegation(slot).status;
                let refusal = Refusal::AlreadyTerminal(status);
                if matches!(standing, Err(Refusal::LeaseRequired)) {
                    return Err(Refused::with_state(refusal, book.delegation(slot)).into());
                }
                Err(self.refuse_and_keep(refusal, slot, lease, role, book))
            }
        }
    }

    fn record(&self, slot: Slot, role: Role, book: &mut Book) -> Outcome {
        let change = match self.status {
            Status::Completed => Change::Completed { answer: self.result_hash() },
            _ => Change::Failed { kind: FailureKind::Reported, detail: self.error_detail.clone() },
        };
        book.bring_result(slot, self.result.clone());
        book.record(slot, role, change);
        Outcome::changed(book, slot)
    }

    /// The verdict has this status already: the same again, its first detail, or a late answer.
    fn repeat(
        &self,
        slot: Slot,
        lease: Option<&str>,
        role: Role,
        book: &mut Book,
    ) -> Result<Outcome, Error> {
        match self.agreement(book.delegation(slot)) {
            Agreement::Same => Ok(Outcome::replay(book, slot)),
            Agreement::FillsGap => {
                book.bring_result(slot, self.result.clone());
                book.record(
                    slot,
                    role,
                    Change::Filled {
                        answer: self.result_hash(),
                        detail: self.error_detail.clone(),
                    },
                );
                Ok(Outcome::changed(book, slot))
            }
            Agreement::Differs if self.keep_late("same-status", slot, lease, role, book) => {
                Ok(Outcome { kept_as_late: true, ..Outcome::same(book, slot) })
            }
            Agreement::Differs => {
                Err(Refused::with_state(Refusal::LateResultsFull, book.delegation(slot)).into())
            }
        }
    }

    fn agreement(&self, verdict: &Delegation) -> Agreement {
        let (mine, theirs, same) = match self.status {
            Status::Completed => {
                let mine = self.result_hash();
                (mine.is_some(), verdict.answer_hash.is_some(), mine == verdict.answer_hash)
            }
            _ => (
                self.error_detail.is_some(),
                verdict.error_detail.is_some(),
                self.error_detail == verdict.error_detail,
            ),
        };
        match (mine, theirs) {
            (false, _) => Agreement::Same,
            (true, true) if same => Agreement::Same,
            (true, false) => Agreement::FillsGap,
            (true, true) => Agreement::Differs,
        }
    }

    fn refuse_and_keep(
        &self,
        refusal: Refusal,
        slot: Slot,
        lease: Option<&str>,
        role: Role,
        book: &mut Book,
    ) -> Error {
        if opened(book, slot, lease).is_none() {
            return Refused::with_state(refusal, book.delegation(slot)).into();
        }
        let kept_as_late = self.keep_late(refusal.name(), slot, lease, role, book);
        let refusal = if kept_as_late { refusal } else { Refusal::LateResultsFull };
        Refused { kept_as_late, ..Refused::with_state(refusal, book.delegation(slot)) }.into()
    }

    /// Stores the answer beside the delegation, once per (epoch, content). Whether it is kept.
    fn keep_late(
        &self,
        why: &'static str,
        slot: Slot,
        lease: Option<&str>,
        role: Role,
        book: &mut Book,
    ) -> bool {
        let delegation_id = book.delegation(slot).delegation_id.clone();
        let epoch = opened(book, slot, lease).unwrap_or_default();
        let key = LateKey { delegation_id, epoch, content: self.content_hash() };
        if book.keeps_late(&key) {
            return true;
        }
        if book.delegation(slot).late_count >= LATE_RESULTS_MAX {
            return false;
        }
        book.keep_late(slot, key, role, why, self);
        true
    }

    fn result_hash(&self) -> Option<[u8; 16]> {
        self.result.as_ref().map(|result| {
            let mut hasher = Sha256::new();
            result.hash_into(&mut hasher);
            short_hash(hasher)
        })
    }

    fn content_hash(&self) -> [u8; 16] {
        let mut hasher = Sha256::new();
        field(&mut hasher, "status", self.status.as_str().as_bytes());
        field(
            &mut hasher,
            "error_detail",
            self.error_detail.as_deref().unwrap_or_default().as_bytes(),
        );
        if let Some(result) = &self.result {
            result.hash_into(&mut hasher);
        }
        short_hash(hasher)
    }
}

/// The epoch that the answer was given under; `None` for a token that was never issued for this delegation, but for
/// another, be it an earlier one of its id.
fn opened(book: &Book, slot: Slot, lease: Option<&str>) -> Option<Epoch> {
    let delegation = book.delegation(slot);
    let Some(token) = lease else { return Some(0) };
    let epoch = book.secret().open(&delegation.delegation_id, token)?;
    (epoch >= delegation.first_epoch()).then_some(epoch)
}
