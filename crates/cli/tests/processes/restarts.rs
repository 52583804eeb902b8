//! A server that is away: no healthy agent pays for it, and no dead one is saved by it.

use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use crate::client::Client;
use crate::fleet::Fleet;
use crate::server::{Ledger, Server};

const THRESHOLD_S: u32 = 4;
/// Longer than the threshold.
const AWAY: Duration = Duration::from_secs(7);
const AGENTS: usize = 20;

#[test]
fn a_killed_server_counts_only_the_silence_that_it_heard() {
    let ledger = Ledger::new();
    let server = ledger.start(THRESHOLD_S);
    away(server, |server| {
        server.kill();
        thread::sleep(AWAY);
        ledger.start(THRESHOLD_S)
    });
}

#[test]
fn a_suspended_server_counts_only_the_silence_that_it_heard() {
    let ledger = Ledger::new();
    let server = ledger.start(THRESHOLD_S);
    away(server, |server| {
        server.signal(Signal::STOP);
        thread::sleep(AWAY);
        server.signal(Signal::CONT);
        server
    });
}

/// One agent falls silent before the server is away, one after; the others beat all the time.
fn away(server: Server, absence: impl FnOnce(Server) -> Server) {
    let client = server.client();
    let mut fleet = Fleet::of(AGENTS, &client);
    let (before, silent_since) = fleet.silence_one();
    let server = absence(server);
    assert_found_by_listening_time(&client, &before, silent_since, AWAY);

    let (after, silent_since) = fleet.silence_one();
    assert_found_by_listening_time(&client, &after, silent_since, Duration::ZERO);
    fleet.assert_never_marked(&client);
    drop(server);
}

/// It is stuck one threshold of listening after it was last heard, and says so.
#[track_caller]
fn assert_found_by_listening_time(
    client: &Client,
    id: &str,
    silent_since: Instant,
    away: Duration,
) {
    let stuck = client.until_stuck(id);
    let heard = silent_since.elapsed().saturating_sub(away);
    assert_eq!(stuck["status"], "stuck", "{stuck}");
    let detail = stuck["error_detail"].as_str().unwrap();
    assert!(["no heartbeat for 4s", "no heartbeat for 5s"].contains(&detail), "{detail}");
    let threshold = Duration::from_secs(THRESHOLD_S.into());
    assert!(heard >= threshold, "{id} was stuck after {heard:?} of listening");
    // The mark is up to a second old where the server is killed, and another second is the sweeper's.
    assert!(
        heard < threshold + Duration::from_secs(4),
        "{id} was stuck after {heard:?} of listening"
    );
}

#[test]
fn a_server_that_restarts_all_the_time_is_not_blind() {
    let ledger = Ledger::new();
    let mut server = ledger.start(THRESHOLD_S);
    let client = server.client();
    let mut fleet = Fleet::of(AGENTS, &client);
    let (silent, _) = fleet.silence_one();
    let begun = Instant::now();
    for round in 0.. {
        thread::sleep(Duration::from_secs(3));
        if round % 2 == 0 {
            server.kill();
        } else {
            server.stop(Signal::TERM);
        }
        server = ledger.start(THRESHOLD_S);
        if begun.elapsed() > Duration::from_mins(1) {
            break;
        }
    }
    assert_eq!(client.delegation(&silent)["status"], "stuck");
    let (late, _) = fleet.silence_one();
    assert_eq!(client.until_stuck(&late)["status"], "stuck");
    fleet.assert_never_marked(&client);
    assert_eq!(client.get("/v1/stats").expect(200)["stuck"], Value::from(2));
}
