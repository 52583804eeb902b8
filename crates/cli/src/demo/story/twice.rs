//! Twice: answers, and answers again. The same again does no harm; another answer is kept beside the first, which
//! stands.

use consign_client::NewDelegation;

use super::{Ending, Played, Story};
use crate::demo::agent::Agent;
use crate::demo::stage::Stage;

pub(super) const STORY: Story = Story {
    name: "twice",
    task: "count the stars",
    terms: NewDelegation::default,
    part: |agent| Box::pin(part(agent)),
    plot: |stage| Box::pin(Stage::plays_alone(stage)),
    ending: Ending::completed(&["created", "started", "completed", "late_result"])
        .with_late(&["same-status"]),
};

async fn part(mut agent: Agent) -> Played {
    agent.works(10).await?;
    agent.answers("41").await?;
    agent.answers_the_same("41").await?;
    agent.answers_otherwise("42").await
}
