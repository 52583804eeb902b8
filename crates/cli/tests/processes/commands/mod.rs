//! Every subcommand as it is typed: its help, what it prints for people and as JSON, its errors, its exit codes.
//!
//! Each test is a session in a shell against a real server; the whole transcript is compared.

mod audits;
mod backups;
mod callee;
mod caller;
mod demos;
mod doctors;
mod encryption;
mod errors;
mod files;
mod lists;
mod looks;
mod prunes;
mod sweeps;
mod terminal;
mod waits;
mod workers;

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output};

use crate::client::Client;
use crate::server::{Ledger, Server};

/// What differs from run to run, and what is compared in its place.
const REDACTED: [(&str, &str); 19] = [
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z", "[time]"),
    (r"\(in [0-9dhms]+\)", "(in [span])"),
    (r"\([0-9dhms]+ ago\)", "([span] ago)"),
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "[uuid]"),
    (r"http://127\.0\.0\.1:\d+", "http://127.0.0.1:[port]"),
    (r#"(lease +|"lease":")[A-Za-z0-9_=-]{20,}"#, "$1[lease]"),
    (r"\t[A-Za-z0-9_-]{32}\t", "\t[lease]\t"),
    (r"tried for [0-9dhms]+", "tried for [span]"),
    (r"heartbeat for \d+s", "heartbeat for [span]"),
    (r"silent for( +)\d+s", "silent for$1[span]"),
    (r#""duration_ms":\d+"#, r#""duration_ms":[ms]"#),
    (r"took( +)\d+ ms", "took$1[ms] ms"),
    (r"\d+ MiB free", "[n] MiB free"),
    (r"\d+ KiB", "[n] KiB"),
    (r"\d+ of \d+ done", "[n] of [n] done"),
    (r"understands up to \d+", "understands up to [n]"),
    (r"ran [0-9dhms]+ ago", "ran [span] ago"),
    (r"listen on 127\.0\.0\.1:\d+", "listen on 127.0.0.1:[port]"),
    (r#""next_cursor":"[A-Za-z0-9_=-]+""#, r#""next_cursor":"[cursor]""#),
];

/// Somebody at a shell, with a server of their own.
pub(crate) struct Session {
    pub(crate) ledger: Ledger,
    server: Server,
    transcript: String,
}

impl Session {
    /// A server whose silence threshold is the default.
    pub(crate) fn new() -> Self {
        Self::with_threshold(600)
    }

    pub(crate) fn with_threshold(threshold_s: u32) -> Self {
        let ledger = Ledger::new();
        let server = ledger.start(threshold_s);
        Self { ledger, server, transcript: String::new() }
    }

    pub(crate) fn client(&self) -> Client {
        self.server.client()
    }

    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    /// Types a line; what it printed is in the transcript.
    pub(crate) fn types(&mut self, line: &str) -> &mut Self {
        let output = self.output(line);
        let said = |stream: &[u8]| String::from_utf8(stream.to_vec()).unwrap();
        write!(self.transcript, "$ {line}\n{}", said(&output.stdout)).unwrap();
        for complaint in said(&output.stderr).lines() {
            writeln!(self.transcript, "! {complaint}").unwrap();
        }
        if !output.status.success() {
            writeln!(self.transcript, "[exit {}]", output.status.code().unwrap()).unwrap();
        }
        self.transcript.push('\n');
        self
    }

    /// Types a line that is only there to prepare what follows; what it printed.
    #[track_caller]
    pub(crate) fn prepares(&self, line: &str) -> String {
        let output = self.output(line);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{line}: {told}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Alice delegates to Bob.
    #[track_caller]
    pub(crate) fn delegates(&self, id: &str) -> &Self {
        self.client().delegate(id, &serde_json::json!({}));
        self
    }

    pub(crate) fn output(&self, line: &str) -> Output {
        self.shell(line).output().unwrap()
    }

    /// A shell that finds `consign` and the server, and nothing else that is ours.
    pub(crate) fn shell(&self, line: &str) -> Command {
        let mut shell = Command::new("sh");
        for (variable, _) in std::env::vars_os() {
            let name = variable.to_string_lossy();
            if name.starts_with("CONSIGN_") || name.starts_with("DELEGATION_") {
                shell.env_remove(&variable);
            }
        }
        let beside = Path::new(env!("CARGO_BIN_EXE_consign")).parent().unwrap();
        let path = std::env::join_paths(
            [beside.to_owned()]
                .into_iter()
                .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
        );
        shell.args(["-c", line]).env("PATH", path.unwrap()).env("CONSIGN_URL", self.url());
        shell.current_dir(self.ledger.folder());
        shell
    }

    /// The transcript is as it was.
    #[track_caller]
    pub(crate) fn reads_as(&self, name: &str) {
        let mut settings = insta::Settings::clone_current();
        for (pattern, instead) in REDACTED {
            settings.add_filter(pattern, instead);
        }
        settings
            .add_filter(&regex_escaped(&self.ledger.folder().display().to_string()), "[folder]");
        settings.set_omit_expression(true);
        settings.set_prepend_module_to_snapshot(false);
        settings.bind(|| insta::assert_snapshot!(name, self.transcript));
    }
}

fn regex_escaped(path: &str) -> String {
    path.replace('.', r"\.")
}
