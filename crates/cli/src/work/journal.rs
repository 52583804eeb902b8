//! What the worker did, a line for each event: for people on standard error, with --json on standard output.

use std::fmt::Display;
use std::io;
use std::time::Duration;

use consign_client::Accepted;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::print::{escaped, now};

/// How long whoever reads the lines may take for the last of them.
const READ_WITHIN: Duration = Duration::from_secs(1);

/// Where the events are told. Telling never waits: a reader that stands still must not hold up a heartbeat.
#[derive(Clone)]
pub(crate) struct Journal {
    json: bool,
    lines: UnboundedSender<String>,
}

/// Whoever writes the lines down.
pub(crate) struct Writing(JoinHandle<()>);

impl Journal {
    pub(crate) fn open(json: bool) -> (Self, Writing) {
        let (lines, written) = unbounded_channel();
        (Self { json, lines }, Writing(tokio::spawn(write(json, written))))
    }

    /// Something happened to a work.
    pub(crate) fn tell(&self, event: &str, work: &Accepted, detail: impl Display) {
        let it = &work.delegation;
        self.line(event, Some((&it.delegation_id, it.attempt)), &detail.to_string());
    }

    /// Something happened to the worker.
    pub(crate) fn note(&self, event: &str, detail: impl Display) {
        self.line(event, None, &detail.to_string());
    }

    fn line(&self, event: &str, work: Option<(&String, u32)>, detail: &str) {
        let at = format!("{:.3}", now());
        let line = if self.json {
            let (id, attempt) = work.unzip();
            json!({"at": at, "event": event, "delegation_id": id, "attempt": attempt, "detail": detail})
                .to_string()
        } else {
            let whose = work.map(|(id, _)| format!(" {}", escaped(id))).unwrap_or_default();
            format!("{at}{whose} {event}: {}", escaped(detail))
        };
        // Nobody writes any more: then nobody reads, either.
        drop(self.lines.send(line + "\n"));
    }
}

impl Writing {
    /// Until everything is written that was told; every journal must be gone.
    pub(crate) async fn end(self) {
        drop(timeout(READ_WITHIN, self.0).await);
    }
}

async fn write(json: bool, mut lines: UnboundedReceiver<String>) {
    while let Some(line) = lines.recv().await {
        let written = if json {
            put(tokio::io::stdout(), &line).await
        } else {
            put(tokio::io::stderr(), &line).await
        };
        // Where nobody reads, the work is done all the same.
        drop(written);
    }
}

async fn put(mut to: impl tokio::io::AsyncWrite + Unpin, line: &str) -> io::Result<()> {
    to.write_all(line.as_bytes()).await?;
    to.flush().await
}
