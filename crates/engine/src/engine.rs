//! What runs while a ledger is open, and the order in which it ends.

use std::sync::Arc;
use std::time::Duration;

use consign_delivery::Follower;
use consign_ledger::Ledger;
use consign_sweeper::{Pruner, Sweeper};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::any_store::{AnyStore, Closing};
use crate::open::{Opened, Settings};
use crate::pulse::keep_listening;
use crate::vital::{PartEnded, VitalParts};

/// How long each part may take to end, the last mark to be written, and the store to close.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);

/// A running ledger. Dropped without [`Engine::end`] it stops at once, and loses nothing that was acknowledged.
pub struct Engine {
    /// Who decides and remembers.
    pub ledger: Ledger<AnyStore>,
    /// Who wakes those that wait.
    pub follower: Arc<Follower<AnyStore>>,
    /// Who can be asked for a pass.
    pub sweeper: Arc<Sweeper<AnyStore>>,
    /// Who lets go what is over and was kept long enough.
    pub pruner: Arc<Pruner<AnyStore>>,
    parts: VitalParts,
    closing: Closing,
    /// Tells every part that the ledger stops.
    stop: watch::Sender<bool>,
}

impl Opened {
    /// Starts what must run: the desk, the pulse that moves the mark, the follower, the sweeper, the pruner.
    #[must_use]
    pub fn start(self) -> Engine {
        let Self { ledger, desk, closing, settings } = self;
        let (stop, stopping) = watch::channel(false);
        let follower = Arc::new(Follower::new(ledger.clone()));
        let sweeper = Arc::new(Sweeper::new(ledger.clone(), sweeping(settings)));
        let pruner = Pruner::new(ledger.clone(), settings.retention, settings.pruning);
        let pruner = Arc::new(pruner);
        let mut parts = VitalParts::default();
        parts.start("the ledger's desk", desk.run());
        parts.start("the ledger's pulse", keep_listening(ledger.clone(), stopping.clone()));
        let (following, stop_following) = (Arc::clone(&follower), stopping.clone());
        parts.start("the follower", async move { following.run(stop_following).await });
        let passing = Arc::clone(&sweeper);
        let (pruning, stop_pruning) = (Arc::clone(&pruner), stopping.clone());
        parts.start("the pruner", async move { pruning.run(stop_pruning).await });
        parts.start("the sweeper", async move { passing.run(stopping).await });
        Engine { ledger, follower, sweeper, pruner, parts, closing, stop }
    }
}

impl Engine {
    /// Becomes true when the ledger stops, for whoever else must then stop, too.
    #[must_use]
    pub fn stopping(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }

    /// Which part ended that should not have, and how. Waits for ever while all is well.
    pub async fn first_to_end(&mut self) -> PartEnded {
        self.parts.first_to_end().await
    }

    /// Begins to stop: whoever waits is answered, and no pass begins any more. Requests are still taken.
    pub async fn say_stop(&self) {
        // The mark first: from here on heartbeats may find the door closed, which is no agent's silence.
        if !matches!(timeout(CLOSE_WITHIN, self.ledger.listen()).await, Ok(Ok(()))) {
            tracing::warn!(
                "the last mark could not be written; the next start begins at the one before"
            );
        }
        self.stop.send_replace(true);
    }

    /// Ends every part, and closes the store once nobody else has a handle to the ledger.
    pub async fn end(self) {
        let Self { ledger, follower, sweeper, pruner, parts, mut closing, stop: _stop } = self;
        parts.stop(CLOSE_WITHIN).await;
        // Last, because who waits for our mark may wait for what is heard until here.
        if !matches!(timeout(CLOSE_WITHIN, ledger.leave()).await, Ok(Ok(()))) {
            tracing::warn!("the ledger could not be told; other replicas will notice");
        }
        drop((ledger, follower, sweeper, pruner));
        if timeout(CLOSE_WITHIN, closing.recv()).await.is_err() {
            tracing::warn!("somebody still holds the ledger; it closes with the last handle");
        }
    }
}

fn sweeping(Settings { sweeper_interval_s, brake, .. }: Settings) -> consign_sweeper::Settings {
    consign_sweeper::Settings { interval_s: sweeper_interval_s, brake }
}
