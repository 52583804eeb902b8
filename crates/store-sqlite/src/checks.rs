//! The lists in the schema's `CHECK`s are the rules' own words.

use consign_ledger::delegation::change::{EventKind, Role};
use consign_ledger::delegation::listening::GapCause;
use consign_ledger::delegation::status::{FailureKind, Status, StuckReason};
use consign_ledger::delegation::terms::OnNotStarted;
use rusqlite::Connection;

const SCHEMA: &str = include_str!("../migrations/0001_ledger.sql");

macro_rules! words {
    ($words:ty) => {
        <$words>::ALL.iter().map(|word| word.as_str()).collect::<Vec<_>>()
    };
}

/// What SQLite keeps of a table's definition, on one line.
fn definition(table: &str) -> String {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(SCHEMA).unwrap();
    let sql = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?1";
    let sql: String = connection.query_row(sql, [table], |row| row.get(0)).unwrap();
    sql.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn tables() -> Vec<String> {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(SCHEMA).unwrap();
    let sql = "SELECT name FROM sqlite_master WHERE type = 'table'";
    let mut statement = connection.prepare(sql).unwrap();
    let names = statement.query_map([], |row| row.get(0)).unwrap();
    names.collect::<Result<_, _>>().unwrap()
}

#[test]
fn a_list_in_a_check_is_the_rules_own() {
    for (table, column, words) in [
        ("delegations", "status", words!(Status)),
        ("delegations", "failure", words!(FailureKind)),
        ("delegations", "stuck_reason", words!(StuckReason)),
        ("delegations", "last_act_kind", words!(EventKind)),
        ("delegations", "last_act_role", words!(Role)),
        ("events", "kind", words!(EventKind)),
        ("events", "role", words!(Role)),
        ("events", "from_status", words!(Status)),
        ("events", "to_status", words!(Status)),
        ("late_results", "role", words!(Role)),
        ("gaps", "cause", words!(GapCause)),
        ("tallies", "status", words!(Status)),
    ] {
        let either: Vec<_> = words.iter().map(|word| format!("{column} = '{word}'")).collect();
        let check = format!("CHECK ({})", either.join(" OR "));
        assert!(definition(table).contains(&check), "{table} must have {check}");
    }
    let starts = words!(OnNotStarted).join("', '");
    assert!(definition("delegations").contains(&format!("CHECK (on_not_started IN ('{starts}'))")));
}

#[test]
fn a_terminal_row_says_when_it_ended() {
    let terminal = Status::ALL.iter().filter(|status| !status.in_flight());
    let terminal: Vec<_> = terminal.map(|status| format!("status = '{status}'")).collect();
    let check = format!("CHECK (({}) = (finished_at IS NOT NULL))", terminal.join(" OR "));
    assert!(definition("delegations").contains(&check), "{check}");
}

#[test]
fn no_check_builds_a_table_for_every_row() {
    for table in tables() {
        let definition = definition(&table);
        for list in definition.split(" IN (").skip(1) {
            let list = list.split(')').next().unwrap();
            assert!(list.split(',').count() <= 2, "{table}: IN ({list}) is better spelled with OR");
        }
    }
}
