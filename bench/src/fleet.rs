//! A large fleet in flight, delegated and started through the ledger itself, and the ledger over it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use consign_ledger::command::{Command, Create, Heartbeat};
use consign_ledger::delegation::deadline::DeadlineRequest;
use consign_ledger::delegation::terms::Terms;
use consign_ledger::{
    AgentId, BATCH_COMMANDS_MAX, Clock as _, DelegationId, IdSource, Ledger, Payload, Settings,
    Store, Time,
};
use consign_store_sqlite::SqliteStore;
use consign_sweeper::Sweeper;
use consign_testkit::{HandClock, SeededIds};
use tokio::task::JoinHandle;

use crate::Outcome;
use crate::stopwatch::wall_ms;

/// The ids of every fleet come from this seed.
const IDS_SEED: u64 = 1;
/// The fleet was delegated by so many callers to so many callees.
const CALLERS: usize = 100;
const CALLEES: usize = 1000;
/// Far enough for every run.
const DEADLINE_S: u32 = 300 * 24 * 3600;
/// Nobody falls silent where silence is not what is measured.
pub(crate) const PATIENT_S: u32 = 30 * 24 * 3600;
const DAY_MS: i64 = 24 * 3600 * 1000;

/// What a fleet is like.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    /// Delegations in flight that have long to live.
    pub(crate) rows: usize,
    /// Those among them whose deadlines come early.
    pub(crate) doomed: Vec<Doomed>,
    pub(crate) task_bytes: usize,
    pub(crate) threshold_s: u32,
    /// Over how many seconds of the ledger's time they were delegated.
    pub(crate) over_s: u32,
}

/// Delegations with one early deadline.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Doomed {
    pub(crate) count: usize,
    /// The deadline, in seconds from the beginning.
    pub(crate) at_s: u32,
    pub(crate) place: Place,
}

/// Where in the fleet some delegations are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Anywhere: each on pages of its own.
    Scattered,
    /// Delegated one after the other, as those are that came together and have equally long.
    Together,
}

/// A ledger that runs in this process, on a clock that is moved by hand.
pub(crate) struct Live<S = SqliteStore> {
    pub(crate) ledger: Ledger<S>,
    pub(crate) sweeper: Sweeper<S>,
    pub(crate) clock: HandClock,
    desk: JoinHandle<()>,
}

/// A clock that says what was yesterday, so that a run may take its time in advance.
pub(crate) fn yesterday() -> HandClock {
    let clock = HandClock::default();
    clock.step_wall_ms(wall_ms() - DAY_MS - clock.wall_ms());
    clock
}

/// New ids in the order of their creation.
fn ids(count: usize) -> Vec<DelegationId> {
    let source = SeededIds::new(IDS_SEED);
    (0..count).map(|_| DelegationId::of_uuid(source.next_uuid())).collect()
}

impl Shape {
    /// Delegates and starts the whole fleet in a new ledger at `path`. The ids of those with long to live.
    pub(crate) async fn build(&self, path: &Path, clock: HandClock) -> Outcome<Vec<DelegationId>> {
        remove(path);
        let live = Live::open(path, clock, self.threshold_s).await?;
        let long = self.fill(&live).await?;
        live.close().await;
        settle(path)?;
        Ok(long)
    }

    /// Delegates and starts the whole fleet in a ledger that is open. The ids of those with long to live.
    pub(crate) async fn fill<S: Store>(&self, live: &Live<S>) -> Outcome<Vec<DelegationId>> {
        let begun = Time(live.clock.wall_ms());
        let lives_s = self.lives_s();
        let ids = ids(lives_s.len());
        let task = Arc::new((Payload::Text("t".repeat(self.task_bytes)), None));
        let batches = ids.len().div_ceil(BATCH_COMMANDS_MAX);
        for (nth, ids) in ids.chunks(BATCH_COMMANDS_MAX).enumerate() {
            let first = nth * BATCH_COMMANDS_MAX;
            let create = |(at, id): (usize, &DelegationId)| {
                let deadline = begun.plus_s(lives_s[first + at]);
                create(first + at, id, deadline, Arc::clone(&task))
            };
            let made = ids.iter().enumerate().map(create).collect::<Outcome<Vec<_>>>()?;
            all_done(live.ledger.act_all(made).await)?;
            live.beat(ids).await?;
            live.move_to(begun.plus_s(share(self.over_s, nth + 1, batches))).await?;
        }
        let long = ids.into_iter().zip(lives_s).filter(|(_, lives_s)| *lives_s == DEADLINE_S);
        Ok(long.map(|(id, _)| id).collect())
    }

    /// How long each has to live, in seconds, in the order of creation.
    fn lives_s(&self) -> Vec<u32> {
        let spans = |place: Place| {
            let doomed = self.doomed.iter().filter(move |doomed| doomed.place == place);
            doomed.flat_map(|doomed| std::iter::repeat_n(doomed.at_s, doomed.count))
        };
        let long = std::iter::repeat_n(DEADLINE_S, self.rows);
        let mut mixed: Vec<u32> = spans(Place::Scattered).chain(long).collect();
        shuffle(&mut mixed);
        spans(Place::Together).chain(mixed).collect()
    }
}

fn create(
    nth: usize,
    id: &DelegationId,
    deadline: Time,
    bodies: Arc<(Payload, Option<consign_ledger::Json>)>,
) -> Outcome<Command> {
    Ok(Command::Create(Box::new(Create {
        delegation_id: Some(id.clone()),
        caller_id: AgentId::new(&format!("caller-{:03}", nth % CALLERS))?,
        callee_id: AgentId::new(&format!("callee-{:04}", nth % CALLEES))?,
        bodies,
        idempotency_key: None,
        deadline: Some(DeadlineRequest::At(deadline)),
        dispatched: true,
        max_attempts: 1,
        terms: Terms::default(),
        notify: None,
        parent_id: None,
    })))
}

/// The part of `whole` that belongs to `nth` of `count`.
fn share(whole: u32, nth: usize, count: usize) -> u32 {
    u32::try_from(whole as usize * nth / count).unwrap_or(whole)
}

impl Live {
    /// Opens the ledger at `path` and starts its desk; its sweeper passes when it is asked.
    pub(crate) async fn open(path: &Path, clock: HandClock, threshold_s: u32) -> Outcome<Self> {
        let store = SqliteStore::open(path, clock.clone())?;
        Self::over(store, clock, threshold_s).await
    }
}

impl<S: Store> Live<S> {
    /// The same over a store that is open, which goes by this clock.
    pub(crate) async fn over(store: S, clock: HandClock, threshold_s: u32) -> Outcome<Self> {
        // Ids that no earlier opening of the same file has used.
        let ids = SeededIds::new(u64::try_from(wall_ms())?);
        let settings = Settings { stuck_threshold_s: threshold_s };
        let (ledger, desk) = Ledger::open(store, settings, ids).await?;
        let settings = consign_sweeper::Settings { interval_s: 300, brake: true };
        let sweeper = Sweeper::new(ledger.clone(), settings);
        Ok(Self { ledger, sweeper, clock, desk: tokio::spawn(desk.run()) })
    }

    /// Each of them says "alive".
    pub(crate) async fn beat(&self, ids: &[DelegationId]) -> Outcome<()> {
        let beat = |id: &DelegationId| Heartbeat {
            id: id.clone(),
            lease: None,
            progress: None,
            waiting: None,
            override_reason: None,
        };
        all_done(self.ledger.heartbeats(ids.iter().map(beat).collect()).await)
    }

    /// Lets the time come, and has the ledger note that it was listening.
    pub(crate) async fn move_to(&self, time: Time) -> Outcome<()> {
        let ms = time.since_ms(Time(self.clock.wall_ms()));
        self.clock.advance_ms(u32::try_from(ms)?);
        Ok(self.ledger.listen().await?)
    }

    /// Waits until the file is nobody's.
    pub(crate) async fn close(self) {
        let Self { ledger, sweeper, desk, .. } = self;
        desk.abort();
        // Cancelled, as it was asked to be.
        drop(desk.await);
        drop((ledger, sweeper));
    }
}

fn all_done<T>(outcomes: Vec<Result<T, consign_ledger::Error>>) -> Outcome<()> {
    outcomes.into_iter().try_for_each(|outcome| outcome.map(drop)).map_err(Into::into)
}

/// Brings everything into the one file, so that it can be copied.
fn settle(path: &Path) -> Outcome<()> {
    let connection = rusqlite::Connection::open(path)?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(())
}

/// Deletes a ledger and what lies beside it.
pub(crate) fn remove(path: &Path) {
    for suffix in ["", "-wal", "-shm", ".lock"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        // It need not be there.
        drop(std::fs::remove_file(PathBuf::from(name)));
    }
}

/// The same order every time, and no order at all.
pub(crate) fn shuffle<T>(items: &mut [T]) {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for last in (1..items.len()).rev() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let other = usize::try_from(state % (last as u64 + 1)).unwrap_or(last);
        items.swap(last, other);
    }
}
