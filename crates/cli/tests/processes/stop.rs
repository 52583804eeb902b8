//! Stopping: at once, with an answer for everybody who waits.

use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;

use crate::server::Ledger;

#[test]
fn a_stop_answers_who_waits_and_takes_no_time() {
    for signal in [Signal::TERM, Signal::INT] {
        let ledger = Ledger::new();
        let server = ledger.start(600);
        let client = server.client();
        client.delegate("d1", &json!({}));
        let waiter = thread::spawn(move || client.until_terminal("d1"));
        // Nothing tells that a request was read but its answer, and that comes with the stop.
        thread::sleep(Duration::from_millis(500));

        let (status, after) = server.stop(signal);
        assert_eq!(status.code(), Some(0));
        assert!(after < Duration::from_secs(2), "{after:?}");
        assert_eq!(waiter.join().unwrap()["status"], "queued");
    }
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
