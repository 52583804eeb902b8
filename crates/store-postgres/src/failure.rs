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
    /// COMMIT was answered with an error that says that nothing was committed.
    #[error("a commit was refused: {}", said(.0))]
    Uncommitted(Error),
    /// No reading connection was free in time.
    #[error("all reading connections were busy")]
    Busy,
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
            Trouble::Moved(_)
            | Trouble::Busy
            | Trouble::Uncommitted(_)
            | Trouble::Postgres(_)
            | Trouble::Unconnected(_)
            | Trouble::Late => Self::Unavailable(trouble.into()),
        }
    }
}

/// Classes of errors after which a session is not what it was: it is gone, may only read, or has statements that
/// do not fit any more.
const SESSION_ENDS: [&str; 6] = ["08", "57P", "58", "25006", "0A", "26"];
/// Classes of errors that leave it open whether the commit that they answer was made.
const COMMIT_UNKNOWN: [&str; 5] = ["08", "53", "57", "58", "XX"];

impl Trouble {
    /// What an error means that answers COMMIT itself.
    pub(crate) fn of_commit(error: Error) -> Self {
        match error.code() {
            Some(code) if !begins_with(code.code(), &COMMIT_UNKNOWN) => Self::Uncommitted(error),
            _ => Self::CommitUnknown(error),
        }
    }

    /// What an error means that answers a statement before a COMMIT that was sent, too. An answer from the
    /// server says that this statement failed, and with it the transaction; silence says nothing.
    pub(crate) fn before_commit(error: Error) -> Self {
        if error.code().is_some() { Self::Postgres(error) } else { Self::CommitUnknown(error) }
    }

    /// Whether the connection must be given up.
    pub(crate) fn ends_the_session(&self) -> bool {
        match self {
            Self::Postgres(error) | Self::Uncommitted(error) => {
                error.code().is_none_or(|code| begins_with(code.code(), &SESSION_ENDS))
            }
            Self::Unconnected(_) | Self::CommitUnknown(_) | Self::Late | Self::LateCommit => true,
            Self::Corrupt(_)
            | Self::Moved(_)
            | Self::Lost
            | Self::Contended
            | Self::Panicked
            | Self::Busy => false,
        }
    }
}

fn begins_with(code: &str, classes: &[&str]) -> bool {
    classes.iter().any(|class| code.starts_with(class))
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
