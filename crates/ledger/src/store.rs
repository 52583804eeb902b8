//! What the ledger asks of a database: [`Reader`] for anyone, [`Store`] for the ledger alone.
//!
//! Nobody else can write: a [`Store`] takes [`Append`]s, beats and re-armings, and these can be made
//! only in this crate.
//!
//! ```compile_fail
//! // A write around the ledger does not compile.
//! let append = consign_ledger::Append { rows: vec![] };
//! ```

use std::future::Future;
use std::sync::Arc;

use crate::delegation::Delegation;
use crate::delegation::change::{Change, Role};
use crate::delegation::lease::{Epoch, Secret};
use crate::delegation::listening::{Fleet, Gap, Listening};
use crate::delegation::status::Status;
use crate::delegation::watch::{RowNum, Watch};
use crate::error::{CorruptRow, Failure};
use crate::id::{AgentId, BatchId, DelegationId, IdempotencyKey};
use crate::payload::{Bodies, Json, Payload};
use crate::query::{
    Due, Entry, EventPage, EventQuery, Filter, Inbox, InboxQuery, Lane, Late, Page, Stats,
    SweepReport,
};
use crate::time::{Reading, Time};

/// A place in the one sequence of events, handed out in commit order, from 1.
pub type Seq = i64;

/// What anyone may ask of a database. Lists are pages: every `limit` is a bound that the asker sets.
pub trait Reader: Send + Sync + 'static {
    /// The clocks, now.
    fn reading(&self) -> impl Future<Output = Result<Reading, Failure>> + Send;

    /// One delegation with its bodies.
    fn find(
        &self,
        id: &DelegationId,
    ) -> impl Future<Output = Result<Option<(Delegation, Bodies)>, Failure>> + Send;

    /// Delegations by number, in the order asked for. What is gone, or cannot exist, is left out.
    fn delegations(
        &self,
        nums: Vec<RowNum>,
    ) -> impl Future<Output = Result<Vec<Delegation>, Failure>> + Send;

    /// Delegations, newest first.
    fn list(&self, filter: Filter) -> impl Future<Output = Result<Page<Entry>, Failure>> + Send;

    /// Events, in the order of their numbers.
    fn events(&self, query: EventQuery) -> impl Future<Output = Result<EventPage, Failure>> + Send;

    /// The number of the newest event; 0 where there is none.
    fn newest_seq(&self) -> impl Future<Output = Result<Seq, Failure>> + Send;

    /// The late results of one delegation, in the order of their arrival.
    fn late_results(
        &self,
        id: &DelegationId,
    ) -> impl Future<Output = Result<Vec<Late>, Failure>> + Send;

    /// An agent's messages.
    fn inbox(&self, query: InboxQuery) -> impl Future<Output = Result<Inbox, Failure>> + Send;

    /// How many delegations have each status.
    fn stats(&self) -> impl Future<Output = Result<Stats, Failure>> + Send;

    /// The watch rows whose moment in this lane is past `now`, by (moment, number), behind `after`.
    fn due(
        &self,
        lane: Lane,
        now: Time,
        after: Option<(Time, RowNum)>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Due>, Failure>> + Send;

    /// The earliest moment of both lanes.
    fn earliest_due(&self) -> impl Future<Output = Result<Option<Time>, Failure>> + Send;

    /// Watch rows that take the ledger's threshold and whose check lies behind `later_than`, by number.
    fn armed_later_than(
        &self,
        later_than: Time,
        after: RowNum,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Watch>, Failure>> + Send;

    /// When the ledger listened: the mark, the gaps that end after `since`, and the newest brake.
    fn listening(&self, since: Time) -> impl Future<Output = Result<Listening, Failure>> + Send;

    /// The beating fleet: counted, or estimated from a spread sample where it is large.
    fn fleet(
        &self,
        now: Time,
        threshold_s: u32,
    ) -> impl Future<Output = Result<Fleet, Failure>> + Send;

    /// Delegations whose children are still to be cancelled, by number.
    fn cascades(&self, limit: usize) -> impl Future<Output = Result<Vec<Cascade>, Failure>> + Send;

    /// The in-flight children that a cascade must still cancel.
    fn children_in_flight(
        &self,
        cascade: &Cascade,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<DelegationId>, Failure>> + Send;

    /// The newest reports of the sweeper, newest first.
    fn sweeps(
        &self,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<SweepReport>, Failure>> + Send;
}

/// What only the ledger may ask of a database.
pub trait Store: Reader {
    /// The ledger's secret, made at the first start.
    fn secret(&self) -> impl Future<Output = Result<Secret, Failure>> + Send;

    /// One appending transaction: writes down the batch's id, loads and locks what is asked for, lets
    /// `decide` turn it into an [`Append`], writes that, commits.
    ///
    /// Where the id is already there, an earlier run of the same batch had committed: nothing is loaded
    /// or decided, and the answer is `Ok`. Where another writer inserts the same id or key first, the
    /// transaction is rolled back and decided again, 16 times at most.
    fn transact(
        &self,
        batch: BatchId,
        questions: Questions,
        decide: Decide,
    ) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Records beats and, in the same transaction, the mark. Committed, not flushed.
    ///
    /// The answer has one place per beat: what a matching watch row says, or `None` where none matched.
    fn beat(
        &self,
        beats: Vec<BeatRow>,
        mark: Option<Mark>,
    ) -> impl Future<Output = Result<Vec<Option<Heard>>, Failure>> + Send;

    /// Sets when rows are looked at next, each if it still is what was looked at. Committed, not flushed.
    fn rearm(&self, rearms: Vec<Rearm>) -> impl Future<Output = Result<u64, Failure>> + Send;

    /// Keeps the report of a pass; the last 1000 are kept.
    fn keep_report(&self, report: SweepReport) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Forgets what was kept only for a while: batch ids older than a day, gaps that no clock can reach.
    fn tidy(&self, now: Time) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// The rules, over what was loaded. It may be called again after a lost race.
pub type Decide = Box<dyn FnMut(Loaded) -> Append + Send>;

/// What a batch needs to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Questions {
    /// Delegations by id.
    pub ids: Vec<DelegationId>,
    /// Delegations by number.
    pub nums: Vec<RowNum>,
    /// Who holds these keys; the holder's row is loaded, too.
    pub keys: Vec<(AgentId, IdempotencyKey)>,
    /// All ancestors of these, themselves included.
    pub lineages: Vec<DelegationId>,
    /// The retry of each of these terminal delegations, if there is one; its row is loaded, too. Also who
    /// holds the key of each: a retry takes it over where it is free.
    pub retries_of: Vec<DelegationId>,
    /// Whether silence will be judged.
    pub listening: bool,
}

impl Questions {
    /// Each question once, in an order that is the same for everybody who takes locks.
    pub(crate) fn sort(&mut self) {
        fn sort<T: Ord>(list: &mut Vec<T>) {
            list.sort_unstable();
            list.dedup();
        }
        sort(&mut self.ids);
        sort(&mut self.nums);
        sort(&mut self.keys);
        sort(&mut self.lineages);
        sort(&mut self.retries_of);
    }
}

/// The answers, true until the transaction ends. The parent of every loaded row is loaded, too.
#[derive(Debug)]
pub struct Loaded {
    /// The batch's one moment, read after its locks.
    pub now: Time,
    /// The rows, each once.
    pub rows: Vec<Row>,
    /// Rows that cannot exist; only acts on them fail.
    pub corrupt: Vec<BadRow>,
    /// Holders of the keys that are held.
    pub keys: Vec<((AgentId, IdempotencyKey), DelegationId)>,
    /// (terminal delegation, its retry).
    pub retries: Vec<(DelegationId, DelegationId)>,
    /// The late results that the loaded rows keep.
    pub late: Vec<LateKey>,
    /// When the ledger listened, as far back as the loaded rows need it, with the newest brake; empty where
    /// not asked for.
    pub listening: Listening,
}

/// A delegation, its number, and what its callee last sent as progress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The number.
    pub num: RowNum,
    /// The delegation.
    pub delegation: Delegation,
    /// The progress text.
    pub progress: Option<Json>,
}

/// A row that cannot exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRow {
    /// Its number.
    pub num: RowNum,
    /// Its id, where that can be read.
    pub delegation_id: Option<DelegationId>,
    /// What is wrong with it.
    pub why: CorruptRow,
}

/// What makes two late results the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LateKey {
    /// Which delegation.
    pub delegation_id: DelegationId,
    /// The epoch of the lease it came under.
    pub epoch: Epoch,
    /// The hash of its content.
    pub content: [u8; 16],
}

/// Everything that one batch writes, in one transaction. Only the ledger can make one.
#[derive(Debug)]
#[non_exhaustive]
pub struct Append {
    /// The batch's one moment.
    pub now: Time,
    /// One final row per delegation, parents before their children.
    pub rows: Vec<RowWrite>,
    /// Keys that are free again. Freed before others are taken.
    pub keys_freed: Vec<(AgentId, IdempotencyKey)>,
    /// Keys taken by a row of `rows`, by its place.
    pub keys_taken: Vec<(AgentId, IdempotencyKey, usize)>,
    /// What happened, in order.
    pub events: Vec<NewEvent>,
    /// What goes into inboxes.
    pub messages: Vec<NewMessage>,
    /// Answers that came too late.
    pub late: Vec<LateResult>,
    /// Stretches that do not count as silence.
    pub gaps: Vec<Gap>,
    /// Delegations, by their place in `rows`, whose present children are to be cancelled, if they have any.
    pub cascades_begun: Vec<usize>,
    /// Cascades without a child in flight any more.
    pub cascades_ended: Vec<Cascade>,
    /// By how much the count of each status changes, in the order of [`Status::ALL`].
    pub tallies: [i64; Status::ALL.len()],
}

impl Append {
    pub(crate) fn at(now: Time) -> Self {
        Self {
            now,
            rows: vec![],
            keys_freed: vec![],
            keys_taken: vec![],
            events: vec![],
            messages: vec![],
            late: vec![],
            gaps: vec![],
            cascades_begun: vec![],
            cascades_ended: vec![],
            tallies: [0; Status::ALL.len()],
        }
    }

    /// Whether nothing changed: every command was refused or a replay.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.gaps.is_empty() && self.cascades_ended.is_empty()
    }
}

/// The final state of one delegation.
#[derive(Debug)]
#[non_exhaustive]
pub struct RowWrite {
    /// The delegation as it will be.
    pub delegation: Delegation,
    /// What it was.
    pub was: Was,
    /// The result, where this batch brings it.
    pub result: Option<Payload>,
    /// What becomes of the progress text.
    pub progress: ProgressWrite,
    /// Its watch row, written whole; its number is that of `was`, or the one that the store gives.
    /// `None` where the delegation is not in flight: then the watch row is deleted.
    pub watch: Option<Watch>,
}

/// What becomes of a progress text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProgressWrite {
    /// It stays, or there is none.
    Keep,
    /// A beat that took the ordinary door brought it.
    Put(Json),
    /// It belonged to an attempt that is over.
    Forget,
}

/// What a written row was before.
#[derive(Debug)]
pub enum Was {
    /// It did not exist.
    New(NewBodies),
    /// It had this number and this version: the guard that the locks held. Where the version is
    /// unchanged, only the watch row (and progress) is written.
    Known(RowNum, u64),
}

/// The bodies of a new delegation.
#[derive(Clone, Debug)]
pub enum NewBodies {
    /// As the caller gave them.
    Given(Arc<(Payload, Option<Json>)>),
    /// Copied from the delegation with this number.
    CopyOf(RowNum),
}

/// A fact about one delegation.
#[derive(Debug)]
#[non_exhaustive]
pub struct NewEvent {
    /// The place of its delegation in [`Append::rows`].
    pub row: usize,
    /// What happened.
    pub change: Change,
    /// Where the delegation stood; `None` at its creation.
    pub from: Option<Status>,
    /// Where it stands.
    pub to: Status,
    /// The attempt that it belongs to.
    pub attempt: u32,
    /// The part that its actor played.
    pub role: Role,
    /// Which agent, where it was one.
    pub actor_id: Option<AgentId>,
    /// What an operator typed to override the rules.
    pub override_reason: Option<String>,
}

/// A message: a verdict where its event is one, else a warning.
#[derive(Debug)]
#[non_exhaustive]
pub struct NewMessage {
    /// The place of its event in [`Append::events`]; the message has its number.
    pub event: usize,
    /// Whose inbox.
    pub agent_id: AgentId,
}

/// An answer that came too late. Keyed by (delegation, epoch, content).
#[derive(Debug)]
#[non_exhaustive]
pub struct LateResult {
    /// The place of its delegation in [`Append::rows`].
    pub row: usize,
    /// The epoch it was given under.
    pub epoch: Epoch,
    /// The hash of its content.
    pub content: [u8; 16],
    /// The attempt at the time.
    pub attempt: u32,
    /// The part that its actor played.
    pub role: Role,
    /// Which agent.
    pub actor_id: Option<AgentId>,
    /// The name of the refusal, or `same-status`.
    pub why: &'static str,
    /// The status that it would have brought.
    pub status: Status,
    /// The result.
    pub result: Option<Payload>,
    /// The error detail.
    pub error_detail: Option<String>,
}

/// A beat that a matching watch row answers by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BeatRow {
    /// Which delegation.
    pub delegation_id: DelegationId,
    /// The epoch of its lease; 0 without one.
    pub epoch: Epoch,
    /// What advanced; it counts when it differs from what was sent before.
    pub progress: Option<Json>,
}

impl BeatRow {
    pub(crate) fn new(delegation_id: DelegationId, epoch: Epoch, progress: Option<Json>) -> Self {
        Self { delegation_id, epoch, progress }
    }
}

/// What a matching watch row says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The present attempt.
    pub attempt: u32,
    /// The hard end.
    pub deadline: Time,
}

/// Up to when every heartbeat was received and committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mark {
    /// The new mark.
    pub heard_until: Time,
    /// What must be written first, where the mark steps too far.
    pub gap: Option<Gap>,
}

impl Mark {
    pub(crate) fn new(heard_until: Time, gap: Option<Gap>) -> Self {
        Self { heard_until, gap }
    }
}

/// When to look at a row next, if it still is what was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rearm {
    /// The row as it was seen: its number, epoch and check time must still be the same.
    pub seen: Watch,
    /// The new time.
    pub check_at: Time,
}

impl Rearm {
    pub(crate) fn new(seen: Watch, check_at: Time) -> Self {
        Self { seen, check_at }
    }
}

/// A delegation whose children are still to be cancelled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cascade {
    /// Its number.
    pub num: RowNum,
    /// Its id.
    pub delegation_id: DelegationId,
    /// The newest row that counts; a child created later belongs to a later attempt.
    pub through: RowNum,
}
