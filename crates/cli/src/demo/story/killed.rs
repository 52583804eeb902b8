//! Killed: its process is taken away, as the kernel does where memory runs out. The ledger notices the silence, and
//! hands the work out again, because its caller allowed two attempts.

use consign_client::{NewDelegation, Status};

use super::{Ending, Played, Story};
use crate::demo::agent::Agent;
use crate::demo::stage::Stage;

pub(super) const STORY: Story = Story {
    name: "killed",
    task: "compile the release",
    terms: || NewDelegation {
        max_attempts: Some(2),
        stuck_grace_s: Some(3),
        ..NewDelegation::default()
    },
    part: |agent| Box::pin(part(agent)),
    plot: |stage| Box::pin(plot(stage)),
    ending: Ending::completed(&[
        "created",
        "accepted",
        "stuck",
        "requeued",
        "accepted",
        "completed",
    ]),
};

/// The first worker is never called.
async fn part(mut agent: Agent) -> Played {
    agent.accepts().await?;
    agent.works_until_called().await?;
    agent.answers("0 warnings").await
}

async fn plot(mut stage: Stage) -> Played {
    let first = stage.opens().await?;
    stage.until_begun().await;
    first.dies().await?;
    stage.until(|it| it.attempt == 2).await;
    let mut second = stage.enters()?;
    stage.until(|it| it.status == Status::InProgress).await;
    stage.dwells().await;
    second.hears("finish").await?;
    second.ends().await
}
