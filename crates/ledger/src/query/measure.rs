//! What whoever watches a ledger from outside is told: numbers with names, each described where it is kept.

/// Something that is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measure {
    /// What it is called, without its door's own beginning and end.
    pub name: &'static str,
    /// What it says, in a sentence without its full stop.
    pub help: &'static str,
    /// How it moves.
    pub kind: MeasureKind,
    /// What it is of, where several have one name: which sort, and which of them.
    pub of: Option<(&'static str, &'static str)>,
    /// How much it is.
    pub value: f64,
}

/// How a measure moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MeasureKind {
    /// Only up, from the start of the process on.
    Counter,
    /// Up and down.
    Gauge,
}

impl Measure {
    /// What only rises.
    #[must_use]
    pub fn counter(name: &'static str, help: &'static str, value: u64) -> Self {
        Self { name, help, kind: MeasureKind::Counter, of: None, value: float(value) }
    }

    /// What rises and falls.
    #[must_use]
    pub fn gauge(name: &'static str, help: &'static str, value: f64) -> Self {
        Self { name, help, kind: MeasureKind::Gauge, of: None, value }
    }

    /// One of several of this name.
    #[must_use]
    pub fn of(self, sort: &'static str, which: &'static str) -> Self {
        Self { of: Some((sort, which)), ..self }
    }
}

/// As near as a float comes.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "nobody counts to 2^53 here")]
pub fn float(value: u64) -> f64 {
    value as f64
}
