//! One pass, in its order: deadlines first, whatever else fails; then what ended, and what may be silent.

use std::future::ready;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use consign_ledger::command::{Sweep, Swept};
use consign_ledger::delegation::watch::RowNum;
use consign_ledger::query::{Due, Lane};
use consign_ledger::{Error, Failure, Ledger, Reader, SWEEP_BATCH_MAX, Store, Time};
use futures_util::{Stream, StreamExt as _, TryStreamExt as _};

use crate::Shared;
use crate::brake::Brake;
use crate::memory::Memory;
use crate::report::Tally;
use crate::rest::{Left, Rest};
use crate::walk::Walk;

/// Transactions that may fail in a row before a step of the pass gives up.
const FAILED_IN_A_ROW_MAX: usize = 3;
/// Batches of a pass that are on their way at once: the next one waits at the store while one is written.
const BATCHES_AT_ONCE: usize = 2;
/// A long pass walks the deadlines again after so many milliseconds.
const DEADLINES_EVERY_MS: i64 = 500;

/// Why a step of a pass ended before its end. What is still due waits for the next pass.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    /// The store could not be asked.
    #[error(transparent)]
    Store(#[from] Failure),
    /// The ledger could not do what it was asked.
    #[error(transparent)]
    Door(#[from] Error),
    /// The ledger could not write, again and again.
    #[error("{FAILED_IN_A_ROW_MAX} transactions in a row failed")]
    GaveUp,
}

/// A pass on its way.
pub(crate) struct Pass<S> {
    shared: Arc<Shared<S>>,
    tally: Arc<Mutex<Tally>>,
    pub(crate) now: Time,
    pub(crate) brake: Brake,
    deadlines_at: Time,
    failed_in_a_row: usize,
    /// What an earlier pass left, and this one goes round.
    resting: Option<Rest>,
    left: Left,
}

impl<S: Store> Pass<S> {
    /// Does all that is due. What it did can be read in `tally`, also where it does not come to its end.
    pub(crate) async fn run(shared: Arc<Shared<S>>, tally: Arc<Mutex<Tally>>) {
        let reading = shared.ledger.reader().reading().await;
        let now = reading.as_ref().map_or(shared.memory().now, |reading| reading.now);
        lock(&tally).report.started_at = now;
        let brake = if shared.settings.brake { Brake::NotAsked } else { Brake::Settled };
        let resting = shared.memory().rest.filter(|rest| rest.holds(now));
        let (deadlines_at, failed_in_a_row, left) = (now, 0, Left::Nothing);
        let mut pass =
            Self { shared, tally, now, brake, deadlines_at, failed_in_a_row, resting, left };
        match reading {
            Ok(_) => pass.sweep().await,
            Err(failure) => pass.say("the clock", Err(failure.into())),
        }
    }

    async fn sweep(&mut self) {
        self.memory().now = self.now;
        let deadlines = self.deadlines(self.now).await;
        self.say("the deadlines", deadlines);
        let listened = self.ledger().listen().await;
        self.say("the mark of what was heard", listened.map_err(Broken::from));
        let cascades = self.cascades().await;
        self.say("the children of what ended", cascades);
        // Before the checks, so that what these put off is not met twice.
        let brought_forward = self.bring_forward().await;
        self.say("the lowered threshold", brought_forward);
        let checks = self.checks().await;
        self.say("the checks", checks);
        self.finish().await;
    }

    async fn deadlines(&mut self, now: Time) -> Result<(), Broken> {
        self.deadlines_at = now;
        let (shared, began) = (Arc::clone(&self.shared), self.now);
        // Each page lies behind the one before it, whatever becomes of that one, so it is read meanwhile.
        let walk = Walk::new(Lane::Deadline, now, self.behind()).by(SWEEP_BATCH_MAX);
        let nums = |page: Vec<Due>| {
            let nums = page.iter().map(|due| due.watch.num);
            nums.filter(|num| !shared.memory().rows.skips(*num, began)).collect()
        };
        let batches = walk.pages(shared.ledger.reader()).map_ok(nums);
        self.examine(batches).await
    }

    /// However long the other lanes are, deadlines are looked after in between.
    pub(crate) async fn deadlines_meanwhile(&mut self) {
        let Ok(reading) = self.ledger().reader().reading().await else { return };
        if reading.now.since_ms(self.deadlines_at) >= DEADLINES_EVERY_MS {
            let deadlines = self.deadlines(reading.now).await;
            self.say("the deadlines", deadlines);
        }
    }

    /// Examines rows whole, a transaction for each batch that is not empty. Each row has its own outcome.
    pub(crate) async fn examine(
        &mut self,
        batches: impl Stream<Item = Result<Vec<RowNum>, Failure>>,
    ) -> Result<(), Broken> {
        let ledger = self.ledger().clone();
        let examine = async |nums: Vec<RowNum>| {
            let steps = nums.iter().copied().map(Sweep::Examine).collect();
            let answers = ledger.sweep(steps).await;
            (nums, answers)
        };
        let gave_up = AtomicBool::new(false);
        let examined = batches
            .take_while(|_| ready(!gave_up.load(Ordering::Relaxed)))
            .try_filter(|nums| ready(!nums.is_empty()))
            .map(async |batch| Ok::<_, Failure>(examine(batch?).await))
            .buffered(BATCHES_AT_ONCE);
        let mut examined = pin!(examined);
        let mut outcome = Ok(());
        // What is on its way when the walk breaks, or the pass gives up, is still counted.
        while let Some(batch) = examined.next().await {
            let (nums, answers) = batch?;
            outcome = outcome.and(self.count_failed_transaction(&answers));
            gave_up.store(outcome.is_err(), Ordering::Relaxed);
            for (num, answer) in nums.into_iter().zip(answers) {
                self.tally().report.examined += u64::from(answer.is_ok());
                self.note(num, answer);
            }
        }
        outcome
    }

    fn note(&mut self, num: RowNum, answer: Result<Swept, Error>) {
        match answer {
            // Nothing to do where something was due: if it is met again all the same, not at once.
            Ok(Swept::Spared) => self.left = self.left.max(Left::ToOthers),
            Ok(swept) => {
                self.tally().note(swept);
                self.memory().rows.forget(num);
            }
            Err(error) if self.count_error(&error) => {
                tracing::warn!(num, %error, "a delegation could not be examined; it is put off");
                self.put_off(num);
            }
            Err(_) => {}
        }
    }

    fn put_off(&mut self, num: RowNum) {
        let full = self.memory().rows.put_off(num, self.now).is_err();
        if full {
            self.left = Left::Failing;
        }
    }

    /// Counts an error. Whether it is its row's own, so that the row is better put off.
    pub(crate) fn count_error(&mut self, error: &Error) -> bool {
        let ours = matches!(error, Error::Unavailable | Error::Contended);
        let mut tally = self.tally();
        tally.report.errors += 1;
        tally.troubled |= ours;
        !ours
    }

    /// Gives up where nothing can be written, so that a pass over a full disk comes to its end.
    pub(crate) fn count_failed_transaction(
        &mut self,
        answers: &[Result<Swept, Error>],
    ) -> Result<(), Broken> {
        let failed = answers.iter().all(|answer| matches!(answer, Err(Error::Unavailable)));
        self.failed_in_a_row = if failed { self.failed_in_a_row + 1 } else { 0 };
        if self.failed_in_a_row < FAILED_IN_A_ROW_MAX { Ok(()) } else { Err(Broken::GaveUp) }
    }

    /// Says and counts a step that broke. The others go on.
    pub(crate) fn say(&mut self, step: &str, outcome: Result<(), Broken>) {
        if let Err(broken) = outcome {
            tracing::error!(%broken, step, "a step of the pass failed; what is due waits for the next pass");
            let mut tally = self.tally();
            tally.report.errors += 1;
            tally.troubled = true;
        }
    }

    async fn finish(&mut self) {
        let ended = self.ledger().reader().reading().await;
        let now = self.now;
        let mut tally = self.tally();
        let ended = ended.map_or(now, |ended| ended.now);
        tally.report.duration_ms = ended.since_ms(now).unsigned_abs();
        if tally.troubled {
            return;
        }
        drop(tally);
        let mut memory = self.memory();
        memory.cascades.settle(now);
        // Who went round something met not everything that was due.
        if self.resting.is_none() {
            memory.rows.settle(now);
        }
        memory.rest = Rest::after(memory.rest, self.left, now, ended);
    }

    /// Where its walks begin.
    pub(crate) fn behind(&self) -> Option<(Time, RowNum)> {
        self.resting.map(|rest| rest.behind())
    }

    pub(crate) fn skips(&self, num: RowNum) -> bool {
        self.memory().rows.skips(num, self.now)
    }

    pub(crate) fn ledger(&self) -> &Ledger<S> {
        &self.shared.ledger
    }

    pub(crate) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.shared.memory()
    }

    pub(crate) fn tally(&self) -> MutexGuard<'_, Tally> {
        lock(&self.tally)
    }
}

/// What is counted stays true, also where a pass died in the middle of it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
