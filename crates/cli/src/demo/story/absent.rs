//! Absent: its process runs, and the ledger never hears of it. Its caller said by when somebody must have begun.

use consign_client::NewDelegation;

use super::{Ending, Played, Story};
use crate::demo::agent::Agent;
use crate::demo::stage::Stage;

pub(super) const STORY: Story = Story {
    name: "absent",
    task: "translate it",
    terms: || NewDelegation {
        start_within_s: Some(4),
        on_not_started: Some("fail".to_owned()),
        ..NewDelegation::default()
    },
    part: |agent| Box::pin(part(agent)),
    plot: |stage| Box::pin(plot(stage)),
    ending: Ending::failed("not_started", &["created", "failed"]),
};

async fn part(mut agent: Agent) -> Played {
    agent.hangs().await
}

async fn plot(mut stage: Stage) -> Played {
    let mut worker = stage.opens().await?;
    stage.until(|it| !it.status.in_flight()).await;
    worker.hears("go home").await?;
    worker.ends().await
}
