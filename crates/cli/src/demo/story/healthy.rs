//! Healthy: beats while it works, and answers.

use consign_client::NewDelegation;

use super::{Ending, Played, Story};
use crate::demo::agent::Agent;
use crate::demo::stage::Stage;

pub(super) const STORY: Story = Story {
    name: "healthy",
    task: "write the report",
    terms: NewDelegation::default,
    part: |agent| Box::pin(part(agent)),
    plot: |stage| Box::pin(Stage::plays_alone(stage)),
    ending: Ending::completed(&["created", "started", "completed"]),
};

async fn part(mut agent: Agent) -> Played {
    agent.works(8).await?;
    agent.answers("12 pages").await
}
