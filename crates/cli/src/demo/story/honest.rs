//! Honest: cannot do it, and says so. Its caller had handed the work out itself, and the ledger only watched.

use consign_client::NewDelegation;

use super::{Ending, Played, Story};
use crate::demo::agent::Agent;
use crate::demo::stage::Stage;

pub(super) const STORY: Story = Story {
    name: "honest",
    task: "square the circle",
    terms: || NewDelegation { dispatched: Some(true), ..NewDelegation::default() },
    part: |agent| Box::pin(part(agent)),
    plot: |stage| Box::pin(plot(stage)),
    ending: Ending::failed("reported", &["created", "started", "failed"]),
};

async fn part(mut agent: Agent) -> Played {
    agent.works(6).await?;
    agent.gives_up("it cannot be done").await
}

async fn plot(mut stage: Stage) -> Played {
    stage.delegates().await?;
    stage.dwells().await;
    stage.enters()?.ends().await
}
