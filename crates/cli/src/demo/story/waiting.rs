//! Waiting: needs a human, and says so. Its silence does not count until it goes on.

use consign_client::NewDelegation;

use super::{Ending, Played, Story};
use crate::demo::agent::Agent;
use crate::demo::stage::Stage;

pub(super) const STORY: Story = Story {
    name: "waiting",
    task: "publish the release",
    terms: NewDelegation::default,
    part: |agent| Box::pin(part(agent)),
    plot: |stage| Box::pin(plot(stage)),
    ending: Ending::completed(&["created", "started", "waiting", "resumed", "completed"]),
};

async fn part(mut agent: Agent) -> Played {
    agent.works(3).await?;
    agent.asks_a_human("may I publish?").await?;
    agent.works(2).await?;
    agent.answers("published").await
}

/// The human takes longer than any agent may be silent.
async fn plot(mut stage: Stage) -> Played {
    let mut worker = stage.opens().await?;
    stage.until(|it| it.waiting.is_some()).await;
    stage.lets_two_thresholds_pass().await;
    worker.hears("yes").await?;
    worker.ends().await
}
