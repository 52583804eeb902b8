//! What may be wrong with an installation: each thing that is looked at, what was seen, and what to do about it.

mod database;
mod disk;
mod ledger;
mod server;

use serde_json::{Value, json};

use crate::print::{Paper, escaped};

pub(crate) use database::database;
pub(crate) use disk::disk;
pub(crate) use ledger::ledger;
pub(crate) use server::server;

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// As it should be.
    Well,
    /// Worth knowing.
    Note,
    /// To be mended.
    Wrong,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Diagnosis {
    pub(crate) what: &'static str,
    pub(crate) state: State,
    /// What was seen.
    pub(crate) seen: String,
    /// What to do; empty where there is nothing to do.
    pub(crate) advice: &'static str,
}

impl Diagnosis {
    pub(crate) fn well(what: &'static str, seen: impl Into<String>) -> Self {
        Self { what, state: State::Well, seen: seen.into(), advice: "" }
    }

    pub(crate) fn note(what: &'static str, seen: impl Into<String>, advice: &'static str) -> Self {
        Self { what, state: State::Note, seen: seen.into(), advice }
    }

    pub(crate) fn wrong(what: &'static str, seen: impl Into<String>, advice: &'static str) -> Self {
        Self { what, state: State::Wrong, seen: seen.into(), advice }
    }

    /// Well if the condition holds; else what is wrong, and what to do.
    pub(crate) fn given(
        holds: bool,
        what: &'static str,
        seen: impl Into<String>,
        advice: &'static str,
    ) -> Self {
        if holds { Self::well(what, seen) } else { Self::wrong(what, seen, advice) }
    }

    pub(crate) fn line(&self, paper: &Paper) -> String {
        let (word, color) = match self.state {
            State::Well => ("well", "\x1b[32m"),
            State::Note => ("note", "\x1b[33m"),
            State::Wrong => ("WRONG", "\x1b[31m"),
        };
        let (color, plain) = if paper.color { (color, "\x1b[0m") } else { ("", "") };
        let advice = match self.advice {
            "" => String::new(),
            advice => format!("\n                    {advice}"),
        };
        // What was seen may have lines of its own.
        let seen: Vec<String> = self.seen.lines().map(|line| escaped(line.trim())).collect();
        format!("{color}{word:5}{plain}  {:11}  {}{advice}", self.what, seen.join("; "))
    }

    pub(crate) fn document(&self) -> Value {
        let state = match self.state {
            State::Well => "well",
            State::Note => "note",
            State::Wrong => "wrong",
        };
        json!({"what": self.what, "state": state, "seen": self.seen, "do": self.advice})
    }
}
