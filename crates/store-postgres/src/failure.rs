//! From PostgreSQL's errors to the ledger's kinds of failure.

use consign_ledger::{CorruptRow, Failure};
use tokio_postgres::Error;

/// What a statement can end with.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    #[error("{}", said(.0))]
    Postgres(#[from] Error),
    #[error(transparent)]
    Corrupt(#[from] CorruptRow),
    /// No connection could be had.
    #[error("no connection to PostgreSQL: {0}")]
    Unconnected(String),
    /// The guard behind the locks: a row moved inside its own transaction.
    #[error("delegation {0} was not at the version that was loaded")]
    Moved(i64),
    /// Another writer inserted the same id or key first; the batch is decided again.
    #[error("another writer was first")]
    Lost,
    /// Others kept inserting first.
    #[error("other writers kept winning")]
    Contended,
    #[error("the rules panicked")]
    Panicked,
    /// COMMIT was sent and not answered.
    #[error("a commit was not answered: {}", said(.0))]
    CommitUnknown(Error),
    /// There was no answer in time, so the connection was given up.
    #[error("PostgreSQL did not answer in time")]
    Late,
    /// The same, after COMMIT was sent.
    #[error("PostgreSQL did not answer a commit in time")]
    LateCommit,
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Corrupt(row) => Self::Corrupt(row),
            Trouble::Contended | Trouble::Lost => Self::Contended,
            Trouble::CommitUnknown(_) | Trouble::LateCommit => Self::Unknown(trouble.into()),
            Trouble::Panicked => Self::Rejected(trouble.into()),
            Trouble::Postgres(ref error) if is_theirs(error) => Self::Rejected(trouble.into()),
            Trouble::Moved(_) | Trouble::Postgres(_) | Trouble::Unconnected(_) | Trouble::Late => {
                Self::Unavailable(trouble.into())
            }
        }
    }
}

/// Whether something in the request, not in the machine, made the statement fail: a value that cannot be
/// encoded or written, a constraint, a limit of the program, a trigger that raises.
fn is_theirs(error: &Error) -> bool {
    match error.code() {
        Some(code) => ["22", "23", "54", "P0"].contains(&&code.code()[..2]),
        None => {
            matches!(error.to_string().as_str(), text if text.starts_with("error serializing parameter"))
        }
    }
}

/// The server's own words, where it had any.
pub(crate) fn said(error: &Error) -> String {
    match error.as_db_error() {
        Some(db) => format!("{} ({})", db.message(), db.code().code()),
        None => match std::error::Error::source(error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        },
    }
}
