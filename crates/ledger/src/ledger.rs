//! The one door. Requests that arrive while a batch commits form the next one.
//!
//! [`Ledger`] is what everybody asks; its [`Desk`] is the one place that runs batches, and must be polled.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{mpsc, oneshot, watch};

use crate::beats::{BeatDesk, BeatQueue};
use crate::book::Book;
use crate::command::{Command, Outcome, Sweep, Swept};
use crate::delegation::lease::Secret;
use crate::delegation::watch::Watch;
use crate::error::{Error, Failure};
use crate::id::{BatchId, DelegationId, IdSource};
use crate::query::SweepReport;
use crate::store::{Append, Loaded, Questions, Reader, Rearm, Store};
use crate::time::Time;

/// Most commands in one transaction.
pub const BATCH_COMMANDS_MAX: usize = 1000;
/// Most bytes of payload in one transaction, unless one command alone has more.
const BATCH_BYTES_MAX: usize = 8 << 20;
/// Steps of a pass in one transaction.
pub const SWEEP_BATCH_MAX: usize = 200;
/// Requests that may wait at the door before further ones are turned away.
const WAITING_MAX: usize = 10_000;
/// How often one batch is run before its commands are told to come back.
const RUNS_MAX: usize = 4;

/// What a ledger is told at its start.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How long a silence may last, in seconds, where a delegation does not say.
    pub stuck_threshold_s: u32,
}

/// The ledger, for everybody who asks it. Cloning gives another handle to the same one.
pub struct Ledger<S>(Arc<Shared<S>>);

impl<S> Clone for Ledger<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
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
}

/// Several acts that came together, and where their answers go.
struct Ask {
    acts: Vec<Act>,
    reply: oneshot::Sender<Vec<Result<Done, Error>>>,
}

enum Act {
    /// With the id that a new delegation may take.
    Command(Command, DelegationId),
    Sweep(Sweep),
}

enum Done {
    Outcome(Box<Outcome>),
    Swept(Swept),
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
        let shared =
            Shared { store, secret, settings, ids: Box::new(ids), commits, verbs, sweeps, beats };
        let ledger = Self(Arc::new(shared));
        let desk = Desk {
            door: Door {
                shared: Arc::clone(&ledger.0),
                verbs: Lane::new(verbs_in),
                sweeps: Lane::new(sweeps_in),
            },
            beats: BeatDesk::new(Arc::clone(&ledger.0), beats_in, heard_until),
        };
        Ok((ledger, desk))
    }

    pub(crate) fn shared(&self) -> &Shared<S> {
        &self.0
    }

    /// The read side. Writing stays behind the door.
    #[must_use]
    pub fn reader(&self) -> &(impl Reader + use<S>) {
        &self.0.store
    }

    /// What it was told at its start.
    #[must_use]
    pub fn settings(&self) -> Settings {
        self.0.settings
    }

    /// Rises with every commit of this process that wrote facts.
    #[must_use]
    pub fn commits(&self) -> watch::Receiver<u64> {
        self.0.commits.subscribe()
    }

    /// Does one thing.
    pub async fn act(&self, command: Command) -> Result<Outcome, Error> {
        self.act_all(vec![command]).await.pop().unwrap_or(Err(Error::Internal))
    }

    /// Does many things, in their order, each with its own outcome; not atomic.
    pub async fn act_all(&self, commands: Vec<Command>) -> Vec<Result<Outcome, Error>> {
        let spare = || DelegationId::of_uuid(self.0.ids.next_uuid());
        let acts = commands.into_iter().map(|command| Act::Command(command, spare())).collect();
        let outcome = |done| match done {
            Done::Outcome(outcome) => Ok(*outcome),
            Done::Swept(_) => Err(Error::Internal),
        };
        ask(&self.0.verbs, acts).await.into_iter().map(|done| done.and_then(outcome)).collect()
    }

    /// Takes the steps of a pass, through the same door.
    pub async fn sweep(&self, steps: Vec<Sweep>) -> Vec<Result<Swept, Error>> {
        let acts = steps.into_iter().map(Act::Sweep).collect();
        let swept = |done| match done {
            Done::Swept(swept) => Ok(swept),
            Done::Outcome(_) => Err(Error::Internal),
        };
        ask(&self.0.sweeps, acts).await.into_iter().map(|done| done.and_then(swept)).collect()
    }

    /// Looks at rows that a glance showed to be alive again later. How many still were what was seen.
    pub async fn rearm(&self, rows: Vec<(Watch, Time)>) -> Result<u64, Failure> {
        self.0
            .store
            .rearm(rows.into_iter().map(|(seen, check_at)| Rearm::new(seen, check_at)).collect())
            .await
    }

    /// Keeps the report of a pass.
    pub async fn keep_report(&self, report: SweepReport) -> Result<(), Failure> {
        self.0.store.keep_report(report).await
    }

    /// Forgets what was kept only for a while.
    pub async fn tidy(&self, now: Time) -> Result<(), Failure> {
        self.0.store.tidy(now).await
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

/// Runs the batches of one ledger, until every handle to it is gone.
pub struct Desk<S> {
    door: Door<S>,
    beats: BeatDesk<S>,
}

impl<S: Store> Desk<S> {
    /// Serves the door and the heartbeats. Poll it on a task of its own.
    pub async fn run(self) {
        tokio::join!(self.door.run(), self.beats.run());
    }
}

struct Door<S> {
    shared: Arc<Shared<S>>,
    verbs: Lane,
    sweeps: Lane,
}

impl<S: Store> Door<S> {
    /// One batch at a time, from whichever lane has something; ties are broken at random, so neither starves.
    async fn run(mut self) {
        loop {
            let asks = tokio::select! {
                Some(asks) = self.verbs.next(BATCH_COMMANDS_MAX) => asks,
                Some(asks) = self.sweeps.next(SWEEP_BATCH_MAX) => asks,
                else => return,
            };
            self.serve(asks).await;
        }
    }

    /// Runs the acts as one batch and gives each asker its part of the answers.
    async fn serve(&self, asks: Vec<Ask>) {
        let mut acts = Vec::with_capacity(asks.len());
        let mut replies = Vec::with_capacity(asks.len());
        for ask in asks {
            replies.push((ask.acts.len(), ask.reply));
            acts.extend(ask.acts);
        }
        let mut answers = self.judge(&Arc::new(acts)).await.into_iter();
        for (count, reply) in replies {
            // An asker who left does not mind: what it asked for is done.
            drop(reply.send(answers.by_ref().take(count).collect()));
        }
    }

    /// Runs the batch; where the store rejects it, halves it until the one act is alone that cannot be written.
    async fn judge(&self, acts: &Arc<Vec<Act>>) -> Vec<Result<Done, Error>> {
        let mut answers = Vec::with_capacity(acts.len());
        let whole = 0..acts.len();
        let mut todo = vec![whole];
        while let Some(range) = todo.pop() {
            match self.settle(acts, &range).await {
                Ok(done) => answers.extend(done),
                Err(Failure::Rejected(_)) if range.len() > 1 => {
                    let middle = range.start + range.len() / 2;
                    todo.extend([middle..range.end, range.start..middle]);
                }
                Err(failure) => {
                    tracing::error!(%failure, commands = range.len(), "a batch failed");
                    answers.extend(range.map(|_| Err(told(&failure))));
                }
            }
        }
        answers
    }

    /// Runs one batch under one id, again if the failure was ours. A commit that was not answered is
    /// recognised by that id; then the outcomes of the run that committed are the answer.
    async fn settle(
        &self,
        acts: &Arc<Vec<Act>>,
        range: &Range<usize>,
    ) -> Result<Vec<Result<Done, Error>>, Failure> {
        let batch = BatchId(self.shared.ids.next_uuid());
        let decided = Arc::new(Mutex::new(vec![]));
        let mut runs = 1;
        loop {
            let decide = self.decider(Arc::clone(acts), range.clone(), Arc::clone(&decided));
            match self.shared.store.transact(batch, questions(&acts[range.clone()]), decide).await {
                Ok(()) => break,
                Err(Failure::Unavailable(why) | Failure::Unknown(why)) if runs < RUNS_MAX => {
                    tracing::warn!(%why, runs, "a batch runs again");
                    runs += 1;
                }
                Err(failure) => return Err(failure),
            }
        }
        self.shared.commits.send_modify(|commits| *commits += 1);
        Ok(std::mem::take(&mut decided.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    fn decider(
        &self,
        acts: Arc<Vec<Act>>,
        range: Range<usize>,
        decided: Arc<Mutex<Vec<Result<Done, Error>>>>,
    ) -> Box<dyn FnMut(Loaded) -> Append + Send> {
        let (secret, threshold_s) =
            (self.shared.secret.clone(), self.shared.settings.stuck_threshold_s);
        Box::new(move |loaded| {
            loaded.corrupt.iter().for_each(
                |bad| tracing::error!(num = bad.num, why = %bad.why, "a row cannot exist"),
            );
            let mut book = Book::open_at(loaded, secret.clone(), threshold_s);
            let answers = acts[range.clone()].iter().map(|act| act.decide(&mut book)).collect();
            *decided.lock().unwrap_or_else(PoisonError::into_inner) = answers;
            book.close()
        })
    }
}

impl Act {
    fn decide(&self, book: &mut Book) -> Result<Done, Error> {
        book.acting_by_override(None);
        match self {
            Self::Command(command, spare) => {
                command.decide(spare, book).map(|outcome| Done::Outcome(Box::new(outcome)))
            }
            Self::Sweep(step) => step.decide(book).map(Done::Swept),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Command(command, _) => command.bytes(),
            Self::Sweep(_) => 0,
        }
    }
}

fn questions(acts: &[Act]) -> Questions {
    let mut questions = Questions::default();
    for act in acts {
        match act {
            Act::Command(command, _) => command.ask(&mut questions),
            Act::Sweep(step) => step.ask(&mut questions),
        }
    }
    questions.sort();
    questions
}

/// What a client hears of a failure: never its inside.
pub(crate) fn told(failure: &Failure) -> Error {
    match failure {
        Failure::Unavailable(_) | Failure::Unknown(_) => Error::Unavailable,
        Failure::Contended => Error::Contended,
        Failure::Rejected(_) | Failure::Corrupt(_) => Error::Internal,
    }
}

/// Asks in the order of their arrival, taken in bounded batches.
struct Lane {
    asks: mpsc::Receiver<Ask>,
    /// An ask that did not fit into the last batch.
    left_over: Option<Ask>,
}

impl Lane {
    fn new(asks: mpsc::Receiver<Ask>) -> Self {
        Self { asks, left_over: None }
    }

    /// Waits for an ask, and takes those that wait behind it, up to the bounds.
    ///
    /// Dropped while it waits, it has taken nothing.
    async fn next(&mut self, acts_max: usize) -> Option<Vec<Ask>> {
        let first = match self.left_over.take() {
            Some(ask) => ask,
            None => self.asks.recv().await?,
        };
        let (mut acts, mut bytes) = (first.acts.len(), first.bytes());
        let mut asks = vec![first];
        while let Ok(ask) = self.asks.try_recv() {
            acts += ask.acts.len();
            bytes += ask.bytes();
            if acts > acts_max || bytes > BATCH_BYTES_MAX {
                self.left_over = Some(ask);
                break;
            }
            asks.push(ask);
        }
        Some(asks)
    }
}

impl Ask {
    fn bytes(&self) -> usize {
        self.acts.iter().map(Act::bytes).sum()
    }
}
