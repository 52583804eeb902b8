//! The end of a run, in the order that loses nothing and keeps nobody waiting.

use std::time::Duration;

use consign_ledger::Store;
use tokio::time::timeout;

use crate::run::Server;
use crate::signals::StopSignals;

/// How long running requests may take to finish.
const FINISH_WITHIN: Duration = Duration::from_secs(5);
/// How long each part may take to end, and the last mark to be written.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);

impl<S: Store> Server<S> {
    /// Stops accepting, lets requests finish, ends every part. A second signal cuts this short.
    pub(crate) async fn stop(self, signals: &mut StopSignals) {
        tokio::select! {
            () = self.finish() => tracing::info!("stopped"),
            signal = signals.next() => tracing::warn!("{signal} again: stopped without finishing"),
        }
    }

    async fn finish(mut self) {
        // The mark first: from here on heartbeats may find the door closed, which is no agent's silence.
        if !matches!(timeout(CLOSE_WITHIN, self.ledger.listen()).await, Ok(Ok(()))) {
            tracing::warn!(
                "the last mark could not be written; the next start begins at the one before"
            );
        }
        self.stop.send_replace(true);
        if timeout(FINISH_WITHIN, &mut self.http).await.is_err() {
            tracing::warn!("requests still ran after {FINISH_WITHIN:?} and were cut off");
            self.http.abort();
        }
        self.parts.stop(CLOSE_WITHIN).await;
        // Last, because who waits for our mark may wait for what is heard until here.
        if !matches!(timeout(CLOSE_WITHIN, self.ledger.leave()).await, Ok(Ok(()))) {
            tracing::warn!("the ledger could not be told; other replicas will notice");
        }
    }
}
