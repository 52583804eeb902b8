//! Killed under load, again and again: what was acknowledged is there, and nothing is there twice.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::postgres::SharedLedger;
use crate::server::{Ledger, Server, free_port};

const KILLS: u32 = 20;
const CALLERS: usize = 6;

#[test]
fn nothing_acknowledged_is_lost_and_nothing_is_done_twice() {
    let ledger = Ledger::new();
    survives_kills(|| ledger.serve().start());
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_is_done_twice_in_postgresql() {
    let (ledger, listen) = (SharedLedger::new(), format!("127.0.0.1:{}", free_port()));
    survives_kills(|| ledger.serve().env("CONSIGN_LISTEN", &listen).start());
}

fn survives_kills(start: impl Fn() -> Server) {
    let mut server = start();
    let client = server.client();
    let over = AtomicBool::new(false);
    let (server, done) = thread::scope(|scope| {
        let caller = |number| (number, client.clone(), &over);
        let callers: Vec<_> = (0..CALLERS)
            .map(caller)
            .map(|(number, client, over)| scope.spawn(move || call(number, &client, over)))
            .collect();
        for kill in 0..KILLS {
            // Each time somewhere else in what it does.
            thread::sleep(Duration::from_millis(u64::from(200 + kill * 37 % 300)));
            server.kill();
            server = start();
        }
        over.store(true, Ordering::Relaxed);
        let done: usize = callers.into_iter().map(|caller| caller.join().unwrap()).sum();
        (server, done)
    });
    assert!(done > KILLS as usize, "only {done} delegations went through");
    let messages: usize = (0..CALLERS).map(|number| audit(number, &client)).sum();
    let stats = client.get("/v1/stats").expect(200);
    assert_eq!((messages, &stats["completed"]), (done, &json!(done)));
    assert_eq!((&stats["queued"], &stats["in_progress"]), (&json!(0), &json!(0)));
    server.kill();
}

/// Delegates, beats and completes, one after another, each act repeated until it is acknowledged.
pub(crate) fn call(number: usize, client: &Client, over: &AtomicBool) -> usize {
    let (caller, worker) = (format!("caller-{number}"), format!("worker-{number}"));
    let mut done = 0;
    while !over.load(Ordering::Relaxed) {
        let id = format!("{caller}-{done}");
        let task = json!({"n": done});
        let request =
            json!({"delegation_id": id, "caller_id": caller, "callee_id": worker, "task": task});
        insist(client, "/v1/delegations", &request);
        let path = format!("/v1/delegations/{id}");
        insist(client, &format!("{path}/heartbeat"), &json!({"progress": done}));
        let seen = client_get(client, &path);
        assert_eq!(seen["delegation"]["task"], task, "acknowledged, and not there");
        let answer = insist(client, &format!("{path}/complete"), &json!({"result": task}));
        assert_eq!(answer["delegation"]["status"], "completed");
        done += 1;
    }
    done
}

/// The acknowledgement, however often it must be asked for.
fn insist(client: &Client, path: &str, body: &Value) -> Value {
    acknowledged(|| client.try_ask(Method::POST, path, Some(body)))
}

fn client_get(client: &Client, path: &str) -> Value {
    acknowledged(|| client.try_ask(Method::GET, path, None))
}

fn acknowledged(ask: impl Fn() -> reqwest::Result<Answer>) -> Value {
    loop {
        match ask() {
            Ok(Answer { status: 200 | 201, body }) => return body,
            Ok(Answer { status: 503, .. }) | Err(_) => thread::sleep(Duration::from_millis(20)),
            Ok(answer) => panic!("{answer:?}"),
        }
    }
}

/// One verdict and one message for each; how many messages there are.
pub(crate) fn audit(number: usize, client: &Client) -> usize {
    let caller = format!("caller-{number}");
    let mut told: HashMap<String, Value> = HashMap::new();
    for message in client.inbox(&caller) {
        let id = message["delegation_id"].as_str().unwrap().to_owned();
        let again = told.insert(id, message["result"].clone());
        assert!(again.is_none(), "told twice: {message}");
    }
    for (id, result) in &told {
        assert_eq!(client.event_kinds(id), ["created", "started", "completed"], "{id}");
        let delegation = client.delegation(id);
        assert_eq!((&delegation["result"], &delegation["task"]), (result, result), "{id}");
    }
    told.len()
}
