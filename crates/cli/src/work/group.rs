//! The processes of one work: a process group under a guard, which ends with us or before us.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{
    Pid, Signal, WaitOptions, kill_process_group, test_kill_process_group, waitpgid,
};
use tokio::time::sleep;

use super::stop::Stopping;

/// Between two looks whether somebody is left.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How long the kernel may take to end who was killed.
const KILLED_WITHIN: Duration = Duration::from_secs(2);

/// A process group that is led by its guard. Dropped before it was disbanded, it is killed.
pub(crate) struct Group {
    /// Not reaped before the end, so that the group's number is nobody else's. Its standard input is the leash.
    guard: Option<Child>,
    id: Pid,
    /// It was asked to end. Whoever is asked twice may take it for "at once".
    asked: bool,
}

impl Group {
    /// A group of nobody but its guard.
    pub(crate) fn new(kill_after: Duration) -> io::Result<Self> {
        let guard = Command::new(ourselves()?)
            .arg0("consign")
            .args(["guard", "--kill-after-s", &kill_after.as_secs().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .current_dir("/")
            .process_group(0)
            .spawn()?;
        let id = Pid::from_child(&guard);
        Ok(Self { guard: Some(guard), id, asked: false })
    }

    /// What a process is started with that shall belong to it. Until it has, it holds the leash, too: so there is no
    /// moment at which we could die and it would escape.
    pub(crate) fn number(&self) -> i32 {
        self.id.as_raw_nonzero().get()
    }

    /// Asks everybody in it to end, once; who was suspended is woken up to hear it.
    pub(crate) fn terminate(&mut self) {
        if !std::mem::replace(&mut self.asked, true) {
            self.signal(Signal::TERM);
            self.signal(Signal::CONT);
        }
    }

    /// Ends whoever is left, and the guard: TERM, and KILL once `kill_after` has passed.
    pub(crate) async fn disband(&mut self, kill_after: Duration, stop: &Stopping) {
        self.dismiss();
        if self.is_empty() {
            return;
        }
        self.terminate();
        tokio::select! { () = self.emptied() => return, () = stop.grants(kill_after) => {} }
        self.kill();
        tokio::select! { () = self.emptied() => {}, () = sleep(KILLED_WITHIN) => {} }
    }

    fn kill(&self) {
        self.signal(Signal::KILL);
    }

    fn dismiss(&mut self) {
        if let Some(mut guard) = self.guard.take() {
            guard.kill().and_then(|()| guard.wait()).ok();
        }
    }

    fn signal(&self, signal: Signal) {
        // It fails where nobody is left, which is what is wanted.
        kill_process_group(self.id, signal).ok();
    }

    async fn emptied(&self) {
        while !self.is_empty() {
            sleep(LOOK_EVERY).await;
        }
    }

    fn is_empty(&self) -> bool {
        // Where we are process 1 of a container, orphans become our children, and would stay for ever.
        while let Ok(Some(_)) = waitpgid(self.id, WaitOptions::NOHANG) {}
        test_kill_process_group(self.id).is_err()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if self.guard.is_some() {
            self.kill();
            self.dismiss();
        }
    }
}

/// This very program, also where its file was replaced since it was started: then Linux names none that exists.
fn ourselves() -> io::Result<PathBuf> {
    let file = std::env::current_exe()?;
    Ok(if file.exists() { file } else { PathBuf::from("/proc/self/exe") })
}
