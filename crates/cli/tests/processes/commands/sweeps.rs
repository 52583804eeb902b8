//! The sweeper, asked by hand.

use serde_json::json;

use super::Session;

#[test]
fn a_sweep_reports_what_it_did() {
    let mut session = Session::new();
    session
        .types("consign sweep --help")
        .types("consign sweep")
        .types("consign sweep --json")
        .types("consign sweep --dry-run")
        .types("consign sweep --dry-run --json");
    session.reads_as("sweep");
}

#[test]
fn the_latest_sweeps_are_listed() {
    let mut session = Session::new();
    session.client().delegate("d1", &json!({"deadline_s": 1}));
    session.client().until_terminal("d1");
    session
        .types("consign sweeps --help")
        .types("consign sweeps | awk '$4 > 0 { print $3, $4, $5, $6, $7, $8, $9 }'")
        .types("consign sweeps --limit 0");
    session.reads_as("sweeps");
    let reports = session.prepares("consign sweeps --limit 1 --json");
    let reports: serde_json::Value = serde_json::from_str(&reports).unwrap();
    assert_eq!(reports["sweeps"].as_array().unwrap().len(), 1);
}
