//! What a program says while it works.

use serde_json::json;

use super::Shop;

#[test]
fn each_line_on_its_descriptor_is_its_newest_progress() {
    let shop = Shop::open(600);
    let gates = [1, 2].map(|n| shop.wire(&format!("gate-{n}")));
    let script = "echo 'page 3' >&5; read go < gate-1
        echo '{\"progress\": {\"page\": 4}}' >&5; read go < gate-2; echo done";
    shop.asks("d1", script);
    // Only what is new makes it beat so soon: the next heartbeat by itself is minutes away.
    let mut worker = shop.worker(&["--once", "--progress-fd", "5", "--heartbeat-s", "200"]);
    for (gate, progress) in gates.iter().zip([json!("page 3"), json!({"page": 4})]) {
        worker.until("said");
        assert_eq!(shop.client.delegation("d1")["progress"], progress);
        gate.lets_go();
    }
    worker.ends_well();
    assert_eq!(shop.client.delegation("d1")["result"], "done\n", "what it says is not its answer");
}

#[test]
fn a_program_that_waits_says_so_and_is_not_taken_for_silent() {
    let shop = Shop::open(600);
    let gates = [1, 2].map(|n| shop.wire(&format!("gate-{n}")));
    let script = "echo '{\"waiting\": {\"for\": \"human\", \"note\": \"may I?\"}}' >&3
        read go < gate-1; echo '{\"waiting\": null}' >&3; read go < gate-2; echo done";
    shop.asks("d1", script);
    let mut worker = shop.worker(&["--once", "--progress-fd", "3"]);
    for (gate, note) in gates.iter().zip([json!("may I?"), json!(null)]) {
        worker.until("said");
        assert_eq!(shop.client.delegation("d1")["waiting"]["note"], note);
        gate.lets_go();
    }
    worker.ends_well();
    let history = shop.client.event_kinds("d1");
    assert_eq!(history, ["created", "claimed", "waiting", "resumed", "completed"]);
}

#[test]
fn what_the_ledger_does_not_take_is_told_and_harms_nothing() {
    let shop = Shop::open(600);
    let gate = shop.wire("gate");
    shop.asks("d1", "echo '{\"waiting\": {\"for\": \"godot\"}}' >&3; read go < gate; echo done");
    let mut worker = shop.worker(&["--once", "--progress-fd", "3"]);
    let why = worker.until("not-taken")["detail"].as_str().unwrap().to_owned();
    assert!(why.contains("waiting"), "{why}");
    gate.lets_go();
    assert_eq!(worker.ends_well(), ["completed"]);
}

#[test]
fn what_a_program_says_last_is_known_with_its_verdict() {
    let shop = Shop::open(600);
    let script =
        |end| format!("echo 'page 1' >&3; seq 2 5000 >&3; printf 'the last page' >&3; {end}");
    shop.asks("done", &script("exit 0")).asks("gave-up", &script("exit 1"));
    shop.worker(&["--max-claims", "2", "--progress-fd", "3"]).ends_well();
    for (id, status) in [("done", "completed"), ("gave-up", "failed")] {
        let row = shop.client.delegation(id);
        assert_eq!(
            (&row["status"], &row["progress"]),
            (&json!(status), &json!("the last page")),
            "{row}"
        );
    }
}

#[test]
fn a_line_that_is_meant_as_a_heartbeat_and_is_none_is_told_and_is_no_progress() {
    let shop = Shop::open(600);
    shop.asks("d1", "echo '{\"waiting\": \"human\"}' >&3");
    let mut worker = shop.worker(&["--once", "--progress-fd", "3"]);
    let why = worker.until("not-taken")["detail"].as_str().unwrap().to_owned();
    assert!(why.contains("has the fields of a heartbeat, and is none: invalid type"), "{why}");
    worker.ends_well();
    assert_eq!(shop.client.delegation("d1")["progress"], json!(null));
}

#[test]
fn a_heartbeat_that_is_too_seldom_is_warned_about() {
    let shop = Shop::open(10);
    shop.asks("d1", "true");
    let mut worker = shop.worker(&["--once", "--heartbeat-s", "8"]);
    let why = worker.until("warning")["detail"].as_str().unwrap().to_owned();
    assert!(why.contains("every 8s is too seldom: the ledger looks after 10s"), "{why}");
}
