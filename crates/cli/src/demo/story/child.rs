//! Child: works for the obedient one, which entrusted a part of the work to it, and is called off with it.

use consign_client::{NewDelegation, Status};

use super::{Ending, Played, Story};
use crate::demo::agent::Agent;
use crate::demo::stage::Stage;

pub(super) const STORY: Story = Story {
    name: "child",
    task: "carry the stones",
    terms: NewDelegation::default,
    part: |agent| Box::pin(part(agent)),
    plot: |stage| Box::pin(plot(stage)),
    ending: Ending {
        status: Status::Cancelled,
        failure: Some("parent_cancelled"),
        history: &["created", "started", "cancelled"],
        late: &[],
    },
};

async fn part(mut agent: Agent) -> Played {
    agent.works_until_told_to_stop().await
}

/// Whoever entrusts it to it is an agent, too.
async fn plot(mut stage: Stage) -> Played {
    stage.until(|it| it.status == Status::Queued).await;
    stage.enters()?.ends().await
}
