//! Pruning: what goes, what is written down first, what stays.

use rusqlite::Connection;

use super::Session;

#[test]
fn what_was_kept_long_enough_goes_and_is_written_down_first() {
    let mut session = Session::new();
    session.delegates("old").delegates("read").delegates("waits");
    session.prepares("consign delegate --id young --caller alice --callee bob --task t");
    session.prepares("consign accept old --claim-id c --json > lease.json");
    session.prepares("consign complete read --result answer; consign cancel young");
    session.prepares("consign complete read --result another; consign inbox alice --limit 1 --ack");
    session.prepares("consign cancel old");
    // 40 days pass for what is over, but for the youngest.
    days_pass(&mut session, 40, "'read', 'old'");
    session
        .types("consign prune --help")
        .types("consign prune --dry-run")
        .types("consign prune --dry-run --json")
        .types("consign prune --export missing/went.jsonl")
        .types("consign prune --export went.jsonl")
        .types("ls -l went.jsonl | cut -c1-10")
        .types("wc -l < went.jsonl")
        .types("cut -c1-100 went.jsonl")
        .types("consign show read")
        .types("consign prune --json");
    days_pass(&mut session, 150, "'old'");
    session
        .types("consign prune --export went.jsonl")
        .types("wc -l < went.jsonl")
        .types("consign ls")
        .types("consign audit --database-url sqlite:consign.db");
    session.reads_as("prune");
    let line = session.prepares("head -1 went.jsonl");
    let went: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(went["delegation"]["result"], "answer");
    assert_eq!(went["late_results"][0]["result"], "another");
    let kinds: Vec<_> = went["events"].as_array().unwrap().iter().map(|it| &it["kind"]).collect();
    assert_eq!(kinds, ["created", "completed", "late_result"]);
}

/// As if so many days had passed since everything that happened to these.
fn days_pass(session: &mut Session, days: i64, ids: &str) {
    let ledger = Connection::open(session.ledger.folder().join("consign.db")).unwrap();
    let ms = days * 24 * 3600 * 1000;
    let sql = format!(
        "UPDATE delegations SET created_at = created_at - {ms}, updated_at = updated_at - {ms},
             queued_at = queued_at - {ms}, finished_at = finished_at - {ms}, deadline = deadline - {ms}
         WHERE delegation_id IN ({ids})"
    );
    ledger.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    ledger.execute_batch(&sql).unwrap();
}
