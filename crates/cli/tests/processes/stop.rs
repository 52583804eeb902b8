//! Stopping: at once, with an answer for everybody who waits.

use std::thread;
use std::time::Duration;

use reqwest::Method;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::client::Client;
use crate::server::Ledger;

#[test]
fn a_stop_answers_who_waits_and_takes_no_time() {
    for signal in [Signal::TERM, Signal::INT] {
        let ledger = Ledger::new();
        let server = ledger.start(600);
        let client = server.client();
        client.delegate("d1", &json!({}));
        let asks: [fn(&Client) -> Value; 3] = [
            |client| client.until_terminal("d1"),
            |client| client.post("/v1/agents/carol/claim", &json!({"wait_s": 60})).expect(200),
            |client| client.get("/v1/agents/alice/inbox?wait_s=60").expect(200),
        ];
        let waiters = asks.map(|ask| {
            let client = client.clone();
            thread::spawn(move || ask(&client))
        });
        client.until_waiting(3);

        let (status, after) = server.stop(signal);
        assert_eq!(status.code(), Some(0));
        assert!(after < Duration::from_secs(2), "{after:?}");
        let [delegation, claim, inbox] = waiters.map(|waiter| waiter.join().unwrap());
        assert_eq!(delegation["status"], "queued");
        assert_eq!(claim, json!({"claims": []}));
        assert_eq!((&inbox["messages"], &inbox["unread"]), (&json!([]), &json!(0)));
    }
}

/// What is there is told to whoever asks in the last moment; what was given to a claim is its own.
#[test]
fn a_stop_gives_work_to_nobody_who_is_not_told_of_it() {
    let ledger = Ledger::new();
    let server = ledger.start(600);
    let client = server.client();
    let workers: Vec<_> = (0..20)
        .map(|n| {
            let client = client.clone();
            let body = json!({"wait_s": 60, "claim_id": format!("worker-{n}")});
            thread::spawn(move || {
                let answer = client.try_ask(Method::POST, "/v1/agents/bob/claim", Some(&body));
                answer.unwrap().expect(200)["claims"].as_array().unwrap().len()
            })
        })
        .collect();
    client.until_waiting(20);
    let delegates = thread::spawn(move || {
        let create = |n: &usize| {
            let request = json!({
                "delegation_id": format!("d{n}"), "caller_id": "alice", "callee_id": "bob", "task": "t",
            });
            client
                .try_ask(Method::POST, "/v1/delegations", Some(&request))
                .is_ok_and(|it| it.status == 201)
        };
        (0..100).take_while(create).count()
    });
    let (status, _) = server.stop(Signal::TERM);
    assert_eq!(status.code(), Some(0));
    let (made, taken) = (
        delegates.join().unwrap(),
        workers.into_iter().map(|worker| worker.join().unwrap()).sum::<usize>(),
    );

    let left = ledger.start(600).client().get("/v1/stats").expect(200);
    let count = |status: &str| usize::try_from(left[status].as_u64().unwrap()).unwrap();
    assert_eq!(count("in_progress"), taken, "{left}");
    assert!(count("queued") + taken >= made, "{made} made, {left}");
}

#[test]
fn what_was_written_is_there_after_a_stop() {
    let ledger = Ledger::new();
    let server = ledger.start(600);
    server.client().delegate("d1", &json!({"task": {"n": 1}}));
    let (status, _) = server.stop(Signal::TERM);
    assert_eq!(status.code(), Some(0));

    // One file holds all of it, so that it can be copied.
    for beside in ["consign.db-wal", "consign.db-shm"] {
        assert!(!ledger.folder().join(beside).exists(), "{beside}");
    }

    let server = ledger.start(600);
    assert_eq!(server.client().delegation("d1")["task"], json!({"n": 1}));
}
