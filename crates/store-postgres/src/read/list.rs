//! Lists of delegations, newest first: each filter walks an index of its own.

use consign_ledger::query::{Entry, Filter, Page};

use crate::connect::Connection;
use crate::failure::Trouble;

pub(crate) async fn list(
    _connection: &Connection,
    _filter: &Filter,
) -> Result<Page<Entry>, Trouble> {
    todo!()
}
