//! Standard input as a lifeline: whoever started this process holds its other end, says through it what is to be
//! heard, and when it is let go, also by a SIGKILL, this process ends.

use std::io;
use std::thread;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// The near end.
pub(super) struct Lifeline {
    lines: UnboundedReceiver<String>,
}

impl Lifeline {
    /// Holds on to it. `let_go` ends the process; it runs on a thread of its own, whatever else the process does.
    pub(super) fn held(let_go: impl FnOnce() + Send + 'static) -> Self {
        let (said, lines) = unbounded_channel();
        thread::spawn(move || {
            for line in io::stdin().lines().map_while(Result::ok) {
                // Who does not listen may still hold on.
                drop(said.send(line));
            }
            let_go();
        });
        Self { lines }
    }

    /// The next line. Waits for ever where there is none to come: then this process is about to end.
    pub(super) async fn hears(&mut self) -> String {
        match self.lines.recv().await {
            Some(line) => line,
            None => std::future::pending().await,
        }
    }
}
