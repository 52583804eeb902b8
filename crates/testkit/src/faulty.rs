//! A store that fails when it is told to, and counts what it is asked.
//!
//! It passes everything else on to the real one. Clones share the store but not the faults, so that two
//! ledgers over two clones are two writers on one database.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use consign_ledger::delegation::Delegation;
use consign_ledger::delegation::lease::Secret;
use consign_ledger::delegation::listening::{Fleet, Listening};
use consign_ledger::delegation::watch::{RowNum, Watch};
use consign_ledger::query::{
    AgentHealth, AgentPage, AgentsQuery, Due, Ended, Entry, EventPage, EventQuery, Filter, Inbox,
    InboxQuery, Lane, Late, Measure, Page, PrunePage, PruneQuery, Stats, SweepReport,
};
use consign_ledger::{
    AgentId, BatchId, BeatRow, Bodies, Cascade, Decide, DelegationId, Failure, Heard, Mark,
    Questions, Reader, Reading, Rearm, Seq, Source, Store, Time,
};
use tokio::sync::{Semaphore, watch};

/// How a transaction fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Before anything was written.
    Lost,
    /// In COMMIT, which was executed; the answer got lost.
    CommittedUnknown,
    /// In COMMIT, which was not executed; the answer got lost.
    LostUnknown,
    /// Others kept inserting first.
    Contended,
}

/// The wrapper.
pub struct Faulty<S> {
    store: Arc<S>,
    faults: Faults,
}

/// What shall go wrong next. A clone steers the same store.
#[derive(Clone, Default)]
pub struct Faults(Arc<Plan>);

struct Plan {
    batches: Mutex<Vec<Fault>>,
    beats: Mutex<Vec<Fault>>,
    rejected: Mutex<HashSet<DelegationId>>,
    pauses_ms: Mutex<Vec<u64>>,
    begun: watch::Sender<u64>,
    written: AtomicU64,
    gate: Semaphore,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            batches: Mutex::default(),
            beats: Mutex::default(),
            rejected: Mutex::default(),
            pauses_ms: Mutex::default(),
            begun: watch::Sender::new(0),
            written: AtomicU64::new(0),
            gate: Semaphore::new(1),
        }
    }
}

impl Faults {
    /// The next batches fail so, in this order; then they succeed again.
    pub fn fail_batches(&self, faults: impl IntoIterator<Item = Fault>) {
        lock(&self.0.batches).extend(faults);
    }

    /// How many faults are still to come.
    #[must_use]
    pub fn pending(&self) -> usize {
        lock(&self.0.batches).len()
    }

    /// How long each pause before another run of a batch was to be, in milliseconds.
    #[must_use]
    pub fn pauses_ms(&self) -> Vec<u64> {
        lock(&self.0.pauses_ms).clone()
    }

    /// The next transactions of heartbeats fail so.
    pub fn fail_beats(&self, faults: impl IntoIterator<Item = Fault>) {
        lock(&self.0.beats).extend(faults);
    }

    /// Every batch that asks for this delegation is rejected, as a constraint would.
    pub fn reject(&self, id: DelegationId) {
        lock(&self.0.rejected).insert(id);
    }

    /// Batches wait at a closed gate, after they were formed, until the guard is dropped.
    pub async fn close_gate(&self) -> impl Drop + use<'_> {
        self.0.gate.acquire().await.expect("the gate is never torn down")
    }

    /// How many batches were formed, the failing ones among them.
    #[must_use]
    pub fn begun(&self) -> u64 {
        *self.0.begun.borrow()
    }

    /// Waits until so many batches were formed.
    pub async fn until_begun(&self, batches: u64) {
        let mut begun = self.0.begun.subscribe();
        begun.wait_for(|begun| *begun >= batches).await.expect("its sender is in here");
    }

    /// How many batches, transactions of beats, re-armings and reports reached the real store.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.0.written.load(SeqCst)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn next(faults: &Mutex<Vec<Fault>>) -> Option<Fault> {
    let mut faults = lock(faults);
    (!faults.is_empty()).then(|| faults.remove(0))
}

fn because(why: &str) -> Source {
    why.to_owned().into()
}

impl<S: Store> Faulty<S> {
    /// A store that does not fail yet.
    #[must_use]
    pub fn new(store: S) -> Self {
        Self { store: Arc::new(store), faults: Faults::default() }
    }

    /// What steers it.
    #[must_use]
    pub fn faults(&self) -> Faults {
        self.faults.clone()
    }

    /// Another way to the same store, with faults of its own.
    #[must_use]
    pub fn beside(&self) -> Self {
        Self { store: Arc::clone(&self.store), faults: Faults::default() }
    }

    /// The same way to the same store.
    #[must_use]
    pub fn same(&self) -> Self {
        Self { store: Arc::clone(&self.store), faults: self.faults.clone() }
    }

    fn note_write(&self) {
        self.faults.0.written.fetch_add(1, SeqCst);
    }

    fn rejects(&self, questions: &Questions) -> bool {
        let rejected = lock(&self.faults.0.rejected);
        questions.ids.iter().any(|id| rejected.contains(id))
    }
}

impl<S: Store> Store for Faulty<S> {
    async fn secret(&self) -> Result<Secret, Failure> {
        self.store.secret().await
    }

    async fn transact(
        &self,
        batch: BatchId,
        questions: Questions,
        decide: Decide,
    ) -> Result<(), Failure> {
        self.faults.0.begun.send_modify(|begun| *begun += 1);
        let open = self.faults.0.gate.acquire().await;
        drop(open.expect("the gate is never torn down"));
        if self.rejects(&questions) {
            return Err(Failure::Rejected(because("one of the rows breaks a constraint")));
        }
        match next(&self.faults.0.batches) {
            None => {
                self.note_write();
                self.store.transact(batch, questions, decide).await
            }
            Some(Fault::Lost) => Err(Failure::Unavailable(because("no connection"))),
            Some(Fault::LostUnknown) => Err(Failure::Unknown(because("cut before COMMIT"))),
            Some(Fault::Contended) => Err(Failure::Contended),
            Some(Fault::CommittedUnknown) => {
                self.note_write();
                self.store.transact(batch, questions, decide).await?;
                Err(Failure::Unknown(because("cut after COMMIT")))
            }
        }
    }

    async fn beat(
        &self,
        beats: Vec<BeatRow>,
        mark: Option<Mark>,
    ) -> Result<Vec<Option<Heard>>, Failure> {
        match next(&self.faults.0.beats) {
            None => {
                self.note_write();
                self.store.beat(beats, mark).await
            }
            Some(Fault::CommittedUnknown) => {
                self.note_write();
                self.store.beat(beats, mark).await?;
                Err(Failure::Unknown(because("cut after COMMIT")))
            }
            Some(Fault::LostUnknown) => Err(Failure::Unknown(because("cut before COMMIT"))),
            Some(Fault::Lost) => Err(Failure::Unavailable(because("no connection"))),
            Some(Fault::Contended) => Err(Failure::Contended),
        }
    }

    async fn rearm(&self, rearms: Vec<Rearm>) -> Result<u64, Failure> {
        self.note_write();
        self.store.rearm(rearms).await
    }

    async fn keep_report(&self, report: SweepReport) -> Result<(), Failure> {
        self.note_write();
        self.store.keep_report(report).await
    }

    /// Nobody waits: the faults are over when they are over.
    async fn pause(&self, ms: u64) {
        lock(&self.faults.0.pauses_ms).push(ms);
    }

    async fn tidy(&self, now: Time) -> Result<(), Failure> {
        self.note_write();
        self.store.tidy(now).await
    }

    async fn rung(&self) {
        self.store.rung().await;
    }

    async fn leave(&self) -> Result<(), Failure> {
        self.store.leave().await
    }
}

impl<S: Store> Reader for Faulty<S> {
    async fn reading(&self) -> Result<Reading, Failure> {
        self.store.reading().await
    }

    async fn find(&self, id: &DelegationId) -> Result<Option<(Delegation, Bodies)>, Failure> {
        self.store.find(id).await
    }

    async fn delegations(&self, nums: Vec<RowNum>) -> Result<Vec<Delegation>, Failure> {
        self.store.delegations(nums).await
    }

    async fn list(&self, filter: Filter) -> Result<Page<Entry>, Failure> {
        self.store.list(filter).await
    }

    async fn events(&self, query: EventQuery) -> Result<EventPage, Failure> {
        self.store.events(query).await
    }

    async fn newest_seq(&self) -> Result<Seq, Failure> {
        self.store.newest_seq().await
    }

    async fn late_results(&self, id: &DelegationId) -> Result<Vec<Late>, Failure> {
        self.store.late_results(id).await
    }

    async fn inbox(&self, query: InboxQuery) -> Result<Inbox, Failure> {
        self.store.inbox(query).await
    }

    async fn agents(&self, query: AgentsQuery) -> Result<AgentPage, Failure> {
        self.store.agents(query).await
    }

    async fn agent(&self, id: &AgentId) -> Result<Option<(AgentHealth, Vec<Ended>)>, Failure> {
        self.store.agent(id).await
    }

    async fn stats(&self) -> Result<Stats, Failure> {
        self.store.stats().await
    }

    async fn due(
        &self,
        lane: Lane,
        now: Time,
        after: Option<(Time, RowNum)>,
        limit: usize,
    ) -> Result<Vec<Due>, Failure> {
        self.store.due(lane, now, after, limit).await
    }

    async fn earliest_due(&self) -> Result<Option<Time>, Failure> {
        self.store.earliest_due().await
    }

    async fn armed_beyond(
        &self,
        threshold_s: u32,
        after: RowNum,
        limit: usize,
    ) -> Result<Vec<Watch>, Failure> {
        self.store.armed_beyond(threshold_s, after, limit).await
    }

    async fn listening(&self, since: Time) -> Result<Listening, Failure> {
        self.store.listening(since).await
    }

    async fn fleet(&self, now: Time, threshold_s: u32) -> Result<Fleet, Failure> {
        self.store.fleet(now, threshold_s).await
    }

    async fn cascades(&self, limit: usize) -> Result<Vec<Cascade>, Failure> {
        self.store.cascades(limit).await
    }

    async fn children_in_flight(
        &self,
        cascade: &Cascade,
        limit: usize,
    ) -> Result<Vec<DelegationId>, Failure> {
        self.store.children_in_flight(cascade, limit).await
    }

    async fn prunable(&self, query: PruneQuery) -> Result<PrunePage, Failure> {
        self.store.prunable(query).await
    }

    async fn sweeps(&self, limit: usize) -> Result<Vec<SweepReport>, Failure> {
        self.store.sweeps(limit).await
    }

    async fn measures(&self) -> Result<Vec<Measure>, Failure> {
        self.store.measures().await
    }
}
