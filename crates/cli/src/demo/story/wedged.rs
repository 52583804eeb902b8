//! Wedged: beats for ever and gets nowhere. A process that lives is no work that advances, and its caller asked for
//! progress.

use consign_client::NewDelegation;

use super::{Ending, Played, Story};
use crate::demo::agent::Agent;
use crate::demo::stage::Stage;

pub(super) const STORY: Story = Story {
    name: "wedged",
    task: "find the bug",
    terms: || NewDelegation {
        progress_within_s: Some(4),
        stuck_grace_s: Some(4),
        ..NewDelegation::default()
    },
    part: |agent| Box::pin(part(agent)),
    plot: |stage| Box::pin(Stage::plays_alone(stage)),
    ending: Ending::failed("attempts_exhausted", &["created", "started", "stuck", "failed"]),
};

async fn part(mut agent: Agent) -> Played {
    agent.goes_in_circles().await
}
