//! The stories, in the order in which they begin: for each agent what it is asked, what its process does, what befalls
//! it, and what the ledger must conclude.
//!
//! A story waits for facts and never for time to have been enough, so that it ends the same on a busy machine.

mod absent;
mod child;
mod frozen;
mod healthy;
mod honest;
mod killed;
mod late;
mod obedient;
mod replaced;
mod slow;
mod twice;
mod waiting;
mod wedged;

use std::pin::Pin;

use consign_client::{NewDelegation, Status};

use super::agent::Agent;
use super::stage::Stage;
use crate::error::CliError;

/// How a scene ends: the end of the story, or why there is none.
pub(super) type Played = Result<(), CliError>;
/// A script that is being played.
pub(super) type Scene = Pin<Box<dyn Future<Output = Played>>>;

/// One agent's story. Its name is the agent's and the delegation's.
pub(super) struct Story {
    pub(super) name: &'static str,
    pub(super) task: &'static str,
    /// On which terms it is delegated, beside who asks whom for what.
    pub(super) terms: fn() -> NewDelegation,
    /// What its process does, in the process.
    pub(super) part: fn(Agent) -> Scene,
    /// What the caller and the world do meanwhile, in the demo.
    pub(super) plot: fn(Stage) -> Scene,
    pub(super) ending: Ending,
}

/// What the ledger must conclude.
pub(super) struct Ending {
    pub(super) status: Status,
    pub(super) failure: Option<&'static str>,
    /// Every event, by its kind.
    pub(super) history: &'static [&'static str],
    /// Why each answer came too late that did.
    pub(super) late: &'static [&'static str],
}

/// All of them.
pub(super) const STORIES: [Story; 13] = [
    healthy::STORY,
    slow::STORY,
    waiting::STORY,
    killed::STORY,
    frozen::STORY,
    replaced::STORY,
    wedged::STORY,
    absent::STORY,
    late::STORY,
    twice::STORY,
    honest::STORY,
    obedient::STORY,
    child::STORY,
];

impl Ending {
    const fn completed(history: &'static [&'static str]) -> Self {
        Self { status: Status::Completed, failure: None, history, late: &[] }
    }

    const fn failed(failure: &'static str, history: &'static [&'static str]) -> Self {
        Self { status: Status::Failed, failure: Some(failure), history, late: &[] }
    }

    const fn with_late(self, late: &'static [&'static str]) -> Self {
        Self { late, ..self }
    }
}
