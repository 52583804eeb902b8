//! The schema repeats the rules, word for word, and has SQLite's tables, column by column.

use std::collections::BTreeMap;

use consign_ledger::delegation::change::{EventKind, Role};
use consign_ledger::delegation::listening::GapCause;
use consign_ledger::delegation::status::{FailureKind, Status, StuckReason};
use consign_ledger::delegation::terms::OnNotStarted;
use consign_ledger::delegation::{DEPTH_MAX, LATE_RESULTS_MAX};

use super::backend::database;

const SCHEMA: &str = include_str!("../../migrations/0001_ledger.sql");
const SQLITE: &str = include_str!("../../../store-sqlite/migrations/0001_ledger.sql");

/// What stands between the parentheses of each `CREATE TABLE`, by the table's name, without comments.
fn tables(schema: &str) -> BTreeMap<String, String> {
    let code = schema.lines().map(|line| line.split("--").next().unwrap_or_default());
    let code = code.collect::<Vec<_>>().join("\n");
    let table = |text: &str| {
        let (name, rest) = text.split_once('(').unwrap();
        (name.trim().to_owned(), inside(rest).to_owned())
    };
    code.split("CREATE TABLE ").skip(1).map(table).collect()
}

/// The text up to the parenthesis that closes it.
fn inside(text: &str) -> &str {
    let mut depth = 1;
    let end = text.find(|c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        depth == 0
    });
    &text[..end.unwrap()]
}

/// The names of a table's columns.
fn columns(table: &str) -> Vec<&str> {
    let (mut depth, mut from, mut parts) = (0, 0, vec![]);
    for (at, c) in table.char_indices() {
        depth += i32::from(c == '(') - i32::from(c == ')');
        if c == ',' && depth == 0 {
            parts.push(&table[from..at]);
            from = at + 1;
        }
    }
    parts.push(&table[from..]);
    let first = |part: &'_ str| part.trim().split([' ', '(']).next().unwrap_or_default().len();
    let names = parts.iter().map(|part| &part.trim()[..first(part)]);
    names.filter(|name| !["CHECK", "PRIMARY", "UNIQUE"].contains(name)).collect()
}

/// Every `CHECK` that lists words, as (table.column, words).
fn lists() -> Vec<(String, Vec<String>)> {
    let mut lists = vec![];
    for (table, text) in tables(SCHEMA) {
        for check in text.split("CHECK (").skip(1).map(inside) {
            let column = check.trim_start_matches('(').split([' ', ')']).next().unwrap();
            let words: Vec<_> = check.split('\'').skip(1).step_by(2).map(str::to_owned).collect();
            if !words.is_empty() {
                lists.push((format!("{table}.{column}"), words));
            }
        }
    }
    lists
}

fn words<T: std::fmt::Display>(all: impl IntoIterator<Item = T>) -> Vec<String> {
    all.into_iter().map(|word| word.to_string()).collect()
}

#[test]
fn every_list_of_words_is_the_rules_own() {
    let lists = lists();
    assert!(lists.len() >= 18, "the schema was not read: {lists:?}");
    let terminal = || Status::ALL.iter().filter(|status| !status.in_flight());
    let (mut whole, mut beside) = (0, 0);
    for (what, list) in lists {
        let rule = match what.as_str() {
            // Beside the list itself: what belongs to being stuck, and to having a verdict.
            "delegations.status" if list == ["stuck"] || list == words(terminal()) => {
                beside += 1;
                list.clone()
            }
            "late_results.status" => words([Status::Completed, Status::Failed]),
            "delegations.status" | "tallies.status" | "events.from_status" | "events.to_status" => {
                whole += 1;
                words(Status::ALL)
            }
            "delegations.failure" => words(FailureKind::ALL),
            "delegations.stuck_reason" => words(StuckReason::ALL),
            "delegations.on_not_started" => words(OnNotStarted::ALL),
            "delegations.last_act_kind" | "events.kind" => words(EventKind::ALL),
            "delegations.last_act_role" | "events.role" | "late_results.role" => words(Role::ALL),
            "gaps.cause" => words(GapCause::ALL),
            "tasks.form" | "results.form" | "late_results.form" => words(["text", "json"]),
            "numbers.kind" => words(["event"]),
            other => panic!("{other} has a list that no rule is named for"),
        };
        assert_eq!(list, rule, "{what}");
    }
    assert_eq!((whole, beside), (4, 2));
}

#[test]
fn bounds_are_the_rules_own() {
    for bound in [
        format!("depth BETWEEN 1 AND {DEPTH_MAX})"),
        format!("late_count BETWEEN 0 AND {LATE_RESULTS_MAX})"),
    ] {
        assert!(tables(SCHEMA)["delegations"].contains(&bound), "{bound}");
    }
}

/// But for the mark, of which every replica has its own here.
#[test]
fn every_table_has_sqlites_columns() {
    let (ours, theirs) = (tables(SCHEMA), tables(SQLITE));
    let names = |tables: &BTreeMap<String, String>, own: &str| -> Vec<String> {
        tables.keys().filter(|name| *name != own).cloned().collect()
    };
    assert_eq!(names(&ours, "replicas"), names(&theirs, "mark"));
    for (name, text) in theirs.iter().filter(|(name, _)| *name != "mark") {
        assert_eq!(columns(&ours[name]), columns(text), "{name}");
    }
}

/// Status, attempt, depth, stuck reason, finished, and whether the rules could write that.
type Case = (&'static str, i64, i64, Option<&'static str>, Option<i64>, bool);

#[tokio::test]
async fn a_row_that_the_rules_cannot_write_is_refused_by_the_schema_too() {
    let database = database().await;
    let vandal = database.vandal().await;
    let row = "INSERT INTO delegations (num, delegation_id, caller_id, callee_id, status, attempt, max_attempts, epoch,
                   held, queued_at, deadline, on_not_started, priority, notify_stuck, notify_recovered,
                   cancel_children, depth, fingerprint, late_count, version, created_at, updated_at,
                   stuck_reason, finished_at, last_act_kind, last_act_role)
               VALUES (1, 'D', 'a', 'b', $1, $2, 1, 0, false, 0, 0, 'stuck', 0, false, false, false, $3, '', 0, 1, 0, 0,
                       $4, $5, 'created', 'caller')";
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
        let written = vandal.execute(row, &[&status, &attempt, &depth, &reason, &finished]).await;
        assert_eq!(written.is_ok(), sound, "{status} {attempt} {depth} {reason:?} {finished:?}");
        vandal.batch_execute("DELETE FROM delegations").await.unwrap();
    }
}

#[tokio::test]
async fn every_status_has_its_tally_from_the_start() {
    let database = database().await;
    let sql = "SELECT status, count FROM tallies";
    let tallies = database.vandal().await.query(sql, &[]).await.unwrap();
    let mut tallies: Vec<(String, i64)> =
        tallies.iter().map(|row| (row.get(0), row.get(1))).collect();
    tallies.sort_unstable();
    let mut expected: Vec<_> = words(Status::ALL).into_iter().map(|status| (status, 0)).collect();
    expected.sort_unstable();
    assert_eq!(tallies, expected);
}
