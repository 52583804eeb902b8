//! What goes wrong, in three kinds: refusals (normal), failures (the machine), rows that cannot exist.

use std::error::Error as StdError;

use crate::delegation::refusal::Refused;

/// Why a request has no outcome.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The rules said no. Nothing changed, late results aside.
    #[error("{}", .0.refusal)]
    Refused(Box<Refused>),
    /// Other writers kept winning; the same request may be sent again.
    #[error("other writers kept winning; send the same request again")]
    Contended,
    /// The ledger cannot write now; the same request may be sent again.
    #[error("the ledger cannot write now; send the same request again")]
    Unavailable,
    /// This one request failed inside; others are not affected.
    #[error("the request failed inside the ledger")]
    Internal,
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        Self::Refused(Box::new(refused))
    }
}

/// Where a failure came from, for the log alone.
pub type Source = Box<dyn StdError + Send + Sync>;

/// Why a store could not do what the ledger asked.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Ours: connection, time-out, disk. Nothing was committed; the whole may run again.
    #[error("the store is unavailable: {0}")]
    Unavailable(#[source] Source),
    /// COMMIT was asked for and not answered; the same batch must run again under its id.
    #[error("the outcome of a commit is unknown: {0}")]
    Unknown(#[source] Source),
    /// Theirs: something in the batch cannot be written. Nothing was committed.
    #[error("the store rejected the batch: {0}")]
    Rejected(#[source] Source),
    /// Others kept inserting first.
    #[error("other writers kept winning")]
    Contended,
    /// A row that cannot exist.
    #[error(transparent)]
    Corrupt(#[from] CorruptRow),
}

/// A row that the rules could not have written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{table}.{column} of row {row} cannot be {value:?}")]
pub struct CorruptRow {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// The row's key.
    pub row: String,
    /// What stands there.
    pub value: String,
}
