//! A second server over the same database, beside a world's own: its ledger, its sweeper, the same clock.

use std::sync::Arc;

use consign_ledger::command::{Command, Create};
use consign_ledger::delegation::terms::Terms;
use consign_ledger::query::SweepReport;
use consign_ledger::{AgentId, DelegationId, Ledger, Payload, Settings};
use consign_store_postgres::{PostgresStore, Wall};
use consign_sweeper::Sweeper;
use consign_testkit::scenario::Step;
use consign_testkit::{Backend, HandClock, SeededIds, THRESHOLD_S, World};
use tokio::task::JoinHandle;

pub(crate) struct Replica {
    pub(crate) ledger: Ledger<PostgresStore>,
    sweeper: Sweeper<PostgresStore>,
    desk: JoinHandle<()>,
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.desk.abort();
    }
}

impl Replica {
    pub(crate) async fn start(url: &str, clock: &HandClock, seed: u64) -> Self {
        let store = PostgresStore::open(url, clock.clone(), Wall::Given).await.unwrap();
        let settings = Settings { stuck_threshold_s: THRESHOLD_S };
        let (ledger, desk) = Ledger::open(store, settings, SeededIds::new(seed)).await.unwrap();
        let settings = consign_sweeper::Settings { interval_s: 300, brake: true };
        let sweeper = Sweeper::new(ledger.clone(), settings);
        Self { ledger, sweeper, desk: tokio::spawn(desk.run()) }
    }

    pub(crate) async fn sweep(&self) -> SweepReport {
        self.sweeper.pass().await
    }

    /// Time passes, and this server listens.
    pub(crate) async fn listen(&self) {
        self.ledger.listen().await.unwrap();
    }
}

/// The one request that a line of a script means.
pub(crate) fn command<B: Backend>(world: &World<B>, line: &str) -> Command {
    let Ok(Step::Acts(acts)) = Step::parse(line) else { panic!("{line:?} is no act") };
    world.command(&acts[0])
}

/// The plainest request to delegate.
pub(crate) fn delegate(id: &str) -> Command {
    let agent = |name| AgentId::new(name).unwrap();
    Command::Create(Box::new(Create {
        delegation_id: Some(DelegationId::new(id).unwrap()),
        caller_id: agent("alice"),
        callee_id: agent("bob"),
        bodies: Arc::new((Payload::Text("task".to_owned()), None)),
        idempotency_key: None,
        deadline: None,
        dispatched: false,
        max_attempts: 1,
        terms: Terms::default(),
        notify: None,
        parent_id: None,
    }))
}

/// Runs a test whose servers really run at once.
pub(crate) fn on_real_threads(test: impl Future<Output = ()>) {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(4).enable_all().build().unwrap().block_on(test);
}
