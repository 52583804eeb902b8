//! Runs the batches: load, decide, append, answer.

use std::ops::Range;
use std::sync::{Arc, PoisonError};

use tokio::sync::{Mutex, watch};

use crate::beats::BeatDesk;
use crate::book::Book;
use crate::error::{Error, Failure};
use crate::id::BatchId;
use crate::store::{Decide, Questions, Store};

use super::lane::Lane;
use super::{Act, Ask, BATCH_COMMANDS_MAX, Done, SWEEP_BATCH_MAX, Shared};

/// The pauses before one batch runs again, in milliseconds; after the last its commands are told to come back.
const PAUSES_MS: [u64; 3] = [50, 200, 800];

/// Runs the batches of one ledger, until every handle to it is gone.
pub struct Desk<S> {
    pub(super) door: Door<S>,
    pub(super) beats: BeatDesk<S>,
    /// Without a sender once every handle is gone.
    pub(super) gone: watch::Receiver<()>,
}

impl<S: Store> Desk<S> {
    /// Serves the door and the heartbeats. Poll it on a task of its own.
    pub async fn run(self) {
        let Self { door, beats, mut gone } = self;
        let shared = Arc::clone(&door.shared);
        let serve = async { tokio::join!(door.run(), beats.run(), shared.answer_the_bell()) };
        // Nobody sends anything here: it changes when nobody can ask any more.
        tokio::select! {
            _ = gone.changed() => {}
            _ = serve => {}
        }
    }
}

impl<S: Store> Shared<S> {
    /// What another process wrote is news here, too.
    async fn answer_the_bell(&self) {
        loop {
            self.store.rung().await;
            self.commits.send_modify(|commits| *commits += 1);
        }
    }
}

/// What one run of a batch came to.
#[derive(Default)]
struct Decided {
    answers: Vec<Result<Done, Error>>,
    /// Anything is written at all.
    is_written: bool,
}

pub(super) struct Door<S> {
    pub(super) shared: Arc<Shared<S>>,
    pub(super) verbs: Mutex<Lane>,
    pub(super) sweeps: Mutex<Lane>,
}

impl<S: Store> Door<S> {
    /// One batch of verbs at a time, so that those which arrive meanwhile form the next one. Of a pass two at a time, so
    /// that the store has the next one when it needs not wait for the first any more: SQLite's, while that is flushed.
    async fn run(self) {
        tokio::join!(
            self.serve_lane(&self.verbs, BATCH_COMMANDS_MAX),
            self.serve_lane(&self.sweeps, SWEEP_BATCH_MAX),
            self.serve_lane(&self.sweeps, SWEEP_BATCH_MAX),
        );
    }

    /// Serves a lane until nobody can ask any more.
    async fn serve_lane(&self, lane: &Mutex<Lane>, acts_max: usize) {
        loop {
            let asks = lane.lock().await.next(acts_max).await;
            let Some(asks) = asks else { return };
            self.serve(asks).await;
        }
    }

    /// Runs the acts as one batch and gives each asker its part of the answers.
    async fn serve(&self, asks: Vec<Ask>) {
        let mut acts = Vec::with_capacity(asks.len());
        let mut replies = Vec::with_capacity(asks.len());
        for ask in asks.into_iter().filter(|ask| !ask.claims_for_nobody()) {
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
                    self.shared.counts.store_failures.add(1);
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
        let decided = Arc::new(std::sync::Mutex::new(Decided::default()));
        let mut pauses = PAUSES_MS.into_iter();
        loop {
            let decide = self.decider(Arc::clone(acts), range.clone(), Arc::clone(&decided));
            match self.shared.store.transact(batch, questions(&acts[range.clone()]), decide).await {
                Ok(()) => break,
                Err(failure @ (Failure::Unavailable(_) | Failure::Unknown(_))) => {
                    self.shared.writing.failed(&failure);
                    let Some(pause_ms) = pauses.next() else { return Err(failure) };
                    tracing::warn!(%failure, pause_ms, "a batch runs again");
                    self.shared.counts.store_failures.add(1);
                    self.shared.store.pause(pause_ms).await;
                }
                Err(failure) => return Err(failure),
            }
        }
        self.shared.commits.send_modify(|commits| *commits += 1);
        self.shared.counts.batches.add(1);
        self.shared.counts.commands.add(range.len());
        let decided = std::mem::take(&mut *decided.lock().unwrap_or_else(PoisonError::into_inner));
        if decided.is_written {
            self.shared.writing.succeeded();
        }
        Ok(decided.answers)
    }

    fn decider(
        &self,
        acts: Arc<Vec<Act>>,
        range: Range<usize>,
        decided: Arc<std::sync::Mutex<Decided>>,
    ) -> Decide {
        let (secret, threshold_s) =
            (self.shared.secret.clone(), self.shared.settings.stuck_threshold_s);
        Box::new(move |loaded| {
            loaded.corrupt.iter().for_each(
                |bad| tracing::error!(num = bad.num, why = %bad.why, "a row cannot exist"),
            );
            let mut book = Book::open_at(loaded, secret.clone(), threshold_s);
            let answers = acts[range.clone()].iter().map(|act| act.decide(&mut book)).collect();
            let append = book.close();
            *decided.lock().unwrap_or_else(PoisonError::into_inner) =
                Decided { answers, is_written: !append.is_empty() };
            append
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
            Self::Claim(claim) => Ok(Done::Taken(claim.decide(book))),
            Self::Sweep(step) => step.decide(book).map(Done::Swept),
            Self::Tend(tend) => tend.decide(book).map(Done::Tended),
            Self::Prune(prune) => prune.decide(book).map(Done::Pruned),
            Self::Trial => {
                book.write_in_any_case();
                Ok(Done::Tried)
            }
        }
    }
}

fn questions(acts: &[Act]) -> Questions {
    let mut questions = Questions::default();
    for act in acts {
        match act {
            Act::Command(command, _) => command.ask(&mut questions),
            Act::Claim(claim) => claim.ask(&mut questions),
            Act::Sweep(step) => step.ask(&mut questions),
            Act::Tend(tend) => tend.ask(&mut questions),
            Act::Prune(prune) => prune.ask(&mut questions),
            Act::Trial => {}
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
