//! The audit finds what somebody broke by hand, each thing by its name and at its place.

use consign_ledger::query::Finding;
use consign_store_postgres::{OpenError, audit};
use consign_testkit::World;
use consign_testkit::postgres::Database;

use super::backend::Postgres;

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
    ("SELECT setval('delegation_nums', 2)", "number-twice", "delegation"),
    ("UPDATE tallies SET count = count + 1 WHERE status = 'stuck'", "other-tally", "stuck"),
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
        "ALTER TABLE delegations DROP CONSTRAINT delegations_status_check;
         UPDATE delegations SET status = 'nonsense' WHERE num = 1",
        "impossible",
        "BEATS",
    ),
    ("ALTER TABLE tallies ADD CONSTRAINT few CHECK (count < 9) NOT VALID", "structure", "tallies.few"),
    (
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'watch_check'::regclass",
        "structure",
        "watch_check",
    ),
];

/// A ledger in which something of each kind is.
async fn world() -> World<Postgres> {
    let mut world = World::<Postgres>::new().await;
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
async fn found_after(original: &Database, sql: &str) -> Vec<Finding> {
    let copy = original.copy().await;
    copy.vandal().await.batch_execute(sql).await.unwrap();
    audit(&copy.url()).await.unwrap().findings
}

#[tokio::test]
async fn every_corruption_is_found_at_its_place() {
    let mut world = world().await;
    world.kill().await;
    let original = &world.backend().database;
    assert_eq!(found_after(original, "SELECT 1").await, [], "before anything was done");
    for (sql, check, place) in CORRUPTIONS {
        let findings = found_after(original, sql).await;
        let found = findings.iter().any(|it| it.check == *check && it.place.starts_with(place));
        assert!(found, "{check} at {place} was not found after: {sql}\n{findings:#?}");
    }
}

/// What the rules do write, and is easily taken for wrong.
#[tokio::test]
async fn what_the_deadline_or_the_brake_puts_off_is_sound() {
    let mut world = world().await;
    world.kill().await;
    for sql in [
        "UPDATE delegations SET deadline = (SELECT heard_until + 60000 FROM replicas) WHERE num = 1;
         UPDATE watch SET deadline = (SELECT heard_until + 60000 FROM replicas), check_at = NULL WHERE num = 1",
        "INSERT INTO gaps (from_at, to_at, cause) SELECT heard_until, heard_until + 86400000, 'brake' FROM replicas;
         UPDATE watch SET check_at = (SELECT heard_until + 86400000 FROM replicas) WHERE num = 1",
    ] {
        assert_eq!(found_after(&world.backend().database, sql).await, [], "{sql}");
    }
}

#[tokio::test]
async fn an_audit_counts_what_it_saw_while_the_ledger_is_open() {
    let world = world().await;
    let audit = audit(&world.backend().database.url()).await.unwrap();
    assert_eq!((audit.delegations, audit.findings), (6, vec![]));
    assert!(audit.events > 10 && audit.checks > 20, "{} {}", audit.events, audit.checks);
}

#[tokio::test]
async fn a_database_without_a_ledger_is_told_from_one_that_is_older() {
    let empty = Database::empty().await;
    let told = audit(&empty.url()).await.unwrap_err().to_string();
    assert!(told.contains("has no ledger in it"), "{told}");
    let older = super::backend::database().await;
    let sql = "DELETE FROM consign_migrations WHERE version > 1";
    older.vandal().await.batch_execute(sql).await.unwrap();
    let told = audit(&older.url()).await.unwrap_err().to_string();
    assert!(told.contains("schema version 1") && told.contains("consign migrate"), "{told}");
    let nowhere = older.url().replace(older.name(), "nowhere");
    let told = audit(&nowhere).await.unwrap_err();
    let consign_store_postgres::AuditError::Open(OpenError::NoDatabase { .. }) = told else {
        panic!("{told}")
    };
}
