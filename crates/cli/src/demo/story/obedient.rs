//! Obedient: its caller calls the work off. Its next heartbeat is told to stop, and it stops; what it had entrusted to
//! a child is called off with it.

use consign_client::{NewDelegation, Status};

use super::child;
use super::{Ending, Played, Story};
use crate::demo::agent::Agent;
use crate::demo::stage::Stage;

pub(super) const STORY: Story = Story {
    name: "obedient",
    task: "dig the tunnel",
    terms: NewDelegation::default,
    part: |agent| Box::pin(part(agent)),
    plot: |stage| Box::pin(plot(stage)),
    ending: Ending {
        status: Status::Cancelled,
        failure: None,
        history: &["created", "started", "cancelled"],
        late: &[],
    },
};

async fn part(mut agent: Agent) -> Played {
    agent.works(2).await?;
    agent.entrusts_a_part(&child::STORY).await?;
    agent.works_until_told_to_stop().await
}

async fn plot(mut stage: Stage) -> Played {
    let worker = stage.opens().await?;
    stage.until_begun_by(&child::STORY).await;
    stage.dwells().await;
    stage.cancels("the mountain moved").await?;
    worker.ends().await
}
