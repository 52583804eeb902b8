//! Two servers on one database: they share the work, and one that freezes in the middle of it holds nobody up.

use std::collections::HashSet;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::client::Client;
use crate::postgres::SharedLedger;
use crate::server::Server;

const OVERDUE: usize = 10_000;
/// From the first request to delegate to the deadline of all.
const DUE_AFTER: Duration = Duration::from_secs(15);
/// All have ended so soon after one of two servers froze.
const ENDED_WITHIN: Duration = Duration::from_secs(15);
/// A session that stays so long between two statements of a transaction belongs to a process that is frozen.
const FROZEN: &str = "
    SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'consign append'
    AND state = 'idle in transaction' AND clock_timestamp() - state_change > interval '100 ms'";

#[test]
fn two_servers_share_what_is_overdue_and_fail_each_once() {
    let ledger = SharedLedger::new();
    let (one, two) = (ledger.serve().start(), ledger.serve().start());
    delegate_all(&one.client());
    until_all_failed(&two.client(), Instant::now() + DUE_AFTER + ENDED_WITHIN);
    assert_each_failed_once(&ledger, &one.client());
    assert_eq!(
        ledger.count("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"),
        0
    );
    let (one, two) = (done_by(one), done_by(two));
    assert_eq!(one + two, OVERDUE, "{one} and {two}");
    assert!(one.min(two) >= OVERDUE / 5, "one did {one}, the other {two}");
}

#[test]
fn one_that_freezes_in_the_middle_of_a_batch_holds_nobody_up() {
    let ledger = SharedLedger::new();
    let (one, two) = (ledger.serve().start(), ledger.serve().start());
    let client = two.client();
    delegate_all(&one.client());
    let frozen = freeze_in_a_batch(&one, &ledger, &client);
    until_all_failed(&client, frozen + ENDED_WITHIN);
    assert_each_failed_once(&ledger, &client);
    // Awake again, it finds its batch gone and the work done.
    one.signal(Signal::CONT);
    one.client().delegate("after", &json!({}));
    assert_eq!(client.delegation("after")["status"], "queued");
}

/// All with one deadline.
fn delegate_all(client: &Client) {
    let deadline = jiff::Timestamp::now() + DUE_AFTER;
    let request = |number: usize| {
        let id = format!("agent-{number}");
        json!({"delegation_id": id, "caller_id": "alice", "callee_id": id, "task": "t", "deadline": deadline.to_string()})
    };
    for from in (0..OVERDUE).step_by(1000) {
        let requests: Vec<Value> = (from..from + 1000).map(request).collect();
        client.post("/v1/delegations/batch", &json!({"delegations": requests})).expect(200);
    }
    assert!(jiff::Timestamp::now() < deadline, "too slow: some were due before all were there");
}

fn failed(client: &Client) -> u64 {
    client.get("/v1/stats").expect(200)["failed"].as_u64().unwrap()
}

#[track_caller]
fn until_all_failed(client: &Client, at_most: Instant) {
    while failed(client) < OVERDUE as u64 {
        assert!(Instant::now() < at_most, "only {} have ended", failed(client));
        thread::sleep(Duration::from_millis(50));
    }
}

/// Stops the process where it has rows locked; when it was.
fn freeze_in_a_batch(server: &Server, ledger: &SharedLedger, other: &Client) -> Instant {
    while failed(other) == 0 {
        thread::sleep(Duration::from_millis(5));
    }
    loop {
        server.signal(Signal::STOP);
        let frozen = Instant::now();
        thread::sleep(Duration::from_millis(130));
        if ledger.count(FROZEN) > 0 {
            return frozen;
        }
        // Between two batches. Once more, a little later.
        assert!(failed(other) < OVERDUE as u64, "all was done before it froze in a batch");
        server.signal(Signal::CONT);
        thread::sleep(Duration::from_millis(13));
    }
}

/// One event and one message for each.
#[track_caller]
fn assert_each_failed_once(ledger: &SharedLedger, client: &Client) {
    let events = "SELECT count(*) FROM events WHERE kind = 'failed'";
    assert_eq!(usize::try_from(ledger.count(events)).unwrap(), OVERDUE);
    let messages = client.inbox("alice");
    let told: HashSet<&str> =
        messages.iter().map(|message| message["delegation_id"].as_str().unwrap()).collect();
    assert_eq!((messages.len(), told.len()), (OVERDUE, OVERDUE));
    assert!(
        messages.iter().all(|message| message["error_detail"] == "deadline exceeded by sweeper")
    );
    assert_eq!(client.get("/v1/stats").expect(200)["failed"], OVERDUE);
}

/// How many the server says that it found past their deadline. It says nothing of errors.
#[track_caller]
fn done_by(server: Server) -> usize {
    let log = server.log_to_its_end();
    // The tests' own database flushes nothing, and each server says so at its start.
    let mut troubles = log.lines().filter(|line| !line.contains("fsync = off"));
    assert!(!troubles.any(|line| line.contains("ERROR") || line.contains("WARN")), "{log}");
    let counts = log.lines().filter_map(|line| {
        let (before, _) = line.split_once(" past the deadline")?;
        before.split_whitespace().last()?.parse::<usize>().ok()
    });
    counts.sum()
}
