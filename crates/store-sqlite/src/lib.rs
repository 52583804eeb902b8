//! The ledger's store over SQLite: one writer thread, a few readers, one file.
//!
//! It decides nothing. Where this store bends what PostgreSQL's does, the reason stands beside the SQL.

mod audit;
mod backup;
#[cfg(test)]
mod ballast;
mod checkpointer;
mod condition;
mod failure;
mod files;
mod flusher;
mod open;
#[cfg(test)]
mod plans;
mod prepared;
mod read;
mod readers;
mod time;
mod wal;
mod write;
mod writer;

use std::path::Path;
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
pub use backup::{BackupError, Copied, backup};
pub use condition::{Condition, condition};
pub use consign_ledger::query::{Audit, Finding};
pub use open::OpenError;

use readers::Readers;
use time::LedgerTime;
use writer::Writer;

/// A ledger in one SQLite file. Dropping it ends its threads after what they are doing.
pub struct SqliteStore {
    time: Arc<LedgerTime>,
    // Dropped before the writer: only the last connection that closes puts the WAL into the file, and one
    // that may only read cannot.
    readers: Readers,
    writer: Writer,
}

impl SqliteStore {
    /// Opens or makes the ledger at `path`, and keeps every other process out of it.
    pub fn open(path: &Path, clock: impl Clock) -> Result<Self, OpenError> {
        let opened = open::open(path)?;
        let path = &opened.path;
        let time = Arc::new(LedgerTime::new(clock, opened.latest));
        let writer = Writer::start(opened.connection, opened.lock, Arc::clone(&time), path)?;
        let readers = Readers::start(path, writer.flushes())?;
        Ok(Self { time, readers, writer })
    }
}

impl Reader for SqliteStore {
    async fn reading(&self) -> Result<Reading, Failure> {
        Ok(self.time.reading())
    }

    async fn find(&self, id: &DelegationId) -> Result<Option<(Delegation, Bodies)>, Failure> {
        let id = id.clone();
        self.readers.ask(move |connection| read::find(connection, &id)).await
    }

    async fn delegations(&self, nums: Vec<RowNum>) -> Result<Vec<Delegation>, Failure> {
        self.readers.ask(move |connection| read::delegations(connection, &nums)).await
    }

    async fn list(&self, filter: Filter) -> Result<Page<Entry>, Failure> {
        self.readers.ask(move |connection| read::list(connection, &filter)).await
    }

    async fn events(&self, query: EventQuery) -> Result<EventPage, Failure> {
        self.readers.ask(move |connection| read::events(connection, &query)).await
    }

    async fn newest_seq(&self) -> Result<Seq, Failure> {
        self.readers.ask(read::newest_seq).await
    }

    async fn late_results(&self, id: &DelegationId) -> Result<Vec<Late>, Failure> {
        let id = id.clone();
        self.readers.ask(move |connection| read::late_results(connection, &id)).await
    }

    async fn inbox(&self, query: InboxQuery) -> Result<Inbox, Failure> {
        self.readers.ask(move |connection| read::inbox(connection, &query)).await
    }

    async fn agents(&self, query: AgentsQuery) -> Result<AgentPage, Failure> {
        self.readers.ask(move |connection| read::agents(connection, &query)).await
    }

    async fn agent(&self, id: &AgentId) -> Result<Option<(AgentHealth, Vec<Ended>)>, Failure> {
        let id = id.clone();
        self.readers.ask(move |connection| read::agent(connection, &id)).await
    }

    async fn stats(&self) -> Result<Stats, Failure> {
        self.readers.ask(read::stats).await
    }

    async fn due(
        &self,
        lane: Lane,
        now: Time,
        after: Option<(Time, RowNum)>,
        limit: usize,
    ) -> Result<Vec<Due>, Failure> {
        self.readers.ask(move |connection| read::due(connection, lane, now, after, limit)).await
    }

    async fn earliest_due(&self) -> Result<Option<Time>, Failure> {
        self.readers.ask(read::earliest_due).await
    }

    async fn armed_beyond(
        &self,
        threshold_s: u32,
        after: RowNum,
        limit: usize,
    ) -> Result<Vec<Watch>, Failure> {
        let rows = move |connection: &_| read::armed_beyond(connection, threshold_s, after, limit);
        self.readers.ask(rows).await
    }

    async fn listening(&self, since: Time) -> Result<Listening, Failure> {
        self.readers.ask(move |connection| read::listening(connection, since)).await
    }

    async fn fleet(&self, now: Time, threshold_s: u32) -> Result<Fleet, Failure> {
        self.readers.ask(move |connection| read::fleet(connection, now, threshold_s)).await
    }

    async fn cascades(&self, limit: usize) -> Result<Vec<Cascade>, Failure> {
        self.readers.ask(move |connection| read::cascades(connection, limit)).await
    }

    async fn children_in_flight(
        &self,
        cascade: &Cascade,
        limit: usize,
    ) -> Result<Vec<DelegationId>, Failure> {
        let cascade = cascade.clone();
        self.readers
            .ask(move |connection| read::children_in_flight(connection, &cascade, limit))
            .await
    }

    async fn prunable(&self, query: PruneQuery) -> Result<PrunePage, Failure> {
        self.readers.ask(move |connection| read::prunable(connection, &query)).await
    }

    async fn sweeps(&self, limit: usize) -> Result<Vec<SweepReport>, Failure> {
        self.readers.ask(move |connection| read::sweeps(connection, limit)).await
    }

    async fn measures(&self) -> Result<Vec<Measure>, Failure> {
        self.readers.ask(read::measures).await
    }
}

impl Store for SqliteStore {
    async fn secret(&self) -> Result<Secret, Failure> {
        self.readers.ask(read::secret).await
    }

    async fn transact(
        &self,
        batch: BatchId,
        questions: Questions,
        decide: Decide,
    ) -> Result<(), Failure> {
        self.writer.ask(move |pen| write::transact(pen, batch, &questions, decide)).await
    }

    async fn beat(
        &self,
        beats: Vec<BeatRow>,
        mark: Option<Mark>,
    ) -> Result<Vec<Option<Heard>>, Failure> {
        self.writer.ask(move |pen| write::beat(pen, &beats, mark)).await
    }

    async fn rearm(&self, rearms: Vec<Rearm>) -> Result<u64, Failure> {
        self.writer.ask(move |pen| write::rearm(pen, &rearms)).await
    }

    async fn keep_report(&self, report: SweepReport) -> Result<(), Failure> {
        self.writer.ask(move |pen| write::keep_report(pen, &report)).await
    }

    async fn pause(&self, ms: u64) {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }

    async fn tidy(&self, now: Time) -> Result<(), Failure> {
        // In small transactions, so that nobody waits long behind them.
        while self.writer.ask(move |pen| write::tidy(pen, now)).await? {}
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::Poll;

    use consign_testkit::HandClock;

    use super::*;
    use crate::writer::{End, Flush};

    fn store() -> (SqliteStore, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("ledger.db"), HandClock::default());
        (store.unwrap(), folder)
    }

    #[tokio::test]
    async fn nobody_hears_what_a_reader_saw_before_it_is_on_the_disk() {
        let (store, _folder) = store();
        let flushes = store.writer.flushes();
        let commit = flushes.begin();
        let mut seen = pin!(store.stats());
        while flushes.held_back() == 0 {
            let early = std::future::poll_fn(|task| Poll::Ready(seen.as_mut().poll(task))).await;
            assert!(early.is_pending(), "it was told before the flush");
            tokio::task::yield_now().await;
        }
        drop(commit);
        flushes.flush();
        assert_eq!(seen.await.unwrap(), Stats::default());
    }

    /// However busy the writer is, so that the flush is another thread's.
    #[tokio::test]
    async fn what_must_outlive_a_power_cut_is_on_the_disk_when_it_is_answered() {
        let (store, _folder) = store();
        let flushes = store.writer.flushes();
        let write = |flush, number: i64| {
            store.writer.ask(move |pen| {
                pen.transaction(flush, |transaction, _| {
                    transaction.execute("UPDATE numbers SET last = ?1", [number])?;
                    Ok((number, End::Commit))
                })
            })
        };
        let before = flushes.flushed();
        for number in 1..=100 {
            let durable = async {
                write(Flush::ToDisk, number).await.unwrap();
                assert_eq!(flushes.flushed() - before, number.unsigned_abs());
            };
            let others = async {
                for _ in 0..3 {
                    let (one, other) =
                        tokio::join!(write(Flush::ToSystem, 0), write(Flush::ToSystem, 1));
                    one.and(other).unwrap();
                }
            };
            tokio::join!(durable, others);
        }
    }
}
