//! `consign claim --exec`: a program as a callee, and what a fleet does to it.
//!
//! A task here is a script for `sh`. What a test waits for, it is told: by the worker's events, or through a pipe with
//! a name that ends when the last process that holds it does.

mod answers;
mod dies;
mod outages;
mod several;
mod speaks;
mod stops;
mod swallowed;

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Lines, Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, ExitStatus, Stdio};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::client::Client;
use crate::server::{Ledger, Serve, Server};

/// A ledger, its server, and a folder in which workers work.
struct Shop {
    ledger: Ledger,
    server: Server,
    client: Client,
}

impl Shop {
    /// Silence is news after so many seconds.
    fn open(threshold_s: u32) -> Self {
        let ledger = Ledger::new();
        let server = ledger.start(threshold_s);
        let client = server.client();
        Self { ledger, server, client }
    }

    /// Alice asks Bob to run a script.
    fn asks(&self, id: &str, script: &str) -> &Self {
        self.asks_with(id, script, json!({}))
    }

    fn asks_with(&self, id: &str, script: &str, mut terms: Value) -> &Self {
        terms["task"] = json!(script);
        self.client.delegate(id, &terms);
        self
    }

    /// Bob, who runs every script with `sh`, and has these flags.
    fn worker(&self, flags: &[&str]) -> Worker {
        self.works_behind(claim(), flags)
    }

    /// The same, started like this.
    fn works_behind(&self, claim: Serve, flags: &[&str]) -> Worker {
        let flags: Vec<&str> = flags.iter().copied().chain(["--exec", "sh"]).collect();
        self.starts(&self.server.url(), claim, &flags)
    }

    /// The same, whatever he runs.
    fn claims(&self, flags: &[&str]) -> Worker {
        self.claims_by(&self.server.url(), flags)
    }

    /// The same, by another way to the server.
    fn claims_by(&self, url: &str, flags: &[&str]) -> Worker {
        self.starts(url, claim(), flags)
    }

    fn starts(&self, url: &str, claim: Serve, flags: &[&str]) -> Worker {
        let mut command = claim.env("CONSIGN_URL", url).within(self.ledger.folder()).command();
        let says = File::create(self.path("stderr")).unwrap();
        command.arg("--json").args(flags).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(says);
        let mut child = command.spawn().unwrap();
        let events = BufReader::new(child.stdout.take().unwrap()).lines();
        Worker { child, events }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.ledger.folder().join(name)
    }

    /// What the worker's standard error has.
    fn stderr(&self) -> String {
        fs::read_to_string(self.path("stderr")).unwrap()
    }

    /// A pipe with a name.
    fn wire(&self, name: &str) -> Wire {
        let path = self.path(name);
        mknodat(CWD, &path, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
        Wire { path }
    }
}

/// How Bob asks for work.
fn claim() -> Serve {
    Serve::subcommand("claim").flag("--agent", "bob")
}

/// A pipe with a name, between a script and its test.
struct Wire {
    path: PathBuf,
}

impl Wire {
    /// Waits until a script opens it.
    fn hears(&self) -> Heard {
        Heard(BufReader::new(File::open(&self.path).unwrap()))
    }

    /// Lets a script go on that reads a line from it.
    fn lets_go(&self) {
        writeln!(File::options().write(true).open(&self.path).unwrap(), "go").unwrap();
    }
}

/// A pipe whose other end a script has.
struct Heard(BufReader<File>);

impl Heard {
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Waits until no process has the other end any more; what they said before.
    fn until_all_are_gone(mut self) -> String {
        let mut said = String::new();
        self.0.read_to_string(&mut said).unwrap();
        said
    }
}

/// A worker, reaped whatever happens.
struct Worker {
    child: Child,
    events: Lines<BufReader<ChildStdout>>,
}

impl Worker {
    /// The next event of this kind.
    #[track_caller]
    fn until(&mut self, event: &str) -> Value {
        let mut passed = vec![];
        for line in &mut self.events {
            let told: Value = serde_json::from_str(&line.unwrap()).unwrap();
            if told["event"] == event {
                return told;
            }
            passed.push(told);
        }
        panic!("no {event} was told, but {passed:#?}");
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// What it started.
    #[cfg(target_os = "linux")]
    fn children(&self) -> Vec<u32> {
        let id = self.child.id();
        let threads = fs::read_dir(format!("/proc/{id}/task")).unwrap().flatten();
        let lists = threads.map(|it| fs::read_to_string(it.path().join("children")).unwrap());
        lists
            .flat_map(|it| it.split_whitespace().map(|id| id.parse().unwrap()).collect::<Vec<_>>())
            .collect()
    }

    /// Waits until it ends; what it told until then.
    fn ends(&mut self) -> (ExitStatus, Vec<String>) {
        let told = self.events.by_ref().map(|line| {
            let told: Value = serde_json::from_str(&line.unwrap()).unwrap();
            told["event"].as_str().unwrap().to_owned()
        });
        let told = told.collect();
        (self.child.wait().unwrap(), told)
    }

    /// The same, where it is to end well.
    #[track_caller]
    fn ends_well(&mut self) -> Vec<String> {
        let (status, told) = self.ends();
        assert!(status.success(), "{status}: {told:?}");
        told
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
