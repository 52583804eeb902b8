//! Following a delegation live, and waiting for its verdict.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};

use super::Session;

#[test]
fn watch_ends_by_the_verdict() {
    let mut session = Session::with_threshold(2);
    for id in ["d1", "d2", "d3"] {
        session.delegates(id);
    }
    session.prepares("consign heartbeat d1");
    session
        .types("consign watch --help")
        .types("consign watch d1 --until stuck")
        .types("consign complete d1 --result 'the answer' && consign watch d1")
        .types("consign watch d1 --json")
        .types("consign fail d2 --error-detail 'no disk'; consign watch d2")
        .types("consign cancel d3 --reason why; consign watch d3")
        .types("consign watch nobody")
        .types("consign watch nobody --json")
        .types("consign watch d1 --until maybe");
    session.reads_as("watch");
}

#[test]
fn watch_gives_up_when_its_time_is_over() {
    let session = Session::new();
    session.delegates("d1");
    let begun = Instant::now();
    let output = session.output("consign watch d1 --timeout-s 2");
    assert_eq!(output.status.code(), Some(13));
    assert!(begun.elapsed() >= Duration::from_secs(2) && begun.elapsed() < Duration::from_secs(5));
    assert!(String::from_utf8(output.stdout).unwrap().ends_with("d1 is queued\n"));
}

#[test]
fn watch_tells_each_event_as_it_happens() {
    let session = Session::new();
    session.delegates("d1");
    let mut shell = session.shell("exec consign watch d1 --json");
    let mut watching = shell.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines();
    let mut next = || -> Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    assert_eq!(next()["kind"], "created");
    session.prepares("consign heartbeat d1");
    assert_eq!(next()["kind"], "started");
    session.prepares("consign complete d1 --result done");
    assert_eq!(next()["kind"], "completed");
    assert_eq!(next()["delegation"]["result"], "done");
    assert!(watching.wait().unwrap().success());
}

#[test]
fn watch_outlives_a_restart_of_the_server() {
    let session = Session::new();
    session.delegates("d1");
    let mut shell = session.shell("exec consign watch d1 --retry-for-s 0");
    let mut watching = shell.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().contains("created"));
    let Session { ledger, server, .. } = session;
    server.stop(Signal::TERM);
    let mut complaints = BufReader::new(watching.stderr.take().unwrap()).lines();
    assert!(complaints.next().unwrap().unwrap().contains("does not answer"));
    let server = ledger.start(600);
    server.client().post("/v1/delegations/d1/complete", &json!({"result": 42})).expect(200);
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    assert_eq!(rest.last().unwrap(), "42");
    assert!(watching.wait().unwrap().success());
}

#[test]
fn delegating_can_wait_for_the_verdict() {
    let mut session = Session::with_threshold(1);
    session
        .types("consign delegate --caller a --callee b --task t --id d1 --deadline-s 2 --wait")
        .types("(sleep 1; consign complete d2 --result done >/dev/null) & consign delegate --caller a --callee b --task t --id d2 --wait")
        .types("(sleep 1; consign cancel d3 >/dev/null) & consign delegate --caller a --callee b --task t --id d3 --wait")
        .types("(sleep 1; consign heartbeat d4 >/dev/null; sleep 3; consign complete d4 --result late >/dev/null) & consign delegate --caller a --callee b --task t --id d4 --wait")
        .types("(sleep 1; consign heartbeat d5 >/dev/null) & consign delegate --caller a --callee b --task t --id d5 --wait --until stuck")
        .types("consign delegate --caller a --callee b --task t --id d6 --wait --timeout-s 1");
    session.reads_as("delegate-wait");
    let printed = session.prepares(
        "(sleep 1; consign complete d7 --result done >/dev/null) & \
         consign delegate --caller a --callee b --task t --id d7 --wait --json",
    );
    let document: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(document["delegation"]["result"], "done");
}
