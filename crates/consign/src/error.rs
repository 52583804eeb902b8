//! Why there is no answer, and what to do.

use std::sync::Arc;

use consign_delivery::{TooMany, WaitError};
use consign_ledger::{Failure, Refusal, Refused};

/// What an act or a question can end with. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The rules said no, and nothing changed: [`Refused`] says why, and what is true of the delegation.
    #[error("{}", .0.refusal)]
    Refused(Box<Refused>),
    /// The ledger has no time, or its disk or database is away. Do the same again, unchanged, a little later: it is
    /// not done twice.
    #[error("{0}; do the same again a little later")]
    Busy(Busy),
    /// This one request failed inside, and the log says why. Others are not affected.
    #[error("the request failed inside the ledger; its log says why")]
    Internal,
    /// This ledger is closed. Open it again.
    #[error("the ledger is closed: {0}")]
    Closed(Arc<str>),
}

/// What a ledger is busy with.
#[derive(Debug, thiserror::Error)]
pub enum Busy {
    /// It cannot write now; what was asked may have been done.
    #[error("the ledger cannot write now")]
    Writing,
    /// Other writers kept winning.
    #[error("other writers kept winning")]
    Contended,
    /// It cannot be read now.
    #[error("the ledger cannot be read now: {0}")]
    Reading(#[source] Failure),
    /// Ten thousand wait already.
    #[error("too many wait already")]
    Waiting,
}

impl Error {
    /// Whether the callee that is told this must end its work: its attempt is over, or the verdict is in.
    #[must_use]
    pub fn stop(&self) -> bool {
        self.refusal().is_some_and(Refusal::says_stop)
    }

    /// Whether the same may succeed a little later.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Busy(_))
    }

    /// Why the rules said no, if it was they.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refused) => Some(&refused.refusal),
            Self::Busy(_) | Self::Internal | Self::Closed(_) => None,
        }
    }

    /// A request whose `field` is wrong.
    pub(crate) fn invalid(field: &'static str, message: impl Into<String>) -> Self {
        Refusal::invalid(field, message).into()
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal.into()))
    }
}

impl From<consign_ledger::Error> for Error {
    fn from(error: consign_ledger::Error) -> Self {
        match error {
            consign_ledger::Error::Refused(refused) => Self::Refused(refused),
            consign_ledger::Error::Contended => Self::Busy(Busy::Contended),
            consign_ledger::Error::Unavailable => Self::Busy(Busy::Writing),
            consign_ledger::Error::Internal => Self::Internal,
        }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Corrupt(row) => {
                tracing::error!(%row, "a row cannot exist");
                Self::Internal
            }
            other => Self::Busy(Busy::Reading(other)),
        }
    }
}

impl From<TooMany> for Error {
    fn from(_: TooMany) -> Self {
        Self::Busy(Busy::Waiting)
    }
}

impl From<WaitError> for Error {
    fn from(error: WaitError) -> Self {
        match error {
            WaitError::TooMany(too_many) => too_many.into(),
            WaitError::Failure(failure) => failure.into(),
        }
    }
}
