//! Shows a play while it goes on: a live table on a terminal, a line for whatever happens elsewhere, nothing where a
//! program waits for the document at the end.

use std::io;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::sleep;

use super::board::{Board, By, Happening, Known};
use super::frame::{Frame, Title, moment};
use super::house::{House, THRESHOLD};
use super::screen::Screen;
use super::story::STORIES;
use crate::print::{self, Paper, escaped};

const FRAME_EVERY: Duration = Duration::from_millis(100);

/// A line is held back for so long, because what the ledger tells becomes known later than what a process says.
const HELD_BACK_FOR: Duration = Duration::from_millis(500);

/// Who watches.
pub(super) enum Show {
    /// A person, at a terminal.
    Table { screen: Screen, title: Title, color: bool },
    /// Somebody who reads it later.
    Lines(Lines),
    /// A program.
    Nobody,
}

impl Show {
    pub(super) fn new(paper: Paper, house: &House) -> io::Result<Self> {
        let title = title(house);
        // A terminal that cannot paint says so.
        let paints = std::env::var_os("TERM").is_some_and(|name| name != "dumb");
        if paper.json {
            return Ok(Self::Nobody);
        }
        if paper.terminal && paints {
            return Ok(Self::Table { screen: Screen::enter()?, title, color: paper.color });
        }
        print::lines(&format!("{}\n{}", title.what, title.invitation))?;
        Ok(Self::Lines(Lines { taken: 0, held_back: vec![] }))
    }

    /// Shows for ever; returns where it cannot.
    pub(super) async fn goes_on(&mut self, board: &Board) -> io::Error {
        loop {
            if let Err(error) = self.shows(board) {
                return error;
            }
            sleep(FRAME_EVERY).await;
        }
    }

    /// Shows the last of it, and leaves the terminal as it was.
    pub(super) fn ends(mut self, board: &Board) -> io::Result<()> {
        if let Self::Lines(lines) = &mut self {
            return lines.tell(&board.seen().borrow(), Duration::MAX);
        }
        self.shows(board)
    }

    #[expect(clippy::disallowed_methods, reason = "what people read counts from their own clock")]
    fn shows(&mut self, board: &Board) -> io::Result<()> {
        let seen = board.seen();
        let known = seen.borrow();
        match self {
            Self::Table { screen, title, color } => {
                let (size, color, now) = (screen.size(), *color, Timestamp::now());
                let elapsed = board.elapsed();
                screen.paint(&Frame { known: &known, title, elapsed, now, size, color }.lines())
            }
            Self::Lines(lines) => lines.tell(&known, board.elapsed().saturating_sub(HELD_BACK_FOR)),
            Self::Nobody => Ok(()),
        }
    }
}

/// Lines, in the order of their times.
pub(super) struct Lines {
    /// So many happenings were taken from the board.
    taken: usize,
    held_back: Vec<(Duration, String)>,
}

fn title(house: &House) -> Title {
    let (agents, threshold_s) = (STORIES.len(), THRESHOLD.as_secs());
    let url = house.client.address();
    Title {
        what: format!(
            "consign demo: {agents} agents and a real ledger, where {threshold_s} s of silence are news"
        ),
        invitation: format!("to look for yourself, meanwhile: consign ls --url {url}"),
    }
}

impl Lines {
    /// Writes what happened until then.
    fn tell(&mut self, known: &Known, until: Duration) -> io::Result<()> {
        let new = &known.happened[self.taken..];
        self.held_back.extend(new.iter().map(|it| (it.at, line(it))));
        self.taken = known.happened.len();
        self.held_back.sort_by_key(|(at, _)| *at);
        let ripe = self.held_back.partition_point(|(at, _)| *at <= until);
        self.held_back.drain(..ripe).try_for_each(|(_, line)| print::lines(&line))
    }
}

fn line(it: &Happening) -> String {
    let by = match it.by {
        By::Agent => "agent",
        By::World => "world",
        By::Ledger(_) => "ledger",
    };
    format!("{}  {:8}  {by:6}  {}", moment(it.at), it.story.name, escaped(&it.what))
}
