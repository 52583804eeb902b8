//! An end that somebody asks for: the ledger, or whoever runs the worker.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::json;

use super::{Shop, claim};

/// Says that it has begun and runs on, and what it leaves behind does, too; both hear of an end and take their time.
const STUBBORN: &str = "exec 9>wire; trap 'echo asked >&9' TERM
    (trap '' TERM; while :; do sleep 0.1; done) &
    echo begun >&9; while :; do sleep 0.1; done";
/// The same, but it ends when it is asked to.
const OBEDIENT: &str = "exec 9>wire; trap 'echo asked >&9; exit 0' TERM
    echo begun >&9; while :; do sleep 0.1; done";

#[test]
fn a_work_that_is_called_off_is_asked_to_end_and_then_made_to_with_all_that_it_began() {
    let shop = Shop::open(3);
    let wire = shop.wire("wire");
    shop.asks("d1", STUBBORN);
    let mut worker = shop.worker(&["--once", "--kill-after-s", "1"]);
    let mut heard = wire.hears();
    assert_eq!(heard.line(), "begun");
    shop.client.post("/v1/delegations/d1/cancel", &json!({})).expect(200);
    let called_off = Instant::now();
    assert_eq!(heard.line(), "asked");
    let asked = called_off.elapsed();
    assert!(asked < Duration::from_secs(3), "heard only after {asked:?}");
    heard.until_all_are_gone();
    let stopped = worker.until("stopped");
    assert!(stopped["detail"].as_str().unwrap().contains("cancelled"), "{stopped}");
    worker.ends_well();
    assert_eq!(shop.client.event_kinds("d1"), ["created", "claimed", "cancelled"]);
    let late = shop.client.get("/v1/delegations/d1/late-results").expect(200);
    assert_eq!(late["late_results"], json!([]), "a work that was cut off has no answer");
}

#[test]
fn a_worker_that_is_asked_to_end_gives_its_work_back() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let shop = Shop::open(600);
        let wire = shop.wire("wire");
        shop.asks("d1", OBEDIENT);
        let mut worker = shop.worker(&[]);
        let mut heard = wire.hears();
        assert_eq!(heard.line(), "begun");
        worker.signal(signal);
        assert_eq!(heard.until_all_are_gone(), "asked\n");
        assert_eq!(worker.ends_well(), ["claimed", "ending", "released"]);
        let row = shop.client.delegation("d1");
        assert_eq!((&row["status"], &row["attempt"]), (&json!("queued"), &json!(1)), "{row}");
    }
}

#[test]
fn a_worker_that_is_to_outlive_its_terminal_does() {
    let shop = Shop::open(600);
    let (wire, gate) = (shop.wire("wire"), shop.wire("gate"));
    shop.asks("d1", "exec 9>wire; echo begun >&9; read go < gate; echo done");
    let mut worker = shop.works_behind(claim().outliving_its_terminal(), &["--once"]);
    let mut heard = wire.hears();
    assert_eq!(heard.line(), "begun");
    worker.signal(Signal::HUP);
    gate.lets_go();
    heard.until_all_are_gone();
    assert_eq!(worker.ends_well(), ["claimed", "completed"]);
}

/// As in a container whose first process takes no note of those that it inherits: here that is the test.
#[cfg(target_os = "linux")]
#[test]
fn what_has_ended_is_not_waited_for_though_nobody_takes_note_of_it() {
    rustix::process::set_child_subreaper(Some(rustix::process::getpid())).unwrap();
    let shop = Shop::open(600);
    let wire = shop.wire("wire");
    shop.asks("d1", "exec 9>wire; sleep 600 & echo begun >&9; wait");
    let mut worker = shop.worker(&["--kill-after-s", "60"]);
    let mut heard = wire.hears();
    assert_eq!(heard.line(), "begun");
    worker.signal(Signal::TERM);
    let asked = Instant::now();
    heard.until_all_are_gone();
    assert_eq!(worker.ends_well(), ["claimed", "ending", "released"]);
    assert!(asked.elapsed() < Duration::from_secs(30), "{:?}", asked.elapsed());
}

#[test]
fn a_worker_that_is_asked_twice_ends_at_once_and_gives_its_work_back_nonetheless() {
    let shop = Shop::open(600);
    let wire = shop.wire("wire");
    shop.asks("d1", STUBBORN);
    let mut worker = shop.worker(&["--kill-after-s", "60"]);
    let mut heard = wire.hears();
    assert_eq!(heard.line(), "begun");
    worker.signal(Signal::TERM);
    assert_eq!(heard.line(), "asked");
    let again = Instant::now();
    worker.signal(Signal::TERM);
    heard.until_all_are_gone();
    assert_eq!(worker.ends_well(), ["claimed", "ending", "released"]);
    assert!(again.elapsed() < Duration::from_secs(10), "{:?}", again.elapsed());
    assert_eq!(shop.client.delegation("d1")["status"], "queued");
}

#[test]
fn what_a_program_leaves_behind_is_asked_to_end_but_once() {
    let shop = Shop::open(600);
    let wire = shop.wire("wire");
    // The shell ends at once; what it began takes its time, and would take a second request for an order.
    let script = "exec 9>wire
        (trap 'echo asked >&9; sleep 0.3; exit' TERM; echo begun >&9; while :; do sleep 0.1; done) & wait";
    shop.asks("d1", script);
    let mut worker = shop.worker(&[]);
    let mut heard = wire.hears();
    assert_eq!(heard.line(), "begun");
    worker.signal(Signal::TERM);
    assert_eq!(heard.until_all_are_gone(), "asked\n");
    assert_eq!(worker.ends_well(), ["claimed", "ending", "released"]);
}

#[test]
fn a_program_that_ends_together_with_its_worker_did_not_fail() {
    let shop = Shop::open(600);
    let wire = shop.wire("wire");
    shop.asks("d1", "exec 9>wire; echo $$ >&9; exec sleep 60");
    let mut worker = shop.worker(&[]);
    let mut heard = wire.hears();
    let program = heard.line().parse().ok().and_then(rustix::process::Pid::from_raw).unwrap();
    // As a service manager ends all of a service: whoever comes first.
    rustix::process::kill_process(program, Signal::TERM).unwrap();
    heard.until_all_are_gone();
    worker.signal(Signal::TERM);
    assert_eq!(worker.ends_well(), ["claimed", "ending", "released"]);
    assert_eq!(shop.client.delegation("d1")["status"], "queued");
}

#[test]
fn a_worker_that_waits_for_work_ends_when_it_is_asked_to_and_keeps_none() {
    let shop = Shop::open(600);
    let mut worker = shop.worker(&["--once"]);
    shop.asks("d1", "true");
    // What comes while it waits, comes at once: the next look by itself is half a minute away.
    assert_eq!(worker.ends_well(), ["claimed", "completed"]);
    let mut worker = shop.worker(&["--jobs", "2"]);
    shop.asks("d2", "true");
    worker.until("completed");
    worker.signal(Signal::TERM);
    let asked = Instant::now();
    assert_eq!(worker.ends_well(), ["ending"]);
    assert!(asked.elapsed() < Duration::from_secs(10), "{:?}", asked.elapsed());
    shop.asks("d3", "true");
    assert_eq!(shop.client.delegation("d3")["status"], "queued");
}

#[test]
fn what_a_program_leaves_behind_ends_with_it() {
    let shop = Shop::open(600);
    let wire = shop.wire("wire");
    shop.asks("d1", "exec 9>wire; (trap '' TERM; sleep 600) >/dev/null 2>&1 & echo done");
    let mut worker = shop.worker(&["--once", "--kill-after-s", "1"]);
    wire.hears().until_all_are_gone();
    assert_eq!(worker.ends_well(), ["claimed", "completed"]);
    assert_eq!(shop.client.delegation("d1")["result"], "done\n");
}
