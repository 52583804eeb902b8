//! Our own end: asked for once, what runs is given back in good order; asked for twice, at once.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::sleep;

/// How often we were asked to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Asked {
    Never,
    Once,
    Twice,
}

/// Whether we were asked to end; anybody who works here can look, wait for it, or ask.
#[derive(Clone)]
pub(crate) struct Stopping(Arc<watch::Sender<Asked>>);

impl Stopping {
    /// Listens for SIGTERM and SIGINT from now on.
    pub(crate) fn listen() -> io::Result<Self> {
        let (mut term, mut int) =
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let stopping = Self(Arc::new(watch::Sender::new(Asked::Never)));
        let asked = stopping.clone();
        tokio::spawn(async move {
            loop {
                tokio::select! { _ = term.recv() => {}, _ = int.recv() => {} }
                asked.ask();
            }
        });
        Ok(stopping)
    }

    /// Asks, as a signal would.
    pub(crate) fn ask(&self) {
        self.0.send_modify(|asked| {
            *asked = if *asked == Asked::Never { Asked::Once } else { Asked::Twice };
        });
    }

    pub(crate) fn is_asked(&self) -> bool {
        *self.0.borrow() > Asked::Never
    }

    /// Until we are asked to end.
    pub(crate) async fn asked(&self) {
        self.reaches(Asked::Once).await;
    }

    /// Until we are asked to end at once.
    pub(crate) async fn asked_twice(&self) {
        self.reaches(Asked::Twice).await;
    }

    /// For so long, unless we are asked to end at once.
    pub(crate) async fn grants(&self, time: Duration) {
        tokio::select! { () = sleep(time) => {}, () = self.asked_twice() => {} }
    }

    async fn reaches(&self, least: Asked) {
        let reached = self.0.subscribe().wait_for(|asked| *asked >= least).await.is_ok();
        debug_assert!(reached, "the sender is ours");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_second_request_to_end_cuts_short_what_the_first_one_grants() {
        let stopping = Stopping(Arc::new(watch::Sender::new(Asked::Never)));
        let begun = tokio::time::Instant::now();
        stopping.ask();
        stopping.asked().await;
        stopping.grants(Duration::from_secs(10)).await;
        assert_eq!(begun.elapsed(), Duration::from_secs(10));
        stopping.ask();
        stopping.grants(Duration::from_secs(10)).await;
        assert_eq!(begun.elapsed(), Duration::from_secs(10));
    }
}
