//! `consign guard`, which nobody types: it outlives the worker that started it, to end what that worker ran.
//!
//! It leads a process group that the work joins. Its standard input is a pipe that the worker alone holds, so it ends
//! with the worker, however that one ends: also by SIGKILL, of which a process can tell nobody.

use std::io::{self, Read as _};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use clap::Args;
use rustix::process::{Signal, kill_current_process_group};
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

use crate::exit::Exit;

/// What a group is told that is asked to end, by whoever asks; the guard is in the group and must survive it.
const OUTLIVED: [SignalKind; 4] =
    [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup(), SignalKind::pipe()];

/// The arguments of `consign guard`.
#[derive(Args)]
pub(crate) struct Guard {
    /// From SIGTERM to SIGKILL
    #[arg(long, value_name = "SECONDS")]
    kill_after_s: u64,
}

impl Guard {
    pub(crate) fn run(&self) -> ExitCode {
        go_by_another_name();
        let Ok(()) = outlive() else { return Exit::Broken.into() };
        let mut nothing = [0; 1];
        // Nothing is ever sent: the read ends when the other end of the pipe is gone.
        while io::stdin()
            .read(&mut nothing)
            .is_err_and(|why| why.kind() == io::ErrorKind::Interrupted)
        {}
        kill_current_process_group(Signal::TERM).ok();
        thread::sleep(Duration::from_secs(self.kill_after_s));
        kill_current_process_group(Signal::KILL).ok();
        unreachable!("the guard is in the group that was killed")
    }
}

/// What a list of processes shows. It is not the worker's, so that whoever ends everything of that name, as
/// `pkill -9 consign` does, leaves the guard: nobody else would end the work.
#[cfg(target_os = "linux")]
fn go_by_another_name() {
    rustix::thread::set_name(c"work-guard").ok();
}

/// Elsewhere a process has the name of its file.
#[cfg(not(target_os = "linux"))]
fn go_by_another_name() {}

/// Whoever listens for a signal is not ended by it.
fn outlive() -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let _inside = runtime.enter();
    OUTLIVED.into_iter().try_for_each(|kind| signal(kind).map(drop))
}
