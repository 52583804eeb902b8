//! A store in memory: the plainest thing that keeps a store's promises, and fast.
//!
//! It is the suite's first backend and the model test's quick one. Nothing outlives the process.

mod agents;
mod data;
mod prune;
mod read;
mod write;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use consign_ledger::delegation::Delegation;
use consign_ledger::delegation::lease::Secret;
use consign_ledger::delegation::listening::{Fleet, Listening};
use consign_ledger::delegation::watch::{RowNum, Watch};
use consign_ledger::query::{
    AgentHealth, AgentPage, AgentsQuery, Due, Ended, Entry, EventPage, EventQuery, Filter, Inbox,
    InboxQuery, Lane, Late, Page, PrunePage, PruneQuery, Stats, SweepReport,
};
use consign_ledger::{
    AgentId, BatchId, BeatRow, Bodies, Cascade, Clock, CorruptRow, Decide, DelegationId, Failure,
    Heard, Mark, Questions, Reader, Reading, Rearm, Seq, Store, Time,
};

use crate::{Backend, HandClock};
use data::Data;

/// The place where the data live, and every store that is opened over it.
#[derive(Clone)]
pub struct Memory {
    clock: HandClock,
    data: Arc<Mutex<Data>>,
}

impl Memory {
    fn data(&self) -> MutexGuard<'_, Data> {
        self.data.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self, data: &mut Data) -> Time {
        data.steady.reading(self.clock.wall_ms(), self.clock.boot_ms()).now
    }
}

impl Backend for Memory {
    type Store = Self;

    async fn fresh(clock: HandClock) -> Self {
        Self { clock, data: Arc::default() }
    }

    async fn open(&self) -> Self {
        self.data().forget_time();
        self.clone()
    }

    async fn poison(&self, id: &DelegationId) {
        self.data().poisoned.insert(id.clone());
    }

    async fn refuse(&self, id: &DelegationId) {
        self.data().refused.insert(id.clone());
    }
}

impl Store for Memory {
    async fn secret(&self) -> Result<Secret, Failure> {
        Ok(Secret::new([7; 32]))
    }

    async fn transact(
        &self,
        batch: BatchId,
        questions: Questions,
        mut decide: Decide,
    ) -> Result<(), Failure> {
        let mut data = self.data();
        if data.batches.contains_key(&batch) {
            return Ok(());
        }
        let now = self.now(&mut data);
        let append = decide(data.load(&questions, now));
        if let Some(id) = data.refused_in(&append) {
            return Err(Failure::Rejected(format!("{id} breaks a constraint").into()));
        }
        data.batches.insert(batch, now);
        data.write(append);
        Ok(())
    }

    async fn beat(
        &self,
        beats: Vec<BeatRow>,
        mark: Option<Mark>,
    ) -> Result<Vec<Option<Heard>>, Failure> {
        let mut data = self.data();
        let now = self.now(&mut data);
        if let Some(mark) = mark {
            data.gaps.extend(mark.gap);
            data.heard_until = data.heard_until.max(Some(mark.heard_until));
        }
        Ok(beats.into_iter().map(|beat| data.hear(beat, now)).collect())
    }

    async fn rearm(&self, rearms: Vec<Rearm>) -> Result<u64, Failure> {
        let mut data = self.data();
        Ok(rearms.into_iter().map(|rearm| u64::from(data.rearm(&rearm))).sum())
    }

    async fn keep_report(&self, report: SweepReport) -> Result<(), Failure> {
        self.data().keep_report(report);
        Ok(())
    }

    async fn pause(&self, _ms: u64) {}

    async fn tidy(&self, now: Time) -> Result<(), Failure> {
        const DAY_MS: i64 = 24 * 3600 * 1000;
        self.data().batches.retain(|_, at| now.since_ms(*at) <= DAY_MS);
        Ok(())
    }
}

impl Reader for Memory {
    async fn reading(&self) -> Result<Reading, Failure> {
        let now = self.now(&mut self.data());
        Ok(Reading { now, wall_ms: self.clock.wall_ms(), boot_ms: self.clock.boot_ms() })
    }

    async fn find(&self, id: &DelegationId) -> Result<Option<(Delegation, Bodies)>, Failure> {
        let data = self.data();
        if data.poisoned.contains(id) {
            return Err(Failure::Corrupt(corrupt(id)));
        }
        Ok(data.named(id).map(|kept| (kept.delegation.clone(), kept.bodies.clone())))
    }

    async fn delegations(&self, nums: Vec<RowNum>) -> Result<Vec<Delegation>, Failure> {
        let data = self.data();
        let sound = nums.iter().filter_map(|num| data.rows.get(num)).map(|kept| &kept.delegation);
        Ok(sound.filter(|it| !data.poisoned.contains(&it.delegation_id)).cloned().collect())
    }

    async fn list(&self, filter: Filter) -> Result<Page<Entry>, Failure> {
        Ok(self.data().list(&filter))
    }

    async fn events(&self, query: EventQuery) -> Result<EventPage, Failure> {
        Ok(self.data().events(&query))
    }

    async fn newest_seq(&self) -> Result<Seq, Failure> {
        Ok(self.data().newest_seq())
    }

    async fn late_results(&self, id: &DelegationId) -> Result<Vec<Late>, Failure> {
        let data = self.data();
        let of_this = data.late.iter().filter(|(key, _)| key.delegation_id == *id);
        Ok(of_this.map(|(_, late)| late.clone()).collect())
    }

    async fn inbox(&self, query: InboxQuery) -> Result<Inbox, Failure> {
        Ok(self.data().inbox(&query))
    }

    async fn agents(&self, query: AgentsQuery) -> Result<AgentPage, Failure> {
        Ok(self.data().agents(&query))
    }

    async fn agent(&self, id: &AgentId) -> Result<Option<(AgentHealth, Vec<Ended>)>, Failure> {
        let data = self.data();
        let known = data.known().contains(id);
        Ok(known.then(|| (data.health(id), data.ended(id))))
    }

    async fn stats(&self) -> Result<Stats, Failure> {
        Ok(Stats(self.data().tallies.map(i64::unsigned_abs)))
    }

    async fn due(
        &self,
        lane: Lane,
        now: Time,
        after: Option<(Time, RowNum)>,
        limit: usize,
    ) -> Result<Vec<Due>, Failure> {
        let mut due: Vec<Due> = self
            .data()
            .watches()
            .filter_map(|watch| Some(Due { at: moment(lane, &watch)?, watch }))
            .filter(|due| due.at < now && Some((due.at, due.watch.num)) > after)
            .collect();
        due.sort_by_key(|due| (due.at, due.watch.num));
        due.truncate(limit);
        Ok(due)
    }

    async fn earliest_due(&self) -> Result<Option<Time>, Failure> {
        let data = self.data();
        let both = data.watches().flat_map(|watch| [Some(watch.deadline), watch.check_at]);
        Ok(both.flatten().min())
    }

    async fn armed_beyond(
        &self,
        threshold_s: u32,
        after: RowNum,
        limit: usize,
    ) -> Result<Vec<Watch>, Failure> {
        let data = self.data();
        let behind = data.rows.range(after..).filter(|(num, _)| **num > after);
        let beyond = behind.filter_map(|(_, kept)| kept.armed_beyond(threshold_s));
        Ok(beyond.take(limit).collect())
    }

    async fn listening(&self, since: Time) -> Result<Listening, Failure> {
        Ok(self.data().listening(since))
    }

    async fn fleet(&self, now: Time, threshold_s: u32) -> Result<Fleet, Failure> {
        let data = self.data();
        let beating = || data.watches().filter(|watch| watch.epoch.is_some());
        let lately = |watch: &Watch| {
            let half_ms = i64::from(watch.threshold_s.unwrap_or(threshold_s)) * 500;
            watch.alive_at >= Some(now - half_ms)
        };
        let heard_lately = beating().filter(lately).count() as u64;
        Ok(Fleet { beating: beating().count() as u64, heard_lately })
    }

    async fn cascades(&self, limit: usize) -> Result<Vec<Cascade>, Failure> {
        Ok(self.data().cascades.values().take(limit).cloned().collect())
    }

    async fn children_in_flight(
        &self,
        cascade: &Cascade,
        limit: usize,
    ) -> Result<Vec<DelegationId>, Failure> {
        let data = self.data();
        let children = data.children_in_flight(&cascade.delegation_id, cascade.through);
        Ok(children.take(limit).map(|kept| kept.delegation.delegation_id.clone()).collect())
    }

    async fn prunable(&self, query: PruneQuery) -> Result<PrunePage, Failure> {
        Ok(self.data().prunable(&query))
    }

    async fn sweeps(&self, limit: usize) -> Result<Vec<SweepReport>, Failure> {
        Ok(self.data().reports.iter().rev().take(limit).copied().collect())
    }
}

fn moment(lane: Lane, watch: &Watch) -> Option<Time> {
    match lane {
        Lane::Deadline => Some(watch.deadline),
        Lane::Check => watch.check_at,
    }
}

fn corrupt(id: &DelegationId) -> CorruptRow {
    let (row, value) = (id.to_string(), "nonsense".to_owned());
    CorruptRow { table: "delegations", column: "status", row, value }
}
