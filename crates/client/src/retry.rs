//! What is sent again, how often, and what is made of the last answer.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable as _};
use http::StatusCode;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::Client;
use crate::error::{Error, Unreachable};
use crate::problem::Problem;
use crate::reply::Reply;
use crate::request::{IfLost, Request};
use crate::transport::Raw;

const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// One try that brought nothing, and whether another makes sense.
struct Miss {
    error: Error,
    again: Again,
}

/// Whether to send it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Again {
    No,
    /// Soon, each time a little later.
    Soon,
    /// As the server says.
    After(Duration),
}

impl Client {
    /// Sends the request until there is an answer that another try would not change.
    pub(crate) async fn ask<T: DeserializeOwned>(
        &self,
        request: &Request,
    ) -> Result<Reply<T>, Error> {
        let begun = Instant::now();
        let time_left = || self.retry_for.saturating_sub(begun.elapsed());
        let pauses = ExponentialBuilder::new()
            .with_min_delay(PAUSE_MIN)
            .with_max_delay(PAUSE_MAX)
            .with_jitter()
            .without_max_times();
        let found = (|| self.once(request))
            .retry(pauses)
            .when(|miss| miss.again != Again::No)
            .adjust(|miss, pause| miss.pause(pause).filter(|pause| *pause <= time_left()))
            .await;
        let text = found.map_err(|miss| miss.error.tried_for(begun.elapsed()))?;
        Reply::read(text)
    }

    async fn once(&self, request: &Request) -> Result<String, Miss> {
        match self.transport.send(request).await {
            Ok(raw) => raw.judge(request.if_lost),
            Err(why) => {
                let again = if repeats(&why, request.if_lost) { Again::Soon } else { Again::No };
                Err(Miss { error: Error::Unreachable { why, tried_for: Duration::ZERO }, again })
            }
        }
    }
}

/// A name that is not known, or a certificate that is not trusted, stays so; a server that starts does not.
fn repeats(why: &Unreachable, if_lost: IfLost) -> bool {
    use std::io::ErrorKind as Kind;
    match why {
        Unreachable::NoConnection(_) => matches!(
            why.io_kind(),
            Some(Kind::ConnectionRefused | Kind::ConnectionReset | Kind::ConnectionAborted)
        ),
        Unreachable::Broken(_) => if_lost == IfLost::Repeat,
        Unreachable::TooSlow(_) => false,
    }
}

impl Raw {
    /// The answer, or why it is none.
    fn judge(self, if_lost: IfLost) -> Result<String, Miss> {
        let is_json = self.content_type.starts_with("application/json");
        if self.status.is_success() && is_json {
            return Ok(self.text);
        }
        let again = self.again(if_lost);
        let error = match Problem::read(&self.text) {
            Some(problem) => Error::Refused(Box::new(problem)),
            None => {
                Error::Foreign { status: self.status.as_u16(), content_type: self.content_type }
            }
        };
        Err(Miss { error, again })
    }

    /// Behind a 503 something may have been done, and behind a 429 nothing was. A proxy's 503, whose server is not
    /// there, counts as one of the server.
    fn again(&self, if_lost: IfLost) -> Again {
        match (self.status, if_lost) {
            (StatusCode::TOO_MANY_REQUESTS, _)
            | (StatusCode::SERVICE_UNAVAILABLE, IfLost::Repeat) => {
                self.retry_after.map_or(Again::Soon, Again::After)
            }
            _ => Again::No,
        }
    }
}

impl Miss {
    fn pause(&self, pause: Option<Duration>) -> Option<Duration> {
        match self.again {
            Again::No => None,
            Again::Soon => pause,
            Again::After(pause) => Some(pause),
        }
    }
}

impl Error {
    fn tried_for(self, tried_for: Duration) -> Self {
        match self {
            Self::Unreachable { why, .. } => Self::Unreachable { why, tried_for },
            other => other,
        }
    }
}
