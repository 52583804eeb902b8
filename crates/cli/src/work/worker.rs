//! The worker: takes as much work as it has hands for, until it has enough or is asked to end.

use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use consign_client::Accepted;
use rustix::io::Errno;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinError, JoinSet, LocalSet};
use tokio::time::{Instant, sleep, sleep_until};

use super::Shop;
use super::capture::Shared;
use super::journal::Journal;
use super::program::Program;
use super::run::{Ended, Run};
use super::source::Source;
use super::stop::Stopping;
use crate::asking::Visit;
use crate::error::CliError;
use crate::exit::Exit;

/// After work that was given back: a pause, twice as long each time.
const PAUSE_MIN: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_mins(1);
/// Between two tries to reach a server that is away, beside the client's own.
const AWAY_PAUSE: Duration = Duration::from_secs(1);

/// When it has done enough.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// How many at once.
    pub(crate) jobs: u32,
    /// How many in all.
    pub(crate) claims_max: Option<u64>,
    /// How long to wait for work where there is none.
    pub(crate) wait: Option<Duration>,
}

/// Works until it has done enough, or is asked to end.
pub(crate) async fn work(
    visit: &Visit,
    program: Program,
    source: Source,
    limits: Limits,
) -> Result<Exit, CliError> {
    let (journal, writing) = Journal::open(visit.paper.json);
    let shop = Rc::new(Shop {
        client: visit.client.clone(),
        program,
        journal,
        stop: Stopping::listen()?,
        jobs: limits.jobs,
    });
    let mut worker = Worker {
        visit,
        shop,
        source,
        hands: Arc::new(Semaphore::new(limits.jobs as usize)),
        runs: JoinSet::new(),
        mood: Shared::default(),
        left: limits.claims_max.unwrap_or(u64::MAX),
        begun: false,
    };
    let done = LocalSet::new().run_until(worker.work(limits.wait)).await;
    drop(worker);
    writing.end().await;
    done
}

/// Who works.
struct Worker<'a> {
    visit: &'a Visit,
    shop: Rc<Shop>,
    source: Source,
    /// One permit for each run that there is room for.
    hands: Arc<Semaphore>,
    runs: JoinSet<()>,
    mood: Shared<Mood>,
    /// How much more will be taken.
    left: u64,
    /// Whether anything was.
    begun: bool,
}

/// What the runs leave behind for whoever takes the next work.
#[derive(Default)]
struct Mood {
    /// How long the last pause was.
    pause: Duration,
    until: Option<Instant>,
    /// Why no program can be started, and so no work be done.
    not_started: Option<io::Error>,
}

impl Worker<'_> {
    async fn work(&mut self, wait: Option<Duration>) -> Result<Exit, CliError> {
        let taken = self.take(wait).await;
        if self.shop.stop.is_asked() {
            self.shop.journal.note("ending", "no more work is taken, and what runs is given back");
        }
        while let Some(ended) = self.runs.join_next().await {
            self.tell_if_broken(ended);
        }
        let not_started = self.mood.borrow_mut().not_started.take();
        let told = |why| CliError::NotStarted(self.shop.program.not_started(&why));
        not_started.map_or(taken, |why| Err(told(why)))?;
        let nothing = !self.begun && !self.shop.stop.is_asked();
        Ok(if nothing { Exit::Nothing } else { Exit::Done })
    }

    /// Takes work until it is enough, or there was none for so long, or we are asked to end.
    async fn take(&mut self, wait: Option<Duration>) -> Result<(), CliError> {
        let stop = self.shop.stop.clone();
        while self.left > 0 {
            let hand = tokio::select! {
                biased;
                () = stop.asked() => return Ok(()),
                hand = self.free_hand() => hand,
            };
            match self.source.next(wait, &stop).await {
                Ok(Some(work)) => self.begin(work, hand),
                Ok(None) => {
                    self.tell_idle();
                    return Ok(());
                }
                // A ledger that was never there may not be the right one; one that goes away comes back.
                Err(error) if error.is_passing() && self.source.has_met() => {
                    self.shop.journal.note("away", error);
                    tokio::select! { () = stop.asked() => {}, () = sleep(AWAY_PAUSE) => {} }
                }
                Err(error) => return self.visit.heard(Err(error)),
            }
        }
        Ok(())
    }

    /// After a rest, where one is needed.
    async fn free_hand(&mut self) -> OwnedSemaphorePermit {
        let hand = Arc::clone(&self.hands).acquire_owned().await.expect("it is never closed");
        while let Some(ended) = self.runs.try_join_next() {
            self.tell_if_broken(ended);
        }
        self.rest().await;
        hand
    }

    /// Where work was just given back, to take it again at once would help nobody.
    async fn rest(&self) {
        let until = self.mood.borrow().until;
        if let Some(until) = until.filter(|until| *until > Instant::now()) {
            let pause = until.duration_since(Instant::now()).as_secs() + 1;
            self.shop.journal.note("pause", format!("no more work is taken for about {pause} s"));
            sleep_until(until).await;
        }
    }

    fn begin(&mut self, work: Accepted, hand: OwnedSemaphorePermit) {
        self.left -= 1;
        self.begun = true;
        let (shop, mood) = (Rc::clone(&self.shop), Rc::clone(&self.mood));
        self.runs.spawn_local(async move {
            let ended = Run::of(&shop, &work).run().await;
            mood.borrow_mut().notes(ended, &shop.stop);
            drop(hand);
        });
    }

    fn tell_idle(&self) {
        if !self.shop.stop.is_asked() {
            self.shop.journal.note("idle", "there was no work for as long as --wait-s says");
        }
    }

    fn tell_if_broken(&self, ended: Result<(), JoinError>) {
        if let Err(broken) = ended {
            self.shop.journal.note("broken", format!("a run ended in an error of ours: {broken}"));
        }
    }
}

impl Mood {
    fn notes(&mut self, ended: Ended, stop: &Stopping) {
        match ended {
            Ended::Over => self.pause = Duration::ZERO,
            Ended::NotStarted(why) if !passes(&why) => {
                self.not_started = Some(why);
                stop.ask();
            }
            Ended::NotNow | Ended::NotStarted(_) => self.grows(Instant::now()),
        }
    }

    /// Several that are given back together make one pause.
    fn grows(&mut self, now: Instant) {
        if self.until.is_none_or(|until| until <= now) {
            self.pause = (self.pause * 2).clamp(PAUSE_MIN, PAUSE_MAX);
            self.until = Some(now + self.pause);
        }
    }
}

/// The machine is short of something, or the file is just being written: both will be over.
fn passes(why: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        why.kind(),
        Kind::WouldBlock | Kind::OutOfMemory | Kind::ExecutableFileBusy | Kind::Interrupted
    ) || why
        .raw_os_error()
        .is_some_and(|code| [Errno::MFILE, Errno::NFILE].map(Errno::raw_os_error).contains(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_grows_while_work_is_given_back_and_several_at_once_make_one() {
        let (mut mood, begun) = (Mood::default(), Instant::now());
        let mut lasts = |at: Duration| {
            mood.grows(begun + at);
            mood.pause.as_secs()
        };
        assert_eq!((lasts(Duration::ZERO), lasts(Duration::ZERO)), (1, 1));
        let longer: Vec<u64> = (1..8).map(|pass| lasts(Duration::from_secs(100 * pass))).collect();
        assert_eq!(longer, [2, 4, 8, 16, 32, 60, 60]);
    }
}
