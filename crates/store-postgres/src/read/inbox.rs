//! Messages: each is its event, seen by one agent.

use consign_ledger::query::{Inbox, InboxQuery};

use crate::connect::Connection;
use crate::failure::Trouble;

pub(crate) async fn inbox(_connection: &Connection, _query: &InboxQuery) -> Result<Inbox, Trouble> {
    todo!()
}
