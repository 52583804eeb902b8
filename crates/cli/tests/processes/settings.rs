//! The settings, each way they can be given.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use crate::server::{Ledger, Serve, Server};

const INTERVAL: &str = "DELEGATION_SWEEPER_INTERVAL_S";
const THRESHOLD: &str = "DELEGATION_STUCK_THRESHOLD_S";

#[track_caller]
fn assert_in_force(server: &Server, interval_s: u32, threshold_s: u32) {
    let line = &server.start_line;
    assert!(line.contains(&format!("sweeper interval {interval_s} s ")), "{line}");
    assert!(line.contains(&format!("stuck threshold {threshold_s} s ")), "{line}");
}

#[track_caller]
fn assert_no_warning(server: Server) {
    let log = server.log_to_its_end();
    assert!(!log.contains("WARN") && !log.contains("ERROR"), "{log}");
}

#[test]
fn unset_and_empty_are_the_defaults_without_a_word() {
    let ledger = Ledger::new();
    let server = ledger.serve().start();
    assert_in_force(&server, 300, 600);
    assert_no_warning(server);

    let server = ledger.serve().env(INTERVAL, "").env(THRESHOLD, "").start();
    assert_in_force(&server, 300, 600);
    assert_no_warning(server);
}

#[test]
fn whole_seconds_are_in_force() {
    let ledger = Ledger::new();
    let server = ledger.serve().env(INTERVAL, "17").env(THRESHOLD, "300").start();
    assert_in_force(&server, 17, 300);
    assert_no_warning(server);
}

#[test]
fn a_flag_comes_before_the_environment() {
    let ledger = Ledger::new();
    let server = ledger
        .serve()
        .env(INTERVAL, "17")
        .env(THRESHOLD, "18")
        .flag("--sweeper-interval-s", "19")
        .flag("--stuck-threshold-s", "20")
        .start();
    assert_in_force(&server, 19, 20);
    assert_no_warning(server);
}

#[test]
fn anything_else_warns_and_starts_with_the_default() {
    let ledger = Ledger::new();
    let numbers = ["abc", "-1", "0", "1.5", "12345678901234567890", "31536001", " 300", "+300"];
    let numbers = numbers.iter().map(|number| OsStr::new(*number));
    for given in numbers.chain([OsStr::from_bytes(b"3\xff")]) {
        let server = ledger.serve().env(INTERVAL, given).env(THRESHOLD, given).start();
        assert_in_force(&server, 300, 600);
        let log = server.log_to_its_end();
        assert_warned(&log, INTERVAL, given, 300);
        assert_warned(&log, THRESHOLD, given, 600);
    }
}

#[test]
fn a_wrong_flag_warns_as_a_wrong_variable_does() {
    let ledger = Ledger::new();
    let server = ledger.serve().flag("--stuck-threshold-s", "-1").start();
    assert_in_force(&server, 300, 600);
    assert_warned(&server.log_to_its_end(), THRESHOLD, OsStr::new("-1"), 600);
}

/// One line of the log names the variable, the value and the default used.
#[track_caller]
fn assert_warned(log: &str, variable: &str, given: &OsStr, default_s: u32) {
    let given = format!("{:?}", given.to_string_lossy());
    let names_all = |line: &str| {
        line.contains("WARN")
            && line.contains(variable)
            && line.contains(&given)
            && line.contains(&default_s.to_string())
    };
    assert!(log.lines().any(names_all), "{variable} {given}: {log}");
}

#[test]
fn help_shows_every_setting_with_its_default_and_its_variable() {
    let help = Serve::bare().flag("--help", "").output();
    let help = String::from_utf8(help.stdout).unwrap();
    for part in [
        "--listen",
        "CONSIGN_LISTEN",
        "127.0.0.1:7420",
        "--database-url",
        "CONSIGN_DATABASE_URL",
        "sqlite:consign.db",
        "postgres://USER:PASSWORD@HOST/DATABASE",
        "--sweeper-interval-s",
        INTERVAL,
        "300",
        "--stuck-threshold-s",
        THRESHOLD,
        "600",
        "--brake",
        "CONSIGN_BRAKE",
        "[default: on]",
        "CONSIGN_RETENTION_ACKNOWLEDGED_DAYS",
        "[default: 30]",
        "CONSIGN_RETENTION_DAYS",
        "[default: 180]",
        "CONSIGN_PRUNE",
        "[default: daily]",
        "--log",
        "CONSIGN_LOG",
        "[default: info]",
        "Exit codes",
    ] {
        assert!(help.contains(part), "{part} is not in:\n{help}");
    }
}

#[test]
fn empty_variables_count_as_not_set() {
    let ledger = Ledger::new();
    let server = Serve::bare()
        .within(ledger.folder())
        .env("CONSIGN_DATABASE_URL", "")
        .env("CONSIGN_BRAKE", "")
        .env("CONSIGN_RETENTION_DAYS", "")
        .env("CONSIGN_PRUNE", "")
        .env("CONSIGN_LOG", "")
        .env("CONSIGN_LISTEN", "localhost:0")
        .start();
    assert!(server.start_line.contains("brake on"), "{}", server.start_line);
    assert!(ledger.path().exists());
    assert_no_warning(server);
}

#[test]
fn a_retention_that_is_no_number_of_days_keeps_the_server_from_starting() {
    for (variable, given) in [
        ("CONSIGN_RETENTION_DAYS", "180d"),
        ("CONSIGN_RETENTION_DAYS", "-1"),
        ("CONSIGN_RETENTION_ACKNOWLEDGED_DAYS", "3661"),
        ("CONSIGN_PRUNE", "weekly"),
    ] {
        let ledger = Ledger::new();
        let output = ledger.serve().env(variable, given).output();
        assert_eq!(output.status.code(), Some(2), "{variable} {given}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(variable) && said.contains(given), "{said}");
        assert!(!ledger.path().exists());
    }
}
