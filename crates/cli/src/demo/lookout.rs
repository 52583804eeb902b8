//! Keeps the board true: looks at the ledger several times a second, and reads what happened there since.

use std::time::Duration;

use consign_client::{Delegation, Error as ClientError, Event, Filter};
use tokio::time::{MissedTickBehavior, interval};

use super::board::Board;
use super::house::House;
use crate::error::CliError;

const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Looks for ever; returns where the ledger does not answer any more.
pub(super) async fn watch(house: &House, board: &Board) -> CliError {
    let mut ticks = interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = look(house, board).await {
            return error;
        }
    }
}

/// Looks once, at every delegation.
pub(super) async fn look(house: &House, board: &Board) -> Result<(), CliError> {
    let page = house.heard(house.client.list(&Filter::default(), None, None).await)?.value;
    for delegation in page.delegations.into_iter().rev() {
        let events = news(house, board, &delegation).await?;
        board.learned(delegation, events);
    }
    Ok(())
}

/// What happened since the last look.
async fn news(
    house: &House,
    board: &Board,
    delegation: &Delegation,
) -> Result<Vec<Event>, CliError> {
    let seen = board.seen();
    let (known_version, after) = {
        let known = seen.borrow();
        let Some(row) = known.named(&delegation.delegation_id) else { return Ok(vec![]) };
        let version = row.delegation.as_ref().map(|it| it.version);
        (version, row.events.last().map(|event| event.seq))
    };
    // The version counts the events.
    if known_version == Some(delegation.version) {
        return Ok(vec![]);
    }
    let page = house.heard(house.client.events(&delegation.delegation_id, after, None).await)?;
    let events = page.value.events().map(|event| event.map(|(event, _)| event));
    house.heard(events.collect::<Result<_, _>>().map_err(ClientError::NotUnderstood))
}
