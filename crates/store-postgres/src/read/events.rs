//! The history: events, and the answers that came too late.

use consign_ledger::query::{EventPage, EventQuery, Late};
use consign_ledger::{DelegationId, Seq};

use crate::connect::Connection;
use crate::failure::Trouble;

pub(crate) async fn events(
    _connection: &Connection,
    _query: &EventQuery,
) -> Result<EventPage, Trouble> {
    todo!()
}

pub(crate) async fn newest_seq(_connection: &Connection) -> Result<Seq, Trouble> {
    todo!()
}

pub(crate) async fn late_results(
    _connection: &Connection,
    _id: &DelegationId,
) -> Result<Vec<Late>, Trouble> {
    todo!()
}
