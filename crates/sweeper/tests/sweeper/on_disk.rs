//! The sweeper as a server runs it: a store on disk, threads, real timers.

use std::sync::Arc;
use std::time::Duration;

use consign_ledger::command::{Command, Create};
use consign_ledger::delegation::deadline::DeadlineRequest;
use consign_ledger::delegation::status::Status;
use consign_ledger::delegation::terms::Terms;
use consign_ledger::{AgentId, Clock, Ledger, Payload, Reader as _};
use consign_store_sqlite::SqliteStore;
use consign_sweeper::{Settings, Sweeper};
use consign_testkit::SeededIds;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

/// Runs as the machine does, from a round moment on.
struct Running(Instant);

impl Clock for Running {
    fn wall_ms(&self) -> i64 {
        1_800_000_000_000 + self.boot_ms()
    }

    fn boot_ms(&self) -> i64 {
        i64::try_from(self.0.elapsed().as_millis()).expect("a test is short")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadline_is_met_when_it_is_past_and_not_before() {
    let place = tempfile::tempdir().unwrap();
    let store =
        SqliteStore::open(&place.path().join("ledger.db"), Running(Instant::now())).unwrap();
    let settings = consign_ledger::Settings { stuck_threshold_s: 600 };
    let (ledger, desk) = Ledger::open(store, settings, SeededIds::new(1)).await.unwrap();
    tokio::spawn(desk.run());
    let sweeper = Arc::new(Sweeper::new(ledger.clone(), Settings { interval_s: 300, brake: true }));
    let (stop, stopped) = watch::channel(false);
    let run = tokio::spawn({
        let sweeper = Arc::clone(&sweeper);
        async move { sweeper.run(stopped).await }
    });
    let id = ledger.act(one_second()).await.unwrap().delegation.delegation_id;
    let mut commits = ledger.commits();
    let verdict = async {
        loop {
            let (delegation, _) = ledger.reader().find(&id).await.unwrap().unwrap();
            if !delegation.in_flight() {
                return delegation;
            }
            commits.changed().await.unwrap();
        }
    };
    let failed = timeout(Duration::from_secs(10), verdict).await.expect("the net is at 300 s");
    assert_eq!(failed.status, Status::Failed);
    assert!(failed.finished_at > Some(failed.deadline));
    stop.send(true).unwrap();
    timeout(Duration::from_secs(5), run).await.expect("a stop ends it at once").unwrap();
}

fn one_second() -> Command {
    Command::Create(Box::new(Create {
        delegation_id: None,
        caller_id: AgentId::new("alice").expect("an id"),
        callee_id: AgentId::new("bob").expect("an id"),
        bodies: Arc::new((Payload::Text("in a second".to_owned()), None)),
        idempotency_key: None,
        deadline: Some(DeadlineRequest::In(1)),
        dispatched: false,
        max_attempts: 1,
        terms: Terms::default(),
        notify: None,
        parent_id: None,
    }))
}
