//! The ledger's store over PostgreSQL: many replicas, one database.
//!
//! It decides nothing. Where this store bends what SQLite's does, the reason stands beside the SQL.

mod audit;
mod beside;
mod condition;
mod connect;
mod doorbell;
mod failure;
mod line;
mod migrate;
mod open;
mod open_error;
#[cfg(test)]
mod plans;
mod read;
mod readers;
mod time;
mod tls;
mod url;
mod write;

use std::sync::Arc;
use std::time::Duration;

use consign_ledger::delegation::Delegation;
use consign_ledger::delegation::lease::Secret;
use consign_ledger::delegation::listening::{Fleet, Listening};
use consign_ledger::delegation::watch::{RowNum, Watch};
use consign_ledger::query::{
    AgentHealth, AgentPage, AgentsQuery, Due, Ended, Entry, EventPage, EventQuery, Filter, Inbox,
    InboxQuery, Lane, Late, Measure, Page, PrunePage, PruneQuery, Stats, SweepReport,
};
use consign_ledger::{
    AgentId, BatchId, BeatRow, Bodies, Cascade, Clock, Decide, DelegationId, Failure, Heard, Mark,
    Questions, Reader, Reading, Rearm, Seq, Store, Time,
};

pub use audit::{AuditError, audit};
pub use condition::{Condition, Connections, Holder, Replica, condition};
pub use open_error::OpenError;
pub use time::Wall;

use connect::{Connector, Part};
use doorbell::Doorbell;
use failure::Trouble;
use line::Line;
use readers::Readers;
use time::{LedgerTime, WALL_MS};

/// A ledger in one PostgreSQL database, which it may share with other replicas. Dropping it ends its connections.
pub struct PostgresStore {
    time: LedgerTime,
    /// This process among the replicas.
    replica_id: i32,
    readers: Readers,
    /// One for what appends, one for heartbeats, one for the rest: none waits behind another.
    appends: Line,
    beats: Line,
    upkeep: Line,
    doorbell: Doorbell,
}

/// The database at `url` as it may be shown to anybody: without the password.
pub fn shown(url: &str) -> Result<String, OpenError> {
    Ok(url::Address::parse(url)?.shown())
}

/// Brings the schema of the database at `url` up to date. How many migrations ran.
pub async fn migrate(url: &str) -> Result<usize, OpenError> {
    open::migrate(&Connector::new(url)?).await
}

impl PostgresStore {
    /// Opens or makes the ledger in the database at `url`. `clock` tells the time since boot, and with
    /// [`Wall::Given`] the time on the wall, too.
    pub async fn open(url: &str, clock: impl Clock, wall: Wall) -> Result<Self, OpenError> {
        let connector = Arc::new(Connector::new(url)?);
        let opened = open::open(&connector).await?;
        let line = |part| Line::new(Arc::clone(&connector), part);
        Ok(Self {
            time: LedgerTime::new(clock, wall, opened.latest, opened.server_ms),
            replica_id: opened.replica_id,
            readers: Readers::new(Arc::clone(&connector)),
            appends: line(Part::Append).with(opened.connection),
            beats: line(Part::Beat).greeting(write::greeting(opened.replica_id)),
            upkeep: line(Part::Upkeep),
            doorbell: Doorbell::hang(connector),
        })
    }
}

impl Reader for PostgresStore {
    async fn reading(&self) -> Result<Reading, Failure> {
        if let Some(wall_ms) = self.time.given_ms() {
            return Ok(self.time.reading(wall_ms, self.time.boot_ms()));
        }
        let before = self.time.boot_ms();
        let wall_ms = async |connection: &connect::Connection| {
            let sql = connection.prepare_cached(&format!("SELECT {WALL_MS}")).await?;
            Ok::<i64, Trouble>(connection.query_one(&sql, &[&None::<i64>]).await?.try_get(0)?)
        };
        let wall_ms = self.readers.ask(wall_ms).await?;
        // The server looked at its clock somewhere between.
        let boot_ms = i64::midpoint(before, self.time.boot_ms());
        Ok(self.time.reading(wall_ms, boot_ms))
    }

    async fn find(&self, id: &DelegationId) -> Result<Option<(Delegation, Bodies)>, Failure> {
        self.readers.ask(async |connection| read::find(connection, id).await).await
    }

    async fn delegations(&self, nums: Vec<RowNum>) -> Result<Vec<Delegation>, Failure> {
        self.readers.ask(async |connection| read::delegations(connection, &nums).await).await
    }

    async fn list(&self, filter: Filter) -> Result<Page<Entry>, Failure> {
        self.readers.ask(async |connection| read::list(connection, &filter).await).await
    }

    async fn events(&self, query: EventQuery) -> Result<EventPage, Failure> {
        self.readers.ask(async |connection| read::events(connection, &query).await).await
    }

    async fn newest_seq(&self) -> Result<Seq, Failure> {
        self.readers.ask(async |connection| read::newest_seq(connection).await).await
    }

    async fn late_results(&self, id: &DelegationId) -> Result<Vec<Late>, Failure> {
        self.readers.ask(async |connection| read::late_results(connection, id).await).await
    }

    async fn inbox(&self, query: InboxQuery) -> Result<Inbox, Failure> {
        self.readers.ask(async |connection| read::inbox(connection, &query).await).await
    }

    async fn agents(&self, query: AgentsQuery) -> Result<AgentPage, Failure> {
        self.readers.ask(async |connection| read::agents(connection, &query).await).await
    }

    async fn agent(&self, id: &AgentId) -> Result<Option<(AgentHealth, Vec<Ended>)>, Failure> {
        self.readers.ask(async |connection| read::agent(connection, id).await).await
    }

    async fn stats(&self) -> Result<Stats, Failure> {
        self.readers.ask(async |connection| read::stats(connection).await).await
    }

    async fn due(
        &self,
        lane: Lane,
        now: Time,
        after: Option<(Time, RowNum)>,
        limit: usize,
    ) -> Result<Vec<Due>, Failure> {
        self.readers
            .ask(async |connection| read::due(connection, lane, now, after, limit).await)
            .await
    }

    async fn earliest_due(&self) -> Result<Option<Time>, Failure> {
        self.readers.ask(async |connection| read::earliest_due(connection).await).await
    }

    async fn armed_beyond(
        &self,
        threshold_s: u32,
        after: RowNum,
        limit: usize,
    ) -> Result<Vec<Watch>, Failure> {
        let (mut found, mut next) = (vec![], Some(after));
        while let Some(after) = next.filter(|_| found.len() < limit) {
            let left = limit - found.len();
            let slice = async |connection: &connect::Connection| {
                read::armed_beyond(connection, threshold_s, after, left).await
            };
            let (armed, end) = self.readers.ask(slice).await?;
            found.extend(armed);
            next = end;
        }
        Ok(found)
    }

    async fn listening(&self, since: Time) -> Result<Listening, Failure> {
        self.readers.ask(async |connection| read::listening(connection, since).await).await
    }

    async fn fleet(&self, now: Time, threshold_s: u32) -> Result<Fleet, Failure> {
        self.readers.ask(async |connection| read::fleet(connection, now, threshold_s).await).await
    }

    async fn cascades(&self, limit: usize) -> Result<Vec<Cascade>, Failure> {
        self.readers.ask(async |connection| read::cascades(connection, limit).await).await
    }

    async fn children_in_flight(
        &self,
        cascade: &Cascade,
        limit: usize,
    ) -> Result<Vec<DelegationId>, Failure> {
        self.readers
            .ask(async |connection| read::children_in_flight(connection, cascade, limit).await)
            .await
    }

    async fn prunable(&self, query: PruneQuery) -> Result<PrunePage, Failure> {
        self.readers.ask(async |connection| read::prunable(connection, &query).await).await
    }

    async fn sweeps(&self, limit: usize) -> Result<Vec<SweepReport>, Failure> {
        self.readers.ask(async |connection| read::sweeps(connection, limit).await).await
    }

    async fn measures(&self) -> Result<Vec<Measure>, Failure> {
        self.readers.ask(async |connection| read::measures(connection).await).await
    }
}

impl Store for PostgresStore {
    async fn secret(&self) -> Result<Secret, Failure> {
        self.readers.ask(async |connection| read::secret(connection).await).await
    }

    async fn transact(
        &self,
        batch: BatchId,
        questions: Questions,
        mut decide: Decide,
    ) -> Result<(), Failure> {
        let write = async |connection: &connect::Connection| {
            write::transact(connection, &self.time, batch, &questions, &mut decide).await
        };
        Ok(self.appends.run(write).await?)
    }

    async fn beat(
        &self,
        beats: Vec<BeatRow>,
        mark: Option<Mark>,
    ) -> Result<Vec<Option<Heard>>, Failure> {
        let write = async |connection: &connect::Connection| {
            write::beat(connection, &self.time, self.replica_id, &beats, mark).await
        };
        Ok(self.beats.run(write).await?)
    }

    async fn rearm(&self, rearms: Vec<Rearm>) -> Result<u64, Failure> {
        Ok(self.upkeep.run(async |connection| write::rearm(connection, &rearms).await).await?)
    }

    async fn keep_report(&self, report: SweepReport) -> Result<(), Failure> {
        Ok(self
            .upkeep
            .run(async |connection| write::keep_report(connection, &report).await)
            .await?)
    }

    async fn tidy(&self, now: Time) -> Result<(), Failure> {
        // In small transactions, so that nobody waits long behind them.
        while self.upkeep.run(async |connection| write::tidy(connection, now).await).await? {}
        Ok(())
    }

    async fn pause(&self, ms: u64) {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }

    async fn rung(&self) {
        self.doorbell.rung().await;
    }

    async fn leave(&self) -> Result<(), Failure> {
        let leave = async |connection: &connect::Connection| {
            write::leave(connection, self.replica_id).await
        };
        Ok(self.upkeep.run(leave).await?)
    }
}
