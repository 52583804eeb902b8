//! The door's own tests over PostgreSQL: the same requests, and word for word the same answers.
//!
//! This test has the name of theirs, because their snapshots are found by it.

#[path = "../../../api-http/tests/door/agents.rs"]
mod agents;
#[path = "../../../api-http/tests/door/bad_input.rs"]
mod bad_input;
#[path = "../../../api-http/tests/door/batches.rs"]
mod batches;
#[path = "../../../api-http/tests/door/cast.rs"]
mod cast;
#[path = "../../../api-http/tests/door/document.rs"]
mod document;
#[path = "../../../api-http/tests/door/hosts.rs"]
mod hosts;
#[path = "../../../api-http/tests/door/metrics.rs"]
mod metrics;
#[path = "../../../api-http/tests/door/pruning.rs"]
mod pruning;
#[path = "../../../api-http/tests/door/questions.rs"]
mod questions;
#[path = "../../../api-http/tests/door/repeats.rs"]
mod repeats;
mod store;
#[path = "../../../api-http/tests/door/unread.rs"]
mod unread;
#[path = "../../../api-http/tests/door/verbs.rs"]
mod verbs;
#[path = "../../../api-http/tests/door/waiting.rs"]
mod waiting;

#[test]
fn every_test_of_the_door_is_run_here() {
    let theirs = include_str!("../../../api-http/tests/door/main.rs");
    let ours = include_str!("main.rs");
    let named = theirs.lines().filter(|line| line.starts_with("mod "));
    let missing: Vec<_> = named.filter(|line| !ours.lines().any(|ours| ours == *line)).collect();
    assert!(missing.is_empty(), "not run over PostgreSQL: {missing:?}");
}
