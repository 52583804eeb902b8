//! Where work comes from: claims, one delegation each, so that nothing is held that is not begun.

use std::time::Duration;

use consign_client::{Accepted, Claim, Client, Error as ClientError, new_id};
use tokio::time::{Instant, sleep, timeout};

use super::stop::Stopping;

/// How long one request waits for work.
const WAIT_S: u32 = 30;
/// How soon a server notices that whoever waited has hung up; after that it gives them nothing more.
const NOTICED_WITHIN: Duration = Duration::from_millis(100);
/// How long it may take to say what it gave before.
const RECALLED_WITHIN: Duration = Duration::from_secs(2);

/// The queue of one agent.
pub(crate) struct Source {
    client: Client,
    agent: String,
    /// The same until there was an answer: what was given in one that was lost is given again.
    claim_id: String,
    /// Whether a server has answered yet.
    met: bool,
}

impl Source {
    pub(crate) fn of(agent: &str, client: &Client) -> Self {
        Self { client: client.clone(), agent: agent.to_owned(), claim_id: new_id(), met: false }
    }

    /// The next work, as soon as there is any. None, where none came in time, or we were asked to end; then what was
    /// given at the last moment comes, too, because nobody else would give it back.
    pub(crate) async fn next(
        &mut self,
        wait: Option<Duration>,
        stop: &Stopping,
    ) -> Result<Option<Accepted>, ClientError> {
        let until = wait.map(|wait| Instant::now() + wait);
        loop {
            // Nobody waits at the first door: so we soon know that there is a server, should it go away meanwhile.
            let wait_s = if self.met { until.map_or(WAIT_S, seconds_left) } else { 0 };
            let given = tokio::select! {
                given = self.claim(wait_s) => given?,
                () = stop.asked() => return Ok(self.recall().await),
            };
            if let Some(work) = given {
                self.claim_id = new_id();
                return Ok(Some(work));
            }
            if until.is_some_and(|until| until <= Instant::now()) {
                return Ok(None);
            }
        }
    }

    /// Whether there ever was a server, as far as we know.
    pub(crate) fn has_met(&self) -> bool {
        self.met
    }

    async fn claim(&mut self, wait_s: u32) -> Result<Option<Accepted>, ClientError> {
        let claim =
            Claim { max: Some(1), wait_s: Some(wait_s), claim_id: Some(self.claim_id.clone()) };
        let mut answer = self.client.claim(&self.agent, claim).await?.value;
        self.met = true;
        Ok(answer.claims.pop())
    }

    /// What was given by an answer that we did not wait for. A server that is away is not waited for, either: silence
    /// will tell.
    async fn recall(&mut self) -> Option<Accepted> {
        sleep(NOTICED_WITHIN).await;
        timeout(RECALLED_WITHIN, self.claim(0)).await.ok()?.ok()?
    }
}

/// Rounded up, so that the last wait reaches the end.
fn seconds_left(until: Instant) -> u32 {
    let left = until.saturating_duration_since(Instant::now()).as_millis().div_ceil(1000);
    u32::try_from(left).map_or(WAIT_S, |left| left.min(WAIT_S))
}
