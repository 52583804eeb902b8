//! The server goes away while a program runs, or when it is done.

use rustix::process::Signal;
use serde_json::json;

use super::Shop;

/// Short enough that heartbeats are missed while the server is away.
const THRESHOLD_S: u32 = 2;

#[test]
fn a_server_that_restarts_disturbs_no_work() {
    let mut shop = Shop::open(THRESHOLD_S);
    let (wire, gate) = (shop.wire("wire"), shop.wire("gate"));
    shop.asks("d1", "exec 9>wire; echo begun >&9; read go < gate; echo done");
    let mut worker = shop.worker(&["--once"]);
    let mut heard = wire.hears();
    assert_eq!(heard.line(), "begun");
    shop.server.signal(Signal::KILL);
    worker.until("not-heard");
    shop.server = shop.ledger.start(THRESHOLD_S);
    worker.until("heard-again");
    gate.lets_go();
    heard.until_all_are_gone();
    assert_eq!(worker.ends_well(), ["completed"]);
    assert_eq!(shop.client.event_kinds("d1"), ["created", "claimed", "completed"]);
}

#[test]
fn what_a_program_says_while_the_server_is_away_is_passed_on_later() {
    let mut shop = Shop::open(600);
    let (wire, gate) = (shop.wire("wire"), shop.wire("gate"));
    shop.asks("d1", "exec 9>wire; echo begun >&9; read go < gate; echo 'page 3' >&3; sleep 600");
    let mut worker = shop.worker(&["--progress-fd", "3", "--heartbeat-s", "200"]);
    assert_eq!(wire.hears().line(), "begun");
    shop.server.signal(Signal::KILL);
    gate.lets_go();
    worker.until("not-heard");
    shop.server = shop.ledger.start(600);
    worker.until("said");
    assert_eq!(shop.client.delegation("d1")["progress"], "page 3");
}

#[test]
fn a_work_that_is_done_while_the_server_is_away_is_not_lost() {
    let mut shop = Shop::open(THRESHOLD_S);
    let (wire, gate) = (shop.wire("wire"), shop.wire("gate"));
    shop.asks("d1", "exec 9>wire; echo begun >&9; read go < gate; echo done");
    let mut worker = shop.worker(&["--once"]);
    assert_eq!(wire.hears().line(), "begun");
    shop.server.signal(Signal::KILL);
    gate.lets_go();
    worker.until("not-answered");
    shop.server = shop.ledger.start(THRESHOLD_S);
    worker.until("completed");
    worker.ends_well();
    assert_eq!(shop.client.delegation("d1")["result"], "done\n");
}

#[test]
fn an_answer_that_nobody_takes_before_the_worker_must_end_is_kept_in_a_file() {
    let mut shop = Shop::open(THRESHOLD_S);
    let (wire, gate) = (shop.wire("wire"), shop.wire("gate"));
    shop.asks("d1", "exec 9>wire; echo begun >&9; read go < gate; echo done");
    let mut worker = shop.worker(&["--kill-after-s", "0"]);
    assert_eq!(wire.hears().line(), "begun");
    shop.server.signal(Signal::KILL);
    gate.lets_go();
    worker.until("not-answered");
    worker.signal(Signal::TERM);
    let lost = worker.until("lost")["detail"].as_str().unwrap().to_owned();
    worker.ends_well();
    let (_, rest) = lost.split_once("kept in ").unwrap();
    let (file, _) = rest.split_once(':').unwrap();
    let request: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    std::fs::remove_file(file).unwrap();
    shop.server = shop.ledger.start(THRESHOLD_S);
    shop.client.post("/v1/delegations/d1/complete", &request).expect(200);
    assert_eq!(shop.client.delegation("d1")["result"], json!("done\n"));
}

#[test]
fn a_worker_waits_for_a_server_that_goes_away_and_not_for_one_that_was_never_there() {
    let mut shop = Shop::open(600);
    let mut worker = shop.worker(&["--retry-for-s", "0", "--once"]);
    shop.asks("d0", "true");
    worker.ends_well();
    let mut worker = shop.worker(&["--retry-for-s", "0", "--max-claims", "2"]);
    shop.asks("d1", "true");
    worker.until("completed");
    shop.server.signal(Signal::KILL);
    worker.until("away");
    let (status, told) = shop.worker(&["--retry-for-s", "0"]).ends();
    assert_eq!((status.code(), told.len()), (Some(5), 0));
    shop.server = shop.ledger.start(600);
    shop.asks("d2", "true");
    worker.until("completed");
    worker.ends_well();
}

#[test]
fn a_worker_whose_server_goes_away_before_there_was_any_work_waits_for_it_too() {
    let mut shop = Shop::open(600);
    let mut worker = shop.worker(&["--retry-for-s", "0", "--once"]);
    shop.client.until_waiting(1);
    shop.server.signal(Signal::KILL);
    worker.until("away");
    shop.server = shop.ledger.start(600);
    shop.asks("d1", "true");
    worker.until("completed");
    worker.ends_well();
}
