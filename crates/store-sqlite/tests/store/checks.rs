//! The schema repeats the rules, word for word.

use consign_ledger::delegation::change::{EventKind, Role};
use consign_ledger::delegation::listening::GapCause;
use consign_ledger::delegation::status::{FailureKind, Status, StuckReason};
use consign_ledger::delegation::terms::OnNotStarted;
use consign_ledger::delegation::{DEPTH_MAX, LATE_RESULTS_MAX};
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

/// Every `CHECK` of the schema that lists words, as (table, column, words).
fn lists(schema: &Connection) -> Vec<(String, String, Vec<String>)> {
    let mut statement =
        schema.prepare("SELECT name, sql FROM sqlite_master WHERE type = 'table'").unwrap();
    let tables = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let tables: Vec<(String, String)> = tables.map(Result::unwrap).collect();
    let mut lists = vec![];
    for (table, sql) in tables {
        for check in sql.split("CHECK (").skip(1).map(inside) {
            let column = check.trim_start_matches('(').split([' ', ')']).next().unwrap();
            let words: Vec<_> = check.split('\'').skip(1).step_by(2).map(str::to_owned).collect();
            if !words.is_empty() {
                lists.push((table.clone(), column.to_owned(), words));
            }
        }
    }
    lists
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

fn words<T: std::fmt::Display>(all: impl IntoIterator<Item = T>) -> Vec<String> {
    all.into_iter().map(|word| word.to_string()).collect()
}

#[test]
fn every_list_of_words_is_the_rules_own() {
    let (_sqlite, schema) = schema();
    let lists = lists(&schema);
    assert!(lists.len() >= 18, "the schema was not read: {lists:?}");
    let terminal = || Status::ALL.iter().filter(|status| !status.in_flight());
    let (mut whole, mut beside) = (0, 0);
    for (table, column, list) in lists {
        let what = format!("{table}.{column}");
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
            "numbers.kind" => words(["delegation", "event"]),
            other => panic!("{other} has a list that no rule is named for"),
        };
        assert_eq!(list, rule, "{what}");
    }
    assert_eq!((whole, beside), (4, 2));
}

#[test]
fn bounds_are_the_rules_own() {
    let (_sqlite, schema) = schema();
    let sql = "SELECT sql FROM sqlite_master WHERE name = 'delegations'";
    let sql: String = schema.query_row(sql, [], |row| row.get(0)).unwrap();
    for bound in [
        format!("depth BETWEEN 1 AND {DEPTH_MAX})"),
        format!("late_count BETWEEN 0 AND {LATE_RESULTS_MAX})"),
    ] {
        assert!(sql.contains(&bound), "{bound}");
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
