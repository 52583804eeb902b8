//! The brake: when most of a fleet falls silent at once, it is more likely the network than their death.

use std::collections::HashSet;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::Client;
use crate::server::Ledger;

const AGENTS: usize = 5000;
/// The fleet beats in so many groups, evenly spread over its interval.
const GROUPS: usize = 10;
/// From one group to the next: each beats every two seconds.
const BETWEEN: Duration = Duration::from_millis(200);
const THRESHOLD_S: u32 = 6;

#[test]
fn a_fleet_that_falls_silent_together_is_held_for_one_threshold() {
    let ledger = Ledger::new();
    let server = ledger.start(THRESHOLD_S);
    let client = server.client();
    delegate_all(&client);
    let one = name(0);
    let silent = |id: &str| id == one;

    // One alone, while the others beat: found as if there were no brake.
    beat_for(Duration::from_secs(u64::from(THRESHOLD_S) + 3), &client, silent);
    assert_eq!(client.delegation(&one)["status"], "stuck");
    assert!(silence_ms(&client.delegation(&one)) < 1000 * (i64::from(THRESHOLD_S) + 2));
    assert_eq!(client.get("/v1/stats").expect(200)["stuck"], 1);

    // All the others at once: each held for one more threshold, then found.
    let others = until_all_stuck(&client).into_iter();
    let others = others.filter(|row| row["delegation_id"] != json!(one));
    let silences: Vec<i64> = others.map(|row| silence_ms(&row)).collect();
    assert_eq!(silences.len(), AGENTS - 1);
    let (shortest, longest) = (silences.iter().min().unwrap(), silences.iter().max().unwrap());
    let two_thresholds = 2000 * i64::from(THRESHOLD_S);
    assert!(*shortest >= two_thresholds, "the brake held for too short: {shortest} ms");
    assert!(*longest < two_thresholds + 3000, "the dead were found too late: {longest} ms");
    assert!(server.log().to_lowercase().contains("brake"), "said loudly");
}

fn name(number: usize) -> String {
    format!("agent-{number}")
}

fn delegate_all(client: &Client) {
    let request = |number| {
        let id = name(number);
        json!({"delegation_id": id, "caller_id": "alice", "callee_id": id, "task": "watch"})
    };
    for from in (0..AGENTS).step_by(1000) {
        let requests: Vec<Value> = (from..from + 1000).map(request).collect();
        client.post("/v1/delegations/batch", &json!({"delegations": requests})).expect(200);
    }
}

/// The groups beat in turn. The silent one beats once, at the beginning.
fn beat_for(time: Duration, client: &Client, silent: impl Fn(&str) -> bool) {
    let begun = Instant::now();
    let mut next = BETWEEN;
    for turn in 0.. {
        let ids = (turn % GROUPS..AGENTS).step_by(GROUPS).map(name);
        let ids: HashSet<String> = ids.filter(|id| turn < GROUPS || !silent(id)).collect();
        beat(client, &ids);
        if next > time {
            return;
        }
        thread::sleep(next.saturating_sub(begun.elapsed()));
        next += BETWEEN;
    }
}

fn beat(client: &Client, ids: &HashSet<String>) {
    let beats: Vec<Value> = ids.iter().map(|id| json!({"delegation_id": id})).collect();
    let answer = client.post("/v1/heartbeats", &json!({"heartbeats": beats})).expect(200);
    let outcomes = answer["outcomes"].as_array().unwrap();
    assert!(outcomes.iter().all(|outcome| outcome["ok"] == true), "{answer}");
}

/// Every row, once all are stuck.
fn until_all_stuck(client: &Client) -> Vec<Value> {
    loop {
        let rows = stuck(client);
        let found: HashSet<&str> =
            rows.iter().filter_map(|row| row["delegation_id"].as_str()).collect();
        let Some(missing) = (0..AGENTS).map(name).find(|id| !found.contains(id.as_str())) else {
            return rows;
        };
        client.until_stuck(&missing);
    }
}

fn stuck(client: &Client) -> Vec<Value> {
    let (mut rows, mut cursor) = (vec![], String::new());
    loop {
        let path = format!("/v1/delegations?status=stuck&limit=1000{cursor}");
        let page = client.get(&path).expect(200);
        rows.extend(page["delegations"].as_array().unwrap().iter().cloned());
        let Some(next) = page["next_cursor"].as_str() else { return rows };
        cursor = format!("&cursor={next}");
    }
}

/// From its last heartbeat to when it was marked.
fn silence_ms(stuck: &Value) -> i64 {
    milliseconds(&stuck["updated_at"]) - milliseconds(&stuck["last_heartbeat"])
}

fn milliseconds(time: &Value) -> i64 {
    let time: jiff::Timestamp = time.as_str().unwrap().parse().unwrap();
    time.as_millisecond()
}
