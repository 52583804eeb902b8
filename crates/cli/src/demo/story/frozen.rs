//! Frozen: its host is suspended. It is marked stuck, which is a warning and not a death: it wakes, beats, and answers.

use consign_client::{NewDelegation, Status};

use super::{Ending, Played, Story};
use crate::demo::agent::Agent;
use crate::demo::stage::Stage;

pub(super) const STORY: Story = Story {
    name: "frozen",
    task: "index the archive",
    terms: NewDelegation::default,
    part: |agent| Box::pin(part(agent)),
    plot: |stage| Box::pin(plot(stage)),
    ending: Ending::completed(&["created", "started", "stuck", "recovered", "completed"]),
};

async fn part(mut agent: Agent) -> Played {
    agent.works_until_called().await?;
    agent.answers("40 shelves").await
}

async fn plot(mut stage: Stage) -> Played {
    let mut worker = stage.opens().await?;
    stage.until_begun().await;
    worker.freezes()?;
    stage.until(|it| it.status == Status::Stuck).await;
    stage.dwells().await;
    worker.thaws()?;
    stage.until(|it| it.status == Status::InProgress).await;
    stage.dwells().await;
    worker.hears("finish").await?;
    worker.ends().await
}
