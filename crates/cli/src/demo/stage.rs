//! The stage of one story: what its caller and the world can do, and the facts that they wait for.

use std::time::Duration;

use consign_client::{
    Cancel, Client, Delegation, Error as ClientError, NewDelegation, Retry, json_text,
};
use tokio::time::sleep;

use super::board::{Board, By};
use super::house::{House, THRESHOLD};
use super::story::{Played, Story};
use super::worker::Worker;
use crate::error::CliError;

/// Who asks for all of it.
const CALLER: &str = "alice";
/// How long something stays as it is, so that it can be seen.
const TO_BE_SEEN: Duration = Duration::from_secs(3);

/// Where one story is played.
pub(super) struct Stage {
    house: House,
    board: Board,
    story: &'static Story,
    workers: u32,
}

impl Stage {
    pub(super) const fn new(house: House, board: Board, story: &'static Story) -> Self {
        Self { house, board, story, workers: 0 }
    }

    /// Nobody interferes: the work is delegated, and its agent ends.
    pub(super) async fn plays_alone(mut self) -> Played {
        self.opens().await?.ends().await
    }

    /// The work is delegated, and the agent's process begins.
    pub(super) async fn opens(&mut self) -> Result<Worker, CliError> {
        self.delegates().await?;
        self.enters()
    }

    /// Alice entrusts it to the agent.
    pub(super) async fn delegates(&self) -> Played {
        let Story { name, task, terms, .. } = self.story;
        let asked = NewDelegation {
            delegation_id: Some((*name).to_owned()),
            caller_id: Some(CALLER.to_owned()),
            callee_id: Some((*name).to_owned()),
            task: Some(json_text(task)),
            ..terms()
        };
        self.heard(self.client().delegate(asked).await)?;
        Ok(())
    }

    /// A worker begins.
    pub(super) fn enters(&mut self) -> Result<Worker, CliError> {
        self.workers += 1;
        if self.workers > 1 {
            self.board.happened(self.story, By::World, "a second worker");
        }
        let command = self.house.agent(self.story, self.workers)?;
        Worker::start(command, self.board.clone(), self.story)
    }

    /// Waits for a fact. It should be one that stays until somebody here changes it.
    pub(super) async fn until(&self, so: impl Fn(&Delegation) -> bool) {
        self.board.until(self.story, so).await;
    }

    /// Waits until its agent works.
    pub(super) async fn until_begun(&self) {
        self.until_begun_by(self.story).await;
    }

    /// Waits until another agent works.
    pub(super) async fn until_begun_by(&self, other: &'static Story) {
        self.board.until(other, |it| it.progress.is_some()).await;
    }

    /// Leaves it as it is for a while.
    pub(super) async fn dwells(&self) {
        sleep(TO_BE_SEEN).await;
    }

    /// Longer than any silence may last.
    pub(super) async fn lets_two_thresholds_pass(&self) {
        sleep(THRESHOLD * 2).await;
    }

    /// Alice calls it off.
    pub(super) async fn cancels(&self, reason: &str) -> Played {
        let asked = Cancel { reason: Some(reason.to_owned()) };
        self.heard(self.client().cancel(self.story.name, &asked).await)?;
        Ok(())
    }

    /// Alice does not wait for the first worker any more.
    pub(super) async fn hands_it_out_again(&self) -> Played {
        let asked = Retry { if_attempt: Some(1), ..Retry::default() };
        self.heard(self.client().retry(self.story.name, &asked).await)?;
        Ok(())
    }

    fn client(&self) -> &Client {
        &self.house.client
    }

    fn heard<T>(&self, answer: Result<T, ClientError>) -> Result<T, CliError> {
        self.house.heard(answer)
    }
}
