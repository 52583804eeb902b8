//! What a schema repeats of the rules, compared with the rules word for word, whichever database it is for.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use consign_ledger::delegation::change::{EventKind, Role};
use consign_ledger::delegation::listening::GapCause;
use consign_ledger::delegation::status::{FailureKind, Status, StuckReason};
use consign_ledger::delegation::terms::OnNotStarted;
use consign_ledger::delegation::{DEPTH_MAX, LATE_RESULTS_MAX};
use consign_ledger::query::StatusFilter;

/// Lists of words that a schema has at least.
const LISTS_MIN: usize = 18;

/// All migrations in a crate's folder, in their order: names, and what they do.
#[must_use]
pub fn migrations(crate_folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(crate_folder).join("migrations");
    let files = std::fs::read_dir(folder).expect("the crate has migrations");
    let mut files: Vec<_> = files.map(|file| file.expect("it is listed").path()).collect();
    files.sort();
    let read = |path: PathBuf| {
        let name = path.file_stem().expect("a file").to_string_lossy().into_owned();
        (name, std::fs::read_to_string(&path).expect("it can be read"))
    };
    files.into_iter().map(read).collect()
}

/// The text up to the parenthesis that closes it.
#[must_use]
pub fn inside(text: &str) -> &str {
    let mut depth = 1;
    let end = text.find(|c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        depth == 0
    });
    end.map_or(text, |end| &text[..end])
}

/// Every `CHECK` of a table that lists words, as (table.column, words).
fn lists(table: &str, definition: &str) -> Vec<(String, Vec<String>)> {
    let list = |check: &str| {
        let column = check.trim_start_matches('(').split([' ', ')']).next()?;
        let words: Vec<_> = check.split('\'').skip(1).step_by(2).map(str::to_owned).collect();
        (!words.is_empty()).then(|| (format!("{table}.{column}"), words))
    };
    definition.split("CHECK (").skip(1).map(inside).filter_map(list).collect()
}

/// The words of a list, in its order.
pub fn words<T: Display>(all: impl IntoIterator<Item = T>) -> Vec<String> {
    all.into_iter().map(|word| word.to_string()).collect()
}

/// Panics where a list of words in these tables, given as (name, definition), is not the rules' own.
/// `numbers` are the kinds of numbers that the store hands out.
pub fn assert_lists_are_the_rules_own(tables: &[(String, String)], numbers: &[&str]) {
    let lists: Vec<_> = tables.iter().flat_map(|(name, text)| lists(name, text)).collect();
    assert!(lists.len() >= LISTS_MIN, "the schema was not read: {lists:?}");
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
            "callee_tallies.status" => words(StatusFilter::InFlight.statuses()),
            "delegations.failure" => words(FailureKind::ALL),
            "delegations.stuck_reason" => words(StuckReason::ALL),
            "delegations.on_not_started" => words(OnNotStarted::ALL),
            "delegations.last_act_kind" | "events.kind" => words(EventKind::ALL),
            "delegations.last_act_role" | "events.role" | "late_results.role" => words(Role::ALL),
            "gaps.cause" => words(GapCause::ALL),
            "tasks.form" | "results.form" | "late_results.form" => words(["text", "json"]),
            "numbers.kind" => words(numbers),
            other => panic!("{other} has a list that no rule is named for"),
        };
        assert_eq!(list, rule, "{what}");
    }
    assert_eq!((whole, beside), (4, 2));
}

/// Panics where the bounds in the definition of the table of delegations are not the rules' own.
pub fn assert_bounds_are_the_rules_own(delegations: &str) {
    for bound in [
        format!("depth BETWEEN 1 AND {DEPTH_MAX})"),
        format!("late_count BETWEEN 0 AND {LATE_RESULTS_MAX})"),
    ] {
        assert!(delegations.contains(&bound), "{bound}");
    }
}
