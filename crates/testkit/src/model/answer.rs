//! What the model says that somebody should be answered.

use std::fmt;

use consign_ledger::delegation::status::Status;

/// An answer, in the words of [`Said`](crate::Said).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    what: What,
    /// Where the delegation stands, where there is one.
    status: Option<Status>,
    /// The epoch of the lease that comes with it.
    lease: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Changed,
    Unchanged,
    Replayed,
    KeptAsLate,
    Told,
    Refused(&'static str),
    RefusedAndKept(&'static str),
}

impl Told {
    fn new(what: What, status: Option<Status>) -> Self {
        Self { what, status, lease: None }
    }

    pub(super) fn changed(status: Status) -> Self {
        Self::new(What::Changed, Some(status))
    }

    pub(super) fn unchanged(status: Status) -> Self {
        Self::new(What::Unchanged, Some(status))
    }

    pub(super) fn replayed(status: Status) -> Self {
        Self::new(What::Replayed, Some(status))
    }

    pub(super) fn kept_as_late(status: Status) -> Self {
        Self::new(What::KeptAsLate, Some(status))
    }

    /// Refused, by a delegation that is there.
    pub(super) fn refused(name: &'static str, status: Status) -> Self {
        Self::new(What::Refused(name), Some(status))
    }

    pub(super) fn refused_and_kept(name: &'static str, status: Status) -> Self {
        Self::new(What::RefusedAndKept(name), Some(status))
    }

    /// Refused, and no delegation is spoken of.
    pub(super) fn refused_at_all(name: &'static str) -> Self {
        Self::new(What::Refused(name), None)
    }

    pub(super) fn with_lease(self, epoch: u32) -> Self {
        Self { lease: Some(epoch), ..self }
    }

    pub(super) fn lease(&self) -> Option<u32> {
        self.lease
    }

    pub(super) fn status(&self) -> Option<Status> {
        self.status
    }

    pub(super) fn is_refusal(&self) -> bool {
        matches!(self.what, What::Refused(_) | What::RefusedAndKept(_))
    }

    /// A heartbeat that goes alone is told where the delegation stands, and no more.
    pub(super) fn to_a_lone_beat(&self) -> Self {
        let what = if self.is_refusal() { self.what.clone() } else { What::Told };
        Self { what, ..self.clone() }
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.what, self.status) {
            (What::Changed, _) => f.write_str("changed"),
            (What::Unchanged, _) => f.write_str("unchanged"),
            (What::Replayed, _) => f.write_str("replayed"),
            (What::KeptAsLate, _) => f.write_str("kept as late"),
            (What::Told, Some(status)) => write!(f, "told {status}"),
            (What::Told, None) => f.write_str("told nothing"),
            (What::Refused(name), _) => write!(f, "refused {name}"),
            (What::RefusedAndKept(name), _) => write!(f, "refused {name} and kept"),
        }
    }
}
