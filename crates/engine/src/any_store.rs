//! The store that a URL names: whoever runs a ledger need not know which it is.

use std::convert::Infallible;

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
use consign_store_postgres::{PostgresStore, Wall};
use consign_store_sqlite::SqliteStore;
use tokio::sync::mpsc;

use crate::clock::SystemClock;
use crate::database::Database;
use crate::open::OpenError;

/// A ledger's store, wherever it is.
pub struct AnyStore {
    store: Either,
    /// Dropped behind the store: who holds the other end sees when the ledger is closed.
    _open: mpsc::Sender<Infallible>,
}

enum Either {
    Sqlite(SqliteStore),
    Postgres(Box<PostgresStore>),
}

/// Over once the store is closed, its file or its connections given back.
pub(crate) type Closing = mpsc::Receiver<Infallible>;

impl AnyStore {
    pub(crate) async fn open(database: &Database) -> Result<(Self, Closing), OpenError> {
        let store = match database {
            Database::Sqlite(path) => Either::Sqlite(SqliteStore::open(path, SystemClock)?),
            // The machine's clock tells the time since boot alone: all replicas share the server's on the wall.
            Database::Postgres { url, .. } => Either::Postgres(Box::new(
                PostgresStore::open(url, SystemClock, Wall::Server).await?,
            )),
        };
        let (open, closing) = mpsc::channel(1);
        Ok((Self { store, _open: open }, closing))
    }
}

/// Asks whichever store it is.
macro_rules! ask {
    ($any:ident.$question:ident($($given:expr),*)) => {
        match &$any.store {
            Either::Sqlite(store) => store.$question($($given),*).await,
            Either::Postgres(store) => store.$question($($given),*).await,
        }
    };
}

// A question with an answer of its own in one store must not get the default answer here.
#[deny(clippy::missing_trait_methods)]
impl Reader for AnyStore {
    async fn reading(&self) -> Result<Reading, Failure> {
        ask!(self.reading())
    }

    async fn find(&self, id: &DelegationId) -> Result<Option<(Delegation, Bodies)>, Failure> {
        ask!(self.find(id))
    }

    async fn delegations(&self, nums: Vec<RowNum>) -> Result<Vec<Delegation>, Failure> {
        ask!(self.delegations(nums))
    }

    async fn list(&self, filter: Filter) -> Result<Page<Entry>, Failure> {
        ask!(self.list(filter))
    }

    async fn events(&self, query: EventQuery) -> Result<EventPage, Failure> {
        ask!(self.events(query))
    }

    async fn newest_seq(&self) -> Result<Seq, Failure> {
        ask!(self.newest_seq())
    }

    async fn late_results(&self, id: &DelegationId) -> Result<Vec<Late>, Failure> {
        ask!(self.late_results(id))
    }

    async fn inbox(&self, query: InboxQuery) -> Result<Inbox, Failure> {
        ask!(self.inbox(query))
    }

    async fn agents(&self, query: AgentsQuery) -> Result<AgentPage, Failure> {
        ask!(self.agents(query))
    }

    async fn agent(&self, id: &AgentId) -> Result<Option<(AgentHealth, Vec<Ended>)>, Failure> {
        ask!(self.agent(id))
    }

    async fn stats(&self) -> Result<Stats, Failure> {
        ask!(self.stats())
    }

    async fn due(
        &self,
        lane: Lane,
        now: Time,
        after: Option<(Time, RowNum)>,
        limit: usize,
    ) -> Result<Vec<Due>, Failure> {
        ask!(self.due(lane, now, after, limit))
    }

    async fn earliest_due(&self) -> Result<Option<Time>, Failure> {
        ask!(self.earliest_due())
    }

    async fn armed_beyond(
        &self,
        threshold_s: u32,
        after: RowNum,
        limit: usize,
    ) -> Result<Vec<Watch>, Failure> {
        ask!(self.armed_beyond(threshold_s, after, limit))
    }

    async fn listening(&self, since: Time) -> Result<Listening, Failure> {
        ask!(self.listening(since))
    }

    async fn fleet(&self, now: Time, threshold_s: u32) -> Result<Fleet, Failure> {
        ask!(self.fleet(now, threshold_s))
    }

    async fn cascades(&self, limit: usize) -> Result<Vec<Cascade>, Failure> {
        ask!(self.cascades(limit))
    }

    async fn children_in_flight(
        &self,
        cascade: &Cascade,
        limit: usize,
    ) -> Result<Vec<DelegationId>, Failure> {
        ask!(self.children_in_flight(cascade, limit))
    }

    async fn prunable(&self, query: PruneQuery) -> Result<PrunePage, Failure> {
        ask!(self.prunable(query))
    }

    async fn sweeps(&self, limit: usize) -> Result<Vec<SweepReport>, Failure> {
        ask!(self.sweeps(limit))
    }

    async fn measures(&self) -> Result<Vec<Measure>, Failure> {
        ask!(self.measures())
    }
}

#[deny(clippy::missing_trait_methods)]
impl Store for AnyStore {
    async fn secret(&self) -> Result<Secret, Failure> {
        ask!(self.secret())
    }

    async fn transact(
        &self,
        batch: BatchId,
        questions: Questions,
        decide: Decide,
    ) -> Result<(), Failure> {
        ask!(self.transact(batch, questions, decide))
    }

    async fn beat(
        &self,
        beats: Vec<BeatRow>,
        mark: Option<Mark>,
    ) -> Result<Vec<Option<Heard>>, Failure> {
        ask!(self.beat(beats, mark))
    }

    async fn rearm(&self, rearms: Vec<Rearm>) -> Result<u64, Failure> {
        ask!(self.rearm(rearms))
    }

    async fn keep_report(&self, report: SweepReport) -> Result<(), Failure> {
        ask!(self.keep_report(report))
    }

    async fn pause(&self, ms: u64) {
        ask!(self.pause(ms));
    }

    async fn tidy(&self, now: Time) -> Result<(), Failure> {
        ask!(self.tidy(now))
    }

    async fn rung(&self) {
        ask!(self.rung());
    }

    async fn leave(&self) -> Result<(), Failure> {
        ask!(self.leave())
    }
}
