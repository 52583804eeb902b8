//! Replaced: its network is gone. Its caller does not wait and hands the work to a second worker; the first comes back
//! under a lease that is void, and its answer is kept.

use consign_client::{NewDelegation, Status};

use super::{Ending, Played, Story};
use crate::demo::agent::Agent;
use crate::demo::stage::Stage;

pub(super) const STORY: Story = Story {
    name: "replaced",
    task: "paint the fence",
    terms: NewDelegation::default,
    part: |agent| Box::pin(part(agent)),
    plot: |stage| Box::pin(plot(stage)),
    ending: Ending::completed(&[
        "created",
        "accepted",
        "stuck",
        "requeued",
        "late_result",
        "accepted",
        "completed",
    ])
    .with_late(&["lease-void"]),
};

async fn part(mut agent: Agent) -> Played {
    agent.accepts().await?;
    if agent.is_second() {
        agent.works(5).await?;
        return agent.answers("white").await;
    }
    agent.works(4).await?;
    agent.is_cut_off().await?;
    agent.answers_too_late("red", "lease-void").await
}

async fn plot(mut stage: Stage) -> Played {
    let mut first = stage.opens().await?;
    stage.until(|it| it.status == Status::Stuck).await;
    stage.dwells().await;
    stage.hands_it_out_again().await?;
    stage.until(|it| it.attempt == 2).await;
    stage.dwells().await;
    first.hears("the network is back").await?;
    first.ends().await?;
    stage.enters()?.ends().await
}
