//! Starting: what a server says, and what it refuses to start on.

use std::fs;
use std::process::Output;

use rustix::process::Signal;

use crate::postgres::{SharedLedger, serve_on};
use crate::server::{Ledger, Serve};

/// It ended with this code, and said this on standard error.
#[track_caller]
fn assert_refused(output: &Output, code: i32, says: &[&str]) {
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{told}");
    for part in says {
        assert!(told.contains(part), "{part} is not in: {told}");
    }
    assert!(!told.contains("panicked"), "{told}");
    assert!(output.stdout.is_empty(), "a start line, and no start");
}

#[test]
fn the_start_line_tells_where_what_and_that_it_is_open() {
    let ledger = Ledger::new();
    let server =
        ledger.serve().env("CONSIGN_LISTEN", "127.0.0.1:0").env("CONSIGN_LOG", "off").start();
    let line = &server.start_line;
    let file = format!("sqlite:{}", ledger.path().display());
    for part in [
        "http://127.0.0.1:",
        &file,
        "sweeper interval 300 s",
        "stuck threshold 600 s",
        "brake on",
        "anyone",
    ] {
        assert!(line.contains(part), "{part} is not in: {line}");
    }
    assert!(!server.url().ends_with(":0"), "{line}");
    assert_eq!(server.client().get("/healthz").status, 200);
}

#[test]
fn other_machines_are_refused_before_anything_is_touched() {
    for listen in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let ledger = Ledger::new();
        let output = ledger.serve().env("CONSIGN_LISTEN", listen).output();
        assert_refused(&output, 2, &["CONSIGN_LISTEN", listen, "127.0.0.1"]);
        assert!(!ledger.path().exists());
    }
}

#[test]
fn a_wrong_setting_is_refused_with_what_to_give() {
    for (variable, value, says) in [
        (
            "CONSIGN_DATABASE_URL",
            "postgres://u:secret@localhost:port/db",
            "postgres://user:password@host",
        ),
        ("CONSIGN_DATABASE_URL", "postgres://u:secret@localhost/db?colour=red", "colour"),
        ("CONSIGN_DATABASE_URL", "sqlite::memory:", "sqlite:consign.db"),
        ("CONSIGN_DATABASE_URL", "consign.db", "sqlite:consign.db"),
        ("CONSIGN_LISTEN", "7420", "127.0.0.1:7420"),
        ("CONSIGN_BRAKE", "maybe", "on or off"),
        ("CONSIGN_LOG", "a=b=c", "CONSIGN_LOG"),
    ] {
        let output = Serve::bare().env(variable, value).output();
        assert_refused(&output, 2, &[variable, says]);
        assert!(!String::from_utf8_lossy(&output.stderr).contains("secret"));
    }
}

#[test]
fn a_second_process_is_told_who_has_the_ledger() {
    let ledger = Ledger::new();
    let _first = ledger.serve().start();
    let second = ledger.serve().env("CONSIGN_LISTEN", "127.0.0.1:0").output();
    assert_refused(&second, 1, &["consign.db", "in use by another process", "choose another file"]);
}

#[test]
fn an_address_in_use_is_refused() {
    let (ledger, other) = (Ledger::new(), Ledger::new());
    let first = ledger.serve().start();
    let listen = first.url().replace("http://", "");
    let second = other.serve().env("CONSIGN_LISTEN", &listen).output();
    assert_refused(&second, 1, &[&listen, "in use", "--listen"]);
}

#[test]
fn a_file_that_is_no_ledger_is_refused_and_left_alone() {
    let ledger = Ledger::new();
    let text = "Dear diary, this is not a database, and it is longer than a header.\n".repeat(100);
    fs::write(ledger.path(), &text).unwrap();
    assert_refused(&ledger.serve().output(), 1, &["consign.db", "not a Consign ledger"]);
    assert_eq!(fs::read_to_string(ledger.path()).unwrap(), text);
    let beside = fs::read_dir(ledger.path().parent().unwrap()).unwrap();
    assert_eq!(beside.count(), 1, "nothing was left beside it");
}

#[test]
fn a_ledger_of_a_later_version_is_refused_and_left_alone() {
    /// Where SQLite's header keeps the schema's version.
    const USER_VERSION: std::ops::Range<usize> = 60..64;
    let ledger = Ledger::new();
    ledger.serve().start().stop(Signal::TERM);
    let mut file = fs::read(ledger.path()).unwrap();
    file[USER_VERSION].copy_from_slice(&99u32.to_be_bytes());
    fs::write(ledger.path(), &file).unwrap();
    assert_refused(&ledger.serve().output(), 1, &["schema version 99", "use a newer consign"]);
    assert!(fs::read(ledger.path()).unwrap() == file, "it was written to");
}

#[test]
fn a_folder_is_no_ledger() {
    let ledger = Ledger::new();
    fs::create_dir(ledger.path()).unwrap();
    assert_refused(&ledger.serve().output(), 1, &["consign.db", "cannot be opened"]);
}

#[test]
fn a_folder_that_is_not_there_is_refused() {
    let ledger = Ledger::new();
    let url = format!("sqlite:{}/no/such/consign.db", ledger.folder().display());
    let output = ledger.serve().env("CONSIGN_DATABASE_URL", url).output();
    assert_refused(&output, 1, &["no/such/consign.db", "folder"]);
}

#[test]
fn the_start_line_tells_which_database_and_keeps_its_password() {
    let ledger = SharedLedger::new();
    let server = ledger.serve().start();
    let line = &server.start_line;
    assert!(line.contains("ledger postgres://consign@127.0.0.1:"), "{line}");
    assert!(!line.contains(&ledger.password()), "{line}");
    assert_eq!(server.client().get("/readyz").status, 200);
}

#[test]
fn a_database_that_cannot_be_used_is_refused_with_what_to_do() {
    let ledger = SharedLedger::new();
    let url = ledger.url();
    let (server, database) = url.rsplit_once('/').unwrap();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = nobody.local_addr().unwrap();
    drop(nobody);
    for (url, says) in [
        (
            format!("postgres://consign:secret@{closed}/db"),
            ["cannot be reached", "refused", "check that it runs"],
        ),
        (
            format!("{server}/no_such_ledger"),
            ["no database", "no_such_ledger", "createdb no_such_ledger"],
        ),
        (
            url.replace(&ledger.password(), "secret"),
            ["refuses user consign", "password", "in the URL"],
        ),
        (url.replace("consign:", "stranger:"), ["refuses user stranger", "password", "in the URL"]),
    ] {
        let output = serve_on(&url).output();
        assert_refused(&output, 1, &says);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(!told.contains("secret") && !told.contains(&ledger.password()), "{told}");
    }
    ledger.run("CREATE TABLE delegations (what text)");
    assert_refused(&serve_on(&url).output(), 1, &["is not a Consign ledger", database]);
    assert_eq!(ledger.count("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"), 1);
}

#[test]
fn a_database_that_cannot_hold_every_text_is_refused() {
    let ledger = SharedLedger::new();
    let url = ledger.url();
    let ascii = format!("{}_ascii", url.rsplit('/').next().unwrap());
    ledger.run(&format!(
        "CREATE DATABASE {ascii} ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0"
    ));
    let output = serve_on(&format!("{url}_ascii")).output();
    ledger.run(&format!("DROP DATABASE {ascii}"));
    assert_refused(&output, 1, &[&ascii, "SQL_ASCII", "UTF8", "createdb"]);
}

#[test]
fn a_database_of_a_later_version_is_refused_and_left_alone() {
    let ledger = SharedLedger::new();
    ledger.serve().start().stop(Signal::TERM);
    ledger.run("UPDATE consign_migrations SET version = 99 WHERE version = (SELECT max(version) FROM consign_migrations)");
    assert_refused(&ledger.serve().output(), 1, &["schema version 99", "use a newer consign"]);
    let migrate = Serve::subcommand("migrate").env("CONSIGN_DATABASE_URL", ledger.url()).output();
    assert_refused(&migrate, 1, &["schema version 99", "use a newer consign"]);
}

#[test]
fn migrate_makes_the_schema_and_does_no_harm_again() {
    let (ledger, file) = (SharedLedger::new(), Ledger::new());
    let sqlite = format!("sqlite:{}", file.path().display());
    for url in [ledger.url(), sqlite] {
        for _ in 0..2 {
            let output = Serve::subcommand("migrate").env("CONSIGN_DATABASE_URL", &url).output();
            let told = String::from_utf8_lossy(&output.stdout);
            assert_eq!(output.status.code(), Some(0), "{output:?}");
            assert!(told.contains("the schema is up to date"), "{told}");
            assert!(!told.contains(&ledger.password()), "{told}");
        }
    }
    assert_eq!(ledger.count("SELECT count(*) FROM delegations"), 0);
    assert!(file.path().exists());
}
