//! The ledger's store over PostgreSQL: many replicas, one database.
//!
//! It decides nothing. Where this store bends what SQLite's does, the reason stands beside the SQL.

mod connect;
mod failure;
mod read;
mod readers;
mod write;

use consign_ledger::delegation::Delegation;
use consign_ledger::delegation::lease::Secret;
use consign_ledger::delegation::listening::{Fleet, Listening};
use consign_ledger::delegation::watch::{RowNum, Watch};
use consign_ledger::query::{
    Due, Entry, EventPage, EventQuery, Filter, Inbox, InboxQuery, Lane, Late, Page, Stats,
    SweepReport,
};
use consign_ledger::{
    BatchId, BeatRow, Bodies, Cascade, Decide, DelegationId, Failure, Heard, Mark, Questions,
    Reader, Reading, Rearm, Seq, Store, Time,
};

use readers::Readers;

/// A ledger in one PostgreSQL database, which it may share with other replicas.
pub struct PostgresStore {
    readers: Readers,
}

impl Reader for PostgresStore {
    async fn reading(&self) -> Result<Reading, Failure> {
        todo!()
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

    async fn armed_later_than(
        &self,
        later_than: Time,
        after: RowNum,
        limit: usize,
    ) -> Result<Vec<Watch>, Failure> {
        self.readers
            .ask(async |connection| {
                read::armed_later_than(connection, later_than, after, limit).await
            })
            .await
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

    async fn sweeps(&self, limit: usize) -> Result<Vec<SweepReport>, Failure> {
        self.readers.ask(async |connection| read::sweeps(connection, limit).await).await
    }
}

impl Store for PostgresStore {
    async fn secret(&self) -> Result<Secret, Failure> {
        self.readers.ask(async |connection| read::secret(connection).await).await
    }

    async fn transact(
        &self,
        _batch: BatchId,
        _questions: Questions,
        _decide: Decide,
    ) -> Result<(), Failure> {
        todo!()
    }

    async fn beat(
        &self,
        _beats: Vec<BeatRow>,
        _mark: Option<Mark>,
    ) -> Result<Vec<Option<Heard>>, Failure> {
        todo!()
    }

    async fn rearm(&self, _rearms: Vec<Rearm>) -> Result<u64, Failure> {
        todo!()
    }

    async fn keep_report(&self, _report: SweepReport) -> Result<(), Failure> {
        todo!()
    }

    async fn tidy(&self, _now: Time) -> Result<(), Failure> {
        todo!()
    }
}
