//! The doorbell: PostgreSQL tells this process that another one wrote events. A lost ring is nothing but late.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::connect::{Connector, Part};
use crate::failure::Trouble;
use crate::write::BELL;

/// The first pause after a failure, and the longest.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Listens until it is dropped.
pub(crate) struct Doorbell {
    rung: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Doorbell {
    pub(crate) fn hang(connector: Arc<Connector>) -> Self {
        let rung = Arc::new(Notify::new());
        let task = tokio::spawn(listen_for_ever(connector, Arc::clone(&rung)));
        Self { rung, task }
    }

    /// When it is rung next; at once, where it was rung since the last time.
    pub(crate) async fn rung(&self) {
        self.rung.notified().await;
    }
}

impl Drop for Doorbell {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn listen_for_ever(connector: Arc<Connector>, rung: Arc<Notify>) {
    let (first, longest) = PAUSE;
    let mut pause = first;
    loop {
        if let Err(trouble) = listen(&connector, &rung, || pause = first).await {
            tracing::warn!(%trouble, "the doorbell is out of order; events are found by looking");
        }
        sleep(pause).await;
        pause = (pause * 2).min(longest);
    }
}

/// Listens on one connection until it ends.
async fn listen(
    connector: &Connector,
    rung: &Notify,
    mut listening: impl FnMut(),
) -> Result<(), Trouble> {
    let told = Arc::new(Notify::new());
    let connection = connector.connect(Part::Listen, Some(Arc::clone(&told))).await?;
    connection.batch_execute(&format!("LISTEN {BELL}")).await?;
    listening();
    while !connection.is_closed() {
        // Also at the beginning: what was written before is found by looking.
        rung.notify_one();
        told.notified().await;
    }
    Ok(())
}
