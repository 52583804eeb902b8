//! A worker that dies as processes do, or is suspended, or whose program does.

use jiff::Timestamp;
use rustix::process::Signal;
#[cfg(target_os = "linux")]
use rustix::process::{Pid, kill_process};
use serde_json::{Value, json};

use super::Shop;

const THRESHOLD_S: u32 = 2;
/// Runs until it is killed, and so does what it began.
const RUNS_ON: &str =
    "exec 9>wire; echo begun >&9; (trap '' TERM HUP; sleep 600) & trap '' TERM; sleep 600";

fn moment(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

#[test]
fn a_worker_that_is_killed_is_noticed_and_takes_its_programs_with_it() {
    let shop = Shop::open(THRESHOLD_S);
    let wire = shop.wire("wire");
    shop.asks("d1", RUNS_ON);
    let worker = shop.worker(&["--kill-after-s", "1"]);
    let mut heard = wire.hears();
    assert_eq!(heard.line(), "begun");
    worker.signal(Signal::KILL);
    let stuck = shop.client.until_stuck("d1");
    assert_eq!((&stuck["status"], &stuck["stuck_reason"]), (&json!("stuck"), &json!("silent")));
    let event = shop.client.events("d1").pop().unwrap();
    let silence = moment(&event["at"]).duration_since(moment(&stuck["last_heartbeat"]));
    assert!(silence.as_secs_f64() < f64::from(THRESHOLD_S) + 1.0, "{silence:?}");
    heard.until_all_are_gone();
}

/// As with `pkill -9 consign`, but of this worker's alone.
#[cfg(target_os = "linux")]
#[test]
fn a_worker_that_is_killed_with_all_that_bear_its_name_takes_its_programs_with_it() {
    let shop = Shop::open(600);
    let wire = shop.wire("wire");
    shop.asks("d1", RUNS_ON);
    let worker = shop.worker(&["--kill-after-s", "1"]);
    let mut heard = wire.hears();
    assert_eq!(heard.line(), "begun");
    let bears_its_name = |id: &&u32| {
        std::fs::read_to_string(format!("/proc/{id}/comm")).unwrap().contains("consign")
    };
    let begun = worker.children();
    assert_eq!(begun.len(), 2, "its program, and the guard");
    for id in begun.iter().filter(bears_its_name) {
        kill_process(Pid::from_raw(id.cast_signed()).unwrap(), Signal::KILL).unwrap();
    }
    worker.signal(Signal::KILL);
    heard.until_all_are_gone();
}

#[test]
fn the_work_of_a_worker_that_was_killed_is_done_by_another_where_attempts_are_allowed() {
    let shop = Shop::open(THRESHOLD_S);
    let wire = shop.wire("wire");
    let script = format!("[ $CONSIGN_ATTEMPT = 2 ] && {{ echo again; exit; }}\n{RUNS_ON}");
    shop.asks_with("d1", &script, json!({"max_attempts": 2, "stuck_grace_s": 1}));
    let first = shop.worker(&["--kill-after-s", "1"]);
    assert_eq!(wire.hears().line(), "begun");
    first.signal(Signal::KILL);
    let mut second = shop.worker(&["--once"]);
    assert_eq!(second.until("completed")["attempt"], 2);
    assert_eq!(shop.client.delegation("d1")["result"], "again\n");
    assert_eq!(shop.client.inbox("alice").len(), 1);
}

#[test]
fn the_late_answer_of_a_worker_that_was_suspended_is_refused_and_kept() {
    let shop = Shop::open(THRESHOLD_S);
    let (wire, gate) = (shop.wire("wire"), shop.wire("gate"));
    let script = "[ $CONSIGN_ATTEMPT = 2 ] && { echo again; exit; }
        exec 9>wire; echo begun >&9; read go < gate; echo first";
    shop.asks_with("d1", script, json!({"max_attempts": 2, "stuck_grace_s": 1}));
    let mut first = shop.worker(&["--once"]);
    let mut heard = wire.hears();
    assert_eq!(heard.line(), "begun");
    first.signal(Signal::STOP);
    let mut second = shop.worker(&["--once"]);
    second.until("completed");

    // The first one's program is done while nobody watches it.
    gate.lets_go();
    heard.until_all_are_gone();
    first.signal(Signal::CONT);
    assert_eq!(first.ends_well(), ["claimed", "kept-as-late"]);
    let late =
        shop.client.get("/v1/delegations/d1/late-results").expect(200)["late_results"].clone();
    assert_eq!(
        (&late[0]["result"], late.as_array().unwrap().len()),
        (&json!("first\n"), 1),
        "{late}"
    );
    let row = shop.client.delegation("d1");
    assert_eq!((&row["status"], &row["result"]), (&json!("completed"), &json!("again\n")));
}

#[test]
fn a_program_that_works_on_when_its_worker_is_back_in_time_is_not_disturbed() {
    let shop = Shop::open(THRESHOLD_S);
    let (wire, gate) = (shop.wire("wire"), shop.wire("gate"));
    shop.asks("d1", "exec 9>wire; echo begun >&9; read go < gate; echo done");
    let mut worker = shop.worker(&["--once"]);
    assert_eq!(wire.hears().line(), "begun");
    worker.signal(Signal::STOP);
    assert_eq!(shop.client.until_stuck("d1")["status"], "stuck");
    worker.signal(Signal::CONT);
    while shop.client.delegation("d1")["status"] == "stuck" {
        std::thread::yield_now();
    }
    gate.lets_go();
    assert_eq!(worker.ends_well(), ["claimed", "completed"]);
    let history = shop.client.event_kinds("d1");
    assert_eq!(history, ["created", "claimed", "stuck", "recovered", "completed"]);
}
