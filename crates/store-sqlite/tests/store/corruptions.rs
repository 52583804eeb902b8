//! The audit finds what somebody broke by hand, each thing by its name and at its place.

use std::path::Path;

use consign_store_sqlite::{Finding, audit, backup};
use consign_testkit::World;
use rusqlite::Connection;
use tempfile::TempDir;

use super::backend::Sqlite;

/// What is done to the ledger, which check must find it, and where.
const CORRUPTIONS: &[(&str, &str, &str)] = &[
    ("DELETE FROM watch WHERE num = 1", "not-watched", "BEATS"),
    (
        "INSERT INTO watch (num, attempt, deadline) SELECT num, 1, deadline FROM delegations
         WHERE delegation_id = 'DONE'",
        "watched-in-vain",
        "DONE",
    ),
    ("UPDATE watch SET deadline = deadline + 86400000 WHERE num = 1", "other-deadline", "BEATS"),
    (
        "UPDATE watch SET deadline = 0 WHERE num = 1; UPDATE delegations SET deadline = 0 WHERE num = 1",
        "overdue",
        "BEATS",
    ),
    ("UPDATE watch SET epoch = epoch + 1 WHERE num = 1", "other-epoch", "BEATS"),
    ("UPDATE watch SET attempt = 7 WHERE num = 1", "other-epoch", "BEATS"),
    ("UPDATE watch SET check_at = NULL WHERE num = 1", "never-looked-at", "BEATS"),
    ("UPDATE watch SET check_at = check_at + 86400000 WHERE num = 1", "looked-at-late", "BEATS"),
    (
        "DELETE FROM events WHERE kind = 'completed'",
        "not-one-verdict",
        "DONE",
    ),
    (
        "INSERT INTO events (seq, num, kind, attempt, at, role, from_status, to_status)
         SELECT last + 1, 3, 'completed', 1, 9999999999999, 'callee', 'completed', 'completed' FROM numbers
         WHERE kind = 'event'",
        "not-one-verdict",
        "DONE",
    ),
    (
        "UPDATE delegations SET verdict_seq = verdict_seq - 1 WHERE delegation_id = 'DONE'",
        "verdict-elsewhere",
        "DONE",
    ),
    ("UPDATE delegations SET verdict_seq = NULL WHERE delegation_id = 'DONE'", "verdict-elsewhere", "DONE"),
    ("UPDATE delegations SET verdict_seq = 1 WHERE delegation_id = 'BEATS'", "verdict-elsewhere", "BEATS"),
    (
        "UPDATE events SET kind = 'failed' WHERE kind = 'completed'",
        "other-verdict",
        "DONE",
    ),
    ("UPDATE delegations SET finished_at = finished_at + 1 WHERE num = 3", "other-verdict", "DONE"),
    (
        "DELETE FROM messages WHERE seq = (SELECT seq FROM events WHERE kind = 'completed')",
        "not-told",
        "DONE",
    ),
    ("INSERT INTO messages (agent_id, seq) VALUES ('alice', 999)", "told-of-nothing", "message 999 of alice"),
    ("INSERT INTO messages (agent_id, seq) VALUES ('mallory', 1)", "told-of-nothing", "message 1 of mallory"),
    ("DELETE FROM events WHERE kind = 'started' AND num = 3", "broken-history", "DONE"),
    (
        "UPDATE events SET to_status = 'failed' WHERE kind = 'late_result'",
        "revised-verdict",
        "DONE",
    ),
    (
        "UPDATE delegations SET status = 'cancelled' WHERE delegation_id = 'DONE'",
        "other-status",
        "DONE",
    ),
    ("UPDATE delegations SET version = version + 1 WHERE num = 1", "other-version", "BEATS"),
    ("DELETE FROM delegations WHERE delegation_id = 'GONE'", "event-of-nothing", "event"),
    ("INSERT INTO progress (num, progress) VALUES (999, '1')", "left-behind", "number 999"),
    ("UPDATE delegations SET parent_id = 'NOWHERE' WHERE num = 1", "names-nothing", "BEATS"),
    ("INSERT INTO inboxes (agent_id, acked_through) VALUES ('alice', 999)", "read-ahead", "alice"),
    ("UPDATE events SET at = 1 WHERE kind = 'completed'", "back-in-time", "event"),
    ("UPDATE numbers SET last = 2 WHERE kind = 'event'", "number-twice", "event"),
    ("UPDATE numbers SET last = 0 WHERE kind = 'delegation'", "number-twice", "delegation"),
    ("UPDATE tallies SET count = count + 1 WHERE status = 'stuck'", "other-tally", "stuck"),
    (
        "UPDATE callee_tallies SET count = count + 1 WHERE callee_id = 'carol' AND status = 'stuck'",
        "other-callee-tally",
        "carol",
    ),
    ("DELETE FROM callee_tallies WHERE callee_id = 'dave'", "other-callee-tally", "dave"),
    ("UPDATE keys SET num = 3", "key-held-in-vain", "DONE"),
    ("DELETE FROM keys", "key-not-held", "KEYED"),
    ("DELETE FROM tasks WHERE num = 1", "no-task", "BEATS"),
    (
        "INSERT INTO results (num, form, preview) VALUES (1, 'text', 'early')",
        "result-without-verdict",
        "BEATS",
    ),
    ("DELETE FROM late_results", "other-late-results", "DONE"),
    (
        "PRAGMA ignore_check_constraints = 1; UPDATE delegations SET status = 'nonsense' WHERE num = 1",
        "file",
        "the ledger's file",
    ),
];

/// A ledger in which something of each kind is.
async fn world() -> World<Sqlite> {
    let mut world = World::<Sqlite>::new().await;
    world
        .play(
            "
            alice delegates BEATS to bob, threshold 10m
            alice delegates KEYED to bob, key K
            alice delegates DONE to bob
            alice delegates GONE to bob
            alice delegates SILENT to carol, threshold 1m
            bob beats BEATS & bob beats DONE & carol beats SILENT
            wait 5m
            bob beats BEATS
            sweep                     SILENT stuck: no heartbeat for 5m0s
            bob completes DONE with \"42\"
            bob fails DONE with \"no\"        refused already-terminal and kept
            alice cancels GONE
            bob delegates PART to dave, under BEATS
            wait 1m
            sweep                     nothing",
        )
        .await;
    world
}

/// What the audit of a copy finds after this was done to it.
fn found_after(original: &Path, sql: &str) -> Vec<Finding> {
    let folder = TempDir::new().unwrap();
    let copy = folder.path().join("copy.db");
    backup(original, &copy, |_| {}).unwrap();
    assert_eq!(audit(&copy).unwrap().findings, [], "before anything was done");
    let vandal = Connection::open(&copy).unwrap();
    vandal.execute_batch(sql).unwrap();
    assert!(vandal.changes() > 0, "nothing was done by: {sql}");
    drop(vandal);
    audit(&copy).unwrap().findings
}

#[tokio::test]
async fn every_corruption_is_found_at_its_place() {
    let world = world().await;
    let path = world.backend().path();
    for (sql, check, place) in CORRUPTIONS {
        let findings = found_after(&path, sql);
        let found = findings.iter().any(|it| it.check == *check && it.place.starts_with(place));
        assert!(found, "{check} at {place} was not found after: {sql}\n{findings:#?}");
    }
}

/// What the rules do write, and is easily taken for wrong.
#[tokio::test]
async fn what_the_deadline_or_the_brake_puts_off_is_sound() {
    let world = world().await;
    for sql in [
        "UPDATE delegations SET deadline = (SELECT heard_until + 60000 FROM mark) WHERE num = 1;
         UPDATE watch SET deadline = (SELECT heard_until + 60000 FROM mark), check_at = NULL WHERE num = 1",
        "INSERT INTO gaps (from_at, to_at, cause) SELECT heard_until, heard_until + 86400000, 'brake' FROM mark;
         UPDATE watch SET check_at = (SELECT heard_until + 86400000 FROM mark) WHERE num = 1",
    ] {
        assert_eq!(found_after(&world.backend().path(), sql), [], "{sql}");
    }
}

#[tokio::test]
async fn a_page_that_was_overwritten_is_found() {
    let world = world().await;
    let folder = TempDir::new().unwrap();
    let copy = folder.path().join("copy.db");
    backup(&world.backend().path(), &copy, |_| {}).unwrap();
    let mut bytes = std::fs::read(&copy).unwrap();
    bytes[3 * 4096 + 8..3 * 4096 + 2048].fill(0x55);
    std::fs::write(&copy, bytes).unwrap();
    let findings = audit(&copy).unwrap().findings;
    assert!(findings.iter().any(|it| it.check == "file"), "{findings:?}");
}

#[tokio::test]
async fn an_audit_counts_what_it_saw_while_the_ledger_is_open() {
    let world = world().await;
    let audit = audit(&world.backend().path()).unwrap();
    assert_eq!((audit.delegations, audit.findings), (6, vec![]));
    assert!(audit.events > 10 && audit.checks > 20, "{} {}", audit.events, audit.checks);
}
