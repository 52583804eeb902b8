//! What whoever watches the server is told: each number where it belongs, and each documented.

use std::collections::{BTreeMap, BTreeSet};

use crate::cast::Door;

const DOCUMENTED: &str = include_str!("../../../../docs/metrics.md");

/// Each line that is no comment, by what stands before its number.
async fn scraped(door: &mut Door) -> BTreeMap<String, f64> {
    let answer = door.get("/metrics").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    let lines = answer.text.lines().filter(|line| !line.starts_with('#'));
    let number = |line: &str| {
        let (name, number) = line.rsplit_once(' ').expect("a name and a number");
        (name.to_owned(), number.parse().expect("a number"))
    };
    lines.map(number).collect()
}

#[tokio::test]
async fn each_number_tells_what_happened() {
    let mut door = Door::open().await;
    for id in ["D1", "D2", "D3"] {
        door.delegated(id).await;
    }
    door.verb("D1", "heartbeat", "{}").await;
    door.verb("D1", "heartbeat", "{}").await;
    door.verb("D1", "complete", r#"{"result":"r"}"#).await;
    door.verb("D2", "heartbeat", "{}").await;
    door.verb("D3", "extend", r#"{"deadline_s":2}"#).await;
    door.wait(6).await;
    let late = scraped(&mut door).await;
    door.post("/v1/sweeps", "").await;
    let swept = scraped(&mut door).await;
    for (name, before, after) in [
        ("consign_store_up", 1.0, 1.0),
        (r#"consign_delegations{status="in_progress"}"#, 1.0, 0.0),
        (r#"consign_delegations{status="completed"}"#, 1.0, 1.0),
        (r#"consign_delegations{status="queued"}"#, 1.0, 0.0),
        (r#"consign_delegations{status="stuck"}"#, 0.0, 1.0),
        (r#"consign_delegations{status="failed"}"#, 0.0, 1.0),
        ("consign_due_lag_seconds", 4.0, 0.0),
        ("consign_deaf_seconds", 0.0, 0.0),
        ("consign_brake_seconds", 0.0, 0.0),
        ("consign_waiting_requests", 0.0, 0.0),
        ("consign_heartbeats_total", 1.0, 1.0),
        ("consign_gaps_total", 0.0, 0.0),
        ("consign_store_failures_total", 0.0, 0.0),
        ("consign_sweeps_total", 0.0, 1.0),
        (r#"consign_swept_total{outcome="deadline_failed"}"#, 0.0, 1.0),
        (r#"consign_swept_total{outcome="stuck"}"#, 0.0, 1.0),
        (r#"consign_swept_total{outcome="error"}"#, 0.0, 0.0),
        // Three new ones, two first beats, a verdict, an extension; then what the pass did, and asked the brake.
        ("consign_commands_total", 7.0, 10.0),
        ("consign_batches_total", 7.0, 10.0),
    ] {
        assert_eq!((late[name], swept[name]), (before, after), "{name}");
    }
}

#[tokio::test]
async fn every_metric_is_documented_and_every_documented_one_is_there() {
    let mut door = Door::open().await;
    let scraped = scraped(&mut door).await;
    let bare = |name: &str| name.split('{').next().unwrap_or_default().to_owned();
    let told: BTreeSet<String> = scraped.keys().map(|name| bare(name)).collect();
    // What stands in the first column of a table; the other store's is not told here.
    let rows = DOCUMENTED.lines().filter(|line| line.starts_with("| `consign_"));
    let cells = rows.filter_map(|row| row.split('|').nth(1)).flat_map(|cell| cell.split('`'));
    let documented: BTreeSet<String> =
        cells.filter(|name| name.starts_with("consign_")).map(bare).collect();
    let store =
        if told.iter().any(|name| name.contains("postgres")) { "sqlite" } else { "postgres" };
    let expected: BTreeSet<String> =
        documented.into_iter().filter(|name| !name.contains(store)).collect();
    assert_eq!(told, expected);
}
