//! What the model says that somebody should be answered.

use consign_ledger::delegation::status::Status;

use crate::world::takes;

use super::row::Row;

/// An answer, in the words of [`Said`](crate::Said).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    what: What,
    /// Where the delegation stands, where there is one.
    status: Option<Status>,
    /// The epoch of the lease that comes with it.
    lease: Option<u32>,
    /// The rows that a claim took, each with the epoch of its lease.
    taken: Option<Vec<(usize, u32)>>,
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
        Self { what, status, lease: None, taken: None }
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

    pub(super) fn took(rows: Vec<(usize, u32)>) -> Self {
        Self { taken: Some(rows), ..Self::new(What::Told, None) }
    }

    pub(super) fn with_lease(self, epoch: u32) -> Self {
        Self { lease: Some(epoch), ..self }
    }

    pub(super) fn taken(&self) -> &[(usize, u32)] {
        self.taken.as_deref().unwrap_or_default()
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

    /// In the words of the ledger's answer.
    pub(super) fn words(&self, rows: &[Row]) -> String {
        if let Some(taken) = &self.taken {
            let mut words = String::new();
            let ids = taken.iter().map(|(row, _)| rows[*row].id.as_str());
            takes(&mut words, ids).expect("a text takes any words");
            return words;
        }
        match (&self.what, self.status) {
            (What::Changed, _) => "changed".to_owned(),
            (What::Unchanged, _) => "unchanged".to_owned(),
            (What::Replayed, _) => "replayed".to_owned(),
            (What::KeptAsLate, _) => "kept as late".to_owned(),
            (What::Told, Some(status)) => format!("told {status}"),
            (What::Told, None) => "told nothing".to_owned(),
            (What::Refused(name), _) => format!("refused {name}"),
            (What::RefusedAndKept(name), _) => format!("refused {name} and kept"),
        }
    }

    /// A heartbeat that goes alone is told where the delegation stands, and no more.
    pub(super) fn to_a_lone_beat(&self) -> Self {
        let what = if self.is_refusal() { self.what.clone() } else { What::Told };
        Self { what, ..self.clone() }
    }
}
