//! What a person sees on a terminal: a table with a head, in colour, cut to fit, and nothing that agents put there.

use serde_json::json;

use super::Session;
use crate::pty::Terminal;

/// Runs a line on a terminal of so many columns; what appears there.
fn shows(session: &Session, line: &str, columns: u16, env: &[(&str, &str)]) -> String {
    let mut terminal = Terminal::of(columns);
    let mut shell = session.shell(line);
    shell.env_remove("NO_COLOR").envs(env.iter().copied());
    let mut child = terminal.runs(shell);
    let shown = terminal.read_to_its_end();
    assert!(child.wait().unwrap().success());
    shown
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
