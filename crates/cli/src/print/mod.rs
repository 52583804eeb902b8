//! What people and scripts read. Colour and tables are for a terminal; elsewhere a row is a line.
//!
//! What agents wrote is never printed as it came: a terminal obeys what it is shown.

mod delegation;
mod history;
mod sheet;
mod table;
mod time;
mod words;

use std::io::{self, IsTerminal as _, Write as _};

use consign_client::Reply;
use jiff::Timestamp;

pub(crate) use delegation::{list, one_line, outlook, sheet_of};
pub(crate) use history::{actor, answered, changed, event_line, events, report, reports};
pub(crate) use sheet::Sheet;
pub(crate) use table::{Column, Table, hue};
pub(crate) use time::{duration, exact};
pub(crate) use words::{cut, escaped, escaped_lines, excerpt, payload};

/// Standard output, and who reads it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paper {
    /// A program reads it.
    pub(crate) json: bool,
    /// A person looks at it.
    pub(crate) terminal: bool,
    pub(crate) color: bool,
    /// What "ago" counts from.
    pub(crate) now: Timestamp,
}

impl Paper {
    pub(crate) fn new(json: bool) -> Self {
        let terminal = io::stdout().is_terminal();
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { json, terminal, color: terminal && !no_color, now: now() }
    }

    /// Prints an answer: as it came, or in words.
    pub(crate) fn answer<T>(
        &self,
        reply: &Reply<T>,
        in_words: impl FnOnce(&T) -> String,
    ) -> io::Result<()> {
        if self.json { lines(&reply.text) } else { lines(&in_words(&reply.value)) }
    }
}

#[expect(clippy::disallowed_methods, reason = "what people read counts from their own clock")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// Prints lines, the last one ended, too; of an empty text none.
pub(crate) fn lines(text: &str) -> io::Result<()> {
    match text.trim_end_matches('\n') {
        "" => Ok(()),
        text => writeln!(io::stdout().lock(), "{text}"),
    }
}
