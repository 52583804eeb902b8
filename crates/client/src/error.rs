//! Why there is no answer, or not the one that was hoped for.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use http::StatusCode;

use crate::problem::Problem;

/// What a request can end with.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server refused, and says why.
    #[error(transparent)]
    Refused(Box<Problem>),
    /// No server answered.
    #[error("{why}")]
    Unreachable {
        /// What happened instead.
        why: Unreachable,
        /// For how long it was tried.
        tried_for: Duration,
    },
    /// Somebody answered who is no Consign server.
    #[error("the answer is none of Consign's (HTTP {status}, {content_type})")]
    Foreign {
        /// The status of the answer.
        status: u16,
        /// What it says it is.
        content_type: String,
    },
    /// A Consign server answered in a way that this client does not understand.
    #[error("the answer is not understood: {0}")]
    NotUnderstood(serde_json::Error),
    /// The request could not be put into words.
    #[error("the request cannot be sent: {0}")]
    Unsendable(String),
}

/// Why no server answered.
#[derive(Debug, thiserror::Error)]
pub enum Unreachable {
    /// There is no connection, so nothing was asked.
    #[error("{}", root(.0.as_ref()))]
    NoConnection(Box<dyn StdError + Send + Sync>),
    /// It broke before the answer was there, so what was asked may have been done.
    #[error("the connection broke before the answer came ({})", root(.0.as_ref()))]
    Broken(Box<dyn StdError + Send + Sync>),
    /// There was no answer in time, so what was asked may have been done.
    #[error("no answer within {} s", .0.as_secs())]
    TooSlow(Duration),
}

impl Unreachable {
    /// What the system said, where it was the system.
    #[must_use]
    pub fn io_kind(&self) -> Option<io::ErrorKind> {
        match self {
            Self::NoConnection(why) | Self::Broken(why) => io_kind(why.as_ref()),
            Self::TooSlow(_) => Some(io::ErrorKind::TimedOut),
        }
    }

    /// Whether it is the encryption that failed, such as a certificate that this machine does not trust.
    #[must_use]
    pub fn is_encryption(&self) -> bool {
        let (Self::NoConnection(why) | Self::Broken(why)) = self else { return false };
        chain(why.as_ref()).filter_map(|it| it.downcast_ref()).any(wraps_encryption)
    }
}

impl Error {
    /// Whether the same request may succeed later: nobody was there, or had time.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Refused(problem) => [
                StatusCode::REQUEST_TIMEOUT,
                StatusCode::TOO_MANY_REQUESTS,
                StatusCode::SERVICE_UNAVAILABLE,
            ]
            .iter()
            .any(|status| problem.status == status.as_u16()),
            Self::Foreign { .. } | Self::NotUnderstood(_) | Self::Unsendable(_) => false,
        }
    }
}

/// The last cause of a chain: the rest says "error trying to connect" in several ways.
fn root<'a>(error: &'a (dyn StdError + 'static)) -> &'a (dyn StdError + 'static) {
    chain(error).last().unwrap_or(error)
}

/// An I/O error hides what it wraps from the chain of causes, and may wrap another one.
fn wraps_encryption(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| {
        inner.is::<rustls::Error>() || inner.downcast_ref().is_some_and(wraps_encryption)
    })
}

fn io_kind(error: &(dyn StdError + 'static)) -> Option<io::ErrorKind> {
    chain(error).filter_map(|it| it.downcast_ref::<io::Error>()).map(io::Error::kind).last()
}

fn chain<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| StdError::source(*error))
}
