//! Runs the statements of the beats, and moves the mark.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::{mpsc, oneshot};

use crate::delegation::listening::{Gap, GapCause, STEP_MS_MAX};
use crate::error::{Error, Failure};
use crate::ledger::{Shared, told};
use crate::store::{BeatRow, Heard, Mark, Store};
use crate::time::{Reading, Time};

use super::on_the_way::OnTheWay;
use super::queue::{BeatsIn, Fate, Item};

/// Most beats in one transaction, unless one request alone brings more.
const BATCH_BEATS_MAX: usize = 5000;
/// How often the mark is written down where nobody asks for it, in milliseconds.
const MARK_MS: i64 = 1000;

/// Runs the statements of the beats, one transaction at a time.
pub(crate) struct BeatDesk<S> {
    shared: Arc<Shared<S>>,
    items: mpsc::Receiver<Item>,
    /// The mark as it is written down.
    marked: Option<Time>,
    /// The clocks when the mark was written last; `None` before the first time.
    last: Option<Reading>,
    /// Since then a beat was turned away, or failed: what the mark steps over was not heard, however short it is.
    lost: bool,
}

/// One round of the desk.
pub(super) struct Round {
    rows: Vec<BeatRow>,
    replies: Vec<(usize, oneshot::Sender<Vec<Fate>>)>,
    listeners: Vec<oneshot::Sender<Result<(), Error>>>,
}

impl<S: Store> BeatDesk<S> {
    pub(crate) fn new(shared: Arc<Shared<S>>, items: BeatsIn, marked: Option<Time>) -> Self {
        Self { shared, items: items.0, marked, last: None, lost: false }
    }

    pub(crate) async fn run(mut self) {
        while let Some(first) = self.items.recv().await {
            // Read before the queue is emptied: what arrived before this moment is in this round.
            let reading = self.shared.store.reading().await;
            let (round, emptied) = self.round(first);
            match reading {
                Ok(reading) => self.serve(round, reading, emptied).await,
                Err(failure) => {
                    self.lost |= !round.replies.is_empty();
                    round.fail(&failure);
                }
            }
        }
    }

    pub(super) fn round(&mut self, first: Item) -> (Round, bool) {
        let mut round = Round { rows: vec![], replies: vec![], listeners: vec![] };
        round.take(first);
        while round.rows.len() < BATCH_BEATS_MAX {
            match self.items.try_recv() {
                Ok(item) => round.take(item),
                Err(_) => return (round, true),
            }
        }
        (round, self.items.is_empty())
    }

    pub(super) async fn serve(&mut self, mut round: Round, reading: Reading, emptied: bool) {
        self.shared.beats.on_the_way.new_round(reading.now);
        // Where one was lost just now, another may be on its way out still: the mark waits for the next round.
        let lost_now = self.shared.beats.lost.swap(false, Ordering::Relaxed);
        self.lost |= lost_now;
        let mark = (emptied && !lost_now).then(|| self.mark(&round, reading)).flatten();
        let rows = std::mem::take(&mut round.rows);
        match self.shared.store.beat(rows, mark).await {
            Ok(heard) => {
                self.marked = mark.map_or(self.marked, |mark| Some(mark.heard_until));
                self.last = mark.map_or(self.last, |_| Some(reading));
                self.lost &= mark.is_none();
                let counts = &self.shared.counts;
                counts.beats.add(heard.iter().flatten().count());
                counts.gaps.add(usize::from(mark.is_some_and(|mark| mark.gap.is_some())));
                round.answer(heard, &self.shared.beats.on_the_way, reading.now);
            }
            Err(failure) => {
                self.shared.counts.store_failures.add(1);
                self.shared.writing.failed(&failure);
                self.lost |= !round.replies.is_empty();
                round.fail(&failure);
            }
        }
    }

    /// Where the mark goes now, if it is time to write it down.
    pub(super) fn mark(&self, round: &Round, reading: Reading) -> Option<Mark> {
        let on_the_way = self.shared.beats.on_the_way.oldest();
        let heard_until = on_the_way.map_or(reading.now, |oldest| oldest.min(reading.now));
        let Some(marked) = self.marked else { return Some(Mark::new(heard_until, None)) };
        let step_ms = heard_until.since_ms(marked);
        if step_ms < MARK_MS && round.listeners.is_empty() {
            return None;
        }
        let gap = |cause| Gap { from: marked, to: heard_until, cause };
        let cause = self.cause(reading);
        let deaf = step_ms > STEP_MS_MAX || (self.lost && step_ms > 0);
        Some(Mark::new(heard_until.max(marked), deaf.then(|| gap(cause))))
    }

    /// Why the mark stood still. A step of the clock is said loudly, also where it left no gap.
    pub(super) fn cause(&self, reading: Reading) -> GapCause {
        let Some(last) = self.last else { return GapCause::Restart };
        let stepped_ms = (reading.wall_ms - last.wall_ms) - (reading.boot_ms - last.boot_ms);
        if stepped_ms.abs() <= STEP_MS_MAX {
            return GapCause::Pause;
        }
        tracing::warn!(
            stepped_ms,
            "THE CLOCK STEPPED; silence is not counted over the step, deadlines are"
        );
        GapCause::Clock
    }
}

impl Round {
    pub(super) fn take(&mut self, item: Item) {
        match item {
            Item::Beats(rows, reply) => {
                self.replies.push((rows.len(), reply));
                self.rows.extend(rows);
            }
            Item::Listen(reply) => self.listeners.push(reply),
        }
    }

    pub(super) fn answer(self, heard: Vec<Option<Heard>>, on_the_way: &Arc<OnTheWay>, now: Time) {
        let fate = |heard: Option<Heard>| heard.map(Ok).ok_or_else(|| on_the_way.enter(now));
        let mut fates = heard.into_iter().map(fate);
        for (count, reply) in self.replies {
            drop(reply.send(fates.by_ref().take(count).collect()));
        }
        self.listeners.into_iter().for_each(|reply| drop(reply.send(Ok(()))));
    }

    pub(super) fn fail(self, failure: &Failure) {
        let heartbeats = self.rows.len();
        tracing::error!(%failure, heartbeats, "what was heard could not be recorded");
        for (count, reply) in self.replies {
            drop(reply.send((0..count).map(|_| Ok(Err(told(failure)))).collect()));
        }
        self.listeners.into_iter().for_each(|reply| drop(reply.send(Err(told(failure)))));
    }
}
