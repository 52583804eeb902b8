//! Saying something to the ledger until it is heard: the work is done, and must not be lost to a restart.

use std::time::Duration;

use consign_client::{Client, Error as ClientError, Problem};
use tokio::time::{Instant, sleep, sleep_until};

use super::stop::Stopping;

/// Between two tries.
const AGAIN_AFTER: Duration = Duration::from_millis(500);
/// What is granted to a ledger that is there, where we are to end at once.
const LAST_TRY: Duration = Duration::from_secs(1);

/// How long, and how loudly.
pub(crate) struct Insisting<'a> {
    pub(crate) client: &'a Client,
    /// When nobody waits for it any more.
    pub(crate) until: Instant,
    pub(crate) stop: &'a Stopping,
    /// How long to go on once we were asked to end.
    pub(crate) grace: Duration,
}

/// Why it was not heard.
pub(crate) enum Unheard {
    /// It was understood, and refused.
    Refused(Box<Problem>),
    /// Nobody took it in time.
    GaveUp(String),
}

impl Insisting<'_> {
    /// Asks until there is an answer that another try would not change. `away` is told once that there is none yet.
    pub(crate) async fn ask<T>(
        &self,
        ask: impl AsyncFn(&Client) -> Result<T, ClientError>,
        away: impl Fn(&str),
    ) -> Result<T, Unheard> {
        let client = self.client.clone().retrying_for(Duration::ZERO);
        let mut given_up = std::pin::pin!(self.given_up());
        let mut last: Option<String> = None;
        loop {
            let error = tokio::select! {
                biased;
                answer = ask(&client) => match answer {
                    Ok(value) => return Ok(value),
                    Err(ClientError::Refused(problem)) if !passes(&problem) => {
                        return Err(Unheard::Refused(problem));
                    }
                    Err(error) => error.to_string(),
                },
                () = &mut given_up => {
                    return Err(Unheard::GaveUp(last.unwrap_or_else(|| "no answer".to_owned())));
                }
            };
            if last.is_none() {
                away(&error);
            }
            last = Some(error);
            tokio::select! { () = sleep(AGAIN_AFTER) => {}, () = &mut given_up => {
                return Err(Unheard::GaveUp(last.expect("just set")));
            } }
        }
    }

    async fn given_up(&self) {
        let ending = async {
            self.stop.asked().await;
            self.stop.grants(self.grace).await;
            sleep(LAST_TRY).await;
        };
        tokio::select! { () = sleep_until(self.until) => {}, () = ending => {} }
    }
}

/// Of no time, or of something inside that went wrong: the same may be heard later, and is not done twice.
fn passes(problem: &Problem) -> bool {
    problem.status >= 500 || [408, 429].contains(&problem.status)
}
