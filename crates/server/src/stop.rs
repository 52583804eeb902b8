//! The end of a run, in the order that loses nothing and keeps nobody waiting.

use std::time::Duration;

use tokio::time::timeout;

use crate::run::Server;
use crate::signals::StopSignals;

/// How long running requests may take to finish.
const FINISH_WITHIN: Duration = Duration::from_secs(5);

impl Server {
    /// Stops accepting, lets requests finish, ends every part. A second signal cuts this short.
    pub(crate) async fn stop(self, signals: &mut StopSignals) {
        tokio::select! {
            () = self.finish() => tracing::info!("stopped"),
            signal = signals.next() => tracing::warn!("{signal} again: stopped without finishing"),
        }
    }

    async fn finish(mut self) {
        self.engine.say_stop().await;
        if timeout(FINISH_WITHIN, &mut self.http).await.is_err() {
            tracing::warn!("requests still ran after {FINISH_WITHIN:?} and were cut off");
            self.http.abort();
        }
        self.engine.end().await;
    }
}
