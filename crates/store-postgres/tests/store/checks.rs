//! The schema repeats the rules, word for word, and has SQLite's tables, column by column.

use std::collections::BTreeMap;

use consign_ledger::delegation::status::Status;
use consign_testkit::schema::{
    assert_bounds_are_the_rules_own, assert_lists_are_the_rules_own, inside, migrations, words,
};

use super::backend::database;

const POSTGRES: &str = env!("CARGO_MANIFEST_DIR");
const SQLITE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../store-sqlite");

/// What stands between the parentheses of each `CREATE TABLE`, by the table's name, without comments, and behind it
/// what was added later.
fn tables(crate_folder: &str) -> BTreeMap<String, String> {
    let scripts = migrations(crate_folder).into_iter().map(|(_, sql)| sql);
    let schema = scripts.collect::<Vec<_>>().concat();
    let code = schema.lines().map(|line| line.split("--").next().unwrap_or_default());
    let code = code.collect::<Vec<_>>().join("\n");
    let table = |text: &str| {
        let (name, rest) = text.split_once('(').unwrap();
        (name.trim().to_owned(), inside(rest).to_owned())
    };
    let mut tables: BTreeMap<_, _> = code.split("CREATE TABLE ").skip(1).map(table).collect();
    for added in code.split("ALTER TABLE ").skip(1) {
        let (name, rest) = added.split_once(" ADD COLUMN ").unwrap();
        let column = rest.split(';').next().unwrap();
        *tables.get_mut(name).unwrap() += &[", ", column].concat();
    }
    tables
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

#[test]
fn every_list_of_words_is_the_rules_own() {
    let tables: Vec<_> = tables(POSTGRES).into_iter().collect();
    assert_lists_are_the_rules_own(&tables, &["event"]);
}

#[test]
fn bounds_are_the_rules_own() {
    assert_bounds_are_the_rules_own(&tables(POSTGRES)["delegations"]);
}

#[test]
fn every_migration_has_sqlites_number_and_name() {
    let names = |folder| -> Vec<_> { migrations(folder).into_iter().map(|it| it.0).collect() };
    assert_eq!(names(POSTGRES), names(SQLITE));
}

/// Tables that only SQLite has: the mark, of which every replica has its own here, and counts per callee, for which
/// servers would wait here.
const SQLITES_TABLES: [&str; 2] = ["callee_tallies", "mark"];
/// A column that only SQLite has: the number of a verdict's event, which an index finds here.
const SQLITES_COLUMN: (&str, &str) = ("delegations", "verdict_seq");

#[test]
fn every_table_has_sqlites_columns() {
    let (ours, theirs) = (tables(POSTGRES), tables(SQLITE));
    let names = |tables: &BTreeMap<String, String>, own: &[&str]| -> Vec<String> {
        tables.keys().filter(|name| !own.contains(&name.as_str())).cloned().collect()
    };
    let shared = names(&theirs, &SQLITES_TABLES);
    assert_eq!(names(&ours, &["replicas"]), shared);
    for name in shared {
        let mut expected = columns(&theirs[&name]);
        expected.retain(|column| (name.as_str(), *column) != SQLITES_COLUMN);
        assert_eq!(columns(&ours[&name]), expected, "{name}");
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
