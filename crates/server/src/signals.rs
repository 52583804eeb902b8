//! The signals that ask a server to stop.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::error::ServeError;

/// Hears SIGTERM and SIGINT from the moment it is made.
pub(crate) struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    pub(crate) fn heard_from_now() -> Result<Self, ServeError> {
        let hear = |kind| signal(kind).map_err(ServeError::Signals);
        let (terminate, interrupt) =
            (hear(SignalKind::terminate())?, hear(SignalKind::interrupt())?);
        Ok(Self { terminate, interrupt })
    }

    /// The name of the next one.
    pub(crate) async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
