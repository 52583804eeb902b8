//! Slow: its work takes several thresholds, and it beats. Time alone is no reason to doubt it.

use consign_client::NewDelegation;

use super::{Ending, Played, Story};
use crate::demo::agent::Agent;
use crate::demo::stage::Stage;

pub(super) const STORY: Story = Story {
    name: "slow",
    task: "train the model",
    terms: NewDelegation::default,
    part: |agent| Box::pin(part(agent)),
    plot: |stage| Box::pin(Stage::plays_alone(stage)),
    ending: Ending::completed(&["created", "started", "completed"]),
};

async fn part(mut agent: Agent) -> Played {
    agent.works(44).await?;
    agent.answers("loss 0.02").await
}
