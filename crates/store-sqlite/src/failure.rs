//! From SQLite's errors to the ledger's kinds of failure.

use std::fmt::Display;
use std::path::PathBuf;

use consign_ledger::{CorruptRow, Failure};
use rusqlite::{Error, ErrorCode, ffi};

/// What a statement can end with.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    #[error(transparent)]
    Sqlite(#[from] Error),
    #[error(transparent)]
    Corrupt(#[from] CorruptRow),
    /// The guard behind the locks: a row moved inside its own transaction.
    #[error("delegation {0} was not at the version that was loaded")]
    Moved(i64),
    #[error("the rules panicked")]
    Panicked,
    #[error(
        "{0} was removed or replaced while it is open; put the same file back, or start again with the one that is there"
    )]
    FileGone(PathBuf),
    /// The commit was asked for and failed in the middle of its writes.
    #[error("a commit ended in an I/O error: {0}")]
    CommitUnknown(Error),
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Corrupt(row) => Self::Corrupt(row),
            Trouble::CommitUnknown(_) => Self::Unknown(trouble.into()),
            Trouble::Panicked => Self::Rejected(trouble.into()),
            Trouble::Sqlite(ref error) if is_theirs(error) => Self::Rejected(trouble.into()),
            Trouble::Moved(_) | Trouble::FileGone(_) | Trouble::Sqlite(_) => {
                Self::Unavailable(trouble.into())
            }
        }
    }
}

/// Whether something in the request, not in the machine, made the statement fail.
fn is_theirs(error: &Error) -> bool {
    let theirs = [ErrorCode::ConstraintViolation, ErrorCode::TooBig, ErrorCode::TypeMismatch];
    match error {
        Error::SqliteFailure(failure, _) => theirs.contains(&failure.code),
        Error::ToSqlConversionFailure(_) => true,
        _ => false,
    }
}

/// What became of a failed commit.
pub(crate) fn commit_trouble(error: Error) -> Trouble {
    let error = must_flush(error);
    match error.sqlite_error_code() {
        Some(ErrorCode::SystemIoFailure) => Trouble::CommitUnknown(error),
        _ => Trouble::Sqlite(error),
    }
}

/// The error of a commit or a copy, unless it is that the disk would not flush.
pub(crate) fn must_flush(error: Error) -> Error {
    match error.sqlite_error().map(|failure| failure.extended_code) {
        Some(ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC) => the_disk_failed(&error),
        _ => error,
    }
}

/// The disk would not flush, so nothing is certain any more, and the process ends: the next start reads what is really
/// there.
pub(crate) fn the_disk_failed(error: &impl Display) -> ! {
    tracing::error!(%error, "the disk did not flush a commit; ending the process, start it again");
    std::process::abort();
}
