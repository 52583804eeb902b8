//! Heartbeats: a thousand answered by one statement, and the mark that says up to when all were heard.
//!
//! A beat that matches its watch row is answered here. Every other one takes the ordinary door.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{mpsc, oneshot};

use crate::command::{Command, Heartbeat, Pulse};
use crate::delegation::listening::{Gap, GapCause, STEP_MS_MAX};
use crate::delegation::status::Status;
use crate::error::{Error, Failure};
use crate::ledger::{Ledger, Shared, told};
use crate::store::{BeatRow, Heard, Mark, Store};
use crate::time::{Reading, Time};

/// Most beats in one transaction, unless one request alone brings more.
const BATCH_BEATS_MAX: usize = 5000;
/// Requests with beats that may wait before further ones are turned away.
const WAITING_MAX: usize = 10_000;
/// How often the mark is written down where nobody asks for it, in milliseconds.
const MARK_MS: i64 = 1000;

impl<S: Store> Ledger<S> {
    /// Records heartbeats, each with its own answer.
    pub async fn heartbeats(&self, beats: Vec<Heartbeat>) -> Vec<Result<Pulse, Error>> {
        let shared = self.shared();
        let rows: Vec<Option<BeatRow>> = beats.iter().map(|beat| shared.quick(beat)).collect();
        let quick: Vec<BeatRow> = rows.iter().flatten().cloned().collect();
        let mut heard = shared.beats.ask(quick).await.into_iter();
        let mut answers = Vec::with_capacity(beats.len());
        let mut ordinary = vec![];
        for (beat, row) in beats.into_iter().zip(rows) {
            let missed = match row.and_then(|_| heard.next()) {
                Some(Ok(heard)) => {
                    answers.push(Some(heard.map(Pulse::from)));
                    continue;
                }
                Some(Err(ticket)) => ticket,
                None => shared.beats.on_the_way.enter_late(),
            };
            answers.push(None);
            ordinary.push((beat, missed));
        }
        let (beats, tickets): (Vec<_>, Vec<_>) = ordinary.into_iter().unzip();
        let outcomes = self.act_all(beats.into_iter().map(Command::Heartbeat).collect()).await;
        shared.beats.note_losses(&outcomes);
        drop(tickets);
        let mut pulses = outcomes.into_iter().map(|outcome| outcome.map(Pulse::from));
        answers
            .into_iter()
            .map(|answer| answer.or_else(|| pulses.next()).unwrap_or(Err(Error::Internal)))
            .collect()
    }

    /// Moves the mark to now, if every beat that arrived before was committed. Call it every second.
    pub async fn listen(&self) -> Result<(), Error> {
        let (reply, answer) = oneshot::channel();
        self.shared().beats.send(Item::Listen(reply)).map_err(|_| Error::Unavailable)?;
        answer.await.unwrap_or(Err(Error::Unavailable))
    }
}

impl<S: Store> Shared<S> {
    /// The beat as a matching watch row could answer it; `None` where it needs the ordinary door.
    fn quick(&self, beat: &Heartbeat) -> Option<BeatRow> {
        if beat.waiting.is_some() || beat.override_reason.is_some() {
            return None;
        }
        let epoch = match &beat.lease {
            None => 0,
            Some(lease) => self.secret.open(&beat.id, lease)?,
        };
        Some(BeatRow::new(beat.id.clone(), epoch, beat.progress.clone()))
    }
}

impl From<Heard> for Pulse {
    fn from(heard: Heard) -> Self {
        Self {
            current_status: Status::InProgress,
            attempt: heard.attempt,
            deadline: heard.deadline,
            why: None,
        }
    }
}

/// A beat's fate: heard or failed by its watch row, or on its way to the ordinary door.
type Fate = Result<Result<Heard, Error>, Ticket>;

enum Item {
    Beats(Vec<BeatRow>, oneshot::Sender<Vec<Fate>>),
    Listen(oneshot::Sender<Result<(), Error>>),
}

/// Where beats wait for their statement.
pub(crate) struct BeatQueue {
    items: mpsc::Sender<Item>,
    on_the_way: Arc<OnTheWay>,
    /// A beat was turned away or failed since the mark moved last.
    lost: AtomicBool,
}

impl BeatQueue {
    pub(crate) fn new() -> (Self, BeatsIn) {
        let (items, items_in) = mpsc::channel(WAITING_MAX);
        let queue = Self { items, on_the_way: Arc::default(), lost: AtomicBool::new(false) };
        (queue, BeatsIn(items_in))
    }

    fn send(&self, item: Item) -> Result<(), Item> {
        self.items.try_send(item).map_err(|refused| {
            self.lost.store(true, Ordering::Relaxed);
            match refused {
                mpsc::error::TrySendError::Full(item) | mpsc::error::TrySendError::Closed(item) => {
                    item
                }
            }
        })
    }

    async fn ask(&self, rows: Vec<BeatRow>) -> Vec<Fate> {
        let count = rows.len();
        if count == 0 {
            return vec![];
        }
        let turned_away = || (0..count).map(|_| Ok(Err(Error::Unavailable))).collect();
        let (reply, answer) = oneshot::channel();
        if self.send(Item::Beats(rows, reply)).is_err() {
            return turned_away();
        }
        answer.await.unwrap_or_else(|_| turned_away())
    }

    /// A beat that failed at the ordinary door was not heard, so the mark must not move over it.
    fn note_losses<T>(&self, outcomes: &[Result<T, Error>]) {
        let lost = |outcome: &Result<T, Error>| {
            matches!(outcome, Err(Error::Unavailable | Error::Contended))
        };
        if outcomes.iter().any(lost) {
            self.lost.store(true, Ordering::Relaxed);
        }
    }
}

/// The receiving end of a [`BeatQueue`].
pub(crate) struct BeatsIn(mpsc::Receiver<Item>);

/// Runs the statements of the beats, one transaction at a time.
pub(crate) struct BeatDesk<S> {
    shared: Arc<Shared<S>>,
    items: mpsc::Receiver<Item>,
    /// The mark as it is written down.
    marked: Option<Time>,
    /// The clocks when the mark was written last; `None` before the first time.
    last: Option<Reading>,
}

/// One round of the desk.
struct Round {
    rows: Vec<BeatRow>,
    replies: Vec<(usize, oneshot::Sender<Vec<Fate>>)>,
    listeners: Vec<oneshot::Sender<Result<(), Error>>>,
}

impl<S: Store> BeatDesk<S> {
    pub(crate) fn new(shared: Arc<Shared<S>>, items: BeatsIn, marked: Option<Time>) -> Self {
        Self { shared, items: items.0, marked, last: None }
    }

    pub(crate) async fn run(mut self) {
        while let Some(first) = self.items.recv().await {
            // Read before the queue is emptied: what arrived before this moment is in this round.
            let reading = self.shared.store.reading().await;
            let (round, emptied) = self.round(first);
            match reading {
                Ok(reading) => self.serve(round, reading, emptied).await,
                Err(failure) => round.fail(&failure),
            }
        }
    }

    fn round(&mut self, first: Item) -> (Round, bool) {
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

    async fn serve(&mut self, mut round: Round, reading: Reading, emptied: bool) {
        self.shared.beats.on_the_way.lock().last_round = Some(reading.now);
        let lost = self.shared.beats.lost.swap(false, Ordering::Relaxed);
        let mark = (emptied && !lost).then(|| self.mark(&round, reading)).flatten();
        let rows = std::mem::take(&mut round.rows);
        match self.shared.store.beat(rows, mark).await {
            Ok(heard) => {
                self.marked = mark.map_or(self.marked, |mark| Some(mark.heard_until));
                self.last = mark.map_or(self.last, |_| Some(reading));
                round.answer(heard, &self.shared.beats.on_the_way, reading.now);
            }
            Err(failure) => round.fail(&failure),
        }
    }

    /// Where the mark goes now, if it is time to write it down.
    fn mark(&self, round: &Round, reading: Reading) -> Option<Mark> {
        let on_the_way = self.shared.beats.on_the_way.oldest();
        let heard_until = on_the_way.map_or(reading.now, |oldest| oldest.min(reading.now));
        let Some(marked) = self.marked else { return Some(Mark::new(heard_until, None)) };
        let step_ms = heard_until.since_ms(marked);
        if step_ms < MARK_MS && round.listeners.is_empty() {
            return None;
        }
        let gap = |cause| Gap { from: marked, to: heard_until, cause };
        let cause = self.cause(reading);
        Some(Mark::new(heard_until.max(marked), (step_ms > STEP_MS_MAX).then(|| gap(cause))))
    }

    /// Why the mark stood still. A step of the clock is said loudly, also where it left no gap.
    fn cause(&self, reading: Reading) -> GapCause {
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
    fn take(&mut self, item: Item) {
        match item {
            Item::Beats(rows, reply) => {
                self.replies.push((rows.len(), reply));
                self.rows.extend(rows);
            }
            Item::Listen(reply) => self.listeners.push(reply),
        }
    }

    fn answer(self, heard: Vec<Option<Heard>>, on_the_way: &Arc<OnTheWay>, now: Time) {
        let fate = |heard: Option<Heard>| heard.map(Ok).ok_or_else(|| on_the_way.enter(now));
        let mut fates = heard.into_iter().map(fate);
        for (count, reply) in self.replies {
            drop(reply.send(fates.by_ref().take(count).collect()));
        }
        self.listeners.into_iter().for_each(|reply| drop(reply.send(Ok(()))));
    }

    fn fail(self, failure: &Failure) {
        tracing::error!(%failure, "heartbeats could not be recorded");
        for (count, reply) in self.replies {
            drop(reply.send((0..count).map(|_| Ok(Err(told(failure)))).collect()));
        }
        self.listeners.into_iter().for_each(|reply| drop(reply.send(Err(told(failure)))));
    }
}

/// Beats between their watch row and the ordinary door: the mark must not overtake them.
#[derive(Default)]
pub(crate) struct OnTheWay(Mutex<Travellers>);

#[derive(Default)]
struct Travellers {
    next: u64,
    last_round: Option<Time>,
    since: BTreeMap<u64, Time>,
}

/// One beat on its way; dropped when the beat has its answer.
pub(crate) struct Ticket {
    on_the_way: Arc<OnTheWay>,
    number: u64,
}

impl OnTheWay {
    fn lock(&self) -> MutexGuard<'_, Travellers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(self: &Arc<Self>, now: Time) -> Ticket {
        let mut travellers = self.lock();
        let number = travellers.next;
        travellers.next += 1;
        travellers.since.insert(number, now);
        Ticket { on_the_way: Arc::clone(self), number }
    }

    /// For a beat that goes straight to the door: it arrived no earlier than the last round.
    fn enter_late(self: &Arc<Self>) -> Ticket {
        let now = self.lock().last_round.unwrap_or_default();
        self.enter(now)
    }

    fn oldest(&self) -> Option<Time> {
        self.lock().since.first_key_value().map(|(_, since)| *since)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.on_the_way.lock().since.remove(&self.number);
    }
}
