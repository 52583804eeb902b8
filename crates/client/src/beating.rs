//! Work that beats while it lasts, and ends when it is told to.

use std::future::Future;
use std::time::Duration;

use tokio::time::sleep;

use crate::Client;
use crate::body::Beat;
use crate::error::Error;

impl Client {
    /// Does the work, and beats meanwhile with this lease. Where a heartbeat is refused for good, the work is dropped at
    /// once and the refusal is the error: with [`stop`](crate::Problem::stop) because its attempt is over, or the
    /// verdict is in.
    ///
    /// A heartbeat that nobody heard ends nothing: the next one may be heard, and an outage of the server is not
    /// counted as silence. The work ends at its next `.await`; work that blocks its thread cannot be ended, nor beat.
    pub async fn beating<T>(
        &self,
        id: &str,
        lease: &str,
        every: Duration,
        work: impl Future<Output = T>,
    ) -> Result<T, Error> {
        tokio::select! {
            done = work => Ok(done),
            told = self.beat_until_refused(id, lease, every) => Err(told),
        }
    }

    async fn beat_until_refused(&self, id: &str, lease: &str, every: Duration) -> Error {
        let beat = Beat { lease: Some(lease.to_owned()), ..Beat::default() };
        loop {
            sleep(every).await;
            match self.heartbeat(id, &beat).await {
                Err(told @ Error::Refused(_)) if !told.is_passing() => return told,
                _ => {}
            }
        }
    }
}
