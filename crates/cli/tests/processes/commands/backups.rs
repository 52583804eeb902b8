//! Copies of a ledger: taken while it works, after a crash, without a server; and what is restored from one.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use serde_json::json;

use super::Session;
use crate::client::Client;
use crate::fleet::Fleet;
use crate::server::{Ledger, Serve};

/// SQLite finds nothing wrong with it.
#[track_caller]
fn assert_sound(copy: &Path) {
    let connection = Connection::open(copy).unwrap();
    let verdict: String =
        connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
}

/// A server over a restored copy.
fn served(copy: &Path) -> crate::server::Server {
    let url = format!("sqlite:{}", copy.display());
    Serve::bare().env("CONSIGN_DATABASE_URL", url).env("CONSIGN_LISTEN", "127.0.0.1:0").start()
}

#[test]
fn a_backup_is_taken_while_the_server_runs() {
    let mut session = Session::new();
    session.delegates("d1").delegates("d2");
    session
        .types("consign backup --help")
        .types("consign backup copy.db --database-url sqlite:consign.db | sed 's/[0-9]* bytes/N bytes/'")
        .types("consign backup copy.db --database-url sqlite:consign.db")
        .types("consign backup other.db --database-url sqlite:consign.db --json | sed 's/\"bytes\":[0-9]*/\"bytes\":N/'")
        .types("consign backup third.db --database-url sqlite:missing.db; ls third.db missing.db 2>/dev/null | wc -l")
        .types("consign backup missing/copy.db --database-url sqlite:consign.db")
        .types("consign backup fourth.db --database-url postgres://me:secret@localhost/consign")
        .types("consign backup fourth.db --database-url mysql:consign")
        .types("echo 'not a ledger' > text.db; consign backup fourth.db --database-url sqlite:text.db")
        .types("consign backup");
    session.reads_as("backup");
    assert_sound(&session.ledger.folder().join("copy.db"));
}

#[test]
fn what_was_acknowledged_before_a_backup_is_in_it() {
    let session = Session::new();
    let client = session.client();
    client.delegate("done", &json!({}));
    session.prepares("consign complete done --result 42");
    let fleet = Fleet::of(20, &client);
    for copy in 0..3 {
        let last = format!("last-{copy}");
        client.delegate(&last, &json!({}));
        session.prepares(&format!("consign backup {copy}.db --database-url sqlite:consign.db"));
        let copy = session.ledger.folder().join(format!("{copy}.db"));
        assert_sound(&copy);
        let server = served(&copy);
        let restored = server.client();
        assert_eq!(restored.delegation(&last)["status"], "queued");
        assert_eq!(restored.delegation("done")["result"], "42");
        assert_eq!(restored.inbox("alice").len(), 1);
    }
    drop(fleet);
}

#[test]
fn a_backup_after_a_crash_has_what_was_acknowledged() {
    let ledger = Ledger::new();
    let server = ledger.start(600);
    server.client().delegate("d1", &json!({}));
    server.kill();
    let copy = ledger.folder().join("copy.db");
    backup(&ledger, &copy);
    assert_sound(&copy);
    assert_eq!(served(&copy).client().delegation("d1")["status"], "queued");
    // And the ledger itself lost nothing by being copied.
    assert_eq!(ledger.start(600).client().delegation("d1")["status"], "queued");
}

#[test]
fn a_ledger_at_rest_is_copied_and_left_as_it_is() {
    let ledger = Ledger::new();
    let server = ledger.start(600);
    server.client().delegate("d1", &json!({}));
    server.stop(rustix::process::Signal::TERM);
    let before = fs::read(ledger.path()).unwrap();
    backup(&ledger, &ledger.folder().join("copy.db"));
    assert_eq!(fs::read(ledger.path()).unwrap(), before);
}

fn backup(ledger: &Ledger, to: &Path) {
    let url = format!("sqlite:{}", ledger.path().display());
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_consign"));
    let output = command.arg("backup").arg(to).args(["--database-url", &url]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_restored_ledger_goes_on_where_it_was() {
    let ledger = Ledger::new();
    let server = ledger.start(2);
    let client = server.client();
    client.delegate("d1", &json!({}));
    let accepted = client.post("/v1/delegations/d1/accept", &json!({})).expect(200);
    backup(&ledger, &ledger.folder().join("copy.db"));
    client.delegate("forgotten", &json!({}));
    server.kill();
    for file in ["consign.db", "consign.db-wal", "consign.db-shm"] {
        fs::rename(ledger.folder().join(file), ledger.folder().join(format!("broken-{file}")))
            .unwrap();
    }
    fs::copy(ledger.folder().join("copy.db"), ledger.path()).unwrap();
    let server = ledger.start(2);
    let client: Client = server.client();
    assert_eq!(client.get("/v1/delegations/forgotten").status, 404);
    let answer = json!({"result": "done", "lease": accepted["lease"]});
    let done = client.post("/v1/delegations/d1/complete", &answer).expect(200);
    assert_eq!(done["delegation"]["status"], "completed");
}
