//! Looking at one delegation, and at all of them from afar.

use serde_json::json;

use super::Session;

#[test]
fn show_tells_the_whole_of_it() {
    let mut session = Session::new();
    session.client().delegate(
        "odd id/..?\u{fc}",
        &json!({
            "task": {"pages": 12}, "idempotency_key": "k", "stuck_threshold_s": 725, "stuck_grace_s": 60,
            "start_within_s": 90, "progress_within_s": 4000, "max_attempts": 2, "priority": 5,
            "notify": ["stuck"], "metadata": {"a": 1},
        }),
    );
    session
        .types("consign show --help")
        .types("consign show 'odd id/..?\u{fc}'")
        .types("consign heartbeat 'odd id/..?\u{fc}' --progress 'two\nlines' && consign show 'odd id/..?\u{fc}'")
        .types("consign complete 'odd id/..?\u{fc}' --result done && consign show 'odd id/..?\u{fc}' --json")
        .types("consign show nobody")
        .types("consign show nobody --json")
        .types("consign show ''")
        .types("consign show");
    session.reads_as("show");
}

#[test]
fn json_is_what_the_server_answers() {
    let session = Session::new();
    session.delegates("d1");
    let client = session.client();
    for (line, path) in [
        ("consign show d1 --json", "/v1/delegations/d1"),
        ("consign ls --json", "/v1/delegations"),
        ("consign events d1 --json", "/v1/delegations/d1/events"),
        ("consign late-results d1 --json", "/v1/delegations/d1/late-results"),
        ("consign children d1 --json", "/v1/delegations/d1/children"),
        ("consign inbox alice --json", "/v1/agents/alice/inbox"),
        ("consign stats --json", "/v1/stats"),
    ] {
        let printed = session.prepares(line);
        let document: serde_json::Value = serde_json::from_str(&printed).unwrap();
        assert_eq!(document, client.get(path).expect(200), "{line}");
        assert_eq!(printed.lines().count(), 1, "{line}");
    }
}

#[test]
fn events_tell_what_happened_in_order() {
    let mut session = Session::new();
    session.delegates("d1");
    session.prepares(
        "consign heartbeat d1; consign retry d1; consign cancel d1 --reason 'not needed'",
    );
    session
        .types("consign events --help")
        .types("consign events d1")
        .types("consign events d1 --after 2 --json")
        .types("consign events d1 --limit 1")
        .types("consign events d1 --after 99")
        .types("consign events nobody");
    session.reads_as("events");
}

#[test]
fn explain_says_what_comes_next_and_why() {
    let mut session = Session::new();
    session.delegates("d1").delegates("d2");
    session.prepares("consign heartbeat d1; consign complete d2 --result done");
    session
        .types("consign explain --help")
        .types("consign explain d1")
        .types("consign explain d2")
        .types("consign explain d2 --json")
        .types("consign explain nobody");
    session.reads_as("explain");
}

#[test]
fn late_results_are_listed() {
    let mut session = Session::new();
    session.delegates("d1").delegates("d2");
    session.prepares("consign cancel d1");
    session
        .types("consign late-results --help")
        .types("consign complete d1 --result 'it was ready'")
        .types("consign fail d1 --error-detail 'or not'")
        .types("consign late-results d1")
        .types("consign late-results d1 --json")
        .types("consign late-results d2")
        .types("consign late-results nobody");
    session.reads_as("late-results");
}

#[test]
fn stats_count_every_status() {
    let mut session = Session::new();
    session.delegates("d1").delegates("d2");
    session.prepares("consign cancel d2");
    session.types("consign stats --help").types("consign stats").types("consign stats --json");
    session.reads_as("stats");
}
