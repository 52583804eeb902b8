//! The main job: silence is news, an answer is kept, a deadline holds.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::Client;
use crate::fleet::Fleet;
use crate::server::Ledger;

#[test]
fn silence_is_news_and_an_answer_is_the_only_verdict() {
    let ledger = Ledger::new();
    let server = ledger.start(5);
    let client = server.client();
    client.delegate("d1", &json!({}));
    // Read before the answer: the ledger hears a beat before it says so, and a busy disk lies in between.
    let last_heard = Instant::now();
    assert_eq!(client.heartbeat("d1")["current_status"], "in_progress");

    let stuck = client.until_stuck("d1");
    let after = last_heard.elapsed();
    assert!(after > Duration::from_secs(5) && after < Duration::from_secs(7), "{after:?}");
    assert_eq!(stuck["status"], "stuck");
    let detail = stuck["error_detail"].as_str().unwrap();
    assert!(["no heartbeat for 5s", "no heartbeat for 6s"].contains(&detail), "{detail}");

    assert_eq!(client.heartbeat("d1")["current_status"], "in_progress");
    assert_eq!(client.delegation("d1")["error_detail"], Value::Null);
    one_verdict(&client);
}

fn one_verdict(client: &Client) {
    let complete = || client.post("/v1/delegations/d1/complete", &json!({"result": "42"}));
    let answer = complete().expect(200);
    assert_eq!(
        (&answer["changed"], &answer["delegation"]["status"]),
        (&json!(true), &json!("completed"))
    );

    let refused =
        client.post("/v1/delegations/d1/fail", &json!({"error_detail": "no"})).expect(409);
    assert_eq!(refused["current_status"], "completed");
    assert!(refused["type"].as_str().unwrap().ends_with("already-terminal"), "{refused}");

    assert_eq!(complete().expect(200)["changed"], json!(false));
    let inbox = client.inbox("alice");
    assert_eq!(inbox.len(), 1, "{inbox:?}");
    assert_eq!((&inbox[0]["kind"], &inbox[0]["result"]), (&json!("verdict"), &json!("42")));
}

#[test]
fn a_deadline_ends_what_beats() {
    let ledger = Ledger::new();
    let server = ledger.start(600);
    let client = server.client();
    let begun = Instant::now();
    client.delegate("d1", &json!({"deadline_s": 3}));
    let fleet = Fleet::of_one("d1", &client);

    let ended = client.until_terminal("d1");
    let after = begun.elapsed();
    assert!(after > Duration::from_secs(3) && after < Duration::from_secs(5), "{after:?}");
    assert_eq!(ended["status"], "failed");
    assert_eq!(ended["error_detail"], "deadline exceeded by sweeper");
    assert_eq!(ended["failure"], "deadline_exceeded");
    drop(fleet);
}

#[test]
fn a_deadline_ends_what_is_silent_too() {
    let ledger = Ledger::new();
    let server = ledger.start(2);
    let client = server.client();
    client.delegate("d1", &json!({"deadline_s": 4}));
    client.heartbeat("d1");

    assert_eq!(client.until_stuck("d1")["status"], "stuck");
    let ended = client.until_terminal("d1");
    assert_eq!(ended["status"], "failed");
    assert_eq!(ended["error_detail"], "deadline exceeded by sweeper");
    assert_eq!(client.event_kinds("d1"), ["created", "started", "stuck", "failed"]);
}

#[test]
fn who_takes_all_connections_holds_up_no_verdict() {
    let ledger = Ledger::new();
    let server = ledger.serve().with_open_files(64).start();
    let client = server.client();
    client.delegate("D", &json!({"deadline_s": 2}));
    let address = server.url().replace("http://", "");
    let _idle: Vec<_> = (0..100).map(|_| TcpStream::connect(&address).unwrap()).collect();
    let verdict = client.until_terminal("D");
    assert_eq!(verdict["error_detail"], "deadline exceeded by sweeper");
    assert!(server.log().contains("all connections that may be open"), "{}", server.log());
    assert!(
        !server.log().contains("ERROR") && !server.log().contains("cannot see"),
        "{}",
        server.log()
    );
}
