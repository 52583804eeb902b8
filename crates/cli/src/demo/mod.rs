//! `consign demo`: a small fleet of real processes plays against a real ledger, until each has its verdict.
//!
//! The demo starts processes, sends them signals, and asks the server what anybody could ask it. What the ledger
//! concludes it does not touch; it only compares, at the end, with what the stories say must be so.

mod agent;
mod board;
mod cast;
mod frame;
mod house;
mod judge;
mod lifeline;
mod lookout;
mod screen;
mod show;
mod stage;
mod story;
mod summary;
mod worker;

use std::io::{self, Write as _};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{sleep, timeout};

use board::Board;
use house::{House, Server};
use judge::{Outcome, judge};
use show::Show;
use stage::Stage;
use story::{Played, STORIES, Story};
use summary::Ledger;

pub(crate) use cast::Cast;

use crate::error::CliError;
use crate::exit::Exit;
use crate::print::{self, Paper};

/// Between two beginnings, so that a reader can follow.
const BEGIN_EVERY: Duration = Duration::from_millis(800);
/// How long all of it may take, on the busiest of machines. It takes half a minute.
const PLAY_WITHIN: Duration = Duration::from_mins(2);

/// Plays all stories on this ledger, or on one that goes at the end.
pub(crate) fn play(database_url: Option<&str>, paper: Paper) -> Result<Exit, CliError> {
    // One thread: what the system does to a process when its parent's thread ends is done at the end of the demo.
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut signals = Signals::heard_from_now()?;
        let server = Server::open(database_url).await?;
        let ledger = if database_url.is_some() { Ledger::Kept } else { Ledger::ThrownAway };
        let ended = tokio::select! {
            ended = perform(&server.house, ledger, paper) => ended,
            exit = signals.next() => Ok(exit),
        };
        server.close().await;
        if matches!(ended, Ok(Exit::Interrupted | Exit::Terminated | Exit::HungUp)) {
            // The terminal may be gone.
            drop(writeln!(io::stderr(), "consign: ended early; nothing goes on"));
        }
        ended
    })
}

async fn perform(house: &House, ledger: Ledger, paper: Paper) -> Result<Exit, CliError> {
    house.must_be_empty().await?;
    let board = Board::new();
    let mut show = Show::new(paper, house)?;
    let scenes = timeout(PLAY_WITHIN, scenes(house, &board));
    let ends = tokio::select! {
        ends = scenes => ends.unwrap_or_default(),
        gone = lookout::watch(house, &board) => return Err(gone),
        unseen = show.goes_on(&board) => return Err(unseen.into()),
    };
    lookout::look(house, &board).await?;
    let outcomes = judge(house, &board, &ends).await?;
    show.ends(&board)?;
    print::lines(&summary::of(&paper, &outcomes, ledger))?;
    Ok(verdict(house, &outcomes))
}

/// Every story's scene to its end, in the stories' order.
async fn scenes(house: &House, board: &Board) -> Vec<Played> {
    let scene = async |(turn, story): (u32, &'static Story)| {
        sleep(BEGIN_EVERY * turn).await;
        (story.plot)(Stage::new(house.clone(), board.clone(), story)).await
    };
    join_all((0..).zip(&STORIES).map(scene)).await
}

/// Names every agent whose story did not end as it must.
fn verdict(house: &House, outcomes: &[Outcome]) -> Exit {
    let wrong: Vec<String> = outcomes.iter().flat_map(Outcome::complaints).collect();
    if wrong.is_empty() {
        return Exit::Done;
    }
    eprintln!("consign: the ledger did not conclude what it must:\n  {}", wrong.join("\n  "));
    let told = house.complaints();
    if !told.is_empty() {
        eprintln!("what the server and the agents said:\n{}", told.trim_end());
    }
    Exit::Unsound
}

/// The signals that ask the demo to end.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Signals {
    fn heard_from_now() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Exit {
        tokio::select! {
            _ = self.interrupt.recv() => Exit::Interrupted,
            _ = self.terminate.recv() => Exit::Terminated,
            _ = self.hang_up.recv() => Exit::HungUp,
        }
    }
}

/// Something that the demo needs is not to be had.
fn broken(what: &'static str) -> impl Fn(io::Error) -> CliError {
    move |why| CliError::Demo(format!("{what}: {why}"))
}
