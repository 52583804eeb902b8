//! One frame of the live table: a line for each story, and below what happened last.

use std::time::Duration;

use consign_client::{Delegation, Status};
use jiff::Timestamp;

use super::board::{By, Happening, Known, Row};
use super::house::THRESHOLD;
use super::screen::Size;
use crate::print::{cut, escaped, hue, payload};

const NAME_CHARS: usize = 8;
const STATUS_CHARS: usize = 11;
const HEARD_CHARS: usize = 7;
const BETWEEN: &str = "  ";
/// Since its last heartbeat, for an agent that beats twice a second.
const FRESH: Duration = Duration::from_millis(1500);

const DIM: u8 = 8;
const RED: u8 = 9;
const GREEN: u8 = 10;
const YELLOW: u8 = 11;

/// What a frame is drawn of.
pub(super) struct Frame<'a> {
    pub(super) known: &'a Known,
    /// The first two lines.
    pub(super) title: &'a Title,
    pub(super) elapsed: Duration,
    pub(super) now: Timestamp,
    pub(super) size: Size,
    pub(super) color: bool,
}

/// What stands above the table.
pub(super) struct Title {
    /// What is shown.
    pub(super) what: String,
    /// What a reader can do meanwhile.
    pub(super) invitation: String,
}

/// Text in one colour, of so many columns.
struct Cell {
    text: String,
    color: Option<u8>,
    chars: usize,
}

impl Frame<'_> {
    /// Its lines; no more than fit.
    pub(super) fn lines(&self) -> Vec<String> {
        let Size { rows, .. } = self.size;
        let mut lines = vec![self.title(), self.invitation(), String::new(), self.head()];
        lines.extend(self.known.rows.iter().map(|row| self.row(row)));
        lines.push(String::new());
        let left = rows.saturating_sub(lines.len());
        let mut happened: Vec<&Happening> = self.known.happened.iter().collect();
        // What the ledger tells becomes known a little later than what a process says.
        happened.sort_by_key(|it| it.at);
        let latest = &happened[happened.len().saturating_sub(left)..];
        lines.extend(latest.iter().map(|it| self.happening(it)));
        lines.truncate(rows);
        lines
    }

    fn title(&self) -> String {
        let elapsed = format!("{:>3} s", self.elapsed.as_secs());
        let chars = self.size.columns.saturating_sub(elapsed.len() + BETWEEN.len());
        self.line([plain(&self.title.what, chars), plain(&elapsed, elapsed.len())])
    }

    fn invitation(&self) -> String {
        let chars = self.size.columns;
        self.line([Cell { text: self.title.invitation.clone(), color: Some(DIM), chars }])
    }

    fn head(&self) -> String {
        self.cells([
            ("AGENT", None),
            ("STATUS", None),
            ("HEARD", None),
            ("ITS PROCESS", None),
            ("THE LEDGER", None),
        ])
    }

    fn row(&self, row: &Row) -> String {
        let deed = row.deeds.last().map_or("", String::as_str);
        let Some(it) = &row.delegation else {
            return self.cells([
                (row.story.name, Some(DIM)),
                ("", None),
                ("", None),
                ("", None),
                ("", None),
            ]);
        };
        let (heard, heard_color) = self.heard(it);
        self.cells([
            (row.story.name, None),
            (it.status.as_str(), Some(hue(it.status))),
            (&heard, heard_color),
            (deed, None),
            (&says(row, it), None),
        ])
    }

    fn cells(&self, cells: [(&str, Option<u8>); 5]) -> String {
        let narrow = [NAME_CHARS, STATUS_CHARS, HEARD_CHARS];
        let taken: usize = narrow.iter().map(|chars| chars + BETWEEN.len()).sum();
        let left = self.size.columns.saturating_sub(taken + BETWEEN.len());
        // What an agent does is told in fewer words than what became of it.
        let deed = left * 3 / 7;
        let chars = narrow.into_iter().chain([deed, left - deed]);
        let cell = |((text, color), chars): ((&str, Option<u8>), usize)| Cell {
            text: text.to_owned(),
            color,
            chars,
        };
        self.line(cells.into_iter().zip(chars).map(cell))
    }

    /// When its last heartbeat came, while that matters.
    fn heard(&self, it: &Delegation) -> (String, Option<u8>) {
        let Some(last) = it.last_heartbeat.filter(|_| it.status.in_flight()) else {
            return (String::new(), None);
        };
        let ago = Duration::try_from(self.now.duration_since(last)).unwrap_or_default();
        let (sign, color) = match () {
            () if it.waiting.is_some() => ('…', DIM),
            () if ago < FRESH => ('♥', GREEN),
            () if ago < THRESHOLD => ('♡', YELLOW),
            () => ('♡', RED),
        };
        (format!("{sign} {:>3}s", format!("{:.1}", ago.as_secs_f32())), Some(color))
    }

    fn happening(&self, it: &Happening) -> String {
        let color = match it.by {
            By::Ledger(status) => Some(hue(status)),
            By::Agent | By::World => None,
        };
        let what = Cell { text: it.what.clone(), color, chars: self.size.columns };
        self.line([
            Cell { text: moment(it.at), color: Some(DIM), chars: 7 },
            plain(it.story.name, NAME_CHARS),
            what,
        ])
    }

    fn line(&self, cells: impl IntoIterator<Item = Cell>) -> String {
        let mut left = self.size.columns;
        let mut line = String::new();
        for cell in cells {
            let chars = cell.chars.min(left);
            if chars == 0 {
                break;
            }
            line += &self.painted(&cell, chars);
            line += BETWEEN;
            left = left.saturating_sub(chars + BETWEEN.len());
        }
        line.trim_end().to_owned()
    }

    fn painted(&self, cell: &Cell, chars: usize) -> String {
        let text = format!("{:chars$}", cut(&escaped(&cell.text), chars));
        match cell.color.filter(|_| self.color) {
            Some(color) => format!("\x1b[38;5;{color}m{text}\x1b[0m"),
            None => text,
        }
    }
}

fn plain(text: &str, chars: usize) -> Cell {
    Cell { text: text.to_owned(), color: None, chars }
}

/// `7.3 s`.
pub(super) fn moment(at: Duration) -> String {
    format!("{:>5.1} s", at.as_secs_f32())
}

/// What a person would ask of it now.
fn says(row: &Row, it: &Delegation) -> String {
    let kept = row.events.iter().any(|event| event.kind == "late_result");
    let kept = if kept { "; a late answer kept" } else { "" };
    let attempt = if it.attempt > 1 { format!(" (attempt {})", it.attempt) } else { String::new() };
    let because = || it.error_detail.clone().unwrap_or_default();
    let says = match it.status {
        Status::Queued => "waits for its agent".to_owned(),
        Status::Dispatched => format!("handed out by {}", it.caller_id),
        Status::InProgress => in_progress(it),
        Status::Stuck | Status::Failed | Status::Cancelled => because(),
        Status::Completed => {
            format!("answer: {}", it.result_preview.as_deref().unwrap_or_default())
        }
    };
    says + &attempt + kept
}

fn in_progress(it: &Delegation) -> String {
    let waits = it.waiting.as_ref().map(|waiting| {
        let note = waiting.note.as_ref().map(|note| format!(": {note}"));
        format!("waits for a {}{}", waiting.r#for, note.unwrap_or_default())
    });
    waits.or_else(|| it.progress.as_deref().map(payload)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::board::{Board, tests::delegation};
    use crate::demo::story::STORIES;

    fn drawn(columns: usize, rows: usize, color: bool) -> Vec<String> {
        let board = Board::new();
        let statuses = Status::ALL.into_iter().cycle();
        for (story, status) in STORIES.iter().zip(statuses) {
            board.happened(story, By::Agent, "does what it can, and that takes a great many words");
            let it =
                Delegation { progress: Some(long()), ..delegation(story.name, status.as_str()) };
            board.learned(it, vec![]);
        }
        let title = Title { what: "consign demo".repeat(9), invitation: "look".repeat(30) };
        let (size, elapsed) = (Size { columns, rows }, Duration::from_secs(100));
        let now = "2026-01-01T00:00:09Z".parse().unwrap();
        let seen = board.seen();
        let known = seen.borrow();
        Frame { known: &known, title: &title, elapsed, now, size, color }.lines()
    }

    fn long() -> Box<serde_json::value::RawValue> {
        consign_client::json_text(&"step \u{1b}[2J".repeat(40))
    }

    #[test]
    fn a_frame_fits_whatever_the_size() {
        for (columns, rows) in [(200, 60), (100, 30), (80, 24), (60, 15), (20, 5), (1, 1)] {
            let lines = drawn(columns, rows, false);
            assert!(lines.len() <= rows, "{lines:#?}");
            for line in lines {
                assert!(line.chars().count() <= columns, "{columns}: {line}");
                assert!(!line.contains('\u{1b}'), "an order: {line:?}");
            }
        }
    }

    #[test]
    fn a_status_and_a_silence_have_their_colours() {
        let lines = drawn(100, 30, true).join("\n");
        for part in ["\x1b[38;5;11mstuck", "\x1b[38;5;9mfailed", "\x1b[38;5;9m♡ 8.0s"] {
            assert!(lines.contains(part), "{part:?} is not in {lines:?}");
        }
    }
}
