//! A worker: an agent's process as the demo holds it. It ends with the demo, however that ends.

use std::ffi::OsStr;
use std::fs::File;
use std::path::Path;
use std::process::{ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::task::JoinHandle;

use super::board::{Board, By};
use super::broken;
use super::story::{Played, Story};
use crate::error::CliError;

/// A process of this very program, on a lifeline, which says what it does.
pub(super) fn cast<S: AsRef<OsStr>>(
    args: impl IntoIterator<Item = S>,
    log: &Path,
) -> Result<Command, CliError> {
    let log = File::options().create(true).append(true).open(log);
    let log = log.map_err(broken("there is no log"))?;
    let mut command =
        Command::new(std::env::current_exe().map_err(broken("this program is not to be found"))?);
    command.arg("demo").args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
    // A group of its own: Ctrl-C is for the demo, which ends the others in their order.
    command.process_group(0).kill_on_drop(true);
    Ok(command)
}

/// A running agent.
pub(super) struct Worker {
    child: Child,
    lifeline: ChildStdin,
    telling: JoinHandle<()>,
    board: Board,
    story: &'static Story,
}

impl Worker {
    pub(super) fn start(
        mut command: Command,
        board: Board,
        story: &'static Story,
    ) -> Result<Self, CliError> {
        let mut child = command.spawn().map_err(broken("an agent cannot be started"))?;
        let (lifeline, says) = (child.stdin.take(), child.stdout.take());
        let (lifeline, says) = lifeline.zip(says).expect("both were asked for");
        let telling = tokio::spawn(tell(says, board.clone(), story));
        Ok(Self { child, lifeline, telling, board, story })
    }

    /// Says something that its process hears.
    pub(super) async fn hears(&mut self, line: &str) -> Played {
        let line = format!("{line}\n");
        self.lifeline
            .write_all(line.as_bytes())
            .await
            .map_err(broken("its process does not listen"))
    }

    /// Waits until it has ended by itself, with nothing to complain about.
    pub(super) async fn ends(mut self) -> Played {
        let status = self.reaped().await?;
        if status.success() {
            Ok(())
        } else {
            Err(CliError::Demo(format!("its process ended with {status}")))
        }
    }

    /// Kills it as the kernel would.
    pub(super) async fn dies(mut self) -> Played {
        self.signal(Signal::KILL)?;
        self.reaped().await?;
        self.tells("is killed (SIGKILL)");
        Ok(())
    }

    /// Suspends it, as a host that sleeps does.
    pub(super) fn freezes(&self) -> Played {
        self.signal(Signal::STOP)?;
        self.tells("is frozen (SIGSTOP)");
        Ok(())
    }

    /// Lets it go on.
    pub(super) fn thaws(&self) -> Played {
        self.signal(Signal::CONT)?;
        self.tells("thaws (SIGCONT)");
        Ok(())
    }

    fn signal(&self, signal: Signal) -> Played {
        let id = self.child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        let pid = id.ok_or_else(|| CliError::Demo("its process is gone already".to_owned()))?;
        kill_process(pid, signal).map_err(|why| broken("it gets no signal")(why.into()))
    }

    fn tells(&self, what: &str) {
        self.board.happened(self.story, By::World, what);
    }

    async fn reaped(&mut self) -> Result<ExitStatus, CliError> {
        let status = self.child.wait().await.map_err(broken("it cannot be waited for"))?;
        // What it said last is heard, too.
        drop((&mut self.telling).await);
        Ok(status)
    }
}

/// What the process says, line by line, to its end.
async fn tell(says: ChildStdout, board: Board, story: &'static Story) {
    let mut lines = BufReader::new(says).lines();
    while let Ok(Some(deed)) = lines.next_line().await {
        board.happened(story, By::Agent, &deed);
    }
}
