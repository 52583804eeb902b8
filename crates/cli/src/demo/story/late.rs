//! Late: works on after its deadline, deaf to what its heartbeats are told. Its answer is refused, and kept.

use consign_client::NewDelegation;

use super::{Ending, Played, Story};
use crate::demo::agent::Agent;
use crate::demo::stage::Stage;

pub(super) const STORY: Story = Story {
    name: "late",
    task: "forecast the weather",
    terms: || NewDelegation { deadline_s: Some(9), ..NewDelegation::default() },
    part: |agent| Box::pin(part(agent)),
    plot: |stage| Box::pin(Stage::plays_alone(stage)),
    ending: Ending::failed("deadline_exceeded", &["created", "started", "failed", "late_result"])
        .with_late(&["already-terminal"]),
};

async fn part(mut agent: Agent) -> Played {
    agent.works_until_told_to_stop().await?;
    agent.answers_too_late("rain", "already-terminal").await
}
