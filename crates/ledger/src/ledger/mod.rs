//! The one door. Requests that arrive while a batch commits form the next one.
//!
//! [`Ledger`] is what everybody asks; its [`Desk`] is the one place that runs batches, and must be polled.

mod counts;
mod desk;
mod lane;
mod writing;

pub use desk::Desk;
pub(crate) use desk::told;

use std::sync::Arc;

use tokio::sync::{Mutex, mpsc, oneshot, watch};

use crate::agent::AgentTerms;
use crate::beats::{BeatDesk, BeatQueue};
use crate::command::{
    Claim, Command, Outcome, Prune, Registered, Sweep, Swept, Taken, Tend, Tended,
};
use crate::delegation::lease::Secret;
use crate::delegation::retention::Stays;
use crate::delegation::watch::Watch;
use crate::error::{Error, Failure};
use crate::id::{AgentId, DelegationId, IdSource, Seq};
use crate::query::{Measure, SweepReport};
use crate::store::{Reader, Rearm, Store};
use crate::time::Time;

use counts::Counts;
use desk::Door;
use lane::Lane;
use writing::Writing;

/// Most commands in one transaction.
pub const BATCH_COMMANDS_MAX: usize = 1000;
/// Steps of a pass in one transaction.
pub const SWEEP_BATCH_MAX: usize = 500;
/// Delegations that one transaction lets go: each may have many events.
pub const PRUNE_BATCH_MAX: usize = 100;
/// Requests that may wait at the door before further ones are turned away.
const WAITING_MAX: usize = 10_000;

/// What a ledger is told at its start.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How long a silence may last, in seconds, where a delegation does not say.
    pub stuck_threshold_s: u32,
}

/// The ledger, for everybody who asks it. Cloning gives another handle to the same one.
pub struct Ledger<S> {
    shared: Arc<Shared<S>>,
    /// Held by every handle and never used: the desk sees when the last one is gone.
    asked: watch::Sender<()>,
}

impl<S> Clone for Ledger<S> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), asked: self.asked.clone() }
    }
}

pub(crate) struct Shared<S> {
    pub(crate) store: S,
    pub(crate) secret: Secret,
    settings: Settings,
    ids: Box<dyn IdSource>,
    commits: watch::Sender<u64>,
    verbs: mpsc::Sender<Ask>,
    sweeps: mpsc::Sender<Ask>,
    pub(crate) beats: BeatQueue,
    pub(crate) counts: Counts,
    pub(crate) writing: Writing,
}

/// Several acts that came together, and where their answers go.
struct Ask {
    acts: Vec<Act>,
    reply: oneshot::Sender<Vec<Result<Done, Error>>>,
}

enum Act {
    /// With the id that a new delegation may take.
    Command(Command, DelegationId),
    Claim(Claim),
    Sweep(Sweep),
    Tend(Tend),
    Prune(Prune),
    /// Nothing but a batch of its own: whether it can be written is the question.
    Trial,
}

enum Done {
    Outcome(Box<Outcome>),
    Taken(Vec<Taken>),
    Swept(Swept),
    Tended(Tended),
    Pruned(Result<(), Stays>),
    Tried,
}

impl<S: Store> Ledger<S> {
    /// A ledger over `store`, and the desk that must be run for it to answer.
    pub async fn open(
        store: S,
        settings: Settings,
        ids: impl IdSource,
    ) -> Result<(Self, Desk<S>), Failure> {
        let secret = store.secret().await?;
        let heard_until = store.listening(Time(i64::MAX)).await?.heard_until();
        let (verbs, verbs_in) = mpsc::channel(WAITING_MAX);
        let (sweeps, sweeps_in) = mpsc::channel(WAITING_MAX);
        let (beats, beats_in) = BeatQueue::new();
        let commits = watch::Sender::new(0);
        let (ids, counts, writing) = (Box::new(ids), Counts::default(), Writing::default());
        let shared =
            Shared { store, secret, settings, ids, commits, verbs, sweeps, beats, counts, writing };
        let (asked, gone) = watch::channel(());
        let ledger = Self { shared: Arc::new(shared), asked };
        let desk = Desk {
            door: Door {
                shared: Arc::clone(&ledger.shared),
                verbs: Mutex::new(Lane::new(verbs_in)),
                sweeps: Mutex::new(Lane::new(sweeps_in)),
            },
            beats: BeatDesk::new(Arc::clone(&ledger.shared), beats_in, heard_until),
            gone,
        };
        Ok((ledger, desk))
    }

    pub(crate) fn shared(&self) -> &Shared<S> {
        &self.shared
    }

    /// The read side. Writing stays behind the door.
    #[must_use]
    pub fn reader(&self) -> &(impl Reader + use<S>) {
        &self.shared.store
    }

    /// What it was told at its start.
    #[must_use]
    pub fn settings(&self) -> Settings {
        self.shared.settings
    }

    /// Rises with every commit of this process that wrote facts, and whenever another process may have made one.
    #[must_use]
    pub fn commits(&self) -> watch::Receiver<u64> {
        self.shared.commits.subscribe()
    }

    /// What it counted of its own work since the start of this process.
    #[must_use]
    pub fn measures(&self) -> Vec<Measure> {
        self.shared.counts.measures()
    }

    /// Whether facts can be written. While that goes well, nobody is asked; where the last that should have been
    /// written was not, this tries to write one that means nothing.
    pub async fn try_writing(&self) -> Result<(), Error> {
        if !self.shared.writing.fails() {
            return Ok(());
        }
        match ask(&self.shared.verbs, vec![Act::Trial]).await.pop() {
            Some(Ok(Done::Tried)) => Ok(()),
            Some(Err(error)) => Err(error),
            _ => Err(Error::Internal),
        }
    }

    /// Does one thing.
    pub async fn act(&self, command: Command) -> Result<Outcome, Error> {
        self.act_all(vec![command]).await.pop().unwrap_or(Err(Error::Internal))
    }

    /// Does many things, in their order, each with its own outcome; not atomic.
    pub async fn act_all(&self, commands: Vec<Command>) -> Vec<Result<Outcome, Error>> {
        let spare = || DelegationId::of_uuid(self.shared.ids.next_uuid());
        let acts = commands.into_iter().map(|command| Act::Command(command, spare())).collect();
        let outcome = |done| match done {
            Done::Outcome(outcome) => Ok(*outcome),
            _ => Err(Error::Internal),
        };
        ask(&self.shared.verbs, acts).await.into_iter().map(|done| done.and_then(outcome)).collect()
    }

    /// Writes an agent's record, whole. The same again changes nothing.
    pub async fn set_agent(&self, id: AgentId, terms: AgentTerms) -> Result<Registered, Error> {
        self.register(Tend::Set(id, terms)).await
    }

    /// Forgets an agent's record. Its work, its messages and how far it has read them stay.
    pub async fn remove_agent(&self, id: AgentId) -> Result<Registered, Error> {
        self.register(Tend::Remove(id)).await
    }

    async fn register(&self, tend: Tend) -> Result<Registered, Error> {
        match self.tend(tend).await? {
            Tended::Record(registered) => Ok(registered),
            Tended::Read(_) => Err(Error::Internal),
        }
    }

    /// Notes that an agent has read its inbox up to this number; up to where it has read by now.
    pub async fn acknowledge(&self, id: AgentId, through: Seq) -> Result<Seq, Error> {
        match self.tend(Tend::Acknowledge(id, through)).await? {
            Tended::Read(acked_through) => Ok(acked_through),
            Tended::Record(_) => Err(Error::Internal),
        }
    }

    async fn tend(&self, tend: Tend) -> Result<Tended, Error> {
        match ask(&self.shared.verbs, vec![Act::Tend(tend)]).await.pop() {
            Some(Ok(Done::Tended(tended))) => Ok(tended),
            Some(Err(error)) => Err(error),
            _ => Err(Error::Internal),
        }
    }

    /// Takes work from a queue: all that an earlier claim of the same name still holds, or what there is.
    ///
    /// Whoever leaves before the claim is decided takes nothing.
    pub async fn claim(&self, claim: Claim) -> Result<Vec<Taken>, Error> {
        match ask(&self.shared.verbs, vec![Act::Claim(claim)]).await.pop() {
            Some(Ok(Done::Taken(taken))) => Ok(taken),
            Some(Err(error)) => Err(error),
            _ => Err(Error::Internal),
        }
    }

    /// Takes the steps of a pass, through the same door.
    pub async fn sweep(&self, steps: Vec<Sweep>) -> Vec<Result<Swept, Error>> {
        let acts = steps.into_iter().map(Act::Sweep).collect();
        let swept = |done| match done {
            Done::Swept(swept) => Ok(swept),
            _ => Err(Error::Internal),
        };
        ask(&self.shared.sweeps, acts).await.into_iter().map(|done| done.and_then(swept)).collect()
    }

    /// Lets go what may go, each with everything that belongs to it; why the others stay. In batches behind which
    /// nobody waits long.
    pub async fn prune(&self, asked: Vec<Prune>) -> Vec<Result<Result<(), Stays>, Error>> {
        let mut answers = Vec::with_capacity(asked.len());
        let verdict = |done| match done {
            Done::Pruned(verdict) => Ok(verdict),
            _ => Err(Error::Internal),
        };
        for batch in asked.chunks(PRUNE_BATCH_MAX) {
            let acts = batch.iter().cloned().map(Act::Prune).collect();
            let done = ask(&self.shared.sweeps, acts).await;
            answers.extend(done.into_iter().map(|done| done.and_then(verdict)));
        }
        answers
    }

    /// Looks at rows that a glance showed to be alive again later. How many still were what was seen.
    pub async fn rearm(&self, rows: Vec<(Watch, Time)>) -> Result<u64, Failure> {
        self.shared
            .store
            .rearm(rows.into_iter().map(|(seen, check_at)| Rearm::new(seen, check_at)).collect())
            .await
    }

    /// Says, at the end of this process, that nobody need wait for what it hears.
    pub async fn leave(&self) -> Result<(), Failure> {
        self.shared.store.leave().await
    }

    /// Keeps the report of a pass.
    pub async fn keep_report(&self, report: SweepReport) -> Result<(), Failure> {
        self.shared.store.keep_report(report).await
    }

    /// Forgets what was kept only for a while.
    pub async fn tidy(&self, now: Time) -> Result<(), Failure> {
        self.shared.store.tidy(now).await
    }
}

async fn ask(lane: &mpsc::Sender<Ask>, acts: Vec<Act>) -> Vec<Result<Done, Error>> {
    let count = acts.len();
    if count == 0 {
        return vec![];
    }
    let turned_away = || (0..count).map(|_| Err(Error::Unavailable)).collect();
    let (reply, answer) = oneshot::channel();
    if lane.try_send(Ask { acts, reply }).is_err() {
        return turned_away();
    }
    answer.await.unwrap_or_else(|_| turned_away())
}
