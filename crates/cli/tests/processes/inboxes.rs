//! A caller that reads its inbox, dies, and comes back.

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::server::Ledger;

#[test]
fn a_message_that_its_reader_did_not_live_to_acknowledge_comes_again_and_then_no_more() {
    let ledger = Ledger::new();
    let server = ledger.start(600);
    let client = server.client();
    for id in ["one", "two"] {
        client.delegate(id, &json!({}));
        let path = format!("/v1/delegations/{id}/complete");
        client.post(&path, &json!({"result": id})).expect(200);
    }
    // It reads, and is killed before it can say that it has.
    let reads = "consign inbox alice --wait-s 30 --json > seen.json; kill -KILL $$; \
                 consign inbox alice --ack-through 4";
    let died = shell(&ledger, &server.url(), reads);
    assert_eq!(died.signal(), Some(9), "{died}");
    let seen: Value =
        serde_json::from_slice(&std::fs::read(ledger.folder().join("seen.json")).unwrap()).unwrap();
    assert_eq!(ids(&seen), ["m-2", "m-4"]);
    server.kill();

    let server = ledger.start(600);
    let client = server.client();
    let again = client.get("/v1/agents/alice/inbox").expect(200);
    assert_eq!(again["messages"], seen["messages"]);
    let dealt_with_one = "consign inbox alice --limit 1 --ack --json > one.json";
    assert!(shell(&ledger, &server.url(), dealt_with_one).success());
    let left = client.get("/v1/agents/alice/inbox").expect(200);
    assert_eq!((ids(&left), &left["unread"]), (vec!["m-4"], &json!(1)));
    client.post("/v1/agents/alice/inbox/ack", &json!({"through": 4})).expect(200);
    server.kill();

    let server = ledger.start(600);
    let none = server.client().get("/v1/agents/alice/inbox").expect(200);
    assert_eq!((ids(&none), &none["unread"]), (vec![""; 0], &json!(0)));
}

fn shell(ledger: &Ledger, url: &str, line: &str) -> std::process::ExitStatus {
    let beside = Path::new(env!("CARGO_BIN_EXE_consign")).parent().unwrap();
    let path = format!("{}:{}", beside.display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-c", line]).env("PATH", path).env("CONSIGN_URL", url);
    shell.current_dir(ledger.folder()).status().unwrap()
}

fn ids(inbox: &Value) -> Vec<&str> {
    let messages = inbox["messages"].as_array().unwrap();
    messages.iter().map(|message| message["message_id"].as_str().unwrap()).collect()
}
