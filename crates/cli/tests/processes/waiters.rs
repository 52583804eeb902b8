//! Ten thousand that wait at once, and what they cost.
//!
//! Run by hand, because it says something only of an optimised build:
//! `cargo test --release -p consign-cli --test processes waiters -- --ignored --nocapture`

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;

use crate::server::Ledger;

/// As many as a server lets wait.
const WAITERS: usize = 10_000;
/// What each may cost.
const BYTES_EACH_MAX: u64 = 16 << 10;

#[test]
#[ignore = "measures an optimised build; the command is above"]
fn ten_thousand_waiters_cost_at_most_16_kib_each() {
    let limits = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limits.maximum, ..limits }).unwrap();
    let ledger = Ledger::new();
    let server = ledger.start(600);
    let client = server.client();
    client.delegate("d", &json!({}));
    // What the first of everything costs is no waiter's.
    client.get("/v1/delegations/d?wait_s=1").expect(200);
    client.get("/v1/agents/alice/inbox?wait_s=1").expect(200);
    let before = server.rss_bytes();
    let address = server.url().replace("http://", "");
    let begun = Instant::now();
    let mut waiting: Vec<TcpStream> = (0..=WAITERS).map(|n| wait(&address, n)).collect();
    // One too many: once it is told that all places are taken, they are.
    let told = loop {
        if let Some(told) = waiting.iter_mut().position(|waiter| answer(waiter).is_some()) {
            break told;
        }
        assert!(begun.elapsed() < Duration::from_secs(50), "they do not all wait");
    };
    waiting.remove(told);
    let each = server.rss_bytes().saturating_sub(before) / WAITERS as u64;
    println!("{WAITERS} waiters: {each} bytes of resident memory each, {before} before them");
    client.post("/v1/delegations/d/complete", &json!({"result": "r"})).expect(200);
    for waiter in waiting.iter_mut().take(100) {
        waiter.set_nonblocking(false).unwrap();
        let answer = answer(waiter).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    assert!(each <= BYTES_EACH_MAX, "{each} bytes each");
}

/// What it was answered, where it was.
fn answer(waiter: &mut TcpStream) -> Option<String> {
    let mut answer = [0; 4096];
    match waiter.read(&mut answer) {
        Ok(length) => Some(String::from_utf8_lossy(&answer[..length]).into_owned()),
        Err(why) if why.kind() == ErrorKind::WouldBlock => None,
        Err(why) => panic!("{why}"),
    }
}

/// Half wait for a delegation, half for a message.
fn wait(address: &str, n: usize) -> TcpStream {
    let path = if n.is_multiple_of(2) { "delegations/d" } else { "agents/alice/inbox" };
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!(
        "GET /v1/{path}?wait_s=60 HTTP/1.1\r\nhost: {address}\r\nuser-agent: test\r\naccept: */*\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    stream.set_nonblocking(true).unwrap();
    stream
}
