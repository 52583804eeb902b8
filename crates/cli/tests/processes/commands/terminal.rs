//! What a person sees on a terminal: a table with a head, in colour, cut to fit, and nothing that agents put there.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::process::Stdio;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use serde_json::json;

use super::Session;

/// Runs a line on a terminal of so many columns; what appears there.
fn shows(session: &Session, line: &str, columns: u16, env: &[(&str, &str)]) -> String {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let size = Winsize { ws_row: 40, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&master, size).unwrap();
    let name = ptsname(&master, vec![]).unwrap().into_string().unwrap();
    let slave = File::options().read(true).write(true).open(name).unwrap();
    let mut shell = session.shell(line);
    shell.env_remove("NO_COLOR").envs(env.iter().copied()).stdin(Stdio::null());
    shell.stdout(slave.try_clone().unwrap()).stderr(slave);
    let mut child = shell.spawn().unwrap();
    // The command holds the terminal's other end: while it does, reading does not end.
    drop(shell);
    let mut shown = vec![];
    let mut master = File::from(master);
    // Linux says EIO where everybody has left the terminal.
    if let Err(error) = master.read_to_end(&mut shown) {
        assert_ne!(error.kind(), ErrorKind::Interrupted);
    }
    assert!(child.wait().unwrap().success());
    String::from_utf8(shown).unwrap().replace("\r\n", "\n")
}

fn session() -> Session {
    let session = Session::new();
    session.delegates("d1");
    let nasty = json!({"task": "\u{1b}[2Jclears the screen and goes on for much longer than any line of a terminal is"});
    session.client().delegate("d2", &nasty);
    session.prepares("consign fail d1 --error-detail 'no disk'");
    session
}

#[test]
fn a_table_has_a_head_fits_and_obeys_nobody() {
    let session = session();
    let table = shows(&session, "consign ls", 100, &[("NO_COLOR", "1")]);
    assert!(table.trim_start().starts_with("ID  STATUS"), "{table}");
    assert!(table.contains("no disk") && table.contains("in 5h59m"), "{table}");
    assert!(!table.contains('\u{1b}'), "colour or an order: {table:?}");
    assert!(table.lines().all(|line| line.trim_end().chars().count() <= 100), "{table}");
    assert_eq!(table.lines().count(), 3, "{table}");
}

#[test]
fn a_status_has_its_colour_unless_nobody_wants_it() {
    let session = session();
    assert!(shows(&session, "consign ls", 100, &[]).contains("\u{1b}[38;5;9m failed"));
    assert!(!shows(&session, "consign ls", 100, &[("NO_COLOR", "1")]).contains('\u{1b}'));
    assert!(shows(&session, "consign ls", 100, &[("NO_COLOR", "")]).contains('\u{1b}'));
    assert!(shows(&session, "consign show d2", 100, &[]).contains("\\u{1b}[2Jclears"));
}

#[test]
fn nothing_is_said_to_be_nothing() {
    let session = session();
    for (line, says) in [
        ("consign ls --caller nobody", "no delegation"),
        ("consign inbox bob", "no message"),
        ("consign late-results d1", "no answer came too late"),
        ("consign events d1 --after 99", "nothing happened"),
    ] {
        assert!(shows(&session, line, 80, &[]).contains(says), "{line}");
    }
}

#[test]
fn a_list_that_goes_on_says_how_to_see_more() {
    let session = session();
    let shown = shows(&session, "consign ls --limit 1", 100, &[]);
    assert!(shown.contains("and more: --all, or --cursor"), "{shown}");
}
