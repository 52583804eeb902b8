//! What only the sweeper asks: to look at what is due, and to carry on what ended.

use crate::book::Book;
use crate::delegation::change::{Change, Role};
use crate::delegation::examine::{Arm, Finding};
use crate::delegation::listening::Fleet;
use crate::delegation::status::FailureKind;
use crate::delegation::watch::RowNum;
use crate::error::Error;
use crate::id::DelegationId;
use crate::store::{Cascade, Questions};

/// A step of a pass.
#[derive(Clone, Debug)]
pub enum Sweep {
    /// Look at this delegation and do what is due.
    Examine(RowNum),
    /// Cancel a child, because its parent ended.
    CancelChild(DelegationId),
    /// Note that no child is left to cancel.
    EndCascade(Cascade),
    /// Hold the silence verdicts, if most of the fleet fell silent together.
    Brake(Fleet),
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Swept {
    /// Nothing is due any more: somebody else was faster.
    Spared,
    /// To be looked at later.
    Rearmed,
    /// The brake held a silence verdict.
    Held,
    /// Failed: the deadline.
    DeadlineFailed,
    /// Failed for another reason.
    Failed,
    /// Marked stuck.
    Stuck,
    /// Handed out again.
    Requeued,
    /// A wait ended.
    Resumed,
    /// A child was cancelled.
    Cancelled,
    /// The brake was pulled.
    Braked,
}

impl Sweep {
    pub(crate) fn ask(&self, questions: &mut Questions) {
        match self {
            Self::Examine(num) => {
                questions.nums.push(*num);
                questions.listening = true;
            }
            Self::CancelChild(id) => questions.ids.push(id.clone()),
            Self::EndCascade(_) => {}
            Self::Brake(_) => questions.listening = true,
        }
    }

    pub(crate) fn decide(&self, book: &mut Book) -> Result<Swept, Error> {
        match self {
            Self::Examine(num) => examine(*num, book),
            Self::CancelChild(id) => cancel_child(id, book),
            Self::EndCascade(cascade) => {
                book.end_cascade(cascade.clone());
                Ok(Swept::Spared)
            }
            Self::Brake(fleet) => {
                Ok(if book.brake(*fleet) { Swept::Braked } else { Swept::Spared })
            }
        }
    }
}

fn examine(num: RowNum, book: &mut Book) -> Result<Swept, Error> {
    let Some(slot) = book.numbered(num)? else { return Ok(Swept::Spared) };
    match book.examine(slot) {
        Finding::Over => Ok(Swept::Spared),
        Finding::Later(arm, at) => {
            book.rearm(slot, (arm != Arm::Deadline).then_some(at));
            Ok(Swept::Rearmed)
        }
        Finding::Held(_, until) => {
            book.rearm(slot, Some(until));
            Ok(Swept::Held)
        }
        Finding::Due(_, change) => {
            let swept = swept_by(&change);
            book.record(slot, Role::Sweeper, change);
            Ok(swept)
        }
    }
}

fn swept_by(change: &Change) -> Swept {
    match change {
        Change::Failed { kind: FailureKind::DeadlineExceeded, .. } => Swept::DeadlineFailed,
        Change::Failed { .. } => Swept::Failed,
        Change::Stuck { .. } => Swept::Stuck,
        Change::Requeued { .. } => Swept::Requeued,
        Change::Resumed(_) => Swept::Resumed,
        _ => Swept::Spared,
    }
}

fn cancel_child(id: &DelegationId, book: &mut Book) -> Result<Swept, Error> {
    let slot = book.named(id)?;
    let child = book.delegation(slot);
    if !child.in_flight() {
        return Ok(Swept::Spared);
    }
    let why = child.parent_id.as_ref().map(|parent| format!("its parent {parent} ended"));
    book.record(
        slot,
        Role::Ledger,
        Change::Cancelled { kind: Some(FailureKind::ParentCancelled), why },
    );
    Ok(Swept::Cancelled)
}
