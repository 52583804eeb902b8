//! A server that can read and not write says that it is not ready, and that it is as soon as it can write again.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::client::Client;
use crate::postgres::SharedLedger;
use crate::server::Ledger;

/// Far more than it takes.
const WITHIN: Duration = Duration::from_secs(30);

#[test]
fn a_server_whose_disk_is_full_is_not_ready_until_there_is_room() {
    let ledger = Ledger::new();
    let server = ledger.serve().told_of_full_files().start();
    is_ready_while_it_can_write(&server.client(), |may| server.let_files_grow(may));
}

#[test]
fn a_server_whose_database_is_read_only_is_not_ready_until_it_may_write() {
    let ledger = SharedLedger::new();
    let server = ledger.serve().start();
    is_ready_while_it_can_write(&server.client(), |may| {
        // Only new sessions are told. Those that read go on.
        let read_only = if may { "off" } else { "on" };
        ledger.run(&format!(
            "BEGIN READ WRITE;
             DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = {read_only}',
                                        current_database()); END $$;
             COMMIT"
        ));
        ledger.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                    WHERE datname = current_database() AND application_name LIKE 'consign%'
                    AND application_name <> 'consign read'",
        );
    });
}

fn is_ready_while_it_can_write(client: &Client, let_it_write: impl Fn(bool)) {
    client.delegate("before", &json!({}));
    assert_eq!(client.get("/readyz").expect(200), json!({"ok": true}));
    // Nobody needs to ask for anything: the server itself writes each second up to when it heard everything.
    let_it_write(false);
    until_ready(client, 503);
    let asked =
        json!({"delegation_id": "after", "caller_id": "alice", "callee_id": "bob", "task": "t"});
    let refused = client.post("/v1/delegations", &asked).expect(503);
    let told = client.get("/readyz").expect(503);
    assert_eq!(told["type"], "urn:consign:problem:unavailable");
    assert_eq!((&told["type"], &told["detail"]), (&refused["type"], &refused["detail"]));
    assert_eq!(client.get("/healthz").expect(200), json!({"ok": true}));
    assert_eq!(client.delegation("before")["status"], "queued");
    let_it_write(true);
    until_ready(client, 200);
    client.post("/v1/delegations", &asked).expect(201);
}

#[track_caller]
fn until_ready(client: &Client, status: u16) {
    let begun = Instant::now();
    while client.get("/readyz").status != status {
        assert!(begun.elapsed() < WITHIN, "/readyz is not {status}");
        thread::sleep(Duration::from_millis(20));
    }
}
