//! The processes of one work: a process group under a guard, which ends with us or before us.

use std::fs;
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

/// Between two looks whether somebody is left, at first and at last: a look may go through all processes.
const LOOK_EVERY: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(320));
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
        let (mut pause, longest) = LOOK_EVERY;
        while !self.is_empty() {
            sleep(pause).await;
            pause = (pause * 2).min(longest);
        }
    }

    fn is_empty(&self) -> bool {
        // Where we are process 1 of a container, orphans become our children, and would stay for ever.
        while let Ok(Some(_)) = waitpgid(self.id, WaitOptions::NOHANG) {}
        test_kill_process_group(self.id).is_err() || self.is_dead()
    }

    /// Whether nobody in it lives any more. Orphans that have ended are in it until whoever has inherited them takes
    /// note, and process 1 of many a container never does.
    fn is_dead(&self) -> bool {
        let Ok(processes) = fs::read_dir("/proc") else { return false };
        let mut stats =
            processes.flatten().filter_map(|process| fs::read(process.path().join("stat")).ok());
        if stats.any(|stat| lives_in(&String::from_utf8_lossy(&stat), self.id)) {
            return false;
        }
        // Should somebody have been overlooked, who was born meanwhile: he was to end, too.
        self.kill();
        true
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

/// Whether this is a process of the group that has not ended, by what Linux tells of it: `pid (name) state parent group`.
fn lives_in(stat: &str, group: Pid) -> bool {
    // A name may have anything in it, a parenthesis too.
    let told = stat.rsplit_once(')').map_or(stat, |(_, told)| told);
    let mut told = told.split_ascii_whitespace();
    let (state, its_group) = (told.next(), told.nth(1));
    let its_group = its_group.and_then(|number| number.parse().ok()).and_then(Pid::from_raw);
    its_group == Some(group) && !matches!(state, Some("Z" | "X" | "x"))
}

/// This very program. Where Linux has a link to it, by that: so it is found though its file was replaced since it was
/// started, and at no time has the guard the name by which somebody may end its worker (`pkill -9 consign`).
fn ourselves() -> io::Result<PathBuf> {
    let link = PathBuf::from("/proc/self/exe");
    if link.exists() { Ok(link) } else { std::env::current_exe() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_ended_is_told_from_who_lives_by_its_state_and_group() {
        let group = Pid::from_raw(42).unwrap();
        for (stat, lives) in [
            ("43 (sleep) S 1 42 40 0 -1", true),
            ("43 (sleep) T 1 42 40 0 -1", true),
            ("43 (sleep) Z 1 42 40 0 -1", false),
            ("43 (sleep) S 1 44 40 0 -1", false),
            ("43 (a) Z 1 44 (b) S 1 42 40 0 -1", true),
            ("", false),
        ] {
            assert_eq!(lives_in(stat, group), lives, "{stat}");
        }
    }
}
