//! A ledger in PostgreSQL is judged as one in a file is: what is wrong is named, with what to do.

use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::postgres::SharedLedger;
use crate::server::Server;

fn asked(ledger: &SharedLedger, server: &Server, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_consign"));
    command.args(args).env("CONSIGN_DATABASE_URL", ledger.url()).env("CONSIGN_URL", server.url());
    command.output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What the doctor says of each thing: its state, and what was seen.
fn diagnosis(output: &Output) -> Vec<(String, String, String)> {
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |it: &Value, field: &str| it[field].as_str().unwrap().to_owned();
    let found = told["found"].as_array().unwrap().iter();
    found.map(|it| (text(it, "what"), text(it, "state"), text(it, "seen"))).collect()
}

fn ills(output: &Output) -> Vec<String> {
    let ill = diagnosis(output).into_iter().filter(|(_, state, _)| state == "wrong");
    ill.map(|(what, ..)| what).collect()
}

#[test]
fn a_ledger_in_postgres_is_audited_while_its_server_runs() {
    let ledger = SharedLedger::new();
    let server = ledger.serve().start();
    let client = server.client();
    client.delegate("d1", &json!({}));
    client.heartbeat("d1");
    client.delegate("d2", &json!({}));
    client.post("/v1/delegations/d2/complete", &json!({"result": "r"})).expect(200);
    let well = asked(&ledger, &server, &["audit"]);
    assert_eq!((well.status.code(), said(&well).contains("2 delegations")), (Some(0), true));
    assert!(said(&well).contains("all is well"), "{}", said(&well));
    ledger.run("DELETE FROM watch; UPDATE tallies SET count = 7 WHERE status = 'completed'");
    let ill = asked(&ledger, &server, &["audit", "--json"]);
    assert_eq!(ill.status.code(), Some(20));
    let told: Value = serde_json::from_slice(&ill.stdout).unwrap();
    let found = told["findings"].as_array().unwrap().iter();
    let found: Vec<_> = found.map(|it| (it["check"].as_str(), it["where"].as_str())).collect();
    let expected = [(Some("not-watched"), Some("d1")), (Some("other-tally"), Some("completed"))];
    assert_eq!(found, expected);
}

#[test]
fn a_doctor_looks_into_a_ledger_in_postgres() {
    let ledger = SharedLedger::new();
    let server = ledger.serve().start();
    server.client().delegate("d1", &json!({}));
    let well = asked(&ledger, &server, &["doctor", "--json"]);
    // The tests' own server is a throw-away one.
    assert_eq!(ills(&well), ["switches"], "{}", said(&well));
    let whats: Vec<String> = diagnosis(&well).into_iter().map(|(what, ..)| what).collect();
    for what in [
        "ledger",
        "database",
        "connections",
        "migrations",
        "counts",
        "clock",
        "cleaning",
        "heartbeats",
        "servers",
        "server",
        "sweeper",
    ] {
        assert!(whats.iter().any(|it| it == what), "{what} is not looked at: {whats:?}");
    }
    let secret = ledger.password();
    assert!(!said(&well).contains(&secret), "the password is shown");
    ledger.run("UPDATE tallies SET count = 7 WHERE status = 'stuck'");
    server.kill();
    let server = ledger.serve().start();
    let ill = asked(&ledger, &server, &["doctor", "--json"]);
    assert_eq!(
        (ill.status.code(), ills(&ill)),
        (Some(20), vec!["switches".to_owned(), "counts".to_owned()])
    );
}

#[test]
fn what_is_no_ledger_is_told_from_what_is_away() {
    let audit = |url: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_consign"));
        let output = command.args(["audit", "--database-url", url]).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(audit(&SharedLedger::new().url()).contains("has no ledger in it"));
    let away = audit("postgres://u:secret@127.0.0.1:1/db");
    assert!(away.contains("cannot be reached") && !away.contains("secret"), "{away}");
}
