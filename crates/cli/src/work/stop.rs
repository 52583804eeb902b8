//! Our own end: asked for once, what runs is given back in good order; asked for twice, at once.

use std::fs;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::sleep;

/// Its number, everywhere.
const SIGHUP: u32 = 1;

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
    /// Listens for SIGTERM, SIGINT and SIGHUP from now on.
    pub(crate) fn listen() -> io::Result<Self> {
        let stopping = Self(Arc::new(watch::Sender::new(Asked::Never)));
        for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
            stopping.hears(kind, Self::ask)?;
        }
        if !outlives_its_terminal() {
            stopping.hears(SignalKind::hangup(), Self::ask_once)?;
        }
        Ok(stopping)
    }

    fn hears(&self, kind: SignalKind, ask: fn(&Self)) -> io::Result<()> {
        let (mut signals, stopping) = (signal(kind)?, self.clone());
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                ask(&stopping);
            }
        });
        Ok(())
    }

    /// Asks, as a signal would.
    pub(crate) fn ask(&self) {
        self.0.send_modify(|asked| {
            *asked = if *asked == Asked::Never { Asked::Once } else { Asked::Twice };
        });
    }

    /// Asks, unless that was done: the system and a shell may both say that the terminal is gone, and systemd says so
    /// together with SIGTERM. That is one request.
    fn ask_once(&self) {
        self.0.send_modify(|asked| *asked = (*asked).max(Asked::Once));
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

/// Whoever starts us with `nohup` has SIGHUP ignored, and means it. Where that cannot be known, we leave it as it is.
fn outlives_its_terminal() -> bool {
    fs::read_to_string("/proc/self/status").map_or(true, |status| ignores(&status, SIGHUP))
}

/// Whether a process ignores a signal, by what Linux tells of it.
fn ignores(status: &str, signal: u32) -> bool {
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|set| u64::from_str_radix(set.trim(), 16).ok());
    ignored.is_none_or(|set| set >> (signal - 1) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ignored_signal_is_told_from_others() {
        let status = "Name:\tconsign\nSigBlk:\t0000000000000001\nSigIgn:\t0000000000001001\n";
        assert_eq!([1, 2, 13].map(|signal| ignores(status, signal)), [true, false, true]);
        assert!(ignores("Name:\tconsign\n", SIGHUP), "as it is, where nothing is told");
    }

    #[tokio::test]
    async fn to_be_told_that_the_terminal_is_gone_is_one_request_however_often() {
        let stopping = Stopping(Arc::new(watch::Sender::new(Asked::Never)));
        stopping.ask_once();
        stopping.ask_once();
        assert_eq!(*stopping.0.borrow(), Asked::Once);
        stopping.ask();
        stopping.ask_once();
        assert_eq!(*stopping.0.borrow(), Asked::Twice);
    }

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
