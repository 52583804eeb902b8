//! The program at work on one delegation: started in its group, listened to, and ended where it must be.

use std::io;
use std::process::ExitStatus;
use std::rc::Rc;
use std::time::Duration;

use consign_client::{Accepted, Address};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, waitid};
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, ChildStdin};
use tokio::task::{JoinHandle, spawn_local};
use tokio::time::{Instant, sleep, timeout};

use super::capture::{Head, Shared, Tail};
use super::group::Group;
use super::program::{Program, task};
use super::said::Said;
use super::stop::Stopping;

/// How much of its output is kept: one byte more than any result may have.
const OUTPUT_BYTES_MAX: usize = 4 << 20;
/// How much of the end of its standard error goes into the reason of a failure.
const ERRORS_BYTES_MAX: usize = 2048;
/// Between two looks whether it is suspended.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long what it left behind may go on printing once it has ended.
const HEARD_OUT_WITHIN: Duration = Duration::from_secs(1);

/// Why a work must end before it is done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Halt {
    /// The ledger says so, and why.
    Told(String),
    /// The worker itself is to end.
    Stopping,
    /// It asked the terminal, and so the system suspended it. Nobody would ever wake it.
    Suspended,
}

/// What is left of a work that has ended.
pub(crate) struct Remains {
    /// `None`: it could not be ended, and was left behind.
    pub(crate) status: Option<ExitStatus>,
    /// It did not end by itself.
    pub(crate) halt: Option<Halt>,
    pub(crate) output: Head,
    pub(crate) errors: String,
}

/// A program that was started.
pub(crate) struct Process {
    child: Child,
    group: Group,
    kill_after: Duration,
    output: Shared<Head>,
    errors: Shared<Tail>,
    /// What reads its two outputs to their end.
    reading: JoinHandle<()>,
    /// What takes down its words.
    listening: JoinHandle<()>,
    /// What hands it its task.
    feeding: JoinHandle<()>,
}

impl Process {
    pub(crate) fn start(
        program: &Program,
        work: &Accepted,
        address: &Address,
        said: &Rc<Said>,
        prefix: Option<String>,
    ) -> io::Result<Self> {
        let group = Group::new(program.kill_after)?;
        let (hears, speaks) = io::pipe()?;
        let speaks = Some(speaks.into());
        let mut child = program.command(work, address, group.number(), speaks).spawn()?;
        let (output, errors) = (Shared::<Head>::default(), Shared::<Tail>::default());
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let head = Head::of(stdout.expect("piped"), OUTPUT_BYTES_MAX, Rc::clone(&output));
        let tail = Tail::of(stderr.expect("piped"), ERRORS_BYTES_MAX, prefix, Rc::clone(&errors));
        let reading = spawn_local(async { drop(tokio::join!(head, tail)) });
        let (_, task) = task(work);
        let feeding = spawn_local(feed(stdin.expect("piped"), task));
        let said = Rc::clone(said);
        let listening = spawn_local(async move { drop(said.listen(hears.into()).await) });
        let kill_after = program.kill_after;
        Ok(Self { child, group, kill_after, output, errors, reading, listening, feeding })
    }

    /// Waits for its end, and brings it about where there is a reason to.
    pub(crate) async fn end(
        mut self,
        halt: impl Future<Output = Halt>,
        stop: &Stopping,
    ) -> Remains {
        let asks_the_terminal = asks_the_terminal(self.child.id());
        let halt = tokio::select! {
            // Where we were suspended, it may have ended by itself long before there was a reason.
            biased;
            _ = self.child.wait() => None,
            halt = halt => Some(halt),
            () = asks_the_terminal => Some(Halt::Suspended),
        };
        let killed_at = Instant::now() + self.kill_after;
        match halt {
            Some(_) => self.terminate(stop).await,
            None => self.hear_out().await,
        }
        self.group.disband(killed_at.saturating_duration_since(Instant::now()), stop).await;
        let all = async { tokio::join!(done(&mut self.reading), done(&mut self.listening)) };
        drop(timeout(HEARD_OUT_WITHIN, all).await);
        for task in [&self.reading, &self.listening, &self.feeding] {
            task.abort();
        }
        Remains {
            status: self.child.try_wait().ok().flatten(),
            halt,
            output: self.output.take(),
            errors: self.errors.borrow().text(),
        }
    }

    /// Asks it to end, and lets it have its time.
    async fn terminate(&mut self, stop: &Stopping) {
        self.group.terminate();
        tokio::select! { _ = self.child.wait() => {}, () = stop.grants(self.kill_after) => {} }
    }

    /// What it left behind may have something to say, and what has left its group may hold its outputs for ever.
    async fn hear_out(&mut self) {
        drop(timeout(HEARD_OUT_WITHIN, done(&mut self.reading)).await);
    }
}

/// Until it is done; it may have been before.
async fn done(task: &mut JoinHandle<()>) {
    if !task.is_finished() {
        drop(task.await);
    }
}

/// Until it is suspended as whoever reads from a terminal, or sets it, without being in its foreground.
async fn asks_the_terminal(program: Option<u32>) {
    let program = program.and_then(|id| Pid::from_raw(id.cast_signed()));
    let suspends = [Signal::TTIN, Signal::TTOU].map(Signal::as_raw);
    loop {
        sleep(LOOK_EVERY).await;
        let signal = program.and_then(suspended_by);
        if signal.is_some_and(|signal| suspends.contains(&signal)) {
            return;
        }
    }
}

/// The signal by which it is suspended now.
fn suspended_by(program: Pid) -> Option<i32> {
    let look = WaitIdOptions::STOPPED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    waitid(WaitId::Pid(program), look).ok()??.stopping_signal()
}

/// Hands it the task. A program that does not read it, or not all of it, knows why.
async fn feed(mut stdin: ChildStdin, task: String) {
    drop(stdin.write_all(task.as_bytes()).await);
}
