//! The schema repeats the rules, word for word.

use std::collections::BTreeMap;

use consign_ledger::delegation::status::Status;
use consign_testkit::schema::{
    assert_bounds_are_the_rules_own, assert_lists_are_the_rules_own, words,
};
use consign_testkit::{Backend as _, HandClock};
use rusqlite::Connection;

use super::backend::Sqlite;

/// A fresh ledger's file.
fn schema() -> (Sqlite, Connection) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let sqlite = runtime.block_on(async {
        let sqlite = Sqlite::fresh(HandClock::default()).await;
        drop(sqlite.open().await);
        sqlite
    });
    let vandal = sqlite.vandal();
    (sqlite, vandal)
}

/// Every table, by its name.
fn tables(schema: &Connection) -> BTreeMap<String, String> {
    let sql = "SELECT name, sql FROM sqlite_master WHERE type = 'table'";
    let mut statement = schema.prepare(sql).unwrap();
    let tables = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    tables.map(Result::unwrap).collect()
}

#[test]
fn every_list_of_words_is_the_rules_own() {
    let (_sqlite, schema) = schema();
    let tables: Vec<_> = tables(&schema).into_iter().collect();
    assert_lists_are_the_rules_own(&tables, &["delegation", "event"]);
}

#[test]
fn bounds_are_the_rules_own() {
    let (_sqlite, schema) = schema();
    assert_bounds_are_the_rules_own(&tables(&schema)["delegations"]);
}

#[test]
fn no_check_builds_a_table_for_every_row() {
    let (_sqlite, schema) = schema();
    for (table, definition) in tables(&schema) {
        for list in definition.split(" IN (").skip(1) {
            let list = list.split(')').next().unwrap();
            assert!(list.split(',').count() <= 2, "{table}: IN ({list}) is better spelled with OR");
        }
    }
}

#[test]
fn every_status_has_its_tally_from_the_start() {
    let (_sqlite, schema) = schema();
    let mut statement = schema.prepare("SELECT status, count FROM tallies").unwrap();
    let tallies = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let mut tallies: Vec<(String, i64)> = tallies.map(Result::unwrap).collect();
    tallies.sort_unstable();
    let mut expected: Vec<_> = words(Status::ALL).into_iter().map(|status| (status, 0)).collect();
    expected.sort_unstable();
    assert_eq!(tallies, expected);
}

/// Status, attempt, depth, stuck reason, finished, and whether the rules could write that.
type Case = (&'static str, i64, i64, Option<&'static str>, Option<i64>, bool);

#[test]
fn a_row_that_the_rules_cannot_write_is_refused_by_the_schema_too() {
    let (_sqlite, schema) = schema();
    let row = "INSERT INTO delegations (delegation_id, caller_id, callee_id, status, attempt, max_attempts, epoch,
                   held, queued_at, deadline, on_not_started, priority, notify_stuck, notify_recovered,
                   cancel_children, depth, fingerprint, late_count, version, created_at, updated_at,
                   stuck_reason, finished_at, last_act_kind, last_act_role)
               VALUES ('D', 'a', 'b', :status, :attempt, 1, 0, 0, 0, 0, 'stuck', 0, 0, 0, 0, :depth, x'00', 0, 1, 0, 0,
                       :reason, :finished, 'created', 'caller')";
    let cases: [Case; 9] = [
        ("queued", 1, 1, None, None, true),
        ("lost", 1, 1, None, None, false),
        ("queued", 2, 1, None, None, true),
        ("queued", 0, 1, None, None, false),
        ("queued", 1, 17, None, None, false),
        ("stuck", 1, 1, None, None, false),
        ("queued", 1, 1, Some("silent"), None, false),
        ("completed", 1, 1, None, None, false),
        ("queued", 1, 1, None, Some(0), false),
    ];
    for (status, attempt, depth, reason, finished, sound) in cases {
        let values = rusqlite::named_params! {
            ":status": status, ":attempt": attempt, ":depth": depth, ":reason": reason, ":finished": finished,
        };
        let written = schema.execute(row, values);
        assert_eq!(written.is_ok(), sound, "{status} {attempt} {depth} {reason:?} {finished:?}");
        schema.execute("DELETE FROM delegations", []).unwrap();
    }
}
