//! A store that a test can stop at any question: to let something happen first, to fail, to panic, to count.
//!
//! Where `Faulty` knows the ways in which a database fails, this one knows none: the hook decides.

use std::collections::HashSet;
use std::future::Future;
use std::pin::Pin;
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
    Questions, Reader, Reading, Rearm, Seq, Store, Time,
};

use crate::{Backend, HandClock};

/// Which question, and whether it is about to be asked or was just answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Before the store hears of it. A failure is the answer.
    Before(&'static str),
    /// After the store answered. A failure replaces the answer.
    After(&'static str),
}

/// What a hook comes to.
pub type Hooking = Pin<Box<dyn Future<Output = Result<(), Failure>> + Send>>;

type Hook = Arc<dyn Fn(Call) -> Hooking + Send + Sync>;

/// The hook of a store, hung up and taken down while it is used. A clone is the same one.
#[derive(Clone, Default)]
pub struct Hooks {
    hook: Arc<Mutex<Option<Hook>>>,
    held: Arc<Mutex<HashSet<RowNum>>>,
}

impl Hooks {
    /// From now on every call passes here.
    pub fn hang(&self, hook: impl Fn(Call) -> Hooking + Send + Sync + 'static) {
        *lock(&self.hook) = Some(Arc::new(hook));
    }

    /// From now on this is done before each question of this name. It may panic.
    pub fn before(
        &self,
        question: &'static str,
        hook: impl Fn() -> Result<(), Failure> + Send + Sync + 'static,
    ) {
        self.hang(move |call| {
            let outcome = if call == Call::Before(question) { hook() } else { Ok(()) };
            Box::pin(std::future::ready(outcome))
        });
    }

    /// Nothing is hooked any more.
    pub fn clear(&self) {
        *lock(&self.hook) = None;
    }

    /// From now on somebody else holds these rows, and a pass leaves them to it. No more than these.
    pub fn hold(&self, nums: impl IntoIterator<Item = RowNum>) {
        *lock(&self.held) = nums.into_iter().collect();
    }

    async fn pass(&self, call: Call) -> Result<(), Failure> {
        let hook = lock(&self.hook).clone();
        match hook {
            Some(hook) => hook(call).await,
            None => Ok(()),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The wrapper: as a store, and as the place where one lives.
pub struct Hooked<S> {
    inner: S,
    hooks: Hooks,
}

impl<S> Hooked<S> {
    /// Wraps it.
    #[must_use]
    pub fn new(inner: S, hooks: Hooks) -> Self {
        Self { inner, hooks }
    }

    /// Its hooks.
    #[must_use]
    pub fn hooks(&self) -> &Hooks {
        &self.hooks
    }

    async fn ask<T>(
        &self,
        question: &'static str,
        answer: impl Future<Output = Result<T, Failure>> + Send,
    ) -> Result<T, Failure> {
        self.hooks.pass(Call::Before(question)).await?;
        let answer = answer.await;
        self.hooks.pass(Call::After(question)).await?;
        answer
    }
}

impl<B: Backend> Backend for Hooked<B> {
    type Store = Hooked<B::Store>;

    async fn fresh(clock: HandClock) -> Self {
        Self::new(B::fresh(clock).await, Hooks::default())
    }

    async fn open(&self) -> Self::Store {
        Hooked::new(self.inner.open().await, self.hooks.clone())
    }

    async fn poison(&self, id: &DelegationId) {
        self.inner.poison(id).await;
    }

    async fn refuse(&self, id: &DelegationId) {
        self.inner.refuse(id).await;
    }
}

impl<S: Store> Store for Hooked<S> {
    async fn secret(&self) -> Result<Secret, Failure> {
        self.ask("secret", self.inner.secret()).await
    }

    async fn transact(
        &self,
        batch: BatchId,
        mut questions: Questions,
        decide: Decide,
    ) -> Result<(), Failure> {
        questions.nums.retain(|num| !lock(&self.hooks.held).contains(num));
        self.ask("transact", self.inner.transact(batch, questions, decide)).await
    }

    async fn beat(
        &self,
        beats: Vec<BeatRow>,
        mark: Option<Mark>,
    ) -> Result<Vec<Option<Heard>>, Failure> {
        self.ask("beat", self.inner.beat(beats, mark)).await
    }

    async fn rearm(&self, rearms: Vec<Rearm>) -> Result<u64, Failure> {
        self.ask("rearm", self.inner.rearm(rearms)).await
    }

    async fn keep_report(&self, report: SweepReport) -> Result<(), Failure> {
        self.ask("keep_report", self.inner.keep_report(report)).await
    }

    async fn pause(&self, ms: u64) {
        self.inner.pause(ms).await;
    }

    async fn tidy(&self, now: Time) -> Result<(), Failure> {
        self.ask("tidy", self.inner.tidy(now)).await
    }

    async fn rung(&self) {
        self.inner.rung().await;
    }

    async fn leave(&self) -> Result<(), Failure> {
        self.inner.leave().await
    }
}

impl<S: Store> Reader for Hooked<S> {
    async fn reading(&self) -> Result<Reading, Failure> {
        self.ask("reading", self.inner.reading()).await
    }

    async fn find(&self, id: &DelegationId) -> Result<Option<(Delegation, Bodies)>, Failure> {
        self.ask("find", self.inner.find(id)).await
    }

    async fn delegations(&self, nums: Vec<RowNum>) -> Result<Vec<Delegation>, Failure> {
        self.ask("delegations", self.inner.delegations(nums)).await
    }

    async fn list(&self, filter: Filter) -> Result<Page<Entry>, Failure> {
        self.ask("list", self.inner.list(filter)).await
    }

    async fn events(&self, query: EventQuery) -> Result<EventPage, Failure> {
        self.ask("events", self.inner.events(query)).await
    }

    async fn newest_seq(&self) -> Result<Seq, Failure> {
        self.ask("newest_seq", self.inner.newest_seq()).await
    }

    async fn late_results(&self, id: &DelegationId) -> Result<Vec<Late>, Failure> {
        self.ask("late_results", self.inner.late_results(id)).await
    }

    async fn inbox(&self, query: InboxQuery) -> Result<Inbox, Failure> {
        self.ask("inbox", self.inner.inbox(query)).await
    }

    async fn agents(&self, query: AgentsQuery) -> Result<AgentPage, Failure> {
        self.ask("agents", self.inner.agents(query)).await
    }

    async fn agent(&self, id: &AgentId) -> Result<Option<(AgentHealth, Vec<Ended>)>, Failure> {
        self.ask("agent", self.inner.agent(id)).await
    }

    async fn stats(&self) -> Result<Stats, Failure> {
        self.ask("stats", self.inner.stats()).await
    }

    async fn due(
        &self,
        lane: Lane,
        now: Time,
        after: Option<(Time, RowNum)>,
        limit: usize,
    ) -> Result<Vec<Due>, Failure> {
        let question = match lane {
            Lane::Deadline => "due deadlines",
            Lane::Check => "due checks",
        };
        self.ask(question, self.inner.due(lane, now, after, limit)).await
    }

    async fn earliest_due(&self) -> Result<Option<Time>, Failure> {
        self.ask("earliest_due", self.inner.earliest_due()).await
    }

    async fn armed_beyond(
        &self,
        threshold_s: u32,
        after: RowNum,
        limit: usize,
    ) -> Result<Vec<Watch>, Failure> {
        self.ask("armed_beyond", self.inner.armed_beyond(threshold_s, after, limit)).await
    }

    async fn listening(&self, since: Time) -> Result<Listening, Failure> {
        self.ask("listening", self.inner.listening(since)).await
    }

    async fn fleet(&self, now: Time, threshold_s: u32) -> Result<Fleet, Failure> {
        self.ask("fleet", self.inner.fleet(now, threshold_s)).await
    }

    async fn cascades(&self, limit: usize) -> Result<Vec<Cascade>, Failure> {
        self.ask("cascades", self.inner.cascades(limit)).await
    }

    async fn children_in_flight(
        &self,
        cascade: &Cascade,
        limit: usize,
    ) -> Result<Vec<DelegationId>, Failure> {
        self.ask("children_in_flight", self.inner.children_in_flight(cascade, limit)).await
    }

    async fn prunable(&self, query: PruneQuery) -> Result<PrunePage, Failure> {
        self.ask("prunable", self.inner.prunable(query)).await
    }

    async fn sweeps(&self, limit: usize) -> Result<Vec<SweepReport>, Failure> {
        self.ask("sweeps", self.inner.sweeps(limit)).await
    }

    async fn measures(&self) -> Result<Vec<Measure>, Failure> {
        self.ask("measures", self.inner.measures()).await
    }
}
