//! What the ledger asks of a database: [`Reader`] for anyone, [`Store`] for the ledger alone.
//!
//! Nobody else can write. What is asked of a [`Store`] can be made only in this crate, and who holds a
//! [`Ledger`](crate::Ledger) gets no more than its [`Reader`]:
//!
//! ```
//! # use consign_ledger::{Ledger, Reader, Store, delegation::watch::Watch, Time};
//! async fn through<S: Store>(ledger: &Ledger<S>, rows: Vec<(Watch, Time)>) {
//!     let _ = ledger.rearm(rows).await;
//!     let _ = ledger.reader().stats().await;
//! }
//! ```
//!
//! ```compile_fail
//! # use consign_ledger::{Ledger, Reader, Rearm, Store};
//! async fn around<S: Store>(ledger: &Ledger<S>, rows: Vec<Rearm>) {
//!     let _ = ledger.reader().rearm(rows).await; // a reader has no such method
//! }
//! ```
//!
//! ```compile_fail
//! # use consign_ledger::{Rearm, Time, delegation::watch::Watch};
//! fn forged(seen: Watch, check_at: Time) -> Rearm {
//!     Rearm { seen, check_at } // all fields are there, and still nobody else may make one
//! }
//! ```

mod append;
mod beat;
mod load;

pub use append::{
    Append, Cascade, CascadeBegun, LateResult, NewBodies, NewEvent, NewMessage, ProgressWrite,
    Pruned, RowWrite, Was,
};
pub use beat::{BeatRow, Heard, Mark, Rearm};
pub use load::{BadRow, InboxState, LOAD_COUNT_MAX, LateKey, Load, Loaded, Questions, Row};

use std::future::Future;

use crate::delegation::Delegation;
use crate::delegation::lease::Secret;
use crate::delegation::listening::{Fleet, Listening};
use crate::delegation::watch::{RowNum, Watch};
use crate::error::Failure;
use crate::id::{AgentId, BatchId, DelegationId, Seq};
use crate::payload::Bodies;
use crate::query::{
    AgentHealth, AgentPage, AgentsQuery, Due, Ended, Entry, EventPage, EventQuery, Filter, Inbox,
    InboxQuery, Lane, Late, Measure, Page, PrunePage, PruneQuery, Stats, SweepReport,
};
use crate::time::{Reading, Time};

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

    /// Agents that have a record, or asked for work, or were asked, by id. What is counted of each is counted up
    /// to [`COUNT_MAX`](crate::query::COUNT_MAX).
    fn agents(&self, query: AgentsQuery)
    -> impl Future<Output = Result<AgentPage, Failure>> + Send;

    /// One agent, and what it ended last; `None` if nothing is known of it.
    fn agent(
        &self,
        id: &AgentId,
    ) -> impl Future<Output = Result<Option<(AgentHealth, Vec<Ended>)>, Failure>> + Send;

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

    /// Watch rows of what beats, or is stuck, by the ledger's threshold and would be looked at later than this
    /// threshold alone has it, by number.
    fn armed_beyond(
        &self,
        threshold_s: u32,
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

    /// What is over and may be old enough to go, by (end, number). One page of those that ended: of these, whoever
    /// is named by another, or is neither old nor acknowledged enough, is left out.
    fn prunable(
        &self,
        query: PruneQuery,
    ) -> impl Future<Output = Result<PrunePage, Failure>> + Send;

    /// The newest reports of the sweeper, newest first.
    fn sweeps(
        &self,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<SweepReport>, Failure>> + Send;

    /// What is measured of this database alone, and nobody else knows. Quick, however large it is.
    fn measures(&self) -> impl Future<Output = Result<Vec<Measure>, Failure>> + Send {
        std::future::ready(Ok(vec![]))
    }
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

    /// Lets so many milliseconds pass, before a batch that failed runs again: whoever knows the clocks has the
    /// timer.
    fn pause(&self, ms: u64) -> impl Future<Output = ()> + Send;

    /// Forgets what was kept only for a while: batch ids older than a day, gaps that no clock can reach.
    fn tidy(&self, now: Time) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Waits until another process may have written facts. Never over, where there is no other process.
    fn rung(&self) -> impl Future<Output = ()> + Send {
        std::future::pending()
    }

    /// This process stops, in good order: from now on nobody waits for its mark.
    fn leave(&self) -> impl Future<Output = Result<(), Failure>> + Send {
        std::future::ready(Ok(()))
    }
}

/// The rules, over what was loaded. It may be called again after a lost race.
pub type Decide = Box<dyn FnMut(Loaded) -> Append + Send>;
